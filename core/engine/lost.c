/* Whether a run has lost more rows than it may: those that its stages rejected, against `max_rejects`. */
#include "core/engine/internal.h"
#include "core/engine/node.h"

/* The first one in order, as an example. */
static void note_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                        const char *reason) {
  adl_problem **problem = data;
  if (*problem == NULL) return;
  adl_problem_note(*problem, ADL_NO_PLACE, "the first one: %s: %s:%" G_GINT64_FORMAT "%s%s: %s", stage, source,
                   position, column != NULL ? ": " : "", column != NULL ? column : "", reason);
  *problem = NULL;
}

/* Rows of one version, or of the whole graph: those that were read, and those of the tables that stages made. A row is one
 * row for however many stages refused it, and for all that came of it (a join may give it several times). */
typedef struct loss {
  const adl_engine *engine;
  const GHashTable *stages; /* NULL: all */
  GHashTable *counts;       /* name -> rows that it refused, as a pointer */
  const char *worst;        /* that refused most */
  int64_t rows[2], rejected[2];
  int32_t shard; /* of the row that was counted last */
  int64_t position;
} loss;

enum { READ, MADE };

static bool is_of(const loss *of, const char *stage) {
  return of->stages == NULL || g_hash_table_contains((GHashTable *)(uintptr_t)of->stages, stage);
}

/* All of one row come one after the other. */
static void count_reject(void *data, const adl_reject *reject) {
  loss *of = data;
  if (!is_of(of, reject->stage)) return;
  gintptr count = (gintptr)g_hash_table_lookup(of->counts, reject->stage) + 1;
  g_hash_table_insert(of->counts, (gpointer)reject->stage, (gpointer)count);
  if (of->worst == NULL || count >= (gintptr)g_hash_table_lookup(of->counts, of->worst)) of->worst = reject->stage;
  if (reject->record) of->rows[READ]++;
  if (reject->shard == of->shard && reject->position == of->position) return;
  of->shard = reject->shard;
  of->position = reject->position;
  const adl_stage *from = g_array_index(of->engine->shards, adl_shard, reject->shard).stage;
  of->rejected[adl_node_is_source(&of->engine->nodes[from->number]) ? READ : MADE]++;
}

static void count_rows(loss *of) {
  for (int32_t i = 0; i < of->engine->node_count; i++) {
    const adl_node_run *node = &of->engine->nodes[i];
    if (adl_node_class(node) == NULL || adl_node_class(node)->form != ADL_NEW || !is_of(of, node->stage->name))
      continue;
    of->rows[adl_node_is_source(node) ? READ : MADE] += adl_node_tally(node).rows_out;
  }
}

/* Of the rows read, or of all where rows of tables that stages made are worse: few bad ones of a small table end no run,
 * and a large table hides none that were read. */
static double share_of(const loss *of, int64_t *rejected, int64_t *rows) {
  int64_t all = of->rows[READ] + of->rows[MADE], all_rejected = of->rejected[READ] + of->rejected[MADE];
  double read = (double)of->rejected[READ] / (double)MAX(of->rows[READ], 1);
  double whole = (double)all_rejected / (double)MAX(all, 1);
  *rejected = read >= whole ? of->rejected[READ] : all_rejected;
  *rows = read >= whole ? of->rows[READ] : all;
  return MAX(read, whole);
}

/* Where a graph holds several versions of a pipeline, each may lose what it might alone: the one that loses most counts,
 * and the stage to blame is told. */
static double worst_loss(adl_engine *engine, int64_t *rejected, int64_t *rows, const adl_stage **worst) {
  const GPtrArray *versions = engine->graph->versions;
  double most = 0;
  *worst = NULL;
  *rejected = *rows = 0;
  for (guint v = 0; v < (versions != NULL ? versions->len : 1) && adl_rejects_any(engine->rejects); v++) {
    loss of = {.engine = engine,
               .stages = versions != NULL ? versions->pdata[v] : NULL,
               .counts = g_hash_table_new(g_str_hash, g_str_equal),
               .shard = -1};
    int64_t its_rejected, its_rows;
    adl_rejects_each(engine->rejects, count_reject, &of);
    count_rows(&of);
    double share = share_of(&of, &its_rejected, &its_rows);
    if (share > most) {
      most = share;
      *rejected = its_rejected;
      *rows = its_rows;
      *worst = versions != NULL ? adl_graph_find(engine->graph, of.worst) : NULL;
    }
    g_hash_table_destroy(of.counts);
  }
  return most;
}

bool adl_too_many_rejects(adl_engine *engine) {
  const adl_stage *worst;
  int64_t rejected, rows;
  double share = worst_loss(engine, &rejected, &rows, &worst);
  if (share <= engine->graph->max_rejects) return false;
  adl_problem *problem = adl_problems_error(engine->problems, ADL_NO_PLACE,
                                            "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                                            " rows (%.2f %%) were rejected; %.2f %% are allowed",
                                            rejected, rows, 100 * share, 100 * engine->graph->max_rejects);
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
