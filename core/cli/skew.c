#include "core/cli/skew.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/cli/earlier.h"

/* Longer values are cut in messages. */
enum { SHOWN = 60 };

typedef struct skew {
  const adl_graph *graph;
  const char *directory;
  JsonArray *then;   /* stages of the manifest */
  GHashTable *seen;  /* of "stage\ncolumn" */
  GHashTable *told;  /* of "stage\nparameter" */
  const char *model; /* the stage whose columns are followed */
} skew;

static bool is_new(GHashTable *set, const char *a, const char *b) {
  return g_hash_table_add(set, g_strconcat(a, "\n", b, NULL));
}

/* ---- then and now ---- */

/* NULL: the run had no such stage. */
static JsonObject *stage_then(const skew *s, const char *name) {
  JsonObject *found = NULL;
  for (guint i = 0; i < json_array_get_length(s->then); i++) {
    JsonNode *node = json_array_get_element(s->then, i);
    JsonObject *stage = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    if (stage == NULL) continue;
    if (strcmp(json_object_get_string_member_with_default(stage, "name", ""), name) == 0) found = stage;
  }
  return found;
}

static JsonObject *parameters_then(JsonObject *stage) {
  JsonNode *node = json_object_get_member(stage, "parameters");
  return node != NULL && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonParser *parameters_now(const adl_stage *stage) {
  GString *text = g_string_new(NULL);
  JsonParser *parser = json_parser_new();
  adl_args_json(stage->args, ADL_ARGS_FOR_MANIFEST, text);
  bool ok = json_parser_load_from_data(parser, text->str, (gssize)text->len, NULL) &&
            JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser));
  if (!ok) g_clear_object(&parser);
  g_string_free(text, TRUE);
  return parser;
}

static bool makes_by_name(JsonNode *value, const char *column) {
  return value != NULL && column != NULL && JSON_NODE_HOLDS_OBJECT(value) &&
         json_object_has_member(json_node_get_object(value), column);
}

/* Of a map that makes columns, what it says of this one (NULL: nothing); else all of it. */
static JsonNode *about(JsonNode *value, bool by_name, const char *column) {
  if (!by_name) return value;
  return makes_by_name(value, column) ? json_object_get_member(json_node_get_object(value), column) : NULL;
}

static char *shown(JsonNode *value) {
  if (value == NULL) return g_strdup("not given");
  char *text = adl_json_text(value, false);
  if (g_utf8_strlen(text, -1) <= SHOWN) return text;
  char *start = g_utf8_substring(text, 0, SHOWN), *cut = g_strconcat(start, "...", NULL);
  g_free(start);
  g_free(text);
  return cut;
}

/* ---- telling ---- */

static void advise(const skew *s, const adl_stage *stage, adl_problem *problem) {
  if (strcmp(stage->name, s->model) == 0)
    adl_problem_hint(problem, "what it learned stays as it is; leave --models out to learn anew");
  else
    adl_problem_hint(
        problem, "`%s` learned from what it gave then: go back to that, or leave --models out to learn anew", s->model);
}

static void tell_class(const skew *s, const adl_stage *stage, const char *then) {
  if (!is_new(s->told, stage->name, "")) return;
  adl_problem *problem =
      adl_problems_warning(s->graph->problems, stage->place, "%s is of the class %s, and was %s in the run %s",
                           stage->name, stage->class->id, then, s->directory);
  advise(s, stage, problem);
}

/* `path` is the parameter, or the part of it that makes a column: "columns.spend". */
static void tell_parameter(const skew *s, const adl_stage *stage, const adl_arg *arg, const char *path, JsonNode *now,
                           JsonNode *then) {
  if (!is_new(s->told, stage->name, path)) return;
  char *is = shown(now), *was = shown(then);
  adl_place place = arg->given ? adl_args_place(stage->args, path, -1) : stage->place;
  adl_problem *problem = adl_problems_warning(s->graph->problems, place, "%s.%s is %s, and was %s in the run %s",
                                              stage->name, path, is, was, s->directory);
  advise(s, stage, problem);
  g_free(is);
  g_free(was);
}

/* What may differ and the columns are the same: where files lie, how stages and columns are called, secrets (which nobody
 * wrote down), labels. */
