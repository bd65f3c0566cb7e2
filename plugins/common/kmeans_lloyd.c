#include "common/kmeans_lloyd.h"

#include <string.h>

#include "common/kmeans_assign.h"
#include "common/kmeans_bounds.h"
#include "common/kmeans_farthest.h"
#include "common/kmeans_rows.h"
#include "common/matrix_rows.h"

/* One run of the algorithm, and its memory. */
typedef struct adl_kmeans_lloyd {
  const adl_kmeans_data *data;
  const adl_kmeans_settings *settings;
  adl_kmeans_result *result;
  void *memory; /* of the index */
  const adl_kmeans_index *index;
  adl_kmeans_bounds *bounds;      /* NULL: every pass computes every row anew */
  bool measuring;                 /* this pass measures the inertia */
  adl_tensors *total, *far_total; /* far_total and far: NULL until a cluster is empty */
  adl_kmeans_far *far;
  double *all_sums;             /* wanted clusters x width: of the rows as they are assigned */
  double *sums;                 /* the same, with empty clusters filled */
  int64_t *all_counts, *counts; /* wanted clusters; likewise */
  double inertia;
  bool exhausted; /* every row lies on a centre: there is nothing to put further ones on */
} lloyd;

adl_kmeans_result adl_kmeans_result_new(const adl_call *call, int64_t clusters, int64_t width) {
  adl_kmeans_result result = {0};
  result.centers = call->host->alloc(call, (size_t)(clusters * width) * sizeof *result.centers);
  result.sizes = call->host->alloc(call, (size_t)clusters * sizeof *result.sizes);
  return result;
}

static void open_sums(const adl_call *call, const lloyd *run, adl_tensors *tensors, double **sums, int64_t **counts,
                      double **inertia) {
  int64_t size[2] = {run->settings->clusters, run->data->width};
  *sums = call->host->tensor(call, tensors, "sums", ADL_FLOAT64, 2, size);
  *counts = call->host->tensor(call, tensors, "counts", ADL_INT64, 1, size);
  *inertia = call->host->tensor(call, tensors, "inertia", ADL_FLOAT64, 1, (const int64_t[]){1});
}

static void add_row(const lloyd *run, adl_matrix_row row, double *sum, double sign) {
  if (row.index != NULL)
    for (int64_t i = 0; i < row.count; i++) sum[row.index[i]] += sign * (double)row.value[i];
  else if (sign > 0)
    adl_kmeans_add((adl_simd)run->index->panels.level, sum, row.value, row.count);
  else
    adl_kmeans_subtract((adl_simd)run->index->panels.level, sum, row.value, row.count);
}

/* A pass without bounds sums up all rows. */
static adl_status step_all(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                           adl_tensors *partial) {
  (void)self;
  const lloyd *run = context;
  const adl_column *features = batch->slots[run->data->slot];
  double *sums, *inertia;
  int64_t *counts;
  open_sums(call, run, partial, &sums, &counts, &inertia);
  int32_t *cluster = call->host->alloc(call, (size_t)batch->rows * sizeof *cluster);
  double *distance2 = run->measuring ? call->host->alloc(call, (size_t)batch->rows * sizeof *distance2) : NULL;
  adl_kmeans_assign(call, run->index, features, cluster, distance2);
  for (int64_t r = 0; r < batch->rows; r++) {
    add_row(run, adl_matrix_row_at(features, r), sums + cluster[r] * run->data->width, 1);
    counts[cluster[r]]++;
    if (run->measuring) *inertia += distance2[r];
  }
  return ADL_OK;
}

static double distance2_of(const lloyd *run, adl_matrix_row row, int32_t cluster) {
  const adl_kmeans_index *index = run->index;
  if (index->sparse) return adl_kmeans_sparse_distance2(index, row, cluster);
  return adl_kmeans_distance2((adl_simd)index->panels.level, row.value, index->centers + cluster * index->width,
                              index->width);
}

/* A pass with bounds sums up what rows changed by moving from cluster to cluster. */
static adl_status step_changes(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                               adl_tensors *partial) {
  (void)self;
  const lloyd *run = context;
  const adl_column *features = batch->slots[run->data->slot];
  int64_t d = run->data->width;
  double *sums, *inertia;
  int64_t *counts;
  open_sums(call, run, partial, &sums, &counts, &inertia);
  if (batch->ordinal + batch->rows > run->bounds->rows)
    return call->host->fail(call, NULL, -1, NULL, "there are more training rows than in the first pass");
  int32_t *before = call->host->alloc(call, (size_t)batch->rows * sizeof *before);
  const int32_t *cluster = run->bounds->cluster + batch->ordinal;
  adl_kmeans_bounds_assign(call, run->bounds, run->index, features, batch->ordinal, before);
  for (int64_t r = 0; r < batch->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(features, r);
    if (run->measuring) *inertia += distance2_of(run, row, cluster[r]);
    if (cluster[r] == before[r]) continue;
    add_row(run, row, sums + cluster[r] * d, 1);
    counts[cluster[r]]++;
    if (before[r] < 0) continue;
    add_row(run, row, sums + before[r] * d, -1);
    counts[before[r]]--;
  }
  return ADL_OK;
}

