/*
 * Makes the data that benchmarks work on.
 *
 *   generate WHAT ROWS SEED FOLDER     writes files into the folder, and facts about them (NAME VALUE) to standard output
 *
 * Shapes and distributions are those under which the figures of published.tsv were measured; the numbers are not the same.
 * Row r depends on the seed and r alone. Called by bench.sh.
 */
#include "generate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *name, *makes;
  void (*make)(int64_t rows, uint64_t seed, const char *folder);
} kinds[] = {
    {"clicks", "clicks.tsv: a click log, 13 numbers and 26 categories, hidden factorisation machine", generate_clicks},
    {"clicks-vw", "clicks.vw: the same rows in Vowpal Wabbit's text format", generate_clicks_vw},
    {"clicks-svm", "clicks.svm: the same rows, hashed, in LIBSVM's format", generate_clicks_svm},
    {"clicks-ffm", "clicks.ffm: the same rows, hashed by field, in libffm's format", generate_clicks_ffm},
    {"documents", "documents.txt: short texts, one a line, words by Zipf's law", generate_documents},
    {"dense", "dense.csv, dense.npy: 64 numbers around 100 centres; dense-centres.txt: 100 of the rows",
     generate_dense},
    {"mixture", "mixture.csv, mixture.npy: 32 numbers around 100 centres", generate_mixture},
    {"implicit", "implicit.csv, implicit-test.csv: users, items, counts", generate_implicit},
    {"keyed", "keyed.csv: keys with amounts and tokens; keys.csv: a row for each key", generate_keyed},
    {"events", "events.jsonl: nested JSON objects", generate_events},
};

/* ---- writing ---- */

void *take(size_t bytes) {
  void *memory = malloc(bytes > 0 ? bytes : 1);
  if (memory == NULL) {
    fprintf(stderr, "generate: out of memory\n");
    exit(1);
  }
  return memory;
}

static void give_up(const char *name) {
  perror(name);
  exit(1);
}

writer writer_open(const char *folder, const char *name) {
  char path[4096];
  int size = snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = size < (int)sizeof path ? fopen(path, "w") : NULL;
  if (file == NULL) give_up(name);
  return (writer){file, take(WRITER_SIZE + WRITER_ROOM), 0};
}

static void flush(writer *to) {
  if (fwrite(to->text, 1, to->size, to->file) != to->size) give_up("generate");
  to->size = 0;
}

void writer_flush(writer *to) {
  if (to->size >= WRITER_SIZE) flush(to);
}

void writer_row(writer *to) {
  put_char(to, '\n');
  writer_flush(to);
}

void writer_close(writer *to) {
  flush(to);
  if (fclose(to->file) != 0) give_up("generate");
  free(to->text);
}

void put_text(writer *to, const char *text) {
  size_t size = strlen(text);
  memcpy(to->text + to->size, text, size);
  to->size += size;
}

static void put_digits(writer *to, uint64_t value, int least) {
  char digits[20];
  int count = 0;
  for (; value > 0 || count < least; value /= 10) digits[count++] = (char)('0' + value % 10);
  while (count > 0) put_char(to, digits[--count]);
}

void put_number(writer *to, int64_t value) {
  if (value < 0) put_char(to, '-');
  put_digits(to, value < 0 ? -(uint64_t)value : (uint64_t)value, 1);
}

void put_decimal(writer *to, double value, int decimals) {
  static const double tens[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
  uint64_t unit = (uint64_t)tens[decimals], scaled = (uint64_t)llround(fabs(value) * tens[decimals]);
  if (value < 0 && scaled > 0) put_char(to, '-');
  put_digits(to, scaled / unit, 1);
  if (decimals == 0) return;
  put_char(to, '.');
  put_digits(to, scaled % unit, decimals);
}

void put_hexadecimal(writer *to, uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) put_char(to, "0123456789abcdef"[value >> shift & 15]);
}

/* ---- random numbers ---- */

double random_about_normal(uint64_t key, uint64_t counter) {
  uint64_t bits = adl_random(key, counter);
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += (double)(bits >> (16 * i) & 0xffff) / 65536.0;
  return (sum - 2) * 1.7320508;
}

double random_normal(uint64_t key, uint64_t counter) {
  double u = adl_random_unit(key, 2 * counter), v = adl_random_unit(key, 2 * counter + 1);
  return sqrt(-2 * log(1 - u)) * cos(2 * 3.14159265358979 * v);
}

int random_poisson(uint64_t key, uint64_t counter, double mean) {
  uint64_t stream = adl_random(key, counter);
  double product = 1, end = exp(-mean);
  int count = -1;
  do product *= 1 - adl_random_unit(stream, (uint64_t)++count);
  while (product > end);
  return count;
}

zipf zipf_new(int64_t count, double exponent) {
  zipf z = {count, take((size_t)count * sizeof(double)), take((size_t)count * sizeof(uint32_t))};
  double sum = 0;
  for (int64_t i = 0; i < count; i++) z.sums[i] = sum += pow((double)i + 1, -exponent);
  for (int64_t i = 0; i < count; i++) z.sums[i] /= sum;
  for (int64_t bucket = 0, at = 0; bucket < count; bucket++) {
    while (z.sums[at] <= (double)bucket / (double)count && at < count - 1) at++;
    z.guide[bucket] = (uint32_t)at;
  }
  return z;
}

int64_t zipf_draw(const zipf *z, double uniform) {
  int64_t at = z->guide[(int64_t)(uniform * (double)z->count)];
  while (at < z->count - 1 && z->sums[at] <= uniform) at++;
  return at;
}

void zipf_free(zipf *z) {
  free(z->sums);
  free(z->guide);
}

int main(int argc, char **argv) {
  const int count = sizeof kinds / sizeof kinds[0];
  int kind = 0;
  while (argc == 5 && kind < count && strcmp(argv[1], kinds[kind].name) != 0) kind++;
  int64_t rows = argc == 5 ? strtoll(argv[2], NULL, 10) : 0;
  if (argc != 5 || kind == count || rows < 1) {
    fprintf(stderr, "usage: generate WHAT ROWS SEED FOLDER\n\n");
    for (int i = 0; i < count; i++) fprintf(stderr, "  %-11s %s\n", kinds[i].name, kinds[i].makes);
    return 2;
  }
  kinds[kind].make(rows, strtoull(argv[3], NULL, 10), argv[4]);
  return 0;
}
