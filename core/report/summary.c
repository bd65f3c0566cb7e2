/* The head of a report: what ran, how it ended, the numbers that count, what was written. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "core/report/html.h"
#include "core/report/sections.h"

static void append_outcome(const adl_page *page) {
  static const char *const classes[] = {"ok", "failed", "interrupted"};
  static const char *const names[] = {"success", "failed", "interrupted"};
  int which = page->outcome == ADL_RUN_OK ? 0 : page->outcome == ADL_RUN_INTERRUPTED ? 2 : 1;
  g_string_append_printf(page->out, "<span class=\"outcome %s\">%s</span>", classes[which], names[which]);
}

static void append_when(const adl_page *page) {
  int64_t started = adl_engine_started(page->engine);
  GDateTime *time = g_date_time_new_from_unix_utc(started / 1000000);
  char *text = g_date_time_format(time, "%Y-%m-%d %H:%M:%S UTC");
  g_string_append(page->out, ADL_HTML_VARIES);
  adl_html_text(page->out, text);
  g_string_append(page->out, " · ");
  adl_html_seconds(page->out, (double)MAX(g_get_real_time() - started, 0) / 1e6);
  g_string_append(page->out, ADL_HTML_VARIES_END);
  g_free(text);
  g_date_time_unref(time);
}

static void append_head(const adl_page *page) {
  GString *out = page->out;
  int64_t limit = adl_engine_options(page->engine)->limit;
  g_string_append(out, "<header>\n<h1>");
  adl_html_text(out, page->graph->name);
  g_string_append_c(out, ' ');
  append_outcome(page);
  g_string_append(out, "</h1>\n<p class=\"muted\">");
  append_when(page);
  g_string_append_printf(out, " · seed %" G_GUINT64_FORMAT, page->graph->seed);
  if (limit > 0) {
    g_string_append(out, " · only the first ");
    adl_html_count(out, limit);
    g_string_append(out, " rows of each source");
  }
  if (adl_engine_options(page->engine)->apply) g_string_append(out, " · models of an earlier run, nothing learned");
  g_string_append(out, "</p>\n</header>\n");
}

static void append_problems(const adl_page *page) {
  adl_problems *problems = page->graph->problems;
  if (adl_problems_errors(problems) == 0 && adl_problems_warnings(problems) == 0) return;
  GString *text = g_string_new(NULL);
  adl_problems_print(problems, text, false);
  while (text->len > 0 && text->str[text->len - 1] == '\n') g_string_truncate(text, text->len - 1);
  adl_html_element(page->out, "pre class=\"problems\"", text->str);
  g_string_append_c(page->out, '\n');
  g_string_free(text, TRUE);
}

static void begin_tile(GString *out, const char *name) {
  g_string_append(out, "<div class=\"tile\">");
  adl_html_element(out, "span", name);
  g_string_append(out, "<b>");
}

static void count_tile(GString *out, const char *name, int64_t count) {
  begin_tile(out, name);
  adl_html_count(out, count);
  g_string_append(out, "</b></div>\n");
}

/* What evaluators say of the rows that count most. */
static void append_headlines(const adl_page *page) {
  g_string_append(page->out, "<div class=\"cards\">\n");
  for (guint i = 0; i < page->graph->stages->len; i++) {
    const adl_stage *stage = page->graph->stages->pdata[i];
    if (stage->class == NULL || stage->class->kind != ADL_EVALUATE) continue;
    const char *over = adl_page_best_over(page, stage);
    if (over == NULL) continue;
    g_string_append_printf(page->out, "<div><h3><a href=\"#s%d\">", stage->number);
    adl_html_text(page->out, stage->name);
    g_string_append(page->out, "</a>");
    if (over[0] != '\0') {
      g_string_append(page->out, ", ");
      adl_html_text(page->out, over);
    }
    g_string_append(page->out, "</h3>\n");
    adl_page_numbers(page, stage, over);
    g_string_append(page->out, "</div>\n");
  }
  g_string_append(page->out, "</div>\n");
}

/* ---- outputs ---- */

/* A path within the run directory as people write it from there, and as a link; others as they are. */
static void append_path(const adl_page *page, const char *path) {
  char *directory = g_canonicalize_filename(adl_engine_options(page->engine)->directory, NULL);
  size_t length = strlen(directory);
  bool within = strncmp(path, directory, length) == 0 && path[length] == '/';
  if (within) {
    char *link = g_uri_escape_string(path + length + 1, "/", FALSE);
    g_string_append(page->out, "<a href=\"./");
    adl_html_text(page->out, link);
    g_string_append(page->out, "\">");
    adl_html_text(page->out, path + length + 1);
    g_string_append(page->out, "</a>");
    g_free(link);
  } else {
    adl_html_text(page->out, path);
  }
  g_free(directory);
}

static void append_output(const adl_page *page, const adl_stage *stage, const char *path) {
  GString *out = page->out;
  GStatBuf state;
  char *directory = g_canonicalize_filename(adl_engine_options(page->engine)->directory, NULL);
  char *target = strcmp(path, "-") == 0 ? NULL : g_canonicalize_filename(path, directory);
  g_string_append(out, "<tr><td class=\"path\">");
  if (target != NULL)
    append_path(page, target);
  else
    g_string_append(out, "standard output");
  g_string_append(out, "</td>");
  adl_html_element(out, "td", stage->name);
  g_string_append(out, "<td class=\"n\">");
  adl_html_count(out, adl_engine_stage_facts(page->engine, stage).rows_in);
  g_string_append(out, "</td><td class=\"n\">");
  if (target != NULL && g_stat(target, &state) == 0 && S_ISREG(state.st_mode)) adl_html_bytes(out, state.st_size);
  g_string_append(out, "</td></tr>\n");
  g_free(target);
  g_free(directory);
}

static void append_outputs(const adl_page *page) {
  bool any = false;
  for (guint i = 0; page->outcome == ADL_RUN_OK && i < page->graph->stages->len; i++) {
    const adl_stage *stage = page->graph->stages->pdata[i];
    for (int k = 0; stage->args != NULL && k < stage->args->count; k++) {
      const adl_arg *arg = &stage->args->items[k];
      if (arg->param->type != ADL_PARAM_PATH_OUT || arg->node == NULL || arg->node->kind != ADL_NODE_SCALAR) continue;
      if (!any)
        g_string_append(page->out,
                        "<h3>Outputs</h3>\n<div class=\"scroll\"><table><thead><tr><th>file</th><th>stage</th>"
                        "<th class=\"n\">rows</th><th class=\"n\">size</th></tr></thead><tbody>\n");
      any = true;
      append_output(page, stage, arg->node->text);
    }
  }
  if (any) g_string_append(page->out, "</tbody></table></div>\n");
}

void adl_page_summary(const adl_page *page) {
  GString *out = page->out;
  append_head(page);
  adl_page_contents(page);
  append_problems(page);
  g_string_append(out, "<section id=\"summary\">\n<div class=\"tiles\">\n");
  count_tile(out, "rows read", adl_engine_rows_read(page->engine));
  count_tile(out, "rows rejected", adl_engine_rejected(page->engine));
  begin_tile(out, "time");
  g_string_append(out, ADL_HTML_VARIES);
  adl_html_seconds(out, (double)MAX(g_get_real_time() - adl_engine_started(page->engine), 0) / 1e6);
  g_string_append(out, ADL_HTML_VARIES_END "</b></div>\n</div>\n");
  append_headlines(page);
  append_outputs(page);
  g_string_append(out, "</section>\n");
}
