/* A host for one learner; see learner_host.h. */
#include "tests/plugins/learner_host.h"

#include <check.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct adl_rows {
  const learner_rows *of;
};

struct adl_out {
  adl_builder *builder;
  float *data;
};

/* Behind call->core. */
typedef struct context {
  adl_call call;
  learner_stage *stage;
  GPtrArray *blocks, *sets;
} context;

static const adl_host host;

static context *begin(learner_stage *stage) {
  context *made = g_new0(context, 1);
  made->call = (adl_call){.struct_size = sizeof(adl_call), .host = &host, .core = made};
  made->stage = stage;
  made->blocks = g_ptr_array_new_with_free_func(free);
  made->sets = g_ptr_array_new_with_free_func((GDestroyNotify)adl_tensors_free);
  return made;
}

static void end(context *done) {
  g_ptr_array_free(done->blocks, TRUE);
  g_ptr_array_free(done->sets, TRUE);
  g_free(done);
}

static learner_stage *stage_of(const adl_call *call) { return ((context *)call->core)->stage; }

/* ---- rows ---- */

static void add(learner_rows *rows, const char *name, adl_builder *builder, int64_t count) {
  const char *why = NULL;
  rows->names[rows->count] = name;
  rows->columns[rows->count] = adl_builder_finish(builder, count, &why);
  ck_assert_msg(rows->columns[rows->count] != NULL, "%s: %s", name, why);
  rows->count++;
}

void learner_matrix(learner_rows *rows, const char *name, const float *values, int64_t count, int64_t width,
                    bool sparse) {
  adl_type type = {.element = ADL_FLOAT32, .shape = (uint8_t)(sparse ? ADL_SPARSE : ADL_VECTOR), .width = width};
  adl_builder *builder = adl_builder_new(type);
  adl_buffers buffers;
  ck_assert(adl_builder_reserve(builder, count, sparse ? count * width : 0, 0, &buffers));
  int32_t items = 0;
  for (int64_t row = 0; row < count; row++) {
    for (int64_t i = 0; i < width; i++) {
      float value = values[row * width + i];
      if (!sparse) ((float *)buffers.data)[row * width + i] = value;
      if (!sparse || value == 0) continue;
      buffers.index[items] = (uint32_t)i;
      ((float *)buffers.data)[items++] = value;
    }
    if (sparse) buffers.offsets[row + 1] = items;
  }
  add(rows, name, builder, count);
}

void learner_numbers(learner_rows *rows, const char *name, adl_element element, const double *values, int64_t count) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(element, ADL_NUMBER));
  adl_buffers buffers;
  ck_assert(adl_builder_reserve(builder, count, 0, 0, &buffers));
  for (int64_t row = 0; row < count; row++) {
    switch (element) {
      case ADL_BOOL: adl_bit_set(buffers.data, row, values[row] != 0); break;
      case ADL_INT64: ((int64_t *)buffers.data)[row] = (int64_t)values[row]; break;
      case ADL_FLOAT32: ((float *)buffers.data)[row] = (float)values[row]; break;
      default: ck_assert_int_eq(element, ADL_FLOAT64); ((double *)buffers.data)[row] = values[row];
    }
  }
  add(rows, name, builder, count);
}

void learner_texts(learner_rows *rows, const char *name, const char *const *values, int64_t count) {
  adl_builder *builder = adl_builder_new(adl_type_scalar(ADL_STRING, ADL_CATEGORY));
  adl_buffers buffers;
  int64_t bytes = 0;
  for (int64_t row = 0; row < count; row++) bytes += values[row] != NULL ? (int64_t)strlen(values[row]) : 0;
  ck_assert(adl_builder_reserve(builder, count, 0, bytes, &buffers));
  for (int64_t row = 0; row < count; row++) {
    int32_t from = buffers.string_offsets[row], size = values[row] != NULL ? (int32_t)strlen(values[row]) : 0;
    if (values[row] == NULL)
      adl_bit_set(buffers.validity, row, false);
    else
      memcpy((char *)buffers.data + from, values[row], (size_t)size);
    buffers.string_offsets[row + 1] = from + size;
  }
  add(rows, name, builder, count);
}

