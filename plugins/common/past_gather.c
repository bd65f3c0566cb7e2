/* Gathering the events of a history, as they come. See past.h. Memory that is touched for the first time is most of what an
 * event costs, so it is kept small: numbers of keys and strings have four bytes, and nulls are bits that are not touched
 * unless there are some. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"
#include "common/cell.h"
#include "common/key.h"
#include "common/past_events.h"

/* A timeline has two places at most for an event, and numbers them in 32 bits. */
static const int64_t most_events = (INT64_C(1) << 31) - 2;

void adl_past_tensor_name(char name[40], const char *what, int64_t number) {
  snprintf(name, 40, "%s.%lld", what, (long long)number);
}

void *adl_past_tensor(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element,
                      int64_t count) {
  int64_t size = count > 0 ? count : 1;
  return call->host->tensor(call, tensors, name, element, 1, &size);
}

const void *adl_past_find(const adl_call *call, const adl_tensors *tensors, const char *what, int64_t number) {
  adl_tensor tensor;
  char name[40];
  adl_past_tensor_name(name, what, number);
  return call->host->find_tensor(call, tensors, name, &tensor) ? tensor.data : NULL;
}

adl_past_values adl_past_values_of(const adl_call *call, const adl_past *past, const adl_tensors *tensors,
                                   int64_t column) {
  adl_past_values v = {.null = adl_past_find(call, tensors, "null", column)};
  if (past->columns[column].kind == ADL_PAST_TEXT)
    v.number = adl_past_find(call, tensors, "value", column);
  else
    v.bits = adl_past_find(call, tensors, "value", column);
  return v;
}

/* ---- room ---- */

adl_past_events adl_past_events_grow(const adl_call *call, const adl_past *past, adl_tensors *tensors, int64_t more) {
  adl_tensor time;
  adl_past_events e;
  e.counts = adl_past_tensor(call, tensors, "events", ADL_INT64, ADL_PAST_NULLS + past->column_count);
  int64_t capacity = call->host->find_tensor(call, tensors, "event.time", &time) ? time.size[0] : 1;
  if (capacity < e.counts[ADL_PAST_ALL] + more) capacity = 2 * (e.counts[ADL_PAST_ALL] + more);
  e.time = adl_past_tensor(call, tensors, "event.time", ADL_INT64, capacity);
  e.key = adl_past_tensor(call, tensors, "event.key", ADL_UINT32, capacity);
  e.held = adl_past_tensor(call, tensors, "event.held", ADL_BYTES, capacity / 8 + 1);
  for (int64_t c = 0; c < past->column_count; c++) {
    char name[40];
    bool text = past->columns[c].kind == ADL_PAST_TEXT;
    adl_past_tensor_name(name, "value", c);
    adl_past_tensor(call, tensors, name, text ? ADL_UINT32 : ADL_INT64, capacity);
    adl_past_tensor_name(name, "null", c);
    adl_past_tensor(call, tensors, name, ADL_BYTES, capacity / 8 + 1);
  }
  return e;
}

adl_table *adl_past_texts(const adl_call *call, const adl_past *past, adl_tensors *tensors, int64_t column) {
  char name[40];
  adl_past_tensor_name(name, "text", column);
  return past->columns[column].kind == ADL_PAST_TEXT ? call->host->table(call, tensors, name, 0) : NULL;
}

/* ---- values ---- */

/* The events in hand: which rows they are, and where they are kept from. */
typedef struct fresh {
  const int64_t *rows;
  int64_t first, count;
} fresh;

/* Numbers in eight bytes each. Equal values have equal bits. */
static void read_numbers(const adl_past_column *of, const adl_column *column, const fresh *in, int64_t *bits) {
  for (int64_t i = 0; i < in->count; i++) {
    int64_t row = in->rows[i];
    if (adl_is_null(column, row)) continue;
    if (of->kind == ADL_PAST_INTEGER) {
      bits[in->first + i] = adl_cell_read_integer(column, row);
    } else {
      double value = adl_number_at(column, row) + 0.0; /* -0 becomes 0 */
      bits[in->first + i] = adl_cell_integer(&value);
    }
  }
}

/* Strings of which none is null. */
static bool is_whole_text(const adl_column *column) {
  bool text = column->type.element == ADL_STRING || column->type.element == ADL_BYTES;
  return text && (column->validity == NULL || column->null_count == 0);
}

/* Every row's string, where it lies. */
static void borrow_texts(const adl_column *column, adl_keys *keys) {
  keys->key.data = (uint8_t *)(uintptr_t)column->data;
  keys->count = column->rows;
  for (int64_t row = 0; row <= column->rows; row++) keys->offsets[row] = column->string_offsets[row];
}

/* Strings as numbers of a table, all of them at once. */
static void read_texts(const adl_call *call, adl_table *texts, const adl_column *column, const fresh *in,
                       uint32_t *numbers) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_keys keys;
  adl_keys_begin(&keys, call, in->count);
  if (is_whole_text(column) && in->count == column->rows) {
    borrow_texts(column, &keys);
  } else {
    for (int64_t i = 0; i < in->count; i++) {
      if (adl_is_null(column, in->rows[i])) continue;
      adl_key_add_text(&keys.key, adl_category_text(column, in->rows[i], buffer), true);
      adl_keys_end(&keys);
    }
  }
  const int64_t *rows = adl_keys_insert(&keys, texts);
  for (int64_t i = 0; i < in->count; i++)
    if (!adl_is_null(column, in->rows[i])) numbers[in->first + i] = (uint32_t)*rows++;
}

