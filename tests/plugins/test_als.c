/* als on the real engine: the normal equations against a dense solution, the loss against a plain sum over all cells, planted
 * blocks by held-out rows, new users from their history, instructions, threads, models, refusals. */
#include <math.h>

#include "core/data/tensors.h"
#include "tests/plugins/interactions.h"

enum { EVENTS = 900, USERS = 40, ITEMS = 30 };

static void run(adl_harness *h, const char *more) {
  char *stages = g_strdup_printf("  m: {use: als, user: u, item: i, item_as: y, score: s, %s}\n", more);
  adl_harness_run(h, stages, "m");
  ASSERT_OK(h);
  g_free(stages);
}

/* Users' and items' vectors of a run over random_events, by number; false: no row told of it. */
typedef struct vectors {
  int factors;
  double x[USERS][128], y[ITEMS][128];
  bool user[USERS], item[ITEMS];
} vectors;

static void read_vectors(adl_harness *h, vectors *v) {
  memset(v, 0, sizeof *v);
  v->factors = (int)adl_harness_type(h, "taste").width;
  ck_assert_int_le(v->factors, 128);
  const float *x = vector_of(h, "taste", 0), *y = vector_of(h, "y", 0);
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    char *name = adl_harness_text(h, "u", row), *item = adl_harness_text(h, "i", row);
    int user = atoi(name + 1), number = atoi(item);
    double score = 0;
    for (int j = 0; j < v->factors; j++) {
      v->x[user][j] = (double)x[row * v->factors + j];
      v->y[number][j] = (double)y[row * v->factors + j];
      score += v->x[user][j] * v->y[number][j];
    }
    ck_assert_double_eq_tol(adl_harness_number(h, "s", row), score, 1e-6);
    v->user[user] = v->item[number] = true;
    free(name);
    free(item);
  }
}

/* Solves A x = b (n x n, symmetric, positive) by elimination. */
static void solve(double *a, double *b, int n) {
  for (int k = 0; k < n; k++)
    for (int i = k + 1; i < n; i++) {
      double part = a[i * n + k] / a[k * n + k];
      for (int j = k; j < n; j++) a[i * n + j] -= part * a[k * n + j];
      b[i] -= part * b[k];
    }
  for (int i = n - 1; i >= 0; i--) {
    for (int j = i + 1; j < n; j++) b[i] -= a[i * n + j] * b[j];
    b[i] /= a[i * n + i];
  }
}

/* Hu, Koren & Volinsky's equation 4 written out: (sum over all others of c y y^T + reg I) x = sum of c p y. */
static void dense(const vectors *v, bool for_item, const double *r, int64_t stride, double alpha, double reg,
                  double *to) {
  int n = v->factors, others = for_item ? USERS : ITEMS;
  double *a = g_new0(double, n *n);
  memset(to, 0, (size_t)n * sizeof *to);
  for (int o = 0; o < others; o++) {
    const double *y = for_item ? v->x[o] : v->y[o];
    double c = 1 + alpha * r[o * stride];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) a[i * n + j] += c * y[i] * y[j];
      to[i] += r[o * stride] > 0 ? c * y[i] : 0;
    }
  }
  for (int i = 0; i < n; i++) a[i * n + i] += reg;
  solve(a, to, n);
  g_free(a);
}

/* With many steps the half of an iteration that comes last, that of the items, is an exact solution. */
START_TEST(items_solve_the_normal_equations) {
  static const int factors[] = {1, 5, 16, 29, 64, 100};
  char *csv = random_events(EVENTS, USERS, ITEMS, false);
  double *r = random_matrix(EVENTS, USERS, ITEMS), expected[128];
  adl_harness *h = adl_harness_new(csv, event_columns);
  vectors *v = g_new(vectors, 1);
  for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
    char *more =
        g_strdup_printf("weight: w, factors: %d, reg: 0.5, alpha: 2, iterations: 2, cg_steps: 300", factors[k]);
    run(h, more);
    read_vectors(h, v);
    ck_assert_int_eq(v->factors, factors[k]);
    double size = 0;
    for (int i = 0; i < ITEMS; i++) {
      if (!v->item[i]) continue;
      dense(v, true, r + i, ITEMS, 2, .5, expected);
      for (int j = 0; j < v->factors; j++) {
        ck_assert_double_eq_tol(v->y[i][j], expected[j], 2e-4);
        size += fabs(expected[j]);
      }
    }
    ck_assert_double_gt(size, 1);
    g_free(more);
  }
  g_free(v);
  g_free(r);
  adl_harness_free(h);
  g_free(csv);
}
END_TEST

