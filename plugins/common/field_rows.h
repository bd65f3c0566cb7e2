/* Rows of a field-aware model: columns, each of them a field, whose values are hashed to dimensions. Used by ffm. */
#ifndef ADLOOM_PLUGINS_COMMON_FIELD_ROWS_H
#define ADLOOM_PLUGINS_COMMON_FIELD_ROWS_H

#include <adloom/plugin.h>

#include "common/factor_blocks.h"
#include "common/factor_fit.h"

/* Fields are dealt to so many classes by field mod classes. A dimension's last bits are the class of its field, so that
 * entries of different classes never share one. A power of two. */
enum { ADL_FIELD_CLASSES = 4 };

typedef enum adl_field_numbers { ADL_FIELD_BINS = 0, ADL_FIELD_VALUE = 1 } adl_field_numbers;

typedef struct adl_field {
  const adl_input *input;
  uint32_t seed; /* hash of the column's name */
  uint16_t slot; /* place in its class */
  uint16_t class;
} adl_field;

typedef struct adl_field_settings {
  adl_inputs columns;
  int64_t bits;
  int32_t numbers;  /* adl_field_numbers */
  adl_field *order; /* the columns class by class; made by adl_field_bind, for free */
} adl_field_settings;

adl_status adl_field_bind(const adl_call *call, adl_field_settings *self);

/* See adl_factor_class.rows. A row's entries lie class by class: starts has ADL_FIELD_CLASSES + 1 offsets. */
adl_status adl_field_rows(const adl_call *call, const adl_factor_settings *common, const adl_field_settings *self,
                          const adl_batch *batch, bool *wanted, adl_factor_row *rows);

#endif
