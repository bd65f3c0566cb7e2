/* Making timelines of events that have been gathered. See past.h. Events are dealt to their keys and sorted by time within
 * each; their values are put in that order where they lie; and what cannot be told from a few of them gets an index. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/cell.h"
#include "common/key.h"
#include "common/key_order.h"
#include "common/past_events.h"

static const uint64_t sign = UINT64_C(1) << 63;

/* A timeline in the making. Run r, events of one key, has the places first[r] .. first[r + 1] - 1. Key k has run k. Its
 * training events are the first of that run, or, where held-out ones come between, stand once more in a run behind those of
 * the keys. */
typedef struct line {
  const adl_call *call;
  const adl_past *past;
  adl_tensors *tensors;
  int64_t keys, runs, places, longest; /* the longest run */
  uint32_t *first;
  uint32_t *event; /* which one stands at each place */
} line;

/* ---- dealing ---- */

/* The events by key, those of each by time, and those of one time as they came. */
static adl_radix_pair *deal_events(line *to, const adl_past_events *e) {
  const adl_host *host = to->call->host;
  int64_t events = e->counts[ADL_PAST_ALL];
  adl_radix_pair *pairs = host->alloc(to->call, ((size_t)events + 1) * sizeof *pairs);
  uint32_t *first = adl_past_tensor(to->call, to->tensors, "first", ADL_UINT32, to->keys + 2);
  for (int64_t i = 0; i < events; i++) first[e->key[i] + 2]++;
  for (int64_t k = 2; k < to->keys + 2; k++) {
    if (first[k] > to->longest) to->longest = first[k];
    first[k] += first[k - 1];
  }
  for (int64_t i = 0; i < events; i++)
    pairs[first[e->key[i] + 1]++] = (adl_radix_pair){(uint64_t)e->time[i] ^ sign, (uint64_t)i};
  adl_radix_pair *room = host->alloc(to->call, ((size_t)to->longest + 1) * sizeof *room);
  for (int64_t k = 0; k < to->keys; k++)
    adl_radix_sort(k % 4096 == 0 ? to->call : NULL, pairs + first[k], room, (int64_t)first[k + 1] - first[k]);
  to->first = adl_past_tensor(to->call, to->tensors, "first", ADL_UINT32, to->keys + 1);
  to->runs = to->keys;
  to->places = events;
  to->event = host->alloc(to->call, (size_t)(2 * events + 1) * sizeof *to->event);
  for (int64_t i = 0; i < events; i++) to->event[i] = (uint32_t)pairs[i].value;
  return pairs;
}

/* Where the training events of run `key` end; false: a held-out one stands between them. */
static bool ends_in_held(const line *of, const uint8_t *held, int64_t key, uint32_t *end) {
  int64_t i = of->first[key], last = of->first[key + 1];
  while (i < last && !adl_bit(held, of->event[i])) i++;
  *end = (uint32_t)i;
  while (i < last && adl_bit(held, of->event[i])) i++;
  return i == last;
}

/* Tensor `training`: for each key, from which place to which its training events stand. */
static void part_training(line *to, const uint8_t *held) {
  uint32_t *training = adl_past_tensor(to->call, to->tensors, "training", ADL_UINT32, 2 * to->keys);
  for (int64_t k = 0; k < to->keys; k++) {
    uint32_t begin = to->first[k], last = to->first[k + 1];
    training[2 * k] = begin;
    if (ends_in_held(to, held, k, &training[2 * k + 1])) continue;
    training[2 * k] = (uint32_t)to->places;
    for (uint32_t i = begin; i < last; i++)
      if (!adl_bit(held, to->event[i])) to->event[to->places++] = to->event[i];
    training[2 * k + 1] = (uint32_t)to->places;
    to->runs++;
  }
  to->first = adl_past_tensor(to->call, to->tensors, "first", ADL_UINT32, to->runs + 1);
  for (int64_t k = 0, run = to->keys; run < to->runs; k++)
    if (training[2 * k] >= to->first[to->keys]) to->first[++run] = training[2 * k + 1];
}

/* ---- putting in order ---- */

