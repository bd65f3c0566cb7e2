/* Text to values and back: convert, times, format, nearest, against the C library and known answers. */
#include <check.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/convert.h"
#include "common/format.h"
#include "common/nearest.h"
#include "common/powers.h"
#include "common/short_numbers.h"
#include "common/times.h"

#include <adloom/plugin.h>

/* Check's own assertions write to a pipe each time: too slow for a million of them. */
#define ALL(condition, ...)                                                                                            \
  do {                                                                                                                 \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                                       \
  } while (0)

static uint64_t random_bits(void) {
  static uint64_t counter;
  return adl_random(20240131, counter++);
}

/* ------------------------------------------------------------------------------------------------- integers ---- */

static const struct {
  const char *text;
  adl_parsed parsed;
  int64_t value;
} ints[] = {
    {"0", ADL_PARSED, 0},
    {"-0", ADL_PARSED, 0},
    {"+7", ADL_PARSED, 7},
    {"00012345678", ADL_PARSED, 12345678},
    {"12345678", ADL_PARSED, 12345678},
    {"123456789", ADL_PARSED, 123456789},
    {"-99999999", ADL_PARSED, -99999999},
    {"9223372036854775807", ADL_PARSED, INT64_MAX},
    {"-9223372036854775808", ADL_PARSED, INT64_MIN},
    {"9223372036854775808", ADL_OUT_OF_RANGE, 0},
    {"-9223372036854775809", ADL_OUT_OF_RANGE, 0},
    {"99999999999999999999999999", ADL_OUT_OF_RANGE, 0},
    {"", ADL_NOT_ONE, 0},
    {"-", ADL_NOT_ONE, 0},
    {"+-1", ADL_NOT_ONE, 0},
    {"1.0", ADL_NOT_ONE, 0},
    {" 1", ADL_NOT_ONE, 0},
    {"1 ", ADL_NOT_ONE, 0},
    {"1e3", ADL_NOT_ONE, 0},
    {"12/45678", ADL_NOT_ONE, 0},
    {"1234567812345678", ADL_PARSED, 1234567812345678},
    {"-12345678901234567", ADL_PARSED, -12345678901234567},
    {"000000000000000000000000000000009", ADL_PARSED, 9},
    {"1234567/12345678", ADL_NOT_ONE, 0},
    {"123456781234567:", ADL_NOT_ONE, 0},
    {"12345678123456781x", ADL_NOT_ONE, 0},
    {"1234567:", ADL_NOT_ONE, 0},
    {"\xb2"
     "2345678",
     ADL_NOT_ONE, 0},
};

START_TEST(integers) {
  const char *text = ints[_i].text;
  char padded[64] = "";
  int64_t value = 4711;
  ck_assert_int_eq(adl_parse_int64(text, strlen(text), &value), ints[_i].parsed);
  if (ints[_i].parsed == ADL_PARSED) ck_assert_int_eq(value, ints[_i].value);
  if (*text == '\0') return;
  value = 4711; /* what stands before and behind must not matter */
  memset(padded, '9', sizeof padded);
  memcpy(padded + 8, text, strlen(text));
  ck_assert_int_eq(adl_parse_int64_padded(padded + 8, strlen(text), &value), ints[_i].parsed);
  if (ints[_i].parsed == ADL_PARSED) ck_assert_int_eq(value, ints[_i].value);
}
END_TEST

START_TEST(random_integers_go_round) {
  for (int i = 0; i < 200000; i++) {
    int64_t value = (int64_t)random_bits() >> (random_bits() % 64), back = 0;
    char text[8 + ADL_INT_TEXT] = "88888888", wanted[32];
    size_t size = adl_format_int64(value, text + 8);
    snprintf(wanted, sizeof wanted, "%lld", (long long)value);
    ALL(size == strlen(wanted) && memcmp(text + 8, wanted, size) == 0, "%s", wanted);
    ALL(adl_parse_int64_padded(text + 8, size, &back) == ADL_PARSED && back == value, "%s", wanted);
  }
}
END_TEST

/* ------------------------------------------------------------------------------------------- floating point ---- */

