/* Values to text, see format.h. Floating point is Raffaello Giulietti's Schubfach ("The Schubfach way to render doubles",
 * 2020), with the table of powers.h. */
#include "common/format.h"
#include "common/powers.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------- integers ---- */

static const char pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Writes the digits so that they end before `end`; returns where they begin. */
static char *digits_before(uint64_t value, char *end) {
  while (value >= 100) {
    end -= 2;
    memcpy(end, pairs + 2 * (value % 100), 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    memcpy(end, pairs + 2 * value, 2);
  } else {
    *--end = (char)('0' + value);
  }
  return end;
}

size_t adl_format_int64(int64_t value, char *text) {
  char digits[ADL_INT_TEXT], *end = digits + sizeof digits;
  char *begin = digits_before(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, end);
  size_t sign = value < 0;
  *text = '-';
  memcpy(text + sign, begin, (size_t)(end - begin));
  return sign + (size_t)(end - begin);
}

/* ------------------------------------------------------------------------------------------- floating point ---- */

/* digits * 10^exponent */
typedef struct decimal {
  uint64_t digits;
  int exponent;
} decimal;

static int floor_log2_of_power_of_ten(int k) { return (int)adl_floor_shift((int64_t)k * 1741647, 19); }

/* floor(log10(2^q)), or of 3/4 2^q. */
static int floor_log10(int q, bool three_quarters) {
  return (int)adl_floor_shift((int64_t)q * 1262611 - (three_quarters ? 524031 : 0), 22);
}

/* The upper bound of 10^k in the table's form: what was cut off there is rounded up here. */
static adl_power power_above(int k) {
  adl_power power = adl_powers()[k - ADL_POWER_MIN];
  if (!adl_power_is_exact(k) && ++power.low == 0) power.high++;
  return power;
}

/* Schubfach figure 4, with lower, value and upper already multiplied: picks from the rounding interval. `even`: its ends
 * belong to it. */
static decimal pick(uint64_t lower, uint64_t value, uint64_t upper, bool even, int k) {
  uint64_t s = value / 4;
  lower += !even;
  upper -= !even;
  if (s >= 10) { /* one digit less? */
    uint64_t shorter = s / 10;
    bool below = lower <= 40 * shorter, above = 40 * shorter + 40 <= upper;
    if (below != above) return (decimal){shorter + above, k + 1};
  }
  bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
  if (below != above) return (decimal){s + above, k};
  uint64_t middle = 4 * s + 2;
  return (decimal){s + (value > middle || (value == middle && (s & 1) != 0)), k};
}

/* floor(power * factor / 2^128), its last bit set when something was cut off. */
static uint64_t round_to_odd_128(adl_power power, uint64_t factor) {
  uint64_t carry = (uint64_t)(((unsigned __int128)power.low * factor) >> 64);
  unsigned __int128 product = (unsigned __int128)power.high * factor + carry;
  return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

static uint64_t round_to_odd_64(uint64_t power, uint64_t factor) {
  unsigned __int128 product = (unsigned __int128)power * factor;
  return (uint64_t)(product >> 64) | ((uint32_t)(product >> 32) > 1);
}

/* value = significand * 2^q, > 0; `irregular`: the neighbour below is only half as far as the one above. */
static decimal shortest_double(uint64_t significand, int q, bool irregular) {
  int k = floor_log10(q, irregular);
  int h = q + floor_log2_of_power_of_ten(-k) + 1;
  adl_power power = power_above(-k);
  uint64_t lower = round_to_odd_128(power, (4 * significand - 2 + irregular) << h);
  uint64_t value = round_to_odd_128(power, (4 * significand) << h);
  uint64_t upper = round_to_odd_128(power, (4 * significand + 2) << h);
  return pick(lower, value, upper, significand % 2 == 0, k);
}

static decimal shortest_float(uint64_t significand, int q, bool irregular) {
  int k = floor_log10(q, irregular);
  int h = q + floor_log2_of_power_of_ten(-k) + 1;
  adl_power exact = power_above(-k);
  uint64_t power = exact.high + (exact.low != 0);
  uint64_t lower = round_to_odd_64(power, (4 * significand - 2 + irregular) << h);
  uint64_t value = round_to_odd_64(power, (4 * significand) << h);
  uint64_t upper = round_to_odd_64(power, (4 * significand + 2) << h);
  return pick(lower, value, upper, significand % 2 == 0, k);
}

/* digits * 10^exponent as text: 0.00123, 12.5, 120, 1.2e-7. */
static size_t layout(decimal number, char *text) {
  char buffer[ADL_INT_TEXT], *end = buffer + sizeof buffer;
  while (number.digits % 10 == 0) {
    number.digits /= 10;
    number.exponent++;
  }
  char *begin = digits_before(number.digits, end), *out = text;
  int count = (int)(end - begin), point = count + number.exponent; /* digits before the decimal point */
  if (point > 16 || point < -4) {
    *out++ = *begin;
    if (count > 1) {
      *out++ = '.';
      memcpy(out, begin + 1, (size_t)count - 1);
      out += count - 1;
    }
    *out++ = 'e';
    return (size_t)(out - text) + adl_format_int64(point - 1, out);
  }
  if (point <= 0) {
    memcpy(out, "0.0000", 6);
    out += 2 - point;
    memcpy(out, begin, (size_t)count);
    return (size_t)(out - text) + (size_t)count;
  }
  if (point >= count) {
    memcpy(out, begin, (size_t)count);
    memset(out + count, '0', (size_t)(point - count));
    return (size_t)(out - text) + (size_t)point;
  }
  memcpy(out, begin, (size_t)point);
  out[point] = '.';
  memcpy(out + point + 1, begin + point, (size_t)(count - point));
  return (size_t)(out - text) + (size_t)count + 1;
}

static size_t special(double value, char *text) {
  const char *word = isnan(value) ? "nan" : value > 0 ? "inf" : value < 0 ? "-inf" : signbit(value) ? "-0" : "0";
  size_t length = strlen(word);
  memcpy(text, word, length);
  return length;
}

size_t adl_format_double(double value, char *text) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
  int exponent = (int)(bits >> 52 & 0x7ff);
  if (exponent == 0x7ff || (exponent == 0 && fraction == 0)) return special(value, text);
  size_t sign = bits >> 63;
  *text = '-';
  uint64_t significand = exponent != 0 ? fraction | UINT64_C(1) << 52 : fraction;
  int q = (exponent != 0 ? exponent : 1) - 1075;
  if (q <= 0 && q > -53 && (significand & ((UINT64_C(1) << -q) - 1)) == 0) /* a whole number below 2^53 */
    return sign + layout((decimal){significand >> -q, 0}, text + sign);
  return sign + layout(shortest_double(significand, q, fraction == 0 && exponent > 1), text + sign);
}

size_t adl_format_float(float value, char *text) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint32_t fraction = bits & ((UINT32_C(1) << 23) - 1);
  int exponent = (int)(bits >> 23 & 0xff);
  if (exponent == 0xff || (exponent == 0 && fraction == 0)) return special((double)value, text);
  size_t sign = bits >> 31;
  *text = '-';
  uint32_t significand = exponent != 0 ? fraction | UINT32_C(1) << 23 : fraction;
  int q = (exponent != 0 ? exponent : 1) - 150;
  if (q <= 0 && q > -24 && (significand & ((UINT32_C(1) << -q) - 1)) == 0)
    return sign + layout((decimal){significand >> -q, 0}, text + sign);
  return sign + layout(shortest_float(significand, q, fraction == 0 && exponent > 1), text + sign);
}

