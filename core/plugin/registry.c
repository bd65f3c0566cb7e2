/*
 * The registry: keeps what was found, decides which file provides a class id, and explains why one is not there. Called
 * by the graph layer and by `adloom plugin`.
 */
#include "core/plugin/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/plugin/internal.h"

static const char *const kind_names[] = {NULL,      "source",   "transform", "feature",
                                         "profile", "optimize", "evaluate",  "sink"};

const char *adl_kind_name(uint32_t kind) { return kind < G_N_ELEMENTS(kind_names) ? kind_names[kind] : NULL; }

const char *adl_place_name(adl_place_kind kind) {
  switch (kind) {
    case ADL_PLACE_PIPELINE: return "plugins: of the pipeline";
    case ADL_PLACE_PATH: return "ADLOOM_PLUGIN_PATH";
    case ADL_PLACE_USER: return "your own plugins";
    case ADL_PLACE_STATIC: return "part of this program";
    case ADL_PLACE_BUILD: return "the build tree";
    case ADL_PLACE_INSTALLED: return "installed plugins";
  }
  return "";
}

static void free_place(void *data) {
  adl_plugin_place *place = data;
  g_free((char *)place->path);
  g_free((char *)place->refused);
  g_free(place);
}

static void free_offers(adl_entry *entry) {
  for (uint32_t i = 0; i < entry->shown.offer_count; i++) {
    const adl_offer *offer = &entry->shown.offers[i];
    g_free((char *)offer->kind);
    g_free((char *)offer->id);
  }
  g_free((adl_offer *)entry->shown.offers);
  entry->shown.offers = NULL;
  entry->shown.offer_count = 0;
}

static void free_entry(void *data) {
  adl_entry *entry = data;
  if (entry->loaded != NULL) {
    g_free((char *)entry->loaded[0].build);
    for (uint32_t i = 0; i < entry->shown.offer_count; i++) g_free((adl_param *)entry->loaded[i].class.params);
    g_free(entry->loaded);
  }
  free_offers(entry);
  adl_note_clear(&entry->note);
  g_free((char *)entry->shown.path);
  g_free((char *)entry->shown.refused);
  g_free(entry);
}

static const adl_host version_only = {
    .struct_size = sizeof(adl_host), .abi_major = ADL_ABI_MAJOR, .abi_minor = ADL_ABI_MINOR, .threads = 1};

adl_registry *adl_registry_new(const adl_host *host) {
  adl_registry *registry = g_new0(adl_registry, 1);
  registry->host = host != NULL ? host : &version_only;
  registry->places = g_ptr_array_new_with_free_func(free_place);
  registry->entries = g_ptr_array_new_with_free_func(free_entry);
  registry->ids = g_hash_table_new(g_str_hash, g_str_equal);
  return registry;
}

void adl_registry_free(adl_registry *registry) {
  if (registry == NULL) return;
  g_hash_table_unref(registry->ids);
  g_ptr_array_unref(registry->entries);
  g_ptr_array_unref(registry->places);
  g_free(registry);
}

/* ---- which file provides an id ---- */

/* Smaller wins. An id without a dot belongs to adloom itself: only `plugins:` in the pipeline replaces it. */
static int rank(const adl_entry *entry, const char *id) {
  adl_place_kind place = entry->shown.place;
  bool own = strchr(id, '.') == NULL;
  if (own && (place == ADL_PLACE_PATH || place == ADL_PLACE_USER)) return (int)place + 10;
  return (int)place;
}

static void provide(adl_registry *registry, adl_entry *entry, const char *id) {
  adl_entry *other = g_hash_table_lookup(registry->ids, id);
  if (other == NULL || rank(entry, id) < rank(other, id)) g_hash_table_replace(registry->ids, (char *)id, entry);
}

/* Two files named by the pipeline that offer the same id: the first one wins, as everywhere. */
static void settle(adl_registry *registry) {
  g_hash_table_remove_all(registry->ids);
  for (guint i = 0; i < registry->entries->len; i++) {
    adl_entry *entry = registry->entries->pdata[i];
    for (uint32_t k = 0; entry->usable && k < entry->shown.offer_count; k++)
      provide(registry, entry, entry->shown.offers[k].id);
  }
  for (guint i = 0; i < registry->entries->len; i++) {
    adl_entry *entry = registry->entries->pdata[i];
    for (uint32_t k = 0; k < entry->shown.offer_count; k++) {
      adl_offer *offer = (adl_offer *)&entry->shown.offers[k];
      const adl_entry *winner = g_hash_table_lookup(registry->ids, offer->id);
      offer->shadowed_by = entry->usable && winner != entry ? winner->shown.path : NULL;
    }
  }
}

