/* A shared object that has the entry point but no note: it was not built with ADL_PLUGIN. */
#include <adloom/plugin.h>

ADL_EXPORT const adl_plugin *adl_plugin_entry(const adl_host *host);

const adl_plugin *adl_plugin_entry(const adl_host *host) {
  (void)host;
  return NULL;
}
