/* filter, derive, select, sort and dedupe on the real engine. */
#include "tests/plugins/transform.h"

static const char csv[] = "user,price,city,at\n"
                          "1,2.5,Wien,2024-06-03\n"
                          "2,,Kyoto,2024-06-01\n"
                          "3,10,,2024-06-02\n"
                          "2,,Kyoto,2024-06-01\n"
                          "1,-1,wien,2024-06-03\n";
static const char columns[] = "{user: id, price: float, city: string, at: timestamp}";

/* ---- filter ---- */

START_TEST(filter_keeps_what_is_true) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, "  f: {use: filter, where: \"price > 0\"}\n", "f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "1|3");
  ASSERT_VALUES(h, "city", "Wien|null");
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  adl_harness_run(h, "  f: {use: filter, where: \"price is null or city in ('wien')\"}\n", "f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "2|2|1");
  adl_harness_run(h, "  f: {use: filter, where: \"false\"}\n", "f");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_run(h, "  f: {use: filter, where: \"at >= '2024-06-02' and user = '1'\"}\n", "f");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "city", "Wien|wien");
  adl_harness_free(h);
}
END_TEST

START_TEST(filter_refuses) {
  assert_refused(csv, columns, "  f: {use: filter, where: price}\n", "filter takes a plain value of bool");
  assert_refused(csv, columns, "  f: {use: filter, where: \"prise > 1\"}\n", "no column is called `prise`");
  assert_refused(csv, columns, "  f: {use: filter}\n", "where");
}
END_TEST

/* What depends on the clock is never taken from the store, nor is anything behind it. */
START_TEST(now_is_another_time_in_the_next_run) {
  static const char *const where[][2] = {{"price is null or at < now()", "\"fitted_in_this_run\" : true"},
                                         {"price is null or at < '2030-01-01'", "\"fitted_in_this_run\" : false"}};
  for (int i = 0; i < 2; i++) {
    adl_harness *h = adl_harness_new(csv, columns);
    adl_harness_store(h, true);
    char *stages =
        g_strdup_printf("  f: {use: filter, where: \"%s\"}\n  o: {use: onehot, columns: [city]}\n", where[i][0]);
    for (int run = 0; run < 2; run++) {
      adl_harness_run(h, stages, "o");
      ASSERT_OK(h);
    }
    char *manifest = adl_harness_read(h, "manifest.json");
    ck_assert_msg(strstr(manifest, where[i][1]) != NULL, "%s", manifest);
    free(manifest);
    g_free(stages);
    adl_harness_free(h);
  }
}
END_TEST

/* Batches of every size come through whole. */
START_TEST(filter_keeps_order_and_splits) {
  GString *text = g_string_new("n\n");
  for (int i = 0; i < 20000; i++) g_string_append_printf(text, "%d\n", i);
  adl_harness *h = adl_harness_new(text->str, "{n: int}");
  adl_harness_source(h, "holdout: {where: \"n % 5 = 0\"}");
  adl_harness_threads(h, 3);
  adl_harness_run(h, "  f: {use: filter, where: \"n % 3 = 0\"}\n", "f");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 6667);
  for (int64_t row = 0; row < 6667; row++) {
    ck_assert(adl_harness_number(h, "n", row) == (double)row * 3);
    ck_assert_int_eq(adl_harness_split(h, row), row * 3 % 5 == 0 ? ADL_TEST : ADL_TRAIN);
  }
  adl_harness_free(h);
  g_string_free(text, TRUE);
}
END_TEST

/* ---- derive ---- */

START_TEST(derive_adds_columns) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h,
                  "  d:\n"
                  "    use: derive\n"
                  "    columns:\n"
                  "      double: price * 2\n"
                  "      day: \"day(at)\"\n"
                  "      big: price > 3\n"
                  "      name: \"lower(coalesce(city, 'none'))\"\n"
                  "      who: user\n",
                  "d");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "double", "5|null|20|null|-2");
  ASSERT_VALUES(h, "day", "3|1|2|1|3");
  ASSERT_VALUES(h, "big", "false|null|true|null|false");
  ASSERT_VALUES(h, "name", "wien|kyoto|none|kyoto|wien");
  ASSERT_VALUES(h, "who", "1|2|3|2|1");
  ASSERT_VALUES(h, "user", "1|2|3|2|1");
  ck_assert_int_eq(adl_harness_type(h, "double").element, ADL_FLOAT64);
  ck_assert_int_eq(adl_harness_type(h, "who").role, ADL_CATEGORY);
  adl_harness_free(h);
}
END_TEST

