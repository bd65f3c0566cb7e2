/*
 * choose: the rows that are shown, out of the candidates of each group; and how likely that choice was.
 *
 * Choices are made rank by rank: the policy (common/policy.h) gives every candidate that is left a probability, and one
 * random number decides. The numbers come from a stream whose key is a hash of the group's key, so that a group's draws do
 * not depend on where it stands. What must be remembered across groups (how often an ad was chosen, which groups there
 * were) is the scratch state of an ORDERED class.
 */
#include <adloom/plugin.h>
#include <math.h>
#include <string.h>

#include "common/choices.h"
#include "common/key.h"
#include "common/policy.h"
#include "common/reporting.h"
#include "common/siphash.h"

enum { SCATTERED_REFUSE, SCATTERED_ALLOW };

typedef struct choose {
  adl_inputs group;
  adl_input score;
  int64_t top;
  int32_t explore;
  double epsilon, lambda, floor;
  adl_input ad;
  int64_t cap;
  adl_input quota;
  int32_t scattered;
  adl_output propensity, rank, candidates, seed;
} choose;

/* ---- what is remembered ---- */

enum { GROUPS, CHOSEN, EXPLORED, UNFILLED, TOTALS };      /* tensor `totals` */
enum { AD_CHOSEN, AD_LAST_GROUP, AD_IN_GROUP, AD_WIDTH }; /* a row of the table `ads` */

typedef struct memory {
  double *totals;
  adl_table *ads;      /* NULL: neither cap nor quota */
  adl_choices choices; /* for the report */
  adl_table *seen;     /* hashes of group keys; NULL: the same key may come again */
} memory;

static memory recall(const adl_call *call, const choose *self, const adl_model *model) {
  const int64_t size = TOTALS;
  memory m = {.totals = call->host->tensor(call, model->tensors, "totals", ADL_FLOAT64, 1, &size)};
  if (self->cap > 0 || self->quota.slot >= 0) m.ads = call->host->table(call, model->tensors, "ads", AD_WIDTH);
  m.choices = adl_choices_of(call, model->tensors, self->ad.slot >= 0);
  if (self->scattered == SCATTERED_REFUSE) m.seen = call->host->table(call, model->tensors, "seen", 0);
  return m;
}

/* ---- one group ---- */

/* What a call works with. Arrays are as long as the largest group. */
typedef struct work {
  const adl_call *call;
  const choose *self;
  const adl_batch *batch;
  adl_policy policy;
  memory memory;
  adl_key key;
  uint64_t secret[2];
  int64_t left; /* candidates that may still be chosen */
  int64_t *row; /* of the batch */
  int64_t *ad;  /* row of memory.ads */
  double *score, *probability;
  char *text; /* of an ad */
} work;

/* The rows that leave, and what is said of them. */
typedef struct choice {
  int64_t row;
  double propensity;
  int64_t rank, candidates;
  uint64_t seed;
} choice;

/* Whether the ad of this row may be chosen once more. */
static bool may_choose(const work *w, int64_t row, int64_t ad) {
  if (w->memory.ads == NULL) return true;
  const double *of_ad = w->call->host->table_row(w->memory.ads, ad);
  bool this_group = of_ad[AD_LAST_GROUP] == w->memory.totals[GROUPS];
  if (w->self->cap > 0 && this_group && of_ad[AD_IN_GROUP] >= (double)w->self->cap) return false;
  if (w->self->quota.slot < 0) return true;
  const adl_column *quota = w->batch->slots[w->self->quota.slot];
  return adl_is_null(quota, row) || of_ad[AD_CHOSEN] + 1 <= adl_number_at(quota, row);
}

static void note_choice(const work *w, int64_t ad) {
  if (w->memory.ads == NULL) return;
  double *of_ad = w->call->host->table_row(w->memory.ads, ad), group = w->memory.totals[GROUPS];
  of_ad[AD_CHOSEN] += 1;
  of_ad[AD_IN_GROUP] = of_ad[AD_LAST_GROUP] == group ? of_ad[AD_IN_GROUP] + 1 : 1;
  of_ad[AD_LAST_GROUP] = group;
}

static void count_choice(const work *w, int64_t row, double propensity) {
  int64_t size = 0;
  if (w->self->ad.slot >= 0) size = adl_value_print(w->batch->slots[w->self->ad.slot], row, w->text);
  adl_choices_add(w->call, &w->memory.choices, (adl_text){w->text, (int32_t)size}, propensity);
}

static int64_t number_of_ad(work *w, int64_t row) {
  w->key.size = 0;
  adl_key_add(&w->key, w->batch->slots[w->self->ad.slot], row, true);
  return w->call->host->table_insert(w->memory.ads, w->key.data, w->key.size);
}

