/* What words weigh; see word_weights.h. */
#include "common/word_weights.h"

#include <math.h>
#include <stddef.h>

#include "common/simd.h"

static float take_idf(const adl_idf *idf, int64_t held_by) {
  return idf->wanted ? (float)(log((1 + idf->documents) / (1 + (double)held_by)) + 1) : 1;
}

adl_idf adl_idf_for(bool wanted, int64_t documents) {
  adl_idf idf = {.wanted = wanted, .documents = (double)documents};
  for (int64_t n = 0; n < ADL_IDF_FEW; n++) idf.few[n] = take_idf(&idf, n);
  return idf;
}

float adl_idf_of(const adl_idf *idf, int64_t held_by) {
  return held_by < ADL_IDF_FEW ? idf->few[held_by] : take_idf(idf, held_by);
}

void adl_word_weights_fetch(const float *idf, int64_t count, const uint32_t *dimension) {
  for (int64_t i = 0; idf != NULL && i < count; i++) __builtin_prefetch(&idf[dimension[i]]);
}

void adl_word_weights(bool sublinear, const float *idf, int64_t count, const uint32_t *dimension, float *value) {
  for (int64_t i = 0; sublinear && i < count; i++)
    if (value[i] > 1) value[i] = 1 + logf(value[i]);
  for (int64_t i = 0; idf != NULL && i < count; i++) value[i] *= idf[dimension[i]];
}

ADL_LOOPS static void divide(double by, int64_t count, float *value) {
  for (int64_t i = 0; i < count; i++) value[i] = (float)((double)value[i] / by);
}

void adl_word_weights_scale(adl_norm norm, int64_t count, float *value) {
  if (norm == ADL_NORM_NONE) return;
  double sum = 0;
  for (int64_t i = 0; i < count; i++)
    sum += norm == ADL_NORM_L1 ? fabs((double)value[i]) : (double)value[i] * (double)value[i];
  divide(norm == ADL_NORM_L2 ? sqrt(sum) : sum, count, value);
}
