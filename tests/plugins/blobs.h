/* Rows around centres, made of adl_random alone: the same numbers wherever they are made, so that the known answers of the
 * tests could be computed elsewhere (scikit-learn 1.9, float64). */
#ifndef ADLOOM_TESTS_BLOBS_H
#define ADLOOM_TESTS_BLOBS_H

#include <adloom/plugin.h>

#include <stdlib.h>

/* rows x width; row r belongs to centre r % centers, whose coordinates lie in [0, 10); noise is spread times the sum of
 * four uniform numbers less 2, so its variance is spread^2 / 3. */
static inline float *blobs_new(uint64_t key, int64_t rows, int64_t width, int64_t centers, double spread) {
  float *values = malloc((size_t)(rows * width) * sizeof *values);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < width; i++) {
      uint64_t at = (uint64_t)(r * width + i) * 4;
      double noise = adl_random_unit(key, at) + adl_random_unit(key, at + 1) + adl_random_unit(key, at + 2) +
                     adl_random_unit(key, at + 3) - 2;
      double center = 10 * adl_random_unit(key + 1, (uint64_t)((r % centers) * width + i));
      values[r * width + i] = (float)(center + spread * noise);
    }
  }
  return values;
}

#endif
