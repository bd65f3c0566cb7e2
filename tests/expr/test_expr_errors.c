/* What is wrong with texts: place, message and hint of every kind of error; limits on hostile texts. */
#include "tests/expr/columns.h"

static columns table;

static void setup(void) {
  columns_add(&table, "price", ADL_FLOAT64, ADL_NUMBER, "1");
  columns_add(&table, "quantity", ADL_INT32, ADL_NUMBER, "1");
  columns_add(&table, "user", ADL_INT64, ADL_CATEGORY, "1");
  columns_add(&table, "city", ADL_STRING, ADL_CATEGORY, "x");
  columns_add(&table, "at", ADL_TIMESTAMP, ADL_NUMBER, "1");
  columns_add(&table, "clicked", ADL_BOOL, ADL_NUMBER, "true");
  adl_type list = {.element = ADL_STRING, .shape = ADL_LIST, .role = ADL_CATEGORY};
  columns_add_array(&table, "words", adl_array_nulls(list, 1));
}

static void teardown(void) { columns_clear(&table); }

/* Tokens between [ and ] in `marked` are where the (first) problem stands. */
typedef struct refusal {
  const char *marked;  /* the text, with [ and ] around the place */
  const char *problem; /* message (hint) */
} refusal;

static void check_refusal(const refusal *r, bool (*refused)(const char *text, const adl_expr_scope *scope)) {
  GString *text = g_string_new(NULL);
  int from = -1, to = -1;
  for (const char *at = r->marked; *at != '\0'; at++) {
    if (*at == '[')
      from = (int)text->len;
    else if (*at == ']')
      to = (int)text->len;
    else
      g_string_append_c(text, *at);
  }
  adl_expr_scope scope = columns_scope(&table);
  ck_assert_msg(refused(text->str, &scope), "%s: not refused", text->str);
  char *expected = g_strdup_printf("%d+%d %s\n", from, to - from, r->problem);
  ck_assert_msg(strncmp(table.problems->str, expected, strlen(expected)) == 0, "%s\n  gives    %s  expected %s",
                text->str, table.problems->str, expected);
  g_free(expected);
  g_string_free(text, TRUE);
}

static bool expr_refused(const char *text, const adl_expr_scope *scope) {
  adl_expr *expr = adl_expr_compile(text, scope);
  bool refused = expr == NULL;
  adl_expr_free(expr);
  return refused;
}

static bool call_refused(const char *text, const adl_expr_scope *scope) {
  adl_expr_call call;
  bool refused = !adl_expr_compile_call(text, "sum/1|last/2|bag/1-2|count/0", scope, &call);
  if (refused) ck_assert(call.arguments[0] == NULL && call.argument_count == 0);
  adl_expr_call_clear(&call);
  return refused;
}

static const refusal syntax[] = {
    {"[]", "an empty expression"},
    {"   []", "an empty expression"},
    {"price +[]", "expected a value, not the end"},
    {"price > [)]", "expected a value, not `)`"},
    {"(price > 1[]", "expected `)`, not the end"},
    {"price [price]", "expected an operator or the end, not `price`"},
    {"price > 1 [)]", "expected an operator or the end, not `)`"},
    {"price > 1 [and2]", "expected an operator or the end, not `and2`"},
    {"price [&&] clicked", "not an operator of expressions (write `and`)"},
    {"[!]clicked", "not an operator of expressions (write `not`)"},
    {"city [||] city", "not an operator of expressions (write `or`, or concat() to join strings)"},
    {"price [;] 1", "this character has no meaning here"},
    {"words[.]x", "this character has no meaning here (a column whose name has a dot stands in backticks: `a.b`)"},
    {"city = ['Berlin]", "this string is never closed"},
    {"[`price > 1]", "this ` is never closed"},
    {"city = 'a[\\q]'", "not an escape sequence (escapes are \\n \\r \\t \\\\ \\' \\\" and \\uXXXX)"},
    {"city = '[\\u00]zz'", "not an escape sequence (four hexadecimal digits follow \\u)"},
    {"city = '[\\ud800]'", "not a character of Unicode"},
    {"city = '[\\u0000]'", "not a character of Unicode"},
    {"[2nd] > 1", "neither a number nor a name (a column whose name begins with a digit stands in backticks: `2nd`)"},
    {"price > [1.2.3]",
     "neither a number nor a name (a column whose name begins with a digit stands in backticks: `2nd`)"},
    {"price > [1e]", "not a number (an exponent looks like 1e-3)"},
    {"price > [1e999]", "too large a number"},
    {"quantity > [9223372036854775808]",
     "an integer does not have more than 64 bits (write it with a decimal point to get a float64)"},
    {"quantity > [99999999999999999999999]",
     "an integer does not have more than 64 bits (write it with a decimal point to get a float64)"},
    {"1 < quantity [<] 3", "comparisons cannot be chained (write `a < b and b < c`)"},
    {"price in [1]", "expected `(`, not the number 1 (a list looks like ('a', 'b', 'c'))"},
    {"price in [()]", "this list is empty"},
    {"price in (1[]", "expected `,` or `)`, not the end"},
    {"price is [2]", "expected `null` or `not null`, not the number 2 (equality is written `=`)"},
    {"price not [like] 'a'", "expected `in` or `between`, not `like`"},
    {"price between 1[,] 2", "expected `and`, not `,` (it is written `x between low and high`, both ends included)"},
    {"price > [in]", "expected a value, not `in` (a column with such a name stands in backticks: `in`)"},
    {"city = [\xff]'x'", "this byte is not UTF-8"},
};

