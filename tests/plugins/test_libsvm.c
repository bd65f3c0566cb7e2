/* read-libsvm on the real engine: what lines mean, what is rejected and where, files and packings, and a9a. */
#include <math.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/plugins/transform.h"

/* Reads a file "a.txt" of this content with more parameters, and taps the source. */
static adl_harness *read_text(const char *text, const char *parameters) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_top(h, "max_rejects: 1\n");
  const char *path = adl_harness_file(h, "a.txt", text, (gssize)strlen(text));
  char *stage = g_strdup_printf("  s: {use: read-libsvm, path: %s, %s}\n", path, parameters);
  adl_harness_run(h, stage, "s");
  g_free(stage);
  return h;
}

static void assert_read(const char *text, const char *parameters, const char *labels, const char *x) {
  adl_harness *h = read_text(text, parameters);
  ASSERT_OK(h);
  ASSERT_VALUES(h, "label", labels);
  ASSERT_VALUES(h, "x", x);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  adl_harness_free(h);
}

START_TEST(known_values) {
  assert_read("+1 1:1 3:0.5\n-1 2:-2e1\n", "width: 3", "1|-1", "{0: 1, 2: 0.5}|{1: -20}");
  assert_read("+1 1:1 3:0.5\n-1 2:-2e1\n0\n1 3:7", "width: 3, labels: binary", "true|false|false|true",
              "{0: 1, 2: 0.5}|{1: -20}|{}|{2: 7}");
  assert_read("2.5 0:1 2:3\n", "width: 3, first_index: 0", "2.5", "{0: 1, 2: 3}");
  assert_read("# a comment\n\n  \n 1\t2:3  # 3:4\r\n4 1:0 2:1 3:0.0\r\n", "width: 3", "1|4", "{1: 3}|{1: 1}");
  assert_read("1 3:3 1:1 2:2\n", "width: 3", "1", "{0: 1, 1: 2, 2: 3}");
  assert_read("1 2:-3 1:-1 3:1e-50\n", "width: 3", "1", "{0: -1, 1: -3}");
  assert_read("1 4294967296:2 7:1\n", "width: 4294967296", "1", "{6: 1, 4294967295: 2}");
}
END_TEST

START_TEST(types_and_names) {
  adl_harness *h =
      read_text("1 qid:7 1:2\n0 2:1\n", "width: 9, labels: binary, label: y, as: f, query: q, file_column: file");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_type(h, "y").element, ADL_BOOL);
  ck_assert_int_eq(adl_harness_type(h, "f").shape, ADL_SPARSE);
  ck_assert_int_eq(adl_harness_type(h, "f").width, 9);
  ck_assert_int_eq(adl_harness_type(h, "q").role, ADL_CATEGORY);
  ASSERT_VALUES(h, "q", "7|null");
  ASSERT_VALUES(h, "file", "a.txt|a.txt");
  adl_harness_free(h);
}
END_TEST

static const struct {
  const char *line, *reason;
} bad[] = {
    {"1:2 2:3", "s 2 label \"1:2\" at byte 1 stands where the label must be: the line has none"},
    {"spam 2:3", "s 2 label \"spam\" at byte 1 is not a label, which is one number"},
    {"nan 2:3", "s 2 label \"nan\" at byte 1 is not a label, which is one number"},
    {"1,3 2:3", "s 2 label \"1,3\" at byte 1 is not a label, which is one number"},
    {"2 2:3", "s 2 label \"2\" at byte 1 is not a binary label: +1, 1, -1 or 0"},
    {"1 2:3 4", "s 2 x \"4\" at byte 7 is not index:value"},
    {"1 :3", "s 2 x \":3\" at byte 3 does not begin with an index"},
    {"1 -1:3", "s 2 x \"-1:3\" at byte 3 does not begin with an index"},
    {"1 +1:3", "s 2 x \"+1:3\" at byte 3 does not begin with an index"},
    {"1 a:3", "s 2 x \"a:3\" at byte 3 does not begin with an index"},
    {"1 99999999999999999999:3", "s 2 x \"99999999999999999999:3\" at byte 3 does not begin with an index"},
    {"1 0:3", "s 2 x \"0:3\" at byte 3 has an index below first_index"},
    {"1 5:1", "s 2 x \"5:1\" at byte 3 has an index beyond width"},
    {"1 1:", "s 2 x \"1:\" at byte 3 has a value that is not a number"},
    {"1 1:2:3", "s 2 x \"1:2:3\" at byte 3 has a value that is not a number"},
    {"1 1:nan", "s 2 x \"1:nan\" at byte 3 has a value that no float32 holds"},
    {"1 1:1e39", "s 2 x \"1:1e39\" at byte 3 has a value that no float32 holds"},
    {"1 1:1 1:1", "s 2 x the index 1 occurs twice"},
    {"1 3:1 2:5 3:-1", "s 2 x the index 3 occurs twice"},
    {"1 qid:x 1:2", "\"qid:x\" at byte 3 is not qid: and a whole number"},
    {"1 1:2 qid:3", "s 2 x \"qid:3\" at byte 7 does not begin with an index"},
    {"1 1:\x01\xff", "s 2 x \"1:"},
};

