/*
 * host->fold. Rows are dealt to lanes by the number of their batch; each lane has a partial and sees its batches in order;
 * lanes are merged as a binary tree. The number of lanes depends on the size of a partial alone, so results do not depend
 * on threads. Over kept rows the fold runs here and now; over rows that are still to come it waits for them (passing.c).
 */
#include <string.h>

#include "core/base/spill.h"
#include "core/engine/fold.h"

/* Where a partial grows with the keys of the data: each key is in all of them in the end. */
enum { KEY_LANES = 4 };

int32_t adl_fold_lanes(const adl_fold *fold, const adl_tensors *total) {
  if ((fold->flags & ADL_FOLD_KEYS) != 0) return KEY_LANES;
  int64_t bytes = adl_tensors_bytes(total);
  return bytes <= (INT64_C(16) << 20) ? ADL_MAX_LANES : bytes <= (INT64_C(64) << 20) ? 4 : 2;
}

bool adl_fold_sees_all(const adl_node_run *node, int32_t side) {
  return side >= 0 || (node->stage->class->flags & ADL_ALL_ROWS) != 0 || node->engine->apply;
}

/* ---- one frame into one partial ---- */

/* The rows of `frame` whose split is `split` (-1: all) have been given; `rejected` counts these. */
static void note_refused(adl_node_run *node, const adl_frame *frame, int split, const uint8_t *rejected,
                         uint8_t **refused) {
  const int64_t *tags = adl_frame_tags(frame);
  atomic_store(&node->refused_in_fit, true);
  if (refused == NULL) return;
  if (*refused == NULL) *refused = g_malloc0((gsize)(frame->rows + 7) / 8);
  for (int64_t row = 0, at = 0; row < frame->rows; row++) {
    if (split >= 0 && (int)adl_tag_split(tags[row]) != split) continue;
    if (adl_bit(rejected, at++)) adl_bit_set(*refused, row, true);
  }
}

/* Of a frame, the columns that the stage reads: nothing else is picked out of it. */
static adl_frame *columns_read(const adl_node_run *node, int32_t side, const adl_frame *frame) {
  adl_frame *few = adl_frame_new(frame->rows, frame->column_count, adl_array_ref(frame->tags));
  bool *read = adl_columns_read(node->stage, side, frame->column_count);
  for (int32_t c = 0; c < frame->column_count; c++)
    if (read[c]) few->columns[c] = adl_array_ref(frame->columns[c]);
  g_free(read);
  return few;
}

/* The rows of one split (-1: all) of a frame, as a step sees them; there may be none. */
static bool open_part(adl_view *view, adl_worker *worker, adl_node_run *node, int32_t side, adl_frame *frame, int split,
                      uint32_t flags) {
  adl_frame *read = columns_read(node, side, frame);
  adl_frame *part = split < 0 ? adl_frame_ref(read) : adl_frame_of_split(read, (adl_split)split, true);
  bool ok = true;
  if (part->rows > 0)
    ok = adl_view_open(view, worker, node, side, part, flags | ADL_VIEW_LEARN);
  else
    *view = (adl_view){.frame = adl_frame_ref(part)};
  adl_frame_unref(part);
  adl_frame_unref(read);
  return ok;
}

/* What was opened of `frame` into the partial. */
static bool step_view(adl_worker *worker, adl_node_run *node, int32_t side, adl_view *view, const adl_frame *frame,
                      int split, int64_t ordinal, const adl_fold *fold, const adl_fold_target *to) {
  if (view->frame->rows == 0) return true;
  view->batch.ordinal = ordinal;
  const adl_call *call = adl_worker_enter(worker, node, "fit (step)");
  worker->call.frame = view->frame;
  worker->call.split = adl_tag_split(adl_frame_tags(view->frame)[0]);
  *to->touched = true;
  if (side < 0 && (node->stage->class->flags & ADL_WHOLE_GROUPS) != 0) adl_whole_offsets(view, node->stage, call);
  adl_status status = fold->step(call, node->stage->self, fold->context, &view->batch, to->partial);
  if (worker->call.rejected != NULL) note_refused(node, frame, split, worker->call.rejected, to->refused);
  return adl_worker_leave(worker, status);
}

