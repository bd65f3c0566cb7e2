/* cross on the real engine: who is eligible for whom, by hand and against a naive double loop; nulls, bounds, limits,
 * splits, empty ends, refusals. */
#include <math.h>

#include "tests/plugins/transform.h"

static const char users_csv[] = "user,age,country,at\n"
                                "u1,17,de,2024-05-01\n"
                                "u2,30,at,2024-05-02\n"
                                "u3,,de,2024-05-03\n"
                                "u4,65,,2024-05-04\n"
                                "u5,40,fr,2024-05-05\n";
static const char users[] = "{user: string, age: int, country: string, at: timestamp}";
static const char ads_csv[] = "ad,land,min_age,max_age,start,end\n"
                              "all,,,,,\n"
                              "de,de,,,,\n"
                              "adult,,18,,,\n"
                              "at30,at,30,30,,\n"
                              "de18,de,18,64,,\n"
                              "may,,,,2024-05-02,2024-05-04\n";
#define ADS                                                                                                            \
  "  ads: {use: read-csv, path: ads.csv, columns: {ad: string, land: string, min_age: int, max_age: float, "           \
  "start: timestamp, end: timestamp}"

static adl_harness *crossed(const char *main, const char *side, const char *more, const char *parameters) {
  adl_harness *h = adl_harness_new(main, users);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_file(h, "ads.csv", side, -1);
  char *stages = g_strdup_printf(ADS "%s}\n  c: {use: cross, from: rows, with: ads%s}\n", more, parameters);
  adl_harness_run(h, stages, "c");
  g_free(stages);
  return h;
}

static void refused(const char *parameters, const char *words) {
  adl_harness *h = crossed(users_csv, ads_csv, "", parameters);
  ck_assert_msg(!adl_harness_ok(h), "not refused: %s", parameters);
  ck_assert_msg(strstr(adl_harness_errors(h), words) != NULL, "%s\nlacks: %s", adl_harness_errors(h), words);
  adl_harness_free(h);
}

static void assert_pairs(const char *parameters, const char *user, const char *ad) {
  adl_harness *h = crossed(users_csv, ads_csv, "", parameters);
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", user);
  ASSERT_VALUES(h, "ad", ad);
  adl_harness_free(h);
}

START_TEST(who_is_eligible) {
  assert_pairs(
      "", "u1|u1|u1|u1|u1|u1|u2|u2|u2|u2|u2|u2|u3|u3|u3|u3|u3|u3|u4|u4|u4|u4|u4|u4|u5|u5|u5|u5|u5|u5",
      "all|de|adult|at30|de18|may|all|de|adult|at30|de18|may|all|de|adult|at30|de18|may|all|de|adult|at30|de18|"
      "may|all|de|adult|at30|de18|may");
  assert_pairs(", match: {country: land}", "u1|u1|u1|u1|u1|u2|u2|u2|u2|u3|u3|u3|u3|u3|u4|u4|u4|u5|u5|u5",
               "all|de|adult|de18|may|all|adult|at30|may|all|de|adult|de18|may|all|adult|may|all|adult|may");
  assert_pairs(", match: {country: land}, at_least: {age: min_age}, at_most: {age: max_age}",
               "u1|u1|u1|u2|u2|u2|u2|u3|u3|u3|u4|u4|u4|u5|u5|u5",
               "all|de|may|all|adult|at30|may|all|de|may|all|adult|may|all|adult|may");
  assert_pairs(", match: {country: land}, at_least: {age: min_age, at: start}, at_most: {age: max_age, at: end}",
               "u1|u1|u2|u2|u2|u2|u3|u3|u3|u4|u4|u4|u5|u5",
               "all|de|all|adult|at30|may|all|de|may|all|adult|may|all|adult");
  assert_pairs(", match: {user: ad}, missing: keep", "u1|u2|u3|u4|u5", "null|null|null|null|null");
}
END_TEST

START_TEST(columns_and_counts) {
  adl_harness *h =
      crossed(users_csv, ads_csv, "", ", match: {country: land}, columns: [ad, min_age], prefix: x_, eligible: n");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x_min_age", "null|null|18|18|null|null|18|30|null|null|null|18|18|null|null|18|null|null|18|null");
  ASSERT_VALUES(h, "n", "5|5|5|5|5|4|4|4|4|5|5|5|5|5|3|3|3|3|3|3");
  ASSERT_VALUES(h, "age", "17|17|17|17|17|30|30|30|30|null|null|null|null|null|65|65|65|40|40|40");
  adl_harness_free(h);
}
END_TEST

