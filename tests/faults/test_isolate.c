/* Plugins that crash, hang or are killed in a process of their own: the run ends with words for that stage, or goes on
 * where it may begin again; nothing is left behind, whoever dies first. */
#include "tests/faults/program.h"

#include <signal.h>
#include <sys/stat.h>

static program with_rows(int rows) {
  program p = program_open();
  GString *log = g_string_new("user,x\n");
  for (int i = 0; i < rows; i++) g_string_append_printf(log, "u%d,%d\n", i % 50, i);
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  g_string_free(log, TRUE);
  return p;
}

static void write_pipeline(const program *p, const char *plugin, const char *stage, const char *more) {
  char *text = g_strdup_printf("adloom: 1\nplugins: [%s/tests/badplugins/.libs/%s.so]\nstages:\n"
                               "  log: {use: read-csv, path: log.csv, columns: {user: id, x: float}%s}\n  s: {%s}\n"
                               "  o: {use: write-csv, path: out.csv}\n",
                               program_build(), plugin, more, stage);
  program_write(p, "a.yaml", text, -1);
  g_free(text);
}

/* The processes whose parent is `parent`. */
static GArray *children_of(pid_t parent) {
  GArray *children = g_array_new(FALSE, FALSE, sizeof(pid_t));
  GDir *dir = g_dir_open("/proc", 0, NULL);
  for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
    char *path = g_strdup_printf("/proc/%s/stat", name), *text = NULL;
    int before = 0;
    char state = 0;
    if (g_ascii_isdigit(name[0]) && g_file_get_contents(path, &text, NULL, NULL)) {
      const char *behind = strrchr(text, ')');
      pid_t pid = atoi(name);
      if (behind != NULL && sscanf(behind + 1, " %c %d", &state, &before) == 2 && before == parent && state != 'Z')
        g_array_append_val(children, pid);
    }
    g_free(text);
    g_free(path);
  }
  g_dir_close(dir);
  return children;
}

/* The worker of the run's only isolated stage, and its keeper, when there is one that is at work. */
static pid_t find_worker(pid_t run, pid_t *keeper) {
  pid_t found = 0;
  for (int tries = 0; tries < 2000 && found == 0; tries++) {
    GArray *keepers = children_of(run);
    if (keepers->len == 1) {
      *keeper = g_array_index(keepers, pid_t, 0);
      GArray *workers = children_of(*keeper);
      if (workers->len == 1) found = g_array_index(workers, pid_t, 0);
      g_array_free(workers, TRUE);
    }
    g_array_free(keepers, TRUE);
    if (found == 0) g_usleep(2000);
  }
  ck_assert_int_gt(found, 0);
  g_usleep(300000); /* into its call */
  return found;
}

static bool alive(pid_t pid) {
  char *path = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
  bool there = g_file_get_contents(path, &text, NULL, NULL);
  const char *behind = there ? strrchr(text, ')') : NULL;
  bool lives = behind != NULL && behind[2] != 'Z';
  g_free(text);
  g_free(path);
  return lives;
}

static void assert_gone(pid_t pid) {
  for (int tries = 0; tries < 1000 && alive(pid); tries++) g_usleep(2000);
  ck_assert_msg(!alive(pid), "the process %d is still there", pid);
}

START_TEST(a_crash_is_an_error_of_the_stage) {
  program p = with_rows(10000);
  write_pipeline(&p, "crash-process", "use: test.crash-process, isolate: true", "");
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "s: the plugin crashed (SIGSEGV, a bad memory access) in process of test.crash-process 1.0.0");
  ASSERT_SAYS(&p, "badplugins/.libs/crash-process.so), in a process of its own");
  ASSERT_SAYS(&p, "--record s=FILE.record");
  ASSERT_SAYS(&p, "the run failed, nothing was published");
  ck_assert(!program_has(&p, "r/out.csv"));
  ck_assert(program_has(&p, "r/manifest.json")); /* the run itself went on to its end */
  program_assert_tidy(&p);
  program_close(&p);
}
END_TEST

