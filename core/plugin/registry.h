/*
 * The plugin registry: which plugin files there are, which stage classes they offer, and loading the ones a pipeline
 * names. Scanning reads ELF notes and runs no plugin code. Used by the graph layer (adl_registry_find) and by
 * `adloom plugin` (the lists). One thread at a time: everything here belongs to the setup of a run.
 *
 * What the registry returns lives as long as the registry; the code of a loaded plugin stays mapped for ever.
 */
#ifndef ADLOOM_CORE_PLUGIN_REGISTRY_H
#define ADLOOM_CORE_PLUGIN_REGISTRY_H

#include <adloom/plugin.h>
#include <glib.h>

typedef struct adl_registry adl_registry;

/* Where a plugin file was found; also the order in which places are searched. */
typedef enum adl_place_kind {
  ADL_PLACE_PIPELINE = 0, /* named under `plugins:` */
  ADL_PLACE_PATH,         /* ADLOOM_PLUGIN_PATH */
  ADL_PLACE_USER,         /* the user's data directory */
  ADL_PLACE_STATIC,       /* linked into this program */
  ADL_PLACE_BUILD,        /* the build tree that this program runs from */
  ADL_PLACE_INSTALLED     /* libdir/adloom/abi-N */
} adl_place_kind;

/* A directory that was (or would have been) looked in. */
typedef struct adl_plugin_place {
  adl_place_kind kind;
  const char *path;    /* absolute */
  const char *refused; /* why nothing was taken from it ("no such directory", ...); NULL: it was read */
} adl_plugin_place;

/* One class that a plugin file says it offers. */
typedef struct adl_offer {
  const char *kind; /* "source", "profile", ... as in the note */
  const char *id;
  const char *shadowed_by; /* path of the file that provides this id instead, NULL: this file provides it */
} adl_offer;

/* One file that was looked at. */
typedef struct adl_plugin_file {
  const char *path; /* absolute; "built in" when linked into the program */
  adl_place_kind place;
  const char *refused; /* why it cannot be used: no plugin, other ABI, truncated, ...; NULL: it can */
  const char *id;      /* as far as the note could be read, else NULL, NULL and 0 offers */
  const char *version;
  uint16_t abi_major, abi_minor;
  uint32_t offer_count;
  const adl_offer *offers;
} adl_plugin_file;

/*
 * A class ready for use. `class` is a full copy of the plugin's table: members that an older plugin does not have are
 * zero, `params` is an array of full adl_param (index it), and these functions are never NULL, as a stub stands in for
 * a missing one: create, destroy, bind, start, shards (one), open (cursor NULL), close, prepare (prepared NULL),
 * release, report, commit, extension, and, for a class that works on rows and only forwards them, process. The others
 * are NULL when the class does not have them, which says what the class does: next, decode, fingerprint, init, fit,
 * learn, finish, encode, write.
 */
typedef struct adl_loaded {
  adl_class class;
  adl_plugin plugin; /* full copy, zero-extended; `classes` as the plugin gave them */
  const char *path;  /* absolute; "built in" when linked into the program */
  const char *build; /* changes when the code does: the GNU build-id, else a hash of the file; hexadecimal */
  adl_place_kind place;
  bool reports;       /* `report` is the class's own */
  bool forwards_only; /* `process` is the stub: rows leave as they came, with what bind forwarded or hid */
} adl_loaded;

/* `host` is handed to every plugin's entry point, which looks at its abi_major only; NULL: a host table that has
 * nothing but the version. */
adl_registry *adl_registry_new(const adl_host *host);
void adl_registry_free(adl_registry *registry);

/* Adds a file named under `plugins:` (an absolute path). It wins over every other one that offers the same id. False,
 * and the reason appended to `why`, when it cannot be used. */
bool adl_registry_add_file(adl_registry *registry, const char *path, GString *why);

/* Adds a plugin that is part of this program, by its entry point. */
void adl_registry_add_linked(adl_registry *registry, adl_plugin_entry_function entry);

/* Reads the notes of every plugin in the usual places. Files that cannot be used are kept, with the reason. */
void adl_registry_scan(adl_registry *registry);

/* The class of that id, its plugin loaded and checked if it was not yet. NULL: `why` gets the message in its first
 * line and, in lines of their own behind it, notes for the user (no newline at the end). */
const adl_loaded *adl_registry_find(adl_registry *registry, const char *id, GString *why);

/* Path of the plugin whose code is being loaded at this moment, NULL: none. For the crash handler; async-signal-safe. */
const char *adl_registry_loading(void);

/* True when some usable plugin offers this id; loads nothing. */
bool adl_registry_offers(const adl_registry *registry, const char *id);

/* Ids of all classes that can be asked for, sorted, NULL-terminated. Free with g_free (the strings are the
 * registry's). */
const char **adl_registry_ids(const adl_registry *registry);

/* For lists: places in search order; files in the order in which they were looked at. */
uint32_t adl_registry_place_count(const adl_registry *registry);
const adl_plugin_place *adl_registry_place(const adl_registry *registry, uint32_t at);
uint32_t adl_registry_file_count(const adl_registry *registry);
const adl_plugin_file *adl_registry_file(const adl_registry *registry, uint32_t at);

/* "source", "transform", ... of an adl_kind; NULL: no such kind. */
const char *adl_kind_name(uint32_t kind);

/* "plugins: of the pipeline", "ADLOOM_PLUGIN_PATH", ... */
const char *adl_place_name(adl_place_kind kind);

#endif
