/* tfidf: scikit-learn's numbers on its own example, ready-made words, odd documents, refusals. Known values were computed
 * with TfidfVectorizer. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/data/tensors.h"
#include "tests/plugins/bare_host.h"
#include "tests/plugins/bare_stage.h"

extern const adl_plugin *adl_entry_tfidf(const adl_host *host);

static const adl_class *class_of(void) { return adl_entry_tfidf(bare_call()->host)->classes[0]; }

static bare_table table;
static bare_stage *stage;

static void setup(void) {
  bare_add(&table, "text", "string", "This is the first document.", "This document is the second document.",
           "And this is the third one.", "Is this the first document?", NULL);
}

static void teardown(void) {
  if (stage != NULL) bare_stage_free(stage);
  stage = NULL;
  bare_table_clear(&table);
}

static void bind_stage(const char *name, const char *value, const char *name2, const char *value2) {
  adl_status status;
  if (stage != NULL) bare_stage_free(stage);
  stage = bare_stage_new(class_of(), &table, &status, "text", table.names[table.count - 1], name, value, name2, value2,
                         NULL);
}

static void run(const char *name, const char *value, const char *name2, const char *value2) {
  bind_stage(name, value, name2, value2);
  ck_assert_str_eq(stage->failed->str, "");
  stage->batch_rows = 1;
  ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_OK);
  ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);
}

typedef struct expected {
  const char *word;
  double row0, row1;
} expected;

static void assert_rows(const expected *values, size_t count, guint words) {
  ck_assert_uint_eq(stage->names->len, words);
  double squares[2] = {0, 0}, wanted[2] = {0, 0};
  for (size_t i = 0; i < count; i++) {
    ck_assert_double_eq_tol(bare_value(stage, 0, values[i].word), values[i].row0, 1e-6 * 2);
    ck_assert_double_eq_tol(bare_value(stage, 1, values[i].word), values[i].row1, 1e-6 * 2);
    wanted[0] += values[i].row0 * values[i].row0;
    wanted[1] += values[i].row1 * values[i].row1;
  }
  /* ... and nothing else. */
  const adl_column *column = &stage->made->view;
  for (int row = 0; row < 2; row++) {
    for (int32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++)
      squares[row] += (double)((const float *)column->data)[i] * (double)((const float *)column->data)[i];
    ck_assert_double_eq_tol(squares[row], wanted[row], 2e-5);
  }
}

#define ASSERT_ROWS(words, ...)                                                                                        \
  do {                                                                                                                 \
    static const expected values[] = {__VA_ARGS__};                                                                    \
    assert_rows(values, G_N_ELEMENTS(values), words);                                                                  \
  } while (0)

START_TEST(the_usual_numbers) {
  run("as", "words", NULL, NULL);
  ASSERT_ROWS(9, {"document", .46979139, .6876236}, {"first", .58028582, 0}, {"second", 0, .53864762},
              {"is", .38408524, .28108867}, {"the", .38408524, .28108867}, {"this", .38408524, .28108867});
  static const char *const words[] = {"and", "document", "first", "is", "one", "second", "the", "third", "this"};
  for (guint i = 0; i < 9; i++) ck_assert_str_eq(stage->names->pdata[i], words[i]);
  adl_tensor idf;
  ck_assert(adl_tensors_find(stage->model_tensors, "idf", &idf));
  ck_assert_float_eq_tol(((const float *)idf.data)[1], 1.22314355f, 1e-6f);
  ck_assert_float_eq_tol(((const float *)idf.data)[2], 1.51082562f, 1e-6f);
  ck_assert_float_eq_tol(((const float *)idf.data)[0], 1.91629073f, 1e-6f);
  ck_assert(*(const double *)g_hash_table_lookup(stage->reported, "words") == 9);
  ck_assert(*(const double *)g_hash_table_lookup(stage->reported, "documents") == 4);
  /* documents that hold a word, times its idf */
  const struct {
    const char *word;
    double weight;
  } weights[] = {{"the", 4}, {"document", 3 * 1.22314355}, {"and", 1.91629073}};
  for (guint i = 0; i < G_N_ELEMENTS(weights); i++) {
    char *name = g_strdup_printf("words that weigh most: %s", weights[i].word);
    const double *weight = g_hash_table_lookup(stage->reported, name);
    ck_assert_ptr_nonnull(weight);
    ck_assert_double_eq_tol(*weight, weights[i].weight, 1e-5);
    g_free(name);
  }
}
END_TEST

