/*
 * Texts about classes and parameters in words: types, what a class does with rows. The list of plugins, and the page of
 * `adloom plugin show`. Markdown is in describe_markdown.c.
 */
#include "core/plugin/describe.h"

#include <string.h>

#include "core/base/text.h"
#include "core/config/value.h"
#include "core/plugin/internal.h"

/* ---- types ---- */

typedef struct type_words {
  const char *one, *many;
} type_words;

static type_words words_of(int type) {
  switch (type) {
    case ADL_PARAM_BOOL: return (type_words){"true or false", "truth values"};
    case ADL_PARAM_INT: return (type_words){"whole number", "whole numbers"};
    case ADL_PARAM_FLOAT: return (type_words){"number", "numbers"};
    case ADL_PARAM_STRING: return (type_words){"text", "texts"};
    case ADL_PARAM_CHOICE: return (type_words){"one of", "choices"};
    case ADL_PARAM_SIZE: return (type_words){"size", "sizes"};
    case ADL_PARAM_DURATION: return (type_words){"duration", "durations"};
    case ADL_PARAM_PATH_IN: return (type_words){"file to read", "files to read"};
    case ADL_PARAM_PATH_OUT: return (type_words){"file to write", "files to write"};
    case ADL_PARAM_COLUMN: return (type_words){"column", "columns"};
    case ADL_PARAM_NEW_COLUMN: return (type_words){"name for a new column", "names for new columns"};
    case ADL_PARAM_MATRIX: return (type_words){"columns, side by side", "columns"};
    case ADL_PARAM_STAGE: return (type_words){"another stage", "other stages"};
    case ADL_PARAM_EXPRESSION: return (type_words){"expression", "expressions"};
    case ADL_PARAM_CALL: return (type_words){"function call", "function calls"};
    default: return (type_words){"?", "?"};
  }
}

static const char *const element_names[] = {"bool",    "int32",     "int64",  "uint32", "float32",
                                            "float64", "timestamp", "string", "bytes"};
static const char *const shape_names[] = {"scalar", "list", "vector", "sparse", "bag"};
static const char *const role_names[] = {"number", "category"};

/* Appends the names of the bits of a mask. Well-known unions have a name of their own. */
static void append_mask(GString *out, uint32_t mask, const char *const *names, uint32_t count) {
  const char *set[16];
  size_t used = 0;
  for (uint32_t i = 0; i < count; i++)
    if ((mask & ADL_MASK(i)) != 0) set[used++] = names[i];
  adl_text_list(out, set, used, "or");
}

static void append_elements(GString *out, uint32_t elements) {
  uint32_t rest = elements;
  bool some = false;
  if ((rest & ADL_ANY_NUMERIC) == ADL_ANY_NUMERIC) {
    g_string_append(out, "any numeric");
    rest &= ~ADL_ANY_NUMERIC;
    some = true;
  }
  if (rest == 0) return;
  if (some) g_string_append(out, ", ");
  append_mask(out, rest, element_names, G_N_ELEMENTS(element_names));
}

/* " (string; scalar or list; category)": what a column may be, where that is narrower than everything. */
static void append_accepts(const adl_param *param, GString *out) {
  GString *inside = g_string_new(NULL);
  uint32_t elements = param->elements & ADL_ANY_ELEMENT, shapes = param->shapes & ADL_ANY_SHAPE;
  if (elements != 0 && elements != ADL_ANY_ELEMENT) append_elements(inside, elements);
  if (shapes != 0) {
    if (inside->len > 0) g_string_append(inside, "; ");
    if (shapes == ADL_ANY_SHAPE)
      g_string_append(inside, "any shape");
    else
      append_mask(inside, shapes, shape_names, G_N_ELEMENTS(shape_names));
  }
  if (param->roles == ADL_MASK(ADL_NUMBER) || param->roles == ADL_MASK(ADL_CATEGORY)) {
    if (inside->len > 0) g_string_append(inside, "; ");
    append_mask(inside, param->roles, role_names, G_N_ELEMENTS(role_names));
  }
  if (inside->len > 0) g_string_append_printf(out, " (%s)", inside->str);
  g_string_free(inside, TRUE);
}

static void append_choices(const adl_param *param, GString *out) {
  char **names = adl_choice_list(param->choices);
  g_string_append(out, param->type == ADL_PARAM_CALL ? " of " : " ");
  adl_text_list(out, (const char *const *)names, g_strv_length(names), "or");
  g_strfreev(names);
}

void adl_describe_type(const adl_param *param, GString *out) {
  type_words words = words_of(param->type);
  if ((param->flags & ADL_LIST_OF) != 0)
    g_string_append_printf(out, "list of %s", words.many);
  else if ((param->flags & ADL_LISTS_OF) != 0)
    g_string_append_printf(out, "list of lists of %s", words.many);
  else if ((param->flags & ADL_MAP_OF) != 0)
    g_string_append_printf(out, "names with %s", words.many);
  else
    g_string_append(out, words.one);
  if (param->choices != NULL) append_choices(param, out);
  append_accepts(param, out);
}

/* ---- what a class does, in sentences ---- */

