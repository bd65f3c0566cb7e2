/* agreement: how well two ways to sort rows into categories agree, for example clusters and the segments that a simulation
 * made, or predicted and true classes. One fold counts pairs of categories; everything else is computed from these counts. */
#include <adloom/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/intervals.h"
#include "common/reporting.h"

typedef struct agreement {
  adl_input truth, cluster;
  int64_t shown;
  bool accuracy;
} agreement;

#define CATEGORIES (ADL_ANY_INTEGER | ADL_MASK(ADL_BOOL) | ADL_MASK(ADL_STRING))

static const adl_param params[] = {
    {.name = "truth",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(agreement, truth),
     .elements = CATEGORIES,
     .doc = "The category that a row belongs to."},
    {.name = "cluster",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_REQUIRED,
     .offset = offsetof(agreement, cluster),
     .elements = CATEGORIES,
     .doc = "The cluster that it was put into. Names and numbers need not be those of `truth`."},
    {.name = "shown",
     .type = ADL_PARAM_INT,
     .offset = offsetof(agreement, shown),
     .default_value = "10",
     .range = "[1, 100]",
     .unit = "categories",
     .doc = "So many of the largest clusters and categories have a row or a column of their own in the table of "
            "counts."},
    {.name = "accuracy",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(agreement, accuracy),
     .default_value = "false",
     .doc =
         "`cluster` is a prediction of `truth`, by the same names (the class of lbfgs): report how many rows have the "
         "right one, and precision and recall of each category."},
};

/* ------------------------------------------------------------------------------------------ the fold ---- */

/* A key of "counts": what it is over, the length of the truth's text, both texts. */
enum { KEY_HEAD = 1 + sizeof(int32_t) };

static adl_status count_step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                             adl_tensors *partial) {
  (void)context;
  const agreement *self = instance;
  const adl_host *host = call->host;
  const adl_column *truth = batch->slots[self->truth.slot], *cluster = batch->slots[self->cluster.slot];
  adl_table *counts = host->table(call, partial, "counts", 1);
  int64_t room = KEY_HEAD + adl_value_room(truth, batch->rows) + adl_value_room(cluster, batch->rows);
  char *key = host->alloc(call, (size_t)room);
  key[0] = (char)adl_over_of(call);
  for (int64_t row = 0; row < batch->rows; row++) {
    int32_t length = (int32_t)adl_value_print(truth, row, key + KEY_HEAD);
    memcpy(key + 1, &length, sizeof length);
    int64_t size = KEY_HEAD + length;
    size += adl_value_print(cluster, row, key + size);
    host->table_row(counts, host->table_insert(counts, key, size))[0] += 1;
  }
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  const adl_fold fold = {.struct_size = sizeof fold, .step = count_step};
  (void)instance;
  call->host->table(call, model->tensors, "counts", 1);
  return call->host->fold(call, rows, &fold, model->tensors);
}

/* ---------------------------------------------------------------------------- from counts to measures ---- */

typedef struct pair {
  int64_t truth, cluster; /* rows of the tables of both */
  double rows;
} pair;

/* What was counted over one kind of rows. The tables have a row for each category: how many rows it has, and, of a
 * cluster, how many of these belong to the category that is most frequent in it. */
typedef struct contingency {
  adl_table *truths, *clusters;
  pair *pairs;
  int64_t count;
  double rows;
} contingency;

static contingency read_pairs(const adl_call *call, const adl_table *counts, int over) {
  const adl_host *host = call->host;
  adl_tensors *scratch = host->scratch_tensors(call);
  contingency c = {.truths = host->table(call, scratch, "truths", 1),
                   .clusters = host->table(call, scratch, "clusters", 2)};
  int64_t all = host->table_count(counts);
  c.pairs = host->alloc(call, (size_t)(all > 0 ? all : 1) * sizeof *c.pairs);
  for (int64_t i = 0; i < all; i++) {
    adl_text key = host->table_key(counts, i);
    double rows = host->table_row(counts, i)[0];
    int32_t length;
    if (key.data[0] != over) continue;
    memcpy(&length, key.data + 1, sizeof length);
    pair *p = &c.pairs[c.count++];
    p->rows = rows;
    p->truth = host->table_insert(c.truths, key.data + KEY_HEAD, length);
    p->cluster = host->table_insert(c.clusters, key.data + KEY_HEAD + length, key.size - KEY_HEAD - length);
    host->table_row(c.truths, p->truth)[0] += rows;
    double *cluster = host->table_row(c.clusters, p->cluster);
    cluster[0] += rows;
    if (rows > cluster[1]) cluster[1] = rows;
    c.rows += rows;
  }
  return c;
}

