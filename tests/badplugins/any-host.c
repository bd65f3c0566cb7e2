/* Its entry point does not look at the version of its host. */
#include "working.h"

static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.any-host", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
static const adl_class *const classes[] = {&spoiled};
static const adl_plugin plugin = {WORKING_PLUGIN("test.any-host", classes)};

/* What ADL_PLUGIN writes under this name has the note; the entry point is another. */
#undef ADL_PLUGIN_ENTRY
#define ADL_PLUGIN_ENTRY adloom_test_entry
#undef ADL_EXPORT
#define ADL_EXPORT __attribute__((visibility("hidden"), used))
ADL_PLUGIN("test.any-host", "1.0.0", "feature:test.any-host", &plugin);

__attribute__((visibility("default"))) const adl_plugin *adl_plugin_entry(const adl_host *host);
const adl_plugin *adl_plugin_entry(const adl_host *host) {
  (void)host;
  return &plugin;
}
