/* Problems as people see them: order, carets under every kind of character, long lines, notes, counts; and the texts they
 * are made of: nearest names, quoting, numbers. */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/problem.h"
#include "core/base/text.h"

static char *printed(adl_problems *problems, bool colour) {
  GString *out = g_string_new(NULL);
  adl_problems_print(problems, out, colour);
  return g_string_free(out, FALSE);
}

/* What one error at that place of a text looks like. */
static char *show(const char *text, adl_place place) {
  adl_problems *problems = adl_problems_new();
  adl_problems_source(problems, "f", text, strlen(text));
  adl_problems_error(problems, place, "m");
  char *out = printed(problems, false);
  adl_problems_free(problems);
  return out;
}

static void looks(const char *text, int line, int column, int width, const char *expected) {
  char *out = show(text, (adl_place){"f", line, column, width});
  ck_assert_str_eq(out, expected);
  g_free(out);
}

START_TEST(carets_stand_under_what_is_meant) {
  looks("ab: 0\n", 1, 5, 1, "f:1:5: error: m\n    1 | ab: 0\n      |     ^\n");
  looks("a\nbcd: xyz", 2, 6, 3, "f:2:6: error: m\n    2 | bcd: xyz\n      |      ^~~\n");
  looks("a\r\nb: x\r\n", 2, 4, 1, "f:2:4: error: m\n    2 | b: x\n      |    ^\n");
  looks("a\rb: x", 2, 4, 1, "f:2:4: error: m\n    2 | b: x\n      |    ^\n");
  /* Wide characters take two columns, combining ones none. */
  looks("多い: x", 1, 5, 1, "f:1:5: error: m\n    1 | 多い: x\n      |       ^\n");
  looks("x: 多い", 1, 4, 2, "f:1:4: error: m\n    1 | x: 多い\n      |    ^~~~\n");
  looks("e\xcc\x81: x", 1, 5, 1, "f:1:5: error: m\n    1 | e\xcc\x81: x\n      |    ^\n");
  /* Tabs go to the next multiple of eight. */
  looks("a:\tx", 1, 4, 1, "f:1:4: error: m\n    1 | a:      x\n      |         ^\n");
  looks("\tx", 1, 1, 1, "f:1:1: error: m\n    1 |         x\n      | ^\n");
  /* Behind the end of the line, and a line that is not there. */
  looks("ab", 1, 3, 0, "f:1:3: error: m\n    1 | ab\n      |   ^\n");
  looks("ab", 1, 2, 9, "f:1:2: error: m\n    1 | ab\n      |  ^\n");
  looks("ab", 3, 1, 1, "f:3:1: error: m\n");
  looks("ab", 0, 0, 0, "f: error: m\n");
  looks("", 1, 1, 0, "f:1:1: error: m\n    1 | \n      | ^\n");
}
END_TEST

START_TEST(nothing_of_a_source_line_reaches_the_terminal_unseen) {
  looks("a\x1b[31mb", 1, 7, 1, "f:1:7: error: m\n    1 | a\xef\xbf\xbd[31mb\n      |       ^\n");
  looks("a\xe2\x80\xae"
        "b",
        1, 3, 1,
        "f:1:3: error: m\n    1 | a\xef\xbf\xbd"
        "b\n      |   ^\n");
  looks("a\xff\xfe"
        "b",
        1, 4, 1,
        "f:1:4: error: m\n    1 | a\xef\xbf\xbd\xef\xbf\xbd"
        "b\n      |    ^\n");
  adl_problems *problems = adl_problems_new();
  adl_problems_error(problems, ADL_NO_PLACE, "a\x1b[31m\nb");
  char *out = printed(problems, false);
  ck_assert_str_eq(out, "error: a\xef\xbf\xbd[31m b\n");
  g_free(out);
  char *endless = g_strnfill(1 << 20, 'x');
  adl_problems_error(problems, ADL_NO_PLACE, "%s", endless);
  out = printed(problems, false);
  ck_assert_uint_lt(strlen(out), 1100);
  g_free(out);
  g_free(endless);
  adl_problems_free(problems);
}
END_TEST

