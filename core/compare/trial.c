#include "core/compare/compare.h"

#include <math.h>
#include <string.h>

#include "core/engine/reports.h"
#include "core/graph/host.h"

/* ---- records ---- */

static void free_figure(gpointer data) {
  adl_figure *figure = data;
  g_free(figure->stage);
  g_free(figure->over);
  g_free(figure->name);
  g_free(figure);
}

static void free_plot(gpointer data) {
  adl_trial_plot *plot = data;
  g_free(plot->stage);
  adl_report_plot_free(plot->plot);
  g_free(plot);
}

static adl_trial *new_trial(void) {
  adl_trial *trial = g_new0(adl_trial, 1);
  trial->figures = g_ptr_array_new_with_free_func(free_figure);
  trial->plots = g_ptr_array_new_with_free_func(free_plot);
  trial->scores = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_array_unref);
  return trial;
}

static void free_trial(gpointer data) {
  adl_trial *trial = data;
  g_free(trial->failure);
  g_ptr_array_free(trial->figures, TRUE);
  g_ptr_array_free(trial->plots, TRUE);
  g_hash_table_destroy(trial->scores);
  g_free(trial);
}

static void free_combination(gpointer data) {
  adl_combination *combination = data;
  g_ptr_array_free(combination->trials, TRUE);
  g_ptr_array_free(combination->dropped, TRUE);
  g_free(combination);
}

void adl_comparison_free(adl_comparison *comparison) {
  if (comparison == NULL) return;
  g_ptr_array_free(comparison->combinations, TRUE);
  g_free(comparison->name);
  g_free(comparison->judge);
  g_free(comparison->measure);
  g_free(comparison->over);
  g_free(comparison);
}

/* ---- loading: each combination alone ---- */

/* Everything about one seed. */
typedef struct season {
  const adl_plan *plan;
  const adl_compare_options *options;
  const char *path;
  int64_t number; /* of the seed, from 0 */
  uint64_t seed;
  guint count;
  adl_registry *registry;
  adl_problems **problems; /* by combination */
  adl_graph **alone;
} season;

static char *option_of(const adl_axis *axis, const char *value) { return g_strdup_printf("%s=%s", axis->key, value); }

static GPtrArray *texts_new(void) { return g_ptr_array_new_with_free_func(g_free); }

/* Every class that some combination swaps in. */
static GPtrArray *classes_offered(const adl_plan *plan) {
  GPtrArray *offered = texts_new();
  for (guint i = 0; i < plan->axes->len; i++) {
    const adl_axis *axis = plan->axes->pdata[i];
    for (guint k = 0; adl_axis_of_classes(axis) && k < axis->values->len; k++)
      g_ptr_array_add(offered, option_of(axis, axis->values->pdata[k]));
  }
  g_ptr_array_add(offered, NULL);
  return offered;
}

static void load_one(season *s, guint number) {
  GPtrArray *sets = texts_new(), *swaps = texts_new(), *offered = classes_offered(s->plan);
  for (guint i = 0; i < s->plan->sets->len; i++) g_ptr_array_add(sets, g_strdup(s->plan->sets->pdata[i]));
  for (guint i = 0; i < s->plan->axes->len; i++) {
    const adl_axis *axis = s->plan->axes->pdata[i];
    g_ptr_array_add(adl_axis_of_classes(axis) ? swaps : sets, option_of(axis, adl_plan_value(s->plan, number, i)));
  }
  if (s->number > 0) g_ptr_array_add(sets, g_strdup_printf("seed=%" G_GUINT64_FORMAT, s->seed));
  g_ptr_array_add(sets, NULL);
  g_ptr_array_add(swaps, NULL);
  const adl_graph_options options = {.sets = (const char *const *)sets->pdata,
                                     .swaps = (const char *const *)swaps->pdata,
                                     .offered = (const char *const *)offered->pdata,
                                     .vars = s->options->vars};
  s->problems[number] = adl_problems_new();
  s->alone[number] = adl_graph_load(s->path, &options, s->registry, s->problems[number]);
  GPtrArray *lists[] = {sets, swaps, offered};
  for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) g_ptr_array_free(lists[i], TRUE);
}

static void append_label(const adl_plan *plan, guint number, GString *out) {
  for (guint i = 0; i < plan->axes->len; i++)
    g_string_append_printf(out, "%s%s=%s", i > 0 ? " " : "", ((adl_axis *)plan->axes->pdata[i])->key,
                           adl_plan_value(plan, number, i));
}

