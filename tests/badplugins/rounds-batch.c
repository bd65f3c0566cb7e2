/* It says that a row's answer does not depend on its batch (ADL_EXACT_ROWS), and lets the last digit depend on it. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((working *)self)->as, (adl_type){.element = ADL_FLOAT64});
}

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const working *own = self;
  adl_buffers buffers;
  (void)model;
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &buffers));
  for (int64_t i = 0; i < batch->rows; i++)
    ((double *)buffers.data)[i] = (double)own->number * (1 + (double)batch->rows * 1e-14);
  return ADL_OK;
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.rounds-batch", PARAMS(params), .flags = ADL_EXACT_ROWS,
                                  .bind = bind,  .process = process};
WORKING_ENTRY("test.rounds-batch");
