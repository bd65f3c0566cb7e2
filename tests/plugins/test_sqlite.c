/* read-sqlite and write-sqlite on the real engine: values there and back, what is rejected, what is refused, and the modes of
 * writing. */
#include <sqlite3.h>
#include <stdio.h>

#include "tests/plugins/transform.h"

/* A database `name` in the harness's directory, made by these statements. */
static void make_database(adl_harness *h, const char *name, const char *sql) {
  char *path = g_build_filename(adl_harness_directory(h), name, NULL), *why = NULL;
  sqlite3 *database = NULL;
  ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
  ck_assert_msg(sqlite3_exec(database, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
  ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
  g_free(path);
}

static int add_row(void *text, int count, char **values, char **names) {
  (void)names;
  for (int i = 0; i < count; i++)
    g_string_append_printf(text, "%s%s", i > 0 ? "," : "", values[i] != NULL ? values[i] : "NULL");
  g_string_append_c(text, '|');
  return 0;
}

/* What a SELECT gives: fields with commas, rows end with |. g_free it. */
static char *asked(adl_harness *h, const char *name, const char *sql) {
  char *path = g_build_filename(adl_harness_directory(h), name, NULL), *why = NULL;
  sqlite3 *database = NULL;
  GString *text = g_string_new(NULL);
  ck_assert_int_eq(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  ck_assert_msg(sqlite3_exec(database, sql, add_row, text, &why) == SQLITE_OK, "%s", why);
  sqlite3_close(database);
  g_free(path);
  return g_string_free(text, FALSE);
}

#define ASSERT_ASKED(h, name, sql, expected)                                                                           \
  do {                                                                                                                 \
    char *asked_ = asked(h, name, sql);                                                                                \
    ck_assert_str_eq(asked_, expected);                                                                                \
    g_free(asked_);                                                                                                    \
  } while (0)

static adl_harness *with_database(const char *sql) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  make_database(h, "a.db", sql);
  return h;
}

/* Reads a.db with these parameters and taps the source. */
static void read_it(adl_harness *h, const char *parameters) {
  char *stage = g_strdup_printf("  s: {use: read-sqlite, path: a.db, %s}\n", parameters);
  adl_harness_run(h, stage, "s");
  g_free(stage);
}

static void assert_rejected(adl_harness *h, const char *expected) {
  char *rejects = adl_harness_rejects(h);
  ck_assert_str_eq(rejects, expected);
  free(rejects);
}

/* ---- reading ---- */

static const char log_table[] =
    "CREATE TABLE log (id INTEGER PRIMARY KEY, user TEXT, price REAL, at TIMESTAMP, ok BOOLEAN, \"odd \"\"name\" INT);"
    "INSERT INTO log VALUES (7, 'b', 2, '2024-01-31 09:30:00', 0, 1), (3, 'a', 0.5, '2024-01-31T09:30:00+01:00', 1, "
    "NULL),"
    "(12, NULL, NULL, NULL, NULL, 3), (9, '', -1e300, 1700000000000000, 'true', 4);";

START_TEST(known_values) {
  adl_harness *h = with_database(log_table);
  read_it(h, "table: log, columns: {user: id, price: float, at: timestamp, ok: bool, id: int, 'odd \"name': int}");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  ASSERT_VALUES(h, "id", "3|7|9|12");
  ASSERT_VALUES(h, "user", "a|b||null");
  ASSERT_VALUES(h, "price", "0.5|2|-1e+300|null");
  ASSERT_VALUES(h, "at", "2024-01-31T08:30:00Z|2024-01-31T09:30:00Z|2023-11-14T22:13:20Z|null");
  ASSERT_VALUES(h, "ok", "true|false|true|null");
  ASSERT_VALUES(h, "odd \"name", "null|1|4|3");
  adl_harness_free(h);
}
END_TEST

START_TEST(declared_types) {
  adl_harness *h = with_database(log_table);
  read_it(h, "table: LOG");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_type(h, "id").element, ADL_INT64);
  ck_assert_int_eq(adl_harness_type(h, "user").element, ADL_STRING);
  ck_assert_int_eq(adl_harness_type(h, "price").element, ADL_FLOAT64);
  ck_assert_int_eq(adl_harness_type(h, "at").element, ADL_TIMESTAMP);
  ck_assert_int_eq(adl_harness_type(h, "ok").element, ADL_BOOL);
  ASSERT_VALUES(h, "id", "3|7|9|12");
  adl_harness_free(h);
  h = with_database("CREATE TABLE t (a, b TEXT)");
  read_it(h, "table: t");
  ck_assert(strstr(adl_harness_errors(h),
                   "the type of column `a` does not follow from its declaration, which is without "
                   "one") != NULL);
  adl_harness_free(h);
}
END_TEST

/* Which rows, in which order. */
static const struct {
  const char *parameters, *id;
} choices[] = {
    {"table: log, columns: {id: int}", "3|7|9|12"},
    {"table: log, columns: {id: int}, where: price < 1", "3|9"},
    {"table: log, columns: {id: int}, where: 'price < 1 OR id > 10'", "3|9|12"},
    {"table: log, columns: {id: int}, where: 'id = 3 -- and no more'", "3"},
    {"table: log, columns: {id: int}, order_by: id DESC", "12|9|7|3"},
    {"table: log, columns: {id: int}, order_by: 'user IS NULL, user', where: id <> 7", "9|3|12"},
    {"table: log, columns: {id: id}, where: id IN (3)", "3"},
    {"table: log, columns: {id: int, at: skip}", "3|7|9|12"},
    {"query: 'SELECT id * 2 AS id, price FROM log ORDER BY id DESC', columns: {id: int}", "24|18|14|6"},
    {"query: 'SELECT user, max(id) AS id FROM log WHERE id < 5 GROUP BY 1;  ', columns: {id: int}", "3"},
    {"query: 'SELECT id FROM log WHERE id < 5;  -- and no more', columns: {id: int}", "3"},
    {"query: 'SELECT id FROM log WHERE id < 5; /* ; */ ; ;', columns: {id: int}", "3"},
    {"query: 'WITH x(id) AS (VALUES (1), (2)) SELECT id FROM x ORDER BY 1', columns: {id: int}", "1|2"},
    {"table: v, columns: {id: int}", "3|9"},
    {"table: w, columns: {id: string}", "2.5|a|x"},
};

START_TEST(rows_and_order) {
  adl_harness *h = with_database(log_table);
  make_database(h, "a.db",
                "CREATE VIEW v AS SELECT * FROM log WHERE price < 1 ORDER BY id;"
                "CREATE TABLE w (id PRIMARY KEY) WITHOUT ROWID; INSERT INTO w VALUES ('x'), ('a'), (2.5)");
  read_it(h, choices[_i].parameters);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  ASSERT_VALUES(h, "id", choices[_i].id);
  adl_harness_free(h);
}
END_TEST

/* Values of other types, one row each among good ones; the rowid is told. */
static const struct {
  const char *type, *value, *reason;
} bad[] = {
    {"int", "'12'", "s 5 x \"12\", which is TEXT, is not an int\n"},
    {"int", "1.5", "s 5 x \"1.5\", which is a REAL, is not an int\n"},
    {"int", "x'00ff'", "s 5 x a BLOB is not an int\n"},
    {"float", "'0.5'", "s 5 x \"0.5\", which is TEXT, is not a float\n"},
    {"bool", "2", "s 5 x \"2\", which is an INTEGER, is not a bool\n"},
    {"bool", "1.0", "s 5 x \"1.0\", which is a REAL, is not a bool\n"},
    {"bool", "'maybe'", "s 5 x \"maybe\", which is TEXT, is not a bool\n"},
    {"timestamp", "'soon'", "s 5 x \"soon\", which is TEXT, is not a timestamp\n"},
    {"timestamp", "1.5", "s 5 x \"1.5\", which is a REAL, is not a timestamp\n"},
    {"date %d.%m.%Y", "'2024-01-31'", "s 5 x \"2024-01-31\", which is TEXT, is not a date\n"},
    {"string", "x'41'", "s 5 x a BLOB is not a string\n"},
    {"string", "CAST(x'41ff' AS TEXT)", "s 5 x the text is not UTF-8\n"},
};

START_TEST(other_types_are_rejected) {
  char *sql =
      g_strdup_printf("CREATE TABLE t (y TEXT, x); INSERT INTO t(rowid, y, x) VALUES (2, 'a', NULL), (5, 'b', %s), "
                      "(6, NULL, NULL), (7, 'c', NULL)",
                      bad[_i].value);
  adl_harness *h = with_database(sql);
  char *parameters = g_strdup_printf("table: t, columns: {y: id, x: %s}", bad[_i].type);
  read_it(h, parameters);
  ASSERT_OK(h);
  assert_rejected(h, bad[_i].reason);
  ASSERT_VALUES(h, "y", "a|null|c");
  ASSERT_VALUES(h, "x", "null|null|null");
  g_free(parameters);
  g_free(sql);
  adl_harness_free(h);
}
END_TEST

START_TEST(times) {
  static const char *const cases[][3] = {
      {"timestamp", "'2024-01-31'", "2024-01-31T00:00:00Z"},
      {"timestamp", "1706693400000001", "2024-01-31T09:30:00.000001Z"},
      {"date", "1706693400000001", "2024-01-31T00:00:00Z"},
      {"date", "-1", "1969-12-31T00:00:00Z"},
      {"timestamp unix", "1706693400", "2024-01-31T09:30:00Z"},
      {"timestamp unix", "1706693400.25", "2024-01-31T09:30:00.250000Z"},
      {"timestamp unix", "1e300 / 1e291", "2001-09-09T01:46:40Z"},
      {"timestamp unix_us", "1.7e17", "7357-01-31T14:13:20Z"},
      {"timestamp", "'+10000-01-01T00:00:00Z'", "253402300800000000 us"},
      {"timestamp unix_ms", "'1706693400000'", "2024-01-31T09:30:00Z"},
      {"date %d.%m.%Y", "'31.01.2024'", "2024-01-31T00:00:00Z"},
  };
  char *sql = g_strdup_printf("CREATE TABLE t (x); INSERT INTO t VALUES (%s)", cases[_i][1]);
  char *parameters = g_strdup_printf("table: t, columns: {x: %s}", cases[_i][0]);
  adl_harness *h = with_database(sql);
  read_it(h, parameters);
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", cases[_i][2]);
  g_free(parameters);
  g_free(sql);
  adl_harness_free(h);
}
END_TEST

/* A bad value does no harm where its column is not listed: it is never asked for. */
START_TEST(only_listed_columns_are_read) {
  adl_harness *h = with_database("CREATE TABLE t (a INT, b INT); INSERT INTO t VALUES (1, 'x'), (2, 5);"
                                 "CREATE VIEW v AS SELECT a, abs(-9223372036854775807 - a) AS b FROM t");
  read_it(h, "table: t, columns: {a: int}");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "a", "1|2");
  read_it(h, "table: v, columns: {a: int}");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "a", "1|2");
  read_it(h, "table: v, columns: {a: int, b: int}");
  ck_assert_msg(strstr(adl_harness_errors(h), "integer overflow") != NULL, "%s", adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

START_TEST(reading_refused) {
  static const char *const wrong[][2] = {
      {"columns: {id: int}", "what to read is not said"},
      {"table: log, query: SELECT 1", "a table and a query are both given"},
      {"table: lgo", "a.db has no table `lgo`; there is log"},
      {"table: lgo", "did you mean `log`?"},
      {"table: log, columns: {usr: id}", "log has no column `usr`; there are id, user, price"},
      {"table: log, columns: {usr: id}", "did you mean `user`?"},
      {"table: log, columns: {user: text}", "`text` is not a type"},
      {"table: log, columns: {user: skip}", "every column is skipped"},
      {"table: log, where: prize > 1", "no such column: prize"},
      {"table: log, order_by: prize", "no such column: prize"},
      {"table: log, where: '1) UNION SELECT 1 --'", "SQLite cannot make sense of it"},
      {"query: 'SELECT user FROM log'", "the columns of a query and their types must be named here"},
      {"query: 'SELECT user FROM lgo', columns: {user: id}", "no such table: lgo"},
      {"query: 'SELECT user FROM log; SELECT 1', columns: {user: id}", "more than one statement"},
      {"query: \"SELECT user FROM log; -- no\\n more\", columns: {user: id}", "more than one statement"},
      {"query: 'DELETE FROM log', columns: {user: id}", "it is not a SELECT"},
      {"query: 'DELETE FROM log RETURNING user', columns: {user: id}", "it is not a SELECT"},
      {"query: 'SELECT ? AS user', columns: {user: id}", "it has parameters"},
      {"query: 'SELECT random() AS user', columns: {user: id}", "not authorized to use function: random"},
      {"query: 'ATTACH ''b.db'' AS b', columns: {user: id}", "not authorized"},
      {"query: 'SELECT id, 1 AS id FROM log', columns: {id: int}", "the query gives the column `id` twice"},
      {"query: 'SELECT 1 AS a', columns: {a: int}, where: a = 1", "this goes with `table`"},
      {"table: log, timestamp_format: soon", "timestamp_format"},
  };
  adl_harness *h = with_database(log_table);
  read_it(h, wrong[_i][0]);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), wrong[_i][1]) != NULL, "%s lacks %s", adl_harness_errors(h),
                wrong[_i][1]);
  adl_harness_free(h);
}
END_TEST

