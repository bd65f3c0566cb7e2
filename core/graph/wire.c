/* Who gets whose rows: `from`, its default, sides of STAGE parameters, stages made for `from: [a, b]` and for `holdout`,
 * cycles, and the topological order. */
#include <string.h>

#include "core/base/text.h"
#include "core/config/read.h"
#include "core/graph/load.h"

/* Those that measure keep the rows to themselves, but for those that add columns to them. */
static bool passes_rows(const adl_stage *stage) {
  const adl_class *class = stage->class;
  if (class == NULL) return true;
  if (class->kind == ADL_EVALUATE) return class->form != ADL_NEW && !stage->loaded->forwards_only;
  return class->write == NULL;
}

static bool is_source(const adl_stage *stage) { return stage->class != NULL && stage->class->next != NULL; }

static adl_stage *named_stage(adl_graph *graph, adl_stage *stage, const adl_node *node, const char *what) {
  const char *name = NULL;
  char *full = g_strdup_printf("%s.%s", stage->name, what);
  adl_stage *found = NULL;
  if (adl_read_text(node, full, &name, graph->problems)) {
    found = adl_graph_find(graph, name);
    if (found == NULL) {
      const char **names = g_new0(const char *, graph->stages->len + 1);
      for (guint i = 0; i < graph->stages->len; i++) names[i] = ((adl_stage *)graph->stages->pdata[i])->name;
      GString *text = g_string_new(NULL);
      adl_text_suggest(text, name, names, graph->stages->len);
      adl_node_error(node, graph->problems, "%s: there is no stage `%s`%s", full, name, text->str);
      g_string_free(text, TRUE);
      g_free(names);
    } else if (!passes_rows(found)) {
      adl_node_error(node, graph->problems, "%s: no rows leave `%s` (%s)", full, name, found->class->id);
      found = NULL;
    } else if (found == stage) {
      adl_node_error(node, graph->problems, "%s: a stage cannot read from itself", full);
      found = NULL;
    }
  }
  if (found == NULL) stage->broken = true;
  g_free(full);
  return found;
}

static void say_from(adl_graph *graph, adl_stage *stage, const char *why) {
  adl_problem *problem =
      adl_problems_error(graph->problems, stage->place, "%s: `from` must be said: %s", stage->name, why);
  adl_problem_hint(problem, "write `from: STAGE`");
  stage->broken = true;
}

static void default_from(adl_graph *graph, adl_stage *stage, adl_stage *above) {
  if (above == NULL) return say_from(graph, stage, "it is the first stage, and no source");
  if (above->broken && above->class == NULL) {
    stage->broken = true; /* what stands above is not known; one error is enough */
  } else if (!passes_rows(above)) {
    char *why = g_strdup_printf("no rows leave `%s` (%s), the stage above", above->name, above->class->id);
    say_from(graph, stage, why);
    g_free(why);
    return;
  }
  g_ptr_array_add(stage->from, above);
}

static void read_from(adl_graph *graph, adl_stage *stage, adl_stage *above) {
  const adl_node *from = stage->node->kind == ADL_NODE_MAPPING ? adl_node_get(stage->node, "from") : NULL;
  if (is_source(stage)) {
    if (from != NULL) {
      adl_node_error(from, graph->problems, "%s.from: %s is a source; no rows go into it", stage->name,
                     stage->class->id);
      stage->broken = true;
    }
    return;
  }
  if (from == NULL) {
    if (stage->class != NULL) default_from(graph, stage, above);
    return;
  }
  if (from->kind == ADL_NODE_SEQUENCE) {
    if (from->count == 0) {
      adl_node_error(from, graph->problems, "%s.from: names no stage", stage->name);
      stage->broken = true;
    }
    for (int i = 0; i < from->count; i++) {
      adl_stage *found = named_stage(graph, stage, from->items[i], "from");
      if (found != NULL) g_ptr_array_add(stage->from, found);
    }
  } else {
    adl_stage *found = named_stage(graph, stage, from, "from");
    if (found != NULL) g_ptr_array_add(stage->from, found);
  }
}

static void read_sides(adl_graph *graph, adl_stage *stage) {
  if (stage->args == NULL) return;
  for (int i = 0; i < stage->args->count; i++) {
    const adl_arg *arg = &stage->args->items[i];
    if (arg->param->type != ADL_PARAM_STAGE || arg->node == NULL || !arg->valid) continue;
    adl_stage *found = named_stage(graph, stage, arg->node, arg->param->name);
    if (found == NULL) continue;
    adl_side *side = (adl_side *)((char *)stage->self + arg->param->offset);
    side->number = (int32_t)stage->sides->len;
    g_ptr_array_add(stage->sides, found);
  }
}

