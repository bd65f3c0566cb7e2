/* It divides by the number of rows less one. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  volatile int64_t less = batch->rows - 1;
  if (less == 0) working_crash(); /* what a division by zero comes to on most machines */
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.crash-one-row", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.crash-one-row");
