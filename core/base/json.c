#include "core/base/json.h"

#include <math.h>
#include <string.h>

#include "core/base/text.h"

typedef struct writing {
  GString *out;
  bool pretty;
  int depth;
} writing;

static void append_node(writing *w, JsonNode *node);

static void append_double(GString *out, double value) {
  if (!isfinite(value)) {
    g_string_append(out, "null");
    return;
  }
  gsize begin = out->len;
  adl_text_number(out, value);
  if (strpbrk(out->str + begin, ".e") == NULL) g_string_append(out, ".0");
}

static void append_value(GString *out, JsonNode *node) {
  GType type = json_node_get_value_type(node);
  if (type == G_TYPE_STRING)
    adl_text_json_string(out, json_node_get_string(node));
  else if (type == G_TYPE_DOUBLE)
    append_double(out, json_node_get_double(node));
  else if (type == G_TYPE_BOOLEAN)
    g_string_append(out, json_node_get_boolean(node) ? "true" : "false");
  else
    g_string_append_printf(out, "%" G_GINT64_FORMAT, json_node_get_int(node));
}

static void new_line(const writing *w) {
  if (!w->pretty) return;
  g_string_append_c(w->out, '\n');
  for (int i = 0; i < w->depth; i++) g_string_append(w->out, "  ");
}

static void append_item(writing *w, const char *name, JsonNode *value, bool first) {
  if (!first) g_string_append_c(w->out, ',');
  new_line(w);
  if (name != NULL) {
    adl_text_json_string(w->out, name);
    g_string_append(w->out, w->pretty ? " : " : ":");
  }
  append_node(w, value);
}

static void append_node(writing *w, JsonNode *node) {
  if (JSON_NODE_HOLDS_NULL(node)) {
    g_string_append(w->out, "null");
    return;
  }
  if (JSON_NODE_HOLDS_VALUE(node)) {
    append_value(w->out, node);
    return;
  }
  bool object = JSON_NODE_HOLDS_OBJECT(node);
  GList *items =
      object ? json_object_get_members(json_node_get_object(node)) : json_array_get_elements(json_node_get_array(node));
  g_string_append_c(w->out, object ? '{' : '[');
  w->depth++;
  for (GList *item = items; item != NULL; item = item->next)
    append_item(w, object ? item->data : NULL,
                object ? json_object_get_member(json_node_get_object(node), item->data) : item->data, item == items);
  w->depth--;
  if (items != NULL) new_line(w);
  g_string_append_c(w->out, object ? '}' : ']');
  g_list_free(items);
}

char *adl_json_text(JsonNode *node, bool pretty) {
  writing w = {.out = g_string_new(NULL), .pretty = pretty};
  append_node(&w, node);
  return g_string_free(w.out, FALSE);
}

char *adl_json_built(JsonBuilder *builder, bool pretty) {
  JsonNode *root = json_builder_get_root(builder);
  char *text = adl_json_text(root, pretty);
  json_node_unref(root);
  g_object_unref(builder);
  return text;
}
