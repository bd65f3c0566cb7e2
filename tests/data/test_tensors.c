/* Sets of tensors and keyed tables. */
#include <check.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/spill.h"
#include "core/data/tensors.h"

#define SIZE(...) ((const int64_t[]){__VA_ARGS__})

/* ---- arrays ---- */

START_TEST(tensors_are_zero_and_aligned) {
  adl_tensors *tensors = adl_tensors_new();
  ck_assert(adl_tensors_empty(tensors));
  for (int element = ADL_BOOL; element <= ADL_BYTES; element++) {
    char name[8];
    g_snprintf(name, sizeof name, "t%d", element);
    for (int64_t rows = 1; rows <= 100000; rows *= 100000) { /* second time: grown, from heap to mapping */
      const uint8_t *data = adl_tensors_get(tensors, name, (adl_element)element, 2, SIZE(rows, 3), NULL);
      ck_assert_ptr_nonnull(data);
      ck_assert_uint_eq((uintptr_t)data % 64, 0);
      int64_t size = rows * 3 * adl_tensor_element_size((adl_element)element), sum = 0;
      for (int64_t i = 0; i < size; i++) sum += data[i];
      ck_assert_int_eq(sum, 0);
    }
  }
  ck_assert(!adl_tensors_empty(tensors));
  adl_tensors_free(tensors);
}
END_TEST

START_TEST(resizing_keeps_what_fits_and_zeroes_the_rest) {
  adl_tensors *tensors = adl_tensors_new();
  GRand *rand = g_rand_new_with_seed(3);
  int64_t rows = 0, model[20000] = {0};
  for (int n = 0; n < 300; n++) {
    int64_t next = g_rand_int_range(rand, 0, n % 3 ? 100 : 10000);
    int64_t *data = adl_tensors_get(tensors, "x", ADL_INT64, 2, SIZE(next, 2), NULL);
    ck_assert_ptr_nonnull(data);
    for (int64_t i = rows * 2; i < next * 2; i++) model[i] = 0;
    ck_assert(memcmp(data, model, (size_t)next * 2 * sizeof *data) == 0);
    for (int64_t i = 0; i < next * 2; i++) data[i] = model[i] = n * 100000 + i;
    rows = next;
  }
  g_rand_free(rand);
  adl_tensors_free(tensors);
}
END_TEST

