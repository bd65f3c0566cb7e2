#include "core/data/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/aligned.h"
#include "core/data/table.h"

#define ARRAY_MAGIC UINT64_C(0x31304c4f4f505341) /* "ASPOOL01" */

/* ---- arrays ---- */

int adl_array_parts(const adl_array *array, adl_array_header *header, struct iovec parts[ADL_ARRAY_PARTS],
                    int64_t *total) {
  static const char zeros[ADL_ALIGNMENT];
  int64_t sizes[ADL_BLOCK_COUNT];
  adl_extent extent = adl_column_extent(&array->view);
  *header = (adl_array_header){.magic = ARRAY_MAGIC,
                               .type = array->view.type,
                               .rows = extent.rows,
                               .items = extent.items,
                               .bytes = extent.bytes,
                               .null_count = array->view.null_count,
                               .has_validity = array->view.validity != NULL};
  int count = 0;
  *total = sizeof *header;
  if (!adl_block_sizes(array->view.type, extent, sizes)) {
    errno = EOVERFLOW;
    return 0;
  }
  parts[count++] = (struct iovec){header, sizeof *header};
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) {
    if (sizes[b] == 0 || array->blocks[b] == NULL) continue;
    int64_t padding = adl_aligned_size(sizes[b]) - sizes[b];
    parts[count++] = (struct iovec){array->blocks[b], (size_t)sizes[b]};
    if (padding > 0) parts[count++] = (struct iovec){(void *)(uintptr_t)zeros, (size_t)padding};
    *total += sizes[b] + padding;
  }
  return count;
}

/* Do the offsets stay within what was read? */
static bool sound(const adl_array *array, adl_extent extent) {
  const adl_column *column = &array->view;
  adl_extent found = {.rows = extent.rows};
  int64_t texts = extent.rows;
  if (column->offsets != NULL) {
    for (int64_t i = 0; i < extent.rows; i++)
      if (column->offsets[i] > column->offsets[i + 1]) return false;
    texts = found.items = column->offsets[extent.rows];
    if (column->offsets[0] != 0 || found.items != extent.items) return false;
  }
  if (column->string_offsets != NULL) {
    for (int64_t i = 0; i < texts; i++)
      if (column->string_offsets[i] > column->string_offsets[i + 1]) return false;
    found.bytes = column->string_offsets[texts];
    if (column->string_offsets[0] != 0) return false;
  }
  return found.bytes == extent.bytes;
}

adl_array *adl_array_of_parts(bool (*get)(void *data, void *to, int64_t size), void *data) {
  adl_array_header header;
  int64_t sizes[ADL_BLOCK_COUNT];
  if (!get(data, &header, sizeof header)) return NULL;
  adl_extent extent = {.rows = header.rows, .items = header.items, .bytes = header.bytes};
  if (header.magic != ARRAY_MAGIC || !adl_type_valid(header.type, NULL) || header.null_count < 0 ||
      header.null_count > header.rows || !adl_block_sizes(header.type, extent, sizes)) {
    errno = EIO;
    return NULL;
  }
  adl_array *array = adl_array_allocate(header.type, extent, header.has_validity != 0);
  if (array == NULL) return NULL;
  for (int b = 0; b < ADL_BLOCK_COUNT; b++) {
    if (sizes[b] == 0 || array->blocks[b] == NULL) continue;
    if (!get(data, array->blocks[b], sizes[b])) {
      adl_array_unref(array);
      return NULL;
    }
  }
  array->view.null_count = header.null_count;
  if (sound(array, extent)) return array;
  adl_array_unref(array);
  errno = EIO;
  return NULL;
}

/* ---- writing messages ---- */

static uint8_t *room(adl_pack *pack, int64_t size) {
  int64_t padded = (size + 7) & ~INT64_C(7);
  if (pack->capacity - pack->size < padded) {
    pack->capacity = MAX(2 * pack->capacity, pack->size + padded + 4096);
    pack->data = g_realloc(pack->data, (gsize)pack->capacity);
  }
  uint8_t *at = pack->data + pack->size;
  if (padded > size) memset(at + padded - 8, 0, 8);
  pack->size += padded;
  return at;
}

