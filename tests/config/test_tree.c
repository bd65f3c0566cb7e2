/* The tree: what YAML means, where everything stands, what --set changes, and that no file can make it grow without
 * bounds. The words of errors are in the golden files. */
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/tree.h"

static adl_problems *problems;
static adl_tree *tree;

static void setup(void) { problems = adl_problems_new(); }

static void teardown(void) {
  adl_tree_free(tree);
  adl_problems_free(problems);
}

static const adl_node *read_text(const char *text) {
  adl_tree_free(tree);
  tree = adl_tree_read_text("f", text, strlen(text), NULL, problems);
  return adl_tree_root(tree);
}

static const char *printed(void) {
  static char text[4000];
  GString *out = g_string_new(NULL);
  adl_problems_print(problems, out, false);
  g_strlcpy(text, out->str, sizeof text);
  g_string_free(out, TRUE);
  return text;
}

/* The tree in one line: JSON, with plain scalars bare. */
static void write_node(const adl_node *node, GString *out) {
  if (node->kind == ADL_NODE_SCALAR) {
    g_string_append_printf(out, node->quoted ? "\"%s\"" : node->null ? "null(%s)" : "%s", node->text);
    return;
  }
  g_string_append_c(out, node->kind == ADL_NODE_SEQUENCE ? '[' : '{');
  for (int i = 0; i < node->count; i++) {
    if (i > 0) g_string_append_c(out, ' ');
    if (node->kind == ADL_NODE_MAPPING) g_string_append_printf(out, "%s:", node->pairs[i].key);
    write_node(node->kind == ADL_NODE_MAPPING ? node->pairs[i].value : node->items[i], out);
  }
  g_string_append_c(out, node->kind == ADL_NODE_SEQUENCE ? ']' : '}');
}

static void is(const adl_node *node, const char *expected) {
  ck_assert_msg(node != NULL, "%s", printed());
  GString *out = g_string_new(NULL);
  write_node(node, out);
  ck_assert_str_eq(out->str, expected);
  g_string_free(out, TRUE);
}

static void means(const char *text, const char *expected) {
  is(read_text(text), expected);
  ck_assert_msg(adl_problems_errors(problems) == 0, "%s", printed());
}

START_TEST(yaml_means_what_it_should) {
  means("a: 1\nb: [x, 'y', \"z\"]\nc: {d: null, e: ~, f: , g: ''}", "{a:1 b:[x \"y\" \"z\"] c:{d:null(null) e:null(~) "
                                                                    "f:null() g:\"\"}}");
  means("- a\n-\n  - b\n- {}\n- []\n", "[a [b] {} []]");
  means("a: |\n  one\n  two\nb: >\n  one\n  two\n", "{a:\"one\ntwo\n\" b:\"one two\n\"}");
  means("a: one\n  two\nb: \"x\\ty\"\n", "{a:one two b:\"x\ty\"}");
  means("a: !!str 5\nb: !!int \"5\"\nc: ! x\nd: !!map {}\ne: !!seq []\n", "{a:\"5\" b:5 c:\"x\" d:{} e:[]}");
  means("%YAML 1.2\n---\na: 1\n...\n", "{a:1}");
  means("\xef\xbb\xbf"
        "a: 1\r\nb: 2\r\n",
        "{a:1 b:2}");
  means("yes: no\n1: 2\n", "{yes:no 1:2}");
  means("5\n", "5");
}
END_TEST

START_TEST(anchors_and_merge_keys) {
  means("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n", "{a:[1 2] b:[1 2] c:3 d:3}");
  means("a: &a {x: 1, y: 2}\nb: {z: 0, <<: *a, y: 3, w: 4}\n", "{a:{x:1 y:2} b:{z:0 x:1 y:3 w:4}}");
  means("a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b, {y: 9, z: 4}]}\n", "{a:{x:1} b:{x:2 y:3} c:{x:1 y:3 z:4}}");
  means("a: &a {x: &i 1}\nb: {<<: *a, y: *i}\n", "{a:{x:1} b:{x:1 y:1}}");
  means("a: &k key\n? *k\n: 1\n", "{a:key key:1}");
  means("'<<': 1\n", "{<<:1}");
}
END_TEST

START_TEST(copies_know_where_they_are_used) {
  const adl_node *root = read_text("a: &a\n  x: [1]\nb: *a\n");
  const adl_node *copy = adl_node_get(adl_node_get(root, "b"), "x")->items[0];
  ck_assert_int_eq(copy->place.line, 2);
  ck_assert_int_eq(copy->alias->line, 3);
  ck_assert_int_eq(copy->alias->column, 4);
  ck_assert_ptr_null(adl_node_get(adl_node_get(root, "a"), "x")->alias);
}
END_TEST

