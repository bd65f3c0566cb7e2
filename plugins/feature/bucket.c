/* bucket: numbers to the number of the interval that they fall into: a category, for crosses and one-hot columns. */
#include <adloom/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/quantiles.h"

enum { MOST_BUCKETS = 1000 };

typedef struct bucket {
  adl_inputs columns;
  int64_t buckets;
  adl_floats edges;
  const char *suffix;
  int32_t *slots; /* of each column's new one */
} bucket;

/* ---- fitting ---- */

static double *sketches_of(const adl_call *call, const bucket *self, adl_tensors *partial) {
  return call->host->tensor(call, partial, "sketch", ADL_FLOAT64, 2,
                            (int64_t[]){self->columns.count, ADL_QUANTILES_SIZE});
}

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const bucket *self = instance;
  (void)context;
  if (self->edges.count > 0) return ADL_OK;
  double *sketch = sketches_of(call, self, partial);
  for (int64_t i = 0; i < self->columns.count; i++, sketch += ADL_QUANTILES_SIZE) {
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    for (int64_t row = 0; row < batch->rows; row++)
      if (!adl_is_null(column, row)) adl_quantiles_add(sketch, adl_number_at(column, row), 1);
  }
  return ADL_OK;
}

static adl_status merge(const adl_call *call, const void *instance, const void *context, adl_tensors *into_set,
                        adl_tensors *from_set) {
  const bucket *self = instance;
  (void)context;
  if (self->edges.count > 0) return ADL_OK;
  double *into = sketches_of(call, self, into_set);
  const double *from = sketches_of(call, self, from_set);
  for (int64_t i = 0; i < self->columns.count; i++)
    adl_quantiles_merge(into + i * ADL_QUANTILES_SIZE, from + i * ADL_QUANTILES_SIZE);
  return ADL_OK;
}

/* Edges of one column from its quantiles: each once, and above the smallest value, below which nothing lies. */
static int64_t edges_from(double *sketch, int64_t buckets, double *edge) {
  double quantile[MOST_BUCKETS + 1];
  int64_t count = 0;
  adl_quantiles_table(sketch, buckets + 1, quantile);
  for (int64_t b = 1; b < buckets; b++)
    if (quantile[b] > (count > 0 ? edge[count - 1] : quantile[0])) edge[count++] = quantile[b];
  return count;
}

/* The model: `edges`, of each column as many as `counts` says. */
static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const bucket *self = instance;
  const adl_host *host = call->host;
  adl_tensors *total = host->scratch_tensors(call);
  double *sketch = sketches_of(call, self, total);
  const adl_fold fold = {.struct_size = sizeof fold, .step = step, .merge = merge};
  ADL_TRY(host->fold(call, rows, &fold, total));
  bool given = self->edges.count > 0;
  int64_t most = given ? self->edges.count : self->buckets - 1, columns = self->columns.count;
  double *edges = host->tensor(call, model->tensors, "edges", ADL_FLOAT64, 2, (int64_t[]){columns, most});
  int64_t *counts = host->tensor(call, model->tensors, "counts", ADL_INT64, 1, &columns);
  sketch = sketches_of(call, self, total);
  for (int64_t i = 0; i < columns; i++, edges += most, sketch += ADL_QUANTILES_SIZE) {
    counts[i] = most;
    if (given) {
      memcpy(edges, self->edges.items, (size_t)most * sizeof *edges);
      continue;
    }
    char parameter[40];
    snprintf(parameter, sizeof parameter, "columns[%lld]", (long long)i);
    if (sketch[ADL_QUANTILES_SEEN] == 0)
      return host->fail(call, parameter, -1, "leave the column out, give `edges`, or check where it comes from",
                        "%s has no value in any training row", self->columns.items[i].name);
    counts[i] = edges_from(sketch, self->buckets, edges);
    if (counts[i] == 0)
      host->log(call, ADL_WARNING, "%s is the same in all training rows, and has one bucket",
                self->columns.items[i].name);
  }
  return ADL_OK;
}

