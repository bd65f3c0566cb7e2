/* The rows that leave a stage, as frames: columns of its input for the rows it picked, those it gave, those of its sides. All
 * at once, or one part after the other, where they are many more than came (candidates). */
#include <errno.h>

#include "core/engine/internal.h"

/* ---- rows to be taken later ---- */

static adl_array **share_arrays(adl_array **arrays, guint count) {
  adl_array **shared = g_memdup2(arrays, (gsize)count * sizeof(adl_array *));
  for (guint i = 0; i < count; i++)
    if (shared[i] != NULL) adl_array_ref(shared[i]);
  return shared;
}

adl_leaving_rows *adl_leaving_rows_keep(const adl_leaving_rows *rows) {
  adl_leaving_rows *kept = g_memdup2(rows, sizeof *rows);
  adl_frame_ref(kept->input);
  kept->slots = share_arrays(rows->slots, rows->slot_count);
  kept->given = share_arrays(rows->given, (guint)rows->node->stage->schema.count);
  kept->side_rows = g_memdup2(rows->side_rows, rows->node->sides->len * sizeof *rows->side_rows);
  kept->rejected = g_memdup2(rows->rejected, (gsize)(rows->input->rows + 7) / 8);
  return kept;
}

void adl_leaving_rows_free(adl_leaving_rows *rows) {
  if (rows == NULL) return;
  for (guint i = 0; i < rows->slot_count; i++) adl_array_unref(rows->slots[i]);
  for (int32_t c = 0; c < rows->node->stage->schema.count; c++) adl_array_unref(rows->given[c]);
  for (guint side = 0; side < rows->node->sides->len; side++) g_free(rows->side_rows[side]);
  adl_frame_unref(rows->input);
  g_free(rows->slots);
  g_free(rows->given);
  g_free(rows->side_rows);
  g_free(rows->index);
  g_free(rows->rejected);
  g_free(rows);
}

/* ---- columns of a side ---- */

/* A training row must not get what a held-out side row says: such places become -1. True if there were any. */
static bool hide_held_out(const int64_t *main_tags, const adl_frame *side, int64_t *rows, int64_t count) {
  const int64_t *side_tags = adl_frame_tags(side);
  bool any = false;
  for (int64_t i = 0; i < count; i++) {
    if (rows[i] < 0 || adl_tag_split(main_tags[i]) != ADL_TRAIN || adl_tag_split(side_tags[i]) == ADL_TRAIN) continue;
    rows[i] = -1;
    any = true;
  }
  return any;
}

static bool all_null(const int64_t *rows, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (rows[i] >= 0) return false;
  return true;
}

/* Which columns of a side leave, and where they go; returns how many. */
static int32_t side_columns(const adl_stage *stage, int32_t side, int32_t *columns, int32_t *places) {
  int32_t count = 0;
  for (int32_t c = 0; c < stage->schema.count; c++) {
    if (stage->leaving[c].kind != ADL_FROM_SIDE || stage->leaving[c].side != side || !stage->needed[c]) continue;
    columns[count] = stage->leaving[c].number;
    places[count++] = c;
  }
  return count;
}

/* Side rows by number, but none that a training row must not see. NULL: nothing is found, or failed (*why). */
static adl_frame *find_side_rows(const adl_store *store, const adl_frame *frame, const int32_t *columns, int32_t count,
                                 int64_t *rows, char **why) {
  if (all_null(rows, frame->rows)) return NULL;
  adl_frame *found = adl_store_gather(store, columns, count, rows, frame->rows, why);
  if (found == NULL || !hide_held_out(adl_frame_tags(frame), found, rows, frame->rows)) return found;
  adl_frame_unref(found);
  return all_null(rows, frame->rows) ? NULL : adl_store_gather(store, columns, count, rows, frame->rows, why);
}

