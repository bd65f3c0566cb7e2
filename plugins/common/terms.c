/* Sets of distinct terms; see terms.h. */
#include "common/terms.h"

#include <stdio.h>

enum { AHEAD = 32, BLOCK = 256, FIRST_SLOTS = 1 << 12, FEW_SLOTS = 1 << 16, NAME_SIZE = 32 };
enum { COUNT, SLOT_COUNT, BYTE_COUNT, DOCUMENTS, SIZES }; /* places in sizes */
/* With so many bytes of long terms a batch more still fits what slots can point at. */
#define MOST_BYTES (INT64_C(1) << 34)

static adl_status too_many(const adl_terms *terms, const char *what) {
  return terms->call->host->fail(terms->call, NULL, -1, "use `mode: hash`", "there are more %s than can be counted",
                                 what);
}

/* ---- memory ---- */

static void *room(const adl_terms *terms, const char *name, int64_t size) {
  return terms->call->host->tensor(terms->call, terms->home, name, ADL_BYTES, 1, &size);
}

/* The tensor of a table of this size: while it grows there are two. */
static const char *table_name(const char *of, int64_t slot_count, char buffer[NAME_SIZE]) {
  snprintf(buffer, NAME_SIZE, "term_%s_%lld", of, (long long)slot_count);
  return buffer;
}

static void use_table(adl_terms *terms, int64_t slot_count, bool sums) {
  char buffer[NAME_SIZE];
  terms->slot_count = slot_count;
  terms->slots = room(terms, table_name("slots", slot_count, buffer), slot_count * (int64_t)sizeof *terms->slots);
  if (sums) terms->sums = room(terms, table_name("sums", slot_count, buffer), slot_count * (int64_t)sizeof(double));
}

static uint32_t hash_of(const adl_terms *terms, const adl_terms_slot *slot) {
  return adl_term_hash(slot->head, adl_terms_data(terms, slot), slot->size);
}

static void move_slots(adl_terms *to, const adl_terms *from) {
  uint32_t mask = (uint32_t)(to->slot_count - 1);
  for (int64_t i = 0; i < from->slot_count; i++) {
    const adl_terms_slot *slot = &from->slots[i];
    if (slot->documents == 0) continue;
    uint32_t at = hash_of(to, slot) & mask;
    while (to->slots[at].documents != 0) at = (at + 1) & mask;
    to->slots[at] = *slot;
    if (to->sums != NULL) to->sums[at] = from->sums[i];
  }
}

/* Room for `more` terms. */
static adl_status grow(adl_terms *terms, int64_t more) {
  const adl_terms old = *terms;
  char buffer[NAME_SIZE];
  int64_t slot_count = old.slot_count;
  while (5 * (old.count + more) > 4 * slot_count) slot_count *= slot_count < FEW_SLOTS ? 4 : 2;
  if (slot_count > (INT64_C(1) << 32)) return too_many(terms, "words");
  use_table(terms, slot_count, old.sums != NULL);
  move_slots(terms, &old);
  terms->call->host->drop_tensor(terms->call, terms->home, table_name("slots", old.slot_count, buffer));
  if (old.sums != NULL)
    terms->call->host->drop_tensor(terms->call, terms->home, table_name("sums", old.slot_count, buffer));
  return ADL_OK;
}

void adl_terms_open(adl_terms *terms, const adl_call *call, adl_tensors *home, bool sums) {
  const adl_host *host = call->host;
  const int64_t sizes = SIZES;
  adl_tensor tensor;
  *terms = (adl_terms){.call = call, .home = home};
  terms->sizes = host->tensor(call, home, "term_sizes", ADL_INT64, 1, &sizes);
  terms->count = terms->sizes[COUNT];
  terms->byte_count = terms->sizes[BYTE_COUNT];
  terms->documents = terms->sizes[DOCUMENTS];
  if (host->find_tensor(call, home, "term_bytes", &tensor)) {
    terms->bytes = tensor.data;
    terms->byte_capacity = tensor.count;
  }
  use_table(terms, terms->sizes[SLOT_COUNT] > 0 ? terms->sizes[SLOT_COUNT] : FIRST_SLOTS, sums);
}

void adl_terms_close(adl_terms *terms) {
  terms->sizes[COUNT] = terms->count;
  terms->sizes[SLOT_COUNT] = terms->slot_count;
  terms->sizes[BYTE_COUNT] = terms->byte_count;
  terms->sizes[DOCUMENTS] = terms->documents;
}

/* ---- finding ---- */

