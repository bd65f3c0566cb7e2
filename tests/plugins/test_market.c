/* The simulated market: the same world gives the same bytes, its logs look like logs, and
 * market-truth tells the probabilities with which the clicks were drawn. */
#include <math.h>

#include "tests/plugins/market.h"

/* ---------------------------------------------------------------------------------------------------- bytes ---- */

static const char *const tables[] = {"impressions", "users", "items", "ads", "browse", "searches", "purchases"};
enum { TABLES = sizeof tables / sizeof tables[0] };

static char *all_tables(const char *world) {
  GString *text = g_string_new(NULL);
  for (int i = 0; i < TABLES; i++)
    g_string_append_printf(
        text,
        "  %s: {use: market, table: %s, rows: 30000, users: 3000, dirty: 0.02, duplicates: 0.03, %s}\n"
        "  write_%s: {use: write-csv, path: %s.csv}\n",
        tables[i], tables[i], world, tables[i], tables[i]);
  return g_string_free(text, FALSE);
}

static char *digest_of(const char *world, const char *top, int threads) {
  adl_harness *h = new_harness();
  adl_harness_threads(h, threads);
  char *lines = g_strdup_printf("max_rejects: 0.1\n%s", top), *stages = all_tables(world);
  adl_harness_top(h, lines);
  run(h, NULL, "%s", stages);
  char *digest = adl_harness_digest(h);
  g_free(lines);
  g_free(stages);
  adl_harness_free(h);
  return digest;
}

