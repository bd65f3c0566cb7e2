/* Names in SQLite databases, see sqlite_names.h. */
#include "common/sqlite_names.h"

#include <string.h>

#include "common/nearest.h"

adl_sqlite_names adl_sqlite_result_names(const adl_call *call, sqlite3_stmt *statement) {
  int32_t count = sqlite3_column_count(statement);
  adl_sqlite_names names = {count, call->host->alloc(call, ((size_t)count + 1) * sizeof *names.items)};
  for (int32_t i = 0; i < count; i++) {
    const char *name = sqlite3_column_name(statement, i);
    names.items[i] = name != NULL ? name : "";
  }
  return names;
}

int32_t adl_sqlite_find(const adl_sqlite_names *names, const char *name) {
  for (int32_t i = 0; i < names->count; i++)
    if (sqlite3_stricmp(names->items[i], name) == 0) return i;
  return -1;
}

/* "a, b, c", and "..." where there are too many; never empty. */
static void list_names(const adl_sqlite_names *names, char *list, size_t size) {
  strcpy(list, names->count == 0 ? "none" : "");
  for (int32_t i = 0; i < names->count; i++) {
    if (strlen(list) + strlen(names->items[i]) > size - 16) {
      strcat(list, ", ...");
      break;
    }
    strcat(strcat(list, i > 0 ? ", " : ""), names->items[i]);
  }
}

static const char *near_hint(const adl_sqlite_names *names, const char *name, char hint[160]) {
  int32_t near = adl_nearest(name, names->count, names->items);
  if (near < 0 || strlen(names->items[near]) > 100) return NULL;
  return strcat(strcat(strcpy(hint, "did you mean `"), names->items[near]), "`?");
}

static adl_status no_such(const adl_call *call, const char *parameter, const char *whose, const char *what,
                          const char *name, const adl_sqlite_names *names) {
  char list[512], hint[160];
  list_names(names, list, sizeof list);
  return call->host->fail(call, parameter, -1, near_hint(names, name, hint), "%s has no %s `%s`; there %s %s", whose,
                          what, name, names->count > 1 ? "are" : "is", list);
}

adl_status adl_sqlite_no_column(const adl_call *call, const char *parameter, const char *whose, const char *name,
                                const adl_sqlite_names *names) {
  return no_such(call, parameter, whose, "column", name, names);
}

static const char tables[] = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE "
                             "'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT 1000";

adl_status adl_sqlite_no_table(const adl_call *call, sqlite3 *database, const char *parameter, const char *path,
                               const char *name) {
  sqlite3_stmt *statement = NULL;
  adl_sqlite_names names = {0, call->host->alloc(call, 1000 * sizeof *names.items)};
  if (sqlite3_prepare_v2(database, tables, -1, &statement, NULL) != SQLITE_OK)
    return adl_sqlite_failed(call, database, "path", path, "read its tables");
  while (names.count < 1000 && sqlite3_step(statement) == SQLITE_ROW) {
    size_t size = (size_t)sqlite3_column_bytes(statement, 0);
    char *copy = call->host->alloc(call, size + 1);
    memcpy(copy, sqlite3_column_text(statement, 0), size);
    copy[size] = '\0';
    names.items[names.count++] = copy;
  }
  sqlite3_finalize(statement);
  return no_such(call, parameter, path, "table", name, &names);
}

bool adl_sqlite_has_table(sqlite3 *database, const char *name) {
  sqlite3_stmt *statement = NULL;
  static const char find[] = "SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE";
  bool found = sqlite3_prepare_v2(database, find, -1, &statement, NULL) == SQLITE_OK &&
               sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
  sqlite3_finalize(statement);
  return found;
}

adl_status adl_sqlite_failed(const adl_call *call, sqlite3 *database, const char *parameter, const char *path,
                             const char *doing) {
  int code = database != NULL ? sqlite3_errcode(database) : SQLITE_NOMEM;
  const char *hint = NULL;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
    hint = "another program, or another stage of this pipeline, is using it: let it finish first";
  else if (code == SQLITE_NOTADB)
    hint = "is this the right file?";
  else if (code == SQLITE_CORRUPT)
    hint = "look at it with `sqlite3 FILE 'PRAGMA integrity_check'`";
  else if (code == SQLITE_FULL)
    hint = "make room on that disk";
  else if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN)
    hint = "check who may read and write the file and its folder; a database in WAL mode, or one whose last writer was "
           "killed, must be opened once by a program that may write";
  return call->host->fail(call, parameter, -1, hint, "%s: cannot %s: %s", path, doing,
                          database != NULL ? sqlite3_errmsg(database) : "out of memory");
}
