/*
 * The plugins linked into the program (configure --enable-static-plugins); none in the usual build. The makefile writes
 * their list, plugin-entries.h. Called by the registry.
 */
#include "config.h"

#include "core/plugin/internal.h"

#ifdef ADLOOM_STATIC_PLUGINS

#define ENTRY(name) const adl_plugin *adl_entry_##name(const adl_host *host);
#include "plugin-entries.h"
#undef ENTRY

static const adl_plugin_entry_function entries[] = {
#define ENTRY(name) adl_entry_##name,
#include "plugin-entries.h"
#undef ENTRY
    NULL,
};

const adl_plugin_entry_function *adl_static_plugins(uint32_t *count) {
  *count = (uint32_t)(sizeof entries / sizeof entries[0]) - 1;
  return entries;
}

#else

const adl_plugin_entry_function *adl_static_plugins(uint32_t *count) {
  *count = 0;
  return NULL;
}

#endif