/* Pairs of rows among n. */
static double pairs_of(double n) { return n * (n - 1) / 2; }

/* The sums over categories that the measures need. */
typedef struct sums {
  double pairs, entropy;
} sums;

static sums sums_of(const adl_call *call, const adl_table *table, double rows) {
  sums s = {0, 0};
  for (int64_t i = 0; i < call->host->table_count(table); i++) {
    double n = call->host->table_row(table, i)[0];
    s.pairs += pairs_of(n);
    s.entropy -= n / rows * log(n / rows);
  }
  return s;
}

/* Hubert & Arabie 1985, equation 5. Where nothing is left between chance and the best, both are one category, or both
 * single rows: they are the same. NaN for one row. */
static double adjusted_rand(const contingency *c, sums truth, sums cluster) {
  double together = 0, all = pairs_of(c->rows);
  if (!(all > 0)) return NAN;
  for (int64_t i = 0; i < c->count; i++) together += pairs_of(c->pairs[i].rows);
  double chance = truth.pairs * cluster.pairs / all, best = (truth.pairs + cluster.pairs) / 2;
  return best > chance ? (together - chance) / (best - chance) : 1;
}

/* Mutual information by the mean of both entropies; 1 where both are one category. */
static double normalised_information(const adl_call *call, const contingency *c, sums truth, sums cluster) {
  double information = 0, mean = (truth.entropy + cluster.entropy) / 2;
  if (call->host->table_count(c->truths) == 1 && call->host->table_count(c->clusters) == 1) return 1;
  for (int64_t i = 0; i < c->count; i++) {
    double n = c->pairs[i].rows, a = call->host->table_row(c->truths, c->pairs[i].truth)[0],
           b = call->host->table_row(c->clusters, c->pairs[i].cluster)[0];
    information += n / c->rows * log(n / a * (c->rows / b));
  }
  return fmin(1, fmax(0, information / mean));
}

static double purity(const adl_call *call, const contingency *c) {
  double most = 0;
  for (int64_t i = 0; i < call->host->table_count(c->clusters); i++) most += call->host->table_row(c->clusters, i)[1];
  return most / c->rows;
}

/* --------------------------------------------------------------------------------------------- report ---- */

enum { NAME_SHOWN = 60 };

/* A category in order of size. */
typedef struct ordered {
  double rows;
  adl_text name;
  int64_t number;
} ordered;

static int larger(const void *a, const void *b) {
  const ordered *left = a, *right = b;
  if (left->rows != right->rows) return left->rows < right->rows ? 1 : -1;
  int64_t shorter = left->name.size < right->name.size ? left->name.size : right->name.size;
  int order = shorter > 0 ? memcmp(left->name.data, right->name.data, (size_t)shorter) : 0;
  return order != 0 ? order : (left->name.size > right->name.size) - (left->name.size < right->name.size);
}

/* Which place of the table each category has: the largest ones their own, in order, the others the one behind. Returns how
 * many have their own; their names are put into `names`. */
static int64_t place(const adl_call *call, const adl_table *table, int64_t shown, int64_t *places, const char **names) {
  int64_t count = call->host->table_count(table);
  ordered *order = call->host->alloc(call, (size_t)count * sizeof *order);
  for (int64_t i = 0; i < count; i++)
    order[i] = (ordered){call->host->table_row(table, i)[0], call->host->table_key(table, i), i};
  qsort(order, (size_t)count, sizeof *order, larger);
  if (shown > count) shown = count;
  for (int64_t i = 0; i < count; i++) {
    places[order[i].number] = i < shown ? i : shown;
    if (i < shown) names[i] = adl_text_shown(call, order[i].name, NAME_SHOWN);
  }
  return shown;
}

static int64_t *places_for(const adl_call *call, const adl_table *table) {
  return call->host->alloc(call, (size_t)call->host->table_count(table) * sizeof(int64_t));
}

