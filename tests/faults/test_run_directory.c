/* Whose a run directory is: of one run at a time, and never somebody else's files. */
#include "tests/faults/program.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static void await(const program *p, const char *name) {
  for (int i = 0; i < 2000 && !program_has(p, name); i++) g_usleep(5000);
  ck_assert_msg(program_has(p, name), "%s does not come", name);
}

/* A run that waits for its rows: they come through a pipe. */
static pid_t start_waiting_run(const program *p) {
  char *path = program_path(p, "pipe.csv");
  ck_assert_int_eq(mkfifo(path, 0666), 0);
  g_free(path);
  pid_t pid = program_start(p, "run a.yaml --out r --quiet --set log.path=pipe.csv", "waiting");
  await(p, "r/.running");
  g_usleep(100000); /* it is locked right after it has been made */
  return pid;
}

START_TEST(one_run_at_a_time) {
  program p = program_with_pipeline();
  pid_t first = start_waiting_run(&p);
  char *who = g_strdup_printf("adloom run: the process %d is running a pipeline in r; wait for its end, or give --out "
                              "another folder",
                              (int)first);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, who);
  ck_assert(!program_has(&p, "r/out.csv"));
  program_run(&p, "run a.yaml --out r2 --quiet");
  ASSERT_STATUS(&p, 0);
  kill(first, SIGKILL);
  program_end(&p, first, "waiting");
  ck_assert(program_has(&p, "r/.running"));
  program_run(&p, "run a.yaml --out r --quiet"); /* who was killed holds nothing */
  ASSERT_STATUS(&p, 0);
  ck_assert(program_has(&p, "r/out.csv"));
  ck_assert(!program_has(&p, "r/.running"));
  g_free(who);
  program_close(&p);
}
END_TEST

/* One of the outputs cannot be renamed: a folder has come in its way while the run was going on. */
START_TEST(an_output_that_cannot_be_renamed) {
  program p = program_open();
  program_write(&p, "a.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: pipe.csv, columns: {x: int}}\n"
                "  one: {use: write-csv, path: a.csv}\n"
                "  two: {use: write-csv, from: log, path: b.csv}\n",
                -1);
  program_write(&p, "db.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: pipe.csv, columns: {x: int}}\n"
                "  rows: {use: write-sqlite, into: old.sqlite, table: t}\n"
                "  two: {use: write-csv, from: log, path: b.csv}\n",
                -1);
  program_write(&p, "old.sqlite", "", 0);
  char *pipe = program_path(&p, "pipe.csv");
  ck_assert_int_eq(mkfifo(pipe, 0666), 0);
  for (int second = 0; second < 3; second++) { /* 2: beside a database that was there */
    char *run = g_strdup_printf("run %s --out r%d --quiet", second == 2 ? "db.yaml" : "a.yaml", second);
    pid_t pid = program_start(&p, run, "waiting");
    int to = open(pipe, O_WRONLY); /* waits until the run reads: its outputs have been looked at */
    ck_assert_int_ge(to, 0);
    char *name = g_strdup_printf("r%d/%s", second, second ? "b.csv" : "a.csv"), *blocked = program_path(&p, name);
    ck_assert_int_eq(mkdir(blocked, 0777), 0);
    ck_assert_int_eq(write(to, "x\n1\n2\n", 6), 6);
    close(to);
    program_end(&p, pid, "waiting");
    ASSERT_STATUS(&p, 1);
    ASSERT_SAYS(&p, "cannot rename the finished output to ");
    if (second) {
      ASSERT_SAYS(&p, "; the run failed, not all outputs were published, but these: ");
      ASSERT_SAYS(&p, second == 2 ? "these: what `rows` writes to\n" : "/r1/a.csv\n");
      ck_assert_ptr_null(strstr(p.said, "nothing was published"));
    } else {
      ASSERT_SAYS(&p, "; the run failed, nothing was published\n");
    }
    ck_assert_int_eq(program_has(&p, "r1/a.csv"), second > 0);
    ck_assert(!program_has(&p, "r0/b.csv"));
    program_assert_tidy(&p);
    g_free(blocked);
    g_free(name);
    g_free(run);
  }
  g_free(pipe);
  program_close(&p);
}
END_TEST

