/* ranking: how well scores rank the items of each group. One fold over whole groups sums up the measures of common/ranks.
 */
#include <adloom/plugin.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/intervals.h"
#include "common/ranks.h"
#include "common/reporting.h"

typedef struct ranking {
  adl_inputs group;
  adl_input relevance, score;
  adl_ints k;
  int32_t gain;
} ranking;

enum { GAIN_LINEAR, GAIN_EXPONENTIAL };

/* Gains up to some 10^15 can be added up without losing those of 1: the highest relevance, by `gain`. */
static const double highest[] = {1e15, 50};

static const adl_param params[] = {
    {.name = "group",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED | ADL_LIST_OF | ADL_GROUP_KEY | ADL_NULLS_PASS,
     .offset = offsetof(ranking, group),
     .elements = ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL) | ADL_MASK(ADL_TIMESTAMP) | ADL_MASK(ADL_STRING),
     .doc = "Columns that say which rows are ranked against each other, for example the user or the request. They "
            "stand next to each other; `sort` brings them together."},
    {.name = "relevance",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(ranking, relevance),
     .elements = ADL_ANY_NUMERIC,
     .doc = "How good an item is: a bool, 0 and 1, or grades. Above 0 it is relevant. Rows with a negative one are "
            "rejected."},
    {.name = "score",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(ranking, score),
     .elements = ADL_ANY_NUMERIC,
     .doc = "What items are ranked by, highest first."},
    {.name = "k",
     .type = ADL_PARAM_INT,
     .flags = ADL_LIST_OF,
     .offset = offsetof(ranking, k),
     .default_value = "[1, 5, 10]",
     .range = "[1, 1000000]",
     .unit = "items",
     .doc = "Lengths of the list for recall, precision and NDCG, each reported as recall@5 and so on."},
    {.name = "gain",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(ranking, gain),
     .default_value = "linear",
     .choices = "linear|exponential",
     .doc = "What a relevance counts in NDCG. linear: itself. exponential: 2^relevance - 1, which lets the best grades "
            "count most. The same for 0 and 1. The highest relevance is 1e15, or 50 with exponential."},
};

/* For each k */
enum { RECALL, PRECISION, NDCG_AT, PER_K };
/* and behind these */
enum { NDCG, MAP, MRR, WHOLE };

static const char *const per_k_names[PER_K] = {"recall", "precision", "ndcg"};
static const char *const whole_names[WHOLE] = {"ndcg", "map", "mrr"};

static int64_t measures_of(const ranking *self) { return self->k.count * PER_K + WHOLE; }

/* ------------------------------------------------------------------------------------------ the fold ---- */

enum { GROUPS, GROUPS_WITHOUT, ITEMS, RELEVANT, COUNTS };

/* Sums over groups that have relevant items: of each measure and of its square. */
typedef struct account {
  double *sums;   /* ADL_OVER_COUNT x measures x 2 */
  double *counts; /* ADL_OVER_COUNT x COUNTS */
} account;

static account account_of(const adl_call *call, const ranking *self, adl_tensors *tensors) {
  const adl_host *host = call->host;
  account a;
  a.sums = host->tensor(call, tensors, "sums", ADL_FLOAT64, 3, (int64_t[]){ADL_OVER_COUNT, measures_of(self), 2});
  a.counts = host->tensor(call, tensors, "counts", ADL_FLOAT64, 2, (int64_t[]){ADL_OVER_COUNT, COUNTS});
  return a;
}

/* The best DCG that the items allow: that of a list ranked by their gains. */
static void rank_ideally(const adl_ranked *items, int64_t count, adl_ranked *ideal) {
  for (int64_t i = 0; i < count; i++) ideal[i] = (adl_ranked){items[i].gain, items[i].gain};
  adl_rank(ideal, count);
}

static double ndcg(const adl_ranked *items, const adl_ranked *ideal, int64_t count, int64_t k) {
  return adl_dcg_at(items, count, k) / adl_dcg_at(ideal, count, k);
}

