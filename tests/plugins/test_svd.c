/* svd on the real engine: numbers from numpy and scikit-learn, a planted low rank, dense and sparse, order of rows,
 * threads, models that are loaded, odd input. */
#include <math.h>

#include "core/data/tensors.h"
#include "core/model/safetensors.h"
#include "tests/plugins/transform.h"

static const char small[] = "a,b,c,d\n3,0,1,2\n0,2,-1,0\n1,1,0,4\n2,0,0,1\n0,3,1,-2\n";
static const char columns[] = "{a: float, b: float, c: float, d: float}";

static void run(adl_harness *h, const char *parameters) {
  char *stages = g_strdup_printf("  s: {use: svd, features: [a, b, c, d], %s}\n", parameters);
  adl_harness_run(h, stages, "s");
  g_free(stages);
}

static double value(adl_harness *h, int64_t row, int64_t factor) {
  const adl_column *column = adl_harness_column(h, "factors");
  ck_assert_int_lt(factor, column->type.width);
  return (double)((const float *)column->data)[row * column->type.width + factor];
}

static double model_value(const adl_harness *h, const char *name, int64_t at) {
  adl_tensor tensor;
  ck_assert(adl_tensors_find(adl_harness_model(h, "s"), name, &tensor) && at < tensor.count);
  return tensor.element == ADL_FLOAT32 ? (double)((const float *)tensor.data)[at] : ((const double *)tensor.data)[at];
}

/* numpy.linalg.svd with the signs fixed; variances of scikit-learn 1.9.1's TruncatedSVD (arpack). */
static const double singular[4] = {5.73160908661, 3.824785647846, 2.636561922806, 1.252283216182};
static const double variance[4] = {4.5342543, 1.05931082, 1.38621323, .30022165};
static const double v[4][4] = {{.53910397, .24758142, .68680646, -.419961},
                               {-.05760485, .95230506, -.29964997, -.00258},
                               {.05224914, .14576072, .44559984, .88173954},
                               {.83864093, -.10282185, -.48984443, .21485224}};
static const double image[5][4] = {{3.346842929502, 0.68286128134, 1.526330349129, 0.051561041668},
                                   {-0.167458840683, 1.758849389303, -1.044899780045, -0.886899550168},
                                   {3.836062855517, 0.788599084593, -1.572221240013, 0.436867971767},
                                   {1.916848880164, 0.392340987399, 0.883768482492, -0.625069747767},
                                   {-1.797847269033, 3.208319588437, 0.52633879734, 0.44429504397}};

START_TEST(known_answers) {
  for (int factors = 1; factors <= 4; factors++) {
    adl_harness *h = adl_harness_new(small, columns);
    char *parameters = g_strdup_printf("factors: %d", factors);
    run(h, parameters);
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_type(h, "factors").width, factors);
    double explained = 0;
    for (int j = 0; j < factors; j++) {
      ck_assert_double_eq_tol(model_value(h, "singular_values", j), singular[j], 1e-9);
      ck_assert_double_eq_tol(model_value(h, "explained_variance", j), variance[j], 1e-7);
      for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(model_value(h, "v", i * factors + j), v[i][j], 1e-7);
      for (int row = 0; row < 5; row++) ck_assert_double_eq_tol(value(h, row, j), image[row][j], 1e-6);
      explained += variance[j] / 7.28;
    }
    ck_assert_double_eq_tol(adl_harness_report(h, "s", "in-sample", "explained_variance"), explained, 1e-7);
    ck_assert_double_eq(adl_harness_report(h, "s", "in-sample", "rows"), 5);
    char *report = adl_harness_read(h, "metrics.json");
    if (report != NULL && factors == 4) ck_assert_ptr_nonnull(strstr(report, "d 0.84, a 0.54, b -0.06, c 0.05"));
    ck_assert_ptr_nonnull(report);
    free(report);
    g_free(parameters);
    adl_harness_free(h);
  }
}
END_TEST

