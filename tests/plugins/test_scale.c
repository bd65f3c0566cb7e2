/* scale: known values, nulls, constants, numbers that are far from zero, refusals. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/tensors.h"
#include "tests/plugins/bare_host.h"
#include "tests/plugins/bare_stage.h"

extern const adl_plugin *adl_entry_scale(const adl_host *host);

static const adl_class *class_of(void) { return adl_entry_scale(bare_call()->host)->classes[0]; }

static bare_table table;
static bare_stage *stage;

static void teardown(void) {
  if (stage != NULL) bare_stage_free(stage);
  stage = NULL;
  bare_table_clear(&table);
}

#define BIND(...)                                                                                                      \
  do {                                                                                                                 \
    adl_status status;                                                                                                 \
    if (stage != NULL) bare_stage_free(stage);                                                                         \
    stage = bare_stage_new(class_of(), &table, &status, __VA_ARGS__, NULL);                                            \
    stage->batch_rows = 2;                                                                                             \
  } while (0)

#define RUN(...)                                                                                                       \
  do {                                                                                                                 \
    BIND(__VA_ARGS__);                                                                                                 \
    ck_assert_str_eq(stage->failed->str, "");                                                                          \
    ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_OK);                                                           \
    ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);                                                       \
  } while (0)

static void add_numbers(void) {
  bare_add(&table, "a", "double", "1", "2", "3", "4", NULL);
  bare_add(&table, "b", "int", "10", "0", "0", "-10", NULL);
  bare_add(&table, "v", "vector", "0 5", "1 5", "0 5", "1 6", NULL);
  bare_add(&table, "t", "bool", "true", "false", "false", "false", NULL);
}

START_TEST(standardise) {
  add_numbers();
  RUN("columns", "[a, b, v, t]");
  ck_assert_int_eq(stage->type.shape, ADL_VECTOR);
  ck_assert_int_eq(stage->type.width, 5);
  ck_assert_str_eq(bare_row(stage, 0), "-1.34164 1.41421 -1 -0.57735 1.73205");
  ck_assert_str_eq(bare_row(stage, 1), "-0.447214 0 1 -0.57735 -0.57735");
  ck_assert_str_eq(bare_row(stage, 2), "0.447214 0 -1 -0.57735 -0.57735");
  ck_assert_str_eq(bare_row(stage, 3), "1.34164 -1.41421 1 1.73205 -0.57735");
  static const char *const names[] = {"a", "b", "v[0]", "v[1]", "t"};
  for (guint d = 0; d < 5; d++) ck_assert_str_eq(stage->names->pdata[d], names[d]);
  ck_assert_str_eq(stage->warned->str, "");
}
END_TEST

START_TEST(minmax) {
  add_numbers();
  RUN("columns", "[a, b, v, t]", "method", "minmax", "as", "m");
  ck_assert_str_eq(bare_row(stage, 0), "0 1 0 0 1");
  ck_assert_str_eq(bare_row(stage, 1), "0.333333 0.5 1 0 0");
  ck_assert_str_eq(bare_row(stage, 3), "1 0 1 1 0");
}
END_TEST

START_TEST(log1p_first) {
  bare_add(&table, "a", "float", "0", "1.7182818", "6.3890561", "-1", "-2", "-0.5", NULL);
  RUN("columns", "a", "method", "none", "log1p", "true");
  ck_assert_str_eq(bare_row(stage, 0), "0");
  ck_assert_str_eq(bare_row(stage, 1), "1");
  ck_assert_str_eq(bare_row(stage, 2), "2");
  ck_assert_str_eq(bare_row(stage, 5), "-0.693147");
  ck_assert_str_eq(bare_rejected(stage, 3), "a: ln(1 + x) is not defined for -1");
  ck_assert_str_eq(bare_rejected(stage, 4), "a: ln(1 + x) is not defined for -2");
  ck_assert_uint_eq(g_hash_table_size(stage->rejected), 2);
  RUN("columns", "a", "method", "minmax", "log1p", "true");
  ck_assert_str_eq(bare_row(stage, 2), "1");
  ck_assert_str_eq(bare_row(stage, 5), "0");
}
END_TEST

/* A row that is rejected for one column counts in none: b's mean is 2. */
START_TEST(nulls_are_rejected) {
  bare_add(&table, "a", "float", "1", bare_null, "3", NULL);
  bare_add(&table, "b", "float", "1", "100", "3", NULL);
  RUN("columns", "[b, a]");
  ck_assert_str_eq(bare_row(stage, 0), "-1 -1");
  ck_assert_str_eq(bare_row(stage, 2), "1 1");
  ck_assert_str_eq(bare_rejected(stage, 1), "a: null; `null: mean` would take the column's mean instead");
  ck_assert_uint_eq(g_hash_table_size(stage->rejected), 1);
}
END_TEST

START_TEST(nulls_become_the_mean) {
  bare_add(&table, "a", "float", "1", bare_null, "3", "8", NULL);
  bare_add(&table, "v", "vector", "1 0", "3 2", bare_null, "2 4", NULL);
  RUN("columns", "[a, v]", "null", "mean");
  ck_assert_str_eq(bare_row(stage, 1), "0 1.22474 0");
  ck_assert_str_eq(bare_row(stage, 2), "-0.339683 0 0");
  ck_assert_uint_eq(g_hash_table_size(stage->rejected), 0);
  RUN("columns", "[a, v]", "null", "mean", "method", "none");
  ck_assert_str_eq(bare_row(stage, 1), "4 3 2");
  ck_assert_str_eq(bare_row(stage, 2), "3 2 2");
  RUN("columns", "a", "null", "mean", "method", "minmax");
  ck_assert_str_eq(bare_row(stage, 1), "0.428571");
}
END_TEST

