/*
 * Platt's sigmoid: the probability logistic(slope x score + intercept) with the highest likelihood, fitted by Newton's
 * method with a line search as in Lin, Lin & Weng 2007. Every evaluation is a fold over the rows. Used by calibrate.
 */
#ifndef ADLOOM_PLUGINS_COMMON_PLATT_H
#define ADLOOM_PLUGINS_COMMON_PLATT_H

#include <adloom/plugin.h>

typedef struct adl_platt {
  double slope, intercept;        /* -A and -B of the paper */
  double rows, weight, positives; /* learned from; positives: the sum of weight x label */
  int64_t iterations;
  bool converged;
} adl_platt;

/* `weight` may be an input that was not given. Without a row that counts, rows or weight is 0 and nothing is fitted. */
adl_status adl_platt_fit(const adl_call *call, adl_rows *rows, const adl_input *score, const adl_input *label,
                         const adl_input *weight, adl_platt *result);

#endif
