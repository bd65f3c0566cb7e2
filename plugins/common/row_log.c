/* Rows in parts, see row_log.h. All sizes in the log are multiples of 8. */
#include "common/row_log.h"

#include <string.h>

enum { CHUNK = 64 * 1024 };

/* At the begin of the tensor; 0: no chunk. */
typedef struct log_head {
  int64_t used;  /* bytes of the tensor */
  int64_t bytes; /* of pieces */
  struct {
    int64_t first, last;
  } parts[ADL_LOG_PARTS];
} log_head;

typedef struct chunk_head {
  int64_t next;
  int64_t used, capacity; /* bytes behind the head */
} chunk_head;

typedef struct piece_head {
  int64_t bytes, rows;
} piece_head;

typedef struct column_head {
  adl_type type;
  int64_t null_count;
} column_head;

int32_t adl_row_log_part(const void *key, int64_t size) {
  uint64_t hash = (uint64_t)size, word;
  for (int64_t at = 0; at < size; at += 8) {
    word = 0;
    memcpy(&word, (const char *)key + at, size - at < 8 ? (size_t)(size - at) : 8);
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
  }
  return (int32_t)((hash * UINT64_C(0x94d049bb133111eb)) >> 59);
}

/* ---- the tensor ---- */

bool adl_row_log_there(const adl_call *call, const adl_tensors *tensors) {
  adl_tensor tensor;
  return call->host->find_tensor(call, tensors, "rows", &tensor);
}

/* The log with at least that many bytes. */
static char *log_of(const adl_call *call, adl_tensors *tensors, int64_t bytes) {
  adl_tensor tensor;
  int64_t size = sizeof(log_head);
  bool there = call->host->find_tensor(call, tensors, "rows", &tensor);
  if (there) size = tensor.size[0];
  if (size < bytes) size = bytes > size + size / 2 ? bytes : size + size / 2;
  if (there && size == tensor.size[0]) return tensor.data;
  char *log = call->host->tensor(call, tensors, "rows", ADL_BYTES, 1, &size);
  if (!there) ((log_head *)(void *)log)->used = sizeof(log_head);
  return log;
}

int64_t adl_row_log_bytes(const adl_call *call, adl_tensors *tensors) {
  return ((const log_head *)(const void *)log_of(call, tensors, 0))->bytes;
}

void adl_row_log_empty(const adl_call *call, adl_tensors *tensors) {
  log_head *head = (log_head *)(void *)log_of(call, tensors, 0);
  *head = (log_head){.used = sizeof *head};
}

static chunk_head *chunk_at(const char *log, int64_t at) { return (chunk_head *)(void *)(uintptr_t)(log + at); }

/* Puts a piece behind the others of its part. The log has room for it, and for a chunk. */
static void put_piece(char *log, int32_t part, const char *piece, int64_t size) {
  log_head *head = (log_head *)(void *)log;
  int64_t last = head->parts[part].last;
  chunk_head *chunk = last > 0 ? chunk_at(log, last) : NULL;
  if (chunk == NULL || chunk->capacity - chunk->used < size) {
    int64_t made = head->used;
    if (chunk != NULL) chunk->next = made;
    if (chunk == NULL) head->parts[part].first = made;
    head->parts[part].last = made;
    chunk = chunk_at(log, made);
    *chunk = (chunk_head){.capacity = size > CHUNK ? size : CHUNK};
    head->used += (int64_t)sizeof *chunk + chunk->capacity;
  }
  memcpy((char *)(chunk + 1) + chunk->used, piece, (size_t)size);
  chunk->used += size;
  head->bytes += size;
}

/* ---- writing a piece ---- */

typedef struct writer {
  const adl_call *call;
  char *data;
  int64_t size, capacity;
} writer;

