/* It calls a function that nobody has. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

int64_t adloom_test_nobody_has_this(void);

static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  if (adloom_test_nobody_has_this() != 0) return ADL_FAILED;
  return working_process(call, self, model, batch, out);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.unresolved", PARAMS(params), .bind = working_bind,
                                  .process = process};
WORKING_ENTRY("test.unresolved");
