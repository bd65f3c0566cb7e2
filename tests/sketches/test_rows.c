/* Sketches that read, join, mark and write rows, on the real engine. */
#include "tests/sketches/sketches.h"

#include <glib/gstdio.h>

/* ---- readme.c ---- */

START_TEST(the_plugin_of_the_readme_takes_thirty_lines) {
  ck_assert_int_le(sketches_lines("readme.c"), 30);
  adl_harness *h = adl_harness_new("t\nadloom\nMünchen\n\"\"\n", "{t: string}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, "  l: {use: acme.length, text: t}\n", "l");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_type(h, "length").element, ADL_INT32);
  ck_assert(adl_harness_number(h, "length", 0) == 6);
  ck_assert(adl_harness_number(h, "length", 1) == 8); /* bytes */
  adl_harness_free(h);
}
END_TEST

START_TEST(a_column_nobody_reads_is_not_missed) {
  adl_harness *h = adl_harness_new("t\nadloom\n", "{t: string}");
  adl_harness_run(h,
                  "  l: {use: acme.length, text: t}\n"
                  "  s: {use: select, columns: [t]}\n",
                  "s");
  ASSERT_OK(h);
  adl_harness_free(h);
}
END_TEST

/* ---- join.c ---- */

static const char visits[] = "user,x\nann,1\nbob,2\ncem,3\n,4\nann,5\n";

static adl_harness *with_people(const char *people) {
  adl_harness *h = adl_harness_new(visits, "{user: string, x: int}");
  adl_harness_file(h, "people.csv", people, -1);
  return h;
}

#define PEOPLE(more)                                                                                                   \
  "  people: {use: read-csv, path: people.csv, columns: {user: string, age: int, held: int}" more "}\n"

START_TEST(join_brings_the_first_row_of_a_key) {
  adl_harness *h = with_people("user,age,held\ncem,30,0\nann,40,0\nann,50,0\n,60,0\n");
  adl_harness_run(h, PEOPLE("") "  j: {use: sketch.lookup, from: rows, with: people, on: user}\n", "j");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 5);
  static const double age[] = {40, -1, 30, -1, 40};
  for (int i = 0; i < 5; i++) {
    ck_assert(adl_harness_number(h, "x", i) == i + 1);
    if (age[i] < 0)
      ck_assert(adl_harness_null(h, "age", i));
    else
      ck_assert(!adl_harness_null(h, "age", i) && adl_harness_number(h, "age", i) == age[i]);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(join_gives_training_rows_nothing_of_held_out_rows) {
  adl_harness *h = with_people("user,age,held\ncem,30,1\nann,40,0\n");
  adl_harness_source(h, "holdout: {where: \"x = 3\"}");
  const char *stages =
      PEOPLE(", holdout: {where: \"held = 1\"}") "  j: {use: sketch.lookup, from: rows, with: people, on: user}\n";
  adl_harness_run(h, stages, "j");
  ASSERT_OK(h);
  ck_assert(adl_harness_number(h, "age", 0) == 40); /* training, training */
  ck_assert(adl_harness_number(h, "age", 2) == 30); /* held out, held out */
  adl_harness_source(h, "");
  adl_harness_run(h, stages, "j");
  ASSERT_OK(h);
  ck_assert(adl_harness_number(h, "age", 0) == 40);
  ck_assert(adl_harness_null(h, "age", 2)); /* training, held out */
  adl_harness_free(h);
}
END_TEST

START_TEST(join_is_told_what_is_wrong) {
  adl_harness *h = with_people("user,age,held\ncem,30,1\n");
  adl_harness_run(h, "  j: {use: sketch.lookup, with: nobody, on: user}\n", "j");
  ASSERT_SAYS(h, "j.with: there is no stage `nobody`");
  adl_harness_run(h, PEOPLE("") "  j: {use: sketch.lookup, from: rows, with: people, on: usre}\n", "j");
  ASSERT_SAYS(h, "did you mean `user`?");
  adl_harness_run(h,
                  PEOPLE("") "  d: {use: derive, from: rows, columns: {name: user}}\n"
                             "  j: {use: sketch.lookup, with: people, on: name}\n",
                  "j");
  ASSERT_SAYS(h, "no column of the stage `people` is called `name`");
  adl_harness_run(h,
                  PEOPLE("") "  d: {use: derive, from: rows, columns: {age: x}}\n"
                             "  j: {use: sketch.lookup, with: people, on: user}\n",
                  "j");
  ASSERT_SAYS(h, "there is a column `age` already");
  adl_harness_free(h);
}
END_TEST

START_TEST(join_is_the_same_on_any_number_of_threads) {
  GString *main = g_string_new("user,x\n"), *side = g_string_new("user,age,held\n");
  for (int i = 0; i < 25000; i++)
    g_string_append_printf(main, "u%u,%d\n", (unsigned)(adl_random(1, (uint64_t)i) % 9000), i);
  for (int i = 0; i < 9000; i++)
    g_string_append_printf(side, "u%u,%d,0\n", (unsigned)(adl_random(2, (uint64_t)i) % 9000), i);
  adl_harness *h = adl_harness_new(main->str, "{user: string, x: int}");
  adl_harness_file(h, "people.csv", side->str, -1);
  sketches_same_on_threads(h, PEOPLE(", holdout: {fraction: 0.2}") //
                           "  j: {use: sketch.lookup, from: rows, with: people, on: user}\n"
                           "  o: {use: write-csv, path: out.csv}\n");
  g_string_free(main, TRUE);
  g_string_free(side, TRUE);
  adl_harness_free(h);
}
END_TEST

/* ---- source.c ---- */

static void expect_ticks(adl_harness *h, int64_t shards, int64_t rows, int64_t batch, int64_t leave) {
  char *stages = g_strdup_printf("  t: {use: sketch.ticks, shards: %d, rows: %d, batch: %d}\n", (int)shards, (int)rows,
                                 (int)batch);
  adl_harness_run(h, stages, "t");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), leave);
  const adl_column *number = adl_harness_column(h, "number"), *shard = adl_harness_column(h, "shard");
  for (int64_t i = 0; i < leave; i++) {
    ck_assert_int_eq(((const int64_t *)number->data)[i], i);
    ck_assert_int_eq(((const int32_t *)shard->data)[i], i / rows);
  }
  g_free(stages);
}

