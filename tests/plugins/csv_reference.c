/* See csv_reference.h. */
#include "tests/plugins/csv_reference.h"

#include <adloom/plugin.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more item; doubles when `count` is a power of two. */
static void *grow(void *memory, uint32_t count, size_t item) {
  if ((count & (count - 1)) != 0) return memory;
  void *grown = realloc(memory, (count == 0 ? 1 : 2 * (size_t)count) * item);
  if (grown == NULL) abort();
  return grown;
}

static bool blank(const adl_csv_dialect *dialect, char c) {
  return dialect->trim && c != dialect->delimiter && (c == ' ' || c == '\t');
}

static bool ends_field(const adl_csv_dialect *dialect, const char *text, uint32_t size, uint32_t at) {
  while (at < size && blank(dialect, text[at])) at++;
  if (at == size || text[at] == dialect->delimiter || text[at] == '\n') return true;
  return text[at] == '\r' && (at + 1 == size || text[at + 1] == '\n');
}

/* The quote at `open` opens a field: where behind its closing quote to go on, or 0 with a fault. */
static uint32_t pass_quoted(const adl_csv_dialect *dialect, const char *text, uint32_t size, uint32_t open,
                            adl_csv_fault *fault) {
  for (uint32_t at = open + 1; at < size; at++) {
    if (text[at] != dialect->quote) continue;
    if (at - open - 1 > dialect->max_field) break;
    if (at + 1 < size && text[at + 1] == dialect->quote) {
      at++;
      continue;
    }
    if (ends_field(dialect, text, size, at + 1)) return at + 1;
    *fault = ADL_CSV_AFTER_QUOTE;
    return 0;
  }
  *fault = ADL_CSV_UNCLOSED;
  return 0;
}

static void add_end(reference_record *record, uint32_t end) {
  record->ends = grow(record->ends, record->count, sizeof *record->ends);
  record->ends[record->count++] = end;
}

/* Fills the record that begins at record->begin. */
static void read_record(const adl_csv_dialect *dialect, const char *text, uint32_t size, reference_record *record) {
  uint32_t begin = record->begin, at = begin;
  bool comment = dialect->comment_size > 0 && size - begin >= dialect->comment_size &&
                 memcmp(text + begin, dialect->comment, dialect->comment_size) == 0;
  bool first = true; /* nothing but blanks in this field so far */
  while (at < size && text[at] != '\n') {
    if (text[at] == dialect->quote && dialect->quote != 0 && first && !comment) {
      uint32_t behind = pass_quoted(dialect, text, size, at, &record->fault);
      if (record->fault != ADL_CSV_GOOD) {
        const char *feed = memchr(text + at, '\n', size - at);
        record->fault_at = at;
        record->end = feed != NULL ? (uint32_t)(feed - text) : size;
        record->count = 0;
        add_end(record, record->end);
        return;
      }
      first = false;
      at = behind;
      continue;
    }
    if (text[at] == dialect->delimiter) {
      add_end(record, at);
      first = true;
    } else if (!blank(dialect, text[at])) {
      first = false;
    }
    at++;
  }
  record->end = at;
  add_end(record, at);
}

reference reference_read(const adl_csv_dialect *dialect, const char *text, uint32_t size) {
  reference all = {0, NULL};
  uint32_t begin = 0, line = 0, counted = 0;
  while (begin < size) {
    all.records = grow(all.records, all.count, sizeof *all.records);
    reference_record *record = &all.records[all.count++];
    *record = (reference_record){.begin = begin};
    for (; counted < begin; counted++) line += text[counted] == '\n';
    record->line = line;
    read_record(dialect, text, size, record);
    begin = record->end + 1;
  }
  return all;
}

void reference_free(reference *all) {
  for (uint32_t i = 0; i < all->count; i++) free(all->records[i].ends);
  free(all->records);
}

uint32_t reference_text(uint64_t seed, uint32_t most, char *text) {
  static const char *const pieces[] = {"a",
                                       "b",
                                       "12",
                                       ",",
                                       ",",
                                       ",",
                                       "\n",
                                       "\n",
                                       "\r\n",
                                       "\"",
                                       "\"\"",
                                       " ",
                                       "\t",
                                       "#",
                                       "\xc3\xa9",
                                       "\xff",
                                       "\r",
                                       ",\"x",
                                       "y\",",
                                       "\"a,b\"",
                                       "\"\n\"",
                                       "\n#",
                                       "longer text without anything in it, or almost",
                                       ",\"\",",
                                       "\"z\"\"z\"",
                                       " \"q\" ",
                                       "\n\n"};
  uint64_t counter = 0;
  uint32_t size = 0, count = sizeof pieces / sizeof pieces[0];
  uint32_t rich = (uint32_t)(adl_random(seed, counter++) % 4); /* how many plain letters are in between */
  uint32_t wanted = most > 0 ? (uint32_t)(adl_random(seed, counter++) % most) : 0;
  for (;;) {
    const char *piece = pieces[adl_random(seed, counter++) % count];
    for (uint64_t plain = rich > 0 ? adl_random(seed, counter++) % (1u << (2 * rich)) : 0; plain > 0; plain--)
      if (size < wanted) text[size++] = 'x';
    if (size + strlen(piece) > wanted) return size;
    memcpy(text + size, piece, strlen(piece));
    size += (uint32_t)strlen(piece);
  }
}
