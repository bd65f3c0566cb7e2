/* Blocks of text to batches, see csv_columns.h: scans a tile of records, checks their shape, converts column after column;
 * a tile with bad values is converted once more without their records, which is rare. */
#include "common/csv_tile.h"
#include "common/file_names.h"

#include <string.h>

/* --------------------------------------------------------------------------------------------------- shape ---- */

static int32_t column_of_field(const adl_csv_decoder *d, uint32_t field) {
  for (int32_t c = 0; c < d->table->column_count; c++)
    if (d->head->field[c] == (int32_t)field) return c;
  return -1;
}

/* The column of the field in which text[offset] stands, or -1. */
static int32_t column_at(const adl_csv_decoder *d, const adl_csv_record *record, uint32_t offset) {
  uint32_t field = 0;
  while (field + 1 < record->count && d->scan.ends[record->first + field] < offset) field++;
  return column_of_field(d, field);
}

static bool has_long_field(const adl_csv_decoder *d, const adl_csv_record *record, int32_t *culprit) {
  if (record->end - record->begin <= d->dialect.max_field) return false;
  for (uint32_t i = 0, begin = record->begin; i < record->count; i++) {
    uint32_t end = d->scan.ends[record->first + i], quotes = d->text[begin] == d->dialect.quote ? 2 : 0;
    if (end - begin > d->dialect.max_field + quotes) {
      *culprit = column_of_field(d, i);
      return true;
    }
    begin = end + 1;
  }
  return false;
}

static adl_csv_problem check_shape(adl_csv_decoder *d, adl_csv_record *record, int32_t *culprit) {
  const char *text = d->text + record->begin;
  uint32_t size = record->end - record->begin, fields = (uint32_t)d->head->fields;
  *culprit = -1;
  if (record->fault != ADL_CSV_GOOD) return ADL_CSV_BAD_QUOTE;
  if (record->count > fields) return ADL_CSV_TOO_MANY;
  if (record->count < fields) {
    *culprit = column_of_field(d, record->count);
    return ADL_CSV_TOO_FEW;
  }
  if (has_long_field(d, record, culprit)) return ADL_CSV_TOO_LONG;
  const char *zero = d->scan.zero ? memchr(text, '\0', size) : NULL;
  if (zero != NULL) {
    *culprit = column_at(d, record, (uint32_t)(zero - d->text));
    return ADL_CSV_HAS_ZERO;
  }
  if (size > 0 && text[size - 1] == '\r') d->scan.ends[record->first + record->count - 1]--;
  return ADL_CSV_FINE;
}

static void add_row(adl_csv_decoder *d, uint32_t row, uint32_t record) {
  d->record[row] = record;
  d->first[row] = d->scan.records[record].first;
  d->begin[row] = d->scan.records[record].begin;
}

/* Which records of the tile may become rows. */
static void check_records(adl_csv_decoder *d) {
  d->count = 0;
  for (uint32_t r = 0; r < d->scan.records_count; r++) {
    adl_csv_record *record = &d->scan.records[r];
    const char *text = d->text + record->begin;
    uint32_t size = record->end - record->begin;
    d->problem[r] = ADL_CSV_FINE;
    /* a shortest-possible look: blank lines have no more than a few bytes, comments are rare */
    if ((size <= 1 || d->dialect.trim || d->dialect.comment_size > 0) && adl_csv_passed_over(&d->dialect, text, size))
      continue;
    d->problem[r] = (uint8_t)check_shape(d, record, &d->culprit[r]);
    if (d->problem[r] == ADL_CSV_FINE) add_row(d, d->count++, r);
  }
}

/* -------------------------------------------------------------------------------------------------- values ---- */

/* One field of every row of the tile. A field that begins with a quote is a quoted one, without blanks around it. */
static inline __attribute__((always_inline)) void gather(adl_csv_decoder *d, uint32_t field, bool quotes) {
  adl_csv_values *values = &d->values;
  const uint32_t *ends = d->scan.ends + field;
  const char *text = d->text, quote = d->dialect.quote;
  for (uint32_t i = 0; i < d->count; i++) {
    const uint32_t *end = ends + d->first[i];
    uint32_t begin = field > 0 ? end[-1] + 1 : d->begin[i], size = *end - begin;
    bool quoted = quotes && text[begin] == quote;
    values->text[i] = text + begin + quoted;
    values->size[i] = size - 2 * (uint32_t)quoted;
    if (quotes) values->quoted[i] = quoted;
  }
  values->count = d->count;
  values->any_quoted = quotes;
  values->ends = NULL;
}

/* The same where the ends of the fields of all rows stand one behind the other: nothing has to be gathered. */
static void point(adl_csv_decoder *d, uint32_t field) {
  d->values.count = d->count;
  d->values.any_quoted = false;
  d->values.base = d->text;
  d->values.ends = d->scan.ends + d->first[0] + field;
  d->values.stride = (uint32_t)d->head->fields;
}

