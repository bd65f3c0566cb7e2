/* Columns as fields; see field_rows.h. Rows are made on all workers, in slices of a fixed number. */
#include "common/field_rows.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"
#include "common/entries.h"
#include "common/murmur3.h"

enum { SLICE_ROWS = 256, MAX_FIELDS = 4096 };

static adl_status check_column(const adl_call *call, int64_t number, const adl_input *input) {
  const adl_type *type = &input->type;
  char parameter[32];
  snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)number);
  if (type->element == ADL_TIMESTAMP)
    return call->host->fail(call, parameter, -1, "derive the hour, the weekday or an age from it, and give that",
                            "%s is a timestamp, whose value hardly ever comes again", input->name);
  if (type->shape == ADL_LIST && type->role == ADL_NUMBER)
    return call->host->fail(call, parameter, -1, "give a list of strings or ids, or aggregate the numbers first",
                            "%s is a list of numbers, which have no dimensions of their own", input->name);
  if (type->role == ADL_CATEGORY && (type->element == ADL_FLOAT32 || type->element == ADL_FLOAT64))
    return call->host->fail(call, parameter, -1, "read it as a number or as a string",
                            "%s is a category of floating-point values", input->name);
  return ADL_OK;
}

adl_status adl_field_bind(const adl_call *call, adl_field_settings *self) {
  int64_t count = self->columns.count, at = 0;
  adl_status status = ADL_OK;
  if (count < 2 || count > MAX_FIELDS)
    return call->host->fail(call, "columns", -1, "name at least two; for one use fm or ftrl",
                            "a field-aware model has from 2 to %d fields, not %lld", MAX_FIELDS, (long long)count);
  for (int64_t i = 0; i < count; i++) {
    if (check_column(call, i, &self->columns.items[i]) != ADL_OK) status = ADL_FAILED;
    for (int64_t j = 0; j < i; j++)
      if (strcmp(self->columns.items[i].name, self->columns.items[j].name) == 0)
        status =
            call->host->fail(call, "columns", -1, "name it once", "%s is named twice", self->columns.items[i].name);
  }
  if (status != ADL_OK) return status;
  self->order = calloc((size_t)count, sizeof *self->order);
  if (self->order == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  for (int64_t class = 0; class < ADL_FIELD_CLASSES; class ++)
    for (int64_t field = class; field < count; field += ADL_FIELD_CLASSES) {
      const adl_input *input = &self->columns.items[field];
      self->order[at++] = (adl_field){.input = input,
                                      .seed = adl_murmur3(input->name, strlen(input->name), 0),
                                      .slot = (uint16_t)(field / ADL_FIELD_CLASSES),
                                      .class = (uint16_t) class};
    }
  return ADL_OK;
}

/* ---- entries ---- */

/* A batch in the making. Row r's entries begin at from[r]. */
typedef struct making {
  const adl_factor_settings *common;
  const adl_field_settings *self;
  const adl_batch *batch;
  const bool *wanted;
  adl_factor_row *rows;
  const int64_t *from;
  uint32_t *index;
  float *value;
  uint16_t *slot;
  int32_t *starts;
  double *squares; /* NAN: a value does not fit a float32 */
} making;

/* Where the entries of one row go. */
typedef struct target {
  uint32_t *index;
  float *value;
  uint32_t mask;
  int32_t count;
  bool too_large;
} target;

static void add(target *to, uint32_t hash, double value) {
  if (value == 0) return;
  if (!(value >= -FLT_MAX && value <= FLT_MAX)) {
    to->too_large = true;
    return;
  }
  to->index[to->count] = hash & to->mask;
  to->value[to->count++] = (float)value;
}

/* Sign, power of two, and the next two binary digits: of a float32 the upper 11 bits. */
static uint32_t bin_of(double value) {
  float rounded = value > FLT_MAX ? FLT_MAX : value < -FLT_MAX ? -FLT_MAX : (float)value;
  uint32_t bits;
  memcpy(&bits, &rounded, sizeof bits);
  return rounded == 0 ? 0 : bits >> 21;
}

static void add_scalar(target *to, const adl_field *field, const adl_field_settings *self, const adl_column *column,
                       int64_t row) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  if (adl_is_null(column, row)) return;
  if (column->type.role == ADL_CATEGORY) {
    adl_text text = adl_category_text(column, row, buffer);
    add(to, adl_murmur3(text.data, (size_t)text.size, field->seed), 1);
    return;
  }
  double value = adl_number_at(column, row);
  if (self->numbers == ADL_FIELD_VALUE) {
    add(to, adl_murmur3_mix(field->seed), value);
    return;
  }
  uint32_t bin = bin_of(value);
  add(to, adl_murmur3(&bin, sizeof bin, field->seed), 1);
}

static void add_items(target *to, const adl_field *field, const adl_column *column, int64_t row) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  if (column->type.shape == ADL_VECTOR) {
    for (int64_t d = 0; !adl_is_null(column, row) && d < column->type.width; d++) {
      int64_t at = row * column->type.width + d;
      double value = column->type.element == ADL_FLOAT64 ? ((const double *)column->data)[at]
                                                         : (double)((const float *)column->data)[at];
      add(to, adl_murmur3_mix(field->seed + (uint32_t)d), value);
    }
    return;
  }
  int64_t from, end;
  adl_items_of(column, row, &from, &end);
  for (int64_t item = from; item < end; item++) {
    if (column->type.shape == ADL_SPARSE) {
      add(to, adl_murmur3_mix(field->seed + column->index[item]), (double)((const float *)column->data)[item]);
      continue;
    }
    adl_text text = adl_category_text(column, item, buffer);
    add(to, adl_murmur3(text.data, (size_t)text.size, field->seed),
        column->weights != NULL ? (double)column->weights[item] : 1);
  }
}

