/* Fitting, predicting and reporting of the factorisation machines; see factor_fit.h. */
#include "common/factor_fit.h"

#include <stdlib.h>
#include <string.h>

#include "common/factor_lanes.h"

/* The tensor "progress". */
enum { ROWS, LABELS, WEIGHT, FIRST_LOSS, LAST_LOSS, EPOCHS, BEST_EPOCH, HELD, PROGRESS_SIZE };
/* A row of the tensor "history": mean loss of the rows as they were learned, mean loss of the held-back rows. */
enum { HISTORY_LOSS, HISTORY_HELD, HISTORY_SIZE };
/* The tensor "target": what is subtracted from a label, and what it is divided by. */
enum { TARGET_MEAN, TARGET_DEVIATION, TARGET_SIZE };

typedef struct fitting {
  const adl_factor_class *class;
  const adl_factor_settings *self;
  adl_factor_model model;
  double *progress, *target;
  adl_factor_blocks *blocks;
} fitting;

/* ---- the model ---- */

static adl_factor_size size_of(const adl_factor_class *class, const adl_factor_settings *self) {
  return class->size(self);
}

static adl_factor_model settings_of(const adl_call *call, const adl_factor_settings *self, adl_factor_size size) {
  return (adl_factor_model){.width = size.width,
                            .count = self->factors,
                            .quads = size.rows * size.columns,
                            .shards = size.shards,
                            .rate = (float)self->learning_rate,
                            .l2 = (float)self->l2,
                            .scale = (float)(self->init_scale / sqrt((double)self->factors)),
                            .learns_bias = self->bias,
                            .loss = (adl_loss)self->loss,
                            .key = call->host->random_key(call, "factors"),
                            .simd = adl_simd_level()};
}

/* For learning: tensors that are not there are made. */
static void open_model(const adl_call *call, fitting *fit, adl_tensors *tensors) {
  const adl_host *host = call->host;
  adl_factor_size size = size_of(fit->class, fit->self);
  bool fresh = false;
  adl_tensor target;
  fresh = !host->find_tensor(call, tensors, "target", &target);
  fit->model = settings_of(call, fit->self, size);
  fit->model.linear = host->tensor(call, tensors, "linear", ADL_FLOAT32, 2, (int64_t[]){size.width, 2});
  fit->model.factors =
      host->tensor(call, tensors, "factors", ADL_FLOAT32, 3, (int64_t[]){size.rows, size.columns, ADL_QUAD_FLOATS});
  fit->model.bias = host->tensor(call, tensors, "bias", ADL_FLOAT64, 1, (int64_t[]){2});
  fit->progress = host->tensor(call, tensors, "progress", ADL_FLOAT64, 1, (int64_t[]){PROGRESS_SIZE});
  fit->target = host->tensor(call, tensors, "target", ADL_FLOAT64, 1, (int64_t[]){TARGET_SIZE});
  if (fresh) fit->target[TARGET_DEVIATION] = 1;
}

/* For reading: nothing is made. */
static bool find_model(const adl_call *call, const adl_factor_class *class, const adl_factor_settings *self,
                       const adl_tensors *tensors, fitting *found) {
  const adl_host *host = call->host;
  adl_tensor linear, factors, bias, progress, target;
  if (!host->find_tensor(call, tensors, "linear", &linear) || !host->find_tensor(call, tensors, "factors", &factors) ||
      !host->find_tensor(call, tensors, "bias", &bias) || !host->find_tensor(call, tensors, "progress", &progress) ||
      !host->find_tensor(call, tensors, "target", &target))
    return false;
  *found = (fitting){class, self, settings_of(call, self, size_of(class, self)), progress.data, target.data, NULL};
  found->model.linear = linear.data;
  found->model.factors = factors.data;
  found->model.bias = bias.data;
  return true;
}

