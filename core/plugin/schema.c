/* The schema of the whole file: its keys, its stages, a branch for each class. */
#include "core/plugin/schema.h"

#include <string.h>

#include "core/base/json.h"
#include "core/config/keys.h"
#include "core/plugin/internal.h"

static void open_object(JsonBuilder *builder, const char *member) {
  json_builder_set_member_name(builder, member);
  json_builder_begin_object(builder);
}

static void open_array(JsonBuilder *builder, const char *member) {
  json_builder_set_member_name(builder, member);
  json_builder_begin_array(builder);
}

static void add_reference(JsonBuilder *builder, const char *kind, const char *name) {
  char *path = g_strconcat("#/definitions/", kind, name, NULL);
  adl_schema_text(builder, "$ref", path);
  g_free(path);
}

static void add_closed(JsonBuilder *builder) {
  json_builder_set_member_name(builder, "additionalProperties");
  json_builder_add_boolean_value(builder, FALSE);
}

/* {"required": ["name"]} */
static void add_needs(JsonBuilder *builder, const char *name) {
  json_builder_begin_object(builder);
  open_array(builder, "required");
  json_builder_add_string_value(builder, name);
  json_builder_end_array(builder);
  json_builder_end_object(builder);
}

/* ---- a class ---- */

static bool learns(const adl_class *class) {
  return (class->fit != NULL || class->learn != NULL) && (class->flags & ADL_TRANSIENT) == 0;
}

/* `learn`, for a class that cannot learn online. */
static void add_learn_offline(JsonBuilder *builder, const adl_param *key) {
  adl_param offline = *key;
  offline.choices = "fit|frozen";
  adl_schema_value(builder, &offline);
}

/* The keys that stages of this class may have beside its parameters. */
static void add_stage_keys(JsonBuilder *builder, const adl_class *class) {
  for (const adl_param *key = adl_keys_of_stage; key->name != NULL; key++) {
    bool of_model = strcmp(key->name, "learn") == 0 || strcmp(key->name, "model") == 0;
    if ((of_model && !learns(class)) || (strcmp(key->name, "from") == 0 && class->next != NULL)) continue;
    open_object(builder, key->name);
    if (strcmp(key->name, "learn") == 0 && class->learn == NULL)
      add_learn_offline(builder, key);
    else
      add_reference(builder, "key.", key->name);
    json_builder_end_object(builder);
  }
}

static void add_params(JsonBuilder *builder, const adl_class *class) {
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    open_object(builder, param->name);
    adl_schema_value(builder, param);
    json_builder_end_object(builder);
    if (param->alias == NULL) continue;
    char *renamed = g_strdup_printf("It is now called `%s`.", param->name);
    adl_param old = *param;
    old.name = param->alias;
    old.deprecated = renamed;
    open_object(builder, old.name);
    adl_schema_value(builder, &old);
    json_builder_end_object(builder);
    g_free(renamed);
  }
}

/* Is it always needed, and under this name? The others may stand under an old name, or be left out where nothing is
 * learned. */
static bool needed_as_it_is(const adl_param *param) {
  return (param->flags & ADL_REQUIRED) != 0 && (param->flags & ADL_LEARN_ONLY) == 0 && param->alias == NULL;
}

static void add_frozen(JsonBuilder *builder) {
  json_builder_begin_object(builder);
  open_array(builder, "required");
  json_builder_add_string_value(builder, "learn");
  json_builder_end_array(builder);
  open_object(builder, "properties");
  open_object(builder, "learn");
  adl_schema_text(builder, "const", "frozen");
  json_builder_end_object(builder);
  json_builder_end_object(builder);
  json_builder_end_object(builder);
}

static void add_needed_or(JsonBuilder *builder, const adl_class *class, const adl_param *param) {
  json_builder_begin_object(builder);
  open_array(builder, "anyOf");
  add_needs(builder, param->name);
  if (param->alias != NULL) add_needs(builder, param->alias);
  if ((param->flags & ADL_LEARN_ONLY) != 0 && learns(class)) {
    add_needs(builder, "model");
    add_frozen(builder);
  }
  json_builder_end_array(builder);
  json_builder_end_object(builder);
}

