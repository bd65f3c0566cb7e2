#include "common/kmeans_assign.h"

#include <math.h>
#include <string.h>

#include "common/kmeans_rows.h"
#include "common/linalg.h"
#include "common/matrix_rows.h"

/* Next part of a block of memory; sizes are rounded up so that every part is aligned to 64 bytes. */
static void *carve(void **memory, size_t size) {
  char *at = *memory;
  *memory = at + (size + 63) / 64 * 64;
  return at;
}

static size_t carved(size_t size) { return (size + 63) / 64 * 64; }

size_t adl_kmeans_index_size(int64_t clusters, int64_t width, bool sparse) {
  size_t k = (size_t)clusters, d = (size_t)width;
  return carved(sizeof(adl_kmeans_index)) + carved(k * d * sizeof(float)) +
         (sparse ? carved(k * sizeof(double))
                 : carved(adl_kmeans_panels_values(clusters, width) * sizeof(float)) +
                       carved(adl_kmeans_panels_norms(clusters) * sizeof(float)) + carved(d * sizeof(float)));
}

static void lay_out_dense(adl_kmeans_index *index, const float *center) {
  int64_t d = index->width;
  float most = 0;
  memcpy(index->center, center, (size_t)d * sizeof *center);
  for (int64_t j = 0; j < index->clusters; j++) {
    float *row = index->layout + j * d;
    for (int64_t i = 0; i < d; i++) row[i] = index->centers[j * d + i] - center[i];
  }
  adl_kmeans_panels_fill(&index->panels, index->layout);
  for (int64_t j = 0; j < index->clusters; j++) most = fmaxf(most, index->panels.half_norm[j]);
  index->most_norm2 = 2 * most * (1 + 4 * FLT_EPSILON);
}

static void lay_out_sparse(adl_kmeans_index *index) {
  int64_t d = index->width, k = index->clusters;
  for (int64_t j = 0; j < k; j++) {
    const float *row = index->centers + j * d;
    for (int64_t i = 0; i < d; i++) index->layout[i * k + j] = row[i];
    index->norm[j] = adl_linalg_norm2(row, d);
  }
}

adl_kmeans_index *adl_kmeans_index_build(void *memory, int64_t clusters, int64_t width, bool sparse,
                                         const float *centers, const float *center) {
  adl_kmeans_index *index = carve(&memory, sizeof *index);
  *index = (adl_kmeans_index){.clusters = clusters, .width = width, .sparse = sparse, .centers = centers};
  index->layout = carve(&memory, (size_t)(clusters * width) * sizeof(float));
  if (sparse) {
    index->norm = carve(&memory, (size_t)clusters * sizeof(double));
    lay_out_sparse(index);
  } else {
    index->panels = (adl_kmeans_panels){.clusters = clusters, .width = width};
    index->panels.values = carve(&memory, adl_kmeans_panels_values(clusters, width) * sizeof(float));
    index->panels.half_norm = carve(&memory, adl_kmeans_panels_norms(clusters) * sizeof(float));
    index->center = carve(&memory, (size_t)width * sizeof(float));
    lay_out_dense(index, center);
  }
  return index;
}

/* A score is half of a squared distance, and two of them are compared. The score of a centre more than 4 |x| from the middle
 * is at least |c|^2 / 4, so what it can be off is a share of itself: one centre far out does not blur all others. */
bool adl_kmeans_surely(const adl_kmeans_index *index, float norm2, float best, float other) {
  float of_score = (float)(index->width + 16) * FLT_EPSILON * (17 * norm2 + 5 * fabsf(other));
  return other - best > fminf(adl_kmeans_error(index, norm2), of_score);
}

int32_t adl_kmeans_nearest_exactly(const adl_kmeans_index *index, const float *x, double *distance2) {
  adl_simd level = (adl_simd)index->panels.level;
  int32_t nearest = 0;
  *distance2 = INFINITY;
  for (int64_t j = 0; j < index->clusters; j++) {
    double here = adl_kmeans_distance2(level, x, index->centers + j * index->width, index->width);
    if (!(here < *distance2)) continue;
    *distance2 = here;
    nearest = (int32_t)j;
  }
  return nearest;
}

