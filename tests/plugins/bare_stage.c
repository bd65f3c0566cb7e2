/* A stage class run by hand; see bare_stage.h. */
#include "tests/plugins/bare_stage.h"

#include <check.h>
#include <stdarg.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>

#include "core/data/tensors.h"
#include "tests/plugins/bare_host.h"

const char bare_null[] = "null";

static adl_host host;
static bare_stage *current;

/* ---- tables ---- */

static adl_type type_of(const char *name) {
  static const struct {
    const char *name;
    adl_type type;
  } types[] = {
      {"string", {ADL_STRING, ADL_SCALAR, ADL_CATEGORY, 0, 0, 0}},
      {"id", {ADL_INT64, ADL_SCALAR, ADL_CATEGORY, 0, 0, 0}},
      {"int", {ADL_INT64, ADL_SCALAR, ADL_NUMBER, 0, 0, 0}},
      {"bool", {ADL_BOOL, ADL_SCALAR, ADL_NUMBER, 0, 0, 0}},
      {"float", {ADL_FLOAT32, ADL_SCALAR, ADL_NUMBER, 0, 0, 0}},
      {"double", {ADL_FLOAT64, ADL_SCALAR, ADL_NUMBER, 0, 0, 0}},
      {"timestamp", {ADL_TIMESTAMP, ADL_SCALAR, ADL_NUMBER, 0, 0, 0}},
      {"list", {ADL_STRING, ADL_LIST, ADL_CATEGORY, 0, 0, 0}},
      {"ids", {ADL_INT64, ADL_LIST, ADL_CATEGORY, 0, 0, 0}},
      {"ints", {ADL_INT64, ADL_LIST, ADL_NUMBER, 0, 0, 0}},
      {"bag", {ADL_STRING, ADL_BAG, ADL_CATEGORY, 0, 0, 0}},
      {"vector", {ADL_FLOAT32, ADL_VECTOR, ADL_NUMBER, 0, 0, 0}},
      {"vector64", {ADL_FLOAT64, ADL_VECTOR, ADL_NUMBER, 0, 0, 0}},
      {"sparse", {ADL_FLOAT32, ADL_SPARSE, ADL_NUMBER, 0, 0, 0}},
  };
  char **parts = g_strsplit(name, "/", 2);
  adl_type type = {0};
  for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
    if (strcmp(parts[0], types[i].name) == 0) {
      type = types[i].type;
      if (parts[1] != NULL) type.width = atoi(parts[1]);
      g_strfreev(parts);
      return type;
    }
  ck_abort_msg("no type is called %s", name);
  return type;
}

static void put_element(adl_type type, void *data, int64_t at, const char *text) {
  switch (type.element) {
    case ADL_BOOL: adl_bit_set(data, at, strcmp(text, "true") == 0); break;
    case ADL_FLOAT32: ((float *)data)[at] = (float)g_ascii_strtod(text, NULL); break;
    case ADL_FLOAT64: ((double *)data)[at] = g_ascii_strtod(text, NULL); break;
    default: ((int64_t *)data)[at] = g_ascii_strtoll(text, NULL, 10); break;
  }
}

static void put_string(adl_buffers *buffers, int64_t at, const char *text, int64_t size) {
  int32_t from = buffers->string_offsets[at];
  memcpy((char *)buffers->data + from, text, (size_t)size);
  buffers->string_offsets[at + 1] = from + (int32_t)size;
}

/* An item of a list, bag or sparse row. */
static void put_item(adl_type type, adl_buffers *buffers, int64_t at, const char *text) {
  const char *colon = strrchr(text, ':');
  if (type.shape == ADL_SPARSE) {
    buffers->index[at] = (uint32_t)atoi(text);
    ((float *)buffers->data)[at] = (float)g_ascii_strtod(colon + 1, NULL);
  } else if (type.shape == ADL_BAG) {
    put_string(buffers, at, text, colon - text);
    buffers->weights[at] = (float)g_ascii_strtod(colon + 1, NULL);
  } else if (type.element == ADL_STRING) {
    put_string(buffers, at, text, (int64_t)strlen(text));
  } else {
    put_element(type, buffers->data, at, text);
  }
}

