/* The loops that turn one column of a tile into values, one for each type; see csv_tile.h. */
#include "common/csv_tile.h"

#include <string.h>

static bool is_marker(const adl_csv_table *table, const char *text, uint32_t size) {
  for (int64_t i = 0; i < table->nulls.count; i++)
    if (strlen(table->nulls.items[i]) == size && memcmp(table->nulls.items[i], text, size) == 0) return true;
  return false;
}

static inline bool is_null(const adl_csv_table *table, const char *text, uint32_t size) {
  return size == 0 || (table->null_begins[(unsigned char)*text] && is_marker(table, text, size));
}

static inline void set_null(adl_csv_sink *sink, uint32_t i) {
  adl_bit_set(sink->buffers.validity, sink->row + i, false);
}

static inline void set_problem(uint8_t *problem, adl_parsed parsed) {
  *problem = parsed == ADL_PARSED ? ADL_CSV_FINE : parsed == ADL_NOT_ONE ? ADL_CSV_BAD_VALUE : ADL_CSV_BAD_RANGE;
}

static void convert_int(const adl_csv_table *table, const adl_csv_values *values, adl_csv_sink *sink,
                        uint8_t *problems) {
  int64_t *out = (int64_t *)sink->buffers.data + sink->row;
  for (uint32_t i = 0; i < values->count; i++) {
    out[i] = 0;
    if (is_null(table, values->text[i], values->size[i]))
      set_null(sink, i);
    else
      set_problem(&problems[i], adl_parse_int64_padded(values->text[i], values->size[i], &out[i]));
  }
}

static void convert_float(const adl_csv_table *table, const adl_csv_values *values, adl_csv_sink *sink,
                          uint8_t *problems) {
  double *out = (double *)sink->buffers.data + sink->row;
  for (uint32_t i = 0; i < values->count; i++) {
    out[i] = 0;
    if (is_null(table, values->text[i], values->size[i]))
      set_null(sink, i);
    else
      set_problem(&problems[i], adl_parse_double_padded(values->text[i], values->size[i], &out[i]));
  }
}

static void convert_bool(const adl_csv_table *table, const adl_csv_values *values, adl_csv_sink *sink,
                         uint8_t *problems) {
  for (uint32_t i = 0; i < values->count; i++) {
    bool value = false;
    if (is_null(table, values->text[i], values->size[i]))
      set_null(sink, i);
    else
      set_problem(&problems[i], adl_parse_bool(values->text[i], values->size[i], &value));
    adl_bit_set(sink->buffers.data, sink->row + i, value);
  }
}

static void convert_time(const adl_csv_table *table, const adl_csv_column *column, const adl_csv_values *values,
                         adl_csv_sink *sink, uint8_t *problems) {
  int64_t *out = (int64_t *)sink->buffers.data + sink->row;
  bool day = column->type == ADL_CSV_DATE;
  for (uint32_t i = 0; i < values->count; i++) {
    out[i] = 0;
    if (is_null(table, values->text[i], values->size[i]))
      set_null(sink, i);
    else
      set_problem(&problems[i], adl_time_parse(&column->time, values->text[i], values->size[i], day, &out[i]));
  }
}

static void check_text(const adl_csv_values *values, uint8_t *problems) {
  for (uint32_t i = 0; i < values->count; i++)
    if (!adl_utf8_valid(values->text[i], values->size[i])) problems[i] = ADL_CSV_BAD_TEXT;
}

/* Marks the rows of the tile that nulls says. */
static void set_nulls(adl_csv_sink *sink, const uint8_t *nulls, uint32_t count) {
  uint8_t *validity = sink->buffers.validity;
  for (uint32_t i = 0; i < count; i++) {
    int64_t row = sink->row + i;
    validity[row >> 3] &= (uint8_t) ~(nulls[i] << (row & 7));
  }
}

/* Whether a value is empty is hard to guess, so nothing branches on it. */
static void convert_string(const adl_csv_table *table, const adl_csv_values *values, adl_csv_sink *sink) {
  char *out = (char *)sink->buffers.data;
  int32_t *offsets = sink->buffers.string_offsets + sink->row;
  int64_t at = sink->bytes;
  uint8_t nulls[ADL_CSV_TILE_ROOM], any = 0;
  for (uint32_t i = 0; i < values->count; i++) {
    const char *text = values->text[i];
    uint32_t size = values->size[i];
    if (__builtin_expect(table->null_begins[(unsigned char)*text] && is_marker(table, text, size) &&
                             !(values->any_quoted && values->quoted[i]),
                         0))
      size = 0;
    nulls[i] = size == 0;
    any |= nulls[i];
    memcpy(out + at, text, 16); /* most are short */
    if (size > 16) memcpy(out + at + 16, text + 16, size - 16);
    at += size;
    offsets[i + 1] = (int32_t)at;
  }
  sink->bytes = at;
  if (any != 0) set_nulls(sink, nulls, values->count);
}

void adl_csv_convert(const adl_csv_table *table, const adl_csv_column *column, const adl_csv_values *values,
                     bool check_utf8, adl_csv_sink *sink, uint8_t *problems) {
  switch (column->type) {
    case ADL_CSV_INT: convert_int(table, values, sink, problems); break;
    case ADL_CSV_FLOAT: convert_float(table, values, sink, problems); break;
    case ADL_CSV_BOOL: convert_bool(table, values, sink, problems); break;
    case ADL_CSV_TIMESTAMP:
    case ADL_CSV_DATE: convert_time(table, column, values, sink, problems); break;
    case ADL_CSV_STRING:
      if (check_utf8) check_text(values, problems);
      if (sink->wanted) convert_string(table, values, sink);
      break;
    case ADL_CSV_SKIP: break;
  }
}