static void sentence(GString *out, bool holds, const char *text) {
  if (!holds) return;
  if (out->len > 0) g_string_append_c(out, ' ');
  g_string_append(out, text);
}

void adl_describe_behaviour(const adl_loaded *loaded, GString *out) {
  const adl_class *class = &loaded->class;
  bool source = class->next != NULL, sink = class->write != NULL;
  bool learns = class->fit != NULL || class->learn != NULL;
  sentence(out, source, "Rows begin here.");
  sentence(out, sink, "Rows end here.");
  if (!source && !sink && class->finish != NULL && class->process == NULL)
    sentence(out, true, "A table of its own leaves, after the last row has come in.");
  else if (!source && !sink && loaded->forwards_only)
    sentence(out, true, class->kind == ADL_EVALUATE ? "No rows leave." : "Every row leaves as it came in.");
  else if (!source && !sink) {
    sentence(out, class->form == ADL_SAME, "Every row leaves, with the new columns added.");
    sentence(out, class->form == ADL_PICKED, "Rows may be left out, repeated or reordered; their columns stay.");
    sentence(out, class->form == ADL_NEW, "A table of its own leaves: only the new columns.");
  }
  bool single = (class->flags & ADL_SINGLE_PASS) != 0, all = (class->flags & ADL_ALL_ROWS) != 0;
  if (class->fit != NULL)
    g_string_append_printf(out, " Learns from %s%s.", all ? "all rows" : "the training rows",
                           single ? ", in one pass" : "");
  sentence(out, class->learn != NULL, "Can learn online: each row is scored before it is learned from.");
  sentence(out, learns && (class->flags & ADL_TRANSIENT) != 0, "What it learns belongs to the run and is not kept.");
  sentence(out, (class->flags & ADL_WHOLE_GROUPS) != 0,
           "Rows that belong together must stand together; they are seen as one group.");
  sentence(out, (class->flags & ADL_WHOLE_TABLE) != 0, "All rows are held in memory at once.");
  sentence(out, (class->flags & ADL_ORDERED) != 0, "Works on one batch at a time, in row order.");
  sentence(out, (class->flags & ADL_EXACT_ROWS) != 0,
           "A row's answer is the same, bit for bit, in whatever batch it stands.");
  sentence(
      out, (class->flags & ADL_NOT_REPEATABLE) != 0,
      "Not repeatable: the same input may give another output, so nothing behind it is taken from the model store.");
  sentence(out, (class->flags & ADL_FOR_JUDGING) != 0, "For judging only: a stage that learns is refused behind it.");
}

/* "required", "default 8", "in [1, 65536]", ...: all but type and text. */
void adl_describe_facts(const adl_param *param, GString *out) {
  const char *between = "";
  if (param->range != NULL || param->unit != NULL) {
    g_string_append_printf(out, "in%s%s%s%s", param->range != NULL ? " " : "", param->range != NULL ? param->range : "",
                           param->unit != NULL ? " " : "", param->unit != NULL ? param->unit : "");
    between = ", ";
  }
  if ((param->flags & ADL_REQUIRED) != 0) {
    g_string_append_printf(out, "%srequired", between);
    between = ", ";
  }
  if (param->default_value != NULL) {
    g_string_append_printf(out, "%sdefault %s", between,
                           param->default_value[0] != '\0' ? param->default_value : "\"\"");
    between = ", ";
  }
  static const struct {
    uint32_t flag;
    const char *text;
  } flags[] = {{ADL_LEARN_ONLY, "only used when learning"},
               {ADL_SECRET, "secret"},
               {ADL_LIVE, "may change while running"},
               {ADL_NULLS_PASS, "nulls are allowed"},
               {ADL_NAN_PASS, "NaN is allowed"},
               {ADL_GROUP_KEY, "part of the group's key"}};
  for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
    if ((param->flags & flags[i].flag) != 0) {
      g_string_append_printf(out, "%s%s", between, flags[i].text);
      between = ", ";
    }
}

/* ---- one class, for a terminal ---- */

/* Appends words of a paragraph, lines no wider than `width`, each begun by `indent` blanks. */
static void wrap(GString *out, const char *text, int indent, int width) {
  int column = 0;
  char **words = g_strsplit_set(text, " \n", -1);
  for (char **word = words; *word != NULL; word++) {
    if (**word == '\0') continue;
    int size = (int)g_utf8_strlen(*word, -1);
    if (column > 0 && column + 1 + size > width) {
      g_string_append_c(out, '\n');
      column = 0;
    }
    if (column == 0)
      g_string_append_printf(out, "%*s", indent, ""), column = indent;
    else
      g_string_append_c(out, ' '), column++;
    g_string_append(out, *word);
    column += size;
  }
  g_strfreev(words);
  if (column > 0) g_string_append_c(out, '\n');
}

