/* metrics: how good predicted probabilities are, over held-out rows and others apart. Counts rows by score in one pass,
 * then computes the measures of common/measures from the counts. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/intervals.h"
#include "common/measures.h"
#include "common/reporting.h"
#include "common/score_curves.h"
#include "common/score_log.h"

typedef struct metrics {
  adl_input label, score, weight;
  adl_inputs by;
  int64_t segments, bins;
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
    {.name = "weight",
     .type = ADL_PARAM_COLUMN,
     .offset = offsetof(metrics, weight),
     .elements = ADL_ANY_NUMERIC,
     .doc = "How much each row counts, for example 10 where one in ten of the rows without a click was kept, or one by "
            "the probability that it was logged. Not negative; a row of weight 0 is left out."},
    {.name = "by",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS,
     .offset = offsetof(metrics, by),
     .elements = ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL) | ADL_MASK(ADL_STRING),
     .doc = "Tell the measures for each value of these columns as well (each combination of values). A null is a "
            "segment of its own; a text that reads like one, or holds a comma or a quote, is told in quotes."},
    {.name = "segments",
     .type = ADL_PARAM_INT,
     .offset = offsetof(metrics, segments),
     .default_value = "20",
     .range = "[1, 1000]",
     .doc = "So many of the segments with most rows are told one by one; all others together, as (others)."},
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
            "the memory, which is some 30 bytes for each different score, or 100 with `weight` or `by`: 1e-6 keeps at "
            "most a million of them."},
};

/* ------------------------------------------------------------------------------------------ the fold ---- */

static int64_t segment_room(const metrics *self, const adl_batch *batch) {
  int64_t room = 0;
  for (int64_t k = 0; k < self->by.count; k++) {
    /* Twice, and two: the quotes that quote_value adds. */
    room += 2 * adl_value_room(batch->slots[self->by.items[k].slot], batch->rows) + 2;
    room += (int64_t)strlen(self->by.items[k].name) + 3;
  }
  return room;
}

/* Puts quotes around a string of that size that would otherwise read like a null, or like a value and the next column;
 * returns the new end. */
static char *quote_value(char *text, int64_t size) {
  bool like_null = size == 4 && memcmp(text, "null", 4) == 0;
  if (!like_null && memchr(text, ',', (size_t)size) == NULL && memchr(text, '"', (size_t)size) == NULL)
    return text + size;
  int64_t quotes = 0;
  for (int64_t i = 0; i < size; i++) quotes += text[i] == '"';
  char *to = text + size + quotes + 2, *end = to;
  *--to = '"';
  for (int64_t i = size; i-- > 0;) { /* from behind, since each goes as far as there are quotes before it */
    *--to = text[i];
    if (*to == '"') *--to = '"';
  }
  *--to = '"';
  return end;
}

/* Writes "device=phone, hour=12", different texts for different values; returns the length. */
static size_t print_segment(const metrics *self, const adl_batch *batch, int64_t row, char *to) {
  char *end = to;
  for (int64_t k = 0; k < self->by.count; k++) {
    const char *name = self->by.items[k].name;
    if (k > 0) end = memcpy(end, ", ", 2), end += 2;
    end = (char *)memcpy(end, name, strlen(name)) + strlen(name);
    *end++ = '=';
    const adl_column *column = batch->slots[self->by.items[k].slot];
    int64_t size = adl_value_print(column, row, end);
    bool text = column->type.element == ADL_STRING && !adl_is_null(column, row);
    end = text ? quote_value(end, size) : end + size;
  }
  return (size_t)(end - to);
}

static double rounded(const metrics *self, double score) {
  return self->resolution > 0 ? round(score / self->resolution) * self->resolution : score;
}

/* 1 where there are no weights; false: rejected, or left out. */
static bool read_weight(const adl_call *call, const adl_column *weight, int64_t row, double *value) {
  *value = weight != NULL ? adl_number_at(weight, row) : 1;
  if (*value < 0) call->host->reject(call, row, "weight", "weight %g is negative", *value);
  return *value > 0;
}

/* Without weights and segments scores are only to be counted: each kind of rows has a log of them. */
static bool counts_in_logs(const metrics *self) { return self->weight.slot < 0 && self->by.count == 0; }

static const char *const log_names[ADL_OVER_COUNT] = {"scores.0", "scores.1", "scores.2", "scores.3"};

/* Weights of the negatives and positives of a score and a segment, by {over, segment, the 8 bytes of the score}: `key`, which
 * is so long, is {over, segment}, with room behind it. */
