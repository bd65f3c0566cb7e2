/* Resolved parameters as JSON: what a manifest shows and what a model's hash is made of. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/params_internal.h"
#include "core/config/value.h"

/* A node as it is: every scalar a string. */
static void print_node(const adl_node *node, GString *out) {
  if (node->kind == ADL_NODE_SCALAR) {
    adl_text_json_string(out, node->text);
  } else if (node->kind == ADL_NODE_SEQUENCE) {
    g_string_append_c(out, '[');
    for (int i = 0; i < node->count; i++) {
      if (i > 0) g_string_append_c(out, ',');
      print_node(node->items[i], out);
    }
    g_string_append_c(out, ']');
  } else {
    g_string_append_c(out, '{');
    for (int i = 0; i < node->count; i++) {
      if (i > 0) g_string_append_c(out, ',');
      adl_text_json_string(out, node->pairs[i].key);
      g_string_append_c(out, ':');
      print_node(node->pairs[i].value, out);
    }
    g_string_append_c(out, '}');
  }
}

static void print_float(double value, GString *out) {
  if (isfinite(value)) {
    adl_text_number(out, value);
  } else {
    g_string_append(out, isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"");
  }
}

static void print_text(const char *text, GString *out) {
  if (text == NULL) {
    g_string_append(out, "null");
  } else {
    adl_text_json_string(out, text);
  }
}

/* One value of a plain field or array. */
static void print_one(const adl_param *param, const void *field, GString *out) {
  switch (param->type) {
    case ADL_PARAM_BOOL: g_string_append(out, *(const bool *)field ? "true" : "false"); break;
    case ADL_PARAM_FLOAT: print_float(*(const double *)field, out); break;
    case ADL_PARAM_STRING: print_text(*(const char *const *)field, out); break;
    case ADL_PARAM_NEW_COLUMN: print_text(((const adl_output *)field)->name, out); break;
    case ADL_PARAM_STAGE: print_text(((const adl_side *)field)->name, out); break;
    case ADL_PARAM_CHOICE: {
      char **names = adl_choice_list(param->choices);
      adl_text_json_string(out, names[*(const int32_t *)field]);
      g_strfreev(names);
      break;
    }
    default: g_string_append_printf(out, "%" G_GINT64_FORMAT, *(const gint64 *)field); break;
  }
}

static void print_array(const adl_param *param, int64_t count, const void *items, size_t size, GString *out) {
  g_string_append_c(out, '[');
  for (int64_t i = 0; i < count; i++) {
    if (i > 0) g_string_append_c(out, ',');
    print_one(param, (const char *)items + (size_t)i * size, out);
  }
  g_string_append_c(out, ']');
}

static void print_string_lists(const adl_param *param, const adl_string_lists *lists, GString *out) {
  g_string_append_c(out, '[');
  for (int64_t i = 0; i < lists->count; i++) {
    if (i > 0) g_string_append_c(out, ',');
    print_array(param, lists->items[i].count, lists->items[i].items, sizeof(char *), out);
  }
  g_string_append_c(out, ']');
}

/* adl_map and adl_named_floats. */
static void print_map(const adl_param *param, const adl_map *map, size_t size, GString *out) {
  g_string_append_c(out, '{');
  for (int64_t i = 0; i < map->count; i++) {
    if (i > 0) g_string_append_c(out, ',');
    adl_text_json_string(out, map->keys[i]);
    g_string_append_c(out, ':');
    print_one(param, (const char *)map->values + (size_t)i * size, out);
  }
  g_string_append_c(out, '}');
}

/* Is it the node that counts: resolved by the graph, or shown as written? A list of one may be written without its
 * brackets, and is shown with them. */
static bool print_from_node(const adl_arg *arg, GString *out) {
  switch (arg->param->type) {
    case ADL_PARAM_PATH_IN:
    case ADL_PARAM_PATH_OUT:
    case ADL_PARAM_COLUMN:
    case ADL_PARAM_MATRIX:
    case ADL_PARAM_EXPRESSION:
    case ADL_PARAM_CALL: break;
    default: return false;
  }
  bool list = (arg->param->flags & ADL_LIST_OF) != 0 || arg->param->type == ADL_PARAM_MATRIX;
  bool brackets = list && arg->node->kind == ADL_NODE_SCALAR;
  if (brackets) g_string_append_c(out, '[');
  print_node(arg->node, out);
  if (brackets) g_string_append_c(out, ']');
  return true;
}

static void print_value(const adl_args *args, const adl_arg *arg, GString *out) {
  const adl_param *param = arg->param;
  const void *field = (const char *)args->instance + param->offset;
  if (print_from_node(arg, out)) return;
  size_t size = param->type == ADL_PARAM_STRING ? sizeof(char *) : sizeof(int64_t); /* INT and FLOAT have 8 bytes */
  switch (param->flags & ADL_FORMS) {
    case ADL_LIST_OF:
      print_array(param, ((const adl_ints *)field)->count, ((const adl_ints *)field)->items, size, out);
      break;
    case ADL_LISTS_OF: print_string_lists(param, field, out); break;
    case ADL_MAP_OF: print_map(param, field, size, out); break;
    default: print_one(param, field, out); break;
  }
}

/* The files that were found. */
static void print_files(const adl_args *args, const adl_arg *arg, GString *out) {
  const void *field = (const char *)args->instance + arg->param->offset;
  if ((arg->param->flags & ADL_LIST_OF) == 0) return adl_text_json_string(out, *(const char *const *)field);
  const adl_strings *paths = field;
  g_string_append_c(out, '[');
  for (int64_t i = 0; i < paths->count; i++) {
    if (i > 0) g_string_append_c(out, ',');
    adl_text_json_string(out, paths->items[i]);
  }
  g_string_append_c(out, ']');
}

static void print_secret(const adl_args *args, const adl_arg *arg, adl_args_use use, GString *out) {
  if (use != ADL_ARGS_FOR_HASH) {
    g_string_append(out, "\"(secret)\"");
    return;
  }
  GString *value = g_string_new(NULL);
  print_value(args, arg, value);
  char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, value->str, (gssize)value->len);
  g_string_append_printf(out, "\"sha256:%s\"", digest);
  g_free(digest);
  g_string_free(value, TRUE);
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(const adl_arg *const *)a)->param->name, (*(const adl_arg *const *)b)->param->name);
}

void adl_args_json(const adl_args *args, adl_args_use use, GString *out) {
  const adl_arg **sorted = g_new(const adl_arg *, args->count + 1);
  for (int i = 0; i < args->count; i++) sorted[i] = &args->items[i];
  qsort(sorted, (size_t)args->count, sizeof *sorted, by_name);
  g_string_append_c(out, '{');
  bool first = true;
  for (int i = 0; i < args->count; i++) {
    const adl_arg *arg = sorted[i];
    bool path = arg->param->type == ADL_PARAM_PATH_IN || arg->param->type == ADL_PARAM_PATH_OUT;
    if (arg->node == NULL || !arg->valid || (path && use == ADL_ARGS_FOR_HASH)) continue;
    if (!first) g_string_append_c(out, ',');
    first = false;
    adl_text_json_string(out, arg->param->name);
    g_string_append_c(out, ':');
    if ((arg->param->flags & ADL_SECRET) != 0) {
      print_secret(args, arg, use, out);
    } else if (arg->param->type == ADL_PARAM_PATH_IN && use == ADL_ARGS_FOR_RECORD) {
      print_files(args, arg, out);
    } else {
      print_value(args, arg, out);
    }
  }
  g_string_append_c(out, '}');
  g_free(sorted);
}
