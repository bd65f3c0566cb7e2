/*
 * Isotonic regression: the rising step function that is nearest to weighted labels. Scores are counted in a keyed table
 * of bounded size, as part of a fold; the points that come of it are pooled where they fall. Used by calibrate.
 */
#ifndef ADLOOM_PLUGINS_COMMON_ISOTONIC_H
#define ADLOOM_PLUGINS_COMMON_ISOTONIC_H

#include <adloom/plugin.h>

/* Rows of one score, or of neighbouring scores from low to high. */
typedef struct adl_isotonic_point {
  double low, high, weight, positives; /* positives: the sum of weight x label */
} adl_isotonic_point;

/*
 * Points in the making, in a set of tensors. When there are more than `limit`, all of them are made coarser: the lowest
 * bits of the scores' float64 are dropped, as few as it takes. What is dropped in the end depends on which scores there
 * are, and neither on their order nor on how they are dealt to partials.
 */
typedef struct adl_isotonic_counts {
  const adl_call *call;
  adl_tensors *tensors;
  adl_table *table;
  int64_t *shift; /* bits dropped */
  int64_t limit;
} adl_isotonic_counts;

/* Opens the counts of a set of tensors, which get them if they have none: for the total before a fold and in its steps. */
adl_isotonic_counts adl_isotonic_open(const adl_call *call, adl_tensors *tensors, int64_t limit);

/* `score` is finite; a weight of 0 adds nothing. */
void adl_isotonic_add(adl_isotonic_counts *counts, double score, double weight, double label);

void adl_isotonic_merge(adl_isotonic_counts *into, adl_isotonic_counts *from);

/* The points by rising score, in scratch memory of the call. */
adl_isotonic_point *adl_isotonic_points(const adl_isotonic_counts *counts, int64_t *count);

/* Pools points, which rise by score, until their mean labels rise as well (pool adjacent violators); returns how many
 * are left, at the front. Neighbours with equal means are one. */
int64_t adl_isotonic_pool(adl_isotonic_point *points, int64_t count);

/* The function through `count` (>= 1) knots of rising x at x: linear between them, constant beyond. */
double adl_isotonic_at(const double *knot, const double *value, int64_t count, double x);

#endif
