/* Steps of stochastic gradient descent: see sgd_steps.h. */
#include "common/sgd_steps.h"

#ifdef ADL_SIMD_X86
#include <immintrin.h>
#endif

double adl_sgd_loss(adl_loss loss, double label, double margin) {
  if (loss == ADL_LOSS_LOGISTIC) return adl_logistic_loss(label, margin);
  return 0.5 * (margin - label) * (margin - label);
}

static double slope_of(const adl_sgd_rule *rule, double margin, double label, double weight) {
  return weight * ((rule->loss == ADL_LOSS_LOGISTIC ? adl_logistic(margin) : margin) - label);
}

static double rate_at(const adl_sgd_rule *rule, int64_t step) {
  return rule->learning_rate / (1.0 + rule->decay * (double)step);
}

/* The rate at which a weight is shrunk: as fast as its gradients move it. */
static double shrink_rate(const adl_sgd_rule *rule, const adl_sgd_state *state, int64_t at, double rate) {
  if (rule->method == ADL_SGD_MOMENTUM) return rate / (1.0 - rule->momentum);
  if (rule->method == ADL_SGD_ADAGRAD) return state->slopes[at] > 0 ? rate / sqrt(state->slopes[at]) : 0.0;
  return rate;
}

/* One proximal step: without a branch, so that loops over it are vectorised. */
static inline double shrink(double weight, double rate, double l1, double l2) {
  double size = fabs(weight) - rate * l1;
  return copysign((size > 0 ? size : 0.0) / (1.0 + rate * l2), weight);
}

/* `count` proximal steps at once: |w| a^k - l1 / l2 (1 - a^k) with a = 1 / (1 + rate l2). */
static double shrink_often(double weight, double rate, double l1, double l2, int64_t count) {
  if (count == 1) return shrink(weight, rate, l1, l2);
  double size = fabs(weight) - (double)count * rate * l1;
  if (l2 > 0) {
    double kept = exp(-(double)count * log1p(rate * l2));
    size = fabs(weight) * kept - l1 / l2 * (1.0 - kept);
  }
  return size > 0 ? copysign(size, weight) : 0.0;
}

/* The constant: no penalty, and its value is 1 in every row. */
static void step_bias(const adl_sgd_rule *rule, adl_sgd_state *state, double slope, double rate) {
  if (!rule->bias) return;
  double *weight = &state->weights[state->width], *kept = state->slopes != NULL ? &state->slopes[state->width] : NULL;
  if (rule->method == ADL_SGD_PLAIN) {
    *weight -= rate * slope;
  } else if (rule->method == ADL_SGD_MOMENTUM) {
    *kept = rule->momentum * *kept - rate * slope;
    *weight += *kept;
  } else {
    *kept += slope * slope;
    if (*kept > 0) *weight -= rate / sqrt(*kept) * slope;
  }
}

static void move_plain(const adl_sgd_rule *rule, int64_t width, double *restrict weights, const double *restrict values,
                       double slope, double rate) {
  for (int64_t i = 0; i < width; i++)
    weights[i] = shrink(weights[i] - rate * slope * values[i], rate, rule->l1, rule->l2);
}

static void move_momentum(const adl_sgd_rule *rule, int64_t width, double *restrict weights, double *restrict velocity,
                          const double *restrict values, double slope, double rate) {
  double shrinking = rate / (1.0 - rule->momentum);
  for (int64_t i = 0; i < width; i++) {
    velocity[i] = rule->momentum * velocity[i] - rate * slope * values[i];
    weights[i] = shrink(weights[i] + velocity[i], shrinking, rule->l1, rule->l2);
  }
}

#ifdef ADL_SIMD_X86
/* Four weights at a time, every operation rounded as in move_adagrad; returns how many were moved. */
ADL_TARGET_AVX2 static int64_t move_adagrad_avx2(const adl_sgd_rule *rule, int64_t width, double *weights,
                                                 double *squares, const double *values, double slope, double rate) {
  const __m256d slopes = _mm256_set1_pd(slope), rates = _mm256_set1_pd(rate), zero = _mm256_setzero_pd();
  const __m256d l1 = _mm256_set1_pd(rule->l1), l2 = _mm256_set1_pd(rule->l2), one = _mm256_set1_pd(1.0);
  const __m256d sign = _mm256_set1_pd(-0.0);
  int64_t i = 0;
  for (; i + 4 <= width; i += 4) {
    __m256d gradient = _mm256_mul_pd(slopes, _mm256_loadu_pd(values + i));
    __m256d square = _mm256_add_pd(_mm256_loadu_pd(squares + i), _mm256_mul_pd(gradient, gradient));
    __m256d own = _mm256_div_pd(rates, _mm256_sqrt_pd(square));
    own = _mm256_and_pd(own, _mm256_cmp_pd(square, zero, _CMP_GT_OQ));
    __m256d moved = _mm256_sub_pd(_mm256_loadu_pd(weights + i), _mm256_mul_pd(own, gradient));
    __m256d size = _mm256_sub_pd(_mm256_andnot_pd(sign, moved), _mm256_mul_pd(own, l1));
    size = _mm256_and_pd(size, _mm256_cmp_pd(size, zero, _CMP_GT_OQ));
    size = _mm256_div_pd(size, _mm256_add_pd(one, _mm256_mul_pd(own, l2)));
    _mm256_storeu_pd(squares + i, square);
    _mm256_storeu_pd(weights + i, _mm256_or_pd(size, _mm256_and_pd(sign, moved)));
  }
  return i;
}
#endif

