/* knn: for each item the items most like it, by who had to do with both; and how near an item is to what a user has had.
 * Similarities are in common/item_neighbours; here are parameters, the model and what leaves. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/interactions.h"
#include "common/item_neighbours.h"

/* Neighbours of all items together. */
#define MOST_VALUES (INT64_C(1) << 31)

typedef struct knn {
  adl_interaction_columns columns;
  adl_output as, score;
  int32_t similarity;
  int64_t neighbours;
  double k1, b;
} knn;

/* A model: items' neighbours, and what each user has had, which are rising numbers of items. */
typedef struct lookup {
  const adl_table *users, *items;
  int64_t most;
  const int32_t *neighbour; /* items x most; -1: there are no more */
  const float *similarity;  /* items x most */
  const int64_t *starts;    /* users + 1 */
  const int32_t *had;
} lookup;

/* ---- fitting ---- */

static void *fresh(const adl_call *call, adl_tensors *model, const char *name, adl_element element, int64_t rows,
                   int64_t columns) {
  const int64_t size[2] = {rows, columns};
  call->host->drop_tensor(call, model, name); /* a model to start from is not built on */
  return call->host->tensor(call, model, name, element, columns > 0 ? 2 : 1, size);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const knn *self = instance;
  const adl_host *host = call->host;
  adl_interactions all;
  ADL_TRY(adl_interactions_gather(call, rows, &self->columns, &all));
  int64_t users = all.by_user.rows, items = all.by_item.rows;
  int64_t most = self->neighbours < items - 1 ? self->neighbours : items - 1;
  if (most < 1) most = 1;
  if (most > MOST_VALUES / items)
    return host->fail(call, "neighbours", -1, "ask for fewer", "%lld neighbours of %lld items are too many",
                      (long long)most, (long long)items);
  adl_item_weigh(call, &all.by_item, users, (adl_item_similarity)self->similarity, self->k1, self->b);
  adl_csr weighed = adl_csr_transpose(call, &all.by_item, users);
  adl_interactions_keep(call, &all, model->tensors);
  int64_t *starts = fresh(call, model->tensors, "starts", ADL_INT64, users + 1, 0);
  int32_t *had = fresh(call, model->tensors, "had", ADL_INT32, all.count, 0);
  int32_t *neighbour = fresh(call, model->tensors, "neighbour", ADL_INT32, items, most);
  float *similarity = fresh(call, model->tensors, "similarity", ADL_FLOAT32, items, most);
  memcpy(starts, weighed.starts, (size_t)(users + 1) * sizeof *starts);
  memcpy(had, weighed.index, (size_t)all.count * sizeof *had);
  return adl_item_neighbours(call, &all.by_item, &weighed, most, neighbour, similarity);
}

/* ---- using a model ---- */

static bool find(const adl_call *call, const adl_tensors *model, const char *name, adl_element element, int64_t rows,
                 adl_tensor *to) {
  return call->host->find_tensor(call, model, name, to) && to->element == (int32_t)element && to->size[0] == rows;
}

/* Numbers in a model are of items that there are, and starts do not fall. */
static bool is_sound(const lookup *l, int64_t users, int64_t items, int64_t entries) {
  if (l->starts[0] != 0 || l->starts[users] != entries) return false;
  for (int64_t u = 0; u < users; u++)
    if (l->starts[u] > l->starts[u + 1]) return false;
  for (int64_t i = 0; i < items * l->most; i++)
    if (l->neighbour[i] < -1 || l->neighbour[i] >= items) return false;
  return true;
}