/* A model that was made elsewhere must be one of these features and factors. */
static adl_status check_size(const adl_call *call, const adl_factor_class *class, const void *self,
                             const adl_tensors *tensors) {
  adl_tensor linear, factors;
  adl_factor_size size = size_of(class, self);
  if (!call->host->find_tensor(call, tensors, "linear", &linear) ||
      !call->host->find_tensor(call, tensors, "factors", &factors))
    return ADL_OK;
  if (linear.size[0] != size.width)
    return call->host->fail(call, class->input, -1, "Use the features that the model was fitted on",
                            "the model has %lld dimensions, the features have %lld", (long long)linear.size[0],
                            (long long)size.width);
  if (factors.size[0] == size.rows && factors.size[1] == size.columns) return ADL_OK;
  return call->host->fail(call, "factors", -1, "Use the number that the model was fitted with",
                          "the model has another number of factors");
}

/* ---- rows ---- */

adl_status adl_factor_bind(const adl_call *call, adl_factor_settings *self) {
  return call->host->declare(call, &self->as,
                             (adl_type){.element = ADL_FLOAT32, .shape = ADL_SCALAR, .role = ADL_NUMBER});
}

bool adl_factor_scale(const adl_call *call, const adl_factor_settings *self, int64_t row, const char *column,
                      double squares, float *scale) {
  const double most = 1e12;
  *scale = 1;
  if (self->normalise) {
    if (squares > 0) *scale = (float)fmin(1 / sqrt(squares), 1e38);
    return true;
  }
  if (squares <= most) return true;
  call->host->reject(call, row, column, "the squares of the row's values sum to %g; the most is %g, or set normalise",
                     squares, most);
  return false;
}

/* Label and weight of a row of the batch; false: rejected, or of weight 0. */
static bool read_label(const adl_call *call, const adl_factor_settings *self, const adl_batch *batch, int64_t row,
                       double *label, double *weight) {
  const adl_column *weights = self->weight.slot >= 0 ? batch->slots[self->weight.slot] : NULL;
  return adl_label_read(call, batch->slots[self->label.slot], weights, (adl_loss)self->loss, row, label, weight);
}

/* Whether a training row is held back: the same rows in every pass. */
static bool is_held(const adl_factor_settings *self, uint64_t key, int64_t ordinal) {
  return self->holdback > 0 && adl_random_unit(key, (uint64_t)ordinal) < self->holdback;
}

/* The rows of a batch with labels: the held-back ones, or the others, or all (NULL). */
static adl_status labelled_rows(const adl_call *call, const fitting *fit, const adl_batch *batch, const bool *held,
                                bool *wanted, adl_factor_row *rows) {
  uint64_t key = call->host->random_key(call, "holdback");
  double *labels = call->host->alloc(call, (size_t)batch->rows * 2 * sizeof *labels);
  for (int64_t row = 0; row < batch->rows; row++) {
    bool good = read_label(call, fit->self, batch, row, &labels[2 * row], &labels[2 * row + 1]);
    wanted[row] = good && (held == NULL || is_held(fit->self, key, batch->ordinal + row) == *held);
  }
  ADL_TRY(fit->class->rows(call, fit->self, batch, wanted, rows));
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!wanted[row]) continue;
    rows[row].label = (labels[2 * row] - fit->target[TARGET_MEAN]) / fit->target[TARGET_DEVIATION];
    rows[row].weight = labels[2 * row + 1];
  }
  return ADL_OK;
}

/* ---- passes ---- */

enum { COUNT_ROWS, COUNT_HELD, COUNT_WEIGHT, COUNT_LABEL, COUNT_LABEL2, COUNT_SIZE };

static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)instance;
  const fitting *fit = context;
  double *counts = call->host->tensor(call, partial, "counts", ADL_FLOAT64, 1, (int64_t[]){COUNT_SIZE}), y, w;
  uint64_t key = call->host->random_key(call, "holdback");
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!read_label(call, fit->self, batch, row, &y, &w)) continue;
    bool held = is_held(fit->self, key, batch->ordinal + row);
    counts[held ? COUNT_HELD : COUNT_ROWS] += 1;
    if (held) continue;
    counts[COUNT_WEIGHT] += w;
    counts[COUNT_LABEL] += w * y;
    counts[COUNT_LABEL2] += w * y * y;
  }
  return ADL_OK;
}

