/* What the tests of the sketches share: where the plugins are, small builders of rows, and counting lines. */
#ifndef ADLOOM_TESTS_SKETCHES_H
#define ADLOOM_TESTS_SKETCHES_H

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))
#define ASSERT_SAYS(h, text)                                                                                           \
  do {                                                                                                                 \
    ck_assert(!adl_harness_ok(h));                                                                                     \
    ck_assert_msg(strstr(adl_harness_errors(h), text) != NULL, "%s", adl_harness_errors(h));                           \
  } while (0)

static inline const char *sketches_variable(const char *name) {
  const char *value = g_getenv(name);
  if (value == NULL) g_error("%s is not set; run this by make check", name);
  return value;
}

/* Where the sketches are: those of the build, or another build of them. Free it. */
static inline char *sketches_folder(void) {
  const char *other = g_getenv("ADLOOM_SKETCHES");
  return other != NULL ? g_strdup(other)
                       : g_build_filename(sketches_variable("ADLOOM_BUILD"), "tests", "sketches", ".libs", NULL);
}

/* Makes adloom find the sketches, and no plugins of the user. */
static inline void sketches_find(void) {
  char *path = sketches_folder();
  g_setenv("ADLOOM_PLUGIN_PATH", path, TRUE);
  g_setenv("XDG_DATA_HOME", "/nonexistent", TRUE);
  g_free(path);
}

/* Lines of a file of this folder. */
static inline int sketches_lines(const char *name) {
  char *path = g_build_filename(sketches_variable("ADLOOM_SRC"), "tests", "sketches", name, NULL), *text = NULL;
  int lines = 0;
  ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "%s is not there", path);
  for (const char *at = text; *at != '\0'; at++) lines += *at == '\n';
  g_free(text);
  g_free(path);
  return lines;
}

/* A run whose only news is its digest; free it. */
static inline char *sketches_digest(adl_harness *h, const char *stages) {
  adl_harness_run(h, stages, NULL);
  ASSERT_OK(h);
  return adl_harness_digest(h);
}

/* What the stages publish is the same for 1, 2, 3 and 8 threads, with all memory and with next to none. */
static inline void sketches_same_on_threads(adl_harness *h, const char *stages) {
  static const int threads[] = {1, 2, 3, 8};
  char *first = NULL;
  for (int i = 0; i < 8; i++) {
    adl_harness_threads(h, threads[i % 4]);
    adl_harness_memory(h, i < 4 ? INT64_C(1) << 30 : 1);
    char *digest = sketches_digest(h, stages);
    ck_assert_msg(first == NULL || strcmp(first, digest) == 0, "other bytes with %d threads%s", threads[i % 4],
                  i < 4 ? "" : " and little memory");
    g_free(first);
    first = digest;
  }
  g_free(first);
}

static inline int sketches_run(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}

#endif
