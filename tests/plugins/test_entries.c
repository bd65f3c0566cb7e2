/* What the feature classes share below the level of words: MurmurHash3, sparse rows in the making, categories as text,
 * vocabularies. */
#include <check.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/category.h"
#include "common/deal.h"
#include "common/entries.h"
#include "common/murmur3.h"
#include "common/term_hash.h"
#include "common/vocabulary.h"
#include "core/data/tensors.h"
#include "tests/plugins/bare_host.h"

/* ---- murmur3 ---- */

static const struct {
  const char *key;
  uint32_t seed, hash;
} hashes[] = {
    {"", 0, 0},
    {"", 1, 0x514e28b7},
    {"ab", 7, 0xfe2a26ff},
    {"abc", 0, 0xb3dd93fa},
    {"aaaa", 0x9747b28c, 0x5a97808a},
    {"hello", 0, 0x248bfa47},
    {"Hello, world!", 0x9747b28c, 0x24884cba},
    {"The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd},
};

START_TEST(known_hashes) {
  ck_assert_uint_eq(adl_murmur3(hashes[_i].key, strlen(hashes[_i].key), hashes[_i].seed), hashes[_i].hash);
}
END_TEST

START_TEST(mixing_is_a_bijection_on_samples) {
  GHashTable *seen = g_hash_table_new(NULL, NULL);
  for (uint32_t i = 0; i < 100000; i++) g_hash_table_add(seen, GUINT_TO_POINTER(adl_murmur3_mix(i * 40503u)));
  ck_assert_uint_eq(g_hash_table_size(seen), 100000);
  g_hash_table_destroy(seen);
}
END_TEST

/* ---- entries ---- */

/* Merging, done the slow way. */
static int64_t merge_slowly(const uint64_t *entries, int64_t count, uint32_t *index, float *value) {
  int64_t left = 0;
  for (int64_t low = -1;;) {
    int64_t next = INT64_MAX;
    float sum = 0;
    for (int64_t i = 0; i < count; i++) {
      int64_t at = adl_entry_index(entries[i]);
      if (at > low && at < next) next = at;
    }
    if (next == INT64_MAX) return left;
    for (int64_t i = 0; i < count; i++)
      if (adl_entry_index(entries[i]) == next) sum += adl_entry_value(entries[i]);
    index[left] = (uint32_t)next;
    value[left] = sum;
    left += sum != 0;
    low = next;
  }
}

enum { MOST = 700 };

/* With vectors and without; lengths around the limits between the ways of sorting, indices of 1 to 32 bits, few and many of them equal. */
START_TEST(merging_sorts_and_sums) {
  if (_i == 1) setenv("ADLOOM_SIMD", "portable", 1);
  static const int64_t lengths[] = {0, 1, 2, 9, 10, 11, 40, 64, 191, 192, 193, 255, 256, 257, MOST};
  static const int bits[] = {1, 5, 6, 7, 18, 22, 31, 32};
  for (size_t l = 0; l < G_N_ELEMENTS(lengths); l++)
    for (size_t b = 0; b < G_N_ELEMENTS(bits); b++) {
      uint64_t entries[MOST], scratch[MOST], key = l * 100 + b;
      uint32_t index[MOST], expected_index[MOST];
      float value[MOST], expected_value[MOST];
      for (int64_t i = 0; i < lengths[l]; i++) {
        uint64_t random = adl_random(key, (uint64_t)i);
        entries[i] = adl_entry((uint32_t)(random >> 32) >> (32 - bits[b]), (float)(random % 2000) / 7 - 140);
      }
      int64_t expected = merge_slowly(entries, lengths[l], expected_index, expected_value);
      uint32_t pair_index[MOST], merged_index[MOST];
      float pair_value[MOST], merged_value[MOST];
      uint64_t pair_scratch[2 * MOST];
      for (int64_t i = 0; i < lengths[l]; i++) {
        pair_index[i] = adl_entry_index(entries[i]);
        pair_value[i] = adl_entry_value(entries[i]);
      }
      ck_assert_int_eq(
          adl_entries_merge_pairs(pair_index, pair_value, pair_scratch, lengths[l], merged_index, merged_value),
          expected);
      int64_t count = adl_entries_merge(entries, scratch, lengths[l], index, value);
      ck_assert_int_eq(count, expected);
      ck_assert_mem_eq(merged_index, index, (size_t)count * sizeof *index);
      ck_assert_mem_eq(merged_value, value, (size_t)count * sizeof *value);
      for (int64_t i = 0; i < count; i++) {
        ck_assert_uint_eq(index[i], expected_index[i]);
        ck_assert(value[i] == expected_value[i]);
      }
    }
}
END_TEST

START_TEST(what_cancels_out_is_gone) {
  uint64_t entries[] = {adl_entry(7, 1.5f), adl_entry(3, 2), adl_entry(7, -1.5f), adl_entry(UINT32_MAX, -1)},
           scratch[4];
  uint32_t index[4];
  float value[4];
  ck_assert_int_eq(adl_entries_merge(entries, scratch, 4, index, value), 2);
  ck_assert_uint_eq(index[0], 3);
  ck_assert_uint_eq(index[1], UINT32_MAX);
  ck_assert(value[0] == 2 && value[1] == -1);
}
END_TEST

/* ---- columns to rows ---- */

enum { DEALT = 21, STRIDE = DEALT + ADL_DEAL_SPARE };

/* A value is 0 now and then; in column 3 always. */
static void make_columns(uint32_t dimension[DEALT][ADL_DEAL_ROWS], float value[DEALT][ADL_DEAL_ROWS]) {
  for (int c = 0; c < DEALT; c++)
    for (int row = 0; row < ADL_DEAL_ROWS; row++) {
      uint64_t random = adl_random((uint64_t)c, (uint64_t)row);
      dimension[c][row] = (uint32_t)random;
      value[c][row] = random >> 40 < (UINT64_C(1) << 24) / 4 || c == 3 ? 0 : (float)(random >> 40) - 1e7f;
    }
}

/* With vectors and without. */
START_TEST(columns_are_dealt_to_rows) {
  static uint32_t dimension[DEALT][ADL_DEAL_ROWS], to[ADL_DEAL_ROWS * STRIDE];
  static float value[DEALT][ADL_DEAL_ROWS], values[ADL_DEAL_ROWS * STRIDE];
  adl_deal_column columns[DEALT];
  adl_simd level = _i == 1 ? ADL_SIMD_PORTABLE : adl_simd_level();
  adl_dealt dealt = {.dimension = to, .value = values, .stride = STRIDE, .level = level};
  make_columns(dimension, value);
  for (int c = 0; c < DEALT; c++) columns[c] = (adl_deal_column){dimension[c], value[c]};
  for (int count = 0; count <= DEALT; count++) {
    adl_deal(columns, count, 0xffff, &dealt);
    for (int row = 0; row < ADL_DEAL_ROWS; row++) {
      int at = 0;
      for (int c = 0; c < count; c++) {
        if (value[c][row] == 0) continue;
        ck_assert_uint_eq(to[row * STRIDE + at], dimension[c][row] & 0xffff);
        ck_assert(values[row * STRIDE + at++] == value[c][row]);
      }
      ck_assert_int_eq(dealt.filled[row], at);
    }
  }
}
END_TEST

/* ---- categories ---- */

static void assert_text(adl_text text, const char *expected) {
  ck_assert_int_eq(text.size, (int)strlen(expected));
  ck_assert_mem_eq(text.data, expected, strlen(expected));
}

START_TEST(categories_as_text) {
  char buffer[ADL_CATEGORY_TEXT_SIZE];
  const int64_t longs[] = {0, -1, 42, INT64_MAX, INT64_MIN};
  const int32_t ints[] = {INT32_MIN, 7};
  const uint32_t words[] = {UINT32_MAX};
  const uint8_t bits[] = {2};
  const int32_t offsets[] = {0, 2, 2};
  adl_column column = {.data = longs, .type = {.element = ADL_INT64}};
  assert_text(adl_category_text(&column, 0, buffer), "0");
  assert_text(adl_category_text(&column, 1, buffer), "-1");
  assert_text(adl_category_text(&column, 2, buffer), "42");
  assert_text(adl_category_text(&column, 3, buffer), "9223372036854775807");
  assert_text(adl_category_text(&column, 4, buffer), "-9223372036854775808");
  column = (adl_column){.data = ints, .type = {.element = ADL_INT32}};
  assert_text(adl_category_text(&column, 0, buffer), "-2147483648");
  assert_text(adl_category_text(&column, 1, buffer), "7");
  column = (adl_column){.data = words, .type = {.element = ADL_UINT32}};
  assert_text(adl_category_text(&column, 0, buffer), "4294967295");
  column = (adl_column){.data = bits, .type = {.element = ADL_BOOL}};
  assert_text(adl_category_text(&column, 0, buffer), "false");
  assert_text(adl_category_text(&column, 1, buffer), "true");
  column = (adl_column){.data = "ab", .string_offsets = offsets, .type = {.element = ADL_STRING}};
  assert_text(adl_category_text(&column, 0, buffer), "ab");
  assert_text(adl_category_text(&column, 1, buffer), "");
}
END_TEST

START_TEST(items_of_rows) {
  const int32_t offsets[] = {0, 2, 2, 5};
  const uint8_t validity[] = {5}; /* row 1 is null */
  int64_t from, to;
  adl_column list = {.rows = 3, .offsets = offsets, .validity = validity, .type = {.shape = ADL_LIST}};
  adl_items_of(&list, 2, &from, &to);
  ck_assert(from == 2 && to == 5);
  adl_items_of(&list, 1, &from, &to);
  ck_assert(from == to);
  adl_column scalar = {.rows = 3, .validity = validity, .type = {.shape = ADL_SCALAR}};
  adl_items_of(&scalar, 2, &from, &to);
  ck_assert(from == 2 && to == 3);
  adl_items_of(&scalar, 1, &from, &to);
  ck_assert(from == to);
}
END_TEST

/* ---- vocabularies ---- */

/* A table of keys k0, k1, ..., the i-th with count i % 7 and rank i % 5. */
static adl_table *sample_table(adl_tensors *tensors, int count) {
  adl_table *table = adl_tensors_table(tensors, "counts", 2);
  for (int i = 0; i < count; i++) {
    char key[24];
    int size = g_snprintf(key, sizeof key, i % 3 == 1 && i > 100 ? "k-and-more-%d" : "k%d", i);
    double *row = adl_table_row(table, adl_table_insert(table, key, size));
    row[0] = i % 7;
    row[1] = i % 5;
  }
  return table;
}

static int compare_texts(adl_text a, adl_text b) {
  int order = memcmp(a.data, b.data, (size_t)MIN(a.size, b.size));
  return order != 0 ? order : a.size - b.size;
}

START_TEST(choosing_keys) {
  const adl_call *call = bare_call();
  int64_t count;
  adl_counted *keys = adl_counted_keys(call, sample_table(call->host->scratch_tensors(call), 70), 1, &count);
  ck_assert_int_eq(count, 70);
  count = adl_counted_between(keys, count, 2, 4);
  ck_assert_int_eq(count, 30);
  for (int64_t i = 0; i < count; i++) ck_assert(keys[i].count >= 2 && keys[i].count <= 4);
  /* Six of the thirty have rank 4; the seventh is, among those of rank 3, the first in byte order. */
  ck_assert_int_eq(adl_counted_top(keys, count, 7), 7);
  ck_assert_int_eq(adl_counted_sort(bare_call(), keys, 7), ADL_OK);
  int low = 0;
  for (int i = 0; i < 7; i++) {
    low += keys[i].rank < 4;
    if (keys[i].rank < 4) assert_text(keys[i].key, "k18");
    if (i == 0) continue;
    char *before = g_strndup(keys[i - 1].key.data, (gsize)keys[i - 1].key.size);
    char *here = g_strndup(keys[i].key.data, (gsize)keys[i].key.size);
    ck_assert_str_lt(before, here);
    g_free(before);
    g_free(here);
  }
  ck_assert_int_eq(low, 1);
  ck_assert_int_eq(adl_counted_top(keys, 7, 100), 7);
  bare_done();
}
END_TEST

START_TEST(vocabularies_are_saved_and_found) {
  const adl_call *call = bare_call();
  adl_tensors *model = call->host->scratch_tensors(call);
  int64_t count;
  adl_counted *keys = adl_counted_keys(call, sample_table(call->host->scratch_tensors(call), 5000), 1, &count);
  keys[0].key = (adl_text){"", 0}; /* the empty string is a key like others */
  ck_assert_int_eq(adl_counted_sort(call, keys, count), ADL_OK);
  for (int64_t i = 1; i < count; i++) ck_assert_int_lt(compare_texts(keys[i - 1].key, keys[i].key), 0);
  ck_assert_int_eq(adl_vocabulary_save(call, model, "words", keys, count), ADL_OK);
  adl_vocabulary *vocabulary;
  ck_assert_int_eq(adl_vocabulary_load(call, model, "words", NULL, &vocabulary), ADL_OK);
  ck_assert_int_eq(vocabulary->count, 5000);
  for (int64_t i = 0; i < count; i++)
    ck_assert_int_eq(adl_vocabulary_find(vocabulary, keys[i].key.data, keys[i].key.size), i);
  ck_assert_int_eq(adl_vocabulary_find(vocabulary, "k", 1), -1);
  ck_assert_int_eq(adl_vocabulary_find(vocabulary, "k0", 2), -1);
  ck_assert_int_eq(adl_vocabulary_find(vocabulary, "k5000", 5), -1);
  adl_vocabulary_free(vocabulary);
  bare_done();
}
END_TEST

START_TEST(an_empty_vocabulary_finds_nothing) {
  const int64_t offsets[] = {0};
  adl_vocabulary *vocabulary = adl_vocabulary_new("", offsets, 0, NULL);
  ck_assert_ptr_nonnull(vocabulary);
  ck_assert_int_eq(adl_vocabulary_find(vocabulary, "a", 1), -1);
  ck_assert_int_eq(adl_vocabulary_find(vocabulary, "", 0), -1);
  adl_vocabulary_free(vocabulary);
}
END_TEST

/* Offsets that a damaged or hostile model file may hold, for 4 bytes. */
static const int64_t damaged[][4] = {{1, 2, 3, 4}, {0, 2, 1, 4}, {0, 1, 2, 3}, {0, 5, 4, 4}, {0, -1, 4, 4}};

START_TEST(damaged_models_are_refused) {
  const adl_call *call = bare_call();
  const int64_t four = 4;
  adl_tensors *model = call->host->scratch_tensors(call);
  adl_vocabulary *vocabulary = NULL;
  ck_assert_int_eq(adl_vocabulary_load(call, model, "words", NULL, &vocabulary), ADL_FAILED);
  call->host->tensor(call, model, "words", ADL_BYTES, 1, &four);
  ck_assert_int_eq(adl_vocabulary_load(call, model, "words", NULL, &vocabulary), ADL_FAILED);
  int64_t *offsets = call->host->tensor(call, model, "words_offsets", ADL_INT64, 1, &four);
  memcpy(offsets, damaged[_i], sizeof damaged[_i]);
  ck_assert_int_eq(adl_vocabulary_load(call, model, "words", NULL, &vocabulary), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(bare_failure(), "`words_offsets`"));
  ck_assert_ptr_null(vocabulary);
  bare_done();
}
END_TEST

/* Many terms at a time, of all lengths, as one after the other; and nothing outside of them is read. */
START_TEST(terms_are_hashed_as_one_by_one) {
  for (int64_t count = 0; count < 300; count += 23) {
    adl_term *keys = malloc(((size_t)count + 1) * sizeof *keys);
    uint32_t *hash = malloc(((size_t)count + 1) * sizeof *hash);
    char **texts = malloc(((size_t)count + 1) * sizeof *texts);
    for (int64_t i = 0; i < count; i++) {
      uint64_t random = adl_random(3, (uint64_t)(1000 * count + i));
      int64_t size = (int64_t)(random % (random >> 60 == 0 ? 40 : 17));
      texts[i] = malloc((size_t)size + (size == 0));
      for (int64_t at = 0; at < size; at++) texts[i][at] = (char)adl_random(random, (uint64_t)at);
      keys[i] = adl_term_of(texts[i], size);
    }
    adl_terms_murmur3(keys, count, 0xfffffff, hash);
    for (int64_t i = 0; i < count; i++) {
      ck_assert_uint_eq(hash[i], adl_murmur3(texts[i], (size_t)keys[i].size, 0) & 0xfffffff);
      free(texts[i]);
    }
    free(keys);
    free(hash);
    free(texts);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("entries");
  TCase *hash = tcase_create("murmur3");
  tcase_add_test(hash, terms_are_hashed_as_one_by_one);
  tcase_add_loop_test(hash, known_hashes, 0, (int)G_N_ELEMENTS(hashes));
  tcase_add_test(hash, mixing_is_a_bijection_on_samples);
  suite_add_tcase(suite, hash);
  TCase *entries = tcase_create("entries");
  tcase_add_loop_test(entries, merging_sorts_and_sums, 0, 2);
  tcase_add_test(entries, what_cancels_out_is_gone);
  tcase_add_loop_test(entries, columns_are_dealt_to_rows, 0, 2);
  suite_add_tcase(suite, entries);
  TCase *category = tcase_create("category");
  tcase_add_test(category, categories_as_text);
  tcase_add_test(category, items_of_rows);
  suite_add_tcase(suite, category);
  TCase *vocabulary = tcase_create("vocabulary");
  tcase_add_test(vocabulary, choosing_keys);
  tcase_add_test(vocabulary, vocabularies_are_saved_and_found);
  tcase_add_test(vocabulary, an_empty_vocabulary_finds_nothing);
  tcase_add_loop_test(vocabulary, damaged_models_are_refused, 0, (int)G_N_ELEMENTS(damaged));
  suite_add_tcase(suite, vocabulary);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
