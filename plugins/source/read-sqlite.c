/* read-sqlite: rows of a table or a query of a SQLite database. One connection, opened read-only in bind; each scan is one
 * read transaction, from open to close, and all scans of a run must see the same content. */
#include <adloom/plugin.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/sqlite_names.h"
#include "common/sqlite_rows.h"

/* What the first scan of a run found, for those after it; they come one after the other. */
typedef struct content {
  bool known;
  int64_t version;
} content;

typedef struct read_sqlite {
  const char *path, *table, *query, *where, *order_by, *timestamp_format;
  adl_map columns;

  sqlite3 *database;
  char *sql; /* gives the columns that are not skipped, in their order, and the rowid behind them */
  adl_sqlite_columns listed;
  char **names;   /* those that came from the table; else NULL */
  bool has_rowid; /* the last of the result */
  content *content;
} read_sqlite;

/* ---- scans ---- */

typedef struct cursor {
  sqlite3_stmt *statement;
  int64_t rows; /* read so far */
  bool done;
} cursor;

static adl_status failed(const adl_call *call, const read_sqlite *self, const char *doing) {
  return adl_sqlite_failed(call, self->database, "path", self->path, doing);
}

static adl_status execute(const adl_call *call, const read_sqlite *self, const char *sql) {
  return sqlite3_exec(self->database, sql, NULL, NULL, NULL) == SQLITE_OK ? ADL_OK : failed(call, self, "read it");
}

