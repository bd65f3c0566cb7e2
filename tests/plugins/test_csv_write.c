/* write-csv and write-jsonl, through a host without an engine: what values look like, that CSV comes back as it went, and
 * what happens when the disk does not play along. */
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "tests/plugins/fake_io_host.h"

const adl_plugin *adl_entry_read_csv(const adl_host *host);
const adl_plugin *adl_entry_write_csv(const adl_host *host);
const adl_plugin *adl_entry_write_jsonl(const adl_host *host);

static const adl_host host = {.abi_major = ADL_ABI_MAJOR};
static const adl_class *read_csv(void) { return adl_entry_read_csv(&host)->classes[0]; }
static const adl_class *write_csv(void) { return adl_entry_write_csv(&host)->classes[0]; }
static const adl_class *write_jsonl(void) { return adl_entry_write_jsonl(&host)->classes[0]; }

static char folder[256], path[400];

static void make_folder(void) {
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/adloom-test-XXXXXX", base != NULL ? base : "/tmp");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/out", folder);
}

static void remove_folder(void) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  ck_assert_int_eq(system(command), 0);
}

static const char *content(void) {
  static char text[65536];
  FILE *file = fopen(path, "rb");
  ck_assert_ptr_nonnull(file);
  size_t size = fread(text, 1, sizeof text - 1, file);
  text[size] = '\0';
  fclose(file);
  return text;
}

/* ----------------------------------------------------------------------------------------- columns of all kinds ---- */

#define SCALAR(type_of_element, array, valid)                                                                          \
  {                                                                                                                    \
    .struct_size = sizeof(adl_column), .type = {.element = type_of_element}, .rows = 3, .validity = valid,             \
    .data = array                                                                                                      \
  }

static const uint8_t not_second[] = {5};
static const int32_t small[] = {1, 2, -3};
static const uint32_t natural[] = {0, 1, 4294967295u};
static const int64_t large[] = {INT64_MIN, 0, INT64_MAX};
static const float halves[] = {0.1f, 0, -2.5e-7f};
static const double numbers[] = {0.1, NAN, -INFINITY};
static const int64_t moments[] = {0, 1709210096500000, -1};
static const uint8_t bits[] = {5};
static const int32_t word_ends[] = {0, 5, 5, 13}, list_ends[] = {0, 2, 2, 3}, token_ends[] = {0, 1, 5, 6};
static const uint32_t indices[] = {7, 12, 0};
static const float weights[] = {2, 0.5f, NAN};

static const adl_column columns[] = {
    SCALAR(ADL_INT32, small, not_second),
    SCALAR(ADL_UINT32, natural, NULL),
    SCALAR(ADL_INT64, large, NULL),
    SCALAR(ADL_FLOAT32, halves, not_second),
    SCALAR(ADL_FLOAT64, numbers, NULL),
    SCALAR(ADL_TIMESTAMP, moments, NULL),
    SCALAR(ADL_BOOL, bits, NULL),
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_STRING},
     .rows = 3,
     .data = "a,\"b\"c\n d\xc3\xa9\\x",
     .string_offsets = word_ends},
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_BYTES},
     .rows = 3,
     .data = "foob\xffr",
     .validity = not_second,
     .string_offsets = (const int32_t[]){0, 4, 4, 6}},
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_INT64, .shape = ADL_LIST},
     .rows = 3,
     .data = large,
     .offsets = list_ends},
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_STRING, .shape = ADL_LIST},
     .rows = 3,
     .data = "x\"y,zw",
     .offsets = list_ends,
     .string_offsets = token_ends},
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_TIMESTAMP, .shape = ADL_LIST},
     .rows = 3,
     .data = moments,
     .offsets = list_ends},
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_FLOAT64, .shape = ADL_VECTOR, .width = 1},
     .rows = 3,
     .data = numbers},
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_FLOAT32, .shape = ADL_SPARSE, .width = 100},
     .rows = 3,
     .data = weights,
     .offsets = list_ends,
     .index = indices},
    {.struct_size = sizeof(adl_column),
     .type = {.element = ADL_STRING, .shape = ADL_BAG},
     .rows = 3,
     .data = "x\"y,zw",
     .offsets = list_ends,
     .string_offsets = token_ends,
     .weights = weights},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static const char *const names[] = {"i32",   "u32",  "i64",   "f32",   "f64",    "at",     "ok", "text",
                                    "bytes", "ints", "words", "times", "vector", "sparse", "bag"};