START_TEST(source_gives_its_shards_in_order) {
  adl_harness *h = adl_harness_new("x\n1\n", "{x: int}");
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness_threads(h, threads);
    expect_ticks(h, 1, 1000, 1000, 1000);
    expect_ticks(h, 5, 777, 100, 5 * 777);
    expect_ticks(h, 2, 30000, 50000, 60000); /* the core cuts */
    expect_ticks(h, 3, 0, 10, 0);
    expect_ticks(h, 0, 10, 10, 0);
  }
  adl_harness_limit(h, 1234);
  expect_ticks(h, 5, 777, 100, 1234);
  adl_harness_free(h);
}
END_TEST

START_TEST(rows_of_a_source_say_where_they_came_from) {
  adl_harness *h = adl_harness_new("x\n1\n", "{x: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h,
                  "  t: {use: sketch.ticks, shards: 2, rows: 10, batch: 3}\n"
                  "  d: {use: derive, columns: {odd: \"if(number = 7 or number = 12, null, 1)\"}}\n"
                  "  p: {use: sketch.kmeans, features: [odd], clusters: 1}\n",
                  "p");
  ASSERT_OK(h);
  char *rejects = adl_harness_rejects(h);
  ck_assert_str_eq(rejects, "p 7 odd is null\np 2 odd is null\n"); /* of the first shard, of the second */
  free(rejects);
  adl_harness_free(h);
}
END_TEST

/* What was said about the models of the last run: were any fitted? */
static bool fitted(const adl_harness *h) {
  char *manifest = adl_harness_read(h, "manifest.json");
  bool yes = strstr(manifest, "\"fitted_in_this_run\" : true") != NULL;
  free(manifest);
  return yes;
}

START_TEST(a_fingerprint_lets_models_be_kept) {
  adl_harness *h = adl_harness_new("x\n1\n", "{x: int}");
  const char *stages = "  t: {use: sketch.ticks, rows: 100}\n  s: {use: scale, columns: [number]}\n";
  adl_harness_store(h, true);
  adl_harness_run(h, stages, "s");
  ASSERT_OK(h);
  ck_assert(fitted(h));
  adl_harness_run(h, stages, "s");
  ASSERT_OK(h);
  ck_assert(!fitted(h));
  adl_harness_run(h, "  t: {use: sketch.ticks, rows: 101}\n  s: {use: scale, columns: [number]}\n", "s");
  ASSERT_OK(h);
  ck_assert(fitted(h));
  adl_harness_free(h);
}
END_TEST

/* Without a fingerprint, and without files, nothing says that the rows are those of the last run. */
START_TEST(models_of_unknown_rows_are_not_kept) {
  adl_harness *h = adl_harness_new("x\n1\n", "{x: int}");
  const char *stages = "  t: {use: sketch.feed, rows: 100}\n  s: {use: scale, columns: [number]}\n";
  adl_harness_store(h, true);
  for (int i = 0; i < 2; i++) {
    adl_harness_run(h, stages, "s");
    ASSERT_OK(h);
    ck_assert(fitted(h));
  }
  adl_harness_free(h);
}
END_TEST

/* ---- blocks.c ---- */

