/* Making and freeing an engine, and what can be asked of it afterwards. */
#include "core/engine/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/aligned.h"
#include "core/base/spill.h"
#include "core/engine/internal.h"
#include "core/engine/isolate.h"
#include "core/engine/outputs.h"
#include "core/engine/progress.h"
#include "core/engine/reports.h"
#include "core/graph/host.h"
#include "core/model/digest.h"
#include "core/model/store.h"

enum { FALLBACK_MEMORY = 1 << 30 };

/* Half of what the machine says is free, or of what the control group allows. */
static int64_t half_of_free(void) {
  char *text = NULL;
  int64_t free_bytes = FALLBACK_MEMORY;
  if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL)) {
    const char *line = strstr(text, "MemAvailable:");
    if (line != NULL) free_bytes = g_ascii_strtoll(line + strlen("MemAvailable:"), NULL, 10) * 1024;
    g_free(text);
  }
  if (g_file_get_contents("/sys/fs/cgroup/memory.max", &text, NULL, NULL)) {
    int64_t most = g_ascii_strtoll(text, NULL, 10);
    if (most > 0) free_bytes = MIN(free_bytes, most);
    g_free(text);
  }
  return free_bytes / 2;
}

static int32_t default_threads(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : (int32_t)MIN(cores, 256);
}

static adl_side_run *new_side(adl_engine *engine, const adl_stage *from, bool pack) {
  adl_side_run *side = g_new0(adl_side_run, 1);
  side->store = adl_store_new(&engine->budget, from->schema.count);
  if (pack) adl_store_pack(side->store);
  adl_turn_init(&side->turn, 0, 1);
  return side;
}

/* Rows of the side are looked up one by one. Otherwise fit alone sees them, from the first to the last. */
static bool looks_up(const adl_stage *stage, int32_t side) {
  for (int32_t c = 0; c < stage->schema.count; c++)
    if (stage->leaving[c].kind == ADL_FROM_SIDE && stage->leaving[c].side == side && stage->needed[c]) return true;
  return false;
}

static void free_side(gpointer data) {
  adl_side_run *side = data;
  adl_store_free(side->store);
  adl_turn_clear(&side->turn);
  g_free(side);
}

/* Every column that leaves is one that came, at its place, and nobody behind reads fewer. */
static bool hands_on(const adl_stage *stage) {
  if (stage->class == NULL || stage->class->form == ADL_NEW || stage->from->len != 1 || stage->outputs->len > 0 ||
      stage->sides->len > 0)
    return false;
  const adl_stage *from = stage->from->pdata[0];
  if (stage->schema.count != from->schema.count) return false;
  for (int32_t c = 0; c < stage->schema.count; c++) {
    const adl_leaving *leaving = &stage->leaving[c];
    if (leaving->kind != ADL_FROM_INPUT || leaving->number != c || stage->needed[c] != from->needed[c]) return false;
  }
  return true;
}

static void init_node(adl_engine *engine, adl_node_run *node, adl_stage *stage) {
  node->stage = stage;
  node->engine = engine;
  node->hands_on = hands_on(stage);
  node->limit_left = engine->options->limit;
  if (stage->class != NULL && stage->class->next != NULL)
    node->nulls = g_malloc0(((gsize)stage->schema.count + 1) * sizeof *node->nulls);
  if (node->nulls != NULL)
    node->sample = adl_sample_new(adl_random(stage->seed, (uint64_t)stage->number), stage->schema.count);
  node->model = (adl_model){.struct_size = sizeof(adl_model), .tensors = adl_tensors_new()};
  node->sides = g_ptr_array_new_with_free_func(free_side);
  node->ports = g_ptr_array_new_with_free_func(free_side);
  adl_turn_init(&node->turn, 0, 1);
  for (guint i = 0; i < stage->sides->len; i++)
    g_ptr_array_add(node->sides, new_side(engine, stage->sides->pdata[i], !looks_up(stage, (int32_t)i)));
  for (guint i = 0; stage->role == ADL_STAGE_CONCAT && i < stage->from->len; i++)
    g_ptr_array_add(node->ports, new_side(engine, stage->from->pdata[i], true));
}

