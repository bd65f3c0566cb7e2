/* als: vectors of users and items from who had to do with what. The algorithm is in common/als_*; here are its parameters,
 * its model, and what a new user's history makes of it. */
#include <adloom/plugin.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/als_fit.h"
#include "common/factor_map.h"
#include "common/interactions.h"
#include "common/linalg.h"

/* Factors of all users and items together: 8 GB of them. */
#define MOST_VALUES (INT64_C(1) << 31)

typedef struct als {
  adl_interaction_columns columns;
  adl_input history;
  adl_output as, item_as, score;
  int64_t factors, iterations, cg_steps, top;
  double reg, alpha;
} als;

/* ---- fitting ---- */

static adl_status scale_values(const adl_call *call, const adl_csr *matrix, double alpha) {
  for (int64_t i = 0; i < matrix->starts[matrix->rows]; i++) {
    double value = alpha * (double)matrix->value[i];
    /* Sums of its square are taken in float32. */
    if (value > 1e15)
      return call->host->fail(call, "alpha", -1, "take a smaller alpha, or divide the weights by a constant",
                              "a confidence of %g is too large", value);
    matrix->value[i] = (float)value;
  }
  return ADL_OK;
}

/* Where to begin: small numbers at random, or what a model to start from says of the key. */
static adl_status begin_factors(const adl_call *call, const als *self, const adl_tensors *model, const char *table_name,
                                const char *factors_name, const adl_text *keys, int64_t rows, bool random, float *to) {
  const adl_host *host = call->host;
  const adl_table *table = host->find_table(call, model, table_name);
  int64_t stride = adl_als_stride(self->factors), factors = self->factors;
  uint64_t key = host->random_key(call, factors_name);
  adl_tensor old;
  bool warm = table != NULL && host->find_tensor(call, model, factors_name, &old);
  if (warm && (old.dimensions != 2 || old.size[1] != factors || old.size[0] != host->table_count(table)))
    return host->fail(call, "factors", -1, "take the model's number of factors",
                      "the model to start from has vectors of %lld factors, not %lld", (long long)old.size[1],
                      (long long)factors);
  memset(to, 0, (size_t)(rows * stride) * sizeof *to);
  for (int64_t row = 0; row < rows; row++) {
    int64_t at = warm ? host->table_find(table, keys[row].data, keys[row].size) : -1;
    if (at >= 0)
      memcpy(to + row * stride, (const float *)old.data + at * factors, (size_t)factors * sizeof *to);
    else if (random)
      for (int64_t j = 0; j < factors; j++)
        to[row * stride + j] = (float)(0.01 * adl_random_unit(key, (uint64_t)(row * factors + j)));
  }
  return ADL_OK;
}

static void keep_factors(const adl_call *call, const als *self, adl_tensors *model, const char *name, const float *from,
                         int64_t rows) {
  const int64_t size[2] = {rows, self->factors}, stride = adl_als_stride(self->factors);
  call->host->drop_tensor(call, model, name);
  float *to = call->host->tensor(call, model, name, ADL_FLOAT32, 2, size);
  for (int64_t row = 0; row < rows; row++)
    memcpy(to + row * self->factors, from + row * stride, (size_t)self->factors * sizeof *to);
}

static double *numbers(const adl_call *call, adl_tensors *model, const char *name, int64_t count) {
  return call->host->tensor(call, model, name, ADL_FLOAT64, 1, &count);
}

