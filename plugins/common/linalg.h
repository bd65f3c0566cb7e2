/*
 * Dense linear algebra on top of OpenBLAS, and distances in float64. Used by k-means, the Gaussian mixture and svd; plugins
 * that call BLAS themselves begin with adl_linalg_ready.
 */
#ifndef ADLOOM_PLUGINS_COMMON_LINALG_H
#define ADLOOM_PLUGINS_COMMON_LINALG_H

#include <adloom/plugin.h>

/* For create: refuses an OpenBLAS that starts threads of its own through OpenMP, and keeps the others to one thread per
 * call (the core's workers are the threads). */
adl_status adl_linalg_ready(const adl_call *call);

/* |a - b|^2 and |a|^2, summed in float64 in an order that depends on n alone. */
double adl_linalg_distance2(const float *a, const float *b, int64_t n);
double adl_linalg_norm2(const float *a, int64_t n);

/* Replaces the symmetric matrix a (n x n) by its lower Cholesky factor L, a = L L^T, zeros above the diagonal. False
 * when a is singular in float64 arithmetic: a pivot not above 1e-13 of its diagonal element. a is destroyed then. */
ADL_MUST_USE bool adl_linalg_cholesky(double *a, int64_t n);

/* Replaces a lower triangular matrix (n x n, no zero on its diagonal) by its inverse, which is lower triangular too. */
void adl_linalg_invert_lower(double *lower, int64_t n);

/* Replaces the columns of a (n x k, row-major, n >= k) by an orthonormal basis that spans them, also where they are
 * dependent (Householder QR). */
adl_status adl_linalg_orthonormalise(const adl_call *call, double *a, int64_t n, int64_t k);

/* Replaces the symmetric matrix a (n x n) by its eigenvectors, a row each, and gives the eigenvalues, which rise. */
adl_status adl_linalg_eigen(const adl_call *call, double *a, int64_t n, double *values);

#endif
