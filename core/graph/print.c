/* The graph in the languages of dot and mermaid. */
#include "core/graph/graph.h"

/* "user string, at timestamp": the columns that somebody behind reads. */
static void edge_label(const adl_stage *from, GString *out, const char *line_end) {
  int shown = 0;
  for (int32_t i = 0; i < from->schema.count; i++) {
    char type[96];
    if (!from->needed[i]) continue;
    if (shown++ == 12) {
      g_string_append(out, "...");
      break;
    }
    g_string_append_printf(out, "%s: %s%s", from->schema.columns[i].name,
                           adl_type_name(from->schema.columns[i].field->type, type, sizeof type), line_end);
  }
}

static const char *class_name(const adl_stage *stage) {
  return stage->role == ADL_STAGE_CLASS    ? stage->class->id
         : stage->role == ADL_STAGE_CONCAT ? "(rows of several)"
                                           : "(holdout)";
}

void adl_graph_print_dot(const adl_graph *graph, GString *text) {
  g_string_append_printf(text, "digraph \"%s\" {\n  node [shape=box];\n", graph->name);
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    g_string_append_printf(text, "  s%u [label=\"%s\\n%s\"];\n", i, stage->name, class_name(stage));
  }
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    const GPtrArray *lists[] = {stage->from, stage->sides};
    for (int l = 0; l < 2; l++)
      for (guint k = 0; k < lists[l]->len; k++) {
        const adl_stage *from = lists[l]->pdata[k];
        g_string_append_printf(text, "  s%d -> s%u [%slabel=\"", from->number, i, l == 1 ? "style=dashed, " : "");
        edge_label(from, text, "\\l");
        g_string_append(text, "\"];\n");
      }
  }
  g_string_append(text, "}\n");
}

void adl_graph_print_mermaid(const adl_graph *graph, GString *text) {
  g_string_append(text, "flowchart TD\n");
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    g_string_append_printf(text, "  s%u[\"%s<br>%s\"]\n", i, stage->name, class_name(stage));
  }
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    const GPtrArray *lists[] = {stage->from, stage->sides};
    for (int l = 0; l < 2; l++)
      for (guint k = 0; k < lists[l]->len; k++) {
        const adl_stage *from = lists[l]->pdata[k];
        g_string_append_printf(text, "  s%d %s|\"", from->number, l == 1 ? "-.->" : "-->");
        edge_label(from, text, "<br>");
        g_string_append_printf(text, "\"| s%u\n", i);
      }
  }
}
