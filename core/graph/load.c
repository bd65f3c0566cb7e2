/* From the file to stages: top-level keys, the mapping of each stage, its class, its plain parameters, its reserved keys.
 * Wiring follows in wire.c, names and types in bind.c. */
#include "core/graph/load.h"

#include <string.h>

#include "core/base/text.h"
#include "core/config/keys.h"
#include "core/config/read.h"

enum { MAX_STAGES = 1024 };

/* Microseconds that an isolated stage may be silent in a call. */
enum { DEFAULT_LIMIT = 60000000 };

int32_t adl_schema_find(const adl_schema *schema, const char *name) {
  for (int32_t i = 0; i < schema->count; i++)
    if (strcmp(schema->columns[i].name, name) == 0) return i;
  return -1;
}

adl_stage *adl_stage_new(adl_graph *graph, adl_role_of_stage role, const char *name) {
  adl_stage *stage = ADL_REGION_NEW(graph->region, adl_stage, 1);
  stage->role = role;
  stage->name = adl_region_text(graph->region, name);
  const adl_given *given = graph->given != NULL ? g_hash_table_lookup(graph->given, name) : NULL;
  stage->given = given != NULL ? given->name : stage->name;
  stage->seed = given != NULL ? given->seed : graph->seed;
  stage->from = g_ptr_array_new();
  stage->sides = g_ptr_array_new();
  stage->to = g_ptr_array_new();
  stage->to_side = g_ptr_array_new();
  stage->slots = g_ptr_array_new();
  stage->outputs = g_ptr_array_new();
  stage->outputs_wanted = g_array_new(FALSE, TRUE, sizeof(bool));
  stage->hidden = g_ptr_array_new();
  stage->pending = g_ptr_array_new();
  return stage;
}

static void free_slot(adl_slot *slot) {
  adl_expr_free(slot->expr);
  g_ptr_array_free(slot->inputs, TRUE);
}

static void free_stage(adl_stage *stage) {
  if (stage->self != NULL && stage->class != NULL) stage->class->destroy(stage->self);
  for (guint i = 0; i < stage->slots->len; i++) free_slot(stage->slots->pdata[i]);
  for (guint i = 0; i < stage->outputs->len; i++) {
    adl_field *field = stage->outputs->pdata[i];
    g_free(field->name_offsets);
    g_free(field->name_bytes);
  }
  if (stage->holdout != NULL) adl_expr_free(stage->holdout->where);
  GPtrArray *lists[] = {stage->from,  stage->sides,   stage->to,     stage->to_side,
                        stage->slots, stage->outputs, stage->hidden, stage->pending};
  for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) g_ptr_array_free(lists[i], TRUE);
  g_array_free(stage->outputs_wanted, TRUE);
}

void adl_graph_free(adl_graph *graph) {
  if (graph == NULL) return;
  for (guint i = graph->stages->len; i > 0; i--) free_stage(graph->stages->pdata[i - 1]);
  g_ptr_array_free(graph->stages, TRUE);
  g_hash_table_destroy(graph->written);
  g_ptr_array_free(graph->dropped, TRUE);
  if (graph->given != NULL) g_hash_table_destroy(graph->given);
  if (graph->versions != NULL) g_ptr_array_free(graph->versions, TRUE);
  adl_tree_free(graph->tree);
  adl_region_free(graph->region);
  g_free(graph->path);
  g_free(graph->directory);
  g_free(graph);
}

adl_stage *adl_graph_find(const adl_graph *graph, const char *name) {
  for (guint i = 0; i < graph->stages->len; i++) {
    adl_stage *stage = graph->stages->pdata[i];
    if (stage->role == ADL_STAGE_CLASS && strcmp(stage->name, name) == 0) return stage;
  }
  return NULL;
}

adl_stage *adl_stage_last(adl_stage *stage) {
  if (stage->to->len == 1 && ((adl_stage *)stage->to->pdata[0])->role == ADL_STAGE_HOLDOUT) return stage->to->pdata[0];
  return stage;
}

/* ---- top level ---- */

static void read_version(adl_graph *graph, const adl_node *root) {
  const adl_node *node = adl_node_get(root, "adloom");
  int64_t version = 1;
  if (node == NULL) {
    adl_problem *problem = adl_problems_error(graph->problems, root->place, "the key `adloom` is missing");
    adl_problem_hint(problem, "begin the file with `adloom: 1`, the version of the file format");
  } else if (adl_read_int(node, "adloom", NULL, &version, graph->problems) && version != 1) {
    adl_problem *problem =
        adl_node_error(node, graph->problems,
                       "adloom: this is format version %" G_GINT64_FORMAT "; this adloom reads version 1", version);
    adl_problem_hint(problem, "use a newer adloom, or write `adloom: 1`");
  }
}

