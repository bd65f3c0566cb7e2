/* How the columns that sources read are distributed, from a sample of their rows: small histograms of numbers, the most
 * frequent of other values. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/sample.h"
#include "core/report/chart.h"
#include "core/report/html.h"
#include "core/report/sections.h"

enum { BINS = 24, MOST_COLUMNS = 100, FREQUENT = 4, TEXT_COLUMNS = 18 };

/* ---- numbers ---- */

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void append_time(GString *out, double microseconds) {
  GDateTime *time = g_date_time_new_from_unix_utc((gint64)floor(microseconds / 1e6));
  char *text = time != NULL ? g_date_time_format(time, "%Y-%m-%d") : NULL;
  adl_html_text(out, text != NULL ? text : "?");
  g_free(text);
  if (time != NULL) g_date_time_unref(time);
}

static void append_value(GString *out, double value, bool time) {
  if (time)
    append_time(out, value);
  else
    adl_html_number(out, value);
}

/* Values above 0 that span much, most of them small, are shown by their logarithms. */
static bool wants_logarithm(const double *sorted, int64_t count) {
  return sorted[0] > 0 && sorted[count - 1] > 100 * sorted[0] && sorted[count / 2] < sorted[count - 1] / 10;
}

static void append_histogram(GString *out, const double *sorted, int64_t count, bool logarithmic) {
  double bins[BINS] = {0}, low = logarithmic ? log(sorted[0]) : sorted[0];
  double high = logarithmic ? log(sorted[count - 1]) : sorted[count - 1];
  double span = high / 2 - low / 2; /* halves: the whole may be more than a double holds */
  for (int64_t i = 0; i < count; i++) {
    double value = logarithmic ? log(sorted[i]) : sorted[i];
    double share = span > 0 ? (value / 2 - low / 2) / span : 0.5;
    bins[CLAMP((int)(share * BINS), 0, BINS - 1)]++;
  }
  adl_chart_bins(out, bins, BINS);
}

static void append_numbers(GString *out, const adl_sample_row *rows, int64_t count, int32_t column, bool time) {
  double *sorted = g_new(double, (gsize)count + 1);
  int64_t known = 0;
  for (int64_t i = 0; i < count; i++)
    if (isfinite(rows[i].values[column].number)) sorted[known++] = rows[i].values[column].number;
  qsort(sorted, (size_t)known, sizeof *sorted, by_value);
  g_string_append(out, "<td>");
  if (known > 0) {
    bool logarithmic = !time && wants_logarithm(sorted, known);
    append_histogram(out, sorted, known, logarithmic);
    g_string_append(out, logarithmic ? " <small>log</small></td><td>" : "</td><td>");
    append_value(out, sorted[0], time);
    g_string_append(out, " to ");
    append_value(out, sorted[known - 1], time);
    g_string_append(out, ", <small>half below</small> ");
    append_value(out, sorted[known / 2], time);
  } else {
    g_string_append(out, "</td><td class=\"muted\">none");
  }
  g_string_append(out, "</td>");
  g_free(sorted);
}

/* ---- other values ---- */

typedef struct value_count {
  const char *text;
  int64_t count;
} value_count;

static bool comes_first(const value_count *a, const value_count *b) {
  return a->count != b->count ? a->count > b->count : strcmp(a->text, b->text) < 0;
}

/* The most frequent values, at most BINS of them, in order. Returns how many different ones there are. */
static int64_t count_values(const char *const *texts, int64_t known, value_count *top) {
  GHashTable *counts = g_hash_table_new(g_str_hash, g_str_equal);
  for (int64_t i = 0; i < known; i++) {
    gsize count = GPOINTER_TO_SIZE(g_hash_table_lookup(counts, texts[i]));
    g_hash_table_replace(counts, (gpointer)texts[i], GSIZE_TO_POINTER(count + 1));
  }
  int64_t different = (int64_t)g_hash_table_size(counts), kept = 0;
  GHashTableIter iter;
  gpointer text, count;
  g_hash_table_iter_init(&iter, counts);
  while (g_hash_table_iter_next(&iter, &text, &count)) {
    value_count value = {text, (int64_t)GPOINTER_TO_SIZE(count)};
    if (kept == BINS && !comes_first(&value, &top[BINS - 1])) continue;
    int64_t at = kept < BINS ? kept++ : BINS - 1;
    for (; at > 0 && comes_first(&value, &top[at - 1]); at--) top[at] = top[at - 1];
    top[at] = value;
  }
  g_hash_table_destroy(counts);
  return different;
}

