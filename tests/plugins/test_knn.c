/* knn on the real engine: similarities against numbers from elsewhere and against plain sums over dense matrices, scores,
 * held-out rows, threads, models, refusals. */
#include <math.h>

#include "tests/plugins/interactions.h"

static const char small[] = "u,i,w\na,x,1\na,y,2\nb,x,3\nb,y,1\nb,z,1\nc,y,1\nc,z,4\nd,w,1\nd,z,2\ne,v,1\na,x,1\n";
static const char small_columns[] = "{u: string, i: string, w: float}";

static void run(adl_harness *h, const char *more) {
  char *stages = g_strdup_printf("  m: {use: knn, user: u, item: i, score: s, %s}\n", more);
  adl_harness_run(h, stages, "m");
  ASSERT_OK(h);
  g_free(stages);
}

/* The bag of a row is these names and similarities. */
static void assert_nearest(adl_harness *h, int64_t row, const char *names, const double *similarities) {
  const adl_column *bags = adl_harness_column(h, "nearest");
  int32_t from = bags->offsets[row], count = bags->offsets[row + 1] - from;
  ck_assert_int_eq(count, (int)strlen(names));
  for (int k = 0; k < count; k++) {
    adl_text name = adl_text_at(bags, from + k);
    ck_assert_int_eq(name.size, 1);
    ck_assert_int_eq(name.data[0], names[k]);
    ck_assert_double_eq_tol((double)bags->weights[from + k], similarities[k], 1e-6);
  }
}

/* Numbers computed with numpy 1.24 in float64: R is the 5 x 5 matrix of summed weights, items by users, N = 5, n = (R >
 * 0).sum(0), L = R.sum(1); W is R, sqrt(R) (log((1 + N) / (1 + n)) + 1), or log(1 + (N - n + .5) / (n + .5)) R (k1 + 1) /
 * (R + k1 (1 - b + b L / L.mean())); the first two divided by their rows' norms; and then W @ W.T. */
static const struct {
  const char *parameters, *x, *y, *z;
  double of_w, of_x[2], of_y[2], of_z[3];
} known[] = {
    {"similarity: cosine",
     "yz",
     "xz",
     "ywx",
     .4364358,
     {.7925939, .1815683},
     {.7925939, .4454354},
     {.4454354, .4364358, .1815683}},
    {"similarity: tfidf",
     "yz",
     "xz",
     "wyx",
     .5468054,
     {.8244426, .2288148},
     {.8244426, .5413266},
     {.5468054, .5413266, .2288148}},
    {"similarity: bm25",
     "yz",
     "xz",
     "ywx",
     1.1818706,
     {1.6697016, .3039676},
     {1.6697016, 1.2668014},
     {1.2668014, 1.1818706, .3039676}},
    {"similarity: bm25, k1: 2, b: 0.3",
     "yz",
     "xz",
     "ywx",
     1.1770232,
     {2.0914932, .4202374},
     {2.0914932, 1.6092111},
     {1.6092111, 1.1770232, .4202374}},
};

START_TEST(known_answers) {
  adl_harness *h = adl_harness_new(small, small_columns);
  char *more = g_strdup_printf("weight: w, %s", known[_i].parameters);
  run(h, more);
  /* Rows: a has x and y, b x, y and z, c y and z, d w and z, e v. */
  assert_nearest(h, 0, known[_i].x, known[_i].of_x);
  assert_nearest(h, 1, known[_i].y, known[_i].of_y);
  assert_nearest(h, 4, known[_i].z, known[_i].of_z);
  assert_nearest(h, 7, "z", &known[_i].of_w);
  assert_nearest(h, 9, "", NULL);
  /* The item of the row itself is no neighbour of it. */
  ck_assert_double_eq_tol(adl_harness_number(h, "s", 0), known[_i].of_x[0], 1e-6);
  ck_assert_double_eq_tol(adl_harness_number(h, "s", 2), known[_i].of_x[0] + known[_i].of_x[1], 1e-6);
  ck_assert_double_eq_tol(adl_harness_number(h, "s", 7), known[_i].of_w, 1e-6);
  ck_assert_double_eq(adl_harness_number(h, "s", 9), 0);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "users"), 5);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "items"), 5);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "interactions"), 10);
  ck_assert_double_eq(adl_harness_report(h, "m", "", "items_without_neighbours"), 1);
  g_free(more);
  adl_harness_free(h);
}
END_TEST

