/* Building an expression: nodes appended one behind the other, constants folded as they come, and in the end the program
 * with its registers. Called by parse.c and functions.c. */
#include <string.h>

#include "core/expr/internal.h"

void adl_expr_builder_begin(adl_expr_builder *builder, const adl_expr_scope *scope, int32_t *problem_count) {
  builder->scope = scope;
  builder->problem_count = problem_count;
  builder->nodes = g_array_new(FALSE, TRUE, sizeof(adl_expr_node));
  builder->args = g_array_new(FALSE, FALSE, sizeof(int32_t));
  builder->inputs = g_array_new(FALSE, FALSE, sizeof(adl_expr_source));
  builder->strings = g_string_chunk_new(256);
  builder->payloads = g_ptr_array_new_with_free_func(g_free);
}

void adl_expr_builder_clear(adl_expr_builder *builder) {
  g_array_free(builder->nodes, TRUE);
  g_array_free(builder->args, TRUE);
  g_array_free(builder->inputs, TRUE);
  if (builder->strings != NULL) g_string_chunk_free(builder->strings);
  if (builder->payloads != NULL) g_ptr_array_free(builder->payloads, TRUE);
  memset(builder, 0, sizeof *builder);
}

/* ------------------------------------------------------------------------------------------------------ nodes ---- */

static int32_t append(adl_expr_builder *builder, adl_expr_span span, adl_expr_kind kind) {
  adl_expr_node node = {.kind = (uint8_t)kind, .input = -1, .offset = span.offset, .length = span.length, .reg = -1};
  g_array_append_val(builder->nodes, node);
  return (int32_t)builder->nodes->len - 1;
}

int32_t adl_expr_constant_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_kind kind,
                               adl_expr_value value) {
  int32_t number = append(builder, span, kind);
  adl_expr_node *node = adl_expr_node_at(builder, number);
  node->constant = true;
  if (value.valid && adl_expr_kind_width(kind) == 16) {
    value.t.data = g_string_chunk_insert_len(builder->strings, value.t.data, value.t.size);
  }
  node->value = value;
  return number;
}

static adl_expr_kind kind_of_type(adl_type type) {
  if (type.shape != ADL_SCALAR) return ADL_EXPR_OPAQUE;
  switch (type.element) {
    case ADL_BOOL: return ADL_EXPR_BOOL;
    case ADL_INT32:
    case ADL_INT64:
    case ADL_UINT32: return ADL_EXPR_INT;
    case ADL_FLOAT32:
    case ADL_FLOAT64: return ADL_EXPR_FLOAT;
    case ADL_TIMESTAMP: return ADL_EXPR_TIME;
    case ADL_STRING: return ADL_EXPR_STRING;
    default: return ADL_EXPR_BYTES;
  }
}

static int32_t unknown_column(adl_expr_builder *builder, adl_expr_span span, const char *name) {
  GPtrArray *names = g_ptr_array_new();
  const adl_expr_scope *scope = builder->scope;
  const char *candidate;
  while (scope->name != NULL && (candidate = scope->name(scope->data, (int32_t)names->len)) != NULL) {
    g_ptr_array_add(names, (gpointer)(uintptr_t)candidate);
  }
  char *cut = adl_expr_cut(name);
  char *hint = adl_expr_did_you_mean(name, (const char *const *)names->pdata, names->len);
  if (hint == NULL) hint = g_strdup_printf("a string stands in quotes: '%s'", cut);
  int32_t node = adl_expr_bad(builder, span, hint, "no column is called `%s`", cut);
  g_free(hint);
  g_free(cut);
  g_ptr_array_free(names, TRUE);
  return node;
}

int32_t adl_expr_column_node(adl_expr_builder *builder, adl_expr_span span, const char *name) {
  adl_expr_source source = {0};
  source.number = builder->scope->find(builder->scope->data, name, &source.type);
  if (source.number < 0) return unknown_column(builder, span, name);
  int32_t input = 0;
  while (input < (int32_t)builder->inputs->len &&
         g_array_index(builder->inputs, adl_expr_source, input).number != source.number) {
    input++;
  }
  if (input == (int32_t)builder->inputs->len) g_array_append_val(builder->inputs, source);
  int32_t number = append(builder, span, kind_of_type(source.type));
  adl_expr_node *node = adl_expr_node_at(builder, number);
  node->input = input;
  node->category = node->kind == ADL_EXPR_INT && source.type.role == ADL_CATEGORY;
  return number;
}

