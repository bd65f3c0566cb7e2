/* adloom compare FILE */
#include <errno.h>
#include <glib/gstdio.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/pipeline.h"
#include "core/compare/compare.h"

#define AT(member) offsetof(adl_cli_options, member)

static const adl_option options_of_compare[] = {
    {"swap", ADL_OPTION_TEXTS, AT(swaps), "STAGE=CLASS,...",
     "Another class in the place of a stage's own, one after the other; or STAGE.PARAM=VALUE,... for values, or "
     "seed=N,... for seeds of the versions' own (not with --repeat). May be given several times: every combination is "
     "computed."},
    {"from", ADL_OPTION_TEXT, AT(from), "PLAN",
     "Reads what is to be compared from a YAML file: swap (a mapping of lists), set, repeat, by."},
    {"repeat", ADL_OPTION_COUNT, AT(repeat), "N", "Everything under N seeds: that of the file and those after it."},
    {"by", ADL_OPTION_TEXT, AT(by), "MEASURE",
     "What to rank by, as auc, quality.auc or \"click.logloss (in-sample)\"; without the rows, those that count most, "
     "held-out before progressive before in-sample. Default: what the evaluators tell that says most, logloss first."},
    {"set", ADL_OPTION_TEXTS, AT(sets), "STAGE.PARAM=VALUE",
     "Replaces a value of the file in all combinations. May be given several times."},
    {"var", ADL_OPTION_TEXTS, AT(vars), "NAME=VALUE", "Value of ${NAME} in the file."},
    {"threads", ADL_OPTION_COUNT, AT(threads), "N", "Worker threads, of all combinations together."},
    {"memory", ADL_OPTION_SIZE, AT(memory), "SIZE", "Memory for rows that are kept, of all combinations together."},
    {"limit", ADL_OPTION_COUNT, AT(limit), "ROWS", "Reads only the first rows of each source."},
    {"out", ADL_OPTION_TEXT, AT(out), "DIR", "Where compare.json and compare.html go. Default: compared/NAME."},
    {"store", ADL_OPTION_TEXT, AT(store), "DIR", "The model store, as for run."},
    {"fresh", ADL_OPTION_FLAG, AT(fresh), NULL, "Fits every model again, whatever the model store holds."},
    {"json", ADL_OPTION_FLAG, AT(json), NULL, "Progress and result as JSON."},
    {"quiet", ADL_OPTION_FLAG, AT(quiet), NULL, "No progress."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

static int refuse(const char *text) {
  fprintf(stderr, "adloom compare: %s\n", text);
  return ADL_EXIT_USAGE;
}

/* -1: the plan stands. */
static int make_plan(adl_plan *plan, const adl_cli_options *options) {
  if (options->from != NULL) {
    adl_problems *problems = adl_problems_new();
    bool read = adl_plan_read(plan, options->from, problems);
    GString *text = g_string_new(NULL);
    adl_problems_print(problems, text, false);
    fputs(text->str, stderr);
    g_string_free(text, TRUE);
    adl_problems_free(problems);
    if (!read) return ADL_EXIT_USAGE;
  }
  for (guint i = 0; options->swaps->pdata[i] != NULL; i++) {
    char *why = NULL;
    if (adl_plan_add(plan, options->swaps->pdata[i], &why)) continue;
    fprintf(stderr, "adloom compare: --swap %s: %s\n", (const char *)options->swaps->pdata[i], why);
    g_free(why);
    return ADL_EXIT_USAGE;
  }
  for (guint i = 0; options->sets->pdata[i] != NULL; i++)
    g_ptr_array_add(plan->sets, g_strdup(options->sets->pdata[i]));
  if (options->repeat > 0) plan->repeat = options->repeat;
  if (options->by != NULL) {
    g_free(plan->by);
    plan->by = g_strdup(options->by);
  }
  if (plan->axes->len == 0 && plan->repeat < 2)
    return refuse("nothing to compare; say --swap STAGE=CLASS,CLASS, --swap STAGE.PARAM=VALUE,VALUE or --repeat N");
  if (plan->repeat > 1 && adl_plan_varies_seed(plan))
    return refuse("--repeat takes a seed after the other by itself; vary the seed or repeat, not both");
  if (adl_plan_count(plan) > ADL_COMPARE_MOST)
    return refuse("that is more than 256 combinations; compare fewer at a time");
  if (plan->repeat > 100) return refuse("--repeat: at most 100 seeds");
  return -1;
}

static bool write_file(const char *directory, const char *name, const char *text) {
  char *path = g_build_filename(directory, name, NULL);
  GError *error = NULL;
  bool ok = g_file_set_contents(path, text, -1, &error);
  if (!ok) fprintf(stderr, "adloom compare: cannot write %s: %s\n", path, error->message);
  g_clear_error(&error);
  g_free(path);
  return ok;
}

static bool told_of_folder(const char *directory, bool fine) {
  if (!fine) fprintf(stderr, "adloom compare: cannot make the folder %s: %s\n", directory, g_strerror(errno));
  return fine;
}

/* Looks, so as not to compute for hours for nothing: the folder, or the nearest one above it that is there. Makes nothing:
 * a comparison that comes to no end leaves nothing. */
static bool folder_can_be_made(const char *directory) {
  char *at = g_canonicalize_filename(directory, NULL);
  while (!g_file_test(at, G_FILE_TEST_EXISTS)) {
    char *above = g_path_get_dirname(at);
    g_free(at);
    at = above;
  }
  bool is_folder = g_file_test(at, G_FILE_TEST_IS_DIR);
  if (!is_folder) errno = ENOTDIR;
  bool fine = is_folder && access(at, W_OK | X_OK) == 0;
  g_free(at);
  return told_of_folder(directory, fine);
}

static int write_results(const adl_comparison *comparison, const adl_cli_options *options) {
  char *directory =
      options->out != NULL ? g_strdup(options->out) : g_build_filename("compared", comparison->name, NULL);
  char *json = adl_compare_json(comparison);
  GString *page = g_string_new(NULL), *table = g_string_new(NULL);
  adl_compare_page(comparison, page);
  adl_compare_table(comparison, table);
  bool ok = told_of_folder(directory, g_mkdir_with_parents(directory, 0777) == 0) &&
            write_file(directory, "compare.json", json) && write_file(directory, "compare.html", page->str);
  if (options->json)
    printf("%s\n", json);
  else
    fputs(table->str, stdout);
  if (!options->json && ok) printf("report: %s/compare.html\n", directory);
  g_free(json);
  g_string_free(page, TRUE);
  g_string_free(table, TRUE);
  g_free(directory);
  return ok ? ADL_EXIT_OK : ADL_EXIT_FAILED;
}

static int compare(const char *path, const adl_plan *plan, const adl_cli_options *options) {
  const adl_compare_options how = {.vars = (const char *const *)options->vars->pdata,
                                   .threads = (int32_t)options->threads,
                                   .memory = options->memory,
                                   .limit = options->limit,
                                   .models = options->store != NULL ? options->store : "",
                                   .fresh = options->fresh,
                                   .progress = adl_pipeline_progress(options),
                                   .progress_file = stderr};
  adl_outcome outcome;
  bool usage;
  char *why = NULL;
  GString *said = g_string_new(NULL);
  int status = ADL_EXIT_OK;
  adl_pipeline_setup();
  adl_pipeline_catch_interrupts();
  adl_comparison *comparison = adl_compare_run(path, plan, &how, &outcome, &usage, said);
  fputs(said->str, stderr);
  if (usage) {
    status = ADL_EXIT_USAGE;
  } else if (outcome == ADL_RUN_INTERRUPTED) {
    fprintf(stderr, "adloom: interrupted; models fitted so far are kept, the same command goes on from there\n");
    status = ADL_EXIT_INTERRUPTED;
  } else if (!adl_compare_rank(comparison, &why)) {
    fprintf(stderr, "adloom compare: %s\n", why);
    status = plan->by != NULL ? ADL_EXIT_USAGE : ADL_EXIT_FAILED;
  } else {
    status = write_results(comparison, options);
  }
  g_free(why);
  g_string_free(said, TRUE);
  adl_comparison_free(comparison);
  return status;
}

static int command_compare(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_compare, argc, argv, &options, 1);
  if (status < 0) {
    adl_plan *plan = adl_plan_new();
    status = make_plan(plan, &options);
    if (status < 0 && options.out != NULL && !folder_can_be_made(options.out)) status = ADL_EXIT_FAILED;
    if (status < 0) status = compare(options.operands->pdata[0], plan, &options);
    adl_plan_free(plan);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_compare = {
    "compare",
    "FILE --swap STAGE=CLASS,CLASS [OPTION...]",
    "runs versions of a pipeline side by side",
    "Computes every combination of the classes and values given in one run: what combinations share (reading, "
    "features, models) is computed once, and models that the model store has are not fitted again. A class that is "
    "swapped in gets the parameters that it knows by name; those that only other classes know are left out, and "
    "listed. Sinks are not run.\n"
    "\n"
    "The table has the best first: the measure with its interval, time spent fitting and scoring, size of the models, "
    "bytes of rows kept for fitting, and the difference to the best, tested pairwise on the same rows (logloss, brier: "
    "the mean difference of rows; auc: DeLong) and corrected for the number of combinations (Holm). A combination that "
    "fails is told, and the others go on.\n"
    "\n"
    "Interrupted, the same command goes on with the models that were fitted.\n"
    "\n"
    "Exit status: 0 success, 1 failed, 2 something is wrong with the command or the file, 130 interrupted.",
    options_of_compare,
    command_compare};