START_TEST(so_many_neighbours) {
  adl_harness *h = adl_harness_new(small, small_columns);
  run(h, "weight: w, neighbours: 2");
  assert_nearest(h, 4, "yw", known[0].of_z);
  ck_assert_double_eq_tol(adl_harness_number(h, "s", 4), known[0].of_z[0], 1e-6); /* b has x, too, but it is third */
  run(h, "weight: w, neighbours: 1");
  assert_nearest(h, 0, "y", known[0].of_x);
  ck_assert_double_eq_tol(adl_harness_number(h, "s", 4), known[0].of_z[0], 1e-6);
  /* Equals: by their bytes. */
  adl_harness *g = adl_harness_new("u,i,w\n1,c,1\n1,b,1\n1,a,1\n1,d,1\n", small_columns);
  static const double ones[] = {1, 1};
  run(g, "neighbours: 2");
  assert_nearest(g, 0, "ab", ones);
  assert_nearest(g, 2, "bc", ones);
  adl_harness_free(g);
  adl_harness_free(h);
}
END_TEST

enum { EVENTS = 4000, USERS = 90, ITEMS = 60, MOST = 7 };

/* Dense sums in another order. */
START_TEST(plain_computation) {
  char *csv = random_events(EVENTS, USERS, ITEMS, false);
  double *r = random_matrix(EVENTS, USERS, ITEMS), norm[ITEMS] = {0};
  adl_harness *h = adl_harness_new(csv, event_columns);
  run(h, "weight: w, neighbours: 7");
  for (int i = 0; i < ITEMS; i++)
    for (int u = 0; u < USERS; u++) norm[i] += r[u * ITEMS + i] * r[u * ITEMS + i];
  const adl_column *bags = adl_harness_column(h, "nearest");
  for (int64_t row = 0; row < EVENTS; row += 7) {
    char *name = adl_harness_text(h, "u", row), *text = adl_harness_text(h, "i", row);
    int user = atoi(name + 1), item = atoi(text), from = bags->offsets[row];
    double similarity[ITEMS] = {0}, score = 0;
    for (int j = 0; j < ITEMS; j++)
      for (int u = 0; u < USERS && j != item && norm[j] > 0; u++)
        similarity[j] += r[u * ITEMS + item] * r[u * ITEMS + j] / sqrt(norm[item] * norm[j]);
    ck_assert_int_eq(bags->offsets[row + 1] - from, MOST);
    for (int k = 0; k < MOST; k++) {
      adl_text of = adl_text_at(bags, from + k);
      int best = 0, given = 0;
      for (int32_t c = 0; c < of.size; c++) given = given * 10 + of.data[c] - '0';
      for (int j = 1; j < ITEMS; j++)
        if (similarity[j] > similarity[best]) best = j;
      ck_assert_double_eq_tol((double)bags->weights[from + k], similarity[best], 1e-6);
      ck_assert_double_eq_tol(similarity[given], similarity[best], 1e-6);
      if (r[user * ITEMS + given] > 0) score += similarity[given];
      similarity[given] = 0;
    }
    ck_assert_double_eq_tol(adl_harness_number(h, "s", row), score, 1e-5);
    free(name);
    free(text);
  }
  g_free(r);
  adl_harness_free(h);
  g_free(csv);
}
END_TEST

/* Users of a block like its items, and are seen with 60 % of them; the rest, and what they do not like, is held out. */
START_TEST(held_out_rows) {
  static const char *const similarity[] = {"cosine", "tfidf", "bm25"};
  GString *csv = g_string_new("u,i,w,held\n");
  for (int u = 0; u < 60; u++)
    for (int i = 0; i < 60; i++) {
      int likes = u % 4 == i % 4, seen = likes && adl_random_unit(9, (uint64_t)(u * 1000 + i)) < .6;
      g_string_append_printf(csv, "%d,%d,%d,%d\n", u, i, likes, !seen);
    }
  adl_harness *h = adl_harness_new(csv->str, "{u: id, i: id, w: int, held: int}");
  adl_harness_source(h, "holdout: {where: \"held = 1\"}");
  char *stages = g_strdup_printf("  m: {use: knn, user: u, item: i, weight: w, score: s, similarity: %s}\n"
                                 "  q: {use: ranking, group: u, relevance: w, score: s, k: [3]}\n",
                                 similarity[_i]);
  adl_harness_run(h, stages, "m");
  ASSERT_OK(h);
  ck_assert_double_gt(adl_harness_report(h, "q", "held-out", "ndcg@3"), .99);
  g_free(stages);
  adl_harness_free(h);
  g_string_free(csv, TRUE);
}
END_TEST

