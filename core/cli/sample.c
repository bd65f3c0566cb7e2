#include "core/cli/sample_parts.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/pipeline.h"
#include "core/engine/engine.h"

static void free_column(gpointer data) {
  adl_sample_column *column = data;
  g_ptr_array_free(column->values, TRUE);
  g_free(column->name);
  g_free(column->path);
  g_free(column);
}

void adl_sample_clear(adl_sample *sample) {
  g_ptr_array_free(sample->columns, TRUE);
  g_ptr_array_free(sample->left_out, TRUE);
  g_free(sample->delimiter);
  g_free(sample->doubled);
}

adl_sample_column *adl_sample_add_column(adl_sample *sample, const char *name, const char *path) {
  adl_sample_column *column = g_new0(adl_sample_column, 1);
  column->name = g_strdup(name);
  column->path = g_strdup(path);
  column->values = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(sample->columns, column);
  return column;
}

bool adl_sample_has_column(const adl_sample *sample, const char *name) {
  for (guint c = 0; c < sample->columns->len; c++)
    if (strcmp(((const adl_sample_column *)sample->columns->pdata[c])->name, name) == 0) return true;
  return false;
}

/* ---- a run of read-csv ---- */

static void take_frames(adl_probe *p, const adl_stage *stage, const GPtrArray *frames) {
  p->columns = (guint)stage->schema.count;
  for (guint f = 0; f < frames->len; f++) {
    const adl_frame *frame = frames->pdata[f];
    for (int64_t row = 0; row < frame->rows; row++)
      for (guint c = 0; c < p->columns; c++) {
        const adl_column *column = frame->columns[c] != NULL ? &frame->columns[c]->view : NULL;
        adl_text text = column == NULL || adl_is_null(column, row) ? (adl_text){NULL, 0} : adl_text_at(column, row);
        g_ptr_array_add(p->cells, text.data != NULL ? g_strndup(text.data, (gsize)text.size) : NULL);
      }
  }
}

static bool run_probe(const char *file, int64_t rows, adl_probe *p, GString *why) {
  adl_cli_options options = {.sets = g_ptr_array_new(), .vars = g_ptr_array_new()};
  g_ptr_array_add(options.sets, NULL);
  g_ptr_array_add(options.vars, NULL);
  adl_pipeline pipeline;
  adl_pipeline_open(&pipeline, file, &options, NULL);
  adl_stage *stage = adl_graph_find(pipeline.graph, "log");
  bool fine = adl_problems_errors(pipeline.problems) == 0 && stage != NULL;
  if (fine) {
    adl_run_options run = {.threads = 1, .limit = rows};
    adl_graph_mark_needed(pipeline.graph, stage);
    adl_engine *engine = adl_engine_new(pipeline.graph, &run);
    fine = adl_engine_peek(engine, stage, rows) == ADL_RUN_OK;
    if (fine) take_frames(p, stage, adl_engine_peeked(engine));
    p->rejected = adl_engine_rejected(engine);
    adl_engine_free(engine);
  }
  if (!fine) {
    GString *text = g_string_new(NULL);
    adl_problems_print(pipeline.problems, text, false);
    const char *message = strstr(text->str, "error: ");
    message = message != NULL ? message + strlen("error: ") : text->str;
    g_string_append_len(why, message, (gssize)strcspn(message, "\n"));
    g_string_free(text, TRUE);
  }
  adl_pipeline_close(&pipeline);
  g_ptr_array_free(options.sets, TRUE);
  g_ptr_array_free(options.vars, TRUE);
  return fine;
}

bool adl_probe_read(const char *path, const char *parameters, int64_t rows, adl_probe *p, GString *why) {
  *p = (adl_probe){.cells = g_ptr_array_new_with_free_func(g_free)};
  char *file = NULL;
  int handle = g_file_open_tmp("adloom-init-XXXXXX.yaml", &file, NULL);
  if (handle < 0) {
    g_string_append(why, "no temporary file can be made");
    return false;
  }
  char *absolute = g_canonicalize_filename(path, NULL);
  GString *text = g_string_new("adloom: 1\nmax_rejects: 1\nstages:\n  log:\n    use: read-csv\n    path: ");
  adl_text_json_string(text, absolute);
  g_string_append_printf(text, "\n%s", parameters);
  bool fine = write(handle, text->str, text->len) == (gssize)text->len;
  if (close(handle) != 0 || !fine) g_string_append(why, "the temporary file cannot be written");
  fine = fine && run_probe(file, rows, p, why);
  g_unlink(file);
  g_string_free(text, TRUE);
  g_free(absolute);
  g_free(file);
  return fine;
}

bool adl_probe_lines(const char *path, guint skip, int64_t rows, adl_probe *p, GString *why) {
  char *parameters = g_strdup_printf("    header: false\n    delimiter: \"\\x01\"\n    quote: ''\n    nulls: []\n"
                                     "    skip_lines: %u\n    columns: {line: string}\n",
                                     skip);
  bool fine = adl_probe_read(path, parameters, rows, p, why);
  g_free(parameters);
  return fine;
}

/* ---- the whole ---- */

/* An object, or an array of them, which is told what to do. A name in brackets is a column of some databases. */
static bool seems_json(const char *first) {
  return g_regex_match_simple("^\\s*(\\{|\\[\\s*(\\{|\\[|$))", first, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
}

bool adl_sample_read(const char *path, int64_t rows, adl_sample *sample, GString *why) {
  *sample = (adl_sample){.columns = g_ptr_array_new_with_free_func(free_column),
                         .left_out = g_ptr_array_new_with_free_func(g_free)};
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
    g_string_append(why, g_file_test(path, G_FILE_TEST_EXISTS) ? "it is no regular file" : "there is no such file");
    return false;
  }
  adl_probe p;
  bool fine = adl_probe_lines(path, 0, rows, &p, why);
  if (fine && p.rejected > (int64_t)p.cells->len) {
    g_string_append(why, "it does not look like text (UTF-8) in lines");
    fine = false;
  }
  while (fine && p.cells->len > 0 && p.cells->pdata[0] == NULL) g_ptr_array_remove_index(p.cells, 0);
  const char *first = fine && p.cells->len > 0 ? p.cells->pdata[0] : NULL;
  if (fine && first == NULL) {
    g_string_append(why, "it is empty");
    fine = false;
  }
  if (fine)
    fine = seems_json(first) ? adl_sample_read_json(path, p.cells, sample, why)
                             : adl_sample_read_csv(path, p.cells, rows, sample, why);
  if (fine && sample->rows == 0) {
    g_string_append(why, "it has a line of names and no rows");
    fine = false;
  }
  g_ptr_array_free(p.cells, TRUE);
  return fine;
}
