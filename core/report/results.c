/* What stages reported: numbers with their intervals, texts, tables and plots, stage by stage in pipeline order. */
#include <math.h>
#include <string.h>

#include "core/report/chart.h"
#include "core/report/html.h"
#include "core/report/sections.h"

enum { WIDE_CELL = 40, LONGEST_CELL = 600, LONGEST_TEXT = 4000 };

static bool of_stage(const adl_report_item *item, const adl_stage *stage, adl_report_kind kind) {
  return item->kind == kind && strcmp(item->stage, stage->name) == 0;
}

/* ---- numbers ---- */

/* Names down, kinds of rows across. */
typedef struct numbers {
  GPtrArray *names, *overs; /* of const char *, in order of appearance */
  GPtrArray *items;         /* of adl_report_item * */
} numbers;

static guint place_of(GPtrArray *texts, const char *text) {
  guint i = 0;
  while (i < texts->len && strcmp(texts->pdata[i], text) != 0) i++;
  if (i == texts->len) g_ptr_array_add(texts, (gpointer)(uintptr_t)text);
  return i;
}

static numbers numbers_of(const adl_page *page, const adl_stage *stage, const char *over) {
  numbers n = {g_ptr_array_new(), g_ptr_array_new(), g_ptr_array_new()};
  for (guint i = 0; i < page->reports->items->len; i++) {
    adl_report_item *item = page->reports->items->pdata[i];
    if (!of_stage(item, stage, ADL_REPORT_NUMBER) || (over != NULL && strcmp(item->over, over) != 0)) continue;
    if (n.items->len == ADL_PAGE_ROWS) break;
    place_of(n.names, item->name);
    place_of(n.overs, item->over);
    g_ptr_array_add(n.items, item);
  }
  return n;
}

static void clear_numbers(numbers *n) {
  g_ptr_array_free(n->names, TRUE);
  g_ptr_array_free(n->overs, TRUE);
  g_ptr_array_free(n->items, TRUE);
}

const char *adl_page_best_over(const adl_page *page, const adl_stage *stage) {
  numbers n = numbers_of(page, stage, NULL);
  const char *best = n.overs->len > 0 ? n.overs->pdata[0] : NULL;
  for (guint i = 0; i < n.overs->len && strcmp(best, "held-out") != 0; i++) {
    const char *over = n.overs->pdata[i];
    if (strcmp(over, "held-out") == 0 || strcmp(best, "in-sample") == 0) best = over;
  }
  clear_numbers(&n);
  return best;
}

static const adl_report_item *find(const numbers *n, const char *name, const char *over) {
  for (guint i = 0; i < n->items->len; i++) {
    const adl_report_item *item = n->items->pdata[i];
    if (strcmp(item->name, name) == 0 && strcmp(item->over, over) == 0) return item;
  }
  return NULL;
}

/* The scale of a number's intervals: shares on 0..1, others on what their intervals span. False: there is one interval
 * alone, which would fill any scale of its own. */
static bool scale_of(const numbers *n, const char *name, double *from, double *to) {
  int count = 0;
  *from = INFINITY;
  *to = -INFINITY;
  for (guint i = 0; i < n->items->len; i++) {
    const adl_report_item *item = n->items->pdata[i];
    if (strcmp(item->name, name) != 0 || !isfinite(item->low) || !isfinite(item->high)) continue;
    *from = fmin(*from, item->low);
    *to = fmax(*to, item->high);
    count++;
  }
  if (*from >= 0 && *to <= 1) {
    *from = 0;
    *to = 1;
  } else {
    double room = (*to - *from) * 0.15;
    *from -= room;
    *to += room;
    return count > 1;
  }
  return true;
}

static void number_cells(const numbers *n, const adl_report_item *item, GString *out) {
  g_string_append(out, "<td class=\"n\">");
  if (item != NULL) adl_html_number(out, item->value);
  g_string_append(out, "</td><td class=\"range\">");
  if (item != NULL && isfinite(item->low) && isfinite(item->high)) {
    double from, to;
    if (scale_of(n, item->name, &from, &to)) adl_chart_interval(out, item->value, item->low, item->high, from, to);
    g_string_append(out, "<small> ");
    adl_html_number(out, item->low);
    g_string_append(out, " to ");
    adl_html_number(out, item->high);
    g_string_append(out, "</small>");
  }
  g_string_append(out, "</td>");
}

