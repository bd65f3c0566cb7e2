/* Bounds of sparse rows: one lower bound for all other centres (Hamerly, 2010), in float64 as the scores are. See
 * kmeans_bounds.h. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "common/kmeans_bounds.h"
#include "common/kmeans_rows.h"
#include "common/linalg.h"
#include "common/matrix_rows.h"

#define UP (1 + 4 * DBL_EPSILON)
#define DOWN (1 - 4 * DBL_EPSILON)

struct adl_kmeans_sparse_bounds {
  double *upper, *lower;       /* rows: of the distances to the own centre, and to all others */
  double *move;                /* clusters: how far each has moved since the last pass, at most */
  int64_t mover;               /* the one that moved farthest */
  double most_move, next_move; /* how far that was, and the next one */
  double most_norm2;           /* of the centres */
};

adl_kmeans_sparse_bounds *adl_kmeans_sparse_bounds_new(const adl_call *call, int64_t rows, int64_t clusters) {
  const adl_host *host = call->host;
  adl_kmeans_sparse_bounds *bounds = host->alloc(call, sizeof *bounds);
  *bounds = (adl_kmeans_sparse_bounds){0};
  bounds->upper = host->alloc(call, (size_t)rows * sizeof *bounds->upper);
  bounds->lower = host->alloc(call, (size_t)rows * sizeof *bounds->lower);
  bounds->move = host->alloc(call, (size_t)clusters * sizeof *bounds->move);
  return bounds;
}

void adl_kmeans_sparse_bounds_moved(const adl_kmeans_bounds *all, const adl_kmeans_index *index) {
  adl_kmeans_sparse_bounds *bounds = all->of_sparse;
  int64_t d = index->width;
  bounds->most_move = bounds->next_move = bounds->most_norm2 = 0;
  for (int64_t j = 0; j < index->clusters; j++) {
    const float *centre = index->centers + j * d;
    if (index->norm[j] > bounds->most_norm2) bounds->most_norm2 = index->norm[j];
    if (!all->known) continue;
    double move = sqrt(adl_linalg_distance2(all->before + j * d, centre, d)) * (1 + (double)(d + 4) * DBL_EPSILON);
    bounds->move[j] = move;
    if (move > bounds->most_move) {
      bounds->next_move = bounds->most_move;
      bounds->most_move = move;
      bounds->mover = j;
    } else if (move > bounds->next_move) {
      bounds->next_move = move;
    }
  }
  memcpy(all->before, index->centers, (size_t)(index->clusters * d) * sizeof *all->before);
}

/* How far a squared distance can be off that comes of lengths and a product, for a row of this squared length. */
static double error_of(const adl_kmeans_sparse_bounds *bounds, int64_t width, double norm2) {
  return (double)(width + 16) * DBL_EPSILON * (norm2 + bounds->most_norm2);
}

/* No other centre can be as near as the own one. Written so that NaN excludes nothing. */
static bool excluded(double upper, double lower, double error) {
  return lower > 0 && lower * lower > upper * upper + 2 * error;
}

static double norm2_of(adl_matrix_row row) {
  double sum = 0;
  for (int64_t i = 0; i < row.count; i++) sum += (double)row.value[i] * (double)row.value[i];
  return sum;
}

static double dot_of(adl_matrix_row row, const float *centre) {
  double sum = 0;
  for (int64_t i = 0; i < row.count; i++) sum += (double)row.value[i] * (double)centre[row.index[i]];
  return sum;
}

/* Whether the row stays where it is, as far as its bounds tell; they are moved with the centres. */
static bool stays(const adl_kmeans_bounds *all, const adl_kmeans_index *index, adl_matrix_row row, int64_t at) {
  adl_kmeans_sparse_bounds *bounds = all->of_sparse;
  int32_t cluster = all->cluster[at];
  double upper = (bounds->upper[at] + bounds->move[cluster]) * UP;
  double lower = (bounds->lower[at] - (cluster == bounds->mover ? bounds->next_move : bounds->most_move)) * DOWN;
  double length = (upper + sqrt(bounds->most_norm2)) * UP;
  bounds->upper[at] = upper;
  bounds->lower[at] = lower;
  if (excluded(upper, lower, error_of(bounds, index->width, length * length))) return true;
  double norm2 = norm2_of(row), error = error_of(bounds, index->width, norm2);
  double square = norm2 + index->norm[cluster] - 2 * dot_of(row, index->centers + cluster * index->width);
  bounds->upper[at] = upper = sqrt(fmax(square, 0) + error) * UP;
  return excluded(upper, lower, error);
}

/* The nearest centre, as adl_kmeans_assign finds it, and the bounds that follow. */
static void compute(const adl_kmeans_bounds *all, const adl_kmeans_index *index, adl_simd level, adl_matrix_row row,
                    int64_t at, double *dot) {
  adl_kmeans_sparse_bounds *bounds = all->of_sparse;
  double best = INFINITY, second = INFINITY, norm2 = norm2_of(row), error = error_of(bounds, index->width, norm2);
  int32_t cluster = 0;
  adl_kmeans_dots(level, row.index, row.value, row.count, index->layout, index->clusters, dot);
  for (int64_t j = 0; j < index->clusters; j++) {
    double score = index->norm[j] / 2 - dot[j];
    if (score < best) {
      second = best;
      best = score;
      cluster = (int32_t)j;
    } else if (score < second) {
      second = score;
    }
  }
  all->cluster[at] = cluster;
  bounds->upper[at] = sqrt(fmax(norm2 + 2 * best, 0) + error) * UP;
  bounds->lower[at] = sqrt(fmax(norm2 + 2 * second - error, 0)) * DOWN;
}

void adl_kmeans_sparse_bounds_assign(const adl_call *call, const adl_kmeans_bounds *all, const adl_kmeans_index *index,
                                     const adl_column *rows, int64_t ordinal, int32_t *before) {
  double *dot = call->host->alloc(call, (size_t)index->clusters * sizeof *dot);
  adl_simd level = adl_simd_level();
  for (int64_t r = 0; r < rows->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(rows, r);
    before[r] = all->known ? all->cluster[ordinal + r] : -1;
    if (!all->known || !stays(all, index, row, ordinal + r)) compute(all, index, level, row, ordinal + r, dot);
  }
}
