/* Sorting and summing the entries of one sparse row; see entries.h. A row usually has some tens of entries with
 * well-spread indices. Where the machine compares eight numbers at a time, each entry is put where the count of smaller
 * ones says, without a branch (`by rank`, of pairs in two arrays; the others sort pairs in one word). Elsewhere they are
 * dealt to 64 buckets by their top bits, after which insertion has next to nothing to do. Long rows go through a byte-wise
 * radix sort. All are stable, so equal indices are summed in a fixed order. */
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

/* How many bits the largest of them has, or one with the same highest bit. */
ADL_LOOPS static int bits_of(const uint32_t *numbers, int64_t count) {
  uint32_t any = 0;
  for (int64_t i = 0; i < count; i++) any |= numbers[i];
  return any == 0 ? 0 : 32 - __builtin_clz(any);
}

#ifdef ADL_SIMD_X86
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* For each of `vectors` times 8 keys, how many of all `count` keys are smaller. */
AVX2 static inline __attribute__((always_inline)) void count_smaller(const int32_t *key, int64_t count, int vectors,
                                                                     int first, int32_t *rank) {
  __m256i keys[7], ranks[7];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; v++) {
    keys[v] = _mm256_load_si256((const __m256i *)(key + first + 8 * v));
    ranks[v] = _mm256_setzero_si256();
  }
  for (int64_t i = 0; i < count; i++) {
    __m256i one = _mm256_set1_epi32(key[i]);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; v++) ranks[v] = _mm256_sub_epi32(ranks[v], _mm256_cmpgt_epi32(keys[v], one));
  }
#pragma GCC unroll 8
  for (int v = 0; v < vectors; v++) _mm256_store_si256((__m256i *)(rank + first + 8 * v), ranks[v]);
}

/* All keys and their ranks in registers, as far as there are so many. */
AVX2 static void rank_keys(const int32_t *key, int64_t count, int32_t *rank) {
  switch ((count + 7) / 8) {
    case 1: count_smaller(key, count, 1, 0, rank); break;
    case 2: count_smaller(key, count, 2, 0, rank); break;
    case 3: count_smaller(key, count, 3, 0, rank); break;
    case 4: count_smaller(key, count, 4, 0, rank); break;
    case 5: count_smaller(key, count, 5, 0, rank); break;
    case 6: count_smaller(key, count, 6, 0, rank); break;
    case 7: count_smaller(key, count, 7, 0, rank); break;
    default:
      count_smaller(key, count, 4, 0, rank);
      count_smaller(key, count, 4, 32, rank);
      break;
  }
}

/* Indices with the place in the row below them; behind `count`, up to a multiple of eight, the largest number. */
AVX2 static void make_keys(const uint32_t *from, int64_t count, int32_t *key) {
  __m256i place = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i index = _mm256_loadu_si256((const __m256i *)(const void *)(from + i));
    _mm256_store_si256((__m256i *)(key + i), _mm256_or_si256(_mm256_slli_epi32(index, 6), place));
    place = _mm256_add_epi32(place, _mm256_set1_epi32(8));
  }
  for (; i < count; i++) key[i] = (int32_t)(from[i] << 6 | (uint32_t)i);
  for (; i % 8 != 0; i++) key[i] = INT32_MAX;
}

/* Sums equal neighbours and drops sums of zero, in place. */
static int64_t sum_pairs(uint32_t *index, float *value, int64_t count) {
  int64_t left = 0;
  for (int64_t i = 0; i < count;) {
    uint32_t at = index[i];
    float sum = value[i];
    for (i++; i < count && index[i] == at; i++) sum += value[i];
    index[left] = at;
    value[left] = sum;
    left += sum != 0;
  }
  return left;
}

/* That no value is 0 and, of sorted indices, that none comes twice. */
AVX2 static bool nothing_to_sum(const uint32_t *index, const float *value, int64_t count) {
  __m256i odd = _mm256_setzero_si256();
  int64_t i = 0;
  uint32_t rest = value[0] == 0;
  for (; i + 8 < count; i += 8) {
    __m256i some = _mm256_loadu_si256((const __m256i *)(const void *)(index + i));
    __m256i next = _mm256_loadu_si256((const __m256i *)(const void *)(index + i + 1));
    __m256 zero = _mm256_cmp_ps(_mm256_loadu_ps(value + i + 1), _mm256_setzero_ps(), _CMP_EQ_OQ);
    odd = _mm256_or_si256(odd, _mm256_or_si256(_mm256_cmpeq_epi32(some, next), _mm256_castps_si256(zero)));
  }
  for (; i + 1 < count; i++) rest |= (uint32_t)(index[i] == index[i + 1]) | (uint32_t)(value[i + 1] == 0);
  return rest == 0 && _mm256_testz_si256(odd, odd);
}

