#include "tests/plugins/fake_fit_host.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/tensors.h"

struct adl_rows {
  const fake_matrix *matrix;
};

struct adl_out {
  int64_t from; /* first row of the batch */
};

/* Behind call->core: memory and tensors to be freed when the call ends. */
typedef struct context {
  fake_stage *stage;
  adl_call call;
  void **blocks;
  size_t block_count;
  adl_tensors **sets;
  size_t set_count;
  adl_rows rows;
} context;

static const adl_host host;

static context *begin(fake_stage *stage) {
  context *into = calloc(1, sizeof *into);
  into->stage = stage;
  into->call = (adl_call){.struct_size = sizeof(adl_call), .host = &host, .core = into};
  return into;
}

static void end(context *of) {
  for (size_t i = 0; i < of->block_count; i++) free(of->blocks[i]);
  for (size_t i = 0; i < of->set_count; i++) adl_tensors_free(of->sets[i]);
  free(of->blocks);
  free(of->sets);
  free(of);
}

static context *of_call(const adl_call *call) { return call->core; }

static void append(char *to, size_t size, const char *format, ...) ADL_PRINTF(3, 4);
static void append(char *to, size_t size, const char *format, ...) {
  size_t used = strlen(to);
  va_list args;
  va_start(args, format);
  vsnprintf(to + used, size - used, format, args);
  va_end(args);
}

/* ---------------------------------------------------------------------------------------------------- host ---- */

static adl_status host_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                            const char *format, ...) {
  (void)offset;
  (void)hint;
  fake_stage *stage = of_call(call)->stage;
  int used = snprintf(stage->failed, sizeof stage->failed, "%s: ", parameter != NULL ? parameter : "");
  va_list args;
  va_start(args, format);
  vsnprintf(stage->failed + used, sizeof stage->failed - (size_t)used, format, args);
  va_end(args);
  return ADL_FAILED;
}

static void host_log(const adl_call *call, adl_level level, const char *format, ...) {
  if (level != ADL_WARNING) return;
  fake_stage *stage = of_call(call)->stage;
  size_t used = strlen(stage->warned);
  va_list args;
  va_start(args, format);
  vsnprintf(stage->warned + used, sizeof stage->warned - used, format, args);
  va_end(args);
  append(stage->warned, sizeof stage->warned, "\n");
}

static void host_progress(const adl_call *call, const char *what, double done, double total) {
  (void)call;
  ck_assert_ptr_nonnull(what);
  ck_assert_double_le(done, total);
}

static bool host_cancelled(const adl_call *call) {
  (void)call;
  return false;
}

static void *host_alloc(const adl_call *call, size_t size) {
  context *into = of_call(call);
  void *block = aligned_alloc(64, (size + 64) / 64 * 64);
  memset(block, 0xa5, size); /* not zeroed */
  into->blocks = realloc(into->blocks, (into->block_count + 1) * sizeof *into->blocks);
  into->blocks[into->block_count++] = block;
  return block;
}

static uint64_t host_random_key(const adl_call *call, const char *use) {
  (void)call;
  uint64_t key = 42;
  for (; *use != '\0'; use++) key = adl_random(key, (uint64_t)*use);
  return key;
}

static adl_status host_parallel(const adl_call *call, int64_t count,
                                adl_status (*body)(const adl_call *call, void *context, int64_t i), void *data) {
  for (int64_t i = count - 1; i >= 0; i--) {
    context *inner = begin(of_call(call)->stage);
    adl_status status = body(&inner->call, data, i);
    end(inner);
    if (status != ADL_OK) return status;
  }
  return ADL_OK;
}

static adl_status host_declare(const adl_call *call, adl_output *output, adl_type type) {
  fake_stage *stage = of_call(call)->stage;
  if (output->name == NULL) return ADL_OK;
  output->slot = stage->slots++;
  stage->types[output->slot] = type;
  return ADL_OK;
}

static adl_status host_set_width(const adl_call *call, int32_t slot, int64_t width) {
  of_call(call)->stage->types[slot].width = width;
  return ADL_OK;
}

