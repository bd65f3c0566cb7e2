/* It crashes while it is loaded, in a constructor. */
#include "working.h"

static void __attribute__((constructor)) crash(void) { working_crash(); }

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.crash-load", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.crash-load");
