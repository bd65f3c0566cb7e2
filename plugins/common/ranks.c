/* Measures of one ranked list: see ranks.h. */
#include "common/ranks.h"

#include <math.h>
#include <stdlib.h>

static int falling(const void *a, const void *b) {
  const adl_ranked *left = a, *right = b;
  if (left->score != right->score) return left->score < right->score ? 1 : -1;
  return (left->gain < right->gain) - (left->gain > right->gain);
}

void adl_rank(adl_ranked *items, int64_t count) { qsort(items, (size_t)count, sizeof *items, falling); }

double adl_relevant(const adl_ranked *items, int64_t count) {
  int64_t relevant = 0;
  for (int64_t i = 0; i < count; i++) relevant += items[i].gain > 0;
  return (double)relevant;
}

/* Items that share a score: ranked[from .. to - 1]. */
typedef struct tie {
  int64_t from, to;
  double relevant, gain; /* how many, and the sum of their gains */
} tie;

static tie tie_at(const adl_ranked *ranked, int64_t count, int64_t from) {
  tie t = {.from = from, .to = from};
  for (; t.to < count && ranked[t.to].score == ranked[from].score; t.to++) {
    t.relevant += ranked[t.to].gain > 0;
    t.gain += ranked[t.to].gain;
  }
  return t;
}

static double size_of(const tie *t) { return (double)(t->to - t->from); }

double adl_hits_at(const adl_ranked *ranked, int64_t count, int64_t k) {
  double hits = 0;
  for (tie t = {0}; t.to < count && t.to < k;) {
    t = tie_at(ranked, count, t.to);
    double places = (double)((k < t.to ? k : t.to) - t.from);
    hits += places == size_of(&t) ? t.relevant : t.relevant * places / size_of(&t);
  }
  return hits;
}

double adl_dcg_at(const adl_ranked *ranked, int64_t count, int64_t k) {
  double sum = 0;
  for (tie t = {0}; t.to < count && t.to < k;) {
    t = tie_at(ranked, count, t.to);
    double discounts = 0;
    if (t.gain == 0) continue;
    for (int64_t i = t.from; i < t.to && i < k; i++) discounts += 1 / log2((double)(i + 2));
    sum += t.gain / size_of(&t) * discounts;
  }
  return sum;
}

/* At each place of a tie stands a relevant item with the same chance; given that, so many relevant ones are to be expected
 * before it within the tie. */
double adl_average_precision(const adl_ranked *ranked, int64_t count) {
  double sum = 0, before = 0;
  for (tie t = {0}; t.to < count;) {
    t = tie_at(ranked, count, t.to);
    double size = size_of(&t), each = size > 1 ? (t.relevant - 1) / (size - 1) : 0;
    for (int64_t i = t.from; t.relevant > 0 && i < t.to; i++)
      sum += t.relevant / size * (before + 1 + (double)(i - t.from) * each) / (double)(i + 1);
    before += t.relevant;
  }
  return before > 0 ? sum / before : 0;
}

/* In the first tie that has any: the chance that the first relevant item stands at a place is that of none before it,
 * times that of one there. */
double adl_reciprocal_rank(const adl_ranked *ranked, int64_t count) {
  tie t = {0};
  while (t.to < count && t.relevant == 0) t = tie_at(ranked, count, t.to);
  if (t.relevant == 0) return 0;
  double sum = 0, none = 1, left = size_of(&t);
  for (int64_t i = t.from; left >= t.relevant && none > 0; i++, left--) {
    sum += none * t.relevant / left / (double)(i + 1);
    none *= (left - t.relevant) / left;
  }
  return sum;
}
