/* Values: order, keys, text, bad rows, and matrices made of columns. */
#include <check.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/data/array.h"
#include "tests/data/sample.h"

static adl_array *numbers(adl_element element, int64_t count, const double *values) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(element, ADL_NUMBER));
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, count, 0, 0, &to));
  for (int64_t i = 0; i < count; i++) {
    switch (element) {
      case ADL_BOOL: adl_bit_set(to.data, i, values[i] != 0); break;
      case ADL_INT32: ((int32_t *)to.data)[i] = (int32_t)values[i]; break;
      case ADL_UINT32: ((uint32_t *)to.data)[i] = (uint32_t)values[i]; break;
      case ADL_INT64:
      case ADL_TIMESTAMP: ((int64_t *)to.data)[i] = (int64_t)values[i]; break;
      case ADL_FLOAT32: ((float *)to.data)[i] = (float)values[i]; break;
      default: ((double *)to.data)[i] = values[i]; break;
    }
  }
  return adl_builder_finish(builder, count, NULL);
}

static adl_array *strings(int64_t count, const char *const *values) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_STRING, ADL_CATEGORY));
  adl_buffers to;
  int64_t bytes = 0;
  for (int64_t i = 0; i < count; i++) bytes += (int64_t)strlen(values[i]);
  ck_assert(adl_builder_reserve(builder, count, 0, bytes, &to));
  for (int64_t i = 0; i < count; i++) {
    memcpy((char *)to.data + to.string_offsets[i], values[i], strlen(values[i]));
    to.string_offsets[i + 1] = to.string_offsets[i] + (int32_t)strlen(values[i]);
  }
  return adl_builder_finish(builder, count, NULL);
}

static int sign(int value) { return (value > 0) - (value < 0); }

/* ---- order and keys ---- */

START_TEST(order_is_an_order_and_keys_agree) {
  GRand *rand = g_rand_new_with_seed((guint32)_i);
  adl_array *array = sample_array(sample_type(_i), 60, 8, rand), *other = sample_array(sample_type(_i), 60, 8, rand);
  const adl_column *a = &array->view, *b = &other->view;
  for (int i = 0; i < 60; i++) {
    ck_assert_int_eq(adl_array_compare(a, i, a, i), 0);
    for (int j = 0; j < 60; j++) {
      int order = sign(adl_array_compare(a, i, b, j));
      ck_assert_int_eq(order, -sign(adl_array_compare(b, j, a, i)));
      ck_assert_int_eq(order == 0, same_row(array, i, other, j));
      for (int k = 0; k < 60; k += 7)
        if (order <= 0 && adl_array_compare(b, j, a, k) <= 0) ck_assert_int_le(adl_array_compare(a, i, a, k), 0);
    }
  }
  adl_array_unref(array);
  adl_array_unref(other);
  g_rand_free(rand);
}
END_TEST

START_TEST(order_of_odd_numbers) {
  const double values[] = {NAN, INFINITY, 1, 0, -0.0, -INFINITY};
  for (adl_element element = ADL_FLOAT32; element <= ADL_FLOAT64; element++) {
    adl_array *array = numbers(element, 6, values), *null = adl_array_nulls(array->view.type, 1);
    for (int i = 0; i < 5; i++)
      ck_assert_int_eq(sign(adl_array_compare(&array->view, i, &array->view, i + 1)), i == 3 ? 0 : 1);
    ck_assert_int_lt(adl_array_compare(&null->view, 0, &array->view, 5), 0);
    ck_assert(same_row(array, 3, array, 4));
    adl_array_unref(array);
    adl_array_unref(null);
  }
}
END_TEST

START_TEST(strings_order_by_bytes) {
  const char *const values[] = {"", "a", "a b", "ab", "b", "\xc3\xa4"};
  adl_array *array = strings(6, values);
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++)
      ck_assert_int_eq(sign(adl_array_compare(&array->view, i, &array->view, j)), (i > j) - (i < j));
  adl_array_unref(array);
}
END_TEST

