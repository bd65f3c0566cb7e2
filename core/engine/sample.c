#include "core/engine/sample.h"

#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 2 * ADL_SAMPLE_ROWS };
#define NONE G_MAXSIZE

struct adl_sample {
  pthread_mutex_t lock;
  uint64_t key;
  int32_t columns;
  _Atomic uint64_t limit; /* rows with a hash from here on are none of the sample */
  int64_t count;
  GString *texts; /* of the row in hand, each with its NUL */
  gsize *begins;  /* where they begin, by column; NONE: there is none */
  adl_sample_row rows[ROOM];
};

adl_sample *adl_sample_new(uint64_t key, int32_t columns) {
  adl_sample *sample = g_new0(adl_sample, 1);
  pthread_mutex_init(&sample->lock, NULL);
  sample->key = key;
  sample->columns = columns;
  sample->texts = g_string_new(NULL);
  sample->begins = g_new(gsize, (gsize)columns + 1);
  atomic_init(&sample->limit, UINT64_MAX);
  return sample;
}

void adl_sample_free(adl_sample *sample) {
  if (sample == NULL) return;
  for (int64_t i = 0; i < sample->count; i++) g_free(sample->rows[i].values);
  g_string_free(sample->texts, TRUE);
  g_free(sample->begins);
  pthread_mutex_destroy(&sample->lock);
  g_free(sample);
}

static int by_hash(const void *a, const void *b) {
  const adl_sample_row *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  return (x->tag > y->tag) - (x->tag < y->tag);
}

/* Keeps the rows of the sample alone, in order. */
static void cut(adl_sample *sample) {
  qsort(sample->rows, (size_t)sample->count, sizeof *sample->rows, by_hash);
  int64_t kept = 0; /* a source that is read twice gives its rows twice */
  for (int64_t i = 0; i < sample->count; i++) {
    if (kept > 0 && sample->rows[kept - 1].tag == sample->rows[i].tag)
      g_free(sample->rows[i].values);
    else
      sample->rows[kept++] = sample->rows[i];
  }
  sample->count = kept;
  while (sample->count > ADL_SAMPLE_ROWS) g_free(sample->rows[--sample->count].values);
  if (sample->count == ADL_SAMPLE_ROWS) atomic_store(&sample->limit, sample->rows[ADL_SAMPLE_ROWS - 1].hash);
}

bool adl_sample_is_number(adl_type type) {
  return type.element != ADL_BOOL && type.element != ADL_STRING && type.element != ADL_BYTES;
}

static const adl_column *plain_column(const adl_frame *frame, int32_t c) {
  const adl_array *array = c < frame->column_count ? frame->columns[c] : NULL;
  return array != NULL && array->view.type.shape == ADL_SCALAR ? &array->view : NULL;
}

static double number_at(const adl_column *column, int64_t row) {
  if (column == NULL || !adl_sample_is_number(column->type) || adl_is_null(column, row)) return NAN;
  return column->type.element == ADL_TIMESTAMP ? (double)((const int64_t *)column->data)[row]
                                               : adl_number_at(column, row);
}

/* Renders a value that is a text; where it begins. */
static gsize take_text(const adl_column *column, int64_t row, GString *texts) {
  gsize begin = texts->len;
  if (column == NULL || adl_sample_is_number(column->type) || adl_is_null(column, row)) return NONE;
  adl_array_text(column, row, ADL_SAMPLE_TEXT, texts);
  g_string_append_c(texts, '\0');
  return begin;
}

/* The values of a row, in one piece with their texts: most rows are dropped again. */
static adl_sample_value *values_at(adl_sample *sample, const adl_frame *frame, int64_t row) {
  gsize size = ((gsize)sample->columns + 1) * sizeof(adl_sample_value);
  g_string_truncate(sample->texts, 0);
  for (int32_t c = 0; c < sample->columns; c++)
    sample->begins[c] = take_text(plain_column(frame, c), row, sample->texts);
  adl_sample_value *values = g_malloc(size + sample->texts->len);
  char *texts = (char *)values + size;
  memcpy(texts, sample->texts->str, sample->texts->len);
  for (int32_t c = 0; c < sample->columns; c++) {
    values[c].number = number_at(plain_column(frame, c), row);
    values[c].text = sample->begins[c] != NONE ? texts + sample->begins[c] : NULL;
  }
  return values;
}

static void keep(adl_sample *sample, const adl_frame *frame, int64_t row, uint64_t hash, int64_t tag) {
  adl_sample_value *values = values_at(sample, frame, row);
  if (sample->count == ROOM) cut(sample);
  sample->rows[sample->count++] = (adl_sample_row){hash, tag, values};
}

void adl_sample_add(adl_sample *sample, const adl_frame *frame) {
  const int64_t *tags = adl_frame_tags(frame);
  bool locked = false;
  for (int64_t row = 0; row < frame->rows; row++) {
    int64_t tag = tags[row] & ((INT64_C(1) << ADL_TAG_SPLIT_SHIFT) - 1);
    uint64_t hash = adl_random(sample->key, (uint64_t)tag);
    if (hash > atomic_load_explicit(&sample->limit, memory_order_relaxed)) continue;
    if (!locked) pthread_mutex_lock(&sample->lock);
    locked = true;
    keep(sample, frame, row, hash, tag);
  }
  if (locked) pthread_mutex_unlock(&sample->lock);
}

const adl_sample_row *adl_sample_rows(adl_sample *sample, int64_t *count) {
  pthread_mutex_lock(&sample->lock);
  cut(sample);
  *count = sample->count;
  pthread_mutex_unlock(&sample->lock);
  return sample->rows;
}