static void put_row(adl_type type, adl_buffers *buffers, int64_t row, const char *text) {
  bool null = text == bare_null;
  if (null) adl_bit_set(buffers->validity, row, false);
  char **parts = g_strsplit(null ? "" : text, " ", -1);
  int64_t count = g_strv_length(parts);
  if (type.shape == ADL_SCALAR && type.element == ADL_STRING) {
    put_string(buffers, row, null ? "" : text, null ? 0 : (int64_t)strlen(text));
  } else if (type.shape == ADL_SCALAR) {
    put_element(type, buffers->data, row, null ? "0" : text);
  } else if (type.shape == ADL_VECTOR) {
    for (int64_t d = 0; d < type.width; d++)
      put_element(type, buffers->data, row * type.width + d, d < count ? parts[d] : "0");
  } else {
    for (int64_t i = 0; i < count; i++) put_item(type, buffers, buffers->offsets[row] + i, parts[i]);
    buffers->offsets[row + 1] = buffers->offsets[row] + (int32_t)count;
  }
  g_strfreev(parts);
}

void bare_add(bare_table *table, const char *name, const char *type_name, ...) {
  GPtrArray *rows = g_ptr_array_new();
  int64_t bytes = 64;
  va_list list;
  va_start(list, type_name);
  for (const char *text; (text = va_arg(list, const char *)) != NULL; bytes += (int64_t)strlen(text))
    g_ptr_array_add(rows, (gpointer)text);
  va_end(list);
  adl_type type = type_of(type_name);
  if (type.shape == ADL_VECTOR && rows->len > 0) {
    char **parts = g_strsplit(rows->pdata[0], " ", -1);
    type.width = g_strv_length(parts);
    g_strfreev(parts);
  }
  adl_builder *builder = adl_builder_new(type);
  adl_buffers buffers;
  ck_assert(adl_builder_reserve(builder, rows->len, type.shape == ADL_SCALAR ? 0 : bytes, bytes, &buffers));
  for (guint row = 0; row < rows->len; row++) put_row(type, &buffers, row, rows->pdata[row]);
  const char *why = NULL;
  table->names[table->count] = name;
  table->columns[table->count] = adl_builder_finish(builder, rows->len, &why);
  ck_assert_msg(table->columns[table->count] != NULL, "%s: %s", name, why);
  table->count++;
  g_ptr_array_free(rows, TRUE);
}

void bare_table_clear(bare_table *table) {
  for (int i = 0; i < table->count; i++) adl_array_unref(table->columns[i]);
  table->count = 0;
}

/* ---- the host ---- */

static adl_status stage_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                             const char *format, ...) {
  va_list list;
  (void)call;
  (void)offset;
  (void)hint;
  va_start(list, format);
  g_string_append_printf(current->failed, "%s: ", parameter != NULL ? parameter : "stage");
  g_string_append_vprintf(current->failed, format, list);
  g_string_append_c(current->failed, '\n');
  va_end(list);
  return ADL_FAILED;
}

static void stage_reject(const adl_call *call, int64_t row, const char *column, const char *format, ...) {
  va_list list;
  (void)call;
  va_start(list, format);
  char *reason = g_strdup_vprintf(format, list);
  va_end(list);
  g_hash_table_insert(current->rejected, GSIZE_TO_POINTER((gsize)(current->first + row + 1)),
                      g_strdup_printf("%s: %s", column, reason));
  g_free(reason);
}

static void stage_log(const adl_call *call, adl_level level, const char *format, ...) {
  va_list list;
  (void)call;
  if (level != ADL_WARNING) return;
  va_start(list, format);
  g_string_append_vprintf(current->warned, format, list);
  g_string_append_c(current->warned, '\n');
  va_end(list);
}

static adl_status stage_declare(const adl_call *call, adl_output *output, adl_type type) {
  (void)call;
  ck_assert_ptr_nonnull(output->name);
  ck_assert(adl_type_valid(type, NULL));
  output->slot = 0;
  current->type = type;
  return ADL_OK;
}

