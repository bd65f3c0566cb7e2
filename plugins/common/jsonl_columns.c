/* Blocks of JSON objects to batches, see jsonl_columns.h. Rows are read a tile at a time, and a tile column by column; a
 * tile in which something is wrong is read once more line by line, which rejects what is wrong in order. */
#include "common/jsonl_columns.h"

#include <stdio.h>
#include <string.h>

#include "common/excerpt.h"
#include "common/file_names.h"

/* ---- one value ---- */

/* What a value may be told to be in a message. */
static const char *kind_name(uint8_t kind) {
  static const char *const names[] = {"null", "false", "true", "a number", "a string", "an array", "an object"};
  return names[kind];
}

/* What a value, or an item of a list, is to be. */
static const char *wanted_name(const adl_jsonl_field *field) {
  switch (field->column.type) {
    case ADL_CSV_STRING: return field->list ? "a string" : "a string or a number";
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

/* A block being read. */
enum { TILE = 128 };

typedef struct row_reader {
  const adl_call *call;
  const adl_jsonl_table *table;
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

static bool refuse(const row_reader *in, const adl_jsonl_field *field, const adl_json_value *value, const char *why) {
  if (in->quiet) return false;
  char shown[ADL_EXCERPT];
  in->call->host->reject_record(in->call, in->line->number, field->column.name, "%s at byte %lld is %s: \"%s\"",
                                kind_name(value->kind), (long long)(value->text - in->line->text) + 1, why,
                                adl_excerpt(value->text, value->size, shown));
  return false;
}

static bool refuse_kind(const row_reader *in, const adl_jsonl_field *field, const adl_json_value *value) {
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

static bool read_time(const row_reader *in, const adl_jsonl_field *field, const adl_json_value *value, int64_t *time) {
  bool number = value->kind == ADL_JSON_NUMBER && field->column.time.kind == ADL_TIME_UNIX;
  if (!number && value->kind != ADL_JSON_STRING) return refuse_kind(in, field, value);
  adl_text text = text_of(in, value);
  bool day = field->column.type == ADL_CSV_DATE;
  return adl_time_parse(&field->column.time, text.data, (size_t)text.size, day, time) == ADL_PARSED ||
         refuse(in, field, value, "no time in the format of the column");
}

/* In JSON 2, 2.0 and 2e0 are one number, and many programs write integers like that. */
static inline adl_parsed read_int(const adl_json_value *value, int64_t *number) {
  adl_parsed parsed = adl_parse_int64_padded(value->text, value->size, number);
  if (__builtin_expect(parsed != ADL_NOT_ONE, 1)) return parsed;
  return adl_parse_scaled(value->text, value->size, 0, false, number);
}

/* A value that is neither null nor a string, or an item of a list; false: the row has been rejected. */
static bool read_number(const row_reader *in, const adl_jsonl_field *field, const adl_json_value *value,
                        numeric *number) {
  adl_parsed parsed = ADL_PARSED;
  number->integer = 0;
  switch (field->column.type) {
    case ADL_CSV_INT:
      if (value->kind != ADL_JSON_NUMBER) return refuse_kind(in, field, value);
      parsed = read_int(value, &number->integer);
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

static bool check_text(const row_reader *in, const adl_jsonl_field *field, const adl_json_value *value) {
  bool plain = value->kind == ADL_JSON_STRING || (value->kind == ADL_JSON_NUMBER && !field->list);
  if (!plain) return refuse_kind(in, field, value);
  adl_text text = text_of(in, value);
  return !value->escaped || memchr(text.data, '\0', (size_t)text.size) == NULL ||
         refuse(in, field, value, "text with a NUL in it");
}

/* Checks a field of the row; numbers are read on the way. */
static bool check_field(const row_reader *in, const adl_jsonl_field *field, const adl_json_value *value,
                        numeric *number) {
  adl_json_value item;
  number->integer = 0;
  if (value->kind == ADL_JSON_NONE) return true;
  if (!field->list)
    return field->column.type == ADL_CSV_STRING ? check_text(in, field, value) : read_number(in, field, value, number);
  if (value->kind != ADL_JSON_ARRAY) return refuse(in, field, value, "not an array");
  for (const char *at = value->text + 1; adl_json_next_item(&in->masks, &at, value->text + value->size, &item);)
    if (!(field->column.type == ADL_CSV_STRING ? check_text(in, field, &item) : read_number(in, field, &item, number)))
      return false;
  return true;
}

/* ---- columns ---- */

static adl_status make_room(const row_reader *in, const adl_jsonl_field *field, int64_t items, int64_t bytes,
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

static void add_number(const adl_jsonl_field *field, numeric number, int64_t at, json_sink *to) {
  if (field->column.type == ADL_CSV_BOOL)
    adl_bit_set(to->to.data, at, number.integer != 0);
  else if (field->column.type == ADL_CSV_FLOAT)
    ((double *)to->to.data)[at] = number.real;
  else
    ((int64_t *)to->to.data)[at] = number.integer;
}

/* Adds a field that has been checked. */
static adl_status add_field(const row_reader *in, const adl_jsonl_field *field, const adl_json_value *value,
                            numeric number, int64_t row, json_sink *to) {
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
  const adl_jsonl_table *table = in->table;
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
  for (int64_t i = 0; i < table->column_count; i++)
    if (!check_field(in, &table->fields[i], &in->values[i], &numbers[i])) return false;
  return true;
}

static adl_status read_one_by_one(row_reader *in, int64_t count, numeric *numbers) {
  const adl_jsonl_table *table = in->table;
  for (int64_t r = 0; r < count; r++) {
    in->line = &in->lines[r];
    if (!read_line(in, numbers)) continue;
    for (int64_t i = 0; i < table->column_count; i++)
      if (in->sinks[i].wanted)
        ADL_TRY(add_field(in, &table->fields[i], &in->values[i], numbers[i], in->rows, &in->sinks[i]));
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

/* Puts a text at `out`, which has room for its size and ADL_CSV_PAD; its size then. */
static inline int64_t put_text(const adl_json_value *value, char *out, bool *good) {
  int64_t size = value->size;
  if (__builtin_expect(value->escaped, 0)) {
    size = (int64_t)adl_json_unescape(value->text, value->size, out);
    *good &= memchr(out, '\0', (size_t)size) == NULL;
    return size;
  }
  memcpy(out, value->text, 16); /* most are short */
  if (size > 16) memcpy(out + 16, value->text + 16, (size_t)size - 16);
  return size;
}

static bool add_texts(const row_reader *in, const json_values *values, json_sink *sink) {
  int64_t row = in->rows, at = sink->bytes;
  const adl_json_value *value = values->first;
  bool good = true;
  for (int64_t i = 0; i < values->count; i++, value += values->stride) {
    if (value->kind == ADL_JSON_STRING || value->kind == ADL_JSON_NUMBER) {
      at += put_text(value, (char *)sink->to.data + at, &good);
    } else {
      good &= value->kind == ADL_JSON_NONE;
      adl_bit_set(sink->to.validity, row + i, false);
    }
    sink->to.string_offsets[row + i + 1] = (int32_t)at;
  }
  sink->bytes = at;
  return good;
}

static bool add_lists_of_texts(const row_reader *in, const json_values *values, json_sink *sink) {
  int64_t items = sink->items, at = sink->bytes;
  const adl_json_value *value = values->first;
  bool good = true;
  for (int64_t i = 0; i < values->count; i++, value += values->stride) {
    const char *from = value->text + 1, *end = value->text + value->size;
    adl_json_value item;
    if (value->kind == ADL_JSON_NONE)
      adl_bit_set(sink->to.validity, in->rows + i, false);
    else if (value->kind != ADL_JSON_ARRAY)
      return false;
    while (value->kind == ADL_JSON_ARRAY && adl_json_next_item(&in->masks, &from, end, &item)) {
      if (item.kind != ADL_JSON_STRING) return false;
      at += put_text(&item, (char *)sink->to.data + at, &good);
      sink->to.string_offsets[++items] = (int32_t)at;
    }
    sink->to.offsets[in->rows + i + 1] = (int32_t)items;
  }
  sink->items = items;
  sink->bytes = at;
  return good;
}

/* True, false and null; other spellings are left to add_others. */
static bool are_words(const json_values *values) {
  const adl_json_value *value = values->first;
  bool words = true;
  for (int64_t i = 0; i < values->count; i++, value += values->stride) words &= value->kind <= ADL_JSON_TRUE;
  return words;
}

static void add_bools(const row_reader *in, const json_values *values, json_sink *sink) {
  const adl_json_value *value = values->first;
  for (int64_t i = 0; i < values->count; i++, value += values->stride) {
    adl_bit_set(sink->to.data, in->rows + i, value->kind == ADL_JSON_TRUE);
    if (value->kind == ADL_JSON_NONE) adl_bit_set(sink->to.validity, in->rows + i, false);
  }
}

static bool add_numbers(const row_reader *in, const adl_jsonl_field *field, const json_values *values,
                        json_sink *sink) {
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
      good |= read_int(value, &integers[i]);
    }
  }
  return good == ADL_PARSED;
}

/* Any type, and what nobody wants: that is only checked. */
static adl_status add_others(const row_reader *in, const adl_jsonl_field *field, const json_values *values,
                             json_sink *sink, bool *good) {
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
  const adl_jsonl_field *field = &in->table->fields[c];
  json_sink *sink = &in->sinks[c];
  json_values values = {in->tile + c, in->table->column_count, count};
  bool text = field->column.type == ADL_CSV_STRING, list = field->list;
  if (!sink->wanted || (list && !text)) return add_others(in, field, &values, sink, good);
  if (text) {
    int64_t bytes = ADL_CSV_PAD;
    for (int64_t i = 0; i < count; i++) bytes += values.first[i * values.stride].size;
    ADL_TRY(make_room(in, field, list ? bytes / 2 : 0, bytes, sink)); /* an item takes more than two bytes */
    *good = list ? add_lists_of_texts(in, &values, sink) : add_texts(in, &values, sink);
  } else if (field->column.type == ADL_CSV_INT || field->column.type == ADL_CSV_FLOAT) {
    *good = add_numbers(in, field, &values, sink);
  } else if (field->column.type == ADL_CSV_BOOL && are_words(&values)) {
    add_bools(in, &values, sink);
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
    adl_json_value *values = in->tile + rows * in->table->column_count;
    if (!adl_json_scan(&in->scanner, line->text, line->size, values, &fault)) return -1;
    in->positions[in->rows + rows++] = line->number;
  }
  return rows;
}

/* Reads the tile; *good: nothing is wrong with it. If something is, nothing of it stays. */
static adl_status add_tile(row_reader *in, int64_t count, json_sink *before, bool *good) {
  size_t columns = (size_t)in->table->column_count;
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
  int64_t count = in->table->column_count, guess = (block->end - block->at) / count + 64;
  for (int64_t i = 0; i < count; i++) {
    const adl_jsonl_field *field = &in->table->fields[i];
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
  size_t count = (size_t)in->table->column_count, size = (size_t)(block->end - block->at);
  in->records = block->records;
  in->values = host->alloc(in->call, count * sizeof *in->values);
  in->tile = host->alloc(in->call, TILE * count * sizeof *in->tile);
  in->text = host->alloc(in->call, size + 1);
  in->sinks = host->alloc(in->call, count * sizeof *in->sinks);
  adl_json_mask(adl_simd_level(), block->at, size, host->alloc(in->call, adl_json_masks_size(size)), &in->masks);
  adl_json_begin(&in->scanner, in->table->nodes, (int32_t)count, &in->masks);
  in->check_utf8 = in->masks.high && !adl_utf8_valid(block->at, size);
  return reserve_columns(in, block);
}

adl_status adl_jsonl_decode(const adl_jsonl_table *table, const adl_call *call, const void *data, int64_t position,
                            adl_out *out) {
  const adl_host *host = call->host;
  const size_t columns = (size_t)table->column_count;
  adl_line_block block;
  adl_line_block_begin(&block, data, position);
  row_reader *in = host->alloc(call, sizeof *in);
  in->call = call;
  in->table = table;
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
  ADL_TRY(adl_file_name_fill(call, out, table->file_slot, table->file_names[block.file], in->rows));
  return host->commit(call, out, in->rows);
}
