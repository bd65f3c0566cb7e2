/* sgd: its steps against a plain reading of their definition, its fits against scikit-learn, and that scaling, cutting,
 * resuming and odd rows do what the manual says. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/sgd_steps.h"
#include "tests/plugins/learner_host.h"

extern const adl_plugin *adl_entry_sgd(const adl_host *host);

static const adl_class *sgd_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return adl_entry_sgd(&host)->classes[0];
}

/* ---- rows whose fits are known ---- */

enum { ROWS = 500, WIDTH = 4 };

/* Features of very different size and place; labels from a logistic model of three of them, targets from a linear one.
 * The numbers wanted below were computed by scikit-learn 1.9 from the same rows, standardised. */
typedef struct known {
  float features[ROWS * WIDTH];
  double labels[ROWS], targets[ROWS];
} known;

static void known_make(known *into) {
  static const double scale[WIDTH] = {1, 10, .01, 2}, shift[WIDTH] = {0, 100, 0, -1};
  for (int row = 0; row < ROWS; row++) {
    double unit[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      unit[i] = adl_random_unit(1, (uint64_t)(WIDTH * row + i));
      into->features[WIDTH * row + i] = (float)(unit[i] * scale[i] + shift[i]);
    }
    double margin = -2 + 3 * unit[0] - 2 * unit[1] + 1.5 * unit[2];
    into->labels[row] = adl_random_unit(2, (uint64_t)row) < 1 / (1 + exp(-margin));
    into->targets[row] = 5 + 3 * margin + adl_random_unit(3, (uint64_t)row) - .5;
  }
}

static learner_rows known_rows(const double *labels, bool sparse) {
  known made;
  learner_rows rows = {0};
  known_make(&made);
  learner_matrix(&rows, "features", made.features, ROWS, WIDTH, sparse);
  learner_numbers(&rows, "label", ADL_FLOAT64, labels == NULL ? made.labels : labels, ROWS);
  return rows;
}

static void fit(learner_stage *stage, const learner_rows *rows) {
  ck_assert_msg(learner_fit(stage, rows) == ADL_OK, "%s", stage->failed->str);
  ck_assert_str_eq(stage->warned->str, "");
}

static void check_weights(const learner_stage *stage, const double *weights, double bias, double relative) {
  for (int i = 0; i < WIDTH; i++)
    ck_assert_double_eq_tol(learner_value(stage, "weights", i), weights[i], relative * fabs(weights[i]));
  ck_assert_double_eq_tol(learner_value(stage, "bias", 0), bias, relative * fabs(bias));
}

static void check_logistic(const char *l2, const double *weights, double bias, double loss, double objective) {
  learner_rows rows = known_rows(NULL, false);
  learner_stage *stage =
      learner_new(sgd_class(), &rows, NULL, "l2", l2, "epochs", "1500", "tolerance", "0", "patience", "1500", NULL);
  fit(stage, &rows);
  learner_report(stage);
  check_weights(stage, weights, bias, 2e-2);
  ck_assert_double_eq_tol(learner_reported(stage, "in-sample/logloss", NULL, NULL), loss, 5e-5);
  ck_assert_double_eq_tol(learner_reported(stage, "in-sample/objective", NULL, NULL), objective, 2e-6);
  learner_free(stage);
  learner_rows_clear(&rows);
}

START_TEST(logistic_regression) {
  check_logistic("0.001", (const double[]){3.32257403, -.19059552, 100.04592021, -.25776402}, 17.130371076,
                 .5429715702063055, .5436239216182116);
  check_logistic("0.05", (const double[]){2.50567801, -.14442327, 72.38037998, -.17326771}, 12.896385360506,
                 .549001876398036, .5674319234933063);
}
END_TEST

