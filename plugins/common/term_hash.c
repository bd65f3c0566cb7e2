/* Hashes of terms; see term_hash.h. Words are short and of all lengths, which no branch can guess: those of up to 16 bytes are
 * four numbers in their heads, zeros behind them, and the numbers of eight terms go through the hash at a time, without branches. */
#include "common/term_hash.h"

#include "common/murmur3.h"
#include "common/simd.h"

#if defined(ADL_SIMD_X86)
enum { BLOCK = 64 };

typedef struct term_block {
  uint32_t word[4][BLOCK];
  uint32_t size[BLOCK];
} term_block;

static inline void fill(term_block *to, int64_t at, const adl_term *key) {
  to->word[0][at] = (uint32_t)key->head[0];
  to->word[1][at] = (uint32_t)(key->head[0] >> 32);
  to->word[2][at] = (uint32_t)key->head[1];
  to->word[3][at] = (uint32_t)(key->head[1] >> 32);
  to->size[at] = (uint32_t)key->size;
}

/* A word of four bytes is added; what is shorter is the tail, and of zeros nothing is left. The compiler makes vectors of
 * it. */
ADL_TARGET_AVX2 ADL_LOOPS static void hash_block(const term_block *from, uint32_t mask, uint32_t *restrict hash) {
  for (int i = 0; i < BLOCK; i++) {
    uint32_t h = 0;
    for (uint32_t word = 0; word < 4; word++) {
      uint32_t k = adl_murmur3_rotate(from->word[word][i] * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
      uint32_t tail = h ^ k, whole = adl_murmur3_rotate(tail, 13) * 5 + UINT32_C(0xe6546b64);
      uint32_t is_whole = 0 - (uint32_t)(from->size[i] >= 4 * word + 4);
      h = (whole & is_whole) | (tail & ~is_whole);
    }
    hash[i] = adl_murmur3_mix(h ^ from->size[i]) & mask;
  }
}

/* The number of terms that were hashed: a multiple of BLOCK. */
static int64_t hash_blocks(const adl_term *keys, int64_t count, uint32_t mask, uint32_t *hash) {
  term_block block;
  int64_t done = 0;
  if (adl_simd_level() < ADL_SIMD_AVX2) return 0;
  for (; done + BLOCK <= count; done += BLOCK) {
    uint32_t longest = 0;
    for (int64_t i = 0; i < BLOCK; i++) {
      uint32_t size = (uint32_t)keys[done + i].size;
      longest = size > longest ? size : longest;
      fill(&block, i, &keys[done + i]);
    }
    hash_block(&block, mask, hash + done);
    for (int64_t i = 0; longest > ADL_TERM_HEAD && i < BLOCK; i++)
      if (keys[done + i].size > ADL_TERM_HEAD)
        hash[done + i] = adl_murmur3(keys[done + i].data, (size_t)keys[done + i].size, 0) & mask;
  }
  return done;
}
#else
static int64_t hash_blocks(const adl_term *keys, int64_t count, uint32_t mask, uint32_t *hash) {
  (void)keys, (void)count, (void)mask, (void)hash;
  return 0;
}
#endif

void adl_terms_murmur3(const adl_term *keys, int64_t count, uint32_t mask, uint32_t *hash) {
  for (int64_t i = hash_blocks(keys, count, mask, hash); i < count; i++)
    hash[i] = adl_murmur3(keys[i].data, (size_t)keys[i].size, 0) & mask;
}
