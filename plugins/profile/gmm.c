/* gmm: gives each row its shares in a mixture of Gaussians. The algorithm is in common/gmm_*; here are its parameters, its
 * model and its report. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cluster_map.h"
#include "common/gmm_density.h"
#include "common/gmm_em.h"
#include "common/kmeans_data.h"
#include "common/kmeans_lloyd.h"
#include "common/kmeans_quality.h"
#include "common/kmeans_seed.h"
#include "common/linalg.h"
#include "common/plots.h"

/* Numbers that the means and covariances may have together: 2 GB. */
#define MOST_VALUES (INT64_C(1) << 28)

/* The k-means that comes first. */
#define START_ITERATIONS 300
#define START_TOLERANCE 1e-4

enum { INIT_KMEANS, INIT_FILE };

typedef struct gmm {
  adl_input features;
  int64_t components, max_iter, restarts;
  int32_t covariance, init;
  const char *init_file;
  double reg, tol;
  adl_output as, component, density;
} gmm;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(gmm, features),
     .shapes = ADL_MASK(ADL_VECTOR),
     .doc = "Columns to model: numbers and vectors. Sparse columns have too many dimensions for covariances: make them "
            "narrower first."},
    {.name = "components",
     .type = ADL_PARAM_INT,
     .offset = offsetof(gmm, components),
     .default_value = "8",
     .range = "[1, 4096]",
     .doc = "Number of Gaussians. There are fewer if there are not as many distinct rows."},
    {.name = "covariance",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(gmm, covariance),
     .default_value = "full",
     .choices = ADL_GMM_SHAPES,
     .doc =
         "What shape the Gaussians may take. full: each any of its own; tied: all the same; diag: each its own, along "
         "the axes; spherical: each a ball of its own size."},
    {.name = "reg",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(gmm, reg),
     .default_value = "1e-6",
     .range = "[0, inf)",
     .doc = "Added to every variance, so that no Gaussian shrinks to a point or a plane. Where it is not enough it is "
            "raised tenfold, as often as it takes, for the component in question; a warning says so."},
    {.name = "tol",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(gmm, tol),
     .default_value = "1e-3",
     .range = "[0, inf)",
     .doc = "Stop when the mean log-likelihood of a row changes by less than this in an iteration."},
    {.name = "max_iter",
     .type = ADL_PARAM_INT,
     .offset = offsetof(gmm, max_iter),
     .default_value = "100",
     .range = "[1, 100000]",
     .doc = "Most iterations; each reads all training rows once."},
    {.name = "restarts",
     .type = ADL_PARAM_INT,
     .offset = offsetof(gmm, restarts),
     .default_value = "1",
     .range = "[1, 1000]",
     .doc = "Fits from different k-means starts; the one with the highest likelihood is kept."},
    {.name = "init",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(gmm, init),
     .default_value = "k-means",
     .choices = "k-means|file",
     .doc =
         "Where the iterations begin: at the clusters that k-means finds, or around the centres of init_file, each row "
         "belonging to the nearest."},
    {.name = "init_file",
     .type = ADL_PARAM_PATH_IN,
     .offset = offsetof(gmm, init_file),
     .doc = "For init: file, a text file of as many lines as there are components, each a centre: one number for every "
            "dimension, separated by commas, blanks or tabs. Empty lines and lines that begin with # are skipped."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(gmm, as),
     .default_value = "mixture",
     .doc = "New column: the share of each component in the row (its responsibility), a vector of float32 that adds up "
            "to 1."},
    {.name = "component",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(gmm, component),
     .doc = "New column: number of the component with the largest share, from 0 (int32, a category)."},
    {.name = "density",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(gmm, density),
     .doc =
         "New column: natural logarithm of the mixture's density at the row (float64). Low values are unusual rows."},
};

static adl_status create(const adl_call *call, void *instance) {
  (void)instance;
  return adl_linalg_ready(call);
}

