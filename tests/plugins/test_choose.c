/* choose on the real engine: known propensities, frequencies that match them, estimates that are unbiased, caps and quotas
 * against a naive replay, groups across batches, refusals. And the probabilities of common/policy.h by themselves. */
#include <math.h>

#include "common/policy.h"
#include "tests/plugins/reported.h"
#include "tests/plugins/transform.h"

#define ASSERT_SAYS(h, text)                                                                                           \
  do {                                                                                                                 \
    ck_assert(!adl_harness_ok(h));                                                                                     \
    ck_assert_msg(strstr(adl_harness_errors(h), text) != NULL, "%s", adl_harness_errors(h));                           \
  } while (0)

static const char columns[] = "{request: string, arm: int, score: float}";
#define CHOOSE "  c: {use: choose, group: request, score: score"

/* Groups r0, r1, ... with these scores each; arms 0, 1, ... */
static adl_harness *same_groups(int groups, int arms, const double *scores) {
  GString *csv = g_string_new("request,arm,score\n");
  for (int g = 0; g < groups; g++)
    for (int a = 0; a < arms; a++) g_string_append_printf(csv, "r%d,%d,%.17g\n", g, a, scores[a]);
  adl_harness *h = adl_harness_new(csv->str, columns);
  g_string_free(csv, TRUE);
  return h;
}

static double number(adl_harness *h, const char *column, int64_t row) { return adl_harness_number(h, column, row); }

/* How often each arm was chosen is within 4 standard errors of its probability, which is what the rows say. */
static void assert_frequencies(adl_harness *h, int arms, const double *expected, double tolerance) {
  const int64_t *arm = adl_harness_column(h, "arm")->data;
  const double *propensity = adl_harness_column(h, "propensity")->data;
  double rows = (double)adl_harness_rows(h), *count = g_new0(double, arms);
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    count[arm[row]]++;
    ck_assert_msg(fabs(propensity[row] - expected[arm[row]]) <= tolerance, "arm %d: %.17g, not %.17g", (int)arm[row],
                  propensity[row], expected[arm[row]]);
  }
  for (int a = 0; a < arms; a++) {
    double error = 4 * sqrt(rows * expected[a] * (1 - expected[a]));
    ck_assert_msg(fabs(count[a] - rows * expected[a]) <= error, "arm %d: %g of %g, expected %g +- %g", a, count[a],
                  rows, rows * expected[a], error);
  }
  g_free(count);
}

static void assert_policy(const char *parameters, int arms, const double *scores, const double *expected,
                          double tolerance) {
  adl_harness *h = same_groups(20000, arms, scores);
  char *stages = g_strdup_printf(CHOOSE "%s}\n", parameters);
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 20000);
  assert_frequencies(h, arms, expected, tolerance);
  g_free(stages);
  adl_harness_free(h);
}

START_TEST(known_propensities) {
  const double four[] = {.3, .9, .1, .5}, of_four[] = {.0125, .9625, .0125, .0125};
  assert_policy(", explore: epsilon", 4, four, of_four, 1e-15);
  const double three[] = {.1, .2, .4}, of_three[] = {.2894331104, .3198730563, .3906938333};
  assert_policy(", explore: softmax", 3, three, of_three, 1e-9);
  const double greedy[] = {0, 1, 0, 0};
  assert_policy("", 4, four, greedy, 0);
  const double uniform[] = {.25, .25, .25, .25};
  assert_policy(", explore: softmax, lambda: 0", 4, four, uniform, 0);
  assert_policy(", explore: epsilon, epsilon: 1", 4, four, uniform, 0);
}
END_TEST

START_TEST(ties_share_the_best) {
  const double scores[] = {1, 2, 2, 0, 2}, none[] = {0, 1.0 / 3, 1.0 / 3, 0, 1.0 / 3};
  assert_policy("", 5, scores, none, 0);
  const double epsilon[] = {.04, .04 + .8 / 3, .04 + .8 / 3, .04, .04 + .8 / 3};
  assert_policy(", explore: epsilon, epsilon: 0.2", 5, scores, epsilon, 1e-15);
}
END_TEST

