/* read-csv and what files do to it: large and hostile ones against a byte-at-a-time reader, where blocks are cut, packed
 * and damaged ones, files that change while they are read, pipes. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/convert.h"
#include "common/csv_reader.h"
#include "tests/plugins/csv_reference.h"
#include "tests/plugins/csv_scene.h"

/* ------------------------------------------------------------------------------------------------- blocks ---- */

/* Check's own assertions write to a pipe each time: too slow for every row of a large file. */
#define ALL(condition, ...)                                                                                            \
  do {                                                                                                                 \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                                       \
  } while (0)

/* Rows and rejects of a whole file, as the reference reads it. Two text columns without a header. */
static void check_against_reference(fake_io *io, const char *text, uint32_t size, const adl_csv_dialect *dialect) {
  reference wanted = reference_read(dialect, text, size);
  int64_t row = 0;
  const char *reject = io->rejected;
  for (uint32_t i = 0; i < wanted.count; i++) {
    const reference_record *record = &wanted.records[i];
    const char *begin = text + record->begin;
    uint32_t length = record->end - record->begin;
    if (adl_csv_passed_over(dialect, begin, length)) continue;
    bool good = record->fault == ADL_CSV_GOOD && record->count == 2;
    uint32_t from = record->begin;
    for (uint32_t f = 0; f < record->count && good; f++) {
      uint32_t to = record->ends[f];
      good = to - from <= dialect->max_field + (text[from] == dialect->quote ? 2 : 0) &&
             adl_utf8_valid(text + from, to - from);
      from = to + 1;
    }
    if (!good) {
      ALL(strtoll(reject, NULL, 10) == record->line + 1, "line %u: %.80s", record->line + 1, reject);
      reject = strchr(reject, '\n') + 1;
      continue;
    }
    ALL(row < io->rows && fake_position(io, row) == record->line + 1, "line %u", record->line + 1);
    const char *first = begin;
    uint32_t first_size = record->ends[0] - record->begin;
    char copy[4096];
    bool quoted = adl_csv_strip(dialect, &first, &first_size);
    if (quoted) {
      first_size = adl_csv_unescape(dialect->quote, first, first_size, copy);
      first = copy;
    }
    const char *cell = fake_cell(io, "a", row);
    bool same = first_size == 0 && !quoted ? strcmp(cell, "null") == 0
                                           : strlen(cell) == first_size && memcmp(cell, first, first_size) == 0;
    ALL(same, "line %u: \"%s\"", record->line + 1, cell);
    row++;
  }
  ck_assert_int_eq(row, io->rows);
  ck_assert_str_eq(reject, "");
  reference_free(&wanted);
}

/* Long hostile texts: many blocks, every record where the reference has it, whatever the blocks. */
START_TEST(random_files_like_the_reference) {
  enum { MOST = 600000 };
  char *text = malloc(MOST);
  uint32_t size = 0;
  for (uint64_t seed = 0; size + 20000 < MOST; seed++)
    size += reference_text(1000003 * (uint64_t)_i + seed, _i % 2 == 0 ? 20000 : 900, text + size);
  adl_csv_dialect dialect = {.delimiter = ',',
                             .quote = '"',
                             .trim = _i % 4 == 1,
                             .comment = "#",
                             .comment_size = _i % 3 == 0,
                             .max_field = _i % 2 == 0 ? 2000 : 30};
  fake_io *io =
      fake_io_new(read_csv(), "path", file_with("a.csv", text, size), "header", "false", "columns", "{a: id, b: id}",
                  "trim", dialect.trim ? "true" : "false", "max_field", _i % 2 == 0 ? "2000" : "30", "nulls",
                  "[\"no such thing\"]", dialect.comment_size > 0 ? "comment" : NULL, "'#'", NULL);
  read_good(io);
  ck_assert_int_gt(io->batch_count, 2);
  check_against_reference(io, text, size, &dialect);
  fake_io_free(io);
  free(text);
}
END_TEST

