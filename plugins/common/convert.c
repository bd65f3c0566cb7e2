/* Text to values, see convert.h. Decimal to double is the method of Clinger (1990) for short numbers, of Lemire ("Number
 * parsing at a gigabyte per second", 2021) for the others, and strtod where that one cannot decide. */
#include "common/convert.h"
#include "common/powers.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

static inline bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* ------------------------------------------------------------------------------------------------- integers ---- */

adl_parsed adl_parse_int64(const char *text, size_t size, int64_t *value) {
  const char *at = text, *end = text + size;
  bool negative = size > 0 && *at == '-';
  if (size > 0 && (*at == '-' || *at == '+')) at++;
  if (at == end) return ADL_NOT_ONE;
  uint64_t magnitude = 0;
  bool overflow = false;
  for (int eights = 0; eights < 2 && end - at >= 8; eights++, at += 8) { /* sixteen digits fit in any case */
    uint64_t word = adl_load_little(at);
    if (!adl_eight_digits(word)) return ADL_NOT_ONE;
    magnitude = magnitude * 100000000 + adl_eight_digits_value(word);
  }
  for (; at < end; at++) {
    if (!is_digit(*at)) return ADL_NOT_ONE;
    overflow |= __builtin_mul_overflow(magnitude, 10, &magnitude);
    overflow |= __builtin_add_overflow(magnitude, (uint64_t)(*at - '0'), &magnitude);
  }
  if (overflow || magnitude > (uint64_t)INT64_MAX + negative) return ADL_OUT_OF_RANGE;
  *value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
  return ADL_PARSED;
}

/* ------------------------------------------------------------------------------------------- floating point ---- */

/* A decimal number taken apart: digits * 10^exponent, `digits` holding the first 19 significant ones. */
typedef struct decimal {
  uint64_t digits;
  int64_t exponent;
  bool negative;
  bool cut; /* there were more than 19 significant digits, and not all of the rest were zero */
} decimal;

static adl_parsed take_exponent(const char *at, const char *end, int64_t *exponent) {
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end) return ADL_NOT_ONE;
  int64_t value = 0;
  for (; at < end; at++) {
    if (!is_digit(*at)) return ADL_NOT_ONE;
    if (value < 100000000) value = 10 * value + (*at - '0');
  }
  *exponent += negative ? -value : value;
  return ADL_PARSED;
}

static adl_parsed take_apart(const char *text, size_t size, decimal *number) {
  const char *at = text, *end = text + size;
  uint64_t digits = 0;
  int64_t exponent = 0;
  int kept = 0; /* significant digits in `digits` */
  bool any = false, cut = false, point = false;
  number->negative = size > 0 && *at == '-';
  if (size > 0 && (*at == '-' || *at == '+')) at++;
  for (; at < end; at++) {
    if (is_digit(*at)) {
      any = true;
      if (kept < 19) {
        digits = 10 * digits + (uint64_t)(*at - '0');
        kept += digits != 0;
        exponent -= point;
      } else {
        cut |= *at != '0';
        exponent += !point;
      }
    } else if (*at == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (!any) return ADL_NOT_ONE;
  if (at < end) {
    if (*at != 'e' && *at != 'E') return ADL_NOT_ONE;
    if (take_exponent(at + 1, end, &exponent) != ADL_PARSED) return ADL_NOT_ONE;
  }
  number->digits = digits;
  number->exponent = exponent;
  number->cut = cut;
  return ADL_PARSED;
}

adl_parsed adl_parse_scaled(const char *text, size_t size, int shift, bool cut, int64_t *value) {
  decimal number;
  if (take_apart(text, size, &number) != ADL_PARSED) return ADL_NOT_ONE;
  uint64_t digits = number.digits;
  bool whole = !number.cut;
  int64_t exponent = digits != 0 ? number.exponent + shift : 0;
  for (; exponent < 0 && digits != 0; exponent++) {
    whole &= digits % 10 == 0;
    digits /= 10;
  }
  if (exponent > 0 && number.cut) return ADL_OUT_OF_RANGE; /* 19 digits, and more */
  for (; exponent > 0; exponent--)
    if (__builtin_mul_overflow(digits, 10, &digits)) return ADL_OUT_OF_RANGE;
  if (!whole && !cut) return ADL_NOT_ONE;
  if (digits > (uint64_t)INT64_MAX + number.negative) return ADL_OUT_OF_RANGE;
  *value = number.negative ? (int64_t)(0 - digits) : (int64_t)digits;
  return ADL_PARSED;
}

static double from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Lemire's section 5: digits * 10^q correctly rounded, or false where 128 bits do not decide. digits is not 0. */
static bool round_product(uint64_t digits, int q, double *value) {
  if (q < ADL_POWER_MIN) {
    *value = 0;
    return true;
  }
  if (q > 308) {
    *value = INFINITY;
    return true;
  }
  adl_power power = adl_powers()[q - ADL_POWER_MIN];
  if (q < 0 && q >= -27 && ++power.low == 0) /* these reciprocals are rounded up: their products may be exact */
    power.high++;
  int shift = __builtin_clzll(digits);
  digits <<= shift;
  unsigned __int128 product = (unsigned __int128)digits * power.high;
  if (((uint64_t)(product >> 64) & 0x1ff) == 0x1ff) product += (uint64_t)((unsigned __int128)digits * power.low >> 64);
  uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
  if (low == UINT64_MAX && (q < -27 || q > 55)) return false;
  int upper = (int)(high >> 63);
  uint64_t mantissa = high >> (upper + 9);
  int exponent = (int)adl_floor_shift((152170 + 65536) * (int64_t)q, 16) + 63 + upper - shift + 1023;
  if (exponent <= 0) { /* subnormal */
    if (1 - exponent >= 64) {
      *value = 0;
      return true;
    }
    mantissa >>= 1 - exponent;
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    *value = from_bits(mantissa); /* a carry into bit 52 is exponent 1, as it should be */
    return true;
  }
  if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << (upper + 9) == high)
    mantissa &= ~UINT64_C(1); /* exactly half-way: to even */
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa == UINT64_C(1) << 53) {
    mantissa >>= 1;
    exponent++;
  }
  *value =
      exponent >= 2047 ? (double)INFINITY : from_bits((mantissa & ~(UINT64_C(1) << 52)) | (uint64_t)exponent << 52);
  return true;
}

