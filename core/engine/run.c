/*
 * A run: what happens to stages between two scans; publish.c is its end. A stage is started when the widths before it are
 * final; it is ready when rows can stream through it. Rows that reach a stage which is not ready are kept, and once it is
 * (it was fitted on them, or what it waited for has come) they are read again from there.
 */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/base/aligned.h"
#include "core/engine/crash.h"
#include "core/engine/inputs.h"
#include "core/engine/internal.h"
#include "core/engine/node.h"
#include "core/engine/outputs.h"
#include "core/engine/progress.h"
#include "core/engine/publish.h"
#include "core/engine/reasons.h"
#include "core/engine/reports.h"
#include "core/graph/host.h"
#include "core/model/digest.h"
#include "core/model/store.h"

_Atomic bool adl_engine_interrupted;

void adl_engine_interrupt(void) { atomic_store(&adl_engine_interrupted, true); }

void adl_engine_fail(adl_engine *engine, const adl_stage *stage, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  adl_problems_error(engine->problems, stage->place, "%s: %s", stage->name, text);
  g_free(text);
  adl_engine_blame(engine, stage);
  atomic_store(&engine->failed, true);
}

void adl_engine_warn(adl_engine *engine, const adl_stage *stage, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  adl_problems_warning(engine->problems, stage->place, "%s: %s", stage->name, text);
  adl_progress_log(engine->progress, stage->name, ADL_WARNING, text);
  g_free(text);
}

void adl_engine_blame(adl_engine *engine, const adl_stage *stage) {
  const adl_stage *nobody = NULL;
  if (!adl_engine_stopping(engine)) atomic_compare_exchange_strong(&engine->culprit, &nobody, stage);
}

const adl_stage *adl_engine_culprit(const adl_engine *engine) { return atomic_load(&engine->culprit); }

/* ---- what is known about a node ---- */

static bool makes_table(const adl_node_run *node) {
  const adl_class *class = adl_node_class(node);
  return class != NULL && class->fit != NULL && class->process == NULL && class->finish != NULL;
}

static bool sides_complete(const adl_node_run *node) {
  for (guint i = 0; i < node->sides->len; i++)
    if (!((adl_side_run *)node->sides->pdata[i])->complete) return false;
  return true;
}

static bool ports_complete(const adl_node_run *node) {
  for (guint i = 0; i < node->ports->len; i++)
    if (!((adl_side_run *)node->ports->pdata[i])->complete) return false;
  return true;
}

/* Of columns that it makes itself, a stage may know the width only once it has been fitted. */
static bool makes_wide_columns(const adl_stage *stage) {
  for (int32_t c = 0; c < stage->schema.count; c++) {
    uint8_t shape = stage->schema.columns[c].field->type.shape;
    if (stage->leaving[c].kind == ADL_FROM_OUTPUT && (shape == ADL_VECTOR || shape == ADL_SPARSE)) return true;
  }
  return false;
}

/* The columns that leave have their final widths. */
static bool settled(adl_engine *engine, const adl_stage *stage) {
  const adl_node_run *node = adl_node_of(engine, stage);
  return node->started && (node->ready || !makes_wide_columns(stage));
}

static bool all_settled(adl_engine *engine, const adl_stage *stage) {
  const GPtrArray *lists[] = {stage->from, stage->sides};
  for (int l = 0; l < 2; l++)
    for (guint i = 0; i < lists[l]->len; i++)
      if (!settled(engine, lists[l]->pdata[i])) return false;
  return true;
}

/* ---- getting ready ---- */

/* Widths are known only now: what is put together must have the same. */
static bool same_widths(adl_engine *engine, const adl_stage *concat) {
  const adl_stage *first = concat->from->pdata[0];
  for (guint k = 1; k < concat->from->len; k++) {
    const adl_stage *other = concat->from->pdata[k];
    for (int32_t c = 0; c < first->schema.count; c++) {
      const char *name = first->schema.columns[c].name;
      int64_t width = first->schema.columns[c].field->type.width;
      int64_t its = other->schema.columns[adl_schema_find(&other->schema, name)].field->type.width;
      if (its == width) continue;
      adl_engine_fail(
          engine, concat,
          "the column `%s` is %" G_GINT64_FORMAT " wide in `%s` and %" G_GINT64_FORMAT
          " in `%s`; put the rows together before the stage that makes it, so that both get the same dimensions",
          name, width, first->name, its, other->name);
      return false;
    }
  }
  return true;
}