START_TEST(a_world_is_a_function_of_its_parameters) {
  char *one = digest_of("world: 5", "", 1), *three = digest_of("world: 5", "", 3);
  char *seeded = digest_of("world: 5", "seed: 99\n", 3);
  ck_assert_str_eq(one, three);
  ck_assert_str_eq(one, seeded);
  static const char *const others[] = {"world: 6", "world: 5, ads: 201", "world: 5, days: 27",
                                       "world: 5, catalogue: education", "world: 5, start: 2024-03-02"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    char *other = digest_of(others[i], "", 3);
    ck_assert_msg(strcmp(one, other) != 0, "%s makes no difference", others[i]);
    free(other);
  }
  free(one);
  free(three);
  free(seeded);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- the truth ---- */

typedef struct deviation {
  double clicks, expected, variance;
} deviation;

static void add(deviation *d, bool clicked, double p) {
  d->clicks += clicked;
  d->expected += p;
  d->variance += p * (1 - p);
}

static void assert_near(const deviation *d, const char *what) {
  double off = (d->clicks - d->expected) / sqrt(d->variance);
  ck_assert_msg(d->expected > 100, "%s: only %g clicks are expected", what, d->expected);
  ck_assert_msg(fabs(off) < 4, "%s: %g clicks, %g expected, %g standard errors off", what, d->clicks, d->expected, off);
}

START_TEST(truth_is_calibrated) {
  static const char *const worlds[] = {"world: 1", "world: 2, catalogue: education, start: 2025-06-30T09:30:00Z",
                                       "world: 3, users: 50, ads: 21, items: 20, days: 3"};
  adl_harness *h = new_harness();
  run(h, "truth",
      "  log: {use: market, table: impressions, rows: 300000, dirty: 0, duplicates: 0, %s}\n"
      "  truth: {use: market-truth, user: user, ad: ad, position: position, at: at, device: device, %s}\n",
      worlds[_i], worlds[_i]);
  int64_t rows = adl_harness_rows(h);
  ck_assert_int_eq(rows, 300000);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  const adl_column *clicked = adl_harness_column(h, "clicked"), *p = adl_harness_column(h, "p_true"),
                   *position = adl_harness_column(h, "position"), *at = adl_harness_column(h, "at"),
                   *device = adl_harness_column(h, "device");
  deviation all = {0}, by_position[4] = {{0}}, by_day[2] = {{0}}, high = {0}, mobile = {0};
  for (int64_t row = 0; row < rows; row++) {
    double probability = adl_number_at(p, row);
    bool click = bool_at(clicked, row);
    ck_assert(probability > 0 && probability < 1);
    add(&all, click, probability);
    add(&by_position[(int)adl_number_at(position, row) - 1], click, probability);
    int64_t hour = ((const int64_t *)at->data)[row] / INT64_C(3600000000) % 24;
    add(&by_day[hour >= 19], click, probability);
    if (probability > 0.05) add(&high, click, probability);
    if (adl_text_at(device, row).data[0] == 'm') add(&mobile, click, probability);
  }
  assert_near(&all, "all rows");
  assert_near(&high, "p above 0.05");
  assert_near(&mobile, "mobile");
  assert_near(&by_day[0], "by day");
  assert_near(&by_day[1], "in the evening");
  static const char *const positions[] = {"position 1", "position 2", "position 3", "position 4"};
  for (int i = 0; i < 4; i++) assert_near(&by_position[i], positions[i]);
  double ctr = all.clicks / (double)rows;
  ck_assert_msg(ctr > 0.018 && ctr < 0.022, "the CTR is %g", ctr);
  adl_harness_free(h);
}
END_TEST

/* Log odds of p_true for one user and ad where position, moment and device are as given. */
static double odds(adl_harness *h, int64_t row) {
  double p = adl_harness_number(h, "p_true", row);
  return log(p / (1 - p));
}

START_TEST(truth_has_defaults) {
  adl_harness *h = adl_harness_new("user,ad,position,at,device\n"
                                   "u0000007,a000001,1,2024-03-05T22:10:00Z,mobile\n"
                                   "u0000007,a000001,2,2024-03-05T22:10:00Z,mobile\n"
                                   "u0000007,a000001,9,2024-03-05T22:10:00Z,desktop\n"
                                   "u0000007,a000001,1,2024-03-06T06:00:00Z,mobile\n",
                                   "{user: id, ad: id, position: int, at: timestamp, device: string}");
  run(h, "t", "  t: {use: market-truth, user: user, ad: ad, position: position, at: at, device: device}\n");
  double full = odds(h, 0);
  ck_assert_double_eq_tol(odds(h, 1) - full, -0.35, 1e-4); /* docs/market.md */
  ck_assert_double_eq_tol(odds(h, 2) - full, -0.8 - 0.25, 1e-4);
  ck_assert_double_gt(full - odds(h, 3), 0.3); /* in the evening, on the day before */
  run(h, "t", "  t: {use: market-truth, user: user, ad: ad, at: at}\n");
  ck_assert_double_eq_tol(odds(h, 1), odds(h, 0), 1e-9);
  run(h, "t", "  t: {use: market-truth, user: user, ad: ad, device: device, interest: likes}\n");
  ck_assert_double_eq_tol(odds(h, 3), odds(h, 0), 1e-9);
  ck_assert_double_eq_tol(odds(h, 2) - odds(h, 0), -0.25, 1e-4);
  ck_assert_double_lt(fabs(odds(h, 0) - full), 1);
  char *likes = adl_harness_text(h, "likes", 0);
  run(h, "t", "  t: {use: market-truth, user: user, interest: likes}\n");
  for (int64_t row = 0; row < 4; row++) {
    char *again = adl_harness_text(h, "likes", row);
    ck_assert_str_eq(again, likes);
    free(again);
  }
  free(likes);
  adl_harness_free(h);
}
END_TEST

START_TEST(truth_rejects_what_is_not_of_its_world) {
  adl_harness *h = adl_harness_new("user,ad,position,at,device\n"
                                   "u0000000,a000000,1,2024-03-01,mobile\n"
                                   "u0020000,a000000,1,2024-03-01,mobile\n"
                                   "u000000a,a000000,1,2024-03-01,mobile\n"
                                   "7,a000000,1,2024-03-01,mobile\n"
                                   ",a000000,1,2024-03-01,mobile\n"
                                   "u0019999,a000200,1,2024-03-01,mobile\n"
                                   "u0019999,a000199,0,2024-03-01,mobile\n"
                                   "u0019999,a000199,1,2024-02-29T23:59:59Z,mobile\n"
                                   "u0019999,a000199,1,2024-03-29,mobile\n"
                                   "u0019999,a000199,1,2024-03-28T23:59:59Z,watch\n",
                                   "{user: id, ad: id, position: int, at: timestamp, device: string}");
  adl_harness_top(h, "max_rejects: 1\n");
  run(h, "t", "  t: {use: market-truth, user: user, ad: ad, position: position, at: at, device: device}\n");
  ck_assert_int_eq(adl_harness_rows(h), 1);
  char *rejects = adl_harness_rejects(h);
  static const char *const reasons[] = {"no user \"u0020000\"", "no user \"u000000a\"", "no user \"7\"",
                                        "no ad \"a000200\"",    "no position 0",        "not within the 28 days",
                                        "\"watch\" is not"};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    ck_assert_msg(strstr(rejects, reasons[i]) != NULL, "%s\nlacks: %s", rejects, reasons[i]);
  free(rejects);
  adl_harness_free(h);
}
END_TEST

/* ------------------------------------------------------------------------------------------------ what it is like ---- */

static int falling(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left < right) - (left > right);
}

