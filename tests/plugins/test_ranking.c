/* ranking: known answers; against all ways to break ties; intervals from the groups themselves; the same on any number of
 * threads. */
#include "common/ranks.h"
#include "tests/plugins/reported.h"
#include "tests/plugins/transform.h"

static const char columns[] = "{g: string, r: float, s: float, held: int}";
#define RANKING "  m: {use: ranking, group: g, relevance: r, score: s"

static const double Z = 1.959963984540054;

/* ---- known answers ---- */

START_TEST(ndcg_of_scikit_learn) {
  adl_harness *h = adl_harness_new("g,r,s,held\nq,10,.1,0\nq,0,.2,0\nq,0,.3,0\nq,1,4,0\nq,5,70,0\n", columns);
  adl_harness_run(h, RANKING ", k: [2, 5, 9]}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "ndcg", .6956940443813076, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "ndcg@5", .6956940443813076, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "ndcg@9", .6956940443813076, NAN, NAN, 1e-12);
  double two = (5 + 1 / log2(3)) / (10 + 5 / log2(3));
  reported_check(&r, "m", "in-sample", "ndcg@2", two, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "recall@2", 2. / 3, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "precision@2", 1, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "precision@9", 3. / 9, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "map", (1 + 1 + 3. / 5) / 3, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "mrr", 1, NAN, NAN, 1e-12);
  reported_free(&r);
  adl_harness_run(h, RANKING ", gain: exponential, k: 1}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  double best = 1023 + 31 / log2(3) + 1 / log2(4), got = 31 + 1 / log2(3) + 1023 / log2(6);
  reported_check(&r, "m", "in-sample", "ndcg", got / best, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "ndcg@1", 31. / 1023, NAN, NAN, 1e-12);
  reported_free(&r);
  adl_harness_free(h);
  /* With ties: ndcg_score of scikit-learn 1.9.1. */
  h = adl_harness_new("g,r,s,held\nq,10,1,0\nq,0,1,0\nq,0,2,0\nq,1,2,0\nq,5,2,0\nq,3,0,0\n", columns);
  adl_harness_run(h, RANKING ", k: 2}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  reported_check(&r, "m", "in-sample", "ndcg", .6243238174530789, NAN, NAN, 1e-12);
  reported_check(&r, "m", "in-sample", "ndcg@2", .24796249331362627, NAN, NAN, 1e-12);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

/* Groups a (relevant at ranks 2 and 3 of 4), b (at 1 of 2), c (none). */
START_TEST(by_hand) {
  adl_harness *h =
      adl_harness_new("g,r,s,held\na,0,9,0\na,1,8,0\na,1,7,0\na,0,6,0\nb,0,1,0\nb,1,2,0\nc,0,1,0\nc,0,2,0\n", columns);
  adl_harness_run(h, RANKING ", k: [1, 3]}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "groups", 2, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "groups_without_relevant", 1, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "items", 8, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "relevant", 3, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "recall@1", .5, 0, 1, 0); /* 0 and 1; the interval stays within [0, 1] */
  reported_check(&r, "m", "in-sample", "recall@3", 1, 1, 1, 0);
  double half = Z / 6; /* of 2/3 and 1/3 */
  reported_check(&r, "m", "in-sample", "precision@3", .5, .5 - half, .5 + half, 1e-12);
  half = Z * 5. / 24; /* of 7/12 and 1 */
  reported_check(&r, "m", "in-sample", "map", 19. / 24, 19. / 24 - half, 1, 1e-12);
  reported_check(&r, "m", "in-sample", "mrr", .75, .75 - Z / 4, 1, 1e-12);
  reported_check_text(&r, "m", "held-out", "undefined: there are no held-out rows");
  char *table = reported_table(&r, "m", "ranking (in-sample)");
  ck_assert_msg(g_str_has_prefix(table, "measure|value|low|high|\nrecall@1|0.5|0|1|\nprecision@1|0.5|"), "%s", table);
  ck_assert_ptr_nonnull(strstr(table, "\nmrr|0.75|"));
  g_free(table);
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

/* ---- against all orders ---- */

enum { MOST = 6, MEASURES = 8 };

/* Recall and hits at 1 to 3 by counting, DCG at 2 and in full, average precision, reciprocal rank: of one order. */
static void plain(const adl_ranked *items, const int *order, int count, double *found) {
  double relevant = 0, hits = 0, dcg = 0;
  for (int i = 0; i < MEASURES; i++) found[i] = 0;
  for (int i = 0; i < count; i++) relevant += items[i].gain > 0;
  for (int i = 0; i < count; i++) {
    double gain = items[order[i]].gain;
    dcg += gain / log2(i + 2);
    if (gain > 0) {
      hits++;
      found[6] += hits / (i + 1) / relevant;
      if (hits == 1) found[7] = 1. / (i + 1);
    }
    if (i < 3) found[i] = hits;
    if (i == 1) found[3] = dcg;
    found[4] = dcg;
    found[5] = hits;
  }
  if (count < 2) found[1] = found[2] = hits, found[3] = dcg;
  if (count < 3) found[2] = hits;
}

typedef struct orders {
  adl_ranked items[MOST];
  int count, used[MOST], order[MOST];
  double sums[MEASURES], many;
} orders;

static void walk(orders *o, int depth) {
  if (depth == o->count) {
    double found[MEASURES];
    plain(o->items, o->order, o->count, found);
    for (int i = 0; i < MEASURES; i++) o->sums[i] += found[i];
    o->many += 1;
    return;
  }
  for (int i = 0; i < o->count; i++) {
    bool higher = false; /* one that must stand before it */
    for (int j = 0; j < o->count; j++) higher = higher || (!o->used[j] && o->items[j].score > o->items[i].score);
    if (o->used[i] || higher) continue;
    o->used[i] = 1;
    o->order[depth] = i;
    walk(o, depth + 1);
    o->used[i] = 0;
  }
}

START_TEST(ties_are_broken_in_every_way) {
  for (uint64_t seed = 0; seed < 600; seed++) {
    orders o = {.count = 1 + (int)(seed % MOST)};
    for (int i = 0; i < o.count; i++)
      o.items[i] = (adl_ranked){(double)(adl_random(seed, (uint64_t)i) % (1 + seed % 4)),
                                fmax(0, (double)(adl_random(seed, (uint64_t)i + 50) % 5) - 2)};
    walk(&o, 0);
    adl_rank(o.items, o.count);
    const double found[MEASURES] = {adl_hits_at(o.items, o.count, 1),        adl_hits_at(o.items, o.count, 2),
                                    adl_hits_at(o.items, o.count, 3),        adl_dcg_at(o.items, o.count, 2),
                                    adl_dcg_at(o.items, o.count, o.count),   adl_relevant(o.items, o.count),
                                    adl_average_precision(o.items, o.count), adl_reciprocal_rank(o.items, o.count)};
    for (int i = 0; i < MEASURES; i++)
      ck_assert_msg(fabs(found[i] - o.sums[i] / o.many) < 1e-12, "measure %d of list %d is %g, not %g", i, (int)seed,
                    found[i], o.sums[i] / o.many);
  }
}
END_TEST

/* A long tie: the mean rank of the first of r relevant ones among n is (n + 1) / (r + 1); here 1 by the rank is summed. */
START_TEST(long_ties) {
  enum { N = 5000 };
  adl_ranked *items = g_new0(adl_ranked, N);
  for (int i = 0; i < N; i++) items[i].gain = i % 50 == 0;
  adl_rank(items, N);
  double wanted = 0, none = 1;
  for (int i = 0; i + 100 <= N; i++) {
    wanted += none * 100 / (N - i) / (i + 1);
    none *= (double)(N - i - 100) / (N - i);
  }
  ck_assert_double_eq_tol(adl_reciprocal_rank(items, N), wanted, 1e-12);
  ck_assert_double_eq_tol(adl_hits_at(items, N, 250), 5, 1e-12);
  double precision = adl_average_precision(items, N);
  ck_assert(precision > .02 && precision < .023); /* a little above the share of relevant ones */
  g_free(items);
}
END_TEST

/* ---- groups, kinds, threads ---- */

START_TEST(kinds_and_threads) {
  GString *csv = g_string_new("g,r,s,held\n");
  double sums[2] = {0}, squares[2] = {0}, many[2] = {0}, without[2] = {0};
  uint64_t at = 0;
  for (int g = 0; g < 4000; g++) {
    int count = g == 77 ? 9000 : 1 + (int)(adl_random(1, (uint64_t)g) % 9), held = g % 4 == 0, hits = 0, relevant = 0;
    for (int i = 0; i < count; i++, at++) { /* scores rise, so the last is the best */
      int r = adl_random_unit(2, at) < .3;
      relevant += r;
      if (i >= count - 2) hits += r;
      g_string_append_printf(csv, "u%d,%d,%d,%d\n", g, r, i, held);
    }
    if (relevant == 0) without[held]++;
    if (relevant == 0) continue;
    double recall = (double)hits / relevant;
    sums[held] += recall, squares[held] += recall * recall, many[held]++;
  }
  adl_harness *h = adl_harness_new(csv->str, columns);
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  char *first = NULL;
  for (int threads = 1; threads <= 4; threads++) {
    adl_harness_threads(h, threads);
    adl_harness_run(h, RANKING ", k: 2}\n", NULL);
    ASSERT_OK(h);
    reported r = reported_read(h);
    for (int held = 0; held < 2; held++) {
      const char *over = held ? "held-out" : "in-sample";
      double mean = sums[held] / many[held];
      double half = Z * sqrt((squares[held] / many[held] - mean * mean) / (many[held] - 1));
      reported_check(&r, "m", over, "recall@2", mean, mean - half, mean + half, 1e-12);
      reported_check(&r, "m", over, "groups", many[held], NAN, NAN, 0);
      reported_check(&r, "m", over, "groups_without_relevant", without[held], NAN, NAN, 0);
    }
    reported_free(&r);
    adl_harness_same_bytes(h, &first);
  }
  g_free(first);
  g_string_free(csv, TRUE);
  adl_harness_free(h);
}
END_TEST

/* ---- odd cases ---- */

START_TEST(rejected_and_undefined) {
  adl_harness *h = adl_harness_new("g,r,s,held\na,-1,9,0\na,60,8,0\na,,7,0\na,0,nan,0\nb,1,1,0\nb,,2,0\n", columns);
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, RANKING ", gain: exponential}\n", NULL);
  ASSERT_OK(h);
  reported r = reported_read(h);
  reported_check(&r, "m", "in-sample", "groups", 1, NAN, NAN, 0); /* a group without items is none */
  reported_check(&r, "m", "in-sample", "groups_without_relevant", 0, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "items", 1, NAN, NAN, 0);
  reported_check(&r, "m", "in-sample", "ndcg@10", 1, NAN, NAN, 0);
  reported_free(&r);
  char *rejects = adl_harness_rejects(h);
  ck_assert_ptr_nonnull(strstr(rejects, "relevance -1 is negative"));
  ck_assert_ptr_nonnull(strstr(rejects, "relevance 60 is above 50"));
  ck_assert_int_eq(adl_harness_rejected(h), 5);
  free(rejects);
  adl_harness_free(h);
  h = adl_harness_new("g,r,s,held\na,0,9,0\na,0,8,0\n", columns);
  adl_harness_run(h, RANKING "}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  reported_check_text(&r, "m", "map (in-sample)", "undefined: no group has a relevant item");
  ck_assert_ptr_null(reported_item(&r, "m", "in-sample", "map"));
  reported_free(&r);
  adl_harness_free(h);
  h = adl_harness_new("g,r,s,held\n", columns);
  adl_harness_run(h, RANKING "}\n", NULL);
  ASSERT_OK(h);
  r = reported_read(h);
  reported_check_text(&r, "m", "groups", "undefined: no rows reached this stage");
  reported_free(&r);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const char csv[] = "g,r,s,held\na,1,1,1\n";
  assert_refused(csv, columns, RANKING ", k: [5, 1, 5]}\n", "5 stands there twice");
  assert_refused(csv, columns, RANKING ", k: [0]}\n", "k");
  assert_refused(csv, columns, RANKING ", gain: square}\n", "gain");
  assert_refused(csv, columns, "  m: {use: ranking, group: g, relevance: g, score: s}\n", "relevance");
}
END_TEST

int main(void) {
  Suite *s = suite_create("plugins: ranking");
  TCase *t = tcase_create("ranking");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, ndcg_of_scikit_learn);
  tcase_add_test(t, by_hand);
  tcase_add_test(t, ties_are_broken_in_every_way);
  tcase_add_test(t, long_ties);
  tcase_add_test(t, kinds_and_threads);
  tcase_add_test(t, rejected_and_undefined);
  tcase_add_test(t, refusals);
  suite_add_tcase(s, t);
  return run_suite(s);
}
