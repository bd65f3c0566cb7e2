/*
 * acme.template, a measure: the mean squared difference of a score and what happened (the Brier score), apart for rows
 * that were held out and rows that were learned from.
 * To read: what users may say (params), what is summed up (step, fit), what is told (report), and the class.
 * <adloom/plugin.h> tells more of every name here; `make check` tests it.
 */
#include <adloom/plugin.h>

#include <math.h>

/* The instance: the core fills in the parameters, at the offsets that the table below says. */
typedef struct template_stage {
  adl_input score, label;
} template_stage;

/* What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table. */
static const adl_param params[] = {
    {.name = "score", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, score),
     .elements = ADL_ANY_FLOAT, .doc = "The score that is measured."},
    {.name = "label", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, label),
     .elements = ADL_ANY_NUMERIC, .doc = "What happened."}};

/* Rows and squares, for each split. */
static double *sums_of(const adl_call *call, adl_tensors *tensors) {
  const int64_t size[] = {3, 2};
  return call->host->tensor(call, tensors, "sums", ADL_FLOAT64, 2, size);
}

/* Adds a batch to a partial result. Many threads do so at once, each to a partial of its own: no locks, no statics. */
static adl_status step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const template_stage *own = self;
  const adl_column *score = batch->slots[own->score.slot], *label = batch->slots[own->label.slot];
  double *sums = sums_of(call, partial) + 2 * call->host->split(call); /* the rows of a batch are of one split */
  (void)context;
  for (int64_t row = 0; row < batch->rows; row++) {
    double error = adl_number_at(score, row) - adl_number_at(label, row);
    sums[0] += 1;
    sums[1] += error * error;
  }
  return ADL_OK;
}

/* What a fold has summed up is the model; this one belongs to the run, and is not saved (ADL_TRANSIENT). */
static adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = step}; /* without a merge, partials are added up */
  (void)self;
  sums_of(call, model->tensors);
  return call->host->fold(call, rows, &fold, model->tensors);
}

/* At the end of the run: numbers for metrics.json, the terminal and report.html; there are tables and plots, too. */
static adl_status report(const adl_call *call, const void *self, const adl_model *model, adl_report *to) {
  static const char *const over[] = {"in-sample", "validation", "held-out"}; /* by adl_split */
  adl_tensor sums;
  (void)self;
  if (!call->host->find_tensor(call, model->tensors, "sums", &sums)) return ADL_OK;
  for (int split = 0; split < 3; split++) {
    const double *of = (double *)sums.data + 2 * split;
    if (of[0] == 0) continue;
    call->host->report_number(call, to, over[split], "rows", of[0], NAN, NAN);
    call->host->report_number(call, to, over[split], "brier", of[1] / of[0], NAN, NAN);
  }
  return ADL_OK;
}

static const adl_class template_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_EVALUATE, .id = "acme.template", .title = "Brier score",
    .doc = "Mean squared difference of a score and what happened: 0 is perfect, 0.25 is a coin.\n\n"
           "Rows without a score or a label are refused.",
    .flags = ADL_ALL_ROWS | ADL_SPLIT_ROWS | ADL_SINGLE_PASS | ADL_TRANSIENT, .form = ADL_NEW,
    .instance_size = sizeof(template_stage), .state_version = 1, ADL_PARAMS(params), .fit = fit, .report = report};
ADL_PLUGIN_OF("acme.template", "0.1.0", "evaluate:acme.template", &template_class);
