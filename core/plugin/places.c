/*
 * Where plugins are looked for, in this order: ADLOOM_PLUGIN_PATH, the user's data directory, the program itself, the
 * build tree, the installed folder. Called by adl_registry_scan.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/internal.h"

#ifndef ADLOOM_PLUGIN_DIR
#define ADLOOM_PLUGIN_DIR "/usr/local/lib/adloom/abi-1"
#endif

bool adl_place_open_to_all(unsigned mode, const char *path, GString *why) {
  if ((mode & S_IWOTH) == 0) return false;
  g_string_append_printf(why, "every user of this machine may write to it; run chmod o-w '%s'", path);
  return true;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the shared objects in a directory, sorted, so that the order never depends on the file system. */
static GPtrArray *list_objects(DIR *directory) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  for (struct dirent *item = readdir(directory); item != NULL; item = readdir(directory))
    if (item->d_name[0] != '.' && g_str_has_suffix(item->d_name, ".so")) g_ptr_array_add(names, g_strdup(item->d_name));
  g_ptr_array_sort(names, compare_names);
  return names;
}

static bool same_place(const adl_registry *registry, const char *path) {
  for (guint i = 0; i < registry->places->len; i++) {
    const adl_plugin_place *other = registry->places->pdata[i];
    if (other->refused == NULL && strcmp(other->path, path) == 0) return true;
  }
  return false;
}

/* A file that the pipeline names itself need not be looked at again. */
static bool same_file(const adl_registry *registry, const char *path) {
  for (guint i = 0; i < registry->entries->len; i++)
    if (strcmp(adl_registry_file(registry, i)->path, path) == 0) return true;
  return false;
}

/* Reads a directory's plugins. Where it cannot be read, `why` says so. */
static void read_directory(adl_registry *registry, adl_place_kind kind, const char *path, GString *why) {
  int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) {
    g_string_append(why, errno == ENOENT    ? "no such directory"
                         : errno == ENOTDIR ? "not a directory"
                                            : g_strerror(errno));
    return;
  }
  struct stat about;
  DIR *directory = fstat(file, &about) == 0 ? fdopendir(file) : NULL;
  if (directory == NULL) {
    g_string_append(why, g_strerror(errno));
    close(file);
    return;
  }
  if (!adl_place_open_to_all(about.st_mode, path, why)) {
    GPtrArray *names = list_objects(directory);
    for (guint i = 0; i < names->len; i++) {
      char *whole = g_build_filename(path, names->pdata[i], NULL);
      if (!same_file(registry, whole)) adl_registry_examine(registry, file, names->pdata[i], whole, kind);
      g_free(whole);
    }
    g_ptr_array_unref(names);
  }
  closedir(directory);
}

/* Takes over `path`. */
static void add_place(adl_registry *registry, adl_place_kind kind, char *path) {
  char *canonical = g_canonicalize_filename(path, NULL);
  g_free(path);
  GString *why = g_string_new(NULL);
  if (same_place(registry, canonical))
    g_string_append(why, "already looked in");
  else
    read_directory(registry, kind, canonical, why);
  adl_plugin_place *place = g_new0(adl_plugin_place, 1);
  place->kind = kind;
  place->path = canonical;
  bool refused = why->len > 0;
  char *reason = g_string_free(why, FALSE);
  place->refused = refused ? reason : NULL;
  if (!refused) g_free(reason);
  g_ptr_array_add(registry->places, place);
}

static void scan_path(adl_registry *registry) {
  const char *list = getenv("ADLOOM_PLUGIN_PATH");
  if (list == NULL) return;
  char **items = g_strsplit(list, ":", -1);
  for (char **item = items; *item != NULL; item++)
    if (**item != '\0') add_place(registry, ADL_PLACE_PATH, g_strdup(*item));
  g_strfreev(items);
}

static void scan_user(adl_registry *registry) {
  const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
  if (data != NULL && data[0] == '/')
    add_place(registry, ADL_PLACE_USER, g_build_filename(data, "adloom", "plugins", NULL));
  else if (home != NULL && home[0] == '/')
    add_place(registry, ADL_PLACE_USER, g_build_filename(home, ".local", "share", "adloom", "plugins", NULL));
}

/* The top of the build tree that the program runs from, or that ADLOOM_BUILD names (for test programs); NULL: it is
 * installed. */
static char *find_build_tree(void) {
  const char *named = getenv("ADLOOM_BUILD");
  if (named != NULL && named[0] == '/') return g_strdup(named);
  char program[4096];
  ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
  if (size <= 0) return NULL;
  program[size] = '\0';
  char *folder = g_path_get_dirname(program);
  char *mark = g_build_filename(folder, "config.status", NULL), *plugins = g_build_filename(folder, "plugins", NULL);
  bool found = access(mark, F_OK) == 0 && access(plugins, F_OK) == 0;
  g_free(mark);
  g_free(plugins);
  if (found) return folder;
  g_free(folder);
  return NULL;
}

static void scan_build(adl_registry *registry) {
  char *top = find_build_tree();
  if (top == NULL) return;
  for (uint32_t kind = ADL_SOURCE; adl_kind_name(kind) != NULL; kind++) {
    char *path = g_build_filename(top, "plugins", adl_kind_name(kind), ".libs", NULL);
    if (access(path, F_OK) == 0)
      add_place(registry, ADL_PLACE_BUILD, path);
    else
      g_free(path);
  }
  g_free(top);
}

void adl_places_scan(adl_registry *registry) {
  scan_path(registry);
  scan_user(registry);
  uint32_t count;
  const adl_plugin_entry_function *linked = adl_static_plugins(&count);
  for (uint32_t i = 0; i < count; i++) adl_registry_take_linked(registry, linked[i]);
  scan_build(registry);
  add_place(registry, ADL_PLACE_INSTALLED, g_strdup(ADLOOM_PLUGIN_DIR));
}
