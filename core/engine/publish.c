#include "core/engine/publish.h"

#include <pthread.h>

#include "core/engine/inputs.h"
#include "core/engine/manifest.h"
#include "core/engine/node.h"
#include "core/engine/outputs.h"
#include "core/graph/host.h"

static bool commit_sinks(adl_engine *engine) {
  adl_worker *worker = adl_control(engine);
  for (int32_t i = 0; i < engine->node_count; i++) {
    adl_node_run *node = &engine->nodes[i];
    if (!adl_node_is_sink(node)) continue;
    const adl_call *call = adl_worker_enter(worker, node, "commit");
    if (!adl_worker_leave(worker, adl_node_class(node)->commit(call, node->stage->self))) return false;
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

static void wait_for_models(adl_engine *engine) {
  for (int32_t i = 0; i < engine->node_count; i++) adl_model_kept(&engine->nodes[i]);
}

adl_outcome adl_publish_outcome(adl_engine *engine, bool ok) {
  wait_for_models(engine);
  return ok ? ADL_RUN_OK : atomic_load(&adl_engine_interrupted) ? ADL_RUN_INTERRUPTED : ADL_RUN_FAILED;
}

/* The page of a run that has gone well so far, made while its results are written. */
typedef struct telling {
  adl_engine *engine;
  GThread *digests; /* which it tells; NULL: whoever asks for one waits for it */
  pthread_t thread;
  bool runs;
  GString *page;
} telling;

static void *tell_main(void *data) {
  telling *t = data;
  adl_inputs_digested(t->digests);
  t->page = t->engine->options->report(t->engine, ADL_RUN_OK);
  return NULL;
}

static bool wants_page(const adl_engine *engine) {
  return engine->options->directory != NULL && engine->options->report != NULL;
}

static void tell_beside(telling *t, bool ok) {
  t->runs = ok && wants_page(t->engine) && pthread_create(&t->thread, NULL, tell_main, t) == 0;
}

static void wait_for_page(const telling *t) {
  if (t->runs)
    pthread_join(t->thread, NULL);
  else
    adl_inputs_digested(t->digests);
}

static void free_text(GString *text) { g_string_free(text, TRUE); }

/* If the run has come to another end since, the page is made again. False: it cannot be written; reported. */
static bool write_page(telling *t, adl_outcome outcome) {
  char *why = NULL;
  if (!wants_page(t->engine)) return true;
  if (t->page != NULL && outcome != ADL_RUN_OK) g_clear_pointer(&t->page, free_text);
  if (t->page == NULL) t->page = t->engine->options->report(t->engine, outcome);
  bool ok = adl_publish_say(t->engine, adl_page_write(t->engine, t->page, &why), &why);
  g_string_free(t->page, TRUE);
  return ok;
}

/* Results, and then outputs: these only of a run all of whose results are there. */
static bool write_results(adl_engine *engine, bool ok, char **why) {
  if (engine->options->directory != NULL && !adl_results_write(engine, ok, why)) return false;
  return ok && (engine->outputs == NULL || adl_outputs_publish(engine->outputs, why));
}

adl_outcome adl_publish(adl_engine *engine, bool ok) {
  char *why = NULL;
  bool files = engine->options->directory != NULL;
  telling page = {.engine = engine, .digests = files ? adl_inputs_digest(engine) : NULL};
  ok = ok && all_done(engine) && ask_reports(engine) && commit_sinks(engine) && adl_models_publish(engine);
  wait_for_models(engine); /* what went wrong there is told with the rest */
  tell_beside(&page, ok);
  ok = write_results(engine, ok, &why);
  wait_for_page(&page);
  adl_publish_say(engine, why == NULL, &why); /* not before: the page tells what has been said so far */
  adl_outcome outcome = adl_publish_outcome(engine, ok);
  if (!write_page(&page, outcome) && ok) outcome = ADL_RUN_FAILED;
  if (files && !adl_publish_say(engine, adl_manifest_write(engine, outcome, &why), &why) && ok)
    outcome = ADL_RUN_FAILED;
  return outcome;
}
