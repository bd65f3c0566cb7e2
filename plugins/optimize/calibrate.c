/* calibrate: makes a score a probability that can be taken at its word. Pooling is in common/isotonic, the sigmoid in
 * common/platt; here are the parameters, the models and the report. */
#include <adloom/plugin.h>

#include <math.h>
#include <string.h>

#include "common/isotonic.h"
#include "common/labels.h"
#include "common/platt.h"

enum { METHOD_ISOTONIC, METHOD_PLATT, METHOD_PRIOR };
static const char *const method_names[] = {"isotonic", "platt", "prior"};

typedef struct calibrate {
  adl_input score, label, weight;
  adl_output as;
  int32_t method;
  double keep; /* 0: not given */
  int64_t bins;
} calibrate;

/* The tensor "counts": what was learned from. POSITIVES is the sum of weight x label. */
enum { ROWS, WEIGHT, POSITIVES, COUNTS };

static double *floats(const adl_call *call, adl_tensors *tensors, const char *name, int64_t count) {
  return call->host->tensor(call, tensors, name, ADL_FLOAT64, 1, &count);
}

/* NULL: the model has no such tensor of float64, or (count >= 0) one of another size. */
static const double *find_floats(const adl_call *call, const adl_model *model, const char *name, int64_t count,
                                 int64_t *found) {
  adl_tensor tensor;
  if (!call->host->find_tensor(call, model->tensors, name, &tensor) || tensor.element != ADL_FLOAT64) return NULL;
  if (found != NULL) *found = tensor.count;
  return count < 0 || tensor.count == count ? tensor.data : NULL;
}

/* ---- isotonic ---- */

static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  const calibrate *self = instance;
  const adl_column *score = batch->slots[self->score.slot], *label = batch->slots[self->label.slot];
  const adl_column *weight = self->weight.slot >= 0 ? batch->slots[self->weight.slot] : NULL;
  double *counts = floats(call, partial, "counts", COUNTS), y, w;
  adl_isotonic_counts points = adl_isotonic_open(call, partial, self->bins);
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!adl_label_read(call, label, weight, ADL_LOSS_LOGISTIC, row, &y, &w)) continue;
    counts[ROWS] += 1;
    counts[WEIGHT] += w;
    counts[POSITIVES] += w * y;
    adl_isotonic_add(&points, adl_number_at(score, row), w, y);
  }
  return ADL_OK;
}

static adl_status count_merge(const adl_call *call, const void *instance, const void *context, adl_tensors *into,
                              adl_tensors *from) {
  const calibrate *self = instance;
  double *to = floats(call, into, "counts", COUNTS);
  const double *more = floats(call, from, "counts", COUNTS);
  adl_isotonic_counts into_points = adl_isotonic_open(call, into, self->bins);
  adl_isotonic_counts from_points = adl_isotonic_open(call, from, self->bins);
  (void)context;
  for (int i = 0; i < COUNTS; i++) to[i] += more[i];
  adl_isotonic_merge(&into_points, &from_points);
  return ADL_OK;
}

/* The ends of each pooled block are knots. */
static void keep_knots(const adl_call *call, const adl_isotonic_point *blocks, int64_t count, adl_model *model) {
  int64_t knots = 0;
  for (int64_t i = 0; i < count; i++) knots += blocks[i].low < blocks[i].high ? 2 : 1;
  double *score = floats(call, model->tensors, "score", knots);
  double *probability = floats(call, model->tensors, "probability", knots);
  knots = 0;
  for (int64_t i = 0; i < count; i++) {
    double mean = fmin(1, blocks[i].positives / blocks[i].weight);
    score[knots] = blocks[i].low;
    probability[knots++] = mean;
    if (!(blocks[i].low < blocks[i].high)) continue;
    score[knots] = blocks[i].high;
    probability[knots++] = mean;
  }
}