START_TEST(table_of_powers) {
  const adl_power *powers = adl_powers(); /* from Lemire 2021, and 10^0 */
  ck_assert_uint_eq(powers[-342 - ADL_POWER_MIN].high, 0xeef453d6923bd65a);
  ck_assert_uint_eq(powers[-342 - ADL_POWER_MIN].low, 0x113faa2906a13b3f);
  ck_assert_uint_eq(powers[0 - ADL_POWER_MIN].high, UINT64_C(1) << 63);
  ck_assert_uint_eq(powers[0 - ADL_POWER_MIN].low, 0);
  ck_assert_uint_eq(powers[308 - ADL_POWER_MIN].high, 0x8e679c2f5e44ff8f);
  ck_assert_uint_eq(powers[308 - ADL_POWER_MIN].low, 0x570f09eaa7ea7648);
}
END_TEST

static bool same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* adl_parse_double of a number in C syntax gives what strtod gives. */
static void check_number(const char *text) {
  double wanted = strtod(text, NULL), value = 4711;
  adl_parsed parsed = adl_parse_double(text, strlen(text), &value);
  if (isinf(wanted))
    ALL(parsed == ADL_OUT_OF_RANGE, "%s: %d", text, parsed);
  else
    ALL(parsed == ADL_PARSED && same(value, wanted), "%s: %a instead of %a", text, value, wanted);
}

/* Texts of every kind, in the middle of others: both ways of reading a number say the same. */
START_TEST(padded_numbers_like_others) {
  static const char letters[] = "0123456789012345678900..-+eE x";
  char padded[64];
  for (int i = 0; i < 1000000; i++) {
    double value = 4711, other = 4711;
    size_t size = 1 + random_bits() % 20;
    uint64_t kinds = random_bits() % 4 == 0 ? sizeof letters - 1 : 23; /* most are digits and a point */
    for (size_t k = 0; k < sizeof padded; k++) padded[k] = letters[random_bits() % kinds];
    if (random_bits() % 8 == 0) padded[8] = '-';
    adl_parsed wanted = adl_parse_double(padded + 8, size, &value);
    ALL(adl_parse_double_padded(padded + 8, size, &other) == wanted, "%.*s: not %d", (int)size, padded + 8, wanted);
    ALL(wanted != ADL_PARSED || same(value, other), "%.*s: %a and %a", (int)size, padded + 8, value, other);
  }
}
END_TEST

/* Four texts at a time: what is taken is what the others make of each of them, and what is short and a number is taken. */
START_TEST(short_numbers_like_others) {
  static const char letters[] = "01234567890123456789.-+eE x\xb0";
  char padded[7][32];
  const char *text[7];
  uint32_t size[7], missing = 0;
  adl_short_texts texts = {text, size, 7};
  for (int round = 0; round < 500000; round++) {
    uint64_t kinds = random_bits() % 8 == 0 ? sizeof letters - 1 : random_bits() % 2 == 0 ? 21 : 20;
    uint32_t most = random_bits() % 8 == 0 ? 11 : 9, from = (uint32_t)(random_bits() % 4);
    bool all[2] = {true, true}; /* doubles, int64s */
    uint8_t nulls[7] = {0};
    double real[7], other_real;
    int64_t whole[7], other_whole;
    for (uint32_t i = 0; i < 7; i++) {
      for (size_t k = 0; k < sizeof padded[i]; k++) padded[i][k] = letters[random_bits() % kinds];
      if (random_bits() % 4 == 0) padded[i][8] = '-';
      text[i] = padded[i] + 8;
      size[i] = (uint32_t)(random_bits() % most);
      bool simple = size[i] <= 8 && memchr(text[i], '+', size[i]) == NULL && memchr(text[i], 'e', size[i]) == NULL &&
                    memchr(text[i], 'E', size[i]) == NULL;
      if (i < from || i >= from + 4 || size[i] == 0) continue;
      all[0] &= simple && adl_parse_double(text[i], size[i], &other_real) == ADL_PARSED;
      all[1] &= simple && adl_parse_int64(text[i], size[i], &other_whole) == ADL_PARSED;
    }
    for (int kind = 0; kind < 2; kind++) {
      uint32_t end = kind == 0 ? adl_short_doubles(adl_simd_level(), &texts, from, real, nulls, &missing)
                               : adl_short_int64s(adl_simd_level(), &texts, from, whole, nulls, &missing);
      ALL(end == (all[kind] && adl_simd_level() >= ADL_SIMD_AVX2 ? from + 4 : from), "%u to %u", from, end);
      for (uint32_t i = from; i < end; i++) {
        ALL(nulls[i] == (size[i] == 0), "%u", i);
        other_real = 0, other_whole = 0;
        adl_parsed parsed = size[i] == 0 ? ADL_PARSED
                            : kind == 0  ? adl_parse_double(text[i], size[i], &other_real)
                                         : adl_parse_int64(text[i], size[i], &other_whole);
        ALL(parsed == ADL_PARSED, "%.*s", (int)size[i], text[i]);
        ALL(kind == 1 || same(real[i], other_real), "%.*s: %a", (int)size[i], text[i], real[i]);
        ALL(kind == 0 || whole[i] == other_whole, "%.*s: %lld", (int)size[i], text[i], (long long)whole[i]);
      }
    }
  }
  ck_assert(missing != 0 || adl_simd_level() < ADL_SIMD_AVX2);
  ck_assert_uint_eq(adl_short_doubles(ADL_SIMD_PORTABLE, &texts, 2, NULL, NULL, NULL), 2);
  ck_assert_uint_eq(adl_short_int64s(ADL_SIMD_PORTABLE, &texts, 2, NULL, NULL, NULL), 2);
}
END_TEST

