/*
 * Stand-ins for functions that a class may leave out, so that the engine calls without asking. Called by check.c.
 */
#include "core/plugin/internal.h"

static adl_status no_create(const adl_call *call, void *self) {
  (void)call, (void)self;
  return ADL_OK;
}

static void no_destroy(void *self) { (void)self; }

static adl_status one_shard(const adl_call *call, void *self, int32_t *count) {
  (void)call, (void)self;
  *count = 1;
  return ADL_OK;
}

static adl_status no_cursor(const adl_call *call, void *self, int32_t shard, void **cursor) {
  (void)call, (void)self, (void)shard;
  *cursor = NULL;
  return ADL_OK;
}

static void no_close(const adl_call *call, void *self, void *cursor) { (void)call, (void)self, (void)cursor; }

static adl_status nothing_prepared(const adl_call *call, const void *self, const adl_model *model, void **prepared) {
  (void)call, (void)self, (void)model;
  *prepared = NULL;
  return ADL_OK;
}

static void no_release(const void *self, void *prepared) { (void)self, (void)prepared; }

static adl_status rows_as_they_are(const adl_call *call, const void *self, const adl_model *model,
                                   const adl_batch *batch, adl_out *out) {
  (void)call, (void)self, (void)model, (void)batch, (void)out;
  return ADL_OK;
}

static adl_status no_commit(const adl_call *call, void *self) {
  (void)call, (void)self;
  return ADL_OK;
}

static adl_status no_report(const adl_call *call, const void *self, const adl_model *model, adl_report *report) {
  (void)call, (void)self, (void)model, (void)report;
  return ADL_OK;
}

static const void *no_extension(const char *id) {
  (void)id;
  return NULL;
}

void adl_stubs_fill(adl_loaded *loaded) {
  adl_class *class = &loaded->class;
  bool source = class->next != NULL, sink = class->write != NULL;
  if (class->create == NULL) class->create = no_create;
  if (class->destroy == NULL) class->destroy = no_destroy;
  if (class->bind == NULL) class->bind = no_create;
  if (class->start == NULL) class->start = no_create;
  if (class->shards == NULL) class->shards = one_shard;
  if (class->open == NULL) class->open = no_cursor;
  if (class->close == NULL) class->close = no_close;
  if (class->prepare == NULL) class->prepare = nothing_prepared;
  if (class->release == NULL) class->release = no_release;
  if (class->commit == NULL) class->commit = no_commit;
  loaded->reports = class->report != NULL;
  if (class->report == NULL) class->report = no_report;
  if (class->extension == NULL) class->extension = no_extension;
  loaded->forwards_only = class->process == NULL && !source && !sink && class->finish == NULL;
  if (loaded->forwards_only) class->process = rows_as_they_are;
}
