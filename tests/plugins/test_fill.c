/* fill on the real engine: every method on every type, what it learns and from which rows, models, refusals. */
#include <math.h>

#include "tests/plugins/transform.h"

static const char csv[] = "price,n,city,ok,at\n"
                          "2.5,1,Wien,true,2024-06-01\n"
                          ",,Kyoto,,\n"
                          "10,4,,false,2024-06-04\n"
                          "nan,4,Kyoto,true,2024-06-04\n"
                          "-1,,Wien,true,\n";
static const char columns[] = "{price: float, n: int, city: id, ok: bool, at: timestamp}";

static void assert_filled(const char *stage, const char *column, const char *expected) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, stage, "f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, column, expected);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  ck_assert_int_eq(adl_harness_rows(h), 5);
  adl_harness_free(h);
}

static const struct {
  const char *stage, *column, *expected;
} known[] = {
    /* (2.5 + 10 - 1) / 3; NaN teaches nothing, and stays */
    {"{use: fill, columns: [price]}", "price", "2.5|3.8333333333333335|10|NaN|-1"},
    {"{use: fill, columns: [price], nan: true}", "price", "2.5|3.8333333333333335|10|3.8333333333333335|-1"},
    {"{use: fill, columns: [n]}", "n", "1|3|4|4|3"},
    {"{use: fill, columns: [at]}", "at",
     "2024-06-01T00:00:00Z|2024-06-03T00:00:00Z|2024-06-04T00:00:00Z|2024-06-04T00:00:00Z|2024-06-03T00:00:00Z"},
    {"{use: fill, columns: [price], method: median}", "price", "2.5|2.5|10|NaN|-1"},
    {"{use: fill, columns: [n], method: median}", "n", "1|4|4|4|4"},
    {"{use: fill, columns: [n], method: most_common}", "n", "1|4|4|4|4"},
    {"{use: fill, columns: [price], method: most_common}", "price", "2.5|-1|10|NaN|-1"},
    {"{use: fill, columns: [city], method: most_common}", "city", "Wien|Kyoto|Kyoto|Kyoto|Wien"},
    {"{use: fill, columns: [ok, at], method: most_common}", "ok", "true|true|false|true|true"},
    {"{use: fill, columns: [city], method: value, value: elsewhere}", "city", "Wien|Kyoto|elsewhere|Kyoto|Wien"},
    {"{use: fill, columns: [city], method: value, value: \"\"}", "city", "Wien|Kyoto||Kyoto|Wien"},
    {"{use: fill, columns: [price, n], method: value, value: 0}", "n", "1|0|4|4|0"},
    {"{use: fill, columns: [price, n], method: value, value: 0, nan: true}", "price", "2.5|0|10|0|-1"},
    {"{use: fill, columns: [ok], method: value, value: false}", "ok", "true|false|false|true|true"},
    {"{use: fill, columns: [at], method: value, value: 2000-01-01}", "at",
     "2024-06-01T00:00:00Z|2000-01-01T00:00:00Z|2024-06-04T00:00:00Z|2024-06-04T00:00:00Z|2000-01-01T00:00:00Z"},
    {"{use: fill, columns: [price, n], flag: true}", "price_missing", "false|true|false|false|false"},
    {"{use: fill, columns: [price, n], flag: true, nan: true}", "price_missing", "false|true|false|true|false"},
    {"{use: fill, columns: [price, n], flag: true}", "n_missing", "false|true|false|false|true"},
    {"{use: fill, columns: [n], suffix: _filled}", "n", "1|null|4|4|null"},
    {"{use: fill, columns: [n], suffix: _filled}", "n_filled", "1|3|4|4|3"},
};

START_TEST(known_values) {
  char *stage = g_strdup_printf("  f: %s\n", known[_i].stage);
  assert_filled(stage, known[_i].column, known[_i].expected);
  g_free(stage);
}
END_TEST

START_TEST(types_and_roles_stay) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, "  f: {use: fill, columns: [price, n, city, ok, at], method: most_common}\n", "f");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_type(h, "price").element, ADL_FLOAT64);
  ck_assert_int_eq(adl_harness_type(h, "n").element, ADL_INT64);
  ck_assert_int_eq(adl_harness_type(h, "city").role, ADL_CATEGORY);
  ck_assert_int_eq(adl_harness_type(h, "ok").element, ADL_BOOL);
  ck_assert_int_eq(adl_harness_type(h, "at").element, ADL_TIMESTAMP);
  adl_harness_free(h);
}
END_TEST

