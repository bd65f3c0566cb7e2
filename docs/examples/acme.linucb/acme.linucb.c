/*
 * acme.linucb, an optimizer that learns row by row: linear regression on what was earned, and how sure it is of that.
 * Ads of which little is known get a bonus, so that `choose` tries them: LinUCB with one model for all ads (Li, Chu,
 * Langford, Schapire: A contextual-bandit approach to personalized news article recommendation, WWW 2010, section 3).
 */
#include <adloom/plugin.h>

#include <math.h>
#include <stdlib.h>

typedef struct linucb_stage {
  adl_input features, reward;
  double alpha, ridge;
  adl_output as, mean, bonus;
} linucb_stage;

static const adl_param params[] = {
    {.name = "features", .type = ADL_PARAM_MATRIX, .flags = ADL_REQUIRED, .offset = offsetof(linucb_stage, features),
     .shapes = ADL_MASK(ADL_VECTOR), .doc = "Columns that tell about user and ad, on a common scale; a few dozen at most."},
    {.name = "reward", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED | ADL_LEARN_ONLY,
     .offset = offsetof(linucb_stage, reward), .elements = ADL_ANY_NUMERIC,
     .doc = "What the row earned: a click (0 or 1), or money."},
    {.name = "alpha", .type = ADL_PARAM_FLOAT, .offset = offsetof(linucb_stage, alpha), .default_value = "1",
     .range = "[0, 1000]", .doc = "Weight of the bonus, in standard errors; 0 never explores."},
    {.name = "ridge", .type = ADL_PARAM_FLOAT, .offset = offsetof(linucb_stage, ridge), .default_value = "1",
     .range = "[1e-6, 1e6]", .doc = "Pulls weights towards 0 while there are few rows."},
    {.name = "as", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(linucb_stage, as),
     .default_value = "score", .doc = "New column: expected reward plus bonus (float64)."},
    {.name = "mean", .type = ADL_PARAM_NEW_COLUMN, .offset = offsetof(linucb_stage, mean),
     .doc = "New column: expected reward alone (float64)."},
    {.name = "bonus", .type = ADL_PARAM_NEW_COLUMN, .offset = offsetof(linucb_stage, bonus),
     .doc = "New column: the bonus alone (float64)."}};

static adl_status bind(const adl_call *call, void *self) {
  linucb_stage *own = self;
  const adl_type real = {.element = ADL_FLOAT64};
  ADL_TRY(call->host->declare(call, &own->as, real));
  ADL_TRY(call->host->declare(call, &own->mean, real));
  return call->host->declare(call, &own->bonus, real);
}

/* ---- the model: of n features and a constant, the inverse of A (n + 1 squared), and b ---- */

typedef struct knowledge {
  int64_t size;
  double *inverse, *moment;
} knowledge;

static knowledge knowledge_of(const adl_call *call, const linucb_stage *own, adl_tensors *tensors) {
  const int64_t size[] = {own->features.type.width + 1, own->features.type.width + 1};
  return (knowledge){size[0], call->host->tensor(call, tensors, "inverse", ADL_FLOAT64, 2, size),
                     call->host->tensor(call, tensors, "moment", ADL_FLOAT64, 1, size)};
}

static adl_status init(const adl_call *call, const void *self, adl_model *model) {
  knowledge known = knowledge_of(call, self, model->tensors);
  for (int64_t k = 0; k < known.size; k++) known.inverse[k * known.size + k] = 1 / ((const linucb_stage *)self)->ridge;
  return ADL_OK;
}

/* to = inverse * x */
static void multiply(const knowledge *known, const double *x, double *to) {
  for (int64_t i = 0; i < known->size; i++) {
    to[i] = 0;
    for (int64_t k = 0; k < known->size; k++) to[i] += known->inverse[i * known->size + k] * x[k];
  }
}

static double product(const double *a, const double *b, int64_t size) {
  double sum = 0;
  for (int64_t k = 0; k < size; k++) sum += a[k] * b[k];
  return sum;
}

/* Made once for each model, fitted or loaded: the weights. The instance is const: another model may be made ready while
 * requests are answered with this one. What is malloc'ed here, release frees. */
