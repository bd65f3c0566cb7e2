/*
 * Data and disks that are wrong, met by the program itself: records that cannot be rows, files that end or shrink, disks
 * that are full or may not be written to. Rejects add up, messages name file and reason, nothing is published that is not
 * whole.
 */
#include "tests/faults/program.h"

#include <sys/resource.h>
#include <sys/stat.h>

static const char pipeline[] =
    "adloom: 1\nmax_rejects: 1\nstages:\n"
    "  log: {use: read-csv, path: log.csv, columns: {user: id, x: float, n: int, text: string}}\n"
    "  o: {use: write-csv, path: out.csv}\n";

static int64_t lines_of(const program *p, const char *name) {
  char *text = program_read(p, name, NULL);
  ck_assert_msg(text != NULL, "%s is missing", name);
  int64_t lines = 0;
  for (const char *c = text; *c != '\0'; c++) lines += *c == '\n';
  g_free(text);
  return lines;
}

/* A number of the manifest. */
static int64_t told(const program *p, const char *run, const char *member) {
  char *name = g_strdup_printf("%s/manifest.json", run), *text = program_read(p, name, NULL),
       *key = g_strdup_printf("\"%s\" : ", member);
  const char *at = text != NULL ? strstr(text, key) : NULL;
  ck_assert_msg(at != NULL, "%s: no %s", name, member);
  int64_t value = g_ascii_strtoll(at + strlen(key), NULL, 10);
  g_free(name);
  g_free(text);
  g_free(key);
  return value;
}

static void assert_not_published(const program *p, const char *run) {
  char *out = g_strdup_printf("%s/out.csv", run);
  ck_assert(!program_has(p, out));
  program_assert_tidy(p);
  g_free(out);
}

/* ---- records that cannot be rows ---- */

static const struct {
  const char *record, *column, *says;
  gssize size; /* -1: up to the NUL */
} bad[] = {
    {"u,one,1,t\n", "x", "\\\"one\\\" is not a float", -1},
    {"u,1,1.5,t\n", "n", "\\\"1.5\\\" is not an int", -1},
    {"u,1,99999999999999999999,t\n", "n", "out of range", -1},
    {"u,1,1\n", NULL, "too few fields: 3 instead of 4", -1},
    {"u\n", NULL, "too few fields: 1 instead of 4", -1},
    {"u,1,1,t,more\n", NULL, "too many fields: more than 4", -1},
    {"u,1,1,a\0b\n", NULL, "a NUL byte in the text", 10},
    {"u\0,1,1,t\n", NULL, "a NUL byte in the text", 9},
    {"u,1,1,\xff\xfe\n", "text", "invalid UTF-8 at byte 1 of the field", -1},
    {"u,1,1,ab\xc3(\n", "text", "invalid UTF-8 at byte 3 of the field", -1},
    {"\xed\xa0\x80,1,1,t\n", "user", "invalid UTF-8 at byte 1 of the field", -1},
};

