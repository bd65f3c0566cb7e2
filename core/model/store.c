/* The model store, see store.h. An entry is DIRECTORY/HASH.safetensors; its access time says when it was last used. */
#include "core/model/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/model/safetensors.h"

#define SUFFIX ".safetensors"

enum { STALE_AFTER = 24 * 60 * 60 }; /* seconds: half-written files that a crash has left */

struct adl_model_store {
  char *directory;
  int64_t cap;
  struct timespec opened;
};

adl_model_store *adl_model_store_new(const char *directory, int64_t cap) {
  adl_model_store *store = g_new0(adl_model_store, 1);
  store->directory = directory != NULL ? g_canonicalize_filename(directory, NULL)
                                       : g_build_filename(g_get_user_cache_dir(), "adloom", "models", NULL);
  store->cap = cap > 0 ? cap : ADL_MODEL_STORE_CAP;
  clock_gettime(CLOCK_REALTIME_COARSE, &store->opened); /* the clock that file systems go by, some in whole seconds */
  store->opened.tv_nsec = 0;
  return store;
}

void adl_model_store_free(adl_model_store *store) {
  if (store == NULL) return;
  g_free(store->directory);
  g_free(store);
}

const char *adl_model_store_directory(const adl_model_store *store) { return store->directory; }

/* ---- entries ---- */

/* NULL: this is no hash. A hash becomes a file name, so nothing else may pass. */
static char *path_of(const adl_model_store *store, const char *hash) {
  size_t size = hash != NULL ? strlen(hash) : 0;
  if (size < 8 || size > 128 || strspn(hash, "0123456789abcdef") != size) return NULL;
  return g_strconcat(store->directory, "/", hash, SUFFIX, NULL);
}

/* Says that the entry was used now; the time of its content stays. */
static void touch(const char *path) {
  const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
  if (utimensat(AT_FDCWD, path, times, 0) != 0) return; /* somebody else's, or gone: then it is only older than it is */
}

char *adl_model_store_get(adl_model_store *store, const char *hash) {
  char *path = path_of(store, hash);
  if (path == NULL || access(path, R_OK) != 0) {
    g_free(path);
    return NULL;
  }
  touch(path);
  return path;
}

/* A sound file under this name is not yet the model of this hash: somebody may have copied another over it. */
static adl_tensors *read_entry(const char *path, const char *hash, adl_model_meta **meta, GError **error) {
  adl_tensors *tensors = adl_model_read(path, meta, error);
  if (tensors == NULL || strcmp((*meta)->key, hash) == 0) return tensors;
  adl_model_fail(error, ADL_MODEL_ERROR_FORMAT, path,
                 (*meta)->key[0] != '\0' ? "holds the model of another hash"
                                         : "does not say which hash its model is of: an earlier adloom wrote it, or it "
                                           "was copied there");
  g_clear_pointer(meta, adl_model_meta_free);
  adl_tensors_free(tensors);
  return NULL;
}

adl_tensors *adl_model_store_look(adl_model_store *store, const char *hash, adl_model_meta **meta, char **warning) {
  GError *error = NULL;
  char *path = path_of(store, hash);
  adl_model_meta *own = NULL;
  if (meta != NULL) *meta = NULL;
  if (warning != NULL) *warning = NULL;
  if (path == NULL) return NULL;
  struct stat state;
  bool there = stat(path, &state) == 0;
  adl_tensors *tensors = read_entry(path, hash, &own, &error);
  if (tensors != NULL) {
    const struct timespec times[2] = {state.st_atim, {.tv_nsec = UTIME_OMIT}}; /* reading may have moved it */
    if (there && utimensat(AT_FDCWD, path, times, 0) != 0) errno = 0;          /* somebody else's: it looks newer */
  } else if (error->code != ADL_MODEL_ERROR_ABSENT) {
    bool damaged = error->code == ADL_MODEL_ERROR_FORMAT;
    if (warning != NULL)
      *warning = g_strdup_printf("the model store has an entry that cannot be used and is %s: %s",
                                 damaged ? "removed" : "left alone", error->message);
    if (damaged) unlink(path);
  }
  if (meta != NULL)
    *meta = own;
  else
    adl_model_meta_free(own);
  g_clear_error(&error);
  g_free(path);
  return tensors;
}

adl_tensors *adl_model_store_load(adl_model_store *store, const char *hash, adl_model_meta **meta, char **warning) {
  adl_tensors *tensors = adl_model_store_look(store, hash, meta, warning);
  char *path = tensors != NULL ? path_of(store, hash) : NULL;
  if (path != NULL) touch(path);
  g_free(path);
  return tensors;
}

/* ---- the cap ---- */

typedef struct entry {
  char *path;
  int64_t bytes;
  struct timespec used;
} entry;

static void clear_entry(gpointer data) { g_free(((entry *)data)->path); }

