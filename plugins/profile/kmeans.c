/* kmeans: gives each row the nearest of k centres. The algorithm is in common/kmeans_*; here are its parameters, its model
 * and its report. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/kmeans_assign.h"
#include "common/kmeans_batches.h"
#include "common/kmeans_data.h"
#include "common/kmeans_lloyd.h"
#include "common/kmeans_quality.h"
#include "common/kmeans_seed.h"
#include "common/linalg.h"

enum { ALGORITHM_LLOYD, ALGORITHM_MINI_BATCH };
enum { INIT_SPREAD, INIT_RANDOM, INIT_FILE };

/* Values of all centres together that a model may have: 4 GB of it. */
#define MOST_VALUES (INT64_C(1) << 30)

typedef struct kmeans {
  adl_input features;
  int64_t clusters, max_iter, restarts, batch_size;
  double tol;
  int32_t init, algorithm;
  const char *init_file;
  adl_output as, distance, about;
} kmeans;

/* What process needs of a model. */
typedef struct lookup {
  adl_kmeans_index *index;
  char (*about)[ADL_KMEANS_ABOUT]; /* clusters; NULL: nobody asked */
} lookup;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(kmeans, features),
     .doc =
         "Columns to cluster by: numbers, vectors or sparse columns. Dimensions count by their spread: scale numbers "
         "of different units first."},
    {.name = "clusters",
     .type = ADL_PARAM_INT,
     .offset = offsetof(kmeans, clusters),
     .default_value = "8",
     .range = "[1, 65536]",
     .doc = "Number of clusters. There are fewer if there are not as many distinct rows."},
    {.name = "max_iter",
     .type = ADL_PARAM_INT,
     .offset = offsetof(kmeans, max_iter),
     .default_value = "300",
     .range = "[1, 1000000]",
     .doc = "Most iterations of Lloyd's algorithm, or passes of mini-batches; each reads all training rows once."},
    {.name = "algorithm",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(kmeans, algorithm),
     .default_value = "lloyd",
     .choices = "lloyd|mini-batch",
     .doc =
         "lloyd moves the centres once all rows are assigned; mini-batch (Sculley 2010) after every batch_size rows. "
         "That needs fewer passes over a long log, for an inertia that is a little higher."},
    {.name = "batch_size",
     .type = ADL_PARAM_INT,
     .offset = offsetof(kmeans, batch_size),
     .default_value = "1024",
     .range = "[1, 1000000000]",
     .unit = "rows",
     .doc =
         "For mini-batch: rows from one movement of the centres to the next. With wide sparse features each movement "
         "costs clusters x dimensions, so take more rows there."},
    {.name = "tol",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(kmeans, tol),
     .default_value = "1e-4",
     .range = "[0, inf)",
     .doc = "Stop when the squared movements of all centres add up to no more than this times the mean variance of the "
            "dimensions. 0: stop when no row changes its cluster."},
    {.name = "restarts",
     .type = ADL_PARAM_INT,
     .offset = offsetof(kmeans, restarts),
     .default_value = "1",
     .range = "[1, 1000]",
     .doc = "Runs from different starting centres; the one with the least inertia is kept."},
    {.name = "init",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(kmeans, init),
     .default_value = "kmeans++",
     .choices = "kmeans++|random|file",
     .doc = "Starting centres: kmeans++ draws rows far from each other, random draws rows evenly, file takes those of "
            "init_file."},
    {.name = "init_file",
     .type = ADL_PARAM_PATH_IN,
     .offset = offsetof(kmeans, init_file),
     .doc = "For init: file, a text file of as many lines as there are clusters, each a centre: one number for every "
            "dimension, separated by commas, blanks or tabs. Empty lines and lines that begin with # are skipped."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(kmeans, as),
     .default_value = "cluster",
     .doc = "New column: number of the cluster, from 0 (int32, a category)."},
    {.name = "distance",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(kmeans, distance),
     .doc = "New column: Euclidean distance to the centre of the cluster (float32)."},
    {.name = "about",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(kmeans, about),
     .doc =
         "New column: what the cluster is about, in words: the names of up to five dimensions (the words of a text) in "
         "which its centre lies farthest above the mean; null where it lies above it nowhere."},
};

static adl_status create(const adl_call *call, void *instance) {
  (void)instance;
  return adl_linalg_ready(call);
}

static adl_status bind(const adl_call *call, void *instance) {
  kmeans *self = instance;
  if (self->init == INIT_FILE && self->init_file == NULL)
    return call->host->fail(call, "init", -1, "name the file of centres with init_file", "init: file needs a file");
  if (self->init != INIT_FILE && self->init_file != NULL)
    return call->host->fail(call, "init_file", -1, "say init: file, too", "the file is read with init: file only");
  ADL_TRY(call->host->declare(call, &self->as, (adl_type){.element = ADL_INT32, .role = ADL_CATEGORY}));
  ADL_TRY(call->host->declare(call, &self->about, (adl_type){.element = ADL_STRING, .role = ADL_CATEGORY}));
  return call->host->declare(call, &self->distance, (adl_type){.element = ADL_FLOAT32});
}

