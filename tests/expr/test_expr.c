/* What expressions compute: known answers for every operator and function, null truth tables, types, calls. */
#include <float.h>
#include <math.h>

#include "core/expr/internal.h"
#include "tests/expr/columns.h"

static columns table;

static void setup(void) {
  columns_add(&table, "i", ADL_INT64, ADL_NUMBER, "1|-7|null|9223372036854775807|0");
  columns_add(&table, "k", ADL_INT32, ADL_NUMBER, "3|2|5|-1|0");
  columns_add(&table, "u", ADL_UINT32, ADL_NUMBER, "4294967295|1|2|3|null");
  columns_add(&table, "f", ADL_FLOAT64, ADL_NUMBER, "0.5|-2.25|null|nan|1e308");
  columns_add(&table, "g", ADL_FLOAT32, ADL_NUMBER, "0.5|inf|1|nan|-3");
  columns_add(&table, "s", ADL_STRING, ADL_CATEGORY, "apple|Birne|null||\xc3\x84rger");
  columns_add(&table, "t", ADL_STRING, ADL_CATEGORY, "app|12.5|x| 7 |r");
  columns_add(&table, "b", ADL_BOOL, ADL_NUMBER, "true|false|null|true|false");
  columns_add(&table, "user", ADL_INT64, ADL_CATEGORY, "1|42|null|7|-3");
  /* 2024-06-01 12:30:15.25, 2023-12-31, null, 1969-12-31 23:59:59.999999, 2000-02-29 */
  columns_add(&table, "at", ADL_TIMESTAMP, ADL_NUMBER, "1717245015250000|1703980800000000|null|-1|951782400000000");
  columns_add(&table, "day", ADL_STRING, ADL_CATEGORY,
              "2024-06-01|2024-06-01 12:30|null|yesterday|2024-06-01T02:00:00.5+02:00");
  columns_add(&table, "odd name", ADL_INT64, ADL_NUMBER, "1|2|3|4|5");
  columns_add(&table, "preis_\xe4\xbb\xb7", ADL_INT64, ADL_NUMBER, "10|20|30|40|50");
  columns_add(&table, "raw", ADL_BYTES, ADL_CATEGORY, "ab|null|abc|b|");
  adl_type list = {.element = ADL_STRING, .shape = ADL_LIST, .role = ADL_CATEGORY};
  columns_add_array(&table, "words", adl_array_nulls(list, 5));
}

static void teardown(void) { columns_clear(&table); }

/* Compiles and evaluates over the five rows; the values as text. */
static char *values_of(const char *text) {
  adl_expr_scope scope = columns_scope(&table);
  adl_expr *expr = adl_expr_compile(text, &scope);
  ck_assert_msg(expr != NULL, "%s: %s", text, table.problems->str);
  adl_array *array = columns_evaluate(&table, expr, 5);
  ck_assert_msg(adl_type_equal(array->view.type, adl_expr_type(expr)), "%s", text);
  GString *values = g_string_new(NULL);
  for (int64_t row = 0; row < 5; row++) {
    if (row > 0) g_string_append_c(values, '|');
    adl_array_text(&array->view, row, 0, values);
  }
  adl_array_unref(array);
  adl_expr_free(expr);
  return g_string_free(values, FALSE);
}

typedef struct answer {
  const char *text, *values;
} answer;

static void check_answers(const answer *answers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char *values = values_of(answers[i].text);
    ck_assert_msg(strcmp(values, answers[i].values) == 0, "%s\n  gives    %s\n  expected %s", answers[i].text, values,
                  answers[i].values);
    g_free(values);
  }
}
#define CHECK_ANSWERS(table) check_answers(table, sizeof(table) / sizeof *(table))