void adl_graph_add_plugins(const adl_node *root, const char *directory, adl_registry *registry,
                           adl_problems *problems) {
  const adl_node *node = adl_node_get(root, "plugins");
  if (node == NULL) return;
  if (!adl_read_kind(node, "plugins", ADL_NODE_SEQUENCE, "plugins: [./acme.so]", problems)) return;
  for (int i = 0; i < node->count; i++) {
    const char *text = NULL;
    if (!adl_read_text(node->items[i], "plugins", &text, problems)) continue;
    char *path = g_canonicalize_filename(text, directory);
    GString *why = g_string_new(NULL);
    if (!adl_registry_add_file(registry, path, why)) adl_node_error(node->items[i], problems, "plugins: %s", why->str);
    g_string_free(why, TRUE);
    g_free(path);
  }
}

static const char *range_of(const char *key) { return adl_key_find(adl_keys_of_file, key)->range; }

static void read_top(adl_graph *graph, const adl_node *root) {
  const char **names = adl_key_names(adl_keys_of_file);
  adl_read_keys(root, "the pipeline", names, true, graph->problems);
  g_free(names);
  read_version(graph, root);
  const adl_node *node = adl_node_get(root, "name");
  const char *name = NULL;
  if (node != NULL && adl_read_text(node, "name", &name, graph->problems))
    graph->name = adl_region_text(graph->region, name);
  int64_t seed = 42;
  if ((node = adl_node_get(root, "seed")) != NULL) adl_read_int(node, "seed", NULL, &seed, graph->problems);
  graph->seed = (uint64_t)seed;
  graph->max_rejects = 0.01;
  if ((node = adl_node_get(root, "max_rejects")) != NULL)
    adl_read_float(node, "max_rejects", range_of("max_rejects"), &graph->max_rejects, graph->problems);
  if ((node = adl_node_get(root, "threads")) != NULL)
    adl_read_int(node, "threads", range_of("threads"), &graph->threads, graph->problems);
  if ((node = adl_node_get(root, "memory")) != NULL)
    adl_read_size(node, "memory", range_of("memory"), &graph->memory, graph->problems);
  adl_graph_add_plugins(root, graph->directory, graph->registry, graph->problems);
}

/* ---- one stage ---- */

static bool good_name(const char *name) {
  if (!g_ascii_isalpha(name[0]) && name[0] != '_') return false;
  for (const char *c = name; *c != '\0'; c++)
    if (!g_ascii_isalnum(*c) && *c != '_' && *c != '-') return false;
  return strlen(name) <= 100;
}

static void report_unknown_class(adl_graph *graph, const adl_node *use, const char *stage, const char *why) {
  char **lines = g_strsplit(why, "\n", -1);
  adl_problem *problem = adl_node_error(use, graph->problems, "%s.use: %s", stage, lines[0]);
  bool listed = false;
  for (int i = 1; lines[i] != NULL; i++) {
    const char *line = g_str_has_prefix(lines[i], "note: ") ? lines[i] + 6 : lines[i];
    bool place = g_str_has_prefix(line, "looked in ");
    listed = listed || place;
    if (line[0] != '\0' && !(place && graph->places_listed)) adl_problem_note(problem, ADL_NO_PLACE, "%s", line);
  }
  graph->places_listed = graph->places_listed || listed; /* once is enough */
  g_strfreev(lines);
}

/* To YAML, {use:kmeans} has the one key `use:kmeans`. */
static bool key_without_blank(const adl_node *stage) {
  for (int i = 0; stage->kind == ADL_NODE_MAPPING && i < stage->count; i++)
    if (g_str_has_prefix(stage->pairs[i].key, "use:")) return true;
  return false;
}