#define PUT_IN_ORDER(type, name, element)                                                                              \
  do {                                                                                                                 \
    const type *from = adl_past_tensor(to->call, to->tensors, name, element, events);                                  \
    type *ordered = room;                                                                                              \
    for (int64_t i = 0; i < to->places; i++) ordered[i] = from[to->event[i]];                                          \
    type *final = adl_past_tensor(to->call, to->tensors, name, element, to->places);                                   \
    if (to->places > 0) memcpy(final, ordered, (size_t)to->places * sizeof *final);                                    \
  } while (0)

/* Bits that say null; a column without any is told from its having none. */
static void put_nulls(const line *to, int64_t column, int64_t events, int64_t nulls, uint8_t *room) {
  char name[40];
  adl_past_tensor_name(name, "null", column);
  if (nulls == 0) {
    to->call->host->drop_tensor(to->call, to->tensors, name);
    return;
  }
  const uint8_t *from = adl_past_tensor(to->call, to->tensors, name, ADL_BYTES, events / 8 + 1);
  memset(room, 0, (size_t)to->places / 8 + 1);
  for (int64_t i = 0; i < to->places; i++)
    if (adl_bit(from, to->event[i])) adl_bit_set(room, i, true);
  memcpy(adl_past_tensor(to->call, to->tensors, name, ADL_BYTES, to->places / 8 + 1), room, (size_t)to->places / 8 + 1);
}

/* Times and values of the events, from the order in which they came to that of their places. `room`: eight bytes for each
 * place, and one more. */
static void put_in_order(const line *to, const int64_t *counts, void *room) {
  int64_t events = counts[ADL_PAST_ALL];
  PUT_IN_ORDER(int64_t, "event.time", ADL_INT64);
  for (int64_t c = 0; c < to->past->column_count; c++) {
    char name[40];
    if (to->call->host->cancelled(to->call)) return;
    adl_past_tensor_name(name, "value", c);
    if (to->past->columns[c].kind == ADL_PAST_TEXT)
      PUT_IN_ORDER(uint32_t, name, ADL_UINT32);
    else
      PUT_IN_ORDER(int64_t, name, ADL_INT64);
    put_nulls(to, c, events, counts[ADL_PAST_NULLS + c], room);
  }
}

/* ---- an index for each aggregate ---- */

static void *part(const line *to, const char *what, int64_t number, adl_element element, int64_t count) {
  char name[40];
  adl_past_tensor_name(name, what, number);
  return adl_past_tensor(to->call, to->tensors, name, element, count);
}

/* Running numbers of values, begun anew with each run: entry i holds those up to and with i. */
static void index_count(const line *of, int64_t number, const adl_past_values *v) {
  if (v->null == NULL) return; /* as many as events */
  uint32_t *count = part(of, "count", number, ADL_UINT32, of->places);
  for (int64_t r = 0; r < of->runs; r++) {
    uint32_t so_far = 0;
    for (int64_t i = of->first[r]; i < of->first[r + 1]; i++) count[i] = so_far += adl_past_has(v, i);
  }
}

/* Running sums: of integers exact in 128 bits, of floats with what rounding has lost beside them. Begun anew with each
 * run, so that no other key's events and no later ones have a part in the rounding. One for every few places, of the
 * events before that place: those between are added up when they are asked for, in the same order. */
static void index_sum(const line *of, int64_t number, const adl_past_values *v, bool whole) {
  double *sum = part(of, "sum", number, ADL_FLOAT64, 2 * (of->places / ADL_PAST_STEP + 1));
  for (int64_t r = 0; r < of->runs; r++) {
    double cells[2] = {0, 0};
    for (int64_t i = of->first[r], to; i < of->first[r + 1]; i = to) {
      to = (i / ADL_PAST_STEP + 1) * ADL_PAST_STEP;
      if (to >= of->first[r + 1]) break;
      adl_past_add(cells, v, i, to, whole);
      memcpy(&sum[2 * (to / ADL_PAST_STEP)], cells, sizeof cells);
    }
  }
}

