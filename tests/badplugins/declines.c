/* Its entry point does not want this host. */
#include "working.h"

#undef ADL_PLUGIN_ENTRY
#define ADL_PLUGIN_ENTRY unused_entry
static const adl_param params[] = {WORKING_PARAMS};
static const adl_class spoiled = {WORKING_CLASS, .id = "test.declines", PARAMS(params), .bind = working_bind,
                                  .process = working_process};
WORKING_ENTRY("test.declines");

ADL_EXPORT const adl_plugin *adl_plugin_entry(const adl_host *host);

const adl_plugin *adl_plugin_entry(const adl_host *host) {
  (void)host;
  return NULL;
}
