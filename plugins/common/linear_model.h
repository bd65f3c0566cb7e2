/*
 * Linear models with one output (a probability, a number) or one per class (softmax): margins of rows, and the loss of a
 * batch with its gradient. Sparse and dense inputs; sums in float64. Needs OpenBLAS. Used by lbfgs.
 */
#ifndef ADLOOM_PLUGINS_COMMON_LINEAR_MODEL_H
#define ADLOOM_PLUGINS_COMMON_LINEAR_MODEL_H

#include <adloom/plugin.h>

typedef enum adl_linear_loss {
  ADL_LINEAR_LOGISTIC = 0, /* label in [0, 1] */
  ADL_LINEAR_SOFTMAX = 1,  /* label: number of the class */
  ADL_LINEAR_SQUARED = 2   /* half the squared error */
} adl_linear_loss;

/* Weights are (width + 1) x stride, row-major: those of one dimension for all outputs side by side, the constants behind
 * the last dimension. With several outputs stride is rounded up to 4; what is too many is 0. */
typedef struct adl_linear {
  adl_linear_loss loss;
  int64_t width, outputs, stride;
  bool bias; /* the constants are learned */
  const uint32_t
      *map; /* dimensions of a sparse matrix to those of the model, for adl_linear_add; NULL: they are the same */
} adl_linear;

adl_linear adl_linear_of(adl_linear_loss loss, int64_t width, int64_t outputs, bool bias);

static inline int64_t adl_linear_count(const adl_linear *model) { return (model->width + 1) * model->stride; }

/* Rows that are worked on together: so many of width dimensions are a quarter of a megabyte. */
int64_t adl_linear_block(const adl_linear *model, int64_t rows);

/* Margins of `rows` rows from `from` on, rows x stride. `block` has room for adl_linear_block rows of a dense matrix. */
void adl_linear_margins(const adl_linear *model, const double *weights, const adl_column *matrix, int64_t from,
                        int64_t rows, double *block, double *margins);

/* Margins to probabilities, in place: those of the outputs sum to 1. */
void adl_linear_softmax(double *margins, int64_t outputs);

/* Sums that a batch adds to. */
enum { ADL_LINEAR_LOSS, ADL_LINEAR_WRONG, ADL_LINEAR_SUMS };

/* Adds weight x loss of the rows to sums[ADL_LINEAR_LOSS], its gradient to `gradient`, and the number of rows that are on
 * the wrong side, or on the border, to sums[ADL_LINEAR_WRONG] (0: a plane tells all labels apart). Rows of weight 0 are
 * passed over. */
void adl_linear_add(const adl_call *call, const adl_linear *model, const double *weights, const adl_column *matrix,
                    const double *labels, const double *row_weights, double *gradient, double sums[ADL_LINEAR_SUMS]);

#endif
