/* scale: numbers and vectors to one vector on a common scale. One fold takes count, mean, sum of squared deviations,
 * minimum and maximum of each dimension; the model is what to subtract and what to divide by. */
#include <adloom/plugin.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/quantiles.h"

enum { METHOD_STANDARDISE, METHOD_MINMAX, METHOD_NONE, METHOD_QUANTILE };
enum { NULL_REJECT, NULL_MEAN };

typedef struct scale {
  adl_inputs columns;
  adl_output as;
  int32_t method;
  bool log1p;
  int32_t null;
  int64_t quantiles;
  int64_t width; /* of the output; known from start on */
} scale;

/* ---- reading rows ---- */

static int64_t width_of(const adl_input *input) { return input->type.shape == ADL_VECTOR ? input->type.width : 1; }

static double value_at(const adl_column *column, int64_t row, int64_t d) {
  if (column->type.shape == ADL_SCALAR) return adl_number_at(column, row);
  int64_t at = row * column->type.width + d;
  return column->type.element == ADL_FLOAT64 ? ((const double *)column->data)[at]
                                             : (double)((const float *)column->data)[at];
}

/* Reads a row into x[width], after log1p if asked for; null is NaN there (a NaN of the input never gets here). False:
 * the row is rejected. */
static bool read_row(const adl_call *call, const scale *self, const adl_batch *batch, int64_t row, double *x) {
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *input = &self->columns.items[i];
    const adl_column *column = batch->slots[input->slot];
    bool null = adl_is_null(column, row);
    if (null && self->null == NULL_REJECT) {
      call->host->reject(call, row, input->name, "null; `null: mean` would take the column's mean instead");
      return false;
    }
    for (int64_t d = 0; d < width_of(input); d++, x++) {
      *x = null ? NAN : value_at(column, row, d);
      if (!self->log1p) continue;
      if (*x <= -1) {
        call->host->reject(call, row, input->name, "ln(1 + x) is not defined for %g", *x);
        return false;
      }
      *x = log1p(*x);
    }
  }
  return true;
}

/* ---- fitting ---- */

/* The partial: a tensor of STATISTICS x width float64. */
enum { COUNT, MEAN, SQUARES, LOW, HIGH, STATISTICS };

typedef struct statistics {
  double *of[STATISTICS];
} statistics;

static statistics statistics_of(const adl_call *call, const scale *self, adl_tensors *partial) {
  const int64_t size[2] = {STATISTICS, self->width};
  double *data = call->host->tensor(call, partial, "statistics", ADL_FLOAT64, 2, size);
  statistics view;
  for (int i = 0; i < STATISTICS; i++) view.of[i] = data + i * self->width;
  return view;
}

/* Adds `count` values of the given mean, squared deviations and range to dimension d (Chan, Golub & LeVeque 1979). */
static void add(const statistics *to, int64_t d, double count, double mean, double squares, double low, double high) {
  double before = to->of[COUNT][d], all = before + count, delta = mean - to->of[MEAN][d];
  to->of[LOW][d] = before == 0 ? low : fmin(to->of[LOW][d], low);
  to->of[HIGH][d] = before == 0 ? high : fmax(to->of[HIGH][d], high);
  to->of[COUNT][d] = all;
  to->of[MEAN][d] += delta * (count / all);
  to->of[SQUARES][d] += squares + delta * delta * (before * count / all);
}

/* Beside the statistics, for quantiles: a sketch of each dimension. NULL: not needed. */
static double *sketches_of(const adl_call *call, const scale *self, adl_tensors *partial) {
  if (self->method != METHOD_QUANTILE) return NULL;
  return call->host->tensor(call, partial, "sketches", ADL_FLOAT64, 2, (int64_t[]){self->width, ADL_QUANTILES_SIZE});
}

static adl_status step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  int64_t width = ((const scale *)self)->width;
  statistics into = statistics_of(call, self, partial);
  double *x = call->host->alloc(call, (size_t)width * sizeof *x), *sketches = sketches_of(call, self, partial);
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_row(call, self, batch, row, x)) continue;
    for (int64_t d = 0; d < width; d++)
      if (!isnan(x[d])) add(&into, d, 1, x[d], 0, x[d], x[d]);
    for (int64_t d = 0; sketches != NULL && d < width; d++)
      if (!isnan(x[d])) adl_quantiles_add(sketches + d * ADL_QUANTILES_SIZE, x[d], 1);
  }
  return ADL_OK;
}

