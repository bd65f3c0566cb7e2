/* A sketch of quantiles, see quantiles.h. */
#include "common/quantiles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct pair {
  double value, weight;
} pair;

static int compare(const void *left, const void *right) {
  double a = ((const pair *)left)->value, b = ((const pair *)right)->value;
  return (a > b) - (a < b);
}

/* Sorts the pairs that were added since; those before them are sorted already. */
static void sort_pairs(pair *pairs, int64_t sorted, int64_t used) {
  pair tail[ADL_QUANTILES_ROOM];
  int64_t left = sorted, right = used - sorted, at = used;
  qsort(pairs + sorted, (size_t)right, sizeof *pairs, compare);
  memcpy(tail, pairs + sorted, (size_t)right * sizeof *pairs);
  while (right > 0)
    pairs[--at] = left > 0 && pairs[left - 1].value > tail[right - 1].value ? pairs[--left] : tail[--right];
}

/* Puts neighbours together while they weigh no more than `most`, or are equal; the smallest value stays by itself. */
static int64_t join(pair *pairs, int64_t used, double most) {
  int64_t kept = 0;
  for (int64_t i = 0; i < used; i++) {
    pair *last = &pairs[kept - 1];
    bool equal = kept > 0 && last->value == pairs[i].value;
    if (equal || (kept > 1 && last->weight + pairs[i].weight <= most))
      *last = (pair){pairs[i].value, last->weight + pairs[i].weight};
    else
      pairs[kept++] = pairs[i];
  }
  return kept;
}

static void settle(double *sketch) {
  pair *pairs = (pair *)(void *)(sketch + ADL_QUANTILES_PAIRS);
  int64_t used = (int64_t)sketch[ADL_QUANTILES_USED];
  sort_pairs(pairs, (int64_t)sketch[ADL_QUANTILES_SORTED], used);
  used = join(pairs, used, 0);
  /* two neighbours that are left weigh more than `most`, so there are less than three quarters of KEPT */
  if (used > ADL_QUANTILES_KEPT) used = join(pairs, used, sketch[ADL_QUANTILES_SEEN] / (0.375 * ADL_QUANTILES_KEPT));
  sketch[ADL_QUANTILES_USED] = sketch[ADL_QUANTILES_SORTED] = (double)used;
}

void adl_quantiles_add(double *sketch, double value, double weight) {
  if (sketch[ADL_QUANTILES_USED] == ADL_QUANTILES_ROOM) settle(sketch);
  int64_t at = (int64_t)sketch[ADL_QUANTILES_USED]++;
  sketch[ADL_QUANTILES_PAIRS + 2 * at] = value + 0.0; /* no negative zero */
  sketch[ADL_QUANTILES_PAIRS + 2 * at + 1] = weight;
  sketch[ADL_QUANTILES_SEEN] += weight;
}

void adl_quantiles_merge(double *into, const double *from) {
  for (int64_t i = 0; i < (int64_t)from[ADL_QUANTILES_USED]; i++)
    adl_quantiles_add(into, from[ADL_QUANTILES_PAIRS + 2 * i], from[ADL_QUANTILES_PAIRS + 2 * i + 1]);
}

void adl_quantiles_table(double *sketch, int64_t count, double *quantile) {
  settle(sketch);
  const pair *pairs = (const pair *)(const void *)(sketch + ADL_QUANTILES_PAIRS);
  int64_t used = (int64_t)sketch[ADL_QUANTILES_USED], at = 0;
  double below = 0, last = sketch[ADL_QUANTILES_SEEN] - 1; /* ranks: 0 to last */
  for (int64_t i = 0; i < count; i++) {
    double rank = last * ((double)i / (double)(count - 1)), whole = floor(rank);
    while (at + 1 < used && below + pairs[at].weight <= whole) below += pairs[at++].weight;
    double low = pairs[at].value;
    double high = below + pairs[at].weight <= whole + 1 && at + 1 < used ? pairs[at + 1].value : low;
    double step = rank - whole;
    quantile[i] = step == 0 || low == high ? low : low * (1 - step) + high * step;
  }
}
