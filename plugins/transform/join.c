/*
 * join: columns of another stage, looked up by key. fit reads that stage's rows and indexes them; process picks the rows
 * of the main input and names the side row that goes with each, which the core gathers.
 *
 * The index: a keyed table that says, for each key, its first side row and, where a key may have many, its last; and a
 * chain through the rows of one key, once there is a key that has several (tensor `next`: the number of the next row and one
 * more, 0 at the end). A training row must not find a side row that is held out, so the index also knows which rows those
 * are (tensor `held`, one byte a row). It is looked at in random places, and so kept small.
 */
#include <adloom/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/key.h"
#include "common/sides.h"

enum { MANY_REFUSE, MANY_FIRST, MANY_LAST, MANY_ALL };
enum { MISSING_KEEP, MISSING_DROP, MISSING_REJECT };

typedef struct join {
  adl_side with;
  adl_inputs on;
  adl_strings with_on;
  adl_strings columns;
  const char *prefix;
  int32_t many;
  int32_t missing;
  adl_output matched;
  adl_inputs keys; /* of the side; items is side_keys */
  adl_input *side_keys;
} join;

/* ---- the index ---- */

typedef struct side_index {
  adl_table *keys; /* first row, and last */
  int64_t *next;   /* NULL: no key has several rows */
  uint8_t *held;
} side_index;

/* A tensor of so many rows at least; when it grows, to twice as many. */
static void *grow_tensor(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element,
                         int64_t rows) {
  adl_tensor tensor;
  int64_t capacity = call->host->find_tensor(call, tensors, name, &tensor) ? tensor.size[0] : 0;
  if (capacity < rows) capacity = 2 * rows;
  return call->host->tensor(call, tensors, name, element, 1, &capacity);
}

/* The index in the making, with room for that many side rows. */
static side_index grow_index(const adl_call *call, const join *self, adl_tensors *tensors, int64_t rows) {
  const adl_host *host = call->host;
  adl_tensor next;
  side_index index = {.keys = host->table(call, tensors, "keys", self->many == MANY_REFUSE ? 1 : 2)};
  if (host->find_tensor(call, tensors, "next", &next)) index.next = grow_tensor(call, tensors, "next", ADL_INT64, rows);
  index.held = grow_tensor(call, tensors, "held", ADL_BYTES, rows);
  return index;
}

/* The index as it is; keys NULL: there is none. */
static side_index find_index(const adl_call *call, const adl_model *model) {
  adl_tensor next, held;
  side_index index = {.keys = (adl_table *)(uintptr_t)call->host->find_table(call, model->tensors, "keys")};
  if (!call->host->find_tensor(call, model->tensors, "held", &held)) index.keys = NULL;
  call->host->find_tensor(call, model->tensors, "next", &next);
  index.next = next.data;
  index.held = held.data;
  return index;
}

static adl_status refuse_second(const adl_call *call, const join *self, const adl_batch *batch, int64_t row,
                                int64_t first) {
  char key[200];
  adl_key_describe(batch, &self->keys, row, key, sizeof key);
  return call->host->fail(call, "many", -1, "say which one counts: `many: first`, `last` or `all`",
                          "`%s` has the key %s in its rows %lld and %lld (counted from 1)", self->with.name, key,
                          (long long)first + 1, (long long)(batch->ordinal + row) + 1);
}

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *total) {
  const adl_host *host = call->host;
  const join *self = instance;
  side_index index = grow_index(call, self, total, batch->ordinal + batch->rows);
  int64_t known = host->table_count(index.keys), *with_key = host->alloc(call, (size_t)batch->rows * sizeof *with_key);
  adl_keys keys;
  (void)context;
  adl_keys_begin(&keys, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++) {
    index.held[batch->ordinal + row] = host->row_split(call, row) != ADL_TRAIN;
    if (adl_keys_add_row(&keys, batch, &self->keys, row)) with_key[keys.count - 1] = row;
  }
  const int64_t *at = adl_keys_insert(&keys, index.keys);
  for (int64_t i = 0; i < keys.count; i++) {
    int64_t number = batch->ordinal + with_key[i];
    double *ends = host->table_row(index.keys, at[i]);
    if (at[i] == known) { /* a new one is numbered next */
      ends[0] = (double)number;
      if (self->many != MANY_REFUSE) ends[1] = (double)number;
      known++;
      continue;
    }
    if (self->many == MANY_REFUSE) return refuse_second(call, self, batch, with_key[i], (int64_t)ends[0]);
    if (index.next == NULL) index.next = grow_tensor(call, total, "next", ADL_INT64, batch->ordinal + batch->rows);
    index.next[(int64_t)ends[1]] = number + 1;
    ends[1] = (double)number;
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = step};
  grow_index(call, instance, model->tensors, 1);
  return call->host->fold(call, rows, &fold, model->tensors);
}

