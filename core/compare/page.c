/* The comparison as one HTML page: the ranking, every number side by side, plots laid over each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/compare/compare.h"
#include "core/report/chart.h"
#include "core/report/html.h"
#include "core/report/sections.h"

/* The parameter of an axis without its stage, unless another axis is of one that is called so as well. */
static const char *short_key(const adl_plan *plan, guint axis) {
  const char *key = ((adl_axis *)plan->axes->pdata[axis])->key, *dot = strchr(key, '.');
  if (dot == NULL) return key;
  for (guint i = 0; i < plan->axes->len; i++)
    if (i != axis && g_str_has_suffix(((adl_axis *)plan->axes->pdata[i])->key, dot)) return key;
  return dot + 1;
}

/* "ftrl · clusters=10": a class says by itself what it is, a value does not. */
static char *label_of(const adl_comparison *comparison, const adl_combination *c) {
  const adl_plan *plan = comparison->plan;
  GString *label = g_string_new(NULL);
  for (guint i = 0; i < plan->axes->len; i++) {
    if (i > 0) g_string_append(label, " · ");
    if (!adl_axis_of_classes(plan->axes->pdata[i])) g_string_append_printf(label, "%s=", short_key(plan, i));
    g_string_append(label, adl_plan_value(plan, c->number, i));
  }
  return g_string_free(label, FALSE);
}

static const adl_trial *shown(const adl_combination *c) {
  const adl_trial *trial = c->trials->len > 0 ? c->trials->pdata[0] : NULL;
  return trial != NULL && trial->failure == NULL ? trial : NULL;
}

/* What a trial (NULL: none) tells by the same name of the same rows; NULL: nothing. */
static const adl_figure *same_figure(const adl_trial *trial, const adl_figure *like) {
  return trial != NULL ? adl_figure_find(trial->figures, like->stage, like->over, like->name) : NULL;
}

static void number_cell(GString *out, double value) {
  g_string_append(out, "<td class=\"n\">");
  if (isfinite(value)) adl_html_number(out, value);
  g_string_append(out, "</td>");
}

static void append_begin(const adl_comparison *comparison, GString *out) {
  char *title = g_strconcat(comparison->name, " compared", NULL);
  adl_page_begin(out, title);
  g_free(title);
  g_string_append(out, "<header>\n<h1>");
  adl_html_text(out, comparison->name);
  g_string_append_printf(out, " compared</h1>\n<p class=\"muted\">%u combination%s · %s of ",
                         comparison->combinations->len, comparison->combinations->len == 1 ? "" : "s",
                         comparison->lower ? "lowest" : "highest");
  adl_html_text(out, comparison->measure);
  g_string_append(out, " is best · ");
  adl_html_text(out, comparison->judge);
  if (comparison->over[0] != '\0') g_string_append(out, ", ");
  adl_html_text(out, comparison->over);
  g_string_append(out, " · " ADL_HTML_VARIES);
  adl_html_seconds(out, comparison->seconds);
  g_string_append(out, ADL_HTML_VARIES_END "</p>\n</header>\n");
}

/* ---- the ranking ---- */

static void append_verdict(const adl_combination *c, GString *out) {
  g_string_append(out, "<td>");
  if (c->untold) {
    g_string_append(out, "tells no such number");
  } else if (c->failed) {
    g_string_append(out, "<span class=\"outcome failed\">failed</span>");
  } else if (c->same) {
    g_string_append(out, "the same predictions");
  } else if (isfinite(c->difference)) {
    adl_html_number(out, c->difference);
    if (isfinite(c->p)) {
      g_string_append(out, " <small>");
      adl_html_number(out, c->difference_low);
      g_string_append(out, " to ");
      adl_html_number(out, c->difference_high);
      g_string_append_printf(out, ", p %s%.4f</small> %s", c->p < 0.0001 ? "&lt; " : "", fmax(c->p, 0.0001),
                             c->real ? "<b>real</b>" : "may be chance");
    }
  }
  g_string_append(out, "</td>");
}