static bool start_node(adl_engine *engine, adl_node_run *node) {
  adl_stage *stage = node->stage;
  adl_stage_settle_widths(stage);
  node->started = true;
  if (stage->role == ADL_STAGE_CONCAT) return same_widths(engine, stage);
  if (stage->class == NULL) return true;
  adl_worker *worker = adl_control(engine);
  const adl_call *call = adl_worker_enter(worker, node, "start");
  if (!adl_worker_leave(worker, stage->class->start(call, stage->self))) return false;
  adl_stage_settle_widths(stage); /* forwarded slots */
  return true;
}

static void add_shards(adl_engine *engine, adl_node_run *node, int32_t count) {
  node->first_shard = (int32_t)engine->shards->len;
  node->shard_count = count;
  for (int32_t i = 0; i < count; i++) {
    adl_shard shard = {.stage = node->stage};
    g_array_append_val(engine->shards, shard);
  }
}

static bool start_source(adl_engine *engine, adl_node_run *node) {
  int32_t count = 0;
  if (!start_node(engine, node)) return false;
  adl_worker *worker = adl_control(engine);
  const adl_call *call = adl_worker_enter(worker, node, "shards");
  if (!adl_worker_leave(worker, adl_node_class(node)->shards(call, node->stage->self, &count))) return false;
  if (count < 0 || count > (1 << 20)) {
    adl_engine_fail(engine, node->stage, "%d shards are out of range [0, 1048576]", count);
    return false;
  }
  add_shards(engine, node, count);
  return true;
}

/* Parts of sources, and the table that another stage makes, which is one part: rejects and splits go by their numbers, so these
 * must not depend on what is fitted first. */
static bool number_parts(adl_engine *engine) {
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    if (adl_node_is_source(node) && !node->off && !start_source(engine, node)) return false;
  }
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    const adl_class *class = adl_node_class(node);
    if (class != NULL && class->form == ADL_NEW && !adl_node_is_source(node)) add_shards(engine, node, 1);
  }
  return true;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The value from which on a row belongs to the newest share. */
static bool find_threshold(adl_engine *engine, adl_node_run *node) {
  const adl_holdout *holdout = node->stage->holdout;
  double *values = g_new(double, (gsize)adl_store_rows(node->store, false) + 1);
  int64_t count = 0;
  for (int64_t i = 0; i < adl_store_frames(node->store); i++) {
    char *why = NULL;
    adl_frame *frame = adl_store_get(node->store, i, NULL, &why);
    if (frame == NULL) {
      adl_engine_fail(engine, node->stage, "%s", why);
      g_free(why);
      break;
    }
    const adl_column *column = &frame->columns[holdout->by]->view;
    for (int64_t row = 0; row < frame->rows; row++)
      if (!adl_is_null(column, row) && !isnan(adl_number_at(column, row))) values[count++] = adl_number_at(column, row);
    adl_frame_unref(frame);
  }
  qsort(values, (size_t)count, sizeof *values, by_value);
  int64_t first = (int64_t)((1.0 - holdout->fraction) * (double)count);
  node->threshold = count > 0 ? values[MIN(first, count - 1)] : 0;
  g_free(values);
  return !adl_engine_stopping(engine);
}

static bool learns_here(const adl_node_run *node) { return node->stage->learn == ADL_LEARN_FIT; }

/* Rows that fit needs have all arrived: those of the side, or its own. */
static bool rows_for_fit(const adl_node_run *node) {
  return node->sides->len > 0 ? sides_complete(node) : node->drained;
}

static bool collect_table(adl_engine *engine, adl_node_run *node) {
  GPtrArray *none = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  node->table = adl_store_new(&engine->budget, node->stage->schema.count);
  char *why = NULL;
  bool ok = adl_step_finish(adl_control(engine), node, 1, node->table, none);
  ok = ok && adl_store_close(node->table, &why);
  if (why != NULL) adl_engine_fail(engine, node->stage, "%s", why);
  g_free(why);
  g_ptr_array_free(none, TRUE);
  return ok;
}

static bool become_ready(adl_node_run *node) {
  node->ready = true;
  if (adl_node_class(node) == NULL) return true;
  return adl_model_prepare(node);
}

/* A model that need not be fitted: loaded, or the one that an online learner starts from. *have tells. */
static bool ready_made_model(adl_node_run *node, bool *have) {
  if (!adl_model_load(node, have)) return false;
  if (*have || node->stage->learn != ADL_LEARN_ONLINE) return true;
  *have = true;
  return adl_model_init(node);
}