static adl_status merge(const adl_call *call, const void *self, const void *context, adl_tensors *into_set,
                        adl_tensors *from_set) {
  statistics into = statistics_of(call, self, into_set), from = statistics_of(call, self, from_set);
  (void)context;
  for (int64_t d = 0; d < ((const scale *)self)->width; d++)
    if (from.of[COUNT][d] > 0)
      add(&into, d, from.of[COUNT][d], from.of[MEAN][d], from.of[SQUARES][d], from.of[LOW][d], from.of[HIGH][d]);
  double *sketches = sketches_of(call, self, into_set);
  const double *others = sketches_of(call, self, from_set);
  for (int64_t d = 0; sketches != NULL && d < ((const scale *)self)->width; d++)
    adl_quantiles_merge(sketches + d * ADL_QUANTILES_SIZE, others + d * ADL_QUANTILES_SIZE);
  return ADL_OK;
}

/* Every dimension has values, whose spread is a number. */
static adl_status check_statistics(const adl_call *call, const scale *self, const statistics *all) {
  adl_status status = ADL_OK;
  int64_t d = 0;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *input = &self->columns.items[i];
    bool empty = false, huge = false;
    char parameter[40];
    snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)i);
    for (int64_t end = d + width_of(input); d < end; d++) {
      empty = empty || all->of[COUNT][d] == 0;
      double spread = self->method == METHOD_STANDARDISE ? all->of[SQUARES][d] : all->of[HIGH][d] - all->of[LOW][d];
      huge = huge || (self->method != METHOD_NONE && !(spread <= DBL_MAX));
    }
    if (empty)
      status = call->host->fail(call, parameter, -1, "leave the column out, or check where it comes from",
                                "%s has no value in any training row", input->name);
    if (huge)
      status = call->host->fail(call, parameter, -1, "use `log1p: true`, or divide it by a constant first",
                                "the values of %s are too large for float64", input->name);
  }
  return status;
}

static void warn_of_constants(const adl_call *call, const scale *self, const statistics *all) {
  int64_t d = 0;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_input *input = &self->columns.items[i];
    int64_t constant = 0, width = width_of(input);
    for (int64_t end = d + width; d < end; d++) constant += all->of[LOW][d] == all->of[HIGH][d];
    if (constant > 0 && input->type.shape == ADL_SCALAR)
      call->host->log(call, ADL_WARNING, "%s is the same in all training rows; scaled, it is 0", input->name);
    else if (constant > 0)
      call->host->log(call, ADL_WARNING,
                      "%lld of the %lld dimensions of %s are the same in all training rows; scaled, "
                      "they are 0",
                      (long long)constant, (long long)width, input->name);
  }
}

/* The tensor `quantiles`: of each dimension as many as asked for, or as there are rows if that is less. */
static void keep_quantiles(const adl_call *call, const scale *self, const statistics *all, adl_tensors *total,
                           adl_model *model) {
  double *sketches = sketches_of(call, self, total), most = 2;
  if (sketches == NULL) return;
  for (int64_t d = 0; d < self->width; d++) most = fmax(most, all->of[COUNT][d]);
  int64_t count = most < (double)self->quantiles ? (int64_t)most : self->quantiles;
  double *quantiles =
      call->host->tensor(call, model->tensors, "quantiles", ADL_FLOAT64, 2, (int64_t[]){self->width, count});
  for (int64_t d = 0; d < self->width; d++)
    adl_quantiles_table(sketches + d * ADL_QUANTILES_SIZE, count, quantiles + d * count);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const scale *self = instance;
  adl_tensors *total = host->scratch_tensors(call);
  statistics_of(call, self, total);
  sketches_of(call, self, total);
  adl_fold fold = {.struct_size = sizeof fold, .step = step, .merge = merge};
  ADL_TRY(host->fold(call, rows, &fold, total));
  statistics all = statistics_of(call, self, total);
  ADL_TRY(check_statistics(call, self, &all));
  if (self->method != METHOD_NONE) warn_of_constants(call, self, &all);
  keep_quantiles(call, self, &all, total, model);
  double *mean = host->tensor(call, model->tensors, "mean", ADL_FLOAT64, 1, &self->width);
  double *subtract = host->tensor(call, model->tensors, "subtract", ADL_FLOAT64, 1, &self->width);
  double *divide = host->tensor(call, model->tensors, "divide", ADL_FLOAT64, 1, &self->width);
  for (int64_t d = 0; d < self->width; d++) {
    double low = all.of[LOW][d], high = all.of[HIGH][d];
    bool constant = low == high;
    mean[d] = all.of[MEAN][d];
    subtract[d] = self->method == METHOD_STANDARDISE ? mean[d] : self->method == METHOD_MINMAX ? low : 0;
    divide[d] = self->method == METHOD_STANDARDISE ? sqrt(all.of[SQUARES][d] / all.of[COUNT][d])
                : self->method == METHOD_MINMAX    ? high - low
                                                   : 1;
    /* Nothing was learned about how a constant varies: whatever comes later is 0 as well. */
    if (constant && self->method != METHOD_NONE) divide[d] = INFINITY;
  }
  return ADL_OK;
}