/* ---- looking at files ---- */

static bool known_kind(const char *name, size_t size) {
  for (uint32_t kind = ADL_SOURCE; adl_kind_name(kind) != NULL; kind++)
    if (strlen(adl_kind_name(kind)) == size && strncmp(adl_kind_name(kind), name, size) == 0) return true;
  return false;
}

static bool offered_twice(const GArray *offers, const char *id) {
  for (guint i = 0; i < offers->len; i++)
    if (strcmp(g_array_index(offers, adl_offer, i).id, id) == 0) return true;
  return false;
}

/* "kind:id kind:id" of the note into shown.offers. */
static bool read_offers(adl_entry *entry, const char *ids, GString *why) {
  enum { MAX_CLASSES = 256 };
  GArray *offers = g_array_new(FALSE, FALSE, sizeof(adl_offer));
  char **items = g_strsplit(ids, " ", MAX_CLASSES + 1);
  bool fine = true;
  for (char **item = items; *item != NULL && fine; item++) {
    if (**item == '\0') continue;
    const char *colon = strchr(*item, ':');
    fine = colon != NULL && known_kind(*item, (size_t)(colon - *item)) && adl_id_valid(colon + 1) &&
           !offered_twice(offers, colon + 1);
    if (!fine) {
      g_string_append(why, "its adloom note is damaged: not a kind:class pair of its own: ");
      adl_text_quote(why, *item);
      break;
    }
    adl_offer offer = {g_strndup(*item, (gsize)(colon - *item)), g_strdup(colon + 1), NULL};
    g_array_append_val(offers, offer);
  }
  if (fine && offers->len == 0) {
    g_string_append(why, "its adloom note is damaged: it names no class");
    fine = false;
  }
  g_strfreev(items);
  entry->shown.offer_count = offers->len;
  entry->shown.offers = (adl_offer *)g_array_free(offers, FALSE);
  return fine;
}

static bool check_abi(const adl_note *note, GString *why) {
  int major = note->abi_major, minor = note->abi_minor;
  if (major == ADL_ABI_MAJOR && minor <= ADL_ABI_MINOR) return true;
  g_string_append_printf(why, "it was built for plugin ABI %d.%d, this adloom has %d.%d; ", major, minor, ADL_ABI_MAJOR,
                         ADL_ABI_MINOR);
  if (major < ADL_ABI_MAJOR)
    g_string_append(why, "build it again with the adloom/plugin.h of this adloom");
  else
    g_string_append(why, "use a newer adloom, or build it with the adloom/plugin.h of this one");
  return false;
}

static bool examine(adl_entry *entry, int file, const char *path, GString *why) {
  struct stat about;
  if (fstat(file, &about) != 0) {
    g_string_append_printf(why, "it cannot be read: %s", g_strerror(errno));
    return false;
  }
  if (!S_ISREG(about.st_mode)) {
    g_string_append(why, "it is no plugin: not a regular file");
    return false;
  }
  if (adl_place_open_to_all(about.st_mode, path, why)) return false;
  bool fine = adl_note_read(file, about.st_size, &entry->note, why);
  entry->shown.id = entry->note.id;
  entry->shown.version = entry->note.version;
  entry->shown.abi_major = entry->note.abi_major;
  entry->shown.abi_minor = entry->note.abi_minor;
  if (!fine) return false;
  fine = read_offers(entry, entry->note.ids, why);
  return fine && check_abi(&entry->note, why);
}

static adl_entry *new_entry(adl_registry *registry, const char *path, adl_place_kind place) {
  adl_entry *entry = g_new0(adl_entry, 1);
  entry->shown.path = g_strdup(path);
  entry->shown.place = place;
  g_ptr_array_add(registry->entries, entry);
  return entry;
}

/* An empty `why` means that all is well. */
static void conclude(adl_entry *entry, const GString *why) {
  entry->usable = why->len == 0;
  if (!entry->usable) entry->shown.refused = g_strdup(why->str);
}

