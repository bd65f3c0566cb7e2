/* sgd: linear and logistic regression by stochastic gradient descent, with scaling of the inputs, averaging of the
 * weights and early stopping. The steps themselves stand in common/sgd_steps. */
#include <adloom/plugin.h>

#include <string.h>

#include "common/labels.h"
#include "common/scaling.h"
#include "common/sgd_model.h"
#include "common/weight_table.h"

typedef struct sgd {
  adl_input features, label, weight;
  adl_output as;
  int32_t method, loss, standardise; /* adl_sgd_method, adl_loss, adl_scaling */
  double learning_rate, decay, momentum, l1, l2, holdback, tolerance;
  int64_t epochs, patience;
  bool average, bias;
} sgd;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(sgd, features),
     .doc = "What the prediction is made of: numeric, vector and sparse columns, put side by side."},
    {.name = "label",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LEARN_ONLY,
     .offset = offsetof(sgd, label),
     .elements = ADL_ANY_NUMERIC,
     .doc = "What to predict: a bool, or a number in [0, 1] (squared loss: any number). Rows with another value are "
            "rejected. Not needed where the stage does not learn."},
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LEARN_ONLY,
     .offset = offsetof(sgd, weight),
     .elements = ADL_ANY_NUMERIC,
     .doc = "How much a row counts: its gradient is multiplied by this. 2 is the row twice, as far as the loss goes; 0 "
            "is as if the row were not there. Not negative; without it every row counts 1."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(sgd, as),
     .default_value = "score",
     .doc = "The prediction, float32: a probability (never exactly 0 or 1), or a number with squared loss."},
    {.name = "loss",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(sgd, loss),
     .default_value = "logistic",
     .choices = ADL_LOSS_CHOICES,
     .doc = "logistic: logistic regression. squared: linear regression."},
    {.name = "method",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(sgd, method),
     .default_value = "adagrad",
     .choices = ADL_SGD_METHOD_CHOICES,
     .doc = "plain: steps along the gradient. momentum: each step keeps part of the last one. adagrad: every dimension "
            "has a rate of its own, which falls with what it has moved."},
    {.name = "epochs",
     .type = ADL_PARAM_INT,
     .offset = offsetof(sgd, epochs),
     .default_value = "50",
     .range = "[1, 100000]",
     .unit = "passes",
     .doc = "The most passes over the training rows. See `patience`. Online learning makes one."},
    {.name = "learning_rate",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(sgd, learning_rate),
     .default_value = "0.1",
     .range = "(0, inf)",
     .doc =
         "Size of the first steps. 0.1 suits adagrad; plain needs less (about 1 / the number of dimensions in a row) "
         "and momentum (1 - momentum) times that."},
    {.name = "decay",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(sgd, decay),
     .default_value = "0",
     .range = "[0, inf)",
     .unit = "1/row",
     .doc = "After t rows the rate is learning_rate / (1 + decay t). For plain and momentum; adagrad falls by itself."},
    {.name = "momentum",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(sgd, momentum),
     .default_value = "0.9",
     .range = "[0, 1)",
     .doc = "With `method: momentum`: the part of the last step that is kept."},
    {.name = "l1",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(sgd, l1),
     .default_value = "0",
     .range = "[0, inf)",
     .doc = "Adds l1 times the sum of absolute weights to the mean loss. Weights that do not pay come near 0; for "
            "weights of "
            "exactly 0 take ftrl."},
    {.name = "l2",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(sgd, l2),
     .default_value = "0.0001",
     .range = "[0, inf)",
     .doc = "Adds l2 / 2 times the sum of squared weights to the mean loss. Scikit-learn's C is 1 / (l2 x training "
            "rows)."},
    {.name = "bias",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(sgd, bias),
     .default_value = "true",
     .doc = "Learn a constant as well. l1 and l2 do not touch it."},
    {.name = "standardise",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(sgd, standardise),
     .default_value = "auto",
     .choices = ADL_SCALING_CHOICES,
     .doc = "How inputs are brought to one size inside, by a first pass over the training rows. full: mean 0 and "
            "standard deviation 1, every dimension in every step. scale: divided by the root mean square of the values "
            "that are not 0, which leaves zeros and 0/1 indicators alone and so suits wide sparse inputs. auto: full, "
            "but scale for sparse inputs of more than 1024 dimensions. l1 and l2 count the weights of the "
            "standardised inputs."},
    {.name = "average",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(sgd, average),
     .default_value = "true",
     .doc = "Use the running average of the weights, later ones counting more, instead of the last ones. It takes away "
            "the noise of single rows and of their order. Not online, where the last weights are used."},
    {.name = "holdback",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(sgd, holdback),
     .default_value = "0",
     .range = "[0, 0.5]",
     .doc = "Part of the training rows to hold back, chosen at random from the seed. Their loss, not that of the rows "
            "learned from, then says which epoch was best and when to stop."},
    {.name = "patience",
     .type = ADL_PARAM_INT,
     .offset = offsetof(sgd, patience),
     .default_value = "5",
     .range = "[1, 100000]",
     .unit = "passes",
     .doc =
         "Stop after so many passes without the watched loss falling by `tolerance`. The weights of the best pass are "
         "kept. Watched is the loss of the held-back rows, or, without any, the training loss and penalty."},
    {.name = "tolerance",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(sgd, tolerance),
     .default_value = "0.0001",
     .range = "[0, 1)",
     .doc = "The fall, as a part of the watched loss, that counts as an improvement."},
};