/* Resident memory of this process, in bytes. */
static int64_t resident(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  long total, pages = 0;
  if (file == NULL || fscanf(file, "%ld %ld", &total, &pages) != 2) pages = -1;
  if (file != NULL) fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

START_TEST(untouched_pages_cost_nothing) {
  adl_tensors *tensors = adl_tensors_new();
  int64_t before = resident();
  float *data = adl_tensors_get(tensors, "x", ADL_FLOAT32, 1, SIZE(INT64_C(1) << 28), NULL); /* 1 GB */
  ck_assert_ptr_nonnull(data);
  data[1 << 27] = 1;
  ck_assert_int_lt(resident() - before, 16 << 20);
  ck_assert_int_ge(adl_tensors_bytes(tensors), INT64_C(1) << 30);
  adl_tensors_free(tensors);
}
END_TEST

/* Grown in steps past the limit, it holds what was put in, and most of it is not in memory of its own. */
START_TEST(storage_beyond_the_limit_lies_in_a_file) {
  int64_t limit = 2 << 20, before = adl_spill_held(), known = 0;
  adl_spill_beyond(before + limit, NULL, g_get_tmp_dir());
  adl_tensors *tensors = adl_tensors_new();
  for (int64_t size = 1000; size < 4000000; size = size * 3 / 2) {
    int64_t *data = adl_tensors_get(tensors, "x", ADL_INT64, 1, SIZE(size), NULL);
    for (int64_t i = 0; i < size; i++) {
      if (data[i] != (i < known ? i + 1 : 0)) ck_abort_msg("wrong at %d", (int)i);
      data[i] = i + 1;
    }
    known = size;
    ck_assert_int_le(adl_spill_held(), before + limit);
  }
  int64_t *data = adl_tensors_get(tensors, "x", ADL_INT64, 1, SIZE(5000000), NULL);
  for (int64_t i = 0; i < known; i++)
    if (data[i] != i + 1) ck_abort_msg("wrong at %d", (int)i);
  ck_assert_int_eq(data[4999999], 0);
  ck_assert_ptr_null(adl_spill_failure());
  adl_tensors_free(tensors);
  ck_assert_int_eq(adl_spill_held(), before);
  adl_spill_beyond(INT64_MAX, NULL, NULL);
}
END_TEST

/* Far more of it than the limit does not stay in memory, as long as it is trimmed on the way; what was put in is there. */
START_TEST(pages_of_spilled_storage_are_put_out) {
  enum { KEYS = 1000000, EACH = 4096 };
  adl_spill_beyond(adl_spill_held() + (2 << 20), NULL, g_get_tmp_dir());
  adl_tensors *tensors = adl_tensors_new();
  adl_table *table = adl_tensors_table(tensors, "t", 4);
  int64_t before = resident(), most = 0;
  for (int64_t i = 0; i < KEYS; i++) {
    adl_table_row(table, adl_table_insert(table, &i, sizeof i))[3] = (double)i;
    if (i % EACH != 0) continue;
    adl_spill_trim();
    most = MAX(most, resident() - before);
  }
  ck_assert_int_gt(adl_tensors_bytes(tensors), 64 << 20);
  ck_assert_int_lt(most, 46 << 20);
  for (int64_t i = 0; i < KEYS; i++) {
    int64_t row = adl_table_find(table, &i, sizeof i);
    if (row != i || adl_table_row(table, row)[3] != (double)i) ck_abort_msg("wrong at %d", (int)i);
    if (i % EACH == 0) adl_spill_trim();
  }
  ck_assert_int_lt(resident() - before, 46 << 20);
  adl_tensors_free(tensors);
  adl_spill_beyond(INT64_MAX, NULL, NULL);
}
END_TEST

START_TEST(a_spill_file_that_cannot_be_had_is_told) {
  adl_spill_beyond(0, NULL, "/nonexistent/folder");
  adl_tensors *tensors = adl_tensors_new();
  int64_t *data = adl_tensors_get(tensors, "x", ADL_INT64, 1, SIZE(1 << 20), NULL);
  ck_assert_ptr_nonnull(data); /* the call in hand goes on, and the run ends behind it */
  data[(1 << 20) - 1] = 1;
  ck_assert_ptr_nonnull(adl_spill_failure());
  ck_assert_ptr_nonnull(strstr(adl_spill_failure(), "cannot be put into a file in /nonexistent/folder: No such file"));
  adl_tensors_free(tensors);
  adl_spill_beyond(INT64_MAX, NULL, NULL);
  ck_assert_ptr_null(adl_spill_failure());
}
END_TEST

START_TEST(programming_errors_are_told) {
  adl_tensors *tensors = adl_tensors_new();
  const char *why = NULL;
  ck_assert_ptr_nonnull(adl_tensors_get(tensors, "x", ADL_FLOAT32, 2, SIZE(2, 3), &why));
  ck_assert_ptr_null(why);
  ck_assert_ptr_null(adl_tensors_get(tensors, "x", ADL_FLOAT64, 2, SIZE(2, 3), &why));
  ck_assert_str_eq(why, "The tensor is there with another element.");
  ck_assert_ptr_null(adl_tensors_get(tensors, "x", ADL_FLOAT32, 1, SIZE(2), &why));
  ck_assert_str_eq(why, "The tensor is there with other dimensions.");
  ck_assert_ptr_null(adl_tensors_get(tensors, "x", ADL_FLOAT32, 2, SIZE(2, 4), &why));
  ck_assert_str_eq(why, "Only the first size of a tensor can change.");
  ck_assert_ptr_null(adl_tensors_get(tensors, "y", ADL_FLOAT32, 2, SIZE(-1, 4), &why));
  ck_assert_ptr_null(adl_tensors_get(tensors, "y", ADL_FLOAT32, 2, SIZE(INT64_MAX, 4), &why));
  ck_assert_str_eq(why, "A size is negative, or the tensor too large.");
  ck_assert_ptr_null(adl_tensors_get(tensors, "y", ADL_FLOAT32, 5, SIZE(1, 1, 1, 1, 1), &why));
  ck_assert_ptr_null(adl_tensors_get(tensors, "", ADL_FLOAT32, 1, SIZE(1), &why));
  ck_assert_ptr_nonnull(adl_tensors_table(tensors, "keys", 2));
  ck_assert_ptr_null(adl_tensors_get(tensors, "keys", ADL_FLOAT32, 1, SIZE(1), &why));
  ck_assert_str_eq(why, "There is a keyed table of that name.");
  ck_assert_ptr_null(adl_tensors_table(tensors, "keys", 3));
  ck_assert_ptr_null(adl_tensors_table(tensors, "x", 3));
  ck_assert_ptr_nonnull(adl_tensors_get(tensors, "scalar", ADL_INT64, 0, NULL, &why));
  adl_tensors_free(tensors);
}
END_TEST

START_TEST(iteration_in_order_and_drop) {
  adl_tensors *tensors = adl_tensors_new();
  const char *const names[] = {"z", "a", "m"};
  for (int i = 0; i < 3; i++) {
    adl_tensors_get(tensors, names[i], ADL_INT32, 1, SIZE(i), NULL);
    char name[8];
    g_snprintf(name, sizeof name, "%s.t", names[i]);
    adl_tensors_table(tensors, name, i);
  }
  const char *name;
  adl_tensor tensor;
  const adl_table *table;
  for (int i = 0; i < 3; i++) {
    ck_assert(adl_tensors_at(tensors, i, &name, &tensor));
    ck_assert_str_eq(name, names[i]);
    ck_assert_int_eq(tensor.count, i);
    ck_assert(adl_tensors_table_at(tensors, i, &name, &table));
    ck_assert_int_eq(adl_table_width(table), i);
  }
  ck_assert(!adl_tensors_at(tensors, 3, &name, &tensor));
  ck_assert(!adl_tensors_at(tensors, -1, &name, &tensor));
  adl_tensors_drop(tensors, "a");
  adl_tensors_drop(tensors, "z.t");
  adl_tensors_drop(tensors, "nothing");
  ck_assert(!adl_tensors_find(tensors, "a", &tensor));
  ck_assert_int_eq(tensor.count, 0);
  ck_assert(adl_tensors_at(tensors, 1, &name, &tensor));
  ck_assert_str_eq(name, "m");
  ck_assert_ptr_null(adl_tensors_find_table(tensors, "z.t"));
  ck_assert_ptr_nonnull(adl_tensors_find_table(tensors, "a.t"));
  adl_tensors_free(tensors);
}
END_TEST

static int released;
static void release(void *owner) { released += *(int *)owner; }

START_TEST(lent_arrays_are_copied_before_they_are_written) {
  static const float values[4] __attribute__((aligned(64))) = {1, 2, 3, 4}; /* read-only: writing would crash */
  adl_tensors *tensors = adl_tensors_new();
  adl_tensor tensor = {.data = (void *)values, .element = ADL_FLOAT32, .dimensions = 1, .size = {4}, .count = 4};
  int weight = 7;
  adl_tensors_lend(tensors, "x", &tensor);
  adl_tensors_keep(tensors, &weight, release);
  ck_assert(adl_tensors_find(tensors, "x", &tensor));
  ck_assert_ptr_eq(tensor.data, values);
  adl_tensors *copy = adl_tensors_copy(tensors);
  float *own = adl_tensors_get(tensors, "x", ADL_FLOAT32, 1, SIZE(6), NULL);
  ck_assert_ptr_ne(own, values);
  ck_assert(own[3] == 4 && own[5] == 0);
  own[0] = 9;
  const char *why = NULL;
  ck_assert(!adl_tensors_add(copy, tensors, &why)); /* sizes */
  adl_tensors_get(tensors, "x", ADL_FLOAT32, 1, SIZE(4), NULL);
  ck_assert(adl_tensors_add(copy, tensors, &why));
  adl_tensors_find(copy, "x", &tensor);
  ck_assert(((const float *)tensor.data)[0] == 10 && ((const float *)tensor.data)[3] == 8);
  ck_assert(values[0] == 1);
  adl_tensors_free(copy);
  ck_assert_int_eq(released, 0);
  adl_tensors_free(tensors);
  ck_assert_int_eq(released, 7);
}
END_TEST

/* ---- sums ---- */

START_TEST(sums_of_every_element) {
  adl_tensors *a = adl_tensors_new(), *b = adl_tensors_new();
  const char *why = NULL;
  *(uint8_t *)adl_tensors_get(a, "bool", ADL_BOOL, 1, SIZE(1), NULL) = 1;
  *(uint8_t *)adl_tensors_get(b, "bool", ADL_BOOL, 1, SIZE(1), NULL) = 1;
  *(int32_t *)adl_tensors_get(a, "int32", ADL_INT32, 1, SIZE(1), NULL) = INT32_MAX;
  *(int32_t *)adl_tensors_get(b, "int32", ADL_INT32, 1, SIZE(1), NULL) = 1;
  *(int64_t *)adl_tensors_get(a, "int64", ADL_INT64, 1, SIZE(1), NULL) = -5;
  *(int64_t *)adl_tensors_get(b, "int64", ADL_INT64, 1, SIZE(1), NULL) = 7;
  *(float *)adl_tensors_get(a, "float", ADL_FLOAT32, 1, SIZE(1), NULL) = 16777216.0f;
  *(float *)adl_tensors_get(b, "float", ADL_FLOAT32, 1, SIZE(1), NULL) = 1.0f;
  *(double *)adl_tensors_get(a, "double", ADL_FLOAT64, 1, SIZE(1), NULL) = 0.1;
  *(double *)adl_tensors_get(b, "double", ADL_FLOAT64, 1, SIZE(1), NULL) = 0.2;
  *(double *)adl_tensors_get(b, "new", ADL_FLOAT64, 1, SIZE(1), NULL) = 3;
  ck_assert(adl_tensors_add(a, b, &why));
  adl_tensor t;
  ck_assert(adl_tensors_find(a, "bool", &t) && *(uint8_t *)t.data == 1);
  ck_assert(adl_tensors_find(a, "int32", &t) && *(int32_t *)t.data == INT32_MIN);
  ck_assert(adl_tensors_find(a, "int64", &t) && *(int64_t *)t.data == 2);
  ck_assert(adl_tensors_find(a, "float", &t) && *(float *)t.data == 16777216.0f); /* plain float32 addition */
  ck_assert(adl_tensors_find(a, "double", &t) && *(double *)t.data == 0.1 + 0.2);
  ck_assert(adl_tensors_find(a, "new", &t) && *(double *)t.data == 3);
  adl_tensors_get(b, "bytes", ADL_BYTES, 1, SIZE(1), NULL);
  ck_assert(!adl_tensors_add(a, b, &why));
  ck_assert_str_eq(why, "Tensors of bytes cannot be added; such a fold needs a merge of its own.");
  ck_assert(adl_tensors_find(a, "int64", &t) && *(int64_t *)t.data == 2); /* refused as a whole */
  adl_tensors_free(a);
  adl_tensors_free(b);
}
END_TEST

START_TEST(replaced_content_keeps_its_place_in_memory) {
  adl_tensors *into = adl_tensors_new(), *from = adl_tensors_new();
  double *same = adl_tensors_get(into, "same", ADL_FLOAT64, 1, SIZE(3), NULL);
  int64_t *grown = adl_tensors_get(into, "grown", ADL_INT64, 1, SIZE(2), NULL);
  adl_table *table = adl_tensors_table(into, "table", 1);
  adl_tensors_get(into, "gone", ADL_INT64, 1, SIZE(1), NULL);
  same[0] = grown[0] = 7;
  adl_table_insert(table, "old", 3);
  memcpy(adl_tensors_get(from, "same", ADL_FLOAT64, 1, SIZE(3), NULL), (double[]){1, 2, 3}, 3 * sizeof(double));
  memcpy(adl_tensors_get(from, "grown", ADL_INT64, 1, SIZE(3), NULL), (int64_t[]){4, 5, 6}, 3 * sizeof(int64_t));
  adl_table *other = adl_tensors_table(from, "table", 1);
  adl_table_row(other, adl_table_insert(other, "new", 3))[0] = 9;
  adl_tensors_replace(into, from);
  adl_tensors_free(from);
  adl_tensor tensor;
  ck_assert(adl_tensors_find(into, "same", &tensor));
  ck_assert_ptr_eq(tensor.data, same);
  ck_assert(same[0] == 1 && same[1] == 2 && same[2] == 3);
  ck_assert(adl_tensors_find(into, "grown", &tensor));
  ck_assert_int_eq(tensor.count, 3);
  ck_assert_int_eq(((int64_t *)tensor.data)[2], 6);
  ck_assert(!adl_tensors_find(into, "gone", &tensor));
  ck_assert_ptr_eq(adl_tensors_find_table(into, "table"), table);
  ck_assert_int_eq(adl_table_find(table, "old", 3), -1);
  ck_assert(adl_table_row(table, adl_table_find(table, "new", 3))[0] == 9);
  adl_tensors_free(into);
}
END_TEST

START_TEST(like_is_zero_and_apart) {
  adl_tensors *tensors = adl_tensors_new();
  *(int64_t *)adl_tensors_get(tensors, "n", ADL_INT64, 2, SIZE(1, 1), NULL) = 5;
  adl_table *table = adl_tensors_table(tensors, "t", 2);
  adl_table_row(table, adl_table_insert(table, "a", 1))[1] = 3;
  adl_tensors *like = adl_tensors_like(tensors), *copy = adl_tensors_copy(tensors);
  adl_tensor t;
  ck_assert(adl_tensors_find(like, "n", &t) && t.dimensions == 2 && *(int64_t *)t.data == 0);
  ck_assert_int_eq(adl_table_count(adl_tensors_find_table(like, "t")), 0);
  ck_assert_int_eq(adl_table_width(adl_tensors_find_table(like, "t")), 2);
  *(int64_t *)adl_tensors_get(tensors, "n", ADL_INT64, 2, SIZE(1, 1), NULL) = 6;
  adl_table_row(table, adl_table_insert(table, "b", 1))[1] = 4;
  ck_assert(adl_tensors_find(copy, "n", &t) && *(int64_t *)t.data == 5);
  adl_table *copied = adl_tensors_table(copy, "t", 2);
  ck_assert_int_eq(adl_table_count(copied), 1);
  ck_assert(adl_table_row(copied, 0)[1] == 3);
  ck_assert_int_eq(adl_table_insert(copied, "c", 1), 1); /* a copy grows, too */
  adl_tensors_free(copy);
  adl_tensors_free(like);
  adl_tensors_free(tensors);
}
END_TEST

/* ---- tables ---- */

/* Keys that meet often: short ones over few letters, with NUL bytes, the empty one among them. */
static int64_t random_key(GRand *rand, char key[16]) {
  int64_t size = g_rand_int_range(rand, 0, 16);
  for (int64_t i = 0; i < size; i++) key[i] = (char)g_rand_int_range(rand, 0, 3);
  return size;
}

START_TEST(table_against_ghashtable) {
  GRand *rand = g_rand_new_with_seed(11);
  adl_tensors *tensors = adl_tensors_new();
  adl_table *table = adl_tensors_table(tensors, "t", 3);
  GHashTable *oracle = g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, g_free);
  GPtrArray *order = g_ptr_array_new();
  for (int n = 0; n < 60000; n++) {
    char key[16];
    int64_t size = random_key(rand, key);
    GBytes *bytes = g_bytes_new(key, (gsize)size);
    double *sum = g_hash_table_lookup(oracle, bytes);
    ck_assert_int_eq(adl_table_find(table, key, size) >= 0, sum != NULL);
    int64_t row = adl_table_insert(table, key, size);
    if (sum == NULL) {
      ck_assert_int_eq(row, order->len); /* in order of first appearance */
      g_ptr_array_add(order, bytes);
      sum = g_new0(double, 1);
      g_hash_table_insert(oracle, bytes, sum);
    } else {
      g_bytes_unref(bytes);
    }
    *sum += n;
    ck_assert_int_eq(adl_table_find(table, key, size), row);
    adl_table_row(table, row)[2] += n;
  }
  ck_assert_int_eq(adl_table_count(table), g_hash_table_size(oracle));
  for (guint row = 0; row < order->len; row++) {
    gsize size;
    const void *bytes = g_bytes_get_data(g_ptr_array_index(order, row), &size);
    adl_text key = adl_table_key(table, row);
    ck_assert_int_eq(key.size, size);
    ck_assert(size == 0 || memcmp(key.data, bytes, size) == 0);
    const double *values = adl_table_row(table, row);
    ck_assert(values[0] == 0 && values[1] == 0);
    ck_assert(values[2] == *(double *)g_hash_table_lookup(oracle, g_ptr_array_index(order, row)));
  }
  ck_assert_ptr_null(adl_table_row(table, order->len));
  ck_assert_int_eq(adl_table_insert(table, "x", -1), -1);
  ck_assert_int_eq(adl_table_find(table, "x", INT64_C(1) << 31), -1);
  g_ptr_array_free(order, TRUE);
  g_hash_table_destroy(oracle);
  adl_tensors_free(tensors);
  g_rand_free(rand);
}
END_TEST

