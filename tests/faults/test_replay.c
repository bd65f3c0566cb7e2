/* `run --record` and `plugin replay`: one file says what a stage was given and gave; another build of the plugin gives the
 * same, or the first difference is told; a crash is repeated, or is mended; files that are cut or changed are refused. */
#include "tests/faults/program.h"

static program with_rows(int rows) {
  program p = program_open();
  GString *log = g_string_new("user,x,click\n");
  for (int i = 0; i < rows; i++) g_string_append_printf(log, "u%d,%d.25,%d\n", i % 50, i * 7 % 1000, i % 3 == 0);
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  program_write(&p, "stop.txt", "u7\nu8\n", -1);
  g_string_free(log, TRUE);
  return p;
}

static void write_pipeline(const program *p, const char *plugin, const char *stages) {
  char *text =
      g_strdup_printf("adloom: 1\nseed: 11\nmax_rejects: 1\nplugins: [%s/tests/badplugins/.libs/%s.so]\nstages:\n"
                      "  log: {use: read-csv, path: log.csv, columns: {user: id, x: float, click: int}, "
                      "holdout: {fraction: 0.25}}\n%s",
                      program_build(), plugin, stages);
  program_write(p, "a.yaml", text, -1);
  g_free(text);
}

static void replay(program *p, const char *plugin, const char *record) {
  char *command = g_strdup_printf("plugin replay %s/%s.so %s", program_build(), plugin, record);
  program_run(p, command);
  g_free(command);
}

#define ASSERT_TELLS(p, text) ck_assert_msg(strstr((p)->out, text) != NULL, "\"%s\" is not in: %s", text, (p)->out)

static const struct {
  const char *file, *stages; /* the stage to record is `s` */
} own[] = {
    {"plugins/feature/.libs/hash", "  s: {use: hash, columns: [user], bits: 8, as: h}\n"},
    {"plugins/feature/.libs/scale", "  s: {use: scale, columns: [x], as: h}\n"},
    {"plugins/profile/.libs/kmeans", "  v: {use: scale, columns: [x, click], as: v}\n"
                                     "  s: {use: kmeans, features: [v], clusters: 4, as: c}\n"},
    {"plugins/feature/.libs/tfidf", "  s: {use: tfidf, text: user, as: w, min_df: 1, stop_words: stop.txt}\n"},
    {"plugins/transform/.libs/filter", "  s: {use: filter, where: \"user <> '$${NOBODY}'\"}\n"},
    {"plugins/optimize/.libs/ftrl", "  h: {use: hash, columns: [user], bits: 8, as: h}\n"
                                    "  s: {use: ftrl, features: [h, x], label: click, as: p, learn: online}\n"},
    {"plugins/evaluate/.libs/metrics", "  f: {use: ftrl, features: [x], label: click, as: p, learn: online}\n"
                                       "  s: {use: metrics, label: click, score: p}\n"},
    {"plugins/transform/.libs/group", "  s: {use: group, by: user, columns: {n: count(), said: bag(user)}}\n"},
    {"plugins/transform/.libs/join", "  g: {use: group, by: user, columns: {n: count()}}\n"
                                     "  s: {use: join, from: log, with: g, on: user}\n"},
    {"plugins/transform/.libs/sort", "  s: {use: sort, by: [x, user]}\n"},
};

START_TEST(the_same_plugin_gives_the_same) {
  program p = with_rows(9000);
  write_pipeline(&p, "good", own[_i].stages);
  char *file = g_strdup_printf("%s/%s.so", program_build(), own[_i].file);
  bool shared = g_file_test(file, G_FILE_TEST_EXISTS); /* not where plugins are linked in */
  program_run(&p, "run a.yaml --out r --quiet --fresh --threads 3 --record s=s.record");
  ASSERT_STATUS(&p, 0);
  if (shared) {
    replay(&p, own[_i].file, "s.record");
    ASSERT_STATUS(&p, 0);
    ASSERT_TELLS(&p, "every answer is the recorded one, bit for bit");
  }
  g_free(file);
  program_close(&p);
}
END_TEST

/* A stage whose model was loaded. */
START_TEST(a_frozen_model_is_in_the_record) {
  program p = with_rows(6000);
  write_pipeline(&p, "good", own[1].stages);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  program_run(&p, "run a.yaml --out r2 --quiet --models r --record s=s.record");
  ASSERT_STATUS(&p, 0);
  char *file = g_strdup_printf("%s/%s.so", program_build(), own[1].file);
  if (g_file_test(file, G_FILE_TEST_EXISTS)) {
    char *pipeline = program_path(&p, "a.yaml"), *model = program_path(&p, "r/models/s.safetensors");
    ck_assert(remove(pipeline) == 0 && remove(model) == 0); /* nothing but the record is needed */
    g_free(pipeline);
    g_free(model);
    replay(&p, own[1].file, "s.record");
    ASSERT_STATUS(&p, 0);
  }
  g_free(file);
  program_close(&p);
}
END_TEST

