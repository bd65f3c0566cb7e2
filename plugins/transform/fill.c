/* fill: something in the place of nulls. One fold counts what is missing and, as the method asks, sums up or counts
 * values; the model is one value for each column. */
#include <adloom/plugin.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cell.h"
#include "common/convert.h"
#include "common/key.h"
#include "common/times.h"
#include "common/vocabulary.h"

enum { METHOD_MEAN, METHOD_MEDIAN, METHOD_MOST_COMMON, METHOD_VALUE };

/* What stands in for a missing value of one column; which member counts follows from its element. */
typedef struct filling {
  int64_t integer; /* bool, integers, timestamp */
  double number;   /* floats */
  adl_text text;   /* string, bytes */
} filling;

/* One of the columns. */
typedef struct target {
  int32_t slot, missing_slot; /* outputs */
  filling constant;           /* `value`, read as the column's type */
} target;

typedef struct fill {
  adl_inputs columns;
  int32_t method;
  const char *value;
  bool nan, flag;
  const char *suffix;
  target *targets;
} fill;

static bool is_float(adl_type type) { return (ADL_MASK(type.element) & ADL_ANY_FLOAT) != 0; }
static bool is_text(adl_type type) { return type.element == ADL_STRING || type.element == ADL_BYTES; }

static bool is_missing(const fill *self, const adl_column *column, int64_t row) {
  return adl_is_null(column, row) || (self->nan && is_float(column->type) && !isfinite(adl_number_at(column, row)));
}

/* ---- fitting ---- */

/* The partial: a row of CELLS float64 for each column, and for median and most_common a table for each, named by its
 * number, of how often each value occurs. */
enum { MISSING, COUNT, SUM, SUM_LOST, CELLS };

static double *cells_of(const adl_call *call, const fill *self, adl_tensors *partial) {
  const int64_t size[2] = {self->columns.count, CELLS};
  return call->host->tensor(call, partial, "cells", ADL_FLOAT64, 2, size);
}

static adl_table *values_of(const adl_call *call, adl_tensors *partial, int64_t column) {
  char name[24];
  snprintf(name, sizeof name, "%lld", (long long)column);
  return call->host->table(call, partial, name, 1);
}

static bool counts_values(const fill *self) {
  return self->method == METHOD_MEDIAN || self->method == METHOD_MOST_COMMON;
}

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const adl_host *host = call->host;
  const fill *self = instance;
  double *cells = cells_of(call, self, partial);
  adl_key key;
  adl_key_begin(&key, call);
  (void)context;
  for (int64_t i = 0; i < self->columns.count; i++, cells += CELLS) {
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    adl_table *values = counts_values(self) ? values_of(call, partial, i) : NULL;
    for (int64_t row = 0; row < batch->rows; row++) {
      cells[MISSING] += is_missing(self, column, row);
      if (adl_is_null(column, row) || (is_float(column->type) && !isfinite(adl_number_at(column, row)))) continue;
      cells[COUNT] += 1;
      if (self->method == METHOD_MEAN) adl_cell_add(cells + SUM, adl_number_at(column, row));
      if (values == NULL) continue;
      key.size = 0;
      adl_key_add(&key, column, row, true);
      host->table_row(values, host->table_insert(values, key.data, key.size))[0] += 1;
    }
  }
  return ADL_OK;
}

static filling filling_of_key(adl_type type, adl_text text) {
  const uint8_t *at = (const uint8_t *)text.data;
  adl_key_reader reader = {at, at + text.size};
  adl_key_value value;
  adl_key_next(&reader, (adl_element)type.element, true, NULL, &value);
  return (filling){.integer = value.integer, .number = value.number, .text = value.text};
}

/* The most frequent value; of equals the smallest, strings by their bytes. */
static filling most_common(const adl_call *call, adl_type type, adl_table *values) {
  int64_t count;
  adl_counted *keys = adl_counted_keys(call, values, 0, &count);
  adl_counted_top(keys, count, 1); /* does not sort a single one, which is in its place anyhow */
  return filling_of_key(type, keys[0].key);
}

