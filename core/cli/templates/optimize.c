/*
 * acme.template, an optimizer that learns row by row: logistic regression by one step of gradient descent a row.
 * To read: what users may say (params), what the model begins with (init), what rows get of it (process), how it learns
 * (learn), and the class. <adloom/plugin.h> tells more of every name here; `make check` tests it.
 */
#include <adloom/plugin.h>

#include <math.h>

/* The instance: the core fills in the parameters, at the offsets that the table below says. */
typedef struct template_stage {
  adl_input features, label;
  double rate;
  adl_output as;
} template_stage;

/* What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table. */
static const adl_param params[] = {
    {.name = "features", .type = ADL_PARAM_MATRIX, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, features),
     .shapes = ADL_MASK(ADL_VECTOR), .doc = "Columns to predict from: they arrive side by side, as one vector."},
    {.name = "label", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED | ADL_LEARN_ONLY, /* not needed to predict */
     .offset = offsetof(template_stage, label), .elements = ADL_ANY_NUMERIC, .doc = "What to predict: 0 or 1."},
    {.name = "rate", .type = ADL_PARAM_FLOAT, .offset = offsetof(template_stage, rate), .default_value = "0.1",
     .range = "(0, 10]", .doc = "Length of a step of gradient descent."},
    {.name = "as", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(template_stage, as),
     .default_value = "score", .doc = "New column: probability that the label is 1 (float32)."}};

/* Before any row moves: types of inputs are known (call->host->fail refuses them), and new columns are declared. */
static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((template_stage *)self)->as, (adl_type){.element = ADL_FLOAT32});
}

/* The model: a weight for each feature, and one that stands alone. The core saves, loads and hashes it. */
static double *weights_of(const adl_call *call, const template_stage *own, adl_tensors *tensors) {
  const int64_t size[] = {own->features.type.width + 1};
  return call->host->tensor(call, tensors, "weights", ADL_FLOAT64, 1, size); /* zeroed when it is new */
}

/* What learning begins with. */
static adl_status init(const adl_call *call, const void *self, adl_model *model) {
  weights_of(call, self, model->tensors);
  return ADL_OK;
}

static double predict(const float *row, const double *weights, int64_t width) {
  double sum = weights[width];
  for (int64_t k = 0; k < width; k++) sum += weights[k] * (double)row[k];
  return 1 / (1 + exp(-sum));
}

/* Rows in, rows out, on many threads; the model does not change. */
static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const template_stage *own = self;
  const float *features = batch->slots[own->features.slot]->data;
  int64_t width = own->features.type.width;
  adl_tensor weights;
  adl_buffers to;
  if (!call->host->find_tensor(call, model->tensors, "weights", &weights) || weights.count != width + 1)
    return call->host->fail(call, "features", -1, "learn again", "the model is not one of these features");
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++)
    ((float *)to.data)[row] = (float)predict(features + row * width, weights.data, width);
  return ADL_OK;
}

/* One call at a time, in row order: gives out the prediction first (`out` may be NULL), and learns then. */
static adl_status learn(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch,
                        adl_out *out) {
  const template_stage *own = self;
  const float *features = batch->slots[own->features.slot]->data;
  double *weights = weights_of(call, own, model->tensors);
  int64_t width = own->features.type.width;
  adl_buffers to = {0};
  if (out != NULL) ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    const float *x = features + row * width;
    double label = adl_number_at(batch->slots[own->label.slot], row), score = predict(x, weights, width);
    if (out != NULL) ((float *)to.data)[row] = (float)score;
    if (label != 0 && label != 1) { /* a row that cannot be used is put aside, and the run goes on */
      call->host->reject(call, row, "label", "is %g; labels are 0 and 1", label);
      continue;
    }
    for (int64_t k = 0; k < width; k++) weights[k] += own->rate * (label - score) * (double)x[k];
    weights[width] += own->rate * (label - score);
  }
  return ADL_OK;
}

static const adl_class template_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_OPTIMIZE, .id = "acme.template",
    .title = "Logistic regression, a row at a time",
    .doc = "Stochastic gradient descent on the logarithmic loss, without regularisation.\n\n"
           "Features should be of similar size: put scale before it. Rows with a null feature are refused.",
    .instance_size = sizeof(template_stage), .state_version = 1, ADL_PARAMS(params),
    .bind = bind, .init = init, .process = process, .learn = learn};
ADL_PLUGIN_OF("acme.template", "0.1.0", "optimize:acme.template", &template_class);
