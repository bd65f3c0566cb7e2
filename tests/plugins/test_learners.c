/* ftrl, sgd and metrics on the real engine: what numbers are said to be over, the same model for any number of threads,
 * models that are loaded and continued, bad rows and bad pipelines. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

static const char columns[] = "{x: float, y: float, shop: id, z: int}";
static const char holdout[] = "holdout: {fraction: 0.3, by: x}";

enum { ROWS = 9000 };

/* Two numbers, a shop and a label that follows from all three. */
static char *make_csv(int rows, bool swapped) {
  GString *csv = g_string_new("x,y,shop,z\n");
  for (uint64_t i = 0; i < (uint64_t)rows; i++) {
    double x = adl_random_unit(1, i), y = 100 * adl_random_unit(2, i);
    int shop = (int)(adl_random(3, i) % 20);
    double margin = 3 * x - .04 * y + (shop % 3) - 1.5;
    bool yes = adl_random_unit(4, i) < 1 / (1 + exp(-margin));
    g_string_append_printf(csv, "%.6f,%.4f,s%d,%d\n", x, y, shop, swapped ? !yes : yes);
  }
  return g_string_free(csv, FALSE);
}

static adl_harness *with_rows(const char *source) {
  char *csv = make_csv(ROWS, false);
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_source(h, source);
  g_free(csv);
  return h;
}

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

static const char *const learners[] = {"ftrl", "sgd"};

/* Runs a learner on x, y and the shop's indicators, and metrics behind it; what leaves the learner is collected. */
static void run(adl_harness *h, const char *learner, const char *more) {
  char *stages = g_strdup_printf("  shops: {use: onehot, columns: [shop]}\n"
                                 "  sizes: {use: scale, columns: [x, y]}\n"
                                 "  click: {use: %s, features: [scaled, onehot], label: z, as: p%s}\n"
                                 "  quality: {use: metrics, label: z, score: p, by: [shop]}\n",
                                 learner, more);
  adl_harness_run(h, stages, "click");
  g_free(stages);
}

/* Mean logloss of the rows of a split, from the scores themselves. */
static double logloss_of(const adl_harness *h, adl_split split) {
  double loss = 0, rows = 0;
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    if (adl_harness_split(h, row) != split) continue;
    double p = adl_harness_number(h, "p", row);
    loss -= adl_harness_number(h, "z", row) == 1 ? log(p) : log1p(-p);
    rows++;
  }
  return loss / rows;
}

