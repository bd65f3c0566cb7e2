/* Area under the ROC curve from counted scores, with its standard error. Used by metrics. */
#ifndef ADLOOM_PLUGINS_COMMON_AUC_H
#define ADLOOM_PLUGINS_COMMON_AUC_H

#include <stdint.h>

/* How many rows with this score were negative and positive, or the sums of their weights. Whole numbers are exact up to
 * 2^53. */
typedef struct adl_score_count {
  double score, negatives, positives;
} adl_score_count;

/*
 * counts rise by score; equal scores may stand in several entries. Probability that a positive scores above a negative,
 * ties counting a half; NaN without positives or without negatives. *deviation is its standard error (DeLong, DeLong &
 * Clarke-Pearson 1988); NaN with fewer than two of either, and where the estimate is 0 (perfect separation), which says
 * nothing.
 */
double adl_auc(const adl_score_count *counts, int64_t count, double *deviation);

/* The same of weighted rows, which are worth so many rows that all weigh the same (see adl_effective). */
double adl_auc_weighted(const adl_score_count *counts, int64_t count, double effective_negatives,
                        double effective_positives, double *deviation);

/* How many rows of equal weight tell as much as these: Kish's effective sample size (Survey Sampling, 1965), from the sum
 * of the weights and that of their squares. */
static inline double adl_effective(double weights, double squares) {
  return squares > 0 ? weights / squares * weights : 0;
}

/*
 * The ROC curve: shares of the negatives (x) and of the positives (y) with a score of at least t, t falling, from (0, 0) to
 * (1, 1). Of more than `most` (at least 3) points those are left that are about equally far from each other. Returns how
 * many; 0 without positives or without negatives.
 */
int64_t adl_roc(const adl_score_count *counts, int64_t count, int64_t most, double *x, double *y);

#endif
