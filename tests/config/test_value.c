/* Texts to values: what is read, what is refused, and the words of a refusal. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/value.h"

static GString *why;

static void setup(void) { why = g_string_new(NULL); }
static void teardown(void) { g_string_free(why, TRUE); }

/* The reason given since the last call. */
static const char *reason(void) {
  static char text[300];
  g_strlcpy(text, why->str, sizeof text);
  g_string_set_size(why, 0);
  return text;
}

START_TEST(booleans) {
  bool value = false;
  ck_assert(adl_value_bool("true", &value, why) && value);
  ck_assert(adl_value_bool("FALSE", &value, why) && !value);
  ck_assert_uint_eq(why->len, 0);
  static const char *const WRONG[] = {"yes", "no", "on", "1", "tRUE", "", " true", "y"};
  for (size_t i = 0; i < G_N_ELEMENTS(WRONG); i++) {
    ck_assert(!adl_value_bool(WRONG[i], &value, why));
    ck_assert_uint_gt(strlen(reason()), 10);
  }
  ck_assert(!adl_value_bool("no", &value, why));
  ck_assert_str_eq(reason(), "'no' is neither true nor false; write false");
}
END_TEST

START_TEST(integers) {
  static const struct {
    const char *text;
    int64_t value;
  } RIGHT[] = {{"0", 0},
               {"12", 12},
               {"-3", -3},
               {"+3", 3},
               {"007", 7},
               {"0x1f", 31},
               {"-0xFF", -255},
               {"0o17", 15},
               {"1e6", 1000000},
               {"2.50e1", 25},
               {"3.0", 3},
               {"1E+3", 1000},
               {"5.", 5},
               {"-1e0", -1},
               {"9223372036854775807", INT64_MAX},
               {"1e18", 1000000000000000000},
               {"-9223372036854775808", INT64_MIN}};
  for (size_t i = 0; i < G_N_ELEMENTS(RIGHT); i++) {
    int64_t value = 99;
    ck_assert_msg(adl_value_int(RIGHT[i].text, &value, why), "%s: %s", RIGHT[i].text, why->str);
    ck_assert_int_eq(value, RIGHT[i].value);
  }
  static const char *const WRONG[] = {"",
                                      " 1",
                                      "1 ",
                                      "1_000",
                                      "1,000",
                                      "0x",
                                      "0xg",
                                      "0b1",
                                      "1e-1",
                                      "2.5",
                                      "abc",
                                      "--1",
                                      "1e",
                                      ".",
                                      "inf",
                                      "nan",
                                      "1e30",
                                      "0x1p3",
                                      "1.2.3",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "0x8000000000000000",
                                      "１"};
  for (size_t i = 0; i < G_N_ELEMENTS(WRONG); i++) {
    int64_t value = 99;
    ck_assert_msg(!adl_value_int(WRONG[i], &value, why), "%s", WRONG[i]);
    ck_assert_int_eq(value, 99);
    ck_assert_uint_gt(strlen(reason()), 10);
  }
  int64_t value;
  ck_assert(!adl_value_int("1_000", &value, why));
  ck_assert_str_eq(reason(), "'1_000' is not an integer; write 1000");
}
END_TEST

START_TEST(numbers) {
  static const struct {
    const char *text;
    double value;
  } RIGHT[] = {{"1", 1},      {"1.5", 1.5},      {".5", 0.5},        {"-.5e1", -5},        {"1e-4", 1e-4},
               {"0x10", 16},  {"inf", INFINITY}, {".inf", INFINITY}, {"-.Inf", -INFINITY}, {"+inf", INFINITY},
               {"1e-400", 0}, {"5.", 5}};
  for (size_t i = 0; i < G_N_ELEMENTS(RIGHT); i++) {
    double value = 99;
    ck_assert_msg(adl_value_float(RIGHT[i].text, &value, why), "%s: %s", RIGHT[i].text, why->str);
    ck_assert(value == RIGHT[i].value);
  }
  double value = 99;
  ck_assert(adl_value_float("nan", &value, why) && isnan(value));
  ck_assert(adl_value_float(".NaN", &value, why) && isnan(value));
  static const char *const WRONG[] = {"", "1,5", "1e999", "-nan", "infinity", "1.5x", "0x1p3", ".", "e5", "1e", "- 1"};
  for (size_t i = 0; i < G_N_ELEMENTS(WRONG); i++) {
    value = 99;
    ck_assert_msg(!adl_value_float(WRONG[i], &value, why), "%s", WRONG[i]);
    ck_assert(value == 99);
    ck_assert_uint_gt(strlen(reason()), 10);
  }
}
END_TEST

