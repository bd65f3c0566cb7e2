#include "core/graph/versions.h"

#include <string.h>

#include "core/graph/load.h"

typedef struct merge {
  adl_graph *graph;
  GHashTable *names; /* what a stage is, as a text -> its name in the common graph */
  adl_node *stages;  /* the common mapping */
  int room;
} merge;

/* ---- what is compared ---- */

static void mark_upstream(const adl_stage *stage, GHashTable *kept) {
  if (!g_hash_table_add(kept, (gpointer)stage)) return;
  for (guint i = 0; i < stage->from->len; i++) mark_upstream(stage->from->pdata[i], kept);
  for (guint i = 0; i < stage->sides->len; i++) mark_upstream(stage->sides->pdata[i], kept);
}

static GHashTable *kept_stages(const adl_graph *graph) {
  GHashTable *kept = g_hash_table_new(NULL, NULL);
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    bool tells = stage->class != NULL && (stage->class->kind == ADL_EVALUATE || stage->class->kind == ADL_PROFILE);
    if (tells) mark_upstream(stage, kept);
  }
  return kept;
}

/* ---- what a stage is, as a text ---- */

static void append_node(GString *text, const adl_node *node) {
  switch (node->kind) {
    case ADL_NODE_SCALAR:
      g_string_append_printf(text, "%c%zu:%s",
                             node->null     ? '~'
                             : node->quoted ? '"'
                                            : '\'',
                             strlen(node->text), node->text);
      break;
    case ADL_NODE_SEQUENCE:
      g_string_append_c(text, '[');
      for (int i = 0; i < node->count; i++) append_node(text, node->items[i]);
      g_string_append_c(text, ']');
      break;
    case ADL_NODE_MAPPING:
      g_string_append_c(text, '{');
      for (int i = 0; i < node->count; i++) {
        g_string_append_printf(text, "%zu:%s=", strlen(node->pairs[i].key), node->pairs[i].key);
        append_node(text, node->pairs[i].value);
      }
      g_string_append_c(text, '}');
  }
}

static const adl_param *side_param(const adl_stage *stage, const char *key) {
  const adl_arg *arg = adl_args_find(stage->args, key);
  return arg != NULL && arg->param->type == ADL_PARAM_STAGE ? arg->param : NULL;
}

static adl_node *scalar(adl_graph *graph, const char *text, adl_place place) {
  adl_node *node = ADL_REGION_NEW(graph->region, adl_node, 1);
  *node =
      (adl_node){.kind = ADL_NODE_SCALAR, .quoted = true, .place = place, .text = adl_region_text(graph->region, text)};
  return node;
}

/* The name in the common graph of the user's stage whose rows these are. */
static const char *name_of(const adl_version *version, const adl_stage *stage) {
  while (stage->role == ADL_STAGE_HOLDOUT) stage = stage->from->pdata[0];
  return g_hash_table_lookup(version->stages, stage->name);
}

static adl_node *from_node(const merge *m, const adl_version *version, const adl_stage *stage) {
  const adl_stage *before = stage->from->pdata[0];
  if (before->role != ADL_STAGE_CONCAT) return scalar(m->graph, name_of(version, before), stage->place);
  adl_node *list = ADL_REGION_NEW(m->graph->region, adl_node, 1);
  *list = (adl_node){.kind = ADL_NODE_SEQUENCE, .count = (int)before->from->len, .place = stage->place, .text = ""};
  list->items = ADL_REGION_NEW(m->graph->region, adl_node *, list->count + 1);
  for (int i = 0; i < list->count; i++)
    list->items[i] = scalar(m->graph, name_of(version, before->from->pdata[i]), stage->place);
  return list;
}

/* The stage's mapping, in which other stages have their names in the common graph. Values of options have no line in the
 * file; they stand where the stage does. */
static adl_node *rewired(const merge *m, const adl_version *version, const adl_stage *stage) {
  const adl_node *node = stage->node;
  adl_node *copy = ADL_REGION_NEW(m->graph->region, adl_node, 1);
  *copy = *node;
  copy->count = 0;
  copy->pairs = ADL_REGION_NEW(m->graph->region, adl_pair, node->count + 2);
  for (int i = 0; i < node->count; i++) {
    adl_pair pair = node->pairs[i];
    if (strcmp(pair.key, "from") == 0) continue;
    if (pair.place.file != NULL && strcmp(pair.place.file, "--set") == 0) pair.place = stage->place;
    const adl_param *side = side_param(stage, pair.key);
    if (side != NULL) {
      const adl_side *of = (const adl_side *)((const char *)stage->self + side->offset);
      pair.value = scalar(m->graph, name_of(version, stage->sides->pdata[of->number]), pair.place);
    }
    copy->pairs[copy->count++] = pair;
  }
  if (stage->from->len > 0) copy->pairs[copy->count++] = (adl_pair){"from", stage->place, from_node(m, version, stage)};
  return copy;
}