/* Fewer random directions than dimensions: power iterations still find what is there. */
START_TEST(power_iterations) {
  double last = INFINITY;
  for (int power = 0; power <= 40; power += 10) {
    adl_harness *h = adl_harness_new(small, columns);
    char *parameters = g_strdup_printf("factors: 2, oversample: 0, power: %d", power);
    run(h, parameters);
    ASSERT_OK(h);
    double off = 0;
    for (int j = 0; j < 2; j++) {
      ck_assert_double_le(model_value(h, "singular_values", j), singular[j] + 1e-9); /* Rayleigh and Ritz: from below */
      off += singular[j] - model_value(h, "singular_values", j);
    }
    ck_assert_double_le(off, last + 1e-9);
    last = off;
    g_free(parameters);
    adl_harness_free(h);
  }
  ck_assert_double_lt(last, 1e-9);
}
END_TEST

START_TEST(normalised) {
  adl_harness *h = adl_harness_new("a,b,c,d\n3,0,1,2\n0,2,-1,0\n1,1,0,4\n2,0,0,1\n0,3,1,-2\n0,0,0,0\n", columns);
  run(h, "factors: 2, normalise: true");
  ASSERT_OK(h);
  for (int row = 0; row < 5; row++)
    for (int j = 0; j < 2; j++)
      ck_assert_double_eq_tol(value(h, row, j), image[row][j] / hypot(image[row][0], image[row][1]), 1e-6);
  ck_assert_double_eq(value(h, 5, 0), 0);
  ck_assert_double_eq(value(h, 5, 1), 0);
  adl_harness_free(h);
}
END_TEST

/* ---- a planted low rank ---- */

enum { ROWS = 3000, WIDTH = 40, RANK = 3 };

/* x = 5 s g p + 2 s' g' p' + ... of rank 3, in 40 columns, rows in any order. */
static char *planted(bool reversed) {
  static const double sizes[RANK] = {5, 2, 1};
  GString *csv = g_string_new(NULL);
  for (int i = 0; i < WIDTH; i++) g_string_append_printf(csv, "%sx%d", i > 0 ? "," : "", i);
  g_string_append_c(csv, '\n');
  for (int r = 0; r < ROWS; r++) {
    uint64_t row = (uint64_t)(reversed ? ROWS - 1 - r : r);
    for (int i = 0; i < WIDTH; i++) {
      double x = 0;
      for (int j = 0; j < RANK; j++)
        x +=
            sizes[j] * (adl_random_unit((uint64_t)j, row) - .5) * (adl_random_unit(10 + (uint64_t)j, (uint64_t)i) - .5);
      g_string_append_printf(csv, "%s%.9g", i > 0 ? "," : "", x);
    }
    g_string_append_c(csv, '\n');
  }
  return g_string_free(csv, FALSE);
}

static char *planted_columns(void) {
  GString *text = g_string_new("{");
  for (int i = 0; i < WIDTH; i++) g_string_append_printf(text, "%sx%d: float", i > 0 ? ", " : "", i);
  g_string_append_c(text, '}');
  return g_string_free(text, FALSE);
}

static adl_harness *run_planted(bool reversed, int threads, int64_t memory, const char *more) {
  char *csv = planted(reversed), *types = planted_columns();
  GString *stages = g_string_new("  s: {use: svd, features: [");
  for (int i = 0; i < WIDTH; i++) g_string_append_printf(stages, "%sx%d", i > 0 ? ", " : "", i);
  g_string_append_printf(stages, "]%s}\n", more);
  adl_harness *h = adl_harness_new(csv, types);
  adl_harness_threads(h, threads);
  if (memory > 0) adl_harness_memory(h, memory);
  adl_harness_run(h, stages->str, "s");
  ASSERT_OK(h);
  g_string_free(stages, TRUE);
  g_free(types);
  g_free(csv);
  return h;
}

