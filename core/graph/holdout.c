/* `holdout:` of a stage: which of the rows that leave it are held out of all learning.
 *   {where: "at >= '2024-06-01'"}   {fraction: 0.2, by: user}   {newest: 0.2, by: at}, and `as: validate | test` */
#include <string.h>

#include "core/base/text.h"
#include "core/config/keys.h"
#include "core/config/read.h"
#include "core/graph/load.h"

static void fail(adl_graph *graph, adl_stage *stage, const adl_node *node, const char *format, ...) G_GNUC_PRINTF(4, 5);
static void fail(adl_graph *graph, adl_stage *stage, const adl_node *node, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  adl_problem *problem = adl_node_error(node, graph->problems, "%s.holdout%s", stage->name, text);
  adl_problem_hint(problem,
                   "write {fraction: 0.2, by: user}, {newest: 0.2, by: at} or {where: \"at >= '2024-06-01'\"}");
  stage->broken = true;
  g_free(text);
}

/* What a key is called in messages: "log.holdout.by". */
static const char *key_name(adl_graph *graph, const adl_stage *stage, const char *key) {
  return adl_region_printf(graph->region, "%s.holdout%s%s", stage->name, key[0] != '\0' ? "." : "", key);
}

static bool find_by(adl_graph *graph, adl_stage *stage, const adl_node *node) {
  const adl_node *by = adl_node_get(node, "by");
  adl_holdout *holdout = stage->holdout;
  holdout->by = -1;
  if (by == NULL) {
    if (holdout->kind == ADL_HOLDOUT_NEWEST)
      fail(graph, stage, node, ": `newest` needs `by`, the column that says how new a row is");
    return holdout->kind != ADL_HOLDOUT_NEWEST;
  }
  const char *name = NULL;
  if (!adl_read_text(by, key_name(graph, stage, "by"), &name, graph->problems)) return false;
  holdout->by = adl_schema_find(&stage->schema, name);
  if (holdout->by < 0) {
    const char **names = g_new0(const char *, (gsize)stage->schema.count + 1);
    for (int32_t i = 0; i < stage->schema.count; i++) names[i] = stage->schema.columns[i].name;
    GString *text = g_string_new(NULL);
    adl_text_suggest(text, name, names, (size_t)stage->schema.count);
    fail(graph, stage, by, ".by: no column is called `%s`%s", name, text->str);
    g_string_free(text, TRUE);
    g_free(names);
    return false;
  }
  adl_type type = stage->schema.columns[holdout->by].field->type;
  bool ordered = type.element == ADL_TIMESTAMP || (type.element >= ADL_INT32 && type.element <= ADL_FLOAT64);
  if (type.shape != ADL_SCALAR || (holdout->kind == ADL_HOLDOUT_NEWEST && !ordered)) {
    char have[96];
    fail(graph, stage, by, ".by: column `%s` is %s; %s is needed", name, adl_type_name(type, have, sizeof have),
         holdout->kind == ADL_HOLDOUT_NEWEST ? "a timestamp or a number" : "a plain value");
    return false;
  }
  return true;
}

static void bind_where(adl_graph *graph, adl_stage *stage, const adl_node *where) {
  const char *text = NULL;
  adl_holdout *holdout = stage->holdout;
  if (!adl_read_text(where, key_name(graph, stage, "where"), &text, graph->problems)) {
    stage->broken = true;
    return;
  }
  holdout->where = adl_stage_compile(graph, stage, &stage->schema, text, "holdout.where");
  if (holdout->where == NULL) return;
  adl_type type = adl_expr_type(holdout->where);
  if (type.element != ADL_BOOL || type.shape != ADL_SCALAR)
    fail(graph, stage, where, ".where: must be true or false for each row");
  int32_t count = adl_expr_input_count(holdout->where);
  holdout->columns = ADL_REGION_NEW(graph->region, int32_t, count + 1);
  for (int32_t i = 0; i < count; i++) holdout->columns[i] = adl_expr_input(holdout->where, i);
  holdout->canonical = adl_region_printf(graph->region, "where %s", text);
}

void adl_holdout_bind(adl_graph *graph, adl_stage *stage) {
  const adl_node *node = adl_node_get(stage->node, "holdout");
  adl_holdout *holdout = stage->holdout = ADL_REGION_NEW(graph->region, adl_holdout, 1);
  holdout->by = -1;
  holdout->split = ADL_TEST;
  if (node->kind != ADL_NODE_MAPPING) return fail(graph, stage, node, ": must be a mapping");
  const char **names = adl_key_names(adl_keys_of_holdout);
  if (!adl_read_keys(node, key_name(graph, stage, ""), names, false, graph->problems)) stage->broken = true;
  g_free(names);
  const adl_node *where = adl_node_get(node, "where"), *fraction = adl_node_get(node, "fraction"),
                 *newest = adl_node_get(node, "newest"), *as = adl_node_get(node, "as");
  if ((where != NULL) + (fraction != NULL) + (newest != NULL) != 1)
    return fail(graph, stage, node, ": say one of `where`, `fraction` and `newest`");
  int32_t choice = 1;
  if (as != NULL && !adl_read_choice(as, key_name(graph, stage, "as"), adl_key_find(adl_keys_of_holdout, "as")->choices,
                                     &choice, graph->problems))
    stage->broken = true;
  holdout->split = choice == 0 ? ADL_VALIDATE : ADL_TEST;
  if (where != NULL) {
    holdout->kind = ADL_HOLDOUT_WHERE;
    bind_where(graph, stage, where);
    return;
  }
  holdout->kind = fraction != NULL ? ADL_HOLDOUT_FRACTION : ADL_HOLDOUT_NEWEST;
  if (!adl_read_float(fraction != NULL ? fraction : newest,
                      key_name(graph, stage, fraction != NULL ? "fraction" : "newest"),
                      adl_key_find(adl_keys_of_holdout, "fraction")->range, &holdout->fraction, graph->problems))
    stage->broken = true;
  if (!find_by(graph, stage, node)) {
    stage->broken = true;
    return;
  }
  GString *share = g_string_new(NULL);
  adl_text_number(share, holdout->fraction);
  holdout->canonical = adl_region_printf(graph->region, "%s %s by %s", fraction != NULL ? "fraction" : "newest",
                                         share->str, holdout->by < 0 ? "" : stage->schema.columns[holdout->by].name);
  g_string_free(share, TRUE);
}
