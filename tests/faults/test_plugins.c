/*
 * Plugins that are wrong, met by the program itself: each is refused, or ends the run, with words that say what is wrong
 * and where; nothing is published then, nothing half-written stays, and pipelines that do not name it are not disturbed.
 */
#include "tests/faults/program.h"

#include <sys/stat.h>

static const char log_csv[] = "user,x\nu1,1\nu2,2\nu3,3\n";

/* Path of a plugin of tests/badplugins in the folder of the test; copied there. */
static char *bring(const program *p, const char *plugin) {
  char *from = g_strdup_printf("%s/tests/badplugins/.libs/%s.so", program_build(), plugin), *bytes = NULL;
  char *name = g_strconcat(plugin, ".so", NULL);
  gsize size = 0;
  ck_assert_msg(g_file_get_contents(from, &bytes, &size, NULL), "%s is not there", from);
  program_write(p, name, bytes, (gssize)size);
  char *path = program_path(p, name);
  ck_assert_int_eq(chmod(path, 0755), 0);
  g_free(bytes);
  g_free(from);
  g_free(path);
  return name;
}

static void write_pipeline(const program *p, const char *file, const char *plugin, const char *class) {
  char *text = g_strdup_printf(
      "adloom: 1\n%s%s%sstages:\n  log: {use: read-csv, path: log.csv, columns: {user: id, x: float}}\n"
      "  s: {use: %s}\n  o: {use: write-csv, path: out.csv}\n",
      plugin != NULL ? "plugins: [./" : "", plugin != NULL ? plugin : "", plugin != NULL ? "]\n" : "", class);
  program_write(p, file, text, -1);
  g_free(text);
}

/* The same file again, on a path where plugins are looked for: others go on, and the plugin is asked for in vain. */
static void others_are_not_disturbed(program *p, const char *plugin, bool refused) {
  char *path = program_path(p, "elsewhere"), *from = program_path(p, plugin),
       *to = g_build_filename(path, plugin, NULL);
  ck_assert_int_eq(mkdir(path, 0755), 0);
  ck_assert_int_eq(rename(from, to), 0);
  g_setenv("ADLOOM_PLUGIN_PATH", path, TRUE);
  write_pipeline(p, "fine.yaml", NULL, "dedupe");
  program_run(p, "check fine.yaml");
  ASSERT_STATUS(p, 0);
  program_run(p, "run fine.yaml --out fine --quiet");
  ASSERT_STATUS(p, 0);
  ck_assert(program_has(p, "fine/out.csv"));
  program_run(p, "plugin list");
  ASSERT_STATUS(p, 0);
  ck_assert_msg(!refused || strstr(p->out, plugin) != NULL, "%s is not in: %s", plugin, p->out);
  g_unsetenv("ADLOOM_PLUGIN_PATH");
  g_free(path);
  g_free(from);
  g_free(to);
}

/* ---- refused before anything starts ---- */

static const struct {
  const char *plugin, *class, *says;
} refused[] = {
    {"wrong-major", "test.wrong-major",
     "it was built for plugin ABI 7.0, this adloom has 1.0; use a newer adloom, or build it"},
    {"newer-minor", "test.newer-minor", "it was built for plugin ABI 1.999"},
    {"no-note", "test.no-note", "it has no adloom note"},
    {"bad-note", "test.bad-note", "its adloom note is damaged"},
    {"two-notes", "test.first", "there are two of them"},
    {"no-entry", "test.no-entry", "no function adl_plugin_entry"},
    {"no-process", "test.no-process", "class `test.no-process` lacks the function process"},
    {"no-init", "test.no-init", "class `test.no-init` lacks the function init"},
    {"declines", "test.declines", "its entry point declines"},
    {"unresolved", "test.unresolved", "undefined symbol: adloom_test_nobody_has_this"},
    {"bad-offset", "test.bad-offset",
     "parameter `far`: its field (8 bytes at offset 24) does not fit the instance of 24 bytes"},
    {"bad-params", "test.bad-params", "`learn` is a key of the pipeline file itself"},
    {"other-kind", "test.other-kind", "its note and its descriptor disagree"},
    {"fail-bind", "test.fail-bind", "s.number: this number is never right"},
};