static int64_t host_dimension_name(const adl_call *call, const adl_input *input, int64_t dimension, char *buffer,
                                   size_t size) {
  (void)call;
  (void)input;
  return snprintf(buffer, size, "feature-%c", (char)('a' + dimension % 26));
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

static void host_drop_tensor(const adl_call *call, adl_tensors *tensors, const char *name) {
  (void)call;
  adl_tensors_drop(tensors, name);
}

static adl_tensors *host_scratch_tensors(const adl_call *call) {
  context *into = of_call(call);
  into->sets = realloc(into->sets, (into->set_count + 1) * sizeof *into->sets);
  return into->sets[into->set_count++] = adl_tensors_new();
}

static adl_status host_reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                               int64_t bytes, adl_buffers *buffers) {
  (void)items;
  (void)bytes;
  fake_stage *stage = of_call(call)->stage;
  adl_type type = stage->types[slot];
  size_t row = (size_t)adl_tensor_element_size((adl_element)type.element);
  if (type.shape == ADL_VECTOR) row *= (size_t)type.width;
  stage->columns[slot] = realloc(stage->columns[slot], (size_t)(out->from + rows) * row + 1);
  *buffers = (adl_buffers){.data = (char *)stage->columns[slot] + (size_t)out->from * row};
  return ADL_OK;
}

static void host_report_number(const adl_call *call, adl_report *report, const char *over, const char *name,
                               double value, double low, double high) {
  (void)report;
  (void)low;
  (void)high;
  append(of_call(call)->stage->reported, sizeof of_call(call)->stage->reported, "%s/%s=%.17g\n", over, name, value);
}

static void host_report_text(const adl_call *call, adl_report *report, const char *name, const char *text) {
  (void)report;
  append(of_call(call)->stage->reported, sizeof of_call(call)->stage->reported, "%s=%s\n", name, text);
}

static void host_report_table(const adl_call *call, adl_report *report, const char *name, int32_t columns,
                              const char *const *titles, int64_t rows, const char *const *cells) {
  (void)report;
  char *to = of_call(call)->stage->reported;
  size_t size = sizeof of_call(call)->stage->reported;
  append(to, size, "%s\n", name);
  for (int32_t c = 0; c < columns; c++) append(to, size, "%s|", titles[c]);
  for (int64_t i = 0; i < rows * columns; i++) append(to, size, "%s%s|", i % columns == 0 ? "\n" : "", cells[i]);
  append(to, size, "\n");
}

static void host_report_plot(const adl_call *call, adl_report *report, const adl_plot *plot) {
  const adl_series *series = plot->series[0];
  (void)report;
  append(of_call(call)->stage->reported, sizeof of_call(call)->stage->reported, "plot %s: %lld points, last %g\n",
         plot->name, (long long)series->count, series->y[series->count - 1]);
}

/* ------------------------------------------------------------------------------------------------- matrices ---- */

fake_matrix fake_sparse_of(const fake_matrix *dense) {
  int64_t all = dense->rows * dense->width, at = 0;
  float *values = malloc((size_t)all * sizeof *values);
  uint32_t *index = malloc((size_t)all * sizeof *index);
  int32_t *offsets = malloc((size_t)(dense->rows + 1) * sizeof *offsets);
  for (int64_t r = 0; r < dense->rows; r++) {
    offsets[r] = (int32_t)at;
    for (int64_t i = 0; i < dense->width; i++) {
      if (dense->values[r * dense->width + i] == 0) continue;
      index[at] = (uint32_t)i;
      values[at++] = dense->values[r * dense->width + i];
    }
  }
  offsets[dense->rows] = (int32_t)at;
  return (fake_matrix){dense->rows, dense->width, values, offsets, index};
}

void fake_sparse_free(fake_matrix *sparse) {
  free((void *)sparse->values);
  free((void *)sparse->index);
  free((void *)sparse->offsets);
}