/* Once its rows have come: it is put among those to be fitted, and becomes ready when it has been. */
static bool fit_when_possible(adl_engine *engine, adl_node_run *node, GPtrArray *fits) {
  bool passing = adl_node_folds_passing(node) && node->store == NULL;
  if (passing ? !node->drained : !rows_for_fit(node)) return true;
  if (passing || node->fitted_here) return become_ready(node) && (!makes_table(node) || collect_table(engine, node));
  g_ptr_array_add(fits, node);
  return true;
}

/* Its model comes of the store, where an earlier run of this pipeline put it. Rows are kept all the same until all have
 * come: so the batches behind the stage, and with them the last bits of sums and the numbers of rows, are those of the run
 * that fitted it, and a run that was interrupted ends like one that was not. Those who peek need not wait. */
static bool goes_as_fitted(const adl_engine *engine, const adl_node_run *node) {
  bool peeking = engine->peek != NULL && engine->options->tap == NULL;
  return node->from_store && !peeking && adl_node_class(node)->process != NULL && node->sides->len == 0;
}

/* One step towards ready, if one is possible. False: failed. */
static bool advance(adl_engine *engine, adl_node_run *node, GPtrArray *fits) {
  if (node->off || node->ready) return true;
  if (!node->started) {
    if (!all_settled(engine, node->stage)) return true;
    if (!start_node(engine, node)) return false;
    if (node->stage->learn != ADL_LEARN_NONE && !ready_made_model(node, &node->has_model)) return false;
  }
  if (node->stage->role == ADL_STAGE_CONCAT) {
    node->ready = ports_complete(node);
  } else if (adl_node_finds_newest(node) && !engine->apply) {
    if (node->drained) return node->ready = find_threshold(engine, node);
  } else if (adl_node_takes_table(node)) {
    if (node->drained) return node->ready = adl_whole_table(node);
  } else if (learns_here(node) && !node->has_model) {
    return fit_when_possible(engine, node, fits);
  } else if (sides_complete(node) && (!goes_as_fitted(engine, node) || node->drained)) {
    return become_ready(node) && (!makes_table(node) || collect_table(engine, node));
  }
  return true;
}

/* Rows kept for a fit that nobody wants to see afterwards. */
static void forget_unread(adl_engine *engine, adl_node_run *node) {
  bool waiting = node->store != NULL && node->ready && node->drained && !node->done;
  if (!waiting || adl_node_is_sink(node) || adl_node_has_readers(engine, node)) return;
  node->done = true;
  adl_node_forget_rows(node);
}

static bool advance_all(adl_engine *engine) {
  GPtrArray *fits = g_ptr_array_new();
  bool ok = true;
  do {
    g_ptr_array_set_size(fits, 0);
    for (int32_t i = 0; ok && i < engine->node_count; i++)
      ok = !adl_engine_stopping(engine) && advance(engine, &engine->nodes[i], fits);
    ok = ok && adl_fit_all(engine, fits);
  } while (ok && fits->len > 0);
  g_ptr_array_free(fits, TRUE);
  for (int32_t i = 0; ok && i < engine->node_count; i++) forget_unread(engine, &engine->nodes[i]);
  return ok;
}

/* ---- around a scan ---- */

static bool close_store(adl_engine *engine, const adl_stage *stage, adl_store *store) {
  char *why = NULL;
  if (adl_store_close(store, &why)) return true;
  adl_engine_fail(engine, stage, "%s", why);
  g_free(why);
  return false;
}

/* The rows of a side are kept as long as somebody looks things up in them. */
static void forget_sides(adl_node_run *node) {
  for (guint k = 0; k < node->sides->len; k++)
    g_clear_pointer(&((adl_side_run *)node->sides->pdata[k])->store, adl_store_free);
}

/* All rows of `stage` have passed: what read them is complete. */
static bool complete_readers(adl_engine *engine, const adl_stage *stage) {
  bool ok = true;
  for (guint i = 0; i < stage->to_side->len; i++) {
    adl_node_run *node = adl_node_of(engine, stage->to_side->pdata[i]);
    for (guint k = 0; k < node->stage->sides->len; k++) {
      adl_side_run *side = node->sides->pdata[k];
      if (node->stage->sides->pdata[k] != stage) continue;
      ok = ok && close_store(engine, node->stage, side->store);
      side->complete = true;
    }
  }
  for (guint i = 0; i < stage->to->len; i++) {
    adl_node_run *node = adl_node_of(engine, stage->to->pdata[i]);
    for (guint k = 0; node->stage->role == ADL_STAGE_CONCAT && k < node->stage->from->len; k++) {
      adl_side_run *port = node->ports->pdata[k];
      if (node->stage->from->pdata[k] != stage) continue;
      ok = ok && close_store(engine, node->stage, port->store);
      port->complete = true;
    }
    if (node->action == ADL_IDLE || node->stage->role == ADL_STAGE_CONCAT) continue;
    node->drained = true;
    if (node->action == ADL_KEEP) ok = ok && close_store(engine, node->stage, node->store);
    if (node->action == ADL_STREAM) {
      forget_sides(node);
      node->done = true;
      ok = complete_readers(engine, node->stage) && ok;
    }
  }
  return ok;
}

