#include "common/kmeans_quality.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/matrix_rows.h"

#define SILHOUETTE_ROWS 1000
#define STRIP 256 /* dimensions at a time */
#define TABLE_ROWS 100
#define TOP 6
#define CELL 1024

/* ---------------------------------------------------------------------------------------------- silhouette ---- */

/* Every so many rows of the sample, as a column of their own. */
static adl_column thin(const adl_call *call, const adl_column *sample, int64_t rows) {
  adl_column thinned = *sample;
  int64_t values = 0;
  thinned.rows = rows;
  for (int64_t r = 0; r < rows; r++) values += adl_matrix_row_at(sample, r * sample->rows / rows).count;
  float *value = call->host->alloc(call, (size_t)values * sizeof *value + 1);
  uint32_t *index = call->host->alloc(call, (size_t)values * sizeof *index + 1);
  int32_t *offsets = call->host->alloc(call, (size_t)(rows + 1) * sizeof *offsets);
  int64_t at = 0;
  for (int64_t r = 0; r < rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(sample, r * sample->rows / rows);
    offsets[r] = (int32_t)at;
    memcpy(value + at, row.value, (size_t)row.count * sizeof *value);
    if (row.index != NULL) memcpy(index + at, row.index, (size_t)row.count * sizeof *index);
    at += row.count;
  }
  offsets[rows] = (int32_t)at;
  thinned.data = value;
  if (sample->type.shape == ADL_SPARSE) {
    thinned.index = index;
    thinned.offsets = offsets;
  }
  return thinned;
}

/* Lower triangle of X X^T in float64; dense rows centred. */
static void gram_dense(const adl_call *call, const adl_column *rows, const double *mean, double *gram) {
  int64_t n = rows->rows, d = rows->type.width;
  const float *x = rows->data;
  double *strip = call->host->alloc(call, (size_t)(n * STRIP) * sizeof *strip);
  for (int64_t from = 0; from < d; from += STRIP) {
    int64_t count = d - from < STRIP ? d - from : STRIP;
    for (int64_t r = 0; r < n; r++)
      for (int64_t i = 0; i < count; i++) strip[r * count + i] = x[r * d + from + i] - mean[from + i];
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (int)n, (int)count, 1, strip, (int)count, from > 0, gram,
                (int)n);
  }
}

static void gram_sparse(const adl_call *call, const adl_column *rows, double *gram) {
  int64_t n = rows->rows, d = rows->type.width;
  double *dense = call->host->alloc(call, (size_t)d * sizeof *dense);
  memset(dense, 0, (size_t)d * sizeof *dense);
  for (int64_t r = 0; r < n; r++) {
    adl_matrix_row row = adl_matrix_row_at(rows, r);
    for (int64_t i = 0; i < row.count; i++) dense[row.index[i]] = row.value[i];
    for (int64_t s = 0; s <= r; s++) gram[r * n + s] = adl_matrix_row_dot(adl_matrix_row_at(rows, s), dense);
    for (int64_t i = 0; i < row.count; i++) dense[row.index[i]] = 0;
  }
}

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

static double mean_silhouette(const adl_call *call, const double *gram, const int32_t *cluster, int64_t n,
                              int64_t clusters) {
  double *sums = call->host->alloc(call, (size_t)clusters * sizeof *sums), mean = 0;
  int64_t *sizes = call->host->alloc(call, (size_t)clusters * sizeof *sizes);
  memset(sizes, 0, (size_t)clusters * sizeof *sizes);
  for (int64_t r = 0; r < n; r++) sizes[cluster[r]]++;
  for (int64_t r = 0; r < n; r++) {
    memset(sums, 0, (size_t)clusters * sizeof *sums);
    for (int64_t s = 0; s < n; s++) {
      double dot = s <= r ? gram[r * n + s] : gram[s * n + r];
      double square = gram[r * n + r] + gram[s * n + s] - 2 * dot;
      if (square > 0 && s != r) sums[cluster[s]] += sqrt(square);
    }
    mean += silhouette_of(sums, sizes, clusters, cluster[r]) / (double)n;
  }
  return mean;
}

int64_t adl_kmeans_silhouette(const adl_call *call, const adl_kmeans_data *data, const adl_kmeans_index *index,
                              double *silhouette) {
  const adl_host *host = call->host;
  int64_t n = data->sample.rows < SILHOUETTE_ROWS ? data->sample.rows : SILHOUETTE_ROWS;
  adl_column rows = thin(call, &data->sample, n);
  int32_t *cluster = host->alloc(call, (size_t)n * sizeof *cluster);
  double *distance2 = host->alloc(call, (size_t)n * sizeof *distance2);
  adl_kmeans_assign(call, index, &rows, cluster, distance2);
  int64_t clusters = renumber(call, cluster, n, index->clusters);
  *silhouette = 0;
  if (clusters < 2) return 0;
  double *gram = host->alloc(call, (size_t)(n * n) * sizeof *gram);
  if (data->sparse)
    gram_sparse(call, &rows, gram);
  else
    gram_dense(call, &rows, data->mean, gram);
  *silhouette = mean_silhouette(call, gram, cluster, n, clusters);
  return n;
}

