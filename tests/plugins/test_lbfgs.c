/* lbfgs: the minimiser on functions whose minimum is known, losses and gradients by finite differences, fits against
 * scikit-learn and liblinear, what penalties, weights and classes mean, threads, models that are loaded, odd input. */
#include <math.h>

#include "common/lbfgs.h"
#include "common/linear_model.h"
#include "core/data/tensors.h"
#include "tests/plugins/bare_host.h"
#include "tests/plugins/reported.h"
#include "tests/plugins/transform.h"

/* ---- the minimiser ---- */

static adl_status serial(const adl_call *call, int64_t count,
                         adl_status (*body)(const adl_call *call, void *context, int64_t i), void *context) {
  for (int64_t i = count; i-- > 0;) ADL_TRY(body(call, context, i));
  return ADL_OK;
}

/* Half the sum of curvature (x - target)^2, and a little that is not square. */
typedef struct bowl {
  int64_t count, evaluations;
  double quartic;
  const double *curvature, *target;
  double last; /* objective after the last iteration */
  double worst_rise;
} bowl;

static adl_status bowl_at(const adl_call *call, void *context, const double *x, double *value, double *gradient) {
  bowl *b = context;
  (void)call;
  b->evaluations++;
  *value = 0;
  for (int64_t i = 0; i < b->count; i++) {
    double off = x[i] - b->target[i];
    *value += b->curvature[i] * off * off / 2 + b->quartic * off * off * off * off;
    gradient[i] = b->curvature[i] * off + 4 * b->quartic * off * off * off;
  }
  return ADL_OK;
}

static void bowl_reached(const adl_call *call, void *context, int64_t iteration, double objective, double norm) {
  bowl *b = context;
  (void)call;
  (void)norm;
  if (iteration > 0) b->worst_rise = fmax(b->worst_rise, objective - b->last);
  b->last = objective;
}

/* Curvatures over six orders of magnitude, told to the minimiser or not. */
static void check_bowl(int64_t count, double l1, double quartic, bool told) {
  adl_host host = *bare_call()->host;
  adl_call call = *bare_call();
  host.parallel = serial;
  call.host = &host;
  double *curvature = g_new(double, count), *target = g_new(double, count), *x = g_new0(double, count),
         *one = g_new(double, count);
  for (int64_t i = 0; i < count; i++) {
    curvature[i] = pow(10, 6 * adl_random_unit(1, (uint64_t)i) - 3);
    target[i] = 4 * adl_random_unit(2, (uint64_t)i) - 2;
    one[i] = 1;
  }
  bowl b = {.count = count, .quartic = quartic, .curvature = curvature, .target = target};
  const adl_lbfgs_problem problem = {.count = count,
                                     .penalised = count / 2,
                                     .l1 = l1,
                                     .curvature = told ? curvature : one,
                                     .memory = 8,
                                     .iterations = 20000,
                                     .tolerance = 1e-9,
                                     .evaluate = bowl_at,
                                     .reached = bowl_reached,
                                     .context = &b};
  adl_lbfgs_result result;
  ck_assert_int_eq(adl_lbfgs_minimise(&call, &problem, x, &result), ADL_OK);
  ck_assert_int_ne(result.end, ADL_LBFGS_EXHAUSTED);
  ck_assert_int_eq(result.evaluations, b.evaluations);
  ck_assert_double_le(b.worst_rise, 0);
  for (int64_t i = 0; i < count; i++) {
    double cut = i < count / 2 ? l1 / curvature[i] : 0; /* soft thresholding */
    double wanted = fabs(target[i]) <= cut ? 0 : target[i] > 0 ? target[i] - cut : target[i] + cut;
    if (quartic > 0) wanted = target[i];
    ck_assert_msg(fabs(x[i] - wanted) <= 1e-3 && (wanted != 0 || x[i] == 0), "x[%d] is %.12g, not %.12g", (int)i, x[i],
                  wanted);
  }
  if (told && quartic == 0 && l1 == 0) ck_assert_int_le(result.iterations, 2);
  g_free(curvature);
  g_free(target);
  g_free(x);
  g_free(one);
  bare_done();
}

START_TEST(minima_of_bowls) {
  check_bowl(1, 0, 0, true);
  check_bowl(50, 0, 0, true);
  check_bowl(50, 0, 0, false);
  check_bowl(50, 0, .1, true);
  check_bowl(9000, 0, 0, true); /* more than one stretch */
  check_bowl(50, .2, 0, true);
  check_bowl(9000, .2, 0, true);
  check_bowl(50, 1e9, 0, true); /* nothing pays */
}
END_TEST

/* ---- losses and gradients ---- */

enum { BATCH = 70, WIDE = 9 };

