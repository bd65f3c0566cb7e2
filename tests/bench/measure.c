/*
 * Runs a command some times and tells how long it took and how much memory it had. Called by bench.sh.
 *
 *   measure RUNS COMMAND [ARGUMENT...]
 *
 * prints one line: the medians of wall and processor seconds, the shortest wall seconds, and the largest peak of resident
 * memory in MiB (files that are mapped count, too). The command's standard output is thrown away. Ends with the status of
 * the first run that fails.
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

enum { MOST_RUNS = 1000 };

typedef struct taken {
  double wall, processor, peak;
} taken;

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec * 1e-6; }

static int run_once(char **command, taken *result) {
  double begin = now();
  pid_t child = vfork();
  if (child == 0) {
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
    execvp(command[0], command);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (child < 0) return 1;
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR) return 1;
  *result = (taken){now() - begin, seconds(usage.ru_utime) + seconds(usage.ru_stime), (double)usage.ru_maxrss / 1024};
  if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
  return WEXITSTATUS(status);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, by_size);
  return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int main(int argc, char **argv) {
  int runs = argc > 2 ? atoi(argv[1]) : 0;
  if (runs < 1 || runs > MOST_RUNS) {
    fprintf(stderr, "usage: measure RUNS COMMAND [ARGUMENT...]\n");
    return 2;
  }
  static double wall[MOST_RUNS], processor[MOST_RUNS];
  double peak = 0;
  for (int i = 0; i < runs; i++) {
    taken one;
    int status = run_once(argv + 2, &one);
    if (status != 0) {
      fprintf(stderr, "measure: %s ended with status %d\n", argv[2], status);
      return status;
    }
    wall[i] = one.wall;
    processor[i] = one.processor;
    if (one.peak > peak) peak = one.peak;
  }
  double middle = median(wall, runs);
  printf("%.6f %.6f %.6f %.1f\n", middle, median(processor, runs), wall[0], peak);
  return 0;
}
