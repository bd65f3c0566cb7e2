#include "core/engine/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/spill.h"
#include "core/data/packed.h"

/* A column in memory: one of them, or none, where it is not there. */
typedef struct kept {
  adl_array *array;
  adl_packed *packed;
} kept;

typedef struct entry {
  kept *columns; /* the tags, then those of the frame. NULL: in the spool, or taken */
  bool taken;
  int64_t offset;
  int64_t bytes; /* counted in the budget */
  int64_t rows, first, first_training;
} entry;

struct adl_store {
  adl_budget *budget;
  int32_t column_count;
  GArray *entries; /* of entry */
  bool packs;
  GPtrArray *small; /* of adl_frame *: waiting to be put together */
  int64_t small_rows;
  int64_t rows, training_rows;
  int spool; /* -1: none yet */
  int64_t spool_size;
  void (*told)(void *data, adl_frame *frame); /* NULL: nobody */
  void *told_data;
};

adl_store *adl_store_new(adl_budget *budget, int32_t column_count) {
  adl_store *store = g_new0(adl_store, 1);
  store->budget = budget;
  store->column_count = column_count;
  store->entries = g_array_new(FALSE, FALSE, sizeof(entry));
  store->small = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  store->spool = -1;
  return store;
}

void adl_store_pack(adl_store *store) { store->packs = true; }

void adl_store_tell(adl_store *store, void (*tell)(void *data, adl_frame *frame), void *data) {
  store->told = tell;
  store->told_data = data;
}

/* ---- columns in memory ---- */

static kept keep_column(const adl_store *store, adl_array *array) {
  adl_packed *packed = store->packs ? adl_array_packed(array) : NULL;
  return (kept){packed == NULL ? adl_array_ref(array) : NULL, packed};
}

static adl_array *open_column(const kept *column) {
  return column->packed != NULL ? adl_packed_open(column->packed) : adl_array_ref(column->array);
}

static bool is_there(const kept *column) { return column->packed != NULL || column->array != NULL; }

static int64_t column_bytes(const kept *column) {
  if (column->packed != NULL) return adl_packed_bytes(column->packed);
  return column->array != NULL ? column->array->bytes : 0;
}

static void free_columns(const adl_store *store, kept *columns) {
  for (int32_t c = 0; columns != NULL && c <= store->column_count; c++) {
    adl_packed_unref(columns[c].packed);
    adl_array_unref(columns[c].array);
  }
  g_free(columns);
}

/* Small frames wait until they are put together. */
void adl_store_prepare(const adl_store *store, adl_frame *frame) {
  if (!store->packs || frame->rows < ADL_BATCH_ROWS / 2) return;
  adl_array_pack(frame->tags);
  for (int32_t c = 0; c < frame->column_count; c++)
    if (frame->columns[c] != NULL) adl_array_pack(frame->columns[c]);
}

static kept *keep_columns(const adl_store *store, const adl_frame *frame, int64_t *bytes) {
  kept *columns = g_new0(kept, (gsize)store->column_count + 1);
  columns[0] = keep_column(store, frame->tags);
  for (int32_t c = 0; c < frame->column_count; c++)
    if (frame->columns[c] != NULL) columns[c + 1] = keep_column(store, frame->columns[c]);
  *bytes = (store->column_count + 1) * (int64_t)sizeof *columns;
  for (int32_t c = 0; c <= store->column_count; c++) *bytes += column_bytes(&columns[c]);
  return columns;
}

static adl_frame *open_columns(const adl_store *store, const kept *columns, int64_t rows, const bool *wanted) {
  adl_frame *frame = adl_frame_new(rows, store->column_count, open_column(&columns[0]));
  for (int32_t c = 0; c < store->column_count; c++)
    if (is_there(&columns[c + 1]) && (wanted == NULL || wanted[c])) frame->columns[c] = open_column(&columns[c + 1]);
  return frame;
}

void adl_store_free(adl_store *store) {
  if (store == NULL) return;
  for (guint i = 0; i < store->entries->len; i++) {
    entry *at = &g_array_index(store->entries, entry, i);
    if (at->taken) continue;
    atomic_fetch_sub(&store->budget->used, at->bytes);
    free_columns(store, at->columns);
  }
  g_array_free(store->entries, TRUE);
  g_ptr_array_free(store->small, TRUE);
  if (store->spool >= 0) close(store->spool);
  g_free(store);
}