START_TEST(threads_memory_and_order_do_not_matter) {
  enum { MANY = 60000 };
  char *csv[2] = {random_events(MANY, 3000, 700, false), random_events(MANY, 3000, 700, true)}, *first = NULL;
  static const int threads[] = {1, 3, 2, 2};
  adl_harness *forward = NULL;
  for (int i = 0; i < 4; i++) {
    adl_harness *h = adl_harness_new(csv[i == 3], event_columns);
    adl_harness_threads(h, threads[i]);
    if (i == 2) adl_harness_memory(h, 1);
    adl_harness_run(h,
                    "  m: {use: knn, user: u, item: i, weight: w, similarity: bm25, score: s}\n"
                    "  out: {use: write-jsonl, path: out.jsonl}\n",
                    "m");
    ASSERT_OK(h);
    char *digest = adl_harness_digest(h);
    if (first == NULL) first = g_strdup(digest);
    if (i < 3) ck_assert_str_eq(digest, first);
    for (int row = 0; i == 3 && row < MANY; row++)
      ck_assert_double_eq(adl_harness_number(h, "s", MANY - 1 - row), adl_harness_number(forward, "s", row));
    free(digest);
    if (i == 0)
      forward = h;
    else
      adl_harness_free(h);
  }
  adl_harness_free(forward);
  g_free(first);
  g_free(csv[0]);
  g_free(csv[1]);
}
END_TEST

START_TEST(loaded_models) {
  adl_harness *h = adl_harness_new(small, small_columns);
  run(h, "weight: w");
  adl_harness *g = adl_harness_new("u,i\nb,x\nd,y\nnobody,z\na,nothing\n", "{u: string, i: string}");
  adl_harness_models(g, adl_harness_run_directory(h));
  run(g, "neighbours: 20");
  assert_nearest(g, 0, "yz", known[0].of_x);
  assert_nearest(g, 2, "ywx", known[0].of_z);
  assert_nearest(g, 3, "", NULL);
  ck_assert_double_eq(adl_harness_number(g, "s", 0), adl_harness_number(h, "s", 2));
  ck_assert_double_eq_tol(adl_harness_number(g, "s", 1), known[0].of_y[1], 1e-6);
  ck_assert_double_eq(adl_harness_number(g, "s", 2), 0);
  ck_assert_double_eq(adl_harness_number(g, "s", 3), 0);
  adl_harness_free(g);
  adl_harness_free(h);
}
END_TEST

START_TEST(odd_rows) {
  adl_harness *h =
      adl_harness_new("u,i,w\na,x,1e-38\n,x,1\na,,1\na,x,\na,y,-2\na,y,nan\nb,y,0\na,y,3e38\n", small_columns);
  adl_harness_top(h, "max_rejects: 1\n");
  static const double one = 1;
  run(h, "weight: w");
  ck_assert_double_eq(adl_harness_report(h, "m", "", "interactions"), 2);
  assert_nearest(h, 0, "y", &one); /* however small and large, one user is all there is of both */
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, "m 3 u is null\n") != NULL, "%s", rejects);
  ck_assert_ptr_nonnull(strstr(rejects, "m 4 i is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "m 5 w is null\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "m 6 weight weight -2 is not a number from 0 to 3.4e38\n"));
  ck_assert_ptr_nonnull(strstr(rejects, "m 7 w is NaN or infinite\n"));
  free(rejects);
  adl_harness_free(h);
  h = adl_harness_new("u,i,w\na,x,1\n", small_columns);
  run(h, "neighbours: 5");
  assert_nearest(h, 0, "", NULL);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const struct {
    const char *csv, *parameters, *says;
  } cases[] = {
      {"u,i,w\n", "user: u, item: i", "there are no training rows of a weight above 0"},
      {"u,i,w\na,1,0\n", "user: u, item: i, weight: w", "there are no training rows of a weight above 0"},
      {small, "item: i", "user: is missing"},
      {small, "user: u, item: w", "item"},
      {small, "user: u, item: i, neighbours: 0", "neighbours: 0 is out of range"},
      {small, "user: u, item: i, b: 1.5", "b: 1.5 is out of range [0, 1]"},
      {small, "user: u, item: i, similarity: jaccard", "jaccard"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf("  m: {use: knn, %s}\n", cases[i].parameters);
    assert_refused(cases[i].csv, small_columns, stages, cases[i].says);
    g_free(stages);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("knn");
  TCase *tcase = tcase_create("on the engine");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, known_answers, 0, 4);
  tcase_add_test(tcase, so_many_neighbours);
  tcase_add_test(tcase, plain_computation);
  tcase_add_loop_test(tcase, held_out_rows, 0, 3);
  tcase_add_test(tcase, threads_memory_and_order_do_not_matter);
  tcase_add_test(tcase, loaded_models);
  tcase_add_test(tcase, odd_rows);
  tcase_add_test(tcase, refusals);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
