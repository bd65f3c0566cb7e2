// A plugin in C++17: sketch.ratio divides one column by another. C++ before 20 has no designated initialisers, so a
// function fills each descriptor; constexpr, so that nothing of it runs when the plugin is loaded.
#include <adloom/plugin.h>

namespace {

struct ratio {
  adl_input of, to;
  adl_output as;
};

constexpr adl_param column(const char *name, size_t offset, const char *doc) {
  adl_param param = {};
  param.name = name;
  param.type = ADL_PARAM_COLUMN;
  param.flags = ADL_REQUIRED | ADL_NULLS_PASS;
  param.offset = static_cast<uint32_t>(offset);
  param.elements = ADL_ANY_NUMERIC;
  param.doc = doc;
  return param;
}

constexpr adl_param new_column(const char *name, size_t offset, const char *doc) {
  adl_param param = {};
  param.name = name;
  param.type = ADL_PARAM_NEW_COLUMN;
  param.flags = ADL_PLAIN_NAME;
  param.offset = static_cast<uint32_t>(offset);
  param.default_value = "ratio";
  param.doc = doc;
  return param;
}

constexpr adl_param params[] = {
    column("of", offsetof(ratio, of), "What is divided."),
    column("to", offsetof(ratio, to), "What it is divided by."),
    new_column("as", offsetof(ratio, as), "New column: of / to; null where one of them is, or `to` is 0 (float64)."),
};

adl_status bind(const adl_call *call, void *self) {
  adl_type type = {};
  type.element = ADL_FLOAT64;
  return call->host->declare(call, &static_cast<ratio *>(self)->as, type);
}

adl_status process(const adl_call *call, const void *self, const adl_model *, const adl_batch *batch, adl_out *out) {
  const ratio &own = *static_cast<const ratio *>(self);
  const adl_column *of = batch->slots[own.of.slot], *to = batch->slots[own.to.slot];
  adl_buffers result = {};
  ADL_TRY(call->host->reserve(call, out, own.as.slot, batch->rows, 0, 0, &result));
  for (int64_t row = 0; row < batch->rows; row++) {
    bool known = !adl_is_null(of, row) && !adl_is_null(to, row) && adl_number_at(to, row) != 0;
    adl_bit_set(result.validity, row, known);
    static_cast<double *>(result.data)[row] = known ? adl_number_at(of, row) / adl_number_at(to, row) : 0;
  }
  return ADL_OK;
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof(adl_class);
  made.kind = ADL_FEATURE;
  made.id = "sketch.ratio";
  made.title = "One column divided by another";
  made.doc = "Divides two columns of numbers.";
  made.instance_size = sizeof(ratio);
  made.params = params;
  made.param_count = sizeof(params) / sizeof(params[0]);
  made.param_size = sizeof(adl_param);
  made.bind = bind;
  made.process = process;
  return made;
}

constexpr adl_class ratio_class = make_class();

} // namespace

ADL_PLUGIN_OF("sketch.ratio", "1.0.0", "feature:sketch.ratio", &ratio_class);
