/* The numbers of a chart as JSON for the script that makes it answer the pointer. */
#include <string.h>

#include "core/base/text.h"
#include "core/report/chart_parts.h"
#include "core/report/html.h"

/* No character that means anything to HTML or XML. */
static void append_text(GString *out, const char *text) {
  char *valid = g_utf8_make_valid(text, -1);
  g_string_append_c(out, '"');
  for (const char *c = valid; *c != '\0'; c++) {
    unsigned char byte = (unsigned char)*c;
    if (byte < 0x20 || byte == 0x7f || strchr("<>&\"'\\", *c) != NULL)
      g_string_append_printf(out, "\\u%04x", byte);
    else
      g_string_append_c(out, *c);
  }
  g_string_append_c(out, '"');
  g_free(valid);
}

/* As many digits as can be seen: a cloud has many points, and nobody reads a fifth digit of one. */
static void append_number(GString *out, double value, int digits) {
  char text[ADL_TEXT_DOUBLE] = "null";
  if (adl_chart_sane(value)) adl_text_significant(text, value, digits);
  g_string_append(out, text);
}

static bool whole_at(double value) { return value == floor(value) && fabs(value) < 1e15; }

static void append_member(GString *out, const char *name, const char *text) {
  g_string_append_printf(out, ",\"%s\":", name);
  append_text(out, text);
}

static void append_numbers(GString *out, const adl_plot *plot, const adl_series *series, const char *name,
                           const double *values) {
  bool first = true;
  g_string_append_printf(out, ",\"%s\":[", name);
  for (int64_t i = 0; i < series->count; i++) {
    if (!adl_chart_kept(plot, series, i)) continue;
    if (!first) g_string_append_c(out, ',');
    first = false;
    append_number(out, values[i], plot->kind == ADL_PLOT_POINTS ? 4 : whole_at(values[i]) ? 15 : 6);
  }
  g_string_append_c(out, ']');
}

static void append_labels(GString *out, const adl_plot *plot, const adl_series *series) {
  bool first = true;
  g_string_append(out, ",\"labels\":[");
  for (int64_t i = 0; i < series->count; i++) {
    if (!adl_chart_kept(plot, series, i)) continue;
    if (!first) g_string_append_c(out, ',');
    first = false;
    append_text(out, series->labels[i]);
  }
  g_string_append_c(out, ']');
}

static void append_series(GString *out, const adl_plot *plot, const adl_series *series) {
  g_string_append(out, "{\"name\":");
  append_text(out, series->name != NULL ? series->name : "");
  append_numbers(out, plot, series, "x", series->x);
  append_numbers(out, plot, series, "y", series->y);
  if (series->low != NULL && series->high != NULL) {
    append_numbers(out, plot, series, "low", series->low);
    append_numbers(out, plot, series, "high", series->high);
  }
  if (series->labels != NULL) append_labels(out, plot, series);
  g_string_append_c(out, '}');
}

static void append_range(GString *out, const char *name, const adl_chart_axis *axis) {
  g_string_append_printf(out, "\"%s\":[", name);
  append_number(out, axis->low, 9);
  g_string_append_c(out, ',');
  append_number(out, axis->high, 9);
  g_string_append_c(out, ']');
}

void adl_chart_json(GString *out, const adl_plot *plot, const adl_chart_axis *x, const adl_chart_axis *y) {
  static const char *const kinds[] = {"line", "bars", "points"};
  g_string_append_printf(out, "<script type=\"application/json\">{\"kind\":\"%s\"",
                         kinds[plot->kind <= ADL_PLOT_POINTS ? plot->kind : ADL_PLOT_LINE]);
  append_member(out, "x", plot->x_title);
  append_member(out, "y", plot->y_title);
  if ((plot->flags & ADL_PLOT_SHARES) != 0) g_string_append(out, ",\"shares\":true");
  if (x->logarithmic) g_string_append(out, ",\"log\":true");
  if (x->whole) g_string_append(out, ",\"whole\":true");
  g_string_append(out, ",\"range\":{");
  append_range(out, "x", x);
  g_string_append_c(out, ',');
  append_range(out, "y", y);
  g_string_append(out, "},\"series\":[");
  for (int32_t s = 0; s < plot->series_count; s++) {
    if (s > 0) g_string_append_c(out, ',');
    append_series(out, plot, plot->series[s]);
  }
  g_string_append(out, "]}</script>");
}
