/* A row's dimensions into rising order, as entries of a sparse row; see row_sorter.h. */
#include "common/row_sorter.h"

#include <string.h>

#include "common/entries.h"

enum { FEW = 64 };

static void make_room(adl_row_sorter *sorter, int64_t count) {
  if (count <= sorter->capacity && sorter->words != NULL) return;
  const adl_host *host = sorter->call->host;
  sorter->capacity = 2 * count + FEW;
  sorter->words = host->alloc(sorter->call, 2 * (size_t)sorter->capacity * sizeof *sorter->words);
  sorter->dimension = host->alloc(sorter->call, (size_t)sorter->capacity * sizeof *sorter->dimension);
  sorter->weight = host->alloc(sorter->call, (size_t)sorter->capacity * sizeof *sorter->weight);
}

int64_t adl_row_sort(adl_row_sorter *sorter, const uint32_t *dimension, const float *weight, int64_t count,
                     uint32_t *index, float *value) {
  int64_t kept = 0;
  make_room(sorter, count);
  for (int64_t i = 0; i < count; i++) {
    sorter->dimension[kept] = dimension[i];
    if (weight != NULL) sorter->weight[kept] = weight[i];
    kept += dimension[i] != ADL_NO_DIMENSION;
  }
  if (weight == NULL) return adl_entries_count(sorter->dimension, sorter->words, kept, index, value);
  return adl_entries_merge_pairs(sorter->dimension, sorter->weight, sorter->words, kept, index, value);
}

/* At least twice as many slots as the row has dimensions. The rows before need not be taken out. */
static void begin_row(adl_row_set *set, int64_t count) {
  enum { LEAST = 256 };
  if (2 * count > set->slot_count || set->row == UINT32_MAX) {
    int64_t slot_count = set->slot_count > 0 ? set->slot_count : LEAST;
    while (2 * count > slot_count) slot_count *= 2;
    if (slot_count > set->slot_count)
      set->slots = set->call->host->alloc(set->call, (size_t)slot_count * sizeof *set->slots);
    set->slot_count = slot_count;
    memset(set->slots, 0, (size_t)slot_count * sizeof *set->slots);
    set->row = 0;
  }
  set->row++;
}

void adl_row_set_count(adl_row_set *set, const uint32_t *dimension, int64_t from, int64_t to, int64_t end,
                       uint32_t *held_by) {
  enum { AHEAD = 32 };
  begin_row(set, to - from);
  uint64_t *slots = set->slots, mask = (uint64_t)set->slot_count - 1, row = (uint64_t)set->row << 32;
  for (int64_t i = from; i < to; i++) {
    if (i + AHEAD < end) __builtin_prefetch(&held_by[dimension[i + AHEAD]], 1);
    uint64_t entry = row | dimension[i], at = dimension[i] * UINT64_C(0x9e3779b97f4a7c15) >> 32 & mask;
    while (slots[at] != entry && slots[at] >> 32 == set->row) at = (at + 1) & mask;
    held_by[dimension[i]] += slots[at] != entry;
    slots[at] = entry;
  }
}
