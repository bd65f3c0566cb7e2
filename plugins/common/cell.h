/* Cells of aggregates: eight bytes in a row of a keyed table, a float64 or the bits of an int64; sums that keep their
 * precision; and strings, which lie in a tensor beside the table. Used by group and history. */
#ifndef ADLOOM_COMMON_CELL_H
#define ADLOOM_COMMON_CELL_H

#include <adloom/plugin.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static inline int64_t adl_cell_integer(const double *cell) {
  int64_t value;
  memcpy(&value, cell, sizeof value);
  return value;
}

static inline void adl_cell_set_integer(double *cell, int64_t value) { memcpy(cell, &value, sizeof value); }

/* Two cells, sum and what rounding has lost so far (Neumaier 1974): exact to the last bit or so however long the sum. */
static inline void adl_cell_add(double *cells, double value) {
  double sum = cells[0] + value;
  cells[1] += fabs(cells[0]) >= fabs(value) ? (cells[0] - sum) + value : (value - sum) + cells[0];
  cells[0] = sum;
}

/* Adds another such sum. */
static inline void adl_cell_add_sum(double *cells, const double *sum) {
  adl_cell_add(cells, sum[0]);
  cells[1] += sum[1];
}

static inline double adl_cell_sum(const double *cells) { return cells[0] + cells[1]; }

/* Two cells, the sum of any number of int64: it may leave their range on the way and come back. */
__extension__ typedef __int128 adl_cell_wide;

static inline adl_cell_wide adl_cell_wide_sum(const double *cells) {
  adl_cell_wide sum;
  memcpy(&sum, cells, sizeof sum);
  return sum;
}

static inline void adl_cell_add_wide(double *cells, adl_cell_wide value) {
  adl_cell_wide sum = adl_cell_wide_sum(cells) + value;
  memcpy(cells, &sum, sizeof sum);
}

/* False: it does not fit an int64. */
static inline bool adl_cell_narrow(adl_cell_wide sum, double *cell) {
  adl_cell_set_integer(cell, (int64_t)sum);
  return sum >= INT64_MIN && sum <= INT64_MAX;
}

/* Integer value of a SCALAR row: bool, integers, timestamps. */
static inline int64_t adl_cell_read_integer(const adl_column *column, int64_t row) {
  switch (column->type.element) {
    case ADL_BOOL: return adl_bit((const uint8_t *)column->data, row);
    case ADL_INT32: return ((const int32_t *)column->data)[row];
    case ADL_UINT32: return ((const uint32_t *)column->data)[row];
    default: return ((const int64_t *)column->data)[row];
  }
}

/* Writes a cell as a row of a new column of plain values. */
static inline void adl_cell_put(const adl_buffers *to, adl_element element, int64_t row, const double *cell) {
  switch (element) {
    case ADL_BOOL: adl_bit_set((uint8_t *)to->data, row, adl_cell_integer(cell) != 0); break;
    case ADL_INT32: ((int32_t *)to->data)[row] = (int32_t)adl_cell_integer(cell); break;
    case ADL_UINT32: ((uint32_t *)to->data)[row] = (uint32_t)adl_cell_integer(cell); break;
    case ADL_FLOAT32: ((float *)to->data)[row] = (float)*cell; break;
    case ADL_FLOAT64: ((double *)to->data)[row] = *cell; break;
    default: ((int64_t *)to->data)[row] = adl_cell_integer(cell); break;
  }
}

/*
 * Strings of groups: three cells each, where it begins, its size and one more (0: none yet), and the room it has. The
 * bytes lie in a BYTES tensor whose first sixteen say how much of it is used; a string that outgrows its room moves to
 * the end and gets twice as much.
 */
enum { ADL_TEXT_CELLS = 3, ADL_TEXT_HEADER = 16 };

typedef struct adl_cell_texts {
  const adl_call *call;
  adl_tensors *tensors;
  char name[32];
  char *data;
  int64_t capacity;
} adl_cell_texts;

static inline void adl_cell_texts_open(adl_cell_texts *texts, const adl_call *call, adl_tensors *tensors,
                                       int64_t number) {
  adl_tensor tensor;
  texts->call = call;
  texts->tensors = tensors;
  snprintf(texts->name, sizeof texts->name, "text.%lld", (long long)number);
  texts->capacity = ADL_TEXT_HEADER;
  if (call->host->find_tensor(call, tensors, texts->name, &tensor)) texts->capacity = tensor.size[0];
  texts->data = (char *)call->host->tensor(call, tensors, texts->name, ADL_BYTES, 1, &texts->capacity);
}

static inline adl_text adl_cell_text(const adl_cell_texts *texts, const double *cells) {
  adl_text text = {texts->data + adl_cell_integer(&cells[0]), (int32_t)(adl_cell_integer(&cells[1]) - 1)};
  return text;
}

static inline bool adl_cell_has_text(const double *cells) { return adl_cell_integer(&cells[1]) != 0; }

static inline void adl_cell_set_text(adl_cell_texts *texts, double *cells, adl_text text) {
  int64_t room = adl_cell_integer(&cells[2]), used;
  if (text.size > room) {
    for (room = 16; room < text.size;) room *= 2;
    memcpy(&used, texts->data, sizeof used);
    if (used == 0) used = ADL_TEXT_HEADER;
    if (used + room > texts->capacity) {
      texts->capacity = 2 * (used + room);
      texts->data =
          (char *)texts->call->host->tensor(texts->call, texts->tensors, texts->name, ADL_BYTES, 1, &texts->capacity);
    }
    adl_cell_set_integer(&cells[0], used);
    adl_cell_set_integer(&cells[2], room);
    used += room;
    memcpy(texts->data, &used, sizeof used);
  }
  if (text.size > 0) memcpy(texts->data + adl_cell_integer(&cells[0]), text.data, (size_t)text.size);
  adl_cell_set_integer(&cells[1], (int64_t)text.size + 1);
}

#endif
