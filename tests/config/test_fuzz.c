/*
 * Whatever stands in a pipeline file, reading it ends, stays in bounds, and tells places that exist: valid texts are
 * mutated at random (from the loop's number: a failure names the one to repeat) and taken through everything that
 * core/config does. ADLOOM_FUZZ_ROUNDS sets how many mutations each loop makes.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/params.h"
#include "tests/config/toy.h"

static const char *const SEEDS[] = {
    "adloom: 1\nname: shop\nseed: 42\nx-base: &base {features: [a, b], nulls: ['', \"\\t\\u00e9\"]}\nstages:\n"
    "  log: {use: reader, path: behaviour.csv, columns: {user: id, text: string}}   # 注釈\n"
    "  segment:\n    <<: *base\n    use: toy\n    clusters: ${N:-5}\n    where: \"x > '${NAME}' and y\"\n"
    "    derive:\n      days: |\n        a +\n        b\n      単語: >-\n        c\n"
    "    priors: {young: .5, 'old': 1e-3}\n    window: 1h30m\n    memory: 1.5 GiB\n"
    "    crosses:\n    - [a, b]\n    - - c\n      - d\n    calls: {spend: sum(price)}\n  bare: {use: bare}\n",
    "{stages: {a: {use: toy, features: &f [x, *g], k: 0x10, by: *f, ngram: [1, 2], flag: true, covariance: tied}}}",
    "a: &a [l, l, l]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nstages:\n  s: {use: toy, features: *c, <<: [{as: x}]}\n",
    "stages:\r\n  s:\r\n    use: toy\r\n    features:\r\n      - 'it''s'\r\n      - \"a\\\r\n        b\"\r\n",
};

static const char *const TOKENS[] = {
    "\n",
    "\r",
    "\t",
    " ",
    ":",
    ": ",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "#",
    "&",
    "*",
    "!",
    "!!str ",
    "|",
    ">",
    "'",
    "\"",
    "%",
    "@",
    "`",
    "\\",
    "<<: ",
    "&a ",
    "*a",
    "${",
    "${NAME}",
    "$${",
    "}",
    "---\n",
    "...\n",
    "\xc2\x85",
    "\xe2\x80\xa8",
    "\xef\xbb\xbf",
    "\xef\xb7\x90",
    "\xff",
    "\xcc\x81",
    "多",
    "\xf0\x9f\x9b\x92",
    "null",
    "~",
    "1e999",
    "0x",
    "\\x",
    "\\u12",
    "stages:",
    "use: toy",
    "features: ",
    "x",
    "0",
    "-",
    ".",
    "[[[[[[[[",
    "!<a> ",
    "%YAML 1.1\n",
};

static void mutate(GRand *rand, GString *text) {
  int steps = g_rand_int_range(rand, 1, 6);
  for (int i = 0; i < steps; i++) {
    gssize at = g_rand_int_range(rand, 0, (gint32)text->len + 1);
    gssize wish = g_rand_int_range(rand, 1, 40), size = MIN(wish, (gssize)text->len - at);
    switch (g_rand_int_range(rand, 0, 6)) {
      case 0: g_string_insert(text, at, TOKENS[g_rand_int_range(rand, 0, G_N_ELEMENTS(TOKENS))]); break;
      case 1: g_string_erase(text, at, size); break;
      case 2: { /* a piece of it again, elsewhere */
        char *piece = g_strndup(text->str + at, (gsize)size);
        g_string_insert(text, g_rand_int_range(rand, 0, (gint32)text->len + 1), piece);
        g_free(piece);
        break;
      }
      case 3:
        if (at < (gssize)text->len) text->str[at] = (char)g_rand_int_range(rand, 0, 256);
        break;
      case 4: { /* a piece of another one */
        const char *other = SEEDS[g_rand_int_range(rand, 0, G_N_ELEMENTS(SEEDS))];
        gssize from = g_rand_int_range(rand, 0, (gint32)strlen(other));
        g_string_insert_len(text, at, other + from, MIN(30, (gssize)strlen(other + from)));
        break;
      }
      default: g_string_insert_c(text, at, (char)g_rand_int_range(rand, 1, 128)); break;
    }
  }
}

/* The lines of a text as editors count them. */
static GPtrArray *lines_of(const char *text, gsize size) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3, size -= 3;
  for (gsize at = 0;;) {
    gsize end = at;
    while (end < size && text[end] != '\n' && text[end] != '\r') end++;
    g_ptr_array_add(lines, g_strndup(text + at, end - at));
    if (end >= size) return lines;
    at = end + 1 + (text[end] == '\r' && end + 1 < size && text[end + 1] == '\n');
  }
}

static void check_place(const GPtrArray *lines, adl_place place) {
  ck_assert_str_eq(place.file, "f");
  ck_assert_int_ge(place.line, 1);
  ck_assert_int_le(place.line, (int)lines->len);
  const char *line = g_ptr_array_index(lines, place.line - 1);
  ck_assert_int_ge(place.column, 1);
  ck_assert_int_ge(place.width, 0);
  ck_assert_int_le(place.column - 1 + place.width, (int)g_utf8_strlen(line, -1));
}

