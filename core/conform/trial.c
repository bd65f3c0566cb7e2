/* A run of one stage on the engine: rows made up after a draft in front of it, and everything that comes of it kept, to be
 * compared. */
#include <string.h>

#include "core/conform/internal.h"

bool adl_class_saves(const adl_class *class) {
  return (class->fit != NULL || class->learn != NULL) && class->process != NULL && (class->flags & ADL_TRANSIENT) == 0;
}

/* Identities and splits of the rows: those for training are 0, 1, 2, ...; those held out have numbers of their own. */
typedef struct layout {
  int64_t count;
  int64_t *ids;
  uint8_t *splits;
  bool any_held_out;
} layout;

static layout lay_out(const adl_exam_trial *trial) {
  enum { HELD_OUT = 1000000, POISON = 2000000 };
  int64_t other = trial->poison ? POISON : HELD_OUT;
  layout made = {.any_held_out = trial->held_out > 0 || trial->between > 0};
  gsize most = (gsize)(trial->rows * (1 + trial->between) + trial->held_out + 1);
  made.ids = g_new0(int64_t, most);
  made.splits = g_new0(uint8_t, most);
  for (int64_t i = 0; i < trial->rows; i++) {
    made.ids[made.count++] = i;
    for (int64_t k = 0; k < trial->between; k++) {
      made.ids[made.count] = other++;
      made.splits[made.count++] = ADL_TEST;
    }
  }
  for (int64_t k = 0; k < trial->held_out; k++) {
    made.ids[made.count] = other++;
    made.splits[made.count++] = (uint8_t)(k % 3 == 0 ? ADL_VALIDATE : ADL_TEST);
  }
  return made;
}

static adl_stand_rows *make_rows(const adl_exam *exam, const adl_exam_trial *trial, const GPtrArray *columns,
                                 const layout *rows) {
  static int number = 0;
  char name[32];
  g_snprintf(name, sizeof name, "made-%d", number++);
  adl_stand_rows *made = adl_stand_rows_new(name);
  adl_row_plan plan = {.seed = exam->options->seed, .count = rows->count, .ids = rows->ids, .odd = trial->odd};
  for (guint i = 0; i < columns->len; i++) {
    const adl_draft_column *column = columns->pdata[i];
    adl_stand_rows_column(made, column->name, adl_draft_values(column, &plan));
  }
  if (trial->cut != NULL) adl_stand_rows_cut(made, trial->cut, trial->cut_count);
  return made;
}

/* As many rows as are needed to find most keys, once each or more. */
static adl_stand_rows *make_side(const adl_exam *exam, const adl_exam_trial *trial) {
  enum { SIDE_ROWS = 60 };
  int64_t ids[SIDE_ROWS];
  for (int64_t i = 0; i < SIDE_ROWS; i++) ids[i] = i;
  layout rows = {.count = trial->rows == 0 ? 0 : SIDE_ROWS, .ids = ids};
  adl_exam_trial plain = {.odd = trial->odd};
  return make_rows(exam, &plain, trial->draft->side, &rows);
}

static char *pipeline(const adl_exam_trial *trial, const adl_result *result, bool leaves) {
  const adl_draft *draft = trial->draft;
  bool source = draft->class->next != NULL;
  GString *yaml = g_string_new(NULL);
  g_string_append_printf(yaml, "adloom: 1\nname: check\nseed: %" G_GUINT64_FORMAT "\nmax_rejects: 1\nstages:\n",
                         trial->seed % 1000000);
  if (result->side != NULL) adl_stand_rows_yaml(result->side, "lookup", yaml);
  if (!source) adl_stand_rows_yaml(result->main, "rows", yaml);
  g_string_append(yaml, "  stage: {");
  if (!source) g_string_append(yaml, "from: rows, ");
  if (trial->learn != NULL) g_string_append_printf(yaml, "learn: %s, ", trial->learn);
  adl_draft_yaml(draft, yaml);
  g_string_append(yaml, "}\n");
  if (leaves && trial->no_tap) g_string_append(yaml, "  end: {use: stand.end, from: stage}\n");
  return g_string_free(yaml, FALSE);
}

static void take_columns(adl_result *result) {
  adl_stand *stand = result->stand;
  result->rows = adl_stand_rows_out(stand);
  result->column_count = stand->tapped->schema.count;
  result->columns = g_new0(adl_array *, (gsize)result->column_count + 1);
  for (int32_t c = 0; c < result->column_count; c++) {
    const adl_column *column = adl_stand_column(stand, c);
    if (column != NULL) result->columns[c] = adl_array_ref((adl_array *)(uintptr_t)column);
  }
}

