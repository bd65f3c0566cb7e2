/* ffm: field-aware factorisation machine (Juan, Zhuang, Chin & Lin, "Field-aware Factorization Machines for CTR
 * Prediction", RecSys 2016), learned by AdaGrad. This file holds its parameters and its two kernels; its rows are made in
 * common/field_rows, how they are learned in parallel stands in common/factor_blocks, the rest in common/factor_fit. */
#include <adloom/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "common/factor_fit.h"
#include "common/factor_lanes.h"
#include "common/field_rows.h"

#define ADL_FACTOR_EPOCHS "10"
#define ADL_FACTOR_BLOCK "64"

typedef struct ffm {
  adl_factor_settings common;
  adl_field_settings fields;
} ffm;

static const adl_param params[] = {
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(ffm, fields.columns),
     .shapes = ADL_ANY_SHAPE,
     .doc =
         "The fields: each column is one, of any type but timestamps. Categories and numbers are one entry of a row, "
         "lists, bags, vectors and sparse vectors as many as they have items. Nulls give no entry."},
    {.name = "bits",
     .type = ADL_PARAM_INT,
     .offset = offsetof(ffm, fields.bits),
     .default_value = "18",
     .range = "[2, 28]",
     .doc = "Values are hashed to 2^bits dimensions. Each that is seen takes 32 bytes for every field and 4 factors."},
    {.name = "numbers",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(ffm, fields.numbers),
     .default_value = "bins",
     .choices = "bins|value",
     .doc = "bins: a number is a category, that of its sign, its power of two and the quarter of that (1, 1.25, 1.5, "
            "1.75, 2, 2.5, 3, 3.5, 4, 5 ... begin bins; so does 0), which suits counts and prices of any size. value: "
            "it is the value of the one dimension of its column, and 0 gives no entry; scale it first."},
    {.name = "factors",
     .type = ADL_PARAM_INT,
     .offset = offsetof(ffm, common.factors),
     .default_value = "4",
     .range = "[1, 64]",
     .doc = "How many factors a dimension has for each field. Work and memory grow with them, in steps of 4."},
    {.name = "learning_rate",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(ffm, common.learning_rate),
     .default_value = "0.2",
     .range = "(0, 100]",
     .doc = "Size of the first steps. Each coordinate's rate falls with its own squared gradients."},
    {.name = "l2",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(ffm, common.l2),
     .default_value = "0.00002",
     .range = "[0, inf)",
     .doc = "Pulls weights and factors towards 0: those that a row uses, each time a row is learned."},
    ADL_FACTOR_PARAMS,
};

/* ---- kernels ---- */

/*
 * Fields are dealt to four classes, field mod 4; a dimension belongs to the class of its field (common/field_rows sees to
 * that). The pairs of a row whose classes sum to s, mod 4, are the work of shard s: all that a pair touches are the factors
 * of either entry for the other's field, so no coordinate belongs to two shards. In memory a dimension's factors lie by
 * the class of the other field, each shard's in one run; a slot is the place of a field in its class.
 */
enum { CLASSES = ADL_FIELD_CLASSES };

typedef struct shard {
  float *factors, *linear;
  int64_t slot, run, record; /* floats of a slot, of a class's slots, of a dimension */
  int32_t number, quads;     /* quads of a slot */
} shard;

ADL_FACTOR_INLINE shard shard_of(const adl_factor_model *model, int32_t number) {
  int64_t quads = (model->count + ADL_QUAD - 1) / ADL_QUAD, record = model->quads / model->width * ADL_QUAD_FLOATS;
  return (shard){.factors = model->factors,
                 .linear = model->linear,
                 .slot = quads * ADL_QUAD_FLOATS,
                 .run = record / CLASSES,
                 .record = record,
                 .number = number,
                 .quads = (int32_t)quads};
}

/* The run of entry i, of class `class`, that the shard owns. */
ADL_FACTOR_INLINE float *run_of(const shard *own, const adl_factor_row *row, int32_t i, int32_t class) {
  int32_t other = (own->number - class) & (CLASSES - 1);
  return own->factors + (int64_t)row->index[i] * own->record + other * own->run;
}

ADL_FACTOR_INLINE void prefetch(const shard *own, const adl_factor_row *row) {
  if (row->count == 0) return;
  for (int32_t class = 0; class < CLASSES; class ++)
    for (int32_t i = row->starts[class]; i < row->starts[class + 1]; i++) {
      const float *run = run_of(own, row, i, class);
      for (int64_t at = 0; at < own->run; at += 16) __builtin_prefetch(run + at, 1);
    }
  for (int32_t i = row->starts[own->number]; i < row->starts[own->number + 1]; i++)
    __builtin_prefetch(own->linear + 2 * (int64_t)row->index[i], 1);
}

