/*
 * Rows on their way through the engine: none is lost, none is counted twice, and what becomes of them does not depend on
 * whether a model was fitted or loaded, how far a source was read, or how the stages are wired. Also: inputs without rows.
 */
#include <check.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))
#define ASSERT_SAYS(h, text) ck_assert_msg(strstr(adl_harness_errors(h), text) != NULL, "%s", adl_harness_errors(h))

static const char columns[] = "{user: id, x: float, y: float, z: int, text: string}";

/* Row i: x = i, y = i mod 7, z tells whether y > 3; of every 100, one label is 7, one is missing, one x is missing, one
 * record is broken. */
static char *dirty(int n) {
  GString *csv = g_string_new("user,x,y,z,text\n");
  for (int i = 0; i < n; i++) {
    const char *words[] = {"red", "green", "blue", "red shoes", "green hat"};
    if (i % 100 == 50)
      g_string_append_printf(csv, "u%d,not a number,1,1,w\n", i % 31);
    else if (i % 100 == 60)
      g_string_append_printf(csv, "u%d,,%d,%d,%s\n", i % 31, i % 7, i % 7 > 3, words[i % 5]);
    else if (i % 100 == 70)
      g_string_append_printf(csv, "u%d,%d,%d,,%s\n", i % 31, i, i % 7, words[i % 5]);
    else if (i % 100 == 80)
      g_string_append_printf(csv, "u%d,%d,%d,7,%s\n", i % 31, i, i % 7, words[i % 5]);
    else
      g_string_append_printf(csv, "u%d,%d,%d,%d,%s\n", i % 31, i, i % 7, i % 7 > 3, words[i % 5]);
  }
  return g_string_free(csv, FALSE);
}

static adl_harness *with_dirty(int n) {
  char *csv = dirty(n);
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_top(h, "max_rejects: 1\n");
  g_free(csv);
  return h;
}

static int64_t count(const char *text, const char *what) {
  int64_t found = 0;
  for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) found++;
  return found;
}

/* ---- every row once ---- */

