#include "core/cli/pipeline.h"

#include <signal.h>
#include <stdio.h>

#include "core/base/terminal.h"
#include "core/base/text.h"
#include "core/cli/skew.h"
#include "core/engine/crash.h"
#include "core/engine/engine.h"
#include "core/engine/outputs.h"
#include "core/graph/host.h"

static void on_interrupt(int number) {
  static volatile sig_atomic_t count;
  if (++count > 1) {
    adl_outputs_abandon();
    signal(number, SIG_DFL);
    raise(number);
  }
  adl_engine_interrupt();
}

void adl_pipeline_catch_interrupts(void) {
  struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}

void adl_pipeline_setup(void) {
  adl_engine_setup_host();
  adl_crash_install();
  signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write, not the end */
}

int adl_pipeline_progress(const adl_cli_options *options) {
  return options->quiet                      ? ADL_PROGRESS_NONE
         : options->json                     ? ADL_PROGRESS_JSON
         : adl_terminal_moves(STDERR_FILENO) ? ADL_PROGRESS_TERMINAL
                                             : ADL_PROGRESS_LINES;
}

void adl_pipeline_begin(adl_pipeline *pipeline) {
  adl_pipeline_setup();
  pipeline->problems = adl_problems_new();
  pipeline->registry = adl_registry_new(adl_host_table());
  pipeline->graph = NULL;
}

void adl_pipeline_open(adl_pipeline *pipeline, const char *path, const adl_cli_options *options,
                       struct adl_outputs *outputs) {
  adl_pipeline_begin(pipeline);
  adl_graph_options graph_options = {.sets = (const char *const *)options->sets->pdata,
                                     .vars = (const char *const *)options->vars->pdata,
                                     .models = options->models,
                                     .path_out = outputs != NULL ? adl_outputs_path : NULL,
                                     .path_out_data = outputs};
  pipeline->graph = adl_graph_load(path, &graph_options, pipeline->registry, pipeline->problems);
  if (options->models != NULL && adl_problems_errors(pipeline->problems) == 0)
    adl_skew_warn(pipeline->graph, options->models);
}

void adl_pipeline_close(adl_pipeline *pipeline) {
  adl_graph_free(pipeline->graph);
  adl_problems_free(pipeline->problems);
  adl_registry_free(pipeline->registry);
}

adl_stage *adl_pipeline_stage(const adl_pipeline *pipeline, const adl_command *command, const char *file,
                              const char *name) {
  adl_stage *found = adl_graph_find(pipeline->graph, name);
  if (found != NULL) return found;
  const GPtrArray *stages = pipeline->graph->stages;
  const char **names = g_new0(const char *, stages->len + 1);
  size_t count = 0;
  for (guint i = 0; i < stages->len; i++) {
    const adl_stage *stage = stages->pdata[i];
    if (stage->role == ADL_STAGE_CLASS) names[count++] = stage->name; /* those of the file */
  }
  GString *text = g_string_new(NULL);
  adl_text_suggest(text, name, names, count);
  fprintf(stderr, "adloom %s: there is no stage `%s` in %s%s\n", command->name, name, file, text->str);
  g_string_free(text, TRUE);
  g_free(names);
  return NULL;
}

void adl_pipeline_print(const adl_pipeline *pipeline, const char *tail) {
  GString *text = g_string_new(NULL);
  adl_problems_print(pipeline->problems, text, adl_terminal_colours(STDERR_FILENO));
  if (adl_problems_errors(pipeline->problems) > 0) {
    adl_problems_count_text(pipeline->problems, text);
    g_string_append_printf(text, "; %s\n", tail);
  }
  fputs(text->str, stderr);
  g_string_free(text, TRUE);
}
