/* Arrays: types, builders, gather, concat, slice, spool. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/data/array.h"
#include "tests/data/sample.h"

static adl_type make_type(adl_element element, adl_shape shape, int64_t width) {
  return (adl_type){.element = (uint8_t)element,
                    .shape = (uint8_t)shape,
                    .width = width,
                    .role = (uint8_t)(element == ADL_STRING ? ADL_CATEGORY : ADL_NUMBER)};
}

/* ---- types ---- */

START_TEST(types_that_exist) {
  int valid = 0;
  for (int element = -1; element < 12; element++)
    for (int shape = 0; shape < 8; shape++)
      valid += adl_type_valid(make_type((adl_element)(element & 0xff), (adl_shape)shape, 0), NULL);
  ck_assert_int_eq(valid, SAMPLE_TYPES); /* 9 scalars, 8 lists, 2 vectors, sparse, bag */
  for (int i = 0; i < SAMPLE_TYPES; i++) {
    const char *why = NULL;
    ck_assert_msg(adl_type_valid(sample_type(i), &why), "type %d: %s", i, why);
  }
}
END_TEST

START_TEST(types_refused_with_a_reason) {
  const char *why = NULL;
  adl_type type = make_type(ADL_INT32, ADL_SCALAR, 3);
  ck_assert(!adl_type_valid(type, &why));
  ck_assert_str_eq(why, "Only vectors and sparse columns have a width.");
  ck_assert(!adl_type_valid(make_type(ADL_FLOAT32, ADL_VECTOR, -1), &why));
  ck_assert_str_eq(why, "A width cannot be negative.");
  ck_assert(!adl_type_valid((adl_type){.element = ADL_STRING, .role = ADL_NUMBER}, &why));
  ck_assert_str_eq(why, "Strings are always categories.");
}
END_TEST

START_TEST(names_of_types) {
  char buffer[64];
  ck_assert_str_eq(adl_type_name(make_type(ADL_FLOAT32, ADL_SCALAR, 0), buffer, sizeof buffer), "float32");
  ck_assert_str_eq(adl_type_name(make_type(ADL_STRING, ADL_LIST, 0), buffer, sizeof buffer), "list of string");
  ck_assert_str_eq(adl_type_name(make_type(ADL_FLOAT32, ADL_SPARSE, 262144), buffer, sizeof buffer),
                   "sparse float32[262144]");
  ck_assert_str_eq(adl_type_name(make_type(ADL_FLOAT64, ADL_VECTOR, 0), buffer, sizeof buffer), "vector float64");
  ck_assert_str_eq(adl_type_name(make_type(ADL_STRING, ADL_BAG, 0), buffer, sizeof buffer), "bag of string");
  ck_assert_str_eq(adl_type_name(adl_type_scalar(ADL_INT32, ADL_CATEGORY), buffer, sizeof buffer), "category int32");
  ck_assert_str_eq(adl_type_name(adl_type_scalar(ADL_INT32, ADL_CATEGORY), buffer, 9), "category");
}
END_TEST

START_TEST(unknown_widths_match) {
  ck_assert(adl_type_equal(make_type(ADL_FLOAT32, ADL_VECTOR, 0), make_type(ADL_FLOAT32, ADL_VECTOR, 8)));
  ck_assert(!adl_type_equal(make_type(ADL_FLOAT32, ADL_VECTOR, 7), make_type(ADL_FLOAT32, ADL_VECTOR, 8)));
  ck_assert(!adl_type_equal(adl_type_scalar(ADL_INT64, ADL_CATEGORY), adl_type_scalar(ADL_INT64, ADL_NUMBER)));
}
END_TEST

/* ---- builders ---- */

START_TEST(builder_grows_and_keeps_content) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_STRING, ADL_CATEGORY));
  adl_buffers to;
  GString *text = g_string_new(NULL);
  for (int row = 0; row < 1000; row++) {
    ck_assert(adl_builder_reserve(builder, row + 1, 0, row * 4 + 4, &to));
    ck_assert_int_ge(to.byte_capacity, row * 4 + 4);
    ck_assert_int_eq(to.string_offsets[0], 0);
    char word[8];
    g_snprintf(word, sizeof word, "%04d", row);
    memcpy((char *)to.data + row * 4, word, 4);
    to.string_offsets[row + 1] = row * 4 + 4;
    if (row % 10 == 3) adl_bit_set(to.validity, row, false);
  }
  adl_array *array = adl_builder_finish(builder, 1000, NULL);
  ck_assert_ptr_nonnull(array);
  ck_assert_int_eq(array->view.null_count, 100);
  for (int row = 0; row < 1000; row++) {
    ck_assert_int_eq(adl_is_null(&array->view, row), row % 10 == 3);
    adl_text value = adl_text_at(&array->view, row);
    g_string_printf(text, "%04d", row);
    ck_assert_int_eq(value.size, 4);
    ck_assert(memcmp(value.data, text->str, 4) == 0);
  }
  g_string_free(text, TRUE);
  adl_array_unref(array);
}
END_TEST

