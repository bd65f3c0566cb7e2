/* Where k-means begins: starting centres drawn from the sample, or read from a file. */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_SEED_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_SEED_H

#include "common/kmeans_data.h"

/* Greedy k-means++ (Arthur & Vassilvitskii 2007): each next centre is drawn with probability proportional to the squared
 * distance to the nearest one so far, the best of 2 + ln k draws. `centers` is clusters x width; *found is fewer than
 * `clusters` when the sample has no more distinct rows. `key` starts the random numbers.
 * To be called with the same `clusters` again, for another start. */
adl_status adl_kmeans_seed_spread(const adl_call *call, adl_kmeans_data *data, int64_t clusters, uint64_t key,
                                  float *centers, int64_t *found);
/* Rows of the sample, each equally likely, none twice. */
adl_status adl_kmeans_seed_random(const adl_call *call, const adl_kmeans_data *data, int64_t clusters, uint64_t key,
                                  float *centers, int64_t *found);
/* A text file: one centre a line, `width` numbers separated by commas, blanks or tabs; empty lines and lines that begin
 * with # are skipped. `parameter` is blamed for what is wrong with it. */
adl_status adl_kmeans_seed_file(const adl_call *call, const char *parameter, const char *path, int64_t clusters,
                                int64_t width, float *centers);

#endif