START_TEST(numbers_like_strtod) {
  static const char *const hard[] = {"0",
                                     "-0",
                                     "0.0",
                                     "1",
                                     "1.",
                                     ".5",
                                     "-.5e1",
                                     "1e0",
                                     "1E+2",
                                     "1e-2",
                                     "123456789012345678901234567890",
                                     "1e22",
                                     "1e23",
                                     "9007199254740993",
                                     "9007199254740992.5",
                                     "9007199254740993.0000000000000000000000000000000001",
                                     "0.1",
                                     "0.30000000000000004",
                                     "2.2250738585072011e-308",
                                     "2.2250738585072014e-308",
                                     "4.9406564584124654e-324",
                                     "2.4703282292062327e-324",
                                     "2.4703282292062328e-324",
                                     "1e-400",
                                     "1.7976931348623157e308",
                                     "1.7976931348623158e308",
                                     "1.7976931348623159e308",
                                     "1e309",
                                     "1e400",
                                     "1e99999999999999999999",
                                     "0e99999999999999999999",
                                     "1e-99999999999999999999",
                                     "6.02214076e23",
                                     "8.5e-5",
                                     "1.00000000000000011102230246251565404236316680908203125",
                                     "1.00000000000000011102230246251565404236316680908203124",
                                     "1.00000000000000011102230246251565404236316680908203126",
                                     "0.000000000000000000000000000000000000000000000000000000000000000000001",
                                     "18446744073709551615",
                                     "18446744073709551616",
                                     "99999999999999999999",
                                     "100000000000000000000000000000000000000000000000000e-50"};
  for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++) check_number(hard[i]);
}
END_TEST

START_TEST(random_numbers_like_strtod) {
  char text[1200];
  for (int i = 0; i < 200000; i++) {
    int digits = 1 + (int)(random_bits() % 24), point = (int)(random_bits() % 30), size = 0;
    for (int d = 0; d < digits; d++) {
      if (d == point) text[size++] = '.';
      text[size++] = (char)('0' + random_bits() % 10);
    }
    text[size] = '\0';
    if (random_bits() % 2 == 0) snprintf(text + size, 16, "e%d", (int)(random_bits() % 700) - 350);
    check_number(text);
  }
  for (int i = 0; i < 4000; i++) { /* exactly between two neighbours, and a little off */
    uint64_t bits = random_bits() & INT64_MAX, above = bits + 1;
    double low, high;
    memcpy(&low, &bits, sizeof low);
    memcpy(&high, &above, sizeof high);
    if (!isfinite(low) || !isfinite(high) || low < 1e-290) continue;
    long double middle = ((long double)low + (long double)high) / 2;
    int size = snprintf(text, sizeof text, "%.1100Lg", middle);
    check_number(text);
    char *exponent = strchr(text, 'e');
    if (exponent == NULL && strchr(text, '.') != NULL) {
      text[size++] = '1';
      text[size] = '\0';
      check_number(text);
    }
  }
}
END_TEST

