/* Tests of acme.template, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

static const char stage[] = "use: acme.template, of: spend, width: 1";

static void shoppers(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_csv(t, "{user: id, spend: float}", "user,spend\na,0\nb,10\nc,11\nd,9\ne,20\nf,\n");
}

static void sorts_by_the_mean(adl_test *t) {
  shoppers(t);
  adl_test_stage(t, stage);
  ADL_CHECK_ROWS(t, 5);
  ADL_CHECK_TEXT(t, "level", 0, "low");
  ADL_CHECK_TEXT(t, "level", 1, "middle");
  ADL_CHECK_TEXT(t, "level", 4, "high");
  ADL_CHECK_NEAR(t, adl_test_tensor_at(t, "stage", "sums", 1), 50, 0);
  ADL_CHECK_NEAR(t, adl_test_rejected(t), 1, 0); /* the row without a number */
}

/* The model, on other rows: nothing is learned. */
static void applies_the_model(adl_test *t) {
  shoppers(t);
  adl_test_stage(t, stage);
  adl_test_apply(t, NULL, "user,spend\nx,1000\ny,-1\n");
  ADL_CHECK_ROWS(t, 2);
  ADL_CHECK_TEXT(t, "level", 0, "high");
  ADL_CHECK_TEXT(t, "level", 1, "low");
}

static void does_not_depend_on_threads_or_batches(adl_test *t) {
  shoppers(t);
  ADL_CHECK_INVARIANT(t, stage, 0);
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(sorts_by_the_mean), ADL_CASE(applies_the_model),
                                        ADL_CASE(does_not_depend_on_threads_or_batches)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
