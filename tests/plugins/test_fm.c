/* fm: its prediction against the double loop over pairs, its steps against gradients by finite differences, that it finds
 * a planted model, and that batches, vector instructions and odd rows do what the manual says. Threads and files:
 * test_factors. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/plugins/learner_host.h"

extern const adl_plugin *adl_entry_fm(const adl_host *host);

static const adl_class *fm_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return adl_entry_fm(&host)->classes[0];
}

enum { ROWS = 400, WIDTH = 12, QUAD = 8 };

/* Rows of a few entries each, now and then none; the second half of a label follows from a product of two of them. */
static void make(float *features, double *labels, int rows) {
  memset(features, 0, sizeof *features * (size_t)rows * WIDTH);
  for (int row = 0; row < rows; row++) {
    double margin = -.3;
    float *x = features + row * WIDTH;
    for (int i = 0; i < WIDTH; i++)
      if (adl_random_unit(11, (uint64_t)(row * WIDTH + i)) < .35)
        x[i] = (float)(adl_random_unit(12, (uint64_t)(row * WIDTH + i)) * 2 - .5);
    for (int i = 0; i + 1 < WIDTH; i += 2) margin += 4 * (double)x[i] * (double)x[i + 1] * (i % 4 == 0 ? 1 : -1);
    labels[row] = adl_random_unit(13, (uint64_t)row) < 1 / (1 + exp(-margin));
  }
}

static learner_rows rows_of(int rows, bool sparse, const double *weights) {
  float *features = g_new(float, rows *WIDTH);
  double *labels = g_new(double, rows);
  make(features, labels, rows);
  learner_rows made = {0};
  learner_matrix(&made, "features", features, rows, WIDTH, sparse);
  learner_numbers(&made, "label", ADL_FLOAT64, labels, rows);
  if (weights != NULL) learner_numbers(&made, "weight", ADL_FLOAT64, weights, rows);
  g_free(features);
  g_free(labels);
  return made;
}

static float *floats(const learner_stage *stage, const char *name) {
  adl_tensor tensor;
  ck_assert(adl_tensors_find(stage->model.tensors, name, &tensor));
  ck_assert_int_eq(tensor.element, ADL_FLOAT32);
  return tensor.data;
}

/* What the model holds, in float64: constant, linear weights, factors. */
typedef struct theta {
  double bias, w[WIDTH], v[WIDTH][12];
} theta;

static theta theta_of(const learner_stage *stage, int factors) {
  theta made = {.bias = learner_value(stage, "bias", 0)};
  const float *linear = floats(stage, "linear"), *quads = floats(stage, "factors");
  for (int i = 0; i < WIDTH; i++) {
    made.w[i] = (double)linear[2 * i];
    for (int f = 0; f < factors; f++) made.v[i][f] = (double)quads[((f / 4) * WIDTH + i) * QUAD + f % 4];
  }
  return made;
}

/* Rendle's equation 1: every pair. */
static double margin_of(const theta *at, const float *x, int factors, bool normalise) {
  double sum = at->bias, squares = 0;
  for (int i = 0; i < WIDTH; i++) squares += (double)x[i] * (double)x[i];
  double scale = normalise && squares > 0 ? 1 / sqrt(squares) : 1;
  for (int i = 0; i < WIDTH; i++) {
    sum += at->w[i] * (double)x[i] * scale;
    for (int j = i + 1; j < WIDTH; j++)
      for (int f = 0; f < factors; f++) sum += at->v[i][f] * at->v[j][f] * (double)x[i] * (double)x[j] * scale * scale;
  }
  return sum;
}

static double logistic(double margin) { return 1 / (1 + exp(-margin)); }

static void fit(learner_stage *stage, const learner_rows *rows) {
  ck_assert_msg(learner_fit(stage, rows) == ADL_OK, "%s", stage->failed->str);
}

START_TEST(predictions_are_the_double_loop) {
  static const char *const factors[] = {"1", "4", "8", "11"};
  for (int f = 0; f < 4; f++)
    for (int variant = 0; variant < 4; variant++) {
      bool sparse = variant & 1, normalise = variant & 2;
      learner_rows rows = rows_of(ROWS, sparse, NULL);
      learner_stage *stage = learner_new(fm_class(), &rows, NULL, "factors", factors[f], "normalise",
                                         normalise ? "true" : "false", "epochs", "3", "holdback", "0", NULL);
      fit(stage, &rows);
      ck_assert_int_eq(learner_process(stage, &rows), ADL_OK);
      float features[ROWS * WIDTH];
      double labels[ROWS];
      make(features, labels, ROWS);
      theta model = theta_of(stage, atoi(factors[f]));
      for (int row = 0; row < ROWS; row++)
        ck_assert_double_eq_tol((double)learner_score(stage, row),
                                logistic(margin_of(&model, features + row * WIDTH, atoi(factors[f]), normalise)), 2e-6);
      learner_free(stage);
      learner_rows_clear(&rows);
    }
}
END_TEST

