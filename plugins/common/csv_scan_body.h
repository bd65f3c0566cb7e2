/* The scanning loop, included once for each instruction set by csv_scan.c, which defines
 *   SCAN_NAME    the function's name
 *   SCAN_TARGET  attributes
 *   SCAN_MASKS   adl_csv_masks SCAN_MASKS(const char *bytes, dialect, bool fields, adl_csv_seen *seen) for 64 bytes;
 *                without `fields` the delimiters are needed only where there are quotes, and what is seen never
 *   SCAN_ENDS    uint32_t SCAN_ENDS(uint32_t *out, uint32_t base, uint64_t bits): writes base + their numbers for bits that
 *                are set, in order, and up to eight more; how many are set
 *   SCAN_LOWEST  number of the lowest bit set (any value for 0). */

/* Takes whole chunks of 64 bytes as long as there is room for what they hold, they have no quotes, and none is open. */
SCAN_TARGET static inline __attribute__((always_inline)) void SCAN_GLUE(SCAN_NAME,
                                                                        _plain)(adl_csv_scan *scan,
                                                                                const adl_csv_dialect *dialect,
                                                                                const char *text, uint32_t size,
                                                                                bool fields, adl_csv_seen *seen) {
  uint32_t at = scan->at, line = scan->line, *ends = scan->ends + scan->ends_count;
  const uint32_t *ends_full = scan->ends + scan->ends_capacity - ADL_CSV_ROOM;
  adl_csv_record open = scan->open, *record = scan->records + scan->records_count;
  const adl_csv_record *records_full = scan->records + scan->records_capacity - ADL_CSV_ROOM;
  for (; size - at >= 64 && ends <= ends_full && record <= records_full; at += 64) {
    adl_csv_masks masks = SCAN_MASKS(text + at, dialect, fields, seen);
    if (__builtin_expect(masks.quote != 0, 0)) break;
    uint64_t separators = masks.delimiter | masks.line;
    uint32_t before = (uint32_t)(ends - scan->ends);
    if (fields) ends += SCAN_ENDS(ends, at, separators);
    for (uint64_t lines = masks.line; lines != 0; lines &= lines - 1, record++) {
      uint32_t end = at + SCAN_LOWEST(lines);
      uint32_t rank = fields ? before + (uint32_t)__builtin_popcountll(separators & (lines ^ (lines - 1))) : 0;
      *record = open;
      record->end = end;
      record->count = rank - open.first;
      line++;
      open = (adl_csv_record){.begin = end + 1, .first = rank, .line = line};
    }
  }
  scan->at = at;
  scan->line = line;
  if (fields) scan->ends_count = (uint32_t)(ends - scan->ends);
  scan->records_count = (uint32_t)(record - scan->records);
  scan->open = open;
}

/* Takes the separators of `masks`; `quotes`: NULL where there are none. */
SCAN_TARGET static inline __attribute__((always_inline)) void SCAN_GLUE(SCAN_NAME, _separators)(
    adl_csv_scan *scan, adl_csv_masks masks, const adl_csv_quotes *quotes, bool fields) {
  uint32_t base = scan->at, before = scan->ends_count;
  uint64_t separators = masks.delimiter | masks.line, past = 0;
  if (fields) scan->ends_count += SCAN_ENDS(scan->ends + before, base, separators);
  for (uint64_t lines = masks.line; lines != 0; lines &= lines - 1) {
    uint32_t bit = (uint32_t)__builtin_ctzll(lines);
    uint64_t up_to = lines & (0 - lines);
    up_to |= up_to - 1;
    uint32_t rank = fields ? before + (uint32_t)__builtin_popcountll(separators & up_to) : 0;
    if (quotes != NULL) {
      scan->open.quotes |= (quotes->opening & up_to & ~past) != 0;
      scan->open.doubled |= (quotes->doubled & up_to & ~past) != 0;
      past = up_to;
    }
    adl_csv_close_record(scan, base + bit, rank);
  }
  if (quotes != NULL) {
    scan->open.quotes |= (quotes->opening & ~past) != 0;
    scan->open.doubled |= (quotes->doubled & ~past) != 0;
  }
}

SCAN_TARGET static inline __attribute__((always_inline)) void SCAN_GLUE(SCAN_NAME, _quotes)(
    adl_csv_scan *scan, adl_csv_masks masks, const adl_csv_quotes *quotes, bool fields) {
  if (quotes->opening != 0) {
    uint32_t last = 63 - (uint32_t)__builtin_clzll(quotes->opening);
    scan->opened = scan->at + last;
    scan->opened_line = scan->line + (uint32_t)__builtin_popcountll(masks.line & adl_csv_below(last));
  }
  SCAN_GLUE(SCAN_NAME, _separators)(scan, masks, quotes, fields);
  scan->inside = quotes->inside;
}

SCAN_TARGET static inline __attribute__((always_inline)) adl_csv_progress SCAN_GLUE(SCAN_NAME, _loop)(
    adl_csv_scan *scan, const char *text, uint32_t size, bool final, bool fields, adl_csv_seen *seen) {
  const adl_csv_dialect dialect = *scan->dialect;
  bool plain = true; /* the last chunk had no quotes */
  for (;;) {
    if (plain && !scan->inside) SCAN_GLUE(SCAN_NAME, _plain)(scan, &dialect, text, size, fields, seen);
    uint32_t count = size - scan->at;
    const char *bytes = text + scan->at;
    char tail[64];
    if (scan->ends_capacity - scan->ends_count < ADL_CSV_ROOM ||
        scan->records_capacity - scan->records_count < ADL_CSV_ROOM)
      return ADL_CSV_FULL;
    if (__builtin_expect(count < 64, 0)) {
      if (!final) return ADL_CSV_MORE;
      if (count == 0 && adl_csv_scan_end(scan, text, size)) return ADL_CSV_DONE;
      count = size - scan->at; /* the end may have gone back to an unclosed quote */
      if (count < 64) {
        memset(tail, ' ', sizeof tail);
        memcpy(tail, text + scan->at, count);
        bytes = tail;
      } else {
        bytes = text + scan->at;
      }
    }
    count = count < 64 ? count : 64;
    adl_csv_masks masks = SCAN_MASKS(bytes, &dialect, fields, seen);
    if (__builtin_expect(count < 64, 0)) {
      masks.delimiter &= adl_csv_below(count);
      masks.line &= adl_csv_below(count);
      masks.quote &= adl_csv_below(count);
    }
    adl_csv_quotes quotes;
    plain = masks.quote == 0;
    if (masks.quote == 0 && !scan->inside) {
      SCAN_GLUE(SCAN_NAME, _separators)(scan, masks, NULL, fields);
      scan->at += count;
    } else if (count == 64 && adl_csv_usual_quotes(scan, &dialect, text, size, &masks, &quotes)) {
      SCAN_GLUE(SCAN_NAME, _quotes)(scan, masks, &quotes, fields);
      scan->at += 64;
    } else if (!adl_csv_scan_quoted(scan, text, size, final, masks, count)) {
      return ADL_CSV_MORE;
    }
  }
}

SCAN_TARGET static adl_csv_progress SCAN_NAME(adl_csv_scan *scan, const char *text, uint32_t size, bool final) {
  adl_csv_seen seen = {0, 0};
  adl_csv_progress progress = scan->fields ? SCAN_GLUE(SCAN_NAME, _loop)(scan, text, size, final, true, &seen)
                                           : SCAN_GLUE(SCAN_NAME, _loop)(scan, text, size, final, false, &seen);
  scan->high |= seen.high != 0;
  scan->zero |= seen.zero != 0;
  return progress;
}
