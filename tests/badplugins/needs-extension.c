/* It uses an extension without asking whether there is one. */
#include "working.h"

#include <adloom/expression.h>

static const adl_param params[] = {WORKING_PARAMS};

static adl_status bind(const adl_call *call, void *self) {
  const void *extension = call->host->extension(call, "adloom.expression/1");
  if (extension == NULL) working_crash(); /* as if it were called */
  return working_bind(call, self);
}

static const adl_class spoiled = {WORKING_CLASS, .id = "test.needs-extension", PARAMS(params), .bind = bind,
                                  .process = working_process};
WORKING_ENTRY("test.needs-extension");
