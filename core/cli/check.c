/* adloom check FILE, and adloom graph FILE */
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/terminal.h"
#include "core/cli/pipeline.h"
#include "core/config/value.h"

#define AT(member) offsetof(adl_cli_options, member)

static const adl_option options_of_check[] = {
    {"set", ADL_OPTION_TEXTS, AT(sets), "STAGE.PARAM=VALUE", "Replaces a value of the file, as if it stood there."},
    {"var", ADL_OPTION_TEXTS, AT(vars), "NAME=VALUE", "Value of ${NAME} in the file."},
    {"models", ADL_OPTION_TEXT, AT(models), "RUN",
     "Checks that the models of an earlier run are there for every stage that learns."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

/* Stages that nobody wrote do not count. */
static void say_fine(const adl_graph *graph) {
  guint written = 0;
  for (guint i = 0; i < graph->stages->len; i++)
    written += ((adl_stage *)graph->stages->pdata[i])->role == ADL_STAGE_CLASS;
  printf("%s: %u %s, nothing wrong\n", graph->name, written, written == 1 ? "stage" : "stages");
}

static int command_check(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_check, argc, argv, &options, 1);
  if (status < 0) {
    adl_pipeline pipeline;
    adl_pipeline_open(&pipeline, options.operands->pdata[0], &options, NULL);
    status = adl_problems_errors(pipeline.problems) > 0 ? ADL_EXIT_USAGE : ADL_EXIT_OK;
    adl_pipeline_print(&pipeline, "nothing was started");
    if (status == ADL_EXIT_OK) say_fine(pipeline.graph);
    adl_pipeline_close(&pipeline);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_check = {
    "check",
    "FILE [OPTION...]",
    "says everything that is wrong with a pipeline file",
    "Reads the file, loads the plugins it names, checks every parameter, wires the stages and lets them check their "
    "inputs. Errors are shown together, each with its place; the inputs of stages behind a faulty one are looked at "
    "when that one is right. No data is read.\n\n"
    "Exit status: 0 nothing is wrong, 2 something is.",
    options_of_check,
    command_check};

static const adl_option options_of_graph[] = {
    {"format", ADL_OPTION_TEXT, AT(format), "text|dot|mermaid",
     "Lines to read, or the language of Graphviz or Mermaid. Default: text on a terminal, else dot."},
    {"set", ADL_OPTION_TEXTS, AT(sets), "STAGE.PARAM=VALUE", "Replaces a value of the file, as if it stood there."},
    {"var", ADL_OPTION_TEXTS, AT(vars), "NAME=VALUE", "Value of ${NAME} in the file."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

enum { FORM_TEXT, FORM_DOT, FORM_MERMAID };

/* False: reported. */
static bool find_form(const char *name, int *form) {
  GString *why = g_string_new(NULL);
  *form = name != NULL                 ? adl_choice_find("text|dot|mermaid", name, why)
          : isatty(STDOUT_FILENO) != 0 ? FORM_TEXT
                                       : FORM_DOT;
  if (*form < 0) fprintf(stderr, "adloom graph: --format %s: %s\n", name, why->str);
  g_string_free(why, TRUE);
  return *form >= 0;
}

static int command_graph(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_graph, argc, argv, &options, 1);
  int form = FORM_DOT;
  if (status < 0 && !find_form(options.format, &form)) status = ADL_EXIT_USAGE;
  if (status < 0) {
    adl_pipeline pipeline;
    adl_pipeline_open(&pipeline, options.operands->pdata[0], &options, NULL);
    status = adl_problems_errors(pipeline.problems) > 0 ? ADL_EXIT_USAGE : ADL_EXIT_OK;
    adl_pipeline_print(&pipeline, "there is no graph to draw");
    if (status == ADL_EXIT_OK) {
      GString *text = g_string_new(NULL);
      int width = 0, lines = 0;
      adl_terminal_size(STDOUT_FILENO, &width, &lines);
      if (form == FORM_TEXT) adl_graph_print_text(pipeline.graph, width, text);
      if (form == FORM_DOT) adl_graph_print_dot(pipeline.graph, text);
      if (form == FORM_MERMAID) adl_graph_print_mermaid(pipeline.graph, text);
      fputs(text->str, stdout);
      g_string_free(text, TRUE);
    }
    adl_pipeline_close(&pipeline);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_graph = {"graph",
                                       "FILE [OPTION...]",
                                       "draws a pipeline as a graph, with columns and types",
                                       "Writes the stages and what passes between them: as lines to read, or in the "
                                       "language of Graphviz (dot) or Mermaid. The columns on an edge are "
                                       "those that somebody behind it reads; `with` and dashed edges are rows that "
                                       "are looked up.",
                                       options_of_graph,
                                       command_graph};
