/* Another build of test.number (good.c): from the second batch on, row 5 gets another number. */
#include "working.h"

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const working *own = self;
  adl_buffers buffers;
  ADL_TRY(working_process(call, self, model, batch, out));
  if (own->as.slot < 0 || batch->ordinal == 0) return ADL_OK;
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &buffers));
  ((int64_t *)buffers.data)[5]++;
  return ADL_OK;
}

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class number = {WORKING_CLASS, .id = "test.number", PARAMS(params), .bind = working_bind,
                                 .process = process};
static const adl_class *const classes[] = {&number};
static const adl_plugin plugin = {WORKING_PLUGIN("test.changed", classes)};
ADL_PLUGIN("test.changed", "1.0.0", "feature:test.number", &plugin);
