/* sample on the real engine: how many rows stay and which, keys, rows that stay in any case, weights. */
#include <math.h>

#include "tests/plugins/transform.h"

enum { ROWS = 40000 };

/* Rows 0 .. ROWS - 1; `user` has the values 0 .. 3999, and null in each tenth row; every eighth row has a click. */
static adl_harness *with_rows(void) {
  GString *text = g_string_new("n,user,click\n");
  for (int n = 0; n < ROWS; n++) {
    g_string_append_printf(text, "%d,", n);
    if (n % 10 != 9) g_string_append_printf(text, "u%d", (int)(adl_random(5, (uint64_t)n) % 4000));
    g_string_append_printf(text, ",%d\n", n % 8 == 0);
  }
  adl_harness *h = adl_harness_new(text->str, "{n: int, user: id, click: bool}");
  adl_harness_source(h, "holdout: {where: 'n % 4 = 3'}");
  g_string_free(text, TRUE);
  return h;
}

static void run(adl_harness *h, const char *stages) {
  adl_harness_run(h, stages, "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
}

/* Which rows stayed; also that they are in order. */
static void stayed(const adl_harness *h, bool *stays) {
  memset(stays, 0, ROWS * sizeof *stays);
  double before = -1;
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    double n = adl_harness_number(h, "n", row);
    if (!(n > before && n < ROWS)) ck_abort_msg("row %g behind row %g", n, before);
    stays[(int)n] = true;
    before = n;
  }
}

/* A binomial count is within five standard deviations. */
static void assert_share(double count, double of, double fraction) {
  ck_assert_msg(fabs(count - of * fraction) <= 5 * sqrt(of * fraction * (1 - fraction)), "%g of %g", count, of);
}

static const double fractions[] = {0.001, 0.1, 0.5, 0.99};

START_TEST(rows_by_themselves) {
  static bool stays[ROWS];
  double fraction = fractions[_i], both = 0, odd = 0;
  adl_harness *h = with_rows();
  char *stage = g_strdup_printf("  s: {use: sample, fraction: %g}\n", fraction);
  run(h, stage);
  stayed(h, stays);
  assert_share((double)adl_harness_rows(h), ROWS, fraction);
  for (int n = 1; n < ROWS; n += 2) { /* neighbours know nothing of each other */
    odd += stays[n];
    both += stays[n] && stays[n - 1];
  }
  assert_share(odd, ROWS / 2.0, fraction);
  assert_share(both, ROWS / 2.0, fraction * fraction);
  g_free(stage);
  adl_harness_free(h);
}
END_TEST

START_TEST(all_rows) {
  adl_harness *h = with_rows();
  run(h, "  s: {use: sample, fraction: 1, weight: w}\n");
  ck_assert_int_eq(adl_harness_rows(h), ROWS);
  ck_assert(adl_harness_number(h, "w", 7) == 1);
  adl_harness_free(h);
}
END_TEST

START_TEST(keys_stay_whole) {
  static bool stays[ROWS];
  int decided[4000] = {0}, users = 0;
  double drawn = 0, without = 0;
  adl_harness *h = with_rows();
  run(h, "  s: {use: sample, fraction: 0.3, by: user}\n");
  stayed(h, stays);
  for (int n = 0; n < ROWS; n++) {
    int user = (int)(adl_random(5, (uint64_t)n) % 4000), now = stays[n] ? 1 : -1;
    if (n % 10 == 9) {
      without += stays[n];
      continue;
    }
    if (decided[user] == 0) users++, drawn += stays[n];
    if (decided[user] != 0 && decided[user] != now) ck_abort_msg("user %d is torn apart", user);
    decided[user] = now;
  }
  assert_share(drawn, users, 0.3);
  assert_share(without, ROWS / 10.0, 0.3);
  adl_harness_free(h);
}
END_TEST

/* Keys are drawn alike wherever they stand: in another order, among other rows. */
START_TEST(equal_seeds_draw_equal_keys) {
  GString *text = g_string_new("n,user,click\n");
  for (int n = 0; n < 500; n++) g_string_append_printf(text, "%d,u%d,0\n", n, 499 - n);
  adl_harness *h = with_rows(), *other = adl_harness_new(text->str, "{n: int, user: id, click: bool}");
  static bool stays[ROWS], here[ROWS];
  int same = 0, compared = 0;
  run(h, "  s: {use: sample, fraction: 0.5, by: user, seed: 11}\n");
  stayed(h, stays);
  adl_harness_top(other, "seed: 99\n");
  run(other, "  s: {use: sample, fraction: 0.5, by: user, seed: 11}\n");
  stayed(other, here);
  for (int n = 0; n < ROWS; n++) {
    int user = (int)(adl_random(5, (uint64_t)n) % 4000);
    if (n % 10 == 9 || user >= 500) continue;
    if (stays[n] != here[499 - user]) ck_abort_msg("user %d", user);
    compared++;
  }
  ck_assert_int_gt(compared, 3000);
  run(other, "  s: {use: sample, fraction: 0.5, by: user, seed: 12}\n");
  memcpy(stays, here, sizeof here);
  stayed(other, here);
  for (int n = 0; n < 500; n++) same += stays[n] == here[n];
  assert_share(same, 500, 0.5);
  /* Without one it is the run's seed and the stage's name. */
  adl_harness_run(other, "  t: {use: sample, fraction: 0.5, by: user}\n", "t");
  stayed(other, stays);
  run(other, "  s: {use: sample, fraction: 0.5, by: user}\n");
  stayed(other, here);
  for (int n = same = 0; n < 500; n++) same += stays[n] == here[n];
  assert_share(same, 500, 0.5);
  g_string_free(text, TRUE);
  adl_harness_free(h);
  adl_harness_free(other);
}
END_TEST

