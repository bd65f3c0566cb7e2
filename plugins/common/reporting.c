/* What the classes that measure share: see reporting.h. */
#include "common/reporting.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const adl_over_names[ADL_OVER_COUNT] = {"held-out", "validation", "progressive", "in-sample"};

int adl_over_of(const adl_call *call) {
  adl_split split = call->host->split(call);
  if (split == ADL_TEST) return ADL_OVER_HELD_OUT;
  if (split == ADL_VALIDATE) return ADL_OVER_VALIDATION;
  return call->host->online(call) ? ADL_OVER_PROGRESSIVE : ADL_OVER_IN_SAMPLE;
}

const char *adl_over_title(const adl_call *call, const char *name, int over) {
  size_t size = strlen(name) + strlen(adl_over_names[over]) + sizeof " ()";
  char *text = call->host->alloc(call, size);
  snprintf(text, size, "%s (%s)", name, adl_over_names[over]);
  return text;
}

const char *adl_report_name(const adl_call *call, const char *prefix, const char *name) {
  size_t size = strlen(prefix) + strlen(name) + sizeof ".";
  char *text = call->host->alloc(call, size);
  snprintf(text, size, "%s.%s", prefix, name);
  return text;
}

void adl_over_none_held_out(const adl_call *call, adl_report *report) {
  call->host->report_text(call, report, adl_over_names[ADL_OVER_HELD_OUT],
                          "undefined: there are no held-out rows; say `holdout` at the source");
}

const char *adl_report_cell(const adl_call *call, double value) {
  enum { CELL_SIZE = 48 };
  if (isnan(value)) return "undefined";
  char *text = call->host->alloc(call, CELL_SIZE);
  snprintf(text, CELL_SIZE, "%.6g", value);
  return text;
}

void adl_report_value(const adl_call *call, adl_report *report, int over, const char *name, double value, double low,
                      double high, const char *reason) {
  if (!isnan(value)) {
    call->host->report_number(call, report, adl_over_names[over], name, value, low, high);
    return;
  }
  char text[128];
  snprintf(text, sizeof text, "undefined: %s", reason);
  call->host->report_text(call, report, adl_over_title(call, name, over), text);
}

/* Longest text of a value that is no string. */
enum { VALUE_SIZE = 32 };

int64_t adl_value_room(const adl_column *column, int64_t rows) {
  int64_t longest = VALUE_SIZE;
  if (column->type.element == ADL_STRING)
    for (int64_t row = 0; row < rows; row++)
      if (adl_text_at(column, row).size > longest) longest = adl_text_at(column, row).size;
  return longest;
}

int64_t adl_value_print(const adl_column *column, int64_t row, char *to) {
  char text[VALUE_SIZE];
  int size;
  if (adl_is_null(column, row)) {
    size = snprintf(text, sizeof text, "null");
  } else if (column->type.element == ADL_STRING) {
    adl_text string = adl_text_at(column, row);
    if (string.size > 0) memcpy(to, string.data, (size_t)string.size);
    return string.size;
  } else if (column->type.element == ADL_BOOL) {
    size = snprintf(text, sizeof text, "%s", adl_number_at(column, row) != 0 ? "true" : "false");
  } else if (column->type.element == ADL_INT64) {
    size = snprintf(text, sizeof text, "%lld", (long long)((const int64_t *)column->data)[row]);
  } else {
    size = snprintf(text, sizeof text, "%.0f", adl_number_at(column, row));
  }
  memcpy(to, text, (size_t)size);
  return size;
}

const char *adl_text_shown(const adl_call *call, adl_text text, int32_t longest) {
  int32_t shown = text.size;
  if (shown > longest)
    for (shown = longest; shown > 0 && ((unsigned char)text.data[shown] & 0xc0) == 0x80;) shown--;
  char *copy = call->host->alloc(call, (size_t)shown + 4);
  if (shown > 0) memcpy(copy, text.data, (size_t)shown);
  strcpy(copy + shown, shown < text.size ? "..." : "");
  return copy;
}
