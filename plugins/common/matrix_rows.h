/* The rows of a MATRIX input, dense or sparse, as pairs of index and value. Used by the linear learners. */
#ifndef ADLOOM_PLUGINS_COMMON_MATRIX_ROWS_H
#define ADLOOM_PLUGINS_COMMON_MATRIX_ROWS_H

#include <adloom/plugin.h>

/* One row. index NULL: the values stand for dimensions 0 .. count - 1. */
typedef struct adl_matrix_row {
  const uint32_t *index;
  const float *value;
  int64_t count;
} adl_matrix_row;

static inline adl_matrix_row adl_matrix_row_at(const adl_column *matrix, int64_t row) {
  adl_matrix_row at;
  if (matrix->type.shape == ADL_SPARSE) {
    at.index = matrix->index + matrix->offsets[row];
    at.value = (const float *)matrix->data + matrix->offsets[row];
    at.count = matrix->offsets[row + 1] - matrix->offsets[row];
  } else {
    at.index = NULL;
    at.value = (const float *)matrix->data + row * matrix->type.width;
    at.count = matrix->type.width;
  }
  return at;
}

static inline double adl_matrix_row_dot(adl_matrix_row row, const double *weights) {
  double sum = 0;
  if (row.index != NULL)
    for (int64_t k = 0; k < row.count; k++) sum += weights[row.index[k]] * row.value[k];
  else
    for (int64_t k = 0; k < row.count; k++) sum += weights[k] * row.value[k];
  return sum;
}

#endif
