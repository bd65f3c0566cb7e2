/*
 * cross: candidates. Every row of the input with every row of another stage that is eligible for it.
 *
 * fit indexes the other stage's rows. A side row that is open in some columns of `match` (null there) can be found by the
 * others alone, so side rows are kept by pattern (the set of columns in which they are not open) and by the values in
 * these: a keyed table gives the first and last row of each, and tensor `next` the chain through them (the number of the
 * next row and one more, 0 at the end). process looks a row up once for each pattern that occurs, and so touches only rows
 * that match; bounds are looked at one by one.
 */
#include <adloom/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/key.h"
#include "common/sides.h"

enum { MISSING_DROP, MISSING_KEEP, MISSING_REJECT };
enum { MOST_PAIRS = 62, MOST_CANDIDATES = 1 << 26 }; /* of one batch: 1 GiB of row numbers alone */

typedef struct rule {
  adl_input main, side;
  double open; /* bounds: no bound. -inf: main >= side; inf: main <= side */
} rule;

typedef struct cross {
  adl_side with;
  adl_map match, at_least, at_most;
  int64_t limit;
  adl_strings columns;
  const char *prefix;
  int32_t missing;
  adl_output eligible;
  rule *rules; /* of `match`, then the bounds */
  int64_t match_count, bound_count;
} cross;

/* ---- the index ---- */

typedef struct side_index {
  adl_table *patterns, *keys; /* keys: first and last row */
  int64_t *rows;              /* how many */
  int64_t *next;
  uint8_t *held; /* is held out: no training row may find it */
  double *bound; /* rows x bound_count */
} side_index;

/* The index in the making, with room for that many side rows. */
static side_index grow_index(const adl_call *call, const cross *self, adl_tensors *tensors, int64_t rows) {
  const adl_host *host = call->host;
  const int64_t one = 1;
  adl_tensor next;
  bool any = host->find_tensor(call, tensors, "next", &next);
  int64_t capacity = any ? next.size[0] : 0;
  if (!any || capacity < rows) capacity = 2 * rows;
  side_index index = {.patterns = host->table(call, tensors, "patterns", 0),
                      .keys = host->table(call, tensors, "keys", 2),
                      .rows = host->tensor(call, tensors, "rows", ADL_INT64, 1, &one),
                      .next = host->tensor(call, tensors, "next", ADL_INT64, 1, &capacity),
                      .held = host->tensor(call, tensors, "held", ADL_BYTES, 1, &capacity)};
  const int64_t bounds[2] = {capacity, self->bound_count};
  if (self->bound_count > 0) index.bound = host->tensor(call, tensors, "bound", ADL_FLOAT64, 2, bounds);
  return index;
}

/* The key of a side row: the pattern, and the values of the columns in which it is not open. */
static uint64_t pattern_of(const cross *self, const adl_batch *batch, int64_t row) {
  uint64_t pattern = 0;
  for (int64_t i = 0; i < self->match_count; i++)
    if (!adl_is_null(batch->slots[self->rules[i].side.slot], row)) pattern |= UINT64_C(1) << i;
  return pattern;
}

/* The same key, made of the values of a main row (or, in fit, of the side row itself). False: one of them is null. */
static bool make_key(const cross *self, const adl_batch *batch, bool side, uint64_t pattern, int64_t row,
                     adl_key *key) {
  key->size = 0;
  adl_key_add_integer(key, (int64_t)pattern);
  for (int64_t i = 0; i < self->match_count; i++) {
    if ((pattern >> i & 1) == 0) continue;
    const adl_input *input = side ? &self->rules[i].side : &self->rules[i].main;
    if (adl_is_null(batch->slots[input->slot], row)) return false;
    adl_key_add(key, batch->slots[input->slot], row, false);
  }
  return true;
}

