/* Text to words by a dictionary of Chinese words; see tokenize.h. */
#include <string.h>

#include "common/tokenize_state.h"

/* What a character is for a text with Chinese words. */
typedef enum kind { OTHER, HAN, PAUSE, COMMA } kind;

/* Three bytes at most decide: longer characters are OTHER. A PAUSE is no part of a word wherever it stands, normalised or
 * not; a COMMA (in full width) becomes one that may stand between two digits. */
static kind kind_of(const char *at, int64_t size, uint32_t *character) {
  static const uint16_t pauses[] = {0x3001, 0x3002, 0x3008, 0x3009, 0x300a, 0x300b, 0x300c, 0x300d, 0x300e, 0x300f,
                                    0x3010, 0x3011, 0x2014, 0x201c, 0x201d, 0x2026, 0xff01, 0xff08, 0xff09, 0xff1f};
  const unsigned char *c = (const unsigned char *)at;
  if (c[0] < 0x80) return adl_ends_words(at[0]) ? PAUSE : OTHER;
  if (size < 3 || c[0] < 0xe2 || c[0] > 0xef || (c[1] & 0xc0) != 0x80 || (c[2] & 0xc0) != 0x80) return OTHER;
  *character = (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
  if (adl_is_han(*character)) return HAN;
  if (*character == 0xff0c || *character == 0xff1a || *character == 0xff1b) return COMMA;
  for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++)
    if (*character == pauses[i]) return PAUSE;
  return OTHER;
}

static int32_t kind_size(kind of, const char *at) { return of != OTHER && (at[0] & 0x80) != 0 ? 3 : 1; }

/* The Han characters that a text begins with; returns how many. */
static int64_t take_han(const char *text, int64_t size, uint16_t *characters) {
  const unsigned char *c = (const unsigned char *)text;
  int64_t count = 0;
  for (; 3 * count + 3 <= size; count++, c += 3) {
    uint32_t character = (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
    bool valid = (c[0] & 0xf0) == 0xe0 && (c[1] & 0xc0) == 0x80 && (c[2] & 0xc0) == 0x80;
    if (!valid || !adl_is_han(character)) break;
    characters[count] = (uint16_t)character;
  }
  return count;
}

/* Adds the words of a run of Han characters, which stay where they are in a copy of it. */
static void add_in_place(adl_words *words, const char *text, int64_t count) {
  words_state *state = words->state;
  memcpy(adl_word_room(words, count, 3 * count), text, 3 * (size_t)count);
  for (int64_t from = 0, to; from < count; from = to) {
    to = state->route[from].end;
    words->span[words->count++] = (adl_span){(int32_t)(state->used + 3 * from), (int32_t)(state->used + 3 * to)};
  }
  state->used += 3 * count;
}

/* Adds the words of a run of Han characters; returns its length in bytes. */
static int64_t split_han(adl_words *words, const char *text, int64_t size) {
  words_state *state = words->state;
  const adl_tokenizer *tokenizer = state->tokenizer;
  if (size / 3 + 1 > state->han_capacity) {
    state->han_capacity = size / 3 + 64;
    state->han = adl_words_grow(state->call, NULL, 0, state->han_capacity * (int64_t)sizeof *state->han);
    state->route = adl_words_grow(state->call, NULL, 0, (state->han_capacity + 1) * (int64_t)sizeof *state->route);
  }
  int64_t count = take_han(text, size, state->han);
  adl_dictionary_cut(tokenizer->dictionary, state->han, count, state->route);
  if (tokenizer->options.alone && tokenizer->stop == NULL) {
    add_in_place(words, text, count);
    return 3 * count;
  }
  for (int64_t from = 0; from < count; from = state->route[from].end) {
    int64_t bytes = 3 * (state->route[from].end - from);
    memcpy(adl_word_room(words, 1, bytes), text + 3 * from, (size_t)bytes);
    adl_word_done(words, bytes);
  }
  return 3 * count;
}

/* Length of what stands between Han characters and pauses. A comma belongs to it unless it stands beside one of them. */
static int64_t count_between(const char *text, int64_t size) {
  uint32_t character;
  for (int64_t at = 0; at < size;) {
    kind of = kind_of(text + at, size - at, &character);
    if (of == HAN || of == PAUSE) return at;
    if (of == COMMA) {
      kind next = at + 3 < size ? kind_of(text + at + 3, size - at - 3, &character) : PAUSE;
      if (at == 0 || next != OTHER) return at > 0 ? at : 3;
    }
    at += kind_size(of, text + at);
  }
  return size;
}

const char *adl_words_chinese(adl_words *words, adl_text text) {
  uint32_t character;
  for (int64_t at = 0; at < text.size;) {
    const char *from = text.data + at;
    int64_t left = text.size - at;
    kind of = kind_of(from, left, &character);
    if (of == HAN) {
      at += split_han(words, from, left);
    } else if (of == PAUSE) {
      at += kind_size(of, from);
    } else {
      adl_text between = {from, (int32_t)count_between(from, left)};
      if (of != COMMA || between.size > 3) {
        const char *why = adl_words_ascii(words, between) ? NULL : adl_words_mixed(words, between);
        if (why != NULL) return why;
      }
      at += between.size;
    }
  }
  return NULL;
}
