/* Columns as arrays of the Arrow C Data Interface, and back: pure conversions, for the engine's side of adloom.arrow/1
 * (see include/adloom/arrow.h for types and promises). arrow_schema.c has the types, arrow_export.c and arrow_import.c the
 * arrays. `why` gets a sentence without an end, to be freed. */
#ifndef ADLOOM_CORE_DATA_ARROW_H
#define ADLOOM_CORE_DATA_ARROW_H

#include <adloom/arrow.h>

#include "core/data/array.h"

/* How a column comes in an Arrow array, by its schema. */
typedef struct adl_arrow_layout {
  adl_type type;    /* what it becomes; width 0: a sparse column whose schema does not tell */
  bool role_told;   /* by metadata; else the role is the one of a plain column of that element */
  bool large_list;  /* offsets of rows are 64-bit */
  bool large_text;  /* offsets of bytes are 64-bit */
  uint8_t key_size; /* bytes of a key of a dictionary, whose values the rest tells of; 0: there is none */
  bool key_is_signed;
} adl_arrow_layout;

bool adl_arrow_read_schema(const struct ArrowSchema *schema, adl_arrow_layout *layout, char **why);

void adl_arrow_export_type(adl_type type, const char *name, struct ArrowSchema *schema);
/* +s of the types. */
void adl_arrow_export_types(const adl_type *types, const char *const *names, int64_t count, struct ArrowSchema *schema);

/* The array keeps a reference until it is released. */
void adl_arrow_export(adl_array *array, struct ArrowArray *to);
/* +s of arrays, each of `rows` rows. */
void adl_arrow_export_arrays(adl_array *const *arrays, int64_t count, int64_t rows, struct ArrowArray *to);
/* Was it made by adl_arrow_export? Its buffers are padded then. */
bool adl_arrow_is_own(const struct ArrowArray *array);

/* The column of an array of that layout; `type` is the layout's, with the role and the width that it is to have. Takes
 * `array` over, also when it fails: array->release is NULL then. `padded`: its buffers may be read up to the next multiple
 * of 64 bytes. NULL with *why: the array is malformed, or too large. */
adl_array *adl_arrow_import(const adl_arrow_layout *layout, adl_type type, struct ArrowArray *array, bool padded,
                            char **why);

#endif
