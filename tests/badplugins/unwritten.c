/* It writes every value but the last. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const working *own = self;
  adl_buffers buffers;
  (void)model;
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &buffers));
  for (int64_t i = 0; i < batch->rows - 1; i++) ((int64_t *)buffers.data)[i] = own->number;
  return ADL_OK;
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.unwritten", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.unwritten");
