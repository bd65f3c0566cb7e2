/*
 * history: what the events of each row's key came to before the row's own time, so that no feature can see its future.
 * fit reads the other stage's rows, the events, and makes timelines of them; process looks up by key and time. The work is
 * done in common/past*.c.
 */
#include <adloom/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/key.h"
#include "common/past.h"
#include "common/sides.h"

typedef struct history {
  adl_side with;
  adl_inputs by;
  adl_strings with_by;
  adl_input at;
  const char *with_at;
  adl_map calls;
  int64_t window;
  adl_past past;
} history;

/* ---- running ---- */

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *total) {
  (void)context;
  return adl_past_step(call, &((const history *)instance)->past, batch, total);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_IN_ORDER, .step = step};
  return adl_past_fit(call, &((const history *)instance)->past, &fold, rows, model);
}

/* Numbers of the rows' keys, -1: there is no event of such. */
static int64_t *find_keys(const adl_call *call, const history *self, const adl_model *model, const adl_batch *batch) {
  const adl_table *table = call->host->find_table(call, model->tensors, "keys");
  int64_t *number = call->host->alloc(call, ((size_t)batch->rows + 1) * sizeof *number);
  adl_keys keys;
  adl_keys_begin(&keys, call, batch->rows);
  for (int64_t row = 0; row < batch->rows; row++)
    number[row] = table != NULL && adl_keys_add_row(&keys, batch, &self->by, row) ? 0 : -1;
  const int64_t *found = keys.count > 0 ? adl_keys_find(&keys, table) : NULL;
  for (int64_t row = 0; row < batch->rows; row++)
    if (number[row] == 0) number[row] = *found++;
  return number;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const adl_host *host = call->host;
  const history *self = instance;
  const int64_t *at = batch->slots[self->at.slot]->data, *found = find_keys(call, self, model, batch);
  adl_past_range *ranges = host->alloc(call, ((size_t)batch->rows + 1) * sizeof *ranges);
  adl_timeline line;
  bool whole = adl_timeline_find(call, model, &line);
  for (int64_t row = 0; row < batch->rows; row++) {
    bool training = host->row_split(call, row) == ADL_TRAIN;
    ranges[row] = (adl_past_range){0};
    if (whole && found[row] >= 0) ranges[row] = adl_timeline_range(&line, found[row], training, at[row], self->window);
  }
  for (int64_t i = 0; i < self->past.call_count; i++)
    ADL_TRY(adl_past_write(call, &self->past, i, model, ranges, batch->rows, out));
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status bind_keys(const adl_call *call, history *self) {
  const adl_host *host = call->host;
  adl_status status = ADL_OK;
  if (self->by.count == 0) return host->fail(call, "by", -1, NULL, "name at least one column that makes the key");
  if (self->with_by.count > 0 && self->with_by.count != self->by.count)
    return host->fail(call, "with_by", -1, "name one for each column of `by`, in the same order",
                      "there are %lld columns in `with_by` and %lld in `by`", (long long)self->with_by.count,
                      (long long)self->by.count);
  self->past.keys = calloc((size_t)self->by.count, sizeof *self->past.keys);
  if (self->past.keys == NULL) return host->fail(call, "by", -1, NULL, "no memory for the list");
  self->past.key_count = self->by.count;
  for (int64_t i = 0; i < self->by.count; i++) {
    bool own = self->with_by.count > 0;
    const char *name = own ? self->with_by.items[i] : self->by.items[i].name;
    char parameter[40];
    adl_type type;
    snprintf(parameter, sizeof parameter, "%s[%lld]", own ? "with_by" : "by", (long long)i);
    if (adl_side_find(call, &self->with, parameter, name, &type) != ADL_OK) {
      status = ADL_FAILED;
    } else if (!adl_key_comparable(self->by.items[i].type, type)) {
      status = host->fail(call, parameter, -1, "make them alike with derive: string(x), number(x), integer(x)",
                          "`%s` and `%s` of `%s` are of different types and can never be equal", self->by.items[i].name,
                          name, self->with.name);
    } else {
      ADL_TRY(host->side_input(call, parameter, &self->with, name, &self->past.keys[i]));
    }
  }
  return status;
}

static adl_status bind_time(const adl_call *call, history *self) {
  adl_type type;
  ADL_TRY(adl_side_find(call, &self->with, "with_at", self->with_at, &type));
  if (type.element != ADL_TIMESTAMP || type.shape != ADL_SCALAR)
    return call->host->fail(call, "with_at", -1, "read it as timestamp or date, or make one with timestamp(x)",
                            "`%s` of `%s` is no timestamp", self->with_at, self->with.name);
  return call->host->side_input(call, "with_at", &self->with, self->with_at, &self->past.time);
}

static adl_status bind(const adl_call *call, void *instance) {
  history *self = instance;
  adl_status status = bind_keys(call, self);
  self->past.windowed = self->window > 0;
  if (bind_time(call, self) != ADL_OK) status = ADL_FAILED;
  if (adl_past_bind(call, &self->with, &self->calls, &self->past) != ADL_OK) status = ADL_FAILED;
  return status;
}

static void destroy(void *instance) { adl_past_free(&((history *)instance)->past); }

static const adl_param params[] = {
    {.name = "with",
     .type = ADL_PARAM_STAGE,
     .flags = ADL_REQUIRED,
     .offset = offsetof(history, with),
     .doc = "The stage whose rows are the events."},
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(history, by),
     .doc = "Columns that make the key: whose past it is."},
    {.name = "with_by",
     .type = ADL_PARAM_STRING,
     .flags = ADL_LIST_OF,
     .offset = offsetof(history, with_by),
     .doc = "What these are called in the other stage, in the same order; the same names, unless said."},
    {.name = "at",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(history, at),
     .elements = ADL_MASK(ADL_TIMESTAMP),
     .doc = "The row's own time. Only events before it count; rows in which it is null are rejected."},
    {.name = "with_at",
     .type = ADL_PARAM_STRING,
     .flags = ADL_REQUIRED,
     .offset = offsetof(history, with_at),
     .doc = "Column of the other stage that says when an event happened: a timestamp."},
    {.name = "past",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF | ADL_REQUIRED,
     .offset = offsetof(history, calls),
     .doc =
         "Names of new columns, each with what it is made of, for example `spend: sum(amount)`. Arguments are columns "
         "of the other stage."},
    {.name = "window",
     .type = ADL_PARAM_DURATION,
     .offset = offsetof(history, window),
     .range = "[1s, 36500d]",
     .doc = "How far back events count, for example `90d`: from that long before the row's time on, and before it. "
            "Unless said, all of the past counts."},
};