adl_column fake_column_of(const fake_matrix *matrix) {
  adl_column column = {.struct_size = sizeof column,
                       .rows = matrix->rows,
                       .data = matrix->values,
                       .index = matrix->index,
                       .offsets = matrix->offsets};
  column.type = (adl_type){.element = ADL_FLOAT32, .width = matrix->width};
  column.type.shape = matrix->offsets != NULL ? ADL_SPARSE : ADL_VECTOR;
  return column;
}

/* ---------------------------------------------------------------------------------------------------- folds ---- */

/* Rows from .. from + count - 1 as a batch of the features alone, with buffers of their own: reading outside of them is
 * noticed by the sanitizers. */
typedef struct slice {
  adl_column column;
  const adl_column *slots[1];
  adl_batch batch;
  float *values;
  uint32_t *index;
  int32_t *offsets;
} slice;

static void slice_make(slice *into, const fake_matrix *matrix, int64_t from, int64_t count) {
  bool sparse = matrix->offsets != NULL;
  int64_t begin_at = sparse ? matrix->offsets[from] : from * matrix->width;
  int64_t end_at = sparse ? matrix->offsets[from + count] : (from + count) * matrix->width;
  size_t values = (size_t)(end_at - begin_at);
  *into = (slice){.values = malloc(values * sizeof(float) + 1)};
  if (values > 0) memcpy(into->values, matrix->values + begin_at, values * sizeof(float));
  if (sparse) {
    into->index = malloc(values * sizeof(uint32_t) + 1);
    if (values > 0) memcpy(into->index, matrix->index + begin_at, values * sizeof(uint32_t));
    into->offsets = malloc((size_t)(count + 1) * sizeof(int32_t));
    for (int64_t r = 0; r <= count; r++) into->offsets[r] = matrix->offsets[from + r] - matrix->offsets[from];
  }
  into->column = fake_column_of(&(fake_matrix){count, matrix->width, into->values, into->offsets, into->index});
  into->slots[0] = &into->column;
  into->batch = (adl_batch){
      .struct_size = sizeof(adl_batch), .slot_count = 1, .rows = count, .ordinal = from, .slots = into->slots};
}

static void slice_free(slice *of) {
  free(of->values);
  free(of->index);
  free(of->offsets);
}

static void zero(adl_tensors *tensors) {
  const char *name;
  adl_tensor tensor;
  for (int32_t i = 0; adl_tensors_at(tensors, i, &name, &tensor); i++)
    memset(tensor.data, 0, (size_t)(tensor.count * adl_tensor_element_size((adl_element)tensor.element)));
}

static adl_status merge(fake_stage *stage, const adl_fold *fold, adl_tensors *into, adl_tensors *from) {
  if (fold->merge == NULL) {
    const char *why = NULL;
    if (!adl_tensors_add(into, from, &why)) ck_abort_msg("%s", why);
    return ADL_OK;
  }
  context *inner = begin(stage);
  adl_status status = fold->merge(&inner->call, stage->self, fold->context, into, from);
  end(inner);
  return status;
}

static adl_status run_step(fake_stage *stage, const adl_fold *fold, const fake_matrix *matrix, int64_t from,
                           adl_tensors *partial) {
  int64_t count = matrix->rows - from < stage->batch_rows ? matrix->rows - from : stage->batch_rows;
  slice rows;
  slice_make(&rows, matrix, from, count);
  context *inner = begin(stage);
  adl_status status = fold->step(&inner->call, stage->self, fold->context, &rows.batch, partial);
  end(inner);
  slice_free(&rows);
  return status;
}

static adl_status host_fold(const adl_call *call, adl_rows *rows, const adl_fold *fold, adl_tensors *total) {
  fake_stage *stage = of_call(call)->stage;
  adl_tensors *lane[16];
  bool used[16] = {false};
  adl_status status = ADL_OK;
  stage->folds++;
  for (int i = 0; i < stage->lanes; i++) {
    lane[i] = adl_tensors_like(total);
    zero(lane[i]);
  }
  for (int64_t from = 0, b = 0; from < rows->matrix->rows && status == ADL_OK; from += stage->batch_rows, b++) {
    status = run_step(stage, fold, rows->matrix, from, lane[b % stage->lanes]);
    used[b % stage->lanes] = true;
  }
  for (int step = 1; step < stage->lanes && status == ADL_OK; step *= 2)
    for (int i = 0; i + step < stage->lanes && status == ADL_OK; i += 2 * step)
      if (used[i + step]) status = merge(stage, fold, lane[i], lane[i + step]);
  zero(total);
  if (status == ADL_OK && used[0]) status = merge(stage, fold, total, lane[0]);
  for (int i = 0; i < stage->lanes; i++) adl_tensors_free(lane[i]);
  return status;
}

