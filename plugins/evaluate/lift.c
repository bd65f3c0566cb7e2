/* lift: what policies that choose among candidates would earn where the value of every candidate is known. One fold over
 * whole groups sums up what each policy earns in a group, and how that goes with what the others earn. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/intervals.h"
#include "common/plots.h"
#include "common/reporting.h"

typedef struct lift {
  adl_inputs group;
  adl_input value;
  adl_inputs scores;
  int64_t top;
} lift;

static const adl_param params[] = {
    {.name = "group",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LIST_OF | ADL_GROUP_KEY | ADL_NULLS_PASS,
     .offset = offsetof(lift, group),
     .elements = ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL) | ADL_MASK(ADL_TIMESTAMP) | ADL_MASK(ADL_STRING),
     .doc = "Columns that say which rows are candidates for the same place, for example the request. They stand next "
            "to each other; `sort` brings them together."},
    {.name = "value",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(lift, value),
     .elements = ADL_ANY_NUMERIC,
     .doc = "What each candidate earns if it is chosen: its true or estimated click probability, or what came of it."},
    {.name = "scores",
     .type = ADL_PARAM_EXPRESSION,
     .flags = ADL_REQUIRED | ADL_MAP_OF,
     .offset = offsetof(lift, scores),
     .elements = ADL_ANY_NUMERIC,
     .doc = "Policies, each with the column or expression by which it ranks candidates, highest first: "
            "{popularity: ctr, profiles: p}. Each is compared with the one before it."},
    {.name = "top",
     .type = ADL_PARAM_INT,
     .offset = offsetof(lift, top),
     .default_value = "1",
     .range = "[1, 1000000]",
     .unit = "candidates",
     .doc = "How many candidates are chosen in each group. All of them where there are fewer."},
};

/* Sums over groups, for each policy. The gain of a policy is what it earns above chance; the step is what it earns above
 * the policy before it. */
enum {
  VALUE,
  VALUE2,
  STEP,
  STEP2,
  GAIN,
  GAIN2,
  GAIN_CHANCE, /* times what chance earns */
  GAIN_ORACLE, /* times the gain of the oracle */
  CELLS
};

/* Chance comes first, the oracle last. */
static int64_t policies_of(const lift *self) { return self->scores.count + 2; }

static const char *policy_name(const lift *self, int64_t policy) {
  if (policy == 0) return "chance";
  return policy <= self->scores.count ? self->scores.items[policy - 1].name : "oracle";
}

/* ------------------------------------------------------------------------------------------ one group ---- */

static int falling(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left < right) - (left > right);
}

/* The score of the last candidate that is chosen. `room` is for `count` numbers. */
static double threshold_of(const double *scores, int64_t count, int64_t chosen, double *room) {
  if (chosen == 1) {
    double most = scores[0];
    for (int64_t i = 1; i < count; i++)
      if (scores[i] > most) most = scores[i];
    return most;
  }
  memcpy(room, scores, (size_t)count * sizeof *room);
  qsort(room, (size_t)count, sizeof *room, falling);
  return room[chosen - 1];
}

static double mean_of(const double *values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += values[i];
  return sum / (double)count;
}

/* Mean value of the best `top` candidates. Those that tie for the last places share them: exactly what is to be expected
 * if ties are broken at random. */
static double earned(const double *scores, const double *values, int64_t count, int64_t top, double *room) {
  if (top >= count) return mean_of(values, count); /* exactly what chance earns */
  int64_t above = 0, tied = 0;
  double threshold = threshold_of(scores, count, top, room), sum = 0, shared = 0;
  for (int64_t i = 0; i < count; i++) {
    if (scores[i] > threshold) sum += values[i], above++;
    if (scores[i] == threshold) shared += values[i], tied++;
  }
  return (sum + shared / (double)tied * (double)(top - above)) / (double)top;
}

