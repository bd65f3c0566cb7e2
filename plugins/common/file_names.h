/* Which file a row is from, as a column. Used by the sources that read files. */
#ifndef ADLOOM_PLUGINS_COMMON_FILE_NAMES_H
#define ADLOOM_PLUGINS_COMMON_FILE_NAMES_H

#include <adloom/plugin.h>

/* The paths without the folders that all of them have in common: pointers into them, in an array to free. NULL: out of
 * memory. */
const char **adl_file_names(const adl_strings *paths);

/* Fills a string column with one name. Does nothing where slot is -1 or nobody reads it; fails
 * where the name is no text. */
adl_status adl_file_name_fill(const adl_call *call, adl_out *out, int32_t slot, const char *name, int64_t rows);

#endif