static const adl_column *pointers[COLUMNS];

static fake_io *sink(const adl_class *class, const char *parameter, const char *value) {
  for (int i = 0; i < COLUMNS; i++) pointers[i] = &columns[i];
  fake_io *io = fake_sink_new(class, COLUMNS, names, pointers, "path", path, parameter, value, NULL);
  ck_assert_str_eq(io->failed, "");
  return io;
}

static void write_all(fake_io *io) {
  ck_assert_msg(fake_write(io, 3, pointers) == ADL_OK, "%s", io->failed);
  ck_assert_msg(fake_commit(io) == ADL_OK, "%s", io->failed);
  fake_io_free(io);
}

START_TEST(csv_of_everything) {
  write_all(sink(write_csv(), NULL, NULL));
  ck_assert_str_eq(
      content(),
      "i32,u32,i64,f32,f64,at,ok,text,bytes,ints,words,times,vector,sparse,bag\n"
      "1,0,-9223372036854775808,0.1,0.1,1970-01-01T00:00:00Z,true,\"a,\"\"b\"\"\",\"\"\"Zm9vYg==\"\"\","
      "\"[-9223372036854775808,0]\",\"[\"\"x\"\",\"\"\\\"\"y,z\"\"]\","
      "\"[\"\"1970-01-01T00:00:00Z\"\",\"\"2024-02-29T12:34:56.500Z\"\"]\",[0.1],"
      "\"{\"\"7\"\":2,\"\"12\"\":0.5}\",\"{\"\"x\"\":2,\"\"\\\"\"y,z\"\":0.5}\"\n"
      ",1,0,,nan,2024-02-29T12:34:56.500Z,false,\"\",,[],[],[],[null],{},{}\n"
      "-3,4294967295,9223372036854775807,-2.5e-7,-inf,1969-12-31T23:59:59.999999Z,true,\"c\n d\xc3\xa9\\x\","
      "\"\"\"/3I=\"\"\",[9223372036854775807],\"[\"\"w\"\"]\",\"[\"\"1969-12-31T23:59:59.999999Z\"\"]\",[null],"
      "\"{\"\"0\"\":null}\",\"{\"\"w\"\":null}\"\n");
}
END_TEST

START_TEST(json_lines_of_everything) {
  write_all(sink(write_jsonl(), NULL, NULL));
  ck_assert_str_eq(
      content(),
      "{\"i32\":1,\"u32\":0,\"i64\":-9223372036854775808,\"f32\":0.1,\"f64\":0.1,\"at\":\"1970-01-01T00:00:00Z\","
      "\"ok\":true,"
      "\"text\":\"a,\\\"b\\\"\",\"bytes\":\"Zm9vYg==\",\"ints\":[-9223372036854775808,0],\"words\":[\"x\",\"\\\"y,z\"],"
      "\"times\":[\"1970-01-01T00:00:00Z\",\"2024-02-29T12:34:56.500Z\"],\"vector\":[0.1],\"sparse\":{\"7\":2,\"12\":0."
      "5},"
      "\"bag\":{\"x\":2,\"\\\"y,z\":0.5}}\n"
      "{\"i32\":null,\"u32\":1,\"i64\":0,\"f32\":null,\"f64\":null,\"at\":\"2024-02-29T12:34:56.500Z\",\"ok\":false,"
      "\"text\":\"\",\"bytes\":null,\"ints\":[],\"words\":[],\"times\":[],\"vector\":[null],\"sparse\":{},\"bag\":{}}\n"
      "{\"i32\":-3,\"u32\":4294967295,\"i64\":9223372036854775807,\"f32\":-2.5e-7,\"f64\":null,"
      "\"at\":\"1969-12-31T23:59:59.999999Z\",\"ok\":true,\"text\":\"c\\n d\xc3\xa9\\\\x\",\"bytes\":\"/3I=\","
      "\"ints\":[9223372036854775807],\"words\":[\"w\"],\"times\":[\"1969-12-31T23:59:59.999999Z\"],\"vector\":[null],"
      "\"sparse\":{\"0\":null},\"bag\":{\"w\":null}}\n");
}
END_TEST

