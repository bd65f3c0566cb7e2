#include "common/linalg.h"

#include <cblas.h>
#include <string.h>

/* LAPACK, which OpenBLAS brings along without a header. Matrices are column-major there: their "U" is the lower triangle
 * of our row-major ones. */
extern void dpotrf_(const char *triangle, const int *n, double *a, const int *stride, int *info);
extern void dgeqrf_(const int *rows, const int *columns, double *a, const int *stride, double *scale, double *work,
                    const int *size, int *info);
extern void dorgqr_(const int *rows, const int *columns, const int *reflectors, double *a, const int *stride,
                    const double *scale, double *work, const int *size, int *info);
extern void dsyev_(const char *job, const char *triangle, const int *n, double *a, const int *stride, double *values,
                   double *work, const int *size, int *info);
extern void dtrtri_(const char *triangle, const char *unit, const int *n, double *a, const int *stride, int *info);

#define SINGULAR 1e-13

adl_status adl_linalg_ready(const adl_call *call) {
  if (openblas_get_parallel() == 2)
    return call->host->fail(
        call, NULL, -1, "install OpenBLAS in its pthread flavour (Debian: libopenblas0-pthread)",
        "the OpenBLAS found here starts its own threads through OpenMP, in each of adloom's workers");
  openblas_set_num_threads(1);
  return ADL_OK;
}

double adl_linalg_distance2(const float *a, const float *b, int64_t n) {
  double sum[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int lane = 0; lane < 4; lane++) {
      double difference = (double)a[i + lane] - (double)b[i + lane];
      sum[lane] += difference * difference;
    }
  }
  for (; i < n; i++) {
    double difference = (double)a[i] - (double)b[i];
    sum[0] += difference * difference;
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double adl_linalg_norm2(const float *a, int64_t n) {
  double sum[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int lane = 0; lane < 4; lane++) sum[lane] += (double)a[i + lane] * (double)a[i + lane];
  for (; i < n; i++) sum[0] += (double)a[i] * (double)a[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

bool adl_linalg_cholesky(double *a, int64_t n) {
  /* dpotrf leaves the upper triangle alone, so its first row keeps the diagonal as it was. */
  double first = a[0];
  for (int64_t i = 1; i < n; i++) a[i] = a[i * n + i];
  int order = (int)n, info = 0;
  dpotrf_("U", &order, a, &order, &info);
  bool regular = info == 0;
  for (int64_t i = 0; i < n && regular; i++) {
    double pivot = a[i * n + i] * a[i * n + i];
    regular = pivot > SINGULAR * (i == 0 ? first : a[i]); /* false for NaN, too */
  }
  for (int64_t i = 0; i < n; i++) memset(a + i * n + i + 1, 0, (size_t)(n - i - 1) * sizeof *a);
  return regular;
}

void adl_linalg_invert_lower(double *lower, int64_t n) {
  int order = (int)n, info = 0;
  dtrtri_("U", "N", &order, lower, &order, &info);
}

adl_status adl_linalg_orthonormalise(const adl_call *call, double *a, int64_t n, int64_t k) {
  int rows = (int)n, columns = (int)k, size = 64 * columns, info = 0;
  double *turned = call->host->alloc(call, (size_t)(n * k) * sizeof *turned);
  double *scale = call->host->alloc(call, (size_t)k * sizeof *scale);
  double *work = call->host->alloc(call, (size_t)size * sizeof *work);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < k; j++) turned[j * n + i] = a[i * k + j];
  dgeqrf_(&rows, &columns, turned, &rows, scale, work, &size, &info);
  if (info == 0) dorgqr_(&rows, &columns, &columns, turned, &rows, scale, work, &size, &info);
  if (info != 0) return call->host->fail(call, NULL, -1, NULL, "LAPACK's QR decomposition failed (%d)", info);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < k; j++) a[i * k + j] = turned[j * n + i];
  return ADL_OK;
}

adl_status adl_linalg_eigen(const adl_call *call, double *a, int64_t n, double *values) {
  int order = (int)n, size = 64 * order, info = 0;
  double *work = call->host->alloc(call, (size_t)size * sizeof *work);
  dsyev_("V", "U", &order, a, &order, values, work, &size, &info);
  if (info != 0) return call->host->fail(call, NULL, -1, NULL, "LAPACK's eigenvalue solver failed (%d)", info);
  return ADL_OK;
}
