/* metrics: known answers of every measure and interval, that splits are told apart, and what is undefined. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/intervals.h"
#include "common/measures.h"
#include "common/score_log.h"
#include "tests/plugins/bare_host.h"
#include "tests/plugins/learner_host.h"

extern const adl_plugin *adl_entry_metrics(const adl_host *host);

static const adl_class *metrics_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return adl_entry_metrics(&host)->classes[0];
}

enum { TRAIN = ADL_TRAIN, VALIDATE = ADL_VALIDATE, TEST = ADL_TEST, ONLINE = 4 };

static void check_number(const learner_stage *stage, const char *name, double value, double low, double high,
                         double tolerance) {
  double found_low, found_high, found = learner_reported(stage, name, &found_low, &found_high);
  ck_assert_msg(fabs(found - value) <= tolerance, "%s is %.12g, not %.12g", name, found, value);
  if (isnan(low)) {
    ck_assert(isnan(found_low) && isnan(found_high));
    return;
  }
  ck_assert_msg(fabs(found_low - low) <= tolerance, "%s: low is %.12g, not %.12g", name, found_low, low);
  ck_assert_msg(fabs(found_high - high) <= tolerance, "%s: high is %.12g, not %.12g", name, found_high, high);
}

static void check_plain(const learner_stage *stage, const char *name, double value, double tolerance) {
  check_number(stage, name, value, NAN, NAN, tolerance);
}

static learner_stage *measured(const learner_rows *rows, int64_t batch_rows, const char *name, const char *value) {
  learner_stage *stage = learner_new(metrics_class(), rows, NULL, name, value, NULL);
  stage->batch_rows = batch_rows;
  ck_assert_msg(learner_fit(stage, rows) == ADL_OK, "%s", stage->failed->str);
  ck_assert_int_eq(stage->folds, 1);
  learner_report(stage);
  return stage;
}

static void check_says(const learner_stage *stage, const char *text) {
  ck_assert_msg(strstr(stage->reported->str, text) != NULL, "no `%s` in\n%.3000s", text, stage->reported->str);
}

static void check_does_not_say(const learner_stage *stage, const char *text) {
  ck_assert_msg(strstr(stage->reported->str, text) == NULL, "`%s` in\n%.3000s", text, stage->reported->str);
}

/* ---- the parts ---- */

START_TEST(wilson) {
  double low, high;
  adl_interval_rate(200, 10000, &low, &high);
  ck_assert_double_eq_tol(low, .0174347117, 1e-10);
  ck_assert_double_eq_tol(high, .0229339268, 1e-10);
  adl_interval_rate(0, 10, &low, &high); /* z^2 / (n + z^2) */
  ck_assert_double_eq(low, 0);
  ck_assert_double_eq_tol(high, ADL_Z95 * ADL_Z95 / (10 + ADL_Z95 * ADL_Z95), 1e-12);
  adl_interval_rate(10, 10, &low, &high);
  ck_assert_double_eq_tol(low, 10 / (10 + ADL_Z95 * ADL_Z95), 1e-12);
  ck_assert_double_eq_tol(high, 1, 1e-12);
}
END_TEST

/* Against the definition: all pairs of a positive and a negative. */
static double auc_of_pairs(const adl_score_count *counts, int64_t count) {
  double wins = 0, pairs = 0;
  for (int64_t i = 0; i < count; i++)
    for (int64_t j = 0; j < count; j++) {
      double many = counts[i].positives * counts[j].negatives;
      wins += many * (counts[i].score > counts[j].score ? 1 : counts[i].score == counts[j].score ? .5 : 0);
      pairs += many;
    }
  return wins / pairs;
}

START_TEST(auc_is_that_of_pairs) {
  adl_score_count counts[40];
  for (uint64_t seed = 0; seed < 50; seed++) {
    double score = 0, deviation;
    for (int i = 0; i < 40; i++) {
      if (adl_random_unit(seed, (uint64_t)i) < .6) score += adl_random_unit(seed, (uint64_t)i + 100);
      counts[i] = (adl_score_count){score, (double)(adl_random(seed, (uint64_t)i + 200) % 4),
                                    (double)(adl_random(seed, (uint64_t)i + 300) % 3)};
    }
    ck_assert_double_eq_tol(adl_auc(counts, 40, &deviation), auc_of_pairs(counts, 40), 1e-13);
    ck_assert(deviation > .02 && deviation < .1);
  }
}
END_TEST

/* Counts beyond 2^32: ten billion rows, and twice that. */
START_TEST(auc_of_very_many_rows) {
  adl_score_count counts[3] = {{.1, 6e9, 1e9}, {.2, 3e9, 2e9}, {.3, 1e9, 4e9}};
  double deviation, twice;
  double wins = 1e9 * 3e9 + 2e9 * 7.5e9 + 4e9 * 9.5e9;
  ck_assert_double_eq_tol(adl_auc(counts, 3, &deviation), wins / (7e9 * 10e9), 1e-12);
  for (int i = 0; i < 3; i++) counts[i].negatives *= 2, counts[i].positives *= 2;
  ck_assert_double_eq_tol(adl_auc(counts, 3, &twice), wins / (7e9 * 10e9), 1e-12);
  ck_assert_double_eq_tol(deviation / twice, sqrt(2), 1e-6);
}
END_TEST

