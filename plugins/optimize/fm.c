/* fm: factorisation machine of second order (Rendle, "Factorization Machines", ICDM 2010), learned by AdaGrad. This file
 * holds its parameters, its rows, and its two kernels; how rows are learned in parallel stands in common/factor_blocks,
 * the rest in common/factor_fit. */
#include <adloom/plugin.h>

#include <string.h>

#include "common/factor_fit.h"
#include "common/factor_lanes.h"
#include "common/matrix_rows.h"

#define ADL_FACTOR_EPOCHS "10"
#define ADL_FACTOR_BLOCK "64"

typedef struct fm {
  adl_factor_settings common;
  adl_input features;
} fm;

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(fm, features),
     .doc = "What the prediction is made of: numeric, vector and sparse columns, put side by side."},
    {.name = "factors",
     .type = ADL_PARAM_INT,
     .offset = offsetof(fm, common.factors),
     .default_value = "8",
     .range = "[1, 256]",
     .doc = "How many factors a dimension has. Work and memory grow with them, in steps of 4; up to one thread for "
            "every 4 of them can learn at a time."},
    {.name = "learning_rate",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(fm, common.learning_rate),
     .default_value = "0.1",
     .range = "(0, 100]",
     .doc = "Size of the first steps. Each coordinate's rate falls with its own squared gradients."},
    {.name = "l2",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(fm, common.l2),
     .default_value = "0.00002",
     .range = "[0, inf)",
     .doc = "Pulls weights and factors towards 0: those of a row's own dimensions, each time a row is learned."},
    ADL_FACTOR_PARAMS,
};

/* ---- kernels ---- */

/*
 * A shard has four factors of every dimension, in memory of its own, so that no two cores ever write to one cache line,
 * and the linear weights of one range of dimensions. What all shards share of a row is one number, its margin:
 * w x + 1/2 sum over factors f of (sum_i v_if x_i)^2 - sum_i (v_if x_i)^2, Rendle's equation 5.
 */
enum { PREFETCH_ROWS = 4 };

typedef struct shard {
  float *quads, *linear;
  int64_t lanes;
  uint32_t first, last; /* dimensions whose linear weights are its own: first .. last - 1 */
} shard;

ADL_FACTOR_INLINE shard shard_of(const adl_factor_model *model, int32_t number) {
  return (shard){.quads = model->factors + number * model->width * ADL_QUAD_FLOATS,
                 .linear = model->linear,
                 .lanes = model->count - number * (int64_t)ADL_QUAD,
                 .first = (uint32_t)(model->width * number / model->shards),
                 .last = (uint32_t)(model->width * (number + 1) / model->shards)};
}

ADL_FACTOR_INLINE void prefetch(const shard *own, const adl_factor_row *row) {
  for (int32_t i = 0; i < row->count; i++) {
    __builtin_prefetch(own->quads + (size_t)row->index[i] * ADL_QUAD_FLOATS, 1);
    if (row->index[i] - own->first < own->last - own->first)
      __builtin_prefetch(own->linear + 2 * (size_t)row->index[i], 1);
  }
}

/* Entries i and i + 1 of a row; behind the last one comes a quad of zeros with the value 0. */
typedef struct pair {
  float *a, *b;
  adl_float8 x;
} pair;

ADL_FACTOR_INLINE pair pair_at(const shard *own, const adl_factor_row *row, int32_t i, float *none) {
  pair at = {.a = own->quads + (size_t)row->index[i] * ADL_QUAD_FLOATS, .b = none};
  float second = 0;
  if (i + 1 < row->count) {
    at.b = own->quads + (size_t)row->index[i + 1] * ADL_QUAD_FLOATS;
    second = row->value[i + 1];
  }
  at.x = adl_each4(row->value[i] * row->scale, second * row->scale);
  return at;
}

/* The entries of a row that lie in the range: indices rise. */
ADL_FACTOR_INLINE void range_of(const shard *own, const adl_factor_row *row, int32_t *from, int32_t *to) {
  *from = 0;
  while (*from < row->count && row->index[*from] < own->first) ++*from;
  *to = *from;
  while (*to < row->count && row->index[*to] < own->last) ++*to;
}

ADL_FACTOR_INLINE float margin_of(const shard *own, const adl_factor_row *row) {
  float none[ADL_QUAD_FLOATS] = {0}, linear = 0;
  adl_float8 sum = {0}, squares = {0};
  int32_t from, to;
  for (int32_t i = 0; i < row->count; i += 2) {
    pair at = pair_at(own, row, i, none);
    adl_float8 weights, sums;
    adl_quads_load(at.a, at.b, &weights, &sums);
    adl_float8 product = weights * at.x;
    sum += product;
    squares += product * product;
  }
  adl_float4 total = adl_halves(&sum);
  range_of(own, row, &from, &to);
  for (int32_t i = from; i < to; i++) linear += own->linear[2 * (size_t)row->index[i]] * (row->value[i] * row->scale);
  return linear + 0.5f * adl_across4(total * total - adl_halves(&squares));
}

