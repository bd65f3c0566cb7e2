/*
 * Texts made from the tables of plugins: `adloom plugin list`, `show`, and the Markdown of the reference.
 */
#include "tests/plugin/scene.h"

#include "core/plugin/describe.h"

static const adl_loaded *find(adl_registry *registry, const char *id) {
  GString *why = g_string_new(NULL);
  const adl_loaded *loaded = adl_registry_find(registry, id, why);
  ck_assert_msg(loaded != NULL, "%s", why->str);
  g_string_free(why, TRUE);
  return loaded;
}

static void expect_type(const adl_param *param, const char *text) {
  GString *out = g_string_new(NULL);
  adl_describe_type(param, out);
  ck_assert_str_eq(out->str, text);
  g_string_free(out, TRUE);
}

START_TEST(types) {
  expect_type(&(adl_param){.type = ADL_PARAM_BOOL}, "true or false");
  expect_type(&(adl_param){.type = ADL_PARAM_FLOAT, .flags = ADL_MAP_OF}, "names with numbers");
  expect_type(&(adl_param){.type = ADL_PARAM_CHOICE, .choices = "a|b|c"}, "one of a, b or c");
  expect_type(&(adl_param){.type = ADL_PARAM_CALL, .flags = ADL_MAP_OF, .choices = "sum/1|bag/1-2"},
              "names with function calls of sum or bag");
  expect_type(&(adl_param){.type = ADL_PARAM_COLUMN,
                           .flags = ADL_LISTS_OF,
                           .elements = ADL_MASK(ADL_STRING) | ADL_MASK(ADL_BYTES),
                           .shapes = ADL_MASK(ADL_SCALAR) | ADL_MASK(ADL_LIST),
                           .roles = ADL_MASK(ADL_CATEGORY)},
              "list of lists of columns (string or bytes; scalar or list; category)");
  expect_type(&(adl_param){.type = ADL_PARAM_COLUMN, .elements = ADL_ANY_NUMERIC | ADL_MASK(ADL_TIMESTAMP)},
              "column (any numeric, timestamp)");
}
END_TEST

START_TEST(show) {
  char *path = scene_built("good");
  adl_registry *registry = adl_registry_new(NULL);
  GString *out = g_string_new(NULL);
  ck_assert(adl_registry_add_file(registry, path, out));
  const adl_loaded *number = find(registry, "test.number");
  adl_describe_class(number, 60, out);
  char *text = g_strdup_printf("test.number (feature): A number in every row\n"
                               "\n"
                               "  Adds a column that holds the same number in every row.\n"
                               "\n"
                               "  Every row leaves, with the new columns added.\n"
                               "\n"
                               "Parameters\n"
                               "  number\n"
                               "      whole number; in [1, 100], default 8\n"
                               "      What every row gets.\n"
                               "  as\n"
                               "      name for a new column; default number\n"
                               "      Name of the new column.\n"
                               "\n"
                               "Plugin test.good 1.0.0, ABI 1.0\n"
                               "  %s (plugins: of the pipeline)\n"
                               "  build %s\n"
                               "  by the adloom tests\n"
                               "  licence Apache-2.0\n",
                               path, number->build);
  ck_assert_str_eq(out->str, text);
  g_free(text);
  g_string_truncate(out, 0);
  adl_describe_markdown(number, 3, out);
  ck_assert_str_eq(out->str, "### test.number\n"
                             "\n"
                             "*A number in every row*\n"
                             "\n"
                             "Adds a column that holds the same number in every row.\n"
                             "\n"
                             "Every row leaves, with the new columns added.\n"
                             "\n"
                             "| parameter | type | | what it is |\n"
                             "| --- | --- | --- | --- |\n"
                             "| `number` | whole number | in [1, 100], default 8 | What every row gets. |\n"
                             "| `as` | name for a new column | default number | Name of the new column. |\n"
                             "\n");
  g_string_free(out, TRUE);
  adl_registry_free(registry);
  g_free(path);
}
END_TEST

/* No line is wider than asked for, no word is lost, and examples stay as they are. */
START_TEST(wrapping) {
  char *path = scene_built("good");
  adl_registry *registry = adl_registry_new(NULL);
  GString *out = g_string_new(NULL);
  ck_assert(adl_registry_add_file(registry, path, out));
  adl_loaded changed = *find(registry, "test.number");
  changed.class.doc = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen.\n\n"
                      "  words:   {use: tfidf, text: text,    as: words}\n  more:    {use: this}\n\nThe end.";
  changed.class.param_count = 0;
  adl_describe_class(&changed, 40, out);
  const char *body = "  One two three four five six seven\n"
                     "  eight nine ten eleven twelve thirteen\n"
                     "  fourteen.\n"
                     "\n"
                     "    words:   {use: tfidf, text: text,    as: words}\n"
                     "    more:    {use: this}\n"
                     "\n"
                     "  The end.\n";
  ck_assert_msg(strstr(out->str, body) != NULL, "%s", out->str);
  ck_assert_msg(strstr(out->str, "It has no parameters.\n") != NULL, "%s", out->str);
  g_string_free(out, TRUE);
  adl_registry_free(registry);
  g_free(path);
}
END_TEST

START_TEST(list) {
  scene s = scene_open();
  char *first = scene_copy("good", s.plugins, "a"), *second = scene_copy("good", s.plugins, "b");
  char *wrong = scene_copy("wrong-major", s.plugins, "c");
  adl_registry *registry = adl_registry_new(NULL);
  adl_registry_scan(registry);
  GString *out = g_string_new(NULL);
  adl_describe_list(registry, out);
  char *lines[] = {
      g_strdup_printf("\nsink       test.nowhere"), g_strdup_printf(" 1.0.0    %s\n", first),
      g_strdup_printf("\nshadowed   test.old in %s, by %s\n", second, first),
      g_strdup_printf("\nrefused    %s: it was built for plugin ABI 7.0, ", wrong),
      g_strdup_printf("\nnot read   %s/nowhere/adloom/plugins (your own plugins): no such directory\n", s.folder)};
  for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
    ck_assert_msg(strstr(out->str, lines[i]) != NULL, "\"%s\" is missing in:\n%s", lines[i], out->str);
    g_free(lines[i]);
  }
  g_string_free(out, TRUE);
  adl_registry_free(registry);
  g_free(first);
  g_free(second);
  g_free(wrong);
  scene_close(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("describe");
  TCase *tests = tcase_create("describe");
  tcase_add_test(tests, types);
  tcase_add_test(tests, show);
  tcase_add_test(tests, wrapping);
  tcase_add_test(tests, list);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