/* Where scores tell apart all, or nothing, the error says nothing: with weights that are no whole numbers, too. */
START_TEST(auc_without_error) {
  enum { COUNT = 40 };
  for (uint64_t seed = 0; seed < 20; seed++)
    for (int kind = 0; kind < 3; kind++) {
      adl_score_count counts[COUNT];
      double deviation;
      for (int i = 0; i < COUNT; i++) {
        bool positive = kind == 0 ? i >= COUNT / 2 : kind == 1 ? i < COUNT / 2 : i % 2 == 0;
        double weight = .01 + adl_random_unit(seed, (uint64_t)i);
        counts[i] = (adl_score_count){kind == 2 ? 1 : i, positive ? 0 : weight, positive ? weight : 0};
      }
      double expected = kind == 0 ? 1 : kind == 1 ? 0 : .5;
      ck_assert_double_eq_tol(adl_auc_weighted(counts, COUNT, 18, 18, &deviation), expected, 1e-12);
      ck_assert(isnan(deviation));
    }
}
END_TEST

/* Rising in both, through the corners; the area below all its points is the AUC, below some of them nearly. */
START_TEST(roc_encloses_auc) {
  enum { ROWS = 5000 };
  adl_score_count *counts = calloc(ROWS, sizeof *counts);
  double x[ROWS + 2], y[ROWS + 2], deviation;
  for (int i = 0; i < ROWS; i++) {
    bool positive = adl_random_unit(5, (uint64_t)i) < .2 + .6 * i / ROWS;
    counts[i] = (adl_score_count){(double)(i / 3), !positive, positive};
  }
  double auc = adl_auc(counts, ROWS, &deviation);
  static const int64_t most[] = {ROWS + 2, 200, 3};
  for (int k = 0; k < 3; k++) {
    int64_t points = adl_roc(counts, ROWS, most[k], x, y);
    ck_assert(points >= 2 && points <= most[k]);
    ck_assert(x[0] == 0 && y[0] == 0 && x[points - 1] == 1 && y[points - 1] == 1);
    double area = 0;
    for (int64_t i = 1; i < points; i++) {
      ck_assert(x[i] >= x[i - 1] && y[i] >= y[i - 1]);
      area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
    }
    if (k < 2) ck_assert_double_eq_tol(area, auc, k == 0 ? 1e-12 : 1e-3);
  }
  ck_assert_int_eq(adl_roc((adl_score_count[]){{.5, 3, 0}}, 1, 10, x, y), 0);
  ck_assert_int_eq(adl_roc(counts, 0, 10, x, y), 0);
  free(counts);
}
END_TEST

/* Shares of weights that are no whole numbers, too, end at 1, and never pass it. */
START_TEST(roc_of_weights_ends_at_1) {
  enum { ROWS = 300 };
  for (uint64_t seed = 0; seed < 50; seed++) {
    adl_score_count counts[ROWS];
    double x[ROWS + 2], y[ROWS + 2];
    for (int i = 0; i < ROWS; i++) {
      double weight = .1 + adl_random_unit(seed, (uint64_t)i);
      bool positive = adl_random(seed, (uint64_t)i + ROWS) % 2 == 0;
      counts[i] = (adl_score_count){i, positive ? 0 : weight, positive ? weight : 0};
    }
    int64_t points = adl_roc(counts, ROWS, ROWS + 2, x, y);
    ck_assert(x[points - 1] == 1 && y[points - 1] == 1);
    for (int64_t i = 0; i < points; i++) ck_assert(x[i] <= 1 && y[i] <= 1);
  }
}
END_TEST

START_TEST(bins_of_equal_counts_keep_ties) {
  const adl_score_count counts[6] = {{.1, 1, 0}, {.2, 2, 0}, {.2, 1, 1}, {.3, 1, 0}, {.5, 0, 1}, {.9, 0, 1}};
  adl_reliability table[3];
  double error = adl_reliability_of(counts, 6, false, 3, table);
  ck_assert_double_eq(table[0].rows, 5); /* the four rows of .2 begin in the first bin and stay there */
  ck_assert_double_eq(table[0].low, .1);
  ck_assert_double_eq(table[0].high, .2);
  ck_assert_double_eq(table[1].rows, 1);
  ck_assert_double_eq(table[2].rows, 2);
  ck_assert_double_eq(table[2].high, .9);
  double gaps = fabs(1 - .9) + fabs(0 - .3) + fabs(2 - 1.4);
  ck_assert_double_eq_tol(error, gaps / 8, 1e-12);
}
END_TEST

/* ---- known answers ---- */