/* The middle value; between two middle ones, halfway for floats, the smaller for others. */
static adl_status median(const adl_call *call, adl_type type, adl_table *values, double rows, filling *learned) {
  int64_t count, at = 0;
  adl_counted *keys = adl_counted_keys(call, values, 0, &count);
  ADL_TRY(adl_counted_sort(call, keys, count));
  double lower = floor((rows - 1) / 2), seen = keys[0].count;
  while (seen <= lower) seen += keys[++at].count;
  *learned = filling_of_key(type, keys[at].key);
  if (!is_float(type) || fmod(rows, 2) == 1 || seen > lower + 1) return ADL_OK;
  filling high = filling_of_key(type, keys[at + 1].key);
  *learned = (filling){.number = learned->number / 2 + high.number / 2};
  return ADL_OK;
}

static filling mean(adl_type type, const double *cells) {
  double value = adl_cell_sum(cells + SUM) / cells[COUNT], whole = nearbyint(value);
  if (is_float(type)) return (filling){.number = value};
  /* 2^63 is what the mean of the largest integers is rounded to */
  if (whole >= 9223372036854775808.0) return (filling){.integer = INT64_MAX};
  return (filling){.integer = (int64_t)whole};
}

/* What the training rows say of one column. */
static adl_status learn_column(const adl_call *call, const fill *self, adl_tensors *total, int64_t i,
                               filling *learned) {
  const adl_input *input = &self->columns.items[i];
  const double *cells = cells_of(call, self, total) + i * CELLS;
  char parameter[40];
  snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)i);
  *learned = self->targets[i].constant;
  if (self->method == METHOD_VALUE || (cells[COUNT] == 0 && self->value != NULL)) return ADL_OK;
  if (cells[COUNT] == 0)
    return call->host->fail(call, parameter, -1, "give a `value` for such a case, or leave the column out",
                            "%s has no value in any training row, so there is none to fill in", input->name);
  if (self->method == METHOD_MOST_COMMON) {
    *learned = most_common(call, input->type, values_of(call, total, i));
  } else if (self->method == METHOD_MEDIAN) {
    return median(call, input->type, values_of(call, total, i), cells[COUNT], learned);
  } else {
    *learned = mean(input->type, cells);
    if (is_float(input->type) && !isfinite(learned->number))
      return call->host->fail(call, parameter, -1, "use `method: median`, or divide it by a constant first",
                              "the values of %s are too large for float64", input->name);
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const fill *self = instance;
  const int64_t count = self->columns.count;
  adl_tensors *total = host->scratch_tensors(call);
  cells_of(call, self, total);
  for (int64_t i = 0; counts_values(self) && i < count; i++) values_of(call, total, i);
  adl_fold fold = {.struct_size = sizeof fold, .step = step};
  ADL_TRY(host->fold(call, rows, &fold, total));
  int64_t *missing = host->tensor(call, model->tensors, "missing", ADL_INT64, 1, &count);
  int64_t *integers = host->tensor(call, model->tensors, "integers", ADL_INT64, 1, &count);
  double *numbers = host->tensor(call, model->tensors, "numbers", ADL_FLOAT64, 1, &count);
  adl_counted *texts = host->alloc(call, (size_t)count * sizeof *texts);
  adl_status status = ADL_OK;
  for (int64_t i = 0; i < count; i++) {
    filling learned = {0};
    if (learn_column(call, self, total, i, &learned) != ADL_OK) status = ADL_FAILED;
    missing[i] = (int64_t)cells_of(call, self, total)[i * CELLS + MISSING];
    integers[i] = learned.integer;
    numbers[i] = learned.number;
    texts[i] = (adl_counted){.key = learned.text};
  }
  ADL_TRY(status);
  return adl_vocabulary_save(call, model->tensors, "texts", texts, count);
}

/* ---- using a model ---- */