static double plain_loss(const vectors *v, const double *r, double alpha, double reg) {
  double loss = 0, cells = 0;
  for (int u = 0; u < USERS; u++)
    for (int i = 0; i < ITEMS; i++) {
      double c = 1 + alpha * r[u * ITEMS + i], p = r[u * ITEMS + i] > 0, xy = 0;
      if (!v->user[u] || !v->item[i]) continue;
      for (int j = 0; j < v->factors; j++) xy += v->x[u][j] * v->y[i][j];
      loss += c * (p - xy) * (p - xy);
      cells += c;
    }
  for (int u = 0; u < USERS; u++)
    for (int j = 0; j < v->factors; j++) loss += reg * v->x[u][j] * v->x[u][j];
  for (int i = 0; i < ITEMS; i++)
    for (int j = 0; j < v->factors; j++) loss += reg * v->y[i][j] * v->y[i][j];
  return loss / cells;
}

/* The curve of a long run is made of what the steps say of themselves; here shorter runs are measured from outside. */
START_TEST(loss_falls_and_is_what_it_says) {
  enum { ITERATIONS = 8 };
  char *csv = random_events(EVENTS, USERS, ITEMS, false);
  double *r = random_matrix(EVENTS, USERS, ITEMS), last = INFINITY;
  adl_harness *h = adl_harness_new(csv, event_columns), *one = adl_harness_new(csv, event_columns);
  vectors *v = g_new(vectors, 1);
  const int steps = _i == 0 ? 1 : 3;
  char *more =
      g_strdup_printf("weight: w, factors: 12, reg: 0.1, alpha: 0.7, cg_steps: %d, iterations: %d", steps, ITERATIONS);
  run(h, more);
  g_free(more);
  adl_tensor curve;
  ck_assert(adl_tensors_find(adl_harness_model(h, "m"), "losses", &curve));
  ck_assert_int_eq(curve.count, ITERATIONS + 1);
  for (int k = 1; k <= ITERATIONS; k++) {
    more = g_strdup_printf("weight: w, factors: 12, reg: 0.1, alpha: 0.7, cg_steps: %d, iterations: %d", steps, k);
    run(one, more);
    g_free(more);
    read_vectors(one, v);
    double loss = plain_loss(v, r, .7, .1);
    ck_assert_double_eq_tol(adl_harness_report(one, "m", "in-sample", "loss"), loss, 1e-5 * loss);
    ck_assert_double_eq_tol(((const double *)curve.data)[k], loss, 3e-5 * loss);
    ck_assert_double_lt(loss, last);
    ck_assert_double_ge(((const double *)curve.data)[k - 1], ((const double *)curve.data)[k]);
    last = loss;
  }
  ck_assert_double_lt(last, .8 * ((const double *)curve.data)[0]);
  g_free(v);
  g_free(r);
  adl_harness_free(h);
  adl_harness_free(one);
  g_free(csv);
}
END_TEST

/* Users of a block like its items, and are seen with 60 % of them; held out are all other pairs, of weight 0 where they do
 * not like it. */
START_TEST(planted_blocks) {
  enum { BLOCKS = 4, OF_BLOCK = 15 };
  GString *csv = g_string_new("u,i,w,held\n");
  for (int u = 0; u < BLOCKS * OF_BLOCK; u++)
    for (int i = 0; i < BLOCKS * OF_BLOCK; i++) {
      int likes = u % BLOCKS == i % BLOCKS;
      int seen = likes && adl_random_unit(9, (uint64_t)(u * 1000 + i)) < .6;
      g_string_append_printf(csv, "%d,%d,%d,%d\n", u, i, likes, !seen);
    }
  adl_harness *h = adl_harness_new(csv->str, "{u: id, i: id, w: int, held: int}");
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  adl_harness_run(h,
                  "  m: {use: als, user: u, item: i, weight: w, factors: 6, reg: 0.1, alpha: 5, score: s, top: 9}\n"
                  "  q: {use: ranking, group: u, relevance: w, score: s, k: [3]}\n",
                  "m");
  ASSERT_OK(h);
  ck_assert_double_gt(adl_harness_report(h, "q", "held-out", "ndcg@3"), .99);
  ck_assert_double_gt(adl_harness_report(h, "m", "in-sample", "recall@9"), .4);
  ck_assert_double_lt(adl_harness_report(h, "m", "in-sample", "recall@9"), 1);
  adl_harness_free(h);
  g_string_free(csv, TRUE);
}
END_TEST