START_TEST(derive_replaces_only_when_told) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, "  d: {use: derive, replace: true, columns: {price: \"coalesce(price, 0)\"}}\n", "d");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "price", "2.5|0|10|0|-1");
  adl_harness_free(h);
  assert_refused(csv, columns, "  d: {use: derive, columns: {price: \"price + 1\"}}\n",
                 "there is a column `price` already");
  assert_refused(csv, columns, "  d: {use: derive, columns: {x: \"city + 1\"}}\n", "`+` adds numbers, not strings");
}
END_TEST

/* ---- select ---- */

/* The columns that leave, through a sink's header. */
static char *header_of(adl_harness *h) {
  char *text = adl_harness_read(h, "out.csv");
  char *line = g_strndup(text, strcspn(text, "\r\n"));
  free(text);
  return line;
}

static void check_select(const char *parameters, const char *header) {
  adl_harness *h = adl_harness_new(csv, columns);
  char *stages = g_strdup_printf("  s: {use: select, %s}\n"
                                 "  o: {use: write-csv, path: out.csv}\n",
                                 parameters);
  adl_harness_run(h, stages, "s");
  ASSERT_OK(h);
  char *line = header_of(h);
  ck_assert_str_eq(line, header);
  ck_assert_int_eq(adl_harness_rows(h), 5);
  g_free(line);
  g_free(stages);
  adl_harness_free(h);
}

START_TEST(select_chooses_columns) {
  check_select("columns: [at, user]", "at,user");
  check_select("columns: [at, user], rename: {user: who}", "at,who");
  check_select("drop: [city, at]", "user,price");
  check_select("drop: city", "user,price,at");
  check_select("rename: {user: who}", "price,city,at,who");
  check_select("drop: at, rename: {user: city, city: user}", "price,city,user");
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, "  s: {use: select, drop: [city, at], rename: {user: who}}\n", "s");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "who", "1|2|3|2|1");
  ASSERT_VALUES(h, "price", "2.5|null|10|null|-1");
  adl_harness_free(h);
}
END_TEST

START_TEST(select_refuses) {
  assert_refused(csv, columns, "  s: {use: select}\n", "there is nothing to do");
  assert_refused(csv, columns, "  s: {use: select, columns: [user], drop: [at]}\n", "give either `columns` or `drop`");
  assert_refused(csv, columns, "  s: {use: select, columns: [usr]}\n", "no column is called `usr`");
  assert_refused(csv, columns, "  s: {use: select, drop: [prise]}\n", "did you mean `price`?");
  assert_refused(csv, columns, "  s: {use: select, rename: {usr: who}}\n", "no column is called `usr`");
  assert_refused(csv, columns, "  s: {use: select, rename: {user: city}}\n", "there is a column `city` already");
  assert_refused(csv, columns, "  s: {use: select, drop: user, rename: {user: who}}\n", "is dropped and renamed");
  assert_refused(csv, columns, "  s: {use: select, columns: [at], rename: {user: who}}\n",
                 "`user` is not among `columns`");
  assert_refused(csv, columns, "  s: {use: select, columns: [at, at]}\n", "there is a column `at` already");
}
END_TEST

/* ---- sort ---- */

START_TEST(sort_orders_rows) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, "  s: {use: sort, by: [at, price]}\n", "s");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "2|2|3|1|1");
  ASSERT_VALUES(h, "price", "null|null|10|-1|2.5");
  adl_harness_run(h, "  s: {use: sort, by: price, descending: price}\n", "s");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "price", "10|2.5|-1|null|null"); /* nulls at the end in either direction */
  adl_harness_run(h, "  s: {use: sort, by: [city, price], descending: [city]}\n", "s");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "city", "wien|Wien|Kyoto|Kyoto|null");
  adl_harness_run(h, "  s: {use: sort, by: [user], descending: [user]}\n", "s");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "city", "null|Kyoto|Kyoto|Wien|wien"); /* equal rows keep their order */
  adl_harness_free(h);
  assert_refused(csv, columns, "  s: {use: sort, by: [user], descending: [at]}\n", "`at` is not among `by`");
  assert_refused(csv, columns, "  s: {use: sort}\n", "by");
}
END_TEST