START_TEST(constants_are_zero_for_ever) {
  bare_add(&table, "a", "double", "0.1", "0.1", "0.1", NULL);
  bare_add(&table, "v", "vector", "1 7", "2 7", "3 7", NULL);
  RUN("columns", "[a, v]");
  ck_assert_str_eq(bare_row(stage, 0), "0 -1.22474 0");
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "a is the same in all training rows; scaled, it is 0"));
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "1 of the 2 dimensions of v are the same in all training rows"));
  bare_table other = {0};
  bare_add(&other, "a", "double", "5", NULL);
  bare_add(&other, "v", "vector", "2 -3", NULL);
  ck_assert_int_eq(bare_stage_process(stage, &other), ADL_OK);
  ck_assert_str_eq(bare_row(stage, 0), "0 0 0");
  bare_table_clear(&other);
}
END_TEST

START_TEST(one_row_is_constant) {
  bare_add(&table, "a", "double", "3", NULL);
  RUN("columns", "a", "method", "minmax");
  ck_assert_str_eq(bare_row(stage, 0), "0");
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "a is the same in all training rows"));
}
END_TEST

/* Sums of squares would lose all digits here; any number of lanes and any batch gives the same to rounding. */
START_TEST(far_from_zero) {
  bare_add(&table, "a", "double", "1000000000.25", "1000000000.5", "1000000000.75", "1000000001", "1000000001.25",
           NULL);
  for (int lanes = 1; lanes <= 4; lanes++)
    for (int64_t rows = 1; rows <= 5; rows++) {
      adl_tensor divide;
      BIND("columns", "a");
      stage->lanes = lanes;
      stage->batch_rows = rows;
      ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_OK);
      ck_assert(adl_tensors_find(stage->model_tensors, "divide", &divide));
      ck_assert_double_eq_tol(*(const double *)divide.data, sqrt(.125), 1e-6);
    }
  ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);
  ck_assert_str_eq(bare_row(stage, 2), "0");
  ck_assert_str_eq(bare_row(stage, 4), "1.41421");
}
END_TEST

START_TEST(too_large) {
  bare_add(&table, "a", "double", "1e200", "-1e200", NULL);
  BIND("columns", "a");
  ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "columns[0]: the values of a are too large for float64\n");
  RUN("columns", "a", "method", "minmax");
  ck_assert_str_eq(bare_row(stage, 0), "1");
  bare_add(&table, "b", "double", "0", "1e-30", NULL);
  RUN("columns", "b");
  bare_table other = {0};
  bare_add(&other, "a", "double", "0", NULL);
  bare_add(&other, "b", "double", "1e30", NULL);
  ck_assert_int_eq(bare_stage_process(stage, &other), ADL_OK);
  ck_assert_str_eq(bare_rejected(stage, 0), "scaled: a scaled value does not fit a float32");
  bare_table_clear(&other);
}
END_TEST

START_TEST(nothing_to_learn_from) {
  bare_add(&table, "a", "double", "1", "2", NULL);
  bare_add(&table, "b", "double", bare_null, bare_null, NULL);
  bare_add(&table, "v", "vector", "1 2", bare_null, NULL);
  BIND("columns", "[a, b, v]", "null", "mean");
  ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "columns[1]: b has no value in any training row\n");
  bare_table none = {0};
  bare_add(&none, "a", "double", NULL);
  BIND("columns", "a");
  ck_assert_int_eq(bare_stage_fit(stage, &none), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "columns[0]: a has no value in any training row\n");
  bare_table_clear(&none);
}
END_TEST

START_TEST(refused_at_bind) {
  bare_add(&table, "a", "double", "1", NULL);
  BIND("columns", "a", "method", "none");
  ck_assert_str_eq(stage->failed->str, "method: with method none and without log1p nothing would change\n");
  BIND("columns", "[]");
  ck_assert_str_eq(stage->failed->str, "columns: there is nothing to scale\n");
}
END_TEST

START_TEST(damaged_models_are_refused) {
  const int64_t two = 2;
  const char *why;
  bare_add(&table, "a", "double", "1", "2", NULL);
  RUN("columns", "a");
  adl_tensors_get(stage->model_tensors, "subtract", ADL_FLOAT64, 1, &two, &why);
  ck_assert_int_eq(bare_stage_process(stage, &table), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(stage->failed->str, "`subtract` is missing or does not fit the 1 dimensions"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("scale");
  TCase *cases = tcase_create("scale");
  tcase_add_checked_fixture(cases, NULL, teardown);
  tcase_add_test(cases, standardise);
  tcase_add_test(cases, minmax);
  tcase_add_test(cases, log1p_first);
  tcase_add_test(cases, nulls_are_rejected);
  tcase_add_test(cases, nulls_become_the_mean);
  tcase_add_test(cases, constants_are_zero_for_ever);
  tcase_add_test(cases, one_row_is_constant);
  tcase_add_test(cases, far_from_zero);
  tcase_add_test(cases, too_large);
  tcase_add_test(cases, nothing_to_learn_from);
  tcase_add_test(cases, refused_at_bind);
  tcase_add_test(cases, damaged_models_are_refused);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