/* Names that are not UTF-8 would come out again as JSON that is none. */
START_TEST(names_are_utf8) {
  adl_harness *h = with_database("CREATE TABLE t (n INT, \"caf\xe9\" INT); INSERT INTO t VALUES (1, 2)");
  read_it(h, "table: t");
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), "caf\xef\xbf\xbd: a column's name is not UTF-8") != NULL, "%s",
                adl_harness_errors(h));
  read_it(h, "table: t, columns: {n: int}");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "n", "1");
  read_it(h, "table: t, columns: {m: int}");
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(g_utf8_validate(adl_harness_errors(h), -1, NULL), "%s", adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

START_TEST(files_refused) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_file(h, "a.db", "this is no database at all, and long enough to look at, with more and more words", -1);
  read_it(h, "table: t");
  ck_assert_msg(strstr(adl_harness_errors(h), "file is not a database") != NULL, "%s", adl_harness_errors(h));
  adl_harness_file(h, "a.db", "", 0);
  read_it(h, "table: t");
  ck_assert_msg(strstr(adl_harness_errors(h), "has no table `t`; there is none") != NULL, "%s", adl_harness_errors(h));
  adl_harness_run(h, "  s: {use: read-sqlite, path: b.db, table: t}\n", "s");
  ck_assert_msg(strstr(adl_harness_errors(h), "b.db") != NULL, "%s", adl_harness_errors(h));
  adl_harness_free(h);
  h = with_database("CREATE TABLE t (a INT)");
  read_it(h, "table: t");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
}
END_TEST

