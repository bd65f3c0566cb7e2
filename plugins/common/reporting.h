/*
 * What the classes that measure share: over which rows a number is, how values and numbers are written. Rows of
 * different kinds are never mixed in one number. Used by metrics, lift, ranking and agreement.
 */
#ifndef ADLOOM_PLUGINS_COMMON_REPORTING_H
#define ADLOOM_PLUGINS_COMMON_REPORTING_H

#include <adloom/plugin.h>

/* Split of the rows, and whether those for training were scored before they were learned from. */
enum { ADL_OVER_HELD_OUT, ADL_OVER_VALIDATION, ADL_OVER_PROGRESSIVE, ADL_OVER_IN_SAMPLE, ADL_OVER_COUNT };
extern const char *const adl_over_names[ADL_OVER_COUNT];

/* Of the batch in hand; the class is one of ADL_SPLIT_ROWS. */
int adl_over_of(const adl_call *call);

/* "name (held-out)", in the call's scratch. */
const char *adl_over_title(const adl_call *call, const char *name, int over);

/* A text of the report that there are no held-out rows. */
void adl_over_none_held_out(const adl_call *call, adl_report *report);

/* A number as a cell of a table, in the call's scratch; NaN is undefined. */
const char *adl_report_cell(const adl_call *call, double value);

/* "prefix.name", in the call's scratch. */
const char *adl_report_name(const adl_call *call, const char *prefix, const char *name);

/* A number over these rows, or, where it is NaN, a text that says why it is undefined. */
void adl_report_value(const adl_call *call, adl_report *report, int over, const char *name, double value, double low,
                      double high, const char *reason);

/* The value of a SCALAR row as text: "null", "true", "-3", or the string itself. Returns the length; `to` has room for
 * adl_value_room(column). No NUL is written. */
int64_t adl_value_room(const adl_column *column, int64_t rows);
int64_t adl_value_print(const adl_column *column, int64_t row, char *to);

/* The first bytes of a text that are whole characters, with "..." where some are missing, in the call's scratch. */
const char *adl_text_shown(const adl_call *call, adl_text text, int32_t longest);

#endif
