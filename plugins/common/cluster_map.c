#include "common/cluster_map.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/linalg.h"
#include "common/matrix_rows.h"

enum {
  STRIP = 256,    /* dimensions at a time */
  BLOCK = 6,      /* directions that are looked for, more than the two that are wanted: they come faster */
  ITERATIONS = 25 /* of them; each costs rows^2 x BLOCK */
};

adl_column adl_map_thin(const adl_call *call, const adl_column *matrix, int64_t rows) {
  adl_column thinned = *matrix;
  int64_t values = 0;
  thinned.rows = rows;
  for (int64_t r = 0; r < rows; r++) values += adl_matrix_row_at(matrix, r * matrix->rows / rows).count;
  float *value = call->host->alloc(call, (size_t)values * sizeof *value + 1);
  uint32_t *index = call->host->alloc(call, (size_t)values * sizeof *index + 1);
  int32_t *offsets = call->host->alloc(call, (size_t)(rows + 1) * sizeof *offsets);
  int64_t at = 0;
  for (int64_t r = 0; r < rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(matrix, r * matrix->rows / rows);
    offsets[r] = (int32_t)at;
    memcpy(value + at, row.value, (size_t)row.count * sizeof *value);
    if (row.index != NULL) memcpy(index + at, row.index, (size_t)row.count * sizeof *index);
    at += row.count;
  }
  offsets[rows] = (int32_t)at;
  thinned.data = value;
  if (matrix->type.shape == ADL_SPARSE) {
    thinned.index = index;
    thinned.offsets = offsets;
  }
  return thinned;
}

static void products_dense(const adl_call *call, const adl_column *rows, const double *mean, double *products) {
  int64_t n = rows->rows, d = rows->type.width;
  const float *x = rows->data;
  double *strip = call->host->alloc(call, (size_t)(n * STRIP) * sizeof *strip);
  for (int64_t from = 0; from < d; from += STRIP) {
    int64_t count = d - from < STRIP ? d - from : STRIP;
    for (int64_t r = 0; r < n; r++)
      for (int64_t i = 0; i < count; i++)
        strip[r * count + i] = (double)x[r * d + from + i] - (mean != NULL ? mean[from + i] : 0);
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, (int)count, 1, strip, (int)count, from > 0, products,
                (int)n);
  }
}

static void products_sparse(const adl_call *call, const adl_column *rows, double *products) {
  int64_t n = rows->rows, d = rows->type.width;
  double *dense = call->host->alloc(call, (size_t)d * sizeof *dense);
  memset(dense, 0, (size_t)d * sizeof *dense);
  for (int64_t r = 0; r < n; r++) {
    adl_matrix_row row = adl_matrix_row_at(rows, r);
    for (int64_t i = 0; i < row.count; i++) dense[row.index[i]] = row.value[i];
    for (int64_t s = 0; s <= r; s++) products[r * n + s] = adl_matrix_row_dot(adl_matrix_row_at(rows, s), dense);
    for (int64_t i = 0; i < row.count; i++) dense[row.index[i]] = 0;
  }
}

void adl_map_products(const adl_call *call, const adl_column *matrix, const double *mean, double *products) {
  if (matrix->type.shape == ADL_SPARSE)
    products_sparse(call, matrix, products);
  else
    products_dense(call, matrix, mean, products);
}

/* ---- principal components ---- */

/* What the products would be had the mean of the rows been subtracted. Returns their trace. */
static double centre(const adl_call *call, double *products, int64_t n) {
  double *mean = call->host->alloc(call, (size_t)n * sizeof *mean), all = 0, trace = 0;
  memset(mean, 0, (size_t)n * sizeof *mean);
  for (int64_t r = 0; r < n; r++)
    for (int64_t s = 0; s <= r; s++) {
      mean[r] += products[r * n + s] / (double)n;
      if (s < r) mean[s] += products[r * n + s] / (double)n;
    }
  for (int64_t r = 0; r < n; r++) all += mean[r] / (double)n;
  for (int64_t r = 0; r < n; r++) {
    for (int64_t s = 0; s <= r; s++) products[r * n + s] += all - mean[r] - mean[s];
    trace += products[r * n + r];
  }
  return trace;
}

/* The same picture whatever sign a direction came with: the coordinate of the farthest row is above 0. */
static double sign_of(const double *basis, int64_t n, int64_t stride) {
  double farthest = 0;
  for (int64_t i = 0; i < n; i++)
    if (fabs(basis[i * stride]) > fabs(farthest)) farthest = basis[i * stride];
  return farthest < 0 ? -1 : 1;
}

/* Subspace iteration; the directions are eigenvectors of the centred products, the rows' coordinates those times the
 * square roots of the eigenvalues. */
