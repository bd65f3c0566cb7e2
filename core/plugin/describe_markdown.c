/*
 * The plugin reference in Markdown. Called by `adloom plugin show --markdown`.
 */
#include <string.h>

#include "core/plugin/describe.h"
#include "core/plugin/internal.h"

/* Text for a cell of a table: one line, no bare |. */
static void append_cell(GString *out, const char *text) {
  for (; *text != '\0'; text++)
    if (*text == '|')
      g_string_append(out, "\\|");
    else
      g_string_append_c(out, *text == '\n' ? ' ' : *text);
}

static void append_param(const adl_param *param, GString *out) {
  GString *type = g_string_new(NULL), *facts = g_string_new(NULL);
  adl_describe_type(param, type);
  adl_describe_facts(param, facts);
  g_string_append_printf(out, "| `%s` | ", param->name);
  append_cell(out, type->str);
  g_string_append(out, " | ");
  append_cell(out, facts->str);
  g_string_append(out, " | ");
  append_cell(out, param->doc != NULL ? param->doc : "");
  if (param->since != NULL) g_string_append_printf(out, " Since %s.", param->since);
  if (param->alias != NULL) g_string_append_printf(out, " Also known as `%s`.", param->alias);
  if (param->deprecated != NULL) {
    g_string_append(out, " Deprecated: ");
    append_cell(out, param->deprecated);
  }
  g_string_append(out, " |\n");
  g_string_free(type, TRUE);
  g_string_free(facts, TRUE);
}

/* Lines that begin with a blank are an example: four blanks make them code. */
static void append_doc(GString *out, const char *doc) {
  char **lines = g_strsplit(doc, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    g_string_append_printf(out, "%s%s\n", **line == ' ' && strncmp(*line, "    ", 4) != 0 ? "    " : "", *line);
  g_strfreev(lines);
}

void adl_describe_markdown(const adl_loaded *loaded, int level, GString *out) {
  const adl_class *class = &loaded->class;
  for (int i = 0; i < level; i++) g_string_append_c(out, '#');
  g_string_append_printf(out, " %s\n\n", class->id);
  if (class->title[0] != '\0') g_string_append_printf(out, "*%s*\n\n", class->title);
  append_doc(out, class->doc);
  GString *behaviour = g_string_new(NULL);
  adl_describe_behaviour(loaded, behaviour);
  g_string_append_printf(out, "\n%s\n\n", behaviour->str);
  g_string_free(behaviour, TRUE);
  if (class->param_count > 0) g_string_append(out, "| parameter | type | | what it is |\n| --- | --- | --- | --- |\n");
  for (uint32_t i = 0; i < class->param_count; i++) append_param(&class->params[i], out);
  g_string_append_c(out, '\n');
}

bool adl_describe_reference(adl_registry *registry, GString *out, GString *why) {
  static const char *const headings[] = {"",         "Sources",  "Transforms", "Features",
                                         "Profiles", "Optimize", "Evaluate",   "Sinks"};
  const char **ids = adl_registry_ids(registry);
  bool fine = true;
  for (uint32_t kind = ADL_SOURCE; fine && adl_kind_name(kind) != NULL; kind++) {
    bool first = true;
    for (const char **id = ids; fine && *id != NULL; id++) {
      if (strchr(*id, '.') != NULL) continue;
      const adl_loaded *loaded = adl_registry_find(registry, *id, why);
      fine = loaded != NULL;
      if (!fine || loaded->class.kind != kind) continue;
      if (first) g_string_append_printf(out, "## %s\n\n", headings[kind]);
      first = false;
      adl_describe_markdown(loaded, 3, out);
    }
  }
  g_free(ids);
  return fine;
}