START_TEST(the_first_difference_is_told) {
  program p = with_rows(9000);
  write_pipeline(&p, "good", "  s: {use: test.number, number: 40, as: n}\n  o: {use: write-csv, path: o.csv}\n");
  program_run(&p, "run a.yaml --out r --quiet --threads 1 --record s=s.record");
  ASSERT_STATUS(&p, 0);
  replay(&p, "tests/badplugins/.libs/good", "s.record");
  ASSERT_STATUS(&p, 0);
  ASSERT_TELLS(&p, "record of `s`: test.number 1.0.0");
  replay(&p, "tests/badplugins/.libs/changed", "s.record");
  ASSERT_STATUS(&p, 1);
  ASSERT_TELLS(&p, "process, batch 2: column `n`, row 5: recorded 40, now 41");
  program_close(&p);
}
END_TEST

START_TEST(a_crash_is_repeated_or_mended) {
  program p = with_rows(5000);
  write_pipeline(&p, "crash-process", "  s: {use: test.crash-process}\n  o: {use: write-csv, path: o.csv}\n");
  program_run(&p, "run a.yaml --out r --quiet --record s=s.record");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "the plugin crashed (SIGSEGV, a bad memory access) in process");
  replay(&p, "tests/badplugins/.libs/crash-process", "s.record");
  ASSERT_STATUS(&p, 1);
  ASSERT_TELLS(&p, "process, batch 1: the plugin crashed (SIGSEGV, a bad memory access)");
  ASSERT_TELLS(&p, "as in the record");
  replay(&p, "tests/badplugins/.libs/crash-mended", "s.record");
  ASSERT_STATUS(&p, 0);
  ASSERT_TELLS(&p, "process, batch 1: this plugin answered, where in the record the plugin crashed");
  program_close(&p);
}
END_TEST

START_TEST(records_that_cannot_be_used_are_refused) {
  program p = with_rows(5000);
  write_pipeline(&p, "good", "  s: {use: test.number}\n  o: {use: write-csv, path: o.csv}\n");
  program_run(&p, "run a.yaml --out r --quiet --record s=s.record");
  ASSERT_STATUS(&p, 0);
  gsize size = 0;
  char *bytes = program_read(&p, "s.record", &size);
  const char *good = "tests/badplugins/.libs/good";
  for (gsize cut = 0; cut < size; cut += 1 + size / 23) {
    program_write(&p, "cut.record", bytes, (gssize)cut);
    replay(&p, good, "cut.record");
    ASSERT_STATUS(&p, 2);
    ASSERT_SAYS(&p, cut < 8 ? "is no record of a stage" : "is cut off after");
  }
  for (gsize at = 8; at < size; at += 1 + size / 29) {
    bytes[at] ^= 0x10;
    program_write(&p, "spoilt.record", bytes, (gssize)size);
    replay(&p, good, "spoilt.record");
    ASSERT_STATUS(&p, 2);
    bytes[at] ^= 0x10;
  }
  replay(&p, good, "nowhere.record");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "the record cannot be read");
  replay(&p, "tests/badplugins/.libs/crash-process", "s.record");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "test.number");
  g_free(bytes);
  program_close(&p);
}
END_TEST

START_TEST(what_cannot_be_recorded) {
  static const struct {
    const char *given, *said;
    int status;
  } wrong[] = {{"s", "adloom run: --record s: write STAGE=FILE", 2},
               {"s=", "adloom run: --record s=: write STAGE=FILE", 2},
               {"nobody=x.record", "adloom run: there is no stage `nobody` in a.yaml", 2},
               {"o=x.record", "--record o: sources and sinks cannot be recorded", 2},
               {"s=no/such/folder", "the record no/such/folder cannot be written", 1}};
  program p = with_rows(10);
  write_pipeline(&p, "good", "  s: {use: test.number}\n  o: {use: write-csv, path: o.csv}\n");
  for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
    char *command = g_strdup_printf("run a.yaml --out r --quiet --record %s", wrong[i].given);
    program_run(&p, command);
    ASSERT_STATUS(&p, wrong[i].status);
    ASSERT_SAYS(&p, wrong[i].said);
    ck_assert_int_eq(program_has(&p, "r"), wrong[i].status == 1); /* else nothing was started */
    g_free(command);
  }
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("replay");
  TCase *cases = tcase_create("replay");
  tcase_set_timeout(cases, 120);
  tcase_add_loop_test(cases, the_same_plugin_gives_the_same, 0, (int)G_N_ELEMENTS(own));
  tcase_add_test(cases, a_frozen_model_is_in_the_record);
  tcase_add_test(cases, the_first_difference_is_told);
  tcase_add_test(cases, a_crash_is_repeated_or_mended);
  tcase_add_test(cases, records_that_cannot_be_used_are_refused);
  tcase_add_test(cases, what_cannot_be_recorded);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
