#include "common/cluster_map.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/linalg.h"
#include "common/matrix_rows.h"

enum {
  BLOCK = 6,      /* directions that are looked for, more than the two that are wanted: they come faster */
  ITERATIONS = 25 /* of them; each reads the values of the rows twice */
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

/* The same rows with those of their dimensions that occur, in their order: what is done by dimension must not take the room
 * of a vocabulary. Dense rows stay as they are. */
adl_column adl_map_narrow(const adl_call *call, const adl_column *rows) {
  adl_column narrow = *rows;
  if (rows->type.shape != ADL_SPARSE) return narrow;
  int64_t values = rows->offsets[rows->rows], width = 0;
  uint32_t *number = call->host->alloc(call, (size_t)rows->type.width * sizeof *number + 1);
  uint32_t *index = call->host->alloc(call, (size_t)values * sizeof *index + 1);
  memset(number, 0, (size_t)rows->type.width * sizeof *number);
  for (int64_t i = 0; i < values; i++) number[rows->index[i]] = 1;
  for (int64_t i = 0; i < rows->type.width; i++)
    if (number[i] != 0) number[i] = (uint32_t)width++;
  for (int64_t i = 0; i < values; i++) index[i] = number[rows->index[i]];
  narrow.index = index;
  narrow.type.width = width > 0 ? width : 1;
  return narrow;
}

/* ---- principal components ---- */

/* Rows, seen from their mean. */
typedef struct cloud {
  const adl_column *rows;
  const double *offset; /* width; subtracted from dense rows, whose large common offsets would cost accuracy. NULL: 0 */
  int64_t n, width;
  int directions;       /* BLOCK; fewer where there are fewer rows */
  double *by_dimension; /* width x directions */
} cloud;

static inline double value_at(const cloud *of, adl_matrix_row row, int64_t i) {
  return of->offset != NULL && row.index == NULL ? (double)row.value[i] - of->offset[i] : (double)row.value[i];
}

/* by_dimension = X' basis; basis is n x k. */
static inline void to_dimensions(const cloud *of, const double *basis, int k) {
  memset(of->by_dimension, 0, (size_t)(of->width * k) * sizeof *of->by_dimension);
  for (int64_t r = 0; r < of->n; r++, basis += k) {
    adl_matrix_row row = adl_matrix_row_at(of->rows, r);
    for (int64_t i = 0; i < row.count; i++) {
      double value = value_at(of, row, i), *to = of->by_dimension + k * (row.index != NULL ? row.index[i] : i);
      for (int c = 0; c < k; c++) to[c] += value * basis[c];
    }
  }
}

/* image = X by_dimension; image is n x k. */
static inline void to_rows(const cloud *of, double *image, int k) {
  for (int64_t r = 0; r < of->n; r++, image += k) {
    adl_matrix_row row = adl_matrix_row_at(of->rows, r);
    double sum[BLOCK] = {0};
    for (int64_t i = 0; i < row.count; i++) {
      double value = value_at(of, row, i);
      const double *from = of->by_dimension + k * (row.index != NULL ? row.index[i] : i);
      for (int c = 0; c < k; c++) sum[c] += value * from[c];
    }
    memcpy(image, sum, (size_t)k * sizeof *image);
  }
}

/* Subtracts the mean of each column. */
static inline void centre(double *columns, int64_t n, int k) {
  double mean[BLOCK] = {0};
  for (int64_t r = 0; r < n; r++)
    for (int c = 0; c < k; c++) mean[c] += columns[r * k + c] / (double)n;
  for (int64_t r = 0; r < n; r++)
    for (int c = 0; c < k; c++) columns[r * k + c] -= mean[c];
}

__attribute__((always_inline)) static inline void multiply_by(const cloud *of, double *basis, double *image, int k) {
  centre(basis, of->n, k);
  to_dimensions(of, basis, k);
  to_rows(of, image, k);
  centre(image, of->n, k);
}

/* image = C X X' C basis, where C subtracts means. `basis` is spoilt. */
static void multiply(const cloud *of, double *basis, double *image) {
  if (of->directions == BLOCK)
    multiply_by(of, basis, image, BLOCK); /* of a length that the compiler knows */
  else
    multiply_by(of, basis, image, of->directions);
}

/* The squared distances of all rows from their mean; 0: rounding is all there is. */
static double spread_of(const cloud *of) {
  double *mean = of->by_dimension, all = 0, about_mean = 0;
  memset(mean, 0, (size_t)of->width * sizeof *mean);
  for (int64_t r = 0; r < of->n; r++) {
    adl_matrix_row row = adl_matrix_row_at(of->rows, r);
    for (int64_t i = 0; i < row.count; i++) {
      double value = value_at(of, row, i);
      mean[row.index != NULL ? row.index[i] : i] += value / (double)of->n;
      all += value * value;
    }
  }
  for (int64_t i = 0; i < of->width; i++) about_mean += mean[i] * mean[i];
  double spread = all - (double)of->n * about_mean;
  return spread > 1e-12 * all ? spread : 0;
}

/* The same picture whatever sign a direction came with: the coordinate of the farthest row is above 0. */
static double sign_of(const double *basis, int64_t n, int64_t stride) {
  double farthest = 0;
  for (int64_t i = 0; i < n; i++)
    if (fabs(basis[i * stride]) > fabs(farthest)) farthest = basis[i * stride];
  return farthest < 0 ? -1 : 1;
}

/* Subspace iteration; the directions are eigenvectors of the rows' inner products, the rows' coordinates those times the
 * square roots of the eigenvalues. */
static adl_status find_directions(const adl_call *call, const cloud *of, double *basis, double *image, double *small,
                                  double *values) {
  int64_t n = of->n, k = of->directions;
  double *spoilt = call->host->alloc(call, (size_t)(n * k) * sizeof *spoilt);
  uint64_t key = call->host->random_key(call, "map");
  for (int64_t i = 0; i < n * k; i++) basis[i] = (double)(adl_random(key, (uint64_t)i) >> 11) * 0x1p-52 - 1;
  for (int step = 0; step < ITERATIONS; step++) {
    ADL_TRY(adl_linalg_orthonormalise(call, basis, n, k));
    memcpy(spoilt, basis, (size_t)(n * k) * sizeof *basis);
    multiply(of, spoilt, image);
    if (step + 1 < ITERATIONS) memcpy(basis, image, (size_t)(n * k) * sizeof *basis);
  }
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)k, (int)k, (int)n, 1, basis, (int)k, image, (int)k, 0,
              small, (int)k);
  return adl_linalg_eigen(call, small, k, values); /* they rise; vectors are rows */
}

