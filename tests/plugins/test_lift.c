/* lift: against answers by hand and against all ways to break ties; intervals from the groups themselves; the same on
 * any number of threads and however batches cut the groups. */
#include "tests/plugins/reported.h"
#include "tests/plugins/transform.h"

static const char columns[] = "{g: int, v: float, a: float, b: float, held: int}";
#define LIFT "  m: {use: lift, group: g, value: v, scores: {first: a, second: \"b * 2\"}"

static const double Z = 1.959963984540054;

/* Two requests. Chance .2 and .3; `first` takes .3, and in the second request one of .6 and .1, which tie; `second` takes
 * .1 and .6. */
START_TEST(by_hand) {
  adl_harness *h = adl_harness_new("g,v,a,b,held\n"
                                   "1,.1,1,3,0\n1,.2,2,2,0\n1,.3,3,1,0\n"
                                   "2,.6,5,9,0\n2,.1,5,8,0\n2,.2,1,8,0\n",
                                   columns);
  adl_harness_run(h, LIFT "}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "groups", 2, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "candidates", 6, NAN, NAN, 0);
  double half = Z * .05; /* standard error of two values a and b: |a - b| / 2 */
  reported_check(&r, "m", "in-sample", "chance.value", .25, .25 - half, .25 + half, 1e-12);
  reported_check(&r, "m", "in-sample", "chance.total", .5, NAN, NAN, 1e-12);
  half = Z * .025;
  reported_check(&r, "m", "in-sample", "first.value", .325, .325 - half, .325 + half, 1e-12);
  reported_check(&r, "m", "in-sample", "first.total", .65, NAN, NAN, 1e-12);
  half = Z * (.1 - .05) / 2;
  reported_check(&r, "m", "in-sample", "first.difference", .075, .075 - half, .075 + half, 1e-12);
  /* v - 1.3 c is .3 - .26 and .35 - .39: .04 and -.04. */
  half = Z * .04 / .25;
  reported_check(&r, "m", "in-sample", "first.lift", 1.3, 1.3 - half, 1.3 + half, 1e-12);
  /* Gains .1 and .05, the oracle's .1 and .3: share .375, .1 - .0375 and .05 - .1125. */
  half = Z * .0625 / .2;
  reported_check(&r, "m", "in-sample", "first.share", .375, .375 - half, .375 + half, 1e-12);
  half = Z * .25;
  reported_check(&r, "m", "in-sample", "second.value", .35, .35 - half, .35 + half, 1e-12);
  reported_check(&r, "m", "in-sample", "second.lift", 1.4, 1.4 - Z * .18 / .25, 1.4 + Z * .18 / .25, 1e-12);
  half = Z * (.25 + .2) / 2;
  reported_check(&r, "m", "in-sample", "second.difference", .025, .025 - half, .025 + half, 1e-12);
  reported_check(&r, "m", "in-sample", "oracle.value", .45, .45 - Z * .15, .45 + Z * .15, 1e-12);
  reported_check(&r, "m", "in-sample", "oracle.share", 1, 1, 1, 1e-12);
  char *table = reported_table(&r, "m", "policies (in-sample)");
  ck_assert_msg(g_str_has_prefix(table, "policy|value|low|high|total|lift|share|difference|low|high|\nchance|0.25|"),
                "%s", table);
  ck_assert_ptr_nonnull(strstr(table, "|0.5||||||\nfirst|0.325|"));
  ck_assert_ptr_nonnull(strstr(table, "\noracle|0.45|"));
  reported_check_text(&r, "m", "held-out", "undefined: there are no held-out rows");
  g_free(table);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

/* ---- against all orders ---- */

enum { GROUPS = 400, MOST = 5 };

typedef struct made {
  GString *csv;
  int count[GROUPS];
  double value[GROUPS][MOST], score[GROUPS][2][MOST];
} made;

/* Small whole scores, so that many tie; values that now and then are negative. */
static made *make(void) {
  made *m = g_new0(made, 1);
  m->csv = g_string_new("g,v,a,b,held\n");
  uint64_t at = 0;
  for (int g = 0; g < GROUPS; g++) {
    m->count[g] = 1 + (int)(adl_random(1, (uint64_t)g) % MOST);
    for (int i = 0; i < m->count[g]; i++, at++) {
      m->value[g][i] = (double)(adl_random(2, at) % 1000) / 1000 - .1;
      m->score[g][0][i] = (double)(adl_random(3, at) % 3);
      m->score[g][1][i] = floor(m->value[g][i] * 4) + (double)(adl_random(4, at) % 2);
      g_string_append_printf(m->csv, "%d,%.3f,%g,%g,%d\n", g, m->value[g][i], m->score[g][0][i], m->score[g][1][i],
                             g % 3 == 0);
    }
  }
  return m;
}

static void made_free(made *m) {
  g_string_free(m->csv, TRUE);
  g_free(m);
}

typedef struct orders {
  const double *score, *value;
  int count, top, used[MOST], order[MOST];
  double sum, many;
} orders;

/* Every order of the candidates that the scores allow. */
static void walk(orders *o, int depth) {
  if (depth == o->count) {
    for (int i = 1; i < o->count; i++)
      if (o->score[o->order[i - 1]] < o->score[o->order[i]]) return;
    int chosen = MIN(o->top, o->count);
    for (int i = 0; i < chosen; i++) o->sum += o->value[o->order[i]] / chosen;
    o->many += 1;
    return;
  }
  for (int i = 0; i < o->count; i++) {
    if (o->used[i]) continue;
    o->used[i] = 1;
    o->order[depth] = i;
    walk(o, depth + 1);
    o->used[i] = 0;
  }
}

static double earned(const double *score, const double *value, int count, int top) {
  orders o = {.score = score, .value = value, .count = count, .top = top};
  walk(&o, 0);
  return o.sum / o.many;
}

/* Mean and half of the interval of the mean. */
static void mean_of(const double *x, int n, double *mean, double *half) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; i++) sum += x[i];
  *mean = sum / n;
  for (int i = 0; i < n; i++) squares += (x[i] - *mean) * (x[i] - *mean);
  *half = Z * sqrt(squares / (n - 1) / n);
}