START_TEST(sizes) {
  static const struct {
    const char *text;
    int64_t value;
  } RIGHT[] = {{"0", 0},
               {"4096", 4096},
               {"64M", 64 << 20},
               {"64m", 64 << 20},
               {"1.5 GiB", 1610612736},
               {"10 kB", 10000},
               {"10K", 10240},
               {"2MB", 2000000},
               {"1T", INT64_C(1) << 40},
               {"1TB", 1000000000000},
               {"512B", 512},
               {"1e3", 1000},
               {"9223372036854775807", INT64_MAX}};
  for (size_t i = 0; i < G_N_ELEMENTS(RIGHT); i++) {
    int64_t value = 99;
    ck_assert_msg(adl_value_size(RIGHT[i].text, &value, why), "%s: %s", RIGHT[i].text, why->str);
    ck_assert_int_eq(value, RIGHT[i].value);
  }
  static const char *const WRONG[] = {"", "M", "64X", "-1", "1.5", "1  M", "1 M ", "9e18K", "10000000000000T", "1M1K"};
  for (size_t i = 0; i < G_N_ELEMENTS(WRONG); i++) {
    int64_t value = 99;
    ck_assert_msg(!adl_value_size(WRONG[i], &value, why), "%s", WRONG[i]);
    ck_assert_int_eq(value, 99);
    ck_assert_uint_gt(strlen(reason()), 10);
  }
}
END_TEST

static const int64_t SECOND = 1000000, DAY = INT64_C(86400000000);

START_TEST(durations) {
  const struct {
    const char *text;
    int64_t value;
  } right[] = {{"0", 0},
               {"30m", 1800 * SECOND},
               {"7d", 7 * DAY},
               {"1h30m", 5400 * SECOND},
               {"500ms", 500000},
               {"5us", 5},
               {"1.5h", 5400 * SECOND},
               {"2w", 14 * DAY},
               {"-1d", -DAY},
               {"1 h 30 m", 5400 * SECOND},
               {"1h 30m", 5400 * SECOND},
               {"0s", 0},
               {"1d1us", DAY + 1}};
  for (size_t i = 0; i < G_N_ELEMENTS(right); i++) {
    int64_t value = 99;
    ck_assert_msg(adl_value_duration(right[i].text, &value, why), "%s: %s", right[i].text, why->str);
    ck_assert_int_eq(value, right[i].value);
  }
  static const char *const WRONG[] = {"", "30", "h", "30m1h", "1h1h", "7 days", "1h30", "1x", "99999999999d", "1h-30m"};
  for (size_t i = 0; i < G_N_ELEMENTS(WRONG); i++) {
    int64_t value = 99;
    ck_assert_msg(!adl_value_duration(WRONG[i], &value, why), "%s", WRONG[i]);
    ck_assert_int_eq(value, 99);
    ck_assert_uint_gt(strlen(reason()), 10);
  }
}
END_TEST

START_TEST(printed_values_read_back_the_same) {
  static const int64_t VALUES[] = {
      0,           1,          999,       1024,      1536, INT64_C(5) << 40,   1000, 1 << 20,
      86400000000, 5400000000, 123456789, INT64_MAX, 60,   1234567890123456789};
  for (size_t i = 0; i < G_N_ELEMENTS(VALUES); i++) {
    int64_t value;
    GString *text = g_string_new(NULL);
    adl_value_print_size(text, VALUES[i]);
    ck_assert(adl_value_size(text->str, &value, why));
    ck_assert_int_eq(value, VALUES[i]);
    g_string_set_size(text, 0);
    adl_value_print_duration(text, -VALUES[i]);
    ck_assert(adl_value_duration(text->str, &value, why));
    ck_assert_int_eq(value, -VALUES[i]);
    g_string_free(text, TRUE);
  }
  GString *text = g_string_new(NULL);
  adl_value_print_size(text, 64 << 20);
  g_string_append_c(text, ' ');
  adl_value_print_duration(text, 5400 * SECOND);
  ck_assert_str_eq(text->str, "64M 1h30m");
  g_string_free(text, TRUE);
}
END_TEST

