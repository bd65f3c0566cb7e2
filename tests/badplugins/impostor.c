/* It offers a class under an id without a dot, as only adloom's own have. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "ordinary", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
static const adl_class *const classes[] = {&spoiled};
static const adl_plugin plugin = {WORKING_PLUGIN("test.impostor", classes)};
ADL_PLUGIN("test.impostor", "1.0.0", "feature:ordinary", &plugin);
