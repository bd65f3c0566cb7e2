/* Parameters: every type and form lands in its field, defaults and what is absent too; what the graph asks afterwards;
 * JSON for manifests and hashes. The words of errors are in the golden files. */
#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/params.h"
#include "tests/config/toy.h"

static adl_problems *problems;
static adl_tree *tree;
static adl_region *region;
static char *directory; /* with the files a.csv, b.csv, B.csv and sub/ */

static void setup(void) {
  problems = adl_problems_new();
  region = adl_region_new();
  directory = g_dir_make_tmp("adloom-[params]-XXXXXX", NULL); /* its name is no pattern */
  ck_assert_ptr_nonnull(directory);
  static const char *const FILES[] = {"a.csv", "b.csv", "B.csv"};
  for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
    char *path = g_build_filename(directory, FILES[i], NULL);
    ck_assert(g_file_set_contents(path, "x", 1, NULL));
    g_free(path);
  }
  char *path = g_build_filename(directory, "sub", NULL);
  ck_assert_int_eq(g_mkdir(path, 0700), 0);
  g_free(path);
}

static void teardown(void) {
  static const char *const FILES[] = {"a.csv", "b.csv", "B.csv", "sub"};
  for (size_t i = 0; i < G_N_ELEMENTS(FILES); i++) {
    char *path = g_build_filename(directory, FILES[i], NULL);
    g_remove(path);
    g_free(path);
  }
  g_remove(directory);
  g_free(directory);
  adl_tree_free(tree);
  adl_region_free(region);
  adl_problems_free(problems);
}

static const char *path_out(void *context, const char *stage, const adl_param *param, const char *text, GString *why) {
  (void)param, (void)why;
  static char made[100];
  g_snprintf(made, sizeof made, "%s/%s/%s.part", (const char *)context, stage, text);
  return made;
}

/* Fills a toy from the stage `s` whose mapping is `text`. */
static const adl_args *fill_class(const adl_class *class, const char *text, void *instance) {
  char *whole = g_strdup_printf("s: %s\n", text);
  adl_tree_free(tree);
  tree = adl_tree_read_text("f", whole, strlen(whole), NULL, problems);
  g_free(whole);
  ck_assert_ptr_nonnull(adl_tree_root(tree));
  const adl_pair *pair = adl_node_pair(adl_tree_root(tree), "s");
  adl_params_request request = {.class = class,
                                .version = "1.0.0",
                                .path = "toys.so",
                                .instance = instance,
                                .stage = "s",
                                .node = pair->value,
                                .place = pair->place,
                                .directory = directory,
                                .check_files = true,
                                .path_out = path_out,
                                .path_out_context = "/out",
                                .region = region};
  return adl_params_fill(&request, problems);
}

static toy filled;

static const adl_args *fill(const char *text) {
  memset(&filled, 0, sizeof filled);
  return fill_class(&toy_class, text, &filled);
}

static const char *printed(void) {
  static char text[4000];
  GString *out = g_string_new(NULL);
  adl_problems_print(problems, out, false);
  g_strlcpy(text, out->str, sizeof text);
  g_string_free(out, TRUE);
  return text;
}

START_TEST(defaults_fill_what_is_not_given) {
  const adl_args *args = fill("{use: toy, features: [a, b]}");
  ck_assert_msg(args->valid, "%s", printed());
  ck_assert(!filled.flag);
  ck_assert_int_eq(filled.clusters, 8);
  ck_assert_int_eq(filled.bits, 0);
  ck_assert_int_eq(filled.memory, 64 << 20);
  ck_assert_int_eq(filled.window, INT64_C(7) * 86400000000);
  ck_assert(filled.rate == 0.1 && filled.limit == INFINITY);
  ck_assert_str_eq(filled.delimiter, ",");
  ck_assert_int_eq(filled.covariance, 0);
  ck_assert_int_eq(filled.nulls.count, 2);
  ck_assert_str_eq(filled.nulls.items[0], "");
  ck_assert_str_eq(filled.nulls.items[1], "NA");
  ck_assert_int_eq(filled.ngram.count, 2);
  ck_assert_int_eq(filled.ngram.items[1], 1);
  ck_assert_int_eq(filled.quantiles.count + filled.synonyms.count + filled.types.count + filled.priors.count, 0);
  ck_assert_ptr_null(filled.stop_words);
  ck_assert_ptr_null(filled.out);
  ck_assert_int_eq(filled.label.slot, -1);
  ck_assert_int_eq(filled.features.slot, -1);
  ck_assert_int_eq(filled.where.slot, -1);
  ck_assert_str_eq(filled.as.name, "toy"); /* a plain name */
  ck_assert_int_eq(filled.as.slot, -1);
  ck_assert_ptr_null(filled.distance.name); /* made only when named */
  ck_assert_int_eq(filled.distance.slot, -1);
  ck_assert_ptr_null(filled.with.name);
  const adl_arg *by = adl_args_find(args, "by");
  ck_assert(!by->given && by->valid);
  ck_assert_str_eq(by->node->text, "*"); /* the default, for the graph to read */
  ck_assert(adl_args_find(args, "features")->given);
  ck_assert_ptr_null(adl_args_find(args, "quantiles")->node);
  ck_assert_ptr_null(adl_args_find(args, "colour"));
}
END_TEST

