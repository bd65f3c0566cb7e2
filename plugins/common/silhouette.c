#include "common/silhouette.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "common/cluster_map.h"
#include "common/matrix_rows.h"

enum {
  STRIP = 256,    /* dimensions at a time */
  AT_A_TIME = 64, /* rows that one worker multiplies with all before them */
};

/* ---- inner products of the rows: the lower triangle of rows x rows ---- */

static void products_dense(const adl_call *call, const adl_column *rows, const double *mean, double *products) {
  int64_t n = rows->rows, d = rows->type.width;
  const float *x = rows->data;
  double *strip = call->host->alloc(call, (size_t)(n * STRIP) * sizeof *strip);
  for (int64_t from = 0; from < d; from += STRIP) {
    int64_t count = d - from < STRIP ? d - from : STRIP;
    for (int64_t r = 0; r < n; r++)
      for (int64_t i = 0; i < count; i++) strip[r * count + i] = (double)x[r * d + from + i] - mean[from + i];
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, (int)count, 1, strip, (int)count, from > 0, products,
                (int)n);
  }
}

typedef struct products {
  const adl_column *rows;
  double *products;
} products;

/* Each row is spread over all dimensions once, and meets those before it. */
static adl_status multiply_block(const adl_call *call, void *context, int64_t block) {
  const products *p = context;
  int64_t n = p->rows->rows, d = p->rows->type.width, end = (block + 1) * AT_A_TIME < n ? (block + 1) * AT_A_TIME : n;
  double *dense = call->host->alloc(call, (size_t)d * sizeof *dense);
  memset(dense, 0, (size_t)d * sizeof *dense);
  for (int64_t r = block * AT_A_TIME; r < end; r++) {
    adl_matrix_row row = adl_matrix_row_at(p->rows, r);
    double *to = p->products + r * n;
    for (int64_t i = 0; i < row.count; i++) dense[row.index[i]] = row.value[i];
    for (int64_t s = 0; s <= r; s++) to[s] = adl_matrix_row_dot(adl_matrix_row_at(p->rows, s), dense);
    for (int64_t i = 0; i < row.count; i++) dense[row.index[i]] = 0;
  }
  return ADL_OK;
}

static adl_status products_sparse(const adl_call *call, const adl_column *rows, double *to) {
  adl_column narrow = adl_map_narrow(call, rows);
  products p = {&narrow, to};
  return call->host->parallel(call, (rows->rows + AT_A_TIME - 1) / AT_A_TIME, multiply_block, &p);
}

/* ---- distances to clusters ---- */

/* Numbers the clusters that appear 0, 1, ...; returns how many there are. */
static int64_t renumber(const adl_call *call, int32_t *cluster, int64_t n, int64_t clusters) {
  int32_t *number = call->host->alloc(call, (size_t)clusters * sizeof *number);
  memset(number, 0, (size_t)clusters * sizeof *number);
  int32_t count = 0;
  for (int64_t r = 0; r < n; r++) {
    if (number[cluster[r]] == 0) number[cluster[r]] = ++count;
    cluster[r] = number[cluster[r]] - 1;
  }
  return count;
}

/* (b - a) / max(a, b) of one row; 0 if it is alone. sums: of distances to the rows of each cluster. */
static double silhouette_of(const double *sums, const int64_t *sizes, int64_t clusters, int32_t own) {
  if (sizes[own] < 2) return 0;
  double a = sums[own] / (double)(sizes[own] - 1), b = INFINITY;
  for (int64_t j = 0; j < clusters; j++)
    if (j != own && sums[j] / (double)sizes[j] < b) b = sums[j] / (double)sizes[j];
  double larger = a > b ? a : b;
  return larger > 0 ? (b - a) / larger : 0;
}

/* Each distance counts for both rows; every sum still takes the other rows in their order. */
static double mean_silhouette(const adl_call *call, const double *gram, const int32_t *cluster, int64_t n,
                              int64_t clusters) {
  double *sums = call->host->alloc(call, (size_t)(n * clusters) * sizeof *sums), mean = 0;
  int64_t *sizes = call->host->alloc(call, (size_t)clusters * sizeof *sizes);
  double *square = call->host->alloc(call, (size_t)n * sizeof *square);
  memset(sums, 0, (size_t)(n * clusters) * sizeof *sums);
  memset(sizes, 0, (size_t)clusters * sizeof *sizes);
  for (int64_t r = 0; r < n; r++) {
    const double *dots = gram + r * n;
    square[r] = dots[r];
    sizes[cluster[r]]++;
    for (int64_t s = 0; s < r; s++) {
      double distance2 = square[r] + square[s] - 2 * dots[s];
      if (!(distance2 > 0)) continue;
      double distance = sqrt(distance2);
      sums[r * clusters + cluster[s]] += distance;
      sums[s * clusters + cluster[r]] += distance;
    }
  }
  for (int64_t r = 0; r < n; r++) mean += silhouette_of(sums + r * clusters, sizes, clusters, cluster[r]) / (double)n;
  return mean;
}

adl_status adl_silhouette_begin(const adl_call *call, const adl_column *rows, const int32_t *cluster, int64_t clusters,
                                adl_silhouette *of) {
  const adl_host *host = call->host;
  int64_t n = rows->rows;
  *of = (adl_silhouette){.rows = rows, .number = host->alloc(call, (size_t)n * sizeof *of->number)};
  memcpy(of->number, cluster, (size_t)n * sizeof *of->number);
  of->clusters = renumber(call, of->number, n, clusters);
  if (of->clusters < 2) return ADL_OK;
  of->products = host->alloc(call, (size_t)(n * n) * sizeof *of->products);
  return rows->type.shape == ADL_SPARSE ? products_sparse(call, rows, of->products) : ADL_OK;
}

double adl_silhouette_end(const adl_call *call, const adl_silhouette *of, const double *mean) {
  if (of->clusters < 2) return 0;
  if (of->rows->type.shape != ADL_SPARSE) products_dense(call, of->rows, mean, of->products);
  return mean_silhouette(call, of->products, of->number, of->rows->rows, of->clusters);
}
