/* Columns as Arrow arrays and back: known answers for each type, what is shared and what is copied, who releases when. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/data/arrow_sample.h"

static GRand *rand_of(int number) { return g_rand_new_with_seed(1000 + (guint32)number); }

static void same_rows(const adl_array *a, const adl_array *b) {
  ck_assert_int_eq(a->view.rows, b->view.rows);
  ck_assert_int_eq(a->view.null_count, b->view.null_count);
  ck_assert_mem_eq(&a->view.type, &b->view.type, sizeof a->view.type);
  for (int64_t row = 0; row < a->view.rows; row++) ck_assert_msg(same_row(a, row, b, row), "row %d", (int)row);
}

/* ---- types ---- */

static const char *format_of(const struct ArrowSchema *schema, GString *to) {
  g_string_append(to, schema->format);
  for (int64_t i = 0; i < schema->n_children; i++) {
    g_string_append_c(to, i == 0 ? '(' : ' ');
    format_of(schema->children[i], to);
  }
  if (schema->n_children > 0) g_string_append_c(to, ')');
  return to->str;
}

START_TEST(formats_of_all_types) {
  static const char *const expected[SAMPLE_TYPES] = {
      "b",           "i",     "l",     "I",       "f",       "g",           "tsu:UTC",
      "u",           "z",     "+l(i)", "+l(l)",   "+l(I)",   "+l(f)",       "+l(g)",
      "+l(tsu:UTC)", "+l(u)", "+l(z)", "+w:3(f)", "+w:3(g)", "+l(+s(I f))", "+l(+s(u f))"};
  struct ArrowSchema schema;
  adl_arrow_layout layout;
  char *why = NULL;
  GString *text = g_string_new("");
  adl_arrow_export_type(sample_type(_i), "price", &schema);
  ck_assert_str_eq(format_of(&schema, text), expected[_i]);
  ck_assert_str_eq(schema.name, "price");
  ck_assert_int_eq(schema.flags, ARROW_FLAG_NULLABLE);
  for (int64_t i = 0; i < schema.n_children; i++) ck_assert_int_eq(schema.children[i]->flags, 0);
  ck_assert_msg(adl_arrow_read_schema(&schema, &layout, &why), "%s", why);
  adl_type type = sample_type(_i);
  ck_assert_mem_eq(&layout.type, &type, sizeof type);
  ck_assert(layout.role_told);
  schema.release(&schema);
  ck_assert_ptr_null(schema.release);
  g_string_free(text, TRUE);
}
END_TEST

START_TEST(metadata_to_the_byte) {
  static const char expected[] = "\2\0\0\0\13\0\0\0adloom.role\6\0\0\0number\14\0\0\0adloom.width\2\0\0\0"
                                 "50";
  struct ArrowSchema schema;
  adl_arrow_export_type(sample_type(19), NULL, &schema);
  ck_assert_str_eq(schema.name, "");
  ck_assert_mem_eq(schema.metadata, expected, sizeof expected - 1);
  schema.release(&schema);
}
END_TEST

START_TEST(roles_and_zones_that_are_not_told) {
  static const struct {
    const char *format;
    uint8_t element, role;
  } known[] = {{"l", ADL_INT64, ADL_NUMBER},
               {"u", ADL_STRING, ADL_CATEGORY},
               {"U", ADL_STRING, ADL_CATEGORY},
               {"Z", ADL_BYTES, ADL_NUMBER},
               {"tsu:Europe/Berlin", ADL_TIMESTAMP, ADL_NUMBER}};
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    made *m = made_new(known[i].format, 0, 2);
    adl_arrow_layout layout;
    char *why = NULL;
    ck_assert_msg(adl_arrow_read_schema(&m->schema, &layout, &why), "%s", why);
    ck_assert_int_eq(layout.type.element, known[i].element);
    ck_assert_int_eq(layout.type.role, known[i].role);
    ck_assert(!layout.role_told);
    g_free(m);
  }
}
END_TEST

