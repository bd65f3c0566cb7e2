/* ROC and lift of scores, with intervals, for a report. Used by metrics. */
#ifndef ADLOOM_PLUGINS_COMMON_SCORE_CURVES_H
#define ADLOOM_PLUGINS_COMMON_SCORE_CURVES_H

#include <adloom/plugin.h>

/* Shares of the negatives (x) and of the positives (y) with scores above each of `count` thresholds, and how many rows of
 * each kind they stand for: weighted rows tell less than as many rows of one weight. */
typedef struct adl_score_curve {
  int64_t count;
  const double *x, *y;
  double positives, negatives;
} adl_score_curve;

/* Two charts: ROC with Wilson intervals of the share of positives; and lift, how many times the average rate the rows with
 * the highest scores have. Nothing for an empty curve. */
void adl_score_curves_report(const adl_call *call, int over, const adl_score_curve *curve, adl_report *report);

#endif