START_TEST(a_hang_is_an_error_of_the_stage) {
  program p = with_rows(10000);
  write_pipeline(&p, "hang-process", "use: test.hang-process, isolate: {limit: 300ms}", "");
  gint64 begin = g_get_monotonic_time();
  program_run(&p, "run a.yaml --out r --quiet");
  ck_assert_int_lt(g_get_monotonic_time() - begin, 20000000);
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "s: the plugin did not answer for 0.3 s in process of test.hang-process 1.0.0");
  program_assert_tidy(&p);
  program_close(&p);
}
END_TEST

START_TEST(ctrl_c_ends_a_plugin_that_hangs) {
  program p = with_rows(100);
  pid_t keeper = 0;
  write_pipeline(&p, "hang-process", "use: test.hang-process, isolate: true", "");
  pid_t run = program_start(&p, "run a.yaml --out r --quiet", "last"), worker = find_worker(run, &keeper);
  kill(run, SIGINT);
  program_end(&p, run, "last");
  ASSERT_STATUS(&p, 130);
  assert_gone(worker);
  assert_gone(keeper);
  program_close(&p);
}
END_TEST

START_TEST(a_killed_process_is_an_error_of_the_stage) {
  program p = with_rows(100);
  pid_t keeper = 0;
  write_pipeline(&p, "hang-process", "use: test.hang-process, isolate: true", "");
  for (int whom = 0; whom < 2; whom++) {
    pid_t run = program_start(&p, "run a.yaml --out r --quiet", "last"), worker = find_worker(run, &keeper);
    kill(whom == 0 ? worker : keeper, SIGKILL);
    program_end(&p, run, "last");
    ASSERT_STATUS(&p, 1);
    ASSERT_SAYS(&p, whom == 0 ? "s: the plugin was killed (SIGKILL) in process of"
                              : "s: the plugin was lost with its process in process of");
    assert_gone(worker);
    assert_gone(keeper);
  }
  program_close(&p);
}
END_TEST

START_TEST(no_process_outlives_the_run) {
  program p = with_rows(100);
  pid_t keeper = 0;
  write_pipeline(&p, "hang-process", "use: test.hang-process, isolate: true", "");
  pid_t run = program_start(&p, "run a.yaml --out r --quiet", "last"), worker = find_worker(run, &keeper);
  kill(run, SIGKILL);
  program_end(&p, run, "last");
  assert_gone(worker);
  assert_gone(keeper);
  program_close(&p);
}
END_TEST

/* Nothing but the three standard files, and of these only the standard error of the run. */
START_TEST(the_process_holds_no_file_of_the_run) {
  program p = with_rows(100);
  pid_t keeper = 0;
  write_pipeline(&p, "hang-process", "use: test.hang-process, isolate: true", "");
  pid_t run = program_start(&p, "run a.yaml --out r --quiet", "last"), worker = find_worker(run, &keeper);
  pid_t both[] = {worker, keeper};
  for (int i = 0; i < 2; i++) {
    char *folder = g_strdup_printf("/proc/%d/fd", both[i]);
    GDir *dir = g_dir_open(folder, 0, NULL);
    ck_assert_ptr_nonnull(dir);
    for (const char *name = g_dir_read_name(dir); name != NULL; name = g_dir_read_name(dir)) {
      char *path = g_build_filename(folder, name, NULL), *to = g_file_read_link(path, NULL);
      ck_assert_msg(to != NULL && (strcmp(to, "/dev/null") == 0 || strstr(to, "last.said") != NULL), "%s is %s", name,
                    to);
      g_free(to);
      g_free(path);
    }
    g_dir_close(dir);
    g_free(folder);
  }
  kill(run, SIGKILL);
  program_end(&p, run, "last");
  program_close(&p);
}
END_TEST

