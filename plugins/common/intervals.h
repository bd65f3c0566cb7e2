/* Confidence intervals, 95 % where nothing else is said. Used by metrics, lift, ranking and tags. */
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

/* Quantile of the normal distribution that leaves (1 - confidence) / 2 on either side; confidence in (0, 1). By halving,
 * on the error function. */
static inline double adl_normal_quantile(double confidence) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; i++) {
    double middle = (low + high) / 2;
    if (erfc(middle / sqrt(2.0)) > 1 - confidence)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* Lower end of Wilson's score interval of a rate, for a quantile of the normal distribution; trials > 0. */
static inline double adl_wilson_low(double rate, double trials, double z) {
  double z2 = z * z / trials;
  return fmax(0.0, (rate + z2 / 2 - z * sqrt((rate * (1 - rate) + z2 / 4) / trials)) / (1 + z2));
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
