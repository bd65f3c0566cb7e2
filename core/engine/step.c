/* One frame through one stage: its slots are filled, forbidden nulls and NaN are rejected, process or learn is called, what
 * it gave becomes frames. Holdouts, too, are a step. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include <xxhash.h>

#include "core/base/aligned.h"
#include "core/base/guard.h"
#include "core/base/spill.h"
#include "core/engine/internal.h"

/* ---- calls ---- */

const adl_call *adl_worker_enter(adl_worker *worker, adl_node_run *node, const char *function) {
  worker->call.node = node;
  worker->call.rejected = NULL;
  worker->call.frame = NULL;
  worker->context.run = &worker->call;
  return adl_context_enter(&worker->context, node->stage, function);
}

bool adl_worker_leave(adl_worker *worker, adl_status status) {
  adl_engine *engine = worker->call.engine;
  bool ok = adl_engine_stopping(engine) ? status == ADL_OK && !worker->context.failed
                                        : adl_context_check(&worker->context, status);
  if (ok && adl_spill_failure() != NULL) { /* its tables did not find room on the disk */
    ok = false;
    if (!atomic_exchange(&engine->failed, true))
      adl_engine_fail(engine, worker->call.node->stage, "%s", adl_spill_failure());
  }
  if (!ok && worker->context.problem != NULL && strcmp(worker->context.function, "fit") == 0)
    adl_tell_lost(worker->call.node, worker->context.problem);
  if (!ok) adl_engine_blame(engine, worker->call.node->stage);
  if (!ok) atomic_store(&engine->failed, true);
  adl_context_leave(&worker->context);
  adl_spill_trim();
  worker->call.frame = NULL;
  worker->call.rejected = NULL;
  return ok;
}

int64_t adl_clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

bool adl_node_takes_turns(const adl_node_run *node) {
  const adl_stage *stage = node->stage;
  if (stage->class == NULL) return false;
  return stage->class->write != NULL || stage->learn == ADL_LEARN_ONLINE ||
         (stage->class->flags & (ADL_ORDERED | ADL_WHOLE_GROUPS)) != 0;
}

/* ---- views ---- */

static const adl_stage *stage_read(const adl_stage *stage, int32_t side) {
  return side < 0 ? stage->from->pdata[0] : stage->sides->pdata[side];
}

/* NULL: reported. */
static adl_array *evaluate(adl_worker *worker, adl_node_run *node, const adl_expr *expr, const int32_t *columns,
                           const adl_frame *frame) {
  const adl_column *inputs[256] = {NULL};
  int32_t count = adl_expr_input_count(expr);
  const adl_column **all = count <= 256 ? inputs : g_new(const adl_column *, (gsize)count);
  for (int32_t i = 0; i < count; i++) all[i] = &frame->columns[columns[i]]->view;
  const char *why = NULL;
  adl_array *array = adl_expr_evaluate(expr, all, frame->rows, worker->call.engine->started_us, &why);
  if (all != inputs) g_free(all);
  if (array == NULL) adl_engine_fail(node->engine, node->stage, "an expression cannot be computed: %s", why);
  return array;
}

/* A matrix of one column is that column, where it is one already and has no nulls. */
static adl_array *shared_matrix(const adl_slot *slot, const adl_frame *frame) {
  adl_array *only = frame->columns[slot->columns[0]];
  adl_type type = only->view.type;
  bool same = slot->column_count == 1 && type.shape == slot->type.shape && type.element == slot->type.element &&
              type.width == slot->type.width && only->view.null_count == 0;
  return same ? adl_array_ref(only) : NULL;
}

