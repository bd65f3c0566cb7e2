/* The table of largest weights in the report of a linear model, by the names of their dimensions. Used by ftrl and
 * sgd. */
#ifndef ADLOOM_PLUGINS_COMMON_WEIGHT_TABLE_H
#define ADLOOM_PLUGINS_COMMON_WEIGHT_TABLE_H

#include <adloom/plugin.h>

/* Wider features are hashed as a rule, and their dimensions have no names worth a table. */
#define ADL_WEIGHT_TABLE_WIDTH 65536

/* Reports the 20 dimensions whose `sizes` are furthest from 0 (of zeros none). The table's second column is sizes under
 * `title`; a third one, `values` under `value_title`, is there when values is not NULL. */
void adl_weight_table(const adl_call *call, adl_report *report, const adl_input *features, int64_t width,
                      const char *title, const double *sizes, const char *value_title, const double *values);

#endif
