/* Values as text, see cells.h. */
#include "common/cells.h"

#include <math.h>
#include <string.h>

#include "common/format.h"
#include "common/times.h"

enum { LONGEST_SCALAR = ADL_TIME_TEXT + 8 };

void adl_cells_begin(adl_cells *cells, const adl_call *call, adl_out *out, int64_t guess) {
  *cells = (adl_cells){.call = call, .out = out, .capacity = guess};
  cells->data = (char *)call->host->block(call, out, guess);
}

adl_status adl_cells_commit(adl_cells *cells) {
  return cells->call->host->block_commit(cells->call, cells->out, cells->size, 0);
}

void adl_cells_grow(adl_cells *cells, int64_t more) {
  cells->capacity = cells->size + more + cells->capacity / 2;
  cells->data = (char *)cells->call->host->block(cells->call, cells->out, cells->capacity);
}

bool adl_cells_is_plain(adl_type type) {
  return type.shape == ADL_SCALAR && type.element != ADL_STRING && type.element != ADL_BYTES;
}

/* Number `at` of the data, at `to`. Timestamps bring no quotes. */
static size_t print_number(uint8_t element, const void *data, int64_t at, char *to) {
  switch (element) {
    case ADL_BOOL: {
      bool value = adl_bit(data, at);
      memcpy(to, value ? "true" : "false", 5);
      return value ? 4 : 5;
    }
    case ADL_INT32: return adl_format_int64(((const int32_t *)data)[at], to);
    case ADL_UINT32: return adl_format_int64(((const uint32_t *)data)[at], to);
    case ADL_INT64: return adl_format_int64(((const int64_t *)data)[at], to);
    case ADL_FLOAT32: return adl_format_float(((const float *)data)[at], to);
    case ADL_FLOAT64: return adl_format_double(((const double *)data)[at], to);
    default: return adl_time_print(((const int64_t *)data)[at], to);
  }
}

void adl_cells_plain(adl_cells *cells, const adl_column *column, int64_t row) {
  char *to = adl_cells_room(cells, LONGEST_SCALAR);
  cells->size += (int64_t)print_number(column->type.element, column->data, row, to);
}

void adl_cells_json_string(adl_cells *cells, const char *text, int64_t size) {
  char *to = adl_cells_room(cells, 6 * size + 2);
  cells->size += (int64_t)adl_format_json_string(text, (size_t)size, to);
}

static bool is_finite(uint8_t element, const void *data, int64_t at) {
  return element == ADL_FLOAT32   ? isfinite(((const float *)data)[at])
         : element == ADL_FLOAT64 ? isfinite(((const double *)data)[at])
                                  : true;
}

/* Item `at` of the data of a scalar, list or vector. */
static void add_item(adl_cells *cells, const adl_column *column, int64_t at) {
  uint8_t element = column->type.element;
  if (element == ADL_STRING || element == ADL_BYTES) {
    adl_text text = adl_text_at(column, at);
    if (element == ADL_STRING) {
      adl_cells_json_string(cells, text.data, text.size);
      return;
    }
    char *to = adl_cells_room(cells, ((int64_t)text.size + 2) / 3 * 4 + 2);
    size_t size = adl_format_base64(text.data, (size_t)text.size, to + 1);
    to[0] = to[size + 1] = '"';
    cells->size += (int64_t)size + 2;
    return;
  }
  if (!is_finite(element, column->data, at)) {
    adl_cells_add(cells, "null", 4);
    return;
  }
  char *to = adl_cells_room(cells, LONGEST_SCALAR);
  bool quotes = element == ADL_TIMESTAMP;
  size_t size = print_number(element, column->data, at, to + quotes);
  if (quotes) to[0] = to[size + 1] = '"';
  cells->size += (int64_t)size + 2 * quotes;
}

static void add_array(adl_cells *cells, const adl_column *column, int64_t begin, int64_t end) {
  adl_cells_add_byte(cells, '[');
  for (int64_t i = begin; i < end; i++) {
    if (i > begin) adl_cells_add_byte(cells, ',');
    add_item(cells, column, i);
  }
  adl_cells_add_byte(cells, ']');
}

/* A float32 number of a bag or a sparse vector. */
static void add_weight(adl_cells *cells, float weight) {
  if (isfinite(weight))
    cells->size += (int64_t)adl_format_float(weight, adl_cells_room(cells, ADL_FLOAT_TEXT));
  else
    adl_cells_add(cells, "null", 4);
}

static void add_object(adl_cells *cells, const adl_column *column, int64_t begin, int64_t end) {
  bool bag = column->type.shape == ADL_BAG;
  adl_cells_add_byte(cells, '{');
  for (int64_t i = begin; i < end; i++) {
    if (i > begin) adl_cells_add_byte(cells, ',');
    if (bag) {
      adl_text token = adl_text_at(column, i);
      adl_cells_json_string(cells, token.data, token.size);
    } else {
      char *to = adl_cells_room(cells, ADL_INT_TEXT + 2);
      size_t size = adl_format_int64(column->index[i], to + 1);
      to[0] = to[size + 1] = '"';
      cells->size += (int64_t)size + 2;
    }
    adl_cells_add_byte(cells, ':');
    add_weight(cells, bag ? column->weights[i] : ((const float *)column->data)[i]);
  }
  adl_cells_add_byte(cells, '}');
}

void adl_cells_json(adl_cells *cells, const adl_column *column, int64_t row) {
  if (adl_is_null(column, row)) {
    adl_cells_add(cells, "null", 4);
    return;
  }
  switch ((adl_shape)column->type.shape) {
    case ADL_SCALAR: add_item(cells, column, row); break;
    case ADL_LIST: add_array(cells, column, column->offsets[row], column->offsets[row + 1]); break;
    case ADL_VECTOR: add_array(cells, column, row * column->type.width, (row + 1) * column->type.width); break;
    case ADL_SPARSE:
    case ADL_BAG: add_object(cells, column, column->offsets[row], column->offsets[row + 1]); break;
  }
}
