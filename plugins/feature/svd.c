/* svd: many dimensions to a few, by the singular value decomposition of the training rows. The rows are only ever read in
 * folds that compute X^T (X Q) for a thin Q; all else happens on matrices as wide as the number of factors. */
#include <adloom/plugin.h>

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/linalg.h"
#include "common/matrix_rows.h"

/* Numbers that the thin matrix may have: 2 GB. */
#define MOST_VALUES (INT64_C(1) << 28)
/* Singular values below this part of the largest are noise: they are found as roots of eigenvalues, whose error is some
 * 1e-16 of the largest. */
#define NOISE 1e-7
/* Sizes of components that differ by less than this part count as equal where the sign is fixed. */
#define EQUAL 1e-6

typedef struct svd {
  adl_input features;
  adl_output as;
  int64_t factors, power, oversample;
  bool normalise;
} svd;

/* Directions that are followed: the columns of a thin matrix. */
typedef struct range {
  int64_t width, thin;
  const double *basis; /* width x thin, row-major */
} range;

static int64_t thin_of(const svd *self) {
  int64_t thin = self->factors + self->oversample;
  return thin < self->features.type.width ? thin : self->features.type.width;
}

static double *floats(const adl_call *call, adl_tensors *tensors, const char *name, int64_t rows, int64_t columns) {
  const int64_t size[2] = {rows, columns};
  return call->host->tensor(call, tensors, name, ADL_FLOAT64, columns > 0 ? 2 : 1, size);
}

/* ---- the folds ---- */

enum { ROWS, SQUARES, COUNTS };

/* product += X^T (X basis), a block of rows at a time. */
static void add_dense(const adl_call *call, const range *of, const float *x, int64_t rows, double *product) {
  enum { BLOCK = 64 };
  int64_t width = of->width, thin = of->thin;
  double *block = call->host->alloc(call, (size_t)(BLOCK * width) * sizeof *block);
  double *image = call->host->alloc(call, (size_t)(BLOCK * thin) * sizeof *image);
  for (int64_t from = 0; from < rows; from += BLOCK) {
    int64_t count = rows - from < BLOCK ? rows - from : BLOCK;
    for (int64_t i = 0; i < count * width; i++) block[i] = (double)x[from * width + i];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)thin, (int)width, 1, block, (int)width,
                of->basis, (int)thin, 0, image, (int)thin);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)width, (int)thin, (int)count, 1, block, (int)width, image,
                (int)thin, 1, product, (int)thin);
  }
}

static void add_sparse(const adl_call *call, const range *of, const adl_column *matrix, double *product) {
  int64_t thin = of->thin;
  double *image = call->host->alloc(call, (size_t)thin * sizeof *image);
  for (int64_t r = 0; r < matrix->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(matrix, r);
    memset(image, 0, (size_t)thin * sizeof *image);
    for (int64_t i = 0; i < row.count; i++) {
      const double *of_basis = of->basis + row.index[i] * thin, value = (double)row.value[i];
      for (int64_t j = 0; j < thin; j++) image[j] += value * of_basis[j];
    }
    for (int64_t i = 0; i < row.count; i++) {
      double *to = product + row.index[i] * thin, value = (double)row.value[i];
      for (int64_t j = 0; j < thin; j++) to[j] += value * image[j];
    }
  }
}

static adl_status step(const adl_call *call, const void *instance, const void *context, const adl_batch *batch,
                       adl_tensors *partial) {
  const svd *self = instance;
  const range *of = context;
  const adl_column *matrix = batch->slots[self->features.slot];
  double *product = floats(call, partial, "product", of->width, of->thin);
  double *counts = floats(call, partial, "counts", COUNTS, 0), *sum = floats(call, partial, "sum", of->width, 0);
  counts[ROWS] += (double)batch->rows;
  for (int64_t r = 0; r < batch->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(matrix, r);
    for (int64_t i = 0; i < row.count; i++) {
      double value = (double)row.value[i];
      sum[row.index != NULL ? row.index[i] : i] += value;
      counts[SQUARES] += value * value;
    }
  }
  if (matrix->type.shape == ADL_SPARSE)
    add_sparse(call, of, matrix, product);
  else
    add_dense(call, of, matrix->data, batch->rows, product);
  return ADL_OK;
}

/* product = X^T (X basis); the result is in `total`. */
static adl_status multiply(const adl_call *call, adl_rows *rows, const range *of, adl_tensors *total) {
  adl_fold fold = {.struct_size = sizeof fold, .step = step, .context = of};
  floats(call, total, "product", of->width, of->thin);
  floats(call, total, "counts", COUNTS, 0);
  floats(call, total, "sum", of->width, 0);
  return call->host->fold(call, rows, &fold, total);
}

