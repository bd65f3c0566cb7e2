/* Plots that many classes report. */
#ifndef ADLOOM_PLUGINS_COMMON_PLOTS_H
#define ADLOOM_PLUGINS_COMMON_PLOTS_H

#include <adloom/plugin.h>

/* A bar for each of `count` names, in their order. low and high (or NULL): the intervals of the values. */
static inline void adl_plot_named(const adl_call *call, adl_report *report, const char *name, const char *x_title,
                                  const char *y_title, int64_t count, const char *const *names, const double *values,
                                  const double *low, const double *high) {
  double *number = call->host->alloc(call, (size_t)(count + 1) * sizeof *number);
  for (int64_t i = 0; i < count; i++) number[i] = (double)i;
  const adl_series bars = {
      .struct_size = sizeof bars, .count = count, .x = number, .y = values, .low = low, .high = high, .labels = names};
  const adl_series *only = &bars;
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_BARS,
                         .series_count = 1,
                         .name = name,
                         .x_title = x_title,
                         .y_title = y_title,
                         .series = &only};
  if (count > 0) call->host->report_plot(call, report, &plot);
}

#endif