/* ---- writing ---- */

static const char csv[] = "s,i,f,b,t,x\n"
                          "a,1,0.5,true,2024-01-31T09:30:00Z,1\n"
                          ",,,,,\n"
                          "\"it's \"\"x\"\"\n\",-9223372036854775808,nan,false,1969-12-31T23:59:59.999999Z,2\n"
                          "\"\",9223372036854775807,-inf,true,2024-01-31T09:30:00.5Z,3\n"
                          "\xe5\xb9\xbf\xe5\x91\x8a,0,5e-324,false,2024-02-29,4\n";
static const char types[] = "{s: string, i: int, f: float, b: bool, t: timestamp, x: float}";

/* Values come back as they were, whatever the number of threads. */
START_TEST(there_and_back) {
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness *h = adl_harness_new(csv, types);
    adl_harness_threads(h, threads);
    adl_harness_run(h, "  o: {use: write-sqlite, path: o.db, table: \"my \\\"table\"}\n", NULL);
    ASSERT_OK(h);
    char *path = g_build_filename(adl_harness_run_directory(h), "o.db", NULL);
    char *stages = g_strdup_printf("  back: {use: read-sqlite, path: %s, table: \"my \\\"table\"}\n", path);
    adl_harness *again = adl_harness_new("n\n1\n", "{n: int}");
    adl_harness_run(again, stages, "back");
    ASSERT_OK(again);
    ck_assert_int_eq(adl_harness_rejected(again), 0);
    ASSERT_VALUES(again, "i", "1|null|-9223372036854775808|9223372036854775807|0");
    ASSERT_VALUES(again, "f", "0.5|null|null|-inf|4.94065645841247e-324");
    ASSERT_VALUES(again, "b", "true|null|false|true|false");
    ASSERT_VALUES(again, "t",
                  "2024-01-31T09:30:00Z|null|1969-12-31T23:59:59.999999Z|2024-01-31T09:30:00.500000Z|"
                  "2024-02-29T00:00:00Z");
    ASSERT_VALUES(again, "s", "a|null|it's \"x\"\\n||\xe5\xb9\xbf\xe5\x91\x8a");
    adl_harness_free(again);
    g_free(stages);
    g_free(path);
    adl_harness_free(h);
  }
}
END_TEST

