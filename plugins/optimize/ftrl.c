/* ftrl: the per-coordinate online learner for click probabilities, FTRL-Proximal (McMahan et al., "Ad Click Prediction:
 * a View from the Trenches", KDD 2013, Algorithm 1). One file: parameters, the update, the four ways it is called. */
#include <adloom/plugin.h>

#include <string.h>

#include "common/ftrl_steps.h"
#include "common/labels.h"
#include "common/logistic.h"
#include "common/matrix_rows.h"
#include "common/weight_table.h"

#define RECORD_LAYOUT ADL_FTRL_LAYOUT
typedef adl_ftrl_record record;

typedef struct ftrl {
  adl_input features, label, weight;
  adl_output as;
  double alpha, beta, l1, l2;
  int32_t loss; /* adl_loss */
  int64_t epochs;
  bool bias;
} ftrl;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(ftrl, features),
     .doc = "What the prediction is made of: numeric, vector and sparse columns, put side by side."},
    {.name = "label",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LEARN_ONLY,
     .offset = offsetof(ftrl, label),
     .elements = ADL_ANY_NUMERIC,
     .doc = "What to predict: a bool, or a number in [0, 1] (squared loss: any number). Rows with another value are "
            "rejected. Not needed where the stage does not learn."},
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LEARN_ONLY,
     .offset = offsetof(ftrl, weight),
     .elements = ADL_ANY_NUMERIC,
     .doc = "How much a row counts, for example 10 where one in ten of the rows without a click was kept: its gradient "
            "is multiplied by this. Not the same as the row so many times, since learning rates fall with the squared "
            "gradient; 0 is as if the row were not there. Not negative; without it every row counts 1."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(ftrl, as),
     .default_value = "score",
     .doc = "The prediction, float32: a probability (never exactly 0 or 1), or a number with squared loss."},
    {.name = "alpha",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(ftrl, alpha),
     .default_value = "0.1",
     .range = "(0, inf)",
     .doc = "Learning rate. The step of a dimension is alpha / (beta + root of its summed squared gradients)."},
    {.name = "beta",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(ftrl, beta),
     .default_value = "1",
     .range = "[0, inf)",
     .doc = "Tames the first steps of a dimension that has been seen only a few times."},
    {.name = "l1",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(ftrl, l1),
     .default_value = "0",
     .range = "[0, inf)",
     .doc = "Weights whose summed gradient is not larger than this are exactly 0: rare dimensions drop out."},
    {.name = "l2",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(ftrl, l2),
     .default_value = "0",
     .range = "[0, inf)",
     .doc = "Pulls every weight towards 0. Counted against the sum over all rows, not their mean."},
    {.name = "loss",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(ftrl, loss),
     .default_value = "logistic",
     .choices = ADL_LOSS_CHOICES,
     .doc = "logistic: predicts a probability. squared: (prediction - label)^2, predicts a number, cut to the range of "
            "the labels seen so far."},
    {.name = "epochs",
     .type = ADL_PARAM_INT,
     .offset = offsetof(ftrl, epochs),
     .default_value = "1",
     .range = "[1, 1000]",
     .unit = "passes",
     .doc = "Passes over the training rows. Online learning always makes one."},
    {.name = "bias",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(ftrl, bias),
     .default_value = "true",
     .doc = "Learn a constant as well. l1 and l2 do not touch it."},
};

/* The tensor "progress". The first pass predicts each row before learning from it; later passes know the rows. */
enum {
  FIRST_WEIGHT, /* sums over the first pass, or over all rows learned online: weights of the rows, */
  FIRST_LOSS,   /* loss of the progressive predictions, */
  ROWS,
  LABELS,
  LAST_WEIGHT, /* the same over the last pass, if there were several */
  LAST_LOSS,
  PASSES, /* completed by fit */
  LABEL_LOW,
  LABEL_HIGH, /* range of the labels seen, together with 0 */
  PROGRESS_COUNT
};
#define CURVE_POINTS 48 /* progressive loss after 1, 2, 4, 8 ... rows */
#define PREFETCH_ROWS 4

