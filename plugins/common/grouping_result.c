/* Groups as rows, see grouping.h. Each part is sorted by itself, on all threads, and laid out anew in that order; then the
 * parts are merged, so that each is read from the front. */
#include <string.h>

#include "common/grouping.h"
#include "common/key_columns.h"
#include "common/key_order.h"

enum { BATCH_ROWS = 4096, AT_ONCE = 8 }; /* parts sorted before their old tables go */

/* A part, sorted. */
typedef struct sorted_part {
  adl_aggregate_state state;
  int64_t count, at; /* groups, and which one is next */
  uint64_t word;     /* the first eight bytes of its key */
  adl_text key;
} sorted_part;

typedef struct sorting {
  const adl_grouping *grouping;
  adl_tensors *total;
  int32_t first; /* number of the part that is parts[0] */
  int32_t begin; /* of those sorted at once */
  sorted_part *parts;
  const adl_token_order *orders;  /* of each aggregate */
  adl_aggregate_result **results; /* [aggregate][part] */
} sorting;

/* ---- sorting a part ---- */

/* The keys in order, as groups 0, 1, 2 and so on; map[order[i]] is i. */
static void insert_sorted(const adl_call *call, const adl_aggregate_state *of, const int64_t *order, int64_t count,
                          const adl_aggregate_state *sorted, int64_t *map) {
  adl_keys keys;
  adl_keys_begin(&keys, call, BATCH_ROWS);
  for (int64_t first = 0; first < count; first += BATCH_ROWS) {
    adl_keys_empty(&keys);
    for (int64_t i = first; i < count && i < first + BATCH_ROWS; i++) {
      adl_key_add_text(&keys.key, call->host->table_key(of->groups, order[i]), true);
      adl_keys_end(&keys);
      map[order[i]] = i;
    }
    adl_keys_insert(&keys, sorted->groups);
  }
}

static adl_status sort_part(const adl_call *call, void *context, int64_t i) {
  const sorting *s = context;
  int32_t number = s->begin + (int32_t)i;
  sorted_part *part = &s->parts[number];
  adl_aggregate_state of = adl_grouping_state(call, s->grouping, s->total, s->first + number);
  int64_t count = part->count = call->host->table_count(of.groups);
  int64_t *map = call->host->alloc(call, ((size_t)count + 1) * sizeof *map);
  if (call->host->cancelled(call)) return ADL_FAILED;
  insert_sorted(call, &of, adl_keys_order(call, of.groups, count), count, &part->state, map);
  for (int64_t a = 0; a < s->grouping->count; a++)
    ADL_TRY(adl_aggregate_finish(call, &s->grouping->aggregates[a], &of, map, &s->orders[a], &part->state,
                                 &s->results[a][number]));
  return ADL_OK;
}

static void begin_sorting(sorting *s, const adl_call *call, int32_t parts) {
  const adl_host *host = call->host;
  const adl_grouping *grouping = s->grouping;
  adl_token_order *orders = host->alloc(call, ((size_t)grouping->count + 1) * sizeof *orders);
  s->parts = host->alloc(call, (size_t)parts * sizeof *s->parts);
  s->results = host->alloc(call, ((size_t)grouping->count + 1) * sizeof *s->results);
  for (int64_t a = 0; a < grouping->count; a++) {
    adl_aggregate_order(call, &grouping->aggregates[a], s->total, &orders[a]);
    s->results[a] = host->alloc(call, (size_t)parts * sizeof *s->results[a]);
  }
  s->orders = orders;
  for (int32_t i = 0; i < parts; i++) {
    adl_tensors *own = host->scratch_tensors(call); /* made here, since it is to outlive the sorting */
    s->parts[i] = (sorted_part){.state = {.tensors = own, .groups = host->table(call, own, "groups", grouping->width)}};
  }
}

