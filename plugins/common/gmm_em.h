/* Fitting a Gaussian mixture by expectation maximisation, one fold an iteration. Used by the gmm plugin. */
#ifndef ADLOOM_PLUGINS_COMMON_GMM_EM_H
#define ADLOOM_PLUGINS_COMMON_GMM_EM_H

#include "common/gmm_density.h"
#include "common/kmeans_data.h"

typedef struct adl_gmm_settings {
  int64_t iterations; /* at most */
  double tolerance;   /* stop when the mean log-likelihood of a row changes by less */
  double reg;         /* added to every variance */
} adl_gmm_settings;

typedef struct adl_gmm_result {
  adl_gmm mixture;
  double *reg;     /* components (tied: 1): what was added to the variances in the end */
  int64_t *sizes;  /* components: rows for which each is the most responsible */
  double *history; /* iterations + 1: mean log-likelihood of a row before each iteration, and in the end */
  int64_t iterations;
  bool converged;
} adl_gmm_result;

adl_gmm_result adl_gmm_result_new(const adl_call *call, adl_gmm_shape shape, int64_t components, int64_t width,
                                  int64_t iterations);

/* Memory for fitting, to be used for one fit after the other. */
typedef struct adl_gmm_em adl_gmm_em;
adl_gmm_em *adl_gmm_em_new(const adl_call *call, const adl_kmeans_data *data, const adl_gmm_settings *settings,
                           adl_gmm_shape shape, int64_t components);

/* Starts from the mixture in `result` or, with `centers` (components of the mixture x width), from the clusters around
 * them. */
adl_status adl_gmm_fit(const adl_call *call, adl_gmm_em *em, const float *centers, adl_gmm_result *result);

#endif