adl_status adl_map_project(const adl_call *call, double *products, int64_t n, double *xy, double share[2]) {
  const adl_host *host = call->host;
  int64_t k = n < BLOCK ? n : BLOCK;
  double trace = centre(call, products, n), small[BLOCK * BLOCK], values[BLOCK];
  double *basis = host->alloc(call, (size_t)(n * k) * sizeof *basis);
  double *image = host->alloc(call, (size_t)(n * k) * sizeof *image);
  memset(xy, 0, (size_t)n * 2 * sizeof *xy);
  share[0] = share[1] = 0;
  if (!(trace > 0) || !isfinite(trace) || n < 2) return ADL_OK;
  uint64_t key = host->random_key(call, "map");
  for (int64_t i = 0; i < n * k; i++) basis[i] = (double)(adl_random(key, (uint64_t)i) >> 11) * 0x1p-52 - 1;
  for (int step = 0; step < ITERATIONS; step++) {
    ADL_TRY(adl_linalg_orthonormalise(call, basis, n, k));
    cblas_dsymm(CblasRowMajor, CblasLeft, CblasLower, (int)n, (int)k, 1, products, (int)n, basis, (int)k, 0, image,
                (int)k);
    if (step + 1 < ITERATIONS) memcpy(basis, image, (size_t)(n * k) * sizeof *basis);
  }
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)k, (int)k, (int)n, 1, basis, (int)k, image, (int)k, 0,
              small, (int)k);
  ADL_TRY(adl_linalg_eigen(call, small, k, values)); /* they rise; vectors are rows */
  for (int64_t direction = 0; direction < 2 && direction < k; direction++) {
    const double *turn = small + (k - 1 - direction) * k;
    double value = values[k - 1 - direction];
    if (!(value > 1e-12 * trace)) break;
    for (int64_t i = 0; i < n; i++) xy[2 * i + direction] = sqrt(value) * cblas_ddot((int)k, basis + i * k, 1, turn, 1);
    double sign = sign_of(xy + direction, n, 2);
    for (int64_t i = 0; i < n; i++) xy[2 * i + direction] *= sign;
    share[direction] = value / trace;
  }
  return ADL_OK;
}

/* ---- kept with a model ---- */

adl_status adl_map_keep(const adl_call *call, double *products, const int32_t *group, int64_t n, adl_tensors *to) {
  const adl_host *host = call->host;
  double *xy = host->alloc(call, (size_t)(2 * n) * sizeof *xy), share[2];
  int64_t two = 2;
  ADL_TRY(adl_map_project(call, products, n, xy, share));
  float *kept = host->tensor(call, to, "map", ADL_FLOAT32, 2, (const int64_t[]){n, 2});
  for (int64_t i = 0; i < 2 * n; i++) kept[i] = (float)xy[i];
  memcpy(host->tensor(call, to, "map_group", ADL_INT32, 1, &n), group, (size_t)n * sizeof *group);
  memcpy(host->tensor(call, to, "map_share", ADL_FLOAT64, 1, &two), share, sizeof share);
  return ADL_OK;
}

const char *adl_map_title(const adl_call *call, int direction, double share) {
  enum { SIZE = 64 };
  char *text = call->host->alloc(call, SIZE);
  snprintf(text, SIZE, "direction %d (%.1f %% of variance)", direction + 1, 100 * share);
  return text;
}

static bool find_map(const adl_call *call, const adl_tensors *tensors, adl_tensor *map, adl_tensor *group,
                     adl_tensor *share) {
  return call->host->find_tensor(call, tensors, "map", map) && map->element == ADL_FLOAT32 && map->dimensions == 2 &&
         map->size[1] == 2 && call->host->find_tensor(call, tensors, "map_group", group) &&
         group->element == ADL_INT32 && group->count == map->size[0] &&
         call->host->find_tensor(call, tensors, "map_share", share) && share->element == ADL_FLOAT64 &&
         share->count == 2;
}

void adl_map_report(const adl_call *call, const adl_tensors *tensors, const int64_t *order, const char *const *names,
                    int64_t groups, adl_report *report) {
  const adl_host *host = call->host;
  adl_tensor map, group, share;
  if (!find_map(call, tensors, &map, &group, &share)) return;
  int64_t n = map.size[0], shown = groups <= ADL_MAP_GROUPS ? groups : ADL_MAP_GROUPS - 1;
  int32_t count = (int32_t)shown + (groups > shown ? 1 : 0);
  adl_series *series = host->alloc(call, (size_t)(count + 1) * sizeof *series);
  const adl_series **given = host->alloc(call, (size_t)(count + 1) * sizeof *given);
  for (int32_t k = 0; k < count; k++) {
    double *x = host->alloc(call, (size_t)(2 * n) * sizeof *x), *y = x + n;
    series[k] = (adl_series){.struct_size = sizeof *series, .name = k < shown ? names[k] : "others", .x = x, .y = y};
    for (int64_t i = 0; i < n; i++) {
      int64_t at = ((const int32_t *)group.data)[i];
      bool own = k < shown && order[k] == at, other = k == shown;
      for (int64_t j = 0; j < shown && other; j++) other = order[j] != at;
      if (!own && !other) continue;
      x[series[k].count] = (double)((const float *)map.data)[2 * i];
      y[series[k].count++] = (double)((const float *)map.data)[2 * i + 1];
    }
    given[k] = &series[k];
  }
  const double *shares = share.data;
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_POINTS,
                         .series_count = count,
                         .name = "map of a sample of the rows",
                         .x_title = adl_map_title(call, 0, shares[0]),
                         .y_title = adl_map_title(call, 1, shares[1]),
                         .series = given};
  if (n > 1) host->report_plot(call, report, &plot);
}
