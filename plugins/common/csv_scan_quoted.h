/* Inside of csv_scan.c: the part that does not depend on the instruction set, and what csv_scan_body.h needs of it. */
#ifndef ADLOOM_PLUGINS_COMMON_CSV_SCAN_QUOTED_H
#define ADLOOM_PLUGINS_COMMON_CSV_SCAN_QUOTED_H

#include "common/csv_scan.h"

/* Which of up to 64 bytes are what, first byte in bit 0. */
typedef struct adl_csv_masks {
  uint64_t delimiter, line, quote;
} adl_csv_masks;

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

/* Takes `count` bytes at scan->at that hold a quote, or begin inside a quoted field. False: more text is needed. */
bool adl_csv_scan_quoted(adl_csv_scan *scan, const char *text, uint32_t size, bool final, adl_csv_masks masks,
                         uint32_t count);

/* At the end of the final text: closes the last record if no line feed did. False: an unclosed quote has sent the scan
 * back, there is text to look at. */
bool adl_csv_scan_end(adl_csv_scan *scan, const char *text, uint32_t size);

#endif
