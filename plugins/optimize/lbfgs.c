/* lbfgs: logistic regression for two or several classes, and linear regression, to the minimum, by limited-memory BFGS. The
 * minimiser stands in common/lbfgs, losses and gradients in common/linear_model. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/class_report.h"
#include "common/label_classes.h"
#include "common/labels.h"
#include "common/lbfgs.h"
#include "common/linalg.h"
#include "common/linear_model.h"
#include "common/sgd_model.h"
#include "common/weight_table.h"

typedef struct lbfgs {
  adl_input features, label, weight;
  adl_output as, class;
  int32_t loss; /* adl_linear_loss */
  double l1, l2, tolerance;
  int64_t iterations, memory;
  bool bias;
} lbfgs;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(lbfgs, features),
     .doc = "What the prediction is made of: numeric, vector and sparse columns, put side by side."},
    {.name = "label",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LEARN_ONLY,
     .offset = offsetof(lbfgs, label),
     .elements = ADL_ANY_NUMERIC | ADL_MASK(ADL_STRING),
     .doc = "What to predict: a bool, or a number in [0, 1] (squared loss: any number; softmax: a category, which is a "
            "string, a whole number or a bool). Rows with another value are rejected. Not needed where the stage does "
            "not learn."},
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LEARN_ONLY,
     .offset = offsetof(lbfgs, weight),
     .elements = ADL_ANY_NUMERIC,
     .doc = "How much a row counts: 2 is exactly the row twice, 0 is as if it were not there. Not negative; without it "
            "every row counts 1."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(lbfgs, as),
     .default_value = "score",
     .doc =
         "The prediction, float32: a probability (never exactly 0 or 1), or a number with squared loss. With softmax "
         "a vector, the probability of each class, its dimensions named after the classes."},
    {.name = "class",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(lbfgs, class),
     .doc = "With softmax, a column for the most likely class (string); of equally likely ones the first."},
    {.name = "loss",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(lbfgs, loss),
     .default_value = "logistic",
     .choices = "logistic|softmax|squared",
     .doc =
         "logistic: logistic regression, yes or no. softmax: multinomial logistic regression, one of several classes. "
         "squared: linear regression."},
    {.name = "l1",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(lbfgs, l1),
     .default_value = "0",
     .range = "[0, inf)",
     .doc = "Adds l1 times the sum of absolute weights to the mean loss. Weights that do not pay are exactly 0."},
    {.name = "l2",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(lbfgs, l2),
     .default_value = "0.0001",
     .range = "[0, inf)",
     .doc =
         "Adds l2 / 2 times the sum of squared weights to the mean loss. Scikit-learn's and liblinear's C is 1 / (l2 "
         "x training rows)."},
    {.name = "bias",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(lbfgs, bias),
     .default_value = "true",
     .doc = "Learn a constant as well (with softmax one for each class). l1 and l2 do not touch it."},
    {.name = "max_iter",
     .type = ADL_PARAM_INT,
     .offset = offsetof(lbfgs, iterations),
     .default_value = "1000",
     .range = "[1, 1000000]",
     .unit = "iterations",
     .doc = "The most iterations. Each takes one pass over the training rows as a rule."},
    {.name = "tol",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(lbfgs, tolerance),
     .default_value = "1e-6",
     .range = "[0, 1)",
     .doc =
         "Stop when the gradient is so small a part of that at the best constant. How far the objective is above its "
         "minimum goes with the square of this."},
    {.name = "memory",
     .type = ADL_PARAM_INT,
     .offset = offsetof(lbfgs, memory),
     .default_value = "10",
     .range = "[1, 50]",
     .unit = "pairs",
     .doc = "So many of the last steps are remembered to tell the curvature from."},
};

/* ---------------------------------------------------------------------------------- class functions ---- */

static adl_status create(const adl_call *call, void *instance) {
  (void)instance;
  return adl_linalg_ready(call);
}

static adl_status check_label(const adl_call *call, const lbfgs *self) {
  if (self->label.slot < 0) return ADL_OK;
  uint32_t element = ADL_MASK(self->label.type.element);
  if (self->loss == ADL_LINEAR_SOFTMAX && (element & ADL_ANY_FLOAT) != 0)
    return call->host->fail(call, "label", -1, "Take a string, a whole number or a bool",
                            "loss: softmax needs a category, and `%s` has fractions", self->label.name);
  if (self->loss != ADL_LINEAR_SOFTMAX && (element & ADL_MASK(ADL_STRING)) != 0)
    return call->host->fail(call, "label", -1, "For one of several classes say `loss: softmax`",
                            "`%s` is a string, and this loss needs a number", self->label.name);
  return ADL_OK;
}