/* Columns of one side for rows that leave, put into `frame`. */
static bool bring_side(adl_leaving_rows *leaving, int32_t side, adl_frame *frame) {
  const adl_stage *stage = leaving->node->stage;
  int32_t *columns = g_new(int32_t, (gsize)stage->schema.count + 1),
          *places = g_new(int32_t, (gsize)stage->schema.count + 1);
  int32_t count = side_columns(stage, side, columns, places);
  bool ok = true;
  if (count > 0 && leaving->side_rows[side] == NULL) {
    adl_engine_fail(leaving->node->engine, stage, "%s brought no side rows, or not one for each picked row",
                    stage->class->id);
    ok = false;
  } else if (count > 0) {
    char *why = NULL;
    const adl_store *store = ((adl_side_run *)leaving->node->sides->pdata[side])->store;
    adl_frame *found = find_side_rows(store, frame, columns, count, leaving->side_rows[side] + leaving->taken, &why);
    ok = why == NULL;
    if (!ok) adl_engine_fail(leaving->node->engine, stage, "%s", why);
    for (int32_t i = 0; ok && i < count; i++)
      frame->columns[places[i]] = found != NULL
                                      ? adl_array_ref(found->columns[i])
                                      : adl_array_nulls(stage->schema.columns[places[i]].field->type, frame->rows);
    adl_frame_unref(found);
    g_free(why);
  }
  g_free(columns);
  g_free(places);
  return ok;
}

/* ---- a frame ---- */

/* Rows of an array of the input; NULL: reported. */
static adl_array *pick(const adl_leaving_rows *rows, adl_array *array, const char *name, int64_t count) {
  adl_array *picked =
      rows->index == NULL ? adl_array_ref(array) : adl_array_gather(array, rows->index + rows->taken, count);
  if (picked == NULL)
    adl_engine_fail(rows->node->engine, rows->node->stage,
                    "the %" G_GINT64_FORMAT " rows picked from one batch do not fit the column `%s`: %s", count, name,
                    g_strerror(errno));
  return picked;
}

/* The array of one column that leaves; NULL: reported. */
static adl_array *leaving_column(const adl_leaving_rows *rows, int32_t c, int64_t count) {
  const adl_stage *stage = rows->node->stage;
  const adl_leaving *leaving = &stage->leaving[c];
  const char *name = stage->schema.columns[c].name;
  if (leaving->kind == ADL_FROM_INPUT) return pick(rows, rows->input->columns[leaving->number], name, count);
  if (leaving->kind == ADL_FROM_SLOT) return pick(rows, rows->slots[leaving->number], name, count);
  adl_array *part = adl_array_slice(rows->given[c], rows->taken, count);
  if (part == NULL) adl_engine_fail(rows->node->engine, stage, "column `%s`: %s", name, g_strerror(errno));
  return part;
}

/* Without the rows that were made of a row that was rejected. Takes the frame over. */
static adl_frame *without_rejected(const adl_leaving_rows *rows, adl_frame *frame) {
  uint8_t *drop = g_malloc0((gsize)(frame->rows + 7) / 8 + 1);
  const int64_t *index = rows->index != NULL ? rows->index + rows->taken : NULL;
  for (int64_t i = 0; i < frame->rows; i++)
    adl_bit_set(drop, i, adl_bit(rows->rejected, index != NULL ? index[i] : rows->taken + i));
  adl_frame *rest = adl_frame_without(frame, drop);
  adl_frame_unref(frame);
  g_free(drop);
  return rest;
}

adl_frame *adl_leave(adl_leaving_rows *rows, int64_t count) {
  const adl_stage *stage = rows->node->stage;
  count = MIN(count, rows->count - rows->taken);
  adl_array *tags = pick(rows, rows->input->tags, "(origin)", count);
  if (tags == NULL) return NULL;
  adl_frame *frame = adl_frame_new(count, stage->schema.count, tags);
  bool ok = true;
  for (int32_t c = 0; ok && c < stage->schema.count; c++) {
    if (!stage->needed[c] || stage->leaving[c].kind == ADL_FROM_SIDE) continue;
    frame->columns[c] = leaving_column(rows, c, count);
    ok = frame->columns[c] != NULL;
  }
  for (guint side = 0; ok && side < rows->node->sides->len; side++) ok = bring_side(rows, (int32_t)side, frame);
  if (ok && rows->rejected != NULL) frame = without_rejected(rows, frame);
  rows->taken += count;
  if (ok) return frame;
  adl_frame_unref(frame);
  return NULL;
}
