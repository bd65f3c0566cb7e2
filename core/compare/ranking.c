#include "core/compare/compare.h"

#include <math.h>
#include <string.h>

/* ---- by what ---- */

/* Measures by which people judge, those first that say most; the others are ranked by when they are asked for. */
static const struct {
  const char *name;
  bool lower;
} known[] = {{"logloss", true}, {"auc", false},    {"accuracy", false}, {"ndcg", false},       {"value", false},
             {"uplift", false}, {"qini", false},   {"rmse", true},      {"mae", true},         {"adjusted_rand", false},
             {"brier", true},   {"purity", false}, {"ece", true},       {"silhouette", false}, {"BIC", true}};

static bool lower_is_better(const char *name) {
  static const char *const parts[] = {"loss",    "error",      "brier",   "rmse", "mae", "ece",
                                      "entropy", "perplexity", "inertia", "BIC",  "AIC"};
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
    if (strcmp(known[i].name, name) == 0) return known[i].lower;
  for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
    if (strstr(name, parts[i]) != NULL) return true;
  return false;
}

static const adl_trial *first_good(const adl_comparison *comparison) {
  for (guint i = 0; i < comparison->combinations->len; i++) {
    const adl_combination *combination = comparison->combinations->pdata[i];
    for (guint k = 0; k < combination->trials->len; k++)
      if (((adl_trial *)combination->trials->pdata[k])->failure == NULL) return combination->trials->pdata[k];
  }
  return NULL;
}

static const adl_figure *default_figure(const adl_trial *trial) {
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    const adl_figure *figure = adl_figure_find(trial->figures, NULL, NULL, known[i].name);
    if (figure != NULL && isfinite(figure->value)) return figure;
  }
  for (guint i = 0; i < trial->figures->len; i++)
    if (strcmp(((adl_figure *)trial->figures->pdata[i])->name, "rows") != 0) return trial->figures->pdata[i];
  return NULL;
}

static char *no_such_measure(const adl_trial *trial, const char *by) {
  if (by == NULL) return g_strdup("no stage tells a number");
  GString *text = g_string_new(NULL);
  g_string_printf(text, "--by %s: no stage tells that; there are ", by);
  adl_figure_list(trial->figures, text);
  return g_string_free(text, FALSE);
}

static bool choose_measure(adl_comparison *comparison, const adl_trial *trial, char **why) {
  const char *by = comparison->plan->by;
  const adl_figure *figure = by != NULL ? adl_figure_called(trial->figures, by) : default_figure(trial);
  if (figure == NULL) {
    *why = no_such_measure(trial, by);
    return false;
  }
  comparison->judge = g_strdup(figure->stage);
  comparison->measure = g_strdup(figure->name);
  comparison->over = g_strdup(figure->over);
  comparison->lower = lower_is_better(figure->name);
  return true;
}

/* ---- order ---- */

/* The number ranked by; NULL: the trial failed, or tells it of other rows, which would be no comparison. */
static const adl_figure *figure_of(const adl_comparison *comparison, const adl_trial *trial) {
  if (trial->failure != NULL) return NULL;
  return adl_figure_find(trial->figures, comparison->judge, comparison->over, comparison->measure);
}

/* Mean and deviation over seeds; the interval is that of the first seed, about the mean. */
static void sum_up(const adl_comparison *comparison, adl_combination *combination) {
  double sum = 0, squares = 0, low = NAN, high = NAN;
  guint count = combination->trials->len;
  combination->failed = count == 0;
  combination->difference = combination->difference_low = combination->difference_high = combination->p = NAN;
  for (guint i = 0; i < count; i++) {
    const adl_trial *trial = combination->trials->pdata[i];
    const adl_figure *figure = figure_of(comparison, trial);
    if (figure == NULL) {
      combination->failed = true;
      combination->untold = combination->untold || trial->failure == NULL;
      continue;
    }
    sum += figure->value;
    squares += figure->value * figure->value;
    if (i == 0) low = figure->low - figure->value;
    if (i == 0) high = figure->high - figure->value;
  }
  combination->value = combination->failed ? NAN : sum / count;
  combination->low = combination->value + low;
  combination->high = combination->value + high;
  combination->deviation = count > 1 ? sqrt(fmax(squares - sum * sum / count, 0) / (count - 1)) : NAN;
}

