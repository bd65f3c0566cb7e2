/*
 * Fits that begin before their rows come. Such a fit runs on a thread of its own; its first fold hands itself over and sleeps
 * until all rows of the scan have passed. They are dealt to lanes by the number of their parcel, or, where they are kept for
 * later passes and for process, by that of the frame as it is kept: there the fold is the same as over kept rows.
 */
#include "core/engine/crash.h"
#include "core/engine/fold.h"
#include "core/engine/progress.h"

static bool is_in_order(const adl_fold *fold) { return (fold->flags & ADL_FOLD_IN_ORDER) != 0; }

/* ---- on the fit's own thread ---- */

adl_status adl_fold_passing(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total) {
  adl_node_run *node = rows->node;
  adl_passing_fold *p = node->passing;
  pthread_mutex_lock(&p->mutex);
  if (p->asked) {
    pthread_mutex_unlock(&p->mutex);
    return call->host->fail(call, NULL, -1, NULL, "asked for a second pass, but its class says SINGLE_PASS");
  }
  p->fold = fold;
  p->total = total;
  p->lanes = is_in_order(fold) ? 1 : adl_fold_lanes(fold, total);
  for (int32_t i = 0; i < p->lanes; i++) {
    p->partials[i] = is_in_order(fold) ? total : adl_tensors_like(total);
    adl_turn_init(&p->turns[i], i, p->lanes);
  }
  p->asked = true;
  pthread_cond_broadcast(&p->changed);
  while (!p->delivered) pthread_cond_wait(&p->changed, &p->mutex);
  adl_status status = p->status;
  pthread_mutex_unlock(&p->mutex);
  adl_context_current = adl_context_of(call);
  adl_context_current->run->desk = p->desk;
  rows->store = node->store;
  rows->passes = 1;
  return status;
}

/* Of a scan that was given up not all rows have come. */
static bool rows_were_folded(const adl_passing_fold *p) { return !p->asked || p->status == ADL_OK; }

static void *passing_main(void *data) {
  adl_node_run *node = data;
  adl_engine *engine = node->engine;
  adl_passing_fold *p = node->passing;
  adl_run_call run = {.engine = engine, .node = node};
  adl_worker worker = {.call = run};
  adl_context_init(&worker.context, engine->graph, NULL, 0);
  adl_rows rows = {.node = node, .store = NULL, .side = -1};
  p->worker = &worker;
  adl_crash_thread();
  const adl_call *call = adl_worker_enter(&worker, node, "fit");
  adl_status status = adl_model_call_fit(call, node, &rows);
  p->ended = adl_clock_ns();
  node->failed_fit = !adl_worker_leave(&worker, status);
  node->fitted_here = !node->failed_fit && rows_were_folded(p);
  if (node->fitted_here) adl_model_keep(node);
  if (rows.store != NULL) adl_rows_forget(&rows);
  adl_context_clear(&worker.context);
  pthread_mutex_lock(&p->mutex);
  p->returned = true;
  if (p->delivered) atomic_fetch_sub(&engine->fits_alone, 1);
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->mutex);
  return NULL;
}

/* ---- before the scan ---- */

static bool start(adl_node_run *node) {
  adl_passing_fold *p = node->passing = g_new0(adl_passing_fold, 1);
  pthread_mutex_init(&p->mutex, NULL);
  pthread_cond_init(&p->changed, NULL);
  p->kept = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  p->started = pthread_create(&p->thread, NULL, passing_main, node) == 0;
  if (!p->started) adl_engine_fail(node->engine, node->stage, "cannot start a thread");
  return p->started;
}

static bool wait_until_asked(adl_node_run *node) {
  adl_passing_fold *p = node->passing;
  pthread_mutex_lock(&p->mutex);
  while (!p->asked && !p->returned) pthread_cond_wait(&p->changed, &p->mutex);
  bool ok = p->asked;
  pthread_mutex_unlock(&p->mutex);
  return ok || !node->failed_fit;
}

static void remember_kept(void *data, adl_frame *frame) {
  g_ptr_array_add(((adl_passing_fold *)data)->kept, adl_frame_ref(frame));
}

bool adl_passing_start_all(adl_engine *engine) {
  bool ok = true;
  for (int32_t i = 0; ok && i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    if (!node->folds) continue;
    ok = start(node);
    if (node->action == ADL_KEEP) adl_store_tell(node->store, remember_kept, node->passing);
  }
  for (int32_t i = 0; i < engine->node_count; i++)
    if (engine->nodes[i].passing != NULL && engine->nodes[i].passing->started)
      ok = wait_until_asked(&engine->nodes[i]) && ok;
  return ok;
}

/* ---- rows ---- */

/* Rows that the fit refused do not leave the stage later. */
static void note_refused(adl_node_run *node, int64_t number, uint8_t *refused) {
  adl_passing_fold *p = node->passing;
  pthread_mutex_lock(&p->mutex);
  adl_refused_resize(node, MAX(node->refused_count, number + 1));
  node->refused[number] = refused;
  pthread_mutex_unlock(&p->mutex);
}