START_TEST(sublinear) {
  run("sublinear", "true", NULL, NULL);
  ASSERT_ROWS(9, {"document", .46979139, .62552689}, {"first", .58028582, 0}, {"second", 0, .57880895},
              {"is", .38408524, .30204652}, {"the", .38408524, .30204652}, {"this", .38408524, .30204652});
}
END_TEST

START_TEST(other_norms) {
  run("norm", "l1", NULL, NULL);
  ASSERT_ROWS(9, {"document", .21331533, .33225959}, {"first", .26348688, 0}, {"second", 0, .26027443},
              {"is", .17439926, .13582199}, {"the", .17439926, .13582199}, {"this", .17439926, .13582199});
  run("norm", "none", NULL, NULL);
  ASSERT_ROWS(9, {"document", 1.22314355, 2.4462871}, {"first", 1.51082562, 0}, {"second", 0, 1.91629073}, {"is", 1, 1},
              {"the", 1, 1}, {"this", 1, 1});
}
END_TEST

START_TEST(counts_alone) {
  run("idf", "false", "norm", "none");
  ASSERT_ROWS(9, {"document", 1, 2}, {"first", 1, 0}, {"second", 0, 1}, {"is", 1, 1}, {"the", 1, 1}, {"this", 1, 1});
}
END_TEST

START_TEST(pairs_of_words) {
  run("ngram", "[1, 2]", NULL, NULL);
  ASSERT_ROWS(22, {"document", .3145322, .45551258}, {"first", .38850984, 0}, {"first document", .38850984, 0},
              {"document is", 0, .35682424}, {"is", .25715068, .18620569}, {"is the", .3145322, .22775629},
              {"second", 0, .35682424}, {"second document", 0, .35682424}, {"the second", 0, .35682424},
              {"the", .25715068, .18620569}, {"the first", .38850984, 0}, {"this", .25715068, .18620569},
              {"this is", .38850984, 0}, {"this document", 0, .35682424});
  run("ngram", "[2, 2]", "max_features", "4");
  ASSERT_ROWS(4, {"first document", .52303503, 0}, {"is the", .42344193, 1}, {"the first", .52303503, 0},
              {"this is", .52303503, 0});
}
END_TEST

START_TEST(rare_and_frequent_words) {
  run("min_df", "2", "max_df", "3");
  ASSERT_ROWS(2, {"document", .62922751, 1}, {"first", .77722116, 0});
  run("min_df", "0.3", "max_df", "0.8");
  ASSERT_ROWS(2, {"document", .62922751, 1}, {"first", .77722116, 0});
  run("max_features", "3", NULL, NULL);
  ASSERT_ROWS(3, {"document", .65416415, .86574191}, {"is", .53482206, .35390037}, {"the", .53482206, .35390037});
}
END_TEST

START_TEST(lanes_and_batches_do_not_matter) {
  run("ngram", "[1, 2]", NULL, NULL);
  adl_array *once = adl_array_ref(stage->made);
  for (int lanes = 1; lanes <= 5; lanes++)
    for (int64_t rows = 1; rows <= 4; rows++) {
      bind_stage("ngram", "[1, 2]", NULL, NULL);
      stage->lanes = lanes;
      stage->batch_rows = rows;
      ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_OK);
      ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);
      int32_t items = once->view.offsets[4];
      ck_assert_mem_eq(stage->made->view.offsets, once->view.offsets, 5 * sizeof(int32_t));
      ck_assert_mem_eq(stage->made->view.index, once->view.index, (size_t)items * sizeof(uint32_t));
      ck_assert_mem_eq(stage->made->view.data, once->view.data, (size_t)items * sizeof(float));
    }
  adl_array_unref(once);
}
END_TEST

START_TEST(rows_that_were_not_fitted) {
  run("lowercase", "false", NULL, NULL);
  ck_assert_uint_eq(stage->names->len, 11);
  bare_table other = {0};
  bare_add(&other, "text", "string", "nothing known here", "", bare_null, "first ... unknown", "FIRST", NULL);
  ck_assert_int_eq(bare_stage_process(stage, &other), ADL_OK);
  ck_assert_int_eq(stage->made->view.null_count, 0);
  for (int row = 0; row < 5; row++) ck_assert_str_eq(bare_row(stage, row), row == 3 ? "4:1" : "");
  ck_assert_uint_eq(g_hash_table_size(stage->rejected), 0);
  bare_table_clear(&other);
}
END_TEST