static void stands(const adl_place place, int line, int column, int width) {
  ck_assert_str_eq(place.file, "f");
  ck_assert_int_eq(place.line, line);
  ck_assert_int_eq(place.column, column);
  ck_assert_int_eq(place.width, width);
}

START_TEST(everything_knows_its_place) {
  const adl_node *root = read_text("# 注釈\n単語: {鍵: 値, b: &x 'q q', c: !!str  d}\n"
                                   "x:\n  - &y # why\n    [1,\n     2]\ny: |\n  text\n");
  const adl_pair *pair = adl_node_pair(root, "単語");
  stands(pair->place, 2, 1, 2);
  stands(pair->value->place, 2, 5, 32);
  stands(adl_node_pair(pair->value, "鍵")->place, 2, 6, 1);
  stands(adl_node_get(pair->value, "鍵")->place, 2, 9, 1);
  stands(adl_node_get(pair->value, "b")->place, 2, 18, 5); /* behind the anchor */
  stands(adl_node_get(pair->value, "c")->place, 2, 35, 1); /* behind the tag */
  const adl_node *list = adl_node_get(root, "x");
  stands(list->items[0]->place, 5, 5, 1);
  stands(list->items[0]->items[1]->place, 6, 6, 1);
  stands(adl_node_get(root, "y")->place, 7, 4, 1);
  /* NEL, LS and PS end lines for libyaml, but not for editors. */
  root = read_text("a: \"x\xc2\x85\xe2\x80\xa8y\"\nb: z\n");
  stands(adl_node_get(root, "b")->place, 2, 4, 1);
}
END_TEST

static void offset(const char *scalar, int at, int column) {
  char *text = g_strconcat("v: ", scalar, "\n", NULL);
  const adl_node *node = adl_node_get(read_text(text), "v");
  ck_assert_msg(node != NULL, "%s", printed());
  adl_place place = adl_node_place(node, at);
  ck_assert_msg(place.line == 1 && place.column == column, "%s at %d: column %d, not %d", scalar, at, place.column,
                column);
  g_free(text);
}

START_TEST(carets_inside_scalars) {
  offset("a + b", 0, 4);
  offset("a + b", 4, 8);
  offset("a + b", 5, 9); /* behind the end */
  offset("a + b", 99, 9);
  offset("単語 + b", 6, 6); /* bytes in, characters out */
  offset("'a + b'", 4, 9);
  offset("'it''s b'", 5, 11);
  offset("\"a + b\"", 4, 9);
  offset("\"\\t\\x41\\u00e9\\\\b\"", 1, 7);  /* the A */
  offset("\"\\t\\x41\\u00e9\\\\b\"", 2, 11); /* the e with its accent: two bytes */
  offset("\"\\t\\x41\\u00e9\\\\b\"", 4, 17); /* the backslash */
  offset("\"\\t\\x41\\u00e9\\\\b\"", 5, 19);
  offset("\"\\_\\Lb\"", 5, 9);
  offset("&x a + b", 4, 11);
  offset("a\n  + b", 2, 4); /* several lines: its start */
  offset("|\n  abc", 2, 4);
  offset("", 0, 3);
}
END_TEST

START_TEST(carets_behind_variables) {
  static const char *const VARIABLES[] = {"LONG=0123456789", "SHORT=1", NULL};
  static const char TEXT[] = "v: ${LONG} + $${x} + ${SHORT} + bad\n";
  tree = adl_tree_read_text("f", TEXT, strlen(TEXT), VARIABLES, problems);
  const adl_node *node = adl_node_get(adl_tree_root(tree), "v");
  ck_assert_str_eq(node->text, "0123456789 + ${x} + 1 + bad");
  ck_assert_int_eq(adl_node_place(node, 0).column, 4);
  ck_assert_int_eq(adl_node_place(node, 7).column, 4);   /* inside of what came from LONG */
  ck_assert_int_eq(adl_node_place(node, 11).column, 12); /* the first + */
  ck_assert_int_eq(adl_node_place(node, 16).column, 18); /* the escaped brace's end */
  ck_assert_int_eq(adl_node_place(node, 20).column, 22); /* SHORT */
  ck_assert_int_eq(adl_node_place(node, 24).column, 33); /* bad */
}
END_TEST

START_TEST(variables_are_replaced) {
  static const char *const VARIABLES[] = {"A=x: 1", "B=5", "B=6", "EMPTY=", NULL};
  static const char TEXT[] =
      "a: ${A}\nb: [${B}, '${B}', \"${B}M\"]\nc: {d: ${NONE:-a b}, e: ${EMPTY:-e}, f: ${EMPTY}}\n"
      "d: $B $${B} $ {B}\n${B}: 1\ne: ${ADLOOM_TEST_ENV}\nf: ${B:-x}${NONE:-}\n# ${NOT_READ}\n";
  g_setenv("ADLOOM_TEST_ENV", "from outside", TRUE);
  tree = adl_tree_read_text("f", TEXT, strlen(TEXT), VARIABLES, problems);
  is(adl_tree_root(tree), "{a:x: 1 b:[6 6 6M] c:{d:a b e:e f:} d:$B ${B} $ {B} ${B}:1 e:from outside f:6}");
  ck_assert_msg(adl_problems_errors(problems) == 0, "%s", printed());
}
END_TEST

