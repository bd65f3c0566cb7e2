/* Which stages of a run work in processes of their own: made before the run has threads, ended with it. */
#include "core/engine/isolate.h"

#include <errno.h>
#include <string.h>

static bool online_before(const adl_stage *stage) {
  if (stage->learn == ADL_LEARN_ONLINE) return true;
  for (guint i = 0; i < stage->from->len; i++)
    if (online_before(stage->from->pdata[i])) return true;
  return false;
}

static void free_isolate(gpointer data) {
  adl_isolate *isolate = data;
  char *why = NULL;
  isolate->stage->class = isolate->class;
  adl_keeper_stop(&isolate->keeper, isolate->death != NULL || adl_engine_stopping(isolate->engine));
  if (!adl_record_close(isolate->record, &why)) {
    adl_problems_error(isolate->engine->problems, ADL_NO_PLACE, "%s", why);
    g_free(why);
  }
  adl_channel_free(isolate->keeper.channel);
  adl_pack_clear(&isolate->request);
  adl_pack_clear(&isolate->answer);
  adl_pack_clear(&isolate->start);
  pthread_mutex_destroy(&isolate->mutex);
  g_free(isolate->death);
  g_free(isolate);
}

static void start_one(adl_engine *engine, adl_stage *stage, const char *record) {
  adl_isolate *isolate = g_new0(adl_isolate, 1);
  isolate->engine = engine;
  isolate->stage = stage;
  isolate->class = stage->class;
  pthread_mutex_init(&isolate->mutex, NULL);
  g_ptr_array_add(engine->isolates, isolate);
  adl_serving serving = {.graph = engine->graph,
                         .stage = stage,
                         .started_us = engine->started_us,
                         .online = online_before(stage),
                         .channel = adl_channel_new()};
  isolate->keeper.channel = serving.channel;
  if (serving.channel == NULL || !adl_keeper_start(&isolate->keeper, &serving)) {
    adl_engine_fail(engine, stage, "no process can be started for it: %s", g_strerror(errno));
    return;
  }
  char *why = NULL;
  isolate->record = record != NULL ? adl_record_new(record, &serving, &why) : NULL;
  if (why != NULL) adl_engine_fail(engine, stage, "%s", why);
  g_free(why);
}

void adl_isolates_start(adl_engine *engine) {
  const adl_run_options *options = engine->options;
  engine->isolates = g_ptr_array_new_with_free_func(free_isolate);
  for (guint i = 0; !adl_engine_stopping(engine) && i < engine->graph->stages->len; i++) {
    adl_stage *stage = engine->graph->stages->pdata[i];
    bool recorded = stage == options->recorded;
    if (stage->isolate != ADL_ISOLATE_NO || recorded) start_one(engine, stage, recorded ? options->record : NULL);
  }
}

void adl_isolates_stand_in(adl_engine *engine) {
  for (guint i = 0; i < engine->isolates->len; i++) {
    adl_isolate *isolate = engine->isolates->pdata[i];
    adl_isolate_class(isolate);
    isolate->stage->class = &isolate->proxy;
    adl_node_of(engine, isolate->stage)->isolate = isolate;
  }
}

void adl_isolates_free(adl_engine *engine) { g_ptr_array_free(engine->isolates, TRUE); }