typedef struct made_matrix {
  float values[BATCH * WIDE];
  uint32_t index[BATCH * WIDE];
  int32_t offsets[BATCH + 1];
  adl_column column;
} made_matrix;

static void make_matrix(made_matrix *m, bool sparse) {
  int32_t at = 0;
  for (int row = 0; row < BATCH; row++) {
    for (int i = 0; i < WIDE; i++) {
      double value = adl_random_unit(3, (uint64_t)(row * WIDE + i)) < .5
                         ? 0
                         : 2 * adl_random_unit(4, (uint64_t)(row * WIDE + i)) - 1;
      if (sparse && value == 0) continue;
      m->index[at] = (uint32_t)i;
      m->values[at++] = (float)value;
    }
    m->offsets[row + 1] = at;
  }
  m->column = (adl_column){.struct_size = sizeof(adl_column),
                           .type = {.element = ADL_FLOAT32, .shape = sparse ? ADL_SPARSE : ADL_VECTOR, .width = WIDE},
                           .rows = BATCH,
                           .data = m->values,
                           .offsets = sparse ? m->offsets : NULL,
                           .index = sparse ? m->index : NULL};
}

static double loss_at(const adl_linear *model, const made_matrix *m, const double *weights, const double *labels,
                      const double *row_weights, double *gradient) {
  double sums[ADL_LINEAR_SUMS] = {0};
  double *spare = g_new0(double, adl_linear_count(model));
  adl_linear_add(bare_call(), model, weights, &m->column, labels, row_weights, spare, sums);
  if (gradient != NULL) memcpy(gradient, spare, (size_t)adl_linear_count(model) * sizeof *gradient);
  g_free(spare);
  return sums[ADL_LINEAR_LOSS];
}

/* The same loss, row by row as the textbook has it. */
static double plain_loss(const adl_linear *model, const made_matrix *m, const double *weights, const double *labels,
                         const double *row_weights) {
  double all = 0;
  for (int row = 0; row < BATCH; row++) {
    double margins[8], sum = 0;
    for (int64_t k = 0; k < model->outputs; k++) {
      margins[k] = weights[WIDE * model->stride + k];
      int from = m->column.index != NULL ? m->offsets[row] : row * WIDE;
      int to = m->column.index != NULL ? m->offsets[row + 1] : from + WIDE;
      for (int i = from; i < to; i++)
        margins[k] +=
            (double)m->values[i] * weights[(m->column.index != NULL ? (int)m->index[i] : i - from) * model->stride + k];
      sum += exp(margins[k]);
    }
    double p = 1 / (1 + exp(-margins[0]));
    all += row_weights[row] * (model->loss == ADL_LINEAR_SOFTMAX ? -log(exp(margins[(int)labels[row]]) / sum)
                               : model->loss == ADL_LINEAR_LOGISTIC
                                   ? -labels[row] * log(p) - (1 - labels[row]) * log(1 - p)
                                   : (margins[0] - labels[row]) * (margins[0] - labels[row]) / 2);
  }
  return all;
}

static void check_gradient(adl_linear_loss loss, int64_t outputs, bool sparse) {
  adl_linear model = adl_linear_of(loss, WIDE, outputs, true);
  made_matrix m = {0};
  make_matrix(&m, sparse);
  int64_t count = adl_linear_count(&model);
  double labels[BATCH], row_weights[BATCH], *weights = g_new0(double, count), *gradient = g_new(double, count);
  for (int row = 0; row < BATCH; row++) {
    double u = adl_random_unit(5, (uint64_t)row);
    labels[row] = loss == ADL_LINEAR_SOFTMAX   ? floor(u * (double)outputs)
                  : loss == ADL_LINEAR_SQUARED ? 4 * u
                  : u < .2                     ? 0
                                               : u;
    row_weights[row] = row % 3 == 0 ? 1 : row % 7 == 0 ? 0 : .5 + u;
  }
  for (int64_t i = 0; i < count; i++)
    if (i % model.stride < outputs) weights[i] = 2 * adl_random_unit(6, (uint64_t)i) - 1;
  double value = loss_at(&model, &m, weights, labels, row_weights, gradient);
  ck_assert_double_eq_tol(value, plain_loss(&model, &m, weights, labels, row_weights), 1e-10);
  for (int64_t i = 0; i < count; i++) {
    double kept = weights[i], step = 1e-5;
    if (i % model.stride >= outputs) {
      ck_assert_double_eq(gradient[i], 0);
      continue;
    }
    weights[i] = kept + step;
    double high = loss_at(&model, &m, weights, labels, row_weights, NULL);
    weights[i] = kept - step;
    double low = loss_at(&model, &m, weights, labels, row_weights, NULL);
    weights[i] = kept;
    ck_assert_double_eq_tol(gradient[i], (high - low) / (2 * step), 1e-7);
  }
  g_free(weights);
  g_free(gradient);
  bare_done();
}

