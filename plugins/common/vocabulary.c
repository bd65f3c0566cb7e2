/* Vocabularies; see vocabulary.h. */
#include "common/vocabulary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

typedef struct prefixed {
  uint64_t prefix;
  int64_t at;
} prefixed;

static void sort_by_byte(const prefixed *from, prefixed *to, int64_t count, int shift) {
  int64_t start[257] = {0};
  for (int64_t i = 0; i < count; i++) start[(from[i].prefix >> shift & 255) + 1]++;
  for (int byte = 0; byte < 256; byte++) start[byte + 1] += start[byte];
  for (int64_t i = 0; i < count; i++) to[start[from[i].prefix >> shift & 255]++] = from[i];
}

/* By the first eight bytes, byte by byte from the last; then whole keys where these are alike. */
static void sort_long(adl_counted *keys, int64_t count, prefixed *from, prefixed *to, adl_counted *sorted) {
  for (int64_t i = 0; i < count; i++) from[i] = (prefixed){prefix_of(keys[i].key), i};
  for (int shift = 0; shift < 64; shift += 8) {
    sort_by_byte(from, to, count, shift);
    prefixed *swap = from;
    from = to;
    to = swap;
  }
  for (int64_t i = 0; i < count; i++) {
    if (i + AHEAD < count) __builtin_prefetch(&keys[from[i + AHEAD].at]);
    sorted[i] = keys[from[i].at];
  }
  for (int64_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && from[end].prefix == from[i].prefix;) end++;
    if (end - i > 1) qsort(sorted + i, (size_t)(end - i), sizeof *sorted, compare_bytes);
  }
  memcpy(keys, sorted, (size_t)count * sizeof *keys);
}

void adl_counted_sort(adl_counted *keys, int64_t count) {
  enum { FEW = 256 };
  prefixed *memory = count < FEW ? NULL : adl_large_calloc((size_t)count, 2 * sizeof *memory + sizeof *keys);
  if (memory == NULL)
    qsort(keys, (size_t)count, sizeof *keys, compare_bytes);
  else
    sort_long(keys, count, memory, memory + count, (adl_counted *)(memory + 2 * count));
  free(memory);
}

/* ---- keeping ---- */

enum { NAME_SIZE = 64 };

static const char *offsets_name(const char *name, char buffer[NAME_SIZE]) {
  snprintf(buffer, NAME_SIZE, "%s_offsets", name);
  return buffer;
}

void adl_vocabulary_save(const adl_call *call, adl_tensors *model, const char *name, const adl_counted *keys,
                         int64_t count) {
  const adl_host *host = call->host;
  char buffer[NAME_SIZE];
  int64_t total = 0, offset_count = count + 1;
  for (int64_t i = 0; i < count; i++) total += keys[i].key.size;
  char *bytes = host->tensor(call, model, name, ADL_BYTES, 1, &total);
  int64_t *offsets = host->tensor(call, model, offsets_name(name, buffer), ADL_INT64, 1, &offset_count);
  offsets[0] = 0;
  for (int64_t i = 0; i < count; i++) {
    if (i + AHEAD < count) __builtin_prefetch(keys[i + AHEAD].key.data);
    if (keys[i].key.size > 0) memcpy(bytes + offsets[i], keys[i].key.data, (size_t)keys[i].key.size);
    offsets[i + 1] = offsets[i] + keys[i].key.size;
  }
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
