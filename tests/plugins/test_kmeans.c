/* k-means: its fits against scikit-learn, its odd cases, and that batches and lanes do not matter. */
#include <check.h>
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/plugins/blobs.h"
#include "tests/plugins/fake_fit_host.h"

extern const adl_plugin *adl_kmeans_entry(const adl_host *host);

static const adl_class *kmeans_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  const adl_plugin *plugin = adl_kmeans_entry(&host);
  ck_assert_ptr_nonnull(plugin);
  return plugin->classes[0];
}

/* A file of centres: the given rows of a matrix. */
static char *write_centers(const fake_matrix *from, const int *rows, int count) {
  static char path[64];
  snprintf(path, sizeof path, "kmeans-%ld.txt", (long)getpid());
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fprintf(file, "# starting centres\n\n");
  for (int j = 0; j < count; j++)
    for (int64_t i = 0; i < from->width; i++)
      fprintf(file, "%.9g%s", from->values[rows[j] * from->width + i], i == from->width - 1 ? "\n" : ", ");
  fclose(file);
  return path;
}

/* ------------------------------------------------------------------------------------------------- fitting ---- */

typedef struct blobs300 {
  float *x;
  fake_matrix matrix;
} blobs300;

static blobs300 blobs300_new(double spread) {
  blobs300 blobs = {.x = blobs_new(7, 300, 3, 4, spread)};
  blobs.matrix = (fake_matrix){300, 3, blobs.x, NULL, NULL};
  return blobs;
}

static const int first_five[] = {0, 1, 2, 3, 4};