/* --------------------------------------------------------------------------------------------------- fitting ---- */

/* Takes the centres of the model to start from, if there is one. */
static adl_status warm_start(const adl_call *call, const kmeans *self, const adl_model *model,
                             adl_kmeans_result *into) {
  adl_tensor centers;
  if (!call->host->find_tensor(call, model->tensors, "centers", &centers)) return ADL_OK;
  if (centers.size[1] != self->features.type.width || centers.size[0] > self->clusters)
    return call->host->fail(call, "clusters", -1, "start from a model of the same features, and no more clusters",
                            "the model to start from has %lld clusters of %lld dimensions; here are %lld of %lld",
                            (long long)centers.size[0], (long long)centers.size[1], (long long)self->clusters,
                            (long long)self->features.type.width);
  memcpy(into->centers, centers.data, (size_t)centers.count * sizeof(float));
  into->clusters = centers.size[0];
  return ADL_OK;
}

static adl_status start_centers(const adl_call *call, const kmeans *self, adl_kmeans_data *data, int64_t restart,
                                adl_kmeans_result *into) {
  uint64_t key = adl_random(call->host->random_key(call, "start"), (uint64_t)restart);
  into->clusters = self->clusters;
  if (self->init == INIT_FILE)
    return adl_kmeans_seed_file(call, "init_file", self->init_file, self->clusters, data->width, into->centers);
  if (self->init == INIT_RANDOM)
    return adl_kmeans_seed_random(call, data, self->clusters, key, into->centers, &into->clusters);
  return adl_kmeans_seed_spread(call, data, self->clusters, key, into->centers, &into->clusters);
}

static adl_status write_model(const adl_call *call, const adl_kmeans_data *data, const adl_kmeans_result *best,
                              adl_model *model) {
  const adl_host *host = call->host;
  int64_t size[2] = {best->clusters, data->width}, one = 1;
  float *centers = host->tensor(call, model->tensors, "centers", ADL_FLOAT32, 2, size);
  int64_t *sizes = host->tensor(call, model->tensors, "sizes", ADL_INT64, 1, size);
  float *mean = host->tensor(call, model->tensors, "mean", ADL_FLOAT32, 1, &size[1]);
  float *deviation = host->tensor(call, model->tensors, "deviation", ADL_FLOAT32, 1, &size[1]);
  memcpy(centers, best->centers, (size_t)(size[0] * size[1]) * sizeof *centers);
  memcpy(sizes, best->sizes, (size_t)size[0] * sizeof *sizes);
  memcpy(mean, data->center, (size_t)size[1] * sizeof *mean);
  for (int64_t i = 0; i < size[1]; i++) deviation[i] = (float)data->deviation[i];
  *(double *)host->tensor(call, model->tensors, "inertia", ADL_FLOAT64, 1, &one) = best->inertia;
  *(int64_t *)host->tensor(call, model->tensors, "iterations", ADL_INT64, 1, &one) = best->iterations;
  *(int64_t *)host->tensor(call, model->tensors, "converged", ADL_INT64, 1, &one) = best->converged;

  void *memory = host->alloc(call, adl_kmeans_index_size(size[0], size[1], data->sparse));
  const adl_kmeans_index *index = adl_kmeans_index_build(memory, size[0], size[1], data->sparse, centers, mean);
  double value;
  int64_t rows;
  ADL_TRY(adl_kmeans_look_at_sample(call, data, index, &value, &rows, model->tensors));
  *(double *)host->tensor(call, model->tensors, "silhouette", ADL_FLOAT64, 1, &one) = value;
  *(int64_t *)host->tensor(call, model->tensors, "silhouette_rows", ADL_INT64, 1, &one) = rows;
  return ADL_OK;
}

