/* Tests of acme.template, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

static void prices(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_csv(t, "{item: string, price: float}", "item,price\nshoe,50\nhat,20\nyacht,1e6\nair,0\n");
}

static void keeps_what_lies_between(adl_test *t) {
  prices(t);
  adl_test_stage(t, "use: acme.template, column: price, low: 20, high: 100");
  ADL_CHECK_ROWS(t, 2);
  ADL_CHECK_TEXT(t, "item", 0, "shoe");
  ADL_CHECK_TEXT(t, "item", 1, "hat");
}

static void does_not_depend_on_threads_or_batches(adl_test *t) {
  prices(t);
  ADL_CHECK_INVARIANT(t, "use: acme.template, column: price, high: 100", 0);
}

static void refuses_bounds_that_cross(adl_test *t) {
  prices(t);
  adl_test_stage(t, "use: acme.template, column: price, low: 3, high: 2");
  ADL_CHECK_SAYS(t, "no row would stay");
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(keeps_what_lies_between),
                                        ADL_CASE(does_not_depend_on_threads_or_batches),
                                        ADL_CASE(refuses_bounds_that_cross)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
