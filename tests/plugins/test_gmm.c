/* The Gaussian mixture: its linear algebra and densities on known answers, its fits against scikit-learn, that the
 * likelihood never falls, its singular and other odd cases, and that batches and lanes do not matter. */
#include <check.h>
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/gmm_density.h"
#include "common/linalg.h"
#include "core/data/tensors.h"
#include "tests/plugins/blobs.h"
#include "tests/plugins/fake_fit_host.h"

extern const adl_plugin *adl_gmm_entry(const adl_host *host);

static const char *const shapes[] = {"full", "tied", "diag", "spherical"};

static const adl_class *gmm_class(void) {
  adl_host host = {.abi_major = ADL_ABI_MAJOR};
  const adl_plugin *plugin = adl_gmm_entry(&host);
  ck_assert_ptr_nonnull(plugin);
  return plugin->classes[0];
}

/* ------------------------------------------------------------------------------------------ linear algebra ---- */

START_TEST(cholesky) {
  double a[] = {4, 12, -16, 12, 37, -43, -16, -43, 98};
  static const double lower[] = {2, 0, 0, 6, 1, 0, -8, 5, 3};
  ck_assert(adl_linalg_cholesky(a, 3));
  for (int i = 0; i < 9; i++) ck_assert_double_eq_tol(a[i], lower[i], 1e-12);
  adl_linalg_invert_lower(a, 3);
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      double sum = 0;
      for (int l = 0; l < 3; l++) sum += a[i * 3 + l] * lower[l * 3 + j];
      ck_assert_double_eq_tol(sum, i == j, 1e-12);
    }
  }
}
END_TEST

START_TEST(cholesky_of_singular) {
  double collinear[] = {1, 2, 2, 4}, negative[] = {1, 2, 2, 1}, zero[] = {0}, nearly[] = {1, 1, 1, 1 + 1e-14};
  double regular[] = {1, 1, 1, 1 + 1e-11}, nan[] = {NAN};
  ck_assert(!adl_linalg_cholesky(collinear, 2));
  ck_assert(!adl_linalg_cholesky(negative, 2));
  ck_assert(!adl_linalg_cholesky(zero, 1));
  ck_assert(!adl_linalg_cholesky(nearly, 2));
  ck_assert(!adl_linalg_cholesky(nan, 1));
  ck_assert(adl_linalg_cholesky(regular, 2));
}
END_TEST

START_TEST(distances) {
  float a[] = {1, 2, 3, 4, 5, 6, 7}, b[] = {0, 0, 0, 0, 0, 0, 1};
  for (int n = 0; n <= 7; n++) {
    double norm = 0;
    for (int i = 0; i < n; i++) norm += (i + 1) * (i + 1);
    ck_assert_double_eq(adl_linalg_norm2(a, n), norm);
    ck_assert_double_eq(adl_linalg_distance2(a, b, n), n < 7 ? norm : norm - 13);
  }
}
END_TEST

/* --------------------------------------------------------------------------------------------- densities ---- */

/* Two components in two dimensions, the same ones in every shape: ball of variance 4 at 0, weight 1/4; at (3, 0), 3/4. */
START_TEST(known_densities) {
  double weight[] = {0.25, 0.75}, mean[] = {0, 0, 3, 0}, full[] = {4, 0, 0, 4, 4, 0, 0, 4}, diag[] = {4, 4, 4, 4};
  double *covariance[] = {full, full, diag, diag};
  const float x[] = {0, 0, 1.5f, 2, 3, 1, 1e6f, -1e6f};
  for (int s = 0; s < 4; s++) {
    adl_gmm mixture = {(adl_gmm_shape)s, 2, 2, weight, mean, covariance[s]};
    void *memory = aligned_alloc(64, adl_gmm_index_size(mixture.shape, 2, 2));
    adl_gmm_index *index;
    ck_assert_int_eq(adl_gmm_index_build(memory, &mixture, NULL, &index), 0);
    double scratch[ADL_GMM_COLUMN * 4], share[ADL_GMM_COLUMN * 2], density[ADL_GMM_COLUMN];
    ck_assert_int_le(adl_gmm_scratch(2), ADL_GMM_COLUMN * 4);
    adl_gmm_posterior(adl_gmm_kernels_here(), index, x, 4, scratch, share, density);
    for (int r = 0; r < 3; r++) {
      double y = x[2 * r + 1], at0 = (x[2 * r] * x[2 * r] + y * y) / 8;
      double at3 = ((x[2 * r] - 3) * (x[2 * r] - 3) + y * y) / 8, scale = 8 * acos(-1);
      double first = 0.25 * exp(-at0) / scale, second = 0.75 * exp(-at3) / scale;
      ck_assert_double_eq_tol(density[r], log(first + second), 1e-12);
      ck_assert_double_eq_tol(share[r], first / (first + second), 1e-12);
      ck_assert_double_eq_tol(share[r] + share[ADL_GMM_COLUMN + r], 1, 1e-12);
    }
    /* far away both densities are 0 in float64, but not their logarithms */
    ck_assert_double_eq_tol(share[ADL_GMM_COLUMN + 3], 1, 1e-12);
    ck_assert_double_eq_tol(density[3], -(1e12 + (1e6 - 3) * (1e6 - 3)) / 8, 100);
    free(memory);
  }
}
END_TEST

