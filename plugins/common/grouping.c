/* Folding groups, see grouping.h. */
#include "common/grouping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of groups in one table, above which it is cut into parts; bytes of rows that wait at least, before they are taken
 * in; pieces between two questions whether to go on. */
enum { WHOLE = 4 << 20, WAITING = 8 << 20, PIECES = 32 };

/* ---- setup ---- */

static bool has_slot(const adl_row_log_columns *columns, int32_t slot) {
  for (int64_t i = 0; i < columns->count; i++)
    if (columns->slots[i] == slot) return true;
  return false;
}

bool adl_grouping_bind(adl_grouping *grouping) {
  int64_t most = 0;
  for (int64_t i = 0; i < grouping->count; i++) most += grouping->aggregates[i].of->argument_count;
  int32_t *slots = calloc((size_t)most + 1, sizeof *slots);
  if (slots == NULL) return false;
  grouping->logged = (adl_row_log_columns){.slots = slots};
  for (int64_t i = 0; i < grouping->count; i++) {
    const adl_call_of *of = grouping->aggregates[i].of;
    for (int32_t j = 0; j < of->argument_count; j++) {
      int32_t slot = of->arguments[j].slot;
      if (has_slot(&grouping->logged, slot)) continue;
      slots[grouping->logged.count++] = slot;
      if (slot >= grouping->logged.slot_count) grouping->logged.slot_count = slot + 1;
    }
  }
  return true;
}

void adl_grouping_clear(adl_grouping *grouping) {
  free(grouping->aggregates);
  free((void *)(uintptr_t)grouping->logged.slots);
}

/* ---- tensors ---- */

static const char *table_name(int32_t part, char name[24]) {
  snprintf(name, 24, part == 0 ? "groups" : "groups.%d", part);
  return name;
}

adl_aggregate_state adl_grouping_state(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors,
                                       int32_t part) {
  char name[24];
  adl_aggregate_state state = {.tensors = tensors, .part = part};
  bool there = call->host->find_table(call, tensors, table_name(part, name)) != NULL;
  state.groups = call->host->table(call, tensors, name, grouping->width);
  for (int64_t i = 0; i < grouping->count && !there; i++) adl_aggregate_init(call, &grouping->aggregates[i], &state);
  return state;
}

void adl_grouping_drop(const adl_call *call, const adl_grouping *grouping, const adl_aggregate_state *state) {
  char name[24];
  for (int64_t i = 0; i < grouping->count; i++) adl_aggregate_drop(call, &grouping->aggregates[i], state);
  call->host->drop_tensor(call, state->tensors, table_name(state->part, name));
}

bool adl_grouping_parted(const adl_call *call, const adl_tensors *tensors) { return adl_row_log_there(call, tensors); }

void adl_grouping_init(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors) {
  adl_grouping_state(call, grouping, tensors, 0);
}

/* ---- taking rows in ---- */

/* Scratch memory for one batch after the other. */
typedef struct work {
  adl_keys keys;   /* of groups */
  adl_keys others; /* of what is in them */
  double **cells;
  int64_t capacity;
} work;

static void begin_work(work *w, const adl_call *call, int64_t rows) {
  *w = (work){0};
  adl_keys_begin(&w->keys, call, rows);
  adl_keys_begin(&w->others, call, rows);
}

/* The rows of a batch, whose keys are w->keys. */
static adl_status take_in(const adl_call *call, const adl_grouping *grouping, work *w, const adl_batch *batch,
                          const int64_t *ordinals, const adl_aggregate_state *state) {
  const adl_host *host = call->host;
  const int64_t *group = adl_keys_insert(&w->keys, state->groups);
  if (w->capacity < batch->rows) {
    w->capacity = 2 * batch->rows;
    w->cells = host->alloc(call, (size_t)w->capacity * sizeof *w->cells);
  }
  for (int64_t row = 0; row < batch->rows; row++) w->cells[row] = host->table_row(state->groups, group[row]);
  adl_aggregate_rows rows = {
      .batch = batch, .ordinals = ordinals, .group = group, .cells = w->cells, .keys = &w->others};
  for (int64_t i = 0; i < grouping->count; i++)
    ADL_TRY(adl_aggregate_step(call, &grouping->aggregates[i], &rows, state));
  return ADL_OK;
}

