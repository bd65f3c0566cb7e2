/* The rows that are farthest from their centres, all different: new homes for clusters that lost all their rows. */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_FARTHEST_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_FARTHEST_H

#include "common/kmeans_assign.h"
#include "common/kmeans_data.h"

typedef struct adl_kmeans_far {
  double distance2; /* to its centre, above 0 */
  int64_t ordinal;
  int32_t cluster;
  const float *row; /* width */
} adl_kmeans_far;

/* The `wanted` farthest rows, farthest first, equally far ones in row order. `total` is scratch, to be handed in again by
 * later calls. *found may be less than wanted: the other rows lie on their centres or repeat one of these. */
adl_status adl_kmeans_farthest(const adl_call *call, const adl_kmeans_data *data, const adl_kmeans_index *index,
                               int64_t wanted, adl_tensors *total, adl_kmeans_far *far, int64_t *found);

#endif