/* One that dies once, on the third batch it is given: the flag of that is a file. */
START_TEST(it_begins_again_where_it_may) {
  program p = with_rows(40000);
  char *flag = program_path(&p, "died");
  char *stage = g_strdup_printf("use: test.dies-once, flag: %s, isolate: restart", flag);
  write_pipeline(&p, "dies-once", stage, "");
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  ASSERT_SAYS(&p, "s: the plugin crashed (SIGABRT) in process of test.dies-once 1.0.0");
  ASSERT_SAYS(&p, "it was started again");
  gsize size = 0, same = 0;
  char *first = program_read(&p, "r/out.csv", &size);
  program_run(&p, "run a.yaml --out r2 --quiet"); /* the flag is there: it does not die */
  ASSERT_STATUS(&p, 0);
  char *second = program_read(&p, "r2/out.csv", &same);
  ck_assert_int_eq(size, same);
  ck_assert_mem_eq(first, second, size);
  g_free(first);
  g_free(second);
  ck_assert_int_eq(remove(flag), 0);
  g_free(stage);
  stage = g_strdup_printf("use: test.dies-once, flag: %s, isolate: true", flag);
  write_pipeline(&p, "dies-once", stage, "");
  program_run(&p, "run a.yaml --out r3 --quiet");
  ASSERT_STATUS(&p, 1);
  g_free(stage);
  g_free(flag);
  program_close(&p);
}
END_TEST

/* Batches of 4096 rows; of what was learned, the run has the model of batch 64 when the process dies at batch 100. */
START_TEST(an_online_learner_begins_again_with_the_last_model) {
  enum { ROWS = 4096 * 110 };
  program p = with_rows(ROWS);
  char *flag = program_path(&p, "died");
  char *stage = g_strdup_printf("use: test.dies-learning, flag: %s, learn: online, isolate: restart", flag);
  write_pipeline(&p, "dies-once", stage, "");
  program_run(&p, "run a.yaml --out r --quiet --threads 2");
  ASSERT_STATUS(&p, 0);
  ASSERT_SAYS(&p, "it was started again; what it had learned from its last 36 batches is lost");
  gsize size = 0;
  char *out = program_read(&p, "r/out.csv", &size), *line = memchr(out, '\n', size);
  int before = -1, row = 0, back = 0;
  for (char *end; (end = memchr(line + 1, '\n', size - (gsize)(line + 1 - out))) != NULL; line = end, row++) {
    if (row % 4096 != 0) continue;
    *end = '\0';
    int count = atoi(strrchr(line + 1, ',') + 1);
    if (count != before + 1) ck_assert_msg(count == 64 && before == 99 && back++ == 0, "%d after %d", count, before);
    before = count;
  }
  ck_assert_int_eq(row, ROWS);
  ck_assert_int_eq(before, 73);
  g_free(out);
  g_free(stage);
  g_free(flag);
  program_close(&p);
}
END_TEST

/* One that always dies does not go on for ever. */
START_TEST(a_batch_that_kills_twice_ends_the_stage) {
  program p = with_rows(10000);
  write_pipeline(&p, "crash-process", "use: test.crash-process, isolate: restart", "");
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "it was started again");
  ASSERT_SAYS(&p, "error: s: the plugin crashed (SIGSEGV, a bad memory access) in process of test.crash-process");
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("isolate");
  TCase *cases = tcase_create("isolate");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, a_crash_is_an_error_of_the_stage);
  tcase_add_test(cases, a_hang_is_an_error_of_the_stage);
  tcase_add_test(cases, ctrl_c_ends_a_plugin_that_hangs);
  tcase_add_test(cases, a_killed_process_is_an_error_of_the_stage);
  tcase_add_test(cases, no_process_outlives_the_run);
  tcase_add_test(cases, the_process_holds_no_file_of_the_run);
  tcase_add_test(cases, it_begins_again_where_it_may);
  tcase_add_test(cases, an_online_learner_begins_again_with_the_last_model);
  tcase_add_test(cases, a_batch_that_kills_twice_ends_the_stage);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