adl_entry *adl_registry_examine(adl_registry *registry, int directory, const char *name, const char *path,
                                adl_place_kind place) {
  adl_entry *entry = new_entry(registry, path, place);
  GString *why = g_string_new(NULL);
  int file = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    g_string_append_printf(why, "it cannot be opened: %s", g_strerror(errno));
  else
    examine(entry, file, path, why);
  if (file >= 0) close(file);
  conclude(entry, why);
  g_string_free(why, TRUE);
  return entry;
}

void adl_registry_take_linked(adl_registry *registry, adl_plugin_entry_function function) {
  adl_entry *entry = new_entry(registry, "built in", ADL_PLACE_STATIC);
  entry->function = function;
  GString *why = g_string_new(NULL), *ids = g_string_new(NULL);
  adl_plugin plugin;
  if (adl_check_plugin(function(registry->host), NULL, &plugin, why)) {
    entry->shown.id = plugin.id;
    entry->shown.version = plugin.version;
    entry->shown.abi_major = plugin.abi_major;
    entry->shown.abi_minor = plugin.abi_minor;
    for (uint32_t i = 0; i < plugin.class_count; i++) {
      const char *kind = adl_kind_name(plugin.classes[i]->kind);
      g_string_append_printf(ids, "%s:%s ", kind != NULL ? kind : "?", plugin.classes[i]->id);
    }
    read_offers(entry, ids->str, why);
  }
  conclude(entry, why);
  g_string_free(why, TRUE);
  g_string_free(ids, TRUE);
}

/* A file in a folder where anybody may put another one in its place. In a sticky one (/tmp) only its owner can. */
static bool open_folder(const char *path, GString *why) {
  char *folder = g_path_get_dirname(path);
  struct stat about;
  bool open_to_all = stat(folder, &about) == 0 && (about.st_mode & S_ISVTX) == 0 && (about.st_mode & S_IWOTH) != 0;
  if (open_to_all)
    g_string_append_printf(why, "every user of this machine may write to its folder; run chmod o-w '%s'", folder);
  g_free(folder);
  return open_to_all;
}

bool adl_registry_add_file(adl_registry *registry, const char *path, GString *why) {
  adl_entry *entry = adl_registry_examine(registry, AT_FDCWD, path, path, ADL_PLACE_PIPELINE);
  GString *reason = g_string_new(NULL);
  if (entry->usable && open_folder(path, reason)) conclude(entry, reason);
  g_string_free(reason, TRUE);
  settle(registry);
  if (entry->shown.refused != NULL) g_string_append_printf(why, "plugin %s: %s", path, entry->shown.refused);
  return entry->shown.refused == NULL;
}

void adl_registry_add_linked(adl_registry *registry, adl_plugin_entry_function entry) {
  adl_registry_take_linked(registry, entry);
  settle(registry);
}

void adl_registry_scan(adl_registry *registry) {
  adl_places_scan(registry);
  settle(registry);
}

/* ---- asking for a class ---- */

/* Could this refused file have offered the class? By its note, else by its name: acme.kmeans is looked for in
 * acme.kmeans.so, acme-kmeans.so and kmeans.so. */
static bool might_offer(const adl_entry *entry, const char *id) {
  for (uint32_t i = 0; i < entry->shown.offer_count; i++)
    if (strcmp(entry->shown.offers[i].id, id) == 0) return true;
  if (entry->shown.offer_count > 0) return false;
  const char *dot = strrchr(id, '.');
  char *stem = g_path_get_basename(entry->shown.path), *dashed = g_strdelimit(g_strdup(id), ".", '-');
  if (g_str_has_suffix(stem, ".so")) stem[strlen(stem) - 3] = '\0';
  bool might = strcmp(stem, id) == 0 || strcmp(stem, dashed) == 0 || (dot != NULL && strcmp(stem, dot + 1) == 0);
  g_free(stem);
  g_free(dashed);
  return might;
}

static uint32_t count_usable(const adl_registry *registry, const adl_plugin_place *place) {
  uint32_t count = 0;
  for (guint i = 0; i < registry->entries->len; i++) {
    const adl_plugin_file *file = adl_registry_file(registry, i);
    size_t size = strlen(place->path);
    count += file->place == place->kind && file->refused == NULL && strncmp(file->path, place->path, size) == 0 &&
             file->path[size] == '/';
  }
  return count;
}

