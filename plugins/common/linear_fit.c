/* See linear_fit.h. */
#include "common/linear_fit.h"

#include <math.h>
#include <string.h>

#include "common/label_classes.h"
#include "common/labels.h"
#include "common/lbfgs.h"
#include "common/linear_model.h"
#include "common/logistic.h"
#include "common/matrix_rows.h"
#include "common/sgd_model.h"

/* ----------------------------------------------------------------------------- first pass: statistics ---- */

enum { COUNT_ROWS, COUNT_WEIGHT, COUNT_LABEL, COUNT_ITEMS, COUNT_SIZE };

/* Everything that the passes share. */
typedef struct training {
  const adl_linear_stage *self;
  adl_rows *rows;
  double counts[COUNT_SIZE];
  const double *squares; /* width: sums of weight x value^2 */
  adl_classes classes;   /* softmax */
  adl_linear model;
  const uint32_t *dimension;    /* of the features, for each of the model; NULL: they are the same */
  adl_tensors *total, *tensors; /* of the passes; the model */
  double fewest_wrong;
} training;

/* Label (softmax: 0) and weight of a row; false: rejected, or of weight 0. */
static bool read_row(const adl_call *call, const adl_linear_stage *self, const adl_batch *batch, int64_t row,
                     double *label, double *weight) {
  const adl_column *weights = self->weight.slot >= 0 ? batch->slots[self->weight.slot] : NULL;
  const adl_column *labels = batch->slots[self->label.slot];
  if (self->loss != ADL_LINEAR_SOFTMAX)
    return adl_label_read(call, labels, weights,
                          self->loss == ADL_LINEAR_LOGISTIC ? ADL_LOSS_LOGISTIC : ADL_LOSS_SQUARED, row, label, weight);
  *label = 0;
  *weight = weights != NULL ? adl_number_at(weights, row) : 1.0;
  if (*weight >= 0 && isfinite(*weight)) return *weight > 0;
  call->host->reject(call, row, "weight", "weight %g is negative or not finite", *weight);
  return false;
}

static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  const adl_linear_stage *self = instance;
  (void)context;
  double *counts = adl_values_make(call, partial, "counts", COUNT_SIZE), label, weight;
  double *squares = adl_values_make(call, partial, "squares", self->features.type.width);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_row(call, self, batch, row, &label, &weight)) continue;
    counts[COUNT_ROWS] += 1;
    counts[COUNT_WEIGHT] += weight;
    counts[COUNT_LABEL] += weight * label;
    if (self->loss == ADL_LINEAR_SOFTMAX) adl_classes_add(call, partial, batch->slots[self->label.slot], row, weight);
    adl_matrix_row at = adl_matrix_row_at(batch->slots[self->features.slot], row);
    counts[COUNT_ITEMS] += (double)at.count;
    for (int64_t i = 0; i < at.count; i++)
      squares[at.index != NULL ? at.index[i] : i] += weight * at.value[i] * at.value[i];
  }
  return ADL_OK;
}

/* Refuses rows that have no minimum, or nothing to tell apart. */
static adl_status check_counts(const adl_call *call, const training *t) {
  const adl_host *host = call->host;
  double weight = t->counts[COUNT_WEIGHT], label = t->counts[COUNT_LABEL];
  const char *hint = "Check `label`, and the holdout of the source and the filters above this stage";
  if (t->counts[COUNT_ROWS] == 0)
    return host->fail(call, NULL, -1,
                      "Check the holdout of the source, the filters above this stage, and that weights are above 0",
                      "there are no training rows with a usable label");
  if (t->self->loss == ADL_LINEAR_LOGISTIC && (label <= 0 || label >= weight))
    return host->fail(call, "label", -1, hint, "all %.0f training labels are %s: there is nothing to tell apart",
                      t->counts[COUNT_ROWS], label <= 0 ? "0" : "1");
  if (t->self->loss == ADL_LINEAR_SOFTMAX && t->classes.count < 2)
    return host->fail(call, "label", -1, hint,
                      "all %.0f training rows are of one class: there is nothing to tell apart", t->counts[COUNT_ROWS]);
  return ADL_OK;
}

static adl_status count_rows(const adl_call *call, training *t) {
  adl_tensors *total = call->host->scratch_tensors(call);
  const adl_linear_stage *self = t->self;
  adl_values_make(call, total, "counts", COUNT_SIZE);
  adl_values_make(call, total, "squares", self->features.type.width);
  if (self->loss == ADL_LINEAR_SOFTMAX) adl_classes_begin(call, total);
  adl_fold fold = {.struct_size = sizeof fold, .step = count_step};
  ADL_TRY(call->host->fold(call, t->rows, &fold, total));
  memcpy(t->counts, adl_values_find(call, total, "counts"), sizeof t->counts);
  t->squares = adl_values_find(call, total, "squares");
  if (self->loss == ADL_LINEAR_SOFTMAX) t->classes = adl_classes_end(call, total);
  return check_counts(call, t);
}