/* Adds a group, of which each policy earns so much. */
static void add_group(double *sums, const double *earns, int64_t policies) {
  double chance = earns[0], most = earns[policies - 1] - chance;
  for (int64_t p = 0; p < policies; p++) {
    double *cell = sums + p * CELLS, value = earns[p], gain = value - chance, step = p > 0 ? value - earns[p - 1] : 0;
    cell[VALUE] += value;
    cell[VALUE2] += value * value;
    cell[STEP] += step;
    cell[STEP2] += step * step;
    cell[GAIN] += gain;
    cell[GAIN2] += gain * gain;
    cell[GAIN_CHANCE] += gain * chance;
    cell[GAIN_ORACLE] += gain * most;
  }
}

/* ------------------------------------------------------------------------------------------ the fold ---- */

/* Sums of all kinds of rows; counts are of groups and candidates. */
typedef struct account {
  double *sums;   /* ADL_OVER_COUNT x policies x CELLS */
  double *counts; /* ADL_OVER_COUNT x 2 */
} account;

static account account_of(const adl_call *call, const lift *self, adl_tensors *tensors) {
  const adl_host *host = call->host;
  account a;
  a.sums = host->tensor(call, tensors, "sums", ADL_FLOAT64, 3, (int64_t[]){ADL_OVER_COUNT, policies_of(self), CELLS});
  a.counts = host->tensor(call, tensors, "counts", ADL_FLOAT64, 2, (int64_t[]){ADL_OVER_COUNT, 2});
  return a;
}

static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)context;
  const lift *self = instance;
  int64_t policies = policies_of(self), rows = batch->rows;
  int over = adl_over_of(call);
  account to = account_of(call, self, partial);
  double *numbers = call->host->alloc(call, (size_t)(rows * policies) * sizeof *numbers); /* values, then scores */
  double *room = call->host->alloc(call, (size_t)rows * sizeof *room);
  double *earns = call->host->alloc(call, (size_t)policies * sizeof *earns);
  for (int64_t p = 0; p <= self->scores.count; p++) {
    const adl_column *column = batch->slots[p == 0 ? self->value.slot : self->scores.items[p - 1].slot];
    for (int64_t row = 0; row < rows; row++) numbers[p * rows + row] = adl_number_at(column, row);
  }
  for (int64_t g = 0; g < batch->group_count; g++) {
    int64_t first = batch->groups[g], count = batch->groups[g + 1] - first;
    const double *values = numbers + first;
    earns[0] = mean_of(values, count);
    for (int64_t p = 1; p <= self->scores.count; p++)
      earns[p] = earned(numbers + p * rows + first, values, count, self->top, room);
    earns[policies - 1] = earned(values, values, count, self->top, room);
    add_group(to.sums + over * policies * CELLS, earns, policies);
  }
  to.counts[over * 2] += (double)batch->group_count;
  to.counts[over * 2 + 1] += (double)rows;
  return ADL_OK;
}

static adl_status bind(const adl_call *call, void *instance) {
  const lift *self = instance;
  for (int64_t i = 0; i < self->scores.count; i++) {
    const char *name = self->scores.items[i].name;
    if (strcmp(name, "chance") != 0 && strcmp(name, "oracle") != 0) continue;
    char parameter[64];
    snprintf(parameter, sizeof parameter, "scores.%s", name);
    return call->host->fail(call, parameter, -1, "choose another name",
                            "`%s` is a policy that this stage measures by itself", name);
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = count_step};
  account_of(call, instance, model->tensors);
  return call->host->fold(call, rows, &fold, model->tensors);
}

/* --------------------------------------------------------------------------------------------- report ---- */

/* A value, and half the width of its interval. */
typedef struct estimate {
  double value, half;
} estimate;

static estimate mean(double sum, double squares, double groups) {
  return (estimate){sum / groups, adl_interval_half(adl_covariance(sum, sum, squares, groups), groups)};
}

/* What a policy earns by what chance earns: a ratio of means, its interval by the delta method. With v = c + gain the
 * variance of v - ratio c is that of gain - (ratio - 1) c. NaN where chance earns nothing. */
