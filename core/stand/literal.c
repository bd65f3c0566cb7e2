/* Rows written down in a test, see literal.h. */
#include "core/stand/literal.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "core/base/text.h"

/* A column in the making. */
typedef struct column {
  char *name;
  adl_type type;
  adl_builder *builder;
  adl_buffers to;
  int64_t items, bytes; /* used so far */
} column;

static void free_column(void *data) {
  column *c = data;
  if (c->builder != NULL) adl_builder_free(c->builder);
  g_free(c->name);
  g_free(c);
}

/* ---- types ---- */

static const struct {
  const char *name;
  adl_element element;
  adl_role role;
} elements[] = {{"string", ADL_STRING, ADL_CATEGORY},   {"id", ADL_STRING, ADL_CATEGORY},
                {"category", ADL_STRING, ADL_CATEGORY}, {"int", ADL_INT64, ADL_NUMBER},
                {"int32", ADL_INT32, ADL_NUMBER},       {"uint32", ADL_UINT32, ADL_NUMBER},
                {"float", ADL_FLOAT64, ADL_NUMBER},     {"float32", ADL_FLOAT32, ADL_NUMBER},
                {"bool", ADL_BOOL, ADL_NUMBER},         {"timestamp", ADL_TIMESTAMP, ADL_NUMBER}};

static bool element_of(const char *name, adl_type *type) {
  for (size_t i = 0; i < G_N_ELEMENTS(elements); i++)
    if (strcmp(elements[i].name, name) == 0) {
      type->element = (uint8_t)elements[i].element;
      type->role = (uint8_t)elements[i].role;
      return true;
    }
  return false;
}

/* "vector 3": the number behind the word; 0: it is something else. */
static int64_t width_of(const char *text, const char *word) {
  size_t size = strlen(word);
  gint64 width = 0;
  if (strncmp(text, word, size) != 0 || text[size] != ' ') return 0;
  return g_ascii_string_to_signed(text + size + 1, 10, 1, INT32_MAX, &width, NULL) ? width : 0;
}

static bool read_type(const char *text, adl_type *type) {
  *type = (adl_type){0};
  if (element_of(text, type)) return true;
  if (strcmp(text, "bag") == 0) {
    *type = (adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY};
    return true;
  }
  type->shape = ADL_LIST;
  if (g_str_has_prefix(text, "list of "))
    return element_of(text + strlen("list of "), type) && adl_type_valid(*type, NULL);
  type->shape = g_str_has_prefix(text, "vector ") ? ADL_VECTOR : ADL_SPARSE;
  type->element = ADL_FLOAT32;
  type->width = width_of(text, type->shape == ADL_VECTOR ? "vector" : "sparse");
  return type->width > 0;
}

/* "{name: type, ...}" */
static bool read_columns(GPtrArray *columns, const char *text, GString *why) {
  char *bare = g_strstrip(g_strdup(text));
  size_t size = strlen(bare);
  bool fine = size >= 2 && bare[0] == '{' && bare[size - 1] == '}';
  if (!fine) g_string_append(why, "columns are written {name: type, ...}");
  if (fine) bare[size - 1] = '\0';
  char **parts = g_strsplit(fine ? bare + 1 : "", ",", -1);
  for (int i = 0; parts[i] != NULL && fine; i++) {
    char *colon = strchr(parts[i], ':');
    column *c = g_new0(column, 1);
    g_ptr_array_add(columns, c);
    if (colon != NULL) *colon = '\0';
    c->name = g_strdup(g_strstrip(parts[i]));
    if (colon != NULL && read_type(g_strstrip(colon + 1), &c->type)) {
      c->builder = adl_builder_new(c->type);
      continue;
    }
    fine = false;
    g_string_append_printf(why, "column `%s`: ", c->name);
    adl_text_quote(why, colon != NULL ? colon + 1 : "");
    g_string_append(why, " is not a type; there are ");
    for (size_t k = 0; k < G_N_ELEMENTS(elements); k++) g_string_append_printf(why, "%s, ", elements[k].name);
    g_string_append(why, "list of one of them, vector N, sparse N and bag");
  }
  g_strfreev(parts);
  g_free(bare);
  return fine;
}

/* ---- values ---- */

static bool room(column *c, int64_t rows, int64_t items, int64_t bytes) {
  return adl_builder_reserve(c->builder, rows, c->items + items, c->bytes + bytes, &c->to);
}

