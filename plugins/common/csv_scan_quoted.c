/* The part of csv_scan.c that deals with quotes: a walk from one quote to the next over the masks of up to 64 bytes. */
#include "common/csv_scan_quoted.h"

#include <string.h>

static bool is_blank(const adl_csv_dialect *dialect, char c) {
  return (c == ' ' || c == '\t') && c != dialect->delimiter;
}

static bool is_comment(const adl_csv_scan *scan, const char *text, uint32_t size) {
  const adl_csv_dialect *dialect = scan->dialect;
  return dialect->comment_size > 0 && size - scan->open.begin >= dialect->comment_size &&
         memcmp(text + scan->open.begin, dialect->comment, dialect->comment_size) == 0;
}

/* Whether the quote at `at`, outside a quoted field, opens one. */
static bool opens(const adl_csv_scan *scan, const char *text, uint32_t size, uint32_t at) {
  uint32_t before = at;
  if (scan->dialect->trim)
    while (before > scan->open.begin && is_blank(scan->dialect, text[before - 1])) before--;
  bool first = before == scan->open.begin || text[before - 1] == scan->dialect->delimiter;
  return first && !is_comment(scan, text, size);
}

typedef enum behind { FIELD_ENDS, SOMETHING_ELSE, NOT_KNOWN } behind;

/* What stands behind the closing quote at `at`. */
static behind look_behind(const adl_csv_dialect *dialect, const char *text, uint32_t size, bool final, uint32_t at) {
  at++;
  if (dialect->trim)
    while (at < size && is_blank(dialect, text[at])) at++;
  if (at < size && (text[at] == dialect->delimiter || text[at] == '\n')) return FIELD_ENDS;
  if (at < size && text[at] != '\r') return SOMETHING_ELSE;
  if (at + 1 >= size) return final ? FIELD_ENDS : NOT_KNOWN;
  return text[at + 1] == '\n' ? FIELD_ENDS : SOMETHING_ELSE;
}

/* The open quote does not close properly: its record ends at the first line feed behind it, and the scan goes on there.
 * False: that line feed is not in the text yet. */
static bool damage(adl_csv_scan *scan, const char *text, uint32_t size, bool final, adl_csv_fault fault) {
  const char *feed = memchr(text + scan->opened, '\n', size - scan->opened);
  if (feed == NULL && !final) return false;
  uint32_t end = feed != NULL ? (uint32_t)(feed - text) : size;
  if (scan->fields) {
    scan->ends_count = scan->open.first;
    scan->ends[scan->ends_count++] = end;
  }
  scan->open.fault = (uint8_t)fault;
  scan->open.fault_at = scan->opened;
  scan->line = scan->opened_line;
  scan->inside = false;
  scan->at = feed != NULL ? end + 1 : size;
  adl_csv_close_record(scan, end, scan->ends_count);
  return true;
}

/* Separators outside quotes, as in csv_scan_body.h. `base` is where bit 0 stands. */
static void take_separators(adl_csv_scan *scan, uint32_t base, uint64_t delimiters, uint64_t lines) {
  for (uint64_t left = delimiters | lines; left != 0; left &= left - 1) {
    uint32_t at = base + (uint32_t)__builtin_ctzll(left);
    if (scan->fields) scan->ends[scan->ends_count++] = at;
    if ((left & (0 - left) & lines) != 0) adl_csv_close_record(scan, at, scan->fields ? scan->ends_count : 0);
  }
}

typedef enum step { GO_ON, RESTART, NEED_MORE } step;

/* The quote at bit `bit` of the chunk, inside a quoted field: an escape, the end of the field, or damage. *done: the bit
 * to go on at; RESTART: scan->at has been set. */
static step take_closing(adl_csv_scan *scan, const char *text, uint32_t size, bool final, uint32_t bit,
                         uint32_t *done) {
  uint32_t at = scan->at + bit;
  bool too_long = at - scan->opened - 1 > scan->dialect->max_field;
  if (!too_long && at + 1 < size && text[at + 1] == scan->dialect->quote) {
    scan->open.doubled = true;
    *done = bit + 2;
    return GO_ON;
  }
  behind next = too_long ? SOMETHING_ELSE : look_behind(scan->dialect, text, size, final, at);
  if (next == FIELD_ENDS) {
    scan->inside = false;
    *done = bit + 1;
    return GO_ON;
  }
  if (next == SOMETHING_ELSE && damage(scan, text, size, final, too_long ? ADL_CSV_UNCLOSED : ADL_CSV_AFTER_QUOTE))
    return RESTART;
  scan->at = at;
  return NEED_MORE;
}

bool adl_csv_scan_quoted(adl_csv_scan *scan, const char *text, uint32_t size, bool final, adl_csv_masks masks,
                         uint32_t count) {
  uint32_t done = 0;
  for (;;) {
    uint64_t rest = ~adl_csv_below(done), quotes = masks.quote & rest;
    uint32_t bit = quotes != 0 ? (uint32_t)__builtin_ctzll(quotes) : count;
    uint64_t range = rest & adl_csv_below(bit);
    if (!scan->inside) {
      take_separators(scan, scan->at, masks.delimiter & range, masks.line & range);
      if (quotes == 0) break;
      done = bit + 1;
      if (opens(scan, text, size, scan->at + bit)) {
        scan->inside = true;
        scan->opened = scan->at + bit;
        scan->opened_line = scan->line;
        scan->open.quotes = true;
      }
    } else {
      scan->line += (uint32_t)__builtin_popcountll(masks.line & range);
      if (quotes == 0) break;
      step next = take_closing(scan, text, size, final, bit, &done);
      if (next != GO_ON) return next == RESTART;
    }
  }
  uint32_t end = scan->at + (done > count ? done : count);
  if (scan->inside && end - scan->opened - 1 > scan->dialect->max_field + 1)
    return damage(scan, text, size, final, ADL_CSV_UNCLOSED) || (scan->at = end, false);
  scan->at = end;
  return true;
}

bool adl_csv_scan_end(adl_csv_scan *scan, const char *text, uint32_t size) {
  if (scan->inside) {
    damage(scan, text, size, true, ADL_CSV_UNCLOSED);
    if (scan->at < size) return false;
  }
  if (scan->open.begin < size) {
    if (scan->fields) scan->ends[scan->ends_count++] = size;
    adl_csv_close_record(scan, size, scan->fields ? scan->ends_count : 0);
  }
  return true;
}