START_TEST(low_rank_is_recovered) {
  adl_harness *h = run_planted(false, 2, 0, ", factors: 5, oversample: 2");
  ck_assert_double_gt(model_value(h, "singular_values", 2), 1);
  for (int j = RANK; j < 5; j++) ck_assert_double_lt(model_value(h, "singular_values", j), 1e-3);
  double worst = 0, norm = 0;
  for (int64_t row = 0; row < ROWS; row += 7)
    for (int i = 0; i < WIDTH; i++) {
      char name[16];
      snprintf(name, sizeof name, "x%d", i);
      double x = adl_harness_number(h, name, row), again = 0;
      for (int j = 0; j < RANK; j++) again += value(h, row, j) * model_value(h, "v", i * 5 + j);
      worst = fmax(worst, fabs(x - again));
      norm = fmax(norm, fabs(x));
    }
  ck_assert_msg(worst < 1e-5 * norm, "%g of %g", worst, norm);
  adl_harness_free(h);
}
END_TEST

START_TEST(order_does_not_matter) {
  adl_harness *h = run_planted(false, 2, 0, ", factors: 3"), *g = run_planted(true, 2, 0, ", factors: 3");
  for (int64_t row = 0; row < ROWS; row++)
    for (int j = 0; j < 3; j++) ck_assert_double_eq_tol(value(h, row, j), value(g, ROWS - 1 - row, j), 1e-5);
  adl_harness_free(h);
  adl_harness_free(g);
}
END_TEST

START_TEST(threads_and_memory_do_not_matter) {
  char *first = NULL;
  static const int threads[] = {1, 3, 2};
  for (int i = 0; i < 3; i++) {
    adl_harness *h = run_planted(false, threads[i], i == 2 ? 1 : 0, ", factors: 4, oversample: 3");
    adl_harness_same_bytes(h, &first);
    adl_harness_free(h);
  }
  g_free(first);
}
END_TEST

/* Indicators, sparse and as plain columns: the same decomposition. */
START_TEST(sparse_is_dense) {
  GString *csv = g_string_new("k,v0,v1,v2,v3,v4\n");
  for (uint64_t row = 0; row < 500; row++) {
    int k = (int)(adl_random_unit(1, row) * adl_random_unit(2, row) * 5);
    g_string_append_printf(csv, "v%d", k);
    for (int i = 0; i < 5; i++) g_string_append_printf(csv, ",%d", i == k);
    g_string_append_c(csv, '\n');
  }
  adl_harness *h = adl_harness_new(csv->str, "{k: category, v0: float, v1: float, v2: float, v3: float, v4: float}");
  double sparse[500][3];
  adl_harness_run(h,
                  "  o: {use: onehot, columns: [k], other: false}\n"
                  "  s: {use: svd, features: [onehot], factors: 3}\n",
                  "s");
  ASSERT_OK(h);
  for (int64_t row = 0; row < 500; row++)
    for (int j = 0; j < 3; j++) sparse[row][j] = value(h, row, j);
  adl_harness_run(h, "  s: {use: svd, features: [v0, v1, v2, v3, v4], factors: 3}\n", "s");
  ASSERT_OK(h);
  for (int64_t row = 0; row < 500; row++)
    for (int j = 0; j < 3; j++) ck_assert_double_eq_tol(value(h, row, j), sparse[row][j], 1e-6);
  adl_harness_free(h);
  g_string_free(csv, TRUE);
}
END_TEST

START_TEST(loaded_models) {
  adl_harness *h = adl_harness_new(small, columns);
  run(h, "factors: 2");
  ASSERT_OK(h);
  char *made = g_strdup(adl_harness_run_directory(h));
  adl_harness *g = adl_harness_new("a,b,c,d\n0,0,0,1\n1,1,0,4\n", columns);
  adl_harness_models(g, made);
  run(g, "factors: 2");
  ASSERT_OK(g);
  for (int j = 0; j < 2; j++) {
    ck_assert_double_eq_tol(value(g, 0, j), v[3][j], 1e-7);
    ck_assert_double_eq(value(g, 1, j), value(h, 2, j));
  }
  run(g, "factors: 3");
  ck_assert(!adl_harness_ok(g));
  ck_assert_ptr_nonnull(strstr(adl_harness_errors(g), "the model is not one of 3 factors of 4 dimensions"));
  g_free(made);
  adl_harness_free(g);
  adl_harness_free(h);
}
END_TEST

