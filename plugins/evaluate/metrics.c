/* metrics: how good predicted probabilities are, over held-out rows and others apart. Counts rows by score in one pass,
 * then computes the measures of common/measures from the counts. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/intervals.h"
#include "common/measures.h"

typedef struct metrics {
  adl_input label, score;
  adl_inputs by;
  int64_t bins;
  int32_t binning;
  double resolution;
} metrics;

enum { BINNING_WIDTH, BINNING_COUNT };

static const adl_param params[] = {
    {.name = "label",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(metrics, label),
     .elements = ADL_ANY_NUMERIC,
     .doc = "What happened: a bool, or 0 and 1. Rows with another value are rejected."},
    {.name = "score",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(metrics, score),
     .elements = ADL_ANY_FLOAT,
     .doc = "What was predicted: a probability. Of other scores only AUC can be told."},
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS,
     .offset = offsetof(metrics, by),
     .elements = ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL) | ADL_MASK(ADL_STRING),
     .doc = "Tell the measures for each value of these columns as well (each combination of values). A null is a "
            "segment of its own."},
    {.name = "bins",
     .type = ADL_PARAM_INT,
     .offset = offsetof(metrics, bins),
     .default_value = "10",
     .range = "[2, 1000]",
     .doc = "Bins of the reliability table and of the calibration error ECE."},
    {.name = "binning",
     .type = ADL_PARAM_CHOICE,
     .offset = offsetof(metrics, binning),
     .default_value = "width",
     .choices = "width|count",
     .doc = "width: bins of equal width over [0, 1]. count: bins of equally many rows, which shows more where "
            "probabilities are small."},
    {.name = "resolution",
     .type = ADL_PARAM_FLOAT,
     .offset = offsetof(metrics, resolution),
     .default_value = "0",
     .range = "[0, 0.1]",
     .doc = "Round scores to multiples of this before they are ranked and binned; 0: as they are, AUC is exact. Bounds "
            "the memory, which is some 100 bytes for each different score: 1e-6 keeps at most a million of them."},
};

/* Over which rows a number is. Split of the row, and whether it was scored before it was learned from. */
enum { OVER_HELD_OUT, OVER_VALIDATION, OVER_PROGRESSIVE, OVER_IN_SAMPLE, OVER_COUNT };
static const char *const over_names[OVER_COUNT] = {"held-out", "validation", "progressive", "in-sample"};

/* ------------------------------------------------------------------------------------------ the fold ---- */

static int over_of(const adl_call *call) {
  adl_split split = call->host->split(call);
  if (split == ADL_TEST) return OVER_HELD_OUT;
  if (split == ADL_VALIDATE) return OVER_VALIDATION;
  return call->host->online(call) ? OVER_PROGRESSIVE : OVER_IN_SAMPLE;
}

/* Longest text of a value that is no string, and of what stands around it. */
#define VALUE_SIZE 32

static int64_t segment_room(const metrics *self, const adl_batch *batch) {
  int64_t room = 0;
  for (int64_t k = 0; k < self->by.count; k++) {
    const adl_column *column = batch->slots[self->by.items[k].slot];
    int64_t longest = VALUE_SIZE;
    if (column->type.element == ADL_STRING)
      for (int64_t row = 0; row < batch->rows; row++)
        if (adl_text_at(column, row).size > longest) longest = adl_text_at(column, row).size;
    room += longest + (int64_t)strlen(self->by.items[k].name) + 3;
  }
  return room;
}

static size_t print_value(const adl_column *column, int64_t row, char *to) {
  if (adl_is_null(column, row)) return (size_t)sprintf(to, "null");
  if (column->type.element == ADL_STRING) {
    adl_text text = adl_text_at(column, row);
    memcpy(to, text.data, (size_t)text.size);
    return (size_t)text.size;
  }
  if (column->type.element == ADL_BOOL)
    return (size_t)sprintf(to, "%s", adl_number_at(column, row) != 0 ? "true" : "false");
  if (column->type.element == ADL_INT64)
    return (size_t)sprintf(to, "%lld", (long long)((const int64_t *)column->data)[row]);
  return (size_t)sprintf(to, "%.0f", adl_number_at(column, row));
}

