/* 95 % confidence intervals. Used by metrics, lift and ranking. */
#ifndef ADLOOM_PLUGINS_COMMON_INTERVALS_H
#define ADLOOM_PLUGINS_COMMON_INTERVALS_H

#include <math.h>

/* Quantile of the normal distribution that leaves 2.5 % on either side. */
#define ADL_Z95 1.959963984540054

/* Of a rate: Wilson's score interval (1927). trials > 0. */
static inline void adl_interval_rate(double successes, double trials, double *low, double *high) {
  double rate = successes / trials, z2 = ADL_Z95 * ADL_Z95 / trials;
  double centre = rate + z2 / 2, half = ADL_Z95 * sqrt((rate * (1 - rate) + z2 / 4) / trials);
  *low = fmax(0.0, (centre - half) / (1 + z2));
  *high = fmin(1.0, (centre + half) / (1 + z2));
}

/* Of a mean of values that are not negative: normal, from the sum and the sum of squares of the values. NaN for fewer
 * than two. */
static inline void adl_interval_mean(double sum, double squares, double count, double *low, double *high) {
  double mean = sum / count, variance = (squares - sum * mean) / (count - 1);
  double half = count > 1 ? ADL_Z95 * sqrt(fmax(0.0, variance) / count) : NAN;
  *low = half == half ? fmax(0.0, mean - half) : NAN;
  *high = mean + half;
}

/* Half of the width of the interval of a mean, from the variance of the values; NaN for fewer than two. */
static inline double adl_interval_half(double variance, double count) {
  return count > 1 ? ADL_Z95 * sqrt(fmax(0.0, variance) / count) : NAN;
}

/* Covariance of two values over `count` rows, from their sums and the sum of their products; of one with itself: its
 * variance. 0 for fewer than two. */
static inline double adl_covariance(double sum_a, double sum_b, double products, double count) {
  return count > 1 ? (products - sum_a * sum_b / count) / (count - 1) : 0.0;
}

#endif
