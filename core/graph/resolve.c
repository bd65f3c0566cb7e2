/* Slots: the columns, matrices, expressions and calls that a stage's parameters name, found in the schema of its input,
 * checked against what the parameter takes. */
#include <string.h>

#include "core/base/text.h"
#include "core/graph/load.h"

typedef struct resolver {
  adl_graph *graph;
  adl_stage *stage;
  const adl_schema *schema;
  const adl_param *param;
} resolver;

adl_slot *adl_stage_add_slot(adl_graph *graph, adl_stage *stage, adl_slot_kind kind, const char *parameter,
                             uint32_t flags, adl_type type) {
  adl_slot *slot = ADL_REGION_NEW(graph->region, adl_slot, 1);
  slot->kind = kind;
  slot->side = -1;
  slot->flags = flags;
  slot->parameter = adl_region_text(graph->region, parameter);
  slot->type = type;
  slot->inputs = g_ptr_array_new();
  g_ptr_array_add(stage->slots, slot);
  return slot;
}

void adl_slot_tell(adl_stage *stage, adl_slot *slot, adl_input *input, const char *name) {
  guint number = 0;
  g_ptr_array_find(stage->slots, slot, &number);
  *input = (adl_input){.name = name, .type = slot->type, .slot = (int32_t)number};
  g_ptr_array_add(slot->inputs, input);
}

static void *field_of(const resolver *r) { return (char *)r->stage->self + r->param->offset; }

static void fail(const resolver *r, const char *path, const char *hint, const char *format, ...) G_GNUC_PRINTF(4, 5);
static void fail(const resolver *r, const char *path, const char *hint, const char *format, ...) {
  va_list list;
  va_start(list, format);
  adl_args_error_va(r->stage->args, r->graph->problems, path, -1, hint, format, list);
  va_end(list);
  r->stage->broken = true;
}

static const char **schema_names(const adl_schema *schema) {
  const char **names = g_new0(const char *, (gsize)schema->count + 1);
  for (int32_t i = 0; i < schema->count; i++) names[i] = schema->columns[i].name;
  return names;
}

/* -1: there is none, reported. */
static int32_t find_column(const resolver *r, const char *name, const char *path) {
  int32_t column = adl_schema_find(r->schema, name);
  if (column >= 0) return column;
  const char **names = schema_names(r->schema);
  GString *text = g_string_new(NULL);
  adl_text_suggest(text, name, names, (size_t)r->schema->count);
  if (text->len == 0) {
    g_string_append(text, "; there are ");
    adl_text_list(text, names, (size_t)MIN(r->schema->count, 30), "and");
  }
  fail(r, path, NULL, "no column is called `%s`%s", name, text->str);
  g_string_free(text, TRUE);
  g_free(names);
  return -1;
}

/* ---- types ---- */

static void wanted_text(const adl_param *param, uint32_t shapes, GString *text) {
  static const char *const shape_names[] = {"a plain value", "a list", "a vector", "a sparse vector", "a bag"};
  const char *names[5];
  size_t count = 0;
  for (int i = 0; i < 5; i++)
    if ((shapes & ADL_MASK(i)) != 0)
      names[count++] = i == ADL_SCALAR && param->type == ADL_PARAM_MATRIX ? "a number" : shape_names[i];
  adl_text_list(text, names, count, "or");
  if (param->roles == ADL_MASK(ADL_CATEGORY)) g_string_append(text, " that is a category");
  if (param->roles == ADL_MASK(ADL_NUMBER)) g_string_append(text, " that is a number");
  uint32_t elements = param->elements;
  if (elements == 0 || elements == ADL_ANY_ELEMENT) return;
  static const char *const element_names[] = {"bool",    "int32",     "int64",  "uint32", "float32",
                                              "float64", "timestamp", "string", "bytes"};
  const char *each[9];
  count = 0;
  for (int i = 0; i < 9; i++)
    if ((elements & ADL_MASK(i)) != 0) each[count++] = element_names[i];
  g_string_append(text, " of ");
  adl_text_list(text, each, count, "or");
}