/* A general covariance: density at x of N(m, C) by C's inverse and determinant. */
START_TEST(density_of_full_covariance) {
  double weight[] = {1}, mean[] = {1, -2}, covariance[] = {2, 0.6, 0.6, 0.5};
  const float x[] = {2, -1};
  const adl_gmm_shape matrices[] = {ADL_GMM_FULL, ADL_GMM_TIED};
  for (int s = 0; s < 2; s++) {
    adl_gmm mixture = {matrices[s], 1, 2, weight, mean, covariance};
    void *memory = aligned_alloc(64, adl_gmm_index_size(mixture.shape, 1, 2));
    adl_gmm_index *index;
    ck_assert_int_eq(adl_gmm_index_build(memory, &mixture, NULL, &index), 0);
    double scratch[ADL_GMM_COLUMN * 4], share[ADL_GMM_COLUMN], density[ADL_GMM_COLUMN];
    double determinant = 2 * 0.5 - 0.36;
    adl_gmm_posterior(adl_gmm_kernels_here(), index, x, 1, scratch, share, density);
    double distance = (0.5 - 2 * 0.6 + 2) / determinant;
    ck_assert_double_eq_tol(density[0], -log(2 * acos(-1)) - log(determinant) / 2 - distance / 2, 1e-12);
    ck_assert_double_eq_tol(share[0], 1, 1e-15);
    free(memory);
  }
}
END_TEST

START_TEST(parameter_counts) {
  static const double counts[] = {3 * 10 + 12 + 2, 10 + 12 + 2, 12 + 12 + 2, 3 + 12 + 2};
  for (int s = 0; s < 4; s++) ck_assert_double_eq(adl_gmm_parameters((adl_gmm_shape)s, 3, 4), counts[s]);
}
END_TEST

/* Numbers in [-1, 1). */
static void fill(double *to, int64_t count, uint64_t key) {
  for (int64_t i = 0; i < count; i++) to[i] = 2 * adl_random_unit(key, (uint64_t)i) - 1;
}

static adl_gmm random_mixture(adl_gmm_shape shape, int64_t k, int64_t d) {
  adl_gmm mixture = {shape, k, d, NULL, NULL, NULL};
  int64_t count = adl_gmm_covariance_count(shape, k, d);
  mixture.weight = malloc((size_t)k * sizeof(double));
  mixture.mean = malloc((size_t)(k * d) * sizeof(double));
  mixture.covariance = malloc((size_t)count * sizeof(double));
  for (int64_t j = 0; j < k; j++) mixture.weight[j] = 1 / (double)k;
  fill(mixture.mean, k * d, 21);
  for (int64_t i = 0; i < count; i++) mixture.covariance[i] = 0.01 + 0.5 * adl_random_unit(22, (uint64_t)i);
  bool matrices = shape == ADL_GMM_FULL || shape == ADL_GMM_TIED;
  for (int64_t i = 0; i < count && matrices; i++) { /* diagonally dominant */
    int64_t row = i / d % d, column = i % d;
    mixture.covariance[i] = row == column ? 0.3 + 0.01 * (double)row : 0.2 / (double)(d + row + column);
  }
  return mixture;
}

static void expect_alike(const double *a, const double *b, int64_t count) {
  for (int64_t i = 0; i < count; i++) ck_assert_double_eq_tol(a[i], b[i], 1e-11 * (1 + fabs(b[i])));
}

