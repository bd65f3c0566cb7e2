/*
 * Which of k centres is nearest to each row, and how far it is. Dense rows go through kmeans_kernel.h, sparse ones
 * through sums of rows of the transposed centres. Used while fitting and in process.
 */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_ASSIGN_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_ASSIGN_H

#include <adloom/plugin.h>

#include "common/kmeans_kernel.h"
#include "common/matrix_rows.h"

/* Centres prepared for looking up. */
typedef struct adl_kmeans_index {
  int64_t clusters, width;
  bool sparse;
  const float *centers;     /* clusters x width, as given; not copied */
  float *center;            /* dense: width; what rows and centres are centred with, against cancellation */
  float *layout;            /* dense: clusters x width, centred. Sparse: width x clusters, not centred */
  adl_kmeans_panels panels; /* dense: of the centred centres */
  double *norm;             /* sparse: clusters; the squared length */
} adl_kmeans_index;

/* Bytes of memory, 64-byte aligned, for an index of at most that many clusters. */
size_t adl_kmeans_index_size(int64_t clusters, int64_t width, bool sparse);
/* Builds it in that memory, again as often as the centres move. `center`: width, any point amid the rows. */
adl_kmeans_index *adl_kmeans_index_build(void *memory, int64_t clusters, int64_t width, bool sparse,
                                         const float *centers, const float *center);

/* The nearest centre of every row of a VECTOR or SPARSE column of float32; of several equally near, the first.
 * distance2 (NULL: not wanted), the squared Euclidean distance to it, is computed from the differences in float64, and is 0 exactly when
 * a dense row equals its centre. */
void adl_kmeans_assign(const adl_call *call, const adl_kmeans_index *index, const adl_column *rows, int32_t *cluster,
                       double *distance2);
/* The same of one sparse row and that centre. */
double adl_kmeans_sparse_distance2(const adl_kmeans_index *index, adl_matrix_row row, int32_t cluster);

#endif
