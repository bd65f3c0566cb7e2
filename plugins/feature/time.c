/* time: what a timestamp says to a model: hour, weekday, season, age. Nothing is learned. */
#include <adloom/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "common/times.h"

typedef enum time_part {
  MINUTE,
  HOUR,
  WEEKDAY,
  HOUR_OF_WEEK,
  DAY,
  DAY_OF_YEAR,
  MONTH,
  YEAR,
  WEEKEND,
  CYCLIC_HOUR,
  CYCLIC_WEEKDAY,
  CYCLIC_MONTH,
  AGE,
  PARTS
} time_part;

static const char *const part_names[PARTS] = {
    "minute", "hour",    "weekday",     "hour_of_week",   "day",          "day_of_year", "month",
    "year",   "weekend", "cyclic_hour", "cyclic_weekday", "cyclic_month", "age"};

typedef struct made {
  time_part part;
  int32_t slot;
  char *name; /* CYCLIC: for its dimensions */
} made;

typedef struct time_parts {
  adl_input column, as_of;
  adl_strings parts;
  const char *prefix, *offset;
  made *outputs; /* as many as parts */
  int64_t ahead; /* microseconds that local time is ahead of UTC */
} time_parts;

static bool is_cyclic(time_part part) { return part == CYCLIC_HOUR || part == CYCLIC_WEEKDAY || part == CYCLIC_MONTH; }

static adl_type type_of(time_part part) {
  switch (part) {
    case WEEKEND: return (adl_type){.element = ADL_BOOL};
    case AGE: return (adl_type){.element = ADL_FLOAT64};
    case YEAR:
    case DAY_OF_YEAR: return (adl_type){.element = ADL_INT32};
    case CYCLIC_HOUR:
    case CYCLIC_WEEKDAY:
    case CYCLIC_MONTH: return (adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR, .width = 2};
    default: return (adl_type){.element = ADL_INT32, .role = ADL_CATEGORY};
  }
}

/* ---- a moment ---- */

typedef struct moment {
  int64_t year, day_of_year, days_in_year; /* day_of_year from 0 */
  int month, day, weekday;                 /* weekday from 0, a Monday */
  int64_t within;                          /* microseconds since midnight */
} moment;

