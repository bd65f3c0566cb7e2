#include "tests/sketches/server_host.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Atomic int64_t server_alive;

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why != NULL ? why : "");
  abort();
}

static void *new_bytes(size_t size) {
  size_t padded = (size + 127) / 64 * 64;
  void *memory = aligned_alloc(64, padded);
  if (memory == NULL) die("server", "no memory");
  return memset(memory, 0, padded);
}

/* ---- tensors: a list ---- */

typedef struct named {
  char name[32];
  adl_tensor tensor;
  struct named *next;
} named;

struct adl_tensors {
  named *first;
};

static size_t element_size(int32_t element) { return element == ADL_FLOAT32 || element == ADL_INT32 ? 4 : 8; }

static named *look_up(const adl_tensors *tensors, const char *name) {
  named *one = tensors->first;
  while (one != NULL && strcmp(one->name, name) != 0) one = one->next;
  return one;
}

static void *host_tensor(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element,
                         int32_t dimensions, const int64_t *size) {
  named *one = look_up(tensors, name);
  (void)call;
  if (one == NULL) {
    one = new_bytes(sizeof *one);
    snprintf(one->name, sizeof one->name, "%s", name);
    one->tensor = (adl_tensor){.element = (int32_t)element, .dimensions = dimensions, .count = 1};
    for (int32_t d = 0; d < dimensions; d++) one->tensor.count *= one->tensor.size[d] = size[d];
    one->tensor.data = new_bytes((size_t)one->tensor.count * element_size(one->tensor.element));
    one->next = tensors->first;
    tensors->first = one;
  }
  return one->tensor.data;
}

static bool host_find_tensor(const adl_call *call, const adl_tensors *tensors, const char *name, adl_tensor *tensor) {
  const named *one = look_up(tensors, name);
  (void)call;
  *tensor = one != NULL ? one->tensor : (adl_tensor){0};
  return one != NULL;
}

static void free_tensors(adl_tensors *tensors) {
  for (named *one = tensors->first, *next; one != NULL; one = next) {
    next = one->next;
    free(one->tensor.data);
    free(one);
  }
  free(tensors);
}

/* ---- the rest of the table ---- */

static server_answer *answer_of(const adl_call *call) { return call->core; }

static adl_status host_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                            const char *format, ...) {
  va_list list;
  (void)parameter, (void)offset, (void)hint;
  va_start(list, format);
  vsnprintf(answer_of(call)->said, sizeof answer_of(call)->said, format, list);
  va_end(list);
  return ADL_FAILED;
}

static void host_reject(const adl_call *call, int64_t row, const char *column, const char *format, ...) {
  (void)call, (void)row, (void)column, (void)format;
}

/* Scratch is what a tensor of its own is: freed when the call is over. */
static void *host_alloc(const adl_call *call, size_t size) {
  char name[32];
  int64_t count = (int64_t)size / 8 + 1;
  snprintf(name, sizeof name, "%p", (void *)answer_of(call)->scratch->first);
  return host_tensor(call, answer_of(call)->scratch, name, ADL_FLOAT64, 1, &count);
}

static uint64_t host_random_key(const adl_call *call, const char *use) {
  uint64_t key = 42;
  (void)call;
  for (; *use != '\0'; use++) key = adl_random(key, (uint64_t)(unsigned char)*use);
  return key;
}

static adl_status host_declare(const adl_call *call, adl_output *output, adl_type type) {
  (void)type;
  if (output->name != NULL) output->slot = answer_of(call)->stage->outputs++;
  return ADL_OK;
}

static adl_status host_reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                               int64_t bytes, adl_buffers *buffers) {
  (void)out, (void)rows, (void)items, (void)bytes;
  *buffers = (adl_buffers){.data = answer_of(call)->values[slot]};
  return ADL_OK;
}

static adl_status host_pick(const adl_call *call, adl_out *out, const int64_t *index, int64_t count) {
  (void)out;
  answer_of(call)->picked_count = count;
  memcpy(answer_of(call)->picked, index, (size_t)count * sizeof *index);
  return ADL_OK;
}

const adl_host *server_host(void) {
  static const adl_host host = {.struct_size = sizeof host,
                                .abi_major = ADL_ABI_MAJOR,
                                .abi_minor = ADL_ABI_MINOR,
                                .threads = 1,
                                .fail = host_fail,
                                .reject = host_reject,
                                .alloc = host_alloc,
                                .random_key = host_random_key,
                                .declare = host_declare,
                                .tensor = host_tensor,
                                .find_tensor = host_find_tensor,
                                .reserve = host_reserve,
                                .pick = host_pick};
  return &host;
}

void server_begin(server_answer *answer, server_stage *stage) {
  answer->stage = stage;
  answer->scratch = new_bytes(sizeof *answer->scratch);
  answer->said[0] = '\0';
  answer->call = (adl_call){.struct_size = sizeof answer->call, .host = server_host(), .core = answer};
}

void server_end(server_answer *answer) { free_tensors(answer->scratch); }