static adl_status fit_isotonic(const adl_call *call, const calibrate *self, adl_rows *rows, adl_model *model,
                               double counts[COUNTS]) {
  const int64_t three = 3;
  adl_tensors *total = call->host->scratch_tensors(call);
  floats(call, total, "counts", COUNTS);
  adl_isotonic_open(call, total, self->bins);
  adl_fold fold = {.struct_size = sizeof fold, .step = count_step, .merge = count_merge};
  ADL_TRY(call->host->fold(call, rows, &fold, total));
  memcpy(counts, floats(call, total, "counts", COUNTS), COUNTS * sizeof *counts);
  if (!(counts[WEIGHT] > 0)) return ADL_OK;
  if (!isfinite(counts[WEIGHT]))
    return call->host->fail(call, "weight", -1, "divide the weights by a constant", "the weights add up to infinity");
  adl_isotonic_counts points = adl_isotonic_open(call, total, self->bins);
  int64_t count, *sizes = call->host->tensor(call, model->tensors, "points", ADL_INT64, 1, &three);
  adl_isotonic_point *sorted = adl_isotonic_points(&points, &count);
  sizes[0] = count;
  sizes[1] = adl_isotonic_pool(sorted, count);
  sizes[2] = *points.shift;
  if (sizes[1] == 1 && count > 1)
    call->host->log(call, ADL_WARNING,
                    "positive labels are not more frequent where the score is higher: every score gets the same "
                    "probability");
  keep_knots(call, sorted, sizes[1], model);
  return ADL_OK;
}

/* ---- platt ---- */

/* The tensor "sigmoid". */
enum { SLOPE, INTERCEPT, SIGMOID };

static adl_status fit_platt(const adl_call *call, const calibrate *self, adl_rows *rows, adl_model *model,
                            double counts[COUNTS]) {
  adl_platt result;
  ADL_TRY(adl_platt_fit(call, rows, &self->score, &self->label, &self->weight, &result));
  counts[ROWS] = result.rows;
  counts[WEIGHT] = result.weight;
  counts[POSITIVES] = result.positives;
  if (!(result.weight > 0)) return ADL_OK;
  double *sigmoid = floats(call, model->tensors, "sigmoid", SIGMOID);
  sigmoid[SLOPE] = result.slope;
  sigmoid[INTERCEPT] = result.intercept;
  if (!result.converged)
    call->host->log(call, ADL_WARNING, "the likelihood still changed after %lld iterations",
                    (long long)result.iterations);
  if (result.slope <= 0)
    call->host->log(call, ADL_WARNING,
                    "positive labels are not more frequent where the score is higher: the slope is %g", result.slope);
  return ADL_OK;
}

/* ---- fitting ---- */

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const calibrate *self = instance;
  const adl_host *host = call->host;
  double counts[COUNTS];
  if (self->method == METHOD_PRIOR) {
    *floats(call, model->tensors, "keep", 1) = self->keep;
    return ADL_OK;
  }
  if (self->label.slot < 0)
    return host->fail(call, "label", -1, "name the column that says what happened, or take `method: prior`",
                      "method %s learns from labels, and there is no `label`", method_names[self->method]);
  /* A model to start from is not built on: the fit begins anew. */
  static const char *const names[] = {"score", "probability", "points", "sigmoid", "keep", "counts"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) host->drop_tensor(call, model->tensors, names[i]);
  ADL_TRY(self->method == METHOD_ISOTONIC ? fit_isotonic(call, self, rows, model, counts)
                                          : fit_platt(call, self, rows, model, counts));
  if (counts[ROWS] == 0)
    return host->fail(call, NULL, -1, "look at the holdout of the source and the filters above this stage",
                      "there are no training rows with a usable label and a weight above 0");
  adl_label_warn(call, ADL_LOSS_LOGISTIC, counts[WEIGHT], counts[POSITIVES]);
  memcpy(floats(call, model->tensors, "counts", COUNTS), counts, sizeof counts);
  return ADL_OK;
}

