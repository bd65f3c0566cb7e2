/* Frames: rows with their columns and tags. See frame.h. */
#include "core/data/frame.h"

#include <errno.h>
#include <glib.h>

#include "core/data/blocks.h"

adl_frame *adl_frame_new(int64_t rows, int32_t column_count, adl_array *tags) {
  adl_frame *frame = g_malloc0(sizeof *frame + (gsize)column_count * sizeof(adl_array *));
  frame->refs = 1;
  frame->column_count = column_count;
  frame->rows = rows;
  frame->tags = tags;
  return frame;
}

adl_frame *adl_frame_ref(adl_frame *frame) {
  g_atomic_int_inc(&frame->refs);
  return frame;
}

void adl_frame_unref(adl_frame *frame) {
  if (frame == NULL || !g_atomic_int_dec_and_test(&frame->refs)) return;
  for (int32_t c = 0; c < frame->column_count; c++) adl_array_unref(frame->columns[c]);
  adl_array_unref(frame->tags);
  g_free(frame);
}

adl_frame *adl_frame_gather(const adl_frame *frame, const int64_t *index, int64_t count) {
  adl_array *tags = adl_array_gather(frame->tags, index, count);
  if (tags == NULL) return NULL;
  adl_frame *picked = adl_frame_new(count, frame->column_count, tags);
  for (int32_t c = 0; c < frame->column_count; c++) {
    if (frame->columns[c] == NULL) continue;
    picked->columns[c] = adl_array_gather(frame->columns[c], index, count);
    if (picked->columns[c] == NULL) {
      adl_frame_unref(picked);
      return NULL;
    }
  }
  return picked;
}

adl_frame *adl_frame_without(adl_frame *frame, const uint8_t *bad) {
  int64_t kept = 0, dropped = adl_bits_count(bad, frame->rows);
  if (dropped == 0) return adl_frame_ref(frame);
  int64_t *index = g_new(int64_t, frame->rows - dropped + 1);
  for (int64_t row = 0; row < frame->rows; row++) {
    index[kept] = row;
    kept += !adl_bit(bad, row);
  }
  adl_frame *rest = adl_frame_gather(frame, index, kept);
  if (rest == NULL) g_error("out of memory: %" G_GINT64_FORMAT " rows of a batch", kept);
  g_free(index);
  return rest;
}

static adl_array *slice(adl_array *array, int64_t first, int64_t rows) {
  adl_array *part = adl_array_slice(array, first, rows);
  if (part == NULL)
    g_error("rows %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " of a batch: %s", first, first + rows, g_strerror(errno));
  return part;
}

adl_frame *adl_frame_slice(const adl_frame *frame, int64_t first, int64_t rows) {
  adl_frame *part = adl_frame_new(rows, frame->column_count, slice(frame->tags, first, rows));
  for (int32_t c = 0; c < frame->column_count; c++)
    if (frame->columns[c] != NULL) part->columns[c] = slice(frame->columns[c], first, rows);
  return part;
}

int64_t adl_frame_bytes(const adl_frame *frame) {
  int64_t bytes = (int64_t)sizeof *frame + frame->tags->bytes;
  for (int32_t c = 0; c < frame->column_count; c++)
    if (frame->columns[c] != NULL) bytes += frame->columns[c]->bytes + (int64_t)sizeof(adl_array *);
  return bytes;
}