learner_rows learner_slice(const learner_rows *rows, int64_t first, int64_t count) {
  learner_rows part = {.count = rows->count};
  if (rows->kinds != NULL) part.kinds = rows->kinds + first;
  for (int i = 0; i < rows->count; i++) {
    part.names[i] = rows->names[i];
    part.columns[i] = adl_array_slice(rows->columns[i], first, count);
  }
  return part;
}

void learner_rows_clear(learner_rows *rows) {
  for (int i = 0; i < rows->count; i++) adl_array_unref(rows->columns[i]);
  *rows = (learner_rows){0};
}

static int64_t count_of(const learner_rows *rows) { return rows->columns[0]->view.rows; }

/* A batch of the rows from `first` on: as many as fit and are of one kind. */
typedef struct piece {
  learner_rows rows;
  const adl_column *slots[8];
  adl_batch batch;
} piece;

static void piece_take(piece *into, learner_stage *stage, const learner_rows *rows, int64_t first) {
  int64_t count = MIN(stage->batch_rows, count_of(rows) - first);
  stage->kind = rows->kinds != NULL ? rows->kinds[first] : ADL_TRAIN;
  for (int64_t i = 1; rows->kinds != NULL && i < count; i++)
    if (rows->kinds[first + i] != stage->kind) count = i;
  into->rows = learner_slice(rows, first, count);
  for (int i = 0; i < rows->count; i++) into->slots[i] = &into->rows.columns[i]->view;
  into->batch = (adl_batch){.struct_size = sizeof(adl_batch),
                            .slot_count = (uint32_t)rows->count,
                            .rows = count,
                            .ordinal = first,
                            .slots = into->slots};
  stage->batch = &into->batch;
}

static void piece_drop(piece *taken, learner_stage *stage) {
  learner_rows_clear(&taken->rows);
  stage->batch = NULL;
}

/* ---- the host ---- */

static adl_status host_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                            const char *format, ...) {
  (void)offset, (void)hint;
  GString *to = stage_of(call)->failed;
  va_list args;
  va_start(args, format);
  g_string_append_printf(to, "%s: ", parameter != NULL ? parameter : "stage");
  g_string_append_vprintf(to, format, args);
  g_string_append_c(to, '\n');
  va_end(args);
  return ADL_FAILED;
}

static void host_reject(const adl_call *call, int64_t row, const char *column, const char *format, ...) {
  learner_stage *stage = stage_of(call);
  ck_assert_int_lt(row, stage->batch->rows);
  va_list args;
  va_start(args, format);
  char *reason = g_strdup_vprintf(format, args);
  va_end(args);
  g_hash_table_insert(stage->rejected, GSIZE_TO_POINTER((gsize)(stage->batch->ordinal + row + 1)),
                      g_strdup_printf("%s: %s", column, reason));
  g_free(reason);
}

static void host_log(const adl_call *call, adl_level level, const char *format, ...) {
  if (level != ADL_WARNING) return;
  va_list args;
  va_start(args, format);
  g_string_append_vprintf(stage_of(call)->warned, format, args);
  g_string_append_c(stage_of(call)->warned, '\n');
  va_end(args);
}

static void host_progress(const adl_call *call, const char *what, double done, double total) {
  (void)call, (void)what;
  ck_assert_double_le(done, total);
}

static void *host_alloc(const adl_call *call, size_t size) {
  void *block = aligned_alloc(64, (size + 64) / 64 * 64);
  memset(block, 0xa5, size);
  g_ptr_array_add(((context *)call->core)->blocks, block);
  return block;
}

uint64_t learner_random_key(const char *use) {
  uint64_t key = 42;
  for (; *use != '\0'; use++) key = adl_random(key, (uint64_t)*use);
  return key;
}

