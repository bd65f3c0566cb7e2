/* Its note lists no kind:class pairs. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.bad-note", PARAMS(params), .bind = working_bind,
                                  .process = working_process};

static const adl_class *const classes[] = {&spoiled};
static const adl_plugin plugin = {WORKING_PLUGIN("test.bad-note", classes)};
ADL_PLUGIN("test.bad-note", "1.0.0", "magic:test.bad-note", &plugin);