static void add_required(JsonBuilder *builder, const adl_class *class) {
  uint32_t others = 0; /* an empty allOf is not allowed */
  open_array(builder, "required");
  json_builder_add_string_value(builder, "use");
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    if (needed_as_it_is(param))
      json_builder_add_string_value(builder, param->name);
    else
      others += (param->flags & ADL_REQUIRED) != 0;
  }
  json_builder_end_array(builder);
  if (others == 0) return;
  open_array(builder, "allOf");
  for (uint32_t i = 0; i < class->param_count; i++)
    if ((class->params[i].flags & ADL_REQUIRED) != 0 && !needed_as_it_is(&class->params[i]))
      add_needed_or(builder, class, &class->params[i]);
  json_builder_end_array(builder);
}

/* "Means of clusters. Learns from the training rows.", and the first paragraph of its page. */
static char *class_text(const adl_loaded *loaded) {
  const char *doc = loaded->class.doc, *end = strstr(doc, "\n\n");
  GString *text = g_string_new(NULL);
  g_string_append_len(text, doc, end != NULL ? end - doc : (gssize)strlen(doc));
  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] == '\n') text->str[i] = ' ';
  if (text->len > 0) g_string_append(text, "\n\n");
  GString *behaviour = g_string_new(NULL);
  adl_describe_behaviour(loaded, behaviour);
  g_string_append(text, behaviour->str);
  g_string_free(behaviour, TRUE);
  return g_string_free(text, FALSE);
}

static void add_class(JsonBuilder *builder, const adl_loaded *loaded) {
  const adl_class *class = &loaded->class;
  char *member = g_strconcat("class.", class->id, NULL), *text = class_text(loaded);
  open_object(builder, member);
  adl_schema_text(builder, "title", class->title);
  adl_schema_text(builder, "description", text);
  adl_schema_text(builder, "type", "object");
  open_object(builder, "properties");
  add_stage_keys(builder, class);
  add_params(builder, class);
  json_builder_end_object(builder);
  add_required(builder, class);
  add_closed(builder);
  json_builder_end_object(builder);
  g_free(text);
  g_free(member);
}

/* ---- the keys of every stage ---- */

static void add_holdout(JsonBuilder *builder) {
  static const char *const ways[] = {"where", "fraction", "newest"};
  adl_schema_text(builder, "type", "object");
  open_object(builder, "properties");
  for (const adl_param *key = adl_keys_of_holdout; key->name != NULL; key++) {
    open_object(builder, key->name);
    adl_schema_value(builder, key);
    json_builder_end_object(builder);
  }
  json_builder_end_object(builder);
  add_closed(builder);
  open_array(builder, "oneOf");
  for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) add_needs(builder, ways[i]);
  json_builder_end_array(builder);
  open_object(builder, "dependencies");
  open_array(builder, "newest");
  json_builder_add_string_value(builder, "by");
  json_builder_end_array(builder);
  json_builder_end_object(builder);
}

static void add_uses(JsonBuilder *builder, const GPtrArray *classes) {
  open_array(builder, "anyOf");
  json_builder_begin_object(builder);
  open_array(builder, "enum");
  for (guint i = 0; i < classes->len; i++)
    json_builder_add_string_value(builder, ((const adl_loaded *)classes->pdata[i])->class.id);
  json_builder_end_array(builder);
  open_array(builder, "enumDescriptions");
  for (guint i = 0; i < classes->len; i++)
    json_builder_add_string_value(builder, ((const adl_loaded *)classes->pdata[i])->class.title);
  json_builder_end_array(builder);
  json_builder_end_object(builder);
  json_builder_begin_object(builder);
  adl_schema_text(builder, "type", "string");
  adl_schema_text(builder, "pattern", "\\$\\{");
  json_builder_end_object(builder);
  json_builder_end_array(builder);
}

static void add_stage_key(JsonBuilder *builder, const adl_param *key, const GPtrArray *classes) {
  char *member = g_strconcat("key.", key->name, NULL);
  open_object(builder, member);
  if (strcmp(key->name, "use") == 0) {
    add_uses(builder, classes);
    adl_schema_text(builder, "description", key->doc);
  } else {
    if (strcmp(key->name, "holdout") == 0) add_holdout(builder);
    adl_schema_value(builder, key);
  }
  json_builder_end_object(builder);
  g_free(member);
}

/* ---- stages, and the file ---- */

static void add_branch(JsonBuilder *builder, const char *id) {
  json_builder_begin_object(builder);
  open_object(builder, "if");
  open_object(builder, "properties");
  open_object(builder, "use");
  adl_schema_text(builder, "const", id);
  json_builder_end_object(builder);
  json_builder_end_object(builder);
  open_array(builder, "required");
  json_builder_add_string_value(builder, "use");
  json_builder_end_array(builder);
  json_builder_end_object(builder);
  open_object(builder, "then");
  add_reference(builder, "class.", id);
  json_builder_end_object(builder);
  json_builder_end_object(builder);
}