static adl_status count_rows(const adl_call *call, fitting *fit, adl_rows *rows, double counts[COUNT_SIZE]) {
  adl_tensors *total = call->host->scratch_tensors(call);
  adl_fold fold = {.struct_size = sizeof fold, .step = count_step, .context = fit};
  call->host->tensor(call, total, "counts", ADL_FLOAT64, 1, (int64_t[]){COUNT_SIZE});
  ADL_TRY(call->host->fold(call, rows, &fold, total));
  memcpy(counts, call->host->tensor(call, total, "counts", ADL_FLOAT64, 1, (int64_t[]){COUNT_SIZE}),
         COUNT_SIZE * sizeof *counts);
  if (counts[COUNT_ROWS] > 0) return ADL_OK;
  return call->host->fail(call, NULL, -1,
                          "Check the holdout of the source, the filters above this stage, and that weights are above 0",
                          "there are no training rows with a usable label");
}

/* Learns the rows that are not held back. The context is written to: a fold in order makes one step at a time. */
static adl_status train_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)instance, (void)partial;
  const fitting *fit = context;
  bool *wanted = call->host->alloc(call, (size_t)batch->rows + 1), held = false;
  adl_factor_row *rows = call->host->alloc(call, (size_t)(batch->rows + 1) * sizeof *rows);
  ADL_TRY(labelled_rows(call, fit, batch, &held, wanted, rows));
  for (int64_t row = 0; row < batch->rows; row++)
    if (wanted[row]) ADL_TRY(adl_factor_blocks_add(call, fit->blocks, &rows[row]));
  return adl_factor_blocks_keep(call, fit->blocks);
}

static adl_status train_pass(const adl_call *call, fitting *fit, adl_rows *rows, adl_tensors *tensors, double *loss) {
  const adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = train_step, .context = fit};
  fit->blocks = adl_factor_blocks_new(&fit->model, &fit->class->steps, fit->self->block);
  if (fit->blocks == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  adl_status status = call->host->fold(call, rows, &fold, tensors);
  if (status == ADL_OK) status = adl_factor_blocks_finish(call, fit->blocks);
  *loss = adl_factor_blocks_loss(fit->blocks);
  adl_factor_blocks_free(fit->blocks);
  fit->blocks = NULL;
  return status;
}

/* Mean loss of the held-back rows. */
static adl_status held_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                            adl_tensors *partial) {
  (void)instance;
  const fitting *fit = context;
  double *sums = call->host->tensor(call, partial, "loss", ADL_FLOAT64, 1, (int64_t[]){2});
  bool *wanted = call->host->alloc(call, (size_t)batch->rows + 1), held = true;
  adl_factor_row *rows = call->host->alloc(call, (size_t)(batch->rows + 1) * sizeof *rows);
  ADL_TRY(labelled_rows(call, fit, batch, &held, wanted, rows));
  for (int64_t row = 0; row < batch->rows; row++) {
    if (!wanted[row]) continue;
    double margin = adl_factor_margin(&fit->model, &fit->class->steps, &rows[row]);
    sums[0] += rows[row].weight;
    sums[1] += rows[row].weight * adl_factor_loss(fit->model.loss, rows[row].label, margin);
  }
  return ADL_OK;
}

static adl_status held_loss(const adl_call *call, fitting *fit, adl_rows *rows, double *loss) {
  adl_tensors *total = call->host->scratch_tensors(call);
  adl_fold fold = {.struct_size = sizeof fold, .step = held_step, .context = fit};
  call->host->tensor(call, total, "loss", ADL_FLOAT64, 1, (int64_t[]){2});
  ADL_TRY(call->host->fold(call, rows, &fold, total));
  const double *sums = call->host->tensor(call, total, "loss", ADL_FLOAT64, 1, (int64_t[]){2});
  *loss = sums[0] > 0 ? sums[1] / sums[0] : 0;
  return ADL_OK;
}

/* ---- early stopping ---- */

/* The weights of the best pass so far. */
typedef struct best {
  float *linear, *factors;
  double bias[2], lowest, mark;
  int64_t epoch, mark_epoch;
} best;

/* Pages of zeros stay untouched on both sides. */
static void copy_pages(float *to, const float *from, int64_t count) {
  static const float zeros[1024];
  for (int64_t at = 0; at < count; at += 1024) {
    size_t bytes = (size_t)(count - at < 1024 ? count - at : 1024) * sizeof *to;
    if (memcmp(from + at, zeros, bytes) != 0 || memcmp(to + at, zeros, bytes) != 0) memcpy(to + at, from + at, bytes);
  }
}

