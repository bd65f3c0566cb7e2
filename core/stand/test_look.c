/* The harness, second part: what a test asks for after a run. */
#include <math.h>
#include <string.h>

#include "core/data/tensors.h"
#include "core/engine/reports.h"
#include "core/stand/test.h"

const char *adl_test_keep(adl_test *test, char *text) {
  if (text != NULL) g_ptr_array_add(test->texts, text);
  return text;
}

/* Rows were collected, and may be asked for. */
static void need_rows(const adl_test *test) {
  if (test->stand->engine == NULL) adl_test_misuse("nothing has run: %s", adl_test_errors(test));
  if (test->stand->tapped == NULL) adl_test_misuse("no rows were collected: name the stage that they leave as `tap`");
}

int64_t adl_test_rows(const adl_test *test) {
  need_rows(test);
  return adl_stand_rows_out(test->stand);
}

bool adl_test_has(const adl_test *test, const char *column) {
  need_rows(test);
  return adl_stand_find(test->stand, column) >= 0;
}

static int32_t column_number(const adl_test *test, const char *column) {
  if (!adl_test_has(test, column)) adl_test_misuse("no column `%s` leaves `%s`", column, test->stand->tapped->name);
  return adl_stand_find(test->stand, column);
}

/* The frame that holds a row; *row becomes its number there. */
static const adl_frame *frame_of_row(const adl_test *test, int64_t *row) {
  need_rows(test);
  const GPtrArray *all = adl_stand_frames(test->stand);
  int64_t left = *row;
  for (guint i = 0; i < all->len && left >= 0; i++) {
    const adl_frame *frame = all->pdata[i];
    if (left < frame->rows) {
      *row = left;
      return frame;
    }
    left -= frame->rows;
  }
  adl_test_misuse("there is no row %" G_GINT64_FORMAT ": %" G_GINT64_FORMAT " rows left `%s`%s%s", *row,
                  adl_test_rows(test), test->stand->tapped->name, adl_test_ok(test) ? "" : "\n", adl_test_errors(test));
}

static const adl_column *column_of_row(const adl_test *test, const char *column, int64_t *row) {
  int32_t number = column_number(test, column);
  return &frame_of_row(test, row)->columns[number]->view;
}

adl_type adl_test_type(const adl_test *test, const char *column) {
  return test->stand->tapped->schema.columns[column_number(test, column)].field->type;
}

double adl_test_number(const adl_test *test, const char *column, int64_t row) {
  const adl_column *values = column_of_row(test, column, &row);
  return adl_number_at(values, row);
}

bool adl_test_null(const adl_test *test, const char *column, int64_t row) {
  const adl_column *values = column_of_row(test, column, &row);
  return adl_is_null(values, row);
}

const char *adl_test_text(adl_test *test, const char *column, int64_t row) {
  const adl_column *values = column_of_row(test, column, &row);
  GString *text = g_string_new(NULL);
  adl_array_text(values, row, 0, text);
  return adl_test_keep(test, g_string_free(text, FALSE));
}

adl_split adl_test_split(const adl_test *test, int64_t row) {
  const adl_frame *frame = frame_of_row(test, &row);
  return adl_tag_split(adl_frame_tags(frame)[row]);
}

/* ---- rows of several items ---- */

int64_t adl_test_count(const adl_test *test, const char *column, int64_t row) {
  const adl_column *values = column_of_row(test, column, &row);
  if (values->type.shape == ADL_SCALAR) return 1;
  return values->type.shape == ADL_VECTOR ? values->type.width : values->offsets[row + 1] - values->offsets[row];
}

static double sparse_value(const adl_column *values, int64_t row, int64_t at) {
  for (int32_t i = values->offsets[row]; i < values->offsets[row + 1]; i++)
    if (values->index[i] == at) return ((const float *)values->data)[i];
  return 0;
}

double adl_test_element(const adl_test *test, const char *column, int64_t row, int64_t at) {
  int64_t count = adl_test_count(test, column, row);
  const adl_column *values = column_of_row(test, column, &row);
  if (values->type.shape == ADL_SPARSE) count = values->type.width;
  if (at < 0 || at >= count)
    adl_test_misuse("`%s` has no element %" G_GINT64_FORMAT ", only %" G_GINT64_FORMAT, column, at, count);
  if (values->type.shape == ADL_SPARSE) return sparse_value(values, row, at);
  if (values->type.shape == ADL_BAG || values->type.element >= ADL_STRING)
    adl_test_misuse("the elements of `%s` are not numbers", column);
  return adl_number_at(values, values->type.shape == ADL_SCALAR ? row
                               : values->type.shape == ADL_LIST ? values->offsets[row] + at
                                                                : row * values->type.width + at);
}

