/* What a range of events comes to: looking up in the timelines that past_index.c made. See past.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/aggregate.h"
#include "common/cell.h"
#include "common/key.h"
#include "common/past.h"

static const double day = 86400e6; /* microseconds */

/* ---- ranges ---- */

bool adl_timeline_find(const adl_call *call, const adl_model *model, bool training, adl_timeline *timeline) {
  const adl_host *host = call->host;
  adl_tensor time, first;
  char name[40];
  timeline->prefix = training ? 't' : 'a';
  adl_past_tensor_name(name, timeline->prefix, 0, "time");
  if (training && !host->find_tensor(call, model->tensors, name, &time)) { /* no event is held out */
    timeline->prefix = 'a';
    adl_past_tensor_name(name, timeline->prefix, 0, "time");
  }
  if (!host->find_tensor(call, model->tensors, name, &time)) return false;
  adl_past_tensor_name(name, timeline->prefix, 0, "first");
  if (!host->find_tensor(call, model->tensors, name, &first)) return false;
  timeline->time = time.data;
  timeline->first = first.data;
  timeline->events = time.size[0];
  return true;
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

adl_past_range adl_timeline_range(const adl_timeline *timeline, int64_t key, int64_t at, int64_t window) {
  int64_t begin = timeline->first[key], end = timeline->first[key + 1], oldest;
  adl_past_range range = {.first = begin, .from = begin, .at = at};
  range.to = first_not_before(timeline->time, begin, end, at);
  if (window > 0 && !__builtin_sub_overflow(at, window, &oldest))
    range.from = first_not_before(timeline->time, begin, range.to, oldest);
  return range;
}

/* ---- plain values ---- */

/* The parts of the index of one call in one timeline; those that it does not have are NULL. */
typedef struct parts {
  const int64_t *time, *count, *at, *value, *same, *tree;
  const double *sum, *weight;
  int64_t events;
} parts;

static const void *find_part(const adl_call *call, const adl_model *model, char prefix, int64_t number,
                             const char *what) {
  adl_tensor tensor;
  char name[40];
  adl_past_tensor_name(name, prefix, number, what);
  return call->host->find_tensor(call, model->tensors, name, &tensor) ? tensor.data : NULL;
}

static parts find_parts(const adl_call *call, const adl_model *model, bool training, int64_t number) {
  adl_timeline line = {0};
  adl_timeline_find(call, model, training, &line);
  adl_tensor tree;
  char name[40];
  parts p = {.time = line.time,
             .count = find_part(call, model, line.prefix, number, "count"),
             .at = find_part(call, model, line.prefix, number, "at"),
             .value = find_part(call, model, line.prefix, number, "value"),
             .same = find_part(call, model, line.prefix, number, "same"),
             .sum = find_part(call, model, line.prefix, number, "sum"),
             .weight = find_part(call, model, line.prefix, number, "weight")};
  adl_past_tensor_name(name, line.prefix, number, "tree");
  if (call->host->find_tensor(call, model->tensors, name, &tree)) {
    p.tree = tree.data;
    p.events = tree.size[0] / 2;
  }
  return p;
}

/* A difference of running numbers. */
static int64_t count_of(const int64_t *count, const adl_past_range *range) {
  if (range->from == range->to) return 0;
  return count[range->to - 1] - (range->from > range->first ? count[range->from - 1] : 0);
}

/* The running sums at the end of a range and before its beginning: two cells each. */
static void sums_of(const double *sum, const adl_past_range *range, double end[2], double begin[2]) {
  end[0] = end[1] = begin[0] = begin[1] = 0;
  if (range->from == range->to) return;
  memcpy(end, &sum[2 * (range->to - 1)], 2 * sizeof *end);
  if (range->from > range->first) memcpy(begin, &sum[2 * (range->from - 1)], 2 * sizeof *begin);
}

static double float_sum_of(const double *sum, const adl_past_range *range) {
  double end[2], begin[2];
  sums_of(sum, range, end, begin);
  return (end[0] - begin[0]) + (end[1] - begin[1]);
}

static adl_past_wide integer_sum_of(const double *sum, const adl_past_range *range) {
  double end[2], begin[2];
  adl_past_wide x, y;
  sums_of(sum, range, end, begin);
  memcpy(&x, end, sizeof x);
  memcpy(&y, begin, sizeof y);
  return x - y;
}

static int64_t extreme_of(const parts *p, const adl_past_range *range, bool floats, bool least) {
  int64_t from = range->from + p->events, to = range->to + p->events, best = p->tree[from];
  for (; from < to; from /= 2, to /= 2) {
    if (from % 2 != 0) best = adl_past_better(best, p->tree[from++], floats, least);
    if (to % 2 != 0) best = adl_past_better(best, p->tree[--to], floats, least);
  }
  return best;
}

/* Where the window does not reach back to the key's first event, values are counted whose like is not in the window
 * before them. */
static int64_t distinct_of(const parts *p, const adl_past_range *range) {
  if (range->from == range->first) return count_of(p->count, range);
  int64_t count = 0;
  for (int64_t i = range->from; i < range->to; i++) count += p->same[i] != -2 && p->same[i] < range->from;
  return count;
}

/* False: it does not fit. */
static bool put_integer(adl_past_wide sum, double *value) {
  adl_cell_set_integer(value, (int64_t)sum);
  return sum >= INT64_MIN && sum <= INT64_MAX;
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
      if (!floats) return put_integer(integer_sum_of(p->sum, range), value);
      *value = float_sum_of(p->sum, range);
      return isfinite(*value);
    case ADL_PAST_MEAN: {
      int64_t count = count_of(p->count, range);
      *value = (floats ? float_sum_of(p->sum, range) : (double)integer_sum_of(p->sum, range)) / (double)count;
      return isfinite(*value);
    }
    case ADL_PAST_MIN:
    case ADL_PAST_MAX:
      if (count_of(p->count, range) == 0) return false;
      adl_cell_set_integer(value, extreme_of(p, range, floats, of->function == ADL_PAST_MIN));
      return true;
    case ADL_PAST_LAST:
      if (!any || p->at[range->to - 1] < range->from) return false;
      adl_cell_set_integer(value, p->value[p->at[range->to - 1]]);
      return true;
    default: /* since, in days */
      if (!any) return false;
      *value = ((double)range->at - (double)p->time[range->to - 1]) / day;
      return true;
  }
}