int32_t adl_expr_kernel_node(adl_expr_builder *builder, adl_expr_span span, adl_expr_kind kind, bool category,
                             adl_expr_kernel kernel, const void *payload, const int32_t *args, int32_t count,
                             bool fold) {
  int32_t number = append(builder, span, kind), first = (int32_t)builder->args->len;
  for (int32_t i = 0; i < count; i++) {
    const adl_expr_node *arg = adl_expr_node_at(builder, args[i]);
    if (arg->kind == ADL_EXPR_BAD) {
      adl_expr_node_at(builder, number)->kind = ADL_EXPR_BAD;
      adl_expr_node_at(builder, number)->constant = true;
      return number;
    }
    fold = fold && arg->constant;
  }
  if (count > 0) g_array_append_vals(builder->args, args, (guint)count);
  adl_expr_node *node = adl_expr_node_at(builder, number);
  node->category = category;
  node->kernel = kernel;
  node->payload = payload;
  node->first_arg = first;
  node->arg_count = count;
  if (fold) adl_expr_fold(builder, number);
  return number;
}

/* ------------------------------------------------------------------------------------------------ the program ---- */

/* Registers: every constant has one of its own, filled before the first chunk; a node's register is free again behind
 * the last node that reads it. */
typedef struct allocator {
  GArray *width;     /* of each register */
  GArray *free_list; /* int32_t, in order of becoming free */
} allocator;

static int32_t take(allocator *registers, int32_t width, bool fresh) {
  for (guint i = fresh ? 0 : registers->free_list->len; i-- > 0;) {
    int32_t reg = g_array_index(registers->free_list, int32_t, i);
    if (g_array_index(registers->width, uint8_t, reg) != width) continue;
    g_array_remove_index(registers->free_list, i);
    return reg;
  }
  uint8_t byte = (uint8_t)width;
  g_array_append_val(registers->width, byte);
  return (int32_t)registers->width->len - 1;
}

/* A column that is read in several places is loaded in the first of them. */
static void share_loads(adl_expr *expr) {
  int32_t *first = g_new(int32_t, expr->input_count + 1);
  for (int32_t i = expr->root; i >= 0; i--) {
    if (expr->nodes[i].input >= 0) first[expr->nodes[i].input] = i;
  }
  for (int32_t i = 0; i <= expr->root; i++) {
    if (expr->nodes[i].kernel == NULL) continue;
    for (int32_t arg = 0; arg < expr->nodes[i].arg_count; arg++) {
      int32_t *of = &expr->args[expr->nodes[i].first_arg + arg];
      if (expr->nodes[*of].input >= 0) *of = first[expr->nodes[*of].input];
    }
  }
  g_free(first);
}

/* Marks what the root needs, backwards, and notes for each node which one reads it last. */
static int32_t *last_uses(const adl_expr *expr) {
  int32_t *last = g_new(int32_t, expr->node_count);
  for (int32_t i = 0; i < expr->node_count; i++) last[i] = -1;
  last[expr->root] = expr->node_count;
  for (int32_t i = expr->root; i >= 0; i--) {
    const adl_expr_node *node = &expr->nodes[i];
    if (last[i] < 0 || node->kernel == NULL) continue;
    for (int32_t arg = 0; arg < node->arg_count; arg++) {
      int32_t of = expr->args[node->first_arg + arg];
      if (last[of] < i) last[of] = i;
    }
  }
  return last;
}

static bool assign_registers(adl_expr *expr) {
  int32_t *last = last_uses(expr);
  allocator registers = {g_array_new(FALSE, FALSE, 1), g_array_new(FALSE, FALSE, sizeof(int32_t))};
  for (int32_t i = 0; i <= expr->root && registers.width->len <= ADL_EXPR_MAX_REGISTERS; i++) {
    adl_expr_node *node = &expr->nodes[i];
    if (last[i] < 0) continue;
    node->reg = take(&registers, adl_expr_kind_width((adl_expr_kind)node->kind), node->constant);
    if (node->kernel == NULL) continue;
    for (int32_t arg = 0; arg < node->arg_count; arg++) {
      int32_t of = expr->args[node->first_arg + arg];
      if (last[of] != i || expr->nodes[of].constant) continue;
      last[of] = -2; /* once, if the same node is two arguments */
      g_array_append_val(registers.free_list, expr->nodes[of].reg);
    }
  }
  expr->register_count = (int32_t)registers.width->len;
  expr->register_width = (uint8_t *)g_array_free(registers.width, FALSE);
  g_array_free(registers.free_list, TRUE);
  g_free(last);
  return expr->register_count <= ADL_EXPR_MAX_REGISTERS;
}

