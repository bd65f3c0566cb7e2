/* Comparing: plans, paired tests against their definitions, and combinations that give what runs of their own give. */
#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/compare/compare.h"
#include "core/engine/reports.h"
#include "core/graph/host.h"
#include "core/report/html.h"

/* ---- plans ---- */

static char *refusal(adl_plan *plan, const char *option) {
  char *why = NULL;
  ck_assert_msg(!adl_plan_add(plan, option, &why), "%s is taken", option);
  return why;
}

START_TEST(plans) {
  adl_plan *plan = adl_plan_new();
  char *why = NULL;
  ck_assert(adl_plan_add(plan, "profile=kmeans, gmm", &why));
  ck_assert(adl_plan_add(plan, "x.features=[a, b],[c],\"d,e\"", &why));
  ck_assert_uint_eq(adl_plan_count(plan), 6);
  static const char *const expected[6][2] = {{"kmeans", "[a, b]"}, {"kmeans", "[c]"}, {"kmeans", "\"d,e\""},
                                             {"gmm", "[a, b]"},    {"gmm", "[c]"},    {"gmm", "\"d,e\""}};
  for (guint i = 0; i < 6; i++)
    for (guint k = 0; k < 2; k++) ck_assert_str_eq(adl_plan_value(plan, i, k), expected[i][k]);
  static const struct {
    const char *option, *says;
  } wrong[] = {{"profile", "it is written STAGE=CLASS"},
               {"=a,b", "the stage is missing"},
               {"s=a,,b", "a value is empty"},
               {"s=a,a", "a stands there twice"},
               {"profile=als", "is varied twice"}};
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    why = refusal(plan, wrong[i].option);
    ck_assert_msg(strstr(why, wrong[i].says) != NULL, "%s: %s", wrong[i].option, why);
    g_free(why);
  }
  adl_plan_free(plan);
}
END_TEST

/* ---- paired tests ---- */

static GArray *scored(int64_t count, uint64_t key, double noise, int64_t without) {
  GArray *rows = g_array_new(FALSE, FALSE, sizeof(adl_scored));
  for (int64_t i = 0; i < count; i++) {
    if (i == without) continue;
    double label = adl_random_unit(1, (uint64_t)i) < 0.4, mean = label == 1 ? 0.6 : 0.4;
    double score = mean + noise * (adl_random_unit(key, (uint64_t)i) - 0.5);
    adl_scored row = {i, label, floor(score * 50) / 50, 1}; /* with ties */
    g_array_append_val(rows, row);
  }
  return rows;
}

static double above(double x, double y) { return x > y ? 1 : x == y ? 0.5 : 0; }

/* DeLong's variance of the difference of two AUCs, by its definition. */
static adl_difference delong(const GArray *a, const GArray *b) {
  const GArray *both[2] = {a, b};
  int64_t count = a->len, positives = 0;
  double *part = g_new0(double, count * 2), auc[2] = {0, 0};
  for (int64_t i = 0; i < count; i++) positives += g_array_index(a, adl_scored, i).label == 1;
  for (int k = 0; k < 2; k++)
    for (int64_t i = 0; i < count; i++) {
      const adl_scored *x = &g_array_index(both[k], adl_scored, i);
      for (int64_t j = 0; j < count; j++) {
        const adl_scored *y = &g_array_index(both[k], adl_scored, j);
        if (x->label == y->label) continue;
        part[k * count + i] += x->label == 1 ? above(x->score, y->score) / (double)(count - positives)
                                             : above(y->score, x->score) / (double)positives;
      }
      if (x->label == 1) auc[k] += part[k * count + i] / (double)positives;
    }
  double squares[2] = {0, 0};
  for (int64_t i = 0; i < count; i++) {
    double off = part[count + i] - part[i] - (auc[1] - auc[0]);
    squares[g_array_index(a, adl_scored, i).label == 1] += off * off;
  }
  g_free(part);
  double n = (double)(count - positives), p = (double)positives;
  return (adl_difference){auc[1] - auc[0], squares[1] / (p - 1) / p + squares[0] / (n - 1) / n, count};
}

