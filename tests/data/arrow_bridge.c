/* The core's Arrow conversions as a shared library, for readers of the C Data Interface that others wrote: arrow.py calls
 * this through ctypes. */
#include <adloom/plugin.h>

#include "core/data/arrow.h"
#include "tests/data/sample.h"

ADL_EXPORT int bridge_types(void);
ADL_EXPORT adl_array *bridge_sample(int type, int rows, int nulls, unsigned seed);
ADL_EXPORT void bridge_free(adl_array *column);
ADL_EXPORT void bridge_export(adl_array *column, struct ArrowSchema *schema, struct ArrowArray *array);
ADL_EXPORT void bridge_export_all(adl_array *const *columns, int count, int rows, struct ArrowSchema *schema,
                                  struct ArrowArray *array);
ADL_EXPORT adl_array *bridge_import(struct ArrowSchema *schema, struct ArrowArray *array, int padded, char *why,
                                    int size);
ADL_EXPORT const void *bridge_data(const adl_array *column);
ADL_EXPORT char *bridge_json(const adl_array *column);
ADL_EXPORT void bridge_free_text(char *text);

int bridge_types(void) { return SAMPLE_TYPES; }

adl_array *bridge_sample(int type, int rows, int nulls, unsigned seed) {
  GRand *rand = g_rand_new_with_seed(seed);
  adl_array *column = sample_array(sample_type(type), rows, nulls, rand);
  g_rand_free(rand);
  return column;
}

void bridge_free(adl_array *column) { adl_array_unref(column); }

void bridge_export(adl_array *column, struct ArrowSchema *schema, struct ArrowArray *array) {
  adl_arrow_export_type(column->view.type, "column", schema);
  adl_arrow_export(column, array);
}

void bridge_export_all(adl_array *const *columns, int count, int rows, struct ArrowSchema *schema,
                       struct ArrowArray *array) {
  adl_type *types = g_new(adl_type, count);
  const char **names = g_new(const char *, count);
  for (int i = 0; i < count; i++) {
    types[i] = columns[i]->view.type;
    names[i] = "column";
  }
  adl_arrow_export_types(types, names, count, schema);
  adl_arrow_export_arrays(columns, count, rows, array);
  g_free(types);
  g_free(names);
}

adl_array *bridge_import(struct ArrowSchema *schema, struct ArrowArray *array, int padded, char *why, int size) {
  adl_arrow_layout layout;
  adl_array *column = NULL;
  char *reason = NULL;
  if (adl_arrow_read_schema(schema, &layout, &reason))
    column = adl_arrow_import(&layout, layout.type, array, padded != 0, &reason);
  else
    array->release(array);
  schema->release(schema);
  g_snprintf(why, (gulong)size, "%s", reason == NULL ? "" : reason);
  g_free(reason);
  return column;
}

const void *bridge_data(const adl_array *column) { return column->view.data; }

/* ---- what the column holds, told without Arrow ---- */

static void number(GString *to, const adl_column *column, int64_t at) {
  double value = 0;
  switch (column->type.element) {
    case ADL_BOOL: g_string_append(to, adl_bit(column->data, at) ? "true" : "false"); return;
    case ADL_INT32: g_string_append_printf(to, "%d", ((const int32_t *)column->data)[at]); return;
    case ADL_UINT32: g_string_append_printf(to, "%u", ((const uint32_t *)column->data)[at]); return;
    case ADL_INT64:
    case ADL_TIMESTAMP: g_string_append_printf(to, "%" G_GINT64_FORMAT, ((const int64_t *)column->data)[at]); return;
    case ADL_FLOAT32: value = (double)((const float *)column->data)[at]; break;
    default: value = ((const double *)column->data)[at]; break;
  }
  if (isnan(value) || isinf(value))
    g_string_append(to, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  else
    g_string_append_printf(to, "%#.17g", value);
}

static void value(GString *to, const adl_column *column, int64_t at) {
  if (column->type.shape == ADL_SPARSE) g_string_append_printf(to, "[%u, ", column->index[at]);
  if (column->type.shape == ADL_BAG) g_string_append_c(to, '[');
  if (column->string_offsets != NULL) {
    adl_text text = adl_text_at(column, at);
    g_string_append_printf(to, "\"%.*s\"", text.size, text.data);
  } else {
    number(to, column, at);
  }
  if (column->type.shape == ADL_SPARSE) g_string_append_c(to, ']');
  if (column->type.shape == ADL_BAG) {
    adl_column weights = {.type = {.element = ADL_FLOAT32}, .data = column->weights};
    g_string_append(to, ", ");
    number(to, &weights, at);
    g_string_append_c(to, ']');
  }
}

char *bridge_json(const adl_array *array) {
  const adl_column *column = &array->view;
  GString *to = g_string_new("[");
  for (int64_t row = 0; row < column->rows; row++) {
    if (row > 0) g_string_append(to, ", ");
    if (adl_is_null(column, row)) {
      g_string_append(to, "null");
      continue;
    }
    if (column->type.shape == ADL_SCALAR) {
      value(to, column, row);
      continue;
    }
    int64_t width = column->type.width, first = column->offsets != NULL ? column->offsets[row] : row * width;
    int64_t end = column->offsets != NULL ? column->offsets[row + 1] : first + width;
    g_string_append_c(to, '[');
    for (int64_t i = first; i < end; i++) {
      if (i > first) g_string_append(to, ", ");
      value(to, column, i);
    }
    g_string_append_c(to, ']');
  }
  g_string_append_c(to, ']');
  return g_string_free(to, FALSE);
}

void bridge_free_text(char *text) { g_free(text); }
