/* MurmurHash3 (murmur3.h) of many terms at a time. Used by tfidf, which hashes each of its words. */
#ifndef ADLOOM_COMMON_TERM_HASH_H
#define ADLOOM_COMMON_TERM_HASH_H

#include "common/term.h"

/* hash[i] = adl_murmur3(keys[i], seed 0) & mask */
void adl_terms_murmur3(const adl_term *keys, int64_t count, uint32_t mask, uint32_t *hash);

#endif