/* ---------------------------------------------------------------------------------- class functions ---- */

static adl_status bind(const adl_call *call, void *instance) {
  sgd *self = instance;
  return call->host->declare(call, &self->as,
                             (adl_type){.element = ADL_FLOAT32, .shape = ADL_SCALAR, .role = ADL_NUMBER});
}

static adl_status start(const adl_call *call, void *instance) {
  const sgd *self = instance;
  if (self->features.type.width >= 1) return ADL_OK;
  return call->host->fail(call, "features", -1, "Check the vocabulary of the stage that makes them",
                          "the features have no dimensions, so there is nothing to learn from");
}

static adl_sgd_rule rule_of(const sgd *self) {
  return (adl_sgd_rule){(adl_sgd_method)self->method,
                        (adl_loss)self->loss,
                        self->learning_rate,
                        self->decay,
                        self->momentum,
                        self->l1,
                        self->l2,
                        self->bias};
}

static adl_sgd_model open_model(const adl_call *call, const sgd *self, adl_tensors *tensors, bool average) {
  adl_sgd_rule rule = rule_of(self);
  return adl_sgd_model_open(call, &rule, tensors, self->features.type, average);
}

/* A model that was made elsewhere must be one of these features. */
static adl_status check_width(const adl_call *call, const sgd *self, const adl_tensors *tensors) {
  adl_tensor weights;
  if (!call->host->find_tensor(call, tensors, "weights", &weights)) return ADL_OK;
  if (weights.size[0] == self->features.type.width) return ADL_OK;
  return call->host->fail(call, "features", -1, "Use the features that the model was fitted on",
                          "the model has %lld dimensions, the features have %lld", (long long)weights.size[0],
                          (long long)self->features.type.width);
}

static const adl_column *weight_of(const sgd *self, const adl_batch *batch) {
  return self->weight.slot >= 0 ? batch->slots[self->weight.slot] : NULL;
}

/* Label and weight of a row of the batch; false: rejected, or of weight 0. */
static bool read_label(const adl_call *call, const sgd *self, const adl_batch *batch, int64_t row, double *label,
                       double *weight) {
  return adl_label_read(call, batch->slots[self->label.slot], weight_of(self, batch), (adl_loss)self->loss, row, label,
                        weight);
}

/* Whether a training row is held back: the same rows in every pass. */
static bool is_held(const sgd *self, uint64_t key, int64_t ordinal) {
  return self->holdback > 0 && adl_random_unit(key, (uint64_t)ordinal) < self->holdback;
}

/* ------------------------------------------------------------------------- first pass: statistics ---- */

enum { COUNT_ROWS, COUNT_HELD, COUNT_WEIGHT, COUNT_LABEL, COUNT_LABEL2, COUNT_SIZE };

static adl_scaling scaling_of(const sgd *self) {
  return adl_scaling_choose((adl_scaling)self->standardise, self->features.type);
}