/* ---- using a model ---- */

typedef struct tables {
  const double *edges;
  const int64_t *counts;
  int64_t most;
} tables;

static bool find_tables(const adl_call *call, const bucket *self, const adl_model *model, tables *found) {
  adl_tensor edges, counts;
  if (!call->host->find_tensor(call, model->tensors, "edges", &edges) ||
      !call->host->find_tensor(call, model->tensors, "counts", &counts))
    return false;
  *found = (tables){edges.data, counts.data, edges.dimensions == 2 ? edges.size[1] : 0};
  bool sound = edges.element == ADL_FLOAT64 && edges.dimensions == 2 && edges.size[0] == self->columns.count &&
               counts.element == ADL_INT64 && counts.count == self->columns.count;
  for (int64_t i = 0; sound && i < counts.count; i++) sound = found->counts[i] >= 0 && found->counts[i] <= found->most;
  return sound;
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  tables found;
  (void)prepared;
  if (find_tables(call, instance, model, &found)) return ADL_OK;
  return call->host->fail(call, NULL, -1, "fit the stage again instead of loading this model",
                          "the model's edges do not fit the columns");
}

/* How many edges are not above x. */
static int32_t bucket_of(const double *edges, int64_t count, double x) {
  int64_t low = 0;
  while (count > 0) {
    int64_t half = count / 2;
    bool above = edges[low + half] <= x;
    low = above ? low + half + 1 : low;
    count = above ? count - half - 1 : half;
  }
  return (int32_t)low;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const bucket *self = instance;
  const adl_host *host = call->host;
  tables found;
  if (!find_tables(call, self, model, &found)) return host->fail(call, NULL, -1, NULL, "the model is not complete");
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    adl_buffers to;
    if (!host->wanted(call, self->slots[i])) continue;
    ADL_TRY(host->reserve(call, out, self->slots[i], batch->rows, 0, 0, &to));
    for (int64_t row = 0; row < batch->rows; row++) {
      bool null = adl_is_null(column, row);
      if (null) adl_bit_set(to.validity, row, false);
      ((int32_t *)to.data)[row] =
          null ? 0 : bucket_of(found.edges + i * found.most, found.counts[i], adl_number_at(column, row));
    }
  }
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report_to) {
  const bucket *self = instance;
  static const char *const titles[] = {"column", "bucket", "from", "below"};
  tables found;
  if (!find_tables(call, self, model, &found)) return ADL_OK;
  int64_t rows = self->columns.count;
  for (int64_t i = 0; i < self->columns.count; i++) rows += found.counts[i];
  const char **cells = call->host->alloc(call, (size_t)rows * 4 * sizeof *cells), **cell = cells;
  for (int64_t i = 0; i < self->columns.count; i++)
    for (int64_t b = 0; b <= found.counts[i]; b++, cell += 4) {
      const double *edge = found.edges + i * found.most + b;
      char *text = call->host->alloc(call, 96);
      snprintf(text, 32, "%lld", (long long)b);
      text[32] = text[64] = '\0';
      if (b > 0) snprintf(text + 32, 32, "%.6g", edge[-1]);
      if (b < found.counts[i]) snprintf(text + 64, 32, "%.6g", edge[0]);
      cell[0] = self->columns.items[i].name;
      for (int c = 0; c < 3; c++) cell[c + 1] = text + 32 * c;
    }
  call->host->report_table(call, report_to, "buckets", 4, titles, rows, cells);
  return ADL_OK;
}

/* ---- binding ---- */