/* The line is rejected with its number and place; those around it stay. */
START_TEST(bad_lines) {
  char *text = g_strdup_printf("1 1:1\n%s\n0 4:4\n", bad[_i].line);
  adl_harness *h = read_text(text, "width: 4, labels: binary");
  ASSERT_OK(h);
  ASSERT_VALUES(h, "x", "{0: 1}|{3: 4}");
  char *rejects = adl_harness_rejects(h);
  ck_assert_msg(strstr(rejects, bad[_i].reason) != NULL, "%s lacks %s", rejects, bad[_i].reason);
  ck_assert_int_eq(adl_harness_rejected(h), 1);
  free(rejects);
  adl_harness_free(h);
  g_free(text);
}
END_TEST

START_TEST(empty_files) {
  adl_harness *h = read_text("", "width: 4");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
  h = read_text("\n# nothing\n\n", "width: 4");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 0);
  adl_harness_free(h);
}
END_TEST

START_TEST(refusals) {
  static const char *const wrong[][2] = {{"width: 0", "width"},
                                         {"first_index: 1", "width"},
                                         {"width: 4, first_index: 2", "first_index"},
                                         {"width: 4, labels: many", "labels"},
                                         {"width: 4, label: x", "there is a column `x` already"}};
  adl_harness *h = read_text("1 1:1\n", wrong[_i][0]);
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), wrong[_i][1]) != NULL, "%s", adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

/* ---- many rows ---- */

/* Line i has the label i and pairs that follow from it. */
static void add_lines(GString *text, int first, int count) {
  for (int i = first; i < first + count; i++) {
    g_string_append_printf(text, "%d", i);
    for (uint32_t d = 0; d < 40; d++)
      if (adl_random((uint64_t)i, d) % 4 == 0)
        g_string_append_printf(text, " %u:%g", d + 1, (double)(adl_random((uint64_t)i, 100 + d) % 64 + 1) / 4);
    g_string_append_c(text, '\n');
  }
}

