/* read-jsonl: lines of JSON objects to typed columns. The JSON is common/json_scan.c's; here are the columns, their paths
 * and what values become. */
#include <adloom/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/column_types.h"
#include "common/excerpt.h"
#include "common/file_names.h"
#include "common/json_scan.h"
#include "common/lines.h"

/* A column: its plain type, or that of the items of a list. */
typedef struct json_field {
  adl_csv_column column;
  bool list;
} json_field;

typedef struct read_jsonl {
  adl_lines lines;
  adl_map columns, paths;
  const char *timestamp_format;
  adl_output file_column;

  json_field *fields; /* as many as columns */
  adl_json_node *nodes;
  int32_t node_count;
} read_jsonl;

/* ---- one value ---- */

/* What a value may be told to be in a message. */
static const char *kind_name(uint8_t kind) {
  static const char *const names[] = {"null", "false", "true", "a number", "a string", "an array", "an object"};
  return names[kind];
}

static const char *wanted_name(const json_field *field) {
  if (field->list) return field->column.type == ADL_CSV_STRING ? "an array of strings" : "an array of numbers";
  switch (field->column.type) {
    case ADL_CSV_STRING: return "a string or a number";
    case ADL_CSV_INT: return "a whole number";
    case ADL_CSV_BOOL: return "true, false, 1 or 0";
    case ADL_CSV_FLOAT: return "a number";
    default: return field->column.time.kind == ADL_TIME_UNIX ? "a number" : "a string";
  }
}

/* A row being read. */
typedef struct row_reader {
  const adl_call *call;
  const read_jsonl *self;
  const adl_line *line;
  adl_json_value *values; /* of the fields */
  char *text;             /* room for a string of the block */
} row_reader;

static bool refuse(const row_reader *in, const json_field *field, const adl_json_value *value, const char *why) {
  char shown[ADL_EXCERPT];
  in->call->host->reject_record(in->call, in->line->number, field->column.name, "%s at byte %lld is %s: \"%s\"",
                                kind_name(value->kind), (long long)(value->text - in->line->text) + 1, why,
                                adl_excerpt(value->text, value->size, shown));
  return false;
}

static bool refuse_kind(const row_reader *in, const json_field *field, const adl_json_value *value) {
  char why[64];
  snprintf(why, sizeof why, "not %s", wanted_name(field));
  return refuse(in, field, value, why);
}

/* The text of a string or number; escapes are undone in in->text. */
static adl_text text_of(const row_reader *in, const adl_json_value *value) {
  if (!value->escaped) return (adl_text){value->text, (int32_t)value->size};
  return (adl_text){in->text, (int32_t)adl_json_unescape(value->text, value->size, in->text)};
}

typedef union numeric {
  int64_t integer; /* int, bool, timestamp */
  double real;
} numeric;

static bool read_time(const row_reader *in, const json_field *field, const adl_json_value *value, int64_t *time) {
  bool number = value->kind == ADL_JSON_NUMBER && field->column.time.kind == ADL_TIME_UNIX;
  if (!number && value->kind != ADL_JSON_STRING) return refuse_kind(in, field, value);
  adl_text text = text_of(in, value);
  bool day = field->column.type == ADL_CSV_DATE;
  return adl_time_parse(&field->column.time, text.data, (size_t)text.size, day, time) == ADL_PARSED ||
         refuse(in, field, value, "no time in the format of the column");
}

