/* Text to words; see tokenize.h. One ICU break iterator is made per tokenizer and cloned per call, on the first document
 * that is not ASCII. */
#include "common/tokenize.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include "common/vocabulary.h"

/* What an ASCII character does at a word's edge. */
enum {
  LETTER = 1 << 0, /* a to z; @ too, for ICU 72 */
  DIGIT = 1 << 1,
  JOINS = 1 << 2,           /* continues any word: _ */
  BETWEEN_LETTERS = 1 << 3, /* continues a word between two letters: ' . */
  BETWEEN_DIGITS = 1 << 4   /* and between two digits: ' . , ; */
};
enum { IN_WORD = LETTER | DIGIT | JOINS };

/* Longer documents are refused: normalising can make text 18 times as long. */
enum { MAX_DOCUMENT_BYTES = 16 << 20 };

struct adl_tokenizer {
  bool lowercase;
  UBreakIterator *iterator; /* only cloned, never run, so that threads can share it */
  const UNormalizer2 *normalizer;
  uint8_t ascii[128];
  char *stop_bytes;
  int64_t *stop_offsets;
  adl_vocabulary *stop; /* NULL: none */
};

typedef struct adl_words_state {
  const adl_call *call;
  const adl_tokenizer *tokenizer;
  UBreakIterator *iterator; /* NULL until needed */
  int64_t word_capacity;
  int64_t byte_capacity;
  int64_t used; /* of bytes */
  UChar *utf16[2];
  int32_t utf16_capacity[2];
} words_state;

/* ---- making a tokenizer ---- */

/* How many segments ICU finds in a few ASCII characters. */
static int count_segments(UBreakIterator *iterator, const char *ascii) {
  UChar text[4];
  int32_t size = (int32_t)strlen(ascii);
  UErrorCode error = U_ZERO_ERROR;
  u_charsToUChars(ascii, text, size);
  ubrk_setText(iterator, text, size, &error);
  int count = 0;
  while (ubrk_next(iterator) != UBRK_DONE) count++;
  return count;
}

/* Asks ICU, whose rules differ a little between versions, what each ASCII character does. */
static void probe_ascii(adl_tokenizer *tokenizer) {
  for (int c = 1; c < 128; c++) {
    uint8_t *does = &tokenizer->ascii[c];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      *does = LETTER;
    } else if (c >= '0' && c <= '9') {
      *does = DIGIT;
    } else if (count_segments(tokenizer->iterator, (char[]){'a', (char)c, 0}) == 1) {
      *does = count_segments(tokenizer->iterator, (char[]){'a', '\'', (char)c, 0}) == 1 ? LETTER : JOINS;
    } else {
      if (count_segments(tokenizer->iterator, (char[]){'a', (char)c, 'a', 0}) == 1) *does |= BETWEEN_LETTERS;
      if (count_segments(tokenizer->iterator, (char[]){'1', (char)c, '1', 0}) == 1) *does |= BETWEEN_DIGITS;
    }
  }
}

adl_status adl_tokenizer_new(const adl_call *call, bool lowercase, adl_tokenizer **result) {
  UErrorCode error = U_ZERO_ERROR;
  adl_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
  *result = NULL;
  if (tokenizer == NULL) return call->host->fail(call, NULL, -1, NULL, "no memory for a tokenizer");
  tokenizer->lowercase = lowercase;
  tokenizer->normalizer = lowercase ? unorm2_getNFKCCasefoldInstance(&error) : unorm2_getNFKCInstance(&error);
  tokenizer->iterator = ubrk_open(UBRK_WORD, "", NULL, 0, &error);
  if (U_FAILURE(error)) {
    adl_tokenizer_free(tokenizer);
    return call->host->fail(call, NULL, -1, "check that ICU and its data are installed completely",
                            "ICU cannot split words: %s", u_errorName(error));
  }
  probe_ascii(tokenizer);
  *result = tokenizer;
  return ADL_OK;
}

void adl_tokenizer_free(adl_tokenizer *tokenizer) {
  if (tokenizer == NULL) return;
  if (tokenizer->iterator != NULL) ubrk_close(tokenizer->iterator);
  adl_vocabulary_free(tokenizer->stop);
  free(tokenizer->stop_bytes);
  free(tokenizer->stop_offsets);
  free(tokenizer);
}

/* ---- collecting words ---- */

static void *grow(const adl_call *call, const void *old, int64_t used, int64_t capacity) {
  void *memory = call->host->alloc(call, (size_t)capacity);
  if (used > 0) memcpy(memory, old, (size_t)used);
  return memory;
}

