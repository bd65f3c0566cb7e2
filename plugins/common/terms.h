/* A set of distinct terms, numbered in order of first appearance: an open-addressing table, filled
 * many terms at a time so that the next ones are fetched while one is compared. It lives in
 * the tensors of a partial: the terms that a lane of a fold has seen, with their counts. Used by tfidf. */
#ifndef ADLOOM_COMMON_TERMS_H
#define ADLOOM_COMMON_TERMS_H

#include <adloom/plugin.h>

#include "common/term.h"

/* What a user counts of a term. */
typedef struct adl_terms_value {
  double count, sum;
  int64_t last; /* the document that was counted last; means nothing after a merge */
} adl_terms_value;

typedef struct adl_terms {
  const adl_call *call;
  adl_tensors *home;
  int64_t count, capacity;
  adl_term_record *records;
  adl_terms_value *values;
  char *bytes;
  int64_t byte_count, byte_capacity;
  uint32_t *slots; /* number + 1; 0: free */
  int64_t slot_count;
  int64_t *sizes; /* where count and byte_count are kept */
} adl_terms;

/* The set that `home` holds, empty at first. A fold over such sets needs a merge: adl_terms_add. Call adl_terms_close
 * when something was put in. */
void adl_terms_open(adl_terms *terms, const adl_call *call, adl_tensors *home);
void adl_terms_close(adl_terms *terms);
/* Numbers of the keys; what is not there yet is put in (with values of 0), and its bytes are copied. */
void adl_terms_insert(adl_terms *terms, const adl_term *keys, int64_t count, uint32_t *number);
/* Adds the terms of `from`, their counts and their sums. */
void adl_terms_add(adl_terms *into, const adl_terms *from);

static inline adl_text adl_terms_text(const adl_terms *terms, int64_t number) {
  const adl_term_record *record = &terms->records[number];
  return (adl_text){terms->bytes + record->at, record->size};
}

static inline adl_term adl_terms_key(const adl_terms *terms, int64_t number) {
  const adl_term_record *record = &terms->records[number];
  return (adl_term){.head = {record->head[0], record->head[1]},
                    .data = terms->bytes + record->at,
                    .size = record->size,
                    .hash = record->hash};
}

#endif