START_TEST(arithmetic) {
  static const answer answers[] = {
      {"i + k", "4|-5|null|9223372036854775806|0"},
      {"i + 1", "2|-6|null|null|1"},
      {"i - -1", "2|-6|null|null|1"},
      {"i * 2", "2|-14|null|null|0"},
      {"i * k", "3|-14|null|-9223372036854775807|0"},
      {"-i", "-1|7|null|-9223372036854775807|0"},
      {"-(-i - 1) ", "2|-6|null|null|1"},
      {"k / 2", "1.5|1|2.5|-0.5|0"},
      {"6 / k", "2|3|1.2|-6|null"},
      {"i % k", "1|-1|null|0|null"},
      {"7 % k", "1|1|2|0|null"},
      {"f % 2", "0.5|-0.25|null|null|0"},
      {"f % 0", "null|null|null|null|null"},
      {"f + 1", "1.5|-1.25|null|null|1e+308"},
      {"f * 10", "5|-22.5|null|null|null"},
      {"f + k", "3.5|-0.25|null|null|1e+308"},
      {"g + 0.5", "1|null|1.5|null|-2.5"},
      {"u + 1", "4294967296|2|3|4|null"},
      {"1 + 2 * 3", "7|7|7|7|7"},
      {"(1 + 2) * 3", "9|9|9|9|9"},
      {"10 - 4 - 3", "3|3|3|3|3"},
      {"100 / 10 / 5", "2|2|2|2|2"},
      {"-2 * -3", "6|6|6|6|6"},
      {"+k - +1", "2|1|4|-2|-1"},
      {"9223372036854775807 + 0", "9223372036854775807|9223372036854775807|9223372036854775807|9223372036854775807|"
                                  "9223372036854775807"},
      {"-9223372036854775808 + k * 0", "-9223372036854775808|-9223372036854775808|-9223372036854775808|"
                                       "-9223372036854775808|-9223372036854775808"},
      {"-9223372036854775808 % -1", "0|0|0|0|0"},
      {".5 + 5. + 1e2 + 1E-1", "105.6|105.6|105.6|105.6|105.6"},
      {"`odd name` + preis_\xe4\xbb\xb7", "11|22|33|44|55"},
      {"1 / 0", "null|null|null|null|null"},
      {"k + null", "null|null|null|null|null"},
  };
  CHECK_ANSWERS(answers);
}
END_TEST

START_TEST(comparison) {
  static const answer answers[] = {
      {"i = 1", "true|false|null|false|false"},
      {"i == 1.0", "true|false|null|false|false"},
      {"i < 0.5", "false|true|null|false|true"},
      {"i = 9223372036854775807", "false|false|null|true|false"},
      {"i != 1", "false|true|null|true|true"},
      {"i <> 1", "false|true|null|true|true"},
      {"k >= 2", "true|true|true|false|false"},
      {"k > f", "true|true|null|null|false"},
      {"f <= 0.5", "true|true|null|null|false"},
      {"g > 100", "false|true|false|null|false"},
      {"s = 'apple'", "true|false|null|false|false"},
      {"s != ''", "true|true|null|false|true"},
      {"s < \"a\"", "false|true|null|true|false"},
      {"s >= t", "true|true|null|false|true"},
      {"b = true", "true|false|null|true|false"},
      {"b != (k > 2)", "false|false|null|true|false"},
      {"user = 42", "false|true|null|false|false"},
      {"user = '42'", "false|true|null|false|false"},
      {"'42' <> user", "true|false|null|true|true"},
      {"user < '8'", "true|false|null|true|true"},
      {"user = t", "false|false|null|false|false"},
      {"user = concat(7, '')", "false|false|null|true|false"},
      {"at >= '2024-06-01'", "true|false|null|false|false"},
      {"'2024-06-01 12:30:15.25' = at", "true|false|null|false|false"},
      {"at < '2024-06-01T14:30:15.25+02:00'", "false|true|null|true|true"},
      {"at <= timestamp('2024-06-01T12:30:15.250Z')", "true|true|null|true|true"},
      {"at = '2000-02-29'", "false|false|null|false|true"},
      {"raw < 'b'", "true|null|true|false|true"},
      {"k between 2 and 3", "true|true|false|false|false"},
      {"k not between 2 and 3", "false|false|true|true|true"},
      {"i between k and 10", "false|false|null|false|true"},
      {"at between '2000-01-01' and '2023-12-31'", "false|true|null|false|true"},
  };
  CHECK_ANSWERS(answers);
}
END_TEST