static const adl_host host = {
    .struct_size = sizeof host,
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .threads = 1,
    .fail = host_fail,
    .log = host_log,
    .progress = host_progress,
    .cancelled = host_cancelled,
    .alloc = host_alloc,
    .random_key = host_random_key,
    .parallel = host_parallel,
    .declare = host_declare,
    .set_width = host_set_width,
    .dimension_name = host_dimension_name,
    .tensor = host_tensor,
    .find_tensor = host_find_tensor,
    .drop_tensor = host_drop_tensor,
    .scratch_tensors = host_scratch_tensors,
    .fold = host_fold,
    .reserve = host_reserve,
    .report_number = host_report_number,
    .report_text = host_report_text,
    .report_table = host_report_table,
    .report_plot = host_report_plot,
};

/* --------------------------------------------------------------------------------------------------- stages ---- */

static int32_t choice_of(const char *choices, const char *text) {
  int32_t number = 0;
  for (const char *at = choices;; number++) {
    size_t size = strcspn(at, "|");
    if (strlen(text) == size && strncmp(at, text, size) == 0) return number;
    if (at[size] == '\0') break;
    at += size + 1;
  }
  ck_abort_msg("no choice %s in %s", text, choices);
  return -1;
}

static void set_parameter(void *self, const adl_param *param, const char *text, const fake_matrix *features) {
  void *field = (char *)self + param->offset;
  switch (param->type) {
    case ADL_PARAM_INT:
      if (text != NULL) *(int64_t *)field = strtoll(text, NULL, 10);
      break;
    case ADL_PARAM_FLOAT:
      if (text != NULL) *(double *)field = strtod(text, NULL);
      break;
    case ADL_PARAM_CHOICE:
      if (text != NULL) *(int32_t *)field = choice_of(param->choices, text);
      break;
    case ADL_PARAM_PATH_IN: *(const char **)field = text; break;
    case ADL_PARAM_NEW_COLUMN: *(adl_output *)field = (adl_output){.name = text, .slot = -1}; break;
    case ADL_PARAM_MATRIX:
      *(adl_input *)field = (adl_input){.name = param->name, .slot = 0};
      ((adl_input *)field)->type = (adl_type){.element = ADL_FLOAT32, .width = features->width};
      ((adl_input *)field)->type.shape = features->offsets != NULL ? ADL_SPARSE : ADL_VECTOR;
      break;
    default: ck_abort_msg("parameter %s has a type that this host cannot set", param->name);
  }
}

static void set_parameters(fake_stage *stage, const fake_matrix *features, va_list pairs) {
  const adl_class *class = stage->class;
  for (uint32_t i = 0; i < class->param_count; i++) {
    const adl_param *param = &class->params[i];
    bool plain = param->type != ADL_PARAM_NEW_COLUMN || (param->flags & ADL_PLAIN_NAME) != 0;
    set_parameter(stage->self, param, plain ? param->default_value : NULL, features);
  }
  for (const char *name; (name = va_arg(pairs, const char *)) != NULL;) {
    const char *text = va_arg(pairs, const char *);
    uint32_t at = 0;
    while (at < class->param_count && strcmp(class->params[at].name, name) != 0) at++;
    if (at == class->param_count) ck_abort_msg("%s has no parameter %s", class->id, name);
    set_parameter(stage->self, &class->params[at], text, features);
  }
}

