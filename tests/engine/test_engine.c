/* The engine: splits, folds, online learning, rejects, kept rows, models; one promise per test. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

/* n rows: x rising, y = x mod 7, z a label that y foretells, user one of 50; every 97th x is missing. */
static char *numbers(int n) {
  GString *csv = g_string_new("user,x,y,z\n");
  for (int i = 0; i < n; i++) {
    if (i % 97 == 96)
      g_string_append_printf(csv, "u%d,,%d,%d\n", i % 50, i % 7, i % 7 > 3);
    else
      g_string_append_printf(csv, "u%d,%d,%d,%d\n", i % 50, i, i % 7, i % 7 > 3);
  }
  return g_string_free(csv, FALSE);
}

static const char columns[] = "{user: id, x: float, y: float, z: int}";

static adl_harness *with_numbers(int n) {
  char *csv = numbers(n);
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_top(h, "max_rejects: 1\n");
  free(csv);
  return h;
}

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

START_TEST(rows_keep_their_order) {
  adl_harness *h = with_numbers(30000);
  adl_harness_threads(h, 3);
  adl_harness_run(h, "  s: {use: scale, columns: [y]}\n", "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 30000);
  for (int i = 0; i < 30000; i++)
    ck_assert(i % 97 == 96 ? adl_harness_null(h, "x", i) : adl_harness_number(h, "x", i) == i);
  adl_harness_free(h);
}
END_TEST

START_TEST(forbidden_nulls_are_rejected_once) {
  adl_harness *h = with_numbers(9700);
  adl_harness_run(h, "  c: {use: kmeans, features: [x, y], clusters: 3, max_iter: 5}\n", "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 100);
  ck_assert_int_eq(adl_harness_rows(h), 9600);
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(g_str_has_prefix(rejects, "c 98 x is null\n"), "%s", rejects);
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(too_many_rejects_stop_the_run) {
  adl_harness *h = with_numbers(9700);
  adl_harness_top(h, "max_rejects: 0.001\n");
  adl_harness_run(h, "  c: {use: kmeans, features: [x, y], clusters: 3}\n", NULL);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), "were rejected; 0.10 % are allowed") != NULL, "%s",
                adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

/* Both branches refuse the same rows: each is in rejects.jsonl for both, and is one row where rows are counted. */
START_TEST(a_row_is_counted_once_over_branches) {
  static const char stages[] = "  a: {use: scale, columns: [x], as: one}\n"
                               "  b: {use: scale, from: rows, columns: [x], as: two}\n"
                               "  c: {use: scale, from: rows, columns: [x], as: three}\n";
  for (int threads = 1; threads <= 3; threads += 2) {
    adl_harness *h = with_numbers(9700);
    adl_harness_threads(h, threads);
    if (threads > 1) adl_harness_memory(h, 1 << 16);
    adl_harness_top(h, "max_rejects: 0.0104\n"); /* 100 of 9700 are 1.03 % */
    adl_harness_run(h, stages, NULL);
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rejected(h), 100);
    char *rejects = adl_harness_rejects(h);
    ck_assert_msg(g_str_has_prefix(rejects, "a 98 x null"), "%.200s", rejects);
    ck_assert_ptr_nonnull(strstr(rejects, "\nb 98 x null"));
    ck_assert_ptr_nonnull(strstr(rejects, "\nc 98 x null"));
    free(rejects);
    adl_harness_top(h, "max_rejects: 0.0103\n");
    adl_harness_run(h, stages, NULL);
    ck_assert(!adl_harness_ok(h));
    ck_assert_msg(strstr(adl_harness_errors(h), "100 of 9700 rows (1.03 %) were rejected") != NULL, "%s",
                  adl_harness_errors(h));
    adl_harness_free(h);
  }
}
END_TEST

/* All that a join made of a row is that row. Rows of a table that a stage makes are rows of their own: they count beside those
 * that were read, but take nothing from their share. */
START_TEST(rows_that_stages_multiply_or_make) {
  static const char twice[] = "  both: {use: join, with: rows, on: y, many: all, columns: [z], prefix: other_}\n"
                              "  s: {use: scale, columns: [x]}\n";
  adl_harness *h = adl_harness_new("x,y,z\n1,1,0\n,1,0\n3,1,0\n4,2,0\n", "{x: float, y: int, z: int}");
  adl_harness_top(h, "max_rejects: 0.25\n");
  adl_harness_run(h, twice, NULL);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 1);
  adl_harness_free(h);
  /* One of four rows read, and both of the table's. */
  static const char made[] = "  s: {use: scale, columns: [x], as: w}\n"
                             "  keys: {use: group, from: rows, by: y, columns: {m: max(z)}}\n"
                             "  t: {use: scale, columns: [m]}\n";
  h = adl_harness_new("x,y,z\n1,1,\n,1,\n3,1,\n4,2,0\n", "{x: float, y: int, z: int}");
  adl_harness_top(h, "max_rejects: 0.33\n");
  adl_harness_run(h, made, NULL);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), "2 of 6 rows (33.33 %) were rejected") != NULL, "%s",
                adl_harness_errors(h));
  adl_harness_top(h, "max_rejects: 0.34\n");
  adl_harness_run(h, made, NULL);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 2);
  adl_harness_free(h);
}
END_TEST

