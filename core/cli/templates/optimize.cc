// acme.template, an optimizer that learns row by row: logistic regression by one step of gradient descent a row.
// To read: what users may say (params), what the model begins with (init), what rows get of it (process), how it learns
// (learn), and the class. <adloom/plugin.h> tells more of every name here; `make check` tests it.
#include <adloom/plugin.h>

#include <cmath>

namespace {

// The instance: the core fills in the parameters, at the offsets that the table below says.
struct template_stage {
  adl_input features, label;
  double rate;
  adl_output as;
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

constexpr adl_param features() {
  adl_param made = parameter("features", ADL_PARAM_MATRIX, ADL_REQUIRED, offsetof(template_stage, features),
                             "Columns to predict from: they arrive side by side, as one vector.");
  made.shapes = ADL_MASK(ADL_VECTOR);
  return made;
}

constexpr adl_param params[] = {
    features(),
    parameter("label", ADL_PARAM_COLUMN, ADL_REQUIRED | ADL_LEARN_ONLY, // not needed to predict
              offsetof(template_stage, label), "What to predict: 0 or 1.", nullptr, ADL_ANY_NUMERIC),
    parameter("rate", ADL_PARAM_FLOAT, 0, offsetof(template_stage, rate), "Length of a step of gradient descent.",
              "0.1", 0, "(0, 10]"),
    parameter("as", ADL_PARAM_NEW_COLUMN, ADL_PLAIN_NAME, offsetof(template_stage, as),
              "New column: probability that the label is 1 (float32).", "score")};

// Before any row moves: types of inputs are known (call->host->fail refuses them), and new columns are declared.
adl_status bind(const adl_call *call, void *self) {
  adl_type type = {};
  type.element = ADL_FLOAT32;
  return call->host->declare(call, &static_cast<template_stage *>(self)->as, type);
}

// The model: a weight for each feature, and one that stands alone. The core saves, loads and hashes it.
double *weights_of(const adl_call *call, const template_stage &own, adl_tensors *tensors) {
  int64_t size = own.features.type.width + 1;
  return static_cast<double *>(call->host->tensor(call, tensors, "weights", ADL_FLOAT64, 1, &size)); // zeroed when new
}

// What learning begins with.
adl_status init(const adl_call *call, const void *self, adl_model *model) {
  weights_of(call, *static_cast<const template_stage *>(self), model->tensors);
  return ADL_OK;
}

double predict(const float *row, const double *weights, int64_t width) {
  double sum = weights[width];
  for (int64_t k = 0; k < width; k++) sum += weights[k] * static_cast<double>(row[k]);
  return 1 / (1 + std::exp(-sum));
}

// Rows in, rows out, on many threads; the model does not change.
adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                   adl_out *out) {
  const auto &own = *static_cast<const template_stage *>(self);
  const auto *features = static_cast<const float *>(batch->slots[own.features.slot]->data);
  int64_t width = own.features.type.width;
  adl_tensor weights;
  adl_buffers to;
  if (!call->host->find_tensor(call, model->tensors, "weights", &weights) || weights.count != width + 1)
    return call->host->fail(call, "features", -1, "learn again", "the model is not one of these features");
  ADL_TRY(call->host->reserve(call, out, own.as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++)
    static_cast<float *>(to.data)[row] =
        static_cast<float>(predict(features + row * width, static_cast<const double *>(weights.data), width));
  return ADL_OK;
}

// One call at a time, in row order: gives out the prediction first (`out` may be NULL), and learns then.
adl_status learn(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch, adl_out *out) {
  const auto &own = *static_cast<const template_stage *>(self);
  const auto *features = static_cast<const float *>(batch->slots[own.features.slot]->data);
  double *weights = weights_of(call, own, model->tensors);
  int64_t width = own.features.type.width;
  adl_buffers to = {};
  if (out != nullptr) ADL_TRY(call->host->reserve(call, out, own.as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    const float *x = features + row * width;
    double label = adl_number_at(batch->slots[own.label.slot], row), score = predict(x, weights, width);
    if (out != nullptr) static_cast<float *>(to.data)[row] = static_cast<float>(score);
    if (label != 0 && label != 1) { // a row that cannot be used is put aside, and the run goes on
      call->host->reject(call, row, "label", "is %g; labels are 0 and 1", label);
      continue;
    }
    for (int64_t k = 0; k < width; k++) weights[k] += own.rate * (label - score) * static_cast<double>(x[k]);
    weights[width] += own.rate * (label - score);
  }
  return ADL_OK;
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_OPTIMIZE;
  made.id = "acme.template";
  made.title = "Logistic regression, a row at a time";
  made.doc = "Stochastic gradient descent on the logarithmic loss, without regularisation.\n\n"
             "Features should be of similar size: put scale before it. Rows with a null feature are refused.";
  made.instance_size = sizeof(template_stage);
  made.params = params;
  made.param_count = sizeof params / sizeof *params;
  made.param_size = sizeof *params;
  made.state_version = 1;
  made.bind = bind;
  made.init = init;
  made.process = process;
  made.learn = learn;
  return made;
}
constexpr adl_class template_class = make_class();

} // namespace

ADL_PLUGIN_OF("acme.template", "0.1.0", "optimize:acme.template", &template_class);
