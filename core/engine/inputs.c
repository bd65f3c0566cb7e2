/* See inputs.h. The digests are kept in the engine's table, where manifest and report find them. */
#include "core/engine/inputs.h"

#include "core/model/digest.h"

static void digest_file(void *data, const adl_param *param, const char *path) {
  adl_engine *engine = data;
  char hex[ADL_FILE_DIGEST_HEX];
  (void)param;
  adl_engine_file(engine, path, NULL, hex);
}

static gpointer digest_all(gpointer data) {
  adl_engine *engine = data;
  for (int32_t i = 0; i < engine->node_count; i++) {
    const adl_stage *stage = engine->nodes[i].stage;
    if (stage->args != NULL) adl_args_each_file(stage->args, digest_file, engine); /* the engine's own have none */
  }
  return NULL;
}

GThread *adl_inputs_digest(adl_engine *engine) { return g_thread_try_new("digests", digest_all, engine, NULL); }

void adl_inputs_digested(GThread *thread) {
  if (thread != NULL) g_thread_join(thread);
}
