/* The functions of the host table that need a running engine, other than those of out.c and fold.c. */
#include <stdarg.h>
#include <string.h>

#include "core/base/spill.h"
#include "core/engine/internal.h"
#include "core/engine/progress.h"
#include "core/engine/reports.h"
#include "core/graph/host.h"

static adl_run_call *run_of(const adl_call *call) { return adl_context_of(call)->run; }

static void host_reject(const adl_call *call, int64_t row, const char *column, const char *format, ...) {
  adl_run_call *run = run_of(call);
  if (run == NULL || run->frame == NULL || row < 0 || row >= run->frame->rows) return;
  if (run->rejected == NULL) {
    gsize bytes = (gsize)(run->frame->rows + 7) / 8;
    run->rejected = call->host->alloc(call, bytes + 1);
    memset(run->rejected, 0, bytes + 1);
  }
  adl_bit_set(run->rejected, row, true);
  va_list list;
  va_start(list, format);
  char *reason = g_strdup_vprintf(format, list);
  va_end(list);
  int64_t tag = adl_frame_tags(run->frame)[row];
  adl_reject reject = {.stage = run->node->stage->name,
                       .shard = adl_tag_shard(tag),
                       .position = adl_tag_position(tag),
                       .column = column,
                       .reason = reason};
  adl_rejects_add(run->engine->rejects, &reject);
  g_free(reason);
}

static void host_reject_record(const adl_call *call, int64_t position, const char *column, const char *format, ...) {
  adl_run_call *run = run_of(call);
  if (run == NULL) return;
  va_list list;
  va_start(list, format);
  char *reason = g_strdup_vprintf(format, list);
  va_end(list);
  adl_reject reject = {.stage = run->node->stage->name,
                       .shard = run->shard,
                       .position = position,
                       .column = column,
                       .reason = reason,
                       .record = true};
  if (run->records != NULL)
    g_ptr_array_add(run->records, adl_reject_copy(&reject));
  else
    adl_rejects_add(run->engine->rejects, &reject);
  g_free(reason);
}

static void host_log(const adl_call *call, adl_level level, const char *format, ...) {
  adl_context *context = adl_context_of(call);
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  if (level == ADL_WARNING)
    adl_problems_warning(context->problems, context->stage->place, "%s: %s", context->stage->name, text);
  if (context->run != NULL) adl_progress_log(context->run->engine->progress, context->stage->name, level, text);
  g_free(text);
}

static void host_progress(const adl_call *call, const char *what, double done, double total) {
  adl_run_call *run = run_of(call);
  if (run == NULL) return;
  bool first_source = run->node->stage->class->next != NULL && run->node->head == 0;
  adl_progress_inside(run->engine->progress, first_source, what, done, total);
}

/* Long loops ask this again and again: a chance to put pages of spilled tables out of memory. */
static bool host_cancelled(const adl_call *call) {
  adl_run_call *run = run_of(call);
  adl_spill_trim();
  return run != NULL && adl_engine_stopping(run->engine);
}

static int64_t host_now(const adl_call *call) {
  adl_run_call *run = run_of(call);
  return run != NULL ? run->engine->started_us : g_get_real_time();
}

static adl_split host_split(const adl_call *call) {
  adl_run_call *run = run_of(call);
  return run != NULL ? run->split : ADL_TRAIN;
}

static adl_split host_row_split(const adl_call *call, int64_t row) {
  adl_run_call *run = run_of(call);
  if (run == NULL || run->frame == NULL || row < 0 || row >= run->frame->rows) return ADL_TRAIN;
  return adl_tag_split(adl_frame_tags(run->frame)[row]);
}

static bool learned_online(const adl_stage *stage) {
  if (stage->learn == ADL_LEARN_ONLINE) return true;
  for (guint i = 0; i < stage->from->len; i++)
    if (learned_online(stage->from->pdata[i])) return true;
  return false;
}

static bool host_online(const adl_call *call) { return learned_online(adl_context_of(call)->stage); }

/* ---- parallel loops ---- */

typedef struct loop {
  adl_engine *engine;
  adl_node_run *node;
  const char *function;
  int64_t count;
  _Atomic int64_t next;
  _Atomic bool failed;
  adl_status (*body)(const adl_call *call, void *context, int64_t i);
  void *context;
} loop;

static void loop_work(void *data, int32_t worker_number) {
  loop *l = data;
  adl_worker *worker = &l->engine->workers[worker_number];
  for (int64_t i = atomic_fetch_add(&l->next, 1); i < l->count && !atomic_load(&l->failed);
       i = atomic_fetch_add(&l->next, 1)) {
    const adl_call *call = adl_worker_enter(worker, l->node, l->function);
    if (!adl_worker_leave(worker, l->body(call, l->context, i))) atomic_store(&l->failed, true);
  }
}

/* Between scans, in a fit or in the step of a fold over kept rows in order: other workers may have nothing to do. */
static bool may_share(const adl_context *own, const adl_run_call *run) {
  return run->desk != NULL &&
         (own == &run->desk->fit->context || (run->desk->folding_in_order && own == &run->desk->step->context));
}

/* On all workers that rest; from inside a worker's own call, or beside a running scan, right here. The results are the
 * same: the body writes by i. */
static adl_status host_parallel(const adl_call *call, int64_t count,
                                adl_status (*body)(const adl_call *call, void *context, int64_t i), void *context) {
  adl_context *own = adl_context_of(call);
  adl_run_call *run = own->run;
  if (run == NULL || count < 2 || !may_share(own, run)) {
    for (int64_t i = 0; i < count; i++) ADL_TRY(body(call, context, i));
    return ADL_OK;
  }
  loop l = {.engine = run->engine,
            .node = run->node,
            .function = own->function,
            .count = count,
            .body = body,
            .context = context};
  adl_desk_share(run->desk, loop_work, &l);
  adl_context_current = own;
  return atomic_load(&l.failed) ? ADL_FAILED : ADL_OK;
}

/* ---- sources ---- */

static void host_shard_name(const adl_call *call, const char *name) {
  adl_run_call *run = run_of(call);
  if (run == NULL) return;
  pthread_mutex_lock(&run->engine->shards_mutex);
  adl_shard *shard = &g_array_index(run->engine->shards, adl_shard, run->shard);
  g_free(shard->name);
  shard->name = g_strdup(name);
  pthread_mutex_unlock(&run->engine->shards_mutex);
}

static void host_later(const adl_call *call, int64_t microseconds) {
  adl_run_call *run = run_of(call);
  if (run != NULL) run->later = microseconds;
}

void adl_host_fill_run(adl_host *host) {
  host->reject = host_reject;
  host->reject_record = host_reject_record;
  host->log = host_log;
  host->progress = host_progress;
  host->cancelled = host_cancelled;
  host->now = host_now;
  host->split = host_split;
  host->row_split = host_row_split;
  host->online = host_online;
  host->parallel = host_parallel;
  host->shard_name = host_shard_name;
  host->later = host_later;
}

void adl_engine_setup_host(void) {
  adl_host *host = adl_host_table_to_fill();
  adl_host_fill(host);
  adl_host_fill_run(host);
  adl_out_fill(host);
  adl_fold_fill(host);
  adl_report_fill(host);
  adl_arrow_fill(host);
}
