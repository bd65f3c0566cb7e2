/*
 * Every kind of error in a pipeline file, word for word. Each tests/golden/config/NAME.yaml is read, its stages are
 * checked against the classes of toy.h, and what is printed must be NAME.expected. Lines "# --set x=y" and "# --var x=y"
 * in front of the file are options. With ADLOOM_UPDATE_GOLDEN set the expected files are written instead: look at the
 * difference before you commit it.
 */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/config/params.h"
#include "core/config/read.h"
#include "tests/config/toy.h"

static GPtrArray *cases; /* of char *: NAME, sorted */

static char *folder(void) {
  const char *source = g_getenv("ADLOOM_SRC");
  return g_build_filename(source != NULL ? source : ".", "tests", "golden", "config", NULL);
}

/* The options that the file asks for in its first lines. */
static GPtrArray *options_of(const char *file, const char *mark) {
  GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
  char *text;
  if (g_file_get_contents(file, &text, NULL, NULL)) {
    char **lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; g_str_has_prefix(*line, "# --"); line++) {
      if (g_str_has_prefix(*line, mark)) g_ptr_array_add(found, g_strdup(*line + strlen(mark)));
    }
    g_strfreev(lines);
    g_free(text);
  }
  g_ptr_array_add(found, NULL);
  return found;
}

static const char *write_to(void *context, const char *stage, const adl_param *param, const char *text, GString *why) {
  (void)context, (void)stage, (void)param;
  if (strcmp(text, "/read-only") != 0) return text;
  g_string_append(why, "Permission denied");
  return NULL;
}

static void fill(const adl_pair *stage, const char *directory, adl_region *region, adl_problems *problems) {
  const adl_node *use = adl_node_get(stage->value, "use");
  const char *id = "";
  if (!adl_read_kind(stage->value, stage->key, ADL_NODE_MAPPING, "{use: toy}", problems)) return;
  if (use == NULL || !adl_read_text(use, "use", &id, problems)) return;
  const adl_class *class = find_toy(id);
  ck_assert_msg(class != NULL, "no class %s", id);
  adl_params_request request = {.class = class,
                                .version = "1.0.0",
                                .path = "toys.so",
                                .instance = adl_region_alloc(region, class->instance_size),
                                .stage = stage->key,
                                .node = stage->value,
                                .place = stage->place,
                                .directory = directory,
                                .check_files = true,
                                .path_out = write_to,
                                .region = region};
  const adl_node *learn = adl_node_get(stage->value, "learn");
  request.learns = learn != NULL && strcmp(learn->text, "fit") == 0;
  int before = adl_problems_errors(problems);
  const adl_args *args = adl_params_fill(&request, problems);
  int after = adl_problems_errors(problems);
  ck_assert_msg(args->valid ? after == before : after > 0, "%s: valid or not, but not both", stage->key);
}

static char *check_file(const char *file, const char *directory) {
  adl_problems *problems = adl_problems_new();
  GPtrArray *sets = options_of(file, "# --set "), *variables = options_of(file, "# --var ");
  adl_tree *tree = adl_tree_read_file(file, (const char *const *)variables->pdata, problems);
  for (guint i = 0; i + 1 < sets->len; i++) adl_tree_set(tree, g_ptr_array_index(sets, i), problems);
  adl_region *region = adl_region_new();
  const adl_node *root = adl_tree_root(tree), *stages = root != NULL ? adl_node_get(root, "stages") : NULL;
  if (root != NULL && adl_read_kind(root, "the pipeline", ADL_NODE_MAPPING, NULL, problems)) {
    static const char *const KEYS[] = {"adloom", "name", "seed", "stages", NULL};
    adl_read_keys(root, "the pipeline", KEYS, true, problems);
  }
  for (int i = 0; stages != NULL && i < stages->count; i++) fill(&stages->pairs[i], directory, region, problems);
  GString *out = g_string_new(NULL);
  adl_problems_print(problems, out, false);
  adl_problems_count_text(problems, out);
  g_string_append_c(out, '\n');
  adl_region_free(region);
  adl_tree_free(tree);
  adl_problems_free(problems);
  g_ptr_array_free(sets, TRUE);
  g_ptr_array_free(variables, TRUE);
  g_string_replace(out, directory, "DIRECTORY", 0);
  return g_string_free(out, FALSE);
}

START_TEST(says_what_the_golden_file_says) {
  const char *name = g_ptr_array_index(cases, (guint)_i);
  char *directory = folder();
  ck_assert_int_eq(chdir(directory), 0);
  char *here = g_get_current_dir(); /* without links, as it will be in messages */
  char *file = g_strconcat(name, ".yaml", NULL), *golden = g_strconcat(name, ".expected", NULL);
  char *got = check_file(file, here), *expected = NULL;
  if (g_getenv("ADLOOM_UPDATE_GOLDEN") != NULL) ck_assert(g_file_set_contents(golden, got, -1, NULL));
  ck_assert_msg(g_file_get_contents(golden, &expected, NULL, NULL), "%s is missing", golden);
  ck_assert_msg(strcmp(got, expected) == 0, "%s: expected\n%s\ngot\n%s", name, expected, got);
  g_free(got);
  g_free(expected);
  g_free(file);
  g_free(golden);
  g_free(here);
  g_free(directory);
}
END_TEST

static int by_name(gconstpointer a, gconstpointer b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void find_cases(void) {
  cases = g_ptr_array_new_with_free_func(g_free);
  char *directory = folder();
  GDir *dir = g_dir_open(directory, 0, NULL);
  const char *entry;
  while (dir != NULL && (entry = g_dir_read_name(dir)) != NULL) {
    if (g_str_has_suffix(entry, ".yaml")) g_ptr_array_add(cases, g_strndup(entry, strlen(entry) - 5));
  }
  if (dir != NULL) g_dir_close(dir);
  g_ptr_array_sort(cases, by_name);
  g_free(directory);
}

int main(void) {
  g_setenv("LC_ALL", "C", TRUE); /* messages of the C library */
  find_cases();
  Suite *suite = suite_create("config/golden");
  TCase *tests = tcase_create("files");
  tcase_add_loop_test(tests, says_what_the_golden_file_says, 0, (int)cases->len);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner) + (cases->len == 0);
  srunner_free(runner);
  g_ptr_array_free(cases, TRUE);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
