/* Chinese words by dictionary; see dictionary.h. The dictionary is a trie: the first character by a plain table, those
 * behind it by an open-addressing table of (node, character), which holds the word's weight beside, so that a step is one
 * cache line. */
#include "common/dictionary.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/large.h"

enum { NODE_BITS = 24, LONGEST_WORD = 255, LONGEST_LINE = 4096 };
#define NO_WORD (-INFINITY)

/* Where a character leads: node 0 has nothing behind it. */
typedef struct step {
  uint64_t key;    /* slots: node it leaves (24 bits), character (16), node it leads to (24); 0: free */
  float weight;    /* ln of the frequency; NO_WORD */
  uint32_t behind; /* bit c & 31: there may be a character c behind it; most that are not are told by this alone */
} step;

/* A filter in front of the table: bits of pairs of characters that words begin with, and few others. */
enum { PAIR_BITS = 21 };

struct adl_dictionary {
  uint64_t pairs[(1 << PAIR_BITS) / 64];
  step first[ADL_HAN_END - ADL_HAN_FIRST]; /* the key is the node alone */
  step *slots;
  uint64_t slot_count, used;
  uint32_t nodes; /* numbers given out */
  double log_total;
};

/* ---- the trie ---- */

static uint64_t key_of(uint32_t node, uint16_t character) { return (uint64_t)node << 40 | (uint64_t)character << 24; }
static uint32_t node_of(const step *at) { return (uint32_t)at->key & ((1u << NODE_BITS) - 1); }

/* Where a key is, or near. */
static inline uint64_t place_of(const adl_dictionary *dictionary, uint64_t key) {
  return (key >> 24) * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (dictionary->slot_count - 1);
}

static inline step *find(const adl_dictionary *dictionary, uint64_t key) {
  for (uint64_t at = place_of(dictionary, key);; at = (at + 1) & (dictionary->slot_count - 1)) {
    step *slot = &dictionary->slots[at];
    if (slot->key == 0 || (slot->key ^ key) >> NODE_BITS == 0) return slot;
  }
}

static inline uint64_t pair_of(uint16_t first, uint16_t second) {
  return ((uint64_t)first << 16 | second) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PAIR_BITS);
}

static inline bool may_begin(const adl_dictionary *dictionary, uint16_t first, uint16_t second) {
  uint64_t pair = pair_of(first, second);
  return dictionary->pairs[pair / 64] >> (pair % 64) & 1;
}

static inline bool may_lead(const step *at, uint16_t character) { return at->behind >> (character & 31) & 1; }

static bool grow(adl_dictionary *dictionary) {
  step *old = dictionary->slots;
  uint64_t old_count = dictionary->slot_count;
  step *slots = adl_large_calloc(2 * old_count, sizeof *slots);
  if (slots == NULL) return false;
  dictionary->slots = slots;
  dictionary->slot_count = 2 * old_count;
  for (uint64_t i = 0; i < old_count; i++)
    if (old[i].key != 0) *find(dictionary, old[i].key) = old[i];
  free(old);
  return true;
}

/* Why not; NULL: done. */
static const char *add_word(adl_dictionary *dictionary, const uint16_t *word, int count, double weight) {
  step *at = &dictionary->first[word[0] - ADL_HAN_FIRST];
  if (count > 1) dictionary->pairs[pair_of(word[0], word[1]) / 64] |= UINT64_C(1) << pair_of(word[0], word[1]) % 64;
  for (int i = 1; i < count; i++) {
    if (node_of(at) == 0) {
      if (dictionary->nodes + 1 >= 1u << NODE_BITS) return "the dictionary has too many words";
      at->key |= ++dictionary->nodes;
    }
    uint64_t key = key_of(node_of(at), word[i]);
    at->behind |= 1u << (word[i] & 31);
    if (2 * dictionary->used + 2 > dictionary->slot_count && !grow(dictionary)) return "there is no memory for it";
    at = find(dictionary, key);
    if (at->key != 0) continue;
    *at = (step){.key = key, .weight = NO_WORD};
    dictionary->used++;
  }
  at->weight = (float)weight;
  return NULL;
}

/* ---- reading ---- */

