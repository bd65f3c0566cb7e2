/* calibrate on the real engine: answers known from scikit-learn and from brute force, order of rows, threads, bounded
 * counting, models that are loaded, refusals. */
#include <math.h>

#include "tests/plugins/transform.h"

static const char columns[] = "{s: float, y: float, w: float, ask: int}";

/* Twelve rows to learn from, with ties, and twelve scores to ask about (held out). */
static const char small[] = "s,y,w,ask\n"
                            ".1,0,1,0\n.2,1,2,0\n.2,0,1,0\n.3,0,3,0\n.4,1,1,0\n.45,0,1,0\n"
                            ".5,0,2,0\n.6,1,1,0\n.6,0,1,0\n.7,1,2,0\n.8,1,1,0\n.9,1,1,0\n"
                            ".05,0,1,1\n.1,0,1,1\n.15,0,1,1\n.2,0,1,1\n.25,0,1,1\n.35,0,1,1\n"
                            ".42,0,1,1\n.55,0,1,1\n.65,0,1,1\n.75,0,1,1\n.85,0,1,1\n.95,0,1,1\n";

static adl_harness *asking(const char *csv) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_source(h, "holdout: {where: \"ask = 1\"}");
  return h;
}

static void assert_answers(const adl_harness *h, const double *expected, int count) {
  int found = 0;
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    if (adl_harness_split(h, row) != ADL_TEST) continue;
    ck_assert_int_lt(found, count);
    ck_assert_msg(fabs(adl_harness_number(h, "p", row) - expected[found]) < 1e-7, "row %d: %.9g, not %.9g", found,
                  adl_harness_number(h, "p", row), expected[found]);
    found++;
  }
  ck_assert_int_eq(found, count);
}

/* scikit-learn 1.9.1: IsotonicRegression(out_of_bounds="clip"); and _SigmoidCalibration, refined by Newton steps with
 * numpy until the gradient was below 1e-15. */