static void append_costs(const adl_combination *c, GString *out) {
  const adl_trial *trial = shown(c);
  if (trial == NULL) {
    g_string_append(out, "<td colspan=\"4\"></td>");
    return;
  }
  g_string_append(out, "<td class=\"n\">" ADL_HTML_VARIES);
  if (trial->fitted == 0 && trial->stored > 0)
    g_string_append(out, "stored");
  else
    adl_html_seconds(out, trial->fit_seconds);
  g_string_append(out, ADL_HTML_VARIES_END "</td><td class=\"n\">" ADL_HTML_VARIES);
  adl_html_seconds(out, trial->score_seconds);
  g_string_append(out, ADL_HTML_VARIES_END "</td><td class=\"n\">");
  adl_html_bytes(out, trial->model_bytes);
  g_string_append(out, "</td><td class=\"n\">");
  adl_html_bytes(out, trial->kept_bytes);
  g_string_append(out, "</td>");
}

static void append_ranking(const adl_comparison *comparison, GString *out) {
  const adl_plan *plan = comparison->plan;
  g_string_append(out, "<h2>Best first</h2>\n<div class=\"scroll\"><table><thead><tr><th></th>");
  for (guint i = 0; i < plan->axes->len; i++) adl_html_element(out, "th", ((adl_axis *)plan->axes->pdata[i])->key);
  adl_html_element(out, "th class=\"n\"", comparison->measure);
  g_string_append(out, "<th></th>");
  if (plan->repeat > 1) g_string_append(out, "<th class=\"n\">± over seeds</th>");
  g_string_append(out, "<th class=\"n\">fit</th><th class=\"n\">score</th><th class=\"n\">model</th>"
                       "<th class=\"n\">kept rows</th><th>against the best</th></tr></thead><tbody>\n");
  for (guint k = 0; k < comparison->combinations->len; k++) {
    const adl_combination *c = comparison->combinations->pdata[k];
    g_string_append_printf(out, "<tr><td class=\"n\">%u</td>", k + 1);
    for (guint i = 0; i < plan->axes->len; i++) adl_html_element(out, "td", adl_plan_value(plan, c->number, i));
    number_cell(out, c->value);
    g_string_append(out, "<td class=\"range\">");
    if (isfinite(c->low) && isfinite(c->high)) {
      g_string_append(out, "<small>");
      adl_html_number(out, c->low);
      g_string_append(out, " to ");
      adl_html_number(out, c->high);
      g_string_append(out, "</small>");
    }
    g_string_append(out, "</td>");
    if (plan->repeat > 1) number_cell(out, c->deviation);
    append_costs(c, out);
    append_verdict(c, out);
    g_string_append(out, "</tr>\n");
  }
  g_string_append(out,
                  "</tbody></table></div>\n<p class=\"muted\">“Real” is a difference to the best that a paired test on "
                  "the same rows finds at 5 % after Holm's correction for the number of combinations.</p>\n");
}

/* The values with their intervals, in the order of the ranking. */
static void append_ranking_plot(const adl_comparison *comparison, GString *out) {
  guint count = comparison->combinations->len;
  double *x = g_new(double, 4 * count), *y = x + count, *low = y + count, *high = low + count;
  for (guint i = 0; i < count; i++) {
    const adl_combination *c = comparison->combinations->pdata[i];
    x[i] = i + 1;
    y[i] = c->value;
    low[i] = c->low;
    high[i] = c->high;
  }
  const adl_series series = {.struct_size = sizeof series, .count = count, .x = x, .y = y, .low = low, .high = high};
  const adl_series *only = &series;
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_POINTS,
                         .series_count = 1,
                         .name = comparison->measure,
                         .x_title = "place in the table",
                         .y_title = comparison->measure,
                         .series = &only};
  g_string_append(out, "<div class=\"plots\">\n");
  adl_chart_draw(out, &plot);
  g_string_append(out, "</div>\n");
  g_free(x);
}

/* ---- what a number does ---- */

/* All values of the axis are numbers. */
static bool numeric(const adl_axis *axis) {
  for (guint i = 0; i < axis->values->len; i++) {
    char *end;
    const char *text = axis->values->pdata[i];
    g_ascii_strtod(text, &end);
    if (end == text || *end != '\0') return false;
  }
  return axis->values->len > 1;
}

typedef struct swept {
  double x, y, low, high;
} swept;