/* ---- using a model ---- */

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const calibrate *self = instance;
  const char *name = self->method == METHOD_ISOTONIC ? "score" : self->method == METHOD_PLATT ? "sigmoid" : "keep";
  int64_t count = 0;
  (void)prepared;
  const double *value = find_floats(call, model, name, -1, &count);
  bool sound = value != NULL && count >= 1;
  if (self->method == METHOD_ISOTONIC && sound) {
    const double *probability = find_floats(call, model, "probability", count, NULL);
    sound = probability != NULL;
    for (int64_t i = 0; i < count && sound; i++)
      sound = probability[i] >= 0 && probability[i] <= 1 && (i == 0 || value[i] > value[i - 1]);
  }
  if (self->method == METHOD_PLATT && sound) sound = count == SIGMOID && isfinite(value[0]) && isfinite(value[1]);
  if (!sound)
    return call->host->fail(call, "method", -1, "fit the stage again, or take the method that the model was made with",
                            "the model is not a sound one of method %s", method_names[self->method]);
  if (self->method == METHOD_PRIOR && *value != self->keep)
    return call->host->fail(call, "keep", -1, "fit the stage again, or take the model's",
                            "the model was made with keep %g, not %g", *value, self->keep);
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const calibrate *self = instance;
  const adl_column *score = batch->slots[self->score.slot];
  int64_t knots = 0;
  const double *knot = find_floats(call, model, "score", -1, &knots);
  const double *probability = find_floats(call, model, "probability", knots, NULL);
  const double *sigmoid = find_floats(call, model, "sigmoid", SIGMOID, NULL);
  adl_buffers to;
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  float *calibrated = to.data;
  for (int64_t row = 0; row < batch->rows; row++) {
    double x = adl_number_at(score, row);
    calibrated[row] = 0;
    if (self->method == METHOD_ISOTONIC)
      calibrated[row] = (float)adl_isotonic_at(knot, probability, knots, x);
    else if (self->method == METHOD_PLATT)
      calibrated[row] = adl_probability32(adl_logistic(adl_clip_margin(sigmoid[SLOPE] * x + sigmoid[INTERCEPT])));
    else if (x >= 0 && x <= 1)
      calibrated[row] = (float)(x / (x + (1 - x) / self->keep));
    else
      call->host->reject(call, row, "score", "score %g is not in [0, 1], which method prior needs", x);
  }
  return ADL_OK;
}

/* ---- report ---- */

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *into) {
  const calibrate *self = instance;
  const adl_host *host = call->host;
  int64_t knots = 0;
  const double *counts = find_floats(call, model, "counts", COUNTS, NULL);
  if (self->method == METHOD_PRIOR) host->report_number(call, into, "", "keep", self->keep, NAN, NAN);
  if (counts == NULL) return ADL_OK;
  host->report_number(call, into, "in-sample", "rows", counts[ROWS], NAN, NAN);
  host->report_number(call, into, "in-sample", "mean_label", counts[POSITIVES] / counts[WEIGHT], NAN, NAN);
  if (self->method == METHOD_PLATT) {
    const double *sigmoid = find_floats(call, model, "sigmoid", SIGMOID, NULL);
    host->report_number(call, into, "", "slope", sigmoid[SLOPE], NAN, NAN);
    host->report_number(call, into, "", "intercept", sigmoid[INTERCEPT], NAN, NAN);
    return ADL_OK;
  }
  adl_tensor points;
  if (host->find_tensor(call, model->tensors, "points", &points) && points.element == ADL_INT64 && points.count == 3) {
    const int64_t *sizes = points.data;
    host->report_number(call, into, "", "scores", (double)sizes[0], NAN, NAN);
    host->report_number(call, into, "", "steps", (double)sizes[1], NAN, NAN);
    if (sizes[2] > 0)
      host->report_text(call, into, "scores",
                        "there are more different scores than `bins`: neighbouring ones were counted together");
  }
  const double *knot = find_floats(call, model, "score", -1, &knots);
  const double *probability = find_floats(call, model, "probability", knots, NULL);
  adl_plot_one(call, into, ADL_PLOT_LINE, "calibration", self->score.name, "probability", knots, knot, probability);
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  calibrate *self = instance;
  if (self->method == METHOD_PRIOR && !(self->keep > 0))
    return call->host->fail(call, "keep", -1, "say which part of the negatives was kept, for example `keep: 0.1`",
                            "method prior needs `keep`");
  if (self->method != METHOD_PRIOR && self->keep > 0)
    return call->host->fail(call, "keep", -1, "leave it out, or say `method: prior`",
                            "`keep` belongs to method prior, and the method is %s", method_names[self->method]);
  return call->host->declare(call, &self->as, (adl_type){.element = ADL_FLOAT32});
}

