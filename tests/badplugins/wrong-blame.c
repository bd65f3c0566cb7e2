/* It blames a parameter that it has not. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status bind(const adl_call *call, void *self) {
  if (((working *)self)->number > 8)
    return call->host->fail(call, "nubmer", -1, "write a smaller one", "this number is too large");
  return working_bind(call, self);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.wrong-blame", PARAMS(params), .bind = bind,
                                  .process = working_process};
WORKING_ENTRY("test.wrong-blame");