void adl_pack_clear(adl_pack *pack) {
  g_free(pack->data);
  *pack = (adl_pack){0};
}

void adl_pack_int(adl_pack *pack, int64_t value) { memcpy(room(pack, 8), &value, 8); }

void adl_pack_float(adl_pack *pack, double value) { memcpy(room(pack, 8), &value, 8); }

void adl_pack_raw(adl_pack *pack, const void *bytes, int64_t size) {
  if (size > 0) memcpy(room(pack, size), bytes, (size_t)size);
}

void adl_pack_bytes(adl_pack *pack, const void *bytes, int64_t size) {
  adl_pack_int(pack, size);
  adl_pack_raw(pack, bytes, size);
}

void adl_pack_text(adl_pack *pack, const char *text) {
  if (text == NULL)
    adl_pack_int(pack, -1);
  else
    adl_pack_bytes(pack, text, (int64_t)strlen(text) + 1);
}

void adl_pack_array(adl_pack *pack, const adl_array *array) {
  adl_array_header header;
  struct iovec parts[ADL_ARRAY_PARTS];
  int64_t total = 0;
  int count = adl_array_parts(array, &header, parts, &total);
  g_assert(count > 0); /* an array in memory fits its own layout */
  uint8_t *at = room(pack, total);
  for (int i = 0; i < count; at += parts[i++].iov_len) memcpy(at, parts[i].iov_base, parts[i].iov_len);
}

static void pack_table(adl_pack *pack, const adl_table *table) {
  const char *keys = NULL;
  const int64_t *ends = NULL;
  const double *rows = NULL;
  int64_t count = adl_table_count(table);
  adl_table_parts(table, &keys, &ends, &rows);
  adl_pack_int(pack, adl_table_width(table));
  adl_pack_bytes(pack, ends, count * 8);
  adl_pack_bytes(pack, keys, count > 0 ? ends[count - 1] : 0);
  adl_pack_bytes(pack, rows, count * adl_table_width(table) * 8);
}

void adl_pack_tensors(adl_pack *pack, const adl_tensors *tensors) {
  int32_t arrays = 0, tables = 0;
  const char *name = NULL;
  adl_tensor tensor;
  const adl_table *table = NULL;
  while (adl_tensors_at(tensors, arrays, &name, &tensor)) arrays++;
  while (adl_tensors_table_at(tensors, tables, &name, &table)) tables++;
  adl_pack_int(pack, arrays);
  for (int32_t i = 0; i < arrays; i++) {
    adl_tensors_at(tensors, i, &name, &tensor);
    adl_pack_text(pack, name);
    adl_pack_int(pack, tensor.element);
    adl_pack_bytes(pack, tensor.size, tensor.dimensions * 8);
    adl_pack_bytes(pack, tensor.data, tensor.count * adl_tensor_element_size((adl_element)tensor.element));
  }
  adl_pack_int(pack, tables);
  for (int32_t i = 0; i < tables; i++) {
    adl_tensors_table_at(tensors, i, &name, &table);
    adl_pack_text(pack, name);
    pack_table(pack, table);
  }
}

/* ---- reading messages ---- */

static const uint8_t *take(adl_unpack *unpack, int64_t size) {
  if (size < 0 || unpack->bad || size > unpack->size - unpack->at) {
    unpack->bad = true;
    return NULL;
  }
  const uint8_t *at = unpack->data + unpack->at;
  unpack->at = MIN(unpack->size, unpack->at + ((size + 7) & ~INT64_C(7)));
  return at;
}

int64_t adl_unpack_int(adl_unpack *unpack) {
  int64_t value = 0;
  const uint8_t *at = take(unpack, 8);
  if (at != NULL) memcpy(&value, at, 8);
  return value;
}

int64_t adl_unpack_count(adl_unpack *unpack, int64_t each) {
  int64_t count = adl_unpack_int(unpack);
  if (count >= 0 && count <= (unpack->size - unpack->at) / each) return count;
  unpack->bad = true;
  return 0;
}

double adl_unpack_float(adl_unpack *unpack) {
  double value = 0;
  const uint8_t *at = take(unpack, 8);
  if (at != NULL) memcpy(&value, at, 8);
  return value;
}