/* A number, or "nan", "inf", "-inf", which JSON does not have. */
static bool number_of(JsonNode *node, double *value) {
  if (!JSON_NODE_HOLDS_VALUE(node)) return false;
  GType type = json_node_get_value_type(node);
  char *end = NULL;
  if (type == G_TYPE_STRING) {
    const char *text = json_node_get_string(node);
    *value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && !isfinite(*value);
  }
  *value = type == G_TYPE_INT64     ? (double)json_node_get_int(node)
           : type == G_TYPE_BOOLEAN ? json_node_get_boolean(node)
                                    : json_node_get_double(node);
  return true;
}

static bool whole_number_of(JsonNode *node, adl_element element, int64_t *value) {
  if (!JSON_NODE_HOLDS_VALUE(node)) return false;
  if (element == ADL_TIMESTAMP && json_node_get_value_type(node) == G_TYPE_STRING) {
    GTimeZone *utc = g_time_zone_new_utc();
    GDateTime *time = g_date_time_new_from_iso8601(json_node_get_string(node), utc);
    g_time_zone_unref(utc);
    if (time == NULL) return false;
    *value = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    g_date_time_unref(time);
    return true;
  }
  if (json_node_get_value_type(node) != G_TYPE_INT64) return false;
  *value = json_node_get_int(node);
  return element == ADL_INT32 ? *value == (int32_t)*value : element == ADL_UINT32 ? *value == (uint32_t)*value : true;
}

/* Text number `at`, behind the one before it. */
static bool put_text(column *c, const char *text, int64_t rows, int64_t at) {
  int64_t size = (int64_t)strlen(text);
  if (!room(c, rows, c->type.shape == ADL_SCALAR ? 0 : 1, size)) return false;
  memcpy((char *)c->to.data + c->bytes, text, (size_t)size);
  c->bytes += size;
  c->to.string_offsets[at + 1] = (int32_t)c->bytes;
  return true;
}

/* One element, number `at` of the column; `rows` are there with this one. */
static bool put(column *c, JsonNode *node, int64_t rows, int64_t at) {
  double number = 0;
  int64_t whole = 0;
  adl_element element = (adl_element)c->type.element;
  bool text = JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
  if (element == ADL_STRING) return text && put_text(c, json_node_get_string(node), rows, at);
  bool real = element == ADL_FLOAT32 || element == ADL_FLOAT64 || element == ADL_BOOL;
  if (real ? !number_of(node, &number) : !whole_number_of(node, element, &whole)) return false;
  switch (element) {
    case ADL_BOOL: adl_bit_set(c->to.data, at, number != 0); return number == 0 || number == 1;
    case ADL_FLOAT32: ((float *)c->to.data)[at] = (float)number; break;
    case ADL_FLOAT64: ((double *)c->to.data)[at] = number; break;
    case ADL_INT32: ((int32_t *)c->to.data)[at] = (int32_t)whole; break;
    case ADL_UINT32: ((uint32_t *)c->to.data)[at] = (uint32_t)whole; break;
    default: ((int64_t *)c->to.data)[at] = whole; break;
  }
  return true;
}

/* A list or a vector; a bag without weights. */
static bool put_array(column *c, JsonArray *array, int64_t rows) {
  int64_t count = json_array_get_length(array),
          first = c->type.shape == ADL_VECTOR ? (rows - 1) * c->type.width : c->items;
  if (c->type.shape == ADL_SPARSE || (c->type.shape == ADL_VECTOR && count != c->type.width)) return false;
  if (!room(c, rows, count, 0)) return false;
  for (int64_t i = 0; i < count; i++) {
    if (!put(c, json_array_get_element(array, (guint)i), rows, first + i)) return false;
    if (c->type.shape == ADL_BAG) c->to.weights[first + i] = 1;
    if (c->type.shape != ADL_VECTOR) c->items++;
  }
  return true;
}

/* A sparse vector or a bag. */
static bool put_object(column *c, JsonObject *object, int64_t rows) {
  GList *members = json_object_get_members(object);
  bool fine = c->type.shape == ADL_SPARSE || c->type.shape == ADL_BAG;
  for (const GList *member = members; member != NULL && fine; member = member->next) {
    double value = 0;
    guint64 index = 0;
    fine = number_of(json_object_get_member(object, member->data), &value) && room(c, rows, 1, 0);
    if (!fine) break;
    if (c->type.shape == ADL_BAG) {
      fine = put_text(c, member->data, rows, c->items);
      c->to.weights[c->items] = (float)value;
    } else {
      fine = g_ascii_string_to_unsigned(member->data, 10, 0, (guint64)c->type.width - 1, &index, NULL);
      c->to.index[c->items] = (uint32_t)index;
      ((float *)c->to.data)[c->items] = (float)value;
    }
    c->items++;
  }
  g_list_free(members);
  return fine;
}

