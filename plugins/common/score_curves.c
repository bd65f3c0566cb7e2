#include "common/score_curves.h"

#include "common/intervals.h"
#include "common/reporting.h"

static void plot_lift(const adl_call *call, int over, const adl_score_curve *curve, const double *low,
                      const double *high, adl_report *report) {
  enum { LEAST = 5 }; /* positives; fewer tell nothing */
  double *x = call->host->alloc(call, (size_t)curve->count * 4 * sizeof *x), *y = x + curve->count;
  double *from = y + curve->count, *to = from + curve->count;
  adl_series series = {.struct_size = sizeof series, .x = x, .y = y, .low = from, .high = to};
  for (int64_t i = 0; i < curve->count; i++) {
    double above = curve->x[i] * curve->negatives + curve->y[i] * curve->positives;
    double rows = above / (curve->negatives + curve->positives);
    if (!(rows > 0) || curve->y[i] * curve->positives < LEAST) continue;
    int64_t at = series.count++;
    x[at] = rows;
    y[at] = curve->y[i] / rows;
    from[at] = low[i] / rows;
    to[at] = high[i] / rows;
  }
  const adl_series *only = &series;
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_LINE,
                         .series_count = 1,
                         .name = adl_over_title(call, "lift", over),
                         .x_title = "share of rows, highest scores first",
                         .y_title = "ctr by the average",
                         .series = &only};
  if (series.count > 1) call->host->report_plot(call, report, &plot);
}

void adl_score_curves_report(const adl_call *call, int over, const adl_score_curve *curve, adl_report *report) {
  if (curve->count == 0) return;
  double *low = call->host->alloc(call, (size_t)(2 * curve->count) * sizeof *low), *high = low + curve->count;
  for (int64_t i = 0; i < curve->count; i++)
    adl_interval_rate(curve->y[i] * curve->positives, curve->positives, &low[i], &high[i]);
  const adl_series series = {
      .struct_size = sizeof series, .count = curve->count, .x = curve->x, .y = curve->y, .low = low, .high = high};
  const adl_series *only = &series;
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_LINE,
                         .flags = ADL_PLOT_SHARES,
                         .series_count = 1,
                         .name = adl_over_title(call, "ROC", over),
                         .x_title = "share of negatives scored above",
                         .y_title = "share of positives scored above",
                         .series = &only};
  call->host->report_plot(call, report, &plot);
  plot_lift(call, over, curve, low, high, report);
}
