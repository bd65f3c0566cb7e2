/* The model of sgd: see sgd_model.h. */
#include "common/sgd_model.h"

#include <string.h>

const double *adl_values_find(const adl_call *call, const adl_tensors *tensors, const char *name) {
  adl_tensor tensor;
  return call->host->find_tensor(call, tensors, name, &tensor) ? tensor.data : NULL;
}

double *adl_values_make(const adl_call *call, adl_tensors *tensors, const char *name, int64_t count) {
  return call->host->tensor(call, tensors, name, ADL_FLOAT64, 1, &count);
}

adl_sgd_model adl_sgd_model_open(const adl_call *call, const adl_sgd_rule *rule, adl_tensors *tensors,
                                 adl_type features, bool average) {
  adl_sgd_model model = {.rule = *rule, .label_scale = 1.0};
  int64_t width = features.width;
  model.mean = adl_values_find(call, tensors, "mean");
  model.scale = adl_values_find(call, tensors, "scale");
  const double *label = adl_values_find(call, tensors, "label");
  if (label != NULL) {
    model.label_mean = label[0];
    model.label_scale = label[1];
    model.rule.l1 /= model.label_scale; /* so that the penalty is that of the weights for labels as given */
  }
  model.weights = adl_values_make(call, tensors, "weights", width);
  model.bias = adl_values_make(call, tensors, "bias", 1);
  model.state.width = width;
  model.state.level = adl_simd_level();
  model.state.weights = adl_values_make(call, tensors, "state.weights", width + 1);
  if (rule->method != ADL_SGD_PLAIN) model.state.slopes = adl_values_make(call, tensors, "state.slopes", width + 1);
  if (average) model.state.average = adl_values_make(call, tensors, "state.average", width + 1);
  if (features.shape == ADL_SPARSE && model.mean == NULL)
    model.state.settled = call->host->tensor(call, tensors, "state.settled", ADL_INT64, 1, &width);
  model.counts = call->host->tensor(call, tensors, "state.counts", ADL_INT64, 1, (int64_t[]){3});
  model.state.steps = model.counts[0];
  model.state.averaged = model.counts[1];
  if (model.counts[2] != (int64_t)rule->method) { /* what another method kept means nothing to this one */
    if (model.state.slopes != NULL) memset(model.state.slopes, 0, (size_t)(width + 1) * sizeof *model.state.slopes);
    model.counts[2] = (int64_t)rule->method;
  }
  return model;
}

void adl_sgd_model_close(adl_sgd_model *model) {
  model->counts[0] = model->state.steps;
  model->counts[1] = model->state.averaged;
}

const double *adl_sgd_model_present(adl_sgd_model *model) {
  if (model->state.average != NULL && model->state.averaged > 0) return model->state.average;
  adl_sgd_settle(&model->rule, &model->state);
  return model->state.weights;
}

void adl_sgd_model_publish(adl_sgd_model *model, const double *weights) {
  double bias = model->rule.bias ? weights[model->state.width] : 0.0;
  for (int64_t i = 0; i < model->state.width; i++) {
    double own = model->scale != NULL ? weights[i] / model->scale[i] : weights[i];
    if (model->mean != NULL) bias -= own * model->mean[i];
    model->weights[i] = own * model->label_scale;
  }
  model->bias[0] = bias * model->label_scale + model->label_mean;
}

void adl_sgd_model_restart(adl_sgd_model *model, const double *weights) {
  adl_sgd_state *state = &model->state;
  adl_sgd_model_publish(model, weights);
  adl_sgd_settle(&model->rule, state);
  memmove(state->weights, weights, (size_t)(state->width + 1) * sizeof *weights);
  if (model->rule.method == ADL_SGD_MOMENTUM)
    memset(state->slopes, 0, (size_t)(state->width + 1) * sizeof *state->slopes);
}

double adl_sgd_model_penalty(const adl_sgd_model *model, const double *weights) {
  double sizes = 0, squares = 0;
  for (int64_t i = 0; i < model->state.width; i++) {
    sizes += fabs(weights[i]);
    squares += weights[i] * weights[i];
  }
  return (model->rule.l1 * sizes + 0.5 * model->rule.l2 * squares) * model->label_scale * model->label_scale;
}

adl_sgd_reader adl_sgd_reader_open(const adl_call *call, adl_sgd_model *model, const adl_column *features) {
  int64_t width = model->state.width, longest = 1;
  adl_sgd_reader reader = {.model = model, .features = features};
  if (model->state.settled != NULL) {
    for (int64_t row = 0; row < features->rows; row++) {
      int64_t count = features->offsets[row + 1] - features->offsets[row];
      if (count > longest) longest = count;
    }
    reader.values = call->host->alloc(call, (size_t)longest * sizeof(double));
    return reader;
  }
  reader.values = call->host->alloc(call, (size_t)width * 3 * sizeof(double));
  reader.base = reader.values + width;
  reader.factor = reader.base + width;
  for (int64_t i = 0; i < width; i++) {
    reader.factor[i] = model->scale != NULL ? 1.0 / model->scale[i] : 1.0;
    reader.base[i] = model->mean != NULL ? -model->mean[i] * reader.factor[i] : 0.0;
  }
  return reader;
}

void adl_sgd_read(adl_sgd_reader *reader, int64_t row) {
  adl_matrix_row at = adl_matrix_row_at(reader->features, row);
  const double *scale = reader->model->scale;
  reader->row = at;
  if (reader->model->state.settled != NULL) {
    for (int64_t k = 0; k < at.count; k++)
      reader->values[k] = scale != NULL ? at.value[k] / scale[at.index[k]] : at.value[k];
  } else if (at.index != NULL) {
    memcpy(reader->values, reader->base, (size_t)reader->model->state.width * sizeof(double));
    for (int64_t k = 0; k < at.count; k++) reader->values[at.index[k]] += at.value[k] * reader->factor[at.index[k]];
  } else {
    for (int64_t k = 0; k < at.count; k++) reader->values[k] = reader->base[k] + at.value[k] * reader->factor[k];
  }
}

double adl_sgd_score(adl_sgd_reader *reader) {
  adl_sgd_model *model = reader->model;
  bool sparse = model->state.settled != NULL;
  double margin = adl_sgd_margin(&model->rule, &model->state, sparse ? reader->row.count : model->state.width,
                                 sparse ? reader->row.index : NULL, reader->values);
  return margin * model->label_scale + model->label_mean;
}

void adl_sgd_learn(adl_sgd_reader *reader, double label, double weight) {
  adl_sgd_model *model = reader->model;
  double target = (label - model->label_mean) / model->label_scale;
  if (model->state.settled != NULL)
    adl_sgd_step_sparse(&model->rule, &model->state, reader->row.count, reader->row.index, reader->values, target,
                        weight);
  else
    adl_sgd_step_dense(&model->rule, &model->state, reader->values, target, weight);
}
