/* A source that makes its rows in next: sketch.ticks counts. It has several shards, has nothing to give once in each
 * (as a queue or a database would), and says what its content is, so that models behind it can be kept. sketch.feed does
 * not say. */
#include <adloom/plugin.h>

#include <stdlib.h>
#include <string.h>

typedef struct ticks {
  int64_t rows, shards, batch;
  int32_t number, shard; /* output slots */
} ticks;

typedef struct cursor {
  int32_t shard;
  int64_t given;
  bool waited;
} cursor;

static const adl_param params[] = {
    {.name = "rows",
     .type = ADL_PARAM_INT,
     .flags = ADL_REQUIRED,
     .offset = offsetof(ticks, rows),
     .range = "[0, 1e9]",
     .doc = "Rows in each shard."},
    {.name = "shards",
     .type = ADL_PARAM_INT,
     .offset = offsetof(ticks, shards),
     .default_value = "1",
     .range = "[0, 1000]",
     .doc = "Number of shards."},
    {.name = "batch",
     .type = ADL_PARAM_INT,
     .offset = offsetof(ticks, batch),
     .default_value = "1000",
     .range = "[1, 100000]",
     .doc = "Rows given at a time."},
};

static adl_status bind(const adl_call *call, void *instance) {
  ticks *self = instance;
  adl_type number = {.element = ADL_INT64}, shard = {.element = ADL_INT32, .role = ADL_CATEGORY};
  ADL_TRY(call->host->declare_named(call, NULL, "number", number, &self->number));
  return call->host->declare_named(call, NULL, "shard", shard, &self->shard);
}

static adl_status shards(const adl_call *call, void *self, int32_t *count) {
  (void)call;
  *count = (int32_t)((ticks *)self)->shards;
  return ADL_OK;
}

static adl_status open_shard(const adl_call *call, void *self, int32_t shard, void **opened) {
  cursor *at = calloc(1, sizeof *at);
  (void)self;
  if (at == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  at->shard = shard;
  call->host->shard_name(call, shard == 0 ? "the first shard" : "another shard");
  *opened = at;
  return ADL_OK;
}

static void close_shard(const adl_call *call, void *self, void *opened) {
  (void)call, (void)self;
  free(opened);
}

static adl_status next(const adl_call *call, void *instance, void *opened, adl_out *out) {
  const ticks *self = instance;
  cursor *at = opened;
  int64_t left = self->rows - at->given, count = left < self->batch ? left : self->batch;
  adl_buffers number, shard;
  if (left == 0) return ADL_END;
  if (at->given > 0 && !at->waited) {
    at->waited = true;
    call->host->later(call, 1000);
    return ADL_LATER;
  }
  ADL_TRY(call->host->reserve(call, out, self->number, count, 0, 0, &number));
  ADL_TRY(call->host->reserve(call, out, self->shard, count, 0, 0, &shard));
  int64_t *positions = call->host->positions(call, out, count);
  for (int64_t i = 0; i < count; i++) {
    positions[i] = at->given + i;
    ((int64_t *)number.data)[i] = at->shard * self->rows + at->given + i;
    ((int32_t *)shard.data)[i] = at->shard;
  }
  at->given += count;
  return call->host->commit(call, out, count);
}

/* Parameters are known to the core; nothing else decides what comes. */
static adl_status fingerprint(const adl_call *call, void *self, uint8_t digest[32]) {
  (void)call, (void)self;
  memset(digest, 0, 32);
  return ADL_OK;
}

static const adl_class ticks_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "sketch.ticks",
    .title = "Rows that count",
    .doc = "Gives rows numbered from 0, in shards of equal size, one after the other.",
    .form = ADL_NEW,
    .instance_size = sizeof(ticks),
    ADL_PARAMS(params),
    .bind = bind,
    .shards = shards,
    .open = open_shard,
    .next = next,
    .close = close_shard,
    .fingerprint = fingerprint,
};

static const adl_class feed_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "sketch.feed",
    .title = "Rows that count, of which nobody knows what they will be",
    .form = ADL_NEW,
    .instance_size = sizeof(ticks),
    ADL_PARAMS(params),
    .bind = bind,
    .shards = shards,
    .open = open_shard,
    .next = next,
    .close = close_shard,
};
ADL_PLUGIN_OF("sketch.ticks", "1.0.0", "source:sketch.ticks source:sketch.feed", &ticks_class, &feed_class);