/* ---- round trips ---- */

static adl_array *there_and_back(adl_array *array) {
  struct ArrowSchema schema;
  struct ArrowArray exported;
  adl_arrow_layout layout;
  char *why = NULL;
  adl_arrow_export_type(array->view.type, "x", &schema);
  adl_arrow_export(array, &exported);
  ck_assert_int_eq(exported.null_count, array->view.null_count);
  ck_assert_msg(adl_arrow_read_schema(&schema, &layout, &why), "%s", why);
  adl_array *back = adl_arrow_import(&layout, layout.type, &exported, false, &why);
  ck_assert_msg(back != NULL, "%s", why);
  ck_assert_ptr_null(exported.release);
  schema.release(&schema);
  return back;
}

START_TEST(round_trips_share_every_block) {
  GRand *rand = rand_of(_i);
  for (int nulls = 0; nulls < 2; nulls++) {
    adl_array *array = sample_array(sample_type(_i), 77, nulls * 3, rand);
    adl_array *back = there_and_back(array);
    same_rows(array, back);
    ck_assert_ptr_eq(back->view.validity, array->view.validity);
    ck_assert_ptr_eq(back->view.index, array->view.index);
    ck_assert_ptr_eq(back->view.weights, array->view.weights);
    ck_assert_ptr_eq(back->view.data, array->view.data);
    ck_assert_ptr_eq(back->view.offsets, array->view.offsets);
    ck_assert_ptr_eq(back->view.string_offsets, array->view.string_offsets);
    ck_assert_int_gt(array->refs, 1);
    adl_array_unref(back);
    ck_assert_int_eq(array->refs, 1);
    adl_array_unref(array);
  }
  g_rand_free(rand);
}
END_TEST

START_TEST(columns_of_no_rows) {
  GRand *rand = rand_of(_i);
  adl_array *array = sample_array(sample_type(_i), 0, 0, rand), *back = there_and_back(array);
  same_rows(array, back);
  adl_array_unref(array);
  adl_array_unref(back);
  g_rand_free(rand);
}
END_TEST

START_TEST(an_array_outlives_its_column) {
  GRand *rand = rand_of(_i);
  adl_array *array = sample_array(sample_type(_i), 50, 4, rand);
  adl_array *copy = adl_array_slice(array, 0, 49); /* memory of its own */
  struct ArrowArray exported, child;
  struct ArrowSchema schema;
  adl_arrow_layout layout;
  char *why = NULL;
  adl_arrow_export_type(array->view.type, "x", &schema);
  adl_arrow_read_schema(&schema, &layout, &why);
  schema.release(&schema);
  adl_arrow_export(array, &exported);
  adl_array_unref(array);
  exported.length--;
  exported.null_count = -1;
  adl_array *back = adl_arrow_import(&layout, layout.type, &exported, false, &why);
  ck_assert_msg(back != NULL, "%s", why);
  same_rows(copy, back);
  /* Of an array that goes, a child may stay. */
  adl_arrow_export(back, &exported);
  adl_array_unref(back);
  if (exported.n_children > 0) {
    child = *exported.children[0];
    exported.children[0]->release = NULL;
    exported.release(&exported);
    ck_assert_ptr_null(exported.release);
    ck_assert_int_ge(child.length, 0);
    exported = child;
  }
  exported.release(&exported);
  adl_array_unref(copy);
  g_rand_free(rand);
}
END_TEST

