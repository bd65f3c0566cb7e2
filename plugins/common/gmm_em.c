#include "common/gmm_em.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "common/kmeans_assign.h"

/* A variance is taken for zero at this part of the overall one. */
#define FLOOR 1e-13
/* Where reg begins to rise if it is 0, as a part of the mean variance. */
#define FIRST_REG 1e-9
#define MOST_RAISES 100

struct adl_gmm_em {
  const adl_kmeans_data *data;
  const adl_gmm_settings *settings;
  adl_gmm_result *result;
  void *memory, *hard_memory;   /* of the two indexes */
  adl_gmm_index *index;         /* the mixture as it stands */
  const adl_kmeans_index *hard; /* not NULL: each row belongs wholly to its nearest centre */
  bool learn;                   /* collect statistics and log-likelihood; otherwise log-likelihood and sizes */
  double *floor;
  adl_tensors *total;
};

/*
 * Sufficient statistics, relative to the means as they stand, so that nothing cancels when the new means are near them:
 * with r responsibilities and m means, weight = sum r, shift = sum r (x - m), scatter = sum r (x - m)(x - m)^T, of which
 * diag and spherical keep the diagonal. Tied: scatter = sum (x - mean of all)(x - mean of all)^T.
 */
typedef struct statistics {
  double *weight, *shift, *scatter, *log_likelihood;
  int64_t *sizes;
} statistics;

adl_gmm_result adl_gmm_result_new(const adl_call *call, adl_gmm_shape shape, int64_t components, int64_t width,
                                  int64_t iterations) {
  adl_gmm_result result = {.mixture = adl_gmm_new(call, shape, components, width)};
  result.reg = call->host->alloc(call, (size_t)components * sizeof(double));
  result.sizes = call->host->alloc(call, (size_t)components * sizeof(int64_t));
  result.history = call->host->alloc(call, (size_t)(iterations + 1) * sizeof(double));
  return result;
}

adl_gmm_em *adl_gmm_em_new(const adl_call *call, const adl_kmeans_data *data, const adl_gmm_settings *settings,
                           adl_gmm_shape shape, int64_t components) {
  const adl_host *host = call->host;
  adl_gmm_em *em = host->alloc(call, sizeof *em);
  *em = (adl_gmm_em){.data = data, .settings = settings, .total = host->scratch_tensors(call)};
  em->memory = host->alloc(call, adl_gmm_index_size(shape, components, data->width));
  em->hard_memory = host->alloc(call, adl_kmeans_index_size(components, data->width, false));
  em->floor = host->alloc(call, (size_t)data->width * sizeof *em->floor);
  for (int64_t i = 0; i < data->width; i++) em->floor[i] = FLOOR * data->deviation[i] * data->deviation[i];
  return em;
}

/* -------------------------------------------------------------------------------------------- expectation ---- */

static statistics open_statistics(const adl_call *call, const adl_gmm_em *em, adl_tensors *tensors) {
  const adl_gmm *mixture = &em->result->mixture;
  int64_t size[3], one = 1, means[2] = {mixture->components, mixture->width};
  /* spherical keeps its scatter by dimension, as diag does */
  adl_gmm_shape shape = mixture->shape == ADL_GMM_SPHERICAL ? ADL_GMM_DIAG : mixture->shape;
  int32_t dimensions = adl_gmm_covariance_size(shape, mixture->components, mixture->width, size);
  const adl_host *host = call->host;
  return (statistics){
      .weight = host->tensor(call, tensors, "weight", ADL_FLOAT64, 1, means),
      .shift = host->tensor(call, tensors, "shift", ADL_FLOAT64, 2, means),
      .scatter = host->tensor(call, tensors, "scatter", ADL_FLOAT64, dimensions, size),
      .log_likelihood = host->tensor(call, tensors, "log_likelihood", ADL_FLOAT64, 1, &one),
      .sizes = host->tensor(call, tensors, "sizes", ADL_INT64, 1, means),
  };
}

/* Memory of a step. */
typedef struct step_memory {
  const adl_gmm_kernels *kernels;
  double *scratch, *responsibility, *log_density;
  double *wide;                   /* the block's rows as float64 */
  double *weighted;               /* rows of one component, weighted with its responsibility */
  double *share;                  /* a column */
  int32_t *row;                   /* a column */
  double *mean, *shift, *scatter; /* width of one row of `wide` */
} step_memory;