static adl_status improve(const adl_call *call, const kmeans *self, adl_kmeans_data *data, adl_kmeans_result *result) {
  adl_kmeans_settings settings = {self->clusters, self->max_iter, self->tol};
  if (self->algorithm == ALGORITHM_MINI_BATCH)
    return adl_kmeans_mini_batch(call, data, &settings, self->batch_size, result);
  return adl_kmeans_lloyd(call, data, &settings, result);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const kmeans *self = instance;
  int64_t width = self->features.type.width;
  if (width > MOST_VALUES / self->clusters)
    return call->host->fail(call, "clusters", -1, "ask for fewer clusters, or hash the features to fewer dimensions",
                            "%lld clusters of %lld dimensions are more than %lld numbers", (long long)self->clusters,
                            (long long)width, (long long)MOST_VALUES);
  adl_kmeans_data data;
  ADL_TRY(adl_kmeans_look(call, rows, &self->features, "clusters", self->clusters, &data));
  adl_kmeans_result best = adl_kmeans_result_new(call, self->clusters, width);
  adl_kmeans_result next = adl_kmeans_result_new(call, self->clusters, width);
  ADL_TRY(warm_start(call, self, model, &best));
  bool chosen = best.clusters > 0; /* the start is given: there is nothing to draw again */
  if (!chosen) ADL_TRY(start_centers(call, self, &data, 0, &best));
  ADL_TRY(improve(call, self, &data, &best));
  int64_t restarts = chosen || self->init == INIT_FILE ? 1 : self->restarts;
  for (int64_t restart = 1; restart < restarts; restart++) {
    ADL_TRY(start_centers(call, self, &data, restart, &next));
    ADL_TRY(improve(call, self, &data, &next));
    if (next.inertia >= best.inertia) continue;
    adl_kmeans_result worse = best;
    best = next;
    next = worse;
  }
  if (!best.converged)
    call->host->log(call, ADL_WARNING, "centres still moved after %lld iterations; raise max_iter or tol",
                    (long long)best.iterations);
  return write_model(call, &data, &best, model);
}

/* ----------------------------------------------------------------------------------------------------- using ---- */

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const kmeans *self = instance;
  int64_t width = self->features.type.width;
  bool sparse = self->features.type.shape == ADL_SPARSE;
  adl_tensor centers, mean;
  if (!call->host->find_tensor(call, model->tensors, "centers", &centers) || centers.size[1] != width ||
      !call->host->find_tensor(call, model->tensors, "mean", &mean) || mean.count != width)
    return call->host->fail(call, "features", -1, "fit the stage again, or feed it what it was fitted on",
                            "the model is not one of features of %lld dimensions", (long long)width);
  lookup *made = calloc(1, sizeof *made);
  *prepared = made;
  if (made == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  made->index = aligned_alloc(64, adl_kmeans_index_size(centers.size[0], width, sparse));
  if (self->about.slot >= 0) made->about = calloc((size_t)centers.size[0], sizeof *made->about);
  if (made->index == NULL || (self->about.slot >= 0 && made->about == NULL))
    return call->host->fail(call, NULL, -1, NULL, "out of memory");
  adl_kmeans_index_build(made->index, centers.size[0], width, sparse, centers.data, mean.data);
  for (int64_t j = 0; made->about != NULL && j < centers.size[0]; j++)
    adl_kmeans_about(call, &self->features, (const float *)centers.data + j * width, mean.data, made->about[j]);
  return ADL_OK;
}

static void release(const void *instance, void *prepared) {
  lookup *made = prepared;
  (void)instance;
  if (made == NULL) return;
  free(made->index);
  free(made->about);
  free(made);
}

static adl_status write_about(const adl_call *call, const kmeans *self, const lookup *made, const int32_t *cluster,
                              int64_t rows, adl_out *out) {
  adl_buffers buffers;
  int64_t bytes = 0;
  for (int64_t r = 0; r < rows; r++) bytes += (int64_t)strlen(made->about[cluster[r]]);
  ADL_TRY(call->host->reserve(call, out, self->about.slot, rows, 0, bytes, &buffers));
  for (int64_t r = 0; r < rows; r++) {
    int32_t at = buffers.string_offsets[r], size = (int32_t)strlen(made->about[cluster[r]]);
    if (size == 0) adl_bit_set(buffers.validity, r, false);
    memcpy((char *)buffers.data + at, made->about[cluster[r]], (size_t)size);
    buffers.string_offsets[r + 1] = at + size;
  }
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const kmeans *self = instance;
  int32_t *cluster = call->host->alloc(call, (size_t)batch->rows * sizeof *cluster);
  double *distance2 = NULL;
  if (self->distance.slot >= 0) distance2 = call->host->alloc(call, (size_t)batch->rows * sizeof *distance2);
  const lookup *made = model->prepared;
  adl_kmeans_assign(call, made->index, batch->slots[self->features.slot], cluster, distance2);
  adl_buffers buffers;
  if (self->as.slot >= 0) {
    ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &buffers));
    memcpy(buffers.data, cluster, (size_t)batch->rows * sizeof *cluster);
  }
  if (self->distance.slot >= 0) {
    ADL_TRY(call->host->reserve(call, out, self->distance.slot, batch->rows, 0, 0, &buffers));
    for (int64_t r = 0; r < batch->rows; r++) ((float *)buffers.data)[r] = (float)sqrt(distance2[r]);
  }
  if (self->about.slot >= 0) return write_about(call, self, made, cluster, batch->rows, out);
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *into) {
  const kmeans *self = instance;
  const adl_host *host = call->host;
  static const char *const names[] = {"centers", "sizes",      "mean",       "deviation",
                                      "inertia", "iterations", "silhouette", "silhouette_rows"};
  enum { CENTERS, SIZES, MEAN, DEVIATION, INERTIA, ITERATIONS, SILHOUETTE, SILHOUETTE_ROWS, TENSORS };
  adl_tensor found[TENSORS];
  for (int i = 0; i < TENSORS; i++)
    if (!host->find_tensor(call, model->tensors, names[i], &found[i]))
      return host->fail(call, NULL, -1, "fit the stage again", "the model has no tensor %s", names[i]);
  int64_t k = found[CENTERS].size[0], width = found[CENTERS].size[1];
  host->report_number(call, into, "", "clusters", (double)k, NAN, NAN);
  host->report_number(call, into, "in-sample", "inertia", *(double *)found[INERTIA].data, NAN, NAN);
  host->report_number(call, into, "", "iterations", (double)*(int64_t *)found[ITERATIONS].data, NAN, NAN);
  if (*(int64_t *)found[SILHOUETTE_ROWS].data > 0)
    host->report_number(call, into, "in-sample", "silhouette", *(double *)found[SILHOUETTE].data, NAN, NAN);
  else
    host->report_text(call, into, "silhouette", "undefined: the sampled rows are all in one cluster");
  adl_kmeans_profile *profiles = host->alloc(call, (size_t)k * sizeof *profiles);
  double *centers = host->alloc(call, (size_t)(k * width) * sizeof *centers);
  for (int64_t i = 0; i < k * width; i++) centers[i] = ((const float *)found[CENTERS].data)[i];
  for (int64_t j = 0; j < k; j++)
    profiles[j] = (adl_kmeans_profile){j, ((const int64_t *)found[SIZES].data)[j], centers + j * width};
  adl_kmeans_report_profiles(call, into, "clusters", &self->features, profiles, k, model->tensors);
  return ADL_OK;
}

