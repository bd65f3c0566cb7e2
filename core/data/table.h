/* Keyed tables, the part of tensors.h that only core/data and the saving of models use: made and freed by a set of
 * tensors. */
#ifndef ADLOOM_CORE_DATA_TABLE_H
#define ADLOOM_CORE_DATA_TABLE_H

#include "core/data/tensors.h"

adl_table *adl_table_new(int64_t width);
void adl_table_free(adl_table *table);
adl_table *adl_table_copy(const adl_table *table);
void adl_table_add(adl_table *into, const adl_table *from); /* widths are equal */
void adl_table_swap(adl_table *a, adl_table *b);            /* what they hold changes places */
int64_t adl_table_bytes(const adl_table *table);
/* What a table is made of, for saving: keys end to end, where each ends (count), values (count x width). */
void adl_table_parts(const adl_table *table, const char **keys, const int64_t **ends, const double **rows);

#endif
