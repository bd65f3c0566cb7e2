/* See deal.h. */
#include "common/deal.h"

#include <string.h>

/* One column behind what the rows have. */
static void deal_one(const adl_deal_column *column, uint32_t mask, adl_dealt *to) {
  for (int64_t row = 0; row < ADL_DEAL_ROWS; row++) {
    int64_t at = row * to->stride + to->filled[row];
    float value = column->value[row];
    to->dimension[at] = column->dimension[row] & mask;
    to->value[at] = value;
    to->filled[row] += value != 0;
  }
}

#ifdef ADL_SIMD_X86
#include <immintrin.h>

enum { SIDE = 8 };

/* For each set of lanes, a bit a lane, where they are: the lanes that are set, in order, one a byte. */
#define LANE(mask, lane)                                                                                               \
  ((mask) >> (lane)&1 ? (uint64_t)(lane) << 8 * __builtin_popcount((mask) & ((1U << (lane)) - 1)) : 0)
#define LANES(mask)                                                                                                    \
  (LANE(mask, 1) | LANE(mask, 2) | LANE(mask, 3) | LANE(mask, 4) | LANE(mask, 5) | LANE(mask, 6) | LANE(mask, 7))
#define LANES_4(mask) LANES(mask), LANES((mask) + 1), LANES((mask) + 2), LANES((mask) + 3)
#define LANES_16(mask) LANES_4(mask), LANES_4((mask) + 4), LANES_4((mask) + 8), LANES_4((mask) + 12)
#define LANES_64(mask) LANES_16(mask), LANES_16((mask) + 16), LANES_16((mask) + 32), LANES_16((mask) + 48)
static const uint64_t lanes_of_mask[1 << SIDE] = {LANES_64(0U), LANES_64(64U), LANES_64(128U), LANES_64(192U)};

ADL_TARGET_AVX2 static inline void transpose(__m256 at[SIDE]) {
  __m256 pair[SIDE], four[SIDE];
#pragma GCC unroll 4
  for (int i = 0; i < SIDE; i += 2) {
    pair[i] = _mm256_unpacklo_ps(at[i], at[i + 1]);
    pair[i + 1] = _mm256_unpackhi_ps(at[i], at[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < SIDE; i += 4) {
    four[i] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0x44);
    four[i + 1] = _mm256_shuffle_ps(pair[i], pair[i + 2], 0xee);
    four[i + 2] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0x44);
    four[i + 3] = _mm256_shuffle_ps(pair[i + 1], pair[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < SIDE / 2; i++) {
    at[i] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x20);
    at[i + 4] = _mm256_permute2f128_ps(four[i], four[i + 4], 0x31);
  }
}

/* Eight columns of eight rows. Up to eight pairs are written behind each row's last. */
ADL_TARGET_AVX2 static void deal_square(const adl_deal_column columns[SIDE], int64_t first, __m256 mask,
                                        adl_dealt *to) {
  __m256 dimension[SIDE], value[SIDE];
#pragma GCC unroll 8
  for (int i = 0; i < SIDE; i++) {
    dimension[i] = _mm256_and_ps(_mm256_loadu_ps((const float *)(const void *)(columns[i].dimension + first)), mask);
    value[i] = _mm256_loadu_ps(columns[i].value + first);
  }
  transpose(dimension);
  transpose(value);
#pragma GCC unroll 8
  for (int i = 0; i < SIDE; i++) {
    int there = _mm256_movemask_ps(_mm256_cmp_ps(value[i], _mm256_setzero_ps(), _CMP_NEQ_UQ));
    __m256i from = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)lanes_of_mask[there]));
    int64_t at = (first + i) * to->stride + to->filled[first + i];
    _mm256_storeu_ps((float *)(void *)(to->dimension + at), _mm256_permutevar8x32_ps(dimension[i], from));
    _mm256_storeu_ps(to->value + at, _mm256_permutevar8x32_ps(value[i], from));
    to->filled[first + i] += __builtin_popcount((unsigned)there);
  }
}

ADL_TARGET_AVX2 static void deal_avx2(const adl_deal_column *columns, int64_t count, uint32_t mask, adl_dealt *to) {
  static const uint32_t no_dimension[ADL_DEAL_ROWS];
  static const float no_value[ADL_DEAL_ROWS];
  __m256 masks = _mm256_castsi256_ps(_mm256_set1_epi32((int)mask));
  for (int64_t column = 0; column < count; column += SIDE) {
    adl_deal_column eight[SIDE];
    for (int i = 0; i < SIDE; i++)
      eight[i] = column + i < count ? columns[column + i] : (adl_deal_column){no_dimension, no_value};
    for (int64_t first = 0; first < ADL_DEAL_ROWS; first += SIDE) deal_square(eight, first, masks, to);
  }
}
#endif

void adl_deal(const adl_deal_column *columns, int64_t count, uint32_t mask, adl_dealt *to) {
  memset(to->filled, 0, sizeof to->filled);
#ifdef ADL_SIMD_X86
  if (to->level >= ADL_SIMD_AVX2) {
    deal_avx2(columns, count, mask, to);
    return;
  }
#endif
  for (int64_t column = 0; column < count; column++) deal_one(&columns[column], mask, to);
}
