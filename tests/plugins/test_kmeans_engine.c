/* k-means on the real engine: threads, memory and vectors do not matter, Lloyd's algorithm never makes it worse, and
 * mini-batches find what is there. */
#include <math.h>

#include "tests/plugins/blobs.h"
#include "tests/plugins/npy_file.h"
#include "tests/plugins/transform.h"

/* Clusters `rows` rows around `centers` centres. */
static adl_harness *cluster(int64_t rows, int64_t width, int64_t centers, double spread, int threads, int64_t memory,
                            const char *parameters) {
  float *x = blobs_new(31, rows, width, centers, spread);
  adl_harness *h = adl_harness_new("n\n1\n", "{n: int}");
  adl_harness_threads(h, threads);
  if (memory > 0) adl_harness_memory(h, memory);
  char *stages = g_strdup_printf("  s: {use: read-npy, path: %s}\n  c: {use: kmeans, features: x, %s}\n",
                                 npy_of(h, "x.npy", x, rows, width), parameters);
  adl_harness_run(h, stages, "c");
  ASSERT_OK(h);
  g_free(stages);
  free(x);
  return h;
}

static adl_tensor tensor_of(adl_harness *h, const char *name) {
  adl_tensor tensor;
  ck_assert(adl_tensors_find(adl_harness_model(h, "c"), name, &tensor));
  return tensor;
}

static double inertia_of(adl_harness *h) { return *(const double *)tensor_of(h, "inertia").data; }

static const char *const algorithms[] = {
    "clusters: 40, algorithm: lloyd, max_iter: 12, tol: 0",
    "clusters: 40, algorithm: mini-batch, batch_size: 1000, max_iter: 2",
    "clusters: 40, init: random, restarts: 2, max_iter: 4",
};

/* Ten times as many bytes as there is memory for, and any number of threads: the same model, to the bit. */
START_TEST(threads_and_memory) {
  enum { ROWS = 20000, WIDTH = 50 }; /* 4 MB */
  static const struct {
    int threads;
    int64_t memory;
  } cases[] = {{1, 0}, {3, 0}, {2, 400000}};
  char *centers = NULL;
  double inertia = 0;
  for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
    adl_harness *h = cluster(ROWS, WIDTH, 25, 8, cases[c].threads, cases[c].memory, algorithms[_i]);
    adl_tensor now = tensor_of(h, "centers");
    size_t size = (size_t)now.count * sizeof(float);
    ck_assert_int_eq(now.count, 40 * WIDTH);
    if (c == 0) {
      centers = g_memdup2(now.data, size);
      inertia = inertia_of(h);
    }
    ck_assert_mem_eq(now.data, centers, size);
    ck_assert(inertia_of(h) == inertia);
    adl_harness_free(h);
  }
  g_free(centers);
}
END_TEST

/* Iteration by iteration, on clusters that overlap. */
START_TEST(inertia_never_rises) {
  double before = INFINITY;
  for (int iterations = 1; iterations <= 14; iterations++) {
    char parameters[80];
    snprintf(parameters, sizeof parameters, "clusters: 30, init: random, tol: 0, max_iter: %d", iterations);
    adl_harness *h = cluster(3000, 6, 20, 6, 2, 0, parameters);
    ck_assert_double_le(inertia_of(h), before);
    if (iterations > 1 && iterations < 6) ck_assert_double_lt(inertia_of(h), before);
    before = inertia_of(h);
    adl_harness_free(h);
  }
}
END_TEST

/* Each cluster is one of the planted ones: as many rows, and all of them. */
static void assert_planted(adl_harness *h, int64_t rows, int64_t centers) {
  const int32_t *found = adl_harness_column(h, "cluster")->data;
  for (int64_t r = 0; r < rows; r++) ck_assert_int_eq(found[r], found[r % centers]);
  for (int64_t a = 0; a < centers; a++)
    for (int64_t b = 0; b < a; b++) ck_assert_int_ne(found[a], found[b]);
}

START_TEST(mini_batches_find_planted_clusters) {
  adl_harness *lloyd = cluster(9000, 12, 6, 1, 2, 0, "clusters: 6");
  adl_harness *batches = cluster(9000, 12, 6, 1, 2, 0, "clusters: 6, algorithm: mini-batch, batch_size: 300");
  assert_planted(lloyd, 9000, 6);
  assert_planted(batches, 9000, 6);
  ck_assert_double_ge(inertia_of(batches), inertia_of(lloyd) * (1 - 1e-12));
  ck_assert_double_le(inertia_of(batches), inertia_of(lloyd) * 1.001);
  ck_assert_int_eq(*(const int64_t *)tensor_of(batches, "converged").data, 1);
  adl_harness_free(lloyd);
  adl_harness_free(batches);
}
END_TEST

/* One batch that holds all rows is one iteration of Lloyd's algorithm. */
START_TEST(one_batch_of_all_rows) {
  adl_harness *lloyd = cluster(5000, 7, 9, 5, 2, 0, "clusters: 9, max_iter: 1");
  adl_harness *batches =
      cluster(5000, 7, 9, 5, 2, 0, "clusters: 9, max_iter: 1, algorithm: mini-batch, batch_size: 5000");
  adl_tensor one = tensor_of(lloyd, "centers"), two = tensor_of(batches, "centers");
  ck_assert_int_eq(one.count, two.count);
  for (int64_t i = 0; i < one.count; i++)
    ck_assert_double_eq_tol((double)((const float *)one.data)[i], (double)((const float *)two.data)[i], 1e-5);
  adl_harness_free(lloyd);
  adl_harness_free(batches);
}
END_TEST

START_TEST(vectors_do_not_matter) {
  adl_harness *fast = cluster(4000, 19, 7, 1.5, 2, 0, "clusters: 7, distance: far");
  setenv("ADLOOM_SIMD", "portable", 1);
  adl_harness *plain = cluster(4000, 19, 7, 1.5, 2, 0, "clusters: 7, distance: far");
  unsetenv("ADLOOM_SIMD");
  assert_planted(plain, 4000, 7);
  ck_assert_mem_eq(adl_harness_column(fast, "cluster")->data, adl_harness_column(plain, "cluster")->data, 4000 * 4);
  ck_assert_mem_eq(adl_harness_column(fast, "far")->data, adl_harness_column(plain, "far")->data, 4000 * 4);
  ck_assert(inertia_of(fast) == inertia_of(plain));
  adl_harness_free(fast);
  adl_harness_free(plain);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kmeans on the engine");
  TCase *parts = tcase_create("parts");
  tcase_set_timeout(parts, 120);
  tcase_add_loop_test(parts, threads_and_memory, 0, (int)(sizeof algorithms / sizeof algorithms[0]));
  tcase_add_test(parts, inertia_never_rises);
  tcase_add_test(parts, mini_batches_find_planted_clusters);
  tcase_add_test(parts, one_batch_of_all_rows);
  tcase_add_test(parts, vectors_do_not_matter);
  suite_add_tcase(suite, parts);
  return run_suite(suite);
}