static bool step_part(adl_worker *worker, adl_node_run *node, int32_t side, adl_frame *frame, int split,
                      int64_t ordinal, const adl_fold *fold, const adl_fold_target *to, uint32_t flags) {
  adl_view view;
  if (!open_part(&view, worker, node, side, frame, split, flags)) return false;
  bool ok = step_view(worker, node, side, &view, frame, split, ordinal, fold, to);
  adl_view_close(&view);
  return ok;
}

/* -1: all. Classes that want splits apart see one after the other. */
static int split_seen(const adl_node_run *node, int32_t side) {
  return adl_fold_sees_all(node, side) ? -1 : (int)ADL_TRAIN;
}

bool adl_fold_frame(adl_worker *worker, adl_node_run *node, int32_t side, adl_frame *frame, int64_t ordinal,
                    const adl_fold *fold, const adl_fold_target *to, uint32_t flags) {
  if ((node->stage->class->flags & ADL_SPLIT_ROWS) != 0) {
    for (int split = ADL_TRAIN; split <= ADL_TEST; split++)
      if (!step_part(worker, node, side, frame, split, ordinal, fold, to, flags)) return false;
    return true;
  }
  return step_part(worker, node, side, frame, split_seen(node, side), ordinal, fold, to, flags);
}

/* ---- merging ---- */

static bool merge_two(adl_worker *worker, adl_node_run *node, const adl_fold *fold, adl_tensors *into,
                      adl_tensors *from) {
  if (fold->merge == NULL) {
    const char *why = NULL;
    if (adl_tensors_add(into, from, &why)) return true;
    adl_engine_fail(node->engine, node->stage, "partial results cannot be added: %s", why);
    return false;
  }
  const adl_call *call = adl_worker_enter(worker, node, "fit (merge)");
  return adl_worker_leave(worker, fold->merge(call, node->stage->self, fold->context, into, from));
}

/* The pairs of one level of the tree: each is merged by one worker. */
typedef struct merge_level {
  adl_engine *engine;
  adl_node_run *node;
  const adl_fold *fold;
  adl_tensors **present;
  int32_t count, step;
  _Atomic int32_t next;
  _Atomic bool failed;
} merge_level;

static void merge_pairs(void *data, int32_t worker_number) {
  merge_level *m = data;
  int32_t pairs = (m->count - m->step + 2 * m->step - 1) / (2 * m->step);
  for (int32_t pair = atomic_fetch_add(&m->next, 1); pair < pairs && !atomic_load(&m->failed);
       pair = atomic_fetch_add(&m->next, 1)) {
    int32_t i = pair * 2 * m->step;
    if (!merge_two(&m->engine->workers[worker_number], m->node, m->fold, m->present[i], m->present[i + m->step]))
      atomic_store(&m->failed, true);
  }
}

bool adl_fold_merge(const adl_desk *desk, adl_node_run *node, const adl_fold *fold, adl_tensors **partials,
                    const bool *touched, int32_t lanes, adl_tensors *total) {
  adl_tensors *present[ADL_MAX_LANES];
  merge_level m = {.engine = node->engine, .node = node, .fold = fold, .present = present, .step = 1};
  for (int32_t i = 0; i < lanes; i++)
    if (touched[i]) present[m.count++] = partials[i];
  for (; m.step < m.count; m.step *= 2) {
    atomic_store(&m.next, 0);
    adl_desk_share(desk, merge_pairs, &m);
    if (atomic_load(&m.failed)) return false;
  }
  adl_tensors *zero = adl_tensors_like(total);
  adl_tensors_replace(total, m.count > 0 ? present[0] : zero);
  adl_tensors_free(zero);
  return true;
}

/* ---- over kept rows ---- */

typedef struct kept_fold {
  adl_engine *engine;
  adl_rows *rows;
  const bool *read; /* columns that the stage sees */
  const adl_fold *fold;
  adl_tensors *partials[ADL_MAX_LANES];
  bool touched[ADL_MAX_LANES];
  int32_t lanes;
  _Atomic int32_t next_lane;
} kept_fold;