/* A value that is neither null nor a string, or an item of a list; false: the row has been rejected. */
static bool read_number(const row_reader *in, const json_field *field, const adl_json_value *value, numeric *number) {
  adl_parsed parsed = ADL_PARSED;
  number->integer = 0;
  switch (field->column.type) {
    case ADL_CSV_INT:
      if (value->kind != ADL_JSON_NUMBER) return refuse_kind(in, field, value);
      parsed = adl_parse_int64(value->text, value->size, &number->integer);
      break;
    case ADL_CSV_FLOAT:
      if (value->kind != ADL_JSON_NUMBER) return refuse_kind(in, field, value);
      parsed = adl_parse_double(value->text, value->size, &number->real);
      break;
    case ADL_CSV_BOOL:
      number->integer = value->kind == ADL_JSON_TRUE || (value->kind == ADL_JSON_NUMBER && value->text[0] == '1');
      if (value->kind == ADL_JSON_TRUE || value->kind == ADL_JSON_FALSE) break;
      if (value->kind == ADL_JSON_NUMBER && value->size == 1 && (value->text[0] == '0' || value->text[0] == '1')) break;
      return refuse_kind(in, field, value);
    default: return read_time(in, field, value, &number->integer);
  }
  if (parsed == ADL_OUT_OF_RANGE) return refuse(in, field, value, "too large for 64 bits");
  return parsed == ADL_PARSED || refuse_kind(in, field, value);
}

static bool check_text(const row_reader *in, const json_field *field, const adl_json_value *value) {
  bool plain = value->kind == ADL_JSON_STRING || (value->kind == ADL_JSON_NUMBER && !field->list);
  if (!plain) return refuse_kind(in, field, value);
  adl_text text = text_of(in, value);
  return !value->escaped || memchr(text.data, '\0', (size_t)text.size) == NULL ||
         refuse(in, field, value, "text with a NUL in it");
}

/* Checks a field of the row; numbers are read on the way. */
static bool check_field(const row_reader *in, const json_field *field, const adl_json_value *value, numeric *number) {
  adl_json_value item;
  number->integer = 0;
  if (value->kind == ADL_JSON_NONE) return true;
  if (!field->list)
    return field->column.type == ADL_CSV_STRING ? check_text(in, field, value) : read_number(in, field, value, number);
  if (value->kind != ADL_JSON_ARRAY) return refuse_kind(in, field, value);
  for (const char *at = value->text + 1; adl_json_next_item(&at, value->text + value->size, &item);)
    if (!(field->column.type == ADL_CSV_STRING ? check_text(in, field, &item) : read_number(in, field, &item, number)))
      return false;
  return true;
}

/* ---- columns ---- */

/* Where the values of a field go. */
typedef struct json_sink {
  adl_buffers to;
  bool wanted;
  int64_t items, bytes; /* used so far */
} json_sink;

static adl_status make_room(const adl_call *call, adl_out *out, const json_field *field, int64_t records, int64_t items,
                            int64_t bytes, json_sink *to) {
  if (to->items + items <= to->to.item_capacity && to->bytes + bytes <= to->to.byte_capacity) return ADL_OK;
  return call->host->reserve(call, out, field->column.slot, records, 2 * (to->items + items), 2 * (to->bytes + bytes),
                             &to->to);
}

static void add_text(const row_reader *in, const adl_json_value *value, int64_t at, json_sink *to) {
  adl_text text = text_of(in, value);
  if (text.size > 0) memcpy((char *)to->to.data + to->bytes, text.data, (size_t)text.size);
  to->bytes += text.size;
  to->to.string_offsets[at + 1] = (int32_t)to->bytes;
}

static void add_number(const json_field *field, numeric number, int64_t at, json_sink *to) {
  if (field->column.type == ADL_CSV_BOOL)
    adl_bit_set(to->to.data, at, number.integer != 0);
  else if (field->column.type == ADL_CSV_FLOAT)
    ((double *)to->to.data)[at] = number.real;
  else
    ((int64_t *)to->to.data)[at] = number.integer;
}

/* Adds a field that has been checked. */
static adl_status add_field(const row_reader *in, adl_out *out, const json_field *field, const adl_json_value *value,
                            numeric number, int64_t row, int64_t records, json_sink *to) {
  bool null = value->kind == ADL_JSON_NONE, text = field->column.type == ADL_CSV_STRING;
  const adl_json_value empty = {.text = "", .kind = ADL_JSON_STRING};
  adl_json_value item;
  if (text || field->list)
    ADL_TRY(make_room(in->call, out, field, records, field->list ? (int64_t)value->size / 2 + 1 : 0,
                      text ? (int64_t)value->size : 0, to));
  if (null) adl_bit_set(to->to.validity, row, false);
  if (!field->list) {
    if (text)
      add_text(in, null ? &empty : value, row, to);
    else
      add_number(field, number, row, to);
    return ADL_OK;
  }
  if (null) value = &empty;
  for (const char *at = value->text + 1; !null && adl_json_next_item(&at, value->text + value->size, &item);) {
    if (text)
      add_text(in, &item, to->items, to);
    else if (read_number(in, field, &item, &number))
      add_number(field, number, to->items, to);
    to->items++;
  }
  to->to.offsets[row + 1] = (int32_t)to->items;
  return ADL_OK;
}