static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)context;
  const sgd *self = instance;
  adl_scaling how = scaling_of(self);
  double *counts = adl_values_make(call, partial, "counts", COUNT_SIZE), y, w;
  double *sums = adl_scaling_sums(call, partial, how, self->features.type.width);
  uint64_t key = call->host->random_key(call, "holdback");
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_label(call, self, batch, row, &y, &w)) continue;
    if (is_held(self, key, batch->ordinal + row)) {
      counts[COUNT_HELD] += 1;
      continue;
    }
    counts[COUNT_ROWS] += 1;
    counts[COUNT_WEIGHT] += w;
    counts[COUNT_LABEL] += w * y;
    counts[COUNT_LABEL2] += w * y * y;
    adl_scaling_add(how, sums, self->features.type.width, adl_matrix_row_at(batch->slots[self->features.slot], row));
  }
  return ADL_OK;
}

/* Mean and scale of the labels of squared loss. */
static void keep_label(const adl_call *call, const sgd *self, adl_tensors *tensors, const double *counts) {
  double *label = adl_values_make(call, tensors, "label", 2), weight = counts[COUNT_WEIGHT];
  label[0] = self->bias && weight > 0 ? counts[COUNT_LABEL] / weight : 0.0;
  label[1] = weight > 0 ? adl_scaling_deviation(counts[COUNT_LABEL] / weight, counts[COUNT_LABEL2] / weight) : 1.0;
}

/* The pass, and what follows from it when the model is a new one. */
static adl_status count_rows(const adl_call *call, const sgd *self, adl_rows *rows, adl_tensors *tensors, bool fresh,
                             double counts[COUNT_SIZE]) {
  adl_tensors *total = call->host->scratch_tensors(call);
  int64_t width = self->features.type.width;
  adl_values_make(call, total, "counts", COUNT_SIZE);
  adl_scaling_sums(call, total, scaling_of(self), width);
  adl_fold fold = {.struct_size = sizeof fold, .step = count_step};
  if (width > ADL_WEIGHT_TABLE_WIDTH) fold.flags = ADL_FOLD_IN_ORDER; /* one copy of the sums is large enough */
  ADL_TRY(call->host->fold(call, rows, &fold, total));
  memcpy(counts, adl_values_find(call, total, "counts"), COUNT_SIZE * sizeof *counts);
  if (counts[COUNT_ROWS] == 0)
    return call->host->fail(
        call, NULL, -1, "Check the holdout of the source, the filters above this stage, and that weights are above 0",
        "there are no training rows with a usable label");
  if (fresh)
    adl_scaling_keep(call, tensors, scaling_of(self), width, counts[COUNT_ROWS], adl_values_find(call, total, "sums"));
  if (fresh && self->loss == ADL_LOSS_SQUARED) keep_label(call, self, tensors, counts);
  return ADL_OK;
}

/* ------------------------------------------------------------------------------------ later passes ---- */

static adl_status train_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)context;
  const sgd *self = instance;
  adl_sgd_model model = open_model(call, self, partial, self->average);
  adl_sgd_reader reader = adl_sgd_reader_open(call, &model, batch->slots[self->features.slot]);
  uint64_t key = call->host->random_key(call, "holdback");
  double label, weight;
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_label(call, self, batch, row, &label, &weight)) continue;
    if (is_held(self, key, batch->ordinal + row)) continue;
    adl_sgd_read(&reader, row);
    adl_sgd_learn(&reader, label, weight);
    if (adl_sgd_average_due(&model.state)) adl_sgd_average(&model.rule, &model.state);
  }
  adl_sgd_model_close(&model);
  return ADL_OK;
}

enum { LOSS_WEIGHT, LOSS_SUM, LOSS_HELD_WEIGHT, LOSS_HELD_SUM, LOSS_SIZE };

/* Context of the measuring fold: the published model. */
typedef struct published {
  const double *weights;
  double bias;
} published;

static double published_margin(const published *model, adl_matrix_row at) {
  return adl_matrix_row_dot(at, model->weights) + model->bias;
}

static adl_status measure_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                               adl_tensors *partial) {
  const sgd *self = instance;
  double *sums = adl_values_make(call, partial, "loss", LOSS_SIZE), y, w;
  uint64_t key = call->host->random_key(call, "holdback");
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_label(call, self, batch, row, &y, &w)) continue;
    double margin = published_margin(context, adl_matrix_row_at(batch->slots[self->features.slot], row));
    int at = is_held(self, key, batch->ordinal + row) ? LOSS_HELD_WEIGHT : LOSS_WEIGHT;
    sums[at] += w;
    sums[at + 1] += w * adl_sgd_loss((adl_loss)self->loss, y, margin);
  }
  return ADL_OK;
}

