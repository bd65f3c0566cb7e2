/* Text to words. Words are those of Unicode's word boundaries (UAX 29) as ICU finds them, Chinese, Japanese, Thai and
 * the like by ICU's dictionaries. Used by the text classes; needs ICU, which only they link. */
#ifndef ADLOOM_COMMON_TOKENIZE_H
#define ADLOOM_COMMON_TOKENIZE_H

#include <adloom/plugin.h>

#include "common/ascii_words.h"

/*
 * Rules. Text is normalised first: NFKC with case folding (full width becomes half width, capitals small), or NFKC alone
 * without `lowercase`. A word is then a segment with a letter, a digit, a kana, an ideograph or an emoji; single
 * characters count. "can't", "3.14" and "example.com" are one word each, "x-ray" is two. Runs of underscores are none.
 * Stretches of ASCII, where ICU's rules come down to a table, are split without calling ICU, into the same words. With a
 * dictionary, runs of Han characters are cut by it, and what stands between them is split as said.
 * Characters are code points of the normalised text.
 */
typedef enum adl_analyzer {
  ADL_ANALYZER_WORD,
  ADL_ANALYZER_CHAR,     /* characters; runs of two or more white spaces become one blank */
  ADL_ANALYZER_CHAR_WORD /* characters of words, which are what stands between white spaces; a blank on either side */
} adl_analyzer;

typedef struct adl_tokenizer_options {
  bool lowercase;
  int32_t analyzer;       /* adl_analyzer */
  bool alone;             /* nobody asks for n-grams of words: what stands between words does not matter */
  const char *dictionary; /* path of a file as dictionary.h says, NULL: none */
} adl_tokenizer_options;

typedef struct adl_tokenizer adl_tokenizer;

/* Immutable once made; threads share it. *tokenizer is NULL when the call fails. The parameter `dictionary` is blamed for
 * what is wrong with the dictionary. */
adl_status adl_tokenizer_new(const adl_call *call, const adl_tokenizer_options *options, adl_tokenizer **tokenizer);
/* Words to leave out, from a UTF-8 file: split as text is; lines that begin with # are comments. `parameter` is blamed.
 * Before the tokenizer is shared. */
adl_status adl_tokenizer_stop_words(const adl_call *call, adl_tokenizer *tokenizer, const char *parameter,
                                    const char *path);
void adl_tokenizer_free(adl_tokenizer *tokenizer); /* NULL is fine */

enum { ADL_WORDS_PAD = 16 };

/* The words, or characters, of one document after another, for one thread and one call. */
typedef struct adl_words {
  int64_t count;
  /* Word i is bytes[span[i].start .. span[i].end). Exactly one blank stands between two words (nothing between two
   * characters; anything if `alone`), so the n-gram of words i to i + n - 1 is
   * bytes[span[i].start .. span[i + n - 1].end). ADL_WORDS_PAD bytes may be read behind each. */
  char *bytes;
  adl_span *span;
  /* N-grams end where segments do: segment s is the words segment[s] .. segment[s + 1] - 1. There is one, or with
   * ADL_ANALYZER_CHAR_WORD one for each word. */
  int64_t segment_count;
  int64_t *segment;
  struct adl_words_state *state;
} adl_words;

adl_words *adl_words_begin(const adl_call *call, const adl_tokenizer *tokenizer);
void adl_words_end(adl_words *words);
/* Replaces the words by those of `text`, which is valid UTF-8; the bytes of those before stay where they are until
 * adl_words_forget. NULL when it went well, else why not, for host->reject: a static string. */
const char *adl_words_split(adl_words *words, adl_text text);
/* Begins at the start of `bytes` again: bytes of words that were handed out before may be overwritten. To be called before
 * there are more than 1 GB of them. */
void adl_words_forget(adl_words *words);

static inline adl_text adl_words_gram(const adl_words *words, int64_t first, int64_t n) {
  return (adl_text){words->bytes + words->span[first].start, words->span[first + n - 1].end - words->span[first].start};
}

#endif