START_TEST(membership) {
  static const answer answers[] = {
      {"k in (3, 5, 7)", "true|false|true|false|false"},
      {"k not in (3, 5, 7)", "false|true|false|true|true"},
      {"i in (1, -7, 9223372036854775807)", "true|true|null|true|false"},
      {"i not in (0)", "true|true|null|true|false"},
      {"k in (0.5, 3)", "true|false|false|false|false"},
      {"f in (0.5, -2.25)", "true|true|null|null|false"},
      {"s in ('apple', '', 'zebra', 'a')", "true|false|null|true|false"},
      {"user in ('42', 7)", "false|true|null|true|false"},
      {"at in ('2023-12-31', '2000-02-29')", "false|true|null|false|true"},
      {"k in (1 + 2, -1)", "true|false|false|true|false"},
      {"k IN (3) AND NOT b", "false|false|false|false|false"},
      {"raw in ('ab', 'b')", "true|null|false|true|false"},
  };
  CHECK_ANSWERS(answers);
}
END_TEST

/* Three-valued logic, all nine pairs at once: x and y are true, false and null. */
START_TEST(truth_tables) {
  columns_clear(&table);
  columns_add(&table, "x", ADL_BOOL, ADL_NUMBER, "true|true|true|false|false|false|null|null|null");
  columns_add(&table, "y", ADL_BOOL, ADL_NUMBER, "true|false|null|true|false|null|true|false|null");
  static const answer answers[] = {
      {"x and y", "true|false|null|false|false|false|null|false|null"},
      {"x or y", "true|true|true|true|false|null|true|null|null"},
      {"not x", "false|false|false|true|true|true|null|null|null"},
      {"x = y", "true|false|null|false|true|null|null|null|null"},
      {"x is null", "false|false|false|false|false|false|true|true|true"},
      {"x is not null", "true|true|true|true|true|true|false|false|false"},
      {"if(x, y, true)", "true|false|null|true|true|true|true|true|true"},
      {"coalesce(x, y)", "true|true|true|false|false|false|true|false|null"},
      {"x and null", "null|null|null|false|false|false|null|null|null"},
      {"x or null", "true|true|true|null|null|null|null|null|null"},
      {"x and true", "true|true|true|false|false|false|null|null|null"},
      {"not x and y", "false|false|false|true|false|null|null|false|null"},
      {"not (x and y)", "false|true|null|true|true|true|null|true|null"},
      {"x or y and false", "true|true|true|false|false|false|null|null|null"},
  };
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
    adl_expr_scope scope = columns_scope(&table);
    adl_expr *expr = adl_expr_compile(answers[i].text, &scope);
    ck_assert_msg(expr != NULL, "%s", table.problems->str);
    adl_array *array = columns_evaluate(&table, expr, 9);
    GString *values = g_string_new(NULL);
    for (int64_t row = 0; row < 9; row++) {
      if (row > 0) g_string_append_c(values, '|');
      adl_array_text(&array->view, row, 0, values);
    }
    ck_assert_msg(strcmp(values->str, answers[i].values) == 0, "%s: %s", answers[i].text, values->str);
    g_string_free(values, TRUE);
    adl_array_unref(array);
    adl_expr_free(expr);
  }
}
END_TEST

