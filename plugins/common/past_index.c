/* Gathering events, and making timelines of them. See past.h. Events are kept as they come (tensors event.* and value.N),
 * then dealt to their keys, sorted by time within each, and indexed for each aggregate. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"
#include "common/cell.h"
#include "common/key.h"
#include "common/key_order.h"
#include "common/past.h"

void adl_past_tensor_name(char name[40], char prefix, int64_t number, const char *what) {
  snprintf(name, 40, "%c.%lld.%s", prefix, (long long)number, what);
}

void adl_past_text_name(char name[40], int64_t column) { snprintf(name, 40, "text.%lld", (long long)column); }

static void *make(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element, int64_t count) {
  int64_t size = count > 0 ? count : 1;
  return call->host->tensor(call, tensors, name, element, 1, &size);
}

/* ---- gathering ---- */

typedef struct events {
  int64_t *count; /* so far */
  int64_t *key, *time;
  uint8_t *held;
} events;

/* The events with room for `more`. */
static events grow(const adl_call *call, adl_tensors *total, int64_t more) {
  adl_tensor time;
  events e = {.count = make(call, total, "events", ADL_INT64, 1)};
  int64_t capacity = call->host->find_tensor(call, total, "event.time", &time) ? time.size[0] : 1;
  if (capacity < *e.count + more) capacity = 2 * (*e.count + more);
  e.key = make(call, total, "event.key", ADL_INT64, capacity);
  e.time = make(call, total, "event.time", ADL_INT64, capacity);
  e.held = make(call, total, "event.held", ADL_BYTES, capacity);
  return e;
}

typedef struct values {
  int64_t *bits;
  uint8_t *has;
} values;

static values values_of(const adl_call *call, adl_tensors *total, int64_t column, int64_t capacity) {
  char name[40];
  values v;
  snprintf(name, sizeof name, "value.%lld", (long long)column);
  v.bits = make(call, total, name, ADL_INT64, capacity);
  snprintf(name, sizeof name, "has.%lld", (long long)column);
  v.has = make(call, total, name, ADL_BYTES, capacity);
  return v;
}

/* The strings of a column; NULL: it has none. */
static adl_table *text_table(const adl_call *call, const adl_past *past, adl_tensors *tensors, int64_t column) {
  char name[40];
  adl_past_text_name(name, column);
  return past->columns[column].kind == ADL_PAST_TEXT ? call->host->table(call, tensors, name, 0) : NULL;
}

/* A number of a row in eight bytes. Equal values have equal bits. */
static int64_t read_number(const adl_past_column *of, const adl_column *column, int64_t row) {
  if (of->kind == ADL_PAST_INTEGER) return adl_cell_read_integer(column, row);
  double value = adl_number_at(column, row) + 0.0; /* -0 becomes 0 */
  return adl_cell_integer(&value);
}

/* The events in hand: which rows they are, and where they are kept from. */
typedef struct fresh {
  const int64_t *rows;
  int64_t first, count;
} fresh;

/* Strings as numbers of a table, all of them at once. */
static void read_texts(const adl_call *call, adl_table *texts, const adl_column *column, const fresh *in, values v) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_keys keys;
  adl_keys_begin(&keys, call, in->count);
  for (int64_t i = 0; i < in->count; i++) {
    if (v.has[in->first + i] == 0) continue;
    adl_key_add_text(&keys.key, adl_category_text(column, in->rows[i], buffer), true);
    adl_keys_end(&keys);
  }
  const int64_t *numbers = adl_keys_insert(&keys, texts);
  for (int64_t i = 0; i < in->count; i++)
    if (v.has[in->first + i] != 0) v.bits[in->first + i] = *numbers++;
}

static void read_values(const adl_call *call, const adl_past_column *of, adl_table *texts, const adl_column *column,
                        const fresh *in, values v) {
  for (int64_t i = 0; i < in->count; i++) {
    int64_t row = in->rows[i];
    v.has[in->first + i] = !adl_is_null(column, row);
    v.bits[in->first + i] = v.has[in->first + i] != 0 && texts == NULL ? read_number(of, column, row) : 0;
  }
  if (texts != NULL) read_texts(call, texts, column, in, v);
}