/* Every user has all items of the block: the best scores are exactly their own. */
START_TEST(ranks_in_sample) {
  GString *csv = g_string_new("u,i\n");
  for (int u = 0; u < 20; u++)
    for (int i = 0; i < 5; i++) g_string_append_printf(csv, "%d,%d\n", u, i * 2 + u % 2);
  adl_harness *h = adl_harness_new(csv->str, "{u: id, i: id}");
  adl_harness_run(h, "  m: {use: als, user: u, item: i, factors: 4, top: 7}\n", "m");
  ASSERT_OK(h);
  ck_assert_double_eq(adl_harness_report(h, "m", "in-sample", "recall@7"), 1);
  ck_assert_double_eq(adl_harness_report(h, "m", "in-sample", "ndcg@7"), 1);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "users"), 20);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "items"), 10);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "interactions"), 100);
  /* A third of what they have, in a longer list of equals: one item each, of two. */
  adl_harness *one = adl_harness_new("u,i\n1,a\n2,b\n", "{u: id, i: id}");
  adl_harness_run(one, "  m: {use: als, user: u, item: i, factors: 2, top: 1}\n", "m");
  ASSERT_OK(one);
  ck_assert_double_eq(adl_harness_report(one, "m", "in-sample", "recall@1"), 1);
  adl_harness_free(one);
  adl_harness_free(h);
  g_string_free(csv, TRUE);
}
END_TEST

static const char small[] = "u,i,w\na,1,1\na,2,2\nb,2,1\nb,3,4\nc,1,1\nc,3,1\nd,4,2\nd,1,1\n";

static void assert_same_scores(adl_harness *a, adl_harness *b, double tolerance) {
  int64_t rows = adl_harness_rows(a);
  ck_assert_int_eq(rows, adl_harness_rows(b));
  for (int64_t row = 0; row < rows; row++)
    ck_assert_double_eq_tol(adl_harness_number(a, "s", row), adl_harness_number(b, "s", row), tolerance);
}

START_TEST(rows_of_a_pair_are_summed) {
  adl_harness *h = adl_harness_new(small, event_columns);
  run(h, "weight: w, factors: 3");
  /* The same in pieces, in another order; 0 says nothing. */
  adl_harness *g =
      adl_harness_new("u,i,w\nd,1,1\nb,3,1\nd,4,1.5\nb,3,3\na,2,1\nc,1,1\nb,2,1\na,2,1\na,1,1\nd,4,0.5\nc,3,1\n"
                      "a,3,0\nz,1,0\n",
                      event_columns);
  run(g, "weight: w, factors: 3");
  static const int same[8] = {8, 7, 6, 3, 5, 10, 2, 0};
  for (int row = 0; row < 8; row++)
    ck_assert_double_eq(adl_harness_number(h, "s", row), adl_harness_number(g, "s", same[row]));
  ck_assert_double_eq(adl_harness_number(g, "s", 12), 0); /* z was never seen */
  for (int j = 0; j < 3; j++) ck_assert_double_eq((double)vector_of(g, "taste", 12)[j], 0);
  ck_assert_double_ne(adl_harness_number(g, "s", 11), 0); /* a and 3 were, apart */
  ck_assert_double_eq(adl_harness_report(g, "m", "", "interactions"), 8);
  adl_harness_free(h);
  adl_harness_free(g);
}
END_TEST

START_TEST(order_of_rows_does_not_matter) {
  char *csv = random_events(EVENTS, USERS, ITEMS, false), *reversed = random_events(EVENTS, USERS, ITEMS, true);
  adl_harness *h = adl_harness_new(csv, event_columns), *g = adl_harness_new(reversed, event_columns);
  run(h, "weight: w, factors: 8");
  run(g, "weight: w, factors: 8");
  for (int row = 0; row < EVENTS; row++)
    ck_assert_double_eq(adl_harness_number(h, "s", row), adl_harness_number(g, "s", EVENTS - 1 - row));
  adl_harness_free(h);
  adl_harness_free(g);
  g_free(csv);
  g_free(reversed);
}
END_TEST