START_TEST(choice) {
  static const answer answers[] = {
      {"if(k > 2, 'many', 'few')", "many|few|many|few|few"},
      {"if(b, 1, 2.5)", "1|2.5|2.5|1|2.5"},
      {"if(b, k, null)", "3|null|null|-1|null"},
      {"if(i > 0, s, t)", "apple|12.5|x||r"},
      {"if(b, at, '2001-01-01')", "2024-06-01T12:30:15.250000Z|2001-01-01T00:00:00Z|2001-01-01T00:00:00Z|"
                                  "1969-12-31T23:59:59.999999Z|2001-01-01T00:00:00Z"},
      {"coalesce(i, 0)", "1|-7|0|9223372036854775807|0"},
      {"coalesce(f, i, -1)", "0.5|-2.25|-1|9.223372036854776e+18|1e+308"},
      {"coalesce(null, s, 'none')", "apple|Birne|none||\xc3\x84rger"},
      {"coalesce(user, 0)", "1|42|0|7|-3"},
      {"min(k, 1)", "1|1|1|-1|0"},
      {"max(k, i, 2)", "3|2|null|9223372036854775807|2"},
      {"max(f, 0)", "0.5|0|null|null|1e+308"},
      {"min(s, t)", "app|12.5|null||r"},
      {"max(at, '2020-01-01') >= '2024-01-01'", "true|false|null|false|false"},
      {"coalesce(raw, raw) = raw", "true|null|true|true|true"},
      {"words is null", "true|true|true|true|true"},
      {"words is not null or b", "true|false|null|true|false"},
  };
  CHECK_ANSWERS(answers);
}
END_TEST

START_TEST(mathematics) {
  static const answer answers[] = {
      {"abs(i)", "1|7|null|9223372036854775807|0"},
      {"abs(f)", "0.5|2.25|null|null|1e+308"},
      {"abs(-9223372036854775808)", "null|null|null|null|null"},
      {"floor(f)", "0|-3|null|null|1e+308"},
      {"ceil(f)", "1|-2|null|null|1e+308"},
      {"round(f)", "1|-2|null|null|1e+308"},
      {"round(f + 0.06, 1)", "0.6|-2.2|null|null|1e+308"},
      {"round(1234.5, -2)", "1200|1200|1200|1200|1200"},
      {"round(k)", "3|2|5|-1|0"},
      {"sqrt(k + 1) - sqrt(4) + 2 > 0", "true|true|true|false|true"},
      {"sqrt(f)", "0.7071067811865476|null|null|null|1e+154"},
      {"exp(k - 3)", "1|0.36787944117144233|7.38905609893065|0.01831563888873418|0.049787068367863944"},
      {"exp(1000)", "null|null|null|null|null"},
      {"log(k)", "1.0986122886681098|0.6931471805599453|1.6094379124341003|null|null"},
      {"log1p(k)", "1.3862943611198906|1.0986122886681096|1.791759469228055|null|0"},
      {"pow(k, 2)", "9|4|25|1|0"},
      {"pow(k, -1)", "0.3333333333333333|0.5|0.2|-1|null"},
      {"pow(-2, 0.5)", "null|null|null|null|null"},
  };
  CHECK_ANSWERS(answers);
}
END_TEST

/* Numbers of every size, and close to where the algorithm changes its mind. */
static double log1p_argument(uint64_t number) {
  double unit = adl_random_unit(7, number), wide = ldexp(unit + 0.5, (int)(adl_random(8, number) % 600) - 300);
  switch (number % 8) {
    case 0: return floor(100 * unit);
    case 1: return wide;
    case 2: return unit - 1;
    case 3: return -0.2928932 + (unit - 0.5) * 1e-5;
    case 4: return 0.4142136 + (unit - 0.5) * 1e-5;
    case 5: return 1e4 * unit;
    case 6: return fmax(-wide, -1);
    default: return 2 * (unit - 0.5) * 1e-8;
  }
}