/* A number that is none must not pass for an amount: its event is rejected, as a row would be. */
static bool is_sound(const adl_call *call, const adl_past *past, const adl_batch *batch, int64_t row) {
  for (int64_t c = 0; c < past->column_count; c++) {
    const adl_past_column *of = &past->columns[c];
    const adl_column *column = batch->slots[of->input.slot];
    if (of->kind != ADL_PAST_FLOAT || adl_is_null(column, row) || isfinite(adl_number_at(column, row))) continue;
    call->host->reject(call, row, of->name, "the event has no finite number here");
    return false;
  }
  return true;
}

static bool has_key(const adl_past *past, const adl_batch *batch, int64_t row) {
  for (int64_t i = 0; i < past->key_count; i++)
    if (adl_is_null(batch->slots[past->keys[i].slot], row)) return false;
  return true;
}

adl_status adl_past_step(const adl_call *call, const adl_past *past, const adl_batch *batch, adl_tensors *total) {
  const adl_host *host = call->host;
  const adl_column *times = batch->slots[past->time.slot];
  const adl_inputs by = {past->key_count, past->keys};
  events e = grow(call, total, batch->rows);
  int64_t *rows = host->alloc(call, ((size_t)batch->rows + 1) * sizeof *rows);
  fresh in = {.rows = rows, .first = *e.count};
  adl_keys keys;
  adl_keys_begin(&keys, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++) {
    if (adl_is_null(times, row) || !has_key(past, batch, row) || !is_sound(call, past, batch, row)) continue;
    adl_keys_add_row(&keys, batch, &by, row);
    e.time[in.first + in.count] = ((const int64_t *)times->data)[row];
    e.held[in.first + in.count] = host->row_split(call, row) != ADL_TRAIN;
    rows[in.count++] = row;
  }
  const int64_t *numbers = adl_keys_insert(&keys, host->table(call, total, "keys", 0));
  memcpy(e.key + in.first, numbers, (size_t)in.count * sizeof *numbers);
  adl_tensor capacity;
  host->find_tensor(call, total, "event.time", &capacity);
  for (int64_t c = 0; c < past->column_count; c++) {
    values v = values_of(call, total, c, capacity.size[0]);
    read_values(call, &past->columns[c], text_table(call, past, total, c), batch->slots[past->columns[c].input.slot],
                &in, v);
  }
  *e.count = in.first + in.count;
  return ADL_OK;
}

/* ---- sorting ---- */

/* A timeline in the making. */
typedef struct line {
  const adl_call *call;
  adl_tensors *tensors;
  char prefix;
  int64_t events, keys;
  const int64_t *key;   /* of each event as it came */
  const int64_t *event; /* which one stands at each place */
  const int64_t *time, *first;
} line;

static void *part(const line *to, int64_t number, const char *what, adl_element element, int64_t count) {
  char name[40];
  adl_past_tensor_name(name, to->prefix, number, what);
  return make(to->call, to->tensors, name, element, count);
}

/* All events by time, those of one time in the order in which they came. `room`: for as many. */
static void sort_by_time(const adl_call *call, const events *e, adl_radix_pair *order, adl_radix_pair *room) {
  for (int64_t i = 0; i < *e->count; i++)
    order[i] = (adl_radix_pair){(uint64_t)e->time[i] ^ (UINT64_C(1) << 63), (uint64_t)i};
  adl_radix_sort(call, order, room, *e->count);
}

/* Deals the events, which come in their order, to their keys. */
static line deal_events(const adl_call *call, adl_tensors *tensors, const events *e, const adl_radix_pair *order,
                        char prefix, bool held_too) {
  line to = {.call = call, .tensors = tensors, .prefix = prefix, .key = e->key};
  to.keys = call->host->table_count(call->host->table(call, tensors, "keys", 0));
  int64_t *first = part(&to, 0, "first", ADL_INT64, to.keys + 2);
  memset(first, 0, (size_t)(to.keys + 2) * sizeof *first);
  for (int64_t i = 0; i < *e->count; i++)
    if (held_too || !e->held[i]) first[e->key[i] + 2]++, to.events++;
  for (int64_t k = 2; k < to.keys + 2; k++) first[k] += first[k - 1];
  int64_t *time = part(&to, 0, "time", ADL_INT64, to.events);
  int64_t *event = call->host->alloc(call, ((size_t)to.events + 1) * sizeof *event);
  for (int64_t i = 0; i < *e->count; i++) {
    int64_t which = (int64_t)order[i].value;
    if (e->held[which] && !held_too) continue;
    int64_t place = first[e->key[which] + 1]++;
    event[place] = which;
    time[place] = e->time[which];
  }
  to.event = event;
  to.time = time;
  to.first = first;
  return to;
}