START_TEST(held_out_rows_are_never_learned_from) {
  /* The held-out rows' labels are all wrong: a model that saw them would not be the same. */
  GString *good = g_string_new("y,z,held\n"), *bad = g_string_new("y,z,held\n");
  for (int i = 0; i < 5000; i++) {
    g_string_append_printf(good, "%d,%d,%d\n", i % 7, i % 7 > 3, i % 5 == 0);
    g_string_append_printf(bad, "%d,%d,%d\n", i % 7, i % 5 == 0 ? !(i % 7 > 3) : i % 7 > 3, i % 5 == 0);
  }
  const char *modes[] = {"fit", "online"};
  for (int mode = 0; mode < 2; mode++) {
    char *models[2];
    char *stages = g_strdup_printf("  l: {use: ftrl, features: [y], label: z, learn: %s}\n", modes[mode]);
    for (int i = 0; i < 2; i++) {
      adl_harness *h = adl_harness_new(i == 0 ? good->str : bad->str, "{y: float, z: int, held: int}");
      adl_harness_source(h, "holdout: {where: \"held = 1\"}");
      adl_harness_run(h, stages, "l");
      ASSERT_OK(h);
      ck_assert_int_eq(adl_harness_rows(h), 5000);
      ck_assert_int_eq(adl_harness_split(h, 0), ADL_TEST);
      ck_assert_int_eq(adl_harness_split(h, 1), ADL_TRAIN);
      models[i] = adl_harness_digest(h);
      adl_harness_free(h);
    }
    ck_assert_str_eq(models[0], models[1]);
    free(models[0]);
    free(models[1]);
    g_free(stages);
  }
  g_string_free(good, TRUE);
  g_string_free(bad, TRUE);
}
END_TEST

START_TEST(online_rows_keep_their_order) {
  adl_harness *h = with_numbers(20000);
  adl_harness_source(h, "holdout: {fraction: 0.3, by: y}");
  adl_harness_threads(h, 3);
  adl_harness_run(h, "  l: {use: ftrl, features: [y], label: z, learn: online}\n", "l");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 20000);
  for (int i = 0; i < 20000; i++)
    ck_assert(i % 97 == 96 ? adl_harness_null(h, "x", i) : adl_harness_number(h, "x", i) == i);
  adl_harness_free(h);
}
END_TEST

START_TEST(results_do_not_depend_on_threads_or_memory) {
  static const int threads[] = {1, 2, 3, 8};
  char *first = NULL;
  for (int memory = 0; memory < 2; memory++)
    for (int t = 0; t < 4; t++) {
      adl_harness *h = with_numbers(40000);
      adl_harness_threads(h, threads[t]);
      adl_harness_memory(h, memory == 0 ? INT64_C(1) << 30 : 1);
      adl_harness_run(h,
                      "  c: {use: kmeans, features: [y], clusters: 3, as: c}\n"
                      "  h: {use: hash, columns: [user, c], bits: 12, as: w}\n"
                      "  l: {use: ftrl, features: [w], label: z, learn: online, as: p}\n"
                      "  m: {use: metrics, label: z, score: p}\n"
                      "  o: {use: write-csv, from: l, path: out.csv, columns: [user, x, p]}\n",
                      NULL);
      ASSERT_OK(h);
      char *digest = adl_harness_digest(h);
      if (first == NULL) first = g_strdup(digest);
      ck_assert_msg(strcmp(first, digest) == 0, "%d threads, memory %d", threads[t], memory);
      free(digest);
      adl_harness_free(h);
    }
  g_free(first);
}
END_TEST