static int by_x(const void *a, const void *b) {
  double x = ((const swept *)a)->x, y = ((const swept *)b)->x;
  return (x > y) - (x < y);
}

/* The values of a measure, in the order of the parameter; returns how many. */
static guint sweep(const adl_comparison *comparison, const adl_figure *like, swept *points) {
  guint count = 0;
  for (guint k = 0; k < comparison->combinations->len; k++) {
    const adl_combination *c = comparison->combinations->pdata[k];
    const adl_figure *figure = same_figure(shown(c), like);
    if (figure == NULL || !isfinite(figure->value)) continue;
    double x = g_ascii_strtod(adl_plan_value(comparison->plan, c->number, 0), NULL);
    points[count++] = (swept){x, figure->value, figure->low, figure->high};
  }
  qsort(points, count, sizeof *points, by_x);
  return count;
}

static void append_sweep(const adl_comparison *comparison, const adl_figure *like, GString *out) {
  const adl_axis *axis = comparison->plan->axes->pdata[0];
  guint most = comparison->combinations->len;
  swept *points = g_new(swept, most + 1);
  guint count = sweep(comparison, like, points);
  double *x = g_new(double, 4 * most + 1), *y = x + most, *low = y + most, *high = low + most;
  for (guint i = 0; i < count; i++) {
    x[i] = points[i].x;
    y[i] = points[i].y;
    low[i] = points[i].low;
    high[i] = points[i].high;
  }
  const adl_series series = {.struct_size = sizeof series, .count = count, .x = x, .y = y, .low = low, .high = high};
  const adl_series *only = &series;
  char *title = g_strdup_printf("%s of %s%s%s", like->name, like->stage, like->over[0] != '\0' ? ", " : "", like->over);
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_LINE,
                         .series_count = 1,
                         .name = title,
                         .x_title = axis->key,
                         .y_title = like->name,
                         .series = &only};
  bool moves = false;
  for (guint i = 1; i < count; i++) moves = moves || y[i] != y[0];
  if (moves) adl_chart_draw(out, &plot);
  g_free(title);
  g_free(x);
  g_free(points);
}

/* Where one number is all that was varied: the measure ranked by, and what profiles are chosen by, over its values. */
static void append_sweeps(const adl_comparison *comparison, GString *out) {
  static const char *const criteria[] = {"BIC", "silhouette", "inertia"};
  const adl_trial *first = shown(comparison->combinations->pdata[0]);
  if (first == NULL || comparison->plan->axes->len != 1 || !numeric(comparison->plan->axes->pdata[0])) return;
  g_string_append(out, "<div class=\"plots\">\n");
  const adl_figure *ranked = adl_figure_find(first->figures, comparison->judge, comparison->over, comparison->measure);
  if (ranked != NULL) append_sweep(comparison, ranked, out);
  for (guint i = 0; i < first->figures->len; i++) {
    const adl_figure *figure = first->figures->pdata[i];
    for (size_t k = 0; k < G_N_ELEMENTS(criteria); k++)
      if (strcmp(figure->name, criteria[k]) == 0 && strcmp(figure->name, comparison->measure) != 0)
        append_sweep(comparison, figure, out);
  }
  g_string_append(out, "</div>\n");
}

/* ---- side by side ---- */

/* One figure for each name that any combination tells of some rows; those of the best first. */
static GPtrArray *rows_of_numbers(const adl_comparison *comparison) {
  GPtrArray *rows = g_ptr_array_new();
  for (guint k = 0; k < comparison->combinations->len; k++) {
    const adl_trial *trial = shown(comparison->combinations->pdata[k]);
    for (guint i = 0; trial != NULL && i < trial->figures->len && rows->len < ADL_PAGE_ROWS; i++) {
      adl_figure *figure = trial->figures->pdata[i];
      if (adl_figure_find(rows, figure->stage, figure->over, figure->name) == NULL) g_ptr_array_add(rows, figure);
    }
  }
  return rows;
}

