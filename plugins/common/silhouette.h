/*
 * How well clusters stand apart: the mean silhouette of a sample of their rows (Rousseeuw 1987), by Euclidean distances.
 * Used by k-means.
 */
#ifndef ADLOOM_PLUGINS_COMMON_SILHOUETTE_H
#define ADLOOM_PLUGINS_COMMON_SILHOUETTE_H

#include <adloom/plugin.h>

/* cluster[i], below `clusters`: that of row i. `mean` (width) is subtracted from dense rows first, as large common offsets
 * would cost accuracy. *measured: how many rows it is of; 0, as is the silhouette, where they are all in one cluster. The work
 * is rows^2 x width. */
adl_status adl_silhouette(const adl_call *call, const adl_column *rows, const double *mean, const int32_t *cluster,
                          int64_t clusters, double *silhouette, int64_t *measured);

#endif