static void compare_posteriors(adl_gmm_shape shape, int64_t k, int64_t d, int64_t rows) {
  adl_gmm mixture = random_mixture(shape, k, d);
  void *memory = aligned_alloc(64, adl_gmm_index_size(shape, k, d));
  adl_gmm_index *index;
  ck_assert_int_eq(adl_gmm_index_build(memory, &mixture, NULL, &index), 0);
  float *x = malloc((size_t)(rows * d) * sizeof *x);
  for (int64_t i = 0; i < rows * d; i++) x[i] = (float)(3 * adl_random_unit(23, (uint64_t)i) - 1.5);
  double *scratch = malloc((size_t)adl_gmm_scratch(d) * sizeof *scratch), *share[2], density[2][ADL_GMM_COLUMN];
  for (int path = 0; path < 2; path++) {
    if (path == 1) setenv("ADLOOM_SIMD", "portable", 1);
    share[path] = malloc((size_t)(k * ADL_GMM_COLUMN) * sizeof(double));
    adl_gmm_posterior(adl_gmm_kernels_here(), index, x, rows, scratch, share[path], density[path]);
    unsetenv("ADLOOM_SIMD");
  }
  expect_alike(density[0], density[1], rows);
  for (int64_t j = 0; j < k; j++) expect_alike(share[0] + j * ADL_GMM_COLUMN, share[1] + j * ADL_GMM_COLUMN, rows);
  for (int64_t r = 0; r < rows; r++) {
    double sum = 0;
    for (int64_t j = 0; j < k; j++) sum += share[0][j * ADL_GMM_COLUMN + r];
    ck_assert_double_eq_tol(sum, 1, 1e-13);
  }
  free(share[0]), free(share[1]), free(scratch), free(x), free(memory);
  free(mixture.weight), free(mixture.mean), free(mixture.covariance);
}

/* In AVX2 and in portable C, for numbers of rows and dimensions around the kernels' steps. */
START_TEST(posteriors_of_both_paths) {
  static const int64_t widths[] = {1, 2, 3, 4, 5, 6, 8, 11, 14, 16, 32, 33}, rows[] = {1, 7, 8, 33, 255, 256};
  for (int s = 0; s < 4; s++)
    for (size_t d = 0; d < sizeof widths / sizeof *widths; d++)
      for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        compare_posteriors((adl_gmm_shape)s, 1 + (int64_t)r, widths[d], rows[r]);
}
END_TEST

enum { LISTED = 37, WIDEST = 33, PADDED = 36 };

/* The sums of a component's rows on both paths, against the plain formulas. */
START_TEST(sums_of_both_paths) {
  for (int path = 0; path < 2; path++) {
    if (path == 1) setenv("ADLOOM_SIMD", "portable", 1);
    const adl_gmm_kernels *kernels = adl_gmm_kernels_here();
    unsetenv("ADLOOM_SIMD");
    for (int64_t d = 1; d <= WIDEST; d++) {
      int64_t stride = adl_gmm_stride(d);
      float x[LISTED * WIDEST];
      double wide[LISTED * PADDED], all[LISTED], share[LISTED], mean[PADDED] = {0}, weight, weighted[LISTED * PADDED];
      double shift[PADDED], scatter[PADDED], again[PADDED], products[WIDEST * WIDEST] = {0};
      int32_t row[LISTED];
      for (int64_t i = 0; i < LISTED * d; i++) x[i] = (float)adl_random_unit(31, (uint64_t)i);
      fill(mean, d, 32);
      for (int r = 0; r < LISTED; r++) all[r] = r % 3 == 1 ? 0 : adl_random_unit(33, (uint64_t)r);
      adl_gmm_widen(x, LISTED, d, wide);
      int64_t count = adl_gmm_list(all, LISTED, row, share, &weight);
      ck_assert_int_eq(count, 25);
      kernels->moments(wide, stride, row, share, count, mean, shift, scatter);
      kernels->weigh(wide, stride, row, share, count, mean, again, weighted);
      kernels->products(weighted, stride, count, d, products);
      double sum = 0;
      for (int r = 0; r < LISTED; r++) sum += all[r];
      ck_assert_double_eq_tol(weight, sum, 1e-13);
      for (int64_t a = 0; a < d; a++) {
        double first = 0;
        for (int r = 0; r < LISTED; r++) first += all[r] * (x[r * d + a] - mean[a]);
        ck_assert_double_eq_tol(shift[a], first, 1e-12);
        ck_assert_double_eq_tol(again[a], first, 1e-12);
        ck_assert_double_eq_tol(scatter[a], products[a * d + a], 1e-12);
        for (int64_t b = 0; b < d; b++) {
          double second = 0;
          for (int r = 0; r < LISTED; r++) second += all[r] * (x[r * d + a] - mean[a]) * (x[r * d + b] - mean[b]);
          ck_assert_double_eq_tol(products[a * d + b], b <= a ? second : 0, 1e-12);
        }
      }
    }
  }
}
END_TEST