START_TEST(log1p_is_exact_to_a_unit_and_the_same_everywhere) {
  enum { ROWS = 1003 };
  double from[ROWS], to[ROWS], plain[ROWS], worst = 0;
  for (uint64_t round = 0; round < 300; round++) {
    for (uint64_t row = 0; row < ROWS; row++) from[row] = log1p_argument(round * ROWS + row);
    adl_expr_log1p_values(from, to, ROWS);
    adl_expr_log1p_plain(from, plain, ROWS);
    ck_assert_mem_eq(to, plain, sizeof to);
    for (uint64_t row = 0; row < ROWS; row++) {
      long double right = log1pl((long double)from[row]);
      if (from[row] <= -1) {
        ck_assert(!isfinite(to[row]));
        continue;
      }
      int exponent;
      (void)frexp((double)right, &exponent);
      double unit = ldexp(1, (exponent < -1021 ? -1021 : exponent) - 53);
      worst = fmax(worst, (double)fabsl((long double)to[row] - right) / unit);
    }
  }
  ck_assert_double_lt(worst, 1);
}
END_TEST

START_TEST(log1p_of_odd_numbers) {
  double from[] = {0, -0.0, INFINITY, -INFINITY, NAN, -1, nextafter(-1, 0), DBL_MAX, DBL_MIN, 4.9e-324, -2}, to[11];
  adl_expr_log1p_values(from, to, 11);
  ck_assert(to[0] == 0 && !signbit(to[0]));
  ck_assert(to[1] == 0 && signbit(to[1]));
  ck_assert(isinf(to[2]));
  for (int i = 3; i < 6; i++) ck_assert(!isfinite(to[i]));
  for (int i = 6; i < 10; i++) ck_assert_double_eq(to[i], log1p(from[i]));
  ck_assert(isnan(to[10]));
}
END_TEST

START_TEST(strings) {
  static const answer answers[] = {
      {"lower(s)", "apple|birne|null||\xc3\xa4rger"},
      {"upper(s)", "APPLE|BIRNE|null||\xc3\x84RGER"},
      {"length(s)", "5|5|null|0|5"},
      {"length(raw)", "2|null|3|1|0"},
      {"trim(t)", "app|12.5|x|7|r"},
      {"trim('   ')", "||||"},
      {"contains(s, 'r')", "false|true|null|false|true"},
      {"contains(s, '')", "true|true|null|true|true"},
      {"starts_with(s, t)", "true|false|null|false|false"},
      {"ends_with(s, t)", "false|false|null|false|true"},
      {"concat(s, '-', k)", "apple-3|Birne-2|null|--1|\xc3\x84rger-0"},
      {"concat(b, f, user, at)", "true0.512024-06-01T12:30:15.250000Z|false-2.25422023-12-31T00:00:00Z|null|null|"
                                 "false1e+308-32000-02-29T00:00:00Z"},
      {"string(user)", "1|42|null|7|-3"},
      {"string(0.1)", "0.1|0.1|0.1|0.1|0.1"},
      {"number(t)", "null|12.5|null|7|null"},
      {"number('0x10')", "null|null|null|null|null"},
      {"number('1e3')", "1000|1000|1000|1000|1000"},
      {"number(b)", "1|0|null|1|0"},
      {"number(user) % 10", "1|2|null|7|-3"},
      {"integer(f)", "0|-2|null|null|null"},
      {"integer('12')", "12|12|12|12|12"},
      {"integer(9.3e18)", "null|null|null|null|null"},
      {"'it''s \\u00e4 \\\"q\\\" \\ud83d\\ude00\\n'",
       "it's \xc3\xa4 \"q\" \xf0\x9f\x98\x80\\n|it's \xc3\xa4 \"q\" \xf0\x9f\x98\x80\\n|"
       "it's \xc3\xa4 \"q\" \xf0\x9f\x98\x80\\n|it's \xc3\xa4 \"q\" \xf0\x9f\x98\x80\\n|it's \xc3\xa4 \"q\" "
       "\xf0\x9f\x98\x80\\n"},
  };
  CHECK_ANSWERS(answers);
}
END_TEST

