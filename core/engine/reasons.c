#include "core/engine/reasons.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/model/digest.h"
#include "core/model/store.h"

enum { MOST_REASONS = 4 };

/* ---- records: STORE/last/HASH.json, by pipeline file ---- */

static char *record_path(const adl_engine *engine) {
  char hex[ADL_DIGEST_HEX];
  adl_digest *digest = adl_digest_new();
  adl_digest_text(digest, "pipeline", engine->graph->path);
  adl_digest_finish(digest, hex);
  hex[24] = '\0';
  char *name = g_strconcat(hex, ".json", NULL);
  char *path = g_build_filename(adl_model_store_directory(engine->models), "last", name, NULL);
  g_free(name);
  return path;
}

/* What a stage is called in a record: stages that the file does not name hang on one that it does. Free it. */
static char *key_of(const adl_stage *stage) {
  int depth = 0;
  for (const adl_stage *at = stage; at->role == ADL_STAGE_HOLDOUT; at = at->from->pdata[0]) depth++;
  return stage->role == ADL_STAGE_CLASS    ? g_strdup(stage->given)
         : stage->role == ADL_STAGE_CONCAT ? g_strconcat(stage->given, " from", NULL)
                                           : g_strdup_printf("%s holdout %d", stage->given, depth);
}

/* Stage -> array of its fields, "tag\tvalue"; NULL: there is no record, or none that can be read. */
static JsonObject *read_record(const char *path, JsonParser *parser) {
  if (!json_parser_load_from_file(parser, path, NULL)) return NULL;
  JsonNode *root = json_parser_get_root(parser);
  return root != NULL && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
}

static void write_record(const adl_engine *engine, const char *path) {
  GString *text = g_string_new("{");
  for (int32_t i = 0; i < engine->node_count; i++) {
    const adl_node_run *node = &engine->nodes[i];
    char *key = key_of(node->stage);
    g_string_append(text, text->len > 1 ? ",\n" : "\n");
    adl_text_json_string(text, key);
    g_free(key);
    g_string_append(text, ": [");
    for (guint k = 0; node->fields != NULL && k < node->fields->len; k++) {
      if (k > 0) g_string_append(text, ", ");
      adl_text_json_string(text, node->fields->pdata[k]);
    }
    g_string_append(text, "]");
  }
  g_string_append(text, "\n}\n");
  char *folder = g_path_get_dirname(path);
  /* A record that cannot be written only means fewer words next time. */
  if (g_mkdir_with_parents(folder, 0700) == 0) g_file_set_contents(path, text->str, -1, NULL);
  g_free(folder);
  g_string_free(text, TRUE);
}

/* ---- what is different ---- */

static const char *value_of(const char *field) { return strchr(field, '\t') + 1; }

static bool same_tag(const char *field, const char *other) {
  size_t size = (size_t)(strchr(field, '\t') - field) + 1;
  return strncmp(field, other, size) == 0;
}

/* What is being compared: a stage, and the one that is to be explained. */
typedef struct finding {
  const adl_engine *engine;
  JsonObject *last;
  const adl_stage *stage, *of;
  GPtrArray *reasons; /* of char * */
} finding;

/* Takes the text over. Once is enough; of a stage upstream it is said whose it is. */
static void add(const finding *f, char *text) {
  char *whole =
      f->stage->given == f->of->given ? g_strdup(text) : g_strdup_printf("upstream, %s: %s", f->stage->given, text);
  bool known = g_ptr_array_find_with_equal_func(f->reasons, whole, g_str_equal, NULL);
  if (known)
    g_free(whole);
  else
    g_ptr_array_add(f->reasons, whole);
  g_free(text);
}

static void find_reasons(const finding *f);

static char *member_text(JsonObject *object, const char *name) {
  JsonNode *node = object != NULL ? json_object_get_member(object, name) : NULL;
  if (node == NULL) return g_strdup("not said");
  return adl_json_text(node, false);
}

