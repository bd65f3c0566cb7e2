/* Short numbers, see short_numbers.h. A text lies in eight bytes, shifted so that its last character is the last byte and
 * zeros fill up the front; a sign is made a zero, and what stands before a point moves up to it. What is left are eight
 * digits, which three multiplications make a number. */
#include "common/short_numbers.h"

#include <string.h>

#ifdef ADL_SIMD_X86
#include <immintrin.h>

/* Four texts, each in 64 bits, every character less '0'. */
typedef struct four {
  __m256i digits, length;
  __m256i negative; /* all bits, or none */
  __m256i behind;   /* digits behind a point */
} four;

ADL_TARGET_AVX2 static inline __m256i load_four(const char *const *text) {
  int64_t word[4];
  for (int i = 0; i < 4; i++) memcpy(&word[i], text[i], sizeof word[i]);
  return _mm256_set_epi64x(word[3], word[2], word[1], word[0]);
}

/* Which bytes are no digits: not 0. */
ADL_TARGET_AVX2 static inline __m256i no_digits(__m256i bytes) { return _mm256_subs_epu8(bytes, _mm256_set1_epi8(9)); }

/* Values of the digits, as four int32. */
ADL_TARGET_AVX2 static inline __m128i values_of(__m256i digits) {
  __m256i twos = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 | 1 << 8));
  __m256i fours = _mm256_madd_epi16(twos, _mm256_set1_epi32(100 | 1 << 16));
  fours = _mm256_packus_epi32(fours, fours);
  __m256i eights = _mm256_madd_epi16(fours, _mm256_set1_epi32(10000 | 1 << 16));
  return _mm_unpacklo_epi64(_mm256_castsi256_si128(eights), _mm256_extracti128_si256(eights, 1));
}

/* Takes signs and points out of the digits. False: that does not leave digits alone in all four. */
ADL_TARGET_AVX2 static inline bool take_signs(four *in, __m256i shift, bool points) {
  const __m256i zero = _mm256_setzero_si256(), ones = _mm256_cmpeq_epi8(zero, zero);
  __m256i first = _mm256_sllv_epi64(_mm256_set1_epi64x(0xff), shift), digits = in->digits;
  __m256i minus = _mm256_sllv_epi64(_mm256_set1_epi64x('-' ^ '0'), shift), empty = _mm256_cmpeq_epi64(in->length, zero);
  __m256i negative = _mm256_cmpeq_epi64(_mm256_and_si256(digits, first), minus);
  in->negative = _mm256_andnot_si256(empty, negative);
  digits = _mm256_andnot_si256(_mm256_and_si256(first, negative), digits);
  __m256i left = _mm256_add_epi64(in->length, in->negative);
  if (points) {
    __m256i point = _mm256_cmpeq_epi8(digits, _mm256_set1_epi8('.' ^ '0'));
    __m256i lowest = _mm256_and_si256(point, _mm256_sub_epi64(zero, point)), none = _mm256_cmpeq_epi64(point, zero);
    __m256i below = _mm256_sub_epi64(lowest, _mm256_set1_epi64x(1)); /* all of it where there is no point */
    __m256i up_to = _mm256_or_si256(below, _mm256_sub_epi64(_mm256_slli_epi64(lowest, 8), lowest));
    __m256i before = _mm256_and_si256(digits, below), after = _mm256_andnot_si256(up_to, digits);
    __m256i joined = _mm256_or_si256(_mm256_slli_epi64(before, 8), after);
    digits = _mm256_blendv_epi8(joined, digits, none);
    in->behind = _mm256_sad_epu8(_mm256_andnot_si256(up_to, _mm256_set1_epi8(1)), zero);
    left = _mm256_add_epi64(left, _mm256_andnot_si256(none, ones));
  }
  in->digits = digits;
  __m256i bad = _mm256_or_si256(no_digits(digits), _mm256_andnot_si256(empty, _mm256_cmpeq_epi64(left, zero)));
  return _mm256_testz_si256(bad, bad);
}

