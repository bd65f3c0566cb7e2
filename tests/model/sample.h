/* A model with every element and two keyed tables, and a folder to keep files in; for the tests of core/model. */
#ifndef ADLOOM_TESTS_MODEL_SAMPLE_H
#define ADLOOM_TESTS_MODEL_SAMPLE_H

#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/model/safetensors.h"

static inline adl_tensors *sample_model(int seed) {
  adl_tensors *tensors = adl_tensors_new();
  for (int element = ADL_BOOL; element <= ADL_BYTES; element++) {
    char name[24];
    int64_t size[2] = {element + 1, 3}, bytes = size[0] * size[1] * adl_tensor_element_size((adl_element)element);
    g_snprintf(name, sizeof name, "t.%s", adl_element_name(element));
    uint8_t *data = adl_tensors_get(tensors, name, (adl_element)element, 2, size, NULL);
    for (int64_t i = 0; i < bytes; i++) data[i] = (uint8_t)(element == ADL_BOOL ? i % 2 : (i * 7 + seed) % 101);
  }
  *(double *)adl_tensors_get(tensors, "scalar", ADL_FLOAT64, 0, NULL, NULL) = seed + 0.5;
  adl_tensors_get(tensors, "empty", ADL_FLOAT32, 2, (const int64_t[]){0, 7}, NULL);
  adl_table *words = adl_tensors_table(tensors, "words", 2);
  const char *const keys[] = {"second", "", "first", "\xe5\xb9\xbf\xe5\x91\x8a"};
  for (int i = 0; i < 4; i++)
    adl_table_row(words, adl_table_insert(words, keys[i], (int64_t)strlen(keys[i])))[1] = i + 0.25;
  adl_tensors_table(tensors, "nobody", 3);
  adl_table *set = adl_tensors_table(tensors, "set", 0);
  adl_table_insert(set, "a\0b", 3);
  return tensors;
}

static inline adl_model_meta *sample_meta(void) {
  adl_model_meta *meta =
      adl_model_meta_new("kmeans", "1.0.0", "0123abcd", 3, "clusters: 5\nfeatures: [\"a \\\"b\\\"\"]\n");
  adl_model_meta_add_input(meta, "words", "sparse float32[262144]");
  adl_model_meta_add_input(meta, "spend", "float64");
  return meta;
}

static inline void same_models(const adl_tensors *a, const adl_tensors *b) {
  const char *name_a, *name_b;
  adl_tensor one, other;
  const adl_table *table, *other_table;
  int32_t i;
  for (i = 0; adl_tensors_at(a, i, &name_a, &one); i++) {
    ck_assert(adl_tensors_at(b, i, &name_b, &other));
    ck_assert_str_eq(name_a, name_b);
    ck_assert_int_eq(one.element, other.element);
    ck_assert_int_eq(one.dimensions, other.dimensions);
    ck_assert(memcmp(one.size, other.size, sizeof one.size) == 0);
    ck_assert_int_eq(one.count, other.count);
    ck_assert_uint_eq((uintptr_t)other.data % 64, 0);
    ck_assert(one.count == 0 || memcmp(one.data, other.data,
                                       (size_t)(one.count * adl_tensor_element_size((adl_element)one.element))) == 0);
  }
  ck_assert(!adl_tensors_at(b, i, &name_b, &other));
  for (i = 0; adl_tensors_table_at(a, i, &name_a, &table); i++) {
    ck_assert(adl_tensors_table_at(b, i, &name_b, &other_table));
    ck_assert_str_eq(name_a, name_b);
    ck_assert_int_eq(adl_table_width(table), adl_table_width(other_table));
    ck_assert_int_eq(adl_table_count(table), adl_table_count(other_table));
    for (int64_t row = 0; row < adl_table_count(table); row++) {
      adl_text key = adl_table_key(table, row);
      ck_assert_int_eq(adl_table_find(other_table, key.data, key.size), row);
      ck_assert(memcmp(adl_table_row(table, row), adl_table_row(other_table, row),
                       (size_t)adl_table_width(table) * sizeof(double)) == 0);
    }
  }
  ck_assert(!adl_tensors_table_at(b, i, &name_b, &other_table));
}

/* A folder of its own for one test, under TMPDIR. */
static inline char *make_folder(void) {
  char *folder = g_dir_make_tmp("adloom-test-XXXXXX", NULL);
  ck_assert_ptr_nonnull(folder);
  return folder;
}

/* Removes the folder, whose files are all in it directly, and frees its name. */
static inline void remove_folder(char *folder) {
  GDir *directory = g_dir_open(folder, 0, NULL);
  const char *name;
  while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
    char *path = g_build_filename(folder, name, NULL);
    g_unlink(path);
    g_free(path);
  }
  if (directory != NULL) g_dir_close(directory);
  g_rmdir(folder);
  g_free(folder);
}

/* How many files are in it. */
static inline int count_files(const char *folder) {
  GDir *directory = g_dir_open(folder, 0, NULL);
  int count = 0;
  while (directory != NULL && g_dir_read_name(directory) != NULL) count++;
  if (directory != NULL) g_dir_close(directory);
  return count;
}

#endif
