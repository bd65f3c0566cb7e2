/* hash: where each kind of column goes (places computed with scikit-learn's murmurhash3_32), crosses, signs, refusals. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/common/murmur3.h"
#include "tests/plugins/bare_host.h"
#include "tests/plugins/bare_stage.h"

extern const adl_plugin *adl_entry_hash(const adl_host *host);

static const adl_class *class_of(void) { return adl_entry_hash(bare_call()->host)->classes[0]; }

static bare_table table;
static bare_stage *stage;

static void teardown(void) {
  if (stage != NULL) bare_stage_free(stage);
  stage = NULL;
  bare_table_clear(&table);
}

/* Runs the class over the table. */
#define RUN(...)                                                                                                       \
  do {                                                                                                                 \
    adl_status status;                                                                                                 \
    stage = bare_stage_new(class_of(), &table, &status, __VA_ARGS__, NULL);                                            \
    ck_assert_msg(status == ADL_OK, "%s", stage->failed->str);                                                         \
    ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_OK);                                                           \
    ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);                                                       \
  } while (0)

#define REFUSED(message, ...)                                                                                          \
  do {                                                                                                                 \
    adl_status status;                                                                                                 \
    stage = bare_stage_new(class_of(), &table, &status, __VA_ARGS__, NULL);                                            \
    ck_assert_int_eq(status, ADL_FAILED);                                                                              \
    ck_assert_str_eq(stage->failed->str, message);                                                                     \
  } while (0)

/* The places Vowpal Wabbit gives "| f1:2 f2:-3.5" at 18 bits. */
START_TEST(numbers_weigh_their_column) {
  bare_add(&table, "f1", "float", "2", "0", bare_null, NULL);
  bare_add(&table, "f2", "double", "-3.5", "1", "0", NULL);
  RUN("columns", "[f1, f2]");
  ck_assert_int_eq(stage->type.width, 1 << 18);
  ck_assert_int_eq(stage->type.shape, ADL_SPARSE);
  ck_assert_str_eq(bare_row(stage, 0), "82936:-3.5 259761:2");
  ck_assert_str_eq(bare_row(stage, 1), "82936:1");
  ck_assert_str_eq(bare_row(stage, 2), "");
}
END_TEST

START_TEST(categories_have_a_place_each) {
  bare_add(&table, "segment", "string", "shoes", bare_null, "hats", NULL);
  bare_add(&table, "user", "id", "42", "-7", bare_null, NULL);
  bare_add(&table, "age", "int", "42", bare_null, "7", NULL);
  bare_add(&table, "member", "bool", "true", "false", bare_null, NULL);
  RUN("columns", "[segment, user, age, member]");
  ck_assert_str_eq(bare_row(stage, 0), "119497:1 165201:42 187641:1 213270:1");
  ck_assert_str_eq(bare_row(stage, 1), "71703:1");
  ck_assert_str_eq(bare_row(stage, 2), "165201:7 209632:1");
}
END_TEST

/* Strings that all have eight bytes are hashed together: each gets the place it would get alone, whatever stands beside it. */
START_TEST(ids_of_eight_characters) {
  const char *ids[] = {"7ebc81b0", bare_null, "f1ebd155", "868cf2c5", "", "87654321", "shoes", "12345678"};
  for (int odd = 0; odd < 2; odd++) { /* without the empty string and the short one, and with them */
    const char *cells[8];
    for (int i = 0; i < 8; i++) cells[i] = odd == 0 && (i == 4 || i == 6) ? bare_null : ids[i];
    bare_add(&table, "c", "string", cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7],
             NULL);
    RUN("columns", "[c]");
    for (int i = 0; i < 8; i++) {
      char expected[32] = "";
      uint32_t place = adl_murmur3(ids[i] == bare_null ? "" : ids[i], ids[i] == bare_null ? 0 : strlen(ids[i]),
                                   adl_murmur3("c", 1, 0));
      if (cells[i] != bare_null) snprintf(expected, sizeof expected, "%u:1", place & ((1u << 18) - 1));
      ck_assert_str_eq(bare_row(stage, i), expected);
    }
    teardown();
  }
}
END_TEST