/* Null is no document, the empty text is one: idf(a) = ln(4 / 3) + 1. */
START_TEST(what_counts_as_a_document) {
  bare_add(&table, "odd", "string", "a", bare_null, "", "a A.", NULL);
  run("norm", "none", NULL, NULL);
  ck_assert_double_eq_tol(bare_value(stage, 0, "a"), 1.28768207, 1e-6);
  ck_assert_double_eq_tol(bare_value(stage, 3, "a"), 2 * 1.28768207, 1e-6);
  ck_assert_str_eq(bare_row(stage, 1), "");
  ck_assert_str_eq(bare_row(stage, 2), "");
}
END_TEST

START_TEST(stop_words_leave_before_pairs_are_made) {
  char *path = g_build_filename(g_get_tmp_dir(), "adloom-stop-XXXXXX", NULL);
  close(g_mkstemp(path));
  ck_assert(g_file_set_contents(path, "is THE\n", -1, NULL));
  run("stop_words", path, "ngram", "[2, 2]");
  remove(path);
  ck_assert_double_gt(bare_value(stage, 0, "this first"), 0.5);
  for (guint i = 0; i < stage->names->len; i++) ck_assert_ptr_null(strstr(stage->names->pdata[i], "the "));
  g_free(path);
}
END_TEST

START_TEST(ready_made_words) {
  bare_add(&table, "basket", "bag", "Milk:2 tea:1 Milk:3", "tea:4 sugar:0", bare_null, "", NULL);
  run("norm", "none", "idf", "false");
  ck_assert_uint_eq(stage->names->len, 2);
  ck_assert_double_eq(bare_value(stage, 0, "Milk"), 5);
  ck_assert_double_eq(bare_value(stage, 0, "tea"), 1);
  ck_assert_double_eq(bare_value(stage, 1, "tea"), 4);
  ck_assert_str_eq(bare_row(stage, 2), "");
  bare_add(&table, "tags", "list", "New York's", "x-ray New x-ray", bare_null, "", NULL);
  run("norm", "none", "idf", "false");
  ck_assert_uint_eq(stage->names->len, 3);
  ck_assert_double_eq(bare_value(stage, 1, "x-ray"), 2);
  ck_assert_double_eq(bare_value(stage, 0, "York's"), 1);
}
END_TEST

/* The counts of a bag are its weights, whichever way they come. */
START_TEST(a_bag_is_a_text_of_counts) {
  run("ngram", "[1, 1]", NULL, NULL);
  adl_array *text = adl_array_ref(stage->made);
  bare_add(&table, "bag", "bag", "this:1 is:1 the:1 first:1 document:1", "document:2 this:1 is:1 the:1 second:1",
           "and:1 this:1 is:1 the:1 third:1 one:1", "is:1 this:1 the:1 first:1 document:1", NULL);
  run("ngram", "[1, 1]", NULL, NULL);
  ck_assert_mem_eq(stage->made->view.index, text->view.index, (size_t)text->view.offsets[4] * sizeof(uint32_t));
  ck_assert_mem_eq(stage->made->view.data, text->view.data, (size_t)text->view.offsets[4] * sizeof(float));
  adl_array_unref(text);
}
END_TEST

START_TEST(bad_weights_are_rejected) {
  bare_add(&table, "basket", "bag", "milk:2", "tea:-1 milk:1", "tea:nan", "tea:inf", NULL);
  run("norm", "none", NULL, NULL);
  ck_assert_ptr_null(bare_rejected(stage, 0));
  ck_assert_str_eq(bare_rejected(stage, 1), "basket: a word has the weight -1; needed: 0 or more");
  ck_assert_ptr_nonnull(bare_rejected(stage, 2));
  ck_assert_ptr_nonnull(bare_rejected(stage, 3));
  ck_assert_uint_eq(stage->names->len, 1);
  ck_assert_double_eq_tol(bare_value(stage, 0, "milk"), 2, 1e-6);
}
END_TEST

static void assert_fit_fails(const char *message) {
  ck_assert_str_eq(stage->failed->str, "");
  ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, message);
}

START_TEST(nothing_to_learn_from) {
  bare_add(&table, "empty", "string", bare_null, bare_null, bare_null, bare_null, NULL);
  bind_stage("as", "words", NULL, NULL);
  assert_fit_fails("text: no training row has a document: there is no row, or empty is null in all\n");
  bare_table_clear(&table);
  bare_add(&table, "text", "string", NULL);
  bind_stage("as", "words", NULL, NULL);
  assert_fit_fails("text: no training row has a document: there is no row, or text is null in all\n");
  bare_table_clear(&table);
  bare_add(&table, "text", "string", "...", "", "?", "!", NULL);
  bind_stage("as", "words", NULL, NULL);
  assert_fit_fails("text: no word is left of the 0 in 4 documents\n");
}
END_TEST