static const adl_param params[] = {
    {.name = "score",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(calibrate, score),
     .elements = ADL_ANY_FLOAT,
     .doc = "What to calibrate: any score that is higher where the label is more likely; for method prior a "
            "probability."},
    {.name = "label",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LEARN_ONLY,
     .offset = offsetof(calibrate, label),
     .elements = ADL_ANY_NUMERIC,
     .doc =
         "What happened: a bool, or a number in [0, 1]. Rows with another value are rejected. Needed to fit isotonic "
         "and platt; prior does not read it."},
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LEARN_ONLY,
     .offset = offsetof(calibrate, weight),
     .elements = ADL_ANY_NUMERIC,
     .doc =
         "How much a row counts, for example 10 where one in ten of the rows without a click was kept. Not negative; "
         "without it every row counts 1."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(calibrate, as),
     .default_value = "calibrated",
     .doc = "New column: the probability, float32."},
    {.name = "method",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(calibrate, method),
     .default_value = "isotonic",
     .choices = "isotonic|platt|prior",
     .doc =
         "isotonic: any rising function; needs some thousands of rows, with a few hundred positives. platt: a sigmoid, "
         "which needs few. prior: undoes the sampling of negatives (`keep`), without learning."},
    {.name = "keep",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(calibrate, keep),
     .range = "(0, 1]",
     .doc = "For method prior: which part of the negatives the score's model was trained on, all positives being kept. "
            "0.1: one in ten."},
    {.name = "bins",
     .type = ADL_PARAM_INT,
     .offset = offsetof(calibrate, bins),
     .default_value = "65536",
     .range = "[2, 16777216]",
     .unit = "scores",
     .doc =
         "For isotonic: how many different scores are kept apart at most. Bounds the memory, which is some 100 bytes "
         "for each, up to eight times."},
};

static const char doc[] =
    "Turns a score into a probability that is right on average: of the rows that get 0.02, 2 % are positive. A bid "
    "that is a probability times a value needs that; ranking does not.\n\n"
    "isotonic: of all functions that never fall, the one with the least weighted squared error, by pooling adjacent "
    "violators (Zadrozny & Elkan, KDD 2002); rows of equal score are pooled first. Between the ends of the pooled "
    "blocks it is interpolated linearly, beyond the lowest and highest training score it is constant. A probability "
    "of exactly 0 (or 1) comes out where the lowest (highest) scores have no positive (nothing else). Scores are "
    "counted one by one up to `bins` different ones; if there are more, the last bits of all scores are left out of "
    "account, as few as it takes, so that neighbours count as one. This depends on the scores alone, not on their "
    "order.\n\n"
    "platt: 1 / (1 + exp(-(slope x score + intercept))) of highest likelihood, by Newton's method with a line search "
    "and with smoothed targets, (positives + 1) / (positives + 2) and 1 / (negatives + 2), as in Lin, Lin & Weng, "
    "Machine Learning 68, 2007 (their A is -slope, their B -intercept). Where rows weigh less than 1 on average, "
    "their mean weight takes the place of the 1, so that shares may be weights. Of a score that is a probability, "
    "calibrate the log-odds: `derive` log(p / (1 - p)).\n\n"
    "prior: where only the part `keep` of the negatives was trained on, a probability p becomes p / (p + (1 - p) / "
    "keep) (He et al., ADKDD 2014). Nothing is learned; scores outside [0, 1] are rejected.\n\n"
    "Calibrate on rows that the score's model was not trained on. A model is too sure of itself on the rows it knows, "
    "and a calibration fitted there is biased: it corrects too little, or in the wrong direction. Two ways: let the "
    "model learn with `learn: online`, which scores every training row before it learns from it; or load the score's "
    "model from an earlier run over other rows (`model`). Held-out rows are never fitted on, so `metrics` behind this "
    "stage tells whether it has helped.\n\n"
    "Rows whose score is null, NaN or infinite are rejected, and so are training rows whose label is not in [0, 1] or "
    "whose weight is negative. Without a training row, or when all weights are 0, the run stops. When all labels are "
    "the same, or when positive labels are not more frequent where the score is higher, a warning is given.";

static const adl_class calibrate_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "calibrate",
    .title = "Scores to probabilities",
    .doc = doc,
    .flags = ADL_EXACT_ROWS,
    .form = ADL_SAME,
    .instance_size = sizeof(calibrate),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .prepare = prepare,
    .process = process,
    .report = report,
};

static const adl_class *const classes[] = {&calibrate_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "calibrate",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("calibrate", "1.0.0", "optimize:calibrate", &plugin);