START_TEST(floors) {
  const double scores[] = {.3, .9, .1, .5}, none[] = {.05, .85, .05, .05}, uniform[] = {.25, .25, .25, .25};
  assert_policy(", floor: 0.05", 4, scores, none, 1e-15);
  assert_policy(", floor: 0.25", 4, scores, uniform, 0);
  assert_policy(", floor: 0.7", 4, scores, uniform, 0);
  const double kept[] = {.0125, .9625, .0125, .0125};
  assert_policy(", explore: epsilon, floor: 0.01", 4, scores, kept, 1e-15);
  /* Softmax of 0, ln 2, ln 7: .1, .2, .7. A floor of .18 raises the first alone; with one of .19 the second, scaled
   * down, falls below it as well. */
  const double logs[] = {0, .6931471805599453, 1.9459101090932196}, both[] = {.19, .19, .62};
  assert_policy(", explore: softmax, floor: 0.18", 3, logs, (const double[]){.18, .2 * .82 / .9, .7 * .82 / .9}, 1e-7);
  assert_policy(", explore: softmax, floor: 0.19", 3, logs, both, 1e-7);
}
END_TEST

/* Any policy on any scores: a distribution, no candidate below the floor, no better one less likely than a worse one. */
START_TEST(probabilities_are_a_distribution) {
  for (int trial = 0; trial < 20000; trial++) {
    uint64_t key = adl_random(99, (uint64_t)trial);
    int n = 1 + (int)(adl_random(key, 0) % 40);
    adl_policy policy = {(adl_explore)(adl_random(key, 1) % 3), adl_random_unit(key, 2), 20 * adl_random_unit(key, 3),
                         trial % 2 == 0 ? 0 : adl_random_unit(key, 4) * 1.2 / n};
    double score[40], p[40], plain[40], sum = 0, least = fmin(policy.floor, 1.0 / n), lowest = 1;
    for (int i = 0; i < n; i++) score[i] = (double)(int)(adl_random(key, 10 + (uint64_t)i) % 20) / 7;
    if (trial % 17 == 0) score[0] = 1e308, score[n - 1] = -1e308;
    adl_policy_probabilities(&policy, n, score, p);
    adl_policy bare = policy;
    bare.floor = 0;
    adl_policy_probabilities(&bare, n, score, plain);
    for (int i = 0; i < n; i++) {
      sum += p[i];
      lowest = fmin(lowest, plain[i]);
      ck_assert_msg(p[i] >= least && p[i] <= 1 + 1e-12, "trial %d: %g, floor %g", trial, p[i], least);
      for (int k = 0; k < n; k++) ck_assert(!(score[i] > score[k] && p[i] < p[k]));
    }
    ck_assert_msg(fabs(sum - 1) < 1e-12, "trial %d sums to %.17g", trial, sum);
    for (int i = 0; lowest >= policy.floor && i < n; i++) ck_assert(p[i] == plain[i] || policy.floor * n >= 1);
  }
  const double p[] = {0, .25, .5, 0, .25, 0};
  ck_assert_int_eq(adl_policy_draw(6, p, 0), 1);
  ck_assert_int_eq(adl_policy_draw(6, p, .24), 1);
  ck_assert_int_eq(adl_policy_draw(6, p, .25), 2);
  ck_assert_int_eq(adl_policy_draw(6, p, .999), 4);
  const double short_of_one[] = {.5, .25, 0};
  ck_assert_int_eq(adl_policy_draw(3, short_of_one, .9), 1);
}
END_TEST

/* Weighted by 1 / propensity, the logged choices say what any fixed arm would have brought, at every rank: the sum over
 * groups of [chosen] / p - [still there] has mean 0 and variance (1 - p) / p a term. */