/* Every integer must fit its column: a damaged model must not become wrong values. */
static bool fits(adl_type type, int64_t integer, double number) {
  switch (type.element) {
    case ADL_BOOL: return integer == 0 || integer == 1;
    case ADL_INT32: return integer >= INT32_MIN && integer <= INT32_MAX;
    case ADL_UINT32: return integer >= 0 && integer <= UINT32_MAX;
    case ADL_FLOAT32: return fabs(number) <= (double)FLT_MAX;
    default: return isfinite(number);
  }
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const adl_host *host = call->host;
  const fill *self = instance;
  int64_t count = self->columns.count;
  adl_tensor integers, numbers, missing;
  adl_vocabulary *texts;
  *prepared = NULL;
  ADL_TRY(adl_vocabulary_load(call, model->tensors, "texts", NULL, &texts));
  bool sound = host->find_tensor(call, model->tensors, "integers", &integers) && integers.element == ADL_INT64 &&
               host->find_tensor(call, model->tensors, "numbers", &numbers) && numbers.element == ADL_FLOAT64 &&
               host->find_tensor(call, model->tensors, "missing", &missing) && missing.element == ADL_INT64 &&
               integers.count == count && numbers.count == count && missing.count == count && texts->count == count;
  filling *fillings = sound ? calloc((size_t)count, sizeof *fillings) : NULL;
  for (int64_t i = 0; fillings != NULL && i < count; i++) {
    int64_t begin = texts->offsets[i], size = texts->offsets[i + 1] - begin;
    fillings[i] = (filling){.integer = ((const int64_t *)integers.data)[i],
                            .number = ((const double *)numbers.data)[i],
                            .text = {texts->bytes + begin, (int32_t)size}};
    sound = sound && fits(self->columns.items[i].type, fillings[i].integer, fillings[i].number);
    /* A constant is the pipeline's, not the model's. */
    if (self->method == METHOD_VALUE) fillings[i] = self->targets[i].constant;
  }
  adl_vocabulary_free(texts);
  *prepared = fillings;
  if (!sound)
    return host->fail(call, NULL, -1, "fit the stage again instead of loading this model",
                      "the model's tensors are missing, or do not fit the %lld columns", (long long)count);
  return fillings != NULL ? ADL_OK : host->fail(call, NULL, -1, NULL, "out of memory");
}

static void release(const void *instance, void *prepared) {
  (void)instance;
  free(prepared);
}

/* ---- rows ---- */

static void fill_texts(const fill *self, const adl_column *column, const filling *with, const adl_buffers *to) {
  int64_t size = 0;
  for (int64_t row = 0; row < column->rows; row++) {
    adl_text text = is_missing(self, column, row) ? with->text : adl_text_at(column, row);
    if (text.size > 0) memcpy((char *)to->data + size, text.data, (size_t)text.size);
    size += text.size;
    to->string_offsets[row + 1] = (int32_t)size;
  }
}

static void fill_numbers(const fill *self, const adl_column *column, const filling *with, const adl_buffers *to) {
  adl_element element = (adl_element)column->type.element;
  size_t rows = (size_t)column->rows;
  bool narrow = element == ADL_INT32 || element == ADL_UINT32 || element == ADL_FLOAT32;
  memcpy(to->data, column->data, element == ADL_BOOL ? (rows + 7) / 8 : rows * (narrow ? 4 : 8));
  for (int64_t row = 0; row < column->rows; row++) {
    if (!is_missing(self, column, row)) continue;
    switch (element) {
      case ADL_BOOL: adl_bit_set(to->data, row, with->integer != 0); break;
      case ADL_INT32: ((int32_t *)to->data)[row] = (int32_t)with->integer; break;
      case ADL_UINT32: ((uint32_t *)to->data)[row] = (uint32_t)with->integer; break;
      case ADL_FLOAT32: ((float *)to->data)[row] = (float)with->number; break;
      case ADL_FLOAT64: ((double *)to->data)[row] = with->number; break;
      default: ((int64_t *)to->data)[row] = with->integer; break;
    }
  }
}