/* ---- blocks ---- */

static adl_status reserve_columns(const adl_call *call, const read_jsonl *self, const adl_line_block *block,
                                  adl_out *out, json_sink *sinks) {
  const adl_host *host = call->host;
  int64_t guess = (block->end - block->at) / self->columns.count + 64;
  for (int64_t i = 0; i < self->columns.count; i++) {
    const json_field *field = &self->fields[i];
    bool text = field->column.type == ADL_CSV_STRING;
    sinks[i] = (json_sink){.wanted = host->wanted(call, field->column.slot)};
    if (sinks[i].wanted)
      ADL_TRY(host->reserve(call, out, field->column.slot, block->records, field->list ? guess / 8 : 0,
                            text ? guess : 0, &sinks[i].to));
  }
  return ADL_OK;
}

/* False: the line is blank or rejected. */
static bool read_line(const row_reader *in, numeric *numbers) {
  const read_jsonl *self = in->self;
  const adl_line *line = in->line;
  adl_json_fault fault;
  size_t good = adl_utf8_prefix(line->text, line->size), blanks = 0;
  while (blanks < line->size && memchr(" \t\r", line->text[blanks], 3) != NULL) blanks++;
  if (blanks == line->size) return false;
  if (good < line->size) {
    in->call->host->reject_record(in->call, line->number, NULL, "invalid UTF-8 at byte %lld", (long long)good + 1);
    return false;
  }
  if (!adl_json_scan(self->nodes, (int32_t)self->columns.count, line->text, line->size, in->values, &fault)) {
    in->call->host->reject_record(in->call, line->number, NULL, "not JSON at byte %lld: %s",
                                  (long long)(fault.at - line->text) + 1, fault.what);
    return false;
  }
  for (int64_t i = 0; i < self->columns.count; i++)
    if (!check_field(in, &self->fields[i], &in->values[i], &numbers[i])) return false;
  return true;
}

static adl_status decode(const adl_call *call, const void *instance, const void *data, int64_t size, int64_t position,
                         adl_out *out) {
  const adl_host *host = call->host;
  const read_jsonl *self = instance;
  const size_t count = (size_t)self->columns.count;
  adl_line_block block;
  adl_line line;
  int64_t rows = 0;
  adl_line_block_begin(&block, data, position);
  json_sink *sinks = host->alloc(call, count * sizeof *sinks);
  numeric *numbers = host->alloc(call, count * sizeof *numbers);
  row_reader in = {.call = call,
                   .self = self,
                   .line = &line,
                   .values = host->alloc(call, count * sizeof *in.values),
                   .text = host->alloc(call, (size_t)size)};
  ADL_TRY(reserve_columns(call, self, &block, out, sinks));
  int64_t *positions = host->positions(call, out, block.records);
  while (adl_line_block_next(&block, &line)) {
    if (!read_line(&in, numbers)) continue;
    for (size_t i = 0; i < count; i++)
      if (sinks[i].wanted)
        ADL_TRY(add_field(&in, out, &self->fields[i], &in.values[i], numbers[i], rows, block.records, &sinks[i]));
    positions[rows++] = line.number;
  }
  ADL_TRY(adl_file_name_fill(call, out, self->file_column.slot, self->lines.names[block.file], rows));
  return host->commit(call, out, rows);
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
  json_field *field = &self->fields[c];
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
    "latter as they are written. An int is a number without point and exponent that fits 64 bits. A bool is true, "
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