/* UTF-8 to characters. Returns how many; -1: not valid; 0: there are others than Han, or too many. */
static int decode_word(const unsigned char *text, int size, uint16_t *word) {
  int count = 0;
  bool plain = true;
  for (int at = 0; at < size;) {
    unsigned char c = text[at];
    int length = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (length == 0 || at + length > size) return -1;
    uint32_t character = length == 1 ? c : c & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
      if ((text[at + i] & 0xc0) != 0x80) return -1;
      character = character << 6 | (text[at + i] & 0x3f);
    }
    if ((length == 3 && (character < 0x800 || (character >= 0xd800 && character < 0xe000))) ||
        (length == 4 && (character < 0x10000 || character > 0x10ffff)))
      return -1;
    plain = plain && adl_is_han(character) && count < LONGEST_WORD;
    if (plain) word[count++] = (uint16_t)character;
    at += length;
  }
  return plain ? count : 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Why the line, which ends with NUL, cannot be used; NULL: done. */
static const char *read_line(adl_dictionary *dictionary, char *line, double *total) {
  uint16_t word[LONGEST_WORD];
  size_t size = strcspn(line, " \t");
  char *number = line + size, *end;
  while (is_blank(*number)) number++;
  if (*number < '0' || *number > '9') return size == 0 ? "there is no word" : "behind the word, there is no frequency";
  errno = 0;
  double frequency = (double)strtoull(number, &end, 10);
  if (errno != 0 || frequency > 1e15) return "the frequency is too large";
  if (*end != '\0' && !is_blank(*end)) return "the frequency is not a whole number";
  if (size == 0) return "there is no word";
  int count = decode_word((const unsigned char *)line, (int)size, word);
  if (count < 0) return "the word is not valid UTF-8";
  *total += frequency;
  return count > 0 ? add_word(dictionary, word, count, frequency > 0 ? log(frequency) : NO_WORD) : NULL;
}

static adl_status read_lines(const adl_call *call, const char *parameter, const char *path, FILE *file,
                             adl_dictionary *dictionary) {
  char line[LONGEST_LINE];
  double total = 0;
  for (int64_t number = 1; fgets(line, sizeof line, file) != NULL; number++) {
    char *text = number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line;
    size_t size = strlen(text);
    const char *why = size + 1 == sizeof line ? "it is longer than 4,000 bytes, or holds a NUL" : NULL;
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) text[--size] = '\0';
    if (size == 0) continue;
    if (why == NULL) why = read_line(dictionary, text, &total);
    if (why != NULL)
      return call->host->fail(call, parameter, -1, "write a word, its frequency and, if you like, a tag in each line",
                              "line %lld of %s: %s", (long long)number, path, why);
  }
  if (ferror(file)) return call->host->fail(call, parameter, -1, NULL, "cannot read %s: %s", path, strerror(errno));
  if (total <= 0)
    return call->host->fail(call, parameter, -1, "write a word, its frequency and, if you like, a tag in each line",
                            "%s holds no word with a frequency above 0", path);
  dictionary->log_total = log(total);
  return ADL_OK;
}

/* Room for about as many steps as there are words in a file of this size, so that the table need not grow. */
static uint64_t guess_slots(FILE *file) {
  enum { LEAST = 1 << 12, MOST = 1 << 22, LINE = 14 };
  struct stat facts;
  uint64_t count = LEAST, size = fstat(fileno(file), &facts) == 0 && facts.st_size > 0 ? (uint64_t)facts.st_size : 0;
  while (count < MOST && count < 2 * size / LINE) count *= 2;
  return count;
}