static void best_keep(best *kept, const adl_factor_model *model, double loss, int64_t epoch) {
  copy_pages(kept->linear, model->linear, 2 * model->width);
  copy_pages(kept->factors, model->factors, model->quads * ADL_QUAD_FLOATS);
  memcpy(kept->bias, model->bias, sizeof kept->bias);
  kept->lowest = loss;
  kept->epoch = epoch;
}

static void best_restore(const best *kept, adl_factor_model *model) {
  copy_pages(model->linear, kept->linear, 2 * model->width);
  copy_pages(model->factors, kept->factors, model->quads * ADL_QUAD_FLOATS);
  memcpy(model->bias, kept->bias, sizeof kept->bias);
}

static adl_status train(const adl_call *call, fitting *fit, adl_rows *rows, adl_tensors *tensors, bool watched,
                        best *kept) {
  const adl_factor_settings *self = fit->self;
  int64_t epoch = 0;
  for (bool stop = false; !stop && epoch < self->epochs; epoch++) {
    double loss = 0, held = 0;
    ADL_TRY(train_pass(call, fit, rows, tensors, &loss));
    fit->progress[epoch == 0 ? FIRST_LOSS : LAST_LOSS] = loss;
    if (watched) ADL_TRY(held_loss(call, fit, rows, &held));
    double *history =
        call->host->tensor(call, tensors, "history", ADL_FLOAT64, 2, (int64_t[]){epoch + 1, HISTORY_SIZE});
    history[epoch * HISTORY_SIZE + HISTORY_LOSS] = loss / fit->progress[WEIGHT];
    history[epoch * HISTORY_SIZE + HISTORY_HELD] = held;
    if (watched && (epoch == 0 || held < kept->lowest)) best_keep(kept, &fit->model, held, epoch);
    if (epoch == 0 || held < kept->mark * (1 - self->tolerance)) {
      kept->mark = held;
      kept->mark_epoch = epoch;
    }
    stop = watched && epoch - kept->mark_epoch >= self->patience;
    call->host->progress(call, "passes", (double)(epoch + 1), (double)self->epochs);
  }
  if (watched && kept->epoch + 1 < epoch) best_restore(kept, &fit->model);
  fit->progress[EPOCHS] = (double)epoch;
  fit->progress[BEST_EPOCH] = watched ? (double)(kept->epoch + 1) : (double)epoch;
  return ADL_OK;
}

/* A new model begins at the best constant; half a row is added to a class that has none. */
static void begin(const adl_call *call, fitting *fit, const double counts[COUNT_SIZE], bool fresh) {
  const adl_factor_settings *self = fit->self;
  double mean = counts[COUNT_LABEL] / counts[COUNT_WEIGHT];
  memset(fit->progress, 0, PROGRESS_SIZE * sizeof *fit->progress);
  fit->progress[ROWS] = counts[COUNT_ROWS];
  fit->progress[HELD] = counts[COUNT_HELD];
  fit->progress[WEIGHT] = counts[COUNT_WEIGHT];
  fit->progress[LABELS] = mean;
  bool one_class = adl_label_warn(call, (adl_loss)self->loss, counts[COUNT_WEIGHT], counts[COUNT_LABEL]);
  if (!fresh) return;
  if (self->loss == ADL_LOSS_SQUARED) {
    double variance = counts[COUNT_LABEL2] / counts[COUNT_WEIGHT] - mean * mean;
    fit->target[TARGET_MEAN] = self->bias ? mean : 0;
    fit->target[TARGET_DEVIATION] = variance > 1e-12 * mean * mean ? sqrt(variance) : 1;
  } else if (self->bias) {
    double half = one_class ? 0.5 : 0.0;
    fit->model.bias[0] = log((counts[COUNT_LABEL] + half) / (counts[COUNT_WEIGHT] - counts[COUNT_LABEL] + half));
  }
}

