/* The scanning loop, included once for each instruction set by csv_scan.c, which defines
 *   SCAN_NAME    the function's name
 *   SCAN_TARGET  attributes
 *   SCAN_MASKS   adl_csv_masks SCAN_MASKS(const char *bytes, dialect, bool fields, bool *high, bool *zero) for 64 bytes;
 *                without `fields` the delimiters are needed only where there are quotes, and high and zero never
 *   SCAN_LOWEST  number of the lowest bit set (any value for 0). */

/* Takes the separators of `masks`; `quotes`: NULL where there are none. */
SCAN_TARGET static inline __attribute__((always_inline)) void SCAN_GLUE(SCAN_NAME, _separators)(
    adl_csv_scan *scan, adl_csv_masks masks, const adl_csv_quotes *quotes, bool fields) {
  uint32_t base = scan->at, before = scan->ends_count;
  uint64_t separators = masks.delimiter | masks.line, past = 0;
  if (fields) {
    uint32_t count = (uint32_t)__builtin_popcountll(separators), *out = scan->ends + before;
    uint64_t left = separators;
    for (uint32_t done = 0; done < count; done += 8, out += 8)
      for (uint32_t i = 0; i < 8; i++) { /* the last eight may write up to seven too many */
        out[i] = base + SCAN_LOWEST(left);
        left &= left - 1;
      }
    scan->ends_count = before + count;
  }
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
    adl_csv_scan *scan, const char *text, uint32_t size, bool final, bool fields) {
  const adl_csv_dialect dialect = *scan->dialect;
  for (;;) {
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
    adl_csv_masks masks = SCAN_MASKS(bytes, &dialect, fields, &scan->high, &scan->zero);
    if (__builtin_expect(count < 64, 0)) {
      masks.delimiter &= adl_csv_below(count);
      masks.line &= adl_csv_below(count);
      masks.quote &= adl_csv_below(count);
    }
    adl_csv_quotes quotes;
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
  return scan->fields ? SCAN_GLUE(SCAN_NAME, _loop)(scan, text, size, final, true)
                      : SCAN_GLUE(SCAN_NAME, _loop)(scan, text, size, final, false);
}