/* A row of the tensor "history": mean loss of the rows learned from, objective, mean loss of the held-back rows. */
enum { HISTORY_LOSS, HISTORY_OBJECTIVE, HISTORY_HELD, HISTORY_SIZE };

/* Mean losses of the published model. */
static adl_status measure(const adl_call *call, adl_rows *rows, const adl_sgd_model *model, double rows_learned,
                          double penalty, double history[HISTORY_SIZE]) {
  adl_tensors *total = call->host->scratch_tensors(call);
  published context = {model->weights, model->bias[0]};
  adl_fold fold = {.struct_size = sizeof fold, .step = measure_step, .context = &context};
  adl_values_make(call, total, "loss", LOSS_SIZE);
  ADL_TRY(call->host->fold(call, rows, &fold, total));
  const double *sums = adl_values_find(call, total, "loss");
  history[HISTORY_LOSS] = sums[LOSS_WEIGHT] > 0 ? sums[LOSS_SUM] / sums[LOSS_WEIGHT] : 0.0;
  history[HISTORY_OBJECTIVE] = sums[LOSS_SUM] / rows_learned + penalty;
  history[HISTORY_HELD] = sums[LOSS_HELD_WEIGHT] > 0 ? sums[LOSS_HELD_SUM] / sums[LOSS_HELD_WEIGHT] : 0.0;
  return ADL_OK;
}

/* The tensor "progress". */
enum { ROWS, LABELS, ONLINE_WEIGHT, ONLINE_LOSS, EPOCHS, BEST_EPOCH, CONSTANT_LOSS, PROGRESS_SIZE };

/* Early stopping: the lowest loss so far with its weights, and the last one that was a real improvement. */
typedef struct watch {
  double lowest, mark;
  int64_t lowest_epoch, mark_epoch;
  double *weights;
} watch;

static bool should_stop(const sgd *self, watch *seen, double loss, int64_t epoch, const double *weights,
                        int64_t count) {
  if (epoch == 0 || loss < seen->lowest) {
    seen->lowest = loss;
    seen->lowest_epoch = epoch;
    memcpy(seen->weights, weights, (size_t)count * sizeof *weights);
  }
  if (epoch == 0 || loss < seen->mark - self->tolerance * fabs(seen->mark)) {
    seen->mark = loss;
    seen->mark_epoch = epoch;
  }
  return epoch - seen->mark_epoch >= self->patience;
}

static adl_status train(const adl_call *call, const sgd *self, adl_rows *rows, adl_tensors *tensors,
                        const double counts[COUNT_SIZE]) {
  const adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = train_step};
  int64_t count = self->features.type.width + 1, epoch = 0;
  watch seen = {.weights = call->host->alloc(call, (size_t)count * sizeof(double))};
  adl_sgd_model model;
  for (bool stop = false; !stop && epoch < self->epochs; epoch++) {
    ADL_TRY(call->host->fold(call, rows, &fold, tensors));
    model = open_model(call, self, tensors, self->average);
    const double *present = adl_sgd_model_present(&model);
    adl_sgd_model_publish(&model, present);
    double *history =
        call->host->tensor(call, tensors, "history", ADL_FLOAT64, 2, (int64_t[]){epoch + 1, HISTORY_SIZE});
    history += epoch * HISTORY_SIZE;
    ADL_TRY(measure(call, rows, &model, counts[COUNT_ROWS], adl_sgd_model_penalty(&model, present), history));
    if (!isfinite(history[HISTORY_OBJECTIVE]))
      return call->host->fail(call, "learning_rate", -1, "Take a smaller one, or method: adagrad",
                              "the weights have grown without bound in pass %lld", (long long)epoch + 1);
    stop = should_stop(self, &seen, history[counts[COUNT_HELD] > 0 ? HISTORY_HELD : HISTORY_OBJECTIVE], epoch, present,
                       count);
    call->host->progress(call, "passes", (double)(epoch + 1), (double)self->epochs);
  }
  model = open_model(call, self, tensors, self->average);
  adl_sgd_model_restart(&model, seen.weights);
  double *progress = adl_values_make(call, tensors, "progress", PROGRESS_SIZE);
  progress[EPOCHS] = (double)epoch;
  progress[BEST_EPOCH] = (double)(seen.lowest_epoch + 1);
  adl_tensor history;
  call->host->find_tensor(call, tensors, "history", &history);
  double loss = ((const double *)history.data)[seen.lowest_epoch * HISTORY_SIZE + HISTORY_LOSS];
  if (loss > progress[CONSTANT_LOSS] * 1.001)
    call->host->log(
        call, ADL_WARNING,
        "after %lld passes the training loss (%.6g) is above that of a constant (%.6g): the learning rate %g "
        "is too large, or the passes too few",
        (long long)epoch, loss, progress[CONSTANT_LOSS], self->learning_rate);
  return ADL_OK;
}