static moment moment_of(int64_t local) {
  moment when;
  int64_t days = local / ADL_DAY - (local % ADL_DAY < 0);
  when.within = local - days * ADL_DAY;
  adl_civil_from_days(days, &when.year, &when.month, &when.day);
  int64_t first = adl_days_from_civil(when.year, 1, 1);
  when.day_of_year = days - first;
  when.days_in_year = adl_days_from_civil(when.year + 1, 1, 1) - first;
  when.weekday = (int)(((days + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
  return when;
}

static int32_t number_of(time_part part, const moment *when) {
  int32_t minutes = (int32_t)(when->within / (ADL_DAY / 1440)), hour = minutes / 60;
  switch (part) {
    case MINUTE: return minutes % 60;
    case HOUR: return hour;
    case WEEKDAY: return when->weekday + 1;
    case HOUR_OF_WEEK: return 24 * when->weekday + hour;
    case DAY: return when->day;
    case DAY_OF_YEAR: return (int32_t)when->day_of_year + 1;
    case MONTH: return when->month;
    default: return (int32_t)when->year;
  }
}

/* How much of the period has gone by, 0 to 1. */
static double turn_of(time_part part, const moment *when) {
  double day = (double)when->within / (double)ADL_DAY;
  if (part == CYCLIC_HOUR) return day;
  if (part == CYCLIC_WEEKDAY) return (when->weekday + day) / 7;
  return ((double)when->day_of_year + day) / (double)when->days_in_year;
}

/* ---- rows ---- */

static void give_null(time_part part, int64_t row, const adl_buffers *to) {
  adl_bit_set(to->validity, row, false);
  switch (type_of(part).element) {
    case ADL_BOOL: adl_bit_set(to->data, row, false); break;
    case ADL_FLOAT64: ((double *)to->data)[row] = 0; break;
    case ADL_FLOAT32: ((float *)to->data)[2 * row] = ((float *)to->data)[2 * row + 1] = 0; break;
    default: ((int32_t *)to->data)[row] = 0; break;
  }
}

static void give(time_part part, const moment *when, int64_t row, const adl_buffers *to) {
  if (part == WEEKEND) {
    adl_bit_set(to->data, row, when->weekday >= 5);
  } else if (is_cyclic(part)) {
    double angle = 2 * 3.14159265358979323846 * turn_of(part, when);
    ((float *)to->data)[2 * row] = (float)sin(angle);
    ((float *)to->data)[2 * row + 1] = (float)cos(angle);
  } else {
    ((int32_t *)to->data)[row] = number_of(part, when);
  }
}

static void give_ages(const adl_column *column, const adl_column *as_of, const adl_buffers *to) {
  const int64_t *from = column->data, *until = as_of->data;
  for (int64_t row = 0; row < column->rows; row++) {
    if (adl_is_null(column, row) || adl_is_null(as_of, row))
      give_null(AGE, row, to);
    else
      ((double *)to->data)[row] = ((double)until[row] - (double)from[row]) / (double)ADL_DAY;
  }
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const time_parts *self = instance;
  const adl_column *column = batch->slots[self->column.slot];
  int64_t count = 0;
  adl_buffers *to = host->alloc(call, (size_t)self->parts.count * sizeof *to);
  time_part *parts = host->alloc(call, (size_t)self->parts.count * sizeof *parts);
  (void)model;
  for (int64_t i = 0; i < self->parts.count; i++) {
    const made *output = &self->outputs[i];
    if (!host->wanted(call, output->slot)) continue;
    ADL_TRY(host->reserve(call, out, output->slot, batch->rows, 0, 0, &to[count]));
    if (output->part == AGE)
      give_ages(column, batch->slots[self->as_of.slot], &to[count]);
    else
      parts[count++] = output->part;
  }
  for (int64_t row = 0; count > 0 && row < batch->rows; row++) {
    int64_t local;
    /* The first or last hours of what 64 bits hold: there is no local time. */
    bool none =
        adl_is_null(column, row) || __builtin_add_overflow(((const int64_t *)column->data)[row], self->ahead, &local);
    moment when = moment_of(none ? 0 : local);
    for (int64_t i = 0; i < count; i++) {
      if (none)
        give_null(parts[i], row, &to[i]);
      else
        give(parts[i], &when, row, &to[i]);
    }
  }
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status set_offset(const adl_call *call, time_parts *self) {
  static const char midnight[] = "1970-01-01T00:00:00";
  adl_time_format iso = {.kind = ADL_TIME_ISO};
  char text[sizeof midnight + 16];
  size_t size = strlen(self->offset);
  int64_t value = 0;
  bool good = size > 0 && size < 16 && strchr("+-ZzUG", self->offset[0]) != NULL;
  if (good) {
    snprintf(text, sizeof text, "%s%s", midnight, self->offset);
    good = adl_time_parse(&iso, text, strlen(text), false, &value) == ADL_PARSED;
  }
  if (!good)
    return call->host->fail(call, "offset", -1, "write it like +08:00, -05:30 or Z", "\"%s\" is not an offset from UTC",
                            self->offset);
  self->ahead = -value; /* midnight there is that much earlier in UTC */
  return ADL_OK;
}

/* "parts[1]" of part_names. */
static adl_status find_part(const adl_call *call, const time_parts *self, int64_t i, time_part *found) {
  const adl_host *host = call->host;
  const char *name = self->parts.items[i];
  char parameter[40], hint[64] = "";
  snprintf(parameter, sizeof parameter, "parts[%lld]", (long long)i);
  for (int64_t j = 0; j < i; j++)
    if (strcmp(self->parts.items[j], name) == 0)
      return host->fail(call, parameter, -1, "name it once", "%s is named twice", name);
  for (*found = MINUTE; *found < PARTS; (*found)++)
    if (strcmp(part_names[*found], name) == 0) break;
  if (*found == PARTS) {
    int32_t near = adl_nearest(name, PARTS, part_names);
    if (near >= 0) snprintf(hint, sizeof hint, "did you mean `%s`?", part_names[near]);
    return host->fail(
        call, parameter, -1, near >= 0 ? hint : NULL,
        "`%s` is not a part; there are minute, hour, weekday, hour_of_week, day, day_of_year, month, year, "
        "weekend, cyclic_hour, cyclic_weekday, cyclic_month and age",
        name);
  }
  if (*found == AGE && self->as_of.slot < 0)
    return host->fail(call, parameter, -1, "give `as_of`, for example `timestamp('2024-07-01')`",
                      "an age needs the time at which it is taken");
  return ADL_OK;
}

static adl_status declare_part(const adl_call *call, const time_parts *self, made *output) {
  const char *prefix = self->prefix != NULL ? self->prefix : self->column.name;
  size_t room = strlen(prefix) + 32;
  output->name = malloc(room);
  if (output->name == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  snprintf(output->name, room, "%s%s%s", prefix, *prefix != '\0' ? "_" : "", part_names[output->part]);
  return call->host->declare_named(call, "parts", output->name, type_of(output->part), &output->slot);
}

static adl_status bind(const adl_call *call, void *instance) {
  time_parts *self = instance;
  adl_status status = set_offset(call, self);
  self->outputs = calloc((size_t)self->parts.count, sizeof *self->outputs);
  if (self->outputs == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  for (int64_t i = 0; i < self->parts.count; i++)
    if (find_part(call, self, i, &self->outputs[i].part) != ADL_OK ||
        declare_part(call, self, &self->outputs[i]) != ADL_OK)
      status = ADL_FAILED;
  return status;
}

/* The dimensions of the pairs: at_cyclic_hour.sin, at_cyclic_hour.cos. */
static adl_status start(const adl_call *call, void *instance) {
  const time_parts *self = instance;
  for (int64_t i = 0; i < self->parts.count; i++) {
    const made *output = &self->outputs[i];
    if (!is_cyclic(output->part)) continue;
    int64_t size = (int64_t)strlen(output->name) + 4;
    char *bytes = call->host->alloc(call, 2 * (size_t)size + 1);
    const int64_t offsets[3] = {0, size, 2 * size};
    snprintf(bytes, 2 * (size_t)size + 1, "%s.sin%s.cos", output->name, output->name);
    ADL_TRY(call->host->set_names(call, output->slot, 2, offsets, bytes));
  }
  return ADL_OK;
}

static void destroy(void *instance) {
  time_parts *self = instance;
  for (int64_t i = 0; self->outputs != NULL && i < self->parts.count; i++) free(self->outputs[i].name);
  free(self->outputs);
}

static const adl_param params[] = {
    {.name = "column",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(time_parts, column),
     .elements = ADL_MASK(ADL_TIMESTAMP),
     .doc = "The timestamp."},
    {.name = "parts",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(time_parts, parts),
     .doc =
         "New columns. Categories: minute (0 to 59), hour (0 to 23), weekday (Monday is 1, Sunday 7), hour_of_week (0 "
         "to 167), day (of the month), month. Numbers: day_of_year (from 1), year. A bool: weekend (Saturday and "
         "Sunday). Pairs of sine and cosine: cyclic_hour (the time of the day), cyclic_weekday (the place in the "
         "week), cyclic_month (the place in the year). age: days until `as_of`, with a fraction."},
    {.name = "prefix",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(time_parts, prefix),
     .doc =
         "The new columns are named PREFIX_PART, at_hour for example. Not given: the name of the timestamp. \"\": the "
         "part alone."},
    {.name = "offset",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(time_parts, offset),
     .default_value = "Z",
     .doc =
         "How far local time is ahead of UTC, in which timestamps are kept: +08:00 for Shanghai. The same all year."},
    {.name = "as_of",
     .type = ADL_PARAM_EXPRESSION,
     .flags = ADL_NULLS_PASS,
     .offset = offsetof(time_parts, as_of),
     .elements = ADL_MASK(ADL_TIMESTAMP),
     .doc = "When age is taken: another column, or a fixed time such as timestamp('2024-07-01')."},
};

static const char doc[] =
    "Takes apart a timestamp. Whole numbers such as the hour are categories, for onehot and hash: 23 is no larger than "
    "0. Where a number is needed that knows midnight to be next to 23:59, take a cyclic part: the sine and the cosine "
    "of the angle that a hand has turned by then, which goes round once a day, week or year (Mardia and Jupp, "
    "Directional Statistics, 2000). It moves with every minute, not by the hour.\n\n"
    "Weekdays are those of ISO 8601. The place in the year is counted in days of that year, 365 or 366. Summer time is "
    "not known; where it matters, give the standard offset, so that hours mean the same all year.\n\n"
    "A null gives null, and so does an age when `as_of` is null. An age is negative for what comes later.";

static const adl_class time_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "time",
    .title = "Hour, weekday, season and age of timestamps",
    .doc = doc,
    .flags = ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(time_parts),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .process = process,
};

ADL_PLUGIN_OF("time", "1.0.0", "feature:time", &time_class);