START_TEST(known_answers) {
  static const struct {
    const char *parameters;
    double expected[12];
  } cases[] = {
      {"method: isotonic", {0, 0, 1. / 6, 1. / 3, 1. / 3, 1. / 3, 1. / 3, .416666667, .75, 1, 1, 1}},
      {"method: isotonic, weight: w", {0, 0, .15, .3, .3, .3, .3, .4, .75, 1, 1, 1}},
      {"method: platt",
       {.185750166, .213289109, .243688998, .276896724, .312758367, .391276363, .450107371, .561846498, .644274193,
        .718951971, .78322733, .836153006}},
      {"method: platt, weight: w",
       {.180141211, .206929621, .236552283, .268977295, .304076652, .381250462, .439388774, .550622789, .633416768,
        .709017833, .774576291, .828928181}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    adl_harness *h = asking(small);
    char *stages = g_strdup_printf("  c: {use: calibrate, score: s, label: y, as: p, %s}\n", cases[i].parameters);
    adl_harness_run(h, stages, "c");
    ASSERT_OK(h);
    assert_answers(h, cases[i].expected, 12);
    ck_assert_double_eq(adl_harness_report(h, "c", "in-sample", "rows"), 12);
    ck_assert_double_eq_tol(adl_harness_report(h, "c", "in-sample", "mean_label"), i % 2 ? 8. / 17 : .5, 1e-12);
    if (i == 0) {
      ck_assert_double_eq(adl_harness_report(h, "c", "", "scores"), 10);
      ck_assert_double_eq(adl_harness_report(h, "c", "", "steps"), 4);
    }
    if (i >= 2) {
      ck_assert_double_eq_tol(adl_harness_report(h, "c", "", "slope"), i == 2 ? 3.45304806376 : 3.43715680576, 1e-8);
      ck_assert_double_eq_tol(adl_harness_report(h, "c", "", "intercept"), i == 2 ? -1.65051706808 : -1.68724891058,
                              1e-8);
    }
    g_free(stages);
    adl_harness_free(h);
  }
}
END_TEST

START_TEST(prior) {
  adl_harness *h = adl_harness_new("s\n.5\n0\n1\n.01\n1.5\n-.1\n", "{s: float}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, "  c: {use: calibrate, score: s, method: prior, keep: .1}\n", "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 4);
  ck_assert_double_eq_tol(adl_harness_number(h, "calibrated", 0), .0909090909, 1e-8);
  ck_assert_double_eq(adl_harness_number(h, "calibrated", 1), 0);
  ck_assert_double_eq(adl_harness_number(h, "calibrated", 2), 1);
  ck_assert_double_eq_tol(adl_harness_number(h, "calibrated", 3), .01 / (.01 + .99 * 10), 1e-10);
  char *rejects = adl_harness_rejects(h);
  ck_assert_ptr_nonnull(strstr(rejects, "c 6 score score 1.5 is not in [0, 1], which method prior needs\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "c 7 score score -0.1 is not in [0, 1]"));
  free(rejects);
  char *made = g_strdup(adl_harness_run_directory(h));
  adl_harness_models(h, made);
  adl_harness_run(h, "  c: {use: calibrate, score: s, method: prior, keep: .2}\n", "c");
  ck_assert(!adl_harness_ok(h));
  g_free(made);
  adl_harness_free(h);
}
END_TEST

/* ---- properties ---- */

enum { ROWS = 6000 };

/* Scores of two digits, many of them tied, or (digits 9) all different; labels that follow them, not linearly. */
static char *random_rows(int digits, const int *order) {
  GString *csv = g_string_new("s,y,w,ask\n");
  for (int i = 0; i < ROWS; i++) {
    uint64_t row = (uint64_t)(order != NULL ? order[i] : i);
    double s = adl_random_unit(1, row);
    bool y = adl_random_unit(2, row) < s * s;
    g_string_append_printf(csv, "%.*f,%d,%d,%d\n", digits, s, y, 1 + (int)(adl_random(3, row) % 3), row % 10 == 0);
  }
  return g_string_free(csv, FALSE);
}

/* Isotonic regression by its definition: the value at a score is the greatest, over all that begin at or before it, of
 * the least mean of the ranges that end at or behind it. `weight`, `positives`: of each hundredth. */
static double by_definition(const double *weight, const double *positives, int count, int at) {
  double greatest = -1;
  for (int from = 0; from <= at; from++) {
    double w = 0, p = 0, least = 2;
    if (weight[from] == 0) continue;
    for (int to = from; to < count; to++) {
      w += weight[to];
      p += positives[to];
      if (to >= at && weight[to] > 0) least = fmin(least, p / w);
    }
    greatest = fmax(greatest, least);
  }
  return greatest;
}

START_TEST(isotonic_by_definition) {
  char *csv = random_rows(2, NULL);
  adl_harness *h = asking(csv);
  adl_harness_run(h, "  c: {use: calibrate, score: s, label: y, weight: w, as: p}\n", "c");
  ASSERT_OK(h);
  double weight[101] = {0}, positives[101] = {0};
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    int at = (int)lround(100 * adl_harness_number(h, "s", row));
    if (adl_harness_split(h, row) != ADL_TRAIN) continue;
    weight[at] += adl_harness_number(h, "w", row);
    positives[at] += adl_harness_number(h, "w", row) * adl_harness_number(h, "y", row);
  }
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    int at = (int)lround(100 * adl_harness_number(h, "s", row));
    double expected = by_definition(weight, positives, 101, at);
    ck_assert_double_eq_tol(adl_harness_number(h, "p", row), expected, 1e-7);
  }
  adl_harness_free(h);
  g_free(csv);
}
END_TEST

/* Weights that are shares, or however small, say no more than that all rows are worth the same. */
START_TEST(small_weights) {
  double plain[24];
  for (int i = 0; i < 2; i++) {
    adl_harness *h = asking(small);
    adl_harness_run(h,
                    i == 0 ? "  c: {use: calibrate, score: s, label: y, as: p, method: platt}\n"
                           : "  d: {use: derive, columns: {share: 0.0001}}\n"
                             "  c: {use: calibrate, score: s, label: y, weight: share, as: p, method: platt}\n",
                    "c");
    ASSERT_OK(h);
    for (int row = 0; row < 24; row++) {
      if (i == 0)
        plain[row] = adl_harness_number(h, "p", row);
      else
        ck_assert_double_eq_tol(adl_harness_number(h, "p", row), plain[row], 1e-6);
    }
    adl_harness_free(h);
  }
}
END_TEST

static const char *const methods[] = {"isotonic", "platt", "isotonic, bins: 50"};

static char *digest_of(const char *csv, const char *method, int threads, int64_t memory) {
  adl_harness *h = asking(csv);
  adl_harness_threads(h, threads);
  if (memory > 0) adl_harness_memory(h, memory);
  char *stages = g_strdup_printf("  c: {use: calibrate, score: s, label: y, weight: w, as: p, method: %s}\n", method);
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  char *digest = adl_harness_digest(h), *copy = g_strdup(digest);
  free(digest);
  g_free(stages);
  adl_harness_free(h);
  return copy;
}

START_TEST(threads_and_memory_do_not_matter) {
  char *csv = random_rows(9, NULL), *one = digest_of(csv, methods[_i], 1, 0);
  char *three = digest_of(csv, methods[_i], 3, 0), *tight = digest_of(csv, methods[_i], 2, 1);
  ck_assert_str_eq(one, three);
  ck_assert_str_eq(one, tight);
  g_free(one);
  g_free(three);
  g_free(tight);
  g_free(csv);
}
END_TEST

/* What is learned does not depend on the order of the rows, nor, with it, on which rows are in which partial: bit for
 * bit where whole numbers are added up, which is so with isotonic; to rounding with platt. */
START_TEST(order_does_not_matter) {
  int order[ROWS];
  double first[ROWS];
  for (int shuffled = 0; shuffled < 2; shuffled++) {
    for (int i = 0; i < ROWS; i++) order[i] = i;
    for (int i = ROWS - 1; i > 0 && shuffled; i--) {
      int j = (int)(adl_random(9, (uint64_t)i) % (uint64_t)(i + 1)), kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    char *csv = random_rows(9, order);
    adl_harness *h = asking(csv);
    char *stages =
        g_strdup_printf("  c: {use: calibrate, score: s, label: y, weight: w, as: p, method: %s}\n", methods[_i]);
    adl_harness_run(h, stages, "c");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), ROWS);
    for (int i = 0; i < ROWS; i++) {
      double p = adl_harness_number(h, "p", i);
      if (!shuffled) first[i] = p;
      ck_assert_double_le(fabs(p - first[order[i]]), _i == 1 ? 1e-6 : 0);
    }
    g_free(stages);
    adl_harness_free(h);
    g_free(csv);
  }
}
END_TEST