/* What is wrong with every combination is said once. */
static bool all_fine(const season *s, GString *out) {
  GHashTable *said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  guint wrong = 0;
  for (guint i = 0; i < s->count; i++) {
    if (adl_problems_errors(s->problems[i]) == 0) continue;
    GString *text = g_string_new(NULL);
    adl_problems_print(s->problems[i], text, false);
    if (g_hash_table_add(said, g_strdup(text->str))) {
      append_label(s->plan, i, out);
      g_string_append_printf(out, ":\n%s", text->str);
    }
    g_string_free(text, TRUE);
    wrong++;
  }
  if (wrong > 0) g_string_append_printf(out, "%u of %u combinations are wrong; nothing was started\n", wrong, s->count);
  g_hash_table_destroy(said);
  return wrong == 0;
}

static void open_season(season *s) {
  s->problems = g_new0(adl_problems *, s->count);
  s->alone = g_new0(adl_graph *, s->count);
  s->registry = adl_registry_new(adl_host_table());
  for (guint i = 0; i < s->count; i++) load_one(s, i);
}

static void close_season(season *s) {
  for (guint i = 0; i < s->count; i++) {
    adl_graph_free(s->alone[i]);
    adl_problems_free(s->problems[i]);
  }
  adl_registry_free(s->registry);
  g_free(s->alone);
  g_free(s->problems);
}

/* ---- what came of a run ---- */

static void watch(void *data, const adl_stage *stage, const adl_frame *frame) {
  const GPtrArray *collectors = data;
  for (guint i = 0; i < collectors->len; i++) {
    adl_collector *collector = collectors->pdata[i];
    if (collector->from == stage) adl_collector_see(collector, frame);
  }
}

static GPtrArray *collectors_of(const adl_graph *graph, GPtrArray *watched) {
  GPtrArray *collectors = g_ptr_array_new_with_free_func((GDestroyNotify)adl_collector_free);
  for (guint i = 0; i < graph->stages->len; i++) {
    adl_collector *collector = adl_collector_new(graph->stages->pdata[i]);
    if (collector == NULL) continue;
    g_ptr_array_add(collectors, collector);
    if (!g_ptr_array_find(watched, collector->from, NULL)) g_ptr_array_add(watched, (gpointer)collector->from);
  }
  return collectors;
}

/* What a stage said of the rows that count most. */
static void take_figures(adl_trial *trial, const adl_report_data *reports, const adl_stage *stage) {
  int best = -1;
  for (guint i = 0; i < reports->items->len; i++) {
    const adl_report_item *item = reports->items->pdata[i];
    if (item->kind == ADL_REPORT_NUMBER && strcmp(item->stage, stage->name) == 0)
      best = MAX(best, adl_figure_weight(item->over));
  }
  for (guint i = 0; i < reports->items->len; i++) {
    const adl_report_item *item = reports->items->pdata[i];
    /* Those of no rows in particular stand beside them where the stage does not judge. */
    bool counts = item->kind == ADL_REPORT_NUMBER &&
                  (adl_figure_weight(item->over) == best || stage->class->kind != ADL_EVALUATE);
    if (strcmp(item->stage, stage->name) != 0 || !counts) continue;
    adl_figure *figure = g_new(adl_figure, 1);
    *figure = (adl_figure){
        g_strdup(stage->given), g_strdup(item->over), g_strdup(item->name), item->value, item->low, item->high};
    g_ptr_array_add(trial->figures, figure);
  }
}

static void take_plots(adl_trial *trial, const adl_report_data *reports, const adl_stage *stage) {
  for (guint i = 0; i < reports->items->len; i++) {
    const adl_report_item *item = reports->items->pdata[i];
    if (item->kind != ADL_REPORT_PLOT || strcmp(item->stage, stage->name) != 0) continue;
    adl_trial_plot *plot = g_new(adl_trial_plot, 1);
    *plot = (adl_trial_plot){g_strdup(stage->given), adl_report_plot_copy(item->plot)};
    g_ptr_array_add(trial->plots, plot);
  }
}

static void take_scores(adl_trial *trial, const adl_stage *judge, const GPtrArray *collectors) {
  for (guint i = 0; i < collectors->len; i++) {
    adl_collector *collector = collectors->pdata[i];
    if (collector->judge != judge) continue;
    GArray *rows = (GArray *)(uintptr_t)adl_collector_rows(collector);
    g_hash_table_insert(trial->scores, g_strdup(judge->given), g_array_ref(rows));
  }
}

