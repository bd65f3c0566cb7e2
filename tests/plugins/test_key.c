/* Keys: equal for equal values, in the order of the values, and taken apart again; SipHash against its vectors. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/key.h"
#include "common/key_order.h"
#include "common/siphash.h"
#include "tests/plugins/bare_host.h"

static adl_column column_of(adl_element element, int64_t rows, const void *data) {
  return (adl_column){
      .struct_size = sizeof(adl_column), .type = {.element = (uint8_t)element}, .rows = rows, .data = data};
}

/* The key of one row, as a copy; `last` as in adl_key_add. */
static adl_text key_of(const adl_column *column, int64_t row, bool last) {
  static char copies[64][64];
  static int next;
  adl_key key;
  adl_key_begin(&key, bare_call());
  adl_key_add(&key, column, row, last);
  ck_assert_int_le(key.size, 64);
  char *copy = copies[next++ % 64];
  memcpy(copy, key.data, (size_t)key.size);
  return (adl_text){copy, (int32_t)key.size};
}

static int sign(int x) { return (x > 0) - (x < 0); }

START_TEST(pairs_are_sorted_by_digits) {
  enum { COUNT = 5000 };
  static adl_radix_pair pairs[COUNT], room[COUNT];
  for (int64_t count = 0; count <= COUNT; count += count < 60 ? 1 : 1235)
    for (int shift = 0; shift < 64; shift += 9) {
      for (int64_t i = 0; i < count; i++) pairs[i] = (adl_radix_pair){adl_random(7, (uint64_t)i) >> shift, (uint64_t)i};
      adl_radix_sort(NULL, pairs, room, count);
      for (int64_t i = 0; i < count; i++) {
        ck_assert_uint_eq(pairs[i].key, adl_random(7, pairs[i].value) >> shift);
        ck_assert(i == 0 || pairs[i - 1].key < pairs[i].key ||
                  (pairs[i - 1].key == pairs[i].key && pairs[i - 1].value < pairs[i].value));
      }
    }
}
END_TEST

START_TEST(integers_of_any_width) {
  static const int32_t narrow[] = {INT32_MIN, -5, -1, 0, 1, 5, INT32_MAX};
  static const int64_t wide[] = {INT32_MIN, -5, -1, 0, 1, 5, INT32_MAX};
  static const uint32_t positive[] = {0, 1, 5, UINT32_MAX};
  adl_column a = column_of(ADL_INT32, 7, narrow), b = column_of(ADL_INT64, 7, wide),
             c = column_of(ADL_UINT32, 4, positive);
  for (int i = 0; i < 7; i++)
    for (int j = 0; j < 7; j++)
      ck_assert_int_eq(sign(adl_key_compare(key_of(&a, i, true), key_of(&b, j, true))), sign(i - j));
  ck_assert_int_eq(adl_key_compare(key_of(&c, 2, true), key_of(&a, 5, true)), 0);
  ck_assert_int_gt(adl_key_compare(key_of(&c, 3, true), key_of(&a, 6, true)), 0);
  bare_done();
}
END_TEST

START_TEST(floats_in_order) {
  static const double values[] = {-INFINITY, -1e300, -1.5, -1e-300, 0, 1e-300, 1.5, 1e300, INFINITY, NAN};
  static const double zeros[] = {0.0, -0.0, NAN, -NAN};
  static const float narrow[] = {1.5F};
  adl_column a = column_of(ADL_FLOAT64, 10, values), z = column_of(ADL_FLOAT64, 4, zeros),
             n = column_of(ADL_FLOAT32, 1, narrow);
  for (int i = 0; i < 10; i++)
    for (int j = 0; j < 10; j++)
      ck_assert_int_eq(sign(adl_key_compare(key_of(&a, i, false), key_of(&a, j, false))), sign(i - j));
  ck_assert_int_eq(adl_key_compare(key_of(&z, 0, true), key_of(&z, 1, true)), 0);
  ck_assert_int_eq(adl_key_compare(key_of(&z, 2, true), key_of(&z, 3, true)), 0);
  ck_assert_int_eq(adl_key_compare(key_of(&n, 0, true), key_of(&a, 6, true)), 0);
  bare_done();
}
END_TEST

/* Strings with zeros in them, alone and with something behind them: ("a", "b") is not ("ab", ""). */
START_TEST(strings_in_order) {
  static const char bytes[] = "a\0a\0\0a\0b\0aab\xff";
  static const int32_t offsets[] = {0, 0, 1, 3, 6, 9, 11, 13, 14};
  adl_column column = column_of(ADL_STRING, 8, bytes);
  column.string_offsets = offsets;
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j < 8; j++) {
      int order = sign(adl_key_compare(adl_text_at(&column, i), adl_text_at(&column, j)));
      ck_assert_int_eq(sign(adl_key_compare(key_of(&column, i, true), key_of(&column, j, true))), order);
      ck_assert_int_eq(sign(adl_key_compare(key_of(&column, i, false), key_of(&column, j, false))), order);
    }
  }
  bare_done();
}
END_TEST

