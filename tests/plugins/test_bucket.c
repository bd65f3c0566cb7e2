/* bucket, and scale's quantiles, on the real engine: what scikit-learn gives, ties, more values than are kept, nulls, the same
 * for any number of threads, refusals. */
#include <math.h>
#include <stdio.h>

#include "tests/plugins/transform.h"

static const char twelve[] = "x\n3\n1\n4\n1\n5\n9\n2\n6\n5\n3\n5\n8\n";

static void assert_bucket(const char *csv, const char *parameters, const char *expected) {
  adl_harness *h = adl_harness_new(csv, "{x: float}");
  char *stage = g_strdup_printf("  b: {use: bucket, columns: [x]%s}\n", parameters);
  adl_harness_run(h, stage, "b");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x_bucket", expected);
  ck_assert_int_eq(adl_harness_type(h, "x_bucket").element, ADL_INT32);
  ck_assert_int_eq(adl_harness_type(h, "x_bucket").role, ADL_CATEGORY);
  g_free(stage);
  adl_harness_free(h);
}

START_TEST(known_buckets) {
  /* KBinsDiscretizer(4, strategy="quantile") of scikit-learn 1.2 */
  assert_bucket(twelve, ", buckets: 4", "1|0|1|0|2|3|0|3|2|1|2|3");
  assert_bucket(twelve, ", edges: [2, 5, 7]", "1|0|1|0|2|3|1|2|2|1|2|3");
  assert_bucket(twelve, ", edges: 4.5", "0|0|0|0|1|1|0|1|1|0|1|1");
  assert_bucket("x\n0\n0\n0\n0\n0\n7\n", ", buckets: 3", "0|0|0|0|0|0");  /* the edges are all 0 */
  assert_bucket("x\n0\n0\n0\n0\n7\n7\n", ", buckets: 3", "0|0|0|0|1|1");  /* at 2/3: between 0 and 7 */
  assert_bucket("x\n-1\n7\n7\n7\n7\n7\n", ", buckets: 3", "0|1|1|1|1|1"); /* one at the largest value stays */
  assert_bucket("x\n1\n\"\"\n3\n", ", buckets: 2", "0|null|1");
  assert_bucket("x\n5\n", ", buckets: 10", "0");
  assert_bucket("x\n\"\"\n\"\"\n", ", edges: [1]", "null|null");
}
END_TEST

static const char *const refusals[][2] = {
    {"columns: [x], edges: [1, 1]", "edges must rise, and 1 does not after 1"},
    {"columns: [x], edges: [2, 1]", "edges must rise, and 1 does not after 2"},
    {"columns: [x], edges: [inf]", "an edge is a finite number"},
    {"columns: [x], buckets: 1", "buckets: 1 is out of range"},
    {"columns: [x], suffix: ''", "without a suffix"},
    {"columns: [s]", "column `s` is"},
    {"columns: [id]", "column `id` is"},
    {"columns: [none]", "none has no value in any training row"},
};

START_TEST(refused) {
  char *stage = g_strdup_printf("  b: {use: bucket, %s}\n", refusals[_i][0]);
  assert_refused("x,s,id,none\n1,a,1,\n2,b,2,\n", "{x: float, s: string, id: id, none: float}", stage, refusals[_i][1]);
  g_free(stage);
}
END_TEST

