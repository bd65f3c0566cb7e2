/* What the files of the tokenizer share: tokenize.c (ASCII, ICU and what stands between), tokenize_chinese.c (words of a
 * dictionary), tokenize_characters.c. */
#ifndef ADLOOM_COMMON_TOKENIZE_STATE_H
#define ADLOOM_COMMON_TOKENIZE_STATE_H

#include <unicode/ubrk.h>
#include <unicode/unorm2.h>

#include "common/dictionary.h"
#include "common/tokenize.h"
#include "common/vocabulary.h"

struct adl_tokenizer {
  adl_tokenizer_options options;
  adl_dictionary *dictionary; /* NULL: none */
  UBreakIterator *iterator;   /* only cloned, never run, so that threads can share it */
  const UNormalizer2 *normalizer;
  adl_ascii ascii;
  char *stop_bytes;
  int64_t *stop_offsets;
  adl_vocabulary *stop; /* NULL: none */
};

typedef struct adl_words_state {
  const adl_call *call;
  const adl_tokenizer *tokenizer;
  adl_simd simd;
  UBreakIterator *iterator; /* NULL until needed */
  int64_t word_capacity;
  int64_t byte_capacity;
  int64_t used; /* of bytes */
  int64_t segment_capacity;
  UChar *utf16[2];
  int32_t utf16_capacity[2];
  char *utf8; /* normalised text whose characters are wanted */
  int64_t utf8_capacity;
  uint16_t *han;
  adl_dictionary_route *route;
  int64_t han_capacity;
} words_state;

/* Words end there, whatever stands around it. */
static inline bool adl_ends_words(char c) { return c == ' ' || c == '\n'; }

/* Memory of the call with a copy of what is `used` of the old one. */
void *adl_words_grow(const adl_call *call, const void *old, int64_t used, int64_t capacity);
/* Room for `count` more words, and for `size` more bytes and the blank behind them. */
char *adl_word_room(adl_words *words, int64_t count, int64_t size);
/* Takes over the word of `size` bytes that was written to adl_word_room, if it counts. */
void adl_word_done(adl_words *words, int64_t size);
/* N-grams end here. */
void adl_words_end_segment(adl_words *words);
/* How many ASCII characters a text begins with. */
int64_t adl_count_ascii(const char *at, int64_t size);
/* UTF-16 of the normalised text, NULL with *error when it cannot be had. */
const UChar *adl_words_normalize(words_state *state, adl_text text, int32_t *size, UErrorCode *error);

/* Each adds the words, or characters, of a text: if it is ASCII (false, and nothing is added: it is not); of any text; of
 * one with Chinese, by the dictionary; its characters. The others return NULL, or why it cannot be split. */
bool adl_words_ascii(adl_words *words, adl_text text);
const char *adl_words_mixed(adl_words *words, adl_text text);
const char *adl_words_chinese(adl_words *words, adl_text text);
const char *adl_words_characters(adl_words *words, adl_text text);

#endif