/* Mean loss of the best constant. */
static double constant_loss(const sgd *self, const double counts[COUNT_SIZE]) {
  if (!(counts[COUNT_WEIGHT] > 0)) return 0.0;
  double mean = counts[COUNT_LABEL] / counts[COUNT_WEIGHT];
  if (self->loss == ADL_LOSS_LOGISTIC) return adl_log_loss(mean, mean);
  return 0.5 * (counts[COUNT_LABEL2] / counts[COUNT_WEIGHT] - mean * mean);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *given) {
  const sgd *self = instance;
  adl_tensors *tensors = given->tensors;
  ADL_TRY(check_width(call, self, tensors));
  bool fresh = adl_values_find(call, tensors, "state.weights") == NULL;
  double counts[COUNT_SIZE];
  ADL_TRY(count_rows(call, self, rows, tensors, fresh, counts));
  double *progress = adl_values_make(call, tensors, "progress", PROGRESS_SIZE);
  memset(progress, 0, PROGRESS_SIZE * sizeof *progress);
  progress[ROWS] = counts[COUNT_ROWS];
  progress[LABELS] = counts[COUNT_LABEL];
  progress[CONSTANT_LOSS] = constant_loss(self, counts);
  if (self->holdback > 0 && counts[COUNT_HELD] == 0)
    call->host->log(call, ADL_WARNING, "of %.0f training rows none was held back: the training loss is watched instead",
                    counts[COUNT_ROWS]);
  adl_sgd_model model = open_model(call, self, tensors, self->average);
  model.state.averaged = 0; /* a warm start begins a new average */
  adl_sgd_model_close(&model);
  bool one_class = adl_label_warn(call, (adl_loss)self->loss, counts[COUNT_WEIGHT], counts[COUNT_LABEL]);
  if (fresh && self->bias && self->loss == ADL_LOSS_LOGISTIC) {
    /* The best constant is a good place to start from; half a row is added to a class that has none. */
    double half = one_class ? 0.5 : 0.0;
    double yes = counts[COUNT_LABEL] + half, no = counts[COUNT_WEIGHT] - counts[COUNT_LABEL] + half;
    model.state.weights[model.state.width] = log(yes / no);
    adl_sgd_model_publish(&model, model.state.weights);
    if (one_class) return ADL_OK;
  }
  return train(call, self, rows, tensors, counts);
}

static adl_status init(const adl_call *call, const void *instance, adl_model *model) {
  const sgd *self = instance;
  ADL_TRY(check_width(call, self, model->tensors));
  bool fresh = adl_values_find(call, model->tensors, "state.weights") == NULL;
  if (fresh && (self->standardise == ADL_SCALING_FULL || self->standardise == ADL_SCALING_SIZE))
    return call->host->fail(call, "standardise", -1,
                            "Leave it out and put a scale stage before this one, or start from a fitted `model`",
                            "online learning makes no first pass, in which sizes of the inputs could be measured");
  open_model(call, self, model->tensors, false);
  adl_values_make(call, model->tensors, "progress", PROGRESS_SIZE);
  return ADL_OK;
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  *prepared = NULL;
  return check_width(call, instance, model->tensors);
}

static float prediction_of(const sgd *self, double margin) {
  if (self->loss == ADL_LOSS_SQUARED) return (float)margin;
  return adl_probability32(adl_logistic(adl_clip_margin(margin)));
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const sgd *self = instance;
  const double *weights = adl_values_find(call, model->tensors, "weights");
  const double *bias = adl_values_find(call, model->tensors, "bias");
  if (weights == NULL || bias == NULL)
    return call->host->fail(call, NULL, -1, "Fit it, or say which `model` to load", "the model holds no weights");
  if (!call->host->wanted(call, self->as.slot)) return ADL_OK;
  adl_buffers buffers;
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &buffers));
  float *scores = buffers.data;
  for (int64_t row = 0; row < batch->rows; row++)
    scores[row] = prediction_of(
        self, adl_matrix_row_dot(adl_matrix_row_at(batch->slots[self->features.slot], row), weights) + *bias);
  return ADL_OK;
}