/* Everything stands where it says; a plain value is what stands there. Returns the number of nodes. */
static int check_node(const GPtrArray *lines, const adl_node *node, int depth) {
  ck_assert_int_le(depth, 2 * ADL_TREE_MAX_DEPTH); /* an alias may add the depth of what it names */
  check_place(lines, node->place);
  if (node->alias != NULL) check_place(lines, *node->alias);
  int count = 1;
  for (int i = 0; node->kind == ADL_NODE_SEQUENCE && i < node->count; i++) {
    count += check_node(lines, node->items[i], depth + 1);
  }
  for (int i = 0; node->kind == ADL_NODE_MAPPING && i < node->count; i++) {
    check_place(lines, node->pairs[i].place);
    count += check_node(lines, node->pairs[i].value, depth + 1);
  }
  if (node->kind != ADL_NODE_SCALAR) return count;
  ck_assert(g_utf8_validate(node->text, -1, NULL));
  gsize size = strlen(node->text);
  for (gsize at = 0; at <= size; at++) {
    adl_place place = adl_node_place(node, (int)at);
    check_place(lines, (adl_place){place.file, place.line, place.column, 0});
  }
  const char *line = g_ptr_array_index(lines, node->place.line - 1);
  const char *there = g_utf8_offset_to_pointer(line, node->place.column - 1);
  bool verbatim = !node->quoted && !node->broken && node->source != NULL && strchr(node->text, '$') == NULL &&
                  strchr(there, '$') == NULL && *there != '"' && *there != '\'';
  if (verbatim) ck_assert_msg(g_str_has_prefix(there, node->text), "'%s' is not at '%s'", node->text, there);
  return count;
}

static void fill(const adl_pair *stage, adl_region *region, adl_problems *problems) {
  const adl_node *use = adl_node_get(stage->value, "use");
  const adl_class *class = find_toy(use != NULL && use->kind == ADL_NODE_SCALAR ? use->text : "toy");
  if (class == NULL) class = &toy_class;
  adl_params_request request = {.class = class,
                                .instance = adl_region_alloc(region, class->instance_size),
                                .stage = stage->key,
                                .node = stage->value,
                                .place = stage->place,
                                .directory = "/",
                                .region = region};
  int before = adl_problems_errors(problems);
  const adl_args *args = adl_params_fill(&request, problems);
  if (args->valid) ck_assert_int_eq(adl_problems_errors(problems), before);
  if (!args->valid) ck_assert_int_gt(adl_problems_errors(problems), 0);
  GString *json = g_string_new(NULL);
  adl_args_json(args, ADL_ARGS_FOR_MANIFEST, json);
  adl_args_json(args, ADL_ARGS_FOR_HASH, json);
  ck_assert(g_utf8_validate(json->str, (gssize)json->len, NULL));
  g_string_free(json, TRUE);
  for (int i = 0; i < args->count; i++) adl_args_place(args, args->items[i].param->name, 1);
}

static void try_text(const GString *text, const char *option) {
  static const char *const VARIABLES[] = {"NAME=it's", NULL};
  adl_problems *problems = adl_problems_new();
  adl_region *region = adl_region_new();
  adl_tree *tree = adl_tree_read_text("f", text->str, text->len, VARIABLES, problems);
  GPtrArray *lines = lines_of(text->str, text->len);
  const adl_node *root = adl_tree_root(tree);
  if (root != NULL) {
    ck_assert_int_le(check_node(lines, root, 1), ADL_TREE_MAX_NODES);
  } else {
    ck_assert_int_gt(adl_problems_errors(problems), 0);
  }
  int before = adl_problems_errors(problems);
  if (root != NULL && !adl_tree_set(tree, option, problems)) ck_assert_int_gt(adl_problems_errors(problems), before);
  const adl_node *stages = root != NULL ? adl_node_get(root, "stages") : NULL;
  for (int i = 0; stages != NULL && stages->kind == ADL_NODE_MAPPING && i < stages->count; i++) {
    fill(&stages->pairs[i], region, problems);
  }
  GString *out = g_string_new(NULL);
  adl_problems_print(problems, out, false);
  ck_assert(g_utf8_validate(out->str, (gssize)out->len, NULL));
  g_string_free(out, TRUE);
  g_ptr_array_free(lines, TRUE);
  adl_tree_free(tree);
  adl_region_free(region);
  adl_problems_free(problems);
}

START_TEST(no_text_gets_through) {
  const char *wish = g_getenv("ADLOOM_FUZZ_ROUNDS");
  g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  int rounds = wish != NULL ? atoi(wish) : 150;
  GRand *rand = g_rand_new_with_seed((guint32)_i);
  GString *text = g_string_new(NULL), *option = g_string_new(NULL);
  for (int round = 0; round < rounds; round++) {
    g_string_assign(text, SEEDS[g_rand_int_range(rand, 0, G_N_ELEMENTS(SEEDS))]);
    g_string_assign(option, "segment.priors.young={a: [1, ${NAME}], b: 'c'}");
    mutate(rand, text);
    mutate(rand, option);
    try_text(text, option->str);
  }
  g_string_free(text, TRUE);
  g_string_free(option, TRUE);
  g_rand_free(rand);
}
END_TEST

START_TEST(texts_that_are_not_mutated_are_fine) {
  for (size_t i = 0; i < G_N_ELEMENTS(SEEDS); i++) {
    GString *text = g_string_new(SEEDS[i]);
    try_text(text, "seed=1");
    g_string_free(text, TRUE);
  }
}
END_TEST

/* Every beginning of a text is a text. */
START_TEST(no_beginning_gets_through) {
  for (size_t i = 0; i < G_N_ELEMENTS(SEEDS); i++) {
    GString *text = g_string_new(SEEDS[i]);
    for (; text->len > 0; g_string_truncate(text, text->len - 1)) try_text(text, "s.by=[x");
    g_string_free(text, TRUE);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("config/fuzz");
  TCase *tests = tcase_create("fuzz");
  tcase_set_timeout(tests, 0);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, texts_that_are_not_mutated_are_fine);
  tcase_add_test(tests, no_beginning_gets_through);
  tcase_add_loop_test(tests, no_text_gets_through, 0, 20);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