START_TEST(parameters) {
  write_all(sink(write_csv(), "columns", "[u32, i32]"));
  ck_assert_str_eq(content(), "u32,i32\n0,1\n1,\n4294967295,-3\n");
  for (int i = 0; i < COLUMNS; i++) pointers[i] = &columns[i];
  write_all(fake_sink_new(write_csv(), COLUMNS, names, pointers, "path", path, "columns", "[i32, ok]", "header",
                          "false", "delimiter", "tab", "null", "NA", NULL));
  ck_assert_str_eq(content(), "1\ttrue\nNA\tfalse\n-3\ttrue\n");
  write_all(fake_sink_new(write_csv(), COLUMNS, names, pointers, "path", path, "columns", "i32", NULL));
  ck_assert_str_eq(content(), "i32\n1\n\"\"\n-3\n"); /* a blank line would be no row */
  write_all(fake_sink_new(write_jsonl(), COLUMNS, names, pointers, "path", path, "columns", "[i32, ok]", "nulls",
                          "false", NULL));
  ck_assert_str_eq(content(), "{\"i32\":1,\"ok\":true}\n{\"ok\":false}\n{\"i32\":-3,\"ok\":true}\n");
}
END_TEST

START_TEST(without_rows_there_is_a_header) {
  fake_io *io = sink(write_csv(), "columns", "[i32, ok]");
  ck_assert_int_eq(fake_commit(io), ADL_OK);
  fake_io_free(io);
  ck_assert_str_eq(content(), "i32,ok\n");
}
END_TEST

/* Random values through write-csv and read-csv, packed or not: bit for bit the same, whatever is in the strings. */
static void expect_packed(const char *ending) {
  static const char *const magic[] = {"\x1f\x8b", "\x28\xb5\x2f\xfd"};
  const char *packed = magic[strcmp(ending, ".zst") == 0];
  ck_assert_int_eq(memcmp(content(), packed, strlen(packed)), 0);
}

/* Strings that look like a missing value, and missing ones. */
START_TEST(texts_and_nulls_there_and_back) {
  static const char *const nulls[] = {NULL, "NA"};
  static const char letters[] = "NULLnull\\NNAN/A";
  static const int32_t ends[] = {0, 0, 4, 8, 10, 12, 15, 15};
  static const uint8_t valid[] = {0x3f};
  const adl_column made = {
      .type = {.element = ADL_STRING}, .rows = 7, .data = letters, .string_offsets = ends, .validity = valid};
  static const char *const titles[] = {"text", "again"};
  const adl_column *data[] = {&made, &made};
  fake_io *out =
      fake_sink_new(write_csv(), 2, titles, data, "path", path, nulls[_i] != NULL ? "null" : NULL, nulls[_i], NULL);
  ck_assert_int_eq(fake_write(out, 7, data), ADL_OK);
  ck_assert_int_eq(fake_commit(out), ADL_OK);
  fake_io_free(out);
  fake_io *in = fake_io_new(read_csv(), "path", path, nulls[_i] != NULL ? "nulls" : NULL, "[\"NA\"]", NULL);
  ck_assert_int_eq(fake_read(in), ADL_OK);
  ck_assert_int_eq(in->rows, 7);
  for (int c = 0; c < 2; c++)
    for (int i = 0; i < 7; i++) {
      const adl_column *back = &in->batches[0].columns[c];
      adl_text text = adl_text_at(back, i);
      ck_assert_int_eq(adl_is_null(back, i), i == 6);
      ck_assert_int_eq(text.size, ends[i + 1] - ends[i]);
      if (text.size > 0) ck_assert_mem_eq(text.data, letters + ends[i], (size_t)text.size);
    }
  fake_io_free(in);
}
END_TEST