/* Many rows with many ties, of several types, for several thread counts: the order of a plain stable sort. */
START_TEST(sort_is_stable_and_total) {
  enum { ROWS = 70000 };
  GRand *rand = g_rand_new_with_seed(5);
  GString *text = g_string_new("id,i,f,s,b\n");
  for (int row = 0; row < ROWS; row++) {
    int i = g_rand_int_range(rand, -20, 20), s = g_rand_int_range(rand, 0, 300), f = g_rand_int_range(rand, -3, 4);
    char number[16] = "";
    if (f < 3) g_snprintf(number, sizeof number, "%g", f / 2.0); /* else null: behind all others */
    g_string_append_printf(text, "%d,%d,%s,same start %03d,%d\n", row, i, number, s, g_rand_boolean(rand));
  }
  for (int threads = 1; threads <= 3; threads += 2) {
    adl_harness *h = adl_harness_new(text->str, "{id: int, i: int, f: float, s: string, b: bool}");
    adl_harness_threads(h, threads);
    adl_harness_run(h, "  s: {use: sort, by: [s, f, b, i], descending: [b, i]}\n", "s");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), ROWS);
    int64_t last = -1, last_id = -1;
    bool *seen = g_new0(bool, ROWS);
    for (int64_t row = 0; row < ROWS; row++) {
      char *s = adl_harness_text(h, "s", row);
      int64_t f = adl_harness_null(h, "f", row) ? 6 : (int64_t)(adl_harness_number(h, "f", row) * 2) + 3;
      int64_t id = (int64_t)adl_harness_number(h, "id", row);
      int64_t now = ((atoi(s + 11) * 10 + f) * 2 + (adl_harness_number(h, "b", row) == 0)) * 100 +
                    (20 - (int64_t)adl_harness_number(h, "i", row));
      ck_assert_msg(now > last || (now == last && id > last_id), "row %d", (int)row);
      ck_assert(!seen[id]);
      seen[id] = true;
      last = now;
      last_id = id;
      free(s);
    }
    g_free(seen);
    adl_harness_free(h);
  }
  g_string_free(text, TRUE);
  g_rand_free(rand);
}
END_TEST

/* ---- dedupe ---- */

START_TEST(dedupe_keeps_the_first) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h, "  d: {use: dedupe}\n", "d");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "1|2|3|1");
  ck_assert(adl_harness_report(h, "d", "", "rows dropped") == 1);
  adl_harness_run(h, "  d: {use: dedupe, by: user}\n", "d");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "city", "Wien|Kyoto|null");
  ck_assert(adl_harness_report(h, "d", "", "rows dropped") == 2);
  adl_harness_run(h, "  d: {use: dedupe, by: price}\n", "d"); /* two nulls agree */
  ASSERT_OK(h);
  ASSERT_VALUES(h, "price", "2.5|null|10|-1");
  adl_harness_free(h);
  assert_refused(csv, columns, "  d: {use: dedupe, by: [usr]}\n", "no column is called `usr`");
}
END_TEST

/* Against a set of the rows, for keys short and long, with several workers. */
START_TEST(dedupe_of_many_rows) {
  GRand *rand = g_rand_new_with_seed(11);
  GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GString *text = g_string_new("n,s,t\n"), *truth = g_string_new(NULL);
  for (int row = 0; row < 30000; row++) {
    int n = g_rand_int_range(rand, 0, 60), s = g_rand_int_range(rand, 0, 40), t = g_rand_int_range(rand, 0, 5);
    char *key = g_strdup_printf("%d|%d|%d", n, s, t);
    g_string_append_printf(text, "%d,%s%d,%d\n", n, t > 2 ? "a string that is longer than sixteen bytes " : "", s, t);
    if (g_hash_table_add(seen, key)) g_string_append_printf(truth, "%s%d", truth->len == 0 ? "" : "|", n);
  }
  adl_harness *h = adl_harness_new(text->str, "{n: int, s: string, t: int}");
  adl_harness_threads(h, 3);
  adl_harness_run(h, "  d: {use: dedupe, by: [n, s, t]}\n", "d");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "n", truth->str);
  adl_harness_free(h);
  g_string_free(text, TRUE);
  g_string_free(truth, TRUE);
  g_hash_table_destroy(seen);
  g_rand_free(rand);
}
END_TEST

int main(void) {
  Suite *s = suite_create("transform");
  TCase *t = tcase_create("transform");
  tcase_add_test(t, filter_keeps_what_is_true);
  tcase_add_test(t, filter_refuses);
  tcase_add_test(t, now_is_another_time_in_the_next_run);
  tcase_add_test(t, filter_keeps_order_and_splits);
  tcase_add_test(t, derive_adds_columns);
  tcase_add_test(t, derive_replaces_only_when_told);
  tcase_add_test(t, select_chooses_columns);
  tcase_add_test(t, select_refuses);
  tcase_add_test(t, sort_orders_rows);
  tcase_add_test(t, sort_is_stable_and_total);
  tcase_add_test(t, dedupe_keeps_the_first);
  tcase_add_test(t, dedupe_of_many_rows);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  return run_suite(s);
}