/* int32, of both roles. */
START_TEST(narrow_integers) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h,
                  "  t: {use: time, column: at, parts: [day, year, day_of_year]}\n"
                  "  f: {use: fill, columns: [at_day], method: most_common}\n"
                  "  g: {use: fill, columns: [at_day_of_year]}\n"
                  "  k: {use: fill, columns: [at_year], method: value, value: -7, flag: true}\n",
                  "k");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "at_day", "1|4|4|4|4");
  ASSERT_VALUES(h, "at_day_of_year", "153|155|156|156|155");
  ASSERT_VALUES(h, "at_year", "2024|-7|2024|2024|-7");
  ASSERT_VALUES(h, "at_year_missing", "false|true|false|false|true");
  ck_assert_int_eq(adl_harness_type(h, "at_day").element, ADL_INT32);
  ck_assert_int_eq(adl_harness_type(h, "at_day").role, ADL_CATEGORY);
  ck_assert_int_eq(adl_harness_type(h, "at_year").role, ADL_NUMBER);
  adl_harness_free(h);
  assert_refused(csv, columns,
                 "  t: {use: time, column: at, parts: [year]}\n"
                 "  f: {use: fill, columns: [at_year], method: value, value: 3000000000}\n",
                 "\"3000000000\" is not an int32, which at_year is");
}
END_TEST

/* Many rows; what is held out has other values and other gaps. */
static adl_harness *many(void) {
  GString *text = g_string_new("id,x,c\n");
  for (int id = 0; id < 20000; id++) {
    bool held = id % 4 == 3;
    g_string_append_printf(text, "%d,", id);
    if (id % 7 != 2) g_string_append_printf(text, "%.17g", held ? 1e9 : adl_random_unit(1, (uint64_t)id));
    if (id % 5 == 0)
      g_string_append(text, ",\n");
    else
      g_string_append_printf(text, ",%s%d\n", held ? "h" : "t", (int)(adl_random(2, (uint64_t)id) % 50));
  }
  adl_harness *h = adl_harness_new(text->str, "{id: int, x: float, c: id}");
  adl_harness_source(h, "holdout: {where: 'id % 4 = 3'}");
  g_string_free(text, TRUE);
  return h;
}

static const char learned[] = "  m: {use: fill, columns: [x], flag: true, suffix: _mean}\n"
                              "  d: {use: fill, columns: [x], method: median, suffix: _median}\n"
                              "  f: {use: fill, columns: [x, c], method: most_common}\n"
                              "  o: {use: write-csv, path: o.csv, columns: [id, x_mean, x_median, x, c]}\n";

START_TEST(learns_from_training_rows_only) {
  adl_harness *h = many();
  adl_harness_run(h, learned, "f");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 20000);
  double sum = 0, values[20000];
  int count = 0, tally[50] = {0}, best = 0;
  for (int id = 0; id < 20000; id++) {
    if (id % 4 == 3) continue;
    if (id % 7 != 2) sum += values[count++] = adl_random_unit(1, (uint64_t)id);
    if (id % 5 != 0) tally[adl_random(2, (uint64_t)id) % 50]++;
  }
  for (int i = 0; i < count; i++) { /* the middle value is the one with half of the others below */
    int below = 0;
    for (int j = 0; j < count; j++) below += values[j] < values[i];
    if (below == (count - 1) / 2) ck_assert(adl_harness_number(h, "x_median", 2) >= values[i]);
    if (below == count / 2) ck_assert(adl_harness_number(h, "x_median", 2) <= values[i]);
  }
  ck_assert_double_eq_tol(adl_harness_number(h, "x_mean", 2), sum / count, 1e-12);
  ck_assert(adl_harness_number(h, "x_mean", 3) == 1e9 && adl_harness_number(h, "x_mean", 23) < 1);
  /* "t10" is before "t2": ties go by bytes, but there is one winner here or the comparison below says so */
  char name[16], *text;
  for (int i = 1; i < 50; i++) {
    char other[16];
    snprintf(name, sizeof name, "t%d", best);
    snprintf(other, sizeof other, "t%d", i);
    if (tally[i] > tally[best] || (tally[i] == tally[best] && strcmp(other, name) < 0)) best = i;
  }
  snprintf(name, sizeof name, "t%d", best);
  text = adl_harness_text(h, "c", 0);
  ck_assert_str_eq(text, name);
  free(text);
  ck_assert(adl_harness_report(h, "m", "", "missing in x") == 15000 - count);
  adl_harness_free(h);
}
END_TEST

START_TEST(threads_and_memory_change_no_bit) {
  adl_harness *h = many();
  char *first = NULL;
  for (int threads = 1; threads <= 4; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_memory(h, threads == 4 ? 1 << 20 : INT64_C(1) << 30);
    adl_harness_run(h, learned, NULL);
    ASSERT_OK(h);
    char *digest = adl_harness_digest(h);
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(digest, first) == 0, "%d threads differ from one", threads);
    free(digest);
  }
  g_free(first);
  adl_harness_free(h);
}
END_TEST

/* Other rows get what the first ones taught. */
START_TEST(models_are_loaded) {
  static const char stages[] = "  f: {use: fill, columns: [x, n], flag: true}\n"
                               "  f2: {use: fill, columns: [c], method: most_common}\n"
                               "  f3: {use: fill, columns: [b], method: value, value: v}\n";
  static const char types[] = "{x: float, n: int, c: id, b: string}";
  adl_harness *h = adl_harness_new("x,n,c,b\n1,3,u,\n2,,u,\n,8,,q\n", types);
  adl_harness_run(h, stages, "f3");
  ASSERT_OK(h);
  adl_harness *other = adl_harness_new("x,n,c,b\n,,,\n70,70,z,z\n", types);
  adl_harness_models(other, adl_harness_run_directory(h));
  adl_harness_run(other, stages, "f3");
  ASSERT_OK(other);
  ASSERT_VALUES(other, "x", "1.5|70");
  ASSERT_VALUES(other, "n", "6|70"); /* 5.5, to the even one */
  ASSERT_VALUES(other, "c", "u|z");
  ASSERT_VALUES(other, "b", "v|z");
  adl_harness_free(h);
  adl_harness_free(other);
}
END_TEST

