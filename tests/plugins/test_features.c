/* The feature classes on the real engine: what they learn, from which rows, the same for any number of threads; models
 * that are saved and loaded; bad rows and bad pipelines. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

static const char columns[] = "{id: int, text: string, shop: id, spend: float}";

static const char stages[] = "  words: {use: tfidf, text: text, ngram: [1, 2]}\n"
                             "  shops: {use: onehot, columns: [shop], other: true, min_count: 2}\n"
                             "  scaled: {use: scale, columns: [spend], log1p: true, null: mean}\n"
                             "  x: {use: hash, columns: [shop, spend, words, onehot, scaled], crosses: [[shop, shop]], "
                             "bits: 12, signed: true}\n";

/* Rows of the numbers first to last. Their content follows from their number; those from 1000000 on are of other words,
 * shops and amounts. */
static void add_rows(GString *csv, int first, int last) {
  static const char *const words[] = {"red", "Shoes", "便宜的手机", "sale!", "x-ray", "Größe", "can't", "3.14"};
  for (int id = first; id <= last; id++) {
    bool other = id >= 1000000;
    g_string_append_printf(csv, "%d,", id);
    for (uint64_t i = 0; i < adl_random(1, (uint64_t)id) % 6; i++)
      g_string_append_printf(csv, "%s ", other ? "unheard" : words[adl_random((uint64_t)id, i) % 8]);
    g_string_append_printf(csv, ",%s%d,", other ? "held" : "shop", (int)(adl_random(2, (uint64_t)id) % 40));
    if (id % 13 != 5)
      g_string_append_printf(csv, "%.2f", (other ? 1e6 : 1) * exp(4 * adl_random_unit(3, (uint64_t)id)));
    g_string_append_c(csv, '\n');
  }
}

static adl_harness *with_rows(int training, int held_out) {
  GString *csv = g_string_new("id,text,shop,spend\n");
  add_rows(csv, 1, training);
  add_rows(csv, 1000000, 999999 + held_out);
  adl_harness *h = adl_harness_new(csv->str, columns);
  adl_harness_source(h, "holdout: {where: 'id >= 1000000'}");
  g_string_free(csv, TRUE);
  return h;
}

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

static void assert_text(const adl_harness *h, const char *column, int64_t row, const char *expected) {
  char *text = adl_harness_text(h, column, row);
  ck_assert_str_eq(text, expected);
  free(text);
}

START_TEST(known_values) {
  adl_harness *h = adl_harness_new("id,text,shop,spend\n1,This is the first document.,a,1\n"
                                   "2,This document is the second document.,b,2\n3,And this is the third one.,a,3\n"
                                   "4,Is this the first document?,,4\n",
                                   columns);
  adl_harness_run(h,
                  "  words: {use: tfidf, text: text}\n  shops: {use: onehot, columns: [shop], dense: true}\n"
                  "  scaled: {use: scale, columns: [spend, onehot]}\n",
                  "scaled");
  ASSERT_OK(h);
  assert_text(h, "words", 1, "{1: 0.6876236, 3: 0.28108868, 5: 0.5386476, 6: 0.28108868, 8: 0.28108868}");
  assert_text(h, "onehot", 0, "[1, 0]");
  assert_text(h, "onehot", 3, "[0, 0]");
  ck_assert_int_eq(adl_harness_type(h, "words").width, 9);
  ck_assert_int_eq(adl_harness_type(h, "scaled").width, 3);
  assert_text(h, "scaled", 3, "[1.3416408, -1, -0.57735026]");
  ck_assert(adl_harness_report(h, "words", "", "words") == 9);
  ck_assert(adl_harness_report(h, "shops", "", "values of shop") == 2);
  adl_harness_free(h);
}
END_TEST

