/* Reads delimited text from a stream: its first lines, its header, and then blocks of whole records. Used by read-csv in
 * bind, open and next. One thread at a time on one reader. */
#ifndef ADLOOM_PLUGINS_COMMON_CSV_READER_H
#define ADLOOM_PLUGINS_COMMON_CSV_READER_H

#include "common/csv_scan.h"
#include "common/stream.h"

#include <adloom/plugin.h>

/* A block ends with its 4096th record, or with the record in which it passes this size: what a block holds depends on the
 * text alone. */
#define ADL_CSV_BLOCK_RECORDS 4096
#define ADL_CSV_BLOCK_BYTES (2u << 20)
/* What stands behind the text of a block, so that decoding may read ahead. */
#define ADL_CSV_PAD 64

typedef struct adl_csv_reader {
  adl_stream *stream;
  adl_csv_dialect dialect;
  char *carry; /* read, but not handed out yet */
  uint32_t carry_size, carry_capacity;
  bool ended;                            /* the stream has no more */
  int64_t line;                          /* number, from 1, of the line at which carry begins */
  uint32_t last;                         /* size of the block before */
  char message[ADL_STREAM_MESSAGE + 64]; /* what went wrong */
} adl_csv_reader;

/* The names in a header line. */
typedef struct adl_csv_names {
  int32_t count;
  char **items;
} adl_csv_names;

/* Opens a file and passes over its byte order mark and its first `skip_lines` lines. False: reader->message says why. What
 * the dialect points to must live as long as the reader. Close the reader in any case. */
bool adl_csv_reader_open(adl_csv_reader *reader, const char *path, const adl_csv_dialect *dialect, int64_t skip_lines);
void adl_csv_reader_close(adl_csv_reader *reader);

/* Takes the first record that is neither blank nor a comment. False: message. */
bool adl_csv_reader_header(adl_csv_reader *reader, adl_csv_names *names);
void adl_csv_names_free(adl_csv_names *names);

/* Longest record: what is longer is rejected without being looked at. */
uint32_t adl_csv_record_limit(const adl_csv_dialect *dialect);

/* Gives the host one block: `head_size` bytes for the caller, then text that holds `*records` whole records (also blank
 * lines and comments), then ADL_CSV_PAD zeros. The caller fills *head and commits the block with *size and *line, the
 * number of its first line. ADL_END: nothing is left. Records beyond the limit go to host->reject_record. */
adl_status adl_csv_reader_block(adl_csv_reader *reader, const adl_call *call, adl_out *out, uint32_t head_size,
                                uint8_t **head, uint32_t *text_size, uint32_t *records, int64_t *line);

/* Whether a record is a blank line or a comment. */
bool adl_csv_passed_over(const adl_csv_dialect *dialect, const char *text, uint32_t size);

/* Takes the blanks around a field off (if the dialect says so) and then its quotes. True: it was quoted, and doubled
 * quotes may be in it. */
static inline bool adl_csv_strip(const adl_csv_dialect *dialect, const char **text, uint32_t *size) {
  if (dialect->trim) {
    while (*size > 0 && (**text == ' ' || **text == '\t')) (*text)++, (*size)--;
    while (*size > 0 && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t')) (*size)--;
  }
  bool quoted = *size >= 2 && dialect->quote != 0 && **text == dialect->quote && (*text)[*size - 1] == dialect->quote;
  if (quoted) {
    (*text)++;
    *size -= 2;
  }
  return quoted;
}

/* Copies the inside of a quoted field, two quotes becoming one; returns the new size. */
uint32_t adl_csv_unescape(char quote, const char *text, uint32_t size, char *copy);

#endif
