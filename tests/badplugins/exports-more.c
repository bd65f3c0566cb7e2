/* It exports a function that is its own affair. */
#include "working.h"

ADL_EXPORT int adloom_test_helper(void);
int adloom_test_helper(void) { return 1; }

static const adl_param params[] = {WORKING_PARAMS};

static const adl_class spoiled = {WORKING_CLASS, .id = "test.exports-more", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.exports-more");
