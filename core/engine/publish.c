#include "core/engine/publish.h"

#include "core/engine/inputs.h"
#include "core/engine/manifest.h"
#include "core/engine/node.h"
#include "core/engine/outputs.h"

static bool has_target(const adl_stage *stage) {
  for (int k = 0; stage->args != NULL && k < stage->args->count; k++)
    if (stage->args->items[k].param->type == ADL_PARAM_PATH_OUT && stage->args->items[k].node != NULL) return true;
  return false;
}

static bool commit_sinks(adl_engine *engine) {
  adl_worker *worker = adl_control(engine);
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    if (!adl_node_is_sink(node)) continue;
    const adl_call *call = adl_worker_enter(worker, node, "commit");
    if (!adl_worker_leave(worker, adl_node_class(node)->commit(call, node->stage->self))) return false;
    if (engine->outputs == NULL || has_target(node->stage)) continue;
    char *what = g_strdup_printf("what `%s` writes to", node->stage->name);
    adl_outputs_add_in_place(engine->outputs, what);
    g_free(what);
  }
  return true;
}

static bool ask_reports(adl_engine *engine) {
  adl_worker *worker = adl_control(engine);
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    if (adl_node_class(node) == NULL || !node->ready) continue;
    const adl_call *call = adl_worker_enter(worker, node, "report");
    if (!adl_worker_leave(worker, adl_node_class(node)->report(call, node->stage->self, &node->model, NULL)))
      return false;
  }
  return true;
}

static bool all_done(adl_engine *engine) {
  for (int32_t i = 0; i < engine->node_count; i++)
    if (!engine->nodes[i].ready) {
      adl_engine_fail(engine, engine->nodes[i].stage,
                      "adloom could not find an order in which to run this pipeline; please report this");
      return false;
    }
  return true;
}

bool adl_publish_say(adl_engine *engine, bool ok, char **why) {
  if (!ok) adl_problems_error(engine->problems, ADL_NO_PLACE, "%s", *why);
  g_clear_pointer(why, g_free);
  return ok;
}

adl_outcome adl_publish_outcome(bool ok) {
  return ok ? ADL_RUN_OK : atomic_load(&adl_engine_interrupted) ? ADL_RUN_INTERRUPTED : ADL_RUN_FAILED;
}

/* Results, and then outputs: these only of a run all of whose results are there. */
static bool write_results(adl_engine *engine, bool ok) {
  char *why = NULL;
  if (engine->options->directory != NULL) ok = adl_publish_say(engine, adl_results_write(engine, ok, &why), &why) && ok;
  if (ok && engine->outputs != NULL) ok = adl_publish_say(engine, adl_outputs_publish(engine->outputs, &why), &why);
  return ok;
}

static adl_outcome unless_failed(adl_outcome outcome, bool told) {
  return outcome == ADL_RUN_OK && !told ? ADL_RUN_FAILED : outcome;
}

/* What people and programs read of the run. Returns its outcome, for which this counts, too. */
static adl_outcome tell(adl_engine *engine, adl_outcome outcome) {
  char *why = NULL;
  if (engine->options->report != NULL) {
    GString *page = engine->options->report(engine->options->report_data, engine, outcome);
    outcome = unless_failed(outcome, adl_publish_say(engine, adl_page_write(engine, page, &why), &why));
    g_string_free(page, TRUE);
  }
  return unless_failed(outcome, adl_publish_say(engine, adl_manifest_write(engine, outcome, &why), &why));
}

adl_outcome adl_publish(adl_engine *engine, bool ok) {
  bool files = engine->options->directory != NULL;
  GThread *digests = files ? adl_inputs_digest(engine) : NULL;
  ok = ok && all_done(engine) && ask_reports(engine);
  /* Not before: a report may be what brings a model back from a process of its own. */
  GArray *saving = ok && files ? adl_models_begin_saving(engine) : NULL;
  ok = ok && commit_sinks(engine);
  if (saving != NULL) ok = adl_models_end_saving(saving, ok);
  ok = write_results(engine, ok);
  adl_inputs_digested(digests);
  adl_outcome outcome = adl_publish_outcome(ok);
  return files ? tell(engine, outcome) : outcome;
}