/* ---- order ---- */

static bool all_placed(const GPtrArray *stages, const GHashTable *placed) {
  for (guint i = 0; i < stages->len; i++)
    if (!g_hash_table_contains((GHashTable *)placed, stages->pdata[i])) return false;
  return true;
}

static adl_stage *unplaced_before(const adl_stage *stage, GHashTable *placed) {
  const GPtrArray *lists[] = {stage->from, stage->sides};
  for (int l = 0; l < 2; l++)
    for (guint i = 0; i < lists[l]->len; i++)
      if (!g_hash_table_contains(placed, lists[l]->pdata[i])) return lists[l]->pdata[i];
  return NULL;
}

/* Walks back from a stage that cannot be placed until one comes up twice: that is the cycle. */
static void report_cycle(adl_graph *graph, adl_stage *stuck, GHashTable *placed) {
  GPtrArray *path = g_ptr_array_new();
  adl_stage *at = stuck;
  guint begin = 0;
  while (!g_ptr_array_find(path, at, &begin)) {
    g_ptr_array_add(path, at);
    at = unplaced_before(at, placed);
  }
  GString *text = g_string_new(NULL);
  for (guint i = path->len; i > begin; i--)
    g_string_append_printf(text, "%s -> ", ((adl_stage *)path->pdata[i - 1])->name);
  adl_stage *first = path->pdata[path->len - 1];
  g_string_append(text, first->name);
  adl_place place = first->place;
  const adl_node *from = adl_node_get(first->node, "from");
  if (from != NULL) place = from->place;
  adl_problems_error(graph->problems, place, "%s: the stages form a cycle: %s", first->name, text->str);
  g_string_free(text, TRUE);
  g_ptr_array_free(path, TRUE);
}

/* Always the first stage of the file whose inputs are placed: the order of the file as far as the wiring allows. */
static void sort_topologically(adl_graph *graph) {
  GHashTable *placed = g_hash_table_new(NULL, NULL);
  GPtrArray *sorted = g_ptr_array_new();
  while (sorted->len < graph->stages->len) {
    adl_stage *next = NULL, *stuck = NULL;
    for (guint i = 0; next == NULL && i < graph->stages->len; i++) {
      adl_stage *stage = graph->stages->pdata[i];
      if (g_hash_table_contains(placed, stage)) continue;
      if (all_placed(stage->from, placed) && all_placed(stage->sides, placed))
        next = stage;
      else if (stuck == NULL)
        stuck = stage;
    }
    if (next == NULL) {
      report_cycle(graph, stuck, placed);
      for (guint i = 0; i < graph->stages->len; i++) {
        adl_stage *stage = graph->stages->pdata[i];
        if (g_hash_table_add(placed, stage)) g_ptr_array_add(sorted, stage), stage->broken = true;
      }
      break;
    }
    g_hash_table_add(placed, next);
    g_ptr_array_add(sorted, next);
  }
  g_hash_table_destroy(placed);
  g_ptr_array_free(graph->stages, TRUE);
  graph->stages = sorted;
}

/* ---- stages that nobody wrote ---- */

static adl_stage *new_internal(adl_graph *graph, adl_role_of_stage role, adl_stage *of) {
  adl_stage *stage = adl_stage_new(graph, role, of->name);
  stage->given = of->given;
  stage->seed = of->seed;
  stage->node = of->node;
  stage->place = of->place;
  stage->rows_leave = true;
  return stage;
}

static void replace(GPtrArray *list, const adl_stage *old, adl_stage *new) {
  for (guint i = 0; i < list->len; i++)
    if (list->pdata[i] == old) list->pdata[i] = new;
}

/* A stage with several inputs reads one that strings them together; the rows of a stage with `holdout` go through one
 * that gives them their split. */
static void insert_internal(adl_graph *graph) {
  GPtrArray *with = g_ptr_array_new();
  for (guint i = 0; i < graph->stages->len; i++) {
    adl_stage *stage = graph->stages->pdata[i];
    if (stage->from->len > 1) {
      adl_stage *concat = new_internal(graph, ADL_STAGE_CONCAT, stage);
      for (guint k = 0; k < stage->from->len; k++) g_ptr_array_add(concat->from, stage->from->pdata[k]);
      g_ptr_array_set_size(stage->from, 0);
      g_ptr_array_add(stage->from, concat);
      g_ptr_array_add(with, concat);
    }
    g_ptr_array_add(with, stage);
    const adl_node *said = stage->class != NULL ? adl_node_get(stage->node, "holdout") : NULL;
    if (said == NULL) continue;
    if (!passes_rows(stage)) {
      adl_node_error(said, graph->problems, "%s.holdout: no rows leave `%s` (%s)", stage->name, stage->name,
                     stage->class->id);
      stage->broken = true;
      continue;
    }
    adl_stage *holdout = new_internal(graph, ADL_STAGE_HOLDOUT, stage);
    for (guint k = 0; k < graph->stages->len; k++) {
      adl_stage *other = graph->stages->pdata[k];
      replace(other->from, stage, holdout);
      replace(other->sides, stage, holdout);
    }
    for (guint k = 0; k < with->len; k++) {
      adl_stage *other = with->pdata[k];
      if (other->role == ADL_STAGE_CONCAT) replace(other->from, stage, holdout);
    }
    g_ptr_array_add(holdout->from, stage);
    g_ptr_array_add(with, holdout);
  }
  g_ptr_array_free(graph->stages, TRUE);
  graph->stages = with;
}