/* Keeps a copy of a long term. */
static uint32_t keep_bytes(adl_terms *terms, const adl_term *key) {
  int64_t size = ((int64_t)key->size + 7) & ~INT64_C(7), at = terms->byte_count;
  if (at + size > terms->byte_capacity) {
    terms->byte_capacity = 2 * terms->byte_capacity + size + 4096;
    terms->bytes = room(terms, "term_bytes", terms->byte_capacity);
  }
  memcpy(terms->bytes + at, key->data, (size_t)key->size);
  terms->byte_count = at + size;
  return (uint32_t)(at / 8);
}

static __attribute__((noinline)) adl_terms_slot *put(adl_terms *terms, const adl_term *key, adl_terms_slot *slot) {
  *slot = (adl_terms_slot){.head = {key->head[0], key->head[1]}, .size = key->size};
  if (adl_term_is_long(key)) slot->at = keep_bytes(terms, key);
  terms->count++;
  return slot;
}

/* The slot of the key; what is not there yet is put in, and no document is counted yet. There is room for it. */
static inline adl_terms_slot *find(adl_terms *terms, const adl_term *key, uint32_t mask) {
  for (uint32_t at = key->hash & mask;; at = (at + 1) & mask) {
    adl_terms_slot *slot = &terms->slots[at];
    if (__builtin_expect(slot->documents == 0, 0)) return put(terms, key, slot);
    if (adl_term_alike(key, slot->head, slot->size) &&
        (!adl_term_is_long(key) || memcmp(adl_terms_data(terms, slot), key->data, (size_t)key->size) == 0))
      return slot;
  }
}

/* Room for so many terms more, which come from one batch. */
static inline adl_status prepare(adl_terms *terms, int64_t count) {
  if (terms->byte_count > MOST_BYTES) return too_many(terms, "long words");
  if (terms->documents > UINT32_MAX) return too_many(terms, "documents");
  return 5 * (terms->count + count) > 4 * terms->slot_count ? grow(terms, count) : ADL_OK;
}

/* Counts keys `from` to `to` of a document; while one is looked for, the slots of the next ones are fetched. */
static inline void count_keys(adl_terms *terms, const adl_term *keys, int64_t from, int64_t to, int64_t end,
                              const float *weights) {
  const uint32_t mask = (uint32_t)(terms->slot_count - 1), document = (uint32_t)terms->documents;
  adl_terms_slot *slots = terms->slots;
  for (int64_t i = from; i < to; i++) {
    if (i + AHEAD < end) __builtin_prefetch(&slots[keys[i + AHEAD].hash & mask], 1);
    if (i + AHEAD / 2 < end && adl_term_is_long(&keys[i + AHEAD / 2]))
      __builtin_prefetch(terms->bytes + 8 * (int64_t)slots[keys[i + AHEAD / 2].hash & mask].at);
    adl_terms_slot *slot = find(terms, &keys[i], mask);
    slot->documents += slot->last != document;
    slot->last = document;
    if (terms->sums != NULL) terms->sums[slot - slots] += weights != NULL ? (double)weights[i] : 1;
  }
}

adl_status adl_terms_count(adl_terms *terms, const adl_term *keys, const int64_t *start, int64_t rows,
                           const float *weights) {
  for (int64_t row = 0; row < rows; row++) {
    terms->documents++;
    for (int64_t from = start[row], to; from < start[row + 1]; from = to) {
      to = start[row + 1] - from > BLOCK ? from + BLOCK : start[row + 1];
      ADL_TRY(prepare(terms, to - from));
      count_keys(terms, keys, from, to, start[rows], weights);
    }
  }
  return ADL_OK;
}

adl_status adl_terms_add(adl_terms *into, const adl_terms *from) {
  adl_term keys[BLOCK];
  int64_t number[BLOCK];
  into->documents += from->documents;
  for (int64_t i = 0, count; i < from->slot_count;) {
    for (count = 0; i < from->slot_count && count < BLOCK; i++) {
      const adl_terms_slot *slot = &from->slots[i];
      if (slot->documents == 0) continue;
      const char *data = adl_terms_data(from, slot);
      keys[count] = (adl_term){.head = {slot->head[0], slot->head[1]}, .data = data, .size = slot->size};
      keys[count].hash = adl_term_hash(slot->head, data, slot->size);
      number[count++] = i;
    }
    ADL_TRY(prepare(into, count));
    uint32_t mask = (uint32_t)(into->slot_count - 1);
    for (int64_t k = 0; k < count; k++) __builtin_prefetch(&into->slots[keys[k].hash & mask], 1);
    for (int64_t k = 0; k < count; k++) {
      adl_terms_slot *slot = find(into, &keys[k], mask);
      slot->documents += from->slots[number[k]].documents;
      if (into->sums != NULL) into->sums[slot - into->slots] += from->sums[number[k]];
    }
  }
  return ADL_OK;
}