static adl_status learn(const adl_call *call, const void *instance, adl_model *given, const adl_batch *batch,
                        adl_out *out) {
  const sgd *self = instance;
  adl_sgd_model model = open_model(call, self, given->tensors, false);
  double *progress = adl_values_make(call, given->tensors, "progress", PROGRESS_SIZE), label, weight;
  if (progress[EPOCHS] > 0) memset(progress, 0, PROGRESS_SIZE * sizeof *progress); /* a fitted model goes on online */
  adl_buffers buffers = {0};
  if (out != NULL && call->host->wanted(call, self->as.slot))
    ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &buffers));
  float *scores = buffers.data;
  adl_sgd_reader reader = adl_sgd_reader_open(call, &model, batch->slots[self->features.slot]);
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_sgd_read(&reader, row);
    double margin = adl_sgd_score(&reader);
    if (scores != NULL) scores[row] = prediction_of(self, margin);
    if (!read_label(call, self, batch, row, &label, &weight)) continue;
    progress[ROWS] += 1;
    progress[LABELS] += label;
    progress[ONLINE_WEIGHT] += weight;
    progress[ONLINE_LOSS] += weight * adl_sgd_loss((adl_loss)self->loss, label, margin);
    adl_sgd_learn(&reader, label, weight);
  }
  adl_sgd_model_publish(&model, adl_sgd_model_present(&model));
  adl_sgd_model_close(&model);
  return ADL_OK;
}

/* -------------------------------------------------------------------------------------------- report ---- */

static void report_history(const adl_call *call, const adl_tensors *tensors, const double *progress,
                           const char *loss_name, adl_report *report) {
  adl_tensor history;
  if (!call->host->find_tensor(call, tensors, "history", &history) || progress[EPOCHS] == 0) return;
  if (!(progress[EPOCHS] * HISTORY_SIZE <= (double)history.count && progress[BEST_EPOCH] >= 1 &&
        progress[BEST_EPOCH] <= progress[EPOCHS]))
    return; /* not a model of ours: there is nothing to tell */
  const double *values = history.data;
  int64_t count = (int64_t)progress[EPOCHS], best = (int64_t)progress[BEST_EPOCH] - 1;
  double *x = call->host->alloc(call, (size_t)count * 2 * sizeof *x), *y = x + count;
  bool held = values[best * HISTORY_SIZE + HISTORY_HELD] > 0;
  for (int64_t i = 0; i < count; i++) {
    x[i] = (double)(i + 1);
    y[i] = values[i * HISTORY_SIZE + (held ? HISTORY_HELD : HISTORY_OBJECTIVE)];
  }
  values += best * HISTORY_SIZE;
  call->host->report_number(call, report, "", "passes", progress[EPOCHS], NAN, NAN);
  call->host->report_number(call, report, "", "best_pass", progress[BEST_EPOCH], NAN, NAN);
  call->host->report_number(call, report, "in-sample", loss_name, values[HISTORY_LOSS], NAN, NAN);
  call->host->report_number(call, report, "in-sample", "objective", values[HISTORY_OBJECTIVE], NAN, NAN);
  if (held) call->host->report_number(call, report, "held-back", loss_name, values[HISTORY_HELD], NAN, NAN);
  if (count > 1)
    adl_plot_one(call, report, ADL_PLOT_LINE, held ? "loss of the held-back rows" : "training loss and penalty", "pass",
                 "mean loss", count, x, y);
}