/* One after the other, as inside a step. */
static adl_status host_parallel(const adl_call *call, int64_t count,
                                adl_status (*body)(const adl_call *call, void *given, int64_t i), void *given) {
  for (int64_t i = 0; i < count; i++) ADL_TRY(body(call, given, i));
  return ADL_OK;
}

static bool host_cancelled(const adl_call *call) {
  (void)call;
  return false;
}

static void host_drop_tensor(const adl_call *call, adl_tensors *tensors, const char *name) {
  (void)call;
  adl_tensors_drop(tensors, name);
}

static uint64_t host_random_key(const adl_call *call, const char *use) {
  (void)call;
  return learner_random_key(use);
}

static adl_split host_split(const adl_call *call) { return (adl_split)(stage_of(call)->kind & 3); }
static bool host_online(const adl_call *call) { return (stage_of(call)->kind & 4) != 0; }

static adl_status host_declare(const adl_call *call, adl_output *output, adl_type type) {
  (void)call;
  ck_assert(type.element == ADL_FLOAT32 && type.shape == ADL_SCALAR);
  output->slot = 0;
  return ADL_OK;
}

static int64_t host_dimension_name(const adl_call *call, const adl_input *input, int64_t dimension, char *buffer,
                                   size_t size) {
  (void)call;
  return g_snprintf(buffer, size, "%s-%d", input->name, (int)dimension);
}

static void *host_tensor(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element,
                         int32_t dimensions, const int64_t *size) {
  (void)call;
  const char *why = NULL;
  void *data = adl_tensors_get(tensors, name, element, dimensions, size, &why);
  if (data == NULL) ck_abort_msg("tensor %s: %s", name, why);
  return data;
}

static bool host_find_tensor(const adl_call *call, const adl_tensors *tensors, const char *name, adl_tensor *tensor) {
  (void)call;
  return adl_tensors_find(tensors, name, tensor);
}

static adl_tensors *host_scratch_tensors(const adl_call *call) {
  adl_tensors *made = adl_tensors_new();
  g_ptr_array_add(((context *)call->core)->sets, made);
  return made;
}

static adl_table *host_table(const adl_call *call, adl_tensors *tensors, const char *name, int64_t width) {
  (void)call;
  return adl_tensors_table(tensors, name, width);
}

static double *host_table_row(const adl_table *table, int64_t row) { return adl_table_row(table, row); }

static adl_status host_reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                               int64_t bytes, adl_buffers *buffers) {
  (void)items, (void)bytes;
  ck_assert_int_eq(slot, 0);
  ck_assert_int_eq(rows, stage_of(call)->batch->rows);
  ck_assert(adl_builder_reserve(out->builder, rows, 0, 0, buffers));
  out->data = buffers->data;
  return ADL_OK;
}

static bool host_wanted(const adl_call *call, int32_t slot) {
  (void)call, (void)slot;
  return true;
}

static void host_report_number(const adl_call *call, adl_report *report, const char *over, const char *name,
                               double value, double low, double high) {
  (void)report;
  ck_assert_msg(isfinite(value), "%s/%s is %g", over, name, value);
  ck_assert_int_eq(isnan(low), isnan(high));
  g_string_append_printf(stage_of(call)->reported, "%s/%s=%.17g %.17g %.17g\n", over, name, value, low, high);
}

static void host_report_text(const adl_call *call, adl_report *report, const char *name, const char *text) {
  (void)report;
  g_string_append_printf(stage_of(call)->reported, "%s=%s\n", name, text);
}

static void host_report_table(const adl_call *call, adl_report *report, const char *name, int32_t columns,
                              const char *const *titles, int64_t rows, const char *const *cells) {
  (void)report;
  GString *to = stage_of(call)->reported;
  g_string_append_printf(to, "%s\n", name);
  for (int32_t i = 0; i < columns; i++) g_string_append_printf(to, "%s|", titles[i]);
  for (int64_t i = 0; i < rows * columns; i++)
    g_string_append_printf(to, "%s%s|", i % columns == 0 ? "\n" : "", cells[i]);
  g_string_append_c(to, '\n');
}

