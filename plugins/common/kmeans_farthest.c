#include "common/kmeans_farthest.h"

#include <stdlib.h>
#include <string.h>

#include "common/matrix_rows.h"

typedef struct search {
  const adl_kmeans_data *data;
  const adl_kmeans_index *index;
  int64_t wanted;
} search;

/* A partial: up to `wanted` rows in no order. */
typedef struct rows_far {
  int64_t *count;
  double *distance2;
  int64_t *ordinal;
  int32_t *cluster;
  float *row; /* wanted x width */
} rows_far;

static rows_far open_partial(const adl_call *call, const search *what, adl_tensors *tensors) {
  const adl_host *host = call->host;
  int64_t size[2] = {what->wanted, what->data->width};
  return (rows_far){.count = host->tensor(call, tensors, "count", ADL_INT64, 1, (const int64_t[]){1}),
                    .distance2 = host->tensor(call, tensors, "distance2", ADL_FLOAT64, 1, size),
                    .ordinal = host->tensor(call, tensors, "ordinal", ADL_INT64, 1, size),
                    .cluster = host->tensor(call, tensors, "cluster", ADL_INT32, 1, size),
                    .row = host->tensor(call, tensors, "row", ADL_FLOAT32, 2, size)};
}

/* Whether row a is farther than row b; the earlier one, if equally far. */
static bool farther(double a, int64_t a_ordinal, double b, int64_t b_ordinal) {
  return a > b || (a == b && a_ordinal < b_ordinal);
}

static int64_t nearest_of(const rows_far *held) {
  int64_t worst = 0;
  for (int64_t i = 1; i < *held->count; i++)
    if (farther(held->distance2[worst], held->ordinal[worst], held->distance2[i], held->ordinal[i])) worst = i;
  return worst;
}

/* The slot that a row goes into: of an equal row, a free one, or that of `worst`, the nearest one held. -1: none. */
static int64_t slot_for(const search *what, const rows_far *held, int64_t worst, double distance2, int64_t ordinal,
                        const float *row) {
  size_t size = (size_t)what->data->width * sizeof *row;
  bool full = *held->count == what->wanted;
  if (full && !farther(distance2, ordinal, held->distance2[worst], held->ordinal[worst])) return -1;
  for (int64_t i = 0; i < *held->count; i++)
    if (held->distance2[i] == distance2 && memcmp(held->row + i * what->data->width, row, size) == 0)
      return ordinal < held->ordinal[i] ? i : -1;
  return full ? worst : (*held->count)++;
}

static bool keep(const search *what, rows_far *held, int64_t worst, double distance2, int64_t ordinal, int32_t cluster,
                 const float *row) {
  int64_t at = slot_for(what, held, worst, distance2, ordinal, row);
  if (at < 0) return false;
  held->distance2[at] = distance2;
  held->ordinal[at] = ordinal;
  held->cluster[at] = cluster;
  memcpy(held->row + at * what->data->width, row, (size_t)what->data->width * sizeof *row);
  return true;
}

static adl_status step_farthest(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                                adl_tensors *partial) {
  (void)self;
  const search *what = context;
  const adl_column *features = batch->slots[what->data->slot];
  rows_far held = open_partial(call, what, partial);
  int32_t *cluster = call->host->alloc(call, (size_t)batch->rows * sizeof *cluster);
  double *distance2 = call->host->alloc(call, (size_t)batch->rows * sizeof *distance2);
  float *dense = call->host->alloc(call, (size_t)what->data->width * sizeof *dense);
  adl_kmeans_assign(call, what->index, features, cluster, distance2);
  int64_t worst = nearest_of(&held);
  for (int64_t r = 0; r < batch->rows; r++) {
    if (distance2[r] == 0 || (*held.count == what->wanted && distance2[r] < held.distance2[worst])) continue;
    adl_matrix_row row = adl_matrix_row_at(features, r);
    const float *values = row.value;
    if (row.index != NULL) {
      memset(dense, 0, (size_t)what->data->width * sizeof *dense);
      for (int64_t i = 0; i < row.count; i++) dense[row.index[i]] = row.value[i];
      values = dense;
    }
    if (keep(what, &held, worst, distance2[r], batch->ordinal + r, cluster[r], values)) worst = nearest_of(&held);
  }
  return ADL_OK;
}

static adl_status merge_farthest(const adl_call *call, const void *self, const void *context, adl_tensors *into,
                                 adl_tensors *from) {
  (void)self;
  const search *what = context;
  rows_far target = open_partial(call, what, into), source = open_partial(call, what, from);
  for (int64_t i = 0; i < *source.count; i++)
    keep(what, &target, nearest_of(&target), source.distance2[i], source.ordinal[i], source.cluster[i],
         source.row + i * what->data->width);
  return ADL_OK;
}

static int by_distance(const void *a, const void *b) {
  const adl_kmeans_far *x = a, *y = b;
  return farther(x->distance2, x->ordinal, y->distance2, y->ordinal) ? -1 : 1;
}

adl_status adl_kmeans_farthest(const adl_call *call, const adl_kmeans_data *data, const adl_kmeans_index *index,
                               int64_t wanted, adl_tensors *total, adl_kmeans_far *far, int64_t *found) {
  search what = {data, index, wanted};
  open_partial(call, &what, total);
  adl_fold fold = {.struct_size = sizeof fold, .step = step_farthest, .merge = merge_farthest, .context = &what};
  ADL_TRY(call->host->fold(call, data->rows, &fold, total));
  rows_far held = open_partial(call, &what, total);
  *found = *held.count;
  for (int64_t i = 0; i < *found; i++)
    far[i] = (adl_kmeans_far){held.distance2[i], held.ordinal[i], held.cluster[i], held.row + i * data->width};
  qsort(far, (size_t)*found, sizeof *far, by_distance);
  return ADL_OK;
}
