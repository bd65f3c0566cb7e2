/* The graph as lines for a terminal: a stage a line, with what it gets from whom. */
#include "core/base/text.h"
#include "core/graph/graph.h"

enum { LEAST_COLUMNS = 30 }; /* of a line for names and types; else they stand below */

/* Where the four parts of a line begin. */
typedef struct layout {
  int class, from, columns, width; /* width 0: as long as it gets */
} layout;

const char *adl_stage_class_name(const adl_stage *stage) {
  return stage->role == ADL_STAGE_CLASS    ? stage->class->id
         : stage->role == ADL_STAGE_CONCAT ? "(rows of several)"
                                           : "(holdout)";
}

/* The stage of the file that people know these rows by; NULL: rows of several. */
static const adl_stage *of_file(const adl_stage *from) {
  while (from->role == ADL_STAGE_HOLDOUT) from = from->from->pdata[0];
  return from->role == ADL_STAGE_CLASS ? from : NULL;
}

/* Blanks up to a column of the terminal. */
static void pad_to(GString *out, int *at, int column) {
  for (; *at < column; ++*at) g_string_append_c(out, ' ');
}

static void put(GString *out, int *at, const char *text) {
  g_string_append(out, text);
  *at += adl_text_width(text);
}

/* "user: string, at: timestamp", broken between columns. */
static void put_columns(const adl_stage *from, const layout *l, int at, GString *out) {
  bool first = true;
  for (int32_t i = 0; i < from->schema.count; i++) {
    char type[96];
    if (!from->needed[i]) continue;
    adl_type_name(from->schema.columns[i].field->type, type, sizeof type);
    char *text = g_strdup_printf("%s: %s", from->schema.columns[i].name, type);
    int width = adl_text_width(text);
    if (!first) put(out, &at, ",");
    if (!first && l->width > 0 && at + 2 + width > l->width) {
      g_string_append_c(out, '\n');
      at = 0;
    } else if (!first) {
      put(out, &at, " ");
    }
    pad_to(out, &at, l->columns);
    put(out, &at, text);
    first = false;
    g_free(text);
  }
  g_string_append_c(out, '\n');
}

static void put_edge(const adl_stage *from, bool side, const layout *l, int at, GString *out) {
  if (from->role == ADL_STAGE_CONCAT) {
    for (guint i = 0; i < from->from->len; i++) {
      put_edge(from->from->pdata[i], side, l, at, out);
      at = 0;
    }
    return;
  }
  pad_to(out, &at, l->from);
  put(out, &at, side ? "with " : "<- ");
  put(out, &at, of_file(from) != NULL ? of_file(from)->name : from->name);
  if (l->columns < l->from) { /* no room beside: below */
    g_string_append_c(out, '\n');
    at = 0;
    layout below = *l;
    below.columns = 4;
    put_columns(from, &below, at, out);
    return;
  }
  put(out, &at, "  ");
  put_columns(from, l, at, out);
}

static void put_stage(const adl_stage *stage, const layout *l, GString *out) {
  int at = 0;
  put(out, &at, stage->name);
  put(out, &at, "  ");
  pad_to(out, &at, l->class);
  put(out, &at, stage->class->id);
  put(out, &at, "  ");
  const GPtrArray *lists[] = {stage->from, stage->sides};
  bool any = false;
  for (int k = 0; k < 2; k++)
    for (guint i = 0; i < lists[k]->len; i++) {
      put_edge(lists[k]->pdata[i], k == 1, l, any ? 0 : at, out);
      any = true;
    }
  if (any) return;
  while (out->str[out->len - 1] == ' ') g_string_truncate(out, out->len - 1);
  g_string_append_c(out, '\n');
}

static void put_holdout(const adl_graph *graph, const adl_stage *stage, const layout *l, GString *out) {
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *other = graph->stages->pdata[i];
    if (other->role != ADL_STAGE_HOLDOUT || of_file(other) != stage || other->holdout == NULL) continue;
    int at = 0;
    pad_to(out, &at, l->class);
    g_string_append_printf(out, "holds out %s\n", other->holdout->canonical);
  }
}

static layout measure(const adl_graph *graph, int width) {
  layout l = {.width = width};
  int names = 0, classes = 0;
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    if (stage->role != ADL_STAGE_CLASS) continue;
    names = MAX(names, adl_text_width(stage->name));
    classes = MAX(classes, adl_text_width(stage->class->id));
  }
  l.class = names + 2;
  l.from = l.class + classes + 2;
  l.columns = l.from + (int)sizeof "with " - 1 + names + 2;
  if (width > 0 && l.columns + LEAST_COLUMNS > width) l.columns = -1;
  return l;
}

void adl_graph_print_text(const adl_graph *graph, int width, GString *text) {
  layout l = measure(graph, width);
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    if (stage->role != ADL_STAGE_CLASS) continue;
    put_stage(stage, &l, text);
    put_holdout(graph, stage, &l, text);
  }
}
