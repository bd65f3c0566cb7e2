#include "common/kmeans_kernel.h"

#include <math.h>
#include <string.h>

#include "common/linalg.h"
#include "common/simd.h"

#ifdef ADL_SIMD_X86
#include <immintrin.h>
#endif

/* Best and second score of a row in each lane of the vectors seen so far. */
#define DEFINE_LANES(name, count)                                                                                      \
  typedef struct name {                                                                                                \
    _Alignas(64) float best[count];                                                                                    \
    float second[count];                                                                                               \
    int32_t at[count];                                                                                                 \
  } name

/* ------------------------------------------------------------------------------------------------ portable ---- */

enum { PORTABLE_LANES = 8 };

typedef struct portable_vector {
  float lane[PORTABLE_LANES];
} portable_vector;
typedef struct portable_numbers {
  int32_t lane[PORTABLE_LANES];
} portable_numbers;

static inline portable_vector portable_load(const float *from) {
  portable_vector to;
  memcpy(&to, from, sizeof to);
  return to;
}

static inline portable_numbers portable_iload(const int32_t *from) {
  portable_numbers to;
  memcpy(&to, from, sizeof to);
  return to;
}

#define PORTABLE_EACH(type, expression)                                                                                \
  type to;                                                                                                             \
  for (int l = 0; l < PORTABLE_LANES; l++) to.lane[l] = (expression);                                                  \
  return to

static inline portable_vector portable_fnmadd(float value, portable_vector a, portable_vector b) {
  PORTABLE_EACH(portable_vector, b.lane[l] - value * a.lane[l]);
}

static inline portable_vector portable_min(portable_vector a, portable_vector b) {
  PORTABLE_EACH(portable_vector, a.lane[l] < b.lane[l] ? a.lane[l] : b.lane[l]);
}

static inline portable_vector portable_max(portable_vector a, portable_vector b) {
  PORTABLE_EACH(portable_vector, a.lane[l] > b.lane[l] ? a.lane[l] : b.lane[l]);
}

static inline portable_numbers portable_less(portable_vector a, portable_vector b) {
  PORTABLE_EACH(portable_numbers, a.lane[l] < b.lane[l]);
}

static inline portable_numbers portable_pick(portable_numbers a, int32_t first, portable_numbers which) {
  PORTABLE_EACH(portable_numbers, which.lane[l] ? first + l : a.lane[l]);
}

#define TARGET
#define LANES 8
#define NAME(x) portable_##x
#define VEC portable_vector
#define IVEC portable_numbers
#define MASK portable_numbers
#define LOAD portable_load
#define STORE(to, vector) memcpy(to, &(vector), sizeof(vector))
#define ILOAD portable_iload
#define ISTORE(to, vector) memcpy(to, &(vector), sizeof(vector))
#define SPREAD(value) portable_spread(value)
#define FNMADD(value, a, b) portable_fnmadd((value).lane[0], a, b)
#define MIN portable_min
#define MAX portable_max
#define LESS portable_less
#define NUMBERS(first) (first)
#define PICK portable_pick
static inline portable_vector portable_spread(float value) { return (portable_vector){{value}}; }
DEFINE_LANES(portable_lanes, LANES);

/* The lowest score of all lanes is the best one; the second is the lowest when it gives way to its lane's second. */
static adl_kmeans_winner portable_winner(const portable_lanes *state) {
  int won = 0;
  for (int l = 1; l < LANES; l++)
    if (state->best[l] < state->best[won] || (state->best[l] == state->best[won] && state->at[l] < state->at[won]))
      won = l;
  float second = state->second[won];
  for (int l = 0; l < LANES; l++)
    if (l != won && state->best[l] < second) second = state->best[l];
  return (adl_kmeans_winner){state->best[won], second, state->at[won]};
}

#include "common/kmeans_kernel_body.h"
#undef TARGET
#undef LANES
#undef NAME
#undef VEC
#undef IVEC
#undef MASK
#undef LOAD
#undef STORE
#undef ILOAD
#undef ISTORE
#undef SPREAD
#undef FNMADD
#undef MIN
#undef MAX
#undef LESS
#undef NUMBERS
#undef PICK

#ifdef ADL_SIMD_X86

/* ---------------------------------------------------------------------------------------------------- AVX2 ---- */

