#include "tests/harness/harness.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/outputs.h"
#include "core/engine/reports.h"
#include "core/graph/host.h"
#include "core/report/page.h"

struct adl_harness {
  char *directory, *run_directory, *csv, *columns, *source, *top, *models;
  int threads, runs;
  int64_t memory, limit;
  bool store;
  GPtrArray *paths;
  /* of the last run */
  adl_registry *registry;
  adl_problems *problems;
  adl_graph *graph;
  adl_engine *engine;
  adl_outputs *outputs;
  adl_run_options options;
  adl_stage *tapped;
  adl_outcome outcome;
  GString *errors;
  GPtrArray *whole; /* of adl_array *: columns given out */
};

static char *spool_directory(void) {
  GError *error = NULL;
  char *directory = g_dir_make_tmp("adloom-test-XXXXXX", &error);
  if (directory == NULL) g_error("%s", error->message);
  return directory;
}

adl_harness *adl_harness_new(const char *csv, const char *columns) {
  adl_harness *harness = g_new0(adl_harness, 1);
  harness->directory = spool_directory();
  harness->columns = g_strdup(columns);
  harness->source = g_strdup("");
  harness->top = g_strdup("");
  harness->threads = 2;
  harness->memory = INT64_C(1) << 30;
  harness->paths = g_ptr_array_new_with_free_func(g_free);
  harness->errors = g_string_new(NULL);
  harness->whole = g_ptr_array_new_with_free_func((GDestroyNotify)adl_array_unref);
  adl_harness_file(harness, "rows.csv", csv, -1);
  return harness;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
  (void)status, (void)type, (void)at;
  return remove(path);
}

static void forget_run(adl_harness *harness) {
  g_ptr_array_set_size(harness->whole, 0);
  adl_engine_free(harness->engine);
  if (harness->graph != NULL) adl_graph_free(harness->graph);
  if (harness->problems != NULL) adl_problems_free(harness->problems);
  if (harness->registry != NULL) adl_registry_free(harness->registry);
  adl_outputs_free(harness->outputs);
  g_clear_pointer(&harness->run_directory, g_free);
  harness->engine = NULL;
  harness->graph = NULL;
  harness->problems = NULL;
  harness->registry = NULL;
  harness->outputs = NULL;
}