static adl_status stage_set_width(const adl_call *call, int32_t slot, int64_t width) {
  (void)call;
  ck_assert_int_eq(slot, 0);
  ck_assert_int_gt(width, 0);
  current->type.width = width;
  return ADL_OK;
}

static adl_status stage_set_names(const adl_call *call, int32_t slot, int64_t width, const int64_t *offsets,
                                  const char *bytes) {
  (void)call;
  ck_assert_int_eq(slot, 0);
  ck_assert_int_eq(width, current->type.width);
  g_ptr_array_set_size(current->names, 0);
  for (int64_t i = 0; i < width; i++)
    g_ptr_array_add(current->names, g_strndup(bytes + offsets[i], (gsize)(offsets[i + 1] - offsets[i])));
  return ADL_OK;
}

static int64_t stage_dimension_name(const adl_call *call, const adl_input *input, int64_t dimension, char *buffer,
                                    size_t size) {
  (void)call;
  if (input->type.shape == ADL_SCALAR) return g_snprintf(buffer, size, "%s", input->name);
  return g_snprintf(buffer, size, "%s[%d]", input->name, (int)dimension);
}

static adl_status stage_reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                                int64_t bytes, adl_buffers *buffers) {
  (void)call;
  (void)out;
  ck_assert_int_eq(slot, 0);
  if (current->builder == NULL) current->builder = adl_builder_new(current->type);
  ck_assert(adl_builder_reserve(current->builder, rows, items, bytes, buffers));
  return ADL_OK;
}

static void stage_report_number(const adl_call *call, adl_report *report, const char *over, const char *name,
                                double value, double low, double high) {
  (void)call;
  (void)report;
  (void)low;
  (void)high;
  ck_assert_str_eq(over, "");
  g_hash_table_insert(current->reported, g_strdup(name), g_memdup2(&value, sizeof value));
}

/* Of a plot the heights of the first series, by the label of each, or its number. */
static void stage_report_plot(const adl_call *call, adl_report *report, const adl_plot *plot) {
  (void)call;
  (void)report;
  const adl_series *series = plot->series[0];
  for (int64_t i = 0; i < series->count; i++) {
    ck_assert(isfinite(series->x[i]) && isfinite(series->y[i]));
    char *name = series->labels != NULL ? g_strdup_printf("%s: %s", plot->name, series->labels[i])
                                        : g_strdup_printf("%s: %d", plot->name, (int)i);
    g_hash_table_insert(current->reported, name, g_memdup2(&series->y[i], sizeof *series->y));
  }
}

static void open_batch(bare_stage *stage, const bare_table *table, int64_t first, int64_t rows) {
  stage->first = first;
  for (int i = 0; i < table->count; i++) stage->batch[i] = adl_array_slice(table->columns[i], first, rows);
}

static void close_batch(bare_stage *stage, const bare_table *table) {
  for (int i = 0; i < table->count; i++) adl_array_unref((adl_array *)stage->batch[i]);
  stage->first = 0;
}

static adl_batch batch_of(const bare_stage *stage, const bare_table *table, const adl_column **slots, int64_t rows) {
  for (int i = 0; i < table->count; i++) slots[i] = &stage->batch[i]->view;
  return (adl_batch){.struct_size = sizeof(adl_batch),
                     .slot_count = (uint32_t)table->count,
                     .rows = rows,
                     .ordinal = stage->first,
                     .slots = slots};
}

static int64_t rows_of(const bare_table *table) { return table->count > 0 ? table->columns[0]->view.rows : 0; }