/* Paragraphs, separated by empty lines; one whose lines begin with a blank is an example and stays as it is. */
static void wrap_paragraphs(GString *out, const char *text, int indent, int width) {
  char **paragraphs = g_strsplit(text, "\n\n", -1);
  for (char **paragraph = paragraphs; *paragraph != NULL; paragraph++) {
    if (**paragraph == '\0') continue;
    if (paragraph != paragraphs) g_string_append_c(out, '\n');
    if (**paragraph != ' ') {
      wrap(out, *paragraph, indent, width);
      continue;
    }
    char **lines = g_strsplit(*paragraph, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
      if (**line != '\0') g_string_append_printf(out, "%*s%s\n", indent, "", *line);
    g_strfreev(lines);
  }
  g_strfreev(paragraphs);
}

static void show_param(const adl_param *param, int width, GString *out) {
  GString *head = g_string_new(NULL), *facts = g_string_new(NULL), *text = g_string_new(param->doc);
  adl_describe_type(param, head);
  adl_describe_facts(param, facts);
  if (facts->len > 0) g_string_append_printf(head, "; %s", facts->str);
  if (param->since != NULL) g_string_append_printf(text, " Since %s.", param->since);
  if (param->alias != NULL) g_string_append_printf(text, " Also known as `%s`.", param->alias);
  if (param->deprecated != NULL) g_string_append_printf(text, " Deprecated: %s", param->deprecated);
  g_string_append_printf(out, "  %s\n", param->name);
  wrap(out, head->str, 6, width);
  wrap(out, text->str, 6, width);
  g_string_free(head, TRUE);
  g_string_free(facts, TRUE);
  g_string_free(text, TRUE);
}

void adl_describe_class(const adl_loaded *loaded, int width, GString *out) {
  const adl_class *class = &loaded->class;
  g_string_append_printf(out, "%s (%s)", class->id, adl_kind_name(class->kind));
  if (class->title[0] != '\0') g_string_append_printf(out, ": %s", class->title);
  g_string_append(out, "\n\n");
  wrap_paragraphs(out, class->doc, 2, width);
  if (class->doc[0] != '\0') g_string_append_c(out, '\n');
  GString *behaviour = g_string_new(NULL);
  adl_describe_behaviour(loaded, behaviour);
  wrap(out, behaviour->str, 2, width);
  g_string_free(behaviour, TRUE);
  g_string_append(out, class->param_count > 0 ? "\nParameters\n" : "\nIt has no parameters.\n");
  for (uint32_t i = 0; i < class->param_count; i++) show_param(&class->params[i], width, out);
  const adl_plugin *plugin = &loaded->plugin;
  g_string_append_printf(out, "\nPlugin %s %s, ABI %u.%u\n  %s (%s)\n  build %s\n", plugin->id, plugin->version,
                         plugin->abi_major, plugin->abi_minor, loaded->path, adl_place_name(loaded->place),
                         loaded->build);
  if (plugin->author[0] != '\0') g_string_append_printf(out, "  by %s\n", plugin->author);
  if (plugin->licence[0] != '\0') g_string_append_printf(out, "  licence %s\n", plugin->licence);
  if (plugin->home[0] != '\0') g_string_append_printf(out, "  %s\n", plugin->home);
}

/* ---- the list ---- */

static void list_kind(const adl_registry *registry, const char *kind, int id_width, GString *out) {
  for (uint32_t i = 0; i < adl_registry_file_count(registry); i++) {
    const adl_plugin_file *file = adl_registry_file(registry, i);
    for (uint32_t k = 0; file->refused == NULL && k < file->offer_count; k++) {
      const adl_offer *offer = &file->offers[k];
      if (offer->shadowed_by != NULL || strcmp(offer->kind, kind) != 0) continue;
      g_string_append_printf(out, "%-10s %-*s %-8s %s\n", offer->kind, id_width, offer->id, file->version, file->path);
    }
  }
}

void adl_describe_list(const adl_registry *registry, GString *out) {
  int id_width = 0;
  const char **ids = adl_registry_ids(registry);
  for (const char **id = ids; *id != NULL; id++) id_width = MAX(id_width, (int)strlen(*id));
  g_free(ids);
  for (uint32_t kind = ADL_SOURCE; adl_kind_name(kind) != NULL; kind++)
    list_kind(registry, adl_kind_name(kind), id_width, out);
  for (uint32_t i = 0; i < adl_registry_file_count(registry); i++) {
    const adl_plugin_file *file = adl_registry_file(registry, i);
    for (uint32_t k = 0; k < file->offer_count; k++)
      if (file->offers[k].shadowed_by != NULL)
        g_string_append_printf(out, "shadowed   %s in %s, by %s\n", file->offers[k].id, file->path,
                               file->offers[k].shadowed_by);
  }
  for (uint32_t i = 0; i < adl_registry_file_count(registry); i++) {
    const adl_plugin_file *file = adl_registry_file(registry, i);
    if (file->refused != NULL) g_string_append_printf(out, "refused    %s: %s\n", file->path, file->refused);
  }
  for (uint32_t i = 0; i < adl_registry_place_count(registry); i++) {
    const adl_plugin_place *place = adl_registry_place(registry, i);
    if (place->refused != NULL)
      g_string_append_printf(out, "not read   %s (%s): %s\n", place->path, adl_place_name(place->kind), place->refused);
  }
}