/* ----------------------------------------------------------------------------------- the objective ---- */

enum { LANES_PAY = 12, NARROW = 4096 };

/* Most dimensions of hashed features occur in no row: the model that is learned is one of the others alone. */
static void leave_out_unused(const adl_call *call, training *t) {
  int64_t width = t->self->features.type.width, used = 0;
  if (t->self->features.type.shape != ADL_SPARSE || width <= NARROW) return;
  for (int64_t i = 0; i < width; i++) used += t->squares[i] > 0;
  if (used == 0 || used > width / 4 * 3) return;
  uint32_t *map = call->host->alloc(call, (size_t)width * sizeof *map);
  uint32_t *dimension = call->host->alloc(call, (size_t)used * sizeof *dimension), at = 0;
  for (int64_t i = 0; i < width; i++) {
    map[i] = 0; /* of rows that do not count */
    if (!(t->squares[i] > 0)) continue;
    dimension[at] = (uint32_t)i;
    map[i] = at++;
  }
  t->model.width = used;
  t->model.map = map;
  t->dimension = dimension;
}

static int64_t dimension_of(const training *t, int64_t i) { return t->dimension != NULL ? t->dimension[i] : i; }

/* Context of a pass. */
typedef struct evaluation {
  const training *t;
  const double *weights;
} evaluation;

static adl_status gradient_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                                adl_tensors *partial) {
  const adl_linear_stage *self = instance;
  const evaluation *e = context;
  double *labels = call->host->alloc(call, (size_t)batch->rows * 2 * sizeof *labels), *weights = labels + batch->rows;
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_row(call, self, batch, row, &labels[row], &weights[row]))
      labels[row] = weights[row] = 0;
    else if (self->loss == ADL_LINEAR_SOFTMAX)
      labels[row] = (double)adl_classes_find(call, &e->t->classes, batch->slots[self->label.slot], row);
  }
  adl_linear_add(call, &e->t->model, e->weights, batch->slots[self->features.slot], labels, weights,
                 adl_values_make(call, partial, "gradient", adl_linear_count(&e->t->model)),
                 adl_values_make(call, partial, "sums", ADL_LINEAR_SUMS));
  return ADL_OK;
}

static adl_status evaluate(const adl_call *call, void *context, const double *weights, double *value,
                           double *gradient) {
  training *t = context;
  evaluation e = {t, weights};
  adl_fold fold = {.struct_size = sizeof fold, .step = gradient_step, .context = &e};
  /* Where rows are few beside the dimensions, adding up the gradients of several lanes takes longer than they save. */
  if (t->counts[COUNT_ITEMS] * (double)t->model.stride < LANES_PAY * (double)adl_linear_count(&t->model)) {
    fold.flags = ADL_FOLD_IN_ORDER;
    memset(adl_values_make(call, t->total, "gradient", adl_linear_count(&t->model)), 0,
           (size_t)adl_linear_count(&t->model) * sizeof(double));
    memset(adl_values_make(call, t->total, "sums", ADL_LINEAR_SUMS), 0, ADL_LINEAR_SUMS * sizeof(double));
  }
  ADL_TRY(call->host->fold(call, t->rows, &fold, t->total));
  const double *sums = adl_values_find(call, t->total, "sums"), *found = adl_values_find(call, t->total, "gradient");
  double scale = 1 / t->counts[COUNT_WEIGHT], l2 = t->self->l2, squares = 0;
  int64_t count = adl_linear_count(&t->model), penalised = t->model.width * t->model.stride;
  for (int64_t i = 0; i < penalised; i++) {
    gradient[i] = found[i] * scale + l2 * weights[i];
    squares += weights[i] * weights[i];
  }
  for (int64_t i = penalised; i < count; i++) gradient[i] = found[i] * scale;
  *value = sums[ADL_LINEAR_LOSS] * scale + l2 / 2 * squares;
  t->fewest_wrong = fmin(t->fewest_wrong, sums[ADL_LINEAR_WRONG]);
  return ADL_OK;
}