START_TEST(delong_by_definition) {
  GArray *a = scored(300, 2, 0.8, -1), *b = scored(300, 3, 1.4, -1);
  adl_difference d = adl_paired(ADL_PAIRED_AUC, a, b), expected = delong(a, b);
  ck_assert_int_eq(d.rows, 300);
  ck_assert(fabs(d.value - expected.value) < 1e-12);
  ck_assert_msg(fabs(d.variance - expected.variance) < 1e-12, "%.17g, not %.17g", d.variance, expected.variance);
  ck_assert(d.value < 0);
  adl_difference none = adl_paired(ADL_PAIRED_AUC, a, a);
  ck_assert(none.value == 0 && none.variance == 0);
  g_array_unref(a);
  g_array_unref(b);
}
END_TEST

START_TEST(losses_of_rows_that_both_have) {
  GArray *a = scored(50, 2, 0.4, 7), *b = scored(50, 3, 0.7, 20);
  double sum = 0, squares = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t i = 0; i < 50; i++) {
      if (i == 7 || i == 20) continue;
      const adl_scored *x = &g_array_index(a, adl_scored, i - (i > 7)),
                       *y = &g_array_index(b, adl_scored, i - (i > 20));
      ck_assert_int_eq(x->tag, y->tag);
      double d = (y->score - y->label) * (y->score - y->label) - (x->score - x->label) * (x->score - x->label);
      if (pass == 0) sum += d;
      if (pass == 1) squares += (d - sum / 48) * (d - sum / 48);
    }
  adl_difference d = adl_paired(ADL_PAIRED_BRIER, a, b);
  ck_assert_int_eq(d.rows, 48);
  ck_assert(fabs(d.value - sum / 48) < 1e-14);
  ck_assert(fabs(d.variance - squares / 47 / 48) < 1e-14);
  /* Scores that are no probabilities. */
  g_array_index(a, adl_scored, 3).score = 1.5;
  ck_assert(isnan(adl_paired(ADL_PAIRED_LOGLOSS, a, b).value));
  g_array_unref(a);
  g_array_unref(b);
}
END_TEST

/* ---- whole comparisons ---- */

typedef struct scene {
  char *folder, *pipeline;
} scene;

static const char *const STAGES =
    "adloom: 1\nname: scene\nseed: 7\nstages:\n"
    "  log:\n    use: read-csv\n    path: log.csv\n    columns: {user: id, ad: id, x: float, y: float, clicked: bool}\n"
    "    holdout: {fraction: 0.3, by: user}\n"
    "  ads: {use: read-csv, path: ads.csv, columns: {ad: id, price: float}}\n"
    "  priced: {use: join, from: log, with: ads, on: ad}\n"
    "  segment: {use: kmeans, features: [x, y], clusters: 3, as: segment}\n"
    "  inputs: {use: hash, columns: [segment, ad, x, y, price], bits: 12, as: f}\n"
    "  click: {use: ftrl, features: [f], label: clicked, alpha: 0.2, as: p}\n"
    "  quality: {use: metrics, label: clicked, score: p}\n"
    "  out: {use: write-csv, from: click, path: out.csv}\n";

static void write_text(const scene *s, const char *name, const char *text) {
  char *path = g_build_filename(s->folder, name, NULL);
  ck_assert(g_file_set_contents(path, text, -1, NULL));
  g_free(path);
}

static scene open_scene(void) {
  scene s = {.folder = g_dir_make_tmp("adloom-XXXXXX", NULL)};
  s.pipeline = g_build_filename(s.folder, "scene.yaml", NULL);
  GString *log = g_string_new("user,ad,x,y,clicked\n");
  for (uint64_t i = 0; i < 2000; i++) {
    double x = adl_random_unit(1, i), y = adl_random_unit(2, i);
    bool clicked = adl_random_unit(3, i) < (x > 0.5 ? 0.6 : 0.15);
    g_string_append_printf(log, "%d,%d,%g,%g,%s\n", (int)(i % 97), (int)(i % 5), x, y, clicked ? "true" : "false");
  }
  write_text(&s, "scene.yaml", STAGES);
  write_text(&s, "log.csv", log->str);
  write_text(&s, "ads.csv", "ad,price\n0,1\n1,2\n2,3\n3,4\n4,5\n");
  g_string_free(log, TRUE);
  adl_engine_setup_host();
  return s;
}

