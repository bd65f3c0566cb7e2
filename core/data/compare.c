/* Values as values: their order, their equality as bytes, and which of them are bad. Behind sort, dedupe, group, join
 * and the checks of column parameters. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "core/data/array.h"
#include "core/data/blocks.h"

/* ---- bad values ---- */

/* Exponent all ones: NaN or infinity. */
#define ODD_FLOAT UINT32_C(0x7f800000)
#define ODD_DOUBLE UINT64_C(0x7ff0000000000000)

ADL_DATA_LOOPS static bool any_odd_float(const void *data, int64_t count) {
  const uint32_t *bits = data;
  uint32_t odd = 0;
  for (int64_t i = 0; i < count; i++) odd |= (bits[i] & ODD_FLOAT) == ODD_FLOAT;
  return odd != 0;
}

ADL_DATA_LOOPS static bool any_odd_double(const void *data, int64_t count) {
  const uint64_t *bits = data;
  uint64_t odd = 0;
  for (int64_t i = 0; i < count; i++) odd |= (bits[i] & ODD_DOUBLE) == ODD_DOUBLE;
  return odd != 0;
}

/* Bits of the smallest number that is rounded to infinity as a float32: half a step above FLT_MAX. */
#define LARGE_DOUBLE INT64_C(0x47effffff0000000)

ADL_DATA_LOOPS static bool any_large(const void *data, int64_t count) {
  const int64_t *bits = data;
  int64_t large = 0;
  for (int64_t i = 0; i < count; i++) large |= (bits[i] & INT64_MAX) >= LARGE_DOUBLE;
  return large != 0;
}

/* Where the numbers of a column lie that may not be finite. */
typedef struct floats {
  const char *data; /* NULL: there are none */
  int64_t size;     /* of one */
  bool (*any_bad)(const void *data, int64_t count);
} floats;

static floats floats_of(const adl_column *column, adl_bad what) {
  if (column->type.shape == ADL_BAG) return (floats){(const char *)column->weights, sizeof(float), any_odd_float};
  if (column->type.element == ADL_FLOAT32) return (floats){column->data, sizeof(float), any_odd_float};
  if (column->type.element == ADL_FLOAT64)
    return (floats){column->data, sizeof(double), what == ADL_BAD_AS_FLOAT32 ? any_large : any_odd_double};
  return (floats){NULL, 0, NULL};
}

static bool row_is_bad(const adl_column *column, floats in, int64_t row) {
  int64_t width = column->type.shape == ADL_VECTOR ? column->type.width : 1;
  int64_t first = column->offsets != NULL ? column->offsets[row] : row * width;
  int64_t count = column->offsets != NULL ? column->offsets[row + 1] - first : width;
  return in.any_bad(in.data + first * in.size, count);
}

static int64_t mark(uint8_t *bad, int64_t row) {
  if (adl_bit(bad, row)) return 0;
  adl_bit_set(bad, row, true);
  return 1;
}

static int64_t mark_nulls(const adl_column *column, uint8_t *bad) {
  int64_t marked = 0;
  if (column->null_count == 0 || column->validity == NULL) return 0;
  for (int64_t row = 0; row < column->rows; row++)
    if (!adl_bit(column->validity, row)) marked += mark(bad, row);
  return marked;
}

static int64_t mark_not_finite(const adl_column *column, adl_bad what, uint8_t *bad) {
  floats in = floats_of(column, what);
  int64_t width = column->type.shape == ADL_VECTOR ? column->type.width : 1, marked = 0;
  int64_t values = column->offsets != NULL ? column->offsets[column->rows] : column->rows * width;
  if (in.data == NULL || !in.any_bad(in.data, values)) return 0; /* nearly always, and quick to tell */
  for (int64_t row = 0; row < column->rows; row++)
    if (!adl_is_null(column, row) && row_is_bad(column, in, row)) marked += mark(bad, row);
  return marked;
}

int64_t adl_array_find_bad(const adl_column *column, adl_bad what, uint8_t *bad) {
  return what == ADL_BAD_NULL ? mark_nulls(column, bad) : mark_not_finite(column, what, bad);
}

bool adl_array_is_finite(const adl_column *column, int64_t row) {
  floats in = floats_of(column, ADL_BAD_NOT_FINITE);
  return in.data == NULL || !row_is_bad(column, in, row);
}

/* ---- order ---- */

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int compare_double(double a, double b) {
  if (isnan(a) || isnan(b)) return ORDER(isnan(a) != 0, isnan(b) != 0);
  return ORDER(a, b);
}

static int compare_text(adl_text a, adl_text b) {
  int order = memcmp(a.data, b.data, (size_t)MIN(a.size, b.size));
  return order != 0 ? order : ORDER(a.size, b.size);
}