START_TEST(set_changes_the_tree) {
  static const struct {
    const char *option, *expected;
  } CASES[] = {
      {"seed=7", "{seed:7 stages:{log:{path:a} b:null()}}"},
      {"name=x: y # z", "{seed:1 stages:{log:{path:a} b:null()} name:x: y # z}"},
      {"log.path=b.csv", "{seed:1 stages:{log:{path:b.csv} b:null()}}"},
      {"stages.log.path=b", "{seed:1 stages:{log:{path:b} b:null()}}"},
      {"log.path=[a, 'b']", "{seed:1 stages:{log:{path:[a \"b\"]} b:null()}}"},
      {"log.holdout.fraction=.3", "{seed:1 stages:{log:{path:a holdout:{fraction:.3}} b:null()}}"},
      {"b.use=x", "{seed:1 stages:{log:{path:a} b:{use:x}}}"},
      {"log.path=\"*\"", "{seed:1 stages:{log:{path:\"*\"} b:null()}}"},
      {"log.path=*", "{seed:1 stages:{log:{path:*} b:null()}}"},
      {"log.path=  %Y = %m ", "{seed:1 stages:{log:{path:%Y = %m} b:null()}}"},
      {"log.path=", "{seed:1 stages:{log:{path:null()} b:null()}}"},
      {"log.path=null", "{seed:1 stages:{log:{path:null(null)} b:null()}}"},
      {"log.types={a: [1]}", "{seed:1 stages:{log:{path:a types:{a:[1]}} b:null()}}"},
      {"log.path=${V}/x", "{seed:1 stages:{log:{path:v/x} b:null()}}"},
  };
  static const char *const VARIABLES[] = {"V=v", NULL};
  static const char TEXT[] = "seed: 1\nstages: {log: {path: a}, b: }";
  for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
    adl_tree_free(tree);
    tree = adl_tree_read_text("f", TEXT, strlen(TEXT), VARIABLES, problems);
    ck_assert_msg(adl_tree_set(tree, CASES[i].option, problems), "%s: %s", CASES[i].option, printed());
    is(adl_tree_root(tree), CASES[i].expected);
  }
  ck_assert_int_eq(adl_problems_errors(problems), 0);
}
END_TEST

START_TEST(set_values_have_a_place_of_their_own) {
  const adl_node *root = read_text("stages: {a: {b: 1, c: [1, 2]}}");
  ck_assert(adl_tree_set(tree, "a.b=two", problems));
  ck_assert(adl_tree_set(tree, "a.long=[x,\ny]", problems)); /* an option of two lines */
  ck_assert(adl_tree_set(tree, "a.c.1=(x + 1)", problems));
  const adl_node *stage = adl_node_get(adl_node_get(root, "stages"), "a");
  adl_place place = adl_node_place(stage->pairs[0].value, 2);
  ck_assert_str_eq(place.file, "--set");
  ck_assert_int_eq(place.line, 1);
  ck_assert_int_eq(place.column, 7);
  ck_assert_int_eq(stage->pairs[0].place.column, 3);
  ck_assert_int_eq(adl_node_get(stage, "long")->items[1]->place.line, 3);
  place = adl_node_place(adl_node_get(stage, "c")->items[1], 5);
  ck_assert_int_eq(place.line, 4);
  ck_assert_int_eq(place.column, 12);
  adl_problems_error(problems, place, "here");
  ck_assert_str_eq(printed(), "--set:4:12: error: here\n    4 | a.c.1=(x + 1)\n      |            ^\n");
}
END_TEST

START_TEST(set_does_not_reach_through_aliases) {
  const adl_node *root = read_text("stages: {a: &a {b: 1}, c: *a, d: {<<: *a}}");
  ck_assert(adl_tree_set(tree, "c.b=2", problems));
  ck_assert(adl_tree_set(tree, "d.b=3", problems));
  is(root, "{stages:{a:{b:1} c:{b:2} d:{b:3}}}");
}
END_TEST

