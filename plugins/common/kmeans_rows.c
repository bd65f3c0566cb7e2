#include "common/kmeans_rows.h"

#include <string.h>

#include "common/linalg.h"

#ifdef ADL_SIMD_X86
#include <immintrin.h>

/* Four float32 as float64. Products and sums below are rounded one by one, as in portable C. */
#define FOUR(at) _mm256_cvtps_pd(_mm_loadu_ps(at))

ADL_TARGET_AVX2 static inline float sum_of(__m256 lanes) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

ADL_TARGET_AVX2 static void centre_avx2(const float *x, const float *center, float *to, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(to + i, _mm256_sub_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(center + i)));
  for (; i < n; i++) to[i] = x[i] - center[i];
}

ADL_TARGET_AVX2 static float norm2_avx2(const float *x, int64_t n) {
  __m256 lanes = _mm256_setzero_ps();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 value = _mm256_loadu_ps(x + i);
    lanes = _mm256_fmadd_ps(value, value, lanes);
  }
  float sum = sum_of(lanes);
  for (; i < n; i++) sum += x[i] * x[i];
  return sum;
}

ADL_TARGET_AVX2 static void measure_avx2(const float *x, const float *center, const float *at, int64_t n, float *norm2,
                                         float *distance2) {
  __m256 norm = _mm256_setzero_ps(), distance = norm;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 value = _mm256_sub_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(center + i));
    __m256 difference = _mm256_sub_ps(value, _mm256_loadu_ps(at + i));
    norm = _mm256_fmadd_ps(value, value, norm);
    distance = _mm256_fmadd_ps(difference, difference, distance);
  }
  *norm2 = sum_of(norm);
  *distance2 = sum_of(distance);
  for (; i < n; i++) {
    float value = x[i] - center[i], difference = value - at[i];
    *norm2 += value * value;
    *distance2 += difference * difference;
  }
}

ADL_TARGET_AVX2 static double distance2_avx2(const float *a, const float *b, int64_t n) {
  __m256d lanes = _mm256_setzero_pd();
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    __m256d difference = _mm256_sub_pd(FOUR(a + i), FOUR(b + i));
    lanes = _mm256_add_pd(lanes, _mm256_mul_pd(difference, difference));
  }
  double sum[4];
  _mm256_storeu_pd(sum, lanes);
  for (; i < n; i++) {
    volatile double square = ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]); /* not contracted */
    sum[0] += square;
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

ADL_TARGET_AVX2 static void add_avx2(double *sum, const float *x, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) _mm256_storeu_pd(sum + i, _mm256_add_pd(_mm256_loadu_pd(sum + i), FOUR(x + i)));
  for (; i < n; i++) sum[i] += (double)x[i];
}

ADL_TARGET_AVX2 static void subtract_avx2(double *sum, const float *x, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) _mm256_storeu_pd(sum + i, _mm256_sub_pd(_mm256_loadu_pd(sum + i), FOUR(x + i)));
  for (; i < n; i++) sum[i] -= (double)x[i];
}

/* The square of a float32 is exact in float64. */
ADL_TARGET_AVX2 static void add_squares_avx2(double *square, const float *x, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    __m256d value = FOUR(x + i);
    _mm256_storeu_pd(square + i, _mm256_add_pd(_mm256_loadu_pd(square + i), _mm256_mul_pd(value, value)));
  }
  for (; i < n; i++) square[i] += (double)x[i] * (double)x[i];
}

/* The product of two float32 is exact in float64: a fused sum is the same. */
#define SUM_OF_FOUR(sum, at) _mm256_fmadd_pd(value, FOUR(at), sum)