static void check_policy(const reported *r, const char *over, const char *name, const double *earns,
                         const double *before, const double *chance, const double *oracle, int n) {
  double rest[GROUPS], gain[GROUPS], most[GROUPS], mean, half, c, o, unused;
  char text[64];
  mean_of(earns, n, &mean, &half);
  g_snprintf(text, sizeof text, "%s.value", name);
  reported_check(r, "m", over, text, mean, mean - half, mean + half, 1e-12);
  g_snprintf(text, sizeof text, "%s.total", name);
  reported_check(r, "m", over, text, mean * n, NAN, NAN, 1e-9);
  mean_of(chance, n, &c, &unused);
  double lift = mean / c;
  for (int i = 0; i < n; i++) rest[i] = earns[i] - lift * chance[i];
  mean_of(rest, n, &unused, &half);
  g_snprintf(text, sizeof text, "%s.lift", name);
  reported_check(r, "m", over, text, lift, lift - half / c, lift + half / c, 1e-11);
  for (int i = 0; i < n; i++) gain[i] = earns[i] - chance[i], most[i] = oracle[i] - chance[i];
  mean_of(gain, n, &mean, &half);
  mean_of(most, n, &o, &unused);
  if (fabs(o) < 1e-12) { /* all candidates are chosen */
    g_snprintf(text, sizeof text, "%s.share (%s)", name, over);
    reported_check_text(r, "m", text, "undefined: ");
    return;
  }
  double share = mean / o;
  for (int i = 0; i < n; i++) rest[i] = gain[i] - share * most[i];
  mean_of(rest, n, &unused, &half);
  g_snprintf(text, sizeof text, "%s.share", name);
  reported_check(r, "m", over, text, share, share - half / o, share + half / o, 1e-11);
  for (int i = 0; i < n; i++) rest[i] = earns[i] - before[i];
  mean_of(rest, n, &mean, &half);
  g_snprintf(text, sizeof text, "%s.difference", name);
  reported_check(r, "m", over, text, mean, mean - half, mean + half, 1e-12);
}

