/* Steps of stochastic gradient descent for a linear model, one row at a time: dense rows update every weight, sparse
 * rows only their own and catch up with shrinkage later. Used by plugins/optimize/sgd.c. */
#ifndef ADLOOM_PLUGINS_COMMON_SGD_STEPS_H
#define ADLOOM_PLUGINS_COMMON_SGD_STEPS_H

#include "common/logistic.h"
#include "common/matrix_rows.h"
#include "common/simd.h"

typedef enum adl_sgd_method { ADL_SGD_PLAIN = 0, ADL_SGD_MOMENTUM = 1, ADL_SGD_ADAGRAD = 2 } adl_sgd_method;
#define ADL_SGD_METHOD_CHOICES "plain|momentum|adagrad"

/*
 * What is minimised is the mean of loss(margin, label) plus l1 |w| + l2 / 2 |w|^2, the constant left out of both norms.
 * loss: logistic, or (margin - label)^2 / 2. A step t (from 0) has the rate eta = learning_rate / (1 + decay t) and is
 *
 *   plain     w -= eta g
 *   momentum  v = momentum v - eta g, w += v
 *   adagrad   G += g^2, w -= eta / sqrt(G) g, for each weight by itself (Duchi, Hazan & Singer 2011)
 *
 * followed by the proximal map of the penalty for the same rate (for momentum, eta / (1 - momentum)):
 * w = soft(w, rate l1) / (1 + rate l2).
 */
typedef struct adl_sgd_rule {
  adl_sgd_method method;
  adl_loss loss;
  double learning_rate, decay, momentum, l1, l2;
  bool bias;
} adl_sgd_rule;

/* Arrays of the caller. `steps` and `averaged` count up and must be kept with them. */
typedef struct adl_sgd_state {
  int64_t width;
  double *weights;  /* width + 1; the last is the constant */
  double *slopes;   /* width + 1: velocities, or sums of squared gradients; NULL: plain */
  double *average;  /* width + 1: running average of the weights; NULL: not wanted */
  int64_t *settled; /* width: the step up to which a weight has been shrunk; NULL: rows are dense */
  int64_t steps;
  int64_t averaged; /* how often the average has been brought up to date */
  adl_simd level;   /* of dense steps, which are the same to the bit at every level */
} adl_sgd_state;

double adl_sgd_loss(adl_loss loss, double label, double margin);

/* One row; what is returned is the margin before the update. dense: width values. sparse: rising indices. `weight`
 * multiplies the gradient. */
double adl_sgd_step_dense(const adl_sgd_rule *rule, adl_sgd_state *state, const double *values, double label,
                          double weight);
double adl_sgd_step_sparse(const adl_sgd_rule *rule, adl_sgd_state *state, int64_t count, const uint32_t *index,
                           const double *values, double label, double weight);

/* Margin without an update, shrinking the row's weights first if need be. */
double adl_sgd_margin(const adl_sgd_rule *rule, adl_sgd_state *state, int64_t count, const uint32_t *index,
                      const double *values);

/* Brings every weight up to the last step. */
void adl_sgd_settle(const adl_sgd_rule *rule, adl_sgd_state *state);

/*
 * Takes the present weights into the average, which leans to the later ones: the q-th counts in proportion to q^3
 * (polynomial-decay averaging, Shamir & Zhang 2013, with eta = 3). Costs width operations: adl_sgd_average_due says when a
 * step should be followed by it, every width / 16 steps.
 */
bool adl_sgd_average_due(const adl_sgd_state *state);
void adl_sgd_average(const adl_sgd_rule *rule, adl_sgd_state *state);

#endif