START_TEST(threads_and_memory_do_not_matter) {
  enum { MANY = 60000 };
  char *csv = random_events(MANY, 3000, 700, false), *first = NULL;
  static const int threads[] = {1, 3, 2};
  for (int i = 0; i < 3; i++) {
    adl_harness *h = adl_harness_new(csv, event_columns);
    adl_harness_threads(h, threads[i]);
    if (i == 2) adl_harness_memory(h, 1);
    adl_harness_run(h,
                    "  m: {use: als, user: u, item: i, weight: w, factors: 20, iterations: 3, score: s}\n"
                    "  p: {use: select, columns: [u, i, s]}\n"
                    "  out: {use: write-csv, path: out.csv}\n",
                    "m");
    ASSERT_OK(h);
    adl_harness_same_bytes(h, &first);
    adl_harness_free(h);
  }
  g_free(first);
  g_free(csv);
}
END_TEST

/* What is written in C alone finds the same, but for rounding. */
START_TEST(instructions_do_not_matter) {
  static const int factors[] = {3, 8, 24, 64, 90};
  char *csv = random_events(EVENTS, USERS, ITEMS, false);
  adl_harness *h = adl_harness_new(csv, event_columns), *g = adl_harness_new(csv, event_columns);
  for (size_t k = 0; k < sizeof factors / sizeof *factors; k++) {
    char *more = g_strdup_printf("weight: w, factors: %d, reg: 1, iterations: 5", factors[k]);
    run(h, more);
    ck_assert_int_eq(setenv("ADLOOM_SIMD", "portable", 1), 0);
    run(g, more);
    ck_assert_int_eq(unsetenv("ADLOOM_SIMD"), 0);
    assert_same_scores(h, g, 1e-4);
    ck_assert_double_eq_tol(adl_harness_report(h, "m", "in-sample", "loss"),
                            adl_harness_report(g, "m", "in-sample", "loss"), 1e-6);
    g_free(more);
  }
  adl_harness_free(h);
  adl_harness_free(g);
  g_free(csv);
}
END_TEST

START_TEST(loaded_models) {
  adl_harness *h = adl_harness_new(small, event_columns);
  run(h, "weight: w, factors: 3");
  char *made = g_strdup(adl_harness_run_directory(h));
  adl_harness *g = adl_harness_new("u,i\nd,1\nb,3\nnew,3\na,99\n", "{u: string, i: id}");
  adl_harness_models(g, made);
  run(g, "factors: 3");
  ck_assert_double_eq(adl_harness_number(g, "s", 0), adl_harness_number(h, "s", 7));
  ck_assert_double_eq(adl_harness_number(g, "s", 1), adl_harness_number(h, "s", 3));
  for (int j = 0; j < 3; j++) {
    ck_assert_double_eq((double)vector_of(g, "taste", 0)[j], (double)vector_of(h, "taste", 7)[j]);
    ck_assert_double_eq((double)vector_of(g, "taste", 2)[j], 0);
    ck_assert_double_eq((double)vector_of(g, "y", 2)[j], (double)vector_of(h, "y", 3)[j]);
    ck_assert_double_eq((double)vector_of(g, "y", 3)[j], 0);
  }
  ck_assert_double_eq(adl_harness_number(g, "s", 2), 0);
  ck_assert_double_eq(adl_harness_number(g, "s", 3), 0);
  adl_harness_run(g, "  m: {use: als, user: u, item: i, factors: 4}\n", "m");
  ck_assert(!adl_harness_ok(g));
  ck_assert_ptr_nonnull(strstr(adl_harness_errors(g), "the model is not one of 4 factors"));
  g_free(made);
  adl_harness_free(g);
  adl_harness_free(h);
}
END_TEST