static void gather_candidates(work *w, int64_t first, int64_t end) {
  w->left = 0;
  for (int64_t row = first; row < end; row++) {
    int64_t ad = w->memory.ads != NULL ? number_of_ad(w, row) : -1;
    if (!may_choose(w, row, ad)) continue;
    w->row[w->left] = row;
    w->ad[w->left] = ad;
    w->score[w->left++] = adl_number_at(w->batch->slots[w->self->score.slot], row);
  }
}

/* Candidate `chosen` is gone, and so are those whose ad may not be chosen any more. The others keep their order. */
static void drop_candidates(work *w, int64_t chosen) {
  int64_t kept = 0, ad = w->ad[chosen];
  for (int64_t i = 0; i < w->left; i++) {
    if (i == chosen || (w->memory.ads != NULL && w->ad[i] == ad && !may_choose(w, w->row[i], ad))) continue;
    w->row[kept] = w->row[i];
    w->ad[kept] = w->ad[i];
    w->score[kept++] = w->score[i];
  }
  w->left = kept;
}

static bool is_best(const work *w, int64_t chosen) {
  for (int64_t i = 0; i < w->left; i++)
    if (w->score[i] > w->score[chosen]) return false;
  return true;
}

/* Fails when the group was there before; else *seed is the key of its stream of random numbers. */
static adl_status begin_group(work *w, int64_t first, uint64_t *seed) {
  uint8_t hash[16];
  adl_key_of_row(&w->key, w->batch, &w->self->group, first);
  adl_siphash(w->key.data, (size_t)w->key.size, w->secret, hash);
  memcpy(seed, hash, sizeof *seed);
  w->memory.totals[GROUPS] += 1;
  if (w->memory.seen == NULL) {
    *seed = adl_random(*seed, (uint64_t)w->memory.totals[GROUPS]);
    return ADL_OK;
  }
  int64_t before = w->call->host->table_count(w->memory.seen);
  w->call->host->table_insert(w->memory.seen, hash, sizeof hash);
  if (w->call->host->table_count(w->memory.seen) > before) return ADL_OK;
  char text[200];
  adl_key_describe(w->batch, &w->self->group, first, text, sizeof text);
  return w->call->host->fail(
      w->call, "group", -1,
      "bring them together with a sort before this stage; or, if the same key stands for several "
      "groups on purpose, write `scattered: allow`",
      "the rows of %s do not stand next to each other: they came earlier, and now again after "
      "those of other groups",
      text);
}

/* Appends the choices of one group to `to`; returns how many. */
static int64_t choose_of_group(work *w, uint64_t seed, int64_t first, int64_t end, choice *to) {
  gather_candidates(w, first, end);
  int64_t rank = 0;
  for (; rank < w->self->top && w->left > 0; rank++) {
    adl_policy_probabilities(&w->policy, w->left, w->score, w->probability);
    int64_t i = adl_policy_draw(w->left, w->probability, adl_random_unit(seed, (uint64_t)rank));
    to[rank] = (choice){w->row[i], w->probability[i], rank + 1, w->left, seed};
    w->memory.totals[EXPLORED] += !is_best(w, i);
    note_choice(w, w->ad[i]);
    count_choice(w, w->row[i], w->probability[i]);
    drop_candidates(w, i);
  }
  w->memory.totals[CHOSEN] += (double)rank;
  w->memory.totals[UNFILLED] += (double)(w->self->top - rank);
  return rank;
}

/* ---- batches ---- */

static adl_status write_choices(const work *w, adl_out *out, const choice *choices, int64_t count) {
  const adl_host *host = w->call->host;
  const choose *self = w->self;
  adl_buffers propensity = {0}, rank = {0}, candidates = {0}, seed = {0};
  int64_t *index = host->alloc(w->call, (size_t)(count + 1) * sizeof *index);
  if (self->propensity.slot >= 0) ADL_TRY(host->reserve(w->call, out, self->propensity.slot, count, 0, 0, &propensity));
  if (self->rank.slot >= 0) ADL_TRY(host->reserve(w->call, out, self->rank.slot, count, 0, 0, &rank));
  if (self->candidates.slot >= 0) ADL_TRY(host->reserve(w->call, out, self->candidates.slot, count, 0, 0, &candidates));
  if (self->seed.slot >= 0) ADL_TRY(host->reserve(w->call, out, self->seed.slot, count, 0, 0, &seed));
  for (int64_t i = 0; i < count; i++) {
    index[i] = choices[i].row;
    if (propensity.data != NULL) ((double *)propensity.data)[i] = choices[i].propensity;
    if (rank.data != NULL) ((int64_t *)rank.data)[i] = choices[i].rank;
    if (candidates.data != NULL) ((int64_t *)candidates.data)[i] = choices[i].candidates;
    if (seed.data != NULL) memcpy((int64_t *)seed.data + i, &choices[i].seed, sizeof choices[i].seed);
  }
  return host->pick(w->call, out, index, count);
}

