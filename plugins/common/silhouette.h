/*
 * How well clusters stand apart: the mean silhouette of a sample of their rows (Rousseeuw 1987), by Euclidean distances.
 * Used by k-means.
 */
#ifndef ADLOOM_PLUGINS_COMMON_SILHOUETTE_H
#define ADLOOM_PLUGINS_COMMON_SILHOUETTE_H

#include <adloom/plugin.h>

typedef struct adl_silhouette {
  const adl_column *rows;
  int32_t *number;  /* of each row's cluster, of those that have rows */
  int64_t clusters; /* that have rows; below 2 there is nothing to measure, and the silhouette is 0 */
  double *products; /* rows x rows */
} adl_silhouette;

/* What is made on all workers, in scratch memory. cluster[i], below `clusters`: that of row i. The work is rows^2 x width. */
adl_status adl_silhouette_begin(const adl_call *call, const adl_column *rows, const int32_t *cluster, int64_t clusters,
                                adl_silhouette *of);
/* The rest, on one: the silhouette. `mean` (width) is subtracted from dense rows first, as large common offsets would cost
 * accuracy. */
double adl_silhouette_end(const adl_call *call, const adl_silhouette *of, const double *mean);

#endif
