/* Runs pipelines in a folder of their own, see stand.h. */
#include "core/stand/stand.h"

#include <ftw.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/engine/outputs.h"
#include "core/graph/host.h"
#include "core/stand/rows.h"

adl_stand *adl_stand_new(void) {
  GError *error = NULL;
  adl_stand *stand = g_new0(adl_stand, 1);
  stand->directory = g_dir_make_tmp("adloom-stand-XXXXXX", &error);
  if (stand->directory == NULL) g_error("%s", error->message);
  stand->threads = 2;
  stand->memory = INT64_C(1) << 30;
  stand->progress_file = stderr;
  stand->errors = g_string_new(NULL);
  stand->whole = g_ptr_array_new_with_free_func((GDestroyNotify)adl_array_unref);
  return stand;
}

static void forget_run(adl_stand *stand) {
  g_ptr_array_set_size(stand->whole, 0);
  adl_engine_free(stand->engine);
  if (stand->graph != NULL) adl_graph_free(stand->graph);
  if (stand->problems != NULL) adl_problems_free(stand->problems);
  if (stand->registry != NULL) adl_registry_free(stand->registry);
  adl_outputs_free(stand->outputs);
  g_clear_pointer(&stand->run_directory, g_free);
  g_string_truncate(stand->errors, 0);
  stand->engine = NULL;
  stand->graph = NULL;
  stand->problems = NULL;
  stand->registry = NULL;
  stand->outputs = NULL;
  stand->tapped = NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
  (void)status, (void)type, (void)at;
  return remove(path);
}

