/*
 * Runs that end before their time: killed at any moment, interrupted, two at once on one model store. The same command
 * given again must publish, byte for byte, what a run that nobody disturbed publishes.
 */
#include "tests/faults/program.h"

#include <signal.h>

static const char pipeline[] =
    "adloom: 1\nmax_rejects: 0.1\nstages:\n"
    "  log:\n"
    "    use: read-csv\n"
    "    path: log.csv\n"
    "    columns: {user: id, text: string, x: float, y: float, z: int}\n"
    "    holdout: {fraction: 0.2, by: user}\n"
    "  clean: {use: dedupe, by: [user, text, x]}\n"
    "  users: {use: group, by: user, columns: {n: count(), spent: sum(x), said: bag(text)}}\n"
    "  known: {use: join, from: clean, with: users, on: user}\n"
    "  words: {use: tfidf, text: text, as: words}\n"
    "  scaled: {use: scale, columns: [x, y], as: numbers}\n"
    "  segment: {use: kmeans, features: [numbers], clusters: 5, max_iter: 20, as: segment}\n"
    "  mixture: {use: gmm, features: [numbers], components: 3, max_iter: 10, as: mixture}\n"
    "  inputs: {use: hash, columns: [user, segment, words, n], crosses: [[user, segment]], bits: 12, as: w}\n"
    "  click: {use: ftrl, features: [w], label: z, as: p}\n"
    "  again: {use: ftrl, features: [w], label: z, learn: online, as: q}\n"
    "  quality: {use: metrics, label: z, score: p}\n"
    "  sorted: {use: sort, from: again, by: [y, user]}\n"
    "  out: {use: write-csv, path: out.csv, columns: [user, x, segment, p, q, n, spent]}\n"
    "  lines: {use: write-jsonl, from: users, path: users.jsonl}\n";

static const char *const published[] = {"out.csv", "users.jsonl", "metrics.json", "rejects.jsonl"};

static program with_log(int rows) {
  program p = program_open();
  static const char *const words[] = {"red", "green", "blue", "shoes", "hat", "coat", "old", "new"};
  GString *log = g_string_new("user,text,x,y,z\n");
  for (int i = 0; i < rows; i++) {
    unsigned r = (unsigned)i * 2654435761u >> 8;
    if (i % 501 == 500)
      g_string_append_printf(log, "u%u,broken\n", r % 97);
    else
      g_string_append_printf(log, "u%u,%s %s,%u.5,%u,%s\n", r % 97, words[r % 8], words[r / 8 % 8], r % 1000, r % 13,
                             i % 701 == 700 ? ""
                             : r % 13 > 6   ? "1"
                                            : "0");
  }
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  program_write(&p, "a.yaml", pipeline, -1);
  g_string_free(log, TRUE);
  return p;
}

/* Digest of everything that a run has published: not of half-written files, which a killed run leaves. */
static char *digest_of(const program *p, const char *run) {
  GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
  char *folder = g_strconcat(run, "/models", NULL);
  GPtrArray *names = program_files(p, folder);
  for (guint i = 0; i < names->len + G_N_ELEMENTS(published); i++) {
    const char *name = i < names->len ? g_ptr_array_index(names, i) : published[i - names->len];
    if (strstr(name, ".tmp-") != NULL) continue;
    char *path = g_strdup_printf("%s/%s", i < names->len ? folder : run, name);
    gsize size = 0;
    char *content = program_read(p, path, &size);
    ck_assert_msg(content != NULL, "%s is missing", path);
    g_checksum_update(sum, (const guchar *)path + strlen(run), -1);
    g_checksum_update(sum, (const guchar *)content, (gssize)size);
    g_free(content);
    g_free(path);
  }
  char *text = g_strdup(g_checksum_get_string(sum));
  g_checksum_free(sum);
  g_ptr_array_free(names, TRUE);
  g_free(folder);
  return text;
}

static void use_store(const program *p, const char *name) {
  char *path = program_path(p, name);
  g_setenv("XDG_CACHE_HOME", path, TRUE);
  g_free(path);
}

/* The undisturbed run, and how many microseconds it takes. */
static char *reference(program *p, int64_t *time) {
  use_store(p, "store");
  int64_t begin = g_get_monotonic_time();
  program_run(p, "run a.yaml --out reference --quiet --threads 2 --memory 1M");
  *time = g_get_monotonic_time() - begin;
  ASSERT_STATUS(p, 0);
  return digest_of(p, "reference");
}

