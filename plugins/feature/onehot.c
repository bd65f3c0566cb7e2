/* onehot: each value of a category column is a dimension. The values come from one fold that counts them; the model
 * holds them column after column. */
#include <adloom/plugin.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"
#include "common/entries.h"
#include "common/vocabulary.h"

enum { VALUE_COUNT, VALUE_BINARY, VALUE_LOG1P };

static const char other_name[] = "(other)";

typedef struct onehot {
  adl_inputs columns;
  adl_output as;
  int64_t min_count;
  int64_t max_values;
  bool other;
  int32_t value;
  bool dense;
} onehot;

/* The lookup side of a model, one for each column. */
typedef struct lookup {
  adl_vocabulary *values;
  int64_t first; /* its first dimension */
} lookup;

/* ---- fitting ---- */

/* The partial: for each column a table, named by its number, of how often each value occurs. */
static adl_table *table_of(const adl_call *call, adl_tensors *partial, int64_t column) {
  char name[24];
  snprintf(name, sizeof name, "%lld", (long long)column);
  return call->host->table(call, partial, name, 1);
}

static adl_status count_values(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                               adl_tensors *partial) {
  const adl_host *host = call->host;
  const onehot *self = instance;
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  (void)context;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    adl_table *table = table_of(call, partial, i);
    for (int64_t row = 0; row < batch->rows; row++) {
      int64_t from, to;
      adl_items_of(column, row, &from, &to);
      for (int64_t item = from; item < to; item++) {
        adl_text text = adl_category_text(column, item, buffer);
        host->table_row(table, host->table_insert(table, text.data, text.size))[0] += 1;
      }
    }
  }
  return ADL_OK;
}

/* The values of one column that make dimensions, in byte order. */
static adl_status choose_values(const adl_call *call, const onehot *self, adl_tensors *total, int64_t column,
                                adl_counted **values, int64_t *count) {
  *values = adl_counted_keys(call, table_of(call, total, column), 0, count);
  int64_t seen = *count;
  *count = adl_counted_between(*values, seen, (double)self->min_count, INFINITY);
  if (*count == 0) {
    char parameter[40];
    const char *name = self->columns.items[column].name;
    snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)column);
    if (seen == 0)
      return call->host->fail(call, parameter, -1, "leave the column out, or check where it comes from",
                              "%s has no value in any training row", name);
    return call->host->fail(call, parameter, -1, "lower min_count",
                            "none of the %lld values of %s occurs %lld times in the training rows", (long long)seen,
                            name, (long long)self->min_count);
  }
  if (self->max_values > 0) *count = adl_counted_top(*values, *count, self->max_values);
  return adl_counted_sort(call, *values, *count);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const onehot *self = instance;
  int64_t columns = self->columns.count, start_count = columns + 1;
  adl_tensors *total = host->scratch_tensors(call);
  for (int64_t i = 0; i < columns; i++) table_of(call, total, i);
  adl_fold fold = {.struct_size = sizeof fold, .step = count_values};
  ADL_TRY(host->fold(call, rows, &fold, total));
  adl_counted **values = host->alloc(call, (size_t)columns * sizeof *values);
  int64_t *starts = host->tensor(call, model->tensors, "starts", ADL_INT64, 1, &start_count);
  adl_status status = ADL_OK;
  starts[0] = 0;
  for (int64_t i = 0; i < columns; i++) {
    int64_t count = 0;
    if (choose_values(call, self, total, i, &values[i], &count) != ADL_OK) status = ADL_FAILED;
    starts[i + 1] = starts[i] + count;
  }
  ADL_TRY(status);
  adl_counted *all = host->alloc(call, (size_t)starts[columns] * sizeof *all);
  for (int64_t i = 0; i < columns; i++)
    memcpy(all + starts[i], values[i], (size_t)(starts[i + 1] - starts[i]) * sizeof *all);
  return adl_vocabulary_save(call, model->tensors, "values", all, starts[columns]);
}

/* ---- using a model ---- */

static void release(const void *instance, void *prepared) {
  const onehot *self = instance;
  lookup *columns = prepared;
  for (int64_t i = 0; columns != NULL && i < self->columns.count; i++) adl_vocabulary_free(columns[i].values);
  free(columns);
}

