/*
 * The inner loop of dense k-means: scores of a few rows against a panel of centres stay in registers, and only the two
 * best of each row leave it, so no matrix of distances is ever written. Centres lie transposed, in panels of three
 * vectors. One layout for each width of vector (simd.h); a score is one chain of multiply-adds over the dimensions, the
 * same wherever row and centre stand in their tile.
 */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_KERNEL_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_KERNEL_H

#include <adloom/plugin.h>

enum {
  ADL_KMEANS_TILE = 12,       /* rows are taken in multiples of this */
  ADL_KMEANS_PANEL = 3,       /* vectors of a panel */
  ADL_KMEANS_MOST_LANES = 16, /* of a vector, whatever the machine */
  ADL_KMEANS_AT_ONCE = 48     /* rows that adl_kmeans_nearest takes at most */
};

typedef struct adl_kmeans_panels {
  int64_t clusters, width;
  int32_t level;    /* adl_simd */
  int32_t lanes;    /* centres of a vector */
  int64_t count;    /* panels */
  float *values;    /* panel x width x its centres; absent centres are 0 */
  float *half_norm; /* half the squared length of every centre; absent ones: infinity */
} adl_kmeans_panels;

/* Floats of `values` and of `half_norm`, at most. */
size_t adl_kmeans_panels_values(int64_t clusters, int64_t width);
size_t adl_kmeans_panels_norms(int64_t clusters);
/* Fills panels->values and panels->half_norm, which are given with clusters and width, from centres (row-major). */
void adl_kmeans_panels_fill(adl_kmeans_panels *panels, const float *centers);

/* Of a row, among the centres of some panels. The score is |c|^2 / 2 - x.c, so |x - c|^2 = |x|^2 + 2 score. */
typedef struct adl_kmeans_winner {
  float best, second; /* the two lowest scores; infinity: there is none */
  int32_t at;         /* the centre with the lowest; of equal ones the first */
} adl_kmeans_winner;

/* The nearest centres of the panels from .. end - 1 to each of `rows` (at most ADL_KMEANS_AT_ONCE) rows at x, row-major;
 * room and defined memory behind them up to a multiple of ADL_KMEANS_TILE. Winner of row r: winners[r * stride]. */
void adl_kmeans_nearest(const adl_kmeans_panels *panels, const float *x, int64_t rows, int64_t from, int64_t end,
                        adl_kmeans_winner *winners, int64_t stride);

#endif
