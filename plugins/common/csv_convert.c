/* The loops that turn one column of a tile into values, one for each type; see csv_tile.h. */
#include "common/csv_tile.h"
#include "common/short_numbers.h"

#include <string.h>

static bool is_marker(const adl_csv_table *table, const char *text, uint32_t size) {
  for (int64_t i = 0; i < table->nulls.count; i++)
    if (strlen(table->nulls.items[i]) == size && memcmp(table->nulls.items[i], text, size) == 0) return true;
  return false;
}

/* For which values of a tile are null: 1, or 0. */
enum { NULLS = (ADL_CSV_TILE_ROOM + 7) / 8 * 8 };

/* Whether a value is empty is hard to guess, so nothing branches on it: what is null is read as if it were "0". */
static inline bool take_null(const adl_csv_table *table, const char **text, uint32_t *size) {
  static const char zero[2 * 8 + 1 + ADL_CSV_PAD] = "0000000000000000"
                                                    "0";
  bool empty = *size == 0;
  if (__builtin_expect(table->null_begins[(unsigned char)**text], 0)) empty |= is_marker(table, *text, *size);
  *text = empty ? zero + 16 : *text;
  *size = empty ? 1 : *size;
  return empty;
}

/* Takes the bits of null rows out of the validity, which has them all set: eight rows at a time. */
static void set_nulls(adl_csv_sink *sink, uint8_t nulls[NULLS], uint32_t count) {
  uint8_t *validity = sink->buffers.validity + (sink->row >> 3);
  unsigned shift = (unsigned)sink->row & 7;
  memset(nulls + count, 0, NULLS - count);
  for (uint32_t i = 0; i < count; i += 8, validity++) {
    uint64_t eight = adl_load_little((const char *)nulls + i);
    unsigned bits = (unsigned)(eight * UINT64_C(0x0102040810204080) >> 56) << shift;
    validity[0] &= (uint8_t)~bits;
    if (bits > 255) validity[1] &= (uint8_t) ~(bits >> 8);
  }
}

static inline uint8_t set_problem(uint8_t *problem, adl_parsed parsed) {
  return *problem = parsed == ADL_PARSED ? ADL_CSV_FINE : parsed == ADL_NOT_ONE ? ADL_CSV_BAD_VALUE : ADL_CSV_BAD_RANGE;
}

/* How often in a tile the short way is tried again behind four values of which one needs the long one. */
enum { TRIES = 8 };

/* The loop over the values of a column: `statement` sees text, size, null, i, and leaves an adl_parsed in `parsed`. Problems are
 * rare, so they are written on a branch. `shorter` takes as many values from i on as it can, notes which are null, and is
 * the index of the first that is left; the four from there on are then looked at one by one. */
#define EACH_VALUE(shorter, statement)                                                                                 \
  uint8_t nulls[NULLS];                                                                                                \
  uint32_t problem = 0, missing = 0, count = values->count;                                                            \
  for (uint32_t i = 0, tries = 0; i < count;) {                                                                        \
    if (tries < TRIES) i = shorter;                                                                                    \
    uint32_t end = ++tries < TRIES && count - i > 4 ? i + 4 : count;                                                   \
    for (; i < end; i++) {                                                                                             \
      const char *text = values->text[i];                                                                              \
      uint32_t size = values->size[i];                                                                                 \
      adl_parsed parsed;                                                                                               \
      bool null = take_null(table, &text, &size);                                                                      \
      nulls[i] = null;                                                                                                 \
      missing |= null;                                                                                                 \
      statement;                                                                                                       \
      if (__builtin_expect(parsed != ADL_PARSED, 0)) problem |= set_problem(&problems[i], parsed);                     \
    }                                                                                                                  \
  }                                                                                                                    \
  if (missing) set_nulls(sink, nulls, count);                                                                          \
  return problem != 0

static bool convert_int(const adl_csv_table *table, const adl_csv_values *values, adl_csv_sink *sink,
                        uint8_t *problems) {
  int64_t *out = (int64_t *)sink->buffers.data + sink->row;
  const adl_short_texts texts = {values->text, values->size, values->count};
  EACH_VALUE(adl_short_int64s(values->simd, &texts, i, out, nulls, &missing), {
    int64_t value = 0;
    parsed = adl_parse_int64_padded(text, size, &value);
    out[i] = value;
  });
}

