/* Rows dealt out into parts by the hash of their key, and kept until a part is read again, in the order in which they came.
 * So that a table too large for the caches, or for memory, is worked on part by part. A part lies in chunks of one tensor,
 * each written and read from the front; a chunk holds pieces, each of which is a small batch as it stands: columns are
 * read where they lie. Used by grouping.c. */
#ifndef ADLOOM_COMMON_ROW_LOG_H
#define ADLOOM_COMMON_ROW_LOG_H

#include <adloom/plugin.h>

#include "common/key.h"

enum { ADL_LOG_PARTS = 32 };

/* Which columns of a batch are kept. */
typedef struct adl_row_log_columns {
  const int32_t *slots;
  int64_t count;
  int32_t slot_count; /* of a batch that is read: more than any of the slots */
} adl_row_log_columns;

/* The part of a key: it depends on its bytes alone. */
int32_t adl_row_log_part(const void *key, int64_t size);

bool adl_row_log_there(const adl_call *call,
                       const adl_tensors *tensors); /* since adl_row_log_add or adl_row_log_empty */
int64_t adl_row_log_bytes(const adl_call *call, adl_tensors *tensors);

/* Puts the rows of a batch behind those that are there; `keys`: those of the rows. */
void adl_row_log_add(const adl_call *call, adl_tensors *tensors, const adl_row_log_columns *columns,
                     const adl_batch *batch, const adl_keys *keys);
void adl_row_log_empty(const adl_call *call, adl_tensors *tensors);

/* Reads a part piece by piece. Nothing may be added meanwhile. */
typedef struct adl_row_log_reader {
  const adl_row_log_columns *columns;
  const char *log;
  int64_t chunk, at;       /* of the next piece */
  adl_batch batch;         /* its rows */
  const int64_t *ordinals; /* theirs */
  const int32_t *key_ends; /* one for each row; the first key begins at 0 */
  const char *keys;
  adl_column *column; /* columns->count */
  const adl_column **slots;
} adl_row_log_reader;

void adl_row_log_open(adl_row_log_reader *reader, const adl_call *call, adl_tensors *tensors,
                      const adl_row_log_columns *columns);
void adl_row_log_begin(adl_row_log_reader *reader, int32_t part);
bool adl_row_log_next(adl_row_log_reader *reader); /* false: there are no more */

#endif
