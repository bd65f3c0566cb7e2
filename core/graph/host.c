/* The part of the host table that needs no running engine, and the context behind each call. */
#include <stdarg.h>
#include <string.h>

#include "core/data/tensors.h"
#include "core/graph/call.h"
#include "core/graph/host.h"
#include "core/graph/load.h"

_Thread_local adl_context *volatile adl_context_current;

static adl_host table;

const adl_host *adl_host_table(void) { return &table; }

void adl_context_init(adl_context *context, adl_graph *graph, const adl_host *host, int32_t worker) {
  *context =
      (adl_context){.call = {.struct_size = sizeof(adl_call), .worker = worker, .host = host != NULL ? host : &table},
                    .graph = graph,
                    .problems = graph->problems};
  context->call.core = context;
  context->scratch_tensors = g_ptr_array_new_with_free_func((GDestroyNotify)adl_tensors_free);
}

void adl_context_clear(adl_context *context) {
  adl_arena_clear(&context->scratch);
  if (context->scratch_tensors != NULL) g_ptr_array_free(context->scratch_tensors, TRUE);
}

void adl_context_leave(adl_context *context) {
  adl_context_current = NULL;
  adl_arena_reset(&context->scratch);
  if (context->scratch_tensors->len > 0) g_ptr_array_set_size(context->scratch_tensors, 0);
}

bool adl_context_check(adl_context *context, adl_status status) {
  if (status == ADL_OK && !context->failed) return true;
  if (!context->failed)
    adl_problems_error(context->problems, context->stage->place, "%s: %s of %s %s failed without saying why (%s)",
                       context->stage->name, context->function, context->stage->class->id,
                       context->stage->loaded->plugin.version, context->stage->loaded->path);
  return false;
}

/* ---- saying things ---- */

static adl_status host_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                            const char *format, ...) {
  adl_context *context = adl_context_of(call);
  va_list list;
  va_start(list, format);
  if (context->stage->args != NULL) {
    context->problem =
        adl_args_error_va(context->stage->args, context->problems, parameter, offset, hint, format, list);
  } else {
    char *text = g_strdup_vprintf(format, list);
    context->problem =
        adl_problems_error(context->problems, context->stage->place, "%s: %s", context->stage->name, text);
    g_free(text);
  }
  va_end(list);
  context->failed = true;
  return ADL_FAILED;
}

static const char *host_stage_name(const adl_call *call) { return adl_context_of(call)->stage->given; }

/* ---- resources ---- */

static void *host_alloc(const adl_call *call, size_t size) {
  return adl_arena_alloc(&adl_context_of(call)->scratch, size);
}

/* FNV-1a over the names, then mixed: any two streams differ. */
static uint64_t host_random_key(const adl_call *call, const char *use) {
  const adl_context *context = adl_context_of(call);
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  const char *texts[] = {context->stage->given, use};
  for (int i = 0; i < 2; i++) {
    for (const char *c = texts[i]; *c != '\0'; c++) hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    hash = (hash ^ 0xff) * UINT64_C(0x100000001b3);
  }
  return adl_random(context->stage->seed ^ adl_random(hash, 0), 1);
}

/* ---- declaring ---- */

static adl_status refuse(const adl_call *call, const char *parameter, const char *what, const char *why) {
  return call->host->fail(call, parameter, -1, NULL, "%s: %s", what, why);
}

static adl_pending *add_pending(adl_context *context, adl_origin_kind kind, const char *parameter, const char *name) {
  adl_pending *pending = ADL_REGION_NEW(context->graph->region, adl_pending, 1);
  pending->kind = kind;
  pending->name = adl_region_text(context->graph->region, name);
  pending->parameter = adl_region_text(context->graph->region, parameter);
  g_ptr_array_add(context->stage->pending, pending);
  return pending;
}

static adl_field *new_field(adl_context *context, adl_type type) {
  adl_field *field = ADL_REGION_NEW(context->graph->region, adl_field, 1);
  field->type = type;
  field->producer = context->stage;
  return field;
}

