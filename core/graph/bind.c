/* One stage, when everything before it is bound: resolve its names, call the class's create and bind, and make the schema
 * of the rows that leave. Also widths, once they are known, and which columns anybody needs. */
#include <string.h>

#include "core/graph/call.h"
#include "core/graph/load.h"

/* ---- schema ---- */

static bool is_hidden(const adl_stage *stage, const char *name) {
  for (guint i = 0; i < stage->hidden->len; i++)
    if (strcmp(stage->hidden->pdata[i], name) == 0) return true;
  return false;
}

static void report_clash(adl_graph *graph, adl_stage *stage, const adl_pending *pending,
                         const adl_schema_column *other) {
  adl_problem *problem = adl_args_error(stage->args, graph->problems, pending->parameter, -1, "choose another name",
                                        "there is a column `%s` already", pending->name);
  if (other->field->producer != NULL && other->field->producer != stage)
    adl_problem_note(problem, other->field->producer->place, "it comes from the stage `%s`",
                     other->field->producer->name);
  stage->broken = true;
}

static void make_schema(adl_graph *graph, adl_stage *stage, const adl_schema *input) {
  bool keeps = stage->class->form != ADL_NEW && input != NULL;
  int32_t most = (keeps ? input->count : 0) + (int32_t)stage->pending->len;
  stage->schema.columns = ADL_REGION_NEW(graph->region, adl_schema_column, most + 1);
  stage->leaving = ADL_REGION_NEW(graph->region, adl_leaving, most + 1);
  int32_t count = 0;
  for (int32_t i = 0; keeps && i < input->count; i++) {
    if (is_hidden(stage, input->columns[i].name)) continue;
    stage->schema.columns[count] = input->columns[i];
    stage->leaving[count++] = (adl_leaving){.kind = ADL_FROM_INPUT, .number = i};
  }
  for (guint i = 0; i < stage->pending->len; i++) {
    const adl_pending *pending = stage->pending->pdata[i];
    stage->schema.count = count;
    int32_t other = adl_schema_find(&stage->schema, pending->name);
    if (other >= 0) {
      report_clash(graph, stage, pending, &stage->schema.columns[other]);
      continue;
    }
    stage->schema.columns[count] = (adl_schema_column){pending->name, pending->field};
    stage->leaving[count++] = (adl_leaving){.kind = pending->kind, .number = pending->number, .side = pending->side};
  }
  stage->schema.count = count;
  stage->needed = ADL_REGION_NEW(graph->region, bool, count + 1);
  stage->rows_leave = stage->class->write == NULL && !(stage->class->form == ADL_NEW && count == 0);
}

static void share_schema(adl_graph *graph, adl_stage *stage, const adl_schema *input) {
  stage->schema = *input;
  stage->leaving = ADL_REGION_NEW(graph->region, adl_leaving, input->count + 1);
  for (int32_t i = 0; i < input->count; i++) stage->leaving[i] = (adl_leaving){.kind = ADL_FROM_INPUT, .number = i};
  stage->needed = ADL_REGION_NEW(graph->region, bool, input->count + 1);
}

/* ---- from: [a, b] ---- */

