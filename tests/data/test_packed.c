/* Packed arrays: what is opened equals what was packed, and is smaller where it is said to be. */
#include <check.h>
#include <stdlib.h>

#include "core/data/packed.h"
#include "tests/data/sample.h"

enum { ROWS = 1000 };

/* Opened, it must be the array again, by its values and, where there are numbers, by their bits. Returns the bytes that the
 * packed one takes; 0: it does not pack. */
static int64_t check_same(adl_array *array) {
  adl_array_pack(array);
  adl_packed *packed = adl_array_packed(array);
  if (packed == NULL) return 0;
  int64_t bytes = adl_packed_bytes(packed);
  adl_array *opened = adl_packed_open(packed);
  ck_assert(adl_type_equal(opened->view.type, array->view.type));
  ck_assert_int_eq(opened->view.rows, array->view.rows);
  ck_assert_int_eq(opened->view.null_count, array->view.null_count);
  ck_assert(opened->view.validity == NULL ? array->view.null_count == 0 : array->view.validity != NULL);
  for (int64_t row = 0; row < array->view.rows; row++) ck_assert(same_row(opened, row, array, row));
  if (array->view.type.shape == ADL_SPARSE)
    ck_assert_mem_eq(opened->view.data, array->view.data, (size_t)array->view.offsets[array->view.rows] * 4);
  adl_array_pack(opened); /* it remembers */
  adl_packed *same = adl_array_packed(opened);
  ck_assert_ptr_eq(same, packed);
  adl_packed_unref(same);
  adl_packed_unref(packed);
  adl_array_unref(opened);
  return bytes;
}

START_TEST(arrays_of_every_type) {
  GRand *rand = g_rand_new_with_seed(3);
  for (int type = 0; type < SAMPLE_TYPES; type++)
    for (int nulls = 0; nulls < 6; nulls += 5)
      for (int64_t rows = 0; rows <= ROWS; rows = rows * 4 + 250) {
        adl_array *array = sample_array(sample_type(type), rows, nulls, rand);
        int64_t bytes = check_same(array);
        ck_assert_int_lt(bytes, array->bytes);
        adl_array_unref(array);
      }
  g_rand_free(rand);
}
END_TEST

/* `different` texts of 3 to `longest` bytes, in any order. */
static adl_array *texts(int32_t different, int32_t longest, GRand *rand) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_STRING, ADL_CATEGORY));
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, ROWS, 0, (int64_t)ROWS * (longest + 1), &to));
  for (int row = 0; row < ROWS; row++) {
    int32_t word = row < different ? row : g_rand_int_range(rand, 0, different);
    int32_t size = 3 + word % (longest - 2), from = to.string_offsets[row];
    g_snprintf((char *)to.data + from, (gulong)size + 1, "%0*d", size, word);
    to.string_offsets[row + 1] = from + size;
  }
  return adl_builder_finish(builder, ROWS, NULL);
}

START_TEST(few_texts_are_numbered) {
  static const int32_t longest[] = {3, 8, 15, 16, 17, 30, 64};
  GRand *rand = g_rand_new_with_seed(4);
  for (size_t i = 0; i < G_N_ELEMENTS(longest); i++)
    for (int32_t different = 1; different <= 256; different *= 4) {
      adl_array *array = texts(different, longest[i], rand);
      int64_t bytes = check_same(array);
      ck_assert_int_gt(bytes, ROWS);
      ck_assert_int_lt(bytes, ROWS + 256 * (4 + longest[i]) + 500);
      adl_array_unref(array);
    }
  for (int odd = 0; odd < 2; odd++) { /* too many, and too long */
    adl_array *array = odd == 0 ? texts(257, 16, rand) : texts(66, 65, rand);
    ck_assert_int_eq(check_same(array), 0);
    adl_array_unref(array);
  }
  g_rand_free(rand);
}
END_TEST