START_TEST(tables_add_by_key) {
  GRand *rand = g_rand_new_with_seed(12);
  adl_tensors *parts[4], *whole = adl_tensors_new();
  adl_table *all = adl_tensors_table(whole, "t", 1);
  for (int p = 0; p < 4; p++) {
    parts[p] = adl_tensors_new();
    adl_table *table = adl_tensors_table(parts[p], "t", 1);
    for (int n = 0; n < 2000; n++) {
      char key[16];
      int64_t size = random_key(rand, key);
      adl_table_row(table, adl_table_insert(table, key, size))[0] += 1;
      adl_table_row(all, adl_table_insert(all, key, size))[0] += 1;
    }
  }
  /* As a tree, as folds are merged: the same rows in the same order as one table that saw everything. */
  ck_assert(adl_tensors_add(parts[0], parts[1], NULL));
  ck_assert(adl_tensors_add(parts[2], parts[3], NULL));
  ck_assert(adl_tensors_add(parts[0], parts[2], NULL));
  const adl_table *sum = adl_tensors_find_table(parts[0], "t");
  ck_assert_int_eq(adl_table_count(sum), adl_table_count(all));
  for (int64_t row = 0; row < adl_table_count(all); row++) {
    adl_text a = adl_table_key(sum, row), b = adl_table_key(all, row);
    ck_assert_int_eq(a.size, b.size);
    ck_assert(memcmp(a.data, b.data, (size_t)a.size) == 0);
    ck_assert(adl_table_row(sum, row)[0] == adl_table_row(all, row)[0]);
  }
  adl_tensors *other = adl_tensors_new();
  adl_tensors_table(other, "t", 2);
  const char *why = NULL;
  ck_assert(!adl_tensors_add(whole, other, &why));
  ck_assert_str_eq(why, "Keyed tables of one name have different widths.");
  adl_tensors_free(other);
  for (int p = 0; p < 4; p++) adl_tensors_free(parts[p]);
  adl_tensors_free(whole);
  g_rand_free(rand);
}
END_TEST