static adl_status bind(const adl_call *call, void *instance) {
  gmm *self = instance;
  if (self->init == INIT_FILE && self->init_file == NULL)
    return call->host->fail(call, "init", -1, "name the file of centres with init_file", "init: file needs a file");
  if (self->init != INIT_FILE && self->init_file != NULL)
    return call->host->fail(call, "init_file", -1, "say init: file, too", "the file is read with init: file only");
  ADL_TRY(call->host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR}));
  ADL_TRY(call->host->declare(call, &self->component, (adl_type){.element = ADL_INT32, .role = ADL_CATEGORY}));
  return call->host->declare(call, &self->density, (adl_type){.element = ADL_FLOAT64});
}

/* --------------------------------------------------------------------------------------------------- fitting ---- */

/* Takes the weights, means and covariances that a model holds; false: it holds none, or others. Pointers into it. */
static bool find_mixture(const adl_call *call, const gmm *self, const adl_model *model, adl_gmm *mixture) {
  const adl_host *host = call->host;
  int64_t width = self->features.type.width;
  adl_tensor weights, means, covariances;
  if (!host->find_tensor(call, model->tensors, "weights", &weights) ||
      !host->find_tensor(call, model->tensors, "means", &means) ||
      !host->find_tensor(call, model->tensors, "covariances", &covariances))
    return false;
  adl_gmm_shape shape = (adl_gmm_shape)self->covariance;
  *mixture = (adl_gmm){shape, weights.count, width, weights.data, means.data, covariances.data};
  return means.count == weights.count * width &&
         covariances.count == adl_gmm_covariance_count(shape, weights.count, width);
}

static adl_status warm_start(const adl_call *call, const gmm *self, const adl_model *model, adl_gmm *mixture) {
  adl_gmm given;
  if (!find_mixture(call, self, model, &given) || given.components > self->components)
    return call->host->fail(
        call, "components", -1, "start from a model of the same features and covariance",
        "the model to start from is not one of %lld components, %lld dimensions and this covariance",
        (long long)self->components, (long long)self->features.type.width);
  int64_t k = given.components, d = given.width;
  mixture->components = k;
  memcpy(mixture->weight, given.weight, (size_t)k * sizeof(double));
  memcpy(mixture->mean, given.mean, (size_t)(k * d) * sizeof(double));
  memcpy(mixture->covariance, given.covariance, (size_t)adl_gmm_covariance_count(given.shape, k, d) * sizeof(double));
  return ADL_OK;
}

static adl_status fit_once(const adl_call *call, const gmm *self, adl_kmeans_data *data, adl_gmm_em *em,
                           int64_t restart, adl_kmeans_result *clusters, adl_gmm_result *result) {
  if (self->init == INIT_FILE) {
    ADL_TRY(adl_kmeans_seed_file(call, "init_file", self->init_file, self->components, data->width, clusters->centers));
    result->mixture.components = self->components;
    return adl_gmm_fit(call, em, clusters->centers, result);
  }
  uint64_t key = adl_random(call->host->random_key(call, "start"), (uint64_t)restart);
  adl_kmeans_settings settings = {self->components, START_ITERATIONS, START_TOLERANCE};
  ADL_TRY(adl_kmeans_seed_spread(call, data, self->components, key, clusters->centers, &clusters->clusters));
  ADL_TRY(adl_kmeans_lloyd(call, data, &settings, clusters));
  result->mixture.components = clusters->clusters;
  return adl_gmm_fit(call, em, clusters->centers, result);
}

/* How many variances took more than the reg asked for, and the most that one took. */
static int64_t raised(const gmm *self, const double *reg, int64_t count, double *most) {
  int64_t over = 0;
  *most = self->reg;
  for (int64_t j = 0; j < count; j++) {
    over += reg[j] > self->reg;
    if (reg[j] > *most) *most = reg[j];
  }
  return over;
}

