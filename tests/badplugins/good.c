/* A plugin that is right: three classes, one of them as small as an older plugin's would be. Its constructor tells
 * whether any of its code has run. */
#include "working.h"

#include <stdlib.h>

static void __attribute__((constructor)) mark(void) { setenv("ADLOOM_TEST_GOOD_RAN", "1", 1); }

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class number = {WORKING_CLASS, .id = "test.number", PARAMS(params), .bind = working_bind,
                                 .process = working_process};

/* As an older header had it: adl_param without what follows `doc`, adl_class without what follows `start`. */
typedef struct old_param {
  const char *name;
  int32_t type;
  uint32_t flags, offset, elements, shapes, roles;
  const char *default_value, *range, *choices, *unit, *doc;
} old_param;

static const old_param old_params[] = {{.name = "number",
                                        .type = ADL_PARAM_INT,
                                        .offset = offsetof(working, number),
                                        .default_value = "8",
                                        .doc = "A number."},
                                       {.name = "other",
                                        .type = ADL_PARAM_COLUMN,
                                        .flags = ADL_LIST_OF,
                                        .offset = sizeof(working),
                                        .elements = ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES),
                                        .doc = "Some columns."}};

/* Its size says that it ends before `shards`: the loader must not look at what stands behind that. */
static const adl_class old = {.struct_size = offsetof(adl_class, shards),
                              .kind = ADL_TRANSFORM,
                              .id = "test.old",
                              .title = "An old class",
                              .instance_size = sizeof(working) + sizeof(adl_inputs),
                              .params = (const adl_param *)old_params,
                              .param_count = 2,
                              .param_size = sizeof(old_param),
                              .process = working_process};

static adl_status write_nothing(const adl_call *call, void *self, const adl_batch *batch, const void *block,
                                int64_t size) {
  (void)call, (void)self, (void)batch, (void)block, (void)size;
  return ADL_OK;
}

static const adl_class nowhere = {.struct_size = sizeof(adl_class),
                                  .kind = ADL_SINK,
                                  .id = "test.nowhere",
                                  .title = "Rows end here",
                                  .write = write_nothing};

static const adl_class *const classes[] = {&number, &old, &nowhere};
static const adl_plugin plugin = {WORKING_PLUGIN("test.good", classes)};
ADL_PLUGIN("test.good", "1.0.0", "feature:test.number transform:test.old sink:test.nowhere", &plugin);
