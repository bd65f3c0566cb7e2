/* adloom peek FILE STAGE */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/grid.h"
#include "core/cli/pipeline.h"
#include "core/engine/engine.h"

#define AT(member) offsetof(adl_cli_options, member)

static const adl_option options_of_peek[] = {
    {"rows", ADL_OPTION_COUNT, AT(rows), "N", "How many rows. Default: 10."},
    {"set", ADL_OPTION_TEXTS, AT(sets), "STAGE.PARAM=VALUE", "Replaces a value of the file, as if it stood there."},
    {"var", ADL_OPTION_TEXTS, AT(vars), "NAME=VALUE", "Value of ${NAME} in the file."},
    {"limit", ADL_OPTION_COUNT, AT(limit), "ROWS", "Reads only the first rows of each source."},
    {"threads", ADL_OPTION_COUNT, AT(threads), "N", "Worker threads."},
    {"models", ADL_OPTION_TEXT, AT(models), "RUN", "Applies the models of an earlier run; nothing is learned."},
    {NULL, ADL_OPTION_FLAG, 0, NULL, NULL},
};

enum { CELL = 32 };

static char *cell_text(const adl_frame *frame, int32_t column, int64_t row) {
  GString *text = g_string_new(NULL);
  if (frame->columns[column] != NULL) adl_array_text(&frame->columns[column]->view, row, CELL, text);
  for (char *c = text->str; *c != '\0'; c++)
    if (*c == '\n' || *c == '\t' || *c == '\r') *c = ' ';
  return g_string_free(text, FALSE);
}

static void print_table(const adl_stage *stage, const GPtrArray *frames) {
  int32_t count = stage->schema.count;
  GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
  for (int32_t c = 0; c < count; c++) g_ptr_array_add(cells, g_strdup(stage->schema.columns[c].name));
  for (int32_t c = 0; c < count; c++) {
    char type[96];
    g_ptr_array_add(cells, g_strdup(adl_type_name(stage->schema.columns[c].field->type, type, sizeof type)));
  }
  for (guint f = 0; f < frames->len; f++) {
    const adl_frame *frame = frames->pdata[f];
    for (int64_t row = 0; row < frame->rows; row++)
      for (int32_t c = 0; c < count; c++) g_ptr_array_add(cells, cell_text(frame, c, row));
  }
  GString *out = g_string_new(NULL);
  if (count > 0) adl_grid_append(out, cells, (guint)count, NULL);
  fputs(out->str, stdout);
  g_string_free(out, TRUE);
  g_ptr_array_free(cells, TRUE);
}

static int peek_stage(adl_pipeline *pipeline, const adl_cli_options *options, adl_stage *stage) {
  adl_run_options run = {.threads = (int32_t)options->threads,
                         .limit = options->limit,
                         .models = "",
                         .apply = options->models != NULL,
                         .progress_file = stderr};
  adl_graph_mark_needed(pipeline->graph, stage);
  adl_engine *engine = adl_engine_new(pipeline->graph, &run);
  adl_outcome outcome = adl_engine_peek(engine, stage, options->rows > 0 ? options->rows : 10);
  adl_engine_end_progress(engine);
  adl_pipeline_print(pipeline, "the run failed");
  if (outcome == ADL_RUN_OK) print_table(stage, adl_engine_peeked(engine));
  adl_engine_free(engine);
  return outcome == ADL_RUN_OK ? ADL_EXIT_OK : outcome == ADL_RUN_INTERRUPTED ? ADL_EXIT_INTERRUPTED : ADL_EXIT_FAILED;
}

static int command_peek(int argc, char **argv) {
  adl_cli_options options;
  int status = adl_cli_parse(&adl_command_peek, argc, argv, &options, 2);
  if (status < 0) {
    adl_pipeline pipeline;
    const char *file = options.operands->pdata[0], *name = options.operands->pdata[1];
    adl_pipeline_open(&pipeline, file, &options, NULL);
    bool fine = adl_problems_errors(pipeline.problems) == 0;
    if (!fine) adl_pipeline_print(&pipeline, "nothing was started");
    adl_stage *stage = fine ? adl_pipeline_stage(&pipeline, &adl_command_peek, file, name) : NULL;
    status = ADL_EXIT_USAGE;
    if (stage != NULL && !stage->rows_leave)
      fprintf(stderr, "adloom peek: no rows leave `%s` (%s)\n", name, stage->class->id);
    else if (stage != NULL)
      status = peek_stage(&pipeline, &options, adl_stage_last(stage));
    adl_pipeline_close(&pipeline);
  }
  adl_cli_clear(&options);
  return status;
}

const adl_command adl_command_peek = {"peek",
                                      "FILE STAGE [OPTION...]",
                                      "shows the first rows that leave a stage",
                                      "Runs what stands before the stage (fitting what has to be fitted) and prints "
                                      "the first rows that leave it as a table, "
                                      "under the names and types of its columns. Nothing is written.",
                                      options_of_peek,
                                      command_peek};
