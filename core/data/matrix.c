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

/* `blank` is what null rows become. */
static void spread(float *to, int64_t stride, const adl_column *column, int64_t first, int64_t rows, float blank) {
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
    for (int64_t i = 0; i < width; i++) to[row * stride + i] = blank;
  }
}

/* Rows that fit a tile. */
static int64_t tile_rows(int64_t stride) { return MAX(8, TILE / (int64_t)sizeof(float) / MAX(stride, 1)); }

static adl_array *dense(adl_type type, const adl_column *const *columns, int32_t count, int64_t rows) {
  adl_array *matrix = adl_array_allocate(type, (adl_extent){.rows = rows}, false);
  if (matrix == NULL) return NULL;
  float *data = matrix->blocks[ADL_BLOCK_DATA];
  int64_t stride = type.width, tile = tile_rows(stride);
  for (int64_t first = 0; first < rows; first += tile) {
    float *to = data + first * stride;
    for (int32_t c = 0; c < count; c++) {
      spread(to, stride, columns[c], first, MIN(tile, rows - first), NAN);
      to += column_width(columns[c]);
    }
  }
  return matrix;
}

/* ---- SPARSE ---- */

/* Neighbouring dimensions that come from one sparse column, or from dense ones next to each other. */
typedef struct stretch {
  const adl_column *sparse; /* NULL: dense */
  int64_t base, width;
} stretch;

/* A sparse matrix in the making: dense columns are laid side by side in `cells`, a tile of rows at a time. */
typedef struct assembly {
  const adl_column *const *columns;
  int32_t count, stretch_count;
  stretch *stretches;
  float *cells;
  int64_t stride; /* of cells: dimensions of all dense columns */
  int64_t tile;   /* rows */
} assembly;

static void plan(assembly *made) {
  int64_t base = 0;
  made->stretches = g_new(stretch, MAX(made->count, 1));
  for (int32_t c = 0; c < made->count; c++) {
    const adl_column *column = made->columns[c];
    const adl_column *sparse = column->type.shape == ADL_SPARSE ? column : NULL;
    int64_t width = column_width(column);
    stretch *last = made->stretch_count > 0 ? &made->stretches[made->stretch_count - 1] : NULL;
    if (sparse == NULL && last != NULL && last->sparse == NULL)
      last->width += width;
    else
      made->stretches[made->stretch_count++] = (stretch){sparse, base, width};
    base += width;
    if (sparse == NULL) made->stride += width;
  }
  made->tile = tile_rows(made->stride);
  made->cells = g_new(float, MAX(made->tile * made->stride, 1));
}

static void fill_tile(const assembly *made, int64_t first, int64_t rows) {
  float *to = made->cells;
  for (int32_t c = 0; c < made->count; c++) {
    if (made->columns[c]->type.shape == ADL_SPARSE) continue;
    spread(to, made->stride, made->columns[c], first, rows, 0);
    to += column_width(made->columns[c]);
  }
}

static int64_t count_items(const assembly *made, int64_t rows) {
  int64_t items = 0;
  for (int32_t c = 0; c < made->count; c++) {
    const adl_column *column = made->columns[c];
    if (column->type.shape != ADL_SPARSE) continue;
    for (int64_t row = 0; row < rows; row++)
      if (!adl_is_null(column, row)) items += column->offsets[row + 1] - column->offsets[row];
  }
  for (int64_t first = 0; first < rows && made->stride > 0; first += made->tile) {
    int64_t here = MIN(made->tile, rows - first);
    fill_tile(made, first, here);
    for (int64_t i = 0; i < here * made->stride; i++) items += made->cells[i] != 0;
  }
  return items;
}

/* Appends the items of one row at `at`; returns where the next row begins. */
static int64_t append_row(const assembly *made, int64_t row, const float *cells, int64_t at, uint32_t *index,
                          float *values) {
  for (const stretch *s = made->stretches; s < made->stretches + made->stretch_count; s++) {
    uint32_t base = (uint32_t)s->base;
    if (s->sparse == NULL) {
      for (int64_t i = 0; i < s->width; i++) { /* without a branch: zeros are overwritten by what comes next */
        index[at] = base + (uint32_t)i;
        values[at] = cells[i];
        at += cells[i] != 0;
      }
      cells += s->width;
    } else if (!adl_is_null(s->sparse, row)) {
      int64_t first = s->sparse->offsets[row], items = s->sparse->offsets[row + 1] - first;
      for (int64_t i = 0; i < items; i++) index[at + i] = s->sparse->index[first + i] + base;
      memcpy(values + at, (const float *)s->sparse->data + first, (size_t)items * sizeof(float));
      at += items;
    }
  }
  return at;
}

static adl_array *sparse(adl_type type, const adl_column *const *columns, int32_t count, int64_t rows) {
  assembly made = {.columns = columns, .count = count};
  plan(&made);
  /* One item more, since append_row may write behind the last. */
  adl_extent extent = {.rows = rows, .items = count_items(&made, rows) + 1};
  adl_array *matrix = adl_array_allocate(type, extent, false);
  if (matrix != NULL) {
    int32_t *offsets = matrix->blocks[ADL_BLOCK_OFFSETS];
    int64_t at = 0;
    for (int64_t row = 0; row < rows; row++) {
      int64_t in_tile = row % made.tile;
      if (in_tile == 0) fill_tile(&made, row, MIN(made.tile, rows - row));
      at = append_row(&made, row, made.cells + in_tile * made.stride, at, matrix->blocks[ADL_BLOCK_INDEX],
                      matrix->blocks[ADL_BLOCK_DATA]);
      offsets[row + 1] = (int32_t)at;
    }
  }
  g_free(made.stretches);
  g_free(made.cells);
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