static void count_score(const adl_host *host, adl_table *scores, char *key, size_t length, double score, bool positive,
                        double weight) {
  memcpy(key + length, &score, sizeof score);
  host->table_row(scores, host->table_insert(scores, key, (int64_t)(length + sizeof score)))[positive] += weight;
}

/* Keyed tables that are added up: "sums", with key {over, segment}, and "scores"; or logs in place of the latter. */
static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)context;
  const metrics *self = instance;
  const adl_host *host = call->host;
  adl_table *sums = host->table(call, partial, "sums", ADL_SUM_COUNT);
  adl_table *scores = counts_in_logs(self) ? NULL : host->table(call, partial, "scores", 2);
  adl_score_log log = {NULL};
  if (scores == NULL) log = adl_score_log_open(call, partial, log_names[adl_over_of(call)], batch->rows);
  const adl_column *label = batch->slots[self->label.slot], *score = batch->slots[self->score.slot];
  const adl_column *weight = self->weight.slot >= 0 ? batch->slots[self->weight.slot] : NULL;
  char *key = host->alloc(call, (size_t)segment_room(self, batch) + 1 + sizeof(double));
  double *of_all = NULL;
  key[0] = (char)adl_over_of(call);
  for (int64_t row = 0; row < batch->rows; row++) {
    double y = adl_number_at(label, row), exact = adl_number_at(score, row), ranked = rounded(self, exact), counts;
    if (y != 0 && y != 1) {
      host->reject(call, row, "label", "label %g is neither 0 nor 1", y);
      continue;
    }
    if (!read_weight(call, weight, row, &counts)) continue;
    size_t length = 1 + print_segment(self, batch, row, key + 1);
    if (of_all == NULL || self->by.count > 0)
      of_all = host->table_row(sums, host->table_insert(sums, key, (int64_t)length));
    adl_measure_add(of_all, y == 1, exact, counts);
    if (scores != NULL)
      count_score(host, scores, key, length, ranked, y == 1, counts);
    else
      adl_score_log_add(&log, ranked, y == 1);
  }
  return ADL_OK;
}

/* The merge of logs. */
static adl_status merge_logs(const adl_call *call, const void *instance, const void *context, adl_tensors *into,
                             adl_tensors *from) {
  (void)instance, (void)context;
  const adl_host *host = call->host;
  adl_table *to = host->table(call, into, "sums", ADL_SUM_COUNT), *of = host->table(call, from, "sums", ADL_SUM_COUNT);
  for (int64_t i = 0; i < host->table_count(of); i++) {
    adl_text key = host->table_key(of, i);
    double *sums = host->table_row(to, host->table_insert(to, key.data, key.size));
    for (int k = 0; k < ADL_SUM_COUNT; k++) sums[k] += host->table_row(of, i)[k];
  }
  for (int over = 0; over < ADL_OVER_COUNT; over++) adl_score_log_merge(call, log_names[over], into, from);
  return ADL_OK;
}

/* ---------------------------------------------------------------------------------- from counts to measures ---- */

/* A row of "sums", and the group that it belongs to: one of its own, or that of the other segments. */
typedef struct segment {
  adl_text key;
  const double *sums;
  int64_t number, group;
} segment;

/* Those of one kind together, with more rows first. */
static int by_rows(const void *a, const void *b) {
  const segment *left = a, *right = b;
  if (left->key.data[0] != right->key.data[0]) return left->key.data[0] < right->key.data[0] ? -1 : 1;
  if (left->sums[ADL_SUM_ROWS] != right->sums[ADL_SUM_ROWS])
    return left->sums[ADL_SUM_ROWS] > right->sums[ADL_SUM_ROWS] ? -1 : 1;
  return left->number < right->number ? -1 : 1;
}

static int by_number(const void *a, const void *b) {
  const segment *left = a, *right = b;
  return left->number < right->number ? -1 : 1;
}

/* Deals the segments to groups, of each kind at most `segments` and one for the others; returns how many groups. */
static int64_t deal(const metrics *self, segment *segments, int64_t count) {
  int64_t group = ADL_OVER_COUNT - 1, rank = 0;
  qsort(segments, (size_t)count, sizeof *segments, by_rows);
  for (int64_t i = 0; i < count; i++, rank++) {
    if (i == 0 || segments[i].key.data[0] != segments[i - 1].key.data[0]) rank = 0;
    if (rank <= self->segments) group++;
    segments[i].group = group;
  }
  return group + 1;
}

