/*
 * What goes on side by side: fits that do not need each other, sources whose rows do not, and a fit while its rows are kept.
 * beside.c has classes that give up when they are alone.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))
#define ASSERT_SAYS(h, text) ck_assert_msg(strstr(adl_harness_errors(h), text) != NULL, "%s", adl_harness_errors(h))

enum { ROWS = 20000, LOOP = 64 * 63 / 2 };

static adl_harness *harness(int32_t threads) {
  const char *build = g_getenv("ADLOOM_BUILD");
  ck_assert_msg(build != NULL, "ADLOOM_BUILD is not set; run this by make check");
  char *lines = g_strdup_printf("plugins: [%s/tests/engine/.libs/beside.so]\n", build);
  GString *csv = g_string_new("x\n");
  for (int i = 0; i < ROWS; i++) g_string_append_printf(csv, "%d\n", i);
  adl_harness *h = adl_harness_new(csv->str, "{x: float}");
  adl_harness_top(h, lines);
  adl_harness_threads(h, threads);
  g_string_free(csv, TRUE);
  g_free(lines);
  return h;
}

static void assert_value(const adl_harness *h, const char *column, double value) {
  ck_assert_int_eq(adl_harness_rows(h), ROWS);
  ck_assert(adl_harness_number(h, column, 0) == value);
  ck_assert(adl_harness_number(h, column, ROWS - 1) == value);
}

START_TEST(fits_of_branches_meet) {
  adl_harness *h = harness(2);
  adl_harness_run(h,
                  "  a: {use: test.meet, value: a}\n"
                  "  b: {use: test.meet, value: b, from: rows}\n"
                  "  o: {use: write-csv, from: a, path: out.csv}\n",
                  "b");
  ASSERT_OK(h);
  assert_value(h, "b", ROWS + LOOP);
  char *out = adl_harness_read(h, "out.csv");
  ck_assert_msg(g_str_has_suffix(out, "\n19999,22016\n"), "%s", out + strlen(out) - 40);
  g_free(out);
  adl_harness_free(h);
}
END_TEST

/* More fits than threads: some come later, and threads without a fit help those that have one. */
START_TEST(more_fits_than_threads) {
  adl_harness *h = harness(3);
  GString *stages = g_string_new("  few: {use: filter, where: x < 500}\n");
  for (int i = 0; i < 5; i++)
    g_string_append_printf(stages, "  f%d: {use: test.meet, fits: 3, with: few, value: v%d%s}\n", i, i,
                           i == 0 ? ", from: rows" : "");
  adl_harness_run(h, stages->str, "f4");
  ASSERT_OK(h);
  assert_value(h, "v0", 500 + LOOP);
  assert_value(h, "v4", 500 + LOOP);
  g_string_free(stages, TRUE);
  adl_harness_free(h);
}
END_TEST

/* The columns of the first have their widths before it is fitted: the one behind it need not wait. */
START_TEST(fits_of_a_chain_over_sides_meet) {
  adl_harness *h = harness(2);
  adl_harness_run(
      h,
      "  few: {use: filter, where: x < 500}\n"
      "  a: {use: test.meet, from: rows, with: few, value: a}\n  b: {use: test.meet, with: few, value: b}\n",
      "b");
  ASSERT_OK(h);
  assert_value(h, "a", 500 + LOOP);
  assert_value(h, "b", 500 + LOOP);
  adl_harness_free(h);
}
END_TEST

/* What was fitted beside it has not been in vain. */
START_TEST(a_fit_that_fails_ends_the_run) {
  adl_harness *h = harness(2);
  adl_harness_store(h, true);
  adl_harness_run(h,
                  "  a: {use: test.meet, value: a}\n"
                  "  b: {use: test.meet, value: b, fails: true, from: rows}\n"
                  "  o: {use: write-csv, from: a, path: out.csv}\n",
                  NULL);
  ck_assert(!adl_harness_ok(h));
  ASSERT_SAYS(h, "b: it was told to");
  adl_harness_run(h, "  a: {use: test.meet, value: a}\n  o: {use: write-csv, path: out.csv}\n", NULL);
  ASSERT_OK(h);
  char *manifest = adl_harness_read(h, "manifest.json");
  ck_assert_msg(strstr(manifest, "\"fitted_in_this_run\" : false") != NULL, "%s", manifest);
  g_free(manifest);
  adl_harness_free(h);
}
END_TEST

START_TEST(one_thread_fits_one_after_the_other) {
  adl_harness *h = harness(1);
  adl_harness_run(h,
                  "  a: {use: test.meet, fits: 0, value: a}\n"
                  "  b: {use: test.meet, fits: 0, value: b, from: rows}\n",
                  "b");
  ASSERT_OK(h);
  assert_value(h, "b", ROWS + LOOP);
  adl_harness_free(h);
}
END_TEST

START_TEST(sources_are_read_beside_each_other) {
  adl_harness *h = harness(2);
  adl_harness_run(h,
                  "  a: {use: test.gate}\n  b: {use: test.gate}\n"
                  "  both: {use: select, from: [a, b], columns: [x]}\n",
                  "both");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  adl_harness_free(h);
}
END_TEST

/* A fit of several passes has made its first when the last row has been kept. */
START_TEST(rows_are_folded_while_they_are_kept) {
  adl_harness *h = harness(2);
  adl_harness_run(h, "  s: {use: test.ask}\n  a: {use: test.meet, fits: 0, value: a}\n", "a");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 8192);
  ck_assert(adl_harness_number(h, "a", 8191) == 8192 + LOOP);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *s = suite_create("beside");
  TCase *t = tcase_create("beside");
  tcase_add_test(t, fits_of_branches_meet);
  tcase_add_test(t, more_fits_than_threads);
  tcase_add_test(t, fits_of_a_chain_over_sides_meet);
  tcase_add_test(t, a_fit_that_fails_ends_the_run);
  tcase_add_test(t, one_thread_fits_one_after_the_other);
  tcase_add_test(t, sources_are_read_beside_each_other);
  tcase_add_test(t, rows_are_folded_while_they_are_kept);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