static adl_status fill_column(const adl_call *call, const fill *self, const target *to_fill, const adl_column *column,
                              const filling *with, adl_out *out) {
  const adl_host *host = call->host;
  int64_t missing = 0, rows = column->rows;
  adl_buffers to;
  for (int64_t row = 0; row < rows; row++) missing += is_missing(self, column, row);
  if (host->wanted(call, to_fill->slot)) {
    if (missing == 0) {
      ADL_TRY(host->pass(call, out, to_fill->slot, column));
    } else if (is_text(column->type)) {
      int64_t bytes = column->string_offsets[rows] + missing * with->text.size;
      ADL_TRY(host->reserve(call, out, to_fill->slot, rows, 0, bytes, &to));
      fill_texts(self, column, with, &to);
    } else {
      ADL_TRY(host->reserve(call, out, to_fill->slot, rows, 0, 0, &to));
      fill_numbers(self, column, with, &to);
    }
  }
  if (!self->flag || !host->wanted(call, to_fill->missing_slot)) return ADL_OK;
  ADL_TRY(host->reserve(call, out, to_fill->missing_slot, rows, 0, 0, &to));
  for (int64_t row = 0; row < rows; row++) adl_bit_set(to.data, row, is_missing(self, column, row));
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const fill *self = instance;
  const filling *fillings = model->prepared;
  for (int64_t i = 0; i < self->columns.count; i++)
    ADL_TRY(fill_column(call, self, &self->targets[i], batch->slots[self->columns.items[i].slot], &fillings[i], out));
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  const fill *self = instance;
  adl_tensor missing;
  if (!call->host->find_tensor(call, model->tensors, "missing", &missing)) return ADL_OK;
  for (int64_t i = 0; i < self->columns.count; i++) {
    char name[128];
    snprintf(name, sizeof name, "missing in %s", self->columns.items[i].name);
    call->host->report_number(call, report, "", name, (double)((const int64_t *)missing.data)[i], (double)NAN,
                              (double)NAN);
  }
  return ADL_OK;
}

/* ---- binding ---- */

/* Reads `value` as a value of the column. */
static adl_status read_constant(const adl_call *call, const fill *self, const adl_input *input, filling *constant) {
  static const char *const names[] = {"true or false",    "an int32",    "an int64", "a uint32", "a finite float32",
                                      "a finite float64", "a timestamp", "a string", "bytes"};
  adl_time_format iso = {.kind = ADL_TIME_ISO};
  size_t size = strlen(self->value);
  bool yes = false;
  adl_parsed parsed = ADL_PARSED;
  *constant = (filling){0};
  if (is_text(input->type)) {
    constant->text = (adl_text){self->value, (int32_t)size};
  } else if (is_float(input->type)) {
    parsed = adl_parse_double(self->value, size, &constant->number);
  } else if (input->type.element == ADL_TIMESTAMP) {
    parsed = adl_time_parse(&iso, self->value, size, false, &constant->integer);
  } else if (input->type.element == ADL_BOOL) {
    parsed = adl_parse_bool(self->value, size, &yes);
    constant->integer = yes;
  } else {
    parsed = adl_parse_int64(self->value, size, &constant->integer);
  }
  if (parsed == ADL_PARSED && fits(input->type, constant->integer, constant->number)) return ADL_OK;
  return call->host->fail(call, "value", -1, "columns of different types can be filled by different stages",
                          "\"%s\" is not %s, which %s is", self->value, names[input->type.element], input->name);
}

static adl_status check_method(const adl_call *call, const fill *self, int64_t i) {
  const adl_input *input = &self->columns.items[i];
  char parameter[40];
  snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)i);
  for (int64_t j = 0; j < i; j++)
    if (strcmp(self->columns.items[j].name, input->name) == 0)
      return call->host->fail(call, parameter, -1, "name it once", "%s is named twice", input->name);
  if (self->method != METHOD_MEAN && self->method != METHOD_MEDIAN) return ADL_OK;
  const char *what = self->method == METHOD_MEAN ? "mean" : "median";
  if (input->type.role == ADL_CATEGORY || input->type.element == ADL_BOOL)
    return call->host->fail(call, parameter, -1, "use `method: most_common` or `method: value`",
                            "%s is a %s and has no %s", input->name,
                            input->type.element == ADL_BOOL ? "bool" : "category", what);
  return ADL_OK;
}