/* An entry of "scores". `segment` is a row of "sums". */
typedef struct entry {
  adl_score_count count;
  int64_t segment, group;
  int over;
} entry;

/* Orders in which no two entries are equal, since sums of weights depend on it. */
static int by_group(const void *a, const void *b) {
  const entry *left = a, *right = b;
  if (left->group != right->group) return left->group < right->group ? -1 : 1;
  if (left->count.score != right->count.score) return left->count.score < right->count.score ? -1 : 1;
  return (left->segment > right->segment) - (left->segment < right->segment);
}

static int by_score(const void *a, const void *b) {
  const entry *left = a, *right = b;
  if (left->over != right->over) return left->over < right->over ? -1 : 1;
  if (left->count.score != right->count.score) return left->count.score < right->count.score ? -1 : 1;
  return (left->segment > right->segment) - (left->segment < right->segment);
}

enum { ROC_POINTS = 200 };

/* What is measured, ready for the model. Group 0 .. ADL_OVER_COUNT - 1 are all rows of each kind, the others the segments
 * in the order in which they are reported. */
typedef struct outcome {
  int64_t groups;
  double *sums;                 /* groups x ADL_SUM_COUNT */
  adl_measure *measures;        /* groups x ADL_MEASURE_COUNT */
  adl_reliability *reliability; /* ADL_OVER_COUNT x bins */
  int64_t *roc_count;           /* ADL_OVER_COUNT: points of the curve */
  double *roc;                  /* ADL_OVER_COUNT x (x, y) x ROC_POINTS */
} outcome;

static outcome make_outcome(const adl_call *call, const metrics *self, adl_tensors *tensors, int64_t groups) {
  const adl_host *host = call->host;
  outcome made = {.groups = groups};
  made.sums = host->tensor(call, tensors, "sums", ADL_FLOAT64, 2, (int64_t[]){made.groups, ADL_SUM_COUNT});
  made.measures = host->tensor(call, tensors, "measures", ADL_FLOAT64, 3,
                               (int64_t[]){made.groups, ADL_MEASURE_COUNT, sizeof(adl_measure) / sizeof(double)});
  made.reliability = host->tensor(call, tensors, "reliability", ADL_FLOAT64, 3,
                                  (int64_t[]){ADL_OVER_COUNT, self->bins, sizeof(adl_reliability) / sizeof(double)});
  made.roc_count = host->tensor(call, tensors, "roc_count", ADL_INT64, 1, (int64_t[]){ADL_OVER_COUNT});
  made.roc = host->tensor(call, tensors, "roc", ADL_FLOAT64, 3, (int64_t[]){ADL_OVER_COUNT, 2, ROC_POINTS});
  return made;
}

static entry *read_entries(const adl_call *call, const adl_table *sums, const adl_table *scores,
                           const segment *segments) {
  const adl_host *host = call->host;
  int64_t count = host->table_count(scores);
  entry *entries = host->alloc(call, (size_t)(count > 0 ? count : 1) * sizeof *entries);
  for (int64_t i = 0; i < count; i++) {
    adl_text key = host->table_key(scores, i);
    const double *row = host->table_row(scores, i);
    size_t prefix = (size_t)key.size - sizeof(double);
    entries[i].over = key.data[0];
    entries[i].segment = host->table_find(sums, key.data, (int64_t)prefix);
    entries[i].group = segments[entries[i].segment].group;
    memcpy(&entries[i].count.score, key.data + prefix, sizeof(double));
    entries[i].count.negatives = row[0];
    entries[i].count.positives = row[1];
  }
  return entries;
}

/* `whole`: the group is a kind of rows. */
static void measure_group(const metrics *self, outcome *made, int64_t group, bool whole, const adl_score_count *counts,
                          int64_t count) {
  const double *sums = made->sums + group * ADL_SUM_COUNT;
  adl_measure *measures = made->measures + group * ADL_MEASURE_COUNT;
  adl_measures(sums, counts, count, measures);
  double *roc = made->roc + 2 * ROC_POINTS * group;
  if (whole) made->roc_count[group] = adl_roc(counts, count, ROC_POINTS, roc, roc + ROC_POINTS);
  if (!whole || sums[ADL_SUM_OUTSIDE] > 0) return;
  measures[ADL_MEASURE_ECE].value = adl_reliability_of(counts, count, self->binning == BINNING_WIDTH, self->bins,
                                                       made->reliability + group * self->bins);
}

