/* read-csv from file to rows, through a host that keeps what comes out: what is accepted, what is rejected and how it is
 * said, and that neither blocks nor packing change a row. */
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
#include "tests/plugins/fake_io_host.h"

const adl_plugin *adl_entry_read_csv(const adl_host *host);

static const adl_class *read_csv(void) {
  static const adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return adl_entry_read_csv(&host)->classes[0];
}

/* ------------------------------------------------------------------------------------------------- files ---- */

static char folder[256];

static void make_folder(void) {
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/adloom-test-XXXXXX", base != NULL ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  ck_assert_int_eq(system(command), 0);
}

/* Path of a new file in the test's folder. */
static const char *file_with(const char *name, const void *data, size_t size) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(data, 1, size, file), size);
  ck_assert_int_eq(fclose(file), 0);
  return path;
}

static const char *text_file(const char *text) { return file_with("a.csv", text, strlen(text)); }

static fake_io *read_good(fake_io *io) {
  ck_assert_str_eq(io->failed, "");
  ck_assert_msg(fake_read(io) == ADL_OK, "%s", io->failed);
  return io;
}

/* All values of a row, with blanks between. */
static const char *row_text(const fake_io *io, int64_t row) {
  static char text[4096];
  text[0] = '\0';
  for (int32_t c = 0; c < io->column_count; c++)
    strcat(strcat(text, c > 0 ? " " : ""), fake_cell(io, io->names[c], row));
  return text;
}

static void check_rows(fake_io *io, int64_t count, const char *const *rows) {
  for (int64_t i = 0; i < count && i < io->rows; i++) ck_assert_str_eq(row_text(io, i), rows[i]);
  ck_assert_int_eq(io->rows, count);
}

/* ------------------------------------------------------------------------------------------------- accepted ---- */

START_TEST(types_and_nulls) {
  fake_io *io =
      read_good(fake_io_new(read_csv(), "path",
                            text_file("name,n,x,ok,at,day,extra\n"
                                      "anna,1,0.5,true,2024-02-29 12:34:56,2024-02-29,?\n"
                                      "\"b,\"\"c\"\"\",-12345678901,1e3,no,2024-02-29T00:00Z,2024-02-29 23:00,\n"
                                      ",,,,,,\n"
                                      "NULL,null,\\N,NULL,null,\\N,x\n"
                                      "\"NULL\",\"NULL\",\"\",\"1\",\"\",\"\",\n"),
                            "columns", "{day: date, name: id, n: int, x: float, ok: bool, at: timestamp}", NULL));
  static const char *const rows[] = {"1709164800000000 anna 1 0.5 true 1709210096000000",
                                     "1709164800000000 b,\"c\" -12345678901 1000 false 1709164800000000",
                                     "null null null null null null", "null null null null null null",
                                     "null NULL null null true null"};
  check_rows(io, 5, rows);
  ck_assert_int_eq(io->reject_count, 0);
  for (int64_t i = 0; i < 5; i++) ck_assert_int_eq(fake_position(io, i), i + 2);
  for (int32_t c = 0; c < io->column_count; c++)
    ck_assert_int_eq(io->types[c].role, c == 1 ? ADL_CATEGORY : ADL_NUMBER);
  fake_io_free(io);
}
END_TEST

START_TEST(without_columns_all_are_text) {
  fake_io *io = read_good(fake_io_new(read_csv(), "path",
                                      text_file("\xef\xbb\xbf"
                                                "a,\"b \"\"2\"\"\"\r\n1,x\r\n2,"),
                                      NULL));
  static const char *const rows[] = {"1 x", "2 null"};
  ck_assert_str_eq(io->names[0], "a"); /* without the byte order mark */
  ck_assert_str_eq(io->names[1], "b \"2\"");
  ck_assert_int_eq(io->types[0].element, ADL_STRING);
  check_rows(io, 2, rows);
  fake_io_free(io);
}
END_TEST

