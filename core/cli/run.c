/* adloom run FILE */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/terminal.h"
#include "core/base/text.h"
#include "core/cli/earlier.h"
#include "core/cli/pipeline.h"
#include "core/cli/run_directory.h"
#include "core/engine/engine.h"
#include "core/engine/outputs.h"
#include "core/engine/refusals.h"
#include "core/engine/reports.h"
#include "core/report/page.h"

#define AT(member) offsetof(adl_cli_options, member)

static const adl_option options_of_run[] = {
    {"set", ADL_OPTION_TEXTS, AT(sets), "STAGE.PARAM=VALUE",
     "Replaces a value of the file, as if it stood there. May be given several times."},
    {"var", ADL_OPTION_TEXTS, AT(vars), "NAME=VALUE",
     "Value of ${NAME} in the file; goes before the environment. May be given several times."},
    {"models", ADL_OPTION_TEXT, AT(models), "RUN",
     "Applies the models of an earlier run (its directory) to the data; nothing is learned."},
    {"threads", ADL_OPTION_COUNT, AT(threads), "N",
     "Worker threads; results do not depend on it. Default: one per core."},
    {"memory", ADL_OPTION_SIZE, AT(memory), "SIZE",
     "Memory for rows that are kept, as 512M or 4G; what is more goes to a spool file. Default: half of what is free."},
    {"limit", ADL_OPTION_COUNT, AT(limit), "ROWS", "Reads only the first rows of each source."},
    {"out", ADL_OPTION_TEXT, AT(out), "DIR",
     "The run directory: a new folder, or that of an earlier run, which gives way. Default: runs/NAME-DATE-TIME."},
    {"store", ADL_OPTION_TEXT, AT(store), "DIR",
     "The model store. Default: adloom/models in the user's cache directory."},
    {"fresh", ADL_OPTION_FLAG, AT(fresh), NULL, "Fits every model again, whatever the model store holds."},
    {"explain", ADL_OPTION_FLAG, AT(explain), NULL,
     "Tells on standard error, for each stage that learns, why its model is fitted or taken from the model store: what "
     "has "
     "changed since the pipeline ran last."},
    {"record", ADL_OPTION_TEXT, AT(record), "STAGE=FILE",
     "Keeps all that the stage is given and gives in a file, for `plugin replay`; the stage works in a process of its "
     "own."},
    {"json", ADL_OPTION_FLAG, AT(json), NULL,
     "Progress as JSON lines on standard error, the result as one JSON object on standard output."},
    {"quiet", ADL_OPTION_FLAG, AT(quiet), NULL, "No progress and no summary."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

/* ---- the summary ---- */

static bool has_over(const adl_report_data *reports, const char *stage, const char *over) {
  for (guint i = 0; i < reports->items->len; i++) {
    const adl_report_item *item = reports->items->pdata[i];
    if (item->kind == ADL_REPORT_NUMBER && strcmp(item->stage, stage) == 0 && strcmp(item->over, over) == 0)
      return true;
  }
  return false;
}

static void append_number(GString *out, const adl_report_item *item) {
  g_string_append_printf(out, "  %-22s ", item->name);
  if (!isfinite(item->value))
    g_string_append(out, "undefined");
  else if (item->value == floor(item->value) && fabs(item->value) < 1e15)
    g_string_append_printf(out, "%.0f", item->value);
  else
    g_string_append_printf(out, "%.5g", item->value);
  if (isfinite(item->low) && isfinite(item->high)) g_string_append_printf(out, "  [%.4g, %.4g]", item->low, item->high);
  g_string_append_c(out, '\n');
}

/* What evaluators say; of rows that were learned from only where there are no others. The rest is in metrics.json. */
static void append_results(GString *out, const adl_report_data *reports, const adl_graph *graph) {
  const adl_report_item *last = NULL;
  for (guint i = 0; i < reports->items->len; i++) {
    const adl_report_item *item = reports->items->pdata[i];
    bool others = has_over(reports, item->stage, "held-out") || has_over(reports, item->stage, "progressive");
    if (adl_graph_find(graph, item->stage)->class->kind != ADL_EVALUATE) continue;
    if (item->kind == ADL_REPORT_TEXT) g_string_append_printf(out, "%s: %s: %s\n", item->stage, item->name, item->text);
    if (item->kind != ADL_REPORT_NUMBER || (others && strcmp(item->over, "in-sample") == 0)) continue;
    if (last == NULL || strcmp(last->stage, item->stage) != 0 || strcmp(last->over, item->over) != 0)
      g_string_append_printf(out, "%s%s%s:\n", item->stage, item->over[0] != '\0' ? ", " : "", item->over);
    append_number(out, item);
    last = item;
  }
}

/* Then standard output is the data's, and the summary goes to standard error. */
static bool data_on_stdout(const adl_graph *graph) {
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_args *args = ((adl_stage *)graph->stages->pdata[i])->args;
    for (int k = 0; args != NULL && k < args->count; k++) {
      const adl_arg *arg = &args->items[k];
      if (arg->param->type == ADL_PARAM_PATH_OUT && arg->node != NULL && arg->node->kind == ADL_NODE_SCALAR &&
          strcmp(arg->node->text, "-") == 0)
        return true;
    }
  }
  return false;
}

/* For what most rows were refused, and where rows found nothing in another stage: neither is seen in what comes out. */
static void append_lost(GString *out, const adl_engine *engine, const adl_graph *graph) {
  GPtrArray *refusals = adl_refusals(engine, NULL);
  if (refusals->len > 0) {
    const adl_refusal *most = refusals->pdata[0];
    char *text = adl_refusal_text(most);
    g_string_append_printf(out, "rejected%s: %" G_GINT64_FORMAT ": %s\n", refusals->len > 1 ? " most often" : "",
                           most->count, text);
    g_free(text);
  }
  g_ptr_array_free(refusals, TRUE);
  for (guint i = 0; i < graph->stages->len; i++) {
    const adl_stage *stage = graph->stages->pdata[i];
    adl_stage_facts facts = adl_engine_stage_facts(engine, stage);
    if (stage->sides->len > 0 && facts.rows_dropped > 0)
      g_string_append_printf(out, "dropped by %s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " rows\n", stage->name,
                             facts.rows_dropped, facts.rows_in);
  }
}

static void print_summary(const adl_engine *engine, const adl_graph *graph, const adl_outputs *outputs,
                          const char *directory, double seconds) {
  GString *out = g_string_new(NULL);
  append_results(out, adl_engine_reports(engine), graph);
  g_string_append_printf(out, "%s: %" G_GINT64_FORMAT " rows read, %" G_GINT64_FORMAT " rejected, %.2f s\n",
                         graph->name, adl_engine_rows_read(engine), adl_engine_rejected(engine), seconds);
  append_lost(out, engine, graph);
  const GPtrArray *targets = adl_outputs_targets(outputs);
  for (guint i = 0; i < targets->len; i++) g_string_append_printf(out, "output: %s\n", (const char *)targets->pdata[i]);
  g_string_append_printf(out, "run: %s\nreport: %s/" ADL_PAGE_NAME "\n", directory, directory);
  fputs(out->str, data_on_stdout(graph) ? stderr : stdout);
  g_string_free(out, TRUE);
}

static void print_json(const adl_engine *engine, const adl_graph *graph, adl_outcome outcome, const char *directory,
                       double seconds) {
  JsonBuilder *builder = json_builder_new();
  json_builder_begin_object(builder);
  json_builder_set_member_name(builder, "outcome");
  json_builder_add_string_value(builder, outcome == ADL_RUN_OK            ? "success"
                                         : outcome == ADL_RUN_INTERRUPTED ? "interrupted"
                                                                          : "failed");
  json_builder_set_member_name(builder, "run");
  json_builder_add_string_value(builder, directory);
  json_builder_set_member_name(builder, "rows_read");
  json_builder_add_int_value(builder, adl_engine_rows_read(engine));
  json_builder_set_member_name(builder, "rows_rejected");
  json_builder_add_int_value(builder, adl_engine_rejected(engine));
  json_builder_set_member_name(builder, "seconds");
  json_builder_add_double_value(builder, seconds);
  json_builder_set_member_name(builder, "report");
  adl_report_json(adl_engine_reports(engine), builder);
  json_builder_end_object(builder);
  char *text = adl_json_built(builder, false);
  fprintf(data_on_stdout(graph) ? stderr : stdout, "%s\n", text);
  g_free(text);
}

/* ---- the command ---- */

/* The page, and what there is to say of the whole run. `data`: files of the run that made the models. */
static GString *make_page(void *data, const adl_engine *engine, adl_outcome outcome) {
  if (outcome == ADL_RUN_OK) adl_earlier_files_warn(engine, data);
  return adl_page_make(NULL, engine, outcome);
}

/* --record STAGE=FILE */
typedef struct recording {
  const adl_stage *stage; /* NULL: none was asked for */
  const char *file;
} recording;

/* False: standard error says what is wrong. */
static bool read_record(const adl_pipeline *pipeline, const adl_cli_options *options, recording *record) {
  const char *text = options->record, *equal = text != NULL ? strchr(text, '=') : NULL;
  *record = (recording){NULL, NULL};
  if (text == NULL) return true;
  if (equal == NULL || equal[1] == '\0') {
    fprintf(stderr, "adloom run: --record %s: write STAGE=FILE: the name of a stage, and where its record goes\n",
            text);
    return false;
  }
  char *name = g_strndup(text, (gsize)(equal - text));
  const adl_stage *stage = adl_pipeline_stage(pipeline, &adl_command_run, options->operands->pdata[0], name);
  bool may = stage != NULL && stage->class->next == NULL && stage->class->write == NULL;
  if (stage != NULL && !may)
    fprintf(stderr,
            "adloom run: --record %s: sources and sinks cannot be recorded; record the stage that reads their rows, or "
            "gives them\n",
            name);
  g_free(name);
  *record = (recording){stage, equal + 1};
  return may;
}

/* `learned_from`: files of the run that made the models. */
static int run_pipeline(adl_pipeline *pipeline, const adl_cli_options *options, recording record, adl_outputs *outputs,
                        const char *directory, GHashTable *learned_from, char **argv) {
  adl_run_options run = {.threads = (int32_t)options->threads,
                         .memory = options->memory,
                         .limit = options->limit,
                         .directory = directory,
                         .models = options->store != NULL ? options->store : "",
                         .outputs = outputs,
                         .fresh = options->fresh,
                         .explain = options->explain ? stderr : NULL,
                         .apply = options->models != NULL,
                         .progress = adl_pipeline_progress(options),
                         .progress_file = stderr,
                         .recorded = record.stage,
                         .record = record.file,
                         .arguments = (const char *const *)argv,
                         .report = make_page,
                         .report_data = learned_from};
  int64_t begin = g_get_monotonic_time();
  adl_engine *engine = adl_engine_new(pipeline->graph, &run);
  adl_outcome outcome = adl_engine_run(engine);
  double seconds = (double)(g_get_monotonic_time() - begin) / 1e6;
  adl_engine_end_progress(engine);
  char *told = adl_outputs_told(outputs);
  char *tail = g_strdup_printf(
      adl_outputs_published(outputs) ? "%s, the run directory is not complete" : "the run failed, %s", told);
  adl_pipeline_print(pipeline, tail);
  if (outcome == ADL_RUN_INTERRUPTED) fprintf(stderr, "adloom: interrupted; %s, models fitted so far are kept\n", told);
  g_free(tail);
  g_free(told);
  if (options->json)
    print_json(engine, pipeline->graph, outcome, directory, seconds);
  else if (outcome == ADL_RUN_OK && !options->quiet)
    print_summary(engine, pipeline->graph, outputs, directory, seconds);
  else if (outcome != ADL_RUN_OK) {
    char *page = g_build_filename(directory, ADL_PAGE_NAME, NULL);
    fprintf(stderr, "run: %s\n", directory);
    if (g_file_test(page, G_FILE_TEST_EXISTS)) fprintf(stderr, "report: %s\n", page);
    g_free(page);
  }
  adl_engine_free(engine);
  return outcome == ADL_RUN_OK ? ADL_EXIT_OK : outcome == ADL_RUN_INTERRUPTED ? ADL_EXIT_INTERRUPTED : ADL_EXIT_FAILED;
}

static char *pipeline_name(const char *path) {
  char *base = g_path_get_basename(path);
  char *dot = strrchr(base, '.');
  if (dot != NULL && dot != base) *dot = '\0';
  return base;
}

static int command_run(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_run, argc, argv, &options, 1);
  if (status < 0) {
    const char *path = options.operands->pdata[0];
    char *name = pipeline_name(path);
    adl_run_directory *directory = adl_run_directory_new(options.out, name);
    const char *absolute = adl_run_directory_absolute(directory);
    adl_outputs *outputs = adl_outputs_new(absolute);
    recording record;
    adl_pipeline pipeline;
    adl_pipeline_open(&pipeline, path, &options, outputs);
    if (adl_problems_errors(pipeline.problems) > 0) {
      adl_pipeline_print(&pipeline, "nothing was started");
      adl_run_directory_forget(directory);
      status = ADL_EXIT_USAGE;
    } else if (!read_record(&pipeline, &options, &record)) {
      adl_run_directory_forget(directory);
      status = ADL_EXIT_USAGE;
    } else if ((status = adl_run_directory_take(directory)) < 0) {
      GHashTable *learned_from = adl_earlier_run_files(options.models);
      adl_earlier_run_forget(absolute, pipeline.graph);
      adl_pipeline_catch_interrupts();
      status =
          run_pipeline(&pipeline, &options, record, outputs, adl_run_directory_path(directory), learned_from, argv);
      g_hash_table_unref(learned_from);
    }
    adl_pipeline_close(&pipeline);
    adl_outputs_free(outputs);
    adl_run_directory_free(directory);
    g_free(name);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_run = {
    "run",
    "FILE [OPTION...]",
    "runs a pipeline",
    "Reads the pipeline file, checks everything, and runs it. Nothing is started when anything is wrong with the "
    "file.\n\n"
    "The run directory gets report.html (all of what follows for people, with pictures), manifest.json (versions, "
    "inputs, parameters), metrics.json, models/, rejects.jsonl, "
    "log.txt and the files that sinks write "
    "to relative paths. Models that have been fitted before on the same data with the same parameters are taken from "
    "the model store.\n\n"
    "Exit status: 0 success, 1 the run failed, 2 something is wrong with the command or the file, 130 interrupted.",
    options_of_run,
    command_run};