/* Far fewer bins than scores: no more points than bins, and still near the truth, s^2. */
START_TEST(bins_bound_the_memory) {
  static const int bins[] = {2, 50, 1000, 65536};
  for (int i = 0; i < 4; i++) {
    char *csv = random_rows(9, NULL);
    adl_harness *h = asking(csv);
    char *stages = g_strdup_printf("  c: {use: calibrate, score: s, label: y, as: p, bins: %d}\n"
                                   "  quality: {use: metrics, label: y, score: p}\n",
                                   bins[i]);
    adl_harness_run(h, stages, "c");
    ASSERT_OK(h);
    double scores = adl_harness_report(h, "c", "", "scores"), far = 0, low = 2;
    ck_assert(scores <= bins[i] && scores >= (bins[i] < 65536 ? 1 : .9 * ROWS - 10));
    for (int64_t row = 0; row < adl_harness_rows(h); row++) {
      double s = adl_harness_number(h, "s", row);
      far += fabs(adl_harness_number(h, "p", row) - s * s) / ROWS;
      low = fmin(low, adl_harness_number(h, "p", row));
    }
    if (i > 0) ck_assert_msg(far < .03, "%d bins: %g away", bins[i], far);
    /* Uncalibrated it would be some .17. */
    if (i > 0) ck_assert_double_lt(adl_harness_report(h, "quality", "held-out", "ece"), .09);
    g_free(stages);
    adl_harness_free(h);
    g_free(csv);
  }
}
END_TEST

/* Neither unit nor zero of the score changes what platt says; far from zero, isotonic loses nothing. */
START_TEST(scores_of_any_size) {
  static const char *const scores[] = {"s", "s * 1e-9", "s * 1e9 - 1e12", "s * 1e150", "s - 1e6"};
  double expected[24];
  for (int method = 0; method < 2; method++)
    for (int i = 0; i < 5; i++) {
      adl_harness *h = asking(small);
      char *stages = g_strdup_printf("  d: {use: derive, columns: {t: \"%s\"}}\n"
                                     "  c: {use: calibrate, score: t, label: y, as: p, method: %s}\n",
                                     scores[i], methods[method]);
      adl_harness_run(h, stages, "c");
      ASSERT_OK(h);
      for (int row = 0; row < 24; row++) {
        double p = adl_harness_number(h, "p", row);
        if (i == 0) expected[row] = p;
        ck_assert_double_eq_tol(p, expected[row], 1e-5);
      }
      g_free(stages);
      adl_harness_free(h);
    }
}
END_TEST