/* ---- stages ---- */

/* The parameters of a class, from its table. */
static void fill(server_stage *stage, const adl_param *param) {
  static const adl_type matrix = {.element = ADL_FLOAT32, .shape = ADL_VECTOR, .width = SERVER_FEATURES};
  static adl_input request = {.name = "request", .type = {.element = ADL_INT64}, .slot = SERVER_SLOT_REQUEST};
  static const adl_input label = {.name = "label", .type = {.element = ADL_FLOAT64}, .slot = SERVER_SLOT_LABEL};
  static const adl_input score = {.name = "score", .type = {.element = ADL_FLOAT32}, .slot = SERVER_SLOT_SCORE};
  void *field = (char *)stage->self + param->offset;
  switch (param->type) {
    case ADL_PARAM_MATRIX: *(adl_input *)field = (adl_input){param->name, matrix, SERVER_SLOT_MATRIX, 0}; break;
    case ADL_PARAM_COLUMN:
      if ((param->flags & ADL_GROUP_KEY) != 0)
        *(adl_inputs *)field = (adl_inputs){1, &request};
      else
        *(adl_input *)field = (param->flags & ADL_LEARN_ONLY) != 0 ? label : score;
      break;
    case ADL_PARAM_FLOAT: *(double *)field = strtod(param->default_value, NULL); break;
    case ADL_PARAM_NEW_COLUMN:
      *(adl_output *)field = (adl_output){(param->flags & ADL_PLAIN_NAME) != 0 ? param->default_value : NULL, -1, 0};
      break;
    default: die(param->name, "a parameter that this server does not know");
  }
}

server_stage *server_open(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  void *symbol = library != NULL ? dlsym(library, "adl_plugin_entry") : NULL;
  if (symbol == NULL) die(path, dlerror());
  adl_plugin_entry_function entry;
  memcpy(&entry, &symbol, sizeof entry);
  const adl_plugin *plugin = entry(server_host());
  if (plugin == NULL) die(path, "declines");
  server_stage *stage = new_bytes(sizeof *stage);
  stage->class = plugin->classes[0];
  stage->self = new_bytes(stage->class->instance_size);
  atomic_init(&stage->references, 1);
  atomic_fetch_add(&server_alive, 1);
  for (uint32_t i = 0; i < stage->class->param_count; i++) fill(stage, &stage->class->params[i]);
  server_answer answer;
  server_begin(&answer, stage);
  if (stage->class->create != NULL && stage->class->create(&answer.call, stage->self) != ADL_OK) die(path, answer.said);
  if (stage->class->bind(&answer.call, stage->self) != ADL_OK) die(path, answer.said);
  if (stage->class->start != NULL && stage->class->start(&answer.call, stage->self) != ADL_OK) die(path, answer.said);
  server_end(&answer);
  return stage;
}

void server_close(server_stage *stage) {
  if (atomic_fetch_sub(&stage->references, 1) != 1) return;
  if (stage->class->destroy != NULL) stage->class->destroy(stage->self);
  free(stage->self);
  free(stage);
  atomic_fetch_sub(&server_alive, 1);
}

/* ---- models ---- */

static server_model *bare_model(server_stage *stage) {
  server_model *model = new_bytes(sizeof *model);
  model->stage = stage;
  model->model = (adl_model){.struct_size = sizeof model->model, .tensors = new_bytes(sizeof(adl_tensors))};
  atomic_init(&model->references, 1);
  atomic_fetch_add(&stage->references, 1);
  atomic_fetch_add(&server_alive, 1);
  return model;
}

server_model *server_model_new(server_stage *stage) {
  server_model *model = bare_model(stage);
  server_answer answer;
  server_begin(&answer, stage);
  if (stage->class->init(&answer.call, stage->self, &model->model) != ADL_OK) die("init", answer.said);
  server_end(&answer);
  return model;
}

server_model *server_model_copy(const server_model *of, server_stage *to) {
  server_model *model = bare_model(to);
  server_answer answer;
  server_begin(&answer, to);
  for (const named *one = of->model.tensors->first; one != NULL; one = one->next) {
    const adl_tensor *tensor = &one->tensor;
    void *data = host_tensor(&answer.call, model->model.tensors, one->name, (adl_element)tensor->element,
                             tensor->dimensions, tensor->size);
    memcpy(data, tensor->data, (size_t)tensor->count * element_size(tensor->element));
  }
  if (to->class->prepare != NULL &&
      to->class->prepare(&answer.call, to->self, &model->model, &model->model.prepared) != ADL_OK)
    die("prepare", answer.said);
  server_end(&answer);
  return model;
}

void server_model_release(server_model *model) {
  if (atomic_fetch_sub(&model->references, 1) != 1) return;
  if (model->stage->class->release != NULL) model->stage->class->release(model->stage->self, model->model.prepared);
  free_tensors(model->model.tensors);
  server_close(model->stage);
  free(model);
  atomic_fetch_sub(&server_alive, 1);
}
