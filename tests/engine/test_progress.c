/* Progress lines: how much of a source has been read and how long the rest will take, counts inside a long call, JSON for
 * machines. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/progress.h"

/* What is shown after 1.1 seconds of reading (or of fitting), with `done` of 100 behind. */
static char *shown(int kind, bool source, double done) {
  _Atomic int64_t rows = 0;
  adl_run_options options = {.progress = kind, .progress_file = tmpfile()};
  ck_assert_ptr_nonnull(options.progress_file);
  adl_progress *progress = adl_progress_new(&options, &rows);
  adl_progress_begin(progress, source ? "reading" : "fitting", "log");
  atomic_store(&rows, 123456);
  g_usleep(1100000);
  adl_progress_inside(progress, source, source ? "bytes" : "iteration", done, 100);
  static char text[4096];
  rewind(options.progress_file);
  text[fread(text, 1, sizeof text - 1, options.progress_file)] = '\0';
  adl_progress_free(progress);
  fclose(options.progress_file);
  return text;
}

#define ASSERT_HAS(text, part) ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text)

START_TEST(a_source_tells_the_time_left) {
  char *text = shown(ADL_PROGRESS_TERMINAL, true, 1); /* 1.1 s for a hundredth: 109 s for the rest, and some */
  ASSERT_HAS(text, "reading log  123 k rows");
  ASSERT_HAS(text, "1 %, 1:");
  ASSERT_HAS(text, " left");
  ASSERT_HAS(shown(ADL_PROGRESS_JSON, true, 25), "\"share\":0.2500}");
}
END_TEST

/* Iterations may end early: they tell how far they are, not how long it will take. */
START_TEST(iterations_do_not) {
  char *text = shown(ADL_PROGRESS_TERMINAL, false, 3);
  ASSERT_HAS(text, "iteration 3 of 100");
  ck_assert_ptr_null(strstr(text, "left"));
  ASSERT_HAS(shown(ADL_PROGRESS_JSON, false, 3), "\"inside\":\"iteration 3 of 100\",\"share\":0.0000}");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("progress");
  TCase *cases = tcase_create("progress");
  tcase_add_test(cases, a_source_tells_the_time_left);
  tcase_add_test(cases, iterations_do_not);
  tcase_set_timeout(cases, 60);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