START_TEST(ridge_regression) {
  known made;
  known_make(&made);
  learner_rows rows = known_rows(made.targets, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "loss", "squared", "l2", "0.01", "epochs", "500",
                                     "tolerance", "0", "patience", "500", NULL);
  fit(stage, &rows);
  learner_report(stage);
  /* The fourth dimension has no influence: its weight is noise. */
  static const double weights[3] = {8.89346616, -.599857883, 441.094863};
  for (int i = 0; i < 3; i++)
    ck_assert_double_eq_tol(learner_value(stage, "weights", i), weights[i], 2e-3 * fabs(weights[i]));
  ck_assert_double_eq_tol(learner_value(stage, "bias", 0), 59.07073704986416, .1);
  ck_assert_double_eq_tol(learner_reported(stage, "in-sample/objective", NULL, NULL), .09634022425377026, 2e-5);
  ck_assert_double_eq_tol(learner_reported(stage, "in-sample/half_squared_loss", NULL, NULL), .04126433738392087, 2e-4);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* l1 of .06: two weights of the standardised inputs, the others 0. */
START_TEST(lasso) {
  learner_rows rows = known_rows(NULL, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "l2", "0", "l1", "0.06", "epochs", "1500", "tolerance",
                                     "0", "patience", "1500", NULL);
  fit(stage, &rows);
  static const double wanted[WIDTH] = {.5619831, -.21696708, 0, 0};
  for (int i = 0; i < WIDTH; i++)
    ck_assert_double_eq_tol(learner_value(stage, "weights", i) * learner_value(stage, "scale", i), wanted[i], 5e-3);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* The public set a9a: liblinear with C = 1 has logloss .324102 on its test file. */
static bool libsvm_rows(const char *name, learner_rows *rows, int width) {
  const char *data = getenv("ADLOOM_DATA");
  char *path = g_build_filename(data != NULL ? data : "", "a9a", name, NULL);
  gzFile file = data != NULL ? gzopen(path, "rb") : NULL;
  g_free(path);
  if (file == NULL) return false;
  char line[4096];
  GArray *labels = g_array_new(FALSE, FALSE, sizeof(double)), *features = g_array_new(FALSE, TRUE, sizeof(float));
  while (gzgets(file, line, sizeof line) != NULL) {
    char *at;
    double label = strtod(line, &at) > 0;
    g_array_append_val(labels, label);
    g_array_set_size(features, labels->len * (guint)width);
    for (long number; (number = strtol(at, &at, 10)) > 0 && *at == ':';)
      g_array_index(features, float, (labels->len - 1) * (guint)width + (guint)number - 1) = strtof(at + 1, &at);
  }
  gzclose(file);
  learner_matrix(rows, "features", (const float *)(void *)features->data, labels->len, width, true);
  learner_numbers(rows, "label", ADL_FLOAT64, (const double *)(void *)labels->data, labels->len);
  g_array_free(labels, TRUE);
  g_array_free(features, TRUE);
  return true;
}

START_TEST(liblinear) {
  learner_rows train = {0}, test = {0};
  if (!libsvm_rows("a9a.gz", &train, 123) || !libsvm_rows("a9a.t.gz", &test, 123)) {
    fprintf(stderr, "# skipped: the comparison with liblinear needs a9a/a9a.gz and a9a.t.gz in ADLOOM_DATA\n");
    learner_rows_clear(&train);
    return;
  }
  learner_stage *stage = learner_new(sgd_class(), &train, NULL, "standardise", "scale", "l2", "3.0711587e-5", NULL);
  stage->batch_rows = 4096;
  fit(stage, &train);
  ck_assert_int_eq(learner_process(stage, &test), ADL_OK);
  const double *labels = test.columns[1]->view.data;
  double loss = 0;
  for (int64_t row = 0; row < test.columns[1]->view.rows; row++)
    loss += adl_log_loss(labels[row], (double)learner_score(stage, row));
  ck_assert_double_eq_tol(loss / (double)test.columns[1]->view.rows, .324102, 5e-4);
  learner_free(stage);
  learner_rows_clear(&train);
  learner_rows_clear(&test);
}
END_TEST

/* ---- single steps ---- */

enum { STEP_ROWS = 120, STEP_WIDTH = 9 };

static void step_rows(float *features, double *labels) {
  for (int row = 0; row < STEP_ROWS; row++) {
    for (int i = 0; i < STEP_WIDTH; i++) {
      double unit = adl_random_unit(7, (uint64_t)(row * STEP_WIDTH + i));
      features[row * STEP_WIDTH + i] = unit < .75 ? 0 : (float)(unit * 3 - 2);
    }
    labels[row] = adl_random_unit(8, (uint64_t)row) < .4;
  }
}

/* The definition in sgd_steps.h, every weight in every step. */
static void reference(const char *method, double rate, double l1, double l2, const float *features,
                      const double *labels, double *weights) {
  double kept[STEP_WIDTH + 1] = {0};
  for (int i = 0; i <= STEP_WIDTH; i++) weights[i] = 0;
  for (int row = 0; row < STEP_ROWS; row++) {
    const float *x = features + row * STEP_WIDTH;
    double margin = weights[STEP_WIDTH];
    for (int i = 0; i < STEP_WIDTH; i++) margin += weights[i] * (double)x[i];
    double slope = 1 / (1 + exp(-margin)) - labels[row];
    for (int i = 0; i <= STEP_WIDTH; i++) {
      double g = slope * (i < STEP_WIDTH ? (double)x[i] : 1), own = rate;
      if (strcmp(method, "momentum") == 0) {
        kept[i] = .9 * kept[i] - rate * g;
        weights[i] += kept[i];
        own = rate / (1 - .9);
      } else {
        if (strcmp(method, "adagrad") == 0) {
          kept[i] += g * g;
          own = kept[i] > 0 ? rate / sqrt(kept[i]) : 0;
        }
        weights[i] -= own * g;
      }
      if (i == STEP_WIDTH) continue;
      double size = fmax(0, fabs(weights[i]) - own * l1) / (1 + own * l2);
      weights[i] = weights[i] < 0 ? -size : size;
    }
  }
}

static void check_steps(const char *method, const char *l1, const char *l2, bool sparse, int64_t batch_rows) {
  float features[STEP_ROWS * STEP_WIDTH];
  double labels[STEP_ROWS], wanted[STEP_WIDTH + 1];
  step_rows(features, labels);
  reference(method, .3, strtod(l1, NULL), strtod(l2, NULL), features, labels, wanted);
  learner_rows rows = {0};
  learner_matrix(&rows, "features", features, STEP_ROWS, STEP_WIDTH, sparse);
  learner_numbers(&rows, "label", ADL_FLOAT32, labels, STEP_ROWS);
  learner_stage *stage =
      learner_new(sgd_class(), &rows, NULL, "method", method, "learning_rate", "0.3", "l1", l1, "l2", l2, NULL);
  stage->batch_rows = batch_rows;
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  ck_assert_int_eq(learner_learn(stage, &rows), ADL_OK);
  for (int i = 0; i < STEP_WIDTH; i++) ck_assert_double_eq_tol(learner_value(stage, "weights", i), wanted[i], 1e-9);
  ck_assert_double_eq_tol(learner_value(stage, "bias", 0), wanted[STEP_WIDTH], 1e-9);
  learner_free(stage);
  learner_rows_clear(&rows);
}

START_TEST(steps_are_as_defined) {
  static const char *const methods[] = {"plain", "momentum", "adagrad"};
  static const char *const penalties[][2] = {{"0", "0"}, {"0", "0.05"}, {"0.02", "0"}, {"0.02", "0.05"}};
  for (int m = 0; m < 3; m++)
    for (int p = 0; p < 4; p++) {
      check_steps(methods[m], penalties[p][0], penalties[p][1], false, 50);
      if (m == 1 && p > 0) continue; /* sparse, with momentum: penalties are made up for only approximately */
      check_steps(methods[m], penalties[p][0], penalties[p][1], true, STEP_ROWS);
    }
}
END_TEST

/* Dense steps with and without vectors, of every number of weights that fills them or does not. */
START_TEST(steps_to_the_bit) {
  enum { MOST = 21, STEPS = 40 };
  const adl_sgd_rule rule = {
      .method = ADL_SGD_ADAGRAD, .loss = ADL_LOSS_LOGISTIC, .learning_rate = 0.3, .l1 = 0.01, .l2 = 0.02, .bias = true};
  for (int64_t width = 1; width < MOST; width++) {
    double weights[2][MOST] = {{0}}, slopes[2][MOST] = {{0}}, values[MOST];
    for (int level = 0; level < 2; level++) {
      adl_sgd_state state = {.width = width, .weights = weights[level], .slopes = slopes[level]};
      if (level > 0) state.level = adl_simd_level();
      for (int step = 0; step < STEPS; step++) {
        for (int64_t i = 0; i < width; i++)
          values[i] = i % 5 == 3 ? 0 : adl_random_unit(5, (uint64_t)(step * MOST + i)) - .5; /* some never change */
        adl_sgd_step_dense(&rule, &state, values, step % 3 == 0, 1 + step % 2);
      }
    }
    ck_assert_mem_eq(weights[0], weights[1], sizeof weights[0]);
    ck_assert_mem_eq(slopes[0], slopes[1], sizeof slopes[0]);
    ck_assert(weights[0][0] != 0 && (width < 4 || weights[0][3] == 0));
  }
}
END_TEST

/* Online, weights are settled after every batch, so batches must not matter: not to the last bit, since many small
 * powers are not one large one, but nearly. */
START_TEST(online_batches_hardly_matter) {
  for (int64_t batch_rows = 1; batch_rows < STEP_ROWS; batch_rows += 17)
    check_steps("adagrad", "0.02", "0.05", true, batch_rows);
}
END_TEST

/* With penalties and momentum a sparse input ends near a dense one. */
START_TEST(momentum_of_sparse_rows) {
  double ends[2][STEP_WIDTH];
  for (int sparse = 0; sparse < 2; sparse++) {
    float features[STEP_ROWS * STEP_WIDTH];
    double labels[STEP_ROWS];
    step_rows(features, labels);
    learner_rows rows = {0};
    learner_matrix(&rows, "features", features, STEP_ROWS, STEP_WIDTH, sparse == 1);
    learner_numbers(&rows, "label", ADL_FLOAT32, labels, STEP_ROWS);
    learner_stage *stage =
        learner_new(sgd_class(), &rows, NULL, "method", "momentum", "learning_rate", "0.005", "l2", "0.05", NULL);
    ck_assert_int_eq(learner_init(stage), ADL_OK);
    ck_assert_int_eq(learner_learn(stage, &rows), ADL_OK);
    for (int i = 0; i < STEP_WIDTH; i++) ends[sparse][i] = learner_value(stage, "weights", i);
    learner_free(stage);
    learner_rows_clear(&rows);
  }
  for (int i = 0; i < STEP_WIDTH; i++) ck_assert_double_eq_tol(ends[0][i], ends[1][i], 2e-3);
}
END_TEST

/* Averages of 1, 2, ... 10 in which the q-th counts q (q + 1) (q + 2) times. */
START_TEST(later_weights_count_more) {
  double weights[2], average[2] = {0}, wanted = 0, shares = 0;
  adl_sgd_rule rule = {.method = ADL_SGD_PLAIN, .bias = true};
  adl_sgd_state state = {.width = 1, .weights = weights, .average = average};
  for (int q = 1; q <= 10; q++) {
    weights[0] = q;
    weights[1] = -q;
    adl_sgd_average(&rule, &state);
    shares += q * (q + 1) * (q + 2);
    wanted += q * (q + 1) * (q + 2) * q;
  }
  ck_assert_double_eq_tol(average[0], wanted / shares, 1e-12);
  ck_assert_double_eq_tol(average[1], -wanted / shares, 1e-12);
}
END_TEST

START_TEST(the_rate_falls_as_decay_says) {
  float feature[3] = {1, 1, 1};
  double label[3] = {1, 1, 1};
  learner_rows rows = {0};
  learner_matrix(&rows, "features", feature, 3, 1, false);
  learner_numbers(&rows, "label", ADL_BOOL, label, 3);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "method", "plain", "learning_rate", "1", "decay", "0.5",
                                     "l2", "0", "bias", "false", NULL);
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  ck_assert_int_eq(learner_learn(stage, &rows), ADL_OK);
  double weight = 0;
  for (int t = 0; t < 3; t++) weight += (1 - 1 / (1 + exp(-weight))) / (1 + .5 * t);
  ck_assert_double_eq_tol(learner_value(stage, "weights", 0), weight, 1e-12);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* ---- behaviour ---- */

START_TEST(online_scores_come_before_learning) {
  learner_rows rows = known_rows(NULL, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, NULL),
                *one = learner_new(sgd_class(), &rows, NULL, NULL);
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  ck_assert_int_eq(learner_init(one), ADL_OK);
  ck_assert_int_eq(learner_learn(stage, &rows), ADL_OK);
  for (int row = 0; row < 20; row++) {
    learner_rows single = learner_slice(&rows, row, 1);
    learner_forget(one);
    ck_assert_int_eq(learner_process(one, &single), ADL_OK);
    ck_assert_float_eq_tol(learner_score(one, 0), learner_score(stage, row), 1e-7f);
    ck_assert_int_eq(learner_learn(one, &single), ADL_OK);
    learner_rows_clear(&single);
  }
  learner_report(stage);
  double loss = 0;
  for (int row = 0; row < ROWS; row++) {
    const double *labels = rows.columns[1]->view.data;
    loss += adl_log_loss(labels[row], (double)learner_score(stage, row)) / ROWS;
  }
  ck_assert_double_eq_tol(learner_reported(stage, "progressive/logloss", NULL, NULL), loss, 1e-6);
  learner_free(stage);
  learner_free(one);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(cutting_into_batches_does_not_matter) {
  for (int sparse = 0; sparse < 2; sparse++) {
    learner_rows rows = known_rows(NULL, sparse == 1);
    learner_stage *whole = learner_new(sgd_class(), &rows, NULL, "epochs", "4", "holdback", "0.2", NULL);
    whole->batch_rows = ROWS;
    fit(whole, &rows);
    learner_report(whole);
    for (int64_t batch_rows = 1; batch_rows < 300; batch_rows = batch_rows * 5 + 2) {
      learner_stage *cut = learner_new(sgd_class(), &rows, NULL, "epochs", "4", "holdback", "0.2", NULL);
      cut->batch_rows = batch_rows;
      fit(cut, &rows);
      learner_report(cut);
      /* The sums for scaling are added lane by lane: the last bits may differ. */
      for (int i = 0; i < WIDTH; i++)
        ck_assert_double_eq_tol(learner_value(whole, "weights", i) / learner_value(cut, "weights", i), 1, 1e-9);
      ck_assert_double_eq(learner_reported(whole, "/rows_learned", NULL, NULL),
                          learner_reported(cut, "/rows_learned", NULL, NULL));
      learner_free(cut);
    }
    learner_free(whole);
    learner_rows_clear(&rows);
  }
}
END_TEST

/* What a column is measured in changes nothing, to rounding of the float32 inputs. */
START_TEST(units_do_not_matter) {
  known made;
  known_make(&made);
  learner_rows rows = known_rows(NULL, false), other = {0};
  for (int row = 0; row < ROWS; row++) made.features[WIDTH * row + 3] = made.features[WIDTH * row + 3] * 1000 + 2000;
  learner_matrix(&other, "features", made.features, ROWS, WIDTH, false);
  learner_numbers(&other, "label", ADL_FLOAT64, made.labels, ROWS);
  learner_stage *a = learner_new(sgd_class(), &rows, NULL, NULL), *b = learner_new(sgd_class(), &other, NULL, NULL);
  fit(a, &rows);
  fit(b, &other);
  ck_assert_int_eq(learner_process(a, &rows), ADL_OK);
  ck_assert_int_eq(learner_process(b, &other), ADL_OK);
  for (int row = 0; row < ROWS; row++) ck_assert_float_eq_tol(learner_score(a, row), learner_score(b, row), 1e-4f);
  ck_assert_double_eq_tol(learner_value(a, "weights", 3) / learner_value(b, "weights", 3), 1000, 5);
  learner_free(a);
  learner_free(b);
  learner_rows_clear(&rows);
  learner_rows_clear(&other);
}
END_TEST

/* Nor do the units of the label of squared loss: predictions follow them. */
START_TEST(units_of_the_label_do_not_matter) {
  known made;
  known_make(&made);
  learner_rows rows = known_rows(made.targets, false);
  for (int row = 0; row < ROWS; row++) made.targets[row] = made.targets[row] * 1e4 - 3e5;
  learner_rows other = known_rows(made.targets, false);
  learner_stage *a = learner_new(sgd_class(), &rows, NULL, "loss", "squared", "l1", "0.001", NULL);
  learner_stage *b = learner_new(sgd_class(), &other, NULL, "loss", "squared", "l1", "10", NULL);
  fit(a, &rows);
  fit(b, &other);
  for (int i = 0; i < WIDTH; i++)
    ck_assert_double_eq_tol(learner_value(a, "weights", i) * 1e4 / learner_value(b, "weights", i), 1, 1e-6);
  ck_assert_int_eq(learner_process(b, &other), ADL_OK);
  ck_assert_double_eq_tol((double)learner_score(b, 0), made.targets[0], 2e4);
  learner_free(a);
  learner_free(b);
  learner_rows_clear(&rows);
  learner_rows_clear(&other);
}
END_TEST

START_TEST(scaling_of_wide_sparse_inputs) {
  /* Beyond 1024 dimensions: divided by the root mean square of what is not 0, and 0/1 indicators are left alone. */
  enum { WIDE = 1100, COUNT = 60 };
  float *features = g_new0(float, COUNT *WIDE);
  double labels[COUNT];
  for (int row = 0; row < COUNT; row++) {
    features[row * WIDE + 7] = 1;
    if (row % 2) features[row * WIDE + 1099] = row % 4 == 1 ? 300 : 400;
    labels[row] = row % 2 ? row % 6 != 1 : row % 6 == 0;
  }
  learner_rows rows = {0};
  learner_matrix(&rows, "features", features, COUNT, WIDE, true);
  learner_numbers(&rows, "label", ADL_BOOL, labels, COUNT);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, NULL);
  fit(stage, &rows);
  adl_tensor mean;
  ck_assert(!adl_tensors_find(stage->model.tensors, "mean", &mean));
  ck_assert_double_eq(learner_value(stage, "scale", 7), 1);
  ck_assert_double_eq(learner_value(stage, "scale", 0), 1);
  ck_assert_double_eq_tol(learner_value(stage, "scale", 1099), sqrt((300. * 300 + 400 * 400) / 2), 1e-9);
  ck_assert_double_eq(learner_value(stage, "weights", 0), 0);
  ck_assert_double_gt(learner_value(stage, "weights", 1099), .001);
  ck_assert_ptr_nonnull(strstr(learner_report(stage), "dimension|weight, standardised|weight|\nfeatures-1099|"));
  learner_free(stage);
  learner_rows_clear(&rows);
  g_free(features);
}
END_TEST

/* Narrow sparse inputs are standardised like dense ones, the same to rounding. */
START_TEST(narrow_sparse_inputs_are_standardised) {
  learner_rows dense = known_rows(NULL, false), sparse = known_rows(NULL, true);
  learner_stage *a = learner_new(sgd_class(), &dense, NULL, NULL), *b = learner_new(sgd_class(), &sparse, NULL, NULL);
  fit(a, &dense);
  fit(b, &sparse);
  for (int i = 0; i < WIDTH; i++)
    ck_assert_double_eq_tol(learner_value(a, "weights", i) / learner_value(b, "weights", i), 1, 1e-9);
  learner_free(a);
  learner_free(b);
  learner_rows_clear(&dense);
  learner_rows_clear(&sparse);
}
END_TEST

/* The weights kept are those of the pass whose watched loss was lowest, and held-back rows were not learned from. */
START_TEST(early_stopping) {
  learner_rows rows = known_rows(NULL, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "holdback", "0.3", "average", "false", "patience", "4",
                                     "learning_rate", "0.5", NULL);
  fit(stage, &rows);
  learner_report(stage);
  double passes = learner_reported(stage, "/passes", NULL, NULL),
         best = learner_reported(stage, "/best_pass", NULL, NULL);
  double learned = learner_reported(stage, "/rows_learned", NULL, NULL), lowest = INFINITY;
  ck_assert_double_ge(passes, best);
  ck_assert_double_lt(passes, 50);
  ck_assert(learned > .6 * ROWS && learned < .8 * ROWS);
  for (int64_t i = 0; i < (int64_t)passes; i++) lowest = fmin(lowest, learner_value(stage, "history", 3 * i + 2));
  ck_assert_double_eq(learner_reported(stage, "held-back/logloss", NULL, NULL), lowest);
  ck_assert_double_eq(learner_value(stage, "history", 3 * ((int64_t)best - 1) + 2), lowest);
  /* The losses of that pass are those of the weights that were kept. */
  double loss = 0, held = ROWS - learned;
  ck_assert_int_eq(learner_process(stage, &rows), ADL_OK);
  const double *labels = rows.columns[1]->view.data;
  for (int row = 0; row < ROWS; row++) loss += adl_log_loss(labels[row], (double)learner_score(stage, row));
  double kept = learner_reported(stage, "in-sample/logloss", NULL, NULL) * learned + lowest * held;
  ck_assert_double_eq_tol(loss / ROWS, kept / ROWS, 1e-6);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* Whatever the labels of the held-back rows are, the weights of a pass are the same. */
START_TEST(held_back_rows_are_not_learned_from) {
  known made;
  known_make(&made);
  uint64_t key = learner_random_key("holdback");
  learner_rows rows = known_rows(made.labels, false);
  int held = 0;
  for (int row = 0; row < ROWS; row++)
    if (adl_random_unit(key, (uint64_t)row) < .2) {
      made.labels[row] = 1 - made.labels[row];
      held++;
    }
  ck_assert_int_gt(held, ROWS / 8);
  learner_rows other = known_rows(made.labels, false);
  learner_stage *a = learner_new(sgd_class(), &rows, NULL, "holdback", "0.2", "epochs", "1", NULL);
  learner_stage *b = learner_new(sgd_class(), &other, NULL, "holdback", "0.2", "epochs", "1", NULL);
  fit(a, &rows);
  fit(b, &other);
  for (int i = 0; i < WIDTH; i++) ck_assert_double_eq(learner_value(a, "weights", i), learner_value(b, "weights", i));
  ck_assert_double_eq(learner_value(a, "bias", 0), learner_value(b, "bias", 0));
  ck_assert_double_lt(learner_value(a, "history", 2), learner_value(b, "history", 2));
  learner_free(a);
  learner_free(b);
  learner_rows_clear(&rows);
  learner_rows_clear(&other);
}
END_TEST

/* Stopped after one pass, continued for one: what is kept goes on, and does not begin again. */
START_TEST(a_warm_start_goes_on) {
  learner_rows rows = known_rows(NULL, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "epochs", "1", NULL);
  fit(stage, &rows);
  learner_report(stage);
  double first = learner_reported(stage, "in-sample/objective", NULL, NULL);
  for (int i = 0; i < 30; i++) fit(stage, &rows);
  learner_report(stage);
  double later = learner_reported(stage, "in-sample/objective", NULL, NULL);
  ck_assert_double_lt(later, first - 1e-4);
  ck_assert_double_eq_tol(later, .5436, .004);
  /* And online, on standardised inputs, from weights that are good already. */
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  ck_assert_int_eq(learner_learn(stage, &rows), ADL_OK);
  learner_report(stage);
  ck_assert_double_eq_tol(learner_reported(stage, "progressive/logloss", NULL, NULL), .543, .01);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(without_a_constant) {
  learner_rows rows = known_rows(NULL, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "bias", "false", "standardise", "scale", NULL);
  fit(stage, &rows);
  ck_assert_double_eq(learner_value(stage, "bias", 0), 0);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* Rows of whole weights, and the same rows so many times over. */
static int repeated_rows(learner_rows *weighted, learner_rows *repeated) {
  enum { COUNT = 40 };
  float features[COUNT], more[3 * COUNT];
  double labels[COUNT], weights[COUNT], more_labels[3 * COUNT];
  int copies = 0;
  for (int row = 0; row < COUNT; row++) {
    features[row] = (float)adl_random_unit(5, (uint64_t)row) - .5f;
    labels[row] = adl_random_unit(6, (uint64_t)row) < .5 + features[row] / 2;
    weights[row] = row % 4;
    for (int c = 0; c < row % 4; c++, copies++) more[copies] = features[row], more_labels[copies] = labels[row];
  }
  learner_matrix(weighted, "features", features, COUNT, 1, false);
  learner_numbers(weighted, "label", ADL_FLOAT64, labels, COUNT);
  learner_numbers(weighted, "weight", ADL_FLOAT32, weights, COUNT);
  learner_matrix(repeated, "features", more, copies, 1, false);
  learner_numbers(repeated, "label", ADL_FLOAT64, more_labels, copies);
  return copies;
}

/* A row of weight 3 is three rows: the optimum is the same, with a penalty as much smaller as there are more rows. Of the
 * 40 rows 30 have a weight above 0, and there are 60 of them. */
START_TEST(weights_of_rows) {
  static const char *const penalties[][2] = {{"0", "0"}, {"0.04", "0.02"}};
  static const double optimum[][2] = {{-1.6169544720461875, -.031774050579684104}, /* by Newton's method, in numpy */
                                      {-.7621229615915686, -.014927518869190616}};
  for (int p = 0; p < 2; p++) {
    learner_rows rows[2] = {{0}, {0}};
    learner_stage *stages[2];
    ck_assert_int_eq(repeated_rows(&rows[0], &rows[1]), 60);
    for (int k = 0; k < 2; k++) {
      stages[k] = learner_new(sgd_class(), &rows[k], NULL, "l2", penalties[p][k], "epochs", "600", "tolerance", "0",
                              "patience", "600", "standardise", "none", "learning_rate", "1", NULL);
      fit(stages[k], &rows[k]);
    }
    ck_assert_double_eq_tol(learner_value(stages[0], "weights", 0), learner_value(stages[1], "weights", 0), .005);
    ck_assert_double_eq_tol(learner_value(stages[0], "bias", 0), learner_value(stages[1], "bias", 0), .005);
    for (int k = 0; k < 2; k++) {
      ck_assert_double_eq_tol(learner_value(stages[k], "weights", 0), optimum[p][0], .01);
      ck_assert_double_eq_tol(learner_value(stages[k], "bias", 0), optimum[p][1], .01);
      learner_free(stages[k]);
      learner_rows_clear(&rows[k]);
    }
  }
}
END_TEST

/* Rows of weight 0 leave no trace: neither in the scaling, nor in the steps, nor in what is reported. */
START_TEST(rows_of_weight_0) {
  enum { COUNT = 60 };
  float features[2 * COUNT], kept[COUNT];
  double labels[2 * COUNT], weights[2 * COUNT], kept_labels[COUNT];
  for (int row = 0; row < 2 * COUNT; row++) {
    weights[row] = row % 2;
    features[row] = (float)adl_random_unit(5, (uint64_t)row) * (row % 2 ? 1 : 1000);
    labels[row] = adl_random_unit(6, (uint64_t)row) < features[row];
    if (row % 2) kept[row / 2] = features[row], kept_labels[row / 2] = labels[row];
  }
  learner_rows rows = {0}, fewer = {0};
  learner_matrix(&rows, "features", features, 2 * COUNT, 1, false);
  learner_numbers(&rows, "label", ADL_BOOL, labels, 2 * COUNT);
  learner_numbers(&rows, "weight", ADL_BOOL, weights, 2 * COUNT);
  learner_matrix(&fewer, "features", kept, COUNT, 1, false);
  learner_numbers(&fewer, "label", ADL_BOOL, kept_labels, COUNT);
  for (int online = 0; online < 2; online++) {
    learner_stage *all = learner_new(sgd_class(), &rows, NULL, "l2", "0.01", "method", "momentum", NULL);
    learner_stage *some = learner_new(sgd_class(), &fewer, NULL, "l2", "0.01", "method", "momentum", NULL);
    all->lanes = some->lanes = 1;
    if (online) {
      ck_assert(learner_init(all) == ADL_OK && learner_learn(all, &rows) == ADL_OK);
      ck_assert(learner_init(some) == ADL_OK && learner_learn(some, &fewer) == ADL_OK);
    } else {
      fit(all, &rows);
      fit(some, &fewer);
    }
    ck_assert_double_eq(learner_value(all, "weights", 0), learner_value(some, "weights", 0));
    ck_assert_double_eq(learner_value(all, "bias", 0), learner_value(some, "bias", 0));
    ck_assert_double_gt(fabs(learner_value(all, "weights", 0)), .1);
    if (!online) ck_assert_double_eq(learner_value(all, "scale", 0), learner_value(some, "scale", 0));
    ck_assert_int_eq(g_hash_table_size(all->rejected), 0);
    learner_free(all);
    learner_free(some);
  }
  learner_rows_clear(&rows);
  learner_rows_clear(&fewer);
}
END_TEST

/* ---- odd rows and settings ---- */

START_TEST(dimensions_that_never_change) {
  float features[200];
  double labels[100];
  for (int row = 0; row < 100; row++) {
    features[2 * row] = .1f;
    features[2 * row + 1] = (float)(row % 7);
    labels[row] = row % 3 == 0;
  }
  learner_rows rows = {0};
  learner_matrix(&rows, "features", features, 100, 2, false);
  learner_numbers(&rows, "label", ADL_BOOL, labels, 100);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, NULL);
  fit(stage, &rows);
  ck_assert_double_eq_tol(learner_value(stage, "weights", 0), 0, 1e-6);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(one_class) {
  float features[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  double labels[9] = {0};
  learner_rows rows = {0};
  learner_matrix(&rows, "features", features, 9, 1, false);
  learner_numbers(&rows, "label", ADL_BOOL, labels, 9);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, NULL);
  ck_assert_int_eq(learner_fit(stage, &rows), ADL_OK);
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "all 9 training labels are 0"));
  ck_assert_int_eq(learner_process(stage, &rows), ADL_OK);
  for (int row = 0; row < 9; row++) ck_assert_float_eq_tol(learner_score(stage, row), .05f, 1e-6f); /* .5 in 10 */
  ck_assert_ptr_nonnull(strstr(learner_report(stage), "warning=all training labels are the same"));
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(rows_without_a_usable_label) {
  float features[4] = {1, 2, 3, 4};
  double labels[4] = {NAN, 0, 1, 1.5};
  learner_rows rows = {0}, bad;
  learner_matrix(&rows, "features", features, 4, 1, false);
  learner_numbers(&rows, "label", ADL_FLOAT64, labels, 4);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, NULL);
  ck_assert_int_eq(learner_fit(stage, &rows), ADL_OK);
  ck_assert_int_eq(g_hash_table_size(stage->rejected), 2);
  ck_assert_str_eq(g_hash_table_lookup(stage->rejected, GSIZE_TO_POINTER(4)),
                   "label: label 1.5 is not in [0, 1], which logistic loss needs");
  learner_free(stage);
  bad = learner_slice(&rows, 3, 1);
  stage = learner_new(sgd_class(), &bad, NULL, NULL);
  ck_assert_int_eq(learner_fit(stage, &bad), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "stage: there are no training rows with a usable label\n");
  learner_free(stage);
  learner_rows_clear(&bad);
  bad = learner_slice(&rows, 0, 0);
  stage = learner_new(sgd_class(), &bad, NULL, NULL);
  ck_assert_int_eq(learner_fit(stage, &bad), ADL_FAILED);
  learner_free(stage);
  learner_rows_clear(&bad);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(too_few_rows_to_hold_any_back) {
  learner_rows rows = known_rows(NULL, false), two = learner_slice(&rows, 0, 2);
  double labels[2] = {0, 1};
  adl_array_unref(two.columns[1]);
  two.count = 1;
  learner_numbers(&two, "label", ADL_BOOL, labels, 2);
  learner_stage *stage = learner_new(sgd_class(), &two, NULL, "holdback", "0.0001", NULL);
  ck_assert_int_eq(learner_fit(stage, &two), ADL_OK);
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "of 2 training rows none was held back"));
  learner_free(stage);
  learner_rows_clear(&two);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(a_rate_that_is_too_large) {
  known made;
  known_make(&made);
  learner_rows rows = known_rows(NULL, false), linear = known_rows(made.targets, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "method", "plain", "learning_rate", "500", NULL);
  ck_assert_int_eq(learner_fit(stage, &rows), ADL_OK);
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "is above that of a constant"));
  learner_free(stage);
  stage = learner_new(sgd_class(), &linear, NULL, "method", "plain", "loss", "squared", "learning_rate", "500", NULL);
  ck_assert_int_eq(learner_fit(stage, &linear), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "learning_rate: the weights have grown without bound in pass 1\n");
  learner_free(stage);
  learner_rows_clear(&rows);
  learner_rows_clear(&linear);
}
END_TEST

START_TEST(online_cannot_standardise) {
  learner_rows rows = known_rows(NULL, false);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, "standardise", "full", NULL);
  ck_assert_int_eq(learner_init(stage), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(stage->failed->str, "standardise: online learning makes no first pass"));
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(a_model_of_other_features_is_refused) {
  learner_rows rows = known_rows(NULL, false), narrow = {0};
  float feature = 1;
  double label = 1;
  learner_matrix(&narrow, "features", &feature, 1, 1, false);
  learner_numbers(&narrow, "label", ADL_BOOL, &label, 1);
  learner_stage *stage = learner_new(sgd_class(), &rows, NULL, NULL),
                *other = learner_new(sgd_class(), &narrow, NULL, NULL);
  fit(stage, &rows);
  adl_tensors *own = other->model.tensors;
  other->model.tensors = stage->model.tensors;
  ck_assert_int_eq(learner_process(other, &narrow), ADL_FAILED);
  ck_assert_str_eq(other->failed->str, "features: the model has 4 dimensions, the features have 1\n");
  ck_assert_int_eq(learner_fit(other, &narrow), ADL_FAILED);
  ck_assert_int_eq(learner_init(other), ADL_FAILED);
  other->model.tensors = own;
  learner_free(stage);
  learner_free(other);
  learner_rows_clear(&rows);
  learner_rows_clear(&narrow);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sgd");
  TCase *answers = tcase_create("known answers"), *steps = tcase_create("steps");
  TCase *behaviour = tcase_create("behaviour"), *odd = tcase_create("odd cases");
  tcase_set_timeout(answers, 60);
  tcase_add_test(answers, logistic_regression);
  tcase_add_test(answers, ridge_regression);
  tcase_add_test(answers, lasso);
  tcase_add_test(answers, liblinear);
  tcase_add_test(steps, steps_are_as_defined);
  tcase_add_test(steps, steps_to_the_bit);
  tcase_add_test(steps, online_batches_hardly_matter);
  tcase_add_test(steps, momentum_of_sparse_rows);
  tcase_add_test(steps, later_weights_count_more);
  tcase_add_test(steps, the_rate_falls_as_decay_says);
  tcase_add_test(behaviour, online_scores_come_before_learning);
  tcase_add_test(behaviour, cutting_into_batches_does_not_matter);
  tcase_add_test(behaviour, units_do_not_matter);
  tcase_add_test(behaviour, units_of_the_label_do_not_matter);
  tcase_add_test(behaviour, scaling_of_wide_sparse_inputs);
  tcase_add_test(behaviour, narrow_sparse_inputs_are_standardised);
  tcase_add_test(behaviour, early_stopping);
  tcase_add_test(behaviour, held_back_rows_are_not_learned_from);
  tcase_add_test(behaviour, a_warm_start_goes_on);
  tcase_add_test(behaviour, without_a_constant);
  tcase_add_test(behaviour, weights_of_rows);
  tcase_add_test(behaviour, rows_of_weight_0);
  tcase_add_test(odd, dimensions_that_never_change);
  tcase_add_test(odd, one_class);
  tcase_add_test(odd, rows_without_a_usable_label);
  tcase_add_test(odd, too_few_rows_to_hold_any_back);
  tcase_add_test(odd, a_rate_that_is_too_large);
  tcase_add_test(odd, online_cannot_standardise);
  tcase_add_test(odd, a_model_of_other_features_is_refused);
  suite_add_tcase(suite, answers);
  suite_add_tcase(suite, steps);
  suite_add_tcase(suite, behaviour);
  suite_add_tcase(suite, odd);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
