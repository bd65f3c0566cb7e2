/* Frames: tags, gather, rows taken out. */
#include <check.h>
#include <stdlib.h>

#include "core/data/frame.h"
#include "tests/data/sample.h"

static adl_frame *sample_frame(int64_t rows, GRand *rand) {
  adl_builder *tags = adl_builder_new(adl_type_scalar(ADL_INT64, ADL_NUMBER));
  adl_buffers to;
  ck_assert(adl_builder_reserve(tags, rows, 0, 0, &to));
  for (int64_t row = 0; row < rows; row++)
    ((int64_t *)to.data)[row] = adl_tag_make((adl_split)(row % 3), (int32_t)row / 10, row * 7);
  adl_frame *frame = adl_frame_new(rows, 4, adl_builder_finish(tags, rows, NULL));
  frame->columns[0] = sample_array(sample_type(ADL_STRING), rows, 4, rand);
  frame->columns[2] = sample_array(sample_type(ADL_FLOAT64), rows, 0, rand); /* 1 and 3 are pruned */
  return frame;
}

START_TEST(tags_keep_their_three_parts) {
  const int64_t position = (INT64_C(1) << 40) - 1;
  for (int split = ADL_TRAIN; split <= ADL_TEST; split++) {
    int64_t tag = adl_tag_make((adl_split)split, 0x1fffff, position);
    ck_assert_int_ge(tag, 0);
    ck_assert_int_eq(adl_tag_split(tag), split);
    ck_assert_int_eq(adl_tag_shard(tag), 0x1fffff);
    ck_assert_int_eq(adl_tag_position(tag), position);
  }
}
END_TEST

START_TEST(rows_go_with_their_tags) {
  GRand *rand = g_rand_new_with_seed(1);
  adl_frame *frame = sample_frame(100, rand);
  uint8_t bad[13] = {0};
  for (int row = 0; row < 100; row += 3) adl_bit_set(bad, row, true);
  adl_bit_set(bad, 100, true); /* behind the last row */
  adl_frame *rest = adl_frame_without(frame, bad);
  ck_assert_int_eq(rest->rows, 66);
  ck_assert_ptr_null(rest->columns[1]);
  for (int i = 0, row = 0; row < 100; row++) {
    if (row % 3 == 0) continue;
    ck_assert_int_eq(adl_frame_tags(rest)[i], adl_frame_tags(frame)[row]);
    ck_assert(same_row(rest->columns[0], i, frame->columns[0], row));
    ck_assert(same_row(rest->columns[2], i, frame->columns[2], row));
    i++;
  }
  ck_assert_int_gt(adl_frame_bytes(frame), 100 * (8 + 8 + 4));
  adl_frame_unref(rest);
  adl_frame_unref(frame);
  g_rand_free(rand);
}
END_TEST

START_TEST(nothing_to_take_out_shares_the_frame) {
  GRand *rand = g_rand_new_with_seed(2);
  adl_frame *frame = sample_frame(10, rand);
  uint8_t bad[2] = {0};
  adl_frame *same = adl_frame_without(frame, bad);
  ck_assert_ptr_eq(same, frame);
  adl_frame_unref(same);
  memset(bad, 0xff, sizeof bad);
  adl_frame *none = adl_frame_without(frame, bad);
  ck_assert_int_eq(none->rows, 0);
  adl_frame_unref(none);
  const int64_t wrong[] = {10};
  ck_assert_ptr_null(adl_frame_gather(frame, wrong, 1));
  adl_frame_unref(frame);
  g_rand_free(rand);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("frame");
  TCase *tests = tcase_create("frame");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, tags_keep_their_three_parts);
  tcase_add_test(tests, rows_go_with_their_tags);
  tcase_add_test(tests, nothing_to_take_out_shares_the_frame);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
