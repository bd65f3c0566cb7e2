/* Losses and gradients of linear models. Rows go by in blocks: margins, then residuals, then the gradient, while the block is
 * in the cache. Dense blocks are widened to float64 and multiplied by BLAS; sparse rows are walked, all outputs of a
 * dimension at once. */
#include "common/linear_model.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "common/matrix_rows.h"
#include "common/simd.h"

enum { BLOCK_VALUES = 32768, BLOCK_LEAST = 16, BLOCK_MOST = 512 };

adl_linear adl_linear_of(adl_linear_loss loss, int64_t width, int64_t outputs, bool bias) {
  return (adl_linear){loss, width, outputs, outputs == 1 ? 1 : (outputs + 3) / 4 * 4, bias, NULL};
}

int64_t adl_linear_block(const adl_linear *model, int64_t rows) {
  int64_t block = BLOCK_VALUES / (model->width > model->stride ? model->width : model->stride);
  if (block < BLOCK_LEAST) block = BLOCK_LEAST;
  if (block > BLOCK_MOST) block = BLOCK_MOST;
  return block < rows ? block : rows;
}

/* ------------------------------------------------------------------------------------------------ dense ---- */

typedef double quad __attribute__((vector_size(32)));
typedef float quad32 __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))

INLINE void widen_body(const float *from, double *to, int64_t count) {
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    quad32 values;
    memcpy(&values, from + i, sizeof values);
    quad wide = __builtin_convertvector(values, quad);
    memcpy(to + i, &wide, sizeof wide);
  }
  for (; i < count; i++) to[i] = from[i];
}

static void dense_margins(const adl_linear *model, const double *weights, const double *block, int64_t rows,
                          double *margins) {
  int width = (int)model->width, stride = (int)model->stride;
  const double *constants = weights + model->width * model->stride;
  for (int64_t row = 0; row < rows; row++) memcpy(margins + row * stride, constants, (size_t)stride * sizeof *margins);
  if (stride == 1)
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)rows, width, 1, block, width, weights, 1, 1, margins, 1);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, stride, width, 1, block, width, weights, stride,
                1, margins, stride);
}

static void dense_gradient(const adl_linear *model, const double *block, int64_t rows, const double *residuals,
                           double *gradient) {
  int width = (int)model->width, stride = (int)model->stride;
  if (stride == 1)
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)rows, width, 1, block, width, residuals, 1, 1, gradient, 1);
  else
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, stride, (int)rows, 1, block, width, residuals, stride,
                1, gradient, stride);
}

/* ----------------------------------------------------------------------------------------------- sparse ---- */

INLINE void row_margins(const double *weights, adl_matrix_row row, int64_t stride, double *margins) {
  for (int64_t at = 0; at < stride; at += 4) {
    quad sum, four;
    memcpy(&sum, margins + at, sizeof sum);
    for (int64_t i = 0; i < row.count; i++) {
      double value = row.value[i];
      memcpy(&four, weights + row.index[i] * stride + at, sizeof four);
      sum += four * value;
    }
    memcpy(margins + at, &sum, sizeof sum);
  }
}

INLINE void sparse_margins_body(const adl_linear *model, const double *weights, const adl_column *matrix, int64_t from,
                                int64_t rows, double *margins) {
  int64_t stride = model->stride;
  const double *constants = weights + model->width * stride;
  for (int64_t row = 0; row < rows; row++) {
    adl_matrix_row at = adl_matrix_row_at(matrix, from + row);
    if (stride == 1) {
      margins[row] = adl_matrix_row_dot(at, weights) + constants[0];
      continue;
    }
    memcpy(margins + row * stride, constants, (size_t)stride * sizeof *margins);
    row_margins(weights, at, stride, margins + row * stride);
  }
}