static int64_t loaded_models(const program *p, const char *run) {
  char *name = g_strconcat(run, "/manifest.json", NULL), *text = program_read(p, name, NULL);
  int64_t found = 0;
  for (const char *at = text; (at = strstr(at, "\"fitted_in_this_run\" : false")) != NULL; at++) found++;
  g_free(name);
  g_free(text);
  return found;
}

static void assert_same_again(program *p, const char *whole, const char *run, const char *what, int moment) {
  char *command = g_strdup_printf("run a.yaml --out %s --quiet --threads %d --memory 1M", run, 1 + moment % 3);
  program_run(p, command);
  ASSERT_STATUS(p, 0);
  char *digest = digest_of(p, run);
  ck_assert_msg(strcmp(whole, digest) == 0, "%s number %d: other results", what, moment);
  g_free(digest);
  g_free(command);
}

/* Sends the signal after a part of the time that a whole run takes; what became of the run. */
static int signal_after(program *p, const char *run, int number, int64_t microseconds) {
  char *command = g_strdup_printf("run a.yaml --out %s --threads 2 --memory 1M", run);
  pid_t pid = program_start(p, command, "last");
  g_usleep((gulong)microseconds);
  kill(pid, number);
  program_end(p, pid, "last");
  g_free(command);
  return p->status;
}

enum { MOMENTS = 20 };

START_TEST(killed_at_any_moment) {
  program p = with_log(20000);
  int64_t time = 0, loaded = 0;
  int killed = 0;
  char *whole = reference(&p, &time);
  GRand *random = g_rand_new_with_seed(20240601);
  for (int i = 0; i < MOMENTS; i++) {
    char *store = g_strdup_printf("store-%d", i), *run = g_strdup_printf("run-%d", i);
    use_store(&p, store);
    int64_t wait = (int64_t)(g_rand_double(random) * (double)time);
    killed += signal_after(&p, run, SIGKILL, wait) == 128 + SIGKILL;
    ck_assert(p.status == 128 + SIGKILL || p.status == 0);
    assert_same_again(&p, whole, run, "kill", i);
    loaded += loaded_models(&p, run);
    g_free(store);
    g_free(run);
  }
  ck_assert_msg(killed >= MOMENTS / 2, "only %d of %d were killed in time", killed, MOMENTS);
  ck_assert_msg(loaded > 0, "no model was taken over");
  g_rand_free(random);
  g_free(whole);
  program_close(&p);
}
END_TEST

static const int polite[] = {SIGINT, SIGTERM, SIGHUP};

START_TEST(interrupted_at_any_moment) {
  program p = with_log(20000);
  int64_t time = 0;
  int interrupted = 0;
  char *whole = reference(&p, &time);
  for (int i = 0; i < 8; i++) {
    char *store = g_strdup_printf("store-%d", i), *run = g_strdup_printf("run-%d", i);
    char *out = g_strconcat(run, "/out.csv", NULL), *metrics = g_strconcat(run, "/metrics.json", NULL);
    int number = polite[i % 3];
    use_store(&p, store);
    int64_t wait = time * (i + 1) / 9;
    signal_after(&p, run, number, wait);
    bool before = p.status == 128 + number && p.said[0] == '\0'; /* before it could listen */
    ck_assert_msg(before || p.status == 130 || p.status == 0, "status %d: %s", p.status, p.said);
    program_assert_tidy(&p);
    if (p.status != 0) {
      interrupted++;
      ck_assert(!program_has(&p, out));
      ck_assert(!program_has(&p, metrics));
      if (!before) ASSERT_SAYS(&p, "interrupted; nothing was published, models fitted so far are kept");
      ck_assert_msg(strstr(p.said, "error") == NULL, "%s", p.said);
    }
    assert_same_again(&p, whole, run, "interruption", i);
    program_assert_tidy(&p);
    g_free(store);
    g_free(run);
    g_free(out);
    g_free(metrics);
  }
  ck_assert_int_ge(interrupted, 3);
  g_free(whole);
  program_close(&p);
}
END_TEST

