/* What was said about a parameter, and where: adl_args as the graph layer asks it, and errors about it. */
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/params_internal.h"

const adl_arg *adl_args_find(const adl_args *args, const char *name) {
  for (int i = 0; i < args->count; i++) {
    const adl_param *param = args->items[i].param;
    if (strcmp(param->name, name) == 0 || (param->alias != NULL && strcmp(param->alias, name) == 0)) {
      return &args->items[i];
    }
  }
  return NULL;
}

/* The argument that a path begins with; *rest is what follows its name. */
static const adl_arg *find_start(const adl_args *args, const char *path, const char **rest) {
  size_t length = strcspn(path, ".[");
  char *name = g_strndup(path, length);
  const adl_arg *arg = adl_args_find(args, name);
  g_free(name);
  *rest = path + length;
  return arg;
}

static const adl_node *find_item(const adl_node *node, const char **path) {
  char *end;
  unsigned long number = strtoul(*path + 1, &end, 10);
  if (end == *path + 1 || *end != ']') return NULL;
  *path = end + 1;
  if (node->kind == ADL_NODE_SCALAR && number == 0) return node; /* one plain value for a list of one */
  return node->kind == ADL_NODE_SEQUENCE && number < (unsigned long)node->count ? node->items[number] : NULL;
}

/* ".key...": keys may hold dots and brackets, so the longest that fits is meant. */
static const adl_node *find_key(const adl_node *node, const char **path) {
  const adl_pair *best = NULL;
  const char *key = *path + 1;
  size_t best_size = 0;
  for (int i = 0; node->kind == ADL_NODE_MAPPING && i < node->count; i++) {
    size_t size = strlen(node->pairs[i].key);
    if (strncmp(key, node->pairs[i].key, size) != 0 || strchr(".[", key[size]) == NULL) continue;
    if (best != NULL && size < best_size) continue;
    best = &node->pairs[i];
    best_size = size;
  }
  *path = key + best_size;
  return best != NULL ? best->value : NULL;
}

/* As far along the path as there is something; *whole: to its end. */
static const adl_node *follow(const adl_arg *arg, const char *rest, bool *whole) {
  const adl_node *node = arg->node;
  *whole = node != NULL;
  while (node != NULL && *rest != '\0') {
    const adl_node *next = *rest == '[' ? find_item(node, &rest) : *rest == '.' ? find_key(node, &rest) : NULL;
    *whole = next != NULL;
    if (next == NULL) break;
    node = next;
  }
  return node;
}

const adl_node *adl_args_node(const adl_args *args, const char *path) {
  const char *rest;
  const adl_arg *arg = find_start(args, path, &rest);
  if (arg == NULL) return NULL;
  bool whole;
  const adl_node *node = follow(arg, rest, &whole);
  return whole ? node : NULL;
}

adl_place adl_args_place(const adl_args *args, const char *path, int offset) {
  const char *rest;
  const adl_arg *arg = path != NULL ? find_start(args, path, &rest) : NULL;
  if (arg == NULL) return args->place;
  bool whole;
  const adl_node *node = follow(arg, rest, &whole);
  if (node == NULL) return arg->key;
  return adl_node_place(node, whole && node->kind == ADL_NODE_SCALAR ? offset : -1);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

/* Appends the default as people write it; false: there is none that would be used. */
static bool print_default(const adl_param *param, GString *out) {
  if (param->type == ADL_PARAM_NEW_COLUMN && (param->flags & ADL_PLAIN_NAME) == 0) return false;
  if (param->default_value == NULL || (param->flags & ADL_SECRET) != 0) return false;
  if (param->type == ADL_PARAM_STRING && (param->flags & ADL_FORMS) == 0) {
    adl_text_quote(out, param->default_value);
  } else {
    g_string_append(out, param->default_value);
  }
  return true;
}

void adl_args_note(const adl_args *args, adl_problem *problem, const adl_param *param) {
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "parameter of %s", args->class->id);
  if (args->version != NULL) g_string_append_printf(text, " %s", args->version);
  if (args->path != NULL) g_string_append_printf(text, " (%s)", args->path);
  const adl_arg *arg = adl_args_find(args, param->name);
  GString *value = g_string_new(NULL);
  if (print_default(param, value) && arg != NULL && !arg->given) {
    g_string_append_printf(text, "; it is not given, so the default %s is taken", value->str);
  } else if (value->len > 0) {
    g_string_append_printf(text, ", default %s", value->str);
  }
  adl_problem_note(problem, ADL_NO_PLACE, "%s", text->str);
  g_string_free(value, TRUE);
  g_string_free(text, TRUE);
}

/* Adds "stage.path: message" at a place, with the notes that belong there. */
static adl_problem *add(const adl_args *args, adl_problems *problems, const adl_arg *arg, const adl_node *node,
                        adl_place place, const char *path, const char *format, va_list list)
    __attribute__((format(printf, 7, 0)));
static adl_problem *add(const adl_args *args, adl_problems *problems, const adl_arg *arg, const adl_node *node,
                        adl_place place, const char *path, const char *format, va_list list) {
  char *message = g_strdup_vprintf(format, list);
  adl_problem *problem = adl_problems_error(problems, place, "%s%s%s: %s", args->stage, path != NULL ? "." : "",
                                            path != NULL ? path : "", message);
  g_free(message);
  if (arg != NULL) adl_args_note(args, problem, arg->param);
  if (node != NULL && node->alias != NULL) adl_problem_note(problem, *node->alias, "it is used here");
  return problem;
}

adl_problem *adl_args_blame(const adl_args *args, adl_problems *problems, const adl_arg *arg, const adl_node *node,
                            const char *path, const char *format, ...) {
  va_list list;
  va_start(list, format);
  adl_place place = node != NULL ? node->place : arg->key;
  adl_problem *problem = add(args, problems, arg, node, place, path, format, list);
  va_end(list);
  return problem;
}

adl_problem *adl_args_error_va(const adl_args *args, adl_problems *problems, const char *path, int offset,
                               const char *hint, const char *format, va_list list) {
  const char *rest;
  const adl_arg *arg = path != NULL ? find_start(args, path, &rest) : NULL;
  bool whole;
  const adl_node *node = arg != NULL ? follow(arg, rest, &whole) : NULL;
  adl_problem *problem = add(args, problems, arg, node, adl_args_place(args, path, offset), path, format, list);
  if (hint != NULL) adl_problem_hint(problem, "%s", hint);
  return problem;
}

adl_problem *adl_args_error(const adl_args *args, adl_problems *problems, const char *path, int offset,
                            const char *hint, const char *format, ...) {
  va_list list;
  va_start(list, format);
  adl_problem *problem = adl_args_error_va(args, problems, path, offset, hint, format, list);
  va_end(list);
  return problem;
}

void adl_args_each_file(const adl_args *args, void (*visit)(void *context, const adl_param *param, const char *path),
                        void *context) {
  for (int i = 0; i < args->count; i++) {
    const adl_param *param = args->items[i].param;
    const void *field = (const char *)args->instance + param->offset;
    if (param->type != ADL_PARAM_PATH_IN || !args->items[i].valid) continue;
    if ((param->flags & ADL_LIST_OF) == 0) {
      const char *path = *(const char *const *)field;
      if (path != NULL) visit(context, param, path);
      continue;
    }
    const adl_strings *paths = field;
    for (int64_t j = 0; j < paths->count; j++) visit(context, param, paths->items[j]);
  }
}