static void find_class(adl_graph *graph, adl_stage *stage) {
  const adl_node *use = adl_node_get(stage->node, "use");
  const char *id = NULL;
  stage->broken = true;
  if (use == NULL) {
    adl_problem *problem = adl_problems_error(graph->problems, stage->place, "%s: `use` is missing", stage->name);
    if (key_without_blank(stage->node))
      adl_problem_hint(problem, "a blank belongs behind the colon: `use: kmeans`");
    else
      adl_problem_hint(problem, "say which stage class this is: `use: kmeans`; `adloom plugin list` names them all");
    return;
  }
  char *what = g_strconcat(stage->name, ".use", NULL);
  bool text = adl_read_text(use, what, &id, graph->problems);
  g_free(what);
  if (!text) return;
  GString *why = g_string_new(NULL);
  stage->loaded = adl_registry_find(graph->registry, id, why);
  if (stage->loaded == NULL) {
    report_unknown_class(graph, use, stage->name, why->str);
  } else {
    stage->class = &stage->loaded->class;
    stage->broken = false;
  }
  g_string_free(why, TRUE);
}

static void refuse_later_keys(adl_graph *graph, adl_stage *stage) {
  static const char *const later[] = {"when", "cache", "limits", "threads", NULL};
  for (int i = 0; later[i] != NULL; i++) {
    const adl_pair *pair = adl_node_pair(stage->node, later[i]);
    if (pair == NULL) continue;
    adl_problems_error(graph->problems, pair->place,
                       "%s.%s: this key is kept for a later version of adloom and does nothing yet; leave it out",
                       stage->name, later[i]);
    stage->broken = true;
  }
}

/* What cannot work in a process of its own, and why; NULL: it can. */
static const char *not_isolated(const adl_stage *stage) {
  const adl_class *class = stage->class;
  if (class->next != NULL || class->write != NULL)
    return "sources and sinks work in the process of the run; only stages between them can have one of their own";
  bool state = (class->flags & ADL_ORDERED) != 0 && class->fit == NULL && class->learn == NULL;
  if (state && stage->isolate == ADL_ISOLATE_RESTART)
    return "what it remembers of the rows before would be lost with the process; write `isolate: true`";
  return NULL;
}

/* isolate: true, restart, or {restart: BOOL, limit: DURATION}. */
static void read_isolate(adl_graph *graph, adl_stage *stage) {
  static const char *const keys[] = {"restart", "limit", NULL};
  const adl_node *node = adl_node_get(stage->node, "isolate");
  stage->isolate_limit = DEFAULT_LIMIT; /* of recorded ones, too */
  if (node == NULL) return;
  char *what = g_strconcat(stage->name, ".isolate", NULL);
  bool restart = false, isolated = true, ok = true;
  if (node->kind == ADL_NODE_MAPPING) {
    const adl_node *again = adl_node_get(node, "restart"), *limit = adl_node_get(node, "limit");
    ok = adl_read_keys(node, what, keys, false, graph->problems);
    if (again != NULL) ok = adl_read_bool(again, "isolate.restart", &restart, graph->problems) && ok;
    if (limit != NULL)
      ok = adl_read_duration(limit, "isolate.limit", "[100ms, inf)", &stage->isolate_limit, graph->problems) && ok;
  } else {
    restart = node->kind == ADL_NODE_SCALAR && strcmp(node->text, "restart") == 0;
    if (!restart && !adl_read_bool(node, what, &isolated, graph->problems)) {
      ok = false;
    }
  }
  stage->isolate = restart ? ADL_ISOLATE_RESTART : isolated ? ADL_ISOLATE_YES : ADL_ISOLATE_NO;
  const char *why = ok && isolated ? not_isolated(stage) : NULL;
  if (why != NULL) adl_node_error(node, graph->problems, "%s: %s", what, why);
  if (why != NULL || !ok) stage->broken = true;
  g_free(what);
}

static char *model_of_run(const char *run, const char *stage) {
  char *file = g_strconcat(stage, ".safetensors", NULL);
  char *path = g_build_filename(run, "models", file, NULL);
  g_free(file);
  return path;
}

/* `model:` names a model file or a run directory; relative to the pipeline file. */
static void read_model(adl_graph *graph, adl_stage *stage, const adl_node *node) {
  const char *text = NULL;
  char *what = g_strconcat(stage->name, ".model", NULL);
  if (adl_read_text(node, what, &text, graph->problems)) {
    char *path = g_canonicalize_filename(text, graph->directory);
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      char *inside = model_of_run(path, stage->name);
      g_free(path);
      path = inside;
    }
    stage->model_path = adl_region_text(graph->region, path);
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
      adl_problem *problem = adl_node_error(node, graph->problems, "%s: there is no model file %s", what, path);
      adl_problem_hint(problem, "name a .safetensors file, or the directory of a run that fitted the stage `%s`",
                       stage->name);
      stage->broken = true;
    }
    g_free(path);
  } else {
    stage->broken = true;
  }
  g_free(what);
}