/* Types in the file, and JSON for what is not one value. */
START_TEST(how_values_are_stored) {
  adl_harness *h = adl_harness_new(csv, types);
  make_database(h, "o.db", "");
  adl_harness_run(h,
                  "  v: {use: scale, columns: [x], method: minmax, null: mean}\n"
                  "  h: {use: hash, columns: [s], bits: 4, as: w}\n"
                  "  o: {use: write-sqlite, into: o.db, table: t, columns: [s, i, f, b, t, scaled, w]}\n",
                  NULL);
  if (!adl_harness_ok(h)) ck_abort_msg("%s", adl_harness_errors(h));
  ASSERT_ASKED(h, "o.db",
               "SELECT typeof(s), typeof(i), typeof(f), typeof(b), typeof(t), typeof(scaled), typeof(w) FROM t "
               "WHERE rowid IN (1, 2, 3)",
               "text,integer,real,integer,text,text,text|null,null,null,null,null,text,text|"
               "text,integer,null,integer,text,text,text|");
  ASSERT_ASKED(h, "o.db", "SELECT b, t, scaled, json_valid(w) FROM t WHERE rowid IN (1, 4)",
               "1,2024-01-31T09:30:00Z,[0],1|1,2024-01-31T09:30:00.500Z,[0.6666667],1|");
  ASSERT_ASKED(h, "o.db", "SELECT name, type FROM pragma_table_info('t')",
               "s,TEXT|i,INTEGER|f,REAL|b,BOOLEAN|t,TIMESTAMP|scaled,TEXT|w,TEXT|");
  adl_harness_free(h);
}
END_TEST

