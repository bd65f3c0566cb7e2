#include "core/cli/earlier.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

JsonObject *adl_earlier_manifest(JsonParser *parser, const char *directory) {
  char *path = g_build_filename(directory, "manifest.json", NULL);
  JsonNode *root = json_parser_load_from_file(parser, path, NULL) ? json_parser_get_root(parser) : NULL;
  JsonObject *manifest = root != NULL && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
  bool ours = manifest != NULL && json_object_has_member(manifest, "adloom") &&
              json_object_has_member(manifest, "stages") &&
              JSON_NODE_HOLDS_ARRAY(json_object_get_member(manifest, "stages"));
  g_free(path);
  return ours ? manifest : NULL;
}

bool adl_earlier_run_was_in(const char *directory) {
  JsonParser *parser = json_parser_new();
  bool was = adl_earlier_manifest(parser, directory) != NULL;
  g_object_unref(parser);
  return was;
}

static void remove_file(const char *directory, const char *name) {
  char *path = g_build_filename(directory, name, NULL);
  g_unlink(path);
  g_free(path);
}

/* Whether a file is one that the pipeline loads a model from, links followed. */
static bool is_used(const adl_graph *graph, const char *path) {
  char *real = realpath(path, NULL);
  bool used = false;
  for (guint i = 0; real != NULL && i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    char *model = stage->model_path != NULL ? realpath(stage->model_path, NULL) : NULL;
    used = used || (model != NULL && strcmp(model, real) == 0);
    free(model);
  }
  free(real);
  return used;
}

static void remove_model(const char *directory, const char *stage, const adl_graph *graph) {
  char *name = g_strconcat("models/", stage, ".safetensors", NULL), *path = g_build_filename(directory, name, NULL);
  if (strchr(stage, '/') == NULL && !is_used(graph, path)) g_unlink(path);
  g_free(path);
  g_free(name);
}

void adl_earlier_run_forget(const char *directory, const adl_graph *graph) {
  JsonParser *parser = json_parser_new();
  JsonObject *manifest = adl_earlier_manifest(parser, directory);
  JsonArray *stages = manifest != NULL ? json_object_get_array_member(manifest, "stages") : NULL;
  for (guint i = 0; stages != NULL && i < json_array_get_length(stages); i++) {
    JsonNode *stage = json_array_get_element(stages, i);
    if (!JSON_NODE_HOLDS_OBJECT(stage)) continue;
    const char *name = json_object_get_string_member_with_default(json_node_get_object(stage), "name", NULL);
    if (name != NULL) remove_model(directory, name, graph);
  }
  if (stages != NULL) {
    remove_file(directory, "metrics.json");
    remove_file(directory, "report.html");
    remove_file(directory, "manifest.json");
  }
  g_object_unref(parser);
}

/* ---- what models were learned from ---- */

static void add_inputs(GHashTable *files, JsonNode *stage) {
  JsonObject *object = JSON_NODE_HOLDS_OBJECT(stage) ? json_node_get_object(stage) : NULL;
  JsonNode *inputs = object != NULL ? json_object_get_member(object, "inputs") : NULL;
  JsonArray *list = inputs != NULL && JSON_NODE_HOLDS_ARRAY(inputs) ? json_node_get_array(inputs) : NULL;
  for (guint i = 0; list != NULL && i < json_array_get_length(list); i++) {
    JsonNode *input = json_array_get_element(list, i);
    if (!JSON_NODE_HOLDS_OBJECT(input)) continue;
    const char *hex = json_object_get_string_member_with_default(json_node_get_object(input), "xxh3_128", NULL);
    if (hex != NULL) g_hash_table_add(files, g_strdup(hex));
  }
}

GHashTable *adl_earlier_run_files(const char *directory) {
  GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  if (directory == NULL) return files;
  JsonParser *parser = json_parser_new();
  JsonObject *manifest = adl_earlier_manifest(parser, directory);
  JsonArray *stages = manifest != NULL ? json_object_get_array_member(manifest, "stages") : NULL;
  for (guint i = 0; stages != NULL && i < json_array_get_length(stages); i++)
    add_inputs(files, json_array_get_element(stages, i));
  g_object_unref(parser);
  return files;
}

typedef struct judged {
  const adl_engine *engine;
  const GHashTable *files;
  const char *path; /* one that was learned from */
} judged;

static void look_up(void *data, const adl_param *param, const char *path) {
  judged *j = data;
  char hex[33];
  (void)param;
  if (adl_engine_file(j->engine, path, NULL, hex) && g_hash_table_contains((GHashTable *)(uintptr_t)j->files, hex))
    j->path = path;
}

/* Sides are looked things up in: they may well be the same. */
static void look_before(judged *j, const adl_stage *stage) {
  if (stage->args != NULL && stage->class->next != NULL) adl_args_each_file(stage->args, look_up, j);
  for (guint i = 0; i < stage->from->len; i++) look_before(j, stage->from->pdata[i]);
}

void adl_earlier_files_warn(const adl_engine *engine, const GHashTable *files) {
  const adl_graph *graph = adl_engine_graph(engine);
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    judged j = {.engine = engine, .files = files};
    if (stage->class == NULL || stage->class->kind != ADL_EVALUATE) continue;
    look_before(&j, stage);
    if (j.path == NULL) continue;
    adl_problem *problem = adl_problems_warning(
        graph->problems, stage->place,
        "%s: the run that made the models read %s too: rows that it learned from are judged here", stage->name, j.path);
    adl_problem_hint(problem, "give it rows that it has not seen, or leave --models out: then the holdout holds");
  }
}