static step_memory step_memory_new(const adl_call *call, int64_t k, int64_t d) {
  const adl_host *host = call->host;
  size_t block = ADL_GMM_COLUMN, row = (size_t)adl_gmm_stride(d), size = sizeof(double);
  return (step_memory){
      .kernels = adl_gmm_kernels_here(),
      .scratch = host->alloc(call, (size_t)adl_gmm_scratch(d) * size),
      .responsibility = host->alloc(call, block * (size_t)k * size),
      .log_density = host->alloc(call, block * size),
      .wide = host->alloc(call, block * row * size),
      .weighted = host->alloc(call, block * row * size),
      .share = host->alloc(call, block * size),
      .row = host->alloc(call, block * sizeof(int32_t)),
      .mean = host->alloc(call, row * size),
      .shift = host->alloc(call, row * size),
      .scatter = host->alloc(call, row * size),
  };
}

/* Up to here products are formed by our own kernel, which packs nothing: a component has few rows of a block. */
#define NARROW 96
/* Numbers of them that stay in the first cache beside what is added to. */
#define FIRST_CACHE 2048

/* scatter += A^T A of rows of A, lower triangle. */
static void add_products(const adl_gmm_kernels *kernels, const double *a, int64_t rows, int64_t d, double *scatter) {
  int64_t stride = adl_gmm_stride(d);
  if (d <= NARROW)
    kernels->products(a, stride, rows, d, scatter);
  else if (rows > 0)
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (int)d, (int)rows, 1, a, (int)stride, 1, scatter, (int)d);
}

static void pad(const double *values, int64_t d, double *to) {
  memcpy(to, values, (size_t)d * sizeof *to);
  for (int64_t i = d; i < adl_gmm_stride(d); i++) to[i] = 0;
}

/* Full covariances: the `count` rows listed, so many at a time that they stay in the first cache. */
static void add_weighted(const adl_gmm_em *em, const step_memory *memory, int64_t j, int64_t count, statistics *sums) {
  int64_t d = em->result->mixture.width, stride = adl_gmm_stride(d), most = ADL_GMM_BLOCK;
  if (d <= NARROW) most = FIRST_CACHE / stride < ADL_GMM_BLOCK ? FIRST_CACHE / stride : ADL_GMM_BLOCK;
  for (int64_t from = 0; from < count; from += most) {
    int64_t rows = count - from < most ? count - from : most;
    memory->kernels->weigh(memory->wide, stride, memory->row + from, memory->share + from, rows, memory->mean,
                           memory->shift, memory->weighted);
    add_products(memory->kernels, memory->weighted, rows, d, sums->scatter + j * d * d);
    for (int64_t i = 0; i < d; i++) sums->shift[j * d + i] += memory->shift[i];
  }
}

/* Adds the block's rows that component j has a share in. */
static void add_component(const adl_gmm_em *em, const step_memory *memory, int64_t j, int64_t rows, statistics *sums) {
  const adl_gmm *mixture = &em->result->mixture;
  int64_t d = mixture->width, stride = adl_gmm_stride(d);
  double *share = memory->share, *shift = memory->shift;
  double weight;
  int64_t count = adl_gmm_list(memory->responsibility + j * ADL_GMM_COLUMN, rows, memory->row, share, &weight);
  sums->weight[j] += weight;
  pad(mixture->mean + j * d, d, memory->mean);
  if (mixture->shape == ADL_GMM_FULL) {
    add_weighted(em, memory, j, count, sums);
  } else {
    memory->kernels->moments(memory->wide, stride, memory->row, share, count, memory->mean, shift, memory->scatter);
    if (mixture->shape != ADL_GMM_TIED)
      for (int64_t i = 0; i < d; i++) sums->scatter[j * d + i] += memory->scatter[i];
    for (int64_t i = 0; i < d; i++) sums->shift[j * d + i] += shift[i];
  }
}

static void add_block(const adl_gmm_em *em, const step_memory *memory, const float *x, int64_t rows, statistics *sums) {
  const adl_gmm *mixture = &em->result->mixture;
  int64_t d = mixture->width, stride = adl_gmm_stride(d);
  adl_gmm_widen(x, rows, d, memory->wide);
  for (int64_t j = 0; j < mixture->components; j++) add_component(em, memory, j, rows, sums);
  if (mixture->shape != ADL_GMM_TIED) return;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < d; i++) memory->wide[r * stride + i] -= em->data->mean[i];
  add_products(memory->kernels, memory->wide, rows, d, sums->scatter);
}

/* Which component has the largest share in row r; the first of those that have. */
static int64_t largest(const double *responsibility, int64_t r, int64_t k) {
  int64_t best = 0;
  for (int64_t j = 1; j < k; j++)
    if (responsibility[j * ADL_GMM_COLUMN + r] > responsibility[best * ADL_GMM_COLUMN + r]) best = j;
  return best;
}