/* The new columns: the old names with the suffix. */
static adl_status declare_columns(const adl_call *call, bucket *self) {
  const adl_host *host = call->host;
  adl_status status = ADL_OK;
  self->slots = calloc((size_t)self->columns.count, sizeof *self->slots);
  if (self->slots == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
  for (int64_t i = 0; i < self->columns.count; i++) {
    const char *old = self->columns.items[i].name;
    char *name = host->alloc(call, strlen(old) + strlen(self->suffix) + 1);
    strcat(strcpy(name, old), self->suffix);
    if (host->declare_named(call, "suffix", name, (adl_type){.element = ADL_INT32, .role = ADL_CATEGORY},
                            &self->slots[i]) != ADL_OK)
      status = ADL_FAILED;
  }
  return status;
}

static adl_status bind(const adl_call *call, void *instance) {
  bucket *self = instance;
  const adl_host *host = call->host;
  if (self->columns.count == 0)
    return host->fail(call, "columns", -1, "name some", "there is nothing to put into buckets");
  if (self->suffix == NULL || self->suffix[0] == '\0')
    return host->fail(call, "suffix", -1, NULL,
                      "without a suffix the new columns would have the names of the old ones");
  if (self->edges.count >= MOST_BUCKETS)
    return host->fail(call, "edges", -1, NULL, "there are more than %d edges", MOST_BUCKETS - 1);
  for (int64_t i = 0; i < self->edges.count; i++) {
    char parameter[40];
    snprintf(parameter, sizeof parameter, "edges[%lld]", (long long)i);
    if (!isfinite(self->edges.items[i]))
      return host->fail(call, parameter, -1, "leave it out: the first and the last bucket have no end",
                        "an edge is a finite number");
    if (i > 0 && !(self->edges.items[i] > self->edges.items[i - 1]))
      return host->fail(call, parameter, -1, NULL, "edges must rise, and %g does not after %g", self->edges.items[i],
                        self->edges.items[i - 1]);
  }
  return declare_columns(call, self);
}

static void destroy(void *instance) { free(((bucket *)instance)->slots); }

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(bucket, columns),
     .elements = ADL_ANY_NUMERIC | ADL_MASK(ADL_TIMESTAMP),
     .roles = ADL_MASK(ADL_NUMBER),
     .doc = "Numbers."},
    {.name = "buckets",
     .type = ADL_PARAM_INT,
     .offset = offsetof(bucket, buckets),
     .default_value = "10",
     .range = "[2, 1000]",
     .doc = "How many buckets of about as many training rows each. Fewer are made where many rows have one value."},
    {.name = "edges",
     .type = ADL_PARAM_FLOAT,
     .flags = ADL_LIST_OF,
     .offset = offsetof(bucket, edges),
     .doc = "In place of `buckets`: where one bucket ends and the next begins, rising. [18, 25] makes three: below 18, "
            "from 18 to below 25, and from 25 on."},
    {.name = "suffix",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(bucket, suffix),
     .default_value = "_bucket",
     .doc = "The new columns are called like the old ones with this behind it."},
};

static const char doc[] =
    "Says for each number which interval it falls into: a category (int32, from 0 on) that hash can cross with others, "
    "onehot can spread out, and group can count by. A linear model learns a step for each bucket, where from the "
    "number "
    "itself it would learn one slope.\n\n"
    "The edges are quantiles of the training rows (with linear interpolation between neighbours, as in scikit-learn's "
    "KBinsDiscretizer), so buckets hold about equally many rows; or they are given. A number belongs to the bucket "
    "whose "
    "lower edge is the largest that is not above it. Edges that fall together are one, and one at the smallest value "
    "is "
    "left out. Numbers beyond what training has seen belong to the first or the last bucket.\n\n"
    "Quantiles are exact as long as a column has up to 4096 different values, and within about two tenths of a percent "
    "of "
    "the rows otherwise (neighbouring values are put together, after Greenwald and Khanna, SIGMOD 2001).\n\n"
    "Null stays null. NaN and infinities are rejected. A column that is the same in all training rows has one bucket, "
    "with a warning; one without any value ends the run, unless edges are given.";

static const adl_class bucket_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "bucket",
    .title = "Numbers to buckets",
    .doc = doc,
    .flags = ADL_SINGLE_PASS | ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(bucket),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .fit = fit,
    .prepare = prepare,
    .process = process,
    .report = report,
};

ADL_PLUGIN_OF("bucket", "1.0.0", "feature:bucket", &bucket_class);
