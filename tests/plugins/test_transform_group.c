/* group on the real engine: each function's known answers, types, splits, and a large random table against a plain
 * computation, for several thread counts. */
#include <math.h>

#include "tests/plugins/transform.h"

static const char csv[] = "user,shop,price,quantity,word,at,paid\n"
                          "10,b,2.5,2,apple,2024-06-03,1\n"
                          "9,a,,1,,2024-06-01,0\n"
                          "10,b,1.5,,pear,2024-06-05,1\n"
                          "9,a,4,3,fig,,1\n"
                          "10,a,8,-1,apple,2024-06-01,\n"
                          "10,b,,7,apple,2024-06-05,0\n";
static const char columns[] =
    "{user: int, shop: string, price: float, quantity: int, word: string, at: timestamp, paid: bool}";

START_TEST(known_answers) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_run(h,
                  "  g:\n"
                  "    use: group\n"
                  "    by: user\n"
                  "    columns:\n"
                  "      rows: count()\n"
                  "      prices: count(price)\n"
                  "      spend: sum(price)\n"
                  "      items: sum(quantity)\n"
                  "      worth: sum(price * quantity)\n"
                  "      mean: mean(price)\n"
                  "      low: min(price)\n"
                  "      high: max(quantity)\n"
                  "      first_word: min(word)\n"
                  "      last_word: max(word)\n"
                  "      word: last(word, at)\n"
                  "      price: last(price, at)\n"
                  "      when: max(at)\n"
                  "      words: distinct(word)\n"
                  "      shops: distinct(shop)\n"
                  "      basket: bag(word)\n"
                  "      weighted: bag(shop, quantity)\n"
                  "      ever: max(paid)\n"
                  "      paid: sum(paid)\n"
                  "      none: max(if(price > 100, price, null))\n",
                  "g");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "9|10"); /* by number, not by text */
  ASSERT_VALUES(h, "rows", "2|4");
  ASSERT_VALUES(h, "prices", "1|3");
  ASSERT_VALUES(h, "spend", "4|12");
  ASSERT_VALUES(h, "items", "4|8");
  ASSERT_VALUES(h, "worth", "12|-3");
  ASSERT_VALUES(h, "mean", "4|4");
  ASSERT_VALUES(h, "low", "4|1.5");
  ASSERT_VALUES(h, "high", "3|7");
  ASSERT_VALUES(h, "first_word", "fig|apple");
  ASSERT_VALUES(h, "last_word", "fig|pear");
  ASSERT_VALUES(h, "word", "null|apple"); /* fig has no time; of two at the same time the later row counts */
  ASSERT_VALUES(h, "price", "null|1.5");  /* the row at the same time has no price */
  ASSERT_VALUES(h, "when", "2024-06-01T00:00:00Z|2024-06-05T00:00:00Z");
  ASSERT_VALUES(h, "words", "1|2");
  ASSERT_VALUES(h, "shops", "1|2");
  ASSERT_VALUES(h, "basket", "{\"fig\": 1}|{\"apple\": 3, \"pear\": 1}");
  ASSERT_VALUES(h, "weighted", "{\"a\": 4}|{\"a\": -1, \"b\": 9}");
  ASSERT_VALUES(h, "ever", "true|true");
  ASSERT_VALUES(h, "paid", "1|2");
  ASSERT_VALUES(h, "none", "null|null");
  ck_assert_int_eq(adl_harness_type(h, "user").role, ADL_NUMBER);
  ck_assert_int_eq(adl_harness_type(h, "items").element, ADL_INT64);
  ck_assert_int_eq(adl_harness_type(h, "spend").element, ADL_FLOAT64);
  ck_assert_int_eq(adl_harness_type(h, "high").element, adl_harness_type(h, "items").element);
  ck_assert_int_eq(adl_harness_type(h, "basket").shape, ADL_BAG);
  adl_harness_free(h);
}
END_TEST

