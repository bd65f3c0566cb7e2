/* See read.h. */
#include "core/config/read.h"

#include <string.h>

#include "core/base/text.h"

const char *adl_node_kind_name(const adl_node *node) {
  if (node->kind == ADL_NODE_SEQUENCE) return "a list";
  if (node->kind == ADL_NODE_MAPPING) return "a mapping";
  return node->null ? "nothing" : "a single value";
}

/* Is it a scalar with a value? `what_kind`: "an integer". */
static bool is_value(const adl_node *node, const char *what, const char *what_kind, adl_problems *problems) {
  if (node->broken) return false;
  if (node->kind == ADL_NODE_SCALAR && !node->null) return true;
  if (node->kind == ADL_NODE_SCALAR) {
    adl_node_error(node, problems, "%s: has no value; %s is expected", what, what_kind);
  } else {
    adl_node_error(node, problems, "%s: %s is expected, not %s", what, what_kind, adl_node_kind_name(node));
  }
  return false;
}

/* Reports "WHAT: why" and returns false. */
static bool refuse(const adl_node *node, const char *what, GString *why, adl_problems *problems) {
  adl_node_error(node, problems, "%s: %s", what, why->str);
  return false;
}

/* Quoted scalars are texts, even when there is a number in them. */
static bool is_plain(const adl_node *node, const char *what, const char *what_kind, adl_problems *problems) {
  if (!is_value(node, what, what_kind, problems)) return false;
  if (!node->quoted) return true;
  adl_problem *problem = adl_node_error(node, problems, "%s: %s is expected, not text in quotes", what, what_kind);
  adl_problem_hint(problem, "leave the quotes out");
  return false;
}

bool adl_read_bool(const adl_node *node, const char *what, bool *value, adl_problems *problems) {
  if (!is_plain(node, what, "true or false", problems)) return false;
  GString *why = g_string_new(NULL);
  bool fine = adl_value_bool(node->text, value, why) || refuse(node, what, why, problems);
  g_string_free(why, TRUE);
  return fine;
}

typedef bool (*whole_reader)(const char *text, int64_t *value, GString *why);

static bool read_whole(const adl_node *node, const char *what, const char *what_kind, whole_reader reader,
                       adl_param_type type, const char *range, int64_t *value, adl_problems *problems) {
  if (!is_plain(node, what, what_kind, problems)) return false;
  GString *why = g_string_new(NULL);
  adl_range within;
  int64_t read;
  bool fine = reader(node->text, &read, why) && (range == NULL || adl_range_read(range, type, &within, why));
  if (fine && range != NULL && !adl_range_holds_int(&within, read)) {
    g_string_append_printf(why, "%s is out of range %s", node->text, range);
    fine = false;
  }
  if (fine) {
    *value = read;
  } else {
    refuse(node, what, why, problems);
  }
  g_string_free(why, TRUE);
  return fine;
}

bool adl_read_int(const adl_node *node, const char *what, const char *range, int64_t *value, adl_problems *problems) {
  return read_whole(node, what, "an integer", adl_value_int, ADL_PARAM_INT, range, value, problems);
}

bool adl_read_size(const adl_node *node, const char *what, const char *range, int64_t *value, adl_problems *problems) {
  return read_whole(node, what, "a size", adl_value_size, ADL_PARAM_SIZE, range, value, problems);
}

bool adl_read_duration(const adl_node *node, const char *what, const char *range, int64_t *value,
                       adl_problems *problems) {
  return read_whole(node, what, "a duration", adl_value_duration, ADL_PARAM_DURATION, range, value, problems);
}

bool adl_read_float(const adl_node *node, const char *what, const char *range, double *value, adl_problems *problems) {
  if (!is_plain(node, what, "a number", problems)) return false;
  GString *why = g_string_new(NULL);
  adl_range within;
  double read;
  bool fine = adl_value_float(node->text, &read, why) &&
              (range == NULL || adl_range_read(range, ADL_PARAM_FLOAT, &within, why));
  if (fine && range != NULL && !adl_range_holds(&within, read)) {
    g_string_append_printf(why, "%s is out of range %s", node->text, range);
    fine = false;
  }
  if (fine) {
    *value = read;
  } else {
    refuse(node, what, why, problems);
  }
  g_string_free(why, TRUE);
  return fine;
}

bool adl_read_text(const adl_node *node, const char *what, const char **value, adl_problems *problems) {
  if (!is_value(node, what, "a text", problems)) return false;
  if (*node->text == '\0') {
    adl_node_error(node, problems, "%s: is empty", what);
    return false;
  }
  *value = node->text;
  return true;
}

bool adl_read_choice(const adl_node *node, const char *what, const char *choices, int32_t *value,
                     adl_problems *problems) {
  if (!is_value(node, what, "a word", problems)) return false;
  GString *why = g_string_new(NULL);
  int32_t found = adl_choice_find(choices, node->text, why);
  if (found >= 0) {
    *value = found;
  } else {
    refuse(node, what, why, problems);
  }
  g_string_free(why, TRUE);
  return found >= 0;
}

bool adl_read_kind(const adl_node *node, const char *what, adl_node_kind kind, const char *example,
                   adl_problems *problems) {
  static const char *const NAMES[] = {"a single value", "a list", "a mapping"};
  if (node->broken) return false;
  if (node->kind == kind && !(kind == ADL_NODE_SCALAR && node->null)) return true;
  adl_problem *problem =
      adl_node_error(node, problems, "%s: %s is expected, not %s", what, NAMES[kind], adl_node_kind_name(node));
  if (example != NULL) adl_problem_hint(problem, "for example %s", example);
  return false;
}

bool adl_read_keys(const adl_node *mapping, const char *what, const char *const *names, bool own,
                   adl_problems *problems) {
  size_t count = 0;
  while (names[count] != NULL) count++;
  bool fine = true;
  for (int i = 0; i < mapping->count; i++) {
    const adl_pair *pair = &mapping->pairs[i];
    if (g_strv_contains(names, pair->key) || (own && g_str_has_prefix(pair->key, "x-"))) continue;
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s: there is no key `%s`", what, pair->key);
    adl_text_suggest(text, pair->key, names, count);
    adl_problem *problem = adl_problems_error(problems, pair->place, "%s", text->str);
    if (pair->value->alias != NULL) adl_problem_note(problem, *pair->value->alias, "it is used here");
    g_string_free(text, TRUE);
    fine = false;
  }
  return fine;
}