/* NULL: reported. */
static adl_array *fill_slot(adl_worker *worker, adl_node_run *node, const adl_slot *slot, const adl_frame *frame) {
  if (slot->kind == ADL_SLOT_COLUMN) return adl_array_ref(frame->columns[slot->columns[0]]);
  if (slot->kind == ADL_SLOT_EXPRESSION) return evaluate(worker, node, slot->expr, slot->columns, frame);
  adl_array *matrix = shared_matrix(slot, frame);
  if (matrix != NULL) return matrix;
  const adl_column *few[64] = {NULL};
  const adl_column **columns = slot->column_count <= 64 ? few : g_new(const adl_column *, (gsize)slot->column_count);
  for (int32_t c = 0; c < slot->column_count; c++) columns[c] = &frame->columns[slot->columns[c]]->view;
  matrix = adl_array_matrix(slot->type, columns, slot->column_count, frame->rows);
  if (matrix == NULL)
    adl_engine_fail(node->engine, node->stage,
                    "%s: %" G_GINT64_FORMAT " rows of a matrix %" G_GINT64_FORMAT " wide cannot be made: %s",
                    slot->parameter, frame->rows, slot->type.width, g_strerror(errno));
  if (columns != few) g_free(columns);
  return matrix;
}

static bool fill_slots(adl_view *view, adl_worker *worker, adl_node_run *node, int32_t side, uint32_t flags) {
  const adl_stage *stage = node->stage;
  bool ok = true;
  for (guint i = 0; i < view->slot_count; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    bool learn_only = (slot->flags & ADL_LEARN_ONLY) != 0;
    bool absent = slot->side != side || (learn_only && (flags & (ADL_VIEW_LEARN | ADL_VIEW_CHECK_LEARN)) == 0);
    view->arrays[i] = absent || !ok ? NULL : fill_slot(worker, node, slot, view->frame);
    ok = ok && (absent || view->arrays[i] != NULL);
    bool seen = view->arrays[i] != NULL && (!learn_only || (flags & ADL_VIEW_LEARN) != 0);
    view->columns[i] = seen ? &view->arrays[i]->view : NULL;
  }
  return ok;
}

bool *adl_columns_read(const adl_stage *stage, int32_t side, int32_t count) {
  bool *read = g_new0(bool, (gsize)count + 1);
  for (guint i = 0; i < stage->slots->len; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    for (int32_t c = 0; slot->side == side && c < slot->column_count; c++) read[slot->columns[c]] = true;
  }
  return read;
}

static void drop_slots(adl_view *view) {
  for (guint i = 0; i < view->slot_count; i++) adl_array_unref(view->arrays[i]);
}

static void reject_row(adl_node_run *node, int64_t tag, const char *column, const char *reason) {
  adl_reject reject = {.stage = node->stage->name,
                       .shard = adl_tag_shard(tag),
                       .position = adl_tag_position(tag),
                       .column = column,
                       .reason = reason};
  adl_rejects_add(node->engine->rejects, &reject);
}

static const char *reason_of(const adl_column *column, adl_bad what, int64_t row) {
  if (what == ADL_BAD_NULL) return "is null";
  return what == ADL_BAD_AS_FLOAT32 && adl_array_is_finite(column, row) ? "is too large for float32"
                                                                        : "is NaN or infinite";
}

/* What one column holds that its slot does not let pass; adds to `bad`. In a matrix numbers are float32. */
static int64_t check_column(adl_node_run *node, const adl_frame *frame, const adl_column *column, const char *name,
                            const adl_slot *slot, uint8_t *bad) {
  const adl_bad whats[] = {ADL_BAD_NULL, slot->kind == ADL_SLOT_MATRIX ? ADL_BAD_AS_FLOAT32 : ADL_BAD_NOT_FINITE};
  const uint32_t passes[] = {ADL_NULLS_PASS, ADL_NAN_PASS};
  bool training_only = (slot->flags & ADL_LEARN_ONLY) != 0;
  int64_t count = 0, bytes = (frame->rows + 7) / 8;
  uint8_t few[ADL_BATCH_ROWS / 8];
  uint8_t *found = bytes <= (int64_t)sizeof few ? few : g_malloc((gsize)bytes);
  for (int k = 0; k < 2; k++) {
    if ((slot->flags & passes[k]) != 0) continue;
    if (whats[k] == ADL_BAD_NULL && column->validity == NULL) continue;
    memset(found, 0, (size_t)bytes);
    if (adl_array_find_bad(column, whats[k], found) == 0) continue;
    for (int64_t i = 0; i < frame->rows; i++) {
      int64_t tag = adl_frame_tags(frame)[i];
      if (!adl_bit(found, i) || adl_bit(bad, i) || (training_only && adl_tag_split(tag) != ADL_TRAIN)) continue;
      adl_bit_set(bad, i, true);
      reject_row(node, tag, name, reason_of(column, whats[k], i));
      count++;
    }
  }
  if (found != few) g_free(found);
  return count;
}