/* Names the dimensions "column=value". */
static adl_status name_dimensions(const adl_call *call, const onehot *self, const lookup *columns, int64_t width) {
  const adl_host *host = call->host;
  int64_t total = 0, at = 0, dimension = 0;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_vocabulary *values = columns[i].values;
    int64_t name_size = (int64_t)strlen(self->columns.items[i].name) + 1;
    total += values->offsets[values->count] - values->offsets[0] + (values->count + 1) * name_size +
             (int64_t)sizeof other_name;
  }
  int64_t *offsets = host->alloc(call, ((size_t)width + 1) * sizeof *offsets);
  char *bytes = host->alloc(call, (size_t)total);
  offsets[0] = 0;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_vocabulary *values = columns[i].values;
    const char *column = self->columns.items[i].name;
    for (int64_t v = 0; v < values->count + self->other; v++) {
      adl_text value = {other_name, sizeof other_name - 1};
      if (v < values->count)
        value = (adl_text){values->bytes + values->offsets[v], (int32_t)(values->offsets[v + 1] - values->offsets[v])};
      memcpy(bytes + at, column, strlen(column));
      at += (int64_t)strlen(column);
      bytes[at++] = '=';
      memcpy(bytes + at, value.data, (size_t)value.size);
      at += value.size;
      offsets[++dimension] = at;
    }
  }
  return host->set_names(call, self->as.slot, width, offsets, bytes);
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const adl_host *host = call->host;
  const onehot *self = instance;
  int64_t columns = self->columns.count, width = 0;
  adl_vocabulary *all;
  adl_tensor starts;
  ADL_TRY(adl_vocabulary_load(call, model->tensors, "values", NULL, &all));
  const char *bytes = all->bytes;
  const int64_t *offsets = all->offsets, count = all->count;
  adl_vocabulary_free(all);
  bool sound = host->find_tensor(call, model->tensors, "starts", &starts) && starts.element == ADL_INT64 &&
               starts.count == columns + 1;
  const int64_t *start = starts.data;
  sound = sound && start[0] == 0 && start[columns] == count;
  for (int64_t i = 0; sound && i < columns; i++) sound = start[i] <= start[i + 1];
  if (!sound)
    return host->fail(call, NULL, -1, "fit the stage again instead of loading this model",
                      "the model's tensor `starts` is missing or does not fit its columns");
  lookup *made = calloc((size_t)columns, sizeof *made);
  bool whole = made != NULL;
  for (int64_t i = 0; whole && i < columns; i++) {
    made[i] = (lookup){adl_vocabulary_new(bytes, offsets + start[i], start[i + 1] - start[i], NULL), width};
    width += start[i + 1] - start[i] + self->other;
    whole = made[i].values != NULL;
  }
  if (!whole) {
    release(self, made);
    return host->fail(call, NULL, -1, NULL, "no memory for a vocabulary of %lld values", (long long)count);
  }
  *prepared = made;
  ADL_TRY(host->set_width(call, self->as.slot, width));
  return name_dimensions(call, self, made, width);
}

/* ---- rows ---- */

/* One row after another: its entries as they come, then merged. */
typedef struct row_entries {
  uint64_t *entries, *scratch;
  int64_t count, capacity;
  uint32_t *dimension;
  float *value;
} row_entries;

static void make_room(const adl_call *call, row_entries *row, int64_t more) {
  const adl_host *host = call->host;
  if (row->count + more <= row->capacity) return;
  size_t capacity = 2 * (size_t)(row->count + more) + 64;
  uint64_t *entries = host->alloc(call, capacity * sizeof *entries);
  if (row->count > 0) memcpy(entries, row->entries, (size_t)row->count * sizeof *entries);
  *row = (row_entries){.entries = entries,
                       .scratch = host->alloc(call, capacity * sizeof *row->scratch),
                       .count = row->count,
                       .capacity = (int64_t)capacity,
                       .dimension = host->alloc(call, capacity * sizeof *row->dimension),
                       .value = host->alloc(call, capacity * sizeof *row->value)};
}

static void add_column(const adl_call *call, const onehot *self, int64_t number, const lookup *known,
                       const adl_column *column, int64_t at, row_entries *row) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  float lowest = self->value == VALUE_LOG1P ? 0 : -FLT_MAX;
  int64_t from, to;
  adl_items_of(column, at, &from, &to);
  make_room(call, row, to - from);
  for (int64_t item = from; item < to; item++) {
    adl_text text = adl_category_text(column, item, buffer);
    float weight = column->weights != NULL ? column->weights[item] : 1;
    if (!(weight >= lowest && weight <= FLT_MAX)) {
      call->host->reject(call, at, self->columns.items[number].name, "%.*s has the weight %g; needed: %s", text.size,
                         text.data, (double)weight, lowest == 0 ? "0 or more, for log1p" : "a finite number");
      continue;
    }
    int64_t value = adl_vocabulary_find(known->values, text.data, text.size);
    if (value < 0 && self->other) value = known->values->count;
    if (value >= 0) row->entries[row->count++] = adl_entry((uint32_t)(known->first + value), weight);
  }
}