START_TEST(nothing_to_learn_from) {
  static const char words[] = "x has no value in any training row, so there is none to fill in";
  assert_refused("x\n", "{x: float}", "  f: {use: fill, columns: [x]}\n", words);
  assert_refused("x,y\n,1\n,2\n", "{x: float, y: int}", "  f: {use: fill, columns: [y, x], method: median}\n", words);
  assert_refused("x,y\n,1\n,2\n", "{x: id, y: int}", "  f: {use: fill, columns: [x], method: most_common}\n", words);
  assert_refused("x,y\nnan,1\ninf,2\n", "{x: float, y: int}", "  f: {use: fill, columns: [x]}\n", words);
  adl_harness *h = adl_harness_new("x,y\n,1\n,2\n", "{x: float, y: int}");
  adl_harness_run(h, "  f: {use: fill, columns: [x, y], value: 7}\n", "f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", "7|7");
  adl_harness_free(h);
  h = adl_harness_new("x\n", "{x: float}");
  adl_harness_run(h, "  f: {use: fill, columns: [x], method: value, value: 7}\n", "f");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
  h = adl_harness_new("x\n4\n", "{x: float}");
  adl_harness_run(h, "  f: {use: fill, columns: [x], method: median}\n", "f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", "4");
  adl_harness_free(h);
}
END_TEST

/* Means at the ends of what the types hold. */
START_TEST(large_values) {
  adl_harness *h =
      adl_harness_new("n,x\n9223372036854775807,1e308\n9223372036854775807,-1e308\n,\n", "{n: int, x: float}");
  adl_harness_run(h, "  f: {use: fill, columns: [n, x]}\n", "f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "n", "9223372036854775807|9223372036854775807|9223372036854775807");
  ck_assert(adl_harness_number(h, "x", 2) == 0);
  adl_harness_run(h, "  f: {use: fill, columns: [x], method: median}\n", "f");
  ASSERT_OK(h);
  ck_assert(adl_harness_number(h, "x", 2) == 0);
  adl_harness_free(h);
  assert_refused("x,y\n1e308,1\n1e308,2\n", "{x: float, y: int}", "  f: {use: fill, columns: [x]}\n",
                 "the values of x are too large for float64");
}
END_TEST

static const struct {
  const char *stage, *words;
} refused[] = {
    {"{use: fill, columns: []}", "is empty, and fill needs it"},
    {"{use: fill, columns: [n, n]}", "n is named twice"},
    {"{use: fill, columns: [city]}", "city is a category and has no mean"},
    {"{use: fill, columns: [ok], method: median}", "ok is a bool and has no median"},
    {"{use: fill, columns: [n], method: value}", "`method: value` needs the `value`"},
    {"{use: fill, columns: [n], method: value, value: 1.5}", "\"1.5\" is not an int64, which n is"},
    {"{use: fill, columns: [price], method: value, value: cheap}", "\"cheap\" is not a finite float64, which price is"},
    {"{use: fill, columns: [price], method: value, value: nan}", "\"nan\" is not a finite float64, which price is"},
    {"{use: fill, columns: [at], method: value, value: noon}", "\"noon\" is not a timestamp, which at is"},
    {"{use: fill, columns: [ok], method: value, value: 2}", "\"2\" is not true or false, which ok is"},
    {"{use: fill, columns: [prise]}", "no column is called `prise`"},
    {"{use: fill, columns: [n], flag: true, suffix: _missing}", "there is a column `n_missing` already"},
};

START_TEST(refusals) {
  char *stage = g_strdup_printf("  f: %s\n", refused[_i].stage);
  assert_refused(csv, columns, stage, refused[_i].words);
  g_free(stage);
}
END_TEST

START_TEST(only_plain_columns) {
  assert_refused(csv, columns, "  s: {use: scale, columns: [n], null: mean, as: v}\n  f: {use: fill, columns: [v]}\n",
                 "column `v` is");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fill");
  TCase *cases = tcase_create("fill");
  tcase_set_timeout(cases, 120);
  tcase_add_loop_test(cases, known_values, 0, (int)G_N_ELEMENTS(known));
  tcase_add_test(cases, types_and_roles_stay);
  tcase_add_test(cases, narrow_integers);
  tcase_add_test(cases, learns_from_training_rows_only);
  tcase_add_test(cases, threads_and_memory_change_no_bit);
  tcase_add_test(cases, models_are_loaded);
  tcase_add_test(cases, nothing_to_learn_from);
  tcase_add_test(cases, large_values);
  tcase_add_loop_test(cases, refusals, 0, (int)G_N_ELEMENTS(refused));
  tcase_add_test(cases, only_plain_columns);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