/* In pipeline order, those that judge before the others. */
static void take_reports(adl_trial *trial, const adl_engine *engine, const adl_version *version,
                         const GPtrArray *collectors, bool judges) {
  const adl_report_data *reports = adl_engine_reports(engine);
  for (guint i = 0; i < version->alone->stages->len; i++) {
    const adl_stage *given = version->alone->stages->pdata[i];
    const adl_stage *stage = given->role == ADL_STAGE_CLASS ? g_hash_table_lookup(version->stages, given->name) : NULL;
    if (stage == NULL || (stage->class->kind == ADL_EVALUATE) != judges) continue;
    take_figures(trial, reports, stage);
    if (!judges) continue;
    take_plots(trial, reports, stage);
    take_scores(trial, stage, collectors);
  }
}

static adl_trial *trial_of(const adl_engine *engine, const adl_version *version, const GPtrArray *collectors) {
  adl_trial *trial = new_trial();
  GHashTableIter iter;
  gpointer stage_pointer;
  g_hash_table_iter_init(&iter, version->stages);
  while (g_hash_table_iter_next(&iter, NULL, &stage_pointer)) {
    const adl_stage *stage = stage_pointer;
    adl_stage_facts facts = adl_engine_stage_facts(engine, stage);
    trial->fit_seconds += (double)facts.fit_nanoseconds / 1e9;
    trial->score_seconds += (double)MAX(facts.nanoseconds - facts.fit_nanoseconds, 0) / 1e9;
    bool saved = stage->learn != ADL_LEARN_NONE && (stage->class->flags & ADL_TRANSIENT) == 0;
    if (saved) trial->model_bytes += facts.model_bytes;
    trial->kept_bytes += facts.kept_bytes;
    trial->fitted += saved && facts.fitted;
    trial->stored += facts.stored;
  }
  take_reports(trial, engine, version, collectors, true);
  take_reports(trial, engine, version, collectors, false);
  return trial;
}

/* ---- running ---- */

static bool has_stage(const adl_version *version, const adl_stage *stage) {
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, version->stages);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    if (value == stage || (stage != NULL && strcmp(((const adl_stage *)value)->name, stage->name) == 0)) return true;
  return false;
}

static void count_shared(adl_comparison *comparison, const adl_graph *graph, const adl_version *versions, guint count) {
  comparison->stages = comparison->shared = 0;
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    guint users = 0;
    for (guint v = 0; v < count && stage->role == ADL_STAGE_CLASS; v++) users += has_stage(&versions[v], stage);
    comparison->stages += users > 0;
    comparison->shared += users > 1;
  }
}

/* One run of what is left to run; combinations with the stage that failed get its message. */
typedef struct attempt {
  adl_outcome outcome;
  bool any_failed; /* the others must be run again */
} attempt;

static void fail_those(adl_trial **trials, const guint *numbers, const adl_version *versions, guint count,
                       const adl_stage *culprit, adl_problems *problems) {
  GString *text = g_string_new(NULL);
  adl_problems_print(problems, text, false);
  g_strchomp(text->str);
  for (guint v = 0; v < count; v++) {
    if (culprit != NULL && !has_stage(&versions[v], culprit)) continue;
    trials[numbers[v]] = new_trial();
    trials[numbers[v]]->failure = g_strdup(text->str);
  }
  g_string_free(text, TRUE);
}

/* A list of a run's own, which knows the lines of the file. */
static adl_problems *problems_of(const char *path) {
  adl_problems *problems = adl_problems_new();
  char *text = NULL;
  gsize size = 0;
  if (g_file_get_contents(path, &text, &size, NULL)) adl_problems_source(problems, path, text, size);
  g_free(text);
  return problems;
}

static attempt run_those(adl_comparison *comparison, season *s, adl_trial **trials, const guint *numbers, guint count,
                         GString *out) {
  attempt result = {ADL_RUN_OK, false};
  adl_version *versions = g_new0(adl_version, count);
  for (guint v = 0; v < count; v++) versions[v].alone = s->alone[numbers[v]];
  adl_problems *problems = problems_of(s->path);
  adl_graph *graph = adl_graph_of_versions(versions, count, s->registry, problems);
  GPtrArray *watched = g_ptr_array_new();
  GPtrArray *collectors = collectors_of(graph, watched);
  adl_run_options run = {.threads = s->options->threads,
                         .memory = s->options->memory,
                         .limit = s->options->limit,
                         .models = s->options->models,
                         .fresh = s->options->fresh,
                         .progress = s->options->progress,
                         .progress_file = s->options->progress_file,
                         .watched = watched,
                         .watch = watch,
                         .watch_data = collectors};
  count_shared(comparison, graph, versions, count);
  adl_engine *engine = adl_engine_new(graph, &run);
  result.outcome = adl_engine_run(engine);
  adl_engine_end_progress(engine);
  if (result.outcome == ADL_RUN_OK) {
    for (guint v = 0; v < count; v++) trials[numbers[v]] = trial_of(engine, &versions[v], collectors);
  } else if (result.outcome == ADL_RUN_FAILED) {
    fail_those(trials, numbers, versions, count, adl_engine_culprit(engine), problems);
    result.any_failed = true;
  }
  if (result.outcome == ADL_RUN_OK && adl_problems_warnings(problems) > 0) adl_problems_print(problems, out, false);
  adl_engine_free(engine);
  adl_graph_free(graph);
  adl_problems_free(problems);
  for (guint v = 0; v < count; v++) g_hash_table_destroy(versions[v].stages);
  g_ptr_array_free(collectors, TRUE);
  g_ptr_array_free(watched, TRUE);
  g_free(versions);
  return result;
}

