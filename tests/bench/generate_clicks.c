/*
 * A click log of the shape of Criteo's: a label, 13 counts, 26 categories with vocabularies from 3 values to a million, as
 * texts of eight hexadecimal digits; some of all of them missing. Values of a category follow Zipf's law. The label is
 * drawn from a factorisation machine with 8 factors whose weights are normal; its constant is set so that a quarter of the
 * rows are clicks.
 */
#include "generate.h"

#include <inttypes.h>
#include <math.h>

enum {
  NUMBERS = 13,
  CATEGORIES = 26,
  FIELDS = NUMBERS + CATEGORIES,
  FACTORS = 8,
  MISSING = -1,
  LARGEST = 65535,
  CALIBRATION = 20000
};

/* A count is the whole part of exp(mean + deviation z) - 1/2, z normal. */
static const struct {
  double mean, deviation, missing;
} numbers[NUMBERS] = {{1, 1, .45},   {3, 1.8, 0},    {2, 1.2, .21},   {1.8, 1, .22},  {8, 1.5, .026},
                      {4, 2, .22},   {2, 1.5, .043}, {2.2, 1, .0005}, {4, 1.3, .043}, {.5, .5, .45},
                      {1, .8, .043}, {.5, .8, .76},  {1.8, 1, .22}};

static const struct {
  int64_t values;
  double exponent, missing;
} categories[CATEGORIES] = {{1460, 1.1, 0},       {583, 1.1, 0},      {1000000, 1.05, .035}, {500000, 1.05, .035},
                            {305, 1.3, 0},        {24, 1.2, .12},     {12517, 1.1, 0},       {633, 1.2, 0},
                            {3, 1.5, 0},          {93145, 1.05, 0},   {5683, 1.1, 0},        {800000, 1.05, .035},
                            {3194, 1.1, 0},       {27, 1.1, 0},       {14992, 1.1, 0},       {600000, 1.05, .035},
                            {10, 1.2, 0},         {5652, 1.1, 0},     {2173, 1.1, .44},      {4, 1.2, .44},
                            {700000, 1.05, .035}, {18, 1.1, .76},     {15, 1.1, 0},          {286181, 1.05, .035},
                            {105, 1.2, .44},      {142572, 1.05, .44}};

/* Deviations of the hidden weights: of one value, of one factor of a value, of a number, of a number that is missing. */
static const double of_weight = .28, of_factor = .16, of_number = .12, of_missing = .2, of_number_factor = .096;

/* A row as drawn: counts and values, MISSING where there is none. Value v of field f is written as token(f, v). */
typedef struct row {
  int64_t field[FIELDS];
} row;

typedef struct world {
  uint64_t seed;
  zipf values[CATEGORIES];
  double constant;
} world;

static uint64_t key_of(const world *w, int field) { return adl_random(w->seed + 1, (uint64_t)field); }

static uint32_t token(const world *w, int field, int64_t value) {
  return (uint32_t)(adl_random(key_of(w, field), (uint64_t)value) >> 32);
}

static row draw(const world *w, int64_t number) {
  row r;
  uint64_t stream = adl_random(w->seed, (uint64_t)number);
  for (int f = 0; f < FIELDS; f++) {
    double missing = f < NUMBERS ? numbers[f].missing : categories[f - NUMBERS].missing;
    r.field[f] = MISSING;
    if (missing > 0 && adl_random_unit(stream, (uint64_t)f) < missing) continue;
    if (f >= NUMBERS) {
      r.field[f] = zipf_draw(&w->values[f - NUMBERS], adl_random_unit(stream, (uint64_t)(FIELDS + f)));
      continue;
    }
    double size = floor(exp(numbers[f].mean + numbers[f].deviation * random_normal(stream + 1, (uint64_t)f)) - .5);
    r.field[f] = (int64_t)fmin(fmax(size, 0), LARGEST);
  }
  return r;
}

/* The hidden model's log odds, without its constant: w x + sum over factors of ((sum v x)^2 - sum (v x)^2) / 2. */
static double log_odds(const world *w, const row *r) {
  double linear = 0, sums[FACTORS] = {0}, squares = 0;
  for (int f = 0; f < FIELDS; f++) {
    bool number = f < NUMBERS, missing = r->field[f] == MISSING;
    uint64_t key = key_of(w, f) ^ 0x5bd1e995, value = number ? 0 : (uint64_t)(r->field[f] + 1) * (FACTORS + 1);
    if (number && missing) {
      linear += of_missing * random_about_normal(key, FACTORS + 1);
      continue;
    }
    double x = number ? log1p((double)r->field[f]) - numbers[f].mean : 1;
    linear += x * (number ? of_number : of_weight) * random_about_normal(key, value);
    for (uint64_t k = 0; k < FACTORS; k++) {
      double v = x * (number ? of_number_factor : of_factor) * random_about_normal(key, value + 1 + k);
      sums[k] += v;
      squares += v * v;
    }
  }
  for (int k = 0; k < FACTORS; k++) linear += sums[k] * sums[k] / 2;
  return linear - squares / 2;
}

static double chance(double margin) { return 1 / (1 + exp(-margin)); }

