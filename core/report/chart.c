#include "core/report/chart.h"

#include <math.h>
#include <string.h>

#include "core/report/chart_parts.h"
#include "core/report/html.h"

enum {
  WIDTH = 420,
  HEIGHT = 260,
  TOP = 10,
  RIGHT = 14,
  BOTTOM = 44,
  CHARACTER = 6, /* about how wide one of a tick's label is */
  MOST_POINTS = 1000,
  MOST_BARS = 200,
  MOST_NAMED = 40,
  FEW = 40 /* points of a line that are drawn one by one */
};

typedef adl_chart_axis axis;

int64_t adl_chart_most(const adl_plot *plot) {
  if (plot->kind != ADL_PLOT_BARS) return MOST_POINTS;
  return adl_chart_is_named(plot) ? MOST_NAMED : MOST_BARS;
}

bool adl_chart_kept(const adl_plot *plot, const adl_series *series, int64_t i) {
  int64_t most = adl_chart_most(plot), every = (series->count + most - 1) / most;
  if (plot->kind == ADL_PLOT_BARS || plot->kind == ADL_PLOT_POINTS) return i < most;
  return i % every == 0 || i + 1 == series->count;
}

bool adl_chart_is_named(const adl_plot *plot) {
  bool named = false;
  for (int32_t s = 0; s < plot->series_count; s++) named = named || plot->series[s]->labels != NULL;
  return plot->kind == ADL_PLOT_BARS && named;
}

static double scaled(const axis *a, double value) { return a->logarithmic ? log10(value) : value; }

double adl_chart_at(const axis *a, double value) {
  double share = (scaled(a, value) - scaled(a, a->low)) / (scaled(a, a->high) - scaled(a, a->low));
  return a->begin + share * (a->end - a->begin);
}

