/*
 * One pipeline of many classes, for 1, 2, 3 and 8 threads, with hardly any memory and with plenty, several times: models,
 * outputs, metrics and rejects are the same to the byte. Also: with a model store and without, and in another order of
 * stages that do not depend on each other.
 */
#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/harness.h"

#define ASSERT_OK(h) ck_assert_msg(adl_harness_ok(h), "%s", adl_harness_errors(h))

static const char columns[] = "{user: id, item: id, text: string, at: timestamp, x: float, y: float, z: int}";

/* Clicks: some twice, some broken, some without x; users and items by a law with a long tail. */
static char *clicks(int n) {
  static const char *const words[] = {"red", "green", "blue",  "shoes", "hat",  "coat",
                                      "old", "new",   "cheap", "fine",  "small"};
  GString *csv = g_string_new("user,item,text,at,x,y,z\n");
  for (int i = 0; i < n; i++) {
    unsigned r = (unsigned)(i % 1777 == 1776 ? i - 1 : i) * 2654435761u;
    unsigned user = (r >> 8) % 997 * ((r >> 20) % 31) / 31, item = (r >> 4) % 211 * ((r >> 17) % 13) / 13;
    if (i % 301 == 300) {
      g_string_append_printf(csv, "u%u,broken\n", user);
      continue;
    }
    g_string_append_printf(csv, "u%u,i%u,%s %s %s,2024-0%u-%02uT%02u:%02u:00Z,", user, item, words[r % 11],
                           words[(r >> 7) % 11], words[(r >> 13) % 11], 1 + (r >> 9) % 9, 1 + (r >> 11) % 28,
                           (r >> 5) % 24, (r >> 3) % 60);
    if (i % 97 == 96)
      g_string_append_printf(csv, ",%u,%d\n", r % 13, r % 13 > 6);
    else
      g_string_append_printf(csv, "%u.%u,%u,%d\n", (r >> 6) % 1000, r % 10, r % 13, r % 13 > 6 || r % 50 == 0);
  }
  return g_string_free(csv, FALSE);
}

static const char stages[] =
    "  clean: {use: dedupe, by: [user, item, text, at, x]}\n"
    "  hours: {use: derive, columns: {hour: hour(at), late: \"if(hour(at) > 17, 'late', 'early')\", price: "
    "\"coalesce(x, 0) + 1\"}}\n"
    "  users: {use: group, by: user, columns: {n: count(), spent: sum(price), mean_y: mean(y), seen: distinct(item), "
    "newest: max(at), said: bag(text), "
    "last_item: 'last(item, at)'}}\n"
    "  items: {use: group, from: hours, by: item, columns: {shown: count(), clicked: mean(z)}}\n"
    "  known: {use: join, from: hours, with: users, on: user}\n"
    "  priced: {use: join, with: items, on: item, matched: has_item}\n"
    "  good: {use: filter, where: \"x is not null and n is not null\"}\n"
    "  words: {use: tfidf, text: text, as: words}\n"
    "  kinds: {use: onehot, columns: [late, last_item], as: kinds, min_count: 3}\n"
    "  numbers: {use: scale, columns: [x, y, spent, clicked], as: numbers}\n"
    "  segment: {use: kmeans, features: [numbers], clusters: 7, restarts: 2, max_iter: 30, as: segment}\n"
    "  topic: {use: kmeans, features: [words], clusters: 4, max_iter: 10, as: topic}\n"
    "  mixture: {use: gmm, features: [numbers], components: 3, max_iter: 12, as: mixture}\n"
    "  inputs: {use: hash, columns: [user, item, segment, words], crosses: [[user, segment]], bits: 13, as: w}\n"
    "  click: {use: ftrl, features: [w, numbers], label: z, as: p}\n"
    "  learnt: {use: ftrl, features: [w], label: z, learn: online, as: q}\n"
    "  plain: {use: sgd, features: [numbers, kinds], label: z, epochs: 3, as: r}\n"
    "  sorted: {use: sort, by: [item, y, user], descending: y}\n"
    "  out: {use: write-csv, path: out.csv, columns: [user, item, at, x, segment, topic, mixture, p, q, r, spent, "
    "seen]}\n"
    "  lines: {use: write-jsonl, from: users, path: users.jsonl}\n"
    "  of_p: {use: metrics, from: plain, label: z, score: p, by: late}\n"
    "  of_q: {use: metrics, from: plain, label: z, score: q}\n"
    "  of_r: {use: metrics, from: plain, label: z, score: r}\n";

static adl_harness *with_clicks(int n) {
  char *csv = clicks(n);
  adl_harness *h = adl_harness_new(csv, columns);
  adl_harness_top(h, "max_rejects: 0.1\nseed: 7\n");
  adl_harness_source(h, "holdout: {newest: 0.25, by: at}");
  g_free(csv);
  return h;
}

static const int threads[] = {1, 2, 3, 8};

START_TEST(threads_and_memory_change_nothing) {
  adl_harness *h = with_clicks(30000);
  char *first = NULL;
  for (int repeat = 0; repeat < 3; repeat++)
    for (int memory = 0; memory < 2; memory++)
      for (int t = 0; t < 4; t++) {
        if (repeat > 0 && t == 2) continue; /* enough */
        adl_harness_threads(h, threads[t]);
        adl_harness_memory(h, memory == 0 ? 1 : INT64_C(1) << 32);
        adl_harness_run(h, stages, NULL);
        ASSERT_OK(h);
        char *digest = adl_harness_digest(h);
        if (first == NULL) first = g_strdup(digest);
        ck_assert_msg(strcmp(first, digest) == 0, "%d threads, %s memory, repeat %d: other results", threads[t],
                      memory == 0 ? "no" : "plenty of", repeat);
        free(digest);
      }
  ck_assert_int_eq(adl_harness_rejected(h), 30000 / 301);
  g_free(first);
  adl_harness_free(h);
}
END_TEST

