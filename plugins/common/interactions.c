/* Gathering interactions; see interactions.h. A partial holds the keys of users and items in keyed tables, and each row as
 * the numbers of its keys in them: 8 or 12 bytes. Merging renumbers, so a key is hashed once a row and once a lane. */
#include "common/interactions.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"

/* ---- the fold ---- */

typedef struct held {
  int64_t *count; /* rows */
  int32_t *user, *item;
  float *weight; /* NULL: all are 1 */
} held;

static held hold(const adl_call *call, adl_tensors *tensors, bool weighted, int64_t more) {
  const adl_host *host = call->host;
  const int64_t one = 1;
  held h = {.count = host->tensor(call, tensors, "count", ADL_INT64, 1, &one)};
  adl_tensor now;
  int64_t room = 1, needed = *h.count + more;
  if (host->find_tensor(call, tensors, "user", &now)) room = now.size[0];
  while (room < needed) room *= 2;
  h.user = host->tensor(call, tensors, "user", ADL_INT32, 1, &room);
  h.item = host->tensor(call, tensors, "item", ADL_INT32, 1, &room);
  if (weighted) h.weight = host->tensor(call, tensors, "weight", ADL_FLOAT32, 1, &room);
  return h;
}

/* False: the row is rejected, or says nothing. */
static bool weight_of(const adl_call *call, const adl_column *column, int64_t row, float *weight) {
  double value = adl_number_at(column, row);
  *weight = (float)value;
  if (value >= 0 && value <= (double)FLT_MAX) return *weight > 0;
  call->host->reject(call, row, "weight", "weight %g is not a number from 0 to 3.4e38", value);
  return false;
}

static adl_status step(const adl_call *call, const void *self, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const adl_host *host = call->host;
  const adl_interaction_columns *columns = context;
  const adl_column *user = batch->slots[columns->user.slot], *item = batch->slots[columns->item.slot];
  const adl_column *weight = columns->weight.slot >= 0 ? batch->slots[columns->weight.slot] : NULL;
  adl_table *users = host->table(call, partial, "users", 0), *items = host->table(call, partial, "items", 0);
  held to = hold(call, partial, weight != NULL, batch->rows);
  char buffers[2][ADL_CATEGORY_TEXT_SIZE];
  char item_buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_text last = {NULL, -1};
  int64_t last_number = -1, at = *to.count;
  int turn = 0;
  (void)self;
  for (int64_t row = 0; row < batch->rows; row++) {
    float value = 1;
    if (weight != NULL && !weight_of(call, weight, row, &value)) continue;
    adl_text key = adl_category_text(user, row, buffers[turn]);
    /* Logs are often sorted by user. */
    if (key.size != last.size || memcmp(key.data, last.data, (size_t)key.size) != 0) {
      last_number = host->table_insert(users, key.data, key.size);
      last = key;
      turn ^= 1; /* the other buffer is free */
    }
    key = adl_category_text(item, row, item_buffer);
    to.user[at] = (int32_t)last_number;
    to.item[at] = (int32_t)host->table_insert(items, key.data, key.size);
    if (weight != NULL) to.weight[at] = value;
    at++;
  }
  *to.count = at;
  return ADL_OK;
}

/* What the keys of `from` are numbered in `into`. */
static int32_t *renumber(const adl_call *call, adl_tensors *into, adl_tensors *from, const char *name) {
  const adl_host *host = call->host;
  adl_table *target = host->table(call, into, name, 0), *source = host->table(call, from, name, 0);
  int64_t count = host->table_count(source);
  int32_t *number = host->alloc(call, ((size_t)count + 1) * sizeof *number);
  for (int64_t i = 0; i < count; i++) {
    adl_text key = host->table_key(source, i);
    number[i] = (int32_t)host->table_insert(target, key.data, key.size);
  }
  return number;
}

