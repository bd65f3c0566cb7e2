// acme.template, a sink: writes numbers of each row into a line of a text file, with blanks between them.
// To read: what users may say (params), how the file is opened, written and closed, and the class.
// <adloom/plugin.h> tells more of every name here; `make check` tests it.
#include <adloom/plugin.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

// The instance: the core fills in the parameters, at the offsets that the table below says; a class's own fields stand
// behind them. It is zeroed memory, so what needs a constructor is made in `create`.
struct template_stage {
  const char *path;
  adl_inputs columns;
  std::FILE *file;
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
    parameter("path", ADL_PARAM_PATH_OUT, ADL_REQUIRED, offsetof(template_stage, path),
              "The file to write. It has its name when the run has succeeded."),
    parameter("columns", ADL_PARAM_COLUMN, ADL_LIST_OF | ADL_REQUIRED | ADL_NULLS_PASS | ADL_NAN_PASS,
              offsetof(template_stage, columns), "What to write, in this order: numbers. A null is written as a dash.",
              nullptr, ADL_ANY_NUMERIC)};

// When everything before it is ready. `path` is a temporary file beside the one that the user named: the core renames
// it in the end, so that nobody ever sees half a file.
adl_status start(const adl_call *call, void *self) {
  auto &own = *static_cast<template_stage *>(self);
  bool named = std::strcmp(own.path, "-") != 0;
  own.file = named ? std::fopen(own.path, "w") : nullptr;
  if (own.file != nullptr) return ADL_OK;
  return call->host->fail(call, "path", -1, nullptr, "%s: %s", own.path, named ? std::strerror(errno) : "name a file");
}

// One call at a time, in row order. (With `encode` beside it, bytes are made on many threads, and written here.)
adl_status write_rows(const adl_call *call, void *self, const adl_batch *batch, const void *, int64_t) {
  const auto &own = *static_cast<const template_stage *>(self);
  for (int64_t row = 0; row < batch->rows; row++)
    for (int64_t i = 0; i < own.columns.count; i++) {
      const adl_column *column = batch->slots[own.columns.items[i].slot];
      if (i > 0) std::fputc(' ', own.file);
      if (adl_is_null(column, row))
        std::fputc('-', own.file);
      else
        std::fprintf(own.file, "%.15g", adl_number_at(column, row));
      if (i == own.columns.count - 1) std::fputc('\n', own.file);
    }
  if (std::ferror(own.file) == 0) return ADL_OK;
  return call->host->fail(call, "path", -1, nullptr, "cannot be written: %s", std::strerror(errno));
}

// After the last row: everything must be safe.
adl_status commit(const adl_call *call, void *self) {
  auto &own = *static_cast<template_stage *>(self);
  int failed = std::fclose(own.file);
  own.file = nullptr;
  if (failed == 0) return ADL_OK;
  return call->host->fail(call, "path", -1, nullptr, "cannot be written: %s", std::strerror(errno));
}

// Always called; without commit before it, the run has failed, and the core removes the temporary file.
void destroy(void *self) {
  auto &own = *static_cast<template_stage *>(self);
  if (own.file != nullptr) std::fclose(own.file);
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_SINK;
  made.id = "acme.template";
  made.title = "Numbers in lines of text";
  made.doc = "Writes a line for each row: numbers, with blanks between them.";
  made.instance_size = sizeof(template_stage);
  made.params = params;
  made.param_count = sizeof params / sizeof *params;
  made.param_size = sizeof *params;
  made.destroy = destroy;
  made.start = start;
  made.write = write_rows;
  made.commit = commit;
  return made;
}
constexpr adl_class template_class = make_class();

} // namespace

ADL_PLUGIN_OF("acme.template", "0.1.0", "sink:acme.template", &template_class);
