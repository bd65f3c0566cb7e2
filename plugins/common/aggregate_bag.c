/* Bags as logs, see aggregate_bag.h. A pair's key is the number of the group, then that of the token in the table
 * `tokens.N`, 32 bits each; its value is the weight. Row 0 of the tensor `bag.N` is no pair: how many there are, and how
 * many there were when alike ones were put together last. */
#include "common/aggregate_bag.h"

#include <stdio.h>
#include <string.h>

#include "common/category.h"
#include "common/key.h"
#include "common/key_order.h"

/* Pairs of a log that is long: of all groups, and of a part of them. */
enum { LONG = 2 << 20, LONG_PART = LONG / 32, CHUNK = 65536 };

static adl_table *tokens_of(const adl_call *call, const adl_aggregate *a, adl_tensors *tensors) {
  char name[32];
  snprintf(name, sizeof name, "tokens.%lld", (long long)a->number);
  return call->host->table(call, tensors, name, 0);
}

static const char *log_name(const adl_aggregate *a, const adl_aggregate_state *state, char name[40]) {
  snprintf(name, 40, "bag.%lld", (long long)adl_aggregate_number(a, state));
  return name;
}

/* Row 0, with room for that many pairs behind it at least. */
static adl_radix_pair *log_of(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *state,
                              int64_t pairs) {
  char name[40];
  adl_tensor tensor;
  int64_t size[2] = {1, 2};
  log_name(a, state, name);
  if (call->host->find_tensor(call, state->tensors, name, &tensor)) size[0] = tensor.size[0];
  if (size[0] < pairs + 1) size[0] = pairs + 1 + pairs / 4;
  return call->host->tensor(call, state->tensors, name, ADL_INT64, 2, size);
}