static adl_status prepare(const adl_call *call, const void *self, const adl_model *model, void **prepared) {
  const int64_t size = ((const linucb_stage *)self)->features.type.width + 1;
  adl_tensor inverse, moment;
  if (!call->host->find_tensor(call, model->tensors, "inverse", &inverse) || inverse.count != size * size ||
      inverse.element != ADL_FLOAT64 || !call->host->find_tensor(call, model->tensors, "moment", &moment) ||
      moment.count != size || moment.element != ADL_FLOAT64)
    return call->host->fail(call, "features", -1, "learn again", "the model is not one of these features");
  double *weights = malloc((size_t)size * sizeof *weights);
  if (weights == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  multiply(&(knowledge){size, inverse.data, NULL}, moment.data, weights);
  *prepared = weights;
  return ADL_OK;
}

static void release(const void *self, void *prepared) {
  (void)self;
  free(prepared);
}

/* ---- rows ---- */

typedef struct columns {
  adl_buffers as, mean, bonus;
} columns;

static adl_status reserve(const adl_call *call, const linucb_stage *own, adl_out *out, int64_t rows, columns *to) {
  ADL_TRY(call->host->reserve(call, out, own->as.slot, rows, 0, 0, &to->as));
  if (own->mean.slot >= 0) ADL_TRY(call->host->reserve(call, out, own->mean.slot, rows, 0, 0, &to->mean));
  if (own->bonus.slot >= 0) ADL_TRY(call->host->reserve(call, out, own->bonus.slot, rows, 0, 0, &to->bonus));
  return ADL_OK;
}

/* `variance` is x' * inverse * x: that of the mean, in units of the noise's. */
static void write_row(const linucb_stage *own, const columns *to, int64_t row, double mean, double variance) {
  double bonus = own->alpha * sqrt(fmax(0, variance));
  ((double *)to->as.data)[row] = mean + bonus;
  if (to->mean.data != NULL) ((double *)to->mean.data)[row] = mean;
  if (to->bonus.data != NULL) ((double *)to->bonus.data)[row] = bonus;
}

static void take_row(const linucb_stage *own, const adl_batch *batch, int64_t row, double *x) {
  int64_t width = own->features.type.width;
  const float *data = (const float *)batch->slots[own->features.slot]->data + row * width;
  for (int64_t k = 0; k < width; k++) x[k] = (double)data[k];
  x[width] = 1;
}

/* On many threads; each row alone, in a fixed order of additions, which ADL_EXACT_ROWS promises. */
static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const linucb_stage *own = self;
  const double *weights = model->prepared;
  const int64_t size = own->features.type.width + 1;
  adl_tensor inverse;
  columns to = {0};
  double *x = call->host->alloc(call, (size_t)size * 2 * sizeof *x), *direction = x + size;
  if (!call->host->find_tensor(call, model->tensors, "inverse", &inverse))
    return call->host->fail(call, NULL, -1, "learn again", "the model is not complete");
  const knowledge known = {size, inverse.data, NULL};
  ADL_TRY(reserve(call, own, out, batch->rows, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    take_row(own, batch, row, x);
    multiply(&known, x, direction);
    write_row(own, &to, row, product(weights, x, size), product(direction, x, size));
  }
  return ADL_OK;
}

/* One call at a time, in row order: the score first (`out` may be NULL), and then the row is learned from. The inverse of
 * A + x x' follows from that of A (Sherman and Morrison 1950). */
static adl_status learn(const adl_call *call, const void *self, adl_model *model, const adl_batch *batch, adl_out *out) {
  const linucb_stage *own = self;
  knowledge known = knowledge_of(call, own, model->tensors);
  const int64_t size = known.size;
  columns to = {0};
  double *x = call->host->alloc(call, (size_t)size * 2 * sizeof *x), *direction = x + size;
  if (out != NULL) ADL_TRY(reserve(call, own, out, batch->rows, &to));
  for (int64_t row = 0; row < batch->rows; row++) {
    take_row(own, batch, row, x);
    multiply(&known, x, direction);
    double variance = fmax(0, product(direction, x, size));
    if (out != NULL) write_row(own, &to, row, product(direction, known.moment, size), variance);
    for (int64_t i = 0; i < size; i++)
      for (int64_t k = 0; k < size; k++) known.inverse[i * size + k] -= direction[i] * direction[k] / (1 + variance);
    double reward = adl_number_at(batch->slots[own->reward.slot], row);
    for (int64_t k = 0; k < size; k++) known.moment[k] += reward * x[k];
  }
  return ADL_OK;
}

static const adl_class linucb_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_OPTIMIZE, .id = "acme.linucb",
    .title = "Expected reward, and a bonus for what is not known",
    .doc = "LinUCB with one linear model for all ads (Li, Chu, Langford, Schapire 2010): the score is the expected reward "
           "plus alpha times its standard error. Put `choose` behind it.\n\n"
           "Features should be of similar size: put scale before it. A row takes time and the model memory by the square "
           "of the number of features. Rows with a null are refused.",
    .flags = ADL_EXACT_ROWS, .instance_size = sizeof(linucb_stage), .state_version = 1, ADL_PARAMS(params),
    .bind = bind, .init = init, .prepare = prepare, .release = release, .process = process, .learn = learn};
ADL_PLUGIN_BY("acme.linucb", "1.0.0", "MIT", "Acme <plugins@acme.example>", "https://acme.example/linucb",
              "optimize:acme.linucb", &linucb_class);