/* Several kinds of rows side by side, where they share names; else one line for each number. */
void adl_page_numbers(const adl_page *page, const adl_stage *stage, const char *over) {
  numbers n = numbers_of(page, stage, over);
  GString *out = page->out;
  bool side_by_side = n.overs->len > 1 && n.items->len > n.names->len;
  if (n.items->len > 0) g_string_append(out, "<div class=\"scroll\"><table class=\"numbers\">");
  if (side_by_side) {
    g_string_append(out, "<thead><tr><th></th>");
    for (guint k = 0; k < n.overs->len; k++)
      adl_html_element(out, "th colspan=\"2\" class=\"over\"", n.overs->pdata[k]);
    g_string_append(out, "</tr></thead>");
  }
  if (n.items->len > 0) g_string_append(out, "<tbody>\n");
  for (guint i = 0; side_by_side && i < n.names->len; i++) {
    g_string_append(out, "<tr>");
    adl_html_element(out, "th", n.names->pdata[i]);
    for (guint k = 0; k < n.overs->len; k++) number_cells(&n, find(&n, n.names->pdata[i], n.overs->pdata[k]), out);
    g_string_append(out, "</tr>\n");
  }
  for (guint i = 0; !side_by_side && i < n.items->len; i++) {
    const adl_report_item *item = n.items->pdata[i];
    g_string_append(out, "<tr><th>");
    adl_html_text(out, item->name);
    if (item->over[0] != '\0' && over == NULL) {
      g_string_append(out, " <small>");
      adl_html_text(out, item->over);
      g_string_append(out, "</small>");
    }
    g_string_append(out, "</th>");
    number_cells(&n, item, out);
    g_string_append(out, "</tr>\n");
  }
  if (n.items->len > 0) g_string_append(out, "</tbody></table></div>\n");
  if (n.items->len == ADL_PAGE_ROWS)
    g_string_append_printf(out, "<p class=\"muted\">The first %d numbers; all are in metrics.json.</p>\n",
                           ADL_PAGE_ROWS);
  clear_numbers(&n);
}

/* ---- tables ---- */

enum { COLUMN_TEXT, COLUMN_WIDE, COLUMN_NUMBER, COLUMN_SHARE };

static int kind_of_column(const adl_report_item *item, int32_t column, int64_t rows) {
  bool shares = rows > 0, numeric = true, wide = false;
  for (int64_t r = 0; r < rows; r++) {
    double share;
    const char *cell = item->cells[r * item->columns + column];
    if (strcmp(cell, "undefined") == 0 || cell[0] == '\0') continue;
    numeric = adl_html_numeric(cell, &share) && numeric;
    wide = wide || strlen(cell) > WIDE_CELL;
    shares = shares && share >= 0 && share <= 1;
  }
  if (!numeric) return wide ? COLUMN_WIDE : COLUMN_TEXT;
  return shares ? COLUMN_SHARE : COLUMN_NUMBER;
}

static void append_cell(GString *out, const char *cell, int kind) {
  double share = NAN;
  if (kind == COLUMN_TEXT || kind == COLUMN_WIDE) {
    g_string_append(out, kind == COLUMN_WIDE ? "<td class=\"wide\">" : "<td>");
    adl_html_text_cut(out, cell, LONGEST_CELL);
  } else {
    g_string_append(out, "<td class=\"n\">");
    adl_html_maybe_number(out, cell);
    if (kind == COLUMN_SHARE && adl_html_numeric(cell, &share)) adl_chart_share(out, share);
  }
  g_string_append(out, "</td>");
}

static void append_table(GString *out, const adl_report_item *item) {
  int64_t rows = MIN(item->rows, ADL_PAGE_ROWS);
  int *kinds = g_new(int, (gsize)item->columns + 1);
  g_string_append(out, "<div class=\"scroll\"><table><caption>");
  adl_html_text(out, item->name);
  g_string_append(out, "</caption><thead><tr>");
  for (int32_t c = 0; c < item->columns; c++) {
    kinds[c] = kind_of_column(item, c, rows);
    adl_html_element(out, kinds[c] == COLUMN_NUMBER ? "th class=\"n\"" : "th", item->titles[c]);
  }
  g_string_append(out, "</tr></thead><tbody>\n");
  for (int64_t r = 0; r < rows; r++) {
    g_string_append(out, "<tr>");
    for (int32_t c = 0; c < item->columns; c++) append_cell(out, item->cells[r * item->columns + c], kinds[c]);
    g_string_append(out, "</tr>\n");
  }
  g_string_append(out, "</tbody></table></div>\n");
  if (item->rows > rows) {
    g_string_append(out, "<p class=\"muted\">");
    adl_html_count(out, item->rows - rows);
    g_string_append(out, " more rows; all are in metrics.json.</p>\n");
  }
  g_free(kinds);
}