/* One of the folders of the build tree, TOP/plugins/KIND/.libs. */
static bool in_tree(const adl_registry *registry, guint at) {
  if (at >= registry->places->len) return false;
  const adl_plugin_place *place = registry->places->pdata[at];
  return place->kind == ADL_PLACE_BUILD && place->refused == NULL;
}

/* TOP/plugins/KIND/.libs, of all kinds. */
static void append_kinds(const char *path, GString *why) {
  char *kind = g_path_get_dirname(path), *plugins = g_path_get_dirname(kind), *leaf = g_path_get_basename(path);
  g_string_append_printf(why, "%s/*/%s", plugins, leaf);
  g_free(kind);
  g_free(plugins);
  g_free(leaf);
}

/* A line for each; the folders of the build tree have one together. */
static void note_places(const adl_registry *registry, GString *why) {
  uint32_t count = 0;
  for (guint i = 0; i < registry->places->len; i++) {
    const adl_plugin_place *place = registry->places->pdata[i];
    count += count_usable(registry, place);
    if (in_tree(registry, i) && in_tree(registry, i + 1)) continue;
    g_string_append(why, "\nlooked in ");
    if (in_tree(registry, i))
      append_kinds(place->path, why);
    else
      g_string_append(why, place->path);
    g_string_append_printf(why, " (%s): ", adl_place_name(place->kind));
    if (place->refused != NULL)
      g_string_append(why, place->refused);
    else
      g_string_append_printf(why, "%u plugin%s", count, count == 1 ? "" : "s");
    count = 0;
  }
  for (guint i = 0; i < registry->entries->len; i++) {
    const adl_plugin_file *file = adl_registry_file(registry, i);
    if (file->refused != NULL) g_string_append_printf(why, "\nrefused %s: %s", file->path, file->refused);
  }
}

static void explain_missing(const adl_registry *registry, const char *id, GString *why) {
  for (guint i = 0; i < registry->entries->len; i++) {
    const adl_entry *entry = registry->entries->pdata[i];
    if (entry->shown.refused == NULL || !might_offer(entry, id)) continue;
    g_string_append_printf(why, "class `%s` cannot be used: plugin %s: %s", id, entry->shown.path,
                           entry->shown.refused);
    return;
  }
  g_string_append_printf(why, "there is no class `%s`", id);
  const char **ids = adl_registry_ids(registry);
  adl_text_suggest(why, id, ids, g_strv_length((char **)ids));
  g_free(ids);
  note_places(registry, why);
}

const adl_loaded *adl_registry_find(adl_registry *registry, const char *id, GString *why) {
  adl_entry *entry = g_hash_table_lookup(registry->ids, id);
  if (entry == NULL) {
    explain_missing(registry, id, why);
    return NULL;
  }
  if (!adl_entry_load(registry, entry)) {
    g_string_append_printf(why, "class `%s` cannot be used: plugin %s: %s", id, entry->shown.path,
                           entry->shown.refused);
    return NULL;
  }
  for (uint32_t i = 0; i < entry->shown.offer_count; i++)
    if (strcmp(entry->shown.offers[i].id, id) == 0) return &entry->loaded[i];
  g_assert_not_reached(); /* the id came from these offers */
}

/* ---- lists ---- */

bool adl_registry_offers(const adl_registry *registry, const char *id) {
  return g_hash_table_contains(registry->ids, id);
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **adl_registry_ids(const adl_registry *registry) {
  guint count;
  const char **ids = (const char **)g_hash_table_get_keys_as_array(registry->ids, &count);
  qsort(ids, count, sizeof ids[0], compare_texts);
  return ids;
}

uint32_t adl_registry_place_count(const adl_registry *registry) { return registry->places->len; }

const adl_plugin_place *adl_registry_place(const adl_registry *registry, uint32_t at) {
  return registry->places->pdata[at];
}

uint32_t adl_registry_file_count(const adl_registry *registry) { return registry->entries->len; }

const adl_plugin_file *adl_registry_file(const adl_registry *registry, uint32_t at) {
  const adl_entry *entry = registry->entries->pdata[at];
  return &entry->shown;
}
