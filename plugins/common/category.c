/* Categories as text; see category.h. */
#include "common/category.h"

/* Writes the decimal from the end of the buffer: a third of snprintf's time, and identifiers are hashed in millions. */
static adl_text decimal(int64_t number, char buffer[ADL_CATEGORY_TEXT_SIZE]) {
  uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  int32_t at = ADL_CATEGORY_TEXT_SIZE;
  do {
    buffer[--at] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (number < 0) buffer[--at] = '-';
  return (adl_text){buffer + at, ADL_CATEGORY_TEXT_SIZE - at};
}

adl_text adl_category_text(const adl_column *column, int64_t item, char buffer[ADL_CATEGORY_TEXT_SIZE]) {
  switch (column->type.element) {
    case ADL_STRING:
    case ADL_BYTES: return adl_text_at(column, item);
    case ADL_BOOL: return adl_bit((const uint8_t *)column->data, item) ? (adl_text){"true", 4} : (adl_text){"false", 5};
    case ADL_INT32: return decimal(((const int32_t *)column->data)[item], buffer);
    case ADL_UINT32: return decimal(((const uint32_t *)column->data)[item], buffer);
    case ADL_INT64: return decimal(((const int64_t *)column->data)[item], buffer);
    default: return (adl_text){"", 0};
  }
}