ADL_FACTOR_INLINE void margins_body(const adl_factor_model *model, int32_t number, const adl_factor_row *rows,
                                    int64_t count, float *partial) {
  shard own = shard_of(model, number);
  for (int64_t row = 0; row < count && row < PREFETCH_ROWS; row++) prefetch(&own, &rows[row]);
  for (int64_t row = 0; row < count; row++) {
    if (row + PREFETCH_ROWS < count) prefetch(&own, &rows[row + PREFETCH_ROWS]);
    partial[row] += margin_of(&own, &rows[row]);
  }
}

static void draw(const adl_factor_model *model, const shard *own, float *quad) {
  uint64_t place = (uint64_t)(quad - model->factors) / ADL_QUAD_FLOATS;
  adl_quad_draw(quad, own->lanes, model->key, place, model->scale);
}

/* The sum over a row's entries, as the weights are now; those that are new are drawn first. */
ADL_FACTOR_INLINE adl_float8 sum_of(const adl_factor_model *model, const shard *own, const adl_factor_row *row) {
  float none[ADL_QUAD_FLOATS] = {[ADL_QUAD] = 1};
  adl_float8 sum = {0}, weights, sums;
  for (int32_t i = 0; i < row->count; i += 2) {
    pair at = pair_at(own, row, i, none);
    if (adl_quad_is_new(at.a)) draw(model, own, at.a);
    if (adl_quad_is_new(at.b)) draw(model, own, at.b);
    adl_quads_load(at.a, at.b, &weights, &sums);
    sum += weights * at.x;
  }
  adl_float4 total = adl_halves(&sum);
  return __builtin_shufflevector(total, total, 0, 1, 2, 3, 0, 1, 2, 3);
}

/* d margin / d v_if = x_i (sum_j v_jf x_j - v_if x_i), d margin / d w_i = x_i. */
ADL_FACTOR_INLINE void update_row(const adl_factor_model *model, const shard *own, const adl_factor_row *row,
                                  float slope) {
  float none[ADL_QUAD_FLOATS] = {[ADL_QUAD] = 1};
  adl_float8 sum = sum_of(model, own, row), weights, sums;
  int32_t from, to;
  for (int32_t i = 0; i < row->count; i += 2) {
    pair at = pair_at(own, row, i, none);
    adl_quads_load(at.a, at.b, &weights, &sums);
    adl_float8 gradient = slope * at.x * (sum - weights * at.x) + model->l2 * weights;
    adl_adagrad8(&weights, &sums, &gradient, model->rate);
    adl_quads_store(at.a, at.b, &weights, &sums);
  }
  range_of(own, row, &from, &to);
  for (int32_t i = from; i < to; i++) {
    float *at = own->linear + 2 * (size_t)row->index[i];
    adl_adagrad_linear(at, slope * (row->value[i] * row->scale) + model->l2 * at[0], model->rate);
  }
}

ADL_FACTOR_INLINE void update_body(const adl_factor_model *model, int32_t number, const adl_factor_row *rows,
                                   int64_t count, const float *slope) {
  shard own = shard_of(model, number);
  for (int64_t row = 0; row < count; row++) update_row(model, &own, &rows[row], slope[row]);
}

ADL_FACTOR_STEPS

/* ---- rows ---- */

static adl_factor_size size_of(const void *instance) {
  const fm *self = instance;
  int64_t shards = (self->common.factors + ADL_QUAD - 1) / ADL_QUAD;
  return (adl_factor_size){self->features.type.width, shards, self->features.type.width, (int32_t)shards};
}

/* A dense row without its zeros, behind the rows before it. */
static void compact(const adl_column *features, int64_t row, uint32_t *index, float *value, adl_factor_row *into) {
  adl_matrix_row at = adl_matrix_row_at(features, row);
  into->index = index;
  into->value = value;
  for (int64_t i = 0; i < at.count; i++) {
    if (at.value[i] == 0) continue;
    index[into->count] = (uint32_t)i;
    value[into->count++] = at.value[i];
  }
}

