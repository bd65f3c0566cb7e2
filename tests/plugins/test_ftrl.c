/* ftrl: the worked trace of Algorithm 1, parity with Vowpal Wabbit, and that cutting, resuming and odd rows do what the
 * manual says. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/plugins/learner_host.h"

extern const adl_plugin *adl_entry_ftrl(const adl_host *host);

static const adl_class *ftrl_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return adl_entry_ftrl(&host)->classes[0];
}

/* What is kept of a dimension, as "coordinates.layout" says. */
typedef struct record {
  float w, z;
  double n;
} record;

static const record *records_of(const learner_stage *stage) {
  adl_tensor tensor;
  ck_assert(adl_tensors_find(stage->model.tensors, "coordinates", &tensor));
  ck_assert_int_eq(tensor.size[1], sizeof(record));
  return tensor.data;
}

static void close_to(double value, double wanted, double relative) {
  ck_assert_double_le(fabs(value - wanted), relative * fabs(wanted));
}

/* ---- the trace: scores made before each update, weights and logloss after five rows ---- */

static const float trace_features[] = {1, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 2, 1, 1, 0};
static const double trace_labels[] = {1, 0, 1, 0, 0};
static const double trace_scores[] = {.5, .508332562, .509246965, .490641357, .516883929};
static const double trace_weights[] = {-.01899686518, .03455954589, -.08031544629};

static learner_rows trace_rows(bool sparse) {
  learner_rows rows = {0};
  learner_matrix(&rows, "features", trace_features, 5, 3, sparse);
  learner_numbers(&rows, "label", ADL_BOOL, trace_labels, 5);
  return rows;
}

static void check_trace(bool sparse, int64_t batch_rows) {
  learner_rows rows = trace_rows(sparse);
  learner_stage *stage = learner_new(ftrl_class(), &rows, NULL, "bias", "false", NULL);
  stage->batch_rows = batch_rows;
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  ck_assert_int_eq(learner_learn(stage, &rows), ADL_OK);
  for (int i = 0; i < 5; i++) close_to(learner_score(stage, i), trace_scores[i], 1e-6);
  for (int i = 0; i < 3; i++) close_to(records_of(stage)[i].w, trace_weights[i], 1e-6);
  learner_report(stage);
  close_to(learner_reported(stage, "progressive/logloss", NULL, NULL), .6960046687, 1e-8);
  ck_assert_double_eq(learner_reported(stage, "/nonzero_weights", NULL, NULL), 3);
  learner_free(stage);
  learner_rows_clear(&rows);
}

START_TEST(worked_trace) {
  for (int64_t batch_rows = 1; batch_rows <= 5; batch_rows++) {
    check_trace(false, batch_rows);
    check_trace(true, batch_rows);
  }
}
END_TEST