/* Value of one row of a column; `rows` are there with this one. Null where `node` is NULL or null. */
static bool put_row(column *c, JsonNode *node, int64_t rows) {
  bool null = node == NULL || JSON_NODE_HOLDS_NULL(node), fine = true;
  if (!room(c, rows, 0, 0)) return false;
  if (null) {
    adl_bit_set(c->to.validity, rows - 1, false);
    if (c->type.shape == ADL_SCALAR && c->type.element == ADL_STRING) fine = put_text(c, "", rows, rows - 1);
  } else if (c->type.shape == ADL_SCALAR) {
    fine = put(c, node, rows, rows - 1);
  } else if (JSON_NODE_HOLDS_ARRAY(node)) {
    fine = put_array(c, json_node_get_array(node), rows);
  } else {
    fine = JSON_NODE_HOLDS_OBJECT(node) && put_object(c, json_node_get_object(node), rows);
  }
  if (fine && c->type.shape != ADL_SCALAR && c->type.shape != ADL_VECTOR) c->to.offsets[rows] = (int32_t)c->items;
  return fine;
}

/* ---- rows ---- */

static bool name_known(const GPtrArray *columns, const char *name) {
  for (guint i = 0; i < columns->len; i++)
    if (strcmp(((column *)columns->pdata[i])->name, name) == 0) return true;
  return false;
}

static bool put_line(GPtrArray *columns, JsonObject *object, int64_t rows, GString *why) {
  char name[64];
  GList *members = json_object_get_members(object);
  for (const GList *member = members; member != NULL && why->len == 0; member = member->next)
    if (!name_known(columns, member->data))
      g_string_append_printf(why, "there is no column `%s`", (char *)member->data);
  g_list_free(members);
  for (guint i = 0; i < columns->len && why->len == 0; i++) {
    column *c = columns->pdata[i];
    JsonNode *node = json_object_has_member(object, c->name) ? json_object_get_member(object, c->name) : NULL;
    if (put_row(c, node, rows)) continue;
    adl_type_name(c->type, name, sizeof name);
    g_string_append_printf(why, "`%s` is no value of type %s", c->name, name);
  }
  return why->len == 0;
}

static bool put_lines(GPtrArray *columns, const char *lines, int64_t *rows, GString *why) {
  char **all = g_strsplit(lines, "\n", -1);
  for (int i = 0; all[i] != NULL && why->len == 0; i++) {
    if (*g_strstrip(all[i]) == '\0') continue;
    GError *error = NULL;
    JsonParser *parser = json_parser_new();
    JsonNode *root = json_parser_load_from_data(parser, all[i], -1, &error) ? json_parser_get_root(parser) : NULL;
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
      g_string_append(why, error != NULL ? error->message : "is no JSON object");
    else
      put_line(columns, json_node_get_object(root), ++*rows, why);
    g_clear_error(&error);
    g_object_unref(parser);
    if (why->len > 0) {
      char *at = g_strdup_printf("line %d: ", i + 1);
      g_string_prepend(why, at);
      g_free(at);
    }
  }
  g_strfreev(all);
  return why->len == 0;
}

bool adl_stand_literal(adl_stand_rows *rows, const char *columns, const char *lines, GString *why) {
  GPtrArray *made = g_ptr_array_new_with_free_func(free_column);
  int64_t count = 0;
  bool fine = read_columns(made, columns, why) && put_lines(made, lines, &count, why);
  for (guint i = 0; i < made->len && fine; i++) {
    column *c = made->pdata[i];
    const char *reason = NULL;
    fine = room(c, count, 0, 0);
    adl_array *array = fine ? adl_builder_finish(c->builder, count, &reason) : NULL;
    c->builder = NULL;
    if (array != NULL) adl_stand_rows_column(rows, c->name, array);
    fine = array != NULL;
    if (!fine) g_string_append_printf(why, "column `%s`: %s", c->name, reason != NULL ? reason : "is too large");
  }
  g_ptr_array_free(made, TRUE);
  return fine;
}