static adl_status sort_parts(sorting *s, const adl_call *call, int32_t parts) {
  for (s->begin = 0; s->begin < parts; s->begin += AT_ONCE) {
    int32_t count = parts - s->begin < AT_ONCE ? parts - s->begin : AT_ONCE;
    for (int32_t i = 0; i < count; i++) /* what there is not is made while nobody else looks into the set */
      adl_grouping_state(call, s->grouping, s->total, s->first + s->begin + i);
    ADL_TRY(call->host->parallel(call, count, sort_part, s));
    for (int32_t i = 0; i < count; i++) {
      adl_aggregate_state of = adl_grouping_state(call, s->grouping, s->total, s->first + s->begin + i);
      adl_grouping_drop(call, s->grouping, &of);
    }
  }
  return ADL_OK;
}

/* ---- merging the parts ---- */

static void look_at_next(const adl_call *call, sorted_part *part) {
  uint8_t bytes[8] = {0};
  part->word = 0;
  if (part->at == part->count) return;
  part->key = call->host->table_key(part->state.groups, part->at);
  if (part->key.size > 0) memcpy(bytes, part->key.data, part->key.size < 8 ? (size_t)part->key.size : 8);
  for (int i = 0; i < 8; i++) part->word = part->word << 8 | bytes[i];
}

static bool is_before(const sorted_part *a, const sorted_part *b) {
  return a->word != b->word ? a->word < b->word : adl_key_compare(a->key, b->key) < 0;
}

/* A heap of numbers of parts that are not at their end, the one with the least key in front. */
typedef struct heap {
  int32_t parts[ADL_LOG_PARTS];
  int32_t count;
} heap;

static void sift_down(const sorted_part *parts, heap *h, int32_t at) {
  int32_t moved = h->parts[at];
  for (int32_t child = 2 * at + 1; child < h->count; at = child, child = 2 * at + 1) {
    if (child + 1 < h->count && is_before(&parts[h->parts[child + 1]], &parts[h->parts[child]])) child++;
    if (!is_before(&parts[h->parts[child]], &parts[moved])) break;
    h->parts[at] = h->parts[child];
  }
  h->parts[at] = moved;
}

static void begin_heap(const adl_call *call, sorted_part *parts, int32_t count, heap *h) {
  h->count = 0;
  for (int32_t i = 0; i < count; i++) {
    if (parts[i].count == 0) continue;
    look_at_next(call, &parts[i]);
    h->parts[h->count++] = i;
  }
  for (int32_t at = h->count / 2 - 1; at >= 0; at--) sift_down(parts, h, at);
}

/* The next groups in the order of keys. Returns how many. */
static int64_t next_groups(const adl_call *call, sorted_part *parts, heap *h, adl_group_place *places, adl_text *keys) {
  int64_t rows = 0;
  for (; rows < BATCH_ROWS && h->count > 0; rows++) {
    sorted_part *part = &parts[h->parts[0]];
    places[rows] = (adl_group_place){h->parts[0], part->at++};
    keys[rows] = part->key;
    look_at_next(call, part);
    if (part->at == part->count) h->parts[0] = h->parts[--h->count];
    if (h->count > 0) sift_down(parts, h, 0);
  }
  return rows;
}

adl_status adl_grouping_write(const adl_call *call, const adl_grouping *grouping, const int32_t *key_slots,
                              adl_tensors *total, adl_out *out) {
  const adl_host *host = call->host;
  bool parted = adl_grouping_parted(call, total);
  int32_t parts = parted ? ADL_LOG_PARTS : 1;
  sorting s = {.grouping = grouping, .total = total, .first = parted ? 1 : 0};
  heap h;
  adl_group_place *places = host->alloc(call, BATCH_ROWS * sizeof *places);
  adl_text *keys = host->alloc(call, BATCH_ROWS * sizeof *keys);
  begin_sorting(&s, call, parts);
  ADL_TRY(sort_parts(&s, call, parts));
  begin_heap(call, s.parts, parts, &h);
  for (int64_t rows; (rows = next_groups(call, s.parts, &h, places, keys)) > 0;) {
    if (host->cancelled(call)) return ADL_FAILED;
    ADL_TRY(adl_key_columns_write(call, &grouping->by, key_slots, keys, rows, out));
    for (int64_t a = 0; a < grouping->count; a++) ADL_TRY(adl_aggregate_write(call, s.results[a], places, rows, out));
    ADL_TRY(host->commit(call, out, rows));
  }
  return ADL_OK;
}
