/* Models of stages: what determines them, loading, fitting, preparing, saving. */
#include <glib/gstdio.h>
#include <string.h>

#include "core/engine/internal.h"
#include "core/engine/progress.h"
#include "core/model/digest.h"
#include "core/model/safetensors.h"
#include "core/model/store.h"

/* Changes when the engine's arithmetic does (lanes, splits, batches): models of another number are fitted again. */
enum { NUMERIC_VERSION = 2 };

/* ---- what determines a model, and the rows behind it ---- */

/* The kernels that BLAS and compilers choose by processor may round differently. */
static const char *processor(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") ? "x86-64 avx512"
         : __builtin_cpu_supports("avx2")  ? "x86-64 avx2"
                                           : "x86-64";
#else
  return "other";
#endif
}

typedef struct file_visit {
  adl_engine *engine;
  adl_digest *digest;
  const adl_stage *stage;
  bool known, any;
} file_visit;

static void digest_file(void *data, const adl_param *param, const char *path) {
  file_visit *visit = data;
  char hex[ADL_FILE_DIGEST_HEX];
  int64_t size = 0;
  visit->any = true;
  if (strcmp(path, "-") == 0 || !adl_file_digests_get(visit->engine->file_digests, path, hex, &size, NULL)) {
    visit->known = false;
    return;
  }
  adl_digest_text(visit->digest, param->name, hex);
}

/* Without a fingerprint the files say what the content is; without files nothing does. */
static bool digest_source(adl_engine *engine, adl_stage *stage, bool files, adl_digest *digest) {
  if (stage->class->fingerprint == NULL) return files;
  uint8_t bytes[32] = {0};
  adl_worker *worker = adl_control(engine);
  const adl_call *call = adl_worker_enter(worker, adl_node_of(engine, stage), "fingerprint");
  adl_status status = stage->class->fingerprint(call, stage->self, bytes);
  bool known = adl_worker_leave(worker, status == ADL_LATER ? ADL_OK : status) && status == ADL_OK;
  adl_digest_bytes(digest, "fingerprint", bytes, sizeof bytes);
  return known;
}

static bool digest_inputs(adl_engine *engine, const adl_stage *stage, adl_digest *digest) {
  const GPtrArray *lists[] = {stage->from, stage->sides};
  for (int l = 0; l < 2; l++)
    for (guint i = 0; i < lists[l]->len; i++) {
      const adl_node_run *before = adl_node_of(engine, lists[l]->pdata[i]);
      if (before->digest[0] == '\0') return false;
      adl_digest_text(digest, l == 0 ? "from" : "side", before->digest);
    }
  return true;
}

/* Nothing that the stage computes or splits by depends on when the run began. */
static bool same_tomorrow(const adl_stage *stage) {
  for (guint i = 0; stage->slots != NULL && i < stage->slots->len; i++) {
    const adl_expr *expr = ((const adl_slot *)stage->slots->pdata[i])->expr;
    if (expr != NULL && !adl_expr_repeatable(expr)) return false;
  }
  return stage->holdout == NULL || stage->holdout->where == NULL || adl_expr_repeatable(stage->holdout->where);
}

static bool digest_class(adl_engine *engine, adl_stage *stage, adl_digest *digest) {
  GString *parameters = g_string_new(NULL);
  adl_args_json(stage->args, ADL_ARGS_FOR_HASH, parameters);
  adl_digest_text(digest, "class", stage->class->id);
  adl_digest_text(digest, "build", stage->loaded->build);
  adl_digest_text(digest, "parameters", parameters->str);
  adl_digest_int(digest, "learn", stage->learn);
  g_string_free(parameters, TRUE);
  file_visit visit = {engine, digest, stage, true, false};
  adl_args_each_file(stage->args, digest_file, &visit);
  if (stage->model_path != NULL) {
    char hex[ADL_FILE_DIGEST_HEX];
    visit.known = visit.known && adl_file_digests_get(engine->file_digests, stage->model_path, hex, NULL, NULL);
    if (visit.known) adl_digest_text(digest, "model", hex);
  }
  bool repeatable = (stage->class->flags & ADL_NOT_REPEATABLE) == 0;
  return visit.known && repeatable && (stage->class->next == NULL || digest_source(engine, stage, visit.any, digest));
}

