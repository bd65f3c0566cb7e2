// acme.template, a measure: the mean squared difference of a score and what happened (the Brier score), apart for rows
// that were held out and rows that were learned from.
// To read: what users may say (params), what is summed up (step, fit), what is told (report), and the class.
// <adloom/plugin.h> tells more of every name here; `make check` tests it.
#include <adloom/plugin.h>

#include <cmath>

namespace {

// The instance: the core fills in the parameters, at the offsets that the table below says.
struct template_stage {
  adl_input score, label;
};

// What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table.
// (C++17 has no designated initialisers, so a function fills the members in.)
constexpr adl_param parameter(const char *name, adl_param_type type, uint32_t flags, size_t offset, const char *doc,
                              const char *preset = nullptr, uint32_t elements = 0, const char *range = nullptr) {
  adl_param made = {};
  made.name = name;
  made.type = type;
  made.flags = flags;
  made.offset = static_cast<uint32_t>(offset);
  made.doc = doc;
  made.default_value = preset;
  made.elements = elements;
  made.range = range;
  return made;
}

constexpr adl_param params[] = {parameter("score", ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(template_stage, score),
                                          "The score that is measured.", nullptr, ADL_ANY_FLOAT),
                                parameter("label", ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(template_stage, label),
                                          "What happened.", nullptr, ADL_ANY_NUMERIC)};

// Rows and squares, for each split.
double *sums_of(const adl_call *call, adl_tensors *tensors) {
  const int64_t size[] = {3, 2};
  return static_cast<double *>(call->host->tensor(call, tensors, "sums", ADL_FLOAT64, 2, size));
}

// Adds a batch to a partial result. Many threads do so at once, each to a partial of its own: no locks, no statics.
adl_status step(const adl_call *call, const void *self, const void *, const adl_batch *batch, adl_tensors *partial) {
  const auto &own = *static_cast<const template_stage *>(self);
  double *sums = sums_of(call, partial) + 2 * call->host->split(call); // the rows of a batch are of one split
  for (int64_t row = 0; row < batch->rows; row++) {
    double error = adl_number_at(batch->slots[own.score.slot], row) - adl_number_at(batch->slots[own.label.slot], row);
    sums[0] += 1;
    sums[1] += error * error;
  }
  return ADL_OK;
}

// What a fold has summed up is the model; this one belongs to the run, and is not saved (ADL_TRANSIENT).
adl_status fit(const adl_call *call, const void *, adl_rows *rows, adl_model *model) {
  adl_fold fold = {};
  fold.struct_size = sizeof fold;
  fold.step = step; // without a merge, partials are added up
  sums_of(call, model->tensors);
  return call->host->fold(call, rows, &fold, model->tensors);
}

// At the end of the run: numbers for metrics.json, the terminal and report.html; there are tables and plots, too.
adl_status report(const adl_call *call, const void *, const adl_model *model, adl_report *to) {
  static constexpr const char *over[] = {"in-sample", "validation", "held-out"}; // by adl_split
  adl_tensor sums;
  if (!call->host->find_tensor(call, model->tensors, "sums", &sums)) return ADL_OK;
  for (int split = 0; split < 3; split++) {
    const double *of = static_cast<const double *>(sums.data) + 2 * split;
    if (of[0] == 0) continue;
    call->host->report_number(call, to, over[split], "rows", of[0], NAN, NAN);
    call->host->report_number(call, to, over[split], "brier", of[1] / of[0], NAN, NAN);
  }
  return ADL_OK;
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_EVALUATE;
  made.id = "acme.template";
  made.title = "Brier score";
  made.doc = "Mean squared difference of a score and what happened: 0 is perfect, 0.25 is a coin.\n\n"
             "Rows without a score or a label are refused.";
  made.instance_size = sizeof(template_stage);
  made.params = params;
  made.param_count = sizeof params / sizeof *params;
  made.param_size = sizeof *params;
  made.flags = ADL_ALL_ROWS | ADL_SPLIT_ROWS | ADL_SINGLE_PASS | ADL_TRANSIENT;
  made.form = ADL_NEW;
  made.state_version = 1;
  made.fit = fit;
  made.report = report;
  return made;
}
constexpr adl_class template_class = make_class();

} // namespace

ADL_PLUGIN_OF("acme.template", "0.1.0", "evaluate:acme.template", &template_class);
