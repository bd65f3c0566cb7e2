#include "common/kmeans_seed.h"

#include <cblas.h>
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/linalg.h"
#include "common/matrix_rows.h"

#define BLOCK 2048 /* sampled rows that one worker measures at a time */
#define MOST_TRIALS 16

static void write_center(const adl_kmeans_data *data, int64_t row, float *center) {
  adl_matrix_row at = adl_matrix_row_at(&data->sample, row);
  if (at.index == NULL) {
    memcpy(center, at.value, (size_t)at.count * sizeof *center);
    return;
  }
  memset(center, 0, (size_t)data->width * sizeof *center);
  for (int64_t i = 0; i < at.count; i++) center[at.index[i]] = at.value[i];
}

adl_status adl_kmeans_seed_random(const adl_call *call, const adl_kmeans_data *data, int64_t clusters, uint64_t key,
                                  float *centers, int64_t *found) {
  int64_t rows = data->sample.rows;
  int64_t *order = call->host->alloc(call, (size_t)rows * sizeof *order);
  for (int64_t r = 0; r < rows; r++) order[r] = r;
  *found = clusters < rows ? clusters : rows;
  for (int64_t j = 0; j < *found; j++) { /* the beginning of a Fisher-Yates shuffle */
    int64_t other = j + (int64_t)(adl_random_unit(key, (uint64_t)j) * (double)(rows - j));
    int64_t row = order[other];
    order[other] = order[j];
    order[j] = row;
    write_center(data, row, centers + j * data->width);
  }
  return ADL_OK;
}

/* --------------------------------------------------------------------------------------------- k-means++ ---- */

typedef struct adl_kmeans_spread {
  const adl_kmeans_data *data;
  int64_t rows, blocks;
  float *centred;   /* dense: rows x width */
  double *norm;     /* rows; squared length (dense: centred) */
  double *closest;  /* rows; squared distance to the nearest centre so far */
  double *distance; /* trials x rows: what closest would become */
  double *sum;      /* trials x blocks: sums of those */
  int trials;
  int64_t trial[MOST_TRIALS]; /* rows tried as the next centre */
  float *tried;               /* dense: trials x width, centred. Sparse: width x trials */
} spread;

/* Between two rows of the sample, without cancellation. */
static double rows_distance2(const adl_kmeans_data *data, int64_t a, int64_t b) {
  adl_matrix_row x = adl_matrix_row_at(&data->sample, a), y = adl_matrix_row_at(&data->sample, b);
  if (x.index == NULL) return adl_linalg_distance2(x.value, y.value, x.count);
  double sum = 0;
  int64_t i = 0, j = 0;
  while (i < x.count || j < y.count) {
    double difference;
    if (j == y.count || (i < x.count && x.index[i] < y.index[j]))
      difference = x.value[i++];
    else if (i == x.count || y.index[j] < x.index[i])
      difference = y.value[j++];
    else
      difference = (double)x.value[i++] - (double)y.value[j++];
    sum += difference * difference;
  }
  return sum;
}

/* Rows from .. from + count - 1 times the tried rows: dots is count x trials. */
static void multiply(const spread *state, int64_t from, int64_t count, float *dots) {
  int64_t d = state->data->width;
  int trials = state->trials;
  if (!state->data->sparse) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, trials, (int)d, 1, state->centred + from * d,
                (int)d, state->tried, (int)d, 0, dots, trials);
    return;
  }
  memset(dots, 0, (size_t)(count * trials) * sizeof *dots);
  for (int64_t r = 0; r < count; r++) {
    adl_matrix_row row = adl_matrix_row_at(&state->data->sample, from + r);
    for (int64_t i = 0; i < row.count; i++)
      for (int t = 0; t < trials; t++) dots[r * trials + t] += row.value[i] * state->tried[row.index[i] * trials + t];
  }
}

