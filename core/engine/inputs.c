/* See inputs.h. The digests are kept in the engine's table, where manifest and report find them. */
#include "core/engine/inputs.h"

#include <string.h>
#include <sys/stat.h>

#include "core/engine/outputs.h"
#include "core/model/digest.h"

/* ---- what would be written over ---- */

typedef struct look {
  adl_engine *engine;
  const adl_stage *stage;
  bool ok;
} look;

/* By whatever name, and through whatever links. */
static bool same_file(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void compare_file(void *data, const adl_param *param, const char *path) {
  look *l = data;
  const GPtrArray *targets = adl_outputs_targets(l->engine->outputs);
  for (guint i = 0; i < targets->len; i++) {
    if (strcmp(path, "-") == 0 || !same_file(path, targets->pdata[i])) continue;
    adl_problem *problem =
        adl_problems_error(l->engine->problems, l->stage->place,
                           "%s.%s: %s is read here, and an output would replace it", l->stage->name, param->name, path);
    adl_problem_hint(problem, "write to another path");
    adl_engine_blame(l->engine, l->stage);
    l->ok = false;
  }
}

bool adl_inputs_stay(adl_engine *engine) {
  look l = {.engine = engine, .ok = true};
  for (int32_t i = 0; engine->outputs != NULL && i < engine->node_count; i++) {
    l.stage = engine->nodes[i].stage;
    if (l.stage->args != NULL) adl_args_each_file(l.stage->args, compare_file, &l);
  }
  return l.ok;
}

/* ---- digests ---- */

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
