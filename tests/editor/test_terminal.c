/*
 * What a run shows on terminals: the program behind a pseudo-terminal of 40, 80 and 200 columns, one that is resized, one
 * that cannot move its cursor; and nothing of it where the output is piped.
 */
#include "tests/faults/program.h"

#include <errno.h>
#include <pty.h>
#include <sys/ioctl.h>

/* Runs a command line behind a terminal of so many columns; gives all that was written to it. With `resized`, the window
 * gets that many columns once something has been shown. */
static char *on_terminal(program *p, const char *command, unsigned short columns, unsigned short resized) {
  struct winsize size = {.ws_row = 24, .ws_col = columns};
  char *line = g_strconcat("adloom ", command, NULL), *file = g_build_filename(program_build(), "adloom", NULL);
  char **arguments = g_strsplit(line, " ", -1);
  int terminal = -1;
  pid_t pid = forkpty(&terminal, NULL, NULL, &size);
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    if (chdir(p->folder) != 0) _exit(99);
    execv(file, arguments);
    _exit(98);
  }
  GString *shown = g_string_new(NULL);
  char bytes[4096];
  for (ssize_t got; (got = read(terminal, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR);) {
    if (got > 0) g_string_append_len(shown, bytes, got);
    size.ws_col = resized;
    if (resized != 0) ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
  }
  int status = 0;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  p->status = program_status(status);
  close(terminal);
  g_strfreev(arguments);
  g_free(file);
  g_free(line);
  return g_string_free(shown, FALSE);
}

#define LOG "a-stage-with-a-rather-long-name-so-that-its-line-is-long"

static program scene(void) {
  program p = program_open();
  program_write(&p, "p.yaml",
                "adloom: 1\nstages:\n"
                "  " LOG ": {use: market, table: impressions, rows: 300000}\n"
                "  out: {use: write-csv, path: out.csv}\n",
                -1);
  g_setenv("TERM", "xterm", TRUE);
  g_unsetenv("NO_COLOR");
  return p;
}

/* Columns of a text without what moves the cursor in it. */
static size_t columns_of(const char *text) {
  size_t columns = 0;
  for (; *text != '\0'; text++) {
    if (text[0] == '\033' && text[1] == '[')
      text += 2 + strcspn(text + 2, "AJK");
    else
      columns += *text != '\r' && *text != '\n';
  }
  return columns;
}

