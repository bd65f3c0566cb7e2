/* The scanner of csv_scan.h for AVX2, SSE2 and any machine, chosen when the program runs. All three give equal results. */
#include "common/csv_scan_quoted.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#include <immintrin.h>
#endif

#define SCAN_PASTE(a, b) a##b
#define SCAN_GLUE(a, b) SCAN_PASTE(a, b)

/* ------------------------------------------------------------------------------------------------- portable ---- */

static inline adl_csv_masks masks_portable(const char *bytes, const adl_csv_dialect *dialect, bool fields, bool *high,
                                           bool *zero) {
  adl_csv_masks masks = {0, 0, 0};
  unsigned char all = 0, least = 255;
  for (uint32_t i = 0; i < 64; i++) {
    unsigned char c = (unsigned char)bytes[i];
    masks.delimiter |= (uint64_t)(bytes[i] == dialect->delimiter) << i;
    masks.line |= (uint64_t)(bytes[i] == '\n') << i;
    masks.quote |= (uint64_t)(bytes[i] == dialect->quote) << i;
    all |= c;
    least = c < least ? c : least;
  }
  masks.quote = dialect->quote != 0 ? masks.quote : 0;
  *high |= fields && all >= 128;
  *zero |= fields && least == 0;
  return masks;
}

#define SCAN_NAME scan_portable
#define SCAN_TARGET
#define SCAN_MASKS masks_portable
#define SCAN_LOWEST(bits) ((uint32_t)__builtin_ctzll((bits) | UINT64_C(1) << 63))
#include "common/csv_scan_body.h"
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
#undef SCAN_LOWEST

#ifdef HAVE_X86
/* ----------------------------------------------------------------------------------------------------- SSE2 ---- */

static inline uint64_t equal_sse2(const __m128i *bytes, char c) {
  __m128i wanted = _mm_set1_epi8(c);
  uint64_t mask = 0;
  for (int i = 3; i >= 0; i--) mask = mask << 16 | (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[i], wanted));
  return mask;
}

static inline adl_csv_masks masks_sse2(const char *bytes, const adl_csv_dialect *dialect, bool fields, bool *high,
                                       bool *zero) {
  __m128i part[4];
  for (int i = 0; i < 4; i++) part[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
  adl_csv_masks masks = {0, equal_sse2(part, '\n'), 0};
  if (dialect->quote != 0) masks.quote = equal_sse2(part, dialect->quote);
  if (fields || masks.quote != 0) masks.delimiter = equal_sse2(part, dialect->delimiter);
  if (!fields) return masks;
  __m128i all = _mm_or_si128(_mm_or_si128(part[0], part[1]), _mm_or_si128(part[2], part[3]));
  __m128i least = _mm_min_epu8(_mm_min_epu8(part[0], part[1]), _mm_min_epu8(part[2], part[3]));
  *high |= _mm_movemask_epi8(all) != 0;
  *zero |= _mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128())) != 0;
  return masks;
}

#define SCAN_NAME scan_sse2
#define SCAN_TARGET
#define SCAN_MASKS masks_sse2
#define SCAN_LOWEST(bits) ((uint32_t)__builtin_ctzll((bits) | UINT64_C(1) << 63))
#include "common/csv_scan_body.h"
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
#undef SCAN_LOWEST

/* ----------------------------------------------------------------------------------------------------- AVX2 ---- */

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

AVX2 static inline uint64_t equal_avx2(__m256i low, __m256i high, char c) {
  __m256i wanted = _mm256_set1_epi8(c);
  return (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) << 32 |
         (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
}

AVX2 static inline adl_csv_masks masks_avx2(const char *bytes, const adl_csv_dialect *dialect, bool fields, bool *high,
                                            bool *zero) {
  __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
  __m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));
  adl_csv_masks masks = {0, equal_avx2(first, second, '\n'), 0};
  if (dialect->quote != 0) masks.quote = equal_avx2(first, second, dialect->quote);
  if (fields || masks.quote != 0) masks.delimiter = equal_avx2(first, second, dialect->delimiter);
  if (!fields) return masks;
  __m256i least = _mm256_min_epu8(first, second);
  *high |= _mm256_movemask_epi8(_mm256_or_si256(first, second)) != 0;
  *zero |= _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, _mm256_setzero_si256())) != 0;
  return masks;
}

#define SCAN_NAME scan_avx2
#define SCAN_TARGET AVX2
#define SCAN_MASKS masks_avx2
#define SCAN_LOWEST(bits) ((uint32_t)_tzcnt_u64(bits))
#include "common/csv_scan_body.h"
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
#undef SCAN_LOWEST

static bool have_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
}
#endif

/* ------------------------------------------------------------------------------------------------ the choice ---- */

adl_csv_scanner adl_csv_scanner_named(const char *name) {
#ifdef HAVE_X86
  if (strcmp(name, "avx2") == 0) return have_avx2() ? scan_avx2 : NULL;
  if (strcmp(name, "sse2") == 0) return scan_sse2;
#endif
  return strcmp(name, "portable") == 0 ? scan_portable : NULL;
}

adl_csv_progress adl_csv_scan_run(adl_csv_scan *scan, const char *text, uint32_t size, bool final) {
#ifdef HAVE_X86
  return have_avx2() ? scan_avx2(scan, text, size, final) : scan_sse2(scan, text, size, final);
#else
  return scan_portable(scan, text, size, final);
#endif
}