/* ------------------------------------------------------------------------------------------------- fitting ---- */

typedef struct blobs400 {
  float *x;
  fake_matrix matrix;
} blobs400;

static blobs400 blobs400_new(double spread) {
  blobs400 blobs = {.x = blobs_new(11, 400, 3, 3, spread)};
  blobs.matrix = (fake_matrix){400, 3, blobs.x, NULL, NULL};
  return blobs;
}

static int64_t lightest(const fake_stage *stage) {
  adl_tensor weights = fake_tensor(stage, "weights");
  int64_t best = 0;
  for (int64_t j = 1; j < weights.count; j++)
    if (fake_number(stage, "weights", j) < fake_number(stage, "weights", best)) best = j;
  return best;
}

/* scikit-learn's GaussianMixture after five iterations from the (unique) k-means solution. */
typedef struct known {
  double likelihood, bic, aic, weight, mean[3], covariance[2], share;
} known;

static const known expected[] = {
    {-5.695146067290384,
     4729.869325698439,
     4614.116853832307,
     0.32401538,
     {8.61472724, 5.9003057, 1.60581468},
     {1.15913172, 0.07376753},
     9.99995329e-01},
    {-5.714631215412294,
     4673.559869630671,
     4605.704972329835,
     0.32554227,
     {8.60385166, 5.89560124, 1.61427564},
     {1.27173464, -0.01142542},
     9.99993673e-01},
    {-5.704646085078001,
     4683.546159004561,
     4603.716868062401,
     0.32434306,
     {8.61264079, 5.89615422, 1.60685807},
     {1.16219133, 0.97627572},
     9.99991242e-01},
    {-5.708379498646832,
     4650.584102576977,
     4594.703598917466,
     0.32400387,
     {8.6135214, 5.89590432, 1.60406793},
     {1.105206791656302, 0},
     9.99991535e-01},
};

static void check_known_model(fake_stage *stage, int s, const known *wanted) {
  int64_t j = lightest(stage), place = s == ADL_GMM_FULL   ? 9 * j
                                       : s == ADL_GMM_TIED ? 0
                                       : s == ADL_GMM_DIAG ? 3 * j
                                                           : j;
  ck_assert_double_eq_tol(fake_number(stage, "weights", j), wanted->weight, 1e-7);
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(fake_number(stage, "means", 3 * j + i), wanted->mean[i], 1e-7);
  ck_assert_double_eq_tol(fake_number(stage, "covariances", place), wanted->covariance[0], 1e-7);
  if (s != ADL_GMM_SPHERICAL)
    ck_assert_double_eq_tol(fake_number(stage, "covariances", place + 1), wanted->covariance[1], 1e-7);
}

static void check_known_scores(fake_stage *stage, const fake_matrix *matrix, const known *wanted) {
  int64_t j = lightest(stage);
  ck_assert_int_eq(fake_process(stage, matrix), ADL_OK);
  ck_assert_int_eq(stage->types[0].shape, ADL_VECTOR);
  ck_assert_int_eq(stage->types[0].width, 3);
  ck_assert_int_eq(stage->types[1].role, ADL_CATEGORY);
  const float *share = stage->columns[0];
  const int32_t *component = stage->columns[1];
  const double *density = stage->columns[2];
  ck_assert_float_eq_tol(share[3 + j], (float)wanted->share, 1e-6f);
  double likelihood = 0;
  int64_t sizes[3] = {0};
  for (int r = 0; r < 400; r++) {
    likelihood += density[r] / 400;
    sizes[component[r]]++;
    ck_assert_float_eq_tol(share[3 * r] + share[3 * r + 1] + share[3 * r + 2], 1, 1e-6f);
    for (int i = 0; i < 3; i++) ck_assert(share[3 * r + component[r]] >= share[3 * r + i]);
  }
  ck_assert_double_eq_tol(likelihood, wanted->likelihood, 1e-8);
  for (int i = 0; i < 3; i++) ck_assert_double_eq(fake_number(stage, "sizes", i), (double)sizes[i]);
}