static adl_type result_type(const adl_expr *expr, const adl_expr_node *root) {
  if (root->input >= 0) return expr->inputs[root->input].type;
  switch (root->kind) {
    case ADL_EXPR_BOOL: return adl_type_scalar(ADL_BOOL, ADL_NUMBER);
    case ADL_EXPR_INT: return adl_type_scalar(ADL_INT64, root->category ? ADL_CATEGORY : ADL_NUMBER);
    case ADL_EXPR_FLOAT: return adl_type_scalar(ADL_FLOAT64, ADL_NUMBER);
    case ADL_EXPR_TIME: return adl_type_scalar(ADL_TIMESTAMP, ADL_NUMBER);
    case ADL_EXPR_STRING: return adl_type_scalar(ADL_STRING, ADL_CATEGORY);
    default: return adl_type_scalar(ADL_BYTES, ADL_CATEGORY);
  }
}

/* Columns that only folded-away or unused nodes would read cannot be: a node that reads a column is never folded, and
 * every node is used by its parent. So all inputs are kept. */
adl_expr *adl_expr_finish(adl_expr_builder *builder, int32_t root) {
  const adl_expr_node *node = root < 0 ? NULL : adl_expr_node_at(builder, root);
  if (node != NULL && node->kind == ADL_EXPR_NULL) {
    adl_expr_bad(builder, adl_expr_span_of(builder, root), NULL, "null alone has no type");
  }
  if (node == NULL || *builder->problem_count > 0) {
    adl_expr_builder_clear(builder);
    return NULL;
  }
  adl_expr *expr = g_new0(adl_expr, 1);
  expr->root = root;
  expr->node_count = (int32_t)builder->nodes->len;
  expr->input_count = (int32_t)builder->inputs->len;
  expr->nodes = (adl_expr_node *)g_array_free(builder->nodes, FALSE);
  expr->args = (int32_t *)g_array_free(builder->args, FALSE);
  expr->inputs = (adl_expr_source *)g_array_free(builder->inputs, FALSE);
  expr->strings = builder->strings;
  expr->payloads = builder->payloads;
  expr->type = result_type(expr, &expr->nodes[root]);
  share_loads(expr);
  if (!assign_registers(expr)) {
    adl_expr_span span = {expr->nodes[root].offset, expr->nodes[root].length};
    adl_expr_report(builder->scope, builder->problem_count, span, "compute parts of it in a stage of their own",
                    "too large an expression: more than %d constants and intermediate results", ADL_EXPR_MAX_REGISTERS);
    adl_expr_free(expr);
    expr = NULL;
  }
  memset(builder, 0, sizeof *builder);
  return expr;
}

void adl_expr_free(adl_expr *expr) {
  if (expr == NULL) return;
  g_free(expr->nodes);
  g_free(expr->args);
  g_free(expr->inputs);
  g_free(expr->register_width);
  g_string_chunk_free(expr->strings);
  g_ptr_array_free(expr->payloads, TRUE);
  g_free(expr);
}

adl_type adl_expr_type(const adl_expr *expr) { return expr->type; }
int32_t adl_expr_input_count(const adl_expr *expr) { return expr->input_count; }
int32_t adl_expr_input(const adl_expr *expr, int32_t at) { return expr->inputs[at].number; }
bool adl_expr_constant(const adl_expr *expr) { return expr->input_count == 0; }

bool adl_expr_repeatable(const adl_expr *expr) {
  for (int32_t i = 0; i < expr->node_count; i++)
    if (expr->nodes[i].kernel == adl_expr_now) return false;
  return true;
}

int32_t adl_expr_column(const adl_expr *expr) {
  const adl_expr_node *root = &expr->nodes[expr->root];
  return root->input < 0 ? -1 : expr->inputs[root->input].number;
}
