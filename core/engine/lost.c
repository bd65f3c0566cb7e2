/* Whether a run has lost more rows than it may: those that its stages rejected, against `max_rejects`. */
#include "core/engine/internal.h"
#include "core/engine/node.h"
#include "core/engine/refusals.h"

/* The first one in order, as an example. */
static void note_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                        const char *reason) {
  adl_problem **problem = data;
  if (*problem == NULL) return;
  adl_problem_note(*problem, ADL_NO_PLACE, "the first one: %s: %s:%" G_GINT64_FORMAT "%s%s: %s", stage, source,
                   position, column != NULL ? ": " : "", column != NULL ? column : "", reason);
  *problem = NULL;
}

static void note_most(const adl_engine *engine, adl_problem *problem, GHashTable *stages, const char *when) {
  GPtrArray *refusals = adl_refusals(engine, stages);
  if (refusals->len > 0) {
    const adl_refusal *most = refusals->pdata[0];
    char *text = adl_refusal_text(most);
    adl_problem_note(problem, ADL_NO_PLACE, "%" G_GINT64_FORMAT " row%s rejected%s: %s%s", most->count,
                     most->count == 1 ? " was" : "s were", when, text,
                     refusals->len > 1 ? " (the most frequent reason)" : "");
    g_free(text);
  }
  g_ptr_array_free(refusals, TRUE);
}

/* ---- rows that did not reach a fit ---- */

static void add_upstream(const adl_stage *stage, GHashTable *names, GPtrArray *stages) {
  if (!g_hash_table_add(names, stage->name)) return;
  g_ptr_array_add(stages, (gpointer)stage);
  for (guint i = 0; i < stage->from->len; i++) add_upstream(stage->from->pdata[i], names, stages);
  for (guint i = 0; i < stage->sides->len; i++) add_upstream(stage->sides->pdata[i], names, stages);
}

/* Others may count meanwhile, elsewhere: what is on the way to a fit has all been counted. */
static adl_tally rows_of(const adl_node_run *node) {
  adl_tally sum = {0};
  for (int32_t i = 0; i < node->engine->worker_count; i++) {
    const adl_tally *one = adl_tally_of(&node->engine->workers[i], node);
    sum.rows_in += __atomic_load_n(&one->rows_in, __ATOMIC_RELAXED);
    sum.dropped += __atomic_load_n(&one->dropped, __ATOMIC_RELAXED);
  }
  return sum;
}

void adl_tell_lost(const adl_node_run *node, adl_problem *problem) {
  const adl_engine *engine = node->engine;
  GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
  GPtrArray *stages = g_ptr_array_new();
  add_upstream(node->stage, names, stages);
  note_most(engine, problem, names, " before that");
  const adl_stage *most = NULL;
  adl_tally of_most = {0};
  for (guint i = 0; i < stages->len; i++) {
    const adl_stage *stage = stages->pdata[i];
    adl_tally tally = rows_of(&engine->nodes[stage->number]);
    if (tally.dropped <= of_most.dropped) continue;
    most = stage;
    of_most = tally;
  }
  if (most != NULL)
    adl_problem_note(problem, ADL_NO_PLACE, "%s dropped %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " rows before that",
                     most->name, of_most.dropped, of_most.rows_in);
  g_ptr_array_free(stages, TRUE);
  g_hash_table_destroy(names);
}

/* ---- the share that is allowed ---- */

/* Rows of one version, or of the whole graph: those that were read, and those of the tables that stages made. A row is one
 * row for however many stages refused it, and for all that came of it (a join may give it several times). */
typedef struct loss {
  const adl_engine *engine;
  GHashTable *stages; /* NULL: all */
  GHashTable *counts; /* name -> rows that it refused, as a pointer */
  const char *worst;  /* that refused most */
  int64_t rows[2], rejected[2];
  int32_t shard; /* of the row that was counted last */
  int64_t position;
} loss;

enum { READ, MADE };

static bool is_of(const loss *of, const char *stage) {
  return of->stages == NULL || g_hash_table_contains(of->stages, stage);
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
static double worst_loss(adl_engine *engine, int64_t *rejected, int64_t *rows, const adl_stage **worst,
                         GHashTable **stages) {
  const GPtrArray *versions = engine->graph->versions;
  double most = 0;
  *worst = NULL;
  *stages = NULL;
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
      *stages = of.stages;
      *worst = versions != NULL ? adl_graph_find(engine->graph, of.worst) : NULL;
    }
    g_hash_table_destroy(of.counts);
  }
  return most;
}

bool adl_too_many_rejects(adl_engine *engine) {
  const adl_stage *worst;
  GHashTable *stages;
  int64_t rejected, rows;
  double share = worst_loss(engine, &rejected, &rows, &worst, &stages);
  if (share <= engine->graph->max_rejects) return false;
  adl_problem *problem = adl_problems_error(engine->problems, ADL_NO_PLACE,
                                            "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                                            " rows (%.2f %%) were rejected; %.2f %% are allowed",
                                            rejected, rows, 100 * share, 100 * engine->graph->max_rejects);
  note_most(engine, problem, stages, "");
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