/* False: one of the four needs a closer look. */
ADL_TARGET_AVX2 static inline __attribute__((always_inline)) bool read_four(const adl_short_texts *texts, uint32_t at,
                                                                            bool points, four *in, bool *plain) {
  const __m256i zero = _mm256_setzero_si256();
  __m128i sizes = _mm_loadu_si128((const __m128i *)(const void *)(texts->size + at));
  in->length = _mm256_cvtepu32_epi64(sizes);
  in->negative = in->behind = zero;
  __m256i shift = _mm256_sub_epi64(_mm256_set1_epi64x(64), _mm256_slli_epi64(in->length, 3));
  __m256i word = _mm256_xor_si256(load_four(texts->text + at), _mm256_set1_epi8('0'));
  in->digits = _mm256_sllv_epi64(word, shift); /* by 64 and more, which is nothing and too long: 0 */
  __m256i too_long = _mm256_cmpgt_epi64(in->length, _mm256_set1_epi64x(8)), odd = no_digits(in->digits);
  *plain = _mm256_testz_si256(odd, odd);
  if (!_mm256_testz_si256(too_long, too_long)) return false;
  return *plain || take_signs(in, shift, points);
}

ADL_TARGET_AVX2 static inline void note_nulls(const adl_short_texts *texts, uint32_t at, uint8_t *nulls,
                                              uint32_t *missing) {
  __m128i empty =
      _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(const void *)(texts->size + at)), _mm_setzero_si128());
  empty = _mm_packs_epi32(empty, empty);
  uint32_t four_nulls = (uint32_t)_mm_cvtsi128_si32(_mm_abs_epi8(_mm_packs_epi16(empty, empty)));
  memcpy(nulls + at, &four_nulls, sizeof four_nulls);
  *missing |= four_nulls;
}

ADL_TARGET_AVX2 static uint32_t doubles_avx2(const adl_short_texts *texts, uint32_t from, double *out, uint8_t *nulls,
                                             uint32_t *missing) {
  static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
  uint32_t at = from;
  four in;
  bool plain;
  for (; at + 4 <= texts->count && read_four(texts, at, true, &in, &plain); at += 4) {
    __m256d values = _mm256_cvtepi32_pd(values_of(in.digits));
    if (!plain) {
      __m256i sign = _mm256_slli_epi64(in.negative, 63);
      values = _mm256_div_pd(values, _mm256_i64gather_pd(tens, in.behind, 8));
      values = _mm256_or_pd(values, _mm256_castsi256_pd(sign));
    }
    _mm256_storeu_pd(out + at, values);
    note_nulls(texts, at, nulls, missing);
  }
  return at;
}

ADL_TARGET_AVX2 static uint32_t int64s_avx2(const adl_short_texts *texts, uint32_t from, int64_t *out, uint8_t *nulls,
                                            uint32_t *missing) {
  uint32_t at = from;
  four in;
  bool plain;
  for (; at + 4 <= texts->count && read_four(texts, at, false, &in, &plain); at += 4) {
    __m256i values = _mm256_cvtepi32_epi64(values_of(in.digits));
    values = _mm256_sub_epi64(_mm256_xor_si256(values, in.negative), in.negative);
    _mm256_storeu_si256((__m256i *)(void *)(out + at), values);
    note_nulls(texts, at, nulls, missing);
  }
  return at;
}
#endif

uint32_t adl_short_doubles(adl_simd level, const adl_short_texts *texts, uint32_t from, double *out, uint8_t *nulls,
                           uint32_t *missing) {
#ifdef ADL_SIMD_X86
  if (level >= ADL_SIMD_AVX2) return doubles_avx2(texts, from, out, nulls, missing);
#endif
  (void)level, (void)texts, (void)out, (void)nulls, (void)missing;
  return from;
}

uint32_t adl_short_int64s(adl_simd level, const adl_short_texts *texts, uint32_t from, int64_t *out, uint8_t *nulls,
                          uint32_t *missing) {
#ifdef ADL_SIMD_X86
  if (level >= ADL_SIMD_AVX2) return int64s_avx2(texts, from, out, nulls, missing);
#endif
  (void)level, (void)texts, (void)out, (void)nulls, (void)missing;
  return from;
}
