/*
 * The loops in which a Gaussian mixture spends its time, for a block of rows, in AVX2 with FMA or in portable C (which
 * rounds products that FMA does not: their results agree to some 1e-15 of the terms). All float64.
 */
#ifndef ADLOOM_PLUGINS_COMMON_GMM_KERNEL_H
#define ADLOOM_PLUGINS_COMMON_GMM_KERNEL_H

#include <stdint.h>

/* Rows of a block. A "column" below is an array with a place for each row; it has eight more, so that columns one after
 * the other do not fall on the same lines of a cache. */
#define ADL_GMM_BLOCK 256
#define ADL_GMM_COLUMN (ADL_GMM_BLOCK + 8)

/* Rows as columns: row-major float32, rows x d, to d columns; the rows added to make their number divide by eight, which
 * is returned, are 0. */
int64_t adl_gmm_columns(const float *x, int64_t rows, int64_t d, double *columns);
/* Rows as float64, `stride` (d rounded up to a multiple of four) apart, 0 behind the end of each. */
int64_t adl_gmm_stride(int64_t d);
void adl_gmm_widen(const float *x, int64_t rows, int64_t d, double *to);

typedef struct adl_gmm_kernels {
  /* offset - 1/2 sum over dimensions of factor (x - mean)^2, a column. Factors stand `stride` apart (0: all are the
   * first). `rows` is what adl_gmm_columns returned, here and below. */
  void (*diagonal)(const double *columns, int64_t rows, int64_t d, const double *mean, const double *factor,
                   int64_t stride, double offset, double *log_density);
  /* offset - 1/2 |factor (x - mean)|^2, factor a lower triangle (d x d, 0 above the diagonal), a column; or -INFINITY
   * where that is so far below `most` that share makes 0 of it. `most` is a column that begins as -INFINITY and rises
   * to the greatest so far; `difference` is scratch for 8 x d. */
  void (*full)(const double *columns, int64_t rows, int64_t d, const double *mean, const double *factor, double offset,
               double *difference, double *most, double *log_density);
  /* Of k columns of ln(weight x density): the responsibilities, in their place, a column of the greatest, and one of
   * the sums of e^(ln - greatest). Responsibilities below e^-27.6 (1e-12) of a row's greatest are 0:
   * what k of them would add to a row's log density is less than k times that, and what a million rows of them lack in
   * the weight of a component is less than a millionth of a row. */
  void (*share)(double *log_density, int64_t rows, int64_t k, double *most, double *sums);
  /* Of `count` rows listed, x being what adl_gmm_widen made and mean padded as its rows are: sums of share (x - mean)
   * and of share (x - mean)^2, padded too. */
  void (*moments)(const double *x, int64_t stride, const int32_t *row, const double *share, int64_t count,
                  const double *mean, double *shift, double *scatter);
  /* The same first sum, and the rows sqrt(share) (x - mean) one after the other. */
  void (*weigh)(const double *x, int64_t stride, const int32_t *row, const double *share, int64_t count,
                const double *mean, double *shift, double *to);
  /* sum (d x d, lower triangle) += A^T A, of rows `stride` apart, 0 behind their ends. */
  void (*products)(const double *a, int64_t stride, int64_t rows, int64_t d, double *sum);
} adl_gmm_kernels;

/* Those for this machine; to be asked for once a batch. */
const adl_gmm_kernels *adl_gmm_kernels_here(void);

/* The rows for which a column of responsibilities is not 0, what it is for them, and their
 * sum. Both arrays have room for `rows`. */
int64_t adl_gmm_list(const double *responsibility, int64_t rows, int32_t *row, double *share, double *sum);

#endif