/* ---- fitting ---- */

/* Independent normal numbers (Box & Muller 1958). */
static void fill_normal(double *to, int64_t count, uint64_t key) {
  const double turn = 6.283185307179586;
  for (int64_t i = 0; i < count; i++) {
    double radius = sqrt(-2 * log(1 - adl_random_unit(key, (uint64_t)(2 * i))));
    to[i] = radius * cos(turn * adl_random_unit(key, (uint64_t)(2 * i + 1)));
  }
}

/* 1 or -1: what makes the largest component of a column positive. */
static double sign_of(const double *column, int64_t count, int64_t stride) {
  double largest = 0;
  for (int64_t i = 0; i < count; i++) largest = fmax(largest, fabs(column[i * stride]));
  for (int64_t i = 0; i < count; i++)
    if (fabs(column[i * stride]) >= (1 - EQUAL) * largest) return column[i * stride] < 0 ? -1 : 1;
  return 1;
}

/* The model from a basis and X^T X basis: the eigenvectors of basis^T X^T X basis, largest first, brought back. */
static adl_status keep_factors(const adl_call *call, const svd *self, const range *of, adl_tensors *total,
                               adl_tensors *model) {
  const adl_host *host = call->host;
  int64_t width = of->width, thin = of->thin, factors = self->factors, rank = 0;
  const double *product = floats(call, total, "product", width, thin), *sum = floats(call, total, "sum", width, 0);
  const double *counts = floats(call, total, "counts", COUNTS, 0);
  double *small = host->alloc(call, (size_t)(thin * thin) * sizeof *small);
  double *values = host->alloc(call, (size_t)thin * sizeof *values);
  double *v = host->alloc(call, (size_t)(width * thin) * sizeof *v);
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)thin, (int)thin, (int)width, 1, of->basis, (int)thin,
              product, (int)thin, 0, small, (int)thin);
  ADL_TRY(adl_linalg_eigen(call, small, thin, values));
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)width, (int)thin, (int)thin, 1, of->basis, (int)thin, small,
              (int)thin, 0, v, (int)thin);
  float *kept = host->tensor(call, model, "v", ADL_FLOAT32, 2, (const int64_t[]){width, factors});
  double *singular = floats(call, model, "singular_values", factors, 0);
  double *variance = floats(call, model, "explained_variance", factors, 0);
  double all = counts[SQUARES] / counts[ROWS];
  for (int64_t i = 0; i < width; i++) all -= sum[i] / counts[ROWS] * (sum[i] / counts[ROWS]);
  *floats(call, model, "variance", 1, 0) = fmax(0, all);
  *floats(call, model, "rows", 1, 0) = counts[ROWS];
  double largest = sqrt(fmax(0, values[thin - 1]));
  for (int64_t j = 0; j < factors; j++) {
    int64_t column = thin - 1 - j;
    double found = sqrt(fmax(0, values[column])), sign = sign_of(v + column, width, thin), mean = 0;
    bool noise = !(found > NOISE * largest);
    rank += !noise;
    singular[j] = noise ? 0 : found;
    for (int64_t i = 0; i < width; i++) {
      double component = noise ? 0 : sign * v[i * thin + column];
      kept[i * factors + j] = (float)(component + 0.0); /* no negative zero */
      mean += component * (sum[i] / counts[ROWS]);
    }
    variance[j] = fmax(0, singular[j] * singular[j] / counts[ROWS] - mean * mean);
  }
  if (rank < factors)
    host->log(call, ADL_WARNING, "the training rows have rank %lld: of the %lld factors the others are always 0",
              (long long)rank, (long long)factors);
  return ADL_OK;
}

static adl_status fit(const adl_call *call, const void *instance, adl_rows *rows, adl_model *model) {
  static const char *const names[] = {"v", "singular_values", "explained_variance", "variance", "rows"};
  const svd *self = instance;
  const adl_host *host = call->host;
  range of = {.width = self->features.type.width, .thin = thin_of(self)};
  size_t size = (size_t)(of.width * of.thin) * sizeof(double);
  double *basis = host->alloc(call, size);
  adl_tensors *total = host->scratch_tensors(call);
  of.basis = basis;
  fill_normal(basis, of.width * of.thin, host->random_key(call, "range"));
  ADL_TRY(adl_linalg_orthonormalise(call, basis, of.width, of.thin));
  for (int64_t pass = 0; pass <= self->power + 1; pass++) {
    host->progress(call, "passes", (double)pass, (double)(self->power + 2));
    ADL_TRY(multiply(call, rows, &of, total));
    const double *counts = floats(call, total, "counts", COUNTS, 0);
    if (counts[ROWS] == 0)
      return host->fail(call, NULL, -1, "check the holdout of the source and the filters above this stage",
                        "there are no training rows");
    if (pass > self->power) break;
    memcpy(basis, floats(call, total, "product", of.width, of.thin), size);
    ADL_TRY(adl_linalg_orthonormalise(call, basis, of.width, of.thin));
  }
  /* A model to start from is not built on. */
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) host->drop_tensor(call, model->tensors, names[i]);
  return keep_factors(call, self, &of, total, model->tensors);
}

