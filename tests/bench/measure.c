/*
 * Runs commands some times in turn, and tells how long each took and how much memory it had. Called by bench.sh.
 *
 *   measure [-o PREFIX] RUNS COMMAND [ARGUMENT...] [--- COMMAND [ARGUMENT...]]...
 *
 * prints a line for each command: the medians of wall and processor seconds, the shortest wall seconds, and the largest peak
 * of resident memory in MiB (files that are mapped count, too). Commands take turns (A B A B ...), so that what else the
 * machine does meets all of them alike. Their standard output goes to PREFIX0, PREFIX1, ..., that of all runs one behind
 * the other, or nowhere. A command that fails is not run again and has the line `failed STATUS`; when it is the first one,
 * measure ends with its status.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RUNS = 1000, MOST_COMMANDS = 16 };

typedef struct command {
  char **arguments;
  int status;
  double wall[MOST_RUNS], processor[MOST_RUNS], peak;
} command;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec * 1e-6; }

static void run(command *c, int number, int output) {
  double begin = now();
  pid_t child = vfork();
  if (child == 0) {
    dup2(output, STDOUT_FILENO);
    execvp(c->arguments[0], c->arguments);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  c->status = 1;
  if (child < 0) return;
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR) return;
  c->wall[number] = now() - begin;
  c->processor[number] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  if ((double)usage.ru_maxrss / 1024 > c->peak) c->peak = (double)usage.ru_maxrss / 1024;
  c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, by_size);
  return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Where the output of command i goes: emptied once, then added to. */
static int open_output(const char *prefix, int i, int more) {
  char path[4096] = "/dev/null";
  if (prefix != NULL) snprintf(path, sizeof path, "%s%d", prefix, i);
  int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (more ? O_APPEND : O_TRUNC), 0666);
  if (file < 0) perror(path);
  return file;
}

/* Splits the arguments at ---, which becomes NULL. */
static int split(char **arguments, command *commands) {
  int count = 1;
  commands[0].arguments = arguments;
  for (; *arguments != NULL; arguments++) {
    if (strcmp(*arguments, "---") != 0) continue;
    *arguments = NULL;
    if (count == MOST_COMMANDS) return 0;
    commands[count++].arguments = arguments + 1;
  }
  for (int i = 0; i < count; i++)
    if (commands[i].arguments[0] == NULL) return 0;
  return count;
}

int main(int argc, char **argv) {
  static command commands[MOST_COMMANDS];
  const char *prefix = argc > 2 && strcmp(argv[1], "-o") == 0 ? argv[2] : NULL;
  char **rest = argv + (prefix != NULL ? 3 : 1);
  int runs = argv + argc - rest > 1 ? atoi(rest[0]) : 0,
      count = runs >= 1 && runs <= MOST_RUNS ? split(rest + 1, commands) : 0;
  if (count == 0) {
    fprintf(stderr, "usage: measure [-o PREFIX] RUNS COMMAND [ARGUMENT...] [--- COMMAND [ARGUMENT...]]...\n");
    return 2;
  }
  for (int number = 0; number < runs; number++) {
    for (int i = 0; i < count; i++) {
      if (commands[i].status != 0) continue;
      int output = open_output(prefix, i, number > 0);
      if (output < 0) return 1;
      run(&commands[i], number, output);
      close(output);
      if (commands[i].status != 0)
        fprintf(stderr, "measure: %s ended with status %d\n", commands[i].arguments[0], commands[i].status);
    }
    if (commands[0].status != 0) return commands[0].status;
  }
  for (int i = 0; i < count; i++) {
    command *c = &commands[i];
    if (c->status != 0) {
      printf("failed %d\n", c->status);
      continue;
    }
    double middle = median(c->wall, runs);
    printf("%.6f %.6f %.6f %.1f\n", middle, median(c->processor, runs), c->wall[0], c->peak);
  }
  return 0;
}