START_TEST(keys_of_several_columns_do_not_run_together) {
  const char *const left[] = {"ab", "a", ""}, *const right[] = {"c", "bc", "abc"};
  adl_array *a = strings(3, left), *b = strings(3, right);
  GByteArray *keys[3];
  for (int i = 0; i < 3; i++) {
    keys[i] = g_byte_array_new();
    adl_array_key(&a->view, i, keys[i]);
    adl_array_key(&b->view, i, keys[i]);
  }
  for (int i = 0; i < 3; i++)
    ck_assert(keys[i]->len != keys[(i + 1) % 3]->len || memcmp(keys[i]->data, keys[(i + 1) % 3]->data, keys[i]->len));
  for (int i = 0; i < 3; i++) g_byte_array_unref(keys[i]);
  adl_array_unref(a);
  adl_array_unref(b);
}
END_TEST

START_TEST(integers_of_any_width_have_one_key) {
  const double seven[] = {-7};
  adl_array *narrow = numbers(ADL_INT32, 1, seven), *wide = numbers(ADL_INT64, 1, seven);
  ck_assert(same_row(narrow, 0, wide, 0));
  adl_array_unref(narrow);
  adl_array_unref(wide);
}
END_TEST

/* ---- bad rows ---- */

START_TEST(bad_rows_are_found_once) {
  GRand *rand = g_rand_new_with_seed((guint32)_i + 40);
  adl_array *array = sample_array(sample_type(_i), 300, 9, rand);
  const adl_column *column = &array->view;
  uint8_t bad[40] = {0};
  int64_t expected = 0, all = 0;
  GString *text = g_string_new(NULL);
  for (int mode = 0; mode < 3; mode++) {
    adl_bad what = (adl_bad)mode;
    memset(bad, 0, sizeof bad);
    int64_t marked = adl_array_find_bad(column, what, bad);
    expected = 0;
    for (int row = 0; row < 300; row++) {
      g_string_truncate(text, 0);
      adl_array_text(column, row, 0, text);
      bool null = adl_is_null(column, row);
      bool number =
          column->type.element == ADL_FLOAT32 || column->type.element == ADL_FLOAT64 || column->type.shape == ADL_BAG;
      bool odd = !null && number && (strstr(text->str, "NaN") || strstr(text->str, "inf"));
      bool want = what == ADL_BAD_NULL ? null : odd;
      ck_assert(null || adl_array_is_finite(column, row) == !odd);
      ck_assert_msg(adl_bit(bad, row) == want, "type %d, mode %d, row %d: %s", _i, mode, row, text->str);
      expected += want;
    }
    ck_assert_int_eq(marked, expected);
    ck_assert_int_eq(adl_array_find_bad(column, what, bad), 0); /* known already */
    all += expected;
  }
  ck_assert_int_gt(all, 0);
  g_string_free(text, TRUE);
  adl_array_unref(array);
  g_rand_free(rand);
}
END_TEST

/* float32 goes up to FLT_MAX, and to half a step above it by rounding. */
START_TEST(numbers_that_no_float32_holds) {
  static const double values[] = {
      FLT_MAX, 0x1.ffffff0p127, -0x1.ffffff0p127, 1e39, 0x1.fffffefffffffp127, INFINITY, -1e300, 0, (double)NAN};
  enum { COUNT = sizeof values / sizeof values[0] };
  adl_array *array = numbers(ADL_FLOAT64, COUNT, values);
  uint8_t bad[2] = {0}, all[2] = {0};
  adl_array_find_bad(&array->view, ADL_BAD_AS_FLOAT32, bad);
  adl_array_find_bad(&array->view, ADL_BAD_NOT_FINITE, all);
  for (int i = 0; i < COUNT; i++) {
    volatile float narrow = (float)values[i];
    ck_assert_msg(adl_bit(bad, i) == !isfinite(narrow), "%a", values[i]);
    ck_assert_msg(adl_bit(all, i) == !isfinite(values[i]), "%a", values[i]);
  }
  adl_array_unref(array);
}
END_TEST

/* ---- text ---- */

static void expect_text(const adl_array *array, int64_t row, int64_t limit, const char *expected) {
  GString *text = g_string_new("> ");
  adl_array_text(&array->view, row, limit, text);
  ck_assert_str_eq(text->str + 2, expected);
  g_string_free(text, TRUE);
}