static void report_concat(adl_graph *graph, adl_stage *stage, const adl_stage *other, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static void report_concat(adl_graph *graph, adl_stage *stage, const adl_stage *other, const char *format, ...) {
  const adl_node *from = adl_node_get(stage->node, "from");
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  adl_problem *problem =
      adl_problems_error(graph->problems, from != NULL ? from->place : stage->place, "%s.from: %s", stage->name, text);
  adl_problem_note(problem, other->place, "the stage `%s`", other->name);
  adl_problem_hint(problem, "give both the same columns with select or derive");
  g_free(text);
  stage->broken = true;
}

/* Columns are matched by name and must have equal types; the first input gives their order. */
static void bind_concat(adl_graph *graph, adl_stage *stage) {
  adl_stage *first = stage->from->pdata[0];
  share_schema(graph, stage, &first->schema);
  stage->schema.columns = ADL_REGION_NEW(graph->region, adl_schema_column, first->schema.count + 1);
  for (int32_t i = 0; i < first->schema.count; i++) {
    adl_field *field = ADL_REGION_NEW(graph->region, adl_field, 1);
    field->type = first->schema.columns[i].field->type;
    field->producer = stage;
    stage->schema.columns[i] = (adl_schema_column){first->schema.columns[i].name, field};
  }
  for (guint k = 1; k < stage->from->len; k++) {
    adl_stage *other = stage->from->pdata[k];
    if (other->broken) continue;
    for (int32_t i = 0; i < first->schema.count; i++) {
      const char *name = first->schema.columns[i].name;
      int32_t column = adl_schema_find(&other->schema, name);
      char a[96], b[96];
      if (column < 0)
        report_concat(graph, stage, other, "`%s` has a column `%s` that `%s` lacks", first->name, name, other->name);
      else if (!adl_type_equal(first->schema.columns[i].field->type, other->schema.columns[column].field->type))
        report_concat(graph, stage, other, "the column `%s` is %s in `%s` and %s in `%s`", name,
                      adl_type_name(first->schema.columns[i].field->type, a, sizeof a), first->name,
                      adl_type_name(other->schema.columns[column].field->type, b, sizeof b), other->name);
    }
    if (other->schema.count > first->schema.count)
      report_concat(graph, stage, other, "`%s` has %d columns, `%s` only %d", other->name, other->schema.count,
                    first->name, first->schema.count);
  }
}

/* ---- classes ---- */

static void call_class(adl_graph *graph, adl_stage *stage) {
  adl_context context;
  adl_context_init(&context, graph, NULL, 0);
  adl_status status = stage->class->create(adl_context_enter(&context, stage, "create"), stage->self);
  bool ok = adl_context_check(&context, status);
  adl_context_leave(&context);
  if (ok) {
    status = stage->class->bind(adl_context_enter(&context, stage, "bind"), stage->self);
    ok = adl_context_check(&context, status);
    adl_context_leave(&context);
  }
  if (ok && (stage->class->flags & ADL_WHOLE_TABLE) != 0 && stage->pending->len > 0) {
    adl_problems_error(graph->problems, stage->place,
                       "%s: %s says WHOLE_TABLE, so it can pick rows but not add columns (%s)", stage->name,
                       stage->class->id, stage->loaded->path);
    ok = false;
  }
  if (!ok) stage->broken = true;
  adl_context_clear(&context);
}

static bool broken_before(const adl_stage *stage) {
  const GPtrArray *lists[] = {stage->from, stage->sides};
  for (int l = 0; l < 2; l++)
    for (guint i = 0; i < lists[l]->len; i++)
      if (((adl_stage *)lists[l]->pdata[i])->broken) return true;
  return false;
}

void adl_stage_bind(adl_graph *graph, adl_stage *stage) {
  if (stage->broken || broken_before(stage)) {
    stage->broken = true;
    return;
  }
  const adl_schema *input = adl_stage_input(stage);
  if (stage->role == ADL_STAGE_CONCAT) {
    bind_concat(graph, stage);
  } else if (stage->role == ADL_STAGE_HOLDOUT) {
    share_schema(graph, stage, input);
    adl_holdout_bind(graph, stage);
  } else {
    adl_stage_resolve(graph, stage, input);
    if (!stage->broken) call_class(graph, stage);
    if (!stage->broken) make_schema(graph, stage, input);
  }
}

/* ---- widths ---- */

static int64_t width_of(const adl_field *field) {
  bool block = field->type.shape == ADL_VECTOR || field->type.shape == ADL_SPARSE;
  return block ? field->type.width : 1;
}

void adl_stage_settle_widths(adl_stage *stage) {
  for (guint i = 0; i < stage->slots->len; i++) {
    adl_slot *slot = stage->slots->pdata[i];
    const adl_schema *schema =
        slot->side < 0 ? adl_stage_input(stage) : &((adl_stage *)stage->sides->pdata[slot->side])->schema;
    if (slot->kind == ADL_SLOT_COLUMN) {
      slot->type = schema->columns[slot->columns[0]].field->type;
    } else if (slot->kind == ADL_SLOT_MATRIX) {
      slot->type.width = 0;
      for (int32_t c = 0; c < slot->column_count; c++)
        slot->type.width += width_of(schema->columns[slot->columns[c]].field);
    }
    for (guint k = 0; k < slot->inputs->len; k++) ((adl_input *)slot->inputs->pdata[k])->type = slot->type;
  }
  /* A forwarded slot leaves with the type it came with. */
  for (guint i = 0; i < stage->pending->len; i++) {
    adl_pending *pending = stage->pending->pdata[i];
    if (pending->kind == ADL_FROM_SLOT) pending->field->type = ((adl_slot *)stage->slots->pdata[pending->number])->type;
  }
  if (stage->role == ADL_STAGE_CONCAT) {
    const adl_stage *first = stage->from->pdata[0];
    for (int32_t i = 0; i < stage->schema.count; i++)
      stage->schema.columns[i].field->type = first->schema.columns[i].field->type;
  }
}

static int64_t field_dimension_name(const adl_stage *stage, const adl_schema_column *column, int64_t dimension,
                                    char *buffer, size_t size) {
  const adl_field *field = column->field;
  if (field->matrix != NULL && field->producer != stage)
    return adl_slot_dimension_name(field->producer, field->matrix, dimension, buffer, size);
  if (field->type.shape != ADL_VECTOR && field->type.shape != ADL_SPARSE)
    return g_snprintf(buffer, size, "%s", column->name);
  if (dimension >= 0 && dimension < field->name_count) {
    int64_t begin = field->name_offsets[dimension], length = field->name_offsets[dimension + 1] - begin;
    return g_snprintf(buffer, size, "%.*s", (int)length, field->name_bytes + begin);
  }
  return g_snprintf(buffer, size, "%s[%" G_GINT64_FORMAT "]", column->name, dimension);
}

int64_t adl_slot_dimension_name(const adl_stage *stage, const adl_slot *slot, int64_t dimension, char *buffer,
                                size_t size) {
  const adl_schema *schema =
      slot->side < 0 ? adl_stage_input(stage) : &((adl_stage *)stage->sides->pdata[slot->side])->schema;
  for (int32_t c = 0; schema != NULL && c < slot->column_count; c++) {
    int64_t width = width_of(schema->columns[slot->columns[c]].field);
    if (dimension < width || c == slot->column_count - 1)
      return field_dimension_name(stage, &schema->columns[slot->columns[c]], dimension, buffer, size);
    dimension -= width;
  }
  return g_snprintf(buffer, size, "%s[%" G_GINT64_FORMAT "]", slot->parameter, dimension);
}

/* ---- who needs what ---- */

static void need_slots(const adl_stage *stage) {
  for (guint i = 0; i < stage->slots->len; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    adl_stage *from = slot->side < 0 ? stage->from->pdata[0] : stage->sides->pdata[slot->side];
    for (int32_t c = 0; c < slot->column_count; c++) from->needed[slot->columns[c]] = true;
  }
  if (stage->holdout == NULL) return;
  adl_stage *from = stage->from->pdata[0];
  if (stage->holdout->by >= 0) from->needed[stage->holdout->by] = true;
  for (int32_t c = 0; stage->holdout->where != NULL && c < adl_expr_input_count(stage->holdout->where); c++)
    from->needed[stage->holdout->columns[c]] = true;
}

static void need_before(const adl_stage *stage) {
  for (int32_t i = 0; i < stage->schema.count; i++) {
    if (!stage->needed[i]) continue;
    const adl_leaving *leaving = &stage->leaving[i];
    if (leaving->kind == ADL_FROM_OUTPUT) g_array_index(stage->outputs_wanted, bool, leaving->number) = true;
    if (leaving->kind == ADL_FROM_SIDE)
      ((adl_stage *)stage->sides->pdata[leaving->side])->needed[leaving->number] = true;
    if (leaving->kind != ADL_FROM_INPUT) continue;
    if (stage->role == ADL_STAGE_CONCAT) {
      for (guint k = 0; k < stage->from->len; k++) {
        adl_stage *from = stage->from->pdata[k];
        from->needed[adl_schema_find(&from->schema, stage->schema.columns[i].name)] = true;
      }
    } else {
      ((adl_stage *)stage->from->pdata[0])->needed[leaving->number] = true;
    }
  }
}

void adl_graph_mark_needed(adl_graph *graph, const adl_stage *peek) {
  for (guint i = graph->stages->len; i > 0; i--) {
    adl_stage *stage = graph->stages->pdata[i - 1];
    if (stage->broken) continue;
    if (stage == peek) memset(stage->needed, true, (size_t)stage->schema.count);
    need_slots(stage);
    need_before(stage);
  }
}