/* The harness must be able to tell: another seed gives other bytes. */
START_TEST(another_seed_changes_something) {
  adl_harness *h = with_clicks(5000);
  char *digests[2];
  for (int i = 0; i < 2; i++) {
    adl_harness_top(h, i == 0 ? "max_rejects: 0.1\nseed: 7\n" : "max_rejects: 0.1\nseed: 8\n");
    adl_harness_run(h, stages, NULL);
    ASSERT_OK(h);
    digests[i] = adl_harness_digest(h);
  }
  ck_assert_str_ne(digests[0], digests[1]);
  free(digests[0]);
  free(digests[1]);
  adl_harness_free(h);
}
END_TEST

START_TEST(a_model_store_changes_nothing) {
  adl_harness *h = with_clicks(20000);
  char *first = NULL;
  for (int i = 0; i < 5; i++) {
    adl_harness_store(h, i > 0);
    adl_harness_threads(h, threads[i % 4]);
    adl_harness_memory(h, i % 2 == 0 ? 1 : INT64_C(1) << 32);
    adl_harness_run(h, stages, NULL);
    ASSERT_OK(h);
    char *digest = adl_harness_digest(h), *manifest = adl_harness_read(h, "manifest.json");
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(first, digest) == 0, "run %d: other results", i);
    ck_assert_int_eq(strstr(manifest, "\"fitted_in_this_run\" : false") != NULL, i > 1);
    free(digest);
    g_free(manifest);
  }
  g_free(first);
  adl_harness_free(h);
}
END_TEST

/* Only what stands behind a changed stage is fitted again. */
START_TEST(a_changed_stage_is_fitted_again_and_what_is_behind_it) {
  adl_harness *h = with_clicks(8000);
  adl_harness_store(h, true);
  adl_harness_run(h, stages, NULL);
  ASSERT_OK(h);
  GString *changed = g_string_new(stages);
  g_string_replace(changed, "components: 3", "components: 4", 0);
  adl_harness_run(h, changed->str, NULL);
  ASSERT_OK(h);
  static const struct {
    const char *stage;
    bool fitted;
  } expected[] = {{"words", false}, {"kinds", false},  {"numbers", false}, {"segment", false},
                  {"topic", false}, {"mixture", true}, {"plain", true}};
  char *manifest = adl_harness_read(h, "manifest.json");
  for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
    char *name = g_strdup_printf("\"name\" : \"%s\"", expected[i].stage);
    const char *at = strstr(manifest, name), *said = at != NULL ? strstr(at, "\"fitted_in_this_run\" : ") : NULL;
    ck_assert_msg(said != NULL, "%s", expected[i].stage);
    ck_assert_msg(g_str_has_prefix(said + strlen("\"fitted_in_this_run\" : "), expected[i].fitted ? "true" : "false"),
                  "%s", expected[i].stage);
    g_free(name);
  }
  g_free(manifest);
  g_string_free(changed, TRUE);
  adl_harness_free(h);
}
END_TEST

/* Rows of tables are held out by the number of the table, which must not depend on which stage is ready first. */
START_TEST(one_model_of_the_store_changes_nothing) {
  static const char *const both =
      "  f1: {use: onehot, from: rows, columns: [user], dense: true, as: v}\n"
      "  f2: {use: onehot, from: rows, columns: [item], dense: true, as: v, min_count: %d}\n"
      "  t2: {use: group, from: f2, by: user, columns: {m: mean(v)}}\n"
      "  t1: {use: group, from: f1, by: user, columns: {m: mean(v), n: sum(y)}}\n"
      "  held: {use: filter, from: t1, where: n > 0, holdout: {fraction: 0.3}}\n"
      "  learnt: {use: onehot, columns: [user], as: u}\n"
      "  out: {use: write-csv, from: t2, path: out.csv, columns: [user]}\n";
  adl_harness *h = with_clicks(8000);
  char *models[3];
  for (int i = 0; i < 3; i++) {
    char *text = g_strdup_printf(both, i == 1 ? 2 : 1); /* the second time f2 alone is fitted again */
    adl_harness_store(h, i < 2);
    adl_harness_run(h, text, NULL);
    ASSERT_OK(h);
    models[i] = adl_harness_read(h, "manifest.json");
    if (i == 1) ck_assert(strstr(models[i], "\"fitted_in_this_run\" : false") != NULL);
    g_free(models[i]);
    models[i] = adl_harness_read(h, "models/learnt.safetensors");
    g_free(text);
  }
  ck_assert_str_eq(models[0], models[1]);
  ck_assert_str_eq(models[0], models[2]);
  for (int i = 0; i < 3; i++) g_free(models[i]);
  adl_harness_free(h);
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("engine: the same again");
  TCase *t = tcase_create("repeat");
  tcase_set_timeout(t, 900);
  tcase_add_test(t, threads_and_memory_change_nothing);
  tcase_add_test(t, another_seed_changes_something);
  tcase_add_test(t, a_model_store_changes_nothing);
  tcase_add_test(t, one_model_of_the_store_changes_nothing);
  tcase_add_test(t, a_changed_stage_is_fitted_again_and_what_is_behind_it);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