START_TEST(limits_that_leave_nothing) {
  bind_stage("min_df", "5", NULL, NULL);
  assert_fit_fails("max_df: of 4 documents, min_df asks for at least 5 and max_df for at most 4\n");
  bind_stage("min_df", "3.5", "max_df", "3.9");
  assert_fit_fails("text: no word is left of the 9 in 4 documents\n");
}
END_TEST

START_TEST(refused_at_bind) {
  bind_stage("ngram", "[2, 1]", NULL, NULL);
  ck_assert_str_eq(stage->failed->str, "ngram: ngram is two numbers, the first not above the second\n");
  bind_stage("ngram", "2", NULL, NULL);
  ck_assert_str_eq(stage->failed->str, "ngram: ngram is two numbers, the first not above the second\n");
  bind_stage("stop_words", "/nonexistent/words", NULL, NULL);
  ck_assert_ptr_nonnull(strstr(stage->failed->str, "stop_words: cannot open /nonexistent/words"));
  bare_add(&table, "basket", "bag", "milk:2", NULL);
  bind_stage("ngram", "[1, 2]", NULL, NULL);
  ck_assert_str_eq(stage->failed->str, "ngram: basket holds ready-made words, which are taken as they are\n");
  bind_stage("stop_words", "words", NULL, NULL);
  ck_assert_str_eq(stage->failed->str, "stop_words: basket holds ready-made words, which are taken as they are\n");
}
END_TEST

START_TEST(damaged_models_are_refused) {
  const int64_t eight = 8;
  const char *why;
  run("as", "words", NULL, NULL);
  adl_tensors_get(stage->model_tensors, "idf", ADL_FLOAT32, 1, &eight, &why);
  ck_assert_int_eq(bare_stage_process(stage, &table), ADL_FAILED);
  ck_assert_str_eq(stage->failed->str, "stage: the model's tensor `idf` is missing or does not fit its words\n");
  g_string_truncate(stage->failed, 0);
  adl_tensors_drop(stage->model_tensors, "words");
  ck_assert_int_eq(bare_stage_process(stage, &table), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(stage->failed->str, "`words` and `words_offsets` are missing or damaged"));
}
END_TEST

/* TfidfVectorizer(analyzer="char" and "char_wb", ngram_range=...) of scikit-learn 1.2.1. */
static const struct {
  const char *analyzer, *ngram;
  guint terms;
  int items;
  double sum;
  expected values[3];
} characters[] = {
    {"char",
     "[2, 3]",
     82,
     180,
     25.90660106120859,
     {{"is", .21518834, .14690046}, {"is ", .21518834, .14690046}, {"doc", .13160313, .17968035}}},
    {"char",
     "[3, 9]",
     408,
     638,
     49.55511008938153,
     {{"is ", .11523347, .07526051}, {"doc", .07047354, .09205440}, {"ent", .07047354, .09205440}}},
    {"char_word",
     "[2, 3]",
     78,
     175,
     25.508498363061676,
     {{"is", .21402855, .14971434}, {"is ", .21402855, .14971434}, {"doc", .13089382, .18312213}}},
    {"char_word",
     "[3, 9]",
     143,
     280,
     32.31238554430454,
     {{"is ", .17468383, .11111995}, {"doc", .10683170, .13591565}, {"ent", .10683170, .13591565}}},
};

START_TEST(runs_of_characters) {
  run("analyzer", characters[_i].analyzer, "ngram", characters[_i].ngram);
  const adl_column *column = &stage->made->view;
  double sum = 0;
  for (int32_t i = 0; i < column->offsets[4]; i++) sum += (double)((const float *)column->data)[i];
  ck_assert_uint_eq(stage->names->len, characters[_i].terms);
  ck_assert_int_eq(column->offsets[4], characters[_i].items);
  ck_assert_double_eq_tol(sum, characters[_i].sum, 1e-4);
  for (int i = 0; i < 3; i++) {
    const expected *value = &characters[_i].values[i];
    ck_assert_double_eq_tol(bare_value(stage, 0, value->word), value->row0, 2e-6);
    ck_assert_double_eq_tol(bare_value(stage, 1, value->word), value->row1, 2e-6);
  }
}
END_TEST

