/* Quantiles of numbers that come one by one, in memory that does not grow: sorted pairs of a value and how often it was
 * seen, exact up to ADL_QUANTILES_KEPT different values. When there are more, neighbours that together are less than a
 * fifteen-hundredth of all are put together (after Greenwald and Khanna, SIGMOD 2001), so ranks are wrong by a few times
 * that; the smallest and the largest value, and values that many rows share, stay exact. Sketches can be merged. Used
 * by scale and bucket. */
#ifndef ADLOOM_PLUGINS_COMMON_QUANTILES_H
#define ADLOOM_PLUGINS_COMMON_QUANTILES_H

#include <adloom/plugin.h>

enum { ADL_QUANTILES_KEPT = 4096, ADL_QUANTILES_ROOM = 2 * ADL_QUANTILES_KEPT };

/* Numbers of a sketch as it lies in a tensor: how many pairs, how many of them are sorted, values seen; and the pairs. All
 * zero: nothing was seen. */
enum {
  ADL_QUANTILES_USED,
  ADL_QUANTILES_SORTED,
  ADL_QUANTILES_SEEN,
  ADL_QUANTILES_PAIRS,
  ADL_QUANTILES_SIZE = ADL_QUANTILES_PAIRS + 2 * ADL_QUANTILES_ROOM
};

/* `value` is not NaN. */
void adl_quantiles_add(double *sketch, double value, double weight);
void adl_quantiles_merge(double *into, const double *from);

/* quantile[i] of `count` (at least 2): the value below which i / (count - 1) of all lie, with linear interpolation between
 * neighbours. Something must have been seen. */
void adl_quantiles_table(double *sketch, int64_t count, double *quantile);

#endif
