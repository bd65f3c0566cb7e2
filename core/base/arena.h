/* An arena: scratch memory of one call of a plugin's function, handed out piece by piece and taken back at once when the
 * call returns. One arena per thread and context; behind host->alloc. */
#ifndef ADLOOM_CORE_BASE_ARENA_H
#define ADLOOM_CORE_BASE_ARENA_H

#include <stddef.h>

typedef struct adl_arena_block adl_arena_block;

/* Zeroed is empty. */
typedef struct adl_arena {
  adl_arena_block *blocks; /* the one in use first */
  adl_arena_block *large;  /* pieces that have a block of their own */
} adl_arena;

/* 64-byte aligned, not zeroed, valid until the next reset; never NULL (out of memory ends the program). */
void *adl_arena_alloc(adl_arena *arena, size_t size);
/* Takes everything back; keeps one block for the next call. */
void adl_arena_reset(adl_arena *arena);
/* Frees everything. */
void adl_arena_clear(adl_arena *arena);

#endif
