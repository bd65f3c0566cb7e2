/* Tables and columns of a SQLite database by name: quoting, and messages that say which names there are. Used by
 * read-sqlite and write-sqlite. */
#ifndef ADLOOM_PLUGINS_COMMON_SQLITE_NAMES_H
#define ADLOOM_PLUGINS_COMMON_SQLITE_NAMES_H

#include <adloom/plugin.h>
#include <sqlite3.h>

/* Names of what a statement gives, as SQLite holds them: valid until it is finalised. In scratch memory of the call. */
typedef struct adl_sqlite_names {
  int32_t count;
  const char **items;
} adl_sqlite_names;

adl_sqlite_names adl_sqlite_result_names(const adl_call *call, sqlite3_stmt *statement);

/* Number of the name, in any case of ASCII letters as SQL has it; -1: none. */
int32_t adl_sqlite_find(const adl_sqlite_names *names, const char *name);

/* Fails with "PATH has no table `NAME`", the tables there are, and the one that may have been meant. */
adl_status adl_sqlite_no_table(const adl_call *call, sqlite3 *database, const char *parameter, const char *path,
                               const char *name);
/* Fails with "WHOSE has no column `NAME`", the columns there are, and the one that may have been meant. */
adl_status adl_sqlite_no_column(const adl_call *call, const char *parameter, const char *whose, const char *name,
                                const adl_sqlite_names *names);

/* Whether there is a table or view of this name. */
bool adl_sqlite_has_table(sqlite3 *database, const char *name);

/* Fails with SQLite's own message about `database`, and a hint where the code tells one. */
adl_status adl_sqlite_failed(const adl_call *call, sqlite3 *database, const char *parameter, const char *path,
                             const char *doing);

#endif
