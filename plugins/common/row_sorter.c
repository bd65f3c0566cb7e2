/* A row's dimensions into rising order, as entries of a sparse row; see row_sorter.h. */
#include "common/row_sorter.h"

#include "common/entries.h"

enum { FEW = 64 };

static void make_room(adl_row_sorter *sorter, int64_t count) {
  if (count <= sorter->capacity && sorter->keys != NULL) return;
  const adl_host *host = sorter->call->host;
  sorter->capacity = 2 * count + FEW;
  sorter->keys = host->alloc(sorter->call, (size_t)sorter->capacity * sizeof *sorter->keys);
  sorter->other = host->alloc(sorter->call, (size_t)sorter->capacity * sizeof *sorter->other);
  sorter->value = host->alloc(sorter->call, (size_t)sorter->capacity * sizeof *sorter->value);
}

int64_t adl_row_sort(adl_row_sorter *sorter, const uint32_t *dimension, const float *weight, int64_t count,
                     uint32_t *index, float *value) {
  int64_t kept = 0;
  make_room(sorter, count);
  for (int64_t i = 0; i < count; i++) {
    sorter->keys[kept] = adl_entry(dimension[i], weight != NULL ? weight[i] : 1);
    kept += dimension[i] != ADL_NO_DIMENSION;
  }
  return adl_entries_merge(sorter->keys, sorter->other, kept, index, value);
}

int64_t adl_row_sort_set(adl_row_sorter *sorter, uint32_t *dimension, int64_t count) {
  make_room(sorter, count);
  return adl_row_sort(sorter, dimension, NULL, count, dimension, sorter->value);
}
