/* Rows of a SQLite statement to typed columns of a batch. Used by read-sqlite. */
#ifndef ADLOOM_PLUGINS_COMMON_SQLITE_ROWS_H
#define ADLOOM_PLUGINS_COMMON_SQLITE_ROWS_H

#include <sqlite3.h>

#include "common/column_types.h"

enum { ADL_SQLITE_BATCH = 4096 }; /* rows */

typedef struct adl_sqlite_columns {
  int32_t count;
  adl_csv_column *items;
  int32_t *fields; /* of each: number in the statement's result; -1: it is skipped */
} adl_sqlite_columns;

/* A batch in the making. The caller sets all but `to` and `wanted`. */
typedef struct adl_sqlite_reader {
  const adl_call *call;
  const adl_sqlite_columns *columns;
  sqlite3_stmt *statement;
  adl_out *out;
  adl_buffers *to; /* of each column; meant where `wanted` */
  bool *wanted;
  int64_t at;       /* row of the batch */
  int64_t position; /* for messages */
} adl_sqlite_reader;

/* Reserves the columns that somebody reads, for ADL_SQLITE_BATCH rows. */
adl_status adl_sqlite_reader_begin(adl_sqlite_reader *in);

/* Reads the row that the statement stands on as row `at` of the batch. False: it was rejected, or *status says that memory
 * ran out. */
bool adl_sqlite_read_row(adl_sqlite_reader *in, adl_status *status);

#endif
