/* Values of columns as text, for the sinks: scalars as they stand in a CSV cell, and anything as JSON. Bytes go into a block
 * of the host's, which grows. */
#ifndef ADLOOM_PLUGINS_COMMON_CELLS_H
#define ADLOOM_PLUGINS_COMMON_CELLS_H

#include <adloom/plugin.h>
#include <string.h>

/* A block in the making, in encode. */
typedef struct adl_cells {
  const adl_call *call;
  adl_out *out;
  char *data;
  int64_t size, capacity;
} adl_cells;

/* Begins with room for `guess` bytes. */
void adl_cells_begin(adl_cells *cells, const adl_call *call, adl_out *out, int64_t guess);
adl_status adl_cells_commit(adl_cells *cells);

void adl_cells_grow(adl_cells *cells, int64_t more);

/* Room for `more` bytes; where they go. The caller adds what it used to cells->size. */
static inline char *adl_cells_room(adl_cells *cells, int64_t more) {
  if (cells->capacity - cells->size < more) adl_cells_grow(cells, more);
  return cells->data + cells->size;
}

static inline void adl_cells_add(adl_cells *cells, const void *data, int64_t size) {
  char *to = adl_cells_room(cells, size);
  if (size > 0) memcpy(to, data, (size_t)size);
  cells->size += size;
}

static inline void adl_cells_add_byte(adl_cells *cells, char byte) {
  *adl_cells_room(cells, 1) = byte;
  cells->size++;
}

/* Whether the text form of a column needs no quotes or escapes: numbers, bools, timestamps. */
bool adl_cells_is_plain(adl_type type);

/* A value of such a column, not null: 12, 0.25, nan, -inf, true, 2024-01-31T09:30:00Z. */
void adl_cells_plain(adl_cells *cells, const adl_column *column, int64_t row);

/* Any value as JSON; null for null, NaN and infinities. Strings and timestamps are strings, bytes are base64; lists and
 * vectors are arrays, bags {"token": weight}, sparse vectors {"index": value}. */
void adl_cells_json(adl_cells *cells, const adl_column *column, int64_t row);

/* A string in JSON. */
void adl_cells_json_string(adl_cells *cells, const char *text, int64_t size);

#endif
