/* Columns of a table that has one row per key, taken out of the keys again. Used by group and tags. */
#ifndef ADLOOM_COMMON_KEY_COLUMNS_H
#define ADLOOM_COMMON_KEY_COLUMNS_H

#include <adloom/plugin.h>

/* The columns `by`, which the keys were made of by adl_key_of_row, go to `slots`. */
adl_status adl_key_columns_write(const adl_call *call, const adl_inputs *by, const int32_t *slots, const adl_text *keys,
                                 int64_t rows, adl_out *out);

#endif