START_TEST(five_rows) {
  const double labels[5] = {0, 0, 1, 1, 1}, scores[5] = {.1, .4, .4, .8, .8};
  const uint8_t kinds[5] = {TEST, TEST, TEST, TEST, TEST};
  learner_rows rows = {.kinds = kinds};
  learner_numbers(&rows, "label", ADL_INT64, labels, 5);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, 5);
  learner_stage *stage = measured(&rows, 2, "bins", "10");
  check_number(stage, "held-out/auc", .9166666667, .6856826959, 1, 1e-9);
  check_plain(stage, "held-out/rows", 5, 0);
  check_plain(stage, "held-out/positives", 3, 0);
  check_plain(stage, "held-out/mean_score", .5, 1e-12);
  check_plain(stage, "held-out/calibration", 2.5 / 3, 1e-12);
  double loss = -(log(.9) + log(.6) + log(.4) + 2 * log(.8)) / 5, entropy = -(.6 * log(.6) + .4 * log(.4));
  ck_assert_double_eq_tol(learner_reported(stage, "held-out/logloss", NULL, NULL), loss, 1e-12);
  check_plain(stage, "held-out/normalised_entropy", loss / entropy, 1e-12);
  ck_assert_double_eq_tol(learner_reported(stage, "held-out/brier", NULL, NULL), (.01 + .16 + .36 + .08) / 5, 1e-12);
  check_plain(stage, "held-out/ece", (.1 + 2 * .1 + 2 * .2) / 5, 1e-12);
  check_number(stage, "held-out/ctr", .6, .2307242813, .8823792258, 1e-9);
  check_says(stage, "reliability (held-out)\nscore from|to|rows|mean score|ctr|ctr low|ctr high|\n0.1|0.2|1|0.1|0|");
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

enum { ROWS = 3000 };

/* Scores with many ties, calibrated badly. Wanted numbers by scikit-learn 1.9 and, for the interval of auc, by DeLong's
 * formula written out in numpy. */
static void many_rows(double *labels, double *scores) {
  for (uint64_t i = 0; i < ROWS; i++) {
    scores[i] = (double)(float)(floor(adl_random_unit(4, i) * 200) / 400);
    labels[i] = adl_random_unit(5, i) < .8 * scores[i] + .02;
  }
}

static void check_many(const learner_stage *stage, const char *over) {
  static const struct {
    const char *name;
    double value, low, high;
  } wanted[] = {
      {"auc", .6729148706896552, .6514035297142078, .6944262116651025},
      {"logloss", .5050685472705532, .4861592555894655, .5239778389516409},
      {"brier", .16629740228985543, .15912506335083043, .17346974122888043},
      {"normalised_entropy", .9436703161458277, NAN, NAN},
      {"ece", .03755083349362637, NAN, NAN},
      {"calibration", 1.1038345591541763, NAN, NAN},
      {"mean_score", .25020250007494665, NAN, NAN},
      {"positives", 680, NAN, NAN},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    char *name = g_strdup_printf("%s/%s", over, wanted[i].name);
    check_number(stage, name, wanted[i].value, wanted[i].low, wanted[i].high, 1e-11);
    g_free(name);
  }
}

START_TEST(many_rows_in_any_batches) {
  double labels[ROWS], scores[ROWS];
  uint8_t kinds[ROWS];
  many_rows(labels, scores);
  memset(kinds, TEST, sizeof kinds);
  learner_rows rows = {.kinds = kinds};
  learner_numbers(&rows, "label", ADL_BOOL, labels, ROWS);
  learner_numbers(&rows, "score", ADL_FLOAT32, scores, ROWS);
  for (int64_t batch_rows = 7; batch_rows < 2 * ROWS; batch_rows *= 9) {
    learner_stage *stage = measured(&rows, batch_rows, "resolution", "0");
    check_many(stage, "held-out");
    learner_free(stage);
  }
  learner_rows_clear(&rows);
}
END_TEST

/* The same rows four times over, as different kinds: each is told as if it were alone, and under the right name. */
START_TEST(kinds_are_never_mixed) {
  static const uint8_t kind_of[4] = {TEST, VALIDATE, TRAIN | ONLINE, TRAIN};
  static const char *const names[4] = {"held-out", "validation", "progressive", "in-sample"};
  static double labels[4 * ROWS], scores[4 * ROWS];
  static uint8_t kinds[4 * ROWS];
  many_rows(labels, scores);
  for (int64_t i = 4 * ROWS; i-- > 0;) {
    labels[i] = labels[i / 4];
    scores[i] = scores[i / 4];
    kinds[i] = kind_of[i % 4];
  }
  learner_rows rows = {.kinds = kinds};
  learner_numbers(&rows, "label", ADL_FLOAT32, labels, 4 * ROWS);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, 4 * ROWS);
  learner_stage *stage = measured(&rows, 64, "resolution", "0");
  for (int k = 0; k < 4; k++) check_many(stage, names[k]);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(resolution_bounds_what_is_ranked) {
  double labels[ROWS], scores[ROWS];
  many_rows(labels, scores);
  learner_rows rows = {0};
  learner_numbers(&rows, "label", ADL_BOOL, labels, ROWS);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, ROWS);
  learner_stage *exact = measured(&rows, 500, "resolution", "0"), *rough = measured(&rows, 500, "resolution", "0.1");
  double auc = learner_reported(rough, "in-sample/auc", NULL, NULL);
  ck_assert_double_ne(auc, learner_reported(exact, "in-sample/auc", NULL, NULL));
  ck_assert_double_eq_tol(auc, learner_reported(exact, "in-sample/auc", NULL, NULL), .01);
  /* Losses are of the scores as they are. */
  ck_assert_double_eq(learner_reported(exact, "in-sample/logloss", NULL, NULL),
                      learner_reported(rough, "in-sample/logloss", NULL, NULL));
  learner_free(exact);
  learner_free(rough);
  learner_rows_clear(&rows);
}
END_TEST