START_TEST(times) {
  static const answer answers[] = {
      {"year(at)", "2024|2023|null|1969|2000"},
      {"month(at)", "6|12|null|12|2"},
      {"day(at)", "1|31|null|31|29"},
      {"hour(at)", "12|0|null|23|0"},
      {"minute(at)", "30|0|null|59|0"},
      {"weekday(at)", "6|7|null|3|2"},
      {"date(at)", "2024-06-01T00:00:00Z|2023-12-31T00:00:00Z|null|1969-12-31T00:00:00Z|2000-02-29T00:00:00Z"},
      {"days_between('2024-06-01', date(at))", "0|-153|null|-19876|-8859"},
      {"days_between(at, '2024-06-02 12:30:15.25')", "1|154.52100983796296|null|19876.521009837976|8860.521009837963"},
      {"add_days(date(at), 0.5)",
       "2024-06-01T12:00:00Z|2023-12-31T12:00:00Z|null|1969-12-31T12:00:00Z|2000-02-29T12:00:00Z"},
      {"add_days(at, 1) = at", "false|false|null|false|false"},
      {"add_days(at, 1e300) is null", "true|true|true|true|true"},
      {"now()",
       "2024-06-01T12:00:00Z|2024-06-01T12:00:00Z|2024-06-01T12:00:00Z|2024-06-01T12:00:00Z|2024-06-01T12:00:00Z"},
      {"timestamp(day)", "2024-06-01T00:00:00Z|2024-06-01T12:30:00Z|null|null|2024-06-01T00:00:00.500000Z"},
      {"string(timestamp('0001-01-01'))", "0001-01-01T00:00:00Z|0001-01-01T00:00:00Z|0001-01-01T00:00:00Z|"
                                          "0001-01-01T00:00:00Z|0001-01-01T00:00:00Z"},
  };
  CHECK_ANSWERS(answers);
}
END_TEST

/* Every day of several centuries against GLib's calendar. */
START_TEST(calendar) {
  for (int64_t day = -100000; day < 100000; day += 7) {
    int64_t us = day * ADL_EXPR_DAY_US + 1;
    adl_expr_civil civil = adl_expr_time_civil(us);
    GDateTime *truth = g_date_time_new_from_unix_utc(day * 86400);
    int year, month, of_month;
    g_date_time_get_ymd(truth, &year, &month, &of_month);
    ck_assert_int_eq(civil.year, year);
    ck_assert_int_eq(civil.month, month);
    ck_assert_int_eq(civil.day, of_month);
    g_date_time_unref(truth);
    char text[48];
    int64_t back = 0;
    int size = adl_expr_time_text(us, text);
    ck_assert(adl_expr_time_parse(text, size, &back));
    ck_assert_int_eq(back, us);
  }
}
END_TEST

START_TEST(timestamp_texts) {
  static const char *const refused[] = {"",
                                        "2024",
                                        "2024-6-1",
                                        "2024-13-01",
                                        "2023-02-29",
                                        "2024-06-31",
                                        "2024-06-01T",
                                        "2024-06-01 25:00",
                                        "2024-06-01 12:00:60",
                                        "2024-06-01x",
                                        "2024-06-01 12:00:00.",
                                        "2024-06-01 12:00 CET",
                                        "2024-06-01 12:00+99:00",
                                        "1900-02-29"};
  int64_t us;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    ck_assert_msg(!adl_expr_time_parse(refused[i], (int64_t)strlen(refused[i]), &us), "%s", refused[i]);
  }
}
END_TEST

/* ---- types ---- */

typedef struct typed {
  const char *text;
  adl_element element;
  adl_role role;
  int32_t column; /* adl_expr_column */
} typed;