START_TEST(weighted_choices_are_unbiased) {
  enum { ARMS = 5, RANKS = 3, GROUPS = 20000 };
  const double scores[ARMS] = {.5, 1.5, 1, 0, 1.2};
  static const char *const policies[] = {", explore: softmax, top: 3", ", explore: epsilon, epsilon: 0.5, top: 3",
                                         ", floor: 0.1, top: 3"};
  for (int i = 0; i < 3; i++) {
    adl_harness *h = same_groups(GROUPS, ARMS, scores);
    char *stages = g_strdup_printf(CHOOSE "%s}\n", policies[i]);
    adl_harness_run(h, stages, "c");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), GROUPS * RANKS);
    const int64_t *arm = adl_harness_column(h, "arm")->data, *rank = adl_harness_column(h, "rank")->data;
    const double *p = adl_harness_column(h, "propensity")->data;
    for (int r = 0; r < RANKS; r++)
      for (int a = 0; a < ARMS; a++) {
        double sum = 0, squares = 0;
        for (int64_t g = 0; g < GROUPS; g++) {
          const int64_t *chosen = arm + g * RANKS;
          bool there = true;
          for (int k = 0; k < r; k++) there = there && chosen[k] != a;
          double term = (chosen[r] == a ? 1 / p[g * RANKS + r] : 0) - there;
          ck_assert_int_eq(rank[g * RANKS + r], r + 1);
          sum += term;
          squares += term * term;
        }
        ck_assert_msg(fabs(sum) <= 4 * sqrt(squares), "%s, rank %d, arm %d: %g, standard error %g", policies[i], r + 1,
                      a, sum, sqrt(squares));
        ck_assert(squares > 0 || a == 0); /* it happens at all */
      }
    g_free(stages);
    adl_harness_free(h);
  }
}
END_TEST

/* ---- a naive replay ---- */

enum { MOST = 10000 };

typedef struct limits {
  int top, cap;
  double quota; /* for every ad; -1: per ad, 3 + ad % 5 */
  double epsilon;
} limits;

static int ad_of(int64_t arm) { return (int)(arm % 40); }

static double quota_of(const limits *rules, int ad) { return rules->quota >= 0 ? rules->quota : 3 + ad % 5; }

static int size_of(int group) { return group == 50 ? MOST : 1 + (int)(adl_random(5, (uint64_t)group) % 30); }

static double score_of(int group, int arm) {
  return (double)(adl_random(7, ((uint64_t)group << 20) + (uint64_t)arm) % 8);
}

static GString *make_groups(int groups) {
  GString *csv = g_string_new("request,arm,score,ad,budget\n");
  for (int g = 0; g < groups; g++)
    for (int a = 0; a < size_of(g); a++)
      g_string_append_printf(csv, "r%d,%d,%g,ad%d,%d\n", g, a, score_of(g, a), ad_of(a), 3 + ad_of(a) % 5);
  return csv;
}

/* Checks every row that left against the rule as the manual states it, written down once more: the candidates that are
 * left, their probabilities, and the one on which number rank - 1 of the stream `seed` falls. */
static void replay(adl_harness *h, int groups, const limits *rules) {
  int total[40] = {0};
  int64_t row = 0;
  bool *gone = g_new0(bool, MOST);
  for (int g = 0; g < groups; g++) {
    int in_group[40] = {0}, n = size_of(g), rank = 0;
    memset(gone, 0, MOST * sizeof *gone);
    for (; rank < rules->top; rank++) {
      double best = -1, sum = 0;
      int left = 0, ties = 0, chosen = -1;
      for (int a = 0; a < n; a++) {
        int ad = ad_of(a);
        if ((rules->cap > 0 && in_group[ad] >= rules->cap) || total[ad] + 1 > quota_of(rules, ad)) gone[a] = true;
        if (gone[a]) continue;
        left++;
        if (score_of(g, a) > best) best = score_of(g, a), ties = 0;
        ties += score_of(g, a) == best;
      }
      if (left == 0) break;
      double any = rules->epsilon / left, of_best = any + (1 - rules->epsilon) / ties;
      uint64_t seed = (uint64_t)((const int64_t *)adl_harness_column(h, "key")->data)[row];
      double unit = adl_random_unit(seed, (uint64_t)rank);
      for (int a = 0; a < n && chosen < 0; a++) {
        if (gone[a]) continue;
        sum += score_of(g, a) == best ? of_best : any;
        if (unit < sum) chosen = a;
      }
      ck_assert(row < adl_harness_rows(h));
      ck_assert_int_eq(((const int64_t *)adl_harness_column(h, "arm")->data)[row], chosen);
      ck_assert(number(h, "propensity", row) == (score_of(g, chosen) == best ? of_best : any));
      ck_assert(number(h, "rank", row) == rank + 1 && number(h, "n", row) == left);
      gone[chosen] = true;
      in_group[ad_of(chosen)]++;
      total[ad_of(chosen)]++;
      row++;
    }
  }
  ck_assert_int_eq(adl_harness_rows(h), row);
  for (int ad = 0; ad < 40; ad++) ck_assert(total[ad] <= quota_of(rules, ad));
  g_free(gone);
}

