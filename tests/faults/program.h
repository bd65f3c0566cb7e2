/*
 * Running the adloom program in a folder of its own: what it said, how it ended, what it left. For the tests of
 * tests/faults, which spoil what surrounds it.
 */
#ifndef ADLOOM_TESTS_FAULTS_PROGRAM_H
#define ADLOOM_TESTS_FAULTS_PROGRAM_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct program {
  char *folder;         /* temporary: pipeline files, data, run directories */
  int status;           /* exit status of the last run; 128 + number of the signal that ended it */
  char *out, *said;     /* standard output, standard error */
  void (*before)(void); /* in the child, before it becomes adloom; NULL: nothing */
} program;

static inline program program_open(void) {
  program p = {.folder = g_dir_make_tmp("adloom-XXXXXX", NULL)};
  ck_assert_ptr_nonnull(p.folder);
  g_setenv("XDG_CACHE_HOME", p.folder, TRUE); /* the model store */
  g_setenv("XDG_DATA_HOME", p.folder, TRUE);
  g_setenv("LC_ALL", "C", TRUE);
  g_unsetenv("ADLOOM_PLUGIN_PATH");
  return p;
}

static inline int program_remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
  (void)status, (void)type, (void)at;
  return remove(path);
}

static inline void program_close(program *p) {
  nftw(p->folder, program_remove_one, 16, FTW_DEPTH | FTW_PHYS);
  g_free(p->folder);
  g_free(p->out);
  g_free(p->said);
}

static inline char *program_path(const program *p, const char *name) { return g_build_filename(p->folder, name, NULL); }

static inline void program_write(const program *p, const char *name, const char *content, gssize size) {
  char *path = program_path(p, name);
  ck_assert_msg(g_file_set_contents(path, content, size, NULL), "%s", path);
  g_free(path);
}

/* A file of the folder; to be freed; NULL: there is none. */
/* One with a pipeline, a.yaml, that copies log.csv to out.csv. */
static inline program program_with_pipeline(void) {
  program p = program_open();
  program_write(&p, "a.yaml",
                "adloom: 1\nstages:\n"
                "  log: {use: read-csv, path: log.csv, columns: {x: int}}\n"
                "  out: {use: write-csv, path: out.csv}\n",
                -1);
  program_write(&p, "log.csv", "x\n1\n2\n", -1);
  return p;
}

static inline char *program_read(const program *p, const char *name, gsize *size) {
  char *path = program_path(p, name);
  char *content = NULL;
  bool there = g_file_get_contents(path, &content, size, NULL);
  g_free(path);
  return there ? content : NULL;
}

static inline bool program_has(const program *p, const char *name) {
  char *path = program_path(p, name);
  bool there = g_file_test(path, G_FILE_TEST_EXISTS);
  g_free(path);
  return there;
}

static inline const char *program_build(void) {
  const char *build = g_getenv("ADLOOM_BUILD");
  ck_assert_msg(build != NULL, "ADLOOM_BUILD is not set; run this by make check");
  return build;
}

/* Starts adloom with a command line ("run a.yaml --out r"), split at blanks; its output goes to files of the folder. */
static inline pid_t program_start(const program *p, const char *command, const char *output) {
  char *out = g_strdup_printf("%s/%s.out", p->folder, output), *said = g_strdup_printf("%s/%s.said", p->folder, output);
  char *line = g_strconcat("adloom ", command, NULL), *file = g_build_filename(program_build(), "adloom", NULL);
  char **arguments = g_strsplit(line, " ", -1);
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    int to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666), errors = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (chdir(p->folder) != 0 || dup2(to, 1) < 0 || dup2(errors, 2) < 0) _exit(99);
    if (p->before != NULL) p->before();
    execv(file, arguments);
    _exit(98);
  }
  g_strfreev(arguments);
  g_free(file);
  g_free(line);
  g_free(out);
  g_free(said);
  return pid;
}

static inline int program_status(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Waits for the end, and takes over what was said. */
static inline int program_end(program *p, pid_t pid, const char *output) {
  int status = 0;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  char *out = g_strconcat(output, ".out", NULL), *said = g_strconcat(output, ".said", NULL);
  g_free(p->out);
  g_free(p->said);
  p->out = program_read(p, out, NULL);
  p->said = program_read(p, said, NULL);
  g_free(out);
  g_free(said);
  return p->status = program_status(status);
}

static inline int program_run(program *p, const char *command) {
  return program_end(p, program_start(p, command, "last"), "last");
}

#define ASSERT_STATUS(p, wanted)                                                                                       \
  ck_assert_msg((p)->status == (wanted), "status %d, not %d: %s%s", (p)->status, (wanted), (p)->out, (p)->said)
#define ASSERT_SAYS(p, text) ck_assert_msg(strstr((p)->said, text) != NULL, "\"%s\" is not in: %s", text, (p)->said)

/* Names of all files below a folder of ours, sorted, one a line; without the model store and what tests wrote. */
static inline void program_list(const char *folder, const char *prefix, GPtrArray *names) {
  GDir *dir = g_dir_open(folder, 0, NULL);
  for (const char *name = dir != NULL ? g_dir_read_name(dir) : NULL; name != NULL; name = g_dir_read_name(dir)) {
    char *path = g_build_filename(folder, name, NULL), *shown = g_strconcat(prefix, name, NULL),
         *below = g_strconcat(shown, "/", NULL);
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
      program_list(path, below, names);
    else
      g_ptr_array_add(names, g_strdup(shown));
    g_free(path);
    g_free(shown);
    g_free(below);
  }
  if (dir != NULL) g_dir_close(dir);
}

static inline int program_by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static inline GPtrArray *program_files(const program *p, const char *below) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  char *folder = program_path(p, below);
  program_list(folder, "", names);
  g_ptr_array_sort(names, program_by_name);
  g_free(folder);
  return names;
}

/* No half-written file anywhere in the folder. */
static inline void program_assert_tidy(const program *p) {
  GPtrArray *names = program_files(p, ".");
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index(names, i);
    ck_assert_msg(strstr(name, ".part.") == NULL && strstr(name, ".tmp-") == NULL && strstr(name, "spool") == NULL,
                  "%s was left", name);
  }
  g_ptr_array_free(names, TRUE);
}

#endif
