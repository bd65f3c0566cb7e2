/* read-jsonl: lines of JSON objects to typed columns. Here are the parameters, the columns and their paths; the JSON is
 * common/json_scan.c's, and what values become common/jsonl_columns.c's. */
#include <adloom/plugin.h>
#include <stdlib.h>
#include <string.h>

#include "common/column_types.h"
#include "common/file_names.h"
#include "common/jsonl_columns.h"

typedef struct read_jsonl {
  adl_lines lines;
  adl_map columns, paths;
  const char *timestamp_format;
  adl_output file_column;

  adl_jsonl_field *fields; /* as many as columns */
  adl_json_node *nodes;
  int32_t node_count;
  adl_jsonl_table table;
} read_jsonl;

static adl_status decode(const adl_call *call, const void *instance, const void *data, int64_t size, int64_t position,
                         adl_out *out) {
  (void)size;
  return adl_jsonl_decode(&((const read_jsonl *)instance)->table, call, data, position, out);
}

/* ---- binding ---- */

/* The member `name` of `parent`, made if it is not there. */
static int32_t node_in(read_jsonl *self, int32_t parent, const char *name, size_t size) {
  int32_t *link = &self->nodes[parent].first;
  for (; *link >= 0; link = &self->nodes[*link].next)
    if (self->nodes[*link].name_size == size && memcmp(self->nodes[*link].name, name, size) == 0) return *link;
  *link = self->node_count;
  self->nodes[self->node_count] =
      (adl_json_node){.name = name, .name_size = (uint32_t)size, .value = -1, .first = -1, .next = -1};
  return self->node_count++;
}

/* Puts a column's path, names with dots between, into the tree. */
static adl_status add_path(const adl_call *call, read_jsonl *self, int32_t column, const char *path, bool dots) {
  const adl_host *host = call->host;
  const char *name = self->columns.keys[column];
  char *parameter = host->alloc(call, strlen(name) + 12);
  strcat(strcpy(parameter, dots ? "paths." : "columns."), name);
  int32_t node = 0, depth = 1;
  for (const char *at = path;; depth++) {
    size_t size = dots ? strcspn(at, ".") : strlen(at);
    if (size == 0 || size > ADL_JSON_NAME || depth >= ADL_JSON_DEPTH)
      return host->fail(call, parameter, -1, "a path is names of members with dots between: user.id",
                        "\"%s\" is not a path", path);
    node = node_in(self, node, at, size);
    if (at[size] == '\0') break;
    at += size + 1;
  }
  if (self->nodes[node].value >= 0)
    return host->fail(call, parameter, -1, "read it once, and let derive give it a second name",
                      "the column %s has the same path", self->columns.keys[self->nodes[node].value]);
  self->nodes[node].value = column;
  return ADL_OK;
}

/* Room for a node for each name in a path. */
static bool make_nodes(read_jsonl *self) {
  size_t most = 1 + (size_t)self->columns.count;
  for (int64_t i = 0; i < self->paths.count; i++)
    for (const char *at = self->paths.values[i]; at != NULL; at = strchr(at + 1, '.')) {
      most++;
      if (*at == '\0') break;
    }
  self->nodes = calloc(most, sizeof *self->nodes);
  if (self->nodes == NULL) return false;
  self->nodes[0] = (adl_json_node){.name = "", .value = -1, .first = -1, .next = -1};
  self->node_count = 1;
  return true;
}

static adl_status set_paths(const adl_call *call, read_jsonl *self) {
  adl_status status = ADL_OK;
  if (!make_nodes(self)) return call->host->fail(call, NULL, -1, NULL, "out of memory");
  for (int32_t c = 0; c < self->columns.count; c++) {
    const char *path = NULL;
    for (int64_t i = 0; i < self->paths.count; i++)
      if (strcmp(self->paths.keys[i], self->columns.keys[c]) == 0) path = self->paths.values[i];
    if (add_path(call, self, c, path != NULL ? path : self->columns.keys[c], path != NULL) != ADL_OK)
      status = ADL_FAILED;
  }
  for (int64_t i = 0; i < self->paths.count; i++) {
    bool known = false;
    for (int64_t c = 0; c < self->columns.count; c++)
      known = known || strcmp(self->paths.keys[i], self->columns.keys[c]) == 0;
    if (!known)
      status = call->host->fail(call, "paths", -1, "name it in `columns` with its type", "`%s` is not among `columns`",
                                self->paths.keys[i]);
  }
  return status;
}

static adl_status set_field(const adl_call *call, read_jsonl *self, int64_t c) {
  static const char *const lists[] = {"strings", "ints", "floats"}, *const items[] = {"string", "int", "float"};
  const char *text = self->columns.values[c];
  adl_jsonl_field *field = &self->fields[c];
  field->column = (adl_csv_column){.name = self->columns.keys[c], .slot = -1};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, lists[i]) != 0) continue;
    field->list = true;
    text = items[i];
    break;
  }
  ADL_TRY(adl_column_type_set(call, self->timestamp_format, text, &field->column));
  if (field->column.type == ADL_CSV_SKIP)
    return call->host->fail(call, "columns", -1, "leave it out: members that are not listed are passed over",
                            "%s is to be skipped", field->column.name);
  adl_type type = adl_column_type(field->column.type);
  type.shape = field->list ? ADL_LIST : ADL_SCALAR;
  return call->host->declare_named(call, "columns", field->column.name, type, &field->column.slot);
}