INLINE void sparse_gradient_body(const adl_linear *model, const adl_column *matrix, int64_t from, int64_t rows,
                                 const double *residuals, double *gradient) {
  int64_t stride = model->stride;
  for (int64_t row = 0; row < rows; row++, residuals += stride) {
    adl_matrix_row at = adl_matrix_row_at(matrix, from + row);
    if (stride == 1) {
      for (int64_t i = 0; i < at.count; i++) gradient[at.index[i]] += residuals[0] * at.value[i];
      continue;
    }
    for (int64_t i = 0; i < at.count; i++) {
      double value = at.value[i], *to = gradient + at.index[i] * stride;
      for (int64_t k = 0; k < stride; k += 4) {
        quad sum, four;
        memcpy(&sum, to + k, sizeof sum);
        memcpy(&four, residuals + k, sizeof four);
        sum += four * value;
        memcpy(to + k, &sum, sizeof sum);
      }
    }
  }
}

/* The same arithmetic for AVX2; without FMA, so that both give the same numbers. */
#ifdef ADL_SIMD_X86
#define AVX2 __attribute__((target("avx2")))
AVX2 static void widen_avx2(const float *from, double *to, int64_t count) { widen_body(from, to, count); }
AVX2 static void sparse_margins_avx2(const adl_linear *model, const double *weights, const adl_column *matrix,
                                     int64_t from, int64_t rows, double *margins) {
  sparse_margins_body(model, weights, matrix, from, rows, margins);
}
AVX2 static void sparse_gradient_avx2(const adl_linear *model, const adl_column *matrix, int64_t from, int64_t rows,
                                      const double *residuals, double *gradient) {
  sparse_gradient_body(model, matrix, from, rows, residuals, gradient);
}
#endif

static void widen(const float *from, double *to, int64_t count) {
#ifdef ADL_SIMD_X86
  if (adl_simd_level() >= ADL_SIMD_AVX2) {
    widen_avx2(from, to, count);
    return;
  }
#endif
  widen_body(from, to, count);
}

static void sparse_margins(const adl_linear *model, const double *weights, const adl_column *matrix, int64_t from,
                           int64_t rows, double *margins) {
#ifdef ADL_SIMD_X86
  if (model->stride > 1 && adl_simd_level() >= ADL_SIMD_AVX2) {
    sparse_margins_avx2(model, weights, matrix, from, rows, margins);
    return;
  }
#endif
  sparse_margins_body(model, weights, matrix, from, rows, margins);
}

static void sparse_gradient(const adl_linear *model, const adl_column *matrix, int64_t from, int64_t rows,
                            const double *residuals, double *gradient) {
#ifdef ADL_SIMD_X86
  if (model->stride > 1 && adl_simd_level() >= ADL_SIMD_AVX2) {
    sparse_gradient_avx2(model, matrix, from, rows, residuals, gradient);
    return;
  }
#endif
  sparse_gradient_body(model, matrix, from, rows, residuals, gradient);
}

/* ------------------------------------------------------------------------------------------------- both ---- */

void adl_linear_margins(const adl_linear *model, const double *weights, const adl_column *matrix, int64_t from,
                        int64_t rows, double *block, double *margins) {
  if (matrix->type.shape == ADL_SPARSE) {
    sparse_margins(model, weights, matrix, from, rows, margins);
    return;
  }
  widen((const float *)matrix->data + from * model->width, block, rows * model->width);
  dense_margins(model, weights, block, rows, margins);
}

/* Exponentials of the margins relative to the largest, in place; returns their sum, which is at least 1. */
static double exponentials(double *margins, int64_t outputs, double *most) {
  double sum = 0;
  *most = margins[0];
  for (int64_t k = 1; k < outputs; k++)
    if (margins[k] > *most) *most = margins[k];
  for (int64_t k = 0; k < outputs; k++) sum += margins[k] = exp(margins[k] - *most);
  return sum;
}

void adl_linear_softmax(double *margins, int64_t outputs) {
  double most, sum = exponentials(margins, outputs, &most);
  for (int64_t k = 0; k < outputs; k++) margins[k] /= sum;
}

/* Sums of a block. Logarithms are dear: those of rows of weight 1 are taken of the product of many. */
typedef struct block_sums {
  double loss, product, wrong;
} block_sums;

static inline void add_logarithm(block_sums *sums, double weight, double value) {
  if (weight != 1) {
    sums->loss += weight * log(value);
    return;
  }
  sums->product *= value;
  if (sums->product < 1e200) return;
  sums->loss += log(sums->product);
  sums->product = 1;
}

