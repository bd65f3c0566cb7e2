/* Keys as columns again: see key_columns.h. */
#include "common/key_columns.h"

#include <string.h>

#include "common/key.h"

static void put_key(const adl_buffers *to, adl_element element, int64_t row, const adl_key_value *value) {
  switch (element) {
    case ADL_BOOL: adl_bit_set(to->data, row, value->integer != 0); break;
    case ADL_INT32: ((int32_t *)to->data)[row] = (int32_t)value->integer; break;
    case ADL_UINT32: ((uint32_t *)to->data)[row] = (uint32_t)value->integer; break;
    case ADL_FLOAT32: ((float *)to->data)[row] = (float)value->number; break;
    case ADL_FLOAT64: ((double *)to->data)[row] = value->number; break;
    case ADL_STRING:
    case ADL_BYTES: {
      int32_t at = to->string_offsets[row];
      if (value->text.size > 0) memcpy((char *)to->data + at, value->text.data, (size_t)value->text.size);
      to->string_offsets[row + 1] = at + value->text.size;
      break;
    }
    default: ((int64_t *)to->data)[row] = value->integer; break;
  }
}

adl_status adl_key_columns_write(const adl_call *call, const adl_inputs *by, const int32_t *slots, const adl_text *keys,
                                 int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  int64_t columns = by->count, bytes = 0, longest = 0;
  adl_buffers *to = host->alloc(call, (size_t)columns * sizeof *to);
  for (int64_t row = 0; row < rows; row++) {
    bytes += keys[row].size;
    longest = keys[row].size > longest ? keys[row].size : longest;
  }
  char *buffer = host->alloc(call, (size_t)longest + 1);
  for (int64_t i = 0; i < columns; i++) ADL_TRY(host->reserve(call, out, slots[i], rows, 0, bytes, &to[i]));
  for (int64_t row = 0; row < rows; row++) {
    adl_key_reader reader = {(const uint8_t *)keys[row].data, (const uint8_t *)keys[row].data + keys[row].size};
    for (int64_t i = 0; i < columns; i++) {
      adl_element element = (adl_element)by->items[i].type.element;
      adl_key_value value;
      adl_key_next(&reader, element, i + 1 == columns, buffer, &value);
      put_key(&to[i], element, row, &value);
    }
  }
  return ADL_OK;
}