/* Without weights scores are counted in logs, with them in tables: of many scores, and of few. */
START_TEST(logs_count_as_tables_do) {
  enum { MANY = 20000 };
  double *labels = g_new(double, MANY), *scores = g_new(double, MANY), *weights = g_new(double, MANY);
  for (int few = 0; few < 2; few++) {
    for (uint64_t i = 0; i < MANY; i++) {
      double score = adl_random_unit(8, i);
      scores[i] = few == 0 ? score : floor(score * 4) / 4;
      labels[i] = adl_random_unit(9, i) < .1 + .2 * score;
      weights[i] = 1;
    }
    learner_rows rows = {0};
    learner_numbers(&rows, "label", ADL_BOOL, labels, MANY);
    learner_numbers(&rows, "score", ADL_FLOAT64, scores, MANY);
    learner_stage *logs = measured(&rows, 4096, "bins", "10");
    learner_numbers(&rows, "weight", ADL_FLOAT64, weights, MANY);
    learner_stage *tables = measured(&rows, 4096, "bins", "10");
    for (int i = 0; i < ADL_MEASURE_WEIGHT; i++) {
      char *name = g_strdup_printf("in-sample/%s", adl_measure_names[i]);
      double low, high, value = learner_reported(tables, name, &low, &high);
      check_number(logs, name, value, low, high, 0);
      g_free(name);
    }
    learner_free(logs);
    learner_free(tables);
    learner_rows_clear(&rows);
  }
  g_free(labels);
  g_free(scores);
  g_free(weights);
}
END_TEST

/* Twice each score, first without a click and then with one, so many that the log is put together in between. */
START_TEST(logs_find_scores_again) {
  enum { SCORES = 200000 };
  adl_tensors *tensors = adl_tensors_new();
  for (int round = 0; round < 2; round++)
    for (uint64_t first = 0; first < SCORES; first += 1000) {
      adl_score_log log = adl_score_log_open(bare_call(), tensors, "log", 1000);
      for (uint64_t i = first; i < first + 1000; i++)
        adl_score_log_add(&log, (double)(i * 7919 % SCORES) - 5, round == 1);
    }
  adl_score_count *counts;
  ck_assert_int_eq(adl_score_log_counts(bare_call(), tensors, "log", &counts), SCORES);
  for (int i = 0; i < SCORES; i++)
    ck_assert(counts[i].score == i - 5 && counts[i].negatives == 1 && counts[i].positives == 1);
  adl_tensors_free(tensors);
  bare_done();
}
END_TEST

/* What a log holds is in proportion to the different scores, not to the rows. */
START_TEST(logs_of_few_scores_stay_short) {
  enum { BATCHES = 500, ROWS_OF_EACH = 4096 };
  adl_tensors *tensors = adl_tensors_new();
  for (int batch = 0; batch < BATCHES; batch++) {
    adl_score_log log = adl_score_log_open(bare_call(), tensors, "log", ROWS_OF_EACH);
    for (int i = 0; i < ROWS_OF_EACH; i++) adl_score_log_add(&log, i % 3 - 1, i % 2 == 0);
    ck_assert_int_lt(adl_tensors_bytes(tensors), 4 << 20);
  }
  adl_score_count *counts;
  ck_assert_int_eq(adl_score_log_counts(bare_call(), tensors, "log", &counts), 3);
  for (int i = 0; i < 3; i++) {
    ck_assert_double_eq(counts[i].score, i - 1);
    ck_assert_double_eq_tol(counts[i].negatives, BATCHES * ROWS_OF_EACH / 6., BATCHES);
    ck_assert_double_eq_tol(counts[i].positives, BATCHES * ROWS_OF_EACH / 6., BATCHES);
  }
  adl_tensors_free(tensors);
  bare_done();
}
END_TEST

/* ---- segments ---- */

