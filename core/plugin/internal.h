/*
 * What the files of core/plugin share: the registry's insides, and the steps of scanning and loading. Nobody else
 * includes it.
 */
#ifndef ADLOOM_CORE_PLUGIN_INTERNAL_H
#define ADLOOM_CORE_PLUGIN_INTERNAL_H

#include "core/plugin/note.h"
#include "core/plugin/registry.h"

/* A file, or a plugin linked into the program. */
typedef struct adl_entry {
  adl_plugin_file shown; /* what adl_registry_file gives out; its texts belong to this struct */
  adl_note note;
  adl_plugin_entry_function function; /* of a linked one; NULL: to be found by dlopen */
  bool usable;                        /* by what its note says; loading it may still fail */
  bool tried;                         /* to load it */
  adl_loaded *loaded;                 /* one per offer, in their order; NULL: not loaded */
} adl_entry;

struct adl_registry {
  const adl_host *host;
  GPtrArray *places;  /* adl_plugin_place */
  GPtrArray *entries; /* adl_entry */
  GHashTable *ids;    /* class id -> adl_entry that provides it */
};

/* --- places.c: where plugins are looked for --- */

/* Reads every usual place; adds places and entries. */
void adl_places_scan(adl_registry *registry);
/* True when any user may write to it; what to do about it is appended to `why`. */
bool adl_place_open_to_all(unsigned mode, const char *path, GString *why);

/* --- registry.c --- */

/* Opens a file below `directory` (AT_FDCWD: `name` is the whole path), reads its notes and keeps it, usable or not. */
adl_entry *adl_registry_examine(adl_registry *registry, int directory, const char *name, const char *path,
                                adl_place_kind place);
/* Keeps a plugin that is linked into the program; takes its offers from its descriptor. */
void adl_registry_take_linked(adl_registry *registry, adl_plugin_entry_function function);

/* --- load.c --- */

/* Loads the plugin and checks everything in its tables. False: shown.refused says why, from now on. */
bool adl_entry_load(const adl_registry *registry, adl_entry *entry);

/* --- check.c: is what a plugin hands over fit for use? --- */

/* Copies `plugin`, zero-extended. Checks it against the note. */
bool adl_check_plugin(const adl_plugin *plugin, const adl_note *note, adl_plugin *copy, GString *why);
/* Copies the class, zero-extended, with a params array of full width (to be freed with g_free). Checks the table and the
 * functions; fills in stubs. Appends each thing that is wrong; false if there is any. */
bool adl_check_class(const adl_class *class, adl_loaded *loaded, GString *why);
/* Checks the parameters of a class copied by adl_check_class. */
bool adl_check_params(const adl_class *class, GString *why);

/* --- stubs.c --- */

/* Puts stubs where optional functions are missing. */
void adl_stubs_fill(adl_loaded *loaded);

/* --- describe.c, for describe_markdown.c --- */

/* What a class does with rows, in a few sentences. */
void adl_describe_behaviour(const adl_loaded *loaded, GString *out);
/* "in [1, 65536], default 8": what is to be said about a parameter besides its type. */
void adl_describe_facts(const adl_param *param, GString *out);

/* --- static.c --- */

/* Entry points of the plugins linked into the program. */
const adl_plugin_entry_function *adl_static_plugins(uint32_t *count);

#endif