/* Measures the groups of the entries, which come in runs: their kind (`whole`), or their own. */
static void measure_runs(const metrics *self, outcome *made, const entry *entries, int64_t count, bool whole,
                         adl_score_count *scratch) {
  for (int64_t from = 0, to; from < count; from = to) {
    int64_t group = whole ? entries[from].over : entries[from].group;
    for (to = from; to < count && (whole ? entries[to].over : entries[to].group) == group; to++)
      scratch[to - from] = entries[to].count;
    measure_group(self, made, group, whole, scratch, to - from);
  }
}

static void measure_entries(const adl_call *call, const metrics *self, outcome *made, entry *entries, int64_t count) {
  adl_score_count *scratch = call->host->alloc(call, (size_t)count * sizeof *scratch);
  qsort(entries, (size_t)count, sizeof *entries, by_score);
  measure_runs(self, made, entries, count, true, scratch);
  if (self->by.count == 0) return;
  qsort(entries, (size_t)count, sizeof *entries, by_group);
  measure_runs(self, made, entries, count, false, scratch);
}

static void measure_logs(const adl_call *call, const metrics *self, outcome *made, adl_tensors *total) {
  for (int over = 0; over < ADL_OVER_COUNT; over++) {
    adl_score_count *counts;
    int64_t count = adl_score_log_counts(call, total, log_names[over], &counts);
    if (count > 0) measure_group(self, made, over, true, counts, count);
  }
}

/* Sums of the groups and of the kinds. */
static void add_up(outcome *made, const segment *segments, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    double *group = made->sums + segments[i].group * ADL_SUM_COUNT;
    double *all = made->sums + segments[i].key.data[0] * ADL_SUM_COUNT;
    for (int k = 0; k < ADL_SUM_COUNT; k++) {
      group[k] += segments[i].sums[k];
      all[k] += segments[i].sums[k];
    }
  }
}

/* How many segments share the group of the i-th. */
static int64_t sharing(const segment *segments, int64_t count, int64_t i) {
  int64_t end = i;
  while (end < count && segments[end].group == segments[i].group) end++;
  return end - i;
}

/* Names of the groups as one run of bytes with offsets: what each is over, and the segment or how many others. The segments
 * are in order of their groups. */
static void keep_names(const adl_call *call, const segment *segments, int64_t count, int64_t groups,
                       adl_tensors *tensors) {
  enum { OTHERS_SIZE = 64 };
  int64_t size = 0, most = 0, shown = groups - ADL_OVER_COUNT;
  for (int64_t i = 0; i < count; i++) most += segments[i].key.size + OTHERS_SIZE;
  int64_t *offsets = call->host->tensor(call, tensors, "segments.offsets", ADL_INT64, 1, (int64_t[]){shown + 1});
  char *names = call->host->tensor(call, tensors, "segments", ADL_BYTES, 1, &most);
  for (int64_t i = 0, many; i < count; i += many) {
    adl_text key = segments[i].key;
    many = sharing(segments, count, i);
    if (many == 1) {
      memcpy(names + size, key.data, (size_t)key.size);
      size += key.size;
    } else {
      names[size] = key.data[0];
      size += 1 + snprintf(names + size + 1, OTHERS_SIZE - 1, "(others: %lld segments)", (long long)many);
    }
    offsets[segments[i].group - ADL_OVER_COUNT + 1] = size;
  }
  call->host->tensor(call, tensors, "segments", ADL_BYTES, 1, &size);
}

static segment *read_segments(const adl_call *call, const adl_table *sums) {
  int64_t count = call->host->table_count(sums);
  segment *segments = call->host->alloc(call, (size_t)count * sizeof *segments);
  for (int64_t i = 0; i < count; i++)
    segments[i] = (segment){.key = call->host->table_key(sums, i), .sums = call->host->table_row(sums, i), .number = i};
  return segments;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const metrics *self = instance;
  const adl_host *host = call->host;
  bool logs = counts_in_logs(self);
  const adl_fold fold = {.struct_size = sizeof fold, .step = count_step, .merge = logs ? merge_logs : NULL};
  adl_tensors *total = host->scratch_tensors(call);
  host->table(call, total, "sums", ADL_SUM_COUNT);
  if (!logs) host->table(call, total, "scores", 2);
  ADL_TRY(host->fold(call, rows, &fold, total));
  adl_table *sums = host->table(call, total, "sums", ADL_SUM_COUNT);
  int64_t segment_count = host->table_count(sums);
  if (segment_count == 0) {
    host->log(call, ADL_WARNING, "no rows to measure");
    return ADL_OK;
  }
  segment *segments = read_segments(call, sums);
  int64_t groups = deal(self, segments, segment_count);
  outcome made = make_outcome(call, self, model->tensors, groups);
  keep_names(call, segments, segment_count, groups, model->tensors);
  qsort(segments, (size_t)segment_count, sizeof *segments, by_number);
  add_up(&made, segments, segment_count);
  if (logs) {
    measure_logs(call, self, &made, total);
  } else {
    const adl_table *scores = host->table(call, total, "scores", 2);
    measure_entries(call, self, &made, read_entries(call, sums, scores, segments), host->table_count(scores));
  }
  return ADL_OK;
}