START_TEST(segments) {
  enum { COUNT = 8 };
  const double labels[COUNT] = {0, 1, 0, 1, 0, 1, 1, 1}, scores[COUNT] = {.2, .6, .3, .1, .5, .9, .7, .5};
  const double hours[COUNT] = {9, 9, 9, 9, 9, 9, 10, 10};
  const char *const devices[COUNT] = {"phone", "phone", "phone", NULL, NULL, "phone", "phone", "phone"};
  const uint8_t kinds[COUNT] = {TEST, TEST, TEST, TEST, TEST, TEST, TEST, TEST};
  learner_rows rows = {.kinds = kinds};
  learner_numbers(&rows, "label", ADL_INT64, labels, COUNT);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, COUNT);
  learner_texts(&rows, "by:device", devices, COUNT);
  learner_numbers(&rows, "by:hour", ADL_INT64, hours, COUNT);
  learner_stage *stage = measured(&rows, 3, "bins", "4");
  check_plain(stage, "held-out/rows", COUNT, 0);
  /* Largest first; auc of {.2 -, .6 +, .3 -, .9 +} is 1, of {.1 +, .5 -} 0, of two positives undefined. */
  const char *table = strstr(stage->reported->str, "segments (held-out)\n");
  ck_assert_ptr_nonnull(table);
  ck_assert_ptr_nonnull(
      strstr(table, "segment|rows|positives|ctr|ctr low|ctr high|mean_score|logloss|normalised_entropy|calibration|"
                    "auc|\ndevice=phone, hour=9|4|2|0.5|0.150039|0.849961|0.5|"));
  ck_assert_ptr_nonnull(strstr(table, "|1|1|\ndevice=null, hour=9|2|1|0.5|0.0945312|0.905469|0.3|"));
  ck_assert_ptr_nonnull(strstr(table, "|0.6|0|\ndevice=phone, hour=10|2|2|1|0.34238|1|0.6|"));
  ck_assert_ptr_nonnull(strstr(table, "|undefined|0.6|undefined|\n"));
  double all = auc_of_pairs(
      (const adl_score_count[]){{.2, 1, 0}, {.6, 0, 1}, {.3, 1, 0}, {.1, 0, 1}, {.5, 1, 1}, {.9, 0, 1}, {.7, 0, 1}}, 7);
  ck_assert_double_eq_tol(learner_reported(stage, "held-out/auc", NULL, NULL), all, 1e-12);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* Texts that read like a null, or like a value and the next column, are not taken for these. */
START_TEST(segments_that_read_alike) {
  enum { COUNT = 5 };
  const double labels[COUNT] = {0, 1, 0, 1, 1}, scores[COUNT] = {.2, .6, .3, .1, .5};
  const char *const places[COUNT] = {"null", NULL, "1, b=2", "1", "\"a\",\""};
  const char *const devices[COUNT] = {"x", "x", "3", "2, b=3", ""};
  learner_rows rows = {0};
  learner_numbers(&rows, "label", ADL_INT64, labels, COUNT);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, COUNT);
  learner_texts(&rows, "by:a", places, COUNT);
  learner_texts(&rows, "by:b", devices, COUNT);
  learner_stage *stage = measured(&rows, 64, "bins", "4");
  check_says(stage, "\na=\"null\", b=x|1|0|");
  check_says(stage, "\na=null, b=x|1|1|");
  check_says(stage, "\na=\"1, b=2\", b=3|1|0|");
  check_says(stage, "\na=1, b=\"2, b=3\"|1|1|");
  check_says(stage, "\na=\"\"\"a\"\",\"\"\", b=|1|1|");
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* The segments behind the largest are measured as if they were one: as the same rows are that have one segment. */
START_TEST(other_segments_are_one) {
  double labels[ROWS], scores[ROWS], segment[ROWS], merged[ROWS];
  uint8_t kinds[ROWS];
  many_rows(labels, scores);
  for (uint64_t i = 0; i < ROWS; i++) { /* segment k has some 1 / (k + 1) of the rows of segment 0 */
    segment[i] = floor(exp(adl_random_unit(8, i) * log(40))) - 1;
    merged[i] = segment[i] < 3 ? segment[i] : 99;
    kinds[i] = i % 2 == 0 ? TEST : TRAIN;
  }
  learner_rows rows = {.kinds = kinds}, other = {.kinds = kinds};
  learner_numbers(&rows, "label", ADL_BOOL, labels, ROWS);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, ROWS);
  learner_numbers(&rows, "by:s", ADL_INT64, segment, ROWS);
  learner_numbers(&other, "label", ADL_BOOL, labels, ROWS);
  learner_numbers(&other, "score", ADL_FLOAT64, scores, ROWS);
  learner_numbers(&other, "by:s", ADL_INT64, merged, ROWS);
  learner_stage *many = measured(&rows, 64, "segments", "3"), *one = measured(&other, 64, "segments", "20");
  static const char *const kinds_told[] = {"segments (held-out)\n", "segments (in-sample)\n"};
  for (int k = 0; k < 2; k++) {
    const char *theirs = strstr(strstr(many->reported->str, kinds_told[k]), "(others: ");
    const char *wanted = strstr(strstr(one->reported->str, kinds_told[k]), "s=99|");
    ck_assert(theirs != NULL && wanted != NULL);
    theirs = strchr(theirs, '|'), wanted = strchr(wanted, '|');
    size_t size = strcspn(wanted, "\n");
    ck_assert_msg(strncmp(theirs, wanted, size) == 0, "%.100s\nis not\n%.100s", theirs, wanted);
    ck_assert(size > 40);
  }
  learner_free(many);
  learner_free(one);
  learner_rows_clear(&rows);
  learner_rows_clear(&other);
}
END_TEST

