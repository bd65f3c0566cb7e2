/* Bars that have names lie on their side, a line for each, so that the names can be read. */
#include "core/report/chart_parts.h"
#include "core/report/html.h"

enum {
  WIDTH = 420,
  NAME_COLUMNS = 26, /* of a terminal */
  COLUMN_WIDTH = 6,
  VALUE_ROOM = 44,
  BAR = 10,
  GAP = 6,
  BELOW = 36
};

typedef struct layout {
  const adl_plot *plot;
  const adl_chart_axis *values;
  int64_t lines;
  double bar, pitch; /* of one bar; from a line to the next */
} layout;

static int64_t lines_of(const adl_plot *plot) {
  int64_t lines = 0;
  for (int32_t s = 0; s < plot->series_count; s++) lines = MAX(lines, plot->series[s]->count);
  return MIN(lines, adl_chart_most(plot));
}

static const char *name_of(const adl_plot *plot, int64_t line) {
  for (int32_t s = 0; s < plot->series_count; s++) {
    const adl_series *series = plot->series[s];
    if (series->labels != NULL && line < series->count) return series->labels[line];
  }
  return "";
}

static bool span(const adl_plot *plot, adl_chart_axis *values) {
  int64_t count = 0;
  *values = (adl_chart_axis){0};
  for (int32_t s = 0; s < plot->series_count; s++) {
    const adl_series *series = plot->series[s];
    for (int64_t i = 0; i < series->count; i++) {
      if (!adl_chart_kept(plot, series, i) || !adl_chart_drawn(series, i)) continue;
      bool range = adl_chart_interval_drawn(series, i);
      values->low = fmin(values->low, range ? fmin(series->y[i], series->low[i]) : series->y[i]);
      values->high = fmax(values->high, range ? fmax(series->y[i], series->high[i]) : series->y[i]);
      count++;
    }
  }
  if (!(values->high - values->low > 0)) values->high = 1;
  return count > 0;
}

static double name_width(const adl_plot *plot, int64_t lines) {
  int most = 0;
  for (int64_t i = 0; i < lines; i++) most = MAX(most, adl_html_columns(name_of(plot, i), NAME_COLUMNS));
  return 12 + COLUMN_WIDTH * MIN(most, NAME_COLUMNS);
}

static void draw_axis(GString *out, const layout *l) {
  const adl_chart_axis *values = l->values;
  double bottom = (double)l->lines * l->pitch + GAP;
  for (int i = 0; i < values->count; i++) {
    double x = adl_chart_at(values, values->ticks[i]);
    GString *text = adl_chart_label(values->ticks[i]);
    adl_chart_line(out, values->ticks[i] == 0 ? "axis" : "grid", x, 0, x, bottom);
    adl_chart_text(out, x, bottom + 13, "middle", text->str);
    g_string_free(text, TRUE);
  }
  GString *title = g_string_new(NULL);
  adl_html_text_cut(title, l->plot->y_title, 50);
  adl_chart_text(out, (values->begin + values->end) / 2, bottom + 30, "middle", title->str);
  g_string_free(title, TRUE);
}

static void draw_bar(GString *out, const layout *l, const adl_series *series, int64_t i, double top) {
  double zero = adl_chart_at(l->values, 0), end = adl_chart_at(l->values, series->y[i]);
  adl_chart_rectangle(out, "fill", fmin(zero, end), top, fmax(fabs(end - zero), 0.5), l->bar);
  if (adl_chart_interval_drawn(series, i))
    adl_chart_line(out, "whisker over", adl_chart_at(l->values, series->low[i]), top + l->bar / 2,
                   adl_chart_at(l->values, series->high[i]), top + l->bar / 2);
  if (l->plot->series_count > 1) return;
  double furthest = adl_chart_interval_drawn(series, i) ? adl_chart_at(l->values, series->high[i]) : end;
  GString *text = adl_chart_label(series->y[i]);
  adl_chart_text(out, fmax(fmax(zero, end), furthest) + 5, top + l->bar - 1, "start", text->str);
  g_string_free(text, TRUE);
}

bool adl_chart_bars(GString *out, const adl_plot *plot, adl_chart_axis *values) {
  layout l = {.plot = plot, .values = values, .lines = lines_of(plot)};
  if (!span(plot, values)) return false;
  l.bar = plot->series_count > 1 ? 0.7 * BAR : BAR;
  l.pitch = l.bar * plot->series_count + GAP;
  values->begin = name_width(plot, l.lines);
  values->end = WIDTH - VALUE_ROOM;
  adl_chart_choose_ticks(values, 4);
  adl_chart_begin(out, plot, WIDTH, (int)((double)l.lines * l.pitch) + GAP + BELOW);
  draw_axis(out, &l);
  for (int64_t i = 0; i < l.lines; i++) {
    GString *name = g_string_new(NULL);
    double top = (double)i * l.pitch + GAP;
    adl_html_text_cut(name, name_of(plot, i), NAME_COLUMNS);
    g_string_append(out, "<g class=\"named\">");
    adl_chart_text(out, values->begin - 6, top + l.bar * plot->series_count / 2 + 4, "end", name->str);
    g_string_append(out, "</g>");
    g_string_free(name, TRUE);
    for (int32_t s = 0; s < plot->series_count; s++) {
      const adl_series *series = plot->series[s];
      if (i >= series->count || !adl_chart_drawn(series, i)) continue;
      g_string_append_printf(out, "<g class=\"s%d\">", s % ADL_CHART_COLOURS);
      draw_bar(out, &l, series, i, top + s * l.bar);
      g_string_append(out, "</g>");
    }
  }
  g_string_append(out, "</svg>");
  return true;
}