enum { EVENTS, PAIRS, REG, ALPHA, SAMPLE, TOP, RECALL, NDCG, FACTS };

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const als *self = instance;
  const adl_host *host = call->host;
  adl_interactions all;
  ADL_TRY(adl_interactions_gather(call, rows, &self->columns, &all));
  int64_t users = all.by_user.rows, items = all.by_item.rows, sample;
  size_t row_size = (size_t)adl_als_stride(self->factors) * sizeof(float);
  if (users + items > MOST_VALUES / self->factors)
    return host->fail(call, "factors", -1, "ask for fewer", "%lld factors of %lld users and %lld items are too many",
                      (long long)self->factors, (long long)users, (long long)items);
  ADL_TRY(scale_values(call, &all.by_user, self->alpha));
  ADL_TRY(scale_values(call, &all.by_item, self->alpha));
  adl_als work = {.by_user = &all.by_user,
                  .by_item = &all.by_item,
                  .factors = self->factors,
                  .stride = adl_als_stride(self->factors),
                  .reg = self->reg,
                  .iterations = self->iterations,
                  .steps = self->cg_steps};
  work.users = host->alloc(call, (size_t)users * row_size);
  work.items = host->alloc(call, (size_t)items * row_size);
  work.losses = host->alloc(call, (size_t)(self->iterations + 1) * sizeof *work.losses);
  ADL_TRY(begin_factors(call, self, model->tensors, "users", "user_factors", all.users, users, false, work.users));
  ADL_TRY(begin_factors(call, self, model->tensors, "items", "item_factors", all.items, items, true, work.items));
  ADL_TRY(adl_als_run(call, &work));
  adl_interactions_keep(call, &all, model->tensors);
  keep_factors(call, self, model->tensors, "user_factors", work.users, users);
  keep_factors(call, self, model->tensors, "item_factors", work.items, items);
  host->drop_tensor(call, model->tensors, "losses");
  double *losses = numbers(call, model->tensors, "losses", self->iterations + 1);
  /* Per cell, each counted by its confidence. */
  double cells = (double)users * (double)items;
  for (int64_t i = 0; i < all.count; i++) cells += (double)all.by_user.value[i];
  for (int64_t i = 0; i <= self->iterations; i++) losses[i] = work.losses[i] / cells;
  double *facts = numbers(call, model->tensors, "facts", FACTS);
  ADL_TRY(
      adl_als_ranks(call, &work, self->top, host->random_key(call, "ranks"), &sample, &facts[RECALL], &facts[NDCG]));
  facts[EVENTS] = (double)all.events;
  facts[PAIRS] = (double)all.count;
  facts[REG] = self->reg;
  facts[ALPHA] = self->alpha;
  facts[SAMPLE] = (double)sample;
  facts[TOP] = (double)self->top;
  return ADL_OK;
}

/* ---- using a model ---- */

typedef struct vectors {
  const adl_table *keys;
  const float *factors; /* rows x factors */
} vectors;

static bool find_vectors(const adl_call *call, const als *self, const adl_tensors *model, const char *table,
                         const char *name, vectors *to) {
  adl_tensor tensor;
  to->keys = call->host->find_table(call, model, table);
  bool found = call->host->find_tensor(call, model, name, &tensor) && to->keys != NULL &&
               tensor.element == ADL_FLOAT32 && tensor.dimensions == 2 && tensor.size[1] == self->factors &&
               tensor.size[0] == call->host->table_count(to->keys);
  to->factors = tensor.data;
  return found;
}

static bool find_numbers(const adl_call *call, const adl_tensors *model, const char *name, int64_t least,
                         adl_tensor *to) {
  return call->host->find_tensor(call, model, name, to) && to->element == ADL_FLOAT64 && to->count >= least;
}

/* What solving for a new user needs: Y^T Y + reg I. */
typedef struct lookup {
  vectors users, items;
  double alpha;
  double *gram; /* factors x factors; NULL: there is no history */
} lookup;

