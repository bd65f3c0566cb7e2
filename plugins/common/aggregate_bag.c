/* Bags as logs, see aggregate_bag.h. A pair's key is the number of the group, then that of the token in the table
 * `tokens.N`, 32 bits each; its value is the weight. Row 0 of the tensor `bag.N` is no pair: how many there are, and how
 * many there were when alike ones were put together last. */
#include "common/aggregate_bag.h"

#include <stdio.h>
#include <string.h>

#include "common/category.h"
#include "common/key.h"
#include "common/key_order.h"

enum { LONG = 2 << 20, CHUNK = 65536 };

static adl_table *tokens_of(const adl_call *call, const adl_aggregate *a, adl_tensors *tensors) {
  char name[32];
  snprintf(name, sizeof name, "tokens.%lld", (long long)a->number);
  return call->host->table(call, tensors, name, 0);
}

/* Row 0, with room for that many pairs behind it at least. */
static adl_radix_pair *log_of(const adl_call *call, const adl_aggregate *a, adl_tensors *tensors, int64_t pairs) {
  char name[32];
  adl_tensor tensor;
  int64_t size[2] = {1, 2};
  snprintf(name, sizeof name, "bag.%lld", (long long)a->number);
  if (call->host->find_tensor(call, tensors, name, &tensor)) size[0] = tensor.size[0];
  if (size[0] < pairs + 1) size[0] = pairs + 1 + pairs / 4;
  return call->host->tensor(call, tensors, name, ADL_INT64, 2, size);
}

static adl_radix_pair *scratch_pairs(const adl_call *call, int64_t count) {
  int64_t size[2] = {count + 1, 2};
  return call->host->tensor(call, call->host->scratch_tensors(call), "pairs", ADL_INT64, 2, size);
}

static double weight_of(const adl_radix_pair *pair) {
  double weight;
  memcpy(&weight, &pair->value, sizeof weight);
  return weight;
}

/* Sorts, and adds up the weights of pairs that are alike, in the order in which they came. Returns how many are left. */
static int64_t put_together(const adl_call *call, adl_radix_pair *pairs, adl_radix_pair *room, int64_t count) {
  int64_t kept = 0;
  adl_radix_sort(call, pairs, room, count);
  for (int64_t i = 0, end; i < count; i = end) {
    double sum = 0;
    if ((i & 0xffff) == 0) call->host->cancelled(call);
    for (end = i; end < count && pairs[end].key == pairs[i].key; end++) sum += weight_of(&pairs[end]);
    pairs[kept].key = pairs[i].key;
    memcpy(&pairs[kept++].value, &sum, sizeof sum);
  }
  return kept;
}

/* The log with room for that many more pairs. When it has four times as many as were left the last time, and is long, alike
 * ones are put together: it stays in proportion to what is in the bags, and each pair is sorted few times. */
static adl_radix_pair *make_room(const adl_call *call, const adl_aggregate *a, adl_tensors *tensors, int64_t more) {
  adl_radix_pair *log = log_of(call, a, tensors, 0);
  if (log->key >= LONG && log->key / 4 >= log->value)
    log->key = log->value =
        (uint64_t)put_together(call, log + 1, scratch_pairs(call, (int64_t)log->key), (int64_t)log->key);
  return log_of(call, a, tensors, (int64_t)log->key + more);
}

static void append(adl_radix_pair *log, int64_t group, int64_t token, double weight) {
  adl_radix_pair *pair = &log[1 + log->key++];
  pair->key = (uint64_t)group << 32 | (uint64_t)token;
  memcpy(&pair->value, &weight, sizeof weight);
}

static adl_status check_numbers(const adl_call *call, const adl_aggregate *a, int64_t groups, const adl_table *tokens) {
  char parameter[256];
  if (groups <= UINT32_MAX && call->host->table_count(tokens) <= UINT32_MAX) return ADL_OK;
  snprintf(parameter, sizeof parameter, "columns.%s", a->of->name);
  return call->host->fail(call, parameter, -1, "group by fewer keys, or cut rare tokens before",
                          "bags are of at most 4294967295 groups and different tokens");
}

void adl_aggregate_bag_init(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors) {
  tokens_of(call, aggregate, tensors);
  log_of(call, aggregate, tensors, 0);
}

adl_status adl_aggregate_bag_step(const adl_call *call, const adl_aggregate *aggregate, const adl_batch *batch,
                                  const int64_t *group, int64_t groups, adl_tensors *partial) {
  const adl_call_of *of = aggregate->of;
  const adl_column *tokens = batch->slots[of->arguments[0].slot];
  const adl_column *weights = of->argument_count > 1 ? batch->slots[of->arguments[1].slot] : NULL;
  adl_table *table = tokens_of(call, aggregate, partial);
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_keys keys;
  int64_t from, to, at = 0;
  adl_keys_begin(&keys, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (weights != NULL && adl_is_null(weights, row)) continue;
    adl_items_of(tokens, row, &from, &to);
    for (int64_t item = from; item < to; item++) {
      adl_key_add_text(&keys.key, adl_category_text(tokens, item, buffer), true);
      adl_keys_end(&keys);
    }
  }
  const int64_t *numbers = adl_keys_insert(&keys, table);
  adl_radix_pair *log = make_room(call, aggregate, partial, keys.count);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (weights != NULL && adl_is_null(weights, row)) continue;
    double weight = weights != NULL ? adl_number_at(weights, row) : 1;
    adl_items_of(tokens, row, &from, &to);
    for (int64_t item = from; item < to; item++)
      append(log, group[row], numbers[at++], weight * (tokens->weights != NULL ? (double)tokens->weights[item] : 1));
  }
  return check_numbers(call, aggregate, groups, table);
}