START_TEST(a_wrong_plugin_is_refused) {
  program p = program_open();
  program_write(&p, "log.csv", log_csv, -1);
  char *plugin = bring(&p, refused[_i].plugin);
  write_pipeline(&p, "a.yaml", plugin, refused[_i].class);
  for (int run = 0; run < 2; run++) {
    program_run(&p, run == 0 ? "check a.yaml" : "run a.yaml --out r");
    ASSERT_STATUS(&p, 2);
    ASSERT_SAYS(&p, refused[_i].says);
    ASSERT_SAYS(&p, "nothing was started");
    ASSERT_SAYS(&p, "a.yaml:");
    ck_assert(!program_has(&p, "r"));
  }
  others_are_not_disturbed(&p, plugin, false);
  g_free(plugin);
  program_close(&p);
}
END_TEST

/* ---- files that are no plugin of ours ---- */

enum { ELF_CLASS = 4, ELF_MACHINE = 18 };

static void truncate_it(GByteArray *bytes) { g_byte_array_set_size(bytes, bytes->len / 2); }
static void leave_the_header(GByteArray *bytes) { g_byte_array_set_size(bytes, 40); }
static void empty_it(GByteArray *bytes) { g_byte_array_set_size(bytes, 0); }
static void other_machine(GByteArray *bytes) {
  bytes->data[ELF_MACHINE] = 0xf3, bytes->data[ELF_MACHINE + 1] = 0; /* RISC-V */
}
static void other_class(GByteArray *bytes) { bytes->data[ELF_CLASS] = 1; /* 32 bits */ }
static void no_elf(GByteArray *bytes) { memcpy(bytes->data, "#!/bin/sh\n", 10); }

static const struct {
  void (*spoil)(GByteArray *bytes);
  const char *says;
} spoiled[] = {
    {truncate_it, "spoiled.so: "}, {leave_the_header, "spoiled.so: "},
    {empty_it, "spoiled.so: "},    {other_machine, "RISC-V"},
    {other_class, "32"},           {no_elf, "not a shared object (no ELF header)"},
};

START_TEST(a_spoiled_file_is_refused) {
  program p = program_open();
  program_write(&p, "log.csv", log_csv, -1);
  char *plugin = bring(&p, "good"), *bytes = NULL;
  gsize size = 0;
  bytes = program_read(&p, plugin, &size);
  GByteArray *content = g_byte_array_new_take((guint8 *)bytes, size);
  spoiled[_i].spoil(content);
  program_write(&p, "spoiled.so", (const char *)content->data, (gssize)content->len);
  char *path = program_path(&p, "spoiled.so");
  ck_assert_int_eq(chmod(path, 0755), 0);
  write_pipeline(&p, "a.yaml", "spoiled.so", "test.number");
  program_run(&p, "run a.yaml --out r");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, spoiled[_i].says);
  ck_assert(!program_has(&p, "r"));
  others_are_not_disturbed(&p, "spoiled.so", true);
  g_byte_array_free(content, TRUE);
  g_free(plugin);
  g_free(path);
  program_close(&p);
}
END_TEST

START_TEST(everybody_may_write_to_it) {
  program p = program_open();
  program_write(&p, "log.csv", log_csv, -1);
  char *plugin = bring(&p, "good"), *path = program_path(&p, plugin);
  write_pipeline(&p, "a.yaml", plugin, "test.number");
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  ck_assert_int_eq(chmod(path, 0777), 0);
  program_run(&p, "run a.yaml --out r2");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "write");
  ck_assert(!program_has(&p, "r2"));
  g_free(plugin);
  g_free(path);
  program_close(&p);
}
END_TEST

/* ---- wrong while the run is on ---- */

static const struct {
  const char *plugin, *says;
  bool checks; /* `adloom check` finds nothing */
} failing[] = {
    {"crash-load", "/crash-load.so crashed (SIGSEGV, a bad memory access) while it was loaded", false},
    {"crash-create", "s: the plugin crashed (SIGSEGV, a bad memory access) in create of test.crash-create 1.0.0",
     false},
    {"crash-process", "s: the plugin crashed (SIGSEGV, a bad memory access) in process of test.crash-process 1.0.0",
     true},
    {"fail-process", "s: these rows are never right", true},
    {"mute-process", "s: process of test.mute-process 1.0.0 failed without saying why", true},
    {"lazy-process", "s: test.lazy-process gave no column `number` of the right length", true},
};