START_TEST(lists_and_bags_put_in_their_items) {
  bare_add(&table, "tags", "list", "a b a", bare_null, "", NULL);
  bare_add(&table, "spend", "bag", "milk:2.5 tea:0", "tea:-1 milk:1 tea:1", bare_null, NULL);
  RUN("columns", "[tags, spend]");
  ck_assert_str_eq(bare_row(stage, 0), "11888:2.5 42662:2 138071:1");
  ck_assert_str_eq(bare_row(stage, 1), "11888:1");
  ck_assert_str_eq(bare_row(stage, 2), "");
}
END_TEST

START_TEST(vectors_keep_their_neighbourhood) {
  bare_add(&table, "v", "vector", "1 2 3", "0 0 -1", bare_null, NULL);
  bare_add(&table, "words", "sparse/262144", "0:1 7:2 262143:3", bare_null, "7:4", NULL);
  RUN("columns", "[v, words]");
  ck_assert_str_eq(bare_row(stage, 0), "133589:3 133590:1 133597:2 248917:1 248918:2 248919:3");
  ck_assert_str_eq(bare_row(stage, 1), "248919:-1");
  ck_assert_str_eq(bare_row(stage, 2), "133597:4");
  ck_assert_str_eq(stage->warned->str, "");
}
END_TEST

START_TEST(wider_than_the_hash) {
  bare_add(&table, "words", "sparse/300001", "300000:1", NULL);
  bare_add(&table, "v", "vector64", "1 2 3", NULL);
  RUN("columns", "[words, v]");
  ck_assert_str_eq(bare_row(stage, 0), "171446:1 248917:1 248918:2 248919:3");
  ck_assert_ptr_nonnull(strstr(stage->warned->str, "words has 300001 dimensions, which have to share 2^18"));
}
END_TEST

START_TEST(crosses_combine) {
  bare_add(&table, "user", "id", "42", "42", bare_null, NULL);
  bare_add(&table, "segment", "string", "shoes", bare_null, "shoes", NULL);
  bare_add(&table, "tags", "list", "a b", "a", "", NULL);
  RUN("crosses", "[[user, segment], [segment, tags], [user, segment, tags]]");
  ck_assert_str_eq(bare_row(stage, 1), "");
  ck_assert_str_eq(bare_row(stage, 2), "");
  /* user x segment; segment x a, b; user x segment x a, b. */
  const adl_column *column = &stage->made->view;
  static const uint32_t expected[] = {83377, 93941, 170733, 250628};
  ck_assert_int_eq(column->offsets[1], 5);
  for (size_t i = 0; i < 4; i++) {
    int found = 0;
    for (int32_t at = 0; at < 5; at++) found += column->index[at] == expected[i];
    ck_assert_msg(found == 1, "%u", expected[i]);
  }
}
END_TEST

START_TEST(crosses_multiply_weights) {
  bare_add(&table, "segment", "string", "shoes", NULL);
  bare_add(&table, "spend", "bag", "milk:2.5 tea:4", NULL);
  RUN("crosses", "[[spend, spend], [segment, spend]]");
  double sum = 0;
  const adl_column *column = &stage->made->view;
  for (int32_t i = 0; i < column->offsets[1]; i++) sum += (double)((const float *)column->data)[i];
  ck_assert_double_eq_tol(sum, 6.5 * 6.5 + 6.5, 1e-5);
}
END_TEST

START_TEST(signs_come_from_the_hash) {
  bare_add(&table, "segment", "string", "shoes", "hats", NULL);
  bare_add(&table, "words", "sparse/10", "0:1 1:1 2:1", bare_null, NULL);
  RUN("columns", "[segment, words]", "signed", "true");
  ck_assert_str_eq(bare_row(stage, 0), "133590:-1 133591:1 133592:-1 213270:1");
  ck_assert_str_eq(bare_row(stage, 1), "209632:-1");
}
END_TEST