/* ---- using a model ---- */

static const double *numbers_of(const adl_call *call, const scale *self, const adl_model *model, const char *name) {
  adl_tensor tensor;
  bool sound = call->host->find_tensor(call, model->tensors, name, &tensor) && tensor.element == ADL_FLOAT64 &&
               tensor.count == self->width;
  return sound ? tensor.data : NULL;
}

/* With method quantile: `count` of each dimension. */
static const double *quantiles_of(const adl_call *call, const scale *self, const adl_model *model, int64_t *count) {
  adl_tensor tensor;
  bool sound = self->method == METHOD_QUANTILE && call->host->find_tensor(call, model->tensors, "quantiles", &tensor) &&
               tensor.element == ADL_FLOAT64 && tensor.dimensions == 2 && tensor.size[0] == self->width &&
               tensor.size[1] >= 2;
  *count = sound ? tensor.size[1] : 0;
  return sound ? tensor.data : NULL;
}

/* The share of training rows below x, on the line through the quantiles; where several quantiles are x, the middle of
 * their shares. 0 and 1 at the ends and beyond; 0 for a constant. */
static double share_below(const double *quantile, int64_t count, double x) {
  if (!(x > quantile[0]) || quantile[0] == quantile[count - 1]) return 0;
  if (!(x < quantile[count - 1])) return 1;
  int64_t first = 0, after; /* the first that is not below x, the first above it */
  for (int64_t left = count; left > 0;) {
    int64_t half = left / 2;
    bool below = quantile[first + half] < x;
    first = below ? first + half + 1 : first;
    left = below ? left - half - 1 : half;
  }
  for (after = first; quantile[after] == x;) after++;
  double last = (double)(count - 1);
  if (after > first) return 0.5 * (double)(first + after - 1) / last;
  double low = quantile[first - 1];
  return ((double)(first - 1) + (x - low) / (quantile[first] - low)) / last;
}

static adl_status prepare(const adl_call *call, const void *self, const adl_model *model, void **prepared) {
  static const char *const names[] = {"mean", "subtract", "divide"};
  (void)prepared;
  const char *missing = NULL;
  int64_t count;
  for (int i = 0; i < 3; i++)
    if (missing == NULL && numbers_of(call, self, model, names[i]) == NULL) missing = names[i];
  if (missing == NULL && ((scale *)self)->method == METHOD_QUANTILE && quantiles_of(call, self, model, &count) == NULL)
    missing = "quantiles";
  if (missing == NULL) return ADL_OK;
  return call->host->fail(call, NULL, -1, "fit the stage again instead of loading this model",
                          "the model's tensor `%s` is missing or does not fit the %lld dimensions of the columns",
                          missing, (long long)((scale *)self)->width);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const scale *self = instance;
  const double *mean = numbers_of(call, self, model, "mean");
  const double *subtract = numbers_of(call, self, model, "subtract");
  const double *divide = numbers_of(call, self, model, "divide");
  double *x = host->alloc(call, (size_t)self->width * sizeof *x);
  int64_t count;
  const double *quantiles = quantiles_of(call, self, model, &count);
  adl_buffers column;
  ADL_TRY(host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &column));
  for (int64_t row = 0; row < batch->rows; row++) {
    float *to = (float *)column.data + row * self->width;
    if (!read_row(call, self, batch, row, x)) {
      memset(to, 0, (size_t)self->width * sizeof *to);
      continue;
    }
    bool fits = true;
    for (int64_t d = 0; d < self->width; d++) {
      double y = ((isnan(x[d]) ? mean[d] : x[d]) - subtract[d]) / divide[d];
      if (quantiles != NULL) y = share_below(quantiles + d * count, count, y);
      to[d] = (float)(y + 0.0); /* no negative zero */
      fits = fits && fabs(y) <= FLT_MAX;
    }
    if (!fits) host->reject(call, row, self->as.name, "a scaled value does not fit a float32");
  }
  return ADL_OK;
}

/* ---- binding ---- */

/* The dimensions keep the names they have in the inputs. */
static adl_status name_dimensions(const adl_call *call, const scale *self) {
  const adl_host *host = call->host;
  int64_t *offsets = host->alloc(call, ((size_t)self->width + 1) * sizeof *offsets);
  int64_t at = 0, capacity = 0;
  char *bytes = NULL;
  for (int pass = 0; pass < 2; pass++) {
    int64_t dimension = 0;
    at = 0;
    for (int64_t i = 0; i < self->columns.count; i++)
      for (int64_t d = 0; d < width_of(&self->columns.items[i]); d++) {
        offsets[dimension++] = at;
        at += host->dimension_name(call, &self->columns.items[i], d, bytes != NULL ? bytes + at : NULL,
                                   bytes != NULL ? (size_t)(capacity - at) : 0);
      }
    if (pass == 0) bytes = host->alloc(call, (size_t)(capacity = at + 1));
  }
  offsets[self->width] = at;
  return host->set_names(call, self->as.slot, self->width, offsets, bytes);
}