static void expect_lines(adl_harness *h, const char *stages, const char *lines) {
  char **expected = g_strsplit(lines, "|", -1);
  adl_harness_run(h, stages, "t");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), lines[0] == '\0' ? 0 : (int)g_strv_length(expected));
  for (int i = 0; i < adl_harness_rows(h); i++) {
    char *text = adl_harness_text(h, "line", i);
    ck_assert_str_eq(text, expected[i]);
    free(text);
  }
  g_strfreev(expected);
}

START_TEST(lines_of_several_files) {
  adl_harness *h = adl_harness_new("x\n1\n", "{x: int}");
  adl_harness_file(h, "a1.txt", "one\ntwo\nthree", -1);
  adl_harness_file(h, "a2.txt", "", -1);
  adl_harness_file(h, "a3.txt", "a line that is longer than a block\nlast\n", -1);
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness_threads(h, threads);
    for (int block = 1; block < 100; block += block + 1) {
      char *stages = g_strdup_printf("  t: {use: sketch.lines, path: \"a*.txt\", block: %d}\n", block);
      expect_lines(h, stages, "one|two|three|a line that is longer than a block|last");
      g_free(stages);
    }
  }
  expect_lines(h, "  t: {use: sketch.lines, path: a2.txt}\n", "");
  expect_lines(h, "  t: {use: sketch.lines, path: [a3.txt, a1.txt]}\n",
               "a line that is longer than a block|last|one|two|three");
  adl_harness_run(h, "  t: {use: sketch.lines, path: a4.txt}\n", "t");
  ck_assert(!adl_harness_ok(h));
  adl_harness_run(h, "  t: {use: sketch.lines, path: [a1.txt, .]}\n", "t");
  ck_assert(!adl_harness_ok(h));
  adl_harness_free(h);
}
END_TEST

