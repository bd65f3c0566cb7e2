/* Metadata of model files, as a struct and as JSON text. See meta.h. */
#include "core/model/meta.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "core/base/json.h"

enum { FORMAT = 1, DEPTH_LIMIT = 8 };

adl_model_meta *adl_model_meta_new(const char *stage_class, const char *plugin_version, const char *plugin_build,
                                   uint32_t state_version, const char *parameters) {
  adl_model_meta *meta = g_new0(adl_model_meta, 1);
  meta->stage_class = g_strdup(stage_class != NULL ? stage_class : "");
  meta->plugin_version = g_strdup(plugin_version != NULL ? plugin_version : "");
  meta->plugin_build = g_strdup(plugin_build != NULL ? plugin_build : "");
  meta->parameters = g_strdup(parameters != NULL ? parameters : "");
  meta->checksum = g_strdup("");
  meta->key = g_strdup("");
  meta->state_version = state_version;
  return meta;
}

void adl_model_meta_add_input(adl_model_meta *meta, const char *name, const char *type) {
  meta->inputs = g_renew(adl_model_input, meta->inputs, meta->input_count + 1);
  meta->inputs[meta->input_count++] = (adl_model_input){g_strdup(name), g_strdup(type)};
}

void adl_model_meta_free(adl_model_meta *meta) {
  if (meta == NULL) return;
  for (int32_t i = 0; i < meta->input_count; i++) {
    g_free(meta->inputs[i].name);
    g_free(meta->inputs[i].type);
  }
  g_free(meta->inputs);
  g_free(meta->stage_class);
  g_free(meta->plugin_version);
  g_free(meta->plugin_build);
  g_free(meta->parameters);
  g_free(meta->checksum);
  g_free(meta->key);
  g_free(meta);
}

const char *adl_element_name(int32_t element) {
  static const char *const names[] = {"bool",    "int32",     "int64",  "uint32", "float32",
                                      "float64", "timestamp", "string", "bytes"};
  return element >= 0 && element <= ADL_BYTES ? names[element] : "unknown";
}

/* ---- writing ---- */

static void add_text(JsonBuilder *builder, const char *name, const char *value) {
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, value);
}

static void add_inputs(JsonBuilder *builder, const adl_model_meta *meta) {
  json_builder_set_member_name(builder, "inputs");
  json_builder_begin_array(builder);
  for (int32_t i = 0; i < meta->input_count; i++) {
    json_builder_begin_object(builder);
    add_text(builder, "name", meta->inputs[i].name);
    add_text(builder, "type", meta->inputs[i].type);
    json_builder_end_object(builder);
  }
  json_builder_end_array(builder);
}

/* Names of keyed tables, and elements that the file's own types do not tell. */
static void add_tensors(JsonBuilder *builder, const adl_tensors *tensors) {
  const char *name;
  const adl_table *table;
  adl_tensor tensor;
  json_builder_set_member_name(builder, "tables");
  json_builder_begin_array(builder);
  for (int32_t i = 0; adl_tensors_table_at(tensors, i, &name, &table); i++)
    json_builder_add_string_value(builder, name);
  json_builder_end_array(builder);
  json_builder_set_member_name(builder, "elements");
  json_builder_begin_object(builder);
  for (int32_t i = 0; adl_tensors_at(tensors, i, &name, &tensor); i++)
    if (tensor.element == ADL_TIMESTAMP || tensor.element == ADL_STRING)
      add_text(builder, name, adl_element_name(tensor.element));
  json_builder_end_object(builder);
}

char *adl_model_meta_text(const adl_model_meta *meta, const adl_tensors *tensors, const char *checksum) {
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "format");
  json_builder_add_int_value(builder, FORMAT);
  add_text(builder, "class", meta->stage_class);
  add_text(builder, "plugin_version", meta->plugin_version);
  add_text(builder, "plugin_build", meta->plugin_build);
  json_builder_set_member_name(builder, "state_version");
  json_builder_add_int_value(builder, meta->state_version);
  add_text(builder, "parameters", meta->parameters);
  add_inputs(builder, meta);
  add_tensors(builder, tensors);
  add_text(builder, "checksum", checksum);
  if (meta->key[0] != '\0') add_text(builder, "key", meta->key);
  json_builder_end_object(builder);
  return adl_json_built(builder, false);
}

/* ---- reading ---- */