static int64_t check_slots(adl_view *view, adl_node_run *node, int32_t side, uint8_t *bad) {
  int64_t count = 0;
  const adl_schema *schema = &stage_read(node->stage, side)->schema;
  for (guint i = 0; i < view->slot_count; i++) {
    const adl_slot *slot = node->stage->slots->pdata[i];
    if (view->arrays[i] == NULL || (slot->flags & (ADL_NULLS_PASS | ADL_NAN_PASS)) == (ADL_NULLS_PASS | ADL_NAN_PASS))
      continue;
    if (slot->kind == ADL_SLOT_EXPRESSION) {
      count += check_column(node, view->frame, &view->arrays[i]->view, slot->parameter, slot, bad);
      continue;
    }
    for (int32_t c = 0; c < slot->column_count; c++)
      count += check_column(node, view->frame, &view->frame->columns[slot->columns[c]]->view,
                            schema->columns[slot->columns[c]].name, slot, bad);
  }
  return count;
}

static void describe_batch(adl_view *view) {
  for (guint i = 0; adl_guard_is_up() && i < view->slot_count; i++)
    if (view->arrays[i] != NULL) adl_array_seal(view->arrays[i]);
  view->batch = (adl_batch){.struct_size = sizeof view->batch,
                            .slot_count = view->slot_count,
                            .rows = view->frame->rows,
                            .slots = view->columns};
}

static bool drop_bad_rows(adl_view *view, adl_worker *worker, adl_node_run *node, int32_t side, uint32_t flags) {
  adl_frame *frame = view->frame;
  size_t bytes = (size_t)(frame->rows + 7) / 8;
  uint8_t few[ADL_BATCH_ROWS / 8], *bad = bytes <= sizeof few ? few : g_malloc(bytes);
  bool ok = true;
  memset(bad, 0, bytes);
  if (check_slots(view, node, side, bad) > 0) {
    drop_slots(view);
    view->frame = adl_frame_without(frame, bad);
    adl_frame_unref(frame);
    ok = fill_slots(view, worker, node, side, flags);
  }
  if (bad != few) g_free(bad);
  return ok;
}

bool adl_view_open(adl_view *view, adl_worker *worker, adl_node_run *node, int32_t side, adl_frame *frame,
                   uint32_t flags) {
  view->slot_count = node->stage->slots->len;
  view->arrays =
      (adl_array **)(view->slot_count <= ADL_VIEW_FEW ? view->few
                                                      : (void **)g_new(adl_array *, (gsize)view->slot_count * 2));
  view->columns = (const adl_column **)(void *)(view->arrays + view->slot_count);
  view->frame = adl_frame_ref(frame);
  bool ok = fill_slots(view, worker, node, side, flags);
  if (ok && (flags & ADL_VIEW_CHECKED) == 0 && view->slot_count > 0 && frame->rows > 0)
    ok = drop_bad_rows(view, worker, node, side, flags);
  if (ok)
    describe_batch(view);
  else
    adl_view_close(view);
  return ok;
}

