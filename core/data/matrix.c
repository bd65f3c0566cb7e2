/* Matrices: several columns side by side, as stages see them through a MATRIX parameter. */
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "core/data/array.h"
#include "core/data/blocks.h"

/* Bytes of output that are filled at a time, so that columns written one after the other meet in the cache. */
enum { TILE = 16 * 1024 };

static int64_t column_width(const adl_column *column) {
  return column->type.shape == ADL_VECTOR || column->type.shape == ADL_SPARSE ? column->type.width : 1;
}

#define SPREAD(type)                                                                                                   \
  do {                                                                                                                 \
    const type *values = (const type *)column->data + first;                                                           \
    for (int64_t i = 0; i < rows; i++) to[i * stride] = (float)values[i];                                              \
  } while (0)

/* rows scalars from `first` into one column of the matrix. */
static void spread_scalar(float *to, int64_t stride, const adl_column *column, int64_t first, int64_t rows) {
  switch (column->type.element) {
    case ADL_BOOL:
      for (int64_t i = 0; i < rows; i++) to[i * stride] = adl_bit(column->data, first + i) ? 1.0f : 0.0f;
      break;
    case ADL_INT32: SPREAD(int32_t); break;
    case ADL_UINT32: SPREAD(uint32_t); break;
    case ADL_INT64:
    case ADL_TIMESTAMP: SPREAD(int64_t); break;
    case ADL_FLOAT32: SPREAD(float); break;
    default: SPREAD(double); break;
  }
}

static void spread_vector(float *to, int64_t stride, const adl_column *column, int64_t first, int64_t rows) {
  int64_t width = column->type.width;
  for (int64_t row = first; row < first + rows; row++, to += stride) {
    if (column->type.element == ADL_FLOAT32) {
      memcpy(to, (const float *)column->data + row * width, (size_t)width * sizeof(float));
    } else {
      const double *values = (const double *)column->data + row * width;
      for (int64_t i = 0; i < width; i++) to[i] = (float)values[i];
    }
  }
}

static void spread_sparse(float *to, int64_t stride, const adl_column *column, int64_t first, int64_t rows) {
  const float *values = column->data;
  for (int64_t row = first; row < first + rows; row++, to += stride) {
    memset(to, 0, (size_t)column->type.width * sizeof(float));
    for (int32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++) to[column->index[i]] = values[i];
  }
}

static void spread(float *to, int64_t stride, const adl_column *column, int64_t first, int64_t rows) {
  int64_t width = column_width(column);
  if (column->type.shape == ADL_VECTOR)
    spread_vector(to, stride, column, first, rows);
  else if (column->type.shape == ADL_SPARSE)
    spread_sparse(to, stride, column, first, rows);
  else
    spread_scalar(to, stride, column, first, rows);
  if (column->null_count == 0) return;
  for (int64_t row = 0; row < rows; row++) {
    if (!adl_is_null(column, first + row)) continue;
    for (int64_t i = 0; i < width; i++) to[row * stride + i] = NAN;
  }
}

static adl_array *dense(adl_type type, const adl_column *const *columns, int32_t count, int64_t rows) {
  adl_array *matrix = adl_array_allocate(type, (adl_extent){.rows = rows}, false);
  if (matrix == NULL) return NULL;
  float *data = matrix->blocks[ADL_BLOCK_DATA];
  int64_t stride = type.width, tile = MAX(8, TILE / (int64_t)sizeof(float) / MAX(stride, 1));
  for (int64_t first = 0; first < rows; first += tile) {
    float *to = data + first * stride;
    for (int32_t c = 0; c < count; c++) {
      spread(to, stride, columns[c], first, MIN(tile, rows - first));
      to += column_width(columns[c]);
    }
  }
  return matrix;
}