/* Of one row, from its winner in float32. */
static int32_t nearest_of(const adl_kmeans_index *index, const float *x, const float *centred, adl_kmeans_winner won) {
  double unused;
  float norm2 = adl_kmeans_norm2((adl_simd)index->panels.level, centred, index->width);
  return adl_kmeans_surely(index, norm2, won.best, won.second) ? won.at : adl_kmeans_nearest_exactly(index, x, &unused);
}

static void assign_dense(const adl_call *call, const adl_kmeans_index *index, const adl_column *rows, int32_t *cluster,
                         double *distance2) {
  int64_t d = index->width;
  size_t size = (size_t)(ADL_KMEANS_AT_ONCE * d) * sizeof(float);
  float *centred = call->host->alloc(call, size);
  memset(centred, 0, size);
  adl_kmeans_winner winner[ADL_KMEANS_AT_ONCE];
  adl_simd level = (adl_simd)index->panels.level;
  const float *x = rows->data;
  for (int64_t from = 0; from < rows->rows; from += ADL_KMEANS_AT_ONCE) {
    int64_t count = rows->rows - from < ADL_KMEANS_AT_ONCE ? rows->rows - from : ADL_KMEANS_AT_ONCE;
    for (int64_t r = 0; r < count; r++) adl_kmeans_centre(level, x + (from + r) * d, index->center, centred + r * d, d);
    adl_kmeans_nearest(&index->panels, centred, count, 0, index->panels.count, winner, 1);
    for (int64_t r = 0; r < count; r++)
      cluster[from + r] = nearest_of(index, x + (from + r) * d, centred + r * d, winner[r]);
  }
  for (int64_t r = 0; r < rows->rows && distance2 != NULL; r++)
    distance2[r] = adl_kmeans_distance2(level, x + r * d, index->centers + cluster[r] * d, d);
}

/* |x - c|^2 over the dimensions where x has a value, plus what c has elsewhere. */
double adl_kmeans_sparse_distance2(const adl_kmeans_index *index, adl_matrix_row row, int32_t cluster) {
  const float *center = index->centers + cluster * index->width;
  double here = 0, elsewhere = index->norm[cluster];
  for (int64_t i = 0; i < row.count; i++) {
    double at = center[row.index[i]], difference = row.value[i] - at;
    here += difference * difference;
    elsewhere -= at * at;
  }
  return here + (elsewhere > 1e-12 * index->norm[cluster] ? elsewhere : 0); /* below: rounding */
}

static void assign_sparse(const adl_call *call, const adl_kmeans_index *index, const adl_column *rows, int32_t *cluster,
                          double *distance2) {
  int64_t k = index->clusters;
  adl_simd level = adl_simd_level();
  double *dot = call->host->alloc(call, (size_t)k * sizeof *dot); /* not centred: float32 would cancel */
  for (int64_t r = 0; r < rows->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(rows, r);
    adl_kmeans_dots(level, row.index, row.value, row.count, index->layout, k, dot);
    double best = INFINITY;
    cluster[r] = 0;
    for (int64_t j = 0; j < k; j++) {
      double score = index->norm[j] / 2 - dot[j];
      if (score < best) {
        best = score;
        cluster[r] = (int32_t)j;
      }
    }
    if (distance2 != NULL) distance2[r] = adl_kmeans_sparse_distance2(index, row, cluster[r]);
  }
}

void adl_kmeans_assign(const adl_call *call, const adl_kmeans_index *index, const adl_column *rows, int32_t *cluster,
                       double *distance2) {
  if (index->sparse)
    assign_sparse(call, index, rows, cluster, distance2);
  else
    assign_dense(call, index, rows, cluster, distance2);
}