START_TEST(gradients) {
  for (int sparse = 0; sparse < 2; sparse++) {
    check_gradient(ADL_LINEAR_LOGISTIC, 1, sparse);
    check_gradient(ADL_LINEAR_SQUARED, 1, sparse);
    for (int64_t outputs = 2; outputs <= 7; outputs++) check_gradient(ADL_LINEAR_SOFTMAX, outputs, sparse);
  }
}
END_TEST

/* Margins of any size: nothing overflows, and p + q = 1. */
START_TEST(large_margins) {
  adl_linear model = adl_linear_of(ADL_LINEAR_LOGISTIC, WIDE, 1, true);
  made_matrix m = {0};
  make_matrix(&m, true);
  double weights[WIDE + 1], gradient[WIDE + 1] = {0}, labels[BATCH], ones[BATCH], sums[ADL_LINEAR_SUMS] = {0};
  for (int i = 0; i <= WIDE; i++) weights[i] = i % 2 == 0 ? 3000 : -3000;
  for (int row = 0; row < BATCH; row++) labels[row] = row % 2, ones[row] = 1;
  adl_linear_add(bare_call(), &model, weights, &m.column, labels, ones, gradient, sums);
  ck_assert(isfinite(sums[ADL_LINEAR_LOSS]) && sums[ADL_LINEAR_LOSS] > 1000);
  for (int i = 0; i <= WIDE; i++) ck_assert(isfinite(gradient[i]));
  double margins[3] = {1000, -1000, 1001};
  adl_linear_softmax(margins, 3);
  ck_assert_double_eq_tol(margins[0] + margins[1] + margins[2], 1, 1e-15);
  ck_assert_double_eq_tol(margins[2] / margins[0], exp(1), 1e-12);
  bare_done();
}
END_TEST

/* ---- fits whose results are known ---- */

enum { ROWS = 600 };

/* Three features in [-1, 1], a class of three (drawn from a softmax of them), a number, a weight of 1, 2 or 3. All the
 * constants below are scikit-learn 1.2's of the same rows (newton-cg and saga, tol 1e-13). `twice`: rows are repeated as their weight says. */
static char *known_csv(bool twice, bool backwards) {
  GString *csv = g_string_new("a,b,c,class,number,target,zero,weight\n");
  static const char *const names[] = {"naught", "one", "two"};
  for (uint64_t at = 0; at < ROWS; at++) {
    uint64_t i = backwards ? ROWS - 1 - at : at;
    double x[3], p[3], sum = 0;
    for (uint64_t j = 0; j < 3; j++) x[j] = ((double)(adl_random(1, 3 * i + j) % 2001) - 1000) / 1000;
    const double m[3] = {2 * x[0] - x[1] + .5, -x[0] + 2 * x[1], .5 * x[2] - x[0] - x[1] - .5};
    for (int k = 0; k < 3; k++) sum += p[k] = exp(m[k]);
    double u = adl_random_unit(2, i);
    int class = u < p[0] / sum ? 0 : u < p[0] / sum + p[1] / sum ? 1 : 2;
    double target = 3 + 2 * x[0] - x[1] + .25 * ((double)(adl_random(3, i) % 1001) - 500) / 500;
    int weight = 1 + (int)(adl_random(4, i) % 3);
    for (int copy = 0; copy < (twice ? weight : 1); copy++)
      g_string_append_printf(csv, "%.3f,%.3f,%.3f,%s,%d,%.6f,%d,%d\n", x[0], x[1], x[2], names[class], class, target,
                             class == 0, weight);
  }
  return g_string_free(csv, FALSE);
}

static const char known_columns[] =
    "{a: float, b: float, c: float, class: id, number: int, target: float, zero: bool, weight: float}";

#define STAGE "  m: {use: lbfgs, features: [a, b, c], tol: 1e-8, "

static adl_harness *known(const char *parameters) {
  char *csv = known_csv(false, false), *stages = g_strdup_printf(STAGE "%s}\n", parameters);
  adl_harness *h = adl_harness_new(csv, known_columns);
  adl_harness_run(h, stages, "m");
  g_free(stages);
  g_free(csv);
  return h;
}

static double value_of(const adl_harness *h, const char *name, int64_t at) {
  adl_tensor tensor;
  ck_assert(adl_tensors_find(adl_harness_model(h, "m"), name, &tensor) && at < tensor.count);
  return ((const double *)tensor.data)[at];
}