static work begin_work(const adl_call *call, const choose *self, const adl_model *model, const adl_batch *batch) {
  const adl_host *host = call->host;
  int64_t most = 1;
  for (int64_t g = 0; g < batch->group_count; g++)
    if (batch->groups[g + 1] - batch->groups[g] > most) most = batch->groups[g + 1] - batch->groups[g];
  work w = {.call = call,
            .self = self,
            .batch = batch,
            .policy = {(adl_explore)self->explore, self->epsilon, self->lambda, self->floor},
            .memory = recall(call, self, model),
            .secret = {host->random_key(call, "group 0"), host->random_key(call, "group 1")},
            .row = host->alloc(call, (size_t)most * sizeof(int64_t)),
            .ad = host->alloc(call, (size_t)most * sizeof(int64_t)),
            .score = host->alloc(call, (size_t)most * sizeof(double)),
            .probability = host->alloc(call, (size_t)most * sizeof(double))};
  adl_key_begin(&w.key, call);
  if (self->ad.slot >= 0)
    w.text = host->alloc(call, (size_t)adl_value_room(batch->slots[self->ad.slot], batch->rows) + 1);
  return w;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  work w = begin_work(call, instance, model, batch);
  choice *choices = call->host->alloc(call, (size_t)(batch->rows + 1) * sizeof *choices);
  int64_t count = 0;
  for (int64_t g = 0; g < batch->group_count; g++) {
    uint64_t seed = 0;
    ADL_TRY(begin_group(&w, batch->groups[g], &seed));
    count += choose_of_group(&w, seed, batch->groups[g], batch->groups[g + 1], choices + count);
    if ((g & 255) == 0 && call->host->cancelled(call)) return ADL_FAILED;
  }
  return write_choices(&w, out, choices, count);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report) {
  static const char *const names[TOTALS] = {"groups", "rows chosen", "rows chosen that were not the best",
                                            "places unfilled"};
  adl_tensor totals;
  const choose *self = instance;
  bool any = model->tensors != NULL && call->host->find_tensor(call, model->tensors, "totals", &totals);
  for (int i = 0; i < TOTALS; i++)
    call->host->report_number(call, report, "", names[i], any ? ((const double *)totals.data)[i] : 0, (double)NAN,
                              (double)NAN);
  if (any) adl_choices_report(call, model->tensors, self->ad.name, report);
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  choose *self = instance;
  const adl_host *host = call->host;
  adl_type count = {.element = ADL_INT64};
  if (self->group.count == 0) return host->fail(call, "group", -1, NULL, "name at least one column");
  if (self->ad.slot < 0 && self->cap > 0)
    return host->fail(call, "cap", -1, "name the column that tells ads apart: `ad: ...`", "cap needs `ad`");
  if (self->ad.slot < 0 && self->quota.slot >= 0)
    return host->fail(call, "quota", -1, "name the column that tells ads apart: `ad: ...`", "quota needs `ad`");
  ADL_TRY(host->declare(call, &self->propensity, (adl_type){.element = ADL_FLOAT64}));
  ADL_TRY(host->declare(call, &self->rank, count));
  ADL_TRY(host->declare(call, &self->candidates, count));
  return host->declare(call, &self->seed, (adl_type){.element = ADL_INT64, .role = ADL_CATEGORY});
}