static estimate ratio_to_chance(const double *cell, const double *chance, double groups) {
  if (!(chance[VALUE] > 0)) return (estimate){NAN, NAN};
  double rest = cell[GAIN] / chance[VALUE], scale = chance[VALUE] / groups;
  double variance = adl_covariance(cell[GAIN], cell[GAIN], cell[GAIN2], groups) -
                    2 * rest * adl_covariance(cell[GAIN], chance[VALUE], cell[GAIN_CHANCE], groups) +
                    rest * rest * adl_covariance(chance[VALUE], chance[VALUE], chance[VALUE2], groups);
  return (estimate){1 + rest, adl_interval_half(variance, groups) / scale};
}

/* The gain of a policy by that of the oracle, in the same way. NaN where there is nothing to gain. */
static estimate share_of_oracle(const double *cell, const double *oracle, double groups) {
  if (!(oracle[GAIN] > 0)) return (estimate){NAN, NAN};
  double share = cell[GAIN] / oracle[GAIN], scale = oracle[GAIN] / groups;
  double variance = adl_covariance(cell[GAIN], cell[GAIN], cell[GAIN2], groups) -
                    2 * share * adl_covariance(cell[GAIN], oracle[GAIN], cell[GAIN_ORACLE], groups) +
                    share * share * adl_covariance(oracle[GAIN], oracle[GAIN], oracle[GAIN2], groups);
  return (estimate){share, adl_interval_half(variance, groups) / scale};
}

enum { COLUMN_POLICY, COLUMN_VALUE, COLUMN_TOTAL = 4, COLUMN_LIFT, COLUMN_SHARE, COLUMN_STEP, COLUMNS = 10 };
static const char *const titles[COLUMNS] = {"policy", "value", "low",        "high", "total",
                                            "lift",   "share", "difference", "low",  "high"};

/* A number of the report and its cells: the value, and, where the table has them, both ends of the interval. */
static void tell(const adl_call *call, adl_report *report, int over, const char *name, estimate of, const char *reason,
                 const char **cells, bool interval) {
  double low = of.value - of.half, high = of.value + of.half;
  adl_report_value(call, report, over, name, of.value, low, high, reason);
  cells[0] = adl_report_cell(call, of.value);
  if (!interval) return;
  cells[1] = adl_report_cell(call, low);
  cells[2] = adl_report_cell(call, high);
}

static void report_policy(const adl_call *call, const lift *self, const double *sums, double groups, int over,
                          int64_t policy, const char **cells, adl_report *report) {
  const double *cell = sums + policy * CELLS, *oracle = sums + (policies_of(self) - 1) * CELLS;
  const char *name = policy_name(self, policy);
  for (int k = 0; k < COLUMNS; k++) cells[k] = "";
  cells[COLUMN_POLICY] = name;
  tell(call, report, over, adl_report_name(call, name, "value"), mean(cell[VALUE], cell[VALUE2], groups), "",
       cells + COLUMN_VALUE, true);
  tell(call, report, over, adl_report_name(call, name, "total"), (estimate){cell[VALUE], NAN}, "", cells + COLUMN_TOTAL,
       false);
  if (policy == 0) return;
  tell(call, report, over, adl_report_name(call, name, "lift"), ratio_to_chance(cell, sums, groups),
       "a choice at random earns nothing", cells + COLUMN_LIFT, false);
  tell(call, report, over, adl_report_name(call, name, "share"), share_of_oracle(cell, oracle, groups),
       "the best choice earns no more than one at random", cells + COLUMN_SHARE, false);
  tell(call, report, over, adl_report_name(call, name, "difference"), mean(cell[STEP], cell[STEP2], groups), "",
       cells + COLUMN_STEP, true);
}