void adl_refused_resize(adl_node_run *node, int64_t frames) {
  node->refused = g_renew(uint8_t *, node->refused, (gsize)frames + 1);
  for (; node->refused_count < frames; node->refused_count++) node->refused[node->refused_count] = NULL;
}

void adl_node_forget_rows(adl_node_run *node) {
  for (int64_t i = 0; i < node->refused_count; i++) g_free(node->refused[i]);
  g_clear_pointer(&node->refused, g_free);
  node->refused_count = 0;
  if (node->store != NULL) node->kept_bytes = adl_store_bytes(node->store);
  g_clear_pointer(&node->store, adl_store_free);
  g_clear_pointer(&node->table, adl_store_free);
  g_clear_pointer(&node->order, g_free);
  for (guint k = 0; k < node->ports->len; k++)
    g_clear_pointer(&((adl_side_run *)node->ports->pdata[k])->store, adl_store_free);
}

static void clear_node(adl_node_run *node) {
  adl_node_release(node);
  adl_node_forget_rows(node);
  g_ptr_array_free(node->sides, TRUE);
  g_ptr_array_free(node->ports, TRUE);
  adl_turn_clear(&node->turn);
  adl_frame_unref(node->group_rest);
  g_free(node->nulls);
  if (node->fields != NULL) g_ptr_array_free(node->fields, TRUE);
  adl_sample_free(node->sample);
}

static void init_worker(adl_engine *engine, adl_worker *worker, int32_t thread, adl_desk *desk) {
  worker->call.engine = engine;
  worker->call.desk = desk;
  worker->out = adl_out_new();
  int64_t tallies = (engine->node_count + 1) * (int64_t)sizeof(adl_tally);
  worker->tallies = memset(adl_aligned_new(tallies), 0, (size_t)tallies);
  adl_context_init(&worker->context, engine->graph, NULL, MIN(thread, engine->threads - 1));
  worker->context.run = &worker->call;
}

/* Desks of threads that are not the pool's have a worker more: they do not share those of the pool. */
static void make_workers(adl_engine *engine) {
  int32_t threads = engine->threads, desks = 2 * threads + 1;
  engine->worker_count = threads + 2 * desks + (desks - threads);
  engine->workers = g_new0(adl_worker, (gsize)engine->worker_count);
  engine->desks = g_new0(adl_desk, (gsize)desks);
  for (int32_t i = 0; i < threads; i++) init_worker(engine, &engine->workers[i], i, NULL);
  for (int32_t i = 0; i < desks; i++) {
    adl_desk *desk = &engine->desks[i];
    adl_worker *first = &engine->workers[threads + 2 * i];
    *desk = (adl_desk){.engine = engine, .fit = first, .step = first + 1, .number = i < threads ? i : i + 2 * desks};
    init_worker(engine, desk->fit, i, desk);
    init_worker(engine, desk->step, i, desk);
    if (i >= threads) init_worker(engine, &engine->workers[desk->number], i, NULL);
  }
}