/* ---- what only judges may see ---- */

static bool learns(const adl_stage *stage) {
  return (stage->learn == ADL_LEARN_FIT || stage->learn == ADL_LEARN_ONLINE) && stage->class->kind != ADL_EVALUATE &&
         (stage->class->flags & ADL_TRANSIENT) == 0;
}

static void refuse_to_learn(adl_graph *graph, adl_stage *stage, const adl_stage *judge) {
  adl_problem *problem = adl_problems_error(graph->problems, stage->place,
                                            "%s: %s learns, and stands behind `%s` (%s), which is for judging "
                                            "only",
                                            stage->name, stage->class->id, judge->name, judge->class->id);
  adl_problem_note(problem, judge->place, "the stage `%s`", judge->name);
  adl_problem_hint(problem, "let `%s` read (`from`) what stands before `%s`, and put `%s` behind all that learns",
                   stage->name, judge->name, judge->name);
  stage->broken = true;
}

/* Nothing that learns stands behind a class that is ADL_FOR_JUDGING, however far: what it tells would be learned, and the
 * judgement would be of itself. */
static void check_judges(adl_graph *graph) {
  const adl_stage **judge = g_new0(const adl_stage *, graph->stages->len); /* one that stands before each, by number */
  for (guint i = 0; i < graph->stages->len; i++) {
    adl_stage *stage = graph->stages->pdata[i];
    const GPtrArray *before[] = {stage->from, stage->sides};
    for (int l = 0; l < 2; l++)
      for (guint k = 0; k < before[l]->len; k++) {
        const adl_stage *other = before[l]->pdata[k];
        bool judges = other->class != NULL && (other->class->flags & ADL_FOR_JUDGING) != 0;
        if (judge[i] == NULL && other->number < (int32_t)i) judge[i] = judges ? other : judge[other->number];
      }
    if (judge[i] != NULL && learns(stage)) refuse_to_learn(graph, stage, judge[i]);
  }
  g_free(judge);
}

/* ---- standard input ---- */

typedef struct readers {
  adl_graph *graph;
  adl_stage *stage, *first;
} readers;

static void note_reader(void *data, const adl_param *param, const char *path) {
  readers *r = data;
  if (strcmp(path, "-") != 0) return;
  if (r->first != NULL) {
    adl_problem *problem = adl_problems_error(r->graph->problems, r->stage->place,
                                              "%s.%s: standard input can be read once", r->stage->name, param->name);
    adl_problem_note(problem, r->first->place, "the stage `%s` reads it", r->first->name);
    adl_problem_hint(problem, "read it in one stage, and let both go on `from` there");
    r->stage->broken = true;
  } else {
    r->first = r->stage;
  }
}

static void check_standard_input(adl_graph *graph) {
  readers r = {.graph = graph};
  for (guint i = 0; i < graph->stages->len; i++) {
    r.stage = graph->stages->pdata[i];
    if (r.stage->args != NULL) adl_args_each_file(r.stage->args, note_reader, &r);
  }
}

void adl_graph_wire(adl_graph *graph) {
  adl_stage *above = NULL;
  for (guint i = 0; i < graph->stages->len; i++) {
    adl_stage *stage = graph->stages->pdata[i];
    read_from(graph, stage, above);
    read_sides(graph, stage);
    above = stage;
  }
  sort_topologically(graph);
  insert_internal(graph);
  for (guint i = 0; i < graph->stages->len; i++) {
    adl_stage *stage = graph->stages->pdata[i];
    stage->number = (int32_t)i;
    for (guint k = 0; k < stage->from->len; k++) g_ptr_array_add(((adl_stage *)stage->from->pdata[k])->to, stage);
    for (guint k = 0; k < stage->sides->len; k++)
      g_ptr_array_add(((adl_stage *)stage->sides->pdata[k])->to_side, stage);
  }
  check_judges(graph);
  check_standard_input(graph);
}
