/* tags: what each user is interested in, from what they did: one fold sums up decayed evidence per user and tag, then the
 * tags that are sure enough are picked; the table leaves in finish, one row per user. */
#include <adloom/plugin.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"
#include "common/evidence.h"
#include "common/intervals.h"
#include "common/key.h"
#include "common/key_columns.h"
#include "common/times.h"

typedef struct tags {
  adl_input user, tag, at, weight;
  adl_output as, evidence, best, bound;
  int64_t half_life, min_events, top;
  const char *now;
  double confidence, min_bound;
  /* inner: */
  adl_inputs by; /* the user alone */
  int32_t user_slot;
  bool has_now;
  int64_t now_time;
} tags;

enum { BATCH_ROWS = 4096 };

/* ---- the fold ---- */

/* Weight of each item is in range; false: the row is rejected. */
static bool check_weights(const adl_call *call, const tags *self, const adl_batch *batch, int64_t row, double *weight) {
  const adl_column *tag = batch->slots[self->tag.slot];
  *weight = self->weight.slot >= 0 ? adl_number_at(batch->slots[self->weight.slot], row) : 1;
  if (!(*weight >= 0 && isfinite(*weight))) {
    call->host->reject(call, row, "weight", "weight %g is negative or not finite", *weight);
    return false;
  }
  if (tag->weights == NULL) return true;
  int64_t from, to;
  adl_items_of(tag, row, &from, &to);
  for (int64_t i = from; i < to; i++) {
    if (tag->weights[i] >= 0 && isfinite(tag->weights[i])) continue;
    call->host->reject(call, row, "tag", "a weight in the bag is %g; it must be 0 or more", (double)tag->weights[i]);
    return false;
  }
  return true;
}

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const adl_host *host = call->host;
  const tags *self = instance;
  const adl_column *tag = batch->slots[self->tag.slot];
  const int64_t *at = batch->slots[self->at.slot]->data;
  adl_evidence to = adl_evidence_open(call, partial);
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  adl_key key;
  (void)context;
  adl_key_begin(&key, call);
  for (int64_t row = 0; row < batch->rows; row++) {
    double weight;
    int64_t from, end;
    if (!check_weights(call, self, batch, row, &weight)) continue;
    if (self->has_now && at[row] > self->now_time) continue;
    adl_evidence_see(&to, at[row], 1);
    adl_key_of_row(&key, batch, &self->by, row);
    int64_t user = adl_evidence_user(host, &to, (const char *)key.data, key.size, (double)(batch->ordinal + row + 1));
    adl_items_of(tag, row, &from, &end);
    for (int64_t item = from; item < end; item++) {
      double value = tag->weights != NULL ? weight * (double)tag->weights[item] : weight;
      adl_evidence_pair one = {adl_decayed_event(value, at[row], self->half_life), 1};
      if (!(value > 0)) continue;
      adl_evidence_add(host, &to, &key, user, adl_category_text(tag, item, buffer), &one);
    }
  }
  return ADL_OK;
}

static adl_status merge(const adl_call *call, const void *instance, const void *context, adl_tensors *into,
                        adl_tensors *from) {
  (void)instance;
  (void)context;
  adl_evidence_merge(call, into, from);
  return ADL_OK;
}

/* ---- picking tags ---- */

typedef struct candidate {
  adl_text tag;
  int64_t pair;
  double weight;
  float published;
} candidate;

/* Strongest first, as published; of equals the one whose bytes come first. */
static int compare_candidates(const void *a, const void *b) {
  const candidate *left = a, *right = b;
  if (left->published != right->published) return left->published > right->published ? -1 : 1;
  return adl_key_compare(left->tag, right->tag);
}

typedef struct first_event {
  double ordinal;
  int64_t user;
} first_event;

static int compare_first(const void *a, const void *b) {
  double left = ((const first_event *)a)->ordinal, right = ((const first_event *)b)->ordinal;
  return (left > right) - (left < right);
}

/* What leaves, as tensors of the model: users in their order; starts[i] .. starts[i + 1] - 1 are the picks of the i-th. */
typedef struct picks {
  int64_t users, *order, *starts, *pair;
  float *weight, *bound;
} picks;

