#include "common/kmeans_quality.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cluster_map.h"
#include "common/plots.h"
#include "common/silhouette.h"

#define TABLE_ROWS 100
#define TOP 6
#define CELL 1024

/* The two ways of looking at rows, side by side. */
typedef struct look {
  const adl_column *rows;
  const double *mean;
  const int32_t *cluster;
  adl_silhouette of;
  double *silhouette;
  adl_tensors *map;
} look;

static adl_status look_at(const adl_call *call, void *context, int64_t i) {
  look *l = context;
  if (i == 1) return adl_map_keep(call, l->rows, l->mean, l->cluster, l->map);
  *l->silhouette = adl_silhouette_end(call, &l->of, l->mean);
  return ADL_OK;
}

adl_status adl_kmeans_look_at_sample(const adl_call *call, const adl_kmeans_data *data, const adl_kmeans_index *index,
                                     double *silhouette, int64_t *measured, adl_tensors *map) {
  const adl_host *host = call->host;
  int64_t n = data->sample.rows < ADL_MAP_ROWS ? data->sample.rows : ADL_MAP_ROWS;
  adl_column rows = adl_map_thin(call, &data->sample, n);
  int32_t *cluster = host->alloc(call, (size_t)n * sizeof *cluster);
  double *distance2 = host->alloc(call, (size_t)n * sizeof *distance2);
  adl_kmeans_assign(call, index, &rows, cluster, distance2);
  look l = {.rows = &rows, .mean = data->mean, .cluster = cluster, .silhouette = silhouette, .map = map};
  ADL_TRY(adl_silhouette_begin(call, &rows, cluster, index->clusters, &l.of));
  *measured = l.of.clusters < 2 ? 0 : n;
  return host->parallel(call, 2, look_at, &l);
}

/* ------------------------------------------------------------------------------------------------- profiles ---- */

/* What is known of the dimensions of the training rows. */
typedef struct spread {
  const float *mean, *deviation; /* NULL: the model does not tell */
} spread;

static spread find_spread(const adl_call *call, const adl_tensors *tensors, int64_t width) {
  adl_tensor mean, deviation;
  bool known = call->host->find_tensor(call, tensors, "mean", &mean) && mean.count == width &&
               call->host->find_tensor(call, tensors, "deviation", &deviation) && deviation.count == width;
  return known ? (spread){mean.data, deviation.data} : (spread){NULL, NULL};
}

typedef struct extreme {
  int64_t dimension;
  double lift; /* standard deviations from the mean */
} extreme;

/* The dimensions in which a centre lies farthest from the mean, or above it; at most TOP. */
static int find_extremes(int64_t width, const double *center, const spread *of, bool above, extreme *top) {
  int count = 0;
  for (int64_t i = 0; i < width && of->mean != NULL; i++) {
    double z = of->deviation[i] > 0 ? (center[i] - (double)of->mean[i]) / (double)of->deviation[i] : 0;
    if (fabs(z) < 0.05 || (above && z < 0) || (count == TOP && fabs(z) <= fabs(top[TOP - 1].lift))) continue;
    int at = count < TOP ? count++ : TOP - 1;
    for (; at > 0 && fabs(z) > fabs(top[at - 1].lift); at--) top[at] = top[at - 1];
    top[at] = (extreme){i, z};
  }
  return count;
}

/* "words=price +3.1, visits -1.2" */
static void top_features(const adl_call *call, const adl_input *features, const double *center, const spread *of,
                         char *cell) {
  extreme top[TOP];
  int count = find_extremes(features->type.width, center, of, false, top);
  if (count == 0) snprintf(cell, CELL, "like the average");
  size_t used = 0;
  for (int t = 0; t < count && used < CELL; t++) { /* a number may have 300 digits: what does not fit is left out */
    char name[128];
    call->host->dimension_name(call, features, top[t].dimension, name, sizeof name);
    used += (size_t)snprintf(cell + used, CELL - used, "%s%s %+.1f", t > 0 ? ", " : "", name, top[t].lift);
  }
}

const char *adl_kmeans_profile_name(const adl_call *call, const adl_input *features, const adl_kmeans_profile *profile,
                                    const adl_tensors *tensors) {
  enum { NAMES = 3 };
  extreme top[TOP];
  spread of = find_spread(call, tensors, features->type.width);
  int count = find_extremes(features->type.width, profile->center, &of, true, top);
  char *text = call->host->alloc(call, CELL);
  size_t used = (size_t)snprintf(text, CELL, "%lld", (long long)profile->number);
  for (int t = 0; t < count && t < NAMES; t++) {
    char name[128];
    call->host->dimension_name(call, features, top[t].dimension, name, sizeof name);
    used += (size_t)snprintf(text + used, CELL - used, "%s%s", t > 0 ? ", " : ": ", name);
  }
  return text;
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

/* How many rows each has, the largest first, and the map in the same colours. */
static void plot_profiles(const adl_call *call, adl_report *report, const char *what, const adl_input *features,
                          const adl_kmeans_profile *profiles, int64_t count, const adl_tensors *tensors) {
  const adl_host *host = call->host;
  double *rows = host->alloc(call, (size_t)(count + 1) * sizeof *rows);
  int64_t *order = host->alloc(call, (size_t)(count + 1) * sizeof *order);
  const char **names = host->alloc(call, (size_t)(count + 1) * sizeof *names);
  for (int64_t j = 0; j < count; j++) {
    rows[j] = (double)profiles[j].rows;
    order[j] = profiles[j].number;
    names[j] = adl_kmeans_profile_name(call, features, &profiles[j], tensors);
  }
  char *title = host->alloc(call, CELL);
  snprintf(title, CELL, "sizes of the %s", what);
  adl_plot_named(call, report, title, what, "rows", count, names, rows, NULL, NULL);
  adl_map_report(call, tensors, order, names, count, report);
}

void adl_kmeans_report_profiles(const adl_call *call, adl_report *report, const char *what, const adl_input *features,
                                adl_kmeans_profile *profiles, int64_t count, const adl_tensors *tensors) {
  enum { COLUMNS = 4 };
  static const char *const titles[COLUMNS] = {"number", "rows", "share",
                                              "set apart by (standard deviations from the mean)"};
  int64_t all = 0, shown = count < TABLE_ROWS ? count : TABLE_ROWS;
  spread of = find_spread(call, tensors, features->type.width);
  for (int64_t j = 0; j < count; j++) all += profiles[j].rows;
  qsort(profiles, (size_t)count, sizeof *profiles, by_size);
  plot_profiles(call, report, what, features, profiles, shown, tensors);
  char *text = call->host->alloc(call, (size_t)(shown * COLUMNS) * CELL);
  const char **cells = call->host->alloc(call, (size_t)(shown * COLUMNS) * sizeof *cells);
  for (int64_t c = 0; c < shown * COLUMNS; c++) cells[c] = text + c * CELL;
  for (int64_t j = 0; j < shown; j++) {
    char *row = text + j * COLUMNS * CELL;
    snprintf(row, CELL, "%lld", (long long)profiles[j].number);
    snprintf(row + CELL, CELL, "%lld", (long long)profiles[j].rows);
    snprintf(row + 2 * CELL, CELL, "%.1f %%", 100.0 * (double)profiles[j].rows / (double)(all > 0 ? all : 1));
    top_features(call, features, profiles[j].center, &of, row + 3 * CELL);
  }
  call->host->report_table(call, report, what, COLUMNS, titles, shown, cells);
}