/* Perfectly separated, platt stays finite: its targets are smoothed. */
START_TEST(separable) {
  adl_harness *h = adl_harness_new("s,y\n1,0\n2,0\n3,1\n4,1\n", "{s: float, y: bool}");
  adl_harness_run(h, "  c: {use: calibrate, score: s, label: y, method: platt}\n", "c");
  ASSERT_OK(h);
  /* The targets are 1/4 and 3/4, and the sigmoid is symmetric about 2.5. */
  double low = adl_harness_number(h, "calibrated", 0), high = adl_harness_number(h, "calibrated", 3);
  ck_assert_double_eq_tol(low + high, 1, 1e-6);
  ck_assert(low > .1 && low < .25);
  adl_harness_run(h, "  c: {use: calibrate, score: s, label: y}\n", "c");
  ASSERT_VALUES(h, "calibrated", "0|0|1|1");
  adl_harness_free(h);
}
END_TEST

START_TEST(loaded_models_need_no_label) {
  adl_harness *h = asking(small);
  for (int i = 0; i < 3; i++) {
    char *learn = g_strdup_printf("  c: {use: calibrate, score: s, label: y, as: p, method: %s}\n", methods[i]);
    adl_harness_models(h, NULL);
    adl_harness_run(h, learn, "c");
    ASSERT_OK(h);
    double p[24];
    for (int row = 0; row < 24; row++) p[row] = adl_harness_number(h, "p", row);
    char *made = g_strdup(adl_harness_run_directory(h));
    char *use = g_strdup_printf("  less: {use: select, drop: [y]}\n"
                                "  c: {use: calibrate, from: less, score: s, as: p, method: %s}\n",
                                methods[i]);
    adl_harness_models(h, made);
    adl_harness_run(h, use, "c");
    ASSERT_OK(h);
    for (int row = 0; row < 24; row++) ck_assert_double_eq(adl_harness_number(h, "p", row), p[row]);
    char *other = g_strdup_printf("  c: {use: calibrate, score: s, as: p, method: %s}\n", methods[(i + 1) % 2]);
    if (i < 2) {
      adl_harness_run(h, other, "c");
      ck_assert_msg(!adl_harness_ok(h), "a model of another method was taken");
    }
    g_free(other);
    g_free(use);
    g_free(made);
    g_free(learn);
  }
  adl_harness_free(h);
}
END_TEST

/* ---- odd input ---- */

START_TEST(one_answer) {
  /* One row; one score; labels that never differ; labels that run against the score. */
  static const struct {
    const char *csv;
    double isotonic, platt;
  } cases[] = {
      {"s,y\n.3,1\n", 1, 2. / 3},
      {"s,y\n.3,1\n.3,0\n.3,0\n.3,0\n", .25, .3166666667},
      {"s,y\n.1,0\n.5,0\n.9,0\n", 0, .2},
      {"s,y\n.1,1\n.2,0\n.3,0\n.4,0\n.5,0\n", .2, NAN},
      {"s,y\n-0.0,1\n0.0,0\n0,0\n-0.0,0\n", .25, .3166666667},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int method = 0; method < 2; method++) {
      adl_harness *h = adl_harness_new(cases[i].csv, "{s: float, y: float}");
      char *stages = g_strdup_printf("  c: {use: calibrate, score: s, label: y, as: p, method: %s}\n", methods[method]);
      adl_harness_run(h, stages, "c");
      ASSERT_OK(h);
      double expected = method == 0 ? cases[i].isotonic : cases[i].platt;
      for (int64_t row = 0; row < adl_harness_rows(h) && !isnan(expected); row++)
        ck_assert_msg(fabs(adl_harness_number(h, "p", row) - expected) < 1e-6, "case %zu, method %d: %g", i, method,
                      adl_harness_number(h, "p", row));
      if (isnan(expected)) ck_assert_double_lt(adl_harness_report(h, "c", "", "slope"), 0);
      g_free(stages);
      adl_harness_free(h);
    }
}
END_TEST

