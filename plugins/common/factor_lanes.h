/* Arithmetic of the factorisation machines, four weights at a time. A quad is 8 floats in memory: 4 weights, and behind
 * them their 4 sums of squared gradients. Kernels work on two quads at once, in vectors of 8 that GCC and clang make of
 * whatever the machine has; they are written once, compiled for the plain machine and for AVX2, and give the same bits
 * in both (the AVX2 version must not use fused multiply-add, which rounds differently). Used by fm and ffm. */
#ifndef ADLOOM_PLUGINS_COMMON_FACTOR_LANES_H
#define ADLOOM_PLUGINS_COMMON_FACTOR_LANES_H

#include <adloom/plugin.h>

#include <math.h>
#include <string.h>

#include "common/factor_blocks.h"
#include "common/simd.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wpsabi" /* vectors are passed between inlined functions only */
#endif

#ifdef ADL_SIMD_X86
#define ADL_FACTOR_TARGET_AVX2 __attribute__((target("avx2")))
#endif
#define ADL_FACTOR_INLINE static inline __attribute__((always_inline))

enum { ADL_QUAD = 4, ADL_QUAD_FLOATS = 8 };

typedef float adl_float4 __attribute__((vector_size(16)));
typedef float adl_float8 __attribute__((vector_size(32)));
typedef int32_t adl_int8 __attribute__((vector_size(32)));

/* A gradient that is not below this (or NaN, of infinities) is passed over, so that weights stay finite. */
#define ADL_GRADIENT_LIMIT 1e15f

ADL_FACTOR_INLINE adl_float4 adl_load4(const float *from) {
  adl_float4 value;
  memcpy(&value, from, sizeof value);
  return value;
}

ADL_FACTOR_INLINE adl_float8 adl_load8(const float *from) {
  adl_float8 value;
  memcpy(&value, from, sizeof value);
  return value;
}

ADL_FACTOR_INLINE adl_float8 adl_each4(float a, float b) { return (adl_float8){a, a, a, a, b, b, b, b}; }

/* Sum of the halves, lane by lane. */
ADL_FACTOR_INLINE adl_float4 adl_halves(const adl_float8 *x) {
  return __builtin_shufflevector(*x, *x, 0, 1, 2, 3) + __builtin_shufflevector(*x, *x, 4, 5, 6, 7);
}

ADL_FACTOR_INLINE float adl_across4(adl_float4 x) { return (x[0] + x[1]) + (x[2] + x[3]); }

/* Weights and sums of the quads a and b. */
ADL_FACTOR_INLINE void adl_quads_load(const float *a, const float *b, adl_float8 *weights, adl_float8 *sums) {
  adl_float8 x = adl_load8(a), y = adl_load8(b);
  *weights = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
  *sums = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
}

ADL_FACTOR_INLINE void adl_quads_store(float *a, float *b, const adl_float8 *weights, const adl_float8 *sums) {
  adl_float8 x = __builtin_shufflevector(*weights, *sums, 0, 1, 2, 3, 8, 9, 10, 11);
  adl_float8 y = __builtin_shufflevector(*weights, *sums, 4, 5, 6, 7, 12, 13, 14, 15);
  memcpy(a, &x, sizeof x);
  memcpy(b, &y, sizeof y);
}

/* 1 / root of positive numbers, to 5e-6: the exponent is halved as an integer, and two Newton steps follow (Lomont, Fast
 * Inverse Square Root, 2003). A third of the time of root and division, and the same bits on every machine, which the
 * processors' own estimates do not give. */
ADL_FACTOR_INLINE adl_float8 adl_inverse_root8(const adl_float8 *x) {
  adl_float8 half = *x * 0.5f, y;
  adl_int8 bits;
  memcpy(&bits, x, sizeof bits);
  bits = 0x5f375a86 - (bits >> 1);
  memcpy(&y, &bits, sizeof y);
  y = y * (1.5f - half * y * y);
  return y * (1.5f - half * y * y);
}

ADL_FACTOR_INLINE float adl_inverse_root(float x) {
  float half = x * 0.5f, y;
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = 0x5f375a86 - (bits >> 1);
  memcpy(&y, &bits, sizeof y);
  y = y * (1.5f - half * y * y);
  return y * (1.5f - half * y * y);
}

/* AdaGrad (Duchi, Hazan & Singer, JMLR 2011): each coordinate's step is rate x gradient / root of its summed squares. */
ADL_FACTOR_INLINE void adl_adagrad8(adl_float8 *weights, adl_float8 *sums, const adl_float8 *gradient, float rate) {
  adl_int8 bits, size;
  adl_float8 magnitude, step;
  memcpy(&bits, gradient, sizeof bits);
  size = bits & 0x7fffffff;
  memcpy(&magnitude, &size, sizeof magnitude);
  bits &= magnitude < ADL_GRADIENT_LIMIT;
  memcpy(&step, &bits, sizeof step);
  *sums += step * step;
  *weights -= rate * step * adl_inverse_root8(sums);
}

/* A linear weight: weight, sum of squared gradients, which counts from 1 as the factors' do. */
ADL_FACTOR_INLINE void adl_adagrad_linear(float *at, float gradient, float rate) {
  if (!(fabsf(gradient) < ADL_GRADIENT_LIMIT)) return;
  at[1] += gradient * gradient;
  at[0] -= rate * gradient * adl_inverse_root(1.0f + at[1]);
}

/* A quad that no row has touched is all zeros, so that it counts nothing in a prediction and its memory is not claimed.
 * Before its first update its weights are drawn from (-scale, scale), by its place, and its sums start from 1. */
ADL_FACTOR_INLINE bool adl_quad_is_new(const float *quad) { return quad[ADL_QUAD] == 0; }

/* `lanes` of the four are in use, the others stay 0. */
static inline void adl_quad_draw(float *quad, int64_t lanes, uint64_t key, uint64_t place, float scale) {
  for (int64_t lane = 0; lane < ADL_QUAD; lane++) {
    double unit = adl_random_unit(key, place * ADL_QUAD + (uint64_t)lane);
    quad[lane] = lane < lanes ? scale * (float)(2.0 * unit - 1.0) : 0;
    quad[ADL_QUAD + lane] = 1.0f;
  }
}

/* Defines the steps `margins` and `update` of a class from the inline functions margins_body and update_body: compiled for
 * the plain machine and for AVX2, and chosen by model->simd. */
#ifdef ADL_SIMD_X86
#define ADL_FACTOR_STEP(name, type)                                                                                    \
  ADL_FACTOR_TARGET_AVX2 static void name##_avx2(const adl_factor_model *model, int32_t number,                        \
                                                 const adl_factor_row *rows, int64_t count, type values) {             \
    name##_body(model, number, rows, count, values);                                                                   \
  }                                                                                                                    \
  static void name(const adl_factor_model *model, int32_t number, const adl_factor_row *rows, int64_t count,           \
                   type values) {                                                                                      \
    if (model->simd >= ADL_SIMD_AVX2)                                                                                  \
      name##_avx2(model, number, rows, count, values);                                                                 \
    else                                                                                                               \
      name##_body(model, number, rows, count, values);                                                                 \
  }
#else
#define ADL_FACTOR_STEP(name, type)                                                                                    \
  static void name(const adl_factor_model *model, int32_t number, const adl_factor_row *rows, int64_t count,           \
                   type values) {                                                                                      \
    name##_body(model, number, rows, count, values);                                                                   \
  }
#endif
#define ADL_FACTOR_STEPS                                                                                               \
  ADL_FACTOR_STEP(margins, float *)                                                                                    \
  ADL_FACTOR_STEP(update, const float *)

#endif
