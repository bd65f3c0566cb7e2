/* The host's side of adloom.expression/1: expressions for plugins that hold the texts themselves. The engine hands this
 * table out through host->extension. */
#include <adloom/expression.h>
#include <string.h>

#include "core/expr/internal.h"

/* What compile was told, for the callbacks of the scope. */
typedef struct asker {
  const adl_call *call;
  const char *parameter;
  const adl_input *inputs;
  int64_t count;
} asker;

static int32_t find_input(void *data, const char *name, adl_type *type) {
  const asker *a = data;
  for (int64_t i = 0; i < a->count; i++) {
    if (a->inputs[i].name == NULL || strcmp(a->inputs[i].name, name) != 0) continue;
    *type = a->inputs[i].type;
    return (int32_t)i;
  }
  return -1;
}

/* Inputs that were not given have no name and are left out of the counting. */
static const char *name_input(void *data, int32_t at) {
  const asker *a = data;
  for (int64_t i = 0; i < a->count; i++) {
    if (a->inputs[i].name != NULL && at-- == 0) return a->inputs[i].name;
  }
  return NULL;
}

static void report_problem(void *data, const adl_expr_problem *problem) {
  const asker *a = data;
  a->call->host->fail(a->call, a->parameter, problem->offset, problem->hint, "%s", problem->message);
}

static adl_status compile(const adl_call *call, const char *parameter, const char *text, const adl_input *inputs,
                          int64_t count, adl_expression **expression) {
  asker a = {call, parameter, inputs, count};
  adl_expr_scope scope = {find_input, name_input, report_problem, &a};
  *expression = (adl_expression *)adl_expr_compile(text, &scope);
  return *expression != NULL ? ADL_OK : ADL_FAILED;
}

static adl_type type(const adl_expression *expression) { return adl_expr_type((const adl_expr *)expression); }

static const void *copy_block(const adl_call *call, const void *block, size_t size) {
  if (block == NULL) return NULL;
  void *copy = call->host->alloc(call, size > 0 ? size : 1);
  memcpy(copy, block, size);
  return copy;
}

/* Arrays belong to the core and are counted; what the plugin gets is a copy in the memory of its call. Only scalars are
 * made by expressions. */
static adl_column *scratch_column(const adl_call *call, const adl_column *from) {
  adl_column *copy = call->host->alloc(call, sizeof *copy);
  size_t rows = (size_t)from->rows, bits = (rows + 7) / 8, size = rows * 8;
  if (from->type.element == ADL_BOOL) size = bits;
  if (from->string_offsets != NULL) size = (size_t)from->string_offsets[rows];
  *copy = *from;
  copy->validity = copy_block(call, from->validity, bits);
  copy->data = copy_block(call, from->data, size);
  copy->string_offsets = copy_block(call, from->string_offsets, (rows + 1) * sizeof(int32_t));
  return copy;
}

static adl_status evaluate(const adl_call *call, const adl_expression *expression, const adl_column *const *columns,
                           int64_t rows, const adl_column **result) {
  const adl_expr *expr = (const adl_expr *)expression;
  int32_t count = adl_expr_input_count(expr);
  const adl_column **inputs = call->host->alloc(call, sizeof *inputs * (size_t)(count + 1));
  for (int32_t i = 0; i < count; i++) inputs[i] = columns[adl_expr_input(expr, i)];
  *result = NULL;
  if (adl_expr_column(expr) >= 0) {
    *result = inputs[0];
    return ADL_OK;
  }
  const char *why = NULL;
  adl_array *array = adl_expr_evaluate(expr, inputs, rows, call->host->now(call), &why);
  if (array == NULL) return call->host->fail(call, NULL, -1, NULL, "%s", why);
  *result = scratch_column(call, &array->view);
  adl_array_unref(array);
  return ADL_OK;
}

static void release(adl_expression *expression) { adl_expr_free((adl_expr *)expression); }

const struct adl_expression_extension adl_expr_extension = {
    .struct_size = sizeof(adl_expression_extension),
    .compile = compile,
    .type = type,
    .evaluate = evaluate,
    .free = release,
};