START_TEST(a_fitted_model_is_taken_from_the_store) {
  adl_harness *h = with_numbers(5000);
  adl_harness_store(h, true);
  const char *stages = "  s: {use: scale, columns: [y]}\n  c: {use: kmeans, features: [scaled], clusters: 3}\n";
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  char *first = adl_harness_digest(h);
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  char *second = adl_harness_digest(h), *manifest = adl_harness_read(h, "manifest.json");
  ck_assert_str_eq(first, second);
  ck_assert(strstr(manifest, "\"fitted_in_this_run\" : false") != NULL);
  ck_assert(strstr(manifest, "\"fitted_in_this_run\" : true") == NULL);
  free(first);
  free(second);
  free(manifest);
  adl_harness_free(h);
}
END_TEST

START_TEST(models_of_a_run_apply_to_new_rows) {
  adl_harness *h = with_numbers(5000);
  const char *stages = "  l: {use: ftrl, features: [y], label: z, as: p}\n  m: {use: metrics, label: z, score: p}\n";
  adl_harness_run(h, stages, "l");
  ASSERT_OK(h);
  double before = adl_harness_number(h, "p", 77);
  char *run = g_strdup(adl_harness_run_directory(h));
  adl_harness_models(h, run);
  adl_harness_run(h, stages, "l");
  ASSERT_OK(h);
  ck_assert(adl_harness_number(h, "p", 77) == before);
  ck_assert(!isnan(adl_harness_report(h, "m", "held-out", "auc")));
  g_free(run);
  adl_harness_free(h);
}
END_TEST

START_TEST(limit_takes_the_first_rows) {
  adl_harness *h = with_numbers(20000);
  adl_harness_limit(h, 5001);
  adl_harness_run(h, "  s: {use: scale, columns: [y]}\n", "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 5001);
  ck_assert(adl_harness_number(h, "x", 5000) == 5000);
  adl_harness_free(h);
}
END_TEST

START_TEST(newest_rows_are_held_out) {
  adl_harness *h = with_numbers(1000);
  adl_harness_source(h, "holdout: {newest: 0.25, by: x}");
  adl_harness_run(h, "  s: {use: scale, columns: [y]}\n", "s");
  ASSERT_OK(h);
  int held = 0;
  for (int i = 0; i < 1000; i++) held += adl_harness_split(h, i) == ADL_TEST;
  ck_assert_int_ge(held, 245);
  ck_assert_int_le(held, 250);
  ck_assert_int_eq(adl_harness_split(h, 0), ADL_TRAIN);
  ck_assert_int_eq(adl_harness_split(h, 999), ADL_TEST);
  adl_harness_free(h);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("engine");
  TCase *t = tcase_create("rows");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, rows_keep_their_order);
  tcase_add_test(t, forbidden_nulls_are_rejected_once);
  tcase_add_test(t, too_many_rejects_stop_the_run);
  tcase_add_test(t, a_row_is_counted_once_over_branches);
  tcase_add_test(t, rows_that_stages_multiply_or_make);
  tcase_add_test(t, held_out_rows_are_never_learned_from);
  tcase_add_test(t, online_rows_keep_their_order);
  tcase_add_test(t, results_do_not_depend_on_threads_or_memory);
  tcase_add_test(t, a_fitted_model_is_taken_from_the_store);
  tcase_add_test(t, models_of_a_run_apply_to_new_rows);
  tcase_add_test(t, limit_takes_the_first_rows);
  tcase_add_test(t, newest_rows_are_held_out);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
