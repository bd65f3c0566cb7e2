/* The simulated market: the same world gives the same bytes, its logs look like logs, what is spoilt adds up to the row,
 * and market-truth tells the probabilities with which the clicks were drawn. */
#include <math.h>

#include "tests/plugins/transform.h"

static adl_harness *new_harness(void) { return adl_harness_new("x\n1\n", "{x: int}"); }

/* Runs stages made by a format, and wants them to go well. */
static void run(adl_harness *h, const char *tap, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void run(adl_harness *h, const char *tap, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *stages = g_strdup_vprintf(format, list);
  va_end(list);
  adl_harness_run(h, stages, tap);
  ASSERT_OK(h);
  g_free(stages);
}

static bool bool_at(const adl_column *column, int64_t row) { return adl_number_at(column, row) != 0; }

/* ---------------------------------------------------------------------------------------------------- bytes ---- */

static const char *const tables[] = {"impressions", "users", "items", "ads", "browse", "searches", "purchases"};
enum { TABLES = sizeof tables / sizeof tables[0] };

static char *all_tables(const char *world) {
  GString *text = g_string_new(NULL);
  for (int i = 0; i < TABLES; i++)
    g_string_append_printf(
        text,
        "  %s: {use: market, table: %s, rows: 30000, users: 3000, dirty: 0.02, duplicates: 0.03, %s}\n"
        "  write_%s: {use: write-csv, path: %s.csv}\n",
        tables[i], tables[i], world, tables[i], tables[i]);
  return g_string_free(text, FALSE);
}

static char *digest_of(const char *world, const char *top, int threads) {
  adl_harness *h = new_harness();
  adl_harness_threads(h, threads);
  char *lines = g_strdup_printf("max_rejects: 0.1\n%s", top), *stages = all_tables(world);
  adl_harness_top(h, lines);
  run(h, NULL, "%s", stages);
  char *digest = adl_harness_digest(h);
  g_free(lines);
  g_free(stages);
  adl_harness_free(h);
  return digest;
}

START_TEST(a_world_is_a_function_of_its_parameters) {
  char *one = digest_of("world: 5", "", 1), *three = digest_of("world: 5", "", 3);
  char *seeded = digest_of("world: 5", "seed: 99\n", 3);
  ck_assert_str_eq(one, three);
  ck_assert_str_eq(one, seeded);
  static const char *const others[] = {"world: 6", "world: 5, ads: 201", "world: 5, days: 27",
                                       "world: 5, catalogue: education", "world: 5, start: 2024-03-02"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    char *other = digest_of(others[i], "", 3);
    ck_assert_msg(strcmp(one, other) != 0, "%s makes no difference", others[i]);
    free(other);
  }
  free(one);
  free(three);
  free(seeded);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- the truth ---- */

typedef struct deviation {
  double clicks, expected, variance;
} deviation;

static void add(deviation *d, bool clicked, double p) {
  d->clicks += clicked;
  d->expected += p;
  d->variance += p * (1 - p);
}

static void assert_near(const deviation *d, const char *what) {
  double off = (d->clicks - d->expected) / sqrt(d->variance);
  ck_assert_msg(d->expected > 100, "%s: only %g clicks are expected", what, d->expected);
  ck_assert_msg(fabs(off) < 4, "%s: %g clicks, %g expected, %g standard errors off", what, d->clicks, d->expected, off);
}

START_TEST(truth_is_calibrated) {
  static const char *const worlds[] = {"world: 1", "world: 2, catalogue: education, start: 2025-06-30T09:30:00Z",
                                       "world: 3, users: 50, ads: 21, items: 20, days: 3"};
  adl_harness *h = new_harness();
  run(h, "truth",
      "  log: {use: market, table: impressions, rows: 300000, dirty: 0, duplicates: 0, %s}\n"
      "  truth: {use: market-truth, user: user, ad: ad, position: position, at: at, device: device, %s}\n",
      worlds[_i], worlds[_i]);
  int64_t rows = adl_harness_rows(h);
  ck_assert_int_eq(rows, 300000);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  const adl_column *clicked = adl_harness_column(h, "clicked"), *p = adl_harness_column(h, "p_true"),
                   *position = adl_harness_column(h, "position"), *at = adl_harness_column(h, "at"),
                   *device = adl_harness_column(h, "device");
  deviation all = {0}, by_position[4] = {{0}}, by_day[2] = {{0}}, high = {0}, mobile = {0};
  for (int64_t row = 0; row < rows; row++) {
    double probability = adl_number_at(p, row);
    bool click = bool_at(clicked, row);
    ck_assert(probability > 0 && probability < 1);
    add(&all, click, probability);
    add(&by_position[(int)adl_number_at(position, row) - 1], click, probability);
    int64_t hour = ((const int64_t *)at->data)[row] / INT64_C(3600000000) % 24;
    add(&by_day[hour >= 19], click, probability);
    if (probability > 0.05) add(&high, click, probability);
    if (adl_text_at(device, row).data[0] == 'm') add(&mobile, click, probability);
  }
  assert_near(&all, "all rows");
  assert_near(&high, "p above 0.05");
  assert_near(&mobile, "mobile");
  assert_near(&by_day[0], "by day");
  assert_near(&by_day[1], "in the evening");
  static const char *const positions[] = {"position 1", "position 2", "position 3", "position 4"};
  for (int i = 0; i < 4; i++) assert_near(&by_position[i], positions[i]);
  double ctr = all.clicks / (double)rows;
  ck_assert_msg(ctr > 0.018 && ctr < 0.022, "the CTR is %g", ctr);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("market");
  TCase *bytes = tcase_create("bytes"), *truth = tcase_create("truth");
  tcase_set_timeout(bytes, 120);
  tcase_set_timeout(truth, 120);
  tcase_add_test(bytes, a_world_is_a_function_of_its_parameters);
  tcase_add_loop_test(truth, truth_is_calibrated, 0, 3);
  suite_add_tcase(suite, bytes);
  suite_add_tcase(suite, truth);
  return run_suite(suite);
}
