/* An online learner: sketch.online, logistic regression by one step of gradient descent a row. init, learn and process
 * are all of it: learned online, learned in one pass by `learn: fit`, loaded by `learn: frozen`. */
#include <adloom/plugin.h>

#include <math.h>

typedef struct online {
  adl_input features, label;
  double rate;
  adl_output as;
} online;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(online, features),
     .doc = "Columns to predict from."},
    {.name = "label",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LEARN_ONLY,
     .offset = offsetof(online, label),
     .elements = ADL_ANY_NUMERIC,
     .doc = "What to predict: 0 or 1."},
    {.name = "rate",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(online, rate),
     .default_value = "0.1",
     .range = "(0, 10]",
     .doc = "Step of gradient descent."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(online, as),
     .default_value = "score",
     .doc = "New column: probability that the label is 1 (float32)."},
};

static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((online *)self)->as, (adl_type){.element = ADL_FLOAT32});
}

static double *weights_of(const adl_call *call, const online *self, adl_tensors *tensors) {
  int64_t size = self->features.type.width + 1; /* the last is the intercept */
  return call->host->tensor(call, tensors, "weights", ADL_FLOAT64, 1, &size);
}

static adl_status init(const adl_call *call, const void *self, adl_model *model) {
  weights_of(call, self, model->tensors);
  return ADL_OK;
}

/* A row of the matrix, dense or sparse: values, and their dimensions (NULL: 0 .. count - 1). */
typedef struct row_of {
  const float *value;
  const uint32_t *index;
  int64_t count;
} row_of;

static row_of row_at(const adl_column *matrix, int64_t row) {
  int64_t width = matrix->type.width, first;
  if (matrix->type.shape == ADL_VECTOR) return (row_of){(const float *)matrix->data + row * width, NULL, width};
  first = matrix->offsets[row];
  return (row_of){(const float *)matrix->data + first, matrix->index + first, matrix->offsets[row + 1] - first};
}

static double predict(row_of row, const double *weights, int64_t width) {
  double sum = weights[width];
  for (int64_t k = 0; k < row.count; k++) sum += weights[row.index == NULL ? k : row.index[k]] * (double)row.value[k];
  return 1 / (1 + exp(-sum));
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const online *self = instance;
  const adl_column *features = batch->slots[self->features.slot];
  adl_tensor weights;
  adl_buffers to;
  call->host->find_tensor(call, model->tensors, "weights", &weights);
  if (weights.count != self->features.type.width + 1)
    return call->host->fail(call, "features", -1, "learn again", "the model is not one of these features");
  ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  for (int64_t r = 0; r < batch->rows; r++)
    ((float *)to.data)[r] = (float)predict(row_at(features, r), weights.data, weights.count - 1);
  return ADL_OK;
}

static adl_status learn(const adl_call *call, const void *instance, adl_model *model, const adl_batch *batch,
                        adl_out *out) {
  const online *self = instance;
  const adl_column *features = batch->slots[self->features.slot], *label = batch->slots[self->label.slot];
  double *weights = weights_of(call, self, model->tensors);
  int64_t width = self->features.type.width;
  adl_buffers to = {0};
  if (out != NULL) ADL_TRY(call->host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  for (int64_t r = 0; r < batch->rows; r++) {
    row_of row = row_at(features, r);
    double y = adl_number_at(label, r), p = predict(row, weights, width);
    if (out != NULL) ((float *)to.data)[r] = (float)p;
    if (y != 0 && y != 1) {
      call->host->reject(call, r, "label", "is %g; labels are 0 and 1", y);
      continue;
    }
    for (int64_t k = 0; k < row.count; k++)
      weights[row.index == NULL ? k : row.index[k]] += self->rate * (y - p) * (double)row.value[k];
    weights[width] += self->rate * (y - p);
  }
  return ADL_OK;
}

static const adl_class online_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "sketch.online",
    .title = "Logistic regression, a row at a time",
    .doc = "Stochastic gradient descent on the logarithmic loss, without regularisation.",
    .instance_size = sizeof(online),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .init = init,
    .process = process,
    .learn = learn,
};
ADL_PLUGIN_OF("sketch.online", "1.0.0", "optimize:sketch.online", &online_class);