/* A model's tensors. Written through by learning only. */
typedef struct weights {
  record *records; /* width */
  double *bias;    /* w, z, n */
  double *progress;
  double *curve; /* CURVE_POINTS x 2: summed weight and loss */
  int64_t width;
  const adl_ftrl_steps *steps;
} weights;

static weights make_weights(const adl_call *call, const ftrl *self, adl_tensors *tensors) {
  const adl_host *host = call->host;
  weights model = {.width = self->features.type.width, .steps = adl_ftrl_steps_for_machine()};
  model.records = host->tensor(call, tensors, "coordinates", ADL_BYTES, 2, (int64_t[]){model.width, sizeof(record)});
  char *layout = host->tensor(call, tensors, "coordinates.layout", ADL_BYTES, 1, (int64_t[]){sizeof RECORD_LAYOUT - 1});
  memcpy(layout, RECORD_LAYOUT, sizeof RECORD_LAYOUT - 1);
  model.bias = host->tensor(call, tensors, "bias", ADL_FLOAT64, 1, (int64_t[]){3});
  model.progress = host->tensor(call, tensors, "progress", ADL_FLOAT64, 1, (int64_t[]){PROGRESS_COUNT});
  model.curve = host->tensor(call, tensors, "curve", ADL_FLOAT64, 2, (int64_t[]){CURVE_POINTS, 2});
  return model;
}

/* For reading: makes and copies nothing. */
static bool find_weights(const adl_call *call, const adl_tensors *tensors, weights *model) {
  adl_tensor records, bias, progress, curve;
  if (!call->host->find_tensor(call, tensors, "coordinates", &records) ||
      !call->host->find_tensor(call, tensors, "bias", &bias) ||
      !call->host->find_tensor(call, tensors, "progress", &progress) ||
      !call->host->find_tensor(call, tensors, "curve", &curve))
    return false;
  *model = (weights){records.data, bias.data, progress.data, curve.data, records.size[0], adl_ftrl_steps_for_machine()};
  return true;
}

/* A warm start keeps the weights and the range of the labels, not what was counted along the way. */
static void open_account(weights *model) {
  for (int i = 0; i < LABEL_LOW; i++) model->progress[i] = 0;
  memset(model->curve, 0, CURVE_POINTS * 2 * sizeof *model->curve);
}

/* ----------------------------------------------------------------------------------------- Algorithm 1 ---- */

static double clip(const ftrl *self, const weights *model, double margin) {
  if (self->loss == ADL_LOSS_LOGISTIC) return adl_clip_margin(margin);
  double low = model->progress[LABEL_LOW], high = model->progress[LABEL_HIGH];
  return margin < low ? low : margin > high ? high : margin == margin ? margin : 0.0;
}

static double margin_of(const ftrl *self, const weights *model, adl_matrix_row row) {
  double sum = model->steps->margin(model->records, row);
  return clip(self, model, self->bias ? sum + model->bias[0] : sum);
}

/* What is predicted at a margin: a probability, or with squared loss the margin itself. */
static double prediction_of(const ftrl *self, double margin) {
  return self->loss == ADL_LOSS_LOGISTIC ? adl_logistic(margin) : margin;
}

static float score_of(const ftrl *self, double prediction) {
  return self->loss == ADL_LOSS_LOGISTIC ? adl_probability32(prediction) : (float)prediction;
}

static void update_row(const ftrl *self, weights *model, adl_matrix_row row, double prediction, double label,
                       double weight) {
  /* Derivative of the loss by the margin; squared loss is (margin - label)^2, as in Vowpal Wabbit. */
  double slope = (self->loss == ADL_LOSS_LOGISTIC ? 1.0 : 2.0) * (prediction - label) * weight;
  adl_ftrl_rates rates = {1 / self->alpha, self->beta, self->l1, self->l2};
  model->steps->update(&rates, model->records, row, slope);
  if (self->bias) adl_ftrl_update_constant(&rates, model->bias, slope);
}

