/*
 * A store keeps the frames that reach a breaker, in row order, until they have been folded and passed on. In memory while
 * the run's budget lasts, beyond it in a spool file that has no name and dies with the process. What it gives back does
 * not depend on where the frames lie.
 */
#ifndef ADLOOM_CORE_ENGINE_STORE_H
#define ADLOOM_CORE_ENGINE_STORE_H

#include <stdatomic.h>

#include "core/data/frame.h"

enum { ADL_BATCH_ROWS = 4096 };

/* Shared by all stores of a run. */
typedef struct adl_budget {
  _Atomic int64_t used; /* bytes */
  int64_t limit;
  const char *spool_directory;
} adl_budget;

typedef struct adl_store adl_store;

adl_store *adl_store_new(adl_budget *budget, int32_t column_count);
/* Frames will be read once or twice from the first to the last: they are packed (core/data/packed.h). Before the first. */
void adl_store_pack(adl_store *store);
/* Each frame as it is kept, from inside append and close, which put small ones together. Before the first. */
void adl_store_tell(adl_store *store, void (*tell)(void *data, adl_frame *frame), void *data);
/* What appending will do to a frame, for doing it beforehand, on any thread. */
void adl_store_prepare(const adl_store *store, adl_frame *frame);
void adl_store_free(adl_store *store);

/* One at a time. Small frames are put together into larger ones, up to ADL_BATCH_ROWS. Takes no reference over. False:
 * the spool could not be written, *why tells (free it). */
bool adl_store_append(adl_store *store, adl_frame *frame, char **why);
/* No more rows will come. */
bool adl_store_close(adl_store *store, char **why);

int64_t adl_store_frames(const adl_store *store);
int64_t adl_store_bytes(const adl_store *store); /* in memory and in the spool */
int64_t adl_store_rows(const adl_store *store, bool training_only);
/* Number of the first row of a frame, counting all rows, or training rows only. */
int64_t adl_store_first(const adl_store *store, int64_t frame, bool training_only);
/* A frame, with the columns that are `wanted` at least (NULL: all). Any number of threads. NULL: the spool could not be
 * read, *why tells. */
adl_frame *adl_store_get(const adl_store *store, int64_t frame, const bool *wanted, char **why);
/* The same, all of it, and the store keeps it no longer. Any number of threads, each frame once. */
adl_frame *adl_store_take(adl_store *store, int64_t frame, char **why);
/* Rows by number (-1: null), in the order given, as a frame whose column i is column columns[i] of the store. */
adl_frame *adl_store_gather(const adl_store *store, const int32_t *columns, int32_t column_count, const int64_t *rows,
                            int64_t count, char **why);

/* All rows of all frames (at least one), in order; NULL when that would be too much for one array. */
adl_frame *adl_frames_concat(adl_frame *const *frames, int64_t count);

#endif