static void check_values(const adl_harness *h, const char *name, const double *wanted, int64_t count,
                         double tolerance) {
  for (int64_t i = 0; i < count; i++) {
    double found = value_of(h, name, i);
    ck_assert_msg(fabs(found - wanted[i]) <= tolerance && (wanted[i] != 0 || found == 0), "%s[%d] is %.12g, not %.12g",
                  name, (int)i, found, wanted[i]);
  }
}

static void check_falls(const adl_harness *h) {
  adl_tensor history;
  ck_assert(adl_tensors_find(adl_harness_model(h, "m"), "history", &history));
  const double *values = history.data;
  ck_assert_int_ge(history.size[0], 2);
  for (int64_t i = 1; i < history.size[0]; i++) ck_assert_double_lt(values[2 * i], values[2 * i - 2]);
  ck_assert_double_eq(values[1], 1);
}

static const double softmax_weights[9] = {2.0149155258305247,  -.8760197781812199,  -1.1388957476493042,
                                          -1.0139492891272357, 1.6871581934804205,  -.6732089043531845,
                                          -.12763019004325546, -.09595952008638985, .22358971012964535};
static const double softmax_bias[3] = {.49490144043204864, -.0034216616734267986, -.4914797787586131};

START_TEST(softmax) {
  adl_harness *h = known("loss: softmax, label: class, class: best, l2: 0.0016666666666666667");
  ASSERT_OK(h);
  check_values(h, "weights", softmax_weights, 9, 1e-6);
  check_values(h, "bias", softmax_bias, 3, 1e-6);
  check_falls(h);
  ck_assert_double_eq_tol(adl_harness_report(h, "m", "in-sample", "objective"), .6830942439509, 1e-12);
  ck_assert_int_eq(adl_harness_type(h, "score").width, 3);
  const float *scores = adl_harness_column(h, "score")->data;
  static const double first[3] = {.0101934763, .8604099481, .1293965756};
  for (int k = 0; k < 3; k++) ck_assert_double_eq_tol((double)scores[k], first[k], 1e-6);
  int right = 0;
  for (int64_t row = 0; row < ROWS; row++) {
    char *best = adl_harness_text(h, "best", row), *class = adl_harness_text(h, "class", row);
    right += strcmp(best, class) == 0;
    ck_assert_double_eq_tol((double)scores[3 * row] + (double)scores[3 * row + 1] + (double)scores[3 * row + 2], 1,
                            1e-6);
    free(best);
    free(class);
  }
  ck_assert_int_eq(right, 431); /* .71833 of 600 */
  reported r = reported_read(h);
  /* Which of both comes first at this tol is a matter of the processor's rounding. */
  const char *end = json_object_get_string_member(reported_item(&r, "m", "", "end"), "text");
  ck_assert(strcmp(end, "converged") == 0 || strcmp(end, "float64 arithmetic finds nothing lower") == 0);
  char *table = reported_table(&r, "m", "classes");
  ck_assert_ptr_nonnull(strstr(table, "class|rows|constant|what speaks for it|\nnaught|293|0.494901|a|\none|199|"));
  ck_assert_ptr_nonnull(strstr(table, "|b|\ntwo|108|-0.49148|c|\n"));
  g_free(table);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

/* Whole numbers are classes too: the same model. */
START_TEST(classes_that_are_numbers) {
  adl_harness *h = known("loss: softmax, label: number, class: best, l2: 0.0016666666666666667");
  ASSERT_OK(h);
  check_values(h, "weights", softmax_weights, 9, 1e-6);
  char *best = adl_harness_text(h, "best", 0);
  ck_assert_str_eq(best, "1");
  free(best);
  adl_harness_free(h);
  /* In the order of their values, not of their texts. */
  h = adl_harness_new("x,y\n1,10\n2,9\n1,10\n2,9\n3,-1\n3,-1\n", "{x: float, y: int}");
  adl_harness_run(h, "  m: {use: lbfgs, features: [x], loss: softmax, label: y, class: best}\n", "m");
  ASSERT_OK(h);
  adl_tensor classes;
  ck_assert(adl_tensors_find(adl_harness_model(h, "m"), "classes", &classes));
  ck_assert_int_eq(classes.count, 5);
  ck_assert_int_eq(memcmp(classes.data, "-1910", 5), 0);
  ASSERT_VALUES(h, "best", "10|9|10|9|-1|-1");
  adl_harness_free(h);
}
END_TEST

START_TEST(lasso) {
  static const double weights[3] = {1.6013214605636734, -.5361141344737201, 0}, bias = -.10546519858586531;
  adl_harness *h = known("label: zero, l2: 0, l1: 0.05");
  ASSERT_OK(h);
  check_values(h, "weights", weights, 3, 2e-7);
  check_values(h, "bias", &bias, 1, 2e-7);
  check_falls(h);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "nonzero_weights"), 2);
  adl_harness_free(h);

  static const double several[9] = {1.6341532109768855, 0, 0, 0, 1.284457374027207, 0, 0, 0, 0};
  static const double constants[3] = {.4538307792390951, .044238234715477276, -.49806901395462705};
  h = known("loss: softmax, label: class, l2: 0, l1: 0.05");
  ASSERT_OK(h);
  check_values(h, "weights", several, 9, 2e-7);
  check_values(h, "bias", constants, 3, 2e-7);
  ck_assert_double_eq_tol(adl_harness_report(h, "m", "in-sample", "objective"), .8867991922626, 1e-12);
  adl_harness_free(h);
  h = known("label: zero, l2: 0, l1: 10"); /* nothing pays: only the constant is left */
  ASSERT_OK(h);
  static const double none[3] = {0, 0, 0}, share = 293. / 600;
  const double constant = log(share / (1 - share));
  check_values(h, "weights", none, 3, 0);
  check_values(h, "bias", &constant, 1, 1e-12);
  adl_harness_free(h);
}
END_TEST