/* ---- using a model ---- */

static bool find_v(const adl_call *call, const svd *self, const adl_model *model, adl_tensor *v) {
  return call->host->find_tensor(call, model->tensors, "v", v) && v->element == ADL_FLOAT32 && v->dimensions == 2 &&
         v->size[0] == self->features.type.width && v->size[1] == self->factors;
}

static bool has_floats(const adl_call *call, const adl_model *model, const char *name, int64_t count) {
  adl_tensor tensor;
  return call->host->find_tensor(call, model->tensors, name, &tensor) && tensor.element == ADL_FLOAT64 &&
         tensor.count == count;
}

static adl_status prepare(const adl_call *call, const void *instance, const adl_model *model, void **prepared) {
  const svd *self = instance;
  adl_tensor v;
  (void)prepared;
  /* What report reads of it, too. */
  if (!find_v(call, self, model, &v) || !has_floats(call, model, "singular_values", self->factors) ||
      !has_floats(call, model, "explained_variance", self->factors) || !has_floats(call, model, "variance", 1) ||
      !has_floats(call, model, "rows", 1))
    return call->host->fail(call, "factors", -1, "fit the stage again, or take the model's number of factors",
                            "the model is not one of %lld factors of %lld dimensions", (long long)self->factors,
                            (long long)self->features.type.width);
  return ADL_OK;
}

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const svd *self = instance;
  const adl_host *host = call->host;
  const adl_column *matrix = batch->slots[self->features.slot];
  int64_t factors = self->factors;
  adl_tensor v;
  adl_buffers to;
  if (!find_v(call, self, model, &v))
    return host->fail(call, NULL, -1, "fit the stage again", "the model is not whole");
  ADL_TRY(host->reserve(call, out, self->as.slot, batch->rows, 0, 0, &to));
  double *image = host->alloc(call, (size_t)factors * sizeof *image);
  for (int64_t r = 0; r < batch->rows; r++) {
    adl_matrix_row row = adl_matrix_row_at(matrix, r);
    double norm = 0, largest = 0;
    memset(image, 0, (size_t)factors * sizeof *image);
    for (int64_t i = 0; i < row.count; i++) {
      const float *of = (const float *)v.data + (row.index != NULL ? row.index[i] : i) * factors;
      for (int64_t j = 0; j < factors; j++) image[j] += (double)row.value[i] * (double)of[j];
    }
    for (int64_t j = 0; j < factors; j++) norm += image[j] * image[j];
    for (int64_t j = 0; j < factors; j++) {
      double value = self->normalise && norm > 0 ? image[j] / sqrt(norm) : image[j];
      largest = fmax(largest, fabs(value));
      ((float *)to.data)[r * factors + j] = (float)value;
    }
    if (!(largest <= FLT_MAX)) host->reject(call, r, self->as.name, "a factor does not fit a float32");
  }
  return ADL_OK;
}

/* ---- report ---- */

enum { FACTORS_SHOWN = 50, NAMES_SHOWN = 6, NAME_SIZE = 64, LIST_SIZE = NAMES_SHOWN * (NAME_SIZE + 16) };

/* "price 0.71, age -0.52": the dimensions with the largest components. */
static const char *largest_names(const adl_call *call, const svd *self, const float *v, int64_t factor) {
  int64_t best[NAMES_SHOWN], count = 0;
  char *text = call->host->alloc(call, LIST_SIZE);
  size_t at = 0;
  for (int64_t i = 0; i < self->features.type.width; i++) {
    float size = fabsf(v[i * self->factors + factor]);
    int64_t place = count;
    while (place > 0 && fabsf(v[best[place - 1] * self->factors + factor]) < size) place--;
    if (!(size > 0) || place == NAMES_SHOWN) continue;
    if (count < NAMES_SHOWN) count++;
    for (int64_t k = count - 1; k > place; k--) best[k] = best[k - 1];
    best[place] = i;
  }
  text[0] = '\0';
  for (int64_t k = 0; k < count; k++) {
    char name[NAME_SIZE];
    call->host->dimension_name(call, &self->features, best[k], name, sizeof name);
    at += (size_t)snprintf(text + at, LIST_SIZE - at, "%s%s %.2f", k > 0 ? ", " : "", name,
                           (double)v[best[k] * self->factors + factor]);
  }
  return text;
}