static locale_t c_locale;
static pthread_once_t c_locale_made = PTHREAD_ONCE_INIT;

static void make_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/* The C library's conversion, for what take_apart has found well-formed. */
static double slow_double(const char *text, size_t size) {
  char small[128], *copy = size < sizeof small ? small : malloc(size + 1);
  if (copy == NULL) return NAN;
  memcpy(copy, text, size);
  copy[size] = '\0';
  pthread_once(&c_locale_made, make_locale);
  double value = c_locale != (locale_t)0 ? strtod_l(copy, NULL, c_locale) : strtod(copy, NULL);
  if (copy != small) free(copy);
  return value;
}

static bool is_word(const char *text, size_t size, const char *word) {
  for (size_t i = 0; i < size; i++)
    if ((text[i] | 0x20) != word[i] || word[i] == '\0') return false;
  return word[size] == '\0';
}

static adl_parsed parse_special(const char *text, size_t size, double *value) {
  bool negative = size > 0 && *text == '-';
  size_t sign = size > 0 && (*text == '-' || *text == '+');
  text += sign;
  size -= sign;
  if (is_word(text, size, "nan"))
    *value = NAN;
  else if (is_word(text, size, "inf") || is_word(text, size, "infinity"))
    *value = negative ? (double)-INFINITY : (double)INFINITY;
  else
    return ADL_NOT_ONE;
  return ADL_PARSED;
}

adl_parsed adl_parse_double(const char *text, size_t size, double *value) {
  static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  decimal number;
  if (take_apart(text, size, &number) != ADL_PARSED) return parse_special(text, size, value);
  double result;
  if (number.digits >> 53 == 0 && !number.cut && number.exponent >= -22 && number.exponent <= 22) {
    result = (double)number.digits;
    result = number.exponent < 0 ? result / tens[-number.exponent] : result * tens[number.exponent];
  } else if (number.digits == 0) {
    result = 0;
  } else {
    int64_t exponent = number.exponent;
    int q = exponent < -1000 ? -1000 : exponent > 1000 ? 1000 : (int)exponent;
    double above;
    bool decided = round_product(number.digits, q, &result);
    if (decided && number.cut) /* the true value lies between two neighbours: do both round alike? */
      decided = number.digits != UINT64_MAX && round_product(number.digits + 1, q, &above) && above == result;
    if (!decided) {
      result = fabs(slow_double(text, size));
      if (isnan(result)) return ADL_OUT_OF_RANGE;
    }
    if (isinf(result)) return ADL_OUT_OF_RANGE;
  }
  *value = number.negative ? -result : result;
  return ADL_PARSED;
}

/* ------------------------------------------------------------------------------------------- the other types ---- */

adl_parsed adl_parse_bool(const char *text, size_t size, bool *value) {
  static const char *const words[2][4] = {{"false", "f", "no", "n"}, {"true", "t", "yes", "y"}};
  if (size == 1 && (*text == '0' || *text == '1')) {
    *value = *text == '1';
    return ADL_PARSED;
  }
  if (size == 4 || size == 5) { /* the usual ones, in small letters, without a loop */
    bool truth = size == 4 && memcmp(text, "true", 4) == 0;
    if (truth || (size == 5 && memcmp(text, "false", 5) == 0)) {
      *value = truth;
      return ADL_PARSED;
    }
  }
  for (int truth = 0; truth < 2; truth++)
    for (int i = 0; i < 4; i++)
      if (is_word(text, size, words[truth][i])) {
        *value = truth == 1;
        return ADL_PARSED;
      }
  return ADL_NOT_ONE;
}

/* Length of the well-formed sequence at `at`, 0 if there is none. */
static size_t sequence(const uint8_t *at, size_t size) {
  uint8_t lead = at[0];
  if (lead < 0x80) return 1;
  size_t length = lead >= 0xc2 && lead <= 0xdf ? 2 : (lead & 0xf0) == 0xe0 ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  if (length == 0 || length > size) return 0;
  for (size_t i = 1; i < length; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) || (lead == 0xf0 && at[1] < 0x90) ||
      (lead == 0xf4 && at[1] > 0x8f)) /* overlong forms, surrogates, beyond U+10FFFF */
    return 0;
  return length;
}

size_t adl_utf8_prefix(const char *text, size_t size) {
  const uint8_t *bytes = (const uint8_t *)text;
  size_t at = 0;
  while (at < size) {
    while (at + 8 <= size && (adl_load_little(text + at) & UINT64_C(0x8080808080808080)) == 0) at += 8;
    while (at < size && bytes[at] < 0x80) at++;
    while (at < size && bytes[at] >= 0x80) {
      size_t length = sequence(bytes + at, size - at);
      if (length == 0) return at;
      at += length;
    }
  }
  return at;
}