START_TEST(ridge) {
  static const double weights[3] = {1.9470051375041422, -.9838492753012188, .010833147031817095},
                      bias = 3.0047258504240744;
  adl_harness *h = known("loss: squared, label: target, l2: 0.01, as: guess");
  ASSERT_OK(h);
  check_values(h, "weights", weights, 3, 2e-7);
  check_values(h, "bias", &bias, 1, 2e-7);
  ck_assert_double_eq_tol(adl_harness_report(h, "m", "in-sample", "objective"), .0342773635985, 1e-9);
  ck_assert_double_eq_tol(adl_harness_number(h, "guess", 0),
                          bias + weights[0] * adl_harness_number(h, "a", 0) +
                              weights[1] * adl_harness_number(h, "b", 0) + weights[2] * adl_harness_number(h, "c", 0),
                          1e-5);
  adl_harness_free(h);
}
END_TEST

static const double weighted[3] = {2.317120348322158, -1.3142544976018242, -.1430419924030035},
                    weighted_bias = -.1871980594860867;

/* Weights are repetitions, and the order of rows does not matter, but for rounding. */
START_TEST(weights_are_repetitions) {
  for (int how = 0; how < 3; how++) {
    char *csv = known_csv(how > 0, how == 2);
    adl_harness *h = adl_harness_new(csv, known_columns);
    adl_harness_run(h, how > 0 ? STAGE "label: zero, l2: 0.01}\n" : STAGE "label: zero, l2: 0.01, weight: weight}\n",
                    "m");
    ASSERT_OK(h);
    check_values(h, "weights", weighted, 3, 2e-6);
    check_values(h, "bias", &weighted_bias, 1, 2e-6);
    adl_harness_free(h);
    g_free(csv);
  }
}
END_TEST

/* The data set that comes with scikit-learn: Breast Cancer Wisconsin (Diagnostic) by Wolberg, Mangasarian, Street and Street,
 * 1993, UCI Machine Learning Repository, CC BY 4.0. Standardised, C = 1. */
START_TEST(breast_cancer) {
  char *path = g_build_filename(g_getenv("ADLOOM_SRC"), "tests", "plugins", "breast-cancer.csv.gz", NULL);
  GString *features = g_string_new(NULL), *types = g_string_new("benign: bool");
  for (int i = 0; i < 30; i++) {
    g_string_append_printf(features, "%sf%d", i > 0 ? ", " : "", i);
    g_string_append_printf(types, ", f%d: float", i);
  }
  char *stages = g_strdup_printf("  cells: {use: read-csv, path: %s, columns: {%s}}\n"
                                 "  even: {use: scale, columns: [%s], as: x}\n"
                                 "  m: {use: lbfgs, features: [x], label: benign, l2: %.17g}\n"
                                 "  quality: {use: metrics, label: benign, score: score}\n",
                                 path, types->str, features->str, 1.0 / 569);
  adl_harness *h = adl_harness_new("x\n1\n", "{x: float}");
  adl_harness_run(h, stages, NULL);
  ASSERT_OK(h);
  ck_assert_double_eq_tol(569 * adl_harness_report(h, "m", "in-sample", "objective"), 37.75894605, 2e-5);
  ck_assert_double_eq_tol(value_of(h, "bias", 0), .21456573, 1e-4);
  ck_assert_double_eq_tol(adl_harness_report(h, "quality", "in-sample", "auc"), .9974499234, 1e-9);
  check_falls(h);
  g_free(path);
  g_free(stages);
  g_string_free(features, TRUE);
  g_string_free(types, TRUE);
  adl_harness_free(h);
}
END_TEST