/* Takes off blanks, and the quotes that they surround. */
static void trim(adl_csv_decoder *d, bool quotes) {
  adl_csv_values *values = &d->values;
  values->any_quoted = quotes;
  for (uint32_t i = 0; i < values->count; i++)
    values->quoted[i] = adl_csv_strip(&d->dialect, &values->text[i], &values->size[i]);
}

/* Makes one quote of two. */
static void undouble(adl_csv_decoder *d) {
  adl_csv_values *values = &d->values;
  char *spare = NULL;
  for (uint32_t i = 0; i < values->count; i++) {
    if (!values->quoted[i] || memchr(values->text[i], d->dialect.quote, values->size[i]) == NULL) continue;
    if (d->spare == NULL) d->spare = d->call->host->alloc(d->call, (size_t)d->head->size + 2 * ADL_CSV_PAD);
    if (spare == NULL) spare = d->spare + ADL_CSV_PAD;
    values->size[i] = adl_csv_unescape(d->dialect.quote, values->text[i], values->size[i], spare);
    values->text[i] = spare;
    spare += values->size[i];
  }
}

/* Converts the tile's texts. Most are short, so they are added up only where one does not fit. */
static adl_status take_texts(adl_csv_decoder *d, const adl_csv_column *column, adl_csv_sink *sink) {
  int64_t need = ADL_CSV_SHORT * (int64_t)d->values.count;
  for (uint32_t done = 0;;) {
    if (sink->bytes + need + ADL_CSV_PAD > sink->buffers.byte_capacity) {
      int64_t more = 2 * (sink->bytes + need + ADL_CSV_PAD);
      if (more < d->bytes_in_column) more = d->bytes_in_column;
      ADL_TRY(d->call->host->reserve(d->call, d->out, column->slot, d->head->records, 0, more, &sink->buffers));
    }
    done = adl_csv_take_texts(d->table, &d->values, done, sink);
    if (done == d->values.count) return ADL_OK;
    need = 0;
    for (uint32_t i = done; i < d->values.count; i++) need += adl_csv_value_at(&d->values, i).size + ADL_CSV_SHORT;
  }
}

/* Remembers what the conversion of a column has found; how many records had no problem before. */
static uint32_t note_problems(adl_csv_decoder *d, int32_t column) {
  uint32_t bad = 0;
  for (uint32_t i = 0; i < d->count; i++) {
    uint32_t r = d->record[i];
    if (d->problems[i] == ADL_CSV_FINE || d->problem[r] != ADL_CSV_FINE) continue;
    d->problem[r] = d->problems[i];
    d->culprit[r] = column;
    bad++;
  }
  memset(d->problems, 0, d->count);
  return bad;
}

/* Converts the tile's rows; *bad: how many have a problem, which is then noted. */
static adl_status convert_tile(adl_csv_decoder *d, uint32_t *bad) {
  bool quotes = false, doubled = false;
  *bad = 0;
  for (uint32_t i = 0; i < d->count; i++) {
    quotes |= d->scan.records[d->record[i]].quotes;
    doubled |= d->scan.records[d->record[i]].doubled;
  }
  for (int32_t c = 0; c < d->table->column_count; c++) {
    const adl_csv_column *column = &d->table->columns[c];
    adl_csv_sink *sink = &d->sinks[c];
    if (column->type == ADL_CSV_SKIP) continue;
    if (!quotes && d->regular && column->type == ADL_CSV_STRING && d->head->field[c] > 0)
      point(d, (uint32_t)d->head->field[c]);
    else if (quotes && !d->dialect.trim)
      gather(d, (uint32_t)d->head->field[c], true);
    else
      gather(d, (uint32_t)d->head->field[c], false);
    if (d->dialect.trim) trim(d, quotes);
    if (doubled) undouble(d);
    if (column->type == ADL_CSV_STRING && sink->wanted) ADL_TRY(take_texts(d, column, sink));
    if (adl_csv_convert(d->table, column, &d->values, d->check_utf8, sink, d->problems)) *bad += note_problems(d, c);
  }
  return ADL_OK;
}

/* Takes the rows with a problem out of the tile and every trace of the first conversion back. */
static void drop_bad(adl_csv_decoder *d, const int64_t *bytes) {
  uint32_t kept = 0;
  for (int32_t c = 0; c < d->table->column_count; c++) {
    adl_csv_sink *sink = &d->sinks[c];
    sink->bytes = bytes[c];
    for (uint32_t i = 0; i < d->count && sink->buffers.validity != NULL; i++)
      adl_bit_set(sink->buffers.validity, sink->row + i, true);
  }
  for (uint32_t i = 0; i < d->count; i++)
    if (d->problem[d->record[i]] == ADL_CSV_FINE) add_row(d, kept++, d->record[i]);
  d->count = kept;
  d->regular = false;
}

/* --------------------------------------------------------------------------------------------------- tiles ---- */