void adl_view_close(adl_view *view) {
  drop_slots(view);
  adl_frame_unref(view->frame);
  if (view->slot_count > ADL_VIEW_FEW) g_free(view->arrays);
}

adl_frame *adl_frame_of_split(adl_frame *frame, adl_split split, bool keep) {
  int64_t bytes = (frame->rows + 7) / 8;
  uint8_t *drop = g_malloc0((gsize)bytes + 1);
  const int64_t *tags = adl_frame_tags(frame);
  for (int64_t i = 0; i < frame->rows; i++)
    if ((adl_tag_split(tags[i]) == split) != keep) adl_bit_set(drop, i, true);
  adl_frame *result = adl_frame_without(frame, drop);
  g_free(drop);
  return result;
}

/* ---- process ---- */

typedef adl_status (*row_function)(const adl_call *call, adl_node_run *node, const adl_batch *batch, adl_out *out);

static adl_status call_process(const adl_call *call, adl_node_run *node, const adl_batch *batch, adl_out *out) {
  return node->stage->class->process(call, node->stage->self, &node->model, batch, out);
}

static adl_status call_learn(const adl_call *call, adl_node_run *node, const adl_batch *batch, adl_out *out) {
  return node->stage->class->learn(call, node->stage->self, &node->model, batch, out);
}

static bool step_frame(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal, uint32_t flags,
                       const char *name, row_function function, GPtrArray *result, uint8_t *rejected) {
  if (frame->rows == 0) return true;
  adl_view view;
  if (!adl_view_open(&view, worker, node, -1, frame, flags)) return false;
  bool ok = true;
  if (view.frame->rows > 0) {
    view.batch.ordinal = ordinal;
    const adl_call *call = adl_worker_enter(worker, node, name);
    worker->call.frame = view.frame;
    worker->call.split = adl_tag_split(adl_frame_tags(view.frame)[0]);
    if ((node->stage->class->flags & ADL_WHOLE_GROUPS) != 0) adl_whole_offsets(&view, node->stage, call);
    adl_out_begin(worker->out, worker, node, &view);
    adl_status status = node->stage->loaded->forwards_only ? ADL_OK : function(call, node, &view.batch, worker->out);
    if (status == ADL_OK && !worker->context.failed)
      ok = adl_out_end(worker->out, worker, result);
    else
      adl_out_drop(worker->out);
    if (rejected != NULL && worker->call.rejected != NULL)
      memcpy(rejected, worker->call.rejected, (size_t)(frame->rows + 7) / 8);
    ok = adl_worker_leave(worker, status) && ok;
  }
  adl_view_close(&view);
  return ok;
}

/* What still has to be checked of rows that reach process. Rows that were kept have been looked at; with a model that was
 * loaded instead of fitted, what fitting would have refused is refused all the same. */
static uint32_t flags_of_process(const adl_node_run *node) {
  if (node->store != NULL || (node->stage->class->flags & ADL_WHOLE_GROUPS) != 0) return ADL_VIEW_CHECKED;
  return node->stage->learn == ADL_LEARN_FIT ? ADL_VIEW_CHECK_LEARN : 0;
}

/* New rows do not say which rows they were made of: each split is given alone, so that they inherit it. */
static bool wants_splits_apart(const adl_class *class) {
  return (class->flags & ADL_SPLIT_ROWS) != 0 || class->form == ADL_NEW;
}

static bool process_by_split(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal,
                             GPtrArray *result) {
  for (int split = ADL_TRAIN; split <= ADL_TEST; split++) {
    adl_frame *part = adl_frame_of_split(frame, (adl_split)split, true);
    bool ok = step_frame(worker, node, part, ordinal, flags_of_process(node), "process", call_process, result, NULL);
    adl_frame_unref(part);
    if (!ok) return false;
  }
  return true;
}

static bool holdout_frame(adl_worker *worker, adl_node_run *node, adl_frame *frame, GPtrArray *result);

