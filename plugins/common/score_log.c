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

/* Behind the head: so many pairs in order, no two of them alike, and then those that came since. */
static uint64_t *count_of(adl_radix_pair *head) { return &head->key; }
static uint64_t *ordered_of(adl_radix_pair *head) { return &head->value; }

/* Takes in `more` if it is of the same score and the sums fit. */
static bool take_in(adl_radix_pair *into, adl_radix_pair more) {
  bool alike = into->key == more.key && negatives_of(into->value) + negatives_of(more.value) <= UINT32_MAX &&
               positives_of(into->value) + positives_of(more.value) <= UINT32_MAX;
  if (alike) into->value += more.value;
  return alike;
}

/* Adds up what is alike in pairs that are in order. Returns how many are left. */
static int64_t put_together(adl_radix_pair *pairs, int64_t count) {
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++)
    if (kept == 0 || !take_in(&pairs[kept - 1], pairs[i])) pairs[kept++] = pairs[i];
  return kept;
}

/* Merges two runs that are in order, the second of which lies elsewhere, to where the first is and behind it. */
static void merge(const adl_call *call, adl_radix_pair *pairs, int64_t count, const adl_radix_pair *more,
                  int64_t more_count) {
  int64_t at = count + more_count;
  while (more_count > 0) {
    if ((at & 0xffff) == 0) call->host->cancelled(call); /* which may put what lies behind out of memory */
    bool first = count > 0 && pairs[count - 1].key > more[more_count - 1].key;
    pairs[--at] = first ? pairs[--count] : more[--more_count];
  }
}

/* All of it in order: what has come since is sorted alone and merged into the rest, so each pair is sorted once. */
static void bring_into_order(const adl_call *call, adl_radix_pair *head) {
  const adl_host *host = call->host;
  adl_radix_pair *pairs = head + 1;
  int64_t ordered = (int64_t)*ordered_of(head), came = (int64_t)*count_of(head) - ordered, size[2] = {came, 2};
  if (came == 0) return;
  adl_tensors *scratch = host->scratch_tensors(call);
  adl_radix_pair *room = host->tensor(call, scratch, "room", ADL_INT64, 2, size);
  adl_radix_sort(call, pairs + ordered, room, came);
  came = put_together(pairs + ordered, came);
  memcpy(room, pairs + ordered, (size_t)came * sizeof *room);
  merge(call, pairs, ordered, room, came);
  host->drop_tensor(call, scratch, "room");
  *count_of(head) = *ordered_of(head) = (uint64_t)put_together(pairs, ordered + came);
}

static adl_radix_pair *head_of(const adl_call *call, adl_tensors *tensors, const char *name, int64_t pairs) {
  adl_tensor tensor;
  int64_t size[2] = {1, 2};
  if (call->host->find_tensor(call, tensors, name, &tensor)) size[0] = tensor.size[0];
  if (size[0] < pairs + 1) size[0] = pairs + 1 + pairs / 4;
  return call->host->tensor(call, tensors, name, ADL_INT64, 2, size);
}

/* When as many pairs have come as were left the last time, and are many, all are put in order: the log stays in proportion to
 * the different scores. */
adl_score_log adl_score_log_open(const adl_call *call, adl_tensors *tensors, const char *name, int64_t more) {
  adl_radix_pair *head = head_of(call, tensors, name, 0);
  if (*count_of(head) >= LONG && *count_of(head) / 2 >= *ordered_of(head)) bring_into_order(call, head);
  return (adl_score_log){head_of(call, tensors, name, (int64_t)*count_of(head) + more)};
}

void adl_score_log_add(adl_score_log *log, double score, bool positive) {
  log->head[1 + log->head->key++] = (adl_radix_pair){key_of(score), positive ? ONE_POSITIVE : ONE_NEGATIVE};
}

void adl_score_log_merge(const adl_call *call, const char *name, adl_tensors *into, adl_tensors *from) {
  adl_tensor tensor;
  if (!call->host->find_tensor(call, from, name, &tensor)) return;
  adl_radix_pair *of = (adl_radix_pair *)tensor.data, *to = head_of(call, into, name, 0);
  bring_into_order(call, of);
  bring_into_order(call, to);
  int64_t count = (int64_t)*count_of(to), more = (int64_t)*count_of(of);
  to = head_of(call, into, name, count + more);
  merge(call, to + 1, count, of + 1, more);
  *count_of(to) = *ordered_of(to) = (uint64_t)put_together(to + 1, count + more);
  call->host->drop_tensor(call, from, name);
}

int64_t adl_score_log_counts(const adl_call *call, adl_tensors *tensors, const char *name, adl_score_count **counts) {
  adl_tensor tensor;
  *counts = NULL;
  if (!call->host->find_tensor(call, tensors, name, &tensor)) return 0;
  adl_radix_pair *head = (adl_radix_pair *)tensor.data, *pairs = head + 1;
  bring_into_order(call, head);
  int64_t count = (int64_t)*count_of(head);
  adl_score_count *made = call->host->alloc(call, ((size_t)count + 1) * sizeof *made);
  for (int64_t i = 0; i < count; i++)
    made[i] = (adl_score_count){score_of(pairs[i].key), (double)negatives_of(pairs[i].value),
                                (double)positives_of(pairs[i].value)};
  call->host->drop_tensor(call, tensors, name);
  *counts = made;
  return count;
}