static adl_status bind(const adl_call *call, void *instance) {
  read_jsonl *self = instance;
  const adl_host *host = call->host;
  int32_t at;
  adl_time_format format;
  const char *wrong = adl_time_format_set(&format, self->timestamp_format, &at);
  if (wrong != NULL) return host->fail(call, "timestamp_format", at, NULL, "\"%s\" %s", self->timestamp_format, wrong);
  ADL_TRY(adl_lines_bind(call, &self->lines));
  self->fields = calloc((size_t)self->columns.count, sizeof *self->fields);
  if (self->fields == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
  adl_status status = set_paths(call, self);
  for (int64_t c = 0; c < self->columns.count; c++)
    if (set_field(call, self, c) != ADL_OK) status = ADL_FAILED;
  if (host->declare(call, &self->file_column, adl_column_type(ADL_CSV_STRING)) != ADL_OK) status = ADL_FAILED;
  self->table = (adl_jsonl_table){.column_count = (int32_t)self->columns.count,
                                  .fields = self->fields,
                                  .nodes = self->nodes,
                                  .file_names = self->lines.names,
                                  .file_slot = self->file_column.name != NULL ? self->file_column.slot : -1};
  return status;
}

static void destroy(void *instance) {
  read_jsonl *self = instance;
  free(self->fields);
  free(self->nodes);
  adl_lines_destroy(instance);
}

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(read_jsonl, lines.path),
     .doc = "The file, or several, or globs: read one after the other. `-` is standard input."},
    {.name = "columns",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF | ADL_REQUIRED,
     .offset = offsetof(read_jsonl, columns),
     .doc = "Columns and their types: {user: id, price: float, at: timestamp, tags: strings}. Types are id, string and "
            "category (text), int (64 bits), float (64 bits), bool, timestamp, date, and for arrays strings, ints and "
            "floats. timestamp and date may be followed by a format of their own. A column is the member of its name, "
            "unless `paths` says otherwise; other members are passed over."},
    {.name = "paths",
     .type = ADL_PARAM_STRING,
     .flags = ADL_MAP_OF,
     .offset = offsetof(read_jsonl, paths),
     .doc = "Where columns stand that are not members of their own name: {user: user.id, price: item.price.eur}, names "
            "of objects within each other with dots between."},
    {.name = "timestamp_format",
     .type = ADL_PARAM_STRING,
     .offset = offsetof(read_jsonl, timestamp_format),
     .default_value = "iso",
     .doc =
         "How timestamp and date columns are written: iso, unix, unix_ms, unix_us or a pattern, as in read-csv. unix "
         "and the like may be numbers or strings, others are strings."},
    {.name = "file_column",
     .type = ADL_PARAM_NEW_COLUMN,
     .offset = offsetof(read_jsonl, file_column),
     .doc = "Name of a new column that says which file a row is from, without the folders that all files have in "
            "common."},
};

static const char doc[] =
    "Reads JSON Lines: a line is one JSON object, plain or packed with gzip or zstd (told by the content, not by the "
    "name). Blank lines and a byte order mark are passed over.\n\n"
    "The JSON is RFC 8259's and nothing more, in UTF-8; all of each line is checked, whether somebody reads it or "
    "not. A line that is not JSON, with a surrogate that lacks its other half, or nested deeper than 128 levels is "
    "rejected, with its line number, the byte and the reason. So is a row with a value that is not of its column's "
    "type. Of members with the same name the last counts.\n\n"
    "A member that is missing, or null, is null. Text columns take strings and numbers (ids are often numbers), the "
    "latter as they are written. An int is a whole number that fits 64 bits, 2.0 and 2e3 among them. A bool is true, "
    "false, 1 or 0. Items of lists are not null. Strings with \\u0000 are no text.\n\n"
    "A line of more than 16 MiB is rejected without being looked at. A file that cannot be read to its end ends the "
    "run.";

static const adl_class read_jsonl_class = {
    .struct_size = sizeof(adl_class),
    .kind = ADL_SOURCE,
    .id = "read-jsonl",
    .title = "JSON Lines",
    .doc = doc,
    .form = ADL_NEW,
    .instance_size = sizeof(read_jsonl),
    .state_version = 0,
    ADL_PARAMS(params),
    .destroy = destroy,
    .bind = bind,
    .shards = adl_lines_shards,
    .open = adl_lines_open,
    .next = adl_lines_next,
    .decode = decode,
    .close = adl_lines_close,
};

ADL_PLUGIN_OF("read-jsonl", "1.0.0", "source:read-jsonl", &read_jsonl_class);