/* A field of one of the files below; one of 97 is not as short and plain as most are. */
static size_t put_field(char *to, int kind, uint64_t bits) {
  static const char *const odd[4][4] = {{"NULL", "+7", "x", "12345678901"},
                                        {"nan", "1e-3", "1.2.3", "-0.123456789"},
                                        {"null", "a text of more than sixteen bytes", "\xff", "\xc3\xa9t\xc3\xa9"},
                                        {"\\N", "", "false", "maybe"}};
  uint64_t value = bits >> 32;
  if (bits % 97 == 0) return (size_t)sprintf(to, "%s", odd[kind][value % 4]);
  if (bits % 11 == 0) return 0;
  switch (kind) {
    case 0: return (size_t)sprintf(to, "%d", (int)(value % 20000) - 10000);
    case 1: return (size_t)sprintf(to, "%.*f", (int)(value % 5), (double)(value % 4001) / 8 - 250);
    case 2: return (size_t)sprintf(to, "%0*x", (int)(value % 18), (unsigned)value);
    default: return (size_t)sprintf(to, "%s", value % 2 == 0 ? "true" : "f");
  }
}

/* The same rows and rejects with and without vectors, and whether or not a text has quotes around it, CR at its line's end and
 * blank lines between: the ways through the decoder differ. */
START_TEST(all_ways_through_the_decoder) {
  enum { ROWS = 9000, WAYS = 3 };
  char *text = malloc(ROWS * 120), line[4][64];
  fake_io *first = NULL;
  for (int way = 0; way < 2 * WAYS; way++) {
    size_t size = (size_t)sprintf(text, "a,b,c,d\n");
    for (uint64_t row = 0; row < ROWS; row++) {
      for (int f = 0; f < 4; f++) line[f][put_field(line[f], f, adl_random(11, 4 * row + (uint64_t)f))] = '\0';
      bool quotes = way / 2 == 1 && line[2][0] != '\0' && strcmp(line[2], "null") != 0;
      size +=
          (size_t)sprintf(text + size, quotes ? "%s,%s,\"%s\",%s" : "%s,%s,%s,%s", line[0], line[1], line[2], line[3]);
      size += (size_t)sprintf(text + size, way / 2 != 2 ? "\n" : row % 700 == 0 ? "\r\n\r\n" : "\r\n");
    }
    if (way % 2 == 1) setenv("ADLOOM_SIMD", "portable", 1);
    fake_io *io = read_good(fake_io_new(read_csv(), "path", file_with("a.csv", text, size), "columns",
                                        "{a: int, b: float, c: id, d: bool}", NULL));
    unsetenv("ADLOOM_SIMD");
    if (first == NULL) {
      ck_assert_int_gt(io->reject_count, ROWS / 400);
      ck_assert_int_eq(io->rows + io->reject_count, ROWS);
      first = io;
      continue;
    }
    ck_assert_int_eq(io->rows, first->rows);
    ck_assert_int_eq(io->reject_count, first->reject_count);
    if (way < 4) ck_assert_str_eq(io->rejected, first->rejected);
    for (int64_t row = 0; row < io->rows; row++) {
      char copy[4096];
      snprintf(copy, sizeof copy, "%s", row_text(first, row));
      ALL(strcmp(row_text(io, row), copy) == 0, "row %d: %s, %s", (int)row, copy, row_text(io, row));
    }
    fake_io_free(io);
  }
  fake_io_free(first);
  free(text);
}
END_TEST

