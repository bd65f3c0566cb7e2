/* Points in time as text, see times.h. The calendar is Howard Hinnant's ("chrono-compatible low-level date algorithms"). */
#include "common/times.h"

#include <stdio.h>

typedef struct moment {
  int64_t year;
  int month, day, hour, minute, second;
  int64_t micro;
  int64_t offset;   /* seconds east of UTC */
  int64_t unix_sec; /* %s */
  bool has_unix, afternoon, has_half, twelve;
} moment;

int64_t adl_days_from_civil(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void adl_civil_from_days(int64_t days, int64_t *year, int *month, int *day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t of_era = days - era * 146097;
  int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
  *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
  *year = years + era * 400 + (*month <= 2);
}

/* Whether the fields name a real moment; its value. A leap second counts as the first second after it. */
static adl_parsed put_together(const moment *when, bool day_only, int64_t *value) {
  static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (when->has_unix) {
    int64_t micros = when->unix_sec * 1000000 + when->micro;
    int64_t rest = ((micros % ADL_DAY) + ADL_DAY) % ADL_DAY;
    *value = day_only ? micros - rest : micros;
    return ADL_PARSED;
  }
  if (when->month < 1 || when->month > 12 || when->day < 1) return ADL_NOT_ONE;
  bool leap = when->year % 4 == 0 && (when->year % 100 != 0 || when->year % 400 == 0);
  if (when->day > lengths[when->month - 1] + (when->month == 2 && leap)) return ADL_NOT_ONE;
  if (when->hour > 23 || when->minute > 59 || when->second > 60) return ADL_NOT_ONE;
  int64_t days = adl_days_from_civil(when->year, when->month, when->day);
  int64_t seconds = when->hour * 3600 + when->minute * 60 + when->second - when->offset;
  __int128 micros = (__int128)days * ADL_DAY + (day_only ? 0 : seconds * 1000000 + when->micro);
  *value = (int64_t)micros;
  return *value == micros ? ADL_PARSED : ADL_OUT_OF_RANGE;
}

/* ------------------------------------------------------------------------------------------- pieces of text ---- */

typedef struct cursor {
  const char *at, *end;
} cursor;

static bool take_char(cursor *in, char c) {
  if (in->at == in->end || *in->at != c) return false;
  in->at++;
  return true;
}

/* Between `least` and `most` digits. */
static bool take_number(cursor *in, int least, int most, int64_t *value) {
  int count = 0;
  *value = 0;
  while (count < most && in->at < in->end && (unsigned char)(*in->at - '0') < 10) {
    *value = 10 * *value + (*in->at++ - '0');
    count++;
  }
  return count >= least;
}

static bool take_small(cursor *in, int least, int most, int *value) {
  int64_t wide;
  bool good = take_number(in, least, most, &wide);
  *value = (int)wide;
  return good;
}

/* Digits of a fraction, at least one: microseconds, further digits cut off. */
static bool take_fraction(cursor *in, int64_t *micro) {
  int count = 0;
  *micro = 0;
  for (; in->at < in->end && (unsigned char)(*in->at - '0') < 10; in->at++, count++)
    if (count < 6) *micro = 10 * *micro + (*in->at - '0');
  for (int i = count; i < 6; i++) *micro *= 10;
  return count > 0;
}

/* Z, UTC, GMT, +hh, +hhmm, +hh:mm */
static bool take_offset(cursor *in, int64_t *offset) {
  size_t left = (size_t)(in->end - in->at);
  *offset = 0;
  if (take_char(in, 'Z') || take_char(in, 'z')) return true;
  if (left >= 3 && (memcmp(in->at, "UTC", 3) == 0 || memcmp(in->at, "GMT", 3) == 0)) {
    in->at += 3;
    return true;
  }
  bool west = take_char(in, '-');
  if (!west && !take_char(in, '+')) return false;
  int64_t hours, minutes = 0;
  if (!take_number(in, 2, 2, &hours) || hours > 23) return false;
  if (take_char(in, ':') || (in->at < in->end && (unsigned char)(*in->at - '0') < 10))
    if (!take_number(in, 2, 2, &minutes) || minutes > 59) return false;
  *offset = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

/* ----------------------------------------------------------------------------------------------------- ISO ---- */

static bool two_digits(const char *text, int *value) {
  unsigned tens = (unsigned char)(text[0] - '0'), ones = (unsigned char)(text[1] - '0');
  *value = (int)(10 * tens + ones);
  return tens < 10 && ones < 10;
}

/* Eight bytes that must be digits, and at `fixed` what `like` has there: each digit's value, 0 at the others. False: they
 * are not. */
static inline bool take_eight(const char *text, uint64_t like, uint64_t fixed, uint64_t *digits) {
  uint64_t word = adl_load_little(text) ^ like;
  *digits = word;
  return ((((word + UINT64_C(0x7676767676767676)) | word) & UINT64_C(0x8080808080808080)) | (word & fixed)) == 0;
}

/* The number whose first digit is at byte `at`. */
static inline int pair(uint64_t pairs, int at) { return (int)(pairs >> 8 * at & 0xff); }

/* YYYY-MM-DDTHH:MM:SS, perhaps with a Z, which is nearly all that is read; false: another form, or wrong. */
static inline bool take_usual(const char *text, size_t size, moment *when) {
  uint64_t date, hours, clock;
  if ((size != 19 && size != 20) || (size == 20 && text[19] != 'Z')) return false;
  bool apart = text[10] == 'T' || text[10] == ' ';
  uint64_t between = text[10] == 'T' ? UINT64_C(0x540000) : UINT64_C(0x200000);
  if (!apart || !take_eight(text, UINT64_C(0x2d30302d30303030), UINT64_C(0xff0000ff00000000), &date) ||
      !take_eight(text + 8, UINT64_C(0x30303a3030003030) | between, UINT64_C(0x0000ff0000ff0000), &hours) ||
      !take_eight(text + 11, UINT64_C(0x30303a30303a3030), UINT64_C(0x0000ff0000ff0000), &clock))
    return false;
  date = date * 10 + (date >> 8);
  hours = hours * 10 + (hours >> 8);
  clock = clock * 10 + (clock >> 8);
  when->year = 100 * pair(date, 0) + pair(date, 2);
  when->month = pair(date, 5);
  when->day = pair(hours, 0);
  when->hour = pair(clock, 0);
  when->minute = pair(clock, 3);
  when->second = pair(clock, 6);
  return true;
}

/* YYYY-, or with a sign and more digits, as adl_time_print has years before 0 and after 9999. Leaves a text of ten bytes or
 * more, with its first - at the fifth. */
static bool take_year(const char **text, size_t *size, int64_t *year) {
  int century, of_century;
  if (*size > 0 && (**text == '+' || **text == '-')) {
    cursor in = {*text + 1, *text + *size};
    if (!take_number(&in, 5, 6, year)) return false;
    if (**text == '-') *year = -*year;
    *text = in.at - 4;
    *size = (size_t)(in.end - *text);
    return *size >= 10 && (*text)[4] == '-';
  }
  if (*size < 10 || (*text)[4] != '-' || !two_digits(*text, &century) || !two_digits(*text + 2, &of_century))
    return false;
  *year = 100 * century + of_century;
  return true;
}

static adl_parsed parse_iso(const char *text, size_t size, bool day_only, int64_t *value) {
  moment usual = {0};
  if (take_usual(text, size, &usual)) return put_together(&usual, day_only, value);
  moment when = {0};
  if (!take_year(&text, &size, &when.year) || text[7] != '-' || !two_digits(text + 5, &when.month) ||
      !two_digits(text + 8, &when.day))
    return ADL_NOT_ONE;
  if (size == 10) return put_together(&when, day_only, value);
  if (size < 16 || (text[10] != ' ' && text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      !two_digits(text + 11, &when.hour) || !two_digits(text + 14, &when.minute))
    return ADL_NOT_ONE;
  cursor in = {text + 16, text + size};
  if (size >= 19 && text[16] == ':') {
    if (!two_digits(text + 17, &when.second)) return ADL_NOT_ONE;
    in.at = text + 19;
    if (take_char(&in, '.') && !take_fraction(&in, &when.micro)) return ADL_NOT_ONE;
  }
  if (in.at < in.end) {
    take_char(&in, ' ');
    if (!take_offset(&in, &when.offset) || in.at < in.end) return ADL_NOT_ONE;
  }
  return put_together(&when, day_only, value);
}

/* ----------------------------------------------------------------------------------------- since 1970 ---- */

/* A decimal number of units, without rounding through a double; what is less than a microsecond is cut off. */
static adl_parsed parse_unix(const char *text, size_t size, int64_t unit, bool day_only, int64_t *value) {
  cursor in = {text, text + size};
  const char *point = memchr(text, '.', size);
  int64_t whole, micro = 0, product;
  adl_parsed parsed = adl_parse_int64(text, point != NULL ? (size_t)(point - text) : size, &whole);
  if (parsed == ADL_PARSED && point != NULL) {
    in.at = point + 1;
    if (!take_fraction(&in, &micro) || in.at < in.end) parsed = ADL_NOT_ONE;
    micro = micro * unit / 1000000;
  }
  if (parsed == ADL_PARSED) {
    if (*text == '-') micro = -micro;
    if (__builtin_mul_overflow(whole, unit, &product) || __builtin_add_overflow(product, micro, &product))
      return ADL_OUT_OF_RANGE;
  } else { /* with an exponent, perhaps */
    parsed = adl_parse_scaled(text, size, unit == 1 ? 0 : unit == 1000 ? 3 : 6, true, &product);
    if (parsed != ADL_PARSED) return parsed;
  }
  if (product < INT64_MIN + ADL_DAY) return ADL_OUT_OF_RANGE;
  int64_t rest = ((product % ADL_DAY) + ADL_DAY) % ADL_DAY;
  *value = day_only ? product - rest : product;
  return ADL_PARSED;
}

/* ------------------------------------------------------------------------------------------------ patterns ---- */

static bool take_name(cursor *in, const char *const *names, int count, int *number) {
  for (int i = 0; i < count; i++) {
    size_t full = strlen(names[i]), left = (size_t)(in->end - in->at);
    for (int pass = 0; pass < 2; pass++) { /* the whole name, then its first three letters */
      size_t length = pass == 0 ? full : 3, same = 0;
      while (same < length && same < left && (in->at[same] | 0x20) == (names[i][same] | 0x20)) same++;
      if (same == length) {
        in->at += length;
        *number = i + 1;
        return true;
      }
    }
  }
  return false;
}

static bool take_directive(cursor *in, char directive, moment *when) {
  static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
  static const char *const days[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
  int small;
  switch (directive) {
    case 'Y': return take_number(in, 4, 4, &when->year);
    case 'y': /* POSIX: 69 to 99 are the last century's */
      if (!take_number(in, 2, 2, &when->year)) return false;
      when->year += when->year < 69 ? 2000 : 1900;
      return true;
    case 'm': return take_small(in, 1, 2, &when->month);
    case 'd':
    case 'e': take_char(in, ' '); return take_small(in, 1, 2, &when->day);
    case 'H': return take_small(in, 1, 2, &when->hour);
    case 'I': when->twelve = true; return take_small(in, 1, 2, &when->hour) && when->hour >= 1 && when->hour <= 12;
    case 'M': return take_small(in, 1, 2, &when->minute);
    case 'S': return take_small(in, 1, 2, &when->second);
    case 'f': return take_fraction(in, &when->micro);
    case 'z': return take_offset(in, &when->offset);
    case 'b':
    case 'B': return take_name(in, months, 12, &when->month);
    case 'a':
    case 'A': return take_name(in, days, 7, &small);
    case 'p':
      if (in->end - in->at < 2 || (in->at[1] | 0x20) != 'm' || ((in->at[0] | 0x20) != 'a' && (in->at[0] | 0x20) != 'p'))
        return false;
      when->afternoon = (in->at[0] | 0x20) == 'p';
      when->has_half = true;
      in->at += 2;
      return true;
    case 's': when->has_unix = true; return take_number(in, 1, 12, &when->unix_sec);
    case '%': return take_char(in, '%');
    default: return false;
  }
}

static bool take_pattern(cursor *in, const char *pattern, moment *when) {
  for (; *pattern != '\0'; pattern++) {
    if (*pattern == ' ') { /* any number of blanks */
      while (take_char(in, ' ') || take_char(in, '\t')) {}
      continue;
    }
    if (*pattern != '%') {
      if (!take_char(in, *pattern)) return false;
      continue;
    }
    pattern++;
    const char *longer = *pattern == 'T'   ? "%H:%M:%S"
                         : *pattern == 'F' ? "%Y-%m-%d"
                         : *pattern == 'D' ? "%m/%d/%y"
                                           : NULL;
    if (longer != NULL ? !take_pattern(in, longer, when) : !take_directive(in, *pattern, when)) return false;
  }
  return true;
}

static adl_parsed parse_pattern(const char *pattern, const char *text, size_t size, bool day_only, int64_t *value) {
  moment when = {.year = 1970, .month = 1, .day = 1};
  cursor in = {text, text + size};
  if (!take_pattern(&in, pattern, &when) || in.at < in.end) return ADL_NOT_ONE;
  if (when.twelve) when.hour = when.hour % 12 + (when.has_half && when.afternoon ? 12 : 0);
  return put_together(&when, day_only, value);
}

/* ------------------------------------------------------------------------------------------------ the whole ---- */

const char *adl_time_format_set(adl_time_format *format, const char *text, int32_t *at) {
  *at = 0;
  *format = (adl_time_format){ADL_TIME_ISO, 1, text};
  if (strcmp(text, "iso") == 0) return NULL;
  int64_t unit = strcmp(text, "unix") == 0      ? 1000000
                 : strcmp(text, "unix_ms") == 0 ? 1000
                                                : strcmp(text, "unix_us") == 0;
  if (unit != 0) {
    *format = (adl_time_format){ADL_TIME_UNIX, unit, text};
    return NULL;
  }
  if (strchr(text, '%') == NULL) return "is neither iso, unix, unix_ms, unix_us nor a pattern such as %d.%m.%Y %H:%M";
  format->kind = ADL_TIME_PATTERN;
  for (const char *c = text; *c != '\0'; c++) {
    if (*c != '%') continue;
    *at = (int32_t)(c - text);
    if (c[1] == '\0' || strchr("YymdeHIMSfzbBaApsTFD%", c[1]) == NULL)
      return "has a directive that is not one of %Y %y %m %d %e %H %I %M %S %f %z %b %B %a %A %p %s %T %F %D %%";
    c++;
  }
  *at = 0;
  return NULL;
}

adl_parsed adl_time_parse(const adl_time_format *format, const char *text, size_t size, bool day_only, int64_t *value) {
  switch (format->kind) {
    case ADL_TIME_ISO: return parse_iso(text, size, day_only, value);
    case ADL_TIME_UNIX: return parse_unix(text, size, format->unit, day_only, value);
    default: return parse_pattern(format->pattern, text, size, day_only, value);
  }
}

size_t adl_time_print(int64_t value, char text[ADL_TIME_TEXT]) {
  int64_t of_day = ((value % ADL_DAY) + ADL_DAY) % ADL_DAY, year;
  int64_t days = value / ADL_DAY - (value % ADL_DAY < 0);
  int month, day, second = (int)(of_day / 1000000), micro = (int)(of_day % 1000000);
  adl_civil_from_days(days, &year, &month, &day);
  int length =
      snprintf(text, ADL_TIME_TEXT,
               year >= 0 && year <= 9999 ? "%04lld-%02d-%02dT%02d:%02d:%02d" : "%+06lld-%02d-%02dT%02d:%02d:%02d",
               (long long)year, month, day, second / 3600, second / 60 % 60, second % 60);
  if (micro % 1000 != 0)
    length += snprintf(text + length, ADL_TIME_TEXT - (size_t)length, ".%06d", micro);
  else if (micro != 0)
    length += snprintf(text + length, ADL_TIME_TEXT - (size_t)length, ".%03d", micro / 1000);
  text[length] = 'Z';
  return (size_t)length + 1;
}