START_TEST(kept_rows_and_weights) {
  static bool stays[ROWS];
  adl_harness *h = with_rows();
  run(h, "  s: {use: sample, fraction: 0.1, keep: click, weight: w}\n");
  stayed(h, stays);
  double drawn = 0, total = 0;
  for (int n = 0; n < ROWS; n++) {
    if (n % 8 == 0 && !stays[n]) ck_abort_msg("row %d is lost", n);
    drawn += n % 8 != 0 && stays[n];
  }
  assert_share(drawn, ROWS * 7 / 8.0, 0.1);
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    double w = adl_harness_number(h, "w", row);
    if (w != (fmod(adl_harness_number(h, "n", row), 8) == 0 ? 1 : 10)) ck_abort_msg("weight %g", w);
    total += w;
  }
  ck_assert(total == ROWS / 8.0 + 10 * drawn);
  ck_assert_int_eq(adl_harness_type(h, "w").element, ADL_FLOAT32);
  run(h, "  s: {use: sample, fraction: 0.1, held_out: keep}\n");
  stayed(h, stays);
  drawn = 0;
  for (int n = 0; n < ROWS; n++) {
    if (n % 4 == 3 && !stays[n]) ck_abort_msg("row %d is lost", n);
    drawn += n % 4 != 3 && stays[n];
  }
  assert_share(drawn, ROWS * 3 / 4.0, 0.1);
  adl_harness_free(h);
}
END_TEST

/* Weights put right what leaving negatives out has done to a learner. */
START_TEST(weights_keep_probabilities) {
  adl_harness *h = with_rows();
  run(h, "  s: {use: sample, fraction: 0.1, keep: click, weight: w, held_out: keep}\n"
         "  one: {use: derive, columns: {one: 1}}\n"
         "  plain: {use: sgd, features: [one], label: click, as: p}\n"
         "  weighted: {use: sgd, features: [one], label: click, weight: w, as: q}\n"
         "  m: {use: metrics, label: click, score: q}\n"
         "  k: {use: metrics, from: weighted, label: click, score: p}\n");
  ck_assert_double_eq_tol(adl_harness_report(h, "m", "held-out", "mean_score"), 1.0 / 6, 0.01);
  ck_assert(adl_harness_report(h, "k", "held-out", "mean_score") > 0.5);
  adl_harness_free(h);
}
END_TEST

START_TEST(threads_and_memory_change_no_bit) {
  static const char stages[] = "  a: {use: sample, fraction: 0.7, keep: click, weight: w}\n"
                               "  b: {use: sample, fraction: 0.7, by: [user, click]}\n"
                               "  c: {use: sort, by: user}\n"
                               "  d: {use: sample, fraction: 0.7}\n"
                               "  o: {use: write-csv, path: o.csv}\n";
  char *first = NULL;
  adl_harness *h = with_rows();
  for (int threads = 1; threads <= 4; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_memory(h, threads == 4 ? 1 << 20 : INT64_C(1) << 30);
    adl_harness_run(h, stages, NULL);
    ASSERT_OK(h);
    char *digest = adl_harness_digest(h);
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(digest, first) == 0, "%d threads differ from one", threads);
    free(digest);
  }
  g_free(first);
  adl_harness_free(h);
}
END_TEST

START_TEST(odd_input) {
  adl_harness *h = adl_harness_new("n,user,click\n", "{n: int, user: id, click: bool}");
  run(h, "  s: {use: sample, fraction: 0.5, by: user, keep: click, weight: w}\n");
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
  h = adl_harness_new("n,user,click\n1,,\n", "{n: int, user: id, click: bool}");
  run(h, "  s: {use: sample, fraction: 1, by: user, keep: click}\n");
  ck_assert_int_eq(adl_harness_rows(h), 1);
  adl_harness_free(h);
  static const char csv[] = "n,user\n1,a\n", columns[] = "{n: int, user: id}";
  assert_refused(csv, columns, "  s: {use: sample}\n", "fraction");
  assert_refused(csv, columns, "  s: {use: sample, fraction: 0}\n", "fraction");
  assert_refused(csv, columns, "  s: {use: sample, fraction: 1.5}\n", "fraction");
  assert_refused(csv, columns, "  s: {use: sample, fraction: 0.5, by: usr}\n", "no column is called `usr`");
  assert_refused(csv, columns, "  s: {use: sample, fraction: 0.5, keep: n}\n", "sample takes a plain value of bool");
  assert_refused(csv, columns, "  s: {use: sample, fraction: 0.5, weight: n}\n", "there is a column `n` already");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sample");
  TCase *cases = tcase_create("sample");
  tcase_set_timeout(cases, 120);
  tcase_add_loop_test(cases, rows_by_themselves, 0, 4);
  tcase_add_test(cases, all_rows);
  tcase_add_test(cases, keys_stay_whole);
  tcase_add_test(cases, equal_seeds_draw_equal_keys);
  tcase_add_test(cases, kept_rows_and_weights);
  tcase_add_test(cases, weights_keep_probabilities);
  tcase_add_test(cases, threads_and_memory_change_no_bit);
  tcase_add_test(cases, odd_input);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
