/* Timestamps and the calendar: text to microseconds UTC and back, proleptic Gregorian. Called by types.c for constants
 * and by kernels_time.c for columns. Days and dates convert by Howard Hinnant's formulas ("chrono-Compatible Low-Level
 * Date Algorithms", days_from_civil and civil_from_days): years begin in March, eras have 400 years. */
#include <stdio.h>
#include <string.h>

#include "core/expr/internal.h"

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static int64_t days_of(int64_t year, int32_t month, int32_t day) {
  year -= month <= 2;
  int64_t era = floor_div(year, 400), of_era = year - era * 400;
  int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

adl_expr_civil adl_expr_time_civil(int64_t us) {
  adl_expr_civil civil;
  int64_t days = floor_div(us, ADL_EXPR_DAY_US), rest = us - days * ADL_EXPR_DAY_US;
  int64_t shifted = days + 719468, era = floor_div(shifted, 146097), of_era = shifted - era * 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
  civil.day = (int32_t)(of_year - (153 * month + 2) / 5 + 1);
  civil.month = (int32_t)(month < 10 ? month + 3 : month - 9);
  civil.year = year + era * 400 + (civil.month <= 2);
  civil.hour = (int32_t)(rest / INT64_C(3600000000));
  civil.minute = (int32_t)(rest / 60000000 % 60);
  civil.second = (int32_t)(rest / 1000000 % 60);
  civil.microsecond = (int32_t)(rest % 1000000);
  return civil;
}

int adl_expr_time_text(int64_t us, char buffer[48]) {
  adl_expr_civil civil = adl_expr_time_civil(us);
  int size = snprintf(buffer, 48, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)civil.year, (int)civil.month,
                      (int)civil.day, (int)civil.hour, (int)civil.minute, (int)civil.second);
  if (civil.microsecond != 0) size += snprintf(buffer + size, (size_t)(48 - size), ".%06d", (int)civil.microsecond);
  return size + snprintf(buffer + size, (size_t)(48 - size), "Z");
}

typedef struct reader {
  const char *at, *end;
} reader;

/* Exactly `digits` digits. */
static bool read_digits(reader *r, int digits, int32_t *value) {
  *value = 0;
  if (r->end - r->at < digits) return false;
  for (int i = 0; i < digits; i++, r->at++) {
    if (*r->at < '0' || *r->at > '9') return false;
    *value = *value * 10 + (*r->at - '0');
  }
  return true;
}

static bool read_character(reader *r, char c) {
  if (r->at >= r->end || *r->at != c) return false;
  r->at++;
  return true;
}

/* Up to 9 digits behind the point; what is finer than a microsecond is cut off. */
static bool read_fraction(reader *r, int64_t *us) {
  int digits = 0;
  *us = 0;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
    if (++digits > 9) return false;
    if (digits <= 6) *us = *us * 10 + (*r->at - '0');
  }
  for (int i = digits; i < 6; i++) *us *= 10;
  return digits > 0;
}

/* Z, +02:00, +0200, +02, or nothing. */
static bool read_zone(reader *r, int64_t *us) {
  int32_t hours, minutes = 0;
  *us = 0;
  if (r->at == r->end || (read_character(r, 'Z') && r->at == r->end)) return true;
  bool minus = read_character(r, '-');
  if (!minus && !read_character(r, '+')) return false;
  if (!read_digits(r, 2, &hours)) return false;
  bool colon = read_character(r, ':');
  if ((colon || r->at < r->end) && !read_digits(r, 2, &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  *us = ((int64_t)hours * 60 + minutes) * 60000000 * (minus ? -1 : 1);
  return r->at == r->end;
}

static bool read_clock(reader *r, int64_t *us) {
  int32_t hour, minute, second = 0;
  int64_t fraction = 0;
  if (!read_digits(r, 2, &hour) || !read_character(r, ':') || !read_digits(r, 2, &minute)) return false;
  if (read_character(r, ':')) {
    if (!read_digits(r, 2, &second)) return false;
    if (read_character(r, '.') && !read_fraction(r, &fraction)) return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *us = (((int64_t)hour * 60 + minute) * 60 + second) * 1000000 + fraction;
  return true;
}

bool adl_expr_time_parse(const char *text, int64_t size, int64_t *us) {
  static const int32_t month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  reader r = {text, text + size};
  int32_t year, month, day;
  int64_t clock = 0, zone = 0;
  while (r.at < r.end && *r.at == ' ') r.at++;
  while (r.end > r.at && r.end[-1] == ' ') r.end--;
  if (!read_digits(&r, 4, &year) || !read_character(&r, '-') || !read_digits(&r, 2, &month) ||
      !read_character(&r, '-') || !read_digits(&r, 2, &day)) {
    return false;
  }
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1] + (month == 2 && leap)) return false;
  if (r.at < r.end) {
    if (!read_character(&r, 'T') && !read_character(&r, ' ')) return false;
    if (!read_clock(&r, &clock) || !read_zone(&r, &zone)) return false;
  }
  *us = days_of(year, month, day) * ADL_EXPR_DAY_US + clock - zone;
  return true;
}
