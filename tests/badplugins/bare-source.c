/* A source without next, and a sink without write. */
#include "working.h"

static const adl_class source = {.struct_size = sizeof(adl_class), .kind = ADL_SOURCE, .id = "test.bare-source"};
static const adl_class sink = {.struct_size = sizeof(adl_class), .kind = ADL_SINK, .id = "test.bare-sink"};
static const adl_class *const classes[] = {&source, &sink};
static const adl_plugin plugin = {WORKING_PLUGIN("test.bare", classes)};
ADL_PLUGIN("test.bare", "1.0.0", "source:test.bare-source sink:test.bare-sink", &plugin);
