/* join on the real engine: what is found, what is not, several matches, splits, keys of several types, refusals. */
#include <math.h>

#include "tests/plugins/transform.h"

static const char csv[] = "user,day,x\n1,a,10\n2,b,20\n,a,30\n3,b,40\n1,b,50\n";
static const char columns[] = "{user: int, day: string, x: int}";
static const char people[] =
    "  people: {use: read-csv, path: people.csv, columns: {person: int, age: int, city: string}}\n";
static const char people_csv[] = "person,age,city\n1,31,Wien\n2,,Kyoto\n7,50,Rom\n,9,Nowhere\n";

/* The harness with a second source; runs `people` (or `side`) and the join. */
static adl_harness *joined(const char *side_csv, const char *side, const char *join) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_file(h, "people.csv", side_csv, -1);
  char *stages = g_strdup_printf("%s  j: {use: join, from: rows, with: people, %s}\n", side, join);
  adl_harness_run(h, stages, "j");
  g_free(stages);
  return h;
}

static void refused(const char *side_csv, const char *join, const char *words) {
  adl_harness *h = joined(side_csv, people, join);
  ck_assert_msg(!adl_harness_ok(h), "not refused: %s", join);
  ck_assert_msg(strstr(adl_harness_errors(h), words) != NULL, "%s\nlacks: %s", adl_harness_errors(h), words);
  adl_harness_free(h);
}

START_TEST(brings_columns) {
  adl_harness *h = joined(people_csv, people, "on: user, with_on: person, matched: known");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "1|2|null|3|1");
  ASSERT_VALUES(h, "x", "10|20|30|40|50");
  ASSERT_VALUES(h, "age", "31|null|null|null|31");
  ASSERT_VALUES(h, "city", "Wien|Kyoto|null|null|Wien");
  ASSERT_VALUES(h, "known", "true|true|false|false|true"); /* null is not equal to null */
  adl_harness_free(h);
  h = joined(people_csv, people, "on: [user], with_on: [person], columns: [city], prefix: home_");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "home_city", "Wien|Kyoto|null|null|Wien");
  adl_harness_free(h);
}
END_TEST

START_TEST(rows_that_find_nothing) {
  adl_harness *h = joined(people_csv, people, "on: user, with_on: person, missing: drop");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", "10|20|50");
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  adl_harness_free(h);
  h = joined(people_csv, people, "on: user, with_on: person, missing: reject");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", "10|20|50");
  ck_assert_int_eq(adl_harness_rejected(h), 2);
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, "people has no row with this key") != NULL, "%s", rejects);
  free(rejects);
  adl_harness_free(h);
  h = joined("person,age,city\n8,1,Rom\n", people, "on: user, with_on: person, missing: drop"); /* not one row */
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
  h = joined("person,age,city\n", people, "on: user, with_on: person"); /* an empty side */
  ASSERT_OK(h);
  ASSERT_VALUES(h, "city", "null|null|null|null|null");
  adl_harness_free(h);
}
END_TEST

static const char twice[] = "person,age,city\n1,31,Wien\n2,5,Kyoto\n1,32,Linz\n2,6,Nara\n1,33,Graz\n";

START_TEST(several_matches) {
  adl_harness *h = joined(twice, people, "on: user, with_on: person, many: first");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "age", "31|5|null|null|31");
  adl_harness_free(h);
  h = joined(twice, people, "on: user, with_on: person, many: last");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "city", "Graz|Nara|null|null|Graz");
  adl_harness_free(h);
  h = joined(twice, people, "on: user, with_on: person, many: all, matched: m");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", "10|10|10|20|20|30|40|50|50|50");
  ASSERT_VALUES(h, "age", "31|32|33|5|6|null|null|31|32|33");
  ASSERT_VALUES(h, "m", "true|true|true|true|true|false|false|true|true|true");
  adl_harness_free(h);
  refused(twice, "on: user, with_on: person", "`people` has the key person 1 in its rows 1 and 3");
}
END_TEST