START_TEST(numbers_say_what_they_are_over) {
  for (int online = 0; online < 2; online++) {
    adl_harness *h = with_rows(holdout);
    run(h, learners[_i], online ? ", learn: online" : "");
    ASSERT_OK(h);
    const char *own = online ? "progressive" : "in-sample", *other = online ? "in-sample" : "progressive";
    double train = adl_harness_report(h, "quality", own, "logloss");
    double test = adl_harness_report(h, "quality", "held-out", "logloss");
    ck_assert_double_eq_tol(train, logloss_of(h, ADL_TRAIN), 1e-9);
    ck_assert_double_eq_tol(test, logloss_of(h, ADL_TEST), 1e-9);
    ck_assert(isnan(adl_harness_report(h, "quality", other, "logloss")));
    ck_assert(isnan(adl_harness_report(h, "quality", "validation", "logloss")));
    ck_assert_double_eq(
        adl_harness_report(h, "quality", own, "rows") + adl_harness_report(h, "quality", "held-out", "rows"), ROWS);
    /* With the margins that the labels were drawn from it would be .460, with a constant .635. Online, held-out rows are
     * scored with the model as it stood before their batch: those of the first batch with none. */
    ck_assert_msg(test > .43 && test < (online ? .59 : .49), "%g, in training %g", test, train);
    ck_assert_double_gt(adl_harness_report(h, "quality", "held-out", "auc"), online ? .65 : .8);
    /* What the learner counted while it learned online is what metrics finds in the scores. */
    if (online) ck_assert_double_eq_tol(adl_harness_report(h, "click", "progressive", "logloss"), train, 1e-6);
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(threads_and_memory_do_not_matter) {
  static const int threads[] = {1, 2, 3, 8};
  for (int online = 0; online < 2; online++) {
    char *first = NULL;
    for (int t = 0; t < 4; t++) {
      adl_harness *h = with_rows(holdout);
      adl_harness_threads(h, threads[t]);
      if (t % 2) adl_harness_memory(h, 1);
      run(h, learners[_i], online ? ", learn: online" : ", epochs: 3");
      ASSERT_OK(h);
      adl_harness_same_bytes(h, &first);
      adl_harness_free(h);
    }
    g_free(first);
  }
}
END_TEST

START_TEST(held_out_labels_teach_nothing) {
  char *model[2];
  for (int swapped = 0; swapped < 2; swapped++) {
    /* The same rows; the labels of those that are held out are all wrong. */
    char *csv = make_csv(ROWS, false), *wrong = make_csv(ROWS, true), *file = g_strdup("models/click.safetensors");
    char **right_lines = g_strsplit(csv, "\n", -1), **wrong_lines = g_strsplit(wrong, "\n", -1);
    GString *mixed = g_string_new("x,y,shop,z,held\n");
    for (int i = 1; i <= ROWS; i++)
      g_string_append_printf(mixed, "%s,%d\n", swapped && i % 3 == 0 ? wrong_lines[i] : right_lines[i], i % 3 == 0);
    adl_harness *h = adl_harness_new(mixed->str, "{x: float, y: float, shop: id, z: int, held: int}");
    adl_harness_source(h, "holdout: {where: \"held = 1\"}");
    run(h, learners[_i], "");
    ASSERT_OK(h);
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    char *path = g_build_filename(adl_harness_run_directory(h), file, NULL), *content;
    gsize size;
    ck_assert_msg(g_file_get_contents(path, &content, &size, NULL), "no %s", path);
    g_checksum_update(sum, (const guchar *)content, (gssize)size);
    model[swapped] = g_strdup(g_checksum_get_string(sum));
    ck_assert((adl_harness_report(h, "quality", "held-out", "auc") > .5) == !swapped);
    g_checksum_free(sum);
    g_free(content);
    g_free(path);
    adl_harness_free(h);
    g_string_free(mixed, TRUE);
    g_strfreev(right_lines);
    g_strfreev(wrong_lines);
    g_free(csv);
    g_free(wrong);
    g_free(file);
  }
  ck_assert_str_eq(model[0], model[1]);
  g_free(model[0]);
  g_free(model[1]);
}
END_TEST

/* A model that is loaded gives the scores that it gave when it was made, without any label. */
START_TEST(loaded_models_score_the_same) {
  adl_harness *h = with_rows(holdout);
  run(h, learners[_i], "");
  ASSERT_OK(h);
  double scores[50];
  for (int row = 0; row < 50; row++) scores[row] = adl_harness_number(h, "p", row);
  char *made = g_strdup(adl_harness_run_directory(h));
  adl_harness_models(h, made);
  run(h, learners[_i], "");
  ASSERT_OK(h);
  for (int row = 0; row < 50; row++) ck_assert_double_eq(adl_harness_number(h, "p", row), scores[row]);
  g_free(made);
  adl_harness_free(h);
}
END_TEST

/* With `model:` and `learn: fit` or online, learning goes on from there. */
START_TEST(warm_starts) {
  adl_harness *h = with_rows(holdout);
  run(h, learners[_i], ", epochs: 1");
  ASSERT_OK(h);
  double first = adl_harness_report(h, "quality", "held-out", "logloss");
  static const char *const modes[] = {"fit", "online"};
  char *made = g_strdup(adl_harness_run_directory(h));
  for (int mode = 0; mode < 2; mode++) {
    char *more = g_strdup_printf(", epochs: 1, learn: %s, model: %s", modes[mode], made);
    run(h, learners[_i], more);
    ASSERT_OK(h);
    /* The first rows are scored well at once, and another pass does not spoil the model. */
    if (mode == 1) ck_assert_double_lt(adl_harness_report(h, "click", "progressive", "logloss"), first + .02);
    ck_assert_double_lt(adl_harness_report(h, "quality", "held-out", "logloss"), first + .01);
    g_free(more);
  }
  g_free(made);
  adl_harness_free(h);
}
END_TEST

START_TEST(hashed_features) {
  adl_harness *h = with_rows(holdout);
  char *stages = g_strdup_printf("  w: {use: hash, columns: [shop, x], crosses: [], bits: 22, as: w}\n"
                                 "  click: {use: %s, features: [w], label: z, as: p}\n"
                                 "  quality: {use: metrics, label: z, score: p}\n",
                                 learners[_i]);
  adl_harness_run(h, stages, "click");
  ASSERT_OK(h);
  ck_assert_double_eq(adl_harness_report(h, "click", "", "dimensions"), 1 << 22);
  double used = adl_harness_report(h, "click", "", "nonzero_weights");
  ck_assert(used > 10 && used <= 21);
  ck_assert_double_gt(adl_harness_report(h, "quality", "held-out", "auc"), .65);
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

START_TEST(bad_rows) {
  adl_harness *h = adl_harness_new("x,z\n1,0\n2,1\n3,\nnan,1\n,0\n4,7\n5,1\n6,0\n", "{x: float, z: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  char *stages = g_strdup_printf("  click: {use: %s, features: [x], label: z, as: p}\n"
                                 "  quality: {use: metrics, label: z, score: p}\n",
                                 learners[_i]);
  adl_harness_run(h, stages, "click");
  ASSERT_OK(h);
  char *rejects = adl_harness_rejects(h);
  ck_assert_ptr_nonnull(strstr(rejects, "click 7 label label 7 is not in [0, 1], which logistic loss needs\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "click 5 x "));
  ck_assert_ptr_nonnull(strstr(rejects, "click 6 x is null\n"));
  ck_assert_double_eq(adl_harness_report(h, "click", "", "rows_learned"), 4);
  free(rejects);
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

START_TEST(nothing_to_learn_from) {
  adl_harness *h = adl_harness_new("x,z\n", "{x: float, z: int}");
  char *stages = g_strdup_printf("  click: {use: %s, features: [x], label: z}\n", learners[_i]);
  adl_harness_run(h, stages, "click");
  ck_assert(!adl_harness_ok(h));
  ck_assert_ptr_nonnull(strstr(adl_harness_errors(h), "there are no training rows with a usable label"));
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

START_TEST(bad_pipelines) {
  static const struct {
    const char *stages, *says;
  } cases[] = {
      {"  c: {use: ftrl, features: [x], label: z, alpha: 0}\n", "alpha: 0 is out of range (0, inf)"},
      {"  c: {use: ftrl, features: [x], label: clicked}\n", "clicked"},
      {"  c: {use: ftrl, features: [shop], label: z}\n", "shop"},
      {"  c: {use: sgd, features: [x], label: z, momentum: 1}\n", "momentum: 1 is out of range [0, 1)"},
      {"  c: {use: sgd, features: [x], label: shop}\n", "shop"},
      {"  c: {use: sgd, features: [x], label: z, standardise: full, learn: online}\n",
       "online learning makes no first pass"},
      {"  c: {use: metrics, label: z, score: shop}\n", "shop"},
      {"  c: {use: metrics, label: z, score: x, bins: 1}\n", "bins: 1 is out of range [2, 1000]"},
      {"  c: {use: metrics, label: z, score: x, by: [y]}\n", "by"},
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
  Suite *suite = suite_create("learners");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, numbers_say_what_they_are_over, 0, 2);
  tcase_add_loop_test(tcase, threads_and_memory_do_not_matter, 0, 2);
  tcase_add_loop_test(tcase, held_out_labels_teach_nothing, 0, 2);
  tcase_add_loop_test(tcase, loaded_models_score_the_same, 0, 2);
  tcase_add_loop_test(tcase, warm_starts, 0, 2);
  tcase_add_loop_test(tcase, hashed_features, 0, 2);
  tcase_add_loop_test(tcase, bad_rows, 0, 2);
  tcase_add_loop_test(tcase, nothing_to_learn_from, 0, 2);
  tcase_add_test(tcase, bad_pipelines);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