/* The groups that are held out, or those that are not. */
static void check_kind(const reported *r, const made *m, bool held, int top) {
  double earns[4][GROUPS];
  int n = 0;
  for (int g = 0; g < GROUPS; g++) {
    if ((g % 3 == 0) != held) continue;
    earns[0][n] = 0;
    for (int i = 0; i < m->count[g]; i++) earns[0][n] += m->value[g][i] / m->count[g];
    for (int p = 0; p < 2; p++) earns[1 + p][n] = earned(m->score[g][p], m->value[g], m->count[g], top);
    earns[3][n++] = earned(m->value[g], m->value[g], m->count[g], top);
  }
  const char *over = held ? "held-out" : "in-sample", *const names[] = {"first", "second", "oracle"};
  reported_check(r, "m", over, "groups", n, NAN, NAN, 0);
  for (int p = 0; p < 3; p++) check_policy(r, over, names[p], earns[p + 1], earns[p], earns[0], earns[3], n);
}

START_TEST(ties_are_broken_in_every_way) {
  made *m = make();
  adl_harness *h = adl_harness_new(m->csv->str, columns);
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  for (int top = 1; top <= MOST + 1; top++) {
    char *stages = g_strdup_printf(LIFT ", top: %d}\n", top);
    adl_harness_run(h, stages, NULL);
    ASSERT_OK(h);
    reported r = reported_read(h);
    check_kind(&r, m, true, top);
    check_kind(&r, m, false, top);
    reported_free(&r);
    g_free(stages);
  }
  adl_harness_free(h);
  made_free(m);
}
END_TEST

/* ---- groups and batches ---- */

