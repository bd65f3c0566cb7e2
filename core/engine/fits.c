/* The fits that are possible at the same time are made side by side, each on a worker; workers that have none share the
 * folds and loops of those that do. What a model becomes does not depend on it. */
#include "core/engine/internal.h"
#include "core/engine/progress.h"

static bool fit_node(adl_desk *desk, adl_node_run *node) {
  adl_rows rows = {.node = node, .side = -1, .store = node->store};
  if (node->sides->len > 0)
    rows = (adl_rows){.node = node, .side = 0, .store = ((adl_side_run *)node->sides->pdata[0])->store};
  if (rows.store == NULL) rows.store = node->store = adl_store_new(&node->engine->budget, 0);
  if (rows.side < 0) adl_refused_resize(node, adl_store_frames(rows.store));
  bool ok = adl_model_fit(desk, node, &rows);
  adl_rows_forget(&rows);
  return ok;
}

typedef struct fits {
  adl_engine *engine;
  const GPtrArray *nodes;
  _Atomic guint next;
  _Atomic bool failed;
} fits;

static void fit_some(void *data, int32_t worker) {
  fits *f = data;
  for (guint i = atomic_fetch_add(&f->next, 1); i < f->nodes->len && !adl_engine_stopping(f->engine);
       i = atomic_fetch_add(&f->next, 1))
    if (!fit_node(&f->engine->desks[worker], f->nodes->pdata[i])) atomic_store(&f->failed, true);
}

void adl_desk_share(const adl_desk *desk, void (*work)(void *data, int32_t worker), void *data) {
  const adl_engine *engine = desk->engine;
  int32_t alone = atomic_load(&engine->fits_alone), threads = engine->threads;
  int32_t most = desk->number < threads ? threads : MAX(threads - MAX(alone, 1), 0);
  adl_pool_help(engine->pool, desk->number, most, work, data);
}

static void idle(void *data) {
  const fits *f = data;
  adl_progress_tick(f->engine->progress);
}

bool adl_fit_all(adl_engine *engine, const GPtrArray *nodes) {
  fits f = {.engine = engine, .nodes = nodes};
  for (guint i = 0; i < nodes->len; i++) {
    const adl_node_run *node = nodes->pdata[i];
    if ((node->stage->class->flags & ADL_TRANSIENT) == 0)
      adl_progress_begin(engine->progress, "fitting", node->stage->name);
  }
  if (nodes->len > 1 && !adl_memory_is_short(engine))
    adl_pool_run(engine->pool, fit_some, &f, idle, &f);
  else if (nodes->len > 0)
    fit_some(&f, engine->threads);
  return !atomic_load(&f.failed) && !adl_engine_stopping(engine);
}