static const char only_de[] = "ad,land,min_age,max_age,start,end\na,de,,,,\nb,de,18,,,\n";
#define DE ", match: {country: land}, at_least: {age: min_age}"

START_TEST(rows_for_which_nothing_is_eligible) {
  adl_harness *h = crossed(users_csv, only_de, "", DE ", eligible: n");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "u1|u3");
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  char *path = g_build_filename(adl_harness_run_directory(h), "log.txt", NULL), *log = NULL;
  adl_harness_run(h, ADS "}\n", NULL); /* another run closes the log of the first */
  ck_assert(g_file_get_contents(path, &log, NULL, NULL));
  ck_assert_msg(strstr(log, "info: c: 3 of 5 rows were dropped") != NULL, "%s", log);
  g_free(log);
  g_free(path);
  adl_harness_free(h);
  h = crossed(users_csv, only_de, "", DE ", missing: keep, eligible: n");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "u1|u2|u3|u4|u5");
  ASSERT_VALUES(h, "ad", "a|null|a|null|null");
  ASSERT_VALUES(h, "n", "1|0|1|0|0");
  adl_harness_free(h);
  h = crossed(users_csv, only_de, "", DE ", missing: reject");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "u1|u3");
  char *rejects = adl_harness_rejects(h);
  ck_assert_str_eq(rejects, "c 3 with ads has no eligible row\nc 5 with ads has no eligible row\n"
                            "c 6 with ads has no eligible row\n");
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(empty_ends) {
  adl_harness *h = crossed(users_csv, "ad,land,min_age,max_age,start,end\n", "", DE);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
  h = crossed(users_csv, "ad,land,min_age,max_age,start,end\n", "", DE ", missing: keep");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "ad", "null|null|null|null|null");
  adl_harness_free(h);
  h = crossed("user,age,country,at\n", ads_csv, "", DE);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
  h = crossed("user,age,country,at\nu1,,,\n", "ad,land,min_age,max_age,start,end\na,,,,,\n", "", DE);
  ASSERT_OK(h); /* all null on both sides: open conditions only */
  ASSERT_VALUES(h, "ad", "a");
  adl_harness_free(h);
}
END_TEST

/* nan reaches a bound of neither side; an infinite bound is no bound, save that it is not null. */
START_TEST(bounds_that_are_no_numbers) {
  adl_harness *h = adl_harness_new("u,x\na,nan\nb,inf\nc,-inf\nd,1\n", "{u: string, x: float}");
  adl_harness_file(h, "side.csv", "s,low\nnone,\nnan,nan\none,1\nleast,-inf\nmost,inf\n", -1);
  adl_harness_run(h,
                  "  side: {use: read-csv, path: side.csv, columns: {s: string, low: float}}\n"
                  "  c: {use: cross, from: rows, with: side, at_least: {x: low}}\n",
                  "c");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "u", "a|a|b|b|b|b|c|c|d|d|d");
  ASSERT_VALUES(h, "s", "none|least|none|one|least|most|none|least|none|one|least");
  adl_harness_free(h);
}
END_TEST

START_TEST(held_out_candidates_stay_hidden) {
  const char *held = ", holdout: {where: \"ad in ('all', 'de18')\"}";
  adl_harness *h = crossed(users_csv, ads_csv, held, ", match: {country: land}, eligible: n");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "ad", "de|adult|may|adult|at30|may|de|adult|may|adult|may|adult|may");
  ASSERT_VALUES(h, "n", "3|3|3|3|3|3|3|3|3|2|2|2|2"); /* not even their number is told */
  adl_harness_free(h);
  h = adl_harness_new(users_csv, users);
  adl_harness_source(h, "holdout: {where: \"user = 'u2'\"}");
  adl_harness_file(h, "ads.csv", ads_csv, -1);
  char *stages = g_strdup_printf(ADS "%s}\n  c: {use: cross, from: rows, with: ads, match: {country: land}}\n", held);
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "ad", "de|adult|may|all|adult|at30|may|de|adult|may|adult|may|adult|may");
  for (int64_t row = 0; row < adl_harness_rows(h); row++)
    ck_assert_int_eq(adl_harness_split(h, row), row >= 3 && row <= 6 ? ADL_TEST : ADL_TRAIN);
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

