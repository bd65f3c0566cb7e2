/* Built for an ABI of another major version. */
#include "working.h"

#undef ADL_ABI_MAJOR
#define ADL_ABI_MAJOR 7
static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.wrong-major", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.wrong-major");