/* The items of one field that share a dimension are added up, and lie in its order. */
static int32_t merge_items(target *to, int32_t first) {
  int32_t count = to->count - first;
  if (count < 2) return to->count;
  uint64_t *entries = malloc(2 * (size_t)count * sizeof *entries);
  if (entries == NULL) return -1;
  for (int32_t i = 0; i < count; i++) entries[i] = adl_entry(to->index[first + i], to->value[first + i]);
  int64_t left = adl_entries_merge(entries, entries + count, count, to->index + first, to->value + first);
  free(entries);
  return first + (int32_t)left;
}

static bool make_row(const making *m, int64_t row) {
  int64_t from = m->from[row];
  target to = {m->index + from, m->value + from, (uint32_t)((UINT64_C(1) << m->self->bits) - 1), 0, false};
  uint16_t *slot = m->slot + from;
  int32_t *starts = m->starts + row * (ADL_FIELD_CLASSES + 1);
  int32_t class = 0;
  for (int64_t f = 0; f < m->self->columns.count; f++) {
    const adl_field *field = &m->self->order[f];
    const adl_column *column = m->batch->slots[field->input->slot];
    int32_t first = to.count;
    while (class <= field->class) starts[class ++] = first;
    if (column->type.shape == ADL_SCALAR) {
      add_scalar(&to, field, m->self, column, row);
    } else {
      add_items(&to, field, column, row);
    }
    for (int32_t i = first; i < to.count; i++)
      to.index[i] = (to.index[i] & ~(uint32_t)(ADL_FIELD_CLASSES - 1)) | field->class;
    if (column->type.shape != ADL_SCALAR && (to.count = merge_items(&to, first)) < 0) return false;
    for (int32_t i = first; i < to.count; i++) slot[i] = field->slot;
  }
  while (class <= ADL_FIELD_CLASSES) starts[class ++] = to.count;
  double squares = 0;
  for (int32_t i = 0; i < to.count; i++) squares += (double)to.value[i] * (double)to.value[i];
  m->squares[row] = to.too_large ? NAN : squares;
  m->rows[row] = (adl_factor_row){
      .index = to.index, .value = to.value, .slot = slot, .starts = starts, .count = to.count, .scale = 1};
  return true;
}

static adl_status make_slice(const adl_call *call, void *context, int64_t slice) {
  const making *m = context;
  int64_t end = (slice + 1) * SLICE_ROWS < m->batch->rows ? (slice + 1) * SLICE_ROWS : m->batch->rows;
  for (int64_t row = slice * SLICE_ROWS; row < end; row++) {
    m->rows[row] = (adl_factor_row){.scale = 1};
    if (m->wanted != NULL && !m->wanted[row]) continue;
    if (!make_row(m, row)) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  }
  return ADL_OK;
}

/* How many entries each row may have, as offsets. */
static const int64_t *count_entries(const adl_call *call, const adl_field_settings *self, const adl_batch *batch) {
  int64_t *from = call->host->alloc(call, (size_t)(batch->rows + 1) * sizeof *from), each = 0;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_type *type = &self->columns.items[i].type;
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    each += type->shape == ADL_SCALAR ? 1 : type->shape == ADL_VECTOR ? column->type.width : 0;
  }
  from[0] = 0;
  for (int64_t row = 0; row < batch->rows; row++) {
    from[row + 1] = from[row] + each;
    for (int64_t i = 0; i < self->columns.count; i++) {
      const adl_column *column = batch->slots[self->columns.items[i].slot];
      if (column->type.shape != ADL_SCALAR && column->type.shape != ADL_VECTOR)
        from[row + 1] += column->offsets[row + 1] - column->offsets[row];
    }
  }
  return from;
}

adl_status adl_field_rows(const adl_call *call, const adl_factor_settings *common, const adl_field_settings *self,
                          const adl_batch *batch, bool *wanted, adl_factor_row *rows) {
  const adl_host *host = call->host;
  making m = {.common = common, .self = self, .batch = batch, .wanted = wanted, .rows = rows};
  m.from = count_entries(call, self, batch);
  size_t entries = (size_t)m.from[batch->rows] + 1;
  m.index = host->alloc(call, entries * sizeof *m.index);
  m.value = host->alloc(call, entries * sizeof *m.value);
  m.slot = host->alloc(call, entries * sizeof *m.slot);
  m.starts = host->alloc(call, (size_t)(batch->rows + 1) * (ADL_FIELD_CLASSES + 1) * sizeof *m.starts);
  m.squares = host->alloc(call, (size_t)(batch->rows + 1) * sizeof *m.squares);
  ADL_TRY(host->parallel(call, (batch->rows + SLICE_ROWS - 1) / SLICE_ROWS, make_slice, &m));
  for (int64_t row = 0; row < batch->rows; row++) {
    if (wanted != NULL && !wanted[row]) continue;
    bool fits = isfinite(m.squares[row]);
    if (!fits) host->reject(call, row, "columns", "a number does not fit a float32");
    if (fits && adl_factor_scale(call, common, row, "columns", m.squares[row], &rows[row].scale)) continue;
    rows[row].count = 0;
    if (wanted != NULL) wanted[row] = false;
  }
  return ADL_OK;
}
