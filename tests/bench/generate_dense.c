/*
 * Rows of numbers around 100 centres: centres standard normal, each with deviations of its own between a half and one and a
 * half, its share of the rows drawn from Dirichlet(2). Written with four decimals, with a header x0,x1,...
 */
#include "generate.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { CENTRES = 100, MOST_WIDTH = 64 };

/* What is called after `name`: name.csv, name.npy, and name-centres.txt, so many rows to start from, in lines. */
typedef struct kind {
  const char *name;
  int width;
  int64_t starts;
} kind;

typedef struct clusters {
  double until[CENTRES]; /* sum of the shares of this one and those before */
  double centre[CENTRES][MOST_WIDTH], deviation[CENTRES][MOST_WIDTH];
} clusters;

static void make_clusters(clusters *c, uint64_t seed, int width) {
  double sum = 0;
  for (int k = 0; k < CENTRES; k++) {
    uint64_t stream = adl_random(seed, (uint64_t)k);
    /* Gamma with shape 2 is the sum of two exponentials. */
    sum += -log(1 - adl_random_unit(stream, 0)) - log(1 - adl_random_unit(stream, 1));
    c->until[k] = sum;
    for (int d = 0; d < width; d++) {
      c->centre[k][d] = random_normal(stream + 1, (uint64_t)d);
      c->deviation[k][d] = .5 + adl_random_unit(stream + 2, (uint64_t)d);
    }
  }
  for (int k = 0; k < CENTRES; k++) c->until[k] /= sum;
}

static void draw_row(const clusters *c, uint64_t seed, int64_t number, int width, float *row) {
  uint64_t stream = adl_random(seed, (uint64_t)number);
  double u = adl_random_unit(stream, 0);
  int k = 0;
  while (k < CENTRES - 1 && c->until[k] <= u) k++;
  for (int d = 0; d < width; d++)
    row[d] = (float)(c->centre[k][d] + c->deviation[k][d] * random_normal(stream + 1, (uint64_t)d));
}

static void put_row(writer *to, const clusters *c, uint64_t seed, int64_t number, int width, char between) {
  float row[MOST_WIDTH];
  draw_row(c, seed, number, width, row);
  for (int d = 0; d < width; d++) {
    if (d > 0) put_char(to, between);
    put_decimal(to, (double)row[d], 4);
  }
  writer_row(to);
}

static void put_bytes(writer *to, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) put_char(to, ((const char *)bytes)[i]);
  writer_flush(to);
}

/* Format 1.0: magic, the size of the header, the header, filled up with blanks to 128 bytes; then the rows, end to end. */
static void write_matrix(const clusters *c, int64_t rows, uint64_t seed, const char *folder, const char *name,
                         int width) {
  enum { HEAD = 128, MAGIC = 10 };
  char head[HEAD], shape[HEAD - MAGIC];
  float row[MOST_WIDTH];
  int size = snprintf(shape, sizeof shape, "{'descr': '<f4', 'fortran_order': False, 'shape': (%" PRId64 ", %d), }",
                      rows, width);
  memset(head, ' ', HEAD);
  memcpy(head, "\x93NUMPY\x01\x00\x76\x00", MAGIC);
  memcpy(head + MAGIC, shape, (size_t)size); /* at most 90 bytes, however many rows there are */
  head[HEAD - 1] = '\n';
  writer to = writer_open(folder, name);
  put_bytes(&to, head, HEAD);
  for (int64_t i = 0; i < rows; i++) {
    draw_row(c, seed, i, width, row);
    put_bytes(&to, row, (size_t)width * sizeof *row);
  }
  writer_close(&to);
}

static void write_starts(const clusters *c, int64_t rows, uint64_t seed, const char *folder, const char *name,
                         kind of) {
  writer to = writer_open(folder, name);
  for (int64_t k = 0; k < of.starts; k++) put_row(&to, c, seed, k * rows / of.starts, of.width, ' ');
  writer_close(&to);
}

static void generate(int64_t rows, uint64_t seed, const char *folder, kind of) {
  static clusters c;
  char name[64];
  make_clusters(&c, seed + 1, of.width);
  snprintf(name, sizeof name, "%s.csv", of.name);
  writer to = writer_open(folder, name);
  for (int d = 0; d < of.width; d++) {
    put_text(&to, d > 0 ? ",x" : "x");
    put_number(&to, d);
  }
  writer_row(&to);
  for (int64_t i = 0; i < rows; i++) put_row(&to, &c, seed, i, of.width, ',');
  writer_close(&to);
  snprintf(name, sizeof name, "%s-centres.txt", of.name);
  write_starts(&c, rows, seed, folder, name, of);
  snprintf(name, sizeof name, "%s.npy", of.name);
  write_matrix(&c, rows, seed, folder, name, of.width);
  printf("rows %" PRId64 "\n", rows);
}

void generate_dense(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, (kind){"dense", 64, 100});
}

void generate_mixture(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, (kind){"mixture", 32, 20});
}
