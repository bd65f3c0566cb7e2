/* The graph of a pipeline as a picture: a box for each stage of the file, layer below layer, with what it did. */
#include <math.h>
#include <string.h>

#include "core/report/html.h"
#include "core/report/layout.h"
#include "core/report/sections.h"

enum { BOX = 176, TALL = 60, GAP = 20, LANE = 22, BETWEEN = 36, MARGIN = 4, MOST_STAGES = 300 };

typedef struct diagram {
  const adl_page *page;
  GPtrArray *stages; /* of adl_stage *: those of the file, in topological order */
  int32_t *number;   /* of box by stage number; -1: none */
  GArray *edges;     /* of adl_layout_edge */
  GArray *dashed;    /* of bool, beside edges: rows that are looked up */
} diagram;

/* From the stages of the file that are meant by `from`: holdouts and lists in `from` are stages that nobody wrote. */
static void add_edges(diagram *d, const adl_stage *from, int32_t to, bool side) {
  if (from->role != ADL_STAGE_CLASS) {
    for (guint i = 0; i < from->from->len; i++) add_edges(d, from->from->pdata[i], to, side);
    return;
  }
  adl_layout_edge edge = {.from = d->number[from->number], .to = to};
  for (guint i = 0; i < d->edges->len; i++) {
    const adl_layout_edge *other = &g_array_index(d->edges, adl_layout_edge, i);
    if (other->from == edge.from && other->to == edge.to) return;
  }
  g_array_append_val(d->edges, edge);
  g_array_append_val(d->dashed, side);
}

static void collect(diagram *d) {
  const GPtrArray *all = d->page->graph->stages;
  for (guint i = 0; i < all->len; i++) {
    const adl_stage *stage = all->pdata[i];
    d->number[i] = -1;
    if (stage->role != ADL_STAGE_CLASS) continue;
    d->number[i] = (int32_t)d->stages->len;
    g_ptr_array_add(d->stages, all->pdata[i]);
    for (guint k = 0; k < stage->from->len; k++) add_edges(d, stage->from->pdata[k], d->number[i], false);
    for (guint k = 0; k < stage->sides->len; k++) add_edges(d, stage->sides->pdata[k], d->number[i], true);
  }
}

static double top_of(int32_t layer) { return MARGIN + layer * (TALL + BETWEEN); }

static void point(GString *out, double x, double y) {
  adl_html_fixed(out, x, 1);
  g_string_append_c(out, ' ');
  adl_html_fixed(out, y, 1);
}

static void curve(GString *out, double x1, double y1, double x2, double y2) {
  double half = (y1 + y2) / 2;
  g_string_append(out, "C");
  point(out, x1, half);
  g_string_append_c(out, ' ');
  point(out, x2, half);
  g_string_append_c(out, ' ');
  point(out, x2, y2);
}

static void draw_edge(GString *out, const adl_layout *layout, const adl_layout_edge *edge, bool dashed) {
  int32_t layer = layout->layer[edge->from];
  g_string_append_printf(out, "<path class=\"edge%s\" d=\"M", dashed ? " side" : "");
  point(out, edge->x[0], top_of(layer) + TALL);
  for (int32_t i = 1; i < edge->count; i++) {
    bool last = i + 1 == edge->count;
    curve(out, edge->x[i - 1], top_of(layer + i - 1) + TALL, edge->x[i], top_of(layer + i) - (last ? 5 : 0));
    if (last) continue;
    g_string_append_c(out, 'L');
    point(out, edge->x[i], top_of(layer + i) + TALL);
  }
  g_string_append(out, "\"/><path class=\"head\" d=\"M");
  double x = edge->x[edge->count - 1], y = top_of(layout->layer[edge->to]);
  point(out, x, y);
  g_string_append_c(out, 'L');
  point(out, x - 4, y - 7);
  g_string_append_c(out, 'L');
  point(out, x + 4, y - 7);
  g_string_append(out, "Z\"/>\n");
}

static bool has_holdout(const adl_stage *stage) { return adl_stage_last((adl_stage *)(uintptr_t)stage) != stage; }

