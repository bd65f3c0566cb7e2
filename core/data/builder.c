/* Builders: columns in the making. Behind adl_host.reserve, so the way of every value that a plugin gives. */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/data/array.h"
#include "core/data/blocks.h"

struct adl_builder {
  adl_type type;
  adl_extent capacity;
  bool begun;
  void *blocks[ADL_BLOCK_COUNT];
  int64_t sizes[ADL_BLOCK_COUNT]; /* bytes held, padded */
};

/* A block that is cut to fit when it would hold on to this much more than it needs, and more than as much again. */
enum { WASTE = 64 * 1024 };

adl_builder *adl_builder_new(adl_type type) {
  adl_builder *builder = g_new0(adl_builder, 1);
  builder->type = type;
  return builder;
}

void adl_builder_free(adl_builder *builder) {
  if (builder == NULL) return;
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) adl_aligned_free(builder->blocks[b]);
  g_free(builder);
}

/* What is asked for, and half as much again as there was when it grows, so that growing little by little is linear. */
static int64_t room(int64_t asked, int64_t held) {
  if (asked <= held) return held;
  int64_t more = MIN(held + held / 2, ADL_COUNT_LIMIT);
  return MAX(asked, more);
}

static bool fit_block(adl_builder *builder, int block, int64_t size) {
  int64_t held = builder->sizes[block], wanted = MAX(adl_aligned_size(size), ADL_ALIGNMENT);
  if (wanted <= held) return true;
  char *bigger = adl_aligned_try(wanted);
  if (bigger == NULL) return false;
  if (held > 0) memcpy(bigger, builder->blocks[block], (size_t)held);
  if (block == ADL_BLOCK_VALIDITY) memset(bigger + held, 0xff, (size_t)(wanted - held));
  if (held == 0 && (block == ADL_BLOCK_OFFSETS || block == ADL_BLOCK_STRING_OFFSETS))
    memset(bigger, 0, sizeof(int32_t));
  adl_aligned_free(builder->blocks[block]);
  builder->blocks[block] = bigger;
  builder->sizes[block] = wanted;
  return true;
}

bool adl_builder_reserve(adl_builder *builder, int64_t rows, int64_t items, int64_t bytes, adl_buffers *buffers) {
  int64_t sizes[ADL_BLOCK_COUNT];
  adl_type type = builder->type;
  bool has_items = adl_shape_has_items(type.shape), text = adl_element_is_text(type.element);
  adl_extent extent = {.rows = room(rows, builder->capacity.rows),
                       .items = has_items ? room(items, builder->capacity.items) : 0,
                       .bytes = text ? room(bytes, builder->capacity.bytes) : 0};
  if (rows < 0 || items < 0 || bytes < 0 || !adl_block_sizes(type, extent, sizes)) {
    errno = EOVERFLOW;
    return false;
  }
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) {
    bool needed = b == ADL_BLOCK_VALIDITY || b == ADL_BLOCK_DATA || sizes[b] > 0 ||
                  (b == ADL_BLOCK_INDEX && type.shape == ADL_SPARSE) ||
                  (b == ADL_BLOCK_WEIGHTS && type.shape == ADL_BAG);
    if (needed && !fit_block(builder, b, sizes[b])) {
      errno = ENOMEM;
      return false;
    }
  }
  builder->capacity = extent;
  builder->begun = true;
  if (buffers != NULL)
    *buffers = (adl_buffers){.validity = builder->blocks[ADL_BLOCK_VALIDITY],
                             .data = builder->blocks[ADL_BLOCK_DATA],
                             .offsets = builder->blocks[ADL_BLOCK_OFFSETS],
                             .string_offsets = builder->blocks[ADL_BLOCK_STRING_OFFSETS],
                             .index = builder->blocks[ADL_BLOCK_INDEX],
                             .weights = builder->blocks[ADL_BLOCK_WEIGHTS],
                             .item_capacity = extent.items,
                             .byte_capacity = extent.bytes};
  return true;
}

/* Offsets 0, rising, at most `limit`. Branch-free, so that it is nearly free. */
ADL_DATA_LOOPS static bool offsets_rise(const int32_t *offsets, int64_t count, int64_t limit) {
  if (offsets[0] != 0) return false;
  int32_t falls = 0;
  for (int64_t i = 0; i < count; i++) falls |= offsets[i + 1] < offsets[i];
  return falls == 0 && offsets[count] <= limit;
}

/* How many values are not above the one before. */
ADL_DATA_LOOPS static uint32_t count_falls(const uint32_t *index, int64_t count) {
  uint32_t falls = 0;
  for (int64_t i = 1; i < count; i++) falls += index[i] <= index[i - 1];
  return falls;
}

/* Within each row. All neighbours are compared in one go; where all that do not rise are those between two rows, the rows
 * are right. */