/* Writes "device=phone, hour=12"; returns the length. */
static size_t print_segment(const metrics *self, const adl_batch *batch, int64_t row, char *to) {
  char *end = to;
  for (int64_t k = 0; k < self->by.count; k++) {
    const char *name = self->by.items[k].name;
    if (k > 0) end = memcpy(end, ", ", 2), end += 2;
    end = (char *)memcpy(end, name, strlen(name)) + strlen(name);
    *end++ = '=';
    end += print_value(batch->slots[self->by.items[k].slot], row, end);
  }
  return (size_t)(end - to);
}

static double rounded(const metrics *self, double score) {
  return self->resolution > 0 ? round(score / self->resolution) * self->resolution : score;
}

/*
 * Two keyed tables that are added up: "sums", with key {over, segment}, and "scores", with key {over, segment, the 8 bytes
 * of the score}, of negatives and positives.
 */
static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)context;
  const metrics *self = instance;
  const adl_host *host = call->host;
  adl_table *sums = host->table(call, partial, "sums", ADL_SUM_COUNT);
  adl_table *scores = host->table(call, partial, "scores", 2);
  const adl_column *label = batch->slots[self->label.slot], *score = batch->slots[self->score.slot];
  char *key = host->alloc(call, (size_t)segment_room(self, batch) + 1 + sizeof(double));
  key[0] = (char)over_of(call);
  for (int64_t row = 0; row < batch->rows; row++) {
    double y = adl_number_at(label, row), exact = adl_number_at(score, row), ranked = rounded(self, exact);
    if (y != 0 && y != 1) {
      host->reject(call, row, "label", "label %g is neither 0 nor 1", y);
      continue;
    }
    size_t length = 1 + print_segment(self, batch, row, key + 1);
    adl_measure_add(host->table_row(sums, host->table_insert(sums, key, (int64_t)length)), y == 1, exact);
    memcpy(key + length, &ranked, sizeof ranked);
    host->table_row(scores, host->table_insert(scores, key, (int64_t)(length + sizeof ranked)))[y == 1] += 1;
  }
  return ADL_OK;
}

/* ---------------------------------------------------------------------------------- from counts to measures ---- */

/* An entry of "scores". `segment` is a row of "sums". */
typedef struct entry {
  adl_score_count count;
  int64_t segment;
  int over;
} entry;

static int by_segment(const void *a, const void *b) {
  const entry *left = a, *right = b;
  if (left->segment != right->segment) return left->segment < right->segment ? -1 : 1;
  return (left->count.score > right->count.score) - (left->count.score < right->count.score);
}

static int by_score(const void *a, const void *b) {
  const entry *left = a, *right = b;
  if (left->over != right->over) return left->over < right->over ? -1 : 1;
  if (left->count.score != right->count.score) return left->count.score < right->count.score ? -1 : 1;
  return (left->segment > right->segment) - (left->segment < right->segment);
}

enum { ROC_POINTS = 200 };

/* What is measured, ready for the model. Group 0 .. OVER_COUNT - 1 are all rows of each kind, the others the segments
 * in the order of "sums". */
typedef struct outcome {
  int64_t groups;
  double *sums;                 /* groups x ADL_SUM_COUNT */
  adl_measure *measures;        /* groups x ADL_MEASURE_COUNT */
  adl_reliability *reliability; /* OVER_COUNT x bins */
  int64_t *roc_count;           /* OVER_COUNT: points of the curve */
  double *roc;                  /* OVER_COUNT x (x, y) x ROC_POINTS */
} outcome;