static const char doc[] =
    "Adds what is known of a key's past at the time of each row: how often, how much, when last. It is a join by key "
    "and time (a point-in-time join): an event counts only if it happened strictly before the row; one at the very "
    "same time does not, and nothing that happens later can change what a row is told.\n"
    "\n"
    "Functions, in all of which nulls are left out: `count()` of events, `count(x)` of values. `sum(x)`, 0 for none, "
    "int64 for integers and bools, float64 otherwise (null where it does not fit). `mean(x)`, `min(x)`, `max(x)`, null "
    "for none; min and max also of timestamps. `last(x)`: the value of the latest event that has one, of equal times "
    "the one of the latest row; null for none. `distinct(x)`: how many different values. `bag(token)`, `bag(token, "
    "weight)`: a bag of the tokens (strings or ids), each with its weights summed up, empty for none; an event without "
    "a weight is left out. `since()`: days from the latest event to the row, with fractions; null for none.\n"
    "\n"
    "A key without events has counts and sums of 0; so has a row whose key is null, which is equal to nothing. Events "
    "whose key or time is null are never seen; an event with NaN or an infinity in a column that is used is rejected. "
    "For a longer past beside a shorter one, put one stage behind the other.\n"
    "\n"
    "The row keeps its own split. A training row is told of training events only: an event of a stage with held-out "
    "rows counts for held-out rows alone. Held-out rows are told of all events before them, as they would be when they "
    "are scored.\n"
    "\n"
    "The other stage is read first, whole, and held in memory, sorted by key and time: 8 bytes an event, 8 for each "
    "column that is used (4 for strings) and 4 to 8 for each function, of sums, trees of sums and extremes and links "
    "between events; some 25 more while they are sorted. Where held-out events of a key come before training ones, the "
    "training ones stand twice. There may be two thousand million events. A row then takes a binary search; only bags, "
    "and distinct in a window, look at the events one by one. Sums of integers are exact; those of floats carry along "
    "what rounding loses (Neumaier 1974): they are right to the last digit or so, but where values some 1e16 times as "
    "great cancel out among the events that are added. Events outside of the window have no part in a sum, however "
    "great. A float sum that leaves float64, even on the way, is null.";

static const adl_class history_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "history",
    .title = "What happened before: counts, sums, last values by key and time",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_TRANSIENT,
    .form = ADL_SAME,
    .instance_size = sizeof(history),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .fit = fit,
    .process = process,
};

static const adl_class *const classes[] = {&history_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "history",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("history", "1.0.0", "transform:history", &plugin);
