/* Takes blocks of delimited text apart into typed columns; the decode of read-csv. Any number of threads. */
#ifndef ADLOOM_PLUGINS_COMMON_CSV_COLUMNS_H
#define ADLOOM_PLUGINS_COMMON_CSV_COLUMNS_H

#include "common/csv_reader.h"
#include "common/times.h"

typedef enum adl_csv_type {
  ADL_CSV_STRING,
  ADL_CSV_INT,
  ADL_CSV_FLOAT,
  ADL_CSV_BOOL,
  ADL_CSV_TIMESTAMP,
  ADL_CSV_DATE,
  ADL_CSV_SKIP
} adl_csv_type;

typedef struct adl_csv_column {
  const char *name;
  adl_csv_type type;
  adl_time_format time; /* TIMESTAMP, DATE */
  int32_t slot;         /* the host's output slot */
} adl_csv_column;

/* What decoding needs to know, the same for all blocks of a source. */
typedef struct adl_csv_table {
  adl_csv_dialect dialect; /* the delimiter is in the block's head */
  int32_t column_count;
  const adl_csv_column *columns;
  adl_strings nulls;     /* texts that mean null, besides the empty one */
  bool null_quoted;      /* the empty text means null in quotes, too */
  bool null_begins[256]; /* one of them begins with this byte */
  bool null_numbers;     /* one of them may be a number */
  const char *const *file_names;
  int32_t file_slot; /* column that holds the file's name; -1: none */
} adl_csv_table;

/* Stands before the text of a block. */
typedef struct adl_csv_head {
  int32_t file;     /* into file_names */
  int32_t fields;   /* in each record */
  uint32_t records; /* at most so many */
  uint32_t size;    /* of the text */
  char delimiter;
  char reserved[7];
  int32_t field[]; /* of each column of the table: which field it is */
} adl_csv_head;

/* Size of the head in the block; a multiple of 64. */
static inline uint32_t adl_csv_head_size(int32_t columns) {
  return ((uint32_t)sizeof(adl_csv_head) + 4 * (uint32_t)columns + 63) / 64 * 64;
}

/* Gives the host a batch of the block's good records; the others go to host->reject_record, in order. Every column is
 * checked, whether somebody reads it or not. `line`: number of the block's first line. */
adl_status adl_csv_decode(const adl_csv_table *table, const adl_call *call, const adl_csv_head *head, int64_t line,
                          adl_out *out);

#endif