bool adl_step_frame(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal, GPtrArray *result) {
  if (node->stage->role == ADL_STAGE_HOLDOUT) return holdout_frame(worker, node, frame, result);
  if (wants_splits_apart(node->stage->class)) return process_by_split(worker, node, frame, ordinal, result);
  return step_frame(worker, node, frame, ordinal, flags_of_process(node), "process", call_process, result, NULL);
}

/* All frames of a parcel through one of the functions above or below. */
static bool step_parcel(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GPtrArray *result,
                        bool (*step)(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal,
                                     GPtrArray *result)) {
  int64_t begin = worker->since != 0 ? worker->since : adl_clock_ns(), ordinal = adl_parcel_ordinal(parcel);
  bool ok = true;
  guint before = result->len;
  adl_tally *tally = adl_tally_of(worker, node);
  worker->call.first_made = ordinal;
  for (guint i = 0; ok && i < parcel->frames->len; i++) {
    adl_frame *frame = parcel->frames->pdata[i];
    adl_count(&tally->rows_in, frame->rows);
    ok = step(worker, node, frame, ordinal, result);
    ordinal += frame->rows;
  }
  for (guint i = before; i < result->len; i++) adl_count(&tally->rows_out, ((adl_frame *)result->pdata[i])->rows);
  worker->since = adl_clock_ns();
  tally->nanoseconds += worker->since - begin;
  return ok;
}

bool adl_step_process(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GPtrArray *result) {
  return step_parcel(worker, node, parcel, result, adl_step_frame);
}

/* ---- learn ---- */

/* A batch of an online stage: the held-out rows and the training rows apart, and which of them the stage refused. */
typedef struct parts {
  adl_frame *whole, *held, *training;
  uint8_t *held_rejected, *training_rejected;
} parts;

/* The rows of both results in the order of the batch: the numbers are those of held's rows, then training's. NULL: they are
 * not the rows of the batch, each once (reported). */
static adl_frame *interleave(adl_node_run *node, const parts *p, GPtrArray *held, GPtrArray *training) {
  GPtrArray *both = g_ptr_array_new();
  for (guint i = 0; i < held->len; i++) g_ptr_array_add(both, held->pdata[i]);
  int64_t held_rows = 0, count = 0, from_held = 0, from_training = 0, in_held = 0, in_training = 0;
  for (guint i = 0; i < held->len; i++) held_rows += ((adl_frame *)held->pdata[i])->rows;
  for (guint i = 0; i < training->len; i++) g_ptr_array_add(both, training->pdata[i]);
  int64_t *index = g_new(int64_t, (gsize)p->whole->rows + 1);
  for (int64_t i = 0; i < p->whole->rows; i++) {
    if (adl_tag_split(adl_frame_tags(p->whole)[i]) == ADL_TRAIN) {
      if (!adl_bit(p->training_rejected, in_training++)) index[count++] = held_rows + from_training++;
    } else if (!adl_bit(p->held_rejected, in_held++)) {
      index[count++] = from_held++;
    }
  }
  adl_frame *all = both->len > 0 ? adl_frames_concat((adl_frame *const *)both->pdata, both->len) : NULL;
  bool complete = both->len == 0 ? count == 0 : all != NULL && all->rows == count && from_held == held_rows;
  adl_frame *result = complete && all != NULL ? adl_frame_gather(all, index, count) : NULL;
  if (!complete || (all != NULL && result == NULL))
    adl_engine_fail(node->engine, node->stage, "%s gave other rows than it was given, or too much for one batch",
                    node->stage->class->id);
  adl_frame_unref(all);
  g_free(index);
  g_ptr_array_free(both, TRUE);
  return result;
}

