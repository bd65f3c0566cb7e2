/*
 * Measures of one ranked list, in expectation over all ways to break ties: McSherry & Najork, Computing information
 * retrieval performance measures efficiently in the presence of tied scores, ECIR 2008. Used by ranking.
 */
#ifndef ADLOOM_PLUGINS_COMMON_RANKS_H
#define ADLOOM_PLUGINS_COMMON_RANKS_H

#include <stdbool.h>
#include <stdint.h>

/* An item of a list. It is relevant where gain > 0. */
typedef struct adl_ranked {
  double score, gain;
} adl_ranked;

/* Highest score first. Of equal scores the greater gain comes first, so that the order is one and the same however the
 * items came; the measures do not depend on it. */
void adl_rank(adl_ranked *items, int64_t count);

double adl_relevant(const adl_ranked *items, int64_t count);

/* Relevant items among the first k. */
double adl_hits_at(const adl_ranked *ranked, int64_t count, int64_t k);

/* Sum of gains among the first k, each divided by log2(1 + rank) (Jarvelin & Kekalainen 2002). */
double adl_dcg_at(const adl_ranked *ranked, int64_t count, int64_t k);

/* Mean over the relevant items of the precision at the rank of each. 0 without any. */
double adl_average_precision(const adl_ranked *ranked, int64_t count);

/* 1 by the rank of the first relevant item. 0 without any. */
double adl_reciprocal_rank(const adl_ranked *ranked, int64_t count);

#endif