/* ------------------------------------------------------------------------------------------------- profiles ---- */

/* "words=price +3.1, visits -1.2": the dimensions in which the centre is farthest from the mean. */
static void top_features(const adl_call *call, const adl_input *features, const double *center, const float *mean,
                         const float *deviation, char *cell) {
  int64_t top[TOP];
  double lift[TOP];
  int count = 0;
  for (int64_t i = 0; i < features->type.width; i++) {
    double z = deviation[i] > 0 ? (center[i] - (double)mean[i]) / (double)deviation[i] : 0;
    if (fabs(z) < 0.05 || (count == TOP && fabs(z) <= fabs(lift[TOP - 1]))) continue; /* would print as 0 */
    int at = count < TOP ? count++ : TOP - 1;
    for (; at > 0 && fabs(z) > fabs(lift[at - 1]); at--) {
      lift[at] = lift[at - 1];
      top[at] = top[at - 1];
    }
    lift[at] = z;
    top[at] = i;
  }
  if (count == 0) snprintf(cell, CELL, "like the average");
  size_t used = 0;
  for (int t = 0; t < count && used < CELL; t++) { /* a number may have 300 digits: what does not fit is left out */
    char name[128];
    call->host->dimension_name(call, features, top[t], name, sizeof name);
    used += (size_t)snprintf(cell + used, CELL - used, "%s%s %+.1f", t > 0 ? ", " : "", name, lift[t]);
  }
}

int32_t adl_kmeans_about(const adl_call *call, const adl_input *features, const float *center, const float *mean,
                         char text[ADL_KMEANS_ABOUT]) {
  enum { MOST = 5 };
  int64_t top[MOST];
  int count = 0, size = 0;
  for (int64_t i = 0; i < features->type.width; i++) {
    float above = center[i] - mean[i];
    if (above <= 0 || (count == MOST && above <= center[top[MOST - 1]] - mean[top[MOST - 1]])) continue;
    int at = count < MOST ? count++ : MOST - 1;
    for (; at > 0 && above > center[top[at - 1]] - mean[top[at - 1]]; at--) top[at] = top[at - 1];
    top[at] = i;
  }
  text[0] = '\0';
  for (int t = 0; t < count; t++) {
    char name[ADL_KMEANS_ABOUT / MOST - 2];
    /* A name that was cut could end within a character. */
    if (call->host->dimension_name(call, features, top[t], name, sizeof name) >= (int64_t)sizeof name) continue;
    size += snprintf(text + size, (size_t)(ADL_KMEANS_ABOUT - size), "%s%s", size > 0 ? ", " : "", name);
  }
  return size;
}

static int by_size(const void *a, const void *b) {
  const adl_kmeans_profile *x = a, *y = b;
  if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

void adl_kmeans_report_profiles(const adl_call *call, adl_report *report, const char *what, const adl_input *features,
                                adl_kmeans_profile *profiles, int64_t count, const float *mean,
                                const float *deviation) {
  enum { COLUMNS = 4 };
  static const char *const titles[COLUMNS] = {"number", "rows", "share",
                                              "set apart by (standard deviations from the mean)"};
  int64_t all = 0, shown = count < TABLE_ROWS ? count : TABLE_ROWS;
  for (int64_t j = 0; j < count; j++) all += profiles[j].rows;
  qsort(profiles, (size_t)count, sizeof *profiles, by_size);
  char *text = call->host->alloc(call, (size_t)(shown * COLUMNS) * CELL);
  const char **cells = call->host->alloc(call, (size_t)(shown * COLUMNS) * sizeof *cells);
  for (int64_t c = 0; c < shown * COLUMNS; c++) cells[c] = text + c * CELL;
  for (int64_t j = 0; j < shown; j++) {
    char *row = text + j * COLUMNS * CELL;
    snprintf(row, CELL, "%lld", (long long)profiles[j].number);
    snprintf(row + CELL, CELL, "%lld", (long long)profiles[j].rows);
    snprintf(row + 2 * CELL, CELL, "%.1f %%", 100.0 * (double)profiles[j].rows / (double)(all > 0 ? all : 1));
    top_features(call, features, profiles[j].center, mean, deviation, row + 3 * CELL);
  }
  call->host->report_table(call, report, what, COLUMNS, titles, shown, cells);
}