adl_engine *adl_engine_new(adl_graph *graph, const adl_run_options *options) {
  adl_engine *engine = g_new0(adl_engine, 1);
  engine->graph = graph;
  engine->options = options;
  engine->problems = graph->problems;
  int32_t threads = options->threads > 0 ? options->threads
                    : graph->threads > 0 ? (int32_t)graph->threads
                                         : default_threads();
  engine->budget.limit = options->memory > 0 ? options->memory : graph->memory > 0 ? graph->memory : half_of_free();
  engine->budget.spool_directory = options->directory != NULL ? options->directory : g_get_tmp_dir();
  adl_spill_beyond(engine->budget.limit, &engine->budget.used, engine->budget.spool_directory);
  engine->apply = options->apply;
  engine->started_us = g_get_real_time();
  adl_isolates_start(engine); /* processes are forked while there are no threads */
  engine->pool = adl_pool_new(threads);
  engine->threads = adl_pool_threads(engine->pool);
  pthread_mutex_init(&engine->shards_mutex, NULL);
  pthread_mutex_init(&engine->watch_mutex, NULL);
  pthread_mutex_init(&engine->models_mutex, NULL);
  adl_turn_init(&engine->peek_turn, 0, 1);
  engine->shards = g_array_new(FALSE, TRUE, sizeof(adl_shard));
  engine->rejects = adl_rejects_new();
  engine->reports = adl_report_data_new();
  engine->peeked = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  engine->outputs = options->outputs;
  engine->models =
      options->models != NULL ? adl_model_store_new(options->models[0] != '\0' ? options->models : NULL, 0) : NULL;
  engine->file_digests = adl_file_digests_new();
  engine->progress = adl_progress_new(options, &engine->rows_read);
  engine->node_count = (int32_t)graph->stages->len;
  make_workers(engine);
  adl_host_table_to_fill()->threads = engine->threads;
  engine->nodes = g_new0(adl_node_run, (gsize)engine->node_count + 1);
  if (options->tap != NULL) {
    engine->peek = adl_stage_last(adl_graph_find(graph, options->tap));
    engine->peek_rows = INT64_MAX;
    adl_graph_mark_needed(graph, engine->peek);
  }
  for (int32_t i = 0; i < engine->node_count; i++) init_node(engine, &engine->nodes[i], graph->stages->pdata[i]);
  for (guint i = 0; options->watched != NULL && i < options->watched->len; i++)
    adl_node_of(engine, options->watched->pdata[i])->watched = true;
  adl_isolates_stand_in(engine);
  adl_progress_watch(engine->progress, engine);
  return engine;
}

void adl_engine_free(adl_engine *engine) {
  if (engine == NULL) return;
  atomic_store(&adl_engine_interrupted, false); /* the next one begins anew */
  adl_spill_beyond(INT64_MAX, NULL, NULL);
  adl_pool_free(engine->pool);
  adl_isolates_free(engine);
  for (int32_t i = 0; i < engine->node_count; i++) clear_node(&engine->nodes[i]);
  for (int32_t i = 0; i < engine->worker_count; i++) {
    adl_out_free(engine->workers[i].out);
    adl_parcel_free(engine->workers[i].spare);
    adl_aligned_free(engine->workers[i].tallies);
    adl_context_clear(&engine->workers[i].context);
  }
  for (guint i = 0; i < engine->shards->len; i++) g_free(g_array_index(engine->shards, adl_shard, i).name);
  g_array_free(engine->shards, TRUE);
  adl_rejects_free(engine->rejects);
  adl_report_data_free(engine->reports);
  g_ptr_array_free(engine->peeked, TRUE);
  adl_model_store_free(engine->models);
  adl_file_digests_free(engine->file_digests);
  adl_progress_free(engine->progress);
  adl_turn_clear(&engine->peek_turn);
  pthread_mutex_destroy(&engine->shards_mutex);
  pthread_mutex_destroy(&engine->watch_mutex);
  pthread_mutex_destroy(&engine->models_mutex);
  g_free(engine->nodes);
  g_free(engine->workers);
  g_free(engine->desks);
  g_free(engine);
}

const adl_report_data *adl_engine_reports(const adl_engine *engine) { return engine->reports; }

int64_t adl_engine_rows_read(const adl_engine *engine) {
  return atomic_load(&((adl_engine *)(uintptr_t)engine)->rows_read) + adl_rejects_records(engine->rejects);
}

int64_t adl_engine_rejected(const adl_engine *engine) { return adl_rejects_rows(engine->rejects); }

const adl_tensors *adl_engine_model(const adl_engine *engine, const adl_stage *stage) {
  const adl_node_run *node = &engine->nodes[stage->number];
  return node->ready && stage->learn != ADL_LEARN_NONE ? node->model.tensors : NULL;
}