/* Only where a model may be taken from the store, or put into it. */
static bool worthwhile(const adl_engine *engine) {
  for (int32_t i = 0; i < engine->node_count; i++) {
    const adl_stage *stage = engine->nodes[i].stage;
    if (stage->learn == ADL_LEARN_FIT && (stage->class->flags & ADL_TRANSIENT) == 0) return engine->models != NULL;
  }
  return false;
}

void adl_digests(adl_engine *engine) {
  if (!worthwhile(engine)) return;
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    adl_stage *stage = node->stage;
    adl_digest *digest = adl_digest_new();
    node->fields = g_ptr_array_new_with_free_func(g_free);
    adl_digest_record(digest, node->fields);
    adl_digest_int(digest, "numeric version", NUMERIC_VERSION);
    adl_digest_text(digest, "processor", processor());
    adl_digest_text(digest, "stage", stage->given);
    adl_digest_int(digest, "seed", (int64_t)stage->seed);
    adl_digest_int(digest, "limit", engine->options->limit);
    adl_digest_int(digest, "role", stage->role);
    bool known = digest_inputs(engine, stage, digest) && same_tomorrow(stage);
    if (known && stage->holdout != NULL) adl_digest_text(digest, "holdout", stage->holdout->canonical);
    if (known && stage->holdout != NULL) adl_digest_int(digest, "split", stage->holdout->split);
    if (known && stage->class != NULL) known = digest_class(engine, stage, digest);
    if (known)
      adl_digest_finish(digest, node->digest);
    else
      adl_digest_free(digest);
  }
}

char *adl_engine_stored_model(adl_engine *engine, const adl_stage *stage, bool *known) {
  adl_digests(engine);
  const char *digest = adl_node_of(engine, stage)->digest;
  *known = digest[0] != '\0';
  return *known && engine->models != NULL ? adl_model_store_get(engine->models, digest) : NULL;
}

/* ---- metadata ---- */

static adl_model_meta *describe(const adl_stage *stage) {
  GString *parameters = g_string_new(NULL);
  adl_args_json(stage->args, ADL_ARGS_FOR_MANIFEST, parameters);
  adl_model_meta *meta = adl_model_meta_new(stage->class->id, stage->loaded->plugin.version, stage->loaded->build,
                                            stage->class->state_version, parameters->str);
  g_string_free(parameters, TRUE);
  const adl_schema *input = stage->from->len > 0 ? &((adl_stage *)stage->from->pdata[0])->schema : NULL;
  for (guint i = 0; input != NULL && i < stage->slots->len; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    bool reads = slot->side < 0 && (slot->flags & ADL_LEARN_ONLY) == 0; /* labels need not be there to use a model */
    for (int32_t c = 0; reads && c < slot->column_count; c++) {
      char type[96];
      const adl_schema_column *column = &input->columns[slot->columns[c]];
      adl_model_meta_add_input(meta, column->name, adl_type_name(column->field->type, type, sizeof type));
    }
  }
  return meta;
}

/* The first column in which they differ; false then. */
static bool same_inputs(const adl_model_meta *a, const adl_model_meta *b, GString *difference) {
  int32_t same = 0;
  while (same < MIN(a->input_count, b->input_count) && strcmp(a->inputs[same].name, b->inputs[same].name) == 0 &&
         strcmp(a->inputs[same].type, b->inputs[same].type) == 0)
    same++;
  const adl_model_input *then = same < a->input_count ? &a->inputs[same] : NULL,
                        *now = same < b->input_count ? &b->inputs[same] : NULL;
  if (then != NULL && now != NULL)
    g_string_append_printf(difference, "it was fitted on `%s` (%s) where there is now `%s` (%s)", then->name,
                           then->type, now->name, now->type);
  else if (then != NULL)
    g_string_append_printf(difference, "it was fitted on `%s` (%s), too, which the stage does not read now", then->name,
                           then->type);
  else if (now != NULL)
    g_string_append_printf(difference, "it was not fitted on `%s` (%s), which the stage reads now", now->name,
                           now->type);
  return then == NULL && now == NULL;
}

/* A model may be used where its class, its version of state and its inputs are the same. */
static bool fits(adl_node_run *node, const char *path, const adl_model_meta *meta) {
  adl_stage *stage = node->stage;
  adl_model_meta *here = describe(stage);
  GString *why = g_string_new(NULL);
  if (strcmp(meta->stage_class, stage->class->id) != 0)
    g_string_printf(why, "it is a model of the class %s, the stage is %s", meta->stage_class, stage->class->id);
  else if (meta->state_version != stage->class->state_version)
    g_string_printf(why, "its state version is %u, %s %s reads version %u", meta->state_version, stage->class->id,
                    stage->loaded->plugin.version, stage->class->state_version);
  else
    same_inputs(meta, here, why);
  bool ok = why->len == 0;
  if (!ok) adl_engine_fail(node->engine, stage, "the model %s cannot be used: %s", path, why->str);
  g_string_free(why, TRUE);
  adl_model_meta_free(here);
  return ok;
}