/* What was learned for this run alone, for stages through which no more rows will come, and which tell nothing of it. */
static void forget_models(adl_engine *engine) {
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    const adl_class *class = adl_node_class(node);
    if (!node->done || class == NULL || (class->flags & ADL_TRANSIENT) == 0 || node->stage->loaded->reports) continue;
    adl_node_release(node);
  }
}

/* All its rows have passed. */
static bool finish_head(adl_engine *engine, const adl_head *head) {
  adl_node_run *node = head->node;
  if (head->kind == ADL_HEAD_STORE) {
    forget_sides(node);
    node->action = ADL_IDLE;
  }
  bool ok = complete_readers(engine, node->stage);
  node->done = true;
  adl_node_forget_rows(node);
  return ok;
}

static void tell_what_is_read(adl_engine *engine, const adl_head *heads, int32_t count) {
  GString *names = g_string_new(NULL);
  for (int32_t i = 0; i < count; i++)
    g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", heads[i].node->stage->name);
  adl_progress_begin(engine->progress, "reading", names->str);
  g_string_free(names, TRUE);
}

static bool scan_heads(adl_engine *engine, const adl_head *heads, int32_t count) {
  adl_plan_scan(engine, heads, count);
  tell_what_is_read(engine, heads, count);
  bool ok = adl_passing_start_all(engine) && adl_scan_run(engine, heads, count);
  adl_aligned_trim();
  ok = adl_passing_finish_all(engine) && ok;
  if (!ok || atomic_load(&engine->enough)) return ok;
  for (int32_t i = 0; i < count; i++) ok = finish_head(engine, &heads[i]) && ok;
  forget_models(engine);
  return ok && !adl_too_many_rejects(engine);
}

static bool run_all(adl_engine *engine) {
  if (!adl_blas_has_room(engine)) return false;
  adl_head *heads = g_new(adl_head, (gsize)engine->node_count);
  bool going = true, ok = true;
  adl_digests(engine);
  adl_reasons(engine);
  ok = number_parts(engine);
  while (ok && going) {
    ok = advance_all(engine);
    if (!ok || atomic_load(&engine->enough)) break;
    int32_t count = adl_choose_heads(engine, heads);
    going = count > 0;
    /* without any: the last fit, too, may have rejected rows */
    ok = going ? scan_heads(engine, heads, count) : !adl_too_many_rejects(engine);
  }
  g_free(heads);
  return ok;
}

static void log_dropped(adl_engine *engine) {
  for (int32_t i = 0; i < engine->node_count; i++) {
    const adl_node_run *node = &engine->nodes[i];
    adl_tally tally = adl_node_tally(node);
    if (tally.dropped == 0) continue;
    char *text =
        g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " rows were dropped", tally.dropped, tally.rows_in);
    adl_progress_log(engine->progress, node->stage->name, ADL_INFO, text);
    g_free(text);
  }
}

adl_outcome adl_engine_run(adl_engine *engine) {
  char *why = NULL;
  bool ok = engine->outputs == NULL || adl_publish_say(engine, adl_outputs_prepare(engine->outputs, &why), &why);
  ok = ok && adl_inputs_stay(engine) && run_all(engine);
  log_dropped(engine);
  return adl_publish(engine, ok);
}

/* ---- peek ---- */

static void keep_only_before(adl_engine *engine, const adl_stage *stage) {
  adl_node_run *node = adl_node_of(engine, stage);
  node->off = false;
  for (guint i = 0; i < stage->from->len; i++) keep_only_before(engine, stage->from->pdata[i]);
  for (guint i = 0; i < stage->sides->len; i++) keep_only_before(engine, stage->sides->pdata[i]);
}

adl_outcome adl_engine_peek(adl_engine *engine, adl_stage *stage, int64_t rows) {
  for (int32_t i = 0; i < engine->node_count; i++) engine->nodes[i].off = true;
  keep_only_before(engine, stage);
  engine->peek = stage;
  engine->peek_rows = rows;
  return adl_publish_outcome(run_all(engine));
}

const GPtrArray *adl_engine_peeked(const adl_engine *engine) { return engine->peeked; }
