#include "core/base/text.h"
#include "core/engine/reports.h"

#include <math.h>
#include <string.h>

#include "core/engine/internal.h"

struct adl_report {
  int unused; /* plugins see a pointer only; everything is found through the call */
};

static void free_series(adl_series *series) {
  g_free((gpointer)series->name);
  const double *const numbers[] = {series->x, series->y, series->low, series->high};
  for (int i = 0; i < 4; i++) g_free((gpointer)numbers[i]);
  g_strfreev((char **)series->labels);
  g_free(series);
}

void adl_report_plot_free(adl_plot *plot) {
  if (plot == NULL) return;
  g_free((gpointer)plot->name);
  for (int32_t s = 0; s < plot->series_count; s++) free_series((adl_series *)plot->series[s]);
  g_free((gpointer)plot->series);
  g_free((gpointer)plot->x_title);
  g_free((gpointer)plot->y_title);
  g_free(plot);
}

static void free_item(gpointer data) {
  adl_report_item *item = data;
  g_free(item->over);
  g_free(item->name);
  g_free(item->text);
  g_strfreev(item->titles);
  g_strfreev(item->cells);
  adl_report_plot_free(item->plot);
  g_free(item);
}

adl_report_data *adl_report_data_new(void) {
  adl_report_data *data = g_new0(adl_report_data, 1);
  data->items = g_ptr_array_new_with_free_func(free_item);
  return data;
}

void adl_report_data_free(adl_report_data *data) {
  if (data == NULL) return;
  g_ptr_array_free(data->items, TRUE);
  g_free(data);
}

static adl_report_item *add(const adl_call *call, adl_report_kind kind, const char *name) {
  adl_context *context = adl_context_of(call);
  adl_report_item *item = g_new0(adl_report_item, 1);
  item->kind = kind;
  item->stage = context->stage->name;
  item->name = g_strdup(name);
  item->over = g_strdup("");
  g_ptr_array_add(context->run->engine->reports->items, item);
  return item;
}

static void host_report_number(const adl_call *call, adl_report *report, const char *over, const char *name,
                               double value, double low, double high) {
  (void)report;
  adl_report_item *item = add(call, ADL_REPORT_NUMBER, name);
  g_free(item->over);
  item->over = g_strdup(over != NULL ? over : "");
  item->value = value;
  item->low = low;
  item->high = high;
}

static void host_report_text(const adl_call *call, adl_report *report, const char *name, const char *text) {
  (void)report;
  add(call, ADL_REPORT_TEXT, name)->text = g_strdup(text);
}

static char **copy_texts(const char *const *texts, int64_t count) {
  char **copy = g_new0(char *, (gsize)count + 1);
  for (int64_t i = 0; i < count; i++) copy[i] = g_strdup(texts[i] != NULL ? texts[i] : "");
  return copy;
}

static void host_report_table(const adl_call *call, adl_report *report, const char *name, int32_t columns,
                              const char *const *titles, int64_t rows, const char *const *cells) {
  (void)report;
  adl_report_item *item = add(call, ADL_REPORT_TABLE, name);
  item->columns = columns;
  item->rows = rows;
  item->titles = copy_texts(titles, columns);
  item->cells = copy_texts(cells, rows * columns);
}

static const double *copy_numbers(const double *numbers, int64_t count) {
  return numbers != NULL ? g_memdup2(numbers, (gsize)count * sizeof *numbers) : NULL;
}

static adl_series *copy_series(const adl_series *given) {
  adl_series *copy = g_new0(adl_series, 1);
  memcpy(copy, given, MIN(given->struct_size, sizeof *copy));
  copy->struct_size = sizeof *copy;
  copy->name = g_strdup(copy->name);
  copy->x = copy_numbers(copy->x, copy->count);
  copy->y = copy_numbers(copy->y, copy->count);
  copy->low = copy_numbers(copy->low, copy->count);
  copy->high = copy_numbers(copy->high, copy->count);
  if (copy->labels != NULL) copy->labels = (const char *const *)copy_texts(copy->labels, copy->count);
  return copy;
}

adl_plot *adl_report_plot_copy(const adl_plot *given) {
  adl_plot *plot = g_new0(adl_plot, 1);
  memcpy(plot, given, MIN(given->struct_size, sizeof *plot));
  plot->struct_size = sizeof *plot;
  plot->name = g_strdup(plot->name != NULL ? plot->name : "");
  plot->x_title = g_strdup(plot->x_title != NULL ? plot->x_title : "");
  plot->y_title = g_strdup(plot->y_title != NULL ? plot->y_title : "");
  const adl_series **series = g_new(const adl_series *, (gsize)plot->series_count + 1);
  for (int32_t s = 0; s < plot->series_count; s++) series[s] = copy_series(plot->series[s]);
  plot->series = series;
  return plot;
}