/* Until every combination has run or failed. What was fitted before a failure comes from the store then. */
static adl_outcome run_season(adl_comparison *comparison, season *s, GString *out) {
  adl_trial **trials = g_new0(adl_trial *, s->count);
  guint *numbers = g_new(guint, s->count);
  adl_outcome outcome = ADL_RUN_OK;
  for (bool again = true; again && outcome != ADL_RUN_INTERRUPTED;) {
    guint count = 0;
    for (guint i = 0; i < s->count; i++)
      if (trials[i] == NULL) numbers[count++] = i;
    attempt result = {ADL_RUN_OK, false};
    if (count > 0) result = run_those(comparison, s, trials, numbers, count, out);
    again = result.any_failed;
    outcome = result.outcome == ADL_RUN_FAILED ? outcome : result.outcome;
  }
  for (guint i = 0; i < s->count && outcome == ADL_RUN_OK; i++) {
    adl_combination *combination = comparison->combinations->pdata[i];
    trials[i]->seed = s->alone[i]->seed;
    g_ptr_array_add(combination->trials, trials[i]);
    for (guint k = 0; s->number == 0 && k < s->alone[i]->dropped->len; k++)
      g_ptr_array_add(combination->dropped, g_strdup(s->alone[i]->dropped->pdata[k]));
  }
  for (guint i = 0; i < s->count && outcome != ADL_RUN_OK; i++)
    if (trials[i] != NULL) free_trial(trials[i]);
  g_free(numbers);
  g_free(trials);
  return outcome;
}

static adl_comparison *new_comparison(const char *path, const adl_plan *plan, guint count) {
  adl_comparison *comparison = g_new0(adl_comparison, 1);
  comparison->plan = plan;
  comparison->path = path;
  comparison->combinations = g_ptr_array_new_with_free_func(free_combination);
  for (guint i = 0; i < count; i++) {
    adl_combination *combination = g_new0(adl_combination, 1);
    combination->number = i;
    combination->trials = g_ptr_array_new_with_free_func(free_trial);
    combination->dropped = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(comparison->combinations, combination);
  }
  return comparison;
}

/* Somebody tells a number to rank by. */
static bool has_judge(const adl_graph *graph) {
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    if (stage->class != NULL && (stage->class->kind == ADL_EVALUATE || stage->class->kind == ADL_PROFILE)) return true;
  }
  return false;
}

adl_comparison *adl_compare_run(const char *path, const adl_plan *plan, const adl_compare_options *options,
                                adl_outcome *outcome, bool *usage, GString *out) {
  guint count = adl_plan_count(plan);
  adl_comparison *comparison = new_comparison(path, plan, count);
  gint64 begin = g_get_monotonic_time();
  *usage = false;
  *outcome = ADL_RUN_OK;
  for (int64_t k = 0; k < plan->repeat && !*usage && *outcome == ADL_RUN_OK; k++) {
    season s = {.plan = plan, .options = options, .path = path, .number = k, .count = count};
    s.seed = comparison->first_seed + (uint64_t)k;
    open_season(&s);
    if (!all_fine(&s, out)) {
      *usage = true;
    } else if (!has_judge(s.alone[0])) {
      g_string_append_printf(out, "%s: nothing is measured in it; add an evaluator, for example metrics\n", path);
      *usage = true;
    } else {
      if (k == 0) comparison->first_seed = s.alone[0]->seed;
      if (k == 0) comparison->name = g_strdup(s.alone[0]->name);
      *outcome = run_season(comparison, &s, out);
    }
    close_season(&s);
  }
  comparison->seconds = (double)(g_get_monotonic_time() - begin) / 1e6;
  return comparison;
}
