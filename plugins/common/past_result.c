/* What a range of events comes to: looking up in the timelines that past_index.c made. See past.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cell.h"
#include "common/key_order.h"
#include "common/past_events.h"

static const double day = 86400e6; /* microseconds */

/* ---- ranges ---- */

bool adl_timeline_find(const adl_call *call, const adl_model *model, adl_timeline *timeline) {
  adl_tensor time = {0}, first = {0}, training = {0};
  bool whole = call->host->find_tensor(call, model->tensors, "event.time", &time) &&
               call->host->find_tensor(call, model->tensors, "first", &first);
  call->host->find_tensor(call, model->tensors, "training", &training);
  *timeline = (adl_timeline){.time = time.data, .first = first.data, .training = training.data};
  return whole;
}

/* The first of time[from .. to) that is not before `at`. */
static int64_t first_not_before(const int64_t *time, int64_t from, int64_t to, int64_t at) {
  while (from < to) {
    int64_t middle = from + (to - from) / 2;
    if (time[middle] < at)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

adl_past_range adl_timeline_range(const adl_timeline *timeline, int64_t key, bool training, int64_t at,
                                  int64_t window) {
  bool some = training && timeline->training != NULL;
  int64_t begin = some ? timeline->training[2 * key] : timeline->first[key], oldest;
  int64_t end = some ? timeline->training[2 * key + 1] : timeline->first[key + 1];
  adl_past_range range = {.first = begin, .from = begin, .at = at};
  range.to = first_not_before(timeline->time, begin, end, at);
  if (window > 0 && !__builtin_sub_overflow(at, window, &oldest))
    range.from = first_not_before(timeline->time, begin, range.to, oldest);
  return range;
}

/* ---- plain values ---- */

/* The values of one call and the parts of its index; those that it does not have are NULL. */
typedef struct parts {
  adl_past_values values, weights;
  const int64_t *time, *tree;
  const uint32_t *count, *same, *at, *rank;
  const double *sum, *blocks;
  int64_t leaves; /* of the tree */
} parts;

static parts find_parts(const adl_call *call, const adl_past *past, const adl_model *model, int64_t number) {
  const adl_past_call *of = &past->calls[number];
  const adl_tensors *tensors = model->tensors;
  adl_timeline line;
  adl_timeline_find(call, model, &line);
  adl_tensor tree;
  char name[40];
  parts p = {.time = line.time,
             .count = adl_past_find(call, tensors, "count", number),
             .same = adl_past_find(call, tensors, "same", number),
             .at = adl_past_find(call, tensors, "at", number),
             .sum = adl_past_find(call, tensors, "sum", number),
             .blocks = adl_past_find(call, tensors, "blocks", number)};
  if (of->column >= 0) {
    p.values = adl_past_values_of(call, past, tensors, of->column);
    p.rank = adl_past_find(call, tensors, "rank", of->column);
  }
  if (of->weight >= 0) p.weights = adl_past_values_of(call, past, tensors, of->weight);
  adl_past_tensor_name(name, "tree", number);
  if (call->host->find_tensor(call, tensors, name, &tree)) {
    p.tree = tree.data;
    p.leaves = tree.size[0] / 2;
  }
  return p;
}

/* How many events have a value: a difference of running numbers, if not all have. */
static int64_t count_of(const uint32_t *count, const adl_past_range *range) {
  if (range->from == range->to) return 0;
  if (count == NULL) return range->to - range->from;
  return (int64_t)count[range->to - 1] - (range->from > range->first ? count[range->from - 1] : 0);
}

/* The sum of a key's events before a place, in two cells. */
static void sum_before(const parts *p, int64_t first, int64_t place, bool whole, double cells[2]) {
  cells[0] = cells[1] = 0;
  if (place == first) return;
  int64_t from = (place - 1) / ADL_PAST_STEP * ADL_PAST_STEP;
  if (from > first)
    memcpy(cells, &p->sum[2 * (from / ADL_PAST_STEP)], 2 * sizeof *cells);
  else
    from = first;
  adl_past_add(cells, &p->values, from, place, whole);
}

/* The sum of the events of a range alone: whole blocks, and what is before and behind them. */
static void sum_blocks(const parts *p, const adl_past_range *range, double cells[2]) {
  int64_t first = range->first, from = (range->from - first + ADL_PAST_STEP - 1) / ADL_PAST_STEP,
          to = (range->to - first) / ADL_PAST_STEP;
  cells[0] = cells[1] = 0;
  if (from >= to) {
    adl_past_add(cells, &p->values, range->from, range->to, false);
    return;
  }
  adl_past_add(cells, &p->values, range->from, first + from * ADL_PAST_STEP, false);
  adl_past_add(cells, &p->values, first + to * ADL_PAST_STEP, range->to, false);
  for (int64_t level = 0; from < to; from /= 2, to /= 2, level++) {
    if (from % 2 != 0) adl_cell_add_sum(cells, p->blocks + adl_past_node(first, level, from++));
    if (to % 2 != 0) adl_cell_add_sum(cells, p->blocks + adl_past_node(first, level, --to));
  }
}

/* Without a window a range begins with its key. */
static double float_sum_of(const parts *p, const adl_past_range *range) {
  double cells[2];
  if (p->blocks != NULL)
    sum_blocks(p, range, cells);
  else
    sum_before(p, range->first, range->to, false, cells);
  return adl_cell_sum(cells);
}

static adl_cell_wide integer_sum_of(const parts *p, const adl_past_range *range) {
  double end[2], begin[2];
  sum_before(p, range->first, range->to, true, end);
  sum_before(p, range->first, range->from, true, begin);
  return adl_cell_wide_sum(end) - adl_cell_wide_sum(begin);
}

/* Whole blocks from the tree, what is before and behind them from the values. */
static int64_t extreme_of(const parts *p, const adl_past_range *range, bool floats, bool least) {
  int64_t from = (range->from + ADL_PAST_STEP - 1) / ADL_PAST_STEP, to = range->to / ADL_PAST_STEP;
  if (from >= to) return adl_past_extreme(&p->values, range->from, range->to, floats, least);
  int64_t best = adl_past_extreme(&p->values, range->from, from * ADL_PAST_STEP, floats, least);
  int64_t last = adl_past_extreme(&p->values, to * ADL_PAST_STEP, range->to, floats, least);
  best = adl_past_better(best, last, floats, least);
  for (from += p->leaves, to += p->leaves; from < to; from /= 2, to /= 2) {
    if (from % 2 != 0) best = adl_past_better(best, p->tree[from++], floats, least);
    if (to % 2 != 0) best = adl_past_better(best, p->tree[--to], floats, least);
  }
  return best;
}

/* Where the window does not reach back to the key's first event, values are counted whose like is not in the window
 * before them. */
static int64_t distinct_of(const parts *p, const adl_past_range *range) {
  if (range->from == range->to) return 0;
  if (range->from == range->first) return count_of(p->count, range);
  int64_t count = 0;
  for (int64_t i = range->from; i < range->to; i++) count += p->same[i] <= range->from;
  return count;
}

/* The place of the latest value in a range; -1: there is none. */
static int64_t latest_of(const parts *p, const adl_past_range *range) {
  if (range->from == range->to) return -1;
  int64_t latest = p->at == NULL ? range->to - 1 : (int64_t)p->at[range->to - 1] - 1;
  return latest >= range->from ? latest : -1;
}

/* The value as a cell; false: null. */
static bool plain_value(const adl_past *past, const adl_past_call *of, const parts *p, const adl_past_range *range,
                        double *value) {
  bool any = range->from < range->to, floats = of->column >= 0 && past->columns[of->column].kind == ADL_PAST_FLOAT;
  switch (of->function) {
    case ADL_PAST_COUNT:
      adl_cell_set_integer(value, of->column < 0 ? range->to - range->from : count_of(p->count, range));
      return true;
    case ADL_PAST_DISTINCT: adl_cell_set_integer(value, distinct_of(p, range)); return true;
    case ADL_PAST_SUM:
      if (!floats) return adl_cell_narrow(integer_sum_of(p, range), value);
      *value = float_sum_of(p, range);
      return isfinite(*value);
    case ADL_PAST_MEAN: {
      int64_t count = count_of(p->count, range);
      *value = (floats ? float_sum_of(p, range) : (double)integer_sum_of(p, range)) / (double)count;
      return isfinite(*value);
    }
    case ADL_PAST_MIN:
    case ADL_PAST_MAX:
      if (count_of(p->count, range) == 0) return false;
      adl_cell_set_integer(value, extreme_of(p, range, floats, of->function == ADL_PAST_MIN));
      return true;
    case ADL_PAST_LAST:
      if (latest_of(p, range) < 0) return false;
      adl_cell_set_integer(value, p->values.bits[latest_of(p, range)]);
      return true;
    default: /* since, in days */
      if (!any) return false;
      *value = ((double)range->at - (double)p->time[range->to - 1]) / day;
      return true;
  }
}

static adl_status write_plain(const adl_call *call, const adl_past *past, const adl_past_call *of, const parts *p,
                              const adl_past_range *ranges, int64_t rows, adl_out *out) {
  adl_buffers to;
  ADL_TRY(call->host->reserve(call, out, of->slot, rows, 0, 0, &to));
  for (int64_t row = 0; row < rows; row++) {
    double value = 0;
    bool any = plain_value(past, of, p, &ranges[row], &value);
    if (!any) adl_cell_set_integer(&value, 0);
    if (!any) adl_bit_set(to.validity, row, false);
    adl_cell_put(&to, (adl_element)of->type.element, row, &value);
  }
  return ADL_OK;
}

/* ---- strings and bags ---- */

static adl_status write_texts(const adl_call *call, const adl_past_call *of, const parts *p, const adl_table *table,
                              const adl_past_range *ranges, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  adl_text *texts = host->alloc(call, ((size_t)rows + 1) * sizeof *texts);
  int64_t bytes = 0;
  adl_buffers to;
  for (int64_t row = 0; row < rows; row++) {
    int64_t latest = latest_of(p, &ranges[row]);
    texts[row] = latest >= 0 ? host->table_key(table, p->values.number[latest]) : (adl_text){NULL, -1};
    if (latest >= 0) bytes += texts[row].size;
  }
  ADL_TRY(host->reserve(call, out, of->slot, rows, 0, bytes, &to));
  for (int64_t row = 0; row < rows; row++) {
    int32_t at = to.string_offsets[row], size = texts[row].size > 0 ? texts[row].size : 0;
    if (texts[row].size < 0) adl_bit_set(to.validity, row, false);
    if (size > 0) memcpy((char *)to.data + at, texts[row].data, (size_t)size);
    to.string_offsets[row + 1] = at + size;
  }
  return ADL_OK;
}

typedef struct bag_entry {
  uint32_t token;
  float weight;
} bag_entry;

/* Bags in the making: what a token has come to in the row in hand, and the entries of all rows so far. */
typedef struct bags {
  const adl_table *table;
  bool whole; /* weights are integers */
  int64_t known;
  double *weight;
  int64_t *row_of;               /* the row, and one more, that a token was last seen in */
  adl_radix_pair *tokens, *room; /* of the row in hand, by rank */
  bag_entry *entries;
  int64_t count, capacity, bytes;
} bags;

static void make_room(const adl_call *call, bags *all, int64_t more) {
  if (all->count + more <= all->capacity) return;
  all->capacity = 2 * (all->count + more);
  bag_entry *bigger = call->host->alloc(call, (size_t)all->capacity * sizeof *bigger);
  if (all->count > 0) memcpy(bigger, all->entries, (size_t)all->count * sizeof *bigger);
  all->entries = bigger;
}

static double weight_of(const bags *all, const adl_past_values *weights, int64_t place) {
  if (weights->bits == NULL) return 1;
  return all->whole ? (double)weights->bits[place] : adl_past_float(weights, place);
}

/* Adds up the tokens of a range, in the order of the events, and sorts them by their bytes. */
static void add_bag(const adl_call *call, bags *all, const parts *p, const adl_past_range *range, int64_t row) {
  int64_t count = 0;
  for (int64_t i = range->from; i < range->to; i++) {
    if (!adl_past_has(&p->values, i) || !adl_past_has(&p->weights, i)) continue;
    uint32_t token = p->values.number[i];
    if (all->row_of[token] != row + 1) {
      all->row_of[token] = row + 1;
      all->weight[token] = 0;
      all->tokens[count++] = (adl_radix_pair){p->rank[token], token};
    }
    all->weight[token] += weight_of(all, &p->weights, i);
  }
  adl_radix_sort(NULL, all->tokens, all->room, count);
  make_room(call, all, count);
  for (int64_t i = 0; i < count; i++) {
    uint32_t token = (uint32_t)all->tokens[i].value;
    all->entries[all->count++] = (bag_entry){token, (float)all->weight[token]};
    all->bytes += call->host->table_key(all->table, token).size;
  }
}

static bags begin_bags(const adl_call *call, const adl_table *table, bool whole) {
  const adl_host *host = call->host;
  size_t tokens = (size_t)host->table_count(table) + 1;
  bags all = {.table = table,
              .whole = whole,
              .weight = host->alloc(call, tokens * sizeof *all.weight),
              .row_of = host->alloc(call, tokens * sizeof *all.row_of),
              .tokens = host->alloc(call, tokens * sizeof *all.tokens),
              .room = host->alloc(call, tokens * sizeof *all.room)};
  memset(all.row_of, 0, tokens * sizeof *all.row_of);
  return all;
}

static adl_status write_bags(const adl_call *call, const adl_past *past, const adl_past_call *of, const parts *p,
                             const adl_table *table, const adl_past_range *ranges, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  bags all = begin_bags(call, table, of->weight >= 0 && past->columns[of->weight].kind == ADL_PAST_INTEGER);
  int64_t *ends = host->alloc(call, ((size_t)rows + 1) * sizeof *ends);
  adl_buffers to;
  for (int64_t row = 0; row < rows; row++) {
    add_bag(call, &all, p, &ranges[row], row);
    ends[row] = all.count;
  }
  ADL_TRY(host->reserve(call, out, of->slot, rows, all.count, all.bytes, &to));
  for (int64_t row = 0; row < rows; row++) to.offsets[row + 1] = (int32_t)ends[row];
  for (int64_t i = 0; i < all.count; i++) {
    adl_text token = host->table_key(table, all.entries[i].token);
    if (token.size > 0) memcpy((char *)to.data + to.string_offsets[i], token.data, (size_t)token.size);
    to.string_offsets[i + 1] = to.string_offsets[i] + token.size;
    to.weights[i] = all.entries[i].weight;
  }
  return ADL_OK;
}

adl_status adl_past_write(const adl_call *call, const adl_past *past, int64_t number, const adl_model *model,
                          const adl_past_range *ranges, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  const adl_past_call *of = &past->calls[number];
  if (!host->wanted(call, of->slot)) return ADL_OK;
  parts p = find_parts(call, past, model, number);
  bool text = of->column >= 0 && past->columns[of->column].kind == ADL_PAST_TEXT;
  if (!text || of->function == ADL_PAST_COUNT || of->function == ADL_PAST_DISTINCT)
    return write_plain(call, past, of, &p, ranges, rows, out);
  char name[40];
  adl_past_tensor_name(name, "text", of->column);
  const adl_table *table = host->find_table(call, model->tensors, name);
  if (table == NULL) return host->fail(call, NULL, -1, "run it with its events", "there is no list of strings");
  if (of->function == ADL_PAST_BAG) return write_bags(call, past, of, &p, table, ranges, rows, out);
  return write_texts(call, of, &p, table, ranges, rows, out);
}
