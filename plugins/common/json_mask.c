/* The first step of json_scan.h: bits for the bytes of a block, by AVX2 or by eight bytes in a word. */
#include <string.h>

#include "common/convert.h"
#include "common/json_scan.h"

#ifdef ADL_SIMD_X86
#include <immintrin.h>
#endif

typedef struct bits {
  uint64_t special, digits;
} bits;

/* ---- portable ---- */

static const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);

/* The highest bits of eight bytes, as a number. */
static inline uint64_t gather_tops(uint64_t word) { return ((word & tops) >> 7) * UINT64_C(0x0102040810204080) >> 56; }

/* The highest bit of each byte below 128 that is at least `least`, which is from 1 to 128. */
static inline uint64_t at_least(uint64_t low, unsigned least) { return (low + ones * (128 - least)) & tops; }

static bits bits_portable(const char *text, bool *high) {
  bits found = {0, 0};
  for (unsigned i = 0; i < 64; i += 8) {
    uint64_t word = adl_load_little(text + i), above = word & tops, low = word & ~tops;
    uint64_t quote = ~at_least(low ^ ones * '"', 1), backslash = ~at_least(low ^ ones * '\\', 1);
    uint64_t special = (quote | backslash | ~at_least(low, ' ')) & tops & ~above;
    uint64_t digits = at_least(low, '0') & ~at_least(low, '9' + 1) & ~above;
    *high |= above != 0;
    found.special |= gather_tops(special) << i;
    found.digits |= gather_tops(digits) << i;
  }
  return found;
}

static void put_bits(uint8_t *mask, uint64_t word) {
  for (int i = 0; i < 8; i++) mask[i] = (uint8_t)(word >> 8 * i);
}

static bool mask_portable(const char *base, size_t whole, uint8_t *special, uint8_t *digits) {
  bool high = false;
  for (size_t at = 0; at < whole; at += 64) {
    bits found = bits_portable(base + at, &high);
    put_bits(special + at / 8, found.special);
    put_bits(digits + at / 8, found.digits);
  }
  return high;
}

/* ---- AVX2 ---- */

#ifdef ADL_SIMD_X86
ADL_TARGET_AVX2 static bool mask_avx2(const char *base, size_t whole, uint8_t *special, uint8_t *digits) {
  const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\'), control = _mm256_set1_epi8(31);
  const __m256i zero = _mm256_set1_epi8('0'), nine = _mm256_set1_epi8(9);
  __m256i all = _mm256_setzero_si256();
  for (size_t at = 0; at < whole; at += 32) {
    __m256i text = _mm256_loadu_si256((const __m256i *)(const void *)(base + at));
    __m256i from_zero = _mm256_sub_epi8(text, zero);
    __m256i found = _mm256_or_si256(_mm256_cmpeq_epi8(text, quote), _mm256_cmpeq_epi8(text, backslash));
    found = _mm256_or_si256(found, _mm256_cmpeq_epi8(_mm256_min_epu8(text, control), text));
    uint32_t specials = (uint32_t)_mm256_movemask_epi8(found);
    uint32_t numbers = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(from_zero, nine), from_zero));
    memcpy(special + at / 8, &specials, sizeof specials);
    memcpy(digits + at / 8, &numbers, sizeof numbers);
    all = _mm256_or_si256(all, text);
  }
  return _mm256_movemask_epi8(all) != 0;
}
#endif

void adl_json_mask(adl_simd level, const char *base, size_t size, void *memory, adl_json_masks *masks) {
  size_t each = adl_json_masks_size(size) / 2, whole = size / 64 * 64;
  uint8_t *special = memory, *digits = special + each;
  char tail[64] = {0}; /* control characters: special, so that every search ends */
  *masks = (adl_json_masks){.base = base, .special = special, .digits = digits};
  memcpy(tail, base + whole, size - whole);
#ifdef ADL_SIMD_X86
  if (level >= ADL_SIMD_AVX2)
    masks->high = mask_avx2(base, whole, special, digits);
  else
#endif
    masks->high = mask_portable(base, whole, special, digits);
  (void)level;
  masks->high |= mask_portable(tail, sizeof tail, special + whole / 8, digits + whole / 8);
  memset(special + whole / 8 + 8, 0xff, 16);
  memset(digits + whole / 8 + 8, 0, 16);
}
