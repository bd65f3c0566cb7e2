/* What the files that draw a chart share: which points are drawn, the axes, pieces of SVG. Used by chart*.c and
 * plot_json.c. */
#ifndef ADLOOM_CORE_REPORT_CHART_PARTS_H
#define ADLOOM_CORE_REPORT_CHART_PARTS_H

#include <adloom/plugin.h>
#include <glib.h>
#include <math.h>
#include <stdbool.h>

enum { ADL_CHART_TICKS = 12, ADL_CHART_COLOURS = 10 };

/* One axis: values from low to high lie from pixel `begin` to pixel `end`. */
typedef struct adl_chart_axis {
  double low, high, begin, end;
  bool logarithmic, whole; /* whole: nothing lies between whole numbers, as ranks */
  int count;
  double ticks[ADL_CHART_TICKS];
} adl_chart_axis;

/* Where a value lies. */
double adl_chart_at(const adl_chart_axis *axis, double value);
/* About `wanted` round numbers along it. */
void adl_chart_choose_ticks(adl_chart_axis *axis, int wanted);
/* 12.3 M; free it. */
GString *adl_chart_label(double value);

/* Beyond that, axes cannot be computed, and mean nothing. */
static inline bool adl_chart_sane(double value) { return fabs(value) < 1e100 && (value == 0 || fabs(value) > 1e-100); }

static inline bool adl_chart_drawn(const adl_series *series, int64_t i) {
  return adl_chart_sane(series->x[i]) && adl_chart_sane(series->y[i]);
}

static inline bool adl_chart_interval_drawn(const adl_series *series, int64_t i) {
  return series->low != NULL && series->high != NULL && adl_chart_sane(series->low[i]) &&
         adl_chart_sane(series->high[i]);
}

/* Long lines are thinned evenly, to their end; of bars and clouds the first are kept, of which there are this many. */
int64_t adl_chart_most(const adl_plot *plot);
bool adl_chart_kept(const adl_plot *plot, const adl_series *series, int64_t i);

/* Bars with names lie on their side. */
bool adl_chart_is_named(const adl_plot *plot);

void adl_chart_text(GString *out, double x, double y, const char *anchor, const char *markup);
void adl_chart_line(GString *out, const char *class, double x1, double y1, double x2, double y2);
void adl_chart_rectangle(GString *out, const char *class, double x, double y, double width, double height);
void adl_chart_begin(GString *out, const adl_plot *plot, int width, int height); /* <svg> and its title */

/* Named bars, chart_bars.c: *values gets the axis of their values. False: there is nothing to draw. */
bool adl_chart_bars(GString *out, const adl_plot *plot, adl_chart_axis *values);

/* The numbers of a chart for the page's script, plot_json.c: {"kind", "x", "y", "range", "series": [{"x", "y", ...}]}. Good
 * in HTML and XML alike. */
void adl_chart_json(GString *out, const adl_plot *plot, const adl_chart_axis *x, const adl_chart_axis *y);

#endif