START_TEST(blocks_are_aligned_and_padded) {
  for (int t = 0; t < SAMPLE_TYPES; t++) {
    adl_builder *builder = adl_builder_new(sample_type(t));
    adl_buffers to;
    ck_assert(adl_builder_reserve(builder, 5, 7, 9, &to));
    const void *blocks[] = {to.validity, to.data, to.offsets, to.string_offsets, to.index, to.weights};
    for (int b = 0; b < 6; b++) ck_assert_uint_eq((uintptr_t)blocks[b] % 64, 0);
    for (int row = 0; row < 5; row++) ck_assert(adl_bit(to.validity, row));
    memset(to.data, 1, 64); /* the padding is ours */
    adl_builder_free(builder);
  }
}
END_TEST

START_TEST(null_rows_read_as_zero) {
  static const int nulls[] = {2, 63, 64, 127, 128, 149};
  const adl_type types[] = {adl_type_scalar(ADL_FLOAT64, ADL_NUMBER), adl_type_scalar(ADL_UINT32, ADL_NUMBER),
                            adl_type_scalar(ADL_BOOL, ADL_NUMBER), make_type(ADL_FLOAT32, ADL_VECTOR, 1)};
  for (int t = 0; t < 4; t++) {
    adl_builder *builder = adl_builder_new(types[t]);
    adl_buffers to;
    ck_assert(adl_builder_reserve(builder, 150, 0, 0, &to));
    memset(to.data, 0xff, types[t].element == ADL_BOOL ? 19 : types[t].element == ADL_FLOAT64 ? 1200 : 600);
    for (int i = 0; i < 6; i++) adl_bit_set(to.validity, nulls[i], false);
    adl_array *array = adl_builder_finish(builder, 150, NULL);
    const uint8_t *bytes = array->view.data;
    int next = 0;
    for (int row = 0; row < 150; row++) {
      bool null = next < 6 && nulls[next] == row;
      next += null;
      if (types[t].element == ADL_BOOL)
        ck_assert_int_eq(adl_bit(bytes, row), !null);
      else if (types[t].element == ADL_FLOAT64)
        ck_assert_uint_eq(((const uint64_t *)array->view.data)[row], null ? 0 : UINT64_MAX);
      else
        ck_assert_uint_eq(((const uint32_t *)array->view.data)[row], null ? 0 : UINT32_MAX);
    }
    ck_assert_int_eq(array->view.null_count, 6);
    adl_array_unref(array);
  }
}
END_TEST

START_TEST(fewer_rows_than_reserved) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_INT64, ADL_NUMBER));
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, 1 << 20, 0, 0, &to));
  for (int row = 0; row < 10; row++) ((int64_t *)to.data)[row] = row;
  adl_bit_set(to.validity, 10, false); /* behind the end: counts for nothing */
  adl_array *array = adl_builder_finish(builder, 10, NULL);
  ck_assert_int_eq(array->view.rows, 10);
  ck_assert_int_eq(array->view.null_count, 0);
  ck_assert_ptr_null(array->view.validity);
  ck_assert_int_lt(array->bytes, 64 * 1024); /* what was not used has been given back */
  ck_assert(adl_number_at(&array->view, 9) == 9.0);
  adl_array_unref(array);
}
END_TEST

START_TEST(an_unreserved_builder_is_empty) {
  for (int t = 0; t < SAMPLE_TYPES; t++) {
    adl_array *array = adl_builder_finish(adl_builder_new(sample_type(t)), 0, NULL);
    ck_assert_ptr_nonnull(array);
    ck_assert_int_eq(array->view.rows, 0);
    ck_assert_ptr_nonnull(array->view.data);
    adl_array_unref(array);
    const char *why = NULL;
    ck_assert_ptr_null(adl_builder_finish(adl_builder_new(sample_type(t)), 1, &why));
    ck_assert_str_eq(why, "More rows were given than reserved.");
  }
}
END_TEST

