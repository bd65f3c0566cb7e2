/* It talks. */
#include "working.h"

#include <stdio.h>

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  printf("now I process %lld rows\n", (long long)batch->rows);
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.prints", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.prints");