START_TEST(many_segments) {
  enum { COUNT = 130 };
  double labels[COUNT], scores[COUNT], users[COUNT];
  char long_text[400];
  const char *texts[COUNT];
  memset(long_text, 'x', sizeof long_text);
  long_text[sizeof long_text - 1] = '\0';
  memcpy(long_text + 194, "\xc3\xa9", 2); /* a character of two bytes where the name is cut */
  for (int i = 0; i < COUNT; i++) {
    labels[i] = i % 2;
    scores[i] = .5;
    users[i] = -i;
    texts[i] = long_text;
  }
  learner_rows rows = {0};
  learner_numbers(&rows, "label", ADL_INT64, labels, COUNT);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, COUNT);
  learner_texts(&rows, "by:text", texts, COUNT);
  learner_numbers(&rows, "by:user", ADL_INT64, users, COUNT);
  learner_stage *stage = measured(&rows, 16, "bins", "4");
  check_says(stage, "xxx...|1|");
  check_says(stage, "\n(others: 110 segments)|110|55|0.5|");
  ck_assert(g_utf8_validate(stage->reported->str, -1, NULL));
  const char *table = strstr(stage->reported->str, "segments (in-sample)\n");
  int lines = 0;
  for (const char *at = strstr(table, "xxx...|"); at != NULL; at = strstr(at + 1, "xxx...|")) lines++;
  ck_assert_int_eq(lines, 20);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* ---- weights ---- */

static void weigh(double *weights) {
  for (uint64_t i = 0; i < ROWS; i++) weights[i] = floor(adl_random_unit(6, i) * 5) / 2;
}

/* Wanted numbers by scikit-learn 1.9.1 with sample_weight; intervals by their formulas written out in numpy. */
START_TEST(weighted_rows) {
  double labels[ROWS], scores[ROWS], weights[ROWS];
  many_rows(labels, scores);
  weigh(weights);
  for (int twice = 0; twice < 2; twice++) {
    double factor = twice ? 1024 : 1;
    for (int i = 0; i < ROWS; i++) weights[i] *= factor;
    learner_rows rows = {0};
    learner_numbers(&rows, "label", ADL_BOOL, labels, ROWS);
    learner_numbers(&rows, "score", ADL_FLOAT32, scores, ROWS);
    learner_numbers(&rows, "weight", ADL_FLOAT64, weights, ROWS);
    learner_stage *stage = measured(&rows, 64, "bins", "10");
    check_plain(stage, "in-sample/rows", 2431, 0); /* those of weight 0 are left out */
    check_plain(stage, "in-sample/positives", 557, 0);
    check_plain(stage, "in-sample/weight", 3029 * factor, 0);
    check_plain(stage, "in-sample/effective_rows", 2023.5644022937804, 1e-9);
    check_number(stage, "in-sample/auc", .6775918739745794, .6516751741575031, .7035085737916558, 1e-11);
    check_number(stage, "in-sample/logloss", .5039930221500848, .4810900421926979, .5268960021074717, 1e-11);
    check_number(stage, "in-sample/brier", .16631376194501749, .1575336024582221, .17509392143181288, 1e-11);
    check_number(stage, "in-sample/ctr", .22878837900297128, .21101060822381376, .24759391466506264, 1e-11);
    check_plain(stage, "in-sample/mean_score", .24861381649296116, 1e-11);
    check_plain(stage, "in-sample/calibration", 1.0866540406308505, 1e-11);
    check_plain(stage, "in-sample/normalised_entropy", .9371241348630561, 1e-11);
    check_plain(stage, "in-sample/ece", .028574199577394998, 1e-11);
    check_says(stage, "score from|to|weight|");
    learner_free(stage);
    learner_rows_clear(&rows);
  }
}
END_TEST

/* A weight of 1 says nothing, and one of 3 what three rows say; but three times the same row is not three rows' worth of
 * evidence. */