/* Which class turns what there is into what is wanted. */
static const char *converter(adl_type have, uint32_t shapes, uint32_t elements) {
  bool wants_number = elements != 0 && (elements & ADL_MASK(ADL_STRING)) == 0;
  if (have.shape == ADL_SPARSE && (shapes & ADL_MASK(ADL_VECTOR)) != 0)
    return "onehot with `dense: true` makes a vector";
  if (have.shape == ADL_BAG || have.shape == ADL_LIST)
    return "onehot, hash and tfidf turn lists and bags into sparse vectors";
  if (have.role == ADL_CATEGORY && (shapes & (ADL_MASK(ADL_VECTOR) | ADL_MASK(ADL_SPARSE))) != 0)
    return "onehot and hash turn categories into sparse vectors";
  if (have.element == ADL_STRING && wants_number)
    return "declare it as int or float where it is read (columns: of read-csv), or derive it with number(...)";
  if (elements == ADL_MASK(ADL_STRING) && have.shape == ADL_SCALAR) return "derive a string from it: string(...)";
  if (have.element == ADL_TIMESTAMP) return "derive a number from it: days_between(...), hour(...), weekday(...)";
  return NULL;
}

static void report_type(const resolver *r, const char *path, const adl_schema_column *column, uint32_t shapes) {
  char have[96];
  GString *wanted = g_string_new(NULL);
  wanted_text(r->param, shapes, wanted);
  adl_type_name(column->field->type, have, sizeof have);
  adl_problem *problem = adl_args_error(
      r->stage->args, r->graph->problems, path, -1, converter(column->field->type, shapes, r->param->elements),
      "column `%s` is %s; %s takes %s", column->name, have, r->stage->class->id, wanted->str);
  const adl_stage *producer = column->field->producer;
  if (producer != NULL)
    adl_problem_note(problem, producer->place, "`%s` comes from the stage `%s`", column->name, producer->name);
  g_string_free(wanted, TRUE);
  r->stage->broken = true;
}

static bool accepts(const adl_param *param, adl_type type, uint32_t shapes) {
  return (shapes & ADL_MASK(type.shape)) != 0 &&
         (param->elements == 0 || (param->elements & ADL_MASK(type.element)) != 0) &&
         (param->roles == 0 || (param->roles & ADL_MASK(type.role)) != 0);
}

static bool plain_number(adl_type type) {
  return type.shape == ADL_SCALAR && type.role == ADL_NUMBER && type.element <= ADL_FLOAT64;
}

/* ---- COLUMN ---- */

static bool resolve_column(const resolver *r, const char *name, const char *path, adl_input *input) {
  int32_t column = find_column(r, name, path);
  if (column < 0) return false;
  uint32_t shapes = r->param->shapes != 0 ? r->param->shapes : ADL_MASK(ADL_SCALAR);
  const adl_schema_column *at = &r->schema->columns[column];
  if (!accepts(r->param, at->field->type, shapes)) {
    report_type(r, path, at, shapes);
    return false;
  }
  adl_slot *slot = adl_stage_add_slot(r->graph, r->stage, ADL_SLOT_COLUMN, path, r->param->flags, at->field->type);
  slot->columns = adl_region_copy(r->graph->region, &column, sizeof column);
  slot->column_count = 1;
  adl_slot_tell(r->stage, slot, input, at->name);
  return true;
}

