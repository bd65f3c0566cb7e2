/* The bandit of bandit.c on the real engine: groups are never cut, choices and propensities are what they should be,
 * and the same however the run goes. */
#include "tests/sketches/sketches.h"

/* Candidates of `requests` requests, 1 to 30 each; request 100 has 10,000, request 200 has 4096. The request's name,
 * the arm and the score; the best arm of request i is that with the highest score, the first of equal ones. */
typedef struct candidates {
  GString *csv;
  int requests;
  int *count, *best;
} candidates;

static candidates make(int requests) {
  candidates c = {g_string_new("request,arm,score\n"), requests, g_new0(int, requests), g_new0(int, requests)};
  for (int i = 0, row = 0; i < requests; i++) {
    c.count[i] = i == 100 ? 10000 : i == 200 ? 4096 : 1 + (int)(adl_random(1, (uint64_t)i) % 30);
    int most = -1;
    for (int arm = 0; arm < c.count[i]; arm++, row++) {
      int score = (int)(adl_random(2, (uint64_t)row) % 1000);
      if (score > most) most = score, c.best[i] = arm;
      g_string_append_printf(c.csv, "r%d,%d,%d\n", i, arm, score);
    }
  }
  return c;
}

static void clear(candidates *c) {
  g_string_free(c->csv, TRUE);
  g_free(c->count);
  g_free(c->best);
}

static const char columns[] = "{request: string, arm: int, score: float}";
#define CHOOSE "  b: {use: sketch.choose, request: request, score: score, candidates: n"

START_TEST(groups_are_never_cut) {
  candidates c = make(2000);
  adl_harness *h = adl_harness_new(c.csv->str, columns);
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_run(h, CHOOSE ", epsilon: 0}\n", "b");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), c.requests);
    const adl_column *request = adl_harness_column(h, "request"), *arm = adl_harness_column(h, "arm");
    const adl_column *n = adl_harness_column(h, "n"), *propensity = adl_harness_column(h, "propensity");
    for (int i = 0; i < c.requests; i++) {
      char name[16];
      g_snprintf(name, sizeof name, "r%d", i);
      adl_text text = adl_text_at(request, i);
      ck_assert(text.size == (int32_t)strlen(name) && memcmp(text.data, name, strlen(name)) == 0);
      ck_assert_int_eq(((const int32_t *)n->data)[i], c.count[i]);
      ck_assert_int_eq(((const int64_t *)arm->data)[i], c.best[i]);
      ck_assert(((const double *)propensity->data)[i] == 1);
    }
  }
  clear(&c);
  adl_harness_free(h);
}
END_TEST

START_TEST(propensities_are_exact_and_true) {
  candidates c = make(20000);
  const double epsilon = 0.3;
  adl_harness *h = adl_harness_new(c.csv->str, columns);
  adl_harness_run(h, CHOOSE ", epsilon: 0.3}\n", "b");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), c.requests);
  const adl_column *arm = adl_harness_column(h, "arm"), *propensity = adl_harness_column(h, "propensity");
  double best = 0, expected = 0, variance = 0, first = 0, last = 0, edge = 0, edge_variance = 0;
  for (int i = 0; i < c.requests; i++) {
    int64_t chosen = ((const int64_t *)arm->data)[i];
    double any = epsilon / c.count[i], of_best = any + (1 - epsilon);
    ck_assert(chosen >= 0 && chosen < c.count[i]);
    ck_assert(((const double *)propensity->data)[i] == (chosen == c.best[i] ? of_best : any));
    best += chosen == c.best[i];
    expected += of_best;
    variance += of_best * (1 - of_best);
    if (c.best[i] == 0 || c.best[i] == c.count[i] - 1) continue; /* the draw reaches both ends alike */
    first += chosen == 0;
    last += chosen == c.count[i] - 1;
    edge += any;
    edge_variance += any * (1 - any);
  }
  ck_assert_msg(fabs(best - expected) < 5 * sqrt(variance), "%g best, %g expected", best, expected);
  ck_assert_msg(fabs(first - edge) < 5 * sqrt(edge_variance), "%g first, %g expected", first, edge);
  ck_assert_msg(fabs(last - edge) < 5 * sqrt(edge_variance), "%g last, %g expected", last, edge);
  clear(&c);
  adl_harness_free(h);
}
END_TEST

#define PIPELINE                                                                                                       \
  "  f: {use: filter, where: \"arm <> 7\"}\n" CHOOSE "}\n"                                                             \
  "  o: {use: write-csv, path: out.csv}\n"

START_TEST(choices_are_the_same_on_any_number_of_threads) {
  candidates c = make(3000);
  adl_harness *h = adl_harness_new(c.csv->str, columns);
  sketches_same_on_threads(h, PIPELINE);
  char *before = sketches_digest(h, PIPELINE);
  adl_harness_top(h, "seed: 9\n");
  char *after = sketches_digest(h, PIPELINE);
  ck_assert_str_ne(before, after);
  g_free(before);
  g_free(after);
  clear(&c);
  adl_harness_free(h);
}
END_TEST

/* The first run fits a model, so rows are kept and read again; the second takes the model from the store, and rows
 * could stream. A draw that depends on the number of a row must not tell the two apart, though the filter drops whole
 * batches, and the source gives several batches at a time. */
