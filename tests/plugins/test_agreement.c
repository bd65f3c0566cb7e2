/* agreement: known answers (of scikit-learn 1.9.1), names that do not matter, kinds, threads, odd input. */
#include "tests/plugins/reported.h"
#include "tests/plugins/transform.h"

#define AGREEMENT "  m: {use: agreement, truth: t, cluster: c"

static const char columns[] = "{t: string, c: int}";

static void check(const char *csv, const char *types, double rand, double nmi, double purity) {
  adl_harness *h = adl_harness_new(csv, types);
  adl_harness_run(h, AGREEMENT "}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "adjusted_rand", rand, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "nmi", nmi, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "purity", purity, NAN, NAN, 1e-12);
  reported_free(&r);
  adl_harness_free(h);
}

START_TEST(known_answers) {
  check("t,c\na,0\na,0\nb,1\nc,1\n", columns, 4. / 7, .8, .75);
  check("t,c\na,0\na,0\nb,1\nb,2\n", columns, 4. / 7, .8, 1);
  check("t,c\na,1\na,1\nb,0\nb,0\n", columns, 1, 1, 1);
  check("t,c\na,0\na,1\na,2\na,3\n", columns, 0, 0, 1);
  check("t,c\na,0\na,1\nb,0\nb,1\n", columns, -.5, 0, .5);
  check("t,c\na,7\na,7\na,7\n", columns, 1, 1, 1);
  check("t,c\na,5\nb,6\nc,7\n", columns, 1, 1, 1);
  /* Categories of other types: numbers, truth values. */
  check("t,c\n-1,true\n-1,true\n9000000000000000000,false\n9000000000000000001,false\n", "{t: int, c: bool}", 4. / 7,
        .8, .75);
}
END_TEST

enum { ROWS = 20000 };

static char *many(bool held) {
  GString *csv = g_string_new(held ? "t,c,held\n" : "t,c\n");
  for (uint64_t i = 0; i < ROWS; i++) {
    int t = (int)(adl_random(1, i) % 7);
    int c = adl_random(2, i) % 10 < 6 ? t * 3 % 5 : (int)(adl_random(3, i) % 9);
    g_string_append_printf(csv, "category %d,%d", t, c);
    if (held) g_string_append_printf(csv, ",0\n%s,%d,1", c == 3 ? "x" : "y", c == 3); /* held out: the same partition */
    g_string_append_c(csv, '\n');
  }
  return g_string_free(csv, FALSE);
}

static void check_many(const reported *r) {
  reported_check(r, "m", "in-sample", "rows", ROWS, NAN, NAN, 0);
  reported_check(r, "m", "in-sample", "categories", 7, NAN, NAN, 0);
  reported_check(r, "m", "in-sample", "clusters", 9, NAN, NAN, 0);
  reported_check(r, "m", "in-sample", "adjusted_rand", .3209686153276615, NAN, NAN, 1e-12);
  reported_check(r, "m", "in-sample", "nmi", .3179995833923185, NAN, NAN, 1e-12);
  reported_check(r, "m", "in-sample", "purity", .493, NAN, NAN, 1e-12);
}

START_TEST(many_rows_on_any_number_of_threads) {
  char *csv = many(false), *first = NULL;
  adl_harness *h = adl_harness_new(csv, columns);
  for (int threads = 1; threads <= 4; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_run(h, AGREEMENT ", shown: 3}\n", NULL);
    ASSERT_OK(h);
    reported r = reported_read(h);
    check_many(&r);
    reported_free(&r);
    adl_harness_same_bytes(h, &first);
  }
  g_free(first);
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(kinds_are_never_mixed) {
  char *csv = many(true);
  adl_harness *h = adl_harness_new(csv, "{t: string, c: int, held: int}");
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  adl_harness_run(h, AGREEMENT "}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  check_many(&r);
  reported_check(&r, "m", "held-out", "adjusted_rand", 1, NAN, NAN, 1e-12);
  reported_check(&r, "m", "held-out", "nmi", 1, NAN, NAN, 1e-12);
  reported_check(&r, "m", "held-out", "rows", ROWS, NAN, NAN, 0);
  reported_free(&r);
  free(csv);
  adl_harness_free(h);
}
END_TEST

START_TEST(table_of_the_largest) {
  adl_harness *h = adl_harness_new("t,c\nb,2\nb,2\nb,1\na,2\na,2\nc,3\na,2\nb,1\nd,4\n", columns);
  adl_harness_run(h, AGREEMENT ", shown: 2}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  char *table = reported_table(&r, "m", "counts (in-sample)");
  ck_assert_str_eq(table, "cluster|b|a|(others)|(all)|\n2|2|3|0|5|\n1|2|0|0|2|\n(others)|0|0|2|2|\n");
  g_free(table);
  reported_free(&r);
  adl_harness_run(h, AGREEMENT ", shown: 4}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  table = reported_table(&r, "m", "counts (in-sample)");
  ck_assert_str_eq(table, "cluster|b|a|c|d|(all)|\n2|2|3|0|0|5|\n1|2|0|0|0|2|\n3|0|0|1|0|1|\n4|0|0|0|1|1|\n");
  g_free(table);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

/* scikit-learn's accuracy_score, f1_score (macro, over the categories of the truth) and precision_recall_fscore_support;
 * Wilson's interval by hand. */
START_TEST(predictions) {
  adl_harness *h = adl_harness_new("t,c\na,a\na,a\na,b\nb,b\nb,b\nb,c\nc,a\nd,b\nb,b\nb,x\n", "{t: string, c: string}");
  adl_harness_run(h, AGREEMENT ", accuracy: true, shown: 3}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "accuracy", .5, .236593090512564, .763406909487436, 1e-12);
  reported_check(&r, "m", "in-sample", "macro_f1", (4. / 6 + 6. / 10 + 0 + 0) / 4, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "purity", .7, NAN, NAN, 1e-12);
  char *table = reported_table(&r, "m", "categories (in-sample)");
  ck_assert_str_eq(table,
                   "category|rows|predicted|right|precision|recall|\nb|5|5|3|0.6|0.6|\na|3|3|2|0.666667|0.666667|\n"
                   "c|1|1|0|0|0|\n");
  g_free(table);
  reported_free(&r);
  /* Not asked for, not there; and a whole number is the text that it is written as. */
  adl_harness_run(h, AGREEMENT "}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  ck_assert_ptr_null(reported_item(&r, "m", "in-sample", "accuracy"));
  reported_free(&r);
  adl_harness_free(h);
  h = adl_harness_new("t,c\n1,1\n2,2\n3,4\n", "{t: int, c: string}");
  adl_harness_run(h, AGREEMENT ", accuracy: true}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  ck_assert_double_eq_tol(reported_member(&r, "m", "in-sample", "accuracy", "value"), 2. / 3, 1e-12);
  table = reported_table(&r, "m", "categories (in-sample)");
  ck_assert_ptr_nonnull(strstr(table, "\n3|1|0|0|undefined|0|\n"));
  g_free(table);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

/* Texts are told apart from each other however they are put side by side. */
START_TEST(texts_do_not_run_together) {
  adl_harness *h = adl_harness_new("t,c\nab,c\na,bc\nabc,a\n", "{t: string, c: string}");
  adl_harness_run(h, AGREEMENT "}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "categories", 3, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "clusters", 3, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "adjusted_rand", 1, NAN, NAN, 0);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

START_TEST(odd_input) {
  adl_harness *h = adl_harness_new("t,c\na,1\n,2\nb,\n", columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, AGREEMENT "}\n", NULL);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 2);
  reported r = reported_read(h);
  reported_check_text(&r, "m", "adjusted_rand (in-sample)", "undefined: one row makes no pair");
  reported_check(&r, "m", "in-sample", "purity", 1, NAN, NAN, 0);
  reported_free(&r);
  adl_harness_free(h);
  h = adl_harness_new("t,c\n", columns);
  adl_harness_run(h, AGREEMENT "}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  reported_check_text(&r, "m", "rows", "undefined: no rows reached this stage");
  reported_free(&r);
  adl_harness_free(h);
  assert_refused("t,c\na,1\n", "{t: string, c: float}", AGREEMENT "}\n", "cluster");
  assert_refused("t,c\na,1\n", columns, AGREEMENT ", shown: 0}\n", "shown");
}
END_TEST

int main(void) {
  Suite *s = suite_create("plugins: agreement");
  TCase *t = tcase_create("agreement");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, known_answers);
  tcase_add_test(t, many_rows_on_any_number_of_threads);
  tcase_add_test(t, kinds_are_never_mixed);
  tcase_add_test(t, table_of_the_largest);
  tcase_add_test(t, predictions);
  tcase_add_test(t, texts_do_not_run_together);
  tcase_add_test(t, odd_input);
  suite_add_tcase(s, t);
  return run_suite(s);
}