START_TEST(a_table_without_values_is_a_set) {
  adl_tensors *tensors = adl_tensors_new();
  adl_table *table = adl_tensors_table(tensors, "set", 0);
  ck_assert_int_eq(adl_table_insert(table, "a", 1), 0);
  ck_assert_int_eq(adl_table_insert(table, "", 0), 1);
  ck_assert_int_eq(adl_table_insert(table, NULL, 0), 1);
  ck_assert_int_eq(adl_table_insert(table, "a", 1), 0);
  ck_assert_ptr_nonnull(adl_table_row(table, 1));
  ck_assert_int_eq(adl_table_count(table), 2);
  adl_tensors_free(tensors);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tensors");
  TCase *arrays = tcase_create("arrays");
  suite_add_tcase(suite, arrays);
  tcase_add_test(arrays, tensors_are_zero_and_aligned);
  tcase_add_test(arrays, resizing_keeps_what_fits_and_zeroes_the_rest);
  tcase_add_test(arrays, untouched_pages_cost_nothing);
  tcase_add_test(arrays, storage_beyond_the_limit_lies_in_a_file);
  tcase_add_test(arrays, pages_of_spilled_storage_are_put_out);
  tcase_set_timeout(arrays, 60);
  tcase_add_test(arrays, a_spill_file_that_cannot_be_had_is_told);
  tcase_add_test(arrays, programming_errors_are_told);
  tcase_add_test(arrays, iteration_in_order_and_drop);
  tcase_add_test(arrays, lent_arrays_are_copied_before_they_are_written);
  tcase_add_test(arrays, sums_of_every_element);
  tcase_add_test(arrays, replaced_content_keeps_its_place_in_memory);
  tcase_add_test(arrays, like_is_zero_and_apart);
  TCase *tables = tcase_create("tables");
  suite_add_tcase(suite, tables);
  tcase_add_test(tables, table_against_ghashtable);
  tcase_add_test(tables, tables_add_by_key);
  tcase_add_test(tables, a_table_without_values_is_a_set);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