static picks open_picks(const adl_call *call, adl_tensors *tensors, int64_t users, int64_t pairs) {
  const adl_host *host = call->host;
  const int64_t rows = users + 1, room = pairs + 1;
  return (picks){.users = users,
                 .order = host->tensor(call, tensors, "picks.order", ADL_INT64, 1, &rows),
                 .starts = host->tensor(call, tensors, "picks.starts", ADL_INT64, 1, &rows),
                 .pair = host->tensor(call, tensors, "picks.pair", ADL_INT64, 1, &room),
                 .weight = host->tensor(call, tensors, "picks.weight", ADL_FLOAT32, 1, &room),
                 .bound = host->tensor(call, tensors, "picks.bound", ADL_FLOAT32, 1, &room)};
}

/* Picks of one user's candidates, appended at `to`; returns their end, -1: the weights are too large. */
static int64_t pick_tags(const adl_host *host, const tags *self, const adl_evidence *all, candidate *candidates,
                         int64_t count, double z, picks *into, int64_t to) {
  double total = 0;
  int64_t end = to + self->top;
  for (int64_t i = 0; i < count; i++) {
    total += candidates[i].weight;
    candidates[i].published = (float)candidates[i].weight;
  }
  if (!(total <= FLT_MAX)) return -1;
  qsort(candidates, (size_t)count, sizeof *candidates, compare_candidates);
  for (int64_t i = 0; i < count && to < end; i++) {
    adl_evidence_pair one;
    memcpy(&one, host->table_row(all->pairs, candidates[i].pair), sizeof one);
    if (!(candidates[i].published > 0) || one.events < (double)self->min_events) continue;
    double bound = adl_wilson_low(fmin(1, candidates[i].weight / total), total, z);
    if (bound < self->min_bound) continue;
    into->pair[to] = candidates[i].pair;
    into->weight[to] = candidates[i].published;
    into->bound[to++] = (float)bound;
  }
  return to;
}

/* Deals all pairs to their users by counting; starts: users + 1. */
static candidate *deal_candidates(const adl_call *call, const tags *self, const adl_evidence *all, int64_t now,
                                  int64_t users, int64_t *starts) {
  const adl_host *host = call->host;
  int64_t pairs = host->table_count(all->pairs);
  candidate *candidates = host->alloc(call, ((size_t)pairs + 1) * sizeof *candidates);
  int64_t *next = host->alloc(call, ((size_t)users + 1) * sizeof *next);
  adl_text tag;
  memset(starts, 0, ((size_t)users + 1) * sizeof *starts);
  for (int64_t i = 0; i < pairs; i++) starts[adl_evidence_of(host->table_key(all->pairs, i), &tag) + 1]++;
  for (int64_t i = 1; i <= users; i++) starts[i] += starts[i - 1];
  memcpy(next, starts, ((size_t)users + 1) * sizeof *next);
  for (int64_t i = 0; i < pairs; i++) {
    adl_evidence_pair one;
    int64_t user = adl_evidence_of(host->table_key(all->pairs, i), &tag);
    memcpy(&one, host->table_row(all->pairs, i), sizeof one);
    candidates[next[user]++] =
        (candidate){.tag = tag, .pair = i, .weight = adl_decayed_at(&one.weight, now, self->half_life)};
  }
  return candidates;
}

static adl_status pick_all(const adl_call *call, const tags *self, const adl_evidence *all, adl_tensors *tensors) {
  const adl_host *host = call->host;
  int64_t users = host->table_count(all->users), now = self->has_now ? self->now_time : *all->newest, to = 0;
  int64_t *starts = host->alloc(call, ((size_t)users + 1) * sizeof *starts);
  double z = adl_normal_quantile(self->confidence);
  first_event *first = host->alloc(call, ((size_t)users + 1) * sizeof *first);
  candidate *candidates = deal_candidates(call, self, all, now, users, starts);
  picks into = open_picks(call, tensors, users, host->table_count(all->pairs));
  for (int64_t i = 0; i < users; i++) first[i] = (first_event){host->table_row(all->users, i)[0], i};
  qsort(first, (size_t)users, sizeof *first, compare_first);
  for (int64_t i = 0; i < users; i++) {
    int64_t user = first[i].user, count = starts[user + 1] - starts[user];
    into.order[i] = user;
    into.starts[i] = to;
    to = pick_tags(host, self, all, candidates + starts[user], count, z, &into, to);
    if (to < 0)
      return host->fail(call, self->weight.slot >= 0 ? "weight" : "tag", -1, "divide the weights by a constant",
                        "the weights of a user's events add up to more than a float32 holds");
  }
  into.starts[users] = to;
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .step = step, .merge = merge};
  adl_evidence_open(call, model->tensors);
  ADL_TRY(call->host->fold(call, rows, &fold, model->tensors));
  adl_evidence all = adl_evidence_open(call, model->tensors);
  return pick_all(call, instance, &all, model->tensors);
}