/* A file that is whole, but made by somebody who cut a tensor short. */
START_TEST(models_that_are_not_sound) {
  static const char *const names[] = {"singular_values", "explained_variance", "variance", "rows"};
  adl_harness *h = adl_harness_new(small, columns);
  run(h, "factors: 2");
  ASSERT_OK(h);
  char *made = g_strdup(adl_harness_run_directory(h)), *path = g_build_filename(made, "models/s.safetensors", NULL);
  adl_model_meta *meta;
  GError *error = NULL;
  adl_tensors *tensors = adl_model_read(path, &meta, &error), *cut = adl_tensors_copy(tensors);
  const char *why = NULL;
  ck_assert_ptr_nonnull(adl_tensors_get(cut, names[_i], ADL_FLOAT64, 1, (const int64_t[]){_i < 2 ? 1 : 0}, &why));
  ck_assert(adl_model_write(path, cut, meta, &error));
  adl_harness *g = adl_harness_new(small, columns);
  adl_harness_models(g, made);
  run(g, "factors: 2");
  ck_assert(!adl_harness_ok(g));
  ck_assert_ptr_nonnull(strstr(adl_harness_errors(g), "the model is not one of 2 factors of 4 dimensions"));
  adl_tensors_free(cut);
  adl_tensors_free(tensors);
  adl_model_meta_free(meta);
  g_free(path);
  g_free(made);
  adl_harness_free(g);
  adl_harness_free(h);
}
END_TEST

/* ---- odd input ---- */

START_TEST(lower_rank_than_factors) {
  static const char *const rows[] = {"a,b,c,d\n0,0,0,0\n0,0,0,0\n", "a,b,c,d\n2,0,0,0\n",
                                     "a,b,c,d\n1,1,0,0\n-2,-2,0,0\n"};
  static const double expected[] = {0, 2, 1.414213562};
  for (int i = 0; i < 3; i++) {
    adl_harness *h = adl_harness_new(rows[i], columns);
    run(h, "factors: 3");
    ASSERT_OK(h);
    ck_assert_double_eq_tol(value(h, 0, 0), expected[i], 1e-6);
    for (int64_t row = 0; row < adl_harness_rows(h); row++)
      for (int j = 1; j < 3; j++) ck_assert_double_eq(value(h, row, j), 0);
    ck_assert_double_eq(model_value(h, "singular_values", 1), 0);
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(bad_rows) {
  adl_harness *h = adl_harness_new("a,b,c,d\n1,0,0,0\nnan,0,0,0\n,0,0,0\n0,2,0,0\n0,1e39,0,0\n", columns);
  adl_harness_top(h, "max_rejects: 1\n");
  run(h, "factors: 2");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  ck_assert_double_eq(adl_harness_report(h, "s", "in-sample", "rows"), 2);
  char *rejects = adl_harness_rejects(h);
  ck_assert_ptr_nonnull(strstr(rejects, "s 3 a is NaN or infinite\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "s 4 a is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "s 6 b is too large for float32\n"));
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const struct {
    const char *csv, *parameters, *says;
  } cases[] = {
      {small, "factors: 5", "there are 4 dimensions, too few for 5 factors"},
      {small, "factors: 0", "factors: 0 is out of range"},
      {small, "power: -1, factors: 2", "power: -1 is out of range"},
      {"a,b,c,d\n", "factors: 2", "there are no training rows"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf("  s: {use: svd, features: [a, b, c, d], %s}\n", cases[i].parameters);
    assert_refused(cases[i].csv, columns, stages, cases[i].says);
    g_free(stages);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("svd");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, known_answers);
  tcase_add_test(tcase, power_iterations);
  tcase_add_test(tcase, normalised);
  tcase_add_test(tcase, low_rank_is_recovered);
  tcase_add_test(tcase, order_does_not_matter);
  tcase_add_test(tcase, threads_and_memory_do_not_matter);
  tcase_add_test(tcase, sparse_is_dense);
  tcase_add_test(tcase, loaded_models);
  tcase_add_loop_test(tcase, models_that_are_not_sound, 0, 4);
  tcase_add_test(tcase, lower_rank_than_factors);
  tcase_add_test(tcase, bad_rows);
  tcase_add_test(tcase, refusals);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
