/* Area under the ROC curve: see auc.h. */
#include "common/auc.h"

#include <math.h>
#include <stdbool.h>

/* Sums the entries from *at on that share one score, and moves *at behind them. */
static adl_score_count next_tie(const adl_score_count *counts, int64_t count, int64_t *at) {
  adl_score_count tie = counts[(*at)++];
  for (; *at < count && counts[*at].score == tie.score; ++*at) {
    tie.negatives += counts[*at].negatives;
    tie.positives += counts[*at].positives;
  }
  return tie;
}

/* Whether *last, unless it is NaN, is another value; it becomes this one. */
static bool changes(double *last, double value) {
  bool other = !isnan(*last) && *last != value;
  *last = value;
  return other;
}

double adl_auc(const adl_score_count *counts, int64_t count, double *deviation) {
  double negatives = 0, positives = 0;
  for (int64_t i = 0; i < count; i++) {
    negatives += counts[i].negatives;
    positives += counts[i].positives;
  }
  return adl_auc_weighted(counts, count, negatives, positives, deviation);
}

double adl_auc_weighted(const adl_score_count *counts, int64_t count, double effective_negatives,
                        double effective_positives, double *deviation) {
  double negatives = 0, positives = 0, wins = 0, below, above;
  *deviation = NAN;
  for (int64_t at = 0; at < count;) {
    adl_score_count tie = next_tie(counts, count, &at);
    wins += tie.positives * (negatives + 0.5 * tie.negatives);
    negatives += tie.negatives;
    positives += tie.positives;
  }
  if (!(negatives > 0 && positives > 0)) return NAN;
  double auc = wins / negatives / positives;
  if (!(effective_negatives > 1 && effective_positives > 1)) return auc;
  /* Variance over the positives of the share of negatives that each one beats, and the other way round. Where none of them
   * differ, it is 0: with weights, rounding would make a little more of it. */
  double of_positives = 0, of_negatives = 0, of_each_positive = NAN, of_each_negative = NAN;
  bool differ = false;
  below = 0;
  above = positives;
  for (int64_t at = 0; at < count;) {
    adl_score_count tie = next_tie(counts, count, &at);
    above -= tie.positives;
    double beats = (below + 0.5 * tie.negatives) / negatives, beaten = (above + 0.5 * tie.positives) / positives;
    if (tie.positives > 0 && changes(&of_each_positive, beats)) differ = true;
    if (tie.negatives > 0 && changes(&of_each_negative, beaten)) differ = true;
    of_positives += tie.positives * (beats - auc) * (beats - auc);
    of_negatives += tie.negatives * (beaten - auc) * (beaten - auc);
    below += tie.negatives;
  }
  double variance =
      of_positives / (effective_positives - 1) / positives + of_negatives / (effective_negatives - 1) / negatives;
  if (differ && variance > 0) *deviation = sqrt(variance);
  return auc;
}

int64_t adl_roc(const adl_score_count *counts, int64_t count, int64_t most, double *x, double *y) {
  double all_negatives = 0, all_positives = 0, negatives = 0, positives = 0;
  for (int64_t i = 0; i < count; i++) {
    all_negatives += counts[i].negatives;
    all_positives += counts[i].positives;
  }
  if (!(all_negatives > 0 && all_positives > 0)) return 0;
  double steps = (double)(most - 2), next = 1; /* (x + y) / 2 in steps */
  int64_t points = 1;
  x[0] = y[0] = 0;
  for (int64_t i = count; i-- > 0;) {
    negatives += counts[i].negatives;
    positives += counts[i].positives;
    if (i > 0 && counts[i - 1].score == counts[i].score) continue;
    double along = (negatives / all_negatives + positives / all_positives) / 2 * steps;
    if (i > 0 && along < next) continue;
    next = floor(along) + 1;
    /* Sums of weights, in another order, are rounded to others. */
    x[points] = i > 0 ? fmin(1, negatives / all_negatives) : 1;
    y[points++] = i > 0 ? fmin(1, positives / all_positives) : 1;
  }
  return points;
}