START_TEST(every_type_and_form_lands_in_its_field) {
  const adl_args *args = fill("{use: toy, features: a, flag: true, k: 0x10, bits: -1e3, memory: 1.5 GiB, window: 1h30m,"
                              " rate: 2, limit: .inf, delimiter: '', password: 7, covariance: diag, nulls: NA,"
                              " ngram: [1, 3], quantiles: .5, synonyms: [[a, 1], []], types: {user: id, 2: null_},"
                              " priors: {a: 0, b: 1}, label: y, where: x > 3, by: [a, 'b'], derive: {a: 1, b: x + 1},"
                              " crosses: [[a, b]], as: 区分, distance: d, with: users, other: items,"
                              " calls: {n: sum(x)}}");
  ck_assert_msg(args->valid, "%s", printed());
  ck_assert(filled.flag);
  ck_assert_int_eq(filled.clusters, 16);
  ck_assert_int_eq(filled.bits, -1000);
  ck_assert_int_eq(filled.memory, 1610612736);
  ck_assert_int_eq(filled.window, 5400000000);
  ck_assert(filled.rate == 2 && filled.limit == INFINITY);
  ck_assert_str_eq(filled.delimiter, "");
  ck_assert_int_eq(filled.password, 7);
  ck_assert_int_eq(filled.covariance, 2);
  ck_assert_int_eq(filled.nulls.count, 1);
  ck_assert_str_eq(filled.nulls.items[0], "NA");
  ck_assert_int_eq(filled.ngram.items[1], 3);
  ck_assert_int_eq(filled.quantiles.count, 1);
  ck_assert(filled.quantiles.items[0] == 0.5);
  ck_assert_int_eq(filled.synonyms.count, 2);
  ck_assert_int_eq(filled.synonyms.items[0].count, 2);
  ck_assert_str_eq(filled.synonyms.items[0].items[1], "1");
  ck_assert_int_eq(filled.synonyms.items[1].count, 0);
  ck_assert_int_eq(filled.types.count, 2);
  ck_assert_str_eq(filled.types.keys[1], "2");
  ck_assert_str_eq(filled.types.values[0], "id");
  ck_assert_str_eq(filled.priors.keys[1], "b");
  ck_assert(filled.priors.values[1] == 1);
  ck_assert_str_eq(filled.as.name, "区分");
  ck_assert_str_eq(filled.distance.name, "d");
  ck_assert_str_eq(filled.with.name, "users");
  ck_assert_int_eq(filled.with.number, 0);
  ck_assert_str_eq(filled.other.name, "items");
  ck_assert_int_eq(filled.other.number, 1);
  /* Left to the graph. */
  ck_assert_int_eq(filled.by.count + filled.crosses.count + filled.derive.count + filled.calls.count, 0);
  ck_assert_ptr_null(filled.where.name);
}
END_TEST

START_TEST(paths_are_absolute_and_patterns_sorted) {
  reader read = {0};
  const adl_args *args = fill_class(&reader_class, "{use: reader, path: ['*.csv', ./a.csv, -]}", &read);
  ck_assert_msg(args->valid, "%s", printed());
  static const char *const NAMES[] = {"B.csv", "a.csv", "b.csv", "./a.csv"};
  ck_assert_int_eq(read.path.count, 5);
  for (int i = 0; i < 4; i++) {
    char *path = g_build_filename(directory, NAMES[i], NULL);
    ck_assert_str_eq(read.path.items[i], path);
    g_free(path);
  }
  ck_assert_str_eq(read.path.items[4], "-");
  args = fill("{use: toy, features: a, stop_words: a.csv, out: r.csv}");
  char *path = g_build_filename(directory, "a.csv", NULL);
  ck_assert_str_eq(filled.stop_words, path);
  ck_assert_str_eq(filled.out, "/out/s/r.csv.part");
  g_free(path);
  args = fill("{use: toy, features: a, stop_words: '-', out: '-'}");
  ck_assert(args->valid);
  ck_assert_str_eq(filled.stop_words, "-");
  ck_assert_str_eq(filled.out, "-");
}
END_TEST

START_TEST(patterns_do_not_match_folders_silently) {
  reader read = {0};
  ck_assert(!fill_class(&reader_class, "{use: reader, path: '*'}", &read)->valid);
  ck_assert_ptr_nonnull(strstr(printed(), "s.path: '*' cannot be read: Is a directory"));
}
END_TEST

