/* Terms: short byte strings on their way through hash tables. Up to 16 bytes a term is held whole in two words, so that
 * most comparisons touch no text. Used by terms.h, vocabulary.h and the text classes. */
#ifndef ADLOOM_COMMON_TERM_H
#define ADLOOM_COMMON_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ADL_TERM_HEAD = 16 };

/* A key to look for. Terms of equal size up to 16 bytes are equal where their heads are. */
typedef struct adl_term {
  uint64_t head[2];
  const char *data;
  int32_t size;
  uint32_t hash;
} adl_term;

static inline uint64_t adl_term_eight(const char *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return value;
}

static inline uint64_t adl_term_four(const char *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return value;
}

/* Both halves of a 128-bit product, as XXH3 and wyhash mix: every bit of either word reaches every bit of the result. */
static inline uint64_t adl_term_mix(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Reads nothing outside of the key. The first and the last bytes overlap where it is shorter than the words it fills. */
static inline adl_term adl_term_of(const char *data, int64_t size) {
  const uint64_t first = UINT64_C(0x9e3779b97f4a7c15), second = UINT64_C(0xd1b54a32d192ed03);
  adl_term term = {.data = data, .size = (int32_t)size};
  uint64_t seed = (uint64_t)size * UINT64_C(0xa0761d6478bd642f);
  if (size >= 8) {
    term.head[0] = adl_term_eight(data);
    term.head[1] = adl_term_eight(data + size - 8);
    for (int64_t at = 8; at + 8 < size; at += 8) seed = adl_term_mix(seed ^ first, adl_term_eight(data + at) ^ second);
  } else if (size >= 4) {
    term.head[0] = adl_term_four(data) | adl_term_four(data + size - 4) << 32;
  } else if (size > 0) {
    term.head[0] = (uint64_t)(unsigned char)data[0] | (uint64_t)(unsigned char)data[size / 2] << 8 |
                   (uint64_t)(unsigned char)data[size - 1] << 16;
  }
  uint64_t hash = adl_term_mix(term.head[0] ^ first, term.head[1] ^ second ^ seed);
  term.hash = (uint32_t)(hash ^ hash >> 32);
  return term;
}

/* A term that is kept; its bytes stand in memory of the keeper's. */
typedef struct adl_term_record {
  uint64_t head[2];
  int64_t at; /* the term is bytes[at .. at + size) */
  int32_t size;
  uint32_t hash;
} adl_term_record;

static inline bool adl_term_is(const adl_term_record *record, const char *bytes, const adl_term *key) {
  if (record->hash != key->hash || record->size != key->size || record->head[0] != key->head[0] ||
      record->head[1] != key->head[1])
    return false;
  return key->size <= ADL_TERM_HEAD || memcmp(bytes + record->at, key->data, (size_t)key->size) == 0;
}

#endif