/* The weights of standardised inputs can be compared with each other, those of the inputs as given cannot. */
static void report_weights(const adl_call *call, const sgd *self, const adl_tensors *tensors, adl_report *report) {
  int64_t width = self->features.type.width, used = 0;
  const double *weights = adl_values_find(call, tensors, "weights"), *scale = adl_values_find(call, tensors, "scale");
  for (int64_t i = 0; i < width; i++) used += weights[i] != 0;
  call->host->report_number(call, report, "", "dimensions", (double)width, NAN, NAN);
  call->host->report_number(call, report, "", "nonzero_weights", (double)used, NAN, NAN);
  if (width > ADL_WEIGHT_TABLE_WIDTH) return;
  if (scale == NULL) {
    adl_weight_table(call, report, &self->features, width, "weight", weights, NULL, NULL);
    return;
  }
  double *sizes = call->host->alloc(call, (size_t)width * sizeof *sizes);
  for (int64_t i = 0; i < width; i++) sizes[i] = weights[i] * scale[i];
  adl_weight_table(call, report, &self->features, width, "weight, standardised", sizes, "weight", weights);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  const sgd *self = instance;
  const double *progress = adl_values_find(call, model->tensors, "progress");
  const double *bias = adl_values_find(call, model->tensors, "bias");
  if (progress == NULL || bias == NULL) return ADL_OK;
  const char *loss_name = self->loss == ADL_LOSS_LOGISTIC ? "logloss" : "half_squared_loss";
  call->host->report_number(call, report, "", "rows_learned", progress[ROWS], NAN, NAN);
  if (progress[ONLINE_WEIGHT] > 0)
    call->host->report_number(call, report, "progressive", loss_name, progress[ONLINE_LOSS] / progress[ONLINE_WEIGHT],
                              NAN, NAN);
  if (self->loss == ADL_LOSS_LOGISTIC && (progress[LABELS] == 0 || progress[LABELS] == progress[ROWS]))
    call->host->report_text(call, report, "warning",
                            progress[ROWS] == 0 ? "no training rows" : "all training labels are the same");
  if (self->bias) call->host->report_number(call, report, "", "bias", *bias, NAN, NAN);
  report_history(call, model->tensors, progress, loss_name, report);
  report_weights(call, self, model->tensors, report);
  return ADL_OK;
}

static const char doc[] =
    "Logistic regression for yes and no, or linear regression for numbers, by stochastic gradient descent: the "
    "weights are moved a little after every row. Works on numeric columns, vectors and sparse columns.\n"
    "\n"
    "What is minimised is the mean loss of the training rows (logistic, or half the squared error) plus l1 |w| + l2 / "
    "2 |w|^2. With `weight` it is the mean over rows of weight x loss, so l1 and l2 keep their meaning where weights "
    "are 1 on average; rows that are repeated instead get the same model with l1 and l2 divided by the mean weight. "
    "The scaling of the inputs does not look at weights. With enough passes the result is that of a batch solver: "
    "scikit-learn's LogisticRegression(C) on "
    "standardised inputs is `l2` = 1 / (C x training rows).\n"
    "\n"
    "`fit` first measures the inputs (`standardise`), starts from the best constant, and then makes up to `epochs` "
    "passes; after each it measures the loss, stops when that no longer falls (`patience`, `tolerance`) and keeps the "
    "weights of the best pass. Set `holdback` to judge passes by rows that were not learned from. With `learn: "
    "online` it goes along with the stream and predicts each row before learning from it; inputs are not standardised "
    "then (put scale before it), unless it goes on from a fitted `model`.\n"
    "\n"
    "Rows are taken one by one in the order in which they are stored, in every pass: same input, same model, bit for "
    "bit. An order that follows the label (first all clicks, then all others) costs passes; `average` makes up for "
    "most of it, but sort by something else if you can.\n"
    "\n"
    "Sources: AdaGrad, Duchi, Hazan & Singer, JMLR 2011; penalties by proximal steps as there; averaging by "
    "polynomial decay, Shamir & Zhang, ICML 2013. Arithmetic is float64. On sparse inputs a step touches only the "
    "dimensions of its row; what the penalty has done to the others meanwhile is made up for when they are next "
    "needed, exactly (with momentum, or with decay, up to the change of the rate in between).\n"
    "\n"
    "The model holds `weights` and `bias` for the inputs as they are, and what is needed to continue: a `model` to "
    "start from keeps its scaling. Scores are float32; the largest probability a float32 holds below 1 is 0.99999994.\n"
    "\n"
    "Features that are null, NaN or infinite are rejected with their row, and so are training rows whose label is not "
    "in [0, 1] (squared loss: not finite). Without any training row the run stops. When all labels are the same a "
    "warning is given and only the constant is fitted. Dimensions that never change get weight 0.";

static const adl_class sgd_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "sgd",
    .title = "Logistic or linear regression by gradient descent",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(sgd),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .start = start,
    .init = init,
    .fit = fit,
    .prepare = prepare,
    .process = process,
    .learn = learn,
    .report = report,
};

static const adl_class *const classes[] = {&sgd_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "sgd",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("sgd", "1.0.0", "optimize:sgd", &plugin);