static void read_column(const adl_call *call, const adl_past *past, adl_tensors *total, int64_t number,
                        const adl_batch *batch, const fresh *in, adl_past_events *e) {
  adl_tensor value, null;
  char name[40];
  const adl_past_column *of = &past->columns[number];
  const adl_column *column = batch->slots[of->input.slot];
  adl_past_tensor_name(name, "value", number);
  call->host->find_tensor(call, total, name, &value);
  adl_past_tensor_name(name, "null", number);
  call->host->find_tensor(call, total, name, &null);
  if (of->kind == ADL_PAST_TEXT)
    read_texts(call, adl_past_texts(call, past, total, number), column, in, value.data);
  else
    read_numbers(of, column, in, value.data);
  if (column->validity == NULL || column->null_count == 0) return;
  for (int64_t i = 0; i < in->count; i++) {
    if (!adl_is_null(column, in->rows[i])) continue;
    adl_bit_set(null.data, in->first + i, true);
    e->counts[ADL_PAST_NULLS + number]++;
  }
}

/* ---- rows ---- */

/* Which rows have, in a column of floats, a number that is none; returns whether there are any. */
static bool mark_unsound(const adl_past *past, const adl_batch *batch, uint8_t *unsound) {
  bool any = false;
  for (int64_t c = 0; c < past->column_count; c++) {
    const adl_column *column = batch->slots[past->columns[c].input.slot];
    if (past->columns[c].kind != ADL_PAST_FLOAT) continue;
    for (int64_t row = 0; row < batch->rows; row++) {
      if (isfinite(adl_number_at(column, row)) || adl_is_null(column, row)) continue;
      unsound[row] = 1;
      any = true;
    }
  }
  return any;
}

/* A number that is none must not pass for an amount: its event is rejected, as a row would be. */
static void reject_unsound(const adl_call *call, const adl_past *past, const adl_batch *batch, int64_t row) {
  for (int64_t c = 0; c < past->column_count; c++) {
    const adl_past_column *of = &past->columns[c];
    const adl_column *column = batch->slots[of->input.slot];
    if (of->kind != ADL_PAST_FLOAT || adl_is_null(column, row) || isfinite(adl_number_at(column, row))) continue;
    call->host->reject(call, row, of->name, "the event has no finite number here");
    return;
  }
}

static bool has_key(const adl_past *past, const adl_batch *batch, int64_t row) {
  for (int64_t i = 0; i < past->key_count; i++)
    if (adl_is_null(batch->slots[past->keys[i].slot], row)) return false;
  return true;
}

/* The rows that are events, into `rows`, and their keys. */
static int64_t pick_events(const adl_call *call, const adl_past *past, const adl_batch *batch, int64_t *rows,
                           adl_keys *keys) {
  const adl_column *times = batch->slots[past->time.slot], *key = batch->slots[past->keys[0].slot];
  const adl_inputs by = {past->key_count, past->keys};
  uint8_t *unsound = call->host->alloc(call, (size_t)batch->rows + 1);
  int64_t count = 0;
  memset(unsound, 0, (size_t)batch->rows + 1);
  bool all = !mark_unsound(past, batch, unsound) && times->null_count == 0 && is_whole_text(key) && by.count == 1;
  if (all) borrow_texts(key, keys);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!all && (adl_is_null(times, row) || !has_key(past, batch, row))) continue;
    if (unsound[row] != 0)
      reject_unsound(call, past, batch, row);
    else if (all || adl_keys_add_row(keys, batch, &by, row))
      rows[count++] = row;
  }
  return count;
}

adl_status adl_past_step(const adl_call *call, const adl_past *past, const adl_batch *batch, adl_tensors *total) {
  const adl_host *host = call->host;
  const int64_t *times = batch->slots[past->time.slot]->data;
  adl_past_events e = adl_past_events_grow(call, past, total, batch->rows);
  int64_t *rows = host->alloc(call, ((size_t)batch->rows + 1) * sizeof *rows);
  fresh in = {.rows = rows, .first = e.counts[ADL_PAST_ALL]};
  if (in.first + batch->rows > most_events)
    return host->fail(call, "with", -1, "filter them before", "there are more events than %lld",
                      (long long)most_events);
  adl_keys keys;
  adl_keys_begin(&keys, call, batch->rows);
  in.count = pick_events(call, past, batch, rows, &keys);
  const int64_t *numbers = adl_keys_insert(&keys, host->table(call, total, "keys", 0));
  for (int64_t i = 0, at = in.first; i < in.count; i++, at++) {
    e.key[at] = (uint32_t)numbers[i];
    e.time[at] = times[rows[i]];
    if (host->row_split(call, rows[i]) == ADL_TRAIN) continue;
    adl_bit_set(e.held, at, true);
    e.counts[ADL_PAST_HELD]++;
  }
  for (int64_t c = 0; c < past->column_count; c++) read_column(call, past, total, c, batch, &in, &e);
  e.counts[ADL_PAST_ALL] = in.first + in.count;
  return ADL_OK;
}