/* Measures a group with `relevant` > 0 relevant items. `ideal` is room for another list. */
static void measure(const ranking *self, adl_ranked *items, int64_t count, double relevant, adl_ranked *ideal,
                    double *measures) {
  adl_rank(items, count);
  rank_ideally(items, count, ideal);
  for (int64_t i = 0; i < self->k.count; i++) {
    int64_t k = self->k.items[i];
    double hits = adl_hits_at(items, count, k);
    measures[i * PER_K + RECALL] = hits / relevant;
    measures[i * PER_K + PRECISION] = hits / (double)k;
    measures[i * PER_K + NDCG_AT] = ndcg(items, ideal, count, k);
  }
  double *whole = measures + self->k.count * PER_K;
  whole[NDCG] = ndcg(items, ideal, count, count);
  whole[MAP] = adl_average_precision(items, count);
  whole[MRR] = adl_reciprocal_rank(items, count);
}

/* The items of a group, without those that are rejected; how many. */
static int64_t read_items(const adl_call *call, const ranking *self, const adl_batch *batch, int64_t first, int64_t end,
                          adl_ranked *items) {
  const adl_column *relevance = batch->slots[self->relevance.slot], *score = batch->slots[self->score.slot];
  int64_t count = 0;
  for (int64_t row = first; row < end; row++) {
    double grade = adl_number_at(relevance, row);
    if (grade < 0) {
      call->host->reject(call, row, "relevance", "relevance %g is negative", grade);
    } else if (grade > highest[self->gain]) {
      call->host->reject(call, row, "relevance", "relevance %g is above %g, which is too much to be added up", grade,
                         highest[self->gain]);
    } else {
      double gain = self->gain == GAIN_EXPONENTIAL ? exp2(grade) - 1 : grade;
      items[count++] = (adl_ranked){adl_number_at(score, row), gain};
    }
  }
  return count;
}

static adl_status rank_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                            adl_tensors *partial) {
  (void)context;
  const ranking *self = instance;
  int64_t measures = measures_of(self), over = adl_over_of(call);
  account to = account_of(call, self, partial);
  double *sums = to.sums + over * measures * 2, *counts = to.counts + over * COUNTS;
  adl_ranked *items = call->host->alloc(call, (size_t)batch->rows * sizeof *items);
  adl_ranked *ideal = call->host->alloc(call, (size_t)batch->rows * sizeof *ideal);
  double *found = call->host->alloc(call, (size_t)measures * sizeof *found);
  for (int64_t g = 0; g < batch->group_count; g++) {
    int64_t count = read_items(call, self, batch, batch->groups[g], batch->groups[g + 1], items);
    if (count == 0) continue;
    double relevant = adl_relevant(items, count);
    counts[ITEMS] += (double)count;
    counts[RELEVANT] += relevant;
    counts[relevant > 0 ? GROUPS : GROUPS_WITHOUT] += 1;
    if (!(relevant > 0)) continue;
    measure(self, items, count, relevant, ideal, found);
    for (int64_t i = 0; i < measures; i++) {
      sums[2 * i] += found[i];
      sums[2 * i + 1] += found[i] * found[i];
    }
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = rank_step};
  account_of(call, instance, model->tensors);
  return call->host->fold(call, rows, &fold, model->tensors);
}

/* --------------------------------------------------------------------------------------------- report ---- */

static adl_status bind(const adl_call *call, void *instance) {
  const ranking *self = instance;
  for (int64_t i = 0; i < self->k.count; i++)
    for (int64_t j = 0; j < i; j++)
      if (self->k.items[i] == self->k.items[j])
        return call->host->fail(call, "k", -1, "name each length once", "%lld stands there twice",
                                (long long)self->k.items[i]);
  return ADL_OK;
}

/* Reports a measure with its interval, which stays within [0, 1]; fills three cells. */
static void report_measure(const adl_call *call, adl_report *report, int over, const char *name, const double *sums,
                           double groups, const char **cells) {
  double mean = sums[0] / groups, low, high;
  adl_interval_mean(sums[0], sums[1], groups, &low, &high);
  if (high > 1) high = 1;
  adl_report_value(call, report, over, name, groups > 0 ? mean : NAN, low, high, "no group has a relevant item");
  cells[0] = adl_report_cell(call, groups > 0 ? mean : NAN);
  cells[1] = adl_report_cell(call, low);
  cells[2] = adl_report_cell(call, high);
}

