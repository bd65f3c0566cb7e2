/*
 * Every kind of error that `adloom check` finds in a pipeline once stages are known: classes, parameters, wiring, names,
 * types, expressions, holdouts, learning. Each tests/golden/pipelines/NAME.yaml is checked by the program itself, and what
 * it says must be NAME.expected: message, place, source line, caret. Lines "# --set x=y" and "# --var x=y" in front of
 * the file are options. With ADLOOM_UPDATE_GOLDEN set the expected files are written instead: look at the difference
 * before you commit it. What the surroundings decide is taken out first: folders, and where plugins were looked for.
 */
#include <check.h>
#include <glib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static GPtrArray *cases; /* of char *: NAME, sorted */

static char *golden_folder(void) {
  const char *source = g_getenv("ADLOOM_SRC");
  ck_assert_msg(source != NULL, "ADLOOM_SRC is not set; run this by make check");
  return g_build_filename(source, "tests", "golden", "pipelines", NULL);
}

static char *replace_all(char *text, const char *pattern, const char *by) {
  GRegex *regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
  ck_assert_ptr_nonnull(regex);
  char *replaced = g_regex_replace(regex, text, -1, 0, by, 0, NULL);
  g_regex_unref(regex);
  g_free(text);
  return replaced;
}

static char *without_surroundings(char *text, const char *folder) {
  GString *out = g_string_new(text);
  g_string_replace(out, folder, "FOLDER", 0);
  g_free(text);
  text = g_string_free(out, FALSE);
  text = replace_all(text, "^   note: looked in .*\\n", "");
  return replace_all(text, "^(   note: parameter of [^ ]+ [^ ]+) \\((?:built in|[^)]*\\.so)\\)", "\\1 (PLUGIN)");
}

/* Options that the file asks for in its first lines. */
static void add_options(GPtrArray *arguments, const char *file) {
  char *text = NULL;
  ck_assert(g_file_get_contents(file, &text, NULL, NULL));
  char **lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; g_str_has_prefix(*line, "# --"); line++) {
    char **words = g_strsplit(*line + 2, " ", 2);
    g_ptr_array_add(arguments, g_strdup(words[0]));
    g_ptr_array_add(arguments, g_strdup(words[1]));
    g_strfreev(words);
  }
  g_strfreev(lines);
  g_free(text);
}

/* What the program says about the file, with its exit status in the last line. */
static char *check_file(const char *folder, const char *file) {
  const char *build = g_getenv("ADLOOM_BUILD");
  ck_assert_msg(build != NULL, "ADLOOM_BUILD is not set; run this by make check");
  GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(arguments, g_build_filename(build, "adloom", NULL));
  g_ptr_array_add(arguments, g_strdup("check"));
  g_ptr_array_add(arguments, g_strdup(file));
  add_options(arguments, file);
  g_ptr_array_add(arguments, NULL);
  char *out = NULL, *said = NULL;
  int status = 0;
  GError *error = NULL;
  bool ran =
      g_spawn_sync(folder, (char **)arguments->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &said, &status, &error);
  ck_assert_msg(ran, "%s", ran ? "" : error->message);
  ck_assert_msg(WIFEXITED(status), "ended by signal %d: %s", WTERMSIG(status), said);
  char *all = g_strdup_printf("%s%sexit status %d\n", out, said, WEXITSTATUS(status));
  ck_assert_msg(WEXITSTATUS(status) == (strstr(said, "error") != NULL ? 2 : 0), "%s", all);
  g_ptr_array_free(arguments, TRUE);
  g_free(out);
  g_free(said);
  return without_surroundings(all, folder);
}

START_TEST(says_what_the_golden_file_says) {
  const char *name = g_ptr_array_index(cases, (guint)_i);
  char *folder = golden_folder();
  ck_assert_int_eq(chdir(folder), 0);
  char *here = g_get_current_dir(); /* without links, as it will be in messages */
  char *file = g_strconcat(name, ".yaml", NULL), *golden = g_strconcat(name, ".expected", NULL), *expected = NULL;
  char *got = check_file(here, file);
  if (g_getenv("ADLOOM_UPDATE_GOLDEN") != NULL) ck_assert(g_file_set_contents(golden, got, -1, NULL));
  ck_assert_msg(g_file_get_contents(golden, &expected, NULL, NULL), "%s is missing", golden);
  size_t same = 0; /* up to the first line that differs; Check cannot take long messages */
  for (size_t i = 0; got[i] == expected[i] && got[i] != '\0'; i++)
    if (got[i] == '\n') same = i + 1;
  ck_assert_msg(strcmp(got, expected) == 0, "%s: expected\n%.600s\ngot\n%.600s", name, expected + same, got + same);
  g_free(got);
  g_free(expected);
  g_free(file);
  g_free(golden);
  g_free(here);
  g_free(folder);
}
END_TEST

static int by_name(gconstpointer a, gconstpointer b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void find_cases(void) {
  cases = g_ptr_array_new_with_free_func(g_free);
  const char *source = g_getenv("ADLOOM_SRC");
  char *folder = g_build_filename(source != NULL ? source : ".", "tests", "golden", "pipelines", NULL);
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *entry = dir != NULL ? g_dir_read_name(dir) : NULL; entry != NULL; entry = g_dir_read_name(dir))
    if (g_str_has_suffix(entry, ".yaml")) g_ptr_array_add(cases, g_strndup(entry, strlen(entry) - strlen(".yaml")));
  if (dir != NULL) g_dir_close(dir);
  g_ptr_array_sort(cases, by_name);
  g_free(folder);
}

int main(void) {
  g_setenv("LC_ALL", "C", TRUE); /* messages of the C library */
  g_unsetenv("ADLOOM_PLUGIN_PATH");
  g_unsetenv("OUT"); /* variables of the files */
  g_unsetenv("FILE");
  find_cases();
  Suite *suite = suite_create("pipelines");
  TCase *tests = tcase_create("files");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, says_what_the_golden_file_says, 0, (int)cases->len);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner) + (cases->len == 0);
  srunner_free(runner);
  g_ptr_array_free(cases, TRUE);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