/* The character above the caret. */
static char above_caret(const char *out) {
  char **lines = g_strsplit(out, "\n", -1);
  const char *caret = strchr(lines[2], '^');
  ck_assert_ptr_nonnull(caret);
  char above = lines[1][caret - lines[2]];
  ck_assert_uint_le(strlen(lines[1]), 8 + 3 + 100 + 3);
  g_strfreev(lines);
  return above;
}

START_TEST(long_lines_are_cut_around_the_caret) {
  char *line = g_malloc(20001);
  for (int i = 0; i < 20000; i++) line[i] = (char)('a' + i % 26);
  line[20000] = '\0';
  for (int column = 1; column <= 20000; column += column < 300 || column > 19700 ? 1 : 97) {
    char *out = show(line, (adl_place){"f", 1, column, 3});
    ck_assert_int_eq(above_caret(out), line[column - 1]);
    ck_assert_int_eq(strstr(out, "| ...") != NULL, column > 34);
    g_free(out);
  }
  g_free(line);
}
END_TEST

START_TEST(problems_are_sorted_and_said_once) {
  adl_problems *problems = adl_problems_new();
  adl_problems_source(problems, "b", "one\ntwo\n", 8);
  adl_problems_source(problems, "a", "one\n", 4);
  adl_problems_error(problems, ADL_NO_PLACE, "nowhere");
  adl_problems_error(problems, (adl_place){"a", 1, 1, 3}, "a1");
  adl_problems_error(problems, (adl_place){"b", 2, 2, 1}, "b22");
  adl_problems_warning(problems, (adl_place){"b", 2, 1, 1}, "b21");
  adl_problem *first = adl_problems_error(problems, (adl_place){"b", 1, 1, 1}, "b11 %d", 5);
  ck_assert_ptr_eq(adl_problems_error(problems, (adl_place){"b", 1, 1, 1}, "b11 5"), first);
  for (int i = 0; i < 2; i++) {
    adl_problem_note(first, (adl_place){"a", 1, 2, 1}, "see");
    adl_problem_hint(first, "do %s", "it");
  }
  adl_problems_error(problems, (adl_place){"c", 0, 0, 0}, "c");
  char *out = printed(problems, false);
  ck_assert_str_eq(out, "b:1:1: error: b11 5\n    1 | one\n      | ^\n"
                        "   a:1:2: note: see\n    1 | one\n      |  ^\n   hint: do it\n"
                        "b:2:1: warning: b21\n    2 | two\n      | ^\n"
                        "b:2:2: error: b22\n    2 | two\n      |  ^\n"
                        "a:1:1: error: a1\n    1 | one\n      | ^~~\n"
                        "c: error: c\nerror: nowhere\n");
  g_free(out);
  ck_assert_int_eq(adl_problems_errors(problems), 5);
  ck_assert_int_eq(adl_problems_warnings(problems), 1);
  GString *text = g_string_new(NULL);
  adl_problems_count_text(problems, text);
  ck_assert_str_eq(text->str, "5 errors and 1 warning");
  g_string_free(text, TRUE);
  adl_problems_free(problems);
}
END_TEST

START_TEST(colour_only_when_asked) {
  adl_problems *problems = adl_problems_new();
  adl_problems_source(problems, "f", "x", 1);
  adl_problems_error(problems, (adl_place){"f", 1, 1, 1}, "m");
  char *plain = printed(problems, false), *coloured = printed(problems, true);
  ck_assert_ptr_null(strchr(plain, '\033'));
  ck_assert_ptr_nonnull(strstr(coloured, "\033[1;31merror: \033[0m"));
  GRegex *codes = g_regex_new("\033\\[[0-9;]*m", 0, 0, NULL);
  char *bare = g_regex_replace_literal(codes, coloured, -1, 0, "", 0, NULL);
  ck_assert_str_eq(bare, plain);
  g_regex_unref(codes);
  g_free(bare);
  g_free(plain);
  g_free(coloured);
  adl_problems_free(problems);
}
END_TEST