START_TEST(known_answer) {
  static const double centers[5][3] = {{3.56748089, 10.26011661, 5.83691848},
                                       {0.41305562, 7.85185432, 8.20894734},
                                       {4.38830372, 9.64939096, 0.89633793},
                                       {0.04891911, 3.929256, 6.20443999},
                                       {5.68150988, 8.31041297, 7.03523745}};
  static const int sizes[5] = {53, 65, 59, 79, 44};
  blobs300 blobs = blobs300_new(3);
  char *path = write_centers(&blobs.matrix, first_five, 5);
  fake_stage *stage = fake_stage_new(kmeans_class(), &blobs.matrix, "clusters", "5", "init", "file", "init_file", path,
                                     "tol", "0", "distance", "far", NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  ck_assert_double_eq(fake_number(stage, "iterations", 0), 9);
  ck_assert_double_eq(fake_number(stage, "converged", 0), 1);
  ck_assert_double_eq_tol(fake_number(stage, "inertia", 0), 2053.352454215964, 1e-6 * 2053);
  ck_assert_double_eq_tol(fake_number(stage, "silhouette", 0), 0.2872751316959226, 1e-7);
  ck_assert_double_eq(fake_number(stage, "silhouette_rows", 0), 300);
  for (int j = 0; j < 5; j++) {
    ck_assert_double_eq(fake_number(stage, "sizes", j), sizes[j]);
    for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(fake_number(stage, "centers", j * 3 + i), centers[j][i], 2e-6);
  }
  ck_assert_str_eq(stage->warned, "");
  /* data pass, sample pass, nine iterations, of which the last moved nothing, and a pass that measures the inertia */
  ck_assert_int_eq(stage->folds, 12);

  ck_assert_int_eq(fake_process(stage, &blobs.matrix), ADL_OK);
  const int32_t *cluster = stage->columns[0];
  const float *distance = stage->columns[1];
  ck_assert_int_eq(stage->types[0].element, ADL_INT32);
  ck_assert_int_eq(stage->types[0].role, ADL_CATEGORY);
  double inertia = 0;
  int counts[5] = {0};
  for (int r = 0; r < 300; r++) {
    inertia += (double)distance[r] * (double)distance[r];
    counts[cluster[r]]++;
  }
  ck_assert_double_eq_tol(inertia, fake_number(stage, "inertia", 0), 1e-3);
  for (int j = 0; j < 5; j++) ck_assert_int_eq(counts[j], sizes[j]);
  unlink(path);
  fake_stage_free(stage);
  free(blobs.x);
}
END_TEST

/* The map of rows of two dimensions is these rows, turned: distances are the same, the first direction the wider one. Of
 * three dimensions it shows as much of the spread as it says. */
START_TEST(the_map_keeps_distances) {
  float *flat = blobs_new(3, 60, 2, 3, 2);
  fake_matrix matrix = {60, 2, flat, NULL, NULL};
  fake_stage *stage = fake_stage_new(kmeans_class(), &matrix, "clusters", "3", NULL);
  ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
  adl_tensor map = fake_tensor(stage, "map");
  ck_assert_int_eq(map.size[0], 60);
  const float *xy = map.data;
  double spread[2] = {0, 0};
  for (int a = 0; a < 60; a++) {
    for (int b = 0; b < a; b++) {
      double expected = hypot((double)(flat[2 * a] - flat[2 * b]), (double)(flat[2 * a + 1] - flat[2 * b + 1]));
      double found = hypot((double)(xy[2 * a] - xy[2 * b]), (double)(xy[2 * a + 1] - xy[2 * b + 1]));
      ck_assert_double_eq_tol(found, expected, 1e-4);
    }
    for (int k = 0; k < 2; k++) spread[k] += (double)xy[2 * a + k] * (double)xy[2 * a + k];
  }
  ck_assert_double_gt(spread[0], spread[1]);
  double all = spread[0] + spread[1];
  ck_assert_double_eq_tol(fake_number(stage, "map_share", 0), spread[0] / all, 1e-6);
  ck_assert_double_eq_tol(fake_number(stage, "map_share", 0) + fake_number(stage, "map_share", 1), 1, 1e-9);
  fake_stage_free(stage);
  free(flat);
  blobs300 blobs = blobs300_new(1);
  stage = fake_stage_new(kmeans_class(), &blobs.matrix, "clusters", "3", NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  double first = fake_number(stage, "map_share", 0), second = fake_number(stage, "map_share", 1);
  ck_assert(first > second && second > (1 - first - second) && first + second < 1);
  ck_assert_int_eq(fake_process(stage, &blobs.matrix), ADL_OK);
  const int32_t *group = fake_tensor(stage, "map_group").data;
  ck_assert_mem_eq(stage->columns[0], group, 300 * sizeof *group);
  fake_stage_free(stage);
  free(blobs.x);
}
END_TEST

/* Where it stops, as scikit-learn: iterations and inertia of the centres it stopped at. */
START_TEST(stopping) {
  static const struct {
    const char *tol, *max_iter;
    int iterations;
    double inertia;
  } cases[] = {{"1e-4", "300", 9, 2053.352454215964},
               {"0.01", "300", 4, 2079.965763248183},
               {"0.1", "300", 2, 2099.176912396598},
               {"0", "1", 1, 2156.418148330221}};
  blobs300 blobs = blobs300_new(3);
  char *path = write_centers(&blobs.matrix, first_five, 5);
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    fake_stage *stage = fake_stage_new(kmeans_class(), &blobs.matrix, "clusters", "5", "init", "file", "init_file",
                                       path, "tol", cases[c].tol, "max_iter", cases[c].max_iter, NULL);
    ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
    ck_assert_double_eq(fake_number(stage, "iterations", 0), cases[c].iterations);
    ck_assert_double_eq_tol(fake_number(stage, "inertia", 0), cases[c].inertia, 1e-6 * cases[c].inertia);
    ck_assert_int_eq(strstr(stage->warned, "still moved") != NULL, c == 3);
    double rows = 0;
    for (int j = 0; j < 5; j++) rows += fake_number(stage, "sizes", j);
    ck_assert_double_eq(rows, 300);
    fake_stage_free(stage);
  }
  unlink(path);
  free(blobs.x);
}
END_TEST

/* Three of four starting centres are the same row: two clusters are empty at first. scikit-learn's answer. */
START_TEST(empty_clusters) {
  static const int same[] = {0, 0, 0, 1}, sizes[] = {72, 64, 68, 96};
  blobs300 blobs = blobs300_new(3);
  fake_matrix sparse = fake_sparse_of(&blobs.matrix);
  const fake_matrix *both[] = {&blobs.matrix, &sparse};
  char *path = write_centers(&blobs.matrix, same, 4);
  for (int m = 0; m < 2; m++) {
    fake_stage *stage =
        fake_stage_new(kmeans_class(), both[m], "clusters", "4", "init", "file", "init_file", path, "tol", "0", NULL);
    ck_assert_int_eq(fake_fit(stage, both[m]), ADL_OK);
    ck_assert_double_eq_tol(fake_number(stage, "inertia", 0), 2248.9941438098613, 1e-6 * 2249);
    ck_assert_double_eq(fake_number(stage, "iterations", 0), 15);
    for (int j = 0; j < 4; j++) ck_assert_double_eq(fake_number(stage, "sizes", j), sizes[j]);
    fake_stage_free(stage);
  }
  unlink(path);
  fake_sparse_free(&sparse);
  free(blobs.x);
}
END_TEST

/* However the draws fall, k-means++ finds four clusters that lie apart; several restarts do so from random rows. */
START_TEST(finds_clusters) {
  static const char *const starts[][2] = {{"kmeans++", "1"}, {"random", "20"}};
  blobs300 blobs = blobs300_new(0.5);
  fake_matrix sparse = fake_sparse_of(&blobs.matrix);
  const fake_matrix *both[] = {&blobs.matrix, &sparse};
  for (int s = 0; s < 4; s++) {
    fake_stage *stage = fake_stage_new(kmeans_class(), both[s / 2], "clusters", "4", "init", starts[s % 2][0],
                                       "restarts", starts[s % 2][1], NULL);
    ck_assert_int_eq(fake_fit(stage, both[s / 2]), ADL_OK);
    ck_assert_double_eq_tol(fake_number(stage, "inertia", 0), 70.74872550124901, 1e-6 * 71);
    ck_assert_double_eq_tol(fake_number(stage, "silhouette", 0), 0.8578671304249971, 1e-6);
    for (int j = 0; j < 4; j++) ck_assert_double_eq(fake_number(stage, "sizes", j), 75);
    fake_stage_free(stage);
  }
  fake_sparse_free(&sparse);
  free(blobs.x);
}
END_TEST

START_TEST(restarts_never_worse) {
  blobs300 blobs = blobs300_new(3);
  double before = INFINITY;
  static const char *const restarts[] = {"1", "2", "5", "20"};
  for (int i = 0; i < 4; i++) {
    fake_stage *stage = fake_stage_new(kmeans_class(), &blobs.matrix, "clusters", "6", "restarts", restarts[i], NULL);
    ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
    double inertia = fake_number(stage, "inertia", 0);
    ck_assert_double_le(inertia, before);
    before = inertia;
    fake_stage_free(stage);
  }
  free(blobs.x);
}
END_TEST

/* However the rows come in batches, and on how many lanes they are summed: the same clusters. */
START_TEST(split_invariance) {
  static const struct {
    int lanes;
    int64_t rows;
  } cases[] = {{1, 300}, {1, 7}, {3, 64}, {8, 1}, {5, 299}};
  blobs300 blobs = blobs300_new(3);
  fake_matrix sparse = fake_sparse_of(&blobs.matrix);
  double first[18] = {0};
  for (size_t c = 0; c < 2 * sizeof cases / sizeof cases[0]; c++) {
    const fake_matrix *matrix = c % 2 == 0 ? &blobs.matrix : &sparse;
    fake_stage *stage = fake_stage_new(kmeans_class(), matrix, "clusters", "6", "tol", "0", NULL);
    stage->lanes = cases[c / 2].lanes;
    stage->batch_rows = cases[c / 2].rows;
    ck_assert_int_eq(fake_fit(stage, matrix), ADL_OK);
    for (int i = 0; i < 18; i++) {
      double at = fake_number(stage, "centers", i);
      if (c == 0) first[i] = at;
      ck_assert_double_eq_tol(at, first[i], 2e-6);
    }
    fake_stage_free(stage);
  }
  fake_sparse_free(&sparse);
  free(blobs.x);
}
END_TEST

START_TEST(repeats_exactly) {
  blobs300 blobs = blobs300_new(3);
  float first[18];
  for (int round = 0; round < 2; round++) {
    fake_stage *stage = fake_stage_new(kmeans_class(), &blobs.matrix, "clusters", "6", "restarts", "3", NULL);
    ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
    if (round == 0) memcpy(first, fake_tensor(stage, "centers").data, sizeof first);
    ck_assert_mem_eq(first, fake_tensor(stage, "centers").data, sizeof first);
    fake_stage_free(stage);
  }
  free(blobs.x);
}
END_TEST

START_TEST(warm_start) {
  blobs300 blobs = blobs300_new(3);
  fake_stage *stage = fake_stage_new(kmeans_class(), &blobs.matrix, "clusters", "6", "tol", "0", NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  double inertia = fake_number(stage, "inertia", 0);
  ck_assert_double_gt(fake_number(stage, "iterations", 0), 1);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK); /* from its own model: already there */
  ck_assert_double_eq(fake_number(stage, "iterations", 0), 1);
  ck_assert_double_eq(fake_number(stage, "inertia", 0), inertia);
  fake_stage *smaller = fake_stage_new(kmeans_class(), &blobs.matrix, "clusters", "5", NULL);
  smaller->model.tensors = stage->model_tensors;
  ck_assert_int_eq(fake_fit(smaller, &blobs.matrix), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(smaller->failed, "clusters: the model to start from has 6 clusters"));
  fake_stage_free(smaller);
  fake_stage_free(stage);
  free(blobs.x);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- odd cases ---- */

START_TEST(fewer_distinct_rows_than_clusters) {
  float x[40];
  for (int r = 0; r < 20; r++) x[2 * r] = (float)(r % 3) * 0.1f, x[2 * r + 1] = (float)(r % 3) + 1e5f;
  fake_matrix dense = {20, 2, x, NULL, NULL}, sparse = fake_sparse_of(&dense);
  static const char *const starts[] = {"kmeans++", "random"};
  for (int s = 0; s < 4; s++) {
    const fake_matrix *matrix = s < 2 ? &dense : &sparse;
    fake_stage *stage = fake_stage_new(kmeans_class(), matrix, "clusters", "5", "init", starts[s % 2], NULL);
    stage->batch_rows = 4;
    ck_assert_int_eq(fake_fit(stage, matrix), ADL_OK);
    ck_assert_int_eq(fake_tensor(stage, "centers").size[0], 3);
    ck_assert_int_eq(fake_tensor(stage, "sizes").size[0], 3);
    ck_assert_double_eq(fake_number(stage, "inertia", 0), 0);
    ck_assert_ptr_nonnull(strstr(stage->warned, "clusters: 3 instead of 5"));
    ck_assert_int_eq(fake_process(stage, matrix), ADL_OK);
    const int32_t *cluster = stage->columns[0];
    for (int r = 3; r < 20; r++) ck_assert_int_eq(cluster[r], cluster[r % 3]);
    fake_stage_free(stage);
  }
  fake_sparse_free(&sparse);
}
END_TEST

/* As many distinct rows as clusters, most of them rare: each gets its own. */
START_TEST(every_distinct_row_a_cluster) {
  enum { ROWS = 500, K = 10 };
  float x[ROWS];
  for (int r = 0; r < ROWS; r++) x[r] = r < K - 1 ? (float)(r + 1) : 0;
  fake_matrix matrix = {ROWS, 1, x, NULL, NULL};
  fake_stage *stage = fake_stage_new(kmeans_class(), &matrix, "clusters", "10", "init", "random", NULL);
  ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
  ck_assert_int_eq(fake_tensor(stage, "centers").size[0], K);
  ck_assert_double_eq(fake_number(stage, "inertia", 0), 0);
  ck_assert_str_eq(stage->warned, "");
  fake_stage_free(stage);
}
END_TEST

START_TEST(one_row) {
  float x[] = {3, 4};
  fake_matrix matrix = {1, 2, x, NULL, NULL};
  fake_stage *stage = fake_stage_new(kmeans_class(), &matrix, "clusters", "1", NULL);
  ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
  ck_assert_double_eq(fake_number(stage, "centers", 1), 4);
  ck_assert_double_eq(fake_number(stage, "inertia", 0), 0);
  ck_assert_double_eq(fake_number(stage, "deviation", 0), 0);
  ck_assert_int_eq(fake_report(stage), ADL_OK);
  ck_assert_ptr_nonnull(strstr(stage->reported, "silhouette=undefined"));
  ck_assert_ptr_nonnull(strstr(stage->reported, "like the average"));
  fake_stage_free(stage);
}
END_TEST

static void expect_refusal(const fake_matrix *matrix, const char *clusters, const char *message) {
  fake_stage *stage = fake_stage_new(kmeans_class(), matrix, "clusters", clusters, NULL);
  ck_assert_int_eq(fake_fit(stage, matrix), ADL_FAILED);
  ck_assert_str_eq(stage->failed, message);
  fake_stage_free(stage);
}

START_TEST(refusals) {
  float x[] = {1, 2, 3};
  expect_refusal(&(fake_matrix){0, 3, x, NULL, NULL}, "1", ": no training rows");
  expect_refusal(&(fake_matrix){3, 0, x, NULL, NULL}, "1", "features: the features have no dimensions");
  expect_refusal(&(fake_matrix){1, 3, x, NULL, NULL}, "2", "clusters: 2 clusters are more than the 1 training row");
  expect_refusal(&(fake_matrix){3, 1, x, NULL, NULL}, "8", "clusters: 8 clusters are more than the 3 training rows");
  expect_refusal(&(fake_matrix){3, 1 << 20, x, NULL, NULL}, "65536",
                 "clusters: 65536 clusters of 1048576 dimensions are more than 1073741824 numbers");
}
END_TEST

START_TEST(refuses_half_an_init) {
  float x[] = {1, 2, 3};
  fake_matrix matrix = {3, 1, x, NULL, NULL};
  fake_stage *stage = fake_stage_new(kmeans_class(), &matrix, "init", "file", NULL);
  ck_assert_str_eq(stage->failed, "init: init: file needs a file");
  fake_stage_free(stage);
  stage = fake_stage_new(kmeans_class(), &matrix, "init_file", "centers.txt", NULL);
  ck_assert_str_eq(stage->failed, "init_file: the file is read with init: file only");
  fake_stage_free(stage);
}
END_TEST

START_TEST(bad_files) {
  static const char *const cases[][2] = {
      {"1, 2\n3\n", "line 2 holds too few numbers"},
      {"1 2\n3 4 5\n", "line 2 holds too many numbers"},
      {"1 2\n", "has 1 centres; expected are 2"},
      {"1 2\n# more\n3 4\n5 6\n", "line 4 is one centre too many"},
      {"1 two\n", "line 1 holds something that is not a number"},
      {"1 2x\n", "line 1 holds something that is not a number"},
      {"1 nan\n", "line 1 holds a number that is not finite"},
  };
  float x[] = {1, 2, 3, 4, 5, 6};
  fake_matrix matrix = {3, 2, x, NULL, NULL};
  char path[64];
  snprintf(path, sizeof path, "kmeans-bad-%ld.txt", (long)getpid());
  for (size_t c = 0; c <= sizeof cases / sizeof cases[0]; c++) {
    bool missing = c == sizeof cases / sizeof cases[0];
    if (!missing) {
      FILE *file = fopen(path, "w");
      ck_assert_ptr_nonnull(file);
      fputs(cases[c][0], file);
      fclose(file);
    }
    fake_stage *stage =
        fake_stage_new(kmeans_class(), &matrix, "clusters", "2", "init", "file", "init_file", path, NULL);
    ck_assert_int_eq(fake_fit(stage, &matrix), ADL_FAILED);
    ck_assert_ptr_nonnull(strstr(stage->failed, missing ? "No such file" : cases[c][1]));
    ck_assert_int_eq(strncmp(stage->failed, "init_file: ", 11), 0);
    fake_stage_free(stage);
    unlink(path);
  }
}
END_TEST

START_TEST(refuses_another_model) {
  blobs300 blobs = blobs300_new(3);
  fake_stage *stage = fake_stage_new(kmeans_class(), &blobs.matrix, NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  fake_matrix wider = {225, 4, blobs.x, NULL, NULL};
  fake_stage *other = fake_stage_new(kmeans_class(), &wider, NULL);
  other->model.tensors = stage->model_tensors;
  ck_assert_int_eq(fake_process(other, &wider), ADL_FAILED);
  ck_assert_str_eq(other->failed, "features: the model is not one of features of 4 dimensions");
  fake_stage_free(other);
  fake_stage_free(stage);
  free(blobs.x);
}
END_TEST

/* Clusters differ in the second feature alone: the report names it. */
START_TEST(report_names_features) {
  float x[200];
  for (int r = 0; r < 100; r++) x[2 * r] = (float)(r % 7), x[2 * r + 1] = r < 25 ? 50 : 0;
  fake_matrix matrix = {100, 2, x, NULL, NULL};
  fake_stage *stage = fake_stage_new(kmeans_class(), &matrix, "clusters", "2", NULL);
  ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
  ck_assert_int_eq(fake_report(stage), ADL_OK);
  ck_assert_double_eq(fake_reported(stage, "/clusters"), 2);
  ck_assert_double_eq_tol(fake_reported(stage, "in-sample/inertia"), fake_number(stage, "inertia", 0), 1e-9);
  ck_assert_double_gt(fake_reported(stage, "in-sample/silhouette"), 0.9);
  /* the larger one first; 50 is sqrt(3) standard deviations above the mean, 0 is 1 / sqrt(3) below */
  const char *large = strstr(stage->reported, "|75|75.0 %|feature-b -0.6");
  const char *small = strstr(stage->reported, "|25|25.0 %|feature-b +1.7");
  ck_assert_ptr_nonnull(large);
  ck_assert_ptr_nonnull(small);
  ck_assert(large < small);
  fake_stage_free(stage);
}
END_TEST

int main(void) {
  openblas_set_num_threads(1);
  Suite *suite = suite_create("kmeans");
  TCase *fitting = tcase_create("fitting");
  tcase_add_test(fitting, known_answer);
  tcase_add_test(fitting, the_map_keeps_distances);
  tcase_add_test(fitting, stopping);
  tcase_add_test(fitting, empty_clusters);
  tcase_add_test(fitting, finds_clusters);
  tcase_add_test(fitting, restarts_never_worse);
  tcase_add_test(fitting, split_invariance);
  tcase_add_test(fitting, repeats_exactly);
  tcase_add_test(fitting, warm_start);
  suite_add_tcase(suite, fitting);
  TCase *odd = tcase_create("odd cases");
  tcase_add_test(odd, fewer_distinct_rows_than_clusters);
  tcase_add_test(odd, every_distinct_row_a_cluster);
  tcase_add_test(odd, one_row);
  tcase_add_test(odd, refusals);
  tcase_add_test(odd, refuses_half_an_init);
  tcase_add_test(odd, bad_files);
  tcase_add_test(odd, refuses_another_model);
  tcase_add_test(odd, report_names_features);
  suite_add_tcase(suite, odd);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