static void count_loss(const ftrl *self, weights *model, double margin, double prediction, double label,
                       double weight) {
  double *progress = model->progress, error = margin - label;
  double loss =
      weight * (self->loss == ADL_LOSS_LOGISTIC ? adl_logistic_loss_at(label, margin, prediction) : error * error);
  if (progress[PASSES] > 0) {
    progress[LAST_WEIGHT] += weight;
    progress[LAST_LOSS] += loss;
    return;
  }
  progress[FIRST_WEIGHT] += weight;
  progress[FIRST_LOSS] += loss;
  progress[ROWS] += 1;
  progress[LABELS] += label;
  uint64_t rows = (uint64_t)progress[ROWS];
  if ((rows & (rows - 1)) == 0) {
    int64_t point = __builtin_ctzll(rows);
    if (point < CURVE_POINTS) {
      model->curve[2 * point] = progress[FIRST_WEIGHT];
      model->curve[2 * point + 1] = progress[FIRST_LOSS];
    }
  }
}

/* Wide models miss the cache at every weight: ask for those of a later row while working on this one. */
static void prefetch(const weights *model, const adl_column *features, int64_t row) {
  if (features->type.shape != ADL_SPARSE || row >= features->rows) return;
  for (int32_t k = features->offsets[row]; k < features->offsets[row + 1]; k++)
    __builtin_prefetch(&model->records[features->index[k]], 1);
}

/* Learns the rows in order; scores (may be NULL) receives the prediction made before each row was learned. */
static void learn_rows(const adl_call *call, const ftrl *self, weights *model, const adl_batch *batch, float *scores) {
  const adl_column *features = batch->slots[self->features.slot], *label = batch->slots[self->label.slot];
  const adl_column *weight = self->weight.slot >= 0 ? batch->slots[self->weight.slot] : NULL;
  for (int64_t row = 0; row < PREFETCH_ROWS; row++) prefetch(model, features, row);
  for (int64_t row = 0; row < batch->rows; row++) {
    prefetch(model, features, row + PREFETCH_ROWS);
    adl_matrix_row at = adl_matrix_row_at(features, row);
    double margin = margin_of(self, model, at), prediction = prediction_of(self, margin), y, w;
    if (scores != NULL) scores[row] = score_of(self, prediction);
    if (!adl_label_read(call, label, weight, self->loss, row, &y, &w)) continue;
    count_loss(self, model, margin, prediction, y, w);
    update_row(self, model, at, prediction, y, w);
    if (y < model->progress[LABEL_LOW]) model->progress[LABEL_LOW] = y;
    if (y > model->progress[LABEL_HIGH]) model->progress[LABEL_HIGH] = y;
  }
}

/* ------------------------------------------------------------------------------------- class functions ---- */

static adl_status bind(const adl_call *call, void *instance) {
  ftrl *self = instance;
  return call->host->declare(call, &self->as,
                             (adl_type){.element = ADL_FLOAT32, .shape = ADL_SCALAR, .role = ADL_NUMBER});
}

static adl_status start(const adl_call *call, void *instance) {
  const ftrl *self = instance;
  if (self->features.type.width < 1)
    return call->host->fail(call, "features", -1, "Check the vocabulary of the stage that makes them",
                            "the features have no dimensions, so there is nothing to learn from");
  if (self->features.type.width > INT64_C(1) << 31)
    return call->host->fail(call, "features", -1, "Hash them to fewer bits",
                            "%lld dimensions are more than the 2^31 that ftrl can hold",
                            (long long)self->features.type.width);
  return ADL_OK;
}