START_TEST(too_many_are_counted) {
  adl_problems *problems = adl_problems_new();
  for (int i = 0; i < 1234; i++) {
    adl_problem *problem = adl_problems_error(problems, ADL_NO_PLACE, "number %d", i);
    adl_problem_hint(problem, "hint %d", i);
  }
  ck_assert_int_eq(adl_problems_errors(problems), 1234);
  char *out = printed(problems, false);
  ck_assert_ptr_nonnull(strstr(out, "number 499\n   hint: hint 499\nand 734 more that are not shown\n"));
  g_free(out);
  adl_problems_free(problems);
}
END_TEST

static void *add_many(void *data) {
  for (int i = 0; i < 300; i++) {
    adl_problem *problem = adl_problems_error(data, (adl_place){"f", i % 100 + 1, 1, 1}, "the same");
    adl_problem_note(problem, ADL_NO_PLACE, "note %d", i % 100);
  }
  return NULL;
}

START_TEST(threads_may_add_at_once) {
  adl_problems *problems = adl_problems_new();
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, problems), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  ck_assert_int_eq(adl_problems_errors(problems), 100);
  GString *expected = g_string_new(NULL);
  for (int i = 0; i < 100; i++)
    g_string_append_printf(expected, "f:%d:1: error: the same\n   note: note %d\n", i + 1, i);
  char *out = printed(problems, false);
  ck_assert_str_eq(out, expected->str);
  g_free(out);
  g_string_free(expected, TRUE);
  adl_problems_free(problems);
}
END_TEST

static const char *nearest(const char *word) {
  static const char *const NAMES[] = {"features", "clusters", "max_iter", "as", "by", "重み付け"};
  return adl_text_nearest(word, NAMES, G_N_ELEMENTS(NAMES));
}

START_TEST(the_nearest_name_is_the_one_that_was_meant) {
  ck_assert_str_eq(nearest("feature"), "features");
  ck_assert_str_eq(nearest("faetures"), "features");
  ck_assert_str_eq(nearest("Features"), "features");
  ck_assert_str_eq(nearest("max-iter"), "max_iter");
  ck_assert_str_eq(nearest("maxiter"), "max_iter");
  ck_assert_str_eq(nearest("max"), "max_iter");
  ck_assert_str_eq(nearest("clusters_wanted"), "clusters");
  ck_assert_str_eq(nearest("重み付"), "重み付け");
  ck_assert_ptr_null(nearest("to"));
  ck_assert_ptr_null(nearest(""));
  ck_assert_ptr_null(nearest("columns"));
  ck_assert_ptr_null(adl_text_nearest("x", NULL, 0));
}
END_TEST

START_TEST(suggestions_name_one_or_list_a_few) {
  static const char *const NAMES[] = {"alpha", "beta", "gamma", "d", "e", "f", "g", "h", "i"};
  GString *out = g_string_new(NULL);
  adl_text_suggest(out, "alhpa", NAMES, 3);
  adl_text_suggest(out, "other", NAMES, 3);
  adl_text_suggest(out, "other", NAMES, 1);
  adl_text_suggest(out, "other", NAMES, 9);
  adl_text_suggest(out, "other", NAMES, 0);
  ck_assert_str_eq(out->str, "; did you mean `alpha`?; there are alpha, beta and gamma; there is only alpha");
  g_string_free(out, TRUE);
}
END_TEST

START_TEST(quoted_values_are_safe_and_short) {
  GString *out = g_string_new(NULL);
  adl_text_quote(out, "a\tb\n\x01\xff\xe2\x80\xae");
  ck_assert_str_eq(out->str, "'a\\tb\\n\\x01\xef\xbf\xbd\xef\xbf\xbd'");
  g_string_set_size(out, 0);
  char *long_text = g_strnfill(1000, 'x');
  adl_text_quote(out, long_text);
  ck_assert_uint_eq(out->len, 60 + 3 + 2);
  g_free(long_text);
  g_string_set_size(out, 0);
  adl_text_json_string(out, "a\"\\\n\x7f"
                            "é");
  ck_assert_str_eq(out->str, "\"a\\\"\\\\\\u000a\\u007fé\"");
  g_string_free(out, TRUE);
}
END_TEST

