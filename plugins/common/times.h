/* Points in time as text, both ways: ISO 8601, strptime-like patterns, seconds since 1970. Used by sources and sinks.
 * Everything is UTC and microseconds since 1970-01-01T00:00:00; nothing depends on the locale or the time zone. */
#ifndef ADLOOM_PLUGINS_COMMON_TIMES_H
#define ADLOOM_PLUGINS_COMMON_TIMES_H

#include "common/convert.h"

#define ADL_DAY INT64_C(86400000000) /* microseconds */

typedef enum adl_time_kind { ADL_TIME_ISO, ADL_TIME_UNIX, ADL_TIME_PATTERN } adl_time_kind;

typedef struct adl_time_format {
  adl_time_kind kind;
  int64_t unit;        /* UNIX: microseconds in one unit */
  const char *pattern; /* PATTERN: not copied */
} adl_time_format;

/* "iso", "unix", "unix_ms", "unix_us", or a pattern with %. NULL when it is one of these; else a sentence that says what
 * is wrong at text[*at]. The pattern is kept by reference. */
const char *adl_time_format_set(adl_time_format *format, const char *text, int32_t *at);

/* ISO: YYYY-MM-DD (years of five or six digits have a sign: +10000, -00001), then optionally T or a blank,
 * HH:MM[:SS[.fraction]] and Z, UTC or an offset (+hh, +hhmm, +hh:mm). Without an offset the time is UTC. Digits of a
 * fraction behind the sixth are cut off. With `day_only` the value is 00:00 UTC of the day as it is written, whatever the
 * time and offset behind it. */
adl_parsed adl_time_parse(const adl_time_format *format, const char *text, size_t size, bool day_only, int64_t *value);

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar. */
int64_t adl_days_from_civil(int64_t year, int month, int day);
void adl_civil_from_days(int64_t days, int64_t *year, int *month, int *day);

#define ADL_TIME_TEXT 40

/* 2024-01-31T09:30:00Z, with three or six decimals when there is a fraction. Returns the length; no NUL is added. */
size_t adl_time_print(int64_t value, char text[ADL_TIME_TEXT]);

#endif