/* The constant with which a quarter of the first rows would be clicks, by bisection. */
static double find_constant(const world *w) {
  static double margins[CALIBRATION];
  double low = -20, high = 20;
  for (int64_t i = 0; i < CALIBRATION; i++) {
    row r = draw(w, i);
    margins[i] = log_odds(w, &r);
  }
  for (int step = 0; step < 60; step++) {
    double middle = (low + high) / 2, sum = 0;
    for (int i = 0; i < CALIBRATION; i++) sum += chance(margins[i] + middle);
    if (sum > .25 * CALIBRATION)
      high = middle;
    else
      low = middle;
  }
  return low;
}

/* ---- the formats ---- */

static void put_tsv(writer *to, const world *w, const row *r, bool clicked) {
  put_char(to, clicked ? '1' : '0');
  for (int f = 0; f < FIELDS; f++) {
    put_char(to, '\t');
    if (r->field[f] == MISSING) continue;
    if (f < NUMBERS)
      put_number(to, r->field[f]);
    else
      put_hexadecimal(to, token(w, f, r->field[f]));
  }
}

/* A namespace for all numbers, as log(1 + x), and one for each category. */
static void put_vw(writer *to, const world *w, const row *r, bool clicked) {
  put_text(to, clicked ? "1 |i" : "-1 |i");
  for (int f = 0; f < NUMBERS; f++) {
    if (r->field[f] == MISSING) continue;
    put_text(to, " I");
    put_number(to, f + 1);
    put_char(to, ':');
    put_decimal(to, log1p((double)r->field[f]), 4);
  }
  for (int f = NUMBERS; f < FIELDS; f++) {
    if (r->field[f] == MISSING) continue;
    put_text(to, " |");
    put_char(to, (char)('A' + f - NUMBERS));
    put_char(to, ' ');
    put_hexadecimal(to, token(w, f, r->field[f]));
  }
}

/* An index of so many bits; counts above 2 by the whole part of log(x)^2, so every feature is an indicator. */
static uint32_t hashed(const world *w, const row *r, int f, int bits) {
  int64_t value = r->field[f];
  if (f < NUMBERS && value > 2) value = (int64_t)pow(log((double)value), 2) + 3;
  return (uint32_t)(adl_random(key_of(w, f) + 1, (uint64_t)(value + 1)) >> (64 - bits));
}

/* field:index:value, for field-aware factorisation machines. */
static void put_ffm(writer *to, const world *w, const row *r, bool clicked) {
  put_char(to, clicked ? '1' : '0');
  for (int f = 0; f < FIELDS; f++) {
    put_char(to, ' ');
    put_number(to, f);
    put_char(to, ':');
    put_number(to, hashed(w, r, f, 18));
    put_text(to, ":1");
  }
}

/* Indices of 22 bits, rising. */
static void put_svm(writer *to, const world *w, const row *r, bool clicked) {
  uint32_t index[FIELDS];
  for (int f = 0; f < FIELDS; f++) {
    uint32_t found = hashed(w, r, f, 22);
    int at = f;
    for (; at > 0 && index[at - 1] > found; at--) index[at] = index[at - 1];
    index[at] = found;
  }
  put_text(to, clicked ? "+1" : "-1");
  for (int f = 0; f < FIELDS; f++) {
    if (f > 0 && index[f] == index[f - 1]) continue;
    put_char(to, ' ');
    put_number(to, (int64_t)index[f] + 1);
    put_text(to, ":1");
  }
}

static void put_header(writer *to) {
  put_text(to, "label");
  for (int f = 0; f < FIELDS; f++) {
    put_text(to, f < NUMBERS ? "\ti" : "\tc");
    put_number(to, f < NUMBERS ? f + 1 : f + 1 - NUMBERS);
  }
  writer_row(to);
}

static void generate(int64_t rows, uint64_t seed, const char *folder, const char *name, bool header,
                     void (*put)(writer *, const world *, const row *, bool)) {
  world w = {.seed = seed};
  for (int c = 0; c < CATEGORIES; c++) w.values[c] = zipf_new(categories[c].values, categories[c].exponent);
  w.constant = find_constant(&w);
  writer to = writer_open(folder, name);
  if (header) put_header(&to);
  double loss = 0;
  int64_t clicks = 0;
  for (int64_t i = 0; i < rows; i++) {
    row r = draw(&w, i);
    double p = chance(log_odds(&w, &r) + w.constant);
    bool clicked = adl_random_unit(seed + 2, (uint64_t)i) < p;
    clicks += clicked;
    loss -= log(clicked ? p : 1 - p);
    put(&to, &w, &r, clicked);
    writer_row(&to);
  }
  writer_close(&to);
  for (int c = 0; c < CATEGORIES; c++) zipf_free(&w.values[c]);
  printf("rows %" PRId64 "\nclicks %" PRId64 "\nleast_logloss %.5f\n", rows, clicks, loss / (double)rows);
}

void generate_clicks(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, "clicks.tsv", true, put_tsv);
}

void generate_clicks_vw(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, "clicks.vw", false, put_vw);
}

void generate_clicks_svm(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, "clicks.svm", false, put_svm);
}

void generate_clicks_ffm(int64_t rows, uint64_t seed, const char *folder) {
  generate(rows, seed, folder, "clicks.ffm", false, put_ffm);
}