/* ---- an index for each aggregate ---- */

/* Running numbers of values, begun anew with each key: entry i holds those of its key up to and with i. */
static void index_count(const line *of, int64_t number, const values *v) {
  int64_t *count = part(of, number, "count", ADL_INT64, of->events);
  for (int64_t k = 0; k < of->keys; k++) {
    int64_t so_far = 0;
    for (int64_t i = of->first[k]; i < of->first[k + 1]; i++) count[i] = so_far += v->has[of->event[i]];
  }
}

/* Running sums: of integers exact in 128 bits, of floats with what rounding has lost beside them. Begun anew with each
 * key, so that no other key's events and no later ones have a part in the rounding. */
static void index_sum(const line *of, int64_t number, const values *v, bool whole) {
  double *sum = part(of, number, "sum", ADL_FLOAT64, 2 * of->events);
  for (int64_t k = 0; k < of->keys; k++) {
    double cells[2] = {0, 0};
    adl_past_wide exact = 0;
    for (int64_t i = of->first[k]; i < of->first[k + 1]; i++) {
      int64_t bits = v->bits[of->event[i]];
      double value;
      memcpy(&value, &bits, sizeof value);
      if (v->has[of->event[i]] && whole) exact += bits;
      if (v->has[of->event[i]] && !whole) adl_cell_add(cells, value);
      if (whole) memcpy(cells, &exact, sizeof exact);
      memcpy(&sum[2 * i], cells, sizeof cells);
    }
  }
}

/* A tree of extremes without pointers: leaf i at events + i, node i over 2i and 2i + 1. Where there is no value, its leaf
 * loses to every other. */
static void index_extreme(const line *of, int64_t number, const values *v, bool floats, bool least) {
  int64_t n = of->events;
  int64_t *tree = part(of, number, "tree", ADL_INT64, 2 * n);
  double worst = least ? (double)INFINITY : -(double)INFINITY;
  int64_t none = floats ? adl_cell_integer(&worst) : least ? INT64_MAX : INT64_MIN;
  for (int64_t i = 0; i < n; i++) tree[n + i] = v->has[of->event[i]] ? v->bits[of->event[i]] : none;
  for (int64_t i = n - 1; i > 0; i--) tree[i] = adl_past_better(tree[2 * i], tree[2 * i + 1], floats, least);
}

/* Where the latest value stands, up to and with each event (-1: there is none), and the values. */
static void index_last(const line *of, int64_t number, const values *v) {
  int64_t *at = part(of, number, "at", ADL_INT64, of->events);
  int64_t *value = part(of, number, "value", ADL_INT64, of->events);
  for (int64_t k = 0; k < of->keys; k++) {
    int64_t latest = -1;
    for (int64_t i = of->first[k]; i < of->first[k + 1]; i++) {
      if (v->has[of->event[i]]) latest = i;
      at[i] = latest;
      value[i] = v->bits[of->event[i]];
    }
  }
}

/* For each event, where the same value stood before with this key (-1: nowhere, -2: it has no value), and how many
 * different ones there were up to and with it. Places in the order of their values: those of one value still rise, so those
 * of one key stand together, and each is the next one's before. */
static void index_distinct(const line *of, int64_t number, const values *v) {
  const adl_host *host = of->call->host;
  int64_t *same = part(of, number, "same", ADL_INT64, of->events);
  int64_t *count = part(of, number, "count", ADL_INT64, of->events), with = 0;
  adl_radix_pair *pairs = host->alloc(of->call, 2 * ((size_t)of->events + 1) * sizeof *pairs);
  for (int64_t i = 0; i < of->events; i++) {
    same[i] = v->has[of->event[i]] ? -1 : -2;
    if (v->has[of->event[i]]) pairs[with++] = (adl_radix_pair){(uint64_t)v->bits[of->event[i]], (uint64_t)i};
  }
  adl_radix_sort(of->call, pairs, pairs + of->events, with);
  for (int64_t i = 1; i < with; i++) {
    int64_t before = (int64_t)pairs[i - 1].value, place = (int64_t)pairs[i].value;
    bool again = pairs[i].key == pairs[i - 1].key && of->key[of->event[before]] == of->key[of->event[place]];
    if (again) same[place] = before;
  }
  for (int64_t k = 0; k < of->keys; k++) {
    int64_t so_far = 0;
    for (int64_t i = of->first[k]; i < of->first[k + 1]; i++) count[i] = so_far += same[i] == -1;
  }
}