static void visit(void *context, const adl_param *param, const char *path) {
  char *name = g_path_get_basename(path);
  g_string_append_printf(context, "%s %s;", param->name, name);
  g_free(name);
}

START_TEST(files_can_be_visited) {
  const adl_args *args = fill("{use: toy, features: a, stop_words: b.csv, path: ['*.csv', -]}");
  ck_assert_msg(args->valid, "%s", printed());
  GString *seen = g_string_new(NULL);
  adl_args_each_file(args, visit, seen);
  ck_assert_str_eq(seen->str, "stop_words b.csv;path B.csv;path a.csv;path b.csv;path -;");
  g_string_free(seen, TRUE);
}
END_TEST

START_TEST(places_of_parameters_and_what_is_in_them) {
  const adl_args *args = fill("{use: toy, features: [aa, b], derive: {x.y: 'a  +', x: 5}, by: a, k: 9}");
  static const struct {
    const char *path;
    int offset, column, width;
  } CASES[] = {
      {NULL, -1, 10, 3},          {"features", -1, 25, 7},  {"features[0]", -1, 26, 2}, {"features[1]", 0, 30, 1},
      {"features[7]", -1, 25, 7}, {"derive.x.y", 3, 52, 1}, {"derive.x", -1, 59, 1},    {"derive.x.y", -1, 48, 6},
      {"derive.z", -1, 42, 19},   {"by", -1, 67, 1},        {"by[0]", 0, 67, 1},        {"clusters", -1, 73, 1},
      {"k", -1, 73, 1},           {"quantiles", -1, 10, 3}, {"ngram", -1, 10, 3},       {"ngram[1]", 0, 10, 3},
      {"nothing", -1, 10, 3},
  };
  for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
    adl_place place = adl_args_place(args, CASES[i].path, CASES[i].offset);
    ck_assert_msg(place.line == 1 && place.column == CASES[i].column && place.width == CASES[i].width,
                  "%s: column %d, width %d", CASES[i].path, place.column, place.width);
  }
  ck_assert_str_eq(adl_args_node(args, "derive.x.y")->text, "a  +");
  ck_assert_str_eq(adl_args_node(args, "ngram[1]")->text, "1");
  ck_assert_ptr_null(adl_args_node(args, "features[2]"));
  ck_assert_ptr_null(adl_args_node(args, "features[0]x"));
  ck_assert_ptr_null(adl_args_node(args, "derive.q"));
  ck_assert_ptr_null(adl_args_node(args, "quantiles"));
  ck_assert_ptr_null(adl_args_node(args, ""));
}
END_TEST

START_TEST(errors_of_plugins_get_place_and_notes) {
  const adl_args *args = fill("{use: toy, features: [aa, b], where: a +}");
  adl_args_error(args, problems, "where", 2, "write more", "an operand is %s", "missing");
  adl_args_error(args, problems, "rate", -1, NULL, "is unlucky");
  adl_args_error(args, problems, NULL, -1, NULL, "cannot be");
  ck_assert_str_eq(printed(),
                   "f:1:10: error: s.rate: is unlucky\n"
                   "    1 | s: {use: toy, features: [aa, b], where: a +}\n"
                   "      |          ^~~\n"
                   "   note: parameter of toy 1.0.0 (toys.so); it is not given, so the default 0.1 is taken\n"
                   "f:1:10: error: s: cannot be\n"
                   "    1 | s: {use: toy, features: [aa, b], where: a +}\n"
                   "      |          ^~~\n"
                   "f:1:43: error: s.where: an operand is missing\n"
                   "    1 | s: {use: toy, features: [aa, b], where: a +}\n"
                   "      |                                           ^\n"
                   "   note: parameter of toy 1.0.0 (toys.so)\n"
                   "   hint: write more\n");
}
END_TEST

static const char *json(const adl_args *args, adl_args_use use) {
  static char text[2000];
  GString *out = g_string_new(NULL);
  adl_args_json(args, use, out);
  g_strlcpy(text, out->str, sizeof text);
  g_string_free(out, TRUE);
  return text;
}

