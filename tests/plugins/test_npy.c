/* read-npy on the real engine: what numpy.save writes, and what is refused. */
#include <math.h>

#include "tests/plugins/npy_file.h"
#include "tests/plugins/transform.h"

static adl_harness *new_harness(void) { return adl_harness_new("n\n1\n", "{n: int}"); }

static void read_files(adl_harness *h, const char *paths, const char *more) {
  char *stage = g_strdup_printf("  s: {use: read-npy, path: %s%s}\n", paths, more);
  adl_harness_run(h, stage, "s");
  g_free(stage);
}

START_TEST(known_values) {
  static const float values[] = {1, 2.5, -3, 0, 1e-20f, 7};
  adl_harness *h = new_harness();
  read_files(h, npy_of(h, "a.npy", values, 2, 3), "");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  ck_assert_int_eq(adl_harness_type(h, "x").shape, ADL_VECTOR);
  ck_assert_int_eq(adl_harness_type(h, "x").element, ADL_FLOAT32);
  ck_assert_int_eq(adl_harness_type(h, "x").width, 3);
  ck_assert_mem_eq(adl_harness_column(h, "x")->data, values, sizeof values);
  adl_harness_free(h);
}
END_TEST

START_TEST(wide_numbers_and_one_dimension) {
  static const double values[] = {0.1, 1e300, -2};
  adl_harness *h = new_harness();
  read_files(h, npy_raw(h, "a.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", values, sizeof values),
             ", as: price");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_type(h, "price").width, 1);
  const float *read = adl_harness_column(h, "price")->data;
  ck_assert(read[0] == 0.1f && isinf(read[1]) && read[2] == -2);
  adl_harness_free(h);
}
END_TEST

/* More rows than a batch, from several files, on several threads: all, in order. */
START_TEST(many_rows_and_files) {
  enum { ROWS = 10001, WIDTH = 2 };
  float *values = malloc(sizeof(float) * ROWS * WIDTH);
  for (int i = 0; i < ROWS * WIDTH; i++) values[i] = (float)i;
  adl_harness *h = new_harness();
  adl_harness_threads(h, 3);
  npy_of(h, "a.npy", values, ROWS, WIDTH);
  npy_of(h, "b.npy", values, 0, WIDTH);
  npy_of(h, "c.npy", values, 5, WIDTH);
  char *paths = g_strdup_printf("[%1$s/a.npy, %1$s/b.npy, %1$s/c.npy]", adl_harness_directory(h));
  read_files(h, paths, ", file_column: file");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), ROWS + 5);
  const float *read = adl_harness_column(h, "x")->data;
  ck_assert_mem_eq(read, values, sizeof(float) * ROWS * WIDTH);
  ck_assert_mem_eq(read + ROWS * WIDTH, values, sizeof(float) * 5 * WIDTH);
  char *file = adl_harness_text(h, "file", ROWS + 4);
  ck_assert_str_eq(file, "c.npy");
  free(file);
  g_free(paths);
  free(values);
  adl_harness_free(h);
}
END_TEST

static const struct {
  const char *dictionary, *words;
} bad[] = {
    {"{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2), }", "something else than float32 or float64"},
    {"{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }", "little-endian"},
    {"{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", "column by column"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2), }", "one or two dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "one or two dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2), }", "one or two dimensions"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 0), }", "rows without numbers"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", "shorter than its header says"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 2), }", "shorter than its header says"},
    {"{'shape': (1, 2)}", "without descr or fortran_order"},
};

START_TEST(refused_headers) {
  static const float values[] = {1, 2, 3, 4, 5};
  adl_harness *h = new_harness();
  read_files(h, npy_raw(h, "a.npy", bad[_i].dictionary, values, sizeof values), "");
  ck_assert(!adl_harness_ok(h));
  ck_assert_msg(strstr(adl_harness_errors(h), bad[_i].words) != NULL, "%s", adl_harness_errors(h));
  adl_harness_free(h);
}
END_TEST

START_TEST(refused_files) {
  static const float values[] = {1, 2, 3, 4};
  adl_harness *h = new_harness();
  read_files(h, adl_harness_file(h, "a.npy", "x,y\n1,2\n3,4\n", -1), "");
  ck_assert_msg(strstr(adl_harness_errors(h), "does not begin as an .npy file does") != NULL, "%s",
                adl_harness_errors(h));
  read_files(h, adl_harness_file(h, "b.npy", "\x93NUMPY\x09\x00\x10\x00{'descr'", 19), "");
  ck_assert_msg(strstr(adl_harness_errors(h), "version of the format") != NULL, "%s", adl_harness_errors(h));
  read_files(h, "-", "");
  ck_assert_msg(strstr(adl_harness_errors(h), "is no file that can be read at any place") != NULL, "%s",
                adl_harness_errors(h));
  npy_of(h, "c.npy", values, 2, 2);
  npy_of(h, "d.npy", values, 1, 4);
  char *paths = g_strdup_printf("[%1$s/c.npy, %1$s/d.npy]", adl_harness_directory(h));
  read_files(h, paths, "");
  ck_assert_msg(strstr(adl_harness_errors(h), "has 4 numbers a row") != NULL, "%s", adl_harness_errors(h));
  g_free(paths);
  adl_harness_free(h);
}
END_TEST

/* NaN is read, and rejected by a stage that cannot use it. */
START_TEST(nan_is_rejected_where_it_matters) {
  const float values[] = {1, 2, NAN, 4, 5, 6};
  adl_harness *h = new_harness();
  adl_harness_top(h, "max_rejects: 1\n");
  char *stages = g_strdup_printf("  s: {use: read-npy, path: %s}\n  c: {use: kmeans, features: x, clusters: 2}\n",
                                 npy_of(h, "a.npy", values, 3, 2));
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  ck_assert_int_eq(adl_harness_rows(h), 2);
  ck_assert_int_eq(adl_harness_rejected(h), 1);
  g_free(stages);
  adl_harness_free(h);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("read-npy");
  TCase *parts = tcase_create("parts");
  tcase_add_test(parts, known_values);
  tcase_add_test(parts, wide_numbers_and_one_dimension);
  tcase_add_test(parts, many_rows_and_files);
  tcase_add_loop_test(parts, refused_headers, 0, (int)(sizeof bad / sizeof bad[0]));
  tcase_add_test(parts, refused_files);
  tcase_add_test(parts, nan_is_rejected_where_it_matters);
  suite_add_tcase(suite, parts);
  return run_suite(suite);
}
