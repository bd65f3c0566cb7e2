/* Mini-batch k-means (Sculley 2010): centres move after every few rows, so that one pass over many rows is often enough. */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_BATCHES_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_BATCHES_H

#include "common/kmeans_lloyd.h"

/* Starts at the result->clusters centres of result->centers. Rows are taken in their order, `batch_rows` at a time; a
 * centre moves to the mean of all rows it was ever given. settings->iterations passes at most; fewer, when the movement
 * of a whole pass is within the tolerance. One worker. Then a pass measures the result. */
adl_status adl_kmeans_mini_batch(const adl_call *call, adl_kmeans_data *data, const adl_kmeans_settings *settings,
                                 int64_t batch_rows, adl_kmeans_result *result);

#endif
