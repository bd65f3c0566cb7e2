/* Rows and time of each stage, as a table. */
#include "core/report/html.h"
#include "core/report/sections.h"

static void count_cell(GString *out, int64_t count, bool shown) {
  g_string_append(out, "<td class=\"n\">");
  if (shown) adl_html_count(out, count);
  g_string_append(out, "</td>");
}

/* Where its model came from; nothing for stages that learn none, or none that outlasts the run. */
static void model_cell(const adl_stage *stage, const adl_stage_facts *facts, GString *out) {
  const char *text = "";
  g_string_append(out, "<td>");
  if ((stage->class->flags & ADL_TRANSIENT) != 0)
    ;
  else if (stage->learn == ADL_LEARN_ONLINE)
    text = "learns online";
  else if (stage->learn == ADL_LEARN_FROZEN)
    text = "loaded";
  else if (stage->learn == ADL_LEARN_FIT)
    text = facts->stored ? "from the store" : facts->fitted ? "fitted" : "not fitted";
  g_string_append_printf(out, ADL_HTML_VARIES "%s" ADL_HTML_VARIES_END "</td>", text);
}

static void append_stage(const adl_page *page, const adl_stage *stage) {
  GString *out = page->out;
  adl_stage_facts facts = adl_engine_stage_facts(page->engine, stage);
  int64_t rejected = (gintptr)g_hash_table_lookup(page->rejected, stage->name);
  g_string_append_printf(out, "<tr id=\"r%d\"><td>", stage->number);
  if (adl_page_reported(page, stage)) {
    g_string_append_printf(out, "<a href=\"#s%d\">", stage->number);
    adl_html_text(out, stage->name);
    g_string_append(out, "</a>");
  } else {
    adl_html_text(out, stage->name);
  }
  g_string_append(out, "</td>");
  adl_html_element(out, "td class=\"muted\"", stage->class->id);
  count_cell(out, facts.rows_in, stage->from->len > 0);
  count_cell(out, facts.rows_out, stage->rows_leave);
  count_cell(out, rejected, rejected > 0);
  model_cell(stage, &facts, out);
  g_string_append(out, "<td class=\"n\">" ADL_HTML_VARIES);
  adl_html_seconds(out, (double)facts.nanoseconds / 1e9);
  g_string_append_printf(out, "%s</td><td>%s<span class=\"bar\"><i style=\"width:", ADL_HTML_VARIES_END,
                         ADL_HTML_VARIES);
  adl_html_fixed(out, 100 * (double)facts.nanoseconds / (double)page->longest, 1);
  g_string_append(out, "%\"></i></span>" ADL_HTML_VARIES_END "</td></tr>\n");
}

void adl_page_stages(const adl_page *page) {
  g_string_append(page->out,
                  "<section id=\"stages\"><h2>Stages</h2>\n<div class=\"scroll\"><table><thead><tr><th>stage</th>"
                  "<th>class</th><th class=\"n\">rows in</th><th class=\"n\">rows out</th><th class=\"n\">rejected</th>"
                  "<th>model</th><th class=\"n\">time</th><th></th></tr></thead><tbody>\n");
  for (guint i = 0; i < page->graph->stages->len; i++) {
    const adl_stage *stage = page->graph->stages->pdata[i];
    if (stage->role == ADL_STAGE_CLASS) append_stage(page, stage);
  }
  g_string_append(
      page->out, "</tbody></table></div>\n<p class=\"muted\">Time in the functions of a stage: of all workers together "
                 "while rows stream, by the clock while its model is fitted.</p></section>\n");
}