static void host_report_plot(const adl_call *call, adl_report *report, const adl_plot *plot) {
  (void)report;
  const adl_series *series = plot->series[0];
  for (int64_t i = 0; i < series->count; i++) ck_assert(isfinite(series->x[i]) && isfinite(series->y[i]));
  g_string_append_printf(stage_of(call)->reported, "plot %s: %d points\n", plot->name, (int)series->count);
}

static adl_status run_step(learner_stage *stage, const adl_fold *fold, const adl_batch *batch, adl_tensors *partial) {
  context *inner = begin(stage);
  adl_status status = fold->step(&inner->call, stage->self, fold->context, batch, partial);
  end(inner);
  return status;
}

static adl_status run_merge(learner_stage *stage, const adl_fold *fold, adl_tensors *into, adl_tensors *from) {
  const char *why = NULL;
  if (fold->merge == NULL) {
    ck_assert_msg(adl_tensors_add(into, from, &why), "%s", why);
    return ADL_OK;
  }
  context *inner = begin(stage);
  adl_status status = fold->merge(&inner->call, stage->self, fold->context, into, from);
  end(inner);
  return status;
}

/* The lanes of a fold. */
static adl_status host_fold(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total) {
  learner_stage *stage = stage_of(call);
  adl_tensors *lanes[16] = {0};
  adl_status status = ADL_OK;
  bool in_order = (fold->flags & ADL_FOLD_IN_ORDER) != 0;
  piece taken;
  stage->folds++;
  for (int i = 0; i < stage->lanes; i++) lanes[i] = adl_tensors_like(total);
  for (int64_t first = 0, number = 0; first < count_of(rows->of) && status == ADL_OK; number++) {
    piece_take(&taken, stage, rows->of, first);
    first += taken.batch.rows;
    status = run_step(stage, fold, &taken.batch, in_order ? total : lanes[number % stage->lanes]);
    piece_drop(&taken, stage);
  }
  for (int i = 0; i < stage->lanes; i++) {
    if (!in_order && status == ADL_OK) status = run_merge(stage, fold, total, lanes[i]);
    adl_tensors_free(lanes[i]);
  }
  return status;
}

static const adl_host host = {
    .struct_size = sizeof host,
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .threads = 1,
    .fail = host_fail,
    .reject = host_reject,
    .log = host_log,
    .progress = host_progress,
    .cancelled = host_cancelled,
    .alloc = host_alloc,
    .random_key = host_random_key,
    .parallel = host_parallel,
    .split = host_split,
    .online = host_online,
    .declare = host_declare,
    .dimension_name = host_dimension_name,
    .tensor = host_tensor,
    .find_tensor = host_find_tensor,
    .drop_tensor = host_drop_tensor,
    .scratch_tensors = host_scratch_tensors,
    .table = host_table,
    .table_count = adl_table_count,
    .table_insert = adl_table_insert,
    .table_find = adl_table_find,
    .table_row = host_table_row,
    .table_key = adl_table_key,
    .fold = host_fold,
    .reserve = host_reserve,
    .wanted = host_wanted,
    .report_number = host_report_number,
    .report_text = host_report_text,
    .report_table = host_report_table,
    .report_plot = host_report_plot,
};

/* ---- the stage ---- */

static int32_t choice_of(const adl_param *param, const char *text) {
  char **choices = g_strsplit(param->choices, "|", -1);
  int32_t at = 0;
  while (choices[at] != NULL && strcmp(choices[at], text) != 0) at++;
  ck_assert_msg(choices[at] != NULL, "%s: no choice is called %s", param->name, text);
  g_strfreev(choices);
  return at;
}

static void set_text(learner_stage *stage, const adl_param *param, const char *text) {
  void *field = (char *)stage->self + param->offset;
  switch (param->type) {
    case ADL_PARAM_BOOL: *(bool *)field = strcmp(text, "true") == 0; break;
    case ADL_PARAM_INT: *(int64_t *)field = g_ascii_strtoll(text, NULL, 10); break;
    case ADL_PARAM_FLOAT: *(double *)field = g_ascii_strtod(text, NULL); break;
    case ADL_PARAM_CHOICE: *(int32_t *)field = choice_of(param, text); break;
    case ADL_PARAM_NEW_COLUMN: *(adl_output *)field = (adl_output){.name = text, .slot = -1}; break;
    default: ck_abort_msg("%s has a type that these tests do not know", param->name);
  }
}

