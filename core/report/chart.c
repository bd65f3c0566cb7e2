#include "core/report/chart.h"

#include <math.h>
#include <string.h>

#include "core/report/html.h"

enum {
  WIDTH = 420,
  HEIGHT = 260,
  TOP = 10,
  RIGHT = 14,
  BOTTOM = 44,
  CHARACTER = 6, /* about how wide one of a tick's label is */
  TICKS = 12,
  MOST_POINTS = 1000,
  COLOURS = 8,
  MOST_BARS = 200
};

/* One axis: values from low to high lie from pixel `begin` to pixel `end`. */
typedef struct axis {
  double low, high, begin, end;
  bool logarithmic;
  int count;
  double ticks[TICKS];
} axis;

static double scaled(const axis *a, double value) { return a->logarithmic ? log10(value) : value; }

static double at(const axis *a, double value) {
  double share = (scaled(a, value) - scaled(a, a->low)) / (scaled(a, a->high) - scaled(a, a->low));
  return a->begin + share * (a->end - a->begin);
}

/* 1, 2 or 5 times a power of ten, so that about `wanted` of them fit. */
static double nice_step(double range, int wanted) {
  double rough = range / wanted, power = pow(10, floor(log10(rough))), lead = rough / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

static void choose_ticks(axis *a, int wanted, bool whole) {
  a->count = 0;
  if (a->logarithmic) {
    int from = (int)ceil(log10(a->low) - 1e-9), to = (int)floor(log10(a->high) + 1e-9), every = (to - from) / 6 + 1;
    for (int power = from; power <= to && a->count < TICKS; power += every) a->ticks[a->count++] = pow(10, power);
    return;
  }
  double step = nice_step(a->high - a->low, wanted);
  if (whole && step < 1) step = 1;
  for (double k = ceil(a->low / step - 1e-9); k * step <= a->high + step * 1e-9 && a->count < TICKS; k++)
    a->ticks[a->count++] = k == 0 ? 0 : k * step;
}

/* Beyond that, axes cannot be computed, and mean nothing. */
static bool sane(double value) { return fabs(value) < 1e100 && (value == 0 || fabs(value) > 1e-100); }

static bool drawn(const adl_series *series, int64_t i) { return sane(series->x[i]) && sane(series->y[i]); }

static bool has_interval(const adl_series *series, int64_t i) {
  return series->low != NULL && series->high != NULL && sane(series->low[i]) && sane(series->high[i]);
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
      if (drawn(plot->series[s], i)) values[count++] = plot->series[s]->x[i];
  qsort(values, (size_t)count, sizeof *values, by_value);
  bool yes = values[count / 2] < x->high / 10;
  g_free(values);
  return yes;
}

/* Widens the axes to a series; returns how many of its points are drawn. */
static int64_t cover(const adl_series *series, axis *x, axis *y, bool *whole) {
  int64_t count = 0;
  for (int64_t i = 0; i < series->count; i++) {
    if (!drawn(series, i)) continue;
    x->low = fmin(x->low, series->x[i]);
    x->high = fmax(x->high, series->x[i]);
    y->low = fmin(y->low, has_interval(series, i) ? fmin(series->y[i], series->low[i]) : series->y[i]);
    y->high = fmax(y->high, has_interval(series, i) ? fmax(series->y[i], series->high[i]) : series->y[i]);
    *whole = *whole && series->x[i] == floor(series->x[i]);
    count++;
  }
  return count;
}

/* False: there is nothing to draw. */
static bool span(const adl_plot *plot, axis *x, axis *y, bool *whole) {
  int64_t count = 0;
  bool bars = plot->kind == ADL_PLOT_BARS;
  *x = *y = (axis){.low = INFINITY, .high = -INFINITY};
  *whole = true;
  for (int32_t s = 0; s < plot->series_count; s++) count += cover(plot->series[s], x, y, whole);
  if (count == 0) return false;
  x->logarithmic = wants_logarithm(plot, x);
  if (of_shares(plot)) {
    x->low = y->low = 0;
    x->high = y->high = fmax(fmax(x->high, y->high), 1e-9);
    return true;
  }
  if (bars) {
    y->low = fmin(y->low, 0);
    y->high = fmax(y->high, 0);
    x->low -= 0.5;
    x->high += 0.5;
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

static GString *label(double value) {
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

static void text_at(GString *out, double x, double y, const char *anchor, const char *markup) {
  g_string_append(out, "<text x=\"");
  adl_html_fixed(out, x, 1);
  g_string_append(out, "\" y=\"");
  adl_html_fixed(out, y, 1);
  g_string_append_printf(out, "\" text-anchor=\"%s\">%s</text>", anchor, markup);
}

static void line(GString *out, const char *class, double x1, double y1, double x2, double y2) {
  g_string_append_printf(out, "<path class=\"%s\" d=\"M", class);
  const double numbers[] = {x1, y1, x2, y2};
  for (int i = 0; i < 4; i++) {
    if (i > 0) g_string_append_c(out, i == 2 ? 'L' : ' ');
    adl_html_fixed(out, numbers[i], 1);
  }
  g_string_append(out, "\"/>");
}

static void draw_axes(GString *out, const adl_plot *plot, const axis *x, const axis *y) {
  for (int i = 0; i < y->count; i++) {
    double at_y = at(y, y->ticks[i]);
    GString *text = label(y->ticks[i]);
    line(out, "grid", x->begin, at_y, x->end, at_y);
    text_at(out, x->begin - 6, at_y + 4, "end", text->str);
    g_string_free(text, TRUE);
  }
  for (int i = 0; i < x->count; i++) {
    double at_x = at(x, x->ticks[i]);
    GString *text = label(x->ticks[i]);
    line(out, "axis", at_x, y->begin, at_x, y->begin + 4);
    text_at(out, at_x, y->begin + 17, "middle", text->str);
    g_string_free(text, TRUE);
  }
  line(out, "axis", x->begin, y->begin, x->end, y->begin);
  line(out, "axis", x->begin, y->end, x->begin, y->begin);
  GString *title = g_string_new(NULL);
  adl_html_text_cut(title, plot->x_title, 60);
  if (x->logarithmic) g_string_append(title, " (logarithmic)");
  text_at(out, (x->begin + x->end) / 2, HEIGHT - 8, "middle", title->str);
  g_string_truncate(title, 0);
  adl_html_text_cut(title, plot->y_title, 34);
  g_string_append_printf(out, "<g transform=\"rotate(-90)\">");
  text_at(out, -(y->begin + y->end) / 2, 12, "middle", title->str);
  g_string_append(out, "</g>");
  g_string_free(title, TRUE);
}

static void draw_dot(GString *out, double x, double y) {
  g_string_append(out, "<circle class=\"dot\" r=\"2.5\" cx=\"");
  adl_html_fixed(out, x, 1);
  g_string_append(out, "\" cy=\"");
  adl_html_fixed(out, y, 1);
  g_string_append(out, "\"/>");
}

static void draw_points(GString *out, const adl_series *series, const axis *x, const axis *y, int64_t most) {
  for (int64_t i = 0; i < series->count && i < most; i++)
    if (drawn(series, i)) draw_dot(out, at(x, series->x[i]), at(y, series->y[i]));
}

static void draw_line(GString *out, const adl_series *series, const axis *x, const axis *y) {
  int64_t every = (series->count + MOST_POINTS - 1) / MOST_POINTS;
  bool open = false;
  g_string_append(out, "<path class=\"line\" d=\"");
  for (int64_t i = 0; i < series->count; i++) {
    if (i % every != 0 && i + 1 != series->count) continue;
    if (!drawn(series, i)) {
      open = false;
      continue;
    }
    g_string_append_c(out, open ? 'L' : 'M');
    adl_html_fixed(out, at(x, series->x[i]), 1);
    g_string_append_c(out, ' ');
    adl_html_fixed(out, at(y, series->y[i]), 1);
    open = true;
  }
  g_string_append(out, "\"/>");
  if (series->count <= 40) draw_points(out, series, x, y, MOST_POINTS);
}

static void draw_bars(GString *out, const adl_series *series, const axis *x, const axis *y) {
  double least = INFINITY; /* between two neighbours */
  int64_t count = MIN(series->count, MOST_BARS);
  for (int64_t i = 1; i < count; i++)
    if (drawn(series, i) && drawn(series, i - 1) && series->x[i] != series->x[i - 1])
      least = fmin(least, fabs(series->x[i] - series->x[i - 1]));
  double width = isfinite(least) ? least * (x->end - x->begin) / (x->high - x->low) * 0.7 : 40;
  width = CLAMP(width, 1, 60);
  for (int64_t i = 0; i < count; i++) {
    if (!drawn(series, i)) continue;
    double from = at(y, fmax(series->y[i], 0)), to = at(y, fmin(series->y[i], 0));
    const double numbers[] = {at(x, series->x[i]) - width / 2, from, width, to - from};
    static const char *const names[] = {"x", "y", "width", "height"};
    g_string_append(out, "<rect class=\"fill\"");
    for (int k = 0; k < 4; k++) {
      g_string_append_printf(out, " %s=\"", names[k]);
      adl_html_fixed(out, numbers[k], 2);
      g_string_append_c(out, '"');
    }
    g_string_append(out, "/>");
  }
  if (y->low < 0) line(out, "axis", x->begin, at(y, 0), x->end, at(y, 0));
}

static void draw_intervals(GString *out, const adl_series *series, const axis *x, const axis *y) {
  for (int64_t i = 0; i < series->count && i < MOST_BARS; i++)
    if (drawn(series, i) && has_interval(series, i)) {
      double at_x = at(x, series->x[i]);
      line(out, "whisker", at_x, at(y, series->low[i]), at_x, at(y, series->high[i]));
    }
}

static void draw_series(GString *out, const adl_plot *plot, int32_t number, const axis *x, const axis *y) {
  const adl_series *series = plot->series[number];
  g_string_append_printf(out, "<g class=\"s%d\">", number % COLOURS);
  draw_intervals(out, series, x, y);
  switch (plot->kind) {
    case ADL_PLOT_BARS: draw_bars(out, series, x, y); break;
    case ADL_PLOT_POINTS: draw_points(out, series, x, y, MOST_POINTS); break;
    default: draw_line(out, series, x, y);
  }
  g_string_append(out, "</g>");
}

static void draw_caption(GString *out, const adl_plot *plot) {
  int64_t longest = 0, most = plot->kind == ADL_PLOT_BARS ? MOST_BARS : MOST_POINTS;
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
    g_string_append_printf(out, "<span class=\"s%d\"><i></i>", s % COLOURS);
    adl_html_text_cut(out, plot->series[s]->name != NULL ? plot->series[s]->name : "", 40);
    g_string_append(out, "</span> ");
  }
  g_string_append(out, "</p>");
}

void adl_chart_draw(GString *out, const adl_plot *plot) {
  axis x, y;
  bool whole, shares = of_shares(plot);
  g_string_append(out, "<figure>");
  draw_caption(out, plot);
  if (!span(plot, &x, &y, &whole)) {
    g_string_append(out, "<p class=\"muted\">Nothing to draw.</p></figure>\n");
    return;
  }
  choose_ticks(&y, 5, false);
  choose_ticks(&x, shares ? 5 : 6, whole && !shares);
  gsize longest = 0;
  for (int i = 0; i < y.count; i++) {
    GString *text = label(y.ticks[i]);
    longest = MAX(longest, (gsize)g_utf8_strlen(text->str, -1));
    g_string_free(text, TRUE);
  }
  x.begin = 26 + (double)longest * CHARACTER;
  x.end = shares ? x.begin + HEIGHT - TOP - BOTTOM : WIDTH - RIGHT;
  y.begin = HEIGHT - BOTTOM;
  y.end = TOP;
  int width = shares ? (int)x.end + RIGHT + 6 : WIDTH;
  g_string_append_printf(out, "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">",
                         width, HEIGHT, width, HEIGHT);
  adl_html_element(out, "title", plot->name);
  draw_axes(out, plot, &x, &y);
  if (shares) line(out, "ideal", x.begin, y.begin, x.end, y.end);
  for (int32_t s = 0; s < plot->series_count; s++) draw_series(out, plot, s, &x, &y);
  g_string_append(out, "</svg>");
  draw_legend(out, plot);
  g_string_append(out, "</figure>\n");
}

/* ---- in cells ---- */

void adl_chart_interval(GString *out, double value, double low, double high, double from, double to) {
  enum { LENGTH = 130, MARGIN = 3 };
  double unit = to > from ? (LENGTH - 2 * MARGIN) / (to - from) : 0;
  double a = MARGIN + (low - from) * unit, b = MARGIN + (high - from) * unit, v = MARGIN + (value - from) * unit;
  g_string_append_printf(out, "<svg class=\"interval\" viewBox=\"0 0 %d 12\" width=\"%d\" height=\"12\">", LENGTH,
                         LENGTH);
  line(out, "grid", 0, 6, LENGTH, 6);
  line(out, "range", CLAMP(a, 0, LENGTH), 6, CLAMP(b, 0, LENGTH), 6);
  g_string_append(out, "<circle class=\"dot\" r=\"2\" cy=\"6\" cx=\"");
  adl_html_fixed(out, CLAMP(v, 0, LENGTH), 1);
  g_string_append(out, "\"/></svg>");
}

void adl_chart_share(GString *out, double share) {
  g_string_append(out, "<span class=\"bar\"><i style=\"width:");
  adl_html_fixed(out, 100 * CLAMP(share, 0, 1), 1);
  g_string_append(out, "%\"></i></span>");
}
