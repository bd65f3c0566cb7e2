#include "core/engine/sample.h"

#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 2 * ADL_SAMPLE_ROWS };

struct adl_sample {
  pthread_mutex_t lock;
  uint64_t key;
  int32_t columns;
  _Atomic uint64_t limit; /* rows with a hash from here on are none of the sample */
  int64_t count;
  adl_sample_row rows[ROOM];
};

adl_sample *adl_sample_new(uint64_t key, int32_t columns) {
  adl_sample *sample = g_new0(adl_sample, 1);
  pthread_mutex_init(&sample->lock, NULL);
  sample->key = key;
  sample->columns = columns;
  atomic_init(&sample->limit, UINT64_MAX);
  return sample;
}

static void clear_row(const adl_sample *sample, adl_sample_row *row) {
  for (int32_t c = 0; c < sample->columns; c++) g_free(row->values[c].text);
  g_free(row->values);
}

void adl_sample_free(adl_sample *sample) {
  if (sample == NULL) return;
  for (int64_t i = 0; i < sample->count; i++) clear_row(sample, &sample->rows[i]);
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
      clear_row(sample, &sample->rows[i]);
    else
      sample->rows[kept++] = sample->rows[i];
  }
  sample->count = kept;
  while (sample->count > ADL_SAMPLE_ROWS) clear_row(sample, &sample->rows[--sample->count]);
  if (sample->count == ADL_SAMPLE_ROWS) atomic_store(&sample->limit, sample->rows[ADL_SAMPLE_ROWS - 1].hash);
}

bool adl_sample_is_number(adl_type type) {
  return type.element != ADL_BOOL && type.element != ADL_STRING && type.element != ADL_BYTES;
}

static adl_sample_value value_at(const adl_column *column, int64_t row) {
  adl_sample_value value = {.number = NAN};
  if (adl_is_null(column, row)) return value;
  if (column->type.element == ADL_TIMESTAMP) {
    value.number = (double)((const int64_t *)column->data)[row];
  } else if (adl_sample_is_number(column->type)) {
    value.number = adl_number_at(column, row);
  } else {
    GString *text = g_string_new(NULL);
    adl_array_text(column, row, ADL_SAMPLE_TEXT, text);
    value.text = g_string_free(text, FALSE);
  }
  return value;
}

static void keep(adl_sample *sample, const adl_frame *frame, int64_t row, uint64_t hash, int64_t tag) {
  adl_sample_value *values = g_new0(adl_sample_value, (gsize)sample->columns + 1);
  for (int32_t c = 0; c < sample->columns; c++) {
    const adl_array *column = c < frame->column_count ? frame->columns[c] : NULL;
    values[c].number = NAN;
    if (column != NULL && column->view.type.shape == ADL_SCALAR) values[c] = value_at(&column->view, row);
  }
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