/* Sums up what a row has of each value, and makes the values of its dimensions of that. */
static void finish_row(const onehot *self, row_entries *row) {
  row->count = adl_entries_merge(row->entries, row->scratch, row->count, row->dimension, row->value);
  for (int64_t i = 0; i < row->count; i++) {
    if (self->value == VALUE_BINARY) row->value[i] = 1;
    if (self->value == VALUE_LOG1P) row->value[i] = log1pf(row->value[i]);
  }
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const onehot *self = instance;
  const lookup *known = model->prepared;
  const lookup *last = &known[self->columns.count - 1];
  int64_t width = last->first + last->values->count + self->other, used = 0;
  row_entries row = {0};
  adl_buffers column = {0};
  make_room(call, &row, self->columns.count);
  ADL_TRY(host->reserve(call, out, self->as.slot, batch->rows, self->columns.count * batch->rows, 0, &column));
  for (int64_t at = 0; at < batch->rows; at++) {
    row.count = 0;
    for (int64_t i = 0; i < self->columns.count; i++)
      add_column(call, self, i, &known[i], batch->slots[self->columns.items[i].slot], at, &row);
    finish_row(self, &row);
    if (self->dense) {
      float *to = (float *)column.data + at * width;
      memset(to, 0, (size_t)width * sizeof *to);
      for (int64_t i = 0; i < row.count; i++) to[row.dimension[i]] = row.value[i];
    } else {
      if (used + row.count > column.item_capacity)
        ADL_TRY(host->reserve(call, out, self->as.slot, batch->rows, 2 * (used + row.count), 0, &column));
      memcpy(column.index + used, row.dimension, (size_t)row.count * sizeof *row.dimension);
      memcpy((float *)column.data + used, row.value, (size_t)row.count * sizeof *row.value);
      used += row.count;
      column.offsets[at + 1] = (int32_t)used;
    }
  }
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  const onehot *self = instance;
  const lookup *known = model->prepared;
  for (int64_t i = 0; i < self->columns.count; i++) {
    char name[128];
    snprintf(name, sizeof name, "values of %s", self->columns.items[i].name);
    call->host->report_number(call, report, "", name, (double)known[i].values->count, NAN, NAN);
  }
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  onehot *self = instance;
  if (self->columns.count == 0)
    return call->host->fail(call, "columns", -1, "name the columns to encode", "there is nothing to encode");
  for (int64_t i = 0; i < self->columns.count; i++)
    for (int64_t j = 0; j < i; j++)
      if (strcmp(self->columns.items[i].name, self->columns.items[j].name) == 0)
        return call->host->fail(call, "columns", -1, "name it once", "%s is named twice", self->columns.items[i].name);
  adl_shape shape = self->dense ? ADL_VECTOR : ADL_SPARSE;
  return call->host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = shape, .role = ADL_NUMBER});
}

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(onehot, columns),
     .elements = ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL) | ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES),
     .shapes = ADL_MASK(ADL_SCALAR) | ADL_MASK(ADL_LIST) | ADL_MASK(ADL_BAG),
     .doc = "Columns of categories: strings, ids, integers, bools, and lists or bags of them."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(onehot, as),
     .default_value = "onehot",
     .doc = "Name of the new column. Its dimensions are named column=value."},
    {.name = "min_count",
     .type = ADL_PARAM_INT,
     .offset = offsetof(onehot, min_count),
     .default_value = "1",
     .range = "[1, inf)",
     .unit = "occurrences",
     .doc = "Leave out values that occur less often in the training rows."},
    {.name = "max_values",
     .type = ADL_PARAM_INT,
     .offset = offsetof(onehot, max_values),
     .default_value = "0",
     .range = "[0, 2147483647]",
     .unit = "values",
     .doc =
         "Keep at most this many values of each column, the most frequent ones (of equals, the first in byte order); "
         "0 keeps all."},
    {.name = "other",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(onehot, other),
     .default_value = "false",
     .doc = "Give each column one more dimension, column=(other), for every value that has none of its own."},
    {.name = "value",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(onehot, value),
     .default_value = "count",
     .choices = "count|binary|log1p",
     .doc = "What stands in a dimension: how often the row has its value (for a bag, the sum of its weights), 1, or "
            "ln(1 + that number), which suits amounts spent. For plain columns, count and binary are both 1."},
    {.name = "dense",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(onehot, dense),
     .default_value = "false",
     .doc = "Make a vector instead of a sparse vector; sensible up to some hundred dimensions."},
};

static const char doc[] =
    "Gives each value of the named columns a dimension, in which a row that has it holds 1. The values are those that "
    "occur in the training rows; the model holds them, column by column and in byte order, so dimensions have names "
    "(column=value) and never share a place, unlike those of the hash class.\n\n"
    "Lists put each of their items in; bags, such as the amounts spent by department that the group class collects, "
    "put their weights in. `value` says what becomes of amounts.\n\n"
    "A value that was not seen in training, or was too rare, gives nothing, or counts as (other) where `other` is on. "
    "Null gives nothing. A column without any value in the training rows, or without one that occurs min_count times, "
    "ends the run. A row with an infinite or undefined weight, or with a negative one under log1p, is rejected. "
    "Floating-point numbers have no exact values to count and are refused: scale them, or bucket them by an "
    "expression.";

static const adl_class onehot_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "onehot",
    .title = "Categories to one dimension a value",
    .doc = doc,
    .flags = ADL_SINGLE_PASS | ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(onehot),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .prepare = prepare,
    .release = release,
    .process = process,
    .report = report,
};

static const adl_class *const classes[] = {&onehot_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "onehot",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("onehot", "1.0.0", "feature:onehot", &plugin);