/* liblinear -s 0 -c 1 on a9a, to the end (-e 1e-9): logloss .3240585 on the test file, and 13837 of 16281 right. */
START_TEST(liblinear) {
  char *path = g_build_filename(g_getenv("ADLOOM_DATA") != NULL ? g_getenv("ADLOOM_DATA") : "", "a9a", NULL);
  if (g_getenv("ADLOOM_DATA") == NULL || !g_file_test(path, G_FILE_TEST_IS_DIR)) {
    fprintf(stderr, "# skipped: the comparison with liblinear needs a9a/a9a.gz and a9a.t.gz in ADLOOM_DATA\n");
    g_free(path);
    return;
  }
  char *stages = g_strdup_printf(
      "  census:\n    use: read-libsvm\n    path: %s/a9a*\n    width: 123\n    labels: binary\n    label: rich\n"
      "    file_column: file\n    holdout: {where: \"file in ('a9a.t', 'a9a.t.gz')\"}\n"
      "  m: {use: lbfgs, features: [x], label: rich, l2: %.17g, bias: false, tol: 1e-8}\n"
      "  right: {use: filter, from: m, where: rich = (score > 0.5)}\n"
      "  quality: {use: metrics, from: m, label: rich, score: score}\n"
      "  rights: {use: metrics, from: right, label: rich, score: score}\n",
      path, 1.0 / 32560);
  adl_harness *h = adl_harness_new("x\n1\n", "{x: float}");
  adl_harness_run(h, stages, NULL);
  ASSERT_OK(h);
  ck_assert_double_eq_tol(adl_harness_report(h, "quality", "held-out", "logloss"), .32405851, 2e-7);
  ck_assert_double_eq_tol(adl_harness_report(h, "quality", "held-out", "auc"), .902221, 3e-6);
  ck_assert_double_eq(adl_harness_report(h, "rights", "held-out", "rows"), 13837);
  g_free(path);
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

/* ---- how it runs ---- */

enum { MANY = 30000 };

/* Words as a sparse input, and numbers; three topics. */
static char *many_csv(void) {
  GString *csv = g_string_new("text,x,topic\n");
  for (uint64_t i = 0; i < MANY; i++) {
    uint64_t topic = adl_random(10, i) % 3;
    for (uint64_t k = 0; k < 6; k++) {
      uint64_t word = adl_random(11, 6 * i + k) % 40 + (adl_random(12, 6 * i + k) % 3 == 0 ? 40 * (topic + 1) : 0);
      g_string_append_printf(csv, "%sw%d", k > 0 ? " " : "", (int)word);
    }
    g_string_append_printf(csv, ",%d,t%d\n", (int)(adl_random(13, i) % 5), (int)topic);
  }
  return g_string_free(csv, FALSE);
}

START_TEST(threads_memory_and_vectors) {
  char *csv = many_csv(), *first = NULL;
  static const char stages[] = "  words: {use: tfidf, text: text, as: words, min_df: 1}\n"
                               "  m: {use: lbfgs, features: [words, x], label: topic, loss: softmax, class: best}\n"
                               "  d: {use: lbfgs, features: [x], label: topic, loss: softmax, as: plain}\n"
                               "  out: {use: write-csv, path: out.csv, columns: [topic, best, score, plain]}\n";
  adl_harness *h = adl_harness_new(csv, "{text: string, x: int, topic: id}");
  for (int way = 0; way < 5; way++) {
    adl_harness_threads(h, way < 4 ? way + 1 : 2);
    adl_harness_memory(h, way == 2 ? 1 << 20 : INT64_C(1) << 30);
    if (way == 4) g_setenv("ADLOOM_SIMD", "portable", TRUE);
    adl_harness_run(h, stages, NULL);
    g_unsetenv("ADLOOM_SIMD");
    ASSERT_OK(h);
    adl_harness_same_bytes(h, &first);
  }
  g_free(first);
  g_free(csv);
  adl_harness_free(h);
}
END_TEST

/* Most dimensions of hashed features are in no row: the model is that of the others, and these have weight 0. With few rows
 * one lane is used, with many several. */
START_TEST(unused_dimensions) {
  for (uint64_t rows = 60; rows <= 6000; rows *= 100) {
    GString *csv = g_string_new("who,what,y\n");
    for (uint64_t i = 0; i < rows; i++) {
      uint64_t who = adl_random(20, i) % 20, what = adl_random(21, i) % 15;
      g_string_append_printf(csv, "u%d,v%d,%d\n", (int)who, (int)what, (adl_random(22, i) % 40) < who + what);
    }
    adl_harness *h = adl_harness_new(csv->str, "{who: id, what: id, y: int}");
    double objective[2];
    for (int wide = 0; wide < 2; wide++) {
      char *stages = g_strdup_printf("  f: {use: %s, as: x}\n  m: {use: lbfgs, features: [x], label: y, l2: 0.01}\n",
                                     wide ? "hash, columns: [who, what], bits: 18" : "onehot, columns: [who, what]");
      adl_harness_run(h, stages, "m");
      ASSERT_OK(h);
      objective[wide] = adl_harness_report(h, "m", "in-sample", "objective");
      ck_assert_double_le(adl_harness_report(h, "m", "", "nonzero_weights"), 35);
      if (wide) ck_assert_double_eq(adl_harness_report(h, "m", "", "dimensions"), 262144);
      g_free(stages);
    }
    ck_assert_double_eq_tol(objective[0], objective[1], 1e-11);
    adl_harness_free(h);
    g_string_free(csv, TRUE);
  }
}
END_TEST

START_TEST(loaded_models) {
  adl_harness *h = known("loss: softmax, label: class, class: best, l2: 0.002");
  ASSERT_OK(h);
  char *made = g_strdup(adl_harness_run_directory(h));
  char *csv = known_csv(false, false);
  /* Without the label. */
  adl_harness *g = adl_harness_new("a,b,c\n0.5,-0.25,1\n-0.5,1,0\n", "{a: float, b: float, c: float}");
  adl_harness_models(g, made);
  adl_harness_run(g, STAGE "loss: softmax, label: class, class: best, l2: 0.002}\n", "m");
  ASSERT_OK(g);
  ASSERT_VALUES(g, "best", "naught|one");
  adl_harness_free(g);
  /* Scores are the same as when it was fitted. */
  g = adl_harness_new(csv, known_columns);
  adl_harness_models(g, made);
  adl_harness_run(g, STAGE "loss: softmax, label: class, class: best, l2: 0.002}\n", "m");
  ASSERT_OK(g);
  ck_assert_int_eq(
      memcmp(adl_harness_column(g, "score")->data, adl_harness_column(h, "score")->data, ROWS * 3 * sizeof(float)), 0);
  adl_harness_run(g, STAGE "label: zero}\n", "m");
  ck_assert(!adl_harness_ok(g));
  ck_assert_ptr_nonnull(strstr(adl_harness_errors(g), "the model holds no weights for these features"));
  adl_harness_free(g);
  adl_harness_free(h);
  g_free(csv);
  g_free(made);
}
END_TEST

/* A warm start is at the minimum at once; with another penalty it goes to that one's; classes are found by their names. */
START_TEST(warm_start) {
  adl_harness *h = known("loss: softmax, label: class, l2: 0.0016666666666666667");
  ASSERT_OK(h);
  char *made = g_strdup_printf("%s/models/m.safetensors", adl_harness_run_directory(h));
  char *again = g_strdup_printf("loss: softmax, label: class, l2: 0.0016666666666666667, learn: fit, model: %s", made);
  adl_harness *g = known(again);
  ASSERT_OK(g);
  ck_assert_double_le(adl_harness_report(g, "m", "", "iterations"), 1);
  check_values(g, "weights", softmax_weights, 9, 1e-6);
  adl_harness_free(g);
  g_free(again);
  again = g_strdup_printf("loss: softmax, label: class, l2: 0, l1: 0.05, learn: fit, model: %s", made);
  g = known(again);
  ASSERT_OK(g);
  ck_assert_double_eq_tol(adl_harness_report(g, "m", "in-sample", "objective"), .8867991922626, 1e-12);
  adl_harness_free(g);
  g_free(again);
  /* Other names, one of them known: still the minimum of these rows. */
  char *csv = known_csv(false, false),
       *stages = g_strdup_printf("  named: {use: derive, columns: {other: \"if(class = 'two', 'a', class)\"}}\n" STAGE
                                 "loss: softmax, label: other, l2: 0.0016666666666666667, learn: fit, model: %s}\n",
                                 made);
  g = adl_harness_new(csv, known_columns);
  adl_harness_run(g, stages, "m");
  ASSERT_OK(g);
  ck_assert_double_eq_tol(adl_harness_report(g, "m", "in-sample", "objective"), .6830942439509, 1e-12);
  ck_assert_double_eq_tol(value_of(g, "weights", 0), softmax_weights[2], 1e-6);
  adl_harness_free(g);
  g_free(stages);
  again = g_strdup_printf("label: zero, learn: fit, model: %s", made);
  g = known(again);
  ck_assert(!adl_harness_ok(g));
  ck_assert_ptr_nonnull(
      strstr(adl_harness_errors(g), "the model to start from is one of other features, or of another loss"));
  adl_harness_free(g);
  g_free(again);
  g_free(csv);
  g_free(made);
  adl_harness_free(h);
}
END_TEST

/* ---- what is refused, and warned of ---- */

START_TEST(refused) {
  static const char csv[] = "x,y,s\n1,1,a\n2,1,a\n3,1,a\n";
  static const char types[] = "{x: float, y: int, s: string}";
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x]}\n", "label");
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x], label: gone}\n", "gone");
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x], label: y}\n",
                 "all 3 training labels are 1: there is nothing to tell apart");
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x], label: s, loss: softmax}\n",
                 "all 3 training rows are of one class: there is nothing to tell apart");
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x], label: s}\n", "say `loss: softmax`");
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x], label: x, loss: softmax}\n", "has fractions");
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x], label: y, class: best}\n", "only softmax has classes");
  assert_refused(csv, types, "  m: {use: lbfgs, features: [x], label: y, memory: 51}\n", "memory");
  assert_refused("x,y\n1,0\n", "{x: float, y: int}",
                 "  none: {use: filter, where: x > 1}\n  m: {use: lbfgs, features: [x], label: y}\n",
                 "there are no training rows with a usable label");
}
END_TEST

