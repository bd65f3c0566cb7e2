/* Scores of rows with how many of those were negative and positive, as a log that is sorted, and put together where scores
 * are alike, when it has become long: 16 bytes for each different score, a fraction of what a keyed table takes. Rows that
 * count as their weights say need a table. Used by metrics. */
#ifndef ADLOOM_PLUGINS_COMMON_SCORE_LOG_H
#define ADLOOM_PLUGINS_COMMON_SCORE_LOG_H

#include <adloom/plugin.h>

#include <stdbool.h>

#include "common/auc.h"
#include "common/key_order.h"

/* An open log: good until another is opened in the same tensors, or they are merged. */
typedef struct adl_score_log {
  adl_radix_pair *head; /* no pair: how many there are, and how many of these are in order */
} adl_score_log;

/* The log of that name, with room for so many more rows. */
adl_score_log adl_score_log_open(const adl_call *call, adl_tensors *tensors, const char *name, int64_t more);

/* `score` is no NaN. */
void adl_score_log_add(adl_score_log *log, double score, bool positive);

/* Moves what is in the log of that name in `from` into that of `into`. */
void adl_score_log_merge(const adl_call *call, const char *name, adl_tensors *into, adl_tensors *from);

/* What was counted, rising by score, in scratch memory; returns how many entries. 0: there are no rows, or no such log. */
int64_t adl_score_log_counts(const adl_call *call, adl_tensors *tensors, const char *name, adl_score_count **counts);

#endif
