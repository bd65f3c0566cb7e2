/*
 * Gaussian mixtures: their parameters, and how likely rows are under them. Used by the gmm plugin, in process and (through
 * gmm_em) while fitting. All arithmetic is float64.
 */
#ifndef ADLOOM_PLUGINS_COMMON_GMM_DENSITY_H
#define ADLOOM_PLUGINS_COMMON_GMM_DENSITY_H

#include <adloom/plugin.h>

#include "common/gmm_kernel.h"

/* Shapes of the covariances, for k components of d dimensions. */
typedef enum adl_gmm_shape {
  ADL_GMM_FULL,     /* k x d x d: a matrix for each component */
  ADL_GMM_TIED,     /* d x d: one matrix for all */
  ADL_GMM_DIAG,     /* k x d: a variance for each component and dimension */
  ADL_GMM_SPHERICAL /* k: one variance for each component */
} adl_gmm_shape;
#define ADL_GMM_SHAPES "full|tied|diag|spherical"

typedef struct adl_gmm {
  adl_gmm_shape shape;
  int64_t components, width;
  double *weight;     /* components; they add up to 1 */
  double *mean;       /* components x width */
  double *covariance; /* as the shape says, lower triangles valid */
} adl_gmm;

/* Memory of the call for a mixture of at most that many components. */
adl_gmm adl_gmm_new(const adl_call *call, adl_gmm_shape shape, int64_t components, int64_t width);
/* Sizes of the covariance array; returns how many dimensions it has. */
int32_t adl_gmm_covariance_size(adl_gmm_shape shape, int64_t components, int64_t width, int64_t size[3]);
/* How many numbers that are, and how many free parameters the mixture has (for AIC and BIC). */
int64_t adl_gmm_covariance_count(adl_gmm_shape shape, int64_t components, int64_t width);
double adl_gmm_parameters(adl_gmm_shape shape, int64_t components, int64_t width);

/* A mixture prepared for computing densities. */
typedef struct adl_gmm_index {
  adl_gmm_shape shape;
  int64_t components, width;
  double *offset; /* components: ln weight + ln of the density at the mean */
  double *mean;   /* components x width; tied: whitened, relative to the first mean */
  double *origin; /* tied: width, the first mean */
  double *factor; /* full, tied: inverses of the lower Cholesky factors. Others: components x width, 1 / variance */
  bool *singular; /* components (tied: the first): what adl_gmm_index_build found */
} adl_gmm_index;

size_t adl_gmm_index_size(adl_gmm_shape shape, int64_t components, int64_t width);
/* Builds it in that memory (64-byte aligned). Returns how many covariances are singular; `floor`, or NULL, is a variance
 * for each dimension at or below which one counts as zero. The index can be used if there are none. */
int64_t adl_gmm_index_build(void *memory, const adl_gmm *mixture, const double *floor, adl_gmm_index **index);

/* The scratch that adl_gmm_posterior needs (float64 numbers). */
int64_t adl_gmm_scratch(int64_t width);

/* Of rows x width float32 numbers, at most ADL_GMM_BLOCK rows: how responsible each component is for each row (a column
 * of ADL_GMM_COLUMN for each component; those of a row add up to 1), and the log density of each row, a column too. */
void adl_gmm_posterior(const adl_gmm_kernels *kernels, const adl_gmm_index *index, const float *x, int64_t rows,
                       double *scratch, double *responsibility, double *log_density);

#endif