START_TEST(keys_of_several_columns) {
  adl_harness *h = adl_harness_new("a,b,t\nx,-5,1\n,1,1\nx,10,1\nx y,2,1\nx,-5,1\n", "{a: string, b: int, t: string}");
  adl_harness_top(h, "max_rejects: 1\n");
  adl_harness_run(h, "  g: {use: group, by: [a, b], columns: {n: count()}}\n", "g");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "a", "x|x|x y");
  ASSERT_VALUES(h, "b", "-5|10|2");
  ASSERT_VALUES(h, "n", "2|1|1");
  ck_assert_int_eq(adl_harness_rejected(h), 1);               /* the row without a key */
  adl_harness_run(h, "  g: {use: group, by: [b, a]}\n", "g"); /* keys alone */
  ASSERT_OK(h);
  ASSERT_VALUES(h, "a", "x|x y|x");
  ASSERT_VALUES(h, "b", "-5|2|10");
  adl_harness_free(h);
}
END_TEST

START_TEST(held_out_rows_do_not_count) {
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_source(h, "holdout: {where: \"user = 9 or at >= '2024-06-05'\"}");
  adl_harness_run(h, "  g: {use: group, by: user, columns: {n: count(), spend: sum(price)}}\n", "g");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "user", "10");
  ASSERT_VALUES(h, "n", "2");
  ASSERT_VALUES(h, "spend", "10.5");
  ck_assert_int_eq(adl_harness_split(h, 0), ADL_TRAIN);
  adl_harness_free(h);
}
END_TEST

START_TEST(no_rows_and_overflow) {
  adl_harness *h = adl_harness_new("a,b\n1,9223372036854775807\n1,1\n2,5\n", "{a: int, b: int}");
  adl_harness_run(h, "  g: {use: group, by: a, columns: {s: sum(b)}}\n", "g");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "s", "null|5");
  adl_harness_run(h, "  f: {use: filter, where: \"a > 5\"}\n  g: {use: group, by: a, columns: {s: sum(b)}}\n", "g");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
}
END_TEST

/* 9223372036854775807 twice and once less, and minus the number of the user, in some order: only the last sum fits, and that
 * of user 0 does not. */
static GString *great_rows(int users) {
  static const int orders[][4] = {{0, 1, 2, 3}, {3, 0, 1, 2}, {2, 3, 0, 1}, {0, 2, 1, 3}};
  GString *text = g_string_new("user,n\n0,1\n");
  for (int turn = 0; turn < 4; turn++)
    for (int u = 0; u < users; u++) {
      int which = orders[u % 4][turn];
      g_string_append_printf(text, "%d,%lld\n", u,
                             which < 2    ? (long long)INT64_MAX
                             : which == 2 ? (long long)-INT64_MAX
                                          : -(long long)u);
    }
  return text;
}

START_TEST(sums_of_integers_leave_their_range_and_come_back) {
  enum { MANY = 60000 }; /* more than one table holds */
  GString *text = great_rows(MANY);
  char *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness *h = adl_harness_new(text->str, "{user: int, n: int}");
    adl_harness_threads(h, threads);
    if (threads == 2) adl_harness_memory(h, 1 << 20);
    adl_harness_run(h,
                    "  g: {use: group, by: user, columns: {s: sum(n), m: mean(n)}}\n"
                    "  o: {use: write-csv, path: out.csv}\n",
                    "g");
    ASSERT_OK(h);
    const adl_column *sums = adl_harness_column(h, "s");
    ck_assert_int_eq(adl_harness_rows(h), MANY);
    ck_assert(adl_harness_null(h, "s", 0));
    for (int64_t u = 1; u < MANY; u++) {
      ck_assert_msg(!adl_harness_null(h, "s", u), "user %d has no sum", (int)u);
      ck_assert_int_eq(((const int64_t *)sums->data)[u], INT64_MAX - u);
      ck_assert_double_eq(adl_harness_number(h, "m", u), (double)(INT64_MAX - u) / 4);
    }
    adl_harness_same_bytes(h, &first);
    adl_harness_free(h);
  }
  g_free(first);
  g_string_free(text, TRUE);
}
END_TEST