START_TEST(columns_side_by_side) {
  GRand *rand = rand_of(0);
  adl_array *columns[SAMPLE_TYPES];
  adl_type types[SAMPLE_TYPES];
  const char *names[SAMPLE_TYPES];
  struct ArrowSchema schema;
  struct ArrowArray array;
  for (int i = 0; i < SAMPLE_TYPES; i++) {
    types[i] = sample_type(i);
    names[i] = i % 2 ? "odd" : "even";
    columns[i] = sample_array(types[i], 9, 3, rand);
  }
  adl_arrow_export_types(types, names, SAMPLE_TYPES, &schema);
  adl_arrow_export_arrays(columns, SAMPLE_TYPES, 9, &array);
  ck_assert_str_eq(schema.format, "+s");
  ck_assert_int_eq(array.length, 9);
  ck_assert_int_eq(array.n_buffers, 1);
  ck_assert_ptr_null(array.buffers[0]);
  for (int i = 0; i < SAMPLE_TYPES; i++) {
    adl_arrow_layout layout;
    char *why = NULL;
    ck_assert_str_eq(schema.children[i]->name, names[i]);
    ck_assert(adl_arrow_read_schema(schema.children[i], &layout, &why));
    if (i % 3 == 0) continue; /* some are moved out, others go with the batch */
    adl_array *back = adl_arrow_import(&layout, layout.type, array.children[i], false, &why);
    ck_assert_msg(back != NULL, "%s", why);
    same_rows(columns[i], back);
    adl_array_unref(back);
  }
  array.release(&array);
  schema.release(&schema);
  for (int i = 0; i < SAMPLE_TYPES; i++) {
    ck_assert_int_eq(columns[i]->refs, 1);
    adl_array_unref(columns[i]);
  }
  adl_arrow_export_types(NULL, NULL, 0, &schema);
  adl_arrow_export_arrays(NULL, 0, 5, &array);
  ck_assert_int_eq(array.length, 5);
  array.release(&array);
  schema.release(&schema);
  g_rand_free(rand);
}
END_TEST

/* ---- known answers ---- */

START_TEST(strings_with_nulls_and_nul) {
  static const uint8_t validity[] = {0x0b}; /* 1 1 0 1 */
  static const int32_t offsets[] = {0, 2, 2, 2, 5};
  static const int64_t wide[] = {0, 2, 2, 2, 5};
  for (int large = 0; large < 2; large++) {
    made *m = made_new(large ? "U" : "u", 4, 3);
    m->array.null_count = large ? -1 : 1;
    m->buffers[4][0] = validity;
    m->buffers[4][1] = large ? (const void *)wide : (const void *)offsets;
    m->buffers[4][2] = "\xc3\xbc"
                       "a\0b";
    adl_array *column = made_take(m);
    ck_assert_int_eq(column->view.null_count, 1);
    ck_assert_int_eq(column->view.string_offsets[4], 5);
    ck_assert_mem_eq(column->view.data,
                     "\xc3\xbc"
                     "a\0b",
                     5);
    ck_assert(!adl_is_null(&column->view, 1) && adl_is_null(&column->view, 2));
    ck_assert_int_eq(m->released, 1); /* nothing of it was fit to be kept */
    adl_array_unref(column);
    ck_assert_int_eq(m->released, 1);
    g_free(m);
  }
}
END_TEST

START_TEST(slices_of_pairs) {
  /* Rows 1 and 2 of {3: 1}, {0: 2, 4: 3}, {}; with one more item in front of the structs and one in front of the values. */
  static const int32_t offsets[] = {0, 1, 3, 3};
  static const int64_t wide[] = {0, 1, 3, 3};
  static const uint32_t index[] = {99, 3, 0, 4};
  static const float values[] = {99, 99, 1, 2, 3};
  for (int large = 0; large < 2; large++) {
    made *m = made_new(large ? "+L" : "+l", 2, 2);
    m->array.offset = 1;
    m->buffers[4][1] = large ? (const void *)wide : (const void *)offsets;
    int items = made_child(m, -1, "+s", 3, 1);
    m->arrays[items].offset = 1;
    int first = made_child(m, items, "I", 4, 2), second = made_child(m, items, "f", 4, 2);
    m->arrays[second].offset = 1;
    m->buffers[first][1] = index;
    m->buffers[second][1] = values;
    adl_array *column = made_take(m);
    ck_assert_int_eq(column->view.rows, 2);
    ck_assert_int_eq(column->view.offsets[0], 0);
    ck_assert_int_eq(column->view.offsets[1], 2);
    ck_assert_int_eq(column->view.offsets[2], 2);
    ck_assert_int_eq(column->view.index[0], 0);
    ck_assert_int_eq(column->view.index[1], 4);
    ck_assert(((const float *)column->view.data)[0] == 2 && ((const float *)column->view.data)[1] == 3);
    adl_array_unref(column);
    g_free(m);
  }
}
END_TEST