static char *item_path(const resolver *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
static char *item_path(const resolver *r, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *tail = g_strdup_vprintf(format, list);
  va_end(list);
  char *path = adl_region_printf(r->graph->region, "%s%s", r->param->name, tail);
  g_free(tail);
  return path;
}

static bool is_star(const adl_node *node) { return node->kind == ADL_NODE_SCALAR && strcmp(node->text, "*") == 0; }

static adl_inputs resolve_list(const resolver *r, const adl_node *node, const char *prefix) {
  int count = is_star(node) ? r->schema->count : node->kind == ADL_NODE_SEQUENCE ? node->count : 1;
  adl_input *items = ADL_REGION_NEW(r->graph->region, adl_input, count + 1);
  for (int i = 0; i < count; i++) {
    items[i].slot = -1;
    if (is_star(node)) {
      resolve_column(r, r->schema->columns[i].name, r->param->name, &items[i]);
    } else if (node->kind == ADL_NODE_SEQUENCE) {
      resolve_column(r, node->items[i]->text, item_path(r, "%s[%d]", prefix, i), &items[i]);
    } else {
      resolve_column(r, node->text, item_path(r, "%s", prefix), &items[i]);
    }
  }
  return (adl_inputs){count, items};
}

static void resolve_columns(const resolver *r, const adl_node *node) {
  if ((r->param->flags & ADL_LISTS_OF) != 0) {
    adl_inputs *lists = ADL_REGION_NEW(r->graph->region, adl_inputs, node->count + 1);
    for (int i = 0; i < node->count; i++) {
      char prefix[32];
      g_snprintf(prefix, sizeof prefix, "[%d]", i);
      lists[i] = resolve_list(r, node->items[i], prefix);
    }
    *(adl_input_lists *)field_of(r) = (adl_input_lists){node->count, lists};
  } else if ((r->param->flags & ADL_LIST_OF) != 0) {
    *(adl_inputs *)field_of(r) = resolve_list(r, node, "");
  } else {
    resolve_column(r, node->text, r->param->name, field_of(r));
  }
}

/* ---- MATRIX ---- */

static void resolve_matrix(const resolver *r, const adl_node *node) {
  bool star = is_star(node);
  int count = star ? r->schema->count : node->kind == ADL_NODE_SEQUENCE ? node->count : 1;
  uint32_t shapes = r->param->shapes != 0 ? r->param->shapes : ADL_MASK(ADL_VECTOR) | ADL_MASK(ADL_SPARSE);
  uint32_t parts = shapes | ADL_MASK(ADL_VECTOR); /* a vector can always be made sparse */
  int32_t *columns = ADL_REGION_NEW(r->graph->region, int32_t, count + 1);
  bool sparse = (shapes & ADL_MASK(ADL_VECTOR)) == 0, ok = true;
  if (count == 0) {
    fail(r, r->param->name, NULL, "names no column");
    return;
  }
  for (int i = 0; i < count; i++) {
    bool sequence = node->kind == ADL_NODE_SEQUENCE;
    const char *name = star ? r->schema->columns[i].name : sequence ? node->items[i]->text : node->text;
    char *path = sequence ? item_path(r, "[%d]", i) : item_path(r, "%s", "");
    columns[i] = find_column(r, name, path);
    if (columns[i] < 0) {
      ok = false;
      continue;
    }
    const adl_schema_column *at = &r->schema->columns[columns[i]];
    bool block = at->field->type.shape == ADL_VECTOR || at->field->type.shape == ADL_SPARSE;
    if (!plain_number(at->field->type) && !(block && (parts & ADL_MASK(at->field->type.shape)) != 0)) {
      report_type(r, path, at, parts | ADL_MASK(ADL_SCALAR));
      ok = false;
    }
    sparse = sparse || at->field->type.shape == ADL_SPARSE;
  }
  if (!ok) return;
  adl_type type = {.element = ADL_FLOAT32, .shape = sparse ? ADL_SPARSE : ADL_VECTOR, .role = ADL_NUMBER};
  adl_slot *slot = adl_stage_add_slot(r->graph, r->stage, ADL_SLOT_MATRIX, r->param->name, r->param->flags, type);
  slot->columns = columns;
  slot->column_count = count;
  adl_slot_tell(r->stage, slot, field_of(r), r->param->name);
}

/* ---- EXPRESSION and CALL ---- */

typedef struct scope_data {
  adl_graph *graph;
  adl_stage *stage;
  const adl_schema *schema;
  const char *path;
} scope_data;

static int32_t scope_find(void *data, const char *name, adl_type *type) {
  const adl_schema *schema = ((scope_data *)data)->schema;
  int32_t column = adl_schema_find(schema, name);
  if (column >= 0) *type = schema->columns[column].field->type;
  return column;
}

static const char *scope_name(void *data, int32_t at) {
  const adl_schema *schema = ((scope_data *)data)->schema;
  return at < schema->count ? schema->columns[at].name : NULL;
}

static void scope_problem(void *data, const adl_expr_problem *problem) {
  scope_data *scope = data;
  scope->stage->broken = true;
  if (scope->stage->role == ADL_STAGE_CLASS) {
    adl_args_error(scope->stage->args, scope->graph->problems, scope->path, problem->offset, problem->hint, "%s",
                   problem->message);
    return;
  }
  const adl_node *node = adl_node_get(adl_node_get(scope->stage->node, "holdout"), "where");
  adl_problem *said = adl_problems_error(scope->graph->problems, adl_node_place(node, problem->offset),
                                         "%s.holdout.where: %s", scope->stage->name, problem->message);
  if (problem->hint != NULL) adl_problem_hint(said, "%s", problem->hint);
}

adl_expr *adl_stage_compile(adl_graph *graph, adl_stage *stage, const adl_schema *schema, const char *text,
                            const char *path) {
  scope_data data = {graph, stage, schema, path};
  adl_expr_scope scope = {scope_find, scope_name, scope_problem, &data};
  return adl_expr_compile(text, &scope);
}

/* Puts a compiled expression into a slot; takes it over. */
static bool slot_of_expression(const resolver *r, adl_expr *expr, const char *path, const char *name,
                               adl_input *input) {
  if (expr == NULL) return false;
  adl_type type = adl_expr_type(expr);
  uint32_t shapes = r->param->shapes != 0                                               ? r->param->shapes
                    : r->param->type == ADL_PARAM_EXPRESSION && r->param->elements == 0 ? ADL_ANY_SHAPE
                                                                                        : ADL_MASK(ADL_SCALAR);
  if (!accepts(r->param, type, shapes)) {
    char have[96];
    GString *wanted = g_string_new(NULL);
    wanted_text(r->param, shapes, wanted);
    adl_type_name(type, have, sizeof have);
    fail(r, path, converter(type, shapes, r->param->elements), "the expression is %s; %s takes %s", have,
         r->stage->class->id, wanted->str);
    g_string_free(wanted, TRUE);
    adl_expr_free(expr);
    return false;
  }
  bool shared = adl_expr_column(expr) >= 0;
  adl_slot *slot = adl_stage_add_slot(r->graph, r->stage, shared ? ADL_SLOT_COLUMN : ADL_SLOT_EXPRESSION, path,
                                      r->param->flags, type);
  slot->expr = expr;
  slot->column_count = adl_expr_input_count(expr);
  slot->columns = ADL_REGION_NEW(r->graph->region, int32_t, slot->column_count + 1);
  for (int32_t i = 0; i < slot->column_count; i++) slot->columns[i] = adl_expr_input(expr, i);
  adl_slot_tell(r->stage, slot, input, name);
  return true;
}

static void resolve_expressions(const resolver *r, const adl_node *node) {
  if (node->kind != ADL_NODE_MAPPING) {
    adl_expr *expr = adl_stage_compile(r->graph, r->stage, r->schema, node->text, r->param->name);
    slot_of_expression(r, expr, r->param->name, r->param->name, field_of(r));
    return;
  }
  adl_input *items = ADL_REGION_NEW(r->graph->region, adl_input, node->count + 1);
  for (int i = 0; i < node->count; i++) {
    const char *path = item_path(r, ".%s", node->pairs[i].key);
    items[i] = (adl_input){.name = node->pairs[i].key, .slot = -1};
    adl_expr *expr = adl_stage_compile(r->graph, r->stage, r->schema, node->pairs[i].value->text, path);
    slot_of_expression(r, expr, path, node->pairs[i].key, &items[i]);
  }
  *(adl_inputs *)field_of(r) = (adl_inputs){node->count, items};
}

static void resolve_calls(const resolver *r, const adl_node *node) {
  adl_call_of *items = ADL_REGION_NEW(r->graph->region, adl_call_of, node->count + 1);
  for (int i = 0; i < node->count; i++) {
    const char *path = item_path(r, ".%s", node->pairs[i].key);
    scope_data data = {r->graph, r->stage, r->schema, path};
    adl_expr_scope scope = {scope_find, scope_name, scope_problem, &data};
    adl_expr_call call;
    items[i].name = node->pairs[i].key;
    if (!adl_expr_compile_call(node->pairs[i].value->text, r->param->choices, &scope, &call)) continue;
    items[i].function = call.function;
    items[i].argument_count = call.argument_count;
    adl_input *arguments = ADL_REGION_NEW(r->graph->region, adl_input, call.argument_count + 1);
    items[i].arguments = arguments;
    for (int32_t a = 0; a < call.argument_count; a++) {
      slot_of_expression(r, call.arguments[a], path, node->pairs[i].key, &arguments[a]);
      call.arguments[a] = NULL;
    }
  }
  *(adl_calls *)field_of(r) = (adl_calls){node->count, items};
}

/* What is learn-only may be missing where nothing is learned, and is not looked at there. */
static bool skipped(const adl_stage *stage, const adl_param *param) {
  bool learns = stage->learn == ADL_LEARN_FIT || stage->learn == ADL_LEARN_ONLINE;
  return (param->flags & ADL_LEARN_ONLY) != 0 && !learns;
}

void adl_stage_resolve(adl_graph *graph, adl_stage *stage, const adl_schema *input) {
  static const adl_schema nothing = {0};
  for (int i = 0; i < stage->args->count; i++) {
    const adl_arg *arg = &stage->args->items[i];
    resolver r = {graph, stage, input != NULL ? input : &nothing, arg->param};
    if (arg->node == NULL || !arg->valid || arg->node->null || skipped(stage, arg->param)) continue;
    switch (arg->param->type) {
      case ADL_PARAM_COLUMN: resolve_columns(&r, arg->node); break;
      case ADL_PARAM_MATRIX: resolve_matrix(&r, arg->node); break;
      case ADL_PARAM_EXPRESSION: resolve_expressions(&r, arg->node); break;
      case ADL_PARAM_CALL: resolve_calls(&r, arg->node); break;
      default: break;
    }
  }
}