static const char old_table[] = "CREATE TABLE t (k TEXT, j INT, v REAL, more TEXT DEFAULT 'm', UNIQUE (k, j));"
                                "INSERT INTO t VALUES ('a', 1, 1, 'x'), ('b', 1, 2, 'y'); CREATE TABLE other (z);"
                                "INSERT INTO other VALUES (1)";
static const struct {
  const char *parameters, *rows;
} modes[] = {
    {"table: t, columns: [j, v]", "NULL,1,0.5,m|NULL,1,7.0,m|NULL,2,5.0,m|a,1,1.0,x|b,1,2.0,y|"},
    {"table: t, mode: replace", "a,1,0.5,m|a,2,7.0,m|c,1,5.0,m|"},
    {"table: t, mode: upsert, key: [k, j]", "a,1,0.5,x|a,2,7.0,m|b,1,2.0,y|c,1,5.0,m|"},
    {"table: T, mode: upsert, key: [J, K]", "a,1,0.5,x|a,2,7.0,m|b,1,2.0,y|c,1,5.0,m|"},
    {"table: t, mode: upsert, key: [k, j], columns: [k, j]", "a,1,1.0,x|a,2,NULL,m|b,1,2.0,y|c,1,NULL,m|"},
};

/* In a rollback journal and in a write-ahead log. */
START_TEST(modes_of_writing) {
  for (int wal = 0; wal < 2; wal++) {
    const char *rows = _i == 0 ? "k,j,v\na,1,0.5\nc,2,5\na,1,7\n" : "k,j,v\na,1,0.25\na,2,7\nc,1,5\na,1,0.5\n";
    if (_i == 1) rows = "k,j,v\na,1,0.5\na,2,7\nc,1,5\n";
    adl_harness *h = adl_harness_new(rows, "{k: id, j: int, v: float}");
    if (wal) make_database(h, "a.db", "PRAGMA journal_mode = WAL");
    make_database(h, "a.db", old_table);
    char *stage = g_strdup_printf("  o: {use: write-sqlite, into: a.db, %s}\n", modes[_i].parameters);
    adl_harness_run(h, stage, NULL);
    ASSERT_OK(h);
    ASSERT_ASKED(h, "a.db", "SELECT k, j, v, more FROM t ORDER BY k, j, v", modes[_i].rows);
    ASSERT_ASKED(h, "a.db", "SELECT z FROM other", "1|");
    g_free(stage);
    adl_harness_free(h);
  }
}
END_TEST

