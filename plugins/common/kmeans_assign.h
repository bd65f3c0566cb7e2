/*
 * Which of k centres is nearest to each row, and how far it is. Dense rows go through kmeans_kernel.h, sparse ones
 * through sums of rows of the transposed centres. Used while fitting and in process.
 */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_ASSIGN_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_ASSIGN_H

#include <adloom/plugin.h>
#include <float.h>

#include "common/kmeans_kernel.h"
#include "common/matrix_rows.h"

/* Centres prepared for looking up. */
typedef struct adl_kmeans_index {
  int64_t clusters, width;
  bool sparse;
  const float *centers;     /* clusters x width, as given; not copied */
  float *center;            /* dense: width; what rows and centres are centred with, against cancellation */
  float *layout;            /* dense: clusters x width, centred. Sparse: width x clusters, not centred */
  float most_norm2;         /* dense: the largest squared length of a centred centre, rounded up */
  adl_kmeans_panels panels; /* dense: of the centred centres */
  double *norm;             /* sparse: clusters; the squared length */
} adl_kmeans_index;

/* Bytes of memory, 64-byte aligned, for an index of at most that many clusters. */
size_t adl_kmeans_index_size(int64_t clusters, int64_t width, bool sparse);
/* Builds it in that memory, again as often as the centres move. `center`: width, any point amid the rows. */
adl_kmeans_index *adl_kmeans_index_build(void *memory, int64_t clusters, int64_t width, bool sparse,
                                         const float *centers, const float *center);

/* The nearest centre of every row of a VECTOR or SPARSE column of float32, by distances in float64; of several equally near,
 * the first. (Dense rows are ranked in float32 and looked at again where that could err.) distance2 (NULL: not wanted), the
 * squared Euclidean distance to it, is computed from the differences, and is 0 exactly when a dense row equals its centre. */
void adl_kmeans_assign(const adl_call *call, const adl_kmeans_index *index, const adl_column *rows, int32_t *cluster,
                       double *distance2);
/* How far a squared distance in float32 can be off, for a centred row of that squared length: the error of a sum of
 * `width` products (Higham 2002, section 3.1), with room for centring and for the arithmetic of bounds. */
static inline float adl_kmeans_error(const adl_kmeans_index *index, float norm2) {
  return (float)(index->width + 16) * FLT_EPSILON * (norm2 + index->most_norm2);
}
/* Whether, of dense centres, the one with the score `best` (adl_kmeans_winner) is surely nearest to such a row, when no other
 * has a score below `other`. Where it is not, adl_kmeans_nearest_exactly says which is: in float64, from the row x itself. */
bool adl_kmeans_surely(const adl_kmeans_index *index, float norm2, float best, float other);
int32_t adl_kmeans_nearest_exactly(const adl_kmeans_index *index, const float *x, double *distance2);
/* adl_kmeans_assign's distance2, of one sparse row and that centre. */
double adl_kmeans_sparse_distance2(const adl_kmeans_index *index, adl_matrix_row row, int32_t cluster);

#endif