static adl_status bind(const adl_call *call, void *instance) {
  lbfgs *self = instance;
  bool several = self->loss == ADL_LINEAR_SOFTMAX;
  ADL_TRY(check_label(call, self));
  if (self->class.name != NULL && !several)
    return call->host->fail(call, "class", -1, "Say `loss: softmax`, or leave it out",
                            "only softmax has classes to choose the most likely of");
  ADL_TRY(call->host->declare(call, &self->class, (adl_type){.element = ADL_STRING, .role = ADL_CATEGORY}));
  return call->host->declare(call, &self->as,
                             (adl_type){.element = ADL_FLOAT32, .shape = several ? ADL_VECTOR : ADL_SCALAR});
}

static adl_status start(const adl_call *call, void *instance) {
  const lbfgs *self = instance;
  if (self->features.type.width >= 1) return ADL_OK;
  return call->host->fail(call, "features", -1, "Check the vocabulary of the stage that makes them",
                          "the features have no dimensions, so there is nothing to learn from");
}

/* ----------------------------------------------------------------------------- first pass: statistics ---- */

enum { COUNT_ROWS, COUNT_WEIGHT, COUNT_LABEL, COUNT_ITEMS, COUNT_SIZE };

/* Everything that the passes share. */
typedef struct training {
  const lbfgs *self;
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
static bool read_row(const adl_call *call, const lbfgs *self, const adl_batch *batch, int64_t row, double *label,
                     double *weight) {
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
  const lbfgs *self = instance;
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
  const lbfgs *self = t->self;
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
  const lbfgs *self = instance;
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

enum { ROWS, WEIGHT, ITERATIONS, EVALUATIONS, END, OBJECTIVE, LOSS, NORM, PROGRESS_SIZE };

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
  const double values[PROGRESS_SIZE] = {
      t->counts[COUNT_ROWS], t->counts[COUNT_WEIGHT], (double)result->iterations,  (double)result->evaluations,
      (double)result->end,   result->objective,       result->objective - penalty, result->norm};
  memcpy(adl_values_make(call, t->tensors, "progress", PROGRESS_SIZE), values, sizeof values);
}

static void warn(const adl_call *call, const training *t, const adl_lbfgs_result *result) {
  const lbfgs *self = t->self;
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

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *given) {
  const lbfgs *self = instance;
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

/* ------------------------------------------------------------------------------------------ predicting ---- */

/* The model as predictions need it. */
typedef struct prepared {
  adl_linear model;
  adl_class_names names;
  double weights[];
} prepared;

static adl_status prepare(const adl_call *call, void *instance, const adl_model *model, void **into) {
  const lbfgs *self = instance;
  const adl_host *host = call->host;
  bool several = self->loss == ADL_LINEAR_SOFTMAX;
  adl_tensor weights, bias;
  adl_class_names names = adl_classes_names(call, model->tensors);
  *into = NULL;
  if (!host->find_tensor(call, model->tensors, "weights", &weights) ||
      !host->find_tensor(call, model->tensors, "bias", &bias) || weights.element != ADL_FLOAT64 ||
      bias.element != ADL_FLOAT64 || bias.count < 1 || bias.count != (several ? names.count : 1) ||
      weights.count != self->features.type.width * bias.count)
    return host->fail(call, NULL, -1, "Fit it, or take the features and the `loss` that the model was fitted with",
                      "the model holds no weights for these features");
  adl_linear shape = adl_linear_of((adl_linear_loss)self->loss, self->features.type.width, bias.count, self->bias);
  prepared *made = calloc(1, sizeof *made + (size_t)adl_linear_count(&shape) * sizeof(double));
  if (made == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
  made->model = shape;
  made->names = names;
  for (int64_t i = 0; i <= shape.width; i++)
    memcpy(made->weights + i * shape.stride,
           i < shape.width ? (const double *)weights.data + i * bias.count : (const double *)bias.data,
           (size_t)bias.count * sizeof(double));
  *into = made;
  if (!several) return ADL_OK;
  ADL_TRY(host->set_width(call, self->as.slot, names.count));
  return host->set_names(call, self->as.slot, names.count, names.offsets, names.bytes);
}

static void release(void *instance, void *made) {
  (void)instance;
  free(made);
}

/* Scores of a row, from its margins, which become probabilities. */
static void give_scores(const adl_linear *model, double *margins, float *scores) {
  if (model->loss == ADL_LINEAR_SQUARED) {
    scores[0] = (float)margins[0];
  } else if (model->loss == ADL_LINEAR_LOGISTIC) {
    scores[0] = adl_probability32(adl_logistic(adl_clip_margin(margins[0])));
  } else {
    adl_linear_softmax(margins, model->outputs);
    for (int64_t k = 0; k < model->outputs; k++) scores[k] = adl_probability32(margins[k]);
  }
}

static int64_t likeliest(const double *margins, int64_t outputs) {
  int64_t best = 0;
  for (int64_t k = 1; k < outputs; k++)
    if (margins[k] > margins[best]) best = k;
  return best;
}

/* Their names as a string column. */
static adl_status give_classes(const adl_call *call, const lbfgs *self, const adl_class_names *names,
                               const int64_t *classes, int64_t rows, adl_out *out) {
  int64_t size = 0;
  adl_buffers to;
  for (int64_t row = 0; row < rows; row++) size += adl_class_name(names, classes[row]).size;
  ADL_TRY(call->host->reserve(call, out, self->class.slot, rows, 0, size, &to));
  to.string_offsets[0] = 0;
  for (int64_t row = 0; row < rows; row++) {
    adl_text name = adl_class_name(names, classes[row]);
    if (name.size > 0) memcpy((char *)to.data + to.string_offsets[row], name.data, (size_t)name.size);
    to.string_offsets[row + 1] = to.string_offsets[row] + name.size;
  }
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const lbfgs *self = instance;
  const prepared *made = model->prepared;
  const adl_linear *shape = &made->model;
  const adl_column *matrix = batch->slots[self->features.slot];
  bool scores_wanted = call->host->wanted(call, self->as.slot);
  bool classes_wanted = self->class.slot >= 0 && call->host->wanted(call, self->class.slot);
  if (!scores_wanted && !classes_wanted) return ADL_OK;
  adl_buffers to = {0};
  if (scores_wanted) ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  int64_t most = adl_linear_block(shape, batch->rows), stride = shape->stride;
  double *margins = call->host->alloc(call, (size_t)(most * stride + 1) * sizeof *margins), *block = NULL;
  if (matrix->type.shape != ADL_SPARSE)
    block = call->host->alloc(call, (size_t)(most * shape->width + 1) * sizeof *block);
  int64_t *classes = call->host->alloc(call, (size_t)(batch->rows + 1) * sizeof *classes);
  for (int64_t from = 0; from < batch->rows; from += most) {
    int64_t rows = batch->rows - from < most ? batch->rows - from : most;
    adl_linear_margins(shape, made->weights, matrix, from, rows, block, margins);
    for (int64_t row = 0; row < rows; row++) {
      classes[from + row] = likeliest(margins + row * stride, shape->outputs);
      if (to.data != NULL) give_scores(shape, margins + row * stride, (float *)to.data + (from + row) * shape->outputs);
    }
  }
  return classes_wanted ? give_classes(call, self, &made->names, classes, batch->rows, out) : ADL_OK;
}

/* ---------------------------------------------------------------------------------------------- report ---- */

static void report_history(const adl_call *call, const adl_tensors *tensors, adl_report *report) {
  adl_tensor history;
  if (!call->host->find_tensor(call, tensors, "history", &history) || history.size[0] < 2) return;
  int64_t count = history.size[0];
  double *x = call->host->alloc(call, (size_t)count * 2 * sizeof *x), *y = x + count;
  for (int64_t i = 0; i < count; i++) {
    x[i] = (double)i;
    y[i] = ((const double *)history.data)[2 * i];
  }
  call->host->report_plot(call, report, "mean loss and penalty", "iteration", "mean loss", false, count, x, y);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  const lbfgs *self = instance;
  const adl_host *host = call->host;
  static const char *const ends[] = {"converged", "float64 arithmetic finds nothing lower",
                                     "not converged: max_iter reached"};
  static const char *const losses[] = {"logloss", "logloss", "half_squared_loss"};
  const double *progress = adl_values_find(call, model->tensors, "progress");
  const double *bias = adl_values_find(call, model->tensors, "bias");
  adl_tensor weights;
  if (progress == NULL || bias == NULL || !host->find_tensor(call, model->tensors, "weights", &weights)) return ADL_OK;
  host->report_number(call, report, "", "rows_learned", progress[ROWS], NAN, NAN);
  host->report_number(call, report, "", "iterations", progress[ITERATIONS], NAN, NAN);
  host->report_number(call, report, "", "evaluations", progress[EVALUATIONS], NAN, NAN);
  int end = (int)progress[END];
  if (end >= 0 && end <= ADL_LBFGS_EXHAUSTED) host->report_text(call, report, "end", ends[end]);
  host->report_number(call, report, "", "gradient", progress[NORM], NAN, NAN);
  host->report_number(call, report, "in-sample", losses[self->loss], progress[LOSS], NAN, NAN);
  host->report_number(call, report, "in-sample", "objective", progress[OBJECTIVE], NAN, NAN);
  const double *values = weights.data;
  int64_t used = 0, width = self->features.type.width;
  for (int64_t i = 0; i < weights.count; i++) used += values[i] != 0;
  host->report_number(call, report, "", "dimensions", (double)width, NAN, NAN);
  host->report_number(call, report, "", "nonzero_weights", (double)used, NAN, NAN);
  report_history(call, model->tensors, report);
  if (self->loss == ADL_LINEAR_SOFTMAX) {
    adl_classes_report(call, &self->features, model->tensors, report);
    return ADL_OK;
  }
  if (self->bias) host->report_number(call, report, "", "bias", *bias, NAN, NAN);
  if (width <= ADL_WEIGHT_TABLE_WIDTH)
    adl_weight_table(call, report, &self->features, width, "weight", values, NULL, NULL);
  return ADL_OK;
}

static const char doc[] =
    "Logistic regression for yes and no or for one of several classes (softmax), or linear regression for numbers, "
    "carried on to the minimum: what sgd and ftrl come near to. Works on numeric columns, vectors and sparse columns, "
    "which stay where they are: every iteration is a pass over the training rows.\n"
    "\n"
    "What is minimised is the mean loss of the training rows plus l1 |w| + l2 / 2 |w|^2, where the mean is that by "
    "`weight` (the sum of weight x loss by the sum of the weights): a row of weight 2 is the row twice. The constants "
    "are not penalised. For the minimum of C x (sum of losses) + |w|^2 / 2 (scikit-learn's LogisticRegression, "
    "liblinear -s 0) set `l2` = 1 / (C x rows); for that of C x (sum of losses) + |w| (liblinear -s 6, scikit-learn's "
    "penalty l1) `l1` = 1 / (C x rows) and `l2: 0`; scikit-learn's elasticnet has `l1` = l1_ratio / (C x rows) and "
    "`l2` = (1 - l1_ratio) / (C x rows). liblinear has no constant unless asked (`bias: false` here), and penalises "
    "the one it is asked for (-B 1: a column of ones among the features, with `bias: false`). Inputs are taken as they "
    "are; put a scale stage before this one where their sizes differ: it converges sooner, and penalties treat them "
    "alike.\n"
    "\n"
    "softmax has weights for every class, as scikit-learn's multinomial regression has, also for two classes (whose "
    "penalty is then half as strong as in logistic regression with the same l2). Classes are in the order of their "
    "values where all are whole numbers, else of their bytes, whatever the order of the rows. `class` is the most "
    "likely one; give it to agreement, beside the label, to have its accuracy measured.\n"
    "\n"
    "Sources: limited-memory BFGS, Nocedal, Mathematics of Computation 1980, and Liu & Nocedal, Mathematical "
    "Programming 1989, with a line search for the Wolfe conditions; with l1 its orthant-wise form, Andrew & Gao, ICML "
    "2007, where the line search goes back until the objective falls enough. It departs from them in that the "
    "variables are first brought to one size, by the second derivatives at the best constant, from which it also "
    "begins. It ends when the gradient, in these units, is `tol` times that at the beginning. The objective falls "
    "with every iteration. Arithmetic is float64, sums do not depend on the number of threads.\n"
    "\n"
    "The model holds `weights` (softmax: width x classes), `bias`, `classes`, and `history`: objective and gradient "
    "after each iteration. From a `model` it goes on: classes are matched by name, new ones begin at 0.\n"
    "\n"
    "Memory: up to 16 gradients (fewer of wide ones) and 2 x `memory` + 8 vectors, of width x classes float64.\n"
    "\n"
    "Features that are null, NaN or infinite are rejected with their row, and so are training rows whose label is null "
    "or not in [0, 1] (squared loss: not finite) or whose weight is negative. Refused are: no training rows, and "
    "labels "
    "that are all the same. Labels that can be told apart without a mistake have no minimum without a penalty; that is "
    "found out, and a warning given. Dimensions that are 0 in every row have weight 0. Where dimensions depend on each "
    "other and l2 is 0 there are many minima; which one comes out is not defined, though always the same.";

static const adl_class lbfgs_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "lbfgs",
    .title = "Logistic or linear regression to the minimum",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(lbfgs),
    .state_version = 1,
    ADL_PARAMS(params),
    .create = create,
    .bind = bind,
    .start = start,
    .fit = fit,
    .prepare = prepare,
    .release = release,
    .process = process,
    .report = report,
};

static const adl_class *const classes[] = {&lbfgs_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "lbfgs",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("lbfgs", "1.0.0", "optimize:lbfgs", &plugin);
