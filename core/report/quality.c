/* How good the data were: rows that were rejected, grouped by stage, column and reason, and nulls of what sources read. */
#include "core/engine/refusals.h"
#include "core/report/chart.h"
#include "core/report/html.h"
#include "core/report/sections.h"

enum { MOST_GROUPS = 100, MOST_COLUMNS = 200, LONGEST_EXAMPLE = 300 };

static void append_refusal(GString *out, const adl_refusal *g, int64_t all) {
  g_string_append(out, "<tr>");
  adl_html_element(out, "td", g->stage);
  adl_html_element(out, "td", g->column != NULL ? g->column : "");
  g_string_append(out, "<td class=\"wide\"><details><summary>");
  adl_html_text_cut(out, g->reason, LONGEST_EXAMPLE);
  g_string_append(out, "</summary><ul>\n");
  for (guint i = 0; i < g->examples; i++) {
    g_string_append(out, "<li><span class=\"muted path\">");
    adl_html_text(out, g->example[i].source);
    g_string_append_printf(out, ":%" G_GINT64_FORMAT "</span> ", g->example[i].position);
    adl_html_text_cut(out, g->example[i].reason, LONGEST_EXAMPLE);
    g_string_append(out, "</li>\n");
  }
  g_string_append(out, "</ul></details></td><td class=\"n\">");
  adl_html_count(out, g->count);
  g_string_append(out, "</td><td class=\"n\">");
  adl_html_number(out, 100 * (double)g->count / (double)MAX(all, 1));
  g_string_append(out, " %</td></tr>\n");
}

static void append_rejects(const adl_page *page) {
  GString *out = page->out;
  GPtrArray *all = adl_refusals(page->engine, NULL);
  g_string_append(out, "<p>");
  adl_html_count(out, adl_engine_rows_read(page->engine));
  g_string_append(out, " rows read; ");
  if (all->len == 0) {
    g_string_append(out, "none was rejected.</p>\n");
  } else {
    adl_html_count(out, adl_engine_rejected(page->engine));
    g_string_append(out, " rejected, listed in <a href=\"./rejects.jsonl\">rejects.jsonl</a>.</p>\n"
                         "<div class=\"scroll\"><table><thead><tr><th>stage</th><th>column</th><th>reason</th>"
                         "<th class=\"n\">rows</th><th class=\"n\">of all read</th></tr></thead><tbody>\n");
    for (guint i = 0; i < all->len && i < MOST_GROUPS; i++)
      append_refusal(out, all->pdata[i], adl_engine_rows_read(page->engine));
    g_string_append(out, "</tbody></table></div>\n");
    if (all->len > MOST_GROUPS)
      g_string_append_printf(out, "<p class=\"muted\">%u more reasons.</p>\n", all->len - MOST_GROUPS);
  }
  g_ptr_array_free(all, TRUE);
}

static void append_nulls(GString *out, const adl_stage *stage, int32_t column, int64_t nulls, int64_t rows) {
  char type[96];
  double share = (double)nulls / (double)MAX(rows, 1);
  g_string_append(out, "<tr>");
  adl_html_element(out, "td", stage->name);
  adl_html_element(out, "td", stage->schema.columns[column].name);
  adl_html_element(out, "td class=\"muted\"",
                   adl_type_name(stage->schema.columns[column].field->type, type, sizeof type));
  g_string_append(out, "<td class=\"n\">");
  adl_html_count(out, nulls);
  g_string_append(out, "</td><td class=\"n\">");
  adl_html_number(out, 100 * share);
  g_string_append(out, " %</td><td>");
  adl_chart_share(out, share);
  g_string_append(out, "</td></tr>\n");
}

/* Columns with nulls one by one, the others as a number. */
static void append_source_nulls(const adl_page *page) {
  GString *out = page->out;
  int64_t with = 0, without = 0;
  for (guint i = 0; i < page->graph->stages->len; i++) {
    const adl_stage *stage = page->graph->stages->pdata[i];
    for (int32_t c = 0; c < stage->schema.count; c++) {
      int64_t nulls = adl_engine_nulls(page->engine, stage, c);
      without += nulls == 0;
      if (nulls <= 0 || with++ >= MOST_COLUMNS) continue;
      if (with == 1)
        g_string_append(out,
                        "<div class=\"scroll\"><table><thead><tr><th>source</th><th>column</th><th>type</th>"
                        "<th class=\"n\">nulls</th><th class=\"n\">of its rows</th><th></th></tr></thead><tbody>\n");
      append_nulls(out, stage, c, nulls, adl_engine_stage_facts(page->engine, stage).rows_out);
    }
  }
  if (with > 0) g_string_append(out, "</tbody></table></div>\n");
  g_string_append(out, "<p class=\"muted\">");
  if (with > MOST_COLUMNS)
    g_string_append_printf(out, "%" G_GINT64_FORMAT " more columns with nulls. ", with - MOST_COLUMNS);
  g_string_append_printf(out,
                         "%" G_GINT64_FORMAT
                         "%s column%s of the sources %s no nulls. Columns that no stage reads are not looked at.</p>\n",
                         without, with > 0 ? " other" : "", without == 1 ? "" : "s", without == 1 ? "has" : "have");
}

void adl_page_quality(const adl_page *page) {
  g_string_append(page->out, "<section id=\"quality\"><h2>Data quality</h2>\n");
  append_rejects(page);
  append_source_nulls(page);
  adl_page_distributions(page);
  g_string_append(page->out, "</section>\n");
}