/* Nearly all of these numbers are between two float64. */
START_TEST(means_of_integers_are_of_their_exact_sum) {
  adl_harness *h = adl_harness_new("a,b\n1,9007199254740993\n1,-9007199254740992\n1,9007199254740993\n"
                                   "1,-9007199254740992\n2,\n3,9223372036854775807\n3,-9223372036854775807\n3,1\n",
                                   "{a: int, b: int}");
  adl_harness_run(h, "  g: {use: group, by: a, columns: {s: sum(b), m: mean(b)}}\n", "g");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "s", "2|0|1");
  ASSERT_VALUES(h, "m", "0.5|null|0.3333333333333333");
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const char *const cases[][2] = {
      {"{use: group}", "by"},
      {"{use: group, by: []}", "by"},
      {"{use: group, by: user, columns: {x: \"sum(word)\"}}", "sum and mean are of numbers"},
      {"{use: group, by: user, columns: {x: \"last(word, shop)\"}}", "is a timestamp or a number"},
      {"{use: group, by: user, columns: {x: \"bag(price)\"}}", "a bag is of strings or ids"},
      {"{use: group, by: user, columns: {x: \"bag(word, shop)\"}}", "the weight, is a number"},
      {"{use: group, by: user, columns: {x: \"median(price)\"}}", "no function is called `median` here"},
      {"{use: group, by: user, columns: {x: \"sum(prise)\"}}", "no column is called `prise`"},
      {"{use: group, by: user, columns: {x: \"last(word)\"}}", "last takes 2 arguments, not 1"},
      {"{use: group, by: user, columns: {user: count()}}", "there is a column `user` already"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *stages = g_strdup_printf("  g: %s\n", cases[i][0]);
    assert_refused(csv, columns, stages, cases[i][1]);
    g_free(stages);
  }
  assert_refused("a,b\n1,2\n3,4\n", "{a: float, b: float}",
                 "  c: {use: kmeans, features: [a, b], clusters: 2, as: segment}\n"
                 "  g: {use: group, by: a, columns: {x: sum(segment)}}\n",
                 "this is an id");
}
END_TEST

/* ---- many rows ---- */

/* Of many users the groups are cut into parts, and of many rows some are taken in before the end (common/grouping.c). */
enum { ROWS = 60000, USERS = 5000, MANY_ROWS = 300000, MANY_USERS = 40000, WORDS = 40 };

typedef struct truth {
  int64_t rows, quantity, words, last_at, low;
  double price;
  int last_word;
  int bag[WORDS];
  char longest[64];
} truth;

static void write_word(char *word, size_t size, int w) {
  g_snprintf(word, size, "%s%d", w % 3 == 0 ? "a somewhat longer word than the others are " : "w", w);
}

/* The rows as text, and what they come to. */
static GString *random_rows(truth *users, int rows, int user_count) {
  GRand *rand = g_rand_new_with_seed(3);
  GString *text = g_string_new("user,price,quantity,word,at\n");
  for (int row = 0; row < rows; row++) {
    int u = g_rand_int_range(rand, 0, user_count), q = g_rand_int_range(rand, -5, 50),
        w = g_rand_int_range(rand, 0, WORDS);
    int at = g_rand_int_range(rand, 0, 28);
    double price = g_rand_int_range(rand, 0, 1000) / 8.0; /* sums are exact */
    char word[64];
    write_word(word, sizeof word, w);
    g_string_append_printf(text, "%d,%g,%d,%s,2024-02-%02d\n", u, price, q, word, at + 1);
    truth *t = &users[u];
    if (t->rows == 0 || q < t->low) t->low = q;
    if (t->rows == 0 || at >= t->last_at) {
      t->last_at = at;
      t->last_word = w;
    }
    if (strcmp(word, t->longest) > 0) g_strlcpy(t->longest, word, sizeof t->longest);
    t->rows++;
    t->quantity += q;
    t->price += price;
    t->words += t->bag[w] == 0;
    t->bag[w]++;
  }
  g_rand_free(rand);
  return text;
}