/* Sums of floats for windows, as a tree: in a difference of running sums, what came before the window would have taken the
 * last digits of what is in it. */
static void index_blocks(const line *of, int64_t number, const adl_past_values *v) {
  double *sums = part(of, "blocks", number, ADL_FLOAT64, 4 * (of->places / ADL_PAST_STEP));
  for (int64_t r = 0; r < of->runs; r++) {
    int64_t first = of->first[r], blocks = (of->first[r + 1] - first) / ADL_PAST_STEP;
    for (int64_t i = 0, from = first; i < blocks; i++, from += ADL_PAST_STEP)
      adl_past_add(sums + adl_past_node(first, 0, i), v, from, from + ADL_PAST_STEP, false);
    for (int64_t level = 1; blocks >> level > 0; level++)
      for (int64_t i = 0; i < blocks >> level; i++) {
        double *node = sums + adl_past_node(first, level, i);
        adl_cell_add_sum(node, sums + adl_past_node(first, level - 1, 2 * i));
        adl_cell_add_sum(node, sums + adl_past_node(first, level - 1, 2 * i + 1));
      }
  }
}

/* A tree of extremes without pointers over blocks of neighbouring places: leaf i at blocks + i, node i over 2i and 2i + 1.
 * Where there is no value, its leaf loses to every other. */
static void index_extreme(const line *of, int64_t number, const adl_past_values *v, bool floats, bool least) {
  int64_t blocks = of->places / ADL_PAST_STEP;
  int64_t *tree = part(of, "tree", number, ADL_INT64, 2 * blocks);
  for (int64_t i = 0; i < blocks; i++)
    tree[blocks + i] = adl_past_extreme(v, i * ADL_PAST_STEP, (i + 1) * ADL_PAST_STEP, floats, least);
  for (int64_t i = blocks - 1; i > 0; i--) tree[i] = adl_past_better(tree[2 * i], tree[2 * i + 1], floats, least);
}

/* The place behind that of the latest value, up to and with each event (0: there is none). */
static void index_last(const line *of, int64_t number, const adl_past_values *v) {
  if (v->null == NULL) return; /* it is the latest event's */
  uint32_t *at = part(of, "at", number, ADL_UINT32, of->places);
  for (int64_t r = 0; r < of->runs; r++) {
    uint32_t latest = 0;
    for (int64_t i = of->first[r]; i < of->first[r + 1]; i++)
      at[i] = latest = adl_past_has(v, i) ? (uint32_t)i + 1 : latest;
  }
}

/* The place behind the one where the same string stood before in its run (0: nowhere, ADL_PAST_NONE: there is no value). */
static void link_texts(const line *of, const adl_past_values *v, int64_t texts, uint32_t *same) {
  uint32_t *latest = of->call->host->alloc(of->call, ((size_t)texts + 1) * sizeof *latest);
  memset(latest, 0, ((size_t)texts + 1) * sizeof *latest);
  for (int64_t r = 0; r < of->runs; r++) {
    for (int64_t i = of->first[r]; i < of->first[r + 1]; i++) {
      same[i] = ADL_PAST_NONE;
      if (!adl_past_has(v, i)) continue;
      uint32_t *before = &latest[v->number[i]];
      same[i] = *before > of->first[r] ? *before : 0; /* else an earlier run's */
      *before = (uint32_t)i + 1;
    }
  }
}

/* The same of numbers: places in the order of their values. Those of one value still rise, so each is the next one's before. */
static void link_numbers(const line *of, const adl_past_values *v, uint32_t *same) {
  adl_radix_pair *pairs = of->call->host->alloc(of->call, 2 * ((size_t)of->longest + 1) * sizeof *pairs);
  for (int64_t r = 0; r < of->runs; r++) {
    int64_t with = 0;
    for (int64_t i = of->first[r]; i < of->first[r + 1]; i++) {
      same[i] = adl_past_has(v, i) ? 0 : ADL_PAST_NONE;
      if (adl_past_has(v, i)) pairs[with++] = (adl_radix_pair){(uint64_t)v->bits[i], (uint64_t)i};
    }
    adl_radix_sort(r % 4096 == 0 ? of->call : NULL, pairs, pairs + of->longest, with);
    for (int64_t i = 1; i < with; i++)
      if (pairs[i].key == pairs[i - 1].key) same[pairs[i].value] = (uint32_t)pairs[i - 1].value + 1;
  }
}