static void read_learn(adl_graph *graph, adl_stage *stage, const char *models) {
  const adl_class *class = stage->class;
  bool learns = class->fit != NULL || class->learn != NULL;
  const adl_node *model = adl_node_get(stage->node, "model"), *learn = adl_node_get(stage->node, "learn");
  if (model != NULL) read_model(graph, stage, model);
  stage->learn = !learns ? ADL_LEARN_NONE : stage->model_path != NULL ? ADL_LEARN_FROZEN : ADL_LEARN_FIT;
  int32_t choice = -1;
  if (learn != NULL) {
    char *what = g_strconcat(stage->name, ".learn", NULL);
    if (!adl_read_choice(learn, what, adl_key_find(adl_keys_of_stage, "learn")->choices, &choice, graph->problems))
      stage->broken = true;
    g_free(what);
  }
  const adl_node *blame = learn != NULL ? learn : model;
  if (!learns && blame != NULL) {
    adl_node_error(blame, graph->problems, "%s: %s learns nothing, so neither `learn` nor `model` can be said",
                   stage->name, class->id);
    stage->broken = true;
    return;
  }
  if ((class->flags & ADL_TRANSIENT) != 0 && blame != NULL) {
    adl_node_error(blame, graph->problems,
                   "%s: what %s learns belongs to the rows of one run; it is never saved or loaded", stage->name,
                   class->id);
    stage->broken = true;
    return;
  }
  if (choice == 0) stage->learn = ADL_LEARN_FIT;
  if (choice == 1) stage->learn = ADL_LEARN_ONLINE;
  if (choice == 2) stage->learn = ADL_LEARN_FROZEN;
  if (stage->learn == ADL_LEARN_ONLINE && class->learn == NULL) {
    adl_problem *problem =
        adl_node_error(learn, graph->problems, "%s.learn: %s cannot learn online", stage->name, class->id);
    adl_problem_hint(problem, "leave `learn` out, or use an online learner such as ftrl");
    stage->broken = true;
  }
  if (models != NULL && learns && (class->flags & ADL_TRANSIENT) == 0) {
    char *path = model_of_run(models, stage->name);
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
      adl_problem *problem =
          adl_problems_error(graph->problems, stage->place, "%s: there is no model file %s", stage->name, path);
      adl_problem_hint(problem, "--models wants the directory of a run in which every stage that learns was fitted");
      stage->broken = true;
    }
    stage->learn = ADL_LEARN_FROZEN;
    stage->model_path = adl_region_text(graph->region, path);
    g_free(path);
  }
  if (stage->learn == ADL_LEARN_FROZEN && stage->model_path == NULL && !stage->broken) {
    adl_problem *problem =
        adl_node_error(learn, graph->problems, "%s.learn: frozen, but there is no model", stage->name);
    adl_problem_hint(problem, "say `model: RUN-or-FILE`, or run with --models RUN");
    stage->broken = true;
  }
}

typedef struct path_out_bridge {
  adl_graph *graph;
  const adl_graph_options *options;
  char *last;
} path_out_bridge;

static const char *bridge_path_out(void *context, const char *stage, const adl_param *param, const char *text,
                                   GString *why) {
  (void)param;
  path_out_bridge *bridge = context;
  char *full = g_canonicalize_filename(text, "/"); /* relative ones begin at the run directory */
  const char *other = g_hash_table_lookup(bridge->graph->written, full);
  if (other != NULL) {
    g_string_append_printf(why, "%s writes to this file as well", strcmp(other, stage) == 0 ? "it" : other);
    g_free(full);
    return NULL;
  }
  g_hash_table_insert(bridge->graph->written, full, adl_region_text(bridge->graph->region, stage));
  if (bridge->options->path_out == NULL) return text;
  g_free(bridge->last);
  bridge->last = bridge->options->path_out(bridge->options->path_out_data, text);
  return bridge->last;
}

static void fill_params(adl_graph *graph, adl_stage *stage, const adl_graph_options *options) {
  path_out_bridge bridge = {graph, options, NULL};
  void *instance = adl_region_alloc(graph->region, MAX(stage->class->instance_size, 1u));
  adl_params_request request = {.class = stage->class,
                                .version = stage->loaded->plugin.version,
                                .path = stage->loaded->path,
                                .instance = instance,
                                .stage = stage->name,
                                .node = stage->node,
                                .place = stage->place,
                                .directory = graph->directory,
                                .learns = stage->learn == ADL_LEARN_FIT || stage->learn == ADL_LEARN_ONLINE,
                                .check_files = true,
                                .path_out = bridge_path_out,
                                .path_out_context = &bridge,
                                .region = graph->region};
  stage->args = adl_params_fill(&request, graph->problems);
  if (!stage->args->valid) stage->broken = true;
  stage->self = instance;
  g_free(bridge.last);
}