static void warn(const adl_call *call, const gmm *self, const adl_gmm_result *best) {
  int64_t matrices = self->covariance == ADL_GMM_TIED ? 1 : best->mixture.components;
  double most;
  int64_t over = raised(self, best->reg, matrices, &most);
  if (over > 0)
    call->host->log(call, ADL_WARNING,
                    "reg %g is too little: %lld of %lld covariances are singular; it was raised to "
                    "at most %g for them",
                    self->reg, (long long)over, (long long)matrices, most);
  if (!best->converged)
    call->host->log(call, ADL_WARNING, "the likelihood still changed after %lld iterations; raise max_iter or tol",
                    (long long)best->iterations);
}

static void write_model(const adl_call *call, const gmm *self, const adl_kmeans_data *data, const adl_gmm_result *best,
                        adl_model *model) {
  const adl_host *host = call->host;
  adl_tensors *to = model->tensors;
  int64_t k = best->mixture.components, d = data->width, one = 1, steps = best->iterations + 1;
  int64_t size[3], matrices = self->covariance == ADL_GMM_TIED ? 1 : k;
  int32_t dimensions = adl_gmm_covariance_size(best->mixture.shape, k, d, size);
  memcpy(host->tensor(call, to, "weights", ADL_FLOAT64, 1, &k), best->mixture.weight, (size_t)k * sizeof(double));
  memcpy(host->tensor(call, to, "means", ADL_FLOAT64, 2, (const int64_t[]){k, d}), best->mixture.mean,
         (size_t)(k * d) * sizeof(double));
  memcpy(host->tensor(call, to, "covariances", ADL_FLOAT64, dimensions, size), best->mixture.covariance,
         (size_t)adl_gmm_covariance_count(best->mixture.shape, k, d) * sizeof(double));
  memcpy(host->tensor(call, to, "reg", ADL_FLOAT64, 1, &matrices), best->reg, (size_t)matrices * sizeof(double));
  memcpy(host->tensor(call, to, "sizes", ADL_INT64, 1, &k), best->sizes, (size_t)k * sizeof(int64_t));
  memcpy(host->tensor(call, to, "log_likelihood", ADL_FLOAT64, 1, &steps), best->history,
         (size_t)steps * sizeof(double));
  float *mean = host->tensor(call, to, "mean", ADL_FLOAT32, 1, &d);
  float *deviation = host->tensor(call, to, "deviation", ADL_FLOAT32, 1, &d);
  for (int64_t i = 0; i < d; i++) {
    mean[i] = (float)data->mean[i];
    deviation[i] = (float)data->deviation[i];
  }
  *(int64_t *)host->tensor(call, to, "rows", ADL_INT64, 1, &one) = data->count;
  *(int64_t *)host->tensor(call, to, "converged", ADL_INT64, 1, &one) = best->converged;
}

/* Where the columns go; NULL: nobody asked. */
typedef struct columns {
  float *share;
  int32_t *component;
  double *density;
} columns;

static void put_block(const columns *to, int64_t from, int64_t rows, int64_t k, const double *responsibility,
                      const double *log_density) {
  for (int64_t r = 0; r < rows; r++) {
    double greatest = -1;
    int32_t best = 0;
    for (int64_t j = 0; j < k; j++) {
      double share = responsibility[j * ADL_GMM_COLUMN + r];
      if (share > greatest) best = (int32_t)j, greatest = share;
      if (to->share != NULL) to->share[(from + r) * k + j] = (float)share;
    }
    if (to->component != NULL) to->component[from + r] = best;
    if (to->density != NULL) to->density[from + r] = log_density[r];
  }
}

