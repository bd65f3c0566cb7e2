/* k-means' kernel and its bounds: every level of vectors against brute force, and bounds that change nothing. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kmeans_bounds.h"
#include "common/kmeans_rows.h"
#include "common/linalg.h"
#include "tests/plugins/blobs.h"
#include "tests/plugins/fake_fit_host.h"

extern const adl_plugin *adl_kmeans_entry(const adl_host *host);

static const char *const levels[] = {"portable", "avx2", "avx512"}; /* as far as the machine has them */

static fake_stage *stage_of(const fake_matrix *matrix) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  return fake_stage_new(adl_kmeans_entry(&host)->classes[0], matrix, NULL);
}

/* ------------------------------------------------------------------------------------------------ the kernel ---- */

static void compare_winners(int64_t width, int64_t clusters, int64_t rows) {
  float *x = calloc((size_t)((rows + ADL_KMEANS_TILE) * width), sizeof *x);
  float *from = blobs_new(5, rows, width, 4, 1), *centers = blobs_new(6, clusters, width, 4, 1);
  memcpy(x, from, (size_t)(rows * width) * sizeof *x);
  adl_kmeans_panels panels = {.clusters = clusters, .width = width};
  panels.values = calloc(adl_kmeans_panels_values(clusters, width), sizeof(float));
  panels.half_norm = calloc(adl_kmeans_panels_norms(clusters), sizeof(float));
  adl_kmeans_panels_fill(&panels, centers);
  adl_kmeans_winner winner[ADL_KMEANS_AT_ONCE];
  adl_kmeans_nearest(&panels, x, rows, 0, panels.count, winner, 1);
  for (int64_t r = 0; r < rows; r++) {
    double best = INFINITY, second = INFINITY, scale = 1;
    int64_t at = -1;
    for (int64_t j = 0; j < clusters; j++) {
      double score = 0;
      for (int64_t i = 0; i < width; i++) {
        double c = centers[j * width + i], product = c * (double)x[r * width + i];
        score += c * c / 2 - product;
        scale = fmax(scale, fabs(product) + c * c);
      }
      if (score < best) {
        second = best;
        best = score;
        at = j;
      } else if (score < second) {
        second = score;
      }
    }
    double slack = 1e-6 * scale * (double)width;
    ck_assert_double_eq_tol((double)winner[r].best, best, slack);
    if (clusters == 1)
      ck_assert(isinf(winner[r].second));
    else
      ck_assert_double_eq_tol((double)winner[r].second, second, slack);
    if (second - best > 2 * slack) ck_assert_int_eq(winner[r].at, at);
  }
  free(panels.values);
  free(panels.half_norm);
  free(centers);
  free(from);
  free(x);
}

START_TEST(winners) {
  setenv("ADLOOM_SIMD", levels[_i], 1);
  static const int64_t clusters[] = {1, 2, 7, 8, 9, 16, 17, 24, 25, 40, 48, 49, 100};
  for (size_t c = 0; c < sizeof clusters / sizeof clusters[0]; c++) {
    compare_winners(1, clusters[c], 1);
    compare_winners(13, clusters[c], ADL_KMEANS_AT_ONCE);
    compare_winners(64, clusters[c], 31);
  }
}
END_TEST

/* Whatever the place of a row in its tile, and of equal centres the first one, in whichever lane or panel they lie. */
START_TEST(ties_and_places) {
  setenv("ADLOOM_SIMD", levels[_i], 1);
  enum { K = 120, WIDTH = 3, ROWS = ADL_KMEANS_AT_ONCE };
  float x[(ROWS + ADL_KMEANS_TILE) * WIDTH] = {0}, centers[K * WIDTH];
  for (int j = 0; j < K; j++)
    for (int i = 0; i < WIDTH; i++) centers[j * WIDTH + i] = (float)(j / 7 % 5 + i) * 0.3f;
  for (int r = 0; r < ROWS; r++)
    for (int i = 0; i < WIDTH; i++) x[r * WIDTH + i] = (float)(r % 5 + i) * 0.3f;
  adl_kmeans_panels panels = {.clusters = K, .width = WIDTH};
  panels.values = calloc(adl_kmeans_panels_values(K, WIDTH), sizeof(float));
  panels.half_norm = calloc(adl_kmeans_panels_norms(K), sizeof(float));
  adl_kmeans_panels_fill(&panels, centers);
  adl_kmeans_winner winner[ROWS];
  adl_kmeans_nearest(&panels, x, ROWS, 0, panels.count, winner, 1);
  for (int r = 0; r < ROWS; r++) {
    ck_assert_int_eq(winner[r].at, r % 5 * 7);
    ck_assert(winner[r].best == winner[r % 5].best);
    ck_assert(winner[r].second == winner[r].best); /* its equals */
  }
  free(panels.values);
  free(panels.half_norm);
}
END_TEST