static void one_parameter(JsonObject *before, JsonObject *now, const char *name, const finding *f) {
  char *old = member_text(before, name), *new = member_text(now, name);
  if (strcmp(old, new) != 0) add(f, g_strdup_printf("`%s` was %s, is %s", name, old, new));
  g_free(old);
  g_free(new);
}

/* Both are objects of parameters, as canonical JSON. */
static void different_parameters(const char *before, const char *now, const finding *f) {
  JsonNode *old = json_from_string(before, NULL), *new = json_from_string(now, NULL);
  bool objects = old != NULL && new != NULL &&JSON_NODE_HOLDS_OBJECT(old) && JSON_NODE_HOLDS_OBJECT(new);
  JsonObject *a = objects ? json_node_get_object(old) : NULL, *b = objects ? json_node_get_object(new) : NULL;
  JsonObject *const both[] = {a, b};
  for (int k = 0; k < 2; k++) {
    GList *names = both[k] != NULL ? json_object_get_members(both[k]) : NULL;
    for (const GList *name = names; name != NULL; name = name->next) one_parameter(a, b, name->data, f);
    g_list_free(names);
  }
  if (!objects) add(f, g_strdup("its parameters have changed"));
  g_clear_pointer(&old, json_node_unref);
  g_clear_pointer(&new, json_node_unref);
}

static void explain_upstream(const finding *f, bool side, guint number) {
  const GPtrArray *list = side ? f->stage->sides : f->stage->from;
  if (number >= list->len) return;
  finding further = *f;
  further.stage = list->pdata[number];
  find_reasons(&further);
}

static bool of_the_run(const char *tag) {
  return same_tag("seed\t", tag) || same_tag("limit\t", tag) || same_tag("processor\t", tag) ||
         same_tag("numeric version\t", tag);
}

/* One field that was another. `number`: how many of the same tag came before it. */
static void explain_field(const finding *f, const char *before, const char *tag, guint number) {
  const char *old = value_of(before), *new = value_of(tag);
  int tag_size = (int)(strchr(tag, '\t') - tag);
  if (strcmp(old, new) == 0) return;
  if (f->stage != f->of && of_the_run(tag)) return; /* said of the stage itself */
  if (same_tag("from\t", tag) || same_tag("side\t", tag))
    explain_upstream(f, tag[0] == 's', number);
  else if (same_tag("parameters\t", tag))
    different_parameters(old, new, f);
  else if (same_tag("build\t", tag))
    add(f, g_strdup_printf("the plugin of %s is another build", f->stage->class->id));
  else if (same_tag("fingerprint\t", tag))
    add(f, g_strdup("what it reads has changed"));
  else if (same_tag("numeric version\t", tag))
    add(f, g_strdup("this adloom computes in another way"));
  else if (same_tag("model\t", tag))
    add(f, g_strdup("the model that it starts from has changed"));
  else if (strlen(new) == ADL_FILE_DIGEST_HEX - 1)
    add(f, g_strdup_printf("the file of `%.*s` has changed", tag_size, tag));
  else
    add(f, g_strdup_printf("%.*s was %s, is %s", tag_size, tag, old, new));
}

/* Against the record; nothing where there is none. */
static void find_reasons(const finding *f) {
  char *key = key_of(f->stage);
  const GPtrArray *now = f->engine->nodes[f->stage->number].fields;
  JsonArray *before =
      f->last != NULL && json_object_has_member(f->last, key) ? json_object_get_array_member(f->last, key) : NULL;
  guint count = before != NULL ? json_array_get_length(before) : 0, number = 0;
  for (guint i = 0; i < MIN(count, now->len); i++) {
    const char *old = json_array_get_string_element(before, i), *new = now->pdata[i];
    number = i > 0 && same_tag(now->pdata[i - 1], new) ? number + 1 : 0;
    if (old != NULL && strchr(old, '\t') != NULL && same_tag(old, new)) {
      explain_field(f, old, new, number);
      continue;
    }
    add(f, g_strdup("it is wired in another way"));
    break;
  }
  if (count > 0 && count != now->len) add(f, g_strdup("it is wired in another way, or reads other files"));
  g_free(key);
}