/* A map of a sample, each row with the component that has the largest share in it. */
static adl_status keep_map(const adl_call *call, const adl_kmeans_data *data, const adl_gmm *mixture, adl_tensors *to) {
  const adl_host *host = call->host;
  int64_t n = data->sample.rows < ADL_MAP_ROWS ? data->sample.rows : ADL_MAP_ROWS, k = mixture->components;
  adl_column rows = adl_map_thin(call, &data->sample, n);
  int32_t *component = host->alloc(call, (size_t)n * sizeof *component);
  double *scratch = host->alloc(call, (size_t)adl_gmm_scratch(data->width) * sizeof *scratch);
  double *responsibility = host->alloc(call, (size_t)(ADL_GMM_COLUMN * k) * sizeof *responsibility);
  double *log_density = host->alloc(call, ADL_GMM_COLUMN * sizeof *log_density);
  adl_gmm_index *index;
  if (adl_gmm_index_build(host->alloc(call, adl_gmm_index_size(mixture->shape, k, data->width)), mixture, NULL,
                          &index) > 0)
    return ADL_OK; /* prepare tells */
  columns into = {NULL, component, NULL};
  for (int64_t from = 0; from < n; from += ADL_GMM_BLOCK) {
    int64_t count = n - from < ADL_GMM_BLOCK ? n - from : ADL_GMM_BLOCK;
    adl_gmm_posterior(adl_gmm_kernels_here(), index, (const float *)rows.data + from * data->width, count, scratch,
                      responsibility, log_density);
    put_block(&into, from, count, k, responsibility, log_density);
  }
  return adl_map_keep(call, &rows, data->mean, component, to);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const gmm *self = instance;
  int64_t width = self->features.type.width, k = self->components;
  adl_gmm_shape shape = (adl_gmm_shape)self->covariance;
  if (width > 0 && (width > MOST_VALUES / k || (shape == ADL_GMM_FULL && width * k > MOST_VALUES / width) ||
                    (shape == ADL_GMM_TIED && width > MOST_VALUES / width)))
    return call->host->fail(call, "covariance", -1, "take diag or spherical, fewer components, or fewer dimensions",
                            "%lld components of %lld dimensions need more than %lld numbers", (long long)k,
                            (long long)width, (long long)MOST_VALUES);
  adl_kmeans_data data;
  ADL_TRY(adl_kmeans_look(call, rows, &self->features, "components", k, &data));
  adl_gmm_settings settings = {self->max_iter, self->tol, self->reg};
  adl_gmm_em *em = adl_gmm_em_new(call, &data, &settings, shape, k);
  adl_gmm_result best = adl_gmm_result_new(call, shape, k, width, self->max_iter);
  adl_tensor any;
  if (call->host->find_tensor(call, model->tensors, "weights", &any)) {
    ADL_TRY(warm_start(call, self, model, &best.mixture));
    ADL_TRY(adl_gmm_fit(call, em, NULL, &best));
  } else {
    adl_gmm_result next = adl_gmm_result_new(call, shape, k, width, self->max_iter);
    adl_kmeans_result clusters = adl_kmeans_result_new(call, k, width);
    ADL_TRY(fit_once(call, self, &data, em, 0, &clusters, &best));
    int64_t restarts = self->init == INIT_FILE ? 1 : self->restarts;
    for (int64_t restart = 1; restart < restarts; restart++) {
      ADL_TRY(fit_once(call, self, &data, em, restart, &clusters, &next));
      if (next.history[next.iterations] <= best.history[best.iterations]) continue;
      adl_gmm_result worse = best;
      best = next;
      next = worse;
    }
  }
  warn(call, self, &best);
  write_model(call, self, &data, &best, model);
  return keep_map(call, &data, &best.mixture, model->tensors);
}