static adl_status step_em(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                          adl_tensors *partial) {
  (void)self;
  const adl_gmm_em *em = context;
  int64_t k = em->result->mixture.components, d = em->data->width;
  statistics sums = open_statistics(call, em, partial);
  const adl_column *features = batch->slots[em->data->slot];
  const float *x = features->data;
  step_memory memory = step_memory_new(call, k, d);
  double *responsibility = memory.responsibility;
  int32_t *cluster = NULL;
  if (em->hard != NULL) {
    cluster = call->host->alloc(call, (size_t)batch->rows * sizeof *cluster);
    double *distance2 = call->host->alloc(call, (size_t)batch->rows * sizeof *distance2);
    adl_kmeans_assign(call, em->hard, features, cluster, distance2);
  }
  for (int64_t from = 0; from < batch->rows; from += ADL_GMM_BLOCK) {
    int64_t rows = batch->rows - from < ADL_GMM_BLOCK ? batch->rows - from : ADL_GMM_BLOCK;
    if (em->hard != NULL) {
      memset(responsibility, 0, (size_t)(ADL_GMM_COLUMN * k) * sizeof *responsibility);
      for (int64_t r = 0; r < rows; r++) responsibility[cluster[from + r] * ADL_GMM_COLUMN + r] = 1;
    } else {
      adl_gmm_posterior(memory.kernels, em->index, x + from * d, rows, memory.scratch, responsibility,
                        memory.log_density);
      for (int64_t r = 0; r < rows; r++) *sums.log_likelihood += memory.log_density[r];
      for (int64_t r = 0; r < rows && !em->learn; r++) sums.sizes[largest(responsibility, r, k)]++;
    }
    if (em->learn) add_block(em, &memory, x + from * d, rows, &sums);
  }
  return ADL_OK;
}

static adl_status expect(const adl_call *call, adl_gmm_em *em, bool learn, statistics *sums) {
  em->learn = learn;
  open_statistics(call, em, em->total);
  adl_fold fold = {.struct_size = sizeof fold, .step = step_em, .context = em};
  ADL_TRY(call->host->fold(call, em->data->rows, &fold, em->total));
  *sums = open_statistics(call, em, em->total);
  return ADL_OK;
}

/* ------------------------------------------------------------------------------------------- maximisation ---- */

/* Covariance of one component without reg; `shift` is how far its mean moved. */
static void component_covariance(const adl_gmm *mixture, int64_t j, const statistics *sums, double weight,
                                 const double *shift) {
  int64_t d = mixture->width;
  if (mixture->shape == ADL_GMM_FULL) {
    double *covariance = mixture->covariance + j * d * d;
    const double *scatter = sums->scatter + j * d * d;
    for (int64_t a = 0; a < d; a++)
      for (int64_t b = 0; b <= a; b++)
        covariance[a * d + b] = covariance[b * d + a] = scatter[a * d + b] / weight - shift[a] * shift[b];
    return;
  }
  double mean = 0;
  for (int64_t i = 0; i < d; i++) {
    double variance = sums->scatter[j * d + i] / weight - shift[i] * shift[i];
    if (variance < 0) variance = 0; /* rounding */
    mean += variance / (double)d;
    if (mixture->shape == ADL_GMM_DIAG) mixture->covariance[j * d + i] = variance;
  }
  if (mixture->shape == ADL_GMM_SPHERICAL) mixture->covariance[j] = mean;
}

static void tied_covariance(const adl_kmeans_data *data, const adl_gmm *mixture, const statistics *sums) {
  int64_t d = mixture->width;
  for (int64_t a = 0; a < d; a++) {
    for (int64_t b = 0; b <= a; b++) {
      double between = 0;
      for (int64_t j = 0; j < mixture->components; j++) {
        const double *mean = mixture->mean + j * d;
        between += sums->weight[j] * (mean[a] - data->mean[a]) * (mean[b] - data->mean[b]);
      }
      double covariance = (sums->scatter[a * d + b] - between) / (double)data->count;
      mixture->covariance[a * d + b] = mixture->covariance[b * d + a] = covariance;
    }
  }
}

static void add_to_variances(const adl_gmm *mixture, int64_t j, double reg) {
  int64_t d = mixture->width;
  switch (mixture->shape) {
    case ADL_GMM_FULL:
    case ADL_GMM_TIED:
      for (int64_t i = 0; i < d; i++) mixture->covariance[j * d * d + i * d + i] += reg;
      break;
    case ADL_GMM_DIAG:
      for (int64_t i = 0; i < d; i++) mixture->covariance[j * d + i] += reg;
      break;
    case ADL_GMM_SPHERICAL: mixture->covariance[j] += reg; break;
  }
}