/* Margins of a row become the derivatives of its loss with respect to them. */
static void softmax_row(const adl_linear *model, double label, double weight, double *margins, block_sums *sums) {
  int64_t own = (int64_t)label;
  double most, rival = -INFINITY, own_margin = margins[own];
  for (int64_t k = 0; k < model->outputs; k++)
    if (k != own && margins[k] > rival) rival = margins[k];
  double sum = exponentials(margins, model->outputs, &most), share = weight / sum;
  add_logarithm(sums, weight, sum);
  sums->loss += weight * (most - own_margin);
  sums->wrong += !(own_margin > rival);
  for (int64_t k = 0; k < model->outputs; k++) margins[k] *= share;
  margins[own] -= weight;
}

/* One exponential for loss and derivative: e = exp(-|margin|), whose place in the sigmoid is told by the sign. */
static inline void logistic_row(double label, double weight, double *margins, block_sums *sums) {
  double margin = margins[0], e = exp(-fabs(margin)), share = 1 / (1 + e), p = margin >= 0 ? share : e * share;
  add_logarithm(sums, weight, 1 + e);
  sums->loss += weight * ((margin > 0 ? margin : 0.0) - label * margin);
  sums->wrong += !(label == 1 ? margin > 0 : label == 0 && margin < 0);
  margins[0] = weight * (p - label);
}

static inline void squared_row(double label, double weight, double *margins, block_sums *sums) {
  double error = margins[0] - label;
  sums->loss += weight * 0.5 * error * error;
  sums->wrong += 1;
  margins[0] = weight * error;
}

static void residuals(const adl_linear *model, const double *labels, const double *weights, int64_t rows,
                      double *margins, double *sums) {
  block_sums block = {0, 1, 0};
  for (int64_t row = 0; row < rows; row++, margins += model->stride) {
    if (!(weights[row] > 0))
      memset(margins, 0, (size_t)model->stride * sizeof *margins);
    else if (model->loss == ADL_LINEAR_SOFTMAX)
      softmax_row(model, labels[row], weights[row], margins, &block);
    else if (model->loss == ADL_LINEAR_SQUARED)
      squared_row(labels[row], weights[row], margins, &block);
    else
      logistic_row(labels[row], weights[row], margins, &block);
  }
  sums[ADL_LINEAR_LOSS] += block.loss + log(block.product);
  sums[ADL_LINEAR_WRONG] += block.wrong;
}

/* The matrix with the dimensions of the model. */
static adl_column translate(const adl_call *call, const uint32_t *map, const adl_column *matrix) {
  adl_column translated = *matrix;
  size_t items = (size_t)matrix->offsets[matrix->rows];
  uint32_t *index = call->host->alloc(call, (items + 1) * sizeof *index);
  for (size_t i = 0; i < items; i++) index[i] = map[matrix->index[i]];
  translated.index = index;
  return translated;
}

void adl_linear_add(const adl_call *call, const adl_linear *model, const double *weights, const adl_column *matrix,
                    const double *labels, const double *row_weights, double *gradient, double sums[ADL_LINEAR_SUMS]) {
  int64_t most = adl_linear_block(model, matrix->rows), stride = model->stride;
  bool sparse = matrix->type.shape == ADL_SPARSE;
  double *margins = call->host->alloc(call, (size_t)(most * stride) * sizeof *margins), *block = NULL;
  if (!sparse) block = call->host->alloc(call, (size_t)(most * model->width) * sizeof *block);
  adl_column translated;
  if (sparse && model->map != NULL) {
    translated = translate(call, model->map, matrix);
    matrix = &translated;
  }
  double *constants = gradient + model->width * stride;
  for (int64_t from = 0; from < matrix->rows; from += most) {
    int64_t rows = matrix->rows - from < most ? matrix->rows - from : most;
    adl_linear_margins(model, weights, matrix, from, rows, block, margins);
    residuals(model, labels + from, row_weights + from, rows, margins, sums);
    if (sparse)
      sparse_gradient(model, matrix, from, rows, margins, gradient);
    else
      dense_gradient(model, block, rows, margins, gradient);
    for (int64_t row = 0; model->bias && row < rows; row++)
      for (int64_t k = 0; k < stride; k++) constants[k] += margins[row * stride + k];
  }
}
