/* Storage beyond the run's memory, see spill.h. */
#include "core/base/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPILLED_FROM = 128 << 10, LEAST_RESIDENT = 32 << 20 };

static struct {
  int64_t limit;
  const _Atomic int64_t *others;
  char *directory;
  _Atomic int64_t held;
  _Atomic(char *) failure;
  pthread_mutex_t mutex;
  GArray *files; /* of piece */
  guint hand;    /* which of them is the next to leave memory */
  int64_t hand_at;
  _Atomic int64_t in_files;
  int64_t others_shared; /* bytes of mapped files before there were any of these: the program and its libraries */
} spill = {.limit = INT64_MAX, .mutex = PTHREAD_MUTEX_INITIALIZER};

void adl_spill_beyond(int64_t limit, const _Atomic int64_t *others, const char *directory) {
  spill.limit = limit;
  spill.others = others;
  g_free(spill.directory);
  spill.directory = g_strdup(directory);
  g_free(atomic_exchange(&spill.failure, NULL));
}

void adl_spill_hold(int64_t bytes) { atomic_fetch_add(&spill.held, bytes); }
int64_t adl_spill_held(void) { return atomic_load(&spill.held); }
const char *adl_spill_failure(void) { return atomic_load_explicit(&spill.failure, memory_order_acquire); }

bool adl_spill_wanted(int64_t size, int64_t more) {
  if (size < SPILLED_FROM || spill.limit == INT64_MAX) return false;
  return atomic_load(&spill.held) + (spill.others != NULL ? atomic_load(spill.others) : 0) + more > spill.limit;
}

static void note_failure(int64_t size, int error) {
  char *none = NULL, *why = g_strdup_printf("%" G_GINT64_FORMAT " MiB of keyed tables, more than the run may hold in "
                                            "memory, cannot be put into a file in %s: %s",
                                            (size >> 20) + 1, spill.directory, g_strerror(error));
  if (!atomic_compare_exchange_strong(&spill.failure, &none, why)) g_free(why); /* the first one counts */
}

/* A file of `size` bytes without a name; its room is taken at once, so that a full disk is told here. -1: errno says why. */
static int open_file(int64_t size) {
  int file = open(spill.directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    char *name = g_build_filename(spill.directory, ".spool-XXXXXX", NULL);
    file = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) unlink(name);
    g_free(name);
  }
  if (file < 0) return -1;
  int error = posix_fallocate(file, 0, size);
  if (error == 0) return file;
  close(file);
  errno = error;
  return -1;
}

/* ---- pages ---- */

typedef struct piece {
  void *pages;
  int64_t size;
} piece;

/* Bytes of mapped files that lie in this process (proc(5), statm). */
static int64_t shared_bytes(void) {
  char text[128];
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t size = file >= 0 ? read(file, text, sizeof text - 1) : -1;
  long long pages = 0;
  if (file >= 0) close(file);
  if (size <= 0) return 0;
  text[size] = 0;
  return sscanf(text, "%*d %*d %lld", &pages) == 1 ? pages * sysconf(_SC_PAGESIZE) : 0;
}

void *adl_spill_map(int64_t size) {
  int file = open_file(size);
  void *pages = file < 0 ? MAP_FAILED : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (pages == MAP_FAILED) note_failure(size, errno);
  if (file >= 0) close(file);
  if (pages == MAP_FAILED) return NULL;
  pthread_mutex_lock(&spill.mutex);
  if (spill.files == NULL) spill.files = g_array_new(FALSE, FALSE, sizeof(piece));
  if (spill.files->len == 0) spill.others_shared = shared_bytes();
  g_array_append_val(spill.files, ((piece){pages, size}));
  atomic_fetch_add(&spill.in_files, size);
  pthread_mutex_unlock(&spill.mutex);
  return pages;
}

void adl_spill_unmap(void *pages, int64_t size) {
  pthread_mutex_lock(&spill.mutex);
  for (guint i = 0; i < spill.files->len; i++) {
    if (g_array_index(spill.files, piece, i).pages != pages) continue;
    g_array_remove_index_fast(spill.files, i);
    break;
  }
  munmap(pages, (size_t)size);
  atomic_fetch_sub(&spill.in_files, size);
  pthread_mutex_unlock(&spill.mutex);
}

/* Pages of the next few megabytes of all that is in files, round and round: what was dealt with longest ago goes first. */
static void put_out_next(void) {
  enum { BYTES = 1 << 20 };
  if (spill.hand >= spill.files->len) spill.hand = 0;
  const piece *at = &g_array_index(spill.files, piece, spill.hand);
  int64_t size = MIN(BYTES, at->size - spill.hand_at);
  if (size > 0) /* of a shared mapping: its pages stay in the file */
    madvise((char *)at->pages + spill.hand_at, (size_t)size, MADV_DONTNEED);
  spill.hand_at += BYTES;
  if (spill.hand_at < at->size) return;
  spill.hand_at = 0;
  spill.hand++;
}

void adl_spill_trim(void) {
  int64_t allowed = MAX(spill.limit / 2, LEAST_RESIDENT);
  if (atomic_load_explicit(&spill.in_files, memory_order_relaxed) <= allowed) return;
  if (pthread_mutex_trylock(&spill.mutex) != 0) return; /* somebody is at it */
  int64_t most = spill.others_shared + allowed;
  if (spill.files->len > 0 && shared_bytes() > most)
    for (int64_t i = 0; i <= (atomic_load(&spill.in_files) >> 20) + spill.files->len; i++) {
      if (shared_bytes() <= most - allowed / 2) break;
      put_out_next();
    }
  pthread_mutex_unlock(&spill.mutex);
}