fake_stage *fake_stage_new(const adl_class *class, const fake_matrix *features, ...) {
  fake_stage *stage = calloc(1, sizeof *stage);
  stage->class = class;
  stage->self = calloc(1, class->instance_size);
  stage->model_tensors = adl_tensors_new();
  stage->model = (adl_model){.struct_size = sizeof(adl_model), .tensors = stage->model_tensors};
  stage->lanes = 3;
  stage->batch_rows = 64;
  va_list pairs;
  va_start(pairs, features);
  set_parameters(stage, features, pairs);
  va_end(pairs);
  context *inner = begin(stage);
  if (class->create(&inner->call, stage->self) != ADL_OK) ck_abort_msg("create: %s", stage->failed);
  if (class->bind(&inner->call, stage->self) != ADL_OK) stage->slots = -1; /* stage->failed says why */
  end(inner);
  return stage;
}

void fake_stage_free(fake_stage *stage) {
  if (stage->model.prepared != NULL) stage->class->release(stage->self, stage->model.prepared);
  for (size_t i = 0; i < sizeof stage->columns / sizeof stage->columns[0]; i++) free(stage->columns[i]);
  adl_tensors_free(stage->model_tensors);
  free(stage->self);
  free(stage);
}

const adl_call *fake_call_begin(fake_stage *stage, const fake_matrix *rows, adl_rows **out) {
  context *into = begin(stage);
  into->rows.matrix = rows;
  *out = &into->rows;
  return &into->call;
}

void fake_call_end(const adl_call *call) { end(of_call(call)); }

adl_status fake_fit(fake_stage *stage, const fake_matrix *rows) {
  adl_rows *over;
  const adl_call *call = fake_call_begin(stage, rows, &over);
  adl_status status = stage->class->fit(call, stage->self, over, &stage->model);
  fake_call_end(call);
  return status;
}

adl_status fake_process(fake_stage *stage, const fake_matrix *rows) {
  context *inner = begin(stage);
  if (stage->model.prepared != NULL) stage->class->release(stage->self, stage->model.prepared);
  stage->model.prepared = NULL;
  adl_status status = stage->class->prepare(&inner->call, stage->self, &stage->model, &stage->model.prepared);
  end(inner);
  for (int64_t from = 0; from < rows->rows && status == ADL_OK; from += stage->batch_rows) {
    int64_t count = rows->rows - from < stage->batch_rows ? rows->rows - from : stage->batch_rows;
    slice part;
    slice_make(&part, rows, from, count);
    adl_out out = {from};
    inner = begin(stage);
    status = stage->class->process(&inner->call, stage->self, &stage->model, &part.batch, &out);
    end(inner);
    slice_free(&part);
  }
  return status;
}

adl_status fake_report(fake_stage *stage) {
  context *inner = begin(stage);
  stage->reported[0] = '\0';
  adl_status status = stage->class->report(&inner->call, stage->self, &stage->model, NULL);
  end(inner);
  return status;
}

/* -------------------------------------------------------------------------------------------------- looking ---- */

adl_tensor fake_tensor(const fake_stage *stage, const char *name) {
  adl_tensor tensor;
  if (!adl_tensors_find(stage->model_tensors, name, &tensor)) ck_abort_msg("the model has no tensor %s", name);
  return tensor;
}

double fake_number(const fake_stage *stage, const char *name, int64_t at) {
  adl_tensor tensor = fake_tensor(stage, name);
  ck_assert_int_lt(at, tensor.count);
  switch (tensor.element) {
    case ADL_FLOAT32: return (double)((const float *)tensor.data)[at];
    case ADL_FLOAT64: return ((const double *)tensor.data)[at];
    case ADL_INT64: return (double)((const int64_t *)tensor.data)[at];
    default: ck_abort_msg("tensor %s has no numbers", name);
  }
  return 0;
}

double fake_reported(const fake_stage *stage, const char *name) {
  char pattern[128];
  snprintf(pattern, sizeof pattern, "%s=", name);
  const char *at = strstr(stage->reported, pattern);
  if (at == NULL) ck_abort_msg("the report has no %s; it says\n%s", name, stage->reported);
  return strtod(at + strlen(pattern), NULL);
}
