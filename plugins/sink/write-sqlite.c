/* write-sqlite: rows into a table of a SQLite database, in one transaction. encode makes packed values of a batch on any
 * thread, write binds them to a prepared INSERT in order. */
#include <adloom/plugin.h>

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cells.h"
#include "common/sqlite_names.h"
#include "common/times.h"

enum { MODE_APPEND, MODE_REPLACE, MODE_UPSERT };

typedef struct write_sqlite {
  const char *path, *into, *table;
  adl_inputs columns;
  adl_strings key;
  int32_t mode;

  bool *is_key; /* of each column */
  sqlite3 *database;
  sqlite3_stmt *insert;
  bool begun; /* the file at path is ours to remove */
} write_sqlite;

static const char *file_of(const write_sqlite *self) { return self->path != NULL ? self->path : self->into; }
static const char *parameter_of(const write_sqlite *self) { return self->path != NULL ? "path" : "into"; }

static adl_status failed(const adl_call *call, const write_sqlite *self, const char *doing) {
  return adl_sqlite_failed(call, self->database, parameter_of(self), file_of(self), doing);
}

/* ---- values on their way: a tag, then what it says ---- */

enum { TAG_NULL, TAG_INTEGER, TAG_REAL, TAG_TEXT, TAG_BLOB };

static void add_number(adl_cells *cells, char tag, const void *value) {
  char *to = adl_cells_room(cells, 9);
  to[0] = tag;
  memcpy(to + 1, value, 8);
  cells->size += 9;
}

static void add_bytes(adl_cells *cells, char tag, const char *data, int32_t size) {
  char *to = adl_cells_room(cells, 5 + (int64_t)size);
  to[0] = tag;
  memcpy(to + 1, &size, sizeof size);
  if (size > 0) memcpy(to + 5, data, (size_t)size);
  cells->size += 5 + (int64_t)size;
}

/* What is not one value, as JSON text. */
static void add_json(adl_cells *cells, const adl_column *column, int64_t row) {
  int64_t begin = cells->size;
  add_bytes(cells, TAG_TEXT, NULL, 0);
  adl_cells_json(cells, column, row);
  int32_t size = (int32_t)(cells->size - begin - 5);
  memcpy(cells->data + begin + 1, &size, sizeof size);
}

static int64_t integer_at(const adl_column *column, int64_t row) {
  switch (column->type.element) {
    case ADL_BOOL: return adl_bit(column->data, row);
    case ADL_INT32: return ((const int32_t *)column->data)[row];
    case ADL_UINT32: return ((const uint32_t *)column->data)[row];
    default: return ((const int64_t *)column->data)[row];
  }
}

static void add_value(adl_cells *cells, const adl_column *column, int64_t row) {
  char time[ADL_TIME_TEXT];
  double real;
  int64_t integer;
  adl_text text;
  if (adl_is_null(column, row)) {
    adl_cells_add_byte(cells, TAG_NULL);
    return;
  }
  if (column->type.shape != ADL_SCALAR) {
    add_json(cells, column, row);
    return;
  }
  switch (column->type.element) {
    case ADL_FLOAT32:
    case ADL_FLOAT64:
      real = adl_number_at(column, row);
      if (isnan(real)) /* SQLite has none */
        adl_cells_add_byte(cells, TAG_NULL);
      else
        add_number(cells, TAG_REAL, &real);
      break;
    case ADL_TIMESTAMP:
      add_bytes(cells, TAG_TEXT, time, (int32_t)adl_time_print(((const int64_t *)column->data)[row], time));
      break;
    case ADL_STRING:
    case ADL_BYTES:
      text = adl_text_at(column, row);
      add_bytes(cells, column->type.element == ADL_STRING ? TAG_TEXT : TAG_BLOB, text.data, text.size);
      break;
    default: integer = integer_at(column, row); add_number(cells, TAG_INTEGER, &integer);
  }
}

/* Whether every column of the key has a value; else the row is rejected. */
static bool has_key(const adl_call *call, const write_sqlite *self, const adl_batch *batch, int64_t row) {
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *input = &self->columns.items[i];
    const adl_column *column = batch->slots[input->slot];
    if (!self->is_key[i]) continue;
    bool float_key = column->type.element == ADL_FLOAT32 || column->type.element == ADL_FLOAT64;
    if (!adl_is_null(column, row) && !(float_key && isnan(adl_number_at(column, row)))) continue;
    call->host->reject(call, row, input->name, "null, and it belongs to the key");
    return false;
  }
  return true;
}