START_TEST(result_types) {
  static const typed cases[] = {
      {"i", ADL_INT64, ADL_NUMBER, 0},
      {"(k)", ADL_INT32, ADL_NUMBER, 1},
      {"user", ADL_INT64, ADL_CATEGORY, 8},
      {"k + 0", ADL_INT64, ADL_NUMBER, -1},
      {"coalesce(user, 0)", ADL_INT64, ADL_CATEGORY, -1},
      {"number(user)", ADL_INT64, ADL_NUMBER, -1},
      {"k / 1", ADL_FLOAT64, ADL_NUMBER, -1},
      {"g * 1", ADL_FLOAT64, ADL_NUMBER, -1},
      {"lower(s)", ADL_STRING, ADL_CATEGORY, -1},
      {"s = 'a'", ADL_BOOL, ADL_NUMBER, -1},
      {"date(at)", ADL_TIMESTAMP, ADL_NUMBER, -1},
      {"if(b, raw, raw)", ADL_BYTES, ADL_CATEGORY, -1},
      {"year(at)", ADL_INT64, ADL_NUMBER, -1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    adl_expr_scope scope = columns_scope(&table);
    adl_expr *expr = adl_expr_compile(cases[i].text, &scope);
    ck_assert_msg(expr != NULL, "%s", table.problems->str);
    ck_assert_msg(adl_expr_type(expr).element == cases[i].element, "%s", cases[i].text);
    ck_assert_msg(adl_expr_type(expr).role == cases[i].role, "%s", cases[i].text);
    ck_assert_int_eq(adl_expr_type(expr).shape, ADL_SCALAR);
    ck_assert_int_eq(adl_expr_column(expr), cases[i].column);
    adl_expr_free(expr);
  }
}
END_TEST

START_TEST(inputs_in_order_of_appearance) {
  adl_expr_scope scope = columns_scope(&table);
  adl_expr *expr = adl_expr_compile("s = 'x' or k > i or k in (1, 2) or s is null", &scope);
  ck_assert_int_eq(adl_expr_input_count(expr), 3);
  ck_assert_int_eq(adl_expr_input(expr, 0), 5);
  ck_assert_int_eq(adl_expr_input(expr, 1), 1);
  ck_assert_int_eq(adl_expr_input(expr, 2), 0);
  ck_assert(!adl_expr_constant(expr));
  adl_expr_free(expr);
  expr = adl_expr_compile("1 + 1 > 1 and now() > '2020-01-01'", &scope);
  ck_assert(adl_expr_constant(expr));
  adl_expr_free(expr);
}
END_TEST

/* A column with several values in a row goes through as it is, when nothing but its name is written. */
START_TEST(bare_columns_of_any_shape) {
  adl_expr_scope scope = columns_scope(&table);
  adl_expr *expr = adl_expr_compile(" words ", &scope);
  ck_assert_int_eq(adl_expr_type(expr).shape, ADL_LIST);
  adl_array *array = columns_evaluate(&table, expr, 5);
  ck_assert_int_eq(array->view.null_count, 5);
  adl_array_unref(array);
  adl_expr_free(expr);
  char *values = values_of("g");
  ck_assert_str_eq(values, "0.5|inf|1|NaN|-3");
  g_free(values);
}
END_TEST

/* Rows far beyond a chunk, and none at all. */
START_TEST(many_rows_and_none) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_INT64, ADL_NUMBER));
  adl_buffers to;
  int64_t rows = 5003;
  ck_assert(adl_builder_reserve(builder, rows, 0, 0, &to));
  for (int64_t i = 0; i < rows; i++) {
    ((int64_t *)to.data)[i] = i;
    if (i % 7 == 3) adl_bit_set(to.validity, i, false);
  }
  columns_add_array(&table, "n", adl_builder_finish(builder, rows, NULL));
  adl_expr_scope scope = columns_scope(&table);
  adl_expr *expr = adl_expr_compile("concat('#', n * 2)", &scope);
  adl_array *array = columns_evaluate(&table, expr, rows);
  for (int64_t i = 0; i < rows; i++) {
    ck_assert_int_eq(adl_is_null(&array->view, i), i % 7 == 3);
    if (i % 7 == 3) continue;
    char truth[32];
    g_snprintf(truth, sizeof truth, "#%d", (int)i * 2);
    adl_text text = adl_text_at(&array->view, i);
    ck_assert_int_eq(text.size, (int)strlen(truth));
    ck_assert_int_eq(memcmp(text.data, truth, (size_t)text.size), 0);
  }
  adl_array_unref(array);
  adl_array_unref(columns_evaluate(&table, expr, 0));
  adl_expr_free(expr);
  expr = adl_expr_compile("n % 2 = 0", &scope);
  array = columns_evaluate(&table, expr, rows);
  for (int64_t i = 0; i < rows; i++) {
    ck_assert_int_eq(adl_is_null(&array->view, i), i % 7 == 3);
    if (i % 7 != 3) ck_assert_int_eq(adl_bit(array->view.data, i), i % 2 == 0);
  }
  adl_array_unref(array);
  adl_expr_free(expr);
}
END_TEST

