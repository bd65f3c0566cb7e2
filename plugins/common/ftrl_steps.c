/* See ftrl_steps.h. Sums run in four lanes, the k-th value of a row in lane k mod 4, in portable C too. */
#include "common/ftrl_steps.h"

#include <float.h>
#include <math.h>

#include "common/simd.h"

static inline uint32_t dimension_of(adl_matrix_row row, int64_t k) {
  return row.index != NULL ? row.index[k] : (uint32_t)k;
}

/* w of the closed form, from z and the root of n. */
static inline double weight_from(const adl_ftrl_rates *rates, double z, double root, double l1, double l2) {
  double excess = fabs(z) - l1;
  if (!(excess > 0)) return 0;
  return copysign(excess, -z) / ((rates->beta + root) * rates->inverse_alpha + l2);
}

static inline void update_one(const adl_ftrl_rates *rates, adl_ftrl_record *at, double gradient) {
  double n = at->n + gradient * gradient, root = sqrt(n);
  double z = at->z + gradient - (root - sqrt(at->n)) * rates->inverse_alpha * at->w;
  z = z < FLT_MAX ? z : FLT_MAX; /* huge inputs end in a large weight, not in infinity or NaN */
  z = z > -FLT_MAX ? z : -FLT_MAX;
  at->n = n;
  at->z = (float)z;
  at->w = (float)weight_from(rates, at->z, root, rates->l1, rates->l2);
}

void adl_ftrl_update_constant(const adl_ftrl_rates *rates, double constant[3], double gradient) {
  double n = constant[2] + gradient * gradient, root = sqrt(n);
  constant[1] += gradient - (root - sqrt(constant[2])) * rates->inverse_alpha * constant[0];
  constant[2] = n;
  constant[0] = weight_from(rates, constant[1], root, 0, 0);
}

/* ---- portable ---- */

