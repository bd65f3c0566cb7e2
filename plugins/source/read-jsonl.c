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
  adl_strings path;
  adl_map columns, paths;
  const char *timestamp_format;
  adl_output file_column;

  json_field *fields; /* as many as columns */
  adl_json_node *nodes;
  int32_t node_count;
  adl_lines lines;
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

/* Where the values of a field go. */
typedef struct json_sink {
  adl_buffers to;
  bool wanted;
  int64_t items, bytes; /* used so far */
} json_sink;

/* A block being read. Rows are read a tile at a time, and a tile column by column; a tile in which something is wrong is
 * read once more line by line, which rejects what is wrong in order. */
enum { TILE = 128 };

typedef struct row_reader {
  const adl_call *call;
  const read_jsonl *self;
  adl_out *out;
  adl_json_scanner scanner;
  adl_json_masks masks;
  bool check_utf8;        /* not all of the block is UTF-8 */
  bool quiet;             /* nothing is rejected yet */
  const adl_line *line;   /* in hand */
  adl_json_value *values; /* of the fields of a row */
  adl_json_value *tile;   /* of TILE rows */
  char *text;             /* room for a string of the block */
  json_sink *sinks;
  int64_t *positions;
  int64_t rows, records; /* given so far; at most */
  adl_line lines[TILE];
} row_reader;

static bool refuse(const row_reader *in, const json_field *field, const adl_json_value *value, const char *why) {
  if (in->quiet) return false;
  char shown[ADL_EXCERPT];
  in->call->host->reject_record(in->call, in->line->number, field->column.name, "%s at byte %lld is %s: \"%s\"",
                                kind_name(value->kind), (long long)(value->text - in->line->text) + 1, why,
                                adl_excerpt(value->text, value->size, shown));
  return false;
}

static bool refuse_kind(const row_reader *in, const json_field *field, const adl_json_value *value) {
  if (in->quiet) return false;
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
      parsed = adl_parse_int64_padded(value->text, value->size, &number->integer);
      break;
    case ADL_CSV_FLOAT:
      if (value->kind != ADL_JSON_NUMBER) return refuse_kind(in, field, value);
      parsed = adl_parse_double_padded(value->text, value->size, &number->real);
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
  for (const char *at = value->text + 1; adl_json_next_item(&in->masks, &at, value->text + value->size, &item);)
    if (!(field->column.type == ADL_CSV_STRING ? check_text(in, field, &item) : read_number(in, field, &item, number)))
      return false;
  return true;
}

/* ---- columns ---- */

