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
#include <unicode/utf8.h>

#include "common/tokenize_state.h"

/* Longer documents are refused: normalising can make text 18 times as long. */
enum { MAX_DOCUMENT_BYTES = 16 << 20 };

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
    uint8_t *does = &tokenizer->ascii.does[c];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      *does = ADL_ASCII_LETTER;
    } else if (c >= '0' && c <= '9') {
      *does = ADL_ASCII_DIGIT;
    } else if (count_segments(tokenizer->iterator, (char[]){'a', (char)c, 0}) == 1) {
      *does = count_segments(tokenizer->iterator, (char[]){'a', '\'', (char)c, 0}) == 1 ? ADL_ASCII_LETTER
                                                                                        : ADL_ASCII_JOINS;
    } else {
      if (count_segments(tokenizer->iterator, (char[]){'a', (char)c, 'a', 0}) == 1) *does |= ADL_ASCII_BETWEEN_LETTERS;
      if (count_segments(tokenizer->iterator, (char[]){'1', (char)c, '1', 0}) == 1) *does |= ADL_ASCII_BETWEEN_DIGITS;
    }
  }
  adl_ascii_init(&tokenizer->ascii);
}

adl_status adl_tokenizer_new(const adl_call *call, const adl_tokenizer_options *options, adl_tokenizer **result) {
  UErrorCode error = U_ZERO_ERROR;
  adl_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
  *result = NULL;
  if (tokenizer == NULL) return call->host->fail(call, NULL, -1, NULL, "no memory for a tokenizer");
  tokenizer->options = *options;
  tokenizer->normalizer = options->lowercase ? unorm2_getNFKCCasefoldInstance(&error) : unorm2_getNFKCInstance(&error);
  tokenizer->iterator = ubrk_open(UBRK_WORD, "", NULL, 0, &error);
  if (U_FAILURE(error)) {
    adl_tokenizer_free(tokenizer);
    return call->host->fail(call, NULL, -1, "check that ICU and its data are installed completely",
                            "ICU cannot split words: %s", u_errorName(error));
  }
  probe_ascii(tokenizer);
  if (options->dictionary != NULL) {
    adl_status status = adl_dictionary_load(call, "dictionary", options->dictionary, &tokenizer->dictionary);
    if (status != ADL_OK) {
      adl_tokenizer_free(tokenizer);
      return status;
    }
  }
  *result = tokenizer;
  return ADL_OK;
}

void adl_tokenizer_free(adl_tokenizer *tokenizer) {
  if (tokenizer == NULL) return;
  if (tokenizer->iterator != NULL) ubrk_close(tokenizer->iterator);
  adl_vocabulary_free(tokenizer->stop);
  adl_dictionary_free(tokenizer->dictionary);
  free(tokenizer->stop_bytes);
  free(tokenizer->stop_offsets);
  free(tokenizer);
}

/* ---- collecting words ---- */

void *adl_words_grow(const adl_call *call, const void *old, int64_t used, int64_t capacity) {
  void *memory = call->host->alloc(call, (size_t)capacity);
  if (used > 0) memcpy(memory, old, (size_t)used);
  return memory;
}

