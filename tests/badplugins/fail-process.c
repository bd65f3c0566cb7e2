/* It fails in process, after saying why. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  (void)self, (void)model, (void)batch, (void)out;
  return call->host->fail(call, NULL, -1, NULL, "these rows are never right");
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.fail-process", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.fail-process");