START_TEST(limits_of_the_layout) {
  adl_buffers to;
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_STRING, ADL_CATEGORY));
  ck_assert(adl_builder_reserve(builder, 1, 0, 10, &to));
  errno = 0;
  ck_assert(!adl_builder_reserve(builder, 1, 0, INT64_C(1) << 31, &to));
  ck_assert_int_eq(errno, EOVERFLOW);
  ck_assert(!adl_builder_reserve(builder, INT64_MAX, 0, 0, &to));
  ck_assert(!adl_builder_reserve(builder, -1, 0, 0, &to));
  ck_assert(adl_builder_reserve(builder, 1, 0, 20, &to)); /* a refusal leaves it usable */
  adl_builder_free(builder);
  builder = adl_builder_new(make_type(ADL_FLOAT64, ADL_VECTOR, INT32_MAX));
  ck_assert(!adl_builder_reserve(builder, INT32_MAX, 0, 0, &to));
  ck_assert_int_eq(errno, EOVERFLOW);
  adl_builder_free(builder);
}
END_TEST

/* Offsets and indices that lie: what a broken plugin might give. */
static const char *finish_sparse(const int32_t offsets[3], const uint32_t index[4]) {
  adl_builder *builder = adl_builder_new(make_type(ADL_FLOAT32, ADL_SPARSE, 10));
  adl_buffers to;
  const char *why = NULL;
  ck_assert(adl_builder_reserve(builder, 2, 4, 0, &to));
  memcpy(to.offsets, offsets, 3 * sizeof(int32_t));
  memcpy(to.index, index, 4 * sizeof(uint32_t));
  memset(to.data, 0, 16);
  adl_array_unref(adl_builder_finish(builder, 2, &why));
  return why;
}

START_TEST(lies_are_refused) {
  const uint32_t good[] = {0, 9, 3, 4};
  const char *index_reason = "The indices of a sparse row do not rise, or pass its width.";
  const char *offset_reason = "The offsets do not begin at 0, fall, or pass the items reserved.";
  ck_assert_ptr_null(finish_sparse((int32_t[]){0, 2, 4}, good));
  ck_assert_ptr_null(finish_sparse((int32_t[]){0, 0, 0}, (uint32_t[]){99, 99, 99, 99}));
  ck_assert_str_eq(finish_sparse((int32_t[]){0, 4, 4}, good), index_reason);
  ck_assert_str_eq(finish_sparse((int32_t[]){0, 2, 4}, (uint32_t[]){0, 0, 1, 2}), index_reason);
  ck_assert_str_eq(finish_sparse((int32_t[]){0, 2, 4}, (uint32_t[]){0, 10, 1, 2}), index_reason);
  ck_assert_str_eq(finish_sparse((int32_t[]){0, 2, 5}, good), offset_reason);
  ck_assert_str_eq(finish_sparse((int32_t[]){0, 3, 2}, good), offset_reason);
  ck_assert_str_eq(finish_sparse((int32_t[]){1, 2, 4}, good), offset_reason);
  ck_assert_str_eq(finish_sparse((int32_t[]){0, -1, 4}, good), offset_reason);
  adl_builder *builder = adl_builder_new(make_type(ADL_BYTES, ADL_SCALAR, 0));
  adl_buffers to;
  const char *why = NULL;
  ck_assert(adl_builder_reserve(builder, 1, 0, 8, &to));
  to.string_offsets[1] = (int32_t)to.byte_capacity + 1;
  ck_assert_ptr_null(adl_builder_finish(builder, 1, &why));
  ck_assert_str_eq(why, "The string offsets do not begin at 0, fall, or pass the bytes reserved.");
}
END_TEST

