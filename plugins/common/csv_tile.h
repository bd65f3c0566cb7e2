/* Inside of csv_columns.c: the records of a block are taken apart a tile at a time, small enough to stay in the first
 * caches, and a tile column by column, each by one tight loop (csv_convert.c). */
#ifndef ADLOOM_PLUGINS_COMMON_CSV_TILE_H
#define ADLOOM_PLUGINS_COMMON_CSV_TILE_H

#include "common/csv_columns.h"
#include "common/simd.h"

enum { ADL_CSV_TILE = 128, ADL_CSV_TILE_ROOM = ADL_CSV_TILE + ADL_CSV_ROOM };

/* One column's texts, a tile long. They may be read up to eight bytes before and ADL_CSV_PAD bytes behind. */
typedef struct adl_csv_values {
  uint32_t count;
  bool any_quoted;
  adl_simd simd; /* for numbers; portable where one of them may stand for null */

  /* Where text i ends, in `base`: ends[i * stride]; it begins behind the end that stands before that. NULL: below. */
  const char *base;
  const uint32_t *ends;
  uint32_t stride;

  const char *text[ADL_CSV_TILE_ROOM];
  uint32_t size[ADL_CSV_TILE_ROOM];
  bool quoted[ADL_CSV_TILE_ROOM]; /* set only with any_quoted */
} adl_csv_values;

/* A text, without its end. */
typedef struct adl_csv_value {
  const char *text;
  uint32_t size;
} adl_csv_value;

static inline adl_csv_value adl_csv_value_at(const adl_csv_values *values, uint32_t i) {
  if (values->ends == NULL) return (adl_csv_value){values->text[i], values->size[i]};
  const uint32_t *end = values->ends + (size_t)i * values->stride;
  return (adl_csv_value){values->base + end[-1] + 1, *end - end[-1] - 1};
}

/* What can be wrong with a value or record; 0: nothing. */
typedef enum adl_csv_problem {
  ADL_CSV_FINE = 0,
  ADL_CSV_BAD_VALUE,
  ADL_CSV_BAD_RANGE,
  ADL_CSV_BAD_TEXT,
  ADL_CSV_TOO_LONG,
  ADL_CSV_HAS_ZERO,
  ADL_CSV_TOO_FEW,
  ADL_CSV_TOO_MANY,
  ADL_CSV_BAD_QUOTE
} adl_csv_problem;

/* Where the values of one column go. For a column that nobody reads the buffers are scratch, `row` stays 0 and strings
 * are not copied. */
typedef struct adl_csv_sink {
  adl_buffers buffers;
  int64_t row;   /* the tile's first row */
  int64_t bytes; /* strings: used so far */
  bool wanted;
} adl_csv_sink;

/* One block being decoded, and the tile in hand. */
typedef struct adl_csv_decoder {
  const adl_csv_table *table;
  const adl_call *call;
  adl_out *out;
  const adl_csv_head *head;
  const char *text;
  int64_t line;
  adl_csv_dialect dialect;
  adl_csv_scan scan;
  adl_csv_sink *sinks;
  char *spare; /* for values whose doubled quotes are undone; NULL before it is needed */
  int64_t *positions;
  int64_t rows;            /* given so far */
  int64_t bytes_in_column; /* a guess for reserving strings */

  /* the tile */
  bool check_utf8;
  bool regular;                        /* all its records are rows */
  uint32_t count;                      /* records that may become rows */
  uint32_t record[ADL_CSV_TILE_ROOM];  /* which ones, into scan.records */
  uint32_t first[ADL_CSV_TILE_ROOM];   /* and where their fields begin: in scan.ends */
  uint32_t begin[ADL_CSV_TILE_ROOM];   /* and in the text */
  uint8_t problem[ADL_CSV_TILE_ROOM];  /* adl_csv_problem of each record of the scan */
  int32_t culprit[ADL_CSV_TILE_ROOM];  /* the column it is about; -1: none */
  uint8_t problems[ADL_CSV_TILE_ROOM]; /* of one column; all FINE between columns */
  adl_csv_values values;
} adl_csv_decoder;

/* Tells the host about record r of the tile, which has a problem. */
void adl_csv_reject(adl_csv_decoder *d, uint32_t r);

/* Converts, or checks, if they are texts; writes a problem for each value that is not of the column's type. False: there is
 * none. `check_utf8`: not all of the tile is UTF-8. */
bool adl_csv_convert(const adl_csv_table *table, const adl_csv_column *column, const adl_csv_values *values,
                     bool check_utf8, adl_csv_sink *sink, uint8_t *problems);

/* Texts up to this size are copied in one piece, so each needs as much room. */
enum { ADL_CSV_SHORT = 16 };

/* Adds texts from `from` on, for which there is room if all are short: stops before a longer one that would leave too little
 * for those behind it, and returns which. */
uint32_t adl_csv_take_texts(const adl_csv_table *table, const adl_csv_values *values, uint32_t from,
                            adl_csv_sink *sink);

#endif