int64_t adl_store_bytes(const adl_store *store) {
  int64_t bytes = store->spool_size;
  for (guint i = 0; i < store->entries->len; i++) bytes += g_array_index(store->entries, entry, i).bytes;
  return bytes;
}

static bool open_spool(adl_store *store, char **why) {
  store->spool = open(store->budget->spool_directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (store->spool < 0) {
    char *name = g_build_filename(store->budget->spool_directory, ".spool-XXXXXX", NULL);
    store->spool = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0600);
    if (store->spool >= 0) unlink(name);
    g_free(name);
  }
  if (store->spool >= 0) return true;
  *why = g_strdup_printf("cannot open a spool file in %s: %s", store->budget->spool_directory, g_strerror(errno));
  return false;
}

/* In the spool a frame is its tags, then for each column one byte of presence (as an int64, for alignment of nothing but
 * simplicity: a bitmap of columns) and the arrays. */
static bool spool_frame(adl_store *store, const adl_frame *frame, entry *at, char **why) {
  if (store->spool < 0 && !open_spool(store, why)) return false;
  at->offset = store->spool_size;
  int64_t offset = store->spool_size;
  int64_t present_size = (frame->column_count + 7) / 8;
  uint8_t *present = g_malloc0((gsize)present_size + 1);
  for (int32_t i = 0; i < frame->column_count; i++) adl_bit_set(present, i, frame->columns[i] != NULL);
  errno = ENOSPC; /* a short write does not say why */
  bool ok = pwrite(store->spool, present, (size_t)present_size, offset) == present_size;
  offset += present_size;
  g_free(present);
  ok = ok && adl_array_write(frame->tags, store->spool, &offset);
  for (int32_t i = 0; ok && i < frame->column_count; i++)
    if (frame->columns[i] != NULL) ok = adl_array_write(frame->columns[i], store->spool, &offset);
  if (!ok) {
    *why =
        g_strdup_printf("cannot write to the spool file in %s: %s", store->budget->spool_directory, g_strerror(errno));
    return false;
  }
  store->spool_size = offset;
  return true;
}

static adl_frame *unspool_frame(const adl_store *store, const entry *at, char **why) {
  int64_t offset = at->offset;
  int64_t present_size = (store->column_count + 7) / 8;
  uint8_t *present = g_malloc0((gsize)present_size + 1);
  adl_frame *frame = NULL;
  if (pread(store->spool, present, (size_t)present_size, offset) != present_size) goto failed;
  offset += present_size;
  adl_array *tags = adl_array_read(store->spool, &offset);
  if (tags == NULL) goto failed;
  frame = adl_frame_new(at->rows, store->column_count, tags);
  for (int32_t i = 0; i < store->column_count; i++) {
    if (!adl_bit(present, i)) continue;
    frame->columns[i] = adl_array_read(store->spool, &offset);
    if (frame->columns[i] == NULL) goto failed;
  }
  g_free(present);
  return frame;
failed:
  *why = g_strdup_printf("cannot read the spool file in %s: %s", store->budget->spool_directory, g_strerror(errno));
  adl_frame_unref(frame);
  g_free(present);
  return NULL;
}

static int64_t training_rows(const adl_frame *frame) {
  const int64_t *tags = adl_frame_tags(frame);
  int64_t count = 0;
  for (int64_t i = 0; i < frame->rows; i++) count += adl_tag_split(tags[i]) == ADL_TRAIN;
  return count;
}

static bool keep(adl_store *store, adl_frame *frame, char **why) {
  entry at = {.rows = frame->rows, .first = store->rows, .first_training = store->training_rows};
  int64_t bytes;
  adl_store_prepare(store, frame);
  kept *columns = keep_columns(store, frame, &bytes);
  if (atomic_fetch_add(&store->budget->used, bytes) + bytes + adl_spill_held() <= store->budget->limit) {
    at.columns = columns;
    at.bytes = bytes;
  } else {
    atomic_fetch_sub(&store->budget->used, bytes);
    free_columns(store, columns);
    if (!spool_frame(store, frame, &at, why)) return false;
  }
  store->rows += frame->rows;
  store->training_rows += training_rows(frame);
  g_array_append_val(store->entries, at);
  if (store->told != NULL) store->told(store->told_data, frame);
  return true;
}

