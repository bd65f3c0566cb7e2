/* Whether a run has lost more rows than it may: those that its stages rejected, against `max_rejects`. */
#include "core/engine/internal.h"

/* The first one in order, as an example. */
static void note_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                        const char *reason) {
  adl_problem **problem = data;
  if (*problem == NULL) return;
  adl_problem_note(*problem, ADL_NO_PLACE, "the first one: %s: %s:%" G_GINT64_FORMAT "%s%s: %s", stage, source,
                   position, column != NULL ? ": " : "", column != NULL ? column : "", reason);
  *problem = NULL;
}

/* Rows that the stages of one version refused, and the name of the one that refused most. */
typedef struct refusals {
  GHashTable *stages;
  GHashTable *counts; /* name -> rows, as a pointer */
  int64_t rows;
  const char *worst;
} refusals;

static void count_refusal(void *data, const adl_reject *reject) {
  refusals *of = data;
  if (!g_hash_table_contains(of->stages, reject->stage)) return;
  gintptr count = (gintptr)g_hash_table_lookup(of->counts, reject->stage) + 1;
  g_hash_table_insert(of->counts, (gpointer)reject->stage, (gpointer)count);
  of->rows++;
  if (of->worst == NULL || count >= (gintptr)g_hash_table_lookup(of->counts, of->worst)) of->worst = reject->stage;
}

/* Where a graph holds several versions of a pipeline, each may lose what it might alone: the rows of the one that loses
 * most, and the stage to blame. */
static int64_t rejected_rows(adl_engine *engine, const adl_stage **worst) {
  const GPtrArray *versions = engine->graph->versions;
  int64_t most = 0;
  *worst = NULL;
  if (versions == NULL || adl_rejects_count(engine->rejects) == 0) return adl_rejects_count(engine->rejects);
  for (guint v = 0; v < versions->len; v++) {
    refusals of = {.stages = versions->pdata[v], .counts = g_hash_table_new(g_str_hash, g_str_equal)};
    adl_rejects_each(engine->rejects, count_refusal, &of);
    if (of.rows > most) *worst = adl_graph_find(engine->graph, of.worst);
    most = MAX(most, of.rows);
    g_hash_table_destroy(of.counts);
  }
  return most;
}

bool adl_too_many_rejects(adl_engine *engine) {
  const adl_stage *worst;
  int64_t rejected = rejected_rows(engine, &worst), read = adl_engine_rows_read(engine);
  double share = (double)rejected / (double)MAX(read, 1);
  if (rejected == 0 || share <= engine->graph->max_rejects) return false;
  adl_problem *problem = adl_problems_error(engine->problems, ADL_NO_PLACE,
                                            "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                                            " rows (%.2f %%) were rejected; %.2f %% are allowed",
                                            rejected, read, 100 * share, 100 * engine->graph->max_rejects);
  adl_problem *untold = problem;
  adl_engine_each_reject(engine, note_reject, &untold);
  const char *look = engine->options->directory != NULL ? "look at rejects.jsonl of the run" : "look at the reasons";
  if (share > 0.5)
    adl_problem_hint(problem,
                     "%s: of so many, the type of a column, its format or the delimiter is wrong, not the rows", look);
  else
    adl_problem_hint(problem, "%s; raise `max_rejects`, at the top of the file, if the rows are really to be left out",
                     look);
  if (worst != NULL) adl_engine_blame(engine, worst);
  atomic_store(&engine->failed, true);
  return true;
}
