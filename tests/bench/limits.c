/*
 * What this machine can do at best, on one thread, at this moment: figures of adloom are told beside these. Called by
 * bench.sh.
 *
 *   limits FILE     prints: read(2) of the file from the page cache, copying memory (bytes copied), and looking for line
 *                   ends with memchr, in GB/s, each the best of five; and the nanoseconds of taking memory, of a mutex and of
 *                   reading the clock twice, which a batch that is handed on cannot do without
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 5, CHUNK = 1 << 20, COPIED = 64 << 20, SMALL_STEPS = 1000000 };

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

/* What the last measurement made, so that no compiler leaves it out. */
static volatile uint64_t sink;

static double read_file(const char *path, char *buffer) {
  int file = open(path, O_RDONLY);
  if (file < 0) return 0;
  double begin = now(), bytes = 0;
  for (ssize_t got = read(file, buffer, CHUNK); got > 0; got = read(file, buffer, CHUNK)) bytes += (double)got;
  close(file);
  return bytes / (now() - begin) / 1e9;
}

static double copy_memory(char *from, char *to) {
  double begin = now();
  memcpy(to, from, COPIED);
  double rate = COPIED / (now() - begin) / 1e9;
  sink = (uint64_t)to[COPIED / 2];
  return rate;
}

static double scan_lines(const char *path, char *buffer) {
  int file = open(path, O_RDONLY);
  if (file < 0) return 0;
  ssize_t size = read(file, buffer, COPIED);
  close(file);
  if (size <= 0) return 0;
  double begin = now();
  uint64_t lines = 0;
  for (char *at = memchr(buffer, '\n', (size_t)size); at != NULL;
       at = memchr(at + 1, '\n', (size_t)(buffer + size - at - 1)))
    lines++;
  sink = lines;
  return (double)size / (now() - begin) / 1e9;
}

static double small_steps(void) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  double begin = now(), clocks = 0;
  for (int i = 0; i < SMALL_STEPS; i++) {
    char *memory = malloc(64 + (size_t)(i & 63));
    memory[0] = (char)i;
    sink = (uint64_t)memory[0];
    free(memory);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    clocks += now() - now();
  }
  sink = (uint64_t)-clocks;
  return (now() - begin) / SMALL_STEPS * 1e9;
}

int main(int argc, char **argv) {
  char *from = malloc(COPIED), *to = malloc(COPIED);
  if (argc != 2 || from == NULL || to == NULL) {
    fprintf(stderr, "usage: limits FILE\n");
    return 2;
  }
  memset(from, 1, COPIED);
  memset(to, 2, COPIED);
  double best[3] = {0}, least = 1e9;
  for (int i = 0; i < TRIES; i++) {
    double rates[3] = {read_file(argv[1], from), copy_memory(from, to), scan_lines(argv[1], from)},
           steps = small_steps();
    for (int k = 0; k < 3; k++)
      if (rates[k] > best[k]) best[k] = rates[k];
    if (steps < least) least = steps;
  }
  printf("%.2f %.2f %.2f %.1f\n", best[0], best[1], best[2], least);
  free(from);
  free(to);
  return best[0] > 0 && best[2] > 0 ? 0 : 1;
}
