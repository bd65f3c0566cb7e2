/* ASCII text to words; see ascii_words.h. */
#include "common/ascii_words.h"

#include <string.h>
#ifdef ADL_SIMD_X86
#include <immintrin.h>
#endif

enum { BLOCK = 64 };

void adl_ascii_init(adl_ascii *ascii) {
  memset(ascii->nibbles, 0, sizeof ascii->nibbles);
  for (int c = 0; c < 128; c++) {
    bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    bool in_word = (ascii->does[c] & (ADL_ASCII_LETTER | ADL_ASCII_DIGIT | ADL_ASCII_JOINS)) != 0;
    if (in_word && !plain) ascii->does[c] |= ADL_ASCII_ODD;
  }
  for (int class = 0; class < ADL_ASCII_CLASSES; class ++)
    for (int c = 0; c < 128; c++)
      if (ascii->does[c] >> class & 1) ascii->nibbles[class][c & 15] |= (uint8_t)(1 << (c >> 4));
}

/* ---- characters to bits ---- */

/* Of 64 characters; bit i is character i. */
typedef struct classes {
  uint64_t is[ADL_ASCII_CLASSES];
  uint64_t high; /* not ASCII */
} classes;

/* Places in classes.is. */
enum { LETTER, DIGIT, JOINS, BETWEEN_LETTERS, BETWEEN_DIGITS, ODD };

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

ADL_TARGET_AVX2 static inline classes classify_avx2(const adl_ascii *ascii, bool lowercase, const char *text,
                                                    char *to) {
  const __m256i bits = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64,
                                        -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i nibble = _mm256_set1_epi8(15);
  classes of = {0};
  for (int half = 0; half < 2; half++) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(text + 32 * half));
    __m256i low = _mm256_and_si256(bytes, nibble);
    __m256i bit = _mm256_shuffle_epi8(bits, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble));
    __m256i capital = _mm256_and_si256(_mm256_cmpgt_epi8(bytes, _mm256_set1_epi8('A' - 1)),
                                       _mm256_cmpgt_epi8(_mm256_set1_epi8('Z' + 1), bytes));
    __m256i mask = lowercase ? _mm256_set1_epi8(0x20) : _mm256_setzero_si256();
    _mm256_storeu_si256((__m256i *)(void *)(to + 32 * half), _mm256_or_si256(bytes, _mm256_and_si256(capital, mask)));
    of.high |= (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << (32 * half);
    for (int class = 0; class < ADL_ASCII_CLASSES; class ++)
      of.is[class] |= (uint64_t)members(ascii->nibbles[class], low, bit) << (32 * half);
  }
  return of;
}
#endif

/* ---- bits to words ---- */

/* What goes from block to block. A block's words are known once the next one is: a full stop may stand at its end. */
typedef struct splitter {
  classes before;         /* the block in hand */
  uint64_t letter, digit; /* classes of the character before it, in bit 0 */
  uint64_t inside;        /* 1: the block before ended within a word */
  int32_t at;             /* of the block in hand */
  int32_t *edges;         /* starts and ends, in turn */
  uint64_t odd;
} splitter;

/* The words of the block in hand, where `next` follows. */
static inline void split_block(splitter *s, const classes *next) {
  const uint64_t *is = s->before.is;
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
  for (; edges != 0; edges &= edges - 1) *s->edges++ = s->at + __builtin_ctzll(edges);
}

static inline void take_block(splitter *s, const classes *next) {
  split_block(s, next);
  s->at += BLOCK;
  s->before = *next;
}

#define SPLIT(name, target, classify)                                                                                  \
  target static bool name(const adl_ascii *ascii, bool lowercase, const char *text, int64_t size, char *to,            \
                          splitter *s) {                                                                               \
    uint64_t high = 0;                                                                                                 \
    int64_t at = 0;                                                                                                    \
    for (; at + BLOCK <= size; at += BLOCK) {                                                                          \
      classes next = classify(ascii, lowercase, text + at, to + at);                                                   \
      high |= next.high;                                                                                               \
      if (high != 0) return false;                                                                                     \
      take_block(s, &next);                                                                                            \
    }                                                                                                                  \
    char from[BLOCK] = {0}, rest[BLOCK];                                                                               \
    if (at < size) memcpy(from, text + at, (size_t)(size - at));                                                       \
    classes last = classify(ascii, lowercase, from, rest), none = {0};                                                 \
    if (at < size) memcpy(to + at, rest, (size_t)(size - at));                                                         \
    take_block(s, &last);                                                                                              \
    take_block(s, &none);                                                                                              \
    return last.high == 0;                                                                                             \
  }

SPLIT(split_portable, , classify_portable)
#ifdef ADL_SIMD_X86
SPLIT(split_avx2, ADL_TARGET_AVX2, classify_avx2)
#endif

int64_t adl_ascii_split(const adl_ascii *ascii, adl_simd level, bool lowercase, const char *text, int64_t size,
                        char *to, int32_t base, adl_span *spans, bool *odd) {
  splitter s = {.at = base - BLOCK, .edges = &spans->start};
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