START_TEST(slices_of_bits_and_vectors) {
  static const uint8_t bits[] = {0xa5, 0x01}, validity[] = {0x7f, 0x01};
  static const double values[] = {0, 1, 2, 3, 4, 5, 6, 7};
  made *m =
      made_new("b", 6, 2); /* 1 0 1 0 0 1 0 1 | 1, from the fourth on; the eighth is null and has a bit under it */
  m->array.offset = 3;
  m->array.null_count = 1;
  m->buffers[4][0] = validity;
  m->buffers[4][1] = bits;
  adl_array *column = made_take(m);
  static const bool expected[] = {false, false, true, false, false, true};
  for (int i = 0; i < 6; i++) ck_assert(adl_bit(column->view.data, i) == expected[i]);
  ck_assert(adl_is_null(&column->view, 4) && column->view.null_count == 1);
  adl_array_unref(column);
  g_free(m);

  m = made_new("+w:2", 2, 1);
  m->array.offset = 1;
  int items = made_child(m, -1, "g", 7, 2);
  m->arrays[items].offset = 1;
  m->buffers[items][1] = values;
  column = made_take(m);
  ck_assert_int_eq(column->view.type.width, 2);
  for (int i = 0; i < 4; i++) ck_assert(((const double *)column->view.data)[i] == i + 3);
  adl_array_unref(column);
  g_free(m);
}
END_TEST

START_TEST(null_rows_are_emptied) {
  static const uint8_t validity[] = {0x05},
                       inner[] = {0x1b}; /* 1 0 1; the second list has a null in it, and so has it */
  static const int32_t offsets[] = {0, 2, 3, 5}, numbers[] = {1, 2, 3, 4, 5};
  made *m = made_new("+l", 3, 2);
  m->array.null_count = 1;
  m->buffers[4][0] = validity;
  m->buffers[4][1] = offsets;
  int items = made_child(m, -1, "i", 5, 2);
  m->arrays[items].null_count = 1;
  m->buffers[items][0] = inner;
  m->buffers[items][1] = numbers;
  adl_array *column = made_take(m);
  static const int32_t expected_offsets[] = {0, 2, 2, 4}, expected[] = {1, 2, 4, 5};
  ck_assert_mem_eq(column->view.offsets, expected_offsets, sizeof expected_offsets);
  ck_assert_mem_eq(column->view.data, expected, sizeof expected);
  adl_array_unref(column);
  g_free(m);

  m = made_new("i", 3, 2);
  m->array.null_count = -1;
  m->buffers[4][0] = validity;
  m->buffers[4][1] = numbers;
  column = made_take(m);
  static const int32_t zeroed[] = {1, 0, 3};
  ck_assert_mem_eq(column->view.data, zeroed, sizeof zeroed);
  ck_assert_int_eq(column->view.null_count, 1);
  adl_array_unref(column);
  g_free(m);
}
END_TEST