START_TEST(few_and_many_bits) {
  bare_add(&table, "tags", "list", "a b c d e f g h", NULL);
  RUN("columns", "tags", "bits", "1");
  ck_assert_int_eq(stage->type.width, 2);
  ck_assert_str_eq(bare_row(stage, 0), "0:4 1:4");
  bare_stage_free(stage);
  RUN("columns", "tags", "bits", "31");
  ck_assert_int_eq(stage->type.width, INT64_C(1) << 31);
  ck_assert_int_eq(stage->made->view.offsets[1], 8);
}
END_TEST

START_TEST(what_float32_cannot_hold_is_rejected) {
  bare_add(&table, "f1", "double", "1e300", "2", NULL);
  bare_add(&table, "spend", "bag", "tea:1", "tea:inf", NULL);
  RUN("columns", "[f1, spend]");
  ck_assert_str_eq(bare_rejected(stage, 0), "f1: 1e+300 does not fit a float32");
  ck_assert_str_eq(bare_rejected(stage, 1), "spend: inf does not fit a float32");
}
END_TEST

/* 3 x 3000^2 combinations would be 27 million. */
START_TEST(too_many_combinations_are_rejected) {
  GString *many = g_string_new("0");
  for (int i = 1; i < 3000; i++) g_string_append_printf(many, " %d", i);
  bare_add(&table, "tags", "list", many->str, "a b", NULL);
  bare_add(&table, "segment", "list", "x y z", "x", NULL);
  RUN("crosses", "[[tags, tags, segment]]");
  ck_assert_str_eq(bare_rejected(stage, 0), "crosses: the row has 27000000 entries; at most 16777216");
  ck_assert_ptr_null(bare_rejected(stage, 1));
  ck_assert_int_eq(stage->made->view.offsets[1], 0);
  ck_assert_int_eq(stage->made->view.offsets[2], 4);
  g_string_free(many, TRUE);
}
END_TEST

START_TEST(refusals) {
  bare_add(&table, "at", "timestamp", "1", NULL);
  bare_add(&table, "prices", "ints", "1 2", NULL);
  bare_add(&table, "user", "id", "1", NULL);
  switch (_i) {
    case 0:
      REFUSED("columns[1]: at is a timestamp, whose value hardly ever comes again\n", "columns", "[user, at]");
      break;
    case 1:
      REFUSED("columns[0]: prices is a list of numbers, which have no dimensions of their own\n"
              "columns[1]: at is a timestamp, whose value hardly ever comes again\n",
              "columns", "[prices, at]");
      break;
    case 2: REFUSED("columns: user is named twice\n", "columns", "[user, user]"); break;
    case 3: REFUSED("columns: there is nothing to hash\n", "bits", "4"); break;
    case 4:
      REFUSED("crosses[0]: a cross is of two or three columns, not of 1\n"
              "crosses[2]: a cross is of two or three columns, not of 4\n",
              "crosses", "[[user], [user, user], [user, user, user, user]]");
      break;
  }
}
END_TEST

START_TEST(lists_of_ids_are_categories) {
  bare_add(&table, "user", "ids", "42 -7 42", NULL);
  RUN("columns", "user");
  ck_assert_str_eq(bare_row(stage, 0), "71703:1 187641:2");
}
END_TEST