static void index_row(const adl_call *call, side_index *index, int64_t number, const adl_key *key) {
  const adl_host *host = call->host;
  int64_t before = host->table_count(index->keys);
  double *ends = host->table_row(index->keys, host->table_insert(index->keys, key->data, key->size));
  if (host->table_count(index->keys) > before)
    ends[0] = (double)number;
  else
    index->next[(int64_t)ends[1]] = number + 1;
  ends[1] = (double)number;
  host->table_insert(index->patterns, key->data, 8); /* which every key begins with */
}

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *total) {
  const cross *self = instance;
  side_index index = grow_index(call, self, total, batch->ordinal + batch->rows);
  adl_key key;
  (void)context;
  adl_key_begin(&key, call);
  index.rows[0] = batch->ordinal + batch->rows;
  for (int64_t row = 0; row < batch->rows; row++) {
    int64_t number = batch->ordinal + row;
    index.held[number] = call->host->row_split(call, row) != ADL_TRAIN;
    for (int64_t i = 0; i < self->bound_count; i++) {
      const rule *bound = &self->rules[self->match_count + i];
      const adl_column *column = batch->slots[bound->side.slot];
      index.bound[number * self->bound_count + i] = adl_is_null(column, row) ? bound->open : adl_number_at(column, row);
    }
    make_key(self, batch, true, pattern_of(self, batch, row), row, &key);
    index_row(call, &index, number, &key);
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = step};
  grow_index(call, instance, model->tensors, 1);
  return call->host->fold(call, rows, &fold, model->tensors);
}

/* ---- finding ---- */

/* What a call works with. */
typedef struct search {
  const adl_call *call;
  const cross *self;
  const adl_batch *batch;
  side_index index;
  adl_key key;
  uint64_t limit_key;
  double *value;  /* of the row in hand, for each bound; NAN: null */
  int64_t *found; /* as long as there are side rows */
  int64_t count;
} search;

static adl_status find_index(const adl_call *call, const cross *self, const adl_model *model, side_index *index) {
  const adl_host *host = call->host;
  adl_tensor rows, next, held, bound = {0};
  bool whole = host->find_tensor(call, model->tensors, "rows", &rows);
  whole = host->find_tensor(call, model->tensors, "next", &next) && whole;
  whole = host->find_tensor(call, model->tensors, "held", &held) && whole;
  if (self->bound_count > 0) whole = host->find_tensor(call, model->tensors, "bound", &bound) && whole;
  *index = (side_index){.patterns = (adl_table *)(uintptr_t)host->find_table(call, model->tensors, "patterns"),
                        .keys = (adl_table *)(uintptr_t)host->find_table(call, model->tensors, "keys"),
                        .rows = rows.data,
                        .next = next.data,
                        .held = held.data,
                        .bound = bound.data};
  if (whole && index->patterns != NULL && index->keys != NULL) return ADL_OK;
  return host->fail(call, NULL, -1, "run it anew", "the index of `%s` is not complete", self->with.name);
}

static bool within_bounds(const search *s, int64_t number) {
  const cross *self = s->self;
  for (int64_t i = 0; i < self->bound_count; i++) {
    double bound = s->index.bound[number * self->bound_count + i], open = self->rules[self->match_count + i].open;
    if (bound == open) continue;
    if (!(open < 0 ? s->value[i] >= bound : s->value[i] <= bound)) return false; /* so is null, as NAN */
  }
  return true;
}

static void find_in_chain(search *s, int64_t key, bool training) {
  int64_t number = (int64_t)s->call->host->table_row(s->index.keys, key)[0];
  for (; number >= 0; number = s->index.next[number] - 1)
    if (!(training && s->index.held[number]) && within_bounds(s, number)) s->found[s->count++] = number;
}

