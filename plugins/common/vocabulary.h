/* Vocabularies: exact, numbered sets of byte strings. Chosen from the counts of a fold's keyed table, kept in a model as
 * a BYTES tensor and an INT64 tensor of offsets, looked up through an open-addressing table. Used by tfidf, onehot and
 * the tokenizer's stop words. */
#ifndef ADLOOM_COMMON_VOCABULARY_H
#define ADLOOM_COMMON_VOCABULARY_H

#include <adloom/plugin.h>

#include "common/term.h"

/* ---- choosing ---- */

/* A key of a keyed table, and two of the numbers in its row. */
typedef struct adl_counted {
  adl_text key;
  double count;
  double rank; /* what adl_counted_top keeps the largest of */
} adl_counted;

/* Every key of the table in call scratch memory: count is column 0 of its row, rank column `rank_column`. */
adl_counted *adl_counted_keys(const adl_call *call, adl_table *table, int32_t rank_column, int64_t *count);
/* Keeps keys with low <= count <= high; returns how many. */
int64_t adl_counted_between(adl_counted *keys, int64_t count, double low, double high);
/* Keeps the `limit` keys of the highest rank, ties in byte order; returns how many. */
int64_t adl_counted_top(adl_counted *keys, int64_t count, int64_t limit);
/* Into byte order, on all workers where it is called in fit. */
adl_status adl_counted_sort(const adl_call *call, adl_counted *keys, int64_t count);

/* ---- keeping and looking up ---- */

/* Writes the keys, in the order given, to the tensors `name` (BYTES) and `name`_offsets (INT64, count + 1). */
adl_status adl_vocabulary_save(const adl_call *call, adl_tensors *model, const char *name, const adl_counted *keys,
                               int64_t count);

typedef struct adl_vocabulary_slot adl_vocabulary_slot;

typedef struct adl_vocabulary {
  const char *bytes;
  const int64_t *offsets; /* count + 1 */
  int64_t count;
  uint32_t mask;
  adl_vocabulary_slot *slots;
} adl_vocabulary;

/* A vocabulary over memory that stays the caller's and must outlive it; key i is bytes[offsets[i] .. offsets[i + 1]).
 * Of equal keys the first is found. frequency: how often each will be looked for, roughly: frequent ones are found
 * sooner; NULL: not known. NULL: out of memory. */
adl_vocabulary *adl_vocabulary_new(const char *bytes, const int64_t *offsets, int64_t count, const int64_t *frequency);
/* A vocabulary over the tensors that adl_vocabulary_save wrote, after checking that they are what they should be.
 * frequencies: name of an INT64 tensor of frequencies, which may be missing; or NULL. */
adl_status adl_vocabulary_load(const adl_call *call, const adl_tensors *model, const char *name,
                               const char *frequencies, adl_vocabulary **vocabulary);
void adl_vocabulary_free(adl_vocabulary *vocabulary); /* NULL is fine */
/* Number of the key, -1: not in it. */
int64_t adl_vocabulary_find(const adl_vocabulary *vocabulary, const char *key, int64_t size);
/* The same for many keys, faster than one by one: while one is compared the next ones are fetched. UINT32_MAX: not in
 * it. */
void adl_vocabulary_find_all(const adl_vocabulary *vocabulary, const adl_term *keys, int64_t count, uint32_t *number);

#endif