/* What each policy earns, with its interval. */
static void plot_values(const adl_call *call, const lift *self, const double *sums, double groups, int over,
                        adl_report *report) {
  int64_t policies = policies_of(self);
  double *value = call->host->alloc(call, (size_t)policies * 3 * sizeof *value), *low = value + policies;
  double *high = low + policies;
  const char **names = call->host->alloc(call, (size_t)policies * sizeof *names);
  for (int64_t p = 0; p < policies; p++) {
    const double *cell = sums + p * CELLS;
    estimate of = mean(cell[VALUE], cell[VALUE2], groups);
    names[p] = policy_name(self, p);
    value[p] = of.value;
    low[p] = of.value - of.half;
    high[p] = of.value + of.half;
  }
  adl_plot_named(call, report, adl_over_title(call, "what the policies earn", over), "policy", "value of a group",
                 policies, names, value, low, high);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report_to) {
  const lift *self = instance;
  const adl_host *host = call->host;
  int64_t policies = policies_of(self);
  account found = account_of(call, self, model->tensors);
  double all = 0;
  for (int over = 0; over < ADL_OVER_COUNT; over++) all += found.counts[over * 2];
  if (all == 0) {
    host->report_text(call, report_to, "groups", "undefined: no rows reached this stage");
    return ADL_OK;
  }
  if (found.counts[ADL_OVER_HELD_OUT * 2] == 0) adl_over_none_held_out(call, report_to);
  for (int over = 0; over < ADL_OVER_COUNT; over++) {
    double groups = found.counts[over * 2];
    if (groups == 0) continue;
    host->report_number(call, report_to, adl_over_names[over], "groups", groups, NAN, NAN);
    host->report_number(call, report_to, adl_over_names[over], "candidates", found.counts[over * 2 + 1], NAN, NAN);
    const char **cells = host->alloc(call, (size_t)(policies * COLUMNS) * sizeof *cells);
    for (int64_t p = 0; p < policies; p++)
      report_policy(call, self, found.sums + over * policies * CELLS, groups, over, p, cells + p * COLUMNS, report_to);
    plot_values(call, self, found.sums + over * policies * CELLS, groups, over, report_to);
    host->report_table(call, report_to, adl_over_title(call, "policies", over), COLUMNS, titles, policies, cells);
  }
  return ADL_OK;
}

static const char doc[] =
    "Measures what policies would earn that choose the best of several candidates by a score, where the value of "
    "every candidate is known or estimated: in simulated logs the true click probability, elsewhere what a model of "
    "the outcomes says. Logs that hold the outcome of the chosen candidate alone do not tell what another choice "
    "would have earned, and this stage cannot either.\n"
    "\n"
    "Rows are candidates; rows of one group stand next to each other. What a policy earns in a group is the mean value "
    "of its `top` candidates with the highest score. Candidates that tie for the last places share them, which is "
    "exactly what is to be expected when ties are broken at random. `chance` is the mean value of all candidates, "
    "`oracle` the mean of the best ones by the value itself.\n"
    "\n"
    "value: the mean over groups, with a 95 % interval. total: the sum over groups, for example the clicks that are to "
    "be expected. lift: the value by that of chance. share: (value - chance) / (oracle - chance), how much of what can "
    "be gained is gained. difference: the value less that of the policy before it, in the order in which they are "
    "given; its interval is paired, from the differences within each group, so it tells whether the order can be "
    "trusted where the intervals of the values overlap.\n"
    "\n"
    "Intervals are normal, from the variance over groups, those of lift and share by the delta method (ratios of "
    "means). They take groups as independent and say nothing of errors in the values. A single group has none.\n"
    "\n"
    "Held-out, validation, progressive and in-sample rows are told apart, as metrics does; a group with rows of two "
    "kinds counts as a group of each. Rows whose value or one of whose scores is null, NaN or infinite are rejected, "
    "and the group goes on without them: use coalesce(p, 0) for candidates that a policy cannot score. Nulls in the "
    "columns of `group` are equal to each other. Lift is undefined where chance earns nothing (or less), share where "
    "the oracle earns no more than chance.";

static const adl_class lift_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_EVALUATE,
    .id = "lift",
    .title = "What policies would earn",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_SPLIT_ROWS | ADL_SINGLE_PASS | ADL_WHOLE_GROUPS | ADL_TRANSIENT,
    .form = ADL_NEW,
    .instance_size = sizeof(lift),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .report = report,
};

static const adl_class *const classes[] = {&lift_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "lift",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("lift", "1.0.0", "evaluate:lift", &plugin);
