/* Keys as byte strings: see key.h. Integers are eight bytes, high byte first, with the sign bit turned; floats the same
 * of their bits, all of them turned where negative; strings that something follows have 0 written as 0 255 and end with
 * 0 0, which keeps their order. */
#include "common/key.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/format.h"
#include "common/times.h"

void adl_key_begin(adl_key *key, const adl_call *call) {
  *key = (adl_key){.call = call, .capacity = 256};
  key->data = call->host->alloc(call, (size_t)key->capacity);
}

static uint8_t *room(adl_key *key, int64_t more) {
  if (key->size + more > key->capacity) {
    int64_t capacity = 2 * (key->size + more);
    uint8_t *bigger = key->call->host->alloc(key->call, (size_t)capacity);
    memcpy(bigger, key->data, (size_t)key->size);
    key->data = bigger;
    key->capacity = capacity;
  }
  uint8_t *at = key->data + key->size;
  key->size += more;
  return at;
}

static void add_word(adl_key *key, uint64_t word) {
  uint8_t *at = room(key, 8);
  for (int i = 0; i < 8; i++) at[i] = (uint8_t)(word >> (56 - 8 * i));
}

void adl_key_add_integer(adl_key *key, int64_t value) { add_word(key, (uint64_t)value ^ (UINT64_C(1) << 63)); }

void adl_key_add_float(adl_key *key, double value) {
  uint64_t bits;
  if (value == 0) value = 0; /* -0 is 0 */
  if (isnan(value)) value = (double)NAN;
  memcpy(&bits, &value, sizeof bits);
  add_word(key, (bits >> 63) != 0 ? ~bits : bits | (UINT64_C(1) << 63));
}

void adl_key_add_text(adl_key *key, adl_text text, bool last) {
  if (last) {
    if (text.size > 0) memcpy(room(key, text.size), text.data, (size_t)text.size);
    return;
  }
  const char *at = text.data, *end = text.data + text.size;
  while (at < end) {
    const char *zero = memchr(at, 0, (size_t)(end - at));
    int64_t size = (zero != NULL ? zero + 1 : end) - at;
    memcpy(room(key, size), at, (size_t)size);
    if (zero != NULL) *room(key, 1) = 255;
    at += size;
  }
  memset(room(key, 2), 0, 2);
}

/* Item `at` of a column, which is the row where it is SCALAR. */
static void add_item(adl_key *key, const adl_column *column, int64_t at, bool last) {
  switch (column->type.element) {
    case ADL_BOOL: *room(key, 1) = adl_bit(column->data, at); break;
    case ADL_INT32: adl_key_add_integer(key, ((const int32_t *)column->data)[at]); break;
    case ADL_UINT32: adl_key_add_integer(key, ((const uint32_t *)column->data)[at]); break;
    case ADL_INT64:
    case ADL_TIMESTAMP: adl_key_add_integer(key, ((const int64_t *)column->data)[at]); break;
    case ADL_FLOAT32: adl_key_add_float(key, (double)((const float *)column->data)[at]); break;
    case ADL_FLOAT64: adl_key_add_float(key, ((const double *)column->data)[at]); break;
    default: adl_key_add_text(key, adl_text_at(column, at), last); break;
  }
}

void adl_key_add(adl_key *key, const adl_column *column, int64_t row, bool last) { add_item(key, column, row, last); }

/* Behind what is there; false: one of the columns is null, and what is there is unchanged. */
static bool add_row(adl_key *key, const adl_batch *batch, const adl_inputs *columns, int64_t row) {
  int64_t before = key->size;
  for (int64_t i = 0; i < columns->count; i++) {
    const adl_column *column = batch->slots[columns->items[i].slot];
    if (adl_is_null(column, row)) {
      key->size = before;
      return false;
    }
    add_item(key, column, row, i + 1 == columns->count);
  }
  return true;
}

bool adl_key_of_row(adl_key *key, const adl_batch *batch, const adl_inputs *columns, int64_t row) {
  key->size = 0;
  return add_row(key, batch, columns, row);
}

void adl_keys_begin(adl_keys *keys, const adl_call *call, int64_t capacity) {
  *keys = (adl_keys){.capacity = capacity};
  keys->key = (adl_key){.call = call, .capacity = 256 + 16 * capacity};
  keys->key.data = call->host->alloc(call, (size_t)keys->key.capacity);
  keys->offsets = call->host->alloc(call, ((size_t)capacity + 1) * sizeof *keys->offsets);
  keys->offsets[0] = 0;
}

void adl_keys_end(adl_keys *keys) {
  if (keys->count == keys->capacity) {
    const adl_call *call = keys->key.call;
    int64_t capacity = 2 * keys->capacity + 16;
    int64_t *more = call->host->alloc(call, ((size_t)capacity + 1) * sizeof *more);
    memcpy(more, keys->offsets, ((size_t)keys->count + 1) * sizeof *more);
    keys->offsets = more;
    keys->capacity = capacity;
  }
  keys->offsets[++keys->count] = keys->key.size;
}

bool adl_keys_add_row(adl_keys *keys, const adl_batch *batch, const adl_inputs *columns, int64_t row) {
  if (!add_row(&keys->key, batch, columns, row)) return false;
  adl_keys_end(keys);
  return true;
}

void adl_keys_empty(adl_keys *keys) { keys->count = keys->key.size = 0; }

/* Room for the rows of all keys. */
static int64_t *rows_of(adl_keys *keys) {
  const adl_call *call = keys->key.call;
  if (keys->rows != NULL && keys->row_capacity >= keys->count) return keys->rows;
  keys->row_capacity = keys->capacity > keys->count ? keys->capacity : keys->count;
  keys->rows = call->host->alloc(call, ((size_t)keys->row_capacity + 1) * sizeof *keys->rows);
  return keys->rows;
}