static const adl_param params[] = {
    {.name = "group",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LIST_OF | ADL_GROUP_KEY,
     .offset = offsetof(choose, group),
     .doc = "Columns that say which rows are candidates for the same places, for example the request. Such rows stand "
            "next to each other."},
    {.name = "score",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(choose, score),
     .elements = ADL_ANY_NUMERIC,
     .doc = "What a candidate is expected to bring; more is better."},
    {.name = "top",
     .type = ADL_PARAM_INT,
     .offset = offsetof(choose, top),
     .default_value = "1",
     .range = "[1, 1000000]",
     .unit = "rows",
     .doc = "At most so many rows of each group are chosen, without repetition."},
    {.name = "explore",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(choose, explore),
     .default_value = "none",
     .choices = "none|epsilon|softmax",
     .doc = "How candidates other than the best get a chance: not at all, all alike, or by their scores."},
    {.name = "epsilon",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(choose, epsilon),
     .default_value = "0.05",
     .range = "[0, 1]",
     .doc = "With `explore: epsilon`: share of the choices that are made among all candidates, all alike."},
    {.name = "lambda",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(choose, lambda),
     .default_value = "1",
     .range = "[0, inf)",
     .doc = "With `explore: softmax`: probabilities are proportional to exp(lambda x score). 0 is uniform; the larger, "
            "the greedier."},
    {.name = "floor",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(choose, floor),
     .default_value = "0",
     .range = "[0, 1]",
     .doc = "No candidate that is left is chosen with a lower probability than this, whatever its score."},
    {.name = "ad",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(choose, ad),
     .doc = "What `cap` and `quota` count: the ad, or its advertiser, campaign or category."},
    {.name = "cap",
     .type = ADL_PARAM_INT,
     .offset = offsetof(choose, cap),
     .default_value = "0",
     .range = "[0, 1000000]",
     .unit = "rows",
     .doc = "At most so many rows with the same `ad` are chosen in one group; 0: any number."},
    {.name = "quota",
     .type = ADL_PARAM_EXPRESSION,
     .flags = ADL_NULLS_PASS,
     .offset = offsetof(choose, quota),
     .elements = ADL_ANY_NUMERIC,
     .doc = "At most so many rows with the same `ad` are chosen in the whole run: a number, a column, or an "
            "expression. Null: any number."},
    {.name = "scattered",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(choose, scattered),
     .default_value = "refuse",
     .choices = "refuse|allow",
     .doc = "What to do when a group's key comes again after other groups: end the run (keys are remembered, about 50 "
            "bytes each), or take the rows for a group of their own."},
    {.name = "propensity",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(choose, propensity),
     .default_value = "propensity",
     .doc = "New column: probability with which this row was chosen at its rank (float64)."},
    {.name = "rank",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(choose, rank),
     .default_value = "rank",
     .doc = "New column: 1 for the row that was chosen first, and so on (int64)."},
    {.name = "candidates",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(choose, candidates),
     .doc = "New column: how many candidates were left when this row was chosen, itself included (int64)."},
    {.name = "seed",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(choose, seed),
     .doc = "New column: key of the group's random numbers, with which its choices can be repeated (int64)."},
};

static const char doc[] =
    "Chooses the rows to show out of the candidates of each group (one user, one request, one place), by their "
    "scores, and writes down how likely each choice was. Without those propensities a log of decisions cannot be "
    "used later to say how another policy would have done (Bottou et al., Counterfactual Reasoning and Learning "
    "Systems, JMLR 14, 2013).\n\n"
    "`explore: none` takes the best score. `epsilon` is epsilon-greedy: of n candidates the best has 1 - epsilon "
    "+ epsilon / n, any other epsilon / n. `softmax` gives each exp(lambda x score) / sum (Boltzmann "
    "exploration). Candidates that share the highest score share the probability of the best equally; such ties "
    "are broken at random, and the propensity says so, even with `none`.\n\n"
    "With a `floor`, probabilities p become max(floor, c x p), with the one c for which they sum to 1; where all "
    "are at least the floor, they stay as they are. A floor of 1 / n or more makes all n candidates equally "
    "likely. It bounds the weights 1 / propensity of later off-policy estimates.\n\n"
    "Several places are filled one after the other. For each, the probabilities are computed anew over the "
    "candidates that are left: those not yet chosen, whose `ad` has reached neither its `cap` in this group nor "
    "its `quota`. The propensity of a row is the probability of its choice at its rank, given the choices before "
    "it; that of the whole ranking is the product. Rows leave group by group, in the order of rank; all columns "
    "stay. Where fewer candidates are left than places, places stay empty; a group with none leaves nothing. The "
    "report counts both.\n\n"
    "A quota is a number for all (`quota: 1000`) or is read from each candidate (`quota: budget`): the row is a "
    "candidate while its ad has been chosen less often than that, in the run so far, in the order of rows; whole "
    "rows only, so 2.5 is 2. Rows of every split use it up. Counts begin at 0 in each run, and are kept in "
    "memory, about 80 bytes for each ad.\n\n"
    "Random numbers: the k-th place of a group takes number k - 1 of the stream with the key `seed` "
    "(adl_random_unit(seed, k - 1) in adloom/plugin.h); the candidate is chosen at which the running sum of the "
    "probabilities, in row order, first exceeds it. The key is a hash of the group's key under the run's seed and "
    "the stage's name, so a group's draws stay the same when other groups come or go or change places. With "
    "`scattered: allow` the same key may come again, and the number of the group is mixed in.\n\n"
    "Rows whose score or group is null or not finite are rejected and are no candidates. Groups may be of any "
    "size, and are held in memory one batch at a time.";

static const adl_class choose_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "choose",
    .title = "The rows to show, out of each group's candidates",
    .doc = doc,
    .flags = ADL_WHOLE_GROUPS | ADL_ORDERED,
    .form = ADL_PICKED,
    .instance_size = sizeof(choose),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .process = process,
    .report = report,
};

ADL_PLUGIN_OF("choose", "1.0.0", "optimize:choose", &choose_class);