static adl_status number_of(const adl_call *call, const read_sqlite *self, const char *sql, int64_t *number) {
  sqlite3_stmt *statement = NULL;
  bool found = sqlite3_prepare_v2(self->database, sql, -1, &statement, NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
  if (found) *number = sqlite3_column_int64(statement, 0);
  adl_status status = found ? ADL_OK : failed(call, self, "read it");
  sqlite3_finalize(statement);
  return status;
}

/* Begins the transaction of a scan: from here on the content stays as it is. */
static adl_status begin(const adl_call *call, const read_sqlite *self) {
  content *first = self->content;
  int64_t version, tables;
  if (sqlite3_get_autocommit(self->database) == 0) ADL_TRY(execute(call, self, "ROLLBACK")); /* a scan was cut off */
  ADL_TRY(execute(call, self, "BEGIN"));
  ADL_TRY(number_of(call, self, "SELECT count(*) FROM sqlite_master", &tables));
  ADL_TRY(number_of(call, self, "PRAGMA data_version", &version));
  if (first->known && version != first->version)
    return call->host->fail(call, "path", -1, "run it again when nothing writes to the database, or read a copy of it",
                            "%s was changed between two passes over its rows", self->path);
  *first = (content){true, version};
  return ADL_OK;
}

static adl_status shards(const adl_call *call, void *instance, int32_t *count) {
  (void)call;
  (void)instance;
  *count = 1;
  return ADL_OK;
}

static adl_status open_scan(const adl_call *call, void *instance, int32_t shard, void **state) {
  const read_sqlite *self = instance;
  (void)shard;
  call->host->shard_name(call, self->path);
  ADL_TRY(begin(call, self));
  cursor *scan = calloc(1, sizeof *scan);
  if (scan == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  if (sqlite3_prepare_v3(self->database, self->sql, -1, SQLITE_PREPARE_PERSISTENT, &scan->statement, NULL) !=
      SQLITE_OK) {
    free(scan);
    return failed(call, self, "read it");
  }
  *state = scan;
  return ADL_OK;
}

static void close_scan(const adl_call *call, void *instance, void *state) {
  cursor *scan = state;
  (void)call;
  if (scan == NULL) return;
  sqlite3_finalize(scan->statement);
  free(scan);
  sqlite3_exec(((read_sqlite *)instance)->database, "ROLLBACK", NULL, NULL, NULL); /* nothing was written */
}

static adl_status next(const adl_call *call, void *instance, void *state, adl_out *out) {
  const read_sqlite *self = instance;
  cursor *scan = state;
  if (scan->done) return ADL_END;
  adl_sqlite_reader in = {.call = call, .columns = &self->listed, .statement = scan->statement, .out = out};
  adl_status status = adl_sqlite_reader_begin(&in);
  ADL_TRY(status);
  int64_t *positions = call->host->positions(call, out, ADL_SQLITE_BATCH);
  int rowid = sqlite3_column_count(scan->statement) - 1, result = SQLITE_ROW;
  for (int32_t rows = 0; rows < ADL_SQLITE_BATCH; rows++) {
    result = sqlite3_step(scan->statement);
    if (result != SQLITE_ROW) break;
    scan->rows++;
    in.position = self->has_rowid ? sqlite3_column_int64(scan->statement, rowid) : scan->rows;
    if (adl_sqlite_read_row(&in, &status)) positions[in.at++] = in.position;
    ADL_TRY(status);
  }
  if (result != SQLITE_ROW && result != SQLITE_DONE) return failed(call, self, "read it");
  scan->done = result == SQLITE_DONE;
  return call->host->commit(call, out, in.at);
}

/* The files say what the content is, unless some of it is still in the log beside them. */
static adl_status fingerprint(const adl_call *call, void *instance, uint8_t digest[32]) {
  const read_sqlite *self = instance;
  struct stat facts;
  char *log = sqlite3_mprintf("%s-wal", self->path);
  bool pending = log == NULL || (stat(log, &facts) == 0 && facts.st_size > 0);
  (void)call;
  sqlite3_free(log);
  memset(digest, 0, 32);
  return pending ? ADL_LATER : ADL_OK;
}

/* ---- binding ---- */

/* What a table's own declaration says; ADL_CSV_SKIP: nothing that is known. */
static adl_csv_type declared_type(const char *text) {
  static const struct {
    const char *part;
    adl_csv_type type;
  } parts[] = {{"%BOOL%", ADL_CSV_BOOL},
               {"%TIMESTAMP%", ADL_CSV_TIMESTAMP},
               {"%DATETIME%", ADL_CSV_TIMESTAMP},
               {"%DATE%", ADL_CSV_DATE},
               {"%INT%", ADL_CSV_INT},
               {"%CHAR%", ADL_CSV_STRING},
               {"%CLOB%", ADL_CSV_STRING},
               {"%TEXT%", ADL_CSV_STRING},
               {"%REAL%", ADL_CSV_FLOAT},
               {"%FLOA%", ADL_CSV_FLOAT},
               {"%DOUB%", ADL_CSV_FLOAT}};
  for (size_t i = 0; text != NULL && i < sizeof parts / sizeof *parts; i++)
    if (sqlite3_strlike(parts[i].part, text, 0) == 0) return parts[i].type;
  return ADL_CSV_SKIP;
}

static adl_status allocate_items(const adl_call *call, read_sqlite *self, int32_t count) {
  self->listed.count = count;
  self->listed.items = calloc((size_t)count + 1, sizeof *self->listed.items);
  self->listed.fields = calloc((size_t)count + 1, sizeof *self->listed.fields);
  self->names = calloc((size_t)count + 1, sizeof *self->names);
  if (self->listed.items == NULL || self->listed.fields == NULL || self->names == NULL)
    return call->host->fail(call, NULL, -1, NULL, "out of memory");
  return ADL_OK;
}

/* Without `columns`: all that the table has, as it declares them. */
static adl_status take_declared(const adl_call *call, read_sqlite *self, sqlite3_stmt *statement) {
  adl_sqlite_names names = adl_sqlite_result_names(call, statement);
  ADL_TRY(allocate_items(call, self, names.count));
  adl_status status = ADL_OK;
  for (int32_t i = 0; i < names.count; i++) {
    const char *text = sqlite3_column_decltype(statement, i);
    adl_csv_column *item = &self->listed.items[i];
    self->names[i] = strdup(names.items[i]);
    if (self->names[i] == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
    *item = (adl_csv_column){.name = self->names[i], .type = declared_type(text), .slot = -1};
    self->listed.fields[i] = i;
    int32_t at;
    adl_time_format_set(&item->time, self->timestamp_format, &at);
    if (item->type == ADL_CSV_SKIP)
      status = call->host->fail(call, "columns", -1, "say under `columns` which there are and of which types",
                                "the type of column `%s` does not follow from its declaration, which is %s", item->name,
                                text != NULL ? text : "without one");
  }
  return status;
}

/* The columns that were listed, which must be there. */
static adl_status take_listed(const adl_call *call, read_sqlite *self, sqlite3_stmt *statement) {
  adl_sqlite_names names = adl_sqlite_result_names(call, statement);
  adl_status status = allocate_items(call, self, (int32_t)self->columns.count);
  ADL_TRY(status);
  for (int32_t i = 0; i < self->listed.count; i++) {
    const char *name = self->columns.keys[i];
    char *parameter = call->host->alloc(call, strlen(name) + 10);
    strcat(strcpy(parameter, "columns."), name);
    self->listed.items[i] = (adl_csv_column){.name = name, .slot = -1};
    self->listed.fields[i] = adl_sqlite_find(&names, name);
    if (adl_column_type_set(call, self->timestamp_format, self->columns.values[i], &self->listed.items[i]) != ADL_OK)
      status = ADL_FAILED;
    else if (self->listed.fields[i] < 0)
      status = adl_sqlite_no_column(call, parameter, self->table != NULL ? self->table : "the query", name, &names);
    for (int32_t k = self->listed.fields[i] + 1; self->listed.fields[i] >= 0 && k < names.count; k++)
      if (sqlite3_stricmp(names.items[k], name) == 0)
        status = call->host->fail(call, "query", -1, "name one of them otherwise: `x AS y`",
                                  "the query gives the column `%s` twice", name);
    if (self->listed.items[i].type == ADL_CSV_SKIP) self->listed.fields[i] = -1;
  }
  return status;
}

static adl_status declare_items(const adl_call *call, read_sqlite *self) {
  adl_status status = ADL_OK;
  bool any = false;
  for (int32_t i = 0; i < self->listed.count; i++) {
    adl_csv_column *item = &self->listed.items[i];
    if (self->listed.fields[i] < 0) continue;
    any = true;
    if (call->host->declare_named(call, "columns", item->name, adl_column_type(item->type), &item->slot) != ADL_OK)
      status = ADL_FAILED;
  }
  if (!any) status = call->host->fail(call, "columns", -1, NULL, "every column is skipped: there is nothing to read");
  return status;
}

/* The rowid's name, where the table has one and no column of its own hides it. */
static const char *rowid_of(const read_sqlite *self, const adl_sqlite_names *names) {
  static const char *const aliases[] = {"rowid", "_rowid_", "oid"};
  for (int i = 0; i < 3; i++) {
    if (adl_sqlite_find(names, aliases[i]) >= 0) continue;
    int key = 0;
    bool found = sqlite3_table_column_metadata(self->database, NULL, self->table, aliases[i], NULL, NULL, NULL, &key,
                                               NULL) == SQLITE_OK;
    return found ? aliases[i] : NULL;
  }
  return NULL;
}

/* The statement of a table: its listed columns, and behind them the rowid. Numbers of fields become those of its result. */
static adl_status build_sql(const adl_call *call, read_sqlite *self, const adl_sqlite_names *names) {
  const char *rowid = rowid_of(self, names), *order = self->order_by != NULL ? self->order_by : rowid;
  sqlite3_str *sql = sqlite3_str_new(self->database);
  int32_t fields = 0;
  sqlite3_str_appendall(sql, "SELECT ");
  for (int32_t i = 0; i < self->listed.count; i++) {
    if (self->listed.fields[i] < 0) continue;
    sqlite3_str_appendf(sql, "%s\"%w\"", fields > 0 ? ", " : "", names->items[self->listed.fields[i]]);
    self->listed.fields[i] = fields++;
  }
  self->has_rowid = rowid != NULL;
  if (rowid != NULL) sqlite3_str_appendf(sql, ", %s", rowid);
  sqlite3_str_appendf(sql, " FROM \"%w\"", self->table);
  if (self->where != NULL) sqlite3_str_appendf(sql, " WHERE (%s\n)", self->where);
  if (order != NULL) sqlite3_str_appendf(sql, " ORDER BY %s", order);
  self->sql = sqlite3_str_finish(sql);
  return self->sql != NULL ? ADL_OK : call->host->fail(call, NULL, -1, NULL, "out of memory");
}

/* Statements may read, and give the same rows each time. */
static int authorise(void *nothing, int action, const char *first, const char *second, const char *schema,
                     const char *trigger) {
  (void)nothing;
  (void)first;
  (void)schema;
  (void)trigger;
  if (action == SQLITE_ATTACH || action == SQLITE_DETACH) return SQLITE_DENY;
  if (action == SQLITE_FUNCTION &&
      (sqlite3_stricmp(second, "random") == 0 || sqlite3_stricmp(second, "randomblob") == 0))
    return SQLITE_DENY;
  return SQLITE_OK;
}

/* Prepares one statement that gives rows and changes nothing. */
static adl_status prepare_select(const adl_call *call, const read_sqlite *self, const char *parameter, const char *sql,
                                 sqlite3_stmt **statement) {
  const char *rest = NULL;
  if (sqlite3_prepare_v2(self->database, sql, -1, statement, &rest) != SQLITE_OK) {
    int32_t at = strcmp(parameter, "query") == 0 ? sqlite3_error_offset(self->database) : -1;
    return call->host->fail(call, parameter, at, NULL, "SQLite cannot make sense of it: %s",
                            sqlite3_errmsg(self->database));
  }
  while (*rest != '\0') { /* blanks, comments and ; prepare to nothing */
    sqlite3_stmt *another = NULL;
    bool nothing = sqlite3_prepare_v2(self->database, rest, -1, &another, &rest) == SQLITE_OK && another == NULL;
    sqlite3_finalize(another);
    if (!nothing) return call->host->fail(call, parameter, -1, NULL, "there is more than one statement");
  }
  if (*statement == NULL || sqlite3_column_count(*statement) == 0 || !sqlite3_stmt_readonly(*statement))
    return call->host->fail(call, parameter, -1, NULL, "it is not a SELECT: it gives no rows, or would change them");
  if (sqlite3_bind_parameter_count(*statement) > 0)
    return call->host->fail(call, parameter, -1, NULL, "it has parameters (?), which nothing would fill in");
  return ADL_OK;
}

static adl_status bind_table(const adl_call *call, read_sqlite *self) {
  if (!adl_sqlite_has_table(self->database, self->table))
    return adl_sqlite_no_table(call, self->database, "table", self->path, self->table);
  char *all = sqlite3_mprintf("SELECT * FROM \"%w\"", self->table);
  sqlite3_stmt *statement = NULL;
  if (all == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  adl_status status = prepare_select(call, self, "table", all, &statement);
  if (status == ADL_OK)
    status = self->columns.count > 0 ? take_listed(call, self, statement) : take_declared(call, self, statement);
  if (status == ADL_OK) status = declare_items(call, self);
  if (status == ADL_OK) {
    adl_sqlite_names names = adl_sqlite_result_names(call, statement);
    status = build_sql(call, self, &names);
  }
  sqlite3_finalize(statement);
  sqlite3_free(all);
  statement = NULL;
  if (status == ADL_OK)
    status = prepare_select(call, self, self->where != NULL ? "where" : "order_by", self->sql, &statement);
  sqlite3_finalize(statement);
  return status;
}

static adl_status bind_query(const adl_call *call, read_sqlite *self) {
  sqlite3_stmt *statement = NULL;
  adl_status status = prepare_select(call, self, "query", self->query, &statement);
  if (status == ADL_OK && self->columns.count == 0)
    status = call->host->fail(call, "columns", -1, "columns: {name: type}",
                              "the columns of a query and their types must be named here");
  if (status == ADL_OK) status = take_listed(call, self, statement);
  if (status == ADL_OK) status = declare_items(call, self);
  sqlite3_finalize(statement);
  self->sql = status == ADL_OK ? sqlite3_mprintf("%s", self->query) : NULL;
  if (status == ADL_OK && self->sql == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  return status;
}

static adl_status bind(const adl_call *call, void *instance) {
  read_sqlite *self = instance;
  const adl_host *host = call->host;
  adl_time_format format;
  int32_t at;
  adl_status status = ADL_OK;
  const char *wrong = adl_time_format_set(&format, self->timestamp_format, &at);
  if (wrong != NULL)
    status = host->fail(call, "timestamp_format", at, NULL, "\"%s\" %s", self->timestamp_format, wrong);
  if ((self->table != NULL) == (self->query != NULL))
    status = host->fail(call, NULL, -1, "say `table:` or `query:`", "%s",
                        self->table != NULL ? "a table and a query are both given" : "what to read is not said");
  if (self->query != NULL && (self->where != NULL || self->order_by != NULL))
    status = host->fail(call, self->where != NULL ? "where" : "order_by", -1, "write it into the query",
                        "this goes with `table`");
  if (strcmp(self->path, "-") == 0)
    status = host->fail(call, "path", -1, NULL, "a database cannot be read from standard input");
  ADL_TRY(status);
  self->content = calloc(1, sizeof *self->content);
  if (self->content == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
  if (sqlite3_open_v2(self->path, &self->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
    return failed(call, self, "open it");
  sqlite3_busy_timeout(self->database, 5000);
  sqlite3_set_authorizer(self->database, authorise, NULL);
  if (sqlite3_exec(self->database, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
    return failed(call, self, "read it");
  return self->table != NULL ? bind_table(call, self) : bind_query(call, self);
}

static void destroy(void *instance) {
  read_sqlite *self = instance;
  sqlite3_close(self->database);
  sqlite3_free(self->sql);
  for (int32_t i = 0; self->names != NULL && i < self->listed.count; i++) free(self->names[i]);
  free(self->names);
  free(self->content);
  free(self->listed.items);
  free(self->listed.fields);
}

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(read_sqlite, path),
     .doc = "The database. It is opened for reading only."},
    {.name = "table",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_sqlite, table),
     .doc = "The table or view to read. Only the columns that are listed are asked for."},
    {.name = "query",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_sqlite, query),
     .doc = "In place of `table`: a SELECT, whose columns are listed under `columns`. It must give the same rows each "
            "time: end it with an ORDER BY that leaves no order open, and do not ask for the time of day."},
    {.name = "columns",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF,
     .offset = offsetof(read_sqlite, columns),
     .doc =
         "Names and types, `{user: id, price: float, at: timestamp}`: string, id and category (all text), int, float, "
         "bool, timestamp, date, skip; a timestamp or date may have a format of its own behind it. Without it, all "
         "columns of the table, of the types that it declares (BOOL..., TIMESTAMP, DATETIME, DATE, ...INT..., "
         "...CHAR..., TEXT, CLOB, REAL, FLOAT, DOUBLE)."},
    {.name = "where",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_sqlite, where),
     .doc = "A condition in SQL for the rows of `table`: SQLite looks for them itself, with its indexes."},
    {.name = "order_by",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_sqlite, order_by),
     .doc = "How the rows of `table` are ordered, in SQL (`at, id`). Without it by rowid; a table without rowids, or a "
            "view, comes in the order SQLite has it in."},
    {.name = "timestamp_format",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_sqlite, timestamp_format),
     .default_value = "iso",
     .doc = "How points in time are stored: iso, unix, unix_ms, unix_us, or a pattern with %. With iso and patterns "
            "that is text; an integer is microseconds since 1970 there."},
};

static const char doc[] =
    "Reads a table, a view or a query of a SQLite 3 database (sqlite.org), row by row, without holding the table in "
    "memory.\n"
    "\n"
    "SQLite lets any value stand in any column; here each has the type that `columns` says, and a row with a value of "
    "another is rejected, with its rowid (of a query or view: the number of the row), the column and the value. An int "
    "is an INTEGER. A float is a REAL or an INTEGER. A bool is 0, 1, or text like true or no. A string is TEXT in "
    "UTF-8; a number there becomes its decimal. A timestamp or date is text in `timestamp_format`, or an INTEGER of "
    "microseconds since 1970 (with unix, unix_ms and unix_us: a number of that unit); times without an offset are UTC. "
    "NULL is null. A BLOB is none of these. Every listed column is checked in every row, whether something reads it or "
    "not.\n"
    "\n"
    "A pass over the rows is one read transaction, so other programs may write meanwhile (in WAL mode; otherwise they "
    "wait), and it sees the database as it was when the pass began. Where a pipeline makes several passes and the "
    "database was changed between two of them, the run ends rather than learn from rows that do not belong together. "
    "Functions that give another result each time (random) are refused in a query.\n"
    "\n"
    "What was learned from a database is stored under its content, as with other files; while some of it is still in a "
    "write-ahead log beside the file nothing is taken from the store.\n"
    "\n"
    "An empty table gives no rows. A database in WAL mode in a folder that may not be written to can only be read "
    "while "
    "its -shm file is there.";

static const adl_class read_sqlite_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "read-sqlite",
    .title = "SQLite databases",
    .doc = doc,
    .form = ADL_NEW,
    .instance_size = sizeof(read_sqlite),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .shards = shards,
    .open = open_scan,
    .next = next,
    .close = close_scan,
    .fingerprint = fingerprint,
};

ADL_PLUGIN_OF("read-sqlite", "1.0.0", "source:read-sqlite", &read_sqlite_class);