int64_t *adl_keys_insert(adl_keys *keys, adl_table *table) {
  int64_t *rows = rows_of(keys);
  keys->key.call->host->table_insert_all(table, keys->count, keys->key.data, keys->offsets, rows);
  return rows;
}

int64_t *adl_keys_find(adl_keys *keys, const adl_table *table) {
  int64_t *rows = rows_of(keys);
  keys->key.call->host->table_find_all(table, keys->count, keys->key.data, keys->offsets, rows);
  return rows;
}

void adl_key_add_any(adl_key *key, const adl_column *column, int64_t row) {
  bool null = adl_is_null(column, row);
  *room(key, 1) = !null;
  if (null) return;
  if (column->type.shape == ADL_SCALAR) {
    add_item(key, column, row, false);
    return;
  }
  int64_t first = row * column->type.width, end = first + column->type.width;
  if (column->offsets != NULL) {
    first = column->offsets[row];
    end = column->offsets[row + 1];
    adl_key_add_integer(key, end - first);
  }
  for (int64_t i = first; i < end; i++) {
    if (column->index != NULL) adl_key_add_integer(key, column->index[i]);
    add_item(key, column, i, false);
    if (column->weights != NULL) adl_key_add_float(key, (double)column->weights[i]);
  }
}

/* ---- taking apart ---- */

static uint64_t next_word(adl_key_reader *reader) {
  uint64_t word = 0;
  for (int i = 0; i < 8; i++) word = word << 8 | *reader->at++;
  return word;
}

static adl_text next_text(adl_key_reader *reader, bool last, char *buffer) {
  int32_t size = (int32_t)(reader->end - reader->at);
  if (last) {
    adl_text rest = {(const char *)reader->at, size};
    reader->at = reader->end;
    return rest;
  }
  adl_text text = {buffer, 0};
  for (;;) {
    uint8_t byte = *reader->at++;
    if (byte == 0 && *reader->at++ == 0) return text;
    buffer[text.size++] = (char)byte;
  }
}

void adl_key_next(adl_key_reader *reader, adl_element element, bool last, char *buffer, adl_key_value *value) {
  *value = (adl_key_value){0};
  switch (element) {
    case ADL_BOOL: value->integer = *reader->at++; break;
    case ADL_FLOAT32:
    case ADL_FLOAT64: {
      uint64_t word = next_word(reader), bits = (word >> 63) != 0 ? word ^ (UINT64_C(1) << 63) : ~word;
      memcpy(&value->number, &bits, sizeof bits);
      break;
    }
    case ADL_STRING:
    case ADL_BYTES: value->text = next_text(reader, last, buffer); break;
    default: value->integer = (int64_t)(next_word(reader) ^ (UINT64_C(1) << 63)); break;
  }
}

int adl_key_compare(adl_text a, adl_text b) {
  int32_t shorter = a.size < b.size ? a.size : b.size;
  int order = shorter == 0 ? 0 : memcmp(a.data, b.data, (size_t)shorter);
  return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

bool adl_key_comparable(adl_type a, adl_type b) {
  bool integers = (ADL_MASK(a.element) & ADL_ANY_INTEGER) != 0 && (ADL_MASK(b.element) & ADL_ANY_INTEGER) != 0;
  bool floats = (ADL_MASK(a.element) & ADL_ANY_FLOAT) != 0 && (ADL_MASK(b.element) & ADL_ANY_FLOAT) != 0;
  return a.shape == ADL_SCALAR && b.shape == ADL_SCALAR && (integers || floats || a.element == b.element);
}

/* ---- messages ---- */

static size_t value_text(const adl_column *column, int64_t row, char text[80]) {
  char number[ADL_FLOAT_TEXT + ADL_TIME_TEXT];
  switch (column->type.element) {
    case ADL_BOOL: return (size_t)snprintf(text, 80, "%s", adl_bit(column->data, row) ? "true" : "false");
    case ADL_STRING: {
      adl_text value = adl_text_at(column, row);
      int32_t shown = value.size > 40 ? 40 : value.size;
      while (shown > 0 && shown < value.size && ((unsigned char)value.data[shown] & 0xc0) == 0x80) shown--;
      return (size_t)snprintf(text, 80, "'%.*s%s'", shown, value.data, shown < value.size ? "..." : "");
    }
    case ADL_BYTES: return (size_t)snprintf(text, 80, "%d bytes", adl_text_at(column, row).size);
    case ADL_TIMESTAMP:
      return (size_t)snprintf(text, 80, "%.*s", (int)adl_time_print(((const int64_t *)column->data)[row], number),
                              number);
    case ADL_FLOAT32:
    case ADL_FLOAT64:
      return (size_t)snprintf(text, 80, "%.*s", (int)adl_format_double(adl_number_at(column, row), number), number);
    case ADL_INT64: return (size_t)snprintf(text, 80, "%lld", (long long)((const int64_t *)column->data)[row]);
    default: return (size_t)snprintf(text, 80, "%.0f", adl_number_at(column, row));
  }
}

void adl_key_describe(const adl_batch *batch, const adl_inputs *columns, int64_t row, char *buffer, size_t size) {
  size_t at = 0;
  buffer[0] = '\0';
  for (int64_t i = 0; i < columns->count && at < size; i++) {
    char text[80];
    const adl_input *input = &columns->items[i];
    value_text(batch->slots[input->slot], row, text);
    at += (size_t)snprintf(buffer + at, size - at, "%s%s %s", i == 0 ? "" : ", ", input->name, text);
  }
}
