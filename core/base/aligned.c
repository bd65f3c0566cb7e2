/* Memory aligned to 64 bytes, see aligned.h. */
#include "core/base/aligned.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/guard.h"

/* From this size on, zeroed storage is mapped: what glibc does by default, too. */
enum { MAPPED_FROM = 128 * 1024 };

/* Storage of these sizes lies in huge pages where the system has them: tables of weights are read and written at random, and
 * most of the time of that is looking up where the pages are. Larger ones may be mostly empty, and stay so. */
enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 4 << 20, HUGE_TO = 1 << 30 };

void *adl_aligned_try(int64_t size) {
  void *block = NULL;
  if (size < 0 || size > INT64_MAX / 2) return NULL;
  if (adl_guard_is_up()) block = adl_guard_new(MAX(adl_aligned_size(size), ADL_ALIGNMENT));
  if (block != NULL) return block;
  if (posix_memalign(&block, ADL_ALIGNMENT, (size_t)MAX(adl_aligned_size(size), ADL_ALIGNMENT)) != 0) return NULL;
  return block;
}

void adl_aligned_free(void *block) {
  if (!adl_guard_is_up() || !adl_guard_free(block)) free(block);
}

void *adl_aligned_new(int64_t size) {
  void *block = adl_aligned_try(size);
  if (block == NULL) g_error("out of memory: %" G_GINT64_FORMAT " bytes could not be had", size);
  return block;
}

/* `size` bytes of zeroed pages; NULL: there is no more memory. Aligned to a huge page where these are used: what is mapped
 * before and behind goes back. */
static void *map_pages(size_t size) {
  bool huge = size >= HUGE_FROM && size <= HUGE_TO;
  size_t more = huge ? HUGE_PAGE : 0, page = (size_t)sysconf(_SC_PAGESIZE);
  size = (size + page - 1) & ~(page - 1);
  char *pages = mmap(NULL, size + more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return NULL;
  if (!huge) return pages;
  size_t before = (HUGE_PAGE - (uintptr_t)pages % HUGE_PAGE) % HUGE_PAGE;
  if (before > 0) munmap(pages, before);
  if (more > before) munmap(pages + before + size, more - before);
  madvise(pages + before, size, MADV_HUGEPAGE);
  return pages + before;
}

/* ---- beyond the budget ---- */

enum { SPILLED_FROM = 1 << 20 };

static struct {
  int64_t limit;
  const _Atomic int64_t *others;
  char *directory;
  _Atomic int64_t held;
  _Atomic(char *) failure;
} spill = {.limit = INT64_MAX};

void adl_spill_beyond(int64_t limit, const _Atomic int64_t *others, const char *directory) {
  spill.limit = limit;
  spill.others = others;
  g_free(spill.directory);
  spill.directory = g_strdup(directory);
  g_free(atomic_exchange(&spill.failure, NULL));
}

int64_t adl_spill_held(void) { return atomic_load(&spill.held); }
const char *adl_spill_failure(void) { return atomic_load_explicit(&spill.failure, memory_order_acquire); }

static bool beyond_budget(int64_t size, int64_t more) {
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

static void *map_file(int64_t size) {
  int file = open_file(size);
  void *pages = file < 0 ? MAP_FAILED : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (pages == MAP_FAILED) note_failure(size, errno);
  if (file >= 0) close(file);
  return pages == MAP_FAILED ? NULL : pages;
}

static bool map_zeroed(adl_zeroed *zeroed) {
  if (beyond_budget(zeroed->capacity, zeroed->capacity)) {
    zeroed->data = map_file(zeroed->capacity);
    zeroed->spilled = zeroed->data != NULL;
  }
  if (zeroed->data == NULL) zeroed->data = map_pages((size_t)zeroed->capacity);
  zeroed->mapped = zeroed->data != NULL;
  if (zeroed->mapped && !zeroed->spilled) atomic_fetch_add(&spill.held, zeroed->capacity);
  return zeroed->mapped;
}

/* ---- zeroed storage ---- */

bool adl_zeroed_init(adl_zeroed *zeroed, int64_t size) {
  *zeroed = (adl_zeroed){.used = size, .capacity = MAX(adl_aligned_size(size), ADL_ALIGNMENT)};
  if (size < 0 || size > INT64_MAX / 2) return false;
  if (size >= MAPPED_FROM && !adl_guard_is_up()) return map_zeroed(zeroed);
  zeroed->data = adl_aligned_try(zeroed->capacity);
  if (zeroed->data == NULL) return false;
  memset(zeroed->data, 0, (size_t)zeroed->capacity);
  return true;
}

/* Room for `size` bytes, with a reserve so that growing row by row stays linear. */
static bool grow(adl_zeroed *zeroed, int64_t size) {
  int64_t wish = adl_aligned_size(MAX(size, zeroed->capacity + zeroed->capacity / 2));
  bool moves = zeroed->spilled || beyond_budget(wish, wish - zeroed->capacity);
  if (zeroed->mapped && !moves && (wish < HUGE_FROM || wish > HUGE_TO)) {
    void *pages = mremap(zeroed->data, (size_t)zeroed->capacity, (size_t)wish, MREMAP_MAYMOVE);
    if (pages == MAP_FAILED) {
      wish = adl_aligned_size(size);
      pages = mremap(zeroed->data, (size_t)zeroed->capacity, (size_t)wish, MREMAP_MAYMOVE);
    }
    if (pages == MAP_FAILED) return false;
    atomic_fetch_add(&spill.held, wish - zeroed->capacity);
    zeroed->data = pages;
    zeroed->capacity = wish;
    return true;
  }
  adl_zeroed bigger;
  if (!adl_zeroed_init(&bigger, wish) && !adl_zeroed_init(&bigger, size)) return false;
  memcpy(bigger.data, zeroed->data, (size_t)zeroed->used);
  bigger.used = zeroed->used;
  adl_zeroed_clear(zeroed);
  *zeroed = bigger;
  return true;
}

bool adl_zeroed_resize(adl_zeroed *zeroed, int64_t size) {
  if (size < 0 || size > INT64_MAX / 2) return false;
  int64_t held = zeroed->capacity;
  if (size > held && !grow(zeroed, size)) return false;
  /* What lies behind the old capacity is new and zero; in front of it, what an earlier, longer use left. */
  if (size > zeroed->used) memset((char *)zeroed->data + zeroed->used, 0, (size_t)(MIN(size, held) - zeroed->used));
  zeroed->used = size;
  return true;
}

void adl_zeroed_clear(adl_zeroed *zeroed) {
  if (zeroed->mapped && !zeroed->spilled) atomic_fetch_sub(&spill.held, zeroed->capacity);
  if (zeroed->mapped)
    munmap(zeroed->data, (size_t)zeroed->capacity);
  else
    adl_aligned_free(zeroed->data);
  *zeroed = (adl_zeroed){0};
}