START_TEST(known_answers) {
  blobs400 blobs = blobs400_new(2);
  for (int s = 0; s < 4; s++) {
    fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "covariance", shapes[s], "tol",
                                       "0", "max_iter", "5", "component", "c", "density", "d", NULL);
    ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
    ck_assert_int_eq(fake_report(stage), ADL_OK);
    ck_assert_double_eq(fake_reported(stage, "/iterations"), 5);
    ck_assert_double_eq_tol(fake_reported(stage, "in-sample/log-likelihood"), expected[s].likelihood, 1e-8);
    ck_assert_double_eq_tol(fake_reported(stage, "in-sample/BIC"), expected[s].bic, 1e-5);
    ck_assert_double_eq_tol(fake_reported(stage, "in-sample/AIC"), expected[s].aic, 1e-5);
    check_known_model(stage, s, &expected[s]);
    ck_assert_ptr_nonnull(strstr(stage->warned, "raise max_iter"));
    check_known_scores(stage, &blobs.matrix, &expected[s]);
    fake_stage_free(stage);
  }
  free(blobs.x);
}
END_TEST

/* With the defaults it stops where scikit-learn does. */
START_TEST(stopping) {
  static const double likelihood[] = {-5.695154571210469, -5.7146316535704775, -5.704648936446452, -5.708380419612613};
  static const double iterations[] = {3, 2, 2, 2};
  blobs400 blobs = blobs400_new(2);
  for (int s = 0; s < 4; s++) {
    fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "covariance", shapes[s], NULL);
    ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
    ck_assert_int_eq(fake_report(stage), ADL_OK);
    ck_assert_double_eq(fake_reported(stage, "/iterations"), iterations[s]);
    ck_assert_double_eq_tol(fake_reported(stage, "in-sample/log-likelihood"), likelihood[s], 1e-8);
    ck_assert_double_eq(fake_number(stage, "converged", 0), 1);
    ck_assert_str_eq(stage->warned, "");
    fake_stage_free(stage);
  }
  free(blobs.x);
}
END_TEST

static char *centers_file(const char *text) {
  static char path[] = "gmm-centers.txt";
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
  return path;
}

/* Centres near those of the (unique) k-means solution, whose clusters are the same ones: the same answers. */
START_TEST(begins_from_file) {
  blobs400 blobs = blobs400_new(2);
  fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "tol", "0", "max_iter", "1", NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  char text[1024] = "# centres\n";
  for (int j = 0; j < 3; j++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%.2f, %.2f, %.2f\n", fake_number(stage, "means", 3 * j),
             fake_number(stage, "means", 3 * j + 1), fake_number(stage, "means", 3 * j + 2));
  fake_stage_free(stage);
  char *path = centers_file(text);
  stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "init", "file", "init_file", path, "tol", "0",
                         "max_iter", "40", "restarts", "3", NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  fake_stage *other = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "tol", "0", "max_iter", "40", NULL);
  ck_assert_int_eq(fake_fit(other, &blobs.matrix), ADL_OK);
  double last = fake_number(stage, "log_likelihood", fake_tensor(stage, "log_likelihood").count - 1);
  ck_assert_double_eq_tol(last, fake_number(other, "log_likelihood", fake_tensor(other, "log_likelihood").count - 1),
                          1e-9);
  fake_stage_free(stage);
  fake_stage_free(other);
  remove(path);
  free(blobs.x);
}
END_TEST

START_TEST(refuses_bad_starts) {
  blobs400 blobs = blobs400_new(2);
  fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "init", "file", NULL);
  ck_assert_str_eq(stage->failed, "init: init: file needs a file");
  fake_stage_free(stage);
  stage = fake_stage_new(gmm_class(), &blobs.matrix, "init_file", "centers.txt", NULL);
  ck_assert_str_eq(stage->failed, "init_file: the file is read with init: file only");
  fake_stage_free(stage);
  char *path = centers_file("1 2 3\n4 5\n");
  stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "2", "init", "file", "init_file", path, NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(stage->failed, "line 2 holds too few numbers"));
  fake_stage_free(stage);
  remove(path);
  free(blobs.x);
}
END_TEST

