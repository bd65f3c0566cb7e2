/* Radix sort from the lowest digit up, see key_order.h. */
#include "common/key_order.h"

#include <stdlib.h>
#include <string.h>

#include "common/key.h"

enum { MOST_BITS = 11, MOST_VALUES = 1 << MOST_BITS, FEW = 48 };

static void insertion_sort(adl_radix_pair *pairs, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    adl_radix_pair pair = pairs[i];
    int64_t at = i;
    for (; at > 0 && pairs[at - 1].key > pair.key; at--) pairs[at] = pairs[at - 1];
    pairs[at] = pair;
  }
}

/* A step of a long walk: now and then the host is asked, which may put what lies behind out of memory. */
static void walk(const adl_call *call, int64_t i) {
  if ((i & 0xffff) == 0 && call != NULL) call->host->cancelled(call);
}

/* Bits that are not the same in all keys. */
static uint64_t varying_bits(const adl_radix_pair *pairs, int64_t count) {
  uint64_t all = pairs[0].key, any = all;
  for (int64_t i = 1; i < count; i++) {
    all &= pairs[i].key;
    any |= pairs[i].key;
  }
  return all ^ any;
}

/* Deals the pairs out by the digit of `mask` that begins at bit `shift`. */
static void sort_by_digit(const adl_call *call, const adl_radix_pair *from, adl_radix_pair *to, int64_t count,
                          int shift, uint64_t mask) {
  int64_t starts[MOST_VALUES] = {0};
  for (int64_t i = 0; i < count; i++) {
    walk(call, i);
    starts[from[i].key >> shift & mask]++;
  }
  for (uint64_t value = 0, before = 0; value <= mask; value++) {
    uint64_t own = (uint64_t)starts[value];
    starts[value] = (int64_t)before;
    before += own;
  }
  for (int64_t i = 0; i < count; i++) {
    walk(call, i);
    to[starts[from[i].key >> shift & mask]++] = from[i];
  }
}

void adl_radix_sort(const adl_call *call, adl_radix_pair *pairs, adl_radix_pair *room, int64_t count) {
  adl_radix_pair *from = pairs, *to = room;
  if (count <= FEW) {
    insertion_sort(pairs, count);
    return;
  }
  uint64_t varying = varying_bits(pairs, count);
  if (varying == 0) return;
  int low = __builtin_ctzll(varying), bits = 64 - __builtin_clzll(varying) - low;
  int digits = (bits + MOST_BITS - 1) / MOST_BITS, width = (bits + digits - 1) / digits;
  for (int shift = low; shift < low + bits; shift += width) {
    uint64_t mask = (UINT64_C(1) << width) - 1;
    if ((varying >> shift & mask) == 0) continue;
    sort_by_digit(call, from, to, count, shift, mask);
    adl_radix_pair *sorted = to;
    to = from;
    from = sorted;
  }
  if (from != pairs) memcpy(pairs, from, (size_t)count * sizeof *pairs);
}

/* ---- keys ---- */

/* How many bytes all keys begin with. */
static int32_t common_bytes(const adl_call *call, const adl_table *table, int64_t count) {
  adl_text first = call->host->table_key(table, 0);
  int32_t same = first.size;
  for (int64_t i = 1; i < count && same > 0; i++) {
    adl_text key = call->host->table_key(table, i);
    if (key.size < same) same = key.size;
    if (memcmp(first.data, key.data, (size_t)same) == 0) continue;
    for (int32_t at = 0; at < same; at++)
      if (first.data[at] != key.data[at]) same = at;
  }
  return same;
}

/* Eight bytes from `at` on as a number of that order; behind the end of the key, zeros. */
static uint64_t word_at(adl_text key, int32_t at) {
  uint8_t bytes[8] = {0};
  uint64_t word = 0;
  if (key.size > at) memcpy(bytes, key.data + at, key.size - at < 8 ? (size_t)(key.size - at) : 8);
  for (int i = 0; i < 8; i++) word = word << 8 | bytes[i];
  return word;
}

typedef struct sorted_key {
  adl_text key;
  int64_t row;
} sorted_key;

static int compare_keys(const void *a, const void *b) {
  return adl_key_compare(((const sorted_key *)a)->key, ((const sorted_key *)b)->key);
}

/* Keys whose words are alike, by the whole of them. `keys`: room for them. */
static void sort_alike(const adl_call *call, const adl_table *table, adl_radix_pair *pairs, int64_t count,
                       sorted_key *keys) {
  for (int64_t i = 0; i < count; i++)
    keys[i] = (sorted_key){call->host->table_key(table, (int64_t)pairs[i].value), (int64_t)pairs[i].value};
  qsort(keys, (size_t)count, sizeof *keys, compare_keys);
  for (int64_t i = 0; i < count; i++) pairs[i].value = (uint64_t)keys[i].row;
}

int64_t *adl_keys_order(const adl_call *call, const adl_table *table, int64_t count) {
  const adl_host *host = call->host;
  int64_t *order = host->alloc(call, ((size_t)count + 1) * sizeof *order);
  adl_radix_pair *pairs = host->alloc(call, ((size_t)count + 1) * sizeof *pairs);
  adl_radix_pair *room = host->alloc(call, ((size_t)count + 1) * sizeof *room);
  sorted_key *keys = NULL;
  if (count == 0) return order;
  int32_t same = common_bytes(call, table, count);
  for (int64_t i = 0; i < count; i++)
    pairs[i] = (adl_radix_pair){word_at(host->table_key(table, i), same), (uint64_t)i};
  adl_radix_sort(call, pairs, room, count);
  for (int64_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && pairs[end].key == pairs[i].key;) end++;
    if (end - i == 1) continue;
    if (keys == NULL) keys = host->alloc(call, (size_t)count * sizeof *keys);
    sort_alike(call, table, pairs + i, end - i, keys);
  }
  for (int64_t i = 0; i < count; i++) order[i] = (int64_t)pairs[i].value;
  return order;
}