void adl_harness_free(adl_harness *harness) {
  forget_run(harness);
  nftw(harness->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  g_free(harness->directory);
  g_free(harness->columns);
  g_free(harness->source);
  g_free(harness->top);
  g_free(harness->models);
  g_ptr_array_free(harness->paths, TRUE);
  g_ptr_array_free(harness->whole, TRUE);
  g_string_free(harness->errors, TRUE);
  g_free(harness);
}

void adl_harness_threads(adl_harness *harness, int threads) { harness->threads = threads; }
void adl_harness_memory(adl_harness *harness, int64_t bytes) { harness->memory = bytes; }
void adl_harness_store(adl_harness *harness, bool use) { harness->store = use; }
void adl_harness_limit(adl_harness *harness, int64_t rows) { harness->limit = rows; }

static void set_text(char **field, const char *text) {
  g_free(*field);
  *field = g_strdup(text);
}

void adl_harness_source(adl_harness *harness, const char *parameters) { set_text(&harness->source, parameters); }
void adl_harness_top(adl_harness *harness, const char *lines) { set_text(&harness->top, lines); }
void adl_harness_models(adl_harness *harness, const char *run) { set_text(&harness->models, run); }

const char *adl_harness_file(adl_harness *harness, const char *name, const char *content, gssize size) {
  char *path = g_build_filename(harness->directory, name, NULL);
  GError *error = NULL;
  if (!g_file_set_contents(path, content, size, &error)) g_error("%s", error->message);
  g_ptr_array_add(harness->paths, path);
  return path;
}

static char *write_pipeline(adl_harness *harness, const char *stages) {
  char *text =
      g_strdup_printf("adloom: 1\nname: test\n%sstages:\n  rows: {use: read-csv, path: rows.csv, columns: %s%s%s}\n%s",
                      harness->top, harness->columns, harness->source[0] != '\0' ? ", " : "", harness->source, stages);
  const char *path = adl_harness_file(harness, "test.yaml", text, -1);
  g_free(text);
  return g_strdup(path);
}

static void run_engine(adl_harness *harness, const char *tap) {
  char *models = g_build_filename(harness->directory, "store", NULL);
  harness->options = (adl_run_options){.threads = harness->threads,
                                       .memory = harness->memory,
                                       .limit = harness->limit,
                                       .directory = harness->run_directory,
                                       .models = harness->store ? models : NULL,
                                       .outputs = harness->outputs,
                                       .apply = harness->models != NULL,
                                       .tap = tap,
                                       .report = adl_page_write,
                                       .progress_file = stderr};
  harness->tapped = tap != NULL ? adl_graph_find(harness->graph, tap) : NULL;
  if (tap != NULL && harness->tapped == NULL) g_error("the harness cannot tap `%s`: there is no such stage", tap);
  harness->engine = adl_engine_new(harness->graph, &harness->options);
  harness->outcome = adl_engine_run(harness->engine);
  g_free(models);
}

adl_outcome adl_harness_run(adl_harness *harness, const char *stages, const char *tap) {
  forget_run(harness);
  char *run = g_strdup_printf("run-%d/models", ++harness->runs);
  char *full = g_build_filename(harness->directory, run, NULL);
  g_mkdir_with_parents(full, 0777);
  harness->run_directory = g_path_get_dirname(full);
  adl_engine_setup_host();
  harness->problems = adl_problems_new();
  harness->registry = adl_registry_new(adl_host_table());
  harness->outputs = adl_outputs_new(harness->run_directory);
  adl_graph_options options = {
      .models = harness->models, .path_out = adl_outputs_path, .path_out_data = harness->outputs};
  char *path = write_pipeline(harness, stages);
  harness->graph = adl_graph_load(path, &options, harness->registry, harness->problems);
  harness->outcome = ADL_RUN_FAILED;
  if (adl_problems_errors(harness->problems) == 0) run_engine(harness, tap);
  g_string_truncate(harness->errors, 0);
  adl_problems_print(harness->problems, harness->errors, false);
  g_free(path);
  g_free(run);
  g_free(full);
  return harness->outcome;
}

/* ---- afterwards ---- */

bool adl_harness_ok(const adl_harness *harness) {
  return harness->outcome == ADL_RUN_OK && adl_problems_errors(harness->problems) == 0;
}
const char *adl_harness_errors(const adl_harness *harness) { return harness->errors->str; }
const char *adl_harness_directory(const adl_harness *harness) { return harness->directory; }
const char *adl_harness_run_directory(const adl_harness *harness) { return harness->run_directory; }

char *adl_harness_read(const adl_harness *harness, const char *name) {
  char *path = g_build_filename(harness->run_directory, name, NULL), *text = NULL;
  g_file_get_contents(path, &text, NULL, NULL);
  g_free(path);
  return text;
}

static const GPtrArray *frames(const adl_harness *harness) {
  if (harness->engine == NULL) g_error("the harness has not run: %s", harness->errors->str);
  return adl_engine_peeked(harness->engine);
}

int64_t adl_harness_rows(const adl_harness *harness) {
  int64_t rows = 0;
  const GPtrArray *all = frames(harness);
  for (guint i = 0; i < all->len; i++) rows += ((adl_frame *)all->pdata[i])->rows;
  return rows;
}

static int32_t column_number(const adl_harness *harness, const char *column) {
  int32_t number = adl_schema_find(&harness->tapped->schema, column);
  if (number < 0) g_error("no column `%s` leaves `%s`", column, harness->tapped->name);
  return number;
}

static const adl_frame *frame_of_row(const adl_harness *harness, int64_t *row) {
  const GPtrArray *all = frames(harness);
  for (guint i = 0; i < all->len; i++) {
    const adl_frame *frame = all->pdata[i];
    if (*row < frame->rows) return frame;
    *row -= frame->rows;
  }
  g_error("there is no such row");
}

double adl_harness_number(const adl_harness *harness, const char *column, int64_t row) {
  const adl_frame *frame = frame_of_row(harness, &row);
  return adl_number_at(&frame->columns[column_number(harness, column)]->view, row);
}

bool adl_harness_null(const adl_harness *harness, const char *column, int64_t row) {
  const adl_frame *frame = frame_of_row(harness, &row);
  return adl_is_null(&frame->columns[column_number(harness, column)]->view, row);
}

char *adl_harness_text(const adl_harness *harness, const char *column, int64_t row) {
  const adl_frame *frame = frame_of_row(harness, &row);
  GString *text = g_string_new(NULL);
  adl_array_text(&frame->columns[column_number(harness, column)]->view, row, 0, text);
  return g_string_free(text, FALSE);
}

adl_split adl_harness_split(const adl_harness *harness, int64_t row) {
  const adl_frame *frame = frame_of_row(harness, &row);
  return adl_tag_split(adl_frame_tags(frame)[row]);
}

adl_type adl_harness_type(const adl_harness *harness, const char *column) {
  return harness->tapped->schema.columns[column_number(harness, column)].field->type;
}

const adl_column *adl_harness_column(adl_harness *harness, const char *column) {
  const GPtrArray *all = frames(harness);
  int32_t number = column_number(harness, column);
  if (all->len == 0) return NULL;
  adl_array **parts = g_new(adl_array *, all->len);
  for (guint i = 0; i < all->len; i++) parts[i] = ((adl_frame *)all->pdata[i])->columns[number];
  const char *why = NULL;
  adl_array *whole = adl_array_concat(parts, all->len, &why);
  if (whole == NULL) g_error("%s", why);
  g_ptr_array_add(harness->whole, whole);
  g_free(parts);
  return &whole->view;
}

const adl_tensors *adl_harness_model(const adl_harness *harness, const char *stage) {
  return adl_engine_model(harness->engine, adl_graph_find(harness->graph, stage));
}

double adl_harness_report(const adl_harness *harness, const char *stage, const char *over, const char *name) {
  return adl_report_find(adl_engine_reports(harness->engine), stage, over, name);
}

int64_t adl_harness_rejected(const adl_harness *harness) { return adl_engine_rejected(harness->engine); }

static void append_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                          const char *reason) {
  (void)source;
  g_string_append_printf(data, "%s %" G_GINT64_FORMAT " %s %s\n", stage, position, column != NULL ? column : "-",
                         reason);
}

