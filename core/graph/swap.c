/* "stage=class": another class in the place of a stage's own. Parameters that the new class knows by name stay, those that it
 * does not know go, and are listed. */
#include <string.h>

#include "core/graph/load.h"

static bool knows(const adl_class *class, const char *key) {
  for (const char *const *reserved = adl_params_reserved(); *reserved != NULL; reserved++)
    if (strcmp(*reserved, key) == 0) return true;
  for (uint32_t i = 0; i < class->param_count; i++)
    if (strcmp(class->params[i].name, key) == 0 ||
        (class->params[i].alias != NULL && strcmp(class->params[i].alias, key) == 0))
      return true;
  return false;
}

static void drop_unknown(adl_graph *graph, const char *stage, adl_node *mapping, const adl_class *class) {
  int kept = 0;
  for (int i = 0; i < mapping->count; i++) {
    if (knows(class, mapping->pairs[i].key))
      mapping->pairs[kept++] = mapping->pairs[i];
    else
      g_ptr_array_add(graph->dropped, g_strdup_printf("%s.%s", stage, mapping->pairs[i].key));
  }
  mapping->count = kept;
}

void adl_graph_swap(adl_graph *graph, const char *option) {
  const char *equals = strchr(option, '=');
  char *stage = g_strndup(option, equals != NULL ? (gsize)(equals - option) : strlen(option));
  char *set = g_strconcat(stage, ".use", equals, NULL);
  GString *why = g_string_new(NULL);
  if (adl_tree_set(graph->tree, set, graph->problems)) {
    const adl_node *mapping = adl_node_get(adl_node_get(adl_tree_root(graph->tree), "stages"), stage);
    const adl_loaded *loaded = adl_registry_find(graph->registry, equals + 1, why); /* what is wrong is told later */
    if (loaded != NULL && mapping != NULL && mapping->kind == ADL_NODE_MAPPING)
      drop_unknown(graph, stage, (adl_node *)(uintptr_t)mapping, &loaded->class);
  }
  g_string_free(why, TRUE);
  g_free(set);
  g_free(stage);
}