START_TEST(not_numbers) {
  static const char *const wrong[] = {"",   ".",  "-",  "e5", "1e",   "1e+",   "1.2.3", "0x10",  "1,5",
                                      " 1", "1 ", "1f", "na", "nann", "infin", "--1",   "1e5.5", "1_000"};
  double value;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    ck_assert_msg(adl_parse_double(wrong[i], strlen(wrong[i]), &value) == ADL_NOT_ONE, "%s", wrong[i]);
  ck_assert_int_eq(adl_parse_double("NaN", 3, &value), ADL_PARSED);
  ck_assert(isnan(value));
  ck_assert_int_eq(adl_parse_double("-Infinity", 9, &value), ADL_PARSED);
  ck_assert(isinf(value) && value < 0);
}
END_TEST

/* A process whose locale writes a comma as the decimal point (if one is installed) reads the same numbers. */
START_TEST(the_locale_does_not_matter) {
  static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8", "de_DE", "fr_FR", "C.UTF-8"};
  static const char above_half[] =
      "1.00000000000000011102230246251565404236316680908203126"; /* too long for fast ways */
  int i = 0;
  while (i < 5 && (setlocale(LC_ALL, names[i]) == NULL || strcmp(localeconv()->decimal_point, ",") != 0)) i++;
  double value;
  char text[ADL_FLOAT_TEXT + 1];
  ck_assert_int_eq(adl_parse_double(above_half, strlen(above_half), &value), ADL_PARSED);
  ck_assert(same(value, 1.0000000000000002));
  text[adl_format_double(0.5, text)] = '\0';
  ck_assert_str_eq(text, "0.5");
}
END_TEST

static int significant_digits(const char *text) {
  int count = 0, zeros = 0;
  for (; *text != '\0' && *text != 'e'; text++) {
    if (*text < '0' || *text > '9' || (count == 0 && *text == '0')) continue;
    count++;
    zeros = *text == '0' ? zeros + 1 : 0;
  }
  return count - zeros;
}

/* Shortest: no precision below gives the number back. Nearest: %.*e at that precision has the same digits, if there is
 * only one such number. */
static void check_shortest(double value, bool single) {
  char text[ADL_FLOAT_TEXT + 1], other[64];
  size_t size = single ? adl_format_float((float)value, text) : adl_format_double(value, text);
  int precision = 0;
  text[size] = '\0';
  ALL(size <= ADL_FLOAT_TEXT, "%s", text);
  ALL(single ? strtof(text, NULL) == (float)value : same(strtod(text, NULL), value), "%a: %s", value, text);
  do {
    snprintf(other, sizeof other, "%.*e", precision++, value);
  } while (single ? strtof(other, NULL) != (float)value : strtod(other, NULL) != value);
  ALL(significant_digits(text) <= significant_digits(other), "%s is longer than %s", text, other);
}

START_TEST(shortest_decimals) {
  for (int i = 0; i < 50000; i++) {
    uint64_t bits = random_bits();
    double value;
    float small;
    uint32_t half = (uint32_t)bits;
    memcpy(&value, &bits, sizeof value);
    memcpy(&small, &half, sizeof small);
    if (i % 4 == 1) value = (double)(random_bits() % 1000000) / 1000;
    if (i % 4 == 2) value = ldexp(1, (int)(random_bits() % 2000) - 1000); /* uneven neighbours */
    if (isfinite(value) && value != 0) check_shortest(value, false);
    if (isfinite(small) && small != 0) check_shortest((double)small, true);
  }
}
END_TEST

