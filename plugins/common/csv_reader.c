/* Delimited text from a stream, see csv_reader.h. */
#include "common/csv_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_SIZE = 128 * 1024, BATCH = 256 };

uint32_t adl_csv_record_limit(const adl_csv_dialect *dialect) {
  uint32_t least = 16u << 20;
  return dialect->max_field > least / 4 ? 4 * dialect->max_field : least;
}

bool adl_csv_passed_over(const adl_csv_dialect *dialect, const char *text, uint32_t size) {
  if (dialect->comment_size > 0 && size >= dialect->comment_size &&
      memcmp(text, dialect->comment, dialect->comment_size) == 0)
    return true;
  if (size > 0 && text[size - 1] == '\r') size--;
  while (dialect->trim && size > 0 && (*text == ' ' || (*text == '\t' && dialect->delimiter != '\t'))) text++, size--;
  return size == 0;
}

uint32_t adl_csv_unescape(char quote, const char *text, uint32_t size, char *copy) {
  char *out = copy;
  for (uint32_t i = 0; i < size; i++) {
    *out++ = text[i];
    i += text[i] == quote; /* the second of two */
  }
  return (uint32_t)(out - copy);
}

/* ------------------------------------------------------------------------------------------------- the carry ---- */

static bool no_memory(adl_csv_reader *reader) {
  snprintf(reader->message, sizeof reader->message, "out of memory");
  return false;
}

static bool carry_room(adl_csv_reader *reader, uint32_t capacity) {
  if (capacity <= reader->carry_capacity) return true;
  char *bigger = realloc(reader->carry, capacity);
  if (bigger == NULL) return no_memory(reader);
  reader->carry = bigger;
  reader->carry_capacity = capacity;
  return true;
}

/* Reads up to `size` bytes to `buffer`; *got may be 0 at the end. */
static bool read_some(adl_csv_reader *reader, char *buffer, uint32_t size, uint32_t *got) {
  *got = 0;
  if (reader->ended) return true;
  int64_t count = adl_stream_read(reader->stream, buffer, size);
  if (count < 0) {
    snprintf(reader->message, sizeof reader->message, "%s", adl_stream_message(reader->stream));
    return false;
  }
  *got = (uint32_t)count;
  reader->ended = *got < size;
  return true;
}

static bool fill_carry(adl_csv_reader *reader) {
  uint32_t got;
  if (!carry_room(reader, reader->carry_size + READ_SIZE) ||
      !read_some(reader, reader->carry + reader->carry_size, READ_SIZE, &got))
    return false;
  reader->carry_size += got;
  return true;
}

static void drop_carry(adl_csv_reader *reader, uint32_t size) {
  reader->carry_size -= size;
  memmove(reader->carry, reader->carry + size, reader->carry_size);
}

/* --------------------------------------------------------------------------------------------------- opening ---- */

static bool pass_byte_order_mark(adl_csv_reader *reader) {
  const char *text = reader->carry;
  if (reader->carry_size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0)) {
    snprintf(reader->message, sizeof reader->message, "the file is UTF-16; convert it with iconv -f UTF-16 -t UTF-8");
    return false;
  }
  if (reader->carry_size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) drop_carry(reader, 3);
  return true;
}

static bool pass_line(adl_csv_reader *reader) {
  for (;;) {
    const char *feed = memchr(reader->carry, '\n', reader->carry_size);
    drop_carry(reader, feed != NULL ? (uint32_t)(feed - reader->carry) + 1 : reader->carry_size);
    if (feed != NULL || reader->ended) break;
    if (!fill_carry(reader)) return false;
  }
  reader->line++;
  return true;
}

bool adl_csv_reader_open(adl_csv_reader *reader, const char *path, const adl_csv_dialect *dialect, int64_t skip_lines) {
  *reader = (adl_csv_reader){.dialect = *dialect, .line = 1};
  reader->stream = adl_stream_open(path, reader->message);
  if (reader->stream == NULL || !fill_carry(reader) || !pass_byte_order_mark(reader)) return false;
  for (int64_t i = 0; i < skip_lines && (reader->carry_size > 0 || !reader->ended); i++)
    if (!pass_line(reader)) return false;
  return true;
}

void adl_csv_reader_close(adl_csv_reader *reader) {
  adl_stream_close(reader->stream);
  free(reader->carry);
  reader->stream = NULL;
  reader->carry = NULL;
}

/* --------------------------------------------------------------------------------------------------- header ---- */

static bool header_fault(adl_csv_reader *reader, const char *what) {
  snprintf(reader->message, sizeof reader->message, "line %lld: %s", (long long)reader->line, what);
  return false;
}

