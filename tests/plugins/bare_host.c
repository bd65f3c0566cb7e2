/* A host without an engine; see bare_host.h. */
#include "tests/plugins/bare_host.h"

#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/data/tensors.h"

static GPtrArray *blocks, *sets;
static char *failure;

/* Filled with rubbish, as scratch memory is not zeroed; aligned to 64 bytes. */
static void *bare_alloc(const adl_call *call, size_t size) {
  (void)call;
  if (blocks == NULL) blocks = g_ptr_array_new_with_free_func(free);
  void *memory = aligned_alloc(64, (size + 127) / 64 * 64);
  memset(memory, 0xa5, size);
  g_ptr_array_add(blocks, memory);
  return memory;
}

static adl_status bare_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                            const char *format, ...) {
  va_list list;
  (void)call;
  (void)offset;
  va_start(list, format);
  char *message = g_strdup_vprintf(format, list);
  va_end(list);
  g_free(failure);
  failure = g_strdup_printf("%s: %s (%s)", parameter != NULL ? parameter : "stage", message, hint != NULL ? hint : "");
  g_free(message);
  return ADL_FAILED;
}

static void *bare_tensor(const adl_call *call, adl_tensors *tensors, const char *name, adl_element element,
                         int32_t dimensions, const int64_t *size) {
  const char *why = NULL;
  (void)call;
  void *data = adl_tensors_get(tensors, name, element, dimensions, size, &why);
  if (data == NULL) g_error("tensor %s: %s", name, why);
  return data;
}

static bool bare_find_tensor(const adl_call *call, const adl_tensors *tensors, const char *name, adl_tensor *tensor) {
  (void)call;
  memset(tensor, 0, sizeof *tensor);
  return adl_tensors_find(tensors, name, tensor);
}

static bool bare_cancelled(const adl_call *call) {
  (void)call;
  return false;
}

static void bare_drop_tensor(const adl_call *call, adl_tensors *tensors, const char *name) {
  (void)call;
  adl_tensors_drop(tensors, name);
}

static adl_tensors *bare_scratch_tensors(const adl_call *call) {
  (void)call;
  if (sets == NULL) sets = g_ptr_array_new_with_free_func((GDestroyNotify)adl_tensors_free);
  g_ptr_array_add(sets, adl_tensors_new());
  return g_ptr_array_index(sets, sets->len - 1);
}

static adl_table *bare_table(const adl_call *call, adl_tensors *tensors, const char *name, int64_t width) {
  (void)call;
  return adl_tensors_table(tensors, name, width);
}

static const adl_table *bare_find_table(const adl_call *call, const adl_tensors *tensors, const char *name) {
  (void)call;
  return adl_tensors_find_table(tensors, name);
}

/* Backwards: bodies must not depend on their order. */
static adl_status bare_parallel(const adl_call *call, int64_t count,
                                adl_status (*body)(const adl_call *call, void *context, int64_t i), void *context) {
  adl_status status = ADL_OK;
  for (int64_t i = count - 1; i >= 0 && status == ADL_OK; i--) status = body(call, context, i);
  return status;
}

const adl_call *bare_call(void) {
  static const adl_host host = {
      .struct_size = sizeof host,
      .abi_major = ADL_ABI_MAJOR,
      .abi_minor = ADL_ABI_MINOR,
      .threads = 1,
      .fail = bare_fail,
      .cancelled = bare_cancelled,
      .alloc = bare_alloc,
      .parallel = bare_parallel,
      .tensor = bare_tensor,
      .find_tensor = bare_find_tensor,
      .drop_tensor = bare_drop_tensor,
      .scratch_tensors = bare_scratch_tensors,
      .table = bare_table,
      .find_table = bare_find_table,
      .table_count = adl_table_count,
      .table_insert = adl_table_insert,
      .table_find = adl_table_find,
      .table_row = adl_table_row,
      .table_key = adl_table_key,
  };
  static const adl_call call = {.struct_size = sizeof call, .host = &host};
  return &call;
}

const char *bare_failure(void) { return failure != NULL ? failure : ""; }

void bare_done(void) {
  g_clear_pointer(&blocks, g_ptr_array_unref);
  g_clear_pointer(&sets, g_ptr_array_unref);
  g_clear_pointer(&failure, g_free);
}
