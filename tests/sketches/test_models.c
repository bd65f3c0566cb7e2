/* Sketches with a model, on the real engine: a feature extractor, k-means, an online learner. */
#include "tests/sketches/sketches.h"

/* ---- extractor.c ---- */

/* Ten rows: red 4 times, blue 3, green 2, and once what is next to nothing. */
static const char colours[] = "c,held\nred,0\nblue,0\nred,0\ngreen,0\nred,0\nblue,0\ngreen,0\nred,0\nblue,0\npink,0\n";

START_TEST(an_extractor_takes_ninety_lines) { ck_assert_int_le(sketches_lines("extractor.c"), 90); }
END_TEST

START_TEST(extractor_counts_training_rows) {
  adl_harness *h = adl_harness_new(colours, "{c: string, held: int}");
  adl_harness_run(h, "  p: {use: sketch.popularity, column: c}\n", "p");
  ASSERT_OK(h);
  static const double counts[] = {4, 3, 4, 2, 4, 3, 2, 4, 3, 0};
  for (int i = 0; i < 10; i++) ck_assert_double_eq_tol(adl_harness_number(h, "popularity", i), log1p(counts[i]), 1e-6);
  adl_harness_run(h, "  p: {use: sketch.popularity, column: c, rare: 3, as: often}\n", "p");
  ASSERT_OK(h);
  ck_assert(adl_harness_number(h, "often", 3) == 0);
  ck_assert_double_eq_tol(adl_harness_number(h, "often", 1), log(4), 1e-6);
  adl_harness_free(h);
}
END_TEST

START_TEST(extractor_does_not_count_held_out_rows) {
  adl_harness *h = adl_harness_new("c,held\na,0\na,1\na,1\nb,0\nb,0\nz,1\n", "{c: string, held: int}");
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  adl_harness_run(h, "  p: {use: sketch.popularity, column: c, rare: 1}\n", "p");
  ASSERT_OK(h);
  static const double counts[] = {1, 1, 1, 2, 2, 0};
  for (int i = 0; i < 6; i++) ck_assert_double_eq_tol(adl_harness_number(h, "popularity", i), log1p(counts[i]), 1e-6);
  adl_harness_free(h);
}
END_TEST

START_TEST(extractor_uses_the_model_of_another_run) {
  adl_harness *h = adl_harness_new(colours, "{c: string, held: int}");
  const char *stages = "  p: {use: sketch.popularity, column: c}\n";
  adl_harness_run(h, stages, "p");
  ASSERT_OK(h);
  char *run = g_strdup(adl_harness_run_directory(h));
  adl_harness_models(h, run);
  adl_harness_file(h, "rows.csv", "c,held\nblue,0\nnever,0\n", -1);
  adl_harness_run(h, stages, "p");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  ck_assert_double_eq_tol(adl_harness_number(h, "popularity", 0), log(4), 1e-6);
  ck_assert(adl_harness_number(h, "popularity", 1) == 0);
  g_free(run);
  adl_harness_free(h);
}
END_TEST