enum { DIMENSIONS_SHOWN = 200 };

/* The dimensions that weigh most in the first two factors, where they lie in these. */
static void plot_dimensions(const adl_call *call, const svd *self, const float *v, adl_report *into) {
  const adl_host *host = call->host;
  int64_t best[DIMENSIONS_SHOWN], count = 0, f = self->factors;
  double size[DIMENSIONS_SHOWN];
  if (f < 2) return;
  for (int64_t i = 0; i < self->features.type.width; i++) {
    double square = (double)v[i * f] * (double)v[i * f] + (double)v[i * f + 1] * (double)v[i * f + 1];
    if (!(square > 0) || (count == DIMENSIONS_SHOWN && square <= size[count - 1])) continue;
    int64_t place = count < DIMENSIONS_SHOWN ? count++ : count - 1;
    for (; place > 0 && size[place - 1] < square; place--) {
      size[place] = size[place - 1];
      best[place] = best[place - 1];
    }
    size[place] = square;
    best[place] = i;
  }
  double *x = host->alloc(call, (size_t)(2 * count + 1) * sizeof *x), *y = x + count;
  const char **names = host->alloc(call, (size_t)(count + 1) * sizeof *names);
  for (int64_t k = 0; k < count; k++) {
    char *name = host->alloc(call, NAME_SIZE);
    host->dimension_name(call, &self->features, best[k], name, NAME_SIZE);
    x[k] = (double)v[best[k] * f];
    y[k] = (double)v[best[k] * f + 1];
    names[k] = name;
  }
  const adl_series points = {.struct_size = sizeof points, .count = count, .x = x, .y = y, .labels = names};
  const adl_series *only = &points;
  const adl_plot plot = {.struct_size = sizeof plot,
                         .kind = ADL_PLOT_POINTS,
                         .series_count = 1,
                         .name = "dimensions",
                         .x_title = "factor 0",
                         .y_title = "factor 1",
                         .series = &only};
  if (count > 0) host->report_plot(call, into, &plot);
}

static adl_status report(const adl_call *call, const void *instance, const adl_model *model, adl_report *into) {
  static const char *const titles[] = {"factor", "singular value", "share of variance", "largest dimensions"};
  const svd *self = instance;
  const adl_host *host = call->host;
  adl_tensor v, singular, variance, all, rows;
  if (!find_v(call, self, model, &v) || !host->find_tensor(call, model->tensors, "singular_values", &singular) ||
      !host->find_tensor(call, model->tensors, "explained_variance", &variance) ||
      !host->find_tensor(call, model->tensors, "variance", &all) ||
      !host->find_tensor(call, model->tensors, "rows", &rows))
    return ADL_OK;
  double total = *(const double *)all.data, explained = 0;
  int64_t shown = self->factors < FACTORS_SHOWN ? self->factors : FACTORS_SHOWN;
  const char **cells = host->alloc(call, (size_t)shown * 4 * sizeof *cells);
  double *number = host->alloc(call, (size_t)self->factors * sizeof *number);
  for (int64_t j = 0; j < self->factors; j++) {
    double share = total > 0 ? ((const double *)variance.data)[j] / total : 0;
    number[j] = (double)j;
    explained += share;
    if (j >= shown) continue;
    const double values[3] = {(double)j, ((const double *)singular.data)[j], share};
    for (int k = 0; k < 3; k++) {
      char *text = host->alloc(call, 32);
      snprintf(text, 32, "%.6g", values[k]);
      cells[4 * j + k] = text;
    }
    cells[4 * j + 3] = largest_names(call, self, v.data, j);
  }
  host->report_number(call, into, "in-sample", "rows", *(const double *)rows.data, NAN, NAN);
  host->report_number(call, into, "", "dimensions", (double)self->features.type.width, NAN, NAN);
  host->report_number(call, into, "in-sample", "explained_variance", explained, NAN, NAN);
  adl_plot_one(call, into, ADL_PLOT_BARS, "singular values", "factor", "singular value", self->factors, number,
               singular.data);
  plot_dimensions(call, self, v.data, into);
  host->report_table(call, into, "factors", 4, titles, shown, cells);
  return ADL_OK;
}

/* ---- binding ---- */

static adl_status create(const adl_call *call, void *instance) {
  (void)instance;
  return adl_linalg_ready(call);
}