/* A model that was made elsewhere must be one of these features. */
static adl_status check_width(const adl_call *call, const ftrl *self, const adl_tensors *tensors) {
  adl_tensor records;
  if (!call->host->find_tensor(call, tensors, "coordinates", &records)) return ADL_OK;
  if (records.size[0] == self->features.type.width && records.size[1] == (int64_t)sizeof(record)) return ADL_OK;
  return call->host->fail(call, "features", -1, "Use the features that the model was fitted on",
                          "the model has %lld dimensions, the features have %lld", (long long)records.size[0],
                          (long long)self->features.type.width);
}

static adl_status init(const adl_call *call, const void *instance, adl_model *model) {
  ADL_TRY(check_width(call, instance, model->tensors));
  make_weights(call, instance, model->tensors);
  return ADL_OK;
}

static adl_status fit_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                           adl_tensors *partial) {
  (void)context;
  weights model = make_weights(call, instance, partial);
  learn_rows(call, instance, &model, batch, NULL);
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *tensors) {
  const ftrl *self = instance;
  const adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = fit_step};
  ADL_TRY(check_width(call, self, tensors->tensors));
  weights model = make_weights(call, self, tensors->tensors);
  open_account(&model);
  for (int64_t epoch = 0; epoch < self->epochs; epoch++) {
    model.progress[LAST_WEIGHT] = model.progress[LAST_LOSS] = 0;
    ADL_TRY(call->host->fold(call, rows, &fold, tensors->tensors));
    model = make_weights(call, self, tensors->tensors);
    model.progress[PASSES] += 1;
    call->host->progress(call, "passes", (double)(epoch + 1), (double)self->epochs);
    if (model.progress[ROWS] == 0)
      return call->host->fail(
          call, NULL, -1, "Check the holdout of the source, the filters above this stage, and that weights are above 0",
          "there are no training rows with a usable label");
  }
  adl_label_warn(call, self->loss, model.progress[ROWS], model.progress[LABELS]);
  return ADL_OK;
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  *prepared = NULL;
  return check_width(call, instance, model->tensors);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *tensors, const adl_batch *batch,
                          adl_out *out) {
  const ftrl *self = instance;
  weights model;
  if (!find_weights(call, tensors->tensors, &model))
    return call->host->fail(call, NULL, -1, "Fit it, or say which `model` to load", "the model holds no weights");
  if (!call->host->wanted(call, self->as.slot)) return ADL_OK;
  const adl_column *features = batch->slots[self->features.slot];
  adl_buffers buffers;
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &buffers));
  float *scores = buffers.data;
  for (int64_t row = 0; row < PREFETCH_ROWS; row++) prefetch(&model, features, row);
  for (int64_t row = 0; row < batch->rows; row++) {
    prefetch(&model, features, row + PREFETCH_ROWS);
    scores[row] = score_of(self, prediction_of(self, margin_of(self, &model, adl_matrix_row_at(features, row))));
  }
  return ADL_OK;
}

static adl_status learn(const adl_call *call, const void *instance, adl_model *tensors, const adl_batch *batch,
                        adl_out *out) {
  const ftrl *self = instance;
  weights model = make_weights(call, self, tensors->tensors);
  adl_buffers buffers = {0};
  if (out != NULL && call->host->wanted(call, self->as.slot))
    ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &buffers));
  if (model.progress[PASSES] > 0) open_account(&model); /* a fitted model goes on online */
  learn_rows(call, self, &model, batch, buffers.data);
  return ADL_OK;
}

/* ---------------------------------------------------------------------------------------------- report ---- */

static void report_weights(const adl_call *call, const ftrl *self, const weights *model, adl_report *report) {
  double *sizes = call->host->alloc(call, (size_t)model->width * sizeof *sizes);
  for (int64_t i = 0; i < model->width; i++) sizes[i] = model->records[i].w;
  adl_weight_table(call, report, &self->features, model->width, "weight", sizes, NULL, NULL);
}