START_TEST(rows_add_up) {
  static const char *const modes[] = {"fit", "online"};
  for (int mode = 0; mode < 2; mode++) {
    adl_harness *h = with_dirty(20000);
    char *stages = g_strdup_printf(
        "  s: {use: scale, columns: [x], as: sx}\n  l: {use: ftrl, features: [sx, y], label: z, as: p, learn: %s}\n"
        "  o: {use: write-csv, path: out.csv, columns: [x, p]}\n",
        modes[mode]);
    adl_harness_run(h, stages, "l");
    ASSERT_OK(h);
    char *rejects = adl_harness_rejects(h), *out = adl_harness_read(h, "out.csv");
    ck_assert_int_eq(count(rejects, "rows "), 200);
    ck_assert_int_eq(count(rejects, " x null"), 200);
    ck_assert_int_eq(count(rejects, "z is null") + count(rejects, "label is null"), 200);
    ck_assert_int_eq(count(rejects, "label 7"), 200);
    ck_assert_int_eq(adl_harness_rejected(h), 800);
    ck_assert_int_eq(adl_harness_rows(h), 20000 - 800);
    ck_assert_int_eq(count(out, "\n"), 1 + 20000 - 800);
    char *manifest = adl_harness_read(h, "manifest.json");
    ck_assert_msg(strstr(manifest, "\"rows_read\" : 20000,") != NULL, "%s", manifest);
    ck_assert(strstr(manifest, "\"rows_rejected\" : 800,") != NULL);
    g_free(manifest);
    g_free(out);
    free(rejects);
    g_free(stages);
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(held_out_rows_need_no_label) {
  adl_harness *h = with_dirty(20000);
  adl_harness_source(h, "holdout: {where: \"x >= 10000 or x is null\"}");
  adl_harness_run(h, "  l: {use: ftrl, features: [y], label: z, as: p}\n", "l");
  ASSERT_OK(h);
  char *rejects = adl_harness_rejects(h);
  ck_assert_int_eq(count(rejects, "is null"), 100);
  ck_assert_int_eq(count(rejects, "label 7"), 100);
  ck_assert_int_eq(adl_harness_rows(h), 20000 - 200 - 200);
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(a_loaded_model_changes_nothing) {
  adl_harness *h = with_dirty(20000);
  adl_harness_store(h, true);
  const char *stages = "  s: {use: scale, columns: [x], as: sx}\n"
                       "  c: {use: kmeans, features: [sx, y], clusters: 4, max_iter: 5, as: c}\n"
                       "  w: {use: tfidf, text: text, as: w}\n"
                       "  l: {use: ftrl, features: [sx, y, w], label: z, as: p}\n"
                       "  g: {use: sgd, features: [sx, y], label: z, as: q, epochs: 2}\n"
                       "  m: {use: metrics, label: z, score: p}\n"
                       "  o: {use: write-csv, from: g, path: out.csv, columns: [x, c, p, q]}\n";
  char *first = NULL, *rejects = NULL;
  for (int i = 0; i < 3; i++) {
    adl_harness_run(h, stages, NULL);
    ASSERT_OK(h);
    char *digest = adl_harness_digest(h), *refused = adl_harness_rejects(h);
    if (first == NULL) first = g_strdup(digest), rejects = g_strdup(refused);
    ck_assert_str_eq(rejects, refused);
    ck_assert_str_eq(first, digest);
    free(digest);
    free(refused);
  }
  g_free(first);
  g_free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(a_limit_does_not_depend_on_threads) {
  static const int threads[] = {1, 2, 3, 8};
  char *first = NULL;
  adl_harness *h = with_dirty(60000);
  for (int t = 0; t < 4; t++) {
    adl_harness_threads(h, threads[t]);
    adl_harness_limit(h, 10010);
    adl_harness_run(
        h, "  l: {use: ftrl, features: [y], label: z, as: p, learn: online}\n  o: {use: write-csv, path: out.csv}\n",
        "l");
    ASSERT_OK(h);
    char *rejects = adl_harness_rejects(h), *manifest = adl_harness_read(h, "manifest.json"),
         *digest = adl_harness_digest(h);
    /* 10010 good records, 102 broken ones among them: the next broken one stands behind the last row that is taken. */
    ck_assert_int_eq(count(rejects, "rows "), 101);
    ck_assert_msg(strstr(manifest, "\"rows_read\" : 10111,") != NULL, "%s", manifest);
    if (first == NULL) first = g_strdup(digest);
    ck_assert_str_eq(first, digest);
    free(rejects);
    free(digest);
    g_free(manifest);
  }
  adl_harness_free(h);
  g_free(first);
}
END_TEST

/* ---- wiring ---- */

START_TEST(concatenated_rows_stand_one_after_the_other) {
  adl_harness *h = with_dirty(9000);
  adl_harness_run(h,
                  "  good: {use: filter, where: \"x >= 0\"}\n"
                  "  a: {use: filter, from: good, where: \"x >= 4000\"}\n"
                  "  b: {use: filter, from: good, where: \"x < 4000\"}\n"
                  "  ab: {use: derive, from: [a, b, a], columns: {twice: x * 2}}\n",
                  "ab");
  ASSERT_OK(h);
  adl_harness *one = with_dirty(9000);
  adl_harness_run(one, "  good: {use: filter, where: \"x >= 0\"}\n", "good");
  ASSERT_OK(one);
  int64_t n = adl_harness_rows(one), below = 0;
  while (adl_harness_number(one, "x", below) < 4000) below++;
  ck_assert_int_eq(adl_harness_rows(h), n + (n - below));
  for (int64_t i = 0; i < n; i++) {
    double x = adl_harness_number(h, "x", i);
    ck_assert(x == adl_harness_number(one, "x", i < n - below ? below + i : i - (n - below)));
    ck_assert(adl_harness_number(h, "twice", i) == 2 * x);
    if (i < n - below) ck_assert(adl_harness_number(h, "x", n + i) == x);
  }
  adl_harness_free(one);
  adl_harness_free(h);
}
END_TEST

/* Of some batches few rows are left and of those behind them many: what is kept has frames of both kinds. */
START_TEST(kept_rows_stay_in_order) {
  adl_harness *h = with_dirty(60000);
  adl_harness_run(h,
                  "  some: {use: filter, where: \"x >= 0 and (x % 8000 < 100 or x % 8000 > 5000)\"}\n"
                  "  none: {use: filter, from: some, where: \"x < 0\"}\n"
                  "  all: {use: derive, from: [some, none], columns: {twice: x * 2}}\n",
                  "all");
  ASSERT_OK(h);
  ck_assert_int_gt(adl_harness_rows(h), 20000);
  for (int64_t i = 1; i < adl_harness_rows(h); i++)
    ck_assert(adl_harness_number(h, "x", i - 1) < adl_harness_number(h, "x", i));
  adl_harness_free(h);
}
END_TEST

START_TEST(concatenated_vectors_must_be_of_one_width) {
  adl_harness *h = with_dirty(9000);
  adl_harness_run(h,
                  "  a: {use: filter, where: \"y < 3\"}\n"
                  "  ao: {use: onehot, columns: [y_], as: o, dense: true}\n"
                  "  b: {use: filter, from: rows, where: \"y < 5\"}\n"
                  "  bo: {use: onehot, columns: [y_], as: o, dense: true}\n"
                  "  ab: {use: kmeans, from: [ao, bo], features: [o], clusters: 2}\n",
                  "ab");
  ck_assert(!adl_harness_ok(h)); /* no column is called y_ */
  adl_harness_run(h,
                  "  n: {use: derive, columns: {k: string(y)}}\n"
                  "  a: {use: filter, where: \"y < 3\"}\n"
                  "  ao: {use: onehot, columns: [k], as: o, dense: true}\n"
                  "  b: {use: filter, from: n, where: \"y < 5\"}\n"
                  "  bo: {use: onehot, columns: [k], as: o, dense: true}\n"
                  "  ab: {use: kmeans, from: [ao, bo], features: [o], clusters: 2}\n",
                  "ab");
  ck_assert(!adl_harness_ok(h));
  ASSERT_SAYS(h, "ab: the column `o` is 3 wide in `ao` and 5 in `bo`");
  adl_harness_free(h);
}
END_TEST

START_TEST(a_side_may_come_from_the_same_rows) {
  for (int memory = 0; memory < 2; memory++) {
    adl_harness *h = with_dirty(20000);
    adl_harness_memory(h, memory == 0 ? 1 : INT64_C(1) << 30);
    adl_harness_source(h, "holdout: {fraction: 0.2, by: user}");
    adl_harness_run(h,
                    "  users: {use: group, by: user, columns: {n: count(), mean_y: mean(y)}}\n"
                    "  j: {use: join, from: rows, with: users, on: user, matched: known}\n"
                    "  again: {use: join, with: rows, on: user, many: first, prefix: first_}\n"
                    "  s: {use: sort, by: [user, x], descending: x}\n",
                    "s");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), 20000 - 200);
    int64_t held = 0;
    for (int64_t i = 0; i < adl_harness_rows(h); i++) {
      bool test = adl_harness_split(h, i) == ADL_TEST;
      held += test;
      ck_assert(test == adl_harness_null(h, "n", i)); /* held-out users have no training rows */
      ck_assert(adl_harness_number(h, "known", i) == !test);
      ck_assert(!adl_harness_null(h, "first_x", i));
    }
    ck_assert_int_gt(held, 500);
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(one_source_feeds_many) {
  adl_harness *h = with_dirty(12000);
  adl_harness_run(h,
                  "  a: {use: write-csv, path: a.csv}\n"
                  "  s: {use: sort, from: rows, by: y}\n"
                  "  b: {use: write-csv, path: b.csv}\n"
                  "  g: {use: group, from: rows, by: user, columns: {n: count()}}\n"
                  "  c: {use: write-csv, path: c.csv}\n"
                  "  k: {use: kmeans, from: s, features: [y], clusters: 2}\n" /* whose rows nobody reads */
                  "  d: {use: write-jsonl, from: g, path: d.jsonl}\n",
                  NULL);
  ASSERT_OK(h);
  static const char *const names[] = {"a.csv", "b.csv", "c.csv", "d.jsonl"};
  static const int64_t lines[] = {12000 - 120 + 1, 12000 - 120 + 1, 31 + 1, 31};
  for (int i = 0; i < 4; i++) {
    char *text = adl_harness_read(h, names[i]);
    ck_assert_int_eq(count(text, "\n"), lines[i]);
    g_free(text);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(what_is_not_a_number_is_never_the_newest) {
  GString *csv = g_string_new("x\n");
  for (int i = 0; i < 1000; i++) g_string_append_printf(csv, i % 3 == 0 ? "nan\n" : "%d\n", i);
  adl_harness *h = adl_harness_new(csv->str, "{x: float}");
  adl_harness_source(h, "holdout: {newest: 0.25, by: x}");
  adl_harness_run(h, "  d: {use: derive, columns: {y: 1}}\n", "d");
  ASSERT_OK(h);
  int64_t held = 0;
  for (int i = 0; i < 1000; i++) {
    held += adl_harness_split(h, i) == ADL_TEST;
    ck_assert(i % 3 != 0 || adl_harness_split(h, i) == ADL_TRAIN);
    ck_assert(i < 760 || i % 3 == 0 || adl_harness_split(h, i) == ADL_TEST);
  }
  ck_assert_int_ge(held, 160);
  ck_assert_int_le(held, 170);
  adl_harness_free(h);
  g_string_free(csv, TRUE);
}
END_TEST

START_TEST(two_sinks_cannot_share_a_file) {
  adl_harness *h = with_dirty(100);
  adl_harness_run(h, "  a: {use: write-csv, path: out.csv}\n  b: {use: write-jsonl, from: rows, path: ./out.csv}\n",
                  NULL);
  ck_assert(!adl_harness_ok(h));
  ASSERT_SAYS(h, "b.path: './out.csv' cannot be written: a writes to this file as well");
  adl_harness_free(h);
}
END_TEST

START_TEST(standard_input_is_read_once) {
  adl_harness *h = with_dirty(100);
  adl_harness_run(h,
                  "  a: {use: read-csv, path: \"-\", columns: {x: int}}\n"
                  "  b: {use: read-csv, path: \"-\", columns: {x: int}}\n"
                  "  both: {use: select, from: [a, b], columns: [x]}\n",
                  "both");
  ck_assert(!adl_harness_ok(h));
  ASSERT_SAYS(h, "b.path: standard input can be read once");
  ASSERT_SAYS(h, "the stage `a` reads it");
  adl_harness_free(h);
}
END_TEST

/* ---- no rows ---- */

/* What each class does when no row reaches it; NULL: it succeeds. */
static const struct {
  const char *stage, *says;
} classes[] = {
    {"{use: dedupe}", NULL},
    {"{use: filter, where: \"x > 0\"}", NULL},
    {"{use: derive, columns: {xx: x * 2}}", NULL},
    {"{use: select, columns: [x]}", NULL},
    {"{use: sort, by: x}", NULL},
    {"{use: group, by: user, columns: {n: count(), m: mean(y), l: \"last(x, y)\", b: bag(text), d: distinct(text)}}",
     NULL},
    {"{use: join, with: rows, on: user, prefix: r_, many: first}", NULL},
    {"{use: hash, columns: [user], bits: 10, as: h}", NULL},
    {"{use: ftrl, features: [x], label: z, learn: online}", NULL},
    {"{use: sgd, features: [x], label: z, learn: online}", NULL},
    {"{use: scale, columns: [x]}", "has no value in any training row"},
    {"{use: onehot, columns: [user]}", "has no value in any training row"},
    {"{use: tfidf, text: text}", "no training row has a document"},
    {"{use: kmeans, features: [x]}", "no training rows"},
    {"{use: gmm, features: [x]}", "no training rows"},
    {"{use: ftrl, features: [x], label: z}", "there are no training rows"},
    {"{use: sgd, features: [x], label: z}", "there are no training rows"},
    {"{use: metrics, label: z, score: x}", NULL},
};

static void each_class(const char *csv, const char *source, int64_t rejected, bool rows_stay) {
  for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
    adl_harness *h = adl_harness_new(csv, columns);
    adl_harness_top(h, "max_rejects: 1\n");
    adl_harness_source(h, source);
    bool ends = strstr(classes[i].stage, "metrics") != NULL;
    char *stages =
        g_strdup_printf("  s: %s\n%s", classes[i].stage, ends ? "" : "  o: {use: write-csv, path: out.csv}\n");
    adl_harness_run(h, stages, NULL);
    if (classes[i].says == NULL) {
      ASSERT_OK(h);
      bool keeps = rows_stay && strstr(stages, "group") == NULL;
      char *out = ends ? NULL : adl_harness_read(h, "out.csv");
      ck_assert_msg(ends || (out != NULL && count(out, "\n") == (keeps ? 4 : 1)), "%s%s", stages, out);
      g_free(out);
    } else {
      ck_assert_msg(!adl_harness_ok(h), "%s", classes[i].stage);
      ASSERT_SAYS(h, classes[i].says);
      ck_assert_ptr_null(adl_harness_read(h, "out.csv"));
    }
    ck_assert_int_eq(adl_harness_rejected(h), rejected);
    g_free(stages);
    adl_harness_free(h);
  }
}

START_TEST(no_rows) { each_class("user,x,y,z,text\n", "", 0, false); }
END_TEST

START_TEST(rejects_only) { each_class("user,x,y,z,text\nu,a,1,1,w\nu,1\nu,1,1,1,w,more\n", "", 3, false); }
END_TEST

START_TEST(everything_held_out) {
  each_class("user,x,y,z,text\nu1,1,2,0,hello world\nu2,2,3,1,good day\nu1,3,2,1,hello sun\n",
             "holdout: {where: \"x > 0\"}", 0, true);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("engine: rows");
  TCase *t = tcase_create("rows");
  tcase_set_timeout(t, 240);
  tcase_add_test(t, rows_add_up);
  tcase_add_test(t, held_out_rows_need_no_label);
  tcase_add_test(t, a_loaded_model_changes_nothing);
  tcase_add_test(t, a_limit_does_not_depend_on_threads);
  tcase_add_test(t, concatenated_rows_stand_one_after_the_other);
  tcase_add_test(t, kept_rows_stay_in_order);
  tcase_add_test(t, concatenated_vectors_must_be_of_one_width);
  tcase_add_test(t, a_side_may_come_from_the_same_rows);
  tcase_add_test(t, one_source_feeds_many);
  tcase_add_test(t, what_is_not_a_number_is_never_the_newest);
  tcase_add_test(t, two_sinks_cannot_share_a_file);
  tcase_add_test(t, standard_input_is_read_once);
  tcase_add_test(t, no_rows);
  tcase_add_test(t, rejects_only);
  tcase_add_test(t, everything_held_out);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