/* Room for one more word of up to `size` bytes, and the blank behind it. */
static char *word_room(adl_words *words, int64_t size) {
  words_state *state = words->state;
  if (words->count == state->word_capacity) {
    int64_t bytes = words->count * (int64_t)sizeof(int32_t);
    state->word_capacity = 2 * state->word_capacity + 256;
    words->start = grow(state->call, words->start, bytes, state->word_capacity * (int64_t)sizeof(int32_t));
    words->end = grow(state->call, words->end, bytes, state->word_capacity * (int64_t)sizeof(int32_t));
  }
  if (state->used + size + 1 > state->byte_capacity) {
    state->byte_capacity = 2 * state->byte_capacity + size + 4096;
    words->bytes = grow(state->call, words->bytes, state->used, state->byte_capacity);
  }
  return words->bytes + state->used;
}

/* Is there anything in it but ASCII punctuation? */
static bool means_something(const char *word, int64_t size) {
  for (int64_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)word[i], letter = c | 0x20;
    if (c >= 128 || (c >= '0' && c <= '9') || (letter >= 'a' && letter <= 'z')) return true;
  }
  return false;
}

/* Takes over the word of `size` bytes that was written to word_room. */
static void word_done(adl_words *words, int64_t size) {
  words_state *state = words->state;
  char *word = words->bytes + state->used;
  if (!means_something(word, size)) return;
  if (state->tokenizer->stop != NULL && adl_vocabulary_find(state->tokenizer->stop, word, size) >= 0) return;
  words->start[words->count] = (int32_t)state->used;
  words->end[words->count] = (int32_t)(state->used + size);
  words->count++;
  word[size] = ' ';
  state->used += size + 1;
}

/* ---- splitting ---- */

static bool is_ascii(adl_text text) {
  int64_t at = 0;
  uint64_t any = 0;
  for (; at + 8 <= text.size; at += 8) {
    uint64_t eight;
    memcpy(&eight, text.data + at, 8);
    any |= eight;
  }
  for (; at < text.size; at++) any |= (uint64_t)(unsigned char)text.data[at];
  return (any & UINT64_C(0x8080808080808080)) == 0;
}

static void split_ascii(adl_words *words, adl_text text) {
  const adl_tokenizer *tokenizer = words->state->tokenizer;
  const uint8_t *table = tokenizer->ascii;
  const unsigned char *p = (const unsigned char *)text.data, *end = p + text.size;
  while (p < end) {
    if (!(table[*p] & IN_WORD)) {
      p++;
      continue;
    }
    const unsigned char *from = p;
    for (uint8_t last = table[*p++]; p < end; p++) {
      uint8_t does = table[*p];
      if (!(does & IN_WORD)) {
        uint8_t next = p + 1 < end ? table[p[1]] : 0;
        if (!((does & BETWEEN_LETTERS) && (last & next & LETTER)) &&
            !((does & BETWEEN_DIGITS) && (last & next & DIGIT)))
          break;
      }
      last = does;
    }
    int64_t size = p - from;
    char *word = word_room(words, size);
    if (!tokenizer->lowercase)
      memcpy(word, from, (size_t)size);
    else
      for (int64_t i = 0; i < size; i++) word[i] = (char)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] | 0x20 : from[i]);
    word_done(words, size);
  }
}

static UChar *utf16_room(words_state *state, int buffer, int32_t size) {
  if (size > state->utf16_capacity[buffer]) {
    state->utf16_capacity[buffer] = size + size / 2 + 256;
    state->utf16[buffer] = grow(state->call, NULL, 0, (int64_t)sizeof(UChar) * state->utf16_capacity[buffer]);
  }
  return state->utf16[buffer];
}

/* UTF-16 of the normalised text, NULL with *error when it cannot be had. */
static const UChar *normalize(words_state *state, adl_text text, int32_t *size, UErrorCode *error) {
  const UNormalizer2 *normalizer = state->tokenizer->normalizer;
  int32_t plain_size = 0;
  UChar *plain = utf16_room(state, 0, text.size);
  u_strFromUTF8(plain, state->utf16_capacity[0], &plain_size, text.data, text.size, error);
  UChar *normal = utf16_room(state, 1, plain_size + 64);
  *size = unorm2_normalize(normalizer, plain, plain_size, normal, state->utf16_capacity[1], error);
  if (*error == U_BUFFER_OVERFLOW_ERROR) {
    *error = U_ZERO_ERROR;
    normal = utf16_room(state, 1, *size);
    *size = unorm2_normalize(normalizer, plain, plain_size, normal, state->utf16_capacity[1], error);
  }
  return U_SUCCESS(*error) ? normal : NULL;
}

/* Emoji are no words for ICU, but they tell as much. */
static bool begins_with_emoji(const UChar *text, int32_t size) {
  int32_t at = 0;
  UChar32 c;
  U16_NEXT(text, at, size, c);
  return c > 0xff &&
         (u_hasBinaryProperty(c, UCHAR_EMOJI_PRESENTATION) || u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC));
}

