#include "common/kmeans_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/kmeans_rows.h"
#include "common/matrix_rows.h"

/* Sample: rows aimed at, rows never gone below, and float32 values held (128 MB). */
#define SAMPLE_ROWS 65536
#define SAMPLE_LEAST 1024
#define SAMPLE_VALUES (INT64_C(1) << 25)
#define SAMPLE_LIMIT (INT64_C(1) << 30)

/* ------------------------------------------------------------------------------------------------- moments ---- */

static adl_status step_moments(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                               adl_tensors *partial) {
  (void)self;
  const adl_kmeans_data *data = context;
  int64_t width = data->width;
  double *sum = call->host->tensor(call, partial, "sum", ADL_FLOAT64, 1, &width);
  double *square = call->host->tensor(call, partial, "square", ADL_FLOAT64, 1, &width);
  int64_t *counts = call->host->tensor(call, partial, "counts", ADL_INT64, 1, (const int64_t[]){2});
  const adl_column *features = batch->slots[data->slot];
  adl_simd level = adl_simd_level();
  counts[0] += batch->rows;
  for (int64_t r = 0; r < batch->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(features, r);
    counts[1] += row.count;
    if (row.index == NULL) {
      adl_kmeans_add(level, sum, row.value, width);
      adl_kmeans_add_squares(level, square, row.value, width);
      continue;
    }
    for (int64_t i = 0; i < row.count; i++) {
      int64_t at = row.index[i];
      double value = row.value[i];
      sum[at] += value;
      square[at] += value * value;
    }
  }
  return ADL_OK;
}

/* Fills everything but the sample; *values: numbers stored in all rows. */
static adl_status moments(const adl_call *call, adl_kmeans_data *data, int64_t *values) {
  const adl_host *host = call->host;
  adl_tensors *total = host->scratch_tensors(call);
  int64_t width = data->width;
  double *sum = host->tensor(call, total, "sum", ADL_FLOAT64, 1, &width);
  double *square = host->tensor(call, total, "square", ADL_FLOAT64, 1, &width);
  int64_t *counts = host->tensor(call, total, "counts", ADL_INT64, 1, (const int64_t[]){2});
  adl_fold fold = {.struct_size = sizeof fold, .step = step_moments, .context = data};
  ADL_TRY(host->fold(call, data->rows, &fold, total));
  sum = host->tensor(call, total, "sum", ADL_FLOAT64, 1, &width);
  square = host->tensor(call, total, "square", ADL_FLOAT64, 1, &width);
  counts = host->tensor(call, total, "counts", ADL_INT64, 1, (const int64_t[]){2});

  data->count = counts[0];
  *values = counts[1];
  if (data->count == 0) return ADL_OK;
  data->mean = host->alloc(call, (size_t)width * sizeof *data->mean);
  data->deviation = host->alloc(call, (size_t)width * sizeof *data->deviation);
  data->center = host->alloc(call, (size_t)width * sizeof *data->center);
  data->variance = 0;
  for (int64_t i = 0; i < width; i++) {
    double mean = sum[i] / (double)data->count;
    double variance = square[i] / (double)data->count - mean * mean;
    /* A spread that float32 could not hold beside such a mean is rounding: the dimension is constant. */
    if (!(variance > 1e-14 * mean * mean)) variance = 0;
    data->mean[i] = mean;
    data->center[i] = (float)mean;
    data->deviation[i] = sqrt(variance);
    data->variance += variance / (double)width;
  }
  return ADL_OK;
}

/* -------------------------------------------------------------------------------------------------- sample ---- */

/* One row, at random, out of each of `wanted` equal stretches of the rows. */
typedef struct draw {
  const adl_kmeans_data *data;
  uint64_t key;
  int64_t wanted;
} draw;

static int64_t stretch_begin(const draw *from, int64_t stretch) {
  int64_t whole = from->data->count / from->wanted, rest = from->data->count % from->wanted;
  return stretch * whole + stretch * rest / from->wanted; /* stretch x count / wanted, without overflow */
}

