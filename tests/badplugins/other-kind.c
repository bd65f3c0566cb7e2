/* Its note gives the class another kind than its descriptor. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.other-kind", PARAMS(params), .bind = working_bind,
                                  .process = working_process};

static const adl_class *const classes[] = {&spoiled};
static const adl_plugin plugin = {WORKING_PLUGIN("test.other-kind", classes)};
ADL_PLUGIN("test.other-kind", "1.0.0", "profile:test.other-kind", &plugin);