static adl_status take_tile(adl_csv_decoder *d, int64_t *bytes) {
  uint32_t bad = 0;
  check_records(d);
  d->check_utf8 =
      d->scan.high && !adl_utf8_valid(d->text + d->scan.records[0].begin,
                                      d->scan.records[d->scan.records_count - 1].end - d->scan.records[0].begin);
  d->regular = d->count == d->scan.records_count && !d->check_utf8 && !d->dialect.trim;
  for (int32_t c = 0; c < d->table->column_count; c++) {
    d->sinks[c].row = d->sinks[c].wanted ? d->rows : 0;
    bytes[c] = d->sinks[c].bytes;
  }
  if (d->count > 0) ADL_TRY(convert_tile(d, &bad));
  if (bad > 0) {
    drop_bad(d, bytes);
    if (d->count > 0) ADL_TRY(convert_tile(d, &bad));
  }
  for (uint32_t i = 0; i < d->count; i++) d->positions[d->rows + i] = d->line + d->scan.records[d->record[i]].line;
  d->rows += d->count;
  for (uint32_t r = 0; r < d->scan.records_count; r++)
    if (d->problem[r] != ADL_CSV_FINE) adl_csv_reject(d, r);
  return ADL_OK;
}

/* Keeps what the scan has found of the next record. A record that fills `ends` all alone has too many fields: what is
 * over is forgotten. */
static void keep_begun(adl_csv_decoder *d) {
  adl_csv_scan *scan = &d->scan;
  uint32_t left = scan->ends_count - scan->open.first, most = (uint32_t)d->head->fields + 1;
  bool taken = scan->records_count > 0, high = !taken && scan->high, zero = !taken && scan->zero;
  if (!taken && left > most) left = most;
  memmove(scan->ends, scan->ends + scan->open.first, left * sizeof *scan->ends);
  scan->ends_count = left;
  scan->open.first = scan->records_count = 0;
  for (uint32_t i = scan->open.begin; taken && i < scan->at; i++) {
    high |= (unsigned char)d->text[i] >= 128;
    zero |= d->text[i] == '\0';
  }
  scan->high = high;
  scan->zero = zero;
}

static adl_status reserve_columns(adl_csv_decoder *d) {
  const adl_host *host = d->call->host;
  int64_t records = d->head->records;
  int64_t share = 2 * (int64_t)d->head->size / d->head->fields; /* of one field, generously; all of the text at most */
  d->bytes_in_column = (share < d->head->size ? share : d->head->size) + ADL_CSV_PAD;
  for (int32_t c = 0; c < d->table->column_count; c++) {
    const adl_csv_column *column = &d->table->columns[c];
    adl_csv_sink *sink = &d->sinks[c];
    if (column->type == ADL_CSV_SKIP) continue;
    sink->wanted = host->wanted(d->call, column->slot);
    if (sink->wanted) {
      int64_t bytes = column->type == ADL_CSV_STRING ? d->bytes_in_column : 0;
      ADL_TRY(host->reserve(d->call, d->out, column->slot, records, 0, bytes, &sink->buffers));
    } else {
      sink->buffers.validity = host->alloc(d->call, ADL_CSV_TILE_ROOM);
      sink->buffers.data = host->alloc(d->call, ADL_CSV_TILE_ROOM * sizeof(int64_t));
    }
  }
  d->positions = host->positions(d->call, d->out, records);
  return ADL_OK;
}

adl_status adl_csv_decode(const adl_csv_table *table, const adl_call *call, const adl_csv_head *head, int64_t line,
                          adl_out *out) {
  const adl_host *host = call->host;
  size_t columns = (size_t)table->column_count;
  adl_csv_decoder *d = host->alloc(call, sizeof *d);
  memset(d, 0, sizeof *d);
  d->table = table;
  d->call = call;
  d->out = out;
  d->head = head;
  d->text = (const char *)head + adl_csv_head_size(table->column_count);
  d->line = line;
  d->dialect = table->dialect;
  d->dialect.delimiter = head->delimiter;
  d->values.simd = table->null_numbers ? ADL_SIMD_PORTABLE : adl_simd_level();
  d->sinks = host->alloc(call, columns * sizeof *d->sinks);
  memset(d->sinks, 0, columns * sizeof *d->sinks);
  int64_t *bytes = host->alloc(call, columns * sizeof *bytes);
  d->scan.dialect = &d->dialect;
  d->scan.fields = true;
  d->scan.ends_capacity = ((uint32_t)head->fields + 1) * ADL_CSV_TILE + 4 * ADL_CSV_ROOM;
  d->scan.ends = host->alloc(call, d->scan.ends_capacity * sizeof *d->scan.ends);
  d->scan.records_capacity = ADL_CSV_TILE_ROOM;
  d->scan.records = host->alloc(call, d->scan.records_capacity * sizeof *d->scan.records);
  ADL_TRY(reserve_columns(d));
  adl_csv_progress progress;
  do {
    progress = adl_csv_scan_run(&d->scan, d->text, head->size, true);
    if (d->scan.records_count > 0) ADL_TRY(take_tile(d, bytes));
    keep_begun(d);
  } while (progress == ADL_CSV_FULL);
  ADL_TRY(adl_file_name_fill(call, out, table->file_slot, table->file_names[head->file], d->rows));
  return host->commit(call, out, d->rows);
}
