/* A sink that says how its process answers (ADL_EXACT_ROWS), though it has none. */
#include "working.h"

static adl_status write_rows(const adl_call *call, void *self, const adl_batch *batch, const void *block,
                             int64_t size) {
  (void)call, (void)self, (void)batch, (void)block, (void)size;
  return ADL_OK;
}

static const adl_class spoiled = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_SINK,
                                  .id = "test.exact-sink",
                                  .flags = ADL_EXACT_ROWS,
                                  .write = write_rows};
static const adl_class *const classes[] = {&spoiled};
static const adl_plugin plugin = {WORKING_PLUGIN("test.exact-sink", classes)};
ADL_PLUGIN("test.exact-sink", "1.0.0", "sink:test.exact-sink", &plugin);
