/* Rows of an array in another order, or some of them: what pick, gather and split compaction come down to. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "core/data/array.h"
#include "core/data/blocks.h"

/* False: an index out of range. *holes: some are -1. */
static bool check_index(const int64_t *index, int64_t count, int64_t rows, bool *holes) {
  int64_t low = 0, high = -1;
  for (int64_t i = 0; i < count; i++) {
    low = MIN(low, index[i]);
    high = MAX(high, index[i]);
  }
  *holes = low < 0;
  return low >= -1 && high < rows;
}

#define GATHER_FIXED(name, type)                                                                                       \
  static void name(void *to, const void *from, const int64_t *index, int64_t count) {                                  \
    type *target = to;                                                                                                 \
    const type *source = from;                                                                                         \
    for (int64_t i = 0; i < count; i++) target[i] = source[index[i]];                                                  \
  }                                                                                                                    \
  static void name##_holes(void *to, const void *from, const int64_t *index, int64_t count) {                          \
    type *target = to;                                                                                                 \
    const type *source = from;                                                                                         \
    for (int64_t i = 0; i < count; i++) target[i] = index[i] < 0 ? 0 : source[index[i]];                               \
  }
GATHER_FIXED(gather_4, uint32_t)
GATHER_FIXED(gather_8, uint64_t)

static void gather_bits(uint8_t *to, const uint8_t *from, const int64_t *index, int64_t count) {
  for (int64_t i = 0; i < count; i += 8) {
    unsigned byte = 0;
    int64_t end = MIN(count - i, 8);
    for (int64_t j = 0; j < end; j++)
      if (index[i + j] >= 0) byte |= (unsigned)adl_bit(from, index[i + j]) << j;
    to[i >> 3] = (uint8_t)byte;
  }
}

static void gather_vectors(char *to, const char *from, int64_t size, const int64_t *index, int64_t count) {
  for (int64_t i = 0; i < count; i++, to += size) {
    if (index[i] < 0)
      memset(to, 0, (size_t)size);
    else
      memcpy(to, from + index[i] * size, (size_t)size);
  }
}

/* Length of the run of neighbours that begins at i: filters and slices mostly pick whole stretches. */
static inline int64_t run_length(const int64_t *index, int64_t i, int64_t count) {
  int64_t end = i + 1;
  while (end < count && index[end] == index[end - 1] + 1) end++;
  return end - i;
}

/* Copies the ranges of `from` that the picked rows cover, `size` bytes an item, one run at a time. */
static void gather_ranges(char *to, const char *from, int64_t size, const int32_t *offsets, const int64_t *index,
                          int64_t count) {
  for (int64_t i = 0; i < count;) {
    if (index[i] < 0) {
      i++;
      continue;
    }
    int64_t run = run_length(index, i, count);
    int64_t first = offsets[index[i]], end = offsets[index[i] + run];
    memcpy(to, from + first * size, (size_t)((end - first) * size));
    to += (end - first) * size;
    i += run;
  }
}

/* New offsets of the picked rows, and their sum. Nothing is written behind the limit of the layout. */
static int64_t gather_offsets(int32_t *to, const int32_t *offsets, const int64_t *index, int64_t count) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) {
    if (index[i] >= 0) sum += offsets[index[i] + 1] - offsets[index[i]];
    if (sum > ADL_COUNT_LIMIT) break;
    if (to != NULL) to[i + 1] = (int32_t)sum;
  }
  return sum;
}

/* Lengths of the strings in the picked rows of a LIST or BAG, as offsets of the new items; returns their sum. */
static int64_t gather_item_offsets(int32_t *to, const adl_column *column, const int64_t *index, int64_t count) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; i++) {
    if (index[i] < 0) continue;
    int32_t first = column->offsets[index[i]], end = column->offsets[index[i] + 1];
    int64_t base = sum - column->string_offsets[first];
    sum += column->string_offsets[end] - column->string_offsets[first];
    if (sum > ADL_COUNT_LIMIT) break;
    if (to == NULL) continue;
    for (int32_t item = first; item < end; item++) *++to = (int32_t)(base + column->string_offsets[item + 1]);
  }
  return sum;
}