/* A run that fails leaves a database as it was; in a key no value may be missing. */
START_TEST(failures_change_nothing) {
  adl_harness *h = adl_harness_new("k,j,v\nd,1,1\nc,1,5\nd,1,7\n", "{k: id, j: int, v: float}");
  make_database(h, "a.db", old_table);
  adl_harness_run(h, "  o: {use: write-sqlite, into: a.db, table: t, mode: replace}\n", NULL);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), "t refuses a row: UNIQUE constraint failed: t.k, t.j") != NULL, "%s",
                adl_harness_errors(h));
  ck_assert(strstr(adl_harness_errors(h), "mode: upsert") != NULL);
  ASSERT_ASKED(h, "a.db", "SELECT k, j, v, more FROM t", "a,1,1.0,x|b,1,2.0,y|");
  adl_harness_run(h, "  o: {use: write-sqlite, path: new.db, table: t, key: [k, j]}\n", NULL);
  ck_assert(!adl_harness_ok(h));
  char *path = g_build_filename(adl_harness_run_directory(h), "new.db", NULL);
  ck_assert(!g_file_test(path, G_FILE_TEST_EXISTS));
  g_free(path);
  adl_harness_free(h);
  h = adl_harness_new("k,v\na,1\n,2\nb,3\n", "{k: id, v: float}");
  adl_harness_top(h, "max_rejects: 1\n");
  make_database(h, "a.db", "");
  adl_harness_run(h, "  o: {use: write-sqlite, into: a.db, table: t, key: k}\n", NULL);
  ASSERT_OK(h);
  assert_rejected(h, "o 3 k null, and it belongs to the key\n");
  ASSERT_ASKED(h, "a.db", "SELECT k, v FROM t", "a,1.0|b,3.0|");
  adl_harness_free(h);
}
END_TEST

/* A constraint's own ON CONFLICT loses no row silently; an upsert still changes its row, and a trigger's own clause counts
 * where the table has none. */
START_TEST(conflict_clauses) {
  static const struct {
    const char *table, *parameters, *refused, *rows;
  } cases[] = {
      {"v REAL NOT NULL ON CONFLICT IGNORE", "table: t", "NOT NULL constraint failed: t.v", "0,9.0|"},
      {"v REAL NOT NULL ON CONFLICT REPLACE DEFAULT 5", "table: t", "NOT NULL constraint failed: t.v", "0,9.0|"},
      {"v REAL, UNIQUE (k) ON CONFLICT IGNORE", "table: t", "UNIQUE constraint failed: t.k", "0,9.0|"},
      {"v REAL, UNIQUE (k) on /**/ conflict replace", "table: T", "UNIQUE constraint failed: t.k", "0,9.0|"},
      {"v REAL, UNIQUE (k) ON CONFLICT IGNORE", "table: t, mode: upsert, key: k", NULL, "0,9.0|1,2.0|2,NULL|"},
      {"v REAL, UNIQUE (k) ON CONFLICT REPLACE", "table: t, mode: upsert, key: k", NULL, "0,9.0|1,2.0|2,NULL|"},
      {"v REAL); CREATE TABLE seen (k PRIMARY KEY); CREATE TRIGGER s AFTER INSERT ON t BEGIN INSERT OR IGNORE INTO "
       "seen "
       "VALUES (new.k); END; CREATE VIEW u (x) AS SELECT (1",
       "table: t", NULL, "0,9.0|1,1.5|2,NULL|1,2.0|"},
  };
  adl_harness *h = adl_harness_new("k,v\n1,1.5\n2,\n1,2\n", "{k: int, v: float}");
  char *sql = g_strdup_printf("CREATE TABLE t (k INT, %s);"
                              "INSERT INTO t VALUES (0, 9)",
                              cases[_i].table);
  char *stage = g_strdup_printf("  o: {use: write-sqlite, into: a.db, %s}\n", cases[_i].parameters);
  make_database(h, "a.db", sql);
  adl_harness_run(h, stage, NULL);
  if (cases[_i].refused != NULL) {
    ck_assert(!adl_harness_ok(h));
    ck_assert_msg(strstr(adl_harness_errors(h), cases[_i].refused) != NULL, "%s", adl_harness_errors(h));
  } else {
    ASSERT_OK(h);
  }
  ASSERT_ASKED(h, "a.db", "SELECT k, v FROM t ORDER BY rowid", cases[_i].rows);
  g_free(stage);
  g_free(sql);
  adl_harness_free(h);
}
END_TEST