static adl_status declare_column(const adl_call *call, const fill *self, int64_t i) {
  const adl_host *host = call->host;
  const adl_input *input = &self->columns.items[i];
  const char *suffix = self->suffix != NULL ? self->suffix : "";
  size_t room = strlen(input->name) + strlen(suffix) + sizeof "_missing";
  char *name = host->alloc(call, room), parameter[40];
  snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)i);
  snprintf(name, room, "%s%s", input->name, suffix);
  if (*suffix == '\0') ADL_TRY(host->hide(call, parameter, input->name));
  ADL_TRY(host->declare_named(call, *suffix == '\0' ? parameter : "suffix", name, input->type, &self->targets[i].slot));
  if (!self->flag) return ADL_OK;
  snprintf(name, room, "%s_missing", input->name);
  return host->declare_named(call, "flag", name, (adl_type){.element = ADL_BOOL}, &self->targets[i].missing_slot);
}

static adl_status bind(const adl_call *call, void *instance) {
  fill *self = instance;
  const adl_host *host = call->host;
  adl_status status = ADL_OK;
  if (self->method == METHOD_VALUE && self->value == NULL)
    return host->fail(call, "value", -1, NULL, "`method: value` needs the `value` that is filled in");
  self->targets = calloc((size_t)self->columns.count, sizeof *self->targets);
  if (self->targets == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
  for (int64_t i = 0; i < self->columns.count; i++) {
    filling *constant = &self->targets[i].constant;
    if (check_method(call, self, i) != ADL_OK ||
        (self->value != NULL && read_constant(call, self, &self->columns.items[i], constant) != ADL_OK))
      status = ADL_FAILED;
    else
      ADL_TRY(declare_column(call, self, i));
  }
  return status;
}

static void destroy(void *instance) { free(((fill *)instance)->targets); }

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(fill, columns),
     .doc = "Columns in which nulls are replaced. They keep their names and types, and stand behind the others."},
    {.name = "method",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(fill, method),
     .default_value = "mean",
     .choices = "mean|median|most_common|value",
     .doc = "What is filled in. mean and median: of numbers and timestamps. most_common: the most frequent value; of "
            "equally frequent ones the smallest, strings by their bytes. value: a constant."},
    {.name = "value",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(fill, value),
     .doc = "The constant of `method: value`, read as the type of each column; timestamps are YYYY-MM-DD, optionally "
            "with a time. With another method: what is filled in where a column has no value in any training row."},
    {.name = "nan",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(fill, nan),
     .default_value = "false",
     .doc = "Replace NaN and infinities too, which stages that compute cannot use either."},
    {.name = "flag",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(fill, flag),
     .default_value = "false",
     .doc = "Add a bool column NAME_missing for each: whether its value was filled in."},
    {.name = "suffix",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(fill, suffix),
     .doc = "Leave the columns as they are, and add filled ones whose names end with this, such as _filled."},
};

static const char doc[] =
    "Replaces nulls by the mean, the median or the most common value of the column, or by a constant. What is filled "
    "in is learned from the training rows alone and kept in the model, so held-out and later rows get the same. That a "
    "value was missing may say something by itself: `flag` keeps it, as a column.\n\n"
    "The mean is summed up in float64 with Neumaier's compensation; for integers and timestamps it is rounded to the "
    "nearest whole number, halves to the even one. The median is exact: every distinct value is counted, in memory. "
    "Between two middle values it is halfway for floats, and the smaller one for integers and timestamps. Categories "
    "(strings, ids) and bools have neither.\n\n"
    "NaN and infinities teach nothing. They stay as they are unless `nan` is set. A column without a value in any "
    "training row (also when there are no rows) ends the run, unless `value` says what to take then. Lists, vectors "
    "and other columns with several values a row are refused.";

static const adl_class fill_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "fill",
    .title = "Values in the place of nulls",
    .doc = doc,
    .flags = ADL_SINGLE_PASS | ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(fill),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .fit = fit,
    .prepare = prepare,
    .release = release,
    .process = process,
    .report = report,
};

ADL_PLUGIN_OF("fill", "1.0.0", "transform:fill", &fill_class);
