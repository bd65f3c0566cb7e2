/* Stages in processes of their own publish, byte for byte, what they publish in the process of the run: for classes that
 * only process, fit in one pass and in many, learn online, pick rows, make tables, look into another stage, measure; for
 * plugins that strangers would write; for any number of threads. What failed says the same. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

static const struct {
  const char *stages; /* @: where `isolate` is written */
  const char *tap;
} pipelines[] = {
    {"  h: {use: hash, columns: [user, ad], bits: 10, as: hashed@}\n", "h"},
    {"  s: {use: scale, columns: [price, age], as: scaled@}\n", "s"},
    {"  s: {use: scale, columns: [price], as: scaled, method: quantile@}\n", "s"},
    {"  o: {use: onehot, columns: [ad], as: hot@}\n  b: {use: sgd, features: [hot, price], label: click, as: p@}\n",
     "b"},
    {"  s: {use: scale, columns: [price], as: scaled@}\n"
     "  k: {use: kmeans, features: [scaled], clusters: 4, as: cluster@}\n",
     "k"},
    {"  h: {use: hash, columns: [user, ad], bits: 10, as: hashed}\n"
     "  f: {use: ftrl, features: [hashed], label: click, as: p, learn: online@}\n"
     "  m: {use: metrics, label: click, score: p, from: f@}\n",
     "f"},
    {"  h: {use: hash, columns: [user, ad], bits: 10, as: hashed}\n"
     "  f: {use: ftrl, features: [hashed], label: click, as: p, epochs: 2@}\n",
     "f"},
    {"  g: {use: group, by: user, columns: {n: count(), spent: sum(price)}@}\n", "g"},
    {"  g: {use: group, by: user, columns: {n: count(), spent: sum(price)}}\n"
     "  j: {use: join, from: rows, with: g, on: user@}\n",
     "j"},
    {"  d: {use: dedupe, by: [user, ad]@}\n", "d"},
    {"  o: {use: sort, by: [price, user]@}\n", "o"},
    {"  w: {use: filter, where: price > 3@}\n", "w"},
    {"  x: {use: test.explode, x: price@}\n  m: {use: test.mean, x: value@}\n", "m"},
    {"  t: {use: test.top, by: click, score: price, size: n@}\n", "t"},
    {"  t: {use: test.bandit, by: click, score: price, size: n, learn: online@}\n", "t"},
    {"  t: {use: test.sized, by: click, score: price, size: n@}\n", "t"},
    {"  t: {use: test.sizes, by: click, score: price, size: n@}\n", NULL},
    {"  c: {use: sketch.choose, request: user, score: price, candidates: n@}\n", "c"},
    {"  o: {use: sketch.online, features: [price], label: click, learn: online@}\n", "o"},
    {"  o: {use: sketch.online, features: [price], label: click@}\n", "o"},
    {"  k: {use: sketch.kmeans, features: [price], clusters: 3@}\n", "k"},
};

static char *rows_text(int n) {
  GRand *rand = g_rand_new_with_seed(7);
  GString *csv = g_string_new("user,ad,price,age,click\n");
  for (int i = 0; i < n; i++) {
    g_string_append_printf(csv, "u%d,ad%d,%.3f,", g_rand_int_range(rand, 0, 200), g_rand_int_range(rand, 0, 40),
                           g_rand_double(rand) * 10);
    if (i % 97 != 0) g_string_append_printf(csv, "%d", g_rand_int_range(rand, 0, 80));
    g_string_append_printf(csv, ",%d\n", g_rand_double(rand) < 0.2);
  }
  g_rand_free(rand);
  return g_string_free(csv, FALSE);
}

static adl_harness *new_harness(int rows) {
  char *csv = rows_text(rows);
  const char *build = g_getenv("ADLOOM_BUILD");
  ck_assert_msg(build != NULL, "ADLOOM_BUILD is not set; run this by make check");
  char *top = g_strdup_printf("seed: 3\nmax_rejects: 1\nplugins: [%s/tests/engine/.libs/odd.so, "
                              "%s/tests/sketches/.libs/bandit.so, %s/tests/sketches/.libs/online.so, "
                              "%s/tests/sketches/.libs/kmeans.so]\n",
                              build, build, build, build);
  adl_harness *h = adl_harness_new(csv, "{user: id, ad: id, price: float, age: float, click: int}");
  adl_harness_source(h, "holdout: {fraction: 0.2}");
  adl_harness_top(h, top);
  g_free(top);
  free(csv);
  return h;
}

/* Digest of what the run published, with all columns that left the tapped stage. */
static char *outcome_of(adl_harness *h, const char *stages, const char *isolate, int threads, const char *tap) {
  char **parts = g_strsplit(stages, "@", -1), *some = g_strjoinv(isolate, parts);
  char *sink = tap != NULL ? g_strdup_printf("  out: {use: write-jsonl, from: %s, path: out.jsonl}\n", tap) : NULL;
  char *text = g_strconcat(some, sink, NULL);
  adl_harness_threads(h, threads);
  adl_harness_run(h, text, tap);
  ck_assert_msg(adl_harness_ok(h), "%s\n%s", text, adl_harness_errors(h));
  char *digest = adl_harness_digest(h);
  g_strfreev(parts);
  g_free(some);
  g_free(sink);
  g_free(text);
  return digest;
}

