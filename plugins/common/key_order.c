/* Radix sort from the lowest digit up, see key_order.h. */
#include "common/key_order.h"

#include <stdlib.h>
#include <string.h>

#include "common/key.h"

enum { DIGIT_BITS = 11, DIGITS = 6, VALUES = 1 << DIGIT_BITS, FEW = 48 };

static uint32_t digit_of(uint64_t key, int digit) { return (uint32_t)(key >> (digit * DIGIT_BITS)) & (VALUES - 1); }

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

void adl_radix_sort(const adl_call *call, adl_radix_pair *pairs, adl_radix_pair *room, int64_t count) {
  int64_t starts[VALUES];
  uint64_t all = 0, any = 0; /* bits that are set in every key, and in some */
  adl_radix_pair *from = pairs, *to = room;
  if (count <= FEW) {
    insertion_sort(pairs, count);
    return;
  }
  all = any = pairs[0].key;
  for (int64_t i = 1; i < count; i++) {
    all &= pairs[i].key;
    any |= pairs[i].key;
  }
  for (int digit = 0; digit < DIGITS; digit++) {
    if (digit_of(all ^ any, digit) == 0) continue; /* the same in all keys */
    memset(starts, 0, sizeof starts);
    for (int64_t i = 0; i < count; i++) {
      walk(call, i);
      starts[digit_of(from[i].key, digit)]++;
    }
    for (int64_t value = 0, before = 0; value < VALUES; value++) {
      int64_t own = starts[value];
      starts[value] = before;
      before += own;
    }
    for (int64_t i = 0; i < count; i++) {
      walk(call, i);
      to[starts[digit_of(from[i].key, digit)]++] = from[i];
    }
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
