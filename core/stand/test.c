/*
 * The harness, first part: rows given as text, settings, and runs on the stand. Behind <adloom/test.h>; called by tests of
 * plugins, in this tree and outside it.
 */
#include "core/stand/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stand/literal.h"

void adl_test_misuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  printf("# wrong use of the harness: %s\n", text);
  fflush(stdout);
  abort();
}

adl_test *adl_test_new(void) {
  adl_test *test = g_new0(adl_test, 1);
  test->stand = adl_stand_new();
  test->source = g_strdup("");
  test->top = g_strdup("");
  test->plugins = g_ptr_array_new_with_free_func(g_free);
  test->paths = g_ptr_array_new_with_free_func(g_free);
  test->texts = g_ptr_array_new_with_free_func(g_free);
  test->difference = g_string_new(NULL);
  return test;
}

void adl_test_free(adl_test *test) {
  if (test == NULL) return;
  adl_stand_free(test->stand);
  adl_stand_rows_free(test->cut);
  char *texts[] = {test->columns, test->json, test->source, test->top, test->stages, test->tap};
  for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) g_free(texts[i]);
  g_free(test->sizes);
  g_ptr_array_free(test->plugins, TRUE);
  g_ptr_array_free(test->paths, TRUE);
  g_ptr_array_free(test->texts, TRUE);
  g_string_free(test->difference, TRUE);
  g_free(test);
}

/* ---- settings ---- */

static void set_text(char **field, const char *text) {
  char *copy = g_strdup(text); /* it may be the field itself */
  g_free(*field);
  *field = copy;
}

void adl_test_threads(adl_test *test, int32_t threads) { test->stand->threads = threads; }
void adl_test_memory(adl_test *test, int64_t bytes) { test->stand->memory = bytes; }
void adl_test_store(adl_test *test, bool use) { test->stand->store = use; }
void adl_test_limit(adl_test *test, int64_t rows) { test->stand->limit = rows; }
void adl_test_source(adl_test *test, const char *parameters) { set_text(&test->source, parameters); }
void adl_test_top(adl_test *test, const char *lines) { set_text(&test->top, lines); }
void adl_test_models(adl_test *test, const char *run_directory) { set_text(&test->stand->models, run_directory); }

void adl_test_cut(adl_test *test, const int64_t *sizes, int64_t count) {
  int64_t *copy = count > 0 ? g_memdup2(sizes, (gsize)count * sizeof *sizes) : NULL;
  for (int64_t i = 0; i < count; i++)
    if (sizes[i] < 1 || sizes[i] > 4096) adl_test_misuse("batches have 1 to 4096 rows");
  g_free(test->sizes);
  test->sizes = copy;
  test->size_count = count;
}

void adl_test_plugin(adl_test *test, const char *path) {
  if (test->plugins->len > 0) g_ptr_array_set_size(test->plugins, (int)test->plugins->len - 1); /* the NULL */
  g_ptr_array_add(test->plugins, g_canonicalize_filename(path, NULL));
  g_ptr_array_add(test->plugins, NULL);
  test->stand->plugins = (const char *const *)test->plugins->pdata;
}

const char *adl_test_file(adl_test *test, const char *name, const char *content, int64_t size) {
  char *path = adl_stand_file(test->stand, name, content, (gssize)size);
  g_ptr_array_add(test->paths, path);
  return path;
}

/* `format`: "csv", which goes through a file and read-csv, or "json", which is put into memory (literal.h). */
static void set_rows(adl_test *test, const char *format, const char *columns, const char *rows) {
  test->format = format;
  set_text(&test->columns, columns);
  if (strcmp(format, "csv") == 0)
    adl_test_file(test, "rows.csv", rows, -1);
  else
    set_text(&test->json, rows);
}

void adl_test_csv(adl_test *test, const char *columns, const char *rows) { set_rows(test, "csv", columns, rows); }
void adl_test_json(adl_test *test, const char *columns, const char *rows) { set_rows(test, "json", columns, rows); }

/* ---- runs ---- */

/* The line of the stage that reads the file. */
static char *source_line(const adl_test *test) {
  return g_strdup_printf("  rows: {use: read-csv, path: rows.csv, columns: %s%s%s}\n", test->columns,
                         test->source[0] != '\0' ? ", " : "", test->source);
}

static bool run_lines(adl_test *test, const char *rows, const char *stages, const char *tap) {
  bool lenient = !test->strict && strstr(test->top, "max_rejects:") == NULL;
  char *text = g_strdup_printf("adloom: 1\nname: test\n%s%sstages:\n%s%s", lenient ? "max_rejects: 1\n" : "", test->top,
                               rows, stages);
  g_ptr_array_set_size(test->texts, 0);
  adl_stand_run(test->stand, text, tap);
  g_free(text);
  return adl_test_ok(test);
}

