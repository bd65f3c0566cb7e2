/* Inside of csv_scan.c: the part that does not depend on the instruction set, and what csv_scan_body.h needs of it. */
#ifndef ADLOOM_PLUGINS_COMMON_CSV_SCAN_QUOTED_H
#define ADLOOM_PLUGINS_COMMON_CSV_SCAN_QUOTED_H

#include "common/csv_scan.h"

/* Which of up to 64 bytes are what, first byte in bit 0. */
typedef struct adl_csv_masks {
  uint64_t delimiter, line, quote;
} adl_csv_masks;

/* Not 0: there was a byte above 127, a NUL byte. */
typedef struct adl_csv_seen {
  uint32_t high, zero;
} adl_csv_seen;

static inline uint64_t adl_csv_below(uint32_t bit) { return bit >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bit) - 1; }

/* Closes the record in the making at `end`, with the separator in ends[] counted by the caller up to `ends_count`. */
static inline void adl_csv_close_record(adl_csv_scan *scan, uint32_t end, uint32_t ends_count) {
  adl_csv_record *record = &scan->records[scan->records_count++];
  *record = scan->open;
  record->end = end;
  record->count = ends_count - record->first;
  scan->line++;
  scan->open = (adl_csv_record){.begin = end + 1, .first = ends_count, .line = scan->line};
}

/* Bit i: the exclusive or of bits 0 to i. */
static inline uint64_t adl_csv_prefix_xor(uint64_t bits) {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  return bits ^ bits << 32;
}

/* Where 64 bytes at scan->at begin and end quoted fields, if all is as it usually is: every quote either stands between a
 * separator and text or is half of a doubled one, and no line ends inside. */
typedef struct adl_csv_quotes {
  uint64_t opening; /* first quotes of fields */
  uint64_t doubled; /* first quotes of pairs */
  bool inside;      /* behind the last byte */
} adl_csv_quotes;

/* Finds them, and takes the separators inside out of `masks`. False: something is not as usual. */
static inline bool adl_csv_usual_quotes(const adl_csv_scan *scan, const adl_csv_dialect *dialect, const char *text,
                                        uint32_t size, adl_csv_masks *masks, adl_csv_quotes *quotes) {
  uint32_t at = scan->at, end = at + 64;
  if (dialect->max_field < 64 || dialect->comment_size > 0 || end >= size ||
      (scan->inside && end - scan->opened > dialect->max_field))
    return false;
  uint64_t inside = adl_csv_prefix_xor(masks->quote) ^ (scan->inside ? ~UINT64_C(0) : 0);
  uint64_t opening = masks->quote & inside, closing = masks->quote & ~inside;
  uint64_t separators = (masks->delimiter | masks->line) & ~inside;
  bool begins = at == scan->open.begin || text[at - 1] == dialect->delimiter;
  bool ends = text[end] == dialect->delimiter || text[end] == '\n';
  uint64_t may_open = (separators | closing) << 1 | begins;
  uint64_t may_close = (separators | opening) >> 1 | (uint64_t)ends << 63;
  if (((opening & ~may_open) | (closing & ~may_close) | (masks->line & inside)) != 0) return false;
  masks->delimiter &= ~inside;
  quotes->opening = opening & ~(closing << 1);
  quotes->doubled = closing & opening >> 1;
  quotes->inside = inside >> 63 != 0;
  return true;
}

/* Takes `count` bytes at scan->at that hold a quote, or begin inside a quoted field. False: more text is needed. */
bool adl_csv_scan_quoted(adl_csv_scan *scan, const char *text, uint32_t size, bool final, adl_csv_masks masks,
                         uint32_t count);

/* At the end of the final text: closes the last record if no line feed did. False: an unclosed quote has sent the scan
 * back, there is text to look at. */
bool adl_csv_scan_end(adl_csv_scan *scan, const char *text, uint32_t size);

#endif