/* The run directory and its manifest tell that it was interrupted; impatience ends it at once, and tidily. */
START_TEST(interrupted_while_rows_move) {
  program p = with_log(20000);
  char *yaml =
      g_strdup_printf("adloom: 1\nplugins: [%s/tests/engine/.libs/odd.so]\nstages:\n"
                      "  log: {use: read-csv, path: log.csv, columns: {user: id, z: int}}\n"
                      "  s: {use: test.slow, milliseconds: \"${SLOW}\"}\n  o: {use: write-csv, path: out.csv}\n",
                      program_build());
  program_write(&p, "b.yaml", yaml, -1);
  for (int twice = 0; twice < 2; twice++) {
    pid_t pid = program_start(&p,
                              twice == 0 ? "run b.yaml --out r --threads 2 --var SLOW=300"
                                         : "run b.yaml --out r --threads 2 --var SLOW=20000",
                              "last");
    char *said = NULL;
    while (said == NULL || strstr(said, "reading log") == NULL) {
      g_free(said);
      g_usleep(5000);
      said = program_read(&p, "last.said", NULL);
    }
    g_free(said);
    g_usleep(100000);
    int64_t begin = g_get_monotonic_time();
    kill(pid, SIGINT);
    if (twice == 1) {
      g_usleep(200000);
      kill(pid, SIGINT);
    }
    program_end(&p, pid, "last");
    ck_assert_int_eq(p.status, 130);
    ck_assert_int_lt(g_get_monotonic_time() - begin, 15000000);
    ck_assert(!program_has(&p, "r/out.csv"));
    program_assert_tidy(&p);
    if (twice == 1) continue;
    char *manifest = program_read(&p, "r/manifest.json", NULL);
    ck_assert_msg(strstr(manifest, "\"outcome\" : \"interrupted\"") != NULL, "%s", manifest);
    g_free(manifest);
  }
  g_free(yaml);
  program_close(&p);
}
END_TEST

START_TEST(two_runs_at_once_on_one_store) {
  program p = with_log(20000);
  int64_t time = 0;
  char *whole = reference(&p, &time);
  use_store(&p, "shared");
  enum { RUNS = 4 };
  for (int round = 0; round < 2; round++) { /* the second finds all models */
    pid_t pids[RUNS];
    for (int i = 0; i < RUNS; i++) {
      char *run = g_strdup_printf("r%d-%d", round, i),
           *command = g_strdup_printf("run a.yaml --out %s --quiet --threads %d --memory 1M", run, 1 + i % 2);
      pids[i] = program_start(&p, command, run);
      g_free(command);
      g_free(run);
    }
    for (int i = 0; i < RUNS; i++) {
      char *run = g_strdup_printf("r%d-%d", round, i);
      program_end(&p, pids[i], run);
      ASSERT_STATUS(&p, 0);
      ck_assert_str_eq(p.said, "");
      char *digest = digest_of(&p, run);
      ck_assert_str_eq(whole, digest);
      g_free(digest);
      g_free(run);
    }
  }
  program_assert_tidy(&p);
  g_free(whole);
  program_close(&p);
}
END_TEST

/* Two that begin in the same second, without --out, do not write into one directory. */
START_TEST(two_runs_at_once_beside_each_other) {
  program p = with_log(2000);
  pid_t pids[3];
  static const char *const names[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++) pids[i] = program_start(&p, "run a.yaml --quiet", names[i]);
  for (int i = 0; i < 3; i++) {
    program_end(&p, pids[i], names[i]);
    ASSERT_STATUS(&p, 0);
  }
  GPtrArray *files = program_files(&p, "runs");
  int outputs = 0;
  for (guint i = 0; i < files->len; i++) outputs += g_str_has_suffix(g_ptr_array_index(files, i), "/out.csv");
  ck_assert_int_eq(outputs, 3);
  g_ptr_array_free(files, TRUE);
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("runs that end before their time");
  TCase *tests = tcase_create("run");
  tcase_set_timeout(tests, 600);
  tcase_add_test(tests, killed_at_any_moment);
  tcase_add_test(tests, interrupted_at_any_moment);
  tcase_add_test(tests, interrupted_while_rows_move);
  tcase_add_test(tests, two_runs_at_once_on_one_store);
  tcase_add_test(tests, two_runs_at_once_beside_each_other);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
