/* A set of distinct terms with what is counted of each: an open-addressing table whose slots hold all of a term of up to 16
 * bytes, so that counting one touches one cache line, which is fetched long before. It lives in the
 * tensors of a partial: the terms that a lane of a fold has seen. Used by tfidf. */
#ifndef ADLOOM_COMMON_TERMS_H
#define ADLOOM_COMMON_TERMS_H

#include <adloom/plugin.h>

#include "common/term.h"

/* Two to a cache line. */
typedef struct adl_terms_slot {
  uint64_t head[2];   /* of the term, as in term.h */
  uint32_t documents; /* how many hold it; 0: the slot is free */
  uint32_t last;      /* the document that was counted last; means nothing after a merge */
  int32_t size;
  uint32_t at; /* longer than a head: it is bytes[8 * at .. 8 * at + size) */
} adl_terms_slot;

typedef struct adl_terms {
  const adl_call *call;
  adl_tensors *home;
  adl_terms_slot *slots;
  double *sums; /* of weights, beside the slots; NULL: not wanted */
  char *bytes;  /* of long terms */
  int64_t byte_capacity;
  int64_t *sizes; /* where the numbers that follow are kept */
  int64_t count, slot_count, byte_count, documents;
} adl_terms;

/* The set that `home` holds, empty at first. A fold over such sets needs a merge: adl_terms_add. Call adl_terms_close
 * when something was put in. `sums`: the same each time. */
void adl_terms_open(adl_terms *terms, const adl_call *call, adl_tensors *home, bool sums);
void adl_terms_close(adl_terms *terms);
/* Counts the terms of `rows` documents, those of document r being keys[start[r]] .. keys[start[r + 1] - 1]. weights: what
 * each adds to its sum, NULL: 1. */
adl_status adl_terms_count(adl_terms *terms, const adl_term *keys, const int64_t *start, int64_t rows,
                           const float *weights);
/* Adds the terms of `from`, their documents and their sums. */
adl_status adl_terms_add(adl_terms *into, const adl_terms *from);

static inline const char *adl_terms_data(const adl_terms *terms, const adl_terms_slot *slot) {
  return slot->size > ADL_TERM_HEAD ? terms->bytes + 8 * (int64_t)slot->at : (const char *)slot->head;
}

#endif