START_TEST(rows_that_cannot_be_used) {
  adl_harness *h =
      adl_harness_new("x,y,w\n1,1,1\n2,0,1\nnan,1,1\n1,nan,1\n1,2,1\n,1,1\n1,,1\n1,1,-1\n5,0,0\n1.5,0.5,1\n",
                      "{x: float, y: float, w: float}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, "  m: {use: lbfgs, features: [x], label: y, weight: w, l2: 0.1}\n", "m");
  ASSERT_OK(h);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "rows_learned"), 3);
  char *rejects = adl_harness_rejects(h);
  ck_assert_ptr_nonnull(strstr(rejects, "label 2 is not in [0, 1], which logistic loss needs"));
  ck_assert_ptr_nonnull(strstr(rejects, "weight -1 is negative or not finite"));
  free(rejects);
  ck_assert_int_eq(adl_harness_rejected(h), 6);
  adl_harness_free(h);
}
END_TEST

static void check_warning(const char *csv, const char *stages, const char *words) {
  adl_harness *h = adl_harness_new(csv, "{x: float, y: int}");
  adl_harness_run(h, stages, "m");
  ASSERT_OK(h);
  const char *log = adl_harness_errors(h); /* warnings, too */
  ck_assert_msg(words != NULL ? strstr(log, words) != NULL : strstr(log, "told apart") == NULL, "%s", log);
  for (int64_t row = 0; row < adl_harness_rows(h); row++) ck_assert(isfinite(adl_harness_number(h, "x", row)));
  ck_assert(isfinite(value_of(h, "weights", 0)));
  adl_harness_free(h);
}

