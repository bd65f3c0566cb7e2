/* A small table of typed columns for the tests of expressions, written as text, and the scope over it. */
#ifndef ADLOOM_TESTS_EXPR_COLUMNS_H
#define ADLOOM_TESTS_EXPR_COLUMNS_H

#include <check.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "core/expr/expr.h"

enum { MAX_COLUMNS = 24 };

typedef struct columns {
  int32_t count;
  const char *names[MAX_COLUMNS];
  adl_array *arrays[MAX_COLUMNS];
  GString *problems; /* "offset+length message (hint)\n" */
} columns;

/* Values separated by |; "null" is null; timestamps are microseconds. */
static inline adl_array *column_of(adl_type type, const char *values) {
  gchar **parts = g_strsplit(values, "|", -1);
  int64_t rows = (int64_t)g_strv_length(parts);
  adl_builder *builder = adl_builder_new(type);
  adl_buffers to;
  ck_assert(adl_builder_reserve(builder, rows, 0, (int64_t)strlen(values), &to));
  for (int64_t row = 0; row < rows; row++) {
    const char *text = parts[row];
    bool null = strcmp(text, "null") == 0;
    if (null) adl_bit_set(to.validity, row, false);
    switch (type.element) {
      case ADL_BOOL: adl_bit_set(to.data, row, strcmp(text, "true") == 0); break;
      case ADL_INT32: ((int32_t *)to.data)[row] = (int32_t)strtoll(text, NULL, 10); break;
      case ADL_UINT32: ((uint32_t *)to.data)[row] = (uint32_t)strtoll(text, NULL, 10); break;
      case ADL_INT64:
      case ADL_TIMESTAMP: ((int64_t *)to.data)[row] = strtoll(text, NULL, 10); break;
      case ADL_FLOAT32: ((float *)to.data)[row] = (float)g_ascii_strtod(text, NULL); break;
      case ADL_FLOAT64: ((double *)to.data)[row] = g_ascii_strtod(text, NULL); break;
      default: {
        int32_t size = null ? 0 : (int32_t)strlen(text);
        memcpy((char *)to.data + to.string_offsets[row], text, (size_t)size);
        to.string_offsets[row + 1] = to.string_offsets[row] + size;
        break;
      }
    }
  }
  g_strfreev(parts);
  const char *why = NULL;
  adl_array *array = adl_builder_finish(builder, rows, &why);
  ck_assert_msg(array != NULL, "%s", why);
  return array;
}

static inline void columns_add_array(columns *c, const char *name, adl_array *array) {
  c->names[c->count] = name;
  c->arrays[c->count++] = array;
}

static inline void columns_add(columns *c, const char *name, adl_element element, adl_role role, const char *values) {
  columns_add_array(c, name, column_of(adl_type_scalar(element, role), values));
}

static inline void columns_clear(columns *c) {
  for (int32_t i = 0; i < c->count; i++) adl_array_unref(c->arrays[i]);
  if (c->problems != NULL) g_string_free(c->problems, TRUE);
  memset(c, 0, sizeof *c);
}

static inline int32_t columns_find(void *data, const char *name, adl_type *type) {
  columns *c = data;
  for (int32_t i = 0; i < c->count; i++) {
    if (strcmp(c->names[i], name) != 0) continue;
    *type = c->arrays[i]->view.type;
    return i;
  }
  return -1;
}

static inline const char *columns_name(void *data, int32_t at) {
  columns *c = data;
  return at < c->count ? c->names[at] : NULL;
}

static inline void columns_problem(void *data, const adl_expr_problem *problem) {
  columns *c = data;
  g_string_append_printf(c->problems, "%d+%d %s", problem->offset, problem->length, problem->message);
  if (problem->hint != NULL) g_string_append_printf(c->problems, " (%s)", problem->hint);
  g_string_append_c(c->problems, '\n');
}

static inline adl_expr_scope columns_scope(columns *c) {
  adl_expr_scope scope = {columns_find, columns_name, columns_problem, c};
  if (c->problems == NULL) c->problems = g_string_new(NULL);
  g_string_truncate(c->problems, 0);
  return scope;
}

#define COLUMNS_NOW INT64_C(1717243200000000) /* 2024-06-01 12:00 */

static inline adl_array *columns_evaluate(const columns *c, const adl_expr *expr, int64_t rows) {
  const adl_column *inputs[MAX_COLUMNS];
  const char *why = NULL;
  for (int32_t i = 0; i < adl_expr_input_count(expr); i++) inputs[i] = &c->arrays[adl_expr_input(expr, i)]->view;
  adl_array *result = adl_expr_evaluate(expr, inputs, rows, COLUMNS_NOW, &why);
  ck_assert_msg(result != NULL, "%s", why);
  ck_assert_int_eq(result->view.rows, rows);
  return result;
}

#endif