static outcome make_outcome(const adl_call *call, const metrics *self, adl_tensors *tensors, int64_t segments) {
  const adl_host *host = call->host;
  outcome made = {.groups = OVER_COUNT + segments};
  made.sums = host->tensor(call, tensors, "sums", ADL_FLOAT64, 2, (int64_t[]){made.groups, ADL_SUM_COUNT});
  made.measures = host->tensor(call, tensors, "measures", ADL_FLOAT64, 3,
                               (int64_t[]){made.groups, ADL_MEASURE_COUNT, sizeof(adl_measure) / sizeof(double)});
  made.reliability = host->tensor(call, tensors, "reliability", ADL_FLOAT64, 3,
                                  (int64_t[]){OVER_COUNT, self->bins, sizeof(adl_reliability) / sizeof(double)});
  made.roc_count = host->tensor(call, tensors, "roc_count", ADL_INT64, 1, (int64_t[]){OVER_COUNT});
  made.roc = host->tensor(call, tensors, "roc", ADL_FLOAT64, 3, (int64_t[]){OVER_COUNT, 2, ROC_POINTS});
  return made;
}

static entry *read_entries(const adl_call *call, const adl_table *sums, const adl_table *scores) {
  const adl_host *host = call->host;
  int64_t count = host->table_count(scores);
  entry *entries = host->alloc(call, (size_t)(count > 0 ? count : 1) * sizeof *entries);
  for (int64_t i = 0; i < count; i++) {
    adl_text key = host->table_key(scores, i);
    const double *row = host->table_row(scores, i);
    size_t prefix = (size_t)key.size - sizeof(double);
    entries[i].over = key.data[0];
    entries[i].segment = host->table_find(sums, key.data, (int64_t)prefix);
    memcpy(&entries[i].count.score, key.data + prefix, sizeof(double));
    entries[i].count.negatives = row[0];
    entries[i].count.positives = row[1];
  }
  return entries;
}

/* Measures all groups: group_of tells the entry's, which must come in runs. */
static void measure_runs(const metrics *self, outcome *made, const entry *entries, int64_t count, bool whole,
                         adl_score_count *scratch) {
  for (int64_t from = 0, to; from < count; from = to) {
    int64_t group = whole ? entries[from].over : OVER_COUNT + entries[from].segment;
    for (to = from; to < count; to++) {
      if ((whole ? entries[to].over : OVER_COUNT + entries[to].segment) != group) break;
      scratch[to - from] = entries[to].count;
    }
    const double *sums = made->sums + group * ADL_SUM_COUNT;
    adl_measure *measures = made->measures + group * ADL_MEASURE_COUNT;
    adl_measures(sums, scratch, to - from, measures);
    double *roc = made->roc + 2 * ROC_POINTS * group;
    if (whole) made->roc_count[group] = adl_roc(scratch, to - from, ROC_POINTS, roc, roc + ROC_POINTS);
    if (!whole || sums[ADL_SUM_OUTSIDE] > 0) continue;
    measures[ADL_MEASURE_ECE].value = adl_reliability_of(scratch, to - from, self->binning == BINNING_WIDTH, self->bins,
                                                         made->reliability + group * self->bins);
  }
}

