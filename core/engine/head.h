/* Reading a head, frame after frame, for a scan (scan.c): one worker at a time reads, several take what was read apart. */
#ifndef ADLOOM_CORE_ENGINE_HEAD_H
#define ADLOOM_CORE_ENGINE_HEAD_H

#include "core/engine/internal.h"

/* Where a scan stands in its head. */
typedef struct adl_head_reader {
  adl_engine *engine;
  const adl_head *head;
  int32_t shard; /* sources: the one that is read */
  bool opened;
  void *cursor;
} adl_head_reader;

/* What a read gave: rows, or a block that has to be decoded. */
typedef struct adl_reading {
  adl_parcel *parcel;
  adl_block block;
  int64_t nanoseconds; /* that reading took */
  int32_t shard;
} adl_reading;

/* One at a time: the next frames, or the next block; `number` counts the reads. False: there is no more, or it failed. */
bool adl_head_read(adl_head_reader *reader, adl_worker *worker, int64_t number, adl_reading *r);
/* Beside other workers: makes rows of a block, and counts what a source gave. False: it failed; the parcel stays. */
bool adl_head_finish(const adl_head_reader *reader, adl_worker *worker, adl_reading *r);
void adl_head_close(adl_head_reader *reader, adl_worker *worker); /* a shard that is still open */

#endif