static adl_status encode(const adl_call *call, const void *instance, const adl_batch *batch, adl_out *out) {
  const write_sqlite *self = instance;
  adl_cells cells;
  adl_cells_begin(&cells, call, out, 64 + batch->rows * self->columns.count * 16);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!has_key(call, self, batch, row)) continue;
    for (int64_t i = 0; i < self->columns.count; i++) add_value(&cells, batch->slots[self->columns.items[i].slot], row);
  }
  return adl_cells_commit(&cells);
}

/* ---- writing ---- */

/* Binds the value at `at` to a place of the statement; where the next one is. */
static const char *bind_value(sqlite3_stmt *insert, int place, const char *at) {
  int64_t integer;
  double real;
  int32_t size;
  switch (*at) {
    case TAG_NULL: sqlite3_bind_null(insert, place); return at + 1;
    case TAG_INTEGER:
      memcpy(&integer, at + 1, 8);
      sqlite3_bind_int64(insert, place, integer);
      return at + 9;
    case TAG_REAL:
      memcpy(&real, at + 1, 8);
      sqlite3_bind_double(insert, place, real);
      return at + 9;
    default: break;
  }
  memcpy(&size, at + 1, sizeof size);
  if (*at == TAG_TEXT)
    sqlite3_bind_text(insert, place, at + 5, size, SQLITE_STATIC);
  else
    sqlite3_bind_blob(insert, place, at + 5, size, SQLITE_STATIC);
  return at + 5 + size;
}

static adl_status insert_failed(const adl_call *call, const write_sqlite *self) {
  if (sqlite3_errcode(self->database) != SQLITE_CONSTRAINT) return failed(call, self, "write to it");
  bool unique = strstr(sqlite3_errmsg(self->database), "UNIQUE") != NULL;
  return call->host->fail(call, "table", -1,
                          unique && self->mode != MODE_UPSERT
                              ? "write the rows with `mode: upsert`, or leave out all but one of a key before"
                              : NULL,
                          "%s refuses a row: %s", self->table, sqlite3_errmsg(self->database));
}

static adl_status write_block(const adl_call *call, void *instance, const adl_batch *batch, const void *block,
                              int64_t size) {
  write_sqlite *self = instance;
  const char *at = block, *end = at + size;
  int columns = (int)self->columns.count;
  (void)batch;
  while (at < end) {
    for (int place = 1; place <= columns; place++) at = bind_value(self->insert, place, at);
    int result = sqlite3_step(self->insert);
    if (result != SQLITE_DONE) return insert_failed(call, self);
    sqlite3_reset(self->insert);
  }
  sqlite3_clear_bindings(self->insert); /* the block goes */
  return ADL_OK;
}

/* ---- the table ---- */

static const char *declared_as(adl_type type) {
  static const char *const names[] = {[ADL_BOOL] = "BOOLEAN",        [ADL_INT32] = "INTEGER", [ADL_INT64] = "INTEGER",
                                      [ADL_UINT32] = "INTEGER",      [ADL_FLOAT32] = "REAL",  [ADL_FLOAT64] = "REAL",
                                      [ADL_TIMESTAMP] = "TIMESTAMP", [ADL_STRING] = "TEXT",   [ADL_BYTES] = "BLOB"};
  return type.shape == ADL_SCALAR ? names[type.element] : "TEXT";
}

static adl_status execute(const adl_call *call, const write_sqlite *self, const char *sql, const char *doing) {
  if (sql == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  return sqlite3_exec(self->database, sql, NULL, NULL, NULL) == SQLITE_OK ? ADL_OK : failed(call, self, doing);
}

/* Runs what was built, and frees it. */
static adl_status execute_built(const adl_call *call, const write_sqlite *self, sqlite3_str *built, const char *doing) {
  char *sql = sqlite3_str_finish(built);
  adl_status status = execute(call, self, sql, doing);
  sqlite3_free(sql);
  return status;
}

static void add_names(sqlite3_str *sql, const adl_strings *names) {
  for (int64_t i = 0; i < names->count; i++) sqlite3_str_appendf(sql, "%s\"%w\"", i > 0 ? ", " : "", names->items[i]);
}

static adl_status create_table(const adl_call *call, const write_sqlite *self) {
  sqlite3_str *sql = sqlite3_str_new(self->database);
  sqlite3_str_appendf(sql, "CREATE TABLE \"%w\" (", self->table);
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *input = &self->columns.items[i];
    sqlite3_str_appendf(sql, "%s\n  \"%w\" %s%s", i > 0 ? "," : "", input->name, declared_as(input->type),
                        self->is_key[i] ? " NOT NULL" : "");
  }
  if (self->key.count > 0) {
    sqlite3_str_appendall(sql, ",\n  PRIMARY KEY (");
    add_names(sql, &self->key);
    sqlite3_str_appendall(sql, ")");
  }
  sqlite3_str_appendall(sql, "\n)");
  return execute_built(call, self, sql, "make the table");
}