static double margin_portable(const adl_ftrl_record *records, adl_matrix_row row) {
  double lanes[4] = {0};
  for (int64_t k = 0; k < row.count; k++)
    lanes[k & 3] += (double)records[dimension_of(row, k)].w * (double)row.value[k];
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

static void update_portable(const adl_ftrl_rates *rates, adl_ftrl_record *records, adl_matrix_row row, double slope) {
  for (int64_t k = 0; k < row.count; k++)
    if (row.value[k] != 0) update_one(rates, &records[dimension_of(row, k)], slope * (double)row.value[k]);
}

static const adl_ftrl_steps portable = {margin_portable, update_portable};

/* ---- AVX2 ---- */

#ifdef ADL_SIMD_X86
#include <immintrin.h>

/* Without FMA: a product that is not rounded would give other bits than the portable path. */
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256d products_of(const float w[4], const float value[4]) {
  return _mm256_mul_pd(_mm256_cvtps_pd(_mm_loadu_ps(w)), _mm256_cvtps_pd(_mm_loadu_ps(value)));
}

AVX2 static double margin_avx2(const adl_ftrl_record *records, adl_matrix_row row) {
  __m256d sums = _mm256_setzero_pd();
  int64_t k = 0;
  for (; k + 4 <= row.count; k += 4) {
    float w[4];
    for (int i = 0; i < 4; i++) w[i] = records[dimension_of(row, k + i)].w;
    sums = _mm256_add_pd(sums, products_of(w, row.value + k));
  }
  if (k < row.count) {
    float w[4] = {0}, value[4] = {0};
    for (int i = 0; k + i < row.count; i++) {
      w[i] = records[dimension_of(row, k + i)].w;
      value[i] = row.value[k + i];
    }
    sums = _mm256_add_pd(sums, products_of(w, value));
  }
  double lanes[4];
  _mm256_storeu_pd(lanes, sums);
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

/* update_one on four different records, line for line. */
AVX2 static inline void update_four(const adl_ftrl_rates *rates, adl_ftrl_record *const at[4], __m256d gradient) {
  const __m256d inverse_alpha = _mm256_set1_pd(rates->inverse_alpha), most = _mm256_set1_pd(FLT_MAX);
  const __m256d sign = _mm256_set1_pd(-0.0);
  __m128d r0 = _mm_load_pd((const double *)at[0]), r1 = _mm_load_pd((const double *)at[1]);
  __m128d r2 = _mm_load_pd((const double *)at[2]), r3 = _mm_load_pd((const double *)at[3]);
  __m128 wz01 = _mm_castpd_ps(_mm_unpacklo_pd(r0, r1)), wz23 = _mm_castpd_ps(_mm_unpacklo_pd(r2, r3));
  __m256d w = _mm256_cvtps_pd(_mm_shuffle_ps(wz01, wz23, 0x88)), z = _mm256_cvtps_pd(_mm_shuffle_ps(wz01, wz23, 0xdd));
  __m256d n = _mm256_set_m128d(_mm_unpackhi_pd(r2, r3), _mm_unpackhi_pd(r0, r1));
  __m256d grown = _mm256_add_pd(n, _mm256_mul_pd(gradient, gradient)), root = _mm256_sqrt_pd(grown);
  __m256d faster = _mm256_mul_pd(_mm256_sub_pd(root, _mm256_sqrt_pd(n)), inverse_alpha);
  z = _mm256_sub_pd(_mm256_add_pd(z, gradient), _mm256_mul_pd(faster, w));
  z = _mm256_max_pd(_mm256_min_pd(z, most), _mm256_xor_pd(most, sign));
  __m128 z32 = _mm256_cvtpd_ps(z);
  z = _mm256_cvtps_pd(z32);
  __m256d excess = _mm256_sub_pd(_mm256_andnot_pd(sign, z), _mm256_set1_pd(rates->l1));
  __m256d below = _mm256_add_pd(_mm256_mul_pd(_mm256_add_pd(_mm256_set1_pd(rates->beta), root), inverse_alpha),
                                _mm256_set1_pd(rates->l2));
  w = _mm256_or_pd(_mm256_div_pd(excess, below), _mm256_andnot_pd(z, sign));
  w = _mm256_and_pd(w, _mm256_cmp_pd(excess, _mm256_setzero_pd(), _CMP_GT_OQ));
  __m128 w32 = _mm256_cvtpd_ps(w);
  __m128d low = _mm_castps_pd(_mm_unpacklo_ps(w32, z32)), high = _mm_castps_pd(_mm_unpackhi_ps(w32, z32));
  __m128d n01 = _mm256_castpd256_pd128(grown), n23 = _mm256_extractf128_pd(grown, 1);
  _mm_store_pd((double *)at[0], _mm_unpacklo_pd(low, n01));
  _mm_store_pd((double *)at[1], _mm_unpackhi_pd(low, n01));
  _mm_store_pd((double *)at[2], _mm_unpacklo_pd(high, n23));
  _mm_store_pd((double *)at[3], _mm_unpackhi_pd(high, n23));
}

/* Those of four values from the k-th on that are there and not 0; records of no consequence stand in for the others. */
AVX2 static void update_some(const adl_ftrl_rates *rates, adl_ftrl_record *records, adl_matrix_row row, int64_t k,
                             __m256d slopes) {
  adl_ftrl_record stand_in[4] = {{0}}, *at[4];
  float value[4];
  for (int i = 0; i < 4; i++) {
    bool counts = k + i < row.count && row.value[k + i] != 0;
    value[i] = counts ? row.value[k + i] : 0;
    at[i] = counts ? &records[dimension_of(row, k + i)] : &stand_in[i];
  }
  update_four(rates, at, _mm256_mul_pd(slopes, _mm256_cvtps_pd(_mm_loadu_ps(value))));
}

/* The dimensions of a row are all different, so four may be updated at once. */
AVX2 static void update_avx2(const adl_ftrl_rates *rates, adl_ftrl_record *records, adl_matrix_row row, double slope) {
  const __m256d slopes = _mm256_set1_pd(slope);
  for (int64_t k = 0; k < row.count; k += 4) {
    __m128 value = k + 4 <= row.count ? _mm_loadu_ps(row.value + k) : _mm_setzero_ps();
    if (_mm_movemask_ps(_mm_cmpeq_ps(value, _mm_setzero_ps())) != 0) {
      update_some(rates, records, row, k, slopes);
      continue;
    }
    adl_ftrl_record *at[4];
    for (int i = 0; i < 4; i++) at[i] = &records[dimension_of(row, k + i)];
    update_four(rates, at, _mm256_mul_pd(slopes, _mm256_cvtps_pd(value)));
  }
}

static const adl_ftrl_steps avx2 = {margin_avx2, update_avx2};
#endif

const adl_ftrl_steps *adl_ftrl_steps_for_machine(void) {
#ifdef ADL_SIMD_X86
  if (adl_simd_level() >= ADL_SIMD_AVX2) return &avx2;
#endif
  return &portable;
}
