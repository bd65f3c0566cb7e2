/* The graph in the languages of dot and mermaid. */
#include <string.h>

#include "core/graph/graph.h"

/* Text within quotes: of dot with \, of Mermaid as HTML has it. */
static void append_quoted(GString *out, const char *text, bool mermaid) {
  for (; *text != '\0'; text++) {
    bool special = *text == '"' || (mermaid ? strchr("<>&#", *text) != NULL : *text == '\\');
    if (special && mermaid)
      g_string_append_printf(out, "#%d;", *text);
    else if (special)
      g_string_append_printf(out, "\\%c", *text);
    else
      g_string_append_c(out, *text);
  }
}

/* "user string, at timestamp": the columns that somebody behind reads. */
static void edge_label(const adl_stage *from, GString *out, bool mermaid) {
  const char *line_end = mermaid ? "<br>" : "\\l";
  int shown = 0;
  for (int32_t i = 0; i < from->schema.count; i++) {
    char type[96];
    if (!from->needed[i]) continue;
    if (shown++ == 12) {
      g_string_append(out, "...");
      break;
    }
    append_quoted(out, from->schema.columns[i].name, mermaid);
    g_string_append_printf(out, ": %s%s", adl_type_name(from->schema.columns[i].field->type, type, sizeof type),
                           line_end);
  }
}

void adl_graph_print_dot(const adl_graph *graph, GString *text) {
  g_string_append(text, "digraph \"");
  append_quoted(text, graph->name, false);
  g_string_append(text, "\" {\n  node [shape=box];\n");
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    g_string_append_printf(text, "  s%u [label=\"%s\\n%s\"];\n", i, stage->name, adl_stage_class_name(stage));
  }
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    const GPtrArray *lists[] = {stage->from, stage->sides};
    for (int l = 0; l < 2; l++)
      for (guint k = 0; k < lists[l]->len; k++) {
        const adl_stage *from = lists[l]->pdata[k];
        g_string_append_printf(text, "  s%d -> s%u [%slabel=\"", from->number, i, l == 1 ? "style=dashed, " : "");
        edge_label(from, text, false);
        g_string_append(text, "\"];\n");
      }
  }
  g_string_append(text, "}\n");
}

void adl_graph_print_mermaid(const adl_graph *graph, GString *text) {
  g_string_append(text, "flowchart TD\n");
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    g_string_append_printf(text, "  s%u[\"%s<br>%s\"]\n", i, stage->name, adl_stage_class_name(stage));
  }
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    const GPtrArray *lists[] = {stage->from, stage->sides};
    for (int l = 0; l < 2; l++)
      for (guint k = 0; k < lists[l]->len; k++) {
        const adl_stage *from = lists[l]->pdata[k];
        GString *label = g_string_new(NULL);
        edge_label(from, label, true);
        g_string_append_printf(text, "  s%d %s", from->number, l == 1 ? "-.->" : "-->");
        if (label->len > 0) g_string_append_printf(text, "|\"%s\"|", label->str); /* an empty one is an error */
        g_string_append_printf(text, " s%u\n", i);
        g_string_free(label, TRUE);
      }
  }
}
