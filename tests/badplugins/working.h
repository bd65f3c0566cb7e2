/*
 * A class that works, for the plugins in this folder to spoil: it adds an int64 column that holds `number` in every row.
 * Each plugin here is wrong in one way, said at its top; tests/plugin and tests/engine check what adloom says about it.
 */
#ifndef ADLOOM_TESTS_BADPLUGINS_WORKING_H
#define ADLOOM_TESTS_BADPLUGINS_WORKING_H

#include <adloom/plugin.h>

typedef struct working {
  int64_t number;
  adl_output as;
} working;

static inline adl_status working_bind(const adl_call *call, void *self) {
  working *own = self;
  adl_type type = {.element = ADL_INT64, .shape = ADL_SCALAR, .role = ADL_NUMBER};
  return call->host->declare(call, &own->as, type);
}

static inline adl_status working_process(const adl_call *call, const void *self, const adl_model *model,
                                         const adl_batch *batch, adl_out *out) {
  (void)model;
  const working *own = self;
  adl_buffers buffers;
  if (own->as.slot < 0) return ADL_OK;
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &buffers));
  int64_t *values = buffers.data;
  for (int64_t i = 0; i < batch->rows; i++) values[i] = own->number;
  return ADL_OK;
}

/* Writes to address 0, out of sight of the optimiser and of sanitizers: what comes is SIGSEGV. */
static inline __attribute__((no_sanitize("address", "undefined"))) void working_crash(void) {
  volatile int *volatile nowhere = NULL;
  *nowhere = 1;
}

#define WORKING_PARAMS                                                                                                 \
  {.name = "number",                                                                                                   \
   .type = ADL_PARAM_INT,                                                                                              \
   .offset = offsetof(working, number),                                                                                \
   .default_value = "8",                                                                                               \
   .range = "[1, 100]",                                                                                                \
   .doc = "What every row gets."},                                                                                     \
  {                                                                                                                    \
    .name = "as", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(working, as),              \
    .default_value = "number", .doc = "Name of the new column."                                                        \
  }

#define PARAMS(table)                                                                                                  \
  .params = (table), .param_count = sizeof(table) / sizeof((table)[0]), .param_size = sizeof((table)[0])

/* Members of a class that works; a later designator of the same member would be a warning, so what differs between the
 * plugins (id, params, bind, process, and what some of them add) is not here. */
#define WORKING_CLASS                                                                                                  \
  .struct_size = sizeof(adl_class), .kind = ADL_FEATURE, .title = "A number in every row",                             \
  .doc = "Adds a column that holds the same number in every row.", .instance_size = sizeof(working)

#define WORKING_PLUGIN(plugin_id, list)                                                                                \
  .struct_size = sizeof(adl_plugin), .abi_major = ADL_ABI_MAJOR, .abi_minor = ADL_ABI_MINOR, .id = plugin_id,          \
  .version = "1.0.0", .licence = "Apache-2.0", .author = "the adloom tests", .home = "",                               \
  .class_count = sizeof(list) / sizeof((list)[0]), .classes = list

/* A whole plugin with one class, `spoiled`, whose id is the plugin's. */
#define WORKING_ENTRY(plugin_id)                                                                                       \
  static const adl_class *const classes[] = {&spoiled};                                                                \
  static const adl_plugin plugin = {WORKING_PLUGIN(plugin_id, classes)};                                               \
  ADL_PLUGIN(plugin_id, "1.0.0", "feature:" plugin_id, &plugin)

#endif
