/* Models of an earlier run that are applied (--models): what they are given and judged by is not changed in silence. */
#include "tests/faults/program.h"

/* Judged on rows that its models have seen, a run is told so; on others not. */
START_TEST(models_are_not_judged_by_what_they_learned_from_in_silence) {
  program p = program_open();
  GString *log = g_string_new("x,y\n");
  for (int i = 0; i < 400; i++) g_string_append_printf(log, "%d,%d\n", i * 7 % 13, i * 7 % 13 > 6);
  program_write(&p, "log.csv", log->str, -1);
  program_write(&p, "other.csv", "x,y\n1,0\n12,1\n", -1);
  program_write(&p, "a.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: float, y: int}, holdout: {fraction: 0.2}}\n"
                "  p: {use: lbfgs, features: [x], label: y, as: p}\n  q: {use: metrics, label: y, score: p}\n",
                -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  ck_assert_str_eq(p.said, "");
  program_run(&p, "run a.yaml --models r --out r2 --quiet");
  ASSERT_STATUS(&p, 0);
  ASSERT_SAYS(&p, "q: the run that made the models read ");
  ASSERT_SAYS(&p, "log.csv too: rows that it learned from are judged here");
  char *page = program_read(&p, "r2/report.html", NULL); /* who reads only this is told, too */
  ck_assert_ptr_nonnull(strstr(page, "log.csv too: rows that it learned from are judged here"));
  g_free(page);
  program_run(&p, "run a.yaml --models r --out r3 --quiet --set log.path=other.csv");
  ASSERT_STATUS(&p, 0);
  ck_assert_str_eq(p.said, "");
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

/* What came before a model when it was learned, and comes before it otherwise now. */
static const struct {
  const char *set, *said; /* NULL: nothing is said */
} otherwise[] = {
    {"made.columns.big=x>7", "made.columns.big is \"x>7\", and was \"x > 5\" in the run r"},
    {"users.columns.m=sum(x)", "users.columns.m is \"sum(x)\", and was \"mean(x)\" in the run r"},
    {"click.alpha=0.2", "click.alpha is 0.2, and was 0.1 in the run r"},
    {"w.signed=true", "w.signed is true, and was false in the run r"},
    {"w.crosses=[[u,other]]", "w.crosses is [[\"u\",\"other\"]], and was not given in the run r"},
    {"few.where=x>3", NULL},                /* chooses rows */
    {"made.columns.other=string(y)", NULL}, /* no model reads it */
    {"log.path=other.csv", NULL},
    {"users.columns.unread=max(x)", NULL},
};

START_TEST(models_are_not_given_columns_made_otherwise_in_silence) {
  program p = program_open();
  GString *log = g_string_new("u,x,y\n");
  for (int i = 0; i < 400; i++) g_string_append_printf(log, "u%d,%d,%d\n", i % 9, i * 7 % 13, i * 7 % 13 > 6);
  program_write(&p, "log.csv", log->str, -1);
  program_write(&p, "other.csv", log->str, -1);
  program_write(&p, "a.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {u: id, x: float, y: int}}\n"
                "  users: {use: group, from: log, by: u, columns: {m: mean(x), unread: min(x)}}\n"
                "  few: {use: filter, from: log, where: x > 2}\n"
                "  known: {use: join, with: users, on: u, columns: [m]}\n"
                "  made: {use: derive, columns: {big: x > 5, other: string(x)}}\n"
                "  w: {use: hash, columns: [u, big, m], bits: 10, as: w}\n"
                "  click: {use: ftrl, features: [w], label: y, as: p}\n"
                "  out: {use: write-csv, path: out.csv}\n",
                -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  program_run(&p, "run a.yaml --models r --out r2 --quiet");
  ASSERT_STATUS(&p, 0);
  ck_assert_str_eq(p.said, "");
  char *set = g_strdup_printf("run a.yaml --models r --out r3 --quiet --set %s", otherwise[_i].set);
  program_run(&p, set);
  ASSERT_STATUS(&p, 0);
  if (otherwise[_i].said == NULL)
    ck_assert_str_eq(p.said, "");
  else
    ASSERT_SAYS(&p, otherwise[_i].said);
  g_free(set);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

/* A stored model that is broken is fitted again: who looks into the log later is told, too. */
START_TEST(a_stored_model_that_is_broken) {
  program p = program_open();
  program_write(&p, "log.csv", "x\n1\n2\n3\n", -1);
  program_write(&p, "a.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: float}}\n  s: {use: scale, columns: [x]}\n"
                "  o: {use: write-csv, path: out.csv}\n",
                -1);
  program_run(&p, "run a.yaml --out r --quiet --store kept");
  ASSERT_STATUS(&p, 0);
  GPtrArray *names = program_files(&p, "kept");
  int broken = 0;
  for (guint i = 0; i < names->len; i++) {
    char *name = g_build_filename("kept", names->pdata[i], NULL);
    if (g_str_has_suffix(name, ".safetensors")) program_write(&p, name, "broken", -1), broken++;
    g_free(name);
  }
  ck_assert_int_eq(broken, 1);
  program_run(&p, "run a.yaml --out r2 --quiet --store kept");
  ASSERT_STATUS(&p, 0);
  const char *warning = strstr(p.said, "warning: s: ");
  ck_assert_msg(warning != NULL, "%s", p.said);
  char *line = g_strndup(warning, strcspn(warning, "\n")), *log = program_read(&p, "r2/log.txt", NULL);
  ck_assert_msg(strstr(log, line) != NULL, "%s is not in %s", line, log);
  g_free(line);
  g_free(log);
  g_ptr_array_free(names, TRUE);
  program_close(&p);
}
END_TEST

/* A copy over a run's model changes that run alone: the store keeps what was fitted, and does not take what was not. */
START_TEST(a_model_copied_over_another_is_not_taken_from_the_store) {
  program p = program_open();
  GString *one = g_string_new("x,y\n"), *two = g_string_new("x,y\n");
  for (int i = 0; i < 400; i++) g_string_append_printf(one, "%d,%d\n", i * 7 % 13, i * 7 % 13 > 6);
  for (int i = 0; i < 400; i++) g_string_append_printf(two, "%d,%d\n", i * 7 % 13, i * 7 % 13 < 4);
  program_write(&p, "one.csv", one->str, -1);
  program_write(&p, "two.csv", two->str, -1);
  program_write(&p, "a.yaml",
                "adloom: 1\nstages:\n  log: {use: read-csv, path: one.csv, columns: {x: float, y: int}}\n"
                "  s: {use: lbfgs, features: [x], label: y, as: p}\n  out: {use: write-csv, path: out.csv}\n",
                -1);
  program_run(&p, "run a.yaml --out k1 --quiet");
  ASSERT_STATUS(&p, 0);
  program_run(&p, "run a.yaml --out k2 --quiet --set log.path=two.csv");
  ASSERT_STATUS(&p, 0);
  gsize size, same;
  char *expected = program_read(&p, "k1/out.csv", NULL), *other = program_read(&p, "k2/models/s.safetensors", &size);
  char *over = program_path(&p, "k1/models/s.safetensors");
  for (int in_store = 0; in_store < 2; in_store++) {
    if (in_store) { /* by hand, over every file of the store's */
      GPtrArray *files = program_files(&p, "adloom/models");
      ck_assert_uint_gt(files->len, 0);
      for (guint i = 0; i < files->len; i++)
        if (g_str_has_suffix(files->pdata[i], ".safetensors")) {
          char *name = g_strconcat("adloom/models/", files->pdata[i], NULL);
          program_write(&p, name, other, (gssize)size);
          g_free(name);
        }
      g_ptr_array_free(files, TRUE);
    } else { /* into the file itself, as cp does */
      int file = open(over, O_WRONLY | O_TRUNC | O_CLOEXEC);
      ck_assert_int_eq(write(file, other, size), (ssize_t)size);
      ck_assert_int_eq(close(file), 0);
    }
    program_run(&p, "run a.yaml --out k3 --quiet");
    ASSERT_STATUS(&p, 0);
    if (in_store)
      ASSERT_SAYS(&p, "s: the model store has an entry that cannot be used and is removed");
    else
      ck_assert_str_eq(p.said, "");
    char *again = program_read(&p, "k3/out.csv", NULL);
    ck_assert_str_eq(again, expected);
    g_free(again);
  }
  program_run(&p, "run a.yaml --models k1 --out k4 --quiet"); /* what was copied there is what is asked for */
  ASSERT_STATUS(&p, 0);
  char *applied = program_read(&p, "k4/out.csv", NULL), *kept = program_read(&p, "k1/models/s.safetensors", &same);
  ck_assert_str_ne(applied, expected);
  ck_assert(same == size && memcmp(kept, other, size) == 0);
  g_free(applied);
  g_free(kept);
  g_free(over);
  g_free(other);
  g_free(expected);
  g_string_free(one, TRUE);
  g_string_free(two, TRUE);
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("models of an earlier run");
  TCase *tests = tcase_create("run");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, models_are_not_judged_by_what_they_learned_from_in_silence);
  tcase_add_loop_test(tests, models_are_not_given_columns_made_otherwise_in_silence, 0, G_N_ELEMENTS(otherwise));
  tcase_add_test(tests, a_stored_model_that_is_broken);
  tcase_add_test(tests, a_model_copied_over_another_is_not_taken_from_the_store);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