static char *copy_name(const adl_csv_dialect *dialect, const char *text, uint32_t size) {
  bool quoted = adl_csv_strip(dialect, &text, &size);
  char *name = malloc((size_t)size + 1);
  if (name == NULL) return NULL;
  if (quoted)
    size = adl_csv_unescape(dialect->quote, text, size, name);
  else
    memcpy(name, text, size);
  name[size] = '\0';
  return name;
}

static bool take_names(adl_csv_reader *reader, const adl_csv_record *record, uint32_t *ends, adl_csv_names *names) {
  const char *text = reader->carry;
  if (record->fault != ADL_CSV_GOOD)
    return header_fault(reader, "a quote in the header line opens, but does not close properly");
  if (memchr(text + record->begin, '\0', record->end - record->begin) != NULL)
    return header_fault(reader, "the header line has a NUL byte: this is not a text file");
  if (record->end > record->begin && text[record->end - 1] == '\r') ends[record->first + record->count - 1]--;
  names->items = calloc(record->count, sizeof *names->items);
  if (names->items == NULL) return no_memory(reader);
  for (uint32_t i = 0, begin = record->begin; i < record->count; i++) {
    uint32_t end = ends[record->first + i];
    names->items[i] = copy_name(&reader->dialect, text + begin, end - begin);
    if (names->items[i] == NULL) return no_memory(reader);
    names->count++;
    if (strchr(names->items[i], '\r') != NULL)
      return header_fault(reader, "the header has a carriage return inside; lines must end with a line feed");
    begin = end + 1;
  }
  return true;
}

/* Looks for a header in the carry. ADL_LATER: it needs more text. */
static adl_status find_header(adl_csv_reader *reader, adl_csv_names *names, uint32_t **room) {
  uint32_t capacity = reader->carry_size + 2 * ADL_CSV_ROOM; /* a separator takes at least a byte */
  adl_csv_record records[ADL_CSV_ROOM + 1];
  uint32_t *ends = realloc(*room, capacity * sizeof *ends);
  if (ends == NULL) return no_memory(reader), ADL_FAILED;
  *room = ends;
  adl_csv_scan scan = {.dialect = &reader->dialect,
                       .fields = true,
                       .ends = ends,
                       .ends_capacity = capacity,
                       .records = records,
                       .records_capacity = ADL_CSV_ROOM + 1};
  adl_csv_progress progress = ADL_CSV_FULL;
  while (progress == ADL_CSV_FULL) {
    progress = adl_csv_scan_run(&scan, reader->carry, reader->carry_size, reader->ended);
    for (uint32_t i = 0; i < scan.records_count; i++) {
      const adl_csv_record *record = &records[i];
      if (adl_csv_passed_over(&reader->dialect, reader->carry + record->begin, record->end - record->begin)) continue;
      reader->line += record->line;
      if (!take_names(reader, record, ends, names)) return ADL_FAILED;
      reader->line += (i + 1 < scan.records_count ? records[i + 1].line : scan.open.line) - record->line;
      drop_carry(reader, record->end < reader->carry_size ? record->end + 1 : reader->carry_size);
      return ADL_OK;
    }
    memmove(ends, ends + scan.open.first, (scan.ends_count - scan.open.first) * sizeof *ends);
    scan.ends_count -= scan.open.first;
    scan.open.first = scan.records_count = 0;
  }
  return progress == ADL_CSV_MORE ? ADL_LATER : ADL_END;
}

bool adl_csv_reader_header(adl_csv_reader *reader, adl_csv_names *names) {
  *names = (adl_csv_names){0, NULL};
  uint32_t *ends = NULL;
  adl_status status;
  while ((status = find_header(reader, names, &ends)) == ADL_LATER) {
    if (reader->carry_size > adl_csv_record_limit(&reader->dialect)) {
      status = ADL_FAILED;
      header_fault(reader, "the header line does not end; is this a text file?");
      break;
    }
    if (!fill_carry(reader)) {
      status = ADL_FAILED;
      break;
    }
  }
  if (status == ADL_END) header_fault(reader, "there is no header line, the file is empty");
  free(ends);
  return status == ADL_OK;
}

void adl_csv_names_free(adl_csv_names *names) {
  for (int32_t i = 0; i < names->count; i++) free(names->items[i]);
  free(names->items);
  *names = (adl_csv_names){0, NULL};
}

/* --------------------------------------------------------------------------------------------------- blocks ---- */

/* A block in the making. */
typedef struct block {
  uint8_t *head;
  char *text;
  uint32_t head_size, size, capacity; /* of the text: what has been read, what fits */
  uint32_t cut;                       /* where the last whole record ends */
  uint32_t cut_line;                  /* line feeds before it */
  uint32_t count;
  bool too_long; /* the record at `cut` passes the limit */
} block;

