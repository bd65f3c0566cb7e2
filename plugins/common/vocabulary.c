/* Vocabularies; see vocabulary.h. */
#include "common/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/key_order.h"
#include "common/large.h"

enum { AHEAD = 32 }; /* so many keys are fetched before they are needed */

/* ---- choosing ---- */

adl_counted *adl_counted_keys(const adl_call *call, adl_table *table, int32_t rank_column, int64_t *count) {
  const adl_host *host = call->host;
  *count = host->table_count(table);
  adl_counted *keys = host->alloc(call, ((size_t)*count + 1) * sizeof *keys);
  for (int64_t i = 0; i < *count; i++) {
    const double *row = host->table_row(table, i);
    keys[i] = (adl_counted){.key = host->table_key(table, i), .count = row[0], .rank = row[rank_column]};
  }
  return keys;
}

int64_t adl_counted_between(adl_counted *keys, int64_t count, double low, double high) {
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++)
    if (keys[i].count >= low && keys[i].count <= high) keys[kept++] = keys[i];
  return kept;
}

static int compare_bytes(const void *left, const void *right) {
  const adl_text *a = &((const adl_counted *)left)->key, *b = &((const adl_counted *)right)->key;
  int32_t shorter = a->size < b->size ? a->size : b->size;
  int order = shorter > 0 ? memcmp(a->data, b->data, (size_t)shorter) : 0;
  return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_ranks(const void *left, const void *right) {
  const adl_counted *a = left, *b = right;
  if (a->rank != b->rank) return a->rank > b->rank ? -1 : 1;
  return compare_bytes(left, right);
}

int64_t adl_counted_top(adl_counted *keys, int64_t count, int64_t limit) {
  if (count <= limit) return count;
  qsort(keys, (size_t)count, sizeof *keys, compare_ranks);
  return limit;
}

/* The first eight bytes as a number that compares as they do. */
static uint64_t prefix_of(adl_text key) {
  unsigned char first[8] = {0};
  uint64_t prefix = 0;
  if (key.size > 0) memcpy(first, key.data, key.size < 8 ? (size_t)key.size : 8);
  for (int i = 0; i < 8; i++) prefix = prefix << 8 | first[i];
  return prefix;
}

/* Keys are dealt out by the highest bits of their prefixes that are not the same in all, and each share is sorted alone. */
enum { SHARE_BITS = 8, SHARES = 1 << SHARE_BITS, COPIED = 1 << 14 };

typedef struct sorting {
  adl_counted *keys, *sorted;
  int64_t count;
  int64_t start[SHARES + 1];
  adl_radix_pair *pairs, *room; /* prefix and place of each key, share by share */
} sorting;

static void deal_out(sorting *s) {
  uint64_t all = ~UINT64_C(0), any = 0;
  for (int64_t i = 0; i < s->count; i++) {
    s->room[i] = (adl_radix_pair){prefix_of(s->keys[i].key), (uint64_t)i};
    all &= s->room[i].key;
    any |= s->room[i].key;
  }
  int high = all == any ? SHARE_BITS : 64 - __builtin_clzll(all ^ any);
  int shift = high > SHARE_BITS ? high - SHARE_BITS : 0;
  memset(s->start, 0, sizeof s->start);
  for (int64_t i = 0; i < s->count; i++) s->start[(s->room[i].key >> shift & (SHARES - 1)) + 1]++;
  for (int share = 0; share < SHARES; share++) s->start[share + 1] += s->start[share];
  for (int64_t i = 0; i < s->count; i++) s->pairs[s->start[s->room[i].key >> shift & (SHARES - 1)]++] = s->room[i];
  memmove(s->start + 1, s->start, SHARES * sizeof *s->start); /* each share's end has become its beginning */
  s->start[0] = 0;
}

/* By the first eight bytes, then whole keys where these are alike. */
static adl_status sort_share(const adl_call *call, void *context, int64_t share) {
  sorting *s = context;
  int64_t begin = s->start[share], end = s->start[share + 1], next;
  (void)call;
  adl_radix_sort(NULL, s->pairs + begin, s->room + begin, end - begin);
  for (int64_t i = begin; i < end; i++) {
    if (i + AHEAD < end) __builtin_prefetch(&s->keys[s->pairs[i + AHEAD].value]);
    s->sorted[i] = s->keys[s->pairs[i].value];
  }
  for (int64_t i = begin; i < end; i = next) {
    for (next = i + 1; next < end && s->pairs[next].key == s->pairs[i].key;) next++;
    if (next - i > 1) qsort(s->sorted + i, (size_t)(next - i), sizeof *s->sorted, compare_bytes);
  }
  return ADL_OK;
}

static adl_status copy_back(const adl_call *call, void *context, int64_t part) {
  sorting *s = context;
  int64_t begin = part * COPIED, count = s->count - begin < COPIED ? s->count - begin : COPIED;
  (void)call;
  memcpy(s->keys + begin, s->sorted + begin, (size_t)count * sizeof *s->keys);
  return ADL_OK;
}

adl_status adl_counted_sort(const adl_call *call, adl_counted *keys, int64_t count) {
  enum { FEW = 256 };
  sorting s = {.keys = keys, .count = count};
  char *memory = count < FEW ? NULL : adl_large_calloc((size_t)count, 2 * sizeof *s.pairs + sizeof *keys);
  if (memory == NULL) {
    qsort(keys, (size_t)count, sizeof *keys, compare_bytes);
    return ADL_OK;
  }
  s.pairs = (adl_radix_pair *)memory;
  s.room = s.pairs + count;
  s.sorted = (adl_counted *)(s.room + count);
  deal_out(&s);
  adl_status status = call->host->parallel(call, SHARES, sort_share, &s);
  if (status == ADL_OK) status = call->host->parallel(call, (count + COPIED - 1) / COPIED, copy_back, &s);
  free(memory);
  return status;
}

/* ---- keeping ---- */

enum { NAME_SIZE = 64 };

static const char *offsets_name(const char *name, char buffer[NAME_SIZE]) {
  snprintf(buffer, NAME_SIZE, "%s_offsets", name);
  return buffer;
}

typedef struct saving {
  const adl_counted *keys;
  int64_t count, *offsets;
  char *bytes;
} saving;

static adl_status save_part(const adl_call *call, void *context, int64_t part) {
  const saving *s = context;
  int64_t begin = part * COPIED, end = begin + COPIED < s->count ? begin + COPIED : s->count;
  (void)call;
  for (int64_t i = begin; i < end; i++) {
    if (i + AHEAD < end) __builtin_prefetch(s->keys[i + AHEAD].key.data);
    if (s->keys[i].key.size > 0) memcpy(s->bytes + s->offsets[i], s->keys[i].key.data, (size_t)s->keys[i].key.size);
  }
  return ADL_OK;
}

adl_status adl_vocabulary_save(const adl_call *call, adl_tensors *model, const char *name, const adl_counted *keys,
                               int64_t count) {
  const adl_host *host = call->host;
  char buffer[NAME_SIZE];
  int64_t total = 0, offset_count = count + 1;
  for (int64_t i = 0; i < count; i++) total += keys[i].key.size;
  saving s = {.keys = keys, .count = count, .bytes = host->tensor(call, model, name, ADL_BYTES, 1, &total)};
  s.offsets = host->tensor(call, model, offsets_name(name, buffer), ADL_INT64, 1, &offset_count);
  s.offsets[0] = 0;
  for (int64_t i = 0; i < count; i++) s.offsets[i + 1] = s.offsets[i] + keys[i].key.size;
  return host->parallel(call, (count + COPIED - 1) / COPIED, save_part, &s);
}

/* ---- looking up ---- */

/* All of a key of up to 16 bytes, so that finding it touches one cache line; two to a line. */
struct adl_vocabulary_slot {
  uint64_t head[2];
  int64_t at; /* it is bytes[at .. at + size) */
  int32_t size;
  uint32_t number; /* and 1; 0: the slot is free */
};

static inline adl_vocabulary_slot *find_slot(const adl_vocabulary *vocabulary, const adl_term *key) {
  for (uint32_t at = key->hash & vocabulary->mask;; at = (at + 1) & vocabulary->mask) {
    adl_vocabulary_slot *slot = &vocabulary->slots[at];
    if (slot->number == 0) return slot;
    if (adl_term_alike(key, slot->head, slot->size) &&
        (!adl_term_is_long(key) || memcmp(vocabulary->bytes + slot->at, key->data, (size_t)key->size) == 0))
      return slot;
  }
}

/* Keys order[0] .. order[count - 1], or 0 .. count - 1, some at a time, so that their slots are fetched side by side. */
static void insert_keys(adl_vocabulary *vocabulary, const uint32_t *order, int64_t count) {
  enum { BLOCK = 64 };
  adl_term keys[BLOCK];
  for (int64_t first = 0; first < count; first += BLOCK) {
    int64_t some = count - first < BLOCK ? count - first : BLOCK;
    for (int64_t i = 0; i < some; i++) {
      int64_t k = order != NULL ? order[first + i] : first + i;
      const int64_t *offset = vocabulary->offsets + k;
      keys[i] = adl_term_of(vocabulary->bytes + offset[0], offset[1] - offset[0]);
      __builtin_prefetch(&vocabulary->slots[keys[i].hash & vocabulary->mask], 1);
    }
    for (int64_t i = 0; i < some; i++) {
      uint32_t number = (uint32_t)(order != NULL ? order[first + i] : first + i) + 1;
      adl_vocabulary_slot *slot = find_slot(vocabulary, &keys[i]);
      if (slot->number != 0 && slot->number < number) continue;
      *slot = (adl_vocabulary_slot){.head = {keys[i].head[0], keys[i].head[1]},
                                    .at = vocabulary->offsets[number - 1],
                                    .size = keys[i].size,
                                    .number = number};
    }
  }
}

/* Numbers of keys by the power of two of how often they occur, the most frequent first; NULL: no memory. */
static uint32_t *order_by_frequency(const int64_t *frequency, int64_t count) {
  uint32_t *order = malloc(((size_t)count + 1) * sizeof *order);
  int64_t start[66] = {0};
  if (order == NULL) return NULL;
  for (int64_t i = 0; i < count; i++) start[__builtin_clzll((uint64_t)frequency[i] | 1) + 1]++;
  for (int power = 0; power < 65; power++) start[power + 1] += start[power];
  for (int64_t i = 0; i < count; i++) order[start[__builtin_clzll((uint64_t)frequency[i] | 1)]++] = (uint32_t)i;
  return order;
}

adl_vocabulary *adl_vocabulary_new(const char *bytes, const int64_t *offsets, int64_t count, const int64_t *frequency) {
  uint64_t capacity = 8;
  while (2 * capacity < 3 * (uint64_t)count) capacity *= 2;
  adl_vocabulary *vocabulary = calloc(1, sizeof *vocabulary);
  uint32_t *order = frequency != NULL ? order_by_frequency(frequency, count) : NULL;
  if (vocabulary != NULL && capacity <= UINT32_MAX && (frequency == NULL || order != NULL))
    vocabulary->slots = adl_large_calloc(capacity, sizeof *vocabulary->slots);
  if (vocabulary == NULL || vocabulary->slots == NULL) {
    adl_vocabulary_free(vocabulary);
    free(order);
    return NULL;
  }
  vocabulary->bytes = bytes != NULL ? bytes : "";
  vocabulary->offsets = offsets;
  vocabulary->count = count;
  vocabulary->mask = (uint32_t)(capacity - 1);
  insert_keys(vocabulary, order, count);
  free(order);
  return vocabulary;
}

adl_status adl_vocabulary_load(const adl_call *call, const adl_tensors *model, const char *name,
                               const char *frequencies, adl_vocabulary **vocabulary) {
  const adl_host *host = call->host;
  char buffer[NAME_SIZE];
  adl_tensor bytes, offsets, frequency;
  bool sound = host->find_tensor(call, model, name, &bytes) &&
               host->find_tensor(call, model, offsets_name(name, buffer), &offsets) && bytes.element == ADL_BYTES &&
               offsets.element == ADL_INT64 && offsets.count >= 1 && offsets.count <= INT32_MAX;
  const int64_t *at = offsets.data;
  sound = sound && at[0] == 0 && at[offsets.count - 1] == bytes.count;
  for (int64_t i = 1; sound && i < offsets.count; i++) sound = at[i] >= at[i - 1] && at[i] - at[i - 1] <= INT32_MAX;
  if (!sound)
    return host->fail(call, NULL, -1, "fit the stage again instead of loading this model",
                      "the model's tensors `%s` and `%s_offsets` are missing or damaged", name, name);
  bool counted = frequencies != NULL && host->find_tensor(call, model, frequencies, &frequency) &&
                 frequency.element == ADL_INT64 && frequency.count == offsets.count - 1;
  *vocabulary = adl_vocabulary_new(bytes.data, at, offsets.count - 1, counted ? frequency.data : NULL);
  if (*vocabulary == NULL)
    return host->fail(call, NULL, -1, NULL, "no memory for a vocabulary of %lld entries", (long long)offsets.count - 1);
  return ADL_OK;
}

void adl_vocabulary_free(adl_vocabulary *vocabulary) {
  if (vocabulary == NULL) return;
  free(vocabulary->slots);
  free(vocabulary);
}

int64_t adl_vocabulary_find(const adl_vocabulary *vocabulary, const char *key, int64_t size) {
  adl_term term = adl_term_of(key, size);
  return (int64_t)find_slot(vocabulary, &term)->number - 1;
}

void adl_vocabulary_find_all(const adl_vocabulary *vocabulary, const adl_term *keys, int64_t count, uint32_t *number) {
  const adl_vocabulary_slot *slots = vocabulary->slots;
  uint32_t mask = vocabulary->mask;
  for (int64_t i = 0; i < count && i < AHEAD; i++) __builtin_prefetch(&slots[keys[i].hash & mask]);
  for (int64_t i = 0; i < count; i++) {
    if (i + AHEAD < count) __builtin_prefetch(&slots[keys[i + AHEAD].hash & mask]);
    if (i + AHEAD / 2 < count && adl_term_is_long(&keys[i + AHEAD / 2]))
      __builtin_prefetch(vocabulary->bytes + slots[keys[i + AHEAD / 2].hash & mask].at);
    number[i] = find_slot(vocabulary, &keys[i])->number - 1;
  }
}