/* Dimensions: sklearn.utils.murmurhash3_32(word, 0) & (2**20 - 1): as in scikit-learn 1.2.1. */
START_TEST(hashed_words) {
  run("mode", "hash", "idf", "false");
  const adl_column *column = &stage->made->view;
  static const uint32_t dimensions[] = {59416, 144749, 170062, 696912, 761698}; /* first is this document the */
  ck_assert_int_eq(column->offsets[1], 5);
  for (int i = 0; i < 5; i++) {
    ck_assert_uint_eq(column->index[i], dimensions[i]);
    ck_assert_float_eq_tol(((const float *)column->data)[i], .44721360f, 1e-6f);
  }
  ck_assert_uint_eq(stage->names->len, 0);
  ck_assert(*(const double *)g_hash_table_lookup(stage->reported, "dimensions") == 1048576);
  /* With idf, rows are those of the vocabulary: no two words share a dimension here. */
  static const float weights[] = {.58028582f, .38408524f, .38408524f, .46979139f, .38408524f};
  run("mode", "hash", NULL, NULL);
  column = &stage->made->view;
  for (int i = 0; i < 5; i++) ck_assert_float_eq_tol(((const float *)column->data)[i], weights[i], 1e-6f);
}
END_TEST

/* In 16 dimensions words share them: a document holds a dimension once however many of its words fall there, so that no
 * dimension is rarer than one in all documents, and counts add up to those of words. */
START_TEST(words_that_share_a_dimension) {
  for (int64_t rows = 1; rows <= 4; rows++) {
    if (stage != NULL) bare_stage_free(stage);
    adl_status status;
    stage = bare_stage_new(class_of(), &table, &status, "text", "text", "mode", "hash", "bits", "4", NULL);
    stage->batch_rows = rows;
    stage->lanes = (int)rows;
    ck_assert_int_eq(bare_stage_fit(stage, &table), ADL_OK);
    ck_assert_int_eq(bare_stage_process(stage, &table), ADL_OK);
    adl_tensor idf;
    ck_assert(adl_tensors_find(stage->model_tensors, "idf", &idf));
    ck_assert_int_eq(idf.count, 16);
    for (int64_t i = 0; i < idf.count; i++) {
      float value = ((const float *)idf.data)[i];
      bool known = false;
      for (int held = 0; held <= 4; held++) known = known || fabs(log(5.0 / (1 + held)) + 1 - (double)value) < 1e-6;
      ck_assert_msg(known, "idf %g", (double)value);
    }
  }
}
END_TEST

START_TEST(refused_with_hashing_and_characters) {
  static const char *const wrong[][5] = {
      {"mode", "hash", "max_features", "5",
       "max_features: max_features chooses among the words of a vocabulary, and `mode: hash` has none\n"},
      {"mode", "hash", "min_df", "2",
       "min_df: min_df chooses among the words of a vocabulary, and `mode: hash` has none\n"},
      {"mode", "hash", "max_df", "0.5",
       "max_df: max_df chooses among the words of a vocabulary, and `mode: hash` has none\n"},
      {"analyzer", "char", "stop_words", "x",
       "stop_words: characters are not split into words, so a list of stop words does nothing for them\n"},
      {"analyzer", "char_word", "dictionary", "x",
       "dictionary: characters are not split into words, so a dictionary does nothing for them\n"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    bind_stage(wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3]);
    ck_assert_str_eq(stage->failed->str, wrong[i][4]);
  }
  bind_stage("dictionary", "/nonexistent/words", NULL, NULL);
  ck_assert_ptr_nonnull(strstr(stage->failed->str, "dictionary: cannot open /nonexistent/words"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tfidf");
  TCase *cases = tcase_create("tfidf");
  tcase_add_checked_fixture(cases, setup, teardown);
  tcase_add_test(cases, the_usual_numbers);
  tcase_add_test(cases, sublinear);
  tcase_add_test(cases, other_norms);
  tcase_add_test(cases, counts_alone);
  tcase_add_test(cases, pairs_of_words);
  tcase_add_test(cases, rare_and_frequent_words);
  tcase_add_test(cases, lanes_and_batches_do_not_matter);
  tcase_add_test(cases, rows_that_were_not_fitted);
  tcase_add_test(cases, what_counts_as_a_document);
  tcase_add_test(cases, stop_words_leave_before_pairs_are_made);
  tcase_add_test(cases, ready_made_words);
  tcase_add_test(cases, a_bag_is_a_text_of_counts);
  tcase_add_test(cases, bad_weights_are_rejected);
  tcase_add_test(cases, nothing_to_learn_from);
  tcase_add_test(cases, limits_that_leave_nothing);
  tcase_add_test(cases, refused_at_bind);
  tcase_add_test(cases, damaged_models_are_refused);
  tcase_add_loop_test(cases, runs_of_characters, 0, (int)G_N_ELEMENTS(characters));
  tcase_add_test(cases, hashed_words);
  tcase_add_test(cases, words_that_share_a_dimension);
  tcase_add_test(cases, refused_with_hashing_and_characters);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