/* EM's promise, without reg: over many data sets, overlapping and not, and every shape. */
START_TEST(likelihood_never_falls) {
  static const char *const components[] = {"1", "2", "5", "9"};
  int64_t steps = 0;
  for (int seed = 0; seed < 12; seed++) {
    float *x = blobs_new((uint64_t)(100 + seed), 300, 4, 3, 1 + seed);
    if (seed % 3 == 2) /* a great offset and a small scale */
      for (int i = 0; i < 1200; i++) x[i] = i % 4 == 0 ? 1000 + x[i] : x[i] / 1000;
    fake_matrix matrix = {300, 4, x, NULL, NULL};
    fake_stage *stage = fake_stage_new(gmm_class(), &matrix, "components", components[seed % 4], "covariance",
                                       shapes[(seed / 4 + seed) % 4], "reg", "0", "tol", "0", "max_iter", "40", NULL);
    ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
    ck_assert_ptr_null(strstr(stage->warned, "reg"));
    adl_tensor history = fake_tensor(stage, "log_likelihood");
    ck_assert_int_eq(history.count, fake_number(stage, "converged", 0) > 0 ? history.count : 41);
    const double *at = history.data;
    for (int64_t i = 1; i < history.count; i++) ck_assert_double_ge(at[i], at[i - 1] - 1e-10);
    steps += history.count;
    fake_stage_free(stage);
    free(x);
  }
  ck_assert_int_gt(steps, 200);
}
END_TEST

START_TEST(split_invariance) {
  static const struct {
    int lanes;
    int64_t rows;
  } cases[] = {{1, 400}, {1, 7}, {3, 64}, {8, 1}, {5, 399}};
  blobs400 blobs = blobs400_new(4);
  for (int s = 0; s < 4; s++) {
    double first[9] = {0};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
      fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "covariance", shapes[s], NULL);
      stage->lanes = cases[c].lanes;
      stage->batch_rows = cases[c].rows;
      ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
      for (int i = 0; i < 9; i++) {
        double at = fake_number(stage, "means", i);
        if (c == 0) first[i] = at;
        ck_assert_double_eq_tol(at, first[i], 1e-7);
      }
      fake_stage_free(stage);
    }
  }
  free(blobs.x);
}
END_TEST

START_TEST(repeats_exactly) {
  blobs400 blobs = blobs400_new(4);
  double first[9];
  for (int round = 0; round < 2; round++) {
    fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "restarts", "3", NULL);
    ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
    if (round == 0) memcpy(first, fake_tensor(stage, "means").data, sizeof first);
    ck_assert_mem_eq(first, fake_tensor(stage, "means").data, sizeof first);
    fake_stage_free(stage);
  }
  free(blobs.x);
}
END_TEST

START_TEST(restarts_never_worse) {
  blobs400 blobs = blobs400_new(6);
  double before = -INFINITY;
  static const char *const restarts[] = {"1", "2", "5", "12"};
  for (int i = 0; i < 4; i++) {
    fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "5", "restarts", restarts[i], NULL);
    ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
    adl_tensor history = fake_tensor(stage, "log_likelihood");
    double last = ((const double *)history.data)[history.count - 1];
    ck_assert_double_ge(last, before);
    before = last;
    fake_stage_free(stage);
  }
  free(blobs.x);
}
END_TEST

/* Fitting on from a model is as if it had never stopped. */
START_TEST(warm_start) {
  blobs400 blobs = blobs400_new(4);
  for (int s = 0; s < 4; s++) {
    fake_stage *whole = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "covariance", shapes[s], "tol",
                                       "0", "max_iter", "8", NULL);
    ck_assert_int_eq(fake_fit(whole, &blobs.matrix), ADL_OK);
    fake_stage *half = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "covariance", shapes[s], "tol",
                                      "0", "max_iter", "4", NULL);
    ck_assert_int_eq(fake_fit(half, &blobs.matrix), ADL_OK);
    ck_assert_int_eq(fake_fit(half, &blobs.matrix), ADL_OK);
    for (int i = 0; i < 9; i++)
      ck_assert_double_eq_tol(fake_number(half, "means", i), fake_number(whole, "means", i), 1e-9);
    ck_assert_double_eq_tol(fake_number(half, "log_likelihood", 4), fake_number(whole, "log_likelihood", 8), 1e-10);
    fake_stage_free(half);
    fake_stage_free(whole);
  }
  free(blobs.x);
}
END_TEST