/* Room behind what is there, to a multiple of 8 bytes, whose last eight are zero. */
static void *room(writer *w, int64_t bytes) {
  int64_t rounded = (bytes + 7) & ~(int64_t)7;
  if (w->size + rounded > w->capacity) {
    int64_t capacity = 2 * (w->size + rounded);
    char *bigger = w->call->host->alloc(w->call, (size_t)capacity);
    if (w->size > 0) memcpy(bigger, w->data, (size_t)w->size);
    w->data = bigger;
    w->capacity = capacity;
  }
  char *at = w->data + w->size;
  if (rounded > 0) memset(at + rounded - 8, 0, 8);
  w->size += rounded;
  return at;
}

/* Some rows of a batch. */
typedef struct picked {
  const int32_t *rows;
  int64_t count;
} picked;

static void put_bits(writer *w, const uint8_t *bits, const picked *of) {
  uint8_t *to = room(w, (of->count + 7) / 8);
  memset(to, 0, (size_t)(of->count + 7) / 8);
  for (int64_t i = 0; i < of->count; i++)
    if (adl_bit(bits, of->rows[i])) adl_bit_set(to, i, true);
}

/* Items of a row of a column that has items: *first to *end - 1. */
static void items_of(const adl_column *column, int64_t row, int64_t *first, int64_t *end) {
  bool vector = column->type.shape == ADL_VECTOR;
  int64_t width = vector ? column->type.width : 1;
  *first = column->offsets != NULL ? column->offsets[row] : row * width;
  *end = column->offsets != NULL ? column->offsets[row + 1] : (row + 1) * width;
}

static int64_t count_items(const adl_column *column, const picked *of) {
  int64_t items = 0, first, end;
  for (int64_t i = 0; i < of->count; i++) {
    items_of(column, of->rows[i], &first, &end);
    items += end - first;
  }
  return items;
}

static int64_t element_size(adl_element element) {
  switch (element) {
    case ADL_INT32:
    case ADL_UINT32:
    case ADL_FLOAT32: return 4;
    default: return 8;
  }
}

#define PUT_PLAIN(type)                                                                                                \
  do {                                                                                                                 \
    const type *from = column->data;                                                                                   \
    type *to = room(w, items * (int64_t)sizeof *to);                                                                   \
    for (int64_t i = 0; i < of->count; i++) to[i] = from[of->rows[i]];                                                 \
  } while (0)

/* Items of a fixed size, of the rows one after the other. */
static void put_items(writer *w, const adl_column *column, const void *data, int64_t size, const picked *of,
                      int64_t items) {
  int64_t first, end;
  char *to = room(w, items * size);
  for (int64_t i = 0; i < of->count; i++) {
    items_of(column, of->rows[i], &first, &end);
    if (end > first) memcpy(to, (const char *)data + first * size, (size_t)((end - first) * size));
    to += (end - first) * size;
  }
}

static void put_texts(writer *w, const adl_column *column, const picked *of, int64_t items) {
  int64_t first, end, at = 0;
  int32_t *ends = room(w, (items + 1) * (int64_t)sizeof *ends), bytes = 0;
  ends[at++] = 0;
  for (int64_t i = 0; i < of->count; i++) {
    items_of(column, of->rows[i], &first, &end);
    for (int64_t item = first; item < end; item++) ends[at++] = bytes += adl_text_at(column, item).size;
  }
  char *to = room(w, bytes);
  for (int64_t i = 0; i < of->count; i++) {
    items_of(column, of->rows[i], &first, &end);
    int64_t begin = column->string_offsets[first], size = column->string_offsets[end] - begin;
    if (size > 0) memcpy(to, (const char *)column->data + begin, (size_t)size);
    to += size;
  }
}

static void put_offsets(writer *w, const adl_column *column, const picked *of) {
  int64_t first, end;
  int32_t *to = room(w, (of->count + 1) * (int64_t)sizeof *to);
  to[0] = 0;
  for (int64_t i = 0; i < of->count; i++) {
    items_of(column, of->rows[i], &first, &end);
    to[i + 1] = to[i] + (int32_t)(end - first);
  }
}

static bool has_texts(const adl_type *type) { return type->element == ADL_STRING || type->element == ADL_BYTES; }

