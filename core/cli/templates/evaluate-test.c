/* Tests of acme.template, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

static const char stage[] = "  stage: {use: acme.template, score: p, label: clicked}\n";

static void scores(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_csv(t, "{p: float, clicked: bool, day: int}", "p,clicked,day\n0.5,1,1\n0.5,0,1\n1,1,2\n0.8,1,2\n,1,2\n");
  adl_test_source(t, "holdout: {where: day == 2}");
}

static void measures_held_out_rows_apart(adl_test *t) {
  scores(t);
  adl_test_run(t, stage, NULL);
  ADL_CHECK_OK(t);
  ADL_CHECK_NEAR(t, adl_test_report(t, "stage", "in-sample", "brier"), 0.25, 0);
  ADL_CHECK_NEAR(t, adl_test_report(t, "stage", "held-out", "brier"), 0.02, 1e-6);
  ADL_CHECK_NEAR(t, adl_test_report(t, "stage", "held-out", "rows"), 2, 0);
  ADL_CHECK_NEAR(t, adl_test_rejected(t), 1, 0); /* the row without a score */
}

static void does_not_depend_on_threads(adl_test *t) {
  scores(t);
  ADL_CHECK(t, adl_test_invariant(t, stage, NULL, 0)); /* compares metrics.json, too */
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(measures_held_out_rows_apart), ADL_CASE(does_not_depend_on_threads)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
