/* ASCII text to words; see ascii_words.h. */
#include "common/ascii_words.h"

#include <string.h>
#ifdef ADL_SIMD_X86
#include <immintrin.h>
#endif

enum { BLOCK = 64 };

/* Places in classes.is. Many blocks have letters and digits alone. */
enum { LETTER, DIGIT, JOINS, BETWEEN_LETTERS, BETWEEN_DIGITS, ODD };

void adl_ascii_init(adl_ascii *ascii) {
  memset(ascii->nibbles, 0, sizeof ascii->nibbles);
  for (int c = 0; c < 128; c++) {
    bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    bool in_word = (ascii->does[c] & (ADL_ASCII_LETTER | ADL_ASCII_DIGIT | ADL_ASCII_JOINS)) != 0;
    if (in_word && !plain) ascii->does[c] |= ADL_ASCII_ODD;
  }
  for (int c = 0; c < 128; c++) {
    uint8_t bit = (uint8_t)(1 << (c >> 4));
    for (int class = 0; class < ADL_ASCII_CLASSES; class ++)
      if (ascii->does[c] >> class & 1) ascii->nibbles[class][c & 15] |= bit;
    if (ascii->does[c] >> JOINS != 0) ascii->rare[c & 15] |= bit;
  }
}

/* ---- characters to bits ---- */

/* Of 64 characters; bit i is character i. */
typedef struct classes {
  uint64_t is[ADL_ASCII_CLASSES];
  uint64_t high; /* not ASCII */
} classes;

static classes classify_portable(const adl_ascii *ascii, bool lowercase, const char *text, char *to) {
  classes of = {0};
  for (int i = 0; i < BLOCK; i++) {
    unsigned char c = (unsigned char)text[i];
    to[i] = (char)(lowercase && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    of.high |= (uint64_t)(c >> 7) << i;
    uint8_t does = ascii->does[c & 127];
    for (int class = 0; class < ADL_ASCII_CLASSES; class ++) of.is[class] |= (uint64_t)(does >> class & 1) << i;
  }
  return of;
}

#ifdef ADL_SIMD_X86
/* Which of 32 bytes have one of the bits of their upper half set in the row of their lower half. */
ADL_TARGET_AVX2 static inline uint32_t members(const uint8_t nibbles[16], __m256i low, __m256i bit) {
  __m256i table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)nibbles));
  __m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(table, low), bit), _mm256_setzero_si256());
  return ~(uint32_t)_mm256_movemask_epi8(none);
}

ADL_TARGET_AVX2 static inline __attribute__((always_inline)) classes classify_avx2(const adl_ascii *ascii, bool lowercase, const char *text,
                                                    char *to) {
  const __m256i bits = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64,
                                        -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i nibble = _mm256_set1_epi8(15);
  __m256i low[2], bit[2];
  classes of = {0};
  uint32_t rare = 0;
  for (int half = 0; half < 2; half++) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(text + 32 * half));
    low[half] = _mm256_and_si256(bytes, nibble);
    bit[half] = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
    __m256i capital = _mm256_and_si256(_mm256_cmpgt_epi8(bytes, _mm256_set1_epi8('A' - 1)),
                                       _mm256_cmpgt_epi8(_mm256_set1_epi8('Z' + 1), bytes));
    __m256i mask = lowercase ? _mm256_set1_epi8(0x20) : _mm256_setzero_si256();
    _mm256_storeu_si256((__m256i *)(void *)(to + 32 * half), _mm256_or_si256(bytes, _mm256_and_si256(capital, mask)));
    of.high |= (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << (32 * half);
    of.is[LETTER] |= (uint64_t)members(ascii->nibbles[LETTER], low[half], bit[half]) << (32 * half);
    of.is[DIGIT] |= (uint64_t)members(ascii->nibbles[DIGIT], low[half], bit[half]) << (32 * half);
    rare |= members(ascii->rare, low[half], bit[half]);
  }
  for (int half = 0; rare != 0 && half < 2; half++)
    for (int class = JOINS; class < ADL_ASCII_CLASSES; class ++)
      of.is[class] |= (uint64_t)members(ascii->nibbles[class], low[half], bit[half]) << (32 * half);
  return of;
}
#endif

/* ---- bits to words ---- */

/* What goes from block to block. A block's words are known once the next one is: a full stop may stand at its end. */
typedef struct splitter {
  uint64_t letter, digit; /* classes of the character before the block, in bit 0 */
  uint64_t inside;        /* 1: the block before ended within a word */
  int32_t at;             /* of the block */
  int32_t *edges;         /* starts and ends, in turn */
  uint64_t odd;
} splitter;