/* How often each of `all` ids comes, most often first; g_free it. */
static double *counts_of(adl_harness *h, const char *name, int64_t all) {
  const adl_column *column = adl_harness_column(h, name);
  double *counts = g_new0(double, all);
  for (int64_t row = 0; row < column->rows; row++) {
    ck_assert_int_lt(id_of(column, row), all);
    counts[id_of(column, row)]++;
  }
  qsort(counts, (size_t)all, sizeof *counts, falling);
  return counts;
}

static double share_of_first(const double *counts, int64_t first, int64_t all) {
  double some = 0, sum = 0;
  for (int64_t i = 0; i < all; i++) sum += counts[i], some += i < first ? counts[i] : 0;
  return some / sum;
}

/* Least squares of log count by log rank: about -1 / alpha for counts by Pareto's law. */
static double slope_of(const double *counts, int64_t from, int64_t to) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (int64_t i = from; i < to; i++) {
    double u = log((double)i + 1), v = log(counts[i]);
    n++, x += u, y += v, xx += u * u, xy += u * v;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

START_TEST(popularity_is_a_power_law) {
  enum { USERS = 5000, ADS = 200, ITEMS = 2000 };
  adl_harness *h = new_harness();
  run(h, "log", "  log: {use: market, table: impressions, rows: 200000, users: 5000, dirty: 0, duplicates: 0}\n");
  double *users = counts_of(h, "user", USERS), *ads = counts_of(h, "ad", ADS);
  double top = share_of_first(users, USERS / 100, USERS), slope = slope_of(users, 10, 1000);
  ck_assert_msg(top > 0.1 && top < 0.5, "the first hundredth of the users has %g of the rows", top);
  ck_assert_msg(slope < -0.65 && slope > -1.1, "rank and size of users: %g", slope); /* -1 / 1.2 */
  int64_t repeat = 0, any = 0;
  for (int64_t i = 0; i < USERS; i++) any += users[i] > 0, repeat += users[i] > 4; /* more than one request */
  ck_assert_int_gt(any, USERS * 9 / 10);
  ck_assert_int_gt(repeat, any * 3 / 4);
  ck_assert_double_gt(ads[ADS - 1], 0); /* the policy shows every ad */
  ck_assert_double_gt(share_of_first(ads, ADS / 10, ADS), 0.3);
  g_free(users);
  g_free(ads);
  run(h, "log", "  log: {use: market, table: browse, rows: 200000, users: 5000, dirty: 0, duplicates: 0}\n");
  ck_assert_int_eq(adl_harness_rows(h), 100000);
  double *items = counts_of(h, "item", ITEMS);
  slope = slope_of(items, 10, 500);
  ck_assert_msg(slope < -0.65 && slope > -1.2, "rank and size of items: %g", slope); /* -1 / 1.1 */
  g_free(items);
  adl_harness_free(h);
}
END_TEST

static int64_t time_at(const adl_column *column, int64_t row) { return ((const int64_t *)column->data)[row]; }

/* Times rise and lie within the days, users are registered, ads have begun, positions count within a request, and no ad
 * comes twice in one. */
START_TEST(impressions_are_in_order) {
  adl_harness *h = new_harness();
  run(h, "with",
      "  users: {use: market, table: users, days: 10}\n"
      "  ads: {use: market, table: ads, days: 10}\n"
      "  log: {use: market, table: impressions, rows: 50000, days: 10, dirty: 0, duplicates: 0}\n"
      "  with_user: {use: join, with: users, on: user, columns: [registered, gender, city], missing: reject}\n"
      "  with: {use: join, with: ads, on: ad, columns: [begins, target_gender, target_city], missing: reject}\n");
  const adl_column *at = adl_harness_column(h, "at"), *user = adl_harness_column(h, "user"),
                   *ad = adl_harness_column(h, "ad"), *position = adl_harness_column(h, "position"),
                   *registered = adl_harness_column(h, "registered"), *begins = adl_harness_column(h, "begins"),
                   *clicked = adl_harness_column(h, "clicked"), *purchased = adl_harness_column(h, "purchased");
  const char *const targets[2][2] = {{"target_gender", "gender"}, {"target_city", "city"}};
  int64_t start = INT64_C(1709251200000000), clicks = 0, bought = 0; /* 2024-03-01 */
  ck_assert_int_eq(adl_harness_rows(h), 50000);
  for (int64_t row = 0; row < 50000; row++) {
    ck_assert(time_at(at, row) >= start && time_at(at, row) < start + 10 * INT64_C(86400000000));
    ck_assert_int_ge(time_at(at, row), time_at(registered, row));
    ck_assert_int_ge(time_at(at, row), time_at(begins, row));
    int64_t here = time_at(position, row);
    ck_assert(here >= 1 && here <= 4);
    ck_assert(!bool_at(purchased, row) || bool_at(clicked, row));
    clicks += bool_at(clicked, row);
    bought += bool_at(purchased, row);
    if (row == 0) continue;
    ck_assert_int_ge(time_at(at, row), time_at(at, row - 1));
    ck_assert(here == 1 || (here == time_at(position, row - 1) + 1 && time_at(at, row) == time_at(at, row - 1) &&
                            id_of(user, row) == id_of(user, row - 1)));
    for (int64_t back = 1; back < here; back++) ck_assert_int_ne(id_of(ad, row), id_of(ad, row - back));
  }
  ck_assert(bought > clicks / 50 && bought < clicks / 4);
  int targeted = 0;
  for (int i = 0; i < 2; i++) {
    const adl_column *wanted = adl_harness_column(h, targets[i][0]), *is = adl_harness_column(h, targets[i][1]);
    for (int64_t row = 0; row < 50000; row++) {
      if (adl_is_null(wanted, row)) continue;
      adl_text a = adl_text_at(wanted, row), b = adl_text_at(is, row);
      ck_assert(!adl_is_null(is, row) && a.size == b.size && memcmp(a.data, b.data, (size_t)a.size) == 0);
      targeted++;
    }
  }
  ck_assert_int_gt(targeted, 500);
  adl_harness_free(h);
}
END_TEST

/* Share of the rows in which two columns of text are equal. */
static double agreement(adl_harness *h, const char *one, const char *other) {
  const adl_column *a = adl_harness_column(h, one), *b = adl_harness_column(h, other);
  double same = 0;
  for (int64_t row = 0; row < a->rows; row++) {
    adl_text x = adl_text_at(a, row), y = adl_text_at(b, row);
    same += x.size == y.size && memcmp(x.data, y.data, (size_t)x.size) == 0;
  }
  return same / (double)a->rows;
}

/* How often the user's main interest is the one that most users with the same query have. */
static double told_by_query(adl_harness *h) {
  GHashTable *both = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GHashTable *most = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  int64_t rows = adl_harness_rows(h), sum = 0;
  for (int64_t row = 0; row < rows; row++) {
    char *query = adl_harness_text(h, "query", row), *likes = adl_harness_text(h, "likes", row);
    char *pair = g_strconcat(query, "|", likes, NULL);
    gsize count = GPOINTER_TO_SIZE(g_hash_table_lookup(both, pair)) + 1;
    g_hash_table_insert(both, pair, GSIZE_TO_POINTER(count));
    if (count > GPOINTER_TO_SIZE(g_hash_table_lookup(most, query)))
      g_hash_table_insert(most, g_strdup(query), GSIZE_TO_POINTER(count));
    free(query);
    free(likes);
  }
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, most);
  while (g_hash_table_iter_next(&iter, NULL, &value)) sum += (int64_t)GPOINTER_TO_SIZE(value);
  g_hash_table_destroy(both);
  g_hash_table_destroy(most);
  return (double)sum / (double)rows;
}

