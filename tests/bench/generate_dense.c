/*
 * Rows of numbers around 100 centres: centres standard normal, each with deviations of its own between a half and one and a
 * half, its share of the rows drawn from Dirichlet(2). Written with four decimals, with a header x0,x1,...
 */
#include "generate.h"

#include <inttypes.h>
#include <math.h>

enum { CENTRES = 100, DENSE_WIDTH = 64, MIXTURE_WIDTH = 32, MOST_WIDTH = 64 };

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

static void put_row(writer *to, const clusters *c, uint64_t seed, int64_t number, int width, char between) {
  uint64_t stream = adl_random(seed, (uint64_t)number);
  double u = adl_random_unit(stream, 0);
  int k = 0;
  while (k < CENTRES - 1 && c->until[k] <= u) k++;
  for (int d = 0; d < width; d++) {
    if (d > 0) put_char(to, between);
    put_decimal(to, c->centre[k][d] + c->deviation[k][d] * random_normal(stream + 1, (uint64_t)d), 4);
  }
  writer_row(to);
}

static void generate(int64_t rows, uint64_t seed, const char *folder, const char *name, int width) {
  static clusters c;
  make_clusters(&c, seed + 1, width);
  writer to = writer_open(folder, name);
  for (int d = 0; d < width; d++) {
    put_text(&to, d > 0 ? ",x" : "x");
    put_number(&to, d);
  }
  writer_row(&to);
  for (int64_t i = 0; i < rows; i++) put_row(&to, &c, seed, i, width, ',');
  writer_close(&to);
  if (width == DENSE_WIDTH) {
    writer centres = writer_open(folder, "dense-centres.txt");
    for (int64_t k = 0; k < CENTRES; k++) put_row(&centres, &c, seed, k * rows / CENTRES, width, ' ');
    writer_close(&centres);
  }
  printf("rows %" PRId64 "\n", rows);
}

void generate_dense(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, "dense.csv", DENSE_WIDTH);
}

void generate_mixture(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, "mixture.csv", MIXTURE_WIDTH);
}
