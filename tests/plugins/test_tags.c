/* tags on the real engine: answers by hand, decay in any order and over any distance, thresholds, threads, shapes of
 * tags, splits, and a large random log against a plain computation. */
#include <math.h>

#include "tests/plugins/transform.h"

static const char columns[] = "{u: id, tag: category, at: timestamp, w: float}";

/* Half-life a day: at the newest event the 4th, the 3rd counts 1/2, the 2nd 1/4, the 1st 1/8. */
static const char small[] = "u,tag,at,w\n"
                            "b,news,2024-05-01,1\n"
                            "a,sport,2024-05-04,2\n"
                            "b,sport,2024-05-03,4\n"
                            "a,cars,2024-05-02,8\n"
                            "a,sport,2024-05-03,1\n"
                            "c,news,2024-05-02T12:00:00Z,1\n"
                            "b,news,2024-05-04,3\n";

static double wilson_low(double p, double n, double z) {
  return (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n);
}

START_TEST(known_answers) {
  adl_harness *h = adl_harness_new(small, columns);
  adl_harness_run(h,
                  "  t: {use: tags, user: u, tag: tag, at: at, weight: w, half_life: 1d, min_events: 1, min_bound: 0,\n"
                  "      evidence: events}\n",
                  "t");
  ASSERT_OK(h);
  /* a: sport 2 + 1/2, cars 8/4. b: news 1/8 + 3, sport 4/2. c: a day and a half ago. */
  ASSERT_VALUES(h, "u", "b|a|c");
  ASSERT_VALUES(h, "tags", "{\"news\": 3.125, \"sport\": 2}|{\"sport\": 2.5, \"cars\": 2}|{\"news\": 0.35355338}");
  ASSERT_VALUES(h, "events", "{\"news\": 2, \"sport\": 1}|{\"sport\": 2, \"cars\": 1}|{\"news\": 1}");
  ASSERT_VALUES(h, "best", "news|sport|news");
  const double z = 1.959963984540054;
  ck_assert_double_eq_tol(adl_harness_number(h, "bound", 0), wilson_low(3.125 / 5.125, 5.125, z), 1e-7);
  ck_assert_double_eq_tol(adl_harness_number(h, "bound", 1), wilson_low(2.5 / 4.5, 4.5, z), 1e-7);
  ck_assert_double_eq_tol(adl_harness_number(h, "bound", 2), wilson_low(1, sqrt(.125), z), 1e-7);
  ck_assert_double_eq(adl_harness_report(h, "t", "", "users"), 3);
  ck_assert_double_eq(adl_harness_report(h, "t", "", "users_with_tags"), 3);
  ck_assert_double_eq(adl_harness_report(h, "t", "", "tags_published"), 5);
  ck_assert_double_eq(adl_harness_report(h, "t", "", "events"), 7);
  adl_harness_free(h);
}
END_TEST