static adl_status host_declare_named(const adl_call *call, const char *parameter, const char *name, adl_type type,
                                     int32_t *slot) {
  adl_context *context = adl_context_of(call);
  const char *why = NULL;
  *slot = -1;
  if (name == NULL || name[0] == '\0') return refuse(call, parameter, "a column needs a name", "it is empty");
  if (!g_utf8_validate(name, -1, NULL)) return refuse(call, parameter, name, "a column's name is not UTF-8");
  if (!adl_type_valid(type, &why)) return refuse(call, parameter, name, why);
  adl_pending *pending = add_pending(context, ADL_FROM_OUTPUT, parameter, name);
  pending->field = new_field(context, type);
  pending->number = *slot = (int32_t)context->stage->outputs->len;
  bool wanted = false;
  g_ptr_array_add(context->stage->outputs, pending->field);
  g_array_append_val(context->stage->outputs_wanted, wanted);
  return ADL_OK;
}

/* The NEW_COLUMN parameter whose field this is: for blame. */
static const char *name_of_output(const adl_context *context, const adl_output *output) {
  const adl_args *args = context->stage->args;
  for (int i = 0; i < args->count; i++) {
    const adl_param *param = args->items[i].param;
    if (param->type == ADL_PARAM_NEW_COLUMN &&
        (const char *)context->stage->self + param->offset == (const char *)output)
      return param->name;
  }
  return NULL;
}

static adl_status host_declare(const adl_call *call, adl_output *output, adl_type type) {
  if (output->name == NULL) return ADL_OK;
  return host_declare_named(call, name_of_output(adl_context_of(call), output), output->name, type, &output->slot);
}

static adl_status host_forward(const adl_call *call, const char *parameter, const adl_input *input, const char *as) {
  adl_context *context = adl_context_of(call);
  if (input->slot < 0) return refuse(call, parameter, as, "the column to forward was not given");
  adl_slot *slot = context->stage->slots->pdata[input->slot];
  if (slot->side >= 0 || (slot->flags & ADL_LEARN_ONLY) != 0)
    return refuse(call, parameter, as,
                  "a column of another stage, or one that is there for learning only, cannot be forwarded");
  adl_pending *pending = add_pending(context, ADL_FROM_SLOT, parameter, as);
  pending->number = input->slot;
  if (slot->kind == ADL_SLOT_COLUMN) {
    pending->field = adl_stage_input(context->stage)->columns[slot->columns[0]].field;
  } else {
    pending->field = new_field(context, slot->type);
    pending->field->matrix = slot->kind == ADL_SLOT_MATRIX ? slot : NULL;
  }
  return ADL_OK;
}

static adl_status host_hide(const adl_call *call, const char *parameter, const char *column) {
  adl_context *context = adl_context_of(call);
  const adl_schema *input = adl_stage_input(context->stage);
  if (input == NULL || adl_schema_find(input, column) < 0)
    return refuse(call, parameter, column, "there is no such column");
  g_ptr_array_add(context->stage->hidden, adl_region_text(context->graph->region, column));
  return ADL_OK;
}

static bool column_at(const adl_schema *schema, int32_t number, const char **name, adl_type *type) {
  if (schema == NULL || number < 0 || number >= schema->count) return false;
  *name = schema->columns[number].name;
  *type = schema->columns[number].field->type;
  return true;
}

static bool host_input_column(const adl_call *call, int32_t number, const char **name, adl_type *type) {
  return column_at(adl_stage_input(adl_context_of(call)->stage), number, name, type);
}

static const adl_schema *side_schema(const adl_call *call, const adl_side *side) {
  const adl_stage *stage = adl_context_of(call)->stage;
  if (side->name == NULL || side->number < 0 || (guint)side->number >= stage->sides->len) return NULL;
  return &((adl_stage *)stage->sides->pdata[side->number])->schema;
}

static bool host_side_column(const adl_call *call, const adl_side *side, int32_t number, const char **name,
                             adl_type *type) {
  return column_at(side_schema(call, side), number, name, type);
}