/* ---- looking up ---- */

/* Picks the side rows of one key that this main row may see: the first, the last, or all. */
static void pick_matches(const adl_call *call, const join *self, const side_index *index, int64_t key, int64_t row,
                         adl_pairs *rows) {
  const double *ends = call->host->table_row(index->keys, key);
  bool training = call->host->row_split(call, row) == ADL_TRAIN;
  int64_t number = (int64_t)ends[0], best = -1;
  if (self->many == MANY_LAST && !(training && index->held[(int64_t)ends[1]])) number = (int64_t)ends[1];
  while (number >= 0) {
    if (!(training && index->held[number])) {
      best = number;
      if (self->many == MANY_ALL) adl_pairs_add(rows, row, number);
      if (self->many == MANY_FIRST || self->many == MANY_REFUSE) break; /* there is one, where others are refused */
    }
    number = index->next != NULL ? index->next[number] - 1 : -1;
  }
  if (best >= 0 && self->many != MANY_ALL) adl_pairs_add(rows, row, best);
}

static adl_status write_matched(const adl_call *call, const join *self, const adl_pairs *rows, adl_out *out) {
  adl_buffers to;
  if (self->matched.slot < 0 || !call->host->wanted(call, self->matched.slot)) return ADL_OK;
  ADL_TRY(call->host->reserve(call, out, self->matched.slot, rows->count, 0, 0, &to));
  for (int64_t i = 0; i < rows->count; i++) adl_bit_set(to.data, i, rows->side[i] >= 0);
  return ADL_OK;
}

/* Numbers of the keys of the batch's rows; -1: the other stage has none such. */
static int64_t *find_keys(const adl_call *call, const join *self, const side_index *index, const adl_batch *batch) {
  const adl_host *host = call->host;
  int64_t *with_key = host->alloc(call, (size_t)batch->rows * sizeof *with_key);
  int64_t *number = host->alloc(call, (size_t)batch->rows * sizeof *number);
  adl_keys keys;
  adl_keys_begin(&keys, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++) {
    number[row] = -1;
    if (index->keys != NULL && adl_keys_add_row(&keys, batch, &self->on, row)) with_key[keys.count - 1] = row;
  }
  if (keys.count == 0) return number;
  const int64_t *found = adl_keys_find(&keys, index->keys);
  for (int64_t i = 0; i < keys.count; i++) number[with_key[i]] = found[i];
  return number;
}

/* Asks for what pick_matches will look at some rows later: the key's first row, and then whether that is held out. */
static void look_ahead(const adl_call *call, const side_index *index, const int64_t *found, int64_t row,
                       int64_t count) {
  enum { FIRST = 16, SECOND = 8 };
  if (row + FIRST < count && found[row + FIRST] >= 0)
    __builtin_prefetch(call->host->table_row(index->keys, found[row + FIRST]));
  if (row + SECOND >= count || found[row + SECOND] < 0) return;
  __builtin_prefetch(index->held + (int64_t)call->host->table_row(index->keys, found[row + SECOND])[0]);
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const join *self = instance;
  side_index index = find_index(call, model);
  const int64_t *found = find_keys(call, self, &index, batch);
  adl_pairs rows;
  adl_pairs_begin(&rows, call, batch->rows + 1);
  for (int64_t row = 0; row < batch->rows; row++) {
    int64_t before = rows.count;
    look_ahead(call, &index, found, row, batch->rows);
    if (found[row] >= 0) pick_matches(call, self, &index, found[row], row, &rows);
    if (rows.count > before || self->missing == MISSING_DROP) continue;
    if (self->missing == MISSING_KEEP)
      adl_pairs_add(&rows, row, -1);
    else
      call->host->reject(call, row, self->on.items[0].name, "%s has no row with this key", self->with.name);
  }
  ADL_TRY(adl_pairs_give(&rows, &self->with, out));
  return write_matched(call, self, &rows, out);
}

/* ---- binding ---- */

static const char *side_key_name(const join *self, int64_t at) {
  return self->with_on.count > 0 ? self->with_on.items[at] : self->on.items[at].name;
}

