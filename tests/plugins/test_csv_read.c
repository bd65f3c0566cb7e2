/* read-csv from file to rows, through a host that keeps what comes out: what is accepted, what is rejected, what
 * is refused, and how it is said. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/plugins/csv_scene.h"

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

/* A missing text is an empty field; a quoted one is the empty string, unless it is said to be missing. Other types have no empty
 * value. Some tiles have quotes and some have none. */
START_TEST(quoted_and_empty) {
  enum { ROWS = 600 };
  for (int way = 0; way < 6; way++) {
    char text[ROWS * 16 + 16];
    size_t size = (size_t)sprintf(text, "a,n,b\n");
    for (int i = 0; i < ROWS; i++)
      size += (size_t)sprintf(text + size, i < 300      ? ",,\n"
                                           : i % 4 == 0 ? "\"\",\"\",\n"
                                           : i % 4 == 1 ? ",1,\"\"\n"
                                           : i % 4 == 2 ? "\"x\",,\"NULL\"\n"
                                                        : "NULL,NULL,x\n");
    bool missing = way % 3 == 2;
    fake_io *io = read_good(fake_io_new(read_csv(), "path", text_file(text), "columns", "{a: id, n: int, b: string}",
                                        "trim", way / 3 == 1 ? "true" : "false", way % 3 > 0 ? "nulls" : NULL,
                                        missing ? "[\"\", \"NULL\"]" : "[\"NULL\"]", NULL));
    ck_assert_int_eq(io->rows, ROWS);
    for (int i = 0; i < ROWS; i++) {
      static const char *const kept[] = {" null null", "null 1 ", "x null NULL", "null null x"};
      static const char *const lost[] = {"null null null", "null 1 null", "x null NULL", "null null x"};
      ck_assert_str_eq(row_text(io, i), i < 300 ? lost[0] : missing ? lost[i % 4] : kept[i % 4]);
    }
    ck_assert_int_eq(io->reject_count, 0);
    fake_io_free(io);
  }
}
END_TEST

/* A number may stand for null, in rows that are otherwise as simple as can be. */
START_TEST(numbers_that_mean_null) {
  static const char *const rows[] = {"1 0.5", "null null", "-2 1", "3 null", "null 2", "0 -1.5", "7 8"};
  fake_io *io =
      read_good(fake_io_new(read_csv(), "path", text_file("n,x\n1,.5\n-1,-1\n-2,1\n3,-1\n-1,2\n0,-1.5\n7,8\n"),
                            "columns", "{n: int, x: float}", "nulls", "[\"-1\"]", NULL));
  check_rows(io, 7, rows);
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
    {"user;item\n", "trim", "true", "{user: int}",
     "columns.user@-1: a.csv has no column `user`; its header has user;item (the header is a single name: is "
     "`delimiter: semicolon` meant?)"},
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
  tcase_add_test(tcase, quoted_and_empty);
  tcase_add_test(tcase, numbers_that_mean_null);
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