static adl_status stage_fold(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total) {
  adl_tensors *partials[16] = {0};
  const bare_table *table = (const bare_table *)(void *)rows;
  int64_t batch_number = 0, count = rows_of(table);
  for (int64_t first = 0; first < count; first += current->batch_rows, batch_number++) {
    const adl_column *slots[64];
    int lane = (int)(batch_number % current->lanes);
    int64_t in_batch = MIN(current->batch_rows, count - first);
    open_batch(current, table, first, in_batch);
    adl_batch batch = batch_of(current, table, slots, in_batch);
    if (partials[lane] == NULL) partials[lane] = adl_tensors_like(total);
    adl_status status = fold->step(call, current->self, fold->context, &batch, partials[lane]);
    close_batch(current, table);
    ADL_TRY(status);
  }
  const char *why = NULL;
  if (partials[0] != NULL) {
    for (int lane = 1; lane < current->lanes; lane++) {
      if (partials[lane] == NULL) continue;
      if (fold->merge != NULL)
        ADL_TRY(fold->merge(call, current->self, fold->context, partials[0], partials[lane]));
      else
        ck_assert_msg(adl_tensors_add(partials[0], partials[lane], &why), "%s", why);
    }
    adl_tensors_replace(total, partials[0]);
  }
  for (int lane = 0; lane < current->lanes; lane++)
    if (partials[lane] != NULL) adl_tensors_free(partials[lane]);
  return ADL_OK;
}

static const adl_call *call_of(bare_stage *stage) {
  static adl_call call;
  host = *bare_call()->host;
  host.fail = stage_fail;
  host.reject = stage_reject;
  host.log = stage_log;
  host.declare = stage_declare;
  host.set_width = stage_set_width;
  host.set_names = stage_set_names;
  host.dimension_name = stage_dimension_name;
  host.reserve = stage_reserve;
  host.report_number = stage_report_number;
  host.report_plot = stage_report_plot;
  host.fold = stage_fold;
  call = (adl_call){.struct_size = sizeof call, .host = &host};
  current = stage;
  return &call;
}

/* ---- parameters ---- */

static void *keep(bare_stage *stage, void *memory) {
  g_ptr_array_add(stage->texts, memory);
  return memory;
}

/* "[a, b]" or "a" as its parts, of which each may be a list itself. */
static GPtrArray *parts_of(bare_stage *stage, const char *text) {
  GPtrArray *parts = g_ptr_array_new();
  char *copy = keep(stage, g_strdup(text));
  size_t size = strlen(copy);
  if (copy[0] != '[') {
    g_ptr_array_add(parts, copy);
    return parts;
  }
  copy[size - 1] = '\0';
  int depth = 0;
  for (char *from = copy + 1, *at = from;; at++) {
    depth += (*at == '[') - (*at == ']');
    if (*at != '\0' && (*at != ',' || depth > 0)) continue;
    bool last = *at == '\0';
    *at = '\0';
    if (*g_strstrip(from) != '\0') g_ptr_array_add(parts, g_strstrip(from));
    if (last) return parts;
    from = at + 1;
  }
}

static adl_input input_of(const bare_stage *stage, const adl_param *param, const char *name) {
  for (int i = 0; i < stage->table->count; i++)
    if (strcmp(stage->table->names[i], name) == 0) {
      const adl_type type = stage->table->columns[i]->view.type;
      ck_assert_msg(param->elements == 0 || (param->elements & ADL_MASK(type.element)) != 0, "%s: element", name);
      ck_assert_msg((param->shapes == 0 ? ADL_MASK(ADL_SCALAR) : param->shapes) & ADL_MASK(type.shape), "%s: shape",
                    name);
      ck_assert_msg(param->roles == 0 || (param->roles & ADL_MASK(type.role)) != 0, "%s: role", name);
      return (adl_input){.name = stage->table->names[i], .type = type, .slot = i};
    }
  ck_abort_msg("the table has no column %s", name);
  return (adl_input){0};
}

static adl_inputs inputs_of(bare_stage *stage, const adl_param *param, const char *text) {
  GPtrArray *parts = parts_of(stage, text);
  adl_input *inputs = keep(stage, g_new0(adl_input, parts->len + 1));
  for (guint i = 0; i < parts->len; i++) inputs[i] = input_of(stage, param, parts->pdata[i]);
  adl_inputs made = {parts->len, inputs};
  g_ptr_array_free(parts, TRUE);
  return made;
}

static int32_t choice_of(const adl_param *param, const char *text) {
  char **choices = g_strsplit(param->choices, "|", -1);
  int32_t at = 0;
  while (choices[at] != NULL && strcmp(choices[at], text) != 0) at++;
  ck_assert_msg(choices[at] != NULL, "%s: no choice is called %s", param->name, text);
  g_strfreev(choices);
  return at;
}