static void report_curve(const adl_call *call, const weights *model, adl_report *report) {
  double x[CURVE_POINTS], y[CURVE_POINTS];
  int64_t count = 0;
  for (int64_t point = 0; point < CURVE_POINTS; point++) {
    if (!(model->curve[2 * point] > 0)) continue;
    x[count] = ldexp(1.0, (int)point);
    y[count++] = model->curve[2 * point + 1] / model->curve[2 * point];
  }
  if (count > 1) adl_plot_one(call, report, ADL_PLOT_LINE, "progressive loss", "rows", "mean loss", count, x, y);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *tensors, adl_report *report) {
  const ftrl *self = instance;
  const adl_host *host = call->host;
  weights model;
  if (!find_weights(call, tensors->tensors, &model)) return ADL_OK;
  const double *progress = model.progress;
  const char *loss = self->loss == ADL_LOSS_LOGISTIC ? "logloss" : "squared_loss";
  host->report_number(call, report, "", "rows_learned", progress[ROWS], NAN, NAN);
  if (progress[FIRST_WEIGHT] > 0)
    host->report_number(call, report, "progressive", loss, progress[FIRST_LOSS] / progress[FIRST_WEIGHT], NAN, NAN);
  if (progress[LAST_WEIGHT] > 0)
    host->report_number(call, report, "in-sample", loss, progress[LAST_LOSS] / progress[LAST_WEIGHT], NAN, NAN);
  if (self->loss == ADL_LOSS_LOGISTIC && (progress[LABELS] == 0 || progress[LABELS] == progress[ROWS]))
    host->report_text(call, report, "warning",
                      progress[ROWS] == 0 ? "no training rows" : "all training labels are the same");
  int64_t used = 0;
  for (int64_t i = 0; i < model.width; i++) used += model.records[i].w != 0;
  host->report_number(call, report, "", "dimensions", (double)model.width, NAN, NAN);
  host->report_number(call, report, "", "nonzero_weights", (double)used, NAN, NAN);
  if (self->bias) host->report_number(call, report, "", "bias", model.bias[0], NAN, NAN);
  report_curve(call, &model, report);
  if (model.width <= ADL_WEIGHT_TABLE_WIDTH) report_weights(call, self, &model, report);
  return ADL_OK;
}

static const char doc[] =
    "Predicts how likely a click is, or any other yes or no, from features that may number in the millions, and "
    "learns from one row at a time. Each dimension has a learning rate of its own, which falls as the dimension is "
    "seen, so rare words and frequent ones are both learned well without tuning.\n"
    "\n"
    "With `learn: fit` (the default) it makes `epochs` passes over the training rows, in order. With `learn: online` "
    "it goes along with the stream: every row is predicted first and learned from afterwards, so its scores of the "
    "training rows are progressive and may be measured honestly. A `model` to start from is continued.\n"
    "\n"
    "Source: FTRL-Proximal, McMahan et al., Ad Click Prediction: a View from the Trenches, KDD 2013, Algorithm 1, "
    "with its names for the parameters. Margins are cut at +-35. With `loss: squared` gradient and clipping are those "
    "of Vowpal Wabbit's --ftrl. The constant (`bias`) is kept in float64 and is never penalised.\n"
    "\n"
    "A dimension takes 16 bytes (weight and z in float32, n in float64), 64 MB for 2^22 dimensions; memory that is "
    "never touched is never claimed. Sums are float64. The scores are float32 and within 1e-6 of the exact ones; the "
    "largest probability a float32 holds below 1 is 0.99999994.\n"
    "\n"
    "Features that are null, NaN or infinite are rejected with their row, and so are training rows whose label is not "
    "in [0, 1]. Without any training row the run stops. When all labels are the same a warning is given, and what is "
    "learned is that one answer. Inputs should be of similar size: put scale before it where they are not.";

static const adl_class ftrl_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "ftrl",
    .title = "Online click model (FTRL-Proximal)",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(ftrl),
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

static const adl_class *const classes[] = {&ftrl_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "ftrl",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("ftrl", "1.0.0", "optimize:ftrl", &plugin);
