/*
 * The engine with classes that use what no class of the tree uses yet (odd.c): tables made of rows, whole groups,
 * learners over groups, many sides, sources that say nothing about where rows stand, late rows.
 */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

static adl_harness *harness(const char *csv, const char *columns, const char *top) {
  const char *build = g_getenv("ADLOOM_BUILD");
  ck_assert_msg(build != NULL, "ADLOOM_BUILD is not set; run this by make check");
  char *lines = g_strdup_printf("%splugins: [%s/tests/engine/.libs/odd.so]\n", top, build);
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_top(h, lines);
  g_free(lines);
  return h;
}

/* x rises from 0; k goes up every `group` rows; every third row is held. */
static char *rows_of(int n, int group) {
  GString *csv = g_string_new("k,x,held\n");
  for (int i = 0; i < n; i++) g_string_append_printf(csv, "%d,%d,%d\n", i / group, i, i % 3 == 0);
  return g_string_free(csv, FALSE);
}

static const char columns[] = "{k: int, x: float, held: int}";

/* ---- tables made of rows ---- */

START_TEST(new_rows_inherit_the_split) {
  char *csv = rows_of(9000, 10);
  adl_harness *h = harness(csv, columns, "");
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  adl_harness_run(h, "  e: {use: test.explode, x: x}\n  m: {use: test.mean, x: value}\n", "m");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 18001);
  int64_t held = 0;
  for (int64_t i = 0; i < 18000; i++) {
    int x = abs((int)adl_harness_number(h, "value", i));
    ck_assert_int_eq(adl_harness_split(h, i) == ADL_TEST, x % 3 == 0);
    held += x % 3 == 0;
  }
  ck_assert_int_eq(held, 6000);
  /* What finish gives comes last, and is for training: 9000, and all others cancel out. */
  ck_assert(adl_harness_number(h, "value", 18000) == 9000);
  ck_assert_double_eq_tol(adl_harness_number(h, "as", 0), 9000.0 / 12001, 1e-9);
  adl_harness_free(h);
  free(csv);
}
END_TEST

START_TEST(rows_of_a_table_are_held_out_one_by_one) {
  char *csv = rows_of(5000, 10);
  adl_harness *h = harness(csv, columns, "");
  adl_harness_run(
      h, "  g: {use: group, by: k, columns: {n: count()}, holdout: {fraction: 0.3}}\n  m: {use: test.mean, x: n}\n",
      "m");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 500);
  int held = 0;
  for (int i = 0; i < 500; i++) held += adl_harness_split(h, i) == ADL_TEST;
  ck_assert_int_gt(held, 100);
  ck_assert_int_lt(held, 200);
  adl_harness_free(h);
  free(csv);
}
END_TEST

START_TEST(rejects_of_a_table_name_its_stage_and_row) {
  char *csv = rows_of(40, 10);
  adl_harness *h = harness(csv, columns, "max_rejects: 1\n");
  adl_harness_run(h, "  g: {use: group, by: k, columns: {n: sum(x)}}\n  r: {use: test.refuse, x: k, value: 2}\n", "r");
  ASSERT_OK(h);
  char *rejects = adl_harness_read(h, "rejects.jsonl");
  ck_assert_str_eq(rejects, "{\"stage\":\"r\",\"file\":\"g\",\"line\":3,\"column\":\"x\",\"reason\":\"unwanted\"}\n");
  ck_assert_int_eq(adl_harness_rows(h), 3);
  free(rejects);
  adl_harness_free(h);
  free(csv);
}
END_TEST

START_TEST(a_rejected_row_leaves_even_if_it_is_picked) {
  adl_harness *h = harness("x\n1\n2\n3\n4\n3\n", "{x: float}", "max_rejects: 1\n");
  adl_harness_run(h, "  r: {use: test.refuse, x: x}\n", "r");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 2);
  ck_assert_int_eq(adl_harness_rows(h), 3);
  ck_assert(adl_harness_number(h, "x", 0) == 4 && adl_harness_number(h, "x", 1) == 2 &&
            adl_harness_number(h, "x", 2) == 1);
  adl_harness_free(h);
}
END_TEST

/* ---- whole groups ---- */

START_TEST(groups_are_never_cut) {
  static const int sizes[] = {1, 7, 4096, 5000, 30000};
  for (int s = 0; s < 5; s++) {
    char *csv = rows_of(30000, sizes[s]);
    adl_harness *h = harness(csv, columns, "");
    adl_harness_threads(h, 3);
    adl_harness_run(h, "  t: {use: test.top, by: k, score: x}\n", "t");
    ASSERT_OK(h);
    int groups = (30000 + sizes[s] - 1) / sizes[s];
    ck_assert_int_eq(adl_harness_rows(h), groups);
    for (int g = 0; g < groups; g++) {
      int end = MIN((g + 1) * sizes[s], 30000);
      ck_assert(adl_harness_number(h, "x", g) == end - 1);
      ck_assert(adl_harness_number(h, "size", g) == end - g * sizes[s]);
    }
    adl_harness_free(h);
    free(csv);
  }
}
END_TEST

