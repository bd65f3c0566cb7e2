/* A plugin with nothing against it: it passes every conformance check. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.right", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.right");