static bool matters(const adl_param *param) {
  bool name = param->type == ADL_PARAM_PATH_IN || param->type == ADL_PARAM_PATH_OUT || param->type == ADL_PARAM_STAGE ||
              param->type == ADL_PARAM_NEW_COLUMN;
  return !name && (param->flags & (ADL_SECRET | ADL_LEARN_ONLY)) == 0;
}

static bool same(JsonNode *a, JsonNode *b) { return a != NULL && b != NULL ? json_node_equal(a, b) : a == b; }

static void compare_parameter(const skew *s, const adl_stage *stage, const adl_arg *arg, JsonNode *now, JsonNode *then,
                              const char *column) {
  bool by_name = makes_by_name(now, column) || makes_by_name(then, column);
  JsonNode *is = about(now, by_name, column), *was = about(then, by_name, column);
  bool new_default = then == NULL && !arg->given; /* the class did not have it yet */
  if (new_default || !matters(arg->param) || same(is, was)) return;
  char *path = by_name ? g_strconcat(arg->param->name, ".", column, NULL) : g_strdup(arg->param->name);
  tell_parameter(s, stage, arg, path, is, was);
  g_free(path);
}

static void compare(const skew *s, const adl_stage *stage, const char *column) {
  JsonObject *before = stage_then(s, stage->given);
  if (before == NULL) return;
  const char *class = json_object_get_string_member_with_default(before, "class", NULL);
  if (class != NULL && strcmp(class, stage->class->id) != 0) {
    tell_class(s, stage, class);
    return;
  }
  JsonObject *then = parameters_then(before);
  JsonParser *parser = then != NULL ? parameters_now(stage) : NULL;
  JsonObject *now = parser != NULL ? json_node_get_object(json_parser_get_root(parser)) : NULL;
  for (int i = 0; now != NULL && i < stage->args->count; i++) {
    const adl_arg *arg = &stage->args->items[i];
    const char *name = arg->param->name;
    compare_parameter(s, stage, arg, json_object_get_member(now, name), json_object_get_member(then, name), column);
  }
  if (parser != NULL) g_object_unref(parser);
}

/* ---- following columns ---- */

static void follow(skew *s, const adl_stage *stage, const char *column);

/* A slot of another column that the same map makes: "columns.spend" is for `spend`. */
static bool is_for_another(const adl_stage *stage, const adl_slot *slot, const char *column) {
  const char *key = strchr(slot->parameter, '.');
  if (key == NULL || column == NULL) return false;
  int32_t number = adl_schema_find(&stage->schema, key + 1);
  return number >= 0 && stage->schema.columns[number].field->producer == stage && strcmp(key + 1, column) != 0;
}

static void follow_slots(skew *s, const adl_stage *stage, const char *column) {
  for (guint i = 0; stage->slots != NULL && i < stage->slots->len; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    const GPtrArray *inputs = slot->side < 0 ? stage->from : stage->sides;
    if ((slot->flags & ADL_LEARN_ONLY) != 0 || is_for_another(stage, slot, column)) continue;
    const adl_stage *from = inputs->pdata[MAX(slot->side, 0)];
    for (int32_t c = 0; c < slot->column_count; c++) {
      const adl_schema_column *read = &from->schema.columns[slot->columns[c]];
      if (read->field->producer != NULL) follow(s, read->field->producer, read->name);
    }
  }
}

/* How `stage` makes the column. */
static void follow(skew *s, const adl_stage *stage, const char *column) {
  if (stage->class == NULL || stage->class->next != NULL || !is_new(s->seen, stage->name, column)) return;
  compare(s, stage, column);
  follow_slots(s, stage, column);
}

void adl_skew_warn(const adl_graph *graph, const char *directory) {
  JsonParser *parser = json_parser_new();
  JsonObject *manifest = adl_earlier_manifest(parser, directory);
  skew s = {.graph = graph, .directory = directory};
  s.then = manifest != NULL ? json_object_get_array_member(manifest, "stages") : NULL;
  s.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  s.told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; s.then != NULL && i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    if (stage->class == NULL || stage->model_path == NULL) continue;
    s.model = stage->name;
    compare(&s, stage, NULL);
    follow_slots(&s, stage, NULL);
  }
  g_hash_table_unref(s.seen);
  g_hash_table_unref(s.told);
  g_object_unref(parser);
}