/* Scalars and vectors row by row: counts what is not zero (index NULL), or appends it at cursor[row]. */
static void append_dense(const adl_column *column, int64_t rows, uint32_t base, int64_t *cursor, uint32_t *index,
                         float *values) {
  int64_t width = column_width(column);
  bool vector = column->type.shape == ADL_VECTOR, narrow = column->type.element == ADL_FLOAT32;
  for (int64_t row = 0; row < rows; row++) {
    if (adl_is_null(column, row)) continue;
    for (int64_t i = 0; i < width; i++) {
      float value;
      if (!vector)
        value = (float)adl_number_at(column, row);
      else if (narrow)
        value = ((const float *)column->data)[row * width + i];
      else
        value = (float)((const double *)column->data)[row * width + i];
      if (value == 0.0f) continue;
      if (index != NULL) {
        index[cursor[row]] = base + (uint32_t)i;
        values[cursor[row]] = value;
      }
      cursor[row]++;
    }
  }
}

static void append_sparse(const adl_column *column, int64_t rows, uint32_t base, int64_t *cursor, uint32_t *index,
                          float *values) {
  for (int64_t row = 0; row < rows; row++) {
    if (adl_is_null(column, row)) continue;
    int32_t first = column->offsets[row], items = column->offsets[row + 1] - first;
    if (index != NULL) {
      for (int32_t i = 0; i < items; i++) index[cursor[row] + i] = column->index[first + i] + base;
      memcpy(values + cursor[row], (const float *)column->data + first, (size_t)items * sizeof(float));
    }
    cursor[row] += items;
  }
}

static void append_columns(const adl_column *const *columns, int32_t count, int64_t rows, int64_t *cursor,
                           uint32_t *index, float *values) {
  int64_t base = 0;
  for (int32_t c = 0; c < count; c++) {
    (columns[c]->type.shape == ADL_SPARSE ? append_sparse : append_dense)(columns[c], rows, (uint32_t)base, cursor,
                                                                          index, values);
    base += column_width(columns[c]);
  }
}

/* Two passes: how many each row has, then where each goes. */
static adl_array *sparse(adl_type type, const adl_column *const *columns, int32_t count, int64_t rows) {
  int64_t *cursor = g_new0(int64_t, MAX(rows, 1)), items = 0;
  append_columns(columns, count, rows, cursor, NULL, NULL);
  for (int64_t row = 0; row < rows; row++) {
    int64_t here = cursor[row];
    cursor[row] = items;
    items += here;
  }
  adl_array *matrix = adl_array_allocate(type, (adl_extent){.rows = rows, .items = items}, false);
  if (matrix != NULL) {
    append_columns(columns, count, rows, cursor, matrix->blocks[ADL_BLOCK_INDEX], matrix->blocks[ADL_BLOCK_DATA]);
    int32_t *offsets = matrix->blocks[ADL_BLOCK_OFFSETS];
    for (int64_t row = 0; row < rows; row++) offsets[row + 1] = (int32_t)cursor[row];
  }
  g_free(cursor);
  return matrix;
}

adl_array *adl_array_matrix(adl_type type, const adl_column *const *columns, int32_t count, int64_t rows) {
  int64_t width = 0;
  bool fits = type.element == ADL_FLOAT32 && (type.shape == ADL_VECTOR || type.shape == ADL_SPARSE);
  for (int32_t c = 0; c < count; c++) {
    adl_type part = columns[c]->type;
    fits = fits && columns[c]->rows == rows && part.shape != ADL_LIST && part.shape != ADL_BAG &&
           !adl_element_is_text(part.element);
    width += column_width(columns[c]);
  }
  if (type.width != 0 && type.width != width) fits = false;
  if (!fits || width > (type.shape == ADL_VECTOR ? ADL_COUNT_LIMIT : INT64_C(1) << 32)) {
    errno = EINVAL;
    return NULL;
  }
  type.width = width;
  return type.shape == ADL_VECTOR ? dense(type, columns, count, rows) : sparse(type, columns, count, rows);
}
