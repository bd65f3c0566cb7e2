/* adloom.expression/1 as a plugin sees it: compile in bind, evaluate in process, errors through host->fail. */
#include <adloom/expression.h>
#include <stdarg.h>

#include "tests/expr/columns.h"

static GPtrArray *scratch; /* what host->alloc gave */
static char failure[512];  /* what host->fail was last told */

static void *alloc(const adl_call *call, size_t size) {
  (void)call;
  void *memory = g_malloc(size);
  g_ptr_array_add(scratch, memory);
  return memory;
}

static adl_status explain(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                          const char *format, ...) {
  va_list args;
  va_start(args, format);
  char *message = g_strdup_vprintf(format, args);
  va_end(args);
  (void)call;
  g_snprintf(failure, sizeof failure, "%s@%d: %s (%s)", parameter == NULL ? "" : parameter, offset, message,
             hint == NULL ? "" : hint);
  g_free(message);
  return ADL_FAILED;
}

static int64_t now(const adl_call *call) {
  (void)call;
  return COLUMNS_NOW;
}

static const adl_host host = {.struct_size = sizeof(adl_host), .fail = explain, .alloc = alloc, .now = now};
static const adl_call call = {.struct_size = sizeof(adl_call), .host = &host};
static const adl_expression_extension *const language = &adl_expr_extension;

static columns table;
static adl_input inputs[3];
static const adl_column *given[3];

static void setup(void) {
  scratch = g_ptr_array_new_with_free_func(g_free);
  columns_add(&table, "price", ADL_FLOAT64, ADL_NUMBER, "2|4|null");
  columns_add(&table, "city", ADL_STRING, ADL_CATEGORY, "Kyoto|null|Wien");
  for (int i = 0; i < 2; i++) {
    inputs[i] = (adl_input){.name = table.names[i], .type = table.arrays[i]->view.type, .slot = i};
    given[i] = &table.arrays[i]->view;
  }
  inputs[2] = (adl_input){.name = NULL, .slot = -1}; /* a column parameter that was not given */
}

static void teardown(void) {
  g_ptr_array_free(scratch, TRUE);
  columns_clear(&table);
}

START_TEST(compiles_and_evaluates) {
  adl_expression *expression = NULL;
  const adl_column *result = NULL;
  ck_assert_int_eq(language->struct_size, sizeof(adl_expression_extension));
  ck_assert_int_eq(language->compile(&call, "rules", "price * 1.5", inputs, 3, &expression), ADL_OK);
  ck_assert_int_eq(language->type(expression).element, ADL_FLOAT64);
  ck_assert_int_eq(language->evaluate(&call, expression, given, 3, &result), ADL_OK);
  ck_assert_int_eq(result->rows, 3);
  ck_assert_double_eq(((const double *)result->data)[1], 6);
  ck_assert(!adl_is_null(result, 0) && adl_is_null(result, 2));
  language->free(expression);

  ck_assert_int_eq(language->compile(&call, "rules", "concat(city, '!')", inputs, 3, &expression), ADL_OK);
  const adl_column *only_city[] = {NULL, given[1], NULL}; /* what the text does not name is not looked at */
  ck_assert_int_eq(language->evaluate(&call, expression, only_city, 3, &result), ADL_OK);
  adl_text text = adl_text_at(result, 2);
  ck_assert_int_eq(text.size, 5);
  ck_assert_int_eq(memcmp(text.data, "Wien!", 5), 0);
  ck_assert(adl_is_null(result, 1));
  language->free(expression);

  ck_assert_int_eq(language->compile(&call, "rules", "price > 3 and now() > '2024-01-01'", inputs, 3, &expression),
                   ADL_OK);
  ck_assert_int_eq(language->evaluate(&call, expression, given, 3, &result), ADL_OK);
  ck_assert(!adl_bit(result->data, 0) && adl_bit(result->data, 1) && adl_is_null(result, 2));
  language->free(expression);

  ck_assert_int_eq(language->compile(&call, "rules", "city", inputs, 3, &expression), ADL_OK);
  ck_assert_int_eq(language->evaluate(&call, expression, given, 3, &result), ADL_OK);
  ck_assert_ptr_eq(result, given[1]); /* nothing is copied */
  language->free(expression);
  language->free(NULL);
}
END_TEST

START_TEST(blames_the_parameter) {
  adl_expression *expression = (adl_expression *)&table;
  ck_assert_int_eq(language->compile(&call, "rules", "2 > prise", inputs, 3, &expression), ADL_FAILED);
  ck_assert_ptr_null(expression);
  ck_assert_str_eq(failure, "rules@4: no column is called `prise` (did you mean `price`?)");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("expr extension");
  TCase *t = tcase_create("extension");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, compiles_and_evaluates);
  tcase_add_test(t, blames_the_parameter);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