static int32_t find_side_column(const adl_call *call, const char *parameter, const adl_side *side, const char *column) {
  const adl_schema *schema = side_schema(call, side);
  int32_t number = schema == NULL ? -1 : adl_schema_find(schema, column);
  if (number < 0)
    call->host->fail(call, parameter, -1, NULL, "no column of the stage `%s` is called `%s`", side->name, column);
  return number;
}

static adl_status host_side_input(const adl_call *call, const char *parameter, const adl_side *side, const char *column,
                                  adl_input *input) {
  adl_context *context = adl_context_of(call);
  int32_t number = find_side_column(call, parameter, side, column);
  if (number < 0) return ADL_FAILED;
  const adl_schema_column *at = &side_schema(call, side)->columns[number];
  adl_slot *slot = adl_stage_add_slot(context->graph, context->stage, ADL_SLOT_COLUMN, parameter,
                                      ADL_NULLS_PASS | ADL_NAN_PASS, at->field->type);
  slot->side = side->number;
  slot->columns = adl_region_copy(context->graph->region, &number, sizeof number);
  slot->column_count = 1;
  adl_slot_tell(context->stage, slot, input, at->name);
  return ADL_OK;
}

static adl_status host_column_input(const adl_call *call, const char *parameter, const char *column, adl_input *input) {
  adl_context *context = adl_context_of(call);
  const adl_schema *schema = adl_stage_input(context->stage);
  int32_t number = schema == NULL ? -1 : adl_schema_find(schema, column);
  if (number < 0) return call->host->fail(call, parameter, -1, NULL, "no column is called `%s`", column);
  const adl_schema_column *at = &schema->columns[number];
  adl_slot *slot = adl_stage_add_slot(context->graph, context->stage, ADL_SLOT_COLUMN, parameter,
                                      ADL_NULLS_PASS | ADL_NAN_PASS, at->field->type);
  slot->columns = adl_region_copy(context->graph->region, &number, sizeof number);
  slot->column_count = 1;
  adl_slot_tell(context->stage, slot, input, at->name);
  return ADL_OK;
}

static adl_status host_bring(const adl_call *call, const char *parameter, const adl_side *side, const char *column,
                             const char *as) {
  adl_context *context = adl_context_of(call);
  int32_t number = find_side_column(call, parameter, side, column);
  if (number < 0) return ADL_FAILED;
  adl_pending *pending = add_pending(context, ADL_FROM_SIDE, parameter, as);
  pending->number = number;
  pending->side = side->number;
  pending->field = side_schema(call, side)->columns[number].field;
  return ADL_OK;
}

/* ---- widths and names ---- */

static adl_field *output_field(const adl_call *call, int32_t slot) {
  const adl_stage *stage = adl_context_of(call)->stage;
  return slot < 0 || (guint)slot >= stage->outputs->len ? NULL : stage->outputs->pdata[slot];
}

static adl_status host_set_width(const adl_call *call, int32_t slot, int64_t width) {
  if (slot == -1) return ADL_OK; /* an output nobody asked for */
  adl_field *field = output_field(call, slot);
  bool block = field != NULL && (field->type.shape == ADL_VECTOR || field->type.shape == ADL_SPARSE);
  if (!block) return refuse(call, NULL, "set_width", "the slot is no vector or sparse output");
  if (width < 0 || width > (INT64_C(1) << 31))
    return call->host->fail(call, NULL, -1, NULL, "a width of %" G_GINT64_FORMAT " is out of range [0, 2147483648]",
                            width);
  field->type.width = width;
  return ADL_OK;
}

static adl_status host_set_names(const adl_call *call, int32_t slot, int64_t width, const int64_t *offsets,
                                 const char *bytes) {
  if (slot == -1) return ADL_OK;
  adl_field *field = output_field(call, slot);
  if (field == NULL) return refuse(call, NULL, "set_names", "there is no such output");
  g_free(field->name_offsets);
  g_free(field->name_bytes);
  field->name_count = width;
  field->name_offsets = g_memdup2(offsets, ((gsize)width + 1) * sizeof *offsets);
  field->name_bytes = g_memdup2(bytes, (gsize)offsets[width]);
  return ADL_OK;
}

