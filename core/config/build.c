/* See build.h. One recursive function per kind of node; `stop` ends everything, other errors are reported and reading
 * goes on with what there is. */
#include "core/config/build.h"

#include <string.h>
#include <xxhash.h>
#include <yaml.h>

#include "core/base/text.h"

typedef struct builder {
  const adl_build *to;
  size_t first; /* character of the source at which libyaml's text begins */
  yaml_parser_t parser;
  GHashTable *anchors; /* name -> anchor */
  bool stop;
} builder;

typedef struct anchor {
  adl_node *node;
  bool open; /* its end has not been read */
} anchor;

static adl_node *read_node(builder *build, yaml_event_t *event, int depth);

/* ---- places ---------------------------------------------------------------------------------------------------- */

static size_t character(const builder *build, yaml_mark_t mark) { return build->first + mark.index; }

static adl_place place_of(const builder *build, size_t from, size_t to) {
  return build->to->fixed != NULL ? *build->to->fixed : adl_source_place(build->to->source, from, to);
}

static adl_place event_place(const builder *build, const yaml_event_t *event) {
  return place_of(build, character(build, event->start_mark), character(build, event->end_mark));
}

/* A place in the text, as libyaml goes through it. */
typedef struct cursor {
  const char *text, *end;
  size_t character;
} cursor;

static bool more(const cursor *at) { return at->text < at->end; }

static void step(cursor *at) {
  at->text = g_utf8_next_char(at->text);
  at->character++;
}

static void skip_anchor(cursor *at) {
  do step(at);
  while (more(at) && (g_ascii_isalnum(*at->text) || *at->text == '_' || *at->text == '-'));
}

static void skip_tag(cursor *at) {
  while (more(at) && strchr(" \t\r\n,", *at->text) == NULL) step(at);
}

static void skip_blanks_and_comments(cursor *at) {
  for (bool comment = false; more(at); step(at)) {
    if (*at->text == '\n' || *at->text == '\r') comment = false;
    if (*at->text == '#') comment = true;
    if (!comment && strchr(" \t\r\n", *at->text) == NULL) break;
  }
}

/* The first character behind an event's anchor and tag (which libyaml counts in), blanks and comments. */
static size_t behind_properties(const builder *build, const yaml_event_t *event, int properties) {
  const adl_source *source = build->to->source;
  cursor at = {NULL, source->text + source->size, character(build, event->start_mark)};
  if (properties == 0) return at.character;
  at.text = source->text + adl_source_byte(source, at.character);
  for (; properties > 0 && more(&at); properties--) {
    if (*at.text == '&') {
      skip_anchor(&at);
    } else {
      skip_tag(&at);
    }
    skip_blanks_and_comments(&at);
  }
  return at.character;
}

/* ---- nodes ----------------------------------------------------------------------------------------------------- */

static adl_node *new_node(builder *build, adl_node_kind kind, adl_place place) {
  if (++*build->to->nodes > ADL_TREE_MAX_NODES) {
    if (!build->stop) {
      adl_problems_error(build->to->problems, place, "more than %d values, aliases counted as often as they are used",
                         ADL_TREE_MAX_NODES);
    }
    build->stop = true;
    return NULL;
  }
  adl_node *node = ADL_REGION_NEW(build->to->region, adl_node, 1);
  node->kind = kind;
  node->place = place;
  node->text = "";
  return node;
}

/* What stands where nothing sensible can. */
static adl_node *broken_node(builder *build, adl_place place) {
  adl_node *node = new_node(build, ADL_NODE_SCALAR, place);
  if (node != NULL) node->null = node->broken = true;
  return node;
}

static adl_node *copy_node(builder *build, const adl_node *from, const adl_place *alias) {
  adl_node *node = new_node(build, from->kind, from->place);
  if (node == NULL) return NULL;
  *node = *from;
  node->alias = alias;
  if (from->kind == ADL_NODE_SEQUENCE) {
    node->items = ADL_REGION_NEW(build->to->region, adl_node *, from->count);
    for (int i = 0; i < from->count; i++) {
      if ((node->items[i] = copy_node(build, from->items[i], alias)) == NULL) return NULL;
    }
  } else if (from->kind == ADL_NODE_MAPPING) {
    node->pairs = ADL_REGION_NEW(build->to->region, adl_pair, from->count);
    for (int i = 0; i < from->count; i++) {
      node->pairs[i] = from->pairs[i];
      if ((node->pairs[i].value = copy_node(build, from->pairs[i].value, alias)) == NULL) return NULL;
    }
  }
  return node;
}