START_TEST(choices_are_the_same_when_the_model_before_is_loaded) {
  candidates c = make(3000);
  GString *lines = g_string_new(NULL);
  for (int i = 0; i < 30000; i++) g_string_append_printf(lines, "%d\n", i / 7);
  const char *stages[] = {"  f: {use: filter, where: \"request <> 'r100'\"}\n"
                          "  k: {use: sketch.popularity, column: request}\n" CHOOSE "}\n"
                          "  o: {use: write-csv, path: out.csv}\n",
                          "  t: {use: sketch.lines, path: lines.txt, block: 80K}\n"
                          "  k: {use: sketch.popularity, column: line}\n"
                          "  b: {use: sketch.choose, request: line, score: popularity, candidates: n}\n"
                          "  o: {use: write-csv, path: out.csv}\n"};
  for (int i = 0; i < 2; i++) {
    adl_harness *h = adl_harness_new(c.csv->str, columns);
    adl_harness_file(h, "lines.txt", lines->str, -1);
    adl_harness_store(h, true);
    char *first = sketches_digest(h, stages[i]), *second = sketches_digest(h, stages[i]);
    ck_assert_msg(strcmp(first, second) == 0, "pipeline %d", i);
    g_free(first);
    g_free(second);
    adl_harness_free(h);
  }
  g_string_free(lines, TRUE);
  clear(&c);
}
END_TEST

START_TEST(rejected_candidates_do_not_cut_their_group) {
  adl_harness *h = adl_harness_new("request,arm,score\na,0,1\na,1,\na,2,3\nb,0,\nc,0,5\n,1,7\nc,2,2\n", columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, CHOOSE ", epsilon: 0}\n", "b");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  ck_assert(adl_harness_number(h, "arm", 0) == 2 && adl_harness_number(h, "n", 0) == 2);
  ck_assert(adl_harness_number(h, "arm", 1) == 0 && adl_harness_number(h, "n", 1) == 2);
  char *rejects = adl_harness_rejects(h);
  ck_assert_str_eq(rejects, "b 3 score is null\nb 5 score is null\nb 7 request is null\n");
  free(rejects);
  adl_harness_free(h);
}
END_TEST

START_TEST(groups_are_neighbours_with_equal_keys) {
  adl_harness *h = adl_harness_new("request,place,arm,score\na,1,0,1\na,1,1,2\na,2,2,3\na,2,3,1\na,1,4,1\n",
                                   "{request: string, place: int, arm: int, score: float}");
  adl_harness_run(h, "  b: {use: sketch.choose, request: [request, place], score: score, epsilon: 0}\n", "b");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 3);
  ck_assert(adl_harness_number(h, "arm", 0) == 1);
  ck_assert(adl_harness_number(h, "arm", 1) == 2);
  ck_assert(adl_harness_number(h, "arm", 2) == 4);
  adl_harness_file(h, "rows.csv", "request,place,arm,score\n", -1);
  adl_harness_run(h, "  b: {use: sketch.choose, request: [request, place], score: score}\n", "b");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
}
END_TEST

/* A second bandit behind the first, in the same scan: the last group of the first ends the last of the second. */
START_TEST(groups_of_groups) {
  GString *csv = g_string_new("user,request,arm,score\n");
  for (int i = 0; i < 12000; i++)
    g_string_append_printf(csv, "u%d,r%d,%d,%d\n", i / 60, i / 6, i % 6, i % 6 == 3 ? 9 : i % 60 / 6);
  adl_harness *h = adl_harness_new(csv->str, "{user: string, request: string, arm: int, score: float}");
  adl_harness_run(h,
                  "  a: {use: sketch.choose, request: request, score: score, epsilon: 0}\n"
                  "  b: {use: sketch.choose, request: user, score: score, epsilon: 0, propensity: p, candidates: n}\n",
                  "b");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 200);
  for (int i = 0; i < 200; i++) ck_assert(adl_harness_number(h, "n", i) == 10 && adl_harness_number(h, "arm", i) == 3);
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(bandit_is_told_what_is_wrong) {
  adl_harness *h = adl_harness_new("request,arm,score\na,0,1\n", columns);
  adl_harness_run(h, CHOOSE ", epsilon: 1.5}\n", "b");
  ASSERT_SAYS(h, "b.epsilon: 1.5 is out of range [0, 1]");
  adl_harness_run(h, "  b: {use: sketch.choose, request: request, score: request}\n", "b");
  ASSERT_SAYS(h, "b.score");
  adl_harness_run(h, "  b: {use: sketch.choose, score: score}\n", "b");
  ASSERT_SAYS(h, "b.request");
  adl_harness_free(h);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("sketches: groups");
  TCase *t = tcase_create("bandit");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, groups_are_never_cut);
  tcase_add_test(t, propensities_are_exact_and_true);
  tcase_add_test(t, choices_are_the_same_on_any_number_of_threads);
  tcase_add_test(t, choices_are_the_same_when_the_model_before_is_loaded);
  tcase_add_test(t, rejected_candidates_do_not_cut_their_group);
  tcase_add_test(t, groups_are_neighbours_with_equal_keys);
  tcase_add_test(t, groups_of_groups);
  tcase_add_test(t, bandit_is_told_what_is_wrong);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  sketches_find();
  return sketches_run(suite());
}
