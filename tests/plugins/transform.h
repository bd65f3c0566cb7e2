/* What the tests of transforms share: running stages on the harness and reading columns as text. */
#ifndef ADLOOM_TESTS_TRANSFORM_H
#define ADLOOM_TESTS_TRANSFORM_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

/* All values of a column, joined by |; g_free it. */
static inline char *values_of(adl_harness *h, const char *column) {
  GString *text = g_string_new(NULL);
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    char *value = adl_harness_text(h, column, row);
    g_string_append_printf(text, "%s%s", row == 0 ? "" : "|", value);
    free(value);
  }
  return g_string_free(text, FALSE);
}

#define ASSERT_VALUES(h, column, expected)                                                                             \
  do {                                                                                                                 \
    char *values_ = values_of(h, column);                                                                              \
    ck_assert_msg(strcmp(values_, expected) == 0, "%s is %s, not %s", column, values_, expected);                      \
    g_free(values_);                                                                                                   \
  } while (0)

/* The stages must be refused, with these words among the errors. */
static inline void assert_refused(const char *csv, const char *columns, const char *stages, const char *words) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, stages, NULL);
  ck_assert_msg(!adl_harness_ok(h), "not refused: %s", stages);
  ck_assert_msg(strstr(adl_harness_errors(h), words) != NULL, "%s\nlacks: %s", adl_harness_errors(h), words);
  adl_harness_free(h);
}

static inline int run_suite(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