/* Files that are called as those of a run, and are none. */
static const struct {
  const char *name, *content;
} others[] = {
    {"manifest.json", "not JSON"}, {"manifest.json", "{\"name\": \"an app\", \"stages\": 3}"},
    {"manifest.json", "[]"},       {"metrics.json", "mine"},
    {"report.html", "mine"},       {"rejects.jsonl", "mine"},
    {"log.txt", "mine"},           {"models/log.safetensors", "mine"},
};

START_TEST(files_of_others_stay) {
  program p = program_with_pipeline();
  char *folder = program_path(&p, "mine"), *models = program_path(&p, "mine/models");
  char *file = g_strconcat("mine/", others[_i].name, NULL);
  ck_assert_int_eq(g_mkdir_with_parents(models, 0777), 0);
  program_write(&p, file, others[_i].content, -1);
  program_run(&p, "run a.yaml --out mine --quiet");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "adloom run: mine is not the directory of an earlier run, but holds ");
  ASSERT_SAYS(&p, "; nothing was started, give --out a new folder");
  char *content = program_read(&p, file, NULL);
  ck_assert_str_eq(content, others[_i].content);
  ck_assert(!program_has(&p, "mine/out.csv"));
  ck_assert(!program_has(&p, "mine/.running"));
  g_free(content);
  g_free(file);
  g_free(folder);
  g_free(models);
  program_close(&p);
}
END_TEST

/* A run that fails leaves nothing of the one before it in the same directory that could be taken for its own. */
START_TEST(an_earlier_run_is_not_taken_for_this_one) {
  program p = program_open();
  program_write(&p, "log.csv", "user,x,n,text\nu1,1,1,a b\nu2,2,2,b c\n", -1);
  static const char yaml[] =
      "adloom: 1\nmax_rejects: 1\nstages:\n"
      "  log: {use: read-csv, path: log.csv, columns: {user: id, x: float, n: int, text: string}}\n"
      "  o: {use: write-csv, path: out.csv}\n"
      "  words: {use: tfidf, from: log, text: text, as: words}\n";
  program_write(&p, "a.yaml", yaml, -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  ck_assert(program_has(&p, "r/models/words.safetensors") && program_has(&p, "r/metrics.json"));
  /* Models that the run itself uses stay, whatever way leads to them. */
  char *link = program_path(&p, "link");
  ck_assert_int_eq(symlink("r", link), 0);
  static const char *const runs[] = {"run a.yaml --out r --models r --quiet",
                                     "run a.yaml --out link --models r --quiet",
                                     "run a.yaml --out r --models link --quiet"};
  for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
    program_run(&p, runs[i]);
    ASSERT_STATUS(&p, 0);
    ck_assert(program_has(&p, "r/models/words.safetensors"));
  }
  /* So does what is nobody's of the earlier run. */
  program_write(&p, "r/models/mine.safetensors", "mine", -1);
  program_write(&p, "log.csv", "user,x,n,text\nu1,1,1,a b\nu2,2,2,b c\nu3,3,3,\"no end\n", -1);
  program_run(&p, "run a.yaml --out r --quiet --set words.min_df=100");
  ASSERT_STATUS(&p, 1);
  ck_assert(!program_has(&p, "r/models/words.safetensors"));
  ck_assert(!program_has(&p, "r/metrics.json"));
  ck_assert(program_has(&p, "r/models/mine.safetensors"));
  char *old = program_read(&p, "r/out.csv", NULL);
  ck_assert_str_eq(old, "user,x,n,text\nu1,1,1,a b\nu2,2,2,b c\n");
  program_run(&p, "run a.yaml --out r2 --models r --quiet");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "there is no model file");
  g_free(link);
  g_free(old);
  program_close(&p);
}
END_TEST