static double *make_gram(const vectors *items, int64_t count, int64_t factors, double reg) {
  double *gram = calloc((size_t)(factors * factors), sizeof *gram);
  if (gram == NULL) return NULL;
  for (int64_t i = 0; i < count; i++) {
    const float *y = items->factors + i * factors;
    for (int64_t a = 0; a < factors; a++)
      for (int64_t b = 0; b <= a; b++) gram[a * factors + b] += (double)y[a] * (double)y[b];
  }
  for (int64_t a = 0; a < factors; a++) gram[a * factors + a] += reg;
  for (int64_t a = 0; a < factors; a++)
    for (int64_t b = 0; b < a; b++) gram[b * factors + a] = gram[a * factors + b];
  return gram;
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const als *self = instance;
  adl_tensor facts, losses;
  lookup *made = calloc(1, sizeof *made);
  *prepared = made;
  if (made == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  if (!find_vectors(call, self, model->tensors, "users", "user_factors", &made->users) ||
      !find_vectors(call, self, model->tensors, "items", "item_factors", &made->items) ||
      !find_numbers(call, model->tensors, "facts", FACTS, &facts) ||
      !find_numbers(call, model->tensors, "losses", 1, &losses))
    return call->host->fail(call, "factors", -1, "fit the stage again, or take the model's number of factors",
                            "the model is not one of %lld factors", (long long)self->factors);
  made->alpha = ((const double *)facts.data)[ALPHA];
  if (self->history.slot < 0) return ADL_OK;
  made->gram = make_gram(&made->items, call->host->table_count(made->items.keys), self->factors,
                         ((const double *)facts.data)[REG]);
  return made->gram != NULL ? ADL_OK : call->host->fail(call, NULL, -1, NULL, "out of memory");
}

static void release(const void *instance, void *prepared) {
  (void)instance;
  if (prepared != NULL) free(((lookup *)prepared)->gram);
  free(prepared);
}

typedef struct seen {
  int64_t item;
  double weight;
} seen;

static int by_item(const void *a, const void *b) {
  int64_t left = ((const seen *)a)->item, right = ((const seen *)b)->item;
  return (left > right) - (left < right);
}

/* The known items of a history, each once; -1: the row is rejected. */
static int64_t read_history(const adl_call *call, const als *self, const lookup *made, const adl_column *history,
                            int64_t row, seen **to) {
  int64_t from = history->offsets[row], end = history->offsets[row + 1], count = 0, kept = 0;
  seen *all = call->host->alloc(call, (size_t)(end - from + 1) * sizeof *all);
  for (int64_t i = from; i < end; i++) {
    double weight = history->weights != NULL ? (double)history->weights[i] : 1;
    if (!(weight >= 0 && made->alpha * weight <= 1e15)) {
      call->host->reject(call, row, self->history.name, "a weight in the history is %g; it must be 0 or more", weight);
      return -1;
    }
    int64_t item = adl_interactions_find(call, made->items.keys, history, i);
    if (item >= 0 && weight > 0) all[count++] = (seen){item, weight};
  }
  qsort(all, (size_t)count, sizeof *all, by_item);
  for (int64_t i = 0; i < count; i++) {
    if (kept > 0 && all[kept - 1].item == all[i].item)
      all[kept - 1].weight += all[i].weight;
    else
      all[kept++] = all[i];
  }
  *to = all;
  return kept;
}

/* The vector of a user of this history, by Cholesky's factors of the normal equations. */
static void fold_in(const adl_call *call, const als *self, const lookup *made, const adl_column *history, int64_t row,
                    double *matrix, float *to) {
  int64_t f = self->factors;
  seen *items;
  int64_t count = read_history(call, self, made, history, row, &items);
  double *x = matrix + f * f;
  if (count <= 0) return;
  memcpy(matrix, made->gram, (size_t)(f * f) * sizeof *matrix);
  memset(x, 0, (size_t)f * sizeof *x);
  for (int64_t i = 0; i < count; i++) {
    const float *y = made->items.factors + items[i].item * f;
    double g = made->alpha * items[i].weight;
    for (int64_t a = 0; a < f; a++) {
      double scaled = g * (double)y[a];
      x[a] += (1 + g) * (double)y[a];
      for (int64_t b = 0; b < f; b++) matrix[a * f + b] += scaled * (double)y[b];
    }
  }
  if (!adl_linalg_cholesky(matrix, f)) {
    call->host->reject(call, row, self->history.name, "the equations of this history are singular; raise reg");
    return;
  }
  for (int64_t a = 0; a < f; a++) {
    for (int64_t b = 0; b < a; b++) x[a] -= matrix[a * f + b] * x[b];
    x[a] /= matrix[a * f + a];
  }
  for (int64_t a = f - 1; a >= 0; a--) {
    for (int64_t b = a + 1; b < f; b++) x[a] -= matrix[b * f + a] * x[b];
    x[a] /= matrix[a * f + a];
  }
  for (int64_t a = 0; a < f; a++) to[a] = (float)x[a];
}

/* The vectors of the users of all rows: learned, made of their history, or zero. */
static void find_users(const adl_call *call, const als *self, const lookup *made, const adl_batch *batch, float *to) {
  const adl_column *user = batch->slots[self->columns.user.slot];
  const adl_column *history = self->history.slot >= 0 ? batch->slots[self->history.slot] : NULL;
  int64_t f = self->factors;
  double *matrix = history != NULL ? call->host->alloc(call, (size_t)(f * (f + 1)) * sizeof *matrix) : NULL;
  for (int64_t row = 0; row < batch->rows; row++) {
    int64_t at = adl_interactions_find(call, made->users.keys, user, row);
    memset(to + row * f, 0, (size_t)f * sizeof *to);
    if (at >= 0)
      memcpy(to + row * f, made->users.factors + at * f, (size_t)f * sizeof *to);
    else if (history != NULL && !adl_is_null(history, row))
      fold_in(call, self, made, history, row, matrix, to + row * f);
  }
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const als *self = instance;
  const adl_host *host = call->host;
  const lookup *made = model->prepared;
  const adl_column *item = batch->slots[self->columns.item.slot];
  int64_t f = self->factors;
  adl_buffers to = {0}, items = {0}, scores = {0};
  ADL_TRY(host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  if (self->item_as.slot >= 0) ADL_TRY(host->reserve(call, out, self->item_as.slot, batch->rows, 0, 0, &items));
  if (self->score.slot >= 0) ADL_TRY(host->reserve(call, out, self->score.slot, batch->rows, 0, 0, &scores));
  float *x = to.data;
  find_users(call, self, made, batch, x);
  for (int64_t row = 0; row < batch->rows && (items.data != NULL || scores.data != NULL); row++) {
    int64_t at = adl_interactions_find(call, made->items.keys, item, row);
    const float *y = made->items.factors + at * f;
    double score = 0;
    if (items.data != NULL && at >= 0)
      memcpy((float *)items.data + row * f, y, (size_t)f * sizeof *y);
    else if (items.data != NULL)
      memset((float *)items.data + row * f, 0, (size_t)f * sizeof *y);
    for (int64_t j = 0; at >= 0 && j < f; j++) score += (double)x[row * f + j] * (double)y[j];
    if (scores.data != NULL) ((float *)scores.data)[row] = (float)score;
  }
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *into) {
  const als *self = instance;
  const adl_host *host = call->host;
  vectors users, items;
  adl_tensor facts, losses;
  char name[32];
  if (!find_vectors(call, self, model->tensors, "users", "user_factors", &users) ||
      !find_vectors(call, self, model->tensors, "items", "item_factors", &items) ||
      !find_numbers(call, model->tensors, "facts", FACTS, &facts) ||
      !find_numbers(call, model->tensors, "losses", 1, &losses))
    return ADL_OK;
  const double *fact = facts.data, *loss = losses.data;
  double *number = host->alloc(call, (size_t)losses.count * sizeof *number);
  for (int64_t i = 0; i < losses.count; i++) number[i] = (double)i;
  host->report_number(call, into, "", "users", (double)host->table_count(users.keys), NAN, NAN);
  host->report_number(call, into, "", "items", (double)host->table_count(items.keys), NAN, NAN);
  host->report_number(call, into, "", "interactions", fact[PAIRS], NAN, NAN);
  host->report_number(call, into, "in-sample", "rows", fact[EVENTS], NAN, NAN);
  host->report_number(call, into, "in-sample", "loss", loss[losses.count - 1], NAN, NAN);
  snprintf(name, sizeof name, "recall@%lld", (long long)fact[TOP]);
  host->report_number(call, into, "in-sample", name, fact[RECALL], NAN, NAN);
  snprintf(name, sizeof name, "ndcg@%lld", (long long)fact[TOP]);
  host->report_number(call, into, "in-sample", name, fact[NDCG], NAN, NAN);
  adl_plot_one(call, into, ADL_PLOT_LINE, "loss", "iteration", "loss", losses.count, number, loss);
  const adl_map_vectors of_users = {users.keys, users.factors}, of_items = {items.keys, items.factors};
  return adl_map_report_pairs(call, &of_users, &of_items, self->factors, into);
}

/* ---- binding ---- */

static adl_status create(const adl_call *call, void *instance) {
  (void)instance;
  return adl_linalg_ready(call);
}

static adl_status bind(const adl_call *call, void *instance) {
  als *self = instance;
  const adl_type vector = {.element = ADL_FLOAT32, .shape = ADL_VECTOR, .width = self->factors};
  ADL_TRY(call->host->declare(call, &self->as, vector));
  ADL_TRY(call->host->declare(call, &self->item_as, vector));
  return call->host->declare(call, &self->score, (adl_type){.element = ADL_FLOAT32});
}

static adl_status start(const adl_call *call, void *instance) {
  als *self = instance;
  if (self->item_as.slot >= 0) ADL_TRY(call->host->set_width(call, self->item_as.slot, self->factors));
  return call->host->set_width(call, self->as.slot, self->factors);
}

static const adl_param params[] = {
    {.name = "user",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(als, columns.user),
     .elements = ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES) | ADL_ANY_INTEGER,
     .doc = "Who it was."},
    {.name = "item",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(als, columns.item),
     .elements = ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES) | ADL_ANY_INTEGER,
     .doc = "What they had to do with: an ad, a product, a page."},
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LEARN_ONLY,
     .offset = offsetof(als, columns.weight),
     .elements = ADL_ANY_NUMERIC,
     .doc =
         "How much the row says, for example how often it happened; 0 says nothing, less is refused. Without it each "
         "row is 1. The weights of rows of the same user and item are summed."},
    {.name = "factors",
     .type = ADL_PARAM_INT,
     .offset = offsetof(als, factors),
     .default_value = "64",
     .range = "[1, 1024]",
     .doc = "Numbers in the vector of each user and item."},
    {.name = "reg",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(als, reg),
     .default_value = "0.01",
     .range = "(0, inf)",
     .doc = "Penalty on the squared lengths of all vectors; it keeps those of few rows small."},
    {.name = "alpha",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(als, alpha),
     .default_value = "1",
     .range = "(0, inf)",
     .doc = "An interaction of weight r has the confidence 1 + alpha r, where one that is not there has 1."},
    {.name = "iterations",
     .type = ADL_PARAM_INT,
     .offset = offsetof(als, iterations),
     .default_value = "15",
     .range = "[1, 10000]",
     .doc = "Iterations: in each, the users are solved for, and then the items."},
    {.name = "cg_steps",
     .type = ADL_PARAM_INT,
     .offset = offsetof(als, cg_steps),
     .default_value = "3",
     .range = "[1, 1000]",
     .doc = "Steps of conjugate gradient for each user and item in an iteration; they begin where the last iteration "
            "ended, so few are enough."},
    {.name = "top",
     .type = ADL_PARAM_INT,
     .offset = offsetof(als, top),
     .default_value = "20",
     .range = "[1, 1000]",
     .unit = "items",
     .doc = "The report tells recall and NDCG of so many items of the highest scores."},
    {.name = "history",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_NULLS_PASS,
     .offset = offsetof(als, history),
     .elements = ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES) | ADL_ANY_INTEGER,
     .shapes = ADL_MASK(ADL_LIST) | ADL_MASK(ADL_BAG),
     .doc = "What the user of the row has had to do with, as items of a list, or of a bag with their weights (what "
            "`group` makes by `bag(item)`): a user that was not among the training rows gets a vector from it, without "
            "training again."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(als, as),
     .default_value = "taste",
     .doc = "New column: the vector of the user (float32)."},
    {.name = "item_as",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(als, item_as),
     .doc = "New column: the vector of the item (float32)."},
    {.name = "score",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(als, score),
     .doc = "New column: the product of both vectors, near 1 for what the user is likely to have to do with, near 0 "
            "for the rest (float32)."},
};

