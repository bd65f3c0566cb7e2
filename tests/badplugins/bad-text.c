/* The documentation of its parameter is no UTF-8. */
#include "working.h"

static const adl_param params[] = {{.name = "number",
                                    .type = ADL_PARAM_INT,
                                    .offset = offsetof(working, number),
                                    .default_value = "8",
                                    .range = "[1, 100]",
                                    .doc = "What \xff\xfe row gets."},
                                   {.name = "as",
                                    .type = ADL_PARAM_NEW_COLUMN,
                                    .flags = ADL_PLAIN_NAME,
                                    .offset = offsetof(working, as),
                                    .default_value = "number",
                                    .doc = "Name of the new column."}};

static const adl_class spoiled = {WORKING_CLASS, .id = "test.bad-text", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.bad-text");
