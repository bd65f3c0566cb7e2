/*
 * What clustering knows about its rows before it begins: how many there are, the mean and spread of every dimension, and
 * a sample held in memory, from which starts are drawn and the silhouette is measured. Two folds. Used by k-means, and
 * by the Gaussian mixture through it.
 */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_DATA_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_DATA_H

#include <adloom/plugin.h>

typedef struct adl_kmeans_data {
  adl_rows *rows;
  int32_t slot; /* of the features */
  bool sparse;
  int64_t count;     /* rows */
  int64_t width;     /* dimensions */
  double *mean;      /* width */
  double *deviation; /* width; population standard deviation, 0 where a dimension does not vary */
  float *center;     /* the mean in float32: what dense rows are centred with */
  double variance;   /* mean over the dimensions */
  adl_column sample; /* at most 65,536 rows (fewer when they are wide), in row order; all rows if there are no more */
  struct adl_kmeans_spread *spread; /* working memory of adl_kmeans_seed_spread */
  struct adl_kmeans_lloyd *lloyd;   /* and of adl_kmeans_lloyd */
} adl_kmeans_data;

/* Memory is that of the call. Fails when there are no training rows, no dimensions, or fewer rows than `clusters`;
 * `parameter` is the one to blame for that. */
adl_status adl_kmeans_look(const adl_call *call, adl_rows *rows, const adl_input *features, const char *parameter,
                           int64_t clusters, adl_kmeans_data *data);

#endif
