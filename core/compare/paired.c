#include "core/compare/compare.h"

#include <math.h>
#include <string.h>

adl_paired_measure adl_paired_of(const char *measure) {
  return strcmp(measure, "logloss") == 0 ? ADL_PAIRED_LOGLOSS
         : strcmp(measure, "brier") == 0 ? ADL_PAIRED_BRIER
         : strcmp(measure, "auc") == 0   ? ADL_PAIRED_AUC
                                         : ADL_PAIRED_NONE;
}

/* Rows that both have, side by side. */
typedef struct pairs {
  int64_t count;
  double *label, *weight, *a, *b;
} pairs;

static pairs match(const GArray *a, const GArray *b) {
  gsize most = MIN(a->len, b->len);
  double *room = g_new(double, 4 * most + 1);
  pairs p = {0, room, room + most, room + 2 * most, room + 3 * most};
  for (guint i = 0, k = 0; i < a->len && k < b->len;) {
    const adl_scored *x = &g_array_index(a, adl_scored, i), *y = &g_array_index(b, adl_scored, k);
    if (x->tag == y->tag) {
      p.label[p.count] = x->label;
      p.weight[p.count] = x->weight;
      p.a[p.count] = x->score;
      p.b[p.count++] = y->score;
    }
    i += x->tag <= y->tag;
    k += y->tag <= x->tag;
  }
  return p;
}

/* ---- mean losses: the differences of the rows, and their weighted mean ---- */

static double loss_of(adl_paired_measure measure, double label, double score) {
  if (measure == ADL_PAIRED_BRIER) return (score - label) * (score - label);
  double p = fmin(fmax(score, 1e-15), 1 - 1e-15); /* as the evaluator clips */
  return -log(label == 1 ? p : 1 - p);
}

static adl_difference of_losses(adl_paired_measure measure, const pairs *p) {
  adl_difference d = {NAN, NAN, p->count};
  double weight = 0, sum = 0, squares = 0;
  for (int64_t i = 0; i < p->count; i++) {
    bool shares = p->a[i] >= 0 && p->a[i] <= 1 && p->b[i] >= 0 && p->b[i] <= 1;
    if (!shares) return d; /* scores that are no probabilities have no such loss */
    weight += p->weight[i];
    sum += p->weight[i] * (loss_of(measure, p->label[i], p->b[i]) - loss_of(measure, p->label[i], p->a[i]));
  }
  if (p->count < 2) return d;
  d.value = sum / weight;
  for (int64_t i = 0; i < p->count; i++) {
    double off = loss_of(measure, p->label[i], p->b[i]) - loss_of(measure, p->label[i], p->a[i]) - d.value;
    squares += p->weight[i] * p->weight[i] * off * off;
  }
  d.variance = squares / (weight * weight) * (double)p->count / (double)(p->count - 1);
  return d;
}

/* ---- AUC: DeLong, DeLong & Clarke-Pearson 1988, by ranks (Sun & Xu 2014) ---- */

typedef struct ranked {
  double score;
  int64_t row;
} ranked;

static int by_score(const void *a, const void *b) {
  double x = ((const ranked *)a)->score, y = ((const ranked *)b)->score;
  return x < y ? -1 : x > y;
}

/* Ranks from 1 among rows of that label (all: -1); of equal ones their mean. */
static void midranks(const pairs *p, const double *scores, int label, double *rank) {
  ranked *order = g_new(ranked, (gsize)p->count + 1);
  int64_t count = 0;
  for (int64_t i = 0; i < p->count; i++)
    if (label < 0 || p->label[i] == label) order[count++] = (ranked){scores[i], i};
  qsort(order, (size_t)count, sizeof *order, by_score);
  for (int64_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && order[end].score == order[i].score;) end++;
    for (int64_t k = i; k < end; k++) rank[order[k].row] = (double)(i + end + 1) / 2;
  }
  g_free(order);
}

/* What each row says of the AUC: of a positive, the share of negatives below it; of a negative, of positives above it. */
static double placements(const pairs *p, const double *scores, int64_t positives, double *placement) {
  int64_t negatives = p->count - positives;
  double *all = g_new(double, 2 * (gsize)p->count + 1), *own = all + p->count, sum = 0;
  midranks(p, scores, -1, all);
  midranks(p, scores, 0, own);
  midranks(p, scores, 1, own);
  for (int64_t i = 0; i < p->count; i++) {
    double others = all[i] - own[i];
    placement[i] = p->label[i] == 1 ? others / (double)negatives : 1 - others / (double)positives;
    if (p->label[i] == 1) sum += placement[i];
  }
  g_free(all);
  return sum / (double)positives;
}

static adl_difference of_auc(const pairs *p) {
  adl_difference d = {NAN, NAN, p->count};
  int64_t positives = 0;
  for (int64_t i = 0; i < p->count; i++) {
    positives += p->label[i] == 1;
    if (p->weight[i] != 1) return d; /* not worked out for weights */
  }
  int64_t negatives = p->count - positives;
  if (positives < 2 || negatives < 2) return d;
  double *x = g_new(double, 2 * (gsize)p->count), *y = x + p->count, squares[2] = {0, 0};
  double auc_a = placements(p, p->a, positives, x), auc_b = placements(p, p->b, positives, y);
  d.value = auc_b - auc_a;
  for (int64_t i = 0; i < p->count; i++) {
    double off = y[i] - x[i] - d.value;
    squares[p->label[i] == 1] += off * off;
  }
  d.variance = squares[1] / (double)(positives - 1) / (double)positives +
               squares[0] / (double)(negatives - 1) / (double)negatives;
  g_free(x);
  return d;
}

adl_difference adl_paired(adl_paired_measure measure, const GArray *a, const GArray *b) {
  adl_difference d = {NAN, NAN, 0};
  if (measure == ADL_PAIRED_NONE) return d;
  pairs p = match(a, b);
  d = measure == ADL_PAIRED_AUC ? of_auc(&p) : of_losses(measure, &p);
  g_free(p.label);
  return d;
}
