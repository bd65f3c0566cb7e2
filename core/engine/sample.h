/* A sample of the rows of a source, for the report: those whose tags have the smallest hashes, so the same whatever the
 * threads do. Called where a head has read; read when the run is over. */
#ifndef ADLOOM_CORE_ENGINE_SAMPLE_H
#define ADLOOM_CORE_ENGINE_SAMPLE_H

#include "core/data/frame.h"

enum { ADL_SAMPLE_ROWS = 1000, ADL_SAMPLE_TEXT = 60 /* bytes of a text that are kept, at most */ };

/* What a row holds in a column; a plain number or a text, by the type of the column. */
typedef struct adl_sample_value {
  double number; /* numbers, timestamps; NAN: null */
  char *text;    /* others, as people read them; NULL: null */
} adl_sample_value;

typedef struct adl_sample_row {
  uint64_t hash;
  int64_t tag;
  adl_sample_value *values; /* by column */
} adl_sample_row;

typedef struct adl_sample adl_sample;
adl_sample *adl_sample_new(uint64_t key, int32_t columns);
void adl_sample_free(adl_sample *sample);

/* From any thread. Of plain (SCALAR) columns alone. */
void adl_sample_add(adl_sample *sample, const adl_frame *frame);

/* The rows, in the order of their hashes; valid until the next row is added. */
const adl_sample_row *adl_sample_rows(adl_sample *sample, int64_t *count);

/* Is a column of this type sampled as a number? */
bool adl_sample_is_number(adl_type type);

#endif
