/* "stage=class": another class in the place of a stage's own. Parameters that the new class knows by name stay, those that it
 * does not know go, and are listed, if they are meant for another class: that of the file, or one that is swapped in as well.
 * What none of them knows is a mistake, and stays: params.c says what is wrong with it. */
#include <string.h>

#include "core/graph/load.h"

static bool is_reserved(const char *key) { return g_strv_contains(adl_params_reserved(), key); }

static bool knows(const adl_class *class, const char *key) {
  for (uint32_t i = 0; i < class->param_count; i++)
    if (strcmp(class->params[i].name, key) == 0 ||
        (class->params[i].alias != NULL && strcmp(class->params[i].alias, key) == 0))
      return true;
  return false;
}

/* NULL: there is none; why is told where the graph is made. */
static const adl_class *class_of(const adl_graph *graph, const char *id) {
  GString *why = g_string_new(NULL);
  const adl_loaded *loaded = id != NULL ? adl_registry_find(graph->registry, id, why) : NULL;
  g_string_free(why, TRUE);
  return loaded != NULL ? &loaded->class : NULL;
}

typedef struct swap {
  adl_graph *graph;
  char *stage;
  const adl_class *own;       /* that of the file; NULL: not known */
  const char *const *offered; /* "stage=class": all that are swapped in, in some version; NULL: only this one */
} swap;

/* "stage=class" of this stage: the class; NULL: of another one. */
static const char *offered_here(const swap *s, const char *option) {
  size_t size = strlen(s->stage);
  return strncmp(option, s->stage, size) == 0 && option[size] == '=' ? option + size + 1 : NULL;
}

/* What the file says may be for its own class; what is set for a comparison is for one of those that are swapped in. */
static bool is_meant_for_another(const swap *s, const adl_pair *pair) {
  bool set = g_strcmp0(pair->place.file, "--set") == 0;
  if (!set && (s->own == NULL || knows(s->own, pair->key))) return true;
  for (const char *const *option = s->offered; option != NULL && *option != NULL; option++) {
    const adl_class *other = class_of(s->graph, offered_here(s, *option));
    if (other != NULL && knows(other, pair->key)) return true;
  }
  return false;
}

static void drop_unknown(const swap *s, adl_node *mapping, const adl_class *class) {
  int kept = 0;
  for (int i = 0; i < mapping->count; i++) {
    const adl_pair *pair = &mapping->pairs[i];
    if (is_reserved(pair->key) || knows(class, pair->key) || !is_meant_for_another(s, pair))
      mapping->pairs[kept++] = *pair;
    else
      g_ptr_array_add(s->graph->dropped, g_strdup_printf("%s.%s", s->stage, pair->key));
  }
  mapping->count = kept;
}

static adl_node *mapping_of(const adl_graph *graph, const char *stage) {
  const adl_node *node = adl_node_get(adl_node_get(adl_tree_root(graph->tree), "stages"), stage);
  return node != NULL && node->kind == ADL_NODE_MAPPING ? (adl_node *)(uintptr_t)node : NULL;
}

static const adl_class *class_in(const adl_graph *graph, const adl_node *mapping) {
  const adl_node *use = adl_node_get(mapping, "use");
  return use != NULL && use->kind == ADL_NODE_SCALAR ? class_of(graph, use->text) : NULL;
}

void adl_graph_swap(adl_graph *graph, const char *option, const char *const *offered) {
  const char *equals = strchr(option, '=');
  char *stage = g_strndup(option, equals != NULL ? (gsize)(equals - option) : strlen(option));
  char *set = g_strconcat(stage, ".use", equals, NULL);
  const adl_node *before = mapping_of(graph, stage);
  const adl_class *own = class_in(graph, before);
  const adl_pair *use = adl_node_pair(before, "use");
  adl_place key = use != NULL ? use->place : ADL_NO_PLACE;
  if (adl_tree_set(graph->tree, set, graph->problems)) {
    adl_node *mapping = mapping_of(graph, stage);
    const adl_class *class = class_in(graph, mapping);
    const swap s = {graph, stage, own, offered};
    if (use != NULL) ((adl_pair *)(uintptr_t)use)->place = key; /* nobody has set it */
    if (class != NULL) drop_unknown(&s, mapping, class);
  }
  g_free(set);
  g_free(stage);
}