/* Strings that would pass what a column holds fail instead of filling the memory. */
START_TEST(strings_without_end) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_STRING, ADL_CATEGORY));
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, 1, 0, 40000000, &to));
  memset(to.data, 'x', 40000000);
  to.string_offsets[1] = 40000000;
  columns_add_array(&table, "long", adl_builder_finish(builder, 1, NULL));
  GString *text = g_string_new("concat(long");
  for (int i = 0; i < 30; i++) g_string_append(text, ", long");
  g_string_append(text, ")");
  adl_expr_scope scope = columns_scope(&table);
  adl_expr *expr = adl_expr_compile(text->str, &scope);
  const adl_column *inputs[] = {&table.arrays[table.count - 1]->view};
  const char *why = NULL;
  ck_assert_ptr_null(adl_expr_evaluate(expr, inputs, 1, 0, &why));
  ck_assert_ptr_nonnull(why);
  adl_expr_free(expr);
  g_string_free(text, TRUE);
}
END_TEST

/* ---- calls ---- */

#define CHOICES "sum/1|last/2|bag/1-2|count/0"

START_TEST(calls) {
  adl_expr_scope scope = columns_scope(&table);
  adl_expr_call call;
  ck_assert(adl_expr_compile_call("last(k * 2, at)", CHOICES, &scope, &call));
  ck_assert_int_eq(call.function, 1);
  ck_assert_int_eq(call.argument_count, 2);
  ck_assert_int_eq(adl_expr_type(call.arguments[0]).element, ADL_INT64);
  ck_assert_int_eq(adl_expr_column(call.arguments[1]), 9);
  adl_expr_call_clear(&call);
  ck_assert_ptr_null(call.arguments[0]);
  ck_assert(adl_expr_compile_call(" count( ) ", CHOICES, &scope, &call));
  ck_assert_int_eq(call.function, 3);
  ck_assert_int_eq(call.argument_count, 0);
  adl_expr_call_clear(&call);
  ck_assert(adl_expr_compile_call("bag(words)", CHOICES, &scope, &call));
  ck_assert_int_eq(call.function, 2);
  ck_assert_int_eq(adl_expr_type(call.arguments[0]).shape, ADL_LIST);
  adl_expr_call_clear(&call);
  ck_assert(adl_expr_compile_call("sum(if(min(i, k) > 0, i, k))", CHOICES, &scope, &call));
  adl_expr_call_clear(&call);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("expr");
  TCase *t = tcase_create("answers");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, arithmetic);
  tcase_add_test(t, comparison);
  tcase_add_test(t, membership);
  tcase_add_test(t, truth_tables);
  tcase_add_test(t, choice);
  tcase_add_test(t, mathematics);
  tcase_add_test(t, log1p_is_exact_to_a_unit_and_the_same_everywhere);
  tcase_add_test(t, log1p_of_odd_numbers);
  tcase_add_test(t, strings);
  tcase_add_test(t, times);
  tcase_add_test(t, calendar);
  tcase_add_test(t, timestamp_texts);
  tcase_add_test(t, result_types);
  tcase_add_test(t, inputs_in_order_of_appearance);
  tcase_add_test(t, bare_columns_of_any_shape);
  tcase_add_test(t, many_rows_and_none);
  tcase_add_test(t, strings_without_end);
  tcase_add_test(t, calls);
  tcase_set_timeout(t, 60);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