/* The model has not seen u3 and u17; bags are of strings, where the items are numbers. */
START_TEST(new_users_from_their_history) {
  char *csv = random_events(EVENTS, USERS, ITEMS, false);
  double *r = random_matrix(EVENTS, USERS, ITEMS), expected[128];
  adl_harness *h = adl_harness_new(csv, event_columns), *all = adl_harness_new(csv, event_columns);
  static const char stages[] =
      "  f: {use: filter, from: rows, where: \"%s\"}\n"
      "  h: {use: group, from: f, by: u, columns: {past: \"bag(i, w)\"}}\n"
      "  j: {use: join, from: f, with: h, on: u, columns: [past]}\n"
      "  m: {use: als, from: j, user: u, item: i, weight: w, factors: 10, reg: 0.3, alpha: 1.5, item_as: y, score: s,\n"
      "      history: past}\n";
  char *some = g_strdup_printf(stages, "u not in ('u3', 'u17')"), *every = g_strdup_printf(stages, "true");
  adl_harness_run(h, some, "m");
  ASSERT_OK(h);
  adl_harness_models(all, adl_harness_run_directory(h));
  adl_harness_run(all, every, "m");
  ASSERT_OK(all);
  vectors *v = g_new(vectors, 1), *learned = g_new(vectors, 1);
  read_vectors(all, v);
  read_vectors(h, learned);
  for (int u = 0; u < USERS; u++) {
    ck_assert_int_eq(learned->user[u], u != 3 && u != 17);
    dense(v, false, r + u * ITEMS, 1, 1.5, .3, expected);
    for (int j = 0; j < 10; j++) {
      if (learned->user[u])
        ck_assert_double_eq(v->x[u][j], learned->x[u][j]);
      else
        ck_assert_double_eq_tol(v->x[u][j], expected[j], 1e-5);
    }
  }
  g_free(some);
  g_free(every);
  g_free(v);
  g_free(learned);
  g_free(r);
  adl_harness_free(h);
  adl_harness_free(all);
  g_free(csv);
}
END_TEST

START_TEST(odd_rows) {
  adl_harness *h = adl_harness_new("u,i,w\na,1,1\n,1,1\na,,1\na,1,\na,1,-2\na,1,nan\na,2,1e39\nb,1,1\n",
                                   "{u: string, i: id, w: float}");
  adl_harness_top(h, "max_rejects: 1\n");
  run(h, "weight: w, factors: 2");
  ck_assert_double_eq(adl_harness_report(h, "m", "", "interactions"), 2);
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, "m 3 u is null\n") != NULL, "%s", rejects);
  ck_assert_ptr_nonnull(strstr(rejects, "m 4 i is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "m 5 w is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "m 6 weight weight -2 is not a number from 0 to 3.4e38\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "m 7 w is NaN or infinite\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "m 8 weight weight 1e+39 is not a number from 0 to 3.4e38\n"));
  free(rejects);
  adl_harness_free(h);
  /* One row, and more factors than anything else. */
  h = adl_harness_new("u,i,w\na,1,1\n", event_columns);
  run(h, "factors: 50");
  ck_assert_double_gt(adl_harness_number(h, "s", 0), .9);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const struct {
    const char *csv, *parameters, *says;
  } cases[] = {
      {"u,i,w\n", "user: u, item: i", "there are no training rows of a weight above 0"},
      {"u,i,w\na,1,0\n", "user: u, item: i, weight: w", "there are no training rows of a weight above 0"},
      {"u,i,w\na,1,3e38\na,1,3e38\n", "user: u, item: i, weight: w", "add up to more than a float32 holds"},
      {"u,i,w\na,1,1e10\n", "user: u, item: i, weight: w, alpha: 1e6", "a confidence of 1e+16 is too large"},
      {small, "user: u", "item: is missing"},
      {small, "user: w, item: i", "user"},
      {small, "user: u, item: i, factors: 0", "factors: 0 is out of range"},
      {small, "user: u, item: i, reg: 0", "reg: 0 is out of range (0, inf)"},
      {small, "user: u, item: i, alpha: -1", "alpha: -1 is out of range"},
      {small, "user: u, item: i, history: u", "history"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf("  m: {use: als, %s}\n", cases[i].parameters);
    assert_refused(cases[i].csv, event_columns, stages, cases[i].says);
    g_free(stages);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("als");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, items_solve_the_normal_equations);
  tcase_add_loop_test(tcase, loss_falls_and_is_what_it_says, 0, 2);
  tcase_add_test(tcase, planted_blocks);
  tcase_add_test(tcase, ranks_in_sample);
  tcase_add_test(tcase, rows_of_a_pair_are_summed);
  tcase_add_test(tcase, order_of_rows_does_not_matter);
  tcase_add_test(tcase, threads_and_memory_do_not_matter);
  tcase_add_test(tcase, instructions_do_not_matter);
  tcase_add_test(tcase, loaded_models);
  tcase_add_test(tcase, new_users_from_their_history);
  tcase_add_test(tcase, odd_rows);
  tcase_add_test(tcase, refusals);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