static bool before(const struct timespec *a, const struct timespec *b) {
  return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Longest unused first; by name where times are equal, so that two processes agree. */
static gint by_use(gconstpointer a, gconstpointer b) {
  const entry *first = a, *second = b;
  if (before(&first->used, &second->used)) return -1;
  if (before(&second->used, &first->used)) return 1;
  return strcmp(first->path, second->path);
}

/* All entries; removes half-written files that are a day old. */
static GArray *list_entries(const adl_model_store *store, int64_t *bytes) {
  GArray *entries = g_array_new(FALSE, FALSE, sizeof(entry));
  GDir *directory = g_dir_open(store->directory, 0, NULL);
  const char *name;
  *bytes = 0;
  g_array_set_clear_func(entries, clear_entry);
  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
    entry one = {.path = g_build_filename(store->directory, name, NULL)};
    struct stat state;
    bool regular = lstat(one.path, &state) == 0 && S_ISREG(state.st_mode);
    if (regular && g_str_has_suffix(name, SUFFIX)) {
      one.bytes = (int64_t)state.st_blocks * 512;
      one.used = state.st_atim;
      *bytes += one.bytes;
      g_array_append_val(entries, one);
      continue;
    }
    if (regular && strstr(name, SUFFIX ".tmp-") != NULL && state.st_mtim.tv_sec + STALE_AFTER < store->opened.tv_sec)
      unlink(one.path);
    g_free(one.path);
  }
  if (directory != NULL) g_dir_close(directory);
  return entries;
}

/* One process prunes at a time; whoever comes second need not (-1). To be closed. */
static int lock(const adl_model_store *store) {
  char *path = g_build_filename(store->directory, "lock", NULL);
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_free(path);
  if (file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  close(file);
  return -1;
}

static void prune(const adl_model_store *store) {
  int file = lock(store);
  if (file < 0) return;
  int64_t bytes;
  GArray *entries = list_entries(store, &bytes);
  g_array_sort(entries, by_use);
  for (guint i = 0; i < entries->len && bytes > store->cap; i++) {
    const entry *oldest = &g_array_index(entries, entry, i);
    if (!before(&oldest->used, &store->opened)) break;
    if (unlink(oldest->path) == 0) bytes -= oldest->bytes;
  }
  g_array_free(entries, TRUE);
  close(file);
}

bool adl_model_store_prune(const adl_model_store *store, int64_t unused, int64_t cap, int64_t *count, int64_t *gone) {
  int64_t bytes;
  *count = *gone = 0;
  if (!g_file_test(store->directory, G_FILE_TEST_IS_DIR)) return true;
  int file = lock(store);
  if (file < 0) return false;
  GArray *entries = list_entries(store, &bytes);
  g_array_sort(entries, by_use);
  for (guint i = 0; i < entries->len; i++) {
    const entry *oldest = &g_array_index(entries, entry, i);
    bool old = oldest->used.tv_sec + unused <= store->opened.tv_sec, over = cap >= 0 && bytes > cap;
    if ((!old && !over) || unlink(oldest->path) != 0) continue;
    bytes -= oldest->bytes;
    *gone += oldest->bytes;
    ++*count;
  }
  g_array_free(entries, TRUE);
  close(file);
  return true;
}

static void free_stored(gpointer data) {
  g_free(((adl_stored *)data)->hash);
  g_free(data);
}

GPtrArray *adl_model_store_list(const adl_model_store *store) {
  int64_t bytes;
  GArray *entries = list_entries(store, &bytes);
  GPtrArray *list = g_ptr_array_new_with_free_func(free_stored);
  g_array_sort(entries, by_use);
  for (guint i = 0; i < entries->len; i++) {
    const entry *one = &g_array_index(entries, entry, i);
    adl_stored *stored = g_new(adl_stored, 1);
    *stored = (adl_stored){g_path_get_basename(one->path), one->bytes, one->used.tv_sec};
    stored->hash[strlen(stored->hash) - strlen(SUFFIX)] = '\0';
    g_ptr_array_add(list, stored);
  }
  g_array_free(entries, TRUE);
  return list;
}

/* ---- putting ---- */

bool adl_model_store_put(adl_model_store *store, const char *hash, const adl_tensors *tensors,
                         const adl_model_meta *meta, GError **error) {
  char *path = path_of(store, hash);
  if (path == NULL) return adl_model_fail(error, ADL_MODEL_ERROR_CONTENT, store->directory, "`%s` is no hash", hash);
  adl_model_meta keyed = *meta;
  keyed.key = g_strdup(hash);
  bool kept = g_mkdir_with_parents(store->directory, 0700) == 0 ||
              adl_model_fail(error, ADL_MODEL_ERROR_IO, store->directory, "cannot be made: %s", g_strerror(errno));
  kept = kept && adl_model_write_unsynced(path, tensors, &keyed, error);
  if (kept) {
    touch(path); /* a file is born with the time at which its writing began on some file systems */
    prune(store);
  }
  g_free(keyed.key);
  g_free(path);
  return kept;
}