static bool learn_apart(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal, GPtrArray *result) {
  gsize bytes = (gsize)(frame->rows + 7) / 8;
  parts p = {.whole = frame,
             .held = adl_frame_of_split(frame, ADL_TRAIN, false),
             .training = adl_frame_of_split(frame, ADL_TRAIN, true),
             .held_rejected = g_malloc0(bytes + 1),
             .training_rejected = g_malloc0(bytes + 1)};
  GPtrArray *held = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  GPtrArray *training = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  bool ok =
      step_frame(worker, node, p.held, ordinal, ADL_VIEW_CHECKED, "process", call_process, held, p.held_rejected) &&
      step_frame(worker, node, p.training, ordinal, ADL_VIEW_CHECKED | ADL_VIEW_LEARN, "learn", call_learn, training,
                 p.training_rejected);
  adl_frame *merged = ok ? interleave(node, &p, held, training) : NULL;
  if (merged != NULL) g_ptr_array_add(result, merged);
  g_ptr_array_free(held, TRUE);
  g_ptr_array_free(training, TRUE);
  g_free(p.held_rejected);
  g_free(p.training_rejected);
  adl_frame_unref(p.held);
  adl_frame_unref(p.training);
  return ok && !adl_engine_stopping(node->engine);
}

/* Where the run of rows that begins at `first` ends: rows that are all for training, or all held out. */
static int64_t end_of_run(const adl_frame *frame, int64_t first) {
  const int64_t *tags = adl_frame_tags(frame);
  int64_t end = first + 1;
  while (end < frame->rows && (adl_tag_split(tags[end]) == ADL_TRAIN) == (adl_tag_split(tags[first]) == ADL_TRAIN))
    end++;
  return end;
}

/* The same for a class that picks rows: what leaves does not say where it stood in the batch, so runs of one split are
 * given one by one, the held-out ones first. */
static bool learn_runs(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal, GPtrArray *result) {
  GPtrArray *runs = g_ptr_array_new(); /* of GPtrArray *: what each run gave */
  bool ok = true;
  for (int pass = 0; ok && pass < 2; pass++) {
    guint number = 0;
    for (int64_t first = 0, end; ok && first < frame->rows; first = end, number++) {
      end = end_of_run(frame, first);
      bool training = adl_tag_split(adl_frame_tags(frame)[first]) == ADL_TRAIN;
      if (pass == 0) g_ptr_array_add(runs, g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref));
      if (training != (pass == 1)) continue;
      adl_frame *run = adl_frame_slice(frame, first, end - first);
      ok = step_frame(worker, node, run, ordinal + first, ADL_VIEW_CHECKED | (training ? ADL_VIEW_LEARN : 0),
                      training ? "learn" : "process", training ? call_learn : call_process, runs->pdata[number], NULL);
      adl_frame_unref(run);
    }
  }
  for (guint i = 0; i < runs->len; i++) {
    GPtrArray *frames = runs->pdata[i];
    for (guint k = 0; ok && k < frames->len; k++) g_ptr_array_add(result, adl_frame_ref(frames->pdata[k]));
    g_ptr_array_free(frames, TRUE);
  }
  g_ptr_array_free(runs, TRUE);
  return ok;
}

/* The held-out rows of a batch are scored with the model as it stood before it; then the training rows teach it. Rows
 * leave in the order in which they came. */
static bool learn_frame(adl_worker *worker, adl_node_run *node, adl_frame *frame, int64_t ordinal, GPtrArray *result) {
  adl_view view; /* opened for its checks: what comes out of it is clean */
  bool whole_groups = (node->stage->class->flags & ADL_WHOLE_GROUPS) != 0; /* those have been checked */
  if (!adl_view_open(&view, worker, node, -1, frame, ADL_VIEW_LEARN | (whole_groups ? ADL_VIEW_CHECKED : 0)))
    return false;
  adl_frame *clean = adl_frame_ref(view.frame);
  adl_view_close(&view);
  bool mixed =
      clean->rows > 0 && (adl_tag_split(adl_frame_tags(clean)[0]) != ADL_TRAIN || end_of_run(clean, 0) < clean->rows);
  bool ok = !mixed ? step_frame(worker, node, clean, ordinal, ADL_VIEW_CHECKED | ADL_VIEW_LEARN, "learn", call_learn,
                                result, NULL)
            : node->stage->class->form == ADL_PICKED ? learn_runs(worker, node, clean, ordinal, result)
                                                     : learn_apart(worker, node, clean, ordinal, result);
  adl_frame_unref(clean);
  return ok;
}

