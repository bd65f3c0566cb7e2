/* It crashes in process; compiled with MENDED, it does not. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
#ifndef MENDED
  working_crash();
#endif
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.crash-process", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.crash-process");