static bool block_room(const adl_call *call, adl_out *out, block *b, uint32_t capacity) {
  b->head = call->host->block(call, out, (int64_t)b->head_size + capacity + ADL_CSV_PAD);
  b->text = (char *)b->head + b->head_size;
  b->capacity = capacity;
  return b->head != NULL;
}

/* Adds the records that were found; true: the block is full. */
static bool take_records(const adl_csv_reader *reader, adl_csv_scan *scan, block *b) {
  uint32_t limit = adl_csv_record_limit(&reader->dialect);
  for (uint32_t i = 0; i < scan->records_count; i++) {
    const adl_csv_record *record = &scan->records[i];
    b->too_long = record->end - record->begin > limit;
    if (b->too_long) return true;
    b->count++;
    b->cut = record->end < b->size ? record->end + 1 : b->size;
    b->cut_line = i + 1 < scan->records_count ? record[1].line : scan->open.line;
    if (b->count == ADL_CSV_BLOCK_RECORDS || b->cut >= ADL_CSV_BLOCK_BYTES) return true;
  }
  scan->records_count = 0;
  uint32_t begun = scan->inside ? scan->opened : scan->at;
  b->too_long = begun > scan->open.begin && begun - scan->open.begin > limit;
  return b->too_long;
}

static adl_status collect(adl_csv_reader *reader, const adl_call *call, adl_out *out, block *b) {
  adl_csv_record records[BATCH];
  adl_csv_scan scan = {
      .dialect = &reader->dialect, .records = records, .records_capacity = BATCH, .ends_capacity = ADL_CSV_ROOM};
  for (;;) {
    adl_csv_progress progress = adl_csv_scan_run(&scan, b->text, b->size, reader->ended);
    if (take_records(reader, &scan, b) || progress == ADL_CSV_DONE) return ADL_OK;
    if (progress == ADL_CSV_FULL) continue;
    if (b->capacity - b->size < READ_SIZE && !block_room(call, out, b, b->capacity + b->capacity / 2 + READ_SIZE))
      return no_memory(reader), ADL_FAILED;
    uint32_t got;
    if (!read_some(reader, b->text + b->size, READ_SIZE, &got)) return ADL_FAILED;
    b->size += got;
  }
}

/* Rejects the record at the beginning of the text; the first line feed behind the limit ends it. The rest becomes the
 * carry. */
static adl_status pass_too_long(adl_csv_reader *reader, const adl_call *call, const block *b) {
  uint32_t limit = adl_csv_record_limit(&reader->dialect);
  call->host->reject_record(call, reader->line, NULL, "the record is longer than %u bytes", (unsigned)limit);
  for (const char *at = b->text; (at = memchr(at, '\n', (size_t)(b->text + limit - at))) != NULL; at++) reader->line++;
  reader->carry_size = 0;
  if (!carry_room(reader, b->size - limit)) return ADL_FAILED;
  memcpy(reader->carry, b->text + limit, b->size - limit);
  reader->carry_size = b->size - limit;
  return pass_line(reader) ? ADL_OK : ADL_FAILED;
}

static adl_status keep_rest(adl_csv_reader *reader, const block *b) {
  reader->carry_size = 0;
  if (!carry_room(reader, b->size - b->cut)) return ADL_FAILED;
  reader->carry_size = b->size - b->cut;
  if (reader->carry_size > 0) memcpy(reader->carry, b->text + b->cut, reader->carry_size);
  return ADL_OK;
}

adl_status adl_csv_reader_block(adl_csv_reader *reader, const adl_call *call, adl_out *out, uint32_t head_size,
                                uint8_t **head, uint32_t *text_size, uint32_t *records, int64_t *line) {
  block b;
  for (;;) {
    b = (block){.head_size = head_size};
    uint32_t guess = reader->last + reader->last / 8;
    if (!block_room(call, out, &b, (guess > reader->carry_size ? guess : reader->carry_size) + READ_SIZE))
      return no_memory(reader), ADL_FAILED;
    if (reader->carry_size > 0) memcpy(b.text, reader->carry, reader->carry_size);
    b.size = reader->carry_size;
    ADL_TRY(collect(reader, call, out, &b));
    if (b.count > 0) break;
    if (!b.too_long) return ADL_END;
    ADL_TRY(pass_too_long(reader, call, &b));
  }
  ADL_TRY(keep_rest(reader, &b));
  memset(b.text + b.cut, 0, ADL_CSV_PAD);
  *head = b.head;
  *text_size = reader->last = b.cut;
  *records = b.count;
  *line = reader->line;
  reader->line += b.cut_line;
  return ADL_OK;
}
