/* --set: one value of the tree replaced or added, see adl_tree_set. */
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/tree_internal.h"

static const char NAME[] = "--set"; /* of the options as a text */

/* An option being worked on. */
typedef struct setting {
  adl_tree *tree;
  adl_problems *problems;
  adl_source source;
  char **names;     /* the path */
  adl_place *where; /* of each name */
  int count;
} setting;

static adl_problem *fail(const setting *set, int at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static adl_problem *fail(const setting *set, int at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  adl_problem *problem = adl_problems_add(set->problems, ADL_SEVERITY_ERROR, set->where[at], format, args);
  va_end(args);
  return problem;
}

static void split_path(setting *set, size_t end) {
  char *path = g_strndup(set->source.text, end);
  set->names = g_strsplit(path, ".", -1);
  set->count = (int)g_strv_length(set->names);
  set->where = g_new0(adl_place, MAX(set->count, 1));
  size_t character = 0;
  for (int i = 0; i < set->count; i++) {
    size_t length = (size_t)g_utf8_strlen(set->names[i], -1);
    set->where[i] = adl_source_place(&set->source, character, character + length);
    character += length + 1;
  }
  g_free(path);
}

/* "stage.path" of the first `count` names. */
static char *path_text(const setting *set, int count) {
  GString *out = g_string_new(NULL);
  for (int i = 0; i < count; i++) g_string_append_printf(out, "%s%s", i > 0 ? "." : "", set->names[i]);
  return g_string_free(out, FALSE);
}

static adl_node *read_value(setting *set, size_t from) {
  adl_tree *tree = set->tree;
  adl_build build = {tree->region, tree->variables, &tree->nodes, set->problems, &set->source, NULL};
  const char *text = set->source.text;
  size_t end = set->source.characters;
  while (text[adl_source_byte(&set->source, from)] == ' ') from++;
  while (end > from && text[adl_source_byte(&set->source, end - 1)] == ' ') end--;
  char first = text[adl_source_byte(&set->source, from)];
  if (first != '\0' && strchr("[{\"'", first) != NULL) return adl_build_yaml(&build, from);
  return adl_build_plain(&build, from, end);
}

/* Room for one more pair. */
static void append_pair(adl_tree *tree, adl_node *mapping, const char *key, adl_place place, adl_node *value) {
  adl_pair *pairs = ADL_REGION_NEW(tree->region, adl_pair, mapping->count + 1);
  if (mapping->count > 0) memcpy(pairs, mapping->pairs, (size_t)mapping->count * sizeof *pairs);
  pairs[mapping->count] = (adl_pair){adl_region_text(tree->region, key), place, value};
  mapping->pairs = pairs;
  mapping->count++;
}

static adl_node *new_mapping(adl_tree *tree, adl_place place) {
  adl_node *node = ADL_REGION_NEW(tree->region, adl_node, 1);
  *node = (adl_node){.kind = ADL_NODE_MAPPING, .place = place, .text = ""};
  return node;
}

/* The item that name `at` of the path says; NULL: reported. */
static adl_node **find_item(const setting *set, adl_node *list, int at) {
  char *end;
  unsigned long number = strtoul(set->names[at], &end, 10);
  if (g_ascii_isdigit(set->names[at][0]) && *end == '\0' && number < (unsigned long)list->count) {
    return &list->items[number];
  }
  char *path = path_text(set, at);
  fail(set, at, "%s is a list of %d; a number from 0 to %d must follow", path, list->count, MAX(list->count - 1, 0));
  g_free(path);
  return NULL;
}

/* Puts the value below `node`, along the names from `at` on. */
static bool put(setting *set, adl_node *node, int at, adl_node *value) {
  for (; at < set->count; at++) {
    bool last = at + 1 == set->count;
    adl_node **item = NULL;
    if (node->kind == ADL_NODE_SEQUENCE) {
      item = find_item(set, node, at);
      if (item == NULL) return false;
    } else {
      if (node->kind == ADL_NODE_SCALAR && node->null) *node = *new_mapping(set->tree, node->place);
      if (node->kind != ADL_NODE_MAPPING) {
        char *path = path_text(set, at);
        fail(set, at, "%s is a single value, so nothing can be set in it", path);
        g_free(path);
        return false;
      }
      adl_pair *pair = (adl_pair *)adl_node_pair(node, set->names[at]);
      if (pair == NULL) {
        append_pair(set->tree, node, set->names[at], set->where[at],
                    last ? value : new_mapping(set->tree, set->where[at]));
        pair = &node->pairs[node->count - 1];
      }
      item = &pair->value;
      if (last) pair->place = set->where[at];
    }
    if (last) *item = value;
    node = *item;
  }
  return true;
}

static void unknown_stage(const setting *set, const adl_node *stages) {
  int count = stages != NULL && stages->kind == ADL_NODE_MAPPING ? stages->count : 0;
  const char **names = g_new0(const char *, count + 1);
  for (int i = 0; i < count; i++) names[i] = stages->pairs[i].key;
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "there is no stage `%s`", set->names[0]);
  adl_text_suggest(text, set->names[0], names, (size_t)count);
  fail(set, 0, "%s", text->str);
  g_string_free(text, TRUE);
  g_free(names);
}