static bool read_model(const adl_call *call, const adl_tensors *model, lookup *to) {
  const adl_host *host = call->host;
  adl_tensor neighbour, similarity, starts, had;
  to->users = host->find_table(call, model, "users");
  to->items = host->find_table(call, model, "items");
  if (to->users == NULL || to->items == NULL) return false;
  int64_t users = host->table_count(to->users), items = host->table_count(to->items);
  if (!find(call, model, "neighbour", ADL_INT32, items, &neighbour) || neighbour.dimensions != 2 ||
      !find(call, model, "similarity", ADL_FLOAT32, items, &similarity) || similarity.count != neighbour.count ||
      !find(call, model, "starts", ADL_INT64, users + 1, &starts) || starts.dimensions != 1 ||
      !host->find_tensor(call, model, "had", &had) || had.element != ADL_INT32)
    return false;
  to->most = neighbour.size[1];
  to->neighbour = neighbour.data;
  to->similarity = similarity.data;
  to->starts = starts.data;
  to->had = had.data;
  return is_sound(to, users, items, had.count);
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  lookup *made = calloc(1, sizeof *made);
  (void)instance;
  *prepared = made;
  if (made == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  if (!read_model(call, model->tensors, made))
    return call->host->fail(call, NULL, -1, "fit the stage again", "the model is not whole");
  return ADL_OK;
}

static void release(const void *instance, void *prepared) {
  (void)instance;
  free(prepared);
}

static int64_t neighbours_of(const lookup *l, int64_t item) {
  int64_t count = 0;
  while (item >= 0 && count < l->most && l->neighbour[item * l->most + count] >= 0) count++;
  return count;
}

/* Whether the user has had the item. */
static bool has_had(const lookup *l, int64_t user, int32_t item) {
  int64_t low = l->starts[user], end = l->starts[user + 1], high = end;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (l->had[middle] < item)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && l->had[low] == item;
}

static adl_status write_nearest(const adl_call *call, const knn *self, const lookup *l, const int64_t *item,
                                int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  int64_t count = 0, bytes = 0, at = 0;
  adl_buffers to;
  for (int64_t row = 0; row < rows; row++) {
    int64_t more = neighbours_of(l, item[row]);
    for (int64_t k = 0; k < more; k++) bytes += host->table_key(l->items, l->neighbour[item[row] * l->most + k]).size;
    count += more;
  }
  ADL_TRY(host->reserve(call, out, self->as.slot, rows, count, bytes, &to));
  for (int64_t row = 0; row < rows; row++) {
    int64_t more = neighbours_of(l, item[row]);
    for (int64_t k = 0; k < more; k++, at++) {
      adl_text key = host->table_key(l->items, l->neighbour[item[row] * l->most + k]);
      if (key.size > 0) memcpy((char *)to.data + to.string_offsets[at], key.data, (size_t)key.size);
      to.string_offsets[at + 1] = to.string_offsets[at] + key.size;
      to.weights[at] = l->similarity[item[row] * l->most + k];
    }
    to.offsets[row + 1] = (int32_t)at;
  }
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const knn *self = instance;
  const adl_host *host = call->host;
  const lookup *l = model->prepared;
  const adl_column *users = batch->slots[self->columns.user.slot], *items = batch->slots[self->columns.item.slot];
  int64_t *item = host->alloc(call, (size_t)batch->rows * sizeof *item);
  for (int64_t row = 0; row < batch->rows; row++) item[row] = adl_interactions_find(call, l->items, items, row);
  if (self->score.slot >= 0) {
    adl_buffers to;
    ADL_TRY(host->reserve(call, out, self->score.slot, batch->rows, 0, 0, &to));
    for (int64_t row = 0; row < batch->rows; row++) {
      int64_t user = adl_interactions_find(call, l->users, users, row);
      int64_t count = user >= 0 ? neighbours_of(l, item[row]) : 0;
      double sum = 0;
      for (int64_t k = item[row] * l->most; count > 0; k++, count--)
        if (has_had(l, user, l->neighbour[k])) sum += (double)l->similarity[k];
      ((float *)to.data)[row] = (float)sum;
    }
  }
  return host->wanted(call, self->as.slot) ? write_nearest(call, self, l, item, batch->rows, out) : ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *into) {
  const adl_host *host = call->host;
  lookup l;
  (void)instance;
  if (!read_model(call, model->tensors, &l)) return ADL_OK;
  int64_t users = host->table_count(l.users), items = host->table_count(l.items), alone = 0, all = 0;
  double nearest = 0;
  for (int64_t i = 0; i < items; i++) {
    int64_t count = neighbours_of(&l, i);
    all += count;
    alone += count == 0;
    if (count > 0) nearest += (double)l.similarity[i * l.most];
  }
  host->report_number(call, into, "", "users", (double)users, NAN, NAN);
  host->report_number(call, into, "", "items", (double)items, NAN, NAN);
  host->report_number(call, into, "", "interactions", (double)l.starts[users], NAN, NAN);
  host->report_number(call, into, "", "neighbours", (double)all / (double)items, NAN, NAN);
  host->report_number(call, into, "", "items_without_neighbours", (double)alone, NAN, NAN);
  if (alone < items)
    host->report_number(call, into, "", "similarity_of_the_nearest", nearest / (double)(items - alone), NAN, NAN);
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  knn *self = instance;
  ADL_TRY(
      call->host->declare(call, &self->as, (adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY}));
  return call->host->declare(call, &self->score, (adl_type){.element = ADL_FLOAT32});
}

static const adl_param params[] = {
    {.name = "user",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(knn, columns.user),
     .elements = ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES) | ADL_ANY_INTEGER,
     .doc = "Who it was."},
    {.name = "item",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(knn, columns.item),
     .elements = ADL_MASK(ADL_STRING) | ADL_ANY_INTEGER,
     .doc = "What they had to do with: an ad, a product, a page."},
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LEARN_ONLY,
     .offset = offsetof(knn, columns.weight),
     .elements = ADL_ANY_NUMERIC,
     .doc =
         "How much the row says, for example how often it happened; 0 says nothing, less is refused. Without it each "
         "row is 1. The weights of rows of the same user and item are summed."},
    {.name = "similarity",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(knn, similarity),
     .default_value = "cosine",
     .choices = "cosine|tfidf|bm25",
     .doc = "cosine: of the weights as they are. tfidf: of their roots, each times how rare the user is. bm25: the sum "
            "of products of BM25 weights, which do not grow without end."},
    {.name = "neighbours",
     .type = ADL_PARAM_INT,
     .offset = offsetof(knn, neighbours),
     .default_value = "20",
     .range = "[1, 10000]",
     .unit = "items",
     .doc = "Keep so many of the nearest items of each item."},
    {.name = "k1",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(knn, k1),
     .default_value = "1.2",
     .range = "[0, 1e6]",
     .doc = "For bm25: how far a weight goes on counting; with 0 only that there is one counts."},
    {.name = "b",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(knn, b),
     .default_value = "0.75",
     .range = "[0, 1]",
     .doc = "For bm25: how much less the weights of an item count that has more of them in all."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(knn, as),
     .default_value = "nearest",
     .doc = "New column: the nearest items of the row's item with their similarities, nearest first (a bag)."},
    {.name = "score",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(knn, score),
     .doc = "New column: the sum of the similarities of those of the nearest items that the user had to do with in the "
            "training rows (float32)."},
};

