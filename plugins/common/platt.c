/* Platt's sigmoid: see platt.h. Inside, scores are standardised, so that neither their unit nor their zero matters. */
#include "common/platt.h"

#include <math.h>

#include "common/labels.h"

#define MOST_ITERATIONS 100
#define SHORTEST_STEP 1e-10
/* Parts of the weight: what is added to the second derivatives, and gradients that count as 0. */
#define RIDGE 1e-12
#define FLAT 1e-10

typedef struct platt_fit {
  adl_rows *rows;
  const adl_input *score, *label, *weight;
  double mean, scale;      /* of the scores */
  double target[2];        /* of labels 0 and 1: smoothed, so that no finite sample asks for infinite weights */
  double one;              /* the weight with which they are smoothed */
  double slope, intercept; /* where the likelihood is evaluated, on standardised scores */
} platt_fit;

static bool read_row(const adl_call *call, const platt_fit *fit, const adl_batch *batch, int64_t row, double *score,
                     double *label, double *weight) {
  const adl_column *weights = fit->weight->slot >= 0 ? batch->slots[fit->weight->slot] : NULL;
  *score = adl_number_at(batch->slots[fit->score->slot], row);
  return adl_label_read(call, batch->slots[fit->label->slot], weights, ADL_LOSS_LOGISTIC, row, label, weight);
}

static double *sums_of(const adl_call *call, adl_tensors *partial, int64_t count) {
  return call->host->tensor(call, partial, "sums", ADL_FLOAT64, 1, &count);
}

/* ---- first pass: counts and moments of the scores ---- */

enum { ROWS, WEIGHT, POSITIVES, MEAN, SQUARES, MOMENTS };

/* Adds rows of that weight, mean score and squared deviations (Chan, Golub & LeVeque 1979). */
static void add_moments(double *to, const double *from) {
  double all = to[WEIGHT] + from[WEIGHT], delta = from[MEAN] - to[MEAN];
  to[ROWS] += from[ROWS];
  to[POSITIVES] += from[POSITIVES];
  if (!(from[WEIGHT] > 0)) return;
  to[MEAN] += delta * (from[WEIGHT] / all);
  to[SQUARES] += from[SQUARES] + delta * delta * (to[WEIGHT] * from[WEIGHT] / all);
  to[WEIGHT] = all;
}

static adl_status moments_step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                               adl_tensors *partial) {
  double *sums = sums_of(call, partial, MOMENTS), score, label, weight;
  (void)self;
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_row(call, context, batch, row, &score, &label, &weight)) continue;
    const double one[MOMENTS] = {1, weight, weight * label, score, 0};
    add_moments(sums, one);
  }
  return ADL_OK;
}

static adl_status moments_merge(const adl_call *call, const void *self, const void *context, adl_tensors *into,
                                adl_tensors *from) {
  (void)self;
  (void)context;
  add_moments(sums_of(call, into, MOMENTS), sums_of(call, from, MOMENTS));
  return ADL_OK;
}

/* ---- the likelihood ---- */

enum { LOSS, SLOPE, INTERCEPT, SLOPE2, BOTH, INTERCEPT2, DERIVATIVES };

static adl_status likelihood_step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                                  adl_tensors *partial) {
  const platt_fit *fit = context;
  double *sums = sums_of(call, partial, DERIVATIVES), score, label, weight;
  (void)self;
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_row(call, fit, batch, row, &score, &label, &weight)) continue;
    double x = (score - fit->mean) / fit->scale, target = fit->target[0] + (fit->target[1] - fit->target[0]) * label;
    double margin = fit->slope * x + fit->intercept, p = adl_logistic(margin), q = adl_logistic(-margin);
    double first = weight * (p - target), second = weight * p * q;
    sums[LOSS] += weight * adl_logistic_loss(target, margin);
    sums[SLOPE] += first * x;
    sums[INTERCEPT] += first;
    sums[SLOPE2] += second * x * x;
    sums[BOTH] += second * x;
    sums[INTERCEPT2] += second;
  }
  return ADL_OK;
}