/* Room for `count` more words, and for `size` more bytes and the blank behind them. */
char *adl_word_room(adl_words *words, int64_t count, int64_t size) {
  words_state *state = words->state;
  if (words->count + count > state->word_capacity) {
    int64_t bytes = words->count * (int64_t)sizeof *words->span;
    state->word_capacity = 2 * state->word_capacity + count + 256;
    words->span = adl_words_grow(state->call, words->span, bytes, state->word_capacity * (int64_t)sizeof *words->span);
  }
  if (state->used + size + 1 > state->byte_capacity) {
    state->byte_capacity = 2 * state->byte_capacity + size + 4096;
    words->bytes = adl_words_grow(state->call, words->bytes, state->used, state->byte_capacity + ADL_WORDS_PAD);
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

static bool is_stop_word(const adl_tokenizer *tokenizer, const char *word, int64_t size) {
  return tokenizer->stop != NULL && adl_vocabulary_find(tokenizer->stop, word, size) >= 0;
}

/* Takes over the word of `size` bytes that was written to word_room. */
void adl_word_done(adl_words *words, int64_t size) {
  words_state *state = words->state;
  char *word = words->bytes + state->used;
  if (!means_something(word, size) || is_stop_word(state->tokenizer, word, size)) return;
  words->span[words->count++] = (adl_span){(int32_t)state->used, (int32_t)(state->used + size)};
  word[size] = ' ';
  state->used += size + 1;
}

/* ---- splitting: ASCII ---- */

/* Keeps of the words from number `first` on those that count. */
static void drop_words(adl_words *words, int64_t first) {
  int64_t kept = first;
  for (int64_t i = first; i < words->count; i++) {
    const char *word = words->bytes + words->span[i].start;
    int64_t size = words->span[i].end - words->span[i].start;
    if (means_something(word, size) && !is_stop_word(words->state->tokenizer, word, size))
      words->span[kept++] = words->span[i];
  }
  words->count = kept;
}

/* One blank between the words from number `first` on, which lie somewhere from `at` on, in order. */
static void close_gaps(adl_words *words, int64_t first, int64_t at) {
  for (int64_t i = first; i < words->count; i++) {
    adl_span *span = &words->span[i];
    int64_t size = span->end - span->start;
    if (span->start != at) memmove(words->bytes + at, words->bytes + span->start, (size_t)size);
    *span = (adl_span){(int32_t)at, (int32_t)(at + size)};
    words->bytes[at + size] = ' ';
    at += size + 1;
  }
  words->state->used = at;
}

/* Adds the words of a text; false, and nothing is added: it is not ASCII. */
bool adl_words_ascii(adl_words *words, adl_text text) {
  words_state *state = words->state;
  const adl_tokenizer *tokenizer = state->tokenizer;
  char *to = adl_word_room(words, text.size / 2 + 2 + ADL_ASCII_OVER, text.size);
  bool odd;
  int64_t first = words->count, before = state->used;
  int64_t found = adl_ascii_split(&tokenizer->ascii, state->simd, tokenizer->options.lowercase, text.data, text.size,
                                  to, (int32_t)before, words->span + first, &odd);
  if (found < 0) return false;
  words->count += found;
  state->used += text.size + 1;
  if (odd || tokenizer->stop != NULL) drop_words(words, first);
  if (!tokenizer->options.alone) close_gaps(words, first, before);
  return true;
}

/* ---- splitting: ICU ---- */

static UChar *utf16_room(words_state *state, int buffer, int32_t size) {
  if (size > state->utf16_capacity[buffer]) {
    state->utf16_capacity[buffer] = size + size / 2 + 256;
    state->utf16[buffer] = adl_words_grow(state->call, NULL, 0, (int64_t)sizeof(UChar) * state->utf16_capacity[buffer]);
  }
  return state->utf16[buffer];
}

/* UTF-16 of the normalised text, NULL with *error when it cannot be had. */
const UChar *adl_words_normalize(words_state *state, adl_text text, int32_t *size, UErrorCode *error) {
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

/* Adds the words of a text. */
static const char *split_unicode(adl_words *words, adl_text text) {
  words_state *state = words->state;
  UErrorCode error = U_ZERO_ERROR;
  int32_t size = 0;
  if (state->iterator == NULL) state->iterator = ubrk_clone(state->tokenizer->iterator, &error);
  const UChar *normal = adl_words_normalize(state, text, &size, &error);
  ubrk_setText(state->iterator, normal, size, &error);
  if (error == U_INVALID_CHAR_FOUND) return "it is not valid UTF-8";
  if (U_FAILURE(error)) return u_errorName(error);
  int32_t from = 0, to;
  while ((to = ubrk_next(state->iterator)) != UBRK_DONE) {
    if (ubrk_getRuleStatus(state->iterator) >= UBRK_WORD_NONE_LIMIT || begins_with_emoji(normal + from, to - from)) {
      int32_t bytes = 0;
      char *word = adl_word_room(words, 1, 3 * (int64_t)(to - from));
      u_strToUTF8(word, 3 * (to - from), &bytes, normal + from, to - from, &error);
      adl_word_done(words, bytes);
    }
    from = to;
  }
  return NULL;
}

/* ---- splitting: stretches ---- */

int64_t adl_count_ascii(const char *at, int64_t size) {
  int64_t count = 0;
  for (uint64_t eight; count + 8 <= size; count += 8) {
    memcpy(&eight, at + count, 8);
    if ((eight & UINT64_C(0x8080808080808080)) != 0) break;
  }
  while (count < size && (at[count] & 0x80) == 0) count++;
  return count;
}

/* How much of the text, whose first `ascii` bytes are ASCII, has no words in common with what is behind: up to the last
 * blank or newline, at which words end whatever stands around it. */
static int64_t count_apart(const char *at, int64_t ascii) {
  while (ascii > 0 && !adl_ends_words(at[ascii - 1])) ascii--;
  return ascii;
}

/* Where a stretch ends that begins with a character that is not ASCII: at a blank with enough ASCII behind it to be worth
 * changing over. */
static int64_t count_foreign(const char *at, int64_t size) {
  enum { WORTH = 48 };
  for (int64_t end = 0; end < size;) {
    int64_t ascii = adl_count_ascii(at + end, size - end);
    if (ascii >= WORTH || end + ascii == size) {
      int64_t blank = 0;
      while (blank < ascii && !adl_ends_words(at[end + blank])) blank++;
      if (blank < ascii) return end + blank;
    }
    end += ascii;
    while (end < size && (at[end] & 0x80) != 0) end++;
  }
  return size;
}

/* Adds the words of a text in which some is not ASCII. */
const char *adl_words_mixed(adl_words *words, adl_text text) {
  for (int64_t at = 0; at < text.size;) {
    int64_t ascii = adl_count_ascii(text.data + at, text.size - at);
    int64_t apart = at + ascii == text.size ? ascii : count_apart(text.data + at, ascii);
    if (apart > 0) adl_words_ascii(words, (adl_text){text.data + at, (int32_t)apart});
    at += apart;
    if (at == text.size) break;
    int64_t before = ascii - apart, foreign = before + count_foreign(text.data + at + before, text.size - at - before);
    const char *why = split_unicode(words, (adl_text){text.data + at, (int32_t)foreign});
    if (why != NULL) return why;
    at += foreign;
  }
  return NULL;
}

const char *adl_words_split(adl_words *words, adl_text text) {
  const adl_tokenizer *tokenizer = words->state->tokenizer;
  const char *why = NULL;
  words->count = words->segment_count = 0;
  if (text.size > MAX_DOCUMENT_BYTES) return "it is longer than 16 MB";
  if (tokenizer->options.analyzer != ADL_ANALYZER_WORD)
    why = adl_words_characters(words, text);
  else if (!adl_words_ascii(words, text))
    why = tokenizer->dictionary != NULL ? adl_words_chinese(words, text) : adl_words_mixed(words, text);
  if (tokenizer->options.analyzer != ADL_ANALYZER_CHAR_WORD) adl_words_end_segment(words);
  return why;
}

void adl_words_forget(adl_words *words) { words->state->used = 0; }

adl_words *adl_words_begin(const adl_call *call, const adl_tokenizer *tokenizer) {
  adl_words *words = call->host->alloc(call, sizeof *words);
  *words = (adl_words){.state = call->host->alloc(call, sizeof *words->state)};
  *words->state = (words_state){.call = call, .tokenizer = tokenizer, .simd = adl_simd_level()};
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
    if (*size == capacity) *bytes = adl_words_grow(call, *bytes, *size, capacity *= 2);
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
    tokenizer->stop = adl_vocabulary_new(tokenizer->stop_bytes, tokenizer->stop_offsets, words->count, NULL);
  }
  return tokenizer->stop != NULL ? ADL_OK : host->fail(call, NULL, -1, NULL, "no memory for the stop words");
}
