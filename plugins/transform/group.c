/* group: one row per key, with what its rows come to. One fold over the training rows into keyed tables; the table leaves
 * in finish, sorted by key. See common/grouping.h. */
#include <adloom/plugin.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/grouping.h"

typedef struct group {
  adl_inputs by;
  adl_calls columns;
  int32_t *key_slots;
  adl_grouping grouping;
} group;

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  (void)context;
  return adl_grouping_step(call, &((const group *)instance)->grouping, batch, partial);
}

static adl_status merge(const adl_call *call, const void *instance, const void *context, adl_tensors *into,
                        adl_tensors *from) {
  (void)context;
  return adl_grouping_merge(call, &((const group *)instance)->grouping, into, from);
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const group *self = instance;
  adl_fold fold = {.struct_size = sizeof fold, .flags = ADL_FOLD_KEYS, .step = step, .merge = merge};
  adl_grouping_init(call, &self->grouping, model->tensors);
  ADL_TRY(call->host->fold(call, rows, &fold, model->tensors));
  return adl_grouping_settle(call, &self->grouping, model->tensors);
}

static adl_status finish(const adl_call *call, const void *instance, const adl_model *model, adl_out *out) {
  const group *self = instance;
  return adl_grouping_write(call, &self->grouping, self->key_slots, model->tensors, out);
}

/* ---- binding ---- */

static adl_status bind(const adl_call *call, void *instance) {
  const adl_host *host = call->host;
  group *self = instance;
  adl_status status = ADL_OK;
  if (self->by.count == 0) return host->fail(call, "by", -1, NULL, "name at least one column to group by");
  self->key_slots = calloc((size_t)self->by.count, sizeof *self->key_slots);
  adl_aggregate *aggregates = calloc((size_t)self->columns.count + 1, sizeof *aggregates);
  self->grouping = (adl_grouping){.by = self->by, .aggregates = aggregates, .count = self->columns.count};
  if (self->key_slots == NULL || aggregates == NULL) return host->fail(call, "by", -1, NULL, "no memory");
  for (int64_t i = 0; i < self->by.count; i++) {
    char parameter[40];
    snprintf(parameter, sizeof parameter, "by[%lld]", (long long)i);
    ADL_TRY(host->declare_named(call, parameter, self->by.items[i].name, self->by.items[i].type, &self->key_slots[i]));
  }
  for (int64_t i = 0; i < self->columns.count; i++) {
    adl_aggregate *aggregate = &aggregates[i];
    char parameter[256];
    snprintf(parameter, sizeof parameter, "columns.%s", self->columns.items[i].name);
    if (adl_aggregate_bind(call, &self->columns.items[i], i, aggregate) != ADL_OK) {
      status = ADL_FAILED;
      continue;
    }
    aggregate->cell = (int32_t)self->grouping.width;
    self->grouping.width += aggregate->cells;
    ADL_TRY(host->declare_named(call, parameter, self->columns.items[i].name, aggregate->type, &aggregate->slot));
  }
  if (!adl_grouping_bind(&self->grouping)) return host->fail(call, "by", -1, NULL, "no memory");
  return status;
}

/* Widths, and names of dimensions, of vectors are those of what was summed up. */
static adl_status start(const adl_call *call, void *instance) {
  const adl_host *host = call->host;
  group *self = instance;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_aggregate *aggregate = &self->grouping.aggregates[i];
    const adl_input *of = &aggregate->of->arguments[0];
    if (aggregate->type.shape != ADL_VECTOR) continue;
    int64_t width = of->type.width, size = 0;
    int64_t *offsets = host->alloc(call, ((size_t)width + 1) * sizeof *offsets);
    offsets[0] = 0;
    for (int64_t d = 0; d < width; d++) offsets[d + 1] = size += host->dimension_name(call, of, d, NULL, 0);
    char *bytes = host->alloc(call, (size_t)size + 1);
    for (int64_t d = 0; d < width; d++)
      host->dimension_name(call, of, d, bytes + offsets[d], (size_t)(size + 1 - offsets[d]));
    ADL_TRY(host->set_width(call, aggregate->slot, width));
    ADL_TRY(host->set_names(call, aggregate->slot, width, offsets, bytes));
  }
  return ADL_OK;
}

static void destroy(void *instance) {
  group *self = instance;
  free(self->key_slots);
  adl_grouping_clear(&self->grouping);
}

static const adl_param params[] = {
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(group, by),
     .doc =
         "Columns whose values make a group. They leave as they are, before the new ones; rows in which one of them is "
         "null are rejected."},
    {.name = "columns",
     .type = ADL_PARAM_CALL,
     .flags = ADL_MAP_OF | ADL_NULLS_PASS,
     .offset = offsetof(group, columns),
     .choices = ADL_AGGREGATES,
     .shapes = ADL_ANY_SHAPE,
     .doc = "Names of new columns, each with what it is made of, for example `spend: sum(price * quantity)`. Arguments "
            "are "
            "expressions. Without it, the keys alone leave."},
};

static const char doc[] =
    "Makes one row of all rows that have the same values in the columns of `by`. Only training rows count, so what a "
    "group holds can be joined to any row without telling it of the future; a key that has no training row is not in "
    "the table. The rows leave sorted by key: numbers by size, strings by their bytes.\n"
    "\n"
    "Functions, in all of which nulls are left out: `sum(x)`, 0 for none, int64 for integers and bools (null if it "
    "does not fit), float64 otherwise. `mean(x)`, `min(x)`, `max(x)`, null for none; min and max also of strings (by "
    "bytes), timestamps and bools. `count()` of rows, `count(x)` of values. `last(x, at)`: the value with the greatest "
    "time, of equal times the one of the latest row; a row without a time does not count. `distinct(x)`: how many "
    "different values, counted exactly. `bag(token)`, `bag(token, weight)`: a bag of the tokens (strings, ids, or "
    "lists or bags of them), each with its weights summed up. A token of a bag weighs what it does there, others 1, "
    "times `weight` where it is given; a row whose weight is null is left out.\n"
    "\n"
    "sum and mean are also of vectors, element by element: `mean(factors)`.\n"
    "\n"
    "Sums of integers are exact, also where they leave int64 on the way and come back; a mean of integers is that sum, "
    "divided. Sums of floats carry along what rounding loses (Neumaier 1974), and come out the same for any number of "
    "threads; one that leaves float64, even on the way, is null. The rows are not kept. The groups are, with every "
    "distinct value and every token of a bag: in memory, and beyond `--memory` in files of the run directory, which "
    "the system pages in and out. Where the groups are many, they are counted in 32 parts, one after the other; their "
    "rows wait for that, some megabytes, or half of what the groups "
    "take.";

static const adl_class group_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "group",
    .title = "One row per key: sums, counts, last values, bags",
    .doc = doc,
    .flags = ADL_SINGLE_PASS | ADL_TRANSIENT,
    .form = ADL_NEW,
    .instance_size = sizeof(group),
    .state_version = 1,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .fit = fit,
    .finish = finish,
};

static const adl_class *const classes[] = {&group_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "group",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("group", "1.0.0", "transform:group", &plugin);
