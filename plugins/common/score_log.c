/* See score_log.h. The key of a pair is the score, as a whole number that rises with it; its value is two counts of 32 bits. */
#include "common/score_log.h"

#include <string.h>

enum { LONG = 1 << 17 };

#define SIGN (UINT64_C(1) << 63)
#define ONE_NEGATIVE UINT64_C(1)
#define ONE_POSITIVE (UINT64_C(1) << 32)

static uint64_t key_of(double score) {
  uint64_t bits;
  score += 0.0; /* -0 becomes 0: they are one score */
  memcpy(&bits, &score, sizeof bits);
  return bits ^ ((bits & SIGN) != 0 ? ~UINT64_C(0) : SIGN);
}

static double score_of(uint64_t key) {
  uint64_t bits = key ^ ((key & SIGN) != 0 ? SIGN : ~UINT64_C(0));
  double score;
  memcpy(&score, &bits, sizeof score);
  return score;
}

static uint64_t negatives_of(uint64_t value) { return value & UINT32_MAX; }
static uint64_t positives_of(uint64_t value) { return value >> 32; }

/* Sorts, and adds up what is alike, as far as a count holds it. Returns how many are left. */
static int64_t put_together(const adl_call *call, adl_radix_pair *pairs, int64_t count) {
  int64_t size[2] = {count, 2}, kept = 0;
  adl_tensors *scratch = call->host->scratch_tensors(call);
  adl_radix_sort(call, pairs, call->host->tensor(call, scratch, "room", ADL_INT64, 2, size), count);
  call->host->drop_tensor(call, scratch, "room");
  for (int64_t i = 0; i < count; i++) {
    adl_radix_pair *last = &pairs[kept - 1];
    bool alike = kept > 0 && last->key == pairs[i].key &&
                 negatives_of(last->value) + negatives_of(pairs[i].value) <= UINT32_MAX &&
                 positives_of(last->value) + positives_of(pairs[i].value) <= UINT32_MAX;
    if (alike)
      last->value += pairs[i].value;
    else
      pairs[kept++] = pairs[i];
  }
  return kept;
}

static adl_radix_pair *head_of(const adl_call *call, adl_tensors *tensors, const char *name, int64_t pairs) {
  adl_tensor tensor;
  int64_t size[2] = {1, 2};
  if (call->host->find_tensor(call, tensors, name, &tensor)) size[0] = tensor.size[0];
  if (size[0] < pairs + 1) size[0] = pairs + 1 + pairs / 4;
  return call->host->tensor(call, tensors, name, ADL_INT64, 2, size);
}

/* When the log has twice as many pairs as were left the last time, and is long, alike ones are put together: it stays in
 * proportion to the different scores, and each pair is sorted few times. */
adl_score_log adl_score_log_open(const adl_call *call, adl_tensors *tensors, const char *name, int64_t more) {
  adl_radix_pair *head = head_of(call, tensors, name, 0);
  if (head->key >= LONG && head->key / 2 >= head->value)
    head->key = head->value = (uint64_t)put_together(call, head + 1, (int64_t)head->key);
  return (adl_score_log){head_of(call, tensors, name, (int64_t)head->key + more)};
}

void adl_score_log_add(adl_score_log *log, double score, bool positive) {
  log->head[1 + log->head->key++] = (adl_radix_pair){key_of(score), positive ? ONE_POSITIVE : ONE_NEGATIVE};
}

void adl_score_log_merge(const adl_call *call, const char *name, adl_tensors *into, adl_tensors *from) {
  adl_tensor tensor;
  if (!call->host->find_tensor(call, from, name, &tensor)) return;
  const adl_radix_pair *of = tensor.data;
  adl_radix_pair *to = adl_score_log_open(call, into, name, (int64_t)of->key).head;
  memcpy(to + 1 + to->key, of + 1, of->key * sizeof *of);
  to->key += of->key;
  call->host->drop_tensor(call, from, name);
}

int64_t adl_score_log_counts(const adl_call *call, adl_tensors *tensors, const char *name, adl_score_count **counts) {
  adl_tensor tensor;
  *counts = NULL;
  if (!call->host->find_tensor(call, tensors, name, &tensor)) return 0;
  adl_radix_pair *pairs = (adl_radix_pair *)tensor.data + 1;
  int64_t count = put_together(call, pairs, (int64_t)pairs[-1].key);
  adl_score_count *made = call->host->alloc(call, ((size_t)count + 1) * sizeof *made);
  for (int64_t i = 0; i < count; i++)
    made[i] = (adl_score_count){score_of(pairs[i].key), (double)negatives_of(pairs[i].value),
                                (double)positives_of(pairs[i].value)};
  call->host->drop_tensor(call, tensors, name);
  *counts = made;
  return count;
}
