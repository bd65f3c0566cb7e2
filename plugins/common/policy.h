/* How likely each of several candidates is to be chosen, given their scores: greedy, epsilon-greedy or softmax, with a
 * lower bound. Used by choose. */
#ifndef ADLOOM_COMMON_POLICY_H
#define ADLOOM_COMMON_POLICY_H

#include <stdint.h>

typedef enum adl_explore { ADL_EXPLORE_NONE, ADL_EXPLORE_EPSILON, ADL_EXPLORE_SOFTMAX } adl_explore;

typedef struct adl_policy {
  adl_explore explore;
  double epsilon; /* EPSILON: share of the mass that all candidates have alike */
  double lambda;  /* SOFTMAX: inverse temperature, 0 or more */
  double floor;   /* no candidate is less likely than this, or than 1 / count where that is less */
} adl_policy;

/*
 * Probabilities of `count` candidates with finite scores. The best ones, if several have the highest score, share what
 * one best would have. Softmax: exp(lambda score) / sum, computed from differences to the highest score.
 *
 * The floor: where all probabilities are at least the floor, nothing changes. Else they become max(floor, c p), with the
 * one c for which they sum to 1: of all distributions that keep the floor this is the one nearest to p in
 * Kullback-Leibler divergence KL(p || .). With floor >= 1 / count all are 1 / count.
 */
void adl_policy_probabilities(const adl_policy *policy, int64_t count, const double *score, double *probability);

/* The candidate that `unit`, uniform in [0, 1), falls upon. */
int64_t adl_policy_draw(int64_t count, const double *probability, double unit);

#endif