START_TEST(dictionaries_are_decoded) {
  static const int32_t offsets[] = {0, 1, 3};
  static const uint8_t validity[] = {0x0b};
  const struct {
    const char *format;
    const void *keys;
  } known[] = {{"c", (const int8_t[]){1, 0, 77, 1}},   {"C", (const uint8_t[]){1, 0, 77, 1}},
               {"s", (const int16_t[]){1, 0, 77, 1}},  {"S", (const uint16_t[]){1, 0, 77, 1}},
               {"i", (const int32_t[]){1, 0, -77, 1}}, {"I", (const uint32_t[]){1, 0, 77, 1}},
               {"l", (const int64_t[]){1, 0, -77, 1}}, {"L", (const uint64_t[]){1, 0, 77, 1}}};
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    made *m = made_new(known[i].format, 4, 2);
    m->array.null_count = 1;
    m->buffers[4][0] = validity;
    m->buffers[4][1] = known[i].keys;
    made_node(&m->schemas[0], &m->arrays[0], m->buffers[0], "u", 2, 3);
    m->buffers[0][1] = offsets;
    m->buffers[0][2] = "xyz";
    m->schema.dictionary = &m->schemas[0];
    m->array.dictionary = &m->arrays[0];
    adl_array *column = made_take(m);
    ck_assert_int_eq(m->released, 1);
    ck_assert_int_eq(column->view.rows, 4);
    ck_assert_int_eq(column->view.type.element, ADL_STRING);
    ck_assert_mem_eq(column->view.data, "yzxyz", 5);
    ck_assert_int_eq(column->view.null_count, 1);
    ck_assert(adl_is_null(&column->view, 2));
    adl_array_unref(column);
    g_free(m);
  }
}
END_TEST

START_TEST(of_no_places_buffers_may_be_missing) {
  static const char *const formats[] = {"b", "i", "u", "Z", "+l"};
  for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
    bool text = g_ascii_strcasecmp(formats[i], "u") == 0 || g_ascii_strcasecmp(formats[i], "z") == 0;
    made *m = made_new(formats[i], 0, text ? 3 : 2);
    if (formats[i][0] == '+') made_child(m, -1, "l", 0, 2);
    adl_array *column = made_take(m);
    ck_assert_int_eq(column->view.rows, 0);
    ck_assert_ptr_nonnull(column->view.data);
    ck_assert_int_eq(m->released, 1);
    adl_array_unref(column);
    g_free(m);
  }
}
END_TEST

/* ---- what is shared ---- */

START_TEST(whole_blocks_are_taken_as_they_are) {
  float *values = adl_aligned_new(65 * 4);
  char *why = NULL;
  for (int i = 0; i < 65; i++) values[i] = (float)i;
  static const struct {
    int64_t offset, length;
    bool padded, shared;
  } known[] = {{0, 64, false, true},   {0, 65, false, false}, {0, 65, true, true},  {16, 48, false, true},
               {16, 49, false, false}, {16, 49, true, true},  {1, 64, true, false}, {0, 0, true, false}};
  for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
    made *m = made_new("f", known[i].length, 2);
    m->array.offset = known[i].offset;
    m->buffers[4][1] = values;
    adl_array *column = made_import(m, known[i].padded, &why);
    ck_assert_msg(column != NULL, "%s", why);
    ck_assert_msg((column->view.data == values + known[i].offset) == known[i].shared, "case %zu", i);
    ck_assert_int_eq((intptr_t)column->view.data % 64, 0);
    ck_assert_int_eq(m->released, known[i].shared ? 0 : 1);
    adl_array_ref(column);
    adl_array_unref(column);
    ck_assert_int_eq(m->released, known[i].shared ? 0 : 1);
    if (known[i].length > 0)
      ck_assert(((const float *)column->view.data)[known[i].length - 1] ==
                (float)(known[i].offset + known[i].length - 1));
    adl_array_unref(column);
    ck_assert_int_eq(m->released, 1);
    g_free(m);
  }
  free(values);
}
END_TEST