static void host_report_plot(const adl_call *call, adl_report *report, const adl_plot *plot) {
  (void)report;
  adl_plot *copy = adl_report_plot_copy(plot);
  add(call, ADL_REPORT_PLOT, copy->name)->plot = copy;
}

void adl_report_fill(adl_host *host) {
  host->report_number = host_report_number;
  host->report_text = host_report_text;
  host->report_table = host_report_table;
  host->report_plot = host_report_plot;
}

double adl_report_find(const adl_report_data *data, const char *stage, const char *over, const char *name) {
  for (guint i = 0; i < data->items->len; i++) {
    const adl_report_item *item = data->items->pdata[i];
    if (item->kind == ADL_REPORT_NUMBER && strcmp(item->stage, stage) == 0 && strcmp(item->over, over) == 0 &&
        strcmp(item->name, name) == 0)
      return item->value;
  }
  return NAN;
}

/* ---- JSON ---- */

static void add_number(JsonBuilder *builder, double value) {
  if (isfinite(value))
    json_builder_add_double_value(builder, value);
  else
    json_builder_add_null_value(builder);
}

static void add_member(JsonBuilder *builder, const char *name, const char *text) {
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, text);
}

static void add_texts(JsonBuilder *builder, char *const *texts, int64_t count) {
  json_builder_begin_array(builder);
  for (int64_t i = 0; i < count; i++) json_builder_add_string_value(builder, texts[i]);
  json_builder_end_array(builder);
}

static void add_doubles(JsonBuilder *builder, const char *name, const double *values, int64_t count) {
  json_builder_set_member_name(builder, name);
  json_builder_begin_array(builder);
  for (int64_t i = 0; i < count; i++) add_number(builder, values[i]);
  json_builder_end_array(builder);
}

static void number_json(JsonBuilder *builder, const adl_report_item *item) {
  if (item->over[0] != '\0') add_member(builder, "over", item->over);
  json_builder_set_member_name(builder, "value");
  add_number(builder, item->value);
  if (!isfinite(item->low) || !isfinite(item->high)) return;
  json_builder_set_member_name(builder, "low");
  json_builder_add_double_value(builder, item->low);
  json_builder_set_member_name(builder, "high");
  json_builder_add_double_value(builder, item->high);
}

static void series_json(JsonBuilder *builder, const adl_series *series) {
  if (series->name != NULL) add_member(builder, "name", series->name);
  add_doubles(builder, "x", series->x, series->count);
  add_doubles(builder, "y", series->y, series->count);
  if (series->low != NULL) add_doubles(builder, "low", series->low, series->count);
  if (series->high != NULL) add_doubles(builder, "high", series->high, series->count);
  if (series->labels == NULL) return;
  json_builder_set_member_name(builder, "labels");
  add_texts(builder, (char *const *)series->labels, series->count);
}

/* The members of a plot's only series stand in the plot itself. */
static void plot_json(JsonBuilder *builder, const adl_plot *plot) {
  static const char *const kinds[] = {"line", "bars", "points"};
  add_member(builder, "shape", kinds[plot->kind <= ADL_PLOT_POINTS ? plot->kind : ADL_PLOT_LINE]);
  add_member(builder, "x_title", plot->x_title);
  add_member(builder, "y_title", plot->y_title);
  if (plot->series_count == 1) {
    series_json(builder, plot->series[0]);
    return;
  }
  json_builder_set_member_name(builder, "series");
  json_builder_begin_array(builder);
  for (int32_t s = 0; s < plot->series_count; s++) {
    json_builder_begin_object(builder);
    series_json(builder, plot->series[s]);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

static void item_json(JsonBuilder *builder, const adl_report_item *item) {
  static const char *const kinds[] = {"number", "text", "table", "plot"};
  json_builder_begin_object(builder);
  add_member(builder, "stage", item->stage);
  add_member(builder, "kind", kinds[item->kind]);
  add_member(builder, "name", item->name);
  switch (item->kind) {
    case ADL_REPORT_NUMBER: number_json(builder, item); break;
    case ADL_REPORT_TEXT: add_member(builder, "text", item->text); break;
    case ADL_REPORT_TABLE:
      json_builder_set_member_name(builder, "columns");
      add_texts(builder, item->titles, item->columns);
      json_builder_set_member_name(builder, "rows");
      json_builder_begin_array(builder);
      for (int64_t r = 0; r < item->rows; r++) add_texts(builder, item->cells + r * item->columns, item->columns);
      json_builder_end_array(builder);
      break;
    case ADL_REPORT_PLOT: plot_json(builder, item->plot); break;
  }
  json_builder_end_object(builder);
}

void adl_report_json(const adl_report_data *data, JsonBuilder *builder) {
  json_builder_begin_array(builder);
  for (guint i = 0; i < data->items->len; i++) item_json(builder, data->items->pdata[i]);
  json_builder_end_array(builder);
}