static adl_status write_plain(const adl_call *call, const adl_past *past, const adl_past_call *of, const parts line[2],
                              const adl_past_range *ranges, int64_t rows, adl_out *out) {
  adl_buffers to;
  ADL_TRY(call->host->reserve(call, out, of->slot, rows, 0, 0, &to));
  for (int64_t row = 0; row < rows; row++) {
    double value = 0;
    bool any = plain_value(past, of, &line[ranges[row].training], &ranges[row], &value);
    if (!any) adl_cell_set_integer(&value, 0);
    if (!any) adl_bit_set(to.validity, row, false);
    adl_cell_put(&to, (adl_element)of->type.element, row, &value);
  }
  return ADL_OK;
}

/* ---- strings and bags ---- */

static adl_status write_texts(const adl_call *call, const adl_past *past, const adl_past_call *of, const parts line[2],
                              const adl_table *table, const adl_past_range *ranges, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  adl_text *texts = host->alloc(call, ((size_t)rows + 1) * sizeof *texts);
  int64_t bytes = 0;
  adl_buffers to;
  for (int64_t row = 0; row < rows; row++) {
    double value;
    bool any = plain_value(past, of, &line[ranges[row].training], &ranges[row], &value);
    texts[row] = any ? host->table_key(table, adl_cell_integer(&value)) : (adl_text){NULL, -1};
    if (any) bytes += texts[row].size;
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
  adl_text token;
  double weight;
} bag_entry;

static int compare_entries(const void *a, const void *b) {
  return adl_key_compare(((const bag_entry *)a)->token, ((const bag_entry *)b)->token);
}

/* Bags in the making: what a token has come to in the row in hand, and the entries of all rows so far. */
typedef struct bags {
  double *weight;
  int64_t *row_of; /* the row, and one more, that a token was last seen in */
  int64_t *tokens; /* of the row in hand */
  bag_entry *entries;
  int64_t count, capacity, bytes;
} bags;

static void make_room(const adl_call *call, bags *all, int64_t more) {
  if (all->count + more <= all->capacity) return;
  all->capacity = 2 * (all->count + more);
  bag_entry *bigger = call->host->alloc(call, (size_t)all->capacity * sizeof *bigger);
  if (all->count > 0) memcpy(bigger, all->entries, (size_t)all->count * sizeof *bigger);
  all->entries = bigger;
  all->tokens = call->host->alloc(call, (size_t)all->capacity * sizeof *all->tokens);
}

/* Adds up the tokens of a range, in the order of the events, and sorts them by their bytes. */
static void add_bag(const adl_call *call, bags *all, const parts *p, const adl_table *table,
                    const adl_past_range *range, int64_t row) {
  int64_t count = 0;
  make_room(call, all, range->to - range->from);
  for (int64_t i = range->from; i < range->to; i++) {
    int64_t token = p->value[i];
    if (token < 0) continue;
    if (all->row_of[token] != row + 1) {
      all->row_of[token] = row + 1;
      all->weight[token] = 0;
      all->tokens[count++] = token;
    }
    all->weight[token] += p->weight[i];
  }
  bag_entry *entries = all->entries + all->count;
  for (int64_t i = 0; i < count; i++) {
    entries[i] = (bag_entry){call->host->table_key(table, all->tokens[i]), all->weight[all->tokens[i]]};
    all->bytes += entries[i].token.size;
  }
  if (count > 1) qsort(entries, (size_t)count, sizeof *entries, compare_entries);
  all->count += count;
}

static adl_status write_bags(const adl_call *call, const adl_past_call *of, const parts line[2], const adl_table *table,
                             const adl_past_range *ranges, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  size_t tokens = (size_t)host->table_count(table) + 1;
  bags all = {.weight = host->alloc(call, tokens * sizeof *all.weight),
              .row_of = host->alloc(call, tokens * sizeof *all.row_of)};
  int64_t *ends = host->alloc(call, ((size_t)rows + 1) * sizeof *ends);
  adl_buffers to;
  memset(all.row_of, 0, tokens * sizeof *all.row_of);
  for (int64_t row = 0; row < rows; row++) {
    add_bag(call, &all, &line[ranges[row].training], table, &ranges[row], row);
    ends[row] = all.count;
  }
  ADL_TRY(host->reserve(call, out, of->slot, rows, all.count, all.bytes, &to));
  for (int64_t row = 0; row < rows; row++) to.offsets[row + 1] = (int32_t)ends[row];
  for (int64_t i = 0; i < all.count; i++) {
    adl_text token = all.entries[i].token;
    if (token.size > 0) memcpy((char *)to.data + to.string_offsets[i], token.data, (size_t)token.size);
    to.string_offsets[i + 1] = to.string_offsets[i] + token.size;
    to.weights[i] = (float)all.entries[i].weight;
  }
  return ADL_OK;
}

adl_status adl_past_write(const adl_call *call, const adl_past *past, int64_t number, const adl_model *model,
                          const adl_past_range *ranges, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  const adl_past_call *of = &past->calls[number];
  if (!host->wanted(call, of->slot)) return ADL_OK;
  parts line[2] = {find_parts(call, model, false, number), find_parts(call, model, true, number)};
  bool text = of->column >= 0 && past->columns[of->column].kind == ADL_PAST_TEXT;
  if (!text || of->function == ADL_PAST_COUNT || of->function == ADL_PAST_DISTINCT)
    return write_plain(call, past, of, line, ranges, rows, out);
  char name[40];
  adl_past_text_name(name, of->column);
  const adl_table *table = host->find_table(call, model->tensors, name);
  if (table == NULL) return host->fail(call, NULL, -1, "run it with its events", "there is no list of strings");
  if (of->function == ADL_PAST_BAG) return write_bags(call, of, line, table, ranges, rows, out);
  return write_texts(call, past, of, line, table, ranges, rows, out);
}
