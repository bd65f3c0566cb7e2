/* It never returns from process. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  (void)call, (void)self, (void)model, (void)batch, (void)out;
  for (volatile bool on = true; on;) continue;
  return ADL_OK;
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.hang-process", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.hang-process");
