/* Guarded memory, see guard.h: blocks one behind the other in one reserved stretch of addresses, each with a page that
 * nobody may touch behind it. */
#include "core/base/guard.h"

#include <glib.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Addresses cost nothing; the kernel counts stretches of different protection (65530 by default), of which a block takes
 * two. */
#define ROOM ((size_t)(sizeof(void *) == 8 ? INT64_C(64) << 30 : INT64_C(1) << 29))
enum { MOST_BLOCKS = 400000, MOST_ALIVE = 24000 };

typedef enum block_state { BLOCK_ALIVE, BLOCK_SEALED, BLOCK_FREED } block_state;

typedef struct guarded {
  char *pages; /* the first one */
  char *begin; /* of the block, in one of them */
  size_t size; /* of the pages; the one behind them is out of bounds */
  block_state state;
} guarded;

static struct {
  pthread_mutex_t mutex;
  char *room;
  size_t page, used;
  int fill;
  guarded *blocks; /* by address */
  int count, alive;
} guard = {.mutex = PTHREAD_MUTEX_INITIALIZER};

bool adl_guard_up(void) {
  if (guard.room != NULL) return true;
  void *room = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  void *blocks = mmap(NULL, MOST_BLOCKS * sizeof(guarded), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED || blocks == MAP_FAILED) return false;
  guard.page = (size_t)sysconf(_SC_PAGESIZE);
  guard.blocks = blocks;
  guard.room = room;
  return true;
}

void adl_guard_fill(int byte) { guard.fill = byte; }

bool adl_guard_is_up(void) { return guard.room != NULL; }

void *adl_guard_new(int64_t size) {
  if (guard.room == NULL) return NULL;
  size_t pages = ((size_t)size + guard.page - 1) & ~(guard.page - 1);
  guarded *block = NULL;
  pthread_mutex_lock(&guard.mutex);
  if (guard.count < MOST_BLOCKS && guard.alive < MOST_ALIVE && pages < ROOM - guard.used - guard.page) {
    char *begin = guard.room + guard.used;
    if (mprotect(begin, pages, PROT_READ | PROT_WRITE) == 0) {
      block = &guard.blocks[guard.count];
      *block = (guarded){.pages = begin, .begin = begin + pages - size, .size = pages};
      guard.count++;
      guard.alive++;
      guard.used += pages + guard.page;
    }
  }
  pthread_mutex_unlock(&guard.mutex);
  if (block == NULL) return NULL;
  if (guard.fill != 0) memset(block->begin, guard.fill, (size_t)size);
  return block->begin;
}

/* The block whose pages, or the page behind them, hold the address; NULL: none. */
static guarded *find(const void *address) {
  const char *at = address;
  if (guard.room == NULL || at < guard.room || at >= guard.room + guard.used) return NULL;
  int low = 0, high = guard.count;
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (guard.blocks[middle].pages <= at)
      low = middle;
    else
      high = middle;
  }
  return &guard.blocks[low];
}

static void protect(void *address, block_state state, int protection) {
  guarded *block = find(address);
  pthread_mutex_lock(&guard.mutex);
  if (block->state != state && block->state != BLOCK_FREED) {
    mprotect(block->pages, block->size, protection);
    if (state == BLOCK_FREED) madvise(block->pages, block->size, MADV_DONTNEED);
    guard.alive -= state == BLOCK_FREED;
    block->state = state;
  }
  pthread_mutex_unlock(&guard.mutex);
}

bool adl_guard_free(void *address) {
  if (find(address) == NULL) return false;
  protect(address, BLOCK_FREED, PROT_NONE);
  return true;
}

void adl_guard_seal(void *address) {
  if (find(address) != NULL) protect(address, BLOCK_SEALED, PROT_READ);
}

const char *adl_guard_explain(const void *address) {
  const guarded *block = find(address);
  if (block == NULL) return NULL;
  if ((const char *)address >= block->pages + block->size) return "touched memory behind the end of a buffer";
  switch (block->state) {
    case BLOCK_FREED: return "touched memory that had been taken back: something was kept after a call returned";
    case BLOCK_SEALED: return "wrote into its input, which is read-only";
    default: return "touched memory in front of a buffer";
  }
}