/* Folders that are there already: an empty one, one with other files, one of an earlier run, one of a run that failed. */
START_TEST(folders_that_may_be_used) {
  program p = program_with_pipeline();
  char *folder = program_path(&p, "r"), *models = program_path(&p, "r/models");
  ck_assert_int_eq(g_mkdir_with_parents(models, 0777), 0);
  program_write(&p, "r/notes.md", "mine", -1);
  for (int i = 0; i < 2; i++) {
    program_run(&p, "run a.yaml --out r --quiet");
    ASSERT_STATUS(&p, 0);
    program_run(&p, "run a.yaml --out r --quiet --set log.path=nowhere.csv");
    ck_assert_int_ne(p.status, 0);
  }
  program_write(&p, "log.csv", "x\n1\nfoo\n", -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  program_write(&p, "log.csv", "x\n1\n", -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  char *notes = program_read(&p, "r/notes.md", NULL);
  ck_assert_str_eq(notes, "mine");
  g_free(notes);
  g_free(folder);
  g_free(models);
  program_close(&p);
}
END_TEST

static int pid_of_a_dead_process(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
  return (int)pid;
}

/* What a killed run was writing goes when the next one starts in its directory; elsewhere, where others may write, what is
 * of the same name, a day later. */
START_TEST(half_written_files_of_killed_runs_go) {
  int dead = pid_of_a_dead_process(), other = pid_of_a_dead_process(), alive = (int)getpid();
  const struct {
    const char *folder;
    int pid;
    const char *rest;
    bool old, stays;
  } left[] = {
      {"r", dead, ".part.out.csv", false, false},
      {"r", dead, ".part.other.csv", false, false}, /* of the pipeline as it was then */
      {"r/deep", dead, ".part.deep.csv", false, false},
      {"r/deep", dead, ".part.other.sqlite-journal", false, false},
      {"r", alive, ".part.out.csv", true, true},
      {"r", dead, ".part.", true, true},
      {"r", dead, ".parts.out.csv", true, true},
      {"r", dead, "x.part.out.csv", true, true},
      {"r/mine", dead, ".part.out.csv", true, true}, /* this run writes nothing there */
      {"far", dead, ".part.far.csv", true, false},
      {"far", other, ".part.far.csv", false, true},
      {"far", other, ".part.other.csv", true, true},
      {".", dead, ".part.out.csv", true, true},
  };
  program p = program_with_pipeline();
  program_write(&p, "b.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: int}}\n"
                "  out: {use: write-csv, path: out.csv}\n"
                "  deep: {use: write-csv, from: log, path: deep/deep.csv}\n"
                "  far: {use: write-csv, from: log, path: ../far/far.csv}\n",
                -1);
  struct timeval long_ago[2] = {{.tv_sec = time(NULL) - 90000}, {.tv_sec = time(NULL) - 90000}};
  char *names[G_N_ELEMENTS(left)];
  for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
    names[i] = g_strdup_printf("%s/.%d%s", left[i].folder, left[i].pid, left[i].rest);
    char *path = program_path(&p, names[i]), *folder = g_path_get_dirname(path);
    ck_assert_int_eq(g_mkdir_with_parents(folder, 0777), 0);
    program_write(&p, names[i], "half", -1);
    if (left[i].old) ck_assert_int_eq(utimes(path, long_ago), 0);
    g_free(folder);
    g_free(path);
  }
  program_run(&p, "check b.yaml");
  ASSERT_STATUS(&p, 0);
  for (size_t i = 0; i < G_N_ELEMENTS(left); i++) ck_assert_msg(program_has(&p, names[i]), "%s has gone", names[i]);
  program_run(&p, "run b.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  for (size_t i = 0; i < G_N_ELEMENTS(left); i++) {
    ck_assert_msg(program_has(&p, names[i]) == left[i].stays, "%s %s", names[i],
                  left[i].stays ? "has gone" : "is left");
    g_free(names[i]);
  }
  program_close(&p);
}
END_TEST

START_TEST(compare_asks_for_its_folder_first) {
  program p = program_with_pipeline();
  program_write(&p, "taken", "a file", -1);
  program_run(&p, "compare a.yaml --set log.path=log.csv --repeat 2 --out taken");
  ASSERT_STATUS(&p, 1);
  ck_assert_str_eq(p.said, "adloom compare: cannot make the folder taken: Not a directory\n");
  program_run(&p, "compare a.yaml --repeat 2 --out taken/below");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "cannot make the folder taken/below: Not a directory");
  program_run(&p, "compare nowhere.yaml --repeat 2 --out results/of/it");
  ck_assert_int_ne(p.status, 0);
  ck_assert(!program_has(&p, "results")); /* it looked, and made nothing */
  program_close(&p);
}
END_TEST

