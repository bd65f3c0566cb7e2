/* Rows in memory on the stand: every type arrives as it was, cut where it was asked to be, with its split. */
#include <check.h>

#include "core/stand/rows.h"
#include "core/stand/stand.h"
#include "tests/data/sample.h"

enum { ROWS = 300 };

/* Columns c0, c1, ... of every type there is. */
static adl_stand_rows *every_type(GRand *rand) {
  adl_stand_rows *rows = adl_stand_rows_new("all");
  for (int i = 0; i < SAMPLE_TYPES; i++) {
    char name[8];
    g_snprintf(name, sizeof name, "c%d", i);
    adl_stand_rows_column(rows, name, sample_array(sample_type(i), ROWS, 5, rand));
  }
  return rows;
}

static char *pipeline(const adl_stand_rows *rows, const char *more) {
  GString *yaml = g_string_new("adloom: 1\nname: test\nmax_rejects: 1\nstages:\n");
  adl_stand_rows_yaml(rows, "rows", yaml);
  g_string_append(yaml, more);
  return g_string_free(yaml, FALSE);
}

static void run(adl_stand *stand, const adl_stand_rows *rows, const char *more, const char *tap) {
  char *text = pipeline(rows, more);
  adl_stand_run(stand, text, tap);
  ck_assert_msg(adl_stand_ok(stand), "%s", stand->errors->str);
  g_free(text);
}

START_TEST(every_type_arrives_as_it_was) {
  GRand *rand = g_rand_new_with_seed(7), *again = g_rand_new_with_seed(7);
  adl_stand_rows *rows = every_type(rand);
  adl_stand *stand = adl_stand_new();
  const int64_t cut[] = {1, 7, 0, 64};
  adl_stand_rows_cut(rows, cut, 4);
  run(stand, rows, "", "rows");
  ck_assert_int_eq(adl_stand_rows_out(stand), ROWS);
  for (int i = 0; i < SAMPLE_TYPES; i++) {
    char name[8];
    g_snprintf(name, sizeof name, "c%d", i);
    adl_array *was = sample_array(sample_type(i), ROWS, 5, again);
    const adl_column *is = adl_stand_column(stand, adl_stand_find(stand, name));
    ck_assert(adl_type_equal(is->type, was->view.type));
    for (int64_t row = 0; row < ROWS; row++) ck_assert(same_row((const adl_array *)is, row, was, row));
    adl_array_unref(was);
  }
  adl_stand_free(stand);
  adl_stand_rows_free(rows);
  g_rand_free(rand);
  g_rand_free(again);
}
END_TEST

START_TEST(batches_are_cut_where_asked) {
  GRand *rand = g_rand_new_with_seed(1);
  adl_stand_rows *rows = every_type(rand);
  adl_stand *stand = adl_stand_new();
  const int64_t cut[] = {1, 7, 64}, expected[] = {1, 7, 64, 1, 7, 64, 1, 7, 64, 1, 7, 64, 1, 7, 4};
  int64_t is = 0;
  adl_stand_rows_cut(rows, cut, 3);
  run(stand, rows, "", "rows");
  const GPtrArray *frames = adl_stand_frames(stand);
  for (guint i = 0; i < frames->len && i < G_N_ELEMENTS(expected); i++) {
    const adl_frame *frame = frames->pdata[i];
    ck_assert_int_eq(frame->rows, expected[i]);
    for (int64_t row = 0; row < frame->rows; row++)
      ck_assert_int_eq(adl_tag_position(adl_frame_tags(frame)[row]), is++);
  }
  ck_assert_uint_eq(frames->len, G_N_ELEMENTS(expected));
  adl_stand_free(stand);
  adl_stand_rows_free(rows);
  g_rand_free(rand);
}
END_TEST

START_TEST(rows_are_held_out_as_asked) {
  GRand *rand = g_rand_new_with_seed(2);
  adl_stand_rows *rows = every_type(rand);
  adl_stand *stand = adl_stand_new();
  uint8_t splits[ROWS];
  for (int i = 0; i < ROWS; i++) splits[i] = (uint8_t)(i % 5 == 1 ? ADL_VALIDATE : i % 7 == 3 ? ADL_TEST : ADL_TRAIN);
  adl_stand_rows_splits(rows, splits);
  run(stand, rows, "", "rows");
  ck_assert_int_eq(stand->tapped->schema.count, SAMPLE_TYPES); /* the column that told it has not left */
  int64_t at = 0;
  const GPtrArray *frames = adl_stand_frames(stand);
  for (guint i = 0; i < frames->len; i++) {
    const adl_frame *frame = frames->pdata[i];
    for (int64_t row = 0; row < frame->rows; row++)
      ck_assert_int_eq(adl_tag_split(adl_frame_tags(frame)[row]), splits[at++]);
  }
  ck_assert_int_eq(at, ROWS);
  adl_stand_free(stand);
  adl_stand_rows_free(rows);
  g_rand_free(rand);
}
END_TEST

START_TEST(two_tables_and_none) {
  adl_stand_rows *main = adl_stand_rows_new("main"), *side = adl_stand_rows_new("side");
  adl_stand *stand = adl_stand_new();
  GRand *rand = g_rand_new_with_seed(3);
  adl_stand_rows_column(main, "id", sample_array(adl_type_scalar(ADL_STRING, ADL_CATEGORY), 40, 5, rand));
  adl_stand_rows_column(side, "id", sample_array(adl_type_scalar(ADL_STRING, ADL_CATEGORY), 0, 5, rand));
  adl_stand_rows_column(side, "x", sample_array(adl_type_scalar(ADL_FLOAT32, ADL_NUMBER), 0, 5, rand));
  GString *more = g_string_new(NULL);
  adl_stand_rows_yaml(side, "lookup", more);
  g_string_append(more, "  both: {use: join, from: rows, with: lookup, on: id}\n");
  run(stand, main, more->str, "both");
  ck_assert_int_eq(adl_stand_rows_out(stand), 40);
  ck_assert(adl_stand_find(stand, "x") >= 0);
  g_string_free(more, TRUE);
  adl_stand_free(stand);
  adl_stand_rows_free(side);
  char *gone = pipeline(main, "  s: {use: stand.rows, table: side}\n");
  stand = adl_stand_new();
  ck_assert(!adl_stand_load(stand, gone));
  ck_assert_ptr_nonnull(strstr(stand->errors->str, "there are no rows called `side`"));
  g_free(gone);
  adl_stand_free(stand);
  adl_stand_rows_free(main);
  g_rand_free(rand);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("stand");
  TCase *tests = tcase_create("rows");
  tcase_add_test(tests, every_type_arrives_as_it_was);
  tcase_add_test(tests, batches_are_cut_where_asked);
  tcase_add_test(tests, rows_are_held_out_as_asked);
  tcase_add_test(tests, two_tables_and_none);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
