/*
 * Lloyd's algorithm: assign every row to its nearest centre, move every centre to the mean of its rows, until nothing
 * moves. One fold an iteration. Used by k-means, and to start the Gaussian mixture.
 */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_LLOYD_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_LLOYD_H

#include "common/kmeans_data.h"

typedef struct adl_kmeans_settings {
  int64_t clusters;   /* wanted */
  int64_t iterations; /* at most */
  double tolerance;   /* relative to the mean variance of the dimensions: squared movement of all centres together at
                         which to stop */
} adl_kmeans_settings;

typedef struct adl_kmeans_result {
  int64_t clusters; /* found: fewer than wanted if there are not as many distinct rows */
  float *centers;   /* clusters x width */
  int64_t *sizes;   /* rows of each */
  double inertia;   /* sum of squared distances to these centres */
  int64_t iterations;
  bool converged;
} adl_kmeans_result;

/* Memory for results; kept by the call. */
adl_kmeans_result adl_kmeans_result_new(const adl_call *call, int64_t clusters, int64_t width);

/* Starts at the first `result->clusters` of result->centers. Clusters that are empty, or not there yet, are put where
 * the row is that is farthest from its centre; what then remains empty is dropped, with a warning.
 * To be called with the same settings again, for another start. */
adl_status adl_kmeans_lloyd(const adl_call *call, adl_kmeans_data *data, const adl_kmeans_settings *settings,
                            adl_kmeans_result *result);

#endif