static int64_t host_dimension_name(const adl_call *call, const adl_input *input, int64_t dimension, char *buffer,
                                   size_t size) {
  const adl_stage *stage = adl_context_of(call)->stage;
  if (input->slot < 0 || (guint)input->slot >= stage->slots->len)
    return g_snprintf(buffer, size, "[%" G_GINT64_FORMAT "]", dimension);
  return adl_slot_dimension_name(stage, stage->slots->pdata[input->slot], dimension, buffer, size);
}

/* ---- tensors ---- */

static void *host_tensor(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element,
                         int32_t dimensions, const int64_t *size) {
  const char *why = NULL;
  void *data = adl_tensors_get(tensors, name, element, dimensions, size, &why);
  if (data != NULL) return data;
  call->host->fail(call, NULL, -1, NULL, "tensor `%s`: %s", name, why);
  /* The caller may write before it looks at a status; what was asked for is there, for as long as the call lasts. */
  int64_t count = 1;
  for (int32_t i = 0; i < dimensions; i++) count *= size[i];
  void *scratch = host_alloc(call, (size_t)count * 8 + 8);
  memset(scratch, 0, (size_t)count * 8 + 8);
  return scratch;
}

static bool host_find_tensor(const adl_call *call, const adl_tensors *tensors, const char *name, adl_tensor *tensor) {
  (void)call;
  if (adl_tensors_find(tensors, name, tensor)) return true;
  *tensor = (adl_tensor){0};
  return false;
}

static void host_drop_tensor(const adl_call *call, adl_tensors *tensors, const char *name) {
  (void)call;
  adl_tensors_drop(tensors, name);
}

static adl_tensors *host_scratch_tensors(const adl_call *call) {
  adl_tensors *tensors = adl_tensors_new();
  g_ptr_array_add(adl_context_of(call)->scratch_tensors, tensors);
  return tensors;
}

static adl_table *host_table(const adl_call *call, adl_tensors *tensors, const char *name, int64_t width) {
  adl_table *found = adl_tensors_table(tensors, name, width);
  if (found != NULL) return found;
  call->host->fail(call, NULL, -1, NULL, "table `%s`: the name is a tensor's, or the table has another width", name);
  return adl_tensors_table(host_scratch_tensors(call), name, width);
}

static const adl_table *host_find_table(const adl_call *call, const adl_tensors *tensors, const char *name) {
  (void)call;
  return adl_tensors_find_table(tensors, name);
}

const void *adl_graph_extension(const adl_call *call, const char *id) {
  (void)call;
  return strcmp(id, "adloom.expression/1") == 0 ? (const void *)&adl_expr_extension : NULL;
}

void adl_host_fill(adl_host *host) {
  host->struct_size = sizeof *host;
  host->abi_major = ADL_ABI_MAJOR;
  host->abi_minor = ADL_ABI_MINOR;
  host->fail = host_fail;
  host->alloc = host_alloc;
  host->random_key = host_random_key;
  host->stage_name = host_stage_name;
  host->extension = adl_graph_extension;
  host->declare = host_declare;
  host->declare_named = host_declare_named;
  host->forward = host_forward;
  host->hide = host_hide;
  host->input_column = host_input_column;
  host->side_column = host_side_column;
  host->side_input = host_side_input;
  host->bring = host_bring;
  host->column_input = host_column_input;
  host->set_width = host_set_width;
  host->set_names = host_set_names;
  host->dimension_name = host_dimension_name;
  host->tensor = host_tensor;
  host->find_tensor = host_find_tensor;
  host->drop_tensor = host_drop_tensor;
  host->scratch_tensors = host_scratch_tensors;
  host->table = host_table;
  host->find_table = host_find_table;
  host->table_count = adl_table_count;
  host->table_insert = adl_table_insert;
  host->table_find = adl_table_find;
  host->table_insert_all = adl_table_insert_all;
  host->table_find_all = adl_table_find_all;
  host->table_row = adl_table_row;
  host->table_key = adl_table_key;
}

adl_host *adl_host_table_to_fill(void) { return &table; }
