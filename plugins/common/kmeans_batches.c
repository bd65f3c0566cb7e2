#include "common/kmeans_batches.h"

#include <string.h>

#include "common/kmeans_assign.h"
#include "common/kmeans_rows.h"
#include "common/matrix_rows.h"

/* State of a run, behind a pointer that the context of the fold holds: in a fold in row order, one step runs at a time. */
typedef struct state {
  int64_t clusters, width, size;
  int32_t slot;
  bool sparse;
  const float *center;
  float *centers;  /* clusters x width, the result's */
  double *exact;   /* the same in float64 */
  double *sums;    /* clusters x width: of the batch so far */
  int64_t *counts; /* clusters; of the batch so far */
  int64_t *seen;   /* clusters; of all batches before */
  void *memory;    /* of the index */
  const adl_kmeans_index *index;
} state;

static void index_centers(state *run) {
  run->index = adl_kmeans_index_build(run->memory, run->clusters, run->width, run->sparse, run->centers, run->center);
}

/* Equation of Sculley's algorithm 1 for all rows of a batch at once: the rate of a row is 1 / rows seen so far. */
static void move(state *run) {
  int64_t d = run->width, moved = 0;
  for (int64_t j = 0; j < run->clusters; j++) {
    if (run->counts[j] == 0) continue;
    moved++;
    run->seen[j] += run->counts[j];
    double count = (double)run->counts[j], all = (double)run->seen[j];
    for (int64_t i = j * d; i < (j + 1) * d; i++) {
      run->exact[i] += (run->sums[i] - count * run->exact[i]) / all;
      run->centers[i] = (float)run->exact[i];
      run->sums[i] = 0;
    }
    run->counts[j] = 0;
  }
  if (moved > 0) index_centers(run);
}

static void take(const adl_call *call, state *run, const adl_column *rows) {
  int32_t *cluster = call->host->alloc(call, (size_t)rows->rows * sizeof *cluster);
  adl_simd level = adl_simd_level();
  adl_kmeans_assign(call, run->index, rows, cluster, NULL);
  for (int64_t r = 0; r < rows->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(rows, r);
    double *sum = run->sums + cluster[r] * run->width;
    run->counts[cluster[r]]++;
    if (row.index == NULL) adl_kmeans_add(level, sum, row.value, row.count);
    for (int64_t i = 0; row.index != NULL && i < row.count; i++) sum[row.index[i]] += (double)row.value[i];
  }
}

static adl_status step_batches(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                               adl_tensors *partial) {
  (void)self;
  (void)partial;
  state *run = *(state *const *)context;
  const adl_column *features = batch->slots[run->slot];
  for (int64_t from = 0; from < batch->rows;) {
    int64_t left = run->size - (batch->ordinal + from) % run->size;
    adl_column part = *features;
    part.rows = batch->rows - from < left ? batch->rows - from : left;
    if (run->sparse)
      part.offsets += from;
    else
      part.data = (const float *)features->data + from * run->width;
    take(call, run, &part);
    from += part.rows;
    if (part.rows == left) move(run);
  }
  return ADL_OK;
}

static state *begin(const adl_call *call, const adl_kmeans_data *data, int64_t batch_rows, adl_kmeans_result *result) {
  const adl_host *host = call->host;
  state *run = host->alloc(call, sizeof *run);
  size_t k = (size_t)result->clusters, values = k * (size_t)data->width;
  *run = (state){.clusters = result->clusters,
                 .width = data->width,
                 .size = batch_rows,
                 .slot = data->slot,
                 .sparse = data->sparse,
                 .center = data->center,
                 .centers = result->centers};
  run->exact = host->alloc(call, values * sizeof *run->exact);
  run->sums = host->alloc(call, values * sizeof *run->sums);
  run->counts = host->alloc(call, k * sizeof *run->counts);
  run->seen = host->alloc(call, k * sizeof *run->seen);
  run->memory = host->alloc(call, adl_kmeans_index_size(run->clusters, run->width, run->sparse));
  memset(run->sums, 0, values * sizeof *run->sums);
  memset(run->counts, 0, k * sizeof *run->counts);
  memset(run->seen, 0, k * sizeof *run->seen);
  for (size_t i = 0; i < values; i++) run->exact[i] = result->centers[i];
  index_centers(run);
  return run;
}

adl_status adl_kmeans_mini_batch(const adl_call *call, adl_kmeans_data *data, const adl_kmeans_settings *settings,
                                 int64_t batch_rows, adl_kmeans_result *result) {
  const adl_host *host = call->host;
  state *run = begin(call, data, batch_rows, result);
  size_t values = (size_t)(run->clusters * run->width);
  double *before = host->alloc(call, values * sizeof *before), enough = settings->tolerance * data->variance;
  adl_tensors *total = host->scratch_tensors(call);
  adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = step_batches, .context = &run};
  int64_t passes = 0;
  bool converged = false;
  while (passes < settings->iterations && !converged) {
    memcpy(before, run->exact, values * sizeof *before);
    ADL_TRY(host->fold(call, data->rows, &fold, total));
    move(run); /* what is left of the pass is a smaller batch */
    double moved = 0;
    for (size_t i = 0; i < values; i++) moved += (run->exact[i] - before[i]) * (run->exact[i] - before[i]);
    converged = moved <= enough;
    host->progress(call, "passes", (double)++passes, (double)settings->iterations);
  }
  adl_kmeans_settings measure = {settings->clusters, 0, 0};
  ADL_TRY(adl_kmeans_lloyd(call, data, &measure, result));
  result->iterations = passes;
  result->converged = converged;
  return ADL_OK;
}
