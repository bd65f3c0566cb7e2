/* Arrays end to end, and stretches of arrays. */
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "core/data/array.h"
#include "core/data/blocks.h"

/* Appends rows [first, first + rows) of `from` behind what `done` says is there, and moves `done` on. */
static void append(adl_array *into, adl_extent *done, const adl_column *from, int64_t first, int64_t rows) {
  adl_type type = into->view.type;
  char *data = into->blocks[ADL_BLOCK_DATA];
  int32_t *offsets = into->blocks[ADL_BLOCK_OFFSETS], *string_offsets = into->blocks[ADL_BLOCK_STRING_OFFSETS];
  uint8_t *validity = into->blocks[ADL_BLOCK_VALIDITY];
  int64_t from_value = first, values = rows, to_value = done->rows;
  if (validity != NULL && from->validity != NULL) adl_bits_copy(validity, done->rows, from->validity, first, rows);
  if (offsets != NULL) {
    from_value = from->offsets[first];
    values = from->offsets[first + rows] - from_value;
    to_value = done->items;
    int32_t shift = (int32_t)(done->items - from_value);
    for (int64_t i = 1; i <= rows; i++) offsets[done->rows + i] = from->offsets[first + i] + shift;
    done->items += values;
  }
  done->rows += rows;
  if (into->blocks[ADL_BLOCK_INDEX] != NULL)
    memcpy((uint32_t *)into->blocks[ADL_BLOCK_INDEX] + to_value, from->index + from_value, (size_t)values * 4);
  if (into->blocks[ADL_BLOCK_WEIGHTS] != NULL)
    memcpy((float *)into->blocks[ADL_BLOCK_WEIGHTS] + to_value, from->weights + from_value, (size_t)values * 4);
  if (string_offsets != NULL) {
    int64_t begin = from->string_offsets[from_value], bytes = from->string_offsets[from_value + values] - begin;
    int32_t shift = (int32_t)(done->bytes - begin);
    for (int64_t i = 1; i <= values; i++) string_offsets[to_value + i] = from->string_offsets[from_value + i] + shift;
    memcpy(data + done->bytes, (const char *)from->data + begin, (size_t)bytes);
    done->bytes += bytes;
  } else if (type.element == ADL_BOOL) {
    adl_bits_copy((uint8_t *)data, to_value, from->data, from_value, values);
  } else {
    int64_t size = adl_element_size(type.element) * (type.shape == ADL_VECTOR ? type.width : 1);
    memcpy(data + to_value * size, (const char *)from->data + from_value * size, (size_t)(values * size));
  }
}

adl_array *adl_array_concat(adl_array *const *parts, int64_t count, const char **why) {
  adl_extent extent = {0}, done = {0};
  int64_t nulls = 0;
  const char *reason = NULL;
  adl_type type = parts[0]->view.type;
  for (int64_t i = 0; i < count && reason == NULL; i++) {
    adl_extent part = adl_column_extent(&parts[i]->view);
    extent.rows += part.rows;
    extent.items += part.items;
    extent.bytes += part.bytes;
    nulls += parts[i]->view.null_count;
    if (!adl_type_equal(type, parts[i]->view.type) ||
        (type.shape == ADL_VECTOR && type.width != parts[i]->view.type.width))
      reason = "The parts have different types.";
    else if (extent.rows > ADL_COUNT_LIMIT)
      reason = "A column would have more than 2^31 - 1 rows.";
    else if (extent.items > ADL_COUNT_LIMIT)
      reason = "A column would have more than 2^31 - 1 items.";
    else if (extent.bytes > ADL_COUNT_LIMIT)
      reason = "A column would have more than 2^31 - 1 bytes.";
    if (type.width < parts[i]->view.type.width) type = parts[i]->view.type;
  }
  adl_array *whole = NULL;
  if (reason == NULL) {
    whole = adl_array_allocate(type, extent, nulls > 0);
    if (whole == NULL) reason = errno == ENOMEM ? "Memory is out." : "A column would be too large.";
  }
  if (why != NULL) *why = reason;
  if (whole == NULL) return NULL;
  whole->view.null_count = (int32_t)nulls;
  for (int64_t i = 0; i < count; i++) append(whole, &done, &parts[i]->view, 0, parts[i]->view.rows);
  return whole;
}

adl_array *adl_array_slice(adl_array *array, int64_t first, int64_t rows) {
  const adl_column *column = &array->view;
  if (first < 0 || rows < 0 || first > column->rows || rows > column->rows - first) {
    errno = ERANGE;
    return NULL;
  }
  if (rows == column->rows) return adl_array_ref(array);
  adl_extent extent = {.rows = rows}, done = {0};
  int64_t first_text = first, end_text = first + rows;
  if (column->offsets != NULL) {
    first_text = column->offsets[first];
    end_text = column->offsets[first + rows];
    extent.items = end_text - first_text;
  }
  if (column->string_offsets != NULL)
    extent.bytes = column->string_offsets[end_text] - column->string_offsets[first_text];
  adl_array *part = adl_array_allocate(column->type, extent, column->null_count > 0);
  if (part == NULL) return NULL;
  append(part, &done, column, first, rows);
  if (column->null_count > 0)
    part->view.null_count = (int32_t)(rows - adl_bits_count(part->blocks[ADL_BLOCK_VALIDITY], rows));
  return part;
}