START_TEST(json_is_the_same_for_the_same_values) {
  const adl_args *args =
      fill("{use: toy, features: x, clusters: 0x10, window: 90m, memory: 1024K, rate: 1e-1, nulls: NA,"
           " path: a.csv, out: o.csv, quantiles: [.5, 1], password: 5}");
  ck_assert_msg(args->valid, "%s", printed());
  ck_assert_str_eq(json(args, ADL_ARGS_FOR_MANIFEST),
                   "{\"as\":\"toy\",\"by\":[\"*\"],\"clusters\":16,\"covariance\":\"full\",\"delimiter\":\",\","
                   "\"features\":[\"x\"],\"flag\":false,\"limit\":\"inf\",\"memory\":1048576,\"ngram\":[1,1],"
                   "\"nulls\":[\"NA\"],\"out\":\"o.csv\",\"password\":\"(secret)\",\"path\":[\"a.csv\"],"
                   "\"quantiles\":[0.5,1],\"rate\":0.1,\"window\":5400000000}");
  char *hash = g_strdup(json(args, ADL_ARGS_FOR_HASH));
  ck_assert_ptr_null(strstr(hash, "csv"));
  ck_assert_ptr_null(strstr(hash, "\"password\":\"5\""));
  ck_assert_ptr_nonnull(strstr(hash, "\"password\":\"sha256:"));
  args = fill("{rate: 0.1, k: 16, quantiles: [0.50, 1.0], password: 5, features: [x], use: toy, window: 1h30m,"
              " memory: 1M, nulls: [NA], path: [b.csv], out: p.csv, delimiter: \",\", ngram: [1, 1]}");
  ck_assert_str_eq(json(args, ADL_ARGS_FOR_HASH), hash);
  args = fill("{rate: 0.1, k: 16, quantiles: [0.50, 1.0], password: 6, features: [x], use: toy, window: 1h30m,"
              " memory: 1M, nulls: [NA]}");
  ck_assert_str_ne(json(args, ADL_ARGS_FOR_HASH), hash);
  g_free(hash);
}
END_TEST

START_TEST(json_of_every_form) {
  const adl_args *args =
      fill("{use: toy, features: [x], synonyms: [[a, b], [\"\\\"\"]], types: {z: 1, a: 2}, priors: {b: .1},"
           " label: y, derive: {d: a + 1}, crosses: [[a, b]], calls: {c: sum(x)}, with: w, bits: -5}");
  ck_assert_msg(args->valid, "%s", printed());
  const char *text = json(args, ADL_ARGS_FOR_MANIFEST);
  static const char *const PARTS[] = {"\"synonyms\":[[\"a\",\"b\"],[\"\\\"\"]]",
                                      "\"types\":{\"z\":\"1\",\"a\":\"2\"}",
                                      "\"priors\":{\"b\":0.1}",
                                      "\"label\":\"y\"",
                                      "\"derive\":{\"d\":\"a + 1\"}",
                                      "\"crosses\":[[\"a\",\"b\"]]",
                                      "\"calls\":{\"c\":\"sum(x)\"}",
                                      "\"with\":\"w\"",
                                      "\"bits\":-5"};
  for (size_t i = 0; i < G_N_ELEMENTS(PARTS); i++)
    ck_assert_msg(strstr(text, PARTS[i]) != NULL, "%s: %s", PARTS[i], text);
}
END_TEST

START_TEST(tables_that_are_wrong_do_no_harm) {
  static const adl_param PARAMS[] = {
      {.name = "a", .type = ADL_PARAM_INT, .flags = ADL_MAP_OF},
      {.name = "b", .type = 99},
      {.name = "c", .type = ADL_PARAM_INT, .offset = 4},
      {.name = "d", .type = ADL_PARAM_INT, .offset = UINT32_MAX},
      {.name = "e", .type = ADL_PARAM_INT, .flags = ADL_LIST_OF, .default_value = "[1"},
      {.name = "f", .type = ADL_PARAM_INT, .range = "1 to 3"},
  };
  static const adl_class CLASS = {.struct_size = sizeof(adl_class),
                                  .id = "wrong",
                                  .instance_size = 8,
                                  .params = PARAMS,
                                  .param_count = G_N_ELEMENTS(PARAMS),
                                  .param_size = sizeof *PARAMS};
  int64_t instance = 0;
  const adl_args *args = fill_class(&CLASS, "{use: wrong, a: {x: 1}, b: 1, c: 1, d: 1, f: 2}", &instance);
  ck_assert(!args->valid);
  ck_assert_int_eq(adl_problems_errors(problems), 6);
  for (int i = 0; i < args->count; i++) ck_assert(!args->items[i].valid);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("config/params");
  TCase *tests = tcase_create("params");
  tcase_add_checked_fixture(tests, setup, teardown);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, defaults_fill_what_is_not_given);
  tcase_add_test(tests, every_type_and_form_lands_in_its_field);
  tcase_add_test(tests, paths_are_absolute_and_patterns_sorted);
  tcase_add_test(tests, patterns_do_not_match_folders_silently);
  tcase_add_test(tests, files_can_be_visited);
  tcase_add_test(tests, places_of_parameters_and_what_is_in_them);
  tcase_add_test(tests, errors_of_plugins_get_place_and_notes);
  tcase_add_test(tests, json_is_the_same_for_the_same_values);
  tcase_add_test(tests, json_of_every_form);
  tcase_add_test(tests, tables_that_are_wrong_do_no_harm);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
