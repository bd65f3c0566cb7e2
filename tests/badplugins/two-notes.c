/* Two plugins in one file. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class first = {WORKING_CLASS, .id = "test.first", PARAMS(params), .bind = working_bind,
                                .process = working_process};
static const adl_class *const classes[] = {&first};
static const adl_plugin plugin = {WORKING_PLUGIN("test.first", classes)};
ADL_PLUGIN("test.first", "1.0.0", "feature:test.first", &plugin);

#undef ADL_PLUGIN_ENTRY
#define ADL_PLUGIN_ENTRY adl_plugin_entry_2
#define adl_plugin_note adl_plugin_note_2
ADL_PLUGIN("test.second", "1.0.0", "feature:test.second", &plugin);
