/* Tests of acme.linucb, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

#include <math.h>

static const char stage[] = "use: acme.linucb, features: [x], reward: clicked, mean: mean, bonus: bonus, learn: online";

static void clicks(adl_test *t) {
  adl_test_plugin(t, "acme.linucb.so");
  adl_test_csv(t, "{x: float, clicked: int}", "x,clicked\n1,1\n1,0\n0,1\n2,1\n,1\n");
}

/* A is 1 on the diagonal plus (x, 1)(x, 1)' of the rows before; by hand for the first three rows. */
static void scores_by_hand(adl_test *t) {
  clicks(t);
  adl_test_stage(t, stage);
  ADL_CHECK_ROWS(t, 4);
  ADL_CHECK_NUMBER(t, "mean", 0, 0, 0);
  ADL_CHECK_NUMBER(t, "bonus", 0, sqrt(2), 1e-12);
  ADL_CHECK_NUMBER(t, "score", 0, sqrt(2), 1e-12);
  ADL_CHECK_NUMBER(t, "mean", 1, 2.0 / 3, 1e-12); /* A = [2 1; 1 2], b = (1, 1), weights (1/3, 1/3) */
  ADL_CHECK_NUMBER(t, "bonus", 1, sqrt(2.0 / 3), 1e-12);
  ADL_CHECK_NUMBER(t, "mean", 2, 0.2, 1e-12);     /* A = [3 2; 2 3], b = (1, 1), weights (1/5, 1/5) */
  ADL_CHECK_NUMBER(t, "bonus", 2, sqrt(3.0 / 5), 1e-12);
  ADL_CHECK_NEAR(t, adl_test_rejected(t), 1, 0);  /* the row without a feature */
}

/* What is seen often gets a smaller bonus than what was never seen. */
static void is_surer_of_what_it_has_seen(adl_test *t) {
  clicks(t);
  adl_test_stage(t, stage);
  adl_test_apply(t, "{x: float}", "x\n1\n-30\n");
  ADL_CHECK_ROWS(t, 2);
  ADL_CHECK(t, adl_test_number(t, "bonus", 0) < 0.6 && adl_test_number(t, "bonus", 1) > 5);
}

static void explores_by_alpha(adl_test *t) {
  clicks(t);
  adl_test_stage(t, "use: acme.linucb, features: [x], reward: clicked, mean: mean, alpha: 0, learn: online");
  for (int row = 0; row < 4; row++) ADL_CHECK_NUMBER(t, "score", row, adl_test_number(t, "mean", row), 0);
}

static void does_not_depend_on_threads_or_batches(adl_test *t) {
  clicks(t);
  ADL_CHECK_INVARIANT(t, stage, 0);
}

static void refuses_a_negative_alpha(adl_test *t) {
  clicks(t);
  adl_test_stage(t, "use: acme.linucb, features: [x], reward: clicked, alpha: -1");
  ADL_CHECK_SAYS(t, "alpha");
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(scores_by_hand), ADL_CASE(is_surer_of_what_it_has_seen),
                                        ADL_CASE(explores_by_alpha), ADL_CASE(does_not_depend_on_threads_or_batches),
                                        ADL_CASE(refuses_a_negative_alpha)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
