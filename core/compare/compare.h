/*
 * Comparing versions of one pipeline: every combination of the values given, computed together in one run, measured on the
 * same rows. Called by `adloom compare`.
 *
 *   plan.c    what is compared: --swap, --from
 *   trial.c   the combinations of one seed: loaded, checked, run as one graph
 *   figures.c numbers that stages tell, and how they are called
 *   scores.c  predictions of each row, kept for paired tests
 *   paired.c  the tests
 *   ranking.c which combination is best, and which differences are real
 *   table.c, json.c, page.c  what people and machines read
 */
#ifndef ADLOOM_CORE_COMPARE_COMPARE_H
#define ADLOOM_CORE_COMPARE_COMPARE_H

#include "core/engine/engine.h"
#include "core/graph/versions.h"

enum { ADL_COMPARE_MOST = 256 /* combinations */ };

/* ---- plan.c ---- */

/* One thing that differs: a stage's class ("profile"), or a value ("segment.clusters"). */
typedef struct adl_axis {
  char *key;
  GPtrArray *values; /* of char * */
} adl_axis;

bool adl_axis_is_seed(const adl_axis *axis);
/* Stages get another class; else a parameter or the seed gets another value. */
bool adl_axis_of_classes(const adl_axis *axis);

typedef struct adl_plan {
  GPtrArray *axes; /* of adl_axis * */
  GPtrArray *sets; /* of char *: for all combinations */
  char *by;        /* measure to rank by, "auc", "quality.auc", "click.logloss (in-sample)"; NULL: chosen */
  int64_t repeat;  /* seeds */
} adl_plan;

adl_plan *adl_plan_new(void);
void adl_plan_free(adl_plan *plan);
/* "profile=kmeans,gmm". False: *why (free it). */
bool adl_plan_add(adl_plan *plan, const char *option, char **why);
/* A YAML file: `swap: {profile: [kmeans, gmm]}`, `repeat`, `by`, `set`. False: reported. */
bool adl_plan_read(adl_plan *plan, const char *path, adl_problems *problems);
bool adl_plan_varies_seed(const adl_plan *plan);
guint adl_plan_count(const adl_plan *plan); /* combinations; more than ADL_COMPARE_MOST: too many */
const char *adl_plan_value(const adl_plan *plan, guint combination, guint axis);

/* ---- scores.c ---- */

/* Predictions of the rows that an evaluator judges by, sorted by where the rows came from. */
typedef struct adl_scored {
  int64_t tag;
  double label, score, weight;
} adl_scored;

/* Learns of rows while the graph runs. */
typedef struct adl_collector {
  const adl_stage *judge, *from;
  int32_t label, score, weight; /* columns; weight -1: none */
  bool online;                  /* training rows count as well: scored before they were learned from */
  GArray *held, *progressive;   /* of adl_scored */
} adl_collector;

/* NULL: this stage does not judge single predictions of a yes or no. */
adl_collector *adl_collector_new(const adl_stage *judge);
void adl_collector_free(adl_collector *collector);
void adl_collector_see(adl_collector *collector, const adl_frame *frame);
const GArray *adl_collector_rows(adl_collector *collector); /* sorted; empty: nothing to judge by */

/* ---- paired.c ---- */

typedef enum adl_paired_measure {
  ADL_PAIRED_NONE,
  ADL_PAIRED_LOGLOSS,
  ADL_PAIRED_BRIER,
  ADL_PAIRED_AUC
} adl_paired_measure;

/* b minus a on the rows that both have. */
typedef struct adl_difference {
  double value, variance; /* of the estimate; NAN: cannot be told */
  int64_t rows;
} adl_difference;

adl_paired_measure adl_paired_of(const char *measure);
adl_difference adl_paired(adl_paired_measure measure, const GArray *a, const GArray *b);

/* ---- figures.c ---- */

typedef struct adl_figure {
  char *stage, *over, *name; /* stage: as in the file; a stage may tell one name over several kinds of rows */
  double value, low, high;
} adl_figure;

/* How much the rows of a number count: held-out before progressive, in-sample last. */
int adl_figure_weight(const char *over);
/* The number of that name; stage NULL: of the first that tells it; over NULL: of the rows that count most. NULL: none. */
const adl_figure *adl_figure_find(const GPtrArray *figures, const char *stage, const char *over, const char *name);
/* By what people call it: "logloss", "click.logloss", either with " (in-sample)" behind it. NULL: none. */
const adl_figure *adl_figure_called(const GPtrArray *figures, const char *by);
/* Appends what each can be called, "quality.auc, click.logloss (progressive), click.logloss (in-sample)". */
void adl_figure_list(const GPtrArray *figures, GString *out);

/* ---- trial.c ---- */

/* One combination under one seed. */
typedef struct adl_trial {
  uint64_t seed;
  char *failure;      /* NULL: it ran */
  GPtrArray *figures; /* of adl_figure *: what evaluators said of the rows that count most, then other stages */
  GPtrArray *plots;   /* of adl_trial_plot * */
  GHashTable *scores; /* judge as in the file -> GArray of adl_scored */
  double fit_seconds, score_seconds;
  int64_t model_bytes, kept_bytes;
  int32_t fitted, stored; /* models */
} adl_trial;

typedef struct adl_trial_plot {
  char *stage;
  adl_plot *plot; /* a copy */
} adl_trial_plot;

typedef struct adl_combination {
  guint number;       /* in the plan */
  GPtrArray *trials;  /* of adl_trial *, by seed */
  GPtrArray *dropped; /* of char *: parameters that swapped-in classes do not know */
  /* ranking.c */
  double value, low, high, deviation; /* of the measure ranked by; deviation: over seeds */
  bool failed;                        /* it has no such value */
  bool untold;                        /* since it tells nothing by that name of such rows, though it ran */
  double difference, difference_low, difference_high, p; /* to the best; NAN: none */
  bool real;
  bool same; /* as the best: every prediction */
} adl_combination;

typedef struct adl_comparison {
  const adl_plan *plan;
  const char *path;
  char *name;
  uint64_t first_seed;
  GPtrArray *combinations; /* of adl_combination *; after ranking: best first */
  char *judge, *measure;   /* ranked by */
  char *over;
  bool lower; /* is better */
  double seconds;
  int32_t shared, stages; /* of the common graph: stages in several combinations, and all */
} adl_comparison;

typedef struct adl_compare_options {
  const char *const *vars;
  int32_t threads;
  int64_t memory, limit;
  const char *models; /* the store; "": the user's */
  bool fresh;
  int progress;
  FILE *progress_file;
} adl_compare_options;

/* Everything is checked before anything runs; what is wrong, and what a run warns of, goes to `out` as people read it. */
adl_comparison *adl_compare_run(const char *path, const adl_plan *plan, const adl_compare_options *options,
                                adl_outcome *outcome, bool *usage, GString *out);
void adl_comparison_free(adl_comparison *comparison);

/* ---- ranking.c ---- */
/* Orders the combinations and tests each against the best. False: *why (free it): no such measure. */
bool adl_compare_rank(adl_comparison *comparison, char **why);

/* ---- table.c, json.c, page.c ---- */
void adl_compare_table(const adl_comparison *comparison, GString *out);
char *adl_compare_json(const adl_comparison *comparison);
void adl_compare_page(const adl_comparison *comparison, GString *out);

#endif
