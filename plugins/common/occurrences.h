/* The terms of a batch of documents: its distinct terms, and where they occur. Everything that is done per term (hashing,
 * looking up) is done once a batch instead of once an occurrence; rows of sparse values come out sorted because they are
 * transposed twice instead of sorted one by one. Used by tfidf. */
#ifndef ADLOOM_COMMON_OCCURRENCES_H
#define ADLOOM_COMMON_OCCURRENCES_H

#include "common/terms.h"

typedef struct adl_occurrences {
  const adl_call *call;
  adl_terms terms;
  int64_t rows;
  int64_t *start;   /* rows + 1: of row r are the occurrences start[r] .. start[r + 1] - 1 */
  uint32_t *number; /* which of the terms */
  float *weight;    /* NULL: each is 1 */
  int64_t capacity;
  adl_term *keys; /* scratch for the terms of one row */
  int64_t key_capacity;
} adl_occurrences;

/* For `rows` documents of about `bytes` bytes of text together. */
void adl_occurrences_init(adl_occurrences *in, const adl_call *call, int64_t rows, int64_t bytes, bool weighted);
/* Room for `count` more occurrences in the next row: their keys go to the result. */
adl_term *adl_occurrences_keys(adl_occurrences *in, int64_t count);
/* The next row has the `count` terms that stand in keys; weights, if there are any, are at in->weight + start. */
void adl_occurrences_row(adl_occurrences *in, int64_t count);

/* What becomes of the terms: `dimension` of each (ADL_NO_DIMENSION: none), any number of them alike. */
#define ADL_NO_DIMENSION UINT32_MAX

/* The rows of one dimension after another. Number d is dimension[d], its rows are row[start[d] .. end[d]). */
typedef struct adl_postings {
  int64_t count;
  uint32_t *dimension; /* rising */
  int64_t *start, *end;
  uint32_t *row; /* rising, unique within a dimension */
  float *value;  /* sum of the weights, in the order in which they were given */
} adl_postings;

void adl_occurrences_transpose(const adl_occurrences *in, const uint32_t *dimension, adl_postings *out);

#endif
