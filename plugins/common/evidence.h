/*
 * Evidence for tags per user, as part of a fold: two keyed tables that are merged in any order. Used by tags.
 */
#ifndef ADLOOM_PLUGINS_COMMON_EVIDENCE_H
#define ADLOOM_PLUGINS_COMMON_EVIDENCE_H

#include <adloom/plugin.h>

#include "common/decay.h"
#include "common/key.h"

/* A row of the table of pairs of user and tag. */
typedef struct adl_evidence_pair {
  adl_decayed weight;
  double events;
} adl_evidence_pair;

/* The evidence in a set of tensors. A row of `users` is the ordinal of the user's first event and one more. */
typedef struct adl_evidence {
  adl_table *users, *pairs;
  int64_t *newest, *rows; /* the time of the newest event, of how many; 0: none yet */
} adl_evidence;

adl_evidence adl_evidence_open(const adl_call *call, adl_tensors *tensors);

/* Events at times up to `time`. */
void adl_evidence_see(adl_evidence *to, int64_t time, int64_t rows);

/* Number of the user with that key, who had an event of that ordinal and one more. */
int64_t adl_evidence_user(const adl_host *host, adl_evidence *to, const char *key, int64_t size, double first);

/* Adds to a pair, whose key is the number of the user and the tag; the memory of `key` is used for it. */
void adl_evidence_add(const adl_host *host, adl_evidence *to, adl_key *key, int64_t user, adl_text tag,
                      const adl_evidence_pair *more);

/* Takes the key of a pair apart: number of the user, and the tag. */
int64_t adl_evidence_of(adl_text key, adl_text *tag);

void adl_evidence_merge(const adl_call *call, adl_tensors *into, adl_tensors *from);

#endif