static adl_status measure_block(const adl_call *call, void *context, int64_t block) {
  spread *state = context;
  int64_t from = block * BLOCK, count = state->rows - from < BLOCK ? state->rows - from : BLOCK;
  int trials = state->trials;
  float *dots = call->host->alloc(call, (size_t)(count * trials) * sizeof *dots);
  multiply(state, from, count, dots);
  for (int t = 0; t < trials; t++) {
    double sum = 0, *distance = state->distance + t * state->rows + from;
    for (int64_t r = 0; r < count; r++) {
      double scale = state->norm[from + r] + state->norm[state->trial[t]];
      double square = scale - 2 * (double)dots[r * trials + t];
      if (!(square > 1e-3 * scale)) square = rows_distance2(state->data, from + r, state->trial[t]); /* cancellation */
      distance[r] = square < state->closest[from + r] ? square : state->closest[from + r];
      sum += distance[r];
    }
    state->sum[t * state->blocks + block] = sum;
  }
  return ADL_OK;
}

/* Measures the rows in trial[] as the next centre. */
static adl_status measure(const adl_call *call, spread *state) {
  const adl_kmeans_data *data = state->data;
  for (int t = 0; t < state->trials; t++) {
    if (!data->sparse) {
      memcpy(state->tried + t * data->width, state->centred + state->trial[t] * data->width,
             (size_t)data->width * sizeof *state->tried);
      continue;
    }
    adl_matrix_row row = adl_matrix_row_at(&data->sample, state->trial[t]);
    for (int64_t i = 0; i < row.count; i++) state->tried[row.index[i] * state->trials + t] = row.value[i];
  }
  ADL_TRY(call->host->parallel(call, state->blocks, measure_block, state));
  for (int t = 0; t < state->trials && data->sparse; t++) {
    adl_matrix_row row = adl_matrix_row_at(&data->sample, state->trial[t]);
    for (int64_t i = 0; i < row.count; i++) state->tried[row.index[i] * state->trials + t] = 0;
  }
  return ADL_OK;
}

static double total_of(const spread *state, int trial) {
  double total = 0;
  for (int64_t b = 0; b < state->blocks; b++) total += state->sum[trial * state->blocks + b];
  return total;
}

/* Takes the best of the rows tried: closest, and the sums of closest in the sums of trial 0. */
static int64_t take_best(spread *state, double *total) {
  int best = 0;
  *total = total_of(state, 0);
  for (int t = 1; t < state->trials; t++) {
    double other = total_of(state, t);
    if (other < *total) {
      *total = other;
      best = t;
    }
  }
  memcpy(state->closest, state->distance + best * state->rows, (size_t)state->rows * sizeof *state->closest);
  memmove(state->sum, state->sum + best * state->blocks, (size_t)state->blocks * sizeof *state->sum);
  return state->trial[best];
}

/* The row at which the running sum of `closest` passes `target`. */
static int64_t draw_row(const spread *state, double target) {
  int64_t block = 0, last = 0;
  while (block < state->blocks - 1 && target >= state->sum[block]) target -= state->sum[block++];
  for (int64_t r = block * BLOCK; r < state->rows; r++) {
    if (state->closest[r] == 0) continue;
    last = r;
    if (target < state->closest[r]) return r;
    target -= state->closest[r];
  }
  for (int64_t r = state->rows - 1; last == 0 && r >= 0; r--) /* rounding took us past the end */
    if (state->closest[r] > 0) last = r;
  return last;
}

/* Memory for the draw, kept in data->spread for the next one. */
static spread *spread_memory(const adl_call *call, adl_kmeans_data *data, int trials) {
  if (data->spread != NULL) return data->spread;
  const adl_host *host = call->host;
  spread *state = host->alloc(call, sizeof *state);
  size_t rows = (size_t)data->sample.rows, d = (size_t)data->width;
  *state = (spread){.data = data, .rows = data->sample.rows, .blocks = (data->sample.rows + BLOCK - 1) / BLOCK};
  state->norm = host->alloc(call, rows * sizeof(double));
  state->closest = host->alloc(call, rows * sizeof(double));
  state->distance = host->alloc(call, (size_t)trials * rows * sizeof(double));
  state->sum = host->alloc(call, (size_t)trials * (size_t)state->blocks * sizeof(double));
  state->tried = host->alloc(call, (size_t)trials * d * sizeof(float));
  if (data->sparse)
    memset(state->tried, 0, (size_t)trials * d * sizeof(float));
  else
    state->centred = host->alloc(call, rows * d * sizeof(float));
  for (int64_t r = 0; r < state->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(&data->sample, r);
    if (!data->sparse) {
      float *to = state->centred + r * row.count;
      for (int64_t i = 0; i < row.count; i++) to[i] = row.value[i] - data->center[i];
      row.value = to;
    }
    state->norm[r] = adl_linalg_norm2(row.value, row.count);
  }
  data->spread = state;
  return state;
}