/* Sparse rows of any lengths, with one index that does not rise here and there: found wherever it stands, and nowhere else. */
START_TEST(indices_that_do_not_rise_are_found) {
  GRand *rand = g_rand_new_with_seed(11);
  int refused = 0;
  for (int i = 0; i < 2000; i++) {
    int32_t offsets[9] = {0};
    uint32_t index[200];
    bool wrong = false;
    for (int row = 0; row < 8; row++) {
      offsets[row + 1] = offsets[row] + (g_rand_int_range(rand, 0, 3) == 0 ? 0 : g_rand_int_range(rand, 0, 24));
      for (int32_t k = offsets[row]; k < offsets[row + 1]; k++)
        index[k] = (k > offsets[row] ? index[k - 1] : UINT32_MAX) +
                   (uint32_t)g_rand_int_range(rand, g_rand_int_range(rand, 0, 40) != 0, 8);
      for (int32_t k = offsets[row] + 1; k < offsets[row + 1]; k++) wrong = wrong || index[k] <= index[k - 1];
    }
    for (int32_t k = 0; k < offsets[8]; k++) wrong = wrong || index[k] >= 1000;
    adl_builder *builder = adl_builder_new(make_type(ADL_FLOAT32, ADL_SPARSE, 1000));
    adl_buffers to;
    ck_assert(adl_builder_reserve(builder, 8, 200, 0, &to));
    memcpy(to.offsets, offsets, sizeof offsets);
    memcpy(to.index, index, (size_t)offsets[8] * sizeof *index);
    memset(to.data, 0, 200 * sizeof(float));
    adl_array *array = adl_builder_finish(builder, 8, NULL);
    ck_assert_int_eq(array == NULL, wrong);
    adl_array_unref(array);
    refused += wrong;
  }
  ck_assert_int_gt(refused, 200);
  ck_assert_int_lt(refused, 1800);
  g_rand_free(rand);
}
END_TEST

/* ---- gather, concat, slice ---- */

START_TEST(gather_of_concat) {
  GRand *rand = g_rand_new_with_seed((guint32)_i + 1);
  for (int nulls = 0; nulls < 6; nulls += 5) {
    adl_array *parts[5];
    int64_t starts[6] = {0};
    for (int p = 0; p < 5; p++) {
      parts[p] = sample_array(sample_type(_i), p == 2 ? 0 : g_rand_int_range(rand, 1, 90), nulls, rand);
      starts[p + 1] = starts[p] + parts[p]->view.rows;
    }
    adl_array *whole = adl_array_concat(parts, 5, NULL);
    ck_assert_ptr_nonnull(whole);
    ck_assert_int_eq(whole->view.rows, starts[5]);
    int64_t index[300], holes = 0;
    for (int i = 0; i < 300; i++) { /* stretches, repeats, jumps and holes */
      if (i > 0 && index[i - 1] + 1 < starts[5] && g_rand_int_range(rand, 0, 4) > 0)
        index[i] = index[i - 1] + 1;
      else
        index[i] = g_rand_int_range(rand, nulls == 0 ? 0 : -1, (gint32)starts[5]);
    }
    adl_array *picked = adl_array_gather(whole, index, 300);
    ck_assert_ptr_nonnull(picked);
    for (int i = 0; i < 300; i++) {
      if (index[i] < 0) {
        ck_assert(adl_is_null(&picked->view, i));
        holes++;
        continue;
      }
      int p = 0;
      while (index[i] >= starts[p + 1]) p++;
      ck_assert(same_row(picked, i, parts[p], index[i] - starts[p]));
      holes += adl_is_null(&picked->view, i);
    }
    ck_assert_int_eq(picked->view.null_count, holes);
    ck_assert(picked->view.null_count > 0 || picked->view.validity == NULL);
    adl_array_unref(picked);
    adl_array_unref(whole);
    for (int p = 0; p < 5; p++) adl_array_unref(parts[p]);
  }
  g_rand_free(rand);
}
END_TEST

START_TEST(slices_are_stretches) {
  GRand *rand = g_rand_new_with_seed((guint32)_i + 100);
  adl_array *array = sample_array(sample_type(_i), 203, 7, rand);
  for (int n = 0; n < 40; n++) {
    int64_t first = g_rand_int_range(rand, 0, 204), rows = g_rand_int_range(rand, 0, 204 - (gint32)first);
    adl_array *part = adl_array_slice(array, first, rows);
    ck_assert_ptr_nonnull(part);
    ck_assert_int_eq(part->view.rows, rows);
    int64_t nulls = 0;
    for (int64_t row = 0; row < rows; row++) {
      ck_assert(same_row(part, row, array, first + row));
      nulls += adl_is_null(&array->view, first + row);
    }
    ck_assert_int_eq(part->view.null_count, nulls);
    adl_array_unref(part);
  }
  adl_array *same = adl_array_slice(array, 0, 203);
  ck_assert_ptr_eq(same, array); /* shared */
  adl_array_unref(same);
  ck_assert_ptr_null(adl_array_slice(array, 200, 4));
  ck_assert_ptr_null(adl_array_slice(array, -1, 4));
  adl_array_unref(array);
  g_rand_free(rand);
}
END_TEST

