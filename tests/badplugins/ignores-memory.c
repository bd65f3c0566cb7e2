/* It does not look whether there was memory. */
#include "working.h"

#include <stdlib.h>
#include <string.h>

static const adl_param params[] = {WORKING_PARAMS};

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  char *volatile copy = malloc(100);
  if (copy == NULL) working_crash(); /* as if it were written to */
  memset(copy, (int)batch->rows, 100);
  free(copy);
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.ignores-memory", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.ignores-memory");