START_TEST(no_minimum) {
  static const char apart[] = "x,y\n1,0\n2,0\n3,1\n4,1\n", mixed[] = "x,y\n1,0\n2,1\n3,0\n4,1\n";
  check_warning(apart, "  m: {use: lbfgs, features: [x], label: y, l2: 0}\n", "the weights would grow for ever");
  check_warning(apart, "  m: {use: lbfgs, features: [x], label: y, loss: softmax, l2: 0}\n",
                "the weights would grow for ever");
  check_warning(apart, "  m: {use: lbfgs, features: [x], label: y, l2: 0.01}\n", NULL);
  check_warning(mixed, "  m: {use: lbfgs, features: [x], label: y, l2: 0}\n", NULL);
  check_warning(mixed, "  m: {use: lbfgs, features: [x], label: y, l2: 0, max_iter: 1, tol: 0}\n",
                "not converged after 1 iterations");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lbfgs");
  TCase *tcase = tcase_create("lbfgs");
  tcase_set_timeout(tcase, 120);
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, minima_of_bowls);
  tcase_add_test(tcase, gradients);
  tcase_add_test(tcase, large_margins);
  tcase_add_test(tcase, softmax);
  tcase_add_test(tcase, classes_that_are_numbers);
  tcase_add_test(tcase, lasso);
  tcase_add_test(tcase, ridge);
  tcase_add_test(tcase, weights_are_repetitions);
  tcase_add_test(tcase, breast_cancer);
  tcase_add_test(tcase, liblinear);
  tcase_add_test(tcase, threads_memory_and_vectors);
  tcase_add_test(tcase, unused_dimensions);
  tcase_add_test(tcase, loaded_models);
  tcase_add_test(tcase, warm_start);
  tcase_add_test(tcase, refused);
  tcase_add_test(tcase, rows_that_cannot_be_used);
  tcase_add_test(tcase, no_minimum);
  return run_suite(suite);
}
