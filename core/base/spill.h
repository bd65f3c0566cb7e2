/* Storage beyond the run's memory: files without a name, mapped, whose pages are put out of memory when they are many. Used by
 * aligned.c, which knows what to map, and by the engine, which knows how much memory there is. */
#ifndef ADLOOM_CORE_BASE_SPILL_H
#define ADLOOM_CORE_BASE_SPILL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How much of it may lie in memory of its own: storage of a megabyte and more is mapped from a file in `directory` (copied)
 * where mapped storage and what `others` counts (kept rows; NULL: nothing) come to more than `limit` bytes. Where the file
 * cannot be had, memory is taken all the same, and adl_spill_failure says why. INT64_MAX: no limit. While nothing runs.
 */
void adl_spill_beyond(int64_t limit, const _Atomic int64_t *others, const char *directory);
int64_t adl_spill_held(void);        /* bytes of mapped storage that are not in files */
const char *adl_spill_failure(void); /* NULL: none since adl_spill_beyond was called last */

/* Takes pages of mapped files out of the process when more than half of the limit is there. Their content is the system's to
 * keep or to write, and comes back when it is touched: this may be called at any time on any thread, and is best called each
 * time some thousand rows have been touched. Costs nothing while nothing is in files. */
void adl_spill_trim(void);

/* ---- for aligned.c ---- */

/* Is storage of `size` bytes, `more` of them new, to lie in a file? */
bool adl_spill_wanted(int64_t size, int64_t more);
void *adl_spill_map(int64_t size); /* zeroed; NULL: noted as a failure */
void adl_spill_unmap(void *pages, int64_t size);
void adl_spill_hold(int64_t bytes); /* so many more are mapped, not from files */

#endif