static void reached(const adl_call *call, void *context, int64_t iteration, double objective, double norm) {
  training *t = context;
  double *history = call->host->tensor(call, t->tensors, "history", ADL_FLOAT64, 2, (int64_t[]){iteration + 1, 2});
  history[2 * iteration] = objective;
  history[2 * iteration + 1] = norm;
  call->host->progress(call, "iterations", (double)iteration, (double)t->self->iterations);
}

/* ------------------------------------------------------------------------------- where it begins ---- */

/* Share of the rows' weight with the label, or of class k; squared loss: the mean label. */
static double share_of(const training *t, int64_t k) {
  double part = t->self->loss == ADL_LINEAR_SOFTMAX ? t->classes.weights[k] : t->counts[COUNT_LABEL];
  return part / t->counts[COUNT_WEIGHT];
}

/* Roughly the second derivatives, at the best constant. */
static double *curvature_of(const adl_call *call, const training *t) {
  int64_t stride = t->model.stride, width = t->model.width;
  double *curvature = call->host->alloc(call, (size_t)adl_linear_count(&t->model) * sizeof *curvature);
  for (int64_t k = 0; k < stride; k++) {
    double share = k < t->model.outputs ? share_of(t, k) : 1;
    double own = t->self->loss == ADL_LINEAR_SQUARED ? 1 : share * (1 - share);
    for (int64_t i = 0; i <= width; i++) {
      double mean = i < width ? t->squares[dimension_of(t, i)] / t->counts[COUNT_WEIGHT] * own + t->self->l2 : own;
      curvature[i * stride + k] = mean > 0 ? mean : 1;
    }
  }
  return curvature;
}

/* No weights, and the best constants. */
static double *best_constants(const adl_call *call, const training *t) {
  int64_t count = adl_linear_count(&t->model), outputs = t->model.outputs;
  double *weights = call->host->alloc(call, (size_t)count * sizeof *weights), mean = 0;
  memset(weights, 0, (size_t)count * sizeof *weights);
  double *constants = weights + t->model.width * t->model.stride;
  if (!t->model.bias) return weights;
  for (int64_t k = 0; k < outputs; k++) {
    double share = share_of(t, k);
    constants[k] = t->self->loss == ADL_LINEAR_SQUARED    ? share
                   : t->self->loss == ADL_LINEAR_LOGISTIC ? log(share / (1 - share))
                                                          : log(share);
    mean += constants[k] / (double)outputs;
  }
  for (int64_t k = 0; outputs > 1 && k < outputs; k++) constants[k] -= mean;
  return weights;
}

/* The weights of a model that is there already, class by class; false: it is none of these features. */
static bool start_from_model(const adl_call *call, const training *t, double *x) {
  adl_tensor weights, bias;
  int64_t width = t->model.width, stride = t->model.stride;
  if (!call->host->find_tensor(call, t->tensors, "weights", &weights) ||
      !call->host->find_tensor(call, t->tensors, "bias", &bias) ||
      weights.count != t->self->features.type.width * bias.count)
    return false;
  adl_class_names names = adl_classes_names(call, t->tensors);
  bool several = t->self->loss == ADL_LINEAR_SOFTMAX;
  if (bias.count != (several ? names.count : 1)) return false;
  for (int64_t from = 0; from < bias.count; from++) {
    adl_text name = several ? adl_class_name(&names, from) : (adl_text){"", 0};
    int64_t to = several ? call->host->table_find(t->classes.numbers, name.data, name.size) : 0;
    for (int64_t i = 0; to >= 0 && i < width; i++)
      x[i * stride + to] = ((const double *)weights.data)[dimension_of(t, i) * bias.count + from];
    if (to >= 0 && t->model.bias) x[width * stride + to] = ((const double *)bias.data)[from];
  }
  return true;
}

/* -------------------------------------------------------------------------------------------- fitting ---- */

