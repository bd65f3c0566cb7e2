/* Values as text for people: peek, reports, messages about rows. */
#include <glib.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "core/data/array.h"
#include "core/data/blocks.h"

/* Shortest decimal text that reads back as the same number. */
static void append_number(GString *text, double value, bool narrow) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  int most = narrow ? 9 : 17;
  if (isnan(value) || isinf(value)) {
    g_string_append(text, isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf");
    return;
  }
  for (int digits = narrow ? 6 : 15; digits <= most; digits++) {
    char format[8];
    g_snprintf(format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd(buffer, sizeof buffer, format, value);
    double back = g_ascii_strtod(buffer, NULL);
    if (narrow ? (float)back == (float)value : back == value) break;
  }
  g_string_append(text, buffer);
}

/* 2024-06-01T12:00:00Z; microseconds when there are any; the bare number beyond the years that people write. */
static void append_timestamp(GString *text, int64_t microseconds) {
  int64_t second = microseconds / 1000000, fraction = microseconds % 1000000;
  if (fraction < 0) {
    fraction += 1000000;
    second--;
  }
  time_t time = (time_t)second;
  struct tm date;
  if (gmtime_r(&time, &date) == NULL || date.tm_year < -1899 || date.tm_year > 8099) {
    g_string_append_printf(text, "%" G_GINT64_FORMAT " us", microseconds);
    return;
  }
  g_string_append_printf(text, "%04d-%02d-%02dT%02d:%02d:%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
                         date.tm_hour, date.tm_min, date.tm_sec);
  if (fraction != 0) g_string_append_printf(text, ".%06d", (int)fraction);
  g_string_append_c(text, 'Z');
}

/* Neither a control character nor what is escaped inside quotes. */
static bool is_plain(unsigned char c) { return c >= 0x20 && c != 0x7f && c != '"' && c != '\\'; }

/* Inside lists strings are quoted, so that a comma in one is not taken for the list's. `limit` bytes are enough. */
static void append_string(GString *text, adl_text value, bool quoted, int64_t limit) {
  int64_t size = limit > 0 ? MIN(value.size, limit) : value.size;
  if (quoted) g_string_append_c(text, '"');
  for (int64_t i = 0; i < size; i++) {
    int64_t plain = i; /* most are plain to their end */
    while (plain < size && is_plain((unsigned char)value.data[plain])) plain++;
    if (plain > i) g_string_append_len(text, value.data + i, plain - i);
    if (plain == size) break;
    i = plain;
    unsigned char c = (unsigned char)value.data[i];
    if (quoted && (c == '"' || c == '\\')) g_string_append_c(text, '\\');
    if (c < 0x20 || c == 0x7f)
      g_string_append_printf(text, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\x%02x", c);
    else
      g_string_append_c(text, (char)c);
  }
  if (quoted) g_string_append_c(text, '"');
}

static void append_bytes(GString *text, adl_text value, int64_t limit) {
  int64_t size = limit > 0 ? MIN(value.size, limit) : value.size;
  for (int64_t i = 0; i < size; i++) g_string_append_printf(text, "%02x", (unsigned char)value.data[i]);
}

static void append_item(GString *text, const adl_column *column, int64_t at, bool quoted, int64_t limit) {
  switch (column->type.element) {
    case ADL_BOOL: g_string_append(text, adl_bit(column->data, at) ? "true" : "false"); break;
    case ADL_INT32: g_string_append_printf(text, "%d", ((const int32_t *)column->data)[at]); break;
    case ADL_UINT32: g_string_append_printf(text, "%u", ((const uint32_t *)column->data)[at]); break;
    case ADL_INT64: g_string_append_printf(text, "%" G_GINT64_FORMAT, ((const int64_t *)column->data)[at]); break;
    case ADL_TIMESTAMP: append_timestamp(text, ((const int64_t *)column->data)[at]); break;
    case ADL_FLOAT32: append_number(text, (double)((const float *)column->data)[at], true); break;
    case ADL_FLOAT64: append_number(text, ((const double *)column->data)[at], false); break;
    case ADL_BYTES: append_bytes(text, adl_text_at(column, at), limit); break;
    default: append_string(text, adl_text_at(column, at), quoted, limit); break;
  }
}

static bool full(const GString *text, gsize start, int64_t limit) {
  return limit > 0 && (int64_t)(text->len - start) > limit;
}

static void append_items(GString *text, const adl_column *column, int64_t row, int64_t limit) {
  gsize start = text->len;
  bool pairs = column->type.shape == ADL_SPARSE || column->type.shape == ADL_BAG;
  int64_t width = column->type.width;
  int64_t first = column->offsets != NULL ? column->offsets[row] : row * width;
  int64_t end = column->offsets != NULL ? column->offsets[row + 1] : first + width;
  g_string_append_c(text, pairs ? '{' : '[');
  for (int64_t i = first; i < end && !full(text, start, limit); i++) {
    if (i > first) g_string_append(text, ", ");
    if (column->index != NULL) g_string_append_printf(text, "%u: ", column->index[i]);
    append_item(text, column, i, true, limit);
    if (column->weights != NULL) {
      g_string_append(text, ": ");
      append_number(text, (double)column->weights[i], true);
    }
  }
  g_string_append_c(text, pairs ? '}' : ']');
}

/* Cuts what was appended to `limit` bytes, never inside a character. */
static void cut(GString *text, gsize start, int64_t limit) {
  if (!full(text, start, limit)) return;
  gsize keep = limit > 3 ? (gsize)limit - 3 : 0;
  while (keep > 0 && ((unsigned char)text->str[start + keep] & 0xc0) == 0x80) keep--;
  g_string_truncate(text, start + keep);
  if (limit >= 3) g_string_append(text, "...");
}

void adl_array_text(const adl_column *column, int64_t row, int64_t limit, GString *text) {
  gsize start = text->len;
  /* One byte more than the limit tells that there is more. */
  int64_t enough = limit > 0 ? limit + 1 : 0;
  if (adl_is_null(column, row))
    g_string_append(text, "null");
  else if (column->type.shape == ADL_SCALAR)
    append_item(text, column, row, false, enough);
  else
    append_items(text, column, row, enough);
  cut(text, start, limit);
}