/* Clusters down, categories across, then those that have no column of their own, and all. */
static void report_counts(const adl_call *call, const agreement *self, const contingency *c, int over,
                          adl_report *report) {
  const adl_host *host = call->host;
  int64_t *row_of = places_for(call, c->clusters), *column_of = places_for(call, c->truths);
  size_t most = (size_t)self->shown + 4;
  const char **rows = host->alloc(call, most * sizeof *rows), **titles = host->alloc(call, most * sizeof *titles);
  int64_t row_count = place(call, c->clusters, self->shown, row_of, rows);
  int64_t column_count = place(call, c->truths, self->shown, column_of, titles + 1);
  titles[0] = "cluster";
  if (column_count < host->table_count(c->truths)) titles[++column_count] = "(others)";
  if (row_count < host->table_count(c->clusters)) rows[row_count++] = "(others)";
  titles[column_count + 1] = "(all)";
  size_t size = (size_t)(row_count * (column_count + 1));
  double *numbers = host->alloc(call, size * sizeof *numbers);
  memset(numbers, 0, size * sizeof *numbers);
  for (int64_t i = 0; i < c->count; i++) {
    double *row = numbers + row_of[c->pairs[i].cluster] * (column_count + 1);
    row[column_of[c->pairs[i].truth]] += c->pairs[i].rows;
    row[column_count] += c->pairs[i].rows;
  }
  const char **cells = host->alloc(call, (size_t)(row_count * (column_count + 2)) * sizeof *cells), **cell = cells;
  for (int64_t r = 0; r < row_count; r++) {
    *cell++ = rows[r];
    for (int64_t k = 0; k <= column_count; k++) {
      char *text = host->alloc(call, 32);
      snprintf(text, 32, "%.0f", numbers[r * (column_count + 1) + k]);
      *cell++ = text;
    }
  }
  host->report_table(call, report, adl_over_title(call, "counts", over), (int32_t)column_count + 2, titles, row_count,
                     cells);
}

/* ------------------------------------------------------------------------------- predictions ---- */

/* Rows of a category: those that have it, those that are said to, and those of which both is so. */
typedef struct category_rows {
  double truly, said, right;
} category_rows;

static category_rows rows_of(const adl_call *call, const contingency *c, int64_t truth) {
  const adl_host *host = call->host;
  adl_text name = host->table_key(c->truths, truth);
  category_rows rows = {.truly = host->table_row(c->truths, truth)[0]};
  int64_t cluster = host->table_find(c->clusters, name.data, name.size);
  if (cluster < 0) return rows;
  rows.said = host->table_row(c->clusters, cluster)[0];
  for (int64_t i = 0; i < c->count; i++)
    if (c->pairs[i].truth == truth && c->pairs[i].cluster == cluster) rows.right = c->pairs[i].rows;
  return rows;
}

/* Precision and recall of the largest categories. */
static void report_categories(const adl_call *call, const agreement *self, const contingency *c, int over,
                              adl_report *report) {
  static const char *const titles[] = {"category", "rows", "predicted", "right", "precision", "recall"};
  const adl_host *host = call->host;
  int64_t *places = places_for(call, c->truths), all = host->table_count(c->truths);
  const char **names = host->alloc(call, (size_t)self->shown * sizeof *names);
  const char **cells = host->alloc(call, (size_t)self->shown * 6 * sizeof *cells);
  int64_t count = place(call, c->truths, self->shown, places, names);
  for (int64_t i = 0; i < all; i++) {
    if (places[i] >= count) continue;
    category_rows rows = rows_of(call, c, i);
    const char **cell = cells + places[i] * 6;
    cell[0] = names[places[i]];
    cell[1] = adl_report_cell(call, rows.truly);
    cell[2] = adl_report_cell(call, rows.said);
    cell[3] = adl_report_cell(call, rows.right);
    cell[4] = adl_report_cell(call, rows.said > 0 ? rows.right / rows.said : NAN);
    cell[5] = adl_report_cell(call, rows.right / rows.truly);
  }
  host->report_table(call, report, adl_over_title(call, "categories", over), 6, titles, count, cells);
}