START_TEST(hidden_interests_show) {
  static const char *const logs[] = {"browse", "purchases"};
  adl_harness *h = new_harness();
  for (int i = 0; i < 2; i++) {
    run(h, "told",
        "  items: {use: market, table: items}\n"
        "  log: {use: market, table: %s, rows: 200000, dirty: 0, duplicates: 0}\n"
        "  with: {use: join, with: items, on: item, columns: [category], missing: reject}\n"
        "  told: {use: market-truth, user: user, interest: likes}\n",
        logs[i]);
    double same = agreement(h, "category", "likes"); /* the main interest has 0.5 to 0.8 of a user's mind */
    ck_assert_msg(same > 0.6 && same < 0.7, "%s: %g of the items are of the main interest", logs[i], same);
  }
  run(h, "told",
      "  log: {use: market, table: searches, rows: 200000, dirty: 0, duplicates: 0}\n"
      "  told: {use: market-truth, user: user, interest: likes}\n");
  double told = told_by_query(h);
  ck_assert_msg(told > 0.6, "queries tell %g of the interests", told);
  run(h, "told",
      "  users: {use: market, table: users}\n"
      "  told: {use: market-truth, user: user, interest: likes}\n");
  double women[2] = {0}, all[2] = {0}, unknown = 0;
  for (int64_t row = 0; row < adl_harness_rows(h); row++) {
    char *likes = adl_harness_text(h, "likes", row), *gender = adl_harness_text(h, "gender", row);
    int which = strcmp(likes, "beauty") == 0 ? 0 : strcmp(likes, "electronics") == 0 ? 1 : -1;
    bool null = adl_harness_null(h, "gender", row);
    unknown += null;
    if (which >= 0 && !null) all[which]++, women[which] += gender[0] == 'f';
    free(likes);
    free(gender);
  }
  ck_assert_double_gt(women[0] / all[0], 0.75);
  ck_assert_double_lt(women[1] / all[1], 0.4);
  ck_assert(unknown > 1000 && unknown < 2500);
  adl_harness_free(h);
}
END_TEST