/* count <= RANK_LIMIT, at least 1, indices of at most RANK_INDEX_BITS bits. */
AVX2 static int64_t merge_by_rank(const uint32_t *from, const float *values, int64_t count, uint32_t *index,
                                  float *value) {
  _Alignas(32) int32_t key[RANK_LIMIT], rank[RANK_LIMIT];
  make_keys(from, count, key);
  rank_keys(key, count, rank);
  for (int64_t i = 0; i < count; i++) {
    index[rank[i]] = from[i];
    value[rank[i]] = values[i];
  }
  return nothing_to_sum(index, value, count) ? count : sum_pairs(index, value, count);
}

/* The same, where only how often each index occurs is wanted. Most rows of words have some twice, at places that no branch
 * can guess. */
AVX2 static int64_t count_by_rank(const uint32_t *from, int64_t count, uint32_t *index, float *value) {
  _Alignas(32) int32_t key[RANK_LIMIT], rank[RANK_LIMIT];
  make_keys(from, count, key);
  rank_keys(key, count, rank);
  for (int64_t i = 0; i < count; i++) index[rank[i]] = from[i];
  uint32_t before = ~index[0];
  int32_t left = -1, first = 0;
  for (int32_t i = 0; i < (int32_t)count; i++) {
    uint32_t at = index[i];
    int32_t is_new = at != before;
    left += is_new;
    first ^= (first ^ i) & -is_new;
    index[left] = before = at;
    value[left] = (float)(i - first + 1);
  }
  return left + 1;
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

static bool rank_suits(const uint32_t *indices, int64_t count) {
  return count > INSERTION_LIMIT && count <= RANK_LIMIT && has_vectors() && bits_of(indices, count) <= RANK_INDEX_BITS;
}
#else
static int64_t merge_by_rank(const uint32_t *from, const float *values, int64_t count, uint32_t *index, float *value) {
  (void)from, (void)values, (void)index, (void)value;
  return count;
}

static int64_t count_by_rank(const uint32_t *from, int64_t count, uint32_t *index, float *value) {
  (void)from, (void)index, (void)value;
  return count;
}

static bool rank_suits(const uint32_t *indices, int64_t count) {
  (void)indices, (void)count;
  return false;
}
#endif

static int64_t merge_words(uint64_t *entries, uint64_t *scratch, int64_t count, uint32_t *index, float *value) {
  if (count <= INSERTION_LIMIT) {
    sort_by_insertion(entries, count);
    return sum_sorted(entries, count, index, value);
  }
  uint64_t any = 0;
  for (int64_t i = 0; i < count; i++) any |= entries[i];
  int index_bits = any >> 32 == 0 ? 0 : 32 - __builtin_clz((unsigned)(any >> 32));
  if (count > BUCKET_LIMIT) return sum_sorted(sort_by_radix(entries, scratch, count, index_bits), count, index, value);
  sort_by_buckets(entries, scratch, count, index_bits);
  return sum_sorted(scratch, count, index, value);
}

int64_t adl_entries_merge(uint64_t *entries, uint64_t *scratch, int64_t count, uint32_t *index, float *value) {
  uint32_t indices[RANK_LIMIT];
  float values[RANK_LIMIT];
  for (int64_t i = 0; count <= RANK_LIMIT && i < count; i++) {
    indices[i] = adl_entry_index(entries[i]);
    values[i] = adl_entry_value(entries[i]);
  }
  if (rank_suits(indices, count)) return merge_by_rank(indices, values, count, index, value);
  return merge_words(entries, scratch, count, index, value);
}

int64_t adl_entries_merge_pairs(const uint32_t *from, const float *values, uint64_t *scratch, int64_t count,
                                uint32_t *index, float *value) {
  if (rank_suits(from, count)) return merge_by_rank(from, values, count, index, value);
  for (int64_t i = 0; i < count; i++) scratch[i] = adl_entry(from[i], values[i]);
  return merge_words(scratch, scratch + count, count, index, value);
}

int64_t adl_entries_count(const uint32_t *from, uint64_t *scratch, int64_t count, uint32_t *index, float *value) {
  if (rank_suits(from, count)) return count_by_rank(from, count, index, value);
  for (int64_t i = 0; i < count; i++) scratch[i] = adl_entry(from[i], 1);
  return merge_words(scratch, scratch + count, count, index, value);
}