adl_status adl_dictionary_load(const adl_call *call, const char *parameter, const char *path, adl_dictionary **result) {
  *result = NULL;
  if (strcmp(path, "-") == 0)
    return call->host->fail(call, parameter, -1, "name a file", "a dictionary cannot come from standard input");
  FILE *file = fopen(path, "rb");
  if (file == NULL) return call->host->fail(call, parameter, -1, NULL, "cannot open %s: %s", path, strerror(errno));
  adl_dictionary *dictionary = adl_large_calloc(1, sizeof *dictionary);
  if (dictionary != NULL) {
    dictionary->slot_count = guess_slots(file);
    dictionary->slots = adl_large_calloc(dictionary->slot_count, sizeof *dictionary->slots);
  }
  adl_status status = dictionary == NULL || dictionary->slots == NULL
                          ? call->host->fail(call, NULL, -1, NULL, "no memory for a dictionary")
                          : ADL_OK;
  for (int i = 0; status == ADL_OK && i < ADL_HAN_END - ADL_HAN_FIRST; i++) dictionary->first[i].weight = NO_WORD;
  if (status == ADL_OK) status = read_lines(call, parameter, path, file, dictionary);
  fclose(file);
  if (status == ADL_OK)
    *result = dictionary;
  else
    adl_dictionary_free(dictionary);
  return status;
}

void adl_dictionary_free(adl_dictionary *dictionary) {
  if (dictionary == NULL) return;
  free(dictionary->slots);
  free(dictionary);
}

/* ---- cutting ---- */

enum { RUN = 32 }; /* so many characters are looked at together */

/* The steps by two characters from first .. end - 1 on, to route: none depends on another, so they are fetched side by
 * side; and what is behind them after that. Whether there is such a step is as likely as not, so no branch asks for it. */
static void find_pairs(const adl_dictionary *dictionary, const uint16_t *characters, int64_t first, int64_t end,
                       int64_t count, adl_dictionary_route *route) {
  int64_t likely[RUN], likely_count = 0;
  uint64_t keys[RUN];
  for (int64_t i = first; i < end; i++) {
    bool may = i + 1 < count && may_begin(dictionary, characters[i], characters[i + 1]);
    uint32_t node = node_of(&dictionary->first[characters[i] - ADL_HAN_FIRST]);
    uint64_t key = key_of(node, i + 1 < count ? characters[i + 1] : 0);
    __builtin_prefetch(may ? (const void *)&dictionary->slots[place_of(dictionary, key)] : (const void *)dictionary);
    route[i].behind = NULL;
    route[i].pair = NO_WORD;
    likely[likely_count] = i;
    keys[likely_count] = key;
    likely_count += may;
  }
  for (int64_t k = 0; k < likely_count; k++) {
    int64_t i = likely[k];
    const step *at = find(dictionary, keys[k]);
    if (at->key == 0) continue;
    route[i].pair = at->weight;
    if (i + 2 == count || !may_lead(at, characters[i + 2])) continue;
    route[i].behind = at;
    __builtin_prefetch(&dictionary->slots[place_of(dictionary, key_of(node_of(at), characters[i + 2]))]);
  }
}

/* The best way from `from` on, where those behind are known. */
static void find_way(const adl_dictionary *dictionary, const uint16_t *characters, int64_t from, int64_t count,
                     adl_dictionary_route *route) {
  const double total = dictionary->log_total;
  const step *at = &dictionary->first[characters[from] - ADL_HAN_FIRST];
  double best = (double)at->weight - total + route[from + 1].score;
  double pair = (double)route[from].pair - total + (from + 2 <= count ? route[from + 2].score : 0);
  bool better = (pair >= best) & (pair > NO_WORD);
  int64_t end = from + 1 + better;
  best = better ? pair : best;
  at = route[from].behind;
  int64_t until = at != NULL ? count : 0;
  for (int64_t to = from + 2; to < until && may_lead(at, characters[to]); to++) {
    at = find(dictionary, key_of(node_of(at), characters[to]));
    if (at->key == 0) break;
    double score = (double)at->weight - total + route[to + 1].score;
    if (score >= best && score > NO_WORD) best = score, end = to + 1;
  }
  if (best <= NO_WORD) best = route[from + 1].score - total;
  route[from].score = best;
  route[from].end = (int32_t)end;
}

void adl_dictionary_cut(const adl_dictionary *dictionary, const uint16_t *characters, int64_t count,
                        adl_dictionary_route *route) {
  route[count] = (adl_dictionary_route){.score = 0, .end = (int32_t)count};
  for (int64_t end = count, first; end > 0; end = first) {
    first = end > RUN ? end - RUN : 0;
    find_pairs(dictionary, characters, first, end, count, route);
    for (int64_t from = end - 1; from >= first; from--) find_way(dictionary, characters, from, count, route);
  }
}