START_TEST(syntax_errors) { check_refusal(&syntax[_i], expr_refused); }
END_TEST

static const refusal meaning[] = {
    {"[prize] > 1", "no column is called `prize` (did you mean `price`?)"},
    {"city = [Berlin]", "no column is called `Berlin` (a string stands in quotes: 'Berlin')"},
    {"[lenght](city) > 1", "no function is called `lenght` (did you mean `length`?)"},
    {"[sum](price) > 1", "no function is called `sum` (an expression sees one row; the class group sums up rows)"},
    {"[if](clicked, 1)",
     "if is used as if(condition, then, else), not with 2 arguments (One of two values; a condition "
     "that is null counts as false.)"},
    {"[max](price)",
     "max is used as max(a, b, ...), not with 1 argument (The greatest of several values of one row; null if "
     "any of them is null.)"},
    {"price > ['12']", "`>` cannot compare a number with a string (a number stands without quotes)"},
    {"price > ['quantity']",
     "`>` cannot compare a number with a string (without quotes it would be the column `quantity`)"},
    {"city = [12]", "`=` cannot compare a string with a number (a string stands in quotes)"},
    {"city [=] price", "`=` cannot compare a string with a number (string(x) writes it as a string)"},
    {"price [=] city",
     "`=` cannot compare a number with a string (number(x) reads a number from a string, null if it is none)"},
    {"at [<] city",
     "`<` cannot compare a timestamp with a string (timestamp(x) reads a timestamp from a string, null if it is "
     "none)"},
    {"at > ['june']", "'june' is not a timestamp (timestamps look like '2024-06-01' or '2024-06-01 12:00:00')"},
    {"at > [5]", "`>` cannot compare a timestamp with a number"},
    {"timestamp(['2024-02-30']) < at",
     "'2024-02-30' is not a timestamp (timestamps look like '2024-06-01' or '2024-06-01 12:00:00')"},
    {"user = ['bob']",
     "'bob' is not a whole number, and this is compared with an id that is one (ids of integers are compared with "
     "42 or '42')"},
    {"user [<] city", "`<` cannot compare an id (a category of integers) with a string (number(x) reads a number from "
                      "a string, null if it is "
                      "none)"},
    {"[user] + 1",
     "`+` needs a number, and this is an id (a category of integers) (number(x) takes an id as a number)"},
    {"[city] * 2",
     "`*` needs a number, and this is a string (number(x) reads a number from a string, null if it is none)"},
    {"city [+] 'x'", "`+` adds numbers, not strings (concat(a, b) joins strings)"},
    {"at [-] at",
     "`-` works on numbers, not on timestamps (days_between(a, b) is the time from a to b, add_days(at, 7) a week "
     "later)"},
    {"[clicked] + 1", "`+` needs a number, and this is true or false (number(x) makes 0 or 1 of it)"},
    {"-[city]",
     "`-` needs a number, and this is a string (number(x) reads a number from a string, null if it is none)"},
    {"not [price]", "`not` needs true or false, and this is a number (compare it: x != 0)"},
    {"clicked and [quantity]", "`and` needs true or false, and this is a number (compare it: x != 0)"},
    {"clicked [<] true", "true and false have no order"},
    {"clicked = [1]", "`=` cannot compare true or false with a number (write `x` or `not x`)"},
    {"price = [null]", "comparing with null never gives true or false (write `is null` or `is not null`)"},
    {"price in (1, [null])", "`in` never finds null (write `x in (...) or x is null`)"},
    {"price in (1, [quantity])", "the list of `in` holds constants only (write `a = b or a = c`)"},
    {"price in (1, ['a'])", "`in` cannot compare a number with a string (a number stands without quotes)"},
    {"words [=] words",
     "`=` cannot compare a column with several values in a row with a column with several values in a row"},
    {"length([words])", "length needs a string, and this is a column with several values in a row"},
    {"coalesce([words], words)", "coalesce works on single values, and this is a column with several values in a row"},
    {"if(clicked, 1, ['x'])",
     "if needs values of one kind: this is a string, the one before it a number (a number stands without "
     "quotes)"},
    {"if(clicked, user, [1.5])",
     "if needs values of one kind: this is a number, the one before it an id (a category of integers) "
     "(number(x) takes an id as a number)"},
    {"log1p([city])",
     "log1p needs a number, and this is a string (number(x) reads a number from a string, null if it is none)"},
    {"round(price, [1.5])",
     "the second argument of round needs a whole number, and this is a number (integer(x) cuts off what is "
     "behind the point)"},
    {"year([price])", "year needs a timestamp, and this is a number"},
    {"[null]", "null alone has no type"},
    {"[coalesce(null, null)]", "every value of this coalesce is null"},
};

