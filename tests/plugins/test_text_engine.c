/* tfidf on the real engine: words, characters, words of a dictionary and hashed ones are the same for any number of threads
 * and with vectors or without, models can be loaded, and a dictionary that has changed is learned with anew. */
#include "tests/plugins/transform.h"

static const char dictionary[] = "打折 500 v\n商品 800 n\n优惠 300 n\n";

/* English, Chinese and mixed documents, some of them empty or null, in rows of more than one batch. */
static char *documents(void) {
  static const char *const words[] = {"sale",  "Shoes",    "x-ray",    "3.14", "打折商品", "优惠 shoes", "café",
                                      "can't", "Ｓａｌｅ", "商品优惠", "red",  "blue",     "白色的鞋子", "in"};
  GString *csv = g_string_new("n,text\n");
  uint32_t state = 7;
  for (int row = 0; row < 9000; row++) {
    g_string_append_printf(csv, "%d,", row);
    int count = row % 97 == 0 ? 0 : row % 501 == 0 ? 300 : 1 + row % 9;
    for (int i = 0; i < count; i++) {
      state = state * 1664525 + 1013904223;
      g_string_append_printf(csv, "%s%s", i > 0 ? " " : "",
                             words[state >> 16 & 1 ? (state >> 20) % 14 : (state >> 20) % 3]);
    }
    g_string_append(csv, "\n");
  }
  return g_string_free(csv, FALSE);
}

static const char *const ways[] = {
    "ngram: [1, 2], sublinear: true",
    "mode: hash, bits: 8",
    "mode: hash, idf: false, norm: l1",
    "analyzer: char, ngram: [1, 3]",
    "analyzer: char_word, ngram: [2, 3], max_features: 100",
    "analyzer: char, mode: hash, bits: 6",
    "dictionary: words.txt",
};
enum { WAYS = sizeof ways / sizeof *ways };

static adl_harness *begin(void) {
  char *csv = documents();
  adl_harness *h = adl_harness_new(csv, "{n: int, text: string}");
  adl_harness_source(h, "holdout: {fraction: 0.2}");
  adl_harness_file(h, "words.txt", dictionary, -1);
  g_free(csv);
  return h;
}

static void run_way(adl_harness *h, const char *parameters) {
  char *stages = g_strdup_printf("  s: {use: tfidf, text: text, as: w, %s}\n", parameters);
  adl_harness_run(h, stages, "s");
  ASSERT_OK(h);
  g_free(stages);
}

/* What came out, to the bit. */
static GBytes *result_of(adl_harness *h) {
  const adl_column *column = adl_harness_column(h, "w");
  GByteArray *bytes = g_byte_array_new();
  int32_t items = column->offsets[column->rows];
  ck_assert_int_eq(column->rows, 9000);
  ck_assert_int_gt(items, 9000);
  g_byte_array_append(bytes, (const guint8 *)column->offsets, (guint)((size_t)(column->rows + 1) * 4));
  g_byte_array_append(bytes, (const guint8 *)column->index, (guint)((size_t)items * 4));
  g_byte_array_append(bytes, column->data, (guint)((size_t)items * 4));
  return g_byte_array_free_to_bytes(bytes);
}

START_TEST(threads_and_vectors_do_not_matter) {
  GBytes *first = NULL;
  for (int variant = 0; variant < 3; variant++) {
    adl_harness *h = begin();
    adl_harness_threads(h, variant == 1 ? 3 : 1);
    if (variant == 2) g_setenv("ADLOOM_SIMD", "portable", TRUE);
    run_way(h, ways[_i]);
    GBytes *now = result_of(h);
    if (first != NULL) ck_assert(g_bytes_equal(first, now));
    if (first == NULL) first = g_bytes_ref(now);
    g_bytes_unref(now);
    adl_harness_free(h);
  }
  g_unsetenv("ADLOOM_SIMD");
  g_bytes_unref(first);
}
END_TEST

/* Rows rise, and hold no dimension twice; those of a short run are as in a long one. */
START_TEST(rows_are_sparse_rows) {
  adl_harness *h = begin();
  run_way(h, ways[_i]);
  const adl_column *column = adl_harness_column(h, "w");
  for (int64_t row = 0; row < column->rows; row++) {
    for (int32_t i = column->offsets[row] + 1; i < column->offsets[row + 1]; i++)
      ck_assert_uint_lt(column->index[i - 1], column->index[i]);
    if (column->offsets[row] < column->offsets[row + 1])
      ck_assert_int_lt(column->index[column->offsets[row + 1] - 1], column->type.width);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(loaded_models_give_the_same) {
  adl_harness *h = begin();
  run_way(h, ways[_i]);
  GBytes *fitted = result_of(h);
  char *made = g_strdup(adl_harness_run_directory(h));
  adl_harness_models(h, made);
  run_way(h, ways[_i]);
  GBytes *loaded = result_of(h);
  ck_assert(g_bytes_equal(fitted, loaded));
  g_bytes_unref(fitted);
  g_bytes_unref(loaded);
  g_free(made);
  adl_harness_free(h);
}
END_TEST

static bool knows(adl_harness *h, const char *word) {
  adl_tensor words;
  ck_assert(adl_tensors_find(adl_harness_model(h, "s"), "words", &words));
  return memmem(words.data, (size_t)words.count, word, strlen(word)) != NULL;
}

/* The model in the store was made with another dictionary of the same name, so it does not do. */
START_TEST(a_changed_dictionary_is_learned_with) {
  adl_harness *h = begin();
  adl_harness_store(h, true);
  run_way(h, "dictionary: words.txt");
  ck_assert(knows(h, "打折") && !knows(h, "打折商品"));
  adl_harness_file(h, "words.txt", "打折商品 500\n", -1);
  run_way(h, "dictionary: words.txt");
  ck_assert(knows(h, "打折商品"));
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("text");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, threads_and_vectors_do_not_matter, 0, WAYS);
  tcase_add_loop_test(tcase, rows_are_sparse_rows, 0, WAYS);
  tcase_add_loop_test(tcase, loaded_models_give_the_same, 0, WAYS);
  tcase_add_test(tcase, a_changed_dictionary_is_learned_with);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
