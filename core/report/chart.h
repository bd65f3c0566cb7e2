/* Small pictures of numbers as static SVG: a line or bars with axes, an interval, a share. Colours and fonts are classes of
 * the page's style sheet. Used by the sections of a report. */
#ifndef ADLOOM_CORE_REPORT_CHART_H
#define ADLOOM_CORE_REPORT_CHART_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct adl_chart {
  const char *title, *x_title, *y_title;
  bool bars;
  bool square; /* both axes are shares, with the same scale: the diagonal is drawn where x is y */
  int64_t count;
  const double *x, *y; /* what is not finite is left out */
} adl_chart;

/* A <figure>; where there is nothing to draw, it says so. */
void adl_chart_draw(GString *out, const adl_chart *chart);

/* A value and its interval on a scale from..to. */
void adl_chart_interval(GString *out, double value, double low, double high, double from, double to);

/* A bar of `share` (0 to 1) of a cell. */
void adl_chart_share(GString *out, double share);

#endif