START_TEST(bad_rows) {
  adl_harness *h = adl_harness_new("s,y,w\n.1,0,1\n,1,1\nnan,1,1\n.2,2,1\n.3,,1\n.4,1,-1\n.5,1,0\n.6,1,1\n",
                                   "{s: float, y: float, w: float}");
  adl_harness_top(h, "max_rejects: 1\n");
  char *stages = g_strdup_printf("  c: {use: calibrate, score: s, label: y, weight: w, method: %s}\n"
                                 "  end: {use: metrics, label: y, score: calibrated}\n",
                                 methods[_i]);
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  char *rejects = adl_harness_rejects(h);
  ck_assert_ptr_nonnull(strstr(rejects, "c 3 s is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "c 4 s is NaN or infinite\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "c 5 label label 2 is not in [0, 1]"));
  ck_assert_ptr_nonnull(strstr(rejects, "c 6 y is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "c 7 weight weight -1 is negative or not finite\n"));
  ck_assert_double_eq(adl_harness_report(h, "c", "in-sample", "rows"), 2); /* one has no weight */
  ck_assert_double_eq(adl_harness_report(h, "c", "in-sample", "mean_label"), .5);
  if (_i != 1) ck_assert_double_eq(adl_harness_report(h, "c", "", "scores"), 2); /* .5 has no weight */
  free(rejects);
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const struct {
    const char *csv, *parameters, *says;
  } cases[] = {
      {"s,y,w,ask\n", "label: y", "there are no training rows with a usable label"},
      {"s,y,w,ask\n", "label: y, method: platt", "there are no training rows with a usable label"},
      {"s,y,w,ask\n1,1,0,0\n", "label: y, weight: w",
       "there are no training rows with a usable label and a weight above 0"},
      {"s,y,w,ask\n1,1,0,0\n", "label: y, weight: w, method: platt",
       "there are no training rows with a usable label and a weight above 0"},
      {"s,y,w,ask\n1,1,1,0\n", "method: platt", "method platt learns from labels, and there is no `label`"},
      {"s,y,w,ask\n1,1,1,0\n", "weight: w", "method isotonic learns from labels, and there is no `label`"},
      {"s,y,w,ask\n1,1,1,0\n", "method: prior", "method prior needs `keep`"},
      {"s,y,w,ask\n1,1,1,0\n", "method: prior, keep: 0", "keep: 0 is out of range (0, 1]"},
      {"s,y,w,ask\n1,1,1,0\n", "method: prior, keep: 1.5", "keep: 1.5 is out of range (0, 1]"},
      {"s,y,w,ask\n1,1,1,0\n", "label: y, keep: .5", "`keep` belongs to method prior, and the method is isotonic"},
      {"s,y,w,ask\n1,1,1,0\n", "label: y, bins: 1", "bins: 1 is out of range"},
      {"s,y,w,ask\n1e200,1,1,0\n-1e200,0,1,0\n", "label: y, method: platt",
       "the scores or weights are too large for float64"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf("  c: {use: calibrate, score: s, %s}\n", cases[i].parameters);
    assert_refused(cases[i].csv, columns, stages, cases[i].says);
    g_free(stages);
  }
}
END_TEST

/* Scores at both ends of float64, between which the difference is infinite. */
START_TEST(extreme_scores) {
  adl_harness *h =
      asking("s,y,w,ask\n-1.7e308,0,1,0\n1.7e308,1,1,0\n0,0,1,1\n.85e308,0,1,1\n5e-324,0,1,1\n-1.79e308,0,1,1\n");
  adl_harness_run(h, "  c: {use: calibrate, score: s, label: y, as: p}\n", "c");
  ASSERT_OK(h);
  assert_answers(h, (const double[]){.5, .75, .5, 0}, 4);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("calibrate");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, known_answers);
  tcase_add_test(tcase, prior);
  tcase_add_test(tcase, isotonic_by_definition);
  tcase_add_test(tcase, small_weights);
  tcase_add_loop_test(tcase, threads_and_memory_do_not_matter, 0, 3);
  tcase_add_loop_test(tcase, order_does_not_matter, 0, 3);
  tcase_add_test(tcase, bins_bound_the_memory);
  tcase_add_test(tcase, scores_of_any_size);
  tcase_add_test(tcase, separable);
  tcase_add_test(tcase, loaded_models_need_no_label);
  tcase_add_test(tcase, one_answer);
  tcase_add_loop_test(tcase, bad_rows, 0, 3);
  tcase_add_test(tcase, refusals);
  tcase_add_test(tcase, extreme_scores);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