/* The table that is there has the columns that are to be written. */
static adl_status check_table(const adl_call *call, const write_sqlite *self) {
  sqlite3_stmt *statement = NULL;
  char *all = sqlite3_mprintf("SELECT * FROM \"%w\"", self->table);
  adl_status status = ADL_OK;
  if (all == NULL || sqlite3_prepare_v2(self->database, all, -1, &statement, NULL) != SQLITE_OK)
    status = failed(call, self, "read the table");
  adl_sqlite_names names = adl_sqlite_result_names(call, statement);
  for (int64_t i = 0; status == ADL_OK && i < self->columns.count; i++)
    if (adl_sqlite_find(&names, self->columns.items[i].name) < 0)
      status = adl_sqlite_no_column(call, "columns", self->table, self->columns.items[i].name, &names);
  sqlite3_finalize(statement);
  sqlite3_free(all);
  return status;
}

/* Whether the table's declaration may say what becomes of a row that it refuses (ON CONFLICT IGNORE). */
static bool has_conflict_clause(const write_sqlite *self) {
  sqlite3_stmt *statement = NULL;
  static const char find[] = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE AND "
                             "sql LIKE '%ON%CONFLICT%'";
  bool found = sqlite3_prepare_v2(self->database, find, -1, &statement, NULL) == SQLITE_OK &&
               sqlite3_bind_text(statement, 1, self->table, -1, SQLITE_STATIC) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
  sqlite3_finalize(statement);
  return found;
}

/* INSERT INTO "t" ("a", "b") VALUES (?, ?) ON CONFLICT ("a") DO UPDATE SET "b" = excluded."b"
 * OR ABORT overrides the table's own ON CONFLICT, which would lose rows silently. Elsewhere that is how it is anyway, and
 * to say it would override the clauses inside the table's triggers, too. */
