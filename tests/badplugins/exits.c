/* It ends the process. */
#include "working.h"

#include <stdlib.h>

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  if (batch->rows > 50) exit(0);
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.exits", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.exits");