static void small_files(void) {
  const struct rlimit few = {20000, 20000};
  if (setrlimit(RLIMIT_FSIZE, &few) != 0) _exit(97);
}

/* The page of a comparison is larger than a file may be: what is not there is not named. */
START_TEST(compare_names_no_page_that_it_could_not_write) {
  program p = program_with_pipeline();
  program_write(&p, "log.csv", "x,y\n1,true\n2,false\n3,true\n4,false\n", -1);
  program_write(&p, "c.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: float, y: bool}}\n"
                "  m: {use: sgd, features: [x], label: y, as: score}\n"
                "  q: {use: metrics, label: y, score: score}\n",
                -1);
  for (int small = 0; small < 2; small++) {
    p.before = small ? small_files : NULL;
    program_run(&p, "compare c.yaml --repeat 2 --quiet --out c");
    ASSERT_STATUS(&p, small);
    ck_assert_int_eq(strstr(p.said, "adloom compare: cannot write c/compare.html: ") != NULL, small);
    ck_assert_ptr_nonnull(strstr(p.out, "logloss"));
    ck_assert_int_eq(strstr(p.out, "report: c/compare.html\n") != NULL, !small);
  }
  program_close(&p);
}
END_TEST

/* Where one model finds no room, none stays. */
START_TEST(models_are_there_all_or_none) {
  program p = program_with_pipeline();
  program_write(&p, "log.csv", "x,y\n1,true\n2,false\n3,true\n4,false\n", -1);
  program_write(&p, "m.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: float, y: bool}}\n"
                "  small: {use: scale, columns: [x], as: f}\n"
                "  inputs: {use: hash, columns: [x], bits: 16, as: h}\n"
                "  large: {use: ftrl, features: [h], label: y, as: p}\n"
                "  out: {use: write-csv, path: out.csv}\n",
                -1);
  for (int small = 0; small < 2; small++) {
    p.before = small ? small_files : NULL;
    program_run(&p, "run m.yaml --quiet --fresh --out m");
    ASSERT_STATUS(&p, small);
    if (small) ASSERT_SAYS(&p, "m/models/large.safetensors: cannot be written");
    if (small) ASSERT_SAYS(&p, "the run failed, nothing was published");
    GPtrArray *models = program_files(&p, "m/models");
    ck_assert_uint_eq(models->len, small ? 0 : 2);
    g_ptr_array_free(models, TRUE);
  }
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("run directories");
  TCase *tests = tcase_create("run");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, one_run_at_a_time);
  tcase_add_test(tests, models_are_there_all_or_none);
  tcase_add_test(tests, an_output_that_cannot_be_renamed);
  tcase_add_loop_test(tests, files_of_others_stay, 0, (int)G_N_ELEMENTS(others));
  tcase_add_test(tests, an_earlier_run_is_not_taken_for_this_one);
  tcase_add_test(tests, folders_that_may_be_used);
  tcase_add_test(tests, half_written_files_of_killed_runs_go);
  tcase_add_test(tests, compare_asks_for_its_folder_first);
  tcase_add_test(tests, compare_names_no_page_that_it_could_not_write);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
