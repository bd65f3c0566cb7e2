/* Categories as text, and the items of a row, whatever the column's shape: shared by hash and onehot. */
#ifndef ADLOOM_COMMON_CATEGORY_H
#define ADLOOM_COMMON_CATEGORY_H

#include <adloom/plugin.h>

enum { ADL_CATEGORY_TEXT_SIZE = 24 };

/*
 * The text a category is known by: a string (or bytes) as it is, an integer in decimal, a bool as "true" or "false".
 * `item` is the row of a SCALAR, the item of a LIST or BAG. Numbers are written to `buffer`; floats and timestamps are
 * no categories and give "".
 */
adl_text adl_category_text(const adl_column *column, int64_t item, char buffer[ADL_CATEGORY_TEXT_SIZE]);

/* Items *from .. *to - 1 of a row: itself in a SCALAR, none where the row is null. Not for VECTOR. */
static inline void adl_items_of(const adl_column *column, int64_t row, int64_t *from, int64_t *to) {
  if (adl_is_null(column, row)) {
    *from = *to = 0;
  } else if (column->type.shape == ADL_SCALAR) {
    *from = row;
    *to = row + 1;
  } else {
    *from = column->offsets[row];
    *to = column->offsets[row + 1];
  }
}

#endif
