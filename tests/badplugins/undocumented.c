/* A parameter of it has no documentation. */
#include "working.h"

static const adl_param params[] = {{.name = "number",
                                    .type = ADL_PARAM_INT,
                                    .offset = offsetof(working, number),
                                    .default_value = "8",
                                    .range = "[1, 100]"},
                                   {.name = "as",
                                    .type = ADL_PARAM_NEW_COLUMN,
                                    .flags = ADL_PLAIN_NAME,
                                    .offset = offsetof(working, as),
                                    .default_value = "number",
                                    .doc = "Name of the new column."}};

static const adl_class spoiled = {WORKING_CLASS, .id = "test.undocumented", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.undocumented");
