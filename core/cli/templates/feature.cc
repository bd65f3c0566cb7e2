// acme.template, a feature extractor that learns: how often rows with the same category had a positive label.
// To read: what users may say (params), what the model is (fit), what rows get of it (process), and the class.
// <adloom/plugin.h> tells more of every name here; `make check` tests it.
#include <adloom/plugin.h>

namespace {

// The instance: the core fills in the parameters, at the offsets that the table below says.
struct template_stage {
  adl_input category, label;
  double prior;
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

constexpr adl_param params[] = {
    parameter("category", ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(template_stage, category),
              "The category, for example the user.", nullptr, ADL_MASK(ADL_STRING)),
    parameter("label", ADL_PARAM_COLUMN, ADL_REQUIRED | ADL_LEARN_ONLY, // not needed to apply a model
              offsetof(template_stage, label), "What happened: 0 or 1.", nullptr, ADL_ANY_NUMERIC),
    parameter("prior", ADL_PARAM_FLOAT, 0, offsetof(template_stage, prior),
              "So many rows with the mean of all are added to each category.", "10", 0, "(0, inf)"),
    parameter("as", ADL_PARAM_NEW_COLUMN, ADL_PLAIN_NAME, offsetof(template_stage, as),
              "New column: the rate (float32).", "rate")};

// Before any row moves: types of inputs are known (call->host->fail refuses them), and new columns are declared.
adl_status bind(const adl_call *call, void *self) {
  adl_type type = {};
  type.element = ADL_FLOAT32;
  return call->host->declare(call, &static_cast<template_stage *>(self)->as, type);
}

// Adds a batch to a partial result. Many threads do so at once, each to a partial of its own: no locks, no statics.
adl_status step(const adl_call *call, const void *self, const void *, const adl_batch *batch, adl_tensors *partial) {
  const auto &own = *static_cast<const template_stage *>(self);
  const adl_column *category = batch->slots[own.category.slot], *label = batch->slots[own.label.slot];
  adl_table *counts = call->host->table(call, partial, "counts", 2); // by key: rows, and the sum of labels
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text key = adl_text_at(category, row);
    double *count = call->host->table_row(counts, call->host->table_insert(counts, key.data, key.size));
    count[0] += 1;
    count[1] += adl_number_at(label, row);
  }
  return ADL_OK;
}

// Learns the model, which the core saves, loads and hashes: named arrays and tables. Held-out rows never get here.
adl_status fit(const adl_call *call, const void *, adl_rows *rows, adl_model *model) {
  adl_fold fold = {};
  fold.struct_size = sizeof fold;
  fold.step = step; // without a merge, partials are added up
  const int64_t two = 2;
  const adl_table *counts = call->host->table(call, model->tensors, "counts", 2);
  auto *all = static_cast<double *>(call->host->tensor(call, model->tensors, "all", ADL_FLOAT64, 1, &two));
  ADL_TRY(call->host->fold(call, rows, &fold, model->tensors));
  for (int64_t i = 0; i < call->host->table_count(counts); i++)
    for (int k = 0; k < 2; k++) all[k] += call->host->table_row(counts, i)[k];
  if (all[0] > 0) return ADL_OK;
  return call->host->fail(call, nullptr, -1, "look at `holdout` and at rejects.jsonl", "there are no training rows");
}

// Rows in, rows out, on many threads. Rows with a null category were refused before: a flag would let them in.
adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                   adl_out *out) {
  const auto &own = *static_cast<const template_stage *>(self);
  const adl_table *counts = call->host->find_table(call, model->tensors, "counts");
  adl_tensor all;
  adl_buffers to;
  if (counts == nullptr || !call->host->find_tensor(call, model->tensors, "all", &all))
    return call->host->fail(call, nullptr, -1, "fit the stage again", "the model is not complete");
  const auto *sums = static_cast<const double *>(all.data);
  const double mean = sums[1] / sums[0], none[2] = {0, 0};
  ADL_TRY(call->host->reserve(call, out, own.as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    adl_text key = adl_text_at(batch->slots[own.category.slot], row);
    int64_t at = call->host->table_find(counts, key.data, key.size);
    const double *count = at < 0 ? none : call->host->table_row(counts, at);
    static_cast<float *>(to.data)[row] = static_cast<float>((count[1] + own.prior * mean) / (count[0] + own.prior));
  }
  return ADL_OK;
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_FEATURE;
  made.id = "acme.template";
  made.title = "Rate of a category";
  made.doc = "Learns how often rows with the same category had a positive label.\n\n"
             "A category that was not seen has the mean of all rows. Rows without a category are refused.";
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

ADL_PLUGIN_OF("acme.template", "0.1.0", "feature:acme.template", &template_class);
