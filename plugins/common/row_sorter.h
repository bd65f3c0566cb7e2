/* A row's dimensions into rising order, equal ones added up: what a sparse column asks for. Used by tfidf. */
#ifndef ADLOOM_COMMON_ROW_SORTER_H
#define ADLOOM_COMMON_ROW_SORTER_H

#include <adloom/plugin.h>

/* This one is left out. */
#define ADL_NO_DIMENSION UINT32_MAX

/* Memory for one row after another. Begins as {.call = call}. */
typedef struct adl_row_sorter {
  const adl_call *call;
  uint64_t *words; /* 2 * capacity */
  uint32_t *dimension;
  float *weight;
  int64_t capacity;
} adl_row_sorter;

/* Writes the distinct dimensions, rising, to `index`, and the sum of the weights of each, in the order in which they were
 * given, to `value`. Weights are above 0; without them each is 1. Returns how many there are. */
int64_t adl_row_sort(adl_row_sorter *sorter, const uint32_t *dimension, const float *weight, int64_t count,
                     uint32_t *index, float *value);
/* The dimensions of one row after another, without order. Begins as {.call = call}. */
typedef struct adl_row_set {
  const adl_call *call;
  uint64_t *slots; /* a row's number above, a dimension below */
  int64_t slot_count;
  uint32_t row;
} adl_row_set;

/* Adds 1 to held_by of each distinct one of dimension[from] .. dimension[to - 1], which are a row; those up to `end` come
 * soon. None is left out. */
void adl_row_set_count(adl_row_set *set, const uint32_t *dimension, int64_t from, int64_t to, int64_t end,
                       uint32_t *held_by);

#endif
