// acme.template, a source: reads a file with one number a line.
// To read: what users may say (params), how the file is opened, read and closed, and the class.
// <adloom/plugin.h> tells more of every name here; `make check` tests it.
#include <adloom/plugin.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <new>
#include <string>

namespace {

// The instance: the core fills in the parameters, at the offsets that the table below says.
struct template_stage {
  const char *path;
  adl_output as;
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

constexpr adl_param params[] = {parameter("path", ADL_PARAM_PATH_IN, ADL_REQUIRED, offsetof(template_stage, path),
                                          "The file to read: a number a line."),
                                parameter("as", ADL_PARAM_NEW_COLUMN, ADL_PLAIN_NAME, offsetof(template_stage, as),
                                          "New column: the numbers (float64).", "value")};

// Before any row moves: the columns are declared. No file is read here: `adloom check` works without the data.
adl_status bind(const adl_call *call, void *self) {
  adl_type type = {};
  type.element = ADL_FLOAT64;
  return call->host->declare(call, &static_cast<template_stage *>(self)->as, type);
}

// How far it has read; open makes one, close frees it.
struct cursor {
  std::ifstream file;
  std::string line;
  int64_t number = 0;
};

adl_status open_file(const adl_call *call, void *self, int32_t, void **opened) {
  const auto &own = *static_cast<const template_stage *>(self);
  auto *at = new (std::nothrow) cursor;
  if (at == nullptr) return call->host->fail(call, nullptr, -1, nullptr, "out of memory");
  *opened = at;
  at->file.open(own.path);
  if (!at->file) return call->host->fail(call, "path", -1, nullptr, "%s: %s", own.path, std::strerror(errno));
  call->host->shard_name(call, own.path); // for messages about rows
  return ADL_OK;
}

void close_file(const adl_call *, void *, void *opened) { delete static_cast<cursor *>(opened); }

// Some rows; called until it says ADL_END. One call at a time, so that the cursor needs no lock.
adl_status read_rows(const adl_call *call, const template_stage &own, cursor &at, adl_out *out) {
  constexpr int64_t most = 4096;
  adl_buffers to;
  int64_t rows = 0;
  ADL_TRY(call->host->reserve(call, out, own.as.slot, most, 0, 0, &to));
  int64_t *positions = call->host->positions(call, out, most);
  while (rows < most && std::getline(at.file, at.line)) {
    char *end;
    double value = std::strtod(at.line.c_str(), &end);
    at.number++;
    if (end == at.line.c_str() || *end != '\0') { // put aside, and the run goes on
      call->host->reject_record(call, at.number, own.as.name, "is not a number");
      continue;
    }
    static_cast<double *>(to.data)[rows] = value;
    positions[rows++] = at.number;
  }
  if (at.file.bad()) return call->host->fail(call, "path", -1, nullptr, "%s cannot be read", own.path);
  return rows > 0 ? call->host->commit(call, out, rows) : ADL_END;
}

// No exception may leave a function that the core calls.
adl_status next(const adl_call *call, void *self, void *opened, adl_out *out) try {
  return read_rows(call, *static_cast<const template_stage *>(self), *static_cast<cursor *>(opened), out);
} catch (const std::exception &error) {
  return call->host->fail(call, nullptr, -1, nullptr, "%s", error.what());
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_SOURCE;
  made.id = "acme.template";
  made.title = "A number a line";
  made.doc = "Reads a file with a number in each line. Lines that are something else are refused.";
  made.instance_size = sizeof(template_stage);
  made.params = params;
  made.param_count = sizeof params / sizeof *params;
  made.param_size = sizeof *params;
  made.form = ADL_NEW;
  made.bind = bind;
  made.open = open_file;
  made.next = next;
  made.close = close_file;
  return made;
}
constexpr adl_class template_class = make_class();

} // namespace

ADL_PLUGIN_OF("acme.template", "0.1.0", "source:acme.template", &template_class);