/* Keys of "sums" as one run of bytes with offsets. */
static void keep_names(const adl_call *call, const adl_table *sums, adl_tensors *tensors) {
  int64_t count = call->host->table_count(sums), size = 0;
  int64_t *offsets = call->host->tensor(call, tensors, "segments.offsets", ADL_INT64, 1, (int64_t[]){count + 1});
  for (int64_t i = 0; i < count; i++) offsets[i + 1] = size += call->host->table_key(sums, i).size;
  char *names = call->host->tensor(call, tensors, "segments", ADL_BYTES, 1, &size);
  for (int64_t i = 0; i < count; i++) {
    adl_text key = call->host->table_key(sums, i);
    memcpy(names + offsets[i], key.data, (size_t)key.size);
  }
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const metrics *self = instance;
  const adl_host *host = call->host;
  const adl_fold fold = {.struct_size = sizeof fold, .step = count_step};
  adl_tensors *total = host->scratch_tensors(call);
  adl_table *sums = host->table(call, total, "sums", ADL_SUM_COUNT), *scores = host->table(call, total, "scores", 2);
  ADL_TRY(host->fold(call, rows, &fold, total));
  sums = host->table(call, total, "sums", ADL_SUM_COUNT);
  scores = host->table(call, total, "scores", 2);
  int64_t segments = host->table_count(sums), count = host->table_count(scores);
  if (segments == 0) {
    host->log(call, ADL_WARNING, "no rows to measure");
    return ADL_OK;
  }
  outcome made = make_outcome(call, self, model->tensors, segments);
  for (int64_t i = 0; i < segments; i++) {
    const double *row = host->table_row(sums, i);
    double *all = made.sums + host->table_key(sums, i).data[0] * ADL_SUM_COUNT;
    for (int k = 0; k < ADL_SUM_COUNT; k++) all[k] += made.sums[(OVER_COUNT + i) * ADL_SUM_COUNT + k] = row[k];
  }
  keep_names(call, sums, model->tensors);
  entry *entries = read_entries(call, sums, scores);
  adl_score_count *scratch = host->alloc(call, (size_t)count * sizeof *scratch);
  qsort(entries, (size_t)count, sizeof *entries, by_score);
  measure_runs(self, &made, entries, count, true, scratch);
  if (self->by.count > 0) {
    qsort(entries, (size_t)count, sizeof *entries, by_segment);
    measure_runs(self, &made, entries, count, false, scratch);
  }
  return ADL_OK;
}

/* --------------------------------------------------------------------------------------------- report ---- */

enum { CELL_SIZE = 48, SEGMENTS_SHOWN = 50, NAME_SHOWN = 200 };

static const char *cell(const adl_call *call, double value) {
  char *text = call->host->alloc(call, CELL_SIZE);
  if (isnan(value)) return "undefined";
  snprintf(text, CELL_SIZE, "%.6g", value);
  return text;
}

static const char *join(const adl_call *call, const char *name, const char *over) {
  size_t size = strlen(name) + strlen(over) + 4;
  char *text = call->host->alloc(call, size);
  snprintf(text, size, "%s (%s)", name, over);
  return text;
}

static void report_measures(const adl_call *call, const outcome *made, int over, adl_report *report) {
  const double *sums = made->sums + over * ADL_SUM_COUNT;
  for (int i = 0; i < ADL_MEASURE_COUNT; i++) {
    const adl_measure *measure = &made->measures[over * ADL_MEASURE_COUNT + i];
    if (!isnan(measure->value)) {
      call->host->report_number(call, report, over_names[over], adl_measure_names[i], measure->value, measure->low,
                                measure->high);
      continue;
    }
    char text[128];
    snprintf(text, sizeof text, "undefined: %s", adl_measure_reason(sums, i));
    call->host->report_text(call, report, join(call, adl_measure_names[i], over_names[over]), text);
  }
}

static void report_reliability(const adl_call *call, const metrics *self, const outcome *made, int over,
                               adl_report *report) {
  static const char *const titles[] = {"score from", "to", "rows", "mean score", "ctr", "ctr low", "ctr high"};
  enum { COLUMNS = sizeof titles / sizeof *titles };
  const adl_reliability *table = made->reliability + over * self->bins;
  const char **cells = call->host->alloc(call, (size_t)self->bins * COLUMNS * sizeof *cells);
  double *x = call->host->alloc(call, (size_t)self->bins * 2 * sizeof *x), *y = x + self->bins;
  int64_t count = 0;
  for (int64_t i = 0; i < self->bins; i++) {
    if (!(table[i].rows > 0)) continue;
    double low, high;
    adl_interval_rate(table[i].positives, table[i].rows, &low, &high);
    x[count] = table[i].score / table[i].rows;
    y[count] = table[i].positives / table[i].rows;
    const double row[COLUMNS] = {table[i].low, table[i].high, table[i].rows, x[count], y[count], low, high};
    for (int k = 0; k < COLUMNS; k++) cells[count * COLUMNS + k] = cell(call, row[k]);
    count++;
  }
  if (count == 0) return;
  call->host->report_table(call, report, join(call, "reliability", over_names[over]), COLUMNS, titles, count, cells);
  call->host->report_plot(call, report, join(call, "calibration", over_names[over]), "mean score", "ctr", false, count,
                          x, y);
}