static void publish(const adl_call *call, const training *t, const double *x, const adl_lbfgs_result *result) {
  const adl_host *host = call->host;
  int64_t outputs = t->model.outputs, width = t->model.width, stride = t->model.stride;
  static const char *const old[] = {"weights", "bias", "class_weights", "progress"};
  for (size_t i = 0; i < sizeof old / sizeof *old; i++) host->drop_tensor(call, t->tensors, old[i]);
  bool several = t->self->loss == ADL_LINEAR_SOFTMAX;
  double *weights = host->tensor(call, t->tensors, "weights", ADL_FLOAT64, several ? 2 : 1,
                                 (int64_t[]){t->self->features.type.width, outputs});
  double *bias = adl_values_make(call, t->tensors, "bias", outputs), penalty = 0;
  for (int64_t i = 0; i < width; i++)
    for (int64_t k = 0; k < outputs; k++) {
      double w = weights[dimension_of(t, i) * outputs + k] = x[i * stride + k];
      penalty += t->self->l1 * fabs(w) + t->self->l2 / 2 * w * w;
    }
  double mean = 0; /* softmax: adding the same to all constants changes nothing, so that their mean is made 0 */
  for (int64_t k = 0; several && k < outputs; k++) mean += x[width * stride + k] / (double)outputs;
  for (int64_t k = 0; k < outputs; k++) bias[k] = x[width * stride + k] - mean;
  if (several) {
    adl_classes_keep(call, &t->classes, t->tensors);
    memcpy(adl_values_make(call, t->tensors, "class_weights", outputs), t->classes.weights,
           (size_t)outputs * sizeof *bias);
  }
  const double values[ADL_FIT_PROGRESS] = {
      t->counts[COUNT_ROWS], t->counts[COUNT_WEIGHT], (double)result->iterations,  (double)result->evaluations,
      (double)result->end,   result->objective,       result->objective - penalty, result->norm};
  memcpy(adl_values_make(call, t->tensors, "progress", ADL_FIT_PROGRESS), values, sizeof values);
}

static void warn(const adl_call *call, const training *t, const adl_lbfgs_result *result) {
  const adl_linear_stage *self = t->self;
  if (self->loss != ADL_LINEAR_SQUARED && self->l1 == 0 && self->l2 == 0 && t->fewest_wrong == 0)
    call->host->log(call, ADL_WARNING,
                    "the training labels can be told apart without a mistake, so that without a penalty there is no "
                    "minimum: the weights would grow for ever, and stopped growing after %lld iterations. Set `l2`",
                    (long long)result->iterations);
  else if (result->end == ADL_LBFGS_EXHAUSTED)
    call->host->log(call, ADL_WARNING,
                    "not converged after %lld iterations: the gradient is %.3g of what it was, not %.3g. Raise "
                    "`max_iter`, or bring the features to one size with a scale stage",
                    (long long)result->iterations, result->norm, self->tolerance);
  else if (result->end == ADL_LBFGS_NO_LOWER && result->norm > 1e-3)
    call->host->log(call, ADL_WARNING,
                    "stopped after %lld iterations, where float64 arithmetic finds nothing lower, with a gradient of "
                    "%.3g of what it was: bring the features to one size with a scale stage",
                    (long long)result->iterations, result->norm);
}

adl_status adl_linear_fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *given) {
  const adl_linear_stage *self = instance;
  training t = {.self = self,
                .rows = rows,
                .total = call->host->scratch_tensors(call),
                .tensors = given->tensors,
                .fewest_wrong = INFINITY};
  ADL_TRY(count_rows(call, &t));
  bool several = self->loss == ADL_LINEAR_SOFTMAX;
  t.model =
      adl_linear_of((adl_linear_loss)self->loss, self->features.type.width, several ? t.classes.count : 1, self->bias);
  leave_out_unused(call, &t);
  int64_t count = adl_linear_count(&t.model);
  adl_values_make(call, t.total, "gradient", count);
  adl_values_make(call, t.total, "sums", ADL_LINEAR_SUMS);
  double *origin = best_constants(call, &t), *x = call->host->alloc(call, (size_t)count * sizeof *x);
  memcpy(x, origin, (size_t)count * sizeof *x);
  adl_tensor before;
  bool warm = call->host->find_tensor(call, t.tensors, "weights", &before);
  if (warm && !start_from_model(call, &t, x))
    return call->host->fail(call, "features", -1, "Use the features and the `loss` that the model was fitted with",
                            "the model to start from is one of other features, or of another loss");
  call->host->drop_tensor(call, t.tensors, "history");
  const adl_lbfgs_problem problem = {.count = count,
                                     .penalised = t.model.width * t.model.stride,
                                     .l1 = self->l1,
                                     .curvature = curvature_of(call, &t),
                                     .memory = self->memory,
                                     .iterations = self->iterations,
                                     .tolerance = self->tolerance,
                                     .origin = warm ? origin : NULL,
                                     .evaluate = evaluate,
                                     .reached = reached,
                                     .context = &t};
  adl_lbfgs_result result;
  ADL_TRY(adl_lbfgs_minimise(call, &problem, x, &result));
  if (!isfinite(result.objective))
    return call->host->fail(call, "features", -1, "Bring them to one size with a scale stage",
                            "the features are so large that the loss is not a number");
  publish(call, &t, x, &result);
  warn(call, &t, &result);
  return ADL_OK;
}