/* Loss of one row with its penalties, as a function of one coordinate. */
typedef struct objective {
  theta at;
  const float *x;
  double label, weight, l2;
  int factors;
  bool squared, normalise;
} objective;

static double loss_at(objective *of, double *coordinate, double value) {
  double before = *coordinate;
  *coordinate = value;
  double margin = margin_of(&of->at, of->x, of->factors, of->normalise);
  double penalty = coordinate == &of->at.bias ? 0 : .5 * of->l2 * value * value;
  *coordinate = before;
  double loss =
      of->squared ? .5 * (margin - of->label) * (margin - of->label) : log1p(exp(margin)) - of->label * margin;
  return of->weight * loss + penalty;
}

static double gradient_of(objective *of, double *coordinate) {
  const double h = 1e-5;
  return (loss_at(of, coordinate, *coordinate + h) - loss_at(of, coordinate, *coordinate - h)) / (2 * h);
}

/* One more row is learned; every coordinate must have moved by rate x gradient / root of the summed squares. */
static void check_steps(bool squared, bool normalise, const char *l2) {
  const int factors = 6;
  const double rate = .3, weights[ROWS] = {[ROWS - 1] = 1.7};
  double ones[ROWS];
  for (int i = 0; i < ROWS; i++) ones[i] = i == ROWS - 1 ? weights[i] : 1;
  float features[ROWS * WIDTH];
  double labels[ROWS];
  make(features, labels, ROWS);
  learner_rows rows = rows_of(ROWS, true, ones), last = {0};
  learner_stage *stage =
      learner_new(fm_class(), &rows, NULL, "factors", "6", "learning_rate", "0.3", "l2", l2, "normalise",
                  normalise ? "true" : "false", "loss", squared ? "squared" : "logistic", NULL);
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  last = learner_slice(&rows, 0, ROWS - 1);
  ck_assert_int_eq(learner_learn(stage, &last), ADL_OK);
  learner_rows_clear(&last);
  objective of = {theta_of(stage, factors),
                  features + (ROWS - 1) * WIDTH,
                  labels[ROWS - 1],
                  weights[ROWS - 1],
                  strtod(l2, NULL),
                  factors,
                  squared,
                  normalise};
  float *linear_before = g_memdup2(floats(stage, "linear"), sizeof(float) * 2 * WIDTH);
  float *quads_before = g_memdup2(floats(stage, "factors"), sizeof(float) * 2 * WIDTH * QUAD);
  double bias_sum = learner_value(stage, "bias", 1);
  last = learner_slice(&rows, ROWS - 1, 1);
  ck_assert_int_eq(learner_learn(stage, &last), ADL_OK);
  theta after = theta_of(stage, factors);
  double g = gradient_of(&of, &of.at.bias), moved = 0;
  ck_assert_double_eq_tol(after.bias - of.at.bias, -rate * g / sqrt(1 + bias_sum + g * g), 2e-6);
  for (int i = 0; i < WIDTH; i++) {
    bool there = of.x[i] != 0;
    g = there ? gradient_of(&of, &of.at.w[i]) : 0;
    double step = -rate * g / sqrt(1 + (double)linear_before[2 * i + 1] + g * g);
    ck_assert_double_eq_tol(after.w[i] - of.at.w[i], step, 3e-6);
    for (int f = 0; f < factors; f++) {
      g = there ? gradient_of(&of, &of.at.v[i][f]) : 0;
      double sum = (double)quads_before[((f / 4) * WIDTH + i) * QUAD + 4 + f % 4];
      step = -rate * g / sqrt(sum + g * g);
      ck_assert_double_eq_tol(after.v[i][f] - of.at.v[i][f], there ? step : 0, 3e-6);
      moved += fabs(step);
    }
  }
  ck_assert_double_gt(moved, 1e-3);
  g_free(linear_before);
  g_free(quads_before);
  learner_rows_clear(&last);
  learner_free(stage);
  learner_rows_clear(&rows);
}

START_TEST(steps_follow_the_gradient) {
  check_steps(false, false, "0");
  check_steps(false, true, "0.01");
  check_steps(true, false, "0.01");
  check_steps(true, true, "0");
}
END_TEST

