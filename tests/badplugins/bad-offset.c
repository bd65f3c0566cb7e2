/* A field that lies outside the instance, and two that overlap. */
#include "working.h"

static const adl_param params[] = {
    WORKING_PARAMS,
    {.name = "far", .type = ADL_PARAM_FLOAT, .offset = sizeof(working), .doc = "Behind the end."},
    {.name = "near", .type = ADL_PARAM_BOOL, .offset = offsetof(working, as), .doc = "In the middle of another."},
    {.name = "crooked", .type = ADL_PARAM_BOOL, .flags = ADL_MAP_OF, .doc = "A type that there is not."}};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.bad-offset", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.bad-offset");