static void report_roc(const adl_call *call, const outcome *made, int over, adl_report *report) {
  const double *roc = made->roc + 2 * ROC_POINTS * over;
  if (made->roc_count[over] > 0)
    call->host->report_plot(call, report, join(call, "ROC", over_names[over]), "share of negatives scored above",
                            "share of positives scored above", false, made->roc_count[over], roc, roc + ROC_POINTS);
}

/* Segments with more rows first. The numbers are those of groups. */
static int by_rows(const void *a, const void *b) {
  const double *left = *(const double *const *)a, *right = *(const double *const *)b;
  if (left[ADL_SUM_ROWS] != right[ADL_SUM_ROWS]) return left[ADL_SUM_ROWS] > right[ADL_SUM_ROWS] ? -1 : 1;
  return (left > right) - (left < right);
}

static const char *segment_name(const adl_call *call, const char *names, const int64_t *offsets, int64_t segment) {
  int64_t size = offsets[segment + 1] - offsets[segment] - 1, shown = size;
  const char *name = names + offsets[segment] + 1;
  if (shown > NAME_SHOWN)
    for (shown = NAME_SHOWN; shown > 0 && ((unsigned char)name[shown] & 0xc0) == 0x80;) shown--; /* whole characters */
  char *text = call->host->alloc(call, (size_t)shown + 4);
  memcpy(text, name, (size_t)shown);
  strcpy(text + shown, shown < size ? "..." : "");
  return text;
}

static void report_segments(const adl_call *call, const outcome *made, const char *names, const int64_t *offsets,
                            int over, adl_report *report) {
  static const int shown_measures[] = {ADL_MEASURE_ROWS,        ADL_MEASURE_POSITIVES, ADL_MEASURE_CTR,
                                       ADL_MEASURE_MEAN_SCORE,  ADL_MEASURE_LOGLOSS,   ADL_MEASURE_ENTROPY,
                                       ADL_MEASURE_CALIBRATION, ADL_MEASURE_AUC};
  enum { COLUMNS = 1 + sizeof shown_measures / sizeof *shown_measures };
  int64_t segments = made->groups - OVER_COUNT, count = 0;
  const double **order = call->host->alloc(call, (size_t)segments * sizeof *order);
  for (int64_t i = 0; i < segments; i++)
    if (names[offsets[i]] == over) order[count++] = made->sums + (OVER_COUNT + i) * ADL_SUM_COUNT;
  qsort(order, (size_t)count, sizeof *order, by_rows);
  if (count > SEGMENTS_SHOWN) {
    char text[96];
    snprintf(text, sizeof text, "%d of %lld segments are shown, those with most rows", SEGMENTS_SHOWN,
             (long long)count);
    call->host->report_text(call, report, join(call, "segments", over_names[over]), text);
    count = SEGMENTS_SHOWN;
  }
  const char *cells[SEGMENTS_SHOWN * COLUMNS], *titles[COLUMNS] = {"segment"};
  for (int k = 1; k < COLUMNS; k++) titles[k] = adl_measure_names[shown_measures[k - 1]];
  for (int64_t i = 0; i < count; i++) {
    int64_t group = (order[i] - made->sums) / ADL_SUM_COUNT;
    cells[i * COLUMNS] = segment_name(call, names, offsets, group - OVER_COUNT);
    for (int k = 1; k < COLUMNS; k++)
      cells[i * COLUMNS + k] = cell(call, made->measures[group * ADL_MEASURE_COUNT + shown_measures[k - 1]].value);
  }
  if (count > 0)
    call->host->report_table(call, report, join(call, "segments", over_names[over]), COLUMNS, titles, count, cells);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report_to) {
  const metrics *self = instance;
  adl_tensor sums, measures, reliability, names, offsets, roc_count, roc;
  if (!call->host->find_tensor(call, model->tensors, "sums", &sums) ||
      !call->host->find_tensor(call, model->tensors, "measures", &measures) ||
      !call->host->find_tensor(call, model->tensors, "reliability", &reliability) ||
      !call->host->find_tensor(call, model->tensors, "roc_count", &roc_count) ||
      !call->host->find_tensor(call, model->tensors, "roc", &roc) ||
      !call->host->find_tensor(call, model->tensors, "segments", &names) ||
      !call->host->find_tensor(call, model->tensors, "segments.offsets", &offsets)) {
    call->host->report_text(call, report_to, "rows", "undefined: no rows reached this stage");
    return ADL_OK;
  }
  const outcome made = {sums.size[0], sums.data, measures.data, reliability.data, roc_count.data, roc.data};
  if (made.sums[OVER_HELD_OUT * ADL_SUM_COUNT + ADL_SUM_ROWS] == 0)
    call->host->report_text(call, report_to, over_names[OVER_HELD_OUT],
                            "undefined: there are no held-out rows; say `holdout` at the source");
  for (int over = 0; over < OVER_COUNT; over++) {
    if (made.sums[over * ADL_SUM_COUNT + ADL_SUM_ROWS] == 0) continue;
    report_measures(call, &made, over, report_to);
    report_reliability(call, self, &made, over, report_to);
    report_roc(call, &made, over, report_to);
    if (self->by.count > 0) report_segments(call, &made, names.data, offsets.data, over, report_to);
  }
  return ADL_OK;
}