static const char doc[] =
    "Finds for each item the items nearest to it: those that the same users had to do with. From them it tells what to "
    "show beside an item, and how near an item is to what a user has had to do with before (item-based collaborative "
    "filtering; Sarwar et al. 2001, Deshpande & Karypis 2004).\n\n"
    "With r the summed weight of a user u and an item i, an item is a vector over the users. `cosine`: its numbers are "
    "r, and two items have the cosine of their vectors. `tfidf`: the numbers are sqrt(r) (ln((1 + N) / (1 + n)) + 1), "
    "N "
    "the number of items and n that of those of the user, so that users of few items count more; then the cosine. "
    "`bm25` (Robertson & Zaragoza 2009): the numbers are ln(1 + (N - n + 0.5) / (n + 0.5)) r (k1 + 1) / (r + k1 (1 - b "
    "+ "
    "b L / A)), L the sum of the item's r and A its mean over all items; two items have the sum of products of their "
    "numbers, which can be more than 1. An item is not a neighbour of itself, nor are items without a user in common. "
    "Of items equally near, those come first whose names come first by their bytes.\n\n"
    "Items that no training row told of have an empty bag, and the score 0; so have users. Rows whose user, item or "
    "weight is null are rejected, and so are negative weights and NaN. It is an error if no training rows are left. "
    "What scores are worth on held-out rows the stage `ranking` measures.\n\n"
    "Similarities are summed in float32 in an order that depends on the rows' users and items alone, so neither the "
    "order of rows (but for the rounding of summed weights) nor threads change them. The work is the sum of the "
    "squared "
    "numbers of items of all users: leave out robots that have had everything.";

static const adl_class knn_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_PROFILE,
    .id = "knn",
    .title = "Nearest items, by who had to do with both",
    .doc = doc,
    .flags = ADL_SINGLE_PASS,
    .instance_size = sizeof(knn),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .prepare = prepare,
    .release = release,
    .process = process,
    .report = report,
};

ADL_PLUGIN_OF("knn", "1.0.0", "profile:knn", &knn_class);
