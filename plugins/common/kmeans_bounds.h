/*
 * Exact acceleration of Lloyd's algorithm by bounds kept for each row between passes (Yinyang k-means, Ding et al. 2015,
 * with the panels of kmeans_kernel.h as groups; with one group it is Hamerly's, 2010): no farther from its centre than
 * `upper`, no nearer to any other centre of a group than its `lower`. A group is computed for a row only where the bounds
 * cannot exclude that one of it is nearest. Bounds leave room for the rounding of the kernel, so that the clusters are
 * those that adl_kmeans_assign gives, ties included.
 */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_BOUNDS_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_BOUNDS_H

#include "common/kmeans_assign.h"

typedef struct adl_kmeans_sparse_bounds adl_kmeans_sparse_bounds;

typedef struct adl_kmeans_bounds {
  int64_t rows;
  int64_t groups, panels;              /* of centres; panels of a group */
  int64_t stride;                      /* floats of `lower` for a row: 8 or 16 */
  int64_t group_size;                  /* centres of a group */
  bool known;                          /* there was a pass since adl_kmeans_bounds_forget */
  int32_t *cluster;                    /* rows */
  float *upper;                        /* rows */
  float *lower;                        /* rows x stride */
  float *before;                       /* clusters x width: the centres of the last pass, centred */
  float *move;                         /* clusters: how far each has moved since, at most */
  float *group_move;                   /* stride: the largest of them, by group */
  adl_kmeans_sparse_bounds *of_sparse; /* of sparse rows, instead of upper, lower and what is about groups */
} adl_kmeans_bounds;

/* NULL: for so many rows bounds would take more than 256 MB (or there are no others to exclude). */
adl_kmeans_bounds *adl_kmeans_bounds_new(const adl_call *call, int64_t rows, int64_t clusters, int64_t width,
                                         bool sparse);
/* The next pass is the first: rows are in no cluster. */
void adl_kmeans_bounds_forget(adl_kmeans_bounds *bounds);
/* Before a pass: the centres have moved to those of the index. */
void adl_kmeans_bounds_moved(adl_kmeans_bounds *bounds, const adl_kmeans_index *index);
/* In a pass: clusters of the rows `ordinal` and so on into bounds->cluster. before[r]: the cluster that row r was in;
 * -1: none. Different rows may be worked on at once. */
void adl_kmeans_bounds_assign(const adl_call *call, const adl_kmeans_bounds *bounds, const adl_kmeans_index *index,
                              const adl_column *rows, int64_t ordinal, int32_t *before);

/* ---- kmeans_sparse_bounds.c: Hamerly's bounds in float64, for kmeans_bounds.c ---- */

enum { ADL_KMEANS_SPARSE_BOUND = 2 * sizeof(double) }; /* bytes a row */
adl_kmeans_sparse_bounds *adl_kmeans_sparse_bounds_new(const adl_call *call, int64_t rows, int64_t clusters);
void adl_kmeans_sparse_bounds_moved(const adl_kmeans_bounds *bounds, const adl_kmeans_index *index);
void adl_kmeans_sparse_bounds_assign(const adl_call *call, const adl_kmeans_bounds *bounds,
                                     const adl_kmeans_index *index, const adl_column *rows, int64_t ordinal,
                                     int32_t *before);

#endif
