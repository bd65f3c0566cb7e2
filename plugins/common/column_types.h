/* The types that sources of text know their columns by: id, int, date and so on. Used by read-csv and read-jsonl. */
#ifndef ADLOOM_PLUGINS_COMMON_COLUMN_TYPES_H
#define ADLOOM_PLUGINS_COMMON_COLUMN_TYPES_H

#include "common/csv_columns.h"

/* Sets type and time of a named column from what the parameter `columns` says of it: "id", "timestamp", "date %d.%m.%Y".
 * `timestamp_format`, which has been checked, is for times without a format of their own. */
adl_status adl_column_type_set(const adl_call *call, const char *timestamp_format, const char *text,
                               adl_csv_column *column);

/* The type that such a column has for the host. */
adl_type adl_column_type(adl_csv_type type);

#endif