/* A fit that makes many passes sees the same rows again and again: from the second pass on, what was opened of a frame is held
 * for the next one, as long as all fits together hold no more than this part of the memory that the run may use. */
enum { HELD_SHARE = 8 };

struct adl_held {
  adl_view view;
  adl_frame *whole; /* the frame, without its columns */
  int64_t bytes;    /* counted, while it is held */
};

static adl_frame *without_columns(const adl_frame *frame) {
  return adl_frame_new(frame->rows, 0, adl_array_ref(frame->tags));
}

static void close_held(adl_held *held) {
  adl_view_close(&held->view);
  adl_frame_unref(held->whole);
  g_free(held);
}

/* NULL: failed, reported. */
static adl_frame *kept_frame(const kept_fold *f, int64_t number) {
  const adl_rows *rows = f->rows;
  char *why = NULL;
  adl_frame *frame = adl_store_get(rows->store, number, f->read, &why);
  if (frame == NULL) adl_engine_fail(rows->node->engine, rows->node->stage, "%s", why);
  g_free(why);
  return frame;
}

/* NULL: failed, reported. */
static adl_held *open_kept(adl_worker *worker, const kept_fold *f, int64_t number) {
  const adl_rows *rows = f->rows;
  adl_frame *frame = kept_frame(f, number);
  if (frame == NULL) return NULL;
  adl_held *held = g_new(adl_held, 1);
  held->whole = without_columns(frame);
  if (!open_part(&held->view, worker, rows->node, rows->side, frame, split_seen(rows->node, rows->side),
                 ADL_VIEW_CHECKED)) {
    adl_frame_unref(held->whole);
    g_clear_pointer(&held, g_free);
  }
  adl_frame_unref(frame);
  return held;
}

static int64_t bytes_of(const adl_held *held) {
  int64_t bytes = (int64_t)sizeof *held + held->whole->tags->bytes + held->view.frame->tags->bytes;
  for (guint i = 0; i < held->view.slot_count; i++)
    if (held->view.arrays[i] != NULL) bytes += held->view.arrays[i]->bytes;
  return bytes;
}

/* For the next pass, or not at all. Each frame is one worker's in a pass. */
static void hold_or_close(adl_rows *rows, int64_t number, adl_held *held) {
  adl_engine *engine = rows->node->engine;
  adl_budget *budget = &engine->budget;
  int64_t bytes = bytes_of(held);
  bool room = rows->held != NULL && atomic_load(&engine->held_bytes) + bytes <= budget->limit / HELD_SHARE &&
              atomic_load(&budget->used) + bytes + adl_spill_held() <= budget->limit;
  if (!room) {
    close_held(held);
    return;
  }
  held->bytes = bytes;
  atomic_fetch_add(&engine->held_bytes, bytes);
  atomic_fetch_add(&budget->used, bytes);
  adl_frame *rest = without_columns(held->view.frame); /* the slots hold what is needed of them */
  adl_frame_unref(held->view.frame);
  held->view.frame = rest;
  rows->held[number] = held;
}

void adl_rows_forget(adl_rows *rows) {
  adl_engine *engine = rows->node->engine;
  for (int64_t i = 0; rows->held != NULL && i < adl_store_frames(rows->store); i++) {
    if (rows->held[i] == NULL) continue;
    atomic_fetch_sub(&engine->budget.used, rows->held[i]->bytes);
    atomic_fetch_sub(&engine->held_bytes, rows->held[i]->bytes);
    close_held(rows->held[i]);
  }
  g_clear_pointer(&rows->held, g_free);
}

static bool fold_splits_of(adl_worker *worker, const kept_fold *f, int64_t number, int64_t ordinal,
                           const adl_fold_target *to) {
  adl_frame *frame = kept_frame(f, number);
  if (frame == NULL) return false;
  bool ok = adl_fold_frame(worker, f->rows->node, f->rows->side, frame, ordinal, f->fold, to, ADL_VIEW_CHECKED);
  adl_frame_unref(frame);
  return ok;
}