START_TEST(a_failing_plugin_ends_the_run) {
  program p = program_open();
  program_write(&p, "log.csv", log_csv, -1);
  char *plugin = bring(&p, failing[_i].plugin), *class = g_strconcat("test.", failing[_i].plugin, NULL);
  write_pipeline(&p, "a.yaml", plugin, class);
  program_run(&p, "check a.yaml");
  ASSERT_STATUS(&p, failing[_i].checks ? 0 : 1);
  program_run(&p, "run a.yaml --out r --threads 3");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, failing[_i].says);
  ASSERT_SAYS(&p, failing[_i].checks ? "nothing was published" : "nothing was");
  ck_assert(!program_has(&p, "r/out.csv"));
  ck_assert(!program_has(&p, "r/metrics.json"));
  program_assert_tidy(&p);
  others_are_not_disturbed(&p, plugin, false);
  g_free(plugin);
  g_free(class);
  program_close(&p);
}
END_TEST

/* exit would end the run as if all were well. */
START_TEST(a_plugin_that_exits_is_told) {
  program p = program_open();
  GString *log = g_string_new("user,x\n");
  for (int i = 0; i < 1000; i++) g_string_append_printf(log, "u%d,%d\n", i % 10, i);
  program_write(&p, "log.csv", log->str, -1);
  char *plugin = bring(&p, "exits");
  write_pipeline(&p, "a.yaml", plugin, "test.exits");
  program_run(&p, "run a.yaml --out r");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "s: the plugin called exit in process of test.exits 1.0.0");
  ASSERT_SAYS(&p, "nothing was published");
  ck_assert(!program_has(&p, "r/out.csv"));
  program_assert_tidy(&p);
  others_are_not_disturbed(&p, plugin, false);
  g_free(plugin);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

/* All of tests/badplugins at once where plugins are looked for: each is listed or passed over, and others go on. */
START_TEST(all_of_them_disturb_nobody) {
  program p = program_open();
  program_write(&p, "log.csv", log_csv, -1);
  char *folder = g_strdup_printf("%s/tests/badplugins/.libs", program_build());
  g_setenv("ADLOOM_PLUGIN_PATH", folder, TRUE);
  write_pipeline(&p, "fine.yaml", NULL, "dedupe");
  program_run(&p, "run fine.yaml --out fine --quiet");
  ASSERT_STATUS(&p, 0);
  ck_assert(program_has(&p, "fine/out.csv"));
  program_run(&p, "plugin list");
  ASSERT_STATUS(&p, 0);
  ck_assert(strstr(p.out, "test.right") != NULL && strstr(p.out, "no-note.so") != NULL);
  write_pipeline(&p, "right.yaml", NULL, "test.right");
  program_run(&p, "run right.yaml --out right --quiet");
  ASSERT_STATUS(&p, 0);
  ck_assert(program_has(&p, "right/out.csv"));
  g_unsetenv("ADLOOM_PLUGIN_PATH");
  g_free(folder);
  program_close(&p);
}
END_TEST

/* A stage that crashes takes nothing along that was done before: models that were fitted are not fitted again. */
START_TEST(models_outlive_a_crash) {
  program p = program_open();
  GString *log = g_string_new("user,x\n");
  for (int i = 0; i < 1000; i++) g_string_append_printf(log, "u%d,%d\n", i % 10, i);
  program_write(&p, "log.csv", log->str, -1);
  char *plugin = bring(&p, "crash-process");
  program_write(&p, "a.yaml",
                "adloom: 1\nplugins: [./crash-process.so]\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {user: id, x: float}}\n"
                "  k: {use: kmeans, features: [x], clusters: 3}\n"
                "  s: {use: \"${CLASS:-test.crash-process}\"}\n"
                "  o: {use: write-csv, path: out.csv}\n",
                -1);
  program_run(&p, "run a.yaml --out r");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "models that were fitted before are kept");
  program_run(&p, "run a.yaml --out r2 --var CLASS=dedupe");
  ASSERT_STATUS(&p, 0);
  char *manifest = program_read(&p, "r2/manifest.json", NULL);
  ck_assert(strstr(manifest, "\"fitted_in_this_run\" : false") != NULL);
  g_free(manifest);
  g_free(plugin);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("plugins that are wrong");
  TCase *tests = tcase_create("run");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, a_wrong_plugin_is_refused, 0, G_N_ELEMENTS(refused));
  tcase_add_loop_test(tests, a_spoiled_file_is_refused, 0, G_N_ELEMENTS(spoiled));
  tcase_add_test(tests, everybody_may_write_to_it);
  tcase_add_loop_test(tests, a_failing_plugin_ends_the_run, 0, G_N_ELEMENTS(failing));
  tcase_add_test(tests, a_plugin_that_exits_is_told);
  tcase_add_test(tests, all_of_them_disturb_nobody);
  tcase_add_test(tests, models_outlive_a_crash);
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