START_TEST(a_bad_record_is_told_and_left_out) {
  program p = program_open();
  GString *log = g_string_new("user,x,n,text\n");
  g_string_append(log, "u1,1,1,first\n");
  g_string_append_len(log, bad[_i].record, bad[_i].size < 0 ? (gssize)strlen(bad[_i].record) : bad[_i].size);
  g_string_append(log, "u2,2,2,last\n");
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  program_write(&p, "a.yaml", pipeline, -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  char *rejects = program_read(&p, "r/rejects.jsonl", NULL), *out = program_read(&p, "r/out.csv", NULL);
  ck_assert_str_eq(out, "user,x,n,text\nu1,1,1,first\nu2,2,2,last\n");
  ck_assert_int_eq(lines_of(&p, "r/rejects.jsonl"), 1);
  ck_assert_msg(strstr(rejects, bad[_i].says) != NULL, "%s", rejects);
  ck_assert_msg(strstr(rejects, "\"line\":3,") != NULL && strstr(rejects, "log.csv\"") != NULL, "%s", rejects);
  char *column = g_strdup_printf("\"column\":\"%s\"", bad[_i].column);
  ck_assert_msg(bad[_i].column == NULL || strstr(rejects, column) != NULL, "%s", rejects);
  ck_assert_int_eq(told(&p, "r", "rows_read"), 3);
  ck_assert_int_eq(told(&p, "r", "rows_rejected"), 1);
  /* With the usual limit of one in a hundred the run ends. */
  char *strict = g_strconcat("adloom: 1\n", strstr(pipeline, "stages:"), NULL);
  program_write(&p, "b.yaml", strict, -1);
  program_run(&p, "run b.yaml --out r2 --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "1 of 3 rows (33.33 %) were rejected; 1.00 % are allowed");
  ASSERT_SAYS(&p, "note: the first one: ");
  ASSERT_SAYS(&p, "rejects.jsonl");
  assert_not_published(&p, "r2");
  ck_assert_int_eq(lines_of(&p, "r2/rejects.jsonl"), 1);
  g_free(strict);
  g_free(column);
  g_free(rejects);
  g_free(out);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

/* All kinds of bad records among good ones, in a file of several blocks, whatever the number of threads. */
START_TEST(rejects_add_up) {
  program p = program_open();
  GString *log = g_string_new("user,x,n,text\n");
  int64_t spoiled = 0;
  for (int i = 0; i < 50000; i++) {
    if (i % 37 == 0) {
      int kind = i / 37 % (int)G_N_ELEMENTS(bad);
      g_string_append_len(log, bad[kind].record,
                          bad[kind].size < 0 ? (gssize)strlen(bad[kind].record) : bad[kind].size);
      spoiled++;
    } else {
      g_string_append_printf(log, "u%d,%d,%d,%s\n", i % 50, i, i, i % 11 == 0 ? "\"two\nlines\"" : "plain");
    }
  }
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  program_write(&p, "a.yaml", pipeline, -1);
  static const char *const runs[] = {"run a.yaml --out r1 --quiet --threads 1",
                                     "run a.yaml --out r3 --quiet --threads 3"};
  for (int i = 0; i < 2; i++) {
    program_run(&p, runs[i]);
    ASSERT_STATUS(&p, 0);
  }
  ck_assert_int_eq(told(&p, "r3", "rows_read"), 50000);
  ck_assert_int_eq(told(&p, "r3", "rows_rejected"), spoiled);
  ck_assert_int_eq(lines_of(&p, "r3/rejects.jsonl"), spoiled);
  char *one = program_read(&p, "r1/rejects.jsonl", NULL), *three = program_read(&p, "r3/rejects.jsonl", NULL);
  ck_assert_str_eq(one, three);
  g_free(one);
  g_free(three);
  one = program_read(&p, "r1/out.csv", NULL), three = program_read(&p, "r3/out.csv", NULL);
  ck_assert_str_eq(one, three);
  int64_t records = 0;
  for (const char *c = one; *c != '\0'; c++) records += *c == '\n' && c[1] == 'u';
  ck_assert_int_eq(records, 50000 - spoiled);
  g_free(one);
  g_free(three);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

START_TEST(a_field_of_ten_megabytes) {
  program p = program_open();
  GString *log = g_string_new("user,x,n,text\nu1,1,1,first\nu2,2,2,");
  gsize begin = log->len;
  g_string_set_size(log, begin + (10 << 20));
  memset(log->str + begin, 'a', 10 << 20);
  g_string_append(log, "\nu3,3,3,last\n");
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  program_write(&p, "a.yaml", pipeline, -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  char *rejects = program_read(&p, "r/rejects.jsonl", NULL), *out = program_read(&p, "r/out.csv", NULL);
  ck_assert_str_eq(out, "user,x,n,text\nu1,1,1,first\nu3,3,3,last\n");
  ck_assert_msg(strstr(rejects, "\"line\":3,") != NULL && strlen(rejects) < 1000, "%s", rejects);
  g_free(out);
  /* It is no mistake where it is expected. */
  program_run(&p, "run a.yaml --out r2 --quiet --set log.max_field=16M");
  ASSERT_STATUS(&p, 0);
  gsize size = 0;
  out = program_read(&p, "r2/out.csv", &size);
  ck_assert_uint_eq(size, log->len);
  ck_assert(memcmp(out, log->str, size) == 0);
  g_free(out);
  g_free(rejects);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

START_TEST(a_quote_that_never_ends) {
  program p = program_open();
  program_write(&p, "log.csv", "user,x,n,text\nu1,1,1,first\nu2,2,2,\"no end\nu3,3,3,last\n", -1);
  program_write(&p, "a.yaml", pipeline, -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  char *rejects = program_read(&p, "r/rejects.jsonl", NULL);
  ck_assert_msg(strstr(rejects, "\"line\":3,") != NULL && strstr(rejects, "quote") != NULL, "%s", rejects);
  g_free(rejects);
  char *out = program_read(&p, "r/out.csv", NULL);
  ck_assert_msg(g_str_has_prefix(out, "user,x,n,text\nu1,1,1,first\n"), "%s", out);
  ck_assert_int_eq(told(&p, "r", "rows_read"), lines_of(&p, "r/out.csv") - 1 + lines_of(&p, "r/rejects.jsonl"));
  g_free(out);
  program_close(&p);
}
END_TEST

/* ---- files that are not what they were ---- */

/* Bytes that a process has read of a file; -1: it has not opened it. */
static int64_t read_of(pid_t pid, const char *path) {
  int64_t position = -1;
  for (int fd = 3; fd < 64 && position < 0; fd++) {
    char link[64], target[4096], *text = NULL;
    g_snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t size = readlink(link, target, sizeof target - 1);
    if (size < 0) continue;
    target[size] = '\0';
    g_snprintf(link, sizeof link, "/proc/%d/fdinfo/%d", (int)pid, fd);
    if (strcmp(target, path) == 0 && g_file_get_contents(link, &text, NULL, NULL))
      position = g_ascii_strtoll(text + strlen("pos:\t"), NULL, 10);
    g_free(text);
  }
  return position;
}

START_TEST(a_file_that_shrinks) {
  if (access("/proc/self/fdinfo/0", R_OK) != 0) return; /* no way to see how far it has read */
  program p = program_open();
  GString *log = g_string_new("x\n");
  for (int i = 0; i < 4000000; i++) g_string_append_printf(log, "%d\n", i % 10);
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  char *yaml = g_strdup_printf("adloom: 1\nplugins: [%s/tests/engine/.libs/odd.so]\nstages:\n"
                               "  log: {use: read-csv, path: log.csv, columns: {x: float}}\n"
                               "  s: {use: test.slow, milliseconds: 5}\n  o: {use: write-csv, path: out.csv}\n",
                               program_build());
  program_write(&p, "a.yaml", yaml, -1);
  char *folder = realpath(p.folder, NULL), *path = g_build_filename(folder, "log.csv", NULL);
  pid_t pid = program_start(&p, "run a.yaml --out r --quiet --threads 1", "last");
  /* The header has been read once before, in the first quarter of a megabyte: what shrinks then is a shorter file. */
  int64_t position = -1;
  while (position <= (1 << 20) && waitpid(pid, NULL, WNOHANG) == 0) {
    position = read_of(pid, path);
    g_usleep(1000);
  }
  ck_assert_int_gt(position, 1 << 20);
  ck_assert_int_eq(truncate(path, (off_t)position), 0);
  program_end(&p, pid, "last");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "log.csv");
  ASSERT_SAYS(&p, "the file became shorter while it was read");
  assert_not_published(&p, "r");
  g_free(yaml);
  g_free(path);
  free(folder);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

START_TEST(a_packed_file_that_is_cut) {
  program p = program_open();
  GString *log = g_string_new("user,x,n,text\n");
  for (int i = 0; i < 200000; i++) g_string_append_printf(log, "u%d,%d,%d,text %d\n", i % 50, i, i, i * 7919 % 1000);
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  program_write(&p, "a.yaml", pipeline, -1);
  char *command =
      g_strdup_printf("cd '%s' && gzip -c log.csv > whole.gz && head -c 700000 whole.gz > log.csv", p.folder);
  if (system(command) == 0) {
    program_run(&p, "run a.yaml --out r --quiet");
    ASSERT_STATUS(&p, 1);
    ASSERT_SAYS(&p, "log.csv");
    ASSERT_SAYS(&p, "the gzip data ends too early: the file is not complete");
    assert_not_published(&p, "r");
  }
  g_free(command);
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

START_TEST(files_that_are_not_there) {
  program p = program_open();
  program_write(&p, "a.yaml", pipeline, -1);
  program_run(&p, "run a.yaml --out r");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "a.yaml:4:30: error: log.path: 'log.csv' cannot be read: No such file or directory");
  ck_assert(!program_has(&p, "r"));
  program_run(&p, "run nowhere.yaml");
  ASSERT_STATUS(&p, 2);
  ASSERT_SAYS(&p, "nowhere.yaml");
  ck_assert(!program_has(&p, "runs"));
  program_write(&p, "log.csv", "user,x,n,text\n", -1);
  program_run(&p, "run a.yaml --models nowhere --out r");
  ASSERT_STATUS(&p, 0); /* no stage learns */
  program_close(&p);
}
END_TEST

/* ---- disks ---- */

static void write_numbers(const program *p, int rows) {
  GString *log = g_string_new("user,x,n,text\n");
  for (int i = 0; i < rows; i++) g_string_append_printf(log, "user number %d,%d,%d,text\n", i * 7919 % rows, i, i);
  program_write(p, "log.csv", log->str, (gssize)log->len);
  g_string_free(log, TRUE);
}

static void files_of_a_megabyte(void) {
  struct rlimit limit = {1 << 20, 1 << 20};
  setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(an_output_that_grows_too_large) {
  program p = program_open();
  write_numbers(&p, 100000);
  program_write(&p, "a.yaml", pipeline, -1);
  p.before = files_of_a_megabyte;
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "o.path: ");
  ASSERT_SAYS(&p, "cannot write to it: File too large");
  ASSERT_SAYS(&p, "nothing was published");
  assert_not_published(&p, "r");
  program_close(&p);
}
END_TEST

START_TEST(a_spool_that_grows_too_large) {
  program p = program_open();
  write_numbers(&p, 100000);
  program_write(
      &p, "a.yaml",
      "adloom: 1\nstages:\n  log: {use: read-csv, path: log.csv, columns: {user: id, x: float, n: int, text: string}}\n"
      "  s: {use: sort, by: user}\n  o: {use: write-csv, path: out.csv}\n",
      -1);
  p.before = files_of_a_megabyte;
  program_run(&p, "run a.yaml --out r --quiet --memory 1M");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "s: cannot write to the spool file in ");
  ASSERT_SAYS(&p, "File too large");
  assert_not_published(&p, "r");
  program_close(&p);
}
END_TEST

/* A disk of two megabytes, where the user may mount one. */
START_TEST(a_disk_that_is_full) {
  program p = program_open();
  write_numbers(&p, 100000);
  program_write(&p, "a.yaml", pipeline, -1);
  char *disk = program_path(&p, "disk"), *mount = g_strdup_printf("mount -t tmpfs -o size=2m none '%s' 2>&1", disk);
  char *unmount = g_strdup_printf("umount '%s'", disk);
  ck_assert_int_eq(mkdir(disk, 0777), 0);
  if (geteuid() == 0 && system(mount) == 0) {
    program_run(&p, "run a.yaml --out disk/r --quiet");
    int status = p.status;
    char *said = g_strdup(p.said);
    bool published = program_has(&p, "disk/r/out.csv");
    program_assert_tidy(&p);
    int undone = system(unmount);
    ck_assert_int_eq(undone, 0);
    ck_assert_int_eq(status, 1);
    ck_assert_msg(strstr(said, "No space left on device") != NULL && strstr(said, "make room on that disk") != NULL,
                  "%s", said);
    ck_assert(!published);
    g_free(said);
  }
  g_free(disk);
  g_free(mount);
  g_free(unmount);
  program_close(&p);
}
END_TEST

START_TEST(a_device_that_is_full) {
  program p = program_open();
  write_numbers(&p, 100);
  char *yaml = g_strconcat(pipeline, "  full: {use: write-csv, from: log, path: /dev/full}\n", NULL);
  program_write(&p, "a.yaml", yaml, -1);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "full.path: /dev/full: cannot write to it: No space left on device");
  assert_not_published(&p, "r");
  struct stat state;
  ck_assert(stat("/dev/full", &state) == 0 && S_ISCHR(state.st_mode));
  program_run(&p, "run a.yaml --out r2 --quiet --set full.path=/dev/null");
  ASSERT_STATUS(&p, 0);
  ck_assert(stat("/dev/null", &state) == 0 && S_ISCHR(state.st_mode));
  ck_assert_int_eq(lines_of(&p, "r2/out.csv"), 101);
  g_free(yaml);
  program_close(&p);
}
END_TEST

static void fill_output(void) {
  int full = open("/dev/full", O_WRONLY);
  if (full < 0 || dup2(full, 1) < 0) _exit(97);
}

/* A disk that is full may be where standard output goes. */
START_TEST(standard_output_that_is_full) {
  static const char *const commands[] = {"schema", "plugin list", "--help", "peek a.yaml log", "init log.csv"};
  program p = program_open();
  write_numbers(&p, 100);
  program_write(&p, "a.yaml", pipeline, -1);
  p.before = fill_output;
  for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
    program_run(&p, commands[i]);
    ASSERT_STATUS(&p, 1);
    ASSERT_SAYS(&p, "cannot write to standard output");
  }
  program_close(&p);
}
END_TEST

/* By its name, by another one, and through a link: what is read is never replaced. */
START_TEST(an_output_in_the_place_of_an_input) {
  static const char *const paths[] = {"../log.csv", "../r/../log.csv", "../link.csv"};
  program p = program_open();
  write_numbers(&p, 100);
  program_write(&p, "a.yaml", pipeline, -1);
  char *link = program_path(&p, "link.csv");
  ck_assert_int_eq(symlink("log.csv", link), 0);
  int64_t lines = lines_of(&p, "log.csv");
  for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
    char *line = g_strdup_printf("run a.yaml --out r --quiet --set o.path=%s", paths[i]);
    program_run(&p, line);
    ASSERT_STATUS(&p, 1);
    ASSERT_SAYS(&p, "log.path: ");
    ASSERT_SAYS(&p, "log.csv is read here, and an output would replace it");
    ck_assert_int_eq(lines_of(&p, "log.csv"), lines);
    g_free(line);
  }
  g_free(link);
  program_close(&p);
}
END_TEST

/* Root may write everywhere: then the program runs as nobody. */
static void become_nobody(void) {
  if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(97);
}

START_TEST(folders_that_may_not_be_written_to) {
  program p = program_open();
  write_numbers(&p, 100);
  char *folder = program_path(&p, "locked"), *cache = program_path(&p, "adloom");
  ck_assert_int_eq(chmod(p.folder, 0755), 0);
  ck_assert_int_eq(mkdir(folder, 0555), 0);
  char *open_folder = program_path(&p, "open");
  ck_assert_int_eq(mkdir(open_folder, 0777) + chmod(open_folder, 0777), 0);
  char *yaml = g_strconcat(pipeline, "  locked: {use: write-csv, from: log, path: ../../locked/out.csv}\n", NULL);
  program_write(&p, "a.yaml", yaml, -1);
  p.before = become_nobody;
  program_run(&p, "run a.yaml --out open/r --quiet");
  if (p.status == 97 || p.status == 98) return; /* cannot become somebody else here */
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "locked.path: ");
  ASSERT_SAYS(&p, "cannot write to it: Permission denied");
  ASSERT_SAYS(&p, "choose a folder that you may write to");
  assert_not_published(&p, "open/r");
  program_run(&p, "run a.yaml --out locked/r --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "cannot make the run directory");
  ASSERT_SAYS(&p, "Permission denied");
  program_run(&p, "run a.yaml --quiet"); /* runs/... beside it */
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "cannot make the run directory");
  g_free(yaml);
  g_free(folder);
  g_free(open_folder);
  g_free(cache);
  program_close(&p);
}
END_TEST

START_TEST(an_output_that_cannot_be_replaced) {
  program p = program_open();
  write_numbers(&p, 100);
  char *yaml = g_strconcat(pipeline, "  b: {use: write-csv, from: log, path: ../folder}\n", NULL),
       *folder = program_path(&p, "folder");
  program_write(&p, "a.yaml", yaml, -1);
  ck_assert_int_eq(mkdir(folder, 0777), 0);
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "it is a folder");
  assert_not_published(&p, "r");
  g_free(yaml);
  g_free(folder);
  program_close(&p);
}
END_TEST

/* The old output stays as it was until the new one is whole; a link stays a link. */
START_TEST(an_old_output_stays_until_the_new_one_is_whole) {
  program p = program_open();
  write_numbers(&p, 100000);
  char *yaml = g_strdup("adloom: 1\nstages:\n  log: {use: read-csv, path: log.csv, columns: {user: id, x: float}}\n"
                        "  o: {use: write-csv, path: ../link.csv}\n");
  program_write(&p, "a.yaml", yaml, -1);
  program_write(&p, "old.csv", "old\n", -1);
  char *link = program_path(&p, "link.csv");
  ck_assert_int_eq(symlink("old.csv", link), 0);
  p.before = files_of_a_megabyte;
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 1);
  char *old = program_read(&p, "old.csv", NULL);
  ck_assert_str_eq(old, "old\n");
  g_free(old);
  program_assert_tidy(&p);
  p.before = NULL;
  program_run(&p, "run a.yaml --out r --quiet");
  ASSERT_STATUS(&p, 0);
  ck_assert(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
  ck_assert_int_eq(lines_of(&p, "old.csv"), 100001);
  g_free(link);
  g_free(yaml);
  program_close(&p);
}
END_TEST

/* Why rows are gone: in the summary, in the log, and where a stage is left without any. */
START_TEST(what_was_lost_is_told) {
  program p = program_open();
  GString *log = g_string_new("ad,x,click\n");
  for (int i = 0; i < 30; i++)
    g_string_append_printf(log, "%c,%d,%s\n", "abcd"[i % 4], i, i == 0 ? "2" : i < 13 ? "" : i % 2 ? "1" : "0");
  program_write(&p, "log.csv", log->str, (gssize)log->len);
  program_write(&p, "ads.csv", "ad,price\na,1\nb,2\n", -1);
  program_write(&p, "a.yaml",
                "adloom: 1\nmax_rejects: 1\nstages:\n"
                "  ads: {use: read-csv, path: ads.csv, columns: {ad: id, price: float}}\n"
                "  log: {use: read-csv, path: log.csv, columns: {ad: id, x: float, click: int}}\n"
                "  known: {use: join, with: ads, on: ad, missing: drop}\n"
                "  few: {use: filter, where: x < 28}\n"
                "  p: {use: ftrl, features: [x, price], label: click}\n"
                "  o: {use: write-csv, path: out.csv}\n",
                -1);
  /* 2 is refused first, empty ones six times */
  for (int threads = 1; threads < 4; threads++) {
    char *run = g_strdup_printf("run a.yaml --out r%d --threads %d --fresh", threads, threads);
    char *name = g_strdup_printf("r%d/log.txt", threads);
    program_run(&p, run);
    ASSERT_STATUS(&p, 0);
    ck_assert_msg(strstr(p.out, "rejected most often: 6: p: click: is null\ndropped by known: 14 of 30 rows\n") != NULL,
                  "%s", p.out);
    ck_assert_ptr_null(strstr(p.out, ": few"));
    char *said = program_read(&p, name, NULL);
    ck_assert_ptr_nonnull(strstr(said, "info: known: 14 of 30 rows were dropped\n"));
    ck_assert_ptr_nonnull(strstr(said, "info: few: 2 of 16 rows were dropped\n"));
    g_free(said);
    g_free(name);
    g_free(run);
  }
  /* Only rows with a label that is none are left. */
  program_run(&p, "run a.yaml --out none --set few.where=x<13");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "there are no training rows with a usable label");
  ASSERT_SAYS(&p, "note: 6 rows were rejected before that: p: click: is null (the most frequent reason)\n");
  ASSERT_SAYS(&p, "note: known dropped 14 of 30 rows before that\n");
  program_run(&p, "run a.yaml --out strict --set max_rejects=0.1");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "7 of 32 rows (21.88 %) were rejected");
  ASSERT_SAYS(&p, "note: 6 rows were rejected: p: click: is null (the most frequent reason)\n");
  ASSERT_SAYS(&p, "note: the first one: p: ");
  g_string_free(log, TRUE);
  program_close(&p);
}
END_TEST