START_TEST(text_of_scalars) {
  const double values[] = {0.1, 1e300, 3};
  adl_array *array = numbers(ADL_FLOAT64, 3, values);
  expect_text(array, 0, 0, "0.1");
  expect_text(array, 1, 0, "1e+300");
  expect_text(array, 2, 0, "3");
  adl_array_unref(array);
  array = numbers(ADL_FLOAT32, 1, values);
  expect_text(array, 0, 0, "0.1");
  adl_array_unref(array);
  const double times[] = {1717243200000000, -1, 1717243200000500, 9e18};
  array = numbers(ADL_TIMESTAMP, 4, times);
  expect_text(array, 0, 0, "2024-06-01T12:00:00Z");
  expect_text(array, 1, 0, "1969-12-31T23:59:59.999999Z");
  expect_text(array, 2, 0, "2024-06-01T12:00:00.000500Z");
  expect_text(array, 3, 0, "9000000000000000000 us");
  adl_array_unref(array);
  array = adl_array_nulls(adl_type_scalar(ADL_BOOL, ADL_NUMBER), 1);
  expect_text(array, 0, 0, "null");
  adl_array_unref(array);
}
END_TEST

START_TEST(text_is_cut_between_characters) {
  const char *const values[] = {"hello", "\xe5\xb9\xbf\xe5\x91\x8a\xe5\xb9\xbf\xe5\x91\x8a", "a\nb\x01"};
  adl_array *array = strings(3, values);
  expect_text(array, 0, 5, "hello");
  expect_text(array, 0, 4, "h...");
  expect_text(array, 1, 11, "\xe5\xb9\xbf\xe5\x91\x8a...");
  expect_text(array, 2, 0, "a\\nb\\x01");
  adl_array_unref(array);
}
END_TEST

START_TEST(text_of_lists_and_bags) {
  adl_builder *builder = adl_builder_new((adl_type){.element = ADL_STRING, .shape = ADL_BAG, .role = ADL_CATEGORY});
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, 2, 2, 8, &to));
  memcpy(to.data, "a,\"b", 4);
  to.string_offsets[1] = 2;
  to.string_offsets[2] = 4;
  to.weights[0] = 1;
  to.weights[1] = 0.5f;
  to.offsets[1] = 2;
  to.offsets[2] = 2;
  adl_array *array = adl_builder_finish(builder, 2, NULL);
  expect_text(array, 0, 0, "{\"a,\": 1, \"\\\"b\": 0.5}");
  expect_text(array, 1, 0, "{}");
  expect_text(array, 0, 10, "{\"a,\": ...");
  adl_array_unref(array);
}
END_TEST

/* ---- matrices ---- */

enum { PARTS = 9 };

/* Scalars of every number, vectors, sparse, and some of them with nulls. */
static void sample_parts(adl_array *parts[PARTS], int64_t rows, GRand *rand) {
  static const int types[PARTS] = {0, 1, 2, 3, 4, 5, 17, 18, 19};
  for (int p = 0; p < PARTS; p++) parts[p] = sample_array(sample_type(types[p]), rows, p % 3 ? 6 : 0, rand);
}

/* Value of one dimension of one part, the slow way. */
static float naive(const adl_column *column, int64_t row, int64_t dimension) {
  if (adl_is_null(column, row)) return NAN;
  if (column->type.shape == ADL_SCALAR) return (float)adl_number_at(column, row);
  if (column->type.shape == ADL_VECTOR) {
    int64_t at = row * column->type.width + dimension;
    return column->type.element == ADL_FLOAT32 ? ((const float *)column->data)[at]
                                               : (float)((const double *)column->data)[at];
  }
  for (int32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++)
    if (column->index[i] == dimension) return ((const float *)column->data)[i];
  return 0;
}

static bool same_float(float a, float b) { return a == b || (isnan(a) && isnan(b)); }

START_TEST(vector_matrix_is_the_naive_one) {
  GRand *rand = g_rand_new_with_seed((guint32)_i);
  int64_t rows = _i == 0 ? 0 : 37 * _i * _i;
  adl_array *parts[PARTS];
  const adl_column *columns[PARTS];
  sample_parts(parts, rows, rand);
  int64_t width = 0;
  for (int p = 0; p < PARTS; p++) {
    columns[p] = &parts[p]->view;
    width += parts[p]->view.type.width ? parts[p]->view.type.width : 1;
  }
  adl_array *matrix =
      adl_array_matrix((adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR, .width = width}, columns, PARTS, rows);
  ck_assert_ptr_nonnull(matrix);
  ck_assert_int_eq(matrix->view.type.width, width);
  ck_assert_int_eq(matrix->view.null_count, 0);
  const float *value = matrix->view.data;
  for (int64_t row = 0; row < rows; row++)
    for (int p = 0; p < PARTS; p++)
      for (int64_t d = 0; d < MAX(columns[p]->type.width, 1); d++, value++)
        ck_assert_msg(same_float(*value, naive(columns[p], row, d)), "row %d, part %d, dimension %d", (int)row, p,
                      (int)d);
  adl_array_unref(matrix);
  for (int p = 0; p < PARTS; p++) adl_array_unref(parts[p]);
  g_rand_free(rand);
}
END_TEST