static gint better_first(gconstpointer a, gconstpointer b, gpointer data) {
  const adl_comparison *comparison = data;
  const adl_combination *x = *(const adl_combination *const *)a, *y = *(const adl_combination *const *)b;
  bool has_x = isfinite(x->value), has_y = isfinite(y->value);
  if (has_x && has_y && x->value != y->value) return (x->value < y->value) == comparison->lower ? -1 : 1;
  if (has_x != has_y) return has_x ? -1 : 1;
  return x->number < y->number ? -1 : x->number > y->number;
}

/* ---- tests ---- */

static adl_difference of_seed(const adl_comparison *comparison, const adl_combination *best,
                              const adl_combination *other, guint seed) {
  const adl_trial *a = best->trials->pdata[seed], *b = other->trials->pdata[seed];
  const GArray *x = g_hash_table_lookup(a->scores, comparison->judge);
  const GArray *y = g_hash_table_lookup(b->scores, comparison->judge);
  if (x == NULL || y == NULL) return (adl_difference){NAN, NAN, 0};
  return adl_paired(adl_paired_of(comparison->measure), x, y);
}

/* The same rows judge under every seed (or rows like them), so their own variance does not fall with more seeds; that of
 * seeds does. */
static void test(const adl_comparison *comparison, const adl_combination *best, adl_combination *other) {
  guint count = best->trials->len;
  double sum = 0, squares = 0, variance = 0;
  for (guint i = 0; i < count; i++) {
    adl_difference d = of_seed(comparison, best, other, i);
    sum += d.value;
    squares += d.value * d.value;
    variance += d.variance;
  }
  double between = count > 1 ? fmax(squares - sum * sum / count, 0) / (count - 1) : 0;
  double error = sqrt(variance / count + between / count);
  other->difference = sum / count;
  other->difference_low = other->difference - 1.959964 * error;
  other->difference_high = other->difference + 1.959964 * error;
  other->same = other->difference == 0 && error == 0;
  other->p = error > 0 ? erfc(fabs(other->difference) / error / sqrt(2)) : other->difference == 0 ? 1 : NAN;
}

static int by_p(const void *a, const void *b) {
  double x = (*(adl_combination *const *)a)->p, y = (*(adl_combination *const *)b)->p;
  return x < y ? -1 : x > y;
}

/* Holm 1979: as many comparisons, as much more evidence. */
static void correct(GPtrArray *combinations) {
  adl_combination **tested = g_new(adl_combination *, combinations->len + 1);
  guint count = 0;
  for (guint i = 0; i < combinations->len; i++) {
    adl_combination *combination = combinations->pdata[i];
    if (isfinite(combination->p)) tested[count++] = combination;
  }
  qsort(tested, count, sizeof *tested, by_p);
  double most = 0;
  for (guint i = 0; i < count; i++) {
    most = fmax(most, fmin(1, tested[i]->p * (count - i)));
    tested[i]->p = most;
    tested[i]->real = most < 0.05;
  }
  g_free(tested);
}

bool adl_compare_rank(adl_comparison *comparison, char **why) {
  const adl_trial *trial = first_good(comparison);
  if (trial == NULL) {
    *why = g_strdup("every combination failed");
    return false;
  }
  if (!choose_measure(comparison, trial, why)) return false;
  GPtrArray *all = comparison->combinations;
  for (guint i = 0; i < all->len; i++) sum_up(comparison, all->pdata[i]);
  g_ptr_array_sort_with_data(all, better_first, comparison);
  for (guint i = 1; i < all->len; i++)
    if (!((adl_combination *)all->pdata[i])->failed) test(comparison, all->pdata[0], all->pdata[i]);
  correct(all);
  return true;
}
