#include "common/gmm_density.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "common/linalg.h"

#define LOG_2PI 1.8378770664093454836

/* ------------------------------------------------------------------------------------------------ mixtures ---- */

int32_t adl_gmm_covariance_size(adl_gmm_shape shape, int64_t components, int64_t width, int64_t size[3]) {
  switch (shape) {
    case ADL_GMM_FULL: size[0] = components, size[1] = width, size[2] = width; return 3;
    case ADL_GMM_TIED: size[0] = width, size[1] = width; return 2;
    case ADL_GMM_DIAG: size[0] = components, size[1] = width; return 2;
    default: size[0] = components; return 1;
  }
}

int64_t adl_gmm_covariance_count(adl_gmm_shape shape, int64_t components, int64_t width) {
  int64_t size[3], count = 1;
  int32_t dimensions = adl_gmm_covariance_size(shape, components, width, size);
  for (int32_t i = 0; i < dimensions; i++) count *= size[i];
  return count;
}

double adl_gmm_parameters(adl_gmm_shape shape, int64_t components, int64_t width) {
  double k = (double)components, d = (double)width, symmetric = d * (d + 1) / 2;
  double covariance = shape == ADL_GMM_FULL   ? k * symmetric
                      : shape == ADL_GMM_TIED ? symmetric
                      : shape == ADL_GMM_DIAG ? k * d
                                              : k;
  return covariance + k * d + k - 1;
}

adl_gmm adl_gmm_new(const adl_call *call, adl_gmm_shape shape, int64_t components, int64_t width) {
  size_t size = sizeof(double);
  adl_gmm mixture = {.shape = shape, .components = components, .width = width};
  mixture.weight = call->host->alloc(call, (size_t)components * size);
  mixture.mean = call->host->alloc(call, (size_t)(components * width) * size);
  mixture.covariance = call->host->alloc(call, (size_t)adl_gmm_covariance_count(shape, components, width) * size);
  return mixture;
}

/* --------------------------------------------------------------------------------------------------- index ---- */

/* Numbers in `factor`. */
static int64_t factor_count(adl_gmm_shape shape, int64_t components, int64_t width) {
  return shape == ADL_GMM_SPHERICAL ? components * width : adl_gmm_covariance_count(shape, components, width);
}

static size_t rounded(size_t size) { return (size + 63) / 64 * 64; }

static void *carve(void **memory, size_t size) {
  char *at = *memory;
  *memory = at + rounded(size);
  return at;
}

size_t adl_gmm_index_size(adl_gmm_shape shape, int64_t components, int64_t width) {
  size_t k = (size_t)components, d = (size_t)width, size = sizeof(double);
  return rounded(sizeof(adl_gmm_index)) + rounded(k * size) + rounded(k * d * size) + rounded(d * size) +
         rounded((size_t)factor_count(shape, components, width) * size) + rounded(k * sizeof(bool));
}

/* Inverse Cholesky factor of a covariance, and the logarithm of its determinant; false: singular. */
static bool invert(const double *covariance, int64_t d, const double *floor, double *factor, double *log_determinant) {
  for (int64_t i = 0; i < d; i++)
    if (!(covariance[i * d + i] > (floor != NULL ? floor[i] : 0))) return false;
  memcpy(factor, covariance, (size_t)(d * d) * sizeof *factor);
  if (!adl_linalg_cholesky(factor, d)) return false;
  adl_linalg_invert_lower(factor, d);
  *log_determinant = 0;
  for (int64_t i = 0; i < d; i++) *log_determinant += log(factor[i * d + i]);
  return true;
}

/* The same of d variances, which stand `stride` apart (0: all are the first). */
static bool invert_diagonal(const double *variance, int64_t stride, int64_t d, const double *floor, double *factor,
                            double *log_determinant) {
  *log_determinant = 0;
  for (int64_t i = 0; i < d; i++) {
    double at = variance[i * stride], least = 0;
    if (floor != NULL) least = floor[i];
    if (!(at > 0 && (stride == 0 || at > least))) return false;
    factor[i] = 1 / at;
    *log_determinant -= log(at) / 2;
  }
  return true;
}

static bool invert_component(const adl_gmm *mixture, int64_t j, const double *floor, adl_gmm_index *index,
                             double *log_determinant) {
  int64_t d = mixture->width;
  switch (mixture->shape) {
    case ADL_GMM_FULL:
      return invert(mixture->covariance + j * d * d, d, floor, index->factor + j * d * d, log_determinant);
    case ADL_GMM_TIED: return invert(mixture->covariance, d, floor, index->factor, log_determinant);
    case ADL_GMM_DIAG:
      return invert_diagonal(mixture->covariance + j * d, 1, d, floor, index->factor + j * d, log_determinant);
    default: {
      double least = 0;
      for (int64_t i = 0; i < d && floor != NULL; i++) least += floor[i] / (double)d;
      return mixture->covariance[j] > least &&
             invert_diagonal(mixture->covariance + j, 0, d, NULL, index->factor + j * d, log_determinant);
    }
  }
}

