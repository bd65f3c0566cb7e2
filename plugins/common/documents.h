/* The documents of a batch as terms, some hundreds of terms at a time: enough that whoever looks them up can fetch far
 * ahead, and few enough that they and their text are still in the nearest cache then. Used by tfidf. */
#ifndef ADLOOM_COMMON_DOCUMENTS_H
#define ADLOOM_COMMON_DOCUMENTS_H

#include "common/term.h"
#include "common/tokenize.h"

/* Memory of the call that grows; what was in it is lost then. */
typedef struct adl_room {
  void *memory;
  int64_t capacity;
} adl_room;

static inline void *adl_room_of(const adl_call *call, adl_room *room, int64_t size) {
  if (size > room->capacity || room->memory == NULL) {
    room->capacity = 2 * size + 64;
    room->memory = call->host->alloc(call, (size_t)room->capacity);
  }
  return room->memory;
}

typedef struct adl_documents {
  /* To be set. */
  const adl_call *call;
  const adl_column *column; /* strings: text; lists or bags of strings: words as they are */
  const char *name;         /* of the column, for messages */
  const adl_tokenizer *tokenizer;
  int64_t shortest, longest; /* n-grams */
  bool words_whole;          /* a segment that has no more words than n is one n-gram, once, and has no longer ones */

  /* The stretch in hand: rows first .. first + rows - 1 of the batch. Of row first + r are the terms start[r] ..
   * start[r + 1] - 1. A row that is null or was rejected has none. */
  int64_t first, rows;
  int64_t *start;
  adl_term *keys;
  float *weights;    /* how often each occurs; NULL: once */
  int64_t documents; /* so far, without null and rejected rows */

  int64_t capacity; /* of keys */
  adl_words *words;
} adl_documents;

/* The next stretch; false: there are no rows left. Terms that were handed out before are gone. */
bool adl_documents_next(adl_documents *in);

/* How much text there is. */
static inline int64_t adl_documents_bytes(const adl_documents *in) {
  const adl_column *column = in->column;
  return column->string_offsets[column->type.shape == ADL_SCALAR ? column->rows : column->offsets[column->rows]];
}

#endif
