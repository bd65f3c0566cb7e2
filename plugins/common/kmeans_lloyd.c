#include "common/kmeans_lloyd.h"

#include <string.h>

#include "common/kmeans_assign.h"
#include "common/kmeans_farthest.h"
#include "common/matrix_rows.h"

/* One run of the algorithm, and its memory. */
typedef struct adl_kmeans_lloyd {
  const adl_kmeans_data *data;
  const adl_kmeans_settings *settings;
  adl_kmeans_result *result;
  void *memory; /* of the index */
  const adl_kmeans_index *index;
  adl_tensors *total, *far_total; /* far_total and far: NULL until a cluster is empty */
  adl_kmeans_far *far;
  double *sums;    /* wanted clusters x width, in total */
  int64_t *counts; /* wanted clusters, in total */
  double *inertia; /* in total */
  bool exhausted;  /* every row lies on a centre: there is nothing to put further ones on */
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

static adl_status step_lloyd(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)self;
  const lloyd *run = context;
  const adl_column *features = batch->slots[run->data->slot];
  double *sums, *inertia;
  int64_t *counts;
  open_sums(call, run, partial, &sums, &counts, &inertia);
  int32_t *cluster = call->host->alloc(call, (size_t)batch->rows * sizeof *cluster);
  double *distance2 = call->host->alloc(call, (size_t)batch->rows * sizeof *distance2);
  adl_kmeans_assign(call, run->index, features, cluster, distance2);
  for (int64_t r = 0; r < batch->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(features, r);
    double *sum = sums + cluster[r] * run->data->width;
    if (row.index == NULL)
      for (int64_t i = 0; i < row.count; i++) sum[i] += row.value[i];
    else
      for (int64_t i = 0; i < row.count; i++) sum[row.index[i]] += row.value[i];
    counts[cluster[r]]++;
    *inertia += distance2[r];
  }
  return ADL_OK;
}

/* Sums, counts and inertia at the centres as they are. */
static adl_status assign_all(const adl_call *call, lloyd *run) {
  const adl_kmeans_data *data = run->data;
  run->index = adl_kmeans_index_build(run->memory, run->result->clusters, data->width, data->sparse,
                                      run->result->centers, data->center);
  open_sums(call, run, run->total, &run->sums, &run->counts, &run->inertia);
  adl_fold fold = {.struct_size = sizeof fold, .step = step_lloyd, .context = run};
  ADL_TRY(call->host->fold(call, data->rows, &fold, run->total));
  open_sums(call, run, run->total, &run->sums, &run->counts, &run->inertia);
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
    data->lloyd = run;
  }
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
    ADL_TRY(assign_all(call, run));
    ADL_TRY(fill_empty(call, run));
    moved = move_centers(run);
    result->iterations++;
    host->progress(call, "iterations", (double)result->iterations, (double)settings->iterations);
  }
  result->converged = moved >= 0 && moved <= enough;
  if (moved != 0) ADL_TRY(assign_all(call, run)); /* else the last sums are those of these centres */
  result->inertia = *run->inertia;
  for (int64_t j = 0; j < result->clusters; j++) result->sizes[j] = run->counts[j];
  if (result->clusters < settings->clusters)
    host->log(call, ADL_WARNING, "clusters: %lld instead of %lld, as there are no more distinct rows",
              (long long)result->clusters, (long long)settings->clusters);
  return ADL_OK;
}
