/* See packed.h. A packed array is one block: the struct, then its parts, laid out as each kind says. */
#include "core/data/packed.h"

#include <glib.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/data/blocks.h"

typedef enum kind { NOT, TEXTS, NUMBERS, SPARSE_ROWS } kind;

/* Shorter arrays are not worth it. */
enum { LEAST_ROWS = 256 };

struct adl_packed {
  int refs; /* atomic */
  kind kind;
  adl_type type;
  adl_extent extent;
  int32_t null_count;
  int64_t validity; /* where parts begin; those that there are */
  int64_t first;    /* NUMBERS: the value before the first */
  int32_t width;    /* NUMBERS: bytes of a difference. SPARSE_ROWS: bytes of an index */
  int32_t words;    /* TEXTS: different ones */
  int64_t others;   /* SPARSE_ROWS: values that are not 1; -1: all values are kept */
  int64_t at[3];
  int64_t size; /* of the whole block */
};

static void *part(const adl_packed *packed, int64_t at) { return (char *)(uintptr_t)packed + at; }

/* A part of `size` bytes behind those that there are; returns where. */
static int64_t add_part(adl_packed *plan, int64_t size) {
  int64_t at = plan->size;
  plan->size += (size + 7) & ~INT64_C(7);
  return at;
}

/* The block of a plan, with the validity of the array. */
static adl_packed *make(adl_packed *plan, const adl_column *column) {
  if (column->validity != NULL) plan->validity = add_part(plan, (column->rows + 7) / 8);
  adl_packed *packed = g_malloc((gsize)plan->size);
  *packed = *plan;
  if (packed->validity > 0) memcpy(part(packed, packed->validity), column->validity, (size_t)(column->rows + 7) / 8);
  return packed;
}

/* ---- texts ---- */

enum { WORDS = 256, SLOTS = 4 * WORDS, LONGEST = 64 };

/* The first and the last eight bytes of a text: together with its size all of it, if it is no longer than 16. */
typedef struct ends {
  uint64_t head, tail;
} ends;

/* The different texts of a column, by number. */
typedef struct dictionary {
  int32_t count;
  int64_t bytes;
  const char *word[WORDS];
  int32_t size[WORDS];
  ends ends[WORDS];
  uint16_t slots[SLOTS]; /* number + 1; 0: free */
} dictionary;

static inline ends ends_of(const char *text, int32_t size) {
  ends e = {0, 0};
  if (size >= 8) {
    memcpy(&e.head, text, 8);
    memcpy(&e.tail, text + size - 8, 8);
  } else if (size >= 4) {
    memcpy(&e.head, text, 4);
    memcpy(&e.tail, text + size - 4, 4);
  } else {
    for (int32_t i = 0; i < size; i++) e.head = e.head << 8 | (unsigned char)text[i];
  }
  return e;
}