START_TEST(writing_refused) {
  static const char *const wrong[][2] = {
      {"table: t", "where to write is not said"},
      {"table: t, path: x.db, into: a.db", "`path` and `into` are both given"},
      {"table: t, path: '-'", "a database cannot be written to standard output"},
      {"path: x.db", "table"},
      {"table: sqlite_x, path: x.db", "SQLite's own"},
      {"table: t, path: x.db, mode: replace", "a new file has nothing to replace"},
      {"table: t, into: a.db, mode: upsert", "upsert needs a key"},
      {"table: t, into: a.db, key: [kk]", "what is written has no column `kk`; there are k, j, v, w"},
      {"table: t, into: a.db, mode: upsert, key: [v], columns: [k, j, v]",
       "t has no primary key or unique index of exactly these columns"},
      {"table: t, into: a.db", "t has no column `w`; there are k, j, v, more"},
      {"table: t, into: missing.db", "missing.db"},
      {"table: t, into: text.db", "file is not a database"},
  };
  adl_harness *h = adl_harness_new("k,j,v,w\na,1,0.5,1\n", "{k: id, j: int, v: float, w: float}");
  make_database(h, "a.db", old_table);
  adl_harness_file(h, "text.db", "this is no database at all, and long enough to look at, with more and more words",
                   -1);
  char *stage = g_strdup_printf("  o: {use: write-sqlite, %s}\n", wrong[_i][0]);
  adl_harness_run(h, stage, NULL);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), wrong[_i][1]) != NULL, "%s lacks %s", adl_harness_errors(h),
                wrong[_i][1]);
  g_free(stage);
  adl_harness_free(h);
}
END_TEST

/* Rows of a database through a stage that learns, back into the same database: more than one batch. */
START_TEST(many_rows) {
  GString *text = g_string_new("k,v\n");
  for (int i = 0; i < 20000; i++) g_string_append_printf(text, "key-%d,%d\n", i * 7 % 20000, i);
  adl_harness *h = adl_harness_new(text->str, "{k: id, v: float}");
  make_database(h, "a.db", "");
  adl_harness_run(h, "  o: {use: write-sqlite, into: a.db, table: t, key: k}\n", NULL);
  ASSERT_OK(h);
  adl_harness_run(h,
                  "  in: {use: read-sqlite, path: a.db, table: t, columns: {k: id, v: float}}\n"
                  "  s: {use: scale, columns: [v], method: minmax}\n"
                  "  o: {use: write-sqlite, into: a.db, table: t, columns: [k, scaled], mode: append}\n",
                  NULL);
  ck_assert(strstr(adl_harness_errors(h), "t has no column `scaled`") != NULL);
  adl_harness_run(h,
                  "  in: {use: read-sqlite, path: a.db, table: t, columns: {k: id, v: float}}\n"
                  "  s: {use: scale, columns: [v], method: minmax}\n"
                  "  o: {use: write-sqlite, into: a.db, table: u, columns: [k, scaled], key: k}\n",
                  "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 20000);
  ASSERT_ASKED(h, "a.db", "SELECT count(*), count(DISTINCT k), min(v), max(v) FROM t", "20000,20000,0.0,19999.0|");
  ASSERT_ASKED(h, "a.db",
               "SELECT count(*), max(abs(json_extract(scaled, '$[0]') * 19999 - v)) < 0.01 FROM u JOIN t USING (k)",
               "20000,1|");
  g_string_free(text, TRUE);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sqlite");
  TCase *cases = tcase_create("sqlite");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, known_values);
  tcase_add_test(cases, declared_types);
  tcase_add_loop_test(cases, rows_and_order, 0, (int)G_N_ELEMENTS(choices));
  tcase_add_loop_test(cases, other_types_are_rejected, 0, (int)G_N_ELEMENTS(bad));
  tcase_add_loop_test(cases, times, 0, 11);
  tcase_add_test(cases, only_listed_columns_are_read);
  tcase_add_loop_test(cases, reading_refused, 0, 23);
  tcase_add_test(cases, names_are_utf8);
  tcase_add_test(cases, files_refused);
  tcase_add_test(cases, there_and_back);
  tcase_add_test(cases, how_values_are_stored);
  tcase_add_loop_test(cases, modes_of_writing, 0, (int)G_N_ELEMENTS(modes));
  tcase_add_test(cases, failures_change_nothing);
  tcase_add_loop_test(cases, conflict_clauses, 0, 7);
  tcase_add_loop_test(cases, writing_refused, 0, 12);
  tcase_add_test(cases, many_rows);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