adl_result *adl_exam_trial_run(const adl_exam *exam, const adl_exam_trial *trial) {
  const adl_class *class = trial->draft->class;
  adl_result *result = g_new0(adl_result, 1);
  const char *plugins[] = {exam->options->path, NULL};
  layout rows = lay_out(trial);
  bool leaves = class->write == NULL && class->kind != ADL_EVALUATE;
  result->main = make_rows(exam, trial, trial->draft->columns, &rows);
  if (rows.any_held_out) adl_stand_rows_splits(result->main, rows.splits);
  if (trial->draft->sides > 0) result->side = make_side(exam, trial);
  adl_stand *stand = result->stand = adl_stand_new();
  stand->plugins = plugins;
  stand->threads = trial->threads > 0 ? trial->threads : 2;
  stand->models = g_strdup(trial->models);
  adl_draft_files(stand);
  char *text = pipeline(trial, result, leaves);
  bool tap = leaves && !trial->no_tap;
  if (trial->load_only) {
    result->ok = adl_stand_load(stand, text);
  } else {
    adl_stand_run(stand, text, tap ? "stage" : NULL);
    result->ok = adl_stand_ok(stand);
    if (result->ok && tap) take_columns(result);
    result->digest = adl_stand_digest(stand);
  }
  stand->plugins = NULL;
  g_free(text);
  g_free(rows.ids);
  g_free(rows.splits);
  return result;
}

void adl_result_free(adl_result *result) {
  if (result == NULL) return;
  for (int32_t c = 0; c < result->column_count; c++) adl_array_unref(result->columns[c]);
  g_free(result->columns);
  g_free(result->digest);
  adl_stand_free(result->stand);
  adl_stand_rows_free(result->main);
  adl_stand_rows_free(result->side);
  g_free(result);
}

/* What the engine says of a plugin that does not keep to the ABI. */
static const char *broken_rule(const char *errors) {
  static const char *const signs[] = {"failed without saying why",
                                      "that is not valid",
                                      "gave no column",
                                      "gave a column for output slot",
                                      "its form is not",
                                      "picked row ",
                                      "gathered side row",
                                      "gathered from a side",
                                      "brought no side rows",
                                      "partial results cannot be added",
                                      "larger than the buffer"};
  for (guint i = 0; i < G_N_ELEMENTS(signs); i++)
    if (strstr(errors, signs[i]) != NULL) return signs[i];
  return NULL;
}

static char *first_line(const char *text) { return g_strndup(text, strcspn(text, "\n")); }

bool adl_result_judge(adl_exam *exam, const adl_result *result, const char *what) {
  const char *errors = adl_result_errors(result);
  if (result->ok) return true;
  char *line = first_line(errors);
  if (errors[0] == '\0')
    adl_exam_fail(exam, "%s: it failed, and nothing was said", what);
  else if (broken_rule(errors) != NULL)
    adl_exam_fail(exam, "%s: %s", what, line);
  g_free(line);
  return !adl_exam_failed(exam);
}

adl_result *adl_exam_trial_judged(adl_exam *exam, const adl_exam_trial *trial, const char *what) {
  adl_result *result = adl_exam_trial_run(exam, trial);
  if (adl_result_judge(exam, result, what)) return result;
  adl_result_free(result);
  return NULL;
}

adl_result *adl_exam_trial_success(adl_exam *exam, const adl_exam_trial *trial, const char *what) {
  adl_result *result = adl_exam_trial_judged(exam, trial, what);
  if (result == NULL || result->ok) return result;
  char *line = first_line(adl_result_errors(result));
  adl_exam_fail(exam, "%s: %s", what, line);
  g_free(line);
  adl_result_free(result);
  return NULL;
}

const char *adl_result_errors(const adl_result *result) { return result->stand->errors->str; }

const adl_tensors *adl_result_model(const adl_result *result) { return adl_stand_model(result->stand, "stage"); }

char *adl_result_model_path(const adl_result *result) {
  char *path = g_build_filename(result->stand->run_directory, "models", "stage.safetensors", NULL);
  if (g_file_test(path, G_FILE_TEST_EXISTS)) return path;
  g_free(path);
  return NULL;
}