/* Two values, counted as items (rows of a SCALAR). */
static int compare_item(const adl_column *a, int64_t at_a, const adl_column *b, int64_t at_b) {
  switch (a->type.element) {
    case ADL_BOOL: return ORDER(adl_bit(a->data, at_a), adl_bit(b->data, at_b));
    case ADL_INT32: return ORDER(((const int32_t *)a->data)[at_a], ((const int32_t *)b->data)[at_b]);
    case ADL_UINT32: return ORDER(((const uint32_t *)a->data)[at_a], ((const uint32_t *)b->data)[at_b]);
    case ADL_INT64:
    case ADL_TIMESTAMP: return ORDER(((const int64_t *)a->data)[at_a], ((const int64_t *)b->data)[at_b]);
    case ADL_FLOAT32: return compare_double(((const float *)a->data)[at_a], ((const float *)b->data)[at_b]);
    case ADL_FLOAT64: return compare_double(((const double *)a->data)[at_a], ((const double *)b->data)[at_b]);
    default: return compare_text(adl_text_at(a, at_a), adl_text_at(b, at_b));
  }
}

/* Items of a row; of a SCALAR there is one. */
static int64_t items_of(const adl_column *column, int64_t row, int64_t *first) {
  if (column->offsets != NULL) {
    *first = column->offsets[row];
    return column->offsets[row + 1] - *first;
  }
  int64_t width = column->type.shape == ADL_VECTOR ? column->type.width : 1;
  *first = row * width;
  return width;
}

int adl_array_compare(const adl_column *a, int64_t row_a, const adl_column *b, int64_t row_b) {
  bool null_a = adl_is_null(a, row_a), null_b = adl_is_null(b, row_b);
  if (null_a || null_b) return ORDER(!null_a, !null_b);
  int64_t first_a, first_b, count_a = items_of(a, row_a, &first_a), count_b = items_of(b, row_b, &first_b);
  for (int64_t i = 0; i < MIN(count_a, count_b); i++) {
    int order = 0;
    if (a->index != NULL) order = ORDER(a->index[first_a + i], b->index[first_b + i]);
    if (order == 0) order = compare_item(a, first_a + i, b, first_b + i);
    if (order == 0 && a->weights != NULL) order = compare_double(a->weights[first_a + i], b->weights[first_b + i]);
    if (order != 0) return order;
  }
  return ORDER(count_a, count_b);
}

/* ---- keys ---- */

static void append(GByteArray *key, const void *bytes, size_t size) { g_byte_array_append(key, bytes, (guint)size); }

static void append_int(GByteArray *key, int64_t value) {
  uint64_t bytes = GUINT64_TO_LE((uint64_t)value);
  append(key, &bytes, sizeof bytes);
}

/* Equal numbers have equal bits but for the zeros and the NaNs. */
static void append_double(GByteArray *key, double value) {
  int64_t bits;
  if (value == 0) value = 0;
  if (isnan(value)) value = (double)NAN;
  memcpy(&bits, &value, sizeof bits);
  append_int(key, bits);
}

static void append_item(GByteArray *key, const adl_column *column, int64_t at) {
  adl_text text;
  switch (column->type.element) {
    case ADL_BOOL: append_int(key, adl_bit(column->data, at)); break;
    case ADL_INT32: append_int(key, ((const int32_t *)column->data)[at]); break;
    case ADL_UINT32: append_int(key, ((const uint32_t *)column->data)[at]); break;
    case ADL_INT64:
    case ADL_TIMESTAMP: append_int(key, ((const int64_t *)column->data)[at]); break;
    case ADL_FLOAT32: append_double(key, (double)((const float *)column->data)[at]); break;
    case ADL_FLOAT64: append_double(key, ((const double *)column->data)[at]); break;
    default:
      text = adl_text_at(column, at);
      append_int(key, text.size); /* so that ("ab", "c") differs from ("a", "bc") */
      append(key, text.data, (size_t)text.size);
  }
}

void adl_array_key(const adl_column *column, int64_t row, GByteArray *key) {
  static const uint8_t null_mark = 0, value_mark = 1;
  if (adl_is_null(column, row)) {
    append(key, &null_mark, 1);
    return;
  }
  append(key, &value_mark, 1);
  int64_t first, count = items_of(column, row, &first);
  if (column->type.shape != ADL_SCALAR) append_int(key, count);
  for (int64_t i = first; i < first + count; i++) {
    if (column->index != NULL) append_int(key, column->index[i]);
    append_item(key, column, i);
    if (column->weights != NULL) append_double(key, (double)column->weights[i]);
  }
}