/* y = x L^-T for each row: afterwards squared lengths are Mahalanobis distances. */
static void whiten(double *rows, int64_t count, const double *factor, int64_t d) {
  cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (int)count, (int)d, 1, factor, (int)d,
              rows, (int)d);
}

int64_t adl_gmm_index_build(void *memory, const adl_gmm *mixture, const double *floor, adl_gmm_index **built) {
  int64_t k = mixture->components, d = mixture->width, singular = 0;
  adl_gmm_index *index = carve(&memory, sizeof *index);
  *index = (adl_gmm_index){.shape = mixture->shape, .components = k, .width = d};
  index->offset = carve(&memory, (size_t)k * sizeof(double));
  index->mean = carve(&memory, (size_t)(k * d) * sizeof(double));
  index->origin = carve(&memory, (size_t)d * sizeof(double));
  index->factor = carve(&memory, (size_t)factor_count(mixture->shape, k, d) * sizeof(double));
  index->singular = carve(&memory, (size_t)k * sizeof(bool));
  *built = index;

  double log_determinant = 0;
  for (int64_t j = 0; j < k; j++) {
    bool again = j == 0 || mixture->shape != ADL_GMM_TIED;
    index->singular[j] = again && !invert_component(mixture, j, floor, index, &log_determinant);
    singular += index->singular[j];
    index->offset[j] = log(mixture->weight[j]) + log_determinant - (double)d / 2 * LOG_2PI;
  }
  memcpy(index->mean, mixture->mean, (size_t)(k * d) * sizeof(double));
  memcpy(index->origin, mixture->mean, (size_t)d * sizeof(double));
  if (mixture->shape == ADL_GMM_TIED && singular == 0) {
    for (int64_t j = 0; j < k; j++)
      for (int64_t i = 0; i < d; i++) index->mean[j * d + i] -= index->origin[i];
    whiten(index->mean, k, index->factor, d);
  }
  return singular;
}

/* ----------------------------------------------------------------------------------------------- densities ---- */

/* ln(weight x density) of the rows in columns under every component, a column each; `scratch` for 8 x width and a
 * column. */
static void log_densities(const adl_gmm_kernels *kernels, const adl_gmm_index *index, const double *columns,
                          int64_t rows, double *scratch, double *log_density) {
  int64_t d = index->width, k = index->components;
  double *most = scratch, *difference = scratch + ADL_GMM_COLUMN;
  static const double one = 1;
  for (int64_t r = 0; r < rows; r++) most[r] = -INFINITY;
  for (int64_t j = 0; j < k; j++) {
    double *to = log_density + j * ADL_GMM_COLUMN;
    const double *mean = index->mean + j * d;
    if (index->shape == ADL_GMM_FULL)
      kernels->full(columns, rows, d, mean, index->factor + j * d * d, index->offset[j], difference, most, to);
    else if (index->shape == ADL_GMM_TIED)
      kernels->diagonal(columns, rows, d, mean, &one, 0, index->offset[j], to);
    else
      kernels->diagonal(columns, rows, d, mean, index->factor + j * d, 1, index->offset[j], to);
  }
}

/* y = L^-1 (x - origin), of columns. */
static void whiten_columns(const adl_gmm_index *index, double *columns, int64_t rows) {
  int64_t d = index->width;
  for (int64_t i = 0; i < d; i++)
    for (int64_t r = 0; r < rows; r++) columns[i * ADL_GMM_COLUMN + r] -= index->origin[i];
  cblas_dtrmm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)d, (int)rows, 1, index->factor,
              (int)d, columns, ADL_GMM_COLUMN);
}

int64_t adl_gmm_scratch(int64_t width) { return (ADL_GMM_COLUMN + 8) * width + ADL_GMM_COLUMN; }

void adl_gmm_posterior(const adl_gmm_kernels *kernels, const adl_gmm_index *index, const float *x, int64_t rows,
                       double *scratch, double *responsibility, double *log_density) {
  int64_t k = index->components, d = index->width;
  double *columns = scratch, *most = scratch + d * ADL_GMM_COLUMN;
  int64_t padded = adl_gmm_columns(x, rows, d, columns);
  if (index->shape == ADL_GMM_TIED) whiten_columns(index, columns, padded);
  log_densities(kernels, index, columns, padded, most, responsibility);
  kernels->share(responsibility, padded, k, most, log_density);
  for (int64_t r = 0; r < rows; r++) log_density[r] = most[r] + log(log_density[r]);
}