static void set_columns(learner_stage *stage, const adl_param *param, const learner_rows *rows) {
  void *field = (char *)stage->self + param->offset;
  adl_input *found = g_new0(adl_input, 8);
  int64_t count = 0;
  char *prefix = g_strdup_printf("%s:", param->name);
  for (int i = 0; i < rows->count; i++) {
    bool listed = g_str_has_prefix(rows->names[i], prefix);
    if (!listed && strcmp(rows->names[i], param->name) != 0) continue;
    adl_type type = rows->columns[i]->view.type;
    ck_assert_msg(param->elements == 0 || (param->elements & ADL_MASK(type.element)) != 0, "%s: element", param->name);
    found[count++] = (adl_input){.name = rows->names[i] + (listed ? strlen(prefix) : 0), .type = type, .slot = i};
  }
  if (param->flags & ADL_LIST_OF) {
    stage->by = *(adl_inputs *)field = (adl_inputs){count, found};
  } else {
    ck_assert_msg(count == 1 || !(param->flags & ADL_REQUIRED), "no column %s", param->name);
    *(adl_input *)field = count == 1 ? found[0] : (adl_input){.slot = -1};
    g_free(found);
  }
  g_free(prefix);
}

static const adl_param *find_param(const adl_class *class, const char *name) {
  for (uint32_t i = 0; i < class->param_count; i++)
    if (strcmp(class->params[i].name, name) == 0) return &class->params[i];
  ck_abort_msg("%s has no parameter %s", class->id, name);
  return NULL;
}

learner_stage *learner_new(const adl_class *class, const learner_rows *rows, adl_status *status, ...) {
  learner_stage *stage = g_new0(learner_stage, 1);
  *stage = (learner_stage){.class = class, .self = g_malloc0(class->instance_size), .batch_rows = 64, .lanes = 3};
  stage->model = (adl_model){.struct_size = sizeof(adl_model), .tensors = adl_tensors_new()};
  stage->failed = g_string_new("");
  stage->warned = g_string_new("");
  stage->reported = g_string_new("");
  stage->rejected = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  stage->scores = g_array_new(FALSE, FALSE, sizeof(float));
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    if (param->type == ADL_PARAM_COLUMN || param->type == ADL_PARAM_MATRIX)
      set_columns(stage, param, rows);
    else if (param->default_value != NULL)
      set_text(stage, param, param->default_value);
  }
  va_list pairs;
  va_start(pairs, status);
  for (const char *name; (name = va_arg(pairs, const char *)) != NULL;)
    set_text(stage, find_param(class, name), va_arg(pairs, const char *));
  va_end(pairs);
  context *inner = begin(stage);
  adl_status bound = class->bind != NULL ? class->bind(&inner->call, stage->self) : ADL_OK;
  if (bound == ADL_OK && class->start != NULL) bound = class->start(&inner->call, stage->self);
  end(inner);
  if (status != NULL)
    *status = bound;
  else
    ck_assert_msg(bound == ADL_OK, "%s", stage->failed->str);
  return stage;
}

void learner_free(learner_stage *stage) {
  g_free((void *)stage->by.items);
  g_free(stage->self);
  adl_tensors_free(stage->model.tensors);
  g_string_free(stage->failed, TRUE);
  g_string_free(stage->warned, TRUE);
  g_string_free(stage->reported, TRUE);
  g_hash_table_destroy(stage->rejected);
  g_array_free(stage->scores, TRUE);
  g_free(stage);
}

adl_status learner_init(learner_stage *stage) {
  context *inner = begin(stage);
  adl_status status = stage->class->init(&inner->call, stage->self, &stage->model);
  end(inner);
  return status;
}