static void check_user(adl_harness *h, int u, const truth *t, int64_t at) {
  char word[64], *last = adl_harness_text(h, "word", at), *great = adl_harness_text(h, "great", at);
  write_word(word, sizeof word, t->last_word);
  ck_assert(adl_harness_number(h, "user", at) == u);
  ck_assert(adl_harness_number(h, "rows", at) == (double)t->rows);
  ck_assert(adl_harness_number(h, "spend", at) == t->price);
  ck_assert_double_eq_tol(adl_harness_number(h, "odd", at), t->price * 0.1, 1e-9);
  ck_assert(adl_harness_number(h, "items", at) == (double)t->quantity);
  ck_assert(adl_harness_number(h, "low", at) == (double)t->low);
  ck_assert(adl_harness_number(h, "words", at) == (double)t->words);
  ck_assert_str_eq(last, word);
  ck_assert_str_eq(great, t->longest);
  free(last);
  free(great);
}

/* Its tokens rise, and weigh what they should. */
static void check_bag(const adl_column *bags, const truth *t, int64_t at) {
  int32_t from = bags->offsets[at], to = bags->offsets[at + 1];
  ck_assert_int_eq(to - from, t->words);
  for (int32_t i = from; i < to; i++) {
    adl_text token = adl_text_at(bags, i);
    int word = 0;
    for (int32_t c = 0; c < token.size; c++)
      word = g_ascii_isdigit(token.data[c]) ? word * 10 + token.data[c] - '0' : 0;
    ck_assert(bags->weights[i] == (float)t->bag[word]);
    if (i == from) continue;
    adl_text before = adl_text_at(bags, i - 1);
    int32_t shorter = MIN(before.size, token.size);
    int order = memcmp(before.data, token.data, (size_t)shorter);
    ck_assert(order < 0 || (order == 0 && before.size < token.size));
  }
}

/* `each`: only every so many users are looked at one by one. */
static void check_rows(int rows, int user_count, int each) {
  truth *users = g_new0(truth, user_count);
  GString *text = random_rows(users, rows, user_count);
  char *first = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    adl_harness *h =
        adl_harness_new(text->str, "{user: int, price: float, quantity: int, word: string, at: timestamp}");
    adl_harness_threads(h, threads);
    if (threads == 2) adl_harness_memory(h, 1 << 20);
    adl_harness_run(
        h,
        "  g:\n"
        "    use: group\n"
        "    by: user\n"
        "    columns: {rows: count(), spend: sum(price), odd: sum(price * 0.1), items: sum(quantity),\n"
        "      low: min(quantity), word: \"last(word, at)\", great: max(word), words: distinct(word), bag: bag(word)}\n"
        "  o: {use: write-csv, path: out.csv, columns: [user, spend, odd, items, low, word, great, words]}\n",
        "g");
    ASSERT_OK(h);
    int64_t at = 0;
    for (int u = 0; u < user_count; u++) {
      if (users[u].rows == 0) continue;
      if (at % each == 0) check_user(h, u, &users[u], at);
      if (at % each == 0) check_bag(adl_harness_column(h, "bag"), &users[u], at);
      at++;
    }
    ck_assert_int_eq(adl_harness_rows(h), at);
    adl_harness_same_bytes(h, &first);
    adl_harness_free(h);
  }
  g_free(first);
  g_free(users);
  g_string_free(text, TRUE);
}

START_TEST(many_rows_against_a_plain_computation) { check_rows(ROWS, USERS, 1); }
END_TEST

START_TEST(many_groups_against_a_plain_computation) { check_rows(MANY_ROWS, MANY_USERS, 199); }
END_TEST

/* What becomes of 101 users who have many rows. `others` have one row each, in front: of many others the groups are cut into
 * parts, and the rows wait. All sums are exact. */
