/* What process allocates is never freed. */
#include "working.h"

#include <stdlib.h>
#include <string.h>

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  char *copy = malloc(100);
  if (copy == NULL) return call->host->fail(call, NULL, -1, NULL, "no memory");
  memset(copy, (int)batch->rows, 100);
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.leaks", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.leaks");
