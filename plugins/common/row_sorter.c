/* A row's dimensions into rising order; see row_sorter.h. Each is sorted with its place behind it, so that equal ones keep
 * their order whatever the method. */
#include "common/row_sorter.h"

/* More than this are sorted by bytes. */
enum { FEW = 64 };

static void sort_few(uint64_t *keys, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    uint64_t key = keys[i];
    int64_t at = i;
    for (; at > 0 && keys[at - 1] > key; at--) keys[at] = keys[at - 1];
    keys[at] = key;
  }
}

/* By the bytes of the dimension, the lowest first; places rise already. Returns where the result is. */
static uint64_t *sort_many(uint64_t *from, uint64_t *to, int64_t count, uint32_t any) {
  for (int shift = 32; any != 0; shift += 8, any >>= 8) {
    int64_t start[257] = {0};
    for (int64_t i = 0; i < count; i++) start[(from[i] >> shift & 255) + 1]++;
    for (int byte = 0; byte < 255; byte++) start[byte + 1] += start[byte];
    for (int64_t i = 0; i < count; i++) to[start[from[i] >> shift & 255]++] = from[i];
    uint64_t *swap = from;
    from = to;
    to = swap;
  }
  return from;
}

/* Dimension and place of what has a dimension, sorted. */
static uint64_t *sort(adl_row_sorter *sorter, const uint32_t *dimension, int64_t count, int64_t *kept) {
  uint32_t any = 0;
  if (count > sorter->capacity || sorter->keys == NULL) {
    sorter->capacity = 2 * count + FEW;
    sorter->keys = sorter->call->host->alloc(sorter->call, (size_t)sorter->capacity * sizeof *sorter->keys);
    sorter->other = sorter->call->host->alloc(sorter->call, (size_t)sorter->capacity * sizeof *sorter->other);
  }
  *kept = 0;
  for (int64_t i = 0; i < count; i++) {
    sorter->keys[*kept] = (uint64_t)dimension[i] << 32 | (uint64_t)i;
    *kept += dimension[i] != ADL_NO_DIMENSION;
    any |= dimension[i];
  }
  if (*kept > FEW) return sort_many(sorter->keys, sorter->other, *kept, any);
  sort_few(sorter->keys, *kept);
  return sorter->keys;
}

int64_t adl_row_sort(adl_row_sorter *sorter, const uint32_t *dimension, const float *weight, int64_t count,
                     uint32_t *index, float *value) {
  int64_t kept, distinct = 0;
  const uint64_t *keys = sort(sorter, dimension, count, &kept);
  for (int64_t i = 0; i < kept; i++) {
    uint32_t at = (uint32_t)(keys[i] >> 32);
    float weighs = weight != NULL ? weight[(uint32_t)keys[i]] : 1;
    if (distinct > 0 && index[distinct - 1] == at) {
      value[distinct - 1] += weighs;
    } else {
      index[distinct] = at;
      value[distinct++] = weighs;
    }
  }
  return distinct;
}

int64_t adl_row_sort_set(adl_row_sorter *sorter, uint32_t *dimension, int64_t count) {
  int64_t kept, distinct = 0;
  const uint64_t *keys = sort(sorter, dimension, count, &kept);
  for (int64_t i = 0; i < kept; i++) {
    uint32_t at = (uint32_t)(keys[i] >> 32);
    if (distinct == 0 || dimension[distinct - 1] != at) dimension[distinct++] = at;
  }
  return distinct;
}