/* Whatever the held-out rows hold, and however many there are, the models stay the same to the byte. */
START_TEST(held_out_rows_teach_nothing) {
  static const char *const files[] = {"models/words.safetensors", "models/shops.safetensors",
                                      "models/scaled.safetensors"};
  adl_harness *few = with_rows(3000, 1), *many = with_rows(3000, 2000);
  adl_harness_run(few, stages, "x");
  adl_harness_run(many, stages, "x");
  ASSERT_OK(few);
  ASSERT_OK(many);
  ck_assert_int_eq(adl_harness_rows(many), 5000);
  for (int i = 0; i < 3; i++) {
    adl_tensor a, b;
    const char *name;
    char stage[16];
    g_snprintf(stage, sizeof stage, "%s", files[i] + strlen("models/"));
    *strchr(stage, '.') = '\0';
    const adl_tensors *model = adl_harness_model(few, stage);
    ck_assert_ptr_nonnull(model);
    for (int32_t t = 0; adl_tensors_at(model, t, &name, &a); t++) {
      ck_assert(adl_tensors_find(adl_harness_model(many, stage), name, &b));
      ck_assert_int_eq(a.count, b.count);
      if (a.element == ADL_BYTES) ck_assert_mem_eq(a.data, b.data, (size_t)a.count);
      if (a.element == ADL_INT64 || a.element == ADL_FLOAT64) ck_assert_mem_eq(a.data, b.data, 8 * (size_t)a.count);
      if (a.element == ADL_FLOAT32) ck_assert_mem_eq(a.data, b.data, 4 * (size_t)a.count);
    }
  }
  /* The held-out words and shops are unknown: nothing, and (other), which comes after the 40 shops. */
  assert_text(many, "words", 4000, "{}");
  assert_text(many, "onehot", 4000, "{40: 1}");
  adl_harness_free(few);
  adl_harness_free(many);
}
END_TEST

START_TEST(threads_and_memory_change_no_bit) {
  adl_harness *h = with_rows(9000, 500);
  GString *all = g_string_new(stages);
  g_string_append(all, "  out: {use: write-jsonl, path: out.jsonl, columns: [words, onehot, scaled, x]}\n");
  char *first = NULL;
  for (int threads = 1; threads <= 8; threads++)
    for (int small = 0; small < 2; small++) {
      adl_harness_threads(h, threads);
      adl_harness_memory(h, small ? 1 << 20 : INT64_C(1) << 30);
      adl_harness_run(h, all->str, NULL);
      ASSERT_OK(h);
      char *digest = adl_harness_digest(h);
      if (first == NULL) first = g_strdup(digest);
      ck_assert_msg(strcmp(digest, first) == 0, "%d threads differ from one", threads);
      free(digest);
    }
  char *out = adl_harness_read(h, "out.jsonl");
  ck_assert(out != NULL && strlen(out) > 9500 * 20);
  free(out);
  g_free(first);
  g_string_free(all, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(models_are_saved_and_loaded) {
  adl_harness *h = with_rows(500, 100), *loaded = with_rows(500, 100);
  adl_harness_run(h, stages, "x");
  ASSERT_OK(h);
  adl_harness_models(loaded, adl_harness_run_directory(h));
  adl_harness_run(loaded, stages, "x");
  ASSERT_OK(loaded);
  ck_assert_int_eq(adl_harness_rows(loaded), 600);
  for (int64_t row = 0; row < 600; row++) {
    char *text = adl_harness_text(h, "x", row);
    assert_text(loaded, "x", row, text);
    free(text);
  }
  adl_harness_free(h);
  adl_harness_free(loaded);
}
END_TEST

/* Once in fit and once in process, but one row is one reject. */
START_TEST(bad_rows_are_rejected_once) {
  adl_harness *h = adl_harness_new("id,text,shop,spend\n1,a,s,1\n2,b,s,-3\n3,c,s,\n4,d,s,nan\n5,e,s,7\n", columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, "  s: {use: scale, columns: [spend], log1p: true, method: minmax}\n", "s");
  ASSERT_OK(h);
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, "s 3 spend ln(1 + x) is not defined for -3\n") != NULL, "%s", rejects);
  ck_assert_msg(strstr(rejects, "s 4 spend null; `null: mean` would take the column's mean instead\n") != NULL, "%s",
                rejects);
  ck_assert_int_eq(adl_harness_rejected(h), 3);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  assert_text(h, "scaled", 0, "[0]");
  assert_text(h, "scaled", 1, "[1]");
  free(rejects);
  adl_harness_free(h);
}
END_TEST