bool adl_indices_rise(const int32_t *offsets, const uint32_t *index, int64_t rows, int64_t width) {
  uint32_t between = 0, past = 0;
  for (int64_t row = 0; row < rows; row++) {
    int32_t first = offsets[row], end = offsets[row + 1];
    if (first == end) continue;
    between += first > 0 && index[first] <= index[first - 1];
    past |= width > 0 && (int64_t)index[end - 1] >= width;
  }
  return past == 0 && count_falls(index, offsets[rows]) == between;
}

/* 64 bits of a validity from row `row` on, which is a multiple of 64: those of null rows are set. */
static uint64_t nulls_from(const uint8_t *validity, int64_t row, int64_t rows) {
  uint64_t word = 0;
  memcpy(&word, validity + (row >> 3), (size_t)MIN(8, (rows - row + 7) / 8));
  return rows - row >= 64 ? ~word : ~word & ((UINT64_C(1) << (rows - row)) - 1);
}

/* What the author left unset under null rows becomes zero: fixed sizes only, a range is defined by its offsets. */
static void clear_null_rows(const adl_builder *builder, int64_t rows) {
  adl_type type = builder->type;
  const uint8_t *validity = builder->blocks[ADL_BLOCK_VALIDITY];
  char *data = builder->blocks[ADL_BLOCK_DATA];
  int64_t size = adl_element_size(type.element) * (type.shape == ADL_VECTOR ? type.width : 1);
  if (adl_shape_has_items(type.shape) || adl_element_is_text(type.element)) return;
  for (int64_t row = 0; row < rows; row += 64)
    for (uint64_t nulls = nulls_from(validity, row, rows); nulls != 0; nulls &= nulls - 1) {
      int64_t null = row + __builtin_ctzll(nulls);
      if (type.element == ADL_BOOL)
        adl_bit_set((uint8_t *)data, null, false);
      else if (size == 8)
        memset(data + null * 8, 0, 8);
      else
        memset(data + null * size, 0, (size_t)size);
    }
}

/* Why the content of `rows` rows is not an array; NULL: it is. *used is what they take up. */
static const char *check(const adl_builder *builder, int64_t rows, adl_extent *used) {
  adl_type type = builder->type;
  const int32_t *offsets = builder->blocks[ADL_BLOCK_OFFSETS];
  const int32_t *string_offsets = builder->blocks[ADL_BLOCK_STRING_OFFSETS];
  int64_t texts = rows;
  *used = (adl_extent){.rows = rows};
  if (rows < 0 || rows > builder->capacity.rows) return "More rows were given than reserved.";
  if (offsets != NULL) {
    if (!offsets_rise(offsets, rows, builder->capacity.items))
      return "The offsets do not begin at 0, fall, or pass the items reserved.";
    texts = used->items = offsets[rows];
  }
  if (string_offsets != NULL) {
    if (!offsets_rise(string_offsets, texts, builder->capacity.bytes))
      return "The string offsets do not begin at 0, fall, or pass the bytes reserved.";
    used->bytes = string_offsets[texts];
  }
  if (type.shape == ADL_SPARSE && !adl_indices_rise(offsets, builder->blocks[ADL_BLOCK_INDEX], rows, type.width))
    return "The indices of a sparse row do not rise, or pass its width.";
  return NULL;
}

/* Gives memory back where much more was reserved than used: kept batches are counted by what they hold. */
static void trim(adl_builder *builder, adl_extent used) {
  int64_t sizes[ADL_BLOCK_COUNT];
  adl_block_sizes(builder->type, used, sizes);
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) {
    int64_t wanted = MAX(adl_aligned_size(sizes[b]), ADL_ALIGNMENT);
    if (builder->blocks[b] == NULL || builder->sizes[b] - wanted < MAX(WASTE, wanted)) continue;
    void *smaller = adl_aligned_try(wanted);
    if (smaller == NULL) continue;
    memcpy(smaller, builder->blocks[b], (size_t)sizes[b]);
    adl_aligned_free(builder->blocks[b]);
    builder->blocks[b] = smaller;
    builder->sizes[b] = wanted;
  }
}

adl_array *adl_builder_finish(adl_builder *builder, int64_t rows, const char **why) {
  adl_extent used;
  const char *reason = NULL;
  if (!builder->begun && !adl_builder_reserve(builder, 0, 0, 0, NULL)) reason = "Memory is out.";
  if (reason == NULL) reason = check(builder, rows, &used);
  if (why != NULL) *why = reason;
  if (reason != NULL) {
    adl_builder_free(builder);
    return NULL;
  }
  int64_t nulls = rows - adl_bits_count(builder->blocks[ADL_BLOCK_VALIDITY], rows);
  if (nulls > 0)
    clear_null_rows(builder, rows);
  else {
    adl_aligned_free(builder->blocks[ADL_BLOCK_VALIDITY]);
    builder->blocks[ADL_BLOCK_VALIDITY] = NULL;
    builder->sizes[ADL_BLOCK_VALIDITY] = 0;
  }
  trim(builder, used);
  int64_t bytes = 0;
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) bytes += builder->sizes[b];
  adl_array *array = adl_array_wrap(builder->type, rows, builder->blocks, bytes);
  array->view.null_count = (int32_t)nulls;
  g_free(builder);
  return array;
}
