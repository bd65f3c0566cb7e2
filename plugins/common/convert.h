/* Text to values: integers, floating point, booleans, UTF-8. Used by the sources that read text; knows nothing of files
 * or columns. Every function takes text that does not end with NUL, and accepts the whole of it or nothing. */
#ifndef ADLOOM_PLUGINS_COMMON_CONVERT_H
#define ADLOOM_PLUGINS_COMMON_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef enum adl_parsed {
  ADL_PARSED = 0,
  ADL_NOT_ONE = 1,     /* the text is not of this type */
  ADL_OUT_OF_RANGE = 2 /* it is, but the value does not fit */
} adl_parsed;

/* [+-]digits */
adl_parsed adl_parse_int64(const char *text, size_t size, int64_t *value);

/* [+-]digits[.digits][e[+-]digits] * 10^shift, exactly. What is no whole number is not one, or with `cut` its fraction is
 * cut off. */
adl_parsed adl_parse_scaled(const char *text, size_t size, int shift, bool cut, int64_t *value);

/* [+-]digits[.digits][e[+-]digits], nan, inf, infinity (any case). Correctly rounded; what would round to an infinity is
 * out of range, what is too small becomes 0. */
adl_parsed adl_parse_double(const char *text, size_t size, double *value);

/* true false yes no t f y n 1 0, in any case. */
adl_parsed adl_parse_bool(const char *text, size_t size, bool *value);

/* Length of the longest prefix that is well-formed UTF-8 (Unicode 15, table 3-7); `size` when all of it is. */
size_t adl_utf8_prefix(const char *text, size_t size);

static inline bool adl_utf8_valid(const char *text, size_t size) { return adl_utf8_prefix(text, size) == size; }

/* Whether eight bytes, loaded little-endian, are all ASCII digits; and their value. */
static inline bool adl_eight_digits(uint64_t word) {
  return ((word & UINT64_C(0xf0f0f0f0f0f0f0f0)) |
          ((word + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) >> 4) == UINT64_C(0x3333333333333333);
}

static inline uint32_t adl_eight_digits_value(uint64_t word) {
  word = (word & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
  word = (word & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
  return (uint32_t)((word & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32);
}

static inline uint64_t adl_load_little(const char *text) {
  uint64_t word;
  memcpy(&word, text, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The same as adl_parse_int64, for text with at least eight readable bytes before its end. */
static inline adl_parsed adl_parse_int64_padded(const char *text, size_t size, int64_t *value) {
  bool negative = *text == '-';
  size_t digits = size - negative;
  if (__builtin_expect(digits - 1 >= 8, 0)) /* none, or more than eight */
    return adl_parse_int64(text, size, value);
  uint64_t keep = ~UINT64_C(0) << (64 - 8 * digits);
  uint64_t word = (adl_load_little(text + size - 8) & keep) | (UINT64_C(0x3030303030303030) & ~keep);
  if (__builtin_expect(!adl_eight_digits(word), 0)) return adl_parse_int64(text, size, value);
  int64_t magnitude = (int64_t)adl_eight_digits_value(word);
  *value = negative ? -magnitude : magnitude;
  return ADL_PARSED;
}

/* The same as adl_parse_double, for text with at least eight readable bytes before it and one in it. Up to sixteen digits,
 * perhaps with a point, are read as two words; a number below 2^53 divided by a power of ten is rounded once, so rightly
 * (Clinger 1990). */
static inline adl_parsed adl_parse_double_padded(const char *text, size_t size, double *value) {
  static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const uint64_t zeros = UINT64_C(0x3030303030303030), points = UINT64_C(0x2e2e2e2e2e2e2e2e);
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
  bool negative = *text == '-';
  bool point = false;
  size_t digits = size - negative, behind = 0;
  if (__builtin_expect(digits - 1 >= 16, 0)) return adl_parse_double(text, size, value);
  uint64_t low = adl_load_little(text + size - 8), high = zeros;
  if (digits <= 8) {
    uint64_t keep = ~UINT64_C(0) << (64 - 8 * digits);
    low = (low & keep) | (zeros & ~keep);
  } else {
    uint64_t keep = ~UINT64_C(0) << (128 - 8 * digits);
    high = (adl_load_little(text + size - 16) & keep) | (zeros & ~keep);
  }
  uint64_t at = low ^ points;
  at = (at - ones) & ~at & tops; /* its lowest set bit marks the first point, from the front */
  if (at != 0) {                 /* what stands before the point moves up to it */
    unsigned bit = (unsigned)__builtin_ctzll(at) - 7;
    uint64_t before = low & ((UINT64_C(1) << bit) - 1), from_high = high >> 56;
    behind = 7 - bit / 8;
    point = true;
    low = (bit == 56 ? 0 : low >> (bit + 8) << (bit + 8)) | before << 8 | from_high;
    high = high << 8 | 0x30;
  } else if (digits > 8) {
    at = high ^ points;
    at = (at - ones) & ~at & tops;
    if (at != 0) {
      unsigned bit = (unsigned)__builtin_ctzll(at) - 7;
      uint64_t before = high & ((UINT64_C(1) << bit) - 1);
      behind = 15 - bit / 8;
      point = true;
      high = (bit == 56 ? 0 : high >> (bit + 8) << (bit + 8)) | before << 8 | 0x30;
    }
  }
  if (__builtin_expect(!adl_eight_digits(low) || !adl_eight_digits(high) || digits == point, 0))
    return adl_parse_double(text, size, value);
  uint64_t all = digits <= 8 ? adl_eight_digits_value(low)
                             : adl_eight_digits_value(high) * UINT64_C(100000000) + adl_eight_digits_value(low);
  if (__builtin_expect(all >> 53 != 0, 0)) return adl_parse_double(text, size, value);
  double magnitude = behind > 0 ? (double)all / tens[behind] : (double)all;
  *value = negative ? -magnitude : magnitude;
  return ADL_PARSED;
}

#endif