START_TEST(like_the_adult_census) {
  const char *text = "|1x3 Cross validator\n25, Private, <=50K.\n\n 38 , \"a, b\" ,\t>50K.\n   \n| 1,2,3\n28, ?,";
  fake_io *io = read_good(fake_io_new(read_csv(), "path", text_file(text), "header", "false", "trim", "true", "comment",
                                      "\"|\"", "nulls", "[\"?\"]", "columns", "{age: int, work: id, label: id}", NULL));
  static const char *const rows[] = {"25 Private <=50K.", "38 a, b >50K.", "28 null null"};
  check_rows(io, 3, rows);
  ck_assert_int_eq(fake_position(io, 1), 4);
  ck_assert_int_eq(fake_position(io, 2), 7);
  ck_assert_int_eq(io->reject_count, 0);
  fake_io_free(io);
}
END_TEST

START_TEST(delimiters_and_quotes) {
  static const char *const rows[] = {"a,b \"c\""};
  static const struct {
    const char *name, *text, *delimiter, *quote;
  } cases[] = {{"a.tsv", "a,b\t\"c\"\n", NULL, "''"},       {"a.tab.gz", "a,b\t\"\"\"c\"\"\"\n", NULL, "'\"'"},
               {"a.csv", "a,b|\"c\"\n", "pipe", "''"},      {"a.csv", "a,b;'\"c\"'\n", "semicolon", "\"'\""},
               {"a.csv", "a,b\t\"c\"", "\"\\t\"", "''"},    {"a.csv", "a,b:\"c\"", "\":\"", "''"},
               {"a.csv", "`a,b`,\"c\"\n", "comma", "\"`\""}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *path = file_with(cases[i].name, cases[i].text, strlen(cases[i].text));
    fake_io *io =
        fake_io_new(read_csv(), "path", path, "header", "false", "columns", "{x: id, y: string}", "quote",
                    cases[i].quote, cases[i].delimiter != NULL ? "delimiter" : NULL, cases[i].delimiter, NULL);
    check_rows(read_good(io), 1, rows);
    fake_io_free(io);
  }
}
END_TEST

START_TEST(timestamp_formats) {
  fake_io *io = read_good(fake_io_new(read_csv(), "path", text_file("a,b,c\n29.2.2024,1709210096,2024-02-29\n"),
                                      "timestamp_format", "unix", "columns",
                                      "{a: date %d.%m.%Y, b: timestamp, c: timestamp iso}", NULL));
  static const char *const rows[] = {"1709164800000000 1709210096000000 1709164800000000"};
  check_rows(io, 1, rows);
  fake_io_free(io);
}
END_TEST

START_TEST(several_files_each_with_its_own_header) {
  char list[1200], first[512], second[512];
  snprintf(first, sizeof first, "%s", file_with("one.csv", "a,b\n1,x\n", 8));
  snprintf(second, sizeof second, "%s", file_with("two.tsv", "c\tb\ta\n9\ty\t2\n8\tz\t3\n", 18));
  snprintf(list, sizeof list, "[%s, %s]", first, second);
  fake_io *io =
      read_good(fake_io_new(read_csv(), "path", list, "columns", "{a: int, b: id}", "file_column", "from", NULL));
  static const char *const rows[] = {"1 x one.csv", "2 y two.tsv", "3 z two.tsv"};
  check_rows(io, 3, rows);
  ck_assert_int_eq(fake_position(io, 2), 3);
  fake_io_free(io);
}
END_TEST