static adl_radix_pair *pairs_in(const adl_call *call, adl_tensors *tensors, const char *name, int64_t count) {
  int64_t size[2] = {count + 1, 2};
  return call->host->tensor(call, tensors, name, ADL_INT64, 2, size);
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
static adl_radix_pair *make_room(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *state,
                                 int64_t more) {
  adl_radix_pair *log = log_of(call, a, state, 0);
  if (log->key >= (state->part > 0 ? LONG_PART : LONG) && log->key / 4 >= log->value) {
    adl_radix_pair *room = pairs_in(call, state->tensors, "room", (int64_t)log->key);
    log->key = log->value = (uint64_t)put_together(call, log + 1, room, (int64_t)log->key);
    call->host->drop_tensor(call, state->tensors, "room");
  }
  return log_of(call, a, state, (int64_t)log->key + more);
}

static void append(adl_radix_pair *log, int64_t group, int64_t token, double weight) {
  adl_radix_pair *pair = &log[1 + log->key++];
  pair->key = (uint64_t)group << 32 | (uint64_t)token;
  memcpy(&pair->value, &weight, sizeof weight);
}

static adl_status check_numbers(const adl_call *call, const adl_aggregate *a, const adl_aggregate_state *state) {
  char parameter[256];
  const adl_host *host = call->host;
  if (host->table_count(state->groups) <= UINT32_MAX &&
      host->table_count(tokens_of(call, a, state->tensors)) <= UINT32_MAX)
    return ADL_OK;
  snprintf(parameter, sizeof parameter, "columns.%s", a->of->name);
  return host->fail(call, parameter, -1, "group by fewer keys, or cut rare tokens before",
                    "bags are of at most 4294967295 groups and different tokens");
}

void adl_aggregate_bag_init(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state) {
  tokens_of(call, aggregate, state->tensors);
  log_of(call, aggregate, state, 0);
}

void adl_aggregate_bag_drop(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *state) {
  char name[40];
  call->host->drop_tensor(call, state->tensors, log_name(aggregate, state, name));
}

static const adl_column *weights_of(const adl_call_of *of, const adl_batch *batch) {
  return of->argument_count > 1 ? batch->slots[of->arguments[1].slot] : NULL;
}

/* Numbers of the tokens of a batch, those of rows without a weight left out. */
static const int64_t *number_tokens(const adl_call *call, const adl_aggregate *a, const adl_aggregate_rows *rows,
                                    adl_table *table) {
  const adl_column *tokens = rows->batch->slots[a->of->arguments[0].slot], *weights = weights_of(a->of, rows->batch);
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  int64_t from, to;
  (void)call;
  adl_keys_empty(rows->keys);
  for (int64_t row = 0; row < rows->batch->rows; row++) {
    if (weights != NULL && adl_is_null(weights, row)) continue;
    adl_items_of(tokens, row, &from, &to);
    for (int64_t item = from; item < to; item++) {
      adl_key_add_text(&rows->keys->key, adl_category_text(tokens, item, buffer), true);
      adl_keys_end(rows->keys);
    }
  }
  return adl_keys_insert(rows->keys, table);
}

adl_status adl_aggregate_bag_step(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_rows *rows,
                                  const adl_aggregate_state *state) {
  const adl_column *tokens = rows->batch->slots[aggregate->of->arguments[0].slot];
  const adl_column *weights = weights_of(aggregate->of, rows->batch);
  const int64_t *numbers = number_tokens(call, aggregate, rows, tokens_of(call, aggregate, state->tensors));
  adl_radix_pair *log = make_room(call, aggregate, state, rows->keys->count);
  int64_t from, to, at = 0;
  for (int64_t row = 0; row < rows->batch->rows; row++) {
    if (weights != NULL && adl_is_null(weights, row)) continue;
    double weight = weights != NULL ? adl_number_at(weights, row) : 1;
    adl_items_of(tokens, row, &from, &to);
    for (int64_t item = from; item < to; item++)
      append(log, rows->group[row], numbers[at++],
             weight * (tokens->weights != NULL ? (double)tokens->weights[item] : 1));
  }
  return check_numbers(call, aggregate, state);
}

/* Makes the map reach all tokens that there are by now. */
static void map_tokens(const adl_call *call, adl_table *to, const adl_table *of, adl_token_map *map) {
  const adl_host *host = call->host;
  int64_t count = host->table_count(of);
  adl_keys keys;
  if (count == map->count) return;
  if (count > map->capacity) {
    int64_t *more = host->alloc(call, (size_t)(2 * count) * sizeof *more);
    if (map->count > 0) memcpy(more, map->numbers, (size_t)map->count * sizeof *more);
    map->numbers = more;
    map->capacity = 2 * count;
  }
  adl_keys_begin(&keys, call, count - map->count < CHUNK ? count - map->count : CHUNK);
  for (int64_t first = map->count; first < count; first += CHUNK) {
    int64_t end = count - first < CHUNK ? count : first + CHUNK;
    adl_keys_empty(&keys);
    for (int64_t i = first; i < end; i++) {
      adl_key_add_text(&keys.key, host->table_key(of, i), true);
      adl_keys_end(&keys);
    }
    host->table_insert_all(to, keys.count, keys.key.data, keys.offsets, map->numbers + first);
  }
  map->count = count;
}

adl_status adl_aggregate_bag_merge(const adl_call *call, const adl_aggregate *aggregate,
                                   const adl_aggregate_state *into, const adl_aggregate_state *from, const int64_t *map,
                                   adl_token_map *tokens) {
  const adl_radix_pair *of = log_of(call, aggregate, from, 0);
  int64_t more = 0;
  if (tokens != NULL)
    map_tokens(call, tokens_of(call, aggregate, into->tensors), tokens_of(call, aggregate, from->tensors), tokens);
  for (const adl_radix_pair *pair = of + 1; pair <= of + of->key; pair++) more += map[pair->key >> 32] >= 0;
  adl_radix_pair *log = make_room(call, aggregate, into, more);
  for (const adl_radix_pair *pair = of + 1; pair <= of + of->key; pair++) {
    int64_t group = map[pair->key >> 32], token = (int64_t)(pair->key & UINT32_MAX);
    if (((pair - of) & 0xffff) == 0) call->host->cancelled(call);
    if (group >= 0) append(log, group, tokens != NULL ? tokens->numbers[token] : token, weight_of(pair));
  }
  return check_numbers(call, aggregate, into);
}

void adl_aggregate_bag_order(const adl_call *call, const adl_aggregate *aggregate, adl_tensors *tensors,
                             adl_token_order *order) {
  order->tokens = tokens_of(call, aggregate, tensors);
  int64_t count = call->host->table_count(order->tokens);
  order->number = adl_keys_order(call, order->tokens, count);
  order->rank = call->host->alloc(call, ((size_t)count + 1) * sizeof *order->rank);
  for (int64_t i = 0; i < count; i++) order->rank[order->number[i]] = i;
}

/* The pairs anew, with the place of the group and the rank of the token for their numbers, packed close, so that few digits
 * are to be sorted. */
static int64_t sort_pairs(const adl_call *call, const adl_radix_pair *log, const int64_t *map, const int64_t *rank,
                          int64_t bits, adl_radix_pair **sorted) {
  adl_tensors *scratch = call->host->scratch_tensors(call);
  int64_t total = (int64_t)log->key;
  adl_radix_pair *pairs = pairs_in(call, scratch, "pairs", total), *room = pairs_in(call, scratch, "room", total);
  for (int64_t i = 0; i < total; i++) {
    uint64_t key = log[i + 1].key;
    if ((i & 0xffff) == 0) call->host->cancelled(call);
    pairs[i].key = (uint64_t)map[key >> 32] << bits | (uint64_t)rank[key & UINT32_MAX];
    pairs[i].value = log[i + 1].value;
  }
  total = put_together(call, pairs, room, total);
  call->host->drop_tensor(call, scratch, "room");
  *sorted = pairs;
  return total;
}

void adl_aggregate_bag_finish(const adl_call *call, const adl_aggregate *aggregate, const adl_aggregate_state *of,
                              const int64_t *map, const adl_token_order *order, const adl_aggregate_state *sorted,
                              adl_aggregate_result *result) {
  const adl_host *host = call->host;
  int64_t count = host->table_count(of->groups), token_count = host->table_count(order->tokens), bits = 0;
  adl_radix_pair *pairs;
  char name[40];
  while (token_count >> bits > 0) bits++;
  int64_t total = sort_pairs(call, log_of(call, aggregate, of, 0), map, order->rank, bits, &pairs);
  int64_t item_size[2] = {total + 1, 2}, start_size = count + 1;
  snprintf(name, sizeof name, "items.%lld", (long long)aggregate->number);
  adl_bag_item *items = host->tensor(call, sorted->tensors, name, ADL_UINT32, 2, item_size);
  snprintf(name, sizeof name, "starts.%lld", (long long)aggregate->number);
  int64_t *starts = host->tensor(call, sorted->tensors, name, ADL_INT64, 1, &start_size);
  for (int64_t group = 0, at = 0; group <= count; group++) {
    while (at < total && (int64_t)(pairs[at].key >> bits) < group) at++;
    starts[group] = at;
  }
  for (int64_t i = 0; i < total; i++) {
    uint64_t rank = pairs[i].key & ((UINT64_C(1) << bits) - 1);
    if ((i & 0xffff) == 0) host->cancelled(call);
    items[i] = (adl_bag_item){(uint32_t)order->number[rank], (float)weight_of(&pairs[i])};
  }
  result->bags = items;
  result->bag_starts = starts;
}

adl_status adl_aggregate_bag_write(const adl_call *call, const adl_aggregate_result *results,
                                   const adl_group_place *places, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  const adl_table *tokens = results->order->tokens;
  adl_buffers to;
  int64_t items = 0, bytes = 0, at = 0;
  for (int64_t row = 0; row < rows; row++) {
    const adl_aggregate_result *of = &results[places[row].part];
    int64_t begin = of->bag_starts[places[row].group], end = of->bag_starts[places[row].group + 1];
    for (int64_t i = begin; i < end; i++) bytes += host->table_key(tokens, of->bags[i].token).size;
    items += end - begin;
  }
  ADL_TRY(host->reserve(call, out, results->aggregate->slot, rows, items, bytes, &to));
  for (int64_t row = 0; row < rows; row++) {
    const adl_aggregate_result *of = &results[places[row].part];
    int64_t begin = of->bag_starts[places[row].group], end = of->bag_starts[places[row].group + 1];
    for (int64_t i = begin; i < end; i++, at++) {
      adl_text token = host->table_key(tokens, of->bags[i].token);
      if (token.size > 0) memcpy((char *)to.data + to.string_offsets[at], token.data, (size_t)token.size);
      to.string_offsets[at + 1] = to.string_offsets[at] + token.size;
      to.weights[at] = of->bags[i].weight;
    }
    to.offsets[row + 1] = (int32_t)at;
  }
  return ADL_OK;
}