/* Sixteen sums at a time are kept in registers, then four, then one. */
ADL_TARGET_AVX2 static void dots_avx2(const uint32_t *index, const float *x, int64_t n, const float *lines, int64_t k,
                                      double *dots) {
  int64_t j = 0;
  for (; j + 16 <= k; j += 16) {
    __m256d a = _mm256_setzero_pd(), b = a, c = a, d = a;
    for (int64_t i = 0; i < n; i++) {
      const float *line = lines + index[i] * k + j;
      __m256d value = _mm256_set1_pd((double)x[i]);
      a = SUM_OF_FOUR(a, line);
      b = SUM_OF_FOUR(b, line + 4);
      c = SUM_OF_FOUR(c, line + 8);
      d = SUM_OF_FOUR(d, line + 12);
    }
    _mm256_storeu_pd(dots + j, a);
    _mm256_storeu_pd(dots + j + 4, b);
    _mm256_storeu_pd(dots + j + 8, c);
    _mm256_storeu_pd(dots + j + 12, d);
  }
  for (; j + 4 <= k; j += 4) {
    __m256d sum = _mm256_setzero_pd();
    for (int64_t i = 0; i < n; i++) {
      __m256d value = _mm256_set1_pd((double)x[i]);
      sum = SUM_OF_FOUR(sum, lines + index[i] * k + j);
    }
    _mm256_storeu_pd(dots + j, sum);
  }
  for (; j < k; j++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i] * (double)lines[index[i] * k + j];
    dots[j] = sum;
  }
}

/* Calls the AVX2 function and returns, where there is AVX2. */
#define WITH_AVX2(call)                                                                                                \
  if (level >= ADL_SIMD_AVX2) return call
#else
#define WITH_AVX2(call) (void)level
#endif

void adl_kmeans_centre(adl_simd level, const float *x, const float *center, float *to, int64_t n) {
  WITH_AVX2(centre_avx2(x, center, to, n));
  for (int64_t i = 0; i < n; i++) to[i] = x[i] - center[i];
}

float adl_kmeans_norm2(adl_simd level, const float *x, int64_t n) {
  WITH_AVX2(norm2_avx2(x, n));
  float sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
  return sum;
}

void adl_kmeans_measure(adl_simd level, const float *x, const float *center, const float *at, int64_t n, float *norm2,
                        float *distance2) {
  WITH_AVX2(measure_avx2(x, center, at, n, norm2, distance2));
  *norm2 = *distance2 = 0;
  for (int64_t i = 0; i < n; i++) {
    float value = x[i] - center[i], difference = value - at[i];
    *norm2 += value * value;
    *distance2 += difference * difference;
  }
}

double adl_kmeans_distance2(adl_simd level, const float *a, const float *b, int64_t n) {
  WITH_AVX2(distance2_avx2(a, b, n));
  return adl_linalg_distance2(a, b, n);
}

void adl_kmeans_add(adl_simd level, double *sum, const float *x, int64_t n) {
  WITH_AVX2(add_avx2(sum, x, n));
  for (int64_t i = 0; i < n; i++) sum[i] += (double)x[i];
}

void adl_kmeans_subtract(adl_simd level, double *sum, const float *x, int64_t n) {
  WITH_AVX2(subtract_avx2(sum, x, n));
  for (int64_t i = 0; i < n; i++) sum[i] -= (double)x[i];
}

void adl_kmeans_add_squares(adl_simd level, double *square, const float *x, int64_t n) {
  WITH_AVX2(add_squares_avx2(square, x, n));
  for (int64_t i = 0; i < n; i++) square[i] += (double)x[i] * (double)x[i];
}

void adl_kmeans_dots(adl_simd level, const uint32_t *index, const float *x, int64_t n, const float *lines, int64_t k,
                     double *dots) {
  WITH_AVX2(dots_avx2(index, x, n, lines, k, dots));
  memset(dots, 0, (size_t)k * sizeof *dots);
  for (int64_t i = 0; i < n; i++) {
    const float *line = lines + index[i] * k;
    double value = (double)x[i];
    for (int64_t j = 0; j < k; j++) dots[j] += value * (double)line[j];
  }
}
