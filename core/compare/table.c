/* The comparison as a table for a terminal: best first, with what the others differ by. */
#include <math.h>
#include <string.h>

#include "core/base/grid.h"
#include "core/compare/compare.h"

enum { MOST_COLUMNS = 24 };

/* Cells of one table; the first row is the head. */
typedef struct grid {
  guint columns;
  bool right[MOST_COLUMNS];
  GPtrArray *cells; /* of char * */
} grid;

static void add(grid *g, char *text) { g_ptr_array_add(g->cells, text); }

static void head(grid *g, const char *title, bool right) {
  g->right[g->columns++] = right;
  add(g, g_strdup(title));
}

/* ---- cells ---- */

static char *value_cell(double value, double low, double high) {
  if (!isfinite(value)) return g_strdup("undefined");
  if (!isfinite(low) || !isfinite(high)) return g_strdup_printf("%.5g", value);
  return g_strdup_printf("%.5g [%.4g, %.4g]", value, low, high);
}

static char *seconds_cell(double seconds) {
  return seconds < 10 ? g_strdup_printf("%.2f s", seconds) : g_strdup_printf("%.0f s", seconds);
}

static char *bytes_cell(int64_t bytes) { return g_format_size((guint64)bytes); }

static const adl_figure *second_figure(const adl_comparison *comparison, const adl_trial *trial, const char *name) {
  return adl_figure_find(trial->figures, comparison->judge, comparison->over, name);
}

/* What else the judge says of these rows that people look at. */
static const char *second_measure(const adl_comparison *comparison) {
  static const char *const names[] = {"auc", "logloss", "accuracy", "rmse"};
  const adl_combination *best = comparison->combinations->pdata[0];
  for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
    if (strcmp(names[i], comparison->measure) != 0 &&
        second_figure(comparison, best->trials->pdata[0], names[i]) != NULL)
      return names[i];
  return NULL;
}

static char *verdict(const adl_combination *combination) {
  if (combination->failed) return g_strdup(combination->untold ? "tells no such number" : "failed");
  if (!isfinite(combination->difference)) return g_strdup("");
  if (combination->same) return g_strdup("the same predictions");
  char *p = combination->p < 0.0001 ? g_strdup("p < .0001") : g_strdup_printf("p = %.4f", combination->p);
  char *text = !isfinite(combination->p)
                   ? g_strdup_printf("%+.4g", combination->difference)
                   : g_strdup_printf("%+.4g [%.4g, %.4g], %s: %s", combination->difference, combination->difference_low,
                                     combination->difference_high, p, combination->real ? "real" : "may be chance");
  g_free(p);
  return text;
}

static void add_head(const adl_comparison *comparison, const char *second, grid *g) {
  const adl_plan *plan = comparison->plan;
  head(g, "", true);
  for (guint i = 0; i < plan->axes->len; i++) head(g, ((adl_axis *)plan->axes->pdata[i])->key, false);
  head(g, comparison->measure, false);
  if (plan->repeat > 1) head(g, "over seeds", false);
  if (second != NULL) head(g, second, false);
  head(g, "fit", true);
  head(g, "score", true);
  head(g, "model", true);
  head(g, "kept rows", true);
  head(g, "against the best", false);
}

static void add_row(const adl_comparison *comparison, guint place, const char *second, grid *g) {
  const adl_plan *plan = comparison->plan;
  const adl_combination *c = comparison->combinations->pdata[place];
  const adl_trial *trial = c->trials->len > 0 ? c->trials->pdata[0] : NULL;
  add(g, g_strdup_printf("%u", place + 1));
  for (guint i = 0; i < plan->axes->len; i++) add(g, g_strdup(adl_plan_value(plan, c->number, i)));
  bool ran = trial != NULL && !c->failed;
  add(g, ran ? value_cell(c->value, c->low, c->high) : g_strdup(""));
  if (plan->repeat > 1) add(g, ran ? g_strdup_printf("± %.3g", c->deviation) : g_strdup(""));
  if (second != NULL) {
    const adl_figure *figure = ran ? second_figure(comparison, trial, second) : NULL;
    add(g, figure != NULL ? value_cell(figure->value, figure->low, figure->high) : g_strdup(""));
  }
  bool stored = ran && trial->stored > 0 && trial->fitted == 0;
  add(g, !ran ? g_strdup("") : stored ? g_strdup("stored") : seconds_cell(trial->fit_seconds));
  add(g, ran ? seconds_cell(trial->score_seconds) : g_strdup(""));
  add(g, ran ? bytes_cell(trial->model_bytes) : g_strdup(""));
  add(g, ran ? bytes_cell(trial->kept_bytes) : g_strdup(""));
  add(g, verdict(c));
}

static void append_notes(const adl_comparison *comparison, GString *out) {
  for (guint i = 0; i < comparison->combinations->len; i++) {
    const adl_combination *c = comparison->combinations->pdata[i];
    if (c->dropped->len > 0) {
      g_string_append_printf(out, "%u: without", i + 1);
      for (guint k = 0; k < c->dropped->len; k++)
        g_string_append_printf(out, "%s %s", k > 0 ? "," : "", (const char *)c->dropped->pdata[k]);
      g_string_append(out, ", which the class swapped in does not have\n");
    }
    for (guint k = 0; k < c->trials->len; k++) {
      const adl_trial *trial = c->trials->pdata[k];
      if (trial->failure != NULL) g_string_append_printf(out, "%u: %s\n", i + 1, trial->failure);
    }
  }
}

void adl_compare_table(const adl_comparison *comparison, GString *out) {
  grid g = {.cells = g_ptr_array_new_with_free_func(g_free)};
  guint count = comparison->combinations->len;
  const char *second = second_measure(comparison);
  g_string_append_printf(out, "%s: %u combination%s, %s of %s%s%s, %s is better\n", comparison->name, count,
                         count == 1 ? "" : "s", comparison->measure, comparison->judge,
                         comparison->over[0] != '\0' ? ", " : "", comparison->over,
                         comparison->lower ? "lower" : "higher");
  add_head(comparison, second, &g);
  for (guint i = 0; i < count; i++) add_row(comparison, i, second, &g);
  adl_grid_append(out, g.cells, g.columns, g.right);
  append_notes(comparison, out);
  g_ptr_array_free(g.cells, TRUE);
}