adl_status adl_factor_fit(const adl_call *call, const adl_factor_class *class, const void *instance, adl_rows *rows,
                          adl_model *model) {
  const adl_factor_settings *self = instance;
  fitting fit = {.class = class, .self = self};
  double counts[COUNT_SIZE];
  adl_tensor before;
  ADL_TRY(check_size(call, class, self, model->tensors));
  bool fresh = !call->host->find_tensor(call, model->tensors, "linear", &before);
  open_model(call, &fit, model->tensors);
  ADL_TRY(count_rows(call, &fit, rows, counts));
  begin(call, &fit, counts, fresh);
  call->host->drop_tensor(call, model->tensors, "history");
  bool watched = counts[COUNT_HELD] > 0;
  if (self->holdback > 0 && !watched)
    call->host->log(call, ADL_WARNING, "of %.0f training rows none was held back: all %lld passes are made",
                    counts[COUNT_ROWS], (long long)self->epochs);
  best kept = {0};
  if (watched) {
    kept.linear = calloc((size_t)fit.model.width * 2, sizeof *kept.linear);
    kept.factors = calloc((size_t)fit.model.quads * ADL_QUAD_FLOATS, sizeof *kept.factors);
  }
  adl_status status =
      watched && (kept.linear == NULL || kept.factors == NULL)
          ? call->host->fail(call, "holdback", -1, "Set it to 0, or take fewer dimensions or factors", "out of memory")
          : train(call, &fit, rows, model->tensors, watched, &kept);
  free(kept.linear);
  free(kept.factors);
  return status;
}

/* ---- online, and predictions ---- */

adl_status adl_factor_init(const adl_call *call, const adl_factor_class *class, const void *self, adl_model *model) {
  fitting fit = {.class = class, .self = self};
  ADL_TRY(check_size(call, class, self, model->tensors));
  open_model(call, &fit, model->tensors);
  return ADL_OK;
}

adl_status adl_factor_prepare(const adl_call *call, const adl_factor_class *class, const void *self,
                              const adl_model *model) {
  return check_size(call, class, self, model->tensors);
}

static float prediction_of(const fitting *fit, double margin) {
  if (fit->model.loss == ADL_LOSS_LOGISTIC) return adl_probability32(adl_logistic(margin));
  return (float)(margin * fit->target[TARGET_DEVIATION] + fit->target[TARGET_MEAN]);
}

adl_status adl_factor_process(const adl_call *call, const adl_factor_class *class, const void *self,
                              const adl_model *model, const adl_batch *batch, adl_out *out) {
  const adl_factor_settings *settings = self;
  fitting fit;
  if (!find_model(call, class, settings, model->tensors, &fit))
    return call->host->fail(call, NULL, -1, "Fit it, or say which `model` to load", "the model holds no weights");
  adl_buffers buffers;
  adl_factor_row *rows = call->host->alloc(call, (size_t)(batch->rows + 1) * sizeof *rows);
  ADL_TRY(class->rows(call, self, batch, NULL, rows));
  if (!call->host->wanted(call, settings->as.slot)) return ADL_OK;
  ADL_TRY(call->host->reserve(call, out, settings->as.slot, batch->rows, 0, 0, &buffers));
  for (int64_t row = 0; row < batch->rows; row++)
    ((float *)buffers.data)[row] = prediction_of(&fit, adl_factor_margin(&fit.model, &class->steps, &rows[row]));
  return ADL_OK;
}

adl_status adl_factor_learn_batch(const adl_call *call, const adl_factor_class *class, const void *self,
                                  adl_model *model, const adl_batch *batch, adl_out *out) {
  fitting fit = {.class = class, .self = self};
  open_model(call, &fit, model->tensors);
  if (fit.progress[EPOCHS] > 0)
    memset(fit.progress, 0, PROGRESS_SIZE * sizeof *fit.progress); /* a fitted one goes on */
  adl_buffers buffers = {0};
  if (out != NULL && call->host->wanted(call, fit.self->as.slot))
    ADL_TRY(call->host->reserve(call, out, fit.self->as.slot, batch->rows, 0, 0, &buffers));
  float *scores = buffers.data;
  adl_factor_row *rows = call->host->alloc(call, (size_t)(batch->rows + 1) * sizeof *rows);
  bool *usable = call->host->alloc(call, (size_t)batch->rows + 1);
  memset(usable, true, (size_t)batch->rows);
  ADL_TRY(class->rows(call, self, batch, usable, rows));
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_factor_row *at = &rows[row];
    double label, weight;
    if (!usable[row] || !read_label(call, fit.self, batch, row, &label, &weight)) {
      if (scores != NULL) scores[row] = prediction_of(&fit, adl_factor_margin(&fit.model, &class->steps, at));
      continue;
    }
    at->label = (label - fit.target[TARGET_MEAN]) / fit.target[TARGET_DEVIATION];
    at->weight = weight;
    double margin = adl_factor_learn(&fit.model, &class->steps, at);
    if (scores != NULL) scores[row] = prediction_of(&fit, margin);
    fit.progress[FIRST_LOSS] += weight * adl_factor_loss(fit.model.loss, at->label, margin);
    fit.progress[LABELS] += (weight / (fit.progress[WEIGHT] + weight)) * (label - fit.progress[LABELS]);
    fit.progress[WEIGHT] += weight;
    fit.progress[ROWS] += 1;
  }
  return ADL_OK;
}

