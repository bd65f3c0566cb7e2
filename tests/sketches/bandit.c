/* A bandit that chooses within groups: sketch.choose gives one candidate of each request, the one with the best score
 * or, with a chance of epsilon, any; and says how likely that choice was. Every draw depends on the seed and on the
 * number of the group's first row alone. */
#include <adloom/plugin.h>

typedef struct choose {
  adl_inputs request;
  adl_input score;
  double epsilon;
  adl_output propensity, candidates;
} choose;

static const adl_param params[] = {
    {.name = "request",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LIST_OF | ADL_GROUP_KEY,
     .offset = offsetof(choose, request),
     .doc = "Columns that say which rows are candidates for the same place. They stand next to each other."},
    {.name = "score",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(choose, score),
     .elements = ADL_ANY_NUMERIC,
     .doc = "Expected reward of a candidate. Of equal ones the first is the best."},
    {.name = "epsilon",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(choose, epsilon),
     .default_value = "0.1",
     .range = "[0, 1]",
     .doc = "Share of requests that explore: any candidate, all alike."},
    {.name = "propensity",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(choose, propensity),
     .default_value = "propensity",
     .doc = "New column: probability with which this candidate was chosen (float64)."},
    {.name = "candidates",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(choose, candidates),
     .doc = "New column: how many there were (int32)."},
};

static adl_status bind(const adl_call *call, void *instance) {
  choose *self = instance;
  ADL_TRY(call->host->declare(call, &self->propensity, (adl_type){.element = ADL_FLOAT64}));
  return call->host->declare(call, &self->candidates, (adl_type){.element = ADL_INT32});
}

static int64_t best_of(const adl_column *score, int64_t first, int64_t end) {
  int64_t best = first;
  for (int64_t r = first + 1; r < end; r++)
    if (adl_number_at(score, r) > adl_number_at(score, best)) best = r;
  return best;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const choose *self = instance;
  const adl_column *score = batch->slots[self->score.slot];
  uint64_t explore = call->host->random_key(call, "explore"), candidate = call->host->random_key(call, "candidate");
  int64_t groups = batch->group_count, *chosen = call->host->alloc(call, (size_t)groups * sizeof *chosen);
  adl_buffers propensity, candidates = {0};
  (void)model;
  ADL_TRY(call->host->reserve(call, out, self->propensity.slot, groups, 0, 0, &propensity));
  if (self->candidates.slot >= 0)
    ADL_TRY(call->host->reserve(call, out, self->candidates.slot, groups, 0, 0, &candidates));
  for (int64_t g = 0; g < groups; g++) {
    int64_t first = batch->groups[g], count = batch->groups[g + 1] - first, best = best_of(score, first, first + count);
    uint64_t number = (uint64_t)(batch->ordinal + first);
    bool any = adl_random_unit(explore, number) < self->epsilon;
    chosen[g] = any ? first + (int64_t)(adl_random_unit(candidate, number) * (double)count) : best;
    ((double *)propensity.data)[g] = self->epsilon / (double)count + (chosen[g] == best ? 1 - self->epsilon : 0);
    if (candidates.data != NULL) ((int32_t *)candidates.data)[g] = (int32_t)count;
  }
  return call->host->pick(call, out, chosen, groups);
}

static const adl_class choose_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_OPTIMIZE,
    .id = "sketch.choose",
    .title = "One candidate of each request",
    .doc =
        "Epsilon-greedy choice: with probability epsilon any candidate of the request, each as likely as the others, "
        "else the one with the best score. The propensity of the best of n is 1 - epsilon + epsilon / n, that of any "
        "other epsilon / n.",
    .flags = ADL_WHOLE_GROUPS,
    .form = ADL_PICKED,
    .instance_size = sizeof(choose),
    ADL_PARAMS(params),
    .bind = bind,
    .process = process,
};
ADL_PLUGIN_OF("sketch.choose", "1.0.0", "optimize:sketch.choose", &choose_class);
