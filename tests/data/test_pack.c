/* Columns and tensors as bytes and back; bytes that are cut or changed are refused, never read beyond their end. */
#include <check.h>
#include <stdlib.h>

#include "core/data/pack.h"
#include "tests/data/sample.h"

static adl_array *sample_of(int type, int rows) {
  GRand *rand = g_rand_new_with_seed((guint32)(type * 100 + rows));
  adl_array *array = sample_array(sample_type(type), rows, 3, rand);
  g_rand_free(rand);
  return array;
}

START_TEST(arrays_come_back) {
  for (int rows = 0; rows < 70; rows += 23) {
    adl_array *array = sample_of(_i, rows);
    adl_pack pack = {0};
    adl_pack_array(&pack, array);
    adl_pack_text(&pack, "behind");
    adl_unpack u = {.data = pack.data, .size = pack.size};
    adl_array *back = adl_unpack_array(&u);
    ck_assert_ptr_nonnull(back);
    ck_assert_str_eq(adl_unpack_text(&u), "behind");
    ck_assert(!u.bad && u.at == u.size);
    ck_assert(adl_type_equal(back->view.type, array->view.type) && back->view.rows == rows);
    for (int i = 0; i < rows; i++) ck_assert_int_eq(adl_array_compare(&back->view, i, &array->view, i), 0);
    for (int64_t cut = 0; cut < pack.size - 16; cut += 8) {
      adl_unpack part = {.data = pack.data, .size = cut};
      ck_assert_ptr_null(adl_unpack_array(&part));
      ck_assert(part.bad);
    }
    adl_array_unref(back);
    adl_array_unref(array);
    adl_pack_clear(&pack);
  }
}
END_TEST

START_TEST(tensors_come_back) {
  adl_tensors *tensors = adl_tensors_new();
  const char *why = NULL;
  int64_t sizes[2] = {3, 5}, none = 0;
  float *values = adl_tensors_get(tensors, "w", ADL_FLOAT32, 2, sizes, &why);
  for (int i = 0; i < 15; i++) values[i] = (float)i / 3;
  adl_tensors_get(tensors, "empty", ADL_INT64, 1, &none, &why);
  adl_table *table = adl_tensors_table(tensors, "t", 2);
  for (int i = 0; i < 100; i++) {
    char key[16];
    int64_t row = adl_table_insert(table, key, g_snprintf(key, sizeof key, "%d", i * i));
    adl_table_row(table, row)[1] = i;
  }
  adl_pack pack = {0}, again = {0};
  adl_pack_tensors(&pack, tensors);
  adl_unpack u = {.data = pack.data, .size = pack.size};
  adl_tensors *back = adl_unpack_tensors(&u);
  ck_assert(!u.bad && u.at == u.size);
  adl_pack_tensors(&again, back);
  ck_assert_int_eq(again.size, pack.size);
  ck_assert_mem_eq(again.data, pack.data, (size_t)pack.size);
  adl_tensor tensor;
  ck_assert(adl_tensors_find(back, "w", &tensor));
  ck_assert(((float *)tensor.data)[14] == 14.0F / 3);
  ck_assert_int_eq(adl_table_find(adl_tensors_find_table(back, "t"), "81", 2), 9);
  for (int64_t cut = 0; cut < pack.size; cut += 8) {
    adl_unpack part = {.data = pack.data, .size = cut};
    adl_tensors_free(adl_unpack_tensors(&part));
    ck_assert(part.bad);
  }
  adl_tensors_free(back);
  adl_tensors_free(tensors);
  adl_pack_clear(&pack);
  adl_pack_clear(&again);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pack");
  TCase *cases = tcase_create("pack");
  tcase_add_loop_test(cases, arrays_come_back, 0, SAMPLE_TYPES);
  tcase_add_test(cases, tensors_come_back);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