static void read_keys(adl_keys *keys, const adl_row_log_reader *from) {
  adl_keys_empty(keys);
  for (int64_t row = 0, begin = 0; row < from->batch.rows; row++) {
    adl_key_add_text(&keys->key, (adl_text){from->keys + begin, (int32_t)(from->key_ends[row] - begin)}, true);
    adl_keys_end(keys);
    begin = from->key_ends[row];
  }
}

/* Rows of the log that belong to a part. */
static adl_status take_part(const adl_call *call, const adl_grouping *grouping, work *w, adl_row_log_reader *log,
                            const adl_aggregate_state *state) {
  adl_row_log_begin(log, state->part - 1);
  for (int64_t piece = 1; adl_row_log_next(log); piece++) {
    if (piece % PIECES == 0 && call->host->cancelled(call)) return ADL_FAILED;
    read_keys(&w->keys, log);
    ADL_TRY(take_in(call, grouping, w, &log->batch, log->ordinals, state));
  }
  return ADL_OK;
}

static adl_status take_all(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors) {
  work w;
  adl_row_log_reader log;
  begin_work(&w, call, 0);
  adl_row_log_open(&log, call, tensors, &grouping->logged);
  for (int32_t part = 1; part <= ADL_LOG_PARTS; part++) {
    adl_aggregate_state state = adl_grouping_state(call, grouping, tensors, part);
    ADL_TRY(take_part(call, grouping, &w, &log, &state));
  }
  adl_row_log_empty(call, tensors);
  return ADL_OK;
}

/* ---- parts ---- */

static int64_t group_bytes(const adl_grouping *grouping) {
  enum { KEY = 48 }; /* with where it is found */
  int64_t bytes = KEY + grouping->width * (int64_t)sizeof(double);
  for (int64_t i = 0; i < grouping->count; i++) bytes += adl_aggregate_bytes(&grouping->aggregates[i]);
  return bytes;
}

/* Takes from the whole the groups of a part, number by number; map[i] is where group i is to be found in it, or -1. */
static void map_part(const adl_call *call, const adl_aggregate_state *whole, const adl_aggregate_state *state,
                     adl_keys *keys, int64_t *map) {
  const adl_host *host = call->host;
  adl_keys_empty(keys);
  for (int64_t i = 0; i < host->table_count(whole->groups); i++) {
    adl_text key = host->table_key(whole->groups, i);
    map[i] = adl_row_log_part(key.data, key.size) == state->part - 1 ? keys->count : -1;
    if (map[i] < 0) continue;
    adl_key_add_text(&keys->key, key, true);
    adl_keys_end(keys);
  }
  adl_keys_insert(keys, state->groups); /* it was empty: their numbers are those in `keys` */
}

/* From one table to parts. */
static adl_status part_groups(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors) {
  adl_aggregate_state whole = adl_grouping_state(call, grouping, tensors, 0);
  int64_t *map = call->host->alloc(call, ((size_t)call->host->table_count(whole.groups) + 1) * sizeof *map);
  adl_keys keys;
  adl_keys_begin(&keys, call, 0);
  for (int32_t part = 1; part <= ADL_LOG_PARTS; part++) {
    adl_aggregate_state state = adl_grouping_state(call, grouping, tensors, part);
    map_part(call, &whole, &state, &keys, map);
    for (int64_t i = 0; i < grouping->count; i++)
      ADL_TRY(adl_aggregate_merge(call, &grouping->aggregates[i], &state, &whole, map, NULL));
  }
  adl_grouping_drop(call, grouping, &whole);
  adl_row_log_empty(call, tensors);
  return ADL_OK;
}

static int64_t count_groups(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors) {
  int64_t count = 0;
  for (int32_t part = 1; part <= ADL_LOG_PARTS; part++)
    count += call->host->table_count(adl_grouping_state(call, grouping, tensors, part).groups);
  return count;
}

/* So many rows wait that a look at all of the groups is worth it. */
static bool is_long(const adl_call *call, const adl_grouping *grouping, adl_tensors *tensors) {
  int64_t bytes = adl_row_log_bytes(call, tensors);
  return bytes > WAITING && bytes > count_groups(call, grouping, tensors) * group_bytes(grouping) / 2;
}