/* What a block holds depends on the text alone: the same rows, cut at the same places, whatever stands before them. */
START_TEST(blocks_depend_on_the_text_alone) {
  enum { ROWS = 30000 };
  char *text = malloc(ROWS * 1000), *moved = malloc(ROWS * 1000 + 20000);
  size_t size = 0;
  for (int i = 0; i < ROWS; i++) { /* some blocks end by their records, some by their size */
    int length = i / 10000 % 2 == 0 ? 5 : 800 + i % 90;
    size += (size_t)sprintf(text + size, "%d,%0*d%s\n", i, length, i, i % 100 == 0 ? ",\"\n\n\"" : ",x");
  }
  fake_io *plain = read_good(fake_io_new(read_csv(), "path", file_with("a.csv", text, size), "header", "false",
                                         "columns", "{a: int, b: id, c: id}", NULL));
  ck_assert_int_eq(plain->rows, ROWS);
  for (int shift = 1; shift < 20000; shift += 6311) {
    memset(moved, 'x', (size_t)shift);
    moved[shift - 1] = '\n';
    memcpy(moved + shift, text, size);
    fake_io *io = read_good(fake_io_new(read_csv(), "path", file_with("b.csv", moved, size + (size_t)shift), "header",
                                        "false", "skip_lines", "1", "columns", "{a: int, b: id, c: id}", NULL));
    ck_assert_int_eq(io->batch_count, plain->batch_count);
    for (int64_t b = 0; b < io->batch_count; b++) ck_assert_int_eq(io->batches[b].rows, plain->batches[b].rows);
    ck_assert_int_eq(fake_position(io, ROWS - 1), fake_position(plain, ROWS - 1) + 1);
    fake_io_free(io);
  }
  int64_t by_records = 0;
  for (int64_t b = 0; b < plain->batch_count; b++) {
    ck_assert_int_le(plain->batches[b].rows, ADL_CSV_BLOCK_RECORDS);
    by_records += plain->batches[b].rows == ADL_CSV_BLOCK_RECORDS;
  }
  ck_assert_int_gt(by_records, 2); /* both kinds were there */
  ck_assert_int_gt(plain->batch_count - by_records, 3);
  for (int64_t i = 0; i < ROWS; i++) ALL(strtoll(fake_cell(plain, "a", i), NULL, 10) == i, "row %d", (int)i);
  fake_io_free(plain);
  free(text);
  free(moved);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- streams ---- */

static size_t make_text(char *text, int rows) {
  size_t size = (size_t)sprintf(text, "a,b\n");
  for (int i = 0; i < rows; i++)
    size += (size_t)sprintf(text + size, "%d,%llx\n", i, (unsigned long long)adl_random(7, (uint64_t)i));
  return size;
}

static size_t pack(int kind, const char *text, size_t size, uint8_t *packed, size_t room) {
  if (kind == 0) return ZSTD_compress(packed, room, text, size, 3);
  z_stream z = {0};
  ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_in = (Bytef *)(uintptr_t)text;
  z.avail_in = (unsigned)size;
  z.next_out = packed;
  z.avail_out = (unsigned)room;
  ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
  deflateEnd(&z);
  return z.total_out;
}

enum { PACKED_ROWS = 60000, TEXT_ROOM = PACKED_ROWS * 30 };

/* zstd (0) and gzip (1), as one member and as three; the name says nothing about it. Before each member of zstd stands a
 * frame that is to be passed over, as pzstd has them. */
START_TEST(packed_files) {
  char *text = malloc(TEXT_ROOM);
  uint8_t *packed = malloc(TEXT_ROOM);
  size_t size = make_text(text, PACKED_ROWS), third = size / 3;
  for (int members = 1; members <= 3; members += 2) {
    size_t used = 0;
    for (int m = 0; m < members; m++) {
      size_t from = members == 1 ? 0 : third * (size_t)m, to = m + 1 == members ? size : third * (size_t)(m + 1);
      if (_i == 0) {
        memcpy(packed + used, (const uint8_t[]){0x50 + m, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 'a', 'b', 'c', 'd'}, 12);
        used += 12;
      }
      used += pack(_i, text + from, to - from, packed + used, TEXT_ROOM - used);
    }
    fake_io *io = read_good(
        fake_io_new(read_csv(), "path", file_with("a.csv", packed, used), "columns", "{a: int, b: id}", NULL));
    ck_assert_int_eq(io->rows, PACKED_ROWS);
    for (int i = 0; i < PACKED_ROWS; i += 997) ck_assert_int_eq(strtoll(fake_cell(io, "a", i), NULL, 10), i);
    fake_io_free(io);
  }
  free(text);
  free(packed);
}
END_TEST

/* Cut short, or one byte changed: rows may come before, but the run does not end well, and the message has the file. */
START_TEST(damaged_packed_files) {
  char *text = malloc(TEXT_ROOM);
  uint8_t *packed = malloc(TEXT_ROOM);
  size_t size = make_text(text, PACKED_ROWS);
  for (int harm = 0; harm < 2; harm++) {
    size_t used = pack(_i, text, size, packed, TEXT_ROOM);
    if (harm == 0) used -= used / 3;
    if (harm == 1) packed[used - used / 4] ^= 0x40;
    fake_io *io = fake_io_new(read_csv(), "path", file_with("a.csv", packed, used), "columns", "{a: int, b: id}", NULL);
    ck_assert_str_eq(io->failed, "");
    if (fake_read(io) == ADL_OK) { /* zstd without a checksum may not notice, but then the rows are wrong */
      ck_assert_int_eq(_i, 0);
      ck_assert_int_eq(harm, 1);
    } else {
      ck_assert_ptr_nonnull(strstr(io->failed, "a.csv: at byte "));
      if (harm == 0) ck_assert_ptr_nonnull(strstr(io->failed, "not complete"));
    }
    fake_io_free(io);
  }
  free(text);
  free(packed);
}
END_TEST

START_TEST(rubbish_behind_gzip) {
  char text[] = "a,b\n1,x\n";
  uint8_t packed[2048];
  size_t used = pack(1, text, strlen(text), packed, 1024);
  memset(packed + used, 0, 512);
  fake_io *io = read_good(fake_io_new(read_csv(), "path", file_with("a.csv", packed, used + 512), NULL));
  ck_assert_int_eq(io->rows, 1); /* zeros are padding */
  fake_io_free(io);
  packed[used + 511] = 'x';
  io = fake_io_new(read_csv(), "path", file_with("a.csv", packed, used + 512), NULL);
  ck_assert(io->failed[0] != '\0' || fake_read(io) != ADL_OK);
  ck_assert_ptr_nonnull(strstr(io->failed, "something else behind the end"));
  fake_io_free(io);
}
END_TEST

/* Text is read whatever the name says; what is neither text nor packed as its name says is refused at once. */
START_TEST(names_of_packed_files) {
  static const struct {
    const char *name, *text;
    size_t size;
    const char *said; /* NULL: it is read */
    bool hint;
  } cases[] = {
      {"a.csv.gz", "a,b\n1,x\n", 8, NULL, false},
      {"a.csv.gz", "PK\003\004\000\000", 6, "its name ends in .gz, but it does not begin as gzip does", false},
      {"a.csv.zst", "PK\003\004\000\000", 6, "its name ends in .zst, but it does not begin as zstd does", false},
      {"a.csv.gz", "BZh9-1AY\n1,2\n", 13, "has no column `a`", true},
      {"a.csv", "BZh9-1AY\n1,2\n", 13, "has no column `a`", false}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fake_io *io = fake_io_new(read_csv(), "path", file_with(cases[i].name, cases[i].text, cases[i].size), "columns",
                              "{a: string}", NULL);
    if (cases[i].said == NULL)
      ck_assert_int_eq(read_good(io)->rows, 1);
    else
      ck_assert_msg(strstr(io->failed, cases[i].said) != NULL, "%s", io->failed);
    ck_assert_int_eq(strstr(io->failed, "is not packed so, and was read as text") != NULL, cases[i].hint);
    fake_io_free(io);
  }
}
END_TEST

/* A file that is cut short between two reads. */
START_TEST(a_file_that_shrinks) {
  char *text = malloc(TEXT_ROOM), path[512];
  size_t size = make_text(text, PACKED_ROWS);
  snprintf(path, sizeof path, "%s", file_with("a.csv", text, size));
  char message[ADL_STREAM_MESSAGE];
  adl_stream *stream = adl_stream_open(path, message);
  ck_assert_ptr_nonnull(stream);
  char buffer[1000];
  ck_assert_int_eq(adl_stream_read(stream, buffer, sizeof buffer), sizeof buffer);
  ck_assert_int_eq(truncate(path, 500000), 0);
  int64_t got, total = sizeof buffer;
  while ((got = adl_stream_read(stream, buffer, sizeof buffer)) > 0) total += got;
  ck_assert_int_eq(got, -1);
  ck_assert_int_le(total, 500000);
  ck_assert_ptr_nonnull(
      strstr(adl_stream_message(stream), "at byte 500000: the file became shorter while it was read"));
  adl_stream_close(stream);
  free(text);
}
END_TEST

/* What is appended behind the size at the beginning is not read. */
START_TEST(a_file_that_grows) {
  char message[ADL_STREAM_MESSAGE], buffer[100], path[512];
  snprintf(path, sizeof path, "%s", text_file("a,b\n1,x\n"));
  adl_stream *stream = adl_stream_open(path, message);
  ck_assert_ptr_nonnull(stream);
  FILE *file = fopen(path, "ab");
  fputs("2,y\n", file);
  fclose(file);
  ck_assert_int_eq(adl_stream_read(stream, buffer, sizeof buffer), 8);
  ck_assert_int_eq(adl_stream_read(stream, buffer, sizeof buffer), 0);
  adl_stream_close(stream);
}
END_TEST

static void *feed_pipe(void *data) {
  FILE *file = fopen(data, "wb");
  for (int i = 0; i < 5000; i++) {
    fprintf(file, "%d,x\n", i);
    if (i % 100 == 0) fflush(file);
  }
  fclose(file);
  return NULL;
}

START_TEST(a_pipe) {
  char path[512];
  pthread_t writer;
  snprintf(path, sizeof path, "%s/pipe", folder);
  ck_assert_int_eq(mkfifo(path, 0600), 0);
  fake_io *io = fake_io_new(read_csv(), "path", path, "header", "false", "columns", "{a: int, b: id}", NULL);
  ck_assert_str_eq(io->failed, ""); /* binding has not opened it */
  ck_assert_int_eq(pthread_create(&writer, NULL, feed_pipe, path), 0);
  read_good(io);
  pthread_join(writer, NULL);
  ck_assert_int_eq(io->rows, 5000);
  ck_assert_str_eq(fake_cell(io, "a", 4999), "4999");
  fake_io_free(io);
}
END_TEST

START_TEST(standard_input) {
  int file = open(text_file("a,b\n1,x\n2,y\n"), O_RDONLY);
  ck_assert_int_eq(dup2(file, STDIN_FILENO), STDIN_FILENO);
  close(file);
  fake_io *io = read_good(fake_io_new(read_csv(), "path", "-", "columns", "{b: id}", NULL));
  static const char *const rows[] = {"x", "y"};
  check_rows(io, 2, rows);
  fake_io_free(io);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("csv_files");
  TCase *tcase = tcase_create("files");
  tcase_add_checked_fixture(tcase, make_folder, remove_folder);
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, random_files_like_the_reference, 0, 12);
  tcase_add_test(tcase, all_ways_through_the_decoder);
  tcase_add_test(tcase, blocks_depend_on_the_text_alone);
  tcase_add_loop_test(tcase, packed_files, 0, 2);
  tcase_add_loop_test(tcase, damaged_packed_files, 0, 2);
  tcase_add_test(tcase, rubbish_behind_gzip);
  tcase_add_test(tcase, names_of_packed_files);
  tcase_add_test(tcase, a_file_that_shrinks);
  tcase_add_test(tcase, a_file_that_grows);
  tcase_add_test(tcase, a_pipe);
  tcase_add_test(tcase, standard_input);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