START_TEST(numbers_read_back_the_same) {
  static const double VALUES[] = {0,   1,     -1,     0.1,     1.0 / 3, 1e300, 5e-324, 123456789012345680.0,
                                  2.5, 1e-10, 0.3125, 4.35e22, 1.1,     100,   1e15};
  GString *out = g_string_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(VALUES); i++) {
    g_string_set_size(out, 0);
    adl_text_number(out, VALUES[i]);
    ck_assert(g_ascii_strtod(out->str, NULL) == VALUES[i]);
  }
  g_string_set_size(out, 0);
  adl_text_number(out, 0.1);
  ck_assert_str_eq(out->str, "0.1");
  g_string_free(out, TRUE);
}
END_TEST

START_TEST(whole_numbers_are_written_as_printf_does) {
  static const int64_t VALUES[] = {
      0, 1, -1, 9, 10, -10, 999999999999999, -999999999999999, 1000000000000000, INT64_MAX, INT64_MIN};
  GString *out = g_string_new(NULL);
  for (size_t i = 0; i < G_N_ELEMENTS(VALUES); i++) {
    char text[ADL_TEXT_INT], expected[32];
    int size = g_snprintf(expected, sizeof expected, "%" G_GINT64_FORMAT, VALUES[i]);
    ck_assert_int_eq(adl_text_int(text, VALUES[i]), size);
    ck_assert_str_eq(text, expected);
    g_string_set_size(out, 0);
    adl_text_number(out, (double)VALUES[i]);
    g_ascii_formatd(expected, sizeof expected, "%.15g", (double)VALUES[i]);
    if (ABS((double)VALUES[i]) <= 1e15) ck_assert_str_eq(out->str, expected);
  }
  g_string_set_size(out, 0);
  adl_text_number(out, -0.0);
  ck_assert_str_eq(out->str, "-0");
  g_string_free(out, TRUE);
}
END_TEST

/* Values of all sizes, ties and nearly ties among them, and whole numbers; a linear congruential generator draws them. */
static double drawn(uint64_t *state, int i) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  double share = (double)(*state >> 11) * 0x1p-53, size = pow(10, (double)(i % 26) - 8);
  double value = i % 5 == 0 ? floor(share * size) : i % 5 == 1 ? floor(share * size * 1000) / 1000 : share * size;
  if (i % 7 == 0) value += 0.5;
  if (i % 35 == 0) value = nextafter(value, i % 2 == 0 ? 0 : INFINITY);
  return i % 3 == 0 ? -value : value;
}

START_TEST(few_digits_are_those_of_printf) {
  uint64_t state = 1;
  char text[ADL_TEXT_DOUBLE], expected[ADL_TEXT_DOUBLE];
  for (int i = 0; i < 40000; i++) {
    double value = drawn(&state, i);
    int digits = i % 9;
    snprintf(expected, sizeof expected, "%.*f", digits, value);
    if (strchr(expected, '.') != NULL) {
      while (expected[strlen(expected) - 1] == '0') expected[strlen(expected) - 1] = '\0';
      if (expected[strlen(expected) - 1] == '.') expected[strlen(expected) - 1] = '\0';
    }
    adl_text_fixed(text, value, digits);
    ck_assert_str_eq(text, strcmp(expected, "-0") == 0 ? "0" : expected);
    digits = i % 17 + 1;
    snprintf(expected, sizeof expected, "%.*g", digits, value);
    adl_text_significant(text, value, digits);
    ck_assert_str_eq(text, expected);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("base/problem");
  TCase *tests = tcase_create("problem");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, carets_stand_under_what_is_meant);
  tcase_add_test(tests, nothing_of_a_source_line_reaches_the_terminal_unseen);
  tcase_add_test(tests, long_lines_are_cut_around_the_caret);
  tcase_add_test(tests, problems_are_sorted_and_said_once);
  tcase_add_test(tests, colour_only_when_asked);
  tcase_add_test(tests, too_many_are_counted);
  tcase_add_test(tests, threads_may_add_at_once);
  tcase_add_test(tests, the_nearest_name_is_the_one_that_was_meant);
  tcase_add_test(tests, suggestions_name_one_or_list_a_few);
  tcase_add_test(tests, quoted_values_are_safe_and_short);
  tcase_add_test(tests, numbers_read_back_the_same);
  tcase_add_test(tests, whole_numbers_are_written_as_printf_does);
  tcase_add_test(tests, few_digits_are_those_of_printf);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