adl_status adl_grouping_step(const adl_call *call, const adl_grouping *grouping, const adl_batch *batch,
                             adl_tensors *partial) {
  work w;
  begin_work(&w, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++)
    adl_keys_add_row(&w.keys, batch, &grouping->by, row); /* null in none */
  if (adl_grouping_parted(call, partial)) {
    adl_row_log_add(call, partial, &grouping->logged, batch, &w.keys);
    return is_long(call, grouping, partial) ? take_all(call, grouping, partial) : ADL_OK;
  }
  adl_aggregate_state whole = adl_grouping_state(call, grouping, partial, 0);
  ADL_TRY(take_in(call, grouping, &w, batch, NULL, &whole));
  bool large = call->host->table_count(whole.groups) * group_bytes(grouping) > WHOLE;
  return large ? part_groups(call, grouping, partial) : ADL_OK;
}

/* ---- merging ---- */

/* A merge of two sets. `keys`, `tokens` (of each aggregate) serve for all parts. */
typedef struct merging {
  adl_keys keys;
  adl_token_map *tokens;
} merging;

static void begin_merging(merging *m, const adl_call *call, const adl_grouping *grouping) {
  size_t size = ((size_t)grouping->count + 1) * sizeof *m->tokens;
  adl_keys_begin(&m->keys, call, 0);
  m->tokens = call->host->alloc(call, size);
  memset(m->tokens, 0, size);
}

static adl_status merge_states(const adl_call *call, const adl_grouping *grouping, merging *m,
                               const adl_aggregate_state *into, const adl_aggregate_state *from) {
  const adl_host *host = call->host;
  adl_keys_empty(&m->keys);
  for (int64_t i = 0; i < host->table_count(from->groups); i++) {
    adl_key_add_text(&m->keys.key, host->table_key(from->groups, i), true);
    adl_keys_end(&m->keys);
  }
  const int64_t *map = adl_keys_insert(&m->keys, into->groups);
  for (int64_t i = 0; i < grouping->count; i++)
    ADL_TRY(adl_aggregate_merge(call, &grouping->aggregates[i], into, from, map, &m->tokens[i]));
  adl_grouping_drop(call, grouping, from);
  return ADL_OK;
}

/* Part by part: what is to be taken in of both, and then the one into the other. */
static adl_status merge_parts(const adl_call *call, const adl_grouping *grouping, merging *m, adl_tensors *into,
                              adl_tensors *from) {
  work w;
  adl_row_log_reader into_log, from_log;
  begin_work(&w, call, 0);
  adl_row_log_open(&into_log, call, into, &grouping->logged);
  adl_row_log_open(&from_log, call, from, &grouping->logged);
  for (int32_t part = 1; part <= ADL_LOG_PARTS; part++) {
    adl_aggregate_state to = adl_grouping_state(call, grouping, into, part);
    adl_aggregate_state of = adl_grouping_state(call, grouping, from, part);
    ADL_TRY(take_part(call, grouping, &w, &into_log, &to));
    ADL_TRY(take_part(call, grouping, &w, &from_log, &of));
    ADL_TRY(merge_states(call, grouping, m, &to, &of));
    if (call->host->cancelled(call)) return ADL_FAILED;
  }
  adl_row_log_empty(call, into);
  adl_row_log_empty(call, from);
  return ADL_OK;
}

adl_status adl_grouping_merge(const adl_call *call, const adl_grouping *grouping, adl_tensors *into,
                              adl_tensors *from) {
  bool into_parted = adl_grouping_parted(call, into), from_parted = adl_grouping_parted(call, from);
  merging m;
  begin_merging(&m, call, grouping);
  if (!into_parted && !from_parted) {
    adl_aggregate_state to = adl_grouping_state(call, grouping, into, 0);
    adl_aggregate_state of = adl_grouping_state(call, grouping, from, 0);
    return merge_states(call, grouping, &m, &to, &of);
  }
  if (!into_parted) ADL_TRY(part_groups(call, grouping, into));
  if (!from_parted) ADL_TRY(part_groups(call, grouping, from));
  return merge_parts(call, grouping, &m, into, from);
}

adl_status adl_grouping_settle(const adl_call *call, const adl_grouping *grouping, adl_tensors *total) {
  if (!adl_grouping_parted(call, total)) return ADL_OK;
  ADL_TRY(take_all(call, grouping, total));
  return ADL_OK;
}