/* 1, 2 or 5 times a power of ten, so that about `wanted` of them fit. */
static double nice_step(double range, int wanted) {
  double rough = range / wanted, power = pow(10, floor(log10(rough))), lead = rough / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

void adl_chart_choose_ticks(axis *a, int wanted) {
  a->count = 0;
  if (a->logarithmic) {
    int from = (int)ceil(log10(a->low) - 1e-9), to = (int)floor(log10(a->high) + 1e-9), every = (to - from) / 6 + 1;
    for (int power = from; power <= to && a->count < ADL_CHART_TICKS; power += every)
      a->ticks[a->count++] = pow(10, power);
    return;
  }
  double step = nice_step(a->high - a->low, wanted);
  if (a->whole && step < 1) step = 1;
  for (double k = ceil(a->low / step - 1e-9); k * step <= a->high + step * 1e-9 && a->count < ADL_CHART_TICKS; k++)
    a->ticks[a->count++] = k == 0 ? 0 : k * step;
}

static bool of_shares(const adl_plot *plot) { return (plot->flags & ADL_PLOT_SHARES) != 0; }

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Most points of a linear axis would stand in its first tenth. */
static bool wants_logarithm(const adl_plot *plot, const axis *x) {
  int64_t all = 0, count = 0;
  for (int32_t s = 0; s < plot->series_count; s++) all += plot->series[s]->count;
  if (plot->kind != ADL_PLOT_LINE || of_shares(plot) || all < 4 || !(x->low > 0) || x->high / x->low < 100)
    return false;
  double *values = g_new(double, (gsize)all);
  for (int32_t s = 0; s < plot->series_count; s++)
    for (int64_t i = 0; i < plot->series[s]->count; i++)
      if (adl_chart_drawn(plot->series[s], i)) values[count++] = plot->series[s]->x[i];
  qsort(values, (size_t)count, sizeof *values, by_value);
  bool yes = values[count / 2] < x->high / 10;
  g_free(values);
  return yes;
}

/* From one bar to its nearest neighbour; infinite: there is none. */
static double bar_gap(const adl_series *series) {
  double least = INFINITY;
  for (int64_t i = 1; i < series->count && i < MOST_BARS; i++)
    if (adl_chart_drawn(series, i) && adl_chart_drawn(series, i - 1) && series->x[i] != series->x[i - 1])
      least = fmin(least, fabs(series->x[i] - series->x[i - 1]));
  return least;
}

/* Beside the first bar and the last: half of what is between two, so that bars of shares do not leave 0 to 1. */
static double bar_room(const adl_plot *plot) {
  double least = INFINITY;
  for (int32_t s = 0; s < plot->series_count; s++) least = fmin(least, bar_gap(plot->series[s]));
  return isfinite(least) ? least / 2 : 0.5;
}

/* Widens the axes to a series; returns how many of its points are drawn. */
static int64_t cover(const adl_series *series, axis *x, axis *y, bool *whole) {
  int64_t count = 0;
  for (int64_t i = 0; i < series->count; i++) {
    if (!adl_chart_drawn(series, i)) continue;
    x->low = fmin(x->low, series->x[i]);
    x->high = fmax(x->high, series->x[i]);
    y->low = fmin(y->low, adl_chart_interval_drawn(series, i) ? fmin(series->y[i], series->low[i]) : series->y[i]);
    y->high = fmax(y->high, adl_chart_interval_drawn(series, i) ? fmax(series->y[i], series->high[i]) : series->y[i]);
    *whole = *whole && series->x[i] == floor(series->x[i]);
    count++;
  }
  return count;
}

/* False: there is nothing to draw. */
static bool span(const adl_plot *plot, axis *x, axis *y) {
  int64_t count = 0;
  bool bars = plot->kind == ADL_PLOT_BARS;
  *x = *y = (axis){.low = INFINITY, .high = -INFINITY};
  bool whole = true;
  for (int32_t s = 0; s < plot->series_count; s++) count += cover(plot->series[s], x, y, &whole);
  if (count == 0) return false;
  x->whole = whole && !of_shares(plot);
  x->logarithmic = wants_logarithm(plot, x);
  if (of_shares(plot)) {
    x->low = y->low = 0;
    double most = fmax(fmax(x->high, y->high), 1e-9);
    x->high = y->high = most >= 0.95 ? fmax(most, 1) : 1.05 * most;
    return true;
  }
  if (bars) {
    y->low = fmin(y->low, 0);
    y->high = fmax(y->high, 0);
    double beside = bar_room(plot);
    x->low -= beside;
    x->high += beside;
  }
  if (!(x->high - x->low > 1e-12 * fabs(x->high))) x->low -= 0.5, x->high += 0.5, x->logarithmic = false;
  if (!(y->high - y->low > 1e-12 * fabs(y->high))) {
    double room = y->high != 0 ? fabs(y->high) * 0.1 : 1;
    y->low -= room;
    y->high += room;
  }
  double room = (y->high - y->low) * 0.05;
  if (!bars) y->low -= y->low >= 0 ? fmin(room, y->low) : room;
  y->high += y->high <= 0 && bars ? 0 : room;
  return isfinite(x->high - x->low) && isfinite(y->high - y->low);
}

GString *adl_chart_label(double value) {
  GString *text = g_string_new(NULL);
  double size = fabs(value);
  if (size >= 1e6 && size < 1e15) {
    static const char *const units[] = {"M", "G", "T"};
    int unit = size >= 1e12 ? 2 : size >= 1e9 ? 1 : 0;
    adl_html_number(text, value / pow(10, 6 + 3 * unit));
    g_string_append_printf(text, " %s", units[unit]);
  } else {
    adl_html_number(text, value);
  }
  return text;
}

void adl_chart_text(GString *out, double x, double y, const char *anchor, const char *markup) {
  g_string_append(out, "<text x=\"");
  adl_html_fixed(out, x, 1);
  g_string_append(out, "\" y=\"");
  adl_html_fixed(out, y, 1);
  g_string_append_printf(out, "\" text-anchor=\"%s\">%s</text>", anchor, markup);
}

void adl_chart_line(GString *out, const char *class, double x1, double y1, double x2, double y2) {
  g_string_append_printf(out, "<path class=\"%s\" d=\"M", class);
  const double numbers[] = {x1, y1, x2, y2};
  for (int i = 0; i < 4; i++) {
    if (i > 0) g_string_append_c(out, i == 2 ? 'L' : ' ');
    adl_html_fixed(out, numbers[i], 1);
  }
  g_string_append(out, "\"/>");
}

void adl_chart_rectangle(GString *out, const char *class, double x, double y, double width, double height) {
  const double numbers[] = {x, y, width, height};
  static const char *const names[] = {"x", "y", "width", "height"};
  g_string_append_printf(out, "<rect class=\"%s\"", class);
  for (int k = 0; k < 4; k++) {
    g_string_append_printf(out, " %s=\"", names[k]);
    adl_html_fixed(out, numbers[k], 2);
    g_string_append_c(out, '"');
  }
  g_string_append(out, "/>");
}

void adl_chart_begin(GString *out, const adl_plot *plot, int width, int height) {
  g_string_append_printf(out, "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">",
                         width, height, width, height);
  adl_html_element(out, "title", plot->name);
}

static void draw_axes(GString *out, const adl_plot *plot, const axis *x, const axis *y) {
  for (int i = 0; i < y->count; i++) {
    double at_y = adl_chart_at(y, y->ticks[i]);
    GString *text = adl_chart_label(y->ticks[i]);
    adl_chart_line(out, "grid", x->begin, at_y, x->end, at_y);
    adl_chart_text(out, x->begin - 6, at_y + 4, "end", text->str);
    g_string_free(text, TRUE);
  }
  for (int i = 0; i < x->count; i++) {
    double at_x = adl_chart_at(x, x->ticks[i]);
    GString *text = adl_chart_label(x->ticks[i]);
    adl_chart_line(out, "axis", at_x, y->begin, at_x, y->begin + 4);
    adl_chart_text(out, at_x, y->begin + 17, "middle", text->str);
    g_string_free(text, TRUE);
  }
  adl_chart_line(out, "axis", x->begin, y->begin, x->end, y->begin);
  adl_chart_line(out, "axis", x->begin, y->end, x->begin, y->begin);
  GString *title = g_string_new(NULL);
  adl_html_text_cut(title, plot->x_title, 60);
  if (x->logarithmic) g_string_append(title, " (logarithmic)");
  adl_chart_text(out, (x->begin + x->end) / 2, HEIGHT - 8, "middle", title->str);
  g_string_truncate(title, 0);
  adl_html_text_cut(title, plot->y_title, 34);
  g_string_append_printf(out, "<g transform=\"rotate(-90)\">");
  adl_chart_text(out, -(y->begin + y->end) / 2, 12, "middle", title->str);
  g_string_append(out, "</g>");
  g_string_free(title, TRUE);
}

static void move_to(GString *out, char how, double x, double y) {
  g_string_append_c(out, how);
  adl_html_fixed(out, x, 1);
  g_string_append_c(out, ' ');
  adl_html_fixed(out, y, 1);
}

/* Lines of no length with round ends: a third of the bytes of circles. */
static void draw_points(GString *out, const adl_plot *plot, const adl_series *series, const axis *x, const axis *y) {
  g_string_append(out, "<path class=\"dots\" d=\"");
  for (int64_t i = 0; i < series->count; i++)
    if (adl_chart_kept(plot, series, i) && adl_chart_drawn(series, i)) {
      move_to(out, 'M', adl_chart_at(x, series->x[i]), adl_chart_at(y, series->y[i]));
      g_string_append(out, "h0");
    }
  g_string_append(out, "\"/>");
}

static void draw_line(GString *out, const adl_plot *plot, const adl_series *series, const axis *x, const axis *y) {
  bool open = false;
  g_string_append(out, "<path class=\"line\" d=\"");
  for (int64_t i = 0; i < series->count; i++) {
    if (!adl_chart_kept(plot, series, i)) continue;
    if (!adl_chart_drawn(series, i)) {
      open = false;
      continue;
    }
    move_to(out, open ? 'L' : 'M', adl_chart_at(x, series->x[i]), adl_chart_at(y, series->y[i]));
    open = true;
  }
  g_string_append(out, "\"/>");
  if (series->count <= FEW) draw_points(out, plot, series, x, y);
}

/* The room of one bar between two neighbours. */
static double bar_width(const adl_series *series, const axis *x) {
  double least = bar_gap(series);
  double width = isfinite(least) ? least * (x->end - x->begin) / (x->high - x->low) * 0.7 : 40;
  return CLAMP(width, 1, 60);
}

/* Bars of several series stand side by side. */
static double bar_middle(const adl_plot *plot, int32_t number, double width, double middle) {
  return middle + width * ((number + 0.5) / plot->series_count - 0.5);
}

static void draw_bars(GString *out, const adl_plot *plot, int32_t number, const axis *x, const axis *y) {
  const adl_series *series = plot->series[number];
  double width = bar_width(series, x), one = width / plot->series_count;
  for (int64_t i = 0; i < series->count; i++) {
    if (!adl_chart_kept(plot, series, i) || !adl_chart_drawn(series, i)) continue;
    double from = adl_chart_at(y, fmax(series->y[i], 0)), to = adl_chart_at(y, fmin(series->y[i], 0));
    double middle = bar_middle(plot, number, width, adl_chart_at(x, series->x[i]));
    adl_chart_rectangle(out, "fill", middle - one / 2, from, one, to - from);
  }
  if (y->low < 0) adl_chart_line(out, "axis", x->begin, adl_chart_at(y, 0), x->end, adl_chart_at(y, 0));
}

/* The intervals of a long line: the area between their ends. */
static void draw_band(GString *out, const adl_series *series, const axis *x, const axis *y) {
  bool open = false;
  g_string_append(out, "<path class=\"band\" d=\"");
  for (int turn = 0; turn < 2; turn++)
    for (int64_t k = 0; k < series->count; k++) {
      int64_t i = turn == 0 ? k : series->count - 1 - k;
      if (!adl_chart_drawn(series, i) || !adl_chart_interval_drawn(series, i)) continue;
      move_to(out, open ? 'L' : 'M', adl_chart_at(x, series->x[i]),
              adl_chart_at(y, turn == 0 ? series->high[i] : series->low[i]));
      open = true;
    }
  g_string_append(out, "\"/>");
}

static void draw_intervals(GString *out, const adl_plot *plot, int32_t number, const axis *x, const axis *y) {
  const adl_series *series = plot->series[number];
  double width = plot->kind == ADL_PLOT_BARS ? bar_width(series, x) : 0;
  if (plot->kind == ADL_PLOT_LINE && series->count > FEW && series->count <= MOST_POINTS && series->low != NULL) {
    draw_band(out, series, x, y);
    return;
  }
  for (int64_t i = 0; i < series->count && i < MOST_BARS; i++)
    if (adl_chart_drawn(series, i) && adl_chart_interval_drawn(series, i)) {
      double middle = bar_middle(plot, number, width, adl_chart_at(x, series->x[i]));
      adl_chart_line(out, plot->kind == ADL_PLOT_BARS ? "whisker over" : "whisker", middle,
                     adl_chart_at(y, series->low[i]), middle, adl_chart_at(y, series->high[i]));
    }
}

static void draw_series(GString *out, const adl_plot *plot, int32_t number, const axis *x, const axis *y) {
  const adl_series *series = plot->series[number];
  g_string_append_printf(out, "<g class=\"s%d\">", number % ADL_CHART_COLOURS);
  if (plot->kind != ADL_PLOT_BARS) draw_intervals(out, plot, number, x, y);
  switch (plot->kind) {
    case ADL_PLOT_BARS: draw_bars(out, plot, number, x, y); break;
    case ADL_PLOT_POINTS: draw_points(out, plot, series, x, y); break;
    default: draw_line(out, plot, series, x, y);
  }
  if (plot->kind == ADL_PLOT_BARS) draw_intervals(out, plot, number, x, y);
  g_string_append(out, "</g>");
}

static void draw_caption(GString *out, const adl_plot *plot) {
  int64_t longest = 0, most = adl_chart_most(plot);
  for (int32_t s = 0; s < plot->series_count; s++) longest = MAX(longest, plot->series[s]->count);
  g_string_append(out, "<figcaption>");
  adl_html_text(out, plot->name);
  if (plot->kind != ADL_PLOT_LINE && longest > most)
    g_string_append_printf(out, " (the first %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ")", most, longest);
  g_string_append(out, "</figcaption>");
}

static void draw_legend(GString *out, const adl_plot *plot) {
  if (plot->series_count < 2) return;
  g_string_append(out, "<p class=\"legend\">");
  for (int32_t s = 0; s < plot->series_count; s++) {
    g_string_append_printf(out, "<span class=\"s%d\"><i></i>", s % ADL_CHART_COLOURS);
    adl_html_text_cut(out, plot->series[s]->name != NULL ? plot->series[s]->name : "", 40);
    g_string_append(out, "</span> ");
  }
  g_string_append(out, "</p>");
}

static void draw_upright(GString *out, const adl_plot *plot, axis *x, axis *y) {
  bool shares = of_shares(plot);
  gsize longest = 0;
  adl_chart_choose_ticks(y, 5);
  adl_chart_choose_ticks(x, shares ? 5 : 6);
  for (int i = 0; i < y->count; i++) {
    GString *text = adl_chart_label(y->ticks[i]);
    longest = MAX(longest, (gsize)g_utf8_strlen(text->str, -1));
    g_string_free(text, TRUE);
  }
  x->begin = 26 + (double)longest * CHARACTER;
  x->end = shares ? x->begin + HEIGHT - TOP - BOTTOM : WIDTH - RIGHT;
  y->begin = HEIGHT - BOTTOM;
  y->end = TOP;
  adl_chart_begin(out, plot, shares ? (int)x->end + RIGHT + 6 : WIDTH, HEIGHT);
  draw_axes(out, plot, x, y);
  if (shares) adl_chart_line(out, "ideal", x->begin, y->begin, x->end, y->end);
  for (int32_t s = 0; s < plot->series_count; s++) draw_series(out, plot, s, x, y);
  g_string_append(out, "</svg>");
}

void adl_chart_draw(GString *out, const adl_plot *plot) {
  axis x, y;
  bool any;
  g_string_append(out, "<figure>");
  draw_caption(out, plot);
  if (adl_chart_is_named(plot)) {
    x = (axis){.high = 1};
    any = adl_chart_bars(out, plot, &y);
  } else {
    any = span(plot, &x, &y);
    if (any) draw_upright(out, plot, &x, &y);
  }
  if (any) {
    draw_legend(out, plot);
    adl_chart_json(out, plot, &x, &y);
  } else {
    g_string_append(out, "<p class=\"muted\">Nothing to draw.</p>");
  }
  g_string_append(out, "</figure>\n");
}

/* ---- in cells ---- */

void adl_chart_interval(GString *out, double value, double low, double high, double from, double to) {
  enum { LENGTH = 130, MARGIN = 3 };
  double unit = to > from ? (LENGTH - 2 * MARGIN) / (to - from) : 0;
  double a = MARGIN + (low - from) * unit, b = MARGIN + (high - from) * unit, v = MARGIN + (value - from) * unit;
  g_string_append_printf(out, "<svg class=\"interval\" viewBox=\"0 0 %d 12\" width=\"%d\" height=\"12\">", LENGTH,
                         LENGTH);
  adl_chart_line(out, "grid", 0, 6, LENGTH, 6);
  adl_chart_line(out, "range", CLAMP(a, 0, LENGTH), 6, CLAMP(b, 0, LENGTH), 6);
  g_string_append(out, "<circle class=\"dot\" r=\"2\" cy=\"6\" cx=\"");
  adl_html_fixed(out, CLAMP(v, 0, LENGTH), 1);
  g_string_append(out, "\"/></svg>");
}

void adl_chart_bins(GString *out, const double *heights, int count) {
  enum { LENGTH = 120, TALL = 24 };
  double most = 0, width = fmin((double)LENGTH / MAX(count, 1), 14);
  for (int i = 0; i < count; i++) most = fmax(most, heights[i]);
  g_string_append_printf(out, "<svg class=\"bins\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">", LENGTH, TALL,
                         LENGTH, TALL);
  adl_chart_line(out, "grid", 0, TALL - 0.5, LENGTH, TALL - 0.5);
  for (int i = 0; i < count && most > 0; i++) {
    double height = heights[i] > 0 ? fmax((TALL - 1) * heights[i] / most, 1) : 0;
    if (height > 0) adl_chart_rectangle(out, "fill", i * width + 0.5, TALL - height, width - 1, height);
  }
  g_string_append(out, "</svg>");
}

void adl_chart_share(GString *out, double share) {
  g_string_append(out, "<span class=\"bar\"><i style=\"width:");
  adl_html_fixed(out, 100 * CLAMP(share, 0, 1), 1);
  g_string_append(out, "%\"></i></span>");
}
