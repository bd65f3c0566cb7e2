/* Built for a newer minor version of the ABI than this adloom has. */
#include "working.h"

#undef ADL_ABI_MINOR
#define ADL_ABI_MINOR 999
static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.newer-minor", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.newer-minor");