static const char with_ads[] = "{request: string, arm: int, score: float, ad: string, budget: int}";

START_TEST(caps_and_quotas) {
  enum { GROUPS = 900 }; /* 24,000 rows: six batches, and one group that is larger than any */
  static const struct {
    const char *parameters;
    limits rules;
  } cases[] = {{"top: 3, explore: epsilon, epsilon: 0.4, ad: ad, cap: 1", {3, 1, 1e9, .4}},
               {"top: 5, explore: epsilon, epsilon: 0.4, ad: ad, cap: 2, quota: 30", {5, 2, 30, .4}},
               {"top: 2, explore: epsilon, epsilon: 1, ad: ad, quota: budget", {2, 0, -1, 1}},
               {"top: 2, ad: ad, quota: 7.5", {2, 0, 7, 0}},
               {"top: 4, ad: ad, quota: budget / 2 + budget / 2", {4, 0, -1, 0}},
               {"top: 60", {60, 0, 1e9, 0}},
               {"ad: ad, quota: 0", {1, 0, 0, 0}}};
  GString *csv = make_groups(GROUPS);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    char *stages = g_strdup_printf(CHOOSE ", candidates: n, seed: key, %s}\n  o: {use: write-csv, path: out.csv}\n",
                                   cases[i].parameters);
    char *first = NULL;
    for (int threads = 1; threads <= 3; threads += 2) {
      adl_harness *h = adl_harness_new(csv->str, with_ads);
      adl_harness_threads(h, threads);
      adl_harness_memory(h, threads == 3 ? 1 : INT64_C(1) << 30);
      adl_harness_run(h, stages, "c");
      ASSERT_OK(h);
      if (threads == 1) replay(h, GROUPS, &cases[i].rules);
      adl_harness_same_bytes(h, &first);
      adl_harness_free(h);
    }
    g_free(first);
    g_free(stages);
  }
  g_string_free(csv, TRUE);
}
END_TEST

/* What was chosen how often, the most first, and how likely all of them were. */
static void check_report_of_choices(const adl_harness *h, double rows, const int chosen[40]) {
  reported r = reported_read(h);
  int different = 0, most = 0;
  for (int ad = 0; ad < 40; ad++) {
    different += chosen[ad] > 0;
    most = MAX(most, chosen[ad]);
  }
  reported_check(&r, "c", "", "different ones chosen", different, NAN, NAN, 0);
  JsonObject *plot = reported_item(&r, "c", "", "chosen most"), *all = reported_item(&r, "c", "", "propensities");
  ck_assert(plot != NULL && all != NULL);
  JsonArray *labels = json_object_get_array_member(plot, "labels"), *y = json_object_get_array_member(plot, "y");
  ck_assert_uint_eq(json_array_get_length(labels), (guint)MIN(different, 30));
  ck_assert(json_array_get_double_element(y, 0) == most);
  for (guint i = 1; i < json_array_get_length(y); i++)
    ck_assert(json_array_get_double_element(y, i) <= json_array_get_double_element(y, i - 1));
  double sum = 0;
  JsonArray *bins = json_object_get_array_member(all, "y");
  for (guint i = 0; i < json_array_get_length(bins); i++) sum += json_array_get_double_element(bins, i);
  ck_assert(sum == rows);
  reported_free(&r);
}