void adl_stand_free(adl_stand *stand) {
  if (stand == NULL) return;
  forget_run(stand);
  nftw(stand->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  g_free(stand->directory);
  g_free(stand->models);
  g_ptr_array_free(stand->whole, TRUE);
  g_string_free(stand->errors, TRUE);
  g_free(stand);
}

char *adl_stand_file(const adl_stand *stand, const char *name, const char *content, gssize size) {
  char *path = g_build_filename(stand->directory, name, NULL);
  GError *error = NULL;
  if (!g_file_set_contents(path, content, size, &error)) g_error("%s", error->message);
  return path;
}

static void print_problems(adl_stand *stand) {
  g_string_truncate(stand->errors, 0);
  adl_problems_print(stand->problems, stand->errors, false);
}

static bool load_pipeline(adl_stand *stand, const char *pipeline) {
  forget_run(stand);
  char *models = g_strdup_printf("%s/run-%d/models", stand->directory, ++stand->runs);
  g_mkdir_with_parents(models, 0777);
  stand->run_directory = g_path_get_dirname(models);
  g_free(models);
  if (adl_host_table()->fail == NULL) adl_engine_setup_host();
  stand->problems = adl_problems_new();
  stand->registry = adl_registry_new(adl_host_table());
  adl_stand_offer(stand->registry);
  GString *why = g_string_new(NULL);
  for (int i = 0; stand->plugins != NULL && stand->plugins[i] != NULL; i++)
    adl_registry_add_file(stand->registry, stand->plugins[i], why);
  if (why->len > 0) adl_problems_error(stand->problems, ADL_NO_PLACE, "%s", why->str);
  g_string_free(why, TRUE);
  stand->outputs = adl_outputs_new(stand->run_directory);
  adl_graph_options options = {.models = stand->models, .path_out = adl_outputs_path, .path_out_data = stand->outputs};
  char *path = adl_stand_file(stand, "test.yaml", pipeline, -1);
  stand->graph = adl_graph_load(path, &options, stand->registry, stand->problems);
  stand->outcome = ADL_RUN_FAILED;
  g_free(path);
  return adl_problems_errors(stand->problems) == 0;
}

bool adl_stand_load(adl_stand *stand, const char *pipeline) {
  bool fine = load_pipeline(stand, pipeline);
  print_problems(stand);
  return fine;
}

adl_outcome adl_stand_run(adl_stand *stand, const char *pipeline, const char *tap) {
  if (load_pipeline(stand, pipeline)) {
    char *store = g_build_filename(stand->directory, "store", NULL);
    stand->options = (adl_run_options){.threads = stand->threads,
                                       .memory = stand->memory,
                                       .limit = stand->limit,
                                       .directory = stand->run_directory,
                                       .models = stand->store ? store : NULL,
                                       .outputs = stand->outputs,
                                       .apply = stand->models != NULL,
                                       .tap = tap,
                                       .report = stand->report,
                                       .progress_file = stand->progress_file};
    stand->tapped = tap != NULL ? adl_graph_find(stand->graph, tap) : NULL;
    if (tap != NULL && stand->tapped == NULL) g_error("nothing can be collected of `%s`: there is no such stage", tap);
    stand->engine = adl_engine_new(stand->graph, &stand->options);
    stand->outcome = adl_engine_run(stand->engine);
    stand->options.models = NULL;
    g_free(store);
  }
  print_problems(stand);
  return stand->outcome;
}

/* ---- afterwards ---- */

bool adl_stand_ok(const adl_stand *stand) {
  return stand->outcome == ADL_RUN_OK && adl_problems_errors(stand->problems) == 0;
}

const GPtrArray *adl_stand_frames(const adl_stand *stand) {
  if (stand->engine == NULL) g_error("nothing has run: %s", stand->errors->str);
  return adl_engine_peeked(stand->engine);
}

int64_t adl_stand_rows_out(const adl_stand *stand) {
  int64_t rows = 0;
  const GPtrArray *all = adl_stand_frames(stand);
  for (guint i = 0; i < all->len; i++) rows += ((adl_frame *)all->pdata[i])->rows;
  return rows;
}

int32_t adl_stand_find(const adl_stand *stand, const char *column) {
  return adl_schema_find(&stand->tapped->schema, column);
}

const adl_column *adl_stand_column(adl_stand *stand, int32_t number) {
  const GPtrArray *all = adl_stand_frames(stand);
  if (all->len == 0) return NULL;
  adl_array **parts = g_new(adl_array *, all->len);
  for (guint i = 0; i < all->len; i++) parts[i] = ((adl_frame *)all->pdata[i])->columns[number];
  const char *why = NULL;
  adl_array *whole = adl_array_concat(parts, all->len, &why);
  if (whole == NULL) g_error("%s", why);
  g_ptr_array_add(stand->whole, whole);
  g_free(parts);
  return &whole->view;
}

const adl_tensors *adl_stand_model(const adl_stand *stand, const char *stage) {
  const adl_stage *found = stand->engine != NULL ? adl_graph_find(stand->graph, stage) : NULL;
  return found != NULL ? adl_engine_model(stand->engine, found) : NULL;
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorted names of a folder's files. */
static GPtrArray *list_files(const char *folder) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL; name = g_dir_read_name(dir))
    g_ptr_array_add(names, g_strdup(name));
  if (dir != NULL) g_dir_close(dir);
  g_ptr_array_sort(names, compare_texts);
  return names;
}

/* Without the name of the stand's folder, which is another each time. */
static void digest_content(GChecksum *sum, const char *content, gsize size, const char *folder) {
  gsize length = strlen(folder);
  for (const char *end = content + size;;) {
    const char *found = memmem(content, (size_t)(end - content), folder, length);
    g_checksum_update(sum, (const guchar *)content, (found != NULL ? found : end) - content);
    if (found == NULL) return;
    content = found + length;
  }
}

static void digest_folder(GChecksum *sum, const char *folder, const char *top) {
  GPtrArray *names = list_files(folder);
  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    char *path = g_build_filename(folder, name, NULL), *content = NULL;
    gsize size = 0;
    bool differs = strcmp(name, "manifest.json") == 0 || strcmp(name, "log.txt") == 0 ||
                   strcmp(name, "report.html") == 0; /* times are in them */
    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
      digest_folder(sum, path, top);
    } else if (!differs && g_file_get_contents(path, &content, &size, NULL)) {
      g_checksum_update(sum, (const guchar *)name, (gssize)strlen(name) + 1);
      digest_content(sum, content, size, top);
      g_free(content);
    }
    g_free(path);
  }
  g_ptr_array_free(names, TRUE);
}

char *adl_stand_digest(const adl_stand *stand) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  digest_folder(sum, stand->run_directory, stand->directory);
  char *text = g_strdup(g_checksum_get_string(sum));
  g_checksum_free(sum);
  return text;
}