START_TEST(gather_refuses_bad_indices) {
  GRand *rand = g_rand_new_with_seed(5);
  adl_array *array = sample_array(sample_type(_i), 10, 0, rand);
  const int64_t behind[] = {0, 10}, before[] = {0, -2};
  ck_assert_ptr_null(adl_array_gather(array, behind, 2));
  ck_assert_int_eq(errno, ERANGE);
  ck_assert_ptr_null(adl_array_gather(array, before, 2));
  adl_array *none = adl_array_gather(array, NULL, 0);
  ck_assert_int_eq(none->view.rows, 0);
  adl_array_unref(none);
  adl_array_unref(array);
  g_rand_free(rand);
}
END_TEST

START_TEST(gather_stops_at_the_limit) {
  adl_builder *builder = adl_builder_new(make_type(ADL_BYTES, ADL_SCALAR, 0));
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, 1, 0, 1 << 20, &to));
  to.string_offsets[1] = 1 << 20;
  memset(to.data, 'x', 1 << 20);
  adl_array *array = adl_builder_finish(builder, 1, NULL);
  int64_t *index = g_new0(int64_t, 2048); /* 2048 times one MB is one byte too many */
  errno = 0;
  ck_assert_ptr_null(adl_array_gather(array, index, 2048));
  ck_assert_int_eq(errno, EOVERFLOW);
  adl_array **parts = g_new(adl_array *, 2048);
  for (int i = 0; i < 2048; i++) parts[i] = array;
  const char *why = NULL;
  ck_assert_ptr_null(adl_array_concat(parts, 2048, &why));
  ck_assert_str_eq(why, "A column would have more than 2^31 - 1 bytes.");
  g_free(parts);
  g_free(index);
  adl_array_unref(array);
}
END_TEST

START_TEST(concat_refuses_other_types) {
  GRand *rand = g_rand_new_with_seed(6);
  adl_array *parts[] = {sample_array(sample_type(1), 3, 0, rand), sample_array(sample_type(2), 3, 0, rand)};
  const char *why = NULL;
  ck_assert_ptr_null(adl_array_concat(parts, 2, &why));
  ck_assert_str_eq(why, "The parts have different types.");
  adl_array_unref(parts[0]);
  adl_array_unref(parts[1]);
  g_rand_free(rand);
}
END_TEST

START_TEST(nulls_are_null) {
  adl_array *array = adl_array_nulls(sample_type(_i), 77);
  ck_assert_int_eq(array->view.null_count, 77);
  GRand *rand = g_rand_new_with_seed(7);
  adl_array *other = sample_array(sample_type(_i), 5, 0, rand);
  adl_array *parts[] = {array, other};
  adl_array *whole = adl_array_concat(parts, 2, NULL);
  for (int row = 0; row < 77; row++) ck_assert(adl_is_null(&whole->view, row));
  for (int row = 0; row < 5; row++) ck_assert(same_row(whole, 77 + row, other, row));
  adl_array_unref(whole);
  adl_array_unref(other);
  adl_array_unref(array);
  adl_array_unref(adl_array_nulls(sample_type(_i), 0));
  g_rand_free(rand);
}
END_TEST

/* ---- spool ---- */