/* A training row sees training rows of the side only, and does not even learn that there are others. */
START_TEST(held_out_side_rows_stay_hidden) {
  static const char *const sides[] = {
      "  people: {use: read-csv, path: people.csv, columns: {person: int, age: int, city: string}, holdout: {where: "
      "\"age >= 33 or person = 2\"}}\n"};
  static const char *const modes[][3] = {
      /* rows 10, 20, 50 train; the side's 33 and both of person 2 are held out */
      {"first", "31|null|null|null|31", "true|false|false|false|true"},
      {"last", "32|null|null|null|32", "true|false|false|false|true"},
      {"all", "31|32|null|null|null|31|32", "true|true|false|false|false|true|true"},
  };
  for (int i = 0; i < 3; i++) {
    char *join = g_strdup_printf("on: user, with_on: person, many: %s, matched: m", modes[i][0]);
    adl_harness *h = joined(twice, sides[0], join);
    ASSERT_OK(h);
    ASSERT_VALUES(h, "age", modes[i][1]);
    ASSERT_VALUES(h, "m", modes[i][2]);
    adl_harness_free(h);
    g_free(join);
  }
  /* Held-out rows of the main input see everything. */
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_source(h, "holdout: {where: \"x >= 20\"}");
  adl_harness_file(h, "people.csv", twice, -1);
  char *stages = g_strdup_printf(
      "%s  j: {use: join, from: rows, with: people, on: user, with_on: person, many: last}\n", sides[0]);
  adl_harness_run(h, stages, "j");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "age", "32|6|null|null|33");
  ck_assert_int_eq(adl_harness_split(h, 0), ADL_TRAIN);
  ck_assert_int_eq(adl_harness_split(h, 1), ADL_TEST);
  adl_harness_free(h);
  g_free(stages);
}
END_TEST

START_TEST(keys_of_several_columns) {
  adl_harness *h = adl_harness_new("a,b,t\nx,1,2024-01-01\nxy,1,2024-01-02\nx,2,2024-01-03\n,1,2024-01-01\n",
                                   "{a: string, b: int, t: timestamp}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_file(h, "side.csv", "a,b,t,v\nx,1,2024-01-01,1\nx,2,2024-01-03,2\nxy,2,2024-01-02,3\n,1,2024-01-01,4\n",
                   -1);
  adl_harness_run(h,
                  "  side: {use: read-csv, path: side.csv, columns: {a: string, b: int, t: timestamp, v: int}}\n"
                  "  j: {use: join, from: rows, with: side, on: [t, a, b]}\n",
                  "j");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "v", "1|null|2|null");
  adl_harness_free(h);
}
END_TEST

/* A group joined back to the rows it was made of, several times the size of a batch; threads change nothing. */
START_TEST(a_group_joined_back) {
  GString *text = g_string_new("u,x\n");
  for (int row = 0; row < 30000; row++) g_string_append_printf(text, "%d,%d\n", row * 7919 % 6000, row);
  char *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness *h = adl_harness_new(text->str, "{u: int, x: int}");
    adl_harness_threads(h, threads);
    adl_harness_memory(h, threads == 3 ? 1 : INT64_C(1) << 30);
    adl_harness_run(h,
                    "  g: {use: group, by: u, columns: {n: count(), low: min(x)}}\n"
                    "  j: {use: join, from: rows, with: g, on: u, missing: reject}\n"
                    "  o: {use: write-csv, path: out.csv}\n",
                    "j");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), 30000);
    for (int64_t row = 0; row < 30000; row++) {
      ck_assert(adl_harness_number(h, "x", row) == (double)row);
      ck_assert(adl_harness_number(h, "n", row) == 5);
      ck_assert(adl_harness_number(h, "low", row) == (double)(row % 6000));
    }
    adl_harness_same_bytes(h, &first);
    adl_harness_free(h);
  }
  g_free(first);
  g_string_free(text, TRUE);
}
END_TEST

START_TEST(refusals) {
  refused(people_csv, "on: user", "the stage `people` has no column `user`");
  refused(people_csv, "on: user, with_on: persn", "did you mean `person`?");
  refused(people_csv, "on: [user, day], with_on: person", "there are 1 columns in `with_on` and 2 in `on`");
  refused(people_csv, "on: day, with_on: person", "are of different types and can never be equal");
  refused(people_csv, "on: usr", "no column is called `usr`");
  refused(people_csv, "on: user, with_on: person, columns: [aged]", "did you mean `age`?");
  refused(people_csv, "on: user, with_on: person, columns: [person], prefix: us, matched: x",
          "there is a column `x` already");
  refused("person,age,x\n1,2,3\n", "on: user, with_on: person", "city");
  refused(people_csv, "on: []", "on");
}
END_TEST

int main(void) {
  Suite *s = suite_create("transform join");
  TCase *t = tcase_create("join");
  tcase_add_test(t, brings_columns);
  tcase_add_test(t, rows_that_find_nothing);
  tcase_add_test(t, several_matches);
  tcase_add_test(t, held_out_side_rows_stay_hidden);
  tcase_add_test(t, keys_of_several_columns);
  tcase_add_test(t, a_group_joined_back);
  tcase_add_test(t, refusals);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  return run_suite(s);
}
