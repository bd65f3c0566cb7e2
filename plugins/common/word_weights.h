/* How often words occur in a row, to what they weigh. Used by tfidf. */
#ifndef ADLOOM_COMMON_WORD_WEIGHTS_H
#define ADLOOM_COMMON_WORD_WEIGHTS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum adl_norm { ADL_NORM_L2, ADL_NORM_L1, ADL_NORM_NONE } adl_norm;

/* Inverse document frequencies, ln((1 + documents) / (1 + held_by)) + 1 of what `held_by` documents hold. Most words are in
 * few documents: the logarithms of these are taken once. */
enum { ADL_IDF_FEW = 256 };
typedef struct adl_idf {
  bool wanted; /* false: all are 1 */
  double documents;
  float few[ADL_IDF_FEW];
} adl_idf;

adl_idf adl_idf_for(bool wanted, int64_t documents);
float adl_idf_of(const adl_idf *idf, int64_t held_by);

/* Fetches what adl_word_weights will look up for a row that comes soon. idf: of each dimension; NULL: 1. */
void adl_word_weights_fetch(const float *idf, int64_t count, const uint32_t *dimension);
/* Counts (or sums of weights) above 1 to 1 + their logarithm, if `sublinear`; all times their idf. */
void adl_word_weights(bool sublinear, const float *idf, int64_t count, const uint32_t *dimension, float *value);
/* The row to length 1. */
void adl_word_weights_scale(adl_norm norm, int64_t count, float *value);

#endif