START_TEST(weights_and_repeated_rows) {
  enum { COUNT = 500 };
  static const char *const names[] = {"auc", "logloss", "brier", "ctr", "mean_score", "calibration", "ece"};
  double labels[ROWS], scores[ROWS], ones[COUNT], threes[COUNT], labels3[3 * COUNT], scores3[3 * COUNT];
  many_rows(labels, scores);
  for (int i = 0; i < 3 * COUNT; i++) labels3[i] = labels[i / 3], scores3[i] = scores[i / 3];
  for (int i = 0; i < COUNT; i++) ones[i] = 1, threes[i] = 3;
  learner_rows rows[4] = {{0}, {0}, {0}, {0}};
  const double *weights[4] = {NULL, ones, threes, NULL};
  learner_stage *stages[4];
  for (int k = 0; k < 4; k++) {
    learner_numbers(&rows[k], "label", ADL_BOOL, k == 3 ? labels3 : labels, k == 3 ? 3 * COUNT : COUNT);
    learner_numbers(&rows[k], "score", ADL_FLOAT64, k == 3 ? scores3 : scores, k == 3 ? 3 * COUNT : COUNT);
    if (weights[k] != NULL) learner_numbers(&rows[k], "weight", ADL_INT64, weights[k], COUNT);
    stages[k] = measured(&rows[k], 64, "bins", "10");
  }
  for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
    char *name = g_strdup_printf("in-sample/%s", names[n]);
    double low, high, low3, value = learner_reported(stages[0], name, &low, &high);
    check_number(stages[1], name, value, low, high, 1e-12);
    check_number(stages[2], name, value, low, high, 1e-11);
    ck_assert_double_eq_tol(learner_reported(stages[3], name, &low3, NULL), value, 1e-11);
    ck_assert(isnan(low) || low3 > low);
    g_free(name);
  }
  check_does_not_say(stages[0], "effective_rows");
  for (int k = 0; k < 4; k++) {
    learner_free(stages[k]);
    learner_rows_clear(&rows[k]);
  }
}
END_TEST

START_TEST(weights_that_are_none) {
  const double labels[4] = {0, 1, 1, 0}, scores[4] = {.25, .5, .75, .5}, weights[4] = {2, -1, 0, 2}, none[4] = {0};
  learner_rows rows = {0}, empty = {0};
  learner_numbers(&rows, "label", ADL_BOOL, labels, 4);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, 4);
  learner_numbers(&rows, "weight", ADL_FLOAT64, weights, 4);
  learner_stage *stage = measured(&rows, 64, "bins", "10");
  check_plain(stage, "in-sample/rows", 2, 0);
  ck_assert_int_eq(g_hash_table_size(stage->rejected), 1);
  ck_assert_str_eq(g_hash_table_lookup(stage->rejected, GINT_TO_POINTER(2)), "weight: weight -1 is negative");
  check_says(stage, "auc (in-sample)=undefined: no row is positive\n");
  learner_free(stage);
  learner_rows_clear(&rows);
  learner_numbers(&empty, "label", ADL_BOOL, labels, 4);
  learner_numbers(&empty, "score", ADL_FLOAT64, scores, 4);
  learner_numbers(&empty, "weight", ADL_FLOAT64, none, 4);
  stage = measured(&empty, 64, "bins", "10");
  check_says(stage, "rows=undefined: no rows reached this stage");
  learner_free(stage);
  learner_rows_clear(&empty);
}
END_TEST

/* ---- undefined ---- */

START_TEST(one_class) {
  const double labels[3] = {0, 0, 0}, ones[3] = {1, 1, 1}, scores[3] = {.1, .2, 0};
  learner_rows rows = {0}, other = {0};
  learner_numbers(&rows, "label", ADL_BOOL, labels, 3);
  learner_numbers(&rows, "score", ADL_FLOAT32, scores, 3);
  learner_stage *stage = measured(&rows, 64, "bins", "10");
  check_says(stage, "auc (in-sample)=undefined: no row is positive\n");
  check_says(stage, "normalised_entropy (in-sample)=undefined: no row is positive\n");
  check_says(stage, "calibration (in-sample)=undefined: no row is positive\n");
  check_says(stage, "held-out=undefined: there are no held-out rows");
  check_does_not_say(stage, "/auc=");
  ck_assert_double_eq_tol(learner_reported(stage, "in-sample/logloss", NULL, NULL), -(log(.9) + log(.8)) / 3, 1e-7);
  learner_free(stage);
  learner_rows_clear(&rows);
  learner_numbers(&other, "label", ADL_BOOL, ones, 3);
  learner_numbers(&other, "score", ADL_FLOAT32, scores, 3);
  stage = measured(&other, 64, "bins", "10");
  check_says(stage, "auc (in-sample)=undefined: every row is positive\n");
  /* A score of 0 for what happened costs -ln 1e-15, not infinity. */
  ck_assert_double_eq_tol(learner_reported(stage, "in-sample/logloss", NULL, NULL),
                          -(log(.1) + log(.2) + log(1e-15)) / 3, 1e-6);
  learner_free(stage);
  learner_rows_clear(&other);
}
END_TEST

