/* Sizes of the inputs of a learner: see scaling.h. */
#include "common/scaling.h"

#include <math.h>

adl_scaling adl_scaling_choose(adl_scaling how, adl_type features) {
  if (how != ADL_SCALING_AUTO) return how;
  return features.shape == ADL_SPARSE && features.width > ADL_SCALING_DENSE_WIDTH ? ADL_SCALING_SIZE : ADL_SCALING_FULL;
}

double *adl_scaling_sums(const adl_call *call, adl_tensors *tensors, adl_scaling how, int64_t width) {
  if (how == ADL_SCALING_NONE) return NULL;
  return call->host->tensor(call, tensors, "sums", ADL_FLOAT64, 2, (int64_t[]){2, width});
}

/* First row of the sums: the values, or how many were not 0. Second row: the squares. */
void adl_scaling_add(adl_scaling how, double *sums, int64_t width, adl_matrix_row row) {
  if (sums == NULL) return;
  for (int64_t k = 0; k < row.count; k++) {
    int64_t i = row.index != NULL ? row.index[k] : k;
    double value = row.value[k];
    sums[i] += how == ADL_SCALING_FULL ? value : value != 0;
    sums[width + i] += value * value;
  }
}

/* Inputs have 24 bits and the sums 53: taking the mean's square from the mean square leaves enough of a variance. */
double adl_scaling_deviation(double mean, double mean_square) {
  double variance = mean_square - mean * mean;
  return variance > 1e-14 * mean_square ? sqrt(variance) : 1.0;
}

void adl_scaling_keep(const adl_call *call, adl_tensors *tensors, adl_scaling how, int64_t width, double rows,
                      const double *sums) {
  if (how == ADL_SCALING_NONE) return;
  double *scale = call->host->tensor(call, tensors, "scale", ADL_FLOAT64, 1, &width), *mean = NULL;
  if (how == ADL_SCALING_FULL) mean = call->host->tensor(call, tensors, "mean", ADL_FLOAT64, 1, &width);
  for (int64_t i = 0; i < width; i++) {
    if (mean != NULL) {
      mean[i] = sums[i] / rows;
      scale[i] = adl_scaling_deviation(mean[i], sums[width + i] / rows);
    } else {
      scale[i] = sums[i] > 0 && sums[width + i] > 0 ? sqrt(sums[width + i] / sums[i]) : 1.0;
    }
  }
}