static const char doc[] =
    "Measures how good predicted probabilities are. Rows of different kinds are never mixed in one number; each "
    "number says what it is over: held-out and validation rows, which no model has learned from; progressive, "
    "training rows that were scored before they were learned from (`learn: online`); in-sample, training rows scored "
    "by a model that knows them.\n"
    "\n"
    "rows, positives; ctr: the share of positives, with Wilson's interval; mean_score; calibration: the sum of the "
    "scores by the positives, 1 is right; logloss: mean of -ln of the probability given to what happened, scores cut "
    "to [1e-15, 1 - 1e-15]; normalised_entropy: logloss by that of always saying the ctr of the same rows (He et al., "
    "ADKDD 2014), below 1 is better than a constant; brier: mean squared error; auc: the probability that a positive "
    "is scored above a negative, ties counting a half, exact; ece: expected calibration error, the mean gap between "
    "mean score and ctr over the bins of the reliability table, weighted by rows.\n"
    "\n"
    "Intervals are 95 %: for auc by DeLong, DeLong & Clarke-Pearson 1988, for logloss and brier normal from the "
    "variance of the rows. They treat rows as independent; several rows of one user make them too narrow.\n"
    "\n"
    "What cannot be told is reported as undefined, with the reason: auc and normalised_entropy without a positive or "
    "without a negative, calibration without a positive, everything but auc, ctr and mean_score when a score is "
    "outside [0, 1]. Rows whose label or score is null or NaN, or whose label is neither 0 nor 1, are rejected. No "
    "rows leave this stage.\n"
    "\n"
    "The report also has the reliability table as a plot, and the ROC curve (at most 200 points of it).\n"
    "\n"
    "With `by`, the measures for each segment are told as a table, the 50 with most rows.";

static const adl_class metrics_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_EVALUATE,
    .id = "metrics",
    .title = "Quality of predicted probabilities",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_SPLIT_ROWS | ADL_SINGLE_PASS | ADL_TRANSIENT,
    .form = ADL_NEW,
    .instance_size = sizeof(metrics),
    .state_version = 1,
    ADL_PARAMS(params),
    .fit = fit,
    .report = report,
};

static const adl_class *const classes[] = {&metrics_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "metrics",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("metrics", "1.0.0", "evaluate:metrics", &plugin);