static adl_status merge(const adl_call *call, const void *self, const void *context, adl_tensors *into,
                        adl_tensors *from) {
  const adl_interaction_columns *columns = context;
  bool weighted = columns->weight.slot >= 0;
  held source = hold(call, from, weighted, 0), target = hold(call, into, weighted, *source.count);
  const int32_t *user = renumber(call, into, from, "users"), *item = renumber(call, into, from, "items");
  int64_t at = *target.count;
  (void)self;
  for (int64_t i = 0; i < *source.count; i++) {
    target.user[at + i] = user[source.user[i]];
    target.item[at + i] = item[source.item[i]];
  }
  if (weighted) memcpy(target.weight + at, source.weight, (size_t)*source.count * sizeof *source.weight);
  *target.count = at + *source.count;
  /* Lanes are many, and what has moved is not needed twice. */
  call->host->drop_tensor(call, from, "user");
  call->host->drop_tensor(call, from, "item");
  if (weighted) call->host->drop_tensor(call, from, "weight");
  return ADL_OK;
}

/* ---- numbering ---- */

typedef struct sorted_key {
  uint64_t begin; /* the first eight bytes, the first of them highest */
  adl_text text;
  int32_t number;
} sorted_key;

static int compare_keys(const void *a, const void *b) {
  const sorted_key *left = a, *right = b;
  if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
  int32_t least = left->text.size < right->text.size ? left->text.size : right->text.size;
  int order = least > 0 ? memcmp(left->text.data, right->text.data, (size_t)least) : 0;
  return order != 0 ? order : (left->text.size > right->text.size) - (left->text.size < right->text.size);
}

/* Keys in the order of their bytes; *number: what the table's rows are in it. */
static adl_text *sort_keys(const adl_call *call, const adl_table *table, int32_t **number) {
  const adl_host *host = call->host;
  int64_t count = host->table_count(table);
  sorted_key *keys = host->alloc(call, ((size_t)count + 1) * sizeof *keys);
  adl_text *texts = host->alloc(call, ((size_t)count + 1) * sizeof *texts);
  *number = host->alloc(call, ((size_t)count + 1) * sizeof **number);
  for (int64_t i = 0; i < count; i++) {
    adl_text text = host->table_key(table, i);
    uint64_t begin = 0;
    for (int k = 0; k < 8; k++) begin = begin << 8 | (k < text.size ? (uint8_t)text.data[k] : 0);
    keys[i] = (sorted_key){begin, text, (int32_t)i};
  }
  qsort(keys, (size_t)count, sizeof *keys, compare_keys);
  for (int64_t i = 0; i < count; i++) {
    texts[i] = keys[i].text;
    (*number)[keys[i].number] = (int32_t)i;
  }
  return texts;
}

/* ---- compressed rows ---- */

static adl_csr new_csr(const adl_call *call, int64_t rows, int64_t entries) {
  const adl_host *host = call->host;
  return (adl_csr){.rows = rows,
                   .starts = host->alloc(call, ((size_t)rows + 1) * sizeof(int64_t)),
                   .index = host->alloc(call, ((size_t)entries + 1) * sizeof(int32_t)),
                   .value = host->alloc(call, ((size_t)entries + 1) * sizeof(float))};
}

/* From counts in starts[1 ..] to starts, and a copy of them to fill by. */
static int64_t *begin_filling(const adl_call *call, adl_csr *csr) {
  int64_t *next = call->host->alloc(call, ((size_t)csr->rows + 1) * sizeof *next);
  for (int64_t r = 0; r < csr->rows; r++) csr->starts[r + 1] += csr->starts[r];
  memcpy(next, csr->starts, ((size_t)csr->rows + 1) * sizeof *next);
  return next;
}

adl_csr adl_csr_transpose(const adl_call *call, const adl_csr *from, int64_t rows) {
  int64_t entries = from->starts[from->rows];
  adl_csr to = new_csr(call, rows, entries);
  memset(to.starts, 0, ((size_t)rows + 1) * sizeof *to.starts);
  for (int64_t i = 0; i < entries; i++) to.starts[from->index[i] + 1]++;
  int64_t *next = begin_filling(call, &to);
  for (int64_t r = 0; r < from->rows; r++)
    for (int64_t i = from->starts[r]; i < from->starts[r + 1]; i++) {
      int64_t at = next[from->index[i]]++;
      to.index[at] = (int32_t)r;
      to.value[at] = from->value[i];
    }
  return to;
}

/* Entries that are neighbours and the same become one, of their sum, where rows may shrink. */
static void unite(adl_csr *csr) {
  int64_t to = 0, at = 0;
  for (int64_t r = 0; r < csr->rows; r++) {
    int64_t end = csr->starts[r + 1];
    while (at < end) {
      int32_t index = csr->index[at];
      double sum = 0;
      for (; at < end && csr->index[at] == index; at++) sum += (double)csr->value[at];
      csr->index[to] = index;
      csr->value[to++] = (float)sum;
    }
    csr->starts[r + 1] = to;
  }
}