adl_tally adl_node_tally(const adl_node_run *node) {
  adl_tally sum = {0};
  for (int32_t i = 0; i < node->engine->worker_count; i++) {
    const adl_tally *one = adl_tally_of(&node->engine->workers[i], node);
    sum = (adl_tally){sum.rows_in + one->rows_in, sum.rows_out + one->rows_out, sum.nanoseconds + one->nanoseconds,
                      sum.dropped + one->dropped};
  }
  return sum;
}

int64_t adl_engine_rows_out(const adl_engine *engine, const adl_stage *stage) {
  return adl_node_tally(&engine->nodes[stage->number]).rows_out;
}

int64_t adl_engine_nanoseconds(const adl_engine *engine, const adl_stage *stage) {
  return adl_node_tally(&engine->nodes[stage->number]).nanoseconds;
}

adl_stage_facts adl_engine_stage_facts(const adl_engine *engine, const adl_stage *stage) {
  const adl_node_run *node = &engine->nodes[stage->number];
  adl_tally tally = adl_node_tally(node);
  return (adl_stage_facts){.rows_in = tally.rows_in,
                           .rows_out = tally.rows_out,
                           .rows_dropped = tally.dropped,
                           .nanoseconds = tally.nanoseconds,
                           .fit_nanoseconds = node->fit_nanoseconds,
                           .model_bytes = node->model.tensors != NULL ? adl_tensors_bytes(node->model.tensors) : 0,
                           .kept_bytes = node->store != NULL ? adl_store_bytes(node->store) : node->kept_bytes,
                           .fitted = node->fitted_here,
                           .stored = node->from_store,
                           .digest = node->digest};
}

int64_t adl_engine_nulls(const adl_engine *engine, const adl_stage *stage, int32_t column) {
  const adl_node_run *node = &engine->nodes[stage->number];
  bool read = node->nulls != NULL && column < stage->schema.count && stage->needed[column];
  return read ? atomic_load(&node->nulls[column]) : -1;
}

const adl_sample_row *adl_engine_sample(const adl_engine *engine, const adl_stage *stage, int64_t *count) {
  adl_sample *sample = engine->nodes[stage->number].sample;
  *count = 0;
  return sample != NULL ? adl_sample_rows(sample, count) : NULL;
}

const adl_graph *adl_engine_graph(const adl_engine *engine) { return engine->graph; }
const adl_run_options *adl_engine_options(const adl_engine *engine) { return engine->options; }
int32_t adl_engine_threads(const adl_engine *engine) { return engine->threads; }
int64_t adl_engine_memory(const adl_engine *engine) { return engine->budget.limit; }
int64_t adl_engine_started(const adl_engine *engine) { return engine->started_us; }

bool adl_engine_file(const adl_engine *engine, const char *path, int64_t *bytes, char hex[33]) {
  return strcmp(path, "-") != 0 && adl_file_digests_get(engine->file_digests, path, hex, bytes, NULL);
}

typedef struct reject_visit {
  const adl_engine *engine;
  void (*visit)(void *data, const char *stage, const char *source, int64_t position, const char *column,
                const char *reason);
  void *data;
} reject_visit;

static void visit_reject(void *data, const adl_reject *reject) {
  const reject_visit *v = data;
  const char *source = "";
  if (reject->shard >= 0 && (guint)reject->shard < v->engine->shards->len) {
    const adl_shard *shard = &g_array_index(v->engine->shards, adl_shard, reject->shard);
    source = shard->name != NULL ? shard->name : shard->stage->name;
  }
  v->visit(v->data, reject->stage, source, reject->position, reject->column, reject->reason);
}

void adl_engine_each_reject(const adl_engine *engine,
                            void (*visit)(void *data, const char *stage, const char *source, int64_t position,
                                          const char *column, const char *reason),
                            void *data) {
  reject_visit v = {engine, visit, data};
  adl_rejects_each(engine->rejects, visit_reject, &v);
}

void adl_engine_end_progress(adl_engine *engine) { g_clear_pointer(&engine->progress, adl_progress_free); }
