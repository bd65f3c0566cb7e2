/* Arrays: allocation, layout of their blocks, reference counts. See array.h. */
#include "core/data/array.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/base/guard.h"
#include "core/data/blocks.h"
#include "core/data/packed.h"

int64_t adl_element_size(uint8_t element) {
  static const uint8_t sizes[] = {0, 4, 8, 4, 4, 8, 8, 0, 0};
  return element < sizeof sizes ? sizes[element] : 0;
}

adl_extent adl_column_extent(const adl_column *column) {
  adl_extent extent = {.rows = column->rows};
  if (adl_shape_has_items(column->type.shape)) extent.items = column->offsets[column->rows];
  if (adl_element_is_text(column->type.element))
    extent.bytes = column->string_offsets[column->type.shape == ADL_SCALAR ? column->rows : extent.items];
  return extent;
}

bool adl_block_sizes(adl_type type, adl_extent extent, int64_t sizes[ADL_BLOCK_COUNT]) {
  memset(sizes, 0, sizeof(int64_t) * ADL_BLOCK_COUNT);
  if (extent.rows < 0 || extent.items < 0 || extent.bytes < 0) return false;
  if (extent.rows > ADL_COUNT_LIMIT || extent.items > ADL_COUNT_LIMIT || extent.bytes > ADL_COUNT_LIMIT) return false;
  bool text = adl_element_is_text(type.element);
  bool has_items = adl_shape_has_items(type.shape);
  int64_t values = has_items ? extent.items : extent.rows;
  if (type.shape == ADL_VECTOR) {
    if (type.width < 0 || type.width > ADL_COUNT_LIMIT) return false;
    values *= type.width; /* below 2^62 */
    if (values > (INT64_C(1) << 50)) return false;
  }
  sizes[ADL_BLOCK_VALIDITY] = (extent.rows + 7) / 8;
  if (text)
    sizes[ADL_BLOCK_DATA] = extent.bytes;
  else if (type.element == ADL_BOOL)
    sizes[ADL_BLOCK_DATA] = (values + 7) / 8;
  else
    sizes[ADL_BLOCK_DATA] = values * adl_element_size(type.element);
  if (has_items) sizes[ADL_BLOCK_OFFSETS] = (extent.rows + 1) * (int64_t)sizeof(int32_t);
  if (text) sizes[ADL_BLOCK_STRING_OFFSETS] = (values + 1) * (int64_t)sizeof(int32_t);
  if (type.shape == ADL_SPARSE) sizes[ADL_BLOCK_INDEX] = extent.items * (int64_t)sizeof(uint32_t);
  if (type.shape == ADL_BAG) sizes[ADL_BLOCK_WEIGHTS] = extent.items * (int64_t)sizeof(float);
  return true;
}

adl_array *adl_array_wrap(adl_type type, int64_t rows, void *const blocks[ADL_BLOCK_COUNT], int64_t bytes) {
  adl_array *array = g_new0(adl_array, 1);
  memcpy(array->blocks, blocks, sizeof array->blocks);
  array->refs = 1;
  array->bytes = bytes + (int64_t)sizeof *array;
  array->view = (adl_column){.struct_size = sizeof(adl_column),
                             .type = type,
                             .rows = rows,
                             .validity = blocks[ADL_BLOCK_VALIDITY],
                             .data = blocks[ADL_BLOCK_DATA],
                             .offsets = blocks[ADL_BLOCK_OFFSETS],
                             .string_offsets = blocks[ADL_BLOCK_STRING_OFFSETS],
                             .index = blocks[ADL_BLOCK_INDEX],
                             .weights = blocks[ADL_BLOCK_WEIGHTS]};
  return array;
}

bool adl_block_exists(adl_type type, int block) {
  switch (block) {
    case ADL_BLOCK_DATA: return true;
    case ADL_BLOCK_OFFSETS: return adl_shape_has_items(type.shape);
    case ADL_BLOCK_STRING_OFFSETS: return adl_element_is_text(type.element);
    case ADL_BLOCK_INDEX: return type.shape == ADL_SPARSE;
    case ADL_BLOCK_WEIGHTS: return type.shape == ADL_BAG;
    default: return false;
  }
}

adl_array *adl_array_allocate(adl_type type, adl_extent extent, bool validity) {
  int64_t sizes[ADL_BLOCK_COUNT], bytes = 0;
  void *blocks[ADL_BLOCK_COUNT] = {NULL};
  if (!adl_block_sizes(type, extent, sizes)) {
    errno = EOVERFLOW;
    return NULL;
  }
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) {
    if (!(b == ADL_BLOCK_VALIDITY ? validity : adl_block_exists(type, b))) continue;
    blocks[b] = adl_aligned_try(sizes[b]);
    if (blocks[b] == NULL) {
      for (int i = 0; i < b; i++) adl_aligned_free(blocks[i]);
      errno = ENOMEM;
      return NULL;
    }
    bytes += MAX(adl_aligned_size(sizes[b]), ADL_ALIGNMENT);
  }
  if (validity) memset(blocks[ADL_BLOCK_VALIDITY], 0xff, (size_t)sizes[ADL_BLOCK_VALIDITY]);
  if (blocks[ADL_BLOCK_OFFSETS] != NULL) *(int32_t *)blocks[ADL_BLOCK_OFFSETS] = 0;
  if (blocks[ADL_BLOCK_STRING_OFFSETS] != NULL) *(int32_t *)blocks[ADL_BLOCK_STRING_OFFSETS] = 0;
  return adl_array_wrap(type, extent.rows, blocks, bytes);
}

adl_array *adl_array_ref(adl_array *array) {
  g_atomic_int_inc(&array->refs);
  return array;
}

void adl_array_unref(adl_array *array) {
  if (array == NULL || !g_atomic_int_dec_and_test(&array->refs)) return;
  for (int b = 0; b < ADL_BLOCK_COUNT; b++)
    if ((array->lent >> b & 1) == 0) adl_aligned_free(array->blocks[b]);
  if (array->lender != NULL) array->give_back(array->lender);
  adl_packed_unref(atomic_load(&array->packed));
  g_free(array);
}

void adl_array_seal(adl_array *array) {
  for (int b = 0; b < ADL_BLOCK_COUNT; b++)
    if (array->blocks[b] != NULL) adl_guard_seal(array->blocks[b]);
}

adl_array *adl_array_nulls(adl_type type, int64_t rows) {
  int64_t sizes[ADL_BLOCK_COUNT];
  adl_extent extent = {.rows = rows};
  adl_array *array = adl_array_allocate(type, extent, rows > 0);
  if (array == NULL) return NULL;
  adl_block_sizes(type, extent, sizes);
  for (int b = 0; b < ADL_BLOCK_COUNT; b++)
    if (array->blocks[b] != NULL) memset(array->blocks[b], 0, (size_t)sizes[b]);
  array->view.null_count = (int32_t)rows;
  return array;
}