static adl_status prepare_insert(const adl_call *call, write_sqlite *self) {
  const char *or_abort = has_conflict_clause(self) ? " OR ABORT" : "";
  sqlite3_str *sql = sqlite3_str_new(self->database);
  int64_t others = 0;
  sqlite3_str_appendf(sql, "INSERT%s INTO \"%w\" (", or_abort, self->table);
  for (int64_t i = 0; i < self->columns.count; i++)
    sqlite3_str_appendf(sql, "%s\"%w\"", i > 0 ? ", " : "", self->columns.items[i].name);
  for (int64_t i = 0; i < self->columns.count; i++) sqlite3_str_appendall(sql, i > 0 ? ", ?" : ") VALUES (?");
  sqlite3_str_appendall(sql, ")");
  if (self->mode == MODE_UPSERT) {
    sqlite3_str_appendall(sql, " ON CONFLICT (");
    add_names(sql, &self->key);
    sqlite3_str_appendall(sql, ") DO");
    for (int64_t i = 0; i < self->columns.count; i++) {
      const char *name = self->columns.items[i].name;
      if (!self->is_key[i])
        sqlite3_str_appendf(sql, "%s \"%w\" = excluded.\"%w\"", others++ > 0 ? "," : " UPDATE SET", name, name);
    }
    if (others == 0) sqlite3_str_appendall(sql, " NOTHING");
  }
  char *text = sqlite3_str_finish(sql);
  if (text == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  int result = sqlite3_prepare_v3(self->database, text, -1, SQLITE_PREPARE_PERSISTENT, &self->insert, NULL);
  sqlite3_free(text);
  if (result == SQLITE_OK) return ADL_OK;
  if (strstr(sqlite3_errmsg(self->database), "ON CONFLICT") != NULL)
    return call->host->fail(call, "key", -1, "make one: CREATE UNIQUE INDEX ... ON ... (the columns of the key)",
                            "%s has no primary key or unique index of exactly these columns", self->table);
  return failed(call, self, "write to the table");
}

/* ---- files ---- */

/* A new file, which nobody sees before it is renamed: it needs no journal. */
static adl_status open_new(const adl_call *call, write_sqlite *self) {
  struct stat facts;
  if (stat(self->path, &facts) == 0 && !S_ISREG(facts.st_mode))
    return call->host->fail(call, "path", -1, NULL, "%s is no regular file, and a database cannot be written there",
                            self->path);
  unlink(self->path);
  self->begun = true;
  if (sqlite3_open_v2(self->path, &self->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                      NULL) != SQLITE_OK)
    return failed(call, self, "make it");
  ADL_TRY(execute(call, self, "PRAGMA journal_mode = OFF", "make it"));
  ADL_TRY(execute(call, self, "PRAGMA synchronous = OFF", "make it"));
  ADL_TRY(execute(call, self, "PRAGMA locking_mode = EXCLUSIVE", "make it"));
  return execute(call, self, "BEGIN IMMEDIATE", "make it");
}

/* A database that is there: its journal, or write-ahead log, keeps what was until the commit. */
static adl_status open_existing(const adl_call *call, write_sqlite *self) {
  if (sqlite3_open_v2(self->into, &self->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
    return failed(call, self, "open it");
  sqlite3_busy_timeout(self->database, 5000);
  return execute(call, self, "BEGIN IMMEDIATE", "begin to write to it");
}

static adl_status start(const adl_call *call, void *instance) {
  write_sqlite *self = instance;
  ADL_TRY(self->path != NULL ? open_new(call, self) : open_existing(call, self));
  if (!adl_sqlite_has_table(self->database, self->table)) {
    ADL_TRY(create_table(call, self));
  } else {
    ADL_TRY(check_table(call, self));
    if (self->mode == MODE_REPLACE) {
      sqlite3_str *sql = sqlite3_str_new(self->database);
      sqlite3_str_appendf(sql, "DELETE FROM \"%w\"", self->table);
      ADL_TRY(execute_built(call, self, sql, "empty the table"));
    }
  }
  return prepare_insert(call, self);
}

static adl_status commit(const adl_call *call, void *instance) {
  write_sqlite *self = instance;
  sqlite3_finalize(self->insert);
  self->insert = NULL;
  ADL_TRY(execute(call, self, "COMMIT", "finish writing to it"));
  if (sqlite3_close(self->database) != SQLITE_OK) return failed(call, self, "close it");
  self->database = NULL;
  if (self->path == NULL) return ADL_OK;
  int file = open(self->path, O_RDWR | O_CLOEXEC);
  bool safe = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  if (!safe) return call->host->fail(call, "path", -1, NULL, "%s: cannot finish writing to it", self->path);
  self->begun = false;
  return ADL_OK;
}

static void destroy(void *instance) {
  write_sqlite *self = instance;
  sqlite3_finalize(self->insert);
  sqlite3_close(self->database); /* rolls back */
  if (self->begun) unlink(self->path);
  sqlite3_free(self->is_key);
}

/* ---- binding ---- */

static adl_status set_key(const adl_call *call, write_sqlite *self) {
  adl_status status = ADL_OK;
  self->is_key = sqlite3_malloc64((sqlite3_uint64)self->columns.count + 1);
  if (self->is_key == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  memset(self->is_key, 0, (size_t)self->columns.count + 1);
  adl_sqlite_names names = {(int32_t)self->columns.count,
                            call->host->alloc(call, ((size_t)self->columns.count + 1) * sizeof *names.items)};
  for (int64_t i = 0; i < self->columns.count; i++) {
    names.items[i] = self->columns.items[i].name;
    for (int64_t k = 0; k < i; k++)
      if (sqlite3_stricmp(names.items[k], names.items[i]) == 0)
        status = call->host->fail(call, "columns", -1, "rename one of them: a table's columns differ by more than case",
                                  "the columns `%s` and `%s` have one name in SQL", names.items[k], names.items[i]);
  }
  for (int64_t i = 0; i < self->key.count; i++) {
    char parameter[32];
    int32_t at = adl_sqlite_find(&names, self->key.items[i]);
    sqlite3_snprintf((int)sizeof parameter, parameter, "key[%lld]", (long long)i);
    if (at < 0)
      status = adl_sqlite_no_column(call, parameter, "what is written", self->key.items[i], &names);
    else if (self->columns.items[at].type.shape != ADL_SCALAR)
      status = call->host->fail(call, parameter, -1, NULL, "`%s` is not one value, so it cannot be part of a key",
                                self->key.items[i]);
    else
      self->is_key[at] = true;
  }
  return status;
}

static adl_status bind(const adl_call *call, void *instance) {
  write_sqlite *self = instance;
  const adl_host *host = call->host;
  adl_status status = ADL_OK;
  if ((self->path != NULL) == (self->into != NULL))
    status = host->fail(call, NULL, -1, "say `path:` for a new file, or `into:` for a database that is there", "%s",
                        self->path != NULL ? "`path` and `into` are both given" : "where to write is not said");
  if (strcmp(self->path != NULL ? self->path : "", "-") == 0 || strcmp(self->into != NULL ? self->into : "", "-") == 0)
    status = host->fail(call, parameter_of(self), -1, NULL, "a database cannot be written to standard output");
  if (self->path != NULL && self->mode == MODE_REPLACE)
    status = host->fail(call, "mode", -1, "leave it out", "a new file has nothing to replace");
  if (self->mode == MODE_UPSERT && self->key.count == 0)
    status = host->fail(call, "key", -1, "name the columns that say which row is which", "upsert needs a key");
  if (self->columns.count == 0) status = host->fail(call, "columns", -1, NULL, "there are no columns to write");
  if (self->columns.count > 2000)
    status = host->fail(call, "columns", -1, "write fewer, or a vector of them",
                        "%lld columns are more than the 2000 that SQLite holds", (long long)self->columns.count);
  if (sqlite3_strnicmp(self->table, "sqlite_", 7) == 0)
    status = host->fail(call, "table", -1, NULL, "names that begin with sqlite_ are SQLite's own");
  return set_key(call, self) == ADL_OK ? status : ADL_FAILED;
}

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_OUT,
     .offset = offsetof(write_sqlite, path),
     .doc = "A new database file with this one table. It appears under this name when the run has succeeded, in place "
            "of what was there."},
    {.name = "into",
     .type = ADL_PARAM_PATH_IN,
     .offset = offsetof(write_sqlite, into),
     .doc = "In place of `path`: a database that is there already (an empty file will do), in which the table is "
            "changed or made. What else is in it stays."},
    {.name = "table",
     .type = ADL_PARAM_STRING,
     .flags = ADL_REQUIRED,
     .offset = offsetof(write_sqlite, table),
     .doc = "The table. If it is not there it is made."},
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(write_sqlite, columns),
     .elements = ADL_ANY_ELEMENT,
     .shapes = ADL_ANY_SHAPE,
     .default_value = "*",
     .doc = "Which columns. A table that is there must have them; those it has besides get their default."},
    {.name = "mode",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(write_sqlite, mode),
     .default_value = "append",
     .choices = "append|replace|upsert",
     .doc = "append: add the rows to those that are there. replace: delete all rows first; the table, its indexes and "
            "triggers stay. upsert: a row whose `key` is there already changes that row's columns."},
    {.name = "key",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF,
     .offset = offsetof(write_sqlite, key),
     .doc = "Columns that together say which row is which. A table that is made has them as its primary key; one that "
            "is there needs a primary key or a unique index of them for upsert."},
};

static const char doc[] =
    "Writes rows into a table of a SQLite 3 database (sqlite.org), from which read-sqlite reads the same values back.\n"
    "\n"
    "Integers and bools become INTEGER (0 and 1), floats REAL, strings TEXT, bytes BLOB, timestamps text like "
    "2024-01-31T09:30:00Z, which SQLite's date functions understand. Null is NULL, and so is NaN, which SQLite does "
    "not have. What is not one value is JSON text, as write-csv has it: lists and vectors [0.5,1], bags {\"token\":2}, "
    "sparse vectors {\"7\":0.5}.\n"
    "\n"
    "All rows are one transaction, committed when the run has succeeded: until then other programs see the old "
    "content, and when the run fails or is killed the old content stays. With `path` the whole file is new: it is "
    "written under another name, flushed to the disk and renamed. With `into` SQLite's journal does it; other programs "
    "may read meanwhile, and may not write. A failure that comes when outputs are already being published (another "
    "sink cannot be finished) does not undo the transaction.\n"
    "\n"
    "A row with a null in a column of the key is rejected. With upsert, the last of several rows with one key stays. A "
    "row that the table refuses (UNIQUE, CHECK, NOT NULL) ends the run, whatever its declaration says under ON "
    "CONFLICT; what its triggers do with a row is their affair. One stage writes to a database at a time.";

static const adl_class write_sqlite_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SINK,
    .id = "write-sqlite",
    .title = "Rows to a SQLite database",
    .doc = doc,
    .instance_size = sizeof(write_sqlite),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .encode = encode,
    .write = write_block,
    .commit = commit,
};

ADL_PLUGIN_OF("write-sqlite", "1.0.0", "sink:write-sqlite", &write_sqlite_class);