static bool fold_kept_frame(adl_worker *worker, const kept_fold *f, int64_t number, adl_fold_target *to) {
  adl_rows *rows = f->rows;
  adl_node_run *node = rows->node;
  int64_t ordinal = adl_store_first(rows->store, number, !adl_fold_sees_all(node, rows->side));
  to->refused = rows->side < 0 && node->refused != NULL ? &node->refused[number] : NULL;
  if ((node->stage->class->flags & ADL_SPLIT_ROWS) != 0) return fold_splits_of(worker, f, number, ordinal, to);
  adl_held *held = rows->held != NULL ? rows->held[number] : NULL;
  bool fresh = held == NULL;
  if (fresh) held = open_kept(worker, f, number);
  if (held == NULL) return false;
  bool ok =
      step_view(worker, node, rows->side, &held->view, held->whole, split_seen(node, rows->side), ordinal, f->fold, to);
  if (fresh) hold_or_close(rows, number, held);
  return ok;
}

static void fold_lanes(void *data, int32_t worker_number) {
  kept_fold *f = data;
  adl_worker *worker = &f->engine->workers[worker_number];
  int64_t frames = adl_store_frames(f->rows->store);
  for (int32_t lane = atomic_fetch_add(&f->next_lane, 1); lane < f->lanes; lane = atomic_fetch_add(&f->next_lane, 1)) {
    adl_fold_target to = {.partial = f->partials[lane], .touched = &f->touched[lane]};
    for (int64_t i = lane; i < frames && !adl_engine_stopping(f->engine); i += f->lanes)
      if (!fold_kept_frame(worker, f, i, &to)) return;
  }
}

/* All rows in order, on this thread. */
static bool fold_in_order(adl_desk *desk, kept_fold *f, adl_tensors *total) {
  bool touched = false, ok = true;
  adl_fold_target to = {.partial = total, .touched = &touched};
  desk->folding_in_order = true;
  for (int64_t i = 0; ok && i < adl_store_frames(f->rows->store); i++)
    ok = !adl_engine_stopping(f->engine) && fold_kept_frame(desk->step, f, i, &to);
  desk->folding_in_order = false;
  return ok;
}

static bool fold_in_lanes(const adl_desk *desk, kept_fold *f, adl_tensors *total) {
  f->lanes = adl_fold_lanes(f->fold, total);
  for (int32_t i = 0; i < f->lanes; i++) f->partials[i] = adl_tensors_like(total);
  adl_desk_share(desk, fold_lanes, f);
  bool ok = !adl_engine_stopping(f->engine) &&
            adl_fold_merge(desk, f->rows->node, f->fold, f->partials, f->touched, f->lanes, total);
  for (int32_t i = 0; i < f->lanes; i++) adl_tensors_free(f->partials[i]);
  return ok;
}

static adl_status fold_kept(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total) {
  adl_node_run *node = rows->node;
  const GPtrArray *from = rows->side < 0 ? node->stage->from : node->stage->sides;
  const adl_stage *of = from->pdata[MAX(rows->side, 0)];
  adl_desk *desk = adl_context_of(call)->run->desk;
  if (desk == NULL) return call->host->fail(call, NULL, -1, NULL, "only fit may fold, not what it calls");
  bool *read = adl_columns_read(node->stage, rows->side, of->schema.count);
  kept_fold f = {.engine = node->engine, .rows = rows, .fold = fold, .read = read};
  if (rows->passes++ == 1) rows->held = g_new0(adl_held *, (gsize)adl_store_frames(rows->store) + 1);
  bool ok = (fold->flags & ADL_FOLD_IN_ORDER) != 0 ? fold_in_order(desk, &f, total) : fold_in_lanes(desk, &f, total);
  g_free(read);
  adl_context_current = adl_context_of(call);
  return ok ? ADL_OK : ADL_FAILED;
}

static adl_status host_fold(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total) {
  if (fold->step == NULL) return call->host->fail(call, NULL, -1, NULL, "a fold needs a step");
  return rows->store != NULL ? fold_kept(call, rows, fold, total) : adl_fold_passing(call, rows, fold, total);
}

void adl_fold_fill(adl_host *host) { host->fold = host_fold; }