/* Numbers of the tokens of `of` in `to`. */
static int64_t *map_tokens(const adl_call *call, adl_table *to, const adl_table *of) {
  const adl_host *host = call->host;
  int64_t count = host->table_count(of), *map = host->alloc(call, ((size_t)count + 1) * sizeof *map);
  adl_keys keys;
  adl_keys_begin(&keys, call, count < CHUNK ? count : CHUNK);
  for (int64_t first = 0; first < count; first += CHUNK) {
    int64_t end = count - first < CHUNK ? count : first + CHUNK;
    adl_keys_empty(&keys);
    for (int64_t i = first; i < end; i++) {
      adl_key_add_text(&keys.key, host->table_key(of, i), true);
      adl_keys_end(&keys);
    }
    host->table_insert_all(to, keys.count, keys.key.data, keys.offsets, map + first);
  }
  return map;
}

adl_status adl_aggregate_bag_merge(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *into,
                                   int64_t groups, adl_tensors *from, const int64_t *map) {
  adl_table *tokens = tokens_of(call, aggregate, into);
  const int64_t *token = map_tokens(call, tokens, tokens_of(call, aggregate, from));
  const adl_radix_pair *of = log_of(call, aggregate, from, 0);
  adl_radix_pair *log = make_room(call, aggregate, into, (int64_t)of->key);
  for (const adl_radix_pair *pair = of + 1; pair <= of + of->key; pair++) {
    if (((pair - of) & 0xffff) == 0) call->host->cancelled(call);
    append(log, map[pair->key >> 32], token[pair->key & UINT32_MAX], weight_of(pair));
  }
  return check_numbers(call, aggregate, groups, tokens);
}

/* The pairs anew, with the place of the group and the rank of the token for their numbers, packed close, so that few digits
 * are to be sorted; the numbers of the tokens return behind that. */
void adl_aggregate_bag_finish(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors,
                              const int64_t *order, int64_t count, adl_aggregate_result *result) {
  const adl_host *host = call->host;
  const adl_table *tokens = tokens_of(call, aggregate, tensors);
  const adl_radix_pair *log = log_of(call, aggregate, tensors, 0);
  int64_t token_count = host->table_count(tokens), total = (int64_t)log->key, bits = 0;
  const int64_t *by_bytes = adl_keys_order(call, tokens, token_count);
  int64_t *rank = host->alloc(call, ((size_t)token_count + 1) * sizeof *rank);
  int64_t *place = host->alloc(call, ((size_t)count + 1) * sizeof *place);
  int64_t *starts = host->alloc(call, ((size_t)count + 1) * sizeof *starts);
  adl_radix_pair *pairs = scratch_pairs(call, total), *room = scratch_pairs(call, total);
  while (token_count >> bits > 0) bits++;
  for (int64_t i = 0; i < token_count; i++) rank[by_bytes[i]] = i;
  for (int64_t i = 0; i < count; i++) place[order[i]] = i;
  for (int64_t i = 0; i < total; i++) {
    uint64_t key = log[i + 1].key;
    if ((i & 0xffff) == 0) host->cancelled(call);
    pairs[i].key = (uint64_t)place[key >> 32] << bits | (uint64_t)rank[key & UINT32_MAX];
    pairs[i].value = log[i + 1].value;
  }
  total = put_together(call, pairs, room, total);
  for (int64_t group = 0, at = 0; group <= count; group++) {
    while (at < total && (int64_t)(pairs[at].key >> bits) < group) at++;
    starts[group] = at;
  }
  for (int64_t i = 0; i < total; i++) {
    if ((i & 0xffff) == 0) host->cancelled(call);
    pairs[i].key = (uint64_t)by_bytes[pairs[i].key & ((UINT64_C(1) << bits) - 1)];
  }
  result->bags = pairs;
  result->bag_starts = starts;
}

adl_status adl_aggregate_bag_write(const adl_call *call, const adl_aggregate_result *result, int64_t first,
                                   int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  const adl_table *tokens = tokens_of(call, result->aggregate, result->tensors);
  adl_buffers to;
  int64_t begin = result->bag_starts[first], end = result->bag_starts[first + rows], bytes = 0;
  for (int64_t i = begin; i < end; i++) bytes += host->table_key(tokens, (int64_t)result->bags[i].key).size;
  ADL_TRY(host->reserve(call, out, result->aggregate->slot, rows, end - begin, bytes, &to));
  for (int64_t row = 0; row < rows; row++) to.offsets[row + 1] = (int32_t)(result->bag_starts[first + row + 1] - begin);
  for (int64_t i = 0; i < end - begin; i++) {
    adl_text token = host->table_key(tokens, (int64_t)result->bags[begin + i].key);
    if (token.size > 0) memcpy((char *)to.data + to.string_offsets[i], token.data, (size_t)token.size);
    to.string_offsets[i + 1] = to.string_offsets[i] + token.size;
    to.weights[i] = (float)weight_of(&result->bags[begin + i]);
  }
  return ADL_OK;
}
