/* How good the data were: rows that were rejected, grouped by stage, column and reason, and nulls of what sources read. */
#include <string.h>

#include "core/report/chart.h"
#include "core/report/html.h"
#include "core/report/sections.h"

enum { EXAMPLES = 3, MOST_GROUPS = 100, MOST_COLUMNS = 200, LONGEST_EXAMPLE = 300 };

typedef struct example {
  char *source, *reason;
  int64_t position;
} example;

/* Rejects that say the same but for numbers and quoted values. */
typedef struct group {
  char *stage, *column, *pattern;
  bool same; /* all reasons are that of the first example */
  int64_t count;
  guint examples, place; /* place: in the order of first appearance */
  example example[EXAMPLES];
} group;

typedef struct grouping {
  GHashTable *by_key; /* owns its keys */
  GPtrArray *groups;
} grouping;

static void free_group(gpointer data) {
  group *g = data;
  for (guint i = 0; i < g->examples; i++) {
    g_free(g->example[i].source);
    g_free(g->example[i].reason);
  }
  g_free(g->stage);
  g_free(g->column);
  g_free(g->pattern);
  g_free(g);
}

/* The reason with … for numbers and quoted values. Bytes above 127 are letters here. */
static char *pattern_of(const char *reason) {
  GString *out = g_string_new(NULL);
  bool in_word = false;
  for (const char *c = reason; *c != '\0';) {
    const char *end = *c == '"' || *c == '\'' ? strrchr(c + 1, *c) : NULL;
    if (!in_word && end != NULL) {
      g_string_append(out, "…");
      c = end + 1;
    } else if (!in_word && g_ascii_isdigit(*c)) {
      g_string_append(out, "…");
      while (g_ascii_isdigit(*c) || ((*c == '.' || *c == ',') && g_ascii_isdigit(c[1]))) c++;
    } else {
      in_word = g_ascii_isalpha(*c) || *c == '_' || (*c & 0x80) != 0;
      g_string_append_c(out, *c++);
    }
  }
  return g_string_free(out, FALSE);
}

static void add_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                       const char *reason) {
  grouping *all = data;
  char *pattern = pattern_of(reason);
  char *key = g_strdup_printf("%s\n%s\n%s", stage, column != NULL ? column : "", pattern);
  group *g = g_hash_table_lookup(all->by_key, key);
  if (g == NULL) {
    g = g_new0(group, 1);
    *g = (group){.stage = g_strdup(stage), .column = g_strdup(column), .pattern = pattern, .same = true};
    g->place = all->groups->len;
    g_ptr_array_add(all->groups, g);
    g_hash_table_insert(all->by_key, key, g);
  } else {
    g->same = g->same && strcmp(g->example[0].reason, reason) == 0;
    g_free(pattern);
    g_free(key);
  }
  g->count++;
  if (g->examples < EXAMPLES) g->example[g->examples++] = (example){g_strdup(source), g_strdup(reason), position};
}

static int by_count(const void *a, const void *b) {
  const group *x = *(group *const *)a, *y = *(group *const *)b;
  if (x->count != y->count) return x->count > y->count ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

static void append_group(GString *out, const group *g, int64_t all) {
  g_string_append(out, "<tr>");
  adl_html_element(out, "td", g->stage);
  adl_html_element(out, "td", g->column != NULL ? g->column : "");
  g_string_append(out, "<td class=\"wide\"><details><summary>");
  adl_html_text_cut(out, g->same ? g->example[0].reason : g->pattern, LONGEST_EXAMPLE);
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
  grouping all = {.by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                  .groups = g_ptr_array_new_with_free_func(free_group)};
  adl_engine_each_reject(page->engine, add_reject, &all);
  g_ptr_array_sort(all.groups, by_count);
  g_string_append(out, "<p>");
  adl_html_count(out, adl_engine_rows_read(page->engine));
  g_string_append(out, " rows read; ");
  if (all.groups->len == 0) {
    g_string_append(out, "none was rejected.</p>\n");
  } else {
    adl_html_count(out, adl_engine_rejected(page->engine));
    g_string_append(out, " rejected, listed in <a href=\"./rejects.jsonl\">rejects.jsonl</a>.</p>\n"
                         "<div class=\"scroll\"><table><thead><tr><th>stage</th><th>column</th><th>reason</th>"
                         "<th class=\"n\">rows</th><th class=\"n\">of all read</th></tr></thead><tbody>\n");
    for (guint i = 0; i < all.groups->len && i < MOST_GROUPS; i++)
      append_group(out, all.groups->pdata[i], adl_engine_rows_read(page->engine));
    g_string_append(out, "</tbody></table></div>\n");
    if (all.groups->len > MOST_GROUPS)
      g_string_append_printf(out, "<p class=\"muted\">%u more reasons.</p>\n", all.groups->len - MOST_GROUPS);
  }
  g_hash_table_destroy(all.by_key);
  g_ptr_array_free(all.groups, TRUE);
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