/* ---- many rows ---- */

enum { USERS = 9000, ADS_COUNT = 150 };

static int draw(int stream, int i, int n) { return (int)(adl_random((uint64_t)stream, (uint64_t)i) % (uint64_t)n); }

/* Values of column `stream` of row i: 0 .. n - 1, null for 0. */
static void add_value(GString *csv, int stream, int i, int n) {
  int value = draw(stream, i, n);
  if (value == 0)
    g_string_append_c(csv, ',');
  else
    g_string_append_printf(csv, ",%d", value);
}

static bool matches(int main, int side) { return side == 0 || main == side; }

static bool expected(int user, int ad) {
  int low = draw(12, ad, 40), high = draw(13, ad, 90), age = draw(3, user, 80);
  return matches(draw(1, user, 4), draw(10, ad, 4)) && matches(draw(2, user, 3), draw(11, ad, 3)) &&
         (low == 0 || (age != 0 && age >= low)) && (high == 0 || (age != 0 && age <= high));
}

static adl_harness *many(void) {
  GString *main = g_string_new("u,a,b,age\n"), *side = g_string_new("s,p,q,low,high\n");
  for (int i = 0; i < USERS; i++) {
    g_string_append_printf(main, "%d", i);
    for (int k = 1; k <= 3; k++) add_value(main, k, i, k == 1 ? 4 : k == 2 ? 3 : 80);
    g_string_append_c(main, '\n');
  }
  for (int i = 0; i < ADS_COUNT; i++) {
    g_string_append_printf(side, "%d", i);
    for (int k = 10; k <= 13; k++) add_value(side, k, i, k == 10 ? 4 : k == 11 ? 3 : k == 12 ? 40 : 90);
    g_string_append_c(side, '\n');
  }
  adl_harness *h = adl_harness_new(main->str, "{u: int, a: int, b: id, age: int}");
  adl_harness_file(h, "side.csv", side->str, -1);
  g_string_free(main, TRUE);
  g_string_free(side, TRUE);
  return h;
}

#define SIDE "  side: {use: read-csv, path: side.csv, columns: {s: int, p: int, q: id, low: float, high: int}}\n"
#define CROSS                                                                                                          \
  SIDE "  c: {use: cross, from: rows, with: side, match: {a: p, b: q}, at_least: {age: low}, at_most: {age: high}, "   \
       "columns: s, eligible: n"

START_TEST(the_same_as_a_double_loop) {
  adl_harness *h = many();
  adl_harness_run(h, CROSS "}\n", "c");
  ASSERT_OK(h);
  const int64_t *u = adl_harness_column(h, "u")->data, *s = adl_harness_column(h, "s")->data;
  const int64_t *n = adl_harness_column(h, "n")->data;
  int64_t row = 0;
  for (int user = 0; user < USERS; user++) {
    int64_t first = row;
    for (int ad = 0; ad < ADS_COUNT; ad++) {
      if (!expected(user, ad)) continue;
      ck_assert(row < adl_harness_rows(h) && u[row] == user && s[row] == ad);
      row++;
    }
    for (int64_t i = first; i < row; i++) ck_assert_int_eq(n[i], row - first);
  }
  ck_assert_int_eq(adl_harness_rows(h), row);
  ck_assert_int_gt(row, 10 * USERS);
  adl_harness_free(h);
}
END_TEST

/* Every candidate is drawn with probability limit / n, whichever place it has; and pairs of them as often as they
 * should. */