/* Sums and counts at the centres as they are; with `measure` their inertia as well, which costs a little. */
static adl_status assign_all(const adl_call *call, lloyd *run, bool measure) {
  const adl_kmeans_data *data = run->data;
  int64_t k = run->settings->clusters, d = data->width, *counts;
  double *sums, *inertia;
  run->measuring = measure;
  run->index =
      adl_kmeans_index_build(run->memory, run->result->clusters, d, data->sparse, run->result->centers, data->center);
  bool changes = run->bounds != NULL && run->bounds->known;
  if (run->bounds != NULL) adl_kmeans_bounds_moved(run->bounds, run->index);
  open_sums(call, run, run->total, &sums, &counts, &inertia);
  adl_fold fold = {.struct_size = sizeof fold, .step = run->bounds != NULL ? step_changes : step_all, .context = run};
  ADL_TRY(call->host->fold(call, data->rows, &fold, run->total));
  open_sums(call, run, run->total, &sums, &counts, &inertia);
  for (int64_t i = 0; i < k * d; i++) run->all_sums[i] = sums[i] + (changes ? run->all_sums[i] : 0);
  for (int64_t j = 0; j < k; j++) run->all_counts[j] = counts[j] + (changes ? run->all_counts[j] : 0);
  memcpy(run->sums, run->all_sums, (size_t)(k * d) * sizeof *run->sums);
  memcpy(run->counts, run->all_counts, (size_t)k * sizeof *run->counts);
  run->inertia = *inertia;
  if (run->bounds != NULL) run->bounds->known = true;
  return ADL_OK;
}

/* Gives each empty cluster the row that is farthest from its centre. */
static adl_status fill_empty(const adl_call *call, lloyd *run) {
  int64_t wanted = run->settings->clusters, d = run->data->width, empty = 0, found = 0;
  for (int64_t j = 0; j < wanted; j++) empty += run->counts[j] == 0;
  if (empty == 0 || run->exhausted) return ADL_OK;
  if (run->far == NULL) {
    run->far = call->host->alloc(call, (size_t)wanted * sizeof *run->far);
    run->far_total = call->host->scratch_tensors(call);
  }
  ADL_TRY(adl_kmeans_farthest(call, run->data, run->index, empty, run->far_total, run->far, &found));
  run->exhausted = found == 0;
  int64_t to = 0;
  for (int64_t f = 0; f < found; f++) {
    const adl_kmeans_far *far = &run->far[f];
    if (run->counts[far->cluster] < 2) continue; /* its cluster will move onto it */
    while (run->counts[to] > 0) to++;
    for (int64_t i = 0; i < d; i++) {
      run->sums[far->cluster * d + i] -= (double)far->row[i];
      run->sums[to * d + i] = (double)far->row[i];
    }
    run->counts[far->cluster]--;
    run->counts[to] = 1;
  }
  return ADL_OK;
}

/* Moves the centres to the means of their rows, closing up over empty clusters. Returns the squared distance that all
 * moved together; -1: there are more or fewer of them than before, or others. */
static double move_centers(lloyd *run) {
  int64_t d = run->data->width, before = run->result->clusters, after = 0;
  float *centers = run->result->centers;
  double moved = 0;
  bool same = true;
  for (int64_t j = 0; j < run->settings->clusters; j++) {
    if (run->counts[j] == 0) {
      same = same && j >= before;
      continue;
    }
    same = same && after == j && j < before;
    for (int64_t i = 0; i < d; i++) {
      float now = (float)(run->sums[j * d + i] / (double)run->counts[j]);
      double difference = same ? (double)now - (double)centers[after * d + i] : 0;
      moved += difference * difference;
      centers[after * d + i] = now;
    }
    after++;
  }
  run->result->clusters = after;
  if (!same && run->bounds != NULL) adl_kmeans_bounds_forget(run->bounds); /* numbers stand for other centres */
  return same ? moved : -1;
}

/* Kept in data->lloyd for the next run. */
static lloyd *begin(const adl_call *call, adl_kmeans_data *data, const adl_kmeans_settings *settings,
                    adl_kmeans_result *result) {
  lloyd *run = data->lloyd;
  if (run == NULL) {
    run = call->host->alloc(call, sizeof *run);
    *run = (lloyd){.data = data, .total = call->host->scratch_tensors(call)};
    run->memory = call->host->alloc(call, adl_kmeans_index_size(settings->clusters, data->width, data->sparse));
    size_t k = (size_t)settings->clusters, values = k * (size_t)data->width;
    run->all_sums = call->host->alloc(call, values * sizeof *run->all_sums);
    run->sums = call->host->alloc(call, values * sizeof *run->sums);
    run->all_counts = call->host->alloc(call, k * sizeof *run->all_counts);
    run->counts = call->host->alloc(call, k * sizeof *run->counts);
    run->bounds = adl_kmeans_bounds_new(call, data->count, settings->clusters, data->width, data->sparse);
    data->lloyd = run;
  }
  if (run->bounds != NULL) adl_kmeans_bounds_forget(run->bounds);
  run->settings = settings;
  run->result = result;
  run->exhausted = false;
  return run;
}

adl_status adl_kmeans_lloyd(const adl_call *call, adl_kmeans_data *data, const adl_kmeans_settings *settings,
                            adl_kmeans_result *result) {
  const adl_host *host = call->host;
  lloyd *run = begin(call, data, settings, result);
  double moved = -1, enough = settings->tolerance * data->variance;
  result->iterations = 0;
  while (result->iterations < settings->iterations && !(moved >= 0 && moved <= enough)) {
    ADL_TRY(assign_all(call, run, false));
    ADL_TRY(fill_empty(call, run));
    moved = move_centers(run);
    result->iterations++;
    host->progress(call, "iterations", (double)result->iterations, (double)settings->iterations);
  }
  result->converged = moved >= 0 && moved <= enough;
  ADL_TRY(assign_all(call, run, true));
  result->inertia = run->inertia;
  for (int64_t j = 0; j < result->clusters; j++) result->sizes[j] = run->counts[j];
  if (result->clusters < settings->clusters)
    host->log(call, ADL_WARNING, "clusters: %lld instead of %lld, as there are no more distinct rows",
              (long long)result->clusters, (long long)settings->clusters);
  return ADL_OK;
}