START_TEST(there_and_back) {
  enum { ROWS = 3000 };
  static int64_t ints[ROWS], ats[ROWS];
  static double reals[ROWS];
  static uint8_t truths[(ROWS + 7) / 8], valid[(ROWS + 7) / 8];
  static char letters[ROWS * 8];
  static int32_t ends[ROWS + 1];
  static const char alphabet[] = "ab,\"\n\r \t#;\\'|0.";
  uint64_t n = 0, key = 99;
  for (int i = 0; i < ROWS; i++) {
    ints[i] = (int64_t)adl_random(key, n++) >> (i % 64);
    ats[i] = (int64_t)(adl_random(key, n++) % 250000000000000000) - 60000000000000000;
    uint64_t pattern = adl_random(key, n++);
    memcpy(&reals[i], &pattern, 8);
    if (!isfinite(reals[i])) reals[i] = (double)ints[i] / 100;
    adl_bit_set(truths, i, adl_random(key, n++) % 2 == 0);
    adl_bit_set(valid, i, adl_random(key, n++) % 5 > 0);
    ends[i + 1] = ends[i];
    for (uint64_t length = adl_random(key, n++) % 8; length > 0; length--)
      letters[ends[i + 1]++] = alphabet[adl_random(key, n++) % (sizeof alphabet - 1)];
  }
  const adl_column made[] = {
      {.type = {.element = ADL_INT64}, .rows = ROWS, .data = ints, .validity = valid},
      {.type = {.element = ADL_TIMESTAMP}, .rows = ROWS, .data = ats, .validity = valid},
      {.type = {.element = ADL_FLOAT64}, .rows = ROWS, .data = reals, .validity = valid},
      {.type = {.element = ADL_BOOL}, .rows = ROWS, .data = truths},
      {.type = {.element = ADL_STRING}, .rows = ROWS, .data = letters, .string_offsets = ends},
  };
  static const char *const titles[] = {"n", "at", "x", "ok", "a \"text\", or not"};
  const adl_column *data[] = {&made[0], &made[1], &made[2], &made[3], &made[4]};
  static const char *const delimiters[] = {"comma", "tab", "semicolon", "'#'", "comma", "comma"},
                           *const endings[] = {"", "", "", "", ".csv.gz", ".zst"};
  strcat(path, endings[_i]);
  fake_io *out = fake_sink_new(write_csv(), 5, titles, data, "path", path, "delimiter", delimiters[_i], NULL);
  ck_assert_int_eq(fake_write(out, ROWS, data), ADL_OK);
  ck_assert_int_eq(fake_commit(out), ADL_OK);
  fake_io_free(out);
  if (endings[_i][0] != '\0') expect_packed(endings[_i]);
  fake_io *in = fake_io_new(read_csv(), "path", path, "delimiter", delimiters[_i], "columns",
                            "{n: int, at: timestamp, x: float, ok: bool, 'a \"text\", or not': string}", NULL);
  ck_assert_str_eq(in->failed, "");
  ck_assert_int_eq(fake_read(in), ADL_OK);
  ck_assert_str_eq(in->rejected, "");
  ck_assert_int_eq(in->rows, ROWS);
  const adl_column *back = in->batches[0].columns;
  for (int i = 0; i < ROWS; i++) {
    for (int c = 0; c < 3; c++) ck_assert_int_eq(adl_is_null(&back[c], i), adl_is_null(&made[c], i));
    if (!adl_is_null(&made[0], i)) {
      ck_assert_int_eq(((const int64_t *)back[0].data)[i], ints[i]);
      ck_assert_int_eq(((const int64_t *)back[1].data)[i], ats[i]);
      ck_assert_int_eq(memcmp((const double *)back[2].data + i, &reals[i], 8), 0);
    }
    ck_assert_int_eq(adl_bit(back[3].data, i), adl_bit(truths, i));
    adl_text text = adl_text_at(&back[4], i);
    ck_assert_int_eq(text.size, ends[i + 1] - ends[i]);
    if (text.size > 0) ck_assert_int_eq(memcmp(text.data, letters + ends[i], (size_t)text.size), 0);
    ck_assert(!adl_is_null(&back[4], i)); /* the empty string is no missing value */
  }
  fake_io_free(in);
}
END_TEST

