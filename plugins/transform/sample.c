/* sample: a share of the rows, drawn row by row or by the values of a key. Every row decides by a random number of its
 * own, which follows from the seed and its place in the stream, or from its key. */
#include <adloom/plugin.h>

#include "common/key.h"
#include "common/siphash.h"

enum { HELD_OUT_SAMPLE, HELD_OUT_KEEP };

typedef struct sample {
  double fraction;
  adl_inputs by;
  adl_input keep;
  adl_output weight;
  int32_t held_out;
  int64_t seed;
} sample;

/* The streams of random numbers: one for rows, and two halves of the hash's key. */
typedef struct streams {
  uint64_t rows, secret[2];
} streams;

static streams streams_of(const adl_call *call, const sample *self) {
  const adl_host *host = call->host;
  uint64_t seed = (uint64_t)self->seed;
  if (seed == 0)
    return (streams){host->random_key(call, "rows"), {host->random_key(call, "by 0"), host->random_key(call, "by 1")}};
  return (streams){adl_random(seed, 0), {adl_random(seed, 1), adl_random(seed, 2)}};
}

/* A row's number in [0, 1). */
static double draw(const sample *self, const streams *random, const adl_batch *batch, int64_t row, adl_key *key) {
  uint8_t hash[16];
  uint64_t word = 0;
  if (self->by.count == 0 || !adl_key_of_row(key, batch, &self->by, row))
    return adl_random_unit(random->rows, (uint64_t)(batch->ordinal + row));
  adl_siphash(key->data, (size_t)key->size, random->secret, hash);
  for (int i = 0; i < 8; i++) word = word << 8 | hash[i];
  return (double)(word >> 11) * (1.0 / 9007199254740992.0);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const sample *self = instance;
  const adl_column *keep = self->keep.slot >= 0 ? batch->slots[self->keep.slot] : NULL;
  const streams random = streams_of(call, self);
  int64_t *index = host->alloc(call, (size_t)batch->rows * sizeof *index), count = 0;
  float *weight = host->alloc(call, (size_t)batch->rows * sizeof *weight);
  adl_key key;
  adl_key_begin(&key, call);
  (void)model;
  for (int64_t row = 0; row < batch->rows; row++) {
    bool kept = (keep != NULL && !adl_is_null(keep, row) && adl_bit(keep->data, row)) ||
                (self->held_out == HELD_OUT_KEEP && host->row_split(call, row) != ADL_TRAIN);
    if (!kept && draw(self, &random, batch, row, &key) >= self->fraction) continue;
    weight[count] = kept ? 1 : (float)(1 / self->fraction);
    index[count++] = row;
  }
  ADL_TRY(host->pick(call, out, index, count));
  if (!host->wanted(call, self->weight.slot)) return ADL_OK;
  adl_buffers column;
  ADL_TRY(host->reserve(call, out, self->weight.slot, count, 0, 0, &column));
  if (count > 0) memcpy(column.data, weight, (size_t)count * sizeof *weight);
  return ADL_OK;
}

static adl_status bind(const adl_call *call, void *instance) {
  return call->host->declare(call, &((sample *)instance)->weight, (adl_type){.element = ADL_FLOAT32});
}

static const adl_param params[] = {
    {.name = "fraction",
     .type = ADL_PARAM_FLOAT,
     .flags = ADL_REQUIRED,
     .offset = offsetof(sample, fraction),
     .range = "[1e-6, 1]",
     .doc = "How probable it is that a row stays (with `by`: that the rows of a key stay)."},
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(sample, by),
     .doc = "Draw keys instead of rows: those that agree in these columns, such as the rows of a user, stay or go "
            "together. A row in which one is null has no key, and is drawn by itself."},
    {.name = "keep",
     .type = ADL_PARAM_EXPRESSION,
     .flags = ADL_NULLS_PASS,
     .offset = offsetof(sample, keep),
     .elements = ADL_MASK(ADL_BOOL),
     .doc = "Rows for which this is true stay in any case, for example `clicked`: only the others are drawn. Null "
            "counts as false."},
    {.name = "weight",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(sample, weight),
     .doc = "Name of a new column, float32: for how many rows a row stands. 1 / fraction for those that were drawn, 1 "
            "for those that stayed in any case."},
    {.name = "held_out",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(sample, held_out),
     .default_value = "sample",
     .choices = "sample|keep",
     .doc =
         "What becomes of rows that are held out of learning: sample: drawn like the others. keep: all stay, so that "
         "what learns from fewer rows is judged on all."},
    {.name = "seed",
     .type = ADL_PARAM_INT,
     .offset = offsetof(sample, seed),
     .default_value = "0",
     .range = "[0, inf)",
     .doc = "0: the draw follows from the run's seed and the stage's name. Another number: from this alone, so that "
            "stages (and runs) with the same `seed` draw the same keys."},
};

static const char doc[] =
    "Keeps a part of the rows, in their order: a smaller log that is like the large one, whole users of it, or fewer "
    "of the rows that did not click. Each row (or key) is drawn by itself with probability `fraction`, so the number "
    "that stays is not exact: about sqrt(n fraction (1 - fraction)) off. The draw is the same in every run with the "
    "same seed, whatever the number of threads.\n\n"
    "Rows are drawn by their place in the stream; keys by SipHash-2-4 (Aumasson and Bernstein 2012) under a key that "
    "the seed gives, so a key that is drawn from one day's log is drawn from the next one's too.\n\n"
    "Learning from all positives and a share of the negatives saves time, but shifts probabilities upwards: give "
    "`weight` to the learner, which puts that right (the estimate stays unbiased, as Horvitz and Thompson 1952 have "
    "it), and set `held_out: keep`, so that metrics are about the rows as they come.";

static const adl_class sample_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "sample",
    .title = "A share of the rows",
    .doc = doc,
    .form = ADL_PICKED,
    .instance_size = sizeof(sample),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .process = process,
};

ADL_PLUGIN_OF("sample", "1.0.0", "transform:sample", &sample_class);