/* A sanitizer needs much more of it for itself. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WITH_LITTLE_ADDRESS_SPACE
static void little_address_space(void) {
  struct rlimit limit = {.rlim_cur = 200000 << 10, .rlim_max = 200000 << 10};
  setrlimit(RLIMIT_AS, &limit);
}

/* OpenBLAS would look for room for ever. */
START_TEST(an_address_space_that_is_too_small) {
  program p = program_open();
  program_write(&p, "log.csv", "x,y\n1,2\n3,4\n5,6\n7,9\n", -1);
  program_write(&p, "a.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: float, y: float}}\n"
                "  segment: {use: kmeans, features: [x, y], clusters: 2}\n"
                "  o: {use: write-csv, path: out.csv}\n",
                -1);
  p.before = little_address_space;
  program_run(&p, "run a.yaml --out r --quiet --threads 2");
  ASSERT_STATUS(&p, 1);
  ASSERT_SAYS(&p, "OpenBLAS needs 384 MiB of address space for 2 threads, and this process cannot have so much");
  ASSERT_SAYS(&p, "hint: raise the limit (ulimit -v), or take fewer threads (--threads)");
  assert_not_published(&p, "r");
  p.before = NULL;
  program_run(&p, "run a.yaml --out r --quiet --threads 2");
  ASSERT_STATUS(&p, 0);
  program_close(&p);
}
END_TEST
#endif

