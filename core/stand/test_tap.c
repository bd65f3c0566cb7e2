/* The harness, last part: checks that tell file and line, and programs of tests that speak TAP. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/stand/test.h"

enum { SECONDS_EACH = 60 };

/* ---- checks ---- */

static bool complain(adl_test *test, const char *file, int line, const char *format, ...) G_GNUC_PRINTF(4, 5);

/* Each line behind a #, as TAP wants it. Returns false. */
static bool complain(adl_test *test, const char *file, int line, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  char **lines = g_strsplit(g_strchomp(text), "\n", -1);
  printf("# %s:%d: ", file, line);
  for (int i = 0; lines[i] != NULL; i++) printf("%s%s\n", i == 0 ? "" : "#   ", lines[i]);
  fflush(stdout);
  g_strfreev(lines);
  g_free(text);
  test->failed = true;
  return false;
}

bool adl_test_check(adl_test *test, const char *file, int line, bool holds, const char *condition) {
  return holds || complain(test, file, line, "this does not hold: %s", condition);
}

bool adl_test_check_ok(adl_test *test, const char *file, int line) {
  return adl_test_ok(test) || complain(test, file, line, "the run failed:\n%s", adl_test_errors(test));
}

bool adl_test_check_says(adl_test *test, const char *file, int line, const char *text) {
  if (strstr(adl_test_errors(test), text) != NULL) return true;
  return complain(test, file, line, "`%s` is not said; what is said:\n%s", text,
                  adl_test_errors(test)[0] != '\0' ? adl_test_errors(test) : "(nothing)");
}

bool adl_test_check_rows(adl_test *test, const char *file, int line, int64_t count) {
  if (!adl_test_check_ok(test, file, line)) return false;
  int64_t rows = adl_test_rows(test);
  return rows == count || complain(test, file, line, "%" G_GINT64_FORMAT " rows, not %" G_GINT64_FORMAT, rows, count);
}

/* Is there such a column and row? What the test says is checked like what the stage does. */
static bool is_there(adl_test *test, const char *file, int line, const char *column, int64_t row) {
  if (!adl_test_check_ok(test, file, line)) return false;
  if (!adl_test_has(test, column)) return complain(test, file, line, "there is no column %s", column);
  if (row >= 0 && row < adl_test_rows(test)) return true;
  return complain(test, file, line, "there is no row %" G_GINT64_FORMAT ", only %" G_GINT64_FORMAT, row,
                  adl_test_rows(test));
}

static bool near(double number, double expected, double tolerance) {
  return isnan(expected) ? isnan(number) : number == expected || fabs(number - expected) <= tolerance;
}

bool adl_test_check_near(adl_test *test, const char *file, int line, const char *what, double number, double expected,
                         double tolerance) {
  if (near(number, expected, tolerance)) return true;
  return complain(test, file, line, "%s is %.17g, not %.17g", what, number, expected);
}

bool adl_test_check_number(adl_test *test, const char *file, int line, const char *column, int64_t row, double number,
                           double tolerance) {
  if (!is_there(test, file, line, column, row)) return false;
  adl_type type = adl_test_type(test, column);
  if (type.shape != ADL_SCALAR || type.element >= ADL_STRING)
    return complain(test, file, line, "column %s does not hold numbers", column);
  if (!adl_test_null(test, column, row) && near(adl_test_number(test, column, row), number, tolerance)) return true;
  return complain(test, file, line, "column %s, row %" G_GINT64_FORMAT " is %s, not %.17g", column, row,
                  adl_test_text(test, column, row), number);
}

bool adl_test_check_text(adl_test *test, const char *file, int line, const char *column, int64_t row,
                         const char *text) {
  if (!is_there(test, file, line, column, row)) return false;
  const char *found = adl_test_text(test, column, row);
  return strcmp(found, text) == 0 ||
         complain(test, file, line, "column %s, row %" G_GINT64_FORMAT " is %s, not %s", column, row, found, text);
}

bool adl_test_check_null(adl_test *test, const char *file, int line, const char *column, int64_t row) {
  if (!is_there(test, file, line, column, row)) return false;
  return adl_test_null(test, column, row) ||
         complain(test, file, line, "column %s, row %" G_GINT64_FORMAT " is %s, not null", column, row,
                  adl_test_text(test, column, row));
}

bool adl_test_check_invariant(adl_test *test, const char *file, int line, const char *stage, double tolerance) {
  char *stages = g_strdup_printf("  stage: {%s}\n", stage);
  bool same = adl_test_invariant(test, stages, "stage", tolerance);
  g_free(stages);
  return same || complain(test, file, line, "%s", adl_test_difference(test));
}

/* ---- programs ---- */

static bool run_case(const adl_test_case *one) {
  adl_test *test = adl_test_new();
  one->run(test);
  bool failed = test->failed;
  adl_test_free(test);
  fflush(stdout);
  return !failed;
}

/* In a process of its own; `why` gets what became of it. */
static bool run_apart(const adl_test_case *one, char *why, size_t size) {
  int status = 0;
  fflush(NULL);
  pid_t child = fork();
  if (child < 0) {
    g_snprintf(why, size, " # cannot start a process: %s", g_strerror(errno));
    return false;
  }
  if (child == 0) {
    alarm(SECONDS_EACH);
    exit(run_case(one) ? 0 : 1);
  }
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    g_snprintf(why, size, " # took more than %d seconds", SECONDS_EACH);
  else if (WIFSIGNALED(status))
    g_snprintf(why, size, " # crashed: %s", strsignal(WTERMSIG(status)));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool is_named(const char *name, int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], name) == 0) return true;
  return argc < 2;
}

static bool all_known(int argc, char **argv, const adl_test_case *cases, int count) {
  for (int i = 1; i < argc; i++) {
    bool known = false;
    for (int c = 0; c < count; c++) known = known || strcmp(cases[c].name, argv[i]) == 0;
    if (!known) {
      fprintf(stderr, "%s: there is no test `%s`; there are:", argv[0], argv[i]);
      for (int c = 0; c < count; c++) fprintf(stderr, " %s", cases[c].name);
      fprintf(stderr, "\n");
      return false;
    }
  }
  return true;
}

int adl_test_main(int argc, char **argv, const adl_test_case *cases, int count) {
  if (!all_known(argc, argv, cases, count)) return 2;
  const char *fork_them = getenv("ADL_TEST_FORK");
  bool apart = fork_them == NULL || strcmp(fork_them, "no") != 0;
  int number = 0, failed = 0, wanted = 0;
  for (int i = 0; i < count; i++) wanted += is_named(cases[i].name, argc, argv);
  printf("1..%d\n", wanted);
  for (int i = 0; i < count; i++) {
    char why[200] = "";
    if (!is_named(cases[i].name, argc, argv)) continue;
    bool passed = apart ? run_apart(&cases[i], why, sizeof why) : run_case(&cases[i]);
    failed += !passed;
    printf("%sok %d - %s%s\n", passed ? "" : "not ", ++number, cases[i].name, why);
    fflush(stdout);
  }
  return failed == 0 ? 0 : 1;
}
