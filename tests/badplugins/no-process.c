/* Adds a column but has no process to fill it. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.no-process", PARAMS(params), .bind = working_bind};
WORKING_ENTRY("test.no-process");
