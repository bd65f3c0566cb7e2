/* Text to words. Words are those of Unicode's word boundaries (UAX 29) as ICU finds them, Chinese, Japanese, Thai and
 * the like by ICU's dictionaries. Used by the text classes; needs ICU, which only they link. */
#ifndef ADLOOM_COMMON_TOKENIZE_H
#define ADLOOM_COMMON_TOKENIZE_H

#include <adloom/plugin.h>

/*
 * Rules. Text is normalised first: NFKC with case folding (full width becomes half width, capitals small), or NFKC alone
 * without `lowercase`. A word is then a segment with a letter, a digit, a kana, an ideograph or an emoji; single
 * characters count. "can't", "3.14" and "example.com" are one word each, "x-ray" is two. Runs of underscores are none.
 * Text in ASCII, where ICU's rules come down to a table, is split without calling ICU, into the same words.
 */
typedef struct adl_tokenizer adl_tokenizer;

/* Immutable once made; threads share it. *tokenizer is NULL when the call fails. */
adl_status adl_tokenizer_new(const adl_call *call, bool lowercase, adl_tokenizer **tokenizer);
/* Words to leave out, from a UTF-8 file: split as text is; lines that begin with # are comments. `parameter` is blamed.
 * Before the tokenizer is shared. */
adl_status adl_tokenizer_stop_words(const adl_call *call, adl_tokenizer *tokenizer, const char *parameter,
                                    const char *path);
void adl_tokenizer_free(adl_tokenizer *tokenizer); /* NULL is fine */

/* The words of one document after another, for one thread and one call. */
typedef struct adl_words {
  int64_t count;
  /* Word i is bytes[start[i] .. end[i]). Exactly one blank stands between two words, so the n-gram of words i to
   * i + n - 1 is bytes[start[i] .. end[i + n - 1]). */
  char *bytes;
  int32_t *start;
  int32_t *end;
  struct adl_words_state *state;
} adl_words;

adl_words *adl_words_begin(const adl_call *call, const adl_tokenizer *tokenizer);
void adl_words_end(adl_words *words);
/* Replaces the words by those of `text`, which is valid UTF-8. NULL when it went well, else why not, for
 * host->reject: a static string. */
const char *adl_words_split(adl_words *words, adl_text text);

static inline adl_text adl_words_gram(const adl_words *words, int64_t first, int64_t n) {
  return (adl_text){words->bytes + words->start[first], words->end[first + n - 1] - words->start[first]};
}

#endif