static void report_accuracy(const adl_call *call, const agreement *self, const contingency *c, int over,
                            adl_report *report) {
  double right = 0, f1 = 0, low, high;
  int64_t categories = call->host->table_count(c->truths);
  for (int64_t i = 0; i < categories; i++) {
    category_rows rows = rows_of(call, c, i);
    right += rows.right;
    f1 += 2 * rows.right / (rows.truly + rows.said) / (double)categories;
  }
  adl_interval_rate(right, c->rows, &low, &high);
  adl_report_value(call, report, over, "accuracy", right / c->rows, low, high, "");
  adl_report_value(call, report, over, "macro_f1", f1, NAN, NAN, "");
  report_categories(call, self, c, over, report);
}

static void report_over(const adl_call *call, const agreement *self, const adl_table *counts, int over,
                        adl_report *report) {
  contingency c = read_pairs(call, counts, over);
  if (c.count == 0) return; /* nothing has learned from `truth`: no rows need to be held out */
  sums truth = sums_of(call, c.truths, c.rows), cluster = sums_of(call, c.clusters, c.rows);
  adl_report_value(call, report, over, "rows", c.rows, NAN, NAN, "");
  adl_report_value(call, report, over, "categories", (double)call->host->table_count(c.truths), NAN, NAN, "");
  adl_report_value(call, report, over, "clusters", (double)call->host->table_count(c.clusters), NAN, NAN, "");
  adl_report_value(call, report, over, "adjusted_rand", adjusted_rand(&c, truth, cluster), NAN, NAN,
                   "one row makes no pair");
  adl_report_value(call, report, over, "nmi", normalised_information(call, &c, truth, cluster), NAN, NAN, "");
  adl_report_value(call, report, over, "purity", purity(call, &c), NAN, NAN, "");
  if (self->accuracy) report_accuracy(call, self, &c, over, report);
  report_counts(call, self, &c, over, report);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *report_to) {
  const adl_table *counts = call->host->find_table(call, model->tensors, "counts");
  if (counts == NULL || call->host->table_count(counts) == 0) {
    call->host->report_text(call, report_to, "rows", "undefined: no rows reached this stage");
    return ADL_OK;
  }
  for (int over = 0; over < ADL_OVER_COUNT; over++) report_over(call, instance, counts, over, report_to);
  return ADL_OK;
}

static const char doc[] =
    "Measures how well two ways to sort the same rows into categories agree: clusters that were found, and groups that "
    "are known. Names do not matter: clusters 0 and 1 agree fully with categories b and a.\n"
    "\n"
    "adjusted_rand: the adjusted Rand index (Hubert & Arabie, Journal of Classification 1985): pairs of rows that are "
    "together in both, above what chance gives and by what is best; 1 is the same partition, 0 is chance, and it may "
    "be negative. nmi: normalised mutual information, by the mean of both entropies; 1 is the same partition, 0 "
    "tells nothing, and chance is a little above 0 where there are many small clusters. purity: the share of rows "
    "that belong to the most frequent category of their cluster; it rises with the number of clusters, up to 1. "
    "All three are those of scikit-learn, with its default of arithmetic means. Two partitions that are the same have "
    "adjusted_rand and nmi 1 even where both are one category only.\n"
    "\n"
    "With `accuracy: true` the second column is a prediction of the first, and names do matter. accuracy: the share of "
    "rows with the right category, with its 95 % interval (Wilson). macro_f1: the mean, over the categories that "
    "occur, "
    "of the harmonic mean of precision (how many of those that are said to have it do) and recall (how many of those "
    "that have it are said to). A table has these numbers for the largest categories.\n"
    "\n"
    "The table counts rows, clusters down, categories across, the largest first.\n"
    "\n"
    "Held-out, validation, progressive and in-sample rows are told apart, as metrics does. Rows with a null in either "
    "column are rejected. With a single row adjusted_rand is undefined. Each pair of values that occurs is held in "
    "memory, about 100 bytes.";

static const adl_class agreement_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_EVALUATE,
    .id = "agreement",
    .title = "Agreement of clusters and known groups",
    .doc = doc,
    .flags = ADL_ALL_ROWS | ADL_SPLIT_ROWS | ADL_SINGLE_PASS | ADL_TRANSIENT,
    .form = ADL_NEW,
    .instance_size = sizeof(agreement),
    .state_version = 1,
    ADL_PARAMS(params),
    .fit = fit,
    .report = report,
};

static const adl_class *const classes[] = {&agreement_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "agreement",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("agreement", "1.0.0", "evaluate:agreement", &plugin);