static const char doc[] =
    "Learns a vector for each user and each item from implicit feedback: who clicked, viewed or bought what, where "
    "nobody said what they do not like. The product of two vectors says how likely the user is to have to do with the "
    "item, also where they never met; vectors of users with the same taste are near each other, so they serve as "
    "profiles, for example to be clustered.\n\n"
    "Weighted matrix factorisation (Hu, Koren & Volinsky, Collaborative filtering for implicit feedback datasets, "
    "2008): with r the summed weight of a user and an item, the loss is the sum over all users u and items i of (1 + "
    "alpha r_ui) (p_ui - x_u . y_i)^2, p = 1 where r > 0 and else 0, plus reg times the squared lengths of all x and "
    "y. "
    "Users and items are solved for in turn, each by `cg_steps` steps of conjugate gradient on the normal equations, "
    "which are never formed (Takacs, Pilaszy & Tikk, Applications of the conjugate gradient method for implicit "
    "feedback collaborative filtering, 2011). Items begin with random numbers in [0, 0.01), users with zero, or with "
    "their vectors in the model to start from. Programs that take the confidence itself as their input, alpha r, "
    "minimise the same loss when they are given 1 + alpha r.\n\n"
    "The report tells the loss, divided by the sum of all confidences, after each iteration; it cannot rise but by "
    "rounding. Recall and NDCG in it are over training rows, of 1,024 users at most: the share of the user's own items "
    "(of `top` of them, if there are more) among the `top` best, and the same with places discounted. What the scores "
    "are worth on held-out rows the stage `ranking` measures.\n\n"
    "Users and items that no training row told of have vectors of zeros and the score 0; so has a user all whose "
    "weights are 0. With `history`, an unknown user gets the vector that solves the normal equations exactly; items in "
    "it that are not known, or have weight 0, say nothing. Rows whose user, item or weight is null are rejected, and "
    "so are negative weights and NaN. It is an error if no training rows are left.\n\n"
    "Results do not depend on the order of the rows (but for the rounding of summed weights) nor on threads. Memory is "
    "some 40 bytes for each row while they are gathered, and 4 bytes for each factor of each user and item.";

static const adl_class als_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_PROFILE,
    .id = "als",
    .title = "Vectors of users and items from implicit feedback",
    .doc = doc,
    .flags = ADL_SINGLE_PASS,
    .instance_size = sizeof(als),
    .state_version = 1,
    ADL_PARAMS(params),
    .create = create,
    .bind = bind,
    .start = start,
    .fit = fit,
    .prepare = prepare,
    .release = release,
    .process = process,
    .report = report,
};

ADL_PLUGIN_OF("als", "1.0.0", "profile:als", &als_class);
