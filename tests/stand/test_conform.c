/* Every conformance check finds the plugin that is broken on purpose for it, and nothing against one that is right. */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/conform/conform.h"

static const struct {
  const char *check, *plugin, *says;
} broken[] = {
    {"exports", "exports-more", "it also exports adloom_test_helper"},
    {"symbols", "unresolved", "adloom_test_nobody_has_this"},
    {"quick", "slow-load", "ms of the processor, more than 100"},
    {"hosts", "any-host", "its entry point gives tables of ABI"},
    {"hosts", "declines", "its entry point declines"},
    {"note", "other-version", "its note says test.other-version"},
    {"tables", "bad-params", "`learn` is a key of the pipeline file itself"},
    {"strings", "bad-text", "a text of the parameter number is not valid UTF-8"},
    {"documented", "undocumented", "the parameter `number` has no documentation"},
    {"tables", "shared-field", "parameter `other`: its field overlaps that of `number`"},
    {"defaults", "bad-default", "the default [1, 200] of `sizes` is out of its range [1, 100]"},
    {"works", "fail-bind", "this number is never right"},
    {"works", "mute-process", "failed without saying why"},
    {"works", "lazy-process", "gave no column `number`"},
    {"odd", "lazy-process", "test.lazy-process works: "}, /* without which it cannot be made */
    {"extremes", "crash-extreme", "the plugin crashed (SIGSEGV, a bad memory access) in process of test.crash-extreme"},
    {"random", "crash-random", "the plugin crashed (SIGSEGV, a bad memory access) in process of test.crash-random"},
    {"types", "crash-type", "the plugin crashed (SIGSEGV, a bad memory access) in process of test.crash-type"},
    {"blame", "wrong-blame", "it blames `nubmer`, which is none of its parameters"},
    {"batches", "crash-one-row", "in process of test.crash-one-row"},
    {"together", "counts-batch", "the same rows in one batch and in several: row"},
    {"partials", "bad-merge", "learned from the same rows in one partial and in several: row"},
    {"again", "counts-calls", "the same run twice: row"},
    {"odd", "crash-null", "in process of test.crash-null"},
    {"schema", "unwritten", "values that it did not write leave it"},
    {"input", "writes-input", "process wrote into its input, which is read-only"},
    {"kept", "keeps-batch", "process touched memory that had been taken back"},
    {"reload", "keeps-model", "with the model as it was learned and as it was loaded: row"},
    {"nonsense", "trusts-model", "in process of test.trusts-model"},
    {"held-out", "learns-all", "other values in the held-out rows change what is learned"},
    {"no-memory", "ignores-memory", "in process of test.ignores-memory"},
    {"leaks", "leaks", "block behind that process allocated and nothing frees"},
    {"states", "leaks-bound", "1 block behind that create allocated and nothing frees"},
    {"bare-host", "needs-extension", "in bind of test.needs-extension"},
    {"processes", "exits", "process calls exit"},
    {"processes", "forks", "process calls fork"},
    {"threads", "leaves-thread", "it had begun"},
    {"quiet", "prints", "it wrote: now I process"},
};

typedef struct outcome {
  adl_conform_outcome status;
  char *text;
} outcome;

static outcome run(const char *plugin, const char *check) {
  const char *build = g_getenv("ADLOOM_BUILD"), *only[] = {check, NULL};
  char *path = g_strdup_printf("%s/tests/badplugins/.libs/%s.so", build, plugin);
  adl_conform_options options = {.path = path, .seed = 1, .only = check != NULL ? only : NULL};
  outcome found = {ADL_CONFORM_PASSED, NULL};
  size_t size;
  FILE *out = open_memstream(&found.text, &size);
  ck_assert_ptr_nonnull(out);
  found.status = adl_conform_run(&options, out);
  fclose(out);
  g_free(path);
  g_strdelimit(found.text, "\n", '|'); /* in a message of a test that fails it must not be taken for its result */
  return found;
}

START_TEST(a_broken_plugin_is_found) {
  outcome found = run(broken[_i].plugin, broken[_i].check);
  ck_assert_msg(found.status == ADL_CONFORM_FAILED, "%s passes %s: %s", broken[_i].plugin, broken[_i].check,
                found.text);
  ck_assert_msg(strstr(found.text, broken[_i].check) != NULL && strstr(found.text, "not ok 1 - ") != NULL, "%s",
                found.text);
  ck_assert_msg(strstr(found.text, broken[_i].says) != NULL, "`%s` is not in: %s", broken[_i].says, found.text);
  free(found.text);
}
END_TEST

/* It passes them all: what is found in the others is what they were spoilt by. */
START_TEST(a_right_plugin_passes) {
  outcome found = run("right", NULL);
  ck_assert_msg(found.status == ADL_CONFORM_PASSED, "%s", found.text);
  ck_assert_ptr_null(strstr(found.text, "not ok"));
  ck_assert_ptr_nonnull(strstr(found.text, "|ok 1 - exports: "));
  ck_assert_ptr_nonnull(strstr(found.text, "test.right quiet: "));
  ck_assert_msg(strstr(found.text, "warning") == NULL, "%s", found.text);
  free(found.text);
}
END_TEST

START_TEST(what_is_no_plugin_is_told) {
  static const char *const files[][2] = {{"no-note", "it has no adloom note"}, {"nowhere", "No such file"}};
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    outcome found = run(files[i][0], NULL);
    ck_assert_int_eq(found.status, ADL_CONFORM_IMPOSSIBLE);
    ck_assert_msg(strstr(found.text, "Bail out!") == found.text && strstr(found.text, files[i][1]) != NULL, "%s",
                  found.text);
    free(found.text);
  }
  outcome found = run("right", "no-such-check");
  ck_assert_int_eq(found.status, ADL_CONFORM_IMPOSSIBLE);
  free(found.text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("conform");
  TCase *tests = tcase_create("checks");
  tcase_set_timeout(tests, 240);
  tcase_add_loop_test(tests, a_broken_plugin_is_found, 0, (int)G_N_ELEMENTS(broken));
  tcase_add_test(tests, a_right_plugin_passes);
  tcase_add_test(tests, what_is_no_plugin_is_told);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
