#include "core/report/page.h"

#include <string.h>

#include "config.h"
#include "core/report/html.h"
#include "core/report/sections.h"

bool adl_page_reported(const adl_page *page, const adl_stage *stage) {
  for (guint i = 0; i < page->reports->items->len; i++)
    if (strcmp(((adl_report_item *)page->reports->items->pdata[i])->stage, stage->name) == 0) return true;
  return false;
}

void adl_page_anchor(const adl_page *page, const adl_stage *stage, GString *out) {
  g_string_append_printf(out, "#%c%d", adl_page_reported(page, stage) ? 's' : 'r', stage->number);
}

static void count_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                         const char *reason) {
  (void)source, (void)position, (void)column, (void)reason;
  GHashTable *rejected = data;
  gintptr count = (gintptr)g_hash_table_lookup(rejected, stage);
  g_hash_table_insert(rejected, g_strdup(stage), (gpointer)(count + 1));
}

void adl_page_begin(GString *out, const char *title) {
  g_string_append(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                       "<meta name=\"generator\" content=\"adloom " PACKAGE_VERSION "\"/>\n<title>");
  adl_html_text(out, title);
  g_string_append(out, " · adloom</title>\n<style>\n");
  g_string_append(out, adl_page_style);
  g_string_append(out, "</style>\n</head>\n<body>\n");
}

void adl_page_end(GString *out) {
  adl_page_script(out);
  g_string_append(out, "</body>\n</html>\n");
}

static void write_page(const adl_page *page) {
  adl_page_begin(page->out, page->graph->name);
  adl_page_summary(page);
  adl_page_diagram(page);
  adl_page_stages(page);
  adl_page_quality(page);
  adl_page_results(page);
  adl_page_provenance(page);
  adl_page_end(page->out);
}

static int64_t longest_of(const adl_engine *engine, const adl_graph *graph) {
  int64_t longest = 1;
  for (guint i = 0; i < graph->stages->len; i++)
    longest = MAX(longest, adl_engine_stage_facts(engine, graph->stages->pdata[i]).nanoseconds);
  return longest;
}

GString *adl_page_make(void *nothing, const adl_engine *engine, adl_outcome outcome) {
  (void)nothing;
  adl_page page = {.engine = engine,
                   .graph = adl_engine_graph(engine),
                   .reports = adl_engine_reports(engine),
                   .outcome = outcome,
                   .rejected = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                   .longest = longest_of(engine, adl_engine_graph(engine)),
                   .out = g_string_new(NULL)};
  adl_engine_each_reject(engine, count_reject, page.rejected);
  write_page(&page);
  g_hash_table_destroy(page.rejected);
  return page.out;
}