static void close_scene(scene *s) {
  static const char *const files[] = {"scene.yaml", "log.csv", "ads.csv", "plan.yaml"};
  for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
    char *path = g_build_filename(s->folder, files[i], NULL);
    g_unlink(path);
    g_free(path);
  }
  g_rmdir(s->folder);
  g_free(s->folder);
  g_free(s->pipeline);
}

static adl_comparison *compared(const scene *s, const adl_plan *plan, int threads, bool fine) {
  const adl_compare_options options = {.threads = threads, .progress = ADL_PROGRESS_NONE};
  adl_outcome outcome;
  bool usage;
  GString *said = g_string_new(NULL);
  adl_comparison *comparison = adl_compare_run(s->pipeline, plan, &options, &outcome, &usage, said);
  ck_assert_msg(usage != fine && outcome == ADL_RUN_OK, "%s", said->str);
  g_string_free(said, TRUE);
  return comparison;
}

static adl_plan *plan_of(const char *swap) {
  adl_plan *plan = adl_plan_new();
  char *why = NULL;
  ck_assert_msg(adl_plan_add(plan, swap, &why), "%s", why);
  return plan;
}

/* What is said of a plan of one --swap and one --set that cannot be; to be freed. */
static char *said_of(const scene *s, const char *swap, const char *set) {
  const adl_compare_options options = {.threads = 2, .progress = ADL_PROGRESS_NONE};
  adl_plan *plan = plan_of(swap);
  adl_outcome outcome;
  bool usage;
  GString *said = g_string_new(NULL);
  g_ptr_array_add(plan->sets, g_strdup(set));
  adl_comparison *comparison = adl_compare_run(s->pipeline, plan, &options, &outcome, &usage, said);
  ck_assert_msg(usage, "--swap %s --set %s is taken", swap, set);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  return g_string_free(said, FALSE);
}

/* A measure of a run of its own. */
static double alone(const scene *s, const char *const *sets, const char *name) {
  adl_problems *problems = adl_problems_new();
  adl_registry *registry = adl_registry_new(adl_host_table());
  GPtrArray *all = g_ptr_array_new();
  for (; *sets != NULL; sets++) g_ptr_array_add(all, (gpointer)*sets);
  g_ptr_array_add(all, (gpointer) "out.path=/dev/null"); /* a comparison does not write either */
  g_ptr_array_add(all, NULL);
  const adl_graph_options options = {.sets = (const char *const *)all->pdata};
  adl_graph *graph = adl_graph_load(s->pipeline, &options, registry, problems);
  const adl_run_options run = {.threads = 2, .progress = ADL_PROGRESS_NONE};
  ck_assert_int_eq(adl_problems_errors(problems), 0);
  adl_engine *engine = adl_engine_new(graph, &run);
  ck_assert_int_eq(adl_engine_run(engine), ADL_RUN_OK);
  double value = adl_report_find(adl_engine_reports(engine), "quality", "held-out", name);
  adl_engine_free(engine);
  adl_graph_free(graph);
  adl_registry_free(registry);
  adl_problems_free(problems);
  g_ptr_array_free(all, TRUE);
  return value;
}

