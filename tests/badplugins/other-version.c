/* Its note and its descriptor say different versions and ids. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.other-version", PARAMS(params), .bind = working_bind,
                                  .process = working_process};

static const adl_class *const classes[] = {&spoiled};
static const adl_plugin plugin = {WORKING_PLUGIN("test.another", classes)};
ADL_PLUGIN("test.other-version", "2.0.0", "feature:test.other-version", &plugin);