static void add_stage(JsonBuilder *builder, const GPtrArray *classes) {
  open_object(builder, "stage");
  adl_schema_text(builder, "type", "object");
  open_object(builder, "properties");
  open_object(builder, "use");
  add_reference(builder, "key.", "use");
  json_builder_end_object(builder);
  json_builder_end_object(builder);
  open_array(builder, "required");
  json_builder_add_string_value(builder, "use");
  json_builder_end_array(builder);
  open_array(builder, "allOf");
  for (guint i = 0; i < classes->len; i++) add_branch(builder, ((const adl_loaded *)classes->pdata[i])->class.id);
  json_builder_end_array(builder);
  json_builder_end_object(builder);
}

static void add_stages(JsonBuilder *builder) {
  adl_schema_text(builder, "type", "object");
  json_builder_set_member_name(builder, "minProperties");
  json_builder_add_int_value(builder, 1);
  open_object(builder, "propertyNames");
  adl_schema_text(builder, "pattern", "^[A-Za-z_][A-Za-z0-9_-]{0,99}$"); /* as core/graph/load.c has it */
  json_builder_end_object(builder);
  open_object(builder, "additionalProperties");
  add_reference(builder, "stage", "");
  json_builder_end_object(builder);
}

static void add_plugins(JsonBuilder *builder) {
  adl_schema_text(builder, "type", "array");
  open_object(builder, "items");
  adl_schema_text(builder, "type", "string");
  json_builder_end_object(builder);
}

static void add_file(JsonBuilder *builder) {
  adl_schema_text(builder, "$schema", "http://json-schema.org/draft-07/schema#");
  adl_schema_text(builder, "title", "adloom pipeline");
  adl_schema_text(builder, "description", "A pipeline of stages, for the classes that `adloom plugin list` names.");
  adl_schema_text(builder, "type", "object");
  open_object(builder, "properties");
  for (const adl_param *key = adl_keys_of_file; key->name != NULL; key++) {
    open_object(builder, key->name);
    if (strcmp(key->name, "stages") == 0) add_stages(builder);
    if (strcmp(key->name, "plugins") == 0) add_plugins(builder);
    adl_schema_value(builder, key);
    json_builder_end_object(builder);
  }
  json_builder_end_object(builder);
  open_object(builder, "patternProperties");
  open_object(builder, "^x-");
  adl_schema_text(builder, "description", "Your own: ignored, and a good place for anchors.");
  json_builder_end_object(builder);
  json_builder_end_object(builder);
  open_array(builder, "required");
  for (const adl_param *key = adl_keys_of_file; key->name != NULL; key++)
    if ((key->flags & ADL_REQUIRED) != 0) json_builder_add_string_value(builder, key->name);
  json_builder_end_array(builder);
  add_closed(builder);
}

/* Of adl_loaded *, sorted by id. */
static GPtrArray *load_all(adl_registry *registry, GString *left_out) {
  GPtrArray *classes = g_ptr_array_new();
  const char **ids = adl_registry_ids(registry);
  for (const char **id = ids; *id != NULL; id++) {
    GString *why = g_string_new(NULL);
    const adl_loaded *loaded = adl_registry_find(registry, *id, why);
    if (loaded != NULL)
      g_ptr_array_add(classes, (gpointer)loaded);
    else
      g_string_append_printf(left_out, "%s: %.*s\n", *id, (int)strcspn(why->str, "\n"), why->str);
    g_string_free(why, TRUE);
  }
  g_free(ids);
  return classes;
}

void adl_schema_print(adl_registry *registry, GString *out, GString *left_out) {
  GPtrArray *classes = load_all(registry, left_out);
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  add_file(builder);
  open_object(builder, "definitions");
  add_stage(builder, classes);
  for (const adl_param *key = adl_keys_of_stage; key->name != NULL; key++) add_stage_key(builder, key, classes);
  for (guint i = 0; i < classes->len; i++) add_class(builder, classes->pdata[i]);
  json_builder_end_object(builder);
  json_builder_end_object(builder);
  char *text = adl_json_built(builder, true);
  g_string_append_printf(out, "%s\n", text);
  g_free(text);
  g_ptr_array_free(classes, TRUE);
}