static void set_anchor(builder *build, const yaml_char_t *name, adl_node *node, bool open) {
  if (name == NULL) return;
  anchor *made = g_new(anchor, 1);
  *made = (anchor){node, open};
  g_hash_table_insert(build->anchors, g_strdup((const char *)name), made);
}

static adl_node *read_alias(builder *build, const yaml_event_t *event) {
  const char *name = (const char *)event->data.alias.anchor;
  adl_place place = event_place(build, event);
  const anchor *found = g_hash_table_lookup(build->anchors, name);
  if (found == NULL) {
    adl_problem *problem = adl_problems_error(build->to->problems, place, "nothing above is named &%s", name);
    adl_problem_hint(problem, "put the value in quotes if it is meant as text");
    return broken_node(build, place);
  }
  if (found->open) {
    adl_problems_error(build->to->problems, place, "*%s stands inside of what it names", name);
    return broken_node(build, place);
  }
  return copy_node(build, found->node, adl_region_copy(build->to->region, &place, sizeof place));
}

/* ---- tags ------------------------------------------------------------------------------------------------------- */

static const char CORE_TAG[] = "tag:yaml.org,2002:";

/* Is the tag one that this kind of node may have? */
static bool known_tag(const yaml_char_t *tag, const char *allowed) {
  const char *name = (const char *)tag;
  if (name == NULL || strcmp(name, "!") == 0) return true;
  if (!g_str_has_prefix(name, CORE_TAG)) return false;
  char **names = g_strsplit(allowed, " ", -1);
  bool found = g_strv_contains((const char *const *)names, name + strlen(CORE_TAG));
  g_strfreev(names);
  return found;
}

static void check_tag(builder *build, const yaml_event_t *event, const yaml_char_t *tag, const char *allowed,
                      adl_node *node) {
  if (known_tag(tag, allowed)) return;
  const char *name = (const char *)tag;
  bool core = g_str_has_prefix(name, CORE_TAG);
  adl_place place = event_place(build, event);
  place.width = 1;
  adl_problem *problem = adl_problems_error(build->to->problems, place, "the tag %s%s cannot stand here",
                                            core ? "!!" : "", core ? name + strlen(CORE_TAG) : name);
  adl_problem_hint(problem, "values need no tags; put the value in quotes if it is meant as text");
  node->broken = true;
}

/* ---- variables in flow collections ------------------------------------------------------------------------------ */

/*
 * [a, ${B}] is not YAML: a plain value in brackets cannot hold braces. So libyaml gets to see the braces of variables as
 * two characters that Unicode reserves for such use (and that adl_source_open refuses), and values are turned back.
 * libyaml's marks count characters, so places stay right.
 */
static const char OPENING[] = "\xef\xb7\x90", CLOSING[] = "\xef\xb7\x91"; /* U+FDD0, U+FDD1 */

enum { MAX_VARIABLE = 512 }; /* bytes of a ${...} in a flow collection; more must be in quotes */

/* The end of the variable that begins at `at`, behind its }; `at`: there is none on this line. */
static size_t variable_end(const char *text, size_t size, size_t at) {
  size_t end = at + 1;
  size = MIN(size, at + MAX_VARIABLE);
  if (text[at] != '$' || end >= size || text[end] != '{') return at;
  for (int depth = 0; end < size && text[end] != '\n' && text[end] != '\r'; end++) {
    depth += text[end] == '{' ? 1 : text[end] == '}' ? -1 : 0;
    if (depth == 0) return end + 1;
  }
  return at;
}

