/* filter: the rows for which an expression is true. */
#include <adloom/plugin.h>

typedef struct filter {
  adl_input where;
} filter;

static adl_status process(const adl_call *call, const void *instance, const adl_model *model, const adl_batch *batch,
                          adl_out *out) {
  const filter *self = instance;
  const adl_column *where = batch->slots[self->where.slot];
  int64_t *index = call->host->alloc(call, (size_t)batch->rows * sizeof *index), count = 0;
  (void)model;
  for (int64_t row = 0; row < batch->rows; row++) {
    index[count] = row;
    count += adl_bit(where->data, row) && !adl_is_null(where, row);
  }
  return call->host->pick(call, out, index, count);
}

static const adl_param params[] = {
    {.name = "where",
     .type = ADL_PARAM_EXPRESSION,
     .flags = ADL_REQUIRED | ADL_NULLS_PASS,
     .offset = offsetof(filter, where),
     .elements = ADL_MASK(ADL_BOOL),
     .doc = "What must be true of a row that stays, for example `price > 0 and country in ('de', 'at')`."},
};

static const char doc[] =
    "Keeps the rows for which an expression is true, in their order; the others leave the stream and are not counted "
    "as rejected. Null counts as false: a comparison with a value that is missing is neither true nor false, so the "
    "row goes. To keep such rows, say so: `price > 0 or price is null`.";

static const adl_class filter_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_TRANSFORM,
    .id = "filter",
    .title = "Rows for which an expression is true",
    .doc = doc,
    .flags = ADL_EXACT_ROWS,
    .form = ADL_PICKED,
    .instance_size = sizeof(filter),
    .state_version = 1,
    ADL_PARAMS(params),
    .process = process,
};

static const adl_class *const classes[] = {&filter_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "filter",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("filter", "1.0.0", "transform:filter", &plugin);
