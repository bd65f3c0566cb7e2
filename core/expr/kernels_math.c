/* Kernels of mathematical functions. Called by evaluate.c. A result that is not finite is null. */
#include <float.h>
#include <math.h>

#include "core/expr/internal.h"

ADL_EXPR_LOOPS static bool all_finite(const double *values, int64_t rows) {
  int64_t odd = 0;
  for (int64_t row = 0; row < rows; row++) odd |= !(fabs(values[row]) <= DBL_MAX);
  return odd == 0;
}

static void keep_finite(adl_expr_vector *out, int64_t rows) {
  if (all_finite(out->f, rows)) return;
  for (int64_t row = 0; row < rows; row++) {
    if (isfinite(out->f[row])) continue;
    adl_expr_valid_write(out, rows)[row] = 0;
    out->f[row] = 0.0;
  }
}

#define UNARY(name, expression)                                                                                        \
  void name(ADL_EXPR_KERNEL_ARGS) {                                                                                    \
    (void)run, (void)payload, (void)count;                                                                             \
    adl_expr_valid_and(args, 1, out, rows);                                                                            \
    for (int64_t row = 0; row < rows; row++) {                                                                         \
      double a = args[0]->f[row];                                                                                      \
      out->f[row] = (expression);                                                                                      \
    }                                                                                                                  \
    keep_finite(out, rows);                                                                                            \
  }

UNARY(adl_expr_log, log(a))
UNARY(adl_expr_exp, exp(a))
UNARY(adl_expr_sqrt, sqrt(a))
UNARY(adl_expr_floor, floor(a))
UNARY(adl_expr_ceil, ceil(a))
UNARY(adl_expr_round, round(a))

void adl_expr_log1p(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 1, out, rows);
  adl_expr_log1p_values(args[0]->f, out->f, rows);
  keep_finite(out, rows);
}

void adl_expr_pow(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) out->f[row] = pow(args[0]->f[row], args[1]->f[row]);
  keep_finite(out, rows);
}

/* So many digits behind the point that x has no such digit: x itself. */
static double round_to(double x, int64_t digits) {
  if (digits > 308 || digits < -308) return digits > 0 ? x : 0.0;
  double scale = pow(10.0, (double)(digits < 0 ? -digits : digits));
  if (digits < 0) return round(x / scale) * scale;
  double scaled = x * scale;
  return isfinite(scaled) && fabs(scaled) < 4503599627370496.0 ? round(scaled) / scale : x;
}

void adl_expr_round_to(ADL_EXPR_KERNEL_ARGS) {
  (void)run, (void)payload, (void)count;
  adl_expr_valid_and(args, 2, out, rows);
  for (int64_t row = 0; row < rows; row++) out->f[row] = round_to(args[0]->f[row], args[1]->i[row]);
  keep_finite(out, rows);
}
