/* Sets of distinct terms; see terms.h. */
#include "common/terms.h"

enum { AHEAD = 12, BLOCK = 256 };

/* ---- memory ---- */

static void *room(adl_terms *terms, const char *name, int64_t size) {
  return terms->call->host->tensor(terms->call, terms->home, name, ADL_BYTES, 1, &size);
}

static void set_slots(adl_terms *terms, int64_t slot_count) {
  terms->call->host->drop_tensor(terms->call, terms->home, "term_slots");
  int64_t size = slot_count * (int64_t)sizeof *terms->slots;
  terms->slots = room(terms, "term_slots", size);
  terms->slot_count = slot_count;
  memset(terms->slots, 0, (size_t)size);
  uint32_t mask = (uint32_t)(slot_count - 1);
  for (int64_t i = 0; i < terms->count; i++) {
    if (i + AHEAD < terms->count) __builtin_prefetch(&terms->slots[terms->records[i + AHEAD].hash & mask], 1);
    uint32_t at = terms->records[i].hash & mask;
    while (terms->slots[at] != 0) at = (at + 1) & mask;
    terms->slots[at] = (uint32_t)i + 1;
  }
}

static void grow_records(adl_terms *terms) {
  terms->capacity = 2 * terms->capacity + 256;
  terms->records = room(terms, "term_records", terms->capacity * (int64_t)sizeof *terms->records);
  terms->values = room(terms, "term_values", terms->capacity * (int64_t)sizeof *terms->values);
}

static void grow_bytes(adl_terms *terms, int64_t size) {
  terms->byte_capacity = 2 * terms->byte_capacity + size + 4096;
  terms->bytes = room(terms, "term_bytes", terms->byte_capacity);
}

void adl_terms_open(adl_terms *terms, const adl_call *call, adl_tensors *home) {
  const adl_host *host = call->host;
  const int64_t two = 2;
  adl_tensor tensor;
  *terms = (adl_terms){.call = call, .home = home};
  terms->sizes = host->tensor(call, home, "term_sizes", ADL_INT64, 1, &two);
  terms->count = terms->sizes[0];
  terms->byte_count = terms->sizes[1];
  if (host->find_tensor(call, home, "term_records", &tensor)) {
    terms->records = tensor.data;
    terms->capacity = tensor.count / (int64_t)sizeof *terms->records;
  }
  if (host->find_tensor(call, home, "term_values", &tensor)) terms->values = tensor.data;
  if (host->find_tensor(call, home, "term_bytes", &tensor)) {
    terms->bytes = tensor.data;
    terms->byte_capacity = tensor.count;
  }
  if (host->find_tensor(call, home, "term_slots", &tensor)) {
    terms->slots = tensor.data;
    terms->slot_count = tensor.count / (int64_t)sizeof *terms->slots;
  }
  if (terms->slot_count == 0) set_slots(terms, 1024);
}

void adl_terms_close(adl_terms *terms) {
  terms->sizes[0] = terms->count;
  terms->sizes[1] = terms->byte_count;
}

/* ---- finding ---- */

static uint32_t append(adl_terms *terms, const adl_term *key, uint32_t at) {
  if (2 * (terms->count + 1) > terms->slot_count) {
    set_slots(terms, 4 * terms->slot_count);
    uint32_t mask = (uint32_t)(terms->slot_count - 1);
    for (at = key->hash & mask; terms->slots[at] != 0;) at = (at + 1) & mask;
  }
  if (terms->count == terms->capacity) grow_records(terms);
  if (terms->byte_count + key->size > terms->byte_capacity) grow_bytes(terms, key->size);
  if (key->size > 0) memcpy(terms->bytes + terms->byte_count, key->data, (size_t)key->size);
  terms->records[terms->count] = (adl_term_record){
      .head = {key->head[0], key->head[1]}, .at = terms->byte_count, .size = key->size, .hash = key->hash};
  terms->values[terms->count] = (adl_terms_value){.count = 0};
  terms->byte_count += key->size;
  terms->slots[at] = (uint32_t)++terms->count;
  return (uint32_t)(terms->count - 1);
}

static inline uint32_t insert(adl_terms *terms, const adl_term *key) {
  uint32_t mask = (uint32_t)(terms->slot_count - 1);
  for (uint32_t at = key->hash & mask;; at = (at + 1) & mask) {
    uint32_t slot = terms->slots[at];
    if (slot == 0) return append(terms, key, at);
    if (adl_term_is(&terms->records[slot - 1], terms->bytes, key)) return slot - 1;
  }
}

void adl_terms_insert(adl_terms *terms, const adl_term *keys, int64_t count, uint32_t *number) {
  for (int64_t i = 0; i < count && i < 2 * AHEAD; i++)
    __builtin_prefetch(&terms->slots[keys[i].hash & (uint32_t)(terms->slot_count - 1)]);
  for (int64_t i = 0; i < count; i++) {
    uint32_t mask = (uint32_t)(terms->slot_count - 1);
    if (i + 2 * AHEAD < count) __builtin_prefetch(&terms->slots[keys[i + 2 * AHEAD].hash & mask]);
    if (i + AHEAD < count) {
      uint32_t slot = terms->slots[keys[i + AHEAD].hash & mask];
      if (slot != 0) __builtin_prefetch(&terms->records[slot - 1]);
      if (slot != 0) __builtin_prefetch(&terms->values[slot - 1], 1);
    }
    number[i] = insert(terms, &keys[i]);
  }
}

void adl_terms_add(adl_terms *into, const adl_terms *from) {
  adl_term keys[BLOCK];
  uint32_t number[BLOCK];
  for (int64_t first = 0; first < from->count; first += BLOCK) {
    int64_t count = from->count - first < BLOCK ? from->count - first : BLOCK;
    for (int64_t i = 0; i < count; i++) keys[i] = adl_terms_key(from, first + i);
    adl_terms_insert(into, keys, count, number);
    for (int64_t i = 0; i < count; i++) {
      into->values[number[i]].count += from->values[first + i].count;
      into->values[number[i]].sum += from->values[first + i].sum;
    }
  }
}
