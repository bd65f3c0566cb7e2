/* Tests of acme.template, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

static const char stage[] = "use: acme.template, features: [x], label: clicked, rate: 1, learn: online";

static void clicks(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_csv(t, "{x: float, clicked: int}", "x,clicked\n1,1\n-1,0\n1,1\n-1,0\n1,7\n");
}

/* Each row is scored before it is learned from. */
static void learns_row_by_row(adl_test *t) {
  clicks(t);
  adl_test_stage(t, stage);
  ADL_CHECK_ROWS(t, 4);
  ADL_CHECK_NUMBER(t, "score", 0, 0.5, 0);
  ADL_CHECK_NUMBER(t, "score", 1, 0.5, 1e-6); /* the weights are 0.5 and 0.5, which is no more than a coin at -1 */
  ADL_CHECK(t, adl_test_number(t, "score", 2) > 0.7 && adl_test_number(t, "score", 3) < 0.5);
  ADL_CHECK_NEAR(t, adl_test_rejected(t), 1, 0); /* the label that is 7 */
}

/* The model, on other rows: nothing is learned, and no label is needed. */
static void applies_the_model(adl_test *t) {
  clicks(t);
  adl_test_stage(t, stage);
  adl_test_apply(t, "{x: float}", "x\n1\n1\n");
  ADL_CHECK_ROWS(t, 2);
  ADL_CHECK(t, adl_test_number(t, "score", 0) > 0.7);
  ADL_CHECK_NUMBER(t, "score", 1, adl_test_number(t, "score", 0), 0);
}

static void does_not_depend_on_threads_or_batches(adl_test *t) {
  clicks(t);
  ADL_CHECK_INVARIANT(t, stage, 0);
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(learns_row_by_row), ADL_CASE(applies_the_model),
                                        ADL_CASE(does_not_depend_on_threads_or_batches)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