static const struct {
  double value;
  const char *text;
} floats[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {100, "100"},
    {1e15, "1000000000000000"},
    {123456789012345680, "1.2345678901234568e17"},
    {1e16, "1e16"},
    {1e21, "1e21"},
    {0.00001, "0.00001"},
    {0.000001, "1e-6"},
    {2.5e-7, "2.5e-7"},
    {5e-324, "5e-324"},
    {DBL_MAX, "1.7976931348623157e308"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {9007199254740993.0, "9007199254740992"},
    {1.0 / 3, "0.3333333333333333"},
    {(double)INFINITY, "inf"},
    {-(double)INFINITY, "-inf"},
    {(double)NAN, "nan"},
    {299792.458, "299792.458"},
};

START_TEST(known_decimals) {
  char text[ADL_FLOAT_TEXT + 1];
  text[adl_format_double(floats[_i].value, text)] = '\0';
  ck_assert_str_eq(text, floats[_i].text);
}
END_TEST

START_TEST(known_float32_decimals) {
  char text[ADL_FLOAT_TEXT + 1];
  text[adl_format_float(0.1f, text)] = '\0';
  ck_assert_str_eq(text, "0.1");
  text[adl_format_float(16777216, text)] = '\0';
  ck_assert_str_eq(text, "16777216");
  text[adl_format_float(FLT_MIN, text)] = '\0';
  ck_assert_str_eq(text, "1.1754944e-38");
  text[adl_format_float(FLT_TRUE_MIN, text)] = '\0';
  ck_assert_str_eq(text, "1e-45");
}
END_TEST

/* ------------------------------------------------------------------------------------------- the other types ---- */

START_TEST(bools) {
  static const char *const yes[] = {"true", "TRUE", "True", "t", "Y", "yes", "1"}, *const no[] = {"false", "F", "n",
                                                                                                  "No", "0"};
  static const char *const neither[] = {"", "2", "tru", "truee", "on", "yes ", "nope"};
  bool value = false;
  for (int i = 0; i < 7; i++) ck_assert(adl_parse_bool(yes[i], strlen(yes[i]), &value) == ADL_PARSED && value);
  for (int i = 0; i < 5; i++) ck_assert(adl_parse_bool(no[i], strlen(no[i]), &value) == ADL_PARSED && !value);
  for (int i = 0; i < 7; i++) ck_assert_int_eq(adl_parse_bool(neither[i], strlen(neither[i]), &value), ADL_NOT_ONE);
}
END_TEST

/* Every code point is accepted in its one form; every other sequence of up to four bytes (sampled) is not. */
START_TEST(utf8) {
  for (uint32_t point = 0; point < 0x110000; point++) {
    char text[4];
    size_t size = 0;
    if (point < 0x80) {
      text[size++] = (char)point;
    } else if (point < 0x800) {
      text[size++] = (char)(0xc0 | point >> 6);
      text[size++] = (char)(0x80 | (point & 63));
    } else if (point < 0x10000) {
      text[size++] = (char)(0xe0 | point >> 12);
      text[size++] = (char)(0x80 | (point >> 6 & 63));
      text[size++] = (char)(0x80 | (point & 63));
    } else {
      text[size++] = (char)(0xf0 | point >> 18);
      text[size++] = (char)(0x80 | (point >> 12 & 63));
      text[size++] = (char)(0x80 | (point >> 6 & 63));
      text[size++] = (char)(0x80 | (point & 63));
    }
    bool surrogate = point >= 0xd800 && point < 0xe000;
    ALL(adl_utf8_valid(text, size) == !surrogate, "U+%04X", point);
    ALL(point < 0x80 || !adl_utf8_valid(text, size - 1), "U+%04X", point);
  }
  static const char *const wrong[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x28\xa1",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "\xc3\x28"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    for (size_t before = 0; before < 20; before++) {
      char text[64];
      memset(text, 'a', sizeof text);
      memcpy(text + before, wrong[i], strlen(wrong[i]));
      ck_assert_uint_eq(adl_utf8_prefix(text, before + strlen(wrong[i]) + 12), before);
    }
}
END_TEST

START_TEST(json_strings_and_base64) {
  char text[200];
  text[adl_format_json_string("a\"b\\c\n\t\r\b\f\x01\x1f\0\x7f\xc3\xa9/", 17, text)] = '\0';
  ck_assert_str_eq(text, "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f\\u0000\x7f\xc3\xa9/\"");
  static const char *const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (size_t i = 0; i < 7; i++) {
    text[adl_format_base64("foobar", i, text)] = '\0';
    ck_assert_str_eq(text, coded[i]); /* RFC 4648, section 10 */
  }
}
END_TEST

/* --------------------------------------------------------------------------------------------------- times ---- */

static const struct {
  const char *format, *text;
  int64_t value; /* INT64_MIN: is not one */
  bool day;
} times[] = {
    {"iso", "1970-01-01", 0, false},
    {"iso", "2024-02-29", INT64_C(1709164800000000), false},
    {"iso", "2024-02-29 12:34:56", INT64_C(1709210096000000), false},
    {"iso", "2024-02-29T12:34:56.5Z", INT64_C(1709210096500000), false},
    {"iso", "2024-02-29t12:34:56.1234567z", INT64_C(1709210096123456), false},
    {"iso", "2024-02-29 12:34", INT64_C(1709210040000000), false},
    {"iso", "2024-02-29 12:34+01:00", INT64_C(1709206440000000), false},
    {"iso", "2019-11-24 00:01:03.979311+00:00", INT64_C(1574553663979311), false},
    {"iso", "2024-02-29 12:34:56 UTC", INT64_C(1709210096000000), false},
    {"iso", "2024-02-29 12:34:56-0530", INT64_C(1709229896000000), false},
    {"iso", "2024-02-29 12:34:56+02", INT64_C(1709202896000000), false},
    {"iso", "2016-12-31 23:59:60", INT64_C(1483228800000000), false},
    {"iso", "0001-01-01", INT64_C(-62135596800000000), false},
    {"iso", "9999-12-31 23:59:59.999999", INT64_C(253402300799999999), false},
    {"iso", "2024-02-29 23:30:00-05:00", INT64_C(1709164800000000), true},
    {"iso", "2023-02-29", INT64_MIN, false},
    {"iso", "1900-02-29", INT64_MIN, false},
    {"iso", "2024-13-01", INT64_MIN, false},
    {"iso", "2024-00-01", INT64_MIN, false},
    {"iso", "2024-01-00", INT64_MIN, false},
    {"iso", "2024-04-31", INT64_MIN, false},
    {"iso", "+99999999-01-01", INT64_MIN, false},
    {"iso", "+9999-01-01", INT64_MIN, false},
    {"iso", "-2024-01-01", INT64_MIN, false},
    {"iso", "+02024-1-01", INT64_MIN, false},
    {"iso", "+02024", INT64_MIN, false},
    {"iso", "+", INT64_MIN, false},
    {"iso", "+294248-01-01", INT64_MIN, false},
    {"iso", "-290309-12-31", INT64_MIN, false},
    {"iso", "-290308-12-21", INT64_MIN, true},
    {"iso", "0000-01-01", INT64_C(-62167219200000000), false},
    {"iso", "0000-02-29", INT64_C(-62162121600000000), false},
    {"iso", "-00001-12-31 23:59", INT64_C(-62167219260000000), false},
    {"iso", "-00001-02-29", INT64_MIN, false},
    {"iso", "+10000-01-01T00:00:00.5+01:00", INT64_C(253402297200500000), false},
    {"iso", "+002024-02-29", INT64_C(1709164800000000), true},
    {"iso", "2024-1-1", INT64_MIN, false},
    {"iso", "2024-01-01x", INT64_MIN, false},
    {"iso", "2024-01-01 ", INT64_MIN, false},
    {"iso", "2024-01-01 24:00", INT64_MIN, false},
    {"iso", "2024-01-01 10:60", INT64_MIN, false},
    {"iso", "2024-01-01 10:00:61", INT64_MIN, false},
    {"iso", "2024-01-01 10:00:00.", INT64_MIN, false},
    {"iso", "2024-01-01 10:00:00+25:00", INT64_MIN, false},
    {"iso", "2024-01-01 10:00:00 +", INT64_MIN, false},
    {"iso", "", INT64_MIN, false},
    {"unix", "1709210096", INT64_C(1709210096000000), false},
    {"unix", "1709210096.25", INT64_C(1709210096250000), false},
    {"unix", "-1.5", -1500000, false},
    {"unix", "-1", -ADL_DAY, true},
    {"unix", "1e9", INT64_C(1000000000000000), false},
    {"unix", "-1.7092100965e9", INT64_C(-1709210096500000), false},
    {"unix", "1e-6", 1, false},
    {"unix", "-19e-7", -1, false},
    {"unix", "99999999999999999999.5e-10", INT64_C(9999999999999999), false},
    {"unix_ms", "1.7092100961234E+12", INT64_C(1709210096123400), false},
    {"unix_us", "15e-1", 1, false},
    {"unix", "1e13", INT64_MIN, false},
    {"unix", "e9", INT64_MIN, false},
    {"unix", "1e", INT64_MIN, false},
    {"unix", "inf", INT64_MIN, false},
    {"unix", "9223372036855", INT64_MIN, false},
    {"unix_ms", "1709210096123", INT64_C(1709210096123000), false},
    {"unix_us", "1709210096123456", INT64_C(1709210096123456), false},
    {"%d.%m.%Y", "29.2.2024", INT64_C(1709164800000000), false},
    {"%d/%b/%Y:%H:%M:%S %z", "29/Feb/2024:12:34:56 +0100", INT64_C(1709206496000000), false},
    {"%m/%d/%y %I:%M %p", "02/29/24 12:34 am", INT64_C(1709166840000000), false},
    {"%m/%d/%y %I:%M %p", "02/29/24 12:34 PM", INT64_C(1709210040000000), false},
    {"%A, %B %d, %Y", "thursday, february 29, 2024", INT64_C(1709164800000000), false},
    {"%F %T.%f", "2024-02-29 12:34:56.789", INT64_C(1709210096789000), false},
    {"%Y%m%d%H%M", "202402291234", INT64_C(1709210040000000), false},
    {"%s", "1709210096", INT64_C(1709210096000000), false},
    {"%y", "69", INT64_C(-31536000000000), false},
    {"%y", "68", INT64_C(3092601600000000), false},
    {"100%% %Y", "100% 1970", 0, false},
    {"%d.%m.%Y", "29.2.2024 ", INT64_MIN, false},
    {"%d.%m.%Y", "32.1.2024", INT64_MIN, false},
    {"%d.%m.%Y", "29-2-2024", INT64_MIN, false},
    {"%I", "13", INT64_MIN, false},
    {"%b", "Foo", INT64_MIN, false},
};

START_TEST(known_times) {
  adl_time_format format;
  int32_t at;
  int64_t value = 0;
  ck_assert_ptr_null(adl_time_format_set(&format, times[_i].format, &at));
  adl_parsed parsed = adl_time_parse(&format, times[_i].text, strlen(times[_i].text), times[_i].day, &value);
  ck_assert_msg((parsed == ADL_PARSED) == (times[_i].value != INT64_MIN), "%s: %d", times[_i].text, parsed);
  if (parsed == ADL_PARSED) ck_assert_msg(value == times[_i].value, "%s: %lld", times[_i].text, (long long)value);
}
END_TEST

START_TEST(wrong_formats) {
  adl_time_format format;
  int32_t at;
  ck_assert_ptr_nonnull(adl_time_format_set(&format, "ISO", &at));
  ck_assert_ptr_nonnull(adl_time_format_set(&format, "%d.%q", &at));
  ck_assert_int_eq(at, 3);
  ck_assert_ptr_nonnull(adl_time_format_set(&format, "%d.%", &at));
  ck_assert_int_eq(at, 3);
}
END_TEST

/* Every day of some centuries, and random moments, as gmtime has them; and back. */
START_TEST(times_like_gmtime) {
  adl_time_format iso;
  int32_t at;
  ck_assert_ptr_null(adl_time_format_set(&iso, "iso", &at));
  for (int64_t i = 0; i < 400000; i++) {
    int64_t seconds = i < 200000 ? (i - 60000) * 86400 : (int64_t)(random_bits() % 250000000000) - 60000000000;
    int64_t micros = i % 3 == 0   ? 0
                     : i % 3 == 1 ? 1000 * (int64_t)(random_bits() % 1000)
                                  : (int64_t)(random_bits() % 1000000);
    char wanted[96], text[ADL_TIME_TEXT];
    struct tm parts;
    time_t moment = (time_t)seconds;
    gmtime_r(&moment, &parts);
    int length = snprintf(wanted, sizeof wanted, "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                          parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    if (micros != 0)
      length += snprintf(wanted + length, 16, micros % 1000 == 0 ? ".%03d" : ".%06d",
                         (int)(micros % 1000 == 0 ? micros / 1000 : micros));
    wanted[length++] = 'Z';
    size_t size = adl_time_print(seconds * 1000000 + micros, text);
    ALL(size == (size_t)length && memcmp(text, wanted, size) == 0, "%s", wanted);
    int64_t back = 0;
    ALL(adl_time_parse(&iso, text, size, false, &back) == ADL_PARSED, "%s", wanted);
    ALL(back == seconds * 1000000 + micros, "%s", wanted);
  }
}
END_TEST

/* The usual form has a way of its own, +00 in place of Z has not: they agree, whatever is wrong in front of it. */
START_TEST(times_by_both_ways) {
  adl_time_format iso;
  int32_t at;
  int taken = 0;
  ck_assert_ptr_null(adl_time_format_set(&iso, "iso", &at));
  for (int i = 0; i < 300000; i++) {
    static const char other[] = "0123456789:-T t.Z/;\x80\xff";
    char text[] = "2024-02-29T23:59:60+00", usual[sizeof text];
    for (size_t k = 0; k < 19; k++)
      if (text[k] >= '0' && text[k] <= '9' && random_bits() % 3 == 0) text[k] = (char)('0' + random_bits() % 10);
    for (uint64_t k = random_bits() % 3; k > 0; k--)
      text[random_bits() % 19] = other[random_bits() % (sizeof other - 1)];
    memcpy(usual, text, sizeof text);
    usual[19] = 'Z';
    bool day = random_bits() % 4 == 0;
    int64_t value = 0, same = 0;
    adl_parsed general = adl_time_parse(&iso, text, 22, day, &value);
    size_t size = text[16] == ':' ? 19 + random_bits() % 2 : 20; /* else 19 may be hours and minutes with an offset */
    ALL(adl_time_parse(&iso, usual, size, day, &same) == general, "%s", text);
    ALL(value == same, "%s", text);
    taken += general == ADL_PARSED;
  }
  ck_assert_int_gt(taken, 10000);
  ck_assert_int_lt(taken, 250000);
}
END_TEST

START_TEST(times_far_away) {
  char text[ADL_TIME_TEXT + 1];
  text[adl_time_print(INT64_MAX, text)] = '\0';
  ck_assert_str_eq(text, "+294247-01-10T04:00:54.775807Z");
  text[adl_time_print(INT64_MIN, text)] = '\0';
  ck_assert_str_eq(text, "-290308-12-21T19:59:05.224192Z");
  adl_time_format iso;
  int32_t at;
  ck_assert_ptr_null(adl_time_format_set(&iso, "iso", &at));
  for (int64_t i = 0; i < 100000; i++) { /* what is written is read, whatever it is */
    int64_t value = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : (int64_t)random_bits() >> i % 8, back = 0;
    size_t size = adl_time_print(value, text);
    ALL(adl_time_parse(&iso, text, size, false, &back) == ADL_PARSED && back == value, "%lld", (long long)value);
  }
}
END_TEST

START_TEST(nearest_names) {
  static const char *const names[] = {"user", "item", "timestamp", "clicked"};
  ck_assert_int_eq(adl_nearest("usr", 4, names), 0);
  ck_assert_int_eq(adl_nearest("User", 4, names), 0);
  ck_assert_int_eq(adl_nearest("timestmap", 4, names), 2);
  ck_assert_int_eq(adl_nearest("price", 4, names), -1);
  ck_assert_int_eq(adl_nearest("x", 0, names), -1);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void) {
  Suite *suite = suite_create("csv_values");
  TCase *tcase = tcase_create("values");
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, integers, 0, COUNT(ints));
  tcase_add_test(tcase, random_integers_go_round);
  tcase_add_test(tcase, table_of_powers);
  tcase_add_test(tcase, numbers_like_strtod);
  tcase_add_test(tcase, padded_numbers_like_others);
  tcase_add_test(tcase, short_numbers_like_others);
  tcase_add_test(tcase, random_numbers_like_strtod);
  tcase_add_test(tcase, not_numbers);
  tcase_add_test(tcase, the_locale_does_not_matter);
  tcase_add_test(tcase, shortest_decimals);
  tcase_add_loop_test(tcase, known_decimals, 0, COUNT(floats));
  tcase_add_test(tcase, known_float32_decimals);
  tcase_add_test(tcase, bools);
  tcase_add_test(tcase, utf8);
  tcase_add_test(tcase, json_strings_and_base64);
  tcase_add_loop_test(tcase, known_times, 0, COUNT(times));
  tcase_add_test(tcase, wrong_formats);
  tcase_add_test(tcase, times_like_gmtime);
  tcase_add_test(tcase, times_by_both_ways);
  tcase_add_test(tcase, times_far_away);
  tcase_add_test(tcase, nearest_names);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