/* ----------------------------------------------------------------------------------------------- odd cases ---- */

static void expect_finite(const fake_stage *stage) {
  static const char *const names[] = {"weights", "means", "covariances", "log_likelihood"};
  for (size_t n = 0; n < sizeof names / sizeof names[0]; n++)
    for (int64_t i = 0; i < fake_tensor(stage, names[n]).count; i++)
      ck_assert(isfinite(fake_number(stage, names[n], i)));
}

/* A constant dimension, one that repeats another, and a component on one point, all without reg. */
START_TEST(singular_covariances) {
  float x[4 * 60];
  for (int r = 0; r < 60; r++) {
    x[4 * r] = r < 20 ? 100 : (float)adl_random_unit(5, (uint64_t)r);
    x[4 * r + 1] = r < 20 ? -7 : (float)adl_random_unit(6, (uint64_t)r);
    x[4 * r + 2] = 3;
    x[4 * r + 3] = x[4 * r];
  }
  fake_matrix matrix = {60, 4, x, NULL, NULL};
  static const char *const regs[] = {"0", "1e-30"};
  for (int s = 0; s < 8; s++) {
    fake_stage *stage = fake_stage_new(gmm_class(), &matrix, "components", "2", "covariance", shapes[s % 4], "reg",
                                       regs[s / 4], "component", "c", NULL);
    ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
    expect_finite(stage);
    ck_assert_ptr_nonnull(strstr(stage->warned, "reg "));
    ck_assert_int_eq(fake_report(stage), ADL_OK);
    ck_assert_double_gt(fake_reported(stage, "/reg, raised to at most"), 0);
    ck_assert_double_lt(fake_reported(stage, "/reg, raised to at most"), 0.1);
    ck_assert_int_eq(fake_process(stage, &matrix), ADL_OK);
    const int32_t *component = stage->columns[1];
    for (int r = 0; r < 60; r++) ck_assert_int_eq(component[r] == component[0], r < 20);
    fake_stage_free(stage);
  }
}
END_TEST

/* reg: 1e-6 is enough for the same: no warning, and it is in the covariances. */
START_TEST(reg_is_added) {
  float x[2 * 50];
  for (int r = 0; r < 50; r++) x[2 * r] = (float)adl_random_unit(8, (uint64_t)r), x[2 * r + 1] = 3;
  fake_matrix matrix = {50, 2, x, NULL, NULL};
  static const int places[] = {3, 3, 1};
  for (int s = 0; s < 3; s++) {
    fake_stage *stage = fake_stage_new(gmm_class(), &matrix, "components", "1", "covariance", shapes[s], NULL);
    ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
    ck_assert_str_eq(stage->warned, "");
    ck_assert_double_eq_tol(fake_number(stage, "covariances", places[s]), 1e-6, 1e-15);
    ck_assert_double_eq(fake_number(stage, "reg", 0), 1e-6);
    fake_stage_free(stage);
  }
}
END_TEST

START_TEST(one_row_and_equal_rows) {
  float x[] = {3, 4, 3, 4, 3, 4, 3, 4};
  for (int s = 0; s < 8; s++) {
    fake_matrix matrix = {s < 4 ? 1 : 4, 2, x, NULL, NULL};
    fake_stage *stage = fake_stage_new(gmm_class(), &matrix, "components", s < 4 ? "1" : "3", "covariance",
                                       shapes[s % 4], "reg", "0", NULL);
    ck_assert_int_eq(fake_fit(stage, &matrix), ADL_OK);
    expect_finite(stage);
    ck_assert_int_eq(fake_tensor(stage, "weights").count, 1);
    ck_assert_int_eq(strstr(stage->warned, "clusters: 1 instead of 3") != NULL, s >= 4);
    ck_assert_double_eq(fake_number(stage, "means", 1), 4);
    ck_assert_int_eq(fake_process(stage, &matrix), ADL_OK);
    ck_assert_int_eq(stage->types[0].width, 1);
    ck_assert_float_eq(((const float *)stage->columns[0])[0], 1);
    ck_assert_int_eq(fake_report(stage), ADL_OK);
    fake_stage_free(stage);
  }
}
END_TEST

static void expect_refusal(const fake_matrix *matrix, const char *components, const char *message) {
  fake_stage *stage = fake_stage_new(gmm_class(), matrix, "components", components, NULL);
  ck_assert_int_eq(fake_fit(stage, matrix), ADL_FAILED);
  ck_assert_str_eq(stage->failed, message);
  fake_stage_free(stage);
}