START_TEST(errors_of_meaning) { check_refusal(&meaning[_i], expr_refused); }
END_TEST

static const refusal calls[] = {
    {"[summ](price)", "no function is called `summ` here (did you mean `sum`?)"},
    {"[frobnicate](price)", "no function is called `frobnicate` here (there are sum, last, bag and count)"},
    {"[5]", "expected a function such as sum(x), not the number 5 (there are sum, last, bag and count)"},
    {"count[]", "expected `(`, not the end (write count())"},
    {"sum [price]", "expected `(`, not `price` (write sum(...))"},
    {"[sum]()", "sum takes 1 argument, not 0"},
    {"[last](price)", "last takes 2 arguments, not 1"},
    {"[bag](city, price, 3)", "bag takes 1 to 2 arguments, not 3"},
    {"[bag](city, price, 3, 4, 5)", "bag takes 1 to 2 arguments, not 5"},
    {"[count](price)", "count takes no arguments, not 1"},
    {"sum(price[]", "expected `,` or `)`, not the end"},
    {"sum(price) [/] 2",
     "expected nothing behind the call, not `/` (compute with the result in a stage of its own (derive))"},
    {"sum(price, []", "expected a value, not the end"},
    {"last(price, [wen])", "no column is called `wen` (a string stands in quotes: 'wen')"},
    {"[]", "expected a function such as sum(x), not the end (there are sum, last, bag and count)"},
};

START_TEST(errors_of_calls) { check_refusal(&calls[_i], call_refused); }
END_TEST

START_TEST(several_in_one_go) {
  adl_expr_scope scope = columns_scope(&table);
  ck_assert_ptr_null(adl_expr_compile("prize > 1 and city = 5 and lenght(city) = 2 and at > 'x'", &scope));
  gchar **lines = g_strsplit(table.problems->str, "\n", -1);
  ck_assert_int_eq(g_strv_length(lines), 5); /* four, and nothing behind the last newline */
  ck_assert(g_str_has_prefix(lines[0], "0+5 "));
  ck_assert(g_str_has_prefix(lines[1], "21+1 "));
  ck_assert(g_str_has_prefix(lines[2], "27+6 "));
  ck_assert(g_str_has_prefix(lines[3], "53+3 "));
  g_strfreev(lines);
  adl_expr_call call;
  scope = columns_scope(&table);
  ck_assert(!adl_expr_compile_call("last(prize, wen)", "last/2", &scope, &call));
  ck_assert_ptr_nonnull(strstr(table.problems->str, "prize"));
  ck_assert_ptr_nonnull(strstr(table.problems->str, "wen"));
}
END_TEST