START_TEST(spool_gives_back_what_it_got) {
  GRand *rand = g_rand_new_with_seed(8);
  FILE *file = tmpfile();
  int fd = fileno(file);
  int64_t offset = 0, starts[SAMPLE_TYPES * 3];
  adl_array *arrays[SAMPLE_TYPES * 3];
  for (int i = 0; i < SAMPLE_TYPES * 3; i++) {
    arrays[i] = sample_array(sample_type(i % SAMPLE_TYPES), i < SAMPLE_TYPES ? 0 : i * 7, i % 2 ? 3 : 0, rand);
    starts[i] = offset;
    ck_assert(adl_array_write(arrays[i], fd, &offset));
    ck_assert_int_eq(offset % 64, 0);
  }
  int64_t end = offset;
  offset = 0;
  for (int i = 0; i < SAMPLE_TYPES * 3; i++) {
    ck_assert_int_eq(offset, starts[i]);
    adl_array *back = adl_array_read(fd, &offset);
    ck_assert_ptr_nonnull(back);
    ck_assert(adl_type_equal(back->view.type, arrays[i]->view.type));
    ck_assert_int_eq(back->view.rows, arrays[i]->view.rows);
    ck_assert_int_eq(back->view.null_count, arrays[i]->view.null_count);
    for (int64_t row = 0; row < back->view.rows; row++) ck_assert(same_row(back, row, arrays[i], row));
    adl_array_unref(back);
    adl_array_unref(arrays[i]);
  }
  ck_assert_int_eq(offset, end);
  ck_assert_ptr_null(adl_array_read(fd, &offset)); /* the end */
  ck_assert_int_eq(errno, EIO);
  fclose(file);
  g_rand_free(rand);
}
END_TEST

START_TEST(spool_that_was_cut_or_changed) {
  GRand *rand = g_rand_new_with_seed(9);
  FILE *file = tmpfile();
  int fd = fileno(file);
  int64_t end = 0, offset;
  adl_array *array = sample_array(make_type(ADL_STRING, ADL_SCALAR, 0), 500, 3, rand);
  ck_assert(adl_array_write(array, fd, &end));
  for (int64_t at = 0; at < 64 + 64; at += 3) { /* the header, and validity, whose damage cannot be seen */
    uint8_t byte, other;
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    other = byte ^ 0x41;
    ck_assert_int_eq(pwrite(fd, &other, 1, at), 1);
    offset = 0;
    adl_array *back = adl_array_read(fd, &offset); /* refused or harmless, never a crash */
    if (at < 8) ck_assert_ptr_null(back);
    adl_array_unref(back);
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
  }
  int32_t wild = 1 << 30;
  int64_t string_offsets_at = 64 + 64 + (array->view.string_offsets[500] + 63) / 64 * 64;
  ck_assert_int_eq(pwrite(fd, &wild, 4, string_offsets_at + 4), 4);
  offset = 0;
  ck_assert_ptr_null(adl_array_read(fd, &offset));
  ck_assert_int_eq(errno, EIO);
  ck_assert_int_eq(ftruncate(fd, end - 64), 0);
  ck_assert_ptr_null(adl_array_read(fd, &offset));
  ck_assert_int_eq(errno, EIO);
  fclose(file);
  adl_array_unref(array);
  g_rand_free(rand);
}
END_TEST

static TCase *one_by_one(Suite *suite, const char *name) {
  TCase *tests = tcase_create(name);
  suite_add_tcase(suite, tests);
  return tests;
}

int main(void) {
  Suite *suite = suite_create("array");
  TCase *types = one_by_one(suite, "types");
  tcase_add_test(types, types_that_exist);
  tcase_add_test(types, types_refused_with_a_reason);
  tcase_add_test(types, names_of_types);
  tcase_add_test(types, unknown_widths_match);
  TCase *builders = one_by_one(suite, "builders");
  tcase_add_test(builders, builder_grows_and_keeps_content);
  tcase_add_test(builders, blocks_are_aligned_and_padded);
  tcase_add_test(builders, null_rows_read_as_zero);
  tcase_add_test(builders, fewer_rows_than_reserved);
  tcase_add_test(builders, an_unreserved_builder_is_empty);
  tcase_add_test(builders, limits_of_the_layout);
  tcase_add_test(builders, lies_are_refused);
  tcase_add_test(builders, indices_that_do_not_rise_are_found);
  TCase *rows = one_by_one(suite, "rows");
  tcase_add_loop_test(rows, gather_of_concat, 0, SAMPLE_TYPES);
  tcase_add_loop_test(rows, slices_are_stretches, 0, SAMPLE_TYPES);
  tcase_add_loop_test(rows, gather_refuses_bad_indices, 0, SAMPLE_TYPES);
  tcase_add_test(rows, gather_stops_at_the_limit);
  tcase_add_test(rows, concat_refuses_other_types);
  tcase_add_loop_test(rows, nulls_are_null, 0, SAMPLE_TYPES);
  TCase *spool = one_by_one(suite, "spool");
  tcase_add_test(spool, spool_gives_back_what_it_got);
  tcase_add_test(spool, spool_that_was_cut_or_changed);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
