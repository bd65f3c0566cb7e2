/* write-jsonl: rows as JSON Lines, one object a row. encode makes the lines of a batch on any thread, write puts them into
 * the file in order. */
#include <adloom/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "common/cells.h"
#include "common/format.h"
#include "common/out_file.h"

typedef struct write_jsonl {
  const char *path;
  adl_inputs columns;
  bool nulls;

  adl_text *keys; /* of each column: "name": with its quotes and colon */
  adl_out_file file;
} write_jsonl;

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_OUT,
     .flags = ADL_REQUIRED,
     .offset = offsetof(write_jsonl, path),
     .doc = "The file. It appears under this name when the run has succeeded, packed where the name ends in .gz or "
            ".zst. `-` is standard output."},
    {.name = "columns",
     .type = ADL_PARAM_COLUMN,
     .flags = ADL_LIST_OF | ADL_NULLS_PASS | ADL_NAN_PASS,
     .offset = offsetof(write_jsonl, columns),
     .elements = ADL_ANY_ELEMENT,
     .shapes = ADL_ANY_SHAPE,
     .default_value = "*",
     .doc = "Which columns, in this order."},
    {.name = "nulls",
     .type = ADL_PARAM_BOOL,
     .offset = offsetof(write_jsonl, nulls),
     .default_value = "true",
     .doc = "Whether a missing value is written as null; false: its key is left out."},
};

static adl_status bind(const adl_call *call, void *instance) {
  write_jsonl *self = instance;
  if (self->columns.count == 0) return call->host->fail(call, "columns", -1, NULL, "there are no columns to write");
  self->keys = calloc((size_t)self->columns.count, sizeof *self->keys);
  if (self->keys == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  for (int64_t i = 0; i < self->columns.count; i++) {
    const char *name = self->columns.items[i].name;
    char *key = malloc(6 * strlen(name) + 3);
    if (key == NULL) return call->host->fail(call, NULL, -1, NULL, "out of memory");
    size_t size = adl_format_json_string(name, strlen(name), key);
    key[size] = ':';
    self->keys[i] = (adl_text){key, (int32_t)size + 1};
  }
  return ADL_OK;
}

static adl_status start(const adl_call *call, void *instance) {
  write_jsonl *self = instance;
  return adl_out_file_open(&self->file, call, self->path);
}

static void add_row(const write_jsonl *self, adl_cells *cells, const adl_batch *batch, int64_t row) {
  bool first = true;
  adl_cells_add(cells, "{", 1);
  for (int64_t i = 0; i < self->columns.count; i++) {
    const adl_column *column = batch->slots[self->columns.items[i].slot];
    if (!self->nulls && adl_is_null(column, row)) continue;
    if (!first) adl_cells_add(cells, ",", 1);
    first = false;
    adl_cells_add(cells, self->keys[i].data, self->keys[i].size);
    adl_cells_json(cells, column, row);
  }
  adl_cells_add(cells, "}\n", 2);
}

static adl_status encode(const adl_call *call, const void *instance, const adl_batch *batch, adl_out *out) {
  const write_jsonl *self = instance;
  adl_cells cells;
  adl_cells_begin(&cells, call, out, 64 + batch->rows * self->columns.count * 24);
  for (int64_t row = 0; row < batch->rows; row++) add_row(self, &cells, batch, row);
  return adl_out_pack_cells(&cells, self->file.packing);
}

static adl_status write_block(const adl_call *call, void *instance, const adl_batch *batch, const void *block,
                              int64_t size) {
  (void)batch;
  return adl_out_file_write(&((write_jsonl *)instance)->file, call, block, size);
}

static adl_status commit(const adl_call *call, void *instance) {
  return adl_out_file_commit(&((write_jsonl *)instance)->file, call);
}

static void destroy(void *instance) {
  write_jsonl *self = instance;
  for (int64_t i = 0; i < self->columns.count && self->keys != NULL; i++) free((void *)self->keys[i].data);
  free(self->keys);
  adl_out_file_drop(&self->file);
}

static const char doc[] =
    "Writes rows as JSON Lines: one object a line, with the columns as keys in their order.\n\n"
    "Numbers are the shortest decimal that rounds to the same value; integers are written whole, also beyond 2^53. "
    "JSON has no NaN and no infinities: they are written as null, as missing values are. Timestamps are strings such "
    "as \"2024-01-31T09:30:00Z\", with three or six decimals where there is a fraction; bytes are base64 strings. "
    "Lists and vectors are arrays, bags {\"token\":2}, sparse vectors {\"7\":0.5} with only the values they hold.\n\n"
    "The file is complete or it is not there: it is written under another name, flushed to the disk and renamed when "
    "the run succeeds.";

static const adl_class write_jsonl_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SINK,
    .id = "write-jsonl",
    .title = "Rows to JSON Lines",
    .doc = doc,
    .instance_size = sizeof(write_jsonl),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .start = start,
    .encode = encode,
    .write = write_block,
    .commit = commit,
};

static const adl_class *const classes[] = {&write_jsonl_class};

static const adl_plugin plugin = {
    .struct_size = sizeof(adl_plugin),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .id = "write-jsonl",
    .version = "1.0.0",
    .class_count = 1,
    .classes = classes,
};

ADL_PLUGIN("write-jsonl", "1.0.0", "sink:write-jsonl", &plugin);