/* Adds reg to the variances, more of it where they are singular all the same; builds the index. */
static adl_status regularise(const adl_call *call, adl_gmm_em *em) {
  const adl_gmm *mixture = &em->result->mixture;
  double *reg = em->result->reg, scale = em->data->variance > 0 ? em->data->variance : 1;
  int64_t matrices = mixture->shape == ADL_GMM_TIED ? 1 : mixture->components;
  for (int64_t j = 0; j < matrices; j++) add_to_variances(mixture, j, reg[j]);
  for (int raises = 0; adl_gmm_index_build(em->memory, mixture, em->floor, &em->index) > 0; raises++) {
    if (raises == MOST_RAISES)
      return call->host->fail(call, "features", -1, "scale them", "the features are too large");
    for (int64_t j = 0; j < matrices; j++) {
      if (!em->index->singular[j]) continue;
      double more = reg[j] > 0 ? 10 * reg[j] : FIRST_REG * scale;
      add_to_variances(mixture, j, more - reg[j]);
      reg[j] = more;
    }
  }
  return ADL_OK;
}

static adl_status maximise(const adl_call *call, adl_gmm_em *em, const statistics *sums) {
  const adl_gmm *mixture = &em->result->mixture;
  int64_t k = mixture->components, d = mixture->width;
  double all = 0;
  for (int64_t j = 0; j < k; j++) {
    double weight = sums->weight[j] + 10 * 2.220446049250313e-16; /* of a component that no row belongs to */
    double *shift = sums->shift + j * d;
    for (int64_t i = 0; i < d; i++) {
      shift[i] /= weight;
      mixture->mean[j * d + i] += shift[i];
    }
    if (mixture->shape != ADL_GMM_TIED) component_covariance(mixture, j, sums, weight, shift);
    mixture->weight[j] = weight;
    all += weight;
  }
  for (int64_t j = 0; j < k; j++) mixture->weight[j] /= all;
  if (mixture->shape == ADL_GMM_TIED) tied_covariance(em->data, mixture, sums);
  return regularise(call, em);
}

/* ------------------------------------------------------------------------------------------------ fitting ---- */

/* The mixture to begin with: that of the clusters around the centres, or the one in result. */
static adl_status begin(const adl_call *call, adl_gmm_em *em, const float *centers) {
  const adl_gmm *mixture = &em->result->mixture;
  int64_t k = mixture->components, d = mixture->width;
  bool tied = mixture->shape == ADL_GMM_TIED;
  for (int64_t j = 0; j < (tied ? 1 : k); j++) em->result->reg[j] = centers != NULL ? em->settings->reg : 0;
  if (centers == NULL) { /* its covariances have their reg in them */
    ADL_TRY(regularise(call, em));
    for (int64_t j = 0; j < (tied ? 1 : k); j++)
      if (em->result->reg[j] < em->settings->reg) em->result->reg[j] = em->settings->reg;
    return ADL_OK;
  }
  statistics sums;
  for (int64_t i = 0; i < k * d; i++) mixture->mean[i] = centers[i];
  em->hard = adl_kmeans_index_build(em->hard_memory, k, d, false, centers, em->data->center);
  ADL_TRY(expect(call, em, true, &sums));
  em->hard = NULL;
  return maximise(call, em, &sums);
}

adl_status adl_gmm_fit(const adl_call *call, adl_gmm_em *em, const float *centers, adl_gmm_result *result) {
  em->result = result;
  ADL_TRY(begin(call, em, centers));
  statistics sums;
  double rows = (double)em->data->count;
  result->converged = false;
  result->iterations = 0;
  while (result->iterations < em->settings->iterations && !result->converged) {
    int64_t now = result->iterations++;
    ADL_TRY(expect(call, em, true, &sums));
    result->history[now] = *sums.log_likelihood / rows;
    ADL_TRY(maximise(call, em, &sums));
    result->converged = now > 0 && fabs(result->history[now] - result->history[now - 1]) < em->settings->tolerance;
    call->host->progress(call, "iterations", (double)result->iterations, (double)em->settings->iterations);
  }
  ADL_TRY(expect(call, em, false, &sums));
  result->history[result->iterations] = *sums.log_likelihood / rows;
  memcpy(result->sizes, sums.sizes, (size_t)result->mixture.components * sizeof *result->sizes);
  return ADL_OK;
}