double adl_test_weight(const adl_test *test, const char *column, int64_t row, const char *word) {
  const adl_column *values = column_of_row(test, column, &row);
  if (values->type.shape != ADL_BAG) adl_test_misuse("`%s` is no bag", column);
  for (int32_t i = values->offsets[row]; i < values->offsets[row + 1]; i++) {
    adl_text text = adl_text_at(values, i);
    if ((size_t)text.size == strlen(word) && memcmp(text.data, word, (size_t)text.size) == 0) return values->weights[i];
  }
  return NAN;
}

const adl_column *adl_test_column(adl_test *test, const char *column) {
  return adl_stand_column(test->stand, column_number(test, column));
}

/* ---- models ---- */

const adl_tensors *adl_test_model(const adl_test *test, const char *stage) {
  if (test->stand->engine == NULL || adl_graph_find(test->stand->graph, stage) == NULL)
    adl_test_misuse("no stage `%s` has run: %s", stage, adl_test_errors(test));
  return adl_stand_model(test->stand, stage);
}

static const adl_tensors *learned(const adl_test *test, const char *stage) {
  const adl_tensors *model = adl_test_model(test, stage);
  if (model == NULL) adl_test_misuse("the stage `%s` has no model", stage);
  return model;
}

bool adl_test_learned(const adl_test *test, const char *stage) { return adl_test_model(test, stage) != NULL; }

bool adl_test_tensor(const adl_test *test, const char *stage, const char *name, adl_tensor *tensor) {
  return adl_tensors_find(learned(test, stage), name, tensor);
}

double adl_test_tensor_at(const adl_test *test, const char *stage, const char *name, int64_t at) {
  adl_tensor tensor;
  if (!adl_test_tensor(test, stage, name, &tensor)) adl_test_misuse("the model of `%s` has no `%s`", stage, name);
  if (at < 0 || at >= tensor.count)
    adl_test_misuse("`%s` of `%s` has no number %" G_GINT64_FORMAT ", only %" G_GINT64_FORMAT, name, stage, at,
                    tensor.count);
  if (tensor.element == ADL_BOOL || tensor.element == ADL_BYTES) return ((const uint8_t *)tensor.data)[at];
  const adl_column numbers = {.type = {.element = (uint8_t)tensor.element}, .rows = tensor.count, .data = tensor.data};
  return adl_number_at(&numbers, at);
}

static const adl_table *table_of(const adl_test *test, const char *stage, const char *name) {
  const adl_table *table = adl_tensors_find_table(learned(test, stage), name);
  if (table == NULL) adl_test_misuse("the model of `%s` has no table `%s`", stage, name);
  return table;
}

int64_t adl_test_table_count(const adl_test *test, const char *stage, const char *table) {
  return adl_table_count(table_of(test, stage, table));
}

double adl_test_table_at(const adl_test *test, const char *stage, const char *table, const char *key, int64_t at) {
  const adl_table *found = table_of(test, stage, table);
  if (at < 0 || at >= adl_table_width(found))
    adl_test_misuse("a row of `%s` has %" G_GINT64_FORMAT " numbers", table, adl_table_width(found));
  int64_t row = adl_table_find(found, key, (int64_t)strlen(key));
  return row < 0 ? NAN : adl_table_row(found, row)[at];
}

/* ---- reports, refused rows, files ---- */

static const adl_engine *engine_of(const adl_test *test) {
  if (test->stand->engine == NULL) adl_test_misuse("nothing has run: %s", adl_test_errors(test));
  return test->stand->engine;
}

double adl_test_report(const adl_test *test, const char *stage, const char *over, const char *name) {
  return adl_report_find(adl_engine_reports(engine_of(test)), stage, over, name);
}

int64_t adl_test_rejected(const adl_test *test) { return adl_engine_rejected(engine_of(test)); }

static void append_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                          const char *reason) {
  (void)source;
  g_string_append_printf(data, "%s %" G_GINT64_FORMAT " %s %s\n", stage, position, column != NULL ? column : "-",
                         reason);
}

const char *adl_test_rejects(adl_test *test) {
  GString *text = g_string_new(NULL);
  adl_engine_each_reject(engine_of(test), append_reject, text);
  return adl_test_keep(test, g_string_free(text, FALSE));
}

const char *adl_test_read(adl_test *test, const char *name) {
  if (test->stand->run_directory == NULL) return NULL;
  char *path = g_build_filename(test->stand->run_directory, name, NULL), *text = NULL;
  g_file_get_contents(path, &text, NULL, NULL);
  g_free(path);
  return adl_test_keep(test, text);
}

const char *adl_test_digest(adl_test *test) {
  engine_of(test);
  return adl_test_keep(test, adl_stand_digest(test->stand));
}
