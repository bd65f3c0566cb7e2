/*
 * What the generators of benchmark data share: a writer with a large buffer, random numbers that are a function of a key
 * and a counter (so the same bytes every time), and draws from Zipf's distribution. Included by generate*.c.
 */
#ifndef ADLOOM_BENCH_GENERATE_H
#define ADLOOM_BENCH_GENERATE_H

#include <stdint.h>
#include <stdio.h>

#include <adloom/plugin.h>

enum { WRITER_SIZE = 1 << 20, WRITER_ROOM = 1 << 14 };

/* A file that is written. One row takes at most WRITER_ROOM bytes; writer_row says that one has ended. */
typedef struct writer {
  FILE *file;
  char *text;
  size_t size;
} writer;

/* Ends the program with a message when the file cannot be written. */
writer writer_open(const char *folder, const char *name);
void writer_row(writer *to);
void writer_flush(writer *to); /* at the end of a row that does not end with a line feed; writes when it is time */
void writer_close(writer *to);

static inline void put_char(writer *to, char c) { to->text[to->size++] = c; }
void put_text(writer *to, const char *text);
void put_number(writer *to, int64_t value);
/* With so many decimals (at most 6), rounded. */
void put_decimal(writer *to, double value, int decimals);
void put_hexadecimal(writer *to, uint32_t value); /* eight digits */

/* About normal, mean 0 and deviation 1: four uniform numbers of 16 bits added up. Bounds: +-3.46. */
double random_about_normal(uint64_t key, uint64_t counter);
/* Normal (Box and Muller). */
double random_normal(uint64_t key, uint64_t counter);
/* Poisson with a mean of at most 100, by Knuth's product. */
int random_poisson(uint64_t key, uint64_t counter, double mean);

/* Ranks 0 to count - 1, drawn as 1 / (rank + 1)^exponent. */
typedef struct zipf {
  int64_t count;
  double *sums;    /* sums[i]: probability of ranks 0 to i */
  uint32_t *guide; /* guide[b]: the first rank whose sum is above b / count */
} zipf;

zipf zipf_new(int64_t count, double exponent);
int64_t zipf_draw(const zipf *z, double uniform);
void zipf_free(zipf *z);

/* Memory, or the end of the program. */
void *take(size_t bytes);

/* Each makes one kind of data of so many rows into a folder, and prints facts about them: NAME VALUE lines. */
void generate_clicks(int64_t rows, uint64_t seed, const char *folder);
void generate_clicks_vw(int64_t rows, uint64_t seed, const char *folder);
void generate_clicks_svm(int64_t rows, uint64_t seed, const char *folder);
void generate_clicks_ffm(int64_t rows, uint64_t seed, const char *folder);
void generate_documents(int64_t rows, uint64_t seed, const char *folder);
void generate_dense(int64_t rows, uint64_t seed, const char *folder);
void generate_mixture(int64_t rows, uint64_t seed, const char *folder);
void generate_implicit(int64_t users, uint64_t seed, const char *folder);
void generate_keyed(int64_t rows, uint64_t seed, const char *folder);
void generate_events(int64_t rows, uint64_t seed, const char *folder);

#endif
