/*
 * What this machine can do at best at this moment: figures of adloom are told beside these. Called by bench.sh.
 *
 *   limits WHAT...     prints a line NAME VALUE for each, the best of some tries:
 *
 *   read:FILE   read(2) of the file from the page cache, GB/s
 *   lines:FILE  line ends found with memchr in the first 64 MiB of the file, GB/s
 *   load        memory read, GB/s            copy     memory copied, GB/s read and written
 *   sgemm       matrix product, n = 1024     block    4096 x 64 by 64 x 100, the shape of k-means; both GFLOP/s
 *   random      random 4-byte updates in 64 MiB, millions a second
 *   steps       taking memory, a mutex, the clock twice, which handing on a batch cannot do without: nanoseconds
 *
 * load, copy, sgemm, block and random with a 2 behind them are those of two threads together.
 */
#include <cblas.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 5, CHUNK = 1 << 20, AREA = 64 << 20, SMALL_STEPS = 200000, UPDATES = 4000000 };
enum { SIDE = 1024, BLOCK_ROWS = 4096, BLOCK_WIDTH = 64, BLOCK_CENTRES = 100, BLOCKS = 16 };

static double now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (double)at.tv_sec + (double)at.tv_nsec * 1e-9;
}

/* What the last measurement made, so that no compiler leaves it out. */
static volatile uint64_t sink;

/* Two areas of memory that all measurements of a thread share. */
typedef struct areas {
  char *from, *to;
  double (*measure)(struct areas *areas); /* units of work done, in its own unit */
  const char *path;
} areas;

static char *area(void) {
  char *memory = aligned_alloc(64, AREA);
  if (memory == NULL) {
    fprintf(stderr, "limits: out of memory\n");
    exit(1);
  }
  memset(memory, 1, AREA);
  return memory;
}

static double read_file(areas *a) {
  int file = open(a->path, O_RDONLY);
  double bytes = 0;
  if (file < 0) return 0;
  for (ssize_t got = read(file, a->from, CHUNK); got > 0; got = read(file, a->from, CHUNK)) bytes += (double)got;
  close(file);
  return bytes / 1e9;
}

static size_t file_size; /* of what scan_lines looks at, in a->from */

static double scan_lines(areas *a) {
  uint64_t lines = 0;
  char *end = a->from + file_size;
  for (char *at = memchr(a->from, '\n', file_size); at != NULL; at = memchr(at + 1, '\n', (size_t)(end - at - 1)))
    lines++;
  sink = lines;
  return (double)file_size / 1e9;
}

static double load_memory(areas *a) {
  uint64_t sums[8] = {0}, sum = 0;
  const uint64_t *words = (const uint64_t *)(const void *)a->from;
  for (size_t i = 0; i < AREA / sizeof *words; i += 8)
    for (size_t k = 0; k < 8; k++) sums[k] += words[i + k];
  for (size_t k = 0; k < 8; k++) sum += sums[k];
  sink = sum;
  return AREA / 1e9;
}

static double copy_memory(areas *a) {
  memcpy(a->to, a->from, AREA);
  sink = (uint64_t)a->to[AREA / 2];
  return 2.0 * AREA / 1e9;
}

static double sgemm(areas *a) {
  float *x = (float *)(void *)a->from, *y = x + SIDE * SIDE, *z = (float *)(void *)a->to;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, x, SIDE, y, SIDE, 0, z, SIDE);
  sink = (uint64_t)(z[0] != 0);
  return 2.0 * SIDE * SIDE * SIDE / 1e9;
}

static double block_products(areas *a) {
  float *x = (float *)(void *)a->from, *y = x + BLOCKS * BLOCK_ROWS * BLOCK_WIDTH, *z = (float *)(void *)a->to;
  for (int i = 0; i < BLOCKS; i++)
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, BLOCK_ROWS, BLOCK_CENTRES, BLOCK_WIDTH, 1,
                x + i * BLOCK_ROWS * BLOCK_WIDTH, BLOCK_WIDTH, y, BLOCK_WIDTH, 0, z, BLOCK_CENTRES);
  sink = (uint64_t)(z[0] != 0);
  return 2.0 * BLOCKS * BLOCK_ROWS * BLOCK_CENTRES * BLOCK_WIDTH / 1e9;
}

static double random_updates(areas *a) {
  uint32_t *cells = (uint32_t *)(void *)a->from;
  uint64_t state = 88172645463325252u;
  for (int i = 0; i < UPDATES; i++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    cells[(state >> 8) % (AREA / sizeof *cells)]++;
  }
  sink = cells[0];
  return UPDATES / 1e6;
}

static double small_steps(areas *a) {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  double clocks = 0;
  (void)a;
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
  return SMALL_STEPS;
}

static const struct {
  const char *name;
  double (*measure)(areas *areas);
} kinds[] = {{"read", read_file}, {"lines", scan_lines},     {"load", load_memory},      {"copy", copy_memory},
             {"sgemm", sgemm},    {"block", block_products}, {"random", random_updates}, {"steps", small_steps}};

static void *one_thread(void *of) {
  areas *a = of;
  double *done = malloc(sizeof *done);
  if (done != NULL) *done = a->measure(a);
  return done;
}

/* Units a second, or 0 if it cannot be measured. */
static double rate_of(areas *a, areas *second) {
  double begin = now(), done = 0;
  pthread_t thread;
  bool both = second != NULL && pthread_create(&thread, NULL, one_thread, second) == 0;
  done = a->measure(a);
  if (both) {
    void *other = NULL;
    pthread_join(thread, &other);
    if (other != NULL) done += *(double *)other;
    free(other);
  }
  return done / (now() - begin);
}

/* `name` is NAME, NAME2 or NAME:FILE. */
static int measure(const char *name, areas *a, areas *second) {
  size_t size = strcspn(name, ":2");
  const bool two = name[size] == '2';
  int kind = 0, count = sizeof kinds / sizeof kinds[0];
  while (kind < count && (strlen(kinds[kind].name) != size || strncmp(kinds[kind].name, name, size) != 0)) kind++;
  a->path = name[size] == ':' ? name + size + 1 : NULL;
  if (kind == count || (kind < 2) != (a->path != NULL)) {
    fprintf(stderr, "limits: what is %s?\n", name);
    return 2;
  }
  a->measure = second->measure = kinds[kind].measure;
  if (kind == 1) {
    int file = open(a->path, O_RDONLY);
    ssize_t got = file < 0 ? 0 : read(file, a->from, AREA);
    file_size = got > 0 ? (size_t)got : 0;
    if (file >= 0) close(file);
  } else
    memset(a->from, 0, AREA);
  if (two && second->from == NULL) second->from = area(), second->to = area();
  double best = 0;
  for (int i = 0; i < TRIES; i++) {
    double rate = rate_of(a, two ? second : NULL);
    if (rate > best) best = rate;
  }
  if (best <= 0) {
    fprintf(stderr, "limits: %s cannot be measured\n", name);
    return 1;
  }
  printf("%.*s%s %.3f\n", (int)size, name, two ? "2" : "", kind == count - 1 ? 1e9 / best : best);
  return 0;
}

int main(int argc, char **argv) {
  openblas_set_num_threads(1);
  areas a = {.from = area(), .to = area()}, second = {0};
  int status = argc > 1 ? 0 : 2;
  for (int i = 1; i < argc && status == 0; i++) status = measure(argv[i], &a, &second);
  free(a.from);
  free(a.to);
  free(second.from);
  free(second.to);
  return status;
}