/* A text made of `count` times `part` between `before` and `after`. */
static bool repeated_refused(const char *before, const char *part, int count, const char *after, const char *message) {
  GString *text = g_string_new(before);
  for (int i = 0; i < count; i++) g_string_append(text, part);
  g_string_append(text, after);
  adl_expr_scope scope = columns_scope(&table);
  adl_expr *expr = adl_expr_compile(text->str, &scope);
  if (expr != NULL) {
    adl_array_unref(columns_evaluate(&table, expr, 1));
  } else {
    ck_assert_msg(strstr(table.problems->str, message) != NULL, "%s", table.problems->str);
  }
  adl_expr_free(expr);
  g_string_free(text, TRUE);
  return expr == NULL;
}

START_TEST(hostile_texts) {
  ck_assert(repeated_refused("", "(", 60000, "1", "nested more than"));
  ck_assert(repeated_refused("", "-", 60000, "1", "nested more than"));
  ck_assert(repeated_refused("", "not ", 15000, "clicked", "nested more than"));
  ck_assert(repeated_refused("", "abs(", 15000, "price", "nested more than"));
  ck_assert(repeated_refused("price", "+price", 12000, "", "at most 65536 bytes"));
  ck_assert(repeated_refused("1", " ", 70000, "", "at most 65536 bytes"));
  ck_assert(repeated_refused("price", "+1", 20000, "", "too large an expression"));
  ck_assert(repeated_refused("coalesce(price", ", price", 100, ")", "not with 101 arguments"));
  ck_assert(repeated_refused("1", " prise or", 3000, "", ""));
  /* Long is fine as long as it is not deep. */
  ck_assert(!repeated_refused("price", "+price", 10000, "", ""));
  ck_assert(!repeated_refused("quantity in (1", ",7", 30000, ")", ""));
  ck_assert(!repeated_refused("1", "+1", 30000, " > price", ""));
  ck_assert(
      !repeated_refused("", "(", 190,
                        "price))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"
                        "))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))"
                        "))))))))))))))))))))",
                        ""));
  /* A count of problems that helps nobody is cut. */
  columns_scope(&table);
  GString *text = g_string_new("price > 1");
  for (int i = 0; i < 500; i++) g_string_append(text, " and prize > 1");
  adl_expr_scope scope = columns_scope(&table);
  ck_assert_ptr_null(adl_expr_compile(text->str, &scope));
  gchar **lines = g_strsplit(table.problems->str, "\n", -1);
  ck_assert_int_eq(g_strv_length(lines), ADL_EXPR_MAX_PROBLEMS + 1);
  g_strfreev(lines);
  g_string_free(text, TRUE);
}
END_TEST

/* Every function has its three texts, and docs/expressions.md says the same of it. */
START_TEST(functions_are_documented) {
  int32_t count = 0;
  char *manual = NULL, *path = g_build_filename(g_getenv("ADLOOM_SRC") != NULL ? g_getenv("ADLOOM_SRC") : ".", "docs",
                                                "expressions.md", NULL);
  ck_assert_msg(g_file_get_contents(path, &manual, NULL, NULL), "%s cannot be read", path);
  for (const adl_expr_function *f; (f = adl_expr_function_at(count)) != NULL; count++) {
    ck_assert(g_str_has_prefix(f->usage, f->name));
    ck_assert(g_str_has_suffix(f->doc, "."));
    ck_assert_msg(strstr(manual, f->doc) != NULL, "%s lacks: %s", path, f->doc);
  }
  ck_assert_int_gt(count, 30);
  g_free(manual);
  g_free(path);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static Suite *suite(void) {
  Suite *s = suite_create("expr errors");
  TCase *t = tcase_create("errors");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, syntax_errors, 0, COUNT(syntax));
  tcase_add_loop_test(t, errors_of_meaning, 0, COUNT(meaning));
  tcase_add_loop_test(t, errors_of_calls, 0, COUNT(calls));
  tcase_add_test(t, several_in_one_go);
  tcase_add_test(t, hostile_texts);
  tcase_add_test(t, functions_are_documented);
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
