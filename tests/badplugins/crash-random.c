/* It crashes for some numbers, neither the smallest nor the largest. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  int64_t number = ((const working *)self)->number;
  if (number > 8 && number < 100) working_crash();
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.crash-random", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.crash-random");
