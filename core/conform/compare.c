/* Results side by side: rows that left, and models, bit for bit or as far as rounding goes. */
#include <math.h>
#include <string.h>

#include "core/conform/internal.h"
#include "core/data/table.h"

static bool near(double a, double b, double tolerance) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  return a == b || fabs(a - b) <= tolerance * fmax(1, fmax(fabs(a), fabs(b)));
}

static bool is_float(int element) { return element == ADL_FLOAT32 || element == ADL_FLOAT64; }

static double float_at(const void *data, int element, int64_t at) {
  return element == ADL_FLOAT32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
}

/* ---- rows ---- */

static bool same_bytes(const adl_column *a, int64_t row_a, const adl_column *b, int64_t row_b) {
  GByteArray *key_a = g_byte_array_new(), *key_b = g_byte_array_new();
  adl_array_key(a, row_a, key_a);
  adl_array_key(b, row_b, key_b);
  bool same = key_a->len == key_b->len && memcmp(key_a->data, key_b->data, key_a->len) == 0;
  g_byte_array_unref(key_a);
  g_byte_array_unref(key_b);
  return same;
}

/* The numbers of a row: from..to of data. */
static void extent_of(const adl_column *column, int64_t row, int64_t *from, int64_t *to) {
  int64_t width = column->type.shape == ADL_VECTOR ? column->type.width : 1;
  *from = column->offsets != NULL ? column->offsets[row] : row * width;
  *to = column->offsets != NULL ? column->offsets[row + 1] : (row + 1) * width;
}

static bool near_rows(const adl_column *a, int64_t row_a, const adl_column *b, int64_t row_b, double tolerance) {
  int64_t from_a, to_a, from_b, to_b;
  if (same_bytes(a, row_a, b, row_b)) return true;
  if (adl_is_null(a, row_a) != adl_is_null(b, row_b) || !is_float(a->type.element) || tolerance == 0) return false;
  extent_of(a, row_a, &from_a, &to_a);
  extent_of(b, row_b, &from_b, &to_b);
  if (to_a - from_a != to_b - from_b) return false;
  for (int64_t i = 0; i < to_a - from_a; i++) {
    if (a->index != NULL && a->index[from_a + i] != b->index[from_b + i]) return false;
    if (!near(float_at(a->data, a->type.element, from_a + i), float_at(b->data, b->type.element, from_b + i),
              tolerance))
      return false;
  }
  return true;
}

static char *tell_difference(const adl_result *a, int32_t c, int64_t row_a, const adl_result *b, int64_t row_b) {
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "row %" G_GINT64_FORMAT " of `%s` is ", row_a, a->stand->tapped->schema.columns[c].name);
  adl_array_text(&a->columns[c]->view, row_a, 60, text);
  g_string_append(text, " in one, ");
  adl_array_text(&b->columns[c]->view, row_b, 60, text);
  g_string_append(text, " in the other");
  return g_string_free(text, FALSE);
}

char *adl_compare_rows(const adl_result *a, int64_t first_a, const adl_result *b, int64_t first_b, int64_t count,
                       double tolerance) {
  if (a->column_count != b->column_count)
    return g_strdup_printf("%d columns leave in one, %d in the other", a->column_count, b->column_count);
  for (int32_t c = 0; c < a->column_count; c++) {
    if (count > 0 && a->columns[c]->view.type.width != b->columns[c]->view.type.width)
      return g_strdup_printf("`%s` is %" G_GINT64_FORMAT " wide in one, %" G_GINT64_FORMAT " in the other",
                             a->stand->tapped->schema.columns[c].name, a->columns[c]->view.type.width,
                             b->columns[c]->view.type.width);
    for (int64_t i = 0; i < count; i++)
      if (!near_rows(&a->columns[c]->view, first_a + i, &b->columns[c]->view, first_b + i, tolerance))
        return tell_difference(a, c, first_a + i, b, first_b + i);
  }
  return NULL;
}

char *adl_compare_results(const adl_result *a, const adl_result *b, double tolerance) {
  if (a->rows != b->rows)
    return g_strdup_printf("%" G_GINT64_FORMAT " rows leave in one, %" G_GINT64_FORMAT " in the other", a->rows,
                           b->rows);
  return adl_compare_rows(a, 0, b, 0, a->rows, tolerance);
}

/* ---- models ---- */

static char *compare_tensors(const char *name, const adl_tensor *a, const adl_tensor *b, double tolerance) {
  if (a->element != b->element || a->count != b->count)
    return g_strdup_printf("the tensor `%s` has other sizes (%" G_GINT64_FORMAT " and %" G_GINT64_FORMAT " values)",
                           name, a->count, b->count);
  int64_t size = adl_tensor_element_size((adl_element)a->element);
  for (int64_t i = 0; i < a->count; i++) {
    if (memcmp((const char *)a->data + i * size, (const char *)b->data + i * size, (size_t)size) == 0) continue;
    if (!is_float(a->element)) return g_strdup_printf("value %" G_GINT64_FORMAT " of the tensor `%s` differs", i, name);
    double one = float_at(a->data, a->element, i), other = float_at(b->data, b->element, i);
    if (tolerance == 0 || !near(one, other, tolerance))
      return g_strdup_printf("value %" G_GINT64_FORMAT " of the tensor `%s` is %.9g in one, %.9g in the other", i, name,
                             one, other);
  }
  return NULL;
}

/* By key: the order of keys is that of first appearance, which a merge may change. */
static char *compare_tables(const char *name, const adl_table *a, const adl_table *b, double tolerance) {
  if (adl_table_count(a) != adl_table_count(b) || adl_table_width(a) != adl_table_width(b))
    return g_strdup_printf("the table `%s` has %" G_GINT64_FORMAT " keys in one, %" G_GINT64_FORMAT " in the other",
                           name, adl_table_count(a), adl_table_count(b));
  for (int64_t i = 0; i < adl_table_count(a); i++) {
    adl_text key = adl_table_key(a, i);
    int64_t other = adl_table_find(b, key.data, key.size);
    if (other < 0) return g_strdup_printf("the table `%s` has a key that is not in the other", name);
    for (int64_t k = 0; k < adl_table_width(a); k++)
      if (!near(adl_table_row(a, i)[k], adl_table_row(b, other)[k], tolerance))
        return g_strdup_printf("a row of the table `%s` holds %.9g in one, %.9g in the other", name,
                               adl_table_row(a, i)[k], adl_table_row(b, other)[k]);
  }
  return NULL;
}

char *adl_compare_models(const adl_tensors *a, const adl_tensors *b, double tolerance) {
  const char *name;
  adl_tensor tensor, other;
  const adl_table *table;
  char *different = NULL;
  if ((a == NULL) != (b == NULL)) return g_strdup("there is a model in one, and none in the other");
  if (a == NULL) return NULL;
  for (int32_t i = 0; different == NULL && adl_tensors_at(a, i, &name, &tensor); i++) {
    if (!adl_tensors_find(b, name, &other)) return g_strdup_printf("there is no tensor `%s` in the other", name);
    different = compare_tensors(name, &tensor, &other, tolerance);
  }
  for (int32_t i = 0; different == NULL && adl_tensors_table_at(a, i, &name, &table); i++) {
    const adl_table *found = adl_tensors_find_table(b, name);
    if (found == NULL) return g_strdup_printf("there is no table `%s` in the other", name);
    different = compare_tables(name, table, found, tolerance);
  }
  return different;
}
