/* The harness, third part: the same job gives the same, however it is run. */
#include <math.h>
#include <string.h>

#include "core/stand/test.h"

/* ---- the same rows ---- */

/* What a run gave, kept while others run. */
typedef struct result {
  char *digest;
  int64_t rows;
  GPtrArray *names;   /* of char * */
  GPtrArray *columns; /* of adl_array *; none where there are no rows */
} result;

static result take_result(adl_test *test) {
  result taken = {.digest = g_strdup(adl_test_digest(test)),
                  .names = g_ptr_array_new_with_free_func(g_free),
                  .columns = g_ptr_array_new_with_free_func((GDestroyNotify)adl_array_unref)};
  if (test->stand->tapped == NULL) return taken;
  taken.rows = adl_test_rows(test);
  const adl_schema *schema = &test->stand->tapped->schema;
  for (int32_t i = 0; taken.rows > 0 && i < schema->count; i++) {
    const char *name = schema->columns[i].name;
    g_ptr_array_add(taken.names, g_strdup(name));
    g_ptr_array_add(taken.columns, adl_array_ref((adl_array *)(void *)(uintptr_t)adl_test_column(test, name)));
  }
  return taken;
}

static void drop_result(result *taken) {
  g_free(taken->digest);
  g_ptr_array_free(taken->names, TRUE);
  g_ptr_array_free(taken->columns, TRUE);
}

static double float_at(const adl_column *column, int64_t at) {
  return column->type.element == ADL_FLOAT32 ? ((const float *)column->data)[at] : ((const double *)column->data)[at];
}

static bool near(double a, double b, double tolerance) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  return a == b || fabs(a - b) <= tolerance * fmax(1, fmax(fabs(a), fabs(b)));
}

/* Are two rows that are not equal at least equal up to rounding? */
static bool near_rows(const adl_column *a, const adl_column *b, int64_t row, double tolerance) {
  adl_type type = a->type;
  if (type.element != ADL_FLOAT32 && type.element != ADL_FLOAT64) return false;
  if (adl_is_null(a, row) || adl_is_null(b, row)) return false;
  int64_t first_a = row, first_b = row, count = 1;
  if (type.shape == ADL_VECTOR) {
    count = type.width;
    first_a = first_b = row * count;
  } else if (type.shape != ADL_SCALAR) {
    first_a = a->offsets[row];
    first_b = b->offsets[row];
    count = a->offsets[row + 1] - first_a;
    if (b->offsets[row + 1] - first_b != count) return false;
  }
  for (int64_t i = 0; i < count; i++) {
    if (type.shape == ADL_SPARSE && a->index[first_a + i] != b->index[first_b + i]) return false;
    if (!near(float_at(a, first_a + i), float_at(b, first_b + i), tolerance)) return false;
  }
  return true;
}

/* Tells the first difference of the rows of two runs; `how`: what was otherwise in the second one. */
static bool same_rows(adl_test *test, const result *a, const result *b, const char *how, double tolerance) {
  if (a->rows != b->rows) {
    g_string_printf(test->difference, "%s: %" G_GINT64_FORMAT " rows instead of %" G_GINT64_FORMAT, how, b->rows,
                    a->rows);
    return false;
  }
  for (guint c = 0; c < a->columns->len; c++) {
    const adl_column *left = a->columns->pdata[c], *right = b->columns->pdata[c];
    for (int64_t row = 0; row < a->rows; row++) {
      if (adl_array_compare(left, row, right, row) == 0 || near_rows(left, right, row, tolerance)) continue;
      g_string_printf(test->difference, "%s: column %s, row %" G_GINT64_FORMAT ": ", how,
                      (const char *)a->names->pdata[c], row);
      adl_array_text(right, row, 200, test->difference);
      g_string_append(test->difference, " instead of ");
      adl_array_text(left, row, 200, test->difference);
      return false;
    }
  }
  return true;
}

/* ---- the same job in other ways ---- */

static bool run_again(adl_test *test, const char *stages, const char *tap, const char *how) {
  if (adl_test_run(test, stages, tap)) return true;
  g_string_printf(test->difference, "%s: it does not run:\n%s", how, adl_test_errors(test));
  return false;
}

static bool same_as(adl_test *test, const result *first, const char *how, double tolerance) {
  result other = take_result(test);
  bool same = same_rows(test, first, &other, how, tolerance);
  if (same && tolerance < 0 && strcmp(first->digest, other.digest) != 0) {
    g_string_printf(test->difference,
                    "%s: the same rows, and other bytes in the run directory (models, outputs, metrics)", how);
    same = false;
  }
  drop_result(&other);
  return same;
}

static bool same_over_threads(adl_test *test, const char *stages, const char *tap, const result *first) {
  static const int32_t threads[] = {1, 2, 3, 8};
  for (int i = 1; i < 8; i++) {
    test->stand->threads = threads[i % 4];
    test->stand->memory = i < 4 ? INT64_C(1) << 30 : 1;
    char *how = g_strdup_printf("with %d thread%s%s", test->stand->threads, test->stand->threads == 1 ? "" : "s",
                                i < 4 ? "" : " and next to no memory");
    bool same = run_again(test, stages, tap, how) && same_as(test, first, how, -1);
    g_free(how);
    if (!same) return false;
  }
  return true;
}

static bool same_over_cuts(adl_test *test, const char *stages, const char *tap, const result *first, double tolerance) {
  static const int64_t ones[] = {1}, odd[] = {3, 1, 2}, whole[] = {4096};
  static const struct {
    const int64_t *sizes;
    int64_t count;
    const char *how;
  } cuts[] = {
      {ones, 1, "in batches of one row"}, {odd, 3, "in batches of 3, 1 and 2 rows"}, {whole, 1, "in one batch"}};
  for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
    adl_test_cut(test, cuts[i].sizes, cuts[i].count);
    if (!run_again(test, stages, tap, cuts[i].how) || !same_as(test, first, cuts[i].how, tolerance)) return false;
  }
  return true;
}

bool adl_test_invariant(adl_test *test, const char *stages, const char *tap, double tolerance) {
  int32_t threads = test->stand->threads;
  int64_t memory = test->stand->memory, count = test->size_count;
  int64_t *sizes = g_memdup2(test->sizes, (gsize)count * sizeof *sizes);
  char *lines = g_strdup(stages), *behind = g_strdup(tap); /* they may be the test's own */
  g_string_truncate(test->difference, 0);
  test->stand->threads = 1;
  test->stand->memory = INT64_C(1) << 30;
  bool same = run_again(test, lines, behind, "with 1 thread");
  if (same) {
    result first = take_result(test);
    same = same_over_threads(test, lines, behind, &first) &&
           (tolerance < 0 || test->format == NULL || same_over_cuts(test, lines, behind, &first, tolerance));
    drop_result(&first);
  }
  test->stand->threads = threads;
  test->stand->memory = memory;
  adl_test_cut(test, sizes, count);
  g_free(sizes);
  g_free(lines);
  g_free(behind);
  return same;
}
