/* Sorting and summing the entries of one sparse row; see entries.h. A row usually has some tens of entries with
 * well-spread indices: those are dealt to 64 buckets by their top bits, after which insertion has next to nothing to
 * do. Long rows go through a byte-wise radix sort. Both are stable, so equal indices are summed in a fixed order. */
#include "common/entries.h"

enum { INSERTION_LIMIT = 10, BUCKET_LIMIT = 192, BUCKETS = 64 };

static void sort_by_insertion(uint64_t *entries, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    uint64_t entry = entries[i];
    uint64_t key = entry >> 32;
    int64_t at = i;
    for (; at > 0 && entries[at - 1] >> 32 > key; at--) entries[at] = entries[at - 1];
    entries[at] = entry;
  }
}

/* count <= BUCKET_LIMIT, so that positions fit a byte. The result is in `sorted`. */
static void sort_by_buckets(const uint64_t *entries, uint64_t *sorted, int64_t count, int index_bits) {
  uint8_t start[BUCKETS] = {0};
  int shift = 32 + (index_bits > 6 ? index_bits - 6 : 0);
  for (int64_t i = 0; i < count; i++) start[entries[i] >> shift]++;
  uint8_t sum = 0;
  for (int bucket = 0; bucket < BUCKETS; bucket++) {
    uint8_t size = start[bucket];
    start[bucket] = sum;
    sum = (uint8_t)(sum + size);
  }
  for (int64_t i = 0; i < count; i++) sorted[start[entries[i] >> shift]++] = entries[i];
  sort_by_insertion(sorted, count);
}

/* Returns whichever of the two buffers holds the result. */
static uint64_t *sort_by_radix(uint64_t *entries, uint64_t *scratch, int64_t count, int index_bits) {
  for (int shift = 32; shift < 32 + index_bits; shift += 8) {
    int64_t start[256] = {0};
    for (int64_t i = 0; i < count; i++) start[(entries[i] >> shift) & 255]++;
    int64_t sum = 0;
    for (int digit = 0; digit < 256; digit++) {
      int64_t size = start[digit];
      start[digit] = sum;
      sum += size;
    }
    for (int64_t i = 0; i < count; i++) scratch[start[(entries[i] >> shift) & 255]++] = entries[i];
    uint64_t *sorted = scratch;
    scratch = entries;
    entries = sorted;
  }
  return entries;
}

int64_t adl_entries_merge(uint64_t *entries, uint64_t *scratch, int64_t count, uint32_t *index, float *value) {
  const uint64_t *sorted = entries;
  if (count <= INSERTION_LIMIT) {
    sort_by_insertion(entries, count);
  } else {
    uint64_t any = 0;
    for (int64_t i = 0; i < count; i++) any |= entries[i];
    int index_bits = 0;
    while (index_bits < 32 && any >> 32 >> index_bits != 0) index_bits++;
    if (count <= BUCKET_LIMIT) {
      sort_by_buckets(entries, scratch, count, index_bits);
      sorted = scratch;
    } else {
      sorted = sort_by_radix(entries, scratch, count, index_bits);
    }
  }
  int64_t left = 0;
  for (int64_t i = 0; i < count;) {
    uint32_t at = adl_entry_index(sorted[i]);
    float sum = adl_entry_value(sorted[i]);
    for (i++; i < count && adl_entry_index(sorted[i]) == at; i++) sum += adl_entry_value(sorted[i]);
    index[left] = at;
    value[left] = sum;
    left += sum != 0;
  }
  return left;
}