static void passing_step(adl_turn_item *item, void *data) {
  adl_worker *worker = data;
  adl_node_run *node = item->node;
  adl_passing_fold *p = node->passing;
  bool kept = node->action == ADL_KEEP;
  int32_t lane = (int32_t)(item->number % p->lanes);
  int64_t ordinal = adl_parcel_ordinal(item->parcel);
  bool checked = kept || (node->stage->class->flags & ADL_WHOLE_GROUPS) != 0;
  uint8_t *refused = NULL;
  adl_fold_target to = {.partial = p->partials[lane], .touched = &p->touched[lane], .refused = kept ? &refused : NULL};
  int64_t begin = adl_clock_ns();
  for (guint i = 0; i < item->parcel->frames->len && !adl_engine_stopping(node->engine); i++) {
    adl_frame *frame = item->parcel->frames->pdata[i];
    if (!adl_fold_frame(worker, node, -1, frame, ordinal, p->fold, &to, checked ? ADL_VIEW_CHECKED : 0)) break;
    ordinal += frame->rows;
  }
  if (refused != NULL) note_refused(node, item->number, refused);
  int64_t passed = adl_clock_ns() - begin;
  adl_tally_of(worker, node)->nanoseconds += passed;
  if (kept) __atomic_fetch_add(&node->fit_nanoseconds, passed, __ATOMIC_RELAXED);
  adl_ticket_release(item->ticket);
  adl_turn_item_free(item);
}

void adl_passing_deliver(adl_worker *worker, adl_node_run *node, adl_parcel *parcel, adl_ticket *ticket) {
  adl_passing_fold *p = node->passing;
  for (guint i = 0; node->action == ADL_FOLD && i < parcel->frames->len; i++)
    adl_count(&adl_tally_of(worker, node)->rows_in, ((adl_frame *)parcel->frames->pdata[i])->rows);
  if (!p->asked) { /* the fit wanted no rows */
    adl_parcel_free(parcel);
    adl_ticket_release(ticket);
    return;
  }
  adl_turn *turn = &p->turns[parcel->number % p->lanes];
  adl_turn_offer(turn, adl_turn_item_new(node, parcel, ticket), passing_step, worker);
}

adl_parcel *adl_passing_kept(adl_node_run *node) {
  adl_passing_fold *p = node->passing;
  if (p == NULL || p->kept->len == 0) return NULL;
  adl_parcel *parcel = adl_parcel_new(p->kept_count++);
  int64_t first = adl_store_first(node->store, parcel->number, !adl_fold_sees_all(node, -1));
  parcel->first = first - (parcel->number << ADL_ORDINAL_SHIFT);
  g_ptr_array_add(parcel->frames, g_ptr_array_steal_index(p->kept, 0));
  return parcel;
}

/* ---- after the scan ---- */

/* After the last row: merges, and wakes the fit. */
static void wake(adl_node_run *node, adl_desk *desk) {
  adl_engine *engine = node->engine;
  adl_passing_fold *p = node->passing;
  if (!p->started) return;
  bool ok = !adl_engine_stopping(engine), apart = p->asked && !is_in_order(p->fold);
  p->woken = adl_clock_ns(); /* what is merged here belongs to the fit */
  if (ok && apart)
    ok = adl_fold_merge(adl_control_desk(engine), node, p->fold, p->partials, p->touched, p->lanes, p->total);
  for (int32_t i = 0; i < p->lanes; i++) {
    if (apart) adl_tensors_free(p->partials[i]);
    adl_turn_clear(&p->turns[i]);
  }
  p->lanes = 0;
  if (node->action == ADL_KEEP) adl_refused_resize(node, adl_store_frames(node->store));
  desk->fit = p->worker;
  pthread_mutex_lock(&p->mutex);
  p->desk = desk;
  p->status = ok ? ADL_OK : ADL_FAILED;
  p->delivered = true;
  if (!p->returned) atomic_fetch_add(&engine->fits_alone, 1);
  pthread_cond_broadcast(&p->changed);
  pthread_mutex_unlock(&p->mutex);
}

/* By the clock, from its last row on, once: not while others were waited for. One that wanted no rows ended before. */
static void count_fit(adl_node_run *node) {
  const adl_passing_fold *p = node->passing;
  int64_t passed = p->delivered ? MAX(p->ended - p->woken, 0) : 0;
  node->fit_nanoseconds += passed;
  adl_tally_of(adl_control(node->engine), node)->nanoseconds += passed;
}

/* Waits for its end. False: it failed. */
static bool finish(adl_node_run *node) {
  adl_passing_fold *p = node->passing;
  if (p->started) pthread_join(p->thread, NULL);
  count_fit(node);
  bool ok = p->started && p->status == ADL_OK;
  if (node->store != NULL) adl_store_tell(node->store, NULL, NULL);
  g_ptr_array_free(p->kept, TRUE);
  pthread_mutex_destroy(&p->mutex);
  pthread_cond_destroy(&p->changed);
  g_clear_pointer(&node->passing, g_free);
  return ok && !node->failed_fit;
}

/* The next stage from *at on whose fold has seen all rows; NULL: there is none. Moves *at behind it. */
static adl_node_run *next_passing(adl_engine *engine, int32_t *at) {
  while (*at < engine->node_count) {
    adl_node_run *node = &engine->nodes[(*at)++];
    if (node->passing != NULL) return node;
  }
  return NULL;
}

/* Each goes on from its fold on its thread, as many at once as there are workers, which rest, or help. */
bool adl_passing_finish_all(adl_engine *engine) {
  int32_t next = 0, oldest = 0, woken = 0, busy = 0, most = adl_memory_is_short(engine) ? 1 : engine->threads;
  bool ok = true;
  for (adl_node_run *node = next_passing(engine, &next); node != NULL || busy > 0;) {
    if (node != NULL && busy < most) {
      if (node->action == ADL_KEEP && (node->stage->class->flags & ADL_TRANSIENT) == 0)
        adl_progress_begin(engine->progress, "fitting", node->stage->name);
      wake(node, adl_control_desk(engine) + 1 + woken++ % engine->threads);
      busy++;
      node = next_passing(engine, &next);
      continue;
    }
    ok = finish(next_passing(engine, &oldest)) && ok;
    busy--;
  }
  return ok && !adl_engine_stopping(engine);
}
