/* K-means, complete: sketch.kmeans. Every pass is a fold: k of them draw starting centres, each with a merge of its
 * own, the others are Lloyd's, whose partials are added. */
#include <adloom/plugin.h>

#include <math.h>
#include <string.h>

/* ---- the kernel ---- */

/* Squared distance from a row to the nearest of k centres; HUGE_VAL when there are none. */
static double nearest(const float *row, const float *centers, int64_t k, int64_t width, int64_t *which) {
  double least = HUGE_VAL;
  for (int64_t j = 0; j < k; j++) {
    double sum = 0;
    for (int64_t d = 0; d < width; d++) {
      double difference = (double)row[d] - (double)centers[j * width + d];
      sum += difference * difference;
    }
    if (sum >= least) continue;
    least = sum;
    *which = j;
  }
  return least;
}

/* ---- the class ---- */

typedef struct kmeans {
  adl_input features;
  int64_t clusters, max_iter;
  adl_output as;
} kmeans;

/* What a pass over the rows must know: context of the folds. */
typedef struct pass {
  const float *centers;
  int64_t count;
  uint64_t key;
} pass;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(kmeans, features),
     .shapes = ADL_MASK(ADL_VECTOR),
     .doc = "Columns to cluster by."},
    {.name = "clusters",
     .type = ADL_PARAM_INT,
     .offset = offsetof(kmeans, clusters),
     .default_value = "8",
     .range = "[1, 1024]",
     .doc = "Number of clusters."},
    {.name = "max_iter",
     .type = ADL_PARAM_INT,
     .offset = offsetof(kmeans, max_iter),
     .default_value = "100",
     .range = "[1, 10000]",
     .doc = "Most passes of Lloyd's algorithm."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(kmeans, as),
     .default_value = "cluster",
     .doc = "New column: number of the nearest centre (int32, a category)."},
};

static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((kmeans *)self)->as, (adl_type){.element = ADL_INT32, .role = ADL_CATEGORY});
}

/* k-means++ as a race: a row's speed is its weight over an exponential of its own, and the fastest row of all is a draw
 * by weight, whatever the number of partials. A partial is the fastest row and, behind it, its speed (0: none yet). */
static adl_status race(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const adl_column *features = batch->slots[((const kmeans *)instance)->features.slot];
  const pass *in = context;
  int64_t width = features->type.width, size = width + 1, which;
  double *fastest = call->host->tensor(call, partial, "fastest", ADL_FLOAT64, 1, &size);
  for (int64_t r = 0; r < batch->rows; r++) {
    const float *row = (const float *)features->data + r * width;
    double weight = in->count == 0 ? 1 : nearest(row, in->centers, in->count, width, &which);
    double speed = weight / -log1p(-adl_random_unit(in->key, (uint64_t)(batch->ordinal + r)));
    if (speed <= fastest[width]) continue;
    for (int64_t d = 0; d < width; d++) fastest[d] = (double)row[d];
    fastest[width] = speed;
  }
  return ADL_OK;
}

static adl_status faster(const adl_call *call, const void *instance, const void *context, adl_tensors *into,
                         adl_tensors *from) {
  adl_tensor mine, theirs;
  (void)instance, (void)context;
  call->host->find_tensor(call, into, "fastest", &mine);
  call->host->find_tensor(call, from, "fastest", &theirs);
  if (((double *)theirs.data)[theirs.count - 1] > ((double *)mine.data)[mine.count - 1])
    memcpy(mine.data, theirs.data, (size_t)mine.count * sizeof(double));
  return ADL_OK;
}

static adl_status add_up(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                         adl_tensors *partial) {
  const adl_column *features = batch->slots[((const kmeans *)instance)->features.slot];
  const pass *in = context;
  int64_t width = features->type.width, size[2] = {in->count, width + 2}, which = 0;
  double *sums = call->host->tensor(call, partial, "sums", ADL_FLOAT64, 2, size);
  for (int64_t r = 0; r < batch->rows; r++) {
    const float *row = (const float *)features->data + r * width;
    double distance2 = nearest(row, in->centers, in->count, width, &which);
    double *sum = sums + which * (width + 2);
    for (int64_t d = 0; d < width; d++) sum[d] += (double)row[d];
    sum[width] += 1;
    sum[width + 1] += distance2;
  }
  return ADL_OK;
}

/* Moves the centres to the means; the inertia of the rows about the centres as they were. */
static double move(float *centers, int64_t k, int64_t width, const double *sums) {
  double inertia = 0;
  for (int64_t j = 0; j < k; j++, sums += width + 2) {
    inertia += sums[width + 1];
    for (int64_t d = 0; d < width && sums[width] > 0; d++) centers[j * width + d] = (float)(sums[d] / sums[width]);
  }
  return inertia;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  const kmeans *self = instance;
  int64_t one = 1, width = self->features.type.width, size[2] = {self->clusters, width}, size_of_row = width + 1;
  float *centers = host->tensor(call, model->tensors, "centers", ADL_FLOAT32, 2, size);
  double *inertia = host->tensor(call, model->tensors, "inertia", ADL_FLOAT64, 1, &one), before = HUGE_VAL;
  adl_tensors *total = host->scratch_tensors(call);
  double *fastest = host->tensor(call, total, "fastest", ADL_FLOAT64, 1, &size_of_row);
  pass in = {.centers = centers};
  adl_fold draw = {.struct_size = sizeof draw, .step = race, .merge = faster, .context = &in};
  for (; in.count < self->clusters; in.count++) {
    in.key = adl_random(host->random_key(call, "start"), (uint64_t)in.count);
    ADL_TRY(host->fold(call, rows, &draw, total));
    if (fastest[width] == 0) break; /* every row is a centre */
    for (int64_t d = 0; d < width; d++) centers[in.count * width + d] = (float)fastest[d];
  }
  if (in.count == 0) return host->fail(call, "features", -1, NULL, "there are no rows to cluster");
  size[0] = in.count;
  in.centers = centers = host->tensor(call, model->tensors, "centers", ADL_FLOAT32, 2, size);
  size[1] = width + 2;
  total = host->scratch_tensors(call);
  const double *sums = host->tensor(call, total, "sums", ADL_FLOAT64, 2, size);
  adl_fold lloyd = {.struct_size = sizeof lloyd, .step = add_up, .context = &in};
  for (int64_t i = 0; i < self->max_iter; i++, before = *inertia) {
    ADL_TRY(host->fold(call, rows, &lloyd, total));
    *inertia = move(centers, in.count, width, sums);
    if (*inertia >= before) break;
  }
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const kmeans *self = instance;
  int64_t width = self->features.type.width, which = 0;
  const float *rows = batch->slots[self->features.slot]->data;
  adl_tensor centers;
  adl_buffers to;
  call->host->find_tensor(call, model->tensors, "centers", &centers);
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  for (int64_t r = 0; r < batch->rows; r++) {
    nearest(rows + r * width, centers.data, centers.size[0], width, &which);
    ((int32_t *)to.data)[r] = (int32_t)which;
  }
  return ADL_OK;
}

static const adl_class kmeans_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_PROFILE,
    .id = "sketch.kmeans",
    .title = "Nearest of k centres",
    .doc = "Lloyd's algorithm, started by k-means++ (Arthur & Vassilvitskii 2007).",
    .instance_size = sizeof(kmeans),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .process = process,
};
ADL_PLUGIN_OF("sketch.kmeans", "1.0.0", "profile:sketch.kmeans", &kmeans_class);
