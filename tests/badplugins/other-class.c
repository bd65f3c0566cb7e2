/* Its note promises a class that its descriptor does not have. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.other", PARAMS(params), .bind = working_bind,
                                  .process = working_process};

static const adl_class *const classes[] = {&spoiled};
static const adl_plugin plugin = {WORKING_PLUGIN("test.other-class", classes)};
ADL_PLUGIN("test.other-class", "1.0.0", "feature:test.promised feature:test.other", &plugin);
