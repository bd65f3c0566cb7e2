/* fm and ffm on the real engine: the same model for any number of threads, models that are loaded and continued, held-back
 * rows, bad rows and bad pipelines. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

static const char columns[] = "{user: id, ad: id, price: float, z: int, w: float, yes: int}";
static const char holdout[] = "holdout: {fraction: 0.3}";

enum { ROWS = 9000 };

/* Whether user and ad go together decides; now and then one of them is missing. */
static char *make_csv(int rows) {
  GString *csv = g_string_new("user,ad,price,z,w,yes\n");
  for (uint64_t i = 0; i < (uint64_t)rows; i++) {
    int user = (int)(adl_random(1, i) % 23), ad = (int)(adl_random(2, i) % 17);
    double p = (user + ad) % 2 ? .8 : .2;
    char name[8] = "";
    if (user > 0) snprintf(name, sizeof name, "u%d", user);
    g_string_append_printf(csv, "%s,a%d,%.3f,%d,%d,1\n", name, ad, 100 * adl_random_unit(3, i),
                           adl_random_unit(4, i) < p, (int)(adl_random(5, i) % 3));
  }
  return g_string_free(csv, FALSE);
}

static adl_harness *with_rows(const char *source) {
  char *csv = make_csv(ROWS);
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_source(h, source);
  g_free(csv);
  return h;
}

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

/* The learners, with their input. */
static const char *const learners[] = {"fm, features: [x]", "ffm, columns: [user, ad, price], bits: 12"};

static void run(adl_harness *h, const char *learner, const char *more) {
  char *stages = g_strdup_printf("  x: {use: hash, columns: [user, ad], bits: 14}\n"
                                 "  click: {use: %s, label: z, as: p%s}\n"
                                 "  quality: {use: metrics, label: z, score: p}\n",
                                 learner, more);
  adl_harness_run(h, stages, "click");
  g_free(stages);
}

START_TEST(threads_and_memory_do_not_matter) {
  static const int threads[] = {1, 2, 3, 8};
  for (int online = 0; online < 2; online++) {
    char *first = NULL;
    for (int t = 0; t < 4; t++) {
      adl_harness *h = with_rows(holdout);
      adl_harness_threads(h, threads[t]);
      if (t % 2) adl_harness_memory(h, 1);
      run(h, learners[_i], online ? ", learn: online" : ", epochs: 3, factors: 12");
      ASSERT_OK(h);
      adl_harness_same_bytes(h, &first);
      adl_harness_free(h);
    }
    g_free(first);
  }
}
END_TEST

/* The label's entropy given the pair is .500, a constant has .693, and so has every linear model. */
START_TEST(pairs_are_learned) {
  adl_harness *h = with_rows(holdout);
  run(h, learners[_i], ", epochs: 40, patience: 3, holdback: 0.2");
  ASSERT_OK(h);
  double loss = adl_harness_report(h, "quality", "held-out", "logloss");
  ck_assert_msg(loss < .56, "%g", loss);
  ck_assert_double_lt(fabs(adl_harness_report(h, "click", "held-back", "logloss") - loss), .06);
  adl_harness_free(h);
}
END_TEST

/* It stops before all passes are made, with the weights of the best one: those of a run that ends with it. */
START_TEST(early_stopping) {
  adl_harness *h = with_rows(holdout);
  static const char more[] = ", factors: 32, l2: 0, init_scale: 2, learning_rate: 1";
  char *stops = g_strdup_printf("%s, epochs: 60", more);
  run(h, learners[_i], stops);
  ASSERT_OK(h);
  double passes = adl_harness_report(h, "click", "", "passes"), best = adl_harness_report(h, "click", "", "best_pass");
  ck_assert_msg(passes < 60 && best < passes, "%g of %g", best, passes);
  double scores[50];
  for (int row = 0; row < 50; row++) scores[row] = adl_harness_number(h, "p", row);
  char *ends = g_strdup_printf("%s, epochs: %.0f, patience: 1000", more, best);
  run(h, learners[_i], ends);
  ASSERT_OK(h);
  ck_assert_double_eq(adl_harness_report(h, "click", "", "passes"), best);
  for (int row = 0; row < 50; row++) ck_assert_double_eq(adl_harness_number(h, "p", row), scores[row]);
  g_free(stops);
  g_free(ends);
  adl_harness_free(h);
}
END_TEST

START_TEST(loaded_models_score_the_same) {
  adl_harness *h = with_rows(holdout);
  run(h, learners[_i], ", epochs: 2");
  ASSERT_OK(h);
  double scores[50];
  for (int row = 0; row < 50; row++) scores[row] = adl_harness_number(h, "p", row);
  char *made = g_strdup(adl_harness_run_directory(h));
  adl_harness_models(h, made);
  run(h, learners[_i], ", epochs: 2");
  ASSERT_OK(h);
  for (int row = 0; row < 50; row++) ck_assert_double_eq(adl_harness_number(h, "p", row), scores[row]);
  g_free(made);
  adl_harness_free(h);
}
END_TEST

/* With `model:` learning goes on from there; another number of factors is refused. */
START_TEST(warm_starts) {
  adl_harness *h = with_rows(holdout);
  run(h, learners[_i], ", epochs: 20, holdback: 0");
  ASSERT_OK(h);
  double first = adl_harness_report(h, "quality", "held-out", "logloss");
  char *made = g_strdup(adl_harness_run_directory(h));
  static const char *const modes[] = {"fit", "online"};
  for (int mode = 0; mode < 2; mode++) {
    char *more = g_strdup_printf(", epochs: 1, holdback: 0, learn: %s, model: %s", modes[mode], made);
    run(h, learners[_i], more);
    ASSERT_OK(h);
    ck_assert_double_lt(adl_harness_report(h, "click", "progressive", "logloss"), first + .02);
    ck_assert_double_lt(adl_harness_report(h, "quality", "held-out", "logloss"), first + .01);
    g_free(more);
  }
  char *more = g_strdup_printf(", factors: 16, model: %s", made);
  run(h, learners[_i], more);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), "another number of factors") != NULL, "%s", adl_harness_errors(h));
  g_free(more);
  g_free(made);
  adl_harness_free(h);
}
END_TEST

