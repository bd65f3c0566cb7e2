/* Tests of acme.template, on the engine itself. <adloom/test.h> tells what else a test can ask for. */
#include <adloom/test.h>

#include <string.h>

static const char stage[] = "  stage: {use: acme.template, path: out.txt, columns: [y, x]}\n";

static void numbers(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_csv(t, "{x: float, y: int}", "x,y\n1.5,2\n,3\n");
}

static void writes_lines(adl_test *t) {
  numbers(t);
  adl_test_run(t, stage, NULL);
  ADL_CHECK_OK(t);
  const char *written = adl_test_read(t, "out.txt");
  ADL_CHECK(t, written != NULL && strcmp(written, "2 1.5\n3 -\n") == 0);
}

static void does_not_depend_on_threads(adl_test *t) {
  numbers(t);
  ADL_CHECK(t, adl_test_invariant(t, stage, NULL, 0)); /* compares the file, too */
}

static void refuses_text(adl_test *t) {
  adl_test_plugin(t, "acme.template.so");
  adl_test_csv(t, "{word: string}", "word\nx\n");
  adl_test_run(t, "  stage: {use: acme.template, path: out.txt, columns: [word]}\n", NULL);
  ADL_CHECK(t, !adl_test_ok(t));
  ADL_CHECK_SAYS(t, "word");
}

int main(int argc, char **argv) {
  static const adl_test_case cases[] = {ADL_CASE(writes_lines), ADL_CASE(does_not_depend_on_threads),
                                        ADL_CASE(refuses_text)};
  return adl_test_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