/* The widest of the lines that change: those behind a carriage return, which an erased line begins with, or the first. */
static size_t widest_changing(const char *shown, int *changes) {
  size_t widest = 0;
  char **lines = g_strsplit(shown, "\r\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    if (strstr(*line, "\r\033[K") == NULL) continue; /* what is printed once may be as long as it likes */
    char **parts = g_strsplit(*line, "\r\033[K", -1);
    guint count = g_strv_length(parts);
    *changes += (int)count - 1;
    for (guint i = 0; i + 1 < count; i++) widest = MAX(widest, columns_of(parts[i]));
    g_strfreev(parts);
  }
  g_strfreev(lines);
  return widest;
}

static const unsigned short WIDTHS[] = {40, 80, 200};

START_TEST(never_wider_than_the_terminal) {
  program p = scene();
  int changes = 0;
  char *shown = on_terminal(&p, "run p.yaml --out r", WIDTHS[_i], 0);
  ck_assert_msg(p.status == 0, "%s", shown);
  size_t widest = widest_changing(shown, &changes);
  ck_assert_int_ge(changes, 1);
  ck_assert_msg(widest > 20 && widest < WIDTHS[_i], "%zu columns of %d: %s", widest, WIDTHS[_i], shown);
  ck_assert_ptr_nonnull(strstr(shown, " rows read, "));
  g_free(shown);
  program_close(&p);
}
END_TEST

/* Once the table has gone, for which there is no room any more, there is a line of the new width. */
START_TEST(resized) {
  program p = scene();
  char *shown = on_terminal(&p, "run p.yaml --out r", 200, 30);
  ck_assert_msg(p.status == 0, "%s", shown);
  const char *gone = strstr(shown, "\033[J");
  ck_assert_ptr_nonnull(gone);
  char **parts = g_strsplit(gone, "\r\033[K", -1);
  guint count = g_strv_length(parts);
  for (guint i = 0; i + 1 < count; i++) ck_assert_msg(columns_of(parts[i]) < 30, "%s", parts[i]);
  g_strfreev(parts);
  g_free(shown);
  program_close(&p);
}
END_TEST

/* A line for each stage with rows and rate, drawn over itself, and gone at the end. */
START_TEST(table_of_stages) {
  program p = scene();
  /* Long enough to read for its line to change a few times, on a fast machine too. */
  char *shown = on_terminal(&p, "run p.yaml --out r --set " LOG ".rows=2500000", 100, 0);
  ck_assert_msg(p.status == 0, "%s", shown);
  const char *line = strstr(shown, "\r\033[K  out ");
  ck_assert_msg(line != NULL && strstr(line, "write-csv") != NULL, "%s", shown);
  ck_assert_msg(strstr(shown, " rows/s") != NULL && strstr(shown, "\033[2A") != NULL, "%s", shown);
  const char *end = g_strrstr(shown, "\033[J");
  ck_assert_msg(end != NULL && strstr(end, "write-csv") == NULL, "the table stays: %s", shown);
  ck_assert_ptr_nonnull(strstr(end, " rows read, "));
  g_free(shown);
  shown = on_terminal(&p, "run p.yaml --out r", 50, 0);
  ck_assert_msg(strstr(shown, "write-csv") == NULL, "a table on a narrow terminal: %s", shown);
  g_free(shown);
  program_close(&p);
}
END_TEST

START_TEST(a_terminal_that_cannot_move) {
  program p = scene();
  g_setenv("TERM", "dumb", TRUE);
  char *shown = on_terminal(&p, "run p.yaml --out r", 80, 0);
  ck_assert_msg(p.status == 0, "%s", shown);
  ck_assert_ptr_null(strchr(shown, '\033'));
  ck_assert_ptr_nonnull(strstr(shown, "reading a-stage-with"));
  g_free(shown);
  program_close(&p);
}
END_TEST

START_TEST(colours) {
  program p = scene();
  char *shown = on_terminal(&p, "check p.yaml --set out.paht=x", 80, 0);
  ck_assert_int_eq(p.status, 2);
  ck_assert_msg(strstr(shown, "\033[") != NULL, "%s", shown);
  g_free(shown);
  g_setenv("NO_COLOR", "1", TRUE);
  shown = on_terminal(&p, "check p.yaml --set out.paht=x", 80, 0);
  ck_assert_msg(strchr(shown, '\033') == NULL, "%s", shown);
  ck_assert_ptr_nonnull(strstr(shown, "did you mean `path`?"));
  g_free(shown);
  g_unsetenv("NO_COLOR");
  program_close(&p);
}
END_TEST

START_TEST(piped) {
  program p = scene();
  program_run(&p, "run p.yaml --out r");
  ASSERT_STATUS(&p, 0);
  ck_assert_ptr_null(strchr(p.said, '\r'));
  ck_assert_ptr_null(strchr(p.said, '\033'));
  ck_assert_ptr_null(strchr(p.out, '\033'));
  ck_assert_str_eq(p.said, "reading a-stage-with-a-rather-long-name-so-that-its-line-is-long\n");
  program_run(&p, "run p.yaml --out r --quiet");
  ck_assert_str_eq(p.said, "");
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("terminal");
  TCase *cases = tcase_create("terminal");
  tcase_add_loop_test(cases, never_wider_than_the_terminal, 0, (int)G_N_ELEMENTS(WIDTHS));
  tcase_add_test(cases, resized);
  tcase_add_test(cases, table_of_stages);
  tcase_add_test(cases, a_terminal_that_cannot_move);
  tcase_add_test(cases, colours);
  tcase_add_test(cases, piped);
  tcase_set_timeout(cases, 120);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