char *adl_harness_rejects(const adl_harness *harness) {
  GString *text = g_string_new(NULL);
  adl_engine_each_reject(harness->engine, append_reject, text);
  return g_string_free(text, FALSE);
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorted names of a folder's files, NULL-terminated. */
static GPtrArray *list_files(const char *folder) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL; name = g_dir_read_name(dir))
    g_ptr_array_add(names, g_strdup(name));
  if (dir != NULL) g_dir_close(dir);
  g_ptr_array_sort(names, compare_texts);
  return names;
}

static void digest_folder(GChecksum *sum, const char *folder) {
  GPtrArray *names = list_files(folder);
  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    char *path = g_build_filename(folder, name, NULL), *content = NULL;
    gsize size = 0;
    bool differs = strcmp(name, "manifest.json") == 0 || strcmp(name, "log.txt") == 0 ||
                   strcmp(name, ADL_PAGE_NAME) == 0; /* times are in them */
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      digest_folder(sum, path);
    } else if (!differs && g_file_get_contents(path, &content, &size, NULL)) {
      g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name) + 1);
      g_checksum_update(sum, (const guchar *)content, (gssize)size);
      g_free(content);
    }
    g_free(path);
  }
  g_ptr_array_free(names, TRUE);
}

char *adl_harness_digest(const adl_harness *harness) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  digest_folder(sum, harness->run_directory);
  char *text = g_strdup(g_checksum_get_string(sum));
  g_checksum_free(sum);
  return text;
}
