/* Probabilities of candidates: see policy.h. */
#include "common/policy.h"

#include <math.h>

static double highest(int64_t count, const double *score) {
  double best = score[0];
  for (int64_t i = 1; i < count; i++)
    if (score[i] > best) best = score[i];
  return best;
}

static void greedy(double epsilon, int64_t count, const double *score, double *probability) {
  double best = highest(count, score);
  int64_t ties = 0;
  for (int64_t i = 0; i < count; i++) ties += score[i] == best;
  double any = epsilon / (double)count, of_best = any + (1 - epsilon) / (double)ties;
  for (int64_t i = 0; i < count; i++) probability[i] = score[i] == best ? of_best : any;
}

static void softmax(double lambda, int64_t count, const double *score, double *probability) {
  double best = highest(count, score), sum = 0;
  for (int64_t i = 0; i < count; i++) {
    /* Scores may be so far apart that their difference is infinite, which 0 must not be multiplied with. */
    probability[i] = lambda > 0 ? exp(lambda * (score[i] - best)) : 1;
    sum += probability[i];
  }
  for (int64_t i = 0; i < count; i++) probability[i] /= sum;
}

/* Raises what is below the floor and scales the rest down, until nothing more falls below it. */
static void raise_to_floor(double floor, int64_t count, double *probability) {
  if (floor * (double)count >= 1) {
    for (int64_t i = 0; i < count; i++) probability[i] = 1 / (double)count;
    return;
  }
  double scale = 1;
  for (int64_t before = 0;;) {
    double rest = 0;
    int64_t below = 0;
    for (int64_t i = 0; i < count; i++) {
      if (scale * probability[i] < floor)
        below++;
      else
        rest += probability[i];
    }
    if (below == before) break; /* the same ones: the scale only ever falls */
    if (below == count) {       /* by rounding: the floor is all but 1 / count */
      for (int64_t i = 0; i < count; i++) probability[i] = 1 / (double)count;
      return;
    }
    scale = (1 - (double)below * floor) / rest;
    before = below;
  }
  for (int64_t i = 0; i < count; i++) {
    double scaled = scale * probability[i];
    probability[i] = scaled < floor ? floor : scaled;
  }
}

void adl_policy_probabilities(const adl_policy *policy, int64_t count, const double *score, double *probability) {
  if (count <= 0) return;
  if (policy->explore == ADL_EXPLORE_SOFTMAX)
    softmax(policy->lambda, count, score, probability);
  else
    greedy(policy->explore == ADL_EXPLORE_EPSILON ? policy->epsilon : 0, count, score, probability);
  if (policy->floor > 0) raise_to_floor(policy->floor, count, probability);
}

int64_t adl_policy_draw(int64_t count, const double *probability, double unit) {
  double sum = 0;
  int64_t last = 0; /* for what rounding leaves between the sum and 1 */
  for (int64_t i = 0; i < count; i++) {
    if (probability[i] <= 0) continue;
    last = i;
    sum += probability[i];
    if (unit < sum) return i;
  }
  return last;
}