/* For each event, where the same value stood before, which a window asks; and how many different ones there were in its
 * run up to and with it. */
static void index_distinct(const line *of, int64_t number, const adl_past_values *v, const adl_table *texts) {
  const adl_host *host = of->call->host;
  uint32_t *count = part(of, "count", number, ADL_UINT32, of->places), *same = count;
  if (of->past->windowed) same = part(of, "same", number, ADL_UINT32, of->places);
  if (texts != NULL)
    link_texts(of, v, host->table_count(texts), same);
  else
    link_numbers(of, v, same);
  for (int64_t r = 0; r < of->runs; r++) {
    uint32_t so_far = 0;
    for (int64_t i = of->first[r]; i < of->first[r + 1]; i++) count[i] = so_far += same[i] == 0;
  }
}

/* The place of each token in the order of their bytes, which is that of a bag. */
static void index_tokens(const line *of, int64_t column, const adl_table *texts) {
  int64_t count = of->call->host->table_count(texts);
  uint32_t *rank = part(of, "rank", column, ADL_UINT32, count);
  const int64_t *order = adl_keys_order(of->call, texts, count);
  for (int64_t i = 0; i < count; i++) rank[order[i]] = (uint32_t)i;
}

static void index_call(const line *of, int64_t number) {
  const adl_past_call *c = &of->past->calls[number];
  if (c->column < 0) return;
  adl_past_values v = adl_past_values_of(of->call, of->past, of->tensors, c->column);
  adl_table *texts = adl_past_texts(of->call, of->past, of->tensors, c->column);
  bool floats = of->past->columns[c->column].kind == ADL_PAST_FLOAT;
  switch (c->function) {
    case ADL_PAST_COUNT: index_count(of, number, &v); break;
    case ADL_PAST_MEAN: index_count(of, number, &v); /* fall through */
    case ADL_PAST_SUM:
      if (floats && of->past->windowed)
        index_blocks(of, number, &v);
      else
        index_sum(of, number, &v, !floats);
      break;
    case ADL_PAST_MIN:
    case ADL_PAST_MAX:
      index_count(of, number, &v);
      index_extreme(of, number, &v, floats, c->function == ADL_PAST_MIN);
      break;
    case ADL_PAST_LAST: index_last(of, number, &v); break;
    case ADL_PAST_DISTINCT: index_distinct(of, number, &v, texts); break;
    case ADL_PAST_BAG: index_tokens(of, c->column, texts); break;
    case ADL_PAST_SINCE: break;
  }
}

/* ---- the whole ---- */

adl_status adl_past_fit(const adl_call *call, const adl_past *past, adl_fold *fold, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  adl_tensors *tensors = model->tensors;
  adl_past_events_grow(call, past, tensors, 1);
  for (int64_t c = 0; c < past->column_count; c++) adl_past_texts(call, past, tensors, c);
  const adl_table *keys = host->table(call, tensors, "keys", 0);
  ADL_TRY(host->fold(call, rows, fold, tensors));
  adl_past_events e = adl_past_events_grow(call, past, tensors, 0);
  line timeline = {.call = call, .past = past, .tensors = tensors, .keys = host->table_count(keys)};
  adl_radix_pair *pairs = deal_events(&timeline, &e);
  if (host->cancelled(call)) return ADL_FAILED;
  if (e.counts[ADL_PAST_HELD] > 0) part_training(&timeline, e.held);
  host->drop_tensor(call, tensors, "event.key"); /* each stands in its run now */
  host->drop_tensor(call, tensors, "event.held");
  put_in_order(&timeline, e.counts, pairs);
  for (int64_t i = 0; i < past->call_count; i++) {
    if (host->cancelled(call)) return ADL_FAILED;
    index_call(&timeline, i);
  }
  return ADL_OK;
}