/* Nothing at all, packed, is not an empty file. */
START_TEST(packed_without_rows) {
  strcat(path, _i == 0 ? ".jsonl.gz" : ".jsonl.zst");
  for (int i = 0; i < COLUMNS; i++) pointers[i] = &columns[i];
  fake_io *io = fake_sink_new(write_jsonl(), COLUMNS, names, pointers, "path", path, NULL);
  ck_assert_int_eq(fake_commit(io), ADL_OK);
  fake_io_free(io);
  expect_packed(_i == 0 ? ".gz" : ".zst");
}
END_TEST

/* ------------------------------------------------------------------------------------------------- the disk ---- */

START_TEST(nothing_stays_without_commit) {
  for (int i = 0; i < 2; i++) {
    fake_io *io = sink(i == 0 ? write_csv() : write_jsonl(), NULL, NULL);
    ck_assert_int_eq(access(path, F_OK), 0);
    ck_assert_int_eq(fake_write(io, 3, pointers), ADL_OK);
    fake_io_free(io);
    ck_assert_int_ne(access(path, F_OK), 0);
  }
}
END_TEST

START_TEST(a_full_disk) {
  if (access("/dev/full", W_OK) != 0) {
    fprintf(stderr, "# skipped: there is no /dev/full\n");
    return;
  }
  ck_assert_int_eq(symlink("/dev/full", path), 0);
  for (int i = 0; i < 2; i++) {
    for (int c = 0; c < COLUMNS; c++) pointers[c] = &columns[c];
    fake_io *io = fake_sink_new(i == 0 ? write_csv() : write_jsonl(), COLUMNS, names, pointers, "path", path,
                                i == 0 ? "header" : NULL, "false", NULL);
    ck_assert_str_eq(io->failed, "");
    ck_assert_int_eq(fake_write(io, 3, pointers), ADL_FAILED);
    ck_assert_ptr_nonnull(strstr(io->failed, "path@-1: "));
    ck_assert_ptr_nonnull(
        strstr(io->failed, "/out: cannot write to it: No space left on device (make room on that disk"));
    ck_assert_int_eq(fake_commit(io), ADL_FAILED); /* what failed once is not made good */
    fake_io_free(io);
    ck_assert_int_eq(access(path, W_OK), 0); /* a device is not removed */
  }
}
END_TEST

/* A limit on the file's size stands for a disk that fills up half-way through a write. It is lifted before anything is
 * asserted: Check keeps its records of assertions in a file, too. */