/* The class says what it keeps, so that other programs can read it. */
START_TEST(layout) {
  learner_rows rows = trace_rows(true);
  learner_stage *stage = learner_new(ftrl_class(), &rows, NULL, NULL);
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  adl_tensor tensor;
  ck_assert(adl_tensors_find(stage->model.tensors, "coordinates.layout", &tensor));
  ck_assert_int_eq(tensor.count, 17);
  ck_assert_mem_eq(tensor.data, "w:f32,z:f32,n:f64", 17);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* ---- random rows ---- */

enum { ROWS = 600, WIDTH = 12 };

/* Rows of few non-zero values, labels that follow two of the dimensions. */
static learner_rows random_rows(bool sparse) {
  static float features[ROWS * WIDTH];
  double labels[ROWS];
  for (int row = 0; row < ROWS; row++) {
    for (int i = 0; i < WIDTH; i++) {
      double unit = adl_random_unit(1, (uint64_t)(row * WIDTH + i));
      features[row * WIDTH + i] = unit < .7 ? 0 : (float)(unit * 2);
    }
    double margin = features[row * WIDTH] - 2 * features[row * WIDTH + 1] - .5;
    labels[row] = adl_random_unit(2, (uint64_t)row) < 1 / (1 + exp(-margin));
  }
  learner_rows rows = {0};
  learner_matrix(&rows, "features", features, ROWS, WIDTH, sparse);
  learner_numbers(&rows, "label", ADL_FLOAT32, labels, ROWS);
  return rows;
}

static learner_stage *fitted(const learner_rows *rows, int64_t batch_rows, const char *name, const char *value) {
  learner_stage *stage = learner_new(ftrl_class(), rows, NULL, name, value, NULL);
  stage->batch_rows = batch_rows;
  ck_assert_msg(learner_fit(stage, rows) == ADL_OK, "%s", stage->failed->str);
  return stage;
}

START_TEST(cutting_into_batches_does_not_matter) {
  learner_rows rows = random_rows(true);
  learner_stage *whole = fitted(&rows, ROWS, "epochs", "3");
  for (int64_t batch_rows = 1; batch_rows < 200; batch_rows = batch_rows * 3 + 1) {
    learner_stage *cut = fitted(&rows, batch_rows, "epochs", "3");
    ck_assert(learner_same_model(whole, cut));
    learner_free(cut);
  }
  learner_free(whole);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(one_pass_of_fit_is_learn) {
  learner_rows rows = random_rows(true);
  learner_stage *fit = fitted(&rows, 50, "epochs", "1");
  learner_stage *online = learner_new(ftrl_class(), &rows, NULL, NULL);
  ck_assert_int_eq(learner_init(online), ADL_OK);
  ck_assert_int_eq(learner_learn(online, &rows), ADL_OK);
  ck_assert_mem_eq(records_of(fit), records_of(online), WIDTH * sizeof(record));
  ck_assert_double_eq(learner_value(fit, "bias", 0), learner_value(online, "bias", 0));
  learner_free(fit);
  learner_free(online);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(vectors_and_sparse_rows_are_the_same) {
  learner_rows dense = random_rows(false), sparse = random_rows(true);
  learner_stage *a = fitted(&dense, 64, "epochs", "2"), *b = fitted(&sparse, 64, "epochs", "2");
  ck_assert_mem_eq(records_of(a), records_of(b), WIDTH * sizeof(record));
  ck_assert_int_eq(learner_process(a, &dense), ADL_OK);
  ck_assert_int_eq(learner_process(b, &sparse), ADL_OK);
  for (int row = 0; row < ROWS; row++) ck_assert_float_eq(learner_score(a, row), learner_score(b, row));
  learner_free(a);
  learner_free(b);
  learner_rows_clear(&dense);
  learner_rows_clear(&sparse);
}
END_TEST

START_TEST(a_warm_start_goes_on) {
  learner_rows rows = random_rows(true), first = learner_slice(&rows, 0, 250), rest = learner_slice(&rows, 250, 350);
  learner_stage *whole = fitted(&rows, 64, "alpha", "0.2"), *halves = fitted(&first, 64, "alpha", "0.2");
  ck_assert_int_eq(learner_fit(halves, &rest), ADL_OK);
  ck_assert_mem_eq(records_of(whole), records_of(halves), WIDTH * sizeof(record));
  learner_report(halves);
  ck_assert_double_eq(learner_reported(halves, "/rows_learned", NULL, NULL), 350);
  /* Online from there: an account of its own again. */
  ck_assert_int_eq(learner_learn(halves, &first), ADL_OK);
  learner_report(halves);
  ck_assert_double_eq(learner_reported(halves, "/rows_learned", NULL, NULL), 250);
  learner_free(whole);
  learner_free(halves);
  learner_rows_clear(&rows);
  learner_rows_clear(&first);
  learner_rows_clear(&rest);
}
END_TEST

START_TEST(scoring_leaves_the_model_alone) {
  learner_rows rows = random_rows(true);
  learner_stage *stage = fitted(&rows, 64, "epochs", "1"), *other = fitted(&rows, 64, "epochs", "1");
  ck_assert_int_eq(learner_process(stage, &rows), ADL_OK);
  ck_assert(learner_same_model(stage, other));
  learner_free(stage);
  learner_free(other);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(it_learns) {
  learner_rows rows = random_rows(true);
  learner_stage *stage = fitted(&rows, 64, "epochs", "5");
  learner_report(stage);
  double first = learner_reported(stage, "progressive/logloss", NULL, NULL);
  double last = learner_reported(stage, "in-sample/logloss", NULL, NULL);
  ck_assert_double_lt(last, first);
  ck_assert_double_lt(last, .62); /* the best constant has .68 */
  ck_assert_float_gt(records_of(stage)[0].w, .3f);
  ck_assert_float_lt(records_of(stage)[1].w, -.6f);
  ck_assert_ptr_nonnull(strstr(stage->reported->str, "largest weights\ndimension|weight|\nfeatures-1|-"));
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(penalties) {
  learner_rows rows = random_rows(true);
  learner_stage *plain = fitted(&rows, 64, "l1", "0"), *sparse = fitted(&rows, 64, "l1", "12");
  learner_stage *small = fitted(&rows, 64, "l2", "1000");
  int zeros = 0;
  for (int i = 0; i < WIDTH; i++) {
    ck_assert_float_ne(records_of(plain)[i].w, 0);
    zeros += records_of(sparse)[i].w == 0;
    ck_assert_double_lt(fabs(records_of(small)[i].w), fabs(records_of(plain)[i].w) / 2 + .02);
  }
  ck_assert_int_gt(zeros, WIDTH / 2);
  ck_assert_int_lt(zeros, WIDTH);
  learner_free(plain);
  learner_free(sparse);
  learner_free(small);
  learner_rows_clear(&rows);
}
END_TEST

/* With all weights held at 0 the constant goes its own way, which is the same under any l2. */
START_TEST(the_constant_is_never_penalised) {
  learner_rows rows = random_rows(true);
  double constants[2];
  for (int penalised = 0; penalised < 2; penalised++) {
    learner_stage *stage = learner_new(ftrl_class(), &rows, NULL, "l1", "1e9", "l2", penalised ? "500" : "0", NULL);
    ck_assert_int_eq(learner_fit(stage, &rows), ADL_OK);
    for (int i = 0; i < WIDTH; i++) ck_assert_float_eq(records_of(stage)[i].w, 0);
    constants[penalised] = learner_value(stage, "bias", 0);
    learner_free(stage);
  }
  ck_assert_double_eq(constants[0], constants[1]);
  ck_assert_double_gt(fabs(constants[0]), .2);
  learner_rows_clear(&rows);
}
END_TEST

/* A row of weight 2 moves the weights as its gradient doubled does: n grows by four times the square. */
START_TEST(weights_of_rows) {
  float one = 1;
  double label = 1, weight = 2;
  learner_rows rows = {0};
  learner_matrix(&rows, "features", &one, 1, 1, false);
  learner_numbers(&rows, "label", ADL_FLOAT64, &label, 1);
  learner_numbers(&rows, "weight", ADL_FLOAT64, &weight, 1);
  learner_stage *twice = fitted(&rows, 1, "epochs", "1");
  ck_assert_double_eq(records_of(twice)[0].n, 1); /* (2 (.5 - 1))^2 */
  learner_free(twice);
  learner_rows_clear(&rows);
}
END_TEST

/* Rows of weight 0 leave no trace, not even in the range of the labels; a weight of 1 is none. */
START_TEST(rows_of_weight_0) {
  static const char *const losses[] = {"logistic", "squared"};
  const float features[4] = {1, 50, -2, 3}, kept[2] = {1, -2};
  double labels[4] = {1, 0, .25, 0}, weights[4] = {1, 0, 1, 0}, kept_labels[2] = {1, .25};
  for (int k = 0; k < 2; k++) {
    learner_rows rows = {0}, fewer = {0};
    learner_matrix(&rows, "features", features, 4, 1, false);
    learner_numbers(&rows, "label", ADL_FLOAT64, labels, 4);
    learner_numbers(&rows, "weight", ADL_INT64, weights, 4);
    learner_matrix(&fewer, "features", kept, 2, 1, false);
    learner_numbers(&fewer, "label", ADL_FLOAT64, kept_labels, 2);
    learner_stage *all = fitted(&rows, 3, "loss", losses[k]), *some = fitted(&fewer, 3, "loss", losses[k]);
    ck_assert_int_eq(memcmp(records_of(all), records_of(some), sizeof *records_of(all)), 0);
    ck_assert_double_eq(learner_value(all, "bias", 0), learner_value(some, "bias", 0));
    ck_assert_str_eq(learner_report(all), learner_report(some));
    ck_assert_int_eq(g_hash_table_size(all->rejected), 0);
    learner_free(all);
    learner_free(some);
    learner_rows_clear(&fewer);
    learner_rows_clear(&rows);
  }
  learner_rows none = {0};
  double nothing[4] = {0};
  learner_matrix(&none, "features", features, 4, 1, false);
  learner_numbers(&none, "label", ADL_FLOAT64, labels, 4);
  learner_numbers(&none, "weight", ADL_FLOAT64, nothing, 4);
  learner_stage *stage = learner_new(ftrl_class(), &none, NULL, NULL);
  ck_assert_int_eq(learner_fit(stage, &none), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(stage->failed->str, "no training rows with a usable label"));
  learner_free(stage);
  learner_rows_clear(&none);
}
END_TEST

/* ---- odd rows ---- */

START_TEST(labels_that_are_none_are_rejected) {
  float features[5] = {1, 1, 1, 1, 1};
  double labels[5] = {0, 1, 2, -.5, .25}, weights[5] = {1, -1, 1, 1, 1};
  learner_rows rows = {0};
  learner_matrix(&rows, "features", features, 5, 1, false);
  learner_numbers(&rows, "label", ADL_FLOAT64, labels, 5);
  learner_numbers(&rows, "weight", ADL_FLOAT64, weights, 5);
  learner_stage *stage = fitted(&rows, 2, "epochs", "3");
  ck_assert_int_eq(g_hash_table_size(stage->rejected), 3);
  ck_assert_str_eq(g_hash_table_lookup(stage->rejected, GSIZE_TO_POINTER(2)),
                   "weight: weight -1 is negative or not finite");
  ck_assert_str_eq(g_hash_table_lookup(stage->rejected, GSIZE_TO_POINTER(3)),
                   "label: label 2 is not in [0, 1], which logistic loss needs");
  ck_assert_ptr_nonnull(g_hash_table_lookup(stage->rejected, GSIZE_TO_POINTER(4)));
  learner_report(stage);
  ck_assert_double_eq(learner_reported(stage, "/rows_learned", NULL, NULL), 2);
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(huge_values_stay_finite) {
  float features[8] = {3e38f, 1e-38f, 3e38f, 3e38f, 1, 0, 3e38f, -3e38f};
  double labels[2][4] = {{0, 0, 1, 0}, {1, 1, 0, 1}}, weights[4] = {1e6, 1, 1, 1e6};
  for (int sign = 0; sign < 2; sign++) {
    learner_rows rows = {0};
    learner_matrix(&rows, "features", features, 4, 2, false);
    learner_numbers(&rows, "label", ADL_INT64, labels[sign], 4);
    learner_numbers(&rows, "weight", ADL_FLOAT64, weights, 4);
    learner_stage *stage = fitted(&rows, 4, "epochs", "20");
    ck_assert_int_eq(learner_process(stage, &rows), ADL_OK);
    for (int i = 0; i < 2; i++) ck_assert(isfinite(records_of(stage)[i].w) && isfinite(records_of(stage)[i].z));
    for (int row = 0; row < 4; row++) ck_assert(learner_score(stage, row) > 0 && learner_score(stage, row) < 1);
    learner_report(stage);
    learner_free(stage);
    learner_rows_clear(&rows);
  }
}
END_TEST

START_TEST(one_class) {
  float features[200];
  double labels[200];
  for (int i = 0; i < 200; i++) features[i] = labels[i] = 1;
  learner_rows rows = {0};
  learner_matrix(&rows, "features", features, 200, 1, false);
  learner_numbers(&rows, "label", ADL_BOOL, labels, 200);
  learner_stage *stage = fitted(&rows, 64, "epochs", "50");
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "all 200 training labels are 1"));
  ck_assert_int_eq(learner_process(stage, &rows), ADL_OK);
  ck_assert(learner_score(stage, 0) > .99f && learner_score(stage, 0) < 1);
  ck_assert_ptr_nonnull(strstr(learner_report(stage), "warning=all training labels are the same"));
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

START_TEST(nothing_to_learn_from) {
  float feature = 1;
  double label = 7;
  learner_rows rows = {0}, none;
  learner_matrix(&rows, "features", &feature, 1, 1, false);
  learner_numbers(&rows, "label", ADL_FLOAT64, &label, 1);
  none = learner_slice(&rows, 0, 0);
  learner_stage *stage = learner_new(ftrl_class(), &rows, NULL, NULL);
  ck_assert_int_eq(learner_fit(stage, &rows), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "stage: there are no training rows with a usable label\n");
  ck_assert_int_eq(learner_fit(stage, &none), ADL_FAILED);
  learner_free(stage);
  learner_rows_clear(&rows);
  learner_rows_clear(&none);
}
END_TEST

START_TEST(a_model_of_other_features_is_refused) {
  learner_rows rows = random_rows(true), trace = trace_rows(true);
  learner_stage *stage = fitted(&rows, 64, "epochs", "1"), *other = learner_new(ftrl_class(), &trace, NULL, NULL);
  adl_tensors *own = other->model.tensors;
  other->model.tensors = stage->model.tensors;
  ck_assert_int_eq(learner_process(other, &trace), ADL_FAILED);
  ck_assert_str_eq(other->failed->str, "features: the model has 12 dimensions, the features have 3\n");
  ck_assert_int_eq(learner_fit(other, &trace), ADL_FAILED);
  ck_assert_int_eq(learner_init(other), ADL_FAILED);
  other->model.tensors = own;
  learner_free(stage);
  learner_free(other);
  learner_rows_clear(&rows);
  learner_rows_clear(&trace);
}
END_TEST

START_TEST(features_without_dimensions_are_refused) {
  float nothing = 0;
  double label = 1;
  learner_rows rows = {0};
  adl_status status;
  learner_matrix(&rows, "features", &nothing, 1, 1, true);
  learner_numbers(&rows, "label", ADL_BOOL, &label, 1);
  rows.columns[0]->view.type.width = 0;
  learner_stage *stage = learner_new(ftrl_class(), &rows, &status, NULL);
  ck_assert_int_eq(status, ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(stage->failed->str, "features: the features have no dimensions"));
  learner_free(stage);
  learner_rows_clear(&rows);
}
END_TEST

/* ---- Vowpal Wabbit ---- */

/* Its test file 0001.dat: "label |features index:value ...", 200 lines. Dimensions keep their numbers; the last is VW's
 * constant. Which number a dimension has does not matter to the algorithm, so VW's hashing need not be repeated. */
static bool vw_rows(const char *path, learner_rows *rows) {
  enum { LINES = 200, DIMENSIONS = 100000 };
  gzFile file = gzopen(path, "rb");
  if (file == NULL) return false;
  static char line[1 << 16];
  static uint32_t numbers[DIMENSIONS]; /* number in the file -> dimension + 1 */
  double labels[LINES];
  GArray *index = g_array_new(FALSE, FALSE, sizeof(uint32_t)), *values = g_array_new(FALSE, FALSE, sizeof(float));
  GArray *ends = g_array_new(FALSE, FALSE, sizeof(guint));
  uint32_t width = 1;
  int64_t count = 0;
  for (; count < LINES && gzgets(file, line, sizeof line) != NULL; count++) {
    char *at = strstr(line, "|features");
    ck_assert_ptr_nonnull(at);
    labels[count] = strtod(line, NULL);
    for (at += strlen("|features"); *at == ' ';) {
      char *end;
      unsigned long number = strtoul(at, &end, 10);
      if (end == at || end[0] != ':') break;
      ck_assert_uint_lt(number, DIMENSIONS);
      float value = strtof(end + 1, &at);
      if (numbers[number] == 0) numbers[number] = width++;
      g_array_append_val(index, numbers[number]);
      g_array_append_val(values, value);
    }
    g_array_append_val(ends, index->len);
  }
  gzclose(file);
  float *dense = g_new0(float, count *width); /* dimension 0 is the constant */
  for (int64_t row = 0, from = 0; row < count; row++) {
    dense[row * width] = 1;
    for (; from < g_array_index(ends, guint, row); from++)
      dense[row * width + g_array_index(index, uint32_t, from)] = g_array_index(values, float, from);
  }
  learner_matrix(rows, "features", dense, count, width, true);
  learner_numbers(rows, "label", ADL_FLOAT64, labels, count);
  g_free(dense);
  g_array_free(index, TRUE);
  g_array_free(values, TRUE);
  g_array_free(ends, TRUE);
  return true;
}

/* vw --ftrl --ftrl_alpha 0.01 --ftrl_beta 0 --l1 2 (squared loss): average loss = 0.379717. */
START_TEST(vowpal_wabbit) {
  const char *data = getenv("ADLOOM_DATA");
  char *path = g_build_filename(data != NULL ? data : "", "vw", "train-sets", "0001.dat.gz", NULL);
  learner_rows rows = {0};
  if (data == NULL || !vw_rows(path, &rows)) {
    fprintf(stderr, "# skipped: parity with Vowpal Wabbit needs vw/train-sets/0001.dat.gz in ADLOOM_DATA\n");
    g_free(path);
    return;
  }
  learner_stage *stage = learner_new(ftrl_class(), &rows, NULL, "loss", "squared", "alpha", "0.01", "beta", "0", "l1",
                                     "2", "bias", "false", NULL);
  ck_assert_int_eq(learner_init(stage), ADL_OK);
  ck_assert_int_eq(learner_learn(stage, &rows), ADL_OK);
  learner_report(stage);
  ck_assert_double_eq(learner_reported(stage, "/rows_learned", NULL, NULL), 200);
  ck_assert_double_eq_tol(learner_reported(stage, "progressive/squared_loss", NULL, NULL), .379717, 5e-7);
  learner_free(stage);
  learner_rows_clear(&rows);
  g_free(path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ftrl");
  TCase *known = tcase_create("known answers"), *behaviour = tcase_create("behaviour"), *odd = tcase_create("odd rows");
  tcase_add_test(known, worked_trace);
  tcase_add_test(known, layout);
  tcase_add_test(known, vowpal_wabbit);
  tcase_add_test(behaviour, cutting_into_batches_does_not_matter);
  tcase_add_test(behaviour, one_pass_of_fit_is_learn);
  tcase_add_test(behaviour, vectors_and_sparse_rows_are_the_same);
  tcase_add_test(behaviour, a_warm_start_goes_on);
  tcase_add_test(behaviour, scoring_leaves_the_model_alone);
  tcase_add_test(behaviour, it_learns);
  tcase_add_test(behaviour, penalties);
  tcase_add_test(behaviour, the_constant_is_never_penalised);
  tcase_add_test(behaviour, weights_of_rows);
  tcase_add_test(behaviour, rows_of_weight_0);
  tcase_add_test(odd, labels_that_are_none_are_rejected);
  tcase_add_test(odd, huge_values_stay_finite);
  tcase_add_test(odd, one_class);
  tcase_add_test(odd, nothing_to_learn_from);
  tcase_add_test(odd, a_model_of_other_features_is_refused);
  tcase_add_test(odd, features_without_dimensions_are_refused);
  suite_add_tcase(suite, known);
  suite_add_tcase(suite, behaviour);
  suite_add_tcase(suite, odd);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
