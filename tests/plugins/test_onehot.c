/* onehot: which values get a dimension and what stands in it, lists and bags, limits, refusals. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/tensors.h"
#include "tests/plugins/bare_host.h"
#include "tests/plugins/bare_stage.h"

extern const adl_plugin *adl_entry_onehot(const adl_host *host);

static const adl_class *class_of(void) { return adl_entry_onehot(bare_call()->host)->classes[0]; }

static bare_table table;
static bare_stage *stage;

static void setup(void) {
  bare_add(&table, "gender", "string", "m", "f", "f", bare_null, "x", NULL);
  bare_add(&table, "size", "id", "10", "9", "10", "10", bare_null, NULL);
  bare_add(&table, "member", "bool", "true", "false", "true", bare_null, "true", NULL);
  bare_add(&table, "tags", "list", "b a b", "", bare_null, "c", "a", NULL);
  bare_add(&table, "spend", "bag", "tea:2.5 milk:1", "milk:0", "tea:1 tea:3", bare_null, "milk:-1", NULL);
}

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

static void assert_names(const char *joined) {
  GString *names = g_string_new(NULL);
  for (guint i = 0; i < stage->names->len; i++)
    g_string_append_printf(names, "%s%s", i > 0 ? " " : "", (const char *)stage->names->pdata[i]);
  ck_assert_str_eq(names->str, joined);
  ck_assert_int_eq(stage->type.width, stage->names->len);
  g_string_free(names, TRUE);
}

static void assert_all_rows(const char *const rows[5]) {
  for (int row = 0; row < 5; row++) ck_assert_str_eq(bare_row(stage, row), rows[row]);
}

START_TEST(plain_columns) {
  RUN("columns", "[gender, size, member]");
  ck_assert_int_eq(stage->type.shape, ADL_SPARSE);
  assert_names("gender=f gender=m gender=x size=10 size=9 member=false member=true");
  assert_all_rows((const char *[]){"1:1 3:1 6:1", "0:1 4:1 5:1", "0:1 3:1 6:1", "3:1", "2:1 6:1"});
  ck_assert(*(const double *)g_hash_table_lookup(stage->reported, "values of gender") == 3);
}
END_TEST

START_TEST(dense) {
  RUN("columns", "[gender, size]", "dense", "true");
  ck_assert_int_eq(stage->type.shape, ADL_VECTOR);
  assert_all_rows((const char *[]){"0 1 0 1 0", "1 0 0 0 1", "1 0 0 1 0", "0 0 0 1 0", "0 0 1 0 0"});
}
END_TEST

START_TEST(lists_and_bags) {
  RUN("columns", "[tags, spend]");
  assert_names("tags=a tags=b tags=c spend=milk spend=tea");
  assert_all_rows((const char *[]){"0:1 1:2 3:1 4:2.5", "", "4:4", "2:1", "0:1 3:-1"});
  RUN("columns", "[tags, spend]", "value", "binary");
  assert_all_rows((const char *[]){"0:1 1:1 3:1 4:1", "", "4:1", "2:1", "0:1 3:1"});
  RUN("columns", "[tags, spend]", "value", "log1p");
  ck_assert_str_eq(bare_row(stage, 0), "0:0.693147 1:1.09861 3:0.693147 4:1.25276");
  ck_assert_str_eq(bare_row(stage, 2), "4:1.60944");
  ck_assert_str_eq(bare_rejected(stage, 4), "spend: milk has the weight -1; needed: 0 or more, for log1p");
  ck_assert_uint_eq(g_hash_table_size(stage->rejected), 1);
}
END_TEST

START_TEST(undefined_weights_are_rejected) {
  bare_add(&table, "bad", "bag", "a:nan", "a:inf", "a:1", "a:-2", "", NULL);
  RUN("columns", "bad");
  ck_assert_str_eq(bare_rejected(stage, 0), "bad: a has the weight nan; needed: a finite number");
  ck_assert_str_eq(bare_rejected(stage, 1), "bad: a has the weight inf; needed: a finite number");
  ck_assert_uint_eq(g_hash_table_size(stage->rejected), 2);
}
END_TEST

START_TEST(rare_values) {
  RUN("columns", "[gender, size]", "min_count", "2");
  assert_names("gender=f size=10");
  assert_all_rows((const char *[]){"1:1", "0:1", "0:1 1:1", "1:1", ""});
  RUN("columns", "[gender, size]", "max_values", "2", "other", "true");
  assert_names("gender=f gender=m gender=(other) size=10 size=9 size=(other)");
  assert_all_rows((const char *[]){"1:1 3:1", "0:1 4:1", "0:1 3:1", "3:1", "2:1"});
}
END_TEST

START_TEST(values_that_were_not_fitted) {
  bare_table other = {0};
  RUN("columns", "[gender, size]", "other", "true");
  bare_add(&other, "gender", "string", "unknown", bare_null, "", NULL);
  bare_add(&other, "size", "id", "9", "-10", bare_null, NULL);
  ck_assert_int_eq(bare_stage_process(stage, &other), ADL_OK);
  ck_assert_str_eq(bare_row(stage, 0), "3:1 5:1");
  ck_assert_str_eq(bare_row(stage, 1), "6:1");
  ck_assert_str_eq(bare_row(stage, 2), "3:1");
  RUN("columns", "[gender, size]");
  ck_assert_int_eq(bare_stage_process(stage, &other), ADL_OK);
  ck_assert_str_eq(bare_row(stage, 0), "4:1");
  ck_assert_str_eq(bare_row(stage, 1), "");
  ck_assert_str_eq(bare_row(stage, 2), "");
  bare_table_clear(&other);
}
END_TEST

START_TEST(one_row_and_the_empty_string) {
  bare_table_clear(&table);
  bare_add(&table, "gender", "string", "", NULL);
  RUN("columns", "gender");
  assert_names("gender=");
  ck_assert_str_eq(bare_row(stage, 0), "0:1");
}
END_TEST

START_TEST(lanes_and_batches_do_not_matter) {
  RUN("columns", "[gender, size, tags, spend]", "min_count", "2");
  assert_names("gender=f size=10 tags=a tags=b spend=milk spend=tea");
  adl_array *once = adl_array_ref(stage->made);
  for (int lanes = 1; lanes <= 5; lanes++)
    for (int64_t rows = 1; rows <= 5; rows++) {
      BIND("columns", "[gender, size, tags, spend]", "min_count", "2");
      stage->lanes = lanes;
      stage->batch_rows = rows;
      ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_OK);
      ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);
      ck_assert_mem_eq(stage->made->view.offsets, once->view.offsets, 6 * sizeof(int32_t));
      ck_assert_mem_eq(stage->made->view.index, once->view.index, (size_t)once->view.offsets[5] * sizeof(uint32_t));
      ck_assert_mem_eq(stage->made->view.data, once->view.data, (size_t)once->view.offsets[5] * sizeof(float));
    }
  adl_array_unref(once);
}
END_TEST

START_TEST(nothing_to_learn_from) {
  bare_add(&table, "none", "string", bare_null, bare_null, bare_null, bare_null, bare_null, NULL);
  BIND("columns", "[gender, none]", "min_count", "3");
  ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str,
                   "columns[0]: none of the 3 values of gender occurs 3 times in the training rows\n"
                   "columns[1]: none has no value in any training row\n");
}
END_TEST

START_TEST(refused_at_bind) {
  BIND("columns", "[gender, size, gender]");
  ck_assert_str_eq(stage->failed->str, "columns: gender is named twice\n");
  BIND("columns", "[]");
  ck_assert_str_eq(stage->failed->str, "columns: there is nothing to encode\n");
}
END_TEST

START_TEST(damaged_models_are_refused) {
  adl_tensor starts;
  RUN("columns", "[gender, size]");
  ck_assert(adl_tensors_find(stage->model_tensors, "starts", &starts));
  ((int64_t *)starts.data)[1] = 6;
  ck_assert_int_eq(bare_stage_process(stage, &table), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "stage: the model's tensor `starts` is missing or does not fit its columns\n");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("onehot");
  TCase *cases = tcase_create("onehot");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, plain_columns);
  tcase_add_test(cases, dense);
  tcase_add_test(cases, lists_and_bags);
  tcase_add_test(cases, undefined_weights_are_rejected);
  tcase_add_test(cases, rare_values);
  tcase_add_test(cases, values_that_were_not_fitted);
  tcase_add_test(cases, one_row_and_the_empty_string);
  tcase_add_test(cases, lanes_and_batches_do_not_matter);
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