/* -------------------------------------------------------------------------------------------- sizes and models ---- */

START_TEST(small_logs) {
  static const int rows[] = {0, 1, 11, 12, 13, 3000, 3001};
  adl_harness *h = new_harness();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (int t = 0; t < TABLES; t++) {
      run(h, "log", "  log: {use: market, table: %s, rows: %d, users: 1, items: 20, ads: 20, days: 1}\n", tables[t],
          rows[i]);
      double records = told(h, "records");
      ck_assert_double_eq((double)adl_harness_rows(h) + (double)adl_harness_rejected(h), records);
      if (t == 0) ck_assert(records >= rows[i] && records <= rows[i] + 6);
    }
  adl_harness_free(h);
}
END_TEST

/* The pipeline of docs/market.md: what is hidden can be learned, and no model knows more than the truth. */
START_TEST(models_come_near_the_truth) {
  char *path = g_build_filename(g_getenv("ADLOOM_SRC"), "docs", "market.md", NULL), *text = NULL;
  ck_assert_msg(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
  char *from = strstr(text, "x-world:"), *stages = strstr(text, "stages:\n"), *end = strstr(stages, "```");
  ck_assert(from != NULL && stages != NULL && end != NULL);
  *end = '\0';
  adl_harness *h = new_harness();
  char *top = g_strndup(from, (gsize)(stages - from));
  adl_harness_top(h, top);
  run(h, NULL, "%s", stages + strlen("stages:\n"));
  double model = adl_harness_report(h, "quality", "held-out", "auc"),
         truth = adl_harness_report(h, "limit", "held-out", "auc"),
         model_loss = adl_harness_report(h, "quality", "held-out", "normalised_entropy"),
         truth_loss = adl_harness_report(h, "limit", "held-out", "normalised_entropy");
  ck_assert_msg(model > 0.65 && model < truth && truth < 0.85, "AUC of the model %g, of the truth %g", model, truth);
  ck_assert_msg(truth_loss < model_loss && model_loss < 1, "entropy of the model %g, of the truth %g", model_loss,
                truth_loss);
  g_free(top);
  g_free(text);
  g_free(path);
  adl_harness_free(h);
}
END_TEST

/* The source says what its content is, so that models behind it are kept; another world is another content. */
START_TEST(models_behind_it_are_kept) {
  static const struct {
    const char *world;
    bool fitted;
  } runs[] = {{"world: 1", true}, {"world: 1", false}, {"world: 2", true}, {"world: 1, rows: 901", true}};
  adl_harness *h = new_harness();
  adl_harness_store(h, true);
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
    run(h, NULL,
        "  log: {use: market, table: impressions, users: 500, dirty: 0, %s%s}\n"
        "  s: {use: scale, columns: [position], as: z}\n",
        runs[i].world, strstr(runs[i].world, "rows") != NULL ? "" : ", rows: 900");
    char *manifest = adl_harness_read(h, "manifest.json");
    bool fitted = strstr(manifest, "\"fitted_in_this_run\" : true") != NULL;
    ck_assert_msg(fitted == runs[i].fitted, "%zu: %s", i, manifest);
    g_free(manifest);
  }
  adl_harness_free(h);
}
END_TEST