/* Groups of 1 to 9000 rows, far more rows than a batch: value is 1 in one row of each group, where the score is highest. */
START_TEST(groups_may_be_longer_than_batches) {
  GString *csv = g_string_new("g,v,a,b,held\n");
  int sizes[] = {1, 9000, 3, 4095, 4096, 4097, 2, 8191, 1, 5}, rows = 0;
  for (int g = 0; g < 10; g++)
    for (int i = 0; i < sizes[g]; i++, rows++)
      g_string_append_printf(csv, "%d,%d,%d,1,0\n", g, i == sizes[g] / 2, i == sizes[g] / 2 ? 7 : -i);
  adl_harness *h = adl_harness_new(csv->str, columns);
  char *first = NULL;
  for (int threads = 1; threads <= 4; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_memory(h, threads == 2 ? 1 << 16 : INT64_C(1) << 30);
    /* The second way lets the rows go through a stage that keeps them. */
    adl_harness_run(h, threads % 2 == 0 ? LIFT "}\n" : "  s: {use: sort, by: [g]}\n" LIFT "}\n", NULL);
    ASSERT_OK(h);
    reported r = reported_read(h);
    reported_check(&r, "m", "in-sample", "groups", 10, NAN, NAN, 0);
    reported_check(&r, "m", "in-sample", "candidates", rows, NAN, NAN, 0);
    reported_check(&r, "m", "in-sample", "first.value", 1, 1, 1, 1e-12);
    reported_check(&r, "m", "in-sample", "first.share", 1, 1, 1, 1e-12);
    double chance = 0;
    for (int g = 0; g < 10; g++) chance += 1. / sizes[g];
    ck_assert_double_eq_tol(reported_member(&r, "m", "in-sample", "chance.total", "value"), chance, 1e-12);
    ck_assert_double_eq_tol(reported_member(&r, "m", "in-sample", "second.total", "value"), chance, 1e-12);
    reported_free(&r);
    char *text = adl_harness_read(h, "metrics.json");
    if (first == NULL) first = g_strdup(text);
    ck_assert_str_eq(first, text);
    free(text);
  }
  g_free(first);
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

START_TEST(any_number_of_threads) {
  made *m = make();
  GString *csv = g_string_new(NULL); /* the same groups many times over, under other names */
  for (int k = 0; k < 60; k++) {
    char **lines = g_strsplit(m->csv->str, "\n", -1);
    for (int i = k == 0 ? 0 : 1; lines[i] != NULL && lines[i][0] != '\0'; i++)
      if (i == 0)
        g_string_append_printf(csv, "%s\n", lines[i]);
      else
        g_string_append_printf(csv, "%d%s\n", k + 1, lines[i]);
    g_strfreev(lines);
  }
  adl_harness *h = adl_harness_new(csv->str, columns);
  adl_harness_source(h, "holdout: {fraction: 0.3, by: g}");
  char *first = NULL;
  for (int threads = 1; threads <= 4; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_run(h, LIFT ", top: 2}\n", NULL);
    ASSERT_OK(h);
    adl_harness_same_bytes(h, &first);
  }
  g_free(first);
  g_string_free(csv, TRUE);
  adl_harness_free(h);
  made_free(m);
}
END_TEST

/* ---- odd cases ---- */

START_TEST(what_cannot_be_told) {
  adl_harness *h = adl_harness_new("g,v,a,b,held\n1,0,1,3,0\n1,0,2,2,0\n", columns);
  adl_harness_run(h, LIFT "}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "first.value", 0, NAN, NAN, 0); /* one group: no interval */
  reported_check_text(&r, "m", "first.lift (in-sample)", "undefined: a choice at random earns nothing");
  reported_check_text(&r, "m", "first.share (in-sample)",
                      "undefined: the best choice earns no more than one at random");
  ck_assert_ptr_null(reported_item(&r, "m", "in-sample", "first.lift"));
  reported_free(&r);
  adl_harness_free(h);
  h = adl_harness_new("g,v,a,b,held\n", columns);
  adl_harness_run(h, LIFT "}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  reported_check_text(&r, "m", "groups", "undefined: no rows reached this stage");
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

START_TEST(rejected_candidates_leave_their_group) {
  adl_harness *h = adl_harness_new("g,v,a,b,held\n1,.5,,3,0\n1,.25,2,2,0\n1,.75,nan,2,0\n1,.125,1,inf,0\n1,,9,9,0\n"
                                   ",.5,1,1,0\n,.25,2,1,0\n",
                                   columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, LIFT "}\n", NULL);
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 4);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "groups", 2, NAN, NAN, 0); /* nulls are a group */
  reported_check(&r, "m", "in-sample", "candidates", 3, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "first.total", .5, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "oracle.total", .75, NAN, NAN, 0);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const char csv[] = "g,v,a,b,held\n1,1,1,1,1\n";
  assert_refused(csv, columns, "  m: {use: lift, group: g, value: v, scores: {}}\n", "scores: is empty");
  assert_refused(csv, columns, "  m: {use: lift, group: g, value: v, scores: {oracle: a}}\n",
                 "`oracle` is a policy that this stage measures by itself");
  assert_refused(csv, columns, "  m: {use: lift, group: g, value: v, scores: {x: missing}}\n", "missing");
  assert_refused(csv, columns, "  m: {use: lift, group: g, value: v, scores: {x: a}, top: 0}\n", "top");
  assert_refused(csv, columns, "  m: {use: lift, value: v, scores: {x: a}}\n", "group");
}
END_TEST

int main(void) {
  Suite *s = suite_create("plugins: lift");
  TCase *t = tcase_create("lift");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, by_hand);
  tcase_add_test(t, ties_are_broken_in_every_way);
  tcase_add_test(t, groups_may_be_longer_than_batches);
  tcase_add_test(t, any_number_of_threads);
  tcase_add_test(t, what_cannot_be_told);
  tcase_add_test(t, rejected_candidates_leave_their_group);
  tcase_add_test(t, refusals);
  suite_add_tcase(s, t);
  return run_suite(s);
}