static void move_adagrad(const adl_sgd_rule *rule, const adl_sgd_state *state, const double *restrict values,
                         double slope, double rate) {
  double *restrict weights = state->weights, *restrict squares = state->slopes;
  int64_t i = 0;
#ifdef ADL_SIMD_X86
  if (state->level >= ADL_SIMD_AVX2) i = move_adagrad_avx2(rule, state->width, weights, squares, values, slope, rate);
#endif
  for (; i < state->width; i++) {
    double gradient = slope * values[i];
    squares[i] += gradient * gradient;
    double own = squares[i] > 0 ? rate / sqrt(squares[i]) : 0.0;
    weights[i] = shrink(weights[i] - own * gradient, own, rule->l1, rule->l2);
  }
}

double adl_sgd_step_dense(const adl_sgd_rule *rule, adl_sgd_state *state, const double *values, double label,
                          double weight) {
  double margin = adl_sgd_margin(rule, state, state->width, NULL, values);
  double slope = slope_of(rule, margin, label, weight), rate = rate_at(rule, state->steps);
  if (rule->method == ADL_SGD_PLAIN)
    move_plain(rule, state->width, state->weights, values, slope, rate);
  else if (rule->method == ADL_SGD_MOMENTUM)
    move_momentum(rule, state->width, state->weights, state->slopes, values, slope, rate);
  else
    move_adagrad(rule, state, values, slope, rate);
  step_bias(rule, state, slope, rate);
  state->steps++;
  return margin;
}

/* Does for one weight what the steps since its last row have left undone. */
static void settle(const adl_sgd_rule *rule, adl_sgd_state *state, int64_t at) {
  int64_t missed = state->steps - state->settled[at];
  if (missed <= 0) return;
  double rate = rate_at(rule, state->steps - 1);
  state->settled[at] = state->steps;
  if (rule->method == ADL_SGD_MOMENTUM && state->slopes[at] != 0) {
    double left = pow(rule->momentum, (double)missed);
    state->weights[at] += state->slopes[at] * rule->momentum * (1.0 - left) / (1.0 - rule->momentum);
    state->slopes[at] *= left;
  }
  if (state->weights[at] != 0 && (rule->l1 > 0 || rule->l2 > 0))
    state->weights[at] =
        shrink_often(state->weights[at], shrink_rate(rule, state, at, rate), rule->l1, rule->l2, missed);
}

double adl_sgd_step_sparse(const adl_sgd_rule *rule, adl_sgd_state *state, int64_t count, const uint32_t *index,
                           const double *values, double label, double weight) {
  double margin = adl_sgd_margin(rule, state, count, index, values);
  double slope = slope_of(rule, margin, label, weight), rate = rate_at(rule, state->steps);
  for (int64_t k = 0; k < count; k++) {
    int64_t at = index[k];
    double gradient = slope * values[k], *moved = &state->weights[at], own;
    if (rule->method == ADL_SGD_ADAGRAD) state->slopes[at] += gradient * gradient;
    own = shrink_rate(rule, state, at, rate);
    if (rule->method == ADL_SGD_MOMENTUM) {
      state->slopes[at] = rule->momentum * state->slopes[at] - rate * gradient;
      *moved += state->slopes[at];
    } else {
      *moved -= own * gradient;
    }
    *moved = shrink(*moved, own, rule->l1, rule->l2);
    state->settled[at] = state->steps + 1;
  }
  step_bias(rule, state, slope, rate);
  state->steps++;
  return margin;
}

double adl_sgd_margin(const adl_sgd_rule *rule, adl_sgd_state *state, int64_t count, const uint32_t *index,
                      const double *values) {
  double sum = 0;
  if (index == NULL) {
    for (int64_t k = 0; k < count; k++) sum += state->weights[k] * values[k];
  } else {
    for (int64_t k = 0; k < count; k++) {
      settle(rule, state, index[k]);
      sum += state->weights[index[k]] * values[k];
    }
  }
  if (rule->bias) sum += state->weights[state->width];
  return rule->loss == ADL_LOSS_LOGISTIC ? adl_clip_margin(sum) : sum;
}

void adl_sgd_settle(const adl_sgd_rule *rule, adl_sgd_state *state) {
  if (state->settled != NULL)
    for (int64_t i = 0; i < state->width; i++) settle(rule, state, i);
}

bool adl_sgd_average_due(const adl_sgd_state *state) {
  int64_t every = state->width / 16;
  return state->average != NULL && (every <= 1 || state->steps % every == 0);
}

void adl_sgd_average(const adl_sgd_rule *rule, adl_sgd_state *state) {
  adl_sgd_settle(rule, state);
  double share = 4.0 / ((double)++state->averaged + 3.0);
  for (int64_t i = 0; i <= state->width; i++) state->average[i] += share * (state->weights[i] - state->average[i]);
}