/* Rows in memory; the folder's name is nobody else's. */
static adl_stand_rows *new_rows(const adl_test *test) {
  char *name = g_path_get_basename(test->stand->directory);
  adl_stand_rows *rows = adl_stand_rows_new(name);
  adl_stand_rows_cut(rows, test->sizes, test->size_count);
  g_free(name);
  return rows;
}

/* Reads the file and puts its rows into memory, to be cut there. NULL: it cannot be read, and the errors say why. */
static adl_stand_rows *read_rows(adl_test *test, const char *line) {
  if (!run_lines(test, line, "", "rows")) return NULL;
  adl_stand *stand = test->stand;
  int64_t count = adl_stand_rows_out(stand), at = 0;
  adl_stand_rows *rows = new_rows(test);
  const adl_schema *schema = &stand->tapped->schema;
  for (int32_t i = 0; i < schema->count; i++) {
    adl_type type = schema->columns[i].field->type;
    const adl_column *column = adl_stand_column(stand, i);
    adl_array *array =
        column != NULL ? adl_array_ref((adl_array *)(void *)(uintptr_t)column) : adl_array_nulls(type, 0);
    adl_stand_rows_column(rows, schema->columns[i].name, array);
  }
  uint8_t *splits = g_new0(uint8_t, (gsize)count + 1);
  const GPtrArray *frames = adl_stand_frames(stand);
  for (guint i = 0; i < frames->len; i++) {
    const adl_frame *frame = frames->pdata[i];
    for (int64_t row = 0; row < frame->rows; row++) splits[at++] = (uint8_t)adl_tag_split(adl_frame_tags(frame)[row]);
  }
  if (count > 0) adl_stand_rows_splits(rows, splits);
  g_free(splits);
  return rows;
}

static adl_stand_rows *literal_rows(const adl_test *test) {
  adl_stand_rows *rows = new_rows(test);
  GString *why = g_string_new(NULL);
  if (!adl_stand_literal(rows, test->columns, test->json, why)) adl_test_misuse("the rows: %s", why->str);
  g_string_free(why, TRUE);
  return rows;
}

/* The lines of the stage `rows`; NULL: its file cannot be read. */
static char *rows_lines(adl_test *test) {
  GString *yaml = g_string_new(NULL);
  bool json = test->format != NULL && strcmp(test->format, "json") == 0;
  if (test->format != NULL && !json) {
    char *line = source_line(test);
    if (test->size_count == 0) g_string_append(yaml, line);
    if (test->size_count > 0 && (test->cut = read_rows(test, line)) != NULL)
      adl_stand_rows_yaml(test->cut, "rows", yaml);
    g_free(line);
    if (yaml->len == 0) return g_string_free(yaml, TRUE);
  } else if (json) {
    test->cut = literal_rows(test);
    adl_stand_rows_yaml(test->cut, "rows", yaml);
    if (test->source[0] != '\0') {
      g_string_truncate(yaml, yaml->len - strlen("}\n"));
      g_string_append_printf(yaml, ", %s}\n", test->source);
    }
  }
  return g_string_free(yaml, FALSE);
}

bool adl_test_run(adl_test *test, const char *stages, const char *tap) {
  set_text(&test->stages, stages);
  set_text(&test->tap, tap);
  adl_stand_rows_free(test->cut);
  test->cut = NULL;
  char *rows = rows_lines(test);
  bool ok = rows != NULL && run_lines(test, rows, test->stages, test->tap);
  g_free(rows);
  return ok;
}

bool adl_test_stage(adl_test *test, const char *stage) {
  char *stages = g_strdup_printf("  stage: {%s}\n", stage);
  bool ok = adl_test_run(test, stages, "stage");
  g_free(stages);
  return ok;
}

bool adl_test_apply(adl_test *test, const char *columns, const char *rows) {
  if (test->stages == NULL || test->format == NULL) adl_test_misuse("adl_test_apply comes after a run on rows");
  char *earlier = g_strdup(test->stand->run_directory), *source = g_strdup(test->source),
       *models = g_strdup(test->stand->models);
  set_rows(test, test->format, columns != NULL ? columns : test->columns, rows);
  adl_test_models(test, earlier);
  adl_test_source(test, ""); /* a holdout is about learning */
  bool ok = adl_test_run(test, test->stages, test->tap);
  adl_test_models(test, models);
  adl_test_source(test, source);
  g_free(earlier);
  g_free(source);
  g_free(models);
  return ok;
}

bool adl_test_ok(const adl_test *test) { return test->stand->problems != NULL && adl_stand_ok(test->stand); }
adl_outcome adl_test_outcome(const adl_test *test) { return test->stand->outcome; }
const char *adl_test_errors(const adl_test *test) { return test->stand->errors->str; }
const char *adl_test_directory(const adl_test *test) { return test->stand->directory; }
const char *adl_test_run_directory(const adl_test *test) { return test->stand->run_directory; }
const char *adl_test_difference(const adl_test *test) { return test->difference->str; }