START_TEST(a_learner_over_groups_learns) {
  char *csv = rows_of(20000, 10);
  adl_harness *h = harness(csv, columns, "");
  adl_harness_run(h, "  b: {use: test.bandit, by: k, score: x, learn: online}\n", "b");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2000);
  adl_tensor learned;
  ck_assert(adl_tensors_find(adl_harness_model(h, "b"), "learned", &learned));
  ck_assert(((double *)learned.data)[0] == 20000);
  ck_assert(adl_harness_number(h, "size", 0) == 0);
  ck_assert(adl_harness_number(h, "size", 1999) > 0);
  for (int i = 0; i < 2000; i++) ck_assert(adl_harness_number(h, "k", i) == i);
  adl_harness_free(h);
  free(csv);
}
END_TEST

static void check_sizes(const adl_harness *h, int group, int from, int to) {
  double keys = 0, first = 0, last = 0;
  for (int i = from; i < to; i += group, keys++) first += i, last += MIN(i + group, to) - 1;
  ck_assert(adl_harness_report(h, "m", "", "keys") == keys);
  ck_assert_msg(adl_harness_report(h, "m", "", "parts") == keys, "groups of %d are cut: %g parts", group,
                adl_harness_report(h, "m", "", "parts"));
  ck_assert(adl_harness_report(h, "m", "", "rows") == to - from);
  ck_assert(adl_harness_report(h, "m", "", "first") == first);
  ck_assert(adl_harness_report(h, "m", "", "last") == last);
}

/* test.sizes folds rows that pass by, test.sized those that are kept (spooled, where memory is short). */
START_TEST(folds_see_whole_groups) {
  static const int sizes[] = {1, 7, 4096, 5000, 30000};
  static const char *const stages[] = {"  m: {use: test.sizes, by: k, score: x}\n",
                                       "  m: {use: test.sized, by: k, score: x}\n",
                                       "  t: {use: test.slow, milliseconds: 1}\n"
                                       "  m: {use: test.sizes, by: k, score: x}\n"};
  for (int s = 0; s < 5; s++) {
    char *csv = rows_of(30000, sizes[s]);
    for (int k = 0; k < 3; k++) {
      char *first = NULL;
      adl_harness *h = harness(csv, columns, "");
      for (int threads = 1; threads <= 4; threads++) {
        adl_harness_threads(h, threads);
        adl_harness_memory(h, threads == 2 ? 1 << 16 : INT64_C(1) << 30);
        adl_harness_run(h, stages[k], k == 1 ? "m" : NULL);
        ASSERT_OK(h);
        check_sizes(h, sizes[s], 0, 30000);
        for (int64_t i = 0; k == 1 && i < adl_harness_rows(h); i += 11) {
          ck_assert(adl_harness_number(h, "x", i) == (double)i);
          ck_assert(adl_harness_number(h, "size", i) == MIN(sizes[s], 30000 - i / sizes[s] * sizes[s]));
        }
        if (k == 1) ck_assert_int_eq(adl_harness_rows(h), 30000);
        adl_harness_same_bytes(h, &first);
      }
      g_free(first);
      adl_harness_free(h);
    }
    free(csv);
  }
}
END_TEST

/* What comes late (the one row that test.explode gives at its end) is in the last group or a group of its own; a stage
 * before that picks leaves batches of all sizes. */
START_TEST(folds_see_late_groups) {
  char *csv = rows_of(9000, 10);
  adl_harness *h = harness(csv, columns, "");
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_run(h,
                    "  e: {use: test.explode, x: x}\n"
                    "  d: {use: derive, columns: {k: \"abs(value)\"}}\n"
                    "  m: {use: test.sizes, by: k, score: value}\n"
                    "  t: {use: test.top, from: rows, by: k, score: x}\n"
                    "  n: {use: test.sizes, by: held, score: size, size: again}\n",
                    NULL);
    ASSERT_OK(h);
    ck_assert(adl_harness_report(h, "m", "", "keys") == 9001);
    ck_assert(adl_harness_report(h, "m", "", "parts") == 9001);
    ck_assert(adl_harness_report(h, "m", "", "rows") == 18001);
    ck_assert(adl_harness_report(h, "m", "", "first") == 9000.0 * 8999 / 2 + 9000);
    ck_assert(adl_harness_report(h, "m", "", "last") == -9000.0 * 8999 / 2 + 9000);
    ck_assert(adl_harness_report(h, "n", "", "rows") == 900);
  }
  adl_harness_free(h);
  free(csv);
}
END_TEST