static void report_over(const adl_call *call, const ranking *self, const double *sums, const double *counts, int over,
                        adl_report *report) {
  static const char *const titles[] = {"measure", "value", "low", "high"};
  static const char *const count_names[COUNTS] = {"groups", "groups_without_relevant", "items", "relevant"};
  enum { COLUMNS = 4, NAME_SIZE = 32 };
  int64_t measures = measures_of(self);
  const char **cells = call->host->alloc(call, (size_t)(measures * COLUMNS) * sizeof *cells);
  for (int i = 0; i < COUNTS; i++)
    call->host->report_number(call, report, adl_over_names[over], count_names[i], counts[i], NAN, NAN);
  for (int64_t i = 0; i < measures; i++) {
    int64_t at = i / PER_K, whole = i - self->k.count * PER_K;
    char *name = call->host->alloc(call, NAME_SIZE);
    if (whole < 0)
      snprintf(name, NAME_SIZE, "%s@%lld", per_k_names[i % PER_K], (long long)self->k.items[at]);
    else
      snprintf(name, NAME_SIZE, "%s", whole_names[whole]);
    cells[i * COLUMNS] = name;
    report_measure(call, report, over, name, sums + 2 * i, counts[GROUPS], cells + i * COLUMNS + 1);
  }
  call->host->report_table(call, report, adl_over_title(call, "ranking", over), COLUMNS, titles, measures, cells);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report_to) {
  const ranking *self = instance;
  account found = account_of(call, self, model->tensors);
  double all = 0;
  for (int over = 0; over < ADL_OVER_COUNT; over++) all += found.counts[over * COUNTS + ITEMS];
  if (all == 0) {
    call->host->report_text(call, report_to, "groups", "undefined: no rows reached this stage");
    return ADL_OK;
  }
  if (found.counts[ADL_OVER_HELD_OUT * COUNTS + ITEMS] == 0) adl_over_none_held_out(call, report_to);
  for (int over = 0; over < ADL_OVER_COUNT; over++) {
    const double *counts = found.counts + over * COUNTS;
    if (counts[ITEMS] > 0) report_over(call, self, found.sums + over * measures_of(self) * 2, counts, over, report_to);
  }
  return ADL_OK;
}

static const char doc[] =
    "Measures how well scores rank the items of each group: whether what a user clicked stands at the top of what was "
    "proposed. All measures are means over groups that have a relevant item; groups without one are counted apart "
    "(groups_without_relevant), since no order of theirs is better than another.\n\n"
    "recall@k: how many of the relevant items are among the first k. precision@k: how many of the first k are "
    "relevant, k being the divisor in shorter groups too. ndcg@k: the sum over the first k of gain / log2(1 + rank), "
    "by the same of the best possible order (Jarvelin & Kekalainen, ACM TOIS 2002); ndcg: over the whole list. map: "
    "mean average precision, the precision at the rank of each relevant item. mrr: 1 by the rank of the first "
    "relevant item.\n\n"
    "Items with equal scores have no order. Every measure is then exactly what is to be expected if ties are broken "
    "at random (McSherry & Najork, ECIR 2008), so a constant score gets what chance gets. NDCG is that of "
    "scikit-learn with `gain: linear`, and that of most contests with `gain: exponential`.\n\n"
    "Intervals are 95 %, normal, from the variance over groups, which they take as independent.\n\n"
    "Held-out, validation, progressive and in-sample rows are told apart, as metrics does; a group with rows of two "
    "kinds counts as a group of each. Rows whose relevance or score is null, NaN or infinite, or whose relevance is "
    "negative or too high, are rejected, and the group goes on without them. Nulls in the columns of `group` are "
    "equal to each other. Without a group that has a relevant item the measures are undefined.";

static const adl_class ranking_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_EVALUATE,
    .id = "ranking",
    .title = "Quality of ranked lists",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_SPLIT_ROWS | ADL_SINGLE_PASS | ADL_WHOLE_GROUPS | ADL_TRANSIENT,
    .form = ADL_NEW,
    .instance_size = sizeof(ranking),
    .state_version = 1,
    ADL_PARAMS(params),
    .bind = bind,
    .fit = fit,
    .report = report,
};

static const adl_class *const classes[] = {&ranking_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "ranking",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("ranking", "1.0.0", "evaluate:ranking", &plugin);