static adl_status bind(const adl_call *call, void *instance) {
  svd *self = instance;
  return call->host->declare(call, &self->as,
                             (adl_type){.element = ADL_FLOAT32, .shape = ADL_VECTOR, .width = self->factors});
}

static adl_status start(const adl_call *call, void *instance) {
  const svd *self = instance;
  int64_t width = self->features.type.width;
  if (self->factors > width)
    return call->host->fail(call, "factors", -1, "ask for fewer factors than there are dimensions",
                            "there are %lld dimensions, too few for %lld factors", (long long)width,
                            (long long)self->factors);
  if (width > MOST_VALUES / thin_of(self))
    return call->host->fail(call, "factors", -1, "ask for fewer factors, or hash the features to fewer dimensions",
                            "%lld factors of %lld dimensions need more than %lld numbers", (long long)thin_of(self),
                            (long long)width, (long long)MOST_VALUES);
  return call->host->set_width(call, self->as.slot, self->factors);
}

static const adl_param params[] = {
    {.name = "features",
     .type = ADL_PARAM_MATRIX,
     .flags = ADL_REQUIRED,
     .offset = offsetof(svd, features),
     .doc =
         "Columns to decompose: numbers, vectors or sparse columns, put side by side. Dimensions count by their size: "
         "scale numbers of different units first."},
    {.name = "factors",
     .type = ADL_PARAM_INT,
     .offset = offsetof(svd, factors),
     .default_value = "16",
     .range = "[1, 4096]",
     .doc = "How many factors to keep; not more than there are dimensions."},
    {.name = "power",
     .type = ADL_PARAM_INT,
     .offset = offsetof(svd, power),
     .default_value = "2",
     .range = "[0, 100]",
     .unit = "passes",
     .doc = "Power iterations: more of them tell apart singular values that are closer together. The training rows are "
            "read power + 2 times."},
    {.name = "oversample",
     .type = ADL_PARAM_INT,
     .offset = offsetof(svd, oversample),
     .default_value = "10",
     .range = "[0, 4096]",
     .doc = "So many more random directions than factors are followed."},
    {.name = "normalise",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(svd, normalise),
     .default_value = "false",
     .doc = "Bring every row to length 1, so that distances tell angles apart, not sizes. A row of zeros stays zero."},
    {.name = "as",
     .type = ADL_PARAM_NEW_COLUMN,
     .flags = ADL_PLAIN_NAME,
     .offset = offsetof(svd, as),
     .default_value = "factors",
     .doc = "New column: the factors of the row, a vector of float32."},
};

static const char doc[] =
    "Brings many dimensions (words, categories, hashed features) to a few factors that hold as much of them as so few "
    "can: rows that had similar features, if not the same ones, come close together. With tfidf before it, this is "
    "latent semantic analysis.\n\n"
    "It is the truncated singular value decomposition X = U S V^T of the training rows X, without centring, so that "
    "sparse columns stay sparse (scikit-learn's TruncatedSVD is the same). The new column is U S, that is X V, for "
    "any row. Source: the randomised range finder with power iterations of Halko, Martinsson & Tropp, SIAM Review 53, "
    "2011, on the row space: random directions are multiplied by X^T X, `power` + 1 times, and made orthonormal each "
    "time (Householder QR); the small eigenproblem in the space that they span gives V and S. Their number is factors "
    "+ oversample; where that is all dimensions, the result is exact.\n\n"
    "The sign of a factor is the one with which its largest component is positive (the first one of equals). Rows are "
    "read as float32, everything is computed in float64, and V is kept as float32. Singular values below 1e-7 of the "
    "largest cannot be told from rounding: such factors are 0, with a warning that tells the rank. The explained "
    "variance of a factor is its variance over the training rows, as share of that of all dimensions; factors explain "
    "less than their singular values suggest where the mean is far from 0.\n\n"
    "Memory is some 8 bytes x dimensions x (factors + oversample), up to ten times. Rows with a null, NaN or infinity "
    "are rejected, and so are rows with a factor that does not fit a float32. Without any training row the run stops, "
    "and so it does if there are fewer dimensions than factors.";

static const adl_class svd_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_FEATURE,
    .id = "svd",
    .title = "Many dimensions to a few factors",
    .doc = doc,
    .form = ADL_SAME,
    .instance_size = sizeof(svd),
    .state_version = 1,
    ADL_PARAMS(params),
    .create = create,
    .bind = bind,
    .start = start,
    .fit = fit,
    .prepare = prepare,
    .process = process,
    .report = report,
};

static const adl_class *const classes[] = {&svd_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "svd",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("svd", "1.0.0", "feature:svd", &plugin);