int main(void) {
  Suite *suite = suite_create("data and disks that are wrong");
  TCase *tests = tcase_create("run");
  tcase_set_timeout(tests, 240);
  tcase_add_loop_test(tests, a_bad_record_is_told_and_left_out, 0, G_N_ELEMENTS(bad));
  tcase_add_test(tests, rejects_add_up);
  tcase_add_test(tests, a_field_of_ten_megabytes);
  tcase_add_test(tests, a_quote_that_never_ends);
  tcase_add_test(tests, a_file_that_shrinks);
  tcase_add_test(tests, a_packed_file_that_is_cut);
  tcase_add_test(tests, files_that_are_not_there);
  tcase_add_test(tests, an_output_that_grows_too_large);
  tcase_add_test(tests, a_spool_that_grows_too_large);
  tcase_add_test(tests, a_disk_that_is_full);
  tcase_add_test(tests, a_device_that_is_full);
  tcase_add_test(tests, standard_output_that_is_full);
  tcase_add_test(tests, an_output_in_the_place_of_an_input);
  tcase_add_test(tests, folders_that_may_not_be_written_to);
  tcase_add_test(tests, an_output_that_cannot_be_replaced);
  tcase_add_test(tests, an_old_output_stays_until_the_new_one_is_whole);
  tcase_add_test(tests, what_was_lost_is_told);
#ifdef WITH_LITTLE_ADDRESS_SPACE
  tcase_add_test(tests, an_address_space_that_is_too_small);
#endif
  suite_add_tcase(suite, tests);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
