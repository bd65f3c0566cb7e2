// acme.template, a transform: keeps the rows in which a number lies between two bounds.
// To read: what users may say (params), what happens to rows (process), and the class.
// <adloom/plugin.h> tells more of every name here; `make check` tests it.
#include <adloom/plugin.h>

namespace {

// The instance: the core fills in the parameters, at the offsets that the table below says.
struct template_stage {
  adl_input column;
  double low, high;
};

// What users may say. Reading and checking it, errors with a place in the file, and the manual come from this table.
// (C++17 has no designated initialisers, so a function fills the members in.)
constexpr adl_param parameter(const char *name, adl_param_type type, uint32_t flags, size_t offset, const char *doc,
                              const char *preset = nullptr, uint32_t elements = 0, const char *range = nullptr) {
  adl_param made = {};
  made.name = name;
  made.type = type;
  made.flags = flags;
  made.offset = static_cast<uint32_t>(offset);
  made.doc = doc;
  made.default_value = preset;
  made.elements = elements;
  made.range = range;
  return made;
}

constexpr adl_param params[] = {
    parameter("column", ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(template_stage, column),
              "The number that is looked at. Rows without it are refused.", nullptr, ADL_ANY_NUMERIC),
    parameter("low", ADL_PARAM_FLOAT, 0, offsetof(template_stage, low), "The least value that stays.", "0"),
    parameter("high", ADL_PARAM_FLOAT, ADL_REQUIRED, offsetof(template_stage, high), "The largest value that stays.")};

// Before any row moves: what no value range can say about the parameters is checked here. New columns are declared
// here, too (call->host->declare).
adl_status bind(const adl_call *call, void *self) {
  const auto &own = *static_cast<const template_stage *>(self);
  if (own.low <= own.high) return ADL_OK;
  return call->host->fail(call, "high", -1, "exchange them", "is below `low`, %g: no row would stay", own.low);
}

// Rows in, rows out, a batch at a time, on many threads: no locks, no statics.
adl_status process(const adl_call *call, const void *self, const adl_model *, const adl_batch *batch, adl_out *out) {
  const auto &own = *static_cast<const template_stage *>(self);
  const adl_column *column = batch->slots[own.column.slot];
  size_t size = static_cast<size_t>(batch->rows) * sizeof(int64_t);
  auto *kept = static_cast<int64_t *>(call->host->alloc(call, size)); // freed by the core
  int64_t count = 0;
  for (int64_t row = 0; row < batch->rows; row++) {
    double value = adl_number_at(column, row);
    if (own.low <= value && value <= own.high) kept[count++] = row;
  }
  return call->host->pick(call, out, kept, count);
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_TRANSFORM;
  made.id = "acme.template";
  made.title = "Rows within bounds";
  made.doc = "Keeps the rows in which `column` lies between `low` and `high`, the bounds included, in their order.";
  made.instance_size = sizeof(template_stage);
  made.params = params;
  made.param_count = sizeof params / sizeof *params;
  made.param_size = sizeof *params;
  made.form = ADL_PICKED; // process says which rows leave. SAME: all, with columns added. NEW: a table of its own
  made.bind = bind;
  made.process = process;
  return made;
}
constexpr adl_class template_class = make_class();

} // namespace

ADL_PLUGIN_OF("acme.template", "0.1.0", "transform:acme.template", &template_class);