static void set_list(bare_stage *stage, const adl_param *param, const char *text, void *field) {
  if (param->type == ADL_PARAM_COLUMN && (param->flags & ADL_LIST_OF)) {
    *(adl_inputs *)field = inputs_of(stage, param, text);
    return;
  }
  GPtrArray *parts = parts_of(stage, text);
  if (param->type == ADL_PARAM_COLUMN) {
    adl_inputs *lists = keep(stage, g_new0(adl_inputs, parts->len + 1));
    for (guint i = 0; i < parts->len; i++) lists[i] = inputs_of(stage, param, parts->pdata[i]);
    *(adl_input_lists *)field = (adl_input_lists){parts->len, lists};
  } else {
    ck_assert_int_eq(param->type, ADL_PARAM_INT);
    int64_t *items = keep(stage, g_new0(int64_t, parts->len + 1));
    for (guint i = 0; i < parts->len; i++) items[i] = g_ascii_strtoll(parts->pdata[i], NULL, 10);
    *(adl_ints *)field = (adl_ints){parts->len, items};
  }
  g_ptr_array_free(parts, TRUE);
}

static void set_param(bare_stage *stage, const adl_param *param, const char *text) {
  void *field = (char *)stage->self + param->offset;
  if (param->flags & (ADL_LIST_OF | ADL_LISTS_OF)) {
    set_list(stage, param, text, field);
    return;
  }
  switch (param->type) {
    case ADL_PARAM_BOOL: *(bool *)field = strcmp(text, "true") == 0; break;
    case ADL_PARAM_INT: *(int64_t *)field = g_ascii_strtoll(text, NULL, 10); break;
    case ADL_PARAM_FLOAT: *(double *)field = g_ascii_strtod(text, NULL); break;
    case ADL_PARAM_CHOICE: *(int32_t *)field = choice_of(param, text); break;
    case ADL_PARAM_COLUMN: *(adl_input *)field = input_of(stage, param, text); break;
    case ADL_PARAM_NEW_COLUMN: *(adl_output *)field = (adl_output){.name = text, .slot = -1}; break;
    case ADL_PARAM_PATH_IN:
    case ADL_PARAM_STRING: *(const char **)field = text; break;
    default: ck_abort_msg("%s has a type that these tests do not know", param->name);
  }
}

/* ---- running ---- */

bare_stage *bare_stage_new(const adl_class *class, const bare_table *table, adl_status *status, ...) {
  bare_stage *stage = g_new0(bare_stage, 1);
  stage->class = class;
  stage->table = table;
  stage->self = g_malloc0(class->instance_size);
  stage->model_tensors = adl_tensors_new();
  stage->model = (adl_model){.struct_size = sizeof(adl_model), .tensors = stage->model_tensors};
  stage->lanes = 3;
  stage->batch_rows = 4096;
  stage->names = g_ptr_array_new_with_free_func(g_free);
  stage->texts = g_ptr_array_new_with_free_func(g_free);
  stage->failed = g_string_new(NULL);
  stage->warned = g_string_new(NULL);
  stage->rejected = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  stage->reported = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  for (uint32_t i = 0; i < class->param_count; i++)
    if (class->params[i].default_value != NULL) set_param(stage, &class->params[i], class->params[i].default_value);
  va_list list;
  va_start(list, status);
  for (const char *name; (name = va_arg(list, const char *)) != NULL;) {
    const char *value = va_arg(list, const char *);
    bool found = false;
    for (uint32_t i = 0; i < class->param_count; i++)
      if (strcmp(class->params[i].name, name) == 0) {
        set_param(stage, &class->params[i], value);
        found = true;
      }
    ck_assert_msg(found, "%s has no parameter %s", class->id, name);
  }
  va_end(list);
  *status = class->bind(call_of(stage), stage->self);
  ck_assert((*status != ADL_OK) == (stage->failed->len > 0));
  return stage;
}

adl_status bare_stage_fit(bare_stage *stage, const bare_table *table) {
  const adl_call *call = call_of(stage);
  if (stage->class->start != NULL) ADL_TRY(stage->class->start(call, stage->self));
  if (stage->class->fit == NULL) return ADL_OK;
  return stage->class->fit(call, stage->self, (adl_rows *)(void *)table, &stage->model);
}

