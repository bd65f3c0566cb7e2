/* It says two things against its parameters in bind. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};

static adl_status bind(const adl_call *call, void *self) {
  (void)self;
  call->host->fail(call, "number", -1, "write another one", "this number is never right");
  return call->host->fail(call, "as", -1, NULL, "this name is never right");
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.fail-bind", PARAMS(params), .bind = bind,
                                  .process = working_process};
WORKING_ENTRY("test.fail-bind");