adl_frame *adl_frames_concat(adl_frame *const *frames, int64_t count) {
  int64_t rows = 0;
  for (int64_t i = 0; i < count; i++) rows += frames[i]->rows;
  adl_array **parts = g_new(adl_array *, (gsize)count);
  const char *why = NULL;
  for (int64_t i = 0; i < count; i++) parts[i] = frames[i]->tags;
  adl_frame *result = adl_frame_new(rows, frames[0]->column_count, adl_array_concat(parts, count, &why));
  bool ok = true;
  for (int32_t c = 0; ok && c < result->column_count; c++) {
    if (frames[0]->columns[c] == NULL) continue;
    for (int64_t i = 0; i < count; i++) parts[i] = frames[i]->columns[c];
    result->columns[c] = adl_array_concat(parts, count, &why);
    ok = result->columns[c] != NULL;
  }
  g_free(parts);
  if (ok) return result;
  adl_frame_unref(result);
  return NULL;
}

static bool flush_small(adl_store *store, char **why) {
  if (store->small->len == 0) return true;
  adl_frame *const *frames = (adl_frame *const *)store->small->pdata;
  bool ok = true;
  adl_frame *whole = store->small->len > 1 ? adl_frames_concat(frames, store->small->len) : NULL;
  if (whole != NULL) {
    ok = keep(store, whole, why);
    adl_frame_unref(whole);
  } else {
    for (guint i = 0; ok && i < store->small->len; i++) ok = keep(store, frames[i], why);
  }
  g_ptr_array_set_size(store->small, 0);
  store->small_rows = 0;
  return ok;
}

bool adl_store_append(adl_store *store, adl_frame *frame, char **why) {
  if (frame->rows == 0) return true;
  bool large = frame->rows >= ADL_BATCH_ROWS / 2; /* stays as it is, behind the small ones that came before it */
  if ((large || store->small_rows + frame->rows > ADL_BATCH_ROWS) && !flush_small(store, why)) return false;
  if (large) return keep(store, frame, why);
  g_ptr_array_add(store->small, adl_frame_ref(frame));
  store->small_rows += frame->rows;
  return true;
}

bool adl_store_close(adl_store *store, char **why) { return flush_small(store, why); }

int64_t adl_store_frames(const adl_store *store) { return store->entries->len; }

int64_t adl_store_rows(const adl_store *store, bool training_only) {
  return training_only ? store->training_rows : store->rows;
}

int64_t adl_store_first(const adl_store *store, int64_t frame, bool training_only) {
  const entry *at = &g_array_index(store->entries, entry, frame);
  return training_only ? at->first_training : at->first;
}

adl_frame *adl_store_get(const adl_store *store, int64_t frame, const bool *wanted, char **why) {
  const entry *at = &g_array_index(store->entries, entry, frame);
  if (at->columns == NULL) return unspool_frame(store, at, why);
  return open_columns(store, at->columns, at->rows, wanted);
}

adl_frame *adl_store_take(adl_store *store, int64_t frame, char **why) {
  entry *at = &g_array_index(store->entries, entry, frame);
  adl_frame *taken = adl_store_get(store, frame, NULL, why);
  if (at->columns == NULL) return taken;
  atomic_fetch_sub(&store->budget->used, at->bytes);
  free_columns(store, at->columns);
  at->columns = NULL;
  at->taken = true;
  return taken;
}

/* ---- rows by number ---- */

/* Halving without branches: what rows are asked for cannot be foretold. */
static int64_t frame_of(const adl_store *store, int64_t row) {
  const entry *entries = (const entry *)(const void *)store->entries->data;
  int64_t low = 0;
  for (int64_t left = store->entries->len, half; left > 1; left -= half) {
    half = left / 2;
    low += entries[low + half].first <= row ? half : 0;
  }
  return low;
}

