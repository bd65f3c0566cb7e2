#include "core/compare/compare.h"

#include <string.h>

#include "core/config/read.h"
#include "core/config/tree.h"

enum { MOST_VALUES = 64, MOST_AXES = 8, MOST_SEEDS = 100 };

static void free_axis(gpointer data) {
  adl_axis *axis = data;
  g_free(axis->key);
  g_ptr_array_free(axis->values, TRUE);
  g_free(axis);
}

adl_plan *adl_plan_new(void) {
  adl_plan *plan = g_new0(adl_plan, 1);
  plan->axes = g_ptr_array_new_with_free_func(free_axis);
  plan->sets = g_ptr_array_new_with_free_func(g_free);
  plan->repeat = 1;
  return plan;
}

void adl_plan_free(adl_plan *plan) {
  if (plan == NULL) return;
  g_ptr_array_free(plan->axes, TRUE);
  g_ptr_array_free(plan->sets, TRUE);
  g_free(plan->by);
  g_free(plan);
}

static adl_axis *new_axis(const char *key, gsize size) {
  adl_axis *axis = g_new0(adl_axis, 1);
  axis->key = g_strndup(key, size);
  axis->values = g_ptr_array_new_with_free_func(g_free);
  return axis;
}

bool adl_axis_is_seed(const adl_axis *axis) { return strcmp(axis->key, "seed") == 0; }

bool adl_axis_of_classes(const adl_axis *axis) { return strchr(axis->key, '.') == NULL && !adl_axis_is_seed(axis); }

/* The end of a value: a comma outside brackets and quotes. */
static const char *value_end(const char *text) {
  int depth = 0;
  char quote = '\0';
  for (; *text != '\0'; text++) {
    if (quote != '\0')
      quote = *text == quote ? '\0' : quote;
    else if (*text == '"' || *text == '\'')
      quote = *text;
    else if (*text == '[' || *text == '{')
      depth++;
    else if (*text == ']' || *text == '}')
      depth--;
    else if (*text == ',' && depth <= 0)
      break;
  }
  return text;
}

/* NULL: it may join the plan. */
static char *wrong_with(const adl_plan *plan, const adl_axis *axis) {
  if (axis->key[0] == '\0') return g_strdup("the stage is missing; write STAGE=CLASS,CLASS or STAGE.PARAM=VALUE,VALUE");
  if (axis->values->len > MOST_VALUES)
    return g_strdup_printf("%s has %u values; at most %d are allowed", axis->key, axis->values->len, MOST_VALUES);
  if (plan->axes->len == MOST_AXES) return g_strdup_printf("at most %d things can be varied", MOST_AXES);
  for (guint i = 0; i < axis->values->len; i++) {
    const char *value = axis->values->pdata[i];
    if (value[0] == '\0') return g_strdup_printf("%s: a value is empty", axis->key);
    for (guint k = 0; k < i; k++)
      if (strcmp(axis->values->pdata[k], value) == 0)
        return g_strdup_printf("%s: %s stands there twice", axis->key, value);
  }
  for (guint i = 0; i < plan->axes->len; i++)
    if (strcmp(((adl_axis *)plan->axes->pdata[i])->key, axis->key) == 0)
      return g_strdup_printf("%s is varied twice; give all its values at once", axis->key);
  return NULL;
}

static bool take_axis(adl_plan *plan, adl_axis *axis, char **why) {
  *why = wrong_with(plan, axis);
  if (*why == NULL)
    g_ptr_array_add(plan->axes, axis);
  else
    free_axis(axis);
  return *why == NULL;
}

bool adl_plan_varies_seed(const adl_plan *plan) {
  for (guint i = 0; i < plan->axes->len; i++)
    if (adl_axis_is_seed(plan->axes->pdata[i])) return true;
  return false;
}

bool adl_plan_add(adl_plan *plan, const char *option, char **why) {
  const char *equals = strchr(option, '=');
  if (equals == NULL) {
    *why = g_strdup("it is written STAGE=CLASS,CLASS or STAGE.PARAM=VALUE,VALUE");
    return false;
  }
  adl_axis *axis = new_axis(option, (gsize)(equals - option));
  for (const char *at = equals + 1;; at++) {
    const char *end = value_end(at);
    g_ptr_array_add(axis->values, g_strstrip(g_strndup(at, (gsize)(end - at))));
    at = end;
    if (*at == '\0') break;
  }
  return take_axis(plan, axis, why);
}

