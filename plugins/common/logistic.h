/* The logistic link and the two losses of the linear learners and of the metrics: stable for every margin, so that no
 * probability is 0, 1 or NaN because of arithmetic. */
#ifndef ADLOOM_PLUGINS_COMMON_LOGISTIC_H
#define ADLOOM_PLUGINS_COMMON_LOGISTIC_H

#include <math.h>

typedef enum adl_loss { ADL_LOSS_LOGISTIC = 0, ADL_LOSS_SQUARED = 1 } adl_loss;
#define ADL_LOSS_CHOICES "logistic|squared"

/* Margins beyond this are cut: 1 / (1 + exp(35)) is 6e-16, just above what a float64 can tell from 0 next to 1. */
#define ADL_MARGIN_LIMIT 35.0

/* The limit that is nearer; NaN (from infinite weights of both signs) gives 0. */
static inline double adl_clip_margin(double margin) {
  if (margin != margin) return 0.0;
  return margin > ADL_MARGIN_LIMIT ? ADL_MARGIN_LIMIT : margin < -ADL_MARGIN_LIMIT ? -ADL_MARGIN_LIMIT : margin;
}

static inline double adl_logistic(double margin) { return 1.0 / (1.0 + exp(-margin)); }

/* -label ln p - (1 - label) ln(1 - p) with p = logistic(margin), without forming p. Label in [0, 1]. */
static inline double adl_logistic_loss(double label, double margin) {
  return log1p(exp(-fabs(margin))) + (margin > 0 ? margin : 0.0) - label * margin;
}

/* The same where p = logistic(margin) is at hand; the error is 1e-16, not relative to the loss. */
static inline double adl_logistic_loss_at(double label, double margin, double p) {
  return (margin > 0 ? margin : 0.0) - log(p > 0.5 ? p : 1.0 - p) - label * margin;
}

/* The same from a probability, which is cut to [1e-15, 1 - 1e-15]. */
static inline double adl_log_loss(double label, double probability) {
  const double limit = 1e-15;
  double p = probability < limit ? limit : probability > 1.0 - limit ? 1.0 - limit : probability;
  return -label * log(p) - (1.0 - label) * log1p(-p);
}

/* A probability as a float32 that is neither 0 nor 1: next to 1 a float32 has no more than 6e-8 to offer, and a score
 * of exactly 1 would say "certain". */
static inline float adl_probability32(double probability) {
  const float below_one = 0.99999994f; /* 1 - 2^-24 */
  float p = (float)probability;
  return p > below_one ? below_one : p;
}

#endif