START_TEST(empty_files) {
  static const char *const empties[] = {"", "\n", "\r\n\n"};
  for (int i = 0; i < 3; i++) {
    fake_io *io = read_good(
        fake_io_new(read_csv(), "path", text_file(empties[i]), "header", "false", "columns", "{a: int}", NULL));
    ck_assert_int_eq(io->rows, 0);
    ck_assert_int_eq(io->reject_count, 0);
    fake_io_free(io);
  }
  fake_io *io = read_good(fake_io_new(read_csv(), "path", text_file("a\n"), "columns", "{a: int}", NULL));
  ck_assert_int_eq(io->rows, 0);
  fake_io_free(io);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- rejected ---- */

static const struct {
  const char *line, *reject; /* what line 3 of a file with int a, float b, bool c, timestamp d, id e is rejected with */
} bad_lines[] = {
    {"1x,1,1,2024-01-01,x", "3 a: \"1x\" is not an int"},
    {"1.0,1,1,2024-01-01,x", "3 a: \"1.0\" is not an int"},
    {"NA,1,1,2024-01-01,x", "3 a: \"NA\" is not an int"},
    {"9223372036854775808,1,1,2024-01-01,x", "3 a: \"9223372036854775808\" is out of range for an int"},
    {"1,1e999,1,2024-01-01,x", "3 b: \"1e999\" is out of range for a float"},
    {"1,\"1,5\",1,2024-01-01,x", "3 b: \"1,5\" is not a float"},
    {"1,1,maybe,2024-01-01,x", "3 c: \"maybe\" is not a bool (true, false, yes, no, t, f, y, n, 1, 0)"},
    {"1,1,1,2024-02-30,x", "3 d: \"2024-02-30\" is not a timestamp in the format YYYY-MM-DD HH:MM:SS"},
    {"1,1,1,01/02/2024 and much more text than fits in,x",
     "3 d: \"01/02/2024 and much more text than fi...\" is not a timestamp in the format YYYY-MM-DD HH:MM:SS"},
    {"1,1,1,2024-01-01,\xff", "3 e: invalid UTF-8 at byte 1 of the field"},
    {"1,1,1,2024-01-01,caf\xc3", "3 e: invalid UTF-8 at byte 4 of the field"},
    {"1,\xc3\xa9,1,2024-01-01,x", "3 b: \"\xc3\xa9\" is not a float"},
    {"1,\x01,1,2024-01-01,x", "3 b: \"?\" is not a float"},
    {"1,1,1,2024-01-01", "3 e: too few fields: 4 instead of 5"},
    {"1", "3 b: too few fields: 1 instead of 5"},
    {"1,1,1,2024-01-01,x,", "3 -: too many fields: more than 5"},
    {",,,,,,,,,,,,,,,,,,,,", "3 -: too many fields: more than 5"},
    {"x,y,1,2024-01-01,x", "3 a: \"x\" is not an int"},
    {"1,1,1,2024-01-01,\"x\"y",
     "3 -: the quote that opens at byte 18 of the record is closed in the middle of a field"},
    {"1,1,1,2024-01-01,\"x", "3 -: the quote that opens at byte 18 of the record is closed in the middle of a field"},
};

START_TEST(bad_lines_are_rejected_alone) {
  char text[400];
  snprintf(text, sizeof text, "a,b,c,d,e\n1,1,1,2024-01-01,before\n%s\n2,2,0,2024-01-02,\"after\"\n",
           bad_lines[_i].line);
  fake_io *io = read_good(fake_io_new(read_csv(), "path", text_file(text), "columns",
                                      "{a: int, b: float, c: bool, d: timestamp, e: id}", NULL));
  static const char *const rows[] = {"1 1 true 1704067200000000 before", "2 2 false 1704153600000000 after"};
  check_rows(io, 2, rows);
  ck_assert_int_eq(io->reject_count, 1);
  ck_assert_int_eq(strncmp(io->rejected, bad_lines[_i].reject, strlen(bad_lines[_i].reject)), 0);
  ck_assert_uint_eq(strlen(io->rejected), strlen(bad_lines[_i].reject) + 1);
  ck_assert_int_eq(fake_position(io, 1), 4);
  fake_io_free(io);
}
END_TEST

/* Values around a rejected record stay what they are: nulls, texts, bits. */
START_TEST(neighbours_of_bad_lines) {
  fake_io *io = read_good(fake_io_new(
      read_csv(), "path",
      text_file("a,b,c\n1,long text,true\nbad,x,\n,,\n5,,false\n6,y,true\n,\xff,true\n,z,\nbad,q,true\n9,w,false\n"),
      "columns", "{a: int, b: id, c: bool}", NULL));
  static const char *const rows[] = {"1 long text true", "null null null", "5 null false",
                                     "6 y true",         "null z null",    "9 w false"};
  check_rows(io, 6, rows);
  ck_assert_int_eq(io->reject_count, 3);
  fake_io_free(io);
}
END_TEST

START_TEST(a_nul_byte_is_rejected) {
  static const char text[] = "a,b\n1,x\n2,y\0z\n3,z\n4\0,w\n";
  fake_io *io =
      read_good(fake_io_new(read_csv(), "path", file_with("a.csv", text, sizeof text - 1), "columns", "{b: id}", NULL));
  static const char *const rows[] = {"x", "z"};
  check_rows(io, 2, rows);
  ck_assert_str_eq(io->rejected, "3 b: a NUL byte in the text\n5 -: a NUL byte in the text\n");
  fake_io_free(io);
}
END_TEST

/* Columns that nobody reads reject the same rows, and those that are not declared none. */
START_TEST(what_is_not_wanted_is_checked_all_the_same) {
  const char *text = "a,b,c\n1,x,\xff\nz,y,1\n2,\xff,2\n3,z,3\n";
  for (int i = 0; i < 2; i++) {
    fake_io *io = fake_io_new(read_csv(), "path", text_file(text), "columns", "{a: int, b: id}", NULL);
    io->unwanted[0] = io->unwanted[1] = i == 1;
    read_good(io);
    ck_assert_int_eq(io->rows, 2);
    ck_assert_int_eq(fake_position(io, 1), 5);
    ck_assert_str_eq(io->rejected, "3 a: \"z\" is not an int\n4 b: invalid UTF-8 at byte 1 of the field\n");
    fake_io_free(io);
  }
}
END_TEST

START_TEST(skipped_columns_may_hold_anything) {
  fake_io *io = read_good(fake_io_new(read_csv(), "path", text_file("x,1\n\xff,2\n"), "header", "false", "columns",
                                      "{junk: skip, n: int}", NULL));
  static const char *const rows[] = {"1", "2"};
  check_rows(io, 2, rows);
  fake_io_free(io);
}
END_TEST

/* ------------------------------------------------------------------------------------------- quotes and sizes ---- */

START_TEST(an_unclosed_quote_costs_one_line) {
  fake_io *io = read_good(fake_io_new(read_csv(), "path", text_file("a,b\n1,\"x\n2,y\n3,\"multi\nline\"\n4,\"z\n5,w\n"),
                                      "columns", "{a: int, b: id}", NULL));
  static const char *const rows[] = {"2 y", "3 multi\nline", "5 w"};
  check_rows(io, 3, rows);
  ck_assert_int_eq(fake_position(io, 1), 4);
  ck_assert_int_eq(fake_position(io, 2), 7);
  ck_assert_str_eq(io->rejected,
                   "2 -: the quote that opens at byte 3 of the record is closed in the middle of a field\n"
                   "6 -: the quote that opens at byte 3 of the record is not closed\n");
  fake_io_free(io);
}
END_TEST

/* max_field 10: what is longer, quoted or not, is rejected alone; also when the end of the quote is far away. */
START_TEST(long_fields_are_rejected) {
  fake_io *io = read_good(fake_io_new(
      read_csv(), "path",
      text_file(
          "a,b\n1,0123456789\n2,0123456789a\n3,\"0123456789\"\n4,\"0123456789a\"\n5,\"0\n6,7\",\n7,\"01\"\"345678\"\n"
          "8,\"01\"\"3456789\"\n9,ok\n"),
      "columns", "{a: int, b: id}", "max_field", "10", NULL));
  static const char *const rows[] = {"1 0123456789", "3 0123456789", "7 01\"345678", "9 ok"};
  ck_assert_str_eq(io->rejected, "3 b: a field is longer than max_field (10 bytes)\n"
                                 "5 -: the quote that opens at byte 3 of the record is not closed\n"
                                 "6 -: too many fields: more than 2\n"
                                 "9 -: the quote that opens at byte 3 of the record is not closed\n");
  check_rows(io, 4, rows);
  fake_io_free(io);
}
END_TEST

START_TEST(a_field_of_ten_megabytes) {
  for (int quoted = 0; quoted < 3; quoted++) { /* 2: quoted, and never closed */
    size_t size = 0, length = 10u << 20;
    char *text = malloc(length + 100);
    size += (size_t)sprintf(text, "a,b\n1,x\n2,%s", quoted > 0 ? "\"" : "");
    memset(text + size, 'y', length);
    size += length;
    size += (size_t)sprintf(text + size, "%s\n3,z\n", quoted == 1 ? "\"" : "");
    fake_io *io =
        read_good(fake_io_new(read_csv(), "path", file_with("a.csv", text, size), "columns", "{a: int, b: id}", NULL));
    static const char *const rows[] = {"1 x", "3 z"};
    check_rows(io, 2, rows);
    ck_assert_int_eq(io->reject_count, 1);
    ck_assert_int_eq(strncmp(io->rejected, "3 ", 2), 0);
    ck_assert_int_eq(fake_position(io, 1), 4);
    fake_io_free(io);
    free(text);
  }
}
END_TEST

/* Longer than any record may be: not even looked at, and the lines behind it are right. */
START_TEST(a_record_beyond_the_limit) {
  size_t size = 0, length = 40u << 20;
  char *text = malloc(length + 100);
  size += (size_t)sprintf(text, "a,b\n1,x\n2,");
  memset(text + size, ',', length);
  size += length;
  size += (size_t)sprintf(text + size, "\n3,z\n");
  fake_io *io =
      read_good(fake_io_new(read_csv(), "path", file_with("a.csv", text, size), "columns", "{a: int, b: id}", NULL));
  static const char *const rows[] = {"1 x", "3 z"};
  check_rows(io, 2, rows);
  ck_assert_str_eq(io->rejected, "3 -: the record is longer than 16777216 bytes\n");
  ck_assert_int_eq(fake_position(io, 1), 4);
  fake_io_free(io);
  free(text);
}
END_TEST

/* A record of nothing but delimiters, within the limit. */
START_TEST(a_million_delimiters) {
  size_t size = (size_t)0, length = 1u << 20;
  char *text = malloc(length + 100);
  size += (size_t)sprintf(text, "a,b\n1,x\n");
  memset(text + size, ',', length);
  size += length;
  size += (size_t)sprintf(text + size, "\n3,z\n");
  fake_io *io =
      read_good(fake_io_new(read_csv(), "path", file_with("a.csv", text, size), "columns", "{a: int, b: id}", NULL));
  static const char *const rows[] = {"1 x", "3 z"};
  check_rows(io, 2, rows);
  ck_assert_str_eq(io->rejected, "3 -: too many fields: more than 2\n");
  fake_io_free(io);
  free(text);
}
END_TEST

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
    if (adl_csv_strip(dialect, &first, &first_size)) {
      first_size = adl_csv_unescape(dialect->quote, first, first_size, copy);
      first = copy;
    }
    const char *cell = fake_cell(io, "a", row);
    bool same = first_size == 0 ? strcmp(cell, "null") == 0
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

/* zstd (0) and gzip (1), as one member and as three; the name says nothing about it. */
START_TEST(packed_files) {
  char *text = malloc(TEXT_ROOM);
  uint8_t *packed = malloc(TEXT_ROOM);
  size_t size = make_text(text, PACKED_ROWS), third = size / 3;
  for (int members = 1; members <= 3; members += 2) {
    size_t used = 0;
    for (int m = 0; m < members; m++) {
      size_t from = members == 1 ? 0 : third * (size_t)m, to = m + 1 == members ? size : third * (size_t)(m + 1);
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

/* ------------------------------------------------------------------------------------------------- refused ---- */

static const struct {
  const char *text, *parameter, *value, *columns, *failed;
} refusals[] = {
    {"a,b\n", "delimiter", "ab", "{a: int}", "delimiter@-1: \"ab\" is neither"},
    {"a,b\n", "delimiter", "''", "{a: int}", "delimiter@-1: \"\" is neither"},
    {"a,b\n", "quote", "ab", "{a: int}", "quote@-1: \"ab\" is not one ASCII character"},
    {"a,b\n", "quote", "','", "{a: int}", "quote@-1: quote and delimiter are the same character"},
    {"a,b\n", "timestamp_format", "'%d %q'", "{a: int}", "timestamp_format@3: \"%d %q\" has a directive"},
    {"a,b\n", "trim", "true", "{a: flot}",
     "columns.a@-1: `flot` is not a type; there are string, id, category, int, float, "
     "bool, timestamp, date, skip (did you mean `float`?)"},
    {"a,b\n", "trim", "true", "{a: int %d}", "columns.a@4: only timestamp and date take a format"},
    {"a,b\n", "trim", "true", "{a: date %q}", "columns.a@5: \"%q\" has a directive"},
    {"user,item\n", "trim", "true", "{usr: int, item: int}",
     "columns.usr@-1: a.csv has no column `usr`; its header has user, item (did you mean `user`?)"},
    {"a,b,a\n", "trim", "true", "{a: int}", "columns@-1: the header of a.csv has the column `a` twice"},
    {"a,b\n", "trim", "true", "{a: skip}", "columns@-1: every column is skipped"},
    {"a,b\n", "header", "false", "{}", "columns@-1: without a header the columns must be named here"},
    {"", "trim", "true", "{a: int}", "there is no header line, the file is empty"},
    {"#x\n\n", "comment", "'#'", "{a: int}", "there is no header line, the file is empty"},
    {"\"a,b\n1,2\n", "trim", "true", "{a: int}",
     "line 1: a quote in the header line opens, but does not close properly"},
    {"a,b\r1,2\r", "trim", "true", "{a: int}", "line 1: the header has a carriage return inside"},
    {"\xff\xfe"
     "a",
     "trim", "true", "{a: int}", "the file is UTF-16; convert it"},
};

START_TEST(refused_when_binding) {
  fake_io *io = fake_io_new(read_csv(), "path", text_file(refusals[_i].text), refusals[_i].parameter,
                            refusals[_i].value, "columns", refusals[_i].columns, NULL);
  ck_assert_msg(strstr(io->failed, refusals[_i].failed) != NULL, "%s", io->failed);
  fake_io_free(io);
}
END_TEST

START_TEST(files_that_are_not_there) {
  fake_io *io = fake_io_new(read_csv(), "path", "/nowhere/a.csv", NULL);
  ck_assert_ptr_nonnull(strstr(io->failed, "/nowhere/a.csv"));
  fake_io_free(io);
  io = fake_io_new(read_csv(), "path", "-", NULL);
  ck_assert_str_eq(io->failed, "columns@-1: standard input cannot be looked at beforehand: say which columns it has\n");
  fake_io_free(io);
  io = fake_io_new(read_csv(), "path", folder, "columns", "{a: int}", NULL); /* a folder */
  if (io->failed[0] == '\0') ck_assert_int_eq(fake_read(io), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(io->failed, "Is a directory"));
  fake_io_free(io);
}
END_TEST

START_TEST(all_errors_are_told_at_once) {
  fake_io *io = fake_io_new(read_csv(), "path", text_file("a,b\n"), "columns", "{a: flot, b: strin}",
                            "timestamp_format", "x", "quote", "xx", NULL);
  ck_assert_ptr_nonnull(strstr(io->failed, "columns.a@"));
  ck_assert_ptr_nonnull(strstr(io->failed, "columns.b@"));
  ck_assert_ptr_nonnull(strstr(io->failed, "timestamp_format@"));
  ck_assert_ptr_nonnull(strstr(io->failed, "quote@"));
  fake_io_free(io);
}
END_TEST

/* ------------------------------------------------------------------------------------------------- real data ---- */

static const struct {
  const char *file, *columns, *header, *trim;
  int64_t rows;
} real[] = {
    {"complete_journey/transactions_sample.csv.gz",
     "{household_id: id, quantity: int, sales_value: float, transaction_timestamp: timestamp, week: int}", "true",
     "false", 75000},
    {"complete_journey/products.csv.gz", "{product_id: id, department: id, package_size: id}", "true", "false", 92331},
    {"zh_shopping/online_shopping_10_cats.csv.gz", "{cat: id, label: int, review: string}", "true", "false", 62774},
    {"online_shoppers/online_shoppers_intention.csv.gz", "{BounceRates: float, Month: id, Revenue: bool}", "true",
     "false", 12330},
    {"adult/adult.data.gz",
     "{a: int, b: id, c: int, d: id, e: int, f: id, g: id, h: id, i: id, j: id, k: int, l: int, m: int, "
     "n: id, label: id}",
     "false", "true", 32561},
};

START_TEST(real_files) {
  char path[1024];
  const char *data = getenv("ADLOOM_DATA");
  snprintf(path, sizeof path, "%s/%s", data != NULL ? data : "", real[_i].file);
  if (data == NULL || access(path, R_OK) != 0) {
    fprintf(stderr, "# skipped: ADLOOM_DATA has no %s\n", real[_i].file);
    return;
  }
  fake_io *io = read_good(fake_io_new(read_csv(), "path", path, "columns", real[_i].columns, "header", real[_i].header,
                                      "trim", real[_i].trim, NULL));
  ck_assert_int_eq(io->reject_count, 0);
  ck_assert_int_eq(io->rows, real[_i].rows);
  fake_io_free(io);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void) {
  Suite *suite = suite_create("csv_read");
  TCase *tcase = tcase_create("read");
  tcase_add_checked_fixture(tcase, make_folder, remove_folder);
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, types_and_nulls);
  tcase_add_test(tcase, without_columns_all_are_text);
  tcase_add_test(tcase, like_the_adult_census);
  tcase_add_test(tcase, delimiters_and_quotes);
  tcase_add_test(tcase, timestamp_formats);
  tcase_add_test(tcase, several_files_each_with_its_own_header);
  tcase_add_test(tcase, empty_files);
  tcase_add_loop_test(tcase, bad_lines_are_rejected_alone, 0, COUNT(bad_lines));
  tcase_add_test(tcase, neighbours_of_bad_lines);
  tcase_add_test(tcase, a_nul_byte_is_rejected);
  tcase_add_test(tcase, what_is_not_wanted_is_checked_all_the_same);
  tcase_add_test(tcase, skipped_columns_may_hold_anything);
  tcase_add_test(tcase, an_unclosed_quote_costs_one_line);
  tcase_add_test(tcase, long_fields_are_rejected);
  tcase_add_test(tcase, a_field_of_ten_megabytes);
  tcase_add_test(tcase, a_record_beyond_the_limit);
  tcase_add_test(tcase, a_million_delimiters);
  tcase_add_loop_test(tcase, random_files_like_the_reference, 0, 12);
  tcase_add_test(tcase, blocks_depend_on_the_text_alone);
  tcase_add_loop_test(tcase, packed_files, 0, 2);
  tcase_add_loop_test(tcase, damaged_packed_files, 0, 2);
  tcase_add_test(tcase, rubbish_behind_gzip);
  tcase_add_test(tcase, a_file_that_shrinks);
  tcase_add_test(tcase, a_file_that_grows);
  tcase_add_test(tcase, a_pipe);
  tcase_add_test(tcase, standard_input);
  tcase_add_loop_test(tcase, refused_when_binding, 0, COUNT(refusals));
  tcase_add_test(tcase, files_that_are_not_there);
  tcase_add_test(tcase, all_errors_are_told_at_once);
  tcase_add_loop_test(tcase, real_files, 0, COUNT(real));
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
