/*
 * Short texts: 3 to 60 words (Poisson, 20), three in five from a vocabulary of 200,000 by Zipf's law, the others from the
 * 4000 words of the document's topic. Words are syllables of Latin letters, two letters at least.
 */
#include "generate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  WORDS = 200000,
  TOPICS = 100,
  TOPIC_WORDS = 4000,
  LEAST = 3,
  MEAN = 20,
  MOST = 60,
  LONGEST = 40,
  BUCKETS = 1 << 20
};

static const char *const onsets[] = {"b",  "c",  "d",  "f",  "g",  "h",  "j",  "k",   "l",  "m",  "n",  "p",
                                     "r",  "s",  "t",  "v",  "w",  "z",  "br", "ch",  "cl", "cr", "dr", "fl",
                                     "gr", "pl", "pr", "qu", "sh", "sk", "st", "str", "th", "tr"};
static const char *const vowels[] = {"a", "e", "i", "o", "u", "ai", "ea", "ee", "io", "ou"};
static const char *const codas[] = {"", "", "", "n", "r", "s", "t", "l", "m", "nd", "st", "ck"};

#define ANY_OF(list, random) (list)[(random) % (sizeof(list) / sizeof(list)[0])]

typedef char word[LONGEST];

static void make_word(char *text, uint64_t stream) {
  int syllables =
      1 + (adl_random_unit(stream, 0) < .8) + (adl_random_unit(stream, 1) < .45) + (adl_random_unit(stream, 2) < .1);
  text[0] = '\0';
  for (uint64_t s = 0; s < (uint64_t)syllables; s++) {
    uint64_t bits = adl_random(stream, 3 + s);
    strcat(text, ANY_OF(onsets, bits & 0xffff));
    strcat(text, ANY_OF(vowels, bits >> 16 & 0xffff));
    strcat(text, ANY_OF(codas, bits >> 32 & 0xffff));
  }
}

/* All different: a word that is there already is made again. */
static word *make_words(uint64_t seed) {
  word *words = take(WORDS * sizeof *words);
  int32_t *heads = take(BUCKETS * sizeof *heads), *next = take(WORDS * sizeof *next);
  memset(heads, -1, BUCKETS * sizeof *heads);
  uint64_t tries = 0;
  for (int32_t made = 0; made < WORDS;) {
    make_word(words[made], adl_random(seed, tries++));
    uint64_t hash = 14695981039346656037u;
    for (const char *c = words[made]; *c != '\0'; c++) hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    int32_t *head = &heads[(hash ^ hash >> 32) % BUCKETS], at = *head;
    while (at >= 0 && strcmp(words[at], words[made]) != 0) at = next[at];
    if (at >= 0) continue;
    next[made] = *head;
    *head = made++;
  }
  free(heads);
  free(next);
  return words;
}

void generate_documents(int64_t rows, uint64_t seed, const char *folder) {
  word *words = make_words(seed);
  zipf general = zipf_new(WORDS, 1.05), special = zipf_new(TOPIC_WORDS, 1);
  writer to = writer_open(folder, "documents.txt");
  int64_t tokens = 0;
  for (int64_t i = 0; i < rows; i++) {
    uint64_t stream = adl_random(seed + 1, (uint64_t)i);
    int length = random_poisson(seed + 2, (uint64_t)i, MEAN);
    length = length < LEAST ? LEAST : length > MOST ? MOST : length;
    int topic = (int)(log(1 - adl_random_unit(stream, 0)) / log(1 - .03)); /* geometric */
    if (topic >= TOPICS) topic = TOPICS - 1;
    for (uint64_t t = 0; t < (uint64_t)length; t++) {
      double u = adl_random_unit(stream, 1 + 2 * t);
      int64_t rank = 0;
      if (adl_random_unit(stream, 2 + 2 * t) < .6)
        rank = zipf_draw(&general, u);
      else
        rank = 50 + (int64_t)(adl_random(seed + 3 + (uint64_t)topic, (uint64_t)zipf_draw(&special, u)) % (WORDS - 50));
      if (t > 0) put_char(&to, ' ');
      put_text(&to, words[rank]);
    }
    tokens += length;
    writer_row(&to);
  }
  writer_close(&to);
  zipf_free(&general);
  zipf_free(&special);
  free(words);
  printf("rows %" PRId64 "\ntokens %" PRId64 "\n", rows, tokens);
}
