/* Isotonic regression: see isotonic.h. */
#include "common/isotonic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- counting ---- */

/* A float64 as a word that rises with it. */
static uint64_t rising(double value) {
  uint64_t bits;
  if (value == 0) value = 0; /* -0 is 0 */
  memcpy(&bits, &value, sizeof bits);
  return (bits >> 63) != 0 ? ~bits : bits | (UINT64_C(1) << 63);
}

static int compare_words(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

static int compare_points(const void *a, const void *b) {
  double left = ((const adl_isotonic_point *)a)->low, right = ((const adl_isotonic_point *)b)->low;
  return (left > right) - (left < right);
}

enum { CELLS = sizeof(adl_isotonic_point) / sizeof(double) };

adl_isotonic_counts adl_isotonic_open(const adl_call *call, adl_tensors *tensors, int64_t limit) {
  const int64_t one = 1;
  adl_isotonic_counts counts = {.call = call, .tensors = tensors, .limit = limit};
  counts.table = call->host->table(call, tensors, "points", CELLS);
  counts.shift = call->host->tensor(call, tensors, "points.shift", ADL_INT64, 1, &one);
  return counts;
}

static adl_isotonic_point *copy_points(const adl_isotonic_counts *counts, int64_t *count) {
  const adl_host *host = counts->call->host;
  *count = host->table_count(counts->table);
  adl_isotonic_point *points = host->alloc(counts->call, ((size_t)*count + 1) * sizeof *points);
  for (int64_t i = 0; i < *count; i++) memcpy(&points[i], host->table_row(counts->table, i), sizeof *points);
  return points;
}

static void put(const adl_isotonic_counts *counts, const adl_isotonic_point *point) {
  const adl_host *host = counts->call->host;
  uint64_t key = rising(point->low) >> *counts->shift;
  double *cells = host->table_row(counts->table, host->table_insert(counts->table, &key, sizeof key));
  adl_isotonic_point all;
  memcpy(&all, cells, sizeof all);
  if (all.weight > 0) {
    all.low = fmin(all.low, point->low);
    all.high = fmax(all.high, point->high);
    all.weight += point->weight;
    all.positives += point->positives;
  } else {
    all = *point;
  }
  memcpy(cells, &all, sizeof all);
}

/* Fills the table anew, with so many bits dropped. */
static void drop_bits(adl_isotonic_counts *counts, int64_t shift) {
  const adl_host *host = counts->call->host;
  int64_t count;
  adl_isotonic_point *points = copy_points(counts, &count);
  host->drop_tensor(counts->call, counts->tensors, "points");
  counts->table = host->table(counts->call, counts->tensors, "points", CELLS);
  *counts->shift = shift;
  for (int64_t i = 0; i < count; i++) put(counts, &points[i]);
}

static void limit_points(adl_isotonic_counts *counts) {
  int64_t count, different, shift = *counts->shift;
  if (counts->call->host->table_count(counts->table) <= counts->limit) return;
  adl_isotonic_point *points = copy_points(counts, &count);
  uint64_t *words = counts->call->host->alloc(counts->call, (size_t)count * sizeof *words);
  for (int64_t i = 0; i < count; i++) words[i] = rising(points[i].low);
  qsort(words, (size_t)count, sizeof *words, compare_words);
  do {
    shift++;
    different = 1;
    for (int64_t i = 1; i < count; i++) different += words[i] >> shift != words[i - 1] >> shift;
  } while (different > counts->limit && shift < 63);
  drop_bits(counts, shift);
}

void adl_isotonic_add(adl_isotonic_counts *counts, double score, double weight, double label) {
  if (score == 0) score = 0; /* -0 is 0 */
  adl_isotonic_point point = {score, score, weight, weight * label};
  if (!(weight > 0)) return;
  put(counts, &point);
  limit_points(counts);
}

void adl_isotonic_merge(adl_isotonic_counts *into, adl_isotonic_counts *from) {
  int64_t count;
  adl_isotonic_point *points = copy_points(from, &count);
  if (*from->shift > *into->shift) drop_bits(into, *from->shift);
  for (int64_t i = 0; i < count; i++) {
    put(into, &points[i]);
    limit_points(into);
  }
}

adl_isotonic_point *adl_isotonic_points(const adl_isotonic_counts *counts, int64_t *count) {
  adl_isotonic_point *points = copy_points(counts, count);
  qsort(points, (size_t)*count, sizeof *points, compare_points);
  return points;
}

/* ---- pooling ---- */

int64_t adl_isotonic_pool(adl_isotonic_point *points, int64_t count) {
  int64_t top = 0;
  for (int64_t i = 0; i < count; i++) {
    adl_isotonic_point last = points[i];
    while (top > 0 && points[top - 1].positives / points[top - 1].weight >= last.positives / last.weight) {
      top--;
      last.low = points[top].low;
      last.weight += points[top].weight;
      last.positives += points[top].positives;
    }
    points[top++] = last;
  }
  return top;
}

double adl_isotonic_at(const double *knot, const double *value, int64_t count, double x) {
  if (x <= knot[0]) return value[0];
  if (x >= knot[count - 1]) return value[count - 1];
  int64_t low = 0, high = count - 1; /* knot[low] <= x < knot[high] */
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    if (knot[middle] <= x)
      low = middle;
    else
      high = middle;
  }
  double width = knot[high] - knot[low];
  double part = isfinite(width) ? (x - knot[low]) / width : (x / 2 - knot[low] / 2) / (knot[high] / 2 - knot[low] / 2);
  return value[low] + (value[high] - value[low]) * part;
}
