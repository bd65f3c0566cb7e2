/* The parts of k-means: the kernel against brute force, the farthest rows, moments and sample, starting centres. */
#include <check.h>
#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "common/kmeans_assign.h"
#include "common/kmeans_data.h"
#include "common/kmeans_farthest.h"
#include "common/kmeans_seed.h"
#include "tests/plugins/blobs.h"
#include "tests/plugins/fake_fit_host.h"

extern const adl_plugin *adl_kmeans_entry(const adl_host *host);

static const adl_class *kmeans_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  const adl_plugin *plugin = adl_kmeans_entry(&host);
  ck_assert_ptr_nonnull(plugin);
  return plugin->classes[0];
}

/* -------------------------------------------------------------------------------------------------- kernel ---- */

static double square_distance(const float *a, const float *b, int64_t d) {
  double sum = 0;
  for (int64_t i = 0; i < d; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  return sum;
}

/* Assigns by kernel and by brute force. Rounding may pick another centre only for sparse rows, and only where both are equally
 * near. Outlier: a row and a centre there, in all dimensions. */
static void compare_assign(int64_t rows, int64_t width, int64_t clusters, float offset, float outlier, bool sparse) {
  float *x = blobs_new(3, rows, width, 17, 2), *centers = blobs_new(4, clusters, width, 17, 3);
  for (int64_t i = 0; i < rows * width; i++) x[i] = sparse && i % 3 != 0 ? 0 : x[i] + offset;
  for (int64_t i = 0; i < clusters * width; i++) centers[i] += offset;
  for (int64_t i = 0; i < width && outlier != 0; i++) x[i] = centers[i] = outlier;
  fake_matrix dense = {rows, width, x, NULL, NULL}, matrix = sparse ? fake_sparse_of(&dense) : dense;
  float *center = calloc((size_t)width, sizeof *center);
  for (int64_t i = 0; i < width; i++) center[i] = offset + outlier / (float)rows;
  fake_stage *stage = fake_stage_new(kmeans_class(), &matrix, NULL);
  adl_rows *unused;
  const adl_call *call = fake_call_begin(stage, &matrix, &unused);
  void *memory = call->host->alloc(call, adl_kmeans_index_size(clusters, width, sparse));
  adl_kmeans_index *index = adl_kmeans_index_build(memory, clusters, width, sparse, centers, center);
  int32_t *cluster = call->host->alloc(call, (size_t)rows * sizeof *cluster);
  double *distance2 = call->host->alloc(call, (size_t)rows * sizeof *distance2);
  adl_column column = fake_column_of(&matrix);
  adl_kmeans_assign(call, index, &column, cluster, distance2);
  for (int64_t r = 0; r < rows; r++) {
    double best = INFINITY;
    int32_t nearest = 0;
    for (int64_t j = 0; j < clusters; j++) {
      double distance = square_distance(x + r * width, centers + j * width, width);
      if (distance < best) nearest = (int32_t)j;
      best = fmin(best, distance);
    }
    double own = square_distance(x + r * width, centers + cluster[r] * width, width);
    if (sparse)
      ck_assert_double_le(own, best * (1 + 1e-9));
    else
      ck_assert_int_eq(cluster[r], nearest);
    ck_assert_double_le(fabs(distance2[r] - own), 1e-11 * own);
  }
  fake_call_end(call);
  fake_stage_free(stage);
  if (sparse) fake_sparse_free(&matrix);
  free(center);
  free(centers);
  free(x);
}

START_TEST(assign_dense) {
  compare_assign(1, 1, 1, 0, 0, false);
  compare_assign(300, 5, 3, 0, 0, false);   /* more than a block of rows */
  compare_assign(37, 8, 1100, 0, 0, false); /* more than two tiles of centres */
}
END_TEST

START_TEST(assign_far_from_zero) { compare_assign(600, 6, 9, 4096, 0, false); }
END_TEST

/* One row far out moves the middle of all, and float32 cannot tell the centres of the others apart. */
START_TEST(assign_with_an_outlier) {
  compare_assign(600, 6, 9, 0, 1e7f, false);
  compare_assign(600, 1, 30, 0, 1e7f, false);
  compare_assign(100, 3, 30, 0, 1e19f, false); /* its square is no float32 */
}
END_TEST

START_TEST(assign_sparse) {
  compare_assign(200, 40, 7, 0, 0, true);
  compare_assign(200, 40, 7, 4096, 0, true);
}
END_TEST

START_TEST(assign_ties) {
  float x[] = {0, 1, 2, 3}, centers[] = {2, 0, 2, 0}, center[] = {1};
  fake_matrix matrix = {4, 1, x, NULL, NULL};
  fake_stage *stage = fake_stage_new(kmeans_class(), &matrix, NULL);
  adl_rows *unused;
  const adl_call *call = fake_call_begin(stage, &matrix, &unused);
  void *memory = call->host->alloc(call, adl_kmeans_index_size(4, 1, false));
  adl_kmeans_index *index = adl_kmeans_index_build(memory, 4, 1, false, centers, center);
  int32_t cluster[4];
  double distance2[4];
  adl_column column = fake_column_of(&matrix);
  adl_kmeans_assign(call, index, &column, cluster, distance2);
  const int32_t expected[] = {1, 0, 0, 0};
  for (int r = 0; r < 4; r++) ck_assert_int_eq(cluster[r], expected[r]);
  ck_assert_double_eq(distance2[0], 0);
  ck_assert_double_eq(distance2[1], 1);
  ck_assert_double_eq(distance2[3], 1);
  fake_call_end(call);
  fake_stage_free(stage);
}
END_TEST

/* Farthest first, equally far ones in row order, no row twice, none that lies on a centre; whatever the lanes. */
START_TEST(farthest) {
  float x[] = {0, 9, 4, -9, 9, 12, -4, 9, 0, 12, 4}, centers[] = {0}, center[] = {0};
  static const float expected[] = {12, 9, -9, 4, -4};
  static const int64_t ordinals[] = {5, 1, 3, 2, 6};
  fake_matrix dense = {11, 1, x, NULL, NULL}, sparse = fake_sparse_of(&dense);
  for (int round = 0; round < 24; round++) {
    const fake_matrix *matrix = round % 2 == 0 ? &dense : &sparse;
    fake_stage *stage = fake_stage_new(kmeans_class(), matrix, NULL);
    stage->lanes = 1 + round / 2 % 4;
    stage->batch_rows = 1 + round / 8;
    adl_kmeans_data data = {.slot = 0, .width = 1, .sparse = matrix == &sparse};
    const adl_call *call = fake_call_begin(stage, matrix, &data.rows);
    void *memory = call->host->alloc(call, adl_kmeans_index_size(1, 1, data.sparse));
    adl_kmeans_index *index = adl_kmeans_index_build(memory, 1, 1, data.sparse, centers, center);
    adl_tensors *total = call->host->scratch_tensors(call);
    adl_kmeans_far far[8];
    for (int64_t wanted = 8; wanted > 0; wanted--) {
      int64_t found = 0;
      ck_assert_int_eq(adl_kmeans_farthest(call, &data, index, wanted, total, far, &found), ADL_OK);
      ck_assert_int_eq(found, wanted < 5 ? wanted : 5);
      for (int64_t i = 0; i < found; i++) {
        ck_assert(far[i].row[0] == expected[i]);
        ck_assert_int_eq(far[i].ordinal, ordinals[i]);
        ck_assert_double_eq(far[i].distance2, (double)(expected[i] * expected[i]));
        ck_assert_int_eq(far[i].cluster, 0);
      }
    }
    fake_call_end(call);
    fake_stage_free(stage);
  }
  fake_sparse_free(&sparse);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------- data ---- */

START_TEST(moments) {
  float x[] = {1, 1e6f, 5, 2, 1e6f, 5, 6, 1e6f + 4, 5}; /* the last column is constant */
  fake_matrix dense = {3, 3, x, NULL, NULL}, sparse = fake_sparse_of(&dense);
  const fake_matrix *both[] = {&dense, &sparse};
  for (int m = 0; m < 2; m++) {
    fake_stage *stage = fake_stage_new(kmeans_class(), both[m], NULL);
    stage->batch_rows = 1;
    adl_rows *rows;
    const adl_call *call = fake_call_begin(stage, both[m], &rows);
    adl_kmeans_data data;
    adl_input features = {.slot = 0, .type = fake_column_of(both[m]).type};
    ck_assert_int_eq(adl_kmeans_look(call, rows, &features, "clusters", 3, &data), ADL_OK);
    ck_assert_int_eq(data.count, 3);
    ck_assert_double_eq_tol(data.mean[0], 3, 1e-12);
    ck_assert_double_eq_tol(data.deviation[0], sqrt(14.0 / 3), 1e-12);
    ck_assert_double_eq_tol(data.deviation[1], sqrt(32.0 / 9), 1e-3);
    ck_assert_double_eq(data.deviation[2], 0);
    ck_assert_int_eq(data.sample.rows, 3);
    fake_call_end(call);
    fake_stage_free(stage);
  }
  fake_sparse_free(&sparse);
}
END_TEST

/* Of 150,000 rows, each in its own words, the sample has 65,536, in row order, whatever the lanes. */
START_TEST(sample) {
  enum { ROWS = 150000, SAMPLE = 65536 };
  float *x = malloc(ROWS * sizeof *x), first[2] = {0};
  for (int r = 0; r < ROWS; r++) x[r] = (float)(r + 1);
  fake_matrix dense = {ROWS, 1, x, NULL, NULL}, sparse = fake_sparse_of(&dense);
  for (int round = 0; round < 4; round++) {
    const fake_matrix *matrix = round % 2 == 0 ? &dense : &sparse;
    fake_stage *stage = fake_stage_new(kmeans_class(), matrix, NULL);
    stage->lanes = round < 2 ? 1 : 7;
    stage->batch_rows = round < 2 ? 4096 : 999;
    adl_rows *rows;
    const adl_call *call = fake_call_begin(stage, matrix, &rows);
    adl_kmeans_data data;
    adl_input features = {.slot = 0, .type = fake_column_of(matrix).type};
    ck_assert_int_eq(adl_kmeans_look(call, rows, &features, "clusters", 3, &data), ADL_OK);
    ck_assert_int_eq(data.sample.rows, SAMPLE);
    const float *value = data.sample.data;
    double sum = 0;
    for (int r = 0; r < SAMPLE; r++) {
      if (r > 0) ck_assert(value[r] > value[r - 1]);
      sum += value[r];
      if (matrix == &sparse) ck_assert_int_eq(data.sample.offsets[r], r);
    }
    ck_assert_double_eq_tol(sum / SAMPLE, ROWS / 2.0, 5); /* evenly from everywhere */
    ck_assert(value[SAMPLE - 1] > ROWS - 4 && value[0] < 4);
    if (round == 0) first[0] = value[1000], first[1] = value[60000];
    ck_assert(value[1000] == first[0] && value[60000] == first[1]);
    fake_call_end(call);
    fake_stage_free(stage);
  }
  fake_sparse_free(&sparse);
  free(x);
}
END_TEST

/* How good k-means++ starts are: the mean inertia of sixty, where scikit-learn's kmeans_plusplus has 3814.4 with standard
 * deviation 97 (2000 seeds), and 4525.8 when it is not greedy. */
START_TEST(spread_starts) {
  enum { ROWS = 400, WIDTH = 4, K = 25, STARTS = 60 };
  float *x = blobs_new(21, ROWS, WIDTH, K, 3), centers[K * WIDTH];
  fake_matrix dense = {ROWS, WIDTH, x, NULL, NULL}, sparse = fake_sparse_of(&dense);
  const fake_matrix *both[] = {&dense, &sparse};
  for (int m = 0; m < 2; m++) {
    fake_stage *stage = fake_stage_new(kmeans_class(), both[m], NULL);
    adl_rows *rows;
    const adl_call *call = fake_call_begin(stage, both[m], &rows);
    adl_kmeans_data data;
    adl_input features = {.slot = 0, .type = fake_column_of(both[m]).type};
    ck_assert_int_eq(adl_kmeans_look(call, rows, &features, "clusters", K, &data), ADL_OK);
    double mean = 0;
    for (int start = 0; start < STARTS; start++) {
      int64_t found = 0;
      ck_assert_int_eq(adl_kmeans_seed_spread(call, &data, K, (uint64_t)start, centers, &found), ADL_OK);
      ck_assert_int_eq(found, K);
      for (int r = 0; r < ROWS; r++) {
        double best = INFINITY;
        for (int j = 0; j < K; j++) best = fmin(best, square_distance(x + r * WIDTH, centers + j * WIDTH, WIDTH));
        mean += best / STARTS;
      }
    }
    ck_assert_double_eq_tol(mean, 3814.4, 60);
    fake_call_end(call);
    fake_stage_free(stage);
  }
  fake_sparse_free(&sparse);
  free(x);
}
END_TEST

int main(void) {
  openblas_set_num_threads(1);
  Suite *suite = suite_create("kmeans kernel");
  TCase *parts = tcase_create("parts");
  tcase_add_test(parts, assign_dense);
  tcase_add_test(parts, assign_far_from_zero);
  tcase_add_test(parts, assign_with_an_outlier);
  tcase_add_test(parts, assign_sparse);
  tcase_add_test(parts, assign_ties);
  tcase_add_test(parts, farthest);
  tcase_add_test(parts, moments);
  tcase_add_test(parts, sample);
  tcase_add_test(parts, spread_starts);
  suite_add_tcase(suite, parts);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