START_TEST(a_write_that_stops_half_way) {
  struct rlimit usual, limit;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &usual), 0);
  limit = (struct rlimit){500, usual.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  fake_io *io = sink(write_jsonl(), NULL, NULL);
  int limited = setrlimit(RLIMIT_FSIZE, &limit);
  adl_status wrote = fake_write(io, 3, pointers);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &usual), 0);
  ck_assert_int_eq(limited, 0);
  ck_assert_int_eq(wrote, ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(io->failed, "cannot write to it: File too large"));
  fake_io_free(io);
  ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(places_that_cannot_be_written) {
  snprintf(path, sizeof path, "%s/no/such/folder", folder);
  for (int c = 0; c < COLUMNS; c++) pointers[c] = &columns[c];
  fake_io *io = fake_sink_new(write_csv(), COLUMNS, names, pointers, "path", path, NULL);
  ck_assert_ptr_nonnull(strstr(io->failed, "cannot write to it: No such file or directory"));
  fake_io_free(io);
  io = fake_sink_new(write_jsonl(), COLUMNS, names, pointers, "path", folder, NULL);
  ck_assert_ptr_nonnull(strstr(io->failed, "cannot write to it: Is a directory"));
  fake_io_free(io);
  ck_assert_int_eq(access(folder, F_OK), 0);
}
END_TEST

START_TEST(standard_output) {
  int saved = dup(STDOUT_FILENO), file = open(path, O_CREAT | O_RDWR, 0600);
  for (int c = 0; c < COLUMNS; c++) pointers[c] = &columns[c];
  fflush(stdout);
  dup2(file, STDOUT_FILENO);
  fake_io *io = fake_sink_new(write_csv(), COLUMNS, names, pointers, "path", "-", "columns", "i32", NULL);
  adl_status wrote = fake_write(io, 3, pointers), committed = fake_commit(io);
  fake_io_free(io);
  bool open_still = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
  dup2(saved, STDOUT_FILENO);
  ck_assert_int_eq(wrote, ADL_OK);
  ck_assert_int_eq(committed, ADL_OK);
  ck_assert(open_still);
  ck_assert_str_eq(content(), "i32\n1\n\"\"\n-3\n");
}
END_TEST

static const struct {
  const char *parameter, *value, *failed;
} refusals[] = {
    {"delimiter", "ab", "delimiter@-1: \"ab\" is neither"},
    {"delimiter", "''", "delimiter@-1: \"\" is neither"},
    {"delimiter", "e", "delimiter@-1: \"e\" is neither"},
    {"delimiter", "'.'", "delimiter@-1: \".\" is neither"},
    {"delimiter", "'\"'", "delimiter@-1: \"\"\" is neither"},
    {"null", "'a,b'", "null@-1: it must not hold the delimiter"},
    {"columns", "[]", "columns@-1: there are no columns to write"},
};

START_TEST(refused_when_binding) {
  for (int i = 0; i < COLUMNS; i++) pointers[i] = &columns[i];
  fake_io *io = fake_sink_new(write_csv(), COLUMNS, names, pointers, "path", path, refusals[_i].parameter,
                              refusals[_i].value, NULL);
  ck_assert_msg(strstr(io->failed, refusals[_i].failed) == io->failed, "%s", io->failed);
  ck_assert_int_ne(access(path, F_OK), 0); /* nothing has been opened */
  fake_io_free(io);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void) {
  Suite *suite = suite_create("csv_write");
  TCase *tcase = tcase_create("write");
  tcase_add_checked_fixture(tcase, make_folder, remove_folder);
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, csv_of_everything);
  tcase_add_test(tcase, json_lines_of_everything);
  tcase_add_test(tcase, parameters);
  tcase_add_test(tcase, without_rows_there_is_a_header);
  tcase_add_loop_test(tcase, texts_and_nulls_there_and_back, 0, 2);
  tcase_add_loop_test(tcase, there_and_back, 0, 6);
  tcase_add_loop_test(tcase, packed_without_rows, 0, 2);
  tcase_add_test(tcase, nothing_stays_without_commit);
  tcase_add_test(tcase, a_full_disk);
  tcase_add_test(tcase, a_write_that_stops_half_way);
  tcase_add_test(tcase, places_that_cannot_be_written);
  tcase_add_test(tcase, standard_output);
  tcase_add_loop_test(tcase, refused_when_binding, 0, COUNT(refusals));
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