/* NULL, *why: some column would be too large. */
static adl_frame *gather_from_one(adl_frame *from, const int32_t *columns, int32_t column_count, const int64_t *rows,
                                  int64_t count, char **why) {
  adl_array *tags = adl_array_gather(from->tags, rows, count);
  adl_frame *result = tags != NULL ? adl_frame_new(count, column_count, tags) : NULL;
  for (int32_t c = 0; result != NULL && c < column_count; c++) {
    result->columns[c] = adl_array_gather(from->columns[columns[c]], rows, count);
    if (result->columns[c] == NULL) g_clear_pointer(&result, adl_frame_unref);
  }
  if (result == NULL)
    *why = g_strdup_printf("%" G_GINT64_FORMAT " rows cannot be looked up at once: %s", count,
                           errno == EOVERFLOW ? "they hold more than 2 GiB of text" : g_strerror(errno));
  return result;
}

/* The places of `rows` (-1: none) by the frame in which they lie, those of one frame in their order: counted, then dealt out.
 * Afterwards ends[n] is where the places of frame n end. Returns how many there are. */
static int64_t places_by_frame(const adl_store *store, const int64_t *rows, int64_t count, int64_t *places,
                               int64_t *ends) {
  int64_t *frames = g_new(int64_t, (gsize)count), known = 0;
  for (int64_t i = 0; i < count; i++) {
    if (rows[i] < 0) continue;
    frames[i] = frame_of(store, rows[i]);
    ends[frames[i]]++;
  }
  for (guint n = 0; n < store->entries->len; n++) {
    int64_t own = ends[n];
    ends[n] = known;
    known += own;
  }
  for (int64_t i = 0; i < count; i++)
    if (rows[i] >= 0) places[ends[frames[i]]++] = i;
  g_free(frames);
  return known;
}

/* All parts together, in the order asked for. */
static adl_frame *put_parts_together(GPtrArray *parts, int32_t column_count, const int64_t *restore, int64_t count,
                                     char **why) {
  adl_frame *whole = adl_frames_concat((adl_frame *const *)parts->pdata, parts->len), *result = NULL;
  if (whole != NULL) {
    int32_t *all = g_new(int32_t, (gsize)column_count + 1);
    for (int32_t c = 0; c < column_count; c++) all[c] = c;
    result = gather_from_one(whole, all, column_count, restore, count, why);
    g_free(all);
    adl_frame_unref(whole);
  } else {
    *why = g_strdup("the rows looked up at once hold more than 2 GiB of text");
  }
  return result;
}

/* Gathers frame by frame, puts the parts together, and restores the order asked for. */
static adl_frame *gather_from_many(const adl_store *store, const int32_t *columns, int32_t column_count,
                                   const int64_t *rows, int64_t count, char **why) {
  int64_t *places = g_new(int64_t, (gsize)count), *restore = g_new(int64_t, (gsize)count),
          *local = g_new(int64_t, (gsize)count), *ends = g_new0(int64_t, (gsize)store->entries->len + 1);
  int64_t known = places_by_frame(store, rows, count, places, ends), at = 0;
  for (int64_t i = 0; i < count; i++) restore[i] = -1;
  for (int64_t i = 0; i < known; i++) restore[places[i]] = i;
  GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify)adl_frame_unref);
  bool ok = true;
  for (int64_t number = 0; ok && at < known; number++) {
    int64_t first = g_array_index(store->entries, entry, number).first, n = 0;
    for (; at < ends[number]; at++) local[n++] = rows[places[at]] - first;
    if (n == 0) continue;
    adl_frame *frame = adl_store_get(store, number, NULL, why);
    adl_frame *part = frame != NULL ? gather_from_one(frame, columns, column_count, local, n, why) : NULL;
    ok = part != NULL;
    if (ok) g_ptr_array_add(parts, part);
    adl_frame_unref(frame);
  }
  adl_frame *result = ok && parts->len > 0 ? put_parts_together(parts, column_count, restore, count, why) : NULL;
  g_ptr_array_free(parts, TRUE);
  g_free(places);
  g_free(restore);
  g_free(local);
  g_free(ends);
  return result;
}

adl_frame *adl_store_gather(const adl_store *store, const int32_t *columns, int32_t column_count, const int64_t *rows,
                            int64_t count, char **why) {
  if (store->entries->len == 1) {
    adl_frame *only = adl_store_get(store, 0, NULL, why);
    if (only == NULL) return NULL;
    adl_frame *result = gather_from_one(only, columns, column_count, rows, count, why);
    adl_frame_unref(only);
    return result;
  }
  return gather_from_many(store, columns, column_count, rows, count, why);
}