/* ---- the table that leaves ---- */

/* The bags of tags with a number each: their weights, or (weights NULL) how many events they rest on. */
static adl_status write_bag(const adl_call *call, int32_t slot, adl_table *pairs, const picks *of, const float *weights,
                            int64_t first, int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  int64_t begin = of->starts[first], end = of->starts[first + rows], bytes = 0;
  adl_text tag;
  adl_buffers to;
  if (slot < 0 || !host->wanted(call, slot)) return ADL_OK;
  for (int64_t i = begin; i < end; i++) bytes += host->table_key(pairs, of->pair[i]).size;
  ADL_TRY(host->reserve(call, out, slot, rows, end - begin, bytes, &to));
  for (int64_t row = 0; row < rows; row++) to.offsets[row + 1] = (int32_t)(of->starts[first + row + 1] - begin);
  for (int64_t i = 0; i < end - begin; i++) {
    adl_evidence_pair one;
    adl_evidence_of(host->table_key(pairs, of->pair[begin + i]), &tag);
    memcpy(&one, host->table_row(pairs, of->pair[begin + i]), sizeof one);
    if (tag.size > 0) memcpy((char *)to.data + to.string_offsets[i], tag.data, (size_t)tag.size);
    to.string_offsets[i + 1] = to.string_offsets[i] + tag.size;
    to.weights[i] = weights != NULL ? weights[begin + i] : (float)one.events;
  }
  return ADL_OK;
}

/* The strongest tag and its bound; null where there is none. */
static adl_status write_best(const adl_call *call, const tags *self, adl_table *pairs, const picks *of, int64_t first,
                             int64_t rows, adl_out *out) {
  const adl_host *host = call->host;
  adl_buffers best = {0}, bound = {0};
  int64_t bytes = 0;
  adl_text tag;
  for (int64_t row = first; row < first + rows; row++)
    if (of->starts[row] < of->starts[row + 1]) bytes += host->table_key(pairs, of->pair[of->starts[row]]).size;
  if (self->best.slot >= 0) ADL_TRY(host->reserve(call, out, self->best.slot, rows, 0, bytes, &best));
  if (self->bound.slot >= 0) ADL_TRY(host->reserve(call, out, self->bound.slot, rows, 0, 0, &bound));
  for (int64_t row = 0; row < rows; row++) {
    int64_t pick = of->starts[first + row];
    bool any = pick < of->starts[first + row + 1];
    if (bound.data != NULL) {
      ((float *)bound.data)[row] = any ? of->bound[pick] : 0;
      if (!any) adl_bit_set(bound.validity, row, false);
    }
    if (best.data == NULL) continue;
    if (any) adl_evidence_of(host->table_key(pairs, of->pair[pick]), &tag);
    if (any && tag.size > 0) memcpy((char *)best.data + best.string_offsets[row], tag.data, (size_t)tag.size);
    if (!any) adl_bit_set(best.validity, row, false);
    best.string_offsets[row + 1] = best.string_offsets[row] + (any ? tag.size : 0);
  }
  return ADL_OK;
}