/* A sparse row times the centres, of every number of them that fills vectors or does not. */
START_TEST(sparse_rows_to_the_bit) {
  enum { WIDTH = 50, MOST = 40 };
  adl_simd level = adl_simd_level();
  for (int64_t k = 1; k <= MOST; k++) {
    float *lines = blobs_new(7, 1, WIDTH * k, 1, 3), *x = blobs_new(6, 1, WIDTH, 1, 3);
    uint32_t index[WIDTH];
    double plain[MOST + 1], fast[MOST + 1];
    for (int64_t n = 0; n < WIDTH; n += 7) {
      for (int64_t i = 0; i < n; i++) index[i] = (uint32_t)(i * WIDTH / n);
      plain[k] = fast[k] = 7; /* stays */
      adl_kmeans_dots(ADL_SIMD_PORTABLE, index, x, n, lines, k, plain);
      adl_kmeans_dots(level, index, x, n, lines, k, fast);
      ck_assert_mem_eq(plain, fast, (size_t)(k + 1) * sizeof *plain);
      double sum = 0;
      for (int64_t i = 0; i < n; i++) sum += (double)x[i] * (double)lines[index[i] * k + k - 1];
      ck_assert(plain[k - 1] == sum && plain[k] == 7);
    }
    free(lines);
    free(x);
  }
}
END_TEST

/* What is done row by row gives the same bits with and without vectors. */
START_TEST(rows_to_the_bit) {
  adl_simd level = adl_simd_level();
  for (int64_t n = 1; n < 40; n++) {
    float *a = blobs_new(8, 1, n, 1, 3), *b = blobs_new(9, 1, n, 1, 3);
    double plain[40], fast[40];
    for (int i = 0; i < 40; i++) plain[i] = fast[i] = 0.1 * i;
    adl_kmeans_add(ADL_SIMD_PORTABLE, plain, a, n);
    adl_kmeans_add(level, fast, a, n);
    adl_kmeans_subtract(ADL_SIMD_PORTABLE, plain, b, n);
    adl_kmeans_subtract(level, fast, b, n);
    adl_kmeans_add_squares(ADL_SIMD_PORTABLE, plain, b, n);
    adl_kmeans_add_squares(level, fast, b, n);
    ck_assert_mem_eq(plain, fast, sizeof plain);
    double distance = adl_kmeans_distance2(level, a, b, n);
    ck_assert(distance == adl_linalg_distance2(a, b, n));
    float zero[40] = {0}, norm2, distance2;
    adl_kmeans_measure(level, a, zero, b, n, &norm2, &distance2);
    ck_assert_double_eq_tol((double)distance2, distance, 1e-5 * distance);
    ck_assert_double_eq_tol((double)norm2, adl_linalg_norm2(a, n), 1e-5 * adl_linalg_norm2(a, n));
    free(a);
    free(b);
  }
}
END_TEST

/* ------------------------------------------------------------------------------------------------ the bounds ---- */

static int32_t nearest_of(const float *x, const float *centers, int64_t clusters, int64_t width) {
  int32_t nearest = 0;
  for (int32_t j = 1; j < clusters; j++)
    if (adl_linalg_distance2(x, centers + j * width, width) < adl_linalg_distance2(x, centers + nearest * width, width))
      nearest = j;
  return nearest;
}

/* Moves centres about, from far to hardly, and compares each pass with a plain one. Grid: values are few and whole, so that
 * many centres are equally near. Away: how far the point is that rows are centred with. */