START_TEST(defaults_are_plain_or_flow) {
  static const struct {
    const char *text, *expected;
  } CASES[] = {{"8", "8"},          {",", ","},          {"*", "*"},       {"%Y-%m", "%Y-%m"}, {"", "null()"},
               {"[1, a]", "[1 a]"}, {"{a: 1}", "{a:1}"}, {"${X}", "${X}"}, {"[${X}", NULL},    {"[a] b", NULL}};
  adl_region *region = adl_region_new();
  adl_place place = {"f", 3, 4, 5};
  for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
    const char *why = NULL;
    adl_node *node = adl_node_of_default(region, CASES[i].text, place, &why);
    if (CASES[i].expected == NULL) {
      ck_assert_ptr_null(node);
      ck_assert_ptr_nonnull(why);
      continue;
    }
    is(node, CASES[i].expected);
    stands(adl_node_place(node, 3), 3, 4, 5);
  }
  adl_region_free(region);
}
END_TEST

/* Reads a file of those bytes; the first line of what is printed. */
static const char *read_bytes(const char *bytes, gsize size) {
  static char first[300];
  char *path = NULL;
  int file = g_file_open_tmp("adloom-tree-XXXXXX", &path, NULL);
  ck_assert_int_ge(file, 0);
  close(file);
  ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
  adl_problems_free(problems);
  adl_tree_free(tree);
  problems = adl_problems_new();
  tree = adl_tree_read_file(path, NULL, problems);
  g_strlcpy(first, adl_problems_errors(problems) > 0 ? strstr(printed(), "error: ") : "fine", sizeof first);
  first[strcspn(first, "\n")] = '\0';
  g_unlink(path);
  g_free(path);
  return first;
}

START_TEST(files_are_bounded) {
  GString *text = g_string_new("a: ");
  while (text->len < ADL_TREE_MAX_BYTES - 10) g_string_append(text, "xxxxxxxx ");
  ck_assert_str_eq(read_bytes(text->str, text->len), "fine");
  while (text->len <= ADL_TREE_MAX_BYTES) g_string_append_c(text, 'x');
  ck_assert_str_eq(read_bytes(text->str, text->len), "error: is larger than 4 MiB");
  g_string_assign(text, "[");
  for (int i = 0; i < ADL_TREE_MAX_NODES; i++) g_string_append(text, "1,");
  g_string_append_c(text, ']');
  ck_assert_str_eq(read_bytes(text->str, text->len),
                   "error: more than 200000 values, aliases counted as often as they are used");
  g_string_free(text, TRUE);
  ck_assert_str_eq(read_bytes("", 0), "error: is empty");
}
END_TEST

START_TEST(what_variables_bring_is_bounded) {
  char *long_value = g_strnfill(1 << 20, 'x');
  char *option = g_strconcat("X=", long_value, NULL);
  const char *variables[] = {option, NULL};
  static const char TEXT[] = "- ${X}\n- ${X}\n- ${X}\n- ${X}\n- ${X}\n";
  tree = adl_tree_read_text("f", TEXT, strlen(TEXT), variables, problems);
  ck_assert_int_eq(adl_problems_errors(problems), 1);
  ck_assert_ptr_nonnull(strstr(printed(), "f:5:3: error: variables bring more than 4 MiB into the file"));
  g_free(option);
  g_free(long_value);
}
END_TEST

START_TEST(files_that_cannot_be_read) {
  tree = adl_tree_read_file("/nowhere/at/all.yaml", NULL, problems);
  ck_assert_ptr_null(adl_tree_root(tree));
  ck_assert(!adl_tree_set(tree, "a.b=1", problems));
  ck_assert_str_eq(printed(), "/nowhere/at/all.yaml: error: cannot be read: No such file or directory\n");
  ck_assert_int_eq(adl_problems_errors(problems), 1);
  adl_tree_free(tree);
  tree = adl_tree_read_file("/", NULL, problems);
  ck_assert_ptr_nonnull(strstr(printed(), "/: error: cannot be read: Is a directory\n"));
}
END_TEST

int main(void) {
  g_setenv("LC_ALL", "C", TRUE);
  Suite *suite = suite_create("config/tree");
  TCase *tests = tcase_create("tree");
  tcase_add_checked_fixture(tests, setup, teardown);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, yaml_means_what_it_should);
  tcase_add_test(tests, anchors_and_merge_keys);
  tcase_add_test(tests, copies_know_where_they_are_used);
  tcase_add_test(tests, everything_knows_its_place);
  tcase_add_test(tests, carets_inside_scalars);
  tcase_add_test(tests, carets_behind_variables);
  tcase_add_test(tests, variables_are_replaced);
  tcase_add_test(tests, set_changes_the_tree);
  tcase_add_test(tests, set_values_have_a_place_of_their_own);
  tcase_add_test(tests, set_does_not_reach_through_aliases);
  tcase_add_test(tests, defaults_are_plain_or_flow);
  tcase_add_test(tests, files_are_bounded);
  tcase_add_test(tests, what_variables_bring_is_bounded);
  tcase_add_test(tests, files_that_cannot_be_read);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
