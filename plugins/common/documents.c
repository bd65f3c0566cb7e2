/* The documents of a batch as terms; see documents.h. */
#include "common/documents.h"

#include <float.h>
#include <string.h>

/* A stretch ends when it has so many terms or bytes of text. */
enum { ENOUGH_TERMS = 512, ENOUGH_BYTES = 1 << 15 };

/* Room for `count` terms behind the `used` ones. */
static void need(adl_documents *in, int64_t used, int64_t count) {
  const adl_host *host = in->call->host;
  if (used + count <= in->capacity) return;
  in->capacity = 2 * (used + count) + ENOUGH_TERMS;
  adl_term *keys = host->alloc(in->call, (size_t)in->capacity * sizeof *keys);
  if (used > 0) memcpy(keys, in->keys, (size_t)used * sizeof *keys);
  in->keys = keys;
  if (in->column->weights == NULL) return;
  float *weights = host->alloc(in->call, (size_t)in->capacity * sizeof *weights);
  if (used > 0) memcpy(weights, in->weights, (size_t)used * sizeof *weights);
  in->weights = weights;
}

static void words_to_terms(const adl_words *words, adl_term *key) {
  const char *bytes = words->bytes;
  for (int64_t i = 0; i < words->count; i++)
    key[i] = adl_term_padded(bytes + words->span[i].start, words->span[i].end - words->span[i].start);
}

/* Both put the terms of a row behind the `used` ones and return how many; -1: it was rejected. */

static int64_t split_text(adl_documents *in, int64_t row, int64_t used) {
  adl_words *words = in->words;
  const char *why = adl_words_split(words, adl_text_at(in->column, row));
  if (why != NULL) {
    in->call->host->reject(in->call, row, in->name, "the text cannot be split into words: %s", why);
    return -1;
  }
  need(in, used, words->count * (in->longest - in->shortest + 1));
  adl_term *key = in->keys + used;
  if (in->longest == 1 && !in->words_whole) {
    words_to_terms(words, key);
    return words->count;
  }
  for (int64_t s = 0; s < words->segment_count; s++) {
    int64_t from = words->segment[s], to = words->segment[s + 1];
    for (int64_t n = in->shortest; n <= in->longest; n++) {
      bool whole = in->words_whole && to - from <= n;
      for (int64_t first = from, size = whole ? to - from : n; first + size <= to; first++) {
        adl_text gram = adl_words_gram(words, first, size);
        *key++ = adl_term_padded(gram.data, gram.size);
      }
      if (whole) break;
    }
  }
  return key - (in->keys + used);
}

static int64_t take_items(adl_documents *in, int64_t row, int64_t used) {
  const adl_column *column = in->column;
  int64_t from = column->offsets[row], to = column->offsets[row + 1], count = 0;
  need(in, used, to - from);
  for (int64_t item = from; item < to; item++) {
    float weight = column->weights != NULL ? column->weights[item] : 1;
    if (!(weight >= 0 && weight <= FLT_MAX)) {
      in->call->host->reject(in->call, row, in->name, "a word has the weight %g; needed: 0 or more", (double)weight);
      return -1;
    }
    if (weight == 0) continue;
    adl_text word = adl_text_at(column, item);
    if (in->weights != NULL) in->weights[used + count] = weight;
    in->keys[used + count++] = adl_term_of(word.data, word.size);
  }
  return count;
}

bool adl_documents_next(adl_documents *in) {
  const adl_column *column = in->column;
  in->first += in->rows;
  in->rows = 0;
  if (in->start == NULL) {
    in->start = in->call->host->alloc(in->call, ((size_t)column->rows + 1) * sizeof *in->start);
    in->start[0] = 0;
    if (in->tokenizer != NULL) in->words = adl_words_begin(in->call, in->tokenizer);
    need(in, 0, 1);
  }
  if (in->words != NULL) adl_words_forget(in->words);
  int64_t used = 0, bytes = 0;
  while (in->first + in->rows < column->rows && used < ENOUGH_TERMS && bytes < ENOUGH_BYTES) {
    int64_t row = in->first + in->rows, count = -1;
    if (!adl_is_null(column, row)) count = in->words != NULL ? split_text(in, row, used) : take_items(in, row, used);
    in->documents += count >= 0;
    used += count > 0 ? count : 0;
    if (in->words != NULL) bytes += adl_text_at(column, row).size;
    in->start[++in->rows] = used;
  }
  if (in->rows > 0) return true;
  if (in->words != NULL) adl_words_end(in->words);
  return false;
}
