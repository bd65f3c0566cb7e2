/*
 * Packed arrays: the values of a column for keeping, in a fraction of the memory. Texts of which there are few different ones
 * are numbered; whole numbers are kept as what they differ by from the one before; of sparse rows the values that are 1 are
 * left out. Columns of other kinds, and those that would not become much smaller, stay as they are.
 *
 * Packing and opening take about a nanosecond a value. An array that comes of a packed one remembers it: columns that
 * travel from one place where rows are kept to the next are packed once. Used by the engine's stores.
 */
#ifndef ADLOOM_CORE_DATA_PACKED_H
#define ADLOOM_CORE_DATA_PACKED_H

#include "core/data/array.h"

typedef struct adl_packed adl_packed;

/* Packs the array, unless that has been done, or does not pay. Any number of threads. */
void adl_array_pack(adl_array *array);
/* A reference; NULL: it is not packed. */
adl_packed *adl_array_packed(adl_array *array);

/* The array again, equal in every byte that its type defines; ends the program where there is no memory for it. */
adl_array *adl_packed_open(adl_packed *packed);
void adl_packed_unref(adl_packed *packed); /* NULL is fine */
int64_t adl_packed_bytes(const adl_packed *packed);

#endif