static void gather_item_bytes(char *to, const adl_column *column, const int64_t *index, int64_t count) {
  for (int64_t i = 0; i < count;) {
    if (index[i] < 0) {
      i++;
      continue;
    }
    int64_t run = run_length(index, i, count);
    int64_t first = column->string_offsets[column->offsets[index[i]]];
    int64_t end = column->string_offsets[column->offsets[index[i] + run]];
    memcpy(to, (const char *)column->data + first, (size_t)(end - first));
    to += end - first;
    i += run;
  }
}

static void gather_fixed(adl_array *array, const adl_column *column, const int64_t *index, int64_t count, bool holes) {
  void *to = array->blocks[ADL_BLOCK_DATA];
  int64_t size = adl_element_size(column->type.element);
  if (column->type.shape == ADL_VECTOR)
    gather_vectors(to, column->data, size * column->type.width, index, count);
  else if (column->type.element == ADL_BOOL)
    gather_bits(to, column->data, index, count);
  else if (size == 4)
    (holes ? gather_4_holes : gather_4)(to, column->data, index, count);
  else
    (holes ? gather_8_holes : gather_8)(to, column->data, index, count);
}

/* Items and bytes that the picked rows have. */
static adl_extent measure(const adl_column *column, const int64_t *index, int64_t count) {
  adl_extent extent = {.rows = count};
  if (adl_shape_has_items(column->type.shape)) {
    extent.items = gather_offsets(NULL, column->offsets, index, count);
    if (column->string_offsets != NULL) extent.bytes = gather_item_offsets(NULL, column, index, count);
  } else if (column->string_offsets != NULL) {
    extent.bytes = gather_offsets(NULL, column->string_offsets, index, count);
  }
  return extent;
}

static void gather_variable(adl_array *array, const adl_column *column, const int64_t *index, int64_t count) {
  int32_t *offsets = array->blocks[ADL_BLOCK_OFFSETS], *string_offsets = array->blocks[ADL_BLOCK_STRING_OFFSETS];
  char *data = array->blocks[ADL_BLOCK_DATA];
  if (offsets == NULL) {
    gather_offsets(string_offsets, column->string_offsets, index, count);
    gather_ranges(data, column->data, 1, column->string_offsets, index, count);
    return;
  }
  gather_offsets(offsets, column->offsets, index, count);
  if (string_offsets != NULL) {
    gather_item_offsets(string_offsets, column, index, count);
    gather_item_bytes(data, column, index, count);
  } else {
    gather_ranges(data, column->data, adl_element_size(column->type.element), column->offsets, index, count);
  }
  if (column->index != NULL)
    gather_ranges(array->blocks[ADL_BLOCK_INDEX], (const char *)column->index, 4, column->offsets, index, count);
  if (column->weights != NULL)
    gather_ranges(array->blocks[ADL_BLOCK_WEIGHTS], (const char *)column->weights, 4, column->offsets, index, count);
}

adl_array *adl_array_gather(const adl_array *array, const int64_t *index, int64_t count) {
  const adl_column *column = &array->view;
  bool holes;
  if (count < 0 || !check_index(index, count, column->rows, &holes)) {
    errno = ERANGE;
    return NULL;
  }
  bool nullable = holes || column->null_count > 0;
  adl_array *picked = adl_array_allocate(column->type, measure(column, index, count), nullable);
  if (picked == NULL) return NULL;
  if (nullable) {
    uint8_t *validity = picked->blocks[ADL_BLOCK_VALIDITY];
    if (column->validity != NULL)
      gather_bits(validity, column->validity, index, count);
    else
      for (int64_t i = 0; i < count; i++)
        if (index[i] < 0) adl_bit_set(validity, i, false);
    picked->view.null_count = (int32_t)(count - adl_bits_count(validity, count));
  }
  if (column->offsets != NULL || column->string_offsets != NULL)
    gather_variable(picked, column, index, count);
  else
    gather_fixed(picked, column, index, count, holes);
  return picked;
}