static adl_array *whole_numbers(adl_element element, int64_t first, uint64_t step, GRand *rand) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(element, ADL_NUMBER));
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, ROWS, 0, 0, &to));
  uint64_t number = (uint64_t)first;
  for (int row = 0; row < ROWS; row++) {
    if (element == ADL_INT32)
      ((int32_t *)to.data)[row] = (int32_t)number;
    else
      ((int64_t *)to.data)[row] = (int64_t)number;
    number += row == 7 || g_rand_boolean(rand) ? step : 0 - step;
  }
  return adl_builder_finish(builder, ROWS, NULL);
}

START_TEST(whole_numbers_are_kept_as_differences) {
  static const struct {
    int64_t step;
    int bytes; /* of a difference; 0: not packed */
  } of_64[] = {{0, 1},         {1, 1},        {127, 1},       {128, 2},
               {32767, 2},     {32768, 4},    {INT32_MAX, 4}, {1LL + INT32_MAX, 0},
               {INT64_MAX, 0}, {INT64_MIN, 0}};
  static const int64_t firsts[] = {0, INT64_MIN, INT64_MAX, -5};
  GRand *rand = g_rand_new_with_seed(5);
  for (size_t i = 0; i < G_N_ELEMENTS(of_64); i++)
    for (size_t f = 0; f < G_N_ELEMENTS(firsts); f++) {
      bool wide = of_64[i].bytes == 4 || of_64[i].bytes == 0;
      adl_array *array =
          whole_numbers(f % 2 == 0 ? ADL_INT64 : ADL_TIMESTAMP, firsts[f], (uint64_t)of_64[i].step, rand);
      int64_t bytes = check_same(array);
      ck_assert_int_eq(bytes / ROWS, of_64[i].bytes);
      adl_array_unref(array);
      array = whole_numbers(ADL_INT32, firsts[f], (uint64_t)of_64[i].step, rand);
      bytes = check_same(array);
      if (!wide) ck_assert_int_eq(bytes / ROWS, of_64[i].bytes);
      adl_array_unref(array);
    }
  g_rand_free(rand);
}
END_TEST

/* Rows of 0 to 9 entries; one value in `odd` (0: none) is not 1. */
static adl_array *sparse(int64_t width, int odd, GRand *rand) {
  adl_builder *builder = adl_builder_new((adl_type){.element = ADL_FLOAT32, .shape = ADL_SPARSE, .width = width});
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, ROWS, 10 * ROWS, 0, &to));
  int32_t items = 0;
  for (int row = 0; row < ROWS; row++) {
    for (int32_t i = 0, many = g_rand_int_range(rand, 0, 10); i < many; i++, items++) {
      to.index[items] = (uint32_t)(width / 10 * i + g_rand_int_range(rand, 0, (gint32)(width / 10)));
      ((float *)to.data)[items] = odd > 0 && g_rand_int_range(rand, 0, odd) == 0 ? -0.0f : 1;
    }
    to.offsets[row + 1] = items;
  }
  return adl_builder_finish(builder, ROWS, NULL);
}

START_TEST(ones_of_sparse_rows_are_left_out) {
  GRand *rand = g_rand_new_with_seed(6);
  for (int odd = 0; odd < 2000; odd = odd * 3 + 1) {
    adl_array *narrow = sparse(1 << 24, odd, rand), *wide = sparse(INT64_C(1) << 31, odd, rand);
    double items = narrow->view.offsets[ROWS], bytes = (double)check_same(narrow);
    if (odd > 12 || odd == 0) ck_assert_double_lt(bytes, ROWS * 4 + items * (3.05 + (odd > 0 ? 9.0 / odd : 0)) + 500);
    check_same(wide);
    adl_array_unref(narrow);
    adl_array_unref(wide);
  }
  g_rand_free(rand);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("packed");
  TCase *tests = tcase_create("packed");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, arrays_of_every_type);
  tcase_add_test(tests, few_texts_are_numbered);
  tcase_add_test(tests, whole_numbers_are_kept_as_differences);
  tcase_add_test(tests, ones_of_sparse_rows_are_left_out);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
