/*
 * Neighbours of items: weights of interactions as of words in documents, and for each item the others whose weights have
 * the largest products with its own. Used by knn.
 */
#ifndef ADLOOM_PLUGINS_COMMON_ITEM_NEIGHBOURS_H
#define ADLOOM_PLUGINS_COMMON_ITEM_NEIGHBOURS_H

#include <adloom/plugin.h>

#include "common/interactions.h"

typedef enum adl_item_similarity { ADL_ITEM_COSINE, ADL_ITEM_TFIDF, ADL_ITEM_BM25 } adl_item_similarity;

/* Replaces the values of a matrix of items (rows) by users: an item is a document, its users are the words in it.
 * users: how many there are. k1 and b are those of BM25. */
void adl_item_weigh(const adl_call *call, adl_csr *by_item, int64_t users, adl_item_similarity similarity, double k1,
                    double b);

/* The `most` nearest of each item, nearest first, of equals the lower number: index (-1: there are no more) and
 * similarity, items x most. Both matrices hold the same weights. */
adl_status adl_item_neighbours(const adl_call *call, const adl_csr *by_item, const adl_csr *by_user, int64_t most,
                               int32_t *index, float *similarity);

#endif
