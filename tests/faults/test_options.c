/* Options of the command line that cannot be meant so. */
#include "tests/faults/program.h"

/* Of --out '' all files of a run would go to where one stands. */
START_TEST(options_are_not_empty) {
  static const char *const wrong[][2] = {
      {"run a.yaml --out ", "adloom run: --out needs DIR\n"},
      {"run a.yaml --out=", "adloom run: --out needs DIR\n"},
      {"run a.yaml --out r --store=", "adloom run: --store needs DIR\n"},
      {"run a.yaml --out r --models=", "adloom run: --models needs RUN\n"},
      {"run a.yaml --out r --set=", "adloom run: --set needs STAGE.PARAM=VALUE\n"},
      {"compare a.yaml --repeat 2 --out=", "adloom compare: --out needs DIR\n"},
      {"compare a.yaml --from=", "adloom compare: --from needs PLAN\n"},
      {"init log.csv --out=", "adloom init: --out needs FILE\n"},
      {"plugin new acme --dir=", "adloom plugin: --dir needs DIR\n"},
  };
  program p = program_with_pipeline();
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    program_run(&p, wrong[i][0]);
    ASSERT_STATUS(&p, 2);
    ck_assert_str_eq(p.said, wrong[i][1]);
  }
  ck_assert(!program_has(&p, "manifest.json") && !program_has(&p, "r") && !program_has(&p, "runs"));
  program_close(&p);
}
END_TEST

/* --memory and `memory:`, --threads and `threads:`. */
START_TEST(an_option_has_the_range_of_its_key) {
  static const char *const keys[][3] = {{"memory", "1M", "1048575"}, {"threads", "1024", "1025"}};
  program p = program_with_pipeline();
  for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
    for (int wrong = 0; wrong < 2; wrong++) {
      const char *name = keys[i][0], *value = keys[i][1 + wrong];
      char *option = g_strdup_printf("run a.yaml --out r --limit 1 --quiet --%s %s", name, value),
           *key = g_strdup_printf("check a.yaml --set %s=%s", name, value);
      program_run(&p, option);
      ASSERT_STATUS(&p, wrong ? 2 : 0);
      if (wrong) ASSERT_SAYS(&p, "out of range [1");
      program_run(&p, key);
      ASSERT_STATUS(&p, wrong ? 2 : 0);
      if (wrong) ASSERT_SAYS(&p, "out of range [1");
      g_free(option);
      g_free(key);
    }
  }
  program_close(&p);
}
END_TEST

/* --repeat takes seeds of its own: with both, nobody could tell whose a number is. */
START_TEST(seeds_are_varied_or_repeated) {
  program p = program_with_pipeline();
  program_run(&p, "compare a.yaml --swap seed=1,2 --repeat 2 --out c");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "vary the seed or repeat, not both");
  ck_assert(!program_has(&p, "c"));
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("options");
  TCase *tests = tcase_create("options");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, options_are_not_empty);
  tcase_add_test(tests, an_option_has_the_range_of_its_key);
  tcase_add_test(tests, seeds_are_varied_or_repeated);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
