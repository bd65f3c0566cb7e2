/* Sizes of the inputs of a learner, measured in one pass so that the learner can work on inputs of one size. Used by
 * sgd. */
#ifndef ADLOOM_PLUGINS_COMMON_SCALING_H
#define ADLOOM_PLUGINS_COMMON_SCALING_H

#include "common/matrix_rows.h"

typedef enum adl_scaling {
  ADL_SCALING_AUTO = 0,
  ADL_SCALING_FULL = 1, /* mean 0, standard deviation 1 */
  ADL_SCALING_SIZE = 2, /* root mean square of what is not 0 is 1 */
  ADL_SCALING_NONE = 3
} adl_scaling;
#define ADL_SCALING_CHOICES "auto|full|scale|none"

/* Up to this width AUTO treats a sparse input as a dense one. */
#define ADL_SCALING_DENSE_WIDTH 1024

/* What AUTO stands for. */
adl_scaling adl_scaling_choose(adl_scaling how, adl_type features);

/* The tensor "sums" (2 x width, additive), made where it is not there; NULL with NONE. Rows are added to it. */
double *adl_scaling_sums(const adl_call *call, adl_tensors *tensors, adl_scaling how, int64_t width);
void adl_scaling_add(adl_scaling how, double *sums, int64_t width, adl_matrix_row row);

/* Makes the tensors "mean" (FULL) and "scale" (FULL, SIZE) from the sums over that many rows. */
void adl_scaling_keep(const adl_call *call, adl_tensors *tensors, adl_scaling how, int64_t width, double rows,
                      const double *sums);

/* Standard deviation of something with this mean and mean square; 1 if it is constant but for rounding. */
double adl_scaling_deviation(double mean, double mean_square);

#endif