/* Everything is used up: as many rows leave as the quotas have room for, and the report says what was left empty. */
START_TEST(quotas_are_used_up_exactly) {
  GString *csv = make_groups(900);
  adl_harness *h = adl_harness_new(csv->str, with_ads);
  adl_harness_run(h, CHOOSE ", top: 3, ad: ad, quota: budget}\n", "c");
  ASSERT_OK(h);
  double rows = (double)adl_harness_rows(h);
  int chosen[40] = {0};
  for (int64_t row = 0; row < adl_harness_rows(h); row++) chosen[ad_of((int64_t)number(h, "arm", row))]++;
  for (int ad = 0; ad < 30; ad++) ck_assert_int_eq(chosen[ad], 3 + ad % 5); /* later ones are in one group only */
  ck_assert(adl_harness_report(h, "c", "", "groups") == 900);
  ck_assert(adl_harness_report(h, "c", "", "rows chosen") == rows);
  ck_assert(adl_harness_report(h, "c", "", "places unfilled") == 2700 - rows);
  check_report_of_choices(h, rows, chosen);
  adl_harness_free(h);
  g_string_free(csv, TRUE);
  h = adl_harness_new("request,arm,score,ad,budget\na,1,5,x,\na,2,4,x,\nb,1,5,x,\nb,2,5,y,0\n", with_ads);
  adl_harness_run(h, CHOOSE ", top: 2, ad: ad, quota: budget}\n", "c"); /* null: no quota */
  ASSERT_OK(h);
  ASSERT_VALUES(h, "request", "a|a|b");
  ASSERT_VALUES(h, "arm", "1|2|1");
  adl_harness_free(h);
}
END_TEST

/* ---- groups ---- */