/* ---- report ---- */

static void report_history(const adl_call *call, const fitting *fit, const adl_tensors *tensors, const char *loss_name,
                           double unit, adl_report *report) {
  adl_tensor history;
  if (!call->host->find_tensor(call, tensors, "history", &history) || fit->progress[EPOCHS] == 0) return;
  const double *values = history.data;
  int64_t count = (int64_t)fit->progress[EPOCHS];
  bool held = fit->progress[HELD] > 0;
  double *x = call->host->alloc(call, (size_t)count * 2 * sizeof *x), *y = x + count;
  for (int64_t i = 0; i < count; i++) {
    x[i] = (double)(i + 1);
    y[i] = unit * values[i * HISTORY_SIZE + (held ? HISTORY_HELD : HISTORY_LOSS)];
  }
  int64_t best_epoch = (int64_t)fit->progress[BEST_EPOCH] - 1;
  call->host->report_number(call, report, "", "passes", fit->progress[EPOCHS], NAN, NAN);
  call->host->report_number(call, report, "", "best_pass", fit->progress[BEST_EPOCH], NAN, NAN);
  if (count > 1)
    call->host->report_number(call, report, "in-sample", loss_name,
                              unit * values[best_epoch * HISTORY_SIZE + HISTORY_LOSS], NAN, NAN);
  if (held) call->host->report_number(call, report, "held-back", loss_name, y[best_epoch], NAN, NAN);
  if (count > 1)
    adl_plot_one(call, report, ADL_PLOT_LINE, held ? "loss of the held-back rows" : "loss while learning", "pass",
                 "mean loss", count, x, y);
}

adl_status adl_factor_report(const adl_call *call, const adl_factor_class *class, const void *self,
                             const adl_model *model, adl_report *report) {
  fitting fit;
  if (!find_model(call, class, self, model->tensors, &fit)) return ADL_OK;
  const adl_host *host = call->host;
  const double *progress = fit.progress;
  bool logistic = fit.model.loss == ADL_LOSS_LOGISTIC;
  const char *loss_name = logistic ? "logloss" : "half_squared_loss";
  double unit = fit.target[TARGET_DEVIATION] * fit.target[TARGET_DEVIATION];
  host->report_number(call, report, "", "rows_learned", progress[ROWS], NAN, NAN);
  if (progress[WEIGHT] > 0)
    host->report_number(call, report, "progressive", loss_name, unit * progress[FIRST_LOSS] / progress[WEIGHT], NAN,
                        NAN);
  if (logistic && !(progress[LABELS] > 0 && progress[LABELS] < 1))
    host->report_text(call, report, "warning",
                      progress[ROWS] == 0 ? "no training rows" : "all training labels are the same");
  report_history(call, &fit, model->tensors, loss_name, unit, report);
  int64_t used = 0;
  for (int64_t i = 0; i < fit.model.width; i++) used += fit.model.linear[2 * i + 1] != 0;
  host->report_number(call, report, "", "dimensions", (double)fit.model.width, NAN, NAN);
  host->report_number(call, report, "", "dimensions_seen", (double)used, NAN, NAN);
  if (fit.self->bias) host->report_number(call, report, "", "bias", fit.model.bias[0], NAN, NAN);
  return ADL_OK;
}
