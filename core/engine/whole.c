/* Classes that must see more than a batch: whole tables (sort) and whole groups (choosing among candidates). */
#include <string.h>

#include "core/engine/internal.h"

/* ---- whole tables ---- */

/* One frame that holds, of all kept rows, the columns that the stage's slots read. */
static adl_frame *keys_of_all(adl_node_run *node) {
  const adl_stage *stage = node->stage;
  int32_t width = ((adl_stage *)stage->from->pdata[0])->schema.count;
  bool *read = adl_columns_read(stage, -1, width);
  GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  char *why = NULL;
  for (int64_t i = 0; why == NULL && i < adl_store_frames(node->store); i++) {
    adl_frame *frame = adl_store_get(node->store, i, read, &why);
    if (frame == NULL) break;
    adl_frame *part = adl_frame_new(frame->rows, width, adl_array_ref(frame->tags));
    for (int32_t c = 0; c < width; c++)
      if (read[c]) part->columns[c] = adl_array_ref(frame->columns[c]);
    g_ptr_array_add(parts, part);
    adl_frame_unref(frame);
  }
  adl_frame *all = why == NULL ? adl_frames_concat((adl_frame *const *)parts->pdata, parts->len) : NULL;
  if (all == NULL)
    adl_engine_fail(node->engine, stage, "%s", why != NULL ? why : "its key columns hold more than 2 GiB of text");
  g_ptr_array_free(parts, TRUE);
  g_free(why);
  g_free(read);
  return all;
}

/* Rows that were picked and rejected do not leave. */
static void leave_out(adl_node_run *node, const uint8_t *rejected) {
  int64_t kept = 0;
  for (int64_t i = 0; i < node->order_count; i++)
    if (!adl_bit(rejected, node->order[i])) node->order[kept++] = node->order[i];
  node->order_count = kept;
}

bool adl_whole_table(adl_node_run *node) {
  adl_engine *engine = node->engine;
  if (adl_store_rows(node->store, false) == 0) return true;
  int64_t begin = adl_clock_ns();
  adl_frame *all = keys_of_all(node);
  if (all == NULL) return false;
  adl_worker *worker = adl_control(engine);
  adl_view view;
  if (!adl_view_open(&view, worker, node, -1, all, ADL_VIEW_CHECKED)) {
    adl_frame_unref(all);
    return false;
  }
  const adl_call *call = adl_worker_enter(worker, node, "process");
  worker->call.frame = view.frame;
  adl_out_begin(worker->out, worker, node, &view);
  adl_status status = node->stage->class->process(call, node->stage->self, &node->model, &view.batch, worker->out);
  if (status == ADL_OK) {
    adl_out_count_dropped(worker->out, worker);
    node->order = adl_out_take_pick(worker->out, &node->order_count);
  }
  if (worker->call.rejected != NULL) leave_out(node, worker->call.rejected);
  adl_out_drop(worker->out);
  bool ok = adl_worker_leave(worker, status);
  adl_tally *tally = adl_tally_of(worker, node);
  adl_count(&tally->rows_in, all->rows);
  adl_count(&tally->rows_out, node->order_count);
  tally->nanoseconds += adl_clock_ns() - begin;
  adl_view_close(&view);
  adl_frame_unref(all);
  return ok;
}

/* ---- whole groups ---- */

static bool same_group(const adl_view *view, const adl_stage *stage, int64_t a, int64_t b) {
  for (guint i = 0; i < view->slot_count; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    if ((slot->flags & ADL_GROUP_KEY) != 0 && view->arrays[i] != NULL &&
        adl_array_compare(view->columns[i], a, view->columns[i], b) != 0)
      return false;
  }
  return true;
}

/* First row of the last group: what may go on in the next frame. -1: failed. */
static int64_t last_group(adl_worker *worker, adl_node_run *node, adl_frame *frame) {
  adl_view view;
  if (!adl_view_open(&view, worker, node, -1, frame, ADL_VIEW_CHECKED)) return -1;
  int64_t row = frame->rows - 1;
  while (row > 0 && same_group(&view, node->stage, row - 1, row)) row--;
  adl_view_close(&view);
  return row;
}

/* The rows that wait and those of the parcel, checked, as one frame; NULL: none, or failed. */
static adl_frame *put_together(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel) {
  GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  uint32_t flags =
      node->stage->learn == ADL_LEARN_ONLINE || node->stage->learn == ADL_LEARN_FIT ? ADL_VIEW_CHECK_LEARN : 0;
  bool ok = true;
  if (node->group_rest != NULL) g_ptr_array_add(parts, node->group_rest);
  node->group_rest = NULL;
  for (guint i = 0; ok && i < parcel->frames->len; i++) {
    adl_view view; /* for its checks */
    ok = adl_view_open(&view, worker, node, -1, parcel->frames->pdata[i], flags);
    if (!ok) break;
    if (view.frame->rows > 0) g_ptr_array_add(parts, adl_frame_ref(view.frame));
    adl_view_close(&view);
  }
  adl_frame *all = ok && parts->len > 0 ? adl_frames_concat((adl_frame *const *)parts->pdata, parts->len) : NULL;
  if (ok && parts->len > 0 && all == NULL)
    adl_engine_fail(node->engine, node->stage, "a group holds more than 2 GiB of text");
  g_ptr_array_free(parts, TRUE);
  return all;
}

adl_parcel *adl_whole_groups(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, bool last) {
  adl_parcel *result = adl_parcel_like(parcel);
  adl_frame *all = put_together(worker, node, parcel);
  if (all == NULL) return result;
  int64_t end = last ? all->rows : last_group(worker, node, all);
  if (end > 0) g_ptr_array_add(result->frames, adl_frame_slice(all, 0, end));
  if (end >= 0 && end < all->rows) node->group_rest = adl_frame_slice(all, end, all->rows - end);
  adl_frame_unref(all);
  return result;
}

void adl_whole_offsets(adl_view *view, const adl_stage *stage, const adl_call *call) {
  int32_t *groups = call->host->alloc(call, ((size_t)view->batch.rows + 1) * sizeof *groups);
  int64_t count = 0;
  for (int64_t i = 0; i < view->batch.rows; i++)
    if (i == 0 || !same_group(view, stage, i - 1, i)) groups[count++] = (int32_t)i;
  groups[count] = (int32_t)view->batch.rows;
  view->batch.groups = groups;
  view->batch.group_count = count;
}