/* ---- merging ---- */

static char *new_name(const merge *m, const char *given) {
  char *name = g_strdup(given);
  for (int i = 2; g_hash_table_contains(m->graph->given, name); i++) {
    g_free(name);
    name = g_strdup_printf("%s~%d", given, i);
  }
  return name;
}

static void add_stage(merge *m, const char *name, const adl_stage *stage, adl_node *mapping) {
  if (m->stages->count == m->room) {
    m->room = 2 * m->room + 16;
    adl_pair *more = ADL_REGION_NEW(m->graph->region, adl_pair, m->room);
    if (m->stages->count > 0) memcpy(more, m->stages->pairs, (size_t)m->stages->count * sizeof *more);
    m->stages->pairs = more;
  }
  m->stages->pairs[m->stages->count++] = (adl_pair){name, stage->place, mapping};
}

static void merge_stage(merge *m, adl_version *version, const adl_stage *stage) {
  adl_node *mapping = rewired(m, version, stage);
  GString *what = g_string_new(NULL);
  g_string_append_printf(what, "%s %" G_GUINT64_FORMAT, stage->name, stage->seed);
  append_node(what, mapping);
  const char *name = g_hash_table_lookup(m->names, what->str);
  if (name == NULL) {
    char *fresh = new_name(m, stage->name);
    name = adl_region_text(m->graph->region, fresh);
    g_free(fresh);
    g_hash_table_insert(m->names, g_strdup(what->str), (gpointer)name);
    adl_given *given = ADL_REGION_NEW(m->graph->region, adl_given, 1);
    *given = (adl_given){adl_region_text(m->graph->region, stage->name), stage->seed};
    g_hash_table_insert(m->graph->given, (gpointer)name, given);
    add_stage(m, name, stage, mapping);
  }
  g_hash_table_insert(version->stages, g_strdup(stage->name), (gpointer)name);
  g_hash_table_add(m->graph->versions->pdata[m->graph->versions->len - 1], (gpointer)name);
  g_string_free(what, TRUE);
}

static void merge_version(merge *m, adl_version *version) {
  GHashTable *kept = kept_stages(version->alone);
  version->stages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_ptr_array_add(m->graph->versions, g_hash_table_new(g_str_hash, g_str_equal));
  for (guint i = 0; i < version->alone->stages->len; i++) {
    const adl_stage *stage = version->alone->stages->pdata[i];
    if (stage->role == ADL_STAGE_CLASS && g_hash_table_contains(kept, stage)) merge_stage(m, version, stage);
  }
  g_hash_table_destroy(kept);
}

/* From names to stages. */
static void find_stages(const adl_graph *graph, adl_version *version) {
  GHashTableIter iter;
  gpointer given, name;
  g_hash_table_iter_init(&iter, version->stages);
  while (g_hash_table_iter_next(&iter, &given, &name)) g_hash_table_iter_replace(&iter, adl_graph_find(graph, name));
}

adl_graph *adl_graph_of_versions(adl_version *versions, guint count, adl_registry *registry, adl_problems *problems) {
  const adl_graph *first = versions[0].alone;
  adl_graph *graph = adl_graph_new(first->path, registry, problems);
  graph->given = g_hash_table_new(g_str_hash, g_str_equal);
  graph->versions = g_ptr_array_new_with_free_func((GDestroyNotify)g_hash_table_destroy);
  graph->name = adl_region_text(graph->region, first->name);
  graph->seed = first->seed;
  graph->max_rejects = first->max_rejects;
  graph->threads = first->threads;
  graph->memory = first->memory;
  adl_node *root = ADL_REGION_NEW(graph->region, adl_node, 1), *stages = ADL_REGION_NEW(graph->region, adl_node, 1);
  *stages = (adl_node){.kind = ADL_NODE_MAPPING, .place = ADL_NO_PLACE, .text = ""};
  adl_pair pair = {"stages", ADL_NO_PLACE, stages};
  *root = (adl_node){.kind = ADL_NODE_MAPPING, .place = ADL_NO_PLACE, .text = "", .count = 1, .pairs = &pair};
  merge m = {graph, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), stages, 0};
  for (guint v = 0; v < count; v++) merge_version(&m, &versions[v]);
  const adl_graph_options options = {0};
  if (stages->count > 0) adl_graph_complete(graph, root, &options);
  for (guint v = 0; v < count; v++) find_stages(graph, &versions[v]);
  g_hash_table_destroy(m.names);
  return graph;
}