#define TARGET ADL_TARGET_AVX2
#define LANES 8
#define NAME(x) avx2_##x
#define VEC __m256
#define IVEC __m256i
#define MASK __m256
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define ILOAD(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define ISTORE(to, vector) _mm256_storeu_si256((__m256i *)(void *)(to), vector)
#define SPREAD(value) _mm256_set1_ps(value)
#define FNMADD _mm256_fnmadd_ps
#define MIN _mm256_min_ps
#define MAX _mm256_max_ps
#define LESS(a, b) _mm256_cmp_ps(a, b, _CMP_LT_OQ)
#define NUMBERS(first) _mm256_add_epi32(_mm256_set1_epi32(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define PICK(a, b, which) _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), which))
DEFINE_LANES(avx2_lanes, LANES);

/* The lowest lane, in all lanes. */
TARGET static inline __m256 avx2_lowest(__m256 a) {
  a = _mm256_min_ps(a, _mm256_permute2f128_ps(a, a, 1));
  a = _mm256_min_ps(a, _mm256_permute_ps(a, 0x4e));
  return _mm256_min_ps(a, _mm256_permute_ps(a, 0xb1));
}

TARGET static inline __m256i avx2_first(__m256i a) {
  a = _mm256_min_epi32(a, _mm256_permute2x128_si256(a, a, 1));
  a = _mm256_min_epi32(a, _mm256_shuffle_epi32(a, 0x4e));
  return _mm256_min_epi32(a, _mm256_shuffle_epi32(a, 0xb1));
}

TARGET static inline adl_kmeans_winner avx2_winner(const avx2_lanes *state) {
  __m256 scores = LOAD(state->best), best = avx2_lowest(scores);
  __m256i equal = _mm256_castps_si256(_mm256_cmp_ps(scores, best, _CMP_EQ_OQ));
  __m256i at = _mm256_blendv_epi8(_mm256_set1_epi32(INT32_MAX), ILOAD(state->at), equal), first = avx2_first(at);
  __m256 others = _mm256_blendv_ps(scores, LOAD(state->second), _mm256_castsi256_ps(_mm256_cmpeq_epi32(at, first)));
  return (adl_kmeans_winner){_mm256_cvtss_f32(best), _mm256_cvtss_f32(avx2_lowest(others)),
                             _mm_cvtsi128_si32(_mm256_castsi256_si128(first))};
}

#include "common/kmeans_kernel_body.h"
#undef TARGET
#undef LANES
#undef NAME
#undef VEC
#undef IVEC
#undef MASK
#undef LOAD
#undef STORE
#undef ILOAD
#undef ISTORE
#undef SPREAD
#undef FNMADD
#undef MIN
#undef MAX
#undef LESS
#undef NUMBERS
#undef PICK

/* ------------------------------------------------------------------------------------------------- AVX-512 ---- */

#define TARGET ADL_TARGET_AVX512
#define LANES 16
#define NAME(x) avx512_##x
#define VEC __m512
#define IVEC __m512i
#define MASK __mmask16
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define ILOAD _mm512_loadu_si512
#define ISTORE _mm512_storeu_si512
#define SPREAD(value) _mm512_set1_ps(value)
#define FNMADD _mm512_fnmadd_ps
#define MIN _mm512_min_ps
#define MAX _mm512_max_ps
#define LESS(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define NUMBERS(first)                                                                                                 \
  _mm512_add_epi32(_mm512_set1_epi32(first), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#define PICK(a, b, which) _mm512_mask_mov_epi32(a, which, b)
DEFINE_LANES(avx512_lanes, LANES);

TARGET static inline adl_kmeans_winner avx512_winner(const avx512_lanes *state) {
  __m512 scores = LOAD(state->best);
  float best = _mm512_reduce_min_ps(scores);
  __mmask16 equal = _mm512_cmp_ps_mask(scores, _mm512_set1_ps(best), _CMP_EQ_OQ);
  __m512i at = _mm512_mask_mov_epi32(_mm512_set1_epi32(INT32_MAX), equal, ILOAD(state->at));
  int32_t first = _mm512_reduce_min_epi32(at);
  __mmask16 won = _mm512_cmpeq_epi32_mask(at, _mm512_set1_epi32(first));
  return (adl_kmeans_winner){best, _mm512_reduce_min_ps(_mm512_mask_mov_ps(scores, won, LOAD(state->second))), first};
}

#include "common/kmeans_kernel_body.h"

#endif

/* --------------------------------------------------------------------------------------------------- layout ---- */

size_t adl_kmeans_panels_norms(int64_t clusters) {
  return ((size_t)clusters + ADL_KMEANS_MOST_LANES - 1) / ADL_KMEANS_MOST_LANES * ADL_KMEANS_MOST_LANES;
}

size_t adl_kmeans_panels_values(int64_t clusters, int64_t width) {
  return adl_kmeans_panels_norms(clusters) * (size_t)width;
}

void adl_kmeans_panels_fill(adl_kmeans_panels *panels, const float *centers) {
  panels->level = adl_simd_level();
  panels->lanes = panels->level == ADL_SIMD_AVX512 ? 16 : PORTABLE_LANES;
  int64_t lanes = panels->lanes, k = panels->clusters, d = panels->width, vectors = (k + lanes - 1) / lanes;
  panels->count = (vectors + ADL_KMEANS_PANEL - 1) / ADL_KMEANS_PANEL;
  for (int64_t p = 0; p < panels->count; p++) {
    int64_t from = p * ADL_KMEANS_PANEL * lanes, left = vectors - p * ADL_KMEANS_PANEL;
    int64_t each = (left < ADL_KMEANS_PANEL ? left : ADL_KMEANS_PANEL) * lanes;
    float *to = panels->values + from * d;
    for (int64_t j = from; j < from + each; j++) {
      for (int64_t i = 0; i < d; i++) to[i * each + j - from] = j < k ? centers[j * d + i] : 0;
      panels->half_norm[j] = j < k ? (float)(adl_linalg_norm2(centers + j * d, d) / 2) : INFINITY;
    }
  }
}

void adl_kmeans_nearest(const adl_kmeans_panels *panels, const float *x, int64_t rows, int64_t from, int64_t end,
                        adl_kmeans_winner *winners, int64_t stride) {
#ifdef ADL_SIMD_X86
  if (panels->level == ADL_SIMD_AVX512) {
    avx512_nearest(panels, x, rows, from, end, winners, stride);
    return;
  }
  if (panels->level == ADL_SIMD_AVX2) {
    avx2_nearest(panels, x, rows, from, end, winners, stride);
    return;
  }
#endif
  portable_nearest(panels, x, rows, from, end, winners, stride);
}
