/* Text to characters; see tokenize.h. */
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include "common/tokenize_state.h"

/* Normalised text in UTF-8. */
static const char *normalize_utf8(words_state *state, adl_text text, adl_text *result) {
  UErrorCode error = U_ZERO_ERROR;
  int32_t size = 0, bytes = 0;
  bool ascii = adl_count_ascii(text.data, text.size) == text.size;
  const UChar *normal = ascii ? NULL : adl_words_normalize(state, text, &size, &error);
  if (error == U_INVALID_CHAR_FOUND) return "it is not valid UTF-8";
  if (U_FAILURE(error)) return u_errorName(error);
  int64_t room = ascii ? text.size : 3 * (int64_t)size;
  if (room + 1 > state->utf8_capacity) {
    state->utf8_capacity = room + room / 2 + 256;
    state->utf8 = adl_words_grow(state->call, NULL, 0, state->utf8_capacity);
  }
  if (!ascii) {
    if (room > INT32_MAX) return "it becomes too long when it is normalised";
    u_strToUTF8(state->utf8, (int32_t)room, &bytes, normal, size, &error);
  }
  for (int32_t i = 0; ascii && i < text.size; i++) {
    char c = text.data[i];
    state->utf8[i] = (char)(state->tokenizer->options.lowercase && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  }
  *result = (adl_text){state->utf8, ascii ? text.size : bytes};
  return U_SUCCESS(error) ? NULL : u_errorName(error);
}

/* Length of the character at `at`, and whether it is white space; those above U+3000 are gone after normalising. */
static int32_t next_character(adl_text text, int32_t at, bool *white) {
  int32_t end = at;
  UChar32 c;
  U8_NEXT_OR_FFFD(text.data, end, text.size, c);
  *white = (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xa0 || (c >= 0x1680 && u_isUWhiteSpace(c));
  return end - at;
}

static void add_character(adl_words *words, const char *bytes, int32_t size) {
  memcpy(adl_word_room(words, 1, size), bytes, (size_t)size);
  words_state *state = words->state;
  words->span[words->count++] = (adl_span){(int32_t)state->used, (int32_t)state->used + size};
  state->used += size;
}

void adl_words_end_segment(adl_words *words) {
  words_state *state = words->state;
  if (words->segment_count + 2 > state->segment_capacity) {
    int64_t bytes = (words->segment_count + 1) * (int64_t)sizeof *words->segment;
    state->segment_capacity = 2 * state->segment_capacity + 64;
    words->segment = adl_words_grow(state->call, words->segment, words->segment != NULL ? bytes : 0,
                                    state->segment_capacity * (int64_t)sizeof *words->segment);
    words->segment[0] = 0;
  }
  words->segment[++words->segment_count] = words->count;
}

const char *adl_words_characters(adl_words *words, adl_text plain) {
  bool by_word = words->state->tokenizer->options.analyzer == ADL_ANALYZER_CHAR_WORD, white;
  adl_text text = {0};
  const char *why = normalize_utf8(words->state, plain, &text);
  if (why != NULL) return why;
  for (int32_t at = 0, size; at < text.size; at += size) {
    size = next_character(text, at, &white);
    if (!white) {
      if (by_word &&
          (words->segment_count == 0 ? words->count == 0 : words->segment[words->segment_count] == words->count))
        add_character(words, " ", 1);
      add_character(words, text.data + at, size);
      continue;
    }
    int32_t first = size, run = size;
    for (bool more = true; at + run < text.size; run += size) {
      size = next_character(text, at + run, &more);
      if (!more) break;
    }
    size = run;
    if (!by_word) {
      add_character(words, run > first ? " " : text.data + at, run > first ? 1 : first);
    } else if (words->count > (words->segment_count > 0 ? words->segment[words->segment_count] : 0)) {
      add_character(words, " ", 1);
      adl_words_end_segment(words);
    }
  }
  if (by_word && words->count > (words->segment_count > 0 ? words->segment[words->segment_count] : 0)) {
    add_character(words, " ", 1);
    adl_words_end_segment(words);
  }
  return NULL;
}
