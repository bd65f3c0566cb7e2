#include "tests/harness/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/reports.h"
#include "core/report/page.h"
#include "core/stand/stand.h"

struct adl_harness {
  adl_stand *stand;
  char *columns, *source, *top;
  GPtrArray *paths;
};

adl_harness *adl_harness_new(const char *csv, const char *columns) {
  adl_harness *harness = g_new0(adl_harness, 1);
  harness->stand = adl_stand_new();
  harness->stand->report = adl_page_write;
  harness->columns = g_strdup(columns);
  harness->source = g_strdup("");
  harness->top = g_strdup("");
  harness->paths = g_ptr_array_new_with_free_func(g_free);
  adl_harness_file(harness, "rows.csv", csv, -1);
  return harness;
}

void adl_harness_free(adl_harness *harness) {
  adl_stand_free(harness->stand);
  g_free(harness->columns);
  g_free(harness->source);
  g_free(harness->top);
  g_ptr_array_free(harness->paths, TRUE);
  g_free(harness);
}

void adl_harness_threads(adl_harness *harness, int threads) { harness->stand->threads = threads; }
void adl_harness_memory(adl_harness *harness, int64_t bytes) { harness->stand->memory = bytes; }
void adl_harness_store(adl_harness *harness, bool use) { harness->stand->store = use; }
void adl_harness_limit(adl_harness *harness, int64_t rows) { harness->stand->limit = rows; }

static void set_text(char **field, const char *text) {
  g_free(*field);
  *field = g_strdup(text);
}

void adl_harness_source(adl_harness *harness, const char *parameters) { set_text(&harness->source, parameters); }
void adl_harness_top(adl_harness *harness, const char *lines) { set_text(&harness->top, lines); }
void adl_harness_models(adl_harness *harness, const char *run) { set_text(&harness->stand->models, run); }

const char *adl_harness_file(adl_harness *harness, const char *name, const char *content, gssize size) {
  char *path = adl_stand_file(harness->stand, name, content, size);
  g_ptr_array_add(harness->paths, path);
  return path;
}

adl_outcome adl_harness_run(adl_harness *harness, const char *stages, const char *tap) {
  char *text =
      g_strdup_printf("adloom: 1\nname: test\n%sstages:\n  rows: {use: read-csv, path: rows.csv, columns: %s%s%s}\n%s",
                      harness->top, harness->columns, harness->source[0] != '\0' ? ", " : "", harness->source, stages);
  adl_outcome outcome = adl_stand_run(harness->stand, text, tap);
  g_free(text);
  return outcome;
}

/* ---- afterwards ---- */

bool adl_harness_ok(const adl_harness *harness) { return adl_stand_ok(harness->stand); }
const char *adl_harness_errors(const adl_harness *harness) { return harness->stand->errors->str; }
const char *adl_harness_directory(const adl_harness *harness) { return harness->stand->directory; }
const char *adl_harness_run_directory(const adl_harness *harness) { return harness->stand->run_directory; }

char *adl_harness_read(const adl_harness *harness, const char *name) {
  char *path = g_build_filename(harness->stand->run_directory, name, NULL), *text = NULL;
  g_file_get_contents(path, &text, NULL, NULL);
  g_free(path);
  return text;
}

int64_t adl_harness_rows(const adl_harness *harness) { return adl_stand_rows_out(harness->stand); }

static int32_t column_number(const adl_harness *harness, const char *column) {
  int32_t number = adl_stand_find(harness->stand, column);
  if (number < 0) g_error("no column `%s` leaves `%s`", column, harness->stand->tapped->name);
  return number;
}

static const adl_frame *frame_of_row(const adl_harness *harness, int64_t *row) {
  const GPtrArray *all = adl_stand_frames(harness->stand);
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
  return harness->stand->tapped->schema.columns[column_number(harness, column)].field->type;
}

const adl_column *adl_harness_column(adl_harness *harness, const char *column) {
  return adl_stand_column(harness->stand, column_number(harness, column));
}

const adl_tensors *adl_harness_model(const adl_harness *harness, const char *stage) {
  return adl_stand_model(harness->stand, stage);
}

double adl_harness_report(const adl_harness *harness, const char *stage, const char *over, const char *name) {
  return adl_report_find(adl_engine_reports(harness->stand->engine), stage, over, name);
}

int64_t adl_harness_rejected(const adl_harness *harness) { return adl_engine_rejected(harness->stand->engine); }

static void append_reject(void *data, const char *stage, const char *source, int64_t position, const char *column,
                          const char *reason) {
  (void)source;
  g_string_append_printf(data, "%s %" G_GINT64_FORMAT " %s %s\n", stage, position, column != NULL ? column : "-",
                         reason);
}

char *adl_harness_rejects(const adl_harness *harness) {
  GString *text = g_string_new(NULL);
  adl_engine_each_reject(harness->stand->engine, append_reject, text);
  return g_string_free(text, FALSE);
}

char *adl_harness_digest(const adl_harness *harness) { return adl_stand_digest(harness->stand); }