START_TEST(limits_are_uniform) {
  enum { ROWS = 20000, CANDIDATES = 7, LIMIT = 3 };
  GString *csv = g_string_new("u\n");
  for (int i = 0; i < ROWS; i++) g_string_append_printf(csv, "%d\n", i);
  adl_harness *h = adl_harness_new(csv->str, "{u: int}");
  adl_harness_file(h, "side.csv", "s\n0\n1\n2\n3\n4\n5\n6\n", -1);
  adl_harness_run(h,
                  "  side: {use: read-csv, path: side.csv, columns: {s: int}}\n"
                  "  c: {use: cross, from: rows, with: side, limit: 3, eligible: n}\n",
                  "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), ROWS * LIMIT);
  const int64_t *u = adl_harness_column(h, "u")->data, *s = adl_harness_column(h, "s")->data;
  double together[CANDIDATES][CANDIDATES] = {{0}};
  for (int64_t row = 0; row < ROWS * LIMIT; row++) {
    ck_assert_int_eq(u[row], row / LIMIT);
    ck_assert(row % LIMIT == 0 || s[row] > s[row - 1]); /* the side's order, none twice */
    for (int64_t other = row / LIMIT * LIMIT; other <= row; other++) together[s[other]][s[row]]++;
  }
  for (int a = 0; a < CANDIDATES; a++)
    for (int b = a; b < CANDIDATES; b++) {
      double p = a == b ? 3.0 / 7 : 3.0 * 2 / (7 * 6), error = 4 * sqrt(ROWS * p * (1 - p));
      ck_assert_msg(fabs(together[a][b] - ROWS * p) <= error, "%d and %d: %g, expected %g +- %g", a, b, together[a][b],
                    ROWS * p, error);
    }
  ck_assert(adl_harness_number(h, "n", 0) == CANDIDATES);
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

/* The same bytes on any number of threads and with next to no memory; other candidates with another seed. Behind it, a
 * choice in each group. */
START_TEST(candidates_and_choices_are_the_same_every_time) {
  static const char stages[] =
      CROSS ", limit: 5}\n"
            "  d: {use: choose, group: u, score: s, explore: softmax, lambda: 0.01, top: 2, ad: "
            "s, quota: 100}\n"
            "  o: {use: write-csv, path: out.csv}\n";
  char *digests[4];
  adl_harness *h = many();
  for (int i = 0; i < 4; i++) {
    adl_harness_threads(h, i == 0 ? 1 : 3);
    adl_harness_memory(h, i == 2 ? 1 : INT64_C(1) << 30);
    if (i == 3) adl_harness_top(h, "seed: 9\n");
    adl_harness_run(h, stages, "d");
    ASSERT_OK(h);
    ck_assert_int_gt(adl_harness_rows(h), 1000);
    digests[i] = adl_harness_digest(h);
  }
  ck_assert_str_eq(digests[0], digests[1]);
  ck_assert_str_eq(digests[0], digests[2]);
  ck_assert_str_ne(digests[0], digests[3]);
  for (int i = 0; i < 4; i++) g_free(digests[i]);
  adl_harness_free(h);
}
END_TEST

/* The first run fits a model before the candidates, and rows are kept and read again; the second one finds it in the
 * store. What is drawn by the number of a row must not tell the two apart, though whole batches are filtered away. */
START_TEST(the_same_when_the_model_before_is_loaded) {
  static const char stages[] =
      "  side: {use: read-csv, path: side.csv, columns: {s: int, p: int, q: id, low: float, high: int}}\n"
      "  f: {use: filter, from: rows, where: \"u < 100 or u > 7000\"}\n"
      "  k: {use: onehot, columns: [b], as: k}\n"
      "  c: {use: cross, with: side, match: {a: p}, columns: s, limit: 4}\n"
      "  d: {use: choose, group: u, score: s, explore: epsilon, epsilon: 0.9, ad: s, quota: 60}\n"
      "  e: {use: scale, columns: [propensity], as: z}\n"
      "  o: {use: write-csv, path: out.csv, columns: [u, s, propensity]}\n";
  adl_harness *h = many();
  adl_harness_store(h, true);
  char *digests[2];
  for (int i = 0; i < 2; i++) {
    adl_harness_run(h, stages, "d");
    ASSERT_OK(h);
    digests[i] = adl_harness_digest(h);
    int chosen[ADS_COUNT] = {0};
    ck_assert_int_gt(adl_harness_rows(h), 1500);
    for (int64_t row = 0; row < adl_harness_rows(h); row++)
      ck_assert_int_le(++chosen[(int)adl_harness_number(h, "s", row)], 60);
  }
  ck_assert_str_eq(digests[0], digests[1]);
  for (int i = 0; i < 2; i++) g_free(digests[i]);
  adl_harness_free(h);
}
END_TEST

/* Far more candidates than rows go on in parts: they come in order, each once, also through stages that want turns and whole
 * groups, that draw by the number of the row, and that make yet more rows of them; for any number of threads and any memory. */
START_TEST(candidates_go_on_in_parts) {
  enum { PEOPLE = 1500, OFFERS = 60, PLACES = 3 };
  GString *main = g_string_new("u\n"), *side = g_string_new("s\n");
  for (int i = 0; i < PEOPLE; i++) g_string_append_printf(main, "%d\n", i);
  for (int i = 0; i < OFFERS; i++) g_string_append_printf(side, "%d\n", i);
  adl_harness *h = adl_harness_new(main->str, "{u: int}");
  adl_harness_file(h, "side.csv", side->str, -1);
  adl_harness_file(h, "places.csv", "p\n0\n1\n2\n", -1);
  const char *stages =
      "  side: {use: read-csv, path: side.csv, columns: {s: int}}\n"
      "  places: {use: read-csv, path: places.csv, columns: {p: int}}\n"
      "  c: {use: cross, from: rows, with: side, eligible: n}\n"
      "  again: {use: cross, from: c, with: places}\n"
      "  some: {use: sample, from: again, fraction: 0.5}\n"
      "  out: {use: write-csv, path: out.csv}\n"
      "  best: {use: choose, from: again, group: u, score: s, top: 2, explore: epsilon, epsilon: 0.5}\n"
      "  best_out: {use: write-csv, path: best.csv}\n";
  char *first = NULL;
  for (int run = 0; run < 4; run++) {
    adl_harness_threads(h, (int[]){1, 2, 4, 2}[run]);
    adl_harness_memory(h, run == 3 ? 1 << 16 : INT64_C(1) << 30);
    adl_harness_run(h, stages, "again");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), PEOPLE * OFFERS * PLACES);
    for (int64_t row = 0; row < adl_harness_rows(h); row++) {
      ck_assert(adl_harness_number(h, "u", row) == (double)(row / (OFFERS * PLACES)));
      ck_assert(adl_harness_number(h, "s", row) == (double)(row / PLACES % OFFERS));
      ck_assert(adl_harness_number(h, "p", row) == (double)(row % PLACES));
      ck_assert(adl_harness_number(h, "n", row) == OFFERS);
    }
    adl_harness_same_bytes(h, &first);
  }
  g_free(first);
  g_string_free(main, TRUE);
  g_string_free(side, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  refused(", match: {country: lnd}", "did you mean `land`?");
  refused(", match: {contry: land}", "no column is called `contry`");
  refused(", match: {age: land}", "are of different types and can never be equal");
  refused(", at_least: {country: min_age}", "must both be numbers, or both timestamps");
  refused(", at_most: {age: end}", "must both be numbers, or both timestamps");
  refused(", at_most: {age: max_ag}", "did you mean `max_age`?");
  refused(", columns: [add]", "did you mean `ad`?");
  refused(", limit: -1", "c.limit: -1 is out of range");
  refused(", columns: ad, eligible: ad", "there is a column `ad` already");
  adl_harness *h = adl_harness_new("ad,x\n1,2\n", "{ad: int, x: int}");
  adl_harness_file(h, "ads.csv", ads_csv, -1);
  adl_harness_run(h, ADS "}\n  c: {use: cross, from: rows, with: ads}\n", NULL);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), "there is a column `ad` already") != NULL, "%s", adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *s = suite_create("cross");
  TCase *t = tcase_create("cross");
  tcase_add_test(t, who_is_eligible);
  tcase_add_test(t, columns_and_counts);
  tcase_add_test(t, rows_for_which_nothing_is_eligible);
  tcase_add_test(t, empty_ends);
  tcase_add_test(t, bounds_that_are_no_numbers);
  tcase_add_test(t, held_out_candidates_stay_hidden);
  tcase_add_test(t, the_same_as_a_double_loop);
  tcase_add_test(t, limits_are_uniform);
  tcase_add_test(t, candidates_and_choices_are_the_same_every_time);
  tcase_add_test(t, the_same_when_the_model_before_is_loaded);
  tcase_add_test(t, candidates_go_on_in_parts);
  tcase_add_test(t, refusals);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  return run_suite(s);
}