const void *adl_unpack_bytes(adl_unpack *unpack, int64_t *size) {
  *size = adl_unpack_int(unpack);
  const void *bytes = take(unpack, *size);
  if (bytes == NULL) *size = 0;
  return bytes;
}

const char *adl_unpack_text(adl_unpack *unpack) {
  int64_t size = adl_unpack_int(unpack);
  if (size == -1 && !unpack->bad) return NULL;
  const char *text = (const char *)take(unpack, size);
  if (text != NULL && size > 0 && text[size - 1] == '\0') return text;
  unpack->bad = true;
  return "";
}

static bool get_from_message(void *data, void *to, int64_t size) {
  adl_unpack *unpack = data;
  const uint8_t *from = take(unpack, adl_aligned_size(size));
  if (from == NULL) {
    errno = EIO;
    return false;
  }
  memcpy(to, from, (size_t)size);
  return true;
}

adl_array *adl_unpack_array(adl_unpack *unpack) {
  adl_array *array = adl_array_of_parts(get_from_message, unpack);
  if (array == NULL) unpack->bad = true;
  return array;
}

static bool sizes_fit(const int64_t *sizes, int64_t dimensions, int64_t element, int64_t bytes) {
  if (element <= 0 || dimensions < 0 || dimensions > ADL_MAX_DIMENSIONS) return false;
  int64_t count = 1;
  for (int64_t i = 0; i < dimensions; i++)
    if (sizes[i] < 0 || __builtin_mul_overflow(count, sizes[i], &count)) return false;
  return !__builtin_mul_overflow(count, element, &count) && count == bytes;
}

static void unpack_tensor(adl_unpack *unpack, adl_tensors *tensors) {
  const char *name = adl_unpack_text(unpack), *why = NULL;
  int64_t element = adl_unpack_int(unpack), size_bytes = 0, bytes = 0;
  const int64_t *sizes = adl_unpack_bytes(unpack, &size_bytes);
  const void *from = adl_unpack_bytes(unpack, &bytes);
  bool fine = !unpack->bad && name != NULL && element >= 0 && element <= ADL_BYTES &&
              sizes_fit(sizes, size_bytes / 8, adl_tensor_element_size((adl_element)element), bytes);
  void *to = fine ? adl_tensors_get(tensors, name, (adl_element)element, (int32_t)(size_bytes / 8), sizes, &why) : NULL;
  if (to == NULL)
    unpack->bad = true;
  else if (bytes > 0)
    memcpy(to, from, (size_t)bytes);
}

static void unpack_table(adl_unpack *unpack, adl_tensors *tensors) {
  const char *name = adl_unpack_text(unpack);
  int64_t width = adl_unpack_int(unpack), end_bytes = 0, key_bytes = 0, row_bytes = 0;
  const int64_t *ends = adl_unpack_bytes(unpack, &end_bytes);
  const char *keys = adl_unpack_bytes(unpack, &key_bytes);
  const double *rows = adl_unpack_bytes(unpack, &row_bytes);
  int64_t count = end_bytes / 8, expected = 0;
  if (unpack->bad || name == NULL || width < 0 || __builtin_mul_overflow(count, width * 8, &expected) ||
      expected != row_bytes) {
    unpack->bad = true;
    return;
  }
  adl_table *table = adl_tensors_table(tensors, name, width);
  for (int64_t i = 0, begin = 0; table != NULL && i < count; begin = ends[i++]) {
    if (ends[i] < begin || ends[i] > key_bytes || adl_table_insert(table, keys + begin, ends[i] - begin) != i) {
      unpack->bad = true;
      return;
    }
    if (width > 0) memcpy(adl_table_row(table, i), rows + i * width, (size_t)width * 8);
  }
  if (table == NULL) unpack->bad = true;
}

adl_tensors *adl_unpack_tensors(adl_unpack *unpack) {
  adl_tensors *tensors = adl_tensors_new();
  int64_t arrays = adl_unpack_count(unpack, 32);
  for (int64_t i = 0; i < arrays && !unpack->bad; i++) unpack_tensor(unpack, tensors);
  int64_t tables = adl_unpack_count(unpack, 40);
  for (int64_t i = 0; i < tables && !unpack->bad; i++) unpack_table(unpack, tensors);
  return tensors;
}