/* --------------------------------------------------------------------------------------------- report ---- */

enum { NAME_SHOWN = 200 };

static void report_measures(const adl_call *call, const metrics *self, const outcome *made, int over,
                            adl_report *report) {
  const double *sums = made->sums + over * ADL_SUM_COUNT;
  for (int i = 0; i < ADL_MEASURE_COUNT; i++) {
    if (self->weight.slot < 0 && (i == ADL_MEASURE_WEIGHT || i == ADL_MEASURE_EFFECTIVE)) continue;
    const adl_measure *measure = &made->measures[over * ADL_MEASURE_COUNT + i];
    adl_report_value(call, report, over, adl_measure_names[i], measure->value, measure->low, measure->high,
                     adl_measure_reason(sums, i));
  }
}

static bool within_unit(const double *values, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (values[i] < 0 || values[i] > 1) return false;
  return true;
}

/* Rates over scores: where the scores are shares themselves, the diagonal is what they should have been. */
static void plot_calibration(const adl_call *call, adl_report *report, int over, adl_series series) {
  const adl_series *only = &series;
  adl_plot plot = {.struct_size = sizeof plot,
                   .kind = ADL_PLOT_LINE,
                   .flags = within_unit(series.x, series.count) ? ADL_PLOT_SHARES : 0,
                   .series_count = 1,
                   .name = adl_over_title(call, "calibration", over),
                   .x_title = "mean score",
                   .y_title = "ctr",
                   .series = &only};
  call->host->report_plot(call, report, &plot);
}

static void report_reliability(const adl_call *call, const metrics *self, const outcome *made, int over,
                               adl_report *report) {
  enum { COLUMNS = 7 };
  const char *weights = self->weight.slot >= 0 ? "weight" : "rows";
  const char *const titles[COLUMNS] = {"score from", "to", weights, "mean score", "ctr", "ctr low", "ctr high"};
  const double *sums = made->sums + over * ADL_SUM_COUNT;
  double effective = adl_effective(sums[ADL_SUM_WEIGHT], sums[ADL_SUM_WEIGHT2]) / sums[ADL_SUM_WEIGHT];
  const adl_reliability *table = made->reliability + over * self->bins;
  const char **cells = call->host->alloc(call, (size_t)self->bins * COLUMNS * sizeof *cells);
  double *x = call->host->alloc(call, (size_t)self->bins * 4 * sizeof *x), *y = x + self->bins;
  double *low = y + self->bins, *high = low + self->bins;
  int64_t count = 0;
  for (int64_t i = 0; i < self->bins; i++) {
    if (!(table[i].rows > 0)) continue;
    adl_interval_rate(table[i].positives * effective, table[i].rows * effective, &low[count], &high[count]);
    x[count] = table[i].score / table[i].rows;
    y[count] = table[i].positives / table[i].rows;
    const double row[COLUMNS] = {table[i].low, table[i].high, table[i].rows, x[count],
                                 y[count],     low[count],    high[count]};
    for (int k = 0; k < COLUMNS; k++) cells[count * COLUMNS + k] = adl_report_cell(call, row[k]);
    count++;
  }
  if (count == 0) return;
  call->host->report_table(call, report, adl_over_title(call, "reliability", over), COLUMNS, titles, count, cells);
  plot_calibration(
      call, report, over,
      (adl_series){.struct_size = sizeof(adl_series), .count = count, .x = x, .y = y, .low = low, .high = high});
}