static adl_status start(const adl_call *call, void *instance) {
  scale *self = instance;
  self->width = 0;
  for (int64_t i = 0; i < self->columns.count; i++) self->width += width_of(&self->columns.items[i]);
  ADL_TRY(call->host->set_width(call, self->as.slot, self->width));
  return name_dimensions(call, self);
}

static adl_status bind(const adl_call *call, void *instance) {
  scale *self = instance;
  if (self->columns.count == 0)
    return call->host->fail(call, "columns", -1, "name the columns to scale", "there is nothing to scale");
  if (self->method == METHOD_NONE && !self->log1p && self->null == NULL_REJECT)
    return call->host->fail(call, "method", -1, "choose a method, or `log1p: true`",
                            "with method none and without log1p nothing would change");
  return call->host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR});
}

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(scale, columns),
     .elements = ADL_ANY_NUMERIC,
     .shapes = ADL_MASK(ADL_SCALAR) | ADL_MASK(ADL_VECTOR),
     .roles = ADL_MASK(ADL_NUMBER),
     .doc = "Numbers and vectors; they stand side by side in the result, in this order."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(scale, as),
     .default_value = "scaled",
     .doc = "Name of the new column, a vector. Its dimensions are named after the columns."},
    {.name = "method",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(scale, method),
     .default_value = "standardise",
     .choices = "standardise|minmax|none|quantile",
     .doc =
         "standardise: subtract the mean, divide by the standard deviation. minmax: the smallest value becomes 0, the "
         "largest 1. none: leave it at log1p. quantile: the share of training rows below it, from 0 to 1, whatever the "
         "spread."},
    {.name = "quantiles",
     .type = ADL_PARAM_INT,
     .offset = offsetof(scale, quantiles),
     .default_value = "1000",
     .range = "[2, 4096]",
     .doc = "With method quantile: so many are kept of each dimension (no more than there are training rows), and what "
            "lies between two of them is on a line."},
    {.name = "log1p",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(scale, log1p),
     .default_value = "false",
     .doc =
         "Take ln(1 + x) of every value first: for counts and amounts, whose few large values would otherwise make all "
         "others look alike."},
    {.name = "null",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(scale, null),
     .default_value = "reject",
     .choices = "reject|mean",
     .doc = "What to do with a null: reject the row, or take the mean of the column over the training rows (0 once "
            "standardised)."},
};

static const char doc[] =
    "Brings numbers to a common scale, so that distances between rows, and steps of gradient descent, mean the same "
    "in every direction. Mean, standard deviation (of the population: divided by n), smallest and largest value are "
    "those of the training rows, computed in float64 by Chan, Golub and LeVeque's updating formulas; the model holds "
    "for each dimension what is subtracted (`subtract`), what it is divided by (`divide`) and the mean (`mean`), "
    "after log1p if that is on. The result is one vector of float32.\n\n"
    "With `method: quantile` a value becomes its rank, so that the result is spread evenly over [0, 1] and far "
    "outliers do no harm; as in scikit-learn's QuantileTransformer, equal values get the middle of their ranks, the "
    "smallest value 0 and the largest 1. Quantiles are exact as long as a dimension has up to 4096 different values, "
    "and "
    "within about two tenths of a percent of the rows otherwise (neighbouring values are put together, after Greenwald "
    "and "
    "Khanna, SIGMOD 2001).\n\n"
    "Other rows may lie outside of what training has seen, so minmax may leave [0, 1] there.\n\n"
    "A dimension that is the same in all training rows (as all are when there is only one) cannot be scaled: it "
    "becomes 0, in every row, with a warning. A column without any value in the training rows ends the run. NaN and "
    "infinities are rejected, nulls are unless `null: mean` is set, and so are values of -1 or less under log1p and "
    "results that do not fit a float32. An integer that is a category (an id) has no scale and is refused.";

static const adl_class scale_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "scale",
    .title = "Numbers on a common scale",
    .doc = doc,
    .flags = ADL_SINGLE_PASS | ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(scale),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .start = start,
    .fit = fit,
    .prepare = prepare,
    .process = process,
};

static const adl_class *const classes[] = {&scale_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "scale",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("scale", "1.0.0", "feature:scale", &plugin);