static bool convert_float(const adl_csv_table *table, const adl_csv_values *values, adl_csv_sink *sink,
                          uint8_t *problems) {
  double *out = (double *)sink->buffers.data + sink->row;
  const adl_short_texts texts = {values->text, values->size, values->count};
  EACH_VALUE(adl_short_doubles(values->simd, &texts, i, out, nulls, &missing), {
    double value = 0;
    parsed = adl_parse_double_padded(text, size, &value);
    out[i] = value;
  });
}

static bool convert_bool(const adl_csv_table *table, const adl_csv_values *values, adl_csv_sink *sink,
                         uint8_t *problems) {
  EACH_VALUE(i, {
    bool value = false;
    parsed = adl_parse_bool(text, size, &value);
    adl_bit_set(sink->buffers.data, sink->row + i, value);
  });
}

static bool convert_time(const adl_csv_table *table, const adl_csv_column *column, const adl_csv_values *values,
                         adl_csv_sink *sink, uint8_t *problems) {
  int64_t *out = (int64_t *)sink->buffers.data + sink->row;
  bool day = column->type == ADL_CSV_DATE;
  EACH_VALUE(i, {
    int64_t value = 0;
    parsed = null ? ADL_PARSED : adl_time_parse(&column->time, text, size, day, &value);
    out[i] = value;
  });
}

static bool check_text(const adl_csv_values *values, uint8_t *problems) {
  bool any = false;
  for (uint32_t i = 0; i < values->count; i++) {
    bool valid = adl_utf8_valid(values->text[i], values->size[i]);
    if (!valid) problems[i] = ADL_CSV_BAD_TEXT;
    any |= !valid;
  }
  return any;
}

/* Of adl_csv_take_texts, for texts that are pointed to, and for those that were gathered. */
static inline __attribute__((always_inline)) uint32_t take_texts(const adl_csv_table *table,
                                                                 const adl_csv_values *values, uint32_t from,
                                                                 adl_csv_sink *sink) {
  char *out = (char *)sink->buffers.data;
  int32_t *offsets = sink->buffers.string_offsets + sink->row;
  int64_t at = sink->bytes, capacity = sink->buffers.byte_capacity;
  bool keep_empty = !table->null_quoted;
  uint8_t nulls[NULLS];
  uint32_t missing = 0, count = values->count, i = from;
  memset(nulls, 0, from);
  for (; i < count; i++) {
    adl_csv_value value = adl_csv_value_at(values, i);
    bool quoted = values->any_quoted && values->quoted[i];
    if (__builtin_expect(table->null_begins[(unsigned char)*value.text], 0) && !quoted &&
        is_marker(table, value.text, value.size))
      value.size = 0;
    if (__builtin_expect(value.size > ADL_CSV_SHORT, 0)) {
      int64_t behind = ADL_CSV_SHORT * (int64_t)(count - i) + ADL_CSV_PAD;
      if (at + value.size + behind > capacity) break;
      memcpy(out + at + ADL_CSV_SHORT, value.text + ADL_CSV_SHORT, value.size - ADL_CSV_SHORT);
    }
    memcpy(out + at, value.text, ADL_CSV_SHORT);
    nulls[i] = (value.size == 0) & !(quoted & keep_empty);
    missing |= nulls[i];
    at += value.size;
    offsets[i + 1] = (int32_t)at;
  }
  sink->bytes = at;
  if (missing) set_nulls(sink, nulls, i);
  return i;
}

uint32_t adl_csv_take_texts(const adl_csv_table *table, const adl_csv_values *values, uint32_t from,
                            adl_csv_sink *sink) {
  return values->ends != NULL ? take_texts(table, values, from, sink) : take_texts(table, values, from, sink);
}

bool adl_csv_convert(const adl_csv_table *table, const adl_csv_column *column, const adl_csv_values *values,
                     bool check_utf8, adl_csv_sink *sink, uint8_t *problems) {
  bool bad = false;
  switch (column->type) {
    case ADL_CSV_INT: return convert_int(table, values, sink, problems);
    case ADL_CSV_FLOAT: return convert_float(table, values, sink, problems);
    case ADL_CSV_BOOL: return convert_bool(table, values, sink, problems);
    case ADL_CSV_TIMESTAMP:
    case ADL_CSV_DATE: return convert_time(table, column, values, sink, problems);
    case ADL_CSV_STRING: bad = check_utf8 && check_text(values, problems); break;
    case ADL_CSV_SKIP: break;
  }
  return bad;
}