START_TEST(taken_apart_again) {
  static const char bytes[] = "x\0y\0\0tail\0";
  static const int32_t offsets[] = {0, 5, 10};
  static const int64_t numbers[] = {-7};
  static const double floats[] = {-2.25};
  static const uint8_t flags[] = {1};
  adl_column text = column_of(ADL_STRING, 2, bytes), number = column_of(ADL_INT64, 1, numbers);
  adl_column real = column_of(ADL_FLOAT64, 1, floats), flag = column_of(ADL_BOOL, 1, flags);
  text.string_offsets = offsets;
  const adl_column *columns[] = {&text, &number, &flag, &real, &text};
  adl_input inputs[5];
  for (int i = 0; i < 5; i++) inputs[i] = (adl_input){.name = "c", .type = columns[i]->type, .slot = i};
  adl_inputs all = {5, inputs};
  adl_batch batch = {.rows = 1, .slots = columns, .slot_count = 5};
  adl_key key;
  adl_key_begin(&key, bare_call());
  ck_assert(adl_key_of_row(&key, &batch, &all, 0));
  adl_key_reader reader = {key.data, key.data + key.size};
  adl_key_value value;
  char buffer[32];
  adl_key_next(&reader, ADL_STRING, false, buffer, &value);
  ck_assert_int_eq(value.text.size, 5);
  ck_assert_int_eq(memcmp(value.text.data, bytes, 5), 0);
  adl_key_next(&reader, ADL_INT64, false, buffer, &value);
  ck_assert_int_eq(value.integer, -7);
  adl_key_next(&reader, ADL_BOOL, false, buffer, &value);
  ck_assert_int_eq(value.integer, 1);
  adl_key_next(&reader, ADL_FLOAT64, false, buffer, &value);
  ck_assert(value.number == -2.25);
  adl_key_next(&reader, ADL_STRING, true, buffer, &value);
  ck_assert_int_eq(value.text.size, 5);
  ck_assert_ptr_eq(reader.at, reader.end);
  char described[64];
  inputs[1].name = "user";
  adl_inputs some = {2, inputs + 1};
  adl_key_describe(&batch, &some, 0, described, sizeof described);
  ck_assert_str_eq(described, "user -7, c true");
  static const uint8_t none[] = {0};
  number.validity = none;
  ck_assert(!adl_key_of_row(&key, &batch, &all, 0));
  bare_done();
}
END_TEST

/* Lists: where one ends and the next begins counts, and so does a null. */
START_TEST(values_of_any_shape) {
  static const char bytes[] = "abab";
  static const int32_t text_offsets[] = {0, 1, 2, 4}, offsets[] = {0, 2, 3, 3, 3};
  static const uint8_t validity[] = {0x07};
  adl_column list = column_of(ADL_STRING, 4, bytes);
  list.type.shape = ADL_LIST;
  list.string_offsets = text_offsets;
  list.offsets = offsets;
  list.validity = validity;
  adl_text keys[4]; /* [a, b], [ab], [], null */
  for (int row = 0; row < 4; row++) {
    adl_key key;
    adl_key_begin(&key, bare_call());
    adl_key_add_any(&key, &list, row);
    keys[row] = (adl_text){(const char *)key.data, (int32_t)key.size};
  }
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) ck_assert_int_eq(adl_key_compare(keys[i], keys[j]) == 0, i == j);
  bare_done();
}
END_TEST

START_TEST(what_can_be_equal) {
  adl_type i32 = {.element = ADL_INT32}, i64 = {.element = ADL_INT64}, f32 = {.element = ADL_FLOAT32};
  adl_type f64 = {.element = ADL_FLOAT64}, s = {.element = ADL_STRING}, t = {.element = ADL_TIMESTAMP};
  adl_type list = {.element = ADL_STRING, .shape = ADL_LIST};
  ck_assert(adl_key_comparable(i32, i64) && adl_key_comparable(f32, f64) && adl_key_comparable(s, s));
  ck_assert(!adl_key_comparable(i64, f64) && !adl_key_comparable(i64, s) && !adl_key_comparable(t, i64));
  ck_assert(!adl_key_comparable(list, list));
}
END_TEST

/* The reference implementation's vectors_sip128: key 0, 1, ... 15; the input of n bytes is 0, 1, ... n - 1. */
START_TEST(siphash_vectors) {
  static const uint8_t truth[][16] = {
      {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93},
      {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45},
  };
  static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
  uint8_t input[64], hash[16];
  for (int i = 0; i < 64; i++) input[i] = (uint8_t)i;
  for (size_t n = 0; n < 2; n++) {
    adl_siphash(input, n, key, hash);
    ck_assert_int_eq(memcmp(hash, truth[n], 16), 0);
  }
  uint8_t others[64][16];
  for (size_t n = 0; n < 64; n++) {
    adl_siphash(input, n, key, others[n]);
    for (size_t m = 0; m < n; m++) ck_assert_int_ne(memcmp(others[n], others[m], 16), 0);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("key");
  TCase *t = tcase_create("key");
  tcase_add_test(t, pairs_are_sorted_by_digits);
  tcase_add_test(t, integers_of_any_width);
  tcase_add_test(t, floats_in_order);
  tcase_add_test(t, strings_in_order);
  tcase_add_test(t, taken_apart_again);
  tcase_add_test(t, values_of_any_shape);
  tcase_add_test(t, what_can_be_equal);
  tcase_add_test(t, siphash_vectors);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