static adl_status finish(const adl_call *call, const void *instance, const adl_model *model, adl_out *out) {
  const adl_host *host = call->host;
  const tags *self = instance;
  adl_evidence all = adl_evidence_open(call, model->tensors);
  int64_t users = host->table_count(all.users);
  picks of = open_picks(call, model->tensors, users, host->table_count(all.pairs));
  adl_text *keys = host->alloc(call, BATCH_ROWS * sizeof *keys);
  for (int64_t first = 0; first < users; first += BATCH_ROWS) {
    int64_t rows = users - first < BATCH_ROWS ? users - first : BATCH_ROWS;
    if (host->cancelled(call)) return ADL_FAILED;
    for (int64_t row = 0; row < rows; row++) keys[row] = host->table_key(all.users, of.order[first + row]);
    ADL_TRY(adl_key_columns_write(call, &self->by, &self->user_slot, keys, rows, out));
    ADL_TRY(write_bag(call, self->as.slot, all.pairs, &of, of.weight, first, rows, out));
    ADL_TRY(write_bag(call, self->evidence.slot, all.pairs, &of, NULL, first, rows, out));
    ADL_TRY(write_best(call, self, all.pairs, &of, first, rows, out));
    ADL_TRY(host->commit(call, out, rows));
  }
  return ADL_OK;
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *into) {
  const adl_host *host = call->host;
  adl_evidence all = adl_evidence_open(call, model->tensors);
  int64_t users = host->table_count(all.users), tagged = 0;
  picks of = open_picks(call, model->tensors, users, host->table_count(all.pairs));
  (void)instance;
  for (int64_t i = 0; i < users; i++) tagged += of.starts[i] < of.starts[i + 1];
  host->report_number(call, into, "", "events", (double)*all.rows, NAN, NAN);
  host->report_number(call, into, "", "users", (double)users, NAN, NAN);
  host->report_number(call, into, "", "users_with_tags", (double)tagged, NAN, NAN);
  host->report_number(call, into, "", "tags_seen", (double)host->table_count(all.pairs), NAN, NAN);
  host->report_number(call, into, "", "tags_published", (double)of.starts[users], NAN, NAN);
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status read_now(const adl_call *call, tags *self) {
  adl_time_format iso = {.kind = ADL_TIME_ISO};
  self->has_now = self->now != NULL;
  if (!self->has_now || adl_time_parse(&iso, self->now, strlen(self->now), false, &self->now_time) == ADL_PARSED)
    return ADL_OK;
  return call->host->fail(call, "now", 0, "write it as 2024-01-31 or 2024-01-31T09:30:00Z", "`%s` is not a time",
                          self->now);
}

static adl_status bind(const adl_call *call, void *instance) {
  const adl_host *host = call->host;
  tags *self = instance;
  self->by = (adl_inputs){1, &self->user};
  adl_status status = read_now(call, self);
  ADL_TRY(host->declare_named(call, "user", self->user.name, self->user.type, &self->user_slot));
  ADL_TRY(host->declare(call, &self->as, (adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY}));
  ADL_TRY(
      host->declare(call, &self->evidence, (adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY}));
  ADL_TRY(host->declare(call, &self->best, (adl_type){.element = ADL_STRING, .role = ADL_CATEGORY}));
  ADL_TRY(host->declare(call, &self->bound, (adl_type){.element = ADL_FLOAT32}));
  return status;
}

static const adl_param params[] = {
    {.name = "user",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(tags, user),
     .elements = ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES) | ADL_ANY_INTEGER,
     .doc = "Whose event it is. The column leaves, with one row for each user."},
    {.name = "tag",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(tags, tag),
     .elements = ADL_MASK(ADL_STRING) | ADL_ANY_INTEGER,
     .shapes = ADL_MASK(ADL_SCALAR) | ADL_MASK(ADL_LIST) | ADL_MASK(ADL_BAG),
     .roles = ADL_MASK(ADL_CATEGORY),
     .doc =
         "What the event was about: a string or a category, or a list or bag of them (the words of a page, say). The "
         "items of a list are so many pieces of evidence; those of a bag count their weights."},
    {.name = "at",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(tags, at),
     .elements = ADL_MASK(ADL_TIMESTAMP),
     .doc = "When it happened."},
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(tags, weight),
     .elements = ADL_ANY_NUMERIC,
     .doc = "How much evidence the event is, for example 1 for a view and 5 for a purchase. Not negative; without it "
            "every event is 1."},
    {.name = "half_life",
     .type = ADL_PARAM_DURATION,
     .offset = offsetof(tags, half_life),
     .default_value = "30d",
     .range = "[1s, 36500d]",
     .doc = "After so long an event counts half."},
    {.name = "now",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(tags, now),
     .doc = "The time for which weights are told, such as 2024-01-31T09:30:00Z; later events do not count. Without it, "
            "the time of the newest event."},
    {.name = "confidence",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(tags, confidence),
     .default_value = "0.95",
     .range = "(0, 1)",
     .doc = "Confidence of the interval whose lower end is the bound."},
    {.name = "min_bound",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(tags, min_bound),
     .default_value = "0.05",
     .range = "[0, 1]",
     .doc = "Publish a tag only if the lower bound of its share of the user's evidence is at least this."},
    {.name = "min_events",
     .type = ADL_PARAM_INT,
     .offset = offsetof(tags, min_events),
     .default_value = "3",
     .range = "[1, 1000000000]",
     .unit = "events",
     .doc = "Publish a tag only if it rests on so many events, however old."},
    {.name = "top",
     .type = ADL_PARAM_INT,
     .offset = offsetof(tags, top),
     .default_value = "10",
     .range = "[1, 65536]",
     .unit = "tags",
     .doc = "Publish at most so many tags of a user, the strongest."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(tags, as),
     .default_value = "tags",
     .doc = "New column: the published tags with their decayed weights, strongest first (a bag)."},
    {.name = "evidence",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(tags, evidence),
     .doc = "New column: the published tags with the number of events that each rests on (a bag)."},
    {.name = "best",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(tags, best),
     .default_value = "best",
     .doc = "New column: the strongest published tag; null where there is none."},
    {.name = "bound",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(tags, bound),
     .default_value = "bound",
     .doc = "New column: the lower bound of the share of that tag (float32)."},
};

