/*
 * Candidates that go on in parts (core/engine/parts.c): several tickets that make more parts each than may be on their way at
 * once, for any number of threads, with all that may stand behind them, and ended in the middle of it.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

enum { PEOPLE = 4 * 4096 + 7, OFFERS = 40 }; /* a ticket has 4096 people: as many parts as there are offers */

/* `base` keeps the people until it is fitted, and gives them as five tickets. */
static const char stages[] =
    "  base: {use: scale, columns: [u], as: size}\n"
    "  side: {use: read-csv, path: side.csv, columns: {s: int}}\n"
    "  names: {use: read-csv, path: names.csv, columns: {s: int, name: string}}\n"
    "  few_more: {use: read-csv, path: few.csv, columns: {t: int}}\n"
    "  c: {use: cross, from: base, with: side}\n"
    "  joined: {use: join, from: c, with: names, on: s}\n"
    "  some: {use: sample, from: joined, fraction: 0.02}\n"
    "  out: {use: write-csv, from: some, path: out.csv, columns: [u, s, name]}\n"
    "  best: {use: choose, from: c, group: u, score: s, top: 2, explore: epsilon, epsilon: 0.5}\n"
    "  again: {use: cross, from: best, with: few_more}\n"
    "  few: {use: sample, fraction: 0.02}\n"
    "  best_out: {use: write-csv, path: best.csv, columns: [u, s]}\n"
    "  spread: {use: scale, from: joined, columns: [s], as: z}\n"
    "  passed: {use: sample, fraction: 0.02}\n"
    "  spread_out: {use: write-csv, path: spread.csv, columns: [u, z]}\n";

static adl_harness *harness(const char *top) {
  GString *main = g_string_new("u\n"), *side = g_string_new("s\n"), *names = g_string_new("s,name\n");
  for (int i = 0; i < PEOPLE; i++) g_string_append_printf(main, "%d\n", i);
  for (int i = 0; i < OFFERS; i++) g_string_append_printf(side, "%d\n", i);
  for (int i = 0; i < OFFERS; i += 2) g_string_append_printf(names, "%d,n%d\n", i, i);
  adl_harness *h = adl_harness_new(main->str, "{u: int}");
  adl_harness_file(h, "side.csv", side->str, -1);
  adl_harness_file(h, "few.csv", "t\n7\n8\n9\n", -1);
  adl_harness_file(h, "names.csv", names->str, -1);
  adl_harness_top(h, top);
  g_string_free(main, TRUE);
  g_string_free(side, TRUE);
  g_string_free(names, TRUE);
  return h;
}

START_TEST(the_same_for_any_number_of_threads) {
  adl_harness *h = harness("");
  char *first = NULL;
  for (int run = 0; run < 5; run++) {
    adl_harness_threads(h, (int[]){1, 2, 3, 8, 2}[run]);
    adl_harness_memory(h, run == 4 ? 1 << 16 : INT64_C(1) << 30);
    adl_harness_run(h, stages, run == 0 ? "joined" : NULL);
    ASSERT_OK(h);
    adl_harness_same_bytes(h, &first);
    if (run > 0) continue;
    ck_assert_int_eq(adl_harness_rows(h), PEOPLE * OFFERS);
    for (int64_t row = 0; row < PEOPLE * OFFERS; row++)
      if (adl_harness_number(h, "u", row) != (double)(row / OFFERS) ||
          adl_harness_number(h, "s", row) != (double)(row % OFFERS) ||
          adl_harness_null(h, "name", row) != (row % 2 == 1))
        ck_abort_msg("row %d", (int)row);
  }
  g_free(first);
  adl_harness_free(h);
}
END_TEST

/* Rows of the last part but a few of the second ticket, and of later ones, cannot be processed. */
START_TEST(failing_in_the_middle_of_parts) {
  char *top = g_strdup_printf("plugins: [%s/tests/badplugins/.libs/fail-process.so]\n", g_getenv("ADLOOM_BUILD"));
  adl_harness *h = harness(top);
  char *failing = g_strconcat(stages,
                              "  late: {use: filter, from: joined, where: \"u >= 8000\"}\n"
                              "  broken: {use: test.fail-process}\n"
                              "  broken_out: {use: write-csv, path: broken.csv}\n",
                              NULL);
  for (int threads = 1; threads <= 8; threads += threads < 3 ? 1 : 5) {
    adl_harness_threads(h, threads);
    adl_harness_run(h, failing, NULL);
    ck_assert(!adl_harness_ok(h));
    ck_assert_msg(strstr(adl_harness_errors(h), "these rows are never right") != NULL, "%s", adl_harness_errors(h));
  }
  g_free(failing);
  g_free(top);
  adl_harness_free(h);
}
END_TEST

static void *interrupt_later(void *data) {
  g_usleep((gulong) * (const int64_t *)data);
  adl_engine_interrupt();
  return NULL;
}

START_TEST(interrupted_in_the_middle_of_parts) {
  enum { MOMENTS = 9 };
  adl_harness *h = harness("");
  int interrupted = 0;
  int64_t begin = g_get_monotonic_time();
  adl_harness_threads(h, 3);
  adl_harness_run(h, stages, NULL);
  ASSERT_OK(h);
  int64_t whole = g_get_monotonic_time() - begin;
  for (int moment = 1; moment < MOMENTS; moment++) {
    pthread_t thread;
    int64_t wait = whole * moment / MOMENTS;
    adl_harness_threads(h, 1 + moment % 4);
    pthread_create(&thread, NULL, interrupt_later, &wait);
    interrupted += adl_harness_run(h, stages, NULL) == ADL_RUN_INTERRUPTED;
    pthread_join(thread, NULL);
  }
  ck_assert_int_ge(interrupted, 1);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *s = suite_create("parts");
  TCase *t = tcase_create("parts");
  tcase_add_test(t, the_same_for_any_number_of_threads);
  tcase_add_test(t, failing_in_the_middle_of_parts);
  tcase_add_test(t, interrupted_in_the_middle_of_parts);
  tcase_set_timeout(t, 600);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