static void read_stage(adl_graph *graph, const adl_pair *pair, const adl_graph_options *options) {
  adl_stage *stage = adl_stage_new(graph, ADL_STAGE_CLASS, pair->key);
  stage->node = pair->value;
  stage->place = pair->place;
  g_ptr_array_add(graph->stages, stage);
  if (!good_name(stage->given)) {
    adl_problems_error(graph->problems, pair->place,
                       "`%s` is no name for a stage: letters, digits, _ and -, beginning with a letter, at most 100",
                       pair->key);
    stage->broken = true;
  }
  if (!adl_read_kind(pair->value, pair->key, ADL_NODE_MAPPING, "name: {use: kmeans, ...}", graph->problems)) {
    stage->broken = true;
    return;
  }
  find_class(graph, stage);
  refuse_later_keys(graph, stage);
  if (stage->class == NULL) return;
  read_learn(graph, stage, options->models);
  read_isolate(graph, stage);
  fill_params(graph, stage, options);
}

static void read_stages(adl_graph *graph, const adl_node *root, const adl_graph_options *options) {
  const adl_node *stages = adl_node_get(root, "stages");
  if (stages == NULL) {
    adl_problem *problem = adl_problems_error(graph->problems, root->place, "the key `stages` is missing");
    adl_problem_hint(problem,
                     "a pipeline is a mapping of stages: `stages: {log: {use: read-csv, path: log.csv}, ...}`");
    return;
  }
  if (!adl_read_kind(stages, "stages", ADL_NODE_MAPPING, "stages: {log: {use: read-csv}}", graph->problems)) return;
  if (stages->count == 0 || stages->count > MAX_STAGES) {
    adl_node_error(stages, graph->problems, "stages: there are %d; 1 to %d are allowed", stages->count, MAX_STAGES);
    return;
  }
  for (int i = 0; i < stages->count; i++) read_stage(graph, &stages->pairs[i], options);
}

static char *default_name(const char *path) {
  char *base = g_path_get_basename(path);
  char *dot = strrchr(base, '.');
  if (dot != NULL && dot != base) *dot = '\0';
  return base;
}

adl_graph *adl_graph_new(const char *path, adl_registry *registry, adl_problems *problems) {
  adl_graph *graph = g_new0(adl_graph, 1);
  graph->problems = problems;
  graph->registry = registry;
  graph->region = adl_region_new();
  graph->stages = g_ptr_array_new();
  graph->written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  graph->dropped = g_ptr_array_new_with_free_func(g_free);
  graph->path = g_canonicalize_filename(path, NULL);
  graph->directory = g_path_get_dirname(graph->path);
  char *name = default_name(path);
  graph->name = adl_region_text(graph->region, name);
  g_free(name);
  return graph;
}

void adl_graph_complete(adl_graph *graph, const adl_node *root, const adl_graph_options *options) {
  read_stages(graph, root, options);
  adl_graph_wire(graph);
  for (guint i = 0; i < graph->stages->len; i++) adl_stage_bind(graph, graph->stages->pdata[i]);
  adl_graph_mark_needed(graph, NULL);
}

adl_graph *adl_graph_load(const char *path, const adl_graph_options *options, adl_registry *registry,
                          adl_problems *problems) {
  adl_graph *graph = adl_graph_new(path, registry, problems);
  graph->tree = adl_tree_read_file(path, options->vars, problems);
  for (const char *const *set = options->sets; set != NULL && *set != NULL; set++)
    if (adl_tree_root(graph->tree) != NULL) adl_tree_set(graph->tree, *set, problems);
  const adl_node *root = adl_tree_root(graph->tree);
  if (root == NULL) return graph;
  adl_tree_check_variables(graph->tree, problems);
  if (!adl_read_kind(root, "the pipeline", ADL_NODE_MAPPING, "adloom: 1", problems)) return graph;
  read_top(graph, root);
  adl_registry_scan(registry);
  for (const char *const *swap = options->swaps; swap != NULL && *swap != NULL; swap++)
    adl_graph_swap(graph, *swap, options->offered);
  adl_graph_complete(graph, root, options);
  return graph;
}