static int64_t stretch_pick(const draw *from, int64_t stretch) {
  int64_t begin = stretch_begin(from, stretch), end = stretch_begin(from, stretch + 1);
  return begin + (int64_t)(adl_random_unit(from->key, (uint64_t)stretch) * (double)(end - begin));
}

/* First stretch whose row is not before `ordinal`. */
static int64_t stretch_from(const draw *from, int64_t ordinal) {
  int64_t low = 0, high = from->wanted;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (stretch_pick(from, middle) < ordinal)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Sampled rows as a partial: their ordinals and lengths, and their values end to end. */
typedef struct rows_held {
  int64_t *used; /* rows, values */
  int64_t *ordinal, *length;
  float *value;
  uint32_t *index; /* NULL: dense */
} rows_held;

static rows_held hold(const adl_call *call, adl_tensors *tensors, bool sparse, int64_t more_rows, int64_t more_values) {
  rows_held held = {.used = call->host->tensor(call, tensors, "used", ADL_INT64, 1, (const int64_t[]){2})};
  adl_tensor now;
  int64_t rows = 1, values = 1;
  if (call->host->find_tensor(call, tensors, "ordinal", &now)) rows = now.size[0];
  if (call->host->find_tensor(call, tensors, "value", &now)) values = now.size[0];
  while (rows < held.used[0] + more_rows) rows *= 2;
  while (values < held.used[1] + more_values) values *= 2;
  held.ordinal = call->host->tensor(call, tensors, "ordinal", ADL_INT64, 1, &rows);
  held.length = call->host->tensor(call, tensors, "length", ADL_INT64, 1, &rows);
  held.value = call->host->tensor(call, tensors, "value", ADL_FLOAT32, 1, &values);
  if (sparse) held.index = call->host->tensor(call, tensors, "index", ADL_UINT32, 1, &values);
  held.used = call->host->tensor(call, tensors, "used", ADL_INT64, 1, (const int64_t[]){2});
  return held;
}

static void put(rows_held *held, int64_t ordinal, adl_matrix_row row) {
  int64_t at = held->used[1];
  memcpy(held->value + at, row.value, (size_t)row.count * sizeof *row.value);
  if (held->index != NULL && row.count > 0) memcpy(held->index + at, row.index, (size_t)row.count * sizeof *row.index);
  held->ordinal[held->used[0]] = ordinal;
  held->length[held->used[0]] = row.count;
  held->used[0]++;
  held->used[1] += row.count;
}

static adl_status step_sample(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                              adl_tensors *partial) {
  (void)self;
  const draw *from = context;
  const adl_column *features = batch->slots[from->data->slot];
  int64_t first = stretch_from(from, batch->ordinal), end = stretch_from(from, batch->ordinal + batch->rows);
  if (first == end) return ADL_OK;
  int64_t values = 0;
  for (int64_t i = first; i < end; i++)
    values += adl_matrix_row_at(features, stretch_pick(from, i) - batch->ordinal).count;
  rows_held held = hold(call, partial, from->data->sparse, end - first, values);
  for (int64_t i = first; i < end; i++) {
    int64_t ordinal = stretch_pick(from, i);
    put(&held, ordinal, adl_matrix_row_at(features, ordinal - batch->ordinal));
  }
  return ADL_OK;
}

static adl_status merge_samples(const adl_call *call, const void *self, const void *context, adl_tensors *into,
                                adl_tensors *from) {
  (void)self;
  bool sparse = ((const draw *)context)->data->sparse;
  rows_held source = hold(call, from, sparse, 0, 0);
  rows_held target = hold(call, into, sparse, source.used[0], source.used[1]);
  int64_t at = 0;
  for (int64_t r = 0; r < source.used[0]; r++) {
    put(&target, source.ordinal[r],
        (adl_matrix_row){sparse ? source.index + at : NULL, source.value + at, source.length[r]});
    at += source.length[r];
  }
  return ADL_OK;
}

typedef struct place {
  int64_t ordinal, at, length;
} place;

static int by_ordinal(const void *a, const void *b) {
  int64_t x = ((const place *)a)->ordinal, y = ((const place *)b)->ordinal;
  return (x > y) - (x < y);
}

/* Lanes end in any order: puts the rows into row order, as a column. */
static void make_sample(const adl_call *call, const rows_held *held, adl_kmeans_data *data) {
  int64_t rows = held->used[0], values = held->used[1], at = 0;
  place *order = call->host->alloc(call, (size_t)rows * sizeof *order + 1);
  for (int64_t r = 0; r < rows; r++) {
    order[r] = (place){held->ordinal[r], at, held->length[r]};
    at += held->length[r];
  }
  qsort(order, (size_t)rows, sizeof *order, by_ordinal);
  float *value = call->host->alloc(call, (size_t)values * sizeof *value + 1);
  uint32_t *index = data->sparse ? call->host->alloc(call, (size_t)values * sizeof *index + 1) : NULL;
  int32_t *offsets = data->sparse ? call->host->alloc(call, (size_t)(rows + 1) * sizeof *offsets) : NULL;
  at = 0;
  for (int64_t r = 0; r < rows; r++) {
    size_t length = (size_t)order[r].length;
    memcpy(value + at, held->value + order[r].at, length * sizeof *value);
    if (data->sparse) {
      memcpy(index + at, held->index + order[r].at, length * sizeof *index);
      offsets[r] = (int32_t)at;
    }
    at += order[r].length;
  }
  if (data->sparse) offsets[rows] = (int32_t)at;
  data->sample =
      (adl_column){.struct_size = sizeof data->sample, .rows = rows, .data = value, .index = index, .offsets = offsets};
  data->sample.type =
      (adl_type){.element = ADL_FLOAT32, .shape = data->sparse ? ADL_SPARSE : ADL_VECTOR, .width = data->width};
}

static int64_t sample_size(const adl_kmeans_data *data, int64_t values, int64_t clusters) {
  int64_t each = values / data->count + 1; /* values of a row */
  int64_t least = clusters > SAMPLE_LEAST ? clusters : SAMPLE_LEAST;
  int64_t wanted = SAMPLE_ROWS;
  if (wanted > SAMPLE_VALUES / each) wanted = SAMPLE_VALUES / each;
  if (wanted < least) wanted = least;
  if (wanted > SAMPLE_LIMIT / each) wanted = SAMPLE_LIMIT / each; /* int32 offsets */
  if (wanted < 1) wanted = 1;
  return wanted < data->count ? wanted : data->count;
}

adl_status adl_kmeans_look(const adl_call *call, adl_rows *rows, const adl_input *features, const char *parameter,
                           int64_t clusters, adl_kmeans_data *data) {
  const adl_host *host = call->host;
  *data = (adl_kmeans_data){.rows = rows,
                            .slot = features->slot,
                            .sparse = features->type.shape == ADL_SPARSE,
                            .width = features->type.width};
  if (data->width < 1)
    return host->fail(call, "features", -1, "see what the stage that makes them found in its training rows",
                      "the features have no dimensions");
  int64_t values = 0;
  ADL_TRY(moments(call, data, &values));
  if (data->count == 0)
    return host->fail(call, NULL, -1, "see whether a filter, the holdout or rejected rows left nothing to learn from",
                      "no training rows");
  if (data->count < clusters)
    return host->fail(call, parameter, -1, "ask for fewer", "%lld %s are more than the %lld training row%s",
                      (long long)clusters, parameter, (long long)data->count, data->count == 1 ? "" : "s");
  draw from = {data, host->random_key(call, "sample"), sample_size(data, values, clusters)};
  adl_tensors *total = host->scratch_tensors(call);
  hold(call, total, data->sparse, 0, 0);
  adl_fold fold = {.struct_size = sizeof fold, .step = step_sample, .merge = merge_samples, .context = &from};
  ADL_TRY(host->fold(call, rows, &fold, total));
  rows_held held = hold(call, total, data->sparse, 0, 0);
  if (held.used[0] == 0) return host->fail(call, NULL, -1, NULL, "the training rows were gone in the second pass");
  make_sample(call, &held, data);
  host->drop_tensor(call, total, "value");
  if (data->sparse) host->drop_tensor(call, total, "index");
  return ADL_OK;
}