/* ---- loading ---- */

/* Its model may be taken from the store, and be put there. */
static bool storable(const adl_node_run *node) {
  const adl_engine *engine = node->engine;
  return engine->models != NULL && node->digest[0] != '\0' && (node->stage->class->flags & ADL_TRANSIENT) == 0 &&
         node->stage->learn == ADL_LEARN_FIT;
}

static void take_model(adl_node_run *node, adl_tensors *tensors) {
  adl_tensors_free(node->model.tensors);
  node->model.tensors = tensors;
}

static bool load_file(adl_node_run *node) {
  GError *error = NULL;
  adl_model_meta *meta = NULL;
  adl_tensors *tensors = adl_model_read(node->stage->model_path, &meta, &error);
  if (tensors == NULL) {
    adl_engine_fail(node->engine, node->stage, "%s", error->message);
    g_error_free(error);
    return false;
  }
  take_model(node, tensors);
  bool ok = fits(node, node->stage->model_path, meta);
  adl_model_meta_free(meta);
  return ok;
}

bool adl_model_load(adl_node_run *node, bool *have) {
  const adl_stage *stage = node->stage;
  adl_engine *engine = node->engine;
  *have = true;
  if (stage->model_path != NULL && !load_file(node)) return false;
  if (stage->learn == ADL_LEARN_FROZEN) return true;
  *have = false;
  if (!storable(node) || engine->options->fresh) return true;
  char *warning = NULL;
  adl_tensors *tensors = adl_model_store_load(engine->models, node->digest, NULL, &warning);
  if (warning != NULL) adl_engine_warn(engine, stage, "%s", warning);
  g_free(warning);
  if (tensors == NULL) return true;
  take_model(node, tensors);
  adl_progress_begin(engine->progress, "loaded", stage->name);
  *have = node->from_store = true;
  return true;
}

bool adl_model_init(adl_node_run *node) {
  if (!adl_tensors_empty(node->model.tensors)) return true; /* warm start */
  adl_worker *worker = adl_control(node->engine);
  const adl_call *call = adl_worker_enter(worker, node, "init");
  return adl_worker_leave(worker, node->stage->class->init(call, node->stage->self, &node->model));
}

/* ---- fitting ---- */

static adl_status learn_step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)partial;
  adl_node_run *node = (adl_node_run *)(uintptr_t)context;
  return node->stage->class->learn(call, self, &node->model, batch, NULL);
}

/* A class with learn alone is fitted by one pass of it. */
static adl_status fit_by_learning(const adl_call *call, adl_node_run *node, adl_rows *rows) {
  if (adl_tensors_empty(node->model.tensors)) ADL_TRY(node->stage->class->init(call, node->stage->self, &node->model));
  adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = learn_step, .context = node};
  return call->host->fold(call, rows, &fold, node->model.tensors);
}

adl_status adl_model_call_fit(const adl_call *call, adl_node_run *node, adl_rows *rows) {
  const adl_class *class = node->stage->class;
  return class->fit != NULL ? class->fit(call, node->stage->self, rows, &node->model)
                            : fit_by_learning(call, node, rows);
}

bool adl_model_fit(adl_desk *desk, adl_node_run *node, adl_rows *rows) {
  const adl_class *class = node->stage->class;
  int64_t begin = adl_clock_ns();
  adl_worker *worker = desk->fit;
  const adl_call *call = adl_worker_enter(worker, node, "fit");
  adl_status status = adl_model_call_fit(call, node, rows);
  adl_tally *tally = adl_tally_of(worker, node);
  node->fit_nanoseconds += adl_clock_ns() - begin;
  tally->nanoseconds += adl_clock_ns() - begin;
  bool ends = class->process == NULL || node->stage->loaded->forwards_only; /* else they are counted when they stream */
  if (ends && class->form == ADL_NEW && rows->side < 0) adl_count(&tally->rows_in, adl_store_rows(rows->store, false));
  if (!adl_worker_leave(worker, status)) return false;
  node->fitted_here = true;
  adl_model_keep(node);
  return true;
}

