/* A frame: rows with their columns and tags, as they travel through the engine. Plugins see parts of frames as
 * adl_batch. Columns are in the order of a stage's schema, which the frame does not know. */
#ifndef ADLOOM_CORE_DATA_FRAME_H
#define ADLOOM_CORE_DATA_FRAME_H

#include "core/data/array.h"

/* A row's tag: where it came from and what it may be used for. One int64 a row, in an array of its own. */
enum { ADL_TAG_SPLIT_SHIFT = 61, ADL_TAG_SHARD_SHIFT = 40 };
static inline int64_t adl_tag_make(adl_split split, int32_t shard, int64_t position) {
  return ((int64_t)split << ADL_TAG_SPLIT_SHIFT) | ((int64_t)(shard & 0x1fffff) << ADL_TAG_SHARD_SHIFT) |
         (position & ((INT64_C(1) << ADL_TAG_SHARD_SHIFT) - 1));
}
static inline adl_split adl_tag_split(int64_t tag) { return (adl_split)((tag >> ADL_TAG_SPLIT_SHIFT) & 3); }
static inline int32_t adl_tag_shard(int64_t tag) { return (int32_t)((tag >> ADL_TAG_SHARD_SHIFT) & 0x1fffff); }
static inline int64_t adl_tag_position(int64_t tag) { return tag & ((INT64_C(1) << ADL_TAG_SHARD_SHIFT) - 1); }

typedef struct adl_frame {
  int refs; /* atomic */
  int32_t column_count;
  int64_t rows;
  adl_array *tags;      /* INT64, `rows` long; never NULL */
  adl_array *columns[]; /* NULL: pruned, nobody reads it */
} adl_frame;

/* Columns are NULL and to be filled; takes over the reference to tags. */
adl_frame *adl_frame_new(int64_t rows, int32_t column_count, adl_array *tags);
adl_frame *adl_frame_ref(adl_frame *frame);
void adl_frame_unref(adl_frame *frame);
/* NULL with errno, as adl_array_gather. */
adl_frame *adl_frame_gather(const adl_frame *frame, const int64_t *index, int64_t count);
/* The rows whose bit in `bad` is clear; takes no reference over; the frame itself (a new reference) if none is set. Never
 * NULL: fewer rows than there are always fit, and without memory the program ends. */
adl_frame *adl_frame_without(adl_frame *frame, const uint8_t *bad);
/* `rows` rows from `first`, which there must be. Never NULL. */
adl_frame *adl_frame_slice(const adl_frame *frame, int64_t first, int64_t rows);
int64_t adl_frame_bytes(const adl_frame *frame);
static inline const int64_t *adl_frame_tags(const adl_frame *frame) { return (const int64_t *)frame->tags->view.data; }

#endif