bool adl_step_learn(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GPtrArray *result) {
  return step_parcel(worker, node, parcel, result, learn_frame);
}

/* ---- finish, sinks ---- */

bool adl_step_finish(adl_worker *worker, adl_node_run *node, int64_t first_made, adl_store *table, GPtrArray *result) {
  guint before = result->len;
  int64_t begin = adl_clock_ns();
  adl_tally *tally = adl_tally_of(worker, node);
  const adl_call *call = adl_worker_enter(worker, node, "finish");
  worker->call.split = ADL_TRAIN;
  worker->call.first_made = first_made;
  adl_out_begin(worker->out, worker, node, NULL);
  adl_out_into(worker->out, table);
  adl_status status = node->stage->class->finish(call, node->stage->self, &node->model, worker->out);
  bool ok = true;
  if (status == ADL_OK && !worker->context.failed)
    ok = adl_out_end(worker->out, worker, result);
  else
    adl_out_drop(worker->out);
  for (guint i = before; i < result->len; i++) adl_count(&tally->rows_out, ((adl_frame *)result->pdata[i])->rows);
  tally->nanoseconds += adl_clock_ns() - begin;
  return adl_worker_leave(worker, status) && ok;
}

/* NULL: nothing to write, or it failed (reported). */
static GBytes *encode_frame(adl_worker *worker, adl_node_run *node, adl_frame *frame) {
  adl_view view;
  GBytes *block = NULL;
  if (!adl_view_open(&view, worker, node, -1, frame, 0)) return NULL;
  if (view.frame->rows > 0) {
    const adl_call *call = adl_worker_enter(worker, node, "encode");
    worker->call.frame = view.frame;
    adl_out_begin(worker->out, worker, node, &view);
    adl_status status = node->stage->class->encode(call, node->stage->self, &view.batch, worker->out);
    adl_block made = adl_out_take_block(worker->out);
    if (made.data != NULL) block = g_bytes_new_with_free_func(made.data, (gsize)made.size, free, made.data);
    adl_out_drop(worker->out);
    adl_worker_leave(worker, status);
  }
  adl_view_close(&view);
  return block;
}

/* Sinks get the frames of a parcel as one call each; encode runs beside others, write in its turn. A parcel has nearly
 * always one frame; the blocks of several are strung together. */
GBytes *adl_step_encode(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel) {
  int64_t begin = adl_clock_ns();
  GByteArray *all = NULL;
  GBytes *first = NULL;
  for (guint i = 0; i < parcel->frames->len && !adl_engine_stopping(node->engine); i++) {
    GBytes *block = encode_frame(worker, node, parcel->frames->pdata[i]);
    if (block == NULL) continue;
    if (first == NULL) {
      first = block;
      continue;
    }
    if (all == NULL) {
      all = g_byte_array_new();
      g_byte_array_append(all, g_bytes_get_data(first, NULL), (guint)g_bytes_get_size(first));
    }
    g_byte_array_append(all, g_bytes_get_data(block, NULL), (guint)g_bytes_get_size(block));
    g_bytes_unref(block);
  }
  adl_tally_of(worker, node)->nanoseconds += adl_clock_ns() - begin;
  if (all == NULL) return first;
  g_bytes_unref(first);
  return g_byte_array_free_to_bytes(all);
}