START_TEST(buffers_may_stand_anywhere) {
  static const int64_t wide[] = {0, 1, 3};
  static const double numbers[] = {1.5, 2.5, 3.5};
  char memory[64];
  for (int by = 1; by < 8; by += 3) {
    memcpy(memory + by, wide, sizeof wide);
    made *m = made_new("U", 2, 3);
    m->buffers[4][1] = memory + by;
    m->buffers[4][2] = "xyz";
    adl_array *column = made_take(m);
    ck_assert_int_eq(column->view.string_offsets[2], 3);
    adl_array_unref(column);
    g_free(m);
    memcpy(memory + by, numbers, sizeof numbers);
    m = made_new("g", 3, 2);
    m->buffers[4][1] = memory + by;
    column = made_take(m);
    ck_assert_mem_eq(column->view.data, numbers, sizeof numbers);
    adl_array_unref(column);
    g_free(m);
  }
}
END_TEST

START_TEST(blocks_are_taken_one_by_one) {
  int32_t *offsets = adl_aligned_new(16 * 4);
  char *text = adl_aligned_new(64);
  for (int i = 0; i < 16; i++) offsets[i] = i;
  memset(text, 'x', 64);
  made *m = made_new("u", 15, 3);
  m->buffers[4][1] = offsets; /* 64 bytes: shared; the text, 15, is not */
  m->buffers[4][2] = text;
  adl_array *column = made_take(m);
  ck_assert_ptr_eq(column->view.string_offsets, offsets);
  ck_assert_ptr_ne(column->view.data, text);
  ck_assert_mem_eq(column->view.data, text, 15);
  ck_assert_int_eq(m->released, 0);

  /* What comes of it does not borrow. */
  adl_array *part = adl_array_slice(column, 3, 5);
  adl_array_unref(column);
  ck_assert_int_eq(m->released, 1);
  ck_assert_int_eq(part->view.rows, 5);
  adl_array_unref(part);
  g_free(m);
  free(offsets);
  free(text);
}
END_TEST

START_TEST(a_column_that_borrows_can_be_spooled) {
  double *values = adl_aligned_new(64 * 8);
  for (int i = 0; i < 64; i++) values[i] = i / 4.0;
  made *m = made_new("g", 64, 2);
  m->buffers[4][1] = values;
  adl_array *column = made_take(m);
  int64_t at = 0, from = 0;
  FILE *file = tmpfile();
  ck_assert(adl_array_write(column, fileno(file), &at));
  adl_array *back = adl_array_read(fileno(file), &from);
  same_rows(column, back);
  adl_array_unref(back);
  adl_array_unref(column);
  ck_assert_int_eq(m->released, 1);
  fclose(file);
  g_free(m);
  free(values);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("arrow");
  TCase *t = tcase_create("arrow");
  suite_add_tcase(suite, t);
  tcase_add_loop_test(t, formats_of_all_types, 0, SAMPLE_TYPES);
  tcase_add_test(t, metadata_to_the_byte);
  tcase_add_test(t, roles_and_zones_that_are_not_told);
  tcase_add_loop_test(t, round_trips_share_every_block, 0, SAMPLE_TYPES);
  tcase_add_loop_test(t, columns_of_no_rows, 0, SAMPLE_TYPES);
  tcase_add_loop_test(t, an_array_outlives_its_column, 0, SAMPLE_TYPES);
  tcase_add_test(t, columns_side_by_side);
  tcase_add_test(t, strings_with_nulls_and_nul);
  tcase_add_test(t, slices_of_pairs);
  tcase_add_test(t, slices_of_bits_and_vectors);
  tcase_add_test(t, null_rows_are_emptied);
  tcase_add_test(t, dictionaries_are_decoded);
  tcase_add_test(t, of_no_places_buffers_may_be_missing);
  tcase_add_test(t, whole_blocks_are_taken_as_they_are);
  tcase_add_test(t, buffers_may_stand_anywhere);
  tcase_add_test(t, blocks_are_taken_one_by_one);
  tcase_add_test(t, a_column_that_borrows_can_be_spooled);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