adl_status adl_map_project(const adl_call *call, const adl_column *rows, const double *mean, double *xy,
                           double share[2]) {
  const adl_host *host = call->host;
  adl_column narrow = adl_map_narrow(call, rows);
  int64_t n = rows->rows, k = n < BLOCK ? n : BLOCK;
  cloud of = {.rows = &narrow, .offset = mean, .n = n, .width = narrow.type.width, .directions = (int)k};
  of.by_dimension = host->alloc(call, (size_t)(of.width * BLOCK) * sizeof *of.by_dimension);
  double spread = spread_of(&of), small[BLOCK * BLOCK], values[BLOCK];
  memset(xy, 0, (size_t)n * 2 * sizeof *xy);
  share[0] = share[1] = 0;
  if (!(spread > 0) || !isfinite(spread) || n < 2) return ADL_OK;
  double *basis = host->alloc(call, (size_t)(n * k) * sizeof *basis);
  double *image = host->alloc(call, (size_t)(n * k) * sizeof *image);
  ADL_TRY(find_directions(call, &of, basis, image, small, values));
  for (int64_t direction = 0; direction < 2; direction++) {
    const double *turn = small + (k - 1 - direction) * k;
    double value = values[k - 1 - direction];
    if (!(value > 1e-12 * spread)) break;
    for (int64_t i = 0; i < n; i++) xy[2 * i + direction] = sqrt(value) * cblas_ddot((int)k, basis + i * k, 1, turn, 1);
    double sign = sign_of(xy + direction, n, 2);
    for (int64_t i = 0; i < n; i++) xy[2 * i + direction] *= sign;
    share[direction] = value / spread;
  }
  return ADL_OK;
}

/* ---- kept with a model ---- */

adl_status adl_map_keep(const adl_call *call, const adl_column *rows, const double *mean, const int32_t *group,
                        adl_tensors *to) {
  const adl_host *host = call->host;
  int64_t n = rows->rows, two = 2;
  double *xy = host->alloc(call, (size_t)(2 * n) * sizeof *xy), share[2];
  ADL_TRY(adl_map_project(call, rows, mean, xy, share));
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