START_TEST(the_same_bytes_in_a_process_of_its_own) {
  adl_harness *h = new_harness(9000);
  const char *stages = pipelines[_i].stages, *tap = pipelines[_i].tap;
  char *plain = outcome_of(h, stages, "", 2, tap);
  for (int threads = 1; threads <= 3; threads += 2) {
    char *isolated = outcome_of(h, stages, ", isolate: true", threads, tap);
    ck_assert_str_eq(isolated, plain);
    g_free(isolated);
  }
  char *again =
      outcome_of(h, stages, strstr(stages, "dedupe") || strstr(stages, "explode") ? "" : ", isolate: restart", 2, tap);
  ck_assert_str_eq(again, plain);
  g_free(again);
  g_free(plain);
  adl_harness_free(h);
}
END_TEST

/* What a learner has learned there comes into the model store, too. */
START_TEST(a_later_run_finds_the_model) {
  static const char stages[] = "  o: {use: sketch.online, features: [price], label: click@}\n";
  adl_harness *h = new_harness(9000);
  char *plain = outcome_of(h, stages, "", 2, "o");
  for (int restart = 0; restart < 2; restart++) {
    adl_harness_store(h, true);
    for (int run = 0; run < 2; run++) {
      char *isolated = outcome_of(h, stages, restart ? ", isolate: restart" : ", isolate: true", 2, "o");
      char *manifest = adl_harness_read(h, "manifest.json");
      ck_assert_str_eq(isolated, plain);
      if (run == 1) ck_assert(strstr(manifest, "\"fitted_in_this_run\" : false") != NULL);
      g_free(manifest);
      g_free(isolated);
    }
  }
  g_free(plain);
  adl_harness_free(h);
}
END_TEST

START_TEST(no_rows_at_all) {
  adl_harness *h = new_harness(0);
  static const char stages[] = "  g: {use: group, by: user, columns: {n: count(), spent: sum(price)}@}\n"
                               "  h: {use: hash, columns: [user, n], bits: 10, as: hashed@}\n";
  char *plain = outcome_of(h, stages, "", 2, "h"), *isolated = outcome_of(h, stages, ", isolate: true", 2, "h");
  ck_assert_str_eq(isolated, plain);
  g_free(plain);
  g_free(isolated);
  adl_harness_free(h);
}
END_TEST

/* Refused rows, warnings and failures come from the process as if they were made here. */
START_TEST(what_it_says_comes_through) {
  static const char *const stages[] = {"  r: {use: test.refuse, x: age, value: 20@}\n",
                                       "  f: {use: ftrl, features: [price], label: age, as: p@}\n",
                                       "  w: {use: filter, where: price > 100}\n"
                                       "  s: {use: scale, columns: [price], as: scaled@}\n"};
  for (size_t i = 0; i < G_N_ELEMENTS(stages); i++) {
    char *said[2], *rejects[2];
    adl_harness *h = new_harness(3000);
    for (int isolated = 0; isolated < 2; isolated++) {
      char **parts = g_strsplit(stages[i], "@", -1), *text = g_strjoinv(isolated ? ", isolate: true" : "", parts);
      adl_harness_run(h, text, NULL);
      said[isolated] = g_strdup(adl_harness_errors(h));
      rejects[isolated] = adl_harness_rejects(h);
      g_strfreev(parts);
      g_free(text);
    }
    char **lines = g_strsplit(said[1], ", isolate: true", -1), *without = g_strjoinv("", lines);
    ck_assert_str_eq(without, said[0]);
    ck_assert_str_eq(rejects[1], rejects[0]);
    ck_assert(strlen(said[0]) + strlen(rejects[0]) > 0);
    g_strfreev(lines);
    g_free(without);
    for (int k = 0; k < 2; k++) {
      g_free(said[k]);
      free(rejects[k]);
    }
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(refused_before_anything_starts) {
  static const char *const wrong[][2] = {
      {"  w: {use: write-csv, path: o.csv, isolate: true}\n", "w.isolate: sources and sinks work in the process"},
      {"  d: {use: dedupe, by: [user], isolate: restart}\n", "would be lost with the process; write `isolate: true`"},
      {"  d: {use: scale, columns: [age], as: s, isolate: often}\n", "d.isolate"},
      {"  d: {use: scale, columns: [age], as: s, isolate: {limit: 1ms}}\n", "isolate.limit"},
      {"  d: {use: scale, columns: [age], as: s, isolate: {limits: 1s}}\n", "limits"}};
  adl_harness *h = new_harness(10);
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    adl_harness_run(h, wrong[i][0], NULL);
    ck_assert(!adl_harness_ok(h));
    ck_assert_msg(strstr(adl_harness_errors(h), wrong[i][1]) != NULL, "%s is not in %s", wrong[i][1],
                  adl_harness_errors(h));
  }
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("isolate");
  TCase *cases = tcase_create("isolate");
  tcase_set_timeout(cases, 120);
  tcase_add_loop_test(cases, the_same_bytes_in_a_process_of_its_own, 0, (int)G_N_ELEMENTS(pipelines));
  tcase_add_test(cases, a_later_run_finds_the_model);
  tcase_add_test(cases, no_rows_at_all);
  tcase_add_test(cases, what_it_says_comes_through);
  tcase_add_test(cases, refused_before_anything_starts);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