/* -------------------------------------------------------------------------------------------------- refusals ---- */

START_TEST(refuses) {
  static const struct {
    const char *stages, *words;
  } cases[] = {
      {"  a: {use: market}\n", "a.table: is missing"},
      {"  a: {use: market, table: clicks}\n", "is not one of impressions, users"},
      {"  a: {use: market, table: ads, ads: 10}\n", "a.ads: 10 is out of range"},
      {"  a: {use: market, table: ads, dirty: 0.6}\n", "a.dirty: 0.6 is out of range"},
      {"  a: {use: market, table: ads, start: yesterday}\n", "a.start: \"yesterday\" is not a date or timestamp"},
      {"  a: {use: market, table: ads, start: 1975-01-01}\n", "a.start: 1975-01-01 is not between 1980 and 2100"},
      {"  a: {use: market-truth, user: user}\n", "there is nothing to tell"},
      {"  a: {use: market-truth, user: user, interest: i, position: n}\n", "a.position: without an ad"},
      {"  a: {use: market-truth, user: user, ad: user, start: 1}\n", "a.start: \"1\" is not a date"},
      {"  a: {use: market-truth, user: n, ad: user}\n", "column `n` is int64"},
  };
  assert_refused("user,n\nu0000000,1\n", "{user: id, n: int}", cases[_i].stages, cases[_i].words);
}
END_TEST

enum { REFUSALS = 10 };

#define LEARNED "stands behind `truth` (market-truth), which is for judging only"

