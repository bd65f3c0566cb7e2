#include "common/kmeans_assign.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "common/linalg.h"
#include "common/matrix_rows.h"

#define BLOCK 256 /* rows at a time: with a tile of scores, about half a megabyte */
#define TILE 512  /* centres at a time */

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
         (sparse ? carved(k * sizeof(double)) : carved(k * sizeof(float)) + carved(d * sizeof(float)));
}

static void lay_out_dense(adl_kmeans_index *index, const float *center) {
  int64_t d = index->width;
  memcpy(index->center, center, (size_t)d * sizeof *center);
  for (int64_t j = 0; j < index->clusters; j++) {
    float *row = index->layout + j * d;
    for (int64_t i = 0; i < d; i++) row[i] = index->centers[j * d + i] - center[i];
    index->half_norm[j] = (float)(adl_linalg_norm2(row, d) / 2);
  }
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
    index->half_norm = carve(&memory, (size_t)clusters * sizeof(float));
    index->center = carve(&memory, (size_t)width * sizeof(float));
    lay_out_dense(index, center);
  }
  return index;
}

/* |x - c|^2 / 2 = |x|^2 / 2 + (|c|^2 / 2 - x.c): the bracket decides. */
static void assign_block(const adl_kmeans_index *index, const float *x, int64_t rows, float *centred, float *dots,
                         int32_t *cluster) {
  int64_t d = index->width;
  float best[BLOCK];
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t i = 0; i < d; i++) centred[r * d + i] = x[r * d + i] - index->center[i];
    best[r] = INFINITY;
    cluster[r] = 0;
  }
  for (int64_t from = 0; from < index->clusters; from += TILE) {
    int64_t tile = index->clusters - from < TILE ? index->clusters - from : TILE;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)tile, (int)d, 1, centred, (int)d,
                index->layout + from * d, (int)d, 0, dots, (int)tile);
    const float *half_norm = index->half_norm + from;
    for (int64_t r = 0; r < rows; r++) {
      const float *dot = dots + r * tile;
      for (int64_t j = 0; j < tile; j++) {
        float score = half_norm[j] - dot[j];
        if (score < best[r]) {
          best[r] = score;
          cluster[r] = (int32_t)(from + j);
        }
      }
    }
  }
}

static void assign_dense(const adl_call *call, const adl_kmeans_index *index, const adl_column *rows, int32_t *cluster,
                         double *distance2) {
  int64_t d = index->width, tile = index->clusters < TILE ? index->clusters : TILE;
  float *centred = call->host->alloc(call, (size_t)(BLOCK * d) * sizeof *centred);
  float *dots = call->host->alloc(call, (size_t)(BLOCK * tile) * sizeof *dots);
  const float *x = rows->data;
  for (int64_t from = 0; from < rows->rows; from += BLOCK) {
    int64_t count = rows->rows - from < BLOCK ? rows->rows - from : BLOCK;
    assign_block(index, x + from * d, count, centred, dots, cluster + from);
    for (int64_t r = from; r < from + count; r++)
      distance2[r] = adl_linalg_distance2(x + r * d, index->centers + cluster[r] * d, d);
  }
}

/* |x - c|^2 over the dimensions where x has a value, plus what c has elsewhere. */
static double sparse_distance2(const adl_kmeans_index *index, adl_matrix_row row, int32_t cluster) {
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
  double *dot = call->host->alloc(call, (size_t)k * sizeof *dot); /* not centred: float32 would cancel */
  for (int64_t r = 0; r < rows->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(rows, r);
    memset(dot, 0, (size_t)k * sizeof *dot);
    for (int64_t i = 0; i < row.count; i++) {
      const float *line = index->layout + row.index[i] * k;
      double value = row.value[i];
      for (int64_t j = 0; j < k; j++) dot[j] += value * line[j];
    }
    double best = INFINITY;
    cluster[r] = 0;
    for (int64_t j = 0; j < k; j++) {
      double score = index->norm[j] / 2 - dot[j];
      if (score < best) {
        best = score;
        cluster[r] = (int32_t)j;
      }
    }
    distance2[r] = sparse_distance2(index, row, cluster[r]);
  }
}

void adl_kmeans_assign(const adl_call *call, const adl_kmeans_index *index, const adl_column *rows, int32_t *cluster,
                       double *distance2) {
  if (index->sparse)
    assign_sparse(call, index, rows, cluster, distance2);
  else
    assign_dense(call, index, rows, cluster, distance2);
}