/* ---- a file ---- */

static void append_yaml(GString *text, const adl_node *node) {
  if (node->kind == ADL_NODE_SCALAR) {
    if (node->quoted)
      g_string_append_printf(text, "\"%s\"", node->text);
    else
      g_string_append(text, node->text);
    return;
  }
  bool list = node->kind == ADL_NODE_SEQUENCE;
  g_string_append_c(text, list ? '[' : '{');
  for (int i = 0; i < node->count; i++) {
    if (i > 0) g_string_append(text, ", ");
    if (!list) g_string_append_printf(text, "%s: ", node->pairs[i].key);
    append_yaml(text, list ? node->items[i] : node->pairs[i].value);
  }
  g_string_append_c(text, list ? ']' : '}');
}

static char *yaml_of(const adl_node *node) {
  GString *text = g_string_new(NULL);
  append_yaml(text, node);
  return g_string_free(text, FALSE);
}

static void read_swap(adl_plan *plan, const adl_node *swap, adl_problems *problems) {
  if (!adl_read_kind(swap, "swap", ADL_NODE_MAPPING, "swap: {profile: [kmeans, gmm]}", problems)) return;
  for (int i = 0; i < swap->count; i++) {
    const adl_pair *pair = &swap->pairs[i];
    if (!adl_read_kind(pair->value, pair->key, ADL_NODE_SEQUENCE, "profile: [kmeans, gmm]", problems)) continue;
    adl_axis *axis = new_axis(pair->key, strlen(pair->key));
    for (int k = 0; k < pair->value->count; k++) g_ptr_array_add(axis->values, yaml_of(pair->value->items[k]));
    char *why = NULL;
    if (!take_axis(plan, axis, &why)) adl_problems_error(problems, pair->place, "swap: %s", why);
    g_free(why);
  }
}

static void read_sets(adl_plan *plan, const adl_node *set, adl_problems *problems) {
  if (!adl_read_kind(set, "set", ADL_NODE_MAPPING, "set: {log.path: other.csv}", problems)) return;
  for (int i = 0; i < set->count; i++) {
    char *value = yaml_of(set->pairs[i].value);
    g_ptr_array_add(plan->sets, g_strdup_printf("%s=%s", set->pairs[i].key, value));
    g_free(value);
  }
}

bool adl_plan_read(adl_plan *plan, const char *path, adl_problems *problems) {
  static const char *const keys[] = {"swap", "repeat", "by", "set", NULL};
  adl_tree *tree = adl_tree_read_file(path, NULL, problems);
  const adl_node *root = adl_tree_root(tree), *node;
  if (root != NULL && adl_read_kind(root, "the plan", ADL_NODE_MAPPING, "swap: {profile: [kmeans, gmm]}", problems)) {
    adl_read_keys(root, "the plan", keys, true, problems);
    if ((node = adl_node_get(root, "swap")) != NULL) read_swap(plan, node, problems);
    if ((node = adl_node_get(root, "set")) != NULL) read_sets(plan, node, problems);
    if ((node = adl_node_get(root, "repeat")) != NULL) {
      char range[32];
      g_snprintf(range, sizeof range, "[1, %d]", MOST_SEEDS);
      adl_read_int(node, "repeat", range, &plan->repeat, problems);
    }
    const char *by = NULL;
    if ((node = adl_node_get(root, "by")) != NULL && adl_read_text(node, "by", &by, problems)) {
      g_free(plan->by);
      plan->by = g_strdup(by);
    }
  }
  adl_tree_free(tree);
  return adl_problems_errors(problems) == 0;
}

/* ---- combinations ---- */

guint adl_plan_count(const adl_plan *plan) {
  guint count = 1;
  for (guint i = 0; i < plan->axes->len && count <= ADL_COMPARE_MOST; i++)
    count *= ((adl_axis *)plan->axes->pdata[i])->values->len;
  return count;
}

/* The last axis changes fastest. */
const char *adl_plan_value(const adl_plan *plan, guint combination, guint axis) {
  guint at = combination;
  for (guint i = plan->axes->len; i-- > 0;) {
    const GPtrArray *values = ((adl_axis *)plan->axes->pdata[i])->values;
    if (i == axis) return values->pdata[at % values->len];
    at /= values->len;
  }
  return NULL;
}
