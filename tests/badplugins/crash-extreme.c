/* It crashes where its number is as large as can be. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  if (((const working *)self)->number == 100) working_crash();
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.crash-extreme", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.crash-extreme");
