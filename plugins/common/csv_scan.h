/* Finds records and fields in delimited text: where they end, not what they mean. Used twice by read-csv, to cut the input
 * into blocks of whole records and to take a block apart; both see the same records.
 *
 * The text is RFC 4180's, read generously. A record ends with a line feed (a carriage return before it is not part of the
 * last field) or with the text. A quote opens a quoted field only as the first character of a field; elsewhere it is an
 * ordinary character. Inside, two quotes stand for one, and everything else is text. The closing quote must be followed by
 * a delimiter or the end of the record.
 *
 * A quote that opens but does not close properly (not within max_field bytes, not before the end of the text, or with
 * something behind the closing quote) damages one record only: that record ends at the first line feed behind the opening
 * quote, and what follows is read as if the quote had not been there. */
#ifndef ADLOOM_PLUGINS_COMMON_CSV_SCAN_H
#define ADLOOM_PLUGINS_COMMON_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct adl_csv_dialect {
  char delimiter;
  char quote;            /* 0: there are none */
  bool trim;             /* blanks and tabs around a field do not belong to it */
  const char *comment;   /* a record that begins with this is one line of comment */
  uint32_t comment_size; /* 0: there are no comments */
  uint32_t max_field;
} adl_csv_dialect;

typedef enum adl_csv_fault {
  ADL_CSV_GOOD = 0,
  ADL_CSV_UNCLOSED = 1,   /* a quote opens at fault_at and does not close */
  ADL_CSV_AFTER_QUOTE = 2 /* a quote opens at fault_at and closes, but something else follows */
} adl_csv_fault;

/* text[begin, end) without its line feed. Its fields end at ends[first] ... ends[first + count - 1], the last of which is
 * `end`; the next field begins one behind. */
typedef struct adl_csv_record {
  uint32_t begin, end;
  uint32_t first, count;
  uint32_t line; /* line feeds in the text before `begin` */
  uint32_t fault_at;
  uint8_t fault; /* adl_csv_fault; if there is one, count is 1 */
  bool quotes;   /* some field is quoted */
  bool doubled;  /* and has a doubled quote inside */
} adl_csv_record;

typedef struct adl_csv_scan {
  const adl_csv_dialect *dialect;
  bool fields; /* false: records only, nothing goes to ends and count is not set */

  /* Output, owned by the caller, who may empty it (or move what is left to the front) between calls. `ends` needs room
   * for ADL_CSV_ROOM more than it holds, `records` for ADL_CSV_ROOM. */
  uint32_t *ends;
  uint32_t ends_count, ends_capacity;
  adl_csv_record *records;
  uint32_t records_count, records_capacity;

  uint32_t at;          /* what is before it has been looked at */
  uint32_t line;        /* line feeds before `at` */
  bool inside;          /* a quoted field is open */
  uint32_t opened;      /* where */
  uint32_t opened_line; /* line feeds before it */
  adl_csv_record open;  /* the record in the making */
  bool high, zero;      /* bytes above 127, NUL bytes were seen since the caller cleared it (may err towards true) */
} adl_csv_scan;

#define ADL_CSV_ROOM 72

typedef enum adl_csv_progress {
  ADL_CSV_DONE, /* the whole of the final text has been scanned */
  ADL_CSV_MORE, /* more text is needed (at least one byte is left, or a quote has to be looked behind) */
  ADL_CSV_FULL  /* ends or records has no room */
} adl_csv_progress;

/* Goes on at scan->at. `final`: no more text will follow; otherwise the same text, longer, comes with the next call. */
adl_csv_progress adl_csv_scan_run(adl_csv_scan *scan, const char *text, uint32_t size, bool final);

/* The same by a named implementation: "avx2", "sse2", "portable"; NULL if this machine does not have it. For tests. */
typedef adl_csv_progress (*adl_csv_scanner)(adl_csv_scan *scan, const char *text, uint32_t size, bool final);
adl_csv_scanner adl_csv_scanner_named(const char *name);

#endif