START_TEST(folds_see_groups_of_training_rows) {
  char *csv = rows_of(20000, 10);
  adl_harness *h = harness(csv, columns, "");
  adl_harness_source(h, "holdout: {where: \"x >= 5005\"}"); /* cuts a group */
  adl_harness_run(h, "  m: {use: test.sized, by: k, score: x}\n", "m");
  ASSERT_OK(h);
  check_sizes(h, 10, 0, 5005);
  ck_assert_int_eq(adl_harness_rows(h), 20000);
  ck_assert(adl_harness_number(h, "size", 5009) == 5);
  adl_harness_run(h, "  m: {use: test.sizes, by: k, score: x}\n", NULL);
  ASSERT_OK(h);
  ck_assert(adl_harness_report(h, "m", "", "keys") == 2000);
  ck_assert(adl_harness_report(h, "m", "", "parts") == 2001); /* one group has rows of both kinds */
  ck_assert(adl_harness_report(h, "m", "", "rows") == 20000);
  adl_harness_free(h);
  free(csv);
  h = harness("k,x,held\n", columns, "");
  adl_harness_run(h, "  m: {use: test.sizes, by: k, score: x}\n", NULL);
  ASSERT_OK(h);
  ck_assert(adl_harness_report(h, "m", "", "keys") == 0);
  adl_harness_free(h);
}
END_TEST

START_TEST(held_out_groups_are_scored_and_not_learned) {
  char *csv = rows_of(20000, 10);
  adl_harness *h = harness(csv, columns, "");
  adl_harness_source(h, "holdout: {where: \"x >= 5000 and x < 15000\"}");
  adl_harness_run(h, "  b: {use: test.bandit, by: k, score: x, learn: online}\n", "b");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2000);
  for (int i = 0; i < 2000; i++) {
    ck_assert(adl_harness_number(h, "k", i) == i);
    ck_assert_int_eq(adl_harness_split(h, i), i >= 500 && i < 1500 ? ADL_TEST : ADL_TRAIN);
  }
  adl_tensor learned;
  ck_assert(adl_tensors_find(adl_harness_model(h, "b"), "learned", &learned));
  ck_assert(((double *)learned.data)[0] == 10000);
  adl_harness_free(h);
  free(csv);
}
END_TEST

/* ---- sides, sources, folds ---- */