static adl_status read_rows(const adl_call *call, const void *instance, const adl_batch *batch, bool *wanted,
                            adl_factor_row *rows) {
  const fm *self = instance;
  const adl_column *features = batch->slots[self->features.slot];
  bool sparse = features->type.shape == ADL_SPARSE;
  size_t cells = sparse ? 0 : (size_t)batch->rows * (size_t)features->type.width;
  uint32_t *index = call->host->alloc(call, (cells + 1) * sizeof *index);
  float *value = call->host->alloc(call, (cells + 1) * sizeof *value);
  for (int64_t row = 0; row < batch->rows; row++) {
    rows[row] = (adl_factor_row){.scale = 1};
    if (wanted != NULL && !wanted[row]) continue;
    double squares = 0;
    if (sparse) {
      adl_matrix_row at = adl_matrix_row_at(features, row);
      rows[row].index = at.index;
      rows[row].value = at.value;
      rows[row].count = (int32_t)at.count;
    } else {
      compact(features, row, index + row * features->type.width, value + row * features->type.width, &rows[row]);
    }
    for (int32_t i = 0; i < rows[row].count; i++) squares += (double)rows[row].value[i] * (double)rows[row].value[i];
    if (adl_factor_scale(call, &self->common, row, "features", squares, &rows[row].scale)) continue;
    rows[row].count = 0;
    if (wanted != NULL) wanted[row] = false;
  }
  return ADL_OK;
}

static const adl_factor_class fm_factors = {
    .steps = {margins, update, 0}, .size = size_of, .input = "features", .rows = read_rows};

/* ---- class functions ---- */

static adl_status bind(const adl_call *call, void *instance) { return adl_factor_bind(call, instance); }

static adl_status start(const adl_call *call, void *instance) {
  const fm *self = instance;
  if (self->features.type.width < 1)
    return call->host->fail(call, "features", -1, "Check the vocabulary of the stage that makes them",
                            "the features have no dimensions, so there is nothing to learn from");
  if (self->features.type.width > INT64_C(1) << 31)
    return call->host->fail(call, "features", -1, "Hash them to fewer bits",
                            "%lld dimensions are more than the 2^31 that fm can hold",
                            (long long)self->features.type.width);
  return ADL_OK;
}

ADL_FACTOR_FUNCTIONS(fm_factors)

static const char doc[] =
    "Predicts a click, or a number, from features and from all pairs of them: each dimension has a weight and a few "
    "factors, and what two dimensions mean together is the product of their factors. So it has something to say of a "
    "pair "
    "that no row has shown yet, from what each of the two has been seen with.\n"
    "\n"
    "`fit` makes up to `epochs` passes over the training rows, in order, and stops when the loss of the held-back rows "
    "no longer falls; the weights of the best pass are kept. Such models soon learn single rows by heart, so leave "
    "`holdback` on. With `learn: online` it goes along with the stream and predicts each row before learning from it. "
    "A "
    "`model` to start from is continued. Where every column of a log is a category of its own, ffm may predict better "
    "and "
    "is many times larger.\n"
    "\n"
    "Source: Rendle, Factorization Machines, ICDM 2010, equation 5, which sums all pairs of a row in one pass over its "
    "entries. Steps are AdaGrad's, one rate for each weight and factor, with summed squares that begin at 1; what is "
    "minimised is the loss (logistic, or half the squared error) plus l2 / 2 times the squared weights and factors "
    "that "
    "the row uses. Factors begin at random numbers on both sides of 0; a dimension that no row has taught counts "
    "nothing "
    "in a prediction.\n"
    "\n"
    "Rows are predicted in blocks (`block`) and learned one after the other; factors are dealt to threads four at a "
    "time, "
    "so `factors: 8` keeps two of them busy. The model is the same, bit for bit, for any number of threads, and with "
    "and "
    "without vector instructions.\n"
    "\n"
    "A dimension takes 8 bytes and 8 for each factor: 288 MiB for 2^22 dimensions and 8 factors; memory that is never "
    "touched is never claimed. Scores are float32 and lie within 1e-6 of the exact ones.\n"
    "\n"
    "Features that are null, NaN or infinite are rejected with their row, and so are training rows whose label is not "
    "in "
    "[0, 1] (squared loss: not finite), and, without `normalise`, rows whose squared values sum to more than 1e12. A "
    "row "
    "without any entry is predicted by the constant. Without any training row the run stops. When all labels are the "
    "same "
    "a warning is given.";

static const adl_class fm_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "fm",
    .title = "Factorisation machine",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(fm),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .start = start,
    .init = init,
    .fit = fit,
    .prepare = prepare,
    .process = process,
    .learn = learn,
    .report = report,
};

ADL_PLUGIN_OF("fm", "1.0.0", "optimize:fm", &fm_class);