adl_status adl_kmeans_seed_spread(const adl_call *call, adl_kmeans_data *data, int64_t clusters, uint64_t key,
                                  float *centers, int64_t *found) {
  int trials = 2 + (int)log((double)clusters);
  if (trials > MOST_TRIALS) trials = MOST_TRIALS;
  spread *state = spread_memory(call, data, trials);
  for (int64_t r = 0; r < state->rows; r++) state->closest[r] = INFINITY;
  uint64_t counter = 0;
  double total = 0;
  *found = 0;
  while (*found < clusters && (*found == 0 || total > 0)) {
    state->trials = *found == 0 ? 1 : trials;
    for (int t = 0; t < state->trials; t++) {
      double unit = adl_random_unit(key, counter++);
      state->trial[t] = *found == 0 ? (int64_t)(unit * (double)state->rows) : draw_row(state, unit * total);
    }
    ADL_TRY(measure(call, state));
    write_center(data, take_best(state, &total), centers + *found * data->width);
    ++*found;
    call->host->progress(call, "starting centres", (double)*found, (double)clusters);
  }
  return ADL_OK;
}

/* --------------------------------------------------------------------------------------------------- file ---- */

/* One line as `width` numbers; what is wrong with it, or NULL. */
static const char *read_center(char *line, locale_t plain, int64_t width, float *center) {
  static const char *const between = ", \t\r\n";
  int64_t count = 0;
  for (char *at = line + strspn(line, between); *at != '\0'; at += strspn(at, between)) {
    char *end;
    float value = strtof_l(at, &end, plain);
    if (end == at || (*end != '\0' && strchr(between, *end) == NULL)) return "holds something that is not a number";
    if (!isfinite(value)) return "holds a number that is not finite";
    if (count == width) return "holds too many numbers";
    center[count++] = value;
    at = end;
  }
  return count < width ? "holds too few numbers" : NULL;
}

static adl_status read_centers(const adl_call *call, const char *parameter, FILE *file, locale_t plain,
                               int64_t clusters, int64_t width, float *centers) {
  char *line = NULL;
  size_t size = 0;
  int64_t number = 0, count = 0;
  adl_status status = ADL_OK;
  while (status == ADL_OK && getline(&line, &size, file) >= 0) {
    number++;
    if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#') continue;
    const char *wrong = count == clusters ? "is one centre too many" : NULL;
    if (wrong == NULL) wrong = read_center(line, plain, width, centers + count++ * width);
    if (wrong != NULL)
      status = call->host->fail(call, parameter, -1, "one centre a line, numbers separated by commas or blanks",
                                "line %lld %s; expected are %lld centres of %lld numbers", (long long)number, wrong,
                                (long long)clusters, (long long)width);
  }
  free(line);
  if (status == ADL_OK && ferror(file)) status = call->host->fail(call, parameter, -1, NULL, "%s", strerror(errno));
  if (status == ADL_OK && count < clusters)
    status = call->host->fail(call, parameter, -1, NULL, "the file has %lld centres; expected are %lld",
                              (long long)count, (long long)clusters);
  return status;
}

adl_status adl_kmeans_seed_file(const adl_call *call, const char *parameter, const char *path, int64_t clusters,
                                int64_t width, float *centers) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return call->host->fail(call, parameter, -1, NULL, "%s: %s", path, strerror(errno));
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  adl_status status = read_centers(call, parameter, file, plain, clusters, width, centers);
  freelocale(plain);
  fclose(file);
  return status;
}