static const char *split_unicode(adl_words *words, adl_text text) {
  words_state *state = words->state;
  UErrorCode error = U_ZERO_ERROR;
  int32_t size = 0;
  if (state->iterator == NULL) state->iterator = ubrk_clone(state->tokenizer->iterator, &error);
  const UChar *normal = normalize(state, text, &size, &error);
  ubrk_setText(state->iterator, normal, size, &error);
  if (error == U_INVALID_CHAR_FOUND) return "it is not valid UTF-8";
  if (U_FAILURE(error)) return u_errorName(error);
  int32_t from = 0, to;
  while ((to = ubrk_next(state->iterator)) != UBRK_DONE) {
    if (ubrk_getRuleStatus(state->iterator) >= UBRK_WORD_NONE_LIMIT || begins_with_emoji(normal + from, to - from)) {
      int32_t bytes = 0;
      char *word = word_room(words, 3 * (int64_t)(to - from));
      u_strToUTF8(word, 3 * (to - from), &bytes, normal + from, to - from, &error);
      word_done(words, bytes);
    }
    from = to;
  }
  return NULL;
}

const char *adl_words_split(adl_words *words, adl_text text) {
  words->count = 0;
  words->state->used = 0;
  if (text.size > MAX_DOCUMENT_BYTES) return "it is longer than 16 MB";
  if (!is_ascii(text)) return split_unicode(words, text);
  split_ascii(words, text);
  return NULL;
}

adl_words *adl_words_begin(const adl_call *call, const adl_tokenizer *tokenizer) {
  adl_words *words = call->host->alloc(call, sizeof *words);
  *words = (adl_words){.state = call->host->alloc(call, sizeof *words->state)};
  *words->state = (words_state){.call = call, .tokenizer = tokenizer};
  return words;
}

void adl_words_end(adl_words *words) {
  if (words->state->iterator != NULL) ubrk_close(words->state->iterator);
  words->state->iterator = NULL;
}

/* ---- stop words ---- */

static adl_status read_file(const adl_call *call, const char *parameter, const char *path, char **bytes,
                            int64_t *size) {
  const adl_host *host = call->host;
  int64_t capacity = 1 << 16;
  FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "rb");
  if (file == NULL)
    return strcmp(path, "-") == 0
               ? host->fail(call, parameter, -1, "name a file", "stop words cannot come from standard input")
               : host->fail(call, parameter, -1, NULL, "cannot open %s: %s", path, strerror(errno));
  *bytes = host->alloc(call, (size_t)capacity);
  *size = 0;
  for (size_t got; (got = fread(*bytes + *size, 1, (size_t)(capacity - *size), file)) > 0;) {
    *size += (int64_t)got;
    if (*size > MAX_DOCUMENT_BYTES) break;
    if (*size == capacity) *bytes = grow(call, *bytes, *size, capacity *= 2);
  }
  bool broken = ferror(file) != 0;
  fclose(file);
  if (broken) return host->fail(call, parameter, -1, NULL, "cannot read %s", path);
  if (*size > MAX_DOCUMENT_BYTES)
    return host->fail(call, parameter, -1, "give a file with one word a line", "%s is longer than 16 MB", path);
  return ADL_OK;
}

/* Comments become blanks, so that the rest can be split in one go. */
static void blank_comments(char *bytes, int64_t size) {
  for (int64_t at = 0; at < size;) {
    const char *newline = memchr(bytes + at, '\n', (size_t)(size - at));
    int64_t end = newline != NULL ? newline - bytes : size;
    if (bytes[at] == '#') memset(bytes + at, ' ', (size_t)(end - at));
    at = end + 1;
  }
}

adl_status adl_tokenizer_stop_words(const adl_call *call, adl_tokenizer *tokenizer, const char *parameter,
                                    const char *path) {
  const adl_host *host = call->host;
  char *bytes = NULL;
  int64_t size = 0;
  ADL_TRY(read_file(call, parameter, path, &bytes, &size));
  int64_t mark = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  blank_comments(bytes + mark, size - mark);
  adl_words *words = adl_words_begin(call, tokenizer);
  const char *why = adl_words_split(words, (adl_text){bytes + mark, (int32_t)(size - mark)});
  adl_words_end(words);
  if (why != NULL) return host->fail(call, parameter, -1, NULL, "cannot use %s: %s", path, why);
  if (words->count == 0)
    return host->fail(call, parameter, -1, "write one word a line, or leave the parameter out", "%s holds no word",
                      path);
  tokenizer->stop_bytes = malloc((size_t)words->state->used);
  tokenizer->stop_offsets = malloc(((size_t)words->count + 1) * sizeof(int64_t));
  if (tokenizer->stop_bytes != NULL && tokenizer->stop_offsets != NULL) {
    int64_t used = tokenizer->stop_offsets[0] = 0;
    for (int64_t i = 0; i < words->count; i++) {
      adl_text word = adl_words_gram(words, i, 1);
      memcpy(tokenizer->stop_bytes + used, word.data, (size_t)word.size);
      tokenizer->stop_offsets[i + 1] = used += word.size;
    }
    tokenizer->stop = adl_vocabulary_new(tokenizer->stop_bytes, tokenizer->stop_offsets, words->count);
  }
  return tokenizer->stop != NULL ? ADL_OK : host->fail(call, NULL, -1, NULL, "no memory for the stop words");
}
