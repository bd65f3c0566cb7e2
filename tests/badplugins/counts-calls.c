/* What it gives depends on how often it has been called. */
#include "working.h"

static int64_t calls;

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  working counted = *(const working *)self;
  counted.number += calls++;
  return working_process(call, &counted, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.counts-calls", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.counts-calls");