static void text(GString *out, const char *class, double x, double y, bool end) {
  g_string_append_printf(out, "<text class=\"%s\" x=\"", class);
  adl_html_fixed(out, x, 1);
  g_string_append(out, "\" y=\"");
  adl_html_fixed(out, y, 1);
  g_string_append(out, end ? "\" text-anchor=\"end\">" : "\">");
}

static void draw_box(const diagram *d, const adl_stage *stage, double middle, double y) {
  GString *out = d->page->out;
  double x = middle - BOX / 2.0;
  adl_stage_facts facts = adl_engine_stage_facts(d->page->engine, stage);
  g_string_append(out, "<a href=\"");
  adl_page_anchor(d->page, stage, out);
  g_string_append(out, "\"><title>");
  adl_html_text(out, stage->name);
  g_string_append_printf(out, "</title><rect class=\"box kind%u\" rx=\"5\" width=\"%d\" height=\"%d\" x=\"",
                         stage->class->kind, BOX, TALL);
  adl_html_fixed(out, x, 1);
  g_string_append_printf(out, "\" y=\"%.0f\"/>", y);
  text(out, "name", x + 9, y + 19, false);
  adl_html_text_cut(out, stage->name, 23);
  g_string_append(out, "</text>");
  text(out, "small", x + 9, y + 35, false);
  adl_html_text_cut(out, stage->class->id, has_holdout(stage) ? 17 : 27);
  g_string_append(out, has_holdout(stage) ? ", holdout</text>" : "</text>");
  text(out, "small", x + 9, y + 51, false);
  adl_html_count(out, stage->rows_leave ? facts.rows_out : facts.rows_in);
  g_string_append(out, stage->rows_leave ? " rows</text>" : " rows in</text>");
  g_string_append(out, ADL_HTML_VARIES);
  text(out, "small", x + BOX - 9, y + 51, true);
  adl_html_seconds(out, (double)facts.nanoseconds / 1e9);
  g_string_append(out, "</text><path class=\"time\" d=\"M");
  point(out, x + 3, y + TALL - 2);
  g_string_append_c(out, 'h');
  adl_html_fixed(out, (BOX - 6) * (double)facts.nanoseconds / (double)d->page->longest, 1);
  g_string_append(out, "\"/>" ADL_HTML_VARIES_END "</a>\n");
}

static void draw(const diagram *d) {
  static const adl_layout_size size = {.box = BOX, .gap = GAP, .lane = LANE};
  GString *out = d->page->out;
  adl_layout layout;
  adl_layout_edge *edges = (adl_layout_edge *)(void *)d->edges->data;
  adl_layout_make(&layout, (int32_t)d->stages->len, edges, (int32_t)d->edges->len, &size);
  int width = (int)ceil(layout.width), height = (int)top_of(layout.layers) - BETWEEN + MARGIN;
  g_string_append_printf(out,
                         "<div class=\"scroll\"><svg class=\"diagram\" role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" "
                         "height=\"%d\"><title>The stages of the pipeline</title>\n",
                         width, height, width, height);
  for (guint e = 0; e < d->edges->len; e++) draw_edge(out, &layout, &edges[e], g_array_index(d->dashed, bool, e));
  for (guint i = 0; i < d->stages->len; i++) draw_box(d, d->stages->pdata[i], layout.x[i], top_of(layout.layer[i]));
  g_string_append(out, "</svg></div>\n");
  adl_layout_clear(&layout, edges, (int32_t)d->edges->len);
}

void adl_page_diagram(const adl_page *page) {
  diagram d = {.page = page,
               .stages = g_ptr_array_new(),
               .number = g_new(int32_t, page->graph->stages->len + 1),
               .edges = g_array_new(FALSE, FALSE, sizeof(adl_layout_edge)),
               .dashed = g_array_new(FALSE, FALSE, sizeof(bool))};
  collect(&d);
  g_string_append(page->out, "<section id=\"pipeline\"><h2>Pipeline</h2>\n");
  if (d.stages->len > MOST_STAGES)
    g_string_append_printf(page->out, "<p>%u stages are too many for a picture; they are listed below.</p>\n",
                           d.stages->len);
  else
    draw(&d);
  g_string_append(page->out, "</section>\n");
  g_ptr_array_free(d.stages, TRUE);
  g_array_free(d.edges, TRUE);
  g_array_free(d.dashed, TRUE);
  g_free(d.number);
}