ADL_FACTOR_INLINE float margin_of(const shard *own, const adl_factor_row *row) {
  adl_float4 sum = {0};
  float linear = 0;
  for (int32_t first = 0; first < CLASSES; first++) {
    int32_t second = (own->number - first) & (CLASSES - 1);
    if (second < first) continue;
    for (int32_t i = row->starts[first]; i < row->starts[first + 1]; i++) {
      const float *run = run_of(own, row, i, first);
      float x = row->value[i] * row->scale;
      for (int32_t j = first == second ? i + 1 : row->starts[second]; j < row->starts[second + 1]; j++) {
        const float *a = run + row->slot[j] * own->slot, *b = run_of(own, row, j, second) + row->slot[i] * own->slot;
        float product = x * (row->value[j] * row->scale);
        for (int32_t q = 0; q < own->quads; q++, a += ADL_QUAD_FLOATS, b += ADL_QUAD_FLOATS)
          sum += adl_load4(a) * adl_load4(b) * product;
      }
    }
  }
  for (int32_t i = row->starts[own->number]; i < row->starts[own->number + 1]; i++)
    linear += own->linear[2 * (int64_t)row->index[i]] * (row->value[i] * row->scale);
  return linear + adl_across4(sum);
}

ADL_FACTOR_INLINE void margins_body(const adl_factor_model *model, int32_t number, const adl_factor_row *rows,
                                    int64_t count, float *partial) {
  shard own = shard_of(model, number);
  if (count > 0) prefetch(&own, &rows[0]);
  for (int64_t row = 0; row < count; row++) {
    if (row + 1 < count) prefetch(&own, &rows[row + 1]);
    if (rows[row].count > 0) partial[row] += margin_of(&own, &rows[row]);
  }
}

/* Dimensions that no row has touched are drawn before their first update, the shard's run of them. */
ADL_FACTOR_INLINE void draw_new(const adl_factor_model *model, const shard *own, const adl_factor_row *row) {
  for (int32_t class = 0; class < CLASSES; class ++)
    for (int32_t i = row->starts[class]; i < row->starts[class + 1]; i++) {
      float *run = run_of(own, row, i, class);
      if (!adl_quad_is_new(run)) continue;
      for (int64_t at = 0; at < own->run; at += ADL_QUAD_FLOATS) {
        int64_t lanes = model->count - at % own->slot / ADL_QUAD_FLOATS * ADL_QUAD;
        uint64_t place = (uint64_t)(run + at - model->factors) / ADL_QUAD_FLOATS;
        adl_quad_draw(run + at, lanes, model->key, place, model->scale);
      }
    }
}

/* d margin / d v_{i,field of j} = v_{j,field of i} x_i x_j, and the other way round. */
ADL_FACTOR_INLINE void update_pair(const adl_factor_model *model, const shard *own, float *a, float *b, float slope) {
  for (int32_t q = 0; q < own->quads; q++, a += ADL_QUAD_FLOATS, b += ADL_QUAD_FLOATS) {
    adl_float8 weights, sums;
    adl_quads_load(a, b, &weights, &sums);
    adl_float8 others = __builtin_shufflevector(weights, weights, 4, 5, 6, 7, 0, 1, 2, 3);
    adl_float8 gradient = slope * others + model->l2 * weights;
    adl_adagrad8(&weights, &sums, &gradient, model->rate);
    adl_quads_store(a, b, &weights, &sums);
  }
}

ADL_FACTOR_INLINE void update_row(const adl_factor_model *model, const shard *own, const adl_factor_row *row,
                                  float slope) {
  draw_new(model, own, row);
  for (int32_t first = 0; first < CLASSES; first++) {
    int32_t second = (own->number - first) & (CLASSES - 1);
    if (second < first) continue;
    for (int32_t i = row->starts[first]; i < row->starts[first + 1]; i++) {
      float *run = run_of(own, row, i, first), x = slope * (row->value[i] * row->scale);
      for (int32_t j = first == second ? i + 1 : row->starts[second]; j < row->starts[second + 1]; j++)
        update_pair(model, own, run + row->slot[j] * own->slot, run_of(own, row, j, second) + row->slot[i] * own->slot,
                    x * (row->value[j] * row->scale));
    }
  }
  for (int32_t i = row->starts[own->number]; i < row->starts[own->number + 1]; i++) {
    float *at = own->linear + 2 * (int64_t)row->index[i];
    adl_adagrad_linear(at, slope * (row->value[i] * row->scale) + model->l2 * at[0], model->rate);
  }
}