START_TEST(refusals) {
  float x[] = {1, 2, 3};
  expect_refusal(&(fake_matrix){0, 3, x, NULL, NULL}, "1", ": no training rows");
  expect_refusal(&(fake_matrix){3, 0, x, NULL, NULL}, "1", "features: the features have no dimensions");
  expect_refusal(&(fake_matrix){3, 1, x, NULL, NULL}, "8",
                 "components: 8 components are more than the 3 training rows");
  expect_refusal(&(fake_matrix){3, 100000, x, NULL, NULL}, "2",
                 "covariance: 2 components of 100000 dimensions need more than 268435456 numbers");
}
END_TEST

START_TEST(refuses_another_model) {
  blobs400 blobs = blobs400_new(2);
  fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  fake_stage *other = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", "covariance", "diag", NULL);
  other->model.tensors = stage->model_tensors;
  ck_assert_int_eq(fake_process(other, &blobs.matrix), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(other->failed, "not one of features of 3 dimensions and this covariance"));
  ck_assert_int_eq(fake_fit(other, &blobs.matrix), ADL_FAILED); /* a warm start from it */
  ck_assert_ptr_nonnull(strstr(other->failed, "components: the model to start from is not one of 3 components"));
  fake_stage_free(other);
  /* a model that somebody has tampered with */
  const char *why = NULL;
  double *covariances =
      adl_tensors_get(stage->model_tensors, "covariances", ADL_FLOAT64, 3, (int64_t[]){3, 3, 3}, &why);
  covariances[0] = -1;
  ck_assert_int_eq(fake_process(stage, &blobs.matrix), ADL_FAILED);
  ck_assert_ptr_nonnull(strstr(stage->failed, "singular"));
  fake_stage_free(stage);
  free(blobs.x);
}
END_TEST

START_TEST(report_names_features) {
  blobs400 blobs = blobs400_new(1);
  fake_stage *stage = fake_stage_new(gmm_class(), &blobs.matrix, "components", "3", NULL);
  ck_assert_int_eq(fake_fit(stage, &blobs.matrix), ADL_OK);
  ck_assert_int_eq(fake_report(stage), ADL_OK);
  ck_assert_double_eq(fake_reported(stage, "/components"), 3);
  ck_assert_ptr_nonnull(strstr(stage->reported, "|134|33.5 %|feature-"));
  ck_assert_ptr_nonnull(strstr(stage->reported, "plot weights: 3 points"));
  ck_assert_ptr_null(strstr(stage->reported, "raised"));
  fake_stage_free(stage);
  free(blobs.x);
}
END_TEST

int main(void) {
  openblas_set_num_threads(1);
  Suite *suite = suite_create("gmm");
  TCase *kernel = tcase_create("kernel");
  tcase_add_test(kernel, cholesky);
  tcase_add_test(kernel, cholesky_of_singular);
  tcase_add_test(kernel, distances);
  tcase_add_test(kernel, known_densities);
  tcase_add_test(kernel, density_of_full_covariance);
  tcase_add_test(kernel, parameter_counts);
  tcase_add_test(kernel, posteriors_of_both_paths);
  tcase_add_test(kernel, sums_of_both_paths);
  suite_add_tcase(suite, kernel);
  TCase *fitting = tcase_create("fitting");
  tcase_add_test(fitting, known_answers);
  tcase_add_test(fitting, stopping);
  tcase_add_test(fitting, begins_from_file);
  tcase_add_test(fitting, likelihood_never_falls);
  tcase_add_test(fitting, split_invariance);
  tcase_add_test(fitting, repeats_exactly);
  tcase_add_test(fitting, restarts_never_worse);
  tcase_add_test(fitting, warm_start);
  suite_add_tcase(suite, fitting);
  TCase *odd = tcase_create("odd cases");
  tcase_add_test(odd, singular_covariances);
  tcase_add_test(odd, reg_is_added);
  tcase_add_test(odd, one_row_and_equal_rows);
  tcase_add_test(odd, refusals);
  tcase_add_test(odd, refuses_bad_starts);
  tcase_add_test(odd, refuses_another_model);
  tcase_add_test(odd, report_names_features);
  suite_add_tcase(suite, odd);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? 0 : 1;
}
