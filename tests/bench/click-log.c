/*
 * Writes a click log as CSV to standard output: a label, 13 numbers (counts, many of them missing) and 26 categories with
 * vocabularies from 3 values to a million, as texts of eight hexadecimal digits. The label is drawn from a hidden logistic
 * model, so that there is something to learn; about a quarter of the rows are clicks. Called by bench.sh.
 *
 *   click-log BYTES [SEED]     whole rows until BYTES are passed; the number of rows goes to standard error
 *
 * Row r depends on the seed and r alone: the same bytes every time.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <adloom/plugin.h>

enum { NUMBERS = 13, CATEGORIES = 26, FIELDS = NUMBERS + CATEGORIES, LONGEST_ROW = 1024 };

/* A count is the whole part of exp(mean + spread z), z about normal; `missing` of the rows have none. */
static const struct {
  double mean, spread, missing, weight;
} numbers[NUMBERS] = {{1, 1, .45, .2},   {3, 1.8, 0, -.1},  {2, 1.2, .2, .1}, {1.8, 1, .2, -.15}, {8, 1.5, .03, .05},
                      {4, 2, .2, -.05},  {2, 1.5, .05, .2}, {2.2, 1, 0, .1},  {4, 1.3, .05, .1},  {.5, .5, .45, .3},
                      {1, .8, .05, -.2}, {.5, .8, .75, .2}, {1.8, 1, .2, -.1}};

/* A category's value number v comes about as often as 1 / v. */
static const struct {
  double values, missing;
} categories[CATEGORIES] = {{1500, 0},   {600, 0},     {1000000, .03}, {500000, .03}, {300, 0},  {25, .1},
                            {12000, 0},  {600, 0},     {3, 0},         {90000, 0},    {5500, 0}, {800000, .03},
                            {3000, 0},   {30, 0},      {15000, 0},     {600000, .03}, {10, 0},   {5500, 0},
                            {2000, .45}, {4, .45},     {700000, .03},  {18, .75},     {15, 0},   {280000, .03},
                            {100, .45},  {140000, .45}};

/* A number that says how much value `value` of a field tells about a click, about normal with deviation .28. */
static double weight_of(uint64_t key, uint64_t value) {
  uint64_t bits = adl_random(key, value);
  double sum = 0;
  for (int i = 0; i < 4; i++) sum += (double)(bits >> (16 * i) & 0xffff) / 65536.0;
  return .28 * (sum - 2) * 1.7320508;
}

typedef struct writer {
  char *text;
  size_t size;
} writer;

static void put_number(writer *to, uint64_t value) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  while (count > 0) to->text[to->size++] = digits[--count];
}

static void put_token(writer *to, uint32_t token) {
  for (int shift = 28; shift >= 0; shift -= 4) to->text[to->size++] = "0123456789abcdef"[token >> shift & 15];
}

/* The fields of one row behind its label, and the margin of the hidden model. */
static double put_fields(writer *to, uint64_t seed, uint64_t row) {
  uint64_t stream = adl_random(seed, row);
  double margin = -1.6;
  for (int f = 0; f < NUMBERS; f++) {
    to->text[to->size++] = ',';
    double u = adl_random_unit(stream, (uint64_t)f);
    if (u < numbers[f].missing) continue;
    double z = weight_of(stream, (uint64_t)(FIELDS + f)) / .28,
           size = fmin(exp(numbers[f].mean + numbers[f].spread * z), 65535);
    put_number(to, (uint64_t)size);
    margin += numbers[f].weight * (log1p(floor(size)) - numbers[f].mean);
  }
  for (int f = 0; f < CATEGORIES; f++) {
    to->text[to->size++] = ',';
    double u = adl_random_unit(stream, (uint64_t)(NUMBERS + f));
    if (u < categories[f].missing) continue;
    u = (u - categories[f].missing) / (1 - categories[f].missing);
    uint64_t value = (uint64_t)exp(u * log(categories[f].values + 1)), key = adl_random(seed + 1, (uint64_t)f);
    put_token(to, (uint32_t)(adl_random(key, value) >> 32));
    margin += weight_of(key ^ seed, value);
  }
  return margin;
}

static void put_header(writer *to) {
  to->size += (size_t)sprintf(to->text, "label");
  for (int f = 1; f <= NUMBERS; f++) to->size += (size_t)sprintf(to->text + to->size, ",i%d", f);
  for (int f = 1; f <= CATEGORIES; f++) to->size += (size_t)sprintf(to->text + to->size, ",c%d", f);
  to->text[to->size++] = '\n';
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: click-log BYTES [SEED]\n");
    return 2;
  }
  uint64_t most = strtoull(argv[1], NULL, 10), seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, rows = 0, bytes = 0;
  char buffer[64 * LONGEST_ROW];
  writer to = {buffer, 0};
  put_header(&to);
  for (; bytes < most; rows++) {
    size_t label = to.size++, begin = label;
    double margin = put_fields(&to, seed, rows);
    double chance = 1 / (1 + exp(-margin));
    to.text[label] = adl_random_unit(seed + 2, rows) < chance ? '1' : '0';
    to.text[to.size++] = '\n';
    bytes += to.size - begin;
    if (to.size + LONGEST_ROW <= sizeof buffer) continue;
    if (fwrite(buffer, 1, to.size, stdout) != to.size) break;
    to.size = 0;
  }
  if (fwrite(buffer, 1, to.size, stdout) != to.size || fflush(stdout) != 0) {
    perror("click-log");
    return 1;
  }
  fprintf(stderr, "%" PRIu64 "\n", rows);
  return 0;
}