/* ---- sections ---- */

static void append_texts(const adl_page *page, const adl_stage *stage) {
  bool any = false;
  for (guint i = 0; i < page->reports->items->len; i++) {
    const adl_report_item *item = page->reports->items->pdata[i];
    if (!of_stage(item, stage, ADL_REPORT_TEXT)) continue;
    if (!any) g_string_append(page->out, "<dl>\n");
    any = true;
    adl_html_element(page->out, "dt", item->name);
    g_string_append(page->out, "<dd>");
    adl_html_text_cut(page->out, item->text, LONGEST_TEXT);
    g_string_append(page->out, "</dd>\n");
  }
  if (any) g_string_append(page->out, "</dl>\n");
}

static void append_plots(const adl_page *page, const adl_stage *stage) {
  for (guint i = 0; i < page->reports->items->len; i++) {
    const adl_report_item *item = page->reports->items->pdata[i];
    if (of_stage(item, stage, ADL_REPORT_PLOT)) adl_chart_draw(page->out, item->plot);
  }
}

static void append_stage(const adl_page *page, const adl_stage *stage) {
  g_string_append_printf(page->out, "<section id=\"s%d\"><h3>", stage->number);
  adl_html_text(page->out, stage->name);
  g_string_append(page->out, " <small>");
  adl_html_text(page->out, stage->class->id);
  g_string_append(page->out, "</small></h3>\n");
  append_texts(page, stage);
  g_string_append(page->out, "<div class=\"plots\">\n");
  adl_page_numbers(page, stage, NULL);
  append_plots(page, stage);
  g_string_append(page->out, "</div>\n");
  for (guint i = 0; i < page->reports->items->len; i++) {
    const adl_report_item *item = page->reports->items->pdata[i];
    if (of_stage(item, stage, ADL_REPORT_TABLE)) append_table(page->out, item);
  }
  g_string_append(page->out, "</section>\n");
}

static const struct {
  const char *id, *title;
  adl_kind kinds[3]; /* 0: no more */
} groups[] = {{"evaluation", "Evaluation", {ADL_EVALUATE}},
              {"decisions", "Learners and decisions", {ADL_OPTIMIZE}},
              {"profiles", "Profiles", {ADL_PROFILE}},
              {"features", "Features", {ADL_FEATURE}},
              {"rows", "Sources and rows", {ADL_SOURCE, ADL_TRANSFORM, ADL_SINK}}};

static bool is_of_group(const adl_page *page, const adl_stage *stage, guint group) {
  bool of_kind = false;
  for (int k = 0; stage->class != NULL && k < 3; k++)
    of_kind = of_kind || (groups[group].kinds[k] != 0 && stage->class->kind == groups[group].kinds[k]);
  return of_kind && stage->role == ADL_STAGE_CLASS && adl_page_reported(page, stage);
}

void adl_page_results(const adl_page *page) {
  for (guint group = 0; group < G_N_ELEMENTS(groups); group++) {
    bool any = false;
    for (guint i = 0; i < page->graph->stages->len; i++) {
      const adl_stage *stage = page->graph->stages->pdata[i];
      if (!is_of_group(page, stage, group)) continue;
      if (!any) g_string_append_printf(page->out, "<h2 id=\"%s\">%s</h2>\n", groups[group].id, groups[group].title);
      any = true;
      append_stage(page, stage);
    }
  }
}

void adl_page_contents(const adl_page *page) {
  GString *out = page->out;
  g_string_append(out, "<nav><a href=\"#pipeline\">Pipeline</a> <a href=\"#stages\">Stages</a> "
                       "<a href=\"#quality\">Data quality</a>");
  for (guint group = 0; group < G_N_ELEMENTS(groups); group++) {
    bool any = false;
    for (guint i = 0; i < page->graph->stages->len && !any; i++)
      any = is_of_group(page, page->graph->stages->pdata[i], group);
    if (any) g_string_append_printf(out, " <a href=\"#%s\">%s</a>", groups[group].id, groups[group].title);
  }
  g_string_append(out, " <a href=\"#provenance\">Versions, inputs, parameters</a></nav>\n");
}
