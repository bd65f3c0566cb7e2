/* read-sqlite and write-sqlite through a host without an engine: a writer that is killed or gives up, readers meanwhile, and
 * a database that changes between two scans. */
#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/plugins/fake_io_host.h"

const adl_plugin *adl_entry_read_sqlite(const adl_host *host);
const adl_plugin *adl_entry_write_sqlite(const adl_host *host);

static const adl_host host = {.abi_major = ADL_ABI_MAJOR};
static const adl_class *reader_class(void) { return adl_entry_read_sqlite(&host)->classes[0]; }
static const adl_class *writer_class(void) { return adl_entry_write_sqlite(&host)->classes[0]; }

static char folder[256], path[400];

static void make_folder(void) {
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/adloom-test-XXXXXX", base != NULL ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.db", folder);
}

static void remove_folder(void) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  ck_assert_int_eq(system(command), 0);
}

static void execute(const char *sql) {
  sqlite3 *database = NULL;
  char *why = NULL;
  ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
  ck_assert_msg(sqlite3_exec(database, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
  ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

/* The one number that a query gives. */
static int64_t number(const char *sql) {
  sqlite3 *database = NULL;
  sqlite3_stmt *statement = NULL;
  ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
  ck_assert_int_eq(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
  ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
  int64_t value = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return value;
}

/* With a rollback journal, and with a write-ahead log. */
static const char *const journals[] = {"PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"};

static void make_database(int journal) {
  execute(journals[journal]);
  execute("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2), (3); CREATE INDEX i ON t (a)");
}

/* ---- writing ---- */

enum { ROWS = 4096, BATCHES = 60 }; /* more than SQLite's cache of 2 MB: pages go to the disk before the commit */

static int64_t values[ROWS];
static const adl_column column = {
    .struct_size = sizeof(adl_column), .type = {.element = ADL_INT64}, .rows = ROWS, .data = values};
static const adl_column *const columns[] = {&column};

static fake_io *new_sink(const char *mode) {
  static const char *const names[] = {"a"};
  for (int i = 0; i < ROWS; i++) values[i] = 1000 + i * 37 % 4001;
  return fake_sink_new(writer_class(), 1, names, columns, "into", path, "table", "t", "columns", "[a]", "mode", mode,
                       NULL);
}

static void write_batches(fake_io *sink) {
  ck_assert_str_eq(sink->failed, "");
  for (int i = 0; i < BATCHES; i++) ck_assert_int_eq(fake_write(sink, ROWS, columns), ADL_OK);
}

START_TEST(commit_shows_all) {
  make_database(_i);
  fake_io *sink = new_sink("replace");
  write_batches(sink);
  if (_i == 1) ck_assert_int_eq(number("SELECT count(*) FROM t"), 3); /* readers see the old content meanwhile */
  ck_assert_int_eq(fake_commit(sink), ADL_OK);
  fake_io_free(sink);
  ck_assert_int_eq(number("SELECT count(*) FROM t"), ROWS * BATCHES);
  ck_assert_int_eq(number("SELECT count(*) FROM t WHERE a < 1000"), 0);
}
END_TEST

START_TEST(without_commit_nothing_changes) {
  make_database(_i);
  fake_io *sink = new_sink(_i == 0 ? "replace" : "append");
  write_batches(sink);
  fake_io_free(sink);
  ck_assert_int_eq(number("SELECT count(*) FROM t"), 3);
  ck_assert_int_eq(number("SELECT sum(a) FROM t"), 6);
}
END_TEST

/* kill -9 in the middle, after pages have reached the file: the next to open it finds the old content. */
START_TEST(killed_writers_change_nothing) {
  make_database(_i);
  pid_t child = fork();
  if (child == 0) {
    fake_io *sink = new_sink("replace");
    for (int i = 0; i < BATCHES; i++) fake_write(sink, ROWS, columns);
    raise(SIGKILL);
    _exit(0);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  char left[420];
  snprintf(left, sizeof left, "%s-%s", path, _i == 0 ? "journal" : "wal");
  ck_assert_msg(access(left, F_OK) == 0, "%s is not there: nothing was left behind", left);
  ck_assert_int_eq(number("SELECT count(*) FROM t"), 3);
  ck_assert_int_eq(number("SELECT sum(a) FROM t"), 6);
  ck_assert_int_eq(number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}
END_TEST

/* Another writer holds the database. */
START_TEST(locked_databases_are_refused) {
  make_database(_i);
  fake_io *first = new_sink("append"), *second = new_sink("append");
  ck_assert_str_eq(first->failed, "");
  ck_assert_ptr_nonnull(strstr(second->failed, "cannot begin to write to it: database is locked"));
  ck_assert_ptr_nonnull(strstr(second->failed, "another program, or another stage"));
  fake_io_free(second);
  ck_assert_int_eq(fake_commit(first), ADL_OK);
  fake_io_free(first);
}
END_TEST

/* ---- reading ---- */

START_TEST(scans_of_one_content) {
  make_database(_i);
  fake_io *source = fake_io_new(reader_class(), "path", path, "table", "t", NULL);
  ck_assert_str_eq(source->failed, "");
  for (int scan = 0; scan < 3; scan++) ck_assert_msg(fake_read(source) == ADL_OK, "%s", source->failed);
  ck_assert_int_eq(source->rows, 9);
  ck_assert_str_eq(fake_cell(source, "a", 8), "3");
  ck_assert_int_eq((int)fake_position(source, 5), 3);
  execute("INSERT INTO t VALUES (4)");
  ck_assert_int_eq(fake_read(source), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(source->failed, "was changed between two passes over its rows"));
  fake_io_free(source);
}
END_TEST

/* A change before the first scan is not one between scans; the fingerprint is unknown while a log is left. */
START_TEST(changes_before_the_first_scan) {
  make_database(_i);
  fake_io *source = fake_io_new(reader_class(), "path", path, "table", "t", NULL);
  uint8_t digest[32];
  ck_assert_int_eq(source->class->fingerprint(NULL, source->self, digest), ADL_OK);
  execute("INSERT INTO t VALUES (4)");
  ck_assert_int_eq(source->class->fingerprint(NULL, source->self, digest), _i == 0 ? ADL_OK : ADL_LATER);
  ck_assert_msg(fake_read(source) == ADL_OK, "%s", source->failed);
  ck_assert_int_eq(source->rows, 4);
  fake_io_free(source);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sqlite files");
  TCase *cases = tcase_create("files");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, make_folder, remove_folder);
  tcase_add_loop_test(cases, commit_shows_all, 0, 2);
  tcase_add_loop_test(cases, without_commit_nothing_changes, 0, 2);
  tcase_add_loop_test(cases, killed_writers_change_nothing, 0, 2);
  tcase_add_loop_test(cases, locked_databases_are_refused, 0, 2);
  tcase_add_loop_test(cases, scans_of_one_content, 0, 2);
  tcase_add_loop_test(cases, changes_before_the_first_scan, 0, 2);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