/* What learns may not stand behind the truth, by any way; what measures, chooses, joins, sums up or writes may. */
START_TEST(only_judges_stand_behind_the_truth) {
  adl_harness *h = new_harness();
  adl_harness_top(h, "x-log: &log {use: market, table: impressions, rows: 2000, dirty: 0}\n");
  run(h, NULL,
      "  log: {<<: *log, holdout: {newest: 0.5, by: at}}\n"
      "  x: {use: hash, columns: [user, ad], as: x}\n"
      "  p: {use: ftrl, features: [x], label: clicked, as: p}\n"
      "  truth: {use: market-truth, user: user, ad: ad, at: at}\n"
      "  quality: {use: metrics, label: clicked, score: p_true}\n"
      "  best: {use: filter, from: truth, where: p_true > 0.02}\n"
      "  sums: {use: group, by: user, columns: {mean: mean(p_true)}}\n"
      "  joined: {use: join, from: p, with: sums, on: user}\n"
      "  written: {use: write-csv, path: joined.csv}\n");
  char *models = g_strdup(adl_harness_run_directory(h));
  static const char *const refused[] = {
      "  truth: {use: market-truth, from: log, user: user, ad: ad}\n  a: {use: kmeans, features: [p_true], clusters: "
      "2}\n",
      "  truth: {use: market-truth, from: log, user: user, ad: ad}\n  s: {use: filter, where: p_true > 0}\n"
      "  a: {use: kmeans, features: [position], clusters: 2}\n",
      "  truth: {use: market-truth, from: log, user: user, ad: ad}\n  s: {use: group, by: user, columns: {n: "
      "count()}}\n"
      "  j: {use: join, from: log, with: s, on: user}\n  a: {use: ftrl, features: [position], label: clicked}\n",
      "  truth: {use: market-truth, from: log, user: user, ad: ad, holdout: {fraction: 0.5}}\n"
      "  s: {use: select, from: [truth, truth], columns: [at, position]}\n  a: {use: scale, columns: [position]}\n"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    char *stages = g_strconcat("  log: *log\n", refused[i], NULL);
    adl_harness_run(h, stages, NULL);
    ck_assert_msg(strstr(adl_harness_errors(h), LEARNED) != NULL, "case %zu: %s", i, adl_harness_errors(h));
    g_free(stages);
  }
  /* A model that learned elsewhere learns nothing here. */
  run(h, "p",
      "  log: *log\n  truth: {use: market-truth, user: user, ad: ad}\n"
      "  x: {use: hash, columns: [user, ad], as: x}\n"
      "  p: {use: ftrl, features: [x], label: clicked, as: p, model: %s}\n",
      models);
  g_free(models);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("market");
  TCase *bytes = tcase_create("bytes"), *truth = tcase_create("truth"), *likeness = tcase_create("likeness"),
        *sizes = tcase_create("sizes"), *refusals = tcase_create("refusals");
  TCase *const cases[] = {bytes, truth, likeness, sizes, refusals};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tcase_set_timeout(cases[i], 120);
    suite_add_tcase(suite, cases[i]);
  }
  tcase_add_test(bytes, a_world_is_a_function_of_its_parameters);
  tcase_add_test(bytes, models_behind_it_are_kept);
  tcase_add_loop_test(truth, truth_is_calibrated, 0, 3);
  tcase_add_test(truth, truth_has_defaults);
  tcase_add_test(truth, truth_rejects_what_is_not_of_its_world);
  tcase_add_test(likeness, models_come_near_the_truth);
  tcase_add_test(likeness, popularity_is_a_power_law);
  tcase_add_test(likeness, impressions_are_in_order);
  tcase_add_test(likeness, hidden_interests_show);
  tcase_add_test(sizes, small_logs);
  tcase_add_loop_test(refusals, refuses, 0, REFUSALS);
  tcase_add_test(refusals, only_judges_stand_behind_the_truth);
  return run_suite(suite);
}
