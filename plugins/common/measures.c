/* Measures of predicted probabilities: see measures.h. */
#include "common/measures.h"

#include <math.h>

#include "common/intervals.h"
#include "common/logistic.h"

const char *const adl_measure_names[ADL_MEASURE_COUNT] = {
    "rows",  "positives", "ctr", "mean_score", "calibration",    "logloss", "normalised_entropy",
    "brier", "auc",       "ece", "weight",     "effective_rows",
};

void adl_measure_add(double sums[ADL_SUM_COUNT], bool positive, double score, double weight) {
  double label = positive ? 1.0 : 0.0, error = (score - label) * (score - label);
  double loss = adl_log_loss(label, score);
  sums[ADL_SUM_ROWS] += 1;
  sums[ADL_SUM_POSITIVES] += label;
  sums[ADL_SUM_WEIGHT] += weight;
  sums[ADL_SUM_WEIGHT2] += weight * weight;
  sums[ADL_SUM_POSITIVE_WEIGHT] += weight * label;
  sums[ADL_SUM_POSITIVE_WEIGHT2] += weight * weight * label;
  sums[ADL_SUM_SCORE] += weight * score;
  sums[ADL_SUM_LOGLOSS] += weight * loss;
  sums[ADL_SUM_LOGLOSS2] += weight * loss * loss;
  sums[ADL_SUM_BRIER] += weight * error;
  sums[ADL_SUM_BRIER2] += weight * error * error;
  sums[ADL_SUM_OUTSIDE] += !(score >= 0 && score <= 1);
}

static adl_measure plain(double value) { return (adl_measure){value, NAN, NAN}; }

/* A weighted mean, with the interval of a mean of `effective` values. */
static adl_measure mean_of(double sum, double squares, double weight, double effective) {
  adl_measure mean = plain(sum / weight);
  adl_interval_mean(mean.value * effective, squares / weight * effective, effective, &mean.low, &mean.high);
  return mean;
}

static adl_measure auc_of(const double sums[ADL_SUM_COUNT], const adl_score_count *counts, int64_t count) {
  double positives = adl_effective(sums[ADL_SUM_POSITIVE_WEIGHT], sums[ADL_SUM_POSITIVE_WEIGHT2]), deviation;
  double negatives = adl_effective(sums[ADL_SUM_WEIGHT] - sums[ADL_SUM_POSITIVE_WEIGHT],
                                   sums[ADL_SUM_WEIGHT2] - sums[ADL_SUM_POSITIVE_WEIGHT2]);
  double auc = adl_auc_weighted(counts, count, negatives, positives, &deviation);
  adl_measure measure = {auc, auc - ADL_Z95 * deviation, auc + ADL_Z95 * deviation};
  if (measure.low < 0) measure.low = 0;
  if (measure.high > 1) measure.high = 1;
  return measure;
}

void adl_measures(const double sums[ADL_SUM_COUNT], const adl_score_count *counts, int64_t count,
                  adl_measure measures[ADL_MEASURE_COUNT]) {
  double weight = sums[ADL_SUM_WEIGHT], positives = sums[ADL_SUM_POSITIVE_WEIGHT], rate = positives / weight;
  double effective = adl_effective(weight, sums[ADL_SUM_WEIGHT2]);
  bool both = sums[ADL_SUM_POSITIVES] > 0 && sums[ADL_SUM_POSITIVES] < sums[ADL_SUM_ROWS];
  for (int i = 0; i < ADL_MEASURE_COUNT; i++) measures[i] = plain(NAN);
  measures[ADL_MEASURE_ROWS] = plain(sums[ADL_SUM_ROWS]);
  measures[ADL_MEASURE_POSITIVES] = plain(sums[ADL_SUM_POSITIVES]);
  if (!(weight > 0)) return;
  measures[ADL_MEASURE_WEIGHT] = plain(weight);
  measures[ADL_MEASURE_EFFECTIVE] = plain(effective);
  measures[ADL_MEASURE_CTR].value = rate;
  adl_interval_rate(rate * effective, effective, &measures[ADL_MEASURE_CTR].low, &measures[ADL_MEASURE_CTR].high);
  measures[ADL_MEASURE_MEAN_SCORE] = plain(sums[ADL_SUM_SCORE] / weight);
  measures[ADL_MEASURE_AUC] = auc_of(sums, counts, count);
  if (sums[ADL_SUM_OUTSIDE] > 0) return;
  if (positives > 0) measures[ADL_MEASURE_CALIBRATION] = plain(sums[ADL_SUM_SCORE] / positives);
  measures[ADL_MEASURE_LOGLOSS] = mean_of(sums[ADL_SUM_LOGLOSS], sums[ADL_SUM_LOGLOSS2], weight, effective);
  if (both) measures[ADL_MEASURE_ENTROPY] = plain(measures[ADL_MEASURE_LOGLOSS].value / adl_log_loss(rate, rate));
  measures[ADL_MEASURE_BRIER] = mean_of(sums[ADL_SUM_BRIER], sums[ADL_SUM_BRIER2], weight, effective);
}

const char *adl_measure_reason(const double sums[ADL_SUM_COUNT], int measure) {
  if (!(sums[ADL_SUM_ROWS] > 0)) return "there are no rows";
  if (measure != ADL_MEASURE_AUC && sums[ADL_SUM_OUTSIDE] > 0)
    return "there are scores outside [0, 1], which are no probabilities";
  if (!(sums[ADL_SUM_POSITIVES] > 0)) return "no row is positive";
  return "every row is positive";
}

static void close_bin(adl_reliability *bin, double all, double *error) {
  if (!(bin->rows > 0)) return;
  bin->gap = fabs(bin->positives - bin->score) / bin->rows;
  *error += bin->gap * bin->rows / all;
}

double adl_reliability_of(const adl_score_count *counts, int64_t count, bool equal_width, int64_t bins,
                          adl_reliability *table) {
  double all = 0, seen = 0, error = 0;
  for (int64_t i = 0; i < count; i++) all += counts[i].negatives + counts[i].positives;
  for (int64_t bin = 0; bin < bins; bin++) {
    table[bin] = (adl_reliability){0};
    if (equal_width) table[bin].low = (double)bin / (double)bins;
    if (equal_width) table[bin].high = (double)(bin + 1) / (double)bins;
  }
  for (int64_t i = 0, bin = 0; i < count; i++) {
    bool tied = i > 0 && counts[i].score == counts[i - 1].score;
    double rows = counts[i].negatives + counts[i].positives;
    if (equal_width)
      bin = (int64_t)fmin((double)(bins - 1), floor(counts[i].score * (double)bins));
    else if (!tied) /* the bin in which the row before this one's first has filled up to */
      bin = (int64_t)fmin((double)(bins - 1), floor(seen * (double)bins / all));
    adl_reliability *at = &table[bin];
    if (!equal_width) {
      if (at->rows == 0) at->low = counts[i].score;
      at->high = counts[i].score;
    }
    at->rows += rows;
    at->positives += counts[i].positives;
    at->score += rows * counts[i].score;
    seen += rows;
  }
  for (int64_t bin = 0; bin < bins; bin++) close_bin(&table[bin], all, &error);
  return error;
}