adl_status learner_fit(learner_stage *stage, const learner_rows *rows) {
  context *inner = begin(stage);
  adl_rows given = {rows};
  adl_status status = stage->class->fit(&inner->call, stage->self, &given, &stage->model);
  end(inner);
  return status;
}

static adl_status run_batches(learner_stage *stage, const learner_rows *rows, bool learning) {
  adl_status status = ADL_OK;
  piece taken;
  for (int64_t first = 0; first < count_of(rows) && status == ADL_OK;) {
    piece_take(&taken, stage, rows, first);
    first += taken.batch.rows;
    context *inner = begin(stage);
    adl_out out = {.builder = adl_builder_new(adl_type_scalar(ADL_FLOAT32, ADL_NUMBER))};
    status = learning ? stage->class->learn(&inner->call, stage->self, &stage->model, &taken.batch, &out)
                      : stage->class->process(&inner->call, stage->self, &stage->model, &taken.batch, &out);
    if (status == ADL_OK) g_array_append_vals(stage->scores, out.data, (guint)taken.batch.rows);
    adl_builder_free(out.builder);
    end(inner);
    piece_drop(&taken, stage);
  }
  return status;
}

adl_status learner_learn(learner_stage *stage, const learner_rows *rows) { return run_batches(stage, rows, true); }

adl_status learner_process(learner_stage *stage, const learner_rows *rows) {
  context *inner = begin(stage);
  adl_status status = stage->class->prepare(&inner->call, stage->self, &stage->model, &stage->model.prepared);
  end(inner);
  return status == ADL_OK ? run_batches(stage, rows, false) : status;
}

const char *learner_report(learner_stage *stage) {
  context *inner = begin(stage);
  g_string_truncate(stage->reported, 0);
  ck_assert_int_eq(stage->class->report(&inner->call, stage->self, &stage->model, NULL), ADL_OK);
  end(inner);
  return stage->reported->str;
}

void learner_forget(learner_stage *stage) { g_array_set_size(stage->scores, 0); }

/* ---- looking ---- */

float learner_score(const learner_stage *stage, int64_t row) {
  ck_assert_int_lt(row, stage->scores->len);
  return g_array_index(stage->scores, float, row);
}

double learner_value(const learner_stage *stage, const char *name, int64_t at) {
  adl_tensor tensor;
  if (!adl_tensors_find(stage->model.tensors, name, &tensor)) ck_abort_msg("no tensor %s", name);
  ck_assert_int_eq(tensor.element, ADL_FLOAT64);
  ck_assert_int_lt(at, tensor.count);
  return ((const double *)tensor.data)[at];
}

double learner_reported(const learner_stage *stage, const char *name, double *low, double *high) {
  char *pattern = g_strdup_printf("%s=", name), *line = NULL, *end_of = NULL;
  char **lines = g_strsplit(stage->reported->str, "\n", -1);
  for (char **at = lines; *at != NULL; at++)
    if (g_str_has_prefix(*at, pattern)) line = *at + strlen(pattern);
  ck_assert_msg(line != NULL, "the report has no %s; it says\n%s", name, stage->reported->str);
  double value = g_ascii_strtod(line, &end_of), lowest = g_ascii_strtod(end_of, &end_of);
  if (low != NULL) *low = lowest;
  if (high != NULL) *high = g_ascii_strtod(end_of, NULL);
  g_strfreev(lines);
  g_free(pattern);
  return value;
}

bool learner_same_model(const learner_stage *a, const learner_stage *b) {
  const char *name;
  adl_tensor left, right;
  int32_t number = 0;
  for (; adl_tensors_at(a->model.tensors, number, &name, &left); number++) {
    if (!adl_tensors_find(b->model.tensors, name, &right)) return false;
    if (left.element != right.element || left.count != right.count) return false;
    if (memcmp(left.data, right.data, (size_t)(left.count * adl_tensor_element_size((adl_element)left.element))) != 0)
      return false;
  }
  return number > 0 && !adl_tensors_at(b->model.tensors, number, &name, &right);
}