START_TEST(scores_that_are_no_probabilities) {
  const double labels[4] = {0, 1, 0, 1}, scores[4] = {-3, 4, 1, 2};
  learner_rows rows = {0};
  learner_numbers(&rows, "label", ADL_BOOL, labels, 4);
  learner_numbers(&rows, "score", ADL_FLOAT32, scores, 4);
  learner_stage *stage = measured(&rows, 64, "bins", "10");
  ck_assert_double_eq(learner_reported(stage, "in-sample/auc", NULL, NULL), 1);
  check_plain(stage, "in-sample/mean_score", 1, 0);
  static const char *const undefined[] = {"logloss", "normalised_entropy", "brier", "ece", "calibration"};
  for (int i = 0; i < 5; i++) {
    char *text = g_strdup_printf("%s (in-sample)=undefined: there are scores outside [0, 1]", undefined[i]);
    check_says(stage, text);
    g_free(text);
  }
  check_does_not_say(stage, "reliability");
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(labels_that_are_none) {
  const double labels[4] = {0, 1, .5, 2}, scores[4] = {.1, .9, .5, .5};
  learner_rows rows = {0};
  learner_numbers(&rows, "label", ADL_FLOAT64, labels, 4);
  learner_numbers(&rows, "score", ADL_FLOAT32, scores, 4);
  learner_stage *stage = measured(&rows, 3, "bins", "10");
  check_plain(stage, "in-sample/rows", 2, 0);
  ck_assert_int_eq(g_hash_table_size(stage->rejected), 2);
  ck_assert_str_eq(g_hash_table_lookup(stage->rejected, GSIZE_TO_POINTER(3)), "label: label 0.5 is neither 0 nor 1");
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(one_row) {
  const double label = 1, score = .75;
  learner_rows rows = {0};
  learner_numbers(&rows, "label", ADL_BOOL, &label, 1);
  learner_numbers(&rows, "score", ADL_FLOAT64, &score, 1);
  learner_stage *stage = measured(&rows, 1, "bins", "2");
  check_number(stage, "in-sample/logloss", -log(.75), NAN, NAN, 1e-12); /* no interval from one row */
  check_plain(stage, "in-sample/ece", .25, 1e-12);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(no_rows) {
  const double label = 1, score = .75;
  learner_rows rows = {0}, none;
  learner_numbers(&rows, "label", ADL_BOOL, &label, 1);
  learner_numbers(&rows, "score", ADL_FLOAT64, &score, 1);
  none = learner_slice(&rows, 0, 0);
  learner_stage *stage = measured(&none, 64, "bins", "2");
  ck_assert_str_eq(stage->warned->str, "no rows to measure\n");
  ck_assert_str_eq(stage->reported->str, "rows=undefined: no rows reached this stage\n");
  learner_free(stage);
  learner_rows_clear(&none);
  learner_rows_clear(&rows);
}
END_TEST

/* -0 and 0 are one score; so are the same value as float32 and as float64. */
START_TEST(zero_has_one_sign) {
  const double labels[2] = {0, 1}, scores[2] = {0.0, -0.0};
  learner_rows rows = {0};
  learner_numbers(&rows, "label", ADL_BOOL, labels, 2);
  learner_numbers(&rows, "score", ADL_FLOAT64, scores, 2);
  learner_stage *stage = measured(&rows, 64, "bins", "10");
  ck_assert_double_eq(learner_reported(stage, "in-sample/auc", NULL, NULL), .5);
  check_does_not_say(stage, "undefined: there are scores outside");
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("metrics");
  TCase *parts = tcase_create("parts"), *known = tcase_create("known answers");
  TCase *segmented = tcase_create("segments"), *odd = tcase_create("odd cases");
  tcase_add_test(parts, wilson);
  tcase_add_test(parts, auc_is_that_of_pairs);
  tcase_add_test(parts, auc_of_very_many_rows);
  tcase_add_test(parts, auc_without_error);
  tcase_add_test(parts, roc_encloses_auc);
  tcase_add_test(parts, roc_of_weights_ends_at_1);
  tcase_add_test(parts, bins_of_equal_counts_keep_ties);
  tcase_add_test(known, five_rows);
  tcase_add_test(known, many_rows_in_any_batches);
  tcase_add_test(known, kinds_are_never_mixed);
  tcase_add_test(known, resolution_bounds_what_is_ranked);
  tcase_add_test(known, logs_count_as_tables_do);
  tcase_add_test(known, logs_find_scores_again);
  tcase_add_test(known, logs_of_few_scores_stay_short);
  tcase_add_test(segmented, segments);
  tcase_add_test(segmented, segments_that_read_alike);
  tcase_add_test(segmented, many_segments);
  tcase_add_test(segmented, other_segments_are_one);
  tcase_add_test(segmented, weighted_rows);
  tcase_add_test(segmented, weights_and_repeated_rows);
  tcase_add_test(segmented, weights_that_are_none);
  tcase_add_test(odd, one_class);
  tcase_add_test(odd, scores_that_are_no_probabilities);
  tcase_add_test(odd, labels_that_are_none);
  tcase_add_test(odd, one_row);
  tcase_add_test(odd, no_rows);
  tcase_add_test(odd, zero_has_one_sign);
  suite_add_tcase(suite, parts);
  suite_add_tcase(suite, known);
  suite_add_tcase(suite, segmented);
  suite_add_tcase(suite, odd);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
