/* Tests of acme.template, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

static const char stage[] = "use: acme.template, category: user, label: clicked, prior: 2";

static void clicks(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_csv(t, "{user: id, clicked: bool}", "user,clicked\na,1\na,1\nb,0\nc,0\n,1\n");
}

static void learns_the_rate(adl_test *t) {
  clicks(t);
  adl_test_stage(t, stage);
  ADL_CHECK_ROWS(t, 4);
  ADL_CHECK_NUMBER(t, "rate", 0, (2 + 2 * 0.5) / (2 + 2), 1e-6); /* the mean of all rows is 0.5 */
  ADL_CHECK_NUMBER(t, "rate", 3, (0 + 2 * 0.5) / (1 + 2), 1e-6);
  ADL_CHECK_NEAR(t, adl_test_table_at(t, "stage", "counts", "a", 0), 2, 0);
  ADL_CHECK_NEAR(t, adl_test_rejected(t), 1, 0); /* the row without a user */
}

/* The model, on other rows: nothing is learned, and no label is needed. */
static void applies_the_model(adl_test *t) {
  clicks(t);
  adl_test_stage(t, stage);
  adl_test_apply(t, "{user: id}", "user\na\nnew\n");
  ADL_CHECK_ROWS(t, 2);
  ADL_CHECK_NUMBER(t, "rate", 0, 0.75, 1e-6);
  ADL_CHECK_NUMBER(t, "rate", 1, 0.5, 1e-6);
}

static void does_not_depend_on_threads_or_batches(adl_test *t) {
  clicks(t);
  ADL_CHECK_INVARIANT(t, stage, 1e-6);
}

static void refuses_no_prior(adl_test *t) {
  clicks(t);
  adl_test_stage(t, "use: acme.template, category: user, label: clicked, prior: 0");
  ADL_CHECK_SAYS(t, "prior");
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(learns_the_rate), ADL_CASE(applies_the_model),
                                        ADL_CASE(does_not_depend_on_threads_or_batches), ADL_CASE(refuses_no_prior)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
