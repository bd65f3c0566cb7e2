/* MurmurHash3 x86-32 (Austin Appleby, public domain), the hash of hashed features: the same as in Vowpal Wabbit and
 * scikit-learn, so that dimensions can be compared. Used by the plugins' own lookup tables as well. */
#ifndef ADLOOM_COMMON_MURMUR3_H
#define ADLOOM_COMMON_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t adl_murmur3_rotate(uint32_t x, int by) { return (x << by) | (x >> (32 - by)); }

/* Spreads every bit of `h` over all 32; a bijection. */
static inline uint32_t adl_murmur3_mix(uint32_t h) {
  h ^= h >> 16;
  h *= UINT32_C(0x85ebca6b);
  h ^= h >> 13;
  h *= UINT32_C(0xc2b2ae35);
  return h ^ (h >> 16);
}

/* Four bytes of the key, as a little-endian number, into the hash. */
static inline uint32_t adl_murmur3_add(uint32_t h, uint32_t k) {
  k = adl_murmur3_rotate(k * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
  return adl_murmur3_rotate(h ^ k, 13) * 5 + UINT32_C(0xe6546b64);
}

static inline uint32_t adl_murmur3_word(uint32_t h, const unsigned char *p) {
  return adl_murmur3_add(h, (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
}

static inline uint32_t adl_murmur3(const void *key, size_t size, uint32_t seed) {
  const unsigned char *p = (const unsigned char *)key;
  uint32_t h = seed;
  if (size == 8) return adl_murmur3_mix(adl_murmur3_word(adl_murmur3_word(h, p), p + 4) ^ 8); /* ids often are */
  size_t left = size;
  for (; left >= 4; left -= 4, p += 4) h = adl_murmur3_word(h, p);
  uint32_t tail = 0;
  if (left > 2) tail ^= (uint32_t)p[2] << 16;
  if (left > 1) tail ^= (uint32_t)p[1] << 8;
  if (left > 0) {
    tail ^= p[0];
    h ^= adl_murmur3_rotate(tail * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
  }
  return adl_murmur3_mix(h ^ (uint32_t)size);
}

#endif