adl_status bare_stage_process(bare_stage *stage, const bare_table *table) {
  const adl_call *call = call_of(stage);
  const adl_class *class = stage->class;
  if (class->release != NULL && stage->model.prepared != NULL) class->release(stage->self, stage->model.prepared);
  stage->model.prepared = NULL;
  if (class->prepare != NULL) ADL_TRY(class->prepare(call, stage->self, &stage->model, &stage->model.prepared));
  GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify)adl_array_unref);
  const char *why = NULL;
  for (int64_t first = 0; first < rows_of(table); first += stage->batch_rows) {
    const adl_column *slots[64];
    int64_t rows = MIN(stage->batch_rows, rows_of(table) - first);
    open_batch(stage, table, first, rows);
    adl_batch batch = batch_of(stage, table, slots, rows);
    ck_assert_int_eq(class->process(call, stage->self, &stage->model, &batch, NULL), ADL_OK);
    adl_array *made = adl_builder_finish(stage->builder, rows, &why);
    stage->builder = NULL;
    close_batch(stage, table);
    ck_assert_msg(made != NULL, "%s", why);
    g_ptr_array_add(parts, made);
  }
  adl_array_unref(stage->made);
  stage->made = adl_array_concat((adl_array *const *)parts->pdata, parts->len, &why);
  ck_assert_msg(stage->made != NULL, "%s", why);
  g_ptr_array_free(parts, TRUE);
  return class->report != NULL ? class->report(call, stage->self, &stage->model, NULL) : ADL_OK;
}

void bare_stage_free(bare_stage *stage) {
  const adl_class *class = stage->class;
  if (class->release != NULL && stage->model.prepared != NULL) class->release(stage->self, stage->model.prepared);
  if (class->destroy != NULL) class->destroy(stage->self);
  adl_array_unref(stage->made);
  adl_tensors_free(stage->model_tensors);
  g_ptr_array_free(stage->names, TRUE);
  g_ptr_array_free(stage->texts, TRUE);
  g_string_free(stage->failed, TRUE);
  g_string_free(stage->warned, TRUE);
  g_hash_table_destroy(stage->rejected);
  g_hash_table_destroy(stage->reported);
  g_free(stage->self);
  g_free(stage);
  bare_done();
}

/* ---- looking ---- */

double bare_value(const bare_stage *stage, int64_t row, const char *name) {
  const adl_column *column = &stage->made->view;
  for (guint d = 0; d < stage->names->len; d++) {
    if (strcmp(stage->names->pdata[d], name) != 0) continue;
    if (column->type.shape == ADL_VECTOR) return (double)((const float *)column->data)[row * column->type.width + d];
    for (int32_t i = column->offsets[row]; i < column->offsets[row + 1]; i++)
      if (column->index[i] == d) return (double)((const float *)column->data)[i];
    return 0;
  }
  ck_abort_msg("no dimension is called %s", name);
  return 0;
}

const char *bare_row(const bare_stage *stage, int64_t row) {
  static char text[4096];
  const adl_column *column = &stage->made->view;
  bool dense = column->type.shape == ADL_VECTOR;
  int64_t from = dense ? row * column->type.width : column->offsets[row];
  int64_t to = dense ? (row + 1) * column->type.width : column->offsets[row + 1];
  size_t used = 0;
  text[0] = '\0';
  for (int64_t i = from; i < to; i++) {
    if (!dense)
      used += (size_t)g_snprintf(text + used, sizeof text - used, "%s%u:", i > from ? " " : "", column->index[i]);
    used += (size_t)g_snprintf(text + used, sizeof text - used, "%s%.6g", dense && i > from ? " " : "",
                               (double)((const float *)column->data)[i]);
    ck_assert_uint_lt(used, sizeof text - 32);
  }
  return text;
}

const char *bare_rejected(const bare_stage *stage, int64_t row) {
  return g_hash_table_lookup(stage->rejected, GSIZE_TO_POINTER((gsize)(row + 1)));
}