/* ----------------------------------------------------------------------------------------------------- using ---- */

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const gmm *self = instance;
  adl_gmm mixture;
  if (!find_mixture(call, self, model, &mixture))
    return call->host->fail(call, "features", -1, "fit the stage again, or feed it what it was fitted on",
                            "the model is not one of features of %lld dimensions and this covariance",
                            (long long)self->features.type.width);
  void *memory = aligned_alloc(64, adl_gmm_index_size(mixture.shape, mixture.components, mixture.width));
  if (memory == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  *prepared = memory;
  adl_gmm_index *index;
  if (adl_gmm_index_build(memory, &mixture, NULL, &index) > 0)
    return call->host->fail(call, NULL, -1, "fit the stage again", "the model's covariances are singular");
  return self->as.slot < 0 ? ADL_OK : call->host->set_width(call, self->as.slot, mixture.components);
}

static void release(const void *instance, void *prepared) {
  (void)instance;
  free(prepared);
}

static adl_status reserve(const adl_call *call, adl_out *out, const adl_output *column, int64_t rows, void **data) {
  adl_buffers buffers;
  *data = NULL;
  if (column->slot < 0) return ADL_OK;
  ADL_TRY(call->host->reserve(call, out, column->slot, rows, 0, 0, &buffers));
  *data = buffers.data;
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const gmm *self = instance;
  const adl_gmm_index *index = model->prepared;
  int64_t k = index->components, d = index->width;
  void *share, *component, *density;
  ADL_TRY(reserve(call, out, &self->as, batch->rows, &share));
  ADL_TRY(reserve(call, out, &self->component, batch->rows, &component));
  ADL_TRY(reserve(call, out, &self->density, batch->rows, &density));
  columns to = {share, component, density};
  double *scratch = call->host->alloc(call, (size_t)adl_gmm_scratch(d) * sizeof *scratch);
  double *responsibility = call->host->alloc(call, (size_t)(ADL_GMM_COLUMN * k) * sizeof *responsibility);
  double *log_density = call->host->alloc(call, ADL_GMM_COLUMN * sizeof *log_density);
  const adl_gmm_kernels *kernels = adl_gmm_kernels_here();
  const float *x = batch->slots[self->features.slot]->data;
  for (int64_t from = 0; from < batch->rows; from += ADL_GMM_BLOCK) {
    int64_t rows = batch->rows - from < ADL_GMM_BLOCK ? batch->rows - from : ADL_GMM_BLOCK;
    adl_gmm_posterior(kernels, index, x + from * d, rows, scratch, responsibility, log_density);
    put_block(&to, from, rows, k, responsibility, log_density);
  }
  return ADL_OK;
}

/* ---------------------------------------------------------------------------------------------------- report ---- */

static void report_numbers(const adl_call *call, const adl_gmm *mixture, const adl_tensor *history, double rows,
                           adl_report *into) {
  const adl_host *host = call->host;
  const double *likelihood = history->data;
  double last = likelihood[history->count - 1];
  double free_parameters = adl_gmm_parameters(mixture->shape, mixture->components, mixture->width);
  host->report_number(call, into, "", "components", (double)mixture->components, NAN, NAN);
  host->report_number(call, into, "", "iterations", (double)(history->count - 1), NAN, NAN);
  host->report_number(call, into, "in-sample", "log-likelihood", last, NAN, NAN);
  host->report_number(call, into, "in-sample", "BIC", free_parameters * log(rows) - 2 * last * rows, NAN, NAN);
  host->report_number(call, into, "in-sample", "AIC", 2 * free_parameters - 2 * last * rows, NAN, NAN);
  double *step = host->alloc(call, (size_t)history->count * sizeof *step);
  for (int64_t i = 0; i < history->count; i++) step[i] = (double)i;
  adl_plot_one(call, into, ADL_PLOT_LINE, "log-likelihood of a row", "iteration", "log-likelihood", history->count,
               step, likelihood);
}

