/* ASCII text to words, 64 bytes at a time: characters become bits of classes, words are runs of set bits. The rules are
 * those of Unicode's word boundaries (UAX 29), where they come down to a table of what each character does. Used by
 * tokenize.c. */
#ifndef ADLOOM_COMMON_ASCII_WORDS_H
#define ADLOOM_COMMON_ASCII_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/simd.h"

/* What a character does at a word's edge. */
enum {
  ADL_ASCII_LETTER = 1 << 0, /* a to z; @ too, for ICU 72 */
  ADL_ASCII_DIGIT = 1 << 1,
  ADL_ASCII_JOINS = 1 << 2,           /* continues any word: _ */
  ADL_ASCII_BETWEEN_LETTERS = 1 << 3, /* continues a word between two letters: ' . */
  ADL_ASCII_BETWEEN_DIGITS = 1 << 4,  /* and between two digits: ' . , ; */
  ADL_ASCII_ODD = 1 << 5,             /* in words, but neither a letter nor a digit */
  ADL_ASCII_CLASSES = 6
};

typedef struct adl_ascii {
  uint8_t does[128];                      /* classes of each character */
  uint8_t nibbles[ADL_ASCII_CLASSES][16]; /* [class][c & 15] has bit c >> 4 where c is of the class */
  uint8_t rare[16];                       /* likewise, of any class but letters and digits */
} adl_ascii;

typedef struct adl_span {
  int32_t start, end;
} adl_span;

/* So many numbers behind the last span may be overwritten. */
enum { ADL_ASCII_OVER = 16 };

/* Fills nibbles and rare from does, and finds what is odd. */
void adl_ascii_init(adl_ascii *ascii);
/*
 * Copies `size` bytes to `to`, in small letters if `lowercase`, and writes the words' places in it, each plus `base`, to
 * `spans` (room for size / 2 + 2, and ADL_ASCII_OVER). Returns how many; -1: there is a byte that is not ASCII. *odd: there is a word with a
 * character that is neither a letter nor a digit. The result is the same for every level.
 */
int64_t adl_ascii_split(const adl_ascii *ascii, adl_simd level, bool lowercase, const char *text, int64_t size,
                        char *to, int32_t base, adl_span *spans, bool *odd);

#endif