static void compare_passes_of(bool sparse, int64_t rows, int64_t width, int64_t clusters, bool grid, float offset,
                              float away) {
  float *x = blobs_new(11, rows, width, 30, 2), *centers = blobs_new(12, clusters, width, 30, 2);
  float *center = calloc((size_t)width, sizeof *center);
  for (int64_t i = 0; i < rows * width; i++)
    x[i] = sparse && i % 3 == 0 ? 0 : (grid ? roundf(x[i] / 4) : x[i]) + offset;
  for (int64_t i = 0; i < clusters * width; i++) centers[i] = (grid ? roundf(centers[i] / 4) : centers[i]) + offset;
  for (int64_t i = 0; i < width; i++) center[i] = offset + away;
  fake_matrix dense = {rows, width, x, NULL, NULL}, matrix = sparse ? fake_sparse_of(&dense) : dense;
  fake_stage *stage = stage_of(&matrix);
  adl_rows *unused;
  const adl_call *call = fake_call_begin(stage, &matrix, &unused);
  void *memory = call->host->alloc(call, adl_kmeans_index_size(clusters, width, sparse));
  int32_t *plain = call->host->alloc(call, (size_t)rows * sizeof *plain);
  int32_t *before = call->host->alloc(call, (size_t)rows * sizeof *before);
  int32_t *last = call->host->alloc(call, (size_t)rows * sizeof *last);
  adl_kmeans_bounds *bounds = adl_kmeans_bounds_new(call, rows, clusters, width, sparse);
  ck_assert_ptr_nonnull(bounds);
  adl_column column = fake_column_of(&matrix);
  int64_t changed = 0, stayed = 0;
  for (int pass = 0; pass < 30; pass++) {
    if (pass == 10) memcpy(centers + width, centers, (size_t)width * sizeof *centers); /* two that are one */
    if (pass == 20) adl_kmeans_bounds_forget(bounds);
    const adl_kmeans_index *index = adl_kmeans_index_build(memory, clusters, width, sparse, centers, center);
    adl_kmeans_bounds_moved(bounds, index);
    adl_kmeans_bounds_assign(call, bounds, index, &column, 0, before);
    adl_kmeans_assign(call, index, &column, plain, NULL);
    for (int64_t r = 0; r < rows; r++) {
      ck_assert_int_eq(bounds->cluster[r], plain[r]);
      if (!sparse) ck_assert_int_eq(plain[r], nearest_of(x + r * width, centers, clusters, width));
      ck_assert_int_eq(before[r], pass == 0 || pass == 20 ? -1 : last[r]);
      changed += pass > 0 && last[r] != plain[r];
      stayed += pass > 0 && last[r] == plain[r];
      last[r] = plain[r];
    }
    bounds->known = true;
    for (int64_t i = 0; i < clusters * width; i++) {
      double step = (adl_random_unit(77, (uint64_t)(pass * clusters * width + i)) - 0.5) * pow(0.6, pass);
      if (grid ? fabs(step) > 0.2 : i / width % 3 != 0)
        centers[i] += grid ? (step > 0 ? 1.0f : -1.0f) : (float)step * 4;
    }
  }
  ck_assert_int_gt(stayed, 0);
  if (clusters > 2) ck_assert_int_gt(changed, 0);
  fake_call_end(call);
  fake_stage_free(stage);
  if (sparse) fake_sparse_free(&matrix);
  free(center);
  free(centers);
  free(x);
}

static void compare_passes(int64_t rows, int64_t width, int64_t clusters, bool grid, float offset, float away) {
  compare_passes_of(false, rows, width, clusters, grid, offset, away);
}

START_TEST(bounds_of_sparse_rows_change_nothing) {
  setenv("ADLOOM_SIMD", levels[_i], 1);
  compare_passes_of(true, 1500, 6, 2, false, 0, 0);
  compare_passes_of(true, 1500, 40, 10, false, 0, 0);
  compare_passes_of(true, 700, 6, 100, false, 0, 0);
  compare_passes_of(true, 1500, 3, 60, true, 0, 0); /* ties */
}
END_TEST

START_TEST(bounds_change_nothing) {
  setenv("ADLOOM_SIMD", levels[_i], 1);
  compare_passes(1500, 6, 2, false, 0, 1);
  compare_passes(1500, 6, 30, false, 0, 1);
  compare_passes(700, 64, 100, false, 0, 1);
  compare_passes(1100, 3, 230, false, 0, 1);
  compare_passes(500, 5, 500, false, 0, 1); /* groups of several panels */
  compare_passes(900, 4, 60, false, 4096, 1);
  compare_passes(900, 8, 60, false, 0, 300);  /* float32 can often not tell */
  compare_passes(900, 8, 60, false, 0, 1e6f); /* nor hardly ever */
}
END_TEST

START_TEST(bounds_with_ties) {
  setenv("ADLOOM_SIMD", levels[_i], 1);
  compare_passes(1500, 2, 60, true, 0, 1);
  compare_passes(1000, 3, 200, true, 0, 1);
}
END_TEST

START_TEST(too_many_rows_for_bounds) {
  float x[] = {1, 2};
  fake_matrix matrix = {2, 1, x, NULL, NULL};
  fake_stage *stage = stage_of(&matrix);
  adl_rows *unused;
  const adl_call *call = fake_call_begin(stage, &matrix, &unused);
  ck_assert_ptr_null(adl_kmeans_bounds_new(call, INT64_C(1) << 30, 8, 1, false));
  ck_assert_ptr_null(adl_kmeans_bounds_new(call, INT64_C(1) << 30, 8, 1, true));
  ck_assert_ptr_null(adl_kmeans_bounds_new(call, 2, 1, 1, false));
  fake_call_end(call);
  fake_stage_free(stage);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kmeans bounds");
  TCase *parts = tcase_create("parts");
  tcase_set_timeout(parts, 120);
  tcase_add_loop_test(parts, winners, 0, 3);
  tcase_add_loop_test(parts, ties_and_places, 0, 3);
  tcase_add_test(parts, sparse_rows_to_the_bit);
  tcase_add_test(parts, rows_to_the_bit);
  tcase_add_loop_test(parts, bounds_change_nothing, 0, 3);
  tcase_add_loop_test(parts, bounds_with_ties, 0, 3);
  tcase_add_loop_test(parts, bounds_of_sparse_rows_change_nothing, 0, 3);
  tcase_add_test(parts, too_many_rows_for_bounds);
  suite_add_tcase(suite, parts);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
