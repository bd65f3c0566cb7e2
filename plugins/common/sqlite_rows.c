/* Rows of a SQLite statement to typed columns; see sqlite_rows.h. */
#include "common/sqlite_rows.h"

#include <string.h>

#include "common/convert.h"
#include "common/excerpt.h"
#include "common/format.h"

static const char *const storage_names[] = {
    [SQLITE_INTEGER] = "an INTEGER", [SQLITE_FLOAT] = "a REAL", [SQLITE_TEXT] = "TEXT", [SQLITE_BLOB] = "a BLOB"};
static const char *const type_names[] = {[ADL_CSV_STRING] = "a string",       [ADL_CSV_INT] = "an int",
                                         [ADL_CSV_FLOAT] = "a float",         [ADL_CSV_BOOL] = "a bool",
                                         [ADL_CSV_TIMESTAMP] = "a timestamp", [ADL_CSV_DATE] = "a date"};

/* Rejects the row for this value; always false. */
static bool refuse(const adl_sqlite_reader *in, const adl_csv_column *column, int field) {
  char shown[ADL_EXCERPT];
  int storage = sqlite3_column_type(in->statement, field);
  const char *is = storage_names[storage], *wanted = type_names[column->type];
  if (storage == SQLITE_BLOB) {
    in->call->host->reject_record(in->call, in->position, column->name, "%s is not %s", is, wanted);
    return false;
  }
  const char *text = (const char *)sqlite3_column_text(in->statement, field);
  size_t size = (size_t)sqlite3_column_bytes(in->statement, field);
  in->call->host->reject_record(in->call, in->position, column->name, "\"%s\", which is %s, is not %s",
                                adl_excerpt(text != NULL ? text : "", size, shown), is, wanted);
  return false;
}

/* Appends text to a string column; false: out of memory was reported by the host, which never returns then. */
static bool put_text(adl_sqlite_reader *in, int32_t item, const char *text, size_t size) {
  adl_buffers *to = &in->to[item];
  int64_t begin = to->string_offsets[in->at], end = begin + (int64_t)size;
  if (end > to->byte_capacity) {
    int64_t more = end + end / 2;
    if (more > INT32_MAX) more = end;
    if (in->call->host->reserve(in->call, in->out, in->columns->items[item].slot, ADL_SQLITE_BATCH, 0, more, to) !=
        ADL_OK)
      return false;
  }
  if (size > 0) memcpy((char *)to->data + begin, text, size);
  to->string_offsets[in->at + 1] = (int32_t)end;
  return true;
}

/* A string: TEXT as it is, numbers in decimal. */
static bool read_string(adl_sqlite_reader *in, int32_t item, int field, adl_status *status) {
  char number[ADL_FLOAT_TEXT];
  const char *text = number;
  size_t size;
  switch (sqlite3_column_type(in->statement, field)) {
    case SQLITE_INTEGER: size = adl_format_int64(sqlite3_column_int64(in->statement, field), number); break;
    case SQLITE_FLOAT: size = adl_format_double(sqlite3_column_double(in->statement, field), number); break;
    case SQLITE_TEXT:
      text = (const char *)sqlite3_column_text(in->statement, field);
      size = (size_t)sqlite3_column_bytes(in->statement, field);
      if (text == NULL || !adl_utf8_valid(text, size)) {
        in->call->host->reject_record(in->call, in->position, in->columns->items[item].name, "the text is not UTF-8");
        return false;
      }
      break;
    default: return refuse(in, &in->columns->items[item], field);
  }
  if (in->wanted[item] && !put_text(in, item, text, size)) *status = ADL_FAILED;
  return *status == ADL_OK;
}

/* A timestamp or date: text in the format, or an integer, which counts the format's unit (iso and patterns: microseconds)
 * since 1970. */
static bool read_time(const adl_sqlite_reader *in, const adl_csv_column *column, int field, int64_t *value) {
  const adl_time_format *format = &column->time;
  bool day = column->type == ADL_CSV_DATE;
  int storage = sqlite3_column_type(in->statement, field);
  if (storage == SQLITE_INTEGER && format->kind != ADL_TIME_UNIX) {
    *value = sqlite3_column_int64(in->statement, field);
    return !day || !__builtin_sub_overflow(*value, ((*value % ADL_DAY) + ADL_DAY) % ADL_DAY, value);
  }
  if (storage == SQLITE_BLOB || (storage == SQLITE_FLOAT && format->kind != ADL_TIME_UNIX)) return false;
  char number[ADL_FLOAT_TEXT];
  const char *text = number;
  size_t size;
  if (storage == SQLITE_FLOAT) {
    size = adl_format_double(sqlite3_column_double(in->statement, field), number);
  } else {
    text = (const char *)sqlite3_column_text(in->statement, field);
    size = (size_t)sqlite3_column_bytes(in->statement, field);
  }
  return text != NULL && adl_time_parse(format, text, size, day, value) == ADL_PARSED;
}

