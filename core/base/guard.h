/*
 * Guarded memory, for checking plugins: while the guard is up, every aligned block (columns, tensors, scratch) has pages of
 * its own. It ends where a page begins that nobody may touch; it can be made read-only; and once it is freed nobody may
 * touch it, and nothing else ever lies there. Who does is stopped by SIGSEGV, and adl_guard_explain says what was wrong.
 *
 * Down, as it is unless `adloom plugin check` puts it up, it costs one comparison per block.
 */
#ifndef ADLOOM_CORE_BASE_GUARD_H
#define ADLOOM_CORE_BASE_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* For the rest of the process. False: the room for it cannot be had. */
bool adl_guard_up(void);
bool adl_guard_is_up(void);

/* A block of `size` bytes (a multiple of 64); NULL: the guard is down, or its room is used up. */
void *adl_guard_new(int64_t size);
/* False: not a block of the guard. */
bool adl_guard_free(void *block);
/* New blocks are filled with this byte; 0 without. */
void adl_guard_fill(int byte);
/* From now on the block is read-only. Of a block that is not the guard's, and twice: nothing. */
void adl_guard_seal(void *block);

/* What is wrong with touching this address, as a clause ("..."); NULL: it is not the guard's. Async-signal-safe. */
const char *adl_guard_explain(const void *address);

#endif