/* The text with the braces of its variables hidden; NULL: there are none. Free it. */
static GString *hide_braces(const char *text, size_t size) {
  if (g_strstr_len(text, (gssize)size, "${") == NULL) return NULL;
  GString *out = g_string_sized_new(size + 64);
  for (size_t at = 0; at < size; at++) {
    for (size_t end = variable_end(text, size, at); at < end; at++) {
      if (text[at] == '{') g_string_append(out, OPENING);
      if (text[at] == '}') g_string_append(out, CLOSING);
      if (text[at] != '{' && text[at] != '}') g_string_append_c(out, text[at]);
    }
    if (at < size) g_string_append_c(out, text[at]);
  }
  return out;
}

/* Turns the braces back, in place. */
static void show_braces(char *text) {
  if (strstr(text, OPENING) == NULL && strstr(text, CLOSING) == NULL) return;
  char *to = text;
  for (const char *from = text; *from != '\0';) {
    bool opening = strncmp(from, OPENING, 3) == 0, closing = strncmp(from, CLOSING, 3) == 0;
    *to++ = opening ? '{' : closing ? '}' : *from;
    from += opening || closing ? 3 : 1;
  }
  *to = '\0';
}

/* ---- scalars ---------------------------------------------------------------------------------------------------- */

static bool is_null(const char *text) {
  return *text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 || strcmp(text, "Null") == 0 ||
         strcmp(text, "NULL") == 0;
}

/* Does it hold a line break, also one that is none but for YAML 1.1 (NEL, LS, PS)? Then libyaml has folded it. */
static bool is_folded(const char *raw, size_t size) {
  if (memchr(raw, '\n', size) != NULL || memchr(raw, '\r', size) != NULL) return true;
  gssize length = (gssize)size;
  return g_strstr_len(raw, length, "\xc2\x85") != NULL || g_strstr_len(raw, length, "\xe2\x80\xa8") != NULL ||
         g_strstr_len(raw, length, "\xe2\x80\xa9") != NULL;
}

/* Remembers how a scalar on one line was written. */
static void set_source(const adl_build *to, adl_node *node, adl_scalar_form form, size_t from, size_t end) {
  size_t at = adl_source_byte(to->source, from), size = adl_source_byte(to->source, end) - at;
  const char *raw = to->source->text + at;
  if (to->fixed != NULL || is_folded(raw, size)) return;
  struct adl_scalar_source *made = ADL_REGION_NEW(to->region, struct adl_scalar_source, 1);
  *made = (struct adl_scalar_source){.form = form, .raw = raw, .size = (int)size};
  node->source = made;
}

/* Replaces ${...} in node->text. What it brings may be a number also where YAML asks for quotes. */
static void expand(const adl_build *to, adl_node *node) {
  if (to->variables == NULL || strstr(node->text, "${") == NULL) return;
  GString *out = g_string_new(NULL);
  GArray *replaced = g_array_new(FALSE, FALSE, sizeof(adl_replaced));
  adl_variable_fault fault;
  if (!adl_variables_expand(to->variables, node->text, out, replaced, &fault)) {
    adl_place place = adl_node_place(node, fault.at);
    if (node->source != NULL) place.width = adl_node_place(node, fault.at + fault.size).column - place.column;
    adl_problems_error(to->problems, place, "%s", fault.message);
    node->broken = true;
  } else {
    node->text = adl_region_text_n(to->region, out->str, out->len);
    node->quoted = false;
    if (node->source != NULL) {
      struct adl_scalar_source *source = adl_region_copy(to->region, node->source, sizeof *source);
      source->replaced_count = (int)replaced->len;
      source->replaced = adl_region_copy(to->region, replaced->data, replaced->len * sizeof(adl_replaced));
      node->source = source;
    }
  }
  g_array_free(replaced, TRUE);
  g_string_free(out, TRUE);
}