static bool holds(const char *text, double value) {
  adl_range range;
  ck_assert_msg(adl_range_read(text, ADL_PARAM_FLOAT, &range, why), "%s", why->str);
  return adl_range_holds(&range, value);
}

static bool holds_int(const char *text, adl_param_type type, int64_t value) {
  adl_range range;
  ck_assert_msg(adl_range_read(text, type, &range, why), "%s", why->str);
  return adl_range_holds_int(&range, value);
}

START_TEST(ranges_include_their_ends_or_not) {
  ck_assert(holds("[0, 1]", 0) && holds("[0, 1]", 1) && !holds("[0, 1]", 1.0000001));
  ck_assert(!holds("(0, 1)", 0) && !holds("(0, 1)", 1) && holds("(0, 1)", 5e-324));
  ck_assert(holds("(0, inf)", 1e300) && !holds("(0, inf)", INFINITY) && holds("(0, inf]", INFINITY));
  ck_assert(!holds("[-inf, inf]", NAN) && holds("[-inf, inf]", -INFINITY));
  ck_assert(holds_int("[1, 65536]", ADL_PARAM_INT, 65536) && !holds_int("[1, 65536]", ADL_PARAM_INT, 65537));
  ck_assert(!holds_int("(0, 3)", ADL_PARAM_INT, 0) && holds_int("(0, 3)", ADL_PARAM_INT, 2));
  ck_assert(!holds_int("(0, 3)", ADL_PARAM_INT, 3));
  ck_assert(holds_int("(0, inf)", ADL_PARAM_INT, INT64_MAX) && holds_int("(-inf, 0]", ADL_PARAM_INT, INT64_MIN));
  /* Beyond what float64 can tell apart. */
  ck_assert(!holds_int("[0, 9007199254740992]", ADL_PARAM_INT, 9007199254740993));
  ck_assert(holds_int("[1M, 1G]", ADL_PARAM_SIZE, 1 << 20) && !holds_int("[1M, 1G]", ADL_PARAM_SIZE, (1 << 20) - 1));
  ck_assert(!holds_int("(0s, 7d]", ADL_PARAM_DURATION, 0) && holds_int("(0s, 7d]", ADL_PARAM_DURATION, 7 * DAY));
}
END_TEST

START_TEST(ranges_that_are_none) {
  static const char *const WRONG[] = {"",       "1",      "[1,2",   "1,2]",   "[1;2]",
                                      "[2, 1]", "(1, 1)", "(1, 2)", "[a, 2]", "[, 2]"};
  for (size_t i = 0; i < G_N_ELEMENTS(WRONG); i++) {
    adl_range range;
    ck_assert_msg(!adl_range_read(WRONG[i], ADL_PARAM_INT, &range, why), "%s", WRONG[i]);
    ck_assert_uint_gt(strlen(reason()), 5);
  }
}
END_TEST

START_TEST(choices) {
  ck_assert_int_eq(adl_choice_find("full|tied|diag", "diag", why), 2);
  ck_assert_int_eq(adl_choice_find("sum/1|last/2|bag/1-2", "bag", why), 2);
  ck_assert_int_eq(adl_choice_find("full|tied|diag", "Full", why), -1);
  ck_assert_str_eq(reason(), "'Full' is not one of full, tied or diag; did you mean `full`?");
  ck_assert_int_eq(adl_choice_find("full|tied|diag", "full|tied", why), -1);
  ck_assert_int_eq(adl_choice_find("", "x", why), -1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("config/value");
  TCase *tests = tcase_create("value");
  tcase_add_checked_fixture(tests, setup, teardown);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, booleans);
  tcase_add_test(tests, integers);
  tcase_add_test(tests, numbers);
  tcase_add_test(tests, sizes);
  tcase_add_test(tests, durations);
  tcase_add_test(tests, printed_values_read_back_the_same);
  tcase_add_test(tests, ranges_include_their_ends_or_not);
  tcase_add_test(tests, ranges_that_are_none);
  tcase_add_test(tests, choices);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
