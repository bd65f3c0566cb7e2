/* Where the results come from: versions, inputs with their hashes, the parameters of each stage. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "config.h"
#include "core/base/json.h"
#include "core/report/html.h"
#include "core/report/sections.h"

static void begin_row(GString *out, const char *name) {
  g_string_append(out, "<tr>");
  adl_html_element(out, "th", name);
  g_string_append(out, "<td class=\"path\">");
}

static void row(GString *out, const char *name, const char *value) {
  begin_row(out, name);
  adl_html_text(out, value);
  g_string_append(out, "</td></tr>\n");
}

/* The command line, paths, threads and memory say how a run was made, not what came of it. */
static void append_run(const adl_page *page) {
  GString *out = page->out;
  const adl_run_options *options = adl_engine_options(page->engine);
  g_string_append(out, "<div class=\"scroll\"><table class=\"facts\"><tbody>\n");
  row(out, "adloom", PACKAGE_VERSION);
  g_string_append(out, ADL_HTML_VARIES);
  row(out, "pipeline file", page->graph->path);
  row(out, "run directory", options->directory);
  begin_row(out, "command line");
  for (const char *const *a = options->arguments; a != NULL && *a != NULL; a++) {
    adl_html_text(out, *a);
    if (a[1] != NULL) g_string_append_c(out, ' ');
  }
  g_string_append(out, "</td></tr>\n");
  begin_row(out, "threads");
  g_string_append_printf(out, "%d</td></tr>\n", adl_engine_threads(page->engine));
  begin_row(out, "memory for rows");
  adl_html_bytes(out, adl_engine_memory(page->engine));
  g_string_append(out, "</td></tr>\n" ADL_HTML_VARIES_END);
  begin_row(out, "seed");
  g_string_append_printf(out, "%" G_GUINT64_FORMAT "</td></tr>\n</tbody></table></div>\n", page->graph->seed);
}

/* ---- inputs ---- */

typedef struct file_list {
  const adl_page *page;
  const adl_stage *stage;
  int count;
} file_list;

static void append_file(void *data, const adl_param *param, const char *path) {
  file_list *list = data;
  GString *out = list->page->out;
  char hex[33];
  int64_t bytes = 0;
  (void)param;
  if (list->count++ >= ADL_PAGE_ROWS) return;
  if (list->count == 1)
    g_string_append(out, "<div class=\"scroll\"><table><caption>Inputs</caption><thead><tr><th>stage</th><th>file</th>"
                         "<th class=\"n\">size</th><th>XXH3-128</th></tr></thead><tbody>\n");
  bool known = adl_engine_file(list->page->engine, path, &bytes, hex);
  g_string_append(out, "<tr>");
  adl_html_element(out, "td", list->stage->name);
  g_string_append(out, "<td class=\"path\">" ADL_HTML_VARIES);
  adl_html_text(out, strcmp(path, "-") == 0 ? "standard input" : path);
  g_string_append(out, ADL_HTML_VARIES_END "</td><td class=\"n\">");
  if (known) adl_html_bytes(out, bytes);
  g_string_append_printf(out, "</td><td class=\"path\"><code>%s</code></td></tr>\n", known ? hex : "");
}

static void append_inputs(const adl_page *page) {
  file_list list = {.page = page};
  for (guint i = 0; i < page->graph->stages->len; i++) {
    list.stage = page->graph->stages->pdata[i];
    if (list.stage->args != NULL) adl_args_each_file(list.stage->args, append_file, &list);
  }
  if (list.count > 0) g_string_append(page->out, "</tbody></table></div>\n");
  if (list.count > ADL_PAGE_ROWS)
    g_string_append_printf(page->out, "<p class=\"muted\">%d more files; all are in manifest.json.</p>\n",
                           list.count - ADL_PAGE_ROWS);
}

/* ---- parameters ---- */

enum { LONGEST_VALUE = 2000 };

static void append_parameters(GString *out, const adl_stage *stage) {
  GString *text = g_string_new(NULL);
  adl_args_json(stage->args, ADL_ARGS_FOR_MANIFEST, text);
  JsonParser *parser = json_parser_new();
  JsonNode *root =
      json_parser_load_from_data(parser, text->str, (gssize)text->len, NULL) ? json_parser_get_root(parser) : NULL;
  GList *names =
      root != NULL && JSON_NODE_HOLDS_OBJECT(root) ? json_object_get_members(json_node_get_object(root)) : NULL;
  for (GList *name = names; name != NULL; name = name->next) {
    JsonNode *value = json_object_get_member(json_node_get_object(root), name->data);
    bool plain = JSON_NODE_HOLDS_VALUE(value) && json_node_get_value_type(value) == G_TYPE_STRING;
    char *shown = plain ? json_node_dup_string(value) : adl_json_text(value, false);
    begin_row(out, name->data);
    adl_html_text_cut(out, shown, LONGEST_VALUE);
    g_string_append(out, "</td></tr>\n");
    g_free(shown);
  }
  g_list_free(names);
  g_object_unref(parser);
  g_string_free(text, TRUE);
}

static void append_stage(const adl_page *page, const adl_stage *stage) {
  GString *out = page->out;
  adl_stage_facts facts = adl_engine_stage_facts(page->engine, stage);
  g_string_append(out, "<details><summary>");
  adl_html_text(out, stage->name);
  g_string_append(out, " <small>");
  adl_html_text(out, stage->class->id);
  g_string_append_c(out, ' ');
  adl_html_text(out, stage->loaded->plugin.version);
  g_string_append(out, "</small></summary><div class=\"scroll\"><table class=\"facts\"><tbody>\n");
  if (stage->args != NULL) append_parameters(out, stage);
  row(out, "plugin", stage->loaded->path);
  if (stage->loaded->build[0] != '\0') row(out, "build", stage->loaded->build);
  g_string_append(out, ADL_HTML_VARIES); /* known only where there is a model store */
  if (facts.digest[0] != '\0') row(out, "digest", facts.digest);
  g_string_append(out, ADL_HTML_VARIES_END);
  g_string_append(out, "</tbody></table></div></details>\n");
}

void adl_page_provenance(const adl_page *page) {
  GString *out = page->out;
  g_string_append(out, "<section id=\"provenance\"><details><summary>Versions, inputs and parameters</summary>\n");
  append_run(page);
  append_inputs(page);
  g_string_append(out, "<h3>Parameters</h3>\n");
  for (guint i = 0; i < page->graph->stages->len; i++) {
    const adl_stage *stage = page->graph->stages->pdata[i];
    if (stage->role == ADL_STAGE_CLASS) append_stage(page, stage);
  }
  g_string_append(out, "</details></section>\n");
}