ADL_FACTOR_INLINE void update_body(const adl_factor_model *model, int32_t number, const adl_factor_row *rows,
                                   int64_t count, const float *slope) {
  shard own = shard_of(model, number);
  if (count > 0) prefetch(&own, &rows[0]);
  for (int64_t row = 0; row < count; row++) {
    if (row + 1 < count) prefetch(&own, &rows[row + 1]);
    if (rows[row].count > 0) update_row(model, &own, &rows[row], slope[row]);
  }
}

ADL_FACTOR_STEPS

/* ---- class functions ---- */

static adl_factor_size size_of(const void *instance) {
  const ffm *self = instance;
  int64_t width = INT64_C(1) << self->fields.bits, quads = (self->common.factors + ADL_QUAD - 1) / ADL_QUAD;
  int64_t slots = (self->fields.columns.count + CLASSES - 1) / CLASSES;
  return (adl_factor_size){width, width, CLASSES * slots * quads, CLASSES};
}

static adl_status read_rows(const adl_call *call, const void *instance, const adl_batch *batch, bool *wanted,
                            adl_factor_row *rows) {
  const ffm *self = instance;
  return adl_field_rows(call, &self->common, &self->fields, batch, wanted, rows);
}

static const adl_factor_class ffm_factors = {
    .steps = {margins, update, CLASSES}, .size = size_of, .input = "bits", .rows = read_rows};

static adl_status bind(const adl_call *call, void *instance) {
  ffm *self = instance;
  ADL_TRY(adl_field_bind(call, &self->fields));
  return adl_factor_bind(call, &self->common);
}

static void destroy(void *instance) { free(((ffm *)instance)->fields.order); }

ADL_FACTOR_FUNCTIONS(ffm_factors)

static const char doc[] =
    "Predicts a click, or a number, from columns and all pairs of their values, as fm does; but a value has factors of "
    "its own for each other column it meets. Better than fm where columns are many and mean different things, as in a "
    "click log, and as many times larger as there are columns.\n"
    "\n"
    "Give it the columns themselves: each is a field, and values are hashed inside. Categories are strings and ids; "
    "whether an integer or a bool is one or a number is what its producer says: the bools of read-csv are numbers.\n"
    "\n"
    "`fit` makes up to `epochs` passes over the training rows, in order, and stops when the loss of the held-back rows "
    "no longer falls; the weights of the best pass are kept. Such models soon learn single rows by heart, so leave "
    "`holdback` on. With `learn: online` it goes along with the stream and predicts each row before learning from it. "
    "A `model` to start from is continued.\n"
    "\n"
    "Source: Juan, Zhuang, Chin & Lin, Field-aware Factorization Machines for CTR Prediction, RecSys 2016, with the "
    "defaults of their libffm for learning_rate, l2, factors and normalise. It departs from it thus: a constant and a "
    "linear weight of each dimension are learned besides; factors begin at random numbers on both sides of 0; a "
    "dimension that no row has taught counts nothing in a prediction. Pairs within one field (of a list or a bag) "
    "count, as there. Steps are AdaGrad's, with summed squares that begin at 1; what is minimised is the loss "
    "(logistic, or half the squared error) plus l2 / 2 times the squared weights that the row uses, counted once for "
    "each pair.\n"
    "\n"
    "The hash is MurmurHash3 (x86, 32 bits), seeded by the hash of the column's name, as in the hash stage; its last "
    "two bits are replaced by the number of the field, modulo 4, so that fields of different remainders never share a "
    "dimension. Rows are predicted in blocks (`block`) and learned one after the other; the pairs of columns are dealt "
    "to four threads. The model is the same, bit for bit, for any number of threads, and with and without vector "
    "instructions.\n"
    "\n"
    "A dimension takes 8 bytes, and 32 for each field and 4 factors: 320 MiB for 2^18 dimensions, 39 fields and 4 "
    "factors; memory that is never touched is never claimed. Scores are float32 and lie within 1e-6 of the exact "
    "ones.\n"
    "\n"
    "A null gives no entry; numbers that are NaN or infinite are rejected with their row, and so are training rows "
    "whose label is not in [0, 1] (squared loss: not finite), and, without `normalise`, rows whose squared values sum "
    "to more than 1e12. A row without any entry is predicted by the constant. Without any training row the run stops. "
    "When all labels are the same a warning is given.";

static const adl_class ffm_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "ffm",
    .title = "Field-aware factorisation machine",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(ffm),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .init = init,
    .fit = fit,
    .prepare = prepare,
    .process = process,
    .learn = learn,
    .report = report,
};

ADL_PLUGIN_OF("ffm", "1.0.0", "optimize:ffm", &ffm_class);