static inline uint32_t slot_of(ends e, int32_t size) {
  uint64_t mixed = (e.head + (uint64_t)size * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
  mixed = (mixed ^ mixed >> 32 ^ e.tail) * UINT64_C(0xc4ceb9fe1a85ec53);
  return (uint32_t)(mixed >> 32) % SLOTS;
}

static inline bool is_word(const dictionary *words, int32_t number, const char *text, int32_t size, ends e) {
  const ends *its = &words->ends[number];
  if (words->size[number] != size || its->head != e.head || its->tail != e.tail) return false;
  return size <= 16 || memcmp(words->word[number], text, (size_t)size) == 0;
}

/* -1: there would be too many, or it is long. */
static inline int32_t number_of(dictionary *words, const char *text, int32_t size) {
  if (size > LONGEST) return -1;
  ends e = ends_of(text, size);
  uint32_t slot = slot_of(e, size);
  for (; words->slots[slot] != 0; slot = (slot + 1) % SLOTS)
    if (is_word(words, words->slots[slot] - 1, text, size, e)) return words->slots[slot] - 1;
  if (words->count == WORDS) return -1;
  words->slots[slot] = (uint16_t)(words->count + 1);
  words->word[words->count] = text;
  words->size[words->count] = size;
  words->ends[words->count] = e;
  words->bytes += size;
  return words->count++;
}

static adl_packed *pack_texts(const adl_column *column, adl_packed *plan) {
  dictionary words;
  words.count = 0;
  words.bytes = 0;
  memset(words.slots, 0, sizeof words.slots);
  uint8_t *numbers = g_malloc((gsize)column->rows);
  for (int64_t row = 0; row < column->rows; row++) {
    int32_t from = column->string_offsets[row];
    int32_t number = number_of(&words, (const char *)column->data + from, column->string_offsets[row + 1] - from);
    if (number < 0) {
      g_free(numbers);
      return NULL;
    }
    numbers[row] = (uint8_t)number;
  }
  plan->kind = TEXTS;
  plan->words = words.count;
  plan->at[0] = add_part(plan, column->rows);
  plan->at[1] = add_part(plan, (words.count + 1) * (int64_t)sizeof(int32_t));
  plan->at[2] = add_part(plan, words.bytes);
  adl_packed *packed = make(plan, column);
  memcpy(part(packed, plan->at[0]), numbers, (size_t)column->rows);
  int32_t *offsets = part(packed, plan->at[1]);
  char *bytes = part(packed, plan->at[2]);
  offsets[0] = 0;
  for (int32_t i = 0; i < words.count; i++) {
    memcpy(bytes + offsets[i], words.word[i], (size_t)words.size[i]);
    offsets[i + 1] = offsets[i] + words.size[i];
  }
  g_free(numbers);
  return packed;
}

/* What short texts are copied from, whole: more is written than there is, and written over by the next. */
typedef struct short_text {
  char bytes[16];
  int32_t size; /* more than 16: not here */
} short_text;

static void open_texts(const adl_packed *packed, adl_array *array) {
  const uint8_t *numbers = part(packed, packed->at[0]);
  const int32_t *from = part(packed, packed->at[1]);
  const char *bytes = part(packed, packed->at[2]);
  char *to = array->blocks[ADL_BLOCK_DATA];
  int32_t *offsets = array->blocks[ADL_BLOCK_STRING_OFFSETS], end = 0, safe = (int32_t)packed->extent.bytes - 16;
  short_text words[WORDS];
  for (int32_t i = 0; i < packed->words; i++) {
    words[i] = (short_text){.size = from[i + 1] - from[i]};
    memcpy(words[i].bytes, bytes + from[i], (size_t)MIN(16, words[i].size));
  }
  for (int64_t row = 0; row < packed->extent.rows; row++) {
    const short_text *word = &words[numbers[row]];
    if (word->size <= 16 && end <= safe)
      memcpy(to + end, word->bytes, 16);
    else
      memcpy(to + end, bytes + from[numbers[row]], (size_t)word->size);
    offsets[row] = end;
    end += word->size;
  }
  offsets[packed->extent.rows] = end;
}

/* ---- whole numbers ---- */

/* Of all differences between neighbours those bits that are not the sign's. */
#define STEP_BITS(type)                                                                                                \
  do {                                                                                                                 \
    const type *numbers = column->data;                                                                                \
    for (int64_t row = 1; row < column->rows; row++) {                                                                 \
      uint64_t step = (uint64_t)numbers[row] - (uint64_t)numbers[row - 1];                                             \
      bits |= step ^ (0 - (step >> 63));                                                                               \
    }                                                                                                                  \
  } while (0)

/* Bytes for each difference; 0: there is one that takes as many as the number. */
ADL_DATA_LOOPS static int32_t width_of(const adl_column *column, int32_t own) {
  uint64_t bits = 0;
  if (own == 4)
    STEP_BITS(int32_t);
  else
    STEP_BITS(int64_t);
  int32_t width = bits < 0x80 ? 1 : bits < 0x8000 ? 2 : 4;
  return bits <= INT32_MAX && width < own ? width : 0;
}

#define PACK_NUMBERS(type, step_type)                                                                                  \
  do {                                                                                                                 \
    const type *numbers = column->data;                                                                                \
    step_type *to = part(packed, packed->at[0]);                                                                       \
    to[0] = 0;                                                                                                         \
    for (int64_t row = 1; row < column->rows; row++)                                                                   \
      to[row] = (step_type)((uint64_t)numbers[row] - (uint64_t)numbers[row - 1]);                                      \
  } while (0)

#define OPEN_NUMBERS(type, step_type)                                                                                  \
  do {                                                                                                                 \
    type *to = column->blocks[ADL_BLOCK_DATA];                                                                         \
    const step_type *step = part(packed, packed->at[0]);                                                               \
    uint64_t number = (uint64_t)packed->first;                                                                         \
    for (int64_t row = 0; row < packed->extent.rows; row++) to[row] = (type)(number += (uint64_t)(int64_t)step[row]);  \
  } while (0)

/* The five pairs of a number and its difference that there are. */
#define OF_ALL_WIDTHS(LOOP)                                                                                            \
  do {                                                                                                                 \
    if (packed->type.element == ADL_INT32) {                                                                           \
      if (packed->width == 1)                                                                                          \
        LOOP(int32_t, int8_t);                                                                                         \
      else                                                                                                             \
        LOOP(int32_t, int16_t);                                                                                        \
    } else if (packed->width == 1) {                                                                                   \
      LOOP(int64_t, int8_t);                                                                                           \
    } else if (packed->width == 2) {                                                                                   \
      LOOP(int64_t, int16_t);                                                                                          \
    } else {                                                                                                           \
      LOOP(int64_t, int32_t);                                                                                          \
    }                                                                                                                  \
  } while (0)

ADL_DATA_LOOPS static adl_packed *pack_numbers(const adl_column *column, adl_packed *plan) {
  int32_t own = column->type.element == ADL_INT32 ? 4 : 8;
  plan->kind = NUMBERS;
  plan->width = width_of(column, own);
  plan->first = own == 4 ? ((const int32_t *)column->data)[0] : ((const int64_t *)column->data)[0];
  if (plan->width == 0) return NULL;
  plan->at[0] = add_part(plan, column->rows * plan->width);
  adl_packed *packed = make(plan, column);
  OF_ALL_WIDTHS(PACK_NUMBERS);
  return packed;
}

static void open_numbers(const adl_packed *packed, adl_array *column) { OF_ALL_WIDTHS(OPEN_NUMBERS); }

/* ---- sparse rows ---- */

typedef struct exception {
  uint32_t item;
  float value;
} exception;

ADL_DATA_LOOPS static int64_t count_others(const float *values, int64_t count) {
  uint32_t others = 0;
  for (int64_t i = 0; i < count; i++) others += values[i] != 1;
  return others;
}

ADL_DATA_LOOPS static uint32_t all_bits(const uint32_t *index, int64_t count) {
  uint32_t bits = 0;
  for (int64_t i = 0; i < count; i++) bits |= index[i];
  return bits;
}

/* Indices in three bytes each; one byte behind them is written as well. */
static void pack_index(const uint32_t *index, int64_t count, char *to) {
  for (int64_t i = 0; i < count; i++, to += 3) memcpy(to, &index[i], 4);
}

ADL_DATA_LOOPS static void open_index(const char *from, int64_t count, uint32_t *index) {
  for (int64_t i = 0; i < count; i++) {
    uint32_t four;
    memcpy(&four, from + 3 * i, 4);
    index[i] = four & 0xffffff;
  }
}

static void pack_values(const adl_packed *packed, const float *values) {
  int64_t items = packed->extent.items, found = 0;
  if (packed->others < 0) {
    memcpy(part(packed, packed->at[2]), values, (size_t)items * sizeof *values);
    return;
  }
  exception *others = part(packed, packed->at[2]);
  for (int64_t i = 0; i < items && found < packed->others; i++)
    if (values[i] != 1) others[found++] = (exception){(uint32_t)i, values[i]};
}

static adl_packed *pack_sparse(const adl_column *column, adl_packed *plan) {
  int64_t items = plan->extent.items, others = count_others(column->data, items);
  plan->kind = SPARSE_ROWS;
  plan->width = all_bits(column->index, items) < (1 << 24) ? 3 : 4;
  plan->others = others < items / 8 ? others : -1;
  plan->at[0] = add_part(plan, (column->rows + 1) * (int64_t)sizeof(int32_t));
  plan->at[1] = add_part(plan, items * plan->width + 1);
  plan->at[2] = add_part(plan, plan->others < 0 ? items * (int64_t)sizeof(float) : others * (int64_t)sizeof(exception));
  adl_packed *packed = make(plan, column);
  memcpy(part(packed, plan->at[0]), column->offsets, ((size_t)column->rows + 1) * sizeof(int32_t));
  if (plan->width == 3)
    pack_index(column->index, items, part(packed, plan->at[1]));
  else
    memcpy(part(packed, plan->at[1]), column->index, (size_t)items * sizeof(uint32_t));
  pack_values(packed, column->data);
  return packed;
}

static void open_sparse(const adl_packed *packed, adl_array *array) {
  int64_t items = packed->extent.items;
  float *values = array->blocks[ADL_BLOCK_DATA];
  memcpy(array->blocks[ADL_BLOCK_OFFSETS], part(packed, packed->at[0]),
         ((size_t)packed->extent.rows + 1) * sizeof(int32_t));
  if (packed->width == 3)
    open_index(part(packed, packed->at[1]), items, array->blocks[ADL_BLOCK_INDEX]);
  else
    memcpy(array->blocks[ADL_BLOCK_INDEX], part(packed, packed->at[1]), (size_t)items * sizeof(uint32_t));
  if (packed->others < 0) {
    memcpy(values, part(packed, packed->at[2]), (size_t)items * sizeof *values);
    return;
  }
  const exception *others = part(packed, packed->at[2]);
  for (int64_t i = 0; i < items; i++) values[i] = 1;
  for (int64_t i = 0; i < packed->others; i++) values[others[i].item] = others[i].value;
}

/* ---- any ---- */

static adl_packed *pack(const adl_column *column) {
  adl_packed plan = {.refs = 1, .type = column->type, .null_count = column->null_count, .size = sizeof plan};
  plan.extent = adl_column_extent(column);
  if (column->rows < LEAST_ROWS) return NULL;
  if (column->type.shape == ADL_SPARSE && column->type.element == ADL_FLOAT32) return pack_sparse(column, &plan);
  if (column->type.shape != ADL_SCALAR) return NULL;
  if (adl_element_is_text(column->type.element)) return pack_texts(column, &plan);
  bool whole =
      column->type.element == ADL_INT32 || column->type.element == ADL_INT64 || column->type.element == ADL_TIMESTAMP;
  return whole ? pack_numbers(column, &plan) : NULL;
}

void adl_array_pack(adl_array *array) {
  struct adl_packed *none = NULL;
  if (atomic_load(&array->packed) != NULL) return;
  adl_packed *packed = pack(&array->view);
  if (packed == NULL) return;
  bool pays = packed->size < array->bytes - array->bytes / 4;
  if (!pays || !atomic_compare_exchange_strong(&array->packed, &none, packed)) adl_packed_unref(packed);
}

adl_packed *adl_array_packed(adl_array *array) {
  adl_packed *packed = atomic_load(&array->packed);
  if (packed != NULL) g_atomic_int_inc(&packed->refs);
  return packed;
}

adl_array *adl_packed_open(adl_packed *packed) {
  adl_array *array = adl_array_allocate(packed->type, packed->extent, packed->validity > 0);
  if (array == NULL) g_error("out of memory: a column of %" G_GINT64_FORMAT " rows", packed->extent.rows);
  if (packed->validity > 0)
    memcpy(array->blocks[ADL_BLOCK_VALIDITY], part(packed, packed->validity), (size_t)(packed->extent.rows + 7) / 8);
  array->view.null_count = packed->null_count;
  switch (packed->kind) {
    case TEXTS: open_texts(packed, array); break;
    case NUMBERS: open_numbers(packed, array); break;
    case SPARSE_ROWS: open_sparse(packed, array); break;
    case NOT: break;
  }
  g_atomic_int_inc(&packed->refs);
  atomic_store(&array->packed, packed);
  return array;
}

void adl_packed_unref(adl_packed *packed) {
  if (packed != NULL && g_atomic_int_dec_and_test(&packed->refs)) g_free(packed);
}

int64_t adl_packed_bytes(const adl_packed *packed) { return packed->size; }