/* The labels follow from products alone: a linear model has no better than a constant. */
START_TEST(products_are_found) {
  enum { MANY = 6000 };
  learner_rows rows = rows_of(MANY, true, NULL);
  learner_rows train = learner_slice(&rows, 0, 5000), test = learner_slice(&rows, 5000, 1000);
  learner_stage *stage = learner_new(fm_class(), &train, NULL, "normalise", "false", "epochs", "30", NULL);
  fit(stage, &train);
  ck_assert_int_eq(learner_process(stage, &test), ADL_OK);
  float *features = g_new(float, MANY *WIDTH);
  double *labels = g_new(double, MANY), loss = 0, best = 0, constant = 0;
  make(features, labels, MANY);
  for (int row = 5000; row < MANY; row++) {
    const float *x = features + row * WIDTH;
    double margin = -.3, p = (double)learner_score(stage, row - 5000);
    for (int i = 0; i + 1 < WIDTH; i += 2) margin += 4 * (double)x[i] * (double)x[i + 1] * (i % 4 == 0 ? 1 : -1);
    loss -= log(labels[row] > 0 ? p : 1 - p) / 1000;
    best -= log(labels[row] > 0 ? logistic(margin) : 1 - logistic(margin)) / 1000;
    constant -= log(labels[row] > 0 ? .47 : .53) / 1000;
  }
  ck_assert_msg(loss < best + .03 && best < constant - .1, "%g, possible %g, constant %g", loss, best, constant);
  g_free(features);
  g_free(labels);
  learner_free(stage);
  learner_rows_clear(&train);
  learner_rows_clear(&test);
  learner_rows_clear(&rows);
}
END_TEST

static learner_stage *fitted(const learner_rows *rows, int64_t batch_rows, const char *block, const char *simd) {
  learner_stage *stage = learner_new(fm_class(), rows, NULL, "block", block, "epochs", "3", "holdback", "0", NULL);
  stage->batch_rows = batch_rows;
  if (simd != NULL) setenv("ADLOOM_SIMD", simd, 1);
  fit(stage, rows);
  ck_assert_int_eq(learner_process(stage, rows), ADL_OK);
  unsetenv("ADLOOM_SIMD");
  return stage;
}

/* Blocks go on over the ends of batches. */
START_TEST(cutting_into_batches_does_not_matter) {
  static const char *const blocks[] = {"1", "16", "64", "1000"};
  for (int b = 0; b < 4; b++)
    for (int sparse = 0; sparse < 2; sparse++) {
      learner_rows rows = rows_of(ROWS, sparse, NULL);
      learner_stage *whole = fitted(&rows, ROWS, blocks[b], NULL), *cut = fitted(&rows, 7, blocks[b], NULL);
      learner_stage *single = fitted(&rows, 1, blocks[b], NULL);
      ck_assert(learner_same_model(whole, cut));
      ck_assert(learner_same_model(whole, single));
      learner_free(whole);
      learner_free(cut);
      learner_free(single);
      learner_rows_clear(&rows);
    }
}
END_TEST

START_TEST(vector_instructions_give_the_same_bits) {
  learner_rows rows = rows_of(ROWS, true, NULL);
  learner_stage *portable = fitted(&rows, 64, "16", "portable"), *fast = fitted(&rows, 64, "16", NULL);
  ck_assert(learner_same_model(portable, fast));
  for (int row = 0; row < ROWS; row++) ck_assert(learner_score(portable, row) == learner_score(fast, row));
  learner_free(portable);
  learner_free(fast);
  learner_rows_clear(&rows);
}
END_TEST

/* Dense and sparse rows are the same rows. */
START_TEST(dense_or_sparse) {
  learner_rows dense = rows_of(ROWS, false, NULL), sparse = rows_of(ROWS, true, NULL);
  learner_stage *a = fitted(&dense, 64, "16", NULL), *b = fitted(&sparse, 64, "16", NULL);
  ck_assert(learner_same_model(a, b));
  learner_free(a);
  learner_free(b);
  learner_rows_clear(&dense);
  learner_rows_clear(&sparse);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fm");
  TCase *answers = tcase_create("known answers"), *behaviour = tcase_create("behaviour");
  tcase_set_timeout(answers, 60);
  tcase_add_test(answers, predictions_are_the_double_loop);
  tcase_add_test(answers, steps_follow_the_gradient);
  tcase_add_test(answers, products_are_found);
  tcase_add_test(behaviour, cutting_into_batches_does_not_matter);
  tcase_add_test(behaviour, vector_instructions_give_the_same_bits);
  tcase_add_test(behaviour, dense_or_sparse);
  suite_add_tcase(suite, answers);
  suite_add_tcase(suite, behaviour);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