static int by_number(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The side rows that are eligible for a row, in the side's order. */
static void find_eligible(search *s, int64_t row) {
  const adl_host *host = s->call->host;
  bool training = host->row_split(s->call, row) == ADL_TRAIN;
  int64_t chains = 0;
  s->count = 0;
  for (int64_t i = 0; i < s->self->bound_count; i++) {
    const adl_column *column = s->batch->slots[s->self->rules[s->self->match_count + i].main.slot];
    s->value[i] = adl_is_null(column, row) ? (double)NAN : adl_number_at(column, row);
  }
  for (int64_t p = 0; p < host->table_count(s->index.patterns); p++) {
    adl_key_value pattern;
    adl_text text = host->table_key(s->index.patterns, p);
    adl_key_reader reader = {(const uint8_t *)text.data, (const uint8_t *)text.data + text.size};
    adl_key_next(&reader, ADL_INT64, false, NULL, &pattern);
    if (!make_key(s->self, s->batch, false, (uint64_t)pattern.integer, row, &s->key)) continue;
    int64_t key = host->table_find(s->index.keys, s->key.data, s->key.size);
    if (key < 0) continue;
    find_in_chain(s, key, training);
    chains++;
  }
  if (chains > 1) qsort(s->found, (size_t)s->count, sizeof *s->found, by_number);
}

/* Keeps `limit` of them, every subset alike, in their order (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm
 * S). */
static void draw_some(search *s, int64_t row) {
  int64_t limit = s->self->limit, kept = 0;
  if (limit == 0 || s->count <= limit) return;
  uint64_t key = adl_random(s->limit_key, (uint64_t)(s->batch->ordinal + row));
  for (int64_t i = 0; kept < limit; i++)
    if (adl_random_unit(key, (uint64_t)i) * (double)(s->count - i) < (double)(limit - kept))
      s->found[kept++] = s->found[i];
  s->count = kept;
}

/* ---- batches ---- */

static adl_status write_eligible(const search *s, const adl_pairs *pairs, const int64_t *eligible, adl_out *out) {
  const adl_output *output = &s->self->eligible;
  adl_buffers to;
  if (output->slot < 0 || !s->call->host->wanted(s->call, output->slot)) return ADL_OK;
  ADL_TRY(s->call->host->reserve(s->call, out, output->slot, pairs->count, 0, 0, &to));
  for (int64_t i = 0; i < pairs->count; i++) ((int64_t *)to.data)[i] = eligible[pairs->main[i]];
  return ADL_OK;
}

static adl_status too_many(const search *s) {
  return s->call->host->fail(
      s->call, "limit", -1,
      "take some at random with `limit`, match more columns, or let fewer rows of the other stage "
      "through",
      "the %lld rows of one batch have more than %d candidates in `%s`, which do not fit in memory",
      (long long)s->batch->rows, (int)MOST_CANDIDATES, s->self->with.name);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const cross *self = instance;
  search s = {.call = call, .self = self, .batch = batch, .limit_key = host->random_key(call, "limit")};
  int64_t *eligible = host->alloc(call, (size_t)batch->rows * sizeof *eligible);
  adl_pairs pairs;
  ADL_TRY(find_index(call, self, model, &s.index));
  s.value = host->alloc(call, (size_t)(self->bound_count + 1) * sizeof *s.value);
  s.found = host->alloc(call, (size_t)(s.index.rows[0] + 1) * sizeof *s.found);
  adl_key_begin(&s.key, call);
  adl_pairs_begin(&pairs, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++) {
    if ((row & 63) == 0 && host->cancelled(call)) return ADL_FAILED;
    find_eligible(&s, row);
    eligible[row] = s.count;
    draw_some(&s, row);
    if (pairs.count + s.count > MOST_CANDIDATES) return too_many(&s);
    for (int64_t i = 0; i < s.count; i++) adl_pairs_add(&pairs, row, s.found[i]);
    if (s.count > 0) continue;
    if (self->missing == MISSING_KEEP) adl_pairs_add(&pairs, row, -1);
    if (self->missing == MISSING_REJECT) host->reject(call, row, "with", "%s has no eligible row", self->with.name);
  }
  ADL_TRY(adl_pairs_give(&pairs, &self->with, out));
  return write_eligible(&s, &pairs, eligible, out);
}

/* ---- binding ---- */

/* One entry of `match` or of a bound: both columns, seen and of shape SCALAR. */
static adl_status bind_rule(const adl_call *call, const cross *self, const char *parameter, const char *main,
                            const char *side, rule *to) {
  adl_type type;
  ADL_TRY(call->host->column_input(call, parameter, main, &to->main));
  ADL_TRY(adl_side_find(call, &self->with, parameter, side, &type));
  ADL_TRY(call->host->side_input(call, parameter, &self->with, side, &to->side));
  if (to->main.type.shape == ADL_SCALAR && to->side.type.shape == ADL_SCALAR) return ADL_OK;
  return call->host->fail(call, parameter, -1, "leave it out here, and put a filter behind this stage",
                          "`%s` and `%s` of `%s` must have one value a row", main, side, self->with.name);
}

static bool ordered_alike(adl_type a, adl_type b) {
  const uint32_t numbers = ADL_ANY_FLOAT | ADL_ANY_INTEGER;
  if (a.element == ADL_TIMESTAMP || b.element == ADL_TIMESTAMP) return a.element == b.element;
  return (ADL_MASK(a.element) & numbers) != 0 && (ADL_MASK(b.element) & numbers) != 0;
}

/* All entries of one parameter into `rules`. `open` 0: equality. */
static adl_status bind_rules(const adl_call *call, const cross *self, const char *name, const adl_map *map, double open,
                             rule *rules) {
  adl_status status = ADL_OK;
  for (int64_t i = 0; i < map->count; i++) {
    char parameter[300];
    snprintf(parameter, sizeof parameter, "%s.%s", name, map->keys[i]);
    rules[i] = (rule){.main = {.slot = -1}, .side = {.slot = -1}, .open = open};
    if (bind_rule(call, self, parameter, map->keys[i], map->values[i], &rules[i]) != ADL_OK) {
      status = ADL_FAILED;
      continue;
    }
    adl_type main = rules[i].main.type, side = rules[i].side.type;
    if (open == 0 && !adl_key_comparable(main, side))
      status = call->host->fail(call, parameter, -1, "make them alike with derive: string(x), number(x), integer(x)",
                                "`%s` and `%s` of `%s` are of different types and can never be equal", map->keys[i],
                                map->values[i], self->with.name);
    else if (open != 0 && !ordered_alike(main, side))
      status = call->host->fail(call, parameter, -1, "make them so with derive: number(x), timestamp(x)",
                                "`%s` and `%s` of `%s` must both be numbers, or both timestamps", map->keys[i],
                                map->values[i], self->with.name);
  }
  return status;
}

static adl_status bind(const adl_call *call, void *instance) {
  cross *self = instance;
  self->match_count = self->match.count;
  self->bound_count = self->at_least.count + self->at_most.count;
  if (self->match_count > MOST_PAIRS)
    return call->host->fail(call, "match", -1, "put a filter behind this stage for the others",
                            "there are %lld pairs, and at most %d are allowed", (long long)self->match_count,
                            (int)MOST_PAIRS);
  self->rules = calloc((size_t)(self->match_count + self->bound_count) + 1, sizeof *self->rules);
  if (self->rules == NULL) return call->host->fail(call, "match", -1, NULL, "no memory for the list");
  rule *bounds = self->rules + self->match_count;
  adl_status status = bind_rules(call, self, "match", &self->match, 0, self->rules);
  if (bind_rules(call, self, "at_least", &self->at_least, (double)-INFINITY, bounds) != ADL_OK) status = ADL_FAILED;
  bounds += self->at_least.count;
  if (bind_rules(call, self, "at_most", &self->at_most, (double)INFINITY, bounds) != ADL_OK) status = ADL_FAILED;
  if (adl_side_bring_all(call, &self->with, &self->columns, self->prefix, NULL, NULL) != ADL_OK) status = ADL_FAILED;
  ADL_TRY(call->host->declare(call, &self->eligible, (adl_type){.element = ADL_INT64}));
  return status;
}

static void destroy(void *instance) { free(((cross *)instance)->rules); }

static const adl_param params[] = {
    {.name = "with",
     .type = ADL_PARAM_STAGE,
     .flags = ADL_REQUIRED,
     .offset = offsetof(cross, with),
     .doc = "The stage whose rows are the candidates, for example the ads."},
    {.name = "match",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF,
     .offset = offsetof(cross, match),
     .doc = "Columns that must be equal, as `{own: other}`: own column, column of the other stage. A null in the other "
            "one is open to all."},
    {.name = "at_least",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF,
     .offset = offsetof(cross, at_least),
     .doc = "Lower bounds, as `{age: min_age}`: own column, column of the other stage that it must reach. Null there: "
            "no bound."},
    {.name = "at_most",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF,
     .offset = offsetof(cross, at_most),
     .doc = "Upper bounds, as `{age: max_age}`: own column, column of the other stage that it must not pass. Null "
            "there: no bound."},
    {.name = "limit",
     .type = ADL_PARAM_INT,
     .offset = offsetof(cross, limit),
     .default_value = "0",
     .range = "[0, 2147483647]",
     .unit = "rows",
     .doc = "At most so many candidates for each row, drawn at random; 0: all that are eligible."},
    {.name = "columns",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF,
     .offset = offsetof(cross, columns),
     .doc = "Columns of the other stage to bring along; all of them, unless said."},
    {.name = "prefix",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(cross, prefix),
     .doc = "What to put before their names, where they clash with those that are there."},
    {.name = "missing",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(cross, missing),
     .default_value = "drop",
     .choices = "drop|keep|reject",
     .doc = "What to do with a row for which nothing is eligible: drop it (the log says how many), keep it once with "
            "nulls in the new columns, or reject it."},
    {.name = "eligible",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(cross, eligible),
     .doc = "New column: how many rows of the other stage were eligible, before `limit` (int64)."},
};

static const char doc[] =
    "Candidates: each row leaves once with every row of the other stage that is eligible for it, and with that "
    "row's columns. The candidates of one row stand next to each other, in the order of the other stage, as "
    "`choose` wants them.\n\n"
    "Eligible is what fulfils all of `match`, `at_least` and `at_most`; without any, everything. A null in the "
    "other stage's column means no condition: open to all. A null in the own column fulfils only conditions that "
    "are open: an ad for one country is not shown where the country is not known. NaN fulfils no bound. Values "
    "are compared exactly, integers of any width with each other; bounds, which may be timestamps as well, as "
    "float64, both ends included. Anything richer is a `filter` behind this stage, which sees the columns of "
    "both.\n\n"
    "With a `limit`, every subset of that size is equally likely (Knuth, The Art of Computer Programming 2, "
    "section 3.4.2, algorithm S), and is drawn by the run's seed and the number of the row; candidates keep their "
    "order.\n\n"
    "The other stage is read first, whole: an index of about 80 bytes a row, and 8 for each bound, is held in "
    "memory; the columns to bring are kept with the run's rows and may lie on disk. A row is looked up by the "
    "columns of `match`, so the time goes with what matches, not with all pairs. The numbers of all candidates of a "
    "batch (up to 4096 rows) are found at once, which takes each thread about 4096 x c x 50 bytes with c candidates a "
    "row, some 200 MB for c = 1000; the candidates themselves, with their columns, go on in parts of 4096. More than "
    "67,108,864 candidates in a batch end the run.\n\n"
    "The row keeps its own split. A training row never finds a row of the other stage that is held out. An empty "
    "other stage leaves every row without candidates.";

static const adl_class cross_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "cross",
    .title = "Candidates: each row with every eligible row of another stage",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_TRANSIENT,
    .form = ADL_PICKED,
    .instance_size = sizeof(cross),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .fit = fit,
    .process = process,
};

ADL_PLUGIN_OF("cross", "1.0.0", "transform:cross", &cross_class);