/* Wilson (200 of 10,000) = [.0174347117, .0229339268]; z of 90 % is 1.6448536270. */
START_TEST(bound_is_wilsons) {
  adl_harness *h = adl_harness_new("u,tag,at,w\n1,x,2024-05-01,200\n1,y,2024-05-01,9800\n1,y,2024-05-01,0\n", columns);
  static const char stage[] =
      "  t: {use: tags, user: u, tag: tag, at: at, weight: w, min_events: 1, min_bound: %s%s}\n";
  static const struct {
    const char *min_bound, *more, *tags;
  } cases[] = {{"0.0174347", "", "{\"y\": 9800, \"x\": 200}"},
               {"0.0174348", "", "{\"y\": 9800}"},
               {"0.0178236", ", confidence: 0.9", "{\"y\": 9800, \"x\": 200}"},
               {"0.0178238", ", confidence: 0.9", "{\"y\": 9800}"},
               {"0.99", "", "{}"}};
  ck_assert_double_eq_tol(wilson_low(.02, 10000, 1.6448536270), .0178237, 1e-7);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf(stage, cases[i].min_bound, cases[i].more);
    adl_harness_run(h, stages, "t");
    ASSERT_OK(h);
    ASSERT_VALUES(h, "tags", cases[i].tags);
    ASSERT_VALUES(h, "best", i == 4 ? "null" : "y");
    ck_assert_int_eq(adl_harness_null(h, "bound", 0), i == 4);
    g_free(stages);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(thresholds) {
  static const char csv[] = "u,tag,at\n1,b,2024-05-01\n1,a,2024-05-01\n1,a,2024-05-01\n1,b,2024-05-01\n"
                            "1,c,2024-05-01\n1,c,2024-05-01\n1,c,2024-05-01\n1,d,2024-05-01\n2,a,2024-05-01\n";
  adl_harness *h = adl_harness_new(csv, "{u: int, tag: string, at: timestamp}");
  static const struct {
    const char *more, *tags;
  } cases[] = {
      {"min_events: 1", "{\"c\": 3, \"a\": 2, \"b\": 2, \"d\": 1}|{\"a\": 1}"}, /* a and b are equal: by their bytes */
      {"min_events: 2", "{\"c\": 3, \"a\": 2, \"b\": 2}|{}"},
      {"min_events: 3", "{\"c\": 3}|{}"},
      {"min_events: 1, top: 2", "{\"c\": 3, \"a\": 2}|{\"a\": 1}"},
      {"min_events: 4", "{}|{}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf("  t: {use: tags, user: u, tag: tag, at: at, min_bound: 0, %s}\n", cases[i].more);
    adl_harness_run(h, stages, "t");
    ASSERT_OK(h);
    ASSERT_VALUES(h, "u", "1|2");
    ASSERT_VALUES(h, "tags", cases[i].tags);
    g_free(stages);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(as_of_a_time) {
  adl_harness *h = adl_harness_new(small, columns);
  static const char stage[] =
      "  t: {use: tags, user: u, tag: tag, at: at, half_life: 1d, min_events: 1, min_bound: 0, now: %s}\n";
  static const struct {
    const char *now, *users, *tags;
  } cases[] = {
      {"2024-05-05", "b|a|c",
       "{\"news\": 0.5625, \"sport\": 0.25}|{\"sport\": 0.75, \"cars\": 0.125}|{\"news\": 0.17677669}"},
      /* An event at that very time counts; of c nothing is known yet. */
      {"2024-05-02", "b|a", "{\"news\": 0.5}|{\"cars\": 1}"},
      {"2024-05-03T00:00:00Z", "b|a|c",
       "{\"sport\": 1, \"news\": 0.25}|{\"sport\": 1, \"cars\": 0.5}|{\"news\": 0.70710677}"},
      {"2024-04-30", "", ""},
      {"9999-12-31", "b|a|c", "{}|{}|{}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf(stage, cases[i].now);
    adl_harness_run(h, stages, "t");
    ASSERT_OK(h);
    ASSERT_VALUES(h, "u", cases[i].users);
    ASSERT_VALUES(h, "tags", cases[i].tags);
    g_free(stages);
  }
  adl_harness_free(h);
}
END_TEST

/* From the year 1 to 9999 with a half-life of a second: no weight overflows, and the last seconds are exact. */
START_TEST(any_distance) {
  static const char *const orders[] = {"1,a,9999-12-31,1\n1,b,0001-01-01,1\n1,b,9999-12-30T23:59:59Z,1\n"
                                       "1,c,9999-12-30T23:59:58Z,2\n1,a,1970-01-01,1\n",
                                       "1,b,0001-01-01,1\n1,a,1970-01-01,1\n1,c,9999-12-30T23:59:58Z,2\n"
                                       "1,b,9999-12-30T23:59:59Z,1\n1,a,9999-12-31,1\n"};
  for (int i = 0; i < 2; i++)
    for (int later = 0; later < 2; later++) {
      char *csv = g_strdup_printf("u,tag,at,w\n%s", orders[i]);
      adl_harness *h = adl_harness_new(csv, columns);
      char *stages = g_strdup_printf("  t: {use: tags, user: u, tag: tag, at: at, weight: w, half_life: 1s,\n"
                                     "      min_events: 1, min_bound: 0, evidence: n%s}\n",
                                     later ? ", now: 9999-12-30T23:59:59Z" : "");
      adl_harness_run(h, stages, "t");
      ASSERT_OK(h);
      ASSERT_VALUES(h, "tags", later ? "{\"b\": 1, \"c\": 1}" : "{\"a\": 1, \"b\": 0.5, \"c\": 0.5}");
      ASSERT_VALUES(h, "n", later ? "{\"b\": 2, \"c\": 1}" : "{\"a\": 2, \"b\": 2, \"c\": 1}");
      g_free(stages);
      adl_harness_free(h);
      g_free(csv);
    }
}
END_TEST

/* Lists and bags, as group and tokens make them; numbers that are categories. */
START_TEST(shapes) {
  adl_harness *h = adl_harness_new("u,s,at,w,k\n1,x,2024-05-01,2,7\n1,y,2024-05-01,3,7\n2,x,2024-05-01,0,-8\n"
                                   "3,x,2024-05-01,,7\n",
                                   "{u: int, s: string, at: timestamp, w: float, k: id}");
  adl_harness_run(h,
                  "  g: {use: group, by: u, columns: {bag: \"bag(s, w)\", at: max(at)}}\n"
                  "  t: {use: tags, user: u, tag: bag, at: at, min_events: 1, min_bound: 0, evidence: n}\n",
                  "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "u", "1|2|3");
  ASSERT_VALUES(h, "tags", "{\"y\": 3, \"x\": 2}|{}|{}"); /* no weight, no evidence; no items, neither */
  ASSERT_VALUES(h, "n", "{\"y\": 1, \"x\": 1}|{}|{}");
  adl_harness_run(h, "  t: {use: tags, user: s, tag: k, at: at, min_events: 1, min_bound: 0, as: of}\n", "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "s", "x|y");
  ASSERT_VALUES(h, "of", "{\"7\": 2, \"-8\": 1}|{\"7\": 1}");
  ASSERT_VALUES(h, "best", "7|7");
  adl_harness_free(h);
}
END_TEST

START_TEST(training_rows_only) {
  adl_harness *h = adl_harness_new(small, columns);
  adl_harness_source(h, "holdout: {where: \"at >= timestamp('2024-05-04')\"}");
  adl_harness_run(h, "  t: {use: tags, user: u, tag: tag, at: at, half_life: 1d, min_events: 1, min_bound: 0}\n", "t");
  ASSERT_OK(h);
  /* The newest event, too, is that of the training rows. */
  ASSERT_VALUES(h, "u", "b|a|c");
  ASSERT_VALUES(h, "tags", "{\"sport\": 1, \"news\": 0.25}|{\"sport\": 1, \"cars\": 0.5}|{\"news\": 0.70710677}");
  adl_harness_free(h);
}
END_TEST

/* ---- a large log ---- */

enum { ROWS = 20000, USERS = 200, TAGS = 12 };

typedef struct event {
  int user, tag, hour, weight;
} event;

static event event_of(uint64_t row) {
  return (event){(int)(adl_random(1, row) % USERS), (int)(adl_random_unit(2, row) * adl_random_unit(3, row) * TAGS),
                 (int)(adl_random(4, row) % 2400), 1 + (int)(adl_random(5, row) % 3)};
}

static char *random_log(bool reversed) {
  GString *csv = g_string_new("u,tag,at,w\n");
  GDateTime *start = g_date_time_new_utc(2024, 1, 1, 0, 0, 0);
  for (int i = 0; i < ROWS; i++) {
    event e = event_of((uint64_t)(reversed ? ROWS - 1 - i : i));
    GDateTime *time = g_date_time_add_hours(start, e.hour);
    char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
    g_string_append_printf(csv, "u%d,t%d,%s,%d\n", e.user, e.tag, text, e.weight);
    g_free(text);
    g_date_time_unref(time);
  }
  g_date_time_unref(start);
  return g_string_free(csv, FALSE);
}

static const char log_columns[] = "{u: id, tag: category, at: timestamp, w: float}";
static const char log_stage[] = "  t: {use: tags, user: u, tag: tag, at: at, weight: w, half_life: 200h, top: 4,\n"
                                "      min_bound: 0.1, min_events: 5, evidence: n}\n";

START_TEST(plain_computation) {
  char *csv = random_log(_i == 1);
  adl_harness *h = adl_harness_new(csv, log_columns);
  adl_harness_threads(h, 3);
  adl_harness_run(h, log_stage, "t");
  ASSERT_OK(h);
  static double weight[USERS][TAGS], events[USERS][TAGS];
  int newest = 0, seen = 0, order[USERS] = {0};
  bool known[USERS] = {false};
  memset(weight, 0, sizeof weight);
  memset(events, 0, sizeof events);
  for (uint64_t i = 0; i < ROWS; i++) newest = MAX(newest, event_of(i).hour);
  for (int i = 0; i < ROWS; i++) {
    event e = event_of((uint64_t)(_i == 1 ? ROWS - 1 - i : i));
    weight[e.user][e.tag] += e.weight * pow(2, -(newest - e.hour) / 200.);
    events[e.user][e.tag] += 1;
    if (!known[e.user]) order[seen++] = e.user;
    known[e.user] = true;
  }
  ck_assert_int_eq(adl_harness_rows(h), seen);
  const adl_column *tags = adl_harness_column(h, "tags"), *n = adl_harness_column(h, "n");
  int published = 0;
  for (int row = 0; row < seen; row++) {
    int user = order[row];
    char name[16], *text = adl_harness_text(h, "u", row);
    snprintf(name, sizeof name, "u%d", user);
    ck_assert_str_eq(text, name);
    free(text);
    double total = 0, last = INFINITY;
    int expected = 0;
    for (int t = 0; t < TAGS; t++) total += weight[user][t];
    for (int t = 0; t < TAGS; t++)
      expected += events[user][t] >= 5 && wilson_low(weight[user][t] / total, total, 1.959963984540054) >= .1;
    ck_assert_int_eq(tags->offsets[row + 1] - tags->offsets[row], MIN(expected, 4));
    for (int item = tags->offsets[row]; item < tags->offsets[row + 1]; item++) {
      adl_text tag = adl_text_at(tags, item);
      int t = tag.data[1] - '0';
      ck_assert_int_eq(tag.size, 2);
      double w = (double)tags->weights[item];
      ck_assert_double_eq_tol(w, weight[user][t], 1e-5 * w);
      ck_assert_double_eq((double)n->weights[item], events[user][t]);
      ck_assert_double_le(w, last);
      last = w;
      published++;
    }
  }
  ck_assert_double_eq(adl_harness_report(h, "t", "", "tags_published"), published);
  ck_assert_int_gt(published, USERS);
  adl_harness_free(h);
  g_free(csv);
}
END_TEST

START_TEST(threads_and_memory_do_not_matter) {
  char *csv = random_log(false), *first = NULL;
  static const int threads[] = {1, 3, 2};
  for (int i = 0; i < 3; i++) {
    adl_harness *h = adl_harness_new(csv, log_columns);
    adl_harness_threads(h, threads[i]);
    if (i == 2) adl_harness_memory(h, 1);
    char *stages = g_strdup_printf("%s  out: {use: write-jsonl, path: out.jsonl}\n", log_stage);
    adl_harness_run(h, stages, "t");
    ASSERT_OK(h);
    adl_harness_same_bytes(h, &first);
    g_free(stages);
    adl_harness_free(h);
  }
  g_free(first);
  g_free(csv);
}
END_TEST

/* ---- odd input ---- */

START_TEST(bad_rows) {
  adl_harness *h = adl_harness_new("u,tag,at,w\n1,a,2024-05-01,1\n,a,2024-05-01,1\n1,,2024-05-01,1\n1,a,,1\n"
                                   "1,a,2024-05-01,\n1,a,2024-05-01,-2\n1,a,2024-05-01,nan\n1,a,2024-05-01,inf\n",
                                   columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, "  t: {use: tags, user: u, tag: tag, at: at, weight: w, min_events: 1, min_bound: 0}\n", "t");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "tags", "{\"a\": 1}");
  char *rejects = adl_harness_rejects(h);
  ck_assert_ptr_nonnull(strstr(rejects, "t 3 u is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "t 4 tag is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "t 5 at is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "t 6 w is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "t 7 weight weight -2 is negative or not finite\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "t 8 w is NaN or infinite\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "t 9 w is NaN or infinite\n"));
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(nothing) {
  adl_harness *h = adl_harness_new("u,tag,at,w\n", columns);
  adl_harness_run(h, "  t: {use: tags, user: u, tag: tag, at: at}\n", "t");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  ck_assert_double_eq(adl_harness_report(h, "t", "", "users"), 0);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const struct {
    const char *parameters, *says;
  } cases[] = {
      {"user: u, tag: tag, at: at, now: yesterday", "`yesterday` is not a time"},
      {"user: u, tag: tag, at: w", "at"},
      {"user: w, tag: tag, at: at", "user"},
      {"user: u, tag: w, at: at", "tag"},
      {"user: u, tag: tag", "at: is missing"},
      {"user: u, tag: tag, at: at, half_life: 0s", "half_life"},
      {"user: u, tag: tag, at: at, confidence: 1", "confidence: 1 is out of range (0, 1)"},
      {"user: u, tag: tag, at: at, top: 0", "top: 0 is out of range"},
      {"user: u, tag: tag, at: at, as: u", "u"},
      {"user: u, tag: tag, at: at, weight: w", "add up to more than a float32 holds"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf("  t: {use: tags, %s}\n", cases[i].parameters);
    assert_refused("u,tag,at,w\n1,a,2024-05-01,1e300\n", columns, stages, cases[i].says);
    g_free(stages);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tags");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, known_answers);
  tcase_add_test(tcase, bound_is_wilsons);
  tcase_add_test(tcase, thresholds);
  tcase_add_test(tcase, as_of_a_time);
  tcase_add_test(tcase, any_distance);
  tcase_add_test(tcase, shapes);
  tcase_add_test(tcase, training_rows_only);
  tcase_add_loop_test(tcase, plain_computation, 0, 2);
  tcase_add_test(tcase, threads_and_memory_do_not_matter);
  tcase_add_test(tcase, bad_rows);
  tcase_add_test(tcase, nothing);
  tcase_add_test(tcase, refusals);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