static void append_frequent(GString *out, const value_count *values, int64_t different, int64_t known) {
  for (int64_t i = 0; i < different && i < FREQUENT; i++) {
    g_string_append(out, i > 0 ? " · " : "");
    adl_html_text_cut(out, values[i].text, TEXT_COLUMNS);
    g_string_append(out, " <small>");
    adl_html_number(out, round(1000 * (double)values[i].count / (double)known) / 10);
    g_string_append(out, " %</small>");
  }
}

static void append_texts(GString *out, const adl_sample_row *rows, int64_t count, int32_t column) {
  const char **texts = g_new(const char *, (gsize)count + 1);
  value_count values[BINS] = {0};
  double bins[BINS] = {0};
  int64_t known = 0;
  for (int64_t i = 0; i < count; i++)
    if (rows[i].values[column].text != NULL) texts[known++] = rows[i].values[column].text;
  int64_t different = count_values(texts, known, values);
  g_string_append(out, "<td>");
  for (int64_t i = 0; i < different && i < BINS; i++) bins[i] = (double)values[i].count;
  if (different > 1 && values[0].count > 1) adl_chart_bins(out, bins, (int)MIN(different, BINS));
  g_string_append(out, "</td><td class=\"wide\">");
  if (known == 0)
    g_string_append(out, "<span class=\"muted\">none</span>");
  else if (values[0].count == 1 && different > 1)
    g_string_append(out, "<small>all different, as</small> ");
  if (known > 0 && values[0].count == 1)
    adl_html_text_cut(out, values[0].text, 3 * TEXT_COLUMNS);
  else if (known > 0)
    append_frequent(out, values, different, known);
  if (different > FREQUENT && values[0].count > 1) {
    g_string_append(out, " <small>of ");
    adl_html_count(out, different);
    g_string_append(out, "</small>");
  }
  g_string_append(out, "</td>");
  g_free(texts);
}

/* ---- the table ---- */

static bool is_shown(const adl_page *page, const adl_stage *stage, int32_t column) {
  return adl_engine_nulls(page->engine, stage, column) >= 0 &&
         stage->schema.columns[column].field->type.shape == ADL_SCALAR;
}

static void append_column(const adl_page *page, const adl_stage *stage, int32_t column, const adl_sample_row *rows,
                          int64_t count) {
  adl_type type = stage->schema.columns[column].field->type;
  char name[96];
  g_string_append(page->out, "<tr>");
  adl_html_element(page->out, "td", stage->name);
  adl_html_element(page->out, "td", stage->schema.columns[column].name);
  adl_html_element(page->out, "td class=\"muted\"", adl_type_name(type, name, sizeof name));
  if (adl_sample_is_number(type))
    append_numbers(page->out, rows, count, column, type.element == ADL_TIMESTAMP);
  else
    append_texts(page->out, rows, count, column);
  g_string_append(page->out, "</tr>\n");
}

void adl_page_distributions(const adl_page *page) {
  GString *out = page->out;
  int64_t shown = 0;
  for (guint i = 0; i < page->graph->stages->len; i++) {
    const adl_stage *stage = page->graph->stages->pdata[i];
    int64_t count = 0;
    const adl_sample_row *rows = adl_engine_sample(page->engine, stage, &count);
    for (int32_t c = 0; count > 0 && c < stage->schema.count; c++) {
      if (!is_shown(page, stage, c) || shown++ >= MOST_COLUMNS) continue;
      if (shown == 1)
        g_string_append(out, "<div class=\"scroll\"><table><caption>Distributions</caption><thead><tr><th>source</th>"
                             "<th>column</th><th>type</th><th></th><th>values</th></tr></thead><tbody>\n");
      append_column(page, stage, c, rows, count);
    }
  }
  if (shown == 0) return;
  g_string_append_printf(
      out,
      "</tbody></table></div>\n<p class=\"muted\">From %d rows of each source, drawn by the seed, or "
      "all of them.",
      ADL_SAMPLE_ROWS);
  if (shown > MOST_COLUMNS)
    g_string_append_printf(out, " %" G_GINT64_FORMAT " more columns are not shown.", shown - MOST_COLUMNS);
  g_string_append(out, "</p>\n");
}