static void append_numbers(const adl_comparison *comparison, GString *out) {
  GPtrArray *rows = rows_of_numbers(comparison);
  g_string_append(out, "<h2>All numbers</h2>\n<div class=\"scroll\"><table class=\"numbers\"><thead><tr>"
                       "<th>stage</th><th>number</th><th>over</th>");
  for (guint k = 0; k < comparison->combinations->len; k++) {
    char *label = label_of(comparison, comparison->combinations->pdata[k]);
    adl_html_element(out, "th class=\"n\"", label);
    g_free(label);
  }
  g_string_append(out, "</tr></thead><tbody>\n");
  for (guint i = 0; i < rows->len; i++) {
    const adl_figure *figure = rows->pdata[i];
    g_string_append(out, "<tr>");
    adl_html_element(out, "td", figure->stage);
    adl_html_element(out, "td", figure->name);
    adl_html_element(out, "td", figure->over);
    for (guint k = 0; k < comparison->combinations->len; k++) {
      const adl_figure *same = same_figure(shown(comparison->combinations->pdata[k]), figure);
      number_cell(out, same != NULL ? same->value : NAN);
    }
    g_string_append(out, "</tr>\n");
  }
  g_string_append(out, "</tbody></table></div>\n");
  g_ptr_array_free(rows, TRUE);
}

static const adl_plot *same_plot(const adl_trial *trial, const adl_trial_plot *like) {
  for (guint i = 0; trial != NULL && i < trial->plots->len; i++) {
    const adl_trial_plot *plot = trial->plots->pdata[i];
    if (strcmp(plot->stage, like->stage) == 0 && strcmp(plot->plot->name, like->plot->name) == 0) return plot->plot;
  }
  return NULL;
}

/* The same plot of every combination in one picture. */
static void append_overlay(const adl_comparison *comparison, const adl_trial_plot *like, GString *out) {
  guint count = comparison->combinations->len, used = 0;
  adl_series *series = g_new0(adl_series, count);
  const adl_series **list = g_new0(const adl_series *, count + 1);
  for (guint k = 0; k < count; k++) {
    const adl_plot *plot = same_plot(shown(comparison->combinations->pdata[k]), like);
    if (plot == NULL || plot->series_count == 0) continue;
    series[used] = *plot->series[0];
    series[used].name = label_of(comparison, comparison->combinations->pdata[k]);
    list[used] = &series[used];
    used++;
  }
  adl_plot plot = *like->plot;
  char *name = g_strdup_printf("%s: %s", like->stage, like->plot->name);
  plot.name = name;
  plot.series = list;
  plot.series_count = (int32_t)used;
  adl_chart_draw(out, &plot);
  for (guint k = 0; k < used; k++) g_free((gpointer)series[k].name);
  g_free(name);
  g_free(list);
  g_free(series);
}

static void append_plots(const adl_comparison *comparison, GString *out) {
  const adl_trial *first = shown(comparison->combinations->pdata[0]);
  if (first == NULL || first->plots->len == 0) return;
  g_string_append(out, "<h2>Side by side</h2>\n<div class=\"plots\">\n");
  for (guint i = 0; i < first->plots->len; i++) append_overlay(comparison, first->plots->pdata[i], out);
  g_string_append(out, "</div>\n");
}

static void append_notes(const adl_comparison *comparison, GString *out) {
  for (guint k = 0; k < comparison->combinations->len; k++) {
    const adl_combination *c = comparison->combinations->pdata[k];
    char *label = label_of(comparison, c);
    if (c->dropped->len > 0) {
      g_string_append(out, "<p class=\"muted\">");
      adl_html_text(out, label);
      for (guint i = 0; i < c->dropped->len; i++) {
        g_string_append(out, i == 0 ? ": without " : ", ");
        adl_html_text(out, c->dropped->pdata[i]);
      }
      g_string_append(out, ", which the class swapped in does not have.</p>\n");
    }
    for (guint i = 0; i < c->trials->len; i++) {
      const adl_trial *trial = c->trials->pdata[i];
      if (trial->failure == NULL) continue;
      adl_html_element(out, "h3", label);
      adl_html_element(out, "pre class=\"problems\"", trial->failure);
    }
    g_free(label);
  }
}

void adl_compare_page(const adl_comparison *comparison, GString *out) {
  append_begin(comparison, out);
  append_ranking(comparison, out);
  append_ranking_plot(comparison, out);
  append_sweeps(comparison, out);
  append_notes(comparison, out);
  append_plots(comparison, out);
  append_numbers(comparison, out);
  adl_page_end(out);
}