/* Of a sparse column, which is at most counted, only where it is null. */
static void put_column(writer *w, const adl_column *column, const picked *of) {
  column_head *head = room(w, sizeof *head);
  *head = (column_head){column->type, column->validity != NULL ? column->null_count : 0};
  if (head->null_count != 0) put_bits(w, column->validity, of);
  if (column->type.shape == ADL_SPARSE) return;
  int64_t items = column->type.shape == ADL_SCALAR ? of->count : count_items(column, of);
  if (column->offsets != NULL) put_offsets(w, column, of);
  if (column->weights != NULL) put_items(w, column, column->weights, sizeof *column->weights, of, items);
  if (has_texts(&column->type))
    put_texts(w, column, of, items);
  else if (column->type.element == ADL_BOOL)
    put_bits(w, column->data, of);
  else if (column->type.shape != ADL_SCALAR)
    put_items(w, column, column->data, element_size((adl_element)column->type.element), of, items);
  else if (element_size((adl_element)column->type.element) == 4)
    PUT_PLAIN(uint32_t);
  else
    PUT_PLAIN(uint64_t);
}

static void put_keys(writer *w, const adl_keys *keys, const picked *of) {
  int32_t *ends = room(w, of->count * (int64_t)sizeof *ends), bytes = 0;
  for (int64_t i = 0; i < of->count; i++)
    ends[i] = bytes += (int32_t)(keys->offsets[of->rows[i] + 1] - keys->offsets[of->rows[i]]);
  char *to = room(w, bytes);
  for (int64_t i = 0; i < of->count; i++) {
    int64_t begin = keys->offsets[of->rows[i]], size = keys->offsets[of->rows[i] + 1] - begin;
    if (size > 0) memcpy(to, keys->key.data + begin, (size_t)size);
    to += size;
  }
}

static void put_rows(writer *w, const adl_row_log_columns *columns, const adl_batch *batch, const adl_keys *keys,
                     const picked *of) {
  int64_t begin = w->size;
  room(w, sizeof(piece_head));
  int64_t *ordinals = room(w, of->count * (int64_t)sizeof *ordinals);
  for (int64_t i = 0; i < of->count; i++) ordinals[i] = batch->ordinal + of->rows[i];
  put_keys(w, keys, of);
  for (int64_t i = 0; i < columns->count; i++) put_column(w, batch->slots[columns->slots[i]], of);
  *(piece_head *)(void *)(w->data + begin) = (piece_head){w->size - begin, of->count};
}

/* Rows of a batch by part, in their order; those of part p are first[p] to first[p + 1] - 1. */
static int32_t *deal(const adl_call *call, const adl_keys *keys, int32_t first[ADL_LOG_PARTS + 1]) {
  int32_t *rows = call->host->alloc(call, ((size_t)keys->count + 1) * sizeof *rows), at[ADL_LOG_PARTS];
  uint8_t *part = call->host->alloc(call, (size_t)keys->count + 1);
  memset(first, 0, (ADL_LOG_PARTS + 1) * sizeof *first);
  for (int64_t i = 0; i < keys->count; i++) {
    part[i] = (uint8_t)adl_row_log_part(keys->key.data + keys->offsets[i], keys->offsets[i + 1] - keys->offsets[i]);
    first[part[i] + 1]++;
  }
  for (int32_t p = 0; p < ADL_LOG_PARTS; p++) {
    at[p] = first[p];
    first[p + 1] += first[p];
  }
  for (int64_t i = 0; i < keys->count; i++) rows[at[part[i]]++] = (int32_t)i;
  return rows;
}

void adl_row_log_add(const adl_call *call, adl_tensors *tensors, const adl_row_log_columns *columns,
                     const adl_batch *batch, const adl_keys *keys) {
  int32_t first[ADL_LOG_PARTS + 1];
  const int32_t *rows = deal(call, keys, first);
  int64_t starts[ADL_LOG_PARTS + 1];
  writer w = {.call = call};
  for (int32_t part = 0; part < ADL_LOG_PARTS; part++) {
    picked of = {rows + first[part], first[part + 1] - first[part]};
    starts[part] = w.size;
    if (of.count > 0) put_rows(&w, columns, batch, keys, &of);
  }
  starts[ADL_LOG_PARTS] = w.size;
  const log_head *head = (const log_head *)(const void *)log_of(call, tensors, 0);
  int64_t most = w.size + ADL_LOG_PARTS * ((int64_t)sizeof(chunk_head) + CHUNK);
  char *log = log_of(call, tensors, head->used + most);
  for (int32_t part = 0; part < ADL_LOG_PARTS; part++)
    if (starts[part + 1] > starts[part]) put_piece(log, part, w.data + starts[part], starts[part + 1] - starts[part]);
}

