/*
 * Sums that lose half their value in every half-life, in any order of events and without a reference time that must be
 * known beforehand. An event of value v at time t counts v 2^(t / half_life) relative to 1970, which no float64 can hold:
 * so a sum is kept as `sum` x 2^`exponent`, with whole exponents, and only differences of times are ever raised. Nothing
 * overflows, however far apart events are; what is 1100 half-lives older than the rest of a sum is lost in it, as it
 * would be in any float64. Used by the evidence of tags.
 */
#ifndef ADLOOM_PLUGINS_COMMON_DECAY_H
#define ADLOOM_PLUGINS_COMMON_DECAY_H

#include <math.h>
#include <stdint.h>

typedef struct adl_decayed {
  double sum, exponent;
} adl_decayed;

/* How many whole half-lives after 1970 a time is, and the part of one that is left, in [0, 1). */
static inline double adl_half_lives(int64_t time, int64_t half_life, double *rest) {
  int64_t whole = time / half_life, left = time % half_life;
  if (left < 0) left += half_life, whole--;
  *rest = (double)left / (double)half_life;
  return (double)whole;
}

static inline double adl_decay_shift(double value, double bits) {
  return ldexp(value, bits > 3000 ? 3000 : bits < -3000 ? -3000 : (int)bits);
}

static inline void adl_decayed_add(adl_decayed *to, const adl_decayed *more) {
  if (more->sum == 0) return;
  if (to->sum == 0) {
    *to = *more;
  } else if (more->exponent > to->exponent) {
    to->sum = adl_decay_shift(to->sum, to->exponent - more->exponent) + more->sum;
    to->exponent = more->exponent;
  } else {
    to->sum += adl_decay_shift(more->sum, more->exponent - to->exponent);
  }
}

/* Times and half-life in the same unit; value >= 0. */
static inline adl_decayed adl_decayed_event(double value, int64_t time, int64_t half_life) {
  double rest, whole = adl_half_lives(time, half_life, &rest);
  return (adl_decayed){value * exp2(rest), whole};
}

/* What the sum is worth at a time. */
static inline double adl_decayed_at(const adl_decayed *decayed, int64_t time, int64_t half_life) {
  double rest, whole = adl_half_lives(time, half_life, &rest);
  return adl_decay_shift(decayed->sum * exp2(-rest), decayed->exponent - whole);
}

#endif