bool adl_json_harmless(const char *text, size_t size) {
  bool quoted = false;
  int depth = 0;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (quoted) {
      if (c == '\\') i++;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > DEPTH_LIMIT) return false;
    } else if (c == '}' || c == ']') {
      depth--;
    } else if (c == '\0' || strchr(" \t\r\n,:+-.0123456789Etruefalsn", c) == NULL) {
      return false;
    }
  }
  return !quoted && depth == 0;
}

static const char *text_of(JsonNode *node) {
  return node != NULL && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : NULL;
}

static bool int_of(JsonNode *node, int64_t low, int64_t high, int64_t *value) {
  if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64) return false;
  *value = json_node_get_int(node);
  return *value >= low && *value <= high;
}

static bool read_inputs(JsonNode *node, adl_model_meta *meta) {
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node)) return false;
  JsonArray *list = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(list); i++) {
    JsonNode *item = json_array_get_element(list, i);
    if (!JSON_NODE_HOLDS_OBJECT(item)) return false;
    const char *name = text_of(json_object_get_member(json_node_get_object(item), "name"));
    const char *type = text_of(json_object_get_member(json_node_get_object(item), "type"));
    if (name == NULL || type == NULL) return false;
    adl_model_meta_add_input(meta, name, type);
  }
  return true;
}

static bool read_tables(JsonNode *node, GPtrArray *tables) {
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node)) return false;
  JsonArray *list = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(list); i++) {
    const char *name = text_of(json_array_get_element(list, i));
    if (name == NULL || name[0] == '\0') return false;
    g_ptr_array_add(tables, g_strdup(name));
  }
  return true;
}

static bool read_elements(JsonNode *node, GHashTable *elements) {
  JsonObjectIter iterator;
  const char *name;
  JsonNode *value;
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) return false;
  json_object_iter_init(&iterator, json_node_get_object(node));
  while (json_object_iter_next(&iterator, &name, &value)) {
    int32_t element = -1;
    for (int32_t e = 0; e <= ADL_BYTES; e++)
      if (g_strcmp0(text_of(value), adl_element_name(e)) == 0) element = e;
    if (element < 0) return false;
    g_hash_table_insert(elements, g_strdup(name), GINT_TO_POINTER(element));
  }
  return true;
}

/* Which member is missing or of the wrong type; NULL: none. */
static const char *read_members(JsonObject *object, adl_model_meta *meta, GPtrArray *tables, GHashTable *elements) {
  const struct {
    const char *name;
    char **to;
  } texts[] = {{"class", &meta->stage_class},
               {"plugin_version", &meta->plugin_version},
               {"plugin_build", &meta->plugin_build},
               {"parameters", &meta->parameters},
               {"checksum", &meta->checksum}};
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
    const char *text = text_of(json_object_get_member(object, texts[i].name));
    if (text == NULL) return texts[i].name;
    g_free(*texts[i].to);
    *texts[i].to = g_strdup(text);
  }
  const char *key = text_of(json_object_get_member(object, "key"));
  if (key != NULL) {
    g_free(meta->key);
    meta->key = g_strdup(key);
  }
  int64_t version;
  if (!int_of(json_object_get_member(object, "state_version"), 0, UINT32_MAX, &version)) return "state_version";
  meta->state_version = (uint32_t)version;
  if (!read_inputs(json_object_get_member(object, "inputs"), meta)) return "inputs";
  if (!read_tables(json_object_get_member(object, "tables"), tables)) return "tables";
  if (!read_elements(json_object_get_member(object, "elements"), elements)) return "elements";
  return NULL;
}

adl_model_meta *adl_model_meta_parse(const char *text, GPtrArray *tables, GHashTable *elements, char **why) {
  GError *error = NULL;
  int64_t format;
  JsonNode *root = adl_json_harmless(text, strlen(text)) ? json_from_string(text, &error) : NULL;
  *why = NULL;
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
    *why = g_strdup("its metadata `adloom` is not a JSON object");
    g_clear_error(&error);
    if (root != NULL) json_node_unref(root);
    return NULL;
  }
  JsonObject *object = json_node_get_object(root);
  adl_model_meta *meta = adl_model_meta_new(NULL, NULL, NULL, 0, NULL);
  if (!int_of(json_object_get_member(object, "format"), FORMAT, FORMAT, &format)) {
    *why = g_strdup_printf("its metadata have another format than %d, the one this adloom reads", FORMAT);
  } else {
    const char *member = read_members(object, meta, tables, elements);
    if (member != NULL) *why = g_strdup_printf("its metadata have no usable `%s`", member);
  }
  json_node_unref(root);
  if (*why == NULL) return meta;
  adl_model_meta_free(meta);
  return NULL;
}