START_TEST(extractor_is_told_what_is_wrong) {
  adl_harness *h = adl_harness_new("c,n\na,1\n,2\nb,3\n", "{c: string, n: float}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, "  p: {use: sketch.popularity, column: n}\n", "p");
  ASSERT_SAYS(h, "p.column");
  adl_harness_run(h, "  p: {use: sketch.popularity, column: c, rare: 0}\n", "p");
  ASSERT_SAYS(h, "p.rare: 0 is out of range [1, 1000000]");
  adl_harness_run(h, "  p: {use: sketch.popularity, column: c, as: n}\n", "p");
  ASSERT_SAYS(h, "there is a column `n` already");
  adl_harness_run(h, "  p: {use: sketch.popularity, column: c}\n", "p");
  ASSERT_OK(h);
  char *rejects = adl_harness_rejects(h);
  ck_assert_str_eq(rejects, "p 3 c is null\n");
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(extractor_is_the_same_on_any_number_of_threads) {
  GString *csv = g_string_new("c\n");
  for (int i = 0; i < 30000; i++) g_string_append_printf(csv, "v%u\n", (unsigned)(adl_random(1, (uint64_t)i) % 1000));
  adl_harness *h = adl_harness_new(csv->str, "{c: string}");
  sketches_same_on_threads(h, "  p: {use: sketch.popularity, column: c}\n"
                              "  o: {use: write-csv, path: out.csv}\n");
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

/* ---- table.c ---- */

static void expect_census(adl_harness *h, int rows, double first) {
  adl_harness_run(h,
                  "  c: {use: sketch.census, of: c}\n"
                  "  o: {use: write-csv, path: out.csv}\n",
                  "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), rows);
  char *value = adl_harness_text(h, "c", 0);
  ck_assert_str_eq(value, "red");
  ck_assert(adl_harness_number(h, "rows", 0) == first);
  free(value);
}

START_TEST(a_table_is_made_of_rows_and_of_a_model) {
  adl_harness *h = adl_harness_new(colours, "{c: string, held: int}");
  adl_harness_store(h, true);
  expect_census(h, 4, 4);
  char *fitted = adl_harness_digest(h);
  expect_census(h, 4, 4);
  char *loaded = adl_harness_digest(h), *run = g_strdup(adl_harness_run_directory(h));
  ck_assert_str_eq(fitted, loaded);
  adl_harness_models(h, run); /* the rows at hand do not count then */
  adl_harness_file(h, "rows.csv", "c,held\nblue,0\n", -1);
  expect_census(h, 4, 4);
  g_free(fitted), g_free(loaded), g_free(run);
  adl_harness_free(h);
}
END_TEST

START_TEST(a_table_of_many_rows_is_cut_into_batches) {
  GString *csv = g_string_new("c\n");
  for (int i = 0; i < 30000; i++) g_string_append_printf(csv, "%s%d\n", i == 0 ? "red" : "v", i % 20000);
  adl_harness *h = adl_harness_new(csv->str, "{c: string}");
  adl_harness_run(h, "  c: {use: sketch.census, of: c}\n", "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 20001);
  double rows = 0;
  for (int i = 0; i < 20001; i++) rows += adl_harness_number(h, "rows", i);
  ck_assert(rows == 30000);
  sketches_same_on_threads(h, "  c: {use: sketch.census, of: c}\n  o: {use: write-csv, path: out.csv}\n");
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

/* ---- kmeans.c ---- */

static double bell(uint64_t key, int i) {
  return sqrt(-2 * log1p(-adl_random_unit(key, (uint64_t)i))) *
         cos(2 * 3.14159265358979 * adl_random_unit(key + 1, (uint64_t)i));
}

/* n rows around five points on a circle. */
static char *blobs(int n) {
  GString *csv = g_string_new("x,y\n");
  for (int i = 0; i < n; i++) {
    double angle = (double)(adl_random(7, (uint64_t)i) % 5) * 1.2566370614;
    g_string_append_printf(csv, "%.4f,%.4f\n", 10 * cos(angle) + bell(11, i), 10 * sin(angle) + bell(13, i));
  }
  return g_string_free(csv, FALSE);
}

static double tensor_number(const adl_harness *h, const char *stage, const char *name) {
  adl_tensor tensor;
  ck_assert(adl_tensors_find(adl_harness_model(h, stage), name, &tensor));
  ck_assert_int_eq(tensor.element, ADL_FLOAT64);
  return *(double *)tensor.data;
}

START_TEST(kmeans_finds_what_the_shipped_one_finds) {
  char *csv = blobs(9000);
  adl_harness *h = adl_harness_new(csv, "{x: float, y: float}");
  adl_harness_run(h,
                  "  a: {use: sketch.kmeans, features: [x, y], clusters: 5, as: a}\n"
                  "  b: {use: kmeans, features: [x, y], clusters: 5, as: b}\n",
                  "b");
  ASSERT_OK(h);
  double own = tensor_number(h, "a", "inertia"), shipped = tensor_number(h, "b", "inertia");
  ck_assert_msg(fabs(own - shipped) < 1e-3 * shipped, "inertia %g, of the shipped kmeans %g", own, shipped);
  ck_assert_msg(own > 0.9 * 2 * 9000 && own < 1.1 * 2 * 9000, "inertia %g", own); /* two dimensions of variance 1 */
  double other[5] = {-1, -1, -1, -1, -1}; /* the clusters are the same but for their numbers */
  for (int i = 0; i < 9000; i++) {
    double *pair = &other[(int)adl_harness_number(h, "a", i)];
    if (*pair < 0) *pair = adl_harness_number(h, "b", i);
    ck_assert(*pair == adl_harness_number(h, "b", i));
  }
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(kmeans_is_the_same_on_any_number_of_threads) {
  char *csv = blobs(30000);
  adl_harness *h = adl_harness_new(csv, "{x: float, y: float}");
  adl_harness_source(h, "holdout: {fraction: 0.3}");
  sketches_same_on_threads(h, "  a: {use: sketch.kmeans, features: [x, y], clusters: 7, max_iter: 10}\n"
                              "  o: {use: write-csv, path: out.csv}\n");
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(kmeans_draws_by_the_seed) {
  char *csv = blobs(2000);
  adl_harness *h = adl_harness_new(csv, "{x: float, y: float}");
  const char *stages = "  a: {use: sketch.kmeans, features: [x, y], clusters: 20, max_iter: 1}\n";
  char *first = sketches_digest(h, stages), *again = sketches_digest(h, stages);
  adl_harness_top(h, "seed: 5\n");
  char *other = sketches_digest(h, stages);
  ck_assert_str_eq(first, again);
  ck_assert_str_ne(first, other);
  g_free(first), g_free(again), g_free(other);
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(kmeans_has_no_more_clusters_than_distinct_rows) {
  adl_harness *h = adl_harness_new("x,y\n1,1\n2,2\n1,1\n2,2\n2,2\n", "{x: float, y: float}");
  adl_harness_run(h, "  a: {use: sketch.kmeans, features: [x, y], clusters: 4}\n", "a");
  ASSERT_OK(h);
  adl_tensor centers;
  ck_assert(adl_tensors_find(adl_harness_model(h, "a"), "centers", &centers));
  ck_assert_int_eq(centers.size[0], 2);
  ck_assert(tensor_number(h, "a", "inertia") == 0);
  ck_assert(adl_harness_number(h, "cluster", 0) == adl_harness_number(h, "cluster", 2));
  ck_assert(adl_harness_number(h, "cluster", 0) != adl_harness_number(h, "cluster", 1));
  adl_harness_file(h, "rows.csv", "x,y\n", -1);
  adl_harness_run(h, "  a: {use: sketch.kmeans, features: [x, y], clusters: 4}\n", "a");
  ASSERT_SAYS(h, "there are no rows to cluster");
  adl_harness_free(h);
}
END_TEST

/* Fits `fitted` in one run, and applies what came of it to `applied` in the next. */
static void expect_refusal(const char *fitted, const char *applied, const char *why) {
  adl_harness *h = adl_harness_new("c,x,y\na,1,1\nb,0,2\na,1,3\n", "{c: string, x: float, y: float}");
  adl_harness_run(h, fitted, NULL);
  ASSERT_OK(h);
  char *run = g_strdup(adl_harness_run_directory(h));
  adl_harness_models(h, run);
  adl_harness_run(h, applied, NULL);
  ASSERT_SAYS(h, "a.safetensors cannot be used: ");
  ASSERT_SAYS(h, why);
  g_free(run);
  adl_harness_free(h);
}

START_TEST(a_model_of_other_features_is_refused_by_the_core) {
  const char *one = "  a: {use: sketch.kmeans, features: [x], clusters: 2}\n";
  const char *two = "  a: {use: sketch.kmeans, features: [x, y], clusters: 2}\n";
  const char *other = "  a: {use: sketch.kmeans, features: [y], clusters: 2}\n";
  expect_refusal(two, one, "it was fitted on `y` (float64), too, which the stage does not read now");
  expect_refusal(one, two, "it was not fitted on `y` (float64), which the stage reads now");
  expect_refusal(one, other, "it was fitted on `x` (float64) where there is now `y` (float64)");
  expect_refusal("  w: {use: hash, columns: [c], bits: 8, as: w}\n  a: {use: sketch.online, features: [w], label: x}\n",
                 "  w: {use: hash, columns: [c], bits: 9, as: w}\n  a: {use: sketch.online, features: [w], label: x}\n",
                 "it was fitted on `w` (");
}
END_TEST

START_TEST(kmeans_takes_no_sparse_features) {
  adl_harness *h = adl_harness_new("c\na\nb\n", "{c: string}");
  adl_harness_run(h,
                  "  x: {use: hash, columns: [c], bits: 8, as: x}\n"
                  "  a: {use: sketch.kmeans, features: [x], clusters: 2}\n",
                  "a");
  ASSERT_SAYS(h, "a.features");
  adl_harness_free(h);
}
END_TEST

/* ---- online.c ---- */

/* x and label; label 1 is likelier for large x; every third row is held out. */
static char *clicks(int n) {
  GString *csv = g_string_new("x,label,held\n");
  for (int i = 0; i < n; i++) {
    double x = 2 * adl_random_unit(3, (uint64_t)i) - 1;
    int label = adl_random_unit(5, (uint64_t)i) < 1 / (1 + exp(-3 * x));
    g_string_append_printf(csv, "%.5f,%d,%d\n", x, label, i % 3 == 2);
  }
  return g_string_free(csv, FALSE);
}

/* The score that each row must have got, computed here: held-out rows by the model as it stood before their batch. */
static void expect_scores(adl_harness *h, int n, int batch) {
  double w = 0, b = 0, w_before = 0, b_before = 0;
  for (int i = 0; i < n; i++) {
    if (i % batch == 0) w_before = w, b_before = b;
    float x = (float)adl_harness_number(h, "x", i);
    bool held = adl_harness_number(h, "held", i) == 1;
    double sum = held ? b_before + w_before * (double)x : b + w * (double)x, p = 1 / (1 + exp(-sum));
    ck_assert_msg(adl_harness_number(h, "score", i) == (double)(float)p, "row %d: %g, should be %g", i,
                  adl_harness_number(h, "score", i), p);
    if (held) continue;
    double step = 0.1 * (adl_harness_number(h, "label", i) - p);
    w += step * (double)x;
    b += step;
  }
}

START_TEST(learner_scores_rows_before_it_learns_from_them) {
  char *csv = clicks(3000);
  adl_harness *h = adl_harness_new(csv, "{x: float, label: int, held: int}");
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  adl_harness_run(h, "  l: {use: sketch.online, features: [x], label: label, learn: online}\n", "l");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 3000);
  ck_assert(adl_harness_number(h, "score", 0) == 0.5);
  expect_scores(h, 3000, 3000); /* as few rows as that are one batch */
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(learner_fits_by_one_pass_of_learn) {
  char *csv = clicks(3000);
  adl_harness *h = adl_harness_new(csv, "{x: float, label: int, held: int}");
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  adl_harness_run(h, "  l: {use: sketch.online, features: [x], label: label, learn: online}\n", NULL);
  ASSERT_OK(h);
  adl_tensor online, fitted;
  ck_assert(adl_tensors_find(adl_harness_model(h, "l"), "weights", &online));
  double weights[2] = {((double *)online.data)[0], ((double *)online.data)[1]};
  ck_assert_double_gt(weights[0], 1); /* it has learned */
  adl_harness_run(h, "  l: {use: sketch.online, features: [x], label: label}\n", "l");
  ASSERT_OK(h);
  ck_assert(adl_tensors_find(adl_harness_model(h, "l"), "weights", &fitted));
  ck_assert(memcmp(weights, fitted.data, sizeof weights) == 0);
  ck_assert(adl_harness_number(h, "score", 0) != 0.5); /* the same score, at the end */
  char *run = g_strdup(adl_harness_run_directory(h));
  double score = adl_harness_number(h, "score", 42);
  adl_harness_models(h, run);
  adl_harness_run(h, "  l: {use: sketch.online, features: [x], label: label}\n", "l");
  ASSERT_OK(h);
  ck_assert(adl_harness_number(h, "score", 42) == score);
  g_free(run);
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(learner_goes_on_from_a_model) {
  char *csv = clicks(500);
  adl_harness *h = adl_harness_new(csv, "{x: float, label: int, held: int}");
  adl_harness_run(h, "  l: {use: sketch.online, features: [x], label: label, learn: online}\n", NULL);
  ASSERT_OK(h);
  adl_tensor weights;
  ck_assert(adl_tensors_find(adl_harness_model(h, "l"), "weights", &weights));
  double w = ((double *)weights.data)[0], b = ((double *)weights.data)[1];
  char *stages = g_strdup_printf(
      "  l: {use: sketch.online, features: [x], label: label, learn: online, model: %s/models/l.safetensors}\n",
      adl_harness_run_directory(h));
  adl_harness_run(h, stages, "l");
  ASSERT_OK(h);
  double x = adl_harness_number(h, "x", 0);
  ck_assert_double_eq_tol(adl_harness_number(h, "score", 0), 1 / (1 + exp(-b - w * x)), 1e-6);
  g_free(stages);
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(learner_refuses_what_is_no_label) {
  adl_harness *h = adl_harness_new("x,label\n1,0\n2,1\n3,2\n4,\n5,1\n", "{x: float, label: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  for (int online = 0; online < 2; online++) {
    char *stages = g_strdup_printf("  l: {use: sketch.online, features: [x], label: label, learn: %s}\n",
                                   online ? "online" : "fit");
    adl_harness_run(h, stages, "l");
    ASSERT_OK(h);
    char *rejects = adl_harness_rejects(h);
    ck_assert_msg(strstr(rejects, "l 4 label is 2; labels are 0 and 1\n") != NULL, "%s", rejects);
    ck_assert_msg(strstr(rejects, "l 5 label is null\n") != NULL, "%s", rejects);
    ck_assert_int_eq(adl_harness_rejected(h), 2);
    ck_assert_int_eq(adl_harness_rows(h), 3);
    free(rejects);
    g_free(stages);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(learner_needs_no_labels_to_predict) {
  char *csv = clicks(500);
  const char *stages = "  l: {use: sketch.online, features: [x], label: label}\n";
  adl_harness *past = adl_harness_new(csv, "{x: float, label: int, held: int}");
  adl_harness_run(past, stages, NULL);
  ASSERT_OK(past);
  adl_harness *h = adl_harness_new("x\n-1\n1\n", "{x: float}");
  adl_harness_models(h, adl_harness_run_directory(past));
  adl_harness_run(h, stages, "l");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  ck_assert_double_lt(adl_harness_number(h, "score", 0), 0.3);
  ck_assert_double_gt(adl_harness_number(h, "score", 1), 0.7);
  free(csv);
  adl_harness_free(past);
  adl_harness_free(h);
}
END_TEST

START_TEST(rows_that_fitting_rejects_count_even_if_nobody_reads_the_scores) {
  adl_harness *h = adl_harness_new("x,label\n1,0\n2,1\n3,2\n4,1\n", "{x: float, label: int}");
  adl_harness_run(h, "  l: {use: sketch.online, features: [x], label: label}\n", NULL);
  ASSERT_SAYS(h, "1 of 4 rows (25.00 %) were rejected");
  adl_harness_free(h);
}
END_TEST

START_TEST(learner_takes_sparse_features_and_any_number_of_threads) {
  GString *csv = g_string_new("user,label\n");
  for (int i = 0; i < 20000; i++)
    g_string_append_printf(csv, "u%u,%d\n", (unsigned)(adl_random(1, (uint64_t)i) % 300),
                           adl_random_unit(2, (uint64_t)i) < 0.2);
  adl_harness *h = adl_harness_new(csv->str, "{user: id, label: int}");
  adl_harness_source(h, "holdout: {fraction: 0.2}");
  sketches_same_on_threads(h, "  x: {use: hash, columns: [user], bits: 10, as: x}\n"
                              "  l: {use: sketch.online, features: [x], label: label, learn: online}\n"
                              "  o: {use: write-csv, path: out.csv, columns: [user, score]}\n");
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("sketches: models");
  TCase *t = tcase_create("extractor");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, an_extractor_takes_ninety_lines);
  tcase_add_test(t, extractor_counts_training_rows);
  tcase_add_test(t, extractor_does_not_count_held_out_rows);
  tcase_add_test(t, extractor_uses_the_model_of_another_run);
  tcase_add_test(t, extractor_is_told_what_is_wrong);
  tcase_add_test(t, extractor_is_the_same_on_any_number_of_threads);
  tcase_add_test(t, a_table_is_made_of_rows_and_of_a_model);
  tcase_add_test(t, a_table_of_many_rows_is_cut_into_batches);
  suite_add_tcase(s, t);
  t = tcase_create("kmeans");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, kmeans_finds_what_the_shipped_one_finds);
  tcase_add_test(t, kmeans_is_the_same_on_any_number_of_threads);
  tcase_add_test(t, kmeans_draws_by_the_seed);
  tcase_add_test(t, kmeans_has_no_more_clusters_than_distinct_rows);
  tcase_add_test(t, a_model_of_other_features_is_refused_by_the_core);
  tcase_add_test(t, kmeans_takes_no_sparse_features);
  suite_add_tcase(s, t);
  t = tcase_create("online");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, learner_scores_rows_before_it_learns_from_them);
  tcase_add_test(t, learner_fits_by_one_pass_of_learn);
  tcase_add_test(t, learner_goes_on_from_a_model);
  tcase_add_test(t, learner_refuses_what_is_no_label);
  tcase_add_test(t, learner_needs_no_labels_to_predict);
  tcase_add_test(t, rows_that_fitting_rejects_count_even_if_nobody_reads_the_scores);
  tcase_add_test(t, learner_takes_sparse_features_and_any_number_of_threads);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  sketches_find();
  return sketches_run(suite());
}