static const char doc[] =
    "Makes a table of what users are interested in, one row per user, from what they did: pages viewed, categories "
    "bought, words read. Every event is evidence for its tags, and loses half its weight in each `half_life`. Only "
    "tags that are sure enough are published, because a tag that rests on one stray click costs more than it "
    "earns.\n\n"
    "Of a user whose events i = 1, 2, ... at times t_i have weights w_i, a tag has the weight W = sum of w_i 2^(-(now "
    "- t_i) / half_life) over its events, and S is the sum of W over all tags of the user. The tag's share is p = W / "
    "S, and S stands for the number of trials: a fresh event of weight 1 is one, an old one less, so that stale "
    "evidence is unsure evidence. The bound is the lower end of Wilson's score interval (Wilson 1927), (p + z^2 / 2S "
    "- z sqrt(p (1 - p) / S + z^2 / 4S^2)) / (1 + z^2 / S), with z the two-sided normal quantile of `confidence`. A "
    "tag is published if the bound is at least `min_bound` and it rests on `min_events` events or more; at most `top` "
    "of them, by weight, equal ones by their bytes. What is not published still counts in S.\n\n"
    "The users leave in the order of their first event in the input; one without a tag to publish has an empty bag "
    "and null in `best` and `bound`. Only training rows count, so what a user is said to like can be joined to any "
    "row without telling it of the future. Events later than `now` are left out as if they had not happened yet.\n\n"
    "Weights are summed relative to 1970 as a float64 with an exponent of its own for whole half-lives: events may "
    "come in any order and be any time apart, and sums change by rounding only. Rows in which user, tag, time or "
    "weight is null are rejected, and so are weights that are negative, NaN or infinite. An item of weight 0 is no "
    "evidence. Without any event the table is empty. Memory is some 100 bytes and the tag for each pair of user and "
    "tag.";

static const adl_class tags_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_PROFILE,
    .id = "tags",
    .title = "Interest tags per user, decayed, with confidence",
    .doc = doc,
    .flags = ADL_SINGLE_PASS | ADL_TRANSIENT,
    .form = ADL_NEW,
    .instance_size = sizeof(tags),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .finish = finish,
    .report = report,
};

static const adl_class *const classes[] = {&tags_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "tags",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("tags", "1.0.0", "profile:tags", &plugin);