static const struct {
  const char *csv, *stages, *error;
} refused[] = {
    {"", "  s: {use: tfidf, text: text}\n",
     "s.text: no training row has a document: there is no row, or text is null in all"},
    {"1,,,\n2,,,\n", "  s: {use: tfidf, text: text}\n",
     "s.text: no training row has a document: there is no row, or text is null in all"},
    {"1,a,,\n", "  s: {use: tfidf, text: text, min_df: 2}\n",
     "s.max_df: of 1 documents, min_df asks for at least 2 and max_df for at most 1"},
    {"1,a,,\n2,b,,\n", "  s: {use: onehot, columns: [text, shop]}\n",
     "s.columns[1]: shop has no value in any training row"},
    {"1,a,,\n2,b,,\n", "  s: {use: onehot, columns: [text], min_count: 3}\n",
     "s.columns[0]: none of the 2 values of text occurs 3 times in the training rows"},
    {"1,a,,\n2,b,,\n", "  s: {use: scale, columns: [id, spend], null: mean}\n",
     "s.columns[1]: spend has no value in any training row"},
    {"1,a,s,1\n", "  s: {use: scale, columns: [shop]}\n", "s.columns[0]: column `shop` is"},
    {"1,a,s,1\n", "  s: {use: hash, columns: [shop], crosses: [[shop, spend]]}\n",
     "s.crosses[0][1]: column `spend` is"},
    {"1,a,s,1\n", "  s: {use: hash, columns: [shop], crosses: [[shop]]}\n",
     "s.crosses[0]: a cross is of two or three columns, not of 1"},
    {"1,a,s,1\n", "  s: {use: onehot, columns: [spend]}\n", "s.columns[0]: column `spend` is"},
    {"1,a,s,1\n", "  s: {use: tfidf, text: id}\n", "s.text: column `id` is"},
    {"1,a,s,1\n", "  s: {use: tfidf, text: text, ngram: [3, 2]}\n",
     "s.ngram: ngram is two numbers, the first not above the second"},
    {"1,a,s,1\n", "  s: {use: hash, bits: 3}\n", "s: "},
};

START_TEST(refusals_name_the_place) {
  char *csv = g_strconcat("id,text,shop,spend\n", refused[_i].csv, NULL);
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, refused[_i].stages, NULL);
  const char *errors = adl_harness_errors(h);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(errors, refused[_i].error) != NULL, "%s", errors);
  ck_assert_msg(strstr(errors, "test.yaml:5:") != NULL, "%s", errors);
  g_free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(one_row_is_enough) {
  adl_harness *h = adl_harness_new("id,text,shop,spend\n1,a b,s,5\n", columns);
  adl_harness_run(h,
                  "  words: {use: tfidf, text: text}\n  shops: {use: onehot, columns: [shop]}\n"
                  "  scaled: {use: scale, columns: [spend]}\n  x: {use: hash, columns: [shop, words, scaled]}\n",
                  "x");
  ASSERT_OK(h);
  assert_text(h, "words", 0, "{0: 0.70710677, 1: 0.70710677}");
  assert_text(h, "onehot", 0, "{0: 1}");
  assert_text(h, "scaled", 0, "[0]");
  ck_assert_msg(strstr(adl_harness_errors(h), "spend is the same in all training rows") != NULL, "%s",
                adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

/* What a cluster is about is told in the words of its texts, with the model of the run and with a loaded one. */
START_TEST(clusters_say_what_they_are_about) {
  static const char csv[] = "text\n"
                            "手机 屏幕\n手机 充电\n手机 屏幕\n手机 屏幕 充电\n"
                            "苹果 新鲜\n苹果 甜\n苹果 新鲜\n苹果 甜 新鲜\n";
  static const char clustered[] =
      "  words: {use: tfidf, text: text}\n  c: {use: kmeans, features: [words], clusters: 2, about: about}\n";
  adl_harness *h = adl_harness_new(csv, "{text: string}"), *again = adl_harness_new(csv, "{text: string}");
  adl_harness_run(h, clustered, "c");
  ASSERT_OK(h);
  for (int64_t row = 0; row < 8; row++) assert_text(h, "about", row, row < 4 ? "手机, 屏幕, 充电" : "苹果, 新鲜, 甜");
  adl_harness_models(again, adl_harness_run_directory(h));
  adl_harness_run(again, clustered, "c");
  ASSERT_OK(again);
  for (int64_t row = 0; row < 8; row++)
    assert_text(again, "about", row, row < 4 ? "手机, 屏幕, 充电" : "苹果, 新鲜, 甜");
  adl_harness_free(again);
  adl_harness_free(h);
  h = adl_harness_new("x\n5\n5\n", "{x: float}"); /* all at the mean: about nothing */
  adl_harness_run(h, "  c: {use: kmeans, features: [x], clusters: 1, about: about}\n", "c");
  ASSERT_OK(h);
  ck_assert(adl_harness_null(h, "about", 1));
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("features");
  TCase *cases = tcase_create("features");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, known_values);
  tcase_add_test(cases, held_out_rows_teach_nothing);
  tcase_add_test(cases, threads_and_memory_change_no_bit);
  tcase_add_test(cases, models_are_saved_and_loaded);
  tcase_add_test(cases, bad_rows_are_rejected_once);
  tcase_add_loop_test(cases, refusals_name_the_place, 0, (int)G_N_ELEMENTS(refused));
  tcase_add_test(cases, one_row_is_enough);
  tcase_add_test(cases, clusters_say_what_they_are_about);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