START_TEST(records_that_become_no_rows_are_rejected_where_they_stand) {
  GString *text = g_string_new(NULL), *expected = g_string_new(NULL);
  for (int i = 1; i <= 20000; i++) {
    if (i % 1000 == 0)
      g_string_append_printf(expected, "t %d line is empty\n", i);
    else
      g_string_append_printf(text, "line %d", i);
    g_string_append_c(text, '\n');
  }
  adl_harness *h = adl_harness_new("x\n1\n", "{x: int}");
  adl_harness_file(h, "a.txt", text->str, -1);
  adl_harness_threads(h, 3);
  for (int block = 100; block <= 1000000; block *= 100) {
    char *stages = g_strdup_printf("  t: {use: sketch.lines, path: a.txt, block: %d}\n", block);
    adl_harness_run(h, stages, "t");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), 20000 - 20);
    char *rejects = adl_harness_rejects(h), *last = adl_harness_text(h, "line", 19979);
    ck_assert_str_eq(rejects, expected->str);
    ck_assert_str_eq(last, "line 19999");
    free(rejects);
    free(last);
    g_free(stages);
  }
  g_string_free(text, TRUE);
  g_string_free(expected, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(a_changed_file_is_read_again) {
  adl_harness *h = adl_harness_new("x\n1\n", "{x: int}");
  const char *stages = "  t: {use: sketch.lines, path: a.txt}\n  p: {use: sketch.popularity, column: line, rare: 1}\n";
  adl_harness_store(h, true);
  adl_harness_file(h, "a.txt", "x\n", -1);
  adl_harness_run(h, stages, "p");
  ASSERT_OK(h);
  adl_harness_run(h, stages, "p");
  ck_assert(!fitted(h));
  adl_harness_file(h, "a.txt", "y\n", -1);
  adl_harness_run(h, stages, "p");
  ASSERT_OK(h);
  ck_assert(fitted(h));
  ck_assert(adl_harness_number(h, "popularity", 0) > 0);
  adl_harness_free(h);
}
END_TEST

/* ---- sink.c ---- */

START_TEST(sink_writes_when_all_is_done) {
  GString *csv = g_string_new("x,y\n");
  for (int i = 0; i < 10000; i++) g_string_append_printf(csv, "%d,%s\n", i, i % 2 == 0 ? "0.5" : "");
  adl_harness *h = adl_harness_new(csv->str, "{x: int, y: float}");
  adl_harness_run(h, "  o: {use: sketch.tally, path: folder/sums.txt, columns: [x, y]}\n", NULL);
  ASSERT_OK(h);
  char *text = adl_harness_read(h, "folder/sums.txt");
  ck_assert_ptr_nonnull(text);
  ck_assert_str_eq(text, "rows 10000\nx 49995000\ny 2500\n");
  free(text);
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(sink_of_a_run_that_fails_leaves_nothing) {
  adl_harness *h = adl_harness_new("x\n1\n\"\"\n3\n", "{x: float}");
  const char *stages = "  o: {use: sketch.tally, path: sums.txt, columns: [x]}\n"
                       "  k: {use: sketch.kmeans, from: rows, features: [x], clusters: 2}\n"
                       "  e: {use: write-csv, path: e.csv}\n";
  adl_harness_run(h, stages, NULL);
  ASSERT_SAYS(h, "1 of 3 rows (33.33 %) were rejected");
  GDir *folder = g_dir_open(adl_harness_run_directory(h), 0, NULL);
  for (const char *name = g_dir_read_name(folder); name != NULL; name = g_dir_read_name(folder))
    ck_assert_msg(strstr(name, "sums.txt") == NULL, "%s was left", name);
  g_dir_close(folder);
  adl_harness_free(h);
}
END_TEST

/* ---- expression.c ---- */

static const char shoppers[] = "spend,city\n150,Wien\n20,Wien\n20,Graz\n,Graz\n150,\n";

START_TEST(rules_of_a_file) {
  adl_harness *h = adl_harness_new(shoppers, "{spend: float, city: string}");
  adl_harness_file(h, "rules.txt", "spend > 100\n\ncity = 'Wien'\nspend is null\n", -1);
  adl_harness_run(h, "  r: {use: sketch.rules, rules: rules.txt}\n", "r");
  ASSERT_OK(h);
  static const double rule[] = {0, 1, -1, 2, 0};
  for (int i = 0; i < 5; i++) {
    if (rule[i] < 0)
      ck_assert(adl_harness_null(h, "rule", i));
    else
      ck_assert(!adl_harness_null(h, "rule", i) && adl_harness_number(h, "rule", i) == rule[i]);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(rules_that_are_wrong_are_all_told) {
  adl_harness *h = adl_harness_new(shoppers, "{spend: float, city: string}");
  adl_harness_file(h, "rules.txt", "spend > 'a'\nspend + 1\ntown = 'Wien'\nspend >\n", -1);
  adl_harness_run(h, "  r: {use: sketch.rules, rules: rules.txt}\n", "r");
  ck_assert(!adl_harness_ok(h));
  const char *errors = adl_harness_errors(h);
  int count = 0;
  for (const char *at = strstr(errors, ": error: r.rules"); at != NULL; at = strstr(at + 1, ": error: r.rules"))
    count++;
  ck_assert_msg(count == 4, "%s", errors);
  ASSERT_SAYS(h, "rule 1, `spend + 1`, is neither true nor false");
  ASSERT_SAYS(h, "`town`");
  adl_harness_run(h, "  r: {use: sketch.rules, rules: rules.txt, columns: [city]}\n", "r");
  ASSERT_SAYS(h, "`spend`");
  adl_harness_free(h);
}
END_TEST

START_TEST(rules_are_the_same_on_any_number_of_threads) {
  GString *csv = g_string_new("spend,city\n");
  for (int i = 0; i < 20000; i++) g_string_append_printf(csv, "%d,c%d\n", i % 313, i % 7);
  adl_harness *h = adl_harness_new(csv->str, "{spend: float, city: string}");
  adl_harness_file(h, "rules.txt", "city in ('c1', 'c2') and spend > 100\nspend < 10\ncity = 'c5'\n", -1);
  sketches_same_on_threads(h, "  r: {use: sketch.rules, rules: rules.txt}\n  o: {use: write-csv, path: out.csv}\n");
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("sketches: rows");
  TCase *t = tcase_create("join");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, the_plugin_of_the_readme_takes_thirty_lines);
  tcase_add_test(t, a_column_nobody_reads_is_not_missed);
  tcase_add_test(t, join_brings_the_first_row_of_a_key);
  tcase_add_test(t, join_gives_training_rows_nothing_of_held_out_rows);
  tcase_add_test(t, join_is_told_what_is_wrong);
  tcase_add_test(t, join_is_the_same_on_any_number_of_threads);
  suite_add_tcase(s, t);
  t = tcase_create("sources");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, source_gives_its_shards_in_order);
  tcase_add_test(t, rows_of_a_source_say_where_they_came_from);
  tcase_add_test(t, a_fingerprint_lets_models_be_kept);
  tcase_add_test(t, models_of_unknown_rows_are_not_kept);
  tcase_add_test(t, lines_of_several_files);
  tcase_add_test(t, records_that_become_no_rows_are_rejected_where_they_stand);
  tcase_add_test(t, a_changed_file_is_read_again);
  suite_add_tcase(s, t);
  t = tcase_create("sinks and rules");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, sink_writes_when_all_is_done);
  tcase_add_test(t, sink_of_a_run_that_fails_leaves_nothing);
  tcase_add_test(t, rules_of_a_file);
  tcase_add_test(t, rules_that_are_wrong_are_all_told);
  tcase_add_test(t, rules_are_the_same_on_any_number_of_threads);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  sketches_find();
  return sketches_run(suite());
}