START_TEST(odd_groups) {
  adl_harness *h = adl_harness_new("request,arm,score\na,0,1\nb,0,1\nb,1,2\n", columns);
  adl_harness_run(h, CHOOSE ", top: 9, explore: softmax, candidates: n}\n", "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 3);
  ck_assert(number(h, "propensity", 0) == 1 && number(h, "n", 0) == 1);
  ck_assert(number(h, "n", 1) == 2 && number(h, "n", 2) == 1 && number(h, "propensity", 2) == 1);
  ck_assert(number(h, "rank", 1) == 1 && number(h, "rank", 2) == 2);
  adl_harness_file(h, "rows.csv", "request,arm,score\n", -1);
  adl_harness_run(h, CHOOSE "}\n", "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_file(h, "rows.csv", "request,arm,score\na,0,\na,1,nan\na,2,inf\na,3,1\n,4,1\nb,5,\n", -1);
  adl_harness_run(h, CHOOSE ", explore: epsilon, candidates: n}\n", "c");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "arm", "3");
  ck_assert(number(h, "n", 0) == 1 && number(h, "propensity", 0) == 1);
  ck_assert_int_eq(adl_harness_rejected(h), 5);
  adl_harness_free(h);
}
END_TEST

/* A group's draws depend on its key: the same choices come when groups change places, other ones with another seed. */
START_TEST(draws_belong_to_the_group) {
  char *choices[3];
  for (int i = 0; i < 3; i++) {
    GString *csv = g_string_new("request,arm,score\n");
    for (int g = 0; g < 500; g++)
      for (int a = 0; a < 9; a++) g_string_append_printf(csv, "r%d,%d,1\n", i == 1 ? 499 - g : g, a);
    adl_harness *h = adl_harness_new(csv->str, columns);
    if (i == 2) adl_harness_top(h, "seed: 9\n");
    adl_harness_run(h, CHOOSE "}\n  s: {use: sort, by: request}\n", "s");
    ASSERT_OK(h);
    choices[i] = values_of(h, "arm");
    adl_harness_free(h);
    g_string_free(csv, TRUE);
  }
  ck_assert_str_eq(choices[0], choices[1]);
  ck_assert_str_ne(choices[0], choices[2]);
  for (int i = 0; i < 3; i++) g_free(choices[i]);
}
END_TEST

START_TEST(scattered_groups) {
  GString *csv = g_string_new("request,arm,score\n");
  for (int g = 0; g < 3000; g++)
    for (int a = 0; a < 4; a++) g_string_append_printf(csv, "r%d,%d,1\n", g % 2, a);
  adl_harness *h = adl_harness_new(csv->str, columns);
  adl_harness_run(h, CHOOSE "}\n", "c");
  ASSERT_SAYS(h, "the rows of request 'r0' do not stand next to each other");
  ASSERT_SAYS(h, "scattered: allow");
  adl_harness_run(h, CHOOSE ", scattered: allow}\n", "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 3000);
  assert_frequencies(h, 4, (const double[]){.25, .25, .25, .25}, 0); /* the same key, and yet new draws */
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(rows_keep_their_split) {
  adl_harness *h = adl_harness_new("request,arm,score\na,0,1\na,1,2\na,2,3\nb,0,1\n", columns);
  adl_harness_source(h, "holdout: {where: \"arm = 2\"}");
  adl_harness_run(h, CHOOSE ", top: 2, propensity: p, rank: place}\n", "c");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "arm", "2|1|0");
  ASSERT_VALUES(h, "place", "1|2|1");
  ASSERT_VALUES(h, "p", "1|1|1");
  ck_assert_int_eq(adl_harness_split(h, 0), ADL_TEST);
  ck_assert_int_eq(adl_harness_split(h, 1), ADL_TRAIN);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const char csv[] = "request,arm,score\na,0,1\n";
  assert_refused(csv, columns, CHOOSE ", explore: greedy}\n", "c.explore");
  assert_refused(csv, columns, CHOOSE ", epsilon: 1.5}\n", "c.epsilon: 1.5 is out of range [0, 1]");
  assert_refused(csv, columns, CHOOSE ", lambda: -1}\n", "c.lambda: -1 is out of range [0, inf)");
  assert_refused(csv, columns, CHOOSE ", top: 0}\n", "c.top: 0 is out of range");
  assert_refused(csv, columns, CHOOSE ", floor: 2}\n", "c.floor: 2 is out of range [0, 1]");
  assert_refused(csv, columns, CHOOSE ", cap: 1}\n", "cap needs `ad`");
  assert_refused(csv, columns, CHOOSE ", quota: 1}\n", "quota needs `ad`");
  assert_refused(csv, columns, CHOOSE ", ad: arm, quota: request}\n", "quota");
  assert_refused(csv, columns, CHOOSE ", ad: arm, quota: nothing}\n", "nothing");
  assert_refused(csv, columns, CHOOSE ", rank: arm}\n", "there is a column `arm` already");
  assert_refused(csv, columns, "  c: {use: choose, group: [], score: score}\n", "group");
  assert_refused(csv, columns, "  c: {use: choose, score: score}\n", "c.group");
  assert_refused(csv, columns, "  c: {use: choose, group: arm, score: request}\n", "c.score");
}
END_TEST

int main(void) {
  Suite *s = suite_create("choose");
  TCase *t = tcase_create("choose");
  tcase_add_test(t, known_propensities);
  tcase_add_test(t, ties_share_the_best);
  tcase_add_test(t, floors);
  tcase_add_test(t, probabilities_are_a_distribution);
  tcase_add_test(t, weighted_choices_are_unbiased);
  tcase_add_test(t, caps_and_quotas);
  tcase_add_test(t, quotas_are_used_up_exactly);
  tcase_add_test(t, odd_groups);
  tcase_add_test(t, draws_belong_to_the_group);
  tcase_add_test(t, scattered_groups);
  tcase_add_test(t, rows_keep_their_split);
  tcase_add_test(t, refusals);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  return run_suite(s);
}