/* ---- telling ---- */

static void tell(const adl_engine *engine, const adl_stage *stage, bool reused, const char *why) {
  fprintf(engine->options->explain, "%s: %s: %s\n", stage->given, reused ? "reused" : "fitted", why);
}

static void tell_list(const adl_engine *engine, const adl_stage *stage, const GPtrArray *reasons) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < MIN(reasons->len, (guint)MOST_REASONS); i++)
    g_string_append_printf(text, "%s%s", i > 0 ? "; " : "", (const char *)reasons->pdata[i]);
  if (reasons->len > MOST_REASONS) g_string_append_printf(text, "; and %u more", reasons->len - MOST_REASONS);
  tell(engine, stage, false, text->str);
  g_string_free(text, TRUE);
}

static const adl_stage *unknown_upstream(const adl_engine *engine, const adl_stage *stage) {
  const GPtrArray *lists[] = {stage->from, stage->sides};
  for (int l = 0; l < 2; l++)
    for (guint i = 0; i < lists[l]->len; i++) {
      const adl_stage *before = lists[l]->pdata[i];
      if (engine->nodes[before->number].digest[0] != '\0') continue;
      const adl_stage *further = unknown_upstream(engine, before);
      return further != NULL ? further : before;
    }
  return NULL;
}

static void tell_unknown(const adl_engine *engine, const adl_stage *stage) {
  const adl_stage *source = unknown_upstream(engine, stage);
  char *why = g_strdup_printf("what it would get is not known before it is computed: `%s` is not repeatable, or reads "
                              "what has no contents to compare (a pipe, the time of day)",
                              source != NULL ? source->given : stage->given);
  tell(engine, stage, false, why);
  g_free(why);
}

static void explain(const adl_engine *engine, const adl_node_run *node, JsonObject *last) {
  const adl_stage *stage = node->stage;
  if (stage->learn == ADL_LEARN_FROZEN) return tell(engine, stage, true, "it is given a model");
  if (stage->learn == ADL_LEARN_ONLINE)
    return tell(engine, stage, false, "an online learner learns from every row of the run");
  if (node->digest[0] == '\0') return tell_unknown(engine, stage);
  if (engine->options->fresh) return tell(engine, stage, false, "--fresh");
  char *path = adl_model_store_get(engine->models, node->digest);
  bool before = last != NULL && json_object_has_member(last, stage->given);
  GPtrArray *reasons = g_ptr_array_new_with_free_func(g_free);
  const finding f = {engine, last, stage, stage, reasons};
  find_reasons(&f);
  if (path != NULL)
    tell(engine, stage, true,
         reasons->len == 0 && before ? "nothing that it depends on has changed"
                                     : "a model of just this is in the store");
  else if (reasons->len > 0)
    tell_list(engine, stage, reasons);
  else
    tell(engine, stage, false, !before ? "this stage was not run before" : "its model is not in the store");
  g_ptr_array_free(reasons, TRUE);
  g_free(path);
}

void adl_reasons(adl_engine *engine) {
  if (engine->models == NULL) return;
  bool any = false; /* where nothing is fitted there is nothing to tell, and no record to keep */
  for (int32_t i = 0; i < engine->node_count; i++) any = any || engine->nodes[i].fields != NULL;
  if (!any) return;
  char *path = record_path(engine);
  JsonParser *parser = json_parser_new();
  JsonObject *last = engine->options->explain != NULL ? read_record(path, parser) : NULL;
  for (int32_t i = 0; engine->options->explain != NULL && i < engine->node_count; i++) {
    const adl_stage *stage = engine->nodes[i].stage;
    if (stage->learn != ADL_LEARN_NONE && (stage->class->flags & ADL_TRANSIENT) == 0)
      explain(engine, &engine->nodes[i], last);
  }
  write_record(engine, path);
  g_object_unref(parser);
  g_free(path);
}
