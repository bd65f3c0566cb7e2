/* Chinese words by dictionary: the most likely way to cut a run of Han characters into words, where a way is as likely as
 * the product of its words' frequencies (unigram model; the best path is found by dynamic programming, as in jieba with
 * HMM off). Used by tokenize.c. */
#ifndef ADLOOM_COMMON_DICTIONARY_H
#define ADLOOM_COMMON_DICTIONARY_H

#include <adloom/plugin.h>

/* Characters that runs are made of: CJK unified ideographs and extension A, which normalising leaves as they are. */
enum { ADL_HAN_FIRST = 0x3400, ADL_HAN_END = 0xa000, ADL_HAN_GAP_FIRST = 0x4dc0, ADL_HAN_GAP_END = 0x4e00 };

static inline bool adl_is_han(uint32_t character) {
  return character >= ADL_HAN_FIRST && character < ADL_HAN_END &&
         (character < ADL_HAN_GAP_FIRST || character >= ADL_HAN_GAP_END);
}

typedef struct adl_dictionary adl_dictionary;

/*
 * From a UTF-8 file with a line `word frequency tag` for each word, separated by blanks or tabs; the tag may be missing.
 * Empty lines are skipped. Words with characters other than Han are counted, but never found. A word that comes twice has
 * its last frequency; with 0 it is no word. Immutable once made; threads share it. `parameter` is blamed.
 */
adl_status adl_dictionary_load(const adl_call *call, const char *parameter, const char *path,
                               adl_dictionary **dictionary);
void adl_dictionary_free(adl_dictionary *dictionary); /* NULL is fine */

/* Room for adl_dictionary_cut. */
typedef struct adl_dictionary_route {
  double score;
  const void *behind; /* where the first two characters lead, if there may be more of a word behind them */
  float pair;         /* weight of these two as a word */
  int32_t end;
} adl_dictionary_route;

/* Cuts `count` Han characters: the word that begins at i, if i begins one, ends at route[i].end. Words begin at 0 and
 * where the one before ends. `route` has count + 1 elements. Characters that begin no word of the dictionary stay single. */
void adl_dictionary_cut(const adl_dictionary *dictionary, const uint16_t *characters, int64_t count,
                        adl_dictionary_route *route);

#endif