/* What a class with learn alone has learned in a process of its own stays there until it is prepared. */
static bool comes_when_prepared(const adl_node_run *node) {
  return node->stage->isolate != ADL_ISOLATE_NO && node->stage->class->fit == NULL;
}

bool adl_model_prepare(adl_node_run *node) {
  adl_worker *worker = adl_control(node->engine);
  const adl_call *call = adl_worker_enter(worker, node, "prepare");
  node->prepared = true;
  int64_t begin = adl_clock_ns();
  adl_status status = node->stage->class->prepare(call, node->stage->self, &node->model, &node->model.prepared);
  adl_tally_of(worker, node)->nanoseconds += adl_clock_ns() - begin;
  if (!adl_worker_leave(worker, status)) return false;
  if (node->fitted_here && comes_when_prepared(node)) adl_model_keep(node); /* not before */
  return true;
}

void adl_node_release(adl_node_run *node) {
  if (node->prepared && node->model.prepared != NULL)
    node->stage->class->release(node->stage->self, node->model.prepared);
  node->model.prepared = NULL;
  adl_tensors_free(node->model.tensors);
  node->model.tensors = NULL;
}

/* ---- saving ---- */

static bool saves(const adl_node_run *node) {
  const adl_stage *stage = node->stage;
  return stage->learn != ADL_LEARN_NONE && (stage->class->flags & ADL_TRANSIENT) == 0 && node->ready;
}

void adl_model_keep(adl_node_run *node) {
  adl_engine *engine = node->engine;
  if (comes_when_prepared(node) && !node->prepared) return;
  /* rows that fitting refuses must be refused again; and not all rows come where enough has been seen */
  if (!storable(node) || atomic_load(&node->refused_in_fit) || atomic_load(&engine->enough)) return;
  adl_model_meta *meta = describe(node->stage);
  GError *error = NULL;
  pthread_mutex_lock(&engine->models_mutex);
  bool kept = adl_model_store_put(engine->models, node->digest, node->model.tensors, meta, &error);
  pthread_mutex_unlock(&engine->models_mutex);
  if (!kept) {
    adl_engine_warn(engine, node->stage, "the model could not be kept for later runs: %s", error->message);
    g_clear_error(&error);
  }
  adl_model_meta_free(meta);
}

/* A model on its way into the run's folder. */
typedef struct saving {
  const adl_node_run *node;
  adl_model_meta *meta;
  char *path;
  GError *error;
  GThread *thread;
} saving;

static void *save_main(void *data) {
  saving *s = data;
  adl_model_write(s->path, s->node->model.tensors, s->meta, &s->error);
  return NULL;
}

static void begin_saving(saving *s, const adl_node_run *node) {
  char *name = g_strconcat(node->stage->name, ".safetensors", NULL);
  *s = (saving){.node = node, .meta = describe(node->stage)};
  s->path = g_build_filename(node->engine->options->directory, "models", name, NULL);
  s->thread = g_thread_try_new("adloom-save", save_main, s, NULL);
  if (s->thread == NULL) save_main(s);
  g_free(name);
}

/* Files of the run's own, not second names of the store's: whoever writes into one must not change what later runs load.
 * All at once, and beside what else the end of a run waits for. */
GArray *adl_models_begin_saving(const adl_engine *engine) {
  guint count = 0;
  for (int32_t i = 0; i < engine->node_count; i++) count += saves(&engine->nodes[i]);
  GArray *all = g_array_sized_new(FALSE, TRUE, sizeof(saving), count); /* whose places do not move */
  g_array_set_size(all, count);
  for (int32_t i = 0, k = 0; i < engine->node_count; i++)
    if (saves(&engine->nodes[i])) begin_saving(&g_array_index(all, saving, k++), &engine->nodes[i]);
  return all;
}

bool adl_models_end_saving(GArray *all, bool ok) {
  for (guint i = 0; i < all->len; i++) {
    saving *s = &g_array_index(all, saving, i);
    if (s->thread != NULL) g_thread_join(s->thread);
    if (ok && s->error != NULL) adl_engine_fail(s->node->engine, s->node->stage, "%s", s->error->message);
    ok = ok && s->error == NULL;
  }
  for (guint i = 0; i < all->len; i++) {
    saving *s = &g_array_index(all, saving, i);
    if (!ok && s->error == NULL) g_unlink(s->path);
    g_clear_error(&s->error);
    adl_model_meta_free(s->meta);
    g_free(s->path);
  }
  g_array_free(all, TRUE);
  return ok;
}
