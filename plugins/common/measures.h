/* Measures of predicted probabilities from sums and counted scores: values, 95 % intervals, and why there is none.
 * Used by metrics. */
#ifndef ADLOOM_PLUGINS_COMMON_MEASURES_H
#define ADLOOM_PLUGINS_COMMON_MEASURES_H

#include <stdbool.h>

#include "common/auc.h"

/* Sums over rows, in this order in a row of a keyed table: additive. */
enum {
  ADL_SUM_ROWS,
  ADL_SUM_POSITIVES,
  ADL_SUM_WEIGHT, /* from here on each row counts as its weight says */
  ADL_SUM_WEIGHT2,
  ADL_SUM_POSITIVE_WEIGHT,
  ADL_SUM_POSITIVE_WEIGHT2,
  ADL_SUM_SCORE,
  ADL_SUM_LOGLOSS,
  ADL_SUM_LOGLOSS2,
  ADL_SUM_BRIER,
  ADL_SUM_BRIER2,
  ADL_SUM_OUTSIDE, /* rows whose score is not in [0, 1] */
  ADL_SUM_COUNT
};

/* weight > 0; without weights 1. */
void adl_measure_add(double sums[ADL_SUM_COUNT], bool positive, double score, double weight);

/* A value of NaN is undefined; low and high of NaN say that there is no interval. */
typedef struct adl_measure {
  double value, low, high;
} adl_measure;

enum {
  ADL_MEASURE_ROWS,
  ADL_MEASURE_POSITIVES,
  ADL_MEASURE_CTR,
  ADL_MEASURE_MEAN_SCORE,
  ADL_MEASURE_CALIBRATION,
  ADL_MEASURE_LOGLOSS,
  ADL_MEASURE_ENTROPY,
  ADL_MEASURE_BRIER,
  ADL_MEASURE_AUC,
  ADL_MEASURE_ECE,
  ADL_MEASURE_WEIGHT,
  ADL_MEASURE_EFFECTIVE,
  ADL_MEASURE_COUNT
};

extern const char *const adl_measure_names[ADL_MEASURE_COUNT];

/* All of them but ECE, which is left NaN. counts rise by score, see adl_auc. Intervals are those of as many rows of equal
 * weight as tell as much, see adl_effective. */
void adl_measures(const double sums[ADL_SUM_COUNT], const adl_score_count *counts, int64_t count,
                  adl_measure measures[ADL_MEASURE_COUNT]);

/* Why that measure is undefined over rows with these sums, as a sentence. */
const char *adl_measure_reason(const double sums[ADL_SUM_COUNT], int measure);

/* One bin of a reliability table. */
typedef struct adl_reliability {
  double low, high; /* scores: bins of equal width, from low, below high; else lowest and highest */
  double rows, positives, score,
      gap; /* weights of the rows. score: their sum. gap: |share of positives - mean score| */
} adl_reliability;

/* Fills `bins` bins, of equal width over [0, 1], or of (nearly) equal numbers of rows: rows of one score stay together.
 * Returns the expected calibration error, the gaps' mean weighted by rows. */
double adl_reliability_of(const adl_score_count *counts, int64_t count, bool equal_width, int64_t bins,
                          adl_reliability *table);

#endif