static void plot_weights(const adl_call *call, const gmm *self, const adl_gmm *mixture,
                         const adl_kmeans_profile *profiles, const adl_tensors *tensors, adl_report *into) {
  const char **names = call->host->alloc(call, (size_t)mixture->components * sizeof *names);
  for (int64_t j = 0; j < mixture->components; j++)
    names[j] = adl_kmeans_profile_name(call, &self->features, &profiles[j], tensors);
  adl_plot_named(call, into, "weights", "component", "weight", mixture->components, names, mixture->weight, NULL, NULL);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *into) {
  const gmm *self = instance;
  const adl_host *host = call->host;
  static const char *const names[] = {"sizes", "mean", "deviation", "log_likelihood", "rows", "reg"};
  enum { SIZES, MEAN, DEVIATION, HISTORY, ROWS, REG, TENSORS };
  adl_tensor found[TENSORS];
  adl_gmm mixture;
  for (int i = 0; i < TENSORS; i++)
    if (!host->find_tensor(call, model->tensors, names[i], &found[i]))
      return host->fail(call, NULL, -1, "fit the stage again", "the model has no tensor %s", names[i]);
  if (!find_mixture(call, self, model, &mixture) || found[SIZES].count != mixture.components ||
      found[MEAN].count != mixture.width || found[DEVIATION].count != mixture.width || found[HISTORY].count < 1 ||
      found[ROWS].count < 1)
    return host->fail(call, NULL, -1, "fit the stage again", "the model is not a mixture of these features");
  report_numbers(call, &mixture, &found[HISTORY], (double)*(int64_t *)found[ROWS].data, into);
  double most;
  if (raised(self, found[REG].data, found[REG].count, &most) > 0)
    host->report_number(call, into, "", "reg, raised to at most", most, NAN, NAN);
  int64_t k = mixture.components;
  adl_kmeans_profile *profiles = host->alloc(call, (size_t)k * sizeof *profiles);
  for (int64_t j = 0; j < k; j++)
    profiles[j] = (adl_kmeans_profile){j, ((const int64_t *)found[SIZES].data)[j], mixture.mean + j * mixture.width};
  plot_weights(call, self, &mixture, profiles, model->tensors, into);
  adl_kmeans_report_profiles(call, into, "components", &self->features, profiles, k, model->tensors);
  return ADL_OK;
}

static const char doc[] =
    "Describes the rows by a mixture of Gaussian distributions, and gives each row its share in every one of them: a "
    "soft clustering.\n\n"
    "Expectation maximisation from a k-means start, as scikit-learn's GaussianMixture does it: greedy k-means++, "
    "Lloyd's algorithm, one pass in which each row belongs wholly to its cluster, then iterations until the mean "
    "log-likelihood of a row changes by less than tol. Features are float32, everything computed from them is "
    "float64: log-sum-exp, Cholesky factors of the covariances, and statistics taken relative to the current "
    "means.\n\n"
    "The likelihood does not fall from one iteration to the next with reg: 0. Where a covariance is singular (a "
    "component on a single point, a constant or redundant dimension; a variance below 1e-13 of the overall one counts "
    "as zero) reg is raised tenfold for that component, from 1e-9 of the mean variance if it was 0, until it is not; "
    "fitting goes on, a warning and the report say how far it went.\n\n"
    "With fewer distinct rows than components there are fewer components, and a warning says so; with fewer rows than "
    "components, and with no rows at all, fitting fails. Rows with nulls, NaN or infinities are rejected before they "
    "get here. Scale features of very different units first: reg is added to all alike.\n\n"
    "The report has BIC and AIC over the training rows: compare them between runs with other numbers of components; "
    "lower is better. The model holds the tensors weights, means, covariances (with reg), reg, sizes (training rows "
    "for which each component has the largest share), log_likelihood (of a row, before each iteration and in the "
    "end), rows, converged, and mean and deviation of each dimension. Warm start: the mixture given is where the "
    "iterations begin.";

static const adl_class gmm_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_PROFILE,
    .id = "gmm",
    .title = "Gaussian mixture",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(gmm),
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

static const adl_class *const classes[] = {&gmm_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "gmm",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("gmm", "1.0.0", "profile:gmm", &plugin);