static char *few_users(int others) {
  GString *text = g_string_new("user,day,a,kind,t,w\n");
  for (int row = 0; row < others; row++) g_string_append_printf(text, "z%d,1,2,k%d,x,1\n", row, row % 5);
  for (int row = 0; row < 30000; row++) {
    g_string_append_printf(text, "u%d,%d,", row * 7919 % 101, row % 300);
    if (row % 7 != 0) g_string_append_printf(text, "%g", row % 1000 / 8.0);
    g_string_append_printf(text, ",k%d,%s%d,", row % 5, row % 3 == 0 ? "a longer word " : "b", row % 11);
    if (row % 9 != 0) g_string_append_printf(text, "%d", row % 6);
    g_string_append(text, "\n");
  }
  adl_harness *h = adl_harness_new(text->str, "{user: string, day: int, a: float, kind: string, t: string, w: float}");
  adl_harness_run(
      h,
      "  dense: {use: onehot, columns: kind, dense: true, as: dense}\n"
      "  sparse: {use: hash, columns: [t], bits: 8, as: sparse}\n"
      "  days:\n"
      "    use: group\n"
      "    by: [user, day]\n"
      "    columns: {n: count(), some: count(a), all: count(sparse), sums: sum(dense), means: mean(dense),\n"
      "      words: bag(t), heavy: \"bag(t, w)\", ever: max(w > 2), mean: mean(a), last: \"last(t, a)\",\n"
      "      great: max(t), many: distinct(t), when: \"last(w, a)\"}\n"
      "  users:\n"
      "    use: group\n"
      "    by: user\n"
      "    columns: {n: sum(n), sums: sum(sums), words: bag(words), twice: \"bag(heavy, 2)\", ever: max(ever),\n"
      "      all: sum(all), some: sum(some), mean: sum(mean), last: max(last), many: sum(many), w: sum(when)}\n"
      "  few: {use: filter, where: \"user < 'v'\"}\n"
      "  o: {use: write-csv, path: out.csv}\n",
      "few");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 101);
  char *digest = adl_harness_digest(h);
  adl_harness_free(h);
  g_string_free(text, TRUE);
  return digest;
}

START_TEST(groups_in_parts_are_those_of_one_table) {
  char *alone = few_users(0), *among_many = few_users(100000);
  ck_assert_str_eq(alone, among_many);
  g_free(alone);
  g_free(among_many);
}
END_TEST

/* Tables of some megabytes with room for one: what is beyond lies in a file, and nothing changes. */
START_TEST(more_groups_than_memory) {
  GString *text = g_string_new("user,price,word\n");
  for (int row = 0; row < 60000; row++)
    g_string_append_printf(text, "user-%d,%d,w%d\n", row * 7919 % 40009, row % 97, row % 13);
  char *plenty = NULL;
  for (int little = 0; little < 2; little++) {
    adl_harness *h = adl_harness_new(text->str, "{user: id, price: float, word: id}");
    if (little == 1) adl_harness_memory(h, 1 << 20);
    adl_harness_run(h,
                    "  g: {use: group, by: user, columns: {rows: count(), spend: sum(price), words: bag(word)}}\n"
                    "  o: {use: write-csv, path: out.csv}\n",
                    "g");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), 40009);
    char *digest = adl_harness_digest(h);
    if (plenty == NULL) plenty = g_strdup(digest);
    ck_assert_str_eq(plenty, digest);
    free(digest);
    adl_harness_free(h);
  }
  g_free(plenty);
  g_string_free(text, TRUE);
}
END_TEST

/* Bags of lists and of bags: tokens of a bag come out with their weights. */
START_TEST(bags_of_bags) {
  adl_harness *h =
      adl_harness_new("user,shop,word,n\n1,a,x,2\n1,b,x,3\n2,a,y,1\n", "{user: id, shop: id, word: string, n: int}");
  adl_harness_run(
      h,
      "  one: {use: group, by: [user, shop], columns: {words: \"bag(word, n)\"}}\n"
      "  two: {use: group, by: user, columns: {words: bag(words), twice: \"bag(words, 2)\", shops: bag(shop)}}\n",
      "two");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "words", "{\"x\": 5}|{\"y\": 1}");
  ASSERT_VALUES(h, "twice", "{\"x\": 10}|{\"y\": 2}");
  ASSERT_VALUES(h, "shops", "{\"a\": 1, \"b\": 1}|{\"a\": 1}");
  adl_harness_free(h);
}
END_TEST

