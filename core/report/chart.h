/* Small pictures of numbers as static SVG: lines, bars or clouds of points with axes, an interval, a share. Colours and fonts are classes of
 * the page's style sheet. Used by the sections of a report. */
#ifndef ADLOOM_CORE_REPORT_CHART_H
#define ADLOOM_CORE_REPORT_CHART_H

#include <adloom/plugin.h>
#include <glib.h>

/* A <figure> of what a stage plotted (see adl_plot in plugin.h); where there is nothing to draw, it says so. */
void adl_chart_draw(GString *out, const adl_plot *plot);

/* A value and its interval on a scale from..to. */
void adl_chart_interval(GString *out, double value, double low, double high, double from, double to);

/* Bars of these heights, side by side, as large as a word. */
void adl_chart_bins(GString *out, const double *heights, int count);

/* A bar of `share` (0 to 1) of a cell. */
void adl_chart_share(GString *out, double share);

#endif
