/* Sorting and summing the entries of one sparse row; see entries.h. A row usually has some tens of entries with
 * well-spread indices. Where the machine compares eight numbers at a time, each entry is put where the count of smaller
 * ones says, without a branch. Elsewhere they are dealt to 64 buckets by their top bits, after which insertion has next to
 * nothing to do. Long rows go through a byte-wise radix sort. All are stable, so equal indices are summed in a fixed
 * order. */
#include "common/entries.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "common/simd.h"

enum { INSERTION_LIMIT = 6, RANK_LIMIT = 64, BUCKET_LIMIT = 192, BUCKET_BITS = 6, BUCKETS = 1 << BUCKET_BITS };
enum { RANK_INDEX_BITS = 31 - 6 }; /* with 6 bits for the place in the row, a signed number */

static void sort_by_insertion(uint64_t *entries, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    uint64_t entry = entries[i];
    uint64_t key = entry >> 32;
    int64_t at = i;
    for (; at > 0 && entries[at - 1] >> 32 > key; at--) entries[at] = entries[at - 1];
    entries[at] = entry;
  }
}

/* Turns the sizes of the buckets into their first positions: eight bytes at a time, as a product with 0x0101... has in
 * each byte the sum of all bytes up to it. */
static void sizes_to_starts(uint8_t bucket[BUCKETS]) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  const uint64_t ones = UINT64_C(0x0101010101010101);
  uint64_t before = 0;
  for (int at = 0; at < BUCKETS; at += 8) {
    uint64_t eight;
    memcpy(&eight, bucket + at, 8);
    uint64_t sums = eight * ones;
    uint64_t starts = (sums << 8) + before * ones;
    memcpy(bucket + at, &starts, 8);
    before += sums >> 56;
  }
#else
  uint8_t before = 0;
  for (int at = 0; at < BUCKETS; at++) {
    uint8_t size = bucket[at];
    bucket[at] = before;
    before = (uint8_t)(before + size);
  }
#endif
}

/* count <= BUCKET_LIMIT, so that positions fit a byte. The result is in `sorted`. */
static void sort_by_buckets(const uint64_t *entries, uint64_t *sorted, int64_t count, int index_bits) {
  uint8_t bucket[BUCKETS] = {0};
  int shift = 32 + (index_bits > BUCKET_BITS ? index_bits - BUCKET_BITS : 0);
  for (int64_t i = 0; i < count; i++) bucket[entries[i] >> shift]++;
  sizes_to_starts(bucket);
  for (int64_t i = 0; i < count; i++) sorted[bucket[entries[i] >> shift]++] = entries[i];
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

/* Sums equal neighbours and drops sums of zero. */
static int64_t sum_sorted(const uint64_t *sorted, int64_t count, uint32_t *index, float *value) {
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

#ifdef ADL_SIMD_X86
#include <immintrin.h>

/* count <= RANK_LIMIT, indices of at most RANK_INDEX_BITS bits. The result is in `sorted`, and as far as no index comes
 * twice, which is what is returned, in index and value. */
__attribute__((target("avx2"))) static bool sort_by_rank(const uint64_t *entries, uint64_t *sorted, int64_t count,
                                                         uint32_t *index, float *value) {
  _Alignas(32) int32_t key[RANK_LIMIT], rank[RANK_LIMIT];
  int64_t wide = (count + 7) & ~INT64_C(7);
  for (int64_t i = 0; i < count; i++) key[i] = (int32_t)((entries[i] >> 32) << 6 | (uint64_t)i);
  for (int64_t i = count; i < wide; i++) key[i] = INT32_MAX;
  for (int64_t first = 0; first < wide; first += 16) { /* two vectors at a time, their ranks in registers */
    int64_t second = first + 8 < wide ? first + 8 : first;
    __m256i keys0 = _mm256_load_si256((const __m256i *)(key + first)), ranks0 = _mm256_setzero_si256();
    __m256i keys1 = _mm256_load_si256((const __m256i *)(key + second)), ranks1 = ranks0;
    for (int64_t i = 0; i < count; i++) {
      __m256i one = _mm256_set1_epi32(key[i]);
      ranks0 = _mm256_sub_epi32(ranks0, _mm256_cmpgt_epi32(keys0, one));
      ranks1 = _mm256_sub_epi32(ranks1, _mm256_cmpgt_epi32(keys1, one));
    }
    _mm256_store_si256((__m256i *)(rank + first), ranks0);
    _mm256_store_si256((__m256i *)(rank + second), ranks1);
  }
  for (int64_t i = 0; i < count; i++) {
    sorted[rank[i]] = entries[i];
    index[rank[i]] = adl_entry_index(entries[i]);
    value[rank[i]] = adl_entry_value(entries[i]);
  }
  int64_t twice = 0;
  for (int64_t i = 1; i < count; i++) twice += index[i] == index[i - 1];
  return twice == 0;
}

/* Asked for every row, so the answer is kept: 0 is unknown. */
static bool has_vectors(void) {
  static _Atomic int8_t known;
  int8_t answer = atomic_load_explicit(&known, memory_order_relaxed);
  if (answer == 0) {
    answer = adl_simd_level() >= ADL_SIMD_AVX2 ? 1 : -1;
    atomic_store_explicit(&known, answer, memory_order_relaxed);
  }
  return answer > 0;
}

static bool rank_suits(int64_t count, int index_bits) {
  return count <= RANK_LIMIT && index_bits <= RANK_INDEX_BITS && has_vectors();
}
#else
static bool sort_by_rank(const uint64_t *entries, uint64_t *sorted, int64_t count, uint32_t *index, float *value) {
  (void)index, (void)value;
  memcpy(sorted, entries, (size_t)count * sizeof *entries);
  sort_by_insertion(sorted, count);
  return false;
}

static bool rank_suits(int64_t count, int index_bits) {
  (void)count;
  (void)index_bits;
  return false;
}
#endif

static bool any_zero(const float *value, int64_t count) {
  int64_t zeros = 0;
  for (int64_t i = 0; i < count; i++) zeros += value[i] == 0;
  return zeros > 0;
}

int64_t adl_entries_merge(uint64_t *entries, uint64_t *scratch, int64_t count, uint32_t *index, float *value) {
  if (count <= INSERTION_LIMIT) {
    sort_by_insertion(entries, count);
    return sum_sorted(entries, count, index, value);
  }
  uint64_t any = 0;
  for (int64_t i = 0; i < count; i++) any |= entries[i];
  int index_bits = any >> 32 == 0 ? 0 : 32 - __builtin_clz((unsigned)(any >> 32));
  if (count > BUCKET_LIMIT) return sum_sorted(sort_by_radix(entries, scratch, count, index_bits), count, index, value);
  if (!rank_suits(count, index_bits))
    sort_by_buckets(entries, scratch, count, index_bits);
  else if (sort_by_rank(entries, scratch, count, index, value) && !any_zero(value, count))
    return count;
  return sum_sorted(scratch, count, index, value);
}
