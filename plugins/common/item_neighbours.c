/* Neighbours of items; see item_neighbours.h. */
#include "common/item_neighbours.h"

#include <math.h>
#include <string.h>

/* Items that a worker takes at a time. */
enum { BLOCK_ITEMS = 32 };
/* Least weight, so that the product of two is not 0 in float32: a sum of 0 says that an item was not met. */
#define LEAST 1e-15

/* ---- weights ---- */

/* In how many items each user is. */
static int64_t *count_users(const adl_call *call, const adl_csr *by_item, int64_t users) {
  int64_t *count = call->host->alloc(call, (size_t)(users + 1) * sizeof *count);
  memset(count, 0, (size_t)(users + 1) * sizeof *count);
  for (int64_t i = 0; i < by_item->starts[by_item->rows]; i++) count[by_item->index[i]]++;
  return count;
}

static double weight_of(adl_item_similarity similarity, double r, double items, double in, double k1, double damping) {
  switch (similarity) {
    case ADL_ITEM_TFIDF: return sqrt(r) * (log((1 + items) / (1 + in)) + 1);
    case ADL_ITEM_BM25: return log(1 + (items - in + .5) / (in + .5)) * (k1 + 1) / (1 + damping / r);
    default: return r;
  }
}

void adl_item_weigh(const adl_call *call, adl_csr *by_item, int64_t users, adl_item_similarity similarity, double k1,
                    double b) {
  const int64_t *in = count_users(call, by_item, users), entries = by_item->starts[by_item->rows];
  double items = (double)by_item->rows, all = 0;
  double *weight = call->host->alloc(call, (size_t)(users + 1) * sizeof *weight);
  for (int64_t i = 0; i < entries; i++) all += (double)by_item->value[i];
  for (int64_t item = 0; item < by_item->rows; item++) {
    int64_t from = by_item->starts[item], end = by_item->starts[item + 1];
    double length = 0, squares = 0;
    for (int64_t i = from; i < end; i++) length += (double)by_item->value[i];
    double damping = k1 * (1 - b + b * length * items / all);
    for (int64_t i = from; i < end; i++) {
      double value =
          weight_of(similarity, (double)by_item->value[i], items, (double)in[by_item->index[i]], k1, damping);
      weight[i - from] = value;
      squares += value * value;
    }
    double scale = similarity == ADL_ITEM_BM25 ? 1 : 1 / sqrt(squares);
    for (int64_t i = from; i < end; i++) by_item->value[i] = (float)fmax(weight[i - from] * scale, LEAST);
  }
}

/* ---- neighbours ---- */

typedef struct work {
  const adl_csr *by_item, *by_user;
  int64_t most;
  int32_t *index;
  float *similarity;
} work;

/* Nearest first in index[0 .. *count - 1]. */
static void offer(int32_t item, float value, int64_t most, int64_t *count, int32_t *index, float *similarity) {
  int64_t place;
  if (*count == most && (value < similarity[most - 1] || (value == similarity[most - 1] && item > index[most - 1])))
    return;
  place = *count < most ? (*count)++ : most - 1;
  for (; place > 0 && (value > similarity[place - 1] || (value == similarity[place - 1] && item < index[place - 1]));
       place--) {
    similarity[place] = similarity[place - 1];
    index[place] = index[place - 1];
  }
  similarity[place] = value;
  index[place] = item;
}

/* `sums`: as many as there are items, zero before and after; `seen`: room for one more. */
static void find_neighbours(const work *w, int64_t item, float *sums, int32_t *seen) {
  const adl_csr *by_item = w->by_item, *by_user = w->by_user;
  int32_t *index = w->index + item * w->most;
  float *similarity = w->similarity + item * w->most;
  int64_t count = 0, found = 0;
  for (int64_t i = by_item->starts[item]; i < by_item->starts[item + 1]; i++) {
    float weight = by_item->value[i];
    int64_t user = by_item->index[i];
    for (int64_t k = by_user->starts[user]; k < by_user->starts[user + 1]; k++) {
      int32_t other = by_user->index[k];
      float before = sums[other];
      /* Written in any case, kept where it is new. */
      seen[found] = other;
      found += before == 0;
      sums[other] = before + weight * by_user->value[k];
    }
  }
  for (int64_t i = 0; i < found; i++) {
    if (seen[i] != item) offer(seen[i], sums[seen[i]], w->most, &count, index, similarity);
    sums[seen[i]] = 0;
  }
  for (; count < w->most; count++) {
    index[count] = -1;
    similarity[count] = 0;
  }
}

static adl_status find_block(const adl_call *call, void *context, int64_t block) {
  const work *w = context;
  int64_t items = w->by_item->rows, first = block * BLOCK_ITEMS;
  int64_t end = first + BLOCK_ITEMS < items ? first + BLOCK_ITEMS : items;
  float *sums = call->host->alloc(call, (size_t)items * sizeof *sums);
  int32_t *seen = call->host->alloc(call, (size_t)(items + 1) * sizeof *seen);
  memset(sums, 0, (size_t)items * sizeof *sums);
  for (int64_t item = first; item < end; item++) {
    if (call->host->cancelled(call)) return ADL_FAILED;
    find_neighbours(w, item, sums, seen);
  }
  return ADL_OK;
}

adl_status adl_item_neighbours(const adl_call *call, const adl_csr *by_item, const adl_csr *by_user, int64_t most,
                               int32_t *index, float *similarity) {
  work w = {by_item, by_user, most, index, similarity};
  return call->host->parallel(call, (by_item->rows + BLOCK_ITEMS - 1) / BLOCK_ITEMS, find_block, &w);
}
