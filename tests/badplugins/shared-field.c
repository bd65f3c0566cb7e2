/* Two of its parameters are kept in one field. */
#include "working.h"

static const adl_param params[] = {
    WORKING_PARAMS,
    {.name = "other", .type = ADL_PARAM_INT, .offset = offsetof(working, number), .doc = "Another one."}};

static const adl_class spoiled = {WORKING_CLASS, .id = "test.shared-field", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.shared-field");
