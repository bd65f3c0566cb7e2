/* Takes blocks of lines of JSON apart into typed columns; the decode of read-jsonl. Any number of threads. */
#ifndef ADLOOM_PLUGINS_COMMON_JSONL_COLUMNS_H
#define ADLOOM_PLUGINS_COMMON_JSONL_COLUMNS_H

#include "common/csv_columns.h"
#include "common/json_scan.h"
#include "common/lines.h"

/* A column: its plain type, or that of the items of a list. */
typedef struct adl_jsonl_field {
  adl_csv_column column;
  bool list;
} adl_jsonl_field;

/* What decoding needs to know, the same for all blocks of a source. */
typedef struct adl_jsonl_table {
  int32_t column_count;
  const adl_jsonl_field *fields;
  const adl_json_node *nodes; /* their values are numbers of columns */
  const char *const *file_names;
  int32_t file_slot; /* column that holds the file's name; -1: none */
} adl_jsonl_table;

/* Gives the host a batch of the block's good rows; the others go to host->reject_record, in order. Every column is
 * checked, whether somebody reads it or not. `data` and `position` are as adl_lines_next gave them. */
adl_status adl_jsonl_decode(const adl_jsonl_table *table, const adl_call *call, const void *data, int64_t position,
                            adl_out *out);

#endif