static adl_status bind_keys(const adl_call *call, join *self) {
  const adl_host *host = call->host;
  if (self->on.count == 0) return host->fail(call, "on", -1, NULL, "name at least one column to join on");
  if (self->with_on.count > 0 && self->with_on.count != self->on.count)
    return host->fail(call, "with_on", -1, "name one for each column of `on`, in the same order",
                      "there are %lld columns in `with_on` and %lld in `on`", (long long)self->with_on.count,
                      (long long)self->on.count);
  self->side_keys = calloc((size_t)self->on.count, sizeof *self->side_keys);
  if (self->side_keys == NULL) return host->fail(call, "on", -1, NULL, "no memory for the list");
  self->keys = (adl_inputs){self->on.count, self->side_keys};
  adl_status status = ADL_OK;
  for (int64_t i = 0; i < self->on.count; i++) {
    char parameter[40];
    adl_type type;
    snprintf(parameter, sizeof parameter, "%s[%lld]", self->with_on.count > 0 ? "with_on" : "on", (long long)i);
    if (adl_side_find(call, &self->with, parameter, side_key_name(self, i), &type) != ADL_OK) {
      status = ADL_FAILED;
      continue;
    }
    if (!adl_key_comparable(self->on.items[i].type, type)) {
      status = host->fail(call, parameter, -1, "make them alike with derive: string(x), number(x), integer(x)",
                          "`%s` and `%s` of `%s` are of different types and can never be equal", self->on.items[i].name,
                          side_key_name(self, i), self->with.name);
      continue;
    }
    ADL_TRY(host->side_input(call, parameter, &self->with, side_key_name(self, i), &self->side_keys[i]));
  }
  return status;
}

static bool is_side_key(const void *instance, const char *name) {
  const join *self = instance;
  for (int64_t i = 0; i < self->on.count; i++)
    if (strcmp(side_key_name(self, i), name) == 0) return true;
  return false;
}

static adl_status bind(const adl_call *call, void *instance) {
  join *self = instance;
  adl_type flag = {.element = ADL_BOOL, .shape = ADL_SCALAR, .role = ADL_NUMBER};
  ADL_TRY(bind_keys(call, self));
  ADL_TRY(adl_side_bring_all(call, &self->with, &self->columns, self->prefix, is_side_key, self));
  return call->host->declare(call, &self->matched, flag);
}

static void destroy(void *instance) { free(((join *)instance)->side_keys); }

static const adl_param params[] = {
    {.name = "with",
     .type = ADL_PARAM_STAGE,
     .flags = ADL_REQUIRED,
     .offset = offsetof(join, with),
     .doc = "The stage whose rows are looked up."},
    {.name = "on",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(join, on),
     .doc = "Columns that make the key."},
    {.name = "with_on",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF,
     .offset = offsetof(join, with_on),
     .doc = "What these are called in the other stage, in the same order; the same names, unless said."},
    {.name = "columns",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF,
     .offset = offsetof(join, columns),
     .doc = "Columns of the other stage to bring along; all but the key, unless said."},
    {.name = "prefix",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(join, prefix),
     .doc = "What to put before their names, where they clash with those that are there."},
    {.name = "many",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(join, many),
     .default_value = "refuse",
     .choices = "refuse|first|last|all",
     .doc = "What to do when several rows of the other stage have the same key: end the run, take the first or the "
            "last of "
            "them in row order, or give the row once with each of them."},
    {.name = "missing",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(join, missing),
     .default_value = "keep",
     .choices = "keep|drop|reject",
     .doc = "What to do with a row whose key the other stage does not have: keep it, with nulls in the new columns, "
            "drop it, "
            "or reject it."},
    {.name = "matched",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(join, matched),
     .doc = "Name of a new column that says whether the key was found."},
};

static const char doc[] = "Brings columns of another stage to the rows that have the same key. Keys are compared "
                          "exactly: integers of any width with each other, strings byte by byte, all columns of `on` "
                          "together; null is equal to nothing, not even to null. Keys of different types can never be "
                          "equal and are refused before the run.\n\n"
                          "The other stage is read first, whole: its key columns are indexed in memory (the key and "
                          "about 40 bytes a row), the columns to bring are kept with the run's rows and may lie on "
                          "disk.\n\n"
                          "The row keeps its own split. A training row never finds a row of the other stage that is "
                          "held out: to it the key is missing, or the first or last one means the first or last "
                          "training row.";

static const adl_class join_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "join",
    .title = "Columns of another stage, by key",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_TRANSIENT,
    .form = ADL_PICKED,
    .instance_size = sizeof(join),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .fit = fit,
    .process = process,
};

static const adl_class *const classes[] = {&join_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "join",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("join", "1.0.0", "transform:join", &plugin);