/* Negative log-likelihood and its derivatives at a slope and an intercept. */
static adl_status evaluate(const adl_call *call, platt_fit *fit, double slope, double intercept,
                           double sums[DERIVATIVES]) {
  adl_tensors *total = call->host->scratch_tensors(call);
  sums_of(call, total, DERIVATIVES);
  fit->slope = slope;
  fit->intercept = intercept;
  adl_fold fold = {.struct_size = sizeof fold, .step = likelihood_step, .context = fit};
  ADL_TRY(call->host->fold(call, fit->rows, &fold, total));
  const double *found = sums_of(call, total, DERIVATIVES);
  for (int i = 0; i < DERIVATIVES; i++) sums[i] = found[i];
  return ADL_OK;
}

static adl_status newton(const adl_call *call, platt_fit *fit, adl_platt *result) {
  double ridge = RIDGE * result->weight, negatives = result->weight - result->positives;
  double slope = 0, intercept = log((result->positives + fit->one) / (negatives + fit->one)), at[DERIVATIVES],
         next[DERIVATIVES];
  ADL_TRY(evaluate(call, fit, slope, intercept, at));
  for (; result->iterations < MOST_ITERATIONS && !result->converged; result->iterations++) {
    double a = at[SLOPE2] + ridge, b = at[BOTH], c = at[INTERCEPT2] + ridge, determinant = a * c - b * b;
    double by_slope = -(c * at[SLOPE] - b * at[INTERCEPT]) / determinant;
    double by_intercept = -(a * at[INTERCEPT] - b * at[SLOPE]) / determinant;
    double fall = at[SLOPE] * by_slope + at[INTERCEPT] * by_intercept; /* negative */
    result->converged = fmax(fabs(at[SLOPE]), fabs(at[INTERCEPT])) <= FLAT * result->weight;
    double step = result->converged ? 0 : 1;
    for (; step >= SHORTEST_STEP; step /= 2) {
      ADL_TRY(evaluate(call, fit, slope + step * by_slope, intercept + step * by_intercept, next));
      if (next[LOSS] < at[LOSS] + 1e-4 * step * fall) break;
      /* What is still to be gained is lost in rounding. */
      if (-fall <= 1e-13 * at[LOSS]) result->converged = true, step = 0;
    }
    if (step < SHORTEST_STEP) break;
    slope += step * by_slope;
    intercept += step * by_intercept;
    for (int i = 0; i < DERIVATIVES; i++) at[i] = next[i];
  }
  result->slope = slope / fit->scale;
  result->intercept = intercept - slope * (fit->mean / fit->scale);
  return ADL_OK;
}

adl_status adl_platt_fit(const adl_call *call, adl_rows *rows, const adl_input *score, const adl_input *label,
                         const adl_input *weight, adl_platt *result) {
  platt_fit fit = {.rows = rows, .score = score, .label = label, .weight = weight};
  adl_fold fold = {.struct_size = sizeof fold, .step = moments_step, .merge = moments_merge, .context = &fit};
  adl_tensors *total = call->host->scratch_tensors(call);
  sums_of(call, total, MOMENTS);
  ADL_TRY(call->host->fold(call, rows, &fold, total));
  const double *sums = sums_of(call, total, MOMENTS);
  *result = (adl_platt){.rows = sums[ROWS], .weight = sums[WEIGHT], .positives = sums[POSITIVES]};
  if (!(sums[WEIGHT] > 0)) return ADL_OK;
  if (!isfinite(sums[SQUARES]) || !isfinite(sums[WEIGHT]))
    return call->host->fail(call, "score", -1, "divide it by a constant first",
                            "the scores or weights are too large for float64");
  fit.mean = sums[MEAN];
  fit.scale = sums[SQUARES] > 0 ? sqrt(sums[SQUARES] / sums[WEIGHT]) : 1;
  /* Not more than a row weighs: else it would outweigh all rows where weights are shares. */
  fit.one = fmin(1, sums[WEIGHT] / sums[ROWS]);
  fit.target[0] = fit.one / (sums[WEIGHT] - sums[POSITIVES] + 2 * fit.one);
  fit.target[1] = (sums[POSITIVES] + fit.one) / (sums[POSITIVES] + 2 * fit.one);
  return newton(call, &fit, result);
}