/* Places of the bits that are set. A block seldom has more than 16, so that no branch depends on how many there are. */
static inline int32_t *write_edges(int32_t *to, uint64_t edges, int32_t at) {
  const uint64_t last = UINT64_C(1) << 63;
  int count = __builtin_popcountll(edges);
#pragma GCC unroll 16
  for (int i = 0; i < ADL_ASCII_OVER; i++) {
    to[i] = at + __builtin_ctzll(edges | last);
    edges &= edges - 1;
  }
  for (int i = ADL_ASCII_OVER; i < count; i++) {
    to[i] = at + __builtin_ctzll(edges | last);
    edges &= edges - 1;
  }
  return to + count;
}

/* The words of a block that `next` follows. */
static inline void split_block(splitter *s, const classes *block, const classes *next) {
  const uint64_t *is = block->is;
  uint64_t in = is[LETTER] | is[DIGIT] | is[JOINS], joined = 0;
  if ((is[BETWEEN_LETTERS] | is[BETWEEN_DIGITS]) != 0) {
    uint64_t letters = (is[LETTER] << 1 | s->letter) & (is[LETTER] >> 1 | next->is[LETTER] << 63);
    uint64_t digits = (is[DIGIT] << 1 | s->digit) & (is[DIGIT] >> 1 | next->is[DIGIT] << 63);
    joined = (is[BETWEEN_LETTERS] & letters) | (is[BETWEEN_DIGITS] & digits);
    in |= joined;
  }
  s->odd |= is[ODD];
  s->letter = is[LETTER] >> 63;
  s->digit = is[DIGIT] >> 63;
  uint64_t edges = in ^ (in << 1 | s->inside);
  s->inside = in >> 63;
  s->edges = write_edges(s->edges, edges, s->at);
  s->at += BLOCK;
}

/* Only the last `count` characters of a block, as its first ones. */
static inline void keep_last(classes *of, int64_t count) {
  for (int class = 0; class < ADL_ASCII_CLASSES; class ++) of->is[class] >>= BLOCK - count;
}

/* The last block is read again from where it is a whole one; a text that is shorter than a block, from a copy. */
#define SPLIT(name, target, classify)                                                                                  \
  target static inline classes name##_last(const adl_ascii *ascii, bool lowercase, const char *text, int64_t size,     \
                                           char *to) {                                                                 \
    char from[BLOCK] = {0}, lower[BLOCK];                                                                              \
    int64_t rest = size % BLOCK;                                                                                       \
    classes last;                                                                                                      \
    if (size >= BLOCK) {                                                                                               \
      last = classify(ascii, lowercase, text + size - BLOCK, to + size - BLOCK);                                       \
      keep_last(&last, rest);                                                                                          \
    } else {                                                                                                           \
      memcpy(from, text, (size_t)size);                                                                                \
      last = classify(ascii, lowercase, from, lower);                                                                  \
      memcpy(to, lower, (size_t)size);                                                                                 \
    }                                                                                                                  \
    return last;                                                                                                       \
  }                                                                                                                    \
                                                                                                                       \
  target static bool name(const adl_ascii *ascii, bool lowercase, const char *text, int64_t size, char *to,            \
                          splitter *s) {                                                                               \
    classes block = {0}, next = {0};                                                                                   \
    uint64_t high = 0;                                                                                                 \
    for (int64_t at = 0; at < size; at += BLOCK) {                                                                     \
      next = size - at >= BLOCK ? classify(ascii, lowercase, text + at, to + at)                                       \
                                : name##_last(ascii, lowercase, text, size, to);                                       \
      high |= next.high;                                                                                               \
      if (high != 0) return false;                                                                                     \
      if (at > 0) split_block(s, &block, &next);                                                                       \
      block = next;                                                                                                    \
    }                                                                                                                  \
    next = (classes){0};                                                                                               \
    split_block(s, &block, &next);                                                                                     \
    if (s->inside != 0) *s->edges++ = s->at;                                                                           \
    return true;                                                                                                       \
  }

SPLIT(split_portable, , classify_portable)
#ifdef ADL_SIMD_X86
SPLIT(split_avx2, ADL_TARGET_AVX2, classify_avx2)
#endif

int64_t adl_ascii_split(const adl_ascii *ascii, adl_simd level, bool lowercase, const char *text, int64_t size,
                        char *to, int32_t base, adl_span *spans, bool *odd) {
  splitter s = {.at = base, .edges = &spans->start};
#ifdef ADL_SIMD_X86
  bool plain = level >= ADL_SIMD_AVX2 ? split_avx2(ascii, lowercase, text, size, to, &s)
                                      : split_portable(ascii, lowercase, text, size, to, &s);
#else
  bool plain = split_portable(ascii, lowercase, text, size, to, &s);
  (void)level;
#endif
  *odd = s.odd != 0;
  return plain ? (s.edges - &spans->start) / 2 : -1;
}