/* --------------------------------------------------------------------------------------------- JSON, base64 ---- */

size_t adl_format_json_string(const char *string, size_t size, char *text) {
  static const char hex[] = "0123456789abcdef", special_bytes[] = "\"\\\b\f\n\r\t";
  char *out = text;
  *out++ = '"';
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)string[i];
    if (c >= 0x20 && c != '"' && c != '\\') {
      *out++ = (char)c;
      continue;
    }
    const char *named = memchr(special_bytes, c, 7);
    *out++ = '\\';
    if (named != NULL) {
      *out++ = "\"\\bfnrt"[named - special_bytes];
    } else {
      memcpy(out, "u00", 3);
      out[3] = hex[c >> 4];
      out[4] = hex[c & 15];
      out += 5;
    }
  }
  *out++ = '"';
  return (size_t)(out - text);
}

size_t adl_format_base64(const void *data, size_t size, char *text) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const uint8_t *in = data;
  char *out = text;
  for (size_t i = 0; i < size; i += 3, out += 4) {
    size_t left = size - i;
    uint32_t three = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
    out[0] = letters[three >> 18];
    out[1] = letters[three >> 12 & 63];
    out[2] = left > 1 ? letters[three >> 6 & 63] : '=';
    out[3] = left > 2 ? letters[three & 63] : '=';
  }
  return (size_t)(out - text);
}