/* A table of 3000 rows, in which each kind of column has its gaps. */
static void add_many_rows(void) {
  adl_builder *builders[4];
  static const adl_type types[4] = {{ADL_STRING, ADL_SCALAR, ADL_CATEGORY, 0, 0, 0},
                                    {ADL_FLOAT64, ADL_SCALAR, ADL_NUMBER, 0, 0, 0},
                                    {ADL_STRING, ADL_BAG, ADL_CATEGORY, 0, 0, 0},
                                    {ADL_FLOAT32, ADL_SPARSE, ADL_NUMBER, 0, 0, 50}};
  static const char *const names[4] = {"segment", "price", "basket", "words"};
  enum { ROWS = 3000 };
  for (int c = 0; c < 4; c++) {
    adl_buffers to;
    builders[c] = adl_builder_new(types[c]);
    ck_assert(adl_builder_reserve(builders[c], ROWS, types[c].shape == ADL_SCALAR ? 0 : 10 * ROWS, 20 * ROWS, &to));
    for (int64_t row = 0; row < ROWS; row++) {
      uint64_t random = adl_random((uint64_t)c, (uint64_t)row);
      char text[24];
      int size = g_snprintf(text, sizeof text, "s%d", (int)(random % 100));
      bool null = random % 11 == 0;
      int items = null ? 0 : (int)(random % 7);
      if (null) adl_bit_set(to.validity, row, false);
      if (c == 0) {
        memcpy((char *)to.data + to.string_offsets[row], text, null ? 0 : (size_t)size);
        to.string_offsets[row + 1] = to.string_offsets[row] + (null ? 0 : size);
      } else if (c == 1) {
        ((double *)to.data)[row] = null ? 0 : (double)(random % 1000) / 8;
      } else {
        to.offsets[row + 1] = to.offsets[row] + items;
        for (int i = 0; i < items; i++) {
          int32_t at = to.offsets[row] + i;
          if (c == 2) {
            memcpy((char *)to.data + to.string_offsets[at], text, (size_t)size);
            to.string_offsets[at + 1] = to.string_offsets[at] + size;
            to.weights[at] = (float)i + 0.5f;
          } else {
            to.index[at] = (uint32_t)(7 * i) + (uint32_t)(random % 7);
            ((float *)to.data)[at] = (float)i - 2;
          }
        }
      }
    }
    const char *why = NULL;
    table.names[c] = names[c];
    table.columns[c] = adl_builder_finish(builders[c], ROWS, &why);
    ck_assert_msg(table.columns[c] != NULL, "%s", why);
    table.count = c + 1;
  }
}

START_TEST(batches_do_not_matter) {
  static const int64_t sizes[] = {1, 7, 255, 256, 257, 1000};
  add_many_rows();
  RUN("columns", "[segment, price, basket, words]", "crosses", "[[segment, basket]]", "bits", "8", "signed", "true");
  adl_array *whole = adl_array_ref(stage->made);
  ck_assert_int_gt(whole->view.offsets[3000], 9000);
  for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
    stage->batch_rows = sizes[i];
    ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);
    const adl_column *made = &stage->made->view;
    int32_t items = whole->view.offsets[3000];
    ck_assert_mem_eq(made->offsets, whole->view.offsets, 3001 * sizeof(int32_t));
    ck_assert_mem_eq(made->index, whole->view.index, (size_t)items * sizeof(uint32_t));
    ck_assert_mem_eq(made->data, whole->view.data, (size_t)items * sizeof(float));
  }
  adl_array_unref(whole);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("hash");
  TCase *cases = tcase_create("hash");
  tcase_add_checked_fixture(cases, NULL, teardown);
  tcase_add_test(cases, numbers_weigh_their_column);
  tcase_add_test(cases, categories_have_a_place_each);
  tcase_add_test(cases, ids_of_eight_characters);
  tcase_add_test(cases, lists_and_bags_put_in_their_items);
  tcase_add_test(cases, lists_of_ids_are_categories);
  tcase_add_test(cases, vectors_keep_their_neighbourhood);
  tcase_add_test(cases, wider_than_the_hash);
  tcase_add_test(cases, crosses_combine);
  tcase_add_test(cases, crosses_multiply_weights);
  tcase_add_test(cases, signs_come_from_the_hash);
  tcase_add_test(cases, few_and_many_bits);
  tcase_add_test(cases, what_float32_cannot_hold_is_rejected);
  tcase_add_test(cases, too_many_combinations_are_rejected);
  tcase_add_loop_test(cases, refusals, 0, 5);
  tcase_add_test(cases, batches_do_not_matter);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