/* Two passes of sorting by counting: by item, then, which keeps that order, by user. */
static adl_status lay_out(const adl_call *call, const held *from, const int32_t *user_number,
                          const int32_t *item_number, int64_t users, int64_t items, adl_interactions *into) {
  int64_t events = *from->count;
  adl_csr by_item = new_csr(call, items, events);
  memset(by_item.starts, 0, ((size_t)items + 1) * sizeof *by_item.starts);
  for (int64_t i = 0; i < events; i++) by_item.starts[item_number[from->item[i]] + 1]++;
  int64_t *next = begin_filling(call, &by_item);
  for (int64_t i = 0; i < events; i++) {
    int64_t at = next[item_number[from->item[i]]]++;
    by_item.index[at] = user_number[from->user[i]];
    by_item.value[at] = from->weight != NULL ? from->weight[i] : 1;
  }
  into->by_user = adl_csr_transpose(call, &by_item, users);
  unite(&into->by_user);
  into->count = into->by_user.starts[users];
  for (int64_t i = 0; i < into->count; i++)
    if (!isfinite(into->by_user.value[i]))
      return call->host->fail(call, "weight", -1, "divide the weights by a constant",
                              "the weights of one user and item add up to more than a float32 holds");
  into->by_item = adl_csr_transpose(call, &into->by_user, items);
  return ADL_OK;
}

adl_status adl_interactions_gather(const adl_call *call, adl_rows *rows, const adl_interaction_columns *columns,
                                   adl_interactions *into) {
  const adl_host *host = call->host;
  adl_tensors *total = host->scratch_tensors(call);
  bool weighted = columns->weight.slot >= 0;
  adl_fold fold = {.struct_size = sizeof fold, .step = step, .merge = merge, .context = columns};
  hold(call, total, weighted, 0);
  host->table(call, total, "users", 0);
  host->table(call, total, "items", 0);
  ADL_TRY(host->fold(call, rows, &fold, total));
  held all = hold(call, total, weighted, 0);
  const adl_table *users = host->find_table(call, total, "users"), *items = host->find_table(call, total, "items");
  *into = (adl_interactions){.events = *all.count};
  if (into->events == 0)
    return host->fail(call, NULL, -1, "see whether a filter, the holdout or rejected rows left nothing to learn from",
                      "there are no training rows of a weight above 0");
  int32_t *user_number, *item_number;
  into->users = sort_keys(call, users, &user_number);
  into->items = sort_keys(call, items, &item_number);
  return lay_out(call, &all, user_number, item_number, host->table_count(users), host->table_count(items), into);
}

static void keep_keys(const adl_call *call, adl_tensors *model, const char *name, const adl_text *keys, int64_t count) {
  call->host->drop_tensor(call, model, name);
  adl_table *table = call->host->table(call, model, name, 0);
  for (int64_t i = 0; i < count; i++) call->host->table_insert(table, keys[i].data, keys[i].size);
}

void adl_interactions_keep(const adl_call *call, const adl_interactions *from, adl_tensors *model) {
  keep_keys(call, model, "users", from->users, from->by_user.rows);
  keep_keys(call, model, "items", from->items, from->by_item.rows);
}

int64_t adl_interactions_find(const adl_call *call, const adl_table *table, const adl_column *column, int64_t item) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_text key = adl_category_text(column, item, buffer);
  return call->host->table_find(table, key.data, key.size);
}

int64_t adl_csr_blocks(const adl_call *call, const adl_csr *matrix, int64_t row_cost, int64_t block_cost,
                       int64_t **bounds) {
  int64_t all = matrix->starts[matrix->rows] + matrix->rows * row_cost, most = all / block_cost + 1, blocks = 0;
  int64_t *to = call->host->alloc(call, ((size_t)most + 2) * sizeof *to), begin = 0;
  to[0] = 0;
  for (int64_t r = 0; r < matrix->rows; r++) {
    int64_t end = matrix->starts[r + 1] + (r + 1) * row_cost;
    if (end - begin < block_cost && r + 1 < matrix->rows) continue;
    to[++blocks] = r + 1;
    begin = end;
  }
  *bounds = to;
  return blocks;
}