bool adl_step_write(adl_worker *worker, adl_node_run *node, const adl_parcel *parcel, GBytes *block) {
  int64_t begin = adl_clock_ns();
  bool ok = true;
  const adl_class *class = node->stage->class;
  adl_tally *tally = adl_tally_of(worker, node);
  if (class->encode != NULL) {
    if (block == NULL) return true;
    gsize size = 0;
    const void *data = g_bytes_get_data(block, &size);
    const adl_call *call = adl_worker_enter(worker, node, "write");
    ok = adl_worker_leave(worker, class->write(call, node->stage->self, NULL, data, (int64_t)size));
  }
  for (guint i = 0; ok && i < parcel->frames->len; i++) {
    adl_frame *frame = parcel->frames->pdata[i];
    adl_count(&tally->rows_in, frame->rows);
    if (class->encode != NULL) continue;
    adl_view view;
    ok = adl_view_open(&view, worker, node, -1, frame, 0);
    if (!ok) break;
    if (view.frame->rows > 0) {
      const adl_call *call = adl_worker_enter(worker, node, "write");
      worker->call.frame = view.frame;
      ok = adl_worker_leave(worker, class->write(call, node->stage->self, &view.batch, NULL, 0));
    }
    adl_view_close(&view);
  }
  tally->nanoseconds += adl_clock_ns() - begin;
  return ok;
}

/* ---- holdouts ---- */

static bool held_by_fraction(const adl_holdout *holdout, uint64_t seed, const adl_frame *frame, int64_t row,
                             GByteArray *key) {
  g_byte_array_set_size(key, 0);
  if (holdout->by >= 0) {
    adl_array_key(&frame->columns[holdout->by]->view, row, key);
  } else {
    int64_t tag = adl_frame_tags(frame)[row];
    int64_t origin[2] = {adl_tag_shard(tag), adl_tag_position(tag)};
    g_byte_array_append(key, (const guint8 *)origin, sizeof origin);
  }
  return adl_random_unit(seed, XXH3_64bits(key->data, key->len)) < holdout->fraction;
}

/* Rows that are held out already stay so. */
static bool holdout_frame(adl_worker *worker, adl_node_run *node, adl_frame *frame, GPtrArray *result) {
  const adl_holdout *holdout = node->stage->holdout;
  adl_array *where = holdout->where == NULL ? NULL : evaluate(worker, node, holdout->where, holdout->columns, frame);
  if (holdout->where != NULL && where == NULL) return false;
  GByteArray *key = g_byte_array_new();
  uint64_t seed = adl_random(node->stage->seed, UINT64_C(0x686f6c646f7574));
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_INT64, ADL_NUMBER));
  adl_buffers buffers;
  adl_builder_reserve(builder, frame->rows, 0, 0, &buffers);
  int64_t *tags = buffers.data;
  for (int64_t i = 0; i < frame->rows; i++) {
    int64_t tag = adl_frame_tags(frame)[i];
    bool held = false;
    if (node->engine->apply || adl_tag_split(tag) != ADL_TRAIN) {
      tags[i] = tag;
      continue;
    }
    if (where != NULL)
      held = !adl_is_null(&where->view, i) && adl_bit(where->view.data, i);
    else if (holdout->kind == ADL_HOLDOUT_FRACTION)
      held = held_by_fraction(holdout, seed, frame, i, key);
    else
      held = !adl_is_null(&frame->columns[holdout->by]->view, i) &&
             adl_number_at(&frame->columns[holdout->by]->view, i) >= node->threshold;
    tags[i] = held ? adl_tag_make(holdout->split, adl_tag_shard(tag), adl_tag_position(tag)) : tag;
  }
  g_byte_array_unref(key);
  adl_array_unref(where);
  const adl_stage *stage = node->stage;
  adl_frame *marked = adl_frame_new(frame->rows, stage->schema.count, adl_builder_finish(builder, frame->rows, NULL));
  for (int32_t c = 0; c < stage->schema.count; c++)
    if (stage->needed[c]) marked->columns[c] = adl_array_ref(frame->columns[c]);
  g_ptr_array_add(result, marked);
  return true;
}
