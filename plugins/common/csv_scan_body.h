/* The scanning loop, included once for each instruction set by csv_scan.c, which defines
 *   SCAN_NAME    the function's name
 *   SCAN_TARGET  attributes
 *   SCAN_MASKS   adl_csv_masks SCAN_MASKS(const char *bytes, dialect, bool *high, bool *zero) for 64 bytes
 *   SCAN_LOWEST  number of the lowest bit set (any value for 0). */

SCAN_TARGET static inline __attribute__((always_inline)) void SCAN_GLUE(SCAN_NAME, _plain)(adl_csv_scan *scan,
                                                                                           adl_csv_masks masks) {
  uint32_t base = scan->at, before = scan->ends_count;
  uint64_t separators = masks.delimiter | masks.line;
  if (scan->fields) {
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
    uint32_t rank = scan->fields ? before + (uint32_t)__builtin_popcountll(separators & up_to) : 0;
    adl_csv_close_record(scan, base + bit, rank);
  }
}

SCAN_TARGET static adl_csv_progress SCAN_NAME(adl_csv_scan *scan, const char *text, uint32_t size, bool final) {
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
    adl_csv_masks masks = SCAN_MASKS(bytes, &dialect, &scan->high, &scan->zero);
    if (__builtin_expect(count < 64, 0)) {
      masks.delimiter &= adl_csv_below(count);
      masks.line &= adl_csv_below(count);
      masks.quote &= adl_csv_below(count);
    }
    if (masks.quote == 0 && !scan->inside) {
      SCAN_GLUE(SCAN_NAME, _plain)(scan, masks);
      scan->at += count;
    } else if (!adl_csv_scan_quoted(scan, text, size, final, masks, count)) {
      return ADL_CSV_MORE;
    }
  }
}