START_TEST(what_runs_of_their_own_give) {
  scene s = open_scene();
  adl_plan *plan = adl_plan_new();
  char *why = NULL;
  ck_assert(adl_plan_add(plan, "segment.clusters=2,5", &why));
  ck_assert(adl_plan_add(plan, "click=ftrl,sgd", &why));
  adl_comparison *comparison = compared(&s, plan, 2, true), *again = compared(&s, plan, 1, true);
  ck_assert(adl_compare_rank(comparison, &why) && adl_compare_rank(again, &why));
  ck_assert_str_eq(comparison->measure, "logloss");
  ck_assert(comparison->lower);
  ck_assert_int_eq(comparison->shared, 3 + 2 + 2); /* log, ads, priced; each segment and its inputs */
  ck_assert_int_eq(comparison->stages, 3 + 2 + 2 + 4 + 4);
  double last = -INFINITY;
  for (guint i = 0; i < 4; i++) {
    const adl_combination *c = comparison->combinations->pdata[i], *other = again->combinations->pdata[i];
    char *clusters = g_strdup_printf("segment.clusters=%s", adl_plan_value(plan, c->number, 0));
    const char *class = adl_plan_value(plan, c->number, 1);
    const char *sets[] = {clusters, NULL};
    ck_assert(c->value >= last && c->value == other->value && c->number == other->number);
    last = c->value;
    if (strcmp(class, "ftrl") == 0) {
      ck_assert(c->value == alone(&s, sets, "logloss"));
      ck_assert_uint_eq(c->dropped->len, 0);
    } else {
      ck_assert_uint_eq(c->dropped->len, 1);
      ck_assert_str_eq(c->dropped->pdata[0], "click.alpha");
      char *text = g_strdup(STAGES), *at = strstr(text, "use: ftrl, features: [f], label: clicked, alpha: 0.2,");
      memcpy(at, "use: sgd,  features: [f], label: clicked,            ", 53);
      write_text(&s, "scene.yaml", text);
      ck_assert(c->value == alone(&s, sets, "logloss"));
      write_text(&s, "scene.yaml", STAGES);
      g_free(text);
    }
    ck_assert(i == 0 ? isnan(c->difference) : c->difference > 0 && c->p >= 0 && c->p <= 1);
    ck_assert(i == 0 ||
              fabs(c->difference - (c->value - ((adl_combination *)comparison->combinations->pdata[0])->value)) < 1e-9);
    g_free(clusters);
  }
  adl_comparison_free(comparison);
  adl_comparison_free(again);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

START_TEST(one_that_fails_does_not_stop_the_others) {
  scene s = open_scene();
  adl_plan *plan = adl_plan_new();
  char *why = NULL;
  ck_assert(adl_plan_add(plan, "segment.clusters=2,9999", &why));
  adl_comparison *comparison = compared(&s, plan, 2, true);
  ck_assert(adl_compare_rank(comparison, &why));
  const adl_combination *best = comparison->combinations->pdata[0], *failed = comparison->combinations->pdata[1];
  ck_assert(!best->failed && failed->failed);
  const char *failure = ((adl_trial *)failed->trials->pdata[0])->failure;
  ck_assert_msg(strstr(failure, "segment") != NULL && strstr(failure, "9999") != NULL, "%s", failure);
  const char *two[] = {"segment.clusters=2", NULL};
  ck_assert(best->value == alone(&s, two, "logloss"));
  GString *table = g_string_new(NULL), *page = g_string_new(NULL);
  adl_compare_table(comparison, table);
  adl_compare_page(comparison, page);
  char *json = adl_compare_json(comparison);
  ck_assert_ptr_nonnull(strstr(table->str, "failed"));
  ck_assert_ptr_nonnull(strstr(page->str, "class=\"outcome failed\""));
  ck_assert_ptr_nonnull(strstr(json, "\"failure\""));
  ck_assert_msg(!g_regex_match_simple("e-[0-9]+\\.", json, 0, 0), "%s", json);
  g_free(json);
  g_string_free(table, TRUE);
  g_string_free(page, TRUE);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

/* Each version may lose as many rows as it might alone. */
START_TEST(rejects_of_each_version) {
  scene s = open_scene();
  GString *log = g_string_new("user,ad,x,y,clicked\n");
  for (int i = 0; i < 2000; i++) /* 16 without x: .8 % */
    g_string_append_printf(log, "%d,%d,%s,%g,%s\n", i % 97, i % 5,
                           i % 125 == 7 ? ""
                           : i % 2 == 0 ? "0.2"
                                        : "0.7",
                           adl_random_unit(2, (uint64_t)i), i % 3 == 0 ? "true" : "false");
  write_text(&s, "log.csv", log->str);
  g_string_free(log, TRUE);
  adl_plan *plan = adl_plan_new();
  char *why = NULL;
  ck_assert(adl_plan_add(plan, "segment.clusters=2,3,4", &why));
  adl_comparison *comparison = compared(&s, plan, 2, true);
  ck_assert(adl_compare_rank(comparison, &why));
  for (guint i = 0; i < 3; i++) ck_assert(!((adl_combination *)comparison->combinations->pdata[i])->failed);
  adl_comparison_free(comparison);
  char *strict = g_strconcat("max_rejects: 0.005\n", STAGES, NULL);
  write_text(&s, "scene.yaml", strict);
  comparison = compared(&s, plan, 2, true);
  ck_assert(!adl_compare_rank(comparison, &why));
  for (guint i = 0; i < 3; i++) {
    const adl_combination *c = comparison->combinations->pdata[i];
    const char *failure = ((adl_trial *)c->trials->pdata[0])->failure;
    const char *told = strstr(failure, "16 of 2005 rows (0.80 %) were rejected");
    ck_assert_msg(told != NULL && strstr(told + 30, "rows (") == NULL, "%s", failure); /* its own, and once */
  }
  g_free(why);
  g_free(strict);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

START_TEST(seeds_and_measures) {
  scene s = open_scene();
  adl_plan *plan = adl_plan_new();
  char *why = NULL;
  plan->repeat = 3;
  plan->by = g_strdup("quality.auc");
  ck_assert(adl_plan_add(plan, "click.alpha=0.01,0.3", &why));
  adl_comparison *comparison = compared(&s, plan, 2, true);
  ck_assert(adl_compare_rank(comparison, &why));
  ck_assert(!comparison->lower);
  for (guint i = 0; i < 2; i++) {
    const adl_combination *c = comparison->combinations->pdata[i];
    double sum = 0;
    for (int seed = 7; seed < 10; seed++) {
      char *set = g_strdup_printf("seed=%d", seed),
           *alpha = g_strdup_printf("click.alpha=%s", adl_plan_value(plan, c->number, 0));
      const char *sets[] = {set, alpha, NULL};
      sum += alone(&s, sets, "auc");
      g_free(set);
      g_free(alpha);
    }
    ck_assert_msg(fabs(c->value - sum / 3) < 1e-15, "%.17g, not %.17g", c->value, sum / 3);
    ck_assert(c->deviation > 0);
  }
  g_free(plan->by);
  plan->by = g_strdup("qini");
  adl_comparison *other = compared(&s, plan, 2, true);
  ck_assert(!adl_compare_rank(other, &why));
  ck_assert_msg(strstr(why, "no stage tells that; there are quality.rows") != NULL, "%s", why);
  g_free(why);
  adl_comparison_free(comparison);
  adl_comparison_free(other);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

/* The seed may be what is varied: rows held out and models are those of a run with it. */
START_TEST(a_seed_of_its_own) {
  scene s = open_scene();
  adl_plan *plan = plan_of("seed=7,8,9");
  ck_assert(adl_plan_varies_seed(plan));
  adl_comparison *comparison = compared(&s, plan, 2, true);
  char *why = NULL;
  ck_assert(adl_compare_rank(comparison, &why));
  for (guint i = 0; i < 3; i++) {
    const adl_combination *c = comparison->combinations->pdata[i];
    char *seed = g_strdup_printf("seed=%s", adl_plan_value(plan, c->number, 0));
    const char *sets[] = {seed, NULL};
    ck_assert(c->value == alone(&s, sets, "logloss"));
    ck_assert_uint_eq(((const adl_trial *)c->trials->pdata[0])->seed, 7 + c->number);
    ck_assert(i == 0 || c->value > ((const adl_combination *)comparison->combinations->pdata[i - 1])->value);
    g_free(seed);
  }
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

/* ---- numbers that have a name in common ---- */

static const adl_trial *first_trial(const adl_comparison *comparison, guint place) {
  return ((const adl_combination *)comparison->combinations->pdata[place])->trials->pdata[0];
}

static void assert_called(const GPtrArray *figures, const char *by, const char *stage, const char *over) {
  const adl_figure *figure = adl_figure_called(figures, by);
  ck_assert_msg(figure != NULL, "nothing is called %s", by);
  ck_assert_msg(strcmp(figure->stage, stage) == 0 && strcmp(figure->over, over) == 0, "%s is that of %s, %s", by,
                figure->stage, figure->over);
  ck_assert_str_eq(figure->name, "logloss");
}

/* The row of the page's table of all numbers has the values of those rows. */
static void assert_row_of_page(const adl_comparison *comparison, const char *page, const char *over) {
  GString *row = g_string_new(NULL);
  g_string_printf(row, "<tr><td>click</td><td>logloss</td><td>%s</td>", over);
  for (guint k = 0; k < comparison->combinations->len; k++) {
    const adl_figure *figure = adl_figure_find(first_trial(comparison, k)->figures, "click", over, "logloss");
    g_string_append(row, "<td class=\"n\">");
    adl_html_number(row, figure->value);
    g_string_append(row, "</td>");
  }
  g_string_append(row, "</tr>");
  ck_assert_msg(strstr(page, row->str) != NULL, "%s is not in the page", row->str);
  g_string_free(row, TRUE);
}

/* A learner of several passes tells its logloss of the first (progressive) and of the last (in-sample). */
START_TEST(one_name_over_several_rows) {
  scene s = open_scene();
  char *why = NULL;
  adl_plan *plan = plan_of("click.epochs=2,5");
  adl_comparison *comparison = compared(&s, plan, 2, true);
  const GPtrArray *figures = first_trial(comparison, 0)->figures;
  assert_called(figures, "logloss", "quality", "held-out");
  assert_called(figures, "quality.logloss", "quality", "held-out");
  assert_called(figures, "click.logloss", "click", "progressive");
  assert_called(figures, "click.logloss (progressive)", "click", "progressive");
  assert_called(figures, "click.logloss (in-sample)", "click", "in-sample");
  assert_called(figures, "logloss (in-sample)", "click", "in-sample");
  ck_assert_ptr_null(adl_figure_called(figures, "quality.logloss (in-sample)"));
  GString *list = g_string_new(NULL), *page = g_string_new(NULL);
  adl_figure_list(figures, list);
  ck_assert_msg(strstr(list->str, ", click.logloss (progressive), ") != NULL, "%s", list->str);
  ck_assert_msg(strstr(list->str, ", click.logloss (in-sample)") != NULL, "%s", list->str);
  ck_assert_msg(strstr(list->str, "quality.logloss,") != NULL, "%s", list->str);
  plan->by = g_strdup("click.logloss (in-sample)");
  ck_assert(adl_compare_rank(comparison, &why));
  ck_assert_str_eq(comparison->over, "in-sample");
  for (guint k = 0; k < 2; k++) {
    const adl_figure *figure = adl_figure_find(first_trial(comparison, k)->figures, "click", "in-sample", "logloss");
    ck_assert(((adl_combination *)comparison->combinations->pdata[k])->value == figure->value);
  }
  adl_compare_page(comparison, page);
  assert_row_of_page(comparison, page->str, "progressive");
  assert_row_of_page(comparison, page->str, "in-sample");
  g_string_free(list, TRUE);
  g_string_free(page, TRUE);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

/* What one combination tells of other rows than the rest is no value of it; the page has it nevertheless. */
START_TEST(one_tells_it_of_other_rows) {
  scene s = open_scene();
  char *why = NULL;
  adl_plan *plan = plan_of("click=ftrl,lbfgs");
  plan->by = g_strdup("click.logloss"); /* lbfgs has no progressive one */
  adl_comparison *comparison = compared(&s, plan, 2, true);
  ck_assert(adl_compare_rank(comparison, &why));
  ck_assert_str_eq(comparison->over, "progressive");
  const adl_combination *other = comparison->combinations->pdata[1];
  ck_assert(isnan(other->value) && isnan(other->difference));
  GString *table = g_string_new(NULL), *page = g_string_new(NULL);
  adl_compare_table(comparison, table);
  adl_compare_page(comparison, page);
  ck_assert_msg(strstr(table->str, "tells no such number") != NULL, "%s", table->str);
  ck_assert_ptr_nonnull(strstr(page->str, "tells no such number"));
  ck_assert_ptr_nonnull(strstr(page->str, "<td>click</td><td>logloss</td><td>in-sample</td>"));
  g_string_free(table, TRUE);
  g_string_free(page, TRUE);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

/* ---- times ---- */

/* A fit that goes on after its rows have passed is counted as a fit, by the clock, once, and each its own, though both go
 * on side by side. Only times of one run are compared. */
START_TEST(time_in_fits) {
  scene s = open_scene();
  adl_plan *plan = plan_of("click.epochs=1,800");
  adl_comparison *comparison = compared(&s, plan, 2, true);
  const adl_trial *few = first_trial(comparison, 0), *many = first_trial(comparison, 1);
  ck_assert_msg(many->fit_seconds > 4 * many->score_seconds, "fit %g s, score %g s", many->fit_seconds,
                many->score_seconds);
  ck_assert_msg(many->fit_seconds <= comparison->seconds, "fit %g s of %g s", many->fit_seconds, comparison->seconds);
  ck_assert_msg(few->fit_seconds < many->fit_seconds / 2, "fit %g s, not much less than %g s", few->fit_seconds,
                many->fit_seconds);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

/* ---- parameters of classes swapped in ---- */

static void assert_said(const scene *s, const char *swap, const char *set, const char *expected) {
  char *said = said_of(s, swap, set);
  ck_assert_msg(strstr(said, expected) != NULL, "\"%s\" is not in: %s", expected, said);
  ck_assert_msg(strstr(said, "adloom compare") == NULL, "the advice is what was done: %s", said);
  g_free(said);
}

/* What none of them knows is no parameter of another, but a mistake. */
START_TEST(parameters_that_no_class_knows) {
  scene s = open_scene();
  assert_said(&s, "click=ftrl,sgd", "click.alhpa=0.9", "ftrl has no such parameter; did you mean `alpha`?");
  assert_said(&s, "click=sgd,lbfgs", "click.alpha=0.9", "click.alpha: sgd has no such parameter");
  char *wrong = g_strdup(STAGES);
  memcpy(strstr(wrong, "alpha:"), "alhpa:", 6);
  write_text(&s, "scene.yaml", wrong);
  assert_said(&s, "click=sgd,lbfgs", "seed=1", "click.alhpa: sgd has no such parameter");
  write_text(&s, "scene.yaml", STAGES);
  g_free(wrong);
  adl_plan *plan = plan_of("click=ftrl,sgd");
  g_ptr_array_add(plan->sets, g_strdup("click.alpha=0.3"));
  adl_comparison *comparison = compared(&s, plan, 2, true); /* ftrl knows it */
  ck_assert_uint_eq(((adl_combination *)comparison->combinations->pdata[0])->dropped->len, 0);
  ck_assert_str_eq(((adl_combination *)comparison->combinations->pdata[1])->dropped->pdata[0], "click.alpha");
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

START_TEST(a_page_of_one) {
  scene s = open_scene();
  char *why = NULL;
  adl_plan *plan = plan_of("click=sgd");
  adl_comparison *comparison = compared(&s, plan, 2, true);
  ck_assert(adl_compare_rank(comparison, &why));
  GString *page = g_string_new(NULL);
  adl_compare_page(comparison, page);
  ck_assert_ptr_nonnull(strstr(page->str, ">1 combination · lowest of logloss"));
  g_string_free(page, TRUE);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

/* Versions are called by the names of what was varied, heads stand over their numbers, and what a class does not know is
 * said in one sentence. */
START_TEST(what_a_page_calls_them) {
  scene s = open_scene();
  char *why = NULL;
  GString *text = g_string_new(STAGES);
  g_string_replace(text, "alpha: 0.2,", "alpha: 0.2, beta: 1,", 1);
  write_text(&s, "scene.yaml", text->str);
  adl_plan *plan = plan_of("click=ftrl,sgd");
  ck_assert(adl_plan_add(plan, "segment.clusters=2,5", &why));
  adl_comparison *comparison = compared(&s, plan, 2, true);
  ck_assert(adl_compare_rank(comparison, &why));
  GString *page = g_string_new(NULL);
  adl_compare_page(comparison, page);
  const char *const expected[] = {"<th class=\"n\">ftrl · clusters=2</th>", "</i>sgd · clusters=5</span>",
                                  "<th class=\"n\">logloss</th>", "<th class=\"n\">fit</th>",
                                  "sgd · clusters=5: without click.alpha, click.beta, which the class swapped in does"};
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
    ck_assert_msg(strstr(page->str, expected[i]) != NULL, "%s is not in %s", expected[i], page->str);
  g_string_free(page, TRUE);
  g_string_free(text, TRUE);
  adl_comparison_free(comparison);
  adl_plan_free(plan);
  close_scene(&s);
}
END_TEST

START_TEST(nothing_starts_when_one_is_wrong) {
  scene s = open_scene();
  adl_plan *plan = adl_plan_new();
  char *why = NULL;
  ck_assert(adl_plan_add(plan, "segment=kmeans,kmean", &why));
  adl_comparison_free(compared(&s, plan, 2, false));
  adl_plan_free(plan);
  write_text(
      &s, "plan.yaml",
      "swap:\n  segment: [kmeans, gmm]\n  segment.clusters: [2, 3]\nset: {click.alpha: 0.1}\nrepeat: 2\nby: auc\n");
  char *path = g_build_filename(s.folder, "plan.yaml", NULL);
  adl_problems *problems = adl_problems_new();
  plan = adl_plan_new();
  ck_assert(adl_plan_read(plan, path, problems));
  ck_assert_uint_eq(adl_plan_count(plan), 4);
  ck_assert_str_eq(plan->sets->pdata[0], "click.alpha=0.1");
  ck_assert_int_eq(plan->repeat, 2);
  adl_plan_free(plan);
  write_text(&s, "plan.yaml", "swap: {segment: kmeans}\nrepeat: 0\nswop: 1\n");
  plan = adl_plan_new();
  ck_assert(!adl_plan_read(plan, path, problems));
  ck_assert_int_ge(adl_problems_errors(problems), 3);
  adl_plan_free(plan);
  adl_problems_free(problems);
  g_free(path);
  close_scene(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("compare");
  TCase *tests = tcase_create("compare");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, plans);
  tcase_add_test(tests, delong_by_definition);
  tcase_add_test(tests, losses_of_rows_that_both_have);
  tcase_add_test(tests, what_runs_of_their_own_give);
  tcase_add_test(tests, one_that_fails_does_not_stop_the_others);
  tcase_add_test(tests, rejects_of_each_version);
  tcase_add_test(tests, seeds_and_measures);
  tcase_add_test(tests, a_seed_of_its_own);
  tcase_add_test(tests, one_name_over_several_rows);
  tcase_add_test(tests, one_tells_it_of_other_rows);
  tcase_add_test(tests, time_in_fits);
  tcase_add_test(tests, parameters_that_no_class_knows);
  tcase_add_test(tests, a_page_of_one);
  tcase_add_test(tests, what_a_page_calls_them);
  tcase_add_test(tests, nothing_starts_when_one_is_wrong);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
