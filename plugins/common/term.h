/* Terms: short byte strings on their way through hash tables. Up to 16 bytes a term is held whole in two words, so that
 * most comparisons touch no text. Used by terms.h, vocabulary.h and the text classes. */
#ifndef ADLOOM_COMMON_TERM_H
#define ADLOOM_COMMON_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ADL_TERM_HEAD = 16 };

/* A key to look for. */
typedef struct adl_term {
  uint64_t head[2]; /* as in memory: up to 16 bytes all of them, with zeros behind; else the first eight and the last */
  const char *data;
  int32_t size;
  uint32_t hash;
} adl_term;

static inline uint64_t adl_term_eight(const char *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return value;
}

/* Both halves of a 128-bit product, as XXH3 and wyhash mix: every bit of either word reaches every bit of the result. */
static inline uint64_t adl_term_mix(uint64_t a, uint64_t b) {
  unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of a term whose head is there. */
static inline uint32_t adl_term_hash(const uint64_t head[2], const char *data, int64_t size) {
  const uint64_t first = UINT64_C(0x9e3779b97f4a7c15), second = UINT64_C(0xd1b54a32d192ed03);
  uint64_t seed = (uint64_t)size * UINT64_C(0xa0761d6478bd642f);
  if (__builtin_expect(size > ADL_TERM_HEAD, 0))
    for (int64_t at = 8; at + 8 < size; at += 8) seed = adl_term_mix(seed ^ first, adl_term_eight(data + at) ^ second);
  uint64_t hash = adl_term_mix(head[0] ^ first, head[1] ^ second ^ seed);
  return (uint32_t)(hash ^ hash >> 32);
}

/* Reads 16 bytes even where the term is shorter, and has no branch that depends on how much shorter it is. */
static inline adl_term adl_term_padded(const char *data, int64_t size) {
  static const _Alignas(2 * ADL_TERM_HEAD) unsigned char kept[2 * ADL_TERM_HEAD] = {
      255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  adl_term term = {.data = data, .size = (int32_t)size};
  if (__builtin_expect(size <= ADL_TERM_HEAD, 1)) {
    const char *mask = (const char *)kept + ADL_TERM_HEAD - size;
    term.head[0] = adl_term_eight(data) & adl_term_eight(mask);
    term.head[1] = adl_term_eight(data + 8) & adl_term_eight(mask + 8);
  } else {
    term.head[0] = adl_term_eight(data);
    term.head[1] = adl_term_eight(data + size - 8);
  }
  term.hash = adl_term_hash(term.head, data, size);
  return term;
}

/* Reads nothing outside of the key. */
static inline adl_term adl_term_of(const char *data, int64_t size) {
  if (size > ADL_TERM_HEAD) return adl_term_padded(data, size);
  adl_term term = {.data = data, .size = (int32_t)size};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if (size >= 8) {
    term.head[0] = adl_term_eight(data);
    term.head[1] = adl_term_eight(data + size - 8) >> (4 * (16 - size)) >> (4 * (16 - size)); /* by 64, too */
  } else if (size >= 4) {
    uint32_t start, last;
    memcpy(&start, data, 4);
    memcpy(&last, data + size - 4, 4);
    term.head[0] = start | (uint64_t)last >> (8 * (8 - size)) << 32;
  } else if (size > 0) {
    term.head[0] = (uint64_t)(unsigned char)data[0] | (uint64_t)(unsigned char)data[size / 2] << (8 * (size / 2)) |
                   (uint64_t)(unsigned char)data[size - 1] << (8 * (size - 1));
  }
#else
  if (size > 0) memcpy(term.head, data, (size_t)size);
#endif
  term.hash = adl_term_hash(term.head, data, size);
  return term;
}

/* Whether something kept with this head is the key, as far as heads tell: up to 16 bytes. */
static inline bool adl_term_alike(const adl_term *key, const uint64_t head[2], int32_t size) {
  return ((head[0] ^ key->head[0]) | (head[1] ^ key->head[1]) | (uint32_t)(size ^ key->size)) == 0;
}

static inline bool adl_term_is_long(const adl_term *key) { return __builtin_expect(key->size > ADL_TERM_HEAD, 0); }

#endif