static const char doc[] =
    "Divides the rows into clusters so that the squared Euclidean distances between rows and the centres of their "
    "clusters (the inertia) add up to little, and gives each row the number of its cluster.\n"
    "\n"
    "Lloyd's algorithm, started by greedy k-means++ (Arthur & Vassilvitskii 2007, the best of 2 + ln k draws for each "
    "centre, as scikit-learn does). Starting centres are drawn from a sample: all training rows if there are no more "
    "than 65,536 (fewer where rows are wide: 33 million numbers), else one at random out of each of as many equal "
    "stretches of the log. Convergence is judged as scikit-learn does.\n"
    "\n"
    "Rows keep bounds from iteration to iteration (dense ones those of Yinyang k-means, Ding et al. 2015, sparse ones "
    "those of Hamerly 2010; as long as they take no more than 256 MB), which spare most of the work once the centres "
    "move little. They change no row's cluster.\n"
    "\n"
    "With algorithm: mini-batch (Sculley 2010), rows are taken in the order of the log, batch_size at a time; a centre "
    "stands at the mean of all rows it was given so far, so early rows, which were given to centres that have moved "
    "since, keep some weight. It departs from Sculley, who draws rows at random: where the log is sorted by what "
    "divides it, use lloyd. A centre that no row is near to stays where it is. Passes go on until the centres move "
    "little (tol) or max_iter; one or two are mostly enough. Fitting uses one worker then, but for the last pass, "
    "which measures.\n"
    "\n"
    "Dense and sparse features give the same clusters. Data are float32; sums, means and distances are computed in "
    "float64. Dense rows are centred and ranked in float32, and again in float64 where that could err (far outliers "
    "make it slower, not wrong). Rows exactly between two centres go to the one with the lower number. A partial "
    "result holds clusters x dimensions float64 numbers.\n"
    "\n"
    "A cluster that loses all its rows is moved to the row that is farthest from its centre. With fewer distinct rows "
    "than clusters the model has fewer clusters, and a warning says so; with fewer rows than clusters, and with no "
    "rows at all, fitting fails. Rows with nulls, NaN or infinities are rejected before they get here.\n"
    "\n"
    "The model holds the tensors centers (clusters x dimensions), sizes, mean and deviation (of each dimension over "
    "the training rows), inertia, iterations, converged, the silhouette of up to 1000 training rows, and a map of them "
    "for the report (their two principal components). "
    "Warm start: the centres of the model given are where the iterations begin.";

static const adl_class kmeans_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_PROFILE,
    .id = "kmeans",
    .title = "Clusters by k-means",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(kmeans),
    .state_version = 1,
    ADL_PARAMS(params),
    .create = create,
    .bind = bind,
    .fit = fit,
    .prepare = prepare,
    .release = release,
    .process = process,
    .report = report,
};

static const adl_class *const classes[] = {&kmeans_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "kmeans",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("kmeans", "1.0.0", "profile:kmeans", &plugin);
