/*
 * acme.template, a transform: keeps the rows in which a number lies between two bounds.
 * To read: what users may say (params), what happens to rows (process), and the class. <adloom/plugin.h> tells more of
 * every name here; `make check` tests it.
 */
#include <adloom/plugin.h>

/* The instance: the core fills in the parameters, at the offsets that the table below says. */
typedef struct template_stage {
  adl_input column;
  double low, high;
} template_stage;

/* What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table. */
static const adl_param params[] = {
    {.name = "column", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, column),
     .elements = ADL_ANY_NUMERIC, .doc = "The number that is looked at. Rows without it are refused."},
    {.name = "low", .type = ADL_PARAM_FLOAT, .offset = offsetof(template_stage, low), .default_value = "0",
     .doc = "The least value that stays."},
    {.name = "high", .type = ADL_PARAM_FLOAT, .flags = ADL_REQUIRED, .offset = offsetof(template_stage, high),
     .doc = "The largest value that stays."}};

/* Before any row moves: what no value range can say about the parameters is checked here. New columns are declared
 * here, too (call->host->declare). */
static adl_status bind(const adl_call *call, void *self) {
  const template_stage *own = self;
  if (own->low <= own->high) return ADL_OK;
  return call->host->fail(call, "high", -1, "exchange them", "is below `low`, %g: no row would stay", own->low);
}

/* Rows in, rows out, a batch at a time, on many threads: no locks, no statics. */
static adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const template_stage *own = self;
  const adl_column *column = batch->slots[own->column.slot];
  int64_t *kept = call->host->alloc(call, (size_t)batch->rows * sizeof *kept), count = 0; /* freed by the core */
  (void)model;
  for (int64_t row = 0; row < batch->rows; row++) {
    double value = adl_number_at(column, row);
    if (own->low <= value && value <= own->high) kept[count++] = row;
  }
  return call->host->pick(call, out, kept, count);
}

static const adl_class template_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_TRANSFORM, .id = "acme.template", .title = "Rows within bounds",
    .doc = "Keeps the rows in which `column` lies between `low` and `high`, the bounds included, in their order.",
    .form = ADL_PICKED, /* process says which rows leave. SAME: all, with columns added. NEW: a table of its own */
    .instance_size = sizeof(template_stage), ADL_PARAMS(params), .bind = bind, .process = process};
ADL_PLUGIN_OF("acme.template", "0.1.0", "transform:acme.template", &template_class);
