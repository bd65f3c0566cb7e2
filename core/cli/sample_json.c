/* JSON Lines: a column for each member, and for those of objects in it. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "core/base/json.h"
#include "core/cli/sample_parts.h"

#define FS '\x1c' /* between the names of a path while it is looked up: names may have dots */
#define FS_TEXT "\x1c"

static uint32_t kind_of(JsonNode *node) {
  if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray *array = json_node_get_array(node);
    uint32_t kinds = 0;
    for (guint i = 0; i < json_array_get_length(array); i++) kinds |= kind_of(json_array_get_element(array, i));
    return kinds == 0 || kinds == ADL_SAMPLE_TEXT ? ADL_SAMPLE_TEXTS
           : kinds == ADL_SAMPLE_NUMBER           ? ADL_SAMPLE_NUMBERS
                                                  : ADL_SAMPLE_OTHER;
  }
  if (!JSON_NODE_HOLDS_VALUE(node)) return ADL_SAMPLE_OTHER;
  GType type = json_node_get_value_type(node);
  return type == G_TYPE_STRING ? ADL_SAMPLE_TEXT : type == G_TYPE_BOOLEAN ? ADL_SAMPLE_BOOL : ADL_SAMPLE_NUMBER;
}

static char *value_of(JsonNode *node, uint32_t kind) {
  if (kind == ADL_SAMPLE_TEXT) return g_strdup(json_node_get_string(node));
  if (kind == ADL_SAMPLE_BOOL) return g_strdup(json_node_get_boolean(node) ? "true" : "false");
  if (kind != ADL_SAMPLE_NUMBER) return g_strdup("");
  return adl_json_text(node, false);
}

/* `path`: names with FS between, which no name has. Of a member of the whole a column has its name, dots and all. */
static adl_sample_column *column_at(adl_sample *sample, GHashTable *by_path, const char *path) {
  adl_sample_column *column = g_hash_table_lookup(by_path, path);
  if (column != NULL) return column;
  bool nested = strchr(path, FS) != NULL;
  char *name = g_strdelimit(g_strdup(path), FS_TEXT, '_');
  while (adl_sample_has_column(sample, name)) { /* a.b beside a_b */
    char *longer = g_strconcat(name, "_", NULL);
    g_free(name);
    name = longer;
  }
  char *dotted = g_strdelimit(g_strdup(path), FS_TEXT, '.');
  column = adl_sample_add_column(sample, name, nested || strcmp(name, path) != 0 ? dotted : NULL);
  g_free(dotted);
  g_hash_table_insert(by_path, g_strdup(path), column);
  g_free(name);
  return column;
}

/* A member that is an object here and something else there is no column. */
static void note_object(GHashTable *by_path, GHashTable *objects, const char *path) {
  adl_sample_column *column = g_hash_table_lookup(by_path, path);
  if (column != NULL) column->kinds |= ADL_SAMPLE_OTHER;
  g_hash_table_add(objects, g_strdup(path));
}

/* A path has dots between names, so only a member of the whole may have one in its own, and an object none. */
static bool can_be_named(const char *name, JsonNode *node, int depth) {
  if (name[0] == '\0' || strchr(name, FS) != NULL) return false;
  return strchr(name, '.') == NULL || (depth == 0 && !JSON_NODE_HOLDS_OBJECT(node));
}

static void leave_out(adl_sample *sample, const char *path) {
  char *name = g_strdelimit(g_strdup(path), FS_TEXT, '/');
  if (g_ptr_array_find_with_equal_func(sample->left_out, name, g_str_equal, NULL) || sample->left_out->len >= 20)
    g_free(name);
  else
    g_ptr_array_add(sample->left_out, name);
}

static void take_object(adl_sample *sample, GHashTable *by_path, GHashTable *objects, JsonObject *object,
                        const char *prefix, int depth) {
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;
  json_object_iter_init_ordered(&iter, object);
  while (json_object_iter_next_ordered(&iter, &name, &node)) {
    if (JSON_NODE_HOLDS_NULL(node)) continue;
    char *path = g_strconcat(prefix, name, NULL), *below = g_strconcat(path, FS_TEXT, NULL);
    if (!can_be_named(name, node, depth)) {
      leave_out(sample, path);
    } else if (JSON_NODE_HOLDS_OBJECT(node) && depth < 3) {
      note_object(by_path, objects, path);
      take_object(sample, by_path, objects, json_node_get_object(node), below, depth + 1);
    } else if (sample->columns->len < ADL_SAMPLE_MOST_COLUMNS) {
      adl_sample_column *column = column_at(sample, by_path, path);
      uint32_t kind = g_hash_table_contains(objects, path) ? ADL_SAMPLE_OTHER : kind_of(node);
      column->kinds |= kind;
      g_ptr_array_set_size(column->values, (gint)sample->rows); /* the rows before had none */
      g_ptr_array_add(column->values, value_of(node, kind));
    }
    g_free(path);
    g_free(below);
  }
}

static const char *first_line(const GPtrArray *lines) {
  for (guint i = 0; i < lines->len; i++)
    if (lines->pdata[i] != NULL) return lines->pdata[i];
  return "";
}

static void say_how(const char *path, const char *first, GString *why) {
  char *file = g_shell_quote(path);
  bool array = strchr(first, '[') != NULL && first[strspn(first, " \t")] == '[';
  g_string_append_printf(why, "%s; each object must stand on one line of its own, as `jq -c %s %s` writes them",
                         array ? "it is a JSON array" : "no line of it is a JSON object with members",
                         array ? "'.[]'" : ".", file);
  g_free(file);
}

/* One object over several lines, or an array of them: some of its lines may be objects, but they are not the rows. */
static bool is_spread(const GPtrArray *lines, guint objects) {
  const char *first = first_line(lines);
  JsonNode *root = json_from_string(first, NULL);
  bool whole = root != NULL && JSON_NODE_HOLDS_OBJECT(root);
  g_clear_pointer(&root, json_node_unref);
  return !whole && (objects * 2 < lines->len || first[strspn(first, " \t")] == '[');
}

bool adl_sample_read_json(const char *path, const GPtrArray *lines, adl_sample *sample, GString *why) {
  GHashTable *by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTable *objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  sample->json = true;
  for (guint i = 0; i < lines->len; i++) {
    JsonNode *root = lines->pdata[i] != NULL ? json_from_string(lines->pdata[i], NULL) : NULL;
    if (root != NULL && JSON_NODE_HOLDS_OBJECT(root)) {
      take_object(sample, by_path, objects, json_node_get_object(root), "", 0);
      sample->rows++;
    }
    g_clear_pointer(&root, json_node_unref);
  }
  for (guint c = 0; c < sample->columns->len; c++)
    g_ptr_array_set_size(((adl_sample_column *)sample->columns->pdata[c])->values, (gint)sample->rows);
  g_hash_table_destroy(by_path);
  g_hash_table_destroy(objects);
  bool spread = is_spread(lines, sample->rows);
  if (sample->columns->len > 0 && !spread) return true;
  if (sample->left_out->len > 0 && !spread)
    g_string_append_printf(why, "no member can be named in a pipeline: `%s` has dots in a name within an object",
                           (const char *)sample->left_out->pdata[0]);
  else
    say_how(path, first_line(lines), why);
  return false;
}
