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

static inline adl_csv_masks masks_portable(const char *bytes, const adl_csv_dialect *dialect, bool fields,
                                           adl_csv_seen *seen) {
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
  seen->high |= fields && all >= 128;
  seen->zero |= fields && least == 0;
  return masks;
}

/* Eight in one go, so that nothing branches on how many they are. */
static inline uint32_t ends_portable(uint32_t *out, uint32_t base, uint64_t bits) {
  uint32_t count = (uint32_t)__builtin_popcountll(bits);
  for (uint32_t done = 0; done < count; done += 8, out += 8)
    for (uint32_t i = 0; i < 8; i++) {
      out[i] = base + (uint32_t)__builtin_ctzll(bits | UINT64_C(1) << 63);
      bits &= bits - 1;
    }
  return count;
}

#define SCAN_NAME scan_portable
#define SCAN_TARGET
#define SCAN_MASKS masks_portable
#define SCAN_ENDS ends_portable
#define SCAN_LOWEST(bits) ((uint32_t)__builtin_ctzll((bits) | UINT64_C(1) << 63))
#include "common/csv_scan_body.h"
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
#undef SCAN_ENDS
#undef SCAN_LOWEST

#ifdef HAVE_X86
/* ----------------------------------------------------------------------------------------------------- SSE2 ---- */

static inline uint64_t equal_sse2(const __m128i *bytes, char c) {
  __m128i wanted = _mm_set1_epi8(c);
  uint64_t mask = 0;
  for (int i = 3; i >= 0; i--) mask = mask << 16 | (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes[i], wanted));
  return mask;
}

static inline adl_csv_masks masks_sse2(const char *bytes, const adl_csv_dialect *dialect, bool fields,
                                       adl_csv_seen *seen) {
  __m128i part[4];
  for (int i = 0; i < 4; i++) part[i] = _mm_loadu_si128((const __m128i *)(const void *)(bytes + 16 * i));
  adl_csv_masks masks = {0, equal_sse2(part, '\n'), 0};
  if (dialect->quote != 0) masks.quote = equal_sse2(part, dialect->quote);
  if (fields || masks.quote != 0) masks.delimiter = equal_sse2(part, dialect->delimiter);
  if (!fields) return masks;
  __m128i all = _mm_or_si128(_mm_or_si128(part[0], part[1]), _mm_or_si128(part[2], part[3]));
  __m128i least = _mm_min_epu8(_mm_min_epu8(part[0], part[1]), _mm_min_epu8(part[2], part[3]));
  seen->high |= (uint32_t)_mm_movemask_epi8(all);
  seen->zero |= (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128()));
  return masks;
}

#define SCAN_NAME scan_sse2
#define SCAN_TARGET
#define SCAN_MASKS masks_sse2
#define SCAN_ENDS ends_portable
#define SCAN_LOWEST(bits) ((uint32_t)__builtin_ctzll((bits) | UINT64_C(1) << 63))
#include "common/csv_scan_body.h"
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
#undef SCAN_ENDS
#undef SCAN_LOWEST

/* ----------------------------------------------------------------------------------------------------- AVX2 ---- */

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

AVX2 static inline uint64_t equal_avx2(__m256i low, __m256i high, char c) {
  __m256i wanted = _mm256_set1_epi8(c);
  return (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) << 32 |
         (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
}

AVX2 static inline adl_csv_masks masks_avx2(const char *bytes, const adl_csv_dialect *dialect, bool fields,
                                            adl_csv_seen *seen) {
  __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
  __m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + 32));
  adl_csv_masks masks = {0, equal_avx2(first, second, '\n'), 0};
  if (dialect->quote != 0) masks.quote = equal_avx2(first, second, dialect->quote);
  if (fields || masks.quote != 0) masks.delimiter = equal_avx2(first, second, dialect->delimiter);
  if (!fields) return masks;
  __m256i least = _mm256_min_epu8(first, second);
  seen->high |= (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(first, second));
  seen->zero |= (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(least, _mm256_setzero_si256()));
  return masks;
}

/* For each byte, which of its bits are set; built when the program is compiled. */
#define NTH(b, n) (uint64_t)((b) >> (n)&1)
#define RANK(b, n) (8 * (unsigned)__builtin_popcount((b) & ((1u << (n)) - 1)))
#define PLACE(b, n) (NTH(b, n) * (n) << RANK(b, n))
#define PLACES(b) (PLACE(b, 1) | PLACE(b, 2) | PLACE(b, 3) | PLACE(b, 4) | PLACE(b, 5) | PLACE(b, 6) | PLACE(b, 7))
#define PLACES_4(b) PLACES(b), PLACES((b) + 1), PLACES((b) + 2), PLACES((b) + 3)
#define PLACES_16(b) PLACES_4(b), PLACES_4((b) + 4), PLACES_4((b) + 8), PLACES_4((b) + 12)
#define PLACES_64(b) PLACES_16(b), PLACES_16((b) + 16), PLACES_16((b) + 32), PLACES_16((b) + 48)
static const uint64_t places[256] = {PLACES_64(0u), PLACES_64(64u), PLACES_64(128u), PLACES_64(192u)};

/* Eight bits at a time, looked up: finding one bit after the other is a chain in which each waits for the one before. */
AVX2 static inline uint32_t ends_avx2(uint32_t *out, uint32_t base, uint64_t bits) {
  const __m256i eight = _mm256_set1_epi32(8);
  __m256i at = _mm256_set1_epi32((int)base);
#pragma GCC unroll 8
  for (int byte = 0; byte < 64; byte += 8) {
    uint32_t before = byte > 0 ? (uint32_t)__builtin_popcountll(bits << (64 - byte)) : 0;
    __m256i found = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)&places[bits >> byte & 255]));
    _mm256_storeu_si256((__m256i *)(void *)(out + before), _mm256_add_epi32(found, at));
    at = _mm256_add_epi32(at, eight);
  }
  return (uint32_t)__builtin_popcountll(bits);
}

#define SCAN_NAME scan_avx2
#define SCAN_TARGET AVX2
#define SCAN_MASKS masks_avx2
#define SCAN_ENDS ends_avx2
#define SCAN_LOWEST(bits) ((uint32_t)_tzcnt_u64(bits))
#include "common/csv_scan_body.h"
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_MASKS
#undef SCAN_ENDS
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