START_TEST(five_sides_are_looked_up) {
  char *csv = rows_of(10000, 10);
  adl_harness *h = harness(csv, columns, "");
  adl_harness_run(h,
                  "  c1: {use: test.count, rows: 5000}\n"
                  "  c2: {use: derive, from: c1, columns: {y: x + 1}}\n"
                  "  c3: {use: select, from: rows, columns: [x]}\n"
                  "  s: {use: test.sides, from: rows, a: c1, b: c2, c: c3, d: rows, e: c1}\n",
                  "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 10000);
  for (int i = 0; i < 10000; i++) {
    ck_assert(adl_harness_number(h, "a", i) == i % 5000);
    ck_assert(adl_harness_number(h, "b", i) == i % 5000);
    ck_assert(adl_harness_number(h, "c", i) == i);
    ck_assert(adl_harness_number(h, "d", i) == i);
    ck_assert(adl_harness_number(h, "e", i) == i % 5000);
  }
  adl_harness_free(h);
  free(csv);
}
END_TEST

START_TEST(a_source_need_not_say_where_rows_stand) {
  adl_harness *h = harness("x\n1\n", "{x: float}", "max_rejects: 1\n");
  adl_harness_threads(h, 3);
  adl_harness_run(h, "  c: {use: test.count, rows: 20000}\n  r: {use: test.refuse, x: x, value: 7}\n", "r");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 39998);
  char *rejects = adl_harness_rejects(h);
  ck_assert_str_eq(rejects, "r 0 x unwanted\nr 0 x unwanted\n"); /* one in each part */
  free(rejects);
  adl_harness_limit(h, 12345);
  adl_harness_run(h, "  c: {use: test.count, rows: 20000}\n  s: {use: scale, columns: [x]}\n", "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 12345);
  adl_harness_free(h);
}
END_TEST

START_TEST(partials_without_rows_are_not_merged) {
  /* 20 batches of which all but two are held out: lanes that saw held-out rows only have nothing to merge. */
  GString *csv = g_string_new("x\n");
  for (int i = 0; i < 80000; i++) g_string_append_printf(csv, "%d\n", i);
  for (int threads = 1; threads <= 3; threads += 2) {
    adl_harness *h = harness(csv->str, "{x: float}", "");
    adl_harness_threads(h, threads);
    adl_harness_source(h, "holdout: {where: \"x >= 6000\"}");
    adl_harness_run(h, "  m: {use: test.mean, x: x}\n", "m");
    ASSERT_OK(h);
    ck_assert_double_eq_tol(adl_harness_number(h, "as", 79999), 2999.5, 1e-9);
    adl_harness_source(h, "holdout: {where: \"x >= 0\"}");
    adl_harness_run(h, "  m: {use: test.mean, x: x}\n", "m");
    ASSERT_OK(h);
    ck_assert(adl_harness_number(h, "as", 0) == 0);
    adl_harness_free(h);
  }
  g_string_free(csv, TRUE);
}
END_TEST

/* Passes after the second find the rows where they stood, and are not picked out of their frames again, where there is room;
 * where there is none they see the same rows all the same. */
START_TEST(many_passes_see_the_same_rows) {
  char *csv = rows_of(30000, 10);
  for (int run = 0; run < 4; run++) {
    adl_harness *h = harness(csv, columns, "max_rejects: 1\n");
    bool room = run < 2;
    adl_harness_source(h, "holdout: {where: \"held = 1\"}");
    adl_harness_threads(h, 1 + run % 2);
    adl_harness_memory(h, room ? INT64_C(1) << 30 : 1 << 16);
    adl_harness_run(h, "  p: {use: test.passes, x: x, y: k, value: 20000}\n", "p");
    ASSERT_OK(h);
    adl_tensor passes;
    ck_assert(adl_tensors_find(adl_harness_model(h, "p"), "passes", &passes));
    double sum = 0;
    for (int i = 0; i < 30000; i++) sum += i % 3 == 0 ? 0 : i + i / 10;
    for (int pass = 0; pass < 4; pass++) {
      const double *cells = (const double *)passes.data + pass * passes.size[1];
      ck_assert(cells[0] == 20000 && cells[1] == sum);
      if (pass == 3) ck_assert_msg(room ? cells[2] >= 4 : cells[2] < 4, "%g batches were held", cells[2]);
    }
    ck_assert_int_eq(adl_harness_rows(h), 29999); /* what the last pass refused has gone */
    for (int64_t i = 19990; i < 20010; i++) ck_assert(adl_harness_number(h, "x", i) == (double)(i + (i >= 20000)));
    adl_harness_free(h);
  }
  free(csv);
}
END_TEST

START_TEST(odd_classes_do_not_depend_on_threads) {
  static const int threads[] = {1, 2, 3, 8};
  char *csv = rows_of(30000, 13), *first = NULL;
  for (int run = 0; run < 8; run++) {
    adl_harness *h = harness(csv, columns, "max_rejects: 1\n");
    adl_harness_source(h, "holdout: {fraction: 0.3, by: k}");
    adl_harness_threads(h, threads[run % 4]);
    adl_harness_memory(h, run < 4 ? 1 : INT64_C(1) << 30);
    adl_harness_run(h,
                    "  t: {use: test.top, by: k, score: x}\n"
                    "  b: {use: test.bandit, from: rows, by: k, score: x, learn: online}\n"
                    "  e: {use: test.explode, from: t, x: x}\n"
                    "  r: {use: test.refuse, x: value, value: 12}\n"
                    "  m: {use: test.mean, x: value}\n"
                    "  o1: {use: write-csv, from: m, path: m.csv}\n"
                    "  o2: {use: write-csv, from: b, path: b.csv}\n",
                    NULL);
    ASSERT_OK(h);
    char *digest = adl_harness_digest(h);
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(first, digest) == 0, "%d threads", threads[run % 4]);
    free(digest);
    adl_harness_free(h);
  }
  g_free(first);
  free(csv);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("engine: odd classes");
  TCase *t = tcase_create("odd");
  tcase_set_timeout(t, 240);
  tcase_add_test(t, new_rows_inherit_the_split);
  tcase_add_test(t, rows_of_a_table_are_held_out_one_by_one);
  tcase_add_test(t, rejects_of_a_table_name_its_stage_and_row);
  tcase_add_test(t, a_rejected_row_leaves_even_if_it_is_picked);
  tcase_add_test(t, groups_are_never_cut);
  tcase_add_test(t, a_learner_over_groups_learns);
  tcase_add_test(t, folds_see_whole_groups);
  tcase_add_test(t, folds_see_late_groups);
  tcase_add_test(t, folds_see_groups_of_training_rows);
  tcase_add_test(t, held_out_groups_are_scored_and_not_learned);
  tcase_add_test(t, five_sides_are_looked_up);
  tcase_add_test(t, a_source_need_not_say_where_rows_stand);
  tcase_add_test(t, partials_without_rows_are_not_merged);
  tcase_add_test(t, many_passes_see_the_same_rows);
  tcase_add_test(t, odd_classes_do_not_depend_on_threads);
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