static void assert_quantile(const char *csv, const char *more, const double *expected, int count) {
  adl_harness *h = adl_harness_new(csv, "{x: float}");
  char *stage = g_strdup_printf("  s: {use: scale, columns: [x], method: quantile%s}\n", more);
  adl_harness_run(h, stage, "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), count);
  const float *scaled = adl_harness_column(h, "scaled")->data;
  for (int i = 0; i < count; i++)
    ck_assert_msg(fabs((double)scaled[i] - expected[i]) < 1e-7, "row %d: %.8g, not %.8g", i, (double)scaled[i],
                  expected[i]);
  g_free(stage);
  adl_harness_free(h);
}

/* QuantileTransformer of scikit-learn 1.2, with 1000 quantiles (12 are kept, one for each row) and with 5. */
START_TEST(known_quantiles) {
  static const double all[] = {0.3181818, 0,         0.4545455, 0,         0.6363636, 1,
                               0.1818182, 0.8181818, 0.6363636, 0.3181818, 0.6363636, 0.9090909};
  static const double five[] = {0.2857143, 0,   0.4285714, 0,         0.6666667, 1,
                                0.1428571, 0.8, 0.6666667, 0.2857143, 0.6666667, 0.9333333};
  static const double constant[] = {0, 0}, pair[] = {1, 0}, with_null[] = {0, 0.5, 1};
  assert_quantile(twelve, "", all, 12);
  assert_quantile(twelve, ", quantiles: 5", five, 12);
  assert_quantile("x\n-3\n-3\n", "", constant, 2);
  assert_quantile("x\n4\n-4\n", "", pair, 2);
  assert_quantile("x\n1\n\"\"\n3\n", ", null: mean", with_null, 3);
}
END_TEST

/* 60,000 different values, in no order, of a long tail: far more than are kept. Ranks are right to two parts in a thousand, the
 * buckets as large, and nothing depends on the number of threads. */
START_TEST(more_values_than_are_kept) {
  enum { ROWS = 60000 };
  GString *text = g_string_new("x\n");
  for (int i = 0; i < ROWS; i++)
    g_string_append_printf(text, "%.17g\n", exp(12.0 * ((i * INT64_C(7919)) % ROWS) / ROWS));
  char *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness *h = adl_harness_new(text->str, "{x: float}");
    adl_harness_threads(h, threads);
    adl_harness_run(h,
                    "  s: {use: scale, columns: [x], method: quantile}\n"
                    "  b: {use: bucket, columns: [x], buckets: 20}\n",
                    "b");
    ASSERT_OK(h);
    const adl_column *scaled = adl_harness_column(h, "scaled"), *bucket = adl_harness_column(h, "x_bucket");
    int sizes[20] = {0};
    double worst = 0;
    for (int i = 0; i < ROWS; i++) {
      double rank = (double)((i * INT64_C(7919)) % ROWS) / (ROWS - 1);
      worst = fmax(worst, fabs((double)((const float *)scaled->data)[i] - rank));
      sizes[((const int32_t *)bucket->data)[i]]++;
    }
    ck_assert_msg(worst < 2e-3, "a rank is wrong by %g", worst);
    for (int b = 0; b < 20; b++) ck_assert_msg(abs(sizes[b] - ROWS / 20) < 120, "bucket %d has %d rows", b, sizes[b]);
    char *digest = adl_harness_digest(h);
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(digest, first) == 0, "%d threads differ from one", threads);
    free(digest);
    adl_harness_free(h);
  }
  g_free(first);
  g_string_free(text, TRUE);
}
END_TEST

/* A column that most rows share one value of keeps it exact, and buckets cross with others. */
START_TEST(shared_values_and_crosses) {
  GString *text = g_string_new("x\n");
  for (int i = 0; i < 30000; i++) g_string_append_printf(text, "%d\n", i % 3 == 0 ? i : 15000);
  adl_harness *h = adl_harness_new(text->str, "{x: float}");
  adl_harness_run(h,
                  "  s: {use: scale, columns: [x], method: quantile}\n"
                  "  b: {use: bucket, columns: [x], buckets: 3, suffix: _third}\n"
                  "  c: {use: hash, columns: [x_third], crosses: [[x_third, x_third]], bits: 8, as: w}\n",
                  "c");
  ASSERT_OK(h);
  const float *scaled = adl_harness_column(h, "scaled")->data;
  const int32_t *third = adl_harness_column(h, "x_third")->data;
  ck_assert_double_eq_tol((double)scaled[1], 0.5, 1e-3); /* ranks 1/6 to 5/6 */
  ck_assert_int_eq(third[0], 0);
  ck_assert_int_eq(third[1], 1);
  ck_assert_int_eq(adl_harness_type(h, "w").shape, ADL_SPARSE);
  g_string_free(text, TRUE);
  adl_harness_free(h);
}
END_TEST

/* Saved by one run, used by another on other rows. */
START_TEST(models_are_loaded) {
  adl_harness *h = adl_harness_new(twelve, "{x: float}");
  const char *stages =
      "  s: {use: scale, columns: [x], method: quantile}\n  b: {use: bucket, columns: [x], buckets: 4}\n";
  adl_harness_run(h, stages, "b");
  ASSERT_OK(h);
  adl_harness *other = adl_harness_new("x\n-100\n1\n2.75\n4.49\n100\n", "{x: float}");
  adl_harness_models(other, adl_harness_run_directory(h));
  adl_harness_run(other, stages, "b");
  ASSERT_OK(other);
  ASSERT_VALUES(other, "x_bucket", "0|0|1|1|3");
  const float *scaled = adl_harness_column(other, "scaled")->data;
  ck_assert(scaled[0] == 0 && scaled[1] == 0 && scaled[4] == 1);
  adl_harness_free(other);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bucket");
  TCase *cases = tcase_create("bucket");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, known_buckets);
  tcase_add_loop_test(cases, refused, 0, (int)G_N_ELEMENTS(refusals));
  tcase_add_test(cases, known_quantiles);
  tcase_add_test(cases, more_values_than_are_kept);
  tcase_add_test(cases, shared_values_and_crosses);
  tcase_add_test(cases, models_are_loaded);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