static bool read_bool(const adl_sqlite_reader *in, int field, bool *value) {
  int storage = sqlite3_column_type(in->statement, field);
  if (storage == SQLITE_TEXT)
    return adl_parse_bool((const char *)sqlite3_column_text(in->statement, field),
                          (size_t)sqlite3_column_bytes(in->statement, field), value) == ADL_PARSED;
  int64_t number = sqlite3_column_int64(in->statement, field);
  *value = number == 1;
  return storage == SQLITE_INTEGER && (number == 0 || number == 1);
}

/* A value that is not null and no string. */
static bool read_fixed(adl_sqlite_reader *in, int32_t item, int field) {
  const adl_csv_column *column = &in->columns->items[item];
  int storage = sqlite3_column_type(in->statement, field);
  adl_buffers *to = in->wanted[item] ? &in->to[item] : NULL;
  int64_t number;
  bool yes;
  switch (column->type) {
    case ADL_CSV_BOOL:
      if (!read_bool(in, field, &yes)) return refuse(in, column, field);
      if (to != NULL) adl_bit_set(to->data, in->at, yes);
      return true;
    case ADL_CSV_FLOAT:
      if (storage != SQLITE_FLOAT && storage != SQLITE_INTEGER) return refuse(in, column, field);
      if (to != NULL) ((double *)to->data)[in->at] = sqlite3_column_double(in->statement, field);
      return true;
    case ADL_CSV_INT:
      if (storage != SQLITE_INTEGER) return refuse(in, column, field);
      number = sqlite3_column_int64(in->statement, field);
      break;
    default:
      if (!read_time(in, column, field, &number)) return refuse(in, column, field);
  }
  if (to != NULL) ((int64_t *)to->data)[in->at] = number;
  return true;
}

static void put_null(adl_sqlite_reader *in, int32_t item) {
  const adl_csv_column *column = &in->columns->items[item];
  adl_buffers *to = &in->to[item];
  if (!in->wanted[item]) return;
  adl_bit_set(to->validity, in->at, false);
  if (column->type == ADL_CSV_STRING)
    to->string_offsets[in->at + 1] = to->string_offsets[in->at];
  else if (column->type == ADL_CSV_BOOL)
    adl_bit_set(to->data, in->at, false);
  else
    ((int64_t *)to->data)[in->at] = 0;
}

bool adl_sqlite_read_row(adl_sqlite_reader *in, adl_status *status) {
  const adl_sqlite_columns *self = in->columns;
  for (int32_t i = 0; i < self->count; i++) {
    int field = self->fields[i];
    bool good = true;
    if (field < 0) continue;
    if (sqlite3_column_type(in->statement, field) == SQLITE_NULL)
      put_null(in, i);
    else if (self->items[i].type == ADL_CSV_STRING)
      good = read_string(in, i, field, status);
    else
      good = read_fixed(in, i, field);
    if (good) continue;
    for (int32_t before = 0; before < i; before++) /* another row comes to stand here */
      if (self->fields[before] >= 0 && in->wanted[before]) adl_bit_set(in->to[before].validity, in->at, true);
    return false;
  }
  return true;
}

adl_status adl_sqlite_reader_begin(adl_sqlite_reader *in) {
  const adl_host *host = in->call->host;
  const adl_sqlite_columns *self = in->columns;
  in->to = host->alloc(in->call, ((size_t)self->count + 1) * sizeof *in->to);
  in->wanted = host->alloc(in->call, (size_t)self->count + 1);
  for (int32_t i = 0; i < self->count; i++) {
    const adl_csv_column *column = &self->items[i];
    in->wanted[i] = self->fields[i] >= 0 && host->wanted(in->call, column->slot);
    int64_t bytes = column->type == ADL_CSV_STRING ? 16 * ADL_SQLITE_BATCH : 0;
    if (in->wanted[i]) ADL_TRY(host->reserve(in->call, in->out, column->slot, ADL_SQLITE_BATCH, 0, bytes, &in->to[i]));
  }
  return ADL_OK;
}
