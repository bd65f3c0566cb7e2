#include "core/base/arena.h"

#include <glib.h>
#include <stdint.h>

#include "core/base/aligned.h"
#include "core/base/guard.h"

enum { ALIGN = 64, BLOCK = 256 * 1024, LARGE = 64 * 1024 };

struct adl_arena_block {
  adl_arena_block *next;
  size_t used, size;
};

static adl_arena_block *new_block(size_t payload) {
  void *memory = adl_aligned_try((int64_t)(ALIGN + payload));
  if (memory == NULL) g_error("out of memory: %zu bytes of scratch", payload);
  adl_arena_block *block = memory;
  *block = (adl_arena_block){.size = payload};
  return block;
}

static void *payload(adl_arena_block *block) { return (char *)block + ALIGN; }

void *adl_arena_alloc(adl_arena *arena, size_t size) {
  size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
  if (rounded < size) g_error("out of memory: %zu bytes of scratch", size);
  if (rounded > LARGE || adl_guard_is_up()) {
    adl_arena_block *block = new_block(rounded);
    block->next = arena->large;
    arena->large = block;
    return payload(block);
  }
  if (arena->blocks == NULL || arena->blocks->size - arena->blocks->used < rounded) {
    adl_arena_block *block = new_block(BLOCK);
    block->next = arena->blocks;
    arena->blocks = block;
  }
  void *result = (char *)payload(arena->blocks) + arena->blocks->used;
  arena->blocks->used += rounded;
  return result;
}

static void free_list(adl_arena_block **list) {
  while (*list != NULL) {
    adl_arena_block *block = *list;
    *list = block->next;
    adl_aligned_free(block);
  }
}

/* Keeps one block: a call that needed several is rare. */
void adl_arena_reset(adl_arena *arena) {
  if (arena->large != NULL) free_list(&arena->large);
  if (arena->blocks == NULL) return;
  if (arena->blocks->next != NULL) free_list(&arena->blocks->next);
  arena->blocks->used = 0;
}

void adl_arena_clear(adl_arena *arena) {
  free_list(&arena->blocks);
  free_list(&arena->large);
}
