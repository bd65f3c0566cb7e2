/* The entries of one sparse row in the making: (index, value) pairs in any order, sorted by index and summed up where
 * an index occurs twice. Used by every class that emits a sparse column. */
#ifndef ADLOOM_COMMON_ENTRIES_H
#define ADLOOM_COMMON_ENTRIES_H

#include <stdint.h>
#include <string.h>

/* One pair in a word: the index above, the value's bits below. */
static inline uint64_t adl_entry(uint32_t index, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (uint64_t)index << 32 | bits;
}

static inline uint32_t adl_entry_index(uint64_t entry) { return (uint32_t)(entry >> 32); }

static inline float adl_entry_value(uint64_t entry) {
  uint32_t bits = (uint32_t)entry;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/*
 * Sorts `count` entries by index, sums values of equal indices in the order in which they were given, leaves out sums
 * of zero, and writes the rest to index and value. Returns how many are left. `entries` and `scratch` (as long as
 * entries) are overwritten.
 */
int64_t adl_entries_merge(uint64_t *entries, uint64_t *scratch, int64_t count, uint32_t *index, float *value);

/* The same of pairs in two arrays, which are only read and do not overlap index and value. `scratch` has 2 * count words. */
int64_t adl_entries_merge_pairs(const uint32_t *from, const float *values, uint64_t *scratch, int64_t count,
                                uint32_t *index, float *value);

/* The same of indices that are worth 1 each. */
int64_t adl_entries_count(const uint32_t *from, uint64_t *scratch, int64_t count, uint32_t *index, float *value);

#endif
