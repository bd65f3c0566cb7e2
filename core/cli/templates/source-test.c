/* Tests of acme.template, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

#include <string.h>

static void reads_numbers(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_file(t, "numbers.txt", "1\n-2.5\nmany\n1e3", -1); /* beside the pipeline */
  adl_test_stage(t, "use: acme.template, path: numbers.txt");
  ADL_CHECK_ROWS(t, 3);
  ADL_CHECK_NUMBER(t, "value", 1, -2.5, 0);
  ADL_CHECK_NUMBER(t, "value", 2, 1000, 0);
  ADL_CHECK(t, strcmp(adl_test_rejects(t), "stage 3 value is not a number\n") == 0);
}

static void reads_nothing(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_file(t, "numbers.txt", "", -1);
  adl_test_stage(t, "use: acme.template, path: numbers.txt");
  ADL_CHECK_ROWS(t, 0);
}

static void tells_what_is_not_there(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_stage(t, "use: acme.template, path: nowhere.txt");
  ADL_CHECK(t, !adl_test_ok(t));
  ADL_CHECK_SAYS(t, "nowhere.txt");
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(reads_numbers), ADL_CASE(reads_nothing),
                                        ADL_CASE(tells_what_is_not_there)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