static void *pack(const GString *text, bool zstd, gssize *size) {
  uLongf bound = compressBound(text->len) + 100;
  size_t most = ZSTD_compressBound(text->len) > bound ? ZSTD_compressBound(text->len) : bound;
  void *packed = g_malloc(most);
  if (zstd) {
    *size = (gssize)ZSTD_compress(packed, most, text->str, text->len, 1);
    return packed;
  }
  z_stream stream = {
      .next_in = (Bytef *)text->str, .avail_in = (uInt)text->len, .next_out = packed, .avail_out = (uInt)most};
  ck_assert_int_eq(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
  *size = (gssize)stream.total_out;
  deflateEnd(&stream);
  return packed;
}

/* A plain, a gzip and a zstd file, whose names do not say so, of 5000 lines each. */
static adl_harness *with_files(void) {
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  for (int f = 0; f < 3; f++) {
    GString *text = g_string_new(NULL);
    char name[16];
    gssize size = 0;
    add_lines(text, 5000 * f, 5000);
    snprintf(name, sizeof name, "part%d.x", f);
    void *packed = f == 0 ? NULL : pack(text, f == 2, &size);
    adl_harness_file(h, name, f == 0 ? text->str : packed, f == 0 ? (gssize)text->len : size);
    g_free(packed);
    g_string_free(text, TRUE);
  }
  return h;
}

static const char of_files[] = "  s: {use: read-libsvm, path: part*.x, width: 40, file_column: file}\n"
                               "  o: {use: write-jsonl, path: o.jsonl}\n";

START_TEST(files_one_after_the_other) {
  adl_harness *h = with_files();
  adl_harness_run(h, of_files, "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 15000);
  for (int64_t row = 0; row < 15000; row += 37) {
    GString *line = g_string_new(NULL), *pairs = g_string_new("{");
    add_lines(line, (int)row, 1);
    g_string_truncate(line, line->len - 1);
    char **words = g_strsplit(line->str, " ", -1), *text = adl_harness_text(h, "x", row);
    ck_assert(adl_harness_number(h, "label", row) == (double)row);
    for (int i = 1; words[i] != NULL; i++) {
      int index;
      double value;
      ck_assert_int_eq(sscanf(words[i], "%d:%lf", &index, &value), 2);
      g_string_append_printf(pairs, "%s%d: %g", i > 1 ? ", " : "", index - 1, value);
    }
    g_string_append_c(pairs, '}');
    ck_assert_str_eq(text, pairs->str);
    free(text);
    text = adl_harness_text(h, "file", row);
    ck_assert_int_eq(text[4] - '0', (int)(row / 5000));
    free(text);
    g_strfreev(words);
    g_string_free(line, TRUE);
    g_string_free(pairs, TRUE);
  }
  adl_harness_free(h);
}
END_TEST

START_TEST(threads_change_no_bit) {
  char *first = NULL;
  for (int threads = 1; threads <= 4; threads++) {
    adl_harness *h = with_files();
    adl_harness_threads(h, threads);
    adl_harness_run(h, of_files, NULL);
    ASSERT_OK(h);
    char *digest = adl_harness_read(h, "o.jsonl");
    if (first == NULL) first = g_strdup(digest);
    ck_assert_msg(strcmp(digest, first) == 0, "%d threads differ from one", threads);
    free(digest);
    adl_harness_free(h);
  }
  g_free(first);
}
END_TEST

/* ---- a9a ---- */

/* Counted in the text: lines, those of a positive label, pairs. Copies of a9a differ in a row, and in how they write
 * labels. */
static void count_text(const char *path, int counts[3]) {
  gzFile file = gzopen(path, "rb");
  char line[4096];
  ck_assert_ptr_nonnull(file);
  while (gzgets(file, line, sizeof line) != NULL) {
    counts[0]++;
    counts[1] += line[0] == '1' || line[0] == '+';
    for (const char *at = line; (at = strchr(at, ':')) != NULL; at++) counts[2]++;
  }
  gzclose(file);
}

START_TEST(a9a_is_read_whole) {
  const char *data = g_getenv("ADLOOM_DATA");
  char *path = g_build_filename(data, "a9a", "a9a.gz", NULL);
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  char *stage = g_strdup_printf("  s: {use: read-libsvm, path: %s, width: 123, labels: binary}\n", path);
  int expected[3] = {0, 0, 0}, positive = 0, ones = 0;
  count_text(path, expected);
  ck_assert_int_gt(expected[0], 32000);
  adl_harness_run(h, stage, "s");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rejected(h), 0);
  ck_assert_int_eq(adl_harness_rows(h), expected[0]);
  const adl_column *label = adl_harness_column(h, "label"), *x = adl_harness_column(h, "x");
  uint32_t largest = 0;
  for (int64_t row = 0; row < label->rows; row++) positive += adl_bit(label->data, row);
  for (int32_t i = 0; i < x->offsets[x->rows]; i++) {
    ones += ((const float *)x->data)[i] == 1;
    largest = x->index[i] > largest ? x->index[i] : largest;
  }
  ck_assert_int_eq(positive, expected[1]);
  ck_assert_int_eq(x->offsets[x->rows], expected[2]);
  ck_assert_int_eq(ones, expected[2]);
  ck_assert(largest == 122 || largest == 121); /* the last feature is of one row, which some copies lack */
  g_free(stage);
  adl_harness_free(h);
  g_free(path);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("read-libsvm");
  TCase *cases = tcase_create("read-libsvm");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, known_values);
  tcase_add_test(cases, types_and_names);
  tcase_add_loop_test(cases, bad_lines, 0, (int)G_N_ELEMENTS(bad));
  tcase_add_test(cases, empty_files);
  tcase_add_loop_test(cases, refusals, 0, 5);
  tcase_add_test(cases, files_one_after_the_other);
  tcase_add_test(cases, threads_change_no_bit);
  char *a9a = g_build_filename(g_getenv("ADLOOM_DATA") != NULL ? g_getenv("ADLOOM_DATA") : "", "a9a", "a9a.gz", NULL);
  if (g_file_test(a9a, G_FILE_TEST_EXISTS)) tcase_add_test(cases, a9a_is_read_whole);
  g_free(a9a);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
