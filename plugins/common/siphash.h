/* SipHash-2-4 with 128 bits (Aumasson & Bernstein 2012, and their reference code): a hash under a secret key, so that
 * nobody can write values that are taken for each other. Used by dedupe to remember long keys. */
#ifndef ADLOOM_COMMON_SIPHASH_H
#define ADLOOM_COMMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t adl_siphash_rotate(uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

static inline uint64_t adl_siphash_load(const unsigned char *p, size_t size) {
  uint64_t word = 0;
  for (size_t i = size; i-- > 0;) word = word << 8 | p[i];
  return word;
}

static inline void adl_siphash_rounds(uint64_t v[4], int count) {
  for (int i = 0; i < count; i++) {
    v[0] += v[1];
    v[1] = adl_siphash_rotate(v[1], 13) ^ v[0];
    v[0] = adl_siphash_rotate(v[0], 32);
    v[2] += v[3];
    v[3] = adl_siphash_rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = adl_siphash_rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = adl_siphash_rotate(v[1], 17) ^ v[2];
    v[2] = adl_siphash_rotate(v[2], 32);
  }
}

static inline void adl_siphash(const void *data, size_t size, const uint64_t key[2], uint8_t hash[16]) {
  const unsigned char *p = (const unsigned char *)data;
  uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                   key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
  for (size_t at = 0; at + 8 <= size; at += 8) {
    uint64_t word = adl_siphash_load(p + at, 8);
    v[3] ^= word;
    adl_siphash_rounds(v, 2);
    v[0] ^= word;
  }
  uint64_t last = adl_siphash_load(p + size / 8 * 8, size % 8) | (uint64_t)(size & 0xff) << 56;
  v[3] ^= last;
  adl_siphash_rounds(v, 2);
  v[0] ^= last;
  v[2] ^= 0xee;
  for (int half = 0; half < 2; half++) {
    adl_siphash_rounds(v, 4);
    uint64_t word = v[0] ^ v[1] ^ v[2] ^ v[3];
    for (int i = 0; i < 8; i++) hash[8 * half + i] = (uint8_t)(word >> (8 * i));
    v[1] ^= 0xdd;
  }
}

#endif
