/* It has the note, but hides its entry point. */
#include "working.h"

#define HIDDEN __attribute__((visibility("hidden")))
#undef ADL_EXPORT
#define ADL_EXPORT HIDDEN
static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.no-entry", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.no-entry");