static void report_curves(const adl_call *call, const outcome *made, int over, adl_report *report) {
  const double *roc = made->roc + 2 * ROC_POINTS * over, *sums = made->sums + over * ADL_SUM_COUNT;
  double effective = adl_effective(sums[ADL_SUM_WEIGHT], sums[ADL_SUM_WEIGHT2]) / sums[ADL_SUM_WEIGHT];
  const adl_score_curve curve = {.count = made->roc_count[over],
                                 .x = roc,
                                 .y = roc + ROC_POINTS,
                                 .positives = sums[ADL_SUM_POSITIVES] * effective,
                                 .negatives = (sums[ADL_SUM_WEIGHT] - sums[ADL_SUM_POSITIVES]) * effective};
  adl_score_curves_report(call, over, &curve, report);
}

static const char *segment_name(const adl_call *call, const char *names, const int64_t *offsets, int64_t at) {
  adl_text name = {names + offsets[at] + 1, (int32_t)(offsets[at + 1] - offsets[at] - 1)};
  return adl_text_shown(call, name, NAME_SHOWN);
}

static void report_segments(const adl_call *call, const outcome *made, const char *names, const int64_t *offsets,
                            int over, adl_report *report) {
  static const int shown[] = {ADL_MEASURE_ROWS,        ADL_MEASURE_POSITIVES, ADL_MEASURE_CTR,
                              ADL_MEASURE_MEAN_SCORE,  ADL_MEASURE_LOGLOSS,   ADL_MEASURE_ENTROPY,
                              ADL_MEASURE_CALIBRATION, ADL_MEASURE_AUC};
  enum { SHOWN = sizeof shown / sizeof *shown, COLUMNS = 1 + SHOWN + 2 }; /* ctr has an interval */
  int64_t segments = made->groups - ADL_OVER_COUNT, count = 0;
  const char **cells = call->host->alloc(call, (size_t)(segments * COLUMNS) * sizeof *cells), **cell = cells;
  const char *titles[COLUMNS] = {"segment"}, **title = titles + 1;
  for (int k = 0; k < SHOWN; k++) {
    *title++ = adl_measure_names[shown[k]];
    if (shown[k] == ADL_MEASURE_CTR) *title++ = "ctr low", *title++ = "ctr high";
  }
  for (int64_t i = 0; i < segments; i++) {
    const adl_measure *measures = made->measures + (ADL_OVER_COUNT + i) * ADL_MEASURE_COUNT;
    if (names[offsets[i]] != over) continue;
    count++;
    *cell++ = segment_name(call, names, offsets, i);
    for (int k = 0; k < SHOWN; k++) {
      const adl_measure *measure = &measures[shown[k]];
      *cell++ = adl_report_cell(call, measure->value);
      if (shown[k] != ADL_MEASURE_CTR) continue;
      *cell++ = adl_report_cell(call, measure->low);
      *cell++ = adl_report_cell(call, measure->high);
    }
  }
  if (count > 0)
    call->host->report_table(call, report, adl_over_title(call, "segments", over), COLUMNS, titles, count, cells);
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
  if (made.sums[ADL_OVER_HELD_OUT * ADL_SUM_COUNT + ADL_SUM_ROWS] == 0) adl_over_none_held_out(call, report_to);
  for (int over = 0; over < ADL_OVER_COUNT; over++) {
    if (made.sums[over * ADL_SUM_COUNT + ADL_SUM_ROWS] == 0) continue;
    report_measures(call, self, &made, over, report_to);
    report_reliability(call, self, &made, over, report_to);
    report_curves(call, &made, over, report_to);
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
    "With `weight`, each row counts as its weight says in every measure but rows and positives, which are counted. "
    "weight is the sum of the weights, effective_rows how many rows of equal weight tell as much: the squared sum of "
    "the weights by the sum of their squares (Kish, Survey Sampling, 1965). Intervals are those of so many rows, so "
    "they do not change when all weights are doubled, and they are approximate where weights go with what is "
    "measured. To stand for rows that were left out a weight need not be whole.\n"
    "\n"
    "What cannot be told is reported as undefined, with the reason: auc and normalised_entropy without a positive or "
    "without a negative, calibration without a positive, everything but auc, ctr and mean_score when a score is "
    "outside [0, 1]. Rows whose label, score or weight is null or NaN, whose label is neither 0 nor 1, or whose weight "
    "is negative, are rejected.\n"
    "\n"
    "The report also has the reliability table as a plot, and the ROC curve (at most 200 points of it).\n"
    "\n"
    "With `by`, the measures for each segment are told as a table, with Wilson's interval of the ctr: the `segments` "
    "with most rows, and then all others as if they were one.";

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