/* A row of weight 0 is as if it were not there. */
START_TEST(weights_of_rows) {
  adl_harness *h = with_rows("");
  run(h, learners[_i], ", weight: w, epochs: 1, holdback: 0");
  ASSERT_OK(h);
  int used = 0;
  for (uint64_t i = 0; i < ROWS; i++) used += adl_random(5, i) % 3 > 0;
  ck_assert_double_eq(adl_harness_report(h, "click", "", "rows_learned"), used);
  double with = adl_harness_number(h, "p", 0);
  run(h, learners[_i], ", epochs: 1, holdback: 0");
  ASSERT_OK(h);
  ck_assert_double_eq(adl_harness_report(h, "click", "", "rows_learned"), ROWS);
  ck_assert(adl_harness_number(h, "p", 0) != with);
  adl_harness_free(h);
}
END_TEST

START_TEST(one_class) {
  adl_harness *h = with_rows("");
  char *stages = g_strdup_printf("  x: {use: hash, columns: [user, ad], bits: 14}\n"
                                 "  click: {use: %s, label: yes, as: p, epochs: 1}\n",
                                 learners[_i]);
  adl_harness_run(h, stages, "click");
  ck_assert_msg(strstr(adl_harness_errors(h), "training labels are 1") != NULL, "%s", adl_harness_errors(h));
  ck_assert_double_gt(adl_harness_number(h, "p", 5), .99);
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

/* Labels that cannot be learned and numbers that are none are rejected; a row without any entry has the constant's
 * prediction. */
START_TEST(bad_rows) {
  adl_harness *h =
      adl_harness_new("a,b,z\nx,1,0\ny,2,1\nx,3,\nx,nan,1\n,,0\ny,4,7\ny,5,1\nx,6,0\n", "{a: id, b: float, z: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h,
                  _i == 0 ? "  x: {use: hash, columns: [a, b], bits: 4}\n"
                            "  click: {use: fm, features: [x], label: z, as: p, holdback: 0}\n"
                          : "  click: {use: ffm, columns: [a, b], label: z, as: p, holdback: 0}\n",
                  "click");
  ASSERT_OK(h);
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, "click 7 label label 7 is not in [0, 1], which logistic loss needs\n") != NULL, "%s",
                rejects);
  ck_assert_msg(strstr(rejects, " 5 b ") != NULL, "%s", rejects);
  ck_assert_double_eq(adl_harness_report(h, "click", "", "rows_learned"), 5);
  double bias = adl_harness_report(h, "click", "", "bias"), found = 0;
  for (int64_t row = 0; row < adl_harness_rows(h); row++)
    if (adl_harness_null(h, "a", row)) found = adl_harness_number(h, "p", row);
  ck_assert_double_eq_tol(found, 1 / (1 + exp(-bias)), 1e-6);
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(nothing_to_learn_from) {
  adl_harness *h = adl_harness_new("user,ad,price,z,w,yes\n", columns);
  run(h, learners[_i], "");
  ck_assert(!adl_harness_ok(h));
  ck_assert_ptr_nonnull(strstr(adl_harness_errors(h), "there are no training rows with a usable label"));
  adl_harness_free(h);
}
END_TEST

START_TEST(bad_pipelines) {
  static const struct {
    const char *stages, *says;
  } cases[] = {
      {"  c: {use: fm, features: [price], label: z, factors: 0}\n", "factors: 0 is out of range [1, 256]"},
      {"  c: {use: fm, features: [user], label: z}\n", "user"},
      {"  c: {use: fm, features: [price], label: z, block: 0}\n", "block: 0 is out of range [1, 4096]"},
      {"  c: {use: ffm, columns: [user], label: z}\n", "has from 2 to 4096 fields, not 1"},
      {"  c: {use: ffm, columns: [user, user], label: z}\n", "user is named twice"},
      {"  t: {use: derive, columns: {at: timestamp('2024-01-01')}}\n"
       "  c: {use: ffm, columns: [user, at], label: z}\n",
       "at is a timestamp, whose value hardly ever comes again"},
      {"  c: {use: ffm, columns: [user, ad], label: user}\n", "user"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    adl_harness *h = with_rows("");
    adl_harness_run(h, cases[i].stages, NULL);
    ck_assert(!adl_harness_ok(h));
    ck_assert_msg(strstr(adl_harness_errors(h), cases[i].says) != NULL, "%s", adl_harness_errors(h));
    adl_harness_free(h);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("factors");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, threads_and_memory_do_not_matter, 0, 2);
  tcase_add_loop_test(tcase, pairs_are_learned, 0, 2);
  tcase_add_loop_test(tcase, early_stopping, 0, 2);
  tcase_add_loop_test(tcase, loaded_models_score_the_same, 0, 2);
  tcase_add_loop_test(tcase, warm_starts, 0, 2);
  tcase_add_loop_test(tcase, weights_of_rows, 0, 2);
  tcase_add_loop_test(tcase, one_class, 0, 2);
  tcase_add_loop_test(tcase, bad_rows, 0, 2);
  tcase_add_loop_test(tcase, nothing_to_learn_from, 0, 2);
  tcase_add_test(tcase, bad_pipelines);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
