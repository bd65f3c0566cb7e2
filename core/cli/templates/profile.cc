// acme.template, a profiler: sorts rows into low, middle and high by how far a number is from the mean of all.
// To read: what users may say (params), what the model is (fit), what rows get of it (process), and the class.
// <adloom/plugin.h> tells more of every name here; `make check` tests it.
#include <adloom/plugin.h>

#include <cmath>
#include <cstring>

namespace {

// The instance: the core fills in the parameters, at the offsets that the table below says.
struct template_stage {
  adl_input of;
  double width;
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

constexpr adl_param params[] = {parameter("of", ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(template_stage, of),
                                          "The number, for example what a user has spent.", nullptr, ADL_ANY_NUMERIC),
                                parameter("width", ADL_PARAM_FLOAT, 0, offsetof(template_stage, width),
                                          "How many standard deviations from the mean the middle reaches.", "0.5", 0,
                                          "[0, inf)"),
                                parameter("as", ADL_PARAM_NEW_COLUMN, ADL_PLAIN_NAME, offsetof(template_stage, as),
                                          "New column: low, middle or high (string).", "level")};

// Before any row moves: types of inputs are known (call->host->fail refuses them), and new columns are declared.
adl_status bind(const adl_call *call, void *self) {
  adl_type type = {};
  type.element = ADL_STRING;
  type.role = ADL_CATEGORY;
  return call->host->declare(call, &static_cast<template_stage *>(self)->as, type);
}

// Number of rows, sum and sum of squares: what is made on many threads and added up must be sums.
double *sums_of(const adl_call *call, adl_tensors *tensors) {
  static constexpr int64_t three = 3;
  return static_cast<double *>(call->host->tensor(call, tensors, "sums", ADL_FLOAT64, 1, &three));
}

// Adds a batch to a partial result. Many threads do so at once, each to a partial of its own: no locks, no statics.
adl_status step(const adl_call *call, const void *self, const void *, const adl_batch *batch, adl_tensors *partial) {
  const adl_column *of = batch->slots[static_cast<const template_stage *>(self)->of.slot];
  double *sums = sums_of(call, partial);
  for (int64_t row = 0; row < batch->rows; row++) {
    double value = adl_number_at(of, row);
    sums[0] += 1;
    sums[1] += value;
    sums[2] += value * value;
  }
  return ADL_OK;
}

// Learns the model, which the core saves, loads and hashes: named arrays and tables. Held-out rows never get here.
adl_status fit(const adl_call *call, const void *, adl_rows *rows, adl_model *model) {
  adl_fold fold = {};
  fold.struct_size = sizeof fold;
  fold.step = step; // without a merge, partials are added up
  const double *sums = sums_of(call, model->tensors);
  ADL_TRY(call->host->fold(call, rows, &fold, model->tensors));
  if (sums[0] > 0) return ADL_OK;
  return call->host->fail(call, nullptr, -1, "look at `holdout` and at rejects.jsonl", "there are no training rows");
}

// Rows in, rows out, on many threads. Rows with a null in `of` were refused before: a flag would let them in.
adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                   adl_out *out) {
  static constexpr const char *names[] = {"low", "middle", "high"};
  const auto &own = *static_cast<const template_stage *>(self);
  adl_tensor learned;
  adl_buffers to;
  if (!call->host->find_tensor(call, model->tensors, "sums", &learned) || learned.count != 3)
    return call->host->fail(call, nullptr, -1, "fit the stage again", "the model is not complete");
  const auto *sums = static_cast<const double *>(learned.data);
  const double mean = sums[1] / sums[0];
  const double reach = own.width * std::sqrt(std::fmax(0, sums[2] / sums[0] - mean * mean));
  ADL_TRY(call->host->reserve(call, out, own.as.slot, batch->rows, 0, 6 * batch->rows, &to)); // 6 bytes are enough
  for (int64_t row = 0; row < batch->rows; row++) {
    double value = adl_number_at(batch->slots[own.of.slot], row);
    const char *name = names[value < mean - reach ? 0 : value > mean + reach ? 2 : 1];
    int32_t begin = to.string_offsets[row], size = static_cast<int32_t>(std::strlen(name));
    std::memcpy(static_cast<char *>(to.data) + begin, name, static_cast<size_t>(size));
    to.string_offsets[row + 1] = begin + size;
  }
  return ADL_OK;
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_PROFILE;
  made.id = "acme.template";
  made.title = "Low, middle or high";
  made.doc = "Learns the mean and the standard deviation of a number, and sorts rows by them.\n\n"
             "Rows without the number are refused.";
  made.instance_size = sizeof(template_stage);
  made.params = params;
  made.param_count = sizeof params / sizeof *params;
  made.param_size = sizeof *params;
  made.flags = ADL_SINGLE_PASS; // fit folds once: rows need not be kept
  made.state_version = 1;
  made.bind = bind;
  made.fit = fit;
  made.process = process;
  return made;
}
constexpr adl_class template_class = make_class();

} // namespace

ADL_PLUGIN_OF("acme.template", "0.1.0", "profile:acme.template", &template_class);
