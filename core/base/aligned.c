/* Memory aligned to 64 bytes, see aligned.h. */
#include "core/base/aligned.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "core/base/guard.h"
#include "core/base/spill.h"

/* From this size on, zeroed storage is mapped: what glibc does by default, too. */
enum { MAPPED_FROM = 128 * 1024 };

/* Storage of these sizes lies in huge pages where the system has them: tables of weights are read and written at random, and
 * most of the time of that is looking up where the pages are. Larger ones may be mostly empty, and stay so. */
enum { HUGE_PAGE = 2 << 20, HUGE_FROM = 2 << 20, HUGE_TO = 1 << 30 };

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

void adl_aligned_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
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

static bool map_zeroed(adl_zeroed *zeroed) {
  if (adl_spill_wanted(zeroed->capacity, zeroed->capacity)) {
    zeroed->data = adl_spill_map(zeroed->capacity);
    zeroed->spilled = zeroed->data != NULL;
  }
  if (zeroed->data == NULL) zeroed->data = map_pages((size_t)zeroed->capacity);
  zeroed->mapped = zeroed->data != NULL;
  if (zeroed->mapped && !zeroed->spilled) adl_spill_hold(zeroed->capacity);
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

/* Of what lies in files, only so much comes into memory at once. */
static void copy(char *to, const char *from, int64_t size) {
  enum { PIECE = 4 << 20 };
  for (int64_t at = 0; at < size; at += PIECE) {
    memcpy(to + at, from + at, (size_t)MIN(PIECE, size - at));
    adl_spill_trim();
  }
}

/* More pages behind those that there are, which move without being copied. NULL: there is no more memory. */
static void *grow_pages(void *pages, size_t size, size_t wish) {
  if (wish < HUGE_FROM || wish > HUGE_TO) {
    void *moved = mremap(pages, size, wish, MREMAP_MAYMOVE);
    return moved != MAP_FAILED ? moved : NULL;
  }
  void *place = map_pages(wish); /* where huge pages may lie */
  if (place == NULL) return NULL;
  void *moved = mremap(pages, size, wish, MREMAP_MAYMOVE | MREMAP_FIXED, place);
  if (moved == MAP_FAILED) {
    munmap(place, wish);
    return NULL;
  }
  madvise(moved, wish, MADV_HUGEPAGE);
  return moved;
}

/* Room for `size` bytes, with a reserve so that growing row by row stays linear. */
static bool grow(adl_zeroed *zeroed, int64_t size) {
  int64_t wish = adl_aligned_size(MAX(size, zeroed->capacity + zeroed->capacity / 2));
  bool moves = zeroed->spilled || adl_spill_wanted(wish, wish - zeroed->capacity);
  if (zeroed->mapped && !moves) {
    void *pages = grow_pages(zeroed->data, (size_t)zeroed->capacity, (size_t)wish);
    if (pages == NULL) {
      wish = adl_aligned_size(size);
      pages = grow_pages(zeroed->data, (size_t)zeroed->capacity, (size_t)wish);
    }
    if (pages == NULL) return false;
    adl_spill_hold(wish - zeroed->capacity);
    zeroed->data = pages;
    zeroed->capacity = wish;
    return true;
  }
  adl_zeroed bigger;
  if (!adl_zeroed_init(&bigger, wish) && !adl_zeroed_init(&bigger, size)) return false;
  copy(bigger.data, zeroed->data, zeroed->used);
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
  if (zeroed->mapped && !zeroed->spilled) adl_spill_hold(-zeroed->capacity);
  if (zeroed->spilled)
    adl_spill_unmap(zeroed->data, zeroed->capacity);
  else if (zeroed->mapped)
    munmap(zeroed->data, (size_t)zeroed->capacity);
  else
    adl_aligned_free(zeroed->data);
  *zeroed = (adl_zeroed){0};
}

void adl_zeroed_touch(adl_zeroed *zeroed) {
  if (!zeroed->mapped || zeroed->spilled) return;
#ifdef MADV_POPULATE_WRITE
  if (madvise(zeroed->data, (size_t)zeroed->capacity, MADV_POPULATE_WRITE) == 0) return;
#endif
  int64_t page = sysconf(_SC_PAGESIZE);
  for (int64_t at = 0; at < zeroed->capacity; at += page) {
    volatile char *byte = (char *)zeroed->data + at;
    char content = *byte;
    *byte = content;
  }
}