static adl_node *read_scalar(builder *build, const yaml_event_t *event) {
  const adl_build *to = build->to;
  const yaml_char_t *tag = event->data.scalar.tag;
  size_t from = behind_properties(build, event, (event->data.scalar.anchor != NULL) + (tag != NULL));
  size_t end = character(build, event->end_mark);
  from = MIN(from, end);
  adl_node *node = new_node(build, ADL_NODE_SCALAR, place_of(build, from, end));
  if (node == NULL) return NULL;
  size_t size = event->data.scalar.length;
  yaml_scalar_style_t style = event->data.scalar.style;
  char *text = adl_region_text_n(to->region, (const char *)event->data.scalar.value, size);
  bool holds_nul = strlen(text) != size;
  show_braces(text);
  node->text = text;
  node->quoted = style != YAML_PLAIN_SCALAR_STYLE;
  if (holds_nul) {
    adl_problems_error(to->problems, node->place, "a text cannot hold \\0");
    node->broken = true;
  }
  check_tag(build, event, tag, "str int float bool null", node);
  if (tag != NULL && !node->broken) {
    const char *name = (const char *)tag;
    node->quoted = strcmp(name, "!") == 0 || strcmp(name + strlen(CORE_TAG), "str") == 0;
  }
  node->null = !node->quoted && is_null(node->text);
  if (style == YAML_PLAIN_SCALAR_STYLE) set_source(to, node, ADL_SCALAR_PLAIN, from, end);
  if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE) set_source(to, node, ADL_SCALAR_SINGLE, from, end);
  if (style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) set_source(to, node, ADL_SCALAR_DOUBLE, from, end);
  expand(to, node);
  set_anchor(build, event->data.scalar.anchor, node, false);
  return node;
}

/* ---- collections ------------------------------------------------------------------------------------------------ */

static bool next(builder *build, yaml_event_t *event) {
  if (build->stop) return false;
  if (yaml_parser_parse(&build->parser, event)) return true;
  adl_build_syntax_error(&build->parser, build->to->source, build->first, build->to->problems);
  build->stop = true;
  return false;
}

/* A collection's node, its anchor set. Its width is known at its end. */
static adl_node *open_node(builder *build, adl_node_kind kind, const yaml_event_t *event, const yaml_char_t *name,
                           const yaml_char_t *tag, int depth) {
  size_t from = behind_properties(build, event, (name != NULL) + (tag != NULL));
  adl_place place = place_of(build, from, from + 1);
  if (depth > ADL_TREE_MAX_DEPTH) {
    adl_problems_error(build->to->problems, place, "nested more than %d deep", ADL_TREE_MAX_DEPTH);
    build->stop = true;
    return NULL;
  }
  adl_node *node = new_node(build, kind, place);
  if (node == NULL) return NULL;
  check_tag(build, event, tag, kind == ADL_NODE_SEQUENCE ? "seq" : "map", node);
  set_anchor(build, name, node, true);
  return node;
}

static void close_node(builder *build, adl_node *node, const yaml_event_t *start, const yaml_event_t *event,
                       const yaml_char_t *name, bool flow) {
  if (name != NULL) {
    anchor *made = g_hash_table_lookup(build->anchors, name);
    if (made != NULL && made->node == node) made->open = false;
  }
  if (!flow || build->to->fixed != NULL) return;
  size_t from = character(build, start->start_mark), end = character(build, event->end_mark);
  adl_place whole = place_of(build, from, end);
  if (whole.line == node->place.line) node->place.width = whole.column + whole.width - node->place.column;
}

