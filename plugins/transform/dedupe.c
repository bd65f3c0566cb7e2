/* dedupe: each row once. The keys seen so far are the state of the run, so rows come in order. */
#include <adloom/plugin.h>
#include <math.h>
#include <string.h>

#include "common/key.h"
#include "common/siphash.h"

typedef struct dedupe {
  adl_inputs by;
} dedupe;

/* Keys up to this size are remembered as they are, longer ones by 16 bytes of hash and one more byte. */
enum { SHORT_KEY = 16 };

/* The bytes from `begin` on, more than 16, become their hash and one byte more. */
static void shorten(adl_key *key, int64_t begin, const uint64_t secret[2]) {
  uint8_t hash[SHORT_KEY + 1] = {0};
  adl_siphash(key->data + begin, (size_t)(key->size - begin), secret, hash);
  memcpy(key->data + begin, hash, sizeof hash);
  key->size = begin + (int64_t)sizeof hash;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const dedupe *self = instance;
  const int64_t one = 1;
  const uint64_t secret[2] = {host->random_key(call, "seen 0"), host->random_key(call, "seen 1")};
  int64_t *index = host->alloc(call, (size_t)batch->rows * sizeof *index), count = 0;
  adl_table *seen = host->table(call, model->tensors, "seen", 0);
  int64_t *dropped = host->tensor(call, model->tensors, "dropped", ADL_INT64, 1, &one);
  int64_t known = host->table_count(seen);
  adl_keys keys;
  adl_keys_begin(&keys, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++) {
    int64_t begin = keys.key.size;
    for (int64_t i = 0; i < self->by.count; i++) adl_key_add_any(&keys.key, batch->slots[self->by.items[i].slot], row);
    if (keys.key.size - begin > SHORT_KEY) shorten(&keys.key, begin, secret);
    adl_keys_end(&keys);
  }
  const int64_t *rows = adl_keys_insert(&keys, seen);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (rows[row] < known) continue;
    known++;
    index[count++] = row;
  }
  dropped[0] += batch->rows - count;
  return host->pick(call, out, index, count);
}

/* What was seen is the largest part of many a run's memory. */
static adl_status finish(const adl_call *call, const void *instance, const adl_model *model, adl_out *out) {
  (void)instance, (void)out;
  call->host->drop_tensor(call, model->tensors, "seen");
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  adl_tensor dropped;
  (void)instance;
  bool any = model->tensors != NULL && call->host->find_tensor(call, model->tensors, "dropped", &dropped);
  double count = any ? (double)((const int64_t *)dropped.data)[0] : 0;
  call->host->report_number(call, report, "", "rows dropped", count, (double)NAN, (double)NAN);
  return ADL_OK;
}

static adl_status bind(const adl_call *call, void *instance) {
  const dedupe *self = instance;
  if (self->by.count == 0) return call->host->fail(call, "by", -1, NULL, "name at least one column");
  return ADL_OK;
}

static const adl_param params[] = {
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(dedupe, by),
     .shapes = ADL_ANY_SHAPE,
     .default_value = "*",
     .doc = "Columns in which two rows must agree to be the same. All of them, unless said."},
};

static const char doc[] =
    "Keeps the first of the rows that agree in the columns of `by`, and drops the later ones, whichever split they "
    "are of. Logs written twice, by a client that asked again, are the usual reason. Two nulls agree, and so do two "
    "NaNs; 0 agrees with -0.\n\n"
    "Every key that was seen is held in memory: 16 bytes or less as it is, longer ones by a hash of 128 bits under a "
    "key that the run's seed gives, about 50 bytes a row in all. That two different rows are taken for the same is "
    "possible then, and less likely than a failure of the machine. The report says how many rows were dropped.";

static const adl_class dedupe_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "dedupe",
    .title = "Each row once",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_ORDERED,
    .form = ADL_PICKED,
    .instance_size = sizeof(dedupe),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .process = process,
    .finish = finish,
    .report = report,
};

static const adl_class *const classes[] = {&dedupe_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "dedupe",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("dedupe", "1.0.0", "transform:dedupe", &plugin);
