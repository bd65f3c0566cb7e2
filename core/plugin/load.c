/*
 * Loading one plugin: dlopen, entry point, checks. Called by the registry when a pipeline names one of its classes.
 * Plugins are never unloaded.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "core/plugin/internal.h"

/* Hash of the file's content, for plugins without a GNU build-id. NULL: it cannot be read. */
static char *hash_file(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return NULL;
  enum { CHUNK = 1 << 16 };
  char *buffer = g_malloc(CHUNK);
  XXH3_state_t *state = XXH3_createState();
  XXH3_128bits_reset(state);
  ssize_t got;
  while ((got = read(file, buffer, CHUNK)) > 0) XXH3_128bits_update(state, buffer, (size_t)got);
  XXH128_hash_t hash = XXH3_128bits_digest(state);
  XXH3_freeState(state);
  g_free(buffer);
  close(file);
  if (got < 0) return NULL;
  return g_strdup_printf("%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", (guint64)hash.high64,
                         (guint64)hash.low64);
}

/* What the linker said, and what to do about it. */
static void explain_open(const char *path, GString *why) {
  const char *message = dlerror();
  if (message == NULL) message = "unknown error";
  size_t size = strlen(path);
  if (strncmp(message, path, size) == 0 && strncmp(message + size, ": ", 2) == 0) message += size + 2;
  g_string_append_printf(why, "it cannot be loaded: %s", message);
  if (strstr(message, "undefined symbol") != NULL)
    g_string_append(why, "; it needs a function that neither it nor its libraries have (linking it with -Wl,-z,defs "
                         "finds such mistakes when it is built)");
  else if (strstr(message, "cannot open shared object file") != NULL)
    g_string_append(why, "; install that library, or set LD_LIBRARY_PATH to its folder");
  else if (strstr(message, "version `") != NULL)
    g_string_append(why, "; it was built on a system with newer libraries, build it on this one");
}

/* OpenBLAS reads the variable when it is loaded, which a plugin may do: adloom's own workers are the threads. */
static void keep_blas_single(void) {
  static bool done = false;
  if (!done) setenv("OPENBLAS_NUM_THREADS", "1", 1);
  done = true;
}

static adl_plugin_entry_function open_plugin(const char *path, GString *why) {
  keep_blas_single();
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == NULL) {
    explain_open(path, why);
    return NULL;
  }
  void *symbol = dlsym(handle, "adl_plugin_entry");
  if (symbol == NULL) {
    g_string_append(why, "it has an adloom note but no function adl_plugin_entry; ADL_PLUGIN writes both, and the "
                         "function must not be hidden by a linker script");
    return NULL;
  }
  adl_plugin_entry_function function;
  memcpy(&function, &symbol, sizeof function); /* ISO C has no cast from object to function pointers */
  return function;
}

static const char *volatile loading; /* for the crash handler: constructors and entry points are foreign code too */

const char *adl_registry_loading(void) { return loading; }

static int offer_index(const adl_entry *entry, const char *id) {
  for (uint32_t i = 0; i < entry->shown.offer_count; i++)
    if (strcmp(entry->shown.offers[i].id, id) == 0) return (int)i;
  return -1;
}

/* Each class of the descriptor is one of the note's, and the other way round; each is fit for use. */
static void take_classes(adl_entry *entry, const adl_plugin *plugin, adl_loaded *loaded, GString *why) {
  for (uint32_t i = 0; i < plugin->class_count; i++) {
    const adl_class *class = plugin->classes[i];
    int at = offer_index(entry, class->id);
    const char *kind = adl_kind_name(class->kind);
    if (at < 0 || kind == NULL || strcmp(kind, entry->shown.offers[at].kind) != 0) {
      g_string_append_printf(why,
                             "%sits note and its descriptor disagree: the note does not have %s:%s; list it in "
                             "ADL_PLUGIN",
                             why->len > 0 ? "; " : "", kind != NULL ? kind : "(unknown kind)", class->id);
      continue;
    }
    if (loaded[at].path != NULL) {
      g_string_append_printf(why, "%sit offers class `%s` twice", why->len > 0 ? "; " : "", class->id);
      continue;
    }
    loaded[at].path = entry->shown.path;
    loaded[at].place = entry->shown.place;
    loaded[at].plugin = *plugin;
    adl_check_class(class, &loaded[at], why);
  }
  for (uint32_t i = 0; i < entry->shown.offer_count; i++)
    if (loaded[i].path == NULL && why->len == 0)
      g_string_append_printf(why, "its note and its descriptor disagree: the note has %s:%s, the descriptor does not",
                             entry->shown.offers[i].kind, entry->shown.offers[i].id);
}

static void load(const adl_registry *registry, adl_entry *entry, GString *why) {
  adl_plugin_entry_function function = entry->function;
  if (function == NULL) function = open_plugin(entry->shown.path, why);
  if (function == NULL) return;
  const adl_plugin *descriptor = function(registry->host);
  adl_plugin plugin;
  if (!adl_check_plugin(descriptor, entry->function == NULL ? &entry->note : NULL, &plugin, why)) return;
  adl_loaded *loaded = g_new0(adl_loaded, entry->shown.offer_count);
  take_classes(entry, &plugin, loaded, why);
  if (why->len > 0) {
    for (uint32_t i = 0; i < entry->shown.offer_count; i++) g_free((adl_param *)loaded[i].class.params);
    g_free(loaded);
    return;
  }
  char *build = g_strdup(entry->note.build);
  if (build == NULL) build = hash_file(entry->function == NULL ? entry->shown.path : "/proc/self/exe");
  if (build == NULL) build = g_strdup("unknown");
  for (uint32_t i = 0; i < entry->shown.offer_count; i++) loaded[i].build = build;
  entry->loaded = loaded;
}

bool adl_entry_load(const adl_registry *registry, adl_entry *entry) {
  if (!entry->tried) {
    entry->tried = true;
    GString *why = g_string_new(NULL);
    loading = entry->shown.path;
    load(registry, entry, why);
    loading = NULL;
    if (why->len > 0) entry->shown.refused = g_strdup(why->str);
    g_string_free(why, TRUE);
  }
  return entry->loaded != NULL;
}
