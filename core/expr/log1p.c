/* log(1 + x) of many numbers. Called by the kernel of that name (kernels_math.c). Every machine gives the same bits, as
 * each number goes through the same additions, multiplications and divisions, each rounded by itself; where there is AVX2,
 * four numbers go through them at a time. Never more than one unit in the last place from the true value.
 *
 * 1 + x is rounded to u, and what was lost is c, exactly (Knuth's two-sum). u is 2^k (1 + f) with 1 + f between the roots
 * of 1/2 and 2; then log(1 + x) = k log 2 + log(1 + f) + c / u, and with s = f / (2 + f), log(1 + f) = 2 atanh(s), of
 * which f - f^2 / 2 is taken exactly, and the rest by a polynomial in s^2 (interpolated at Chebyshev's nodes; its error is
 * below 1e-17). */
#include <float.h>
#include <math.h>

#include "core/expr/internal.h"

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#define SAME_BITS
#else
#define SAME_BITS __attribute__((optimize("O3", "fp-contract=off")))
#endif

static inline uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* NaN at -1 and below, an infinity for infinity. No branches. */
static inline __attribute__((always_inline)) double log1p_of(double x) {
  const uint64_t root_of_half = UINT64_C(0x3fe6a09e00000000), one = UINT64_C(0x3ff0000000000000);
  const double log2_high = 0x1.62e42feep-1, log2_low = 0x1.a39ef35793c76p-33; /* k log2_high is exact */
  double u = 1 + x, b = u - x;
  double c = (1 - b) + (x - (u - b));
  uint64_t moved = bits_of(u) + (one - root_of_half);
  double k = double_of(moved >> 52 | UINT64_C(0x4330000000000000)) - (0x1p52 + 1023); /* an integer to a double */
  double f = double_of((moved & UINT64_C(0x000fffffffffffff)) + root_of_half) - 1;
  double half = 0.5 * f * f, s = f / (2 + f), z = s * s, w = z * z;
  double odd = w * (0x1.99999999952abp-2 + w * (0x1.c71c62ddb431bp-3 + w * 0x1.39fe16ad885a7p-3));
  double even =
      z * (0x1.5555555555558p-1 + w * (0x1.2492492df7663p-2 + w * (0x1.7462b6e311a89p-3 + w * 0x1.2b5bd9a316a24p-3)));
  double small = s * (half + (odd + even)) + (k * log2_low + c / u);
  double sum = k * log2_high + (f - (half - small));
  /* Masks instead of choices, which would keep the loop from being made of vectors. */
  uint64_t beyond = 0 - (uint64_t)(x <= -1),
           usual = 0 - (uint64_t)((x != 0) & (x <= DBL_MAX)); /* else -0 or infinity */
  return double_of(((bits_of(sum) | beyond) & usual) | (bits_of(x) & ~usual));
}

SAME_BITS void adl_expr_log1p_plain(const double *restrict from, double *restrict to, int64_t rows) {
  for (int64_t row = 0; row < rows; row++) to[row] = log1p_of(from[row]);
}

#if defined(__x86_64__) && defined(__GNUC__)
/* Without FMA, which would round less often. */
SAME_BITS __attribute__((target("avx2"))) static void log1p_wide(const double *restrict from, double *restrict to,
                                                                 int64_t rows) {
  for (int64_t row = 0; row < rows; row++) to[row] = log1p_of(from[row]);
}

void adl_expr_log1p_values(const double *from, double *to, int64_t rows) {
  if (__builtin_cpu_supports("avx2"))
    log1p_wide(from, to, rows);
  else
    adl_expr_log1p_plain(from, to, rows);
}
#else
void adl_expr_log1p_values(const double *from, double *to, int64_t rows) { adl_expr_log1p_plain(from, to, rows); }
#endif