static adl_status make_room(const row_reader *in, const json_field *field, int64_t items, int64_t bytes,
                            json_sink *to) {
  if (to->items + items <= to->to.item_capacity && to->bytes + bytes <= to->to.byte_capacity) return ADL_OK;
  return in->call->host->reserve(in->call, in->out, field->column.slot, in->records, 2 * (to->items + items),
                                 2 * (to->bytes + bytes), &to->to);
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
static adl_status add_field(const row_reader *in, const json_field *field, const adl_json_value *value, numeric number,
                            int64_t row, json_sink *to) {
  bool null = value->kind == ADL_JSON_NONE, text = field->column.type == ADL_CSV_STRING;
  const adl_json_value empty = {.text = "", .kind = ADL_JSON_STRING};
  adl_json_value item;
  if (text || field->list)
    ADL_TRY(make_room(in, field, field->list ? (int64_t)value->size / 2 + 1 : 0, text ? (int64_t)value->size : 0, to));
  if (null) adl_bit_set(to->to.validity, row, false);
  if (!field->list) {
    if (text)
      add_text(in, null ? &empty : value, row, to);
    else
      add_number(field, number, row, to);
    return ADL_OK;
  }
  if (null) value = &empty;
  for (const char *at = value->text + 1;
       !null && adl_json_next_item(&in->masks, &at, value->text + value->size, &item);) {
    if (text)
      add_text(in, &item, to->items, to);
    else if (read_number(in, field, &item, &number))
      add_number(field, number, to->items, to);
    to->items++;
  }
  to->to.offsets[row + 1] = (int32_t)to->items;
  return ADL_OK;
}

/* ---- line by line ---- */

static size_t leading_blanks(const adl_line *line) {
  size_t blanks = 0;
  while (blanks < line->size && memchr(" \t\r", line->text[blanks], 3) != NULL) blanks++;
  return blanks;
}

/* False: the line is blank or rejected. */
static bool read_line(row_reader *in, numeric *numbers) {
  const read_jsonl *self = in->self;
  const adl_line *line = in->line;
  adl_json_fault fault;
  if (leading_blanks(line) == line->size) return false;
  size_t good = adl_utf8_prefix(line->text, line->size);
  if (good < line->size) {
    in->call->host->reject_record(in->call, line->number, NULL, "invalid UTF-8 at byte %lld", (long long)good + 1);
    return false;
  }
  if (!adl_json_scan(&in->scanner, line->text, line->size, in->values, &fault)) {
    in->call->host->reject_record(in->call, line->number, NULL, "not JSON at byte %lld: %s",
                                  (long long)(fault.at - line->text) + 1, fault.what);
    return false;
  }
  for (int64_t i = 0; i < self->columns.count; i++)
    if (!check_field(in, &self->fields[i], &in->values[i], &numbers[i])) return false;
  return true;
}

static adl_status read_one_by_one(row_reader *in, int64_t count, numeric *numbers) {
  const read_jsonl *self = in->self;
  for (int64_t r = 0; r < count; r++) {
    in->line = &in->lines[r];
    if (!read_line(in, numbers)) continue;
    for (int64_t i = 0; i < self->columns.count; i++)
      if (in->sinks[i].wanted)
        ADL_TRY(add_field(in, &self->fields[i], &in->values[i], numbers[i], in->rows, &in->sinks[i]));
    in->positions[in->rows++] = in->line->number;
  }
  return ADL_OK;
}

/* ---- a tile at a time ---- */

/* Values of one field of a tile. */
typedef struct json_values {
  const adl_json_value *first;
  int64_t stride, count;
} json_values;

/* These three return whether all is well; if not, what they have written is written again. */

static bool add_texts(const row_reader *in, const json_values *values, json_sink *sink) {
  int64_t row = in->rows, at = sink->bytes;
  char *out = sink->to.data;
  const adl_json_value *value = values->first;
  bool good = true;
  for (int64_t i = 0; i < values->count; i++, value += values->stride) {
    bool text = value->kind == ADL_JSON_STRING || value->kind == ADL_JSON_NUMBER;
    int64_t size = text ? value->size : 0;
    if (__builtin_expect(value->escaped, 0)) {
      size = (int64_t)adl_json_unescape(value->text, value->size, out + at);
      good &= memchr(out + at, '\0', (size_t)size) == NULL;
    } else if (text) {
      memcpy(out + at, value->text, 16); /* most are short */
      if (size > 16) memcpy(out + at + 16, value->text + 16, (size_t)size - 16);
    } else {
      good &= value->kind == ADL_JSON_NONE;
      adl_bit_set(sink->to.validity, row + i, false);
    }
    at += size;
    sink->to.string_offsets[row + i + 1] = (int32_t)at;
  }
  sink->bytes = at;
  return good;
}

static bool add_numbers(const row_reader *in, const json_field *field, const json_values *values, json_sink *sink) {
  const adl_json_value *value = values->first;
  bool real = field->column.type == ADL_CSV_FLOAT;
  int64_t *integers = (int64_t *)sink->to.data + in->rows;
  double *reals = (double *)sink->to.data + in->rows;
  int good = ADL_PARSED;
  for (int64_t i = 0; i < values->count; i++, value += values->stride) {
    if (value->kind != ADL_JSON_NUMBER) {
      if (value->kind != ADL_JSON_NONE) return false;
      adl_bit_set(sink->to.validity, in->rows + i, false);
      integers[i] = 0; /* 0.0, too */
    } else if (real) {
      good |= adl_parse_double_padded(value->text, value->size, &reals[i]);
    } else {
      good |= adl_parse_int64_padded(value->text, value->size, &integers[i]);
    }
  }
  return good == ADL_PARSED;
}

/* Any type, and what nobody wants: that is only checked. */
static adl_status add_others(const row_reader *in, const json_field *field, const json_values *values, json_sink *sink,
                             bool *good) {
  const adl_json_value *value = values->first;
  for (int64_t i = 0; i < values->count; i++, value += values->stride) {
    numeric number;
    if (!check_field(in, field, value, &number)) {
      *good = false;
      return ADL_OK;
    }
    if (sink->wanted && !field->list && field->column.type != ADL_CSV_STRING && value->kind != ADL_JSON_NONE)
      add_number(field, number, in->rows + i, sink);
    else if (sink->wanted)
      ADL_TRY(add_field(in, field, value, number, in->rows + i, sink));
  }
  return ADL_OK;
}

/* Adds one field of a tile; *good: nothing is wrong with it. */
static adl_status add_column(const row_reader *in, int64_t c, int64_t count, bool *good) {
  const json_field *field = &in->self->fields[c];
  json_sink *sink = &in->sinks[c];
  json_values values = {in->tile + c, in->self->columns.count, count};
  if (field->list || !sink->wanted) return add_others(in, field, &values, sink, good);
  if (field->column.type == ADL_CSV_STRING) {
    int64_t bytes = ADL_CSV_PAD;
    for (int64_t i = 0; i < count; i++) bytes += values.first[i * values.stride].size;
    ADL_TRY(make_room(in, field, 0, bytes, sink));
    *good = add_texts(in, &values, sink);
  } else if (field->column.type == ADL_CSV_INT || field->column.type == ADL_CSV_FLOAT) {
    *good = add_numbers(in, field, &values, sink);
  } else {
    return add_others(in, field, &values, sink, good);
  }
  return ADL_OK;
}

/* Takes the tile's lines apart; how many rows they are, -1: something is wrong. */
static int64_t scan_tile(row_reader *in, int64_t count) {
  int64_t rows = 0;
  adl_json_fault fault;
  for (int64_t r = 0; r < count; r++) {
    const adl_line *line = &in->lines[r];
    if (line->size == 0 || (line->text[0] != '{' && leading_blanks(line) == line->size)) continue;
    if (in->check_utf8 && !adl_utf8_valid(line->text, line->size)) return -1;
    adl_json_value *values = in->tile + rows * in->self->columns.count;
    if (!adl_json_scan(&in->scanner, line->text, line->size, values, &fault)) return -1;
    in->positions[in->rows + rows++] = line->number;
  }
  return rows;
}

/* Reads the tile; *good: nothing is wrong with it. If something is, nothing of it stays. */
static adl_status add_tile(row_reader *in, int64_t count, json_sink *before, bool *good) {
  size_t columns = (size_t)in->self->columns.count;
  int64_t rows = scan_tile(in, count);
  *good = rows >= 0;
  memcpy(before, in->sinks, columns * sizeof *before);
  in->quiet = true;
  for (size_t c = 0; *good && c < columns; c++) ADL_TRY(add_column(in, (int64_t)c, rows, good));
  in->quiet = false;
  if (*good) in->rows += rows;
  for (size_t c = 0; !*good && c < columns; c++) {
    json_sink *sink = &in->sinks[c];
    sink->items = before[c].items;
    sink->bytes = before[c].bytes;
    for (int64_t i = 0; sink->wanted && i < count; i++) adl_bit_set(sink->to.validity, in->rows + i, true);
  }
  return ADL_OK;
}

/* ---- blocks ---- */

static adl_status reserve_columns(row_reader *in, const adl_line_block *block) {
  const adl_host *host = in->call->host;
  int64_t count = in->self->columns.count, guess = (block->end - block->at) / count + 64;
  for (int64_t i = 0; i < count; i++) {
    const json_field *field = &in->self->fields[i];
    bool text = field->column.type == ADL_CSV_STRING;
    in->sinks[i] = (json_sink){.wanted = host->wanted(in->call, field->column.slot)};
    if (in->sinks[i].wanted)
      ADL_TRY(host->reserve(in->call, in->out, field->column.slot, in->records, field->list ? guess / 8 : 0,
                            text ? guess : 0, &in->sinks[i].to));
  }
  in->positions = host->positions(in->call, in->out, in->records);
  return ADL_OK;
}

static adl_status begin(row_reader *in, const adl_line_block *block) {
  const adl_host *host = in->call->host;
  size_t count = (size_t)in->self->columns.count, size = (size_t)(block->end - block->at);
  in->records = block->records;
  in->values = host->alloc(in->call, count * sizeof *in->values);
  in->tile = host->alloc(in->call, TILE * count * sizeof *in->tile);
  in->text = host->alloc(in->call, size + 1);
  in->sinks = host->alloc(in->call, count * sizeof *in->sinks);
  adl_json_mask(adl_simd_level(), block->at, size, host->alloc(in->call, adl_json_masks_size(size)), &in->masks);
  adl_json_begin(&in->scanner, in->self->nodes, (int32_t)count, &in->masks);
  in->check_utf8 = in->masks.high && !adl_utf8_valid(block->at, size);
  return reserve_columns(in, block);
}

static adl_status decode(const adl_call *call, const void *instance, const void *data, int64_t size, int64_t position,
                         adl_out *out) {
  (void)size;
  const adl_host *host = call->host;
  const read_jsonl *self = instance;
  const size_t columns = (size_t)self->columns.count;
  adl_line_block block;
  adl_line_block_begin(&block, data, position);
  row_reader *in = host->alloc(call, sizeof *in);
  in->call = call;
  in->self = self;
  in->out = out;
  in->quiet = false;
  in->rows = 0;
  ADL_TRY(begin(in, &block));
  json_sink *before = host->alloc(call, columns * sizeof *before);
  numeric *numbers = host->alloc(call, columns * sizeof *numbers);
  for (;;) {
    int64_t count = 0;
    bool good;
    while (count < TILE && adl_line_block_next(&block, &in->lines[count])) count++;
    if (count == 0) break;
    ADL_TRY(add_tile(in, count, before, &good));
    if (!good) ADL_TRY(read_one_by_one(in, count, numbers));
  }
  ADL_TRY(adl_file_name_fill(call, out, self->file_column.slot, self->lines.names[block.file], in->rows));
  return host->commit(call, out, in->rows);
}

/* ---- files ---- */

static adl_status shards(const adl_call *call, void *instance, int32_t *count) {
  (void)call;
  *count = (int32_t)((read_jsonl *)instance)->path.count;
  return ADL_OK;
}

static adl_status open_file(const adl_call *call, void *instance, int32_t shard, void **cursor) {
  return adl_lines_open(call, &((read_jsonl *)instance)->lines, shard, cursor);
}

static adl_status next(const adl_call *call, void *instance, void *cursor, adl_out *out) {
  return adl_lines_next(call, &((read_jsonl *)instance)->lines, cursor, out);
}

static void close_file(const adl_call *call, void *instance, void *cursor) {
  (void)call;
  (void)instance;
  adl_lines_close(cursor);
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
  self->lines = (adl_lines){.path = self->path, .names = adl_file_names(&self->path)};
  self->fields = calloc((size_t)self->columns.count, sizeof *self->fields);
  if (self->lines.names == NULL || self->fields == NULL) return host->fail(call, NULL, -1, NULL, "out of memory");
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
  free((void *)self->lines.names);
}

static const adl_param params[] = {
    {.name = "path",
     .type = ADL_PARAM_PATH_IN,
     .flags = ADL_LIST_OF | ADL_REQUIRED,
     .offset = offsetof(read_jsonl, path),
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
    .shards = shards,
    .open = open_file,
    .next = next,
    .decode = decode,
    .close = close_file,
};

ADL_PLUGIN_OF("read-jsonl", "1.0.0", "source:read-jsonl", &read_jsonl_class);