static adl_node *read_sequence(builder *build, const yaml_event_t *start, int depth) {
  const yaml_char_t *name = start->data.sequence_start.anchor;
  adl_node *node = open_node(build, ADL_NODE_SEQUENCE, start, name, start->data.sequence_start.tag, depth);
  if (node == NULL) return NULL;
  GPtrArray *items = g_ptr_array_new();
  yaml_event_t event;
  while (next(build, &event)) {
    if (event.type == YAML_SEQUENCE_END_EVENT) {
      close_node(build, node, start, &event, name, start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
      yaml_event_delete(&event);
      node->count = (int)items->len;
      node->items = adl_region_copy(build->to->region, items->pdata, items->len * sizeof(void *));
      break;
    }
    adl_node *item = read_node(build, &event, depth + 1);
    if (item != NULL) g_ptr_array_add(items, item);
  }
  g_ptr_array_free(items, TRUE);
  return build->stop ? NULL : node;
}

/* A mapping in the making. */
typedef struct entries {
  GArray *pairs;    /* of adl_pair */
  GHashTable *seen; /* key -> number in pairs, + 1 */
  adl_node *merge;  /* value of <<, NULL: none */
  adl_place merge_place;
  guint merge_at; /* pairs in front of it */
} entries;

/* GLib's hash of strings is easily made to collide, and keys come from anywhere. */
static guint hash_key(gconstpointer key) { return (guint)XXH3_64bits(key, strlen(key)); }

static bool is_merge(const yaml_event_t *event) {
  return event->type == YAML_SCALAR_EVENT && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
         event->data.scalar.tag == NULL && strcmp((const char *)event->data.scalar.value, "<<") == 0;
}

static void add_pair(builder *build, entries *to, const adl_node *key, adl_node *value) {
  guint number = GPOINTER_TO_UINT(g_hash_table_lookup(to->seen, key->text));
  if (number > 0) {
    adl_problem *problem =
        adl_problems_error(build->to->problems, key->place, "the key `%s` stands here a second time", key->text);
    adl_problem_note(problem, g_array_index(to->pairs, adl_pair, number - 1).place, "the first one is here");
    return;
  }
  adl_pair pair = {key->text, key->place, value};
  g_array_append_val(to->pairs, pair);
  g_hash_table_insert(to->seen, (gpointer)key->text, GUINT_TO_POINTER(to->pairs->len));
}

/* Reads one key, from its event, and its value. */
static void read_pair(builder *build, entries *to, yaml_event_t *event, int depth) {
  bool merge = is_merge(event);
  adl_place place = event_place(build, event);
  const adl_build *to_all = build->to;
  adl_build literal = *build->to; /* keys are not expanded */
  literal.variables = NULL;
  build->to = &literal;
  adl_node *key = read_node(build, event, depth + 1);
  build->to = to_all;
  yaml_event_t value_event;
  if (key == NULL || !next(build, &value_event)) return;
  adl_node *value = read_node(build, &value_event, depth + 1);
  if (value == NULL) return;
  if (merge) {
    if (to->merge != NULL) {
      adl_problem *problem = adl_problems_error(build->to->problems, place, "<< stands here a second time");
      adl_problem_hint(problem, "merge several mappings with <<: [*a, *b]");
      return;
    }
    to->merge = value;
    to->merge_place = place;
    to->merge_at = to->pairs->len;
  } else if (key->kind != ADL_NODE_SCALAR) {
    adl_problems_error(build->to->problems, place, "a key must be a name, not a %s",
                       key->kind == ADL_NODE_SEQUENCE ? "list" : "mapping");
  } else if (*key->text == '\0' && !key->broken) {
    adl_problems_error(build->to->problems, place, "an entry without a name");
  } else if (!key->broken) {
    add_pair(build, to, key, value);
  }
}

/* Adds the pairs of a merged mapping to `out`, save those whose key is there already. */
static void merge_one(builder *build, entries *from, const adl_node *mapping, GArray *out) {
  if (mapping->kind != ADL_NODE_MAPPING) {
    if (mapping->broken) return;
    adl_problems_error(build->to->problems, mapping->alias != NULL ? *mapping->alias : mapping->place,
                       "<< takes a mapping or a list of mappings");
    return;
  }
  for (int i = 0; i < mapping->count; i++) {
    if (g_hash_table_contains(from->seen, mapping->pairs[i].key)) continue;
    g_hash_table_insert(from->seen, (gpointer)mapping->pairs[i].key, GUINT_TO_POINTER(1));
    g_array_append_val(out, mapping->pairs[i]);
  }
}

static void merge_all(builder *build, entries *from) {
  const adl_node *merge = from->merge;
  if (merge == NULL) return;
  GArray *merged = g_array_new(FALSE, FALSE, sizeof(adl_pair));
  if (merge->kind == ADL_NODE_SEQUENCE) {
    for (int i = 0; i < merge->count; i++) merge_one(build, from, merge->items[i], merged);
  } else {
    merge_one(build, from, merge, merged);
  }
  if (merged->len > 0) g_array_insert_vals(from->pairs, from->merge_at, merged->data, merged->len);
  g_array_free(merged, TRUE);
}

static adl_node *read_mapping(builder *build, const yaml_event_t *start, int depth) {
  const yaml_char_t *name = start->data.mapping_start.anchor;
  adl_node *node = open_node(build, ADL_NODE_MAPPING, start, name, start->data.mapping_start.tag, depth);
  if (node == NULL) return NULL;
  entries made = {.pairs = g_array_new(FALSE, FALSE, sizeof(adl_pair)),
                  .seen = g_hash_table_new(hash_key, g_str_equal)};
  yaml_event_t event;
  while (next(build, &event)) {
    if (event.type == YAML_MAPPING_END_EVENT) {
      close_node(build, node, start, &event, name, start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
      yaml_event_delete(&event);
      merge_all(build, &made);
      node->count = (int)made.pairs->len;
      node->pairs = adl_region_copy(build->to->region, made.pairs->data, made.pairs->len * sizeof(adl_pair));
      break;
    }
    read_pair(build, &made, &event, depth);
  }
  g_array_free(made.pairs, TRUE);
  g_hash_table_destroy(made.seen);
  return build->stop ? NULL : node;
}

/* Takes the event over. NULL: stopped. */
static adl_node *read_node(builder *build, yaml_event_t *event, int depth) {
  adl_node *node = NULL;
  switch (event->type) {
    case YAML_ALIAS_EVENT: node = read_alias(build, event); break;
    case YAML_SCALAR_EVENT: node = read_scalar(build, event); break;
    case YAML_SEQUENCE_START_EVENT: node = read_sequence(build, event, depth); break;
    case YAML_MAPPING_START_EVENT: node = read_mapping(build, event, depth); break;
    default: build->stop = true; break; /* libyaml gives no other event where a node may stand */
  }
  yaml_event_delete(event);
  return build->stop ? NULL : node;
}

/* ---- documents -------------------------------------------------------------------------------------------------- */

static adl_node *read_document(builder *build) {
  adl_node *root = NULL;
  yaml_event_t event;
  bool second = false;
  while (next(build, &event)) {
    yaml_event_type_t type = event.type;
    if (type == YAML_DOCUMENT_START_EVENT && second) {
      adl_place place = event_place(build, &event);
      adl_problems_error(build->to->problems, place, "a second document begins here; there can be only one");
      build->stop = true;
    }
    second = second || type == YAML_DOCUMENT_START_EVENT;
    if (type == YAML_ALIAS_EVENT || type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
        type == YAML_MAPPING_START_EVENT) {
      root = read_node(build, &event, 1);
    } else {
      yaml_event_delete(&event);
    }
    if (type == YAML_STREAM_END_EVENT) break;
  }
  if (root == NULL && !build->stop) {
    adl_problems_error(build->to->problems, (adl_place){build->to->source->name, 0, 0, 0}, "is empty");
  }
  return build->stop ? NULL : root;
}

adl_node *adl_build_yaml(const adl_build *to, size_t first) {
  builder build = {.to = to, .first = first};
  if (!yaml_parser_initialize(&build.parser)) g_error("out of memory: no YAML parser");
  size_t at = adl_source_byte(to->source, first), size = to->source->size - at;
  const char *text = to->source->text + at;
  GString *hidden = to->variables != NULL ? hide_braces(text, size) : NULL;
  if (hidden != NULL) {
    text = hidden->str;
    size = hidden->len;
  }
  yaml_parser_set_encoding(&build.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&build.parser, (const unsigned char *)text, size);
  build.anchors = g_hash_table_new_full(hash_key, g_str_equal, g_free, g_free);
  adl_node *root = read_document(&build);
  g_hash_table_destroy(build.anchors);
  yaml_parser_delete(&build.parser);
  if (hidden != NULL) g_string_free(hidden, TRUE);
  return root;
}

adl_node *adl_build_plain(const adl_build *to, size_t first, size_t end) {
  builder build = {.to = to};
  adl_node *node = new_node(&build, ADL_NODE_SCALAR, place_of(&build, first, end));
  if (node == NULL) return NULL;
  size_t at = adl_source_byte(to->source, first);
  node->text = adl_region_text_n(to->region, to->source->text + at, adl_source_byte(to->source, end) - at);
  node->null = is_null(node->text);
  set_source(to, node, ADL_SCALAR_PLAIN, first, end);
  expand(to, node);
  return node;
}