/* ---- reading ---- */

void adl_row_log_open(adl_row_log_reader *reader, const adl_call *call, adl_tensors *tensors,
                      const adl_row_log_columns *columns) {
  const adl_host *host = call->host;
  *reader = (adl_row_log_reader){.columns = columns, .log = log_of(call, tensors, 0)};
  reader->column = host->alloc(call, ((size_t)columns->count + 1) * sizeof *reader->column);
  reader->slots = host->alloc(call, ((size_t)columns->slot_count + 1) * sizeof *reader->slots);
  for (int32_t slot = 0; slot < columns->slot_count; slot++) reader->slots[slot] = NULL;
  for (int64_t i = 0; i < columns->count; i++) reader->slots[columns->slots[i]] = &reader->column[i];
  reader->batch = (adl_batch){
      .struct_size = sizeof reader->batch, .slot_count = (uint32_t)columns->slot_count, .slots = reader->slots};
}

void adl_row_log_begin(adl_row_log_reader *reader, int32_t part) {
  reader->chunk = ((const log_head *)(const void *)reader->log)->parts[part].first;
  reader->at = 0;
}

static const void *take(const char **at, int64_t bytes) {
  const void *from = *at;
  *at += (bytes + 7) & ~(int64_t)7;
  return from;
}

static int64_t bits_size(int64_t rows) { return (rows + 7) / 8; }

static void take_column(const char **at, int64_t rows, adl_column *column) {
  const column_head *head = take(at, sizeof *head);
  int64_t items = rows * (head->type.shape == ADL_VECTOR ? head->type.width : 1);
  *column = (adl_column){
      .struct_size = sizeof *column, .null_count = (int32_t)head->null_count, .type = head->type, .rows = rows};
  if (head->null_count != 0) column->validity = take(at, bits_size(rows));
  if (head->type.shape == ADL_SPARSE) return;
  if (head->type.shape == ADL_LIST || head->type.shape == ADL_BAG) {
    column->offsets = take(at, (rows + 1) * (int64_t)sizeof *column->offsets);
    items = column->offsets[rows];
  }
  if (head->type.shape == ADL_BAG) column->weights = take(at, items * (int64_t)sizeof *column->weights);
  if (has_texts(&head->type)) {
    column->string_offsets = take(at, (items + 1) * (int64_t)sizeof *column->string_offsets);
    column->data = take(at, column->string_offsets[items]);
  } else if (head->type.element == ADL_BOOL) {
    column->data = take(at, bits_size(rows));
  } else {
    column->data = take(at, items * element_size((adl_element)head->type.element));
  }
}

bool adl_row_log_next(adl_row_log_reader *reader) {
  while (reader->chunk != 0 && reader->at == chunk_at(reader->log, reader->chunk)->used) {
    reader->chunk = chunk_at(reader->log, reader->chunk)->next;
    reader->at = 0;
  }
  if (reader->chunk == 0) return false;
  const char *at = (const char *)(chunk_at(reader->log, reader->chunk) + 1) + reader->at;
  const piece_head *piece = take(&at, sizeof *piece);
  int64_t rows = reader->batch.rows = piece->rows;
  reader->ordinals = take(&at, rows * (int64_t)sizeof *reader->ordinals);
  reader->batch.ordinal = reader->ordinals[0];
  reader->key_ends = take(&at, rows * (int64_t)sizeof *reader->key_ends);
  reader->keys = take(&at, reader->key_ends[rows - 1]);
  for (int64_t i = 0; i < reader->columns->count; i++) take_column(&at, rows, &reader->column[i]);
  reader->at += piece->bytes;
  return true;
}
