/* lbfgs: logistic regression for two or several classes, and linear regression, to the minimum, by limited-memory BFGS. The
 * passes over the rows stand in common/linear_fit, the minimiser in common/lbfgs, losses in common/linear_model. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/class_report.h"
#include "common/label_classes.h"
#include "common/labels.h"
#include "common/lbfgs.h"
#include "common/linalg.h"
#include "common/linear_fit.h"
#include "common/linear_model.h"
#include "common/sgd_model.h"
#include "common/weight_table.h"

typedef adl_linear_stage lbfgs;

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

/* ------------------------------------------------------------------------------------------ predicting ---- */

/* The model as predictions need it. */
typedef struct prepared {
  adl_linear model;
  adl_class_names names;
  double weights[];
} prepared;

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **into) {
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

static void release(const void *instance, void *made) {
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
  adl_plot_one(call, report, ADL_PLOT_LINE, "mean loss and penalty", "iteration", "mean loss", count, x, y);
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
  host->report_number(call, report, "", "rows_learned", progress[ADL_FIT_ROWS], NAN, NAN);
  host->report_number(call, report, "", "iterations", progress[ADL_FIT_ITERATIONS], NAN, NAN);
  host->report_number(call, report, "", "evaluations", progress[ADL_FIT_EVALUATIONS], NAN, NAN);
  int end = (int)progress[ADL_FIT_END];
  if (end >= 0 && end <= ADL_LBFGS_EXHAUSTED) host->report_text(call, report, "end", ends[end]);
  host->report_number(call, report, "", "gradient", progress[ADL_FIT_NORM], NAN, NAN);
  host->report_number(call, report, "in-sample", losses[self->loss], progress[ADL_FIT_LOSS], NAN, NAN);
  host->report_number(call, report, "in-sample", "objective", progress[ADL_FIT_OBJECTIVE], NAN, NAN);
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
    .fit = adl_linear_fit,
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