/* sum and mean of a vector are what they are of its elements one by one, whatever the number of threads; dimensions keep
 * their names. */
START_TEST(vectors_are_added_up) {
  GString *text = g_string_new("user,kind\n");
  for (int i = 0; i < 20000; i++)
    g_string_append_printf(text, "%d,%c\n", i * 7919 % 13, "abc"[i % 7 < 3 ? 0 : i % 7 < 5 ? 1 : 2]);
  char *digests[2] = {NULL, NULL};
  for (int i = 0; i < 2; i++) {
    adl_harness *h = adl_harness_new(text->str, "{user: int, kind: id}");
    adl_harness_threads(h, i == 0 ? 1 : 3);
    adl_harness_run(h,
                    "  kinds: {use: onehot, columns: kind, dense: true, as: kinds}\n"
                    "  g:\n"
                    "    use: group\n"
                    "    by: user\n"
                    "    columns: {sums: sum(kinds), means: mean(kinds), c: \"sum(if(kind = 'c', 1, 0))\", b: "
                    "\"mean(if(kind = 'b', 1, 0))\"}\n",
                    "g");
    ASSERT_OK(h);
    ck_assert_int_eq(adl_harness_rows(h), 13);
    const adl_column *sums = adl_harness_column(h, "sums"), *means = adl_harness_column(h, "means");
    ck_assert_int_eq(sums->type.shape, ADL_VECTOR);
    ck_assert_int_eq(sums->type.width, 3);
    for (int64_t row = 0; row < 13; row++) {
      ck_assert_float_eq(((const float *)sums->data)[3 * row + 2], (float)adl_harness_number(h, "c", row));
      ck_assert_float_eq(((const float *)means->data)[3 * row + 1], (float)adl_harness_number(h, "b", row));
    }
    digests[i] = adl_harness_digest(h);
    adl_harness_free(h);
  }
  ck_assert_str_eq(digests[0], digests[1]);
  free(digests[0]);
  free(digests[1]);
  g_string_free(text, TRUE);
}
END_TEST

START_TEST(means_of_few_vectors) {
  adl_harness *h = adl_harness_new("user,x\n1,5\n1,5\n2,1\n", "{user: int, x: float}");
  adl_harness_run(h,
                  "  v: {use: scale, columns: x, method: minmax, as: v}\n"
                  "  g: {use: group, by: user, columns: {sums: sum(v), means: mean(v)}}\n",
                  "g");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "sums", "[2]|[0]");
  ASSERT_VALUES(h, "means", "[1]|[0]");
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *s = suite_create("transform group");
  TCase *t = tcase_create("group");
  tcase_add_test(t, known_answers);
  tcase_add_test(t, keys_of_several_columns);
  tcase_add_test(t, held_out_rows_do_not_count);
  tcase_add_test(t, no_rows_and_overflow);
  tcase_add_test(t, sums_of_integers_leave_their_range_and_come_back);
  tcase_add_test(t, means_of_integers_are_of_their_exact_sum);
  tcase_add_test(t, refusals);
  tcase_add_test(t, many_rows_against_a_plain_computation);
  tcase_add_test(t, many_groups_against_a_plain_computation);
  tcase_add_test(t, groups_in_parts_are_those_of_one_table);
  tcase_add_test(t, more_groups_than_memory);
  tcase_add_test(t, bags_of_bags);
  tcase_add_test(t, vectors_are_added_up);
  tcase_add_test(t, means_of_few_vectors);
  tcase_set_timeout(t, 120);
  suite_add_tcase(s, t);
  return run_suite(s);
}