static bool apply(setting *set, size_t value_at) {
  adl_node *root = set->tree->root;
  if (root == NULL) return false; /* it has been said why */
  if (root->kind != ADL_NODE_MAPPING) {
    fail(set, 0, "nothing can be set: the pipeline file has no keys");
    return false;
  }
  for (int i = 0; i < set->count; i++) {
    if (*set->names[i] != '\0') continue;
    fail(set, i, "a name is missing here; an option is written stage.parameter=value");
    return false;
  }
  const adl_node *stages = adl_node_get(root, "stages");
  const adl_node *stage = adl_node_get(stages, set->names[0]);
  if (set->count == 1 && stage != NULL && adl_node_get(root, set->names[0]) == NULL) {
    fail(set, 0, "%s is a stage: write %s.PARAMETER=value", set->names[0], set->names[0]);
    return false;
  }
  if (set->count > 1 && stage == NULL && adl_node_get(root, set->names[0]) == NULL) {
    unknown_stage(set, stages);
    return false;
  }
  adl_node *value = read_value(set, value_at);
  if (value == NULL) return false;
  bool in_stage = set->count > 1 && stage != NULL;
  return put(set, in_stage ? (adl_node *)stage : root, in_stage ? 1 : 0, value) && !value->broken;
}

bool adl_tree_set(adl_tree *tree, const char *option, adl_problems *problems) {
  /* The text grows by a line; an option that has several keeps its lines. */
  char *text = adl_region_text(tree->region, option);
  size_t size = strlen(text);
  g_string_append_len(tree->options, text, (gssize)size);
  g_string_append_c(tree->options, '\n');
  adl_problems_source(problems, NAME, tree->options->str, tree->options->len);

  setting set = {.tree = tree, .problems = problems};
  bool fine = size <= ADL_TREE_MAX_BYTES;
  if (!fine) adl_problems_error(problems, (adl_place){NAME, tree->option_count + 1, 1, 0}, "is too long");
  fine = fine && adl_source_open(&set.source, NAME, text, size, tree->option_count, problems);
  if (fine) {
    const char *begin = set.source.text, *equals = strchr(begin, '=');
    if (equals == NULL || equals == begin) {
      adl_problems_error(problems, adl_source_place(&set.source, 0, set.source.characters),
                         "an option is written stage.parameter=value");
      fine = false;
    } else {
      split_path(&set, (size_t)(equals - begin));
      fine = apply(&set, (size_t)g_utf8_strlen(begin, equals - begin) + 1);
    }
  }
  if (set.source.lines != NULL)
    tree->option_count += (int)set.source.lines->len;
  else
    tree->option_count++;
  adl_source_close(&set.source);
  g_strfreev(set.names);
  g_free(set.where);
  return fine;
}