START_TEST(sparse_matrix_is_the_naive_one) {
  GRand *rand = g_rand_new_with_seed((guint32)_i);
  int64_t rows = _i == 0 ? 0 : 37 * _i * _i;
  adl_array *parts[PARTS];
  const adl_column *columns[PARTS];
  sample_parts(parts, rows, rand);
  for (int p = 0; p < PARTS; p++) columns[p] = &parts[p]->view;
  adl_array *matrix = adl_array_matrix((adl_type){.element = ADL_FLOAT32, .shape = ADL_SPARSE}, columns, PARTS, rows);
  ck_assert_ptr_nonnull(matrix);
  const adl_column *csr = &matrix->view;
  const float *values = csr->data;
  for (int64_t row = 0; row < rows; row++) {
    int32_t at = csr->offsets[row];
    uint32_t base = 0;
    for (int p = 0; p < PARTS; p++) {
      int64_t width = MAX(columns[p]->type.width, 1);
      for (int64_t d = 0; d < width; d++) {
        float expected = naive(columns[p], row, d);
        bool stored = at < csr->offsets[row + 1] && csr->index[at] == base + d;
        if (adl_is_null(columns[p], row))
          ck_assert(!stored);
        else if (!stored)
          ck_assert(expected == 0);
        else
          ck_assert(same_float(values[at++], expected));
        if (stored && columns[p]->type.shape != ADL_SPARSE) ck_assert(expected != 0);
      }
      base += (uint32_t)width;
    }
    ck_assert_int_eq(at, csr->offsets[row + 1]);
  }
  adl_array_unref(matrix);
  for (int p = 0; p < PARTS; p++) adl_array_unref(parts[p]);
  g_rand_free(rand);
}
END_TEST

START_TEST(matrix_refuses_what_is_no_number) {
  GRand *rand = g_rand_new_with_seed(1);
  const int types[] = {ADL_STRING, ADL_BYTES, 9, 20};
  for (int i = 0; i < 4; i++) {
    adl_array *array = sample_array(sample_type(types[i]), 4, 0, rand);
    const adl_column *column = &array->view;
    errno = 0;
    ck_assert_ptr_null(adl_array_matrix((adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR}, &column, 1, 4));
    ck_assert_int_eq(errno, EINVAL);
    adl_array_unref(array);
  }
  adl_array *array = sample_array(sample_type(ADL_FLOAT32), 4, 0, rand);
  const adl_column *column = &array->view;
  ck_assert_ptr_null(adl_array_matrix((adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR}, &column, 1, 5));
  ck_assert_ptr_null(
      adl_array_matrix((adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR, .width = 2}, &column, 1, 4));
  adl_array_unref(array);
  g_rand_free(rand);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("values");
  TCase *order = tcase_create("order");
  suite_add_tcase(suite, order);
  tcase_add_loop_test(order, order_is_an_order_and_keys_agree, 0, SAMPLE_TYPES);
  tcase_add_test(order, order_of_odd_numbers);
  tcase_add_test(order, strings_order_by_bytes);
  tcase_add_test(order, keys_of_several_columns_do_not_run_together);
  tcase_add_test(order, integers_of_any_width_have_one_key);
  tcase_add_loop_test(order, bad_rows_are_found_once, 0, SAMPLE_TYPES);
  tcase_add_test(order, numbers_that_no_float32_holds);
  TCase *text = tcase_create("text");
  suite_add_tcase(suite, text);
  tcase_add_test(text, text_of_scalars);
  tcase_add_test(text, text_is_cut_between_characters);
  tcase_add_test(text, text_of_lists_and_bags);
  TCase *matrix = tcase_create("matrix");
  suite_add_tcase(suite, matrix);
  tcase_add_loop_test(matrix, vector_matrix_is_the_naive_one, 0, 7);
  tcase_add_loop_test(matrix, sparse_matrix_is_the_naive_one, 0, 7);
  tcase_add_test(matrix, matrix_refuses_what_is_no_number);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
