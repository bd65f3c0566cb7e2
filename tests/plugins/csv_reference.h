/* Records and fields of delimited text by reading one byte after the other: slow, plain, and written from csv_scan.h's
 * description alone. What the tests of the scanner and of read-csv compare with. */
#ifndef ADLOOM_TESTS_CSV_REFERENCE_H
#define ADLOOM_TESTS_CSV_REFERENCE_H

#include "common/csv_scan.h"

typedef struct reference_record {
  uint32_t begin, end, line, fault_at;
  adl_csv_fault fault;
  uint32_t count; /* of fields */
  uint32_t *ends; /* where they end */
} reference_record;

typedef struct reference {
  uint32_t count;
  reference_record *records;
} reference;

reference reference_read(const adl_csv_dialect *dialect, const char *text, uint32_t size);
void reference_free(reference *reference);

/* A text of the kind that breaks scanners: quotes, delimiters, line ends, blanks and comments in odd places. */
uint32_t reference_text(uint64_t seed, uint32_t most, char *text);

#endif