/* Numbers of tokens (-1: none) and their weights. */
static void index_bag(const line *of, int64_t number, const values *tokens, const values *weights, bool whole) {
  int64_t *token = part(of, number, "value", ADL_INT64, of->events);
  double *weight = part(of, number, "weight", ADL_FLOAT64, of->events);
  for (int64_t i = 0; i < of->events; i++) {
    int64_t event = of->event[i];
    bool has = tokens->has[event] && (weights == NULL || weights->has[event]);
    token[i] = has ? tokens->bits[event] : -1;
    weight[i] = 1;
    if (weights == NULL) continue;
    if (whole)
      weight[i] = (double)weights->bits[event];
    else
      memcpy(&weight[i], &weights->bits[event], sizeof *weight);
  }
}

static void index_call(const line *of, const adl_past *past, int64_t number, int64_t capacity) {
  const adl_past_call *c = &past->calls[number];
  values v = {NULL, NULL}, weights = {NULL, NULL};
  if (c->column >= 0) v = values_of(of->call, of->tensors, c->column, capacity);
  if (c->weight >= 0) weights = values_of(of->call, of->tensors, c->weight, capacity);
  bool floats = c->column >= 0 && past->columns[c->column].kind == ADL_PAST_FLOAT;
  switch (c->function) {
    case ADL_PAST_COUNT:
      if (c->column >= 0) index_count(of, number, &v);
      break;
    case ADL_PAST_MEAN: index_count(of, number, &v); /* fall through */
    case ADL_PAST_SUM: index_sum(of, number, &v, !floats); break;
    case ADL_PAST_MIN:
    case ADL_PAST_MAX:
      index_count(of, number, &v);
      index_extreme(of, number, &v, floats, c->function == ADL_PAST_MIN);
      break;
    case ADL_PAST_LAST: index_last(of, number, &v); break;
    case ADL_PAST_DISTINCT: index_distinct(of, number, &v); break;
    case ADL_PAST_BAG:
      index_bag(of, number, &v, c->weight >= 0 ? &weights : NULL,
                c->weight >= 0 && past->columns[c->weight].kind == ADL_PAST_INTEGER);
      break;
    case ADL_PAST_SINCE: break;
  }
}

/* ---- the whole ---- */

/* What was gathered is not needed any more once it stands in the timelines. */
static void drop_gathered(const adl_call *call, const adl_past *past, adl_tensors *tensors) {
  static const char *const names[] = {"event.key", "event.time", "event.held"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) call->host->drop_tensor(call, tensors, names[i]);
  for (int64_t c = 0; c < past->column_count; c++) {
    char name[40];
    snprintf(name, sizeof name, "value.%lld", (long long)c);
    call->host->drop_tensor(call, tensors, name);
    snprintf(name, sizeof name, "has.%lld", (long long)c);
    call->host->drop_tensor(call, tensors, name);
  }
}

adl_status adl_past_fit(const adl_call *call, const adl_past *past, adl_fold *fold, adl_rows *rows, adl_model *model) {
  const adl_host *host = call->host;
  adl_tensors *tensors = model->tensors;
  events e = grow(call, tensors, 1);
  adl_tensor capacity;
  for (int64_t c = 0; c < past->column_count; c++) text_table(call, past, tensors, c);
  ADL_TRY(host->fold(call, rows, fold, tensors));
  e = grow(call, tensors, 0);
  host->find_tensor(call, tensors, "event.time", &capacity);
  int lines = 1;
  for (int64_t i = 0; i < *e.count; i++)
    if (e.held[i] != 0) lines = 2;
  adl_radix_pair *order = host->alloc(call, 2 * ((size_t)*e.count + 1) * sizeof *order);
  sort_by_time(call, &e, order, order + *e.count);
  for (int training = 0; training < lines; training++) {
    if (host->cancelled(call)) return ADL_FAILED;
    line timeline = deal_events(call, tensors, &e, order, training ? 't' : 'a', !training);
    for (int64_t i = 0; i < past->call_count; i++) index_call(&timeline, past, i, capacity.size[0]);
  }
  drop_gathered(call, past, tensors);
  return ADL_OK;
}
